import fs from 'node:fs/promises'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { type ArmResponse, type Send, SendError } from '../../src/arm/send.ts'
import { createUndiciSend } from '../../src/arm/undici-send.ts'
import { accountsIn } from '../../src/auth/cached-accounts.ts'
import { byBrowser, byClientCredential, byDeviceCode, type Grant, renewed } from '../../src/auth/msal.ts'
import { createExchange } from '../../src/auth/network.ts'
import { withoutEcho } from '../../src/auth/without-echo.ts'
import { Authority, ada, contoso, type Instead } from '../helpers/authority.ts'
import { armScope, authErrorOf, sendTo, start, testClock } from '../helpers/sign-in.ts'

const { signal } = new AbortController()
const clientId = '11111111-1111-4111-8111-111111111111'
const clientSecret = 'aBc8Q~very.secret'

/** Asks `authority` for an application's token, as often as it is called; nobody waits. */
const asker = async (t: Test, authority: Authority, send?: Send) => {
  if (!authority.apps.some(app => app.clientId === clientId))
    authority.apps.push({ clientId, tenant: contoso, secret: clientSecret })
  const clock = testClock({ isHasty: true })
  const sent: string[] = []
  const direct = send ?? (await sendTo(t, authority))
  const grant: Grant = {
    method: 'client_secret',
    authorityHost: authority.origin,
    tenant: contoso,
    clientId,
    scope: armScope,
  }
  const deps = {
    clock,
    signal,
    authorityHost: authority.origin,
    send: (async (request, signal) => {
      sent.push(request.url)
      return direct(request, signal)
    }) satisfies Send,
  }
  const ask = () => byClientCredential(grant, { clientSecret }, deps)
  authority.secrets.push(clientSecret)
  const refused = () => authErrorOf(ask(), authority)
  return { ask, refused, clock, sent, grant, deps }
}

const throttled = (headers?: Record<string, string>, status = 429): Instead => ({
  status,
  body: {
    error: 'temporarily_unavailable',
    error_description: 'AADSTS90055: Too many requests.',
    error_codes: [90055],
  },
  ...(headers && { headers }),
})
const html: Instead = {
  status: 200,
  body: '<html><title>Welcome to the hotel</title></html>',
  headers: { 'content-type': 'text/html' },
}

t.test('what passes is waited for', async t => {
  const seconds = 1000
  const rows: [name: string, answers: Instead[], slept: number[]][] = [
    ['Retry-After in seconds', [throttled({ 'retry-after': '7' })], [7 * seconds]],
    [
      'Retry-After as a date',
      [throttled({ 'retry-after': new Date(start + 9 * seconds).toUTCString() })],
      [9 * seconds],
    ],
    ['Retry-After of the past', [throttled({ 'retry-after': new Date(start - 9 * seconds).toUTCString() })], [0]],
    ['throttling without Retry-After', [throttled(), throttled()], [seconds, 2 * seconds]],
    ['an answer 503', [{ status: 503, body: 'Service Unavailable' }], [seconds]],
    ['an answer 500 with Retry-After', [throttled({ 'retry-after': '3' }, 500)], [3 * seconds]],
    ['an answer that is cut', [{ status: 200, body: '{"access_token":"cut"}', broken: 'cut' }], [seconds]],
  ]
  for (const [name, answers, slept] of rows)
    t.test(name, async t => {
      const authority = await Authority.start(t)
      for (const answer of answers) authority.answer(/token$/, answer)
      const { ask, clock } = await asker(t, authority)
      t.match(await ask(), { account: clientId, tenantId: contoso })
      t.strictSame(clock.slept, slept)
      t.equal(authority.grants('client_credentials').length, answers.length + 1)
    })
})

t.test('what does not pass is told', async t => {
  const rows: [name: string, at: RegExp, answer: Instead, requests: number, expected: object][] = [
    [
      'a long Retry-After',
      /token$/,
      throttled({ 'retry-after': '119' }),
      1,
      {
        code: 'throttled',
        httpStatus: 429,
        message: /limits how often.*AADSTS90055/,
        remediation: /^Wait 119 s/,
        details: { retry_after_seconds: 119 },
      },
    ],
    ['throttling that goes on', /token$/, throttled(), 3, { code: 'throttled', remediation: /^Wait a minute/ }],
    [
      'answers 5xx',
      /token$/,
      { status: 502, body: '<html>Bad Gateway</html>' },
      3,
      { code: 'unreachable', httpStatus: 502, message: /answered 502/, remediation: /in a minute.*authority_host/ },
    ],
    [
      'connections that are cut',
      /token$/,
      { status: 200, body: '{"access_token":"cut"}', broken: 'cut' },
      3,
      { code: 'unreachable', message: /could not be reached/ },
    ],
    [
      'a page of something else',
      /token$/,
      html,
      1,
      { code: 'unreachable', message: /127\.0\.0\.1.*answered 200.*no JSON object/, remediation: /proxy or firewall/ },
    ],
    [
      'a page that forbids',
      /token$/,
      { ...html, status: 403 },
      1,
      { code: 'unreachable', message: /answered 403.*no JSON object/, remediation: /HTTPS_PROXY/ },
    ],
    [
      'a redirect',
      /token$/,
      { status: 302, body: '', headers: { location: 'https://elsewhere.example/' } },
      1,
      { code: 'unreachable', message: /answered 302/ },
    ],
    [
      'JSON without a token',
      /token$/,
      { status: 200, body: { hello: 'world' } },
      1,
      { code: 'unreachable', message: /holds no access token/ },
    ],
    ['a list for a token', /token$/, { status: 200, body: [1] }, 1, { code: 'unreachable', message: /no JSON object/ }],
    [
      'no OpenID configuration',
      /openid-configuration$/,
      { status: 404, body: { Message: 'Nothing here' } },
      0,
      {
        code: 'unreachable',
        message: /OpenID configuration is not there \(status 404\)/,
        remediation: /authority_host/,
      },
    ],
    [
      'an OpenID configuration that is half',
      /openid-configuration$/,
      { status: 200, body: { issuer: 'https://127.0.0.1/' } },
      0,
      { code: 'unreachable', message: /OpenID configuration cannot be used/, remediation: /authority_host/ },
    ],
    [
      'an OpenID configuration of another issuer',
      /openid-configuration$/,
      {
        status: 200,
        body: {
          issuer: 'https://evil.example/',
          authorization_endpoint: 'https://evil.example/a',
          token_endpoint: 'https://evil.example/t',
          jwks_uri: 'https://evil.example/k',
        },
      },
      0,
      { code: 'unreachable', message: /OpenID configuration cannot be used/ },
    ],
    [
      'a page for an OpenID configuration',
      /openid-configuration$/,
      html,
      0,
      { code: 'unreachable', message: /OpenID configuration/, remediation: /proxy or firewall/ },
    ],
    [
      'an OpenID configuration that is not answered for',
      /openid-configuration$/,
      { status: 503, body: '' },
      0,
      { code: 'unreachable', message: /answered 503/ },
    ],
  ]
  for (const [name, at, answer, requests, expected] of rows)
    t.test(name, async t => {
      const authority = await Authority.start(t)
      authority.answer(at, answer, 9)
      const { refused } = await asker(t, authority)
      t.match(await refused(), expected)
      t.equal(authority.grants('client_credentials').length, requests)
    })
})

t.test('an answer that repeats what it was sent shows no secret', async t => {
  const authority = await Authority.start(t)
  const { grant, deps } = await asker(t, authority)
  const user = { ...grant, method: 'user' } as const
  const sent: string[] = []
  const echo: Send = async (request, signal) => {
    if (!request.url.includes('/token')) return deps.send(request, signal)
    const form = new URLSearchParams(request.body)
    const secrets = ['client_secret', 'client_assertion', 'refresh_token', 'device_code', 'code', 'code_verifier']
      .map(name => form.get(name) ?? '')
      .filter(secret => secret !== '')
    sent.push(...secrets)
    const error_description = `AADSTS9999: what is ${secrets.join(' and ')}?`
    const [error] = secrets
    return { status: 400, headers: {}, body: JSON.stringify({ error, error_description, suberror: error }) }
  }
  const echoing = { ...deps, send: withoutEcho(echo) }
  const cacheText = authority.cacheText([ada], { clientId })
  const [account] = accountsIn(cacheText)
  if (!account) throw new Error('the cache holds no account')
  const open = async (url: string) => ({ code: authority.authorize(url, ada).parameters.get('code') ?? '' })
  const flows = [
    () => byClientCredential(grant, { clientSecret }, echoing),
    () => byClientCredential(grant, { clientAssertion: 'an-assertion-that-is-opaque' }, echoing),
    () => byDeviceCode(user, () => {}, echoing),
    () => byBrowser(user, { redirectUri: 'http://localhost:1', open }, echoing),
    () => renewed(user, account, cacheText, echoing),
  ]
  for (const flow of flows) {
    t.match((await authErrorOf(flow(), { secrets: sent })).message, /AADSTS9999: what is scrubbed/)
  }
  t.equal(sent.length, 6)
})

t.test('throttling of one request does not keep the next from being sent', async t => {
  const authority = await Authority.start(t)
  authority.answer(/token$/, throttled({ 'retry-after': '600' }))
  const { ask, refused } = await asker(t, authority)
  t.match(await refused(), { code: 'throttled' })
  t.match(await ask(), { account: clientId })
})

t.test('an authority that is dead', async t => {
  const network = async (t: Test, authority: Authority, timeoutSeconds: number, trust = true) => {
    const { send, close } = await createUndiciSend({
      timeoutSeconds,
      env: trust ? { SSL_CERT_FILE: authority.caFile } : {},
      readFile: file => fs.readFile(file, 'utf8'),
      warn: () => {},
    })
    t.teardown(close)
    return send
  }

  t.test('refuses the connection: asked three times', async t => {
    const authority = await Authority.start(t)
    const { refused, sent, clock } = await asker(t, authority)
    await authority.stop()
    t.match(await refused(), {
      code: 'unreachable',
      message: /^The sign-in service 127\.0\.0\.1:\d+ could not be reached: .*connection was refused/,
      remediation: /http\.proxy.*authority_host/,
    })
    t.equal(sent.length, 3)
    t.strictSame(clock.slept, [1000, 2000])
  })

  t.test('never answers: asked once, for as long as is set', async t => {
    for (const at of [/openid-configuration$/, /token$/]) {
      const authority = await Authority.start(t)
      authority.answer(at, { status: 200, body: '', broken: 'silent' }, 9)
      const { refused, sent } = await asker(t, authority, await network(t, authority, 0.2))
      t.match(await refused(), { code: 'timeout', message: /did not answer in time: .*within 0\.2 s/ })
      t.equal(sent.length, at.test('token') ? 2 : 1)
    }
  })

  t.test('has a certificate that nobody here trusts', async t => {
    const authority = await Authority.start(t)
    const { refused } = await asker(t, authority, await network(t, authority, 5, false))
    t.match(await refused(), { code: 'unreachable', message: /not trusted here/, remediation: /SSL_CERT_FILE/ })
    t.strictSame(authority.requests, [])
  })

  t.test('speaks no HTTP', async t => {
    const server = createServer(socket =>
      socket
        .on('error', () => {})
        .resume()
        .end('SSH-2.0-OpenSSH_9.6\r\n'),
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => new Promise(resolve => server.close(resolve)))
    const address = server.address()
    const authority = await Authority.start(t)
    authority.origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const { refused } = await asker(t, authority)
    t.match(await refused(), { code: 'unreachable', message: /could not be reached/ })
  })
})

t.test('an authority on http of this machine serves every flow', async t => {
  const authority = await Authority.start(t, { isSecure: false })
  const { ask, sent, grant, deps } = await asker(t, authority)
  t.match(await ask(), { account: clientId, tenantId: contoso })
  const user = { ...grant, method: 'user' } as const
  const byCode = await byDeviceCode(user, ({ code }) => authority.decide(code, { user: ada }), deps)
  t.match(byCode, { account: ada.name, tenantId: contoso })
  const open = async (url: string) => {
    t.ok(url.startsWith(`${authority.origin}/${contoso}/oauth2/v2.0/authorize?`), url)
    return { code: authority.authorize(url, ada).parameters.get('code') ?? '' }
  }
  t.match(await byBrowser(user, { redirectUri: 'http://localhost:1', open }, deps), { account: ada.name })
  t.ok(sent.every(url => url.startsWith(`${authority.origin}/`)))
})

t.test("the clouds' sign-in hosts are known without asking anybody", async t => {
  const hosts: [authorityHost: string, asked: string][] = [
    ['https://login.microsoftonline.com', 'login.microsoftonline.com'],
    ['https://login.microsoftonline.us', 'login.microsoftonline.us'],
    // MSAL asks the host that this one is an alias of.
    ['https://login.chinacloudapi.cn', 'login.partner.microsoftonline.cn'],
    ['https://login.partner.microsoftonline.cn', 'login.partner.microsoftonline.cn'],
    ['https://login.windows.net', 'login.microsoftonline.com'],
  ]
  for (const [authorityHost, asked] of hosts) {
    const sent: string[] = []
    const token = `x.${Buffer.from('{"appid":"app"}').toString('base64url')}.x`
    const send: Send = async ({ url }) => {
      sent.push(url.replace(/\?.*/, ''))
      const body = url.includes('/devicecode')
        ? { device_code: 'd', user_code: 'u', verification_uri: 'https://x.example', expires_in: 900, interval: 5 }
        : { token_type: 'Bearer', expires_in: 3600, access_token: token }
      return { status: 200, headers: {}, body: JSON.stringify(body) }
    }
    const deps = { clock: testClock(), signal, authorityHost, send }
    const grant: Grant = { method: 'user', authorityHost, tenant: contoso, clientId, scope: armScope }
    await byClientCredential(grant, { clientSecret }, deps)
    await byDeviceCode(grant, () => {}, deps)
    const base = `https://${asked}/${contoso}/oauth2/v2.0`
    t.strictSame(sent, [`${base}/token`, `${base}/devicecode`, `${base}/token`], authorityHost)
  }
})

t.test('a service that says no interval is asked for a code every five seconds, not without a pause', async () => {
  const answers: [said: unknown, interval: unknown][] = [
    [undefined, 5],
    [null, 5],
    ['soon', 5],
    [-1, 5],
    [2, 2],
    ['2', '2'],
  ]
  for (const [said, interval] of answers) {
    const body = JSON.stringify({ device_code: 'device', user_code: 'user', interval: said })
    const send: Send = async () => ({ status: 200, headers: {}, body })
    const { client } = createExchange({ send, clock: testClock(), signal, authorityHost: 'https://localhost' })
    t.match((await client.sendPostRequestAsync('https://localhost/devicecode')).body, { interval })
  }
})

t.test('a code is waited for through a lost network, a throttled service and one that is down', async t => {
  const lost = new SendError('lost', 'the connection was closed')
  const late = new SendError('timeout', 'no answer')
  const answered = (status: number, headers = {}): ArmResponse => ({ status, headers, body: '{"error":"x"}' })
  const rows: [name: string, happens: (ArmResponse | SendError)[], waited: number[]][] = [
    ['lost', [lost, lost, lost], [1000, 2000, 5000]],
    ['no answer in time', [late], [5000]],
    ['throttled for long', [answered(429, { 'retry-after': '30' })], [30_000]],
    ['throttled for an hour', [answered(429, { 'retry-after': '3600' })], [60_000]],
    ['down', [answered(503), answered(503), answered(503)], [1000, 2000, 5000]],
  ]
  const poll = 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=d'
  for (const [name, happens, waited] of rows) {
    const clock = testClock({ isHasty: true })
    const left = [...happens]
    const send: Send = async () => {
      const next = left.shift()
      if (next instanceof SendError) throw next
      return next ?? { status: 200, headers: {}, body: '{"access_token":"t"}' }
    }
    const { client, refusal, thrown } = createExchange({ send, clock, signal, authorityHost: 'https://localhost' })
    const ask = async () => (await client.sendPostRequestAsync('https://localhost/token', { body: poll })).body
    t.strictSame(await ask(), { error: 'authorization_pending' }, name)
    t.strictSame([refusal(), thrown(), clock.slept], [undefined, undefined, waited], name)
    t.match(await ask(), { access_token: 't' }, name)
  }
})

t.test('no variable of the environment leads the secret of an application to another host', async t => {
  t.teardown(() => {
    delete process.env.MSAL_FORCE_REGION
  })
  process.env.MSAL_FORCE_REGION = 'evil'
  const hosts: string[] = []
  const send: Send = async ({ url }) => {
    hosts.push(new URL(url).host)
    return { status: 200, headers: {}, body: '{"access_token":"t","expires_in":3600,"token_type":"Bearer"}' }
  }
  const authorityHost = 'https://login.microsoftonline.com'
  const grant: Grant = { method: 'client_secret', authorityHost, tenant: contoso, clientId, scope: armScope }
  await byClientCredential(grant, { clientSecret }, { send, clock: testClock(), signal, authorityHost })
  t.strictSame(hosts, ['login.microsoftonline.com'])
})

t.test('a request is given up as soon as it is cancelled', async t => {
  const authority = await Authority.start(t)
  const leaving = new AbortController()
  const clock = testClock()
  const answers: ArmResponse[] = [{ status: 429, headers: { 'retry-after': '5' }, body: '{"error":"slow"}' }]
  const send: Send = async () => answers.shift() ?? { status: 200, headers: {}, body: '{}' }
  const { client, thrown } = createExchange({ send, clock, signal: leaving.signal, authorityHost: authority.origin })
  const asked = client.sendPostRequestAsync(`${authority.origin}/token`, { body: 'a=b' })
  asked.catch(() => {})
  while (clock.slept.length === 0) await new Promise(resolve => setImmediate(resolve))
  leaving.abort(new Error('gone'))
  await t.rejects(asked, { message: 'gone' })
  t.match(thrown(), { message: 'gone' })
})

t.test('a replay without a recording for it is not asked again', async t => {
  const authority = await Authority.start(t)
  const send: Send = async () => {
    throw new SendError('no_recording', 'there is no recording of it')
  }
  const { refused, sent } = await asker(t, authority, send)
  t.match(await refused(), { code: 'unreachable', message: /no recording/ })
  t.equal(sent.length, 1)
})
