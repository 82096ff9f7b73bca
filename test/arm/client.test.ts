import t from 'tap'
import { apiVersionFor } from '../../src/arm/api-versions.ts'
import { createArm } from '../../src/arm/client.ts'
import { createLimiter } from '../../src/arm/limiter.ts'
import { locate, unsigned } from '../../src/arm/origin.ts'
import { operationType } from '../../src/arm/paths.ts'
import { SendError } from '../../src/arm/send.ts'
import {
  answer,
  armErrorOf,
  container,
  createFakeAzure,
  createFakeClock,
  endpoint,
  failure,
  item,
  type Scripted,
  subscription,
  vault,
} from './fake-azure.ts'

const region = `/subscriptions/${subscription}/providers/Microsoft.RecoveryServices/locations/westus`
const versions: [path: string, version: string][] = [
  [vault, '2025-08-01'],
  [`/subscriptions/${subscription}/providers/Microsoft.RecoveryServices/vaults`, '2025-08-01'],
  [`${vault}/backupProtectedItems`, '2025-08-01'],
  [`${vault}/backupProtectedItems/`, '2021-11-15'],
  [`${item}/recoveryPoints`, '2025-08-01'],
  [`${item}/recoveryPoints/`, '2021-11-15'],
  [`${item}/recoveryPoints/1/accessToken`, '2021-11-15'],
  [`${region}/backupAadProperties`, '2021-11-15'],
  [`${region}/backupCrossRegionRestore`, '2021-11-15'],
  [`${region}/backupCrrJobs`, '2021-11-15'],
  [`${region}/backupCrrOperationsStatus/abc=`, '2021-11-15'],
  [`${region}/backupStatus`, '2025-08-01'],
  ['/subscriptions', '2022-12-01'],
  [`/subscriptions/${subscription}/resourceGroups/rg`, '2022-12-01'],
  [`${vault}/providers/Microsoft.Authorization/permissions`, '2022-04-01'],
]
for (const [path, version] of versions)
  t.test(`${path.replace(vault, '{V}').replace(region, '{L}')} is asked at ${version}`, async t =>
    t.equal(apiVersionFor(path, '2025-08-01'), version),
  )

t.test('a path of another service is a fault of this program', async t =>
  t.throws(() => apiVersionFor('/providers/Microsoft.Other/things', 'x'), /no API version/),
)

t.test('a request has its names encoded, its version first and an id that Azure returns', async t => {
  const { arm, asked, requests } = createFakeAzure([answer(200, { a: 1 }), answer(204), answer(200, {})])
  t.same(await arm.get(container, { $filter: "workloadType eq 'SQL'" }), { a: 1 })
  t.equal(await arm.get('/subscriptions', { 'api-version': '2020-01-01' }), undefined)
  await arm.readingPost(`${region}/backupCrrJobs`, {}, { resourceId: vault })
  const encoded = container.replaceAll(';', '%3B')
  t.same(asked(), [
    `GET ${encoded}?api-version=2025-08-01&$filter=workloadType%20eq%20%27SQL%27`,
    'GET /subscriptions?api-version=2020-01-01',
    `POST ${region}/backupCrrJobs?api-version=2021-11-15`,
  ])
  t.same(requests[0]?.headers, {
    accept: 'application/json',
    'x-ms-client-request-id': 'id-1',
    'x-ms-return-client-request-id': 'true',
  })
  t.match(requests[2], { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ resourceId: vault }) })
  for (const path of [`${vault}/../x`, `${vault}/.`]) await t.rejects(arm.get(path), /ARM path/)
  t.equal(requests.length, 3, 'a path with a step up is not sent')
})

t.test('a request is one debug line, without what its query hides', async t => {
  const { arm, lines } = createFakeAzure([answer(200, {}, { 'x-ms-request-id': 'r-1' })])
  await arm.get(container, { $filter: 'x', sig: 'hidden' })
  t.match(lines, [
    {
      level: 'debug',
      fields: { method: 'GET', status: 200, ms: 0, client_request_id: 'id-1', request_id: 'r-1' },
    },
  ])
  t.equal(lines[0]?.fields.path, `${container}?api-version=2025-08-01&$filter=x`)
})

const lost = new SendError('lost', 'cut')
const retries: [name: string, script: Scripted[], sleeps: number[], ends: string][] = [
  ['a 500, then an answer', [answer(500), answer(200, {})], [250], 'answered'],
  [
    '408, 502, 503, 504',
    [answer(408), answer(502), answer(503), answer(504), answer(200, {})],
    [250, 500, 1000, 2000],
    'answered',
  ],
  ['more failures than tries', Array.from({ length: 5 }, () => answer(500)), [250, 500, 1000, 2000], 'azure_error'],
  ['a connection that was lost', [lost, answer(200, {})], [250], 'answered'],
  ['a request that was not sent', [new SendError('not_sent', 'refused'), answer(200, {})], [250], 'answered'],
  ['a timeout', [new SendError('timeout', 'slow'), answer(200, {})], [250], 'answered'],
  ['no recording', [new SendError('no_recording', 'none')], [], 'unreachable'],
  ['Retry-After in seconds', [answer(429, '', { 'retry-after': '7' }), answer(200, {})], [7000], 'answered'],
  ['Retry-After of nothing', [answer(503, '', { 'retry-after': '0' }), answer(200, {})], [0], 'answered'],
  [
    'Retry-After as a date, by the clock of Azure',
    [
      answer(429, '', { 'retry-after': 'Sun, 22 Nov 2026 12:00:30 GMT', date: 'Sun, 22 Nov 2026 12:00:10 GMT' }),
      answer(200, {}),
    ],
    [20_000],
    'answered',
  ],
  [
    'Retry-After as a date, without a clock',
    [answer(503, '', { 'retry-after': 'Sun, 22 Nov 2026 10:00:05 GMT' }), answer(200, {})],
    [5000],
    'answered',
  ],
  ['Retry-After beyond the budget', [answer(429, '', { 'retry-after': '46' })], [], 'throttled'],
  ['503 with Retry-After beyond the budget', [answer(503, '', { 'retry-after': '60' })], [], 'throttled'],
  [
    'a wait named in the text',
    [failure(429, 'X', "Please try again after '3' seconds."), answer(200, {})],
    [3000],
    'answered',
  ],
  ['a refusal', [failure(400, 'X', 'no')], [], 'azure_error'],
  ['a conflict', [failure(409, 'X', 'no')], [], 'conflict'],
]
for (const method of ['get', 'readingPost'] as const)
  for (const [name, script, sleeps, ends] of retries)
    t.test(`${method}, ${name}: ${ends}`, async t => {
      const { arm, clock, requests, lines } = createFakeAzure(script)
      const call = method === 'get' ? arm.get(vault) : arm.readingPost(`${region}/backupStatus`, {}, {})
      const end = await (ends === 'answered' ? call.then(() => ends) : armErrorOf(call).then(error => error.code))
      t.equal(end, ends)
      t.same(clock.sleeps, sleeps)
      t.equal(requests.length, script.length)
      t.equal(new Set(requests.map(({ headers }) => headers['x-ms-client-request-id'])).size, 1)
      t.equal(lines.filter(({ level }) => level === 'warning').length, sleeps.length, 'every retry is logged')
    })

t.test('a throttled error says when to try again', async t => {
  const text =
    "Number of requests for action 'x/read' exceeded the limit of '150' for time interval '01:00:00'. Please try again after '324' seconds."
  const { arm, requests } = createFakeAzure([failure(429, 'ResourceRequestsThrottled', text)])
  const error = await armErrorOf(arm.get(vault))
  t.match(error, { code: 'throttled', azureCode: 'ResourceRequestsThrottled', httpStatus: 429, message: text })
  t.match(error.remediation, 'Wait 324 seconds')
  t.match(error.details, { retry_after_seconds: 324, client_request_id: 'id-1' })
  const again = await armErrorOf(arm.get(vault))
  t.match(again, { code: 'throttled', details: { retry_after_seconds: 324 } })
  t.equal(requests.length, 1, 'and nothing of that kind is sent before')
})

t.test('no try begins later than 45 s after the call', async t => {
  const clock = createFakeClock()
  const slow = () => {
    clock.advance(20_000)
    return answer(504)
  }
  const { arm, requests } = createFakeAzure([slow, slow, slow, slow], { clock, limiter: createLimiter(clock) })
  t.equal((await armErrorOf(arm.get(vault))).code, 'timeout')
  t.equal(requests.length, 3)
})

t.test('a cancelled call stops waiting, and ends with the reason', async t => {
  const { arm, control, clock, requests } = createFakeAzure([
    () => {
      setImmediate(() => control.abort(new Error('enough')))
      return answer(503, '', { 'retry-after': '30' })
    },
  ])
  await t.rejects(arm.get(vault), { message: 'enough' })
  await t.rejects(arm.get(vault), { message: 'enough' })
  t.equal(requests.length, 1)
  t.equal(clock.pending(), 0)
})

t.test('what was under way when the call was cancelled ends with the reason, whatever the network said', async t => {
  const { arm, control } = createFakeAzure(
    [
      () => {
        control.abort(new Error('enough'))
        throw new SendError('lost', 'aborted')
      },
    ],
    { maxRetries: 0 },
  )
  await t.rejects(arm.get(vault), { message: 'enough' })
})

t.test('an error that is not of the network goes on as it is', async t => {
  const { arm, requests } = createFakeAzure([new TypeError('a bug')])
  await t.rejects(arm.get(vault), TypeError)
  t.equal(requests.length, 1)
})

t.test('the limiter', async t => {
  const asked = (method: string, path: string) => ({ method, path, clientRequestId: 'x', endpoint })
  const { signal } = new AbortController()
  const other = vault.replace(subscription, '00000000-0000-0000-0000-000000000002')
  const tick = () => new Promise(resolve => setImmediate(resolve))

  t.test('sends so many at the same time for one subscription, the rest in the order of asking', async t => {
    const limiter = createLimiter(createFakeClock(), 2)
    const started: string[] = []
    const ends: (() => void)[] = []
    const run = (name: string, path: string, ownSignal = signal) =>
      limiter.run(asked('GET', path), 1000, ownSignal, () => {
        started.push(name)
        return new Promise(resolve => ends.push(() => resolve(answer(200))))
      })
    const control = new AbortController()
    const calls = ['a', 'b', 'c'].map(name => run(name, vault))
    const cancelled = run('cancelled', vault, control.signal)
    calls.push(run('d', vault), run('elsewhere', other))
    await tick()
    t.same(started, ['a', 'b', 'elsewhere'])
    control.abort(new Error('enough'))
    await t.rejects(cancelled, { message: 'enough' })
    for (const expected of ['c', 'd']) {
      ends.shift()?.()
      await tick()
      t.equal(started.at(-1), expected)
    }
    for (const end of ends) end()
    await Promise.all(calls)
    const after = run('e', vault)
    await tick()
    ends.at(-1)?.()
    await after
    t.equal(started.at(-1), 'e', 'every place was given back')
  })

  t.test('a failed request gives its place back', async t => {
    const limiter = createLimiter(createFakeClock(), 1)
    for (let count = 0; count < 3; count++)
      await t.rejects(limiter.run(asked('GET', vault), 1000, signal, () => Promise.reject(new Error('x'))))
  })

  t.test('after a 429 holds requests of that kind alone, until its time has passed', async t => {
    const clock = createFakeClock()
    const limiter = createLimiter(clock)
    const run = (method: string, path: string, leftMs = 45_000) =>
      limiter.run(asked(method, path), leftMs, signal, async () => answer(200)).then(() => clock.monotonic())
    await limiter.run(asked('GET', `${vault}/backupJobs/1`), 1, signal, async () =>
      answer(429, '', { 'retry-after': '30' }),
    )
    t.equal(await run('GET', `${vault}/backupPolicies`), 0, 'another kind')
    t.equal(await run('DELETE', `${vault}/backupJobs/1`), 0, 'another method')
    t.equal(await run('GET', `${other}/backupJobs/1`), 0, 'another subscription')
    await t.rejects(run('GET', `${vault}/backupJobs/2`, 30_000), {
      code: 'throttled',
      details: { retry_after_seconds: 30 },
    })
    t.equal(await run('GET', `${vault}/backupJobs/2`), 30_000)
    t.equal(await run('GET', `${vault}/backupJobs/2`), 30_000, 'then it is over')
  })

  t.test('a request that waited for its place while its kind was closed waits on', async t => {
    const clock = createFakeClock()
    const limiter = createLimiter(clock, 1)
    const first = limiter.run(asked('GET', vault), 1000, signal, async () => answer(429, '', { 'retry-after': '5' }))
    const second = limiter
      .run(asked('GET', vault), 45_000, signal, async () => answer(200))
      .then(() => clock.monotonic())
    await first
    t.equal(await second, 5000)
  })

  for (const left of ['0', '-1'])
    t.test(`spaces requests out when ${left} remain, until some remain again`, async t => {
      const clock = createFakeClock()
      const limiter = createLimiter(clock)
      const run = async (remaining: string) => {
        let startedMs = -1
        await limiter.run(asked('GET', vault), 45_000, signal, async () => {
          startedMs = clock.monotonic()
          await clock.sleep(1500)
          return answer(200, '', { 'x-ms-ratelimit-remaining-subscription-resource-requests': remaining })
        })
        return startedMs
      }
      t.equal(await run(left), 0)
      const [first = 0, ...rest] = await Promise.all([run(left), run(left), run('9')])
      t.same(rest, [first + 1000, first + 2000])
      const free = await run('9')
      t.same(await Promise.all([run('9'), run('9')]), [free + 1500, free + 1500])
    })

  t.test('is shared by calls side by side', async t => {
    const clock = createFakeClock()
    const { arm, deps } = createFakeAzure(
      [answer(429, '', { 'retry-after': '40' }), answer(200, {}), answer(200, {})],
      { clock, limiter: createLimiter(clock) },
    )
    await Promise.all([arm.get(vault), createArm(deps).get(vault)])
    t.equal(clock.monotonic(), 40_000)
  })
})

const places: [name: string, url: string, expected: string | undefined][] = [
  ['the origin itself', `${endpoint}/a?b=c`, '/a?b=c'],
  ['a regional endpoint', 'https://westus.management.azure.com/a', '/a'],
  ['a path', '/a?b=c', '/a?b=c'],
  ['a query', '?b=c', '/list?b=c'],
  ['an end of its name only', 'https://evilmanagement.azure.com/a', undefined],
  ['its name as a beginning', 'https://management.azure.com.evil.com/a', undefined],
  ['its name as a user', 'https://management.azure.com@evil.com/a', undefined],
  ['a user at it', 'https://me@management.azure.com/a', undefined],
  ['plain http', 'http://management.azure.com/a', undefined],
  ['another port', 'https://management.azure.com:8443/a', undefined],
  ['another port of a regional endpoint', 'https://westus.management.azure.com:8443/a', undefined],
  ['a host without a scheme', '//evil.com/a', undefined],
  ['a blob of it', `blob:${endpoint}/a`, undefined],
  ['backslashes', '/\\evil.com/a', undefined],
  ['a word', 'more', undefined],
  ['nothing', '', undefined],
]
for (const [name, url, expected] of places)
  t.test(`${name} ${expected ? 'is' : 'is not'} the ARM origin`, async t => {
    const located = locate(url, endpoint, '/list')
    t.equal(located.kind === 'ours' ? located.pathAndQuery : undefined, expected)
  })

t.test('a loopback endpoint is itself alone', async t => {
  const loopback = 'http://127.0.0.1:8080'
  t.equal(locate(`${loopback}/a`, loopback).kind, 'ours')
  for (const url of ['http://127.0.0.1:8081/a', 'https://127.0.0.1:8080/a', 'http://a.localhost:8080/a'])
    t.equal(locate(url, loopback).kind, 'foreign')
})

t.test('a path keeps what it asks for and loses its signature', async t => {
  t.equal(
    unsigned('/a?api-version=1&t=2&c=3&s=4&h=5&$filter=x&$skipToken=y&new=z'),
    '/a?api-version=1&$filter=x&$skipToken=y',
  )
  t.equal(unsigned('/a?fabricName=Azure?api-version=1'), '/a?api-version=1')
  t.equal(unsigned('/a'), '/a')
  t.equal(operationType(item), 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems')
})
