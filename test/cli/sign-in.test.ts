import { readFileSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import t from 'tap'
import { Authority, aadError, ada, bob, contoso, fabrikam } from '../helpers/authority.ts'
import { decided, Home, nothingIsSaved, shownCode } from '../helpers/command.ts'

t.jobs = 3

t.test('login shows page and code on stderr, and says on stdout who is signed in and where the tokens are', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const login = await decided(home.start(['login']), authority, { user: ada })
  t.match(login, {
    status: 0,
    stdout: `Signed in as ada@contoso.example (tenant ${contoso}). The tokens are in ${home.authFile}.\n`,
    stderr: new RegExp(`^Open ${authority.origin}/devicelogin and enter the code [0-9A-F]+ \\(until .* UTC\\)\\.\n$`),
  })
  t.equal(statSync(home.authFile).mode & 0o777, 0o600)
  const asked = authority.requests.length

  const { sign_in } = await home.status()
  t.match(sign_in, {
    method: 'user',
    account: 'ada@contoso.example',
    tenant_id: contoso,
    expires_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    error: null,
    cached_accounts: [{ account: 'ada@contoso.example', tenant_id: contoso, guest_of: [] }],
    token_cache: home.authFile,
  })
  t.same(
    (sign_in.not_taken as { method: string }[]).map(({ method }) => method),
    ['access_token', 'client_secret', 'client_certificate', 'workload_identity'],
  )
  const shown = await home.run('status')
  t.match(shown.stdout, /^sign_in:\n {2}method: +user\n {2}account: +ada@contoso\.example\n {2}tenant_id: +9{8}-/)
  t.equal(authority.requests.length, asked, 'a token that lasts is asked for once')

  const all = [login, shown].map(({ stdout, stderr }) => stdout + stderr).join('') + JSON.stringify(sign_in)
  t.notOk(authority.secrets.some(secret => all.includes(secret)))

  t.match(await home.run('logout'), {
    status: 0,
    stdout: `Signed out ada@contoso.example (tenant ${contoso}).\n`,
    stderr: '',
  })
  const left = readFileSync(home.authFile, 'utf8')
  t.notOk(authority.secrets.some(secret => left.includes(secret)))
  t.match((await home.status()).sign_in, { method: null, error: { code: 'not_signed_in' }, cached_accounts: [] })
})

t.test('a login that fails says why and what to do, with status 1, and saves nothing', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const other = '11111111-1111-4111-8111-111111111111'
  const ended: [name: string, args: string[], decision: Parameters<typeof decided>[2], line: RegExp][] = [
    ['declined', [], 'declined', /AADSTS70000: .* Start it again: `recovery-services-server login`\.$/],
    ['not used in time', [], 'expired', /AADSTS70020: .* The code was not used in time\. Start the sign-in again: /],
    [
      'an account of another tenant',
      ['--tenant', 'fabrikam.example'],
      { user: ada },
      /AADSTS50020: .* no member or guest of the tenant fabrikam\.example: .*login --tenant fabrikam\.example/,
    ],
  ]
  for (const [name, args, decision, line] of ended) {
    const { status, stdout, stderr } = await decided(home.startHere(['login', ...args]), authority, decision)
    t.match({ status, stdout }, { status: 1, stdout: '' }, name)
    const [, last = '', ...more] = stderr.split('\n')
    t.match(last, line, name)
    t.match(last, /^recovery-services-server: The sign-in was refused by 127\.0\.0\.1:\d+: AADSTS/)
    t.same(more, [''])
  }
  const refused: [name: string, args: string[], line: RegExp][] = [
    [
      'an unknown application',
      ['--client-id', other],
      /AADSTS700016: .* Check auth\.client_id \(or --client-id\) and tenant_id \(or --tenant\): .* by, the tenant of the account\.$/m,
    ],
    [
      'an unknown tenant',
      ['--tenant', 'nowhere.example'],
      /AADSTS90002: .* There is no tenant nowhere\.example at .*: check tenant_id \(or --tenant\), and cloud if/,
    ],
  ]
  for (const [name, args, line] of refused) {
    const { status, stdout, stderr } = await home.runHere('login', ...args)
    t.match({ status, stdout }, { status: 1, stdout: '' }, name)
    t.match(stderr, line, name)
    t.match(stderr, /^recovery-services-server: [^\n]*\n$/, 'one line')
  }
  const declined = await decided(home.start(['login']), authority, 'declined')
  t.match(declined, { status: 1, stdout: '', stderr: /Start it again/ }, 'as a process')
  nothingIsSaved(t, home)
})

t.test('Ctrl-C ends a login that waits, at once', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  authority.answer(/token$/, aadError('authorization_pending', 70016, 'Authorization is pending.'))
  authority.answer(/devicecode$/, {
    status: 200,
    body: {
      user_code: 'ABCD',
      device_code: 'device',
      verification_uri: `${authority.origin}/devicelogin`,
      expires_in: 900,
      interval: 600, // whoever waited for the next poll would be killed with the test
      message: '',
    },
  })
  const login = home.start(['login'])
  await login.says(shownCode)
  login.interrupt()
  const { status, stdout, stderr } = await login.ended
  t.match({ status, stdout }, { status: 1, stdout: '' })
  t.match(stderr, /\nrecovery-services-server: interrupted\n$/)
  nothingIsSaved(t, home)
})

t.test('login asks the tenant and the application that it is given', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const app = '22222222-2222-4222-8222-222222222222'
  authority.apps.push({ clientId: app, tenant: contoso })
  const login = await decided(home.start(['login', '--tenant', 'contoso.example', '--client-id', app]), authority, {
    user: bob,
  })
  t.match(login, {
    status: 0,
    stdout: `Signed in as bob@fabrikam.example (tenant ${contoso}). The tokens are in ${home.authFile}.\n`,
    stderr: new RegExp(
      `\nTo use this sign-in always, set tenant_id = "${contoso}" and auth.client_id = "${app}" in the configuration.\n$`,
    ),
  })
  const [device] = authority.requests.filter(({ path }) => path.endsWith('/devicecode'))
  t.match(device, { path: '/contoso.example/oauth2/v2.0/devicecode', fields: { client_id: app } })
  t.match((await home.status()).sign_in, {
    tenant_id: contoso,
    cached_accounts: [{ account: 'bob@fabrikam.example', tenant_id: fabrikam, guest_of: [contoso] }],
  })
  t.match(
    (await home.run('logout')).stdout,
    `Signed out bob@fabrikam.example (tenant ${fabrikam}, guest of ${contoso}).\n`,
  )
})

t.test('login looks first whether the tokens could be kept', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const rows: [name: string, file: string, line: RegExp][] = [
    ['in a file', home.write('file', ''), /cannot be (written|read) \((EEXIST|ENOTDIR)\)/],
    ['a folder', home.folder, /cannot be read \(/],
  ]
  for (const [name, place, line] of rows) {
    const RECOVERY_SERVICES_AUTH_FILE = name === 'a folder' ? place : path.join(place, 'auth.json')
    const { status, stdout, stderr } = await home.start(['login'], { RECOVERY_SERVICES_AUTH_FILE }).ended
    t.match({ status, stdout }, { status: 1, stdout: '' }, name)
    t.match(stderr, line, name)
    t.match(stderr, /^recovery-services-server: The token cache [^\n]*RECOVERY_SERVICES_AUTH_FILE\.\n$/)
  }
  t.same(authority.requests, [], 'nobody was bothered')
})

t.test('neither login nor logout says that it is done where the file cannot be replaced', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  // Its lock can be made, but the name of a draft beside it is too long.
  const place = path.join(home.folder, 'x'.repeat(230))
  const env = { RECOVERY_SERVICES_AUTH_FILE: place }
  const login = await decided(home.start(['login'], env), authority, { user: ada })
  t.match(login, { status: 1, stdout: '', stderr: /x could not be written, so the sign-in is lost\. Let this user/ })

  writeFileSync(place, authority.cacheText([ada]), { mode: 0o600 })
  const logout = await home.start(['logout'], env).ended
  t.match(logout, { status: 1, stdout: '', stderr: /so what it holds of ada@contoso\.example is still there\./ })
})

t.test('a sign-in goes through the proxy that is configured, whose password is shown nowhere', async t => {
  const authority = await Authority.start(t)
  const asked: string[] = []
  const proxy = http.createServer().on('connect', (request, socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`)
    const onward = net.connect(Number(new URL(authority.origin).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    for (const end of [onward, socket]) end.on('error', () => end.destroy())
  })
  await new Promise<void>(go => proxy.listen(0, '127.0.0.1', go))
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const { port } = proxy.address() as AddressInfo
  const home = new Home(t, authority, `http.proxy = "http://user:S3cret@127.0.0.1:${port}"`)
  t.match(await decided(home.start(['login', '--verbose']), authority, { user: ada }), {
    status: 0,
    stdout: /^Signed in as ada/,
  })
  const basic = Buffer.from('user:S3cret').toString('base64')
  t.same([...new Set(asked)], [`${new URL(authority.origin).host} Basic ${basic}`])
  const { stdout } = await home.run('status')
  t.match(stdout, /\n {2}http\.proxy +http:\/\/\*\*\*@127\.0\.0\.1:\d+ /)
  t.notMatch(stdout, 'S3cret')
})
