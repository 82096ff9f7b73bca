/** Machines, storage accounts and networks, as their own providers show them. */
import { page } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { groupOf, inGroup, inSubscription, subscriptionOf } from './finding.ts'
import { isSame } from './odata.ts'
import { Refusal, resourceNotFound } from './refusal.ts'
import { type Disk, keyOf, type StorageAccount, type VirtualNetwork, type Vm } from './state.ts'
import type { World } from './world.ts'

/** Digits of a thing that are the same whenever they are asked for. */
const stableGuid = (world: World, id: string): string => {
  const hex = [0, 1, 2, 3]
    .map(part => Math.floor(world.chance('guid', keyOf(id), part) * 2 ** 32))
    .map(part => part.toString(16).padStart(8, '0'))
  return hex.join('').replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}

const managed = ({ subscriptionId, resourceGroup }: Vm, { name, encryptionSetId }: Disk) => ({
  id: `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/disks/${name}`,
  storageAccountType: 'Premium_LRS',
  ...(encryptionSetId === undefined ? {} : { diskEncryptionSet: { id: encryptionSetId } }),
})

const statusOf = (code: string, displayStatus: string) => ({ code, level: 'Info', displayStatus })

const instanceView = ({ name, osType, isAgentReady }: Vm) => ({
  computerName: name,
  osName: osType === 'Linux' ? 'ubuntu' : 'Windows Server 2022 Datacenter',
  vmAgent: {
    vmAgentVersion: isAgentReady ? '2.7.41491.1121' : 'Unknown',
    statuses: [
      isAgentReady
        ? statusOf('ProvisioningState/succeeded', 'Ready')
        : statusOf('ProvisioningState/Unavailable', 'Not Ready'),
    ],
  },
  statuses: [
    statusOf('ProvisioningState/succeeded', 'Provisioning succeeded'),
    statusOf('PowerState/running', 'VM running'),
  ],
})

export const toVm = (world: World, vm: Vm, isExpanded: boolean) => {
  const { id, name, location, osType, size, zones, disks } = vm
  const system = disks.find(({ lun }) => lun < 0)
  return {
    id,
    name,
    type: 'Microsoft.Compute/virtualMachines',
    location,
    ...(zones.length > 0 ? { zones } : {}),
    properties: {
      vmId: stableGuid(world, id),
      hardwareProfile: { vmSize: size },
      storageProfile: {
        ...(system
          ? {
              osDisk: {
                osType,
                name: system.name,
                createOption: 'FromImage',
                caching: 'ReadWrite',
                diskSizeGB: system.sizeGb,
                managedDisk: managed(vm, system),
              },
            }
          : {}),
        dataDisks: disks
          .filter(({ lun }) => lun >= 0)
          .map(disk => ({
            lun: disk.lun,
            name: disk.name,
            createOption: 'Attach',
            caching: 'None',
            diskSizeGB: disk.sizeGb,
            managedDisk: managed(vm, disk),
          })),
      },
      osProfile: { computerName: name, adminUsername: 'contoso' },
      provisioningState: 'Succeeded',
      ...(isExpanded ? { instanceView: instanceView(vm) } : {}),
    },
  }
}

export const toStorageAccount = ({ id, name, location }: StorageAccount) => ({
  id,
  name,
  type: 'Microsoft.Storage/storageAccounts',
  location,
  kind: 'StorageV2',
  sku: { name: 'Standard_LRS', tier: 'Standard' },
  tags: {},
  properties: {
    provisioningState: 'Succeeded',
    primaryLocation: location,
    primaryEndpoints: Object.fromEntries(
      ['blob', 'file', 'queue', 'table'].map(kind => [kind, `https://${name}.${kind}.core.windows.net/`]),
    ),
  },
})

const toSubnet = ({ id, subnets }: VirtualNetwork, subnet: string) => ({
  id: `${id}/subnets/${subnet}`,
  name: subnet,
  type: 'Microsoft.Network/virtualNetworks/subnets',
  properties: { provisioningState: 'Succeeded', addressPrefix: `10.0.${subnets.indexOf(subnet)}.0/24` },
})

export const toNetwork = (network: VirtualNetwork) => ({
  id: network.id,
  name: network.name,
  type: 'Microsoft.Network/virtualNetworks',
  location: network.location,
  properties: {
    provisioningState: 'Succeeded',
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
    subnets: network.subnets.map(subnet => toSubnet(network, subnet)),
  },
})

interface Placed {
  id: string
  subscriptionId: string
  resourceGroup: string
  name: string
}

/** Those of a subscription, or of one of its groups where the path names one. */
const inScope = <Thing extends Placed>(call: Call, things: ReadonlyMap<string, Thing>): Thing[] => {
  const { group } = call.params
  const { id } = subscriptionOf(call)
  if (group !== undefined) groupOf(call)
  return [...things.values()].filter(
    thing => isSame(thing.subscriptionId, id) && (group === undefined || isSame(thing.resourceGroup, group)),
  )
}

/** The one that a path ends with. Throws Refusal 404. */
const named = <Thing extends Placed>(call: Call, things: ReadonlyMap<string, Thing>, type: string): Thing => {
  const { name: group, subscriptionId } = groupOf(call)
  const name = call.params.name ?? ''
  const found = things.get(keyOf(`/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/${type}/${name}`))
  if (found) return found
  throw resourceNotFound(type, name, group)
}

const isExpanded = ({ query }: Call): boolean => isSame(query.get('$expand'), 'instanceView')

const listVms = (call: Call): Answer =>
  page(
    call,
    inScope(call, call.world.state.vms).filter(({ exists }) => exists),
    vm => toVm(call.world, vm, false),
  )

const vmOf = (call: Call): Vm => {
  const type = 'Microsoft.Compute/virtualMachines'
  const vm = named(call, call.world.state.vms, type)
  if (vm.exists) return vm
  throw resourceNotFound(type, vm.name, vm.resourceGroup)
}

const listStorageAccounts = (call: Call): Answer =>
  page(call, inScope(call, call.world.state.storageAccounts), toStorageAccount)

const getStorageAccount = (call: Call): Answer =>
  ok(toStorageAccount(named(call, call.world.state.storageAccounts, 'Microsoft.Storage/storageAccounts')))

const networkOf = (call: Call): VirtualNetwork =>
  named(call, call.world.state.networks, 'Microsoft.Network/virtualNetworks')

const listSubnets = (call: Call): Answer => {
  const network = networkOf(call)
  return page(call, network.subnets, subnet => toSubnet(network, subnet))
}

const getSubnet = (call: Call): Answer => {
  const network = networkOf(call)
  const subnet = network.subnets.find(each => isSame(each, call.params.subnet))
  if (subnet !== undefined) return ok(toSubnet(network, subnet))
  throw new Refusal(404, 'NotFound', `Resource ${network.id}/subnets/${call.params.subnet} not found.`)
}

/** The same list in a subscription and in a group. */
export const listed = (path: string, handle: Route['handle']): Route[] =>
  [inSubscription, inGroup].map(scope => ({ method: 'GET', path: `${scope}/providers/${path}`, handle }))
const get = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle })
const network = `${inGroup}/providers/Microsoft.Network/virtualNetworks/{name}`
const machine = `${inGroup}/providers/Microsoft.Compute/virtualMachines/{name}`

export const resourceRoutes: readonly Route[] = [
  ...listed('Microsoft.Compute/virtualMachines', listVms),
  get(machine, call => ok(toVm(call.world, vmOf(call), isExpanded(call)))),
  get(`${machine}/instanceView`, call => ok(instanceView(vmOf(call)))),
  ...listed('Microsoft.Storage/storageAccounts', listStorageAccounts),
  get(`${inGroup}/providers/Microsoft.Storage/storageAccounts/{name}`, getStorageAccount),
  ...listed('Microsoft.Network/virtualNetworks', call =>
    page(call, inScope(call, call.world.state.networks), toNetwork),
  ),
  get(network, call => ok(toNetwork(networkOf(call)))),
  get(`${network}/subnets`, listSubnets),
  get(`${network}/subnets/{subnet}`, getSubnet),
]
