/** Vaults, their configuration and guards, policies, and what lies around them, as Azure tells of them. */
import t from 'tap'
import type { Fields } from '../../src/backup/fields.ts'
import { createVirtualClock } from '../../src/simulator/clock.ts'
import { toFault } from '../../src/simulator/control.ts'
import { effects } from '../../src/simulator/effects.ts'
import {
  addItem,
  addStorageAccount,
  addSubscription,
  addVault,
  addVm,
  blankState,
  defaultPolicies,
  vmItemOf,
} from '../../src/simulator/making.ts'
import { keyOf } from '../../src/simulator/state.ts'
import { loadState, saveState } from '../../src/simulator/state-file.ts'
import { createWorld } from '../../src/simulator/world.ts'
import { asking, type Told } from '../helpers/simulated.ts'

const subscriptionId = '11111111-1111-4111-8111-111111111111'
const startMs = Date.parse('2026-11-22T08:00:00Z')
const versions = ['2016-06-01', '2022-02-01', '2025-08-01', '2026-07-01']
const guard = `/subscriptions/${subscriptionId}/resourceGroups/rg-guard/providers/Microsoft.DataProtection/resourceGuards/guard`

/** What tests look at; every other body lacks it. */
type Body = Row & { value: Row[]; error: { code: string; message: string } }
interface Row extends Fields {
  id: string
  name: string
  status: string
  properties: Fields
}

/** A vault with a VM; every exchange is held against Azure's definitions. */
const estate = (version = '2025-08-01') => {
  const clock = createVirtualClock(startMs, 0, () => 0)
  const state = blankState(1, startMs, 'tenant', ['token'])
  const world = createWorld(state, clock, effects)
  addSubscription(state, subscriptionId, 'Contoso')
  const where = { subscriptionId, location: 'eastus' }
  const vault = addVault(state, { ...where, resourceGroup: 'rg-backup', name: 'vault-prod' })
  const vm = addVm(state, {
    ...where,
    resourceGroup: 'rg-app',
    name: 'web-01',
    disks: [
      { lun: -1, name: 'os', sizeGb: 127 },
      { lun: 0, name: 'data', sizeGb: 256 },
    ],
  })
  addVm(state, { ...where, resourceGroup: 'rg-app', name: 'gone-01', exists: false })
  addStorageAccount(state, { ...where, resourceGroup: 'rg-data', name: 'contosofiles' })
  const network = {
    id: `/subscriptions/${subscriptionId}/resourceGroups/rg-app/providers/Microsoft.Network/virtualNetworks/vnet-app`,
    ...where,
    resourceGroup: 'rg-app',
    name: 'vnet-app',
    subnets: ['default'],
  }
  state.networks.set(keyOf(network.id), network)
  const ask = asking<Body>(t, world, version)
  const pass = (seconds: number) => clock.advance(seconds * 1000)
  const protect = () => addItem(vault, vmItemOf(vm, 'DefaultPolicy', '1'))
  const refused = (code: string, method: string, url: string, body?: unknown, status = 400) => {
    const told = ask(method, url, body)
    t.same([told.status, told.body.error.code], [status, code], `${method} ${url}`)
  }
  /** Lets what was accepted end; the words of its status before and after. */
  const end = (accepted: Told<Body>): string[] => {
    const asked = accepted.headers['azure-asyncoperation'] ?? ''
    const before = ask('GET', asked).body.status
    pass(10)
    return [before, ask('GET', asked).body.status]
  }
  return { world, state, vault, vm, network, ask, pass, protect, refused, end }
}

const groupId = `/subscriptions/${subscriptionId}/resourceGroups/rg-backup`
const newVault = `${groupId}/providers/Microsoft.RecoveryServices/vaults/vault-new`

t.test('a vault has the fields of its api-version', async t => {
  const shapes: Record<string, string[]> = {}
  for (const version of versions) {
    const { vault, ask } = estate(version)
    const { status, body } = ask('GET', vault.id)
    t.equal(status, 200)
    t.notOk('tags' in body, 'no tags are none')
    shapes[version] = Object.keys(body.properties)
  }
  const small = ['provisioningState', 'privateEndpointStateForBackup', 'privateEndpointStateForSiteRecovery']
  t.same(shapes['2016-06-01'], small)
  t.same(shapes['2022-02-01'], [...small, 'backupStorageVersion'])
  const newest = shapes['2026-07-01'] ?? []
  t.ok(
    ['securitySettings', 'redundancySettings', 'secureScore', 'costManagementSettings'].every(name =>
      newest.includes(name),
    ),
  )
  t.notOk(shapes['2025-08-01']?.includes('costManagementSettings'))
})

t.test('the score of a vault says how well it is secured', async t => {
  const { vault, ask } = estate()
  const score = () => {
    const { secureScore, bcdrSecurityLevel } = ask('GET', vault.id).body.properties
    return [secureScore, bcdrSecurityLevel]
  }
  t.same(score(), ['None', 'Poor'])
  vault.immutability = 'Locked'
  t.same(score(), ['Minimum', 'Fair'])
  vault.softDelete.state = 'AlwaysON'
  t.same(score(), ['Adequate', 'Good'])
  vault.guardId = guard
  t.same(score(), ['Maximum', 'Excellent'])
})

t.test('a vault is made at once by the old version, and as an operation by the new', async t => {
  const body = { location: 'eastus', sku: { name: 'Standard' }, properties: {} }
  const old = estate('2016-06-01')
  const made = old.ask('PUT', newVault, body)
  t.same([made.status, made.body.properties.provisioningState], [201, 'Succeeded'])
  t.notOk('azure-asyncoperation' in made.headers)

  const { ask, end, state } = estate('2026-07-01')
  const settings = {
    securitySettings: { softDeleteSettings: { softDeleteState: 'AlwaysOn', softDeleteRetentionPeriodInDays: 30 } },
    redundancySettings: { standardTierStorageRedundancy: 'LocallyRedundant' },
    costManagementSettings: { granularityLevel: 'ProtectedItemLevel' },
  }
  const told = ask('PUT', newVault, { ...body, properties: settings, identity: { type: 'SystemAssigned' } })
  t.same([told.status, told.body.properties.provisioningState, told.headers.location], [201, 'Provisioning', undefined])
  t.equal((told.body.properties.securitySettings as Fields).multiUserAuthorization, 'Invalid')
  t.same(end(told), ['InProgress', 'Succeeded'])
  const { properties, identity } = ask('GET', newVault).body
  t.match(properties, {
    provisioningState: 'Succeeded',
    backupStorageVersion: 'Unassigned',
    costManagementSettings: { granularityLevel: 'ProtectedItemLevel' },
    redundancySettings: { standardTierStorageRedundancy: 'LocallyRedundant', crossRegionRestore: 'Disabled' },
  })
  t.match(properties.securitySettings, {
    softDeleteSettings: { softDeleteState: 'AlwaysON', softDeleteRetentionPeriodInDays: 30 },
  })
  t.match(identity, { type: 'SystemAssigned', principalId: /^[0-9a-f-]{36}$/, tenantId: 'tenant' })
  t.equal(ask('PUT', newVault, body).status, 200, 'there already')
  t.same(
    ask('GET', `${newVault}/backupPolicies`).body.value.map(({ name }) => name),
    ['DefaultPolicy', 'EnhancedPolicy', 'HourlyLogBackup'],
  )
  const saved = saveState(state)
  t.equal(saveState(loadState(saved)), saved, 'all of it can be saved')
})

t.test('what a new vault must not be is refused', async t => {
  const { refused, vault, state } = estate('2026-07-01')
  const where = { location: 'eastus' }
  refused('LocationRequired', 'PUT', newVault, { properties: {} })
  refused('InvalidResourceLocation', 'PUT', vault.id, { location: 'westus' }, 409)
  refused('ResourceGroupNotFound', 'PUT', newVault.replace('rg-backup', 'rg-none'), where, 404)
  refused('UserErrorUnsupportedVaultImmutabilityStateChange', 'PUT', newVault, {
    ...where,
    properties: { securitySettings: { immutabilitySettings: { state: 'Locked' } } },
  })
  refused('ResourceNotFound', 'GET', newVault, undefined, 404)
  t.equal(state.vaults.size, 1)
})

t.test('a patch of tags is done at once, of properties when its operation ends', async t => {
  const { ask, vault, end, refused, state } = estate()
  const tagged = ask('PATCH', vault.id, { tags: { owner: 'ops' }, identity: { type: 'SystemAssigned' } })
  t.same([tagged.status, tagged.body.tags], [200, { owner: 'ops' }])
  const immutability = (word: string) => ({
    properties: { securitySettings: { immutabilitySettings: { state: word } } },
  })
  const set = (word: string) => {
    const told = ask('PATCH', vault.id, immutability(word))
    t.same([told.status, told.body], [202, undefined])
    return told
  }
  const { etag } = vault
  const told = set('Unlocked')
  t.equal(vault.immutability, 'Disabled', 'not yet')
  t.equal(ask('GET', told.headers.location ?? '').status, 202)
  t.same(end(told), ['InProgress', 'Succeeded'])
  t.equal(ask('GET', told.headers.location ?? '').body.name, 'vault-prod')
  t.equal(vault.immutability, 'Unlocked')
  t.not(vault.etag, etag)
  end(set('Locked'))
  refused('UserErrorUnsupportedVaultImmutabilityStateChange', 'PATCH', vault.id, immutability('Disabled'))

  state.faults = [toFault({ kind: 'late_failure', method: 'PATCH', code: 'CloudInternalError' })]
  const failing = ask('PATCH', vault.id, { properties: { publicNetworkAccess: 'Disabled' } })
  t.same(end(failing), ['InProgress', 'Failed'])
  t.equal(vault.publicNetworkAccess, 'Enabled', 'nothing came of it')
})

const patches: [what: string, properties: Fields, code: string][] = [
  [
    'an unknown redundancy',
    { redundancySettings: { standardTierStorageRedundancy: 'Tape' } },
    'InvalidRestApiParameter',
  ],
  [
    'cross-region restore without a copy in the other region',
    { redundancySettings: { standardTierStorageRedundancy: 'LocallyRedundant', crossRegionRestore: 'Enabled' } },
    'BMSUserErrorUnableToEnableCrossRegionRestore',
  ],
  [
    'soft delete for a week',
    { securitySettings: { softDeleteSettings: { softDeleteRetentionPeriodInDays: 7 } } },
    'InvalidRestApiParameter',
  ],
]
for (const [what, properties, code] of patches)
  t.test(`a patch is refused: ${what}`, async () => {
    const { refused, vault } = estate()
    refused(code, 'PATCH', vault.id, { properties })
  })

t.test('a vault is deleted when nothing is left in it, and then listed among the deleted', async t => {
  const { ask, vault, refused, end, protect } = estate('2026-07-01')
  const item = protect()
  refused('ServiceResourceNotEmptyWithBackendMessage', 'DELETE', vault.id)
  item.softDeleted = { atMs: startMs, days: 14 }
  const { error } = ask('DELETE', vault.id).body
  t.match(error.message, /soft deleted state .* The registered items are : web-01\n/)
  vault.items.clear()
  const told = ask('DELETE', vault.id)
  t.same([told.status, told.body], [202, undefined])
  t.same(end(told), ['InProgress', 'Succeeded'], 'its operation outlives it')
  refused('ResourceNotFound', 'GET', vault.id, undefined, 404)
  t.equal(ask('DELETE', vault.id.replace('vault-prod', 'vault-none')).status, 204)
  const list = `/subscriptions/${subscriptionId}/providers/Microsoft.RecoveryServices/locations/eastus/deletedVaults`
  const [left] = ask('GET', list).body.value
  t.match(left, { name: /^rg-backup_/, location: 'eastus', properties: { vaultId: vault.id } })
  t.equal(ask('GET', `${list}/${left?.name}`).body.id, left?.id)

  const old = estate('2016-06-01')
  t.same([old.ask('DELETE', old.vault.id).status, old.state.vaults.size], [200, 0], 'at once by the old version')
})

t.test('soft delete is set by its configuration, and for good where it is always on', async t => {
  const { ask, vault, refused } = estate()
  const config = `${vault.id}/backupconfig/vaultconfig`
  const set = (softDeleteFeatureState: string) => ({
    properties: { softDeleteFeatureState, enhancedSecurityState: 'Enabled' },
  })
  t.match(ask('GET', config).body.properties, {
    softDeleteFeatureState: 'Enabled',
    softDeleteRetentionPeriodInDays: 14,
    isSoftDeleteFeatureStateEditable: true,
  })
  t.equal(ask('PATCH', config, set('Disabled')).body.properties.softDeleteFeatureState, 'Disabled')
  t.equal(ask('PUT', config, set('AlwaysOn')).body.properties.softDeleteFeatureState, 'AlwaysON')
  refused('BMSUserErrorDisablingSoftDeleteStateNotAllowed', 'PATCH', config, set('Disabled'))
  const old = estate('2020-10-01')
  t.notOk(
    'softDeleteRetentionPeriodInDays' in old.ask('GET', `${old.vault.id}/backupconfig/vaultconfig`).body.properties,
  )
})

t.test('redundancy is locked by the first item, and cross-region restore stays', async t => {
  const { ask, vault, refused, protect } = estate()
  const storage = `${vault.id}/backupstorageconfig/vaultstorageconfig`
  const set = (properties: Fields) => ({ properties })
  t.match(ask('PUT', storage, set({ storageModelType: 'LocallyRedundant' })).body.properties, {
    storageModelType: 'LocallyRedundant',
    storageType: 'LocallyRedundant',
    storageTypeState: 'Unlocked',
  })
  t.equal(ask('PATCH', storage, set({ storageModelType: 'GeoRedundant', crossRegionRestoreFlag: true })).status, 204)
  refused('InvalidRestApiParameter', 'PATCH', storage, set({ crossRegionRestoreFlag: false }))
  protect()
  t.match(ask('GET', storage).body.properties, { storageTypeState: 'Locked', crossRegionRestoreFlag: true })
  refused('StorageModelModifyError', 'PUT', storage, set({ storageModelType: 'ZoneRedundant' }))
})

t.test('what is in a vault is counted', async t => {
  const { ask, vault, protect, refused } = estate()
  protect()
  const counts = (url: string) =>
    new Map(
      ask('GET', `${vault.id}/${url}`).body.value.map(row => [(row.name as unknown as Fields).value, row.currentValue]),
    )
  t.equal(counts('usages').get('IaaSVMProtectedItemCount'), 1)
  for (const type of ['BackupProtectedItemCountSummary', 'BackupProtectionContainerCountSummary'])
    t.same([...counts(`backupUsageSummaries?$filter=type eq '${type}'`)].slice(0, 2), [
      ['AzureIaasVM', 1],
      ['MAB', 0],
    ])
  refused('BMSUserErrorInvalidInput', 'GET', `${vault.id}/backupUsageSummaries`)
  for (const type of ['none', '__proto__', 'constructor'])
    refused('BMSUserErrorInvalidInput', 'GET', `${vault.id}/backupUsageSummaries?$filter=type eq '${type}'`)
  t.same(ask('GET', `${vault.id}/replicationUsages`).body.value, [])
  t.equal(ask('GET', `${vault.id}/privateLinkResources`).body.value.length, 2)
  t.equal(ask('GET', `${vault.id}/privateLinkResources/backupResource`).body.properties.groupId, 'AzureBackup')
})

t.test('a name is free until a vault has it', async t => {
  const { ask } = estate()
  const check = (name: string) =>
    ask('POST', `${groupId}/providers/Microsoft.RecoveryServices/locations/eastus/checkNameAvailability`, {
      name,
      type: 'Microsoft.RecoveryServices/Vaults',
    }).body
  t.match(check('Vault-Prod'), { nameAvailable: false, reason: 'AlreadyExists' })
  t.match(check('vault-new'), { nameAvailable: true })
})

t.test('keys of their own can be set for a vault', async t => {
  const { ask, vault, refused } = estate()
  const encryption = `${vault.id}/backupEncryptionConfigs/backupResourceEncryptionConfig`
  t.equal(ask('GET', encryption).body.properties.encryptionAtRestType, 'MicrosoftManaged')
  refused('UserErrorInvalidRequestParameter', 'PUT', encryption, { properties: {} })
  const keyUri = 'https://keys.vault.azure.net/keys/backup/1'
  t.equal(ask('PUT', encryption, { properties: { keyUri } }).status, 200)
  t.match(ask('GET', encryption).body.properties, { encryptionAtRestType: 'CustomerManaged', keyUri })
})

t.test('a guarded vault wants the request of its guard', async t => {
  const { ask, vault, state, refused, pass, protect } = estate()
  const proxies = `${vault.id}/backupResourceGuardProxies`
  const proxy = `${proxies}/VaultProxy`
  t.same(ask('GET', proxies).body.value, [])
  refused('ResourceNotFound', 'GET', proxy, undefined, 404)
  t.equal(ask('DELETE', proxy).status, 204)
  ask('PUT', proxy, { properties: { resourceGuardResourceId: guard } })
  const details = ask('GET', proxy).body.properties.resourceGuardOperationDetails as Fields[]
  const request = (operation: string) =>
    details.find(({ vaultCriticalOperation }) => String(vaultCriticalOperation).endsWith(operation))
      ?.defaultResourceRequest
  t.equal(request('/protectedItems/delete'), `${guard}/deleteProtectedItemRequests/default`)
  t.equal(ask('GET', proxies).body.value.length, 1)

  const config = `${vault.id}/backupconfig/vaultconfig`
  const off = { softDeleteFeatureState: 'Disabled' }
  const missing = ask('PATCH', config, { properties: off })
  t.same(
    [missing.status, missing.body.error.message],
    [403, 'ResourceGuard Operation requestid is either null or empty'],
  )
  const named = { properties: { ...off, resourceGuardOperationRequests: [request('/backupconfig/write')] } }
  state.isGuardWithheld = true
  refused('LinkedAuthorizationFailed', 'PATCH', config, named, 403)
  state.isGuardWithheld = false
  t.equal(ask('PATCH', config, named).status, 200)

  const pin = `${vault.id}/backupSecurityPIN`
  refused('Forbidden', 'POST', pin, {}, 403)
  t.match(ask('POST', pin, { resourceGuardOperationRequests: [request('/backupSecurityPIN/action')] }).body, {
    securityPIN: /^\d{6}$/,
  })

  const unlock = (resourceToBeDeleted: string, operation: string) => ({
    resourceToBeDeleted,
    resourceGuardOperationRequests: [request(operation)],
  })
  refused('Forbidden', 'DELETE', proxy, undefined, 403)
  refused('Forbidden', 'POST', `${proxy}/unlockDelete`, unlock(proxy, '/protectedItems/delete'), 403)
  refused('BMSUserErrorInvalidInput', 'POST', `${proxy}/unlockDelete`, unlock(groupId, '/protectedItems/delete'))
  const unlocked = ask('POST', `${proxy}/unlockDelete`, unlock(proxy, '/backupResourceGuardProxies/delete'))
  t.match(unlocked.body, { unlockDeleteExpiryTime: /^2026-11-22T09:00/ })
  pass(3600)
  refused('Forbidden', 'DELETE', proxy, undefined, 403)
  const { container, name } = protect()
  const item = `${vault.id}/backupFabrics/Azure/protectionContainers/${container}/protectedItems/${name}`
  ask('POST', `${proxy}/unlockDelete`, unlock(item.replaceAll(';', '%3B'), '/protectedItems/delete'))
  t.equal(ask('DELETE', item).status, 202, 'ids are taken as they stand in paths')
  ask('POST', `${proxy}/unlockDelete`, unlock(proxy, '/backupResourceGuardProxies/delete'))
  t.equal(ask('DELETE', proxy).status, 200)
  t.equal(vault.guardId, undefined)
})

const time = '2026-01-01T22:30:00Z'
const keep = (count: number, durationType: string, more: Fields = {}): Fields => ({
  retentionTimes: [time],
  retentionDuration: { count, durationType },
  ...more,
})
const longTerm = (more: Fields): Fields => ({ retentionPolicyType: 'LongTermRetentionPolicy', ...more })
const run = (more: Fields = {}): Fields => ({
  schedulePolicyType: 'SimpleSchedulePolicy',
  scheduleRunFrequency: 'Daily',
  scheduleRunTimes: [time],
  ...more,
})
const sunday = { scheduleRunFrequency: 'Weekly', scheduleRunDays: ['Sunday'] }
const weeks = (count = 12, days = ['Sunday']) => keep(count, 'Weeks', { daysOfTheWeek: days })
const months = (more: Fields): Fields => keep(6, 'Months', { retentionScheduleFormatType: 'Weekly', ...more })
const first = (day: string): Fields => ({
  retentionScheduleWeekly: { daysOfTheWeek: [day], weeksOfTheMonth: ['First'] },
})
const monthsByDate: Fields = months({
  retentionScheduleFormatType: 'Daily',
  retentionScheduleDaily: { daysOfTheMonth: [{ date: 1, isLast: false }] },
})
const vmPolicy = (more: Fields = {}): Fields => ({
  backupManagementType: 'AzureIaasVM',
  schedulePolicy: run(),
  retentionPolicy: longTerm({ dailySchedule: keep(30, 'Days') }),
  ...more,
})
const vmV2 = (schedule: Fields, more: Fields = {}): Fields =>
  vmPolicy({ policyType: 'V2', schedulePolicy: { schedulePolicyType: 'SimpleSchedulePolicyV2', ...schedule }, ...more })
const hours = (interval: number, scheduleWindowDuration: number): Fields => ({
  scheduleRunFrequency: 'Hourly',
  hourlySchedule: { interval, scheduleWindowStartTime: '2026-01-01T08:00:00Z', scheduleWindowDuration },
})
const share = (more: Fields = {}): Fields => ({
  ...vmPolicy(more),
  backupManagementType: 'AzureStorage',
  workLoadType: 'AzureFileShare',
})
const full = (more: Fields = {}): Fields => ({
  policyType: 'Full',
  schedulePolicy: run(),
  retentionPolicy: longTerm({ dailySchedule: keep(30, 'Days') }),
  ...more,
})
const weeklyFull = (count: number): Fields =>
  full({ schedulePolicy: run(sunday), retentionPolicy: longTerm({ weeklySchedule: weeks(count) }) })
const simple = (count: number): Fields => ({
  retentionPolicyType: 'SimpleRetentionPolicy',
  retentionDuration: { count, durationType: 'Days' },
})
const log = (count = 15, scheduleFrequencyInMins = 60): Fields => ({
  policyType: 'Log',
  schedulePolicy: { schedulePolicyType: 'LogSchedulePolicy', scheduleFrequencyInMins },
  retentionPolicy: simple(count),
})
const between = (day: string, count = 30, policyType = 'Differential'): Fields => ({
  policyType,
  schedulePolicy: run({ ...sunday, scheduleRunDays: [day] }),
  retentionPolicy: simple(count),
})
const database = (subProtectionPolicy: Fields[], workLoadType = 'SQLDataBase'): Fields => ({
  backupManagementType: 'AzureWorkload',
  workLoadType,
  settings: { timeZone: 'UTC', issqlcompression: false, isCompression: false },
  subProtectionPolicy,
})

const input = 'BMSUserErrorInvalidPolicyInput'
const duration = 'BMSUserErrorPolicyRetentionInvalid'
const weekly = (more: Fields = {}): Fields =>
  vmPolicy({
    schedulePolicy: run(sunday),
    retentionPolicy: longTerm({ weeklySchedule: weeks(), ...more }),
    instantRpRetentionRangeInDays: 5,
  })

const policies: [what: string, properties: Fields, code: string | undefined][] = [
  ['of a VM, daily', vmPolicy(), undefined],
  ['of a VM, weekly, with months and years', weekly({ monthlySchedule: months(first('Sunday')) }), undefined],
  [
    'of a VM, daily, with months by date',
    vmPolicy({ retentionPolicy: longTerm({ dailySchedule: keep(7, 'Days'), monthlySchedule: monthsByDate }) }),
    undefined,
  ],
  ['of a VM, every 4 hours', vmV2(hours(4, 16), { instantRpRetentionRangeInDays: 30 }), undefined],
  ['of no kind', { schedulePolicy: run() }, 'UserErrorInvalidRequestParameter'],
  [
    'of a kind that every object has',
    vmPolicy({ backupManagementType: '__proto__' }),
    'UserErrorInvalidRequestParameter',
  ],
  [
    'of a run time at a quarter past',
    vmPolicy({ schedulePolicy: run({ scheduleRunTimes: ['2026-01-01T22:15:00Z'] }) }),
    input,
  ],
  [
    'of two run times a day',
    vmPolicy({ schedulePolicy: run({ scheduleRunTimes: [time, '2026-01-01T10:00:00Z'] }) }),
    input,
  ],
  [
    'of other retention times than run times',
    vmPolicy({ schedulePolicy: run({ scheduleRunTimes: ['2026-01-01T10:00:00Z'] }) }),
    input,
  ],
  ['daily without a daily retention', vmPolicy({ retentionPolicy: longTerm({ weeklySchedule: weeks() }) }), input],
  ['weekly with a daily retention', weekly({ dailySchedule: keep(30, 'Days') }), input],
  ['weekly, kept by other days', weekly({ weeklySchedule: weeks(12, ['Monday']) }), input],
  ['weekly, with months of other days', weekly({ monthlySchedule: months(first('Monday')) }), input],
  ['weekly, with months by date', weekly({ monthlySchedule: monthsByDate }), input],
  [
    'with years of no month',
    weekly({ yearlySchedule: keep(1, 'Years', { retentionScheduleFormatType: 'Weekly', ...first('Sunday') }) }),
    input,
  ],
  ['of days that are weeks', vmPolicy({ retentionPolicy: longTerm({ dailySchedule: keep(30, 'Weeks') }) }), input],
  ['of a VM, for 6 days', vmPolicy({ retentionPolicy: longTerm({ dailySchedule: keep(6, 'Days') }) }), duration],
  [
    'of a VM, for 10000 days',
    vmPolicy({ retentionPolicy: longTerm({ dailySchedule: keep(10_000, 'Days') }) }),
    duration,
  ],
  ['of a VM, snapshots for 6 days', vmPolicy({ instantRpRetentionRangeInDays: 6 }), duration],
  ['weekly, snapshots for 4 days', { ...weekly(), instantRpRetentionRangeInDays: 4 }, duration],
  ['of a VM, hourly by V1', vmPolicy({ schedulePolicy: run(hours(4, 16)) }), input],
  ['of a VM, V2 with the schedule of V1', vmPolicy({ policyType: 'V2' }), input],
  ['every 5 hours', vmV2(hours(5, 20)), input],
  ['of a window that is no multiple of its interval', vmV2(hours(6, 16)), input],
  ['of a share, daily', share(), undefined],
  ['of a share, for 201 days', share({ retentionPolicy: longTerm({ dailySchedule: keep(201, 'Days') }) }), duration],
  [
    'of a share, more than 200 snapshots in all',
    share({ retentionPolicy: longTerm({ dailySchedule: keep(190, 'Days'), weeklySchedule: weeks(20) }) }),
    duration,
  ],
  ['of a database, full and log', database([full(), log()]), undefined],
  ['of a database, full by weeks, differential, log', database([weeklyFull(10), between('Monday'), log()]), undefined],
  [
    'of SAP HANA, incremental',
    database([weeklyFull(10), between('Monday', 30, 'Incremental'), log()], 'SAPHanaDatabase'),
    undefined,
  ],
  ['of SQL, incremental', database([weeklyFull(10), between('Monday', 30, 'Incremental')]), input],
  ['of a database without a full', database([log()]), input],
  [
    'of both differential and incremental',
    database([weeklyFull(10), between('Monday'), between('Tuesday', 30, 'Incremental')], 'SAPHanaDatabase'),
    input,
  ],
  ['of logs every 45 minutes', database([full(), log(15, 45)]), input],
  ['of logs for 5 days', database([full(), log(5)]), duration],
  ['of a differential beside a daily full', database([full(), between('Monday'), log()]), input],
  ['of a differential on the day of the full', database([weeklyFull(10), between('Sunday'), log()]), input],
  ['of a differential for 5 days', database([weeklyFull(10), between('Monday', 5), log()]), duration],
  [
    'of a full that does not outlive its differential',
    database([weeklyFull(4), between('Monday', 30), log()]),
    duration,
  ],
]
for (const [what, properties, code] of policies)
  t.test(`a policy ${what} is ${code === undefined ? 'taken' : 'refused'}`, async t => {
    const { ask, vault } = estate()
    const { status, body } = ask('PUT', `${vault.id}/backupPolicies/new`, { properties })
    t.same([status, body.error?.code], [code === undefined ? 200 : 400, code])
    t.equal(vault.policies.has('new'), code === undefined)
  })

t.test('the policies of a new vault keep to the rules', async t => {
  const { ask, vault } = estate()
  for (const { name, properties } of defaultPolicies())
    t.equal(ask('PUT', `${vault.id}/backupPolicies/${name}`, { properties }).status, 200, name)
})

t.test('a policy is kept as Azure writes it', async t => {
  const { ask, vault } = estate('2020-10-01')
  const put = (name: string, properties: Fields) =>
    ask('PUT', `${vault.id}/backupPolicies/${name}`, { properties }).body
  const vm = put('vm', {
    ...vmPolicy({ schedulePolicy: run({ scheduleRunTimes: ['2026-01-01T22:30:00.000Z'] }) }),
    protectedItemsCount: 7,
  })
  t.match(vm, {
    id: /^\/Subscriptions\//,
    properties: {
      schedulePolicy: { scheduleRunTimes: [time] },
      instantRPDetails: {},
      instantRpRetentionRangeInDays: 2,
      timeZone: 'UTC',
      protectedItemsCount: 0,
    },
  })
  const hourly = put(
    'share',
    share({
      schedulePolicy: run({ ...hours(4, 12), scheduleRunTimes: undefined }),
      retentionPolicy: longTerm({ dailySchedule: keep(5, 'Days', { retentionTimes: null }) }),
    }),
  )
  t.notOk('workLoadType' in hourly.properties)
  t.match(hourly.properties.retentionPolicy, { dailySchedule: { retentionTimes: ['2026-01-01T20:00:00Z'] } })
  t.equal(put('sql', database([full(), log()])).properties.workLoadType, 'SQLDataBase')
})

t.test('policies are found by what they are for', async t => {
  const { ask, vault, protect, refused } = estate()
  protect()
  const names = (filter: string) =>
    ask('GET', `${vault.id}/backupPolicies?$filter=${encodeURIComponent(filter)}`).body.value.map(({ name }) => name)
  t.same(names("backupManagementType eq 'AzureIaasVM'"), ['DefaultPolicy', 'EnhancedPolicy'])
  t.same(names("backupManagementType eq 'AzureWorkload' and workloadType eq 'SQLDataBase'"), ['HourlyLogBackup'])
  t.same(names("backupManagementType eq 'AzureStorage'"), [])
  t.equal(ask('GET', `${vault.id}/backupPolicies/defaultpolicy`).body.properties.protectedItemsCount, 1)
  refused('BMSUserErrorInvalidInput', 'GET', `${vault.id}/backupPolicies?$filter=name eq 'x'`)
  refused('BMSUserErrorPolicyNotFound', 'GET', `${vault.id}/backupPolicies/none`, undefined, 404)
})

t.test('a policy that items use is changed for all of them, and not deleted', async t => {
  const { ask, vault, protect, refused, end, state } = estate()
  const item = protect()
  const policy = `${vault.id}/backupPolicies/DefaultPolicy`
  refused('BMSUserErrorPolicyObjectInUse', 'DELETE', policy)
  refused('BMSUserErrorPolicyObjectInUse', 'PUT', policy, {
    properties: vmV2({ scheduleRunFrequency: 'Daily', dailySchedule: { scheduleRunTimes: [time] } }),
  })
  refused('BMSUserErrorInvalidPolicyForGivenProvider', 'PUT', policy, { properties: share() })
  const longer = { properties: vmPolicy({ retentionPolicy: longTerm({ dailySchedule: keep(60, 'Days') }) }) }
  state.faults = [toFault({ kind: 'late_failure', times: 1 })]
  t.same(end(ask('PUT', policy, longer)), ['InProgress', 'Failed'])
  t.equal(JSON.stringify(ask('GET', policy).body).includes('"count":60'), false)

  const told = ask('PUT', policy, longer)
  t.same([told.status, told.body], [202, undefined])
  t.equal(JSON.stringify(ask('GET', policy).body).includes('"count":60'), false, 'not yet')
  t.same(end(told), ['InProgress', 'Succeeded'])
  const { properties } = ask('GET', told.headers['azure-asyncoperation'] ?? '').body
  t.match(properties, { objectType: 'OperationStatusJobsExtendedInfo' })
  const [jobId = ''] = properties.jobIds as string[]
  t.match(vault.jobs.get(jobId), { operation: 'ConfigureBackup', status: 'Completed', entityName: 'web-01' })
  t.match(ask('GET', told.headers.location ?? '').body.properties, {
    retentionPolicy: { dailySchedule: { retentionDuration: { count: 60 } } },
    protectedItemsCount: 1,
  })
  t.ok(item.plannedMs, 'its next backup is planned by the new schedule')
  item.policy = undefined
  t.equal(ask('DELETE', policy).status, 200)
  t.equal(ask('DELETE', policy).status, 204)
})

t.test('retention is lowered neither in an immutable vault nor without the guard', async t => {
  const { ask, vault, refused } = estate()
  const policy = `${vault.id}/backupPolicies/DefaultPolicy`
  const shorter = vmPolicy({ retentionPolicy: longTerm({ dailySchedule: keep(29, 'Days') }) })
  vault.immutability = 'Unlocked'
  refused('UserErrorOperationDeniedOnImmutableItem', 'PUT', policy, { properties: shorter })
  vault.immutability = 'Disabled'
  vault.guardId = guard
  refused('Forbidden', 'PUT', policy, { properties: shorter }, 403)
  const resourceGuardOperationRequests = [`${guard}/updateProtectionPolicyRequests/default`]
  const told = ask('PUT', policy, { properties: { ...shorter, resourceGuardOperationRequests } })
  t.equal(told.status, 200)
  t.notOk('resourceGuardOperationRequests' in told.body.properties)
})

t.test('what lies around the vaults is there', async t => {
  const { ask, vm, network, refused } = estate()
  const subscription = `/subscriptions/${subscriptionId}`
  const names = (url: string) => ask('GET', url).body.value.map(({ name }) => name)
  t.match(ask('GET', '/subscriptions').body.value, [{ subscriptionId, displayName: 'Contoso', state: 'Enabled' }])
  t.equal(ask('GET', subscription).body.displayName, 'Contoso')
  t.equal(ask('GET', '/tenants').body.value[0]?.tenantId, 'tenant')
  t.same(names(`${subscription}/resourcegroups`), ['rg-backup', 'rg-app', 'rg-data'])
  t.equal(ask('GET', groupId).body.name, 'rg-backup')
  refused('ResourceGroupNotFound', 'GET', `${subscription}/resourceGroups/none`, undefined, 404)
  refused('SubscriptionNotFound', 'GET', '/subscriptions/22222222-2222-4222-8222-222222222222', undefined, 404)
  t.equal(ask('GET', `${subscription}/providers/Microsoft.RecoveryServices`).body.registrationState, 'Registered')
  const rights = 'providers/Microsoft.Authorization/permissions'
  for (const scope of [subscription, groupId, `${groupId}/providers/Microsoft.RecoveryServices/vaults/vault-prod`])
    t.match(ask('GET', `${scope}/${rights}`).body.value, [{ actions: ['*'] }])

  t.same(names(`${subscription}/providers/Microsoft.Compute/virtualMachines`), ['web-01'], 'one is gone')
  t.same(names(`${groupId}/providers/Microsoft.Compute/virtualMachines`), [])
  const machine = ask('GET', vm.id).body
  t.match(machine.properties, {
    storageProfile: { osDisk: { osType: 'Windows' }, dataDisks: [{ lun: 0, diskSizeGB: 256 }] },
  })
  t.equal(ask('GET', vm.id).body.properties.vmId, machine.properties.vmId, 'an id that stays')
  t.notOk('instanceView' in machine.properties)
  const { instanceView } = ask('GET', `${vm.id}?$expand=instanceView`).body.properties
  t.match(instanceView, { vmAgent: { statuses: [{ displayStatus: 'Ready' }] } })
  refused('ResourceNotFound', 'GET', vm.id.replace('web-01', 'gone-01'), undefined, 404)

  const storage = `${subscription}/providers/Microsoft.Storage/storageAccounts`
  t.same(names(storage), ['contosofiles'])
  refused('InvalidResourceNamespace', 'GET', storage.replace('.Storage', '.ClassicStorage'), undefined, 404)
  t.same(names(`${subscription}/providers/Microsoft.Network/virtualNetworks`), ['vnet-app'])
  t.same(names(`${network.id}/subnets`), ['default'])
  t.equal(ask('GET', `${network.id}/subnets/Default`).body.id, `${network.id}/subnets/default`)
  t.same(names(`${subscription}/providers/Microsoft.RecoveryServices/vaults`), ['vault-prod'])
  t.same(names(`${subscription}/resourceGroups/rg-app/providers/Microsoft.RecoveryServices/vaults`), [])
})

const itemType = 'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems'
const queries: [query: string, data: Fields[]][] = [
  [
    "resources | where type =~ 'Microsoft.RecoveryServices/vaults' | project name, location",
    [{ name: 'vault-prod', location: 'eastus' }],
  ],
  [
    "Resources\n| where type == 'microsoft.compute/virtualmachines' and name != 'x'\n| project vm = name",
    [{ vm: 'web-01' }],
  ],
  ["resources | where type == 'Microsoft.Compute/virtualMachines'", []],
  [
    `recoveryservicesresources | where type =~ '${itemType}' | where properties.backupManagementType == 'AzureIaasVM' | project name = properties.friendlyName, properties.currentProtectionState`,
    [{ name: 'web-01', properties_currentProtectionState: 'ProtectionConfigured' }],
  ],
  [
    "recoveryservicesresources | where type =~ 'microsoft.recoveryservices/vaults/backuppolicies' | project name | limit 2",
    [{ name: 'DefaultPolicy' }, { name: 'EnhancedPolicy' }],
  ],
]
for (const [query, data] of queries)
  t.test(`Resource Graph answers ${query}`, async t => {
    const { ask, protect } = estate()
    protect()
    const { status, body } = ask('POST', '/providers/Microsoft.ResourceGraph/resources', {
      subscriptions: [subscriptionId],
      query,
    })
    t.equal(status, 200)
    t.same((body as unknown as Fields).data, data)
  })

const badQueries = [
  'resources | summarize count()',
  'resources | constructor x',
  'resources | __proto__ x',
  "resources | where name contains 'x'",
  "resources | where name == 'x' or name == 'y'",
  'secrets',
  '',
]
for (const query of badQueries)
  t.test(`Resource Graph refuses "${query}"`, async () => {
    const { refused } = estate()
    refused('InvalidQuery', 'POST', '/providers/Microsoft.ResourceGraph/resources', { query })
  })

t.test('Resource Graph gives its rows in pages', async t => {
  const { ask, refused } = estate()
  const query = 'recoveryservicesresources | project name'
  const graph = '/providers/Microsoft.ResourceGraph/resources'
  const asked = (options: Fields) => ask('POST', graph, { query, options }).body as unknown as Fields
  const first = asked({ $top: 2, resultFormat: 'objectArray' })
  t.match(first, {
    count: 2,
    totalRecords: 3,
    resultTruncated: 'true',
    data: [{ name: 'DefaultPolicy' }, { name: 'EnhancedPolicy' }],
  })
  const last = asked({ $top: 2, $skipToken: first.$skipToken })
  t.match(last, { count: 1, resultTruncated: 'false', data: [{ name: 'HourlyLogBackup' }] })
  t.notOk('$skipToken' in last)
  refused('InvalidQuery', 'POST', graph, { query, options: { resultFormat: 'table' } })
})
