import t from 'tap'
import type { Config, VaultEntry } from '../../src/config/types.ts'
import {
  type Azure,
  answer,
  createTools,
  endpoint,
  failure,
  otherSubscription,
  subscription,
  vaultAt,
  vaultId,
  vaultNotFound,
} from '../helpers/tools.ts'

const devSubscription = '00000000-0000-0000-0000-000000000003'
const subscriptions = {
  value: [
    { subscriptionId: subscription, displayName: 'Production' },
    { subscriptionId: otherSubscription, displayName: 'Disaster Recovery' },
    { subscriptionId: devSubscription, displayName: 'R&D (#1) Dev/Test' },
    { subscriptionId: 'broken', displayName: null },
  ],
}
const vaults: Record<string, string[]> = {
  [subscription]: [vaultId, vaultAt('rg-test', 'vault-test'), vaultAt('rg-a', 'twin'), vaultAt('rg-b', 'twin')],
  [otherSubscription]: [
    vaultAt('rg-dr', 'vault-dr', otherSubscription),
    vaultAt('rg-backup', 'vault-prod', otherSubscription),
  ],
  [devSubscription]: [vaultAt('rg-dev', 'vault-dev', devSubscription)],
}
const body = (id: string, properties: object = {}) => ({
  id,
  name: id.split('/').at(-1),
  location: 'westeurope',
  properties,
})

const azure: Azure = asked => {
  const [path = ''] = asked.slice('GET '.length).split('?')
  if (path === '/subscriptions') return subscriptions
  const list = /^\/subscriptions\/([^/]+)\/providers\/Microsoft.RecoveryServices\/vaults$/.exec(path)
  if (list) return { value: (vaults[list[1] ?? ''] ?? []).map(id => body(id)) }
  if (path.includes('/providers/Microsoft.Authorization/')) return { value: [] }
  const vault = /^(.*\/vaults\/([^/]+))(\/.*)?$/.exec(path)
  const found = Object.values(vaults)
    .flat()
    .find(id => id.toLowerCase() === vault?.[1]?.toLowerCase())
  if (!found) return vaultNotFound(vault?.[2] ?? '', path.split('/')[4] ?? '')
  return path.endsWith('/backupPolicies') ? { value: [] } : vault?.[3] ? { properties: {} } : body(found)
}

const entry = (key: string, name: string, over: Partial<VaultEntry> = {}): VaultEntry => ({
  key,
  name,
  subscription,
  resourceGroup: 'rg-backup',
  isDefault: false,
  ...over,
})
const dr = entry('dr', 'vault-dr', { subscription: otherSubscription, resourceGroup: 'rg-dr' })
const noGroup: VaultEntry = { key: 'somewhere', name: 'vault-test', subscription, isDefault: true }
const bare: Partial<Config> = { vaults: [] }

const none = 'nothing'
const allVaults = `GET /subscriptions/${subscription}/providers/Microsoft.RecoveryServices/vaults`
const resolved: [given: string | undefined, config: Partial<Config>, id: string, looked: string][] = [
  [undefined, {}, vaultId, none],
  [undefined, { vaults: [noGroup] }, vaultAt('rg-test', 'vault-test'), allVaults],
  [undefined, { vaults: [entry('a', 'vault-x'), entry('b', 'vault-prod', { isDefault: true })] }, vaultId, none],
  ['vault-prod', {}, vaultId, none],
  ['VAULT-prod', {}, vaultId, none],
  ['dr', { vaults: [dr] }, vaultAt('rg-dr', 'vault-dr', otherSubscription), none],
  ['vault-dr', { vaults: [dr] }, vaultAt('rg-dr', 'vault-dr', otherSubscription), none],
  ['rg-dr/vault-dr', { vaults: [dr] }, vaultAt('rg-dr', 'vault-dr', otherSubscription), none],
  [
    'dr',
    { vaults: [{ ...dr, subscription: 'disaster recovery' }] },
    vaultAt('rg-dr', 'vault-dr', otherSubscription),
    'GET /subscriptions',
  ],
  ['vault-test', bare, vaultAt('rg-test', 'vault-test'), allVaults],
  ['rg-test/Vault-Test', bare, vaultAt('rg-test', 'Vault-Test'), none],
  [`${otherSubscription}/rg-dr/vault-dr`, bare, vaultAt('rg-dr', 'vault-dr', otherSubscription), none],
  ['Disaster Recovery/rg-dr/vault-dr', bare, vaultAt('rg-dr', 'vault-dr', otherSubscription), 'GET /subscriptions'],
  [
    vaultAt('rg-dr', 'vault-dr', otherSubscription),
    { vaults: [], subscription: '' },
    vaultAt('rg-dr', 'vault-dr', otherSubscription),
    none,
  ],
  [
    `${vaultId.replace('subscriptions', 'Subscriptions').replace('resourceGroups', 'resourcegroups')}/backupJobs/1`,
    bare,
    vaultId,
    none,
  ],
  ['twin', { vaults: [entry('twin', 'vault-prod')] }, vaultId, none],
  // Subscriptions and keys of the configuration may be called anything.
  ['r&d (#1) dev/test/rg-dev/vault-dev', bare, vaultAt('rg-dev', 'vault-dev', devSubscription), 'GET /subscriptions'],
  ['R&D', { vaults: [entry('r&d', 'vault-prod')] }, vaultId, none],
  ['eu/50%', { vaults: [entry('eu/50%', 'vault-prod')] }, vaultId, none],
]
for (const [given, config, id, looked] of resolved)
  t.test(`vault ${given} with ${JSON.stringify(config)} is ${id}, for which ${looked} is asked`, async t => {
    const { call } = createTools(azure, config)
    const { asked } = await call('list_policies', given === undefined ? {} : { vault: given })
    t.same(asked, [...(looked === none ? [] : [looked]), `GET ${id}/backupPolicies`])
    const again = await call('list_policies', given === undefined ? {} : { vault: given })
    t.same(again.asked, [`GET ${id}/backupPolicies`], 'what was looked up is remembered')
  })

const refused: [given: string | undefined, config: Partial<Config>, code: string, message: RegExp, asked: number][] = [
  [undefined, bare, 'not_configured', /No vault was given/, 0],
  [
    undefined,
    { vaults: [entry('a', 'x'), entry('b', 'y')] },
    'not_configured',
    /^No vault was given, and none of the configured ones \(a, b\) is the default\.$/,
    0,
  ],
  ['a/b/c/d', {}, 'not_found', /No subscription named "a\/b"/, 1],
  ['a/b/c/d?', {}, 'invalid_arguments', /must be a name/, 0],
  ['rg-test/', {}, 'invalid_arguments', /must be a name/, 0],
  ['rg-test/..', {}, 'invalid_arguments', /must be a name/, 0],
  ['v?x=1', {}, 'invalid_arguments', /must be a name/, 0],
  ['/subscriptions/x', {}, 'invalid_arguments', /no ARM id/, 0],
  [`${vaultId}%3Fx`, {}, 'invalid_arguments', /no ARM id/, 0],
  [vaultId.replace('RecoveryServices', 'DataProtection'), {}, 'invalid_arguments', /no ARM id/, 0],
  [
    'same',
    { vaults: [entry('a', 'same'), entry('b', 'same', { resourceGroup: 'rg-b' })] },
    'ambiguous',
    /2 configured/,
    0,
  ],
  ['twin', bare, 'ambiguous', /2 vaults are named "twin"/, 1],
  ['vault-tset', bare, 'not_found', /No vault named "vault-tset"/, 1],
  ['Produktion/rg-backup/vault-prod', {}, 'not_found', /No subscription named/, 1],
]
for (const [given, config, code, message, asked] of refused)
  t.test(`vault ${given} with ${JSON.stringify(config)} is ${code}`, async t => {
    const { call } = createTools(azure, config)
    const error = await call('list_policies', given === undefined ? {} : { vault: given })
    t.match(error, { code, message })
    t.equal(error.asked.length, asked)
  })

t.test('a bare name without a subscription says which setting is missing', async t => {
  const { subscription: _, ...rest } = { subscription, vaults: [] }
  const { call } = createTools(azure, { ...rest, subscription: undefined as unknown as string })
  t.match(await call('list_policies', { vault: 'x' }), { code: 'not_configured', message: /subscription/, asked: [] })
})

t.test('a name that is not remembered is asked for anew', async t => {
  const found = [vaultAt('rg-test', 'vault-test')]
  const { call } = createTools(
    asked => (asked === allVaults ? { value: found.map(id => body(id)) } : { value: [] }),
    bare,
  )
  await call('list_policies', { vault: 'vault-test' })
  found.push(vaultAt('rg-new', 'vault-new'))
  const { asked } = await call('list_policies', { vault: 'vault-new' })
  t.same(asked, [allVaults, `GET ${vaultAt('rg-new', 'vault-new')}/backupPolicies`])
})

t.test('a subscription that is not remembered is asked for anew', async t => {
  const seen = [{ subscriptionId: subscription, displayName: 'Production' }]
  const { call } = createTools(asked => (asked === 'GET /subscriptions' ? { value: seen } : { value: [] }), bare)
  await call('list_vaults', { subscription: 'Production' })
  seen.push({ subscriptionId: otherSubscription, displayName: 'New' })
  t.match(await call('list_vaults', { subscription: 'New' }), { count: 0 })
})

const gone = vaultAt('rg-backup', 'vault-test')
const missing: [
  tool:
    | 'get_vault'
    | 'list_policies'
    | 'get_policy_details'
    | 'list_protected_items'
    | 'list_backup_jobs'
    | 'get_job_details',
  more: object,
][] = [
  ['get_vault', {}],
  ['list_policies', {}],
  ['get_policy_details', { policy_name: 'DefaultPolicy' }],
  ['list_protected_items', {}],
  ['list_backup_jobs', {}],
  ['get_job_details', { job_id: 'job-1' }],
]
for (const [tool, more] of missing)
  t.test(`${tool} of a vault that is not there names those that are`, async t => {
    const { call } = createTools(azure, { vaults: [entry('key', 'vault-test')] })
    for (const vault of ['key', 'rg-backup/vault-test', gone]) {
      const error = await call(tool, { vault, ...more })
      t.match(error, {
        code: 'not_found',
        azure_code: 'ResourceNotFound',
        http_status: 404,
        message: /no vault vault-test in resource group rg-backup/,
        remediation: /Did you mean rg-test\/vault-test\?/,
      })
      t.equal((error.details as { candidates: string[] }).candidates[0], vaultAt('rg-test', 'vault-test'))
      t.equal(error.asked.filter(each => each === allVaults).length, 1)
    }
  })

t.test('what is not there in a vault that is keeps its own error', async t => {
  const { call } = createTools(asked =>
    asked.includes('/backupJobs/')
      ? failure(404, 'ResourceNotFound', 'The job was not found.')
      : azure(asked, {} as never),
  )
  t.match(await call('get_job_details', { job_id: 'x' }), { code: 'not_found', message: /^The job was not found\.$/ })
})

t.test('other refusals list nothing, and a list that fails changes nothing', async t => {
  const refusing = createTools(() => failure(403, 'AuthorizationFailed', 'no'))
  t.same((await refusing.call('list_policies')).asked.length, 1)
  const silent = createTools(asked =>
    asked === allVaults ? failure(500, 'InternalError', 'x') : vaultNotFound('vault-prod', 'rg-backup'),
  )
  t.match(await silent.call('list_policies'), { code: 'not_found', message: /^The Resource/ })
})

t.test('a remembered vault that moved is looked for again after the 404', async t => {
  let group = 'rg-old'
  const { call } = createTools(
    asked =>
      asked === allVaults
        ? { value: [body(vaultAt(group, 'vault-x'))] }
        : asked.includes(`/${group}/`)
          ? { value: [] }
          : vaultNotFound('vault-x', 'rg-old'),
    bare,
  )
  await call('list_policies', { vault: 'vault-x' })
  group = 'rg-new'
  t.match(await call('list_policies', { vault: 'vault-x' }), { code: 'not_found', remediation: /rg-new\/vault-x/ })
  t.match(await call('list_policies', { vault: 'vault-x' }), { count: 0 })
})

t.test('test_connection says which vaults there are where the configured one is not', async t => {
  const { call } = createTools(azure, { vaults: [entry('key', 'vault-test')] })
  const { checks } = await call('test_connection')
  t.match(checks, [
    { name: 'configuration', status: 'ok' },
    { name: 'sign_in', status: 'skipped' },
    { name: 'azure' },
    { name: 'vault', status: 'failed', message: /Did you mean rg-test\/vault-test/ },
    {},
  ])
})

const rowsOf = (called: Record<string, unknown>) => called.vaults as Record<string, unknown>[]

t.test('without a subscription anywhere the vaults of every one are listed, and one that refuses is named', async t => {
  const { call } = createTools(
    (asked, request) =>
      asked.includes(`${subscription}/providers`)
        ? failure(403, 'AuthorizationFailed', 'does not have authorization')
        : azure(asked, request),
    { vaults: [], subscription: undefined as unknown as string },
  )
  const listed = await call('list_vaults')
  t.same(
    rowsOf(listed).map(row => row.id),
    [otherSubscription, devSubscription].flatMap(id => vaults[id]),
  )
  t.match(listed.warnings, [new RegExp(`${subscription} are left out`)])
})

t.test('a subscription that was asked for and refuses is an error', async t => {
  const { call } = createTools(() => failure(403, 'AuthorizationFailed', 'no'))
  t.match(await call('list_vaults'), { code: 'forbidden' })
})

t.test('a failure of the network is not one of a single subscription', async t => {
  const { call } = createTools(
    asked => (asked === 'GET /subscriptions' ? subscriptions : failure(500, 'InternalError', 'x')),
    {
      vaults: [],
      subscription: undefined as unknown as string,
    },
  )
  t.match(await call('list_vaults'), { code: 'azure_error' })
})

t.test('a vault of the same name and group in another subscription is not the configured one', async t => {
  const { call } = createTools(azure, { vaults: [entry('prod', 'VAULT-PROD', { isDefault: true })] })
  const other = await call('list_vaults', { subscription: otherSubscription })
  t.match(rowsOf(other), [
    { configured_as: null },
    { vault_name: 'vault-prod', configured_as: null, is_default: false },
  ])
  const own = await call('list_vaults', { name_contains: 'PROD' })
  t.match(rowsOf(own), [{ vault_name: 'vault-prod', configured_as: 'prod', is_default: true }])
})

t.test('a group of one subscription is asked of Azure', async t => {
  const { call } = createTools(() => ({ value: [] }))
  const { asked } = await call('list_vaults', { resource_group: 'rg-x' })
  t.same(asked, [`GET /subscriptions/${subscription}/resourceGroups/rg-x/providers/Microsoft.RecoveryServices/vaults`])
})

t.test('pages across subscriptions go on where they ended', async t => {
  const { call } = createTools(azure, { vaults: [], subscription: undefined as unknown as string })
  const ids: unknown[] = []
  let cursor: unknown
  do {
    const page = await call('list_vaults', { limit: 3, ...(cursor === undefined ? {} : { cursor }) })
    ids.push(...rowsOf(page).map(row => row.id))
    cursor = page.next_cursor
  } while (cursor !== undefined)
  t.same(ids, Object.values(vaults).flat())
})

const postures: [name: string, properties: object, config: object, expected: object][] = [
  [
    'a new vault',
    {
      securitySettings: { softDeleteSettings: { softDeleteState: 'AlwaysON', softDeleteRetentionPeriodInDays: 30 } },
      redundancySettings: { standardTierStorageRedundancy: 'GeoRedundant', crossRegionRestore: 'Enabled' },
    },
    {},
    {
      security: { soft_delete: 'AlwaysON', soft_delete_days: 30, immutability: 'Disabled' },
      cross_region_restore: true,
    },
  ],
  [
    'a vault that says 0 days',
    {
      securitySettings: {
        softDeleteSettings: { softDeleteState: 'Enabled', softDeleteRetentionPeriodInDays: 0 },
        immutabilitySettings: null,
      },
    },
    {},
    { security: { soft_delete: 'Enabled', soft_delete_days: 14 } },
  ],
  [
    'a vault without soft delete',
    { securitySettings: { softDeleteSettings: { softDeleteState: 'Disabled' } } },
    {},
    { security: { soft_delete: 'Disabled', soft_delete_days: null } },
  ],
  [
    'an old vault, told by its two configurations',
    {},
    { softDeleteFeatureState: 'Enabled', storageModelType: 'LocallyRedundant', crossRegionRestoreFlag: false },
    {
      security: { soft_delete: 'Enabled', soft_delete_days: 14 },
      redundancy: 'LocallyRedundant',
      cross_region_restore: false,
    },
  ],
  [
    'an old vault without cross-region restore and without days',
    { privateEndpointStateForBackup: 'None' },
    { softDeleteFeatureState: 'Disabled', storageModelType: 'GeoRedundant' },
    {
      security: {
        soft_delete: 'Disabled',
        soft_delete_days: null,
        immutability: null,
        immutability_type: null,
        immutability_days: null,
        multi_user_authorization: null,
      },
      redundancy: 'GeoRedundant',
      cross_region_restore: null,
    },
  ],
  [
    'a vault that is being made',
    {
      provisioningState: 'Provisioning',
      securitySettings: { softDeleteSettings: { softDeleteState: 'Invalid' }, multiUserAuthorization: 'Invalid' },
      redundancySettings: { standardTierStorageRedundancy: 'Invalid', crossRegionRestore: 'Disabled' },
    },
    { softDeleteFeatureState: 'AlwaysON', softDeleteRetentionPeriodInDays: 20, storageModelType: 'Invalid' },
    {
      provisioning_state: 'Provisioning',
      security: { soft_delete: 'AlwaysON', soft_delete_days: 20, multi_user_authorization: null },
      redundancy: null,
      cross_region_restore: false,
    },
  ],
  [
    'an immutable vault, its points locked for a time',
    {
      securitySettings: {
        softDeleteSettings: { softDeleteState: 'AlwaysON', softDeleteRetentionPeriodInDays: 14 },
        immutabilitySettings: { state: 'Locked', configuration: { type: 'TimeBased', durationInDays: 90 } },
        multiUserAuthorization: 'Enabled',
      },
    },
    {},
    {
      security: {
        immutability: 'Locked',
        immutability_type: 'TimeBased',
        immutability_days: 90,
        multi_user_authorization: 'Enabled',
      },
    },
  ],
  [
    'an immutable vault of the version before',
    { securitySettings: { softDeleteSettings: {}, immutabilitySettings: { state: 'Unlocked' } } },
    {},
    { security: { immutability: 'Unlocked', immutability_type: null, immutability_days: null } },
  ],
]
for (const [name, properties, config, expected] of postures)
  t.test(`posture of ${name}`, async t => {
    const { call } = createTools(asked =>
      asked === `GET ${vaultId}` ? body(vaultId, properties) : { properties: config },
    )
    t.match(await call('get_vault'), expected)
  })

t.test('a configuration that cannot be read is a warning', async t => {
  const { call } = createTools(asked =>
    asked === `GET ${vaultId}` ? body(vaultId) : failure(403, 'AuthorizationFailed', 'no'),
  )
  t.match(await call('get_vault'), { security: { soft_delete: null }, warnings: [/Soft delete/, /Redundancy/] })
})

t.test('usage counts items by type and leaves out counters that are zero', async t => {
  const { call } = createTools(asked => {
    if (asked.includes('backupUsageSummaries')) return { value: [{ name: { value: 'AzureIaasVM' }, currentValue: 3 }] }
    if (asked.endsWith('/usages'))
      return {
        value: [
          { name: { value: 'A' }, currentValue: 5, limit: -1, unit: 'Count' },
          { name: null, currentValue: 0 },
        ],
      }
    return body(vaultId)
  })
  t.match(await call('get_vault', { include_usage: true }), {
    usage: {
      items: [{ type: 'AzureIaasVM', count: 3 }],
      counters: [{ name: 'A', value: 5, limit: null, unit: 'Count' }],
    },
  })
})

const roles: [name: string, value: unknown[], may: string[]][] = [
  ['an owner', [{ actions: ['*'], notActions: [] }], ['read', 'protect', 'back_up', 'restore', 'delete']],
  ['a reader', [{ actions: ['*/read'], notActions: null }], ['read']],
  ['a backup reader', [{ actions: ['Microsoft.RecoveryServices/Vaults/*/read'] }], ['read']],
  [
    'an operator, who may not delete',
    [
      {
        actions: ['microsoft.recoveryservices/vaults/backupfabrics/*', 'Microsoft.RecoveryServices/*/read'],
        notActions: ['Microsoft.RecoveryServices/vaults/*/delete'],
      },
    ],
    ['read', 'protect', 'back_up', 'restore'],
  ],
  [
    'one role gives what another takes back',
    [{ actions: ['*'], notActions: ['*/delete'] }, { actions: ['*/delete'] }],
    ['read', 'protect', 'back_up', 'restore', 'delete'],
  ],
  [
    'an exact action',
    [
      {
        actions: ['Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action'],
      },
    ],
    ['back_up'],
  ],
  [
    'neither a prefix nor a suffix',
    [{ actions: ['Microsoft.RecoveryServices/vaults', 'vaults/backupProtectedItems/read', 'x*'] }],
    [],
  ],
  ['nobody', [], []],
]
for (const [name, value, may] of roles)
  t.test(`permissions: ${name}`, async t => {
    const { call } = createTools((asked, request) =>
      asked.includes('/permissions') ? { value } : azure(asked, request),
    )
    const { permissions } = await call('test_connection')
    t.same(
      Object.entries(permissions as Record<string, boolean>)
        .filter(([, can]) => can)
        .map(([action]) => action),
      may,
    )
  })

t.test('a connection without a vault still checks that Azure answers', async t => {
  const { call } = createTools(azure, bare)
  t.match(await call('test_connection'), {
    checks: [
      { name: 'configuration', status: 'ok', message: /no vault/ },
      { name: 'sign_in', status: 'skipped' },
      { name: 'azure', status: 'ok', message: new RegExp(`${endpoint} answered in \\d+ ms`) },
      { name: 'vault', status: 'failed', message: /^not_configured/ },
      { name: 'permissions', status: 'skipped' },
    ],
  })
})

t.test('nobody signed in: nothing more is asked', async t => {
  const signIn = {
    describe: async () => ({ used: undefined, skipped: [{ method: 'azure_cli', why: 'not installed' }] }),
  }
  const { call } = createTools(azure, {}, { signIn: signIn as never })
  const { checks, asked } = await call('test_connection')
  t.match(checks, [
    {},
    { status: 'failed', message: 'azure_cli not taken: not installed' },
    { status: 'skipped' },
    {},
    {},
  ])
  t.same(asked, [])
})

t.test('checks that fail each say why, and the others go on', async t => {
  const { call } = createTools(asked =>
    asked.includes('/permissions')
      ? failure(403, 'AuthorizationFailed', 'no')
      : asked === `GET ${vaultId}`
        ? answer(200, body(vaultId))
        : failure(500, 'InternalError', 'x'),
  )
  const called = await call('test_connection')
  t.match(called.checks, [
    {},
    {},
    { status: 'failed' },
    { status: 'ok', message: /westeurope/ },
    { status: 'failed', message: /^forbidden/ },
  ])
  t.notOk('permissions' in called)
})
