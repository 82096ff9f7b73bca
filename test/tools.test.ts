/** The tools by the front door: what each promises of arguments, results, requests and size. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import t, { type Test } from 'tap'
import { checked } from './helpers/checked.ts'
import { fakeArm, json, subscription, vaultPath } from './helpers/fake-arm.ts'
import { executable, type Options, root, toolPrefix } from './helpers/server.ts'
import { fixtures } from './helpers/strict-replay.ts'

t.jobs = 3
t.setTimeout(120_000)

type Args = Record<string, unknown>
type Row = Record<string, unknown>

const env = { AZURE_SUBSCRIPTION_ID: subscription, AZURE_RESOURCE_GROUP: 'rg-backup', AZURE_VAULT_NAME: 'vault-prod' }
const replay: Options = { args: ['--replay', fixtures], env }

const arm = 'https://management.azure.com'
const job = (count: number): string => `00000000-0000-0000-0001-${String(count).padStart(12, '0')}`
const operation = (count: number, at = 'backupOperations'): string =>
  `${arm}${vaultPath}/${at}/00000000-0000-0000-0002-${String(count).padStart(12, '0')}?api-version=2025-08-01`
const vmItem = (name: string): string =>
  `${vaultPath}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;${name}/protectedItems/VM;iaasvmcontainerv2;rg-app;${name}`
const sqlItem = (name: string): string =>
  `${vaultPath}/backupFabrics/Azure/protectionContainers/VMAppContainer;compute;rg-data;sql-01/protectedItems/SQLDataBase;mssqlserver;${name}`
const finance = `${vaultPath}/backupFabrics/Azure/protectionContainers/StorageContainer;storage;rg-files;contosofiles/protectedItems/AzureFileShare;${'1'.padStart(64, '0')}`
const vmId = (name: string): string =>
  `/subscriptions/${subscription}/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/${name}`

const point = (count: number): string => `22612749879261944${count}`
const logs = 'DefaultRangeRecoveryPoint'

const all = ['web-01', 'web-02', 'app-01', 'legacy-01', 'old-01', 'orders', 'billing', 'PRD', 'ledger', 'finance', 'hr']
const vms = all.slice(0, 5)
const protectable = {
  VM: ['web-03', 'sql-01'],
  SQL: ['MSSQLSERVER', 'reporting', 'ag-sales', 'invoices'],
  SAPHana: ['HDB', 'SYSTEMDB', 'HDB'],
  SAPAse: ['ASP', 'master'],
  AzureFileShare: ['legal', 'scratch'],
}

const dataVm = (name: string): string => vmId(name).replace('rg-app', 'rg-data')
const dataContainer = (name: string): string =>
  `${vaultPath}/backupFabrics/Azure/protectionContainers/VMAppContainer;Compute;rg-data;${name}`
const sqlNames = ['MSSQLSERVER', 'orders', 'billing', 'reporting']

/** Arguments, and the plain names of the rows in their order. */
const lists: [tool: string, noun: string, name: string, rows: [args: Args, names: unknown[]][]][] = [
  [
    'list_vaults',
    'vaults',
    'vault_name',
    [
      [{}, ['vault-prod', 'vault-dr']],
      [{ resource_group: 'RG-Backup' }, ['vault-prod', 'vault-dr']],
      [{ resource_group: 'rg-app' }, []],
      [{ name_contains: 'DR' }, ['vault-dr']],
      [{ name_contains: 'nothing' }, []],
      [{ subscription: 'contoso test' }, ['vault-test']],
      [{ subscription: '00000000-0000-0000-0000-000000000002', resource_group: 'rg-test' }, ['vault-test']],
    ],
  ],
  [
    'list_workload_items',
    'workload_items',
    'friendly_name',
    [
      [{}, [...sqlNames, 'HDB', 'SYSTEMDB', 'PRD', 'ASP', 'master', 'ledger']],
      [{ workload_type: 'mssql' }, sqlNames],
      [{ workload_type: 'SAP HANA' }, ['HDB', 'SYSTEMDB', 'PRD']],
      [{ workload_type: 'sapase' }, ['ASP', 'master', 'ledger']],
      [{ server: 'SQL-01' }, sqlNames],
      [{ server: 'sql-01.contoso.com', workload_type: 'SQL' }, sqlNames],
      [{ server: 'rg-sap/ase-01' }, ['ASP', 'master', 'ledger']],
      [{ server: dataVm('sql-01') }, sqlNames],
      [{ server: dataContainer('sql-01') }, sqlNames],
      [{ server: 'rg-data/sql-01', workload_type: 'SAPHana' }, []],
      [{ server: 'web-01' }, []],
      [{ vault: 'vault-dr' }, []],
    ],
  ],
  [
    'list_policies',
    'policies',
    'policy_name',
    [
      [{ workload_type: 'VM' }, ['DefaultPolicy', 'EnhancedPolicy', 'vm-long-term']],
      [{ workload_type: 'mssql' }, ['HourlyLogBackup', 'sql-full-diff-log']],
      [{ workload_type: 'hana' }, ['hana-full-incremental-log']],
      [{ workload_type: 'sapase' }, ['ase-full-log']],
      [{ workload_type: 'AzureFileShare' }, ['share-daily', 'share-hourly-vaulted']],
      [{ backup_management_type: 'azurestorage' }, ['share-daily', 'share-hourly-vaulted']],
      [
        { backup_management_type: 'AzureWorkload' },
        ['HourlyLogBackup', 'sql-full-diff-log', 'hana-full-incremental-log', 'ase-full-log'],
      ],
      [{ vault: 'vault-dr' }, []],
    ],
  ],
  [
    'list_protectable_containers',
    'containers',
    'friendly_name',
    [
      [{}, ['web-01', 'app-01', 'sql-02', 'contosoarchive', 'contosoclassic']],
      [{ backup_management_type: 'AzureVmWorkload' }, ['web-01', 'app-01', 'sql-02']],
      [{ backup_management_type: 'afs' }, ['contosoarchive', 'contosoclassic']],
      [{ vault: 'vault-dr' }, []],
    ],
  ],
  [
    'list_protectable_items',
    'protectable_items',
    'friendly_name',
    [
      [
        {},
        [
          ...protectable.VM,
          ...protectable.SQL,
          ...protectable.SAPHana,
          ...protectable.SAPAse,
          ...protectable.AzureFileShare,
        ],
      ],
      ...Object.entries(protectable).map(([workload_type, names]): [Args, string[]] => [{ workload_type }, names]),
      [{ backup_management_type: 'AzureIaasVM' }, protectable.VM],
      [
        { backup_management_type: 'AzureWorkload' },
        [...protectable.SQL, ...protectable.SAPHana, ...protectable.SAPAse],
      ],
      [{ backup_management_type: 'azurestorage' }, protectable.AzureFileShare],
      [{ server: 'SQL-01' }, ['sql-01', 'MSSQLSERVER', 'reporting', 'ag-sales']],
      [{ server: 'sqlcluster.contoso.local' }, ['ag-sales', 'invoices']],
      [{ server: 'contosofiles', name_contains: 'LEG' }, ['legal']],
      [{ name_contains: 'S', workload_type: 'hana' }, ['SYSTEMDB']],
      [{ vault: 'vault-dr' }, []],
    ],
  ],
  [
    'list_protected_items',
    'protected_items',
    'friendly_name',
    [
      [{}, all],
      [{ vault: 'vault-dr' }, []],
      [{ workload_type: 'VM' }, vms],
      [{ workload_type: 'SQLDataBase' }, ['orders', 'billing']],
      [{ workload_type: 'SAPHana' }, ['PRD']],
      [{ workload_type: 'SAPAse' }, ['ledger']],
      [{ workload_type: 'afs' }, ['finance', 'hr']],
      [{ backup_management_type: 'AzureWorkload' }, ['orders', 'billing', 'PRD', 'ledger']],
      [{ policy_name: 'DefaultPolicy' }, ['web-01']],
      [{ policy_name: 'sql-full-diff-log', workload_type: 'SQL' }, ['orders', 'billing']],
      [{ policy_name: 'SHARE-daily' }, ['hr']],
      [{ policy_name: 'no-such-policy' }, []],
      [{ server: 'SQL-01' }, ['orders', 'billing']],
      [{ server: 'contosofiles' }, ['finance', 'hr']],
      [{ server: 'web-01' }, ['web-01']],
      [{ protection_state: 'ProtectionStopped' }, ['legacy-01']],
      [{ protection_state: 'SoftDeleted' }, ['old-01']],
      [{ protection_state: 'IRPending' }, ['web-02']],
      [{ unhealthy_only: true }, ['app-01', 'billing']],
      [{ unhealthy_only: true, workload_type: 'VM' }, ['app-01']],
      [{ name_contains: 'R' }, ['orders', 'PRD', 'ledger', 'hr']],
      [{ name_contains: '-01', workload_type: 'VM' }, ['web-01', 'app-01', 'legacy-01', 'old-01']],
      [{ older_than_hours: 87600 }, ['web-02', 'billing']],
    ],
  ],
  [
    'list_backup_jobs',
    'jobs',
    'job_id',
    [
      [{}, [4, 8, 6, 7, 1, 9, 2, 3, 5].map(job)],
      [{ status: 'Failed' }, [9, 2].map(job)],
      [{ status: 'running' }, [job(4)]],
      [{ operation: 'ConfigureBackup' }, [job(8)]],
      [{ operation: 'Backup', workload_type: 'SQL' }, [6, 9].map(job)],
      [{ workload_type: 'AzureFileShare' }, [job(7)]],
      [{ item: 'web-01' }, [1, 3].map(job)],
      [{ item: 'rg-app/web-01', workload_type: 'VM' }, [1, 3].map(job)],
      [{ item: vmId('web-01') }, [1, 3].map(job)],
      [{ item: vmItem('web-01') }, [1, 3].map(job)],
      [{ item: 'SQL-01/Orders' }, [job(6)]],
      [{ item: sqlItem('orders') }, [job(6)]],
      [{ item: 'contosofiles/finance' }, [job(7)]],
      [{ item: 'web-01', status: 'CompletedWithWarnings' }, [job(3)]],
      [{ since: '2026-11-21T12:00:00Z', until: '2026-11-22T12:00:00+00:00', vault: 'vault-dr' }, []],
      [{ secondary_region: true }, [22, 21].map(job)],
      [{ secondary_region: true, workload_type: 'SQL' }, [job(22)]],
    ],
  ],
  [
    'list_recovery_points',
    'recovery_points',
    'recovery_point_id',
    [
      [{ item: sqlItem('orders') }, [logs, '506716423694515', '506716423694514', '506716423694513']],
      [{ item: 'web-01' }, [26, 25, 24, 23].map(point)],
      [{ item: vmId('web-01'), tier: 'snapshot' }, [26, 25].map(point)],
      [{ item: 'rg-app/web-01', workload_type: 'VM', tier: 'archive' }, [point(23)]],
      [{ item: 'web-01', consistency: 'app' }, [26, 23].map(point)],
      [{ item: 'web-01', since: '2026-11-15T00:00:00Z', until: '2026-11-22T00:00:00Z' }, [25, 24].map(point)],
      [{ item: 'web-02' }, []],
      [{ item: 'app-01', tier: 'vault' }, [31, 30].map(point)],
      [{ item: 'app-01', tier: 'InstantRP' }, [point(31)]],
      [{ item: 'legacy-01' }, [point(40)]],
      [{ item: 'old-01' }, [point(50)]],
      [{ item: 'contosofiles/finance' }, ['2260994886186317162', '2260994886186317161']],
      [{ item: 'hr' }, ['2260994886186317157', '2260994886186317156']],
      [{ item: 'sql-01/orders', since: '2026-11-14T23:45:05Z', until: '2026-11-15T01:00:39Z' }, [logs]],
      [{ item: 'sql-01/orders', until: '2026-11-08T01:00:37Z' }, []],
      [{ item: 'PRD' }, [logs, '39253522575996', '39253522575995']],
      [{ item: 'ledger' }, ['39253522575997', logs]],
      [{ item: 'web-01', secondary_region: true }, [point(25)]],
      [{ item: 'orders', secondary_region: true }, [logs, '506716423694514']],
    ],
  ],
]

for (const [tool, noun, name, rows] of lists)
  t.test(`${tool}: arguments to rows, at every limit`, async t => {
    const calls = await checked(t, replay)
    for (const [args, names] of rows) {
      const body = await calls.good(tool, args)
      t.same(
        (body[noun] as Row[]).map(row => row[name]),
        names,
        JSON.stringify(args),
      )
      t.equal(body.count, names.length)
      t.notOk('next_cursor' in body)
    }
    const [[args, names] = [{}, []]] = rows
    for (let limit = 1; limit <= 12; limit++) {
      const found: unknown[] = []
      let cursor: unknown
      let pages = 0
      do {
        const page = await calls.good(tool, { ...args, limit, ...(cursor === undefined ? {} : { cursor }) })
        t.ok((page.count as number) <= limit && (page[noun] as Row[]).length === page.count)
        found.push(...(page[noun] as Row[]).map(row => row[name]))
        cursor = page.next_cursor
        pages++
      } while (cursor !== undefined && pages < 20)
      t.same(found, names, `limit ${limit}: no row is lost, none comes twice`)
      t.equal(pages, Math.max(1, Math.ceil(names.length / limit)), `limit ${limit}: no empty page`)
    }
    const { next_cursor: cursor } = await calls.good(tool, { ...args, limit: 1 })
    const other = tool === 'list_vaults' ? { name_contains: 'v' } : { vault: 'vault-dr' }
    for (const given of [
      { ...args, cursor: 'x' },
      { ...args, cursor: String(cursor).slice(4) },
      { ...args, ...other, cursor },
    ])
      t.match(await calls.bad(tool, given), { code: 'invalid_arguments', message: /cursor/ })
  })

/** Arguments, and parts of the result. */
const results: [tool: string, args: Args, parts: object][] = [
  [
    'get_vault',
    {},
    {
      id: vaultPath,
      vault_name: 'vault-prod',
      subscription_id: subscription,
      resource_group: 'rg-backup',
      location: 'eastus',
      provisioning_state: 'Succeeded',
      security: {
        soft_delete: 'Enabled',
        soft_delete_days: 14,
        immutability: 'Unlocked',
        encryption: 'microsoft_managed_key',
      },
      redundancy: 'GeoRedundant',
      cross_region_restore: true,
      tags: { environment: 'production', owner: 'platform-team' },
      usage: undefined,
      raw: undefined,
    },
  ],
  [
    'get_vault',
    { vault: 'VAULT-DR' },
    { vault_name: 'vault-dr', security: { soft_delete: 'AlwaysON' }, redundancy: 'LocallyRedundant' },
  ],
  ['get_vault', { vault: 'rg-backup/vault-dr' }, { vault_name: 'vault-dr' }],
  ['get_vault', { vault: 'Contoso Test/rg-test/vault-test' }, { location: 'northeurope' }],
  ['get_vault', { vault: vaultPath }, { vault_name: 'vault-prod' }],
  ['get_vault', { vault: vmItem('web-01') }, { vault_name: 'vault-prod' }],
  ['get_vault', { include_raw: true }, { raw: { location: 'eastus', properties: { provisioningState: 'Succeeded' } } }],
  [
    'get_vault',
    { include_usage: true },
    {
      usage: {
        items: [
          { type: 'AzureIaasVM', count: 5 },
          { type: 'AzureWorkload', count: 4 },
          { type: 'AzureStorage', count: 2 },
        ],
        counters: [
          { name: 'ProtectedItemCount', value: 11, limit: null },
          { name: 'ProtectedItemCriticalCount', value: 2 },
          { name: 'GRSStorageUsage', value: 1288490188800, unit: 'Bytes' },
        ],
      },
    },
  ],
  ['get_vault', { vault: 'vault-dr', include_usage: true }, { usage: { items: [], counters: [] } }],
  [
    'test_connection',
    {},
    {
      checks: [
        { name: 'configuration', status: 'ok', message: /no configuration file; subscription .*vault-prod/ },
        { name: 'sign_in', status: 'skipped' },
        { name: 'azure', status: 'ok', message: /Contoso Production/ },
        { name: 'vault', status: 'ok', message: /vault-prod in eastus/ },
        { name: 'permissions', status: 'ok' },
      ],
      permissions: { read: true, protect: true, back_up: true, restore: true, delete: false },
      vault_id: vaultPath,
    },
  ],
  ['test_connection', { vault: 'vault-dr' }, { permissions: { read: true, protect: false, restore: false } }],
  [
    'test_connection',
    { vault: 'rg-backup/vault-gone' },
    {
      checks: [
        {},
        {},
        { status: 'ok' },
        { name: 'vault', status: 'failed', message: /^not_found/ },
        { status: 'failed' },
      ],
    },
  ],
  [
    'test_connection',
    { vault: 'nowhere' },
    { checks: [{}, {}, {}, { name: 'vault', status: 'failed' }, { status: 'skipped' }] },
  ],
  [
    'check_registration_status',
    { vm: 'rg-data/sql-01' },
    {
      vm_name: 'sql-01',
      resource_group: 'rg-data',
      vault_name: 'vault-prod',
      source_id: dataVm('sql-01'),
      id: dataContainer('sql-01'),
      friendly_name: 'sql-01',
      server_name: 'sql-01',
      last_updated_time: '2026-05-04T07:12:10.441Z',
      workloads: [
        {
          workload_type: 'SQL',
          is_registered: true,
          registration_status: 'Registered',
          health: 'Healthy',
          item_count: 4,
        },
        { workload_type: 'SAPHana', is_registered: false, registration_status: null, item_count: null },
        { workload_type: 'SAPAse', is_registered: false },
      ],
      vm_protection: { is_protected: false, protection_status: 'NotProtected', vault_id: null, policy_name: null },
      warnings: undefined,
    },
  ],
  ['check_registration_status', { vm: 'SQL-01', workload_type: 'any database' }, { id: dataContainer('sql-01') }],
  [
    'check_registration_status',
    { vm: 'ase-01', workload_type: 'ase' },
    {
      workloads: [
        {
          workload_type: 'SAPAse',
          is_registered: true,
          health: 'Unhealthy',
          error: { code: 'UserErrorGuestAgentStatusUnavailable', remediation: /168\.63\.129\.16/ },
        },
      ],
      vm_protection: null,
    },
  ],
  [
    'check_registration_status',
    { vm: 'web-01', workload_type: 'VM' },
    {
      source_id: vmId('web-01'),
      id: null,
      workloads: [],
      vm_protection: {
        is_protected: true,
        vault_id: vaultPath,
        vault_name: 'vault-prod',
        policy_name: 'DefaultPolicy',
        item_id: vmItem('web-01'),
        error: null,
      },
    },
  ],
  [
    'check_registration_status',
    { vm: vmId('web-02') },
    { id: null, friendly_name: null, workloads: [{ is_registered: false }], vm_protection: { is_protected: true } },
  ],
  [
    'list_workload_items',
    { server: 'rg-data/sql-01' },
    {
      workload_items: [
        {
          id: `${dataContainer('sql-01')}/protectableItems/SQLInstance;MSSQLSERVER`,
          workload_type: 'SQL',
          item_type: 'SQLInstance',
          vm_name: 'sql-01',
          resource_group: 'rg-data',
          instance_name: 'MSSQLSERVER',
          database_name: null,
          protection_state: 'NotProtected',
          is_auto_protectable: true,
          item_count: 3,
          data_directories: [
            { type: 'Data', path: 'F:\\data\\' },
            { type: 'Log', path: 'G:\\log\\' },
          ],
        },
        { item_type: 'SQLDataBase', database_name: 'orders', protection_state: 'Protected', data_directories: [] },
      ],
    },
  ],
  [
    'get_policy_details',
    { policy_name: 'vm-long-term' },
    {
      id: `${vaultPath}/backupPolicies/vm-long-term`,
      policy_type: 'standard',
      summary:
        'weekly Saturday 22:00 W. Europe Standard Time; keep 12 weeks on Saturday, 24 months on first Saturday, 7 years on first Saturday of January; instant restore 5 days; archive after 3 months',
      tiering: 'archive after 3 months',
      snapshot_resource_group_prefix: 'rg-snapshots-',
      snapshot_resource_group_suffix: null,
      protected_items: [{ id: vmItem('app-01'), last_backup_status: 'Failed' }],
      raw: undefined,
    },
  ],
  [
    'get_policy_details',
    { policy_name: `${vaultPath}/backupPolicies/sql-full-diff-log`, include_raw: true },
    {
      workload_type: 'SQL',
      compression: true,
      schedule: 'full weekly Sunday 22:00 UTC; differential Wednesday 22:00; log every 15 minutes',
      parts: [{ backup_type: 'Full' }, { backup_type: 'Differential' }, { retention: '15 days' }],
      protected_items: [{ friendly_name: 'orders', vm_name: 'sql-01' }, { friendly_name: 'billing' }],
      raw: { name: 'sql-full-diff-log' },
    },
  ],
  [
    'get_policy_details',
    { policy_name: 'share-hourly-vaulted' },
    {
      workload_type: 'AzureFileShare',
      retention: '30 days; snapshots 5 days',
      protected_items: [{ id: finance, storage_account: 'contosofiles' }],
    },
  ],
  ['get_policy_details', { policy_name: 'HourlyLogBackup' }, { protected_items_count: 0, protected_items: [] }],
  [
    'get_job_details',
    { job_id: job(1) },
    {
      id: `${vaultPath}/backupJobs/${job(1)}`,
      operation: 'Backup',
      status: 'Completed',
      friendly_name: 'web-01',
      item_id: vmItem('web-01'),
      start_time: '2026-11-22T02:00:14.184Z',
      end_time: '2026-11-22T02:52:31.449Z',
      duration_seconds: 3137.265,
      percent_complete: 100,
      is_cancellable: false,
      tasks: [{ task: 'Take Snapshot' }, { task: 'Transfer data to vault' }],
      backup_size_bytes: 11782 * 1024 ** 2,
      error: null,
      raw: undefined,
    },
  ],
  ['get_job_details', { job_id: `${vaultPath}/backupJobs/${job(1)}`, include_raw: true }, { raw: { name: job(1) } }],
  [
    'get_job_details',
    { job_id: job(2) },
    { status: 'Failed', error: { code: '400196' }, errors: [{ recommendations: [/VM agent/, /168\.63\.129\.16/] }] },
  ],
  [
    'get_job_details',
    { job_id: job(3) },
    { status: 'CompletedWithWarnings', error: { title: 'DiskAPIRevokeSASFailed' } },
  ],
  ['get_job_details', { job_id: job(5) }, { status: 'Cancelled' }],
  [
    'get_job_details',
    { job_id: job(6) },
    { workload_type: 'SQL', transferred_bytes: Math.round(20480.0845 * 1024 ** 2) },
  ],
  ['get_job_details', { job_id: job(7) }, { workload_type: 'AzureFileShare', transferred_bytes: 0 }],
  ['get_job_details', { job_id: job(8) }, { operation: 'ConfigureBackup' }],
  ['get_job_details', { job_id: job(9) }, { errors: [{ code: '400002' }, { message: /billing.*offline/ }] }],
  [
    'get_job_details',
    { job_id: job(21), secondary_region: true },
    { operation: 'CrossRegionRestore', status: 'Completed' },
  ],
  [
    'get_job_details',
    { job_id: job(22), secondary_region: true, wait_seconds: 0 },
    { status: 'InProgress', end_time: null },
  ],
  ['get_job_details', { job_id: job(4) }, { status: 'InProgress', is_cancellable: true, end_time: null }],
  ['get_job_details', { job_id: job(4), wait_seconds: 60 }, { status: 'Completed', percent_complete: 100 }],
  [
    'track_async_operation',
    { operation_url: operation(1) },
    {
      status: 'in_progress',
      vault_name: 'vault-prod',
      end_time: null,
      job_id: null,
      job: null,
      retry_after_seconds: 60,
    },
  ],
  [
    'track_async_operation',
    { operation_url: operation(1) },
    { status: 'succeeded', job_id: job(4), job: { friendly_name: 'web-02' } },
  ],
  [
    'track_async_operation',
    { operation_url: operation(2) },
    { status: 'failed', error: { code: 'CloudInternalError' } },
  ],
  [
    'track_async_operation',
    { operation_url: operation(4, 'backupFabrics/Azure/operationResults') },
    { status: 'in_progress' },
  ],
  [
    'track_async_operation',
    { operation_url: operation(4, 'backupFabrics/Azure/operationResults') },
    { status: 'succeeded', job: null },
  ],
]

/** Arguments that cannot be served, and how they are refused. */
const refusals: [tool: string, args: Args, code: string, message: RegExp][] = [
  ['get_vault', { vault: 'rg-backup/vault-gone' }, 'not_found', /vault-gone/],
  ['get_vault', { vault: 'vault-pord' }, 'not_found', /vault-pord/],
  ['get_vault', { vault: 'a/b/c?/d' }, 'invalid_arguments', /vault/],
  ['list_backup_jobs', { item: 'web-99' }, 'not_found', /web-99/],
  ['list_backup_jobs', { item: vmItem('web-01'), vault: 'vault-dr' }, 'invalid_arguments', /vault/],
  ['list_backup_jobs', { since: '2026-11-22T00:00:00Z', until: '2026-11-21T00:00:00Z' }, 'invalid_arguments', /before/],
  ['list_backup_jobs', { secondary_region: true, vault: 'vault-none/x' }, 'unreachable', /GET/],
  [
    'list_protected_items',
    { workload_type: 'Oracle', limit: 0 },
    'invalid_arguments',
    /workload_type.*limit|limit.*workload_type/,
  ],
  [
    'list_protectable_containers',
    { backup_management_type: 'IaasVM' },
    'invalid_arguments',
    /one of AzureWorkload, AzureStorage, /,
  ],
  [
    'list_protectable_items',
    { backup_management_type: 'MAB', limit: 0 },
    'invalid_arguments',
    /AzureIaasVM, AzureWorkload, AzureStorage.*limit|limit.*AzureIaasVM/,
  ],
  [
    'list_protectable_items',
    { workload_type: 'SQL', backup_management_type: 'AzureStorage', cursor: 'x' },
    'invalid_arguments',
    /cursor.*belongs to AzureWorkload/,
  ],
  ['list_protected_items', { servr: 'x' }, 'invalid_arguments', /"server"/],
  ['check_registration_status', {}, 'invalid_arguments', /vm/],
  ['check_registration_status', { vm: 'rg-data/sql-01', workload_type: 'afs' }, 'invalid_arguments', /AnyDatabase/],
  ['check_registration_status', { vm: dataContainer('x'), vault: 'vault-dr' }, 'invalid_arguments', /vault/],
  ['list_workload_items', { workload_type: 'VM' }, 'invalid_arguments', /SQL, SAPHana, SAPAse/],
  ['get_job_details', {}, 'invalid_arguments', /job_id/],
  ['get_policy_details', { policy_name: 'x/y' }, 'invalid_arguments', /policy_name/],
  ['get_policy_details', { policy_name: 'never-recorded' }, 'unreachable', /backupPolicies/],
  ['list_recovery_points', {}, 'invalid_arguments', /item/],
  ['list_recovery_points', { item: sqlItem('billing') }, 'unreachable', /recoveryPoints/],
  ['list_recovery_points', { item: vmItem('web-02'), secondary_region: true }, 'unreachable', /recoveryPoints\//],
  [
    'list_recovery_points',
    { item: 'a//b', since: '2026-11-22T00:00:00Z', until: '2026-11-21T00:00:00Z', cursor: 'x' },
    'invalid_arguments',
    /cursor.*item.*since/,
  ],
  ['get_job_details', { job_id: job(99) }, 'unreachable', /backupJobs/],
  ['track_async_operation', {}, 'invalid_arguments', /operation_id/],
  ['track_async_operation', { operation_url: 'https://evil.example/x' }, 'invalid_arguments', /management\.azure\.com/],
]

t.test('arguments to parts of the result, and to refusals', async t => {
  const calls = await checked(t, replay)
  for (const [tool, args, parts] of results) {
    const body = await calls.good(tool, args)
    t.match(body, parts, `${tool} ${JSON.stringify(args)}`)
  }
  for (const [tool, args, code, message] of refusals)
    t.match(await calls.bad(tool, args), { code, message }, `${tool} ${JSON.stringify(args)}`)
  const { operation_id } = await calls.good('track_async_operation', { operation_url: operation(2) })
  const later = await checked(t, replay)
  t.match(
    await later.good('track_async_operation', { operation_id }),
    { operation_id, status: 'failed' },
    'in a later process',
  )
})

t.test('every id that a tool returns is accepted by the next', async t => {
  const calls = await checked(t, replay)
  const rowsOf = async (tool: string, noun: string, args: Args = {}) => (await calls.good(tool, args))[noun] as Row[]
  for (const { id } of await rowsOf('list_vaults', 'vaults'))
    for (const tool of ['get_vault', 'test_connection', 'list_policies', 'list_protected_items', 'list_backup_jobs'])
      await calls.good(tool, { vault: id })
  for (const { id, item_type, error } of await rowsOf('list_protectable_items', 'protectable_items')) {
    const holdsDatabases = /^(SQLInstance|SQLAvailability.*|.*System)$/.test(String(item_type))
    if (holdsDatabases)
      t.match(await calls.bad('list_backup_jobs', { item: id }), { message: /name one of its databases/ })
    else if (item_type !== 'AzureFileShare') await calls.good('list_backup_jobs', { item: id })
    t.equal(error !== null, item_type === 'SAPAseSystem')
  }
  for (const { id, source_id, vm_name, friendly_name } of await rowsOf('list_protected_items', 'protected_items')) {
    // A share's item has an opaque name and its recording is not among the fixtures.
    if (!String(id).includes('AzureFileShare')) await calls.good('list_backup_jobs', { item: id })
    if (vm_name === friendly_name) await calls.good('list_backup_jobs', { item: source_id })
    for (const item of vm_name === friendly_name ? [id, source_id] : [id])
      if (friendly_name !== 'billing') await calls.good('list_recovery_points', { item })
  }
  for (const { id, policy_name, schedule, retention } of await rowsOf('list_policies', 'policies'))
    for (const given of [id, policy_name]) {
      const told = await calls.good('get_policy_details', { policy_name: given })
      t.match(told, { id, policy_name, schedule, retention })
      t.equal((told.protected_items as Row[]).length, told.protected_items_count)
      for (const item of told.protected_items as Row[])
        if (!String(item.id).includes('AzureFileShare')) await calls.good('list_backup_jobs', { item: item.id })
    }
  const jobs = await rowsOf('list_backup_jobs', 'jobs')
  for (const { id, job_id, item_id } of jobs) {
    t.equal((await calls.good('get_job_details', { job_id: id })).job_id, job_id)
    t.equal((await calls.good('get_job_details', { job_id })).id, id)
    if (item_id !== null) await calls.good('list_backup_jobs', { item: item_id })
  }
  for (const { id, job_id } of await rowsOf('list_backup_jobs', 'jobs', { secondary_region: true }))
    t.equal(
      (await calls.good('get_job_details', { job_id: id })).job_id,
      job_id,
      'the id says that it is of the paired region',
    )
})

t.test('what an item row says', async t => {
  const calls = await checked(t, replay)
  const { protected_items: items } = await calls.good('list_protected_items')
  const row = (name: string) => (items as Row[]).find(each => each.friendly_name === name)
  t.match(row('web-01'), {
    id: vmItem('web-01'),
    resource_group: 'rg-app',
    vm_name: 'web-01',
    policy_name: 'DefaultPolicy',
    source_id: vmId('web-01'),
  })
  t.match(row('web-02'), { last_backup_time: null, latest_recovery_point_time: null, is_healthy: true })
  t.match(row('app-01'), { is_healthy: false, error: { code: '400196', recommendations: [String, String] } })
  t.match(row('old-01'), {
    is_soft_deleted: true,
    soft_delete_time: '2026-11-15T09:30:00.447Z',
    soft_delete_remaining_seconds: Number,
  })
  t.match(row('orders'), {
    id: sqlItem('orders'),
    vm_name: 'sql-01',
    instance_name: 'MSSQLSERVER',
    database_name: 'orders',
    workload_type: 'SQL',
  })
  t.match(row('PRD'), { workload_type: 'SAPHana', instance_name: 'HDB', resource_group: 'rg-sap' })
  t.match(row('finance'), {
    id: finance,
    storage_account: 'contosofiles',
    resource_group: 'rg-files',
    vm_name: null,
    workload_type: 'AzureFileShare',
  })
})

const version = 'api-version=2025-08-01'
const crr = `/subscriptions/${subscription}/providers/Microsoft.RecoveryServices/locations/westus`
const window = "startTime eq '2026-11-21 12:00:00 AM' and endTime eq '2026-11-22 01:05:09 PM'"
const dates = window.replace('startTime', 'startDate').replace('endTime', 'endDate')
const from2010 = dates.replace('2026-11-21', '2010-01-01')
const times = { since: '2026-11-21T00:00:00Z', until: '2026-11-22T14:05:08.5+01:00' }

const protectableFilters = {
  VM: "backupManagementType eq 'AzureIaasVM'",
  SQL: "backupManagementType eq 'AzureWorkload' and workloadType eq 'SQLDataBase'",
  SAPHana: "backupManagementType eq 'AzureWorkload' and workloadType eq 'SAPHanaDatabase'",
  SAPAse: "backupManagementType eq 'AzureWorkload' and workloadType eq 'SAPAseDatabase'",
  AzureFileShare: "backupManagementType eq 'AzureStorage' and workloadType eq 'AzureFileShare'",
}

/** Arguments, and what is asked of Azure for them: path and query, decoded, in any order. */
const requests: [tool: string, args: Args, urls: string[]][] = [
  ['list_vaults', {}, [`GET /subscriptions/${subscription}/providers/Microsoft.RecoveryServices/vaults?${version}`]],
  [
    'list_vaults',
    { resource_group: 'rg-x' },
    [`GET /subscriptions/${subscription}/resourceGroups/rg-x/providers/Microsoft.RecoveryServices/vaults?${version}`],
  ],
  ['get_vault', { vault: 'rg-backup/vault-prod' }, [`GET ${vaultPath}?${version}`]],
  [
    'get_vault',
    { include_usage: true },
    [
      `GET ${vaultPath}/backupUsageSummaries?${version}&$filter=type eq 'BackupProtectedItemCountSummary'`,
      `GET ${vaultPath}/usages?${version}`,
      `GET ${vaultPath}?${version}`,
    ],
  ],
  [
    'check_registration_status',
    { vm: dataVm('x-1'), workload_type: 'SQL' },
    [`GET ${dataContainer('x-1')}?${version}`],
  ],
  [
    'list_workload_items',
    {},
    [
      `GET ${vaultPath}/backupProtectionContainers?${version}&$filter=backupManagementType eq 'AzureWorkload' and status eq 'Registered'`,
    ],
  ],
  [
    'list_workload_items',
    { server: 'rg-data/sql-01', workload_type: 'SQL' },
    [
      `GET ${dataContainer('sql-01')}/items?${version}&$filter=backupManagementType eq 'AzureWorkload' and workloadType eq 'SQLDataBase'`,
    ],
  ],
  ['list_policies', {}, [`GET ${vaultPath}/backupPolicies?${version}`]],
  [
    'list_policies',
    { workload_type: 'SAPHana' },
    [
      `GET ${vaultPath}/backupPolicies?${version}&$filter=backupManagementType eq 'AzureWorkload' and workloadType eq 'SAPHanaDatabase'`,
    ],
  ],
  [
    'list_protectable_containers',
    {},
    ['AzureWorkload', 'AzureStorage'].map(
      type =>
        `GET ${vaultPath}/backupFabrics/Azure/protectableContainers?${version}&$filter=backupManagementType eq '${type}'`,
    ),
  ],
  [
    'list_protectable_containers',
    { backup_management_type: 'AzureStorage' },
    [
      `GET ${vaultPath}/backupFabrics/Azure/protectableContainers?${version}&$filter=backupManagementType eq 'AzureStorage'`,
    ],
  ],
  [
    'list_protectable_items',
    {},
    Object.values(protectableFilters).map(
      filter => `GET ${vaultPath}/backupProtectableItems?${version}&$filter=${filter}`,
    ),
  ],
  ...Object.entries(protectableFilters).map(([workload_type, filter]): [string, Args, string[]] => [
    'list_protectable_items',
    { workload_type, server: 'x', name_contains: 'y' },
    [`GET ${vaultPath}/backupProtectableItems?${version}&$filter=${filter}`],
  ]),
  [
    'list_protectable_items',
    { backup_management_type: 'AzureIaasVM' },
    [`GET ${vaultPath}/backupProtectableItems?${version}&$filter=${protectableFilters.VM}`],
  ],
  [
    'get_policy_details',
    { policy_name: 'vm-daily' },
    [
      `GET ${vaultPath}/backupPolicies/vm-daily?${version}`,
      `GET ${vaultPath}/backupProtectedItems?${version}&$filter=policyName eq 'vm-daily'`,
    ],
  ],
  [
    'list_protected_items',
    { workload_type: 'SQL', policy_name: "o'clock", unhealthy_only: true, server: 'x' },
    [
      `GET ${vaultPath}/backupProtectedItems?${version}&$filter=backupManagementType eq 'AzureWorkload' and itemType eq 'SQLDataBase' and policyName eq 'o''clock'`,
    ],
  ],
  [
    'list_protected_items',
    { workload_type: 'VM' },
    [
      `GET ${vaultPath}/backupProtectedItems?${version}&$filter=backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'`,
    ],
  ],
  [
    'list_protected_items',
    { workload_type: 'AzureFileShare' },
    [
      `GET ${vaultPath}/backupProtectedItems?${version}&$filter=backupManagementType eq 'AzureStorage' and itemType eq 'AzureFileShare'`,
    ],
  ],
  // Rounded outwards to whole seconds; the names of a VM follow from its group and name.
  ['list_backup_jobs', times, [`GET ${vaultPath}/backupJobs?${version}&$filter=${window}`]],
  [
    'list_backup_jobs',
    { ...times, status: 'Failed', operation: 'Backup', item: 'rg-app/web-01', workload_type: 'VM' },
    [
      `GET ${vaultPath}/backupJobs?${version}&$filter=${window} and operation eq 'Backup' and status eq 'Failed' and backupManagementType eq 'AzureIaasVM'`,
    ],
  ],
  [
    'list_backup_jobs',
    { ...times, item: vmId('web-01') },
    [`GET ${vaultPath}/backupJobs?${version}&$filter=${window} and backupManagementType eq 'AzureIaasVM'`],
  ],
  [
    'list_backup_jobs',
    { ...times, item: sqlItem('orders') },
    // Jobs name the server as it calls itself, which no id tells.
    [
      `GET ${sqlItem('orders')}?${version}`,
      `GET ${vaultPath}/backupJobs?${version}&$filter=${window} and backupManagementType eq 'AzureWorkload'`,
    ],
  ],
  [
    'list_backup_jobs',
    { ...times, secondary_region: true },
    [`GET ${vaultPath}?${version}`, `POST ${crr}/backupCrrJobs?api-version=2021-11-15&$filter=${window}`],
  ],
  // With an id of its own nothing but points is asked for, whatever it is.
  ['list_recovery_points', { item: vmItem('web-01') }, [`GET ${vmItem('web-01')}/recoveryPoints?${version}`]],
  ['list_recovery_points', { item: finance, ...times }, [`GET ${finance}/recoveryPoints?${version}&$filter=${dates}`]],
  [
    'list_recovery_points',
    { item: sqlItem('orders').replace('/protectedItems/', '/protectableItems/') },
    [
      `GET ${sqlItem('orders')}/recoveryPoints?${version}&$filter=restorePointQueryType eq 'Log'`,
      `GET ${sqlItem('orders')}/recoveryPoints?${version}`,
    ],
  ],
  [
    'list_recovery_points',
    { item: sqlItem('orders'), until: '2026-11-22T13:05:08.5Z', secondary_region: true, tier: 'vault' },
    [
      `GET ${sqlItem('orders')}/recoveryPoints/?api-version=2021-11-15&$filter=${from2010}`,
      `GET ${sqlItem('orders')}/recoveryPoints/?api-version=2021-11-15&$filter=restorePointQueryType eq 'Log' and ${from2010}`,
    ],
  ],
  ['get_job_details', { job_id: job(1) }, [`GET ${vaultPath}/backupJobs/${job(1)}?${version}`]],
  // The region was remembered.
  ['get_job_details', { job_id: job(1), secondary_region: true }, [`POST ${crr}/backupCrrJob?api-version=2021-11-15`]],
  ['get_job_details', { job_id: `${crr}/backupJobs/${job(1)}` }, [`POST ${crr}/backupCrrJob?api-version=2021-11-15`]],
  [
    'check_registration_status',
    { vm: 'rg-data/sql-01' },
    [`GET ${dataContainer('sql-01')}?${version}`, `POST ${crr.replace('westus', 'eastus')}/backupStatus?${version}`],
  ],
  [
    'test_connection',
    {},
    [
      `GET /subscriptions/${subscription}?api-version=2022-12-01`,
      `GET ${vaultPath}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`,
      `GET ${vaultPath}?${version}`,
    ],
  ],
]

const bare = { id: vaultPath, name: 'vault-prod', location: 'eastus', properties: {} }
const whole = {
  ...bare,
  properties: {
    redundancySettings: { standardTierStorageRedundancy: 'GeoRedundant', crossRegionRestore: 'Enabled' },
    securitySettings: { softDeleteSettings: { softDeleteState: 'Enabled' } },
  },
}

t.test(
  'which requests are sent: no look-up of a name that follows from rules, filters spelled as Azure does',
  async t => {
    const azure = await fakeArm(t, ({ url }, response) => {
      const place = url.split('?')[0] ?? ''
      json(
        response,
        200,
        place === vaultPath
          ? whole
          : /\/(backup((Crr)?Jobs?|Policies)\/?|protectionContainers\/)[^/]*-[^/]*$/i.test(place)
            ? { ...bare, name: place.split('/').at(-1) }
            : { value: [] },
      )
    })
    const calls = await checked(t, azure)
    for (const [tool, args, urls] of requests) {
      azure.seen.length = 0
      await calls.good(tool, args)
      const seen = azure.seen.map(({ method, url }) => `${method} ${decodeURIComponent(url)}`)
      t.same(seen.sort(), urls.toSorted(), `${tool} ${JSON.stringify(args)}`)
    }
    for (const { body } of azure.seen) t.equal(body, '')
  },
)

t.test('a vault that is silent about its posture is asked twice more, and a refusal there is a warning', async t => {
  const azure = await fakeArm(t, ({ url }, response) => {
    if (url.startsWith(`${vaultPath}?`)) return json(response, 200, bare)
    if (url.includes('/backupstorageconfig/'))
      return json(response, 200, {
        properties: { storageModelType: 'LocallyRedundant', crossRegionRestoreFlag: false },
      })
    json(response, 403, { error: { code: 'AuthorizationFailed', message: 'no' } })
  })
  const calls = await checked(t, azure)
  t.match(await calls.good('get_vault'), {
    redundancy: 'LocallyRedundant',
    cross_region_restore: false,
    security: { soft_delete: null, soft_delete_days: null },
    warnings: [/^Soft delete could not be read/],
  })
  t.equal(azure.seen.length, 3)
})

t.test(
  'no more pages than the limit needs, no call per row, and a cursor goes on where the last page ended',
  async t => {
    const pageOf = (number: number) => ({
      value: Array.from({ length: 10 }, (_, row) => ({
        id: `${vaultPath}/backupPolicies/p${number}-${row}`,
        name: `p${number}-${row}`,
        properties: { backupManagementType: 'AzureIaasVM' },
      })),
    })
    const azure = await fakeArm(t, ({ url }, response) => {
      const number = Number(new URLSearchParams(url.split('?')[1]).get('$skipToken') ?? 1)
      const nextLink = `${azure.endpoint}${vaultPath}/backupPolicies?${version}&$skipToken=${number + 1}`
      json(response, 200, number < 5 ? { ...pageOf(number), nextLink } : pageOf(number))
    })
    const calls = await checked(t, azure)
    const tokens = () =>
      azure.seen.splice(0).map(({ url }) => new URLSearchParams(url.split('?')[1]).get('$skipToken') ?? '1')
    const first = await calls.good('list_policies', { limit: 10 })
    t.same(tokens(), ['1'], 'one page holds ten rows')
    const second = await calls.good('list_policies', { limit: 15, cursor: first.next_cursor })
    t.same(tokens(), ['2', '3'])
    t.same((second.policies as Row[]).map(({ policy_name }) => policy_name).at(-1), 'p3-4')
    const third = await calls.good('list_policies', { limit: 1000, cursor: second.next_cursor })
    t.same(tokens(), ['3', '4', '5'], 'the page that was cut is read again, earlier ones are not')
    t.equal(third.count, 25)
    t.notOk('next_cursor' in third)
    t.notMatch(Buffer.from(String(second.next_cursor), 'base64url').toString(), /127\.0\.0\.1|http/, 'it holds no host')
  },
)

t.test('the cursor of a list of jobs keeps the window that its first page had', async t => {
  const value = [1, 2].map(count => ({ id: `${vaultPath}/backupJobs/${job(count)}`, name: job(count), properties: {} }))
  const azure = await fakeArm(t, (_, response) => json(response, 200, { value }))
  const calls = await checked(t, azure)
  const { next_cursor: cursor } = await calls.good('list_backup_jobs', { limit: 1 })
  // Were it made anew, jobs that started meanwhile would push a row that was told already into the next page.
  t.match(decodeURIComponent(Buffer.from(String(cursor), 'base64url').toString()), /startTime eq '/)
  t.match(await calls.good('list_backup_jobs', { limit: 1, cursor }), {
    jobs: [{ job_id: job(2) }],
    next_cursor: undefined,
  })
  t.equal(azure.seen[1]?.url, azure.seen[0]?.url)
})

t.test('every tool that reads was called', async t => {
  const calls = await checked(t, { ...replay, args: [...(replay.args ?? []), '--read-only'] })
  // Lists are called by the tests above that are named after them.
  const named = new Set([...results, ...requests].map(([tool]) => tool).concat(lists.map(([tool]) => tool)))
  t.same(
    calls.tools.map(({ name }) => name.slice(toolPrefix.length)).filter(name => !named.has(name)),
    [],
  )
})

const order = [
  'list_vaults',
  'get_vault',
  'test_connection',
  'register_vm',
  'reregister_vm',
  'unregister_vm',
  'check_registration_status',
  'refresh_containers',
  'list_protectable_containers',
  'list_protectable_items',
  'list_workload_items',
  'create_policy',
  'list_policies',
  'get_policy_details',
  'update_policy',
  'delete_policy',
  'enable_protection',
  'disable_protection',
  'resume_protection',
  'undelete_protected_item',
  'list_protected_items',
  'trigger_backup',
  'list_backup_jobs',
  'get_job_details',
  'cancel_job',
  'list_recovery_points',
  'restore_vm',
  'restore_files',
  'track_async_operation',
  'clear_auth_cache',
]

/** Tools that change something: D may lose something (needs a person's word), I may be repeated. */
const hints: Record<string, string> = {
  register_vm: 'I',
  reregister_vm: 'I',
  unregister_vm: 'DI',
  refresh_containers: 'I',
  create_policy: 'I',
  update_policy: 'DI',
  delete_policy: 'DI',
  enable_protection: 'DI',
  disable_protection: 'DI',
  resume_protection: 'DI',
  undelete_protected_item: 'I',
  trigger_backup: '',
  cancel_job: 'D',
  restore_vm: 'D',
  restore_files: 'D',
  clear_auth_cache: 'DI',
}

const hintsOf = (name: string) => {
  const openWorldHint = name !== 'clear_auth_cache'
  const letters = hints[name]
  if (letters === undefined) return { readOnlyHint: true, openWorldHint }
  return {
    readOnlyHint: false,
    destructiveHint: letters.includes('D'),
    idempotentHint: letters.includes('I'),
    openWorldHint,
  }
}

/** Every word has an enum or a length, every number a range; a whole raw body alone may be anything. */
const checkArguments = (t: Test, place: string, schema: Row): void => {
  const { type, properties = {}, $defs = {}, items } = schema as { type?: string; [part: string]: unknown }
  if (schema.enum) t.ok((schema.enum as unknown[]).length > 0, place)
  else if (/integer|number/.test(String(type)))
    t.ok(typeof schema.minimum === 'number' && typeof schema.maximum === 'number', place)
  else if (type === 'string') t.ok(typeof schema.maxLength === 'number' || schema.format, place)
  else t.ok(type === 'boolean' || type === 'object' || items || schema.$ref || schema.anyOf, place)
  for (const [name, part] of Object.entries({ ...(properties as Row), ...($defs as Row), ...(items ? { items } : {}) }))
    checkArguments(t, `${place} ${name}`, part as Row)
}

t.test('what a model reads of the list is small, and says what each argument may be', async t => {
  const { server, tools } = await checked(t, replay)
  t.same(
    tools.map(({ name }) => name),
    order.map(name => toolPrefix + name),
  )
  const { result } = await server.request('tools/list')
  const answered = Buffer.byteLength(JSON.stringify(result))
  t.ok(answered <= 72 * 1024, `${answered} bytes in the whole answer`)
  for (const [most, which, counted] of [
    [30, 'all tools', tools],
    [12, 'tools that read', tools.filter(({ annotations }) => annotations.readOnlyHint)],
  ] as const) {
    const read = counted.map(({ name, description, inputSchema }) => JSON.stringify({ name, description, inputSchema }))
    const bytes = Buffer.byteLength(read.join(''))
    t.ok(bytes <= most * 1024, `${bytes} bytes are read of ${which}`)
  }
  for (const { name, title, description, annotations, inputSchema } of tools) {
    t.ok(title.length > 0 && description.split(/\s+/).length < 60, name)
    t.same(annotations, hintsOf(name.slice(toolPrefix.length)), name)
    t.equal(inputSchema.additionalProperties, false, name)
    checkArguments(t, name, { type: 'object', ...inputSchema })
  }
  for (const name of order) {
    const file = JSON.parse(readFileSync(path.join(root, 'schemas/tools', `${name}.json`), 'utf8'))
    t.equal(file.inputSchema.additionalProperties, false, `schemas/tools/${name}.json`)
  }
})

for (const mode of ['legacy', 'auto', { pin: '2026-07-28' }] as const)
  t.test(`the official client lists every tool and calls those that read: ${JSON.stringify(mode)}`, async t => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    const home = t.testdir({})
    const faults: unknown[] = []
    client.onerror = error => faults.push(error)
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [executable, ...(replay.args ?? [])],
        env: { HOME: home, PATH: process.env.PATH ?? '', ...env },
        cwd: home,
      }),
    )
    t.teardown(() => client.close())
    t.equal(client.getProtocolEra(), mode === 'legacy' ? 'legacy' : 'modern')
    const { tools } = await client.listTools()
    t.same(
      tools.map(({ name }) => name),
      order.map(name => toolPrefix + name),
    )
    const given: Record<string, Args> = {
      check_registration_status: { vm: 'sql-01' },
      get_policy_details: { policy_name: 'vm-long-term' },
      get_job_details: { job_id: job(2) },
      list_recovery_points: { item: 'orders' },
      track_async_operation: { operation_url: operation(2) },
    }
    // It holds structured content against the served schema itself, and throws.
    for (const name of order.filter(name => hints[name] === undefined)) {
      const result = await client.callTool({ name: toolPrefix + name, arguments: given[name] ?? {} })
      t.notOk(result.isError, name)
      t.ok(result.structuredContent, name)
    }
    t.match(await client.callTool({ name: `${toolPrefix}get_vault`, arguments: { vault: 'rg-backup/vault-gone' } }), {
      isError: true,
    })
    t.same(faults, [])
  })
