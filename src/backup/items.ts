/**
 * Protected items: the names they go by, and finding the one that a caller means.
 *
 * A thing's names go from the outer to the inner: a VM is group, vm; a database group, vm, instance, database; a share
 * group, account, share. They come from the item's id and source, whose names follow rules (section 3 of the wire facts).
 */
import type { Config } from '../config/types.ts'
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import { isGuid, isName, lastName, parseArmId, sameText, type VaultRef, vaultOf } from './arm-ids.ts'
import { datasources, type Workload, workloadOf } from './datasources.ts'
import { type Fields, fields, list, text } from './fields.ts'
import { filterOf } from './filters.ts'

export interface ItemNames {
  workload: Workload | undefined
  resourceGroup: string | null
  /** The VM, or the server as the guest calls it where no VM is known. */
  vmName: string | null
  instanceName: string | null
  databaseName: string | null
  storageAccount: string | null
  /** Plain name: VM, database or share. */
  friendlyName: string
}

/** Names of an item from its id and its `properties`, which may be empty where only the id is at hand. */
export const namesOf = (id: string, properties: Fields): ItemNames => {
  const ids = parseArmId(id)?.names
  const container = (ids?.get('protectioncontainers') ?? '').split(';')
  const item = (ids?.get('protecteditems') ?? ids?.get('protectableitems') ?? '').split(';')
  const source = parseArmId(text(properties.virtualMachineId) ?? text(properties.sourceResourceId) ?? '')?.names
  const workload =
    workloadOf(text(properties.protectedItemType)) ??
    workloadOf(text(properties.workloadType)) ??
    workloadOf(item[0] ?? null)
  const kind = workload && datasources[workload].managementType
  const friendlyName = text(properties.friendlyName) ?? item.at(-1) ?? ''
  return {
    workload,
    // Ids lower-case a group; the source's id has it as it was created.
    resourceGroup: source?.get('resourcegroups') ?? container.at(-2) ?? null,
    vmName:
      kind === 'AzureStorage'
        ? null
        : (source?.get('virtualmachines') ??
          (container.length > 2 ? container.at(-1) : undefined) ??
          text(properties.serverName)),
    instanceName: kind === 'AzureWorkload' ? (text(properties.parentName) ?? item.at(-2) ?? null) : null,
    databaseName: kind === 'AzureWorkload' ? friendlyName : null,
    storageAccount: kind === 'AzureStorage' ? (source?.get('storageaccounts') ?? container.at(-1) ?? null) : null,
    friendlyName,
  }
}

const outerNames = (
  { resourceGroup, vmName, instanceName, storageAccount }: ItemNames,
  server: string | null,
): string[][] =>
  [[resourceGroup], [vmName, server, storageAccount], [instanceName]].map(level => level.filter(name => name !== null))

/** True where the last part is the thing's own name and the others name outer levels in their order, some left out. */
const fits = (parts: readonly string[], names: ItemNames, server: string | null): boolean => {
  if (!sameText(parts.at(-1), names.friendlyName)) return false
  const isVm = names.workload === 'VM'
  let level = 0
  const levels = isVm ? outerNames(names, null).slice(0, 1) : outerNames(names, server)
  for (const part of parts.slice(0, -1)) {
    const found = levels.findIndex((choices, at) => at >= level && choices.some(name => sameText(name, part)))
    if (found === -1) return false
    level = found + 1
  }
  return true
}

export interface ProtectedItemRef {
  id: string
  vault: VaultRef
  names: ItemNames
}

/** The container and item of a VM, whose names follow from its group and name. */
const vmItem = (vault: VaultRef, group: string, vm: string): ProtectedItemRef => {
  const inner = `iaasvmcontainerv2;${group};${vm}`
  return {
    id: `${vault.id}/backupFabrics/Azure/protectionContainers/IaasVMContainer;${inner}/protectedItems/VM;${inner}`,
    vault,
    names: {
      workload: 'VM',
      resourceGroup: group,
      vmName: vm,
      instanceName: null,
      databaseName: null,
      storageAccount: null,
      friendlyName: vm,
    },
  }
}

/**
 * The vault that an id of something in a vault names; `vault` as it was given for any other selector. Throws InputError
 * where `vault` was given too and is another one.
 */
export const vaultOfItem = (
  item: string | undefined,
  vault: string | undefined,
  config: Pick<Config, 'vaults'>,
): string | undefined => {
  if (item === undefined || !item.startsWith('/')) return vault
  const parsed = parseArmId(item)
  const own = parsed && vaultOf(parsed)
  if (!own) return vault
  if (vault !== undefined && !mayMean(vault, own, config))
    throw badArgument('vault', `is ${vault}, but the id lies in ${own.id}; leave vault out`)
  return own.id
}

/** False where any part of what was given names another vault. A subscription's display name tells nothing here. */
const mayMean = (given: string, own: VaultRef, { vaults }: Pick<Config, 'vaults'>): boolean => {
  const entry = vaults.find(({ key }) => sameText(key, given))
  const parsed = parseArmId(given)
  const byId = parsed && vaultOf(parsed)
  const [name, group, subscription] = entry
    ? [entry.name, entry.resourceGroup, entry.subscription]
    : byId
      ? [byId.vaultName, byId.resourceGroup, byId.subscriptionId]
      : given.split('/').reverse()
  return (
    sameText(name, own.vaultName) &&
    (group === undefined || sameText(group, own.resourceGroup)) &&
    (subscription === undefined || !isGuid(subscription) || sameText(subscription, own.subscriptionId))
  )
}

/** Throws InputError for what can be no selector of an item; nothing was sent then. */
export const checkSelector = (selector: string): void => {
  if (!selector.startsWith('/')) {
    if (selector.split('/').every(isName)) return
    throw badArgument('item', 'must be an ARM id, or names joined by "/" without empty parts')
  }
  const names = parseArmId(selector)?.names
  if (!['protecteditems', 'virtualmachines', 'shares'].some(type => names?.has(type)))
    throw badArgument('item', 'is no ARM id of a protected item, a VM or a file share')
}

/**
 * The protected item that a selector means. Nothing is listed for the id of a protected item or of a VM, nor for
 * `group/vm` with workload VM; anything else is looked for in one list of the vault's items.
 */
export const resolveItem = async (
  selector: string,
  workload: Workload | undefined,
  vault: VaultRef,
  context: ToolContext,
): Promise<ProtectedItemRef> => {
  checkSelector(selector)
  if (selector.startsWith('/')) return itemById(selector, workload, vault, context)
  const parts = selector.split('/')
  const [group, vm] = parts
  if (workload === 'VM' && parts.length === 2 && group && vm) return vmItem(vault, group, vm)
  return findItem(selector, vault, context, workload, (names, server) => fits(parts, names, server))
}

const itemById = async (
  id: string,
  workload: Workload | undefined,
  vault: VaultRef,
  context: ToolContext,
): Promise<ProtectedItemRef> => {
  const parsed = parseArmId(id)
  const names = parsed?.names
  const [vm, group, share, account] = [
    names?.get('virtualmachines'),
    parsed?.resourceGroup,
    names?.get('shares'),
    names?.get('storageaccounts'),
  ]
  if (parsed && names?.has('protecteditems')) {
    // A share's item has an opaque name; only Azure knows what it is called.
    const isShare = workloadOf(lastName(id).split(';')[0] ?? '') === 'AzureFileShare'
    const properties = isShare ? fields(fields(await context.arm.getResource(parsed.id)).properties) : {}
    return { id: parsed.id, vault, names: namesOf(parsed.id, properties) }
  }
  if (vm && group) return vmItem(vault, group, vm)
  if (share && account)
    return findItem(
      id,
      vault,
      context,
      workload ?? 'AzureFileShare',
      found => sameText(found.storageAccount, account) && sameText(found.friendlyName, share),
    )
  throw badArgument('item', 'is no ARM id of a protected item, a VM or a file share')
}

const findItem = async (
  selector: string,
  vault: VaultRef,
  { arm }: ToolContext,
  workload: Workload | undefined,
  isMeant: (names: ItemNames, server: string | null) => boolean,
): Promise<ProtectedItemRef> => {
  const found: ProtectedItemRef[] = []
  const others: ProtectedItemRef[] = []
  const query = itemFilter(workload)
  for await (const { rows } of arm.pages(`${vault.id}/backupProtectedItems`, query))
    for (const row of list(rows)) {
      const properties = fields(row.properties)
      const id = text(row.id) ?? ''
      const names = namesOf(id, properties)
      ;(isMeant(names, text(properties.serverName)) ? found : others).push({ id, vault, names })
    }
  if (found.length === 1 && found[0]) return found[0]
  if (found.length > 1)
    throw new Problem(
      'ambiguous',
      `"${selector}" fits ${found.length} items of ${vault.vaultName}.`,
      'Use the id of one of the candidates, or put its outer names before it.',
      {
        details: { candidates: found.map(candidate) },
      },
    )
  throw new Problem(
    'not_found',
    `"${selector}" fits no protected item of ${vault.vaultName}.`,
    'Use the id of one of the candidates, or another vault; recovery_services_list_protected_items shows what is protected.',
    { details: { candidates: nearestItems(selector, others).map(candidate) } },
  )
}

const candidate = ({ id, names }: ProtectedItemRef) => ({
  id,
  item: [
    names.resourceGroup,
    names.vmName ?? names.storageAccount,
    names.instanceName,
    names.workload === 'VM' ? null : names.friendlyName,
  ]
    .filter(name => name !== null)
    .join('/'),
  workload_type: names.workload ?? null,
})

/** Items that share a name with the selector first; at most ten. */
const nearestItems = (selector: string, items: readonly ProtectedItemRef[]): ProtectedItemRef[] => {
  const wanted = selector.toLowerCase().split('/').at(-1) ?? ''
  const distance = ({ names }: ProtectedItemRef) => {
    const own = names.friendlyName.toLowerCase()
    return own === wanted ? 0 : own.includes(wanted) || wanted.includes(own) ? 1 : own[0] === wanted[0] ? 2 : 3
  }
  return [...items].sort((a, b) => distance(a) - distance(b)).slice(0, 10)
}

/** The filter that lists one workload's items; all of them where there is none. */
const itemFilter = (workload: Workload | undefined, policyName?: string): { $filter?: string } => {
  const source = workload && datasources[workload]
  return filterOf({ backupManagementType: source?.managementType, itemType: source?.azureWord, policyName })
}
