/** What machines are registered as, what protects them, and what was seen in them, from Azure's answers to rows. */
import t from 'tap'
import { vaultRef } from '../../src/backup/arm-ids.ts'
import { toContainer } from '../../src/backup/containers.ts'
import { type Machine, machineOf } from '../../src/backup/machines.ts'
import { toProtection } from '../../src/backup/vm-protection.ts'
import { toWorkloadItem } from '../../src/backup/workload-items.ts'
import {
  type Azure,
  answer,
  createTools,
  failure,
  otherSubscription,
  subscription,
  vaultId,
  vaultNotFound,
} from '../helpers/tools.ts'

const vault = vaultRef(subscription, 'rg-backup', 'vault-prod')
const containers = `${vaultId}/backupFabrics/Azure/protectionContainers`
const sqlContainer = `${containers}/VMAppContainer;Compute;rg-data;sql-01`
const vmAt = (name: string, group = 'rg-data', inSubscription = subscription, provider = 'Compute') =>
  `/subscriptions/${inSubscription}/resourceGroups/${group}/providers/Microsoft.${provider}/virtualMachines/${name}`
const regional = `/subscriptions/${subscription}/providers/Microsoft.RecoveryServices/locations/eastus`
const listed = (terms: string) =>
  `GET ${vaultId}/backupProtectionContainers?$filter=${terms} and status eq 'Registered'`
const registered = (name: string) => listed(`backupManagementType eq 'AzureWorkload' and friendlyName eq '${name}'`)
const all = listed("backupManagementType eq 'AzureWorkload'")
const registrable = `GET ${vaultId}/backupFabrics/Azure/protectableContainers?$filter=backupManagementType eq 'AzureWorkload'`

// ---------------------------------------------------------------- machines as callers name them
const computed = (containerName: string, vmName: string | undefined) =>
  ({ kind: 'container', containerName, vm: vmName === undefined ? undefined : { vmName } }) as unknown as Machine
const machines: [given: string, expected: Machine][] = [
  ['sql-01', { kind: 'name', name: 'sql-01' }],
  ['rg-data/sql-01', computed('VMAppContainer;Compute;rg-data;sql-01', 'sql-01')],
  [vmAt('sql-01'), computed('VMAppContainer;Compute;rg-data;sql-01', 'sql-01')],
  [vmAt('old', 'g', subscription, 'ClassicCompute'), computed('VMAppContainer;ClassicCompute;g;old', 'old')],
  [vmAt('sql-01').toUpperCase(), computed('VMAppContainer;Compute;RG-DATA;SQL-01', 'SQL-01')],
  [sqlContainer, computed('VMAppContainer;Compute;rg-data;sql-01', 'sql-01')],
  [`${containers}/vmappcontainer%3Bcompute%3Bg%3Bv`, computed('vmappcontainer;compute;g;v', 'v')],
  [`${containers}/Compute;g;v`, computed('VMAppContainer;Compute;g;v', 'v')],
  [`${containers}/IaasVMContainer;iaasvmcontainerv2;g;v`, computed('VMAppContainer;Compute;g;v', 'v')],
  [`${containers}/IaasVMContainer;iaasvmcontainer;g;v`, computed('VMAppContainer;ClassicCompute;g;v', 'v')],
  [`${containers}/SQLAGWorkLoadContainer;ag-1`, computed('SQLAGWorkLoadContainer;ag-1', undefined)],
  [
    `${sqlContainer}/protectableItems/SQLInstance;MSSQLSERVER`,
    computed('VMAppContainer;Compute;rg-data;sql-01', 'sql-01'),
  ],
  [
    `${vaultId}/backupFabrics/Azure/protectableContainers/VMAppContainer;Compute;g;v`,
    computed('VMAppContainer;Compute;g;v', 'v'),
  ],
]
for (const [given, expected] of machines) t.match(machineOf('vm', given), expected, given)

const noMachines = [
  'a/b/c',
  '/x',
  'g/',
  '/g',
  'g;h/v',
  'a?b',
  '..',
  vaultId,
  `${containers}/StorageContainer;Storage;g;account`,
  `/subscriptions/${subscription}/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0`,
  `/subscriptions/${subscription}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a`,
]
for (const given of noMachines)
  t.test(`${given} is no machine, and nothing is sent for it`, async t => {
    const { call } = createTools(() => t.fail('was sent'))
    t.match(await call('check_registration_status', { vm: given }), { code: 'invalid_arguments', asked: [] })
    if (given.includes('/'))
      t.match(await call('list_workload_items', { server: given, cursor: 'x' }), {
        message: /cursor.*server/,
        asked: [],
      })
  })

// ---------------------------------------------------------------- registration
const good = { code: 'Success', message: 'Not Available', recommendations: ['Not Available'] }
const bad = { code: 'UserErrorGuestAgentStatusUnavailable', message: 'no agent', recommendations: ['start it', ''] }
const container = (details: object[], over: object = {}, info: object = { errorDetail: good }, id = sqlContainer) => ({
  id,
  name: id.split('/').at(-1),
  properties: {
    sourceResourceId: vmAt('sql-01'),
    lastUpdatedTime: '2021-04-29T10:02:02.4682499Z',
    extendedInfo: { hostServerName: 'SQLHOST', inquiryInfo: { ...info, inquiryDetails: details } },
    friendlyName: 'sql-01',
    backupManagementType: 'AzureWorkload',
    registrationStatus: 'Registered',
    healthStatus: 'Healthy',
    ...over,
  },
})
const detail = (type: string, itemCount?: unknown, validation: object = { errorDetail: good }) => ({
  type,
  itemCount,
  inquiryValidation: validation,
})
const none = { is_registered: false, registration_status: null, health: null, item_count: null, error: null }
const yes = { is_registered: true, registration_status: 'Registered', health: 'Healthy' }

const states: [name: string, body: object, sql: object, hana: object][] = [
  ['of 2021', container([detail('SQL', 4)]), { ...yes, item_count: 4, error: null }, none],
  ['in lower case', container([detail('sql', 14)]), { ...yes, item_count: 14 }, none],
  ['with both', container([detail('SQL', 1), detail('SAPHanaDatabase', '2')]), yes, { ...yes, item_count: 2 }],
  [
    'of 2025, which counts by kind',
    container([detail('SQL', null, { errorDetail: good, protectableItemCount: { SQLInstance: 1, SQLDataBase: 3 } })]),
    { ...yes, item_count: 4 },
    none,
  ],
  ['without an inquiry', container([], { workloadType: 'SQLDataBase' }), { ...yes, item_count: null }, none],
  [
    'that Azure shows without its registration',
    container([detail('SQL', 1)], { registrationStatus: undefined }),
    { is_registered: true, registration_status: null },
    none,
  ],
  [
    'soft-deleted',
    container([detail('SQL', 1)], { registrationStatus: 'SoftDeleted' }),
    { is_registered: false, registration_status: 'SoftDeleted' },
    none,
  ],
  [
    'whose validation failed',
    container([detail('SQL', 0, { status: 'Failed', errorDetail: bad })], { healthStatus: 'Unhealthy' }),
    {
      is_registered: true,
      health: 'Unhealthy',
      error: {
        code: 'UserErrorGuestAgentStatusUnavailable',
        message: 'no agent',
        recommendations: ['start it'],
        remediation: /VM agent/,
      },
    },
    none,
  ],
  [
    'whose inquiry failed before it knew what is there',
    container([], {}, { status: 'Failed', errorDetail: { code: 'SomethingNew', message: 'm' } }),
    { is_registered: false, registration_status: 'Registered', error: { code: 'SomethingNew', remediation: null } },
    { is_registered: false, registration_status: 'Registered', error: { code: 'SomethingNew' } },
  ],
  [
    'that explains itself beside the error',
    container([detail('SQL', 0, { errorDetail: { code: 'X', message: '' }, additionalDetail: 'more' })]),
    { error: { code: 'X', message: 'more', recommendations: [] } },
    none,
  ],
  [
    'of a group with a node in trouble',
    container([detail('SQL', 1)], {
      extendedInfo: {
        hostServerName: 'ag',
        inquiryInfo: { inquiryDetails: [detail('SQL', 1)] },
        nodesList: [
          { nodeName: 'a', status: 'Succeeded' },
          { nodeName: 'b', status: 'Failed', errorDetail: bad },
        ],
      },
    }),
    { is_registered: true, error: { message: 'no agent' } },
    none,
  ],
]
for (const [name, body, sql, hana] of states)
  t.test(`a container ${name}`, async t => {
    const { call } = createTools(() => body)
    const told = await call('check_registration_status', { vm: 'rg-data/SQL-01', workload_type: 'AnyDatabase' })
    t.match(told, {
      id: sqlContainer,
      vm_name: 'sql-01',
      source_id: vmAt('sql-01'),
      last_updated_time: '2021-04-29T10:02:02.468Z',
      workloads: [{ workload_type: 'SQL', ...sql }, { workload_type: 'SAPHana', ...hana }, { workload_type: 'SAPAse' }],
      vm_protection: null,
      asked: [`GET ${containers}/VMAppContainer;Compute;rg-data;SQL-01`],
    })
  })

const goneCode = 'BMSUserErrorContainerObjectNotFound'
const isGone: [name: string, gone: unknown][] = [
  ['a 404', undefined],
  ['the code of a missing container', failure(404, goneCode, 'no')],
  ['that code with another status', failure(400, goneCode, 'no')],
  ['the code of a missing resource, in a vault that is there', failure(404, 'ResourceNotFound', 'no container')],
]
for (const [name, gone] of isGone)
  t.test(`${name} says that nothing is registered`, async t => {
    const { call } = createTools(asked => (asked.endsWith('/vaults') ? { value: [{ id: vaultId }] } : gone))
    t.match(await call('check_registration_status', { vm: 'rg-data/sql-01', workload_type: 'SQL' }), {
      vm_name: 'sql-01',
      resource_group: 'rg-data',
      source_id: vmAt('sql-01'),
      id: null,
      friendly_name: null,
      workloads: [{ workload_type: 'SQL', ...none }],
    })
    t.match(await call('list_workload_items', { server: 'rg-data/sql-01' }), {
      workload_items: [],
      warnings: ['VMAppContainer;Compute;rg-data;sql-01 is not registered with vault-prod.'],
    })
  })

t.test('a vault that is not there is an error, and looked for once', async t => {
  const vaults = `GET /subscriptions/${subscription}/providers/Microsoft.RecoveryServices/vaults`
  const { call } = createTools(asked =>
    asked === vaults ? { value: [{ id: `${vaultId}2` }] } : vaultNotFound('vault-prod', 'rg-backup'),
  )
  for (const [tool, args] of [
    ['check_registration_status', { vm: 'rg-data/sql-01', workload_type: 'SQL' }],
    ['check_registration_status', { vm: 'rg-data/sql-01', workload_type: 'VM' }],
    ['list_workload_items', { server: 'rg-data/sql-01' }],
  ] as const) {
    const { asked, ...told } = await call(tool, args)
    t.match(told, { code: 'not_found', message: /no vault vault-prod/, azure_code: 'ResourceNotFound' })
    t.equal(asked.filter(each => each === vaults).length, 1)
  }
  const silent = createTools(() => vaultNotFound('vault-prod', 'rg-backup'))
  t.match(await silent.call('check_registration_status', { vm: 'g/v', workload_type: 'SQL' }), { code: 'not_found' })
})

t.test('a VM of another subscription keeps it, and is not taken for its namesake', async t => {
  const theirs = vmAt('sql-01', 'rg-data', otherSubscription)
  const { call } = createTools(asked =>
    asked.startsWith('POST')
      ? { protectionStatus: 'NotProtected' }
      : asked.endsWith('sql-01')
        ? container([detail('SQL', 1)])
        : { id: vaultId, location: 'East US' },
  )
  const told = await call('check_registration_status', { vm: theirs })
  t.match(told, { source_id: theirs, id: null, workloads: [none, none, none], vm_protection: { is_protected: false } })
  t.ok(told.asked.includes(`POST ${regional.replace(subscription, otherSubscription)}/backupStatus`))
})

t.test('a bare name is looked for in one list, and in a second only where the first has none', async t => {
  const others = [
    container(
      [],
      { backupManagementType: 'AzureIaasVM' },
      {},
      `${containers}/IaasVMContainer;iaasvmcontainerv2;g;sql-01`,
    ),
    container([], { registrationStatus: 'SoftDeleted' }),
    container(
      [detail('SQL', 1)],
      { friendlyName: 'sql-02', sourceResourceId: vmAt('sql-02') },
      {},
      `${containers}/VMAppContainer;Compute;rg-data;sql-02`,
    ),
  ]
  const own = container([detail('SQL', 1)])
  const found = createTools(() => ({ value: [...others, own, own] }))
  t.match(await found.call('check_registration_status', { vm: 'SQL-01', workload_type: 'SQL' }), {
    id: sqlContainer,
    workloads: [{ is_registered: true }],
    asked: [registered('SQL-01')],
  })

  const protectable = {
    ...own,
    id: `${vaultId}/backupFabrics/Azure/protectableContainers/VMAppContainer;Compute;rg-data;sql-01`,
  }
  const { properties } = own
  const free = { ...protectable, properties: { friendlyName: 'sql-01', containerId: properties.sourceResourceId } }
  const later = createTools(asked => ({ value: asked === registrable ? [free] : others }))
  t.match(await later.call('check_registration_status', { vm: 'sql-01', workload_type: 'SQL' }), {
    id: null,
    source_id: vmAt('sql-01'),
    workloads: [none],
    asked: [registered('sql-01'), registrable],
  })

  const twins = createTools(() => ({
    value: [
      own,
      container(
        [],
        { sourceResourceId: vmAt('sql-01', 'rg-x') },
        {},
        `${containers}/VMAppContainer;Compute;rg-x;sql-01`,
      ),
    ],
  }))
  t.match(await twins.call('check_registration_status', { vm: 'sql-01' }), {
    code: 'ambiguous',
    details: { candidates: [{ id: vmAt('sql-01'), vm: 'rg-data/sql-01' }, { id: vmAt('sql-01', 'rg-x') }] },
  })

  const missing = createTools(asked => ({ value: asked === registrable ? [free] : [] }))
  t.match(await missing.call('check_registration_status', { vm: "sql-O'1", workload_type: 'SAPHana' }), {
    code: 'not_found',
    message: /sql-O'1/,
    remediation: /group\/vm or the ARM id.*discovered/,
    details: { candidates: [{ id: vmAt('sql-01'), vm: 'rg-data/sql-01' }] },
    asked: [registered("sql-O''1"), registrable],
  })
})

t.test('a bare name asked for VM backup is looked for among protected VMs first', async t => {
  const row = {
    id: `${containers}/IaasVMContainer;iaasvmcontainerv2;rg-app;web-01`,
    properties: {
      virtualMachineId: vmAt('web-01', 'rg-app'),
      friendlyName: 'web-01',
      backupManagementType: 'AzureIaasVM',
    },
  }
  const { call } = createTools(asked =>
    asked.startsWith('POST') ? {} : asked.includes('?') ? { value: [row] } : { id: vaultId, location: 'eastus' },
  )
  t.match(await call('check_registration_status', { vm: 'web-01', workload_type: 'VM' }), {
    id: null,
    source_id: vmAt('web-01', 'rg-app'),
    workloads: [],
    vm_protection: { is_protected: false, protection_status: null },
    asked: [
      listed("backupManagementType eq 'AzureIaasVM' and friendlyName eq 'web-01'"),
      `GET ${vaultId}`,
      `POST ${regional}/backupStatus`,
    ],
  })
  const both = await call('check_registration_status', { vm: 'web-01' })
  t.match(both, { id: null, source_id: vmAt('web-01', 'rg-app'), workloads: [none, none, none] }, 'then last')
  t.notOk(both.asked.includes(registrable), 'what could be registered is not asked for a VM that is protected')
  t.match(await call('check_registration_status', { vm: 'web-01', workload_type: 'SQL' }), { code: 'not_found' })
})

// ---------------------------------------------------------------- protection of the VM itself
const web = 'iaasvmcontainerv2;rg-app;web-01'
const protection = {
  protectionStatus: 'Protected',
  vaultId,
  fabricName: 'Azure',
  containerName: `iaasvmcontainer;${web}`,
  protectedItemName: `vm;${web}`,
  policyName: 'DefaultPolicy',
  errorCode: 'Success',
  errorMessage: '',
}
const item = `${containers}/IaasVMContainer;${web}/protectedItems/VM;${web}`
const upper = vaultId.replace('/subscriptions/', '/Subscriptions/').replace('/vaults/', '/Vaults/')
const protections: [name: string, over: object, expected: object][] = [
  ['protected', {}, { is_protected: true, vault_id: vaultId, vault_name: 'vault-prod', item_id: item, error: null }],
  ['by number', { protectionStatus: 3 }, { is_protected: true, protection_status: 'Protected' }],
  ['being protected', { protectionStatus: 'Protecting' }, { is_protected: true, protection_status: 'Protecting' }],
  [
    'with an absolute vault id',
    { vaultId: `https://management.azure.com${vaultId}` },
    { vault_id: vaultId, vault_name: 'vault-prod', item_id: item },
  ],
  ['with another letter case', { vaultId: upper }, { vault_id: upper, vault_name: 'vault-prod' }],
  ['with names without their prefix', { protectedItemName: '', containerName: web }, { item_id: item }],
  [
    'not protected',
    { protectionStatus: 'NotProtected', vaultId: '', containerName: '', protectedItemName: '', policyName: '' },
    { is_protected: false, vault_id: null, vault_name: null, policy_name: null, item_id: null },
  ],
  [
    'failed',
    { protectionStatus: 'ProtectionFailed', errorCode: 'UserErrorVmNotFoundV2', errorMessage: 'gone' },
    {
      is_protected: false,
      error: { code: 'UserErrorVmNotFoundV2', message: 'gone', remediation: /no longer exists/ },
    },
  ],
]
for (const [name, over, expected] of protections)
  t.match(toProtection({ ...protection, ...over }), expected, `a VM ${name}`)

const unasked: [name: string, azure: Azure, warning: RegExp][] = [
  [
    'is forbidden',
    asked => (asked.startsWith('POST') ? failure(403, 'AuthorizationFailed', 'no right') : undefined),
    /no right/,
  ],
  [
    'meets no such VM',
    asked => (asked.startsWith('POST') ? failure(404, 'ResourceNotFound', 'no VM') : undefined),
    /no VM/,
  ],
  ['is answered about another VM', asked => (asked.startsWith('POST') ? protection : undefined), /about web-01/],
  ['meets a vault without a region', asked => (asked === `GET ${vaultId}` ? { id: vaultId } : undefined), /region/],
  [
    'meets a vault that may not be read',
    asked => (asked === `GET ${vaultId}` ? failure(403, 'AuthorizationFailed', 'no right') : undefined),
    /no right/,
  ],
]
for (const [name, azure, warning] of unasked)
  t.test(`a question about protection that ${name} is a warning`, async t => {
    const { call } = createTools((asked, request) => {
      if (asked.endsWith(';sql-01')) return container([detail('SQL', 1)])
      return azure(asked, request) ?? { id: vaultId, location: 'eastus' }
    })
    t.match(await call('check_registration_status', { vm: 'rg-data/sql-01' }), {
      workloads: [{ is_registered: true }],
      vm_protection: null,
      warnings: [warning],
    })
  })

t.test('a cancelled call warns of nothing', async t => {
  const { call, control } = createTools(asked => {
    if (asked.startsWith('POST')) {
      control.abort(new Error('stop'))
      return failure(403, 'AuthorizationFailed', 'no right')
    }
    return asked.endsWith(';sql-01') ? container([]) : answer(200, { id: vaultId, location: 'eastus' })
  })
  t.match(await call('check_registration_status', { vm: 'rg-data/sql-01' }), { code: 'cancelled' })
})

// ---------------------------------------------------------------- workload items
const ag = toContainer({
  id: `${containers}/SQLAGWorkLoadContainer;ag-1`,
  properties: {
    friendlyName: 'ag-1',
    extendedInfo: { hostServerName: 'cluster', nodesList: [{ nodeName: 'a' }, { nodeName: 'b' }] },
  },
})
const sql = toContainer(container([]))
const seen = (name: string, properties: object, of = sqlContainer) => ({
  id: `${of}/protectableItems/${name}`,
  name,
  properties,
})
const rows: [name: string, raw: object, of: typeof sql, expected: object][] = [
  [
    'an instance',
    seen('SQLInstance;MSSQLSERVER', {
      dataDirectoryPaths: [
        { type: 'Data', path: 'F:\\' },
        { type: 2, path: 'G:\\' },
      ],
      parentName: 'MSSQLSERVER',
      serverName: 'sqlvm.contoso.com',
      isAutoProtectable: true,
      subWorkloadItemCount: 9,
      workloadType: 'SQL',
      workloadItemType: 'SQLInstance',
      friendlyName: 'MSSQLSERVER',
      protectionState: 'NotProtected',
    }),
    sql,
    {
      workload_type: 'SQL',
      item_type: 'SQLInstance',
      vm_name: 'sql-01',
      server_name: 'sqlvm.contoso.com',
      resource_group: 'rg-data',
      instance_name: 'MSSQLSERVER',
      database_name: null,
      protection_state: 'NotProtected',
      is_auto_protectable: true,
      item_count: 9,
      data_directories: [{ type: 'Data' }, { type: 'Log', path: 'G:\\' }],
      nodes: undefined,
    },
  ],
  [
    'a database of which little is told',
    seen('sqldatabase;mssqlserver;a;b', { protectionState: 3 }),
    sql,
    {
      friendly_name: 'a;b',
      workload_type: 'SQL',
      item_type: 'sqldatabase',
      server_name: 'SQLHOST',
      instance_name: 'mssqlserver',
      database_name: 'a;b',
      protection_state: 'Protected',
      is_auto_protectable: null,
      item_count: null,
      data_directories: [],
    },
  ],
  [
    'a HANA system',
    seen('saphanasystem;hxe', { workloadType: 'SAPHana', workloadItemType: 'SAPHanaSystem', friendlyName: 'HXE' }),
    sql,
    { workload_type: 'SAPHana', friendly_name: 'HXE', instance_name: 'hxe', database_name: null },
  ],
  [
    'a HANA instance',
    seen('saphanadbinstance;hxe;saphanadbinstance', { workloadItemType: 'SAPHanaDBInstance', parentName: 'HXE' }),
    sql,
    { workload_type: 'SAPHana', instance_name: 'HXE', database_name: null },
  ],
  [
    'a database of an availability group',
    seen('SQLDataBase;ag;orders', { friendlyName: 'orders', workloadItemType: 'SQLDataBase' }, ag.id),
    ag,
    { vm_name: null, resource_group: null, server_name: 'cluster', database_name: 'orders', nodes: ['a', 'b'] },
  ],
]
for (const [name, raw, of, expected] of rows) t.match(toWorkloadItem(raw, of, vault), expected, name)

const sapContainer = `${containers}/VMAppContainer;Compute;rg-sap;hana-01`
const sap = container(
  [],
  {
    friendlyName: 'hana-01',
    sourceResourceId: vmAt('hana-01', 'rg-sap'),
    extendedInfo: { hostServerName: 'hxehost', inquiryInfo: { inquiryDetails: [detail('SAPHana', 1)] } },
  },
  {},
  sapContainer,
)
const estate: Azure = asked => {
  if (asked === all) return { value: [container([detail('SQL', 1)]), sap, sap] }
  const [, path = ''] = /^GET (.*)\/items\?/.exec(asked) ?? []
  if (path === sqlContainer)
    return { value: [1, 2].map(count => seen(`SQLDataBase;MSSQLSERVER;db-${count}`, { friendlyName: `db-${count}` })) }
  return path === sapContainer
    ? { value: [seen('SAPHanaDatabase;HXE;PRD', { friendlyName: 'PRD' }, sapContainer)] }
    : undefined
}
const itemsOf = (of: string, word?: string) =>
  `GET ${of}/items?$filter=backupManagementType eq 'AzureWorkload'${word ? ` and workloadType eq '${word}'` : ''}`

const lists: [args: Record<string, unknown>, names: string[], asked: string[]][] = [
  [{}, ['db-1', 'db-2', 'PRD'], [all, itemsOf(sqlContainer), itemsOf(sapContainer)]],
  [{ limit: 1 }, ['db-1'], [all, itemsOf(sqlContainer)]],
  [{ limit: 2 }, ['db-1', 'db-2'], [all, itemsOf(sqlContainer)]],
  [{ workload_type: 'SAPHana' }, ['PRD'], [all, itemsOf(sapContainer, 'SAPHanaDatabase')]],
  [{ workload_type: 'SAPAse' }, [], [all]],
  [{ server: 'SQLHOST.contoso.com' }, ['db-1', 'db-2'], [all, itemsOf(sqlContainer)]],
  [{ server: 'hana-01' }, ['PRD'], [all, itemsOf(sapContainer)]],
  [{ server: 'nowhere' }, [], [all]],
  [{ server: 'rg-sap/hana-01' }, ['PRD'], [itemsOf(sapContainer)]],
  [{ server: vmAt('hana-01', 'rg-sap'), workload_type: 'SQL' }, [], [itemsOf(sapContainer, 'SQLDataBase')]],
]
for (const [args, names, asked] of lists)
  t.test(`workload items of ${JSON.stringify(args)}`, async t => {
    const told = await createTools(estate).call('list_workload_items', args)
    t.same(
      (told.workload_items as { friendly_name: string }[]).map(row => row.friendly_name),
      names,
    )
    t.same(told.asked, asked)
    if (!('limit' in args)) t.notOk('next_cursor' in told)
  })

t.test('a container that went away meanwhile is a warning, one that may not be read an error', async t => {
  const refusing = (refusal: unknown) =>
    createTools((asked, request) => (asked === itemsOf(sqlContainer) ? refusal : estate(asked, request)))
  t.match(await refusing(failure(400, goneCode, 'no')).call('list_workload_items'), {
    workload_items: [{ friendly_name: 'PRD' }],
    warnings: [/rg-data;sql-01 is not registered/],
  })
  t.match(await refusing(failure(403, 'AuthorizationFailed', 'no')).call('list_workload_items'), { code: 'forbidden' })
})
