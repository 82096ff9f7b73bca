import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { Authority, ada } from '../helpers/authority.ts'
import { decided, Home, nothingIsSaved } from '../helpers/command.ts'

t.jobs = 3

t.test('status and logout with nobody signed in start nothing and make nothing', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const shown = await home.run('status')
  t.match(shown, { status: 0, stderr: '' })
  t.match(shown.stdout, /\n {4}message: +Nobody is signed in: no credential was found\n {4}remediation: Run `recovery/)
  const reasons: [method: string, why: string][] = [
    ['access_token', 'AZURE_ACCESS_TOKEN is not set'],
    ['client_secret', 'AZURE_CLIENT_SECRET is not set'],
    ['client_certificate', 'AZURE_CLIENT_CERTIFICATE_PATH is not set'],
    ['workload_identity', 'AZURE_FEDERATED_TOKEN_FILE is not set'],
    ['user', 'no account is in the token cache'],
    ['managed_identity', 'this machine has no managed identity endpoint: .*'],
    ['azure_cli', 'The Azure CLI \\(az\\) is not installed, or not on PATH'],
  ]
  for (const [method, why] of reasons) t.match(shown.stdout, new RegExp(`\n {4}${method} +${why}\n`), method)
  t.match(shown.stdout, new RegExp(`\n {2}token_cache: +${home.authFile}\n`))
  t.match(await home.run('logout'), { status: 0, stdout: `No account of this configuration is in ${home.authFile}.\n` })
  t.same(authority.requests, [])
  nothingIsSaved(t, home)

  const elsewhere = path.join(home.folder, 'not', 'yet', 'there.json')
  const env = { RECOVERY_SERVICES_AUTH_FILE: elsewhere }
  await home.start(['status'], env).ended
  await home.start(['logout'], env).ended
  t.notOk(existsSync(path.dirname(elsewhere)), 'nor a folder')
})

t.test('status moves a broken token cache aside, and shows one that cannot be read as what is wrong', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  home.write('.codex/recovery_services_auth.json', '{"Account":')
  const { status, stderr } = await home.run('status')
  t.equal(status, 0)
  t.match(stderr, /warning the token cache .* cannot be used \(it is not JSON\); it is now .*\.broken-[\dTZ-]+\n$/)
  const [aside = ''] = readdirSync(path.dirname(home.authFile)).filter(name => name.includes('.broken-'))
  t.equal(readFileSync(path.join(path.dirname(home.authFile), aside), 'utf8'), '{"Account":')

  mkdirSync(home.authFile)
  const folder = await home.run('status')
  t.match(folder, { status: 0, stderr: '' })
  t.match(folder.stdout, /\n {4}code: +not_configured\n {4}message: +The token cache .* cannot be read/)
  t.match(folder.stdout, /\nsettings:\n/, 'the rest is shown')
  t.match((await home.status()).sign_in.cached_accounts, { error: /cannot be read/ })
  t.match(await home.run('logout'), { status: 1, stdout: '', stderr: /cannot be read .* RECOVERY_SERVICES_AUTH_FILE/ })
})

t.test('an authority of its own is taken from ~/.codex and --config only', async t => {
  const authority = await Authority.start(t)
  const table = `[recovery_services]\nauthority_host = "${authority.origin}"\n`
  const other = new Home(t, authority)
  other.write('.codex/recovery_services.toml', '')
  const file = other.write('.config/codex/recovery_services.toml', table)
  const line = `bad configuration: ${file}: recovery_services.authority_host names a sign-in host that is none of the Azure clouds, which is only taken from a file named with --config or one in ~/.codex: passwords and tokens would go there.\n`
  for (const args of [['login'], ['logout']])
    t.match(await other.run(...args), { status: 2, stdout: '', stderr: `recovery-services-server: ${line}` })
  const shown = await other.run('status')
  t.match(shown, { status: 2, stderr: line })
  t.match(shown.stdout, /\n {2}authority_host +default +https:\/\/login\.microsoftonline\.com\n/, 'it is not used')
  t.same(authority.requests, [])
  t.match(await decided(other.start(['login', '--config', file]), authority, { user: ada }), { status: 0 })

  const home = new Home(t, authority)
  home.write('.codex/recovery_services.toml', '')
  home.write('elsewhere/recovery_services.toml', table)
  const CODEX_HOME = path.join(home.folder, 'elsewhere')
  const login = await decided(home.start(['login'], { CODEX_HOME }), authority, { user: ada })
  t.match(login, { status: 0, stdout: new RegExp(`The tokens are in ${CODEX_HOME}/recovery_services_auth.json`) })
})
