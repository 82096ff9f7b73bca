/** What could be protected: VMs that discovery found, databases and shares of registered containers (section 4.1). */
import { datasources, type ManagementType } from '../backup/datasources.ts'
import type { Fields } from '../backup/fields.ts'
import { page } from './answers.ts'
import type { Answer, Call, Route } from './call.ts'
import { containerIdOf } from './container-rows.ts'
import { inVault, vaultOf } from './finding.ts'
import { intentOfInstance } from './intents.ts'
import { vmItemOf } from './making.ts'
import { filterTerms, isSame } from './odata.ts'
import { shareItemName } from './sources.ts'
import { isNewer, spelled } from './spelling.ts'
import { type Container, type DatabaseInstance, keyOf, type Vault } from './state.ts'
import { checkWord, itemTypeWords, managementWords } from './words.ts'
import { databaseKey, holderTypes, inquiredInstances, isInReach } from './workloads.ts'
import type { World } from './world.ts'

/** One row, with what lists are filtered by. */
interface ProtectableRow {
  container: string
  /** Last segment of the id. */
  itemName: string
  /** Of a VM without its type. */
  name: string
  managementType: ManagementType
  workloadWord: string
  friendlyName: string
  properties: Fields
}

/** Keys of the VMs that some vault protects or keeps soft-deleted. */
const protectedVms = ({ state }: World): ReadonlySet<string> =>
  new Set(
    [...state.vaults.values()].flatMap(({ items }) =>
      [...items.values()].filter(({ workload }) => workload === 'VM').map(({ sourceId }) => keyOf(sourceId)),
    ),
  )

const notProtected = { protectionState: 'NotProtected' }

const vmRows = ({ world }: Call, vault: Vault): ProtectableRow[] => {
  const isProtected = protectedVms(world)
  return [...world.state.vms.values()]
    .filter(vm => vm.exists && vault.discovered.has(keyOf(vm.id)) && isInReach(vault, vm))
    .filter(vm => !isProtected.has(keyOf(vm.id)))
    .map(vm => {
      const { container, name: itemName } = vmItemOf(vm, '', '')
      return {
        container: container.toLowerCase().replace(/^[^;]*/, 'IaasVMContainer'),
        itemName: itemName.toLowerCase(),
        name: itemName.toLowerCase().replace(/^vm;/, ''),
        managementType: 'AzureIaasVM',
        workloadWord: 'VM',
        friendlyName: vm.name,
        properties: {
          virtualMachineId: vm.id,
          virtualMachineVersion: 'Compute',
          resourceGroup: vm.resourceGroup,
          backupManagementType: 'AzureIaasVM',
          protectableItemType: 'Microsoft.Compute/virtualMachines',
          friendlyName: vm.name,
          ...notProtected,
        },
      }
    })
}

const instanceRows = (vault: Vault, container: Container, instance: DatabaseInstance): ProtectableRow[] => {
  const { workload, name, databases } = instance
  const isSql = workload === 'SQL'
  const left = databases.filter(database => !vault.items.has(databaseKey(container, instance, database)))
  const row = (type: string, names: string[], friendlyName: string, properties: Fields): ProtectableRow => {
    const itemName = [type, ...names].join(';').toLowerCase()
    return {
      container: container.name.toLowerCase(),
      itemName,
      name: itemName,
      managementType: 'AzureWorkload',
      workloadWord: datasources[workload].azureWord,
      friendlyName,
      properties: {
        parentName: name,
        serverName: container.friendlyName,
        ...properties,
        backupManagementType: 'AzureWorkload',
        workloadType: workload,
        protectableItemType: type,
        friendlyName,
        ...notProtected,
      },
    }
  }
  return [
    row(holderTypes[workload], [name], name, {
      isAutoProtectable: isSql,
      isAutoProtected: intentOfInstance(vault, container.name, name) !== undefined,
      subinquireditemcount: databases.length,
      subprotectableitemcount: isSql ? left.length : 0,
      prebackupvalidation: { status: 'Success', code: 'Success' },
      IsProtectable: false,
    }),
    ...left.map(database =>
      row(datasources[workload].azureWord, [name, database], database, {
        isAutoProtectable: false,
        isAutoProtected: false,
        subinquireditemcount: 0,
        subprotectableitemcount: 0,
        IsProtectable: true,
      }),
    ),
  ]
}

/** Databases of SAP ASE have no type until 2023. */
const databaseRows = (call: Call, vault: Vault): ProtectableRow[] =>
  [...vault.containers.values()]
    .flatMap(container =>
      inquiredInstances(call.world, container).flatMap(instance => instanceRows(vault, container, instance)),
    )
    .filter(({ properties }) => isNewer(call) || properties.protectableItemType !== 'SAPAseDatabase')

const shareRows = ({ world }: Call, vault: Vault): ProtectableRow[] =>
  [...vault.containers.values()]
    .filter(({ kind, inquired }) => kind === 'StorageContainer' && inquired.includes('AzureFileShare'))
    .flatMap(({ name: container, sourceId }) => {
      const account = world.state.storageAccounts.get(keyOf(sourceId))
      const isProtected = (share: string) =>
        [...vault.items.values()].some(item => isSame(item.sourceId, sourceId) && isSame(item.friendlyName, share))
      return (account?.shares ?? [])
        .filter(({ name }) => account && !isProtected(name))
        .map(({ name: share }): ProtectableRow => {
          const itemName = account ? shareItemName(account, share).toLowerCase() : ''
          return {
            container: container.toLowerCase(),
            itemName,
            name: itemName,
            managementType: 'AzureStorage',
            workloadWord: 'AzureFileShare',
            friendlyName: share,
            properties: {
              parentContainerFabricId: sourceId,
              parentContainerFriendlyName: account?.name,
              azureFileShareType: 'XSMB',
              backupManagementType: 'AzureStorage',
              workloadType: 'AzureFileShare',
              protectableItemType: 'AzureFileShare',
              friendlyName: share,
              ...notProtected,
            },
          }
        })
    })

const sources: readonly [ManagementType, (call: Call, vault: Vault) => ProtectableRow[]][] = [
  ['AzureIaasVM', vmRows],
  ['AzureWorkload', databaseRows],
  ['AzureStorage', shareRows],
]

const listProtectable = (call: Call): Answer => {
  const vault = vaultOf(call)
  const keys = ['backupManagementType', 'workloadType', 'containerName', 'status', 'friendlyName']
  const terms = filterTerms(call.query, keys)
  const type = terms.get('backupmanagementtype')
  checkWord(type, managementWords)
  checkWord(terms.get('workloadtype'), itemTypeWords)
  const isAsked = (name: string, value: string): boolean => {
    const asked = terms.get(name.toLowerCase())
    return asked === undefined || isSame(asked, value)
  }
  const rows = sources
    .filter(([managementType]) => type === undefined || isSame(type, managementType))
    .flatMap(([, rowsOf]) => rowsOf(call, vault))
    .filter(
      row =>
        isAsked('workloadType', row.workloadWord) &&
        isAsked('containerName', row.container) &&
        isAsked('friendlyName', row.friendlyName) &&
        isAsked('status', notProtected.protectionState),
    )
  return page(call, rows, ({ container, itemName, name, properties }) => ({
    id: spelled(call, `${containerIdOf(vault, container)}/protectableItems/${itemName}`),
    name,
    type: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectableItems',
    properties,
  }))
}

export const protectableRoutes: readonly Route[] = [
  { method: 'GET', path: `${inVault}/backupProtectableItems`, handle: listProtectable },
]
