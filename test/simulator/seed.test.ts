/** The built-in estate, seed files, and estates of any size. */
import t from 'tap'
import type { Fields } from '../../src/backup/fields.ts'
import { answer } from '../../src/simulator/azure.ts'
import { createVirtualClock } from '../../src/simulator/clock.ts'
import { effects } from '../../src/simulator/effects.ts'
import { type Estate, stateOf } from '../../src/simulator/estate-state.ts'
import { withGenerated } from '../../src/simulator/generator.ts'
import { runsBetween } from '../../src/simulator/schedules.ts'
import { builtInEstate } from '../../src/simulator/seed.ts'
import { parseEstate } from '../../src/simulator/seed-file.ts'
import { type Item, keyOf, type State, type Vault } from '../../src/simulator/state.ts'
import { loadState, saveState } from '../../src/simulator/state-file.ts'
import { createWorld } from '../../src/simulator/world.ts'
import { faultsOf } from '../helpers/definitions.ts'

const startMs = Date.parse('2026-11-22T08:00:00Z')
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const production = '11111111-1111-4111-8111-111111111111'
const test = '22222222-2222-4222-8222-222222222222'

const vaultIn = (state: State, name: string): Vault => {
  const found = [...state.vaults.values()].find(vault => vault.name === name)
  if (!found) throw new Error(`no vault ${name}`)
  return found
}
const groupOf = ({ sourceId }: Item) => sourceId.split('/')[4]
const itemIn = (vault: Vault, group: string, name: string): Item => {
  const found = [...vault.items.values()].find(item => item.friendlyName === name && groupOf(item) === group)
  if (!found) throw new Error(`no item ${group}/${name}`)
  return found
}
const worldOf = (state: State) => {
  const clock = createVirtualClock(state.nowMs, 0, () => 0)
  return { clock, world: createWorld(state, clock, effects) }
}
const builtIn = () => stateOf(builtInEstate(), startMs)

t.test('the built-in estate is a good seed file', async t => {
  t.same(parseEstate(JSON.parse(JSON.stringify(builtInEstate()))), builtInEstate())
  t.same(builtIn().defaultVault, {
    subscription_id: production,
    resource_group: 'rg-backup',
    vault_name: 'vault-prod',
  })
})

t.test('the built-in estate has the names that people rely on', async t => {
  const state = builtIn()
  t.equal(state.tenantId, '99999999-9999-4999-8999-999999999999')
  t.same(state.tokens, ['simulated-azure-token'])
  t.same(
    [...state.subscriptions.values()],
    [
      { id: production, name: 'Contoso Production' },
      { id: test, name: 'Contoso Test' },
    ],
  )
  const at = (vault: Vault) => [vault.subscriptionId, vault.resourceGroup, vault.location, vault.redundancy]
  const prod = vaultIn(state, 'vault-prod')
  t.same(at(prod), [production, 'rg-backup', 'eastus', 'GeoRedundant'])
  t.same([prod.crossRegionRestore, prod.softDelete], [true, { state: 'Enabled', days: 14 }])
  const secure = vaultIn(state, 'vault-secure')
  t.same(at(secure).slice(0, 3), [production, 'rg-backup', 'westeurope'])
  t.equal(secure.immutability, 'Locked')
  t.ok(itemIn(secure, 'rg-eu', 'eu-01').points.length > 0)
  const other = vaultIn(state, 'vault-test')
  t.same(at(other), [test, 'rg-test', 'eastus', 'LocallyRedundant'])
  t.equal(other.softDelete.state, 'Disabled')
  const guarded = vaultIn(state, 'vault-guarded')
  t.match(guarded.guardId, /\/resourceGuards\/guard-prod$/)
  t.ok([...guarded.items.values()].some(({ friendlyName }) => friendlyName === 'vault-01'))
  for (const name of `DefaultPolicy EnhancedPolicy vm-daily-30d vm-hourly-enhanced sql-full-log hana-full-diff-log
    ase-full-log afs-daily`.split(/\s+/))
    t.ok(prod.policies.has(keyOf(name)), name)

  const vms = [...state.vms.values()]
  const guests = (name: string) => vms.find(vm => vm.name === name)?.instances.map(one => [one.name, ...one.databases])
  t.same(guests('sql-01'), [['MSSQLSERVER', 'orders', 'billing', 'hr', 'scratch']])
  t.same(guests('sql-02'), [['MSSQLSERVER', 'crm', 'web']])
  t.same(guests('hana-01'), [['HXE', 'SYSTEMDB', 'HXE']])
  t.same(guests('ase-01'), [['AZU', 'azu']])
  t.ok(guests('hana-02'))
  t.match(
    vms.filter(({ name }) => name === 'web-01').map(vm => vm.resourceGroup),
    ['rg-app', 'rg-test'],
  )
  t.match(
    vms.filter(({ name }) => name === 'app-01').map(vm => vm.resourceGroup),
    ['rg-app', 'rg-legacy'],
  )
  t.same(
    ['app-03', 'win-04'].map(name => vms.find(vm => vm.name === name)?.osType),
    ['Linux', 'Windows'],
  )
  const sources = new Set(
    [...state.vaults.values()].flatMap(vault => [...vault.items.values()].map(one => one.sourceId)),
  )
  for (const name of ['app-03', 'win-04', 'sql-02', 'hana-02'])
    t.notOk(
      vms.some(vm => vm.name === name && sources.has(vm.id)),
      `${name} is not protected`,
    )
  t.same(
    [...prod.containers.values()].map(({ friendlyName, inquired }) => [friendlyName, ...inquired]),
    [
      ['sql-01', 'SQL'],
      ['hana-01', 'SAPHana'],
      ['ase-01', 'SAPAse'],
      ['ase-02', 'SAPAse'],
      ['contosofiles', 'AzureFileShare'],
    ],
  )
  t.same(
    [...state.storageAccounts.values()].map(({ name, location }) => [name, location]),
    [
      ['contosofiles', 'eastus'],
      ['contosostaging', 'eastus'],
      ['contosostagingwest', 'westus'],
    ],
  )
  const [files] = state.storageAccounts.values()
  t.same(
    files?.shares.map(({ name }) => name),
    ['finance', 'engineering'],
  )
  t.ok(files?.shares[0]?.files.some(file => file.startsWith('2026/q3/')))
  t.match([...state.networks.values()], [{ name: 'vnet-app', resourceGroup: 'rg-app', subnets: ['default'] }])
})

t.test('the items of the built-in estate stand as the names say', async t => {
  const vault = vaultIn(builtIn(), 'vault-prod')
  const rows: [group: string, name: string, state: string, last: string, trouble?: string][] = [
    ['rg-app', 'web-01', 'Protected', 'Completed'],
    ['rg-app', 'web-02', 'Protected', 'Completed'],
    ['rg-app', 'app-01', 'ProtectionError', 'Failed', 'UserErrorGuestAgentStatusUnavailable'],
    ['rg-app', 'app-02', 'ProtectionStopped', 'Completed'],
    ['rg-app', 'old-01', 'ProtectionStopped', 'Completed'],
    ['rg-app', 'gone-01', 'ProtectionError', 'Failed', 'UserErrorVmNotFoundV2'],
    ['rg-legacy', 'app-01', 'Protected', 'CompletedWithWarnings', 'DiskAPIRevokeSASFailed'],
    ['rg-data', 'orders', 'Protected', 'Completed'],
    ['rg-data', 'billing', 'Protected', 'Completed'],
    ['rg-data', 'hr', 'Protected', 'Completed'],
    ['rg-data', 'SYSTEMDB', 'Protected', 'Completed'],
    ['rg-data', 'HXE', 'Protected', 'Completed'],
    ['rg-data', 'ledger', 'Protected', 'Completed'],
    ['rg-data', 'finance', 'Protected', 'Completed'],
  ]
  t.equal(vault.items.size, rows.length)
  for (const [group, name, state, last, trouble] of rows) {
    const item = itemIn(vault, group, name)
    t.same([item.state, item.lastBackup?.status, item.lastBackup?.trouble?.code], [state, last, trouble], name)
    const isStopped = state === 'ProtectionStopped'
    t.same([item.policy === undefined, item.plannedMs === undefined], [isStopped, isStopped], name)
    t.ok(item.points.length > 25, `${name} has a month of points`)
    t.ok(item.points.every(({ id }) => /^\d{18,19}$/.test(id)))
    t.match(item.dataId, /^\d+$/)
    const times = item.points.map(({ atMs }) => atMs)
    t.same(times, [...times].sort(), `${name}: oldest first`)
  }
  t.same(itemIn(vault, 'rg-app', 'old-01').softDeleted, { atMs: startMs - 3 * dayMs, days: 14 })
  const ranges = (name: string) =>
    itemIn(vault, 'rg-data', name).logs.map(range => [range.startMs, range.endMs].map(ms => (ms - startMs) / hourMs))
  t.same(ranges('orders'), [[-72, 0]])
  t.equal(ranges('billing').length, 2)
})

t.test('points are those that the policy still keeps, for weeks, months and years too', async t => {
  const { points } = itemIn(vaultIn(builtIn(), 'vault-prod'), 'rg-app', 'web-01')
  t.same([...new Set(points.map(({ rule }) => rule))].sort(), ['Daily', 'Monthly', 'Weekly', 'Yearly'])
  t.ok(points.every(({ expiresMs = 0 }) => expiresMs > startMs))
  t.equal(points.filter(({ atMs }) => atMs > startMs - 30 * dayMs).length, 30)
  const oldest = points[0]
  t.ok(oldest && oldest.atMs < startMs - 300 * dayMs)
})

t.test('no scheduled backup begins between 08:00 and 22:00', async t => {
  for (const vault of builtIn().vaults.values())
    for (const { name, properties } of vault.policies.values()) {
      const runs = runsBetween(properties, startMs, startMs + 14 * dayMs)
      t.ok(runs.length > 0, name)
      const hours = runs.map(({ atMs }) => new Date(atMs).getUTCHours())
      t.same(
        hours.filter(hour => hour >= 8 && hour < 22),
        [],
        name,
      )
    }
})

t.test('the last day of the built-in estate has jobs of every kind', async t => {
  const jobs = [...vaultIn(builtIn(), 'vault-prod').jobs.values()]
  t.same(
    jobs.map(({ startMs: ms }) => ms),
    jobs.map(({ startMs: ms }) => ms).sort((a, b) => a - b),
    'in the order in which they began',
  )
  const recent = jobs.filter(job => job.startMs > startMs - dayMs)
  const completed = recent.filter(({ operation, status }) => operation === 'Backup' && status === 'Completed')
  t.same([...new Set(completed.map(({ workload }) => workload))].sort(), [
    'AzureFileShare',
    'SAPAse',
    'SAPHana',
    'SQL',
    'VM',
  ])
  const told = (status: string) =>
    recent
      .filter(job => job.status === status)
      .map(({ operation, entityName, trouble }) => [operation, entityName, trouble?.code])
  t.same(told('InProgress'), [['Backup', 'web-02', undefined]])
  t.same(told('Cancelled'), [['Backup', 'web-01', 'UserErrorJobSuccessfullyCancelled']])
  t.same(told('CompletedWithWarnings'), [['Backup', 'app-01', 'DiskAPIRevokeSASFailed']])
  t.same(told('Failed'), [
    ['Backup', 'app-01', 'UserErrorGuestAgentStatusUnavailable'],
    ['Backup', 'gone-01', 'UserErrorVmNotFoundV2'],
  ])
  t.ok(recent.some(({ operation, status }) => operation === 'Restore' && status === 'Completed'))
})

t.test('time goes on in the built-in estate', async t => {
  const { clock, world } = worldOf(builtIn())
  const vault = vaultIn(world.state, 'vault-prod')
  const running = itemIn(vault, 'rg-app', 'web-02')
  const before = running.points.length
  clock.advance(6 * hourMs)
  world.settle()
  t.equal(running.points.length, before + 1, 'the running backup has made its point')
  t.notOk([...vault.jobs.values()].some(({ status }) => status === 'InProgress'))
  clock.advance(18 * hourMs)
  world.settle()
  for (const item of vault.items.values())
    if (item.policy !== undefined)
      t.ok((item.lastBackup?.atMs ?? 0) > startMs, `${item.friendlyName} was backed up in the night`)
  t.equal(itemIn(vault, 'rg-app', 'gone-01').lastBackup?.status, 'Failed')
  clock.advance(10.5 * dayMs)
  world.settle()
  t.throws(() => itemIn(vault, 'rg-app', 'old-01'), 'it was purged 14 days after its deletion')
})

t.test('the same seed and start make the same bytes, another seed others', async t => {
  const bytes = (estate: Estate) => saveState(stateOf(estate, startMs))
  const first = bytes(builtInEstate())
  t.ok(bytes(builtInEstate()) === first)
  t.not(bytes({ ...builtInEstate(), seed: 2 }), first)
  t.ok(saveState(loadState(first)) === first, 'and come back whole')
})

t.test('every list of the built-in estate agrees with the definitions', async t => {
  const { world } = worldOf(builtIn())
  const vaults = [...world.state.vaults.values()]
  const ask = (path: string, version: string, filter = '') => {
    const url = `${path}?api-version=${version}${filter && `&$filter=${encodeURIComponent(filter)}`}`
    const base = 'http://127.0.0.1:8080'
    const headers = { authorization: 'Bearer simulated-azure-token' }
    const { status, body } = answer(world, { method: 'GET', url, base, headers, body: '' })
    const parsed = JSON.parse(body) as { value: { id: string; properties: Fields }[] }
    t.equal(status, 200, url)
    t.same(faultsOf({ request: { method: 'GET', url: base + url }, response: { status, body: parsed } }), [], url)
    return parsed.value
  }
  for (const version of ['2020-10-01', '2025-08-01', '2026-07-01'])
    for (const { id } of vaults) {
      const items = ask(`${id}/backupProtectedItems`, version)
      // SAP ASE came after the first of these versions.
      for (const item of items)
        if (version > '2023' || !item.id.includes('SAPAse')) ask(`${item.id}/recoveryPoints`, version)
      for (const job of ask(`${id}/backupJobs`, version)) ask(job.id, version)
      ask(`${id}/backupPolicies`, version)
      for (const type of ['AzureIaasVM', 'AzureWorkload', 'AzureStorage']) {
        ask(`${id}/backupProtectionContainers`, version, `backupManagementType eq '${type}'`)
        ask(`${id}/backupProtectableItems`, version, `backupManagementType eq '${type}'`)
      }
    }
})

t.test('every policy of the built-in estate is one that Azure would take', async t => {
  const { world } = worldOf(builtIn())
  const { id, policies } = vaultIn(world.state, 'vault-prod')
  for (const { name, properties } of [...policies.values()]) {
    const url = `${id}/backupPolicies/Copy-${name}?api-version=2025-08-01`
    const headers = { authorization: 'Bearer simulated-azure-token' }
    const body = JSON.stringify({ properties })
    const told = answer(world, { method: 'PUT', url, base: 'http://127.0.0.1:8080', headers, body })
    t.equal(told.status, 200, `${name}: ${told.body}`)
  }
})

const least: Estate = {
  subscriptions: [{ id: production, name: 'Contoso' }],
  vaults: [{ name: 'vault', resource_group: 'rg', location: 'eastus' }],
}

t.test('a seed file with the least in it has a vault with its policies', async t => {
  const state = stateOf(parseEstate(least), startMs)
  t.equal(state.defaultVault?.vault_name, 'vault')
  t.same([state.nowMs, state.tokens, state.due], [startMs, ['simulated-azure-token'], []])
  t.ok(vaultIn(state, 'vault').policies.has('defaultpolicy'))
  t.equal(stateOf({ ...least, start: '2020-02-29T01:02:03Z' }, startMs).nowMs, 1_582_938_123_000)
})

t.test('a seed file says everything that a state holds', async t => {
  const estate: Estate = {
    ...least,
    tenant_id: test,
    tokens: ['one', 'two'],
    faults: [{ kind: 'status', path: 'backupJobs', status: 503, times: 2 }],
    guard_rights_withheld: true,
    virtual_machines: [
      { name: 'vm', resource_group: 'rg', location: 'eastus', disks: [{ lun: 3, name: 'd', size_gb: 8 }] },
    ],
    vaults: [
      {
        name: 'vault',
        resource_group: 'rg',
        location: 'eastus',
        created: '2024-01-01T00:00:00Z',
        policies: [{ name: 'own', properties: { backupManagementType: 'AzureIaasVM' } }],
        discovered: [],
        intents: [{ name: 'intent', properties: { itemId: 'x' } }],
        items: [
          {
            source: { vm: 'vm' },
            policy: 'own',
            disk_exclusion: { luns: [3], is_inclusion_list: false },
            last_backup: { at: -2, status: 'Failed', trouble: { code: 'Own', message: 'words' } },
            points: [
              { id: '7', at: -2, archived: true, in_vault: -1, expires: 24, rule: 'Yearly', size_gb: 4 },
              { at: '2026-11-20T00:00:00Z', kind: 'CrashConsistent' },
            ],
          },
        ],
        jobs: [{ operation: 'Register', workload: 'SQL', entity: 'vm', started: -3, minutes: 2, status: 'Failed' }],
      },
    ],
  }
  const state = stateOf(parseEstate(estate), startMs)
  const vault = vaultIn(state, 'vault')
  const [item] = vault.items.values()
  t.match(state, { tenantId: test, tokens: ['one', 'two'], isGuardWithheld: true, faults: [{ status: 503, times: 2 }] })
  t.equal(vault.createdMs, Date.parse('2024-01-01T00:00:00Z'))
  t.same([vault.discovered.size, vault.intents.get('intent')?.properties], [0, { itemId: 'x' }])
  t.match(item, { state: 'ProtectionError', policy: 'own', lastBackup: { trouble: { code: 'Own', message: 'words' } } })
  t.match(item?.points, [
    { kind: 'CrashConsistent', isArchived: false, rule: 'AdHoc' },
    { id: '7', atMs: startMs - 2 * hourMs, isArchived: true, expiresMs: startMs + dayMs, sizeGb: 4 },
  ])
  t.same(item?.points[1]?.disks, { included: [], excluded: [{ lun: 3, name: 'd', sizeGb: 8 }] })
  t.match([...vault.jobs.values()], [{ operation: 'Register', workload: 'SQL', status: 'Failed', entityName: 'vm' }])
})

t.test('everything that is wrong with a seed file is told at once', async t => {
  const where = { resource_group: 'rg', location: 'eastus' }
  const source = { vm: 'vm' }
  const wrong = {
    subscriptions: [{ id: 'no guid', name: 'Contoso' }],
    colour: 'blue',
    default_vault: 'elsewhere',
    faults: [{ kind: 'status', path: '(' }],
    virtual_machines: [
      { ...where, name: 'vm', os: 'CP/M' },
      { ...where, name: 'VM' },
      { ...where, name: 'twin' },
      { ...where, resource_group: 'other', name: 'twin', subscription: 'nobody' },
      { ...where, resource_group: 'third', name: 'twin' },
    ],
    vaults: [
      {
        ...where,
        name: 'vault',
        policies: [
          { name: 'half', workload: 'SQL' },
          { name: 'odd', workload: 'VM', keep: {}, log: { every_minutes: 15, keep_days: 7 } },
        ],
        containers: [{ registered: 0 }],
        items: [
          { source: { vm: 'nobody' }, policy: 'DefaultPolicy' },
          { source: { vm: 'twin' }, policy: 'DefaultPolicy' },
          { source: { vm: 'rg/twin' }, policy: 'HourlyLogBackup' },
          { source: { vm: 'third/twin' }, policy: 'nothing' },
          {
            source: { share: 'x' },
            policy: 'DefaultPolicy',
            last_backup: { at: 'noon', status: 'Failed', trouble: 'Odd' },
          },
        ],
        jobs: [
          { operation: 'Backup', source: { vm: 'third/twin', database: 'x' }, started: 0, minutes: 1 },
          { operation: 'Backup', started: 0, minutes: 1 },
        ],
      },
    ],
  }
  const told = (() => {
    try {
      parseEstate(wrong)
    } catch (error) {
      return (error as Error).message.split('\n')
    }
    return []
  })()
  for (const [at, words] of [
    ['/', /colour/],
    ['/subscriptions/0/id', /uuid/],
    ['/default_vault', /no vault is called "elsewhere"/],
    ['/faults/0', /regular expression/],
    ['/virtual_machines/0/os', /"Linux", "Windows"/],
    ['/virtual_machines/1', /listed twice/],
    ['/virtual_machines/3/subscription', /no subscription is called "nobody"/],
    ['/vaults/0/policies/0', /workload and keep/],
    ['/vaults/0/policies/1/log', /nothing for VM/],
    ['/vaults/0/containers/0', /one vm or one storage_account/],
    ['/vaults/0/items/0/source/vm', /no virtual machine is called "nobody"/],
    ['/vaults/0/items/1/source/vm', /2 of them are called "twin"/],
    ['/vaults/0/items/2/policy', /is for SQL, and this is VM/],
    ['/vaults/0/items/3/policy', /no policy "nothing"/],
    ['/vaults/0/items/4/source', /must be a vm/],
    ['/vaults/0/items/4/last_backup/at', /date-time/],
    ['/vaults/0/items/4/last_backup/trouble', /Odd/],
    ['/vaults/0/jobs/0/source', /must be a vm/],
    ['/vaults/0/jobs/1', /source, or workload and entity/],
  ] as const)
    t.ok(
      told.some(fault => fault.startsWith(`${at}: `) && words.test(fault)),
      `${at} ${words}`,
    )
  t.equal(told.length, 19)
  for (const nothing of [null, [], 'text', 7, {}]) t.throws(() => parseEstate(nothing), /^\//)
  t.throws(() => parseEstate({ subscriptions: least.subscriptions }), /there must be a vault/)
  t.match(source, { vm: 'vm' })
})

t.test('an estate is generated in the size that is asked for', async t => {
  const sizes = { vaults: 3, items_per_vault: 20, points_per_item: 12, unprotected_per_vault: 2, failing_percent: 10 }
  const estate = parseEstate({ subscriptions: least.subscriptions, default_vault: 'vault-002', generate: sizes })
  const state = stateOf(estate, startMs)
  t.equal(state.vaults.size, 3)
  t.equal(state.vms.size, 66)
  t.equal(state.due.length, 60, 'every item has its next backup planned')
  for (const vault of state.vaults.values()) {
    const items = [...vault.items.values()]
    t.equal(items.length, 20)
    t.equal(items.filter(({ state: word }) => word === 'ProtectionError').length, 2)
    t.same([...new Set(items.map(({ points }) => points.length))], [12, 11], 'the failed backups made no point')
    t.equal(vault.jobs.size, 20)
  }
  t.equal(state.defaultVault?.vault_name, 'vault-002')
  t.equal(withGenerated(least), least)
})
