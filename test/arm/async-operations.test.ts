import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { Operation, Poll } from '../../src/arm/arm.ts'
import { createArm } from '../../src/arm/client.ts'
import { decodeOperationId, encodeOperationId, operationFromUrl } from '../../src/arm/operation-ids.ts'
import type { Send } from '../../src/arm/send.ts'
import {
  answer,
  armErrorOf,
  container,
  createFakeAzure,
  endpoint,
  fabric,
  failure,
  item,
  type Scripted,
  subscription,
  vault,
} from './fake-azure.ts'

const op = '27d60889-d7d7-405c-959e-2c37bfeb7dcb'
const region = `/subscriptions/${subscription}/providers/Microsoft.RecoveryServices/locations/westus`
const job = `${vault}/backupJobs/00000000-0000-0000-0000-00000000000a`
const policy = `${vault}/backupPolicies/p`
const coded = (path: string) => path.replaceAll(';', '%3B')
const old = (path: string) => `${endpoint}${path}?api-version=2020-10-01`
const signed = (path: string, more = '1') =>
  `${endpoint}${path}?api-version=2026-07-01&t=${more}&c=MIIH&s=hidden&h=hidden`

const table: [
  name: string,
  method: string,
  path: string,
  location: string,
  status: string,
  kind: string,
  unsigned: string,
  follows: 'location' | 'status' | 'none',
][] = [
  [
    'protect',
    'PUT',
    item,
    `${item}/operationResults/${op}`,
    `${item}/operationsStatus/${op}`,
    'status',
    `${vault}/backupOperations/${op}`,
    'status',
  ],
  [
    'backup',
    'POST',
    `${item}/backup`,
    `${item}/operationResults/${op}`,
    `${item}/operationsStatus/${op}`,
    'status',
    `${vault}/backupOperations/${op}`,
    'status',
  ],
  [
    'restore',
    'POST',
    `${item}/recoveryPoints/1/restore`,
    `${item}/operationResults/${op}`,
    `${item}/operationsStatus/${op}`,
    'status',
    `${vault}/backupOperations/${op}`,
    'status',
  ],
  [
    'delete',
    'DELETE',
    item,
    `${vault}/backupOperationResults/${op}`,
    `${vault}/backupOperations/${op}`,
    'status',
    `${vault}/backupOperations/${op}`,
    'status',
  ],
  [
    'register',
    'PUT',
    container,
    `${container}/operationResults/${op}`,
    `${container}/operationsStatus/${op}`,
    'result',
    `${coded(container)}/operationResults/${op}`,
    'location',
  ],
  [
    'inquire',
    'POST',
    `${container}/inquire`,
    `${container}/operationResults/${op}`,
    `${container}/operationsStatus/${op}`,
    'result',
    `${coded(container)}/operationResults/${op}`,
    'location',
  ],
  [
    'unregister',
    'DELETE',
    container,
    `${vault}/backupOperationResults/${op}?fabricName=Azure`,
    `${fabric}/operationsStatus/${op}`,
    'result',
    `${coded(container)}/operationResults/${op}`,
    'none',
  ],
  [
    'refresh',
    'POST',
    `${fabric}/refreshContainers`,
    `${fabric}/operationResults/${op}`,
    `${fabric}/operationsStatus/${op}`,
    'result',
    `${fabric}/operationResults/${op}`,
    'location',
  ],
  [
    'cancel',
    'POST',
    `${job}/cancel`,
    `${job}/operationResults/${op}`,
    `${job}/operationsStatus/${op}`,
    'result',
    `${job}/operationResults/${op}`,
    'location',
  ],
  [
    'vault',
    'DELETE',
    vault,
    `${vault}/operationResults/YWJj=`,
    `${vault}/operationStatus/YWJj=`,
    'status',
    `${vault}/operationStatus/YWJj%3D`,
    'status',
  ],
  [
    'cross-region',
    'POST',
    `${region}/backupCrossRegionRestore`,
    `${region}/backupCrrOperationResults/YWJj=`,
    `${region}/backupCrrOperationsStatus/YWJj=`,
    'status',
    `${region}/backupCrrOperationsStatus/YWJj%3D`,
    'status',
  ],
  [
    'policy',
    'PUT',
    policy,
    `${policy}/operationResults/${op}`,
    `${policy}/operations/${op}`,
    'status',
    `${policy}/operations/${op}`,
    'status',
  ],
  [
    'validate',
    'POST',
    `${vault}/backupTriggerValidateOperation`,
    `${vault}/backupValidateOperationResults/${op}`,
    `${vault}/backupValidateOperationsStatuses/${op}`,
    'status',
    `${vault}/backupValidateOperationsStatuses/${op}`,
    'status',
  ],
  [
    'of no known kind',
    'POST',
    `${vault}/somethingNew`,
    `${vault}/operationResults/${op}`,
    `${vault}/operationStatus/${op}`,
    'status',
    `${vault}/operationStatus/${op}?api-version=2026-07-01`,
    'status',
  ],
]
const reply = (location: string, status: string) => ({
  status: 202,
  headers: { location, 'azure-asyncoperation': status },
  body: undefined,
  clientRequestId: 'id-1',
})
for (const [name, method, path, location, status, kind, unsigned, follows] of table)
  t.test(
    `operation ${name}: ${kind} at ${unsigned.replace(coded(container), '{C}').replace(fabric, '{F}').replace(vault, '{V}').replace(region, '{L}')}`,
    async t => {
      const { arm } = createFakeAzure([])
      const urls = { location: signed(location), status: signed(status), none: undefined }
      const operation = arm.operationOf({ method, path }, reply(signed(location), signed(status)))
      const vaultId = path.startsWith(region) ? undefined : vault
      t.same({ signedUrl: undefined, ...operation }, { kind, vaultId, path: unsigned, signedUrl: urls[follows] })
      t.same(
        decodeOperationId(encodeOperationId(operation as Operation)),
        { kind, vaultId, path: unsigned },
        'and in a later process',
      )

      const plain = arm.operationOf({ method, path }, reply(old(location), old(status)))
      t.equal(plain?.signedUrl, undefined, 'a URL without a signature is not needed')

      const foreign = arm.operationOf(
        { method, path },
        reply(signed(location).replace('azure.com', 'evil.com'), signed(status).replace('azure.com', 'evil.com')),
      )
      t.equal(foreign?.signedUrl, undefined, 'a URL elsewhere is not fetched')
      t.equal(
        foreign?.path,
        name === 'of no known kind' ? `${vault}/backupOperations/${op}` : unsigned,
        'and the operation not lost',
      )

      const regional = arm.operationOf(
        { method, path },
        reply(
          signed(location).replace('https://', 'https://westus.'),
          signed(status).replace('https://', 'https://westus.'),
        ),
      )
      t.equal(
        regional?.signedUrl,
        urls[follows]?.replace('https://', 'https://westus.'),
        'a regional endpoint is followed',
      )
    },
  )

t.test('an answer that is final starts no operation', async t => {
  const { arm } = createFakeAzure([])
  const final = { status: 200, headers: {}, body: {}, clientRequestId: 'x' }
  t.equal(arm.operationOf({ method: 'PUT', path: item }, final), undefined)
  t.equal(
    arm.operationOf({ method: 'PUT', path: item }, { ...final, status: 202 }),
    undefined,
    'nor one without a name',
  )
  t.equal(
    arm.operationOf(
      { method: 'PUT', path: vault },
      { ...final, headers: { 'azure-asyncoperation': old(`${vault}/operationStatus/a`) } },
    )?.kind,
    'status',
  )
  t.equal(
    arm.operationOf(
      { method: 'PUT', path: item },
      { ...final, status: 202, headers: { location: `${item}/operationResults/${op}` } },
    )?.path,
    `${vault}/backupOperations/${op}`,
    'a path will do',
  )
})

const statusOperation: Operation = { kind: 'status', vaultId: vault, path: `${vault}/backupOperations/${op}` }
const resultOperation: Operation = {
  kind: 'result',
  vaultId: vault,
  path: `${coded(container)}/operationResults/${op}`,
}
const body = (status: string, more: object = {}) => ({
  id: op,
  name: op,
  status,
  startTime: '2026-11-22T10:00:00Z',
  endTime: '0001-01-01T00:00:00',
  ...more,
})

const polls: [name: string, operation: Operation, script: Scripted[], expected: Partial<Poll> & object][] = [
  [
    'under way',
    statusOperation,
    [answer(200, body('InProgress'), { 'retry-after': '60' })],
    { kind: 'running', retryAfterSeconds: 60 },
  ],
  [
    'a word that is not known',
    statusOperation,
    [answer(200, body('Waiting'))],
    { kind: 'running', retryAfterSeconds: undefined },
  ],
  ['no body yet', statusOperation, [answer(202)], { kind: 'running' }],
  [
    'done, with its job',
    statusOperation,
    [answer(200, body('Succeeded', { properties: { objectType: 'OperationStatusJobExtendedInfo', jobId: 'j' } }))],
    { kind: 'succeeded', jobIds: ['j'] },
  ],
  [
    'done, with several jobs',
    statusOperation,
    [answer(200, body('Succeeded', { properties: { jobIds: ['j', 'k'], failedJobsError: { l: 'Bad' } } }))],
    { kind: 'succeeded', jobIds: ['j', 'k', 'l'] },
  ],
  ['done, without a job', statusOperation, [answer(200, body('succeeded'))], { kind: 'succeeded', jobIds: [] }],
  [
    'failed',
    statusOperation,
    [answer(200, body('Failed', { error: { code: 'X', message: 'why' } }))],
    { kind: 'failed', error: { code: 'X', message: 'why' }, jobIds: [] },
  ],
  [
    'failed jobs',
    statusOperation,
    [answer(200, body('Failed', { properties: { failedJobsError: { l: 'Bad' } } }))],
    { kind: 'failed', error: { code: 'OperationFailed', message: 'job l: Bad' }, jobIds: ['l'] },
  ],
  [
    'invalid',
    statusOperation,
    [answer(200, body('Invalid'))],
    { kind: 'failed', error: { code: 'OperationInvalid', message: 'The operation ended as Invalid.' } },
  ],
  ['cancelled with one l', statusOperation, [answer(200, body('Canceled'))], { kind: 'cancelled' }],
  ['cancelled with two', statusOperation, [answer(200, body('Cancelled'))], { kind: 'cancelled' }],
  [
    'a gateway that gave up in between',
    statusOperation,
    [answer(504), answer(200, body('InProgress'))],
    { kind: 'running' },
  ],
  [
    'a result under way',
    resultOperation,
    [answer(202, {}, { 'retry-after': '5' })],
    { kind: 'running', retryAfterSeconds: 5 },
  ],
  ['a result', resultOperation, [answer(200, { name: 'c' })], { kind: 'succeeded', body: { name: 'c' }, jobIds: [] }],
  ['a result without a body', resultOperation, [answer(204)], { kind: 'succeeded', body: undefined }],
  [
    'a result that is an error',
    resultOperation,
    [failure(400, 'X', 'why')],
    { kind: 'failed', error: { code: 'X', message: 'why' } },
  ],
]
for (const [name, operation, script, expected] of polls)
  t.test(`poll, ${name}: ${'kind' in expected ? expected.kind : ''}`, async t => {
    const { arm, requests } = createFakeAzure(script)
    t.match(await arm.poll(operation), expected)
    t.equal(requests.at(-1)?.url, `${endpoint}${operation.path}?api-version=2025-08-01`)
  })

t.test('what stands in the way of asking is thrown, and is no failure of the operation', async t => {
  for (const [operation, response, code] of [
    [resultOperation, failure(401, 'ExpiredAuthenticationToken', ''), 'not_signed_in'],
    [resultOperation, failure(403, 'AuthorizationFailed', ''), 'forbidden'],
    [resultOperation, failure(404, 'ResourceNotFound', ''), 'not_found'],
    [resultOperation, failure(429, 'X', '', { 'retry-after': '99' }), 'throttled'],
    [statusOperation, failure(400, 'X', ''), 'azure_error'],
    [statusOperation, answer(200, {}), 'azure_error'],
  ] as const)
    t.equal((await armErrorOf(createFakeAzure([response]).arm.poll(operation))).code, code)
})

t.test('a signed URL', async t => {
  const url = signed(`${item}/operationsStatus/${op}`)
  const fresh = signed(`${item}/operationsStatus/${op}`, '2')
  const operation = { ...statusOperation, signedUrl: url }

  t.test('is fetched as it is, and replaced by the fresh one of each answer', async t => {
    const { arm, requests } = createFakeAzure([
      answer(200, body('InProgress'), { 'azure-asyncoperation': fresh }),
      answer(200, body('Succeeded')),
    ])
    const first = await arm.poll(operation)
    t.match(first, { kind: 'running', operation: { signedUrl: fresh } })
    if (first.kind === 'running') await arm.poll(first.operation)
    t.same(
      requests.map(request => request.url),
      [url, fresh],
    )
  })

  t.test('of another operation or host is not taken up', async t => {
    for (const other of [fresh.replace(op, 'another'), fresh.replace('azure.com', 'evil.com')]) {
      const { arm } = createFakeAzure([answer(200, body('InProgress'), { 'azure-asyncoperation': other })])
      t.match(await arm.poll(operation), { operation: { signedUrl: url } })
    }
  })

  for (const status of [401, 403, 404, 410])
    t.test(`that answers ${status} is given up for the unsigned path`, async t => {
      const { arm, requests } = createFakeAzure([failure(status, 'X', 'lapsed'), answer(200, body('InProgress'))])
      const poll = await arm.poll(operation)
      t.match(poll, { kind: 'running', operation: statusOperation })
      t.notOk(poll.kind === 'running' && poll.operation.signedUrl)
      t.equal(requests[1]?.url, `${endpoint}${statusOperation.path}?api-version=2025-08-01`)
    })

  t.test('never reaches a log, an error or an operation id', async t => {
    const { arm, lines } = createFakeAzure([answer(503), failure(400, 'X', `see ${url}`)])
    const error = await armErrorOf(arm.poll(operation))
    const shown = JSON.stringify([lines, error.message, error.remediation, error.details, encodeOperationId(operation)])
    t.notMatch(shown, /hidden|MIIH/)
    t.ok(lines.length > 2)
    t.match(decodeOperationId(encodeOperationId(operation)), statusOperation)
    t.notMatch(Buffer.from(encodeOperationId(operation), 'base64url').toString(), /hidden|MIIH/)
  })
})

t.test('an operation id that was not made here is none', async t => {
  const encode = (...fields: unknown[]) => Buffer.from(JSON.stringify(fields)).toString('base64url')
  const { kind, vaultId, path } = statusOperation
  t.ok(decodeOperationId(encode(1, kind, vaultId, path)))
  const bad: [name: string, text: string][] = [
    ['no base64url', 'not an id!'],
    ['no JSON', Buffer.from('hello there').toString('base64url')],
    ['no list', Buffer.from('{"path":"/x"}').toString('base64url')],
    ['another version', encode(2, kind, vaultId, path)],
    ['another kind', encode(1, 'other', vaultId, path)],
    ['no vault id', encode(1, kind, 'vault-1', path)],
    ['more than a vault id', encode(1, kind, `${vault}/x`, path)],
    ['a vault id with a query', encode(1, kind, `${vault}?x`, `${region}/backupCrrOperationsStatus/1`)],
    ['another vault', encode(1, kind, `${vault}2`, path)],
    ['a host', encode(1, kind, vaultId, endpoint + path)],
    ['a host without a scheme', encode(1, kind, vaultId, `//evil.com${path}`)],
    ['steps', encode(1, kind, vaultId, `${vault}/../x/backupOperations/1`)],
    ['encoded steps', encode(1, kind, vaultId, `${vault}/%2e%2e/x/backupOperations/1`)],
    ['backslashes', encode(1, kind, vaultId, `${vault}\\x/backupOperations/1`)],
    ['a signature', encode(1, kind, vaultId, `${path}?t=1&c=2`)],
    ['no operation', encode(1, kind, vaultId, `${vault}/backupJobs/1`)],
    [
      'another provider',
      encode(1, kind, null, `/subscriptions/${subscription}/providers/Microsoft.Compute/locations/w/operations/1`),
    ],
    ['a letter that a URL has to encode', encode(1, kind, vaultId, `${vault}/backupOperations/é`)],
    ['nothing', ''],
  ]
  for (const [name, text] of bad) t.equal(decodeOperationId(text), undefined, name)
})

t.test('a polling URL given by a user', async t => {
  const rows: [name: string, url: string, expected: Operation | undefined][] = [
    [
      'of a vault',
      old(`${vault}/backupOperations/${op}`),
      { ...statusOperation, path: `${statusOperation.path}?api-version=2020-10-01` },
    ],
    [
      'of an item',
      signed(`${item}/operationsStatus/${op}`),
      { ...statusOperation, signedUrl: signed(`${item}/operationsStatus/${op}`) },
    ],
    ["an item's Location", signed(`${item}/operationResults/${op}`), statusOperation],
    [
      'of a container',
      old(`${container}/operationResults/${op}`),
      { ...resultOperation, path: `${container}/operationResults/${op}?api-version=2020-10-01` },
    ],
    [
      'with two question marks',
      `${endpoint}${vault}/backupOperationResults/${op}?fabricName=Azure?api-version=2020-10-01`,
      { kind: 'result', vaultId: vault, path: `${vault}/backupOperationResults/${op}?api-version=2020-10-01` },
    ],
    ['of another host', `https://evil.com${vault}/backupOperations/${op}`, undefined],
    ['without a host', `${vault}/backupOperations/${op}`, undefined],
    ['of no operation', old(`${vault}/backupJobs/1`), undefined],
    ['of nothing', 'hello', undefined],
  ]
  for (const [name, url, expected] of rows) t.same(operationFromUrl(url, endpoint), expected, name)
})

const recordings = new URL('../../../../shared/recordings/', import.meta.url)
const recorded = (file: string) => new URL(file, recordings)
const notThere = existsSync(recordings) ? false : 'no ../shared/recordings here'

interface Exchange {
  request: { method: string; url: string }
  response: { status: number; headers: Record<string, string>; body: unknown }
}

/** The answers of one file, by method and path, in recorded order, without what its polling went on with. */
function replay(file: string): { exchanges: Exchange[]; send: Send } {
  const { exchanges } = JSON.parse(readFileSync(recorded(file), 'utf8')) as { exchanges: Exchange[] }
  const key = (method: string, url: string) => `${method} ${decodeURIComponent(new URL(url).pathname).toLowerCase()}`
  const rest = [...exchanges]
  const send: Send = async ({ method, url }) => {
    const at = rest.findIndex(({ request }) => key(request.method, request.url) === key(method, url))
    const [found] = at < 0 ? [] : rest.splice(at, 1)
    if (!found) throw new Error(`not recorded: ${method} ${url}`)
    const { status, headers, body } = found.response
    return { status, headers, body: body === null || body === undefined ? '' : JSON.stringify(body) }
  }
  return { exchanges, send }
}

const storyRows: [name: string, file: string, method: string, path: RegExp, ends: object][] = [
  [
    'protecting a share',
    'test_afs_backup_container.json',
    'PUT',
    /\/protectedItems\/[^/]+$/,
    { kind: 'succeeded', jobIds: [/^[0-9a-f-]{36}$/] },
  ],
  [
    'registering an account, with a 504 on the way',
    'test_afs_backup_container.json',
    'PUT',
    /\/protectionContainers\/[^/]+$/,
    { kind: 'succeeded', body: { properties: { registrationStatus: 'Registered' } } },
  ],
  [
    'looking for containers',
    'test_afs_backup_container.json',
    'POST',
    /\/refreshContainers$/,
    { kind: 'succeeded', body: undefined },
  ],
  [
    'unregistering an account',
    'test_afs_backup_container.json',
    'DELETE',
    /\/protectionContainers\/[^/]+$/,
    { kind: 'succeeded', body: undefined },
  ],
  [
    'deleting a share',
    'test_afs_backup_container.json',
    'DELETE',
    /\/protectedItems\/[^/]+$/,
    { kind: 'succeeded', jobIds: [/^[0-9a-f-]{36}$/] },
  ],
]
for (const [name, file, method, pattern, ends] of storyRows)
  t.test(`recorded: ${name} is followed to its end`, { skip: notThere }, async t => {
    const { exchanges, send } = replay(file)
    const first = exchanges.find(
      ({ request, response }) =>
        request.method === method && response.status === 202 && pattern.test(new URL(request.url).pathname),
    )
    if (!first) throw new Error('the recording has no such request')
    const path = decodeURIComponent(new URL(first.request.url).pathname)
    const arm = createArm({ ...createFakeAzure([]).deps, send })
    const operation = arm.operationOf({ method, path }, { ...first.response, clientRequestId: 'x' })
    if (!operation) throw new Error('it is an operation')
    let poll = await arm.poll(operation)
    let count = 1
    for (; poll.kind === 'running' && count < 20; count++) poll = await arm.poll(poll.operation)
    t.match(poll, ends)
    t.ok(count > 1, 'it was under way at first')
  })
