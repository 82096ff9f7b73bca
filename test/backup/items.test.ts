import t from 'tap'
import { namesOf } from '../../src/backup/items.ts'
import { createTools, failure, subscription, vaultAt, vaultId } from '../helpers/tools.ts'

const fabric = `${vaultId}/backupFabrics/Azure/protectionContainers`
const vmId = (group: string, vm: string) =>
  `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/${vm}`
const accountId = (account: string) =>
  `/subscriptions/${subscription}/resourceGroups/rg-files/providers/Microsoft.Storage/storageAccounts/${account}`

const vm = (group: string, name: string) => ({
  id: `${fabric}/IaasVMContainer;iaasvmcontainerv2;${group.toLowerCase()};${name}/protectedItems/VM;iaasvmcontainerv2;${group.toLowerCase()};${name}`,
  properties: {
    protectedItemType: 'Microsoft.Compute/virtualMachines',
    backupManagementType: 'AzureIaasVM',
    workloadType: 'VM',
    friendlyName: name,
    virtualMachineId: vmId(group, name),
  },
})
const database = (machine: string, instance: string, name: string, over: object = {}) => ({
  id: `${fabric}/VMAppContainer;compute;rg-sql;${machine}/protectedItems/SQLDataBase;${instance.toLowerCase()};${name.toLowerCase()}`,
  properties: {
    protectedItemType: 'AzureVmWorkloadSQLDatabase',
    backupManagementType: 'AzureWorkload',
    workloadType: 'SQLDataBase',
    friendlyName: name,
    parentName: instance,
    serverName: machine,
    sourceResourceId: vmId('rg-sql', machine),
    ...over,
  },
})
const hex = 'a'.repeat(64)
const share = (account: string, name: string, digits = hex) => ({
  id: `${fabric}/StorageContainer;storage;rg-files;${account}/protectedItems/AzureFileShare;${digits}`,
  properties: {
    protectedItemType: 'AzureFileShareProtectedItem',
    backupManagementType: 'AzureStorage',
    workloadType: 'AzureFileShare',
    friendlyName: name,
    sourceResourceId: accountId(account),
  },
})

const softDeleted = ({ id, properties }: ReturnType<typeof vm> | ReturnType<typeof share>) => ({
  id,
  properties: { ...properties, isScheduledForDeferredDelete: true },
})

const estate = [
  vm('rg-app', 'web-01'),
  vm('rg-Test', 'web-01'),
  vm('rg-app', 'db-01'),
  database('sql-01', 'MSSQLSERVER', 'orders', { serverName: 'sqlprod01.contoso.local' }),
  database('sql-02', 'MSSQLSERVER', 'orders'),
  database('sql-02', 'MSSQLSERVER', 'R&D 50%'),
  database('sql-02', 'REPORTS', 'sales'),
  database('sql-02', 'REPORTS', 'audit'),
  database('sql-02', 'MSSQLSERVER', 'audit'),
  database('sql-02', 'REPORTS', 'master'),
  database('ase-01', 'ASP', 'master', {
    protectedItemType: 'AzureVmWorkloadSAPAseDatabase',
    workloadType: 'SAPAseDatabase',
  }),
  // Deleted and created again under its name: another item of the same names.
  softDeleted(share('contosofiles', 'hr', 'c'.repeat(64))),
  share('contosofiles', 'hr', 'd'.repeat(64)),
  softDeleted(share('contosofiles', 'sales', 'e'.repeat(64))),
  softDeleted(vm('rg-old', 'app-01')),
  vm('rg-app', 'app-01'),
  softDeleted(vm('rg-old', 'app-02')),
  share('contosofiles', 'finance'),
  share('otherfiles', 'finance', 'b'.repeat(64)),
]

/** Which of the estate's things have a job: a way to see which item a selector means. */
const jobOf = ({ properties }: (typeof estate)[number]) => {
  const { friendlyName, backupManagementType, workloadType } = properties
  const source = 'virtualMachineId' in properties ? properties.virtualMachineId : properties.sourceResourceId
  const [group, machine] = [source.split('/')[4], source.split('/').at(-1)]
  const server = 'serverName' in properties ? ` [${properties.serverName}]` : ''
  return {
    name: `${group}/${machine}/${friendlyName}`,
    properties: {
      backupManagementType,
      operation: 'Backup',
      status: 'Completed',
      entityFriendlyName: friendlyName + server,
      ...(backupManagementType === 'AzureIaasVM' && { containerName: `iaasvmcontainerv2;${group};${machine}` }),
      ...(backupManagementType === 'AzureStorage' && { storageAccountName: machine }),
      ...(backupManagementType === 'AzureWorkload' && { workloadType }),
    },
  }
}
const azure = (asked: string) => {
  const [path = '', query] = asked.split('?')
  if (path.endsWith('/backupJobs')) return { value: estate.map(jobOf) }
  if (path.endsWith('/backupProtectedItems')) {
    const type = /backupManagementType eq '(\w+)'/.exec(query ?? '')?.[1]
    return { value: estate.filter(({ properties }) => !type || properties.backupManagementType === type) }
  }
  return estate.find(({ id }) => path.toLowerCase() === `get ${id}`.toLowerCase())
}

const lists = `GET ${vaultId}/backupProtectedItems`
const rows: [item: string, more: object, jobs: string[], looked: 'listed' | 'read' | 'computed'][] = [
  ['db-01', {}, ['rg-app/db-01/db-01'], 'listed'],
  ['RG-APP/Web-01', {}, ['rg-app/web-01/web-01'], 'listed'],
  ['rg-app/web-01', { workload_type: 'VM' }, ['rg-app/web-01/web-01'], 'computed'],
  ['sql-01/orders', {}, ['rg-sql/sql-01/orders'], 'listed'],
  ['sqlprod01/orders', {}, ['rg-sql/sql-01/orders'], 'listed'],
  ['SQL-02/mssqlserver/Orders', {}, ['rg-sql/sql-02/orders'], 'listed'],
  ['rg-sql/sql-02/MSSQLSERVER/orders', { workload_type: 'SQL' }, ['rg-sql/sql-02/orders'], 'listed'],
  ['reports/sales', {}, ['rg-sql/sql-02/sales'], 'listed'],
  ['rg-sql/sales', {}, ['rg-sql/sql-02/sales'], 'listed'],
  // The list of one workload may hold others: a recording answers with the nearest that it has.
  ['master', { workload_type: 'SQL' }, ['rg-sql/sql-02/master'], 'listed'],
  ['master', { workload_type: 'sybase' }, ['rg-sql/ase-01/master'], 'listed'],
  ['R&D 50%', {}, ['rg-sql/sql-02/R&D 50%'], 'listed'],
  ['contosofiles/finance', {}, ['rg-files/contosofiles/finance'], 'listed'],
  // The deleted one and the one that took its name have the same names in their jobs.
  ['contosofiles/hr', {}, ['rg-files/contosofiles/hr', 'rg-files/contosofiles/hr'], 'listed'],
  // Jobs do not tell the instance.
  ['SQL-02/reports/AUDIT', {}, ['rg-sql/sql-02/audit', 'rg-sql/sql-02/audit'], 'listed'],
  ['app-02', {}, ['rg-old/app-02/app-02'], 'listed'],
  ['rg-old/app-01', {}, ['rg-old/app-01/app-01'], 'listed'],
  ['rg-files/contosofiles/finance', { workload_type: 'AzureFileShare' }, ['rg-files/contosofiles/finance'], 'listed'],
  [vm('rg-app', 'web-01').id, {}, ['rg-app/web-01/web-01'], 'computed'],
  [encodeURI(vm('rg-app', 'web-01').id).replaceAll(';', '%3B'), {}, ['rg-app/web-01/web-01'], 'computed'],
  [`${vm('rg-app', 'web-01').id}/`.toUpperCase(), {}, ['rg-app/web-01/web-01'], 'computed'],
  [vmId('rg-test', 'WEB-01'), {}, ['rg-Test/web-01/web-01'], 'computed'],
  [
    `${fabric}/IaasVMContainer;iaasvmcontainerv2;rg-app;web-01/protectableItems/vm;iaasvmcontainerv2;rg-app;web-01`,
    {},
    ['rg-app/web-01/web-01'],
    'computed',
  ],
  [database('sql-01', 'MSSQLSERVER', 'orders').id, {}, ['rg-sql/sql-01/orders'], 'read'],
  [
    `${fabric}/vmappcontainer;compute;rg-sql;sql-02/protectableItems/sqldatabase;mssqlserver;orders`,
    {},
    ['rg-sql/sql-02/orders'],
    'read',
  ],
  [database('sql-02', 'MSSQLSERVER', 'R&D 50%').id, {}, ['rg-sql/sql-02/R&D 50%'], 'read'],
  [share('contosofiles', 'finance').id, {}, ['rg-files/contosofiles/finance'], 'read'],
  [`${accountId('OtherFiles')}/fileServices/default/shares/Finance`, {}, ['rg-files/otherfiles/finance'], 'listed'],
]
for (const [item, more, jobs, looked] of rows)
  t.test(`${item.replace(/^.*providers/, '…')} ${JSON.stringify(more)} means ${jobs}, which is ${looked}`, async t => {
    const { call } = createTools(azure)
    const { jobs: found, asked } = await call('list_backup_jobs', { item, ...more })
    t.same(
      (found as { job_id: string }[]).map(({ job_id }) => job_id),
      jobs,
    )
    t.equal(asked.length, looked === 'computed' ? 1 : 2)
    if (looked === 'listed') t.match(asked[0], lists)
    if (looked === 'read') t.match(asked[0], /\/protectedItems\/[^/]+$/)
  })

t.test('the name of a share that was deleted and made again means the one that there is', async t => {
  const { call } = createTools(asked => (asked.includes('/recoveryPoints') ? { value: [] } : azure(asked)))
  const { asked } = await call('list_recovery_points', { item: 'contosofiles/HR' })
  t.same(asked, [lists, `GET ${share('contosofiles', 'hr', 'd'.repeat(64)).id}/recoveryPoints`])
})

const faults: [item: string, more: object, code: string, message: RegExp, candidates?: string[]][] = [
  ['web-01', {}, 'ambiguous', /fits 2 items of vault-prod/, ['rg-app/web-01', 'rg-Test/web-01']],
  [
    'orders',
    { workload_type: 'SQL' },
    'ambiguous',
    /fits 2/,
    ['rg-sql/sql-01/MSSQLSERVER/orders', 'rg-sql/sql-02/MSSQLSERVER/orders'],
  ],
  ['sql-02/audit', {}, 'ambiguous', /fits 2/, ['rg-sql/sql-02/REPORTS/audit', 'rg-sql/sql-02/MSSQLSERVER/audit']],
  // Two things of one name: that one of them was deleted does not tell which is meant.
  ['app-01', {}, 'ambiguous', /fits 2/, ['rg-old/app-01', 'rg-app/app-01']],
  ['MSSQLSERVER/sql-01/orders', {}, 'not_found', /fits no protected item/],
  ['rg-app/sql-01/orders', {}, 'not_found', /fits no protected item/],
  ['contosofiles/web-01', {}, 'not_found', /fits no protected item/],
  ['sales', { workload_type: 'VM' }, 'not_found', /fits no/],
  ['rg-app/..', { workload_type: 'VM' }, 'invalid_arguments', /names joined by/],
  ['rg-app//web-01', {}, 'invalid_arguments', /names joined by/],
  [accountId('contosofiles'), {}, 'invalid_arguments', /no ARM id of/],
  [vaultId, {}, 'invalid_arguments', /no ARM id of/],
  ...[
    'sqlinstance;mssqlserver',
    'SQLAvailabilityGroupContainer;ag-sales',
    'saphanasystem;hxe',
    'hanahsrcontainer;hsr1',
    'sapasesystem;asp',
  ].map((name): (typeof faults)[number] => [
    `${fabric}/vmappcontainer;compute;rg-sql;sql-02/protectableItems/${name}`,
    {},
    'invalid_arguments',
    /instance, a system or a group of databases/,
  ]),
  [`${vm('rg-app', 'web-01').id}/recoveryPoints/1`, {}, 'invalid_arguments', /no ARM id of/],
  [`${vmId('rg-app', 'web-01')}/extensions/agent`, {}, 'invalid_arguments', /no ARM id of/],
  [`${vmId('rg-app', '..%2Fweb-01')}`, {}, 'invalid_arguments', /no ARM id of/],
  ['/subscriptions/nobody', {}, 'invalid_arguments', /no ARM id of/],
  [vmId('rg-app', 'web-01'), { workload_type: 'SQL' }, 'invalid_arguments', /item is a VM/],
  [share('a', 'b').id, { workload_type: 'VM' }, 'invalid_arguments', /item is a file share/],
  [vm('rg-app', 'web-01').id, { vault: 'vault-test' }, 'invalid_arguments', /lies in .*vault-prod/],
  [vm('rg-app', 'web-01').id, { vault: 'rg-other/vault-prod' }, 'invalid_arguments', /lies in .*vault-prod/],
]
for (const [item, more, code, message, candidates] of faults)
  t.test(`${item.replace(/^.*providers/, '…')} ${JSON.stringify(more)} is ${code}`, async t => {
    const { call } = createTools(azure)
    const error = await call('list_backup_jobs', { item, ...more })
    t.equal(error.code, code)
    t.match(error.message, message)
    const details = error.details as { candidates?: { item: string; id: string }[] }
    if (candidates)
      t.same(
        details.candidates?.map(each => each.item),
        candidates,
      )
    if (code === 'invalid_arguments') t.same(error.asked, [])
  })

t.test('a selector that fits nothing gets the nearest ten of many items', async t => {
  const many = Array.from({ length: 40 }, (_, at) => vm('rg-app', `node-${at}`))
  const { call } = createTools(asked =>
    asked.includes('skipToken')
      ? { value: [vm('rg-app', 'web-01')] }
      : { value: many, nextLink: `${vaultId}/backupProtectedItems?api-version=2025-08-01&$skipToken=x` },
  )
  const error = await call('list_backup_jobs', { item: 'web' })
  const { candidates } = error.details as { candidates: { item: string }[] }
  t.equal(candidates.length, 10)
  t.equal(candidates[0]?.item, 'rg-app/web-01')
})

t.test('the jobs of a database whose item is gone are told by its id', async t => {
  const { call } = createTools(asked =>
    asked.includes('/backupJobs')
      ? azure(asked)
      : failure(404, 'BMSUserErrorDataSourceObjectNotFound', 'Item not found.'),
  )
  const { jobs } = await call('list_backup_jobs', { item: database('sql-02', 'MSSQLSERVER', 'orders').id })
  t.match(jobs, [{ job_id: 'rg-sql/sql-02/orders' }])
  t.match(await call('list_backup_jobs', { item: share('contosofiles', 'finance').id }), { code: 'not_found' })
})

const ids: [name: string, id: string, properties: object, expected: object][] = [
  [
    'a VM, from its id alone',
    vm('RG-App', 'Web-01').id,
    {},
    { workload: 'VM', resourceGroup: 'rg-app', vmName: 'Web-01', friendlyName: 'Web-01' },
  ],
  [
    'a VM whose source tells the spelling',
    vm('RG-App', 'web-01').id,
    vm('RG-App', 'Web-01').properties,
    { resourceGroup: 'RG-App', vmName: 'Web-01' },
  ],
  [
    'a classic VM',
    `${fabric}/IaasVMContainer;iaasvmcontainer;svc;old/protectedItems/VM;iaasvmcontainer;svc;old`,
    { protectedItemType: 'Microsoft.ClassicCompute/virtualMachines' },
    { workload: 'VM', resourceGroup: 'svc', vmName: 'old', friendlyName: 'old' },
  ],
  [
    'a database, from its id alone',
    database('sql-01', 'MSSQLSERVER', 'orders;2026').id,
    {},
    {
      workload: 'SQL',
      resourceGroup: 'rg-sql',
      vmName: 'sql-01',
      instanceName: 'mssqlserver',
      databaseName: 'orders;2026',
    },
  ],
  [
    'a HANA database',
    `${fabric}/vmappcontainer;compute;rg;hana-01/protectedItems/saphanadatabase;hxe;systemdb`,
    {},
    { workload: 'SAPHana', instanceName: 'hxe', databaseName: 'systemdb' },
  ],
  [
    'a HANA instance',
    `${fabric}/VMAppContainer;compute;rg;hana-01/protectedItems/SAPHanaDBInstance;hxe;saphanadbinstance`,
    { protectedItemType: 'AzureVmWorkloadSAPHanaDBInstance' },
    { workload: 'SAPHana', instanceName: 'hxe', databaseName: null },
  ],
  [
    'an instance of SQL Server, from its id alone',
    `${fabric}/vmappcontainer;compute;rg-sql;sql-01/protectableItems/sqlinstance;mssqlserver`,
    {},
    { workload: 'SQL', vmName: 'sql-01', instanceName: 'mssqlserver', databaseName: null, friendlyName: 'mssqlserver' },
  ],
  [
    'an ASE database',
    `${fabric}/VMAppContainer;compute;rg;ase-01/protectedItems/SAPAseDatabase;as1;master`,
    { protectedItemType: 'AzureVmWorkloadSAPAseDatabase' },
    { workload: 'SAPAse', vmName: 'ase-01', databaseName: 'master' },
  ],
  [
    'a database of an availability group, whose container names no machine',
    `${fabric}/SQLAGWorkLoadContainer;ag-sales/protectedItems/SQLDataBase;ag-sales;orders`,
    {
      protectedItemType: 'AzureVmWorkloadSQLDatabase',
      friendlyName: 'orders',
      nodesList: [{ nodeName: 'node-1.contoso.local' }, { nodeName: 'node-2' }, null],
    },
    {
      workload: 'SQL',
      resourceGroup: null,
      vmName: null,
      instanceName: 'ag-sales',
      servers: ['node-1.contoso.local', 'node-2'],
    },
  ],
  [
    'a share, whose id has an opaque name',
    share('contosofiles', 'finance').id,
    share('contosofiles', 'finance').properties,
    { workload: 'AzureFileShare', storageAccount: 'contosofiles', vmName: null, friendlyName: 'finance', servers: [] },
  ],
  [
    'files of a Windows server',
    `${fabric}/Windows;srv-01/protectedItems/MabFileFolder;c`,
    {
      protectedItemType: 'MabFileFolderProtectedItem',
      backupManagementType: 'MAB',
      workloadType: 'FileFolder',
      friendlyName: 'C:\\',
      computerName: 'srv-01',
    },
    { workload: undefined, resourceGroup: null, vmName: 'srv-01', storageAccount: null, friendlyName: 'C:\\' },
  ],
  [
    'a VM that a DPM server protects',
    `${fabric}/DPMContainer;dpm-01/protectedItems/dpm;1`,
    { protectedItemType: 'DPMProtectedItem', backupManagementType: 'DPM', workloadType: 'VM', friendlyName: 'vm-7' },
    { workload: undefined, resourceGroup: null, vmName: null, friendlyName: 'vm-7' },
  ],
  ['nothing at all', '', {}, { workload: undefined, resourceGroup: null, vmName: null, friendlyName: '' }],
  ['an id that is none', 'items/1', { friendlyName: null, serverName: null, nodesList: null }, { friendlyName: '' }],
]
for (const [name, id, properties, expected] of ids)
  t.test(`names of ${name}`, async t => {
    const names = namesOf(id, properties as Record<string, unknown>)
    t.match(names, Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== undefined)))
    if ('workload' in expected) t.equal(names.workload, expected.workload)
  })

const named: [given: string, isRight: boolean][] = [
  ['vault-prod', true],
  ['VAULT-PROD', true],
  ['rg-backup/vault-prod', true],
  [`${subscription}/rg-backup/vault-prod`, true],
  [vaultId, true],
  ['production', true],
  ['rg-backup/vault-dr', false],
  [vaultAt('rg-other', 'vault-prod'), false],
  ['00000000-0000-0000-0000-000000000002/rg-backup/vault-prod', false],
  ['disaster', false],
]
for (const [vault, isRight] of named)
  t.test(`vault ${vault} beside an item of vault-prod is ${isRight ? 'the same' : 'refused'}`, async t => {
    const entry = { subscription, resourceGroup: 'rg-backup', isDefault: false }
    const { call } = createTools(azure, {
      vaults: [
        { ...entry, key: 'production', name: 'vault-prod' },
        { ...entry, key: 'disaster', name: 'vault-dr' },
      ],
    })
    const { code, asked } = await call('list_backup_jobs', { item: vm('rg-app', 'web-01').id, vault })
    t.equal(code, isRight ? undefined : 'invalid_arguments')
    t.equal(asked.length, isRight ? 1 : 0)
  })
