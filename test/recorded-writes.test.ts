/** What our tools write, held against what Azure was seen to take: every write that was recorded is made again. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import type { Exchange, Recording } from '../src/arm/recordings.ts'
import type { ArmResponse } from '../src/arm/send.ts'
import type { ToolName } from '../src/generated/tools.ts'
import { answer, createFakeAzure, endpoint } from './arm/fake-azure.ts'
import { sentFaults } from './helpers/definitions.ts'
import { momentOf, type Row, shownOf } from './helpers/moments.ts'
import { root } from './helpers/server.ts'
import { createTools, vaultId } from './helpers/tools.ts'

const recordings = path.join(root, '../shared/recordings')
const files = existsSync(recordings) ? readdirSync(recordings).filter(name => name.endsWith('.json')) : []
const skipped = files.length > 0 ? {} : { skip: 'the recordings are not here (../shared/recordings)' }

interface Intent {
  tool: ToolName
  args: Row
}
const fields = (value: unknown): Row => (typeof value === 'object' && value !== null ? (value as Row) : {})
const last = (id: unknown): string => String(id).split('/').at(-1) ?? ''

interface Case {
  /** Path from the vault on, decoded. */
  end: string
  vault: string
  query: string
  body: Row
  /** What stands at the path. */
  present: Row | undefined
}

/** Which tool does what a recorded write did, and its arguments; first fit counts. */
const intents: readonly [string, RegExp, (of: Case, match: RegExpExecArray) => Intent | undefined][] = [
  [
    'PUT',
    /\/protectedItems\/(vm;.*)$/i,
    ({ body, present, vault, end }) => {
      const { policyId, sourceResourceId, isRehydrate, protectionState } = body
      const item = vault + end
      if (isRehydrate) return { tool: 'undelete_protected_item', args: { item } }
      if (protectionState === 'ProtectionStopped') return { tool: 'disable_protection', args: { item } }
      return {
        tool: 'enable_protection',
        args: { item: present ? item : sourceResourceId, policy_name: last(policyId) },
      }
    },
  ],
  [
    'DELETE',
    /\/protectedItems\/vm;.*$/i,
    ({ vault, end }) => ({ tool: 'disable_protection', args: { item: vault + end, delete_backup_data: true } }),
  ],
  [
    'POST',
    /^(.*\/protectedItems\/vm;.*)\/backup$/i,
    ({ vault, body }, [, item]) => ({
      tool: 'trigger_backup',
      args: { item: vault + item, expiry_time: body.recoveryPointExpiryTimeInUTC },
    }),
  ],
  [
    'POST',
    /^(.*\/protectedItems\/vm;.*)\/recoveryPoints\/([^/]+)\/restore$/i,
    ({ vault, body }, [, item, point]) => ({
      tool: 'restore_vm',
      args: {
        item: vault + item,
        recovery_point_id: point,
        restore_mode: 'disks',
        staging_storage_account: body.storageAccountId,
      },
    }),
  ],
  ['POST', /\/backupJobs\/([^/]+)\/cancel$/i, (_, [, job]) => ({ tool: 'cancel_job', args: { job_id: job } })],
  [
    'PUT',
    /\/backupPolicies\/([^/]+)$/i,
    ({ body, present }, [, name]) => ({
      tool: present ? 'update_policy' : 'create_policy',
      args: { policy_name: name, policy: body },
    }),
  ],
  ['DELETE', /\/backupPolicies\/([^/]+)$/i, (_, [, name]) => ({ tool: 'delete_policy', args: { policy_name: name } })],
  [
    'PUT',
    /\/protectionContainers\/VMAppContainer;[^/]*$/i,
    ({ body }) => ({
      tool: body.operationType === 'Reregister' ? 'reregister_vm' : 'register_vm',
      args: { vm: body.sourceResourceId, workload_type: body.workloadType === 'SQLDataBase' ? 'SQL' : 'SAPHana' },
    }),
  ],
  [
    'DELETE',
    /\/protectionContainers\/VMAppContainer;[^/]*$/i,
    ({ vault, end }) => ({ tool: 'unregister_vm', args: { vm: vault + end, workload_type: 'AnyDatabase' } }),
  ],
  [
    'POST',
    /\/refreshContainers$/i,
    ({ query }) => ({
      tool: 'refresh_containers',
      args: query ? { backup_management_type: /'(\w+)'/.exec(query)?.[1] } : {},
    }),
  ],
]

/** What no tool of this version writes: vaults and their settings, and items and containers of shares and databases. */
const others = [
  /^$/,
  /^\/backup(storage)?config\//i,
  /\/protectionContainers\/StorageContainer;/i,
  /\/protectedItems\/(azurefileshare|sqldatabase);/i,
]

interface Difference {
  at: string
  recorded: unknown
  ours: unknown
}

const isId = (text: string): boolean => text.startsWith('/')

/** Where two bodies differ; ids count without letter case. */
const differing = (recorded: unknown, ours: unknown, at = ''): Difference[] => {
  if (typeof recorded === 'object' && typeof ours === 'object' && recorded !== null && ours !== null) {
    const names = new Set([...Object.keys(recorded), ...Object.keys(ours)])
    return [...names].flatMap(name => differing(fields(recorded)[name], fields(ours)[name], `${at}/${name}`))
  }
  const areIds = typeof recorded === 'string' && typeof ours === 'string' && isId(recorded) && isId(ours)
  const isSame = areIds ? recorded.toLowerCase() === ours.toLowerCase() : recorded === ours
  return isSame ? [] : [{ at, recorded, ours }]
}

/** How a body of ours may differ from what was recorded, and why. */
const differences: readonly { at: RegExp; isFine: (recorded: unknown, ours: unknown) => boolean; why: string }[] = [
  {
    at: /\/recoveryPointExpiryTimeInUTC$/,
    isFine: (recorded, ours) => Date.parse(String(recorded)) === Date.parse(String(ours)),
    why: 'the same moment, without milliseconds',
  },
  {
    at: /^\/properties\/protectedItemsCount$/,
    isFine: (_, ours) => ours === undefined,
    why: 'Azure counts by itself; the recorded client sends back what it read',
  },
  {
    at: /\/(scheduleRunTimes|retentionTimes)\/\d+$/,
    isFine: (recorded, ours) => String(recorded).slice(11, 16) === String(ours).slice(11, 16),
    why: 'only the clock counts; the recorded client sends the day of the default policy',
  },
]

const wrongIn = (recorded: unknown, ours: unknown): Difference[] =>
  differing(recorded, ours).filter(
    each => !differences.some(({ at, isFine }) => at.test(each.at) && isFine(each.recorded, each.ours)),
  )

/** What a result says when it is over; `soft`: soft delete was on. */
const done: Partial<Record<ToolName, (intent: Intent, isSoft: boolean) => RegExp>> = {
  enable_protection: () => /is protected under/,
  disable_protection: ({ args }, isSoft) =>
    args.delete_backup_data ? (isSoft ? /is soft-deleted/ : /are deleted for good/) : /is stopped/,
  undelete_protected_item: () => /is back with .*, stopped/,
  trigger_backup: () => /is backed up; .* is kept until 2021-0[67]-\d\dT00:00:00Z/,
  create_policy: () => /is created/,
  update_policy: () => /is changed/,
  delete_policy: () => /is deleted/,
  register_vm: () => /is registered with \S+ for SAP HANA/,
  reregister_vm: () => /is registered with \S+ for SQL/,
  unregister_vm: () => /is no longer registered/,
  refresh_containers: () => /Azure has looked for/,
}

/** What a result has to say by how the recorded work ended, as far as it was followed. */
const endOf = (exchanges: readonly Exchange[], at: number): Row => {
  const { request, response } = exchanges[at] as Exchange
  const { headers = {} } = response
  const url = headers['azure-asyncoperation'] ?? headers.location ?? ''
  const [operation = 'none'] = /[^/]+$/.exec(url.split('?')[0] ?? '') ?? []
  const after = exchanges.slice(at + 1)
  const polls = after.filter(each => each.request.url.includes(operation))
  // A poll that is throttled is asked again.
  const answers = polls.filter(({ response: { status } }) => status !== 202 && status !== 429)
  const last = answers.find(({ response: { body } }) => fields(body).status !== 'InProgress')
  const isAsked = last !== undefined && last.response.status < 300
  if (response.status === 202 && !isAsked) {
    const job_id = /\/backupJobs\/([^/]+)\/cancel\?/.exec(request.url)?.[1] ?? null
    return { status: 'in_progress', job_id }
  }
  const { jobId: job_id = null } = fields(fields(last?.response.body).properties)
  const jobs = after.filter(each => job_id !== null && each.request.url.includes(`/backupJobs/${job_id}?`))
  const { status = 'Completed' } = fields(fields(jobs.at(-1)?.response.body).properties)
  if (status === 'Failed') return { code: 'azure_error', job_id }
  return { status: status === 'Completed' ? 'succeeded' : 'in_progress', job_id }
}

/** The policies that were recorded, in words. */
const inWords = ({ backupManagementType: type, workLoadType: workload, ...body }: Row): Row | undefined => {
  const clock = /\d{4}-\d\d-\d\dT(\d\d:\d\d)/.exec(JSON.stringify(body))?.[1] ?? ''
  const schedule = { frequency: 'daily', times: [clock], time_zone: 'UTC' }
  const days = Number(/"count":(\d+),"durationType":"Days"/.exec(JSON.stringify(body))?.[1])
  const retention = { daily: { days } }
  if (type === 'AzureStorage') return { workload_type: 'AzureFileShare', schedule, retention }
  if (type === 'AzureIaasVM') {
    if (Object.keys(fields(body.instantRPDetails)).length > 0) return undefined // no words say where snapshots go
    return { workload_type: 'VM', schedule, retention, instant_restore_days: body.instantRpRetentionRangeInDays }
  }
  if (workload === 'SQLDataBase')
    return { workload_type: 'SQL', full: { schedule, retention }, log: { frequency_minutes: 60, retention_days: 30 } }
  const onTuesday = { week: 'First', weekday: 'Tuesday' }
  return {
    workload_type: 'SAPHana',
    full: {
      schedule: { frequency: 'weekly', days: ['Tuesday'], times: ['03:00'], time_zone: 'UTC' },
      retention: {
        weekly: { weeks: 104, days: ['Tuesday'] },
        monthly: { months: 60, ...onTuesday },
        yearly: { years: 10, months: ['January'], ...onTuesday },
      },
    },
    differential: { schedule: { frequency: 'weekly', days: ['Monday'], times: ['12:00'] }, retention_days: 30 },
    log: { frequency_minutes: 120, retention_days: 15 },
  }
}

/** A tool, run at the moment before a write that was recorded. */
const madeAt = async (exchanges: readonly Exchange[], at: number, startMs: number, { tool, args }: Intent) => {
  const { send, written } = momentOf(exchanges, at)
  const faults: string[] = []
  const fake = createFakeAzure([], {
    send: (request, signal) => {
      faults.push(...sentFaults(request.method, request.url, request.body))
      return send(request, signal)
    },
  })
  const clock = { ...fake.clock, now: () => startMs + fake.clock.monotonic() }
  const { call } = createTools(
    () => undefined,
    { confirmation: 'off' },
    { ...fake, clock, signal: fake.control.signal },
  )
  const result = await call(tool, { wait_seconds: 3600, ...args })
  return { result, written, faults }
}

t.test('recordings', skipped, async t => {
  const counts = new Map<string, number>()
  for (const file of files)
    t.test(file, async t => {
      const text = readFileSync(path.join(recordings, file), 'utf8')
      const { exchanges, recordedAt } = JSON.parse(text) as Recording & { recordedAt: string }
      for (const [at, { request }] of exchanges.entries()) {
        const { method, url, body } = request
        if (method === 'GET') continue
        const { pathname, searchParams } = new URL(url)
        const place = decodeURIComponent(pathname)
        const query = searchParams.get('$filter') ?? ''
        const [, vault = '', end = ''] = /^(.*\/vaults\/[^/]+)(.*)$/i.exec(place) ?? []
        if (others.some(pattern => pattern.test(end))) continue
        const before = exchanges.slice(0, at)
        const properties = fields(fields(body).properties)
        const of: Case = { end, vault, query, body: properties, present: shownOf(place, before) }
        const [[, pattern, intentOf] = []] = intents.filter(([verb, each]) => verb === method && each.test(end))
        const made = pattern && intentOf?.(of, pattern.exec(end) as RegExpExecArray)
        if (!made) {
          t.fail(`no tool does ${method} ${end}`)
          continue
        }
        const config = shownOf(`${vault}/backupconfig/vaultconfig`, before)
        const isSoft = fields(config?.properties).softDeleteFeatureState !== 'Disabled'
        const words = made.tool === 'create_policy' ? inWords(properties) : undefined
        const ways = [
          made,
          ...(words ? [{ tool: made.tool, args: { policy_name: made.args.policy_name, ...words } }] : []),
        ]
        for (const { tool, args } of ways) {
          const name = `${tool} as at ${at}`
          const intent = { tool, args: { vault, ...args } }
          const { result, written, faults } = await madeAt(exchanges, at, Date.parse(recordedAt), intent)
          const requests = written.map(each => [each.method, each.path.toLowerCase(), each.query])
          t.same(requests, [[method, place.toLowerCase(), query]], `${name} writes to the same place`)
          t.same(wrongIn(body, written[0]?.body), [], `${name} writes the same`)
          t.same(faults, [], `${name} asks for what Azure defines`)
          const expected = endOf(exchanges, at)
          const { code, status, details, message = '' } = result
          const { job_id } = { ...result, ...fields(details) }
          t.same(status ? { status, job_id } : { code, job_id }, expected, `${name} tells how it ended`)
          if (status === 'succeeded') t.match(message, done[tool]?.(intent, isSoft), `${name} tells what is done`)
          else t.notMatch(message, done[tool]?.(intent, isSoft) ?? / is done/, `${name} does not say that it is done`)
          t.notMatch(JSON.stringify(result), /"(0001|2001)-01-01T/, `${name}: no time that stands for none`)
          counts.set(tool, (counts.get(tool) ?? 0) + 1)
        }
      }
    })
  t.test('every kind of write that was recorded was made again', async t => {
    t.comment([...counts].map(([tool, count]) => `${tool} ${count}`).join(', '))
    t.same([...counts.keys()].sort(), [...Object.keys(done), 'cancel_job', 'restore_vm'].sort())
  })
})

const group = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app'
const vmId = `${group}/providers/Microsoft.Compute/virtualMachines/web-01`
const containers = `${vaultId}/backupFabrics/Azure/protectionContainers`
const itemId = `${containers}/IaasVMContainer;iaasvmcontainerv2;rg-app;web-01/protectedItems/VM;iaasvmcontainerv2;rg-app;web-01`
const containerId = `${containers}/VMAppContainer;Compute;rg-app;web-01`
const policyId = `${vaultId}/backupPolicies/daily`
const operation = '11111111-1111-4111-8111-111111111111'
const job = '22222222-2222-4222-8222-222222222222'
const otherJob = '33333333-3333-4333-8333-333333333333'
const at = (path: string) => `${endpoint}${path}/${operation}?api-version=2025-08-01`

const daily = (count: number): Row => ({
  backupManagementType: 'AzureIaasVM',
  instantRPDetails: {},
  schedulePolicy: {
    schedulePolicyType: 'SimpleSchedulePolicy',
    scheduleRunFrequency: 'Daily',
    scheduleRunTimes: ['2026-01-01T02:00:00Z'],
    scheduleWeeklyFrequency: 0,
  },
  retentionPolicy: {
    retentionPolicyType: 'LongTermRetentionPolicy',
    dailySchedule: {
      retentionTimes: ['2026-01-01T02:00:00Z'],
      retentionDuration: { count, durationType: 'Days' },
    },
  },
  instantRpRetentionRangeInDays: 2,
  timeZone: 'UTC',
})
const item = {
  id: itemId,
  properties: {
    protectedItemType: 'Microsoft.Compute/virtualMachines',
    sourceResourceId: vmId,
    protectionState: 'Protected',
    policyId,
  },
}
const registered = {
  id: containerId,
  properties: {
    backupManagementType: 'AzureWorkload',
    containerType: 'VMAppContainer',
    sourceResourceId: vmId,
    registrationStatus: 'Registered',
    workloadType: 'SQLDataBase',
    friendlyName: 'web-01',
  },
}
const policy = { id: policyId, name: 'daily', properties: daily(30) }

/** What is done, and what stands there before it. */
const changes = {
  protect: [{ tool: 'enable_protection', args: { item: vmId, policy_name: 'daily' } }, { [policyId]: policy }],
  stop: [{ tool: 'disable_protection', args: { item: itemId } }, { [itemId]: item }],
  remove: [{ tool: 'disable_protection', args: { item: itemId, delete_backup_data: true } }, { [itemId]: item }],
  make: [{ tool: 'create_policy', args: { policy_name: 'daily', policy: daily(30) } }, {}],
  lengthen: [
    { tool: 'update_policy', args: { policy_name: 'daily', retention: { daily: { days: 60 } } } },
    { [policyId]: policy },
  ],
  drop: [{ tool: 'delete_policy', args: { policy_name: 'daily' } }, { [policyId]: policy }],
  register: [{ tool: 'register_vm', args: { vm: vmId, workload_type: 'SQL' } }, {}],
  unregister: [
    { tool: 'unregister_vm', args: { vm: vmId, workload_type: 'AnyDatabase' } },
    { [containerId]: registered },
  ],
} satisfies Record<string, [Intent, Row]>

const inVault = `${vaultId}/backupOperations`
const succeeded = (properties?: Row) => ({
  status: 'Succeeded',
  startTime: '2026-11-22T10:00:00Z',
  endTime: '0001-01-01T00:00:00',
  ...(properties ? { properties } : {}),
})
const oneJob = succeeded({ objectType: 'OperationStatusJobExtendedInfo', jobId: job })
const manyJobs = succeeded({ objectType: 'OperationStatusJobsExtendedInfo', jobIds: [job, otherJob] })
const locations = (path: string) => ({ location: at(path) })
const polled = (path: string) => ({ 'azure-asyncoperation': at(path) })

const said: Readonly<Record<keyof typeof changes, RegExp>> = {
  protect: /^web-01 \(rg-app\) is protected under daily/,
  stop: /^Protection of web-01 \(rg-app\) is stopped/,
  remove: /^web-01 \(rg-app\) is soft-deleted: .* until 2026-12-06/,
  make: /^The policy daily is created/,
  lengthen: /changed/,
  drop: /^The policy is deleted/,
  register: /^web-01 \(rg-app\) is registered with vault-prod for SQL/,
  unregister: /^web-01 \(rg-app\) is no longer registered with vault-prod/,
}
const vaultProperties = {
  securitySettings: {
    softDeleteSettings: { softDeleteState: 'Enabled', softDeleteRetentionPeriodInDays: 14 },
    multiUserAuthorization: 'Disabled',
  },
}

/** Answers that Azure gives to one and the same write, by the version of the service and by what there is to do. */
const answers: readonly [keyof typeof changes, ArmResponse, Record<string, ArmResponse>, string | null][] = [
  ['protect', answer(200, item), {}, null],
  ['protect', answer(202, '', locations(`${itemId}/operationResults`)), { [inVault]: answer(200, oneJob) }, job],
  ['protect', answer(202, '', polled(`${itemId}/operationsStatus`)), { [inVault]: answer(200, oneJob) }, job],
  ['stop', answer(200, item), {}, null],
  ['remove', answer(200), {}, null],
  ['remove', answer(204), {}, null],
  ['remove', answer(202, '', locations(`${vaultId}/backupOperationResults`)), { [inVault]: answer(200, oneJob) }, job],
  ['make', answer(200, policy), {}, null],
  ['lengthen', answer(200, { ...policy, properties: daily(60) }), {}, null],
  [
    'lengthen',
    answer(202, '', polled(`${policyId}/operations`)),
    { [`${policyId}/operations`]: answer(200, manyJobs) },
    job,
  ],
  [
    'lengthen',
    answer(202, '', polled(`${policyId}/operations`)),
    { [`${policyId}/operations`]: answer(200, succeeded()) },
    null,
  ],
  ['drop', answer(200), {}, null],
  ['drop', answer(204), {}, null],
  [
    'drop',
    answer(202, '', locations(`${policyId}/operationResults`)),
    { [`${policyId}/operations`]: answer(200, succeeded()) },
    null,
  ],
  ['register', answer(200, registered), {}, null],
  [
    'register',
    answer(202, '', locations(`${containerId}/operationResults`)),
    { [`${containerId}/operationResults`]: answer(200, registered) },
    null,
  ],
  ['unregister', answer(200), {}, null],
  ['unregister', answer(204), {}, null],
  [
    'unregister',
    answer(202, '', {
      location: `${at(`${vaultId}/backupOperationResults`).split('?')[0]}?fabricName=Azure?api-version=2025-08-01`,
    }),
    { [`${containerId}/operationResults`]: answer(204) },
    null,
  ],
]

for (const [change, taken, polls, jobId] of answers) {
  const [intent, there] = changes[change] as [Intent, Row]
  const how = `${taken.status} ${Object.keys(taken.headers).join()}`.trim()
  t.test(`${change}: ${intent.tool} answered ${how}${jobId ? ' with a job' : ''} is done`, async t => {
    const vault = { id: vaultId, name: 'vault-prod', location: 'eastus', properties: vaultProperties }
    const jobAt = (id: string) => ({
      id: `${vaultId}/backupJobs/${id}`,
      name: id,
      properties: { status: 'Completed', operation: 'ConfigureBackup', endTime: '2026-11-22T10:00:05Z' },
    })
    const standing: Row = { [vaultId]: vault, ...there }
    const written: string[] = []
    const { call } = createTools(
      (asked, { method, url }) => {
        const path = decodeURIComponent(new URL(url).pathname)
        if (method !== 'GET') {
          written.push(asked)
          return taken
        }
        const [, place = '', last = ''] = /^(.*)\/([^/]+)$/.exec(path) ?? []
        if (last === operation) return polls[place]
        if (place === `${vaultId}/backupJobs`) return jobAt(last)
        return standing[path] ?? (/\/backup\w+$/.test(path) ? { value: [] } : undefined)
      },
      { confirmation: 'off' },
    )
    const result = await call(intent.tool, { ...intent.args, wait_seconds: 60 })
    t.equal(written.length, 1, 'written once')
    const { status, job_id, message, warnings } = result
    t.same({ status, job_id, warnings }, { status: 'succeeded', job_id: jobId, warnings: undefined })
    t.match(message, said[change])
    t.notMatch(JSON.stringify(result), /"0001-01-01T/)
  })
}
