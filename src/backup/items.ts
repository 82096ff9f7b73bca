/**
 * Protected items: the names they go by, and finding the one that a caller means.
 *
 * A thing's names go from the outer to the inner: a VM is group, vm; a database group, vm, instance, database; a share
 * group, account, share. They come from the item's id and source, whose names follow rules (section 3 of the wire facts).
 */
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import { isName, type ParsedId, parseArmId, sameText, type VaultRef } from './arm-ids.ts'
import { datasources, type ManagementType, managementTypeOf, type Workload, workloadOf } from './datasources.ts'
import { type Fields, fields, list, text } from './fields.ts'
import { filterOf } from './filters.ts'

export interface ItemNames {
  workload: Workload | undefined
  resourceGroup: string | null
  /** The VM, or the server as the guest calls it where no VM is known. */
  vmName: string | null
  /** All names of the machine: the VM's, the guest's own, those of a group's nodes. Jobs use the guest's. */
  servers: readonly string[]
  instanceName: string | null
  databaseName: string | null
  storageAccount: string | null
  /** Plain name: VM, database or share. */
  friendlyName: string
}

/** Containers that name a group: `IaasVMContainer;iaasvmcontainerv2;{group};{vm}` and its like. Others have no rule. */
export const inGroup = /^(?:IaasVMContainer|VMAppContainer|StorageContainer);[^;]+;([^;]+);([^;]+)$/i

/** Types of instances, systems and groups, whose own name is no database's. */
const holdsDatabases = /(instance|system|container|hsr)$/i

/** The id of the VM or storage account that holds an item, protected or protectable. */
export const sourceIdOf = (properties: Fields): string | null =>
  text(properties.virtualMachineId) ?? text(properties.sourceResourceId) ?? text(properties.parentContainerFabricId)

/** Names of an item from its id and its `properties`, which may be empty where only the id is at hand. */
export const namesOf = (id: string, properties: Fields): ItemNames => {
  const ids = parseArmId(id)?.names
  const [, containerGroup, containerName] = inGroup.exec(ids?.get('protectioncontainers') ?? '') ?? []
  const [prefix = '', ...inner] = (ids?.get('protecteditems') ?? ids?.get('protectableitems') ?? '').split(';')
  const source = parseArmId(sourceIdOf(properties) ?? '')?.names
  const type = text(properties.protectedItemType) ?? text(properties.protectableItemType)
  const words = [type, text(properties.workloadType), prefix]
  const managementType = text(properties.backupManagementType)
  const workload = words.map(word => workloadOf(word, managementType)).find(found => found !== undefined)
  const kind = workload && datasources[workload].managementType
  const isDatabase = kind === 'AzureWorkload'
  const isShare = kind === 'AzureStorage'
  // `SQLDataBase;{instance};{database}`: a database's own name may hold a semicolon.
  const ownName = isDatabase ? inner.slice(1).join(';') : inner.at(-1)
  const friendlyName = text(properties.friendlyName) ?? (ownName || inner[0] || '')
  const guestName = text(properties.serverName) ?? text(properties.computerName)
  const vmName = isShare ? null : (source?.get('virtualmachines') ?? containerName ?? guestName)
  const nodes = list(properties.nodesList).map(node => text(node.nodeName))
  return {
    workload,
    // Ids lower-case a group; the source's id has it as it was created.
    resourceGroup: source?.get('resourcegroups') ?? containerGroup ?? null,
    vmName,
    servers: [...new Set([vmName, guestName, ...nodes].filter(name => name !== null))],
    instanceName: isDatabase ? (text(properties.parentName) ?? inner[0] ?? null) : null,
    databaseName: isDatabase && !holdsDatabases.test(type ?? prefix) ? friendlyName : null,
    storageAccount: isShare ? (source?.get('storageaccounts') ?? containerName ?? null) : null,
    friendlyName,
  }
}

const host = (name: string): string => name.toLowerCase().split('.')[0] ?? ''

/** One machine by two names, with or without its domain. */
export const sameHost = (a: string, b: string): boolean =>
  sameText(a, b) || (host(a) === host(b) && (!a.includes('.') || !b.includes('.')))

/** True for an item of the machine or storage account of that name. */
export const isHeldBy = (server: string, { storageAccount, servers }: ItemNames): boolean =>
  sameText(storageAccount, server) || servers.some(name => sameHost(name, server))

/** True where the last part is the thing's own name and the others name outer levels in their order, some left out. */
const fits = (parts: readonly string[], names: ItemNames): boolean => {
  if (!sameText(parts.at(-1), names.friendlyName)) return false
  const { resourceGroup, instanceName } = names
  const levels: ((part: string) => boolean)[] = [
    part => sameText(part, resourceGroup),
    part => isHeldBy(part, names),
    part => sameText(part, instanceName),
  ]
  const outer = names.workload === 'VM' ? levels.slice(0, 1) : levels
  let level = 0
  for (const part of parts.slice(0, -1)) {
    const found = outer.findIndex((isNamed, at) => at >= level && isNamed(part))
    if (found === -1) return false
    level = found + 1
  }
  return true
}

export interface ProtectedItemRef {
  id: string
  vault: VaultRef
  names: ItemNames
  /** Id of the VM, where that was given: an item's name tells no subscription. */
  vmId?: string
}

/** One of a list, which tells more than names do. */
interface ListedItem extends ProtectedItemRef {
  isSoftDeleted: boolean
}

/** The id of a VM's item by its container: `iaasvmcontainerv2;{group};{vm}`, for a classic VM `iaasvmcontainer;…`. */
export const vmItemId = (vault: VaultRef, container: string): string =>
  `${vault.id}/backupFabrics/Azure/protectionContainers/IaasVMContainer;${container}/protectedItems/VM;${container}`

const vmItem = (vault: VaultRef, group: string, vm: string, isClassic = false): ProtectedItemRef => {
  const id = vmItemId(vault, `${isClassic ? 'iaasvmcontainer' : 'iaasvmcontainerv2'};${group};${vm}`)
  return { id, vault, names: namesOf(id, {}) }
}

const protectedOrProtectable = /^vaults\/backupfabrics\/protectioncontainers\/(protecteditems|protectableitems)$/

/** Protectable, yet never a protected item: what is protected are its databases. A HANA instance can be both. */
const onlyHolds =
  /^(sqlinstance|sqlavailabilitygroupcontainer|saphanasystem|saphanahsr|hanahsrcontainer|hanascaleoutcontainer|sapasesystem);/i

/** Throws InputError for what can be no selector of an item, or of none of that workload; nothing was sent then. */
export const checkSelector = (selector: string, workload: Workload | undefined): void => {
  if (!selector.startsWith('/')) {
    // Names are compared only, so they may be nearly any: a database is called "R&D 50%".
    if (selector.split('/').every(part => !/^\.{0,2}$/.test(part))) return
    throw badArgument('item', 'must be an ARM id, or names joined by "/" without empty parts')
  }
  const parsed = parseArmId(selector)
  const isKnown =
    parsed && (protectedOrProtectable.test(parsed.type) || /(^|\/)(virtualmachines|shares)$/.test(parsed.type))
  if (!isKnown) throw badArgument('item', 'is no ARM id of a protected or protectable item, a VM or a file share')
  if (onlyHolds.test(parsed.names.get('protectableitems') ?? ''))
    throw badArgument(
      'item',
      'is an instance, a system or a group of databases, which is no item; name one of its databases',
    )
  const own = workloadIn(parsed)
  if (own && workload && own !== workload)
    throw badArgument('workload_type', `is ${workload}, but item is a ${datasources[own].noun}; leave it out`)
}

/** The workload of what an id names; undefined for words that nobody knows. */
export const workloadIn = ({ id, type }: ParsedId): Workload | undefined => {
  if (protectedOrProtectable.test(type)) return namesOf(id, {}).workload
  return type.endsWith('shares') ? 'AzureFileShare' : 'VM'
}

/**
 * The protected item that a selector means, with the names that its id tells. Nothing is asked for the id of a protected or
 * protectable item or of a VM, nor for `group/vm` with workload VM; anything else is looked for in one list of the vault's
 * items.
 */
export const locateItem = async (
  selector: string,
  workload: Workload | undefined,
  vault: VaultRef,
  context: ToolContext,
): Promise<ProtectedItemRef> => {
  checkSelector(selector, workload)
  if (selector.startsWith('/')) return itemById(selector, vault, context)
  const parts = selector.split('/')
  const [group, vm] = parts
  if (workload === 'VM' && parts.length === 2 && group && vm && parts.every(isName)) return vmItem(vault, group, vm)
  return findItem(selector, vault, context, workload, names => fits(parts, names))
}

/**
 * The item that a VM has or would have in the vault. A bare name is looked for in one list of the VMs that can be protected
 * and one of those that are; anything else is computed.
 */
export const locateVm = async (selector: string, vault: VaultRef, context: ToolContext): Promise<ProtectedItemRef> => {
  if (selector.includes('/')) return locateItem(selector, 'VM', vault, context)
  const lists = ['backupProtectableItems', 'backupProtectedItems'] as const
  const found = await Promise.all(
    lists.map(async name => {
      const query = name === 'backupProtectedItems' ? itemFilter({ workload_type: 'VM' }) : protectableVms
      const refs: ListedItem[] = []
      for await (const { rows } of context.arm.pages(`${vault.id}/${name}`, query)) refs.push(...toRefs(rows, vault))
      return refs.filter(({ names }) => names.workload === 'VM')
    }),
  )
  // A VM that has just been protected may be in both.
  const all = [...new Map(found.flat().map(ref => [ref.id.toLowerCase(), ref])).values()]
  return theOnly(
    selector,
    all.filter(({ names }) => fits([selector], names)),
    nearestItems(selector, all),
    {
      nothing: `"${selector}" is no VM that ${vault.vaultName} protects, or knows that it could.`,
      remediation:
        'Use the id of one of the candidates. A VM that is new is found after recovery_services_refresh_containers; as group/vm, or by its ARM id, it need not be found.',
    },
  )
}

/** Of VMs, the filter that Azure's own clients send. */
const protectableVms = filterOf({ backupManagementType: datasources.VM.managementType })

/** The same with all names, for which an item that was given by its own id may have to be read. */
export const resolveItem = async (
  selector: string,
  workload: Workload | undefined,
  vault: VaultRef,
  context: ToolContext,
): Promise<ProtectedItemRef> => {
  const item = await locateItem(selector, workload, vault, context)
  const isOwnId = protectedOrProtectable.test(parseArmId(selector)?.type ?? '')
  return isOwnId ? { ...item, names: await namesById(item.id, context) } : item
}

/** The id of the protected item that a protectable one becomes. */
const asItemId = (id: string): string => id.replace(/\/protectableItems\/(?=[^/]+$)/i, '/protectedItems/')

const itemById = async (id: string, vault: VaultRef, context: ToolContext): Promise<ProtectedItemRef> => {
  const parsed = parseArmId(id)
  if (parsed && protectedOrProtectable.test(parsed.type)) {
    const itemId = asItemId(parsed.id)
    return { id: itemId, vault, names: namesOf(itemId, {}) }
  }
  const { names, resourceGroup: group } = parsed ?? {}
  const [vm, share, account] = [names?.get('virtualmachines'), names?.get('shares'), names?.get('storageaccounts')]
  if (vm && group && parsed?.type === 'virtualmachines') {
    return { ...vmItem(vault, group, vm, sameText(parsed.provider, 'Microsoft.ClassicCompute')), vmId: parsed.id }
  }
  if (share && account)
    return findItem(
      id,
      vault,
      context,
      'AzureFileShare',
      found => sameText(found.storageAccount, account) && sameText(found.friendlyName, share),
    )
  throw badArgument('item', 'is no ARM id of a protected or protectable item, a VM or a file share')
}

/**
 * A VM's id tells all its names. A share's item has an opaque name, and no id tells what a database's server calls
 * itself: Azure knows. A database whose item is gone may still have jobs.
 */
const namesById = async (id: string, { arm }: ToolContext): Promise<ItemNames> => {
  const computed = namesOf(id, {})
  if (computed.workload === 'VM') return computed
  try {
    return namesOf(id, fields(fields(await arm.getResource(id)).properties))
  } catch (error) {
    if (!(error instanceof Problem) || computed.workload === 'AzureFileShare') throw error
    return computed
  }
}

const findItem = async (
  selector: string,
  vault: VaultRef,
  { arm }: ToolContext,
  workload: Workload | undefined,
  isMeant: (names: ItemNames) => boolean,
): Promise<ProtectedItemRef> => {
  const all: ListedItem[] = []
  let near: ListedItem[] = []
  for await (const { rows } of arm.pages(`${vault.id}/backupProtectedItems`, itemFilter({ workload_type: workload }))) {
    // Azure filters by it too. A recording cannot: it answers with the nearest list that it has.
    const ofWorkload = toRefs(rows, vault).filter(({ names }) => workload === undefined || names.workload === workload)
    all.push(...ofWorkload.filter(({ names }) => isMeant(names)))
    near = nearestItems(selector, [...near, ...ofWorkload])
  }
  return theOnly(selector, withoutPredecessors(all), near, {
    nothing: `"${selector}" fits no protected item of ${vault.vaultName}.`,
    remediation:
      'Use the id of one of the candidates, or another vault; recovery_services_list_protected_items shows what is protected. recovery_services_enable_protection protects a VM that is not yet.',
  })
}

/** Protected items of a list; of protectable ones those that they would become. */
const toRefs = (rows: readonly unknown[], vault: VaultRef): ListedItem[] =>
  list(rows).map(row => {
    const id = asItemId(text(row.id) ?? '')
    const properties = fields(row.properties)
    return {
      id,
      vault,
      names: namesOf(id, properties),
      isSoftDeleted: properties.isScheduledForDeferredDelete === true,
    }
  })

/** The one that was found. Throws `ambiguous`, and `not_found` with these words. */
const theOnly = (
  selector: string,
  found: readonly ListedItem[],
  near: readonly ListedItem[],
  { nothing, remediation }: { nothing: string; remediation: string },
): ProtectedItemRef => {
  if (found.length === 1 && found[0]) return found[0]
  if (found.length > 1)
    throw new Problem(
      'ambiguous',
      `"${selector}" fits ${found.length} items of ${found[0]?.vault.vaultName}.`,
      'Use the id of one of the candidates, or put its outer names before it.',
      { details: { candidates: found.map(candidate) } },
    )
  throw new Problem('not_found', nothing, remediation, { details: { candidates: near.map(candidate) } })
}

/** All names of an item, from the outer to the inner, as `item` takes them. */
const wholeName = (names: ItemNames): string =>
  [
    names.resourceGroup,
    names.vmName ?? names.storageAccount,
    names.instanceName,
    names.workload === 'VM' ? null : names.friendlyName,
  ]
    .filter(name => name !== null)
    .join('/')

/**
 * Without the soft-deleted items whose every name a living one has: a share that was deleted and made again has an item of
 * its own, and who says its name means the one that there is. Names that differ anywhere are left for the caller to tell.
 */
const withoutPredecessors = (items: readonly ListedItem[]): ListedItem[] => {
  const living = items.filter(({ isSoftDeleted }) => !isSoftDeleted)
  return items.filter(
    ({ isSoftDeleted, names }) =>
      !isSoftDeleted ||
      !living.some(
        other => other.names.workload === names.workload && sameText(wholeName(other.names), wholeName(names)),
      ),
  )
}

const candidate = ({ id, names, isSoftDeleted }: ListedItem) => ({
  id,
  item: wholeName(names),
  workload_type: names.workload ?? null,
  ...(isSoftDeleted ? { is_soft_deleted: true } : {}),
})

/** Items that share a name with the selector first; at most ten. */
const nearestItems = (selector: string, items: readonly ListedItem[]): ListedItem[] => {
  const wanted = selector.toLowerCase().split('/').at(-1) ?? ''
  const distance = ({ names }: ListedItem) => {
    const own = names.friendlyName.toLowerCase()
    return own === wanted ? 0 : own.includes(wanted) || wanted.includes(own) ? 1 : own[0] === wanted[0] ? 2 : 3
  }
  return [...items].sort((a, b) => distance(a) - distance(b)).slice(0, 10)
}

/** The part of a list's filter that Azure applies to items. Throws InputError where workload and type contradict. */
export const itemFilter = (input: {
  workload_type?: Workload | undefined
  backup_management_type?: ManagementType
  policy_name?: string
}): { $filter?: string } =>
  filterOf({
    backupManagementType: managementTypeOf(input),
    itemType: input.workload_type && datasources[input.workload_type].azureWord,
    policyName: input.policy_name,
  })
