/** The simulated Azure over real HTTP: what its callers send, what they meet, and what becomes of hostile ones. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { createVirtualClock } from '../../src/simulator/clock.ts'
import { effects } from '../../src/simulator/effects.ts'
import { listen } from '../../src/simulator/http.ts'
import { addSubscription, addVault, blankState } from '../../src/simulator/making.ts'
import { createWorld, type World } from '../../src/simulator/world.ts'
import { faultsOf } from '../helpers/definitions.ts'

const subscription = '11111111-1111-4111-8111-111111111111'
const token = 'a-token'
const startMs = Date.parse('2026-11-22T08:00:00Z')
const vaults = `/subscriptions/${subscription}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults`
const version = 'api-version=2025-08-01'

interface Got {
  status: number
  headers: IncomingHttpHeaders
  text: string
  body: Record<string, unknown> & { error?: { code: string; message: string } }
}

interface Asking {
  method?: string
  headers?: Record<string, string>
  body?: unknown
}

const parsed = (text: string) => {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

interface Running {
  world: World
  endpoint: string
  port: number
  faults: unknown[]
  ask(path: string, asking?: Asking): Promise<Got>
  /** What a socket answers to these bytes, until it ends. */
  raw(text: string): Promise<string>
}

const run = async (t: Test): Promise<Running> => {
  const state = blankState(1, startMs, '99999999-9999-4999-8999-999999999999', [token])
  addSubscription(state, subscription, 'Contoso Production')
  addVault(state, { subscriptionId: subscription, resourceGroup: 'rg-backup', name: 'vault-prod', location: 'eastus' })
  const world = createWorld(
    state,
    createVirtualClock(startMs, 0, () => 0),
    effects,
  )
  const faults: unknown[] = []
  const { endpoint, close } = await listen(world, 0, error => faults.push(error))
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => {
    agent.destroy()
    await close()
  })
  const port = Number(new URL(endpoint).port)
  const ask: Running['ask'] = (path, { method = 'GET', headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const sent = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
      const asked = request(
        { host: '127.0.0.1', port, path, method, agent, headers: { authorization: `Bearer ${token}`, ...headers } },
        response => {
          let text = ''
          response.setEncoding('utf8').on('data', chunk => {
            text += chunk
          })
          response.on('error', reject)
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) }),
          )
        },
      )
      asked.on('error', reject)
      asked.end(sent)
    })
  const raw: Running['raw'] = text =>
    new Promise(resolve => {
      let got = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      socket.setEncoding('utf8').on('data', chunk => {
        got += chunk
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(got))
    })
  return { world, endpoint, port, faults, ask, raw }
}

const setFaults = ({ ask }: Running, ...faults: object[]) =>
  ask('/_simulate/faults', { method: 'PUT', body: { faults } })

const theVault = `${vaults}/vault-prod?${version}`

t.test('an answer has the headers that all of Azure has', async t => {
  const { endpoint, ask } = await run(t)
  const { status, headers, body } = await ask(theVault, {
    headers: { 'x-ms-client-request-id': 'c1', 'x-ms-correlation-request-id': 'c2' },
  })
  t.equal(status, 200)
  t.match(headers, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-cache',
    date: 'Sun, 22 Nov 2026 08:00:00 GMT',
    'x-ms-request-id': /^[0-9a-f-]{36}$/,
    'x-ms-client-request-id': 'c1',
    'x-ms-correlation-request-id': 'c2',
    'x-ms-ratelimit-remaining-subscription-resource-requests': /^\d+$/,
  })
  t.same(faultsOf({ request: { method: 'GET', url: endpoint + theVault }, response: { status, body } }), [])
})

t.test('paths are taken as Azure takes them', async t => {
  const { ask } = await run(t)
  const rows: [path: string, status: number, code?: string][] = [
    [theVault, 200],
    [`/${theVault.replaceAll('/', '//')}`, 200],
    [theVault.replace('resourceGroups', 'RESOURCEGROUPS').replace('vault-prod', 'VAULT-prod'), 200],
    [theVault.replace('vault-prod', '%76ault-prod'), 200],
    [theVault.replace('api-version', 'API-Version'), 200],
    [`${vaults}/vault-prod?$x=1?${version}`, 200],
    [`http://127.0.0.1:1${theVault}`, 200],
    [`${vaults}/gone?${version}`, 404, 'ResourceNotFound'],
    [`${vaults}/%00?${version}`, 404, 'ResourceNotFound'],
    [`${vaults}/..?${version}`, 404, 'ResourceNotFound'],
    [`${vaults}/..%2f..%2f..?${version}`, 404, 'ResourceNotFound'],
    [`${vaults}/%E0%A4%A?${version}`, 404, 'ResourceNotFound'],
    [`${vaults}/__proto__?${version}`, 404, 'ResourceNotFound'],
    [`${vaults}/constructor?${version}`, 404, 'ResourceNotFound'],
    [`${vaults}/${'a'.repeat(20_000)}?${version}`, 404, 'ResourceNotFound'],
    [theVault.replace(subscription, 'nope'), 404, 'SubscriptionNotFound'],
    [theVault.replace('rg-backup', 'nope'), 404, 'ResourceGroupNotFound'],
    [`/?${version}`, 404, 'InvalidResourceType'],
    [`/../../etc/passwd?${version}`, 404, 'InvalidResourceType'],
    [`/nothing/knows/this?${version}`, 404, 'InvalidResourceType'],
    [`${vaults}/vault-prod/nothing/knows/this/either?${version}`, 404, 'InvalidResourceType'],
    [`/_simulate/nothing`, 404, 'InvalidResourceType'],
  ]
  for (const [path, status, code] of rows) {
    const got = await ask(path)
    t.equal(got.status, status, path.slice(0, 200))
    t.equal(got.body.error?.code, code)
  }
})

t.test('a bearer token that the seed names lets in, nothing else does', async t => {
  const { ask } = await run(t)
  const rows: [authorization: string | undefined, code: string | undefined][] = [
    [`Bearer ${token}`, undefined],
    [`bearer ${token}`, undefined],
    ['', 'InvalidAuthenticationToken'],
    [`Basic ${token}`, 'InvalidAuthenticationToken'],
    ['Bearer ', 'InvalidAuthenticationToken'],
    ['Bearer another', 'InvalidAuthenticationToken'],
    [`Bearer ${token} more`, 'InvalidAuthenticationToken'],
  ]
  for (const path of [theVault, '/_simulate/requests', `/nothing?${version}`, '/nothing'])
    for (const [authorization = '', code] of rows) {
      const { status, headers, body } = await ask(path, { headers: { authorization } })
      if (code === undefined) {
        t.not(status, 401)
        continue
      }
      t.equal(status, 401, `${authorization} at ${path}`)
      t.equal(body.error?.code, code)
      t.match(headers['www-authenticate'], /^Bearer authorization_uri="https:\/\/login\.\S+"/)
    }
})

t.test('an api-version is a day since 2015', async t => {
  const { ask } = await run(t)
  const rows: [query: string, code: string | undefined][] = [
    ['api-version=2015-01-01', undefined],
    ['api-version=2031-12-31', undefined],
    ['api-version=2026-05-31-preview', undefined],
    ['', 'MissingApiVersionParameter'],
    ['api-version=', 'MissingApiVersionParameter'],
    ['version=2025-08-01', 'MissingApiVersionParameter'],
    ['api-version=2014-12-31', 'InvalidApiVersionParameter'],
    ['api-version=2021-02-31', 'InvalidApiVersionParameter'],
    ['api-version=2021-13-01', 'InvalidApiVersionParameter'],
    ['api-version=20210101', 'InvalidApiVersionParameter'],
    ['api-version=latest', 'InvalidApiVersionParameter'],
    ['api-version=2025-08-01%0d%0ax:y', 'InvalidApiVersionParameter'],
  ]
  for (const [query, code] of rows) {
    const { status, body } = await ask(`${vaults}/vault-prod?${query}`)
    t.equal(status, code === undefined ? 200 : 400, query)
    t.equal(body.error?.code, code)
  }
})

t.test('methods that a path does not have are refused', async t => {
  const { ask, raw } = await run(t)
  for (const method of ['POST', 'OPTIONS', 'PROPFIND', 'TRACE', 'LOCK'])
    t.match(await ask(theVault, { method }), { status: 405, body: { error: { code: 'HttpMethodNotAllowed' } } }, method)
  t.match(await ask(theVault, { method: 'HEAD' }), { status: 405, text: '' })
  t.match(await ask(`/nothing?${version}`, { method: 'HEAD' }), { status: 404, text: '' })
  t.match(await raw(`BREW ${theVault} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 400 /)
  t.equal(await raw('CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n'), '')
  t.match(await raw('hello\r\n\r\n'), /^HTTP\/1\.1 400 /)
  t.equal((await ask(theVault)).status, 200, 'and it goes on')
})

t.test('polling addresses lie where the caller reached it', async t => {
  const { endpoint, ask, raw, world } = await run(t)
  const body = { location: 'eastus', properties: {}, sku: { name: 'Standard' } }
  const rows: [headers: Record<string, string>, base: string][] = [
    [{}, endpoint],
    [{ host: 'azure.example:8443' }, 'http://azure.example:8443'],
    [{ host: 'a', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'proxy.example' }, 'https://proxy.example'],
    [{ 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'outer.example, inner' }, 'https://outer.example'],
  ]
  for (const [index, [headers, base]] of rows.entries()) {
    const got = await ask(`${vaults}/vault-${index}?${version}`, { method: 'PUT', headers, body })
    t.ok(got.status === 200 || got.status === 201 || got.status === 202, String(got.status))
    const address = got.headers['azure-asyncoperation'] ?? got.headers.location
    t.match(address, new RegExp(`^${base.replaceAll('.', '\\.')}/subscriptions/`), base)
  }
  // An HTTP/1.0 caller may name no host.
  const json = JSON.stringify(body)
  const text = await raw(
    `PUT ${vaults}/vault-9?${version} HTTP/1.0\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
  )
  t.match(text, new RegExp(`: ${endpoint}/subscriptions/`))
  t.equal(world.state.vaults.size, 1 + rows.length + 1)
})

t.test('long headers and large bodies are taken, larger ones refused', async t => {
  const { ask, raw, faults } = await run(t)
  t.equal((await ask(theVault, { headers: { 'x-long': 'a'.repeat(40_000) } })).status, 200)
  t.equal((await ask(`${theVault}&$filter=${'a'.repeat(40_000)}`)).status, 200)
  t.match(await raw(`GET ${theVault} HTTP/1.1\r\nHost: x\r\nx-long: ${'a'.repeat(70_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /)
  const tags = (size: number) => ({ method: 'PATCH', body: { tags: { a: 'x'.repeat(size) } } })
  t.not((await ask(theVault, tags(3_000_000))).status, 413)
  t.match(await ask(theVault, tags(5_000_000)), { status: 413, body: { error: { code: 'RequestContentTooLarge' } } })
  for (const body of ['{', '[]', '"text"', 'null', '\u0000', '{"a":1}}'])
    t.match(await ask(theVault, { method: 'PATCH', body }), {
      status: 400,
      body: { error: { code: 'InvalidRequestContent' } },
    })
  t.equal((await ask(theVault)).status, 200)
  t.same(faults, [])
})

t.test('a caller that goes away while it speaks is no fault', async t => {
  const { ask, port, faults } = await run(t)
  await new Promise<void>(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`PATCH ${theVault} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"tags"`, () =>
        socket.destroy(),
      )
    })
    socket.on('close', () => resolve())
  })
  t.equal((await ask(theVault)).status, 200)
  t.same(faults, [])
})

t.test('many callers at once get their own answers, over few connections', async t => {
  const { ask, world } = await run(t)
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, at) =>
      ask(at % 2 ? theVault : `${vaults}/gone-${at}?${version}`, { headers: { 'x-ms-client-request-id': `c${at}` } }),
    ),
  )
  for (const [at, { status, headers }] of answers.entries())
    t.same([status, headers['x-ms-client-request-id']], [at % 2 ? 200 : 404, `c${at}`])
  t.equal(new Set(answers.map(({ headers }) => headers['x-ms-request-id'])).size, 200)
  t.match((await ask('/_simulate/requests')).body, { total: 200 })
  t.equal(world.state.requests.get(`GET ${vaults}/vault-prod`), 100)
})

t.test('a connection is kept between answers, and pipelined requests are answered in order', async t => {
  const { raw } = await run(t)
  const one = (path: string, more = '') =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`
  const text = await raw(
    one(theVault) + one(`${vaults}/gone?${version}`) + one('/_simulate/requests', 'Connection: close\r\n'),
  )
  t.same(
    [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status),
    ['200', '404', '200'],
  )
})

t.test('faults: what a caller meets instead of the answer', async t => {
  const running = await run(t)
  const { ask } = running
  const rows: [fault: object, status: number, code: string, retryAfter: string | undefined][] = [
    [{ kind: 'status', status: 429, retry_after_seconds: 7 }, 429, 'ResourceRequestsThrottled', '7'],
    [{ kind: 'status', status: 500 }, 500, 'InternalServerError', undefined],
    [{ kind: 'status' }, 500, 'InternalServerError', undefined],
    [{ kind: 'status', status: 503, retry_after_seconds: 0 }, 503, 'ServiceUnavailable', '0'],
    [{ kind: 'status', status: 504 }, 504, 'GatewayTimeout', undefined],
    [{ kind: 'status', status: 409, code: 'MyCode', message: 'My words.' }, 409, 'MyCode', undefined],
    [{ kind: 'expired_token' }, 401, 'ExpiredAuthenticationToken', undefined],
  ]
  for (const [fault, status, code, retryAfter] of rows) {
    t.match(await setFaults(running, { ...fault, times: 1 }), { status: 200, body: { faults: 1 } })
    const got = await ask(theVault)
    t.match(got, { status, body: { error: { code } } }, JSON.stringify(fault))
    t.equal(got.headers['retry-after'], retryAfter)
    t.match(got.headers, { 'x-ms-request-id': /./, date: /2026/ })
    t.equal(got.headers['www-authenticate'] !== undefined, status === 401)
    t.equal((await ask(theVault)).status, 200, 'once only')
  }
})

t.test('faults: what becomes of an answer on its way', async t => {
  const running = await run(t)
  const { ask, world } = running
  const whole = (await ask(theVault)).text
  await setFaults(running, { kind: 'truncate', times: 1 })
  const { status, text, headers } = await ask(theVault)
  t.same([status, headers['content-length']], [200, String(Buffer.byteLength(text))], 'as if it were whole')
  t.ok(text.length < whole.length && whole.slice(0, 50) === text.slice(0, 50))
  t.throws(() => JSON.parse(text))

  for (const cut_at of ['before', 'inside']) {
    await setFaults(running, { kind: 'cut', cut_at, times: 1 })
    await t.rejects(ask(theVault), { code: 'ECONNRESET' }, cut_at)
  }
  // An answer without a body has no middle, but it does not arrive whole either.
  await setFaults(running, { kind: 'cut', method: 'DELETE', times: 1 })
  await t.rejects(ask(`${vaults}/vault-prod?api-version=2016-06-01`, { method: 'DELETE' }), { code: 'ECONNRESET' })
  t.equal(world.state.vaults.size, 0, 'the work was done all the same')

  await setFaults(running, { kind: 'slow', delay_ms: 30, times: 1 })
  const startedMs = performance.now()
  t.equal((await ask(theVault)).status, 404, 'what is refused meets it too')
  t.ok(performance.now() - startedMs >= 29, 'slow by real time')
})

t.test('faults: whom they meet, and when', async t => {
  const running = await run(t)
  const { ask } = running
  await setFaults(
    running,
    { kind: 'status', status: 429, method: 'get', path: '/VAULTS/vault-prod$', after: 1, times: 2 },
    { kind: 'status', status: 503, method: 'PATCH|DELETE' },
  )
  const statuses: number[] = []
  for (let turn = 0; turn < 4; turn++) statuses.push((await ask(theVault)).status)
  t.same(statuses, [200, 429, 429, 200])
  t.equal((await ask(`${vaults}?${version}`)).status, 200, 'another path')
  t.equal((await ask(theVault, { method: 'PATCH', body: {} })).status, 503)
  t.equal((await ask(theVault, { method: 'DELETE' })).status, 503)
  await setFaults(running)
  t.equal((await ask(theVault, { method: 'PATCH', body: { tags: {} } })).status < 300, true, 'an empty table ends them')
})

t.test('control refuses what it cannot follow, and says why', async t => {
  const running = await run(t)
  const { ask } = running
  const rows: [body: unknown, message: RegExp][] = [
    [{}, /\{"faults": \[/],
    [{ faults: 'none' }, /\{"faults": \[/],
    [{ faults: [1] }, /\{"faults": \[/],
    [{ faults: [{}] }, /kind must be one of status, slow/],
    [{ faults: [{ kind: 'quick' }] }, /kind must be one of/],
    [{ faults: [{ kind: 'status', path: '(' }] }, /path must be a regular expression/],
    [{ faults: [{ kind: 'status', method: 1 }] }, /method must be a regular expression/],
    [
      { faults: [{ kind: 'status', status: 42, times: -1 }] },
      /status must be an HTTP status .*; times must be a whole/,
    ],
    [{ faults: [{ kind: 'slow', delay_ms: 'long' }] }, /delay_ms must be a number/],
    [{ faults: [{ kind: 'cut', cut_at: 'end' }] }, /cut_at must be before or inside/],
    [{ faults: [{ kind: 'cut', colour: 1 }] }, /colour is not known/],
  ]
  await setFaults(running, { kind: 'status', path: 'never' })
  for (const [body, message] of rows)
    t.match(await ask('/_simulate/faults', { method: 'PUT', body }), { status: 400, body: { error: { message } } })
  t.equal(running.world.state.faults.length, 1, 'the table stays as it was')
  for (const body of [{}, { seconds: -1 }, { seconds: 'x' }, { seconds: 1e12 }])
    t.match(await ask('/_simulate/advance', { method: 'POST', body }), {
      status: 400,
      body: { error: { code: 'InvalidAdvance' } },
    })
  t.match(await ask('/_simulate/advance', { method: 'POST', body: { seconds: 90 } }), {
    status: 200,
    body: { now: '2026-11-22T08:01:30.000Z' },
  })
  t.equal((await ask(theVault)).headers.date, 'Sun, 22 Nov 2026 08:01:30 GMT')
  t.match((await ask('/_simulate/requests')).body, { total: 1 }, 'control itself is not counted')
})

t.test('a fault of its own is a 500 that its host is told of', async t => {
  const { ask, world, faults } = await run(t)
  world.schedule({ atMs: 0, kind: 'unheard-of', vault: '', of: '', more: undefined })
  t.match(await ask(theVault), { status: 500, body: { error: { code: 'InternalServerError' } } })
  t.match(faults, [{ message: /unheard-of/ }])
  t.equal((await ask(theVault)).status, 200)
})

t.test('a port that is taken is refused', async t => {
  const { world, port } = await run(t)
  await t.rejects(
    listen(world, port, () => {}),
    { code: 'EADDRINUSE' },
  )
})
