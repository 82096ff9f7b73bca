/** Containers as Azure shows them (section 2.3 of the wire facts). Those of VMs follow from the items. */
import { datasources, type ManagementType, type Workload } from '../backup/datasources.ts'
import type { Fields } from '../backup/fields.ts'
import { azureTime } from './answers.ts'
import type { Call } from './call.ts'
import { isNewer, spelled } from './spelling.ts'
import { type Container, keyOf, type Vault } from './state.ts'
import { type DatabaseWorkload, holderTypes, inquiredInstances } from './workloads.ts'

/** One row, with what lists are filtered by. */
export interface ContainerRow {
  name: string
  managementType: ManagementType
  containerType: string
  friendlyName: string
  properties: Fields
}

const success = { code: 'Success', message: '', recommendations: [''] }

/** What an inquiry found of one workload. */
const inquiryOf = (call: Call, container: Container, workload: DatabaseWorkload) => {
  const instances = inquiredInstances(call.world, container).filter(each => each.workload === workload)
  const databases = instances.reduce((sum, each) => sum + each.databases.length, 0)
  const counted = { [holderTypes[workload]]: instances.length, [datasources[workload].azureWord]: databases }
  return {
    type: workload,
    itemCount: databases,
    inquiryValidation: {
      status: 'Success',
      errorDetail: success,
      additionalDetail: '',
      ...(isNewer(call) ? { protectableItemCount: counted } : {}),
    },
  }
}

const isOfDatabases = (workload: Workload): workload is DatabaseWorkload => workload in holderTypes

const kinds: Readonly<Record<Container['kind'], (call: Call, vault: Vault, container: Container) => Fields>> = {
  VMAppContainer: (call, _, container) => ({
    sourceResourceId: container.sourceId,
    lastUpdatedTime: azureTime(container.registeredMs),
    extendedInfo: {
      hostServerName: container.friendlyName,
      inquiryInfo: {
        status: 'Success',
        errorDetail: success,
        inquiryDetails: container.inquired.filter(isOfDatabases).map(each => inquiryOf(call, container, each)),
      },
    },
  }),
  StorageContainer: (_, vault, container) => ({
    sourceResourceId: container.sourceId,
    protectedItemCount: [...vault.items.keys()].filter(key => key.startsWith(`${keyOf(container.name)}/`)).length,
  }),
}

const managementTypes: Readonly<Record<Container['kind'], ManagementType>> = {
  VMAppContainer: 'AzureWorkload',
  StorageContainer: 'AzureStorage',
}

const registered = (managementType: ManagementType, type: string, friendlyName: string): Fields => ({
  friendlyName,
  backupManagementType: managementType,
  registrationStatus: 'Registered',
  healthStatus: 'Healthy',
  containerType: type,
  protectableObjectType: type,
})

export const rowOf = (call: Call, vault: Vault, container: Container): ContainerRow => {
  const { name, kind, friendlyName } = container
  const managementType = managementTypes[kind]
  const properties = {
    ...kinds[kind](call, vault, container),
    ...registered(managementType, kind, friendlyName),
  }
  return { name, managementType, containerType: kind, friendlyName, properties }
}

const vmType = 'Microsoft.Compute/virtualMachines'

/** The containers of the vault's VMs: of the soft-deleted ones too, whose names are lower case but for their type. */
const vmRows = (vault: Vault): ContainerRow[] =>
  [...vault.items.values()]
    .filter(({ workload }) => workload === 'VM')
    .map(({ container, friendlyName, sourceId }) => {
      const [type = '', ...inner] = container.split(';')
      return {
        name: [type, ...inner.map(part => part.toLowerCase())].join(';'),
        managementType: 'AzureIaasVM',
        containerType: 'IaasVMContainer',
        friendlyName,
        properties: {
          virtualMachineId: sourceId,
          virtualMachineVersion: 'Compute',
          resourceGroup: sourceId.split('/')[4],
          ...registered('AzureIaasVM', vmType, friendlyName),
        },
      }
    })

export const containerRows = (call: Call, vault: Vault): ContainerRow[] => [
  ...vmRows(vault),
  ...[...vault.containers.values()].map(container => rowOf(call, vault, container)),
]

export const containerIdOf = (vault: Vault, name: string): string =>
  `${vault.id}/backupFabrics/Azure/protectionContainers/${name}`

/** A container as a resource. What comes of an operation lacks its type. */
export const containerResource = (call: Call, vault: Vault, { name, properties }: ContainerRow) => ({
  id: spelled(call, containerIdOf(vault, name)),
  name,
  type: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers',
  properties,
})
