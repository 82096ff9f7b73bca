import t, { type Test } from 'tap'
import { type Fields, fields, list } from '../../src/backup/fields.ts'
import { type Answered, answer } from '../../src/simulator/azure.ts'
import { createVirtualClock } from '../../src/simulator/clock.ts'
import { effects } from '../../src/simulator/effects.ts'
import { itemIdOf } from '../../src/simulator/finding.ts'
import {
  addGroup,
  addItem,
  addStorageAccount,
  addSubscription,
  addVault,
  addVm,
  blankState,
  vmItemOf,
} from '../../src/simulator/making.ts'
import { logsOf } from '../../src/simulator/points.ts'
import { planNextRun, unplan } from '../../src/simulator/schedules-runner.ts'
import { type Item, keyOf, type Vault } from '../../src/simulator/state.ts'
import { loadState, saveState } from '../../src/simulator/state-file.ts'
import { createWorld, type World } from '../../src/simulator/world.ts'
import { faultsOf } from '../helpers/definitions.ts'

const subscriptionId = '11111111-1111-4111-8111-111111111111'
const startMs = Date.parse('2026-03-01T08:00:00Z')
const minute = 60
const hour = 60 * minute
const day = 24 * hour
const newest = '2025-08-01'
const recorded = '2020-10-01'

const account = (name: string) =>
  `/subscriptions/${subscriptionId}/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/${name}`
const network = `/subscriptions/${subscriptionId}/resourceGroups/rg-app/providers/Microsoft.Network/virtualNetworks/vnet-app`
const machine = (name: string) =>
  `/subscriptions/${subscriptionId}/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/${name}`
const group = (name: string) => `/subscriptions/${subscriptionId}/resourceGroups/${name}`

interface Estate {
  world: World
  vault: Vault
  item: Item
  /** Asks as a client does; whatever is asked and answered has to agree with Azure's definitions. */
  ask: (method: string, path: string, body?: unknown, version?: string) => Answered
  /** Asks for what Azure refuses, and may not even define: the status and code of the refusal. */
  refused: (method: string, path: string, body?: unknown) => string
  /** The parsed body of a GET. */
  read: (path: string, version?: string) => Fields
  /** Lets simulated seconds pass. */
  pass: (seconds: number) => void
}

const estate = (t: Test, policy = 'DefaultPolicy'): Estate => {
  const state = blankState(7, startMs, '99999999-9999-4999-8999-999999999999', ['token'])
  const clock = createVirtualClock(startMs, 0, () => 0)
  const world = createWorld(state, clock, effects)
  addSubscription(state, subscriptionId, 'Contoso Production')
  const vault = addVault(state, { subscriptionId, resourceGroup: 'rg-backup', name: 'vault-prod', location: 'eastus' })
  const vm = addVm(state, {
    subscriptionId,
    resourceGroup: 'rg-app',
    name: 'web-01',
    location: 'eastus',
    disks: [
      { lun: -1, name: 'web-01_OsDisk', sizeGb: 127 },
      { lun: 0, name: 'web-01_Data0', sizeGb: 64 },
      { lun: 1, name: 'web-01_Data1', sizeGb: 64 },
    ],
  })
  for (const [name, location] of [
    ['staging', 'eastus'],
    ['faraway', 'westus'],
  ] as const)
    addStorageAccount(state, { subscriptionId, resourceGroup: 'rg-app', name, location })
  addGroup(state, subscriptionId, 'rg-restore', 'eastus')
  state.networks.set(keyOf(network), {
    id: network,
    subscriptionId,
    resourceGroup: 'rg-app',
    name: 'vnet-app',
    location: 'eastus',
    subnets: ['default'],
  })
  const item = addItem(vault, vmItemOf(vm, policy, '35185630440819'))
  planNextRun(world, vault, item)
  const exchange = (method: string, path: string, body?: unknown, version = newest) => {
    const url = `${path}${path.includes('?') ? '&' : '?'}api-version=${version}`
    const answered = answer(world, {
      method,
      url,
      base: 'http://127.0.0.1:8080',
      headers: { authorization: 'Bearer token' },
      body: body === undefined ? '' : JSON.stringify(body),
    })
    const response = {
      status: answered.status,
      ...(answered.body === '' ? {} : { body: JSON.parse(answered.body) as unknown }),
    }
    const request = {
      method,
      url: `https://management.azure.com${url}`,
      ...(body === undefined ? {} : { body }),
    }
    return { answered, faults: faultsOf({ request, response }) }
  }
  const ask: Estate['ask'] = (method, path, body, version) => {
    const { answered, faults } = exchange(method, path, body, version)
    t.same(faults, [], `${method} ${path} is as Azure defines it`)
    return answered
  }
  return {
    world,
    vault,
    item,
    ask,
    refused: (method, path, body) => {
      const { answered, faults } = exchange(method, path, body)
      t.notOk(faults.find(fault => fault.startsWith('response')))
      const { error } = JSON.parse(answered.body) as { error: { code: string } }
      return `${answered.status} ${error.code}`
    },
    read: (path, version) => {
      const { status, body } = ask('GET', path, undefined, version)
      t.equal(status, 200)
      return JSON.parse(body) as Fields
    },
    pass: seconds => {
      clock.advance(seconds * 1000)
      world.settle()
    },
  }
}

const backupBody = (more: Fields = {}) => ({ properties: { objectType: 'IaasVMBackupRequest', ...more } })

const operationIn = ({ headers }: Answered): string =>
  new URL(headers['azure-asyncoperation'] ?? headers.location ?? '').pathname.split('/').at(-1) ?? ''

/** The job that an accepted operation starts. */
const jobIdOf = (vault: Vault, answered: Answered): string =>
  vault.operations.get(operationIn(answered))?.jobId ?? 'no job'

const jobPath = (vault: Vault, jobId: string) => `${vault.id}/backupJobs/${jobId}`

/** One recovery point, made by a backup now. */
const backedUp = (given: Estate): string => {
  given.ask('POST', `${itemIdOf(given.vault, given.item)}/backup`, backupBody())
  given.pass(20 * minute)
  return given.item.points.at(-1)?.id ?? 'no point'
}

const propertiesOf = (row: unknown): Fields => fields(fields(row).properties)

t.test('A backup that is asked for runs as a job and ends with a recovery point.', async t => {
  const given = estate(t)
  const { vault, item, ask, read, refused, pass } = given
  const path = itemIdOf(vault, item)
  const asked = ask('POST', `${path}/backup`, backupBody({ recoveryPointExpiryTimeInUTC: '2026-03-20T00:00:00.000Z' }))
  t.equal(asked.status, 202)
  const operation = operationIn(asked)
  t.match(asked.headers, {
    location: `http://127.0.0.1:8080${path}/operationResults/${operation}?api-version=${newest}`,
    'azure-asyncoperation': `http://127.0.0.1:8080${path}/operationsStatus/${operation}?api-version=${newest}`,
    'retry-after': /^\d+$/,
  })
  const jobId = jobIdOf(vault, asked)
  pass(minute)
  t.match(read(jobPath(vault, jobId), recorded), {
    properties: {
      jobType: 'AzureIaaSVMJob',
      containerName: 'iaasvmcontainerv2;rg-app;web-01',
      duration: 'PT1M',
      actionsInfo: [1],
      operation: 'Backup',
      status: 'InProgress',
      endTime: undefined,
      extendedInfo: {
        tasksList: [
          { taskId: 'Take Snapshot', status: 'InProgress' },
          { taskId: 'Transfer data to vault', status: 'NotStarted' },
        ],
        propertyBag: { 'VM Name': 'web-01', 'Recovery Point Expiry Time in UTC': '3/20/2026 12:00:00 AM' },
      },
    },
  })
  t.equal(refused('POST', `${path}/backup`, backupBody()), '409 BMSUserErrorObjectLocked')
  t.same(read(`${path}/recoveryPoints`), { value: [] })
  pass(4 * minute)
  t.match(propertiesOf(read(jobPath(vault, jobId))).extendedInfo, {
    tasksList: [{ status: 'Completed' }, { status: 'InProgress' }],
  })
  pass(10 * minute)
  t.match(read(jobPath(vault, jobId)), {
    properties: {
      actionsInfo: ['Cancellable'],
      status: 'Completed',
      endTime: /^2026-03-01T08:1[123]/,
      extendedInfo: {
        tasksList: [{ status: 'Completed' }, { status: 'Completed' }],
        propertyBag: { 'Backup Size': /^\d+ MB$/ },
      },
    },
  })
  t.match(item, { state: 'Protected', lastBackup: { status: 'Completed' } })
  const points = list(read(`${path}/recoveryPoints`).value)
  t.match(points, [
    {
      name: /^\d{19}$/,
      properties: {
        objectType: 'IaasVMRecoveryPoint',
        recoveryPointType: 'AppConsistent',
        recoveryPointTime: /^2026-03-01T08:00:0/,
        isInstantIlrSessionActive: false,
        recoveryPointTierDetails: [
          { type: 'InstantRP', status: 'Valid' },
          { type: 'HardenedRP', status: 'Valid' },
        ],
        recoveryPointProperties: { expiryTime: /^2026-03-20T00:00:00/, ruleName: 'AdHoc', isSoftDeleted: false },
      },
    },
  ])
  const [point] = points
  t.match(propertiesOf(read(`${path}/recoveryPoints/${String(point?.name)}`, recorded)), {
    recoveryPointTierDetails: [
      { type: 1, status: 1 },
      { type: 2, status: 1 },
    ],
    recoveryPointProperties: undefined,
  })
  pass(19 * day)
  t.notOk(
    list(read(`${path}/recoveryPoints`).value).some(({ name }) => name === point?.name),
    'it has expired',
  )
  t.equal(refused('GET', `${path}/recoveryPoints/${String(point?.name)}`), '404 BMSUserErrorRecoveryPointNotFound')
})

const refusals: { when: string; change: (given: Estate) => void; body?: unknown; refusal: string }[] = [
  {
    when: 'its protection is stopped',
    change: ({ item }) => {
      item.state = 'ProtectionStopped'
      item.policy = undefined
    },
    refusal: '400 BMSUserErrorProtectionStopped',
  },
  {
    when: 'it is soft-deleted',
    change: ({ item }) => {
      item.softDeleted = { atMs: startMs, days: 14 }
    },
    refusal: '400 UserErrorItemInSoftDeletedState',
  },
  {
    when: 'it is a database',
    change: ({ item }) => {
      item.workload = 'SQL'
    },
    refusal: '400 BMSUserErrorOperationNotSupported',
  },
  {
    when: 'the end that is asked for is past',
    change: () => {},
    body: backupBody({ recoveryPointExpiryTimeInUTC: '2026-02-01T00:00:00Z' }),
    refusal: '400 UserErrorInvalidRequestParameter',
  },
]
for (const { when, change, body, refusal } of refusals)
  t.test(`No backup is begun when ${when}.`, async t => {
    const given = estate(t)
    change(given)
    const { vault, item, refused } = given
    t.equal(refused('POST', `${itemIdOf(vault, item)}/backup`, body ?? backupBody()), refusal)
    t.equal(vault.jobs.size, 0)
  })

const failures = [
  { when: 'the VM is gone', change: { exists: false }, number: 400136, code: 'UserErrorVmNotFoundV2' },
  {
    when: 'its agent does not answer',
    change: { isAgentReady: false },
    number: 400196,
    code: 'UserErrorGuestAgentStatusUnavailable',
  },
]
for (const { when, change, number, code } of failures)
  t.test(`A backup fails in its job when ${when}, and the next one heals the item.`, async t => {
    const given = estate(t)
    const { world, vault, item, ask, read, pass } = given
    const vm = world.state.vms.get(keyOf(machine('web-01')))
    Object.assign(vm ?? {}, change)
    const jobId = jobIdOf(vault, ask('POST', `${itemIdOf(vault, item)}/backup`, backupBody()))
    pass(5 * minute)
    t.match(propertiesOf(read(jobPath(vault, jobId))), {
      status: 'Failed',
      errorDetails: [{ errorCode: number, errorTitle: code, recommendations: [String] }],
      extendedInfo: { tasksList: [{ status: 'Failed' }, { status: 'NotStarted' }] },
    })
    t.match(item, { state: 'ProtectionError', lastBackup: { status: 'Failed', trouble: { code } }, points: [] })
    Object.assign(vm ?? {}, { exists: true, isAgentReady: true })
    backedUp(given)
    t.match(item, { state: 'Protected', lastBackup: { status: 'Completed' } })
  })

t.test('An operation that a fault has fail late starts no job.', async t => {
  const { world, vault, item, ask } = estate(t)
  world.state.faults = [
    {
      kind: 'late_failure',
      method: 'POST',
      path: '/backup$',
      code: 'CloudInternalError',
      times: 1,
      status: undefined,
      message: undefined,
      retryAfterSeconds: undefined,
      delayMs: undefined,
      isBefore: false,
      after: undefined,
    },
  ]
  const asked = ask('POST', `${itemIdOf(vault, item)}/backup`, backupBody())
  t.equal(asked.status, 202)
  t.match(vault.operations.get(operationIn(asked)), { error: { code: 'CloudInternalError' }, jobId: undefined })
  t.equal(vault.jobs.size, 0)
})

t.test('A disk that is left out shows in the job and in its recovery point.', async t => {
  const given = estate(t)
  const { vault, item, read } = given
  item.diskExclusion = { luns: [1], isInclusionList: false }
  const point = backedUp(given)
  const path = `${itemIdOf(vault, item)}/recoveryPoints`
  const counts = { numberOfDisksIncludedInBackup: 2, numberOfDisksAttachedToVm: 3 }
  t.same(propertiesOf(list(read(path).value)[0]).recoveryPointDiskConfiguration, counts)
  t.same(propertiesOf(read(`${path}/${point}`)).recoveryPointDiskConfiguration, {
    ...counts,
    includedDiskList: [
      { lun: -1, name: 'web-01_OsDisk' },
      { lun: 0, name: 'web-01_Data0' },
    ],
    excludedDiskList: [{ lun: 1, name: 'web-01_Data1' }],
  })
  t.match(fields(propertiesOf(read(jobPath(vault, item.backupJob ?? ''))).extendedInfo).propertyBag, {
    'Backed-up disk(s)': 'web-01_OsDisk; web-01_Data0',
    'Excluded disk(s)': 'web-01_Data1',
  })
})

t.test('A scheduled backup is let out while one still runs, and the next one comes.', async t => {
  const { vault, item, ask, pass } = estate(t)
  pass(14 * hour + 25 * minute)
  ask('POST', `${itemIdOf(vault, item)}/backup`, backupBody())
  pass(day)
  t.same(
    [...vault.jobs.values()].map(job => [new Date(job.startMs).toISOString(), job.isUserTriggered]),
    [['2026-03-01T22:25:00.000Z', true]],
  )
  pass(10 * minute)
  t.equal(vault.jobs.size, 2)
})

t.test('Over months schedules fire, and points go when their rule says so: longer rules outlive the days.', async t => {
  const { world, vault, item, read, pass } = estate(t)
  const policy = vault.policies.get('defaultpolicy')
  const retention = fields(policy?.properties.retentionPolicy)
  const kept = (count: number, durationType: string) => ({ retentionDuration: { count, durationType } })
  Object.assign(retention, {
    weeklySchedule: { daysOfTheWeek: ['Sunday'], ...kept(8, 'Weeks') },
    monthlySchedule: {
      retentionScheduleFormatType: 'Daily',
      retentionScheduleDaily: { daysOfTheMonth: [{ date: 1, isLast: false }] },
      ...kept(12, 'Months'),
    },
    yearlySchedule: {
      retentionScheduleFormatType: 'Weekly',
      monthsOfYear: ['March'],
      retentionScheduleWeekly: { daysOfTheWeek: ['Sunday'], weeksOfTheMonth: ['Second'] },
      ...kept(5, 'Years'),
    },
  })
  pass(100 * day)
  const now = world.state.nowMs
  const rows = list(read(`${itemIdOf(vault, item)}/recoveryPoints`).value).map(row => {
    const properties = propertiesOf(row)
    const { ruleName } = fields(properties.recoveryPointProperties)
    return `${String(properties.recoveryPointTime).slice(0, 10)} ${String(ruleName)}`
  })
  t.equal(new Date(now).toISOString().slice(0, 10), '2026-06-09')
  t.same(
    rows.filter(row => row < '2026-05-10'),
    [
      '2026-05-03 Weekly',
      '2026-05-01 Monthly',
      '2026-04-26 Weekly',
      '2026-04-19 Weekly',
      '2026-04-01 Monthly',
      '2026-03-08 Yearly',
      '2026-03-01 Monthly',
    ],
  )
  t.equal(rows.filter(row => row >= '2026-05-10').length, 30, 'and one of each of the last thirty days')
  const tiers = propertiesOf(list(read(`${itemIdOf(vault, item)}/recoveryPoints`).value)[5]).recoveryPointTierDetails
  t.same(tiers, [
    { type: 'InstantRP', status: 'Deleted' },
    { type: 'HardenedRP', status: 'Valid' },
  ])
  t.ok(
    [...vault.jobs.values()].every(job => job.startMs > now - 15 * day * 1000),
    'jobs are forgotten after two weeks',
  )
})

t.test(
  'Points follow the retention of their policy when it is changed, but for those with an end of their own.',
  async t => {
    const { vault, item, ask, read, pass } = estate(t)
    const policy = `${vault.id}/backupPolicies/DefaultPolicy`
    const retain = (count: number) => {
      const { properties } = read(policy)
      const { dailySchedule } = fields(fields(properties).retentionPolicy)
      Object.assign(fields(dailySchedule), { retentionDuration: { count, durationType: 'Days' } })
      t.equal(ask('PUT', policy, { properties }).status, 202)
      pass(minute)
    }
    const count = () => list(read(`${itemIdOf(vault, item)}/recoveryPoints`).value).length
    ask('POST', `${itemIdOf(vault, item)}/backup`, backupBody({ recoveryPointExpiryTimeInUTC: '2027-03-01T00:00:00Z' }))
    pass(40 * day)
    t.equal(count(), 31)
    retain(60)
    pass(5 * day)
    t.equal(count(), 36, 'nothing expires that is kept for longer now, and nothing that is gone comes back')
    retain(10)
    t.equal(count(), 11, 'what is kept for less goes at once')
    const longer = `${vault.id}/backupPolicies/EnhancedPolicy`
    const body = {
      properties: {
        protectedItemType: 'Microsoft.Compute/virtualMachines',
        sourceResourceId: item.sourceId,
        policyId: longer,
      },
    }
    t.equal(ask('PUT', itemIdOf(vault, item), body).status, 202)
    pass(5 * day)
    t.equal(count(), 16, 'another policy keeps them by its own rules')
  },
)

t.test('What is stopped keeps its points and has no more backups; resumed, it follows its schedule again.', async t => {
  const given = estate(t)
  const { world, vault, item, pass } = given
  pass(3 * day)
  t.equal(item.points.length, 3)
  unplan(world, vault, item)
  Object.assign(item, { state: 'ProtectionStopped', policy: undefined })
  pass(60 * day)
  t.equal(item.points.length, 3)
  Object.assign(item, { state: 'Protected', policy: 'defaultpolicy' })
  planNextRun(world, vault, item)
  planNextRun(world, vault, item)
  pass(2 * day)
  t.equal(item.points.length, 2, 'two new ones; the old ones have expired meanwhile')
})

t.test('An hourly schedule takes snapshots, of which the last of its window goes to the vault.', async t => {
  const given = estate(t, 'EnhancedPolicy')
  const { world, vault, item, read, pass } = given
  Object.assign(vault.policies.get('enhancedpolicy')?.properties ?? {}, {
    schedulePolicy: {
      schedulePolicyType: 'SimpleSchedulePolicyV2',
      scheduleRunFrequency: 'Hourly',
      hourlySchedule: { interval: 4, scheduleWindowStartTime: '2026-01-01T22:00:00Z', scheduleWindowDuration: 8 },
    },
  })
  planNextRun(world, vault, item)
  pass(day)
  const tiers = () =>
    list(read(`${itemIdOf(vault, item)}/recoveryPoints`).value).map(row =>
      list(propertiesOf(row).recoveryPointTierDetails).map(({ type, status }) => `${String(type)} ${String(status)}`),
    )
  t.same(tiers(), [['InstantRP Valid', 'HardenedRP Valid'], ['InstantRP Valid'], ['InstantRP Valid']])
})

t.test('The same seed and calls give the same bytes, also when the state was saved and loaded between.', async t => {
  const saved = ({ state }: World): string => saveState(state)
  const run = (isSaved: boolean): string => {
    const given = estate(t)
    given.pass(5 * day)
    backedUp(given)
    if (isSaved) {
      const clock = createVirtualClock(given.world.state.nowMs, 0, () => 0)
      const world = createWorld(loadState(saved(given.world)), clock, effects)
      clock.advance(10 * day * 1000)
      world.settle()
      return saved(world)
    }
    given.pass(10 * day)
    return saved(given.world)
  }
  t.equal(run(false), run(false))
  t.equal(run(true), run(false))
})

t.test('Points are listed by their time, kind and readiness for the archive.', async t => {
  const { vault, item, read, refused, pass } = estate(t)
  pass(5 * day)
  const path = `${itemIdOf(vault, item)}/recoveryPoints`
  const times = (filter: string) =>
    list(read(`${path}?$filter=${encodeURIComponent(filter)}`).value).map(row =>
      String(propertiesOf(row).recoveryPointTime).slice(0, 10),
    )
  t.same(times("startDate eq '2026-03-02 12:00:00 AM' and endDate eq '2026-03-03 11:59:59 PM'"), [
    '2026-03-03',
    '2026-03-02',
  ])
  t.same(times("restorePointQueryType eq 'Log'"), [])
  t.equal(times("restorePointQueryType eq 'All' and extendedInfo eq 'True'").length, 5)
  t.same(times("moveReadyRPOnly eq 'True'"), [])
  for (const wrong of ["restorePointQueryType eq 'Weekly'", "startDate eq 'yesterday'", "kind eq 'Full'"])
    t.equal(refused('GET', `${path}?$filter=${encodeURIComponent(wrong)}`), '400 BMSUserErrorInvalidInput')
})

t.test('Jobs are listed by every filter, newest first, without what only one job tells.', async t => {
  const given = estate(t)
  const { vault, item, read, refused, pass } = given
  pass(2 * day)
  backedUp(given)
  const database = addItem(vault, {
    ...item,
    workload: 'SQL',
    container: 'VMAppContainer;Compute;rg;sql',
    name: 'SQLDataBase;mssqlserver;orders',
  })
  Object.assign(database, {
    policy: 'hourlylogbackup',
    serverName: 'sql-01',
    friendlyName: 'orders',
    points: [],
    plannedMs: undefined,
  })
  planNextRun(given.world, vault, database)
  pass(14 * hour + 15 * minute)
  const path = `${vault.id}/backupJobs`
  const jobs = (filter: string) =>
    list(read(`${path}?$filter=${encodeURIComponent(filter)}`).value).map(row => {
      const { startTime, operation, status } = propertiesOf(row)
      return `${String(startTime).slice(0, 10)} ${String(operation)} ${String(status)}`
    })
  const all = list(read(path).value)
  t.equal(all.length, 5)
  t.equal(propertiesOf(all[0]).extendedInfo, undefined)
  t.same(
    all.map(row => propertiesOf(row).startTime),
    all
      .map(row => propertiesOf(row).startTime)
      .sort()
      .reverse(),
  )
  t.same(jobs("startTime eq '2026-03-01 12:00:00 AM' and endTime eq '2026-03-02 11:59:59 PM'"), [
    '2026-03-02 Backup Completed',
    '2026-03-01 Backup Completed',
  ])
  t.equal(jobs("startTime eq '2026-03-02 00:00:00 AM' and endTime eq '2026-04-02 00:00:00 AM'").length, 4)
  t.same(jobs("operation eq 'Backup' and backupManagementType eq 'AzureWorkload'"), [
    '2026-03-03 Backup (Full) Completed',
  ])
  t.same(jobs("status eq 'InProgress' and operation eq 'Backup'"), ['2026-03-03 Backup InProgress'])
  t.same(jobs("operation eq 'Restore'"), [])
  t.equal(jobs(`jobId eq '${String(all[2]?.name)}'`).length, 1)
  for (const wrong of [
    "startTime eq '2026-03-01 12:00:00 AM'",
    "startTime eq '2026-03-01' and endTime eq '2026-03-02'",
    "startTime eq '2026-03-03 12:00:00 AM' and endTime eq '2026-03-02 12:00:00 AM'",
    "status eq 'Done'",
    "operation eq 'Save'",
    "entityName eq 'web-01'",
    "status eq 'Failed' or status eq 'Completed'",
  ])
    t.equal(refused('GET', `${path}?$filter=${encodeURIComponent(wrong)}`), '400 BMSUserErrorInvalidInput', wrong)
  t.equal(refused('GET', `${path}/00000000-0000-0000-0000-000000000000`), '404 BMSUserErrorJobNotFound')
  t.match(propertiesOf(read(jobPath(vault, database.backupJob ?? ''))), {
    jobType: 'AzureWorkloadJob',
    workloadType: 'SQLDataBase',
    entityFriendlyName: 'orders [sql-01]',
    isUserTriggered: false,
  })
})

t.test('A running job is cancelled, and one that is over is not.', async t => {
  const given = estate(t)
  const { vault, item, ask, read, refused, pass } = given
  const jobId = jobIdOf(vault, ask('POST', `${itemIdOf(vault, item)}/backup`, backupBody()))
  const path = jobPath(vault, jobId)
  pass(5 * minute)
  const cancelled = ask('POST', `${path}/cancel`)
  t.equal(cancelled.status, 202)
  const follow = ({ headers }: Answered, name: string) =>
    ask('GET', new URL(headers[name] ?? '').pathname, undefined, newest)
  t.equal(propertiesOf(read(path)).status, 'Cancelling')
  t.equal(follow(cancelled, 'location').status, 202)
  pass(minute)
  t.equal(follow(cancelled, 'location').status, 204)
  t.match(follow(cancelled, 'azure-asyncoperation').body, /"status":"Succeeded"/)
  t.match(propertiesOf(read(path)), {
    status: 'Cancelled',
    endTime: /^2026-03-01T08:05:2/,
    errorDetails: [{ errorCode: 400158, errorTitle: 'UserErrorJobSuccessfullyCancelled' }],
    extendedInfo: { tasksList: [{ status: 'Completed' }, { status: 'Cancelled' }] },
  })
  pass(hour)
  t.equal(propertiesOf(read(path)).status, 'Cancelled')
  t.same(item.points, [])
  t.match(item.lastBackup?.trouble, { number: 400158 })
  t.equal(refused('POST', `${path}/cancel`), '400 BMSUserErrorJobNotCancellable')
  backedUp(given)
  t.equal(item.points.length, 1)
})

t.test('Jobs are exported: an operation that ends with the address of a file.', async t => {
  const { vault, ask, pass } = estate(t)
  const asked = ask('POST', `${vault.id}/backupJobsExport`)
  const result = () => ask('GET', new URL(asked.headers.location ?? '').pathname)
  t.same([asked.status, asked.headers['azure-asyncoperation']], [202, undefined])
  t.equal(result().status, 202)
  pass(minute)
  t.match(JSON.parse(result().body), {
    operation: { objectType: 'ExportJobsOperationResultInfo', blobUrl: /^https:/, blobSasKey: /^\?sv=/ },
  })
})

const disksRequest = (more: Fields = {}): Fields => ({
  objectType: 'IaasVMRestoreRequest',
  recoveryType: 'RestoreDisks',
  sourceResourceId: machine('web-01'),
  storageAccountId: account('staging'),
  region: 'eastus',
  createNewCloudService: false,
  originalStorageAccountOption: false,
  targetResourceGroupId: group('rg-restore'),
  ...more,
})
const newVm: Fields = {
  recoveryType: 'AlternateLocation',
  targetVirtualMachineId: `${group('rg-restore')}/providers/Microsoft.Compute/virtualMachines/web-09`,
  virtualNetworkId: network,
  subnetId: `${network}/subnets/default`,
}

const restores: { way: string; more: Fields; bag: object; after: (given: Estate, t: Test) => void }[] = [
  {
    way: 'disks in a resource group, some of them',
    more: { restoreDiskLunList: [0] },
    bag: {
      'Job Type': 'Recover disks',
      'Target VM Name': 'vmName',
      'Target resource group': 'rg-restore',
      'Restored disk(s)': 'web-01_OsDisk; web-01_Data0',
    },
    after: ({ world }, t) => t.equal(world.state.vms.size, 1),
  },
  {
    way: 'disks as files, where no group is named',
    more: { targetResourceGroupId: undefined },
    bag: { 'Job Type': 'Recover disks', 'Target resource group': undefined },
    after: ({ world }, t) => t.equal(world.state.vms.size, 1),
  },
  {
    way: 'a new machine',
    more: newVm,
    bag: { 'Job Type': 'Recover virtual machine', 'Target VM Name': 'web-09' },
    after: ({ world }, t) =>
      t.match(world.state.vms.get(keyOf(String(newVm.targetVirtualMachineId))), {
        name: 'web-09',
        resourceGroup: 'rg-restore',
        location: 'eastus',
        disks: [{ lun: -1 }, { lun: 0 }, { lun: 1 }],
      }),
  },
  {
    way: 'a new machine in a zone, under an encryption set',
    more: { ...newVm, zones: ['2'], diskEncryptionSetId: `${group('rg-app')}/des` },
    bag: { 'Job Type': 'Recover virtual machine' },
    after: ({ world, read }, t) => {
      const made = String(newVm.targetVirtualMachineId)
      t.match(world.state.vms.get(keyOf(made)), { zones: ['2'] })
      const { storageProfile } = propertiesOf(read(made, '2024-03-01'))
      t.match(storageProfile, { osDisk: { managedDisk: { diskEncryptionSet: { id: `${group('rg-app')}/des` } } } })
    },
  },
  {
    way: 'the machine itself',
    more: { recoveryType: 'OriginalLocation', targetResourceGroupId: undefined },
    bag: { 'Job Type': 'Replace existing disks', 'Target VM Name': 'web-01' },
    after: ({ world }, t) => t.equal(world.state.vms.get(keyOf(machine('web-01')))?.disks.length, 3),
  },
]
t.test(
  'Of two restores that make the same machine at once the second is refused, until the first is cancelled.',
  async t => {
    const given = estate(t)
    const { vault, item, ask, refused, pass } = given
    const point = `${itemIdOf(vault, item)}/recoveryPoints/${backedUp(given)}`
    const request = { properties: disksRequest(newVm) }
    const first = ask('POST', `${point}/restore`, request)
    t.equal(first.status, 202)
    t.equal(refused('POST', `${point}/restore`, request), '400 UserErrorTargetVirtualMachineAlreadyExists')
    ask('POST', `${jobPath(vault, jobIdOf(vault, first))}/cancel`)
    pass(minute)
    t.equal(ask('POST', `${point}/restore`, request).status, 202)
  },
)

for (const { way, more, bag, after } of restores)
  t.test(`A VM is restored: ${way}.`, async t => {
    const given = estate(t)
    const { vault, item, ask, read, pass } = given
    const point = `${itemIdOf(vault, item)}/recoveryPoints/${backedUp(given)}`
    const asked = ask('POST', `${point}/restore`, { properties: disksRequest(more) })
    t.equal(asked.status, 202)
    const path = jobPath(vault, jobIdOf(vault, asked))
    pass(10 * minute)
    const running = propertiesOf(read(path, recorded))
    t.match(running, {
      operation: 'Restore',
      status: 'InProgress',
      extendedInfo: {
        tasksList: [{ taskId: 'Transfer data from vault', status: 'InProgress' }],
        progressPercentage: Number,
        propertyBag: { 'Target Storage Account Name': 'staging', 'Recovery point time ': /^3\/1\/2026 8:00:0\d AM$/ },
        internalPropertyBag: { restoreLocationType: more.recoveryType ?? 'RestoreDisks' },
      },
    })
    t.equal(fields(fields(running.extendedInfo).propertyBag)['Config Blob Uri'], undefined)
    pass(9 * minute)
    t.equal(propertiesOf(read(path)).status, 'InProgress', 'it takes twenty minutes at least')
    pass(12 * minute)
    t.match(propertiesOf(read(path)), {
      status: 'Completed',
      extendedInfo: {
        tasksList: [{ status: 'Completed' }],
        progressPercentage: 100,
        propertyBag: {
          ...bag,
          'Config Blob Uri': /^https:\/\/staging\.blob\.core\.windows\.net\/web-01/,
          'Template Blob Uri': /\/azuredeploy.*\.json$/,
        },
      },
    })
    after(given, t)
  })

const faulty: { what: string; more: Fields; code: string; change?: (given: Estate) => void }[] = [
  { what: 'the region is another one', more: { region: 'westus' }, code: 'UserErrorInvalidRequestParameter' },
  {
    what: 'the staging account is not there',
    more: { storageAccountId: account('nowhere') },
    code: 'UserErrorGenericResourceNotFound',
  },
  {
    what: 'the staging account is in another region',
    more: { storageAccountId: account('faraway') },
    code: 'UserErrorInvalidRequestParameter',
  },
  {
    what: 'no staging account is named',
    more: { storageAccountId: undefined },
    code: 'UserErrorInvalidRequestParameter',
  },
  {
    what: 'the target group is not there',
    more: { targetResourceGroupId: group('rg-none') },
    code: 'UserErrorGenericResourceNotFound',
  },
  { what: 'a disk was not backed up', more: { restoreDiskLunList: [7] }, code: 'UserErrorInvalidRequestParameter' },
  {
    what: 'it names another machine',
    more: { sourceResourceId: machine('web-02') },
    code: 'UserErrorInvalidRequestParameter',
  },
  {
    what: 'the new machine is there already',
    more: { ...newVm, targetResourceGroupId: group('rg-app'), targetVirtualMachineId: machine('web-01') },
    code: 'UserErrorTargetVirtualMachineAlreadyExists',
  },
  {
    what: 'the vault has no identity of its own',
    more: { identityInfo: { isSystemAssignedIdentity: true } },
    code: 'UserErrorInvalidRequestParameter',
  },
  {
    what: 'the identity is not one of the vault',
    more: { identityInfo: { isSystemAssignedIdentity: false, managedIdentityResourceId: '/other' } },
    change: ({ vault }) => {
      vault.identity = { type: 'SystemAssigned, UserAssigned', userAssignedIdentities: { '/one': {} } }
    },
    code: 'UserErrorInvalidRequestParameter',
  },
  { what: 'there is no such zone', more: { zones: ['4'] }, code: 'UserErrorInvalidRequestParameter' },
  {
    what: 'the subnet is not there',
    more: { ...newVm, subnetId: `${network}/subnets/dmz` },
    code: 'UserErrorGenericResourceNotFound',
  },
  {
    what: 'the network is missing',
    more: { ...newVm, virtualNetworkId: undefined },
    code: 'UserErrorInvalidRequestParameter',
  },
  {
    what: 'the machine to restore in place is gone',
    more: { recoveryType: 'OriginalLocation' },
    change: ({ world }) => {
      const vm = world.state.vms.get(keyOf(machine('web-01')))
      if (vm) vm.exists = false
    },
    code: 'UserErrorVmNotFoundV2',
  },
  {
    what: 'the point is archived',
    more: {},
    change: ({ item }) => {
      for (const point of item.points) Object.assign(point, { isArchived: true, snapshotUntilMs: undefined })
    },
    code: 'UserErrorRecoveryPointInArchiveTier',
  },
]
for (const { what, more, code, change } of faulty)
  t.test(`A restore is refused, and validation says why, when ${what}.`, async t => {
    const given = estate(t)
    const { vault, item, ask, refused } = given
    const point = `${itemIdOf(vault, item)}/recoveryPoints/${backedUp(given)}`
    change?.(given)
    const restoreRequest = disksRequest(more)
    t.equal(refused('POST', `${point}/restore`, { properties: restoreRequest }), `400 ${code}`)
    const body = { id: point, properties: { objectType: 'ValidateIaasVMRestoreOperationRequest', restoreRequest } }
    t.match(JSON.parse(ask('POST', `${vault.id}/backupValidateOperation`, body).body), {
      validateOperationResponse: { validationResults: [{ code, message: String, recommendations: [String] }] },
    })
  })

t.test('A restore is validated in both forms of its body, at once and as an operation.', async t => {
  const given = estate(t)
  const { vault, item, ask, refused, pass } = given
  const pointId = backedUp(given)
  const validation = (more: Fields = {}) => ({
    objectType: 'ValidateIaasVMRestoreOperationRequest',
    restoreRequest: disksRequest({ recoveryPointId: pointId, ...more }),
  })
  const fine = { validateOperationResponse: { validationResults: [] } }
  const flat = ask('POST', `${vault.id}/backupValidateOperation`, validation(), recorded)
  t.same(JSON.parse(flat.body), fine)
  const body = { id: `${itemIdOf(vault, item)}/recoveryPoints/${pointId}`, properties: validation() }
  const asked = ask('POST', `${vault.id}/backupTriggerValidateOperation`, body)
  const follow = (name: string) => ask('GET', new URL(asked.headers[name] ?? '').pathname)
  t.equal(asked.status, 202)
  t.equal(follow('location').status, 202)
  t.match(follow('azure-asyncoperation').body, /"status":"InProgress"/)
  pass(minute)
  t.same(JSON.parse(follow('location').body), fine)
  t.match(JSON.parse(follow('azure-asyncoperation').body), {
    status: 'Succeeded',
    properties: { objectType: 'OperationStatusValidateOperationExtendedInfo', ...fine },
  })
  const unknown = ask('POST', `${vault.id}/backupValidateOperation`, validation({ recoveryPointId: '123' }), recorded)
  t.match(unknown.body, 'BMSUserErrorRecoveryPointNotFound')
  t.equal(refused('POST', `${vault.id}/backupValidateOperation`, {}), '400 UserErrorInvalidRequestParameter')
})

t.test('An old point goes to the archive, and is restored from there by rehydrating it.', async t => {
  const given = estate(t)
  const { vault, item, ask, read, refused, pass } = given
  const retention = fields(vault.policies.get('defaultpolicy')?.properties.retentionPolicy)
  Object.assign(fields(retention.dailySchedule), { retentionDuration: { count: 400, durationType: 'Days' } })
  pass(day)
  const path = itemIdOf(vault, item)
  const [first] = item.points
  const point = `${path}/recoveryPoints/${first?.id}`
  const wish = { objectType: 'MoveRPAcrossTiersRequest', sourceTierType: 'HardenedRP', targetTierType: 'ArchivedRP' }
  t.equal(refused('POST', `${point}/move`, wish), '400 UserErrorRecoveryPointNotEligibleForMove')
  pass(100 * day)
  const recommended = (excludedRPList: string[]) => {
    const body = { objectType: 'ListRecoveryPointsRecommendedForMoveRequest', excludedRPList }
    return list(fields(JSON.parse(ask('POST', `${path}/recoveryPointsRecommendedForMove`, body).body)).value)
  }
  t.equal(recommended([]).at(-1)?.name, first?.id)
  t.not(recommended([first?.id ?? '']).at(-1)?.name, first?.id)
  const ready = list(read(`${path}/recoveryPoints?$filter=${encodeURIComponent("moveReadyRPOnly eq 'True'")}`).value)
  t.equal(ready.length, recommended([]).length)
  t.equal(ask('POST', `${point}/move`, wish).status, 202)
  pass(hour)
  const tiers = () =>
    list(propertiesOf(read(point)).recoveryPointTierDetails).map(
      ({ type, status }) => `${String(type)} ${String(status)}`,
    )
  t.same(tiers(), ['InstantRP Deleted', 'HardenedRP Deleted', 'ArchivedRP Valid'])
  const request = disksRequest({
    objectType: 'IaasVMRestoreWithRehydrationRequest',
    recoveryPointRehydrationInfo: { rehydrationRetentionDuration: 'P7D', rehydrationPriority: 'High' },
  })
  t.equal(ask('POST', `${point}/restore`, { properties: request }).status, 202)
  pass(hour)
  t.same(tiers().at(-1), 'ArchivedRP Rehydrated')
  t.equal(ask('POST', `${point}/restore`, { properties: disksRequest() }).status, 202)
  pass(8 * day)
  t.same(tiers().at(-1), 'ArchivedRP Valid')
})

t.test('Files are recovered by a script that mounts a point for twelve hours, or until it is revoked.', async t => {
  const given = estate(t)
  const { vault, item, ask, read, refused, pass } = given
  const point = `${itemIdOf(vault, item)}/recoveryPoints/${backedUp(given)}`
  const wish = (renewExistingRegistration: boolean) => ({
    properties: {
      objectType: 'IaasVMILRRegistrationRequest',
      recoveryPointId: point,
      virtualMachineId: machine('web-01'),
      initiatorName: 'laptop',
      renewExistingRegistration,
    },
  })
  const isActive = () => propertiesOf(read(point)).isInstantIlrSessionActive
  const asked = ask('POST', `${point}/provisionInstantItemRecovery`, wish(false))
  t.equal(asked.status, 202)
  t.match(vault.operations.get(operationIn(asked)), {
    jobId: undefined,
    properties: {
      objectType: 'OperationStatusProvisionILRExtendedInfo',
      recoveryTarget: {
        clientScripts: [
          { osType: 'Windows', scriptExtension: '.ps1', scriptContent: String, scriptNameSuffix: /^web-01_eastus_/ },
          { osType: 'Windows', scriptExtension: '.exe', url: String, scriptNameSuffix: /^web-01_eastus_/ },
        ],
      },
    },
  })
  pass(minute)
  t.equal(isActive(), true)
  t.equal(
    refused('POST', `${point}/provisionInstantItemRecovery`, wish(false)),
    '400 UserErrorInstantItemRecoverySessionActive',
  )
  pass(11 * hour)
  t.equal(ask('POST', `${point}/provisionInstantItemRecovery`, wish(true)).status, 202)
  pass(11 * hour)
  t.equal(isActive(), true, 'renewed, it lasts longer')
  pass(2 * hour)
  t.equal(isActive(), false)
  ask('POST', `${point}/provisionInstantItemRecovery`, wish(false))
  pass(minute)
  t.equal(ask('POST', `${point}/revokeInstantItemRecovery`).status, 202)
  pass(minute)
  t.equal(isActive(), false)
  t.equal(vault.jobs.size, 2, 'it makes no job: there are two backups')
})

t.test('Logs of a database grow with the clock, by steps, until its protection is stopped.', async t => {
  const { world, vault, item, ask, read, refused, pass } = estate(t)
  const end = startMs - 10 * 60_000
  const database = addItem(vault, {
    ...item,
    workload: 'SQL',
    container: 'VMAppContainer;Compute;rg-app;web-01',
    name: 'SQLDataBase;mssqlserver;orders',
    friendlyName: 'orders',
    policy: 'hourlylogbackup',
    state: 'Protected',
    logs: [
      { startMs: end - 60 * day * 1000, endMs: end - 50 * day * 1000 },
      { startMs: end - 3 * day * 1000, endMs: end },
    ],
    points: [],
    plannedMs: undefined,
  } satisfies Item)
  planNextRun(world, vault, database)
  const path = `${itemIdOf(vault, database)}/recoveryPoints`
  const filter = `?$filter=${encodeURIComponent("restorePointQueryType eq 'Log'")}`
  pass(2 * hour)
  const [row] = list(read(`${path}${filter}`).value)
  t.match(row, {
    name: 'DefaultRangeRecoveryPoint',
    properties: {
      objectType: 'AzureWorkloadSQLPointInTimeRecoveryPoint',
      type: 'Log',
      timeRanges: [{ startTime: /^2026-02-26T07:50:00/, endTime: /^2026-03-01T09:50:00/ }],
    },
  })
  t.equal(list(propertiesOf(row).timeRanges).length, 1, 'what the policy does not keep is gone')
  t.same(read(`${path}/DefaultRangeRecoveryPoint`, recorded).name, 'DefaultRangeRecoveryPoint')
  t.same(read(path), { value: [] }, 'ranges are told to who asks for them only')
  t.equal(vault.jobs.size, 0, 'and their backups make no jobs')
  pass(day)
  const all = list(read(`${path}?$filter=${encodeURIComponent("restorePointQueryType eq 'All'")}`, recorded).value)
  t.match(
    all.map(each => propertiesOf(each).objectType),
    ['AzureWorkloadSQLPointInTimeRecoveryPoint', 'AzureWorkloadSQLRecoveryPoint'],
  )
  t.match(propertiesOf(read(`${path}/${String(all[1]?.name)}`, recorded)).extendedInfo, {
    dataDirectoryPaths: [{ type: 'Data', logicalName: 'orders' }, { type: 'Log' }],
  })
  unplan(world, vault, database)
  Object.assign(database, { state: 'ProtectionStopped', policy: undefined })
  const until = database.logs.at(-1)?.endMs
  pass(day)
  t.equal(logsOf(database, vault, world.state.nowMs).at(-1)?.endMs, until)
  const restore = { properties: { objectType: 'AzureWorkloadSQLRestoreRequest', recoveryType: 'OriginalLocation' } }
  t.equal(refused('POST', `${path}/${String(all[1]?.name)}/restore`, restore), '400 BMSUserErrorOperationNotSupported')
  t.equal(ask('GET', `${path}?$filter=${encodeURIComponent("restorePointQueryType eq 'Full'")}`).status, 200)
  t.equal(refused('GET', `${path}/`), '400 BMSUserErrorOperationNotSupported', 'the paired region')
})
