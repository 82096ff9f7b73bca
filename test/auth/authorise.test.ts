import { inspect } from 'node:util'
import t from 'tap'
import { isArmOrigin } from '../../src/arm/origin.ts'
import type { ArmRequest, ArmResponse } from '../../src/arm/send.ts'
import { AuthError } from '../../src/auth/auth-error.ts'
import { authorise, scopeOf } from '../../src/auth/authorise.ts'
import type { Credentials, TokenMethod } from '../../src/auth/tokens.ts'

const endpoint = 'https://management.azure.com'
const { signal } = new AbortController()
const request: ArmRequest = { method: 'POST', url: `${endpoint}/a`, headers: { accept: 'a/b' }, body: '{}' }
const ok: ArmResponse = { status: 200, headers: {}, body: '' }

/** A send that answers with `answers` one after another, and credentials that hand out `tokens` likewise. */
function setUp(answers: ArmResponse[], tokens: (string | AuthError)[]) {
  const sent: ArmRequest[] = []
  const asked: [scope: string, rejected: string | undefined][] = []
  const credentials: Pick<Credentials, 'getToken'> = {
    getToken: async (scope, { rejected }) => {
      asked.push([scope, rejected])
      const token = tokens[asked.length - 1]
      if (token === undefined || token instanceof AuthError) throw token
      return { token, method: 'azure_cli', account: undefined, tenantId: undefined, expiresAtMs: undefined }
    },
  }
  const send = authorise(
    async request => {
      sent.push(request)
      return answers[sent.length - 1] ?? ok
    },
    { endpoint, credentials },
  )
  return { send, sent, asked }
}

t.test('a request goes out with a token for the scope of its endpoint, otherwise as it was', async t => {
  const { send, sent, asked } = setUp([ok], ['one'])
  t.equal(await send(request, signal), ok)
  t.strictSame(sent, [{ ...request, headers: { accept: 'a/b', authorization: 'Bearer one' } }])
  t.strictSame(asked, [['https://management.azure.com/.default', undefined]])
  t.strictSame(request.headers, { accept: 'a/b' })
})

t.test('scopes follow from the endpoint', async t => {
  t.equal(scopeOf('https://westeurope.management.azure.com'), 'https://management.azure.com/.default')
  t.equal(scopeOf('https://management.usgovcloudapi.net'), 'https://management.usgovcloudapi.net/.default')
  t.equal(scopeOf('http://127.0.0.1:8080'), 'http://127.0.0.1:8080/.default')
})

const origins: [url: string, endpoint: string, isOwn: boolean][] = [
  ['https://management.azure.com/a?b', endpoint, true],
  ['https://MANAGEMENT.azure.com:443/a', endpoint, true],
  ['https://westeurope.management.azure.com/a', endpoint, true],
  ['http://management.azure.com/a', endpoint, false],
  ['http://westeurope.management.azure.com/a', endpoint, false],
  ['https://westeurope.management.azure.com:8443/a', endpoint, false],
  ['https://management.azure.com:8443/a', endpoint, false],
  ['https://management.azure.com.example.com/a', endpoint, false],
  ['https://evilmanagement.azure.com/a', endpoint, false],
  ['https://example.com/management.azure.com', endpoint, false],
  ['https://management.azure.com@example.com/a', endpoint, false],
  ['https://example.com\\.management.azure.com/a', endpoint, false],
  ['https://user:secret@management.azure.com/a', endpoint, false],
  ['blob:https://management.azure.com/a', endpoint, false],
  ['/subscriptions', endpoint, false],
  ['http://127.0.0.1:8080/a', 'http://127.0.0.1:8080', true],
  ['http://127.0.0.1:8081/a', 'http://127.0.0.1:8080', false],
  ['https://x.localhost:8080/a', 'http://localhost:8080', false],
]
for (const [url, endpoint, isOwn] of origins)
  t.test(`${url} may ${isOwn ? '' : 'not '}have a token for ${endpoint}`, async t => {
    t.equal(URL.canParse(url) && isArmOrigin(new URL(url), endpoint), isOwn)
  })

t.test('a request elsewhere is refused: no token is asked for, nothing is sent', async t => {
  const { send, sent, asked } = setUp([ok], ['one'])
  for (const url of ['https://example.com/a?sig=secret', 'secret']) {
    const error: unknown = await send({ ...request, url }, signal).catch((error: unknown) => error)
    t.match(error, {
      message: /^no token for (example.com|an address that is no URL): it is not management.azure.com$/,
    })
    t.notMatch(inspect(error), 'secret')
  }
  t.strictSame([sent, asked], [[], []])
})

const answer = (code: string, challenge = '', status = 401): ArmResponse => ({
  status,
  headers: challenge ? { 'www-authenticate': `Bearer authorization_uri="https://login", ${challenge}` } : {},
  body: JSON.stringify({ error: { code, message: 'x' } }),
})
const refusals: [name: string, response: ArmResponse, isRetried: boolean][] = [
  ['says that the token expired', answer('ExpiredAuthenticationToken'), true],
  ['says that the token is invalid', answer('InvalidAuthenticationToken'), true],
  ['says so in its challenge only', answer('Unauthorized', 'error="invalid_token", error_description="x"'), true],
  ['says something else', answer('AuthenticationFailed'), false],
  ['is no 401', answer('ExpiredAuthenticationToken', '', 403), false],
]
for (const [name, response, isRetried] of refusals) {
  t.test(`an answer that ${name} is ${isRetried ? 'tried once with a new token' : 'handed up'}`, async t => {
    const { send, sent, asked } = setUp([response, response], ['one', 'two'])
    t.equal(await send(request, signal), response)
    const tokens = isRetried ? ['Bearer one', 'Bearer two'] : ['Bearer one']
    t.strictSame(
      sent.map(({ headers }) => headers.authorization),
      tokens,
    )
    t.equal(asked.filter(([, rejected]) => rejected === 'one').length, isRetried ? 1 : 0)
  })
}

const claims = '{"access_token":{"nbf":{"essential":true,"value":"1603742800"}}}'
const coded = Buffer.from(claims).toString('base64')
const challenges: [name: string, header: string, claims: string | undefined][] = [
  [
    'a policy asks for more',
    `Bearer realm="", authorization_uri="https://login", error="insufficient_claims", claims="${coded}"`,
    claims,
  ],
  [
    'the session was revoked',
    `Bearer authorization_uri="https://login", error="invalid_token", error_description="User session has been revoked", claims="${coded}"`,
    claims,
  ],
  ['the claims stand first', `Bearer claims="${coded}", error="insufficient_claims"`, claims],
  [
    'base64url is used',
    `Bearer error="insufficient_claims", claims="${Buffer.from(claims).toString('base64url')}"`,
    claims,
  ],
  ['the claims are no JSON', 'Bearer error="insufficient_claims", claims="x"', undefined],
]
for (const [name, header, expected] of challenges) {
  t.test(`a claims challenge is answered with a token for it: ${name}`, async t => {
    const refused = { status: 401, headers: { 'www-authenticate': header }, body: '{"error":{"code":"X"}}' }
    const wishes: (string | undefined)[] = []
    const send = authorise(async ({ headers }) => (headers.authorization === 'Bearer two' ? ok : refused), {
      endpoint,
      credentials: {
        getToken: async (_, { claims }) => {
          wishes.push(claims)
          const token = claims === undefined ? 'one' : 'two'
          return { token, method: 'user', account: undefined, tenantId: undefined, expiresAtMs: undefined }
        },
      },
    })
    t.equal(await send(request, signal), expected === undefined ? refused : ok)
    t.strictSame(wishes, expected === undefined ? [undefined] : [undefined, expected])
  })
}

t.test('the answer to the second try counts', async t => {
  const { send } = setUp([answer('ExpiredAuthenticationToken'), ok], ['one', 'two'])
  t.equal(await send(request, signal), ok)
})

t.test('without a new token nothing is sent again', async t => {
  const expired = answer('ExpiredAuthenticationToken')
  const same = setUp([expired], ['one', 'one'])
  t.equal(await same.send(request, signal), expired)
  t.equal(same.sent.length, 1)

  const error = new AuthError('not_signed_in', 'gone', 'Run `az login`.')
  const none = setUp([expired], ['one', error])
  t.equal(await none.send(request, signal).catch((error: unknown) => error), error)
  t.equal(none.sent.length, 1)
})

t.test('without a token nothing is sent', async t => {
  const error = new AuthError('not_signed_in', 'nobody', 'Run `az login`.')
  const { send, sent } = setUp([ok], [error])
  t.equal(await send(request, signal).catch((error: unknown) => error), error)
  t.strictSame(sent, [])
})

const base64 = (text: string) => Buffer.from(text).toString('base64')
const challenged = (claims: string) =>
  answer('Unauthorized', `error="insufficient_claims", error_description="x", claims="${claims}"`)

t.test('a claims challenge is answered by one more try, with a token asked for with its claims', async t => {
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
  const forms: [name: string, response: ArmResponse][] = [
    ['base64', challenged(base64(claims))],
    ['base64url', challenged(Buffer.from(claims).toString('base64url'))],
    ['other letters', answer('x', `ERROR="insufficient_claims", CLAIMS="${base64(claims)}"`)],
    [
      'a body that blames the token',
      { ...challenged(base64(claims)), body: '{"error":{"code":"InvalidAuthenticationToken"}}' },
    ],
  ]
  for (const [name, response] of forms) {
    const wishes: unknown[] = []
    const sent: ArmRequest[] = []
    const send = authorise(
      async request => {
        sent.push(request)
        return sent.length === 1 ? response : ok
      },
      {
        endpoint,
        credentials: {
          getToken: async (_, { rejected, claims }) => {
            wishes.push({ rejected, claims })
            return {
              token: wishes.length === 1 ? 'one' : 'two',
              method: 'user',
              account: undefined,
              tenantId: undefined,
              expiresAtMs: undefined,
            }
          },
        },
      },
    )
    t.equal(await send(request, signal), ok, name)
    t.strictSame(wishes, [
      { rejected: undefined, claims: undefined },
      { rejected: 'one', claims },
    ])
    t.strictSame(
      sent.map(({ headers }) => headers.authorization),
      ['Bearer one', 'Bearer two'],
    )
  }
})

t.test('a claims challenge that is none is handed up', async t => {
  for (const claims of ['', base64('no JSON'), base64('[1]'), base64('"text"'), base64('{}'), '%%%']) {
    const response = challenged(claims)
    const { send, sent } = setUp([response], ['one', 'two'])
    t.equal(await send(request, signal), response, claims)
    t.equal(sent.length, 1)
  }
})

const theirs = '99999999-9999-4999-8999-999999999999'
const wanted = '88888888-8888-4888-8888-888888888888'
const note = 'Note, if the subscription is transferred to another tenant there is no impact to the services.'
const wrongIssuer = (must: string) =>
  `access token is from the wrong issuer 'https://sts.windows.net/${theirs}/'. It must match ${must} associated with this subscription. Please use the authority (URL) 'https://login.windows.net/${wanted}' to get the token. ${note}`
const body = (message: string) => JSON.stringify({ error: { code: 'InvalidAuthenticationTokenTenant', message } })

/** What a token of `method` comes to that Azure calls one of another tenant. */
const wrongTenant = async (method: TokenMethod, response: ArmResponse, tenantId?: string) => {
  let count = 0
  const send = authorise(async () => response, {
    endpoint,
    credentials: {
      getToken: async () => {
        count++
        return { token: 'one', method, account: 'ada@example.com', tenantId, expiresAtMs: undefined }
      },
    },
  })
  const error: unknown = await send(request, signal).catch((error: unknown) => error)
  if (!(error instanceof AuthError)) throw error
  return { error, count }
}

t.test('a token of another tenant: both are named, and the setting for each credential', async t => {
  const response: ArmResponse = {
    status: 401,
    headers: {
      'www-authenticate': `Bearer authorization_uri="https://login.windows.net/${wanted}", error="invalid_token", error_description="The access token is from the wrong issuer."`,
      'x-ms-request-id': 'request-1',
    },
    body: body(`The ${wrongIssuer(`the tenant 'https://sts.windows.net/${wanted}/'`)}`),
  }
  const remedies: Record<TokenMethod, RegExp> = {
    access_token: /^Put a token of the tenant 8{8}.*AZURE_ACCESS_TOKEN and restart/,
    client_secret: /^Set tenant_id \(or AZURE_TENANT_ID\) to 8{8}/,
    client_certificate: /^Set tenant_id \(or AZURE_TENANT_ID\) to 8{8}/,
    workload_identity: /^Set tenant_id \(or AZURE_TENANT_ID\) to 8{8}/,
    user: /^Set tenant_id to 8{8}.*`recovery-services-server login --tenant 8{8}/,
    managed_identity: /^A managed identity is of its own tenant only: set auth\.method to/,
    azure_cli: /^Set tenant_id to 8{8}.*`az login --tenant 8{8}/,
  }
  for (const [method, remediation] of Object.entries(remedies) as [TokenMethod, RegExp][]) {
    const { error, count } = await wrongTenant(method, response)
    t.match(error, {
      code: 'not_signed_in',
      azureCode: 'InvalidAuthenticationTokenTenant',
      httpStatus: 401,
      requestId: 'request-1',
      message: `The token of ada@example.com (${method}) is of the tenant ${theirs}, the subscription belongs to the tenant ${wanted}`,
      remediation,
      details: { token_tenant_id: theirs, subscription_tenant_id: wanted },
    })
    t.match(error.remediation, /or check subscription_id/)
    t.equal(count, 1, 'no new token would be of another tenant')
  }
})

t.test('a token of another tenant, as Azure words it otherwise', async t => {
  const escaped = body(
    `The 'EvolvedSecurityTokenService' ${wrongIssuer(`the tenant 'https://sts.windows.net/${wanted}/'`)}`,
  )
  const rows: [name: string, text: string, headers: Record<string, string>, tenants: [string, string | null]][] = [
    ['with escaped quotes', escaped.replaceAll("'", '\\u0027'), {}, [theirs, wanted]],
    [
      'of several tenants',
      body(`The ${wrongIssuer(`one of the tenants 'https://sts.windows.net/${wanted}/,https://sts.windows.net/7/'`)}`),
      {},
      [theirs, wanted],
    ],
    [
      'in its challenge only',
      body('Wrong tenant.'),
      { 'www-authenticate': `Bearer authorization_uri="https://login.windows.net/${wanted}", error="invalid_token"` },
      ['77777777-7777-4777-8777-777777777777', wanted],
    ],
    ['without names', body('Wrong tenant.'), {}, ['77777777-7777-4777-8777-777777777777', null]],
  ]
  for (const [name, text, headers, [had, belongs]] of rows) {
    const tenant = '77777777-7777-4777-8777-777777777777'
    const { error } = await wrongTenant('user', { status: 401, headers, body: text }, tenant)
    t.match(error.details, { token_tenant_id: had, subscription_tenant_id: belongs }, name)
    t.match(
      error.remediation,
      belongs === null ? /^Set tenant_id to the tenant of the subscription/ : /login --tenant 8{8}/,
    )
  }
})
