import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { AuthError } from '../../src/auth/auth-error.ts'
import { byBrowser, byDeviceCode, type Grant } from '../../src/auth/msal.ts'
import type { Refusal } from '../../src/auth/network.ts'
import { refusalError } from '../../src/auth/refusals.ts'
import type { AuthMethod } from '../../src/config/types.ts'
import { Authority, aadError, ada, contoso, type Instead } from '../helpers/authority.ts'
import { certificate } from '../helpers/certificate.ts'
import { armScope, authErrorOf, sendTo, signInFor, temporaryFolder, testClock } from '../helpers/sign-in.ts'

const { signal } = new AbortController()
const clientId = '11111111-1111-4111-8111-111111111111'
const secret = 'aBc8Q~very.secret'

type Flow = 'device code' | 'browser' | 'refresh' | 'client secret' | 'certificate' | 'federated assertion'
const ofPeople: Flow[] = ['device code', 'browser', 'refresh']
const ofServices: Flow[] = ['client secret', 'certificate', 'federated assertion']

interface World {
  authority: Authority
  pem: string
  folder: string
}

/** Begins the flow and goes on until the token's endpoint is asked, with a sign-in that was good until then. */
const run = async (t: Test, flow: Flow, { authority, pem, folder }: World): Promise<AuthError> => {
  const send = await sendTo(t, authority)
  const clock = testClock({ time: Date.now(), isHasty: true })
  const grant: Grant = { method: 'user', authorityHost: authority.origin, tenant: contoso, clientId, scope: armScope }
  const deps = { send, clock, signal, authorityHost: authority.origin }
  const credentials = async (env: Record<string, string>, method: AuthMethod = 'auto') =>
    signInFor(t, {
      method,
      authorityHost: authority.origin,
      tenantId: contoso,
      clientId,
      clock,
      env,
      send,
      file: path.join(folder, 'cache.json'),
    }).credentials.getToken(armScope, { signal })
  const assertion = path.join(folder, 'assertion')
  await fs.writeFile(path.join(folder, 'cache.json'), authority.cacheText([ada], { clientId }), { mode: 0o600 })
  await fs.writeFile(path.join(folder, 'both.pem'), pem)
  await fs.writeFile(assertion, 'eyJhbGciOiJSUzI1NiJ9.assertion.x')
  const flows: Record<Flow, () => Promise<unknown>> = {
    'device code': () => byDeviceCode(grant, ({ code }) => authority.decide(code, { user: ada }), deps),
    browser: () => {
      const open = async (url: string) => ({ code: authority.authorize(url, ada).parameters.get('code') ?? '' })
      return byBrowser(grant, { redirectUri: 'http://localhost:1', open }, deps)
    },
    refresh: () => credentials({}, 'user'),
    'client secret': () => credentials({ AZURE_CLIENT_SECRET: secret }),
    certificate: () => credentials({ AZURE_CLIENT_CERTIFICATE_PATH: path.join(folder, 'both.pem') }),
    'federated assertion': () => credentials({ AZURE_FEDERATED_TOKEN_FILE: assertion }),
  }
  return authErrorOf(flows[flow](), {
    get secrets() {
      return [...authority.secrets, secret, pem, 'eyJhbGciOiJSUzI1NiJ9.assertion.x']
    },
  })
}

const rows: {
  refused: Instead
  text: string
  flows: Flow[]
  code: string
  remediation: RegExp
  /** A new sign-in of a person mends it. */
  isMendable: boolean
}[] = [
  {
    refused: aadError('invalid_grant', 50020, "User account 'ada' does not exist in tenant 'Contoso'."),
    text: 'User account',
    flows: ofPeople,
    code: 'not_signed_in',
    remediation: /no member or guest of the tenant 9{8}.*set tenant_id to its own tenant.*have it invited/,
    isMendable: true,
  },
  {
    refused: aadError('interaction_required', 50076, 'You must use multi-factor authentication to access it.'),
    text: 'multi-factor',
    flows: ofPeople,
    code: 'not_signed_in',
    remediation: /^Multi-factor authentication is asked for.*`recovery-services-server login --tenant 9{8}/,
    isMendable: true,
  },
  {
    refused: aadError('invalid_grant', 50076, 'You must use multi-factor authentication.', {
      suberror: 'basic_action',
    }),
    text: 'multi-factor',
    flows: ofPeople,
    code: 'not_signed_in',
    remediation: /^Multi-factor authentication is asked for/,
    isMendable: true,
  },
  {
    refused: aadError('invalid_grant', 65001, 'The user or administrator has not consented to use the application.', {
      suberror: 'consent_required',
    }),
    text: 'has not consented',
    flows: ofPeople,
    code: 'forbidden',
    remediation: /^Nobody has agreed yet that the application 1{8}.*login --tenant.*administrator of the tenant 9{8}/,
    isMendable: true,
  },
  {
    refused: aadError('unauthorized_client', 700016, "Application with identifier 'x' was not found in the directory."),
    text: 'was not found in the directory',
    flows: ofPeople,
    code: 'not_configured',
    remediation: /^Check auth\.client_id \(or --client-id\) and tenant_id.*registered in.*the tenant 9{8}/,
    isMendable: false,
  },
  {
    refused: aadError('unauthorized_client', 700016, "Application with identifier 'x' was not found in the directory."),
    text: 'was not found in the directory',
    flows: ofServices,
    code: 'not_configured',
    remediation: /^Check auth\.client_id \(or AZURE_CLIENT_ID\) and tenant_id \(or AZURE_TENANT_ID\)/,
    isMendable: false,
  },
  {
    refused: aadError('invalid_client', 7000215, 'Invalid client secret provided. Ensure it is the secret value.'),
    text: 'Invalid client secret',
    flows: ['client secret'],
    code: 'not_configured',
    remediation: /^AZURE_CLIENT_SECRET is not a secret of the application 1{8}.*not its id.*restart this server/,
    isMendable: false,
  },
  {
    refused: aadError('invalid_request', 90002, "Tenant 'x' not found."),
    text: 'not found',
    flows: [...ofPeople, ...ofServices],
    code: 'not_configured',
    remediation: /^There is no tenant 9{8}.* at 127\.0\.0\.1:\d+: check tenant_id \(or AZURE_TENANT_ID\), and cloud/,
    isMendable: false,
  },
]

t.test(
  'what the service refuses comes out with its own words and a remedy, in every flow that can meet it',
  async t => {
    const authority = await Authority.start(t)
    const { key, cert } = certificate({ type: 'rsa' })
    authority.apps.push({ clientId, tenant: contoso, secret, certificate: cert, assertions: [] })
    for (const { refused, text, flows, code, remediation, isMendable } of rows)
      for (const flow of flows) {
        const { error, error_codes } = refused.body as { error: string; error_codes: number[] }
        t.test(`AADSTS${error_codes[0]} (${error}) of a ${flow}`, async t => {
          authority.answer(/token$/, refused)
          const before = authority.requests.length
          const refusal = await run(t, flow, { authority, pem: cert + key, folder: temporaryFolder(t) })
          t.match(refusal, { code, azureCode: `AADSTS${error_codes[0]}`, httpStatus: refused.status, remediation })
          t.ok(refusal.message.includes(text), refusal.message)
          t.notMatch(refusal.message, /Trace ID|Correlation ID|Timestamp/)
          t.notMatch(refusal.remediation, /\{|undefined|organizations/)
          t.equal(refusal.person !== undefined, isMendable)
          t.equal(
            authority.requests.slice(before).filter(({ path }) => path.endsWith('/token')).length,
            1,
            'asked once',
          )
        })
      }
  },
)

const refusal: Refusal = {
  status: 400,
  error: 'invalid_grant',
  isForeign: false,
  description: '',
  codes: [],
  suberror: undefined,
  claims: undefined,
  retryAfterSeconds: undefined,
}
const asking = { authorityHost: 'https://login.microsoftonline.com', tenant: contoso, clientId, scope: armScope }

t.test('no remedy leads a service to a sign-in of a person, nor has gaps', async t => {
  const numbers = [
    50011, 50020, 50034, 50053, 50057, 50076, 50078, 50079, 50105, 50126, 50158, 50173, 50196, 53000, 53003, 54005,
    65001, 65004, 70011, 70021, 70043, 90002, 90014, 90094, 500011, 500133, 700016, 700024, 700027, 700082, 700213,
    900023, 7000112, 7000215, 7000218, 7000222, 1234567,
  ]
  for (const number of numbers) {
    const made = (method: AuthMethod) =>
      refusalError({ ...refusal, codes: [number], description: `AADSTS${number}: no.` }, { ...asking, method })
    const forService = made('client_secret')
    t.notMatch(forService.remediation, /server login|\{/, String(number))
    t.equal(forService.person, undefined)
    const forPerson = made('user')
    t.notMatch(forPerson.remediation, /\{/, String(number))
  }
  const own = [50020, 50076, 65001, 700016, 7000215, 90002, 1234567].map(
    number => refusalError({ ...refusal, codes: [number] }, { ...asking, method: 'user' }).remediation,
  )
  t.equal(new Set(own).size, own.length, 'each of these has its own')
})

t.test('where the account decides about its tenant, no sentence names organizations', async t => {
  for (const code of [50020, 65001, 700016, 90094]) {
    const error = refusalError({ ...refusal, codes: [code] }, { ...asking, tenant: 'organizations', method: 'user' })
    t.match(error.remediation, /the tenant of the account/)
    t.notMatch(error.remediation, /organizations/)
  }
})

t.test('OAuth words without a number have remedies too', async t => {
  const words: [error: string, code: string, remediation: RegExp][] = [
    ['authorization_declined', 'not_signed_in', /declined/],
    ['access_denied', 'not_signed_in', /declined/],
    ['expired_token', 'not_signed_in', /not used in time/],
    ['code_expired', 'not_signed_in', /not used in time/],
    ['consent_required', 'forbidden', /has to agree/],
    ['invalid_client', 'not_configured', /auth\.client_id/],
    ['invalid_scope', 'not_configured', /cloud and arm_endpoint/],
    ['temporarily_unavailable', 'unreachable', /in a minute/],
    ['something_new', 'not_signed_in', /^Check what it says, or sign in again/],
  ]
  for (const [error, code, remediation] of words)
    t.match(refusalError({ ...refusal, error }, { ...asking, method: 'user' }), { code, azureCode: error, remediation })
})

t.test('what the service says is shown scrubbed, in one short line without control characters', async t => {
  const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`
  const description = `AADSTS1: bad \u001b[31m${token} client_secret=${secret} ${'long '.repeat(200)}\r\nTrace ID: 1`
  const error = refusalError(
    { ...refusal, description, suberror: `${'x'.repeat(200)}\n` },
    { ...asking, method: 'user' },
  )
  for (const hidden of [token, secret, '\u001b', 'Trace ID']) t.notOk(JSON.stringify(error.inOneLine).includes(hidden))
  t.ok(error.message.length < 400)
  t.ok(String(error.details?.suberror).length <= 81)
})
