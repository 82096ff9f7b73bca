/**
 * What could be protected from a vault. Azure lists it by workload, so several workloads are several lists, one after
 * the other; each row is in the list of its own workload only.
 */
import type { ListProtectableItemsInput, ListProtectableItemsOutput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import { containsText, sameText, type VaultRef } from './arm-ids.ts'
import { datasources, managementTypeOf, type Workload } from './datasources.ts'
import { type Fault, faultOf } from './faults.ts'
import { enumWord, type Fields, fields, flag, inAnyCase, list, text, whole, word } from './fields.ts'
import { filterOf } from './filters.ts'
import { type ItemNames, isHeldBy, namesOf, sourceIdOf } from './items.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { checkVault, withVault } from './vault-names.ts'
import { protectionWords } from './workload-items.ts'

type ItemRow = ListProtectableItemsOutput['protectable_items'][number]

/** In the order in which they are listed where none is asked for. */
const workloads: readonly Workload[] = ['VM', 'SQL', 'SAPHana', 'SAPAse', 'AzureFileShare']

/** The filters that Azure's own clients send: VMs have no workload in theirs. */
const filterFor = (workload: Workload): { $filter?: string } => {
  const { managementType, azureWord } = datasources[workload]
  return filterOf({
    backupManagementType: managementType,
    workloadType: workload === 'VM' ? undefined : azureWord,
  })
}

const isWell = /^(1|success|succeeded|in_?progress)$/i

/** A fault of `{status, code, message}`: why Azure finds that it could not back up, or could not look at a node. */
const checkFault = (status: string | null, detail: Fields): Fault | null => {
  const code = word(detail.code)
  // The first word of the enum, 0, says nothing.
  const told = status !== null && /^(0|invalid)$/i.test(status) ? code : (status ?? code)
  if (told === null || isWell.test(told)) return null
  return faultOf(code ?? told, null, text(detail.message), detail.recommendations)
}

const preCheckFault = (properties: Fields): Fault | null => {
  const check = fields(inAnyCase(properties, 'prebackupvalidation'))
  return checkFault(word(check.status), check)
}

/** The nodes of an availability group or of a system that is replicated. */
const nodesOf = (properties: Fields): ItemRow['nodes'] =>
  Array.isArray(properties.nodesList)
    ? list(properties.nodesList).map(node => ({
        node_name: text(node.nodeName),
        status: word(node.status),
        source_id: text(node.sourceResourceId),
        error: checkFault(word(node.status), fields(node.errorDetail)),
      }))
    : null

const toItemRow = (raw: unknown, vault: VaultRef): { row: ItemRow; names: ItemNames } => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const id = text(body.id) ?? ''
  const names = namesOf(id, properties)
  const told = text(properties.backupManagementType)
  const managementType = workloads
    .map(workload => datasources[workload].managementType)
    .find(each => sameText(each, told)) // `AzureWorkLoad` occurs
  const row: ItemRow = {
    id,
    friendly_name: names.friendlyName,
    vault_name: vault.vaultName,
    workload_type: names.workload ?? text(properties.workloadType),
    item_type: text(properties.protectableItemType),
    backup_management_type: managementType ?? told,
    protection_state: enumWord(properties.protectionState, protectionWords),
    resource_group: names.resourceGroup ?? text(properties.resourceGroup),
    vm_name: names.vmName,
    server_name: text(properties.serverName),
    instance_name: names.instanceName,
    database_name: names.databaseName,
    storage_account: names.storageAccount ?? text(properties.parentContainerFriendlyName),
    source_id: sourceIdOf(properties),
    is_protectable: flag(inAnyCase(properties, 'isProtectable')),
    is_auto_protectable: flag(inAnyCase(properties, 'isAutoProtectable')),
    is_auto_protected: flag(inAnyCase(properties, 'isAutoProtected')),
    item_count: whole(inAnyCase(properties, 'subprotectableitemcount')),
    nodes: nodesOf(properties),
    error: preCheckFault(properties),
  }
  return { row, names }
}

/** The workloads that two arguments together ask for. Throws InputError where they contradict each other. */
const workloadsOf = (input: ListProtectableItemsInput): readonly Workload[] => {
  const managementType = managementTypeOf(input)
  if (input.workload_type) return [input.workload_type]
  return workloads.filter(each => !managementType || datasources[each].managementType === managementType)
}

/**
 * The one list, of those asked for, that a row belongs in. A row whose words nobody knows is in the first of its
 * management type; where nothing in particular was asked for, it is there at least.
 */
const listOf = (row: ItemRow, names: ItemNames, asked: readonly Workload[]): Workload | undefined => {
  if (names.workload) return names.workload
  const ofType = asked.find(each => datasources[each].managementType === row.backup_management_type)
  return ofType ?? (asked.length === workloads.length ? asked[0] : undefined)
}

const listProtectableItems: Handlers['list_protectable_items'] = async (input, context) => {
  checkAll(
    () => checkCursor('list_protectable_items', input),
    () => checkVault(input.vault, context),
    () => workloadsOf(input),
  )
  const asked = workloadsOf(input)
  const { server, name_contains: part } = input
  return withVault(input.vault, context, async vault => {
    const sources = asked.map(
      (workload): Source => ({
        key: workload,
        pages: options => context.arm.pages(`${vault.id}/backupProtectableItems`, filterFor(workload), options),
      }),
    )
    const listed = await listRows('list_protectable_items', input, sources, (raw, workload) => {
      const { row, names } = toItemRow(raw, vault)
      // Azure filters by it too. A recording cannot: it answers with the nearest list that it has.
      const isMeant =
        listOf(row, names, asked) === workload &&
        (server === undefined || isHeldBy(server, names)) &&
        (part === undefined || containsText(row.friendly_name, part))
      return isMeant ? row : undefined
    })
    return answerOf('protectable_items', listed)
  })
}

export const protectableItems = { list_protectable_items: listProtectableItems } satisfies Partial<Handlers>
