import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { type ArmRequest, type ArmResponse, type Send, SendError } from '../../src/arm/send.ts'
import type { AuthError } from '../../src/auth/auth-error.ts'
import { managedIdentityPlace, probeFault } from '../../src/auth/managed-identity.ts'
import type { CredentialsDeps } from '../../src/auth/tokens.ts'
import { Authority, contoso } from '../helpers/authority.ts'
import { type Answer, type Asked, checksOf, endpoint, Machine } from '../helpers/machine.ts'
import { armScope, signInFor, testClock } from '../helpers/sign-in.ts'

const podHost = 'http://machine.test'
// MSAL looks at the environment of the process, once: in this one every identity is that of this IMDS.
process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = podHost

const clientId = '22222222-2222-4222-8222-222222222222'
const identity = '33333333-3333-4333-8333-333333333333'
const wish = { signal: new AbortController().signal }

const jwt = (claims: object) =>
  ['{"alg":"RS256"}', JSON.stringify(claims), 'signature']
    .map(part => Buffer.from(part).toString('base64url'))
    .join('.')

/** What an endpoint answers: an hour's token; `expires_on` in seconds since 1970, as text. */
const tokenBody = (appid = identity) => ({
  access_token: jwt({ appid, tid: contoso, n: Math.random() }),
  client_id: appid,
  expires_on: String(Math.floor(Date.now() / 1000) + 3600),
  resource: 'https://management.azure.com',
  token_type: 'Bearer',
})
const granted = (): Answer => ({ status: 200, body: tokenBody() })
const refusal = (status: number, description: string, headers: Record<string, string> = {}): Answer => ({
  status,
  body: { error: 'invalid_request', error_description: description },
  headers,
})

const toResponse = ({ status, body, headers = {} }: Answer): ArmResponse => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

/** Credentials over an IMDS; `answers` in order, the last one again and again. The probe is answered as IMDS does. */
const onMachine = (t: Test, answers: (Answer | Error)[], more: Partial<CredentialsDeps> = {}) => {
  const asked: (ArmRequest & { query: Record<string, string> })[] = []
  const sendHere: Send = async request => {
    if (!request.headers.metadata) return toResponse(refusal(400, 'Required metadata header not specified'))
    asked.push({ ...request, query: Object.fromEntries(new URL(request.url).searchParams) })
    const answer = answers[Math.min(asked.length, answers.length) - 1] ?? granted()
    if (answer instanceof Error) throw answer
    return toResponse(answer)
  }
  const clock = testClock({ time: Date.now(), isHasty: true })
  const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: podHost, ...more.env }
  const { credentials } = signInFor(t, { method: 'managed_identity', clock, sendHere, ...more, env })
  return { credentials, clock, asked }
}

t.test('the endpoint is the one that MSAL takes', async t => {
  const [url, arc] = ['http://127.0.0.1:1/token', '/opt/azcmagent/bin/himds']
  const isNowhere = async () => false
  const rows: [name: string, env: Record<string, string>, kind: string, address: string, files?: string[]][] = [
    ['nothing', {}, 'IMDS', 'http://169.254.169.254'],
    ['a pod identity', { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://pod' }, 'IMDS', 'http://pod'],
    ['App Service', { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: 'h' }, 'App Service', url],
    [
      'Service Fabric',
      { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: 'h', IDENTITY_SERVER_THUMBPRINT: 'p' },
      'Service Fabric',
      url,
    ],
    ['Machine Learning', { MSI_ENDPOINT: url, MSI_SECRET: 's' }, 'Machine Learning', url],
    ['Cloud Shell', { MSI_ENDPOINT: url }, 'Cloud Shell', url],
    ['Arc by variables', { IDENTITY_ENDPOINT: url, IMDS_ENDPOINT: 'http://127.0.0.1:1' }, 'Azure Arc', url],
    ['Arc by its agent', {}, 'Azure Arc', 'http://127.0.0.1:40342', [arc]],
    ['an endpoint alone', { IDENTITY_ENDPOINT: url }, 'IMDS', 'http://169.254.169.254'],
    ['an endpoint alone, with the agent', { IDENTITY_ENDPOINT: url }, 'Azure Arc', 'http://127.0.0.1:40342', [arc]],
    [
      'empty variables',
      { IDENTITY_ENDPOINT: '', IDENTITY_HEADER: '', MSI_ENDPOINT: '' },
      'IMDS',
      'http://169.254.169.254',
    ],
    ['an empty header', { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: '' }, 'IMDS', 'http://169.254.169.254'],
    [
      'App Service before Cloud Shell',
      { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: 'h', MSI_ENDPOINT: 'http://other' },
      'App Service',
      url,
    ],
  ]
  for (const [name, env, kind, address, files] of rows) {
    const isThere = files ? async (file: string) => files.includes(file) : isNowhere
    const place = await managedIdentityPlace({ env, platform: 'linux', isThere })
    t.match(place, { kind, endpoint: address }, name)
    t.equal('probe' in place, kind === 'IMDS', `${name}: only IMDS is not known by the environment`)
  }
  const windows = { env: { ProgramFiles: 'C:\\Programs' }, platform: 'win32' as const }
  const himds = 'C:\\Programs\\AzureConnectedMachineAgent\\himds.exe'
  t.match(await managedIdentityPlace({ ...windows, isThere: async file => file === himds }), { kind: 'Azure Arc' })
  t.match(await managedIdentityPlace({ env: {}, platform: 'darwin', isThere: async () => true }), { kind: 'IMDS' })
})

t.test('a probe tells a metadata service from what else answers, or does not', async t => {
  const page = '<!DOCTYPE html><html>Sign in to the network</html>'
  const rows: [name: string, status: number, body: string, fault: RegExp | undefined][] = [
    ['IMDS', 400, '{"error":"invalid_request"}', undefined],
    ['an IMDS of few words', 400, 'metadata header not specified', undefined],
    ['one that is updated', 404, '{"error":"not_found"}', undefined],
    ["another cloud's", 404, '{"message":"not found"}', /answered 404/],
    ['a page', 200, page, /answered 200/],
    ['a page with 400', 400, `\n${page}`, /answered 400/],
    ['nothing', 404, '', /answered 404/],
    ['a firewall', 403, 'blocked', /answered 403/],
  ]
  const probe = `${podHost}/metadata/identity/oauth2/token`
  for (const [name, status, body, fault] of rows) {
    const found = await probeFault(probe, async () => toResponse({ status, body }), wish.signal, 900)
    if (fault) t.match(found, fault, name)
    else t.equal(found, undefined, name)
  }
  const never: Send = (_, signal) =>
    new Promise((_, reject) => {
      signal.throwIfAborted()
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  // A timed signal alone does not keep the process alive; a connection does.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  t.match(await probeFault(probe, never, wish.signal, 20), /machine\.test did not answer within 1 s/)
  t.match(await probeFault(probe, () => Promise.reject(new Error('refused')), wish.signal, 900), /could not be reached/)
  const reason = new Error('the caller went away')
  t.equal(await probeFault(probe, never, AbortSignal.abort(reason), 900).catch(error => error), reason)
})

t.test('the system assigned identity is asked for without a name, another one by its client id', async t => {
  const rows: [name: string, more: Partial<CredentialsDeps>, asked: string | undefined][] = [
    ['system assigned', {}, undefined],
    ['auth.client_id', { clientId }, clientId],
    ['AZURE_CLIENT_ID', { env: { AZURE_CLIENT_ID: clientId } }, clientId],
    ['both', { clientId, env: { AZURE_CLIENT_ID: identity } }, clientId],
    ['an empty AZURE_CLIENT_ID', { env: { AZURE_CLIENT_ID: '' } }, undefined],
  ]
  for (const [name, more, wanted] of rows) {
    const { credentials, asked } = onMachine(t, [granted()], more)
    const token = await credentials.getToken(armScope, wish)
    t.match(token, { method: 'managed_identity', account: identity, tenantId: contoso }, name)
    t.equal(Math.round(((token.expiresAtMs ?? 0) - Date.now()) / 60_000), 60, name)
    const { query, headers } = asked[0] ?? {}
    t.match(query, { resource: 'https://management.azure.com', 'api-version': '2018-02-01', xms_cc: 'CP1' }, name)
    t.equal(query?.client_id, wanted, name)
    t.equal(headers?.metadata, 'true', name)
    t.equal(asked.length, 1, name)
    await credentials.getToken(armScope, wish)
    t.equal(asked.length, 1, 'and once, while the token lasts')
  }
})

t.test('what the endpoint refuses is told in words, and asked again only where that helps', async t => {
  const assign = /^Assign an identity to this machine, or set auth.method/
  const again = /try again in a minute/
  const lost = new SendError('not_sent', 'could not connect to machine.test: the connection was refused')
  const late = new SendError('timeout', 'machine.test did not answer within 60 s')
  const rows: [name: string, answer: Answer | Error, code: string, words: RegExp, remedy: RegExp, times: number][] = [
    [
      'no identity',
      refusal(400, 'Identity not found'),
      'not_configured',
      /answered 400: Identity not found$/,
      assign,
      1,
    ],
    ['another fault', refusal(400, 'Bad resource'), 'not_configured', /answered 400: Bad resource$/, assign, 1],
    ['404', refusal(404, 'IMDS endpoint is updating'), 'unreachable', /404: IMDS endpoint is updating$/, again, 3],
    ['410', { status: 410, body: '' }, 'unreachable', /answered 410$/, again, 3],
    [
      '429',
      refusal(429, 'Too many', { 'retry-after': '7' }),
      'throttled',
      /limits how often.*Too many/,
      /^Wait 7 s/,
      3,
    ],
    ['429 for long', refusal(429, 'Too many', { 'retry-after': '600' }), 'throttled', /limits/, /^Wait 600 s/, 1],
    ['500', refusal(500, 'Failed to retrieve token'), 'unreachable', /answered 500: Failed to retrieve/, again, 3],
    [
      'nested',
      { status: 403, body: { error: { code: 'Forbidden', message: 'No' } } },
      'not_configured',
      /403: No$/,
      assign,
      1,
    ],
    ['a page', { status: 200, body: '<html>' }, 'unreachable', /200 with something that is no JSON object/, again, 1],
    [
      'no token',
      { status: 200, body: { token_type: 'Bearer' } },
      'unreachable',
      /its answer holds no access token/,
      again,
      1,
    ],
    ['nobody', lost, 'unreachable', /the connection was refused$/, again, 3],
    ['nobody in time', late, 'timeout', /did not answer within 60 s$/, again, 1],
  ]
  for (const [name, answer, code, words, remedy, times] of rows)
    t.test(name, async t => {
      const { credentials, asked, clock } = onMachine(t, [answer])
      const error: AuthError = await credentials.getToken(armScope, wish).catch(error => error)
      t.match(error, { name: 'AuthError', message: words, remediation: remedy })
      t.match(error, { message: /^The managed identity \(IMDS\) gave no token: / })
      t.equal(error.code, code === 'timeout' ? 'unreachable' : code)
      t.equal(error.person, undefined, 'no person can mend it by signing in')
      t.equal(asked.length, times)
      t.ok(
        clock.slept.every(ms => ms <= 10_000) && clock.slept.length === times - 1,
        `waited ${clock.slept.join(', ')} ms`,
      )
      t.notMatch(error.remediation, /proxy|authority_host|login/)
    })

  t.test('one that passes is not noticed', async t => {
    const { credentials, asked } = onMachine(t, [refusal(404, 'updating'), { status: 410, body: '' }, granted()])
    t.match(await credentials.getToken(armScope, wish), { method: 'managed_identity' })
    t.equal(asked.length, 3)
  })

  t.test('an identity that was named is named in the remedy', async t => {
    const { credentials } = onMachine(t, [refusal(400, 'Identity not found')], { clientId })
    t.match(await credentials.getToken(armScope, wish).catch(error => error), {
      remediation: new RegExp(`check that ${clientId} \\(auth.client_id or AZURE_CLIENT_ID\\) is assigned`),
    })
  })
})

t.test('under auto a machine without the identity is passed over, any other failure is not', async t => {
  const runAzureCli = async () => ({
    code: 0,
    stdout: JSON.stringify({ accessToken: jwt({ upn: 'ada@contoso.example' }), expires_on: Date.now() / 1000 + 3600 }),
    stderr: '',
  })
  const auto = { method: 'auto' as const, runAzureCli }
  for (const [id, words] of [
    [undefined, /^the machine \(IMDS\) has no such identity$/],
    [clientId, new RegExp(`has no such identity ${clientId}$`)],
  ] as const) {
    const { credentials } = onMachine(t, [refusal(400, 'Identity not found')], { ...auto, clientId: id })
    const { used, skipped } = await credentials.describe(wish.signal)
    t.equal(used?.method, 'azure_cli')
    t.match(skipped.at(-1), { method: 'managed_identity', why: words })
  }
  const { credentials } = onMachine(t, [refusal(400, 'The resource principal was not found')], auto)
  const { used, error } = await credentials.describe(wish.signal)
  t.equal(used, undefined, 'another account must not quietly take over')
  t.match(error, { code: 'not_configured', message: /resource principal/ })
})

t.test('a claims challenge is answered with a new token, which is the one in memory then', async t => {
  const { credentials, asked } = onMachine(t, [])
  const first = await credentials.getToken(armScope, wish)
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
  const second = await credentials.getToken(armScope, { ...wish, rejected: first.token, claims })
  t.not(second.token, first.token)
  t.equal(asked.length, 2)
  t.equal((await credentials.getToken(armScope, wish)).token, second.token)
  const third = await credentials.getToken(armScope, { ...wish, rejected: second.token })
  t.not(third.token, second.token)
  t.equal(asked.length, 3)
})

t.test('several that ask at once have an answer each, from their own network', async t => {
  const gates: (() => void)[] = []
  const networks = [0, 1, 2].map(n => {
    const asked: string[] = []
    const sendHere: Send = async (request, signal) => {
      if (!request.headers.metadata) return toResponse(refusal(400, ''))
      asked.push(request.url)
      await new Promise<void>((go, stop) => {
        gates[n] = go
        signal.addEventListener('abort', () => stop(signal.reason))
      })
      return toResponse({ status: 200, body: tokenBody(`network ${n}`) })
    }
    return {
      asked,
      ...signInFor(t, { method: 'managed_identity', env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: podHost }, sendHere }),
    }
  })
  const leaving = new AbortController()
  const signals = [wish.signal, leaving.signal, wish.signal]
  const answers = networks.map(({ credentials }, n) =>
    credentials.getToken(armScope, { signal: signals[n] ?? wish.signal }).then(
      ({ account }) => account,
      error => error,
    ),
  )
  const isAsked = async (n: number) => {
    while (!gates[n]) await new Promise(setImmediate)
    return networks.map(({ asked }) => asked.length)
  }
  t.same(await isAsked(0), [1, 0, 0], 'one at a time')
  gates[0]?.()
  t.equal(await answers[0], 'network 0')
  t.same(await isAsked(1), [1, 1, 0])
  const reason = new Error('the caller went away')
  leaving.abort(reason)
  t.equal(await answers[1], reason)
  t.same(await isAsked(2), [1, 1, 1], 'one that was cancelled does not hold up the next')
  gates[2]?.()
  t.equal(await answers[2], 'network 2')
})

const explicit = '[recovery_services.auth]\nmethod = "managed_identity"'

t.test('App Service: the header is the secret, and no proxy is asked', async t => {
  // On https, which a proxy would be asked for.
  const authority = await Authority.start(t)
  authority.answer(/^\/msi\/token/, { status: 200, body: tokenBody() }, 9)
  const dead = 'http://127.0.0.1:9'
  const machine = await Machine.start(t, {
    authority,
    toml: `[recovery_services.http]\nproxy = "${dead}"\n${explicit}\nclient_id = "${clientId}"`,
    env: { IDENTITY_ENDPOINT: `${authority.origin}/msi/token`, IDENTITY_HEADER: 'header', HTTPS_PROXY: dead },
  })
  t.match(await machine.status(), { method: 'managed_identity', account: identity, tenant_id: contoso, error: null })
  t.match(authority.requests, [
    { path: /^\/msi\/token/, fields: { 'api-version': '2019-08-01', client_id: clientId, resource: machine.arm } },
  ])
  t.equal(authority.requests.length, 1, 'and it is not probed')
})

t.test('Azure Arc: the secret file is read from the folder of its agent only', async t => {
  const folder = '/var/opt/azcmagent/tokens/'
  let challenge = ''
  const arc = await endpoint(t, ({ headers }) => {
    if (headers.authorization === 'Basic the secret') return { status: 200, body: tokenBody(identity) }
    return { status: 401, body: '', headers: challenge === '' ? {} : { 'www-authenticate': challenge } }
  })
  const machine = await Machine.start(t, {
    toml: explicit,
    env: { IDENTITY_ENDPOINT: `${arc.origin}/metadata/identity/oauth2/token`, IMDS_ENDPOINT: arc.origin },
  })
  const server = machine.server()
  const elsewhere = machine.write('elsewhere.key', 'the secret')
  const rows: [name: string, challenge: string, words: RegExp][] = [
    ['no challenge', '', /www-authenticate header is missing/],
    ['another scheme', 'Bearer realm=x', /unsupported format/],
    ['another folder', `Basic realm=${elsewhere}`, /file path .*not in a valid/],
    ['a way out of the folder', `Basic realm=${folder}../../../..${elsewhere}`, /file path .*not in a valid/],
    ['another kind of file', `Basic realm=${folder}secret.txt`, /not contain a \.key file/],
    ['no such file', `Basic realm=${folder}missing.key`, /Unable to read the secret file/],
  ]
  for (const [name, given, words] of rows) {
    challenge = given
    const { error } = await server.call('list_vaults')
    t.match(error, { code: 'not_configured', message: words, remediation: /^Assign an identity/ }, name)
    t.match(error.message, /^The managed identity \(Azure Arc\) gave no token: /, name)
  }
  t.notOk(
    arc.asked.some(({ headers }) => headers.authorization),
    'no file of another place was sent',
  )
  t.match(arc.asked[0], {
    query: { 'api-version': '2020-06-01', resource: machine.arm },
    headers: { metadata: 'true' },
  })

  t.test('from there it is', async t => {
    const made = ['/var/opt/azcmagent', folder].flatMap(each => {
      try {
        mkdirSync(each)
        return [each]
      } catch {
        return []
      }
    })
    if (made.length < 2) return t.comment(`${folder} is there already, or cannot be made`)
    const file = path.join(folder, 'test.key')
    t.teardown(() => {
      rmSync(file, { force: true })
      for (const each of made.reverse()) rmdirSync(each)
    })
    writeFileSync(file, 'the secret')
    challenge = `Basic realm=${file}`
    t.same((await server.call('list_vaults')).body, { vaults: [], count: 0 })
    writeFileSync(file, 'x'.repeat(4097))
    t.match((await machine.status()).error, { message: /greater than 4096 bytes/ })
  })
})

t.test('IMDS of a machine, from the first call to one that it refuses', async t => {
  let answer: ((asked: Asked) => Answer | undefined) | undefined
  const imds = await endpoint(t, asked =>
    asked.headers.metadata ? answer?.(asked) : refusal(400, 'Required metadata header not specified'),
  )
  const machine = await Machine.start(t, { env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.origin } })
  const server = machine.server()
  answer = granted
  const [modern, again] = await Promise.all([server.call('list_vaults'), server.call('test_connection')])
  t.same(modern.body, { vaults: [], count: 0 })
  t.match(checksOf(again).sign_in, {
    status: 'ok',
    message: new RegExp(`^by managed_identity; as ${identity}; tenant `),
  })
  t.match(checksOf(again).sign_in, { message: /user not taken: no account is in the token cache/ })
  t.equal(imds.asked.filter(({ headers }) => headers.metadata).length, 1, 'one token for both')
  t.match(machine.tokens[0], /^[\w-]+\.[\w-]+\.[\w-]+$/)

  // Azure takes the token no more, and the endpoint has lost its identity.
  machine.refused.add(machine.tokens[0] ?? '')
  answer = () => refusal(500, 'Failed', { 'retry-after': '0' })
  t.match((await server.call('list_vaults')).error, { code: 'unreachable', message: /\(IMDS\).*500: Failed/ })
  answer = granted
  t.same((await server.call('list_vaults')).body, { vaults: [], count: 0 })
})

t.test('a metadata service that never answers is given up', async t => {
  const authority = await Authority.start(t)
  const imds = await endpoint(t, () => undefined)
  const machine = await Machine.start(t, { authority, env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.origin } })
  const { not_taken, error } = await machine.status()
  const { host } = new URL(imds.origin)
  t.match(
    not_taken.find(({ method }) => method === 'managed_identity'),
    { why: `this machine has no managed identity endpoint: ${host} did not answer within 1 s` },
  )
  t.match(error, { code: 'not_signed_in' })
  t.equal(imds.asked.length, 1, 'asked once, and nobody for a token')
})

t.test('an address that is none is told with its variable', async t => {
  const { home } = await Machine.start(t)
  for (const bad of ['nowhere', 'http://', 'ftp://127.0.0.1'])
    for (const [variable, env] of [
      ['IDENTITY_ENDPOINT', { IDENTITY_ENDPOINT: bad, IDENTITY_HEADER: 'h' }],
      ['MSI_ENDPOINT', { MSI_ENDPOINT: bad }],
      ['AZURE_POD_IDENTITY_AUTHORITY_HOST', { AZURE_POD_IDENTITY_AUTHORITY_HOST: bad }],
    ] as const)
      for (const method of ['auto', 'managed_identity'] as const) {
        const { credentials } = signInFor(t, { method, env, file: path.join(home, 'cache.json') })
        const error = await credentials.getToken(armScope, wish).catch(error => error)
        t.match(error, { code: 'not_configured', message: `${variable} (${bad}) is no address`, remediation: variable })
      }
})

t.test('without an endpoint the explicit method says so, and what to do', async t => {
  const machine = await Machine.start(t, { toml: explicit })
  t.match(await machine.status(), {
    method: null,
    error: {
      code: 'unreachable',
      message: 'Nobody is signed in: this machine has no managed identity endpoint: 127.0.0.1:1 could not be reached',
      remediation: /machine of Azure that has an identity, or set auth.method/,
    },
    not_taken: [{ method: 'managed_identity' }],
  })
})
