/** New things as Azure makes them: an empty world, a vault with its default policies, a machine. */
import type { Fields } from '../backup/fields.ts'
import { vaultIdOf } from './finding.ts'
import {
  type Item,
  keyOf,
  type Policy,
  type State,
  type StorageAccount,
  type Vault,
  type VirtualNetwork,
  type Vm,
} from './state.ts'

/** Nothing but a tenant and the tokens that are let in. */
export const blankState = (seed: number, startMs: number, tenantId: string, tokens: string[]): State => ({
  seed,
  idsMade: 0,
  pointsMade: 0,
  duesMade: 0,
  nowMs: startMs,
  tenantId,
  tokens,
  defaultVault: undefined,
  subscriptions: new Map(),
  groups: new Map(),
  vms: new Map(),
  storageAccounts: new Map(),
  networks: new Map(),
  vaults: new Map(),
  deletedVaults: [],
  due: [],
  faults: [],
  requests: new Map(),
  isGuardWithheld: false,
})

export const addSubscription = ({ subscriptions }: State, id: string, name: string): void =>
  void subscriptions.set(keyOf(id), { id, name })

/** The group of a subscription, made where it is not there yet. */
export const addGroup = ({ groups }: State, subscriptionId: string, name: string, location: string): void => {
  const key = keyOf(subscriptionId, name)
  if (!groups.has(key)) groups.set(key, { subscriptionId, name, location })
}

type Needed<Whole, Name extends keyof Whole> = Partial<Whole> & Pick<Whole, Name>

export const addVm = (
  state: State,
  given: Needed<Vm, 'subscriptionId' | 'resourceGroup' | 'name' | 'location'>,
): Vm => {
  const { subscriptionId, resourceGroup, name, location } = given
  const vm: Vm = {
    id: `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/virtualMachines/${name}`,
    osType: 'Windows',
    size: 'Standard_D2s_v5',
    zones: [],
    disks: [{ lun: -1, name: `${name}_OsDisk`, sizeGb: 127 }],
    instances: [],
    exists: true,
    isAgentReady: true,
    ...given,
  }
  addGroup(state, subscriptionId, resourceGroup, location)
  state.vms.set(keyOf(vm.id), vm)
  return vm
}

export const addStorageAccount = (
  state: State,
  given: Needed<StorageAccount, 'subscriptionId' | 'resourceGroup' | 'name' | 'location'>,
): StorageAccount => {
  const { subscriptionId, resourceGroup, name, location } = given
  const account: StorageAccount = {
    id: `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Storage/storageAccounts/${name}`,
    shares: [],
    ...given,
  }
  addGroup(state, subscriptionId, resourceGroup, location)
  state.storageAccounts.set(keyOf(account.id), account)
  return account
}

export const addNetwork = (
  state: State,
  given: Needed<VirtualNetwork, 'subscriptionId' | 'resourceGroup' | 'name' | 'location'>,
): VirtualNetwork => {
  const { subscriptionId, resourceGroup, name, location } = given
  const network: VirtualNetwork = {
    id: `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Network/virtualNetworks/${name}`,
    subnets: [],
    ...given,
  }
  addGroup(state, subscriptionId, resourceGroup, location)
  state.networks.set(keyOf(network.id), network)
  return network
}

const longTerm = (time: string, days: number): Fields => ({
  retentionPolicyType: 'LongTermRetentionPolicy',
  dailySchedule: { retentionTimes: [time], retentionDuration: { count: days, durationType: 'Days' } },
})

/** A schedule's times are dates of which the clock part counts. */
const dated = (clock: string): string => `2026-01-01T${clock}:00Z`

/** What a new vault has: one for VMs, the enhanced one, one for SQL (section 5 of the wire facts). */
export const defaultPolicies = (): Policy[] => {
  const night = dated('22:30')
  return [
    {
      name: 'DefaultPolicy',
      properties: {
        backupManagementType: 'AzureIaasVM',
        instantRPDetails: {},
        schedulePolicy: {
          schedulePolicyType: 'SimpleSchedulePolicy',
          scheduleRunFrequency: 'Daily',
          scheduleRunTimes: [night],
          scheduleWeeklyFrequency: 0,
        },
        retentionPolicy: longTerm(night, 30),
        instantRpRetentionRangeInDays: 2,
        timeZone: 'UTC',
      },
    },
    {
      name: 'EnhancedPolicy',
      properties: {
        backupManagementType: 'AzureIaasVM',
        policyType: 'V2',
        instantRPDetails: {},
        schedulePolicy: {
          schedulePolicyType: 'SimpleSchedulePolicyV2',
          scheduleRunFrequency: 'Daily',
          dailySchedule: { scheduleRunTimes: [night] },
        },
        retentionPolicy: longTerm(night, 30),
        instantRpRetentionRangeInDays: 7,
        timeZone: 'UTC',
      },
    },
    {
      name: 'HourlyLogBackup',
      properties: {
        backupManagementType: 'AzureWorkload',
        workLoadType: 'SQLDataBase',
        settings: { timeZone: 'UTC', issqlcompression: false, isCompression: false },
        subProtectionPolicy: [
          {
            policyType: 'Full',
            schedulePolicy: {
              schedulePolicyType: 'SimpleSchedulePolicy',
              scheduleRunFrequency: 'Daily',
              scheduleRunTimes: [night],
              scheduleWeeklyFrequency: 0,
            },
            retentionPolicy: longTerm(night, 30),
          },
          {
            policyType: 'Log',
            schedulePolicy: { schedulePolicyType: 'LogSchedulePolicy', scheduleFrequencyInMins: 60 },
            retentionPolicy: {
              retentionPolicyType: 'SimpleRetentionPolicy',
              retentionDuration: { count: 30, durationType: 'Days' },
            },
          },
        ],
      },
    },
  ]
}

/** A weak tag that holds the moment of the last write. */
export const etagAt = (atMs: number): string => `W/"datetime'${encodeURIComponent(new Date(atMs).toISOString())}'"`

type VaultGiven = Needed<Vault, 'subscriptionId' | 'resourceGroup' | 'name' | 'location'>

/** A vault that is not in the state yet. */
export const newVault = (state: State, given: VaultGiven): Vault => {
  const { subscriptionId, resourceGroup, name } = given
  return {
    id: vaultIdOf(subscriptionId, resourceGroup, name),
    createdMs: state.nowMs,
    readyMs: state.nowMs,
    etag: etagAt(state.nowMs),
    tags: undefined,
    identity: undefined,
    sku: 'Standard',
    redundancy: 'GeoRedundant',
    crossRegionRestore: false,
    softDelete: { state: 'Enabled', days: 14 },
    enhancedSecurity: 'Enabled',
    immutability: 'Disabled',
    publicNetworkAccess: 'Enabled',
    crossSubscriptionRestore: 'Enabled',
    settings: {},
    guardId: undefined,
    unlocked: new Map(),
    policies: new Map(defaultPolicies().map(policy => [keyOf(policy.name), policy])),
    discovered: new Set(),
    containers: new Map(),
    items: new Map(),
    jobs: new Map(),
    operations: new Map(),
    intents: new Map(),
    ...given,
  }
}

export const addVault = (state: State, given: VaultGiven): Vault => {
  const vault = newVault(state, given)
  addGroup(state, vault.subscriptionId, vault.resourceGroup, vault.location)
  state.vaults.set(keyOf(vault.id), vault)
  return vault
}

type ItemNames = Pick<Item, 'container' | 'name' | 'workload' | 'friendlyName' | 'sourceId'>

/** An item that is not backed up yet. */
export const newItem = (names: ItemNames, policy: string, dataId: string): Item => ({
  ...names,
  serverName: undefined,
  parentName: undefined,
  dataId,
  policy: keyOf(policy),
  state: 'IRPending',
  softDeleted: undefined,
  diskExclusion: undefined,
  lastBackup: undefined,
  points: [],
  logs: [],
  mounted: undefined,
})

/** The item of a VM, protected under a policy and not backed up yet. */
export const vmItemOf = ({ id, resourceGroup, name }: Vm, policy: string, dataId: string): Item => {
  const inner = `iaasvmcontainerv2;${resourceGroup.toLowerCase()};${name}`
  const names = { container: `IaasVMContainer;${inner}`, name: `VM;${inner}` }
  return newItem({ ...names, workload: 'VM', friendlyName: name, sourceId: id }, policy, dataId)
}

export const addItem = ({ items }: Vault, item: Item): Item => {
  items.set(keyOf(item.container, item.name), item)
  return item
}
