/** What Azure sends, as rows that a person reads: items, jobs and policies, and the fields they are made of. */
import t from 'tap'
import { vaultRef } from '../../src/backup/arm-ids.ts'
import { bytes, number, seconds, time } from '../../src/backup/fields.ts'
import { filterOf, filterTime } from '../../src/backup/filters.ts'
import { toJobDetails, toJobRow } from '../../src/backup/jobs.ts'
import { policyLines } from '../../src/backup/policy-lines.ts'
import { toItemRow } from '../../src/backup/protected-items.ts'
import { createTools, subscription, vaultId } from '../helpers/tools.ts'

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

t.test('a fault keeps its words', async t =>
  t.same(item({ kpisHealths: { BackupOperationStatusKPI: fault(1, 'T') } }).error, {
    code: '1',
    title: 'T',
    message: 'm',
    recommendations: ['r'],
  }),
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
    { workload_type: 'AzureFileShare', item_id: null },
  ],
  [
    { jobType: 'AzureWorkloadJob', backupManagementType: 'AzureWorkload', workloadType: 'SAPAseDatabase' },
    { workload_type: 'SAPAse' },
  ],
  [
    { jobType: 'MabJob', backupManagementType: 'MAB', workloadType: 'FileFolder', containerName: 'Windows;srv' },
    { workload_type: 'FileFolder', item_id: null },
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
    [{ code: '400136', title: 'T', message: 'S', recommendations: ['r'] }],
  ],
  [
    'share',
    { errorDetails: [{ errorCode: 1, errorString: 'S', recommendations: null }] },
    [{ code: '1', title: null, message: 'S', recommendations: [] }],
  ],
  ['agent', { errorDetails: [{ errorString: 'S' }] }, [{ code: '', title: null, message: 'S', recommendations: [] }]],
  [
    'database',
    { errorDetails: [{ errorCode: 7, errorString: 'S' }], extendedInfo: { dynamicErrorMessage: 'D' } },
    [
      { code: '7', message: 'S' },
      { code: '7', message: 'D' },
    ],
  ],
  [
    'only the message',
    { errorDetails: null, extendedInfo: { dynamicErrorMessage: 'D' } },
    [{ code: '', message: 'D' }],
  ],
  ['none', { errorDetails: [], extendedInfo: { dynamicErrorMessage: '' } }, []],
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
  ['not cancellable', { status: 'InProgress', actionsInfo: [2, 'Retriable'] }, { is_cancellable: false }],
  [
    'over, with the action that stays',
    { status: 'Completed', actionsInfo: [1] },
    { is_cancellable: false, percent_complete: 100 },
  ],
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
    { tasks: [{ task: 'Take Snapshot', status: 'Completed', duration_seconds: 3, percent_complete: 9, detail: null }] },
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

const at = (time: string) => [`2021-05-26T${time}:00Z`]
const days = (count: unknown, durationType = 'Days') => ({ count, durationType })
const simple = (count: number) => ({ retentionPolicyType: 'SimpleRetentionPolicy', retentionDuration: days(count) })
const daily = { scheduleRunFrequency: 'Daily', scheduleRunTimes: at('12:00'), scheduleWeeklyFrequency: 0 }
const lines: [name: string, properties: object, schedule: string, retention: string][] = [
  [
    'VM, standard',
    {
      schedulePolicy: daily,
      retentionPolicy: { dailySchedule: { retentionDuration: days(30) } },
      instantRpRetentionRangeInDays: 2,
      timeZone: 'UTC',
    },
    'daily at 12:00 (UTC)',
    'daily 30 days; snapshots 2 days',
  ],
  [
    'VM, weekly, all terms',
    {
      schedulePolicy: {
        scheduleRunFrequency: 'Weekly',
        scheduleRunDays: ['Sunday', 'Tuesday'],
        scheduleRunTimes: at('03:30'),
      },
      retentionPolicy: {
        dailySchedule: null,
        weeklySchedule: { daysOfTheWeek: ['Sunday', 'Tuesday'], retentionDuration: days(1, 'Weeks') },
        monthlySchedule: {
          retentionScheduleFormatType: 'Weekly',
          retentionScheduleDaily: null,
          retentionScheduleWeekly: { daysOfTheWeek: ['Sunday', 'Tuesday'], weeksOfTheMonth: ['First', 'Last'] },
          retentionDuration: days('60', 'Months'),
        },
        yearlySchedule: {
          retentionScheduleFormatType: 'Daily',
          monthsOfYear: ['January', 'June'],
          retentionScheduleDaily: {
            daysOfTheMonth: [
              { date: 1, isLast: false },
              { date: 0, isLast: true },
            ],
          },
          retentionDuration: days(10, 'Years'),
        },
      },
      timeZone: 'W. Europe Standard Time',
    },
    'weekly on Sunday, Tuesday at 03:30 (W. Europe Standard Time)',
    'weekly 1 week (Sunday, Tuesday), monthly 60 months (First, Last Sunday, Tuesday), yearly 10 years (day 1, last day of January, June)',
  ],
  [
    'VM, enhanced, daily',
    { schedulePolicy: { scheduleRunFrequency: 'Daily', dailySchedule: { scheduleRunTimes: at('10:00') } } },
    'daily at 10:00',
    'none',
  ],
  [
    'VM, enhanced, weekly',
    {
      schedulePolicy: {
        scheduleRunFrequency: 'Weekly',
        weeklySchedule: { scheduleRunDays: ['Sunday'], scheduleRunTimes: at('10:00') },
      },
    },
    'weekly on Sunday at 10:00',
    'none',
  ],
  [
    'VM, enhanced, hourly',
    {
      schedulePolicy: {
        scheduleRunFrequency: 'Hourly',
        hourlySchedule: { interval: 4, scheduleWindowStartTime: at('08:00')[0], scheduleWindowDuration: 16 },
      },
      timeZone: 'UTC',
    },
    'every 4 hours from 08:00 for 16 hours (UTC)',
    'none',
  ],
  [
    'hourly without numbers',
    { schedulePolicy: { scheduleRunFrequency: 'Hourly', hourlySchedule: null } },
    'hourly',
    'none',
  ],
  [
    'share, vaulted',
    {
      schedulePolicy: daily,
      vaultRetentionPolicy: {
        snapshotRetentionInDays: 5,
        vaultRetention: { dailySchedule: { retentionDuration: days(30) } },
      },
    },
    'daily at 12:00',
    'daily 30 days; snapshots 5 days',
  ],
  [
    'database',
    {
      settings: { timeZone: 'UTC' },
      subProtectionPolicy: [
        {
          policyType: 'Full',
          schedulePolicy: {
            scheduleRunFrequency: 'Weekly',
            scheduleRunDays: ['Tuesday'],
            scheduleRunTimes: at('03:00'),
          },
          retentionPolicy: { weeklySchedule: { daysOfTheWeek: ['Tuesday'], retentionDuration: days(104, 'Weeks') } },
        },
        {
          policyType: 'Differential',
          schedulePolicy: {
            scheduleRunFrequency: 'Weekly',
            scheduleRunDays: ['Monday'],
            scheduleRunTimes: at('12:00'),
          },
          retentionPolicy: simple(30),
        },
        {
          policyType: 'Log',
          schedulePolicy: { schedulePolicyType: 'LogSchedulePolicy', scheduleFrequencyInMins: 120 },
          retentionPolicy: simple(15),
        },
      ],
    },
    'full weekly on Tuesday at 03:00; differential weekly on Monday at 12:00; log every 120 minutes (UTC)',
    'full weekly 104 weeks (Tuesday); differential 30 days; log 15 days',
  ],
  [
    'HANA, snapshots',
    {
      subProtectionPolicy: [
        {
          policyType: 'SnapshotFull',
          schedulePolicy: daily,
          retentionPolicy: null,
          snapshotBackupAdditionalDetails: { instantRpRetentionRangeInDays: 7 },
        },
        { policyType: 'Incremental', schedulePolicy: daily, retentionPolicy: simple(1) },
      ],
    },
    'snapshot full daily at 12:00; incremental daily at 12:00',
    'snapshot full snapshots 7 days; incremental 1 day',
  ],
  [
    'files of a server',
    {
      backupManagementType: 'MAB',
      schedulePolicy: {
        scheduleRunFrequency: 'Weekly',
        scheduleRunDays: ['Friday'],
        scheduleRunTimes: [...at('21:00'), ...at('22:00')],
        scheduleWeeklyFrequency: 2,
      },
      retentionPolicy: { weeklySchedule: { retentionDuration: days(4, 'Weeks') } },
    },
    'every 2 weeks on Friday at 21:00, 22:00',
    'weekly 4 weeks',
  ],
  ['Azure SQL', { retentionPolicy: simple(10) }, 'no schedule', '10 days'],
  ['nothing known', { subProtectionPolicy: [], schedulePolicy: null, retentionPolicy: null }, 'no schedule', 'none'],
  [
    'a duration without a count',
    { schedulePolicy: daily, retentionPolicy: { dailySchedule: { retentionDuration: null } } },
    'daily at 12:00',
    'daily',
  ],
  ['a null duration', { retentionPolicy: { retentionDuration: null } }, 'no schedule', 'none'],
]
for (const [name, properties, schedule, retention] of lines)
  t.test(`lines of a policy: ${name}`, async t =>
    t.same(policyLines(properties as Record<string, unknown>), { schedule, retention }),
  )

t.test('policies tell their workload by what Azure gives', async t => {
  const policy = (name: string, properties: object) => ({ id: `${vaultId}/backupPolicies/${name}`, name, properties })
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
