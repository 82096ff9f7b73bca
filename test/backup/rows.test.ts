/** What Azure sends, as rows that a person reads: items, jobs and policies, and the fields they are made of. */
import t from 'tap'
import { vaultRef } from '../../src/backup/arm-ids.ts'
import { bytes, number, seconds, time } from '../../src/backup/fields.ts'
import { filterOf, filterTime } from '../../src/backup/filters.ts'
import { toJobDetails, toJobRow } from '../../src/backup/job-rows.ts'
import { type PolicyLines, policyLines } from '../../src/backup/policy-lines.ts'
import { toItemRow } from '../../src/backup/protected-items.ts'
import { createTools, failure, subscription, vaultId } from '../helpers/tools.ts'

const vault = vaultRef(subscription, 'rg-backup', 'vault-prod')

const times: [unknown, string | null][] = [
  ['2021-05-26T02:17:53.6610348Z', '2021-05-26T02:17:53.661Z'],
  ['2021-05-26T02:17:53', '2021-05-26T02:17:53Z'],
  ['2021-05-26T02:17:53+02:00', '2021-05-26T00:17:53Z'],
  ['0001-01-01T00:00:00', null],
  ['0001-01-01T00:00:00Z', null],
  ['2001-01-01T00:00:00Z', null],
  ['2001-01-01T00:00:00.0000000Z', null],
  ['soon', null],
  ['', null],
  [null, null],
  [0, null],
]
for (const [given, expected] of times) t.equal(time(given), expected, `time ${given}`)

const durations: [unknown, number | null][] = [
  ['PT1H1M11.0789682S', 3671.079],
  ['PT0S', 0],
  ['P1DT2H', 93_600],
  ['13.23:59:44.5932377', 1_209_584.593],
  ['00:01:02', 62],
  ['1:2', null],
  ['', null],
  [undefined, null],
  [5, null],
]
for (const [given, expected] of durations) t.equal(seconds(given), expected, `duration ${given}`)

const sizes: [unknown, string | undefined, number | null][] = [
  ['11782 MB', undefined, 11_782 * 1024 ** 2],
  ['20.0845', 'MB', 21_060_125],
  ['1GB', undefined, 1024 ** 3],
  ['12', undefined, 12],
  ['0 KB', undefined, 0],
  ['1.2.3 MB', undefined, null],
  ['many MB', undefined, null],
  ['5 parsecs', undefined, null],
  [undefined, 'MB', null],
]
for (const [given, unit, expected] of sizes) t.equal(bytes(given, unit), expected, `size ${given}`)

for (const [given, expected] of [
  ['45', 45],
  ['-1.5', -1.5],
  ['', null],
  ['4 of 5', null],
  [Number.NaN, null],
  [null, null],
  [true, null],
])
  t.equal(number(given), expected, `number ${JSON.stringify(given)}`)

const clocks: [string, string][] = [
  ['2026-01-01T00:00:00Z', '2026-01-01 12:00:00 AM'],
  ['2026-01-01T00:59:59Z', '2026-01-01 12:59:59 AM'],
  ['2026-01-01T04:00:15Z', '2026-01-01 04:00:15 AM'],
  ['2026-01-01T12:00:00Z', '2026-01-01 12:00:00 PM'],
  ['2026-01-01T23:59:59.999Z', '2026-01-01 11:59:59 PM'],
]
for (const [given, expected] of clocks) t.equal(filterTime(Date.parse(given)), expected)

t.same(filterOf({ a: undefined }), {})
t.same(filterOf({ a: "O'Brien' or 'x", b: undefined, c: 'd' }), { $filter: "a eq 'O''Brien'' or ''x' and c eq 'd'" })

const item = (properties: object) => toItemRow({ id: 'x', properties }, vault)
const success = { resourceHealthStatus: 'Healthy', resourceHealthDetails: [{ code: 0, title: 'Success', message: '' }] }
const fault = (code: number | string, title: string | undefined, status = 'TransientUnhealthy') => ({
  resourceHealthStatus: status,
  resourceHealthDetails: [{ code, title, message: 'm', recommendations: ['r', ''] }],
})
const green = [{ code: 400239, title: 'IaasVmHealthGreenDefault', message: 'OK' }]
const healths: [name: string, properties: object, isHealthy: boolean, error: string | null][] = [
  [
    'a VM before its first backup',
    { protectionStatus: 'Healthy', healthStatus: 'Passed', lastBackupStatus: '', kpisHealths: {} },
    true,
    null,
  ],
  [
    'a VM that is backed up',
    {
      healthStatus: 'Passed',
      lastBackupStatus: 'Completed',
      kpisHealths: { BackupOperationStatusKPI: success },
      healthDetails: green,
    },
    true,
    null,
  ],
  [
    'a VM whose last backup failed',
    {
      protectionStatus: 'Unhealthy',
      healthStatus: 'Passed',
      lastBackupStatus: 'Failed',
      kpisHealths: { BackupOperationStatusKPI: fault(400002, 'BackUpOperationFailed') },
      healthDetails: green,
    },
    false,
    '400002',
  ],
  [
    'a VM of the newer shape that failed',
    {
      protectionStatus: 'Unhealthy',
      lastBackupStatus: 'Failed',
      healthDetails: [{ code: 400136, title: 'UserErrorVmNotFoundV2' }],
    },
    false,
    '400136',
  ],
  [
    'a VM with a pre-check to look at',
    {
      protectionStatus: 'Healthy',
      healthStatus: 'ActionSuggested',
      healthDetails: [{ code: '400196', title: 'UserErrorGuestAgentStatusUnavailable' }],
    },
    false,
    '400196',
  ],
  ['a VM in error', { protectionState: 'ProtectionError', healthStatus: 'Passed' }, false, null],
  [
    'a VM whose restore failed',
    {
      protectionStatus: 'Healthy',
      lastBackupStatus: 'Completed',
      kpisHealths: {
        RestoreOperationStatusKPI: fault(400004, 'DataTransferFromVaultFailed'),
        BackupOperationStatusKPI: success,
      },
    },
    true,
    null,
  ],
  [
    'a VM whose restore and backup both have something',
    {
      protectionStatus: 'Healthy',
      lastBackupStatus: 'CompletedWithWarnings',
      kpisHealths: {
        RestoreOperationStatusKPI: fault(400158, 'UserErrorJobSuccessfullyCancelled'),
        BackupOperationStatusKPI: fault(400309, 'UserErrorGenericResourceNotFound', 'TransientDegraded'),
      },
    },
    true,
    '400309',
  ],
  [
    'a share whose backups fail',
    {
      protectionStatus: 'Healthy',
      lastBackupStatus: 'Failed',
      kpisHealths: { BackupOperationStatusKPI: fault(1, undefined) },
    },
    false,
    '1',
  ],
  [
    'a share that only its indicator knows of',
    {
      protectionStatus: 'Healthy',
      lastBackupStatus: 'Completed',
      kpisHealths: { BackupOperationStatusKPI: fault(2, 'x', 'PersistentUnhealthy') },
    },
    false,
    '2',
  ],
  [
    'a database',
    {
      protectedItemHealthStatus: 'Healthy',
      lastBackupStatus: 'Healthy',
      lastBackupErrorDetail: { code: 'Success', message: '' },
    },
    true,
    null,
  ],
  [
    'a database whose server does not answer',
    { protectedItemHealthStatus: 'NotReachable', lastBackupStatus: 'Healthy' },
    false,
    null,
  ],
  [
    'a database whose backup failed',
    {
      protectedItemHealthStatus: 'Healthy',
      lastBackupStatus: 'Unhealthy',
      lastBackupErrorDetail: { code: 'UserErrorX', message: 'm' },
    },
    false,
    'UserErrorX',
  ],
  [
    'a database with null for everything',
    {
      protectedItemHealthStatus: null,
      lastBackupStatus: null,
      lastBackupErrorDetail: null,
      kpisHealths: null,
      healthDetails: null,
    },
    true,
    null,
  ],
  ['a server whose agent failed', { extendedInfo: { lastBackupStatus: 'Failed' } }, false, null],
]
for (const [name, properties, isHealthy, error] of healths)
  t.test(`health of ${name}`, async t => {
    const row = item(properties)
    t.equal(row.is_healthy, isHealthy)
    t.equal(row.error?.code ?? null, error)
  })

const deletion = {
  protectionState: 'ProtectionStopped',
  isScheduledForDeferredDelete: true,
  deferredDeleteTimeInUTC: '2026-11-20T02:39:51.0613787Z',
}
const kpi = (details: object) => ({ kpisHealths: { BackupOperationStatusKPI: details } })
const gone = [{ code: 400136, title: 'UserErrorVmNotFoundV2', message: "Virtual machine doesn't exist.\r\n" }]
const goneWords = "UserErrorVmNotFoundV2: Virtual machine doesn't exist"
const reasons: [name: string, properties: object, reason: string | null][] = [
  [
    'a VM that is backed up',
    {
      protectionState: 'Protected',
      healthStatus: 'Passed',
      lastBackupStatus: 'Completed',
      healthDetails: green,
      ...kpi(success),
    },
    null,
  ],
  [
    'a database',
    {
      protectionState: 'Protected',
      protectionStatus: 'Healthy',
      protectedItemHealthStatus: 'Healthy',
      lastBackupStatus: 'Healthy',
      lastBackupErrorDetail: { code: 'Success', message: '' },
    },
    null,
  ],
  [
    'an Azure SQL database',
    { protectedItemType: 'Microsoft.Sql/servers/databases', protectionState: 'Protected' },
    null,
  ],
  [
    'an item of nothing but nulls',
    {
      protectionState: null,
      healthStatus: null,
      lastBackupStatus: null,
      kpisHealths: null,
      sourceSideScanInfo: null,
      extendedInfo: null,
    },
    null,
  ],
  [
    'a VM before its first backup',
    { protectionState: 'IRPending', healthStatus: 'Passed', lastBackupStatus: '', kpisHealths: {} },
    'The first backup is still to come.',
  ],
  [
    'a protected database before its first backup',
    { protectionState: 'Protected', protectedItemHealthStatus: 'IRPending', lastBackupStatus: 'IRPending' },
    'The first backup is still to come.',
  ],
  [
    'a VM protected anew',
    {
      protectionState: 'Protected',
      healthStatus: 'Passed',
      lastBackupStatus: '',
      lastBackupTime: '2001-01-01T00:00:00Z',
    },
    'No backup has been made yet.',
  ],
  [
    'a VM whose first backup failed',
    {
      protectionState: 'IRPending',
      protectionStatus: 'Unhealthy',
      healthStatus: 'ActionRequired',
      lastBackupStatus: 'Failed',
      healthDetails: gone,
      ...kpi({ resourceHealthStatus: 'TransientDegraded', resourceHealthDetails: gone }),
    },
    `The first backup is still to come; the last backup failed: ${goneWords}.`,
  ],
  [
    'a failed VM of the newer shape',
    {
      protectionState: 'Protected',
      protectionStatus: 'Unhealthy',
      healthStatus: 'ActionRequired',
      lastBackupStatus: 'Failed',
      healthDetails: gone,
      policyType: 'V2',
    },
    `The last backup failed: ${goneWords}.`,
  ],
  [
    'a failed VM with another pre-check',
    {
      lastBackupStatus: 'Failed',
      healthStatus: 'ActionSuggested',
      healthDetails: gone,
      ...kpi(fault(400002, 'BackUpOperationFailed')),
    },
    `The last backup failed: BackUpOperationFailed: m; the pre-check suggests action: ${goneWords}.`,
  ],
  [
    'a VM in error without a reason',
    { protectionState: 'ProtectionError', healthStatus: 'Passed' },
    'Backups fail, and Azure does not say why.',
  ],
  [
    'an agent that failed',
    { protectionState: 'Protected', lastBackupStatus: 'Failed' },
    'The last backup failed, and Azure does not say why.',
  ],
  [
    'a DPM item that failed',
    { protectionState: 'Protected', extendedInfo: { lastBackupStatus: 'Failed' } },
    'The last backup failed, and Azure does not say why.',
  ],
  [
    'a database whose backup failed',
    {
      protectionState: 'Protected',
      protectedItemHealthStatus: 'Unhealthy',
      lastBackupStatus: 'Unhealthy',
      lastBackupErrorDetail: { code: 'UserErrorX', message: 'no log.' },
    },
    'The last backup failed: UserErrorX: no log.',
  ],
  [
    'a share that only its indicator knows of',
    { protectionState: 'Protected', lastBackupStatus: 'Completed', ...kpi(fault(2, 'x', 'PersistentUnhealthy')) },
    'Backups fail: x: m.',
  ],
  [
    'a share whose indicator has no reason',
    { lastBackupStatus: 'Completed', ...kpi({ resourceHealthStatus: 'PersistentDegraded' }) },
    'Backups are degraded (PersistentDegraded).',
  ],
  [
    'a degraded VM',
    { protectionState: 'Protected', lastBackupStatus: 'Completed', ...kpi(fault(3, 'y', 'TransientDegraded')) },
    'The last backup had trouble: y: m.',
  ],
  [
    'a VM with warnings',
    {
      lastBackupStatus: 'CompletedWithWarnings',
      healthStatus: 'Passed',
      ...kpi(fault(400309, 'z', 'TransientDegraded')),
    },
    'The last backup completed with warnings: z: m.',
  ],
  ['a backup that was cancelled', { lastBackupStatus: 'Cancelled' }, 'The last backup ended as Cancelled.'],
  [
    'a restore that failed',
    {
      protectionState: 'Protected',
      lastBackupStatus: 'Completed',
      kpisHealths: {
        RestoreOperationStatusKPI: fault(400004, 'DataTransferFromVaultFailed'),
        BackupOperationStatusKPI: success,
      },
    },
    null,
  ],
  [
    'a database whose server does not answer',
    { protectionState: 'Protected', protectedItemHealthStatus: 'NotReachable', lastBackupStatus: 'Healthy' },
    'Its server does not answer Azure Backup.',
  ],
  [
    'a pre-check that requires action',
    { protectionStatus: 'Healthy', healthStatus: 'ActionRequired', lastBackupStatus: 'Completed', healthDetails: gone },
    `The pre-check requires action: ${goneWords}.`,
  ],
  ['a pre-check without words', { healthStatus: 'ActionSuggested' }, 'The pre-check suggests action.'],
  [
    'a pre-check that only its details tell',
    { healthStatus: 'Passed', healthDetails: [...green, ...gone] },
    `The pre-check suggests action: ${goneWords}.`,
  ],
  [
    'a health that is unset',
    { protectedItemHealthStatus: 'Invalid', protectionState: 'Protected' },
    'Azure gives its health as Invalid.',
  ],
  ['a state that is unset', { protectionState: 'Invalid' }, 'Azure gives its state as Invalid.'],
  [
    'protection stopped',
    { protectionState: 'ProtectionStopped', healthStatus: 'Passed', lastBackupStatus: '', policyId: '' },
    'Protection is stopped, the backup data is kept.',
  ],
  [
    'protection stopped after a failure',
    { protectionState: 'ProtectionStopped', lastBackupStatus: 'Failed', ...kpi(fault(1, 'T')) },
    'Protection is stopped, the backup data is kept; the last backup failed: T: m.',
  ],
  ['protection paused', { protectionState: 'ProtectionPaused' }, 'Protection is paused.'],
  [
    'backups suspended',
    { protectionState: 'BackupsSuspended' },
    'Backups are suspended, recovery points expire as the policy says.',
  ],
  [
    'deletion',
    { ...deletion, deferredDeleteTimeRemaining: '13.23:59:44.5932377', lastBackupStatus: 'Failed' },
    'Deleted on 2026-11-20, kept by soft delete until 2026-12-04 (about 14 days left).',
  ],
  [
    'deletion in a vault that keeps longer',
    { ...deletion, softDeleteRetentionPeriodInDays: 30, deferredDeleteTimeRemaining: '1.03:00:00' },
    'Deleted on 2026-11-20, kept by soft delete until 2026-12-20 (about a day left).',
  ],
  [
    'deletion, in the words of the newest version',
    { ...deletion, softDeleteRetentionPeriod: 0, deferredDeleteTimeRemaining: '29.12:00:00' },
    'Deleted on 2026-11-20, kept by soft delete until 2026-12-20 (about 30 days left).',
  ],
  [
    'deletion without a time',
    { isScheduledForDeferredDelete: true, isDeferredDeleteScheduleUpcoming: true },
    'Deleted, kept by soft delete, and is about to be purged.',
  ],
  [
    'no deletion any more',
    { ...deletion, isScheduledForDeferredDelete: false },
    'Protection is stopped, the backup data is kept.',
  ],
  [
    'a policy that is not what is applied',
    { protectionState: 'Protected', extendedInfo: { policyInconsistent: true } },
    'What is applied to it differs from its policy.',
  ],
  [
    'a policy that is inconsistent by word',
    { protectionState: 'Protected', extendedInfo: { policyState: 'Inconsistent' } },
    'What is applied to it differs from its policy.',
  ],
  [
    'a generic item whose policy is inconsistent',
    { protectedItemType: 'GenericProtectedItem', protectionState: 'Protected', policyState: 'inconsistent' },
    'What is applied to it differs from its policy.',
  ],
  [
    'consistency',
    {
      protectionState: 'Protected',
      extendedInfo: { policyState: 'Consistent', policyInconsistent: false, resourceState: 'Active' },
    },
    null,
  ],
  [
    'a share that was deleted itself',
    { protectionState: 'Protected', extendedInfo: { resourceState: 'SoftDeleted' } },
    'The share itself is SoftDeleted.',
  ],
  [
    'a threat',
    {
      protectionState: 'Protected',
      healthStatus: 'Passed',
      sourceSideScanInfo: { sourceSideScanStatus: 'Configured', sourceSideScanSummary: 'Suspicious' },
    },
    'The threat scan found something suspicious.',
  ],
  [
    'a threat scan that does not work',
    { sourceSideScanInfo: { sourceSideScanStatus: 'ConfigurationFailed', sourceSideScanSummary: 'Unknown' } },
    'The threat scan could not be configured.',
  ],
  [
    'no threat',
    { sourceSideScanInfo: { sourceSideScanStatus: 'Configured', sourceSideScanSummary: 'NoThreatsReported' } },
    null,
  ],
]
for (const [name, properties, reason] of reasons)
  t.test(`the reason of the health of ${name}`, async t => {
    const row = item(properties)
    t.equal(row.health_reason, reason)
    t.ok(row.is_healthy || row.health_reason, 'what is not healthy has its reason')
  })

t.test('a fault keeps its words', async t =>
  t.same(item({ kpisHealths: { BackupOperationStatusKPI: fault(1, 'T') } }).error, {
    code: '1',
    title: 'T',
    message: 'm',
    recommendations: ['r'],
    remediation: null,
  }),
)

const numbered: [properties: object, expected: object][] = [
  [
    { protectionState: 1, healthStatus: 0, lastBackupStatus: '' },
    { protection_state: 'IRPending', health: 'Passed', health_reason: 'The first backup is still to come.' },
  ],
  [
    { protectionState: 2, protectedItemHealthStatus: 3, lastBackupStatus: 1 },
    { protection_state: 'Protected', health: 'NotReachable', last_backup_status: 'Healthy', is_healthy: false },
  ],
  [
    { protectionState: 3, protectedItemHealthStatus: 2, lastBackupStatus: 2 },
    { protection_state: 'ProtectionError', health: 'Unhealthy', last_backup_status: 'Unhealthy', is_healthy: false },
  ],
  [{ kpisHealths: { BackupOperationStatusKPI: { resourceHealthStatus: 4 } } }, { is_healthy: false }],
  [
    { protectionState: 99, healthStatus: 99 },
    { protection_state: null, health: null, is_healthy: true },
  ],
]
for (const [properties, expected] of numbered)
  t.test(`words of an item that come as numbers: ${JSON.stringify(properties)}`, async t =>
    t.match(toItemRow({ id: `${vaultId}/x`, properties }, vault), expected),
  )

t.test('a soft-deleted item says since when and for how long', async t => {
  const deleted = {
    isScheduledForDeferredDelete: true,
    deferredDeleteTimeInUTC: '2021-05-26T02:39:51.06Z',
    deferredDeleteTimeRemaining: '13.00:00:00',
    policyId: '',
    policyName: '',
  }
  t.match(item(deleted), {
    is_soft_deleted: true,
    soft_delete_time: '2021-05-26T02:39:51.060Z',
    soft_delete_remaining_seconds: 1_123_200,
    policy_name: null,
  })
  t.match(item({ ...deleted, isScheduledForDeferredDelete: false }), {
    is_soft_deleted: false,
    soft_delete_time: null,
    soft_delete_remaining_seconds: null,
  })
})

t.test('the policy of a database is named by its id', async t =>
  t.equal(item({ policyId: `${vaultId}/backupPolicies/HourlyLogBackup` }).policy_name, 'HourlyLogBackup'),
)

const now = Date.UTC(2026, 10, 22, 10)
const hoursAgo = (hours: number) => new Date(now - hours * 3_600_000).toISOString()
const listed = (name: string, properties: object) => ({
  id: `${vaultId}/x/${name}`,
  properties: { friendlyName: name, ...properties },
})
const estate = [
  listed('fresh', { lastRecoveryPoint: hoursAgo(2), lastBackupStatus: 'Completed', protectionState: 'Protected' }),
  listed('old', {
    lastRecoveryPoint: hoursAgo(50),
    lastBackupTime: hoursAgo(1),
    lastBackupStatus: 'Failed',
    protectionState: 'Protected',
  }),
  listed('failed first', { lastBackupTime: hoursAgo(1), lastBackupStatus: 'Failed', protectionState: 'IRPending' }),
  listed('never', { lastBackupTime: '2001-01-01T00:00:00Z', lastBackupStatus: '', protectionState: 'IRPending' }),
  listed('agent', { lastBackupTime: hoursAgo(3), lastBackupStatus: 'Completed', computerName: 'srv-01.contoso.local' }),
  listed('deleted', {
    isScheduledForDeferredDelete: true,
    protectionState: 'ProtectionStopped',
    lastRecoveryPoint: hoursAgo(90),
  }),
  listed('stopped', { protectionState: 'ProtectionStopped', lastRecoveryPoint: hoursAgo(3), serverName: 'sql-01' }),
]
const filters: [args: object, names: string[]][] = [
  [{}, ['fresh', 'old', 'failed first', 'never', 'agent', 'deleted', 'stopped']],
  [{ older_than_hours: 24 }, ['old', 'failed first', 'never', 'deleted']],
  [{ older_than_hours: 2.5 }, ['old', 'failed first', 'never', 'agent', 'deleted', 'stopped']],
  [{ unhealthy_only: true }, ['old', 'failed first']],
  [{ protection_state: 'ProtectionStopped' }, ['stopped']],
  [{ protection_state: 'soft deleted' }, ['deleted']],
  [{ server: 'SRV-01' }, ['agent']],
  [{ server: 'sql-01.contoso.local' }, ['stopped']],
  [{ server: 'sql-0' }, []],
  [{ name_contains: 'FAIL' }, ['failed first']],
]
for (const [args, names] of filters)
  t.test(`items by ${JSON.stringify(args)}`, async t => {
    const { call } = createTools(() => ({ value: estate }))
    const { protected_items: found } = await call('list_protected_items', { ...args })
    t.same(
      (found as { friendly_name: string }[]).map(row => row.friendly_name),
      names,
    )
  })

t.test('the VM that a DPM server protects is no VM of Azure, whatever list answers', async t => {
  const value = ['AzureIaasVM', 'DPM'].map(backupManagementType => ({
    id: `${vaultId}/x/${backupManagementType}`,
    name: backupManagementType,
    properties: { backupManagementType, workloadType: 'VM', friendlyName: 'web-01' },
  }))
  const { call } = createTools(() => ({ value }))
  const ofAzure = { count: 1, 0: { backup_management_type: 'AzureIaasVM' } }
  const { count, protected_items: items } = await call('list_protected_items', { workload_type: 'VM' })
  t.match({ ...(items as object[]), count }, ofAzure)
  const { count: jobCount, jobs } = await call('list_backup_jobs', { workload_type: 'VM' })
  t.match({ ...(jobs as object[]), count: jobCount }, ofAzure)
})

t.test('what Azure can filter by goes to Azure', async t => {
  const { call } = createTools(() => ({ value: [] }))
  const { asked } = await call('list_protected_items', { workload_type: 'sap-hana', policy_name: "it's" })
  t.same(asked, [
    `GET ${vaultId}/backupProtectedItems?$filter=backupManagementType eq 'AzureWorkload' and itemType eq 'SAPHanaDatabase' and policyName eq 'it''s'`,
  ])
  t.match(await call('list_protected_items', { workload_type: 'VM', backup_management_type: 'AzureStorage' }), {
    code: 'invalid_arguments',
    asked: [],
  })
  const policies = await call('list_policies', { workload_type: 'mssql' })
  t.match(policies.asked, [/\$filter=backupManagementType eq 'AzureWorkload' and workloadType eq 'SQLDataBase'$/])
})

const containers = `${vaultId}/backupFabrics/Azure/protectionContainers`
const onSql = `${containers}/vmappcontainer;compute;rg-data;sql-01/protectableItems`
const workload = { backupManagementType: 'AzureWorkload', workloadType: 'SQL', serverName: 'sql-01', parentName: 'I' }
const protectable: [name: string, id: string, properties: object, expected: object][] = [
  [
    'a VM, whose words its type alone tells',
    `${containers}/IaasVMContainer;iaasvmcontainerv2;rg-app;web-03/protectableItems/vm;iaasvmcontainerv2;rg-app;web-03`,
    {
      virtualMachineId: `/subscriptions/${subscription}/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/Web-03`,
      resourceGroup: 'RG-App',
      backupManagementType: 'AzureIaasVM',
      protectableItemType: 'Microsoft.Compute/virtualMachines',
      friendlyName: 'Web-03',
      protectionState: 'NotProtected',
    },
    {
      workload_type: 'VM',
      item_type: 'Microsoft.Compute/virtualMachines',
      backup_management_type: 'AzureIaasVM',
      protection_state: 'NotProtected',
      resource_group: 'RG-App',
      vm_name: 'Web-03',
      server_name: null,
      instance_name: null,
      database_name: null,
      source_id: /virtualMachines.Web-03$/,
      is_protectable: null,
      item_count: null,
      nodes: null,
      error: null,
    },
  ],
  [
    // As the API's own example has it: without fabric, and with a source that is no id.
    'a classic VM',
    `${vaultId}/protectionContainers/IaasVMContainer;iaasvmcontainer;svc;old/protectableItems/VM;iaasvmcontainer;svc;old`,
    {
      virtualMachineId: `/subscriptions/${subscription}/resourceGroups/providers/Microsoft.ClassicCompute/virtualMachines/old`,
      backupManagementType: 'AzureIaasVM',
      protectableItemType: 'Microsoft.ClassicCompute/virtualMachines',
      friendlyName: 'old',
    },
    { workload_type: 'VM', resource_group: 'svc', vm_name: 'old', source_id: /ClassicCompute/, protection_state: null },
  ],
  [
    'an instance, with its fields in other letter cases',
    `${onSql}/sqlinstance;i`,
    {
      ...workload,
      backupManagementType: 'AzureWorkLoad',
      protectableItemType: 'SQLInstance',
      friendlyName: 'I',
      isProtectable: false,
      IsAutoProtectable: true,
      isAutoProtected: true,
      subProtectableItemCount: 3,
      preBackupValidation: { status: 'Failed', code: 'UserErrorX', message: 'm' },
    },
    {
      workload_type: 'SQL',
      backup_management_type: 'AzureWorkload',
      vm_name: 'sql-01',
      resource_group: 'rg-data',
      instance_name: 'I',
      database_name: null,
      is_protectable: false,
      is_auto_protectable: true,
      is_auto_protected: true,
      item_count: 3,
      error: { code: 'UserErrorX', message: 'm' },
    },
  ],
  [
    'a database',
    `${onSql}/sqldatabase;i;r&d%20;50`,
    { ...workload, protectableItemType: 'SQLDataBase', IsProtectable: true, subprotectableitemcount: 0 },
    { instance_name: 'I', database_name: 'r&d ;50', friendly_name: 'r&d ;50', is_protectable: true, item_count: 0 },
  ],
  [
    'an availability group',
    `${containers}/sqlagworkloadcontainer;ag/protectableItems/sqlavailabilitygroupcontainer;ag`,
    {
      backupManagementType: 'AzureWorkload',
      protectableItemType: 'SQLAvailabilityGroupContainer',
      parentName: 'ag',
      friendlyName: 'ag',
      serverName: 'cluster.contoso.local',
      nodesList: [
        { nodeName: 'n1', status: 'Succeeded', sourceResourceId: '/x', errorDetail: { code: 'Success' } },
        { nodeName: 'n2', status: 'Failed', errorDetail: { code: 'E', message: 'm', recommendations: ['r'] } },
      ],
    },
    {
      workload_type: 'SQL',
      resource_group: null,
      server_name: 'cluster.contoso.local',
      database_name: null,
      nodes: [
        { node_name: 'n1', status: 'Succeeded', source_id: '/x', error: null },
        { node_name: 'n2', source_id: null, error: { code: 'E', message: 'm', recommendations: ['r'] } },
      ],
    },
  ],
  ...['SAPHanaHSR', 'HanaHSRContainer', 'HanaScaleoutContainer', 'SAPHanaSystem'].map(
    (type): (typeof protectable)[number] => [
      `a ${type}`,
      `${containers}/x/protectableItems/${type};hsr`,
      { backupManagementType: 'AzureWorkload', protectableItemType: type, friendlyName: 'hsr' },
      { workload_type: 'SAPHana', item_type: type, friendly_name: 'hsr', database_name: null },
    ],
  ),
  [
    'an ASE system whose check is not over',
    `${containers}/vmappcontainer;compute;rg;ase-01/protectableItems/sapasesystem;asp`,
    {
      backupManagementType: 'AzureWorkload',
      workloadType: 'SAPAse',
      protectableItemType: 'SAPAseSystem',
      prebackupvalidation: { status: 'InProgress', code: '' },
    },
    { workload_type: 'SAPAse', vm_name: 'ase-01', instance_name: 'asp', error: null },
  ],
  [
    'a share of a classic account',
    `${containers}/storagecontainer;ClassicStorage;rg-files;files/protectableItems/azurefileshare;1`,
    {
      backupManagementType: 'AzureStorage',
      workloadType: 'AzureFileShare',
      friendlyName: 'legal',
      parentContainerFabricId: `/subscriptions/${subscription}/resourceGroups/RG-Files/providers/Microsoft.ClassicStorage/storageAccounts/Files`,
    },
    {
      workload_type: 'AzureFileShare',
      resource_group: 'RG-Files',
      storage_account: 'Files',
      vm_name: null,
      source_id: /Files$/,
    },
  ],
  [
    'a database of a kind that nobody knows',
    `${containers}/vmappcontainer;compute;rg;db-01/protectableItems/oracledatabase;i;d`,
    { backupManagementType: 'AzureWorkload', workloadType: 'Oracle', protectableItemType: 'OracleDatabase' },
    { workload_type: 'Oracle', item_type: 'OracleDatabase', backup_management_type: 'AzureWorkload', vm_name: 'db-01' },
  ],
  ['a thing without words', 'x', {}, { workload_type: null, backup_management_type: null, item_type: null }],
]
t.test('what could be protected: a row for each, once, however many lists hold it', async t => {
  const { call } = createTools(() => ({
    value: protectable.map(([, id, properties]) => ({ id, name: 'short', properties })),
  }))
  const listed = async (args: object = {}) =>
    (await call('list_protectable_items', { ...args })).protectable_items as { id: string; workload_type: string }[]
  const rows = await listed()
  t.equal(rows.length, protectable.length)
  for (const [name, id, , expected] of protectable) {
    const found = rows.filter(row => row.id === id)
    t.equal(found.length, 1, name)
    t.match(found[0], expected, name)
  }
  t.same(
    (await listed({ workload_type: 'VM' })).map(row => row.workload_type),
    ['VM', 'VM'],
    'nothing of another kind',
  )
  const ofDatabases = (await listed({ backup_management_type: 'AzureWorkload' })).map(row => row.workload_type)
  t.same(ofDatabases.sort(), ['Oracle', 'SAPAse', 'SAPHana', 'SAPHana', 'SAPHana', 'SAPHana', 'SQL', 'SQL', 'SQL'])
  t.ok(
    (await listed({ workload_type: 'SAPHana' })).some(row => row.workload_type === 'Oracle'),
    'Azure chose it',
  )
})

const checks: [check: object | null, code: string | null][] = [
  [{ status: 'Success', code: 'Success' }, null],
  [{ status: 1, code: 0 }, null],
  [{ status: 'Succeeded', code: '' }, null],
  [{ status: 'Failed', code: 'UserErrorX' }, 'UserErrorX'],
  [{ status: 'Failed', code: '' }, 'Failed'],
  [{ status: 2, code: 7 }, '7'],
  [{ status: 'Invalid', code: 'Success' }, null],
  [{ status: 'Invalid', code: 'UserErrorX' }, 'UserErrorX'],
  [{ code: 'UserErrorX' }, 'UserErrorX'],
  [{ status: 'Invalid' }, null],
  [{}, null],
  [null, null],
]
for (const [prebackupvalidation, code] of checks)
  t.test(`a check before backup: ${JSON.stringify(prebackupvalidation)}`, async t => {
    const { call } = createTools(() => ({ value: [{ id: 'x', properties: { prebackupvalidation } }] }))
    const { protectable_items: found } = await call('list_protectable_items')
    t.equal((found as { error: { code: string } | null }[])[0]?.error?.code ?? null, code)
  })

t.test('the state of what could be protected is a word, also where it comes as a number', async t => {
  const { call } = createTools(() => ({
    value: [
      { id: `${onSql}/sqldatabase;i;orders`, properties: { ...workload, protectionState: 1 } },
      { id: `${onSql}/sqldatabase;i;billing`, properties: { ...workload, protectionState: 'Protecting' } },
    ],
  }))
  t.match(await call('list_protectable_items', { workload_type: 'SQL' }), {
    protectable_items: [{ protection_state: 'NotProtected' }, { protection_state: 'Protecting' }],
  })
})

t.test('what could be registered: the names are those of the id, and each is there once', async t => {
  const at = `${vaultId}/backupFabrics/Azure/protectableContainers`
  const account = `/subscriptions/${subscription}/resourceGroups/RG-Files/providers/Microsoft.Storage/storageAccounts/Files`
  const { call } = createTools(() => ({
    value: [
      {
        id: `${at}/VMAppContainer;Compute;rg-data;sql-01`,
        name: 'VMAppContainer;Compute;rg-data;s',
        properties: { friendlyName: 'sql-01', backupManagementType: 'AzureWorkLoad', healthStatus: 'Healthy' },
      },
      {
        id: `${at}/StorageContainer;Storage;rg-files;files`,
        properties: { friendlyName: 'files', backupManagementType: 'AzureStorage', containerId: account },
      },
      { id: `${at}/StorageContainer;ClassicStorage;rg-files;old`, properties: null },
      { id: `${at}/IaasVMContainer;iaasvmcontainerv2;rg;vm`, properties: { backupManagementType: 'AzureIaasVM' } },
    ],
  }))
  const { containers: found } = await call('list_protectable_containers')
  const sql = {
    id: `${at}/VMAppContainer;Compute;rg-data;sql-01`,
    friendly_name: 'sql-01',
    vault_name: 'vault-prod',
    container_name: 'VMAppContainer;Compute;rg-data;sql-01',
    container_type: null,
    backup_management_type: 'AzureWorkload',
    health: 'Healthy',
    source_id: null,
    resource_group: 'rg-data',
    vm_name: 'sql-01',
    storage_account: null,
  }
  t.match(found, [
    sql,
    { friendly_name: 'files', source_id: account, resource_group: 'RG-Files', vm_name: null, storage_account: 'Files' },
    {
      friendly_name: 'old',
      backup_management_type: 'AzureStorage',
      resource_group: 'rg-files',
      storage_account: 'old',
    },
  ])
  t.equal((found as object[]).length, 3)
})

const job = (properties: object, name = 'job-1') => ({ id: `${vaultId}/backupJobs/${name}`, name, properties })
const kinds: [properties: object, expected: object][] = [
  [
    {
      jobType: 'AzureIaaSVMJob',
      backupManagementType: 'AzureIaasVM',
      containerName: 'iaasvmcontainerv2;rg;vm',
      entityFriendlyName: 'vm',
    },
    {
      workload_type: 'VM',
      item_id: `${vaultId}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg;vm/protectedItems/VM;iaasvmcontainerv2;rg;vm`,
    },
  ],
  [
    { backupManagementType: 'AzureIaasVM', containerName: 'IaasVMContainer;iaasvmcontainerv2;rg;vm' },
    {
      item_id: `${vaultId}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg;vm/protectedItems/VM;iaasvmcontainerv2;rg;vm`,
    },
  ],
  [
    { jobType: 'AzureStorageJob', backupManagementType: 'AzureStorage' },
    { workload_type: 'AzureFileShare', item_id: null, storage_account: null },
  ],
  [
    { backupManagementType: 'AzureStorage', storageAccountName: 'files', storageAccountVersion: 'Storage' },
    { workload_type: 'AzureFileShare', storage_account: 'files', server_name: null },
  ],
  [{ backupManagementType: 'DPM', workloadType: 'SQLDB', dpmServerName: 'dpm-01' }, { server_name: 'dpm-01' }],
  [
    { jobType: 'AzureWorkloadJob', backupManagementType: 'AzureWorkload', workloadType: 'SAPAseDatabase' },
    { workload_type: 'SAPAse' },
  ],
  [
    {
      jobType: 'MabJob',
      backupManagementType: 'MAB',
      workloadType: 'FileFolder',
      containerName: 'Windows;srv',
      mabServerName: 'srv',
    },
    { workload_type: 'FileFolder', item_id: null, server_name: 'srv' },
  ],
  [
    { jobType: 'DpmJob', backupManagementType: 'DPM', workloadType: 'VM', containerName: 'x;y' },
    { workload_type: 'VM', item_id: null },
  ],
  [
    { jobType: 'VaultJob', operation: 'UpdateCustomerManagedKey', backupManagementType: null },
    { workload_type: null, backup_management_type: null },
  ],
  [
    { startTime: '2021-06-14T15:16:56.4184467Z', endTime: '0001-01-01T00:00:00', duration: 'PT5S' },
    { start_time: '2021-06-14T15:16:56.418Z', end_time: null, duration_seconds: 5 },
  ],
]
for (const [properties, expected] of kinds)
  t.test(`job ${JSON.stringify(properties)}`, async t => t.match(toJobRow(job(properties), vault), expected))

const errors: [name: string, properties: object, expected: object[]][] = [
  [
    'VM',
    { errorDetails: [{ errorCode: 400136, errorTitle: 'T', errorString: 'S', recommendations: ['r'] }] },
    [{ code: '400136', title: 'T', message: 'S', recommendations: ['r'], remediation: /no longer exists/ }],
  ],
  [
    'VM, of the newer kind, known by its title only',
    { jobType: 'AzureIaaSVMJobV2', errorDetails: [{ errorCode: 1, errorTitle: 'UserErrorRpCollectionDeleted' }] },
    [{ code: '1', message: 'UserErrorRpCollectionDeleted', remediation: /AzureBackupRG/ }],
  ],
  [
    'share',
    { errorDetails: [{ errorCode: 1, errorString: 'S', recommendations: null }] },
    [{ code: '1', title: null, message: 'S', recommendations: [], remediation: null }],
  ],
  ['agent', { errorDetails: [{ errorString: 'S' }] }, [{ code: null, title: null, message: 'S', recommendations: [] }]],
  [
    'DPM',
    { jobType: 'DpmJob', errorDetails: [{ errorString: 'S', recommendations: ['r'] }] },
    [{ code: null, message: 'S', recommendations: ['r'] }],
  ],
  [
    'vault',
    { jobType: 'VaultJob', errorDetails: [{ errorCode: 2, errorString: 'S', recommendations: ['r'] }] },
    [{ code: '2', title: null, message: 'S', recommendations: ['r'] }],
  ],
  [
    'database',
    {
      errorDetails: [
        { errorCode: 510011, errorTitle: 'WorkloadRestoreFailed', errorString: 'S', additionalDetails: 'A' },
      ],
      extendedInfo: { dynamicErrorMessage: 'D' },
    },
    [
      { code: '510011', message: 'S A', remediation: /error log/ },
      { code: '510011', message: 'D', remediation: /error log/ },
    ],
  ],
  [
    'details that say the same',
    {
      errorDetails: [{ errorCode: 7, errorString: 'S', additionalDetails: 'S' }],
      extendedInfo: { dynamicErrorMessage: 'S' },
    },
    [{ code: '7', message: /^S$/ }],
  ],
  [
    'only the message',
    { errorDetails: null, extendedInfo: { dynamicErrorMessage: 'D' } },
    [{ code: null, message: 'D' }],
  ],
  [
    'warnings',
    { status: 'CompletedWithWarnings', errorDetails: [{ errorCode: 400380, errorString: 'S' }] },
    [{ code: '400380', message: 'S', remediation: /start it again/ }],
  ],
  [
    'only a task',
    {
      errorDetails: [],
      extendedInfo: {
        tasksList: [
          { taskId: 'Take Snapshot', status: 'Completed' },
          { taskId: 'Transfer data to vault', status: 'failed', taskExecutionDetails: 'at 5 GBs' },
        ],
      },
    },
    [{ code: null, message: 'The task "Transfer data to vault" ended as failed: at 5 GBs.' }],
  ],
  [
    'only files that were left out',
    {
      status: 'CompletedWithWarnings',
      extendedInfo: {
        propertyBag: { 'Number Of Restored Files': '5', 'Number Of Failed Files': '2', 'Number Of Skipped Files': '0' },
      },
    },
    [{ code: null, message: 'Number Of Failed Files: 2.' }],
  ],
  [
    'none, in the job itself',
    { errorDetails: [], extendedInfo: { dynamicErrorMessage: '' } },
    [{ code: null, message: /does not say why/, remediation: /support case/ }],
  ],
  ['none, in a list', {}, [{ message: /does not say why/, remediation: /recovery_services_get_job_details/ }]],
  ['none, with warnings that nobody names', { status: 'CompletedWithWarnings' }, []],
  ['none, in a job that was cancelled', { status: 'Cancelled' }, []],
  [
    'none, while a task was tried again',
    { status: 'InProgress', extendedInfo: { tasksList: [{ taskId: 'T', status: 'Failed' }] } },
    [],
  ],
]
for (const [name, properties, expected] of errors)
  t.test(`errors of a job: ${name}`, async t => {
    const details = toJobDetails(job({ status: 'Failed', ...properties }), vault)
    t.match(details.errors, expected)
    t.equal(details.errors.length, expected.length)
    t.same(details.error, details.errors[0] ?? null)
  })

const details: [name: string, properties: object, expected: object][] = [
  [
    'cancellable by number',
    { status: 'InProgress', actionsInfo: [1] },
    { is_cancellable: true, percent_complete: null },
  ],
  [
    'cancellable by word',
    { status: 'InProgress', actionsInfo: ['Cancellable'], extendedInfo: { progressPercentage: '45' } },
    { is_cancellable: true, percent_complete: 45 },
  ],
  ['cancellable in other letters', { status: 'inProgress', actionsInfo: ['cancellable'] }, { is_cancellable: true }],
  ['not cancellable', { status: 'InProgress', actionsInfo: [0, 2, 'Retriable'] }, { is_cancellable: false }],
  [
    'over, with the action that stays',
    { status: 'Completed', actionsInfo: [1] },
    { is_cancellable: false, percent_complete: 100 },
  ],
  ['over, in other letters', { status: 'completed' }, { percent_complete: 100 }],
  ['over with warnings', { status: 'CompletedWithWarnings' }, { percent_complete: 100 }],
  ['failed half way', { status: 'Failed', extendedInfo: { progressPercentage: 30 } }, { percent_complete: 30 }],
  [
    'with a bag',
    {
      extendedInfo: {
        propertyBag: {
          'Backup Size': '1 MB',
          'Data Transferred (in MB)': '2',
          'Recovery point time ': 'x',
          none: null,
        },
      },
    },
    {
      backup_size_bytes: 1_048_576,
      transferred_bytes: 2_097_152,
      properties: { 'Recovery point time': 'x', none: undefined },
    },
  ],
  [
    'with tasks',
    {
      extendedInfo: {
        tasksList: [{ taskId: 'Take Snapshot', status: 'Completed', duration: 'PT3S', progressPercentage: 9 }, null],
      },
    },
    {
      tasks: [
        {
          task: 'Take Snapshot',
          instance_id: null,
          status: 'Completed',
          start_time: null,
          end_time: null,
          duration_seconds: 3,
          percent_complete: 9,
          detail: null,
        },
      ],
      transferred_bytes: null,
    },
  ],
  [
    'with all that Azure tells of a task, and of the time left',
    {
      status: 'InProgress',
      extendedInfo: {
        estimatedRemainingDuration: 'PT1M30S',
        tasksList: [
          {
            taskId: 'Transfer data from vault',
            instanceId: 'i-1',
            status: 'InProgress',
            startTime: '2026-11-22T02:00:00.1234567Z',
            endTime: '0001-01-01T00:00:00',
            duration: 'PT1M',
            progressPercentage: 9.5,
            taskExecutionDetails: '12 GBs / 127 GBs Transferred',
          },
        ],
      },
    },
    {
      estimated_remaining_seconds: 90,
      tasks: [
        {
          instance_id: 'i-1',
          start_time: '2026-11-22T02:00:00.123Z',
          end_time: null,
          duration_seconds: 60,
          percent_complete: 9.5,
          detail: '12 GBs / 127 GBs Transferred',
        },
      ],
      transferred_bytes: 12 * 1024 ** 3,
    },
  ],
]
for (const [name, properties, expected] of details)
  t.test(`a job ${name}`, async t => t.match(toJobDetails(job(properties), vault), expected))

const database = (id: string, entity: string, over: object = {}) =>
  job(
    {
      backupManagementType: 'AzureWorkload',
      workloadType: 'SQLDataBase',
      operation: 'Backup (Full)',
      status: 'Completed',
      entityFriendlyName: entity,
      ...over,
    },
    id,
  )
const sqlItem = `${vaultId}/backupFabrics/Azure/protectionContainers/VMAppContainer;Compute;rg;sql-01/protectedItems/SQLDataBase;mssqlserver;orders`
const shareItem = `${vaultId}/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;rg;files/protectedItems/AzureFileShare;00`
const filesItem = `${vaultId}/backupFabrics/Azure/protectionContainers/Windows;srv-01/protectedItems/MabFileFolder;1`
const found: [name: string, item: string, properties: object, jobs: object[], ids: string[]][] = [
  [
    'a database by the name its server gives itself',
    sqlItem,
    { friendlyName: 'orders', serverName: 'SQLPROD' },
    [
      database('own', 'orders [sqlprod.contoso.local]'),
      database('vm', 'orders [sql-01]'),
      database('configured', 'orders', { operation: 'ConfigureBackup' }),
      database('longer', 'orders [sql-011]'),
      database('other', 'orders [sql-02]'),
      database('hana', 'orders', { workloadType: 'SAPHanaDatabase' }),
      database('name', 'orders2 [sql-01]'),
    ],
    ['own', 'vm', 'configured'],
  ],
  [
    'a database of an availability group, by the name of the group or of a node',
    `${vaultId}/backupFabrics/Azure/protectionContainers/SQLAGWorkLoadContainer;ag/protectedItems/SQLDataBase;ag-1;orders`,
    { friendlyName: 'orders', parentName: 'AG-1', nodesList: [{ nodeName: 'sql-03' }] },
    [
      database('group', 'orders [ag-1]'),
      database('node', 'orders [sql-03.contoso.local]'),
      database('other', 'orders [ag-2]'),
    ],
    ['group', 'node'],
  ],
  [
    'a database with brackets in its name',
    sqlItem,
    { friendlyName: 'a [b]' },
    [database('configured', 'a [b]'), database('backup', 'a [b] [sql-01]'), database('other', 'a [sql-01]')],
    ['configured', 'backup'],
  ],
  [
    'a share by its account, where the job names one',
    shareItem,
    { friendlyName: 'finance' },
    [
      job({ backupManagementType: 'AzureStorage', entityFriendlyName: 'finance', storageAccountName: 'FILES' }, 'own'),
      job({ backupManagementType: 'AzureStorage', entityFriendlyName: 'finance' }, 'silent'),
      job(
        { backupManagementType: 'AzureStorage', entityFriendlyName: 'finance', storageAccountName: 'other' },
        'other',
      ),
      job({ backupManagementType: 'AzureIaasVM', entityFriendlyName: 'finance' }, 'vm'),
    ],
    ['own', 'silent'],
  ],
  [
    'the files of one server',
    filesItem,
    {
      protectedItemType: 'MabFileFolderProtectedItem',
      backupManagementType: 'MAB',
      workloadType: 'FileFolder',
      friendlyName: 'C:\\',
      computerName: 'srv-01',
    },
    [
      job(
        {
          backupManagementType: 'MAB',
          workloadType: 'FileFolder',
          entityFriendlyName: 'C:\\',
          mabServerName: 'srv-01.x',
        },
        'own',
      ),
      job(
        {
          backupManagementType: 'MAB',
          workloadType: 'FileFolder',
          entityFriendlyName: 'C:\\',
          mabServerName: 'srv-02',
        },
        'other',
      ),
    ],
    ['own'],
  ],
]
for (const [name, id, properties, jobs, ids] of found)
  t.test(`jobs of ${name}`, async t => {
    const { call } = createTools(asked => (asked.includes('/backupJobs') ? { value: jobs } : { id, properties }))
    const { jobs: rows } = await call('list_backup_jobs', { item: id })
    t.same(
      (rows as { job_id: string }[]).map(row => row.job_id),
      ids,
    )
  })

const windows: [args: object, from: string, to: string][] = [
  [{}, '2026-11-21 10:00:00 AM', '2026-11-22 10:00:00 AM'],
  [{ since: '2026-11-22T00:00:00+02:00' }, '2026-11-21 10:00:00 PM', '2026-11-22 10:00:00 AM'],
  [{ until: '2026-11-01T12:00:00.2Z' }, '2026-10-31 12:00:00 PM', '2026-11-01 12:00:01 PM'],
]
for (const [args, from, to] of windows)
  t.test(`jobs ${JSON.stringify(args)} are those from ${from} to ${to}`, async t => {
    const { call } = createTools(() => ({ value: [] }))
    const { asked } = await call('list_backup_jobs', {
      ...args,
      status: 'running',
      workload_type: 'VM',
      operation: 'backup',
    })
    t.same(asked, [
      `GET ${vaultId}/backupJobs?$filter=startTime eq '${from}' and endTime eq '${to}' and operation eq 'Backup' and status eq 'InProgress' and backupManagementType eq 'AzureIaasVM'`,
    ])
  })
for (const args of [
  { since: '2026-11-23T00:00:00Z' },
  { since: '2026-11-20T23:59:60Z', until: '2026-11-21T00:00:00Z' },
  { since: 'yesterday' },
])
  t.test(`jobs ${JSON.stringify(args)} are refused`, async t => {
    t.match(await createTools(() => ({ value: [] })).call('list_backup_jobs', args), {
      code: 'invalid_arguments',
      asked: [],
    })
  })

t.test('the next page of jobs is of the window of the first', async t => {
  const many = [1, 2, 3].map(at => job({ status: 'Completed', operation: 'Backup' }, `job-${at}`))
  const { call, clock } = createTools(() => ({ value: many }))
  const first = await call('list_backup_jobs', { limit: 2 })
  clock.advance(3_600_000)
  const second = await call('list_backup_jobs', { limit: 2, cursor: first.next_cursor })
  t.same(second.asked, first.asked)
  t.match(second, { jobs: [{ job_id: 'job-3' }], count: 1, next_cursor: undefined })
})

t.test('operations and states are found in any spelling of Azure', async t => {
  const jobs = [
    job({ operation: 'Unregister', status: 'Completed' }, 'a'),
    job({ operation: 'Restore (Full)', status: 'Completed' }, 'b'),
    job({ operation: 'CrossRegionRestore', status: 'Completed' }, 'c'),
  ]
  const { call } = createTools(() => ({ value: jobs }))
  t.match(await call('list_backup_jobs', { operation: 'UnRegister' }), { count: 1, jobs: [{ job_id: 'a' }] })
  t.match(await call('list_backup_jobs', { operation: 'Restore', status: 'succeeded' }), {
    count: 1,
    jobs: [{ job_id: 'b' }],
  })
  const ended = createTools(() => ({ value: ['Canceled', 'cancelled', 'Cancelling'].map(status => job({ status })) }))
  t.match(await ended.call('list_backup_jobs', { status: 'Cancelled' }), { count: 2 })
})

const crr = `/subscriptions/${subscription}/providers/Microsoft.RecoveryServices/locations/northeurope`
t.test('jobs of the secondary region are asked of the paired region, whose name is remembered', async t => {
  const { call } = createTools(asked =>
    asked.startsWith('POST')
      ? asked.includes('backupCrrJobs')
        ? { value: [] }
        : job({ status: 'Completed' })
      : { id: vaultId, location: 'West Europe' },
  )
  const listed = await call('list_backup_jobs', { secondary_region: true })
  t.match(listed.asked, [`GET ${vaultId}`, `POST ${crr}/backupCrrJobs?$filter=startTime eq`])
  t.same((await call('get_job_details', { job_id: 'x', secondary_region: true })).asked, [`POST ${crr}/backupCrrJob`])
  t.same(
    (await call('get_job_details', { job_id: `${crr}/backupJobs/x` })).asked,
    [`POST ${crr}/backupCrrJob`],
    'an id says it itself',
  )
})

t.test('the id of a job names the region to ask, whatever pairs are known', async t => {
  const { call } = createTools(() => job({ status: 'Completed' }))
  const jobId = `${crr.replace('northeurope', 'swedensouth')}/backupJobs/x`
  const { asked, status } = await call('get_job_details', { job_id: jobId })
  t.same(asked, [`POST ${crr.replace('northeurope', 'swedensouth')}/backupCrrJob`])
  t.equal(status, 'Completed')
})

t.test('a region without a pair has no secondary jobs', async t => {
  const { call } = createTools(() => ({ id: vaultId, location: 'polandcentral' }))
  t.match(await call('list_backup_jobs', { secondary_region: true }), {
    code: 'precondition_failed',
    message: /polandcentral/,
  })
})

for (const jobId of ['a/b', '..', '/subscriptions/x', vaultId])
  t.test(`job_id ${jobId} is refused`, async t => {
    t.match(await createTools(() => ({})).call('get_job_details', { job_id: jobId }), {
      code: 'invalid_arguments',
      asked: [],
    })
  })

const at = (...times: string[]) => times.map(time => `2021-05-26T${time}:00Z`)
const days = (count: unknown, durationType?: unknown) => ({
  retentionDuration: { count, ...(durationType === undefined ? { durationType: 'Days' } : { durationType }) },
})
const simple = (count: number) => ({ retentionPolicyType: 'SimpleRetentionPolicy', ...days(count) })
const daily = { scheduleRunFrequency: 'Daily', scheduleRunTimes: at('12:00'), scheduleWeeklyFrequency: 0 }
const weekly = (day: string, time: string) => ({
  schedulePolicyType: 'SimpleSchedulePolicy',
  scheduleRunFrequency: 'Weekly',
  scheduleRunDays: [day],
  scheduleRunTimes: at(time),
  scheduleWeeklyFrequency: 0,
})
const v2 = (frequency: string, nested: object) => ({
  schedulePolicyType: 'SimpleSchedulePolicyV2',
  scheduleRunFrequency: frequency,
  hourlySchedule: null,
  dailySchedule: null,
  weeklySchedule: null,
  ...nested,
})
const hours = { hourlySchedule: { interval: 4, scheduleWindowStartTime: at('08:00')[0], scheduleWindowDuration: 16 } }
const byWeek = (weeks: unknown, weekdays: unknown) => ({
  retentionScheduleFormatType: 'Weekly',
  retentionScheduleDaily: null,
  retentionScheduleWeekly: { daysOfTheWeek: weekdays, weeksOfTheMonth: weeks },
})
const byDate = (...daysOfTheMonth: object[]) => ({
  retentionScheduleFormatType: 'Daily',
  retentionScheduleDaily: { daysOfTheMonth },
})
const archive = (tieringMode: string, duration?: unknown, durationType?: string) => ({
  tieringPolicy: { ArchivedRP: { tieringMode, duration, durationType } },
})
const part = (policyType: string | null, schedulePolicy: unknown, retentionPolicy: unknown, more: object = {}) => ({
  policyType,
  schedulePolicy,
  retentionPolicy,
  ...more,
})
const logs = (minutes: unknown) => ({ schedulePolicyType: 'LogSchedulePolicy', scheduleFrequencyInMins: minutes })

/** A policy's properties, its schedule and its retention in words, and what else is told of it. */
const lines: [name: string, properties: object, schedule: string, retention: string, more?: Partial<PolicyLines>][] = [
  [
    'a VM, standard',
    {
      schedulePolicy: daily,
      retentionPolicy: { dailySchedule: { retentionTimes: null, ...days(30) } },
      instantRpRetentionRangeInDays: 2,
      timeZone: 'UTC',
    },
    'daily 12:00 UTC',
    '30 days; instant restore 2 days',
    {
      summary: 'daily 12:00 UTC; keep 30 days; instant restore 2 days',
      tiering: null,
      timeZone: 'UTC',
      snapshotDays: 2,
      parts: [],
    },
  ],
  [
    'a VM, weekly, every term, archived',
    {
      schedulePolicy: {
        scheduleRunFrequency: 'Weekly',
        scheduleRunDays: ['Sunday', 'Tuesday', 'Friday'],
        scheduleRunTimes: at('03:30'),
      },
      retentionPolicy: {
        dailySchedule: null,
        weeklySchedule: { daysOfTheWeek: ['Sunday', 'Tuesday', 'Friday'], ...days(1, 'Weeks') },
        monthlySchedule: { ...byWeek(['First', 'Last'], ['Sunday', 'Tuesday']), ...days('60', 'Months') },
        yearlySchedule: {
          monthsOfYear: ['January', 'June'],
          ...byDate({ date: 1, isLast: false }, { date: 0, isLast: true }),
          ...days(10, 'Years'),
        },
      },
      instantRpRetentionRangeInDays: 5,
      timeZone: 'W. Europe Standard Time',
      ...archive('TierAfter', 3, 'Months'),
    },
    'weekly Sunday, Tuesday and Friday 03:30 W. Europe Standard Time',
    '1 week on Sunday, Tuesday and Friday, 60 months on first and last Sunday and Tuesday, 10 years on day 1 and last day of January and June; instant restore 5 days; archive after 3 months',
    { tiering: 'archive after 3 months', timeZone: 'W. Europe Standard Time' },
  ],
  [
    'first Sundays',
    {
      schedulePolicy: daily,
      timeZone: 'UTC',
      retentionPolicy: {
        dailySchedule: days(30),
        weeklySchedule: { daysOfTheWeek: ['Sunday'], ...days(12, 'Weeks') },
        monthlySchedule: { ...byWeek(['First'], ['Sunday']), ...days(60, 'Months') },
        yearlySchedule: { monthsOfYear: ['January'], ...byWeek(['First'], ['Sunday']), ...days(10, 'Years') },
      },
      ...archive('DoNotTier', 0, 'Invalid'),
    },
    'daily 12:00 UTC',
    '30 days, 12 weeks on Sunday, 60 months on first Sunday, 10 years on first Sunday of January',
    { tiering: 'no archive' },
  ],
  [
    'a VM, enhanced, daily',
    { schedulePolicy: v2('Daily', { dailySchedule: { scheduleRunTimes: at('10:00') } }), timeZone: 'UTC' },
    'daily 10:00 UTC',
    'no retention',
    { summary: 'daily 10:00 UTC; no retention' },
  ],
  [
    'a VM, enhanced, weekly',
    {
      schedulePolicy: v2('Weekly', {
        scheduleRunDays: [],
        scheduleRunTimes: [],
        weeklySchedule: { scheduleRunDays: ['Saturday'], scheduleRunTimes: at('22:00') },
      }),
      instantRpRetentionRangeInDays: 30,
    },
    'weekly Saturday 22:00',
    'instant restore 30 days',
    { summary: 'weekly Saturday 22:00; instant restore 30 days' },
  ],
  [
    'a VM, enhanced, hourly',
    { schedulePolicy: v2('Hourly', hours), timeZone: 'UTC', ...archive('TierRecommended') },
    'every 4 hours from 08:00 for 16 hours UTC',
    'archive when recommended',
    { tiering: 'archive when recommended' },
  ],
  [
    'enums in other letter case, as their places, and numbers as text',
    {
      schedulePolicy: {
        scheduleRunFrequency: 2,
        scheduleRunDays: [0, 'MONDAY'],
        scheduleRunTimes: ['2021-05-26T03:30:00.0000000Z'],
        scheduleWeeklyFrequency: '1',
      },
      retentionPolicy: {
        WeeklySchedule: null,
        weeklySchedule: { daysOfTheWeek: ['sunday'], ...days('12', 'weeks') },
        monthlySchedule: { ...byWeek([0, 'last'], ['sunday']), retentionScheduleFormatType: 2, ...days(6, 3) },
        yearlySchedule: {
          monthsOfYear: [1, 'june'],
          ...byDate({ date: '15' }),
          retentionScheduleFormatType: 'daily',
          ...days(1, 'YEARS'),
        },
      },
      instantRpRetentionRangeInDays: '5',
      tieringPolicy: { archivedRP: { tieringMode: 'tierafter', duration: '3', durationType: 'months' } },
    },
    'weekly Sunday and Monday 03:30',
    '12 weeks on Sunday, 6 months on first and last Sunday, 1 year on day 15 of January and June; instant restore 5 days; archive after 3 months',
    { snapshotDays: 5 },
  ],
  [
    'words that say nothing, and words not known yet',
    {
      schedulePolicy: { scheduleRunFrequency: 'Monthly', scheduleRunTimes: at('01:00') },
      retentionPolicy: {
        dailySchedule: days(7, 'Invalid'),
        weeklySchedule: { daysOfTheWeek: null, ...days(4, 'Weeks') },
        monthlySchedule: { ...byWeek(['Invalid'], []), retentionScheduleFormatType: 'Invalid', ...days(2, 'Months') },
        yearlySchedule: { monthsOfYear: ['Invalid', 'March'], ...days(3, 'Decades') },
      },
      tieringPolicy: {
        ArchivedRP: { tieringMode: 'Invalid' },
        HardenedRP: { tieringMode: 'TierAfter', duration: 1, durationType: 'Weeks' },
        Cold: { tieringMode: 'TierSometimes' },
      },
    },
    'monthly 01:00',
    '7 days, 4 weeks, 2 months, 3 decades in March; move to HardenedRP after 1 week; move to Cold TierSometimes',
  ],
  [
    'a format that contradicts what is there',
    {
      schedulePolicy: { ...v2('Invalid', {}), ...hours },
      retentionPolicy: {
        monthlySchedule: { ...byDate({ isLast: true }), retentionScheduleFormatType: 'Weekly', ...days(12, 'Months') },
      },
    },
    'every 4 hours from 08:00 for 16 hours',
    '12 months on last day',
  ],
  [
    'both formats',
    {
      retentionPolicy: {
        monthlySchedule: { ...byWeek(['First'], ['Sunday']), ...days(6, 'Months') },
        yearlySchedule: { ...byWeek(['First'], ['Sunday']), ...byDate({ date: 1 }), ...days(2, 'Years') },
      },
    },
    'no schedule',
    '6 months on first Sunday, 2 years on day 1',
  ],
  ['hourly without numbers', { schedulePolicy: v2('Hourly', {}), timeZone: 'UTC' }, 'hourly', 'no retention'],
  [
    'a share, hourly, snapshots only',
    {
      schedulePolicy: { scheduleRunFrequency: 'Hourly', ...hours, scheduleWeeklyFrequency: 0 },
      retentionPolicy: { dailySchedule: { retentionTimes: at('20:00'), ...days(5) } },
      timeZone: 'UTC',
    },
    'every 4 hours from 08:00 for 16 hours UTC',
    '5 days',
    { snapshotDays: null },
  ],
  [
    'a share, vaulted',
    {
      schedulePolicy: daily,
      vaultRetentionPolicy: { snapshotRetentionInDays: 5, vaultRetention: { dailySchedule: days(30) } },
      timeZone: 'UTC',
    },
    'daily 12:00 UTC',
    '30 days; snapshots 5 days',
    { summary: 'daily 12:00 UTC; keep 30 days; snapshots 5 days', snapshotDays: 5 },
  ],
  [
    'a database',
    {
      settings: { timeZone: 'UTC' },
      subProtectionPolicy: [
        part('Full', weekly('Sunday', '03:00'), {
          weeklySchedule: { daysOfTheWeek: ['Sunday'], ...days(104, 'Weeks') },
          monthlySchedule: { ...byWeek(['First'], ['Sunday']), ...days(60, 'Months') },
        }),
        part('Differential', weekly('Monday', '12:00'), simple(30)),
        part('Log', logs(15), simple(15)),
      ],
    },
    'full weekly Sunday 03:00 UTC; differential Monday 12:00; log every 15 minutes',
    'full 104 weeks on Sunday, 60 months on first Sunday; differential 30 days; log 15 days',
    {
      summary:
        'full weekly Sunday 03:00 UTC; differential Monday 12:00; log every 15 minutes; keep full 104 weeks on Sunday, 60 months on first Sunday; differential 30 days; log 15 days',
      tiering: null,
      timeZone: 'UTC',
      parts: [
        {
          backup_type: 'Full',
          schedule: 'weekly Sunday 03:00 UTC',
          retention: '104 weeks on Sunday, 60 months on first Sunday',
          tiering: null,
        },
        { backup_type: 'Differential', schedule: 'weekly Monday 12:00 UTC', retention: '30 days', tiering: null },
        { backup_type: 'Log', schedule: 'every 15 minutes', retention: '15 days', tiering: null },
      ],
    },
  ],
  [
    'a database, logs first, in other letter case',
    {
      settings: { timeZone: 'India Standard Time' },
      subProtectionPolicy: [
        part('log', logs('60'), simple(15)),
        part('FULL', daily, { dailySchedule: days(180) }, archive('TierAfter', 45, 'Days')),
        part('differential', weekly('monday', '12:00'), simple(30), archive('DoNotTier')),
      ],
    },
    'log every 60 minutes; full daily 12:00 India Standard Time; differential weekly Monday 12:00',
    'log 15 days; full 180 days, archive after 45 days; differential 30 days',
    {
      tiering: 'full archive after 45 days; differential no archive',
      parts: [
        { backup_type: 'Log', schedule: 'every 60 minutes', retention: '15 days', tiering: null },
        {
          backup_type: 'Full',
          schedule: 'daily 12:00 India Standard Time',
          retention: '180 days; archive after 45 days',
          tiering: 'archive after 45 days',
        },
        {
          backup_type: 'Differential',
          schedule: 'weekly Monday 12:00 India Standard Time',
          retention: '30 days',
          tiering: 'no archive',
        },
      ],
    },
  ],
  [
    'a HANA instance, snapshots',
    {
      workLoadType: 'SAPHanaDBInstance',
      settings: { timeZone: 'UTC' },
      subProtectionPolicy: [
        part('SnapshotFull', daily, null, { snapshotBackupAdditionalDetails: { instantRpRetentionRangeInDays: 7 } }),
        part('SnapshotCopyOnlyFull', null, null, { snapshotBackupAdditionalDetails: { instantRPDetails: 'rg-x' } }),
        part('Incremental', { ...weekly('Sunday', '01:00'), scheduleWeeklyFrequency: 2 }, simple(1)),
        part(null, logs(null), {}),
      ],
    },
    'snapshot full daily 12:00 UTC; snapshot copy only full no schedule; incremental every 2 weeks Sunday 01:00; backup no schedule',
    'snapshot full instant restore 7 days; snapshot copy only full no retention; incremental 1 day; backup no retention',
    { snapshotDays: 7 },
  ],
  [
    'any other workload',
    {
      backupManagementType: 'GenericProtectionPolicy',
      timeZone: 'UTC',
      fabricName: 'Azure',
      subProtectionPolicy: [part('CopyOnlyFull', { schedulePolicyType: 'LongTermSchedulePolicy' }, simple(7))],
    },
    'copy only full no schedule',
    'copy only full 7 days',
    { timeZone: 'UTC' },
  ],
  [
    'files of a server',
    {
      backupManagementType: 'MAB',
      schedulePolicy: {
        ...weekly('Friday', '21:00'),
        scheduleRunTimes: at('06:00', '21:00', '22:30'),
        scheduleWeeklyFrequency: 2,
      },
      retentionPolicy: { weeklySchedule: days(4, 'Weeks') },
    },
    'every 2 weeks Friday 06:00, 21:00 and 22:30',
    '4 weeks',
  ],
  ['files of a server, no days', { schedulePolicy: { scheduleRunFrequency: 'Weekly' } }, 'weekly', 'no retention'],
  [
    'Azure SQL',
    { backupManagementType: 'AzureSql', retentionPolicy: simple(10) },
    'no schedule',
    '10 days',
    { summary: 'no schedule; keep 10 days' },
  ],
  [
    'nothing known',
    { subProtectionPolicy: [], schedulePolicy: null, retentionPolicy: null, tieringPolicy: null },
    'no schedule',
    'no retention',
    { summary: 'no schedule; no retention', tiering: null, timeZone: null, snapshotDays: null, parts: [] },
  ],
  [
    'nothing of its right kind',
    {
      schedulePolicy: { scheduleRunFrequency: {}, scheduleRunTimes: {}, hourlySchedule: 'x' },
      retentionPolicy: [{}],
      vaultRetentionPolicy: 'x',
      tieringPolicy: { ArchivedRP: 3 },
      subProtectionPolicy: ['x', null],
      settings: 'x',
      timeZone: 4,
    },
    'no schedule',
    'no retention',
  ],
  [
    'terms without a count',
    {
      schedulePolicy: daily,
      retentionPolicy: { dailySchedule: { retentionDuration: null }, weeklySchedule: { daysOfTheWeek: ['Sunday'] } },
    },
    'daily 12:00',
    'daily, weekly on Sunday',
  ],
  ['a null duration', { retentionPolicy: { retentionDuration: null } }, 'no schedule', 'no retention'],
]
for (const [name, properties, schedule, retention, more] of lines)
  t.test(`lines of a policy: ${name}`, async t => {
    const expected = { schedule, retention, ...more }
    const told = Object.entries(policyLines(properties as Record<string, unknown>))
    t.same(Object.fromEntries(told.filter(([key]) => key in expected)), expected)
  })

const policy = (name: string, properties: object) => ({ id: `${vaultId}/backupPolicies/${name}`, name, properties })

for (const [name, properties, type] of [
  ['V1', { policyType: 'V1' }, 'standard'],
  ['v2', { policyType: 'v2' }, 'enhanced'],
  ['no word', {}, 'standard'],
  ['a word that says nothing', { policyType: 'Invalid', schedulePolicy: daily }, 'standard'],
  ['no word, nested schedule', { schedulePolicy: v2('Daily', {}) }, 'enhanced'],
  ['no VM', { backupManagementType: 'AzureStorage', schedulePolicy: v2('Daily', {}) }, null],
] as [string, object, string | null][])
  t.test(`policy type: ${name}`, async t => {
    const body = policy('p', { backupManagementType: 'AzureIaasVM', ...properties })
    const { policies } = await createTools(() => ({ value: [body] })).call('list_policies')
    t.same(
      (policies as { policy_type: unknown }[]).map(row => row.policy_type),
      [type],
    )
  })

t.test('policies tell their workload by what Azure gives', async t => {
  const { call } = createTools(() => ({
    value: [
      policy('vm', { backupManagementType: 'AzureIaasVM', policyType: 'V2', protectedItemsCount: '3' }),
      policy('old', { backupManagementType: 'AzureIaasVM' }),
      policy('share', { backupManagementType: 'AzureStorage' }),
      policy('sql', { backupManagementType: 'AzureWorkload', workLoadType: 'SQLDataBase' }),
      policy('mab', { backupManagementType: 'MAB', workLoadType: null }),
      policy('dpm', { backupManagementType: 'DPM', workLoadType: 'VM' }),
    ],
  }))
  t.match(await call('list_policies'), {
    policies: [
      { workload_type: 'VM', policy_type: 'enhanced', protected_items_count: 3 },
      { workload_type: 'VM', policy_type: 'standard', protected_items_count: null },
      { workload_type: 'AzureFileShare', policy_type: null },
      { workload_type: 'SQL' },
      { workload_type: null },
      { workload_type: 'VM', backup_management_type: 'DPM' },
    ],
  })
})

for (const [args, names] of [
  [{}, ['vm', 'share', 'sql', 'hana', 'mab']],
  [{ workload_type: 'VM' }, ['vm']],
  [{ workload_type: 'SQL' }, ['sql']],
  [{ workload_type: 'AzureFileShare' }, ['share']],
  [{ backup_management_type: 'AzureWorkload' }, ['sql', 'hana']],
  [{ backup_management_type: 'MAB' }, ['mab']],
] as [Record<string, unknown>, string[]][])
  t.test(`policies of another kind are left out, whatever list answers: ${JSON.stringify(args)}`, async t => {
    const { call } = createTools(() => ({
      value: [
        policy('vm', { backupManagementType: 'azureiaasvm' }),
        policy('share', { backupManagementType: 'AzureStorage' }),
        policy('sql', { backupManagementType: 'AzureWorkload', workLoadType: 'sqldatabase' }),
        policy('hana', { backupManagementType: 'AzureWorkload', workloadType: 'SAPHanaDatabase' }),
        policy('mab', { backupManagementType: 'MAB' }),
      ],
    }))
    const { policies } = await call('list_policies', args)
    t.same(
      (policies as { policy_name: unknown }[]).map(row => row.policy_name),
      names,
    )
  })

const policyId = `${vaultId}/backupPolicies/vm-daily`
const vmDaily = {
  backupManagementType: 'AzureIaasVM',
  policyType: 'V2',
  schedulePolicy: v2('Daily', { dailySchedule: { scheduleRunTimes: at('02:00') } }),
  retentionPolicy: { dailySchedule: days(30) },
  instantRPDetails: { azureBackupRGNamePrefix: 'rg-', azureBackupRGNameSuffix: '-snap' },
  instantRpRetentionRangeInDays: 7,
  snapshotConsistencyType: 'OnlyCrashConsistent',
  timeZone: 'UTC',
  resourceGuardOperationRequests: ['hidden'],
  protectedItemsCount: 2,
}
const protectedVm = (name: string, policyOf: object) => ({
  id: `${vaultId}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;${name}/protectedItems/VM;iaasvmcontainerv2;rg-app;${name}`,
  name: `VM;iaasvmcontainerv2;rg-app;${name}`,
  properties: {
    friendlyName: name,
    protectionState: 'Protected',
    lastBackupStatus: 'Completed',
    lastBackupTime: '2021-05-26T02:17:53Z',
    ...policyOf,
  },
})
const itemsAsked = `GET ${vaultId}/backupProtectedItems?$filter=policyName eq 'vm-daily'`
const onePolicy = (properties: object, items: () => unknown) =>
  createTools(asked =>
    asked.toLowerCase() === `GET ${policyId}`.toLowerCase()
      ? policy('vm-daily', properties)
      : asked.startsWith(`GET ${vaultId}/backupProtectedItems`)
        ? items()
        : undefined,
  )

t.test('a policy is told whole, with the items under it and no others', async t => {
  const { call } = onePolicy(vmDaily, () => ({
    value: [
      protectedVm('web-01', { policyName: 'VM-daily' }),
      protectedVm('web-02', { policyId: `${vaultId}/backupPolicies/vm-daily` }),
      protectedVm('app-01', { policyName: 'other', policyId }),
      protectedVm('old-01', { policyName: '', policyId: '' }),
    ],
  }))
  const row = (name: string) => ({
    id: protectedVm(name, {}).id,
    friendly_name: name,
    vm_name: name,
    storage_account: null,
    protection_state: 'Protected',
    last_backup_status: 'Completed',
    last_backup_time: '2021-05-26T02:17:53Z',
  })
  const expected = {
    id: policyId,
    policy_name: 'vm-daily',
    vault_name: 'vault-prod',
    workload_type: 'VM',
    backup_management_type: 'AzureIaasVM',
    policy_type: 'enhanced',
    summary: 'daily 02:00 UTC; keep 30 days; instant restore 7 days',
    schedule: 'daily 02:00 UTC',
    retention: '30 days; instant restore 7 days',
    tiering: null,
    time_zone: 'UTC',
    instant_restore_days: 7,
    snapshot_resource_group_prefix: 'rg-',
    snapshot_resource_group_suffix: '-snap',
    snapshot_consistency: 'OnlyCrashConsistent',
    compression: null,
    parts: [],
    protected_items_count: 2,
    protected_items: [row('web-01'), row('web-02')],
    asked: [`GET ${policyId}`, itemsAsked],
  }
  t.same(await call('get_policy_details', { policy_name: 'vm-daily' }), expected)
  const { asked } = await call('get_policy_details', { policy_name: 'VM-Daily' })
  t.equal(asked[1], itemsAsked, 'items are asked for by the name as Azure spells it')
  for (const vault of [undefined, 'vault-prod'])
    t.same(await call('get_policy_details', { policy_name: policyId, vault }), expected, 'by its ARM id')
  const elsewhere = await call('get_policy_details', { policy_name: policyId, vault: 'vault-dr' })
  t.match(elsewhere, { code: 'invalid_arguments', message: /policy_name lies in/ })
  t.same(elsewhere.asked, [])
  t.same(
    (await call('get_policy_details', { policy_name: 'vm-daily', include_raw: true })).raw,
    policy('vm-daily', vmDaily),
  )
})

t.test('the items of a policy that has none are not asked for; of one that does not say they are', async t => {
  const empty = onePolicy({ ...vmDaily, protectedItemsCount: '0' }, () => ({ value: [] }))
  const { protected_items_count, protected_items, asked } = await empty.call('get_policy_details', {
    policy_name: 'vm-daily',
  })
  t.same(
    { protected_items_count, protected_items, asked },
    {
      protected_items_count: 0,
      protected_items: [],
      asked: [`GET ${policyId}`],
    },
  )
  const silent = onePolicy({ backupManagementType: 'AzureIaasVM' }, () => ({ value: [] }))
  const told = await silent.call('get_policy_details', { policy_name: 'vm-daily' })
  t.match(told, {
    summary: 'no schedule; no retention',
    instant_restore_days: null,
    snapshot_resource_group_prefix: null,
    snapshot_consistency: null,
    protected_items_count: null,
    protected_items: [],
  })
  t.same(told.asked, [`GET ${policyId}`, itemsAsked])
  t.notOk('warnings' in told || 'raw' in told)
})

for (const [name, settings, compression] of [
  ['none', {}, null],
  ['the older flag', { issqlcompression: true }, true],
  ['the newer flag', { isCompression: false }, false],
  ['both, one of them set', { isCompression: false, issqlcompression: true }, true],
] as [string, object, boolean | null][])
  t.test(`compression: ${name}`, async t => {
    const { call } = onePolicy({ settings, protectedItemsCount: 0 }, () => undefined)
    t.equal((await call('get_policy_details', { policy_name: 'vm-daily' })).compression, compression)
  })

t.test('at most 200 items of a policy are told, and how to get the others', async t => {
  const many = (count: number) => () => ({
    value: Array.from({ length: count }, (_, index) => protectedVm(`vm-${index}`, { policyName: 'vm-daily' })),
  })
  const more = await onePolicy(vmDaily, many(201)).call('get_policy_details', { policy_name: 'vm-daily' })
  t.equal((more.protected_items as unknown[]).length, 200)
  t.match(more.warnings, [/^These are the first 200 items; recovery_services_list_protected_items with policy_name/])
  const all = await onePolicy(vmDaily, many(200)).call('get_policy_details', { policy_name: 'vm-daily' })
  t.equal((all.protected_items as unknown[]).length, 200)
  t.notOk('warnings' in all)
})

t.test('a policy is told without its items where they cannot be listed', async t => {
  const { call } = onePolicy(vmDaily, () => failure(403, 'AuthorizationFailed', 'You may not.'))
  t.match(await call('get_policy_details', { policy_name: 'vm-daily' }), {
    schedule: 'daily 02:00 UTC',
    protected_items_count: 2,
    protected_items: null,
    warnings: [/^The items under the policy could not be listed: You may not\. [A-Z]/],
  })
})

for (const azureCode of ['ResourceNotFound', 'BMSUserErrorPolicyNotFound'])
  t.test(`a policy that is not there: the error names those that are (${azureCode})`, async t => {
    const { call } = createTools(asked =>
      asked === `GET ${vaultId}/backupPolicies`
        ? { value: ['share-daily', 'vm-weekly', 'vm-daily'].map(name => policy(name, {})) }
        : failure(404, azureCode, 'The policy was not found.'),
    )
    const error = await call('get_policy_details', { policy_name: 'vm-dialy' })
    t.same(error.asked, [`GET ${vaultId}/backupPolicies/vm-dialy`, `GET ${vaultId}/backupPolicies`])
    t.match(error, {
      code: 'not_found',
      message: 'vault-prod has no policy "vm-dialy": The policy was not found.',
      remediation: /^Did you mean vm-daily\? Use one of the candidates/,
      azure_code: azureCode,
      http_status: 404,
      details: { candidates: ['vm-daily', 'share-daily', 'vm-weekly'] },
    })
    t.match(await call('get_policy_details', { policy_name: 'zzz' }), { remediation: /^Use one of the candidates/ })
    // It is there now, or the service does not find what it lists: its own words then.
    t.match(await call('get_policy_details', { policy_name: 'VM-WEEKLY' }), { message: /^The policy was not found\.$/ })
  })

t.test('where the policies cannot be listed either, the first error stays; other errors list nothing', async t => {
  const { call } = createTools(asked =>
    asked === `GET ${vaultId}/backupPolicies`
      ? failure(403, 'AuthorizationFailed', 'You may not.')
      : asked.endsWith('/locked')
        ? failure(403, 'AuthorizationFailed', 'Not this one.')
        : failure(404, 'NotFound', 'The policy was not found.'),
  )
  t.match(await call('get_policy_details', { policy_name: 'x' }), {
    code: 'not_found',
    message: /^The policy was not found\.$/,
  })
  const { code, asked } = await call('get_policy_details', { policy_name: 'locked' })
  t.same({ code, asked }, { code: 'forbidden', asked: [`GET ${vaultId}/backupPolicies/locked`] })
})

for (const name of ['a/b', '..', 'a%41', '/subscriptions/x', vaultId, `${vaultId}/backupJobs/x`])
  t.test(`policy_name ${name} is refused`, async t => {
    const error = await createTools(() => ({})).call('get_policy_details', { policy_name: name })
    t.match(error, { code: 'invalid_arguments', message: /policy_name: must be the name of a policy/ })
    t.same(error.asked, [])
  })
