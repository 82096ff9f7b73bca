import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { ArmResponse, Send } from '../../src/arm/send.ts'
import { authorise } from '../../src/auth/authorise.ts'
import { createBackgroundSignIn } from '../../src/auth/background-sign-in.ts'
import { accountsIn } from '../../src/auth/cached-accounts.ts'
import type { DeviceCode } from '../../src/auth/msal.ts'
import type { Config } from '../../src/config/types.ts'
import { type OpenSignIn, openSignIn } from '../../src/sign-in.ts'
import { Authority, aadError, ada, bob, contoso, fabrikam, usualClientId } from '../helpers/authority.ts'
import { certificate } from '../helpers/certificate.ts'
import { armScope, authErrorOf, sendTo, signInFor, temporaryFolder, testClock } from '../helpers/sign-in.ts'

const minute = 60_000
const { signal } = new AbortController()
const clientId = '11111111-1111-4111-8111-111111111111'
const authPath = 'recovery_services_auth.json'

/** Sign-in as the commands have it, over the test's own network and home. `recorded` sees and may change what is sent. */
const opened = async (
  t: Test,
  authority: Authority,
  { tenantId, recorded = send => send }: { tenantId?: string; recorded?: (send: Send) => Send } = {},
) => {
  const folder = temporaryFolder(t)
  const clock = testClock({ time: Date.now(), isHasty: true })
  const config: Config = {
    enabled: true,
    vaults: [],
    ...(tenantId !== undefined && { tenantId }),
    readOnly: true,
    toolsets: [],
    confirmation: 'off',
    armEndpoint: 'https://management.azure.com',
    authorityHost: authority.origin,
    apiVersion: '2025-08-01',
    auth: { method: 'user' },
    http: { timeoutSeconds: 10, maxRetries: 0 },
  }
  const signIn = await openSignIn({
    config,
    scope: armScope,
    env: { SSL_CERT_FILE: authority.caFile, RECOVERY_SERVICES_AUTH_FILE: path.join(folder, authPath) },
    homeDir: folder,
    platform: process.platform,
    clock,
    newId: () => 'id',
    log: () => {},
    recorded,
    inBackground: false,
  })
  return { signIn, clock }
}

/** A login by device code, and the code as soon as it is shown. */
const started = (signIn: OpenSignIn, wish: Partial<Parameters<OpenSignIn['loginByDeviceCode']>[0]> = {}) => {
  const codes: DeviceCode[] = []
  let shown = (_: DeviceCode) => {}
  const code = new Promise<DeviceCode>(resolve => {
    shown = resolve
  })
  const done = signIn.loginByDeviceCode({ signal, ...wish }, given => {
    codes.push(given)
    shown(given)
  })
  done.catch(() => {})
  return { done, code, codes }
}

const cached = async (signIn: OpenSignIn) => accountsIn(await fs.readFile(signIn.file, 'utf8').catch(() => ''))

t.test('a login by device code', async t => {
  t.test('waits while it is pending, and keeps the account and its tokens', async t => {
    const authority = await Authority.start(t)
    authority.pollMs = 1
    const { signIn } = await opened(t, authority)
    const { done, code, codes } = started(signIn)
    const { url, code: userCode, expiresAtMs } = await code
    t.equal(url, `${authority.origin}/devicelogin`)
    t.ok(expiresAtMs > Date.now() + 14 * minute && expiresAtMs < Date.now() + 16 * minute)
    while (authority.grants('device_code').length < 2) await new Promise(resolve => setImmediate(resolve))
    authority.decide(userCode, { user: ada })
    t.match(await done, { account: ada.name, tenantId: contoso, file: signIn.file })
    t.equal(codes.length, 1)
    t.match(await cached(signIn), [{ username: ada.name, tenants: [contoso], clientIds: [usualClientId] }])

    const [configuration, asked] = authority.requests
    t.match(configuration, { method: 'GET', path: '/organizations/v2.0/.well-known/openid-configuration' })
    t.match(asked, {
      path: '/organizations/oauth2/v2.0/devicecode',
      fields: { client_id: usualClientId, scope: /^https:\/\/management\.azure\.com\/\.default .*offline_access/ },
    })
    t.match(JSON.parse(asked?.fields.claims ?? ''), { access_token: { xms_cc: { values: ['CP1'] } } })
    const before = authority.requests.length
    t.match(await signIn.credentials.getToken(armScope, { signal }), { account: ada.name, tenantId: contoso })
    t.equal(authority.requests.length, before, 'the token of the sign-in is used')
  })

  t.test('asks five seconds later for every slow_down, for good', async t => {
    const authority = await Authority.start(t)
    const { signIn, clock } = await opened(t, authority)
    const slower = aadError('slow_down', 70016, 'Slow down.')
    const pending = aadError('authorization_pending', 70016, 'Authorization is pending.')
    for (const instead of [pending, slower, pending, slower, pending]) authority.answer(/token$/, instead)
    const { done, code } = started(signIn)
    authority.decide((await code).code, { user: ada })
    await done
    t.equal(authority.grants('device_code').length, 6)
    t.strictSame(clock.slept, [5000, 5000, 10_000, 10_000])
  })

  const endings: [name: string, end: (authority: Authority, userCode: string) => void, expected: object][] = [
    [
      'declined',
      (authority, userCode) => authority.decide(userCode, 'declined'),
      {
        azureCode: 'AADSTS70000',
        message: /The user declined/,
        remediation: /^The sign-in was declined. Start it again/,
      },
    ],
    [
      'expired',
      (authority, userCode) => authority.decide(userCode, 'expired'),
      { azureCode: 'AADSTS70020', message: /has expired/, remediation: /^The code was not used in time/ },
    ],
    [
      'of an account that was not invited',
      (authority, userCode) => authority.decide(userCode, { user: { name: 'eve@fabrikam.example', tenant: fabrikam } }),
      { azureCode: 'AADSTS50020', remediation: /no member or guest of the tenant 9{8}/ },
    ],
  ]
  for (const [name, end, expected] of endings)
    t.test(`that is ${name} ends so, and keeps nothing`, async t => {
      const authority = await Authority.start(t)
      const { signIn } = await opened(t, authority, { tenantId: contoso })
      const { done, code } = started(signIn)
      end(authority, (await code).code)
      t.match(await authErrorOf(done, authority), { code: 'not_signed_in', ...expected })
      t.strictSame(await cached(signIn), [])
    })

  t.test('that nobody answers ends when the code does', async t => {
    const authority = await Authority.start(t)
    authority.deviceCodeSeconds = -1
    const { signIn } = await opened(t, authority)
    t.match(await authErrorOf(started(signIn).done, authority), {
      code: 'not_signed_in',
      remediation: /^The code was not used in time/,
    })
  })

  t.test('shows no code where the service gives none', async t => {
    const rows: [name: string, tenant: string, application: string, azureCode: string][] = [
      ['for an application it does not know', contoso, clientId, 'AADSTS700016'],
      ['for a tenant it does not know', 'nowhere.example', usualClientId, 'AADSTS90002'],
    ]
    for (const [name, tenant, application, azureCode] of rows) {
      const authority = await Authority.start(t)
      const { signIn } = await opened(t, authority)
      const { done, codes } = started(signIn, { tenant, clientId: application })
      t.match(await authErrorOf(done, authority), { code: 'not_configured', azureCode }, name)
      t.strictSame(codes, [], name)
      t.strictSame(authority.grants('device_code'), [], name)
    }
  })

  t.test('shows no code that is none', async t => {
    const authority = await Authority.start(t)
    authority.answer(/devicecode$/, { status: 200, body: { hello: 'world' } })
    const { signIn } = await opened(t, authority)
    const { done, codes } = started(signIn)
    t.match(await authErrorOf(done, authority), { code: 'unreachable', message: /127\.0\.0\.1/ })
    t.strictSame(codes, [])
  })

  t.test('that is cancelled ends at once, with the reason', async t => {
    const authority = await Authority.start(t)
    const { signIn } = await opened(t, authority)
    const leaving = new AbortController()
    const { done, code } = started(signIn, { signal: leaving.signal })
    await code
    leaving.abort(new Error('gone'))
    await t.rejects(done, { message: 'gone' })
    t.strictSame(await cached(signIn), [])
  })

  t.test('to a tenant by its name is one to that tenant', async t => {
    const authority = await Authority.start(t)
    const { signIn } = await opened(t, authority)
    const { done, code } = started(signIn, { tenant: 'contoso.example' })
    authority.decide((await code).code, { user: bob })
    t.match(await done, { account: bob.name, tenantId: contoso })
    t.match(await cached(signIn), [{ username: bob.name, tenants: [fabrikam, contoso] }])
  })
})

t.test('a login by browser', async t => {
  /** What the browser shows once it has brought `parameters` back. */
  const shown = async (redirectUri: string, parameters: Record<string, string> | URLSearchParams) => {
    const answer = await fetch(redirectUri.replace('localhost', '127.0.0.1'), {
      method: 'POST',
      body: new URLSearchParams(parameters),
    })
    return `${answer.status} ${(await answer.text()).replaceAll(/<[^>]*>/g, ' ')}`
  }

  t.test('exchanges the code with its verifier, once the right state comes back', async t => {
    const authority = await Authority.start(t)
    const { signIn } = await opened(t, authority)
    let pages: Promise<string[]> = Promise.resolve([])
    const done = await signIn.loginByBrowser({ signal }, page => {
      const asked = new URL(page)
      t.match(Object.fromEntries(asked.searchParams), {
        client_id: usualClientId,
        response_type: 'code',
        response_mode: 'form_post',
        code_challenge_method: 'S256',
        code_challenge: /^[\w-]{43}$/,
        state: /./,
        nonce: /./,
        redirect_uri: /^http:\/\/localhost:\d+$/,
      })
      const { redirectUri, parameters } = authority.authorize(page, ada)
      pages = (async () => [
        await shown(redirectUri, { code: 'stolen', state: 'guessed' }),
        await shown(redirectUri, { code: 'stolen' }),
        await shown(redirectUri, parameters),
      ])()
    })
    t.match(done, { account: ada.name, tenantId: contoso })
    t.match(await pages, [/^400 .*ignored/s, /^400/, /^200 .*Signed in as ada@contoso\.example\./s])
    const [grant, ...others] = authority.grants('authorization_code')
    t.match(grant?.fields, { code_verifier: /^[\w-]{43,}$/, redirect_uri: /localhost/, client_info: '1' })
    t.strictSame(others, [])
    t.match(await cached(signIn), [{ username: ada.name }])
  })

  t.test('is refused with another verifier, or a second time with the same code', async t => {
    const authority = await Authority.start(t)
    const rows: [name: string, change: (body: string) => string, azureCode: string][] = [
      ['another verifier', body => body.replace(/code_verifier=[^&]*/, 'code_verifier=other'), 'AADSTS501481'],
      ['another redirect', body => body.replace(/redirect_uri=[^&]*/, 'redirect_uri=http%3A%2F%2Fx'), 'AADSTS70008'],
    ]
    for (const [name, change, azureCode] of rows) {
      const { signIn } = await opened(t, authority, {
        recorded: send => (request, signal) =>
          send({ ...request, ...(request.body && { body: change(request.body) }) }, signal),
      })
      let page = Promise.resolve('')
      const done = signIn.loginByBrowser({ signal }, url => {
        const { redirectUri, parameters } = authority.authorize(url, ada)
        page = shown(redirectUri, parameters)
      })
      t.match(await authErrorOf(done, authority), { code: 'not_signed_in', azureCode }, name)
      t.match(await page, /Not signed in:/, name)
      t.strictSame(await cached(signIn), [], name)
    }
  })

  const refusals: [name: string, answer: Record<string, string>, expected: object][] = [
    [
      'somebody who declines it',
      { error: 'access_denied', error_description: 'AADSTS65004: User declined to consent to access the app.' },
      { code: 'not_signed_in', azureCode: 'AADSTS65004', remediation: /The consent was declined/ },
    ],
    [
      'an account of another tenant',
      { error: 'invalid_request', error_description: 'AADSTS50020: User account does not exist in tenant.' },
      { code: 'not_signed_in', azureCode: 'AADSTS50020', remediation: /no member or guest/ },
    ],
    [
      'a tenant that leaves consent to administrators',
      { error: 'consent_required', error_description: 'AADSTS90094: The grant requires administrator permission.' },
      { code: 'forbidden', azureCode: 'AADSTS90094', remediation: /administrator of the tenant/ },
    ],
    ['the page being closed by a button', { error: 'access_denied' }, { remediation: /declined/ }],
    ['an answer without a code', {}, { code: 'not_signed_in', remediation: /login/ }],
  ]
  for (const [name, answer, expected] of refusals)
    t.test(`ends by ${name}, with what to do about it`, async t => {
      const authority = await Authority.start(t)
      const { signIn } = await opened(t, authority)
      let page = Promise.resolve('')
      const done = signIn.loginByBrowser({ signal }, url => {
        const query = new URL(url).searchParams
        page = shown(query.get('redirect_uri') ?? '', { ...answer, state: query.get('state') ?? '' })
      })
      t.match(await authErrorOf(done, authority), expected)
      t.match(await page, /^200 .*Not signed in:/s)
      t.strictSame(authority.grants('authorization_code'), [])
    })
})

/** Credentials over a cache in which `users` are signed in, their access tokens over. */
const withCache = async (
  t: Test,
  {
    users = [ada],
    tenantId,
    isBackground = false,
  }: { users?: (typeof ada)[]; tenantId?: string; isBackground?: boolean } = {},
) => {
  const authority = await Authority.start(t)
  const clock = testClock({ time: Date.now() })
  const file = path.join(temporaryFolder(t), authPath)
  await fs.writeFile(file, authority.cacheText(users), { mode: 0o600 })
  const { signIn } = await opened(t, authority)
  const codes: DeviceCode[] = []
  const background = createBackgroundSignIn({
    signIn: async (wanted, onCode, signal) => {
      const { account, file: made } = await signIn.loginByDeviceCode({ ...wanted, signal }, code => {
        codes.push(code)
        onCode(code)
      })
      await fs.copyFile(made, `${file}.new`)
      await fs.rename(`${file}.new`, file)
      return account ?? ''
    },
    clock,
    log: () => {},
  })
  const { credentials } = signInFor(t, {
    method: 'user',
    authorityHost: authority.origin,
    tenantId,
    clock,
    file,
    send: await sendTo(t, authority),
    ...(isBackground && { background }),
  })
  return { authority, clock, file, credentials, codes }
}

t.test('a refresh token', async t => {
  t.test('is used once, and the one that came with the token is kept', async t => {
    const { authority, clock, file, credentials } = await withCache(t)
    const tokens = new Set<string>()
    for (const _ of [1, 2, 3]) {
      tokens.add((await credentials.getToken(armScope, { signal })).token)
      clock.advance(56 * minute)
    }
    t.equal(tokens.size, 3)
    const used = authority.grants('refresh_token').map(({ fields }) => fields.refresh_token)
    t.equal(new Set(used).size, 3)
    const text = await fs.readFile(file, 'utf8')
    const live = [...authority.refreshTokens].filter(([, { isUsed }]) => !isUsed).map(([token]) => token)
    t.ok(live.every(token => text.includes(token)))
    t.match(accountsIn(text), [{ username: ada.name, tenants: [contoso] }])
  })

  t.test('gives a token of the configured tenant, where its user is a guest', async t => {
    const { authority, credentials } = await withCache(t, { users: [bob], tenantId: contoso })
    // The cache knows bob at home only: the token is what makes him known in contoso.
    const error = await authErrorOf(credentials.getToken(armScope, { signal }), authority)
    t.match(error, { code: 'not_signed_in', message: /none of the accounts.*contoso|tenant 9{8}/ })
    const named = await withCache(t, { users: [bob], tenantId: 'contoso.example' })
    t.match(await named.credentials.getToken(armScope, { signal }), { account: bob.name, tenantId: contoso })
  })

  t.test('that was revoked is told, and a new sign-in offered for that account', async t => {
    const { authority, credentials } = await withCache(t)
    authority.revoke(ada)
    for (const _ of [1, 2]) {
      const error = await authErrorOf(credentials.getToken(armScope, { signal }), authority)
      t.match(error, { code: 'not_signed_in', azureCode: 'AADSTS50173', person: { insteadOf: { username: ada.name } } })
    }
    t.equal(authority.grants('refresh_token').length, 1, 'it is not asked for again and again')
  })

  t.test('that is not there is a sign-in to be made anew', async t => {
    const { authority, file, credentials } = await withCache(t)
    const { RefreshToken: _, ...rest } = JSON.parse(await fs.readFile(file, 'utf8'))
    await fs.writeFile(file, JSON.stringify(rest))
    const error = await authErrorOf(credentials.getToken(armScope, { signal }), authority)
    t.match(error, { code: 'not_signed_in', remediation: /^Sign in again: `recovery-services-server login/ })
    t.match(error.person, { insteadOf: { username: ada.name } })
  })
})

t.test('a claims challenge', async t => {
  const challenge = JSON.stringify({ access_token: { nbf: { essential: true, value: '1763812800' } } })
  const asked = `Bearer realm="", authorization_uri="https://login.example/common", error="insufficient_claims", claims="${Buffer.from(challenge).toString('base64')}"`
  /** An Azure that takes no token but those made after `challenge` was met. */
  const arm = (authority: Authority) => {
    const taken: string[] = []
    const send: Send = async ({ headers }): Promise<ArmResponse> => {
      const token = headers.authorization?.replace('Bearer ', '') ?? ''
      const isMet = authority.secrets.indexOf(token) >= (authority.challenge === undefined ? 0 : met)
      taken.push(token)
      return isMet
        ? { status: 200, headers: {}, body: '{}' }
        : {
            status: 401,
            headers: { 'www-authenticate': asked },
            body: '{"error":{"code":"InvalidAuthenticationToken"}}',
          }
    }
    let met = 0
    return {
      taken,
      send,
      raise: () => {
        authority.challenge = challenge
        met = authority.secrets.length
      },
    }
  }
  const request = { method: 'GET', url: 'https://management.azure.com/a', headers: {} } as const

  t.test('is answered with a token that meets it, and the request goes again', async t => {
    const { authority, credentials } = await withCache(t)
    const azure = arm(authority)
    const send = authorise(azure.send, { endpoint: 'https://management.azure.com', credentials })
    t.equal((await send(request, signal)).status, 200)
    azure.raise()
    t.equal((await send(request, signal)).status, 200)
    t.equal(azure.taken.length, 3)
    t.equal((await send(request, signal)).status, 200)
    t.equal(azure.taken.length, 4, 'the new token is kept')
    const claims = authority.grants('refresh_token').map(({ fields }) => JSON.parse(fields.claims ?? '{}'))
    t.match(claims, [
      { access_token: { xms_cc: { values: ['CP1'] } } },
      { access_token: { nbf: { essential: true, value: '1763812800' }, xms_cc: { values: ['CP1'] } } },
    ])
  })

  t.test('that several calls meet, one after another too, costs one new token', async t => {
    const { authority, credentials } = await withCache(t)
    const { token } = await credentials.getToken(armScope, { signal })
    authority.challenge = challenge
    const met = () => credentials.getToken(armScope, { signal, rejected: token, claims: challenge })
    const [first, second] = await Promise.all([met(), met()])
    t.equal(first?.token, second?.token)
    t.equal((await met()).token, first?.token)
    t.equal(authority.grants('refresh_token').length, 2)
    await credentials.getToken(armScope, { signal, rejected: first?.token, claims: challenge })
    t.equal(authority.grants('refresh_token').length, 3, 'one that is not taken either is replaced')
  })

  t.test('that only a person can meet leads to a sign-in that bears its claims', async t => {
    const { authority, clock, credentials, codes } = await withCache(t, { isBackground: true })
    authority.pollMs = 1
    authority.challenge = challenge
    const error = await authErrorOf(credentials.getToken(armScope, { signal }), authority)
    t.match(error, {
      code: 'not_signed_in',
      azureCode: 'AADSTS50076',
      remediation: /open https:\/\/127\.0\.0\.1:\d+\/devicelogin and enter the code/,
      details: { sign_in: { code: codes[0]?.code } },
    })
    const started = authority.requests.find(({ path }) => path.endsWith('/devicecode'))
    t.match(JSON.parse(started?.fields.claims ?? '{}'), JSON.parse(challenge))
    authority.challenge = undefined
    authority.decide(codes[0]?.code ?? '', { user: ada })
    // The sign-in goes on behind the calls: they are told so until it has ended.
    const until = async () => {
      for (;;) {
        const result = await credentials.getToken(armScope, { signal }).catch(() => undefined)
        if (result) return result
        clock.advance(0)
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    t.match(await until(), { account: ada.name })
    t.equal(codes.length, 1)
  })
})

t.test('an application', async t => {
  /** Credentials of an application that `authority` knows by `proof`. */
  const application = async (
    t: Test,
    proof: { secret?: string; certificate?: string; assertions?: string[] },
    env: Record<string, string>,
  ) => {
    const authority = await Authority.start(t)
    authority.apps.push({ clientId, tenant: contoso, ...proof })
    const clock = testClock({ time: Date.now(), isHasty: true })
    const { credentials } = signInFor(t, {
      authorityHost: authority.origin,
      clock,
      env: { AZURE_TENANT_ID: contoso, AZURE_CLIENT_ID: clientId, ...env },
      send: await sendTo(t, authority),
    })
    return { authority, credentials, clock }
  }

  t.test('signs in by its secret', async t => {
    const secret = 'aBc8Q~very.secret'
    const { authority, credentials, clock } = await application(t, { secret }, { AZURE_CLIENT_SECRET: secret })
    const token = await credentials.getToken(armScope, { signal })
    t.match(token, { method: 'client_secret', account: clientId, tenantId: contoso })
    t.match(authority.grants('client_credentials')[0], {
      path: `/${contoso}/oauth2/v2.0/token`,
      fields: { client_id: clientId, client_secret: secret, scope: armScope },
    })
    t.equal(await credentials.getToken(armScope, { signal }), token, 'and keeps the token')
    clock.advance(56 * minute)
    t.not((await credentials.getToken(armScope, { signal })).token, token.token)

    // A claims challenge goes with the next request.
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    await credentials.getToken(armScope, { signal, rejected: token.token, claims })
    t.match(JSON.parse(authority.grants('client_credentials').at(-1)?.fields.claims ?? ''), JSON.parse(claims))
  })

  t.test('signs in by its certificate', async t => {
    const { key, cert } = certificate({ type: 'rsa' })
    const file = path.join(temporaryFolder(t), 'both.pem')
    await fs.writeFile(file, cert + key)
    const env = { AZURE_CLIENT_CERTIFICATE_PATH: file }
    const { authority, credentials } = await application(t, { certificate: cert }, env)
    t.match(await credentials.getToken(armScope, { signal }), { method: 'client_certificate', account: clientId })

    const other = await application(t, { certificate: certificate({ type: 'rsa' }).cert }, env)
    t.match(await authErrorOf(other.credentials.getToken(armScope, { signal }), { secrets: [key, cert] }), {
      code: 'not_configured',
      azureCode: 'AADSTS700027',
      remediation: /Upload the certificate of AZURE_CLIENT_CERTIFICATE_PATH/,
    })
    t.strictSame(authority.grants('client_credentials')[0]?.fields.client_secret, undefined)
  })

  t.test('signs in by a federated assertion, read anew for each token', async t => {
    const file = path.join(temporaryFolder(t), 'token')
    const assertions = ['eyJhbGciOiJSUzI1NiJ9.first.x', 'eyJhbGciOiJSUzI1NiJ9.second.x']
    const { authority, credentials, clock } = await application(t, { assertions }, { AZURE_FEDERATED_TOKEN_FILE: file })
    for (const assertion of assertions) {
      await fs.writeFile(file, `${assertion}\n`)
      t.match(await credentials.getToken(armScope, { signal }), { method: 'workload_identity' })
      clock.advance(61 * minute)
    }
    t.strictSame(
      authority.grants('client_credentials').map(({ fields }) => fields.client_assertion),
      assertions,
    )
    const wrong = 'eyJhbGciOiJSUzI1NiJ9.third.x'
    await fs.writeFile(file, wrong)
    t.match(await authErrorOf(credentials.getToken(armScope, { signal }), { secrets: [wrong] }), {
      code: 'not_configured',
      azureCode: 'AADSTS700213',
      remediation: /issuer, subject and audience/,
    })
  })
})
