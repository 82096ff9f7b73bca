/** Lists page by page, and work followed to its end. */
import t from 'tap'
import { encodeOperationId } from '../../src/arm/operation-ids.ts'
import { type ListInput, listRows, type Source } from '../../src/backup/lists.ts'
import { follow, type Step } from '../../src/backup/waiting.ts'
import { Problem } from '../../src/problem.ts'
import type { ToolContext } from '../../src/tools/context.ts'
import { createFakeClock } from '../arm/fake-azure.ts'
import { answer, createTools, endpoint, failure, subscription, vaultId } from '../helpers/tools.ts'

/** Pages of rows with a number; even ones are filtered out. */
const source = (key: string, pages: number[][], read: string[] = []): Source => ({
  key,
  async *pages({ from }) {
    for (let at = from === undefined ? 0 : Number(from.slice(1)); at < Math.max(pages.length, 1); at++) {
      read.push(`${key}${at}`)
      yield {
        rows: (pages[at] ?? []).map(n => ({ n })),
        at: `/${at}`,
        next: at + 1 < pages.length ? `/${at + 1}` : undefined,
      }
    }
  },
})
const odd = (row: unknown) => {
  const { n } = row as { n: number }
  return n % 2 === 1 ? n : undefined
}
const sources = (read?: string[]) => [
  source('a', [[1, 2, 3], [4, 6], [5]], read),
  source('b', [], read),
  source('c', [[7, 9]], read),
]

const limits: [limit: number, pages: unknown[][], read: string[][]][] = [
  [1, [[1], [3], [5], [7], [9]], [['a0'], ['a0'], ['a1', 'a2'], ['b0', 'c0'], ['c0']]],
  [2, [[1, 3], [5, 7], [9]], [['a0'], ['a1', 'a2', 'b0', 'c0'], ['c0']]],
  [
    3,
    [
      [1, 3, 5],
      [7, 9],
    ],
    [
      ['a0', 'a1', 'a2'],
      ['b0', 'c0'],
    ],
  ],
  [5, [[1, 3, 5, 7, 9]], [['a0', 'a1', 'a2', 'b0', 'c0']]],
  [50, [[1, 3, 5, 7, 9]], [['a0', 'a1', 'a2', 'b0', 'c0']]],
]
for (const [limit, pages, reads] of limits)
  t.test(`${limit} rows at a time: every row once, and no page more than that takes`, async t => {
    const found: unknown[][] = []
    const read: string[][] = []
    let cursor: string | undefined
    do {
      const now: string[] = []
      const listed = await listRows('tool', { limit, ...(cursor ? { cursor } : {}) }, sources(now), odd)
      found.push(listed.rows)
      read.push(now)
      cursor = listed.nextCursor
    } while (cursor !== undefined)
    t.same(found, pages)
    t.same(read, reads)
  })

const cursorOf = async (input: ListInput & Record<string, unknown> = {}) =>
  (await listRows('tool', { limit: 1, ...input }, sources(), odd)).nextCursor ?? ''
const forged = (cursor: string, change: (parts: unknown[]) => unknown): string =>
  Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(cursor, 'base64url').toString())))).toString('base64url')
const cursors: [name: string, make: () => Promise<{ cursor: string; tool?: string; more?: object }>][] = [
  ['garbage', async () => ({ cursor: '%%%' })],
  ['JSON that is no cursor', async () => ({ cursor: Buffer.from('{"a":1}').toString('base64url') })],
  ['one of other arguments', async () => ({ cursor: await cursorOf({ name_contains: 'x' }) })],
  ['one of another tool', async () => ({ cursor: await cursorOf(), tool: 'other' })],
  [
    'one with another source',
    async () => ({ cursor: forged(await cursorOf(), ([digest, , from, at]) => [digest, 'z', from, at]) }),
  ],
  [
    'one with a negative place',
    async () => ({ cursor: forged(await cursorOf(), ([digest, key, from]) => [digest, key, from, -1]) }),
  ],
  [
    'one with a fraction for a place',
    async () => ({ cursor: forged(await cursorOf(), ([digest, key, from]) => [digest, key, from, 0.5]) }),
  ],
  [
    'one with a host',
    async () => ({ cursor: forged(await cursorOf(), ([digest, key]) => [digest, key, 'https://evil.example/', 0]) }),
  ],
  [
    'one with a host and no scheme',
    async () => ({ cursor: forged(await cursorOf(), ([digest, key]) => [digest, key, '//evil.example/', 0]) }),
  ],
]
for (const [name, make] of cursors)
  t.test(`a cursor that is ${name} is refused`, async t => {
    const { cursor, tool = 'tool', more } = await make()
    await t.rejects(listRows(tool, { ...more, cursor }, sources(), odd), { code: 'invalid_arguments' })
  })

t.test('a limit may change from page to page', async t => {
  const cursor = await cursorOf()
  t.same((await listRows('tool', { cursor, limit: 2 } as ListInput, sources(), odd)).rows, [3, 5])
})

t.test('a cursor into another list of Azure is refused before it is asked', async t => {
  const { call } = createTools(() => ({
    value: [
      { id: 'a', properties: {} },
      { id: 'b', properties: {} },
    ],
  }))
  const { next_cursor: cursor } = await call('list_policies', { limit: 1 })
  const other = forged(String(cursor), ([digest, key, from, at]) => [
    digest,
    key,
    String(from).replace('backupPolicies', 'backupJobs'),
    at,
  ])
  t.match(await call('list_policies', { limit: 1, cursor: other }), { code: 'invalid_arguments', asked: [] })
  t.match(await call('list_protected_items', { cursor }), { code: 'invalid_arguments', asked: [] })
})

const step = (over: Partial<Step<string>> = {}): Step<string> => ({
  value: 'now',
  isOver: false,
  retryAfterSeconds: undefined,
  percent: null,
  message: 'm',
  ...over,
})
const following = (waitSeconds: number, steps: (asked: number) => Partial<Step<string>>) => {
  const clock = createFakeClock()
  const control = new AbortController()
  const reports: object[] = []
  let asked = 0
  const context = {
    clock,
    signal: control.signal,
    progress: (report: object) => reports.push(report),
  } as unknown as ToolContext
  const end = follow(waitSeconds, context, async () => step(steps(++asked)))
  return { clock, control, reports, end, asked: () => asked }
}

const waits: [
  name: string,
  waitSeconds: number,
  steps: (asked: number) => Partial<Step<string>>,
  sleeps: number[],
  asked: number,
][] = [
  ['no wait asks once', 0, () => ({}), [], 1],
  ['what is over is not waited for', 600, () => ({ isOver: true }), [], 1],
  [
    'without a word of Azure: often at first, rarely later, and at the very end',
    60,
    () => ({}),
    [5000, 7500, 11_250, 16_875, 19_375],
    6,
  ],
  [
    'never more rarely than once a minute',
    600,
    asked => ({ isOver: asked === 12 }),
    [5000, 7500, 11_250, 16_875, 25_312.5, 37_968.75, 56_953.125, 60_000, 60_000, 60_000, 60_000],
    12,
  ],
  ["Azure's pace is kept", 60, asked => ({ retryAfterSeconds: 20, isOver: asked === 3 }), [20_000, 20_000], 3],
  ['a pace beyond the wait ends it at once', 30, () => ({ retryAfterSeconds: 31 }), [], 1],
  ['a pace of nothing is no tight loop', 60, asked => ({ retryAfterSeconds: 0, isOver: asked === 3 }), [50, 75], 3],
]
for (const [name, waitSeconds, steps, sleeps, asked] of waits)
  t.test(name, async t => {
    const run = following(waitSeconds, steps)
    t.equal((await run.end).value, 'now')
    t.same(run.clock.sleeps, sleeps)
    t.equal(run.asked(), asked)
  })

const busy = (seconds: number) =>
  new Problem('throttled', 'busy', 'Wait.', { details: { retry_after_seconds: seconds } })

t.test('a poll that is throttled is asked again when Azure says, within the wait', async t => {
  const run = following(600, asked => {
    if (asked === 2) throw busy(324)
    return { isOver: asked === 3 }
  })
  t.equal((await run.end).isOver, true)
  t.same(run.clock.sleeps, [5000, 324_000])
  t.equal(run.asked(), 3)
})

t.test('a throttle beyond the wait ends it', async t => {
  const run = following(300, () => {
    throw busy(324)
  })
  await t.rejects(run.end, { code: 'throttled' })
  t.equal(run.asked(), 1)
})

t.test('cancelling ends the wait at once', async t => {
  const run = following(600, () => {
    setImmediate(() => run.control.abort(new Error('stop')))
    return {}
  })
  await t.rejects(run.end, { message: 'stop' })
  t.equal(run.asked(), 1)
  t.equal(run.clock.pending(), 0)
})

t.test('progress is the time of the wait, and says the percentage where Azure tells one', async t => {
  const run = following(60, asked => (asked === 1 ? {} : { percent: 40, isOver: true }))
  t.same(run.reports, [{ progress: 0, total: 60, message: 'asking Azure' }], 'at once, before Azure has answered')
  await run.end
  t.same(run.reports.slice(1), [
    { progress: 0, total: 60, message: 'm' },
    { progress: 5, total: 60, message: 'm, 40%' },
  ])
  const silent = following(0, () => ({}))
  await silent.end
  t.same(silent.reports, [])
})

const operationPath = `${vaultId}/backupOperations/op-1`
const operationId = encodeOperationId({ kind: 'status', vaultId, path: operationPath })
const status = (word: string, more: object = {}) => ({
  id: 'op-1',
  name: 'op-1',
  status: word,
  startTime: '2026-11-22T09:00:00Z',
  endTime: '0001-01-01T00:00:00',
  ...more,
})
const withJob = { properties: { jobId: 'job-1' } }
const jobBody = (word: string, more: object = {}) => ({
  id: `${vaultId}/backupJobs/job-1`,
  name: 'job-1',
  properties: { status: word, operation: 'Backup', startTime: '2026-11-22T09:00:01Z', ...more },
})
const failedJob = { errorDetails: [{ errorCode: 400136, errorTitle: 'T', errorString: 'S' }] }

const tracked: [name: string, operation: object, job: object | undefined, expected: object][] = [
  [
    'running',
    status('InProgress'),
    undefined,
    { status: 'in_progress', job: null, job_id: null, end_time: null, start_time: '2026-11-22T09:00:00Z' },
  ],
  [
    'done without a job',
    status('Succeeded', { endTime: '2026-11-22T09:00:05Z' }),
    undefined,
    { status: 'succeeded', end_time: '2026-11-22T09:00:05Z', job_id: null },
  ],
  [
    'accepted, its job running',
    status('Succeeded', withJob),
    jobBody('InProgress'),
    { status: 'in_progress', job_id: 'job-1', end_time: null, job: { status: 'InProgress' } },
  ],
  ['its job being cancelled', status('Succeeded', withJob), jobBody('Cancelling'), { status: 'in_progress' }],
  [
    'its job done',
    status('Succeeded', withJob),
    jobBody('Completed', { endTime: '2026-11-22T09:30:00Z' }),
    { status: 'succeeded', end_time: '2026-11-22T09:30:00Z', error: null },
  ],
  [
    'its job done with warnings',
    status('Succeeded', withJob),
    jobBody('CompletedWithWarnings'),
    { status: 'succeeded_with_warnings' },
  ],
  [
    'its job failed',
    status('Succeeded', withJob),
    jobBody('Failed', failedJob),
    { status: 'failed', error: { code: '400136', message: 'S' } },
  ],
  ['its job cancelled', status('Succeeded', withJob), jobBody('Cancelled'), { status: 'cancelled' }],
  [
    'its job over, in other letters',
    status('succeeded', withJob),
    jobBody('completedWithWarnings'),
    { status: 'succeeded_with_warnings' },
  ],
  ['its job cancelled with one l', status('Succeeded', withJob), jobBody('Canceled'), { status: 'cancelled' }],
  [
    'one of its jobs failed',
    status('Succeeded', { properties: { jobIds: ['job-0', 'job-1'], failedJobsError: { 'job-1': 'X' } } }),
    jobBody('Failed', failedJob),
    { status: 'failed', job_id: 'job-1', error: { code: '400136' } },
  ],
  [
    'failed',
    status('Failed', { error: { code: 'UserErrorX', message: 'why' } }),
    undefined,
    { status: 'failed', error: { code: 'UserErrorX', message: 'why', remediation: null }, job: null },
  ],
  [
    'failed with a code that is known',
    status('Failed', { error: { code: 'BMSUserErrorObjectLocked', message: 'why' } }),
    undefined,
    { status: 'failed', error: { remediation: /wait until it is over/ } },
  ],
  [
    'failed, with a job that Azure left running',
    status('Failed', withJob),
    jobBody('InProgress'),
    { status: 'failed' },
  ],
  ['cancelled', status('Canceled'), undefined, { status: 'cancelled' }],
]
for (const [name, operation, job, expected] of tracked)
  t.test(`an operation: ${name}`, async t => {
    const { call } = createTools(asked => (asked.endsWith('/backupOperations/op-1') ? operation : job))
    const { asked, ...found } = await call('track_async_operation', { operation_id: operationId })
    t.match(found, { vault_name: 'vault-prod', operation_id: operationId, ...expected })
    t.same(asked, [`GET ${operationPath}`, ...(job ? [`GET ${vaultId}/backupJobs/job-1`] : [])])
  })

t.test('the job of an operation in the paired region is asked of that region', async t => {
  const paired = vaultId.replace(/resourceGroups.*/, 'providers/Microsoft.RecoveryServices/locations/westus')
  const path = `${paired}/backupCrrOperationsStatus/b3A=`
  const { call } = createTools(asked =>
    asked.startsWith('POST') ? jobBody('InProgress') : status('Succeeded', withJob),
  )
  t.match(await call('track_async_operation', { operation_id: encodeOperationId({ kind: 'status', vaultId, path }) }), {
    status: 'in_progress',
    job_id: 'job-1',
    asked: [`GET ${path}`, `POST ${paired}/backupCrrJob`],
  })
})

t.test('what has ended is over at once, also where its job is left running', async t => {
  const { call, clock } = createTools(asked =>
    asked.endsWith('op-1') ? status('Failed', withJob) : jobBody('InProgress'),
  )
  t.match(await call('track_async_operation', { operation_id: operationId, wait_seconds: 600 }), { status: 'failed' })
  t.same(clock.sleeps, [])
})

t.test('waiting follows the operation, then only its job', async t => {
  let polls = 0
  const { call, asked, reports } = createTools(text => {
    if (text.endsWith('op-1'))
      return ++polls < 2 ? answer(200, status('InProgress'), { 'retry-after': '1' }) : status('Succeeded', withJob)
    return jobBody(asked.length < 5 ? 'InProgress' : 'Completed')
  })
  const done = await call('track_async_operation', { operation_id: operationId, wait_seconds: 600 })
  t.match(done, { status: 'succeeded' })
  const [operation, job] = [`GET ${operationPath}`, `GET ${vaultId}/backupJobs/job-1`]
  t.same(done.asked, [operation, operation, job, job, job])
  t.equal(reports.length, 5)
})

t.test('time being up is told as it stands, with the pace of Azure', async t => {
  const { call } = createTools(() => answer(200, status('InProgress'), { 'retry-after': '60' }))
  const called = await call('track_async_operation', { operation_id: operationId, wait_seconds: 30 })
  t.match(called, { status: 'in_progress', retry_after_seconds: 60 })
  t.equal(called.asked.length, 1)
})

t.test('an operation that Azure has forgotten is not_found', async t => {
  const { call } = createTools(() => failure(404, 'BMSUserErrorOperationNotFound', 'gone'))
  t.match(await call('track_async_operation', { operation_id: operationId }), { code: 'not_found', message: 'gone' })
})

t.test("an item's polling URL is followed in its vault", async t => {
  const { call } = createTools(() => status('InProgress'))
  const url = `${endpoint}${vaultId}/backupFabrics/Azure/protectionContainers/c/protectedItems/i/operationsStatus/op-1?api-version=2020-10-01`
  t.match(await call('track_async_operation', { operation_url: url }), {
    status: 'in_progress',
    operation_id: operationId,
    asked: [`GET ${operationPath}`],
  })
})

const strangers: object[] = [
  {},
  { operation_id: operationId, operation_url: endpoint },
  { operation_id: 'nonsense' },
  { operation_url: `https://evil.example${operationPath}` },
  { operation_url: `${endpoint}/subscriptions/${subscription}` },
  { operation_url: operationPath },
]
for (const args of strangers)
  t.test(`${JSON.stringify(args)} is no operation`, async t => {
    t.match(await createTools(() => ({})).call('track_async_operation', { ...args }), {
      code: 'invalid_arguments',
      asked: [],
    })
  })
