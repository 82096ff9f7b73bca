/** Tokens of a sign-in service, where a seed names its keys. */
import { createSign, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { answer } from '../../src/simulator/azure.ts'
import { startSimulation } from '../../src/simulator/start.ts'

const subscription = '11111111-1111-4111-8111-111111111111'
const tenant = '99999999-9999-4999-8999-999999999999'
const other = '88888888-8888-4888-8888-888888888888'
const startMs = Date.parse('2026-11-22T13:00:00Z')
const now = startMs / 1000
const base = 'http://127.0.0.1:8080'

const service = generateKeyPairSync('rsa', { modulusLength: 2048 })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = { ...service.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' }

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (claims: object = {}, header: object = {}, key = service.privateKey): string => {
  const head = encoded({ alg: 'RS256', typ: 'JWT', kid: 'one', ...header })
  const text = `${head}.${encoded({ aud: base, tid: tenant, exp: now + 3600, nbf: now, ...claims })}`
  return `${text}.${createSign('sha256').update(text).sign(key).toString('base64url')}`
}

const files = new Map<string, string>()
const simulation = async (more: object = {}, state?: string) =>
  startSimulation(
    { timeScale: 0, seed: '/seed', ...(state !== undefined && { state }) },
    {
      now: () => startMs,
      monotonic: () => 0,
      sleep: async () => {},
      readFile: async file => {
        if (file === '/seed')
          return JSON.stringify({
            start: new Date(startMs).toISOString(),
            tenant_id: tenant,
            token_keys: [jwk],
            subscriptions: [{ id: subscription, name: 'Mine' }],
            vaults: [{ name: 'vault', resource_group: 'rg', location: 'eastus' }],
            ...more,
          })
        const text = files.get(file)
        if (text === undefined) throw Object.assign(new Error(file), { code: 'ENOENT' })
        return text
      },
      replaceFile: async (file, text) => void files.set(file, text),
      onFault: error => {
        throw error
      },
    },
  )

const asking =
  ({ world }: Awaited<ReturnType<typeof simulation>>) =>
  (bearer: string | undefined, path = `/subscriptions/${subscription}/resourceGroups`, method = 'GET', body = '') => {
    const answered = answer(world, {
      method,
      url: `${path}?api-version=2022-12-01`,
      base,
      headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
      body,
    })
    return { ...answered, body: JSON.parse(answered.body) }
  }

t.test('a token of the sign-in service is let in, and the token of the seed still is', async t => {
  const ask = asking(await simulation())
  for (const aud of [base, `${base}/`, 'https://management.azure.com', 'https://management.core.windows.net/'])
    t.equal(ask(token({ aud })).status, 200, aud)
  t.equal(ask('simulated-azure-token').status, 200)
  t.equal(ask(token(), '/_simulate/requests').status, 200)
})

const bad = token().replace(/\.[^.]*$/, '')
const refusals: [name: string, bearer: string | undefined, code: string, message: RegExp][] = [
  ['no token', undefined, 'InvalidAuthenticationToken', /^The 'Authorization' header is missing/],
  ['no JWT', 'opaque', 'InvalidAuthenticationToken', /^The access token is invalid/],
  ['no signature', bad, 'InvalidAuthenticationToken', /invalid/],
  [
    'an algorithm of its own',
    `${encoded({ alg: 'none' })}.${encoded({ aud: base })}.`,
    'InvalidAuthenticationToken',
    /./,
  ],
  ['HS256 by the public key', token({}, { alg: 'HS256' }), 'InvalidAuthenticationToken', /invalid/],
  ['another key', token({}, {}, stranger.privateKey), 'InvalidAuthenticationToken', /invalid/],
  ['the name of another key', token({}, { kid: 'two' }), 'InvalidAuthenticationToken', /invalid/],
  [
    'claims that were changed',
    token().replace(/\.[^.]*\./, `.${encoded({ aud: base, tid: tenant, exp: now + 9 })}.`),
    'InvalidAuthenticationToken',
    /invalid/,
  ],
  ['no expiry', token({ exp: undefined }), 'InvalidAuthenticationToken', /invalid/],
  ['a beginning in the future', token({ nbf: now + 301 }), 'InvalidAuthenticationToken', /not valid yet/],
  [
    'an end in the past',
    token({ exp: now - 301 }),
    'ExpiredAuthenticationToken',
    /^The access token expiry UTC time '11\/22\/2026 12:54:59 PM' is earlier than current UTC time '11\/22\/2026 1:00:00 PM'\.$/,
  ],
  [
    'another audience',
    token({ aud: 'https://graph.microsoft.com' }),
    'InvalidAuthenticationTokenAudience',
    /wrong audience or resource 'https:\/\/graph\.microsoft\.com'\. .*'https:\/\/management\.azure\.com\/'/,
  ],
  [
    'another tenant',
    token({ tid: other }),
    'InvalidAuthenticationTokenTenant',
    new RegExp(
      `^The access token is from the wrong issuer 'https://sts\\.windows\\.net/${other}/'\\. It must match the tenant 'https://sts\\.windows\\.net/${tenant}/' associated with this subscription\\.`,
    ),
  ],
]
for (const [name, bearer, code, message] of refusals)
  t.test(`a token with ${name} is refused as ${code}`, async t => {
    const { status, headers, body } = asking(await simulation())(bearer)
    t.match({ status, error: body.error }, { status: 401, error: { code, message } })
    t.match(
      headers['www-authenticate'],
      /^Bearer authorization_uri="https:\/\/login\.windows\.net\/9{8}-.*", error="invalid_token", error_description="[^"]+"$/,
    )
  })

t.test('five minutes between two clocks are let pass', async t => {
  const ask = asking(await simulation())
  t.equal(ask(token({ exp: now - 299 })).status, 200)
  t.equal(ask(token({ nbf: now + 299 })).status, 200)
})

t.test('a token lives by simulated time', async t => {
  const ask = asking(await simulation())
  const bearer = token()
  t.equal(ask(bearer).status, 200)
  ask('simulated-azure-token', '/_simulate/advance', 'POST', JSON.stringify({ seconds: 3600 + 301 }))
  t.match(ask(bearer).body, { error: { code: 'ExpiredAuthenticationToken' } })
})

t.test('a token of another tenant sees no subscription', async t => {
  const ask = asking(await simulation())
  t.match(ask(token({ tid: other }), '/subscriptions'), { status: 200, body: { value: [] } })
  t.match(ask(token({ tid: tenant.toUpperCase() }), '/subscriptions').body.value, [{ subscriptionId: subscription }])
})

t.test('kept state keeps the keys', async t => {
  const first = await simulation({}, '/state')
  await first.close()
  t.equal(asking(await simulation({ token_keys: undefined }, '/state'))(token()).status, 200)
})

t.test('keys that are none are told', async t => {
  await t.rejects(simulation({ token_keys: [{ kty: 'EC', n: 'a b' }] }), {
    message: /token_keys\/0: must have required property 'e'; \/token_keys\/0\/kty: .*; \/token_keys\/0\/n: must match/,
  })
})

t.test('a fault asks for claims: those that it names, or a token made from now on', async t => {
  const claims = { access_token: { acrs: { essential: true, value: 'c1' } } }
  const ask = asking(
    await simulation({
      faults: [
        { kind: 'claims_challenge', claims, times: 1 },
        { kind: 'claims_challenge', after: 1, times: 1 },
      ],
    }),
  )
  const asked = ({ status, headers }: ReturnType<typeof ask>) => {
    const [, error, coded = ''] = /error="(\w+)".*claims="([^"]*)"$/.exec(headers['www-authenticate'] ?? '') ?? []
    return [status, error, JSON.parse(Buffer.from(coded, 'base64').toString())]
  }
  t.same(asked(ask(token())), [401, 'insufficient_claims', claims])
  t.same(asked(ask(token())), [
    401,
    'invalid_token',
    { access_token: { nbf: { essential: true, value: String(now) } } },
  ])
  t.equal(ask(token()).status, 200)
})
