/** The state that a simulated Azure has in the beginning, from an estate. */
import { type Fields, fields } from '../backup/fields.ts'
import type { Seed, SeedVault } from '../generated/seed.ts'
import { createVirtualClock } from './clock.ts'
import { toFault } from './control.ts'
import { createPasts, dayMs, momentMs } from './estate-history.ts'
import { accountOf, addItems, type Names, vmOf } from './estate-items.ts'
import { byName, meant, placesOf, subscriptionIdOf } from './estate-names.ts'
import { propertiesOf } from './estate-policies.ts'
import { withGenerated } from './generator.ts'
import { addGroup, addNetwork, addStorageAccount, addSubscription, addVault, addVm, blankState } from './making.ts'
import { storageContainerName, vmContainerName } from './sources.ts'
import { type Container, type DefaultVault, keyOf, type State, type Vault, type Vm } from './state.ts'
import { createWorld, type World } from './world.ts'

/** An estate as schemas/seed.json defines it, whose names all mean something. */
export type Estate = Seed

const tenant = '99999999-9999-4999-8999-999999999999'
const token = 'simulated-azure-token'
/** A vault's age where its seed says none. */
const vaultAgeMs = 730 * dayMs

type Known<Given> = { [Name in keyof Given]: Exclude<Given[Name], undefined> }

/** Without what is undefined, so that defaults stay. */
const known = <Given extends object>(given: Given): Known<Given> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Known<Given>

type Where = { subscription?: string; resource_group: string; name: string; location: string }

const whereOf = (estate: Estate, { subscription, resource_group: resourceGroup, name, location }: Where) => ({
  subscriptionId: subscriptionIdOf(fields(estate), subscription) ?? '',
  resourceGroup,
  name,
  location,
})

const addResources = (state: State, estate: Estate): void => {
  for (const { id, name } of estate.subscriptions) addSubscription(state, id, name)
  for (const { subscription, name, location } of estate.resource_groups ?? [])
    addGroup(state, subscriptionIdOf(fields(estate), subscription) ?? '', name, location)
  for (const row of estate.virtual_machines ?? []) {
    const { os: osType, size, zones, disks, instances, exists, agent_ready: isAgentReady } = row
    addVm(state, {
      ...whereOf(estate, row),
      ...known({ osType, size, zones, exists, isAgentReady }),
      ...(disks && { disks: disks.map(({ lun, name, size_gb: sizeGb }) => ({ lun, name, sizeGb })) }),
      ...(instances && { instances: instances.map(instanceOf) }),
    })
  }
  for (const row of estate.storage_accounts ?? [])
    addStorageAccount(state, {
      ...whereOf(estate, row),
      shares: (row.shares ?? []).map(({ name, files = [] }) => ({ name, files })),
    })
  for (const row of estate.virtual_networks ?? [])
    addNetwork(state, { ...whereOf(estate, row), subnets: row.subnets ?? [] })
}

const paths = {
  SQL: () => ['F:\\data\\', 'G:\\log\\'],
  SAPHana: (sid: string) => [`/hana/data/${sid}`, `/hana/log/${sid}`],
  SAPAse: (sid: string) => [`/sybase/${sid}/sapdata_1`, `/sybase/${sid}/saplog_1`],
} as const

type SeedInstance = NonNullable<NonNullable<Seed['virtual_machines']>[number]['instances']>[number]

const instanceOf = ({ workload, name, databases = [], data_path, log_path }: SeedInstance): Vm['instances'][number] => {
  const [dataPath = '', logPath = ''] = paths[workload](name)
  return { workload, name, databases, dataPath: data_path ?? dataPath, logPath: log_path ?? logPath }
}

const containersOf = (state: State, names: Names, vault: Vault, { containers = [] }: SeedVault): Container[] =>
  containers.flatMap(({ vm: vmRef, storage_account: accountRef, registered, inquired }): Container[] => {
    const registeredMs = registered === undefined ? vault.createdMs : momentMs(registered, state.nowMs)
    const vm = vmRef === undefined ? undefined : vmOf(state, names, vault, vmRef)
    if (vm) {
      const found = [...new Set(vm.instances.map(({ workload }) => workload))]
      const common = { name: vmContainerName(vm), friendlyName: vm.name, sourceId: vm.id }
      return [{ ...common, kind: 'VMAppContainer', registeredMs, inquired: inquired ?? found }]
    }
    const account = accountOf(state, names, vault, accountRef)
    if (!account) return []
    const common = { name: storageContainerName(account), friendlyName: account.name, sourceId: account.id }
    return [{ ...common, kind: 'StorageContainer', registeredMs, inquired: inquired ?? ['AzureFileShare'] }]
  })

const discoveredIn = (state: State, names: Names, vault: Vault, refs: SeedVault['discovered']): string[] => {
  if (refs) return refs.flatMap(ref => vmOf(state, names, vault, ref)?.id ?? []).map(id => keyOf(id))
  return [...state.vms]
    .filter(([, { subscriptionId, location, exists }]) => {
      return exists && subscriptionId === vault.subscriptionId && location === vault.location
    })
    .map(([key]) => key)
}

const addVaultOf = (
  world: World,
  estate: Estate,
  names: Names,
  pastOf: ReturnType<typeof createPasts>,
  row: SeedVault,
): void => {
  const { state } = world
  const { tags, identity, sku, redundancy, immutability, guard: guardId, created } = row
  const vault = addVault(state, {
    ...whereOf(estate, row),
    createdMs: created === undefined ? state.nowMs - vaultAgeMs : momentMs(created, state.nowMs),
    ...known({
      identity,
      sku,
      redundancy,
      immutability,
      guardId,
      crossRegionRestore: row.cross_region_restore,
      publicNetworkAccess: row.public_network_access,
      crossSubscriptionRestore: row.cross_subscription_restore,
    }),
    ...(tags && { tags: Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, value ?? ''])) }),
    ...(row.soft_delete && { softDelete: { state: row.soft_delete.state, days: row.soft_delete.days ?? 14 } }),
  })
  for (const policy of row.policies ?? [])
    vault.policies.set(keyOf(policy.name), { name: policy.name, properties: propertiesOf(policy) })
  for (const key of discoveredIn(state, names, vault, row.discovered)) vault.discovered.add(key)
  for (const container of containersOf(state, names, vault, row)) vault.containers.set(keyOf(container.name), container)
  for (const { name, properties } of row.intents ?? []) vault.intents.set(keyOf(name), { name, properties })
  addItems(world, names, pastOf, vault, row)
}

/** The vault that callers mean who name none. */
const defaultVaultOf = (estate: Estate): DefaultVault => {
  const places = placesOf(withGenerated(estate) as unknown as Fields, 'vaults')
  const [first] = places
  const ref = estate.default_vault
  const found = ref === undefined ? first : meant(byName(places), ref, first?.subscriptionId)[0]
  if (!found) throw new Error('the estate has no vault')
  return { subscription_id: found.subscriptionId, resource_group: found.group, vault_name: found.name }
}

/** The state of an estate at its start: `startMs`, unless it says another. The same estate and start make the same state. */
export const stateOf = (estate: Estate, startMs: number): State => {
  const whole = withGenerated(estate)
  const { seed = 1, start, tenant_id = tenant, tokens = [token] } = estate
  const nowMs = start === undefined ? startMs : Date.parse(start)
  const state = blankState(seed, nowMs, tenant_id, tokens)
  const world = createWorld(
    state,
    createVirtualClock(nowMs, 0, () => 0),
    {},
  )
  addResources(state, whole)
  const names = {
    vms: byName(placesOf(fields(whole), 'virtual_machines')),
    accounts: byName(placesOf(fields(whole), 'storage_accounts')),
  }
  const pastOf = createPasts(nowMs)
  for (const vault of whole.vaults ?? []) addVaultOf(world, whole, names, pastOf, vault)
  if (estate.token_keys) state.tokenKeys = estate.token_keys.map(({ kty, n, e, kid }) => ({ kty, n, e, kid }))
  state.faults = (estate.faults ?? []).map(toFault)
  state.isGuardWithheld = estate.guard_rights_withheld ?? false
  state.defaultVault = defaultVaultOf(estate)
  return state
}
