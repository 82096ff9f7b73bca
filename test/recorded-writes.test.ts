/** What our tools write, held against what Azure was seen to take: every write that was recorded is made again. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import type { Exchange, Recording } from '../src/arm/recordings.ts'
import type { ToolName } from '../src/generated/tools.ts'
import { createFakeAzure } from './arm/fake-azure.ts'
import { sentFaults } from './helpers/definitions.ts'
import { momentOf, type Row, shownOf } from './helpers/moments.ts'
import { root } from './helpers/server.ts'
import { createTools } from './helpers/tools.ts'

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
  create_policy: () => /is made/,
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
  const last = polls.find(({ response: { status, body } }) => status !== 202 && fields(body).status !== 'InProgress')
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
