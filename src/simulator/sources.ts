/** Databases and shares as items (names: section 3 of the wire facts). */
import { createHash } from 'node:crypto'
import { datasources } from '../backup/datasources.ts'
import { newItem } from './making.ts'
import { type DatabaseInstance, type Item, keyOf, type StorageAccount, type Vm } from './state.ts'

export const vmContainerName = ({ resourceGroup, name }: Vm): string =>
  `VMAppContainer;Compute;${resourceGroup};${name}`
export const storageContainerName = ({ resourceGroup, name }: StorageAccount): string =>
  `StorageContainer;Storage;${resourceGroup};${name}`
/** 64 hex digits that tell nothing. */
export const shareItemName = (account: StorageAccount, share: string): string =>
  `AzureFileShare;${createHash('sha256').update(keyOf(account.id, share)).digest('hex')}`

/** Ids of items spell their container in lower case behind its type. */
const insideItems = (container: string): string => {
  const at = container.indexOf(';')
  return container.slice(0, at) + container.slice(at).toLowerCase()
}

/** Of a database in a registered VM, protected under a policy and not backed up yet. */
export const databaseItemOf = (
  vm: Vm,
  { workload, name: instance }: DatabaseInstance,
  database: string,
  policy: string,
  dataId: string,
): Item => {
  const names = {
    container: insideItems(vmContainerName(vm)),
    name: `${datasources[workload].azureWord};${keyOf(instance)};${keyOf(database)}`,
  }
  const item = newItem({ ...names, workload, friendlyName: database, sourceId: vm.id }, policy, dataId)
  return { ...item, serverName: vm.name, parentName: instance }
}

/** Of a share in a registered storage account, protected under a policy and not backed up yet. */
export const shareItemOf = (account: StorageAccount, share: string, policy: string, dataId: string): Item => {
  const names = { container: insideItems(storageContainerName(account)), name: shareItemName(account, share) }
  return newItem({ ...names, workload: 'AzureFileShare', friendlyName: share, sourceId: account.id }, policy, dataId)
}
