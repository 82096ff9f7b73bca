/** Restores of VMs: the plan tells what the simulated Azure then does; targets, archive, refusals, and every request. */
import t, { type Test } from 'tap'
import { restoreBody, usualVmName } from '../../src/backup/restore-bodies.ts'
import { addNetwork } from '../../src/simulator/making.ts'
import { keyOf } from '../../src/simulator/state.ts'
import { type Answered, type Cut, createEstate, inGroup, production, vaultId } from '../helpers/estate.ts'

const vault = vaultId('vault-prod')
const itemId = `${vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;web-01/protectedItems/VM;iaasvmcontainerv2;rg-app;web-01`
const staging = `${inGroup('rg-data')}/providers/Microsoft.Storage/storageAccounts/contosostaging`
const network = `${inGroup('rg-app')}/providers/Microsoft.Network/virtualNetworks/vnet-app`
const machine = (name: string, group = 'rg-app') =>
  `${inGroup(group)}/providers/Microsoft.Compute/virtualMachines/${name}`
const other = '22222222-2222-4222-8222-222222222222'

const of = { item: 'rg-app/web-01', workload_type: 'VM', point: 'latest' }
const original = { ...of, restore_mode: 'original', staging_storage_account: 'contosostaging' }
const alternate = {
  ...of,
  restore_mode: 'alternate',
  staging_storage_account: 'contosostaging',
  target_resource_group: 'rg-data',
  target_virtual_network: 'vnet-app',
  target_subnet: 'default',
}
const byIds = {
  ...alternate,
  staging_storage_account: staging,
  target_resource_group: inGroup('rg-data'),
  target_virtual_network: network,
  target_subnet: `${network}/subnets/default`,
}
const unmanaged = { ...of, restore_mode: 'disks', staging_storage_account: 'contosostaging' }
const disks = { ...unmanaged, target_resource_group: 'rg-data' }

type Estate = ReturnType<typeof createEstate>

const itemIn = ({ world }: Estate) => {
  const items = [...(world.state.vaults.get(keyOf(vault))?.items.values() ?? [])]
  const item = items.find(({ sourceId }) => keyOf(sourceId ?? '') === keyOf(machine('web-01')))
  if (!item) throw new Error('web-01 is not protected')
  return item
}
const vmIn = ({ world }: Estate, id: string) => world.state.vms.get(keyOf(id))
const planOf = (told: Answered) => (told.plan ?? (told.details as { plan: unknown }).plan) as Plan
interface Plan {
  summary: string
  requests: { method: string; body: { properties: Record<string, unknown> } }[]
  keeps: string[]
  loses: string[]
}
const bodyOf = (told: Answered) => planOf(told).requests[0]?.body.properties ?? {}
const messagesOf = (told: Answered) =>
  Object.fromEntries(
    (told.details as { faults: { path: string; message: string }[] }).faults.map(({ path, message }) => [
      path,
      message,
    ]),
  )
/** The newest point of web-01, as its list tells it. */
const newest = async ({ call }: Estate) => {
  const { recovery_points } = await call('list_recovery_points', { item: itemId, limit: 1 })
  const [row] = recovery_points as { recovery_point_id: string; time: string }[]
  if (!row) throw new Error('web-01 has no points')
  return row
}

/** For all that sends nothing, or only asks. */
const untouched = createEstate()

const reads = (...names: string[]): string[] => {
  const paths: Record<string, string> = {
    item: `GET ${itemId}`,
    vault: `GET ${vault}`,
    points: `GET ${itemId}/recoveryPoints`,
    accounts: `GET /subscriptions/${production}/providers/Microsoft.Storage/storageAccounts`,
    groups: `GET /subscriptions/${production}/resourceGroups`,
    networks: `GET /subscriptions/${production}/providers/Microsoft.Network/virtualNetworks`,
    validate: `POST ${vault}/backupValidateOperation`,
  }
  return names.map(name => paths[name] ?? name)
}

const asked: [name: string, args: Record<string, unknown>, requests: string[]][] = [
  ['in place', original, reads('item', 'vault', 'points', 'accounts', 'validate')],
  ['a new VM', alternate, reads('item', 'vault', 'points', 'accounts', 'groups', 'networks', 'validate')],
  ['a new VM, by ids', byIds, reads('item', 'vault', 'points', 'validate')],
  ['managed disks', disks, reads('item', 'vault', 'points', 'accounts', 'groups', 'validate')],
  ['VHD files', unmanaged, reads('item', 'vault', 'points', 'accounts', 'validate')],
]
for (const [name, args, requests] of asked)
  t.test(`a plan (${name}) lists each kind of target once, has Azure validate it, and changes nothing`, async t => {
    const { call, taken } = untouched
    taken()
    const told = await call('restore_vm', { ...args, dry_run: true })
    t.match(told, { status: 'planned', message: 'Azure has validated the restore; nothing was changed.' })
    t.same(taken(), requests)
  })

t.test('one point is read by its id, and its ARM id is the same', async t => {
  const estate = createEstate()
  const { recovery_point_id: id, time } = await newest(estate)
  estate.taken()
  for (const recovery_point_id of [id, `${itemId}/recoveryPoints/${id}`]) {
    const args = { ...byIds, point: undefined, recovery_point_id, dry_run: true }
    const told = await estate.call('restore_vm', JSON.parse(JSON.stringify(args)))
    t.match(told, { status: 'planned', recovery_point_id: id, recovery_point_time: time })
    t.same(estate.taken(), reads('item', 'vault', `GET ${itemId}/recoveryPoints/${id}`, 'validate'))
  }
})

t.test('before takes the newest point up to then', async t => {
  const estate = createEstate()
  const { recovery_points } = await estate.call('list_recovery_points', { item: itemId, limit: 3 })
  const [, second, third] = recovery_points as { recovery_point_id: string; time: string }[]
  const { point: _, ...rest } = byIds
  const at = (before: string | undefined) => estate.call('restore_vm', { ...rest, before, dry_run: true })
  t.equal((await at(second?.time)).recovery_point_id, second?.recovery_point_id)
  const justBefore = new Date(Date.parse(second?.time ?? '') - 1).toISOString()
  t.equal((await at(justBefore)).recovery_point_id, third?.recovery_point_id)
  const none = await at('2020-01-01T00:00:00Z')
  t.match(none, { code: 'not_found', message: /has no recovery point from 2020-01-01T00:00:00Z or before/ })
  const { candidates } = none.details as { candidates: { time: string }[] }
  const times = candidates.map(({ time }) => time)
  t.same(times, [...times].sort(), 'the nearest first')
})

t.test('a point that is not there is answered with those that are', async t => {
  const estate = createEstate()
  const row = await newest(estate)
  const { point: _, ...rest } = byIds
  t.match(await estate.call('restore_vm', { ...rest, recovery_point_id: '123' }), {
    code: 'not_found',
    message: /web-01 \(rg-app\) has no recovery point 123/,
    details: { candidates: [{ recovery_point_id: row.recovery_point_id, time: row.time }] },
  })
  const elsewhere = `${itemId.replaceAll('web-01', 'web-02')}/recoveryPoints/123`
  t.match(await estate.call('restore_vm', { ...rest, recovery_point_id: elsewhere }), {
    code: 'invalid_arguments',
    message: /another item/,
  })
})

t.test('an original restore replaces what its plan said, and leaves the rest', async t => {
  const estate = createEstate()
  const { call, taken, confirmed } = estate
  const vm = vmIn(estate, machine('web-01'))
  const points = itemIn(estate).points
  const [os, data] = vm?.disks ?? []
  const live = [
    { lun: -1, name: 'live-os', sizeGb: 30 },
    { lun: 0, name: 'live-data', sizeGb: 64 },
  ]
  if (!vm || !os || !data) throw new Error('web-01 has no two disks')
  vm.disks = live
  for (const point of points) point.disks = { included: [os], excluded: [data] }
  const { time } = await newest(estate)
  taken()
  const refused = await call('restore_vm', original)
  t.match(refused, { code: 'confirmation_required' })
  const { summary, loses, keeps } = planOf(refused)
  t.match(summary, `Replace the disks of web-01 (rg-app) by the 1 of 2 disks that are in the backup`)
  t.same(loses, [`everything written to the disks of web-01 (rg-app) since ${time}: the VM goes back to that moment`])
  t.ok(keeps.includes('1 disk that is not in the backup'))
  for (const confirm of ['yes', 'mwsaguzr.ClOd1BhE.bVP68jLkeCi6-1GI8Jtuu5zh0XYIeD-BUyZCdQG_3BI'])
    t.equal((await call('restore_vm', { ...original, confirm })).code, 'confirmation_required')
  t.notOk(taken('writes').some(text => text.endsWith('/restore')))
  t.same(vm.disks, live, 'without the string nothing changed')
  const done = await confirmed('restore_vm', { ...original, wait_seconds: 3600 })
  t.match(done, { status: 'succeeded', target_id: machine('web-01'), message: /are those of .* now/ })
  t.same(taken('writes').filter(text => text.endsWith('/restore')).length, 1)
  t.same(
    vm.disks.map(({ name }) => name).sort(),
    ['live-data', os.name].sort(),
    'the disk that is in the point, and the one that is not',
  )
})

t.test('an alternate restore makes the VM that its plan names', async t => {
  const estate = createEstate()
  const { call } = estate
  const planned = await call('restore_vm', { ...alternate, target_zone: '2', dry_run: true })
  const { time } = await newest(estate)
  const id = machine(`web-01-${time.replace(/\D/g, '').slice(0, 12)}`, 'rg-data')
  t.match(planOf(planned), {
    summary: /^Make the VM web-01-\d{12} in resource group rg-data, zone 2, network vnet-app\/default, from /,
    keeps: ['web-01 (rg-app) itself, its disks and its protection', 'all recovery points there are'],
    loses: [],
  })
  t.match(planned, { target_id: id })
  t.notOk(vmIn(estate, id))
  const before = structuredClone(vmIn(estate, machine('web-01')))
  const done = await call('restore_vm', { ...alternate, target_zone: '2', wait_seconds: 3600 })
  t.match(done, { status: 'succeeded', target_id: id, message: /is in resource group rg-data.*not protected/ })
  t.match(vmIn(estate, id), { location: 'eastus', zones: ['2'], osType: 'Linux', disks: [{ lun: -1 }, { lun: 0 }] })
  t.same(vmIn(estate, machine('web-01')), before)
  t.match(await call('restore_vm', alternate), {
    code: 'precondition_failed',
    azure_code: 'UserErrorTargetVirtualMachineAlreadyExists',
    remediation: /another name/,
  })
})

const user = `${inGroup('rg-app')}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/restorer`
const encryption = `${inGroup('rg-app')}/providers/Microsoft.Compute/diskEncryptionSets/des-1`

const bodies: [name: string, args: Record<string, unknown>, body: Record<string, unknown>, absent?: string[]][] = [
  ['managed disks', disks, { recoveryType: 'RestoreDisks', targetResourceGroupId: inGroup('rg-data') }, ['zones']],
  ['VHD files', unmanaged, { recoveryType: 'RestoreDisks', createNewCloudService: true }, ['targetResourceGroupId']],
  ['the OS disk', { ...disks, restore_only_os_disk: true }, { restoreDiskLunList: [] }],
  ['one data disk', { ...disks, disk_luns: [0] }, { restoreDiskLunList: [0] }],
  ['all disks', disks, {}, ['restoreDiskLunList']],
  ['a zone', { ...byIds, target_zone: '3' }, { zones: ['3'] }],
  ['no zone', { ...disks, target_zone: 'NoZone' }, { zones: ['NoZone'] }],
  ['a name', { ...byIds, target_vm_name: 'web-09' }, { targetVirtualMachineId: machine('web-09', 'rg-data') }],
  [
    'an encryption set',
    { ...byIds, disk_encryption_set: encryption },
    { diskEncryptionSetId: encryption, subnetId: `${network}/subnets/default`, virtualNetworkId: network },
  ],
  [
    "the vault's identity",
    { ...original, managed_identity: 'System' },
    {
      identityInfo: { isSystemAssignedIdentity: true },
      identityBasedRestoreDetails: { targetStorageAccountId: staging },
    },
    ['storageAccountId'],
  ],
  [
    'an identity of its own',
    { ...original, managed_identity: user },
    { identityInfo: { isSystemAssignedIdentity: false, managedIdentityResourceId: user } },
    ['storageAccountId'],
  ],
  [
    'another subscription',
    {
      ...disks,
      staging_storage_account: staging,
      target_subscription: other,
      target_resource_group: 'rg-test',
    },
    { targetResourceGroupId: `/subscriptions/${other}/resourceGroups/rg-test` },
  ],
]
const identified = createEstate()
Object.assign(identified.world.state.vaults.get(keyOf(vault)) ?? {}, {
  identity: { type: 'SystemAssigned, UserAssigned', userAssignedIdentities: { [user]: {} } },
})
for (const [name, args, body, absent = []] of bodies)
  t.test(`a restore with ${name} is one that Azure validates`, async t => {
    const { call } = identified
    const told = await call('restore_vm', { ...args, dry_run: true })
    t.equal(told.status, 'planned')
    const asked = bodyOf(told)
    for (const [key, value] of Object.entries(body)) t.same(asked[key], value, key)
    t.same(
      Object.keys(asked).filter(key => absent.includes(key)),
      [],
    )
  })

t.test('disks end where the plan said, and the message tells it without a signed address', async t => {
  for (const [args, place, words] of [
    [{ ...disks, restore_only_os_disk: true }, 'resource group rg-data', /the OS disk of web-01.* managed disks/],
    [unmanaged, 'the storage account contosostaging', /VHD files .*slow.*target_resource_group/],
  ] as const) {
    const { call, lines } = createEstate()
    const done = await call('restore_vm', { ...args, wait_seconds: 3600 })
    t.match(done, { status: 'succeeded', job: { properties: { 'Restored disk(s)': /^web-01_OsDisk/ } } })
    t.match(done.message, `are in ${place}. Its description and a template that makes a VM of it: config-`)
    t.notMatch(done.message, /\?|https:/)
    t.match(planOf(await call('restore_vm', { ...args, dry_run: true })).summary, words)
    t.ok(lines.some(({ message }) => message === 'write'))
  }
})

t.test('a point that is only in the archive needs its rehydration, and the plan tells the delay', async t => {
  const estate = createEstate()
  for (const point of itemIn(estate).points)
    Object.assign(point, { isArchived: true, snapshotUntilMs: undefined, inVaultMs: point.atMs })
  const refused = await estate.call('restore_vm', disks)
  t.equal(refused.code, 'invalid_arguments')
  t.match(messagesOf(refused), {
    '/rehydration_priority': /up to 15 hours, high up to 1 hour/,
    '/rehydration_days': /days/,
  })
  for (const [priority, word, hours] of [
    ['standard', 'Standard', '15 hours'],
    ['high', 'High', '1 hour'],
  ] as const) {
    const args = { ...disks, rehydration_priority: priority, rehydration_days: 7, dry_run: true }
    const told = await estate.call('restore_vm', args)
    t.match(planOf(told).summary, `takes up to ${hours}; the copy is kept for 7 days`)
    t.match(bodyOf(told), {
      objectType: 'IaasVMRestoreWithRehydrationRequest',
      recoveryPointRehydrationInfo: { rehydrationRetentionDuration: 'P7D', rehydrationPriority: word },
    })
  }
})

t.test('a rehydration that is not needed is not asked for, and that is said', async t => {
  const { call } = createEstate()
  const told = await call('restore_vm', { ...disks, rehydration_priority: 'high', rehydration_days: 7, dry_run: true })
  t.equal(bodyOf(told).objectType, 'IaasVMRestoreRequest')
  t.match(told.warnings, [/nothing has to be rehydrated/])
})

const wrong: [name: string, args: Record<string, unknown>, faults: Record<string, RegExp>][] = [
  [
    'a mode without a staging account',
    { ...of, restore_mode: 'original' },
    { '/staging_storage_account': /is needed/ },
  ],
  [
    'a new VM without any place',
    { ...of, restore_mode: 'alternate' },
    {
      '/staging_storage_account': /is needed/,
      '/target_resource_group': /is needed/,
      '/target_virtual_network': /is needed/,
      '/target_subnet': /is needed/,
    },
  ],
  [
    'a new VM in place of the old one',
    { ...original, target_vm_name: 'x', target_zone: '1', disk_luns: [0] },
    { '/target_vm_name': /left out/, '/target_zone': /left out/, '/disk_luns': /left out/ },
  ],
  [
    'files with what only managed disks have',
    { ...unmanaged, target_zone: '1', disk_encryption_set: encryption },
    { '/target_zone': /target_resource_group/, '/disk_encryption_set': /target_resource_group/ },
  ],
  [
    'two kinds of disks, two points, half a rehydration, the paired region',
    {
      ...disks,
      restore_only_os_disk: true,
      disk_luns: [1],
      before: '2026-11-01T00:00:00Z',
      rehydration_days: 3,
      secondary_region: true,
    },
    {
      '/disk_luns': /contradicts/,
      '/before': /exactly one/,
      '/rehydration_priority': /is needed/,
      '/secondary_region': /cannot restore to the paired region/,
    },
  ],
  [
    'ids of other things',
    {
      ...byIds,
      staging_storage_account: `${inGroup('old')}/providers/Microsoft.ClassicStorage/storageAccounts/old`,
      target_resource_group: network,
      target_virtual_network: staging,
      target_subnet: network,
      managed_identity: 'me',
      disk_encryption_set: 'des',
    },
    {
      '/staging_storage_account': /classic/,
      '/target_resource_group': /no ARM id of a resource group/,
      '/target_virtual_network': /no ARM id of a virtual network/,
      '/target_subnet': /Microsoft.Network\/virtualNetworks\/subnets/,
      '/managed_identity': /ARM id/,
      '/disk_encryption_set': /ARM id/,
    },
  ],
  ['a VM name that Azure refuses', { ...byIds, target_vm_name: 'web_01' }, { '/target_vm_name': /letters, digits/ }],
  ['no point', { ...original, point: undefined }, { '/recovery_point_id': /point or before/ }],
  ['a day that is not', { ...original, point: undefined, before: '2026-02-30T00:00:00Z' }, { '/before': /there is/ }],
]
for (const [name, args, faults] of wrong)
  t.test(`${name}: every fault at once, and nothing is sent`, async t => {
    const { call, taken } = untouched
    taken()
    const told = await call('restore_vm', JSON.parse(JSON.stringify(args)))
    t.equal(told.code, 'invalid_arguments')
    const messages = messagesOf(told)
    t.same(Object.keys(messages).sort(), Object.keys(faults).sort())
    t.match(messages, faults)
    t.same(taken(), [])
  })

t.test('targets that are not there are named all at once, each with the nearest', async t => {
  const { call, taken } = createEstate()
  const told = await call('restore_vm', {
    ...alternate,
    staging_storage_account: 'contosostagin',
    target_resource_group: 'rg-dat',
  })
  t.match(told, {
    code: 'not_found',
    details: {
      faults: [
        { path: '/staging_storage_account', candidates: [staging] },
        { path: '/target_resource_group', candidates: [inGroup('rg-data')] },
      ],
    },
  })
  t.match(await call('restore_vm', { ...alternate, target_subnet: 'dmz' }), {
    code: 'not_found',
    message: /has no subnet "dmz"/,
    details: { candidates: ['default'] },
  })
  t.notOk(
    taken().some(text => text.startsWith('POST')),
    'nothing was validated',
  )
})

t.test('a name that two groups have is ambiguous until its group is said', async t => {
  const { call, world } = createEstate()
  const { subscriptionId, location } = { subscriptionId: production, location: 'eastus' }
  addNetwork(world.state, {
    subscriptionId,
    resourceGroup: 'rg-data',
    name: 'vnet-app',
    location,
    subnets: ['default'],
  })
  t.match(await call('restore_vm', alternate), { code: 'ambiguous', remediation: /group\/name/ })
  const told = await call('restore_vm', { ...alternate, target_virtual_network: 'rg-app/vnet-app', dry_run: true })
  t.equal(bodyOf(told).virtualNetworkId, network)
})

t.test('an account of another region is a fault before Azure is asked, by its id one that Azure tells', async t => {
  const { call, taken } = createEstate()
  const told = await call('restore_vm', { ...original, staging_storage_account: 'contosostagingwest' })
  t.match(messagesOf(told), { '/staging_storage_account': /is in westus.*region of the vault, eastus/ })
  t.same(taken('writes'), [])
  const west = { ...original, staging_storage_account: `${staging}west` }
  t.match(await call('restore_vm', west), { code: 'precondition_failed', remediation: /region of the vault: eastus/ })
  t.same(taken('writes'), reads('validate'))
})

t.test('all that Azure has against a restore is told, with its recommendations', async t => {
  const { call, taken } = createEstate()
  const args = { ...byIds, target_resource_group: inGroup('rg-none'), target_subnet: `${network}/subnets/dmz` }
  const told = await call('restore_vm', { ...args, dry_run: true })
  t.match(told, {
    code: 'precondition_failed',
    message: /rg-none was not found.*dmz was not found/,
    details: { validation: [{ message: /rg-none/, recommendations: [String] }, { message: /dmz/ }] },
  })
  t.same(taken('writes'), reads('validate'))
})

const states: [name: string, args: Record<string, unknown>, told: Record<string, unknown>][] = [
  ['a VM that is gone, in place', { item: 'rg-app/gone-01' }, { code: 'precondition_failed' }],
  ['a soft-deleted VM', { item: 'rg-app/old-01' }, { code: 'precondition_failed', remediation: /undelete/ }],
  ['a VM that is not protected', { item: 'rg-app/win-04' }, { code: 'not_found', message: /is not protected/ }],
  [
    'a new Windows VM with a long name',
    { ...byIds, item: 'rg-app/app-01', target_vm_name: 'a-rather-long-name' },
    { code: 'invalid_arguments', message: /at most 15 letters, because the VM runs Windows/ },
  ],
  ['a database', { item: 'sql-01/orders', workload_type: 'SQL' }, { code: 'invalid_arguments', message: /VMs only/ }],
]
for (const [name, args, told] of states)
  t.test(`${name} is refused`, async t => {
    const { call, taken } = untouched
    taken()
    t.match(await call('restore_vm', { ...original, staging_storage_account: staging, ...args }), told)
    t.notOk(taken().some(text => text.endsWith('/restore')))
  })

const cuts: [cut: Cut, sent: number, told: Record<string, unknown>][] = [
  ['before', 1, { status: 'in_progress' }],
  ['inside', 0, { isError: true, details: { outcome: 'unknown' } }],
  ['before_answer', 1, { status: 'in_progress', job_id: String, warnings: [/shows that it took/] }],
  ['inside_answer', 1, { status: 'in_progress', job_id: String, warnings: [/shows that it took/] }],
]
for (const [cut, sent, expected] of cuts)
  t.test(`a restore whose connection is cut (${cut}) is taken at most once`, async t => {
    const { call, rule, taken, world } = createEstate()
    let isCut = false
    rule.interfere = (method, path) => {
      if (isCut || method !== 'POST' || !path.endsWith('/restore')) return undefined
      isCut = true
      return cut
    }
    const jobs = () =>
      [...(world.state.vaults.get(keyOf(vault))?.jobs.values() ?? [])].filter(
        ({ operation }) => operation === 'Restore',
      )
    const before = jobs().length
    t.match(await call('restore_vm', byIds), expected)
    t.equal(taken('writes').filter(text => text.endsWith('/restore')).length, sent)
    t.equal(jobs().length - before, sent)
  })

t.test('a validation whose answer is lost is asked again: it changes nothing', async (t: Test) => {
  const { call, rule, taken } = createEstate()
  let isCut = false
  rule.interfere = (_, path) => {
    if (isCut || !path.endsWith('/backupValidateOperation')) return undefined
    isCut = true
    return 'inside_answer'
  }
  t.equal((await call('restore_vm', { ...byIds, dry_run: true })).status, 'planned')
  t.same(taken('writes'), reads('validate', 'validate'))
})

type Restore = Parameters<typeof restoreBody>[0]

t.test("an encrypted VM's keys are named, and a guard that guards restores gets its request", t => {
  const keyAndSecret = {
    kekDetails: { keyUrl: 'https://kv/keys/k', keyVaultId: '/kv', keyBackupData: 'secret' },
    bekDetails: { secretUrl: 'https://kv/secrets/s', secretVaultId: '/kv', secretData: 'secret' },
  }
  const body = restoreBody({
    input: { item: 'web-01', restore_mode: 'original' },
    item: { sourceId: machine('web-01') },
    posture: { location: 'eastus', guard: { restoreRequest: '/guard/restoreRequests/default' } },
    point: { raw: { properties: { keyAndSecret } }, row: { recovery_point_id: '1', tiers: null, is_encrypted: true } },
    targets: { stagingId: staging },
  } as unknown as Restore)
  t.match(body, {
    encryptionDetails: {
      encryptionEnabled: true,
      kekUrl: 'https://kv/keys/k',
      kekVaultId: '/kv',
      secretKeyUrl: 'https://kv/secrets/s',
      secretKeyVaultId: '/kv',
    },
    resourceGuardOperationRequests: ['/guard/restoreRequests/default'],
  })
  t.notMatch(JSON.stringify(body), /"secret"/)
  t.end()
})

type Row = Parameters<typeof usualVmName>[1]
const usual: [source: string, os: string | null, name: string][] = [
  ['web-01', 'Linux', 'web-01-202611220205'],
  ['web-01', 'Windows', 'web-01-1122'],
  ['contoso-production-sql-01', 'Windows', 'ion-sql-01-1122'],
  ['my_vm.local', null, 'y-vm-local-1122'],
]
for (const [source, os_type, name] of usual)
  t.test(`a new VM of ${source} (${os_type}) is called ${name}`, async t =>
    t.equal(usualVmName(source, { os_type, time: '2026-11-22T02:05:11Z' } as Row), name),
  )
