/** The token cache as its user meets it: by the commands, and in a server that ends. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { userInfo } from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import { Authority, ada } from '../helpers/authority.ts'
import { executable, Server } from '../helpers/server.ts'
import { temporaryFolder } from '../helpers/sign-in.ts'

const name = 'recovery_services_auth.json'

interface Report {
  sign_in: {
    account: string | null
    token_cache: string
    error: { code: string; message: string } | null
    not_taken: { method: string }[]
  }
}

/** What `status --json` says, with a home and a working directory of its own. */
const status = async (t: Test, env: Record<string, string>, cwd = temporaryFolder(t), home = temporaryFolder(t)) => {
  const child = spawn(process.execPath, [executable, 'status', '--json'], {
    cwd,
    env: {
      HOME: home,
      AZURE_CONFIG_DIR: home,
      PATH: home,
      AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1', // nobody is there
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const code = await new Promise(resolve => child.on('close', resolve))
  return { code, stderr, signIn: code === 0 ? (JSON.parse(stdout) as Report).sign_in : undefined }
}

t.test('the token cache lies where the environment says', async t => {
  const cwd = temporaryFolder(t)
  const home = temporaryFolder(t)
  const rows: [name: string, env: Record<string, string>, place: string][] = [
    ['in ~/.codex', {}, path.join(home, '.codex', name)],
    [
      'in ~/.codex where the variables are empty',
      { CODEX_HOME: '', RECOVERY_SERVICES_AUTH_FILE: '' },
      path.join(home, '.codex', name),
    ],
    [
      "in the user's own home where HOME is empty, never in the working directory",
      { HOME: '' },
      path.join(userInfo().homedir, '.codex', name),
    ],
    ['in CODEX_HOME', { CODEX_HOME: path.join(home, 'codex') }, path.join(home, 'codex', name)],
    ['in a relative CODEX_HOME', { CODEX_HOME: 'codex' }, path.join(cwd, 'codex', name)],
    [
      'at RECOVERY_SERVICES_AUTH_FILE',
      { CODEX_HOME: 'codex', RECOVERY_SERVICES_AUTH_FILE: path.join(home, 'x.json') },
      path.join(home, 'x.json'),
    ],
    [
      'at a relative RECOVERY_SERVICES_AUTH_FILE',
      { RECOVERY_SERVICES_AUTH_FILE: 'sub/x.json' },
      path.join(cwd, 'sub/x.json'),
    ],
  ]
  await Promise.all(
    rows.map(async ([name, env, place]) => {
      if (env.HOME === undefined) mkdirSync(path.dirname(place), { recursive: true })
      const { signIn } = await status(t, env, cwd, home)
      t.equal(signIn?.token_cache, place, name)
    }),
  )
})

t.test('`status` moves a broken token cache aside, says so, and does not make it anew', async t => {
  const folder = temporaryFolder(t)
  const file = path.join(folder, name)
  writeFileSync(file, '{"Account": {"half')
  // With a token in the environment nobody else asks for the cache.
  const { code, stderr } = await status(t, { RECOVERY_SERVICES_AUTH_FILE: file, AZURE_ACCESS_TOKEN: 'abc' })
  t.equal(code, 0)
  const [aside = '', ...others] = readdirSync(folder)
  t.strictSame(others, [])
  t.match(aside, /^recovery_services_auth\.json\.broken-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/)
  t.equal(readFileSync(path.join(folder, aside), 'utf8'), '{"Account": {"half')
  t.ok(stderr.includes(`warning the token cache ${file} cannot be used (it is not JSON); it is now ${folder}/${aside}`))
})

t.test('a token cache that is no file is an error, not waited for', async t => {
  const folder = temporaryFolder(t)
  mkdirSync(path.join(folder, 'a folder'))
  const places = ['a folder']
  if (process.platform !== 'win32') {
    execFileSync('mkfifo', [path.join(folder, 'a pipe')])
    places.push('a pipe')
  }
  for (const place of places) {
    const file = path.join(folder, place)
    const { code, signIn } = await status(t, { RECOVERY_SERVICES_AUTH_FILE: file })
    t.equal(code, 0)
    const message = `The token cache ${file} cannot be read (not a file)`
    t.match(signIn?.error, { code: 'not_configured', message })
    t.ok(existsSync(file))
  }
})

t.test('a user without a home has an empty token cache, and other credentials are looked for', async t => {
  const file = path.join(temporaryFolder(t), 'file')
  writeFileSync(file, '')
  for (const home of [file, path.join(file, 'below'), path.join(temporaryFolder(t), 'nowhere')]) {
    const { signIn } = await status(t, { HOME: home, AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1' })
    t.equal(signIn?.error?.code, 'not_signed_in')
    t.match(signIn?.not_taken.at(-1), { method: 'azure_cli' })
  }
})

/** A configuration in the home of a server, whose authority and Azure are on this machine. */
const configured = (t: Test, authorityHost: string): Record<string, string> => {
  const folder = temporaryFolder(t)
  writeFileSync(
    path.join(folder, 'recovery_services.toml'),
    `[recovery_services]
subscription_id = "00000000-0000-0000-0000-000000000001"
resource_group = "group"
vault_name = "vault"
authority_host = "${authorityHost}"
arm_endpoint = "http://127.0.0.1:9"
[recovery_services.auth]
method = "user"
[recovery_services.http]
max_retries = 0
`,
  )
  return { CODEX_HOME: folder, AZURE_CONFIG_DIR: folder }
}

// The library of the lock listens to signals too.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  t.test(`a server that has renewed a token ends with 0 on ${signal}`, async t => {
    const authority = await Authority.start(t)
    const env = configured(t, authority.origin)
    const file = path.join(env.CODEX_HOME ?? '', name)
    writeFileSync(file, authority.cacheText([ada]), { mode: 0o600 })
    const server = new Server(t, { env: { ...env, NODE_EXTRA_CA_CERTS: authority.caFile } })
    await server.call('list_vaults')
    t.equal(authority.grants('refresh_token').length, 1)
    server.process.kill(signal)
    t.equal(await server.exit, 0)
    t.equal(server.process.signalCode, null)
    t.notOk(existsSync(`${file}.lock`))
  })

t.test('a server that ends while it renews a token ends at once, with 0, and gives the lock back', async t => {
  // Takes connections and says nothing.
  const silent = createServer(() => {})
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`
  const authority = await Authority.start(t)
  const env = configured(t, `https://${host}`)
  const file = path.join(env.CODEX_HOME ?? '', name)
  const text = authority.cacheText([ada]).replaceAll(new URL(authority.origin).host, host)
  writeFileSync(file, text, { mode: 0o600 })
  const connected = new Promise(resolve => silent.once('connection', resolve))
  const server = new Server(t, { env })
  server.call('list_vaults').catch(() => {})
  await connected
  t.ok(existsSync(`${file}.lock`), 'who asks for a new token holds the lock')
  server.process.kill('SIGTERM')
  t.equal(await server.exit, 0)
  t.notOk(existsSync(`${file}.lock`))
  t.equal(readFileSync(file, 'utf8'), text)
})
