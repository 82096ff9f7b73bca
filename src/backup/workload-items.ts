/** Instances and databases that Azure has seen in registered machines, protected or not. */
import type { Page, PageOptions } from '../arm/arm.ts'
import type { ListWorkloadItemsInput, ListWorkloadItemsOutput } from '../generated/tools.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import { lastName, parseArmId, type VaultRef } from './arm-ids.ts'
import { type Container, containerPath, isNoContainer, registeredContainers, toContainer } from './containers.ts'
import { datasources, type Workload, workloadOf } from './datasources.ts'
import { enumWord, type Fields, fields, flag, list, text, whole } from './fields.ts'
import { filterOf } from './filters.ts'
import { sameHost } from './items.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { type Machine, machineOf } from './machines.ts'
import { checkVault, withVaultOf } from './vault-names.ts'

type Row = ListWorkloadItemsOutput['workload_items'][number]

export const protectionWords = ['Invalid', 'NotProtected', 'Protecting', 'Protected', 'ProtectionFailed']
const directoryWords = ['Invalid', 'Data', 'Log']

/** `SQLInstance;{instance}`, `SQLDataBase;{instance};{database}`: the id says protectableItems where its type says items. */
const nameOf = (id: string, body: Fields): string => {
  const names = parseArmId(id)?.names
  return names?.get('protectableitems') ?? names?.get('items') ?? text(body.name) ?? lastName(id)
}

const nodesOf = (properties: Fields): string[] => list(properties.nodesList).flatMap(node => text(node.nodeName) ?? [])

export const toWorkloadItem = (raw: unknown, container: Container, vault: VaultRef): Row => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const id = text(body.id) ?? ''
  const [prefix = '', instance, ...inner] = nameOf(id, body).split(';')
  const type = text(properties.workloadItemType) ?? prefix
  const isDatabase = /database$/i.test(type)
  const word = text(properties.workloadType)
  // A database's own name may hold a semicolon.
  const friendlyName = text(properties.friendlyName) ?? ((isDatabase && inner.join(';')) || instance || prefix)
  const own = nodesOf(properties)
  const nodes = own.length > 0 ? own : container.nodes
  const serverName = text(properties.serverName) ?? container.serverName
  return {
    id,
    friendly_name: friendlyName,
    vault_name: vault.vaultName,
    workload_type: workloadOf(type) ?? workloadOf(word) ?? word,
    item_type: type,
    vm_name: container.vmName,
    server_name: serverName,
    resource_group: container.resourceGroup,
    instance_name: text(properties.parentName) ?? instance ?? null,
    database_name: isDatabase ? friendlyName : null,
    protection_state: enumWord(properties.protectionState, protectionWords),
    is_auto_protectable: flag(properties.isAutoProtectable),
    item_count: whole(properties.subWorkloadItemCount),
    data_directories: list(properties.dataDirectoryPaths).map(directory => ({
      type: enumWord(directory.type, directoryWords),
      path: text(directory.path) ?? '',
    })),
    ...(nodes.length > 0 ? { nodes } : {}),
  }
}

/** A group or an id names its container; any other name is compared with those of the registered ones. */
const serverOf = ({ server }: ListWorkloadItemsInput): Machine | undefined => {
  if (server === undefined) return undefined
  return server.includes('/') ? machineOf('server', server) : { kind: 'name', name: server }
}

const isNamed = ({ vmName, friendlyName, serverName, nodes }: Container, name: string): boolean =>
  [vmName, friendlyName, serverName, ...nodes].some(own => own !== null && sameHost(own, name))

/** False where the container says that it holds workloads, and all of them others. */
const mayHold = ({ properties }: Container, workload: Workload): boolean => {
  const { inquiryDetails } = fields(fields(properties.extendedInfo).inquiryInfo)
  const words = [properties.workloadType, ...list(inquiryDetails).map(({ type }) => type)].flatMap(
    word => text(word) ?? [],
  )
  const held = words.map(word => workloadOf(word, 'AzureWorkload'))
  return held.length === 0 || held.includes(undefined) || held.includes(workload)
}

const containersFor = async (
  machine: Machine | undefined,
  workload: Workload | undefined,
  vault: VaultRef,
  context: ToolContext,
): Promise<Container[]> => {
  if (machine?.kind === 'container') return [toContainer({ id: containerPath(vault, machine.containerName) })]
  const known = await registeredContainers(vault, context)
  const named = machine ? known.filter(container => isNamed(container, machine.name)) : known
  return workload ? named.filter(container => mayHold(container, workload)) : named
}

/** The pages of one container; none, and a warning, where it is not registered (any more). */
async function* pagesOf(
  { name }: Container,
  vault: VaultRef,
  query: { $filter?: string },
  options: PageOptions,
  context: ToolContext,
  warnings: string[],
): AsyncGenerator<Page> {
  try {
    yield* context.arm.pages(`${containerPath(vault, name)}/items`, query, options)
  } catch (error) {
    if (!(await isNoContainer(error, vault, context))) throw error
    warnings.push(`${name} is not registered with ${vault.vaultName}.`)
  }
}

const listWorkloadItems: Handlers['list_workload_items'] = (input, context) => {
  checkAll(
    () => checkCursor('list_workload_items', input),
    () => checkVault(input.vault, context),
    () => serverOf(input),
  )
  return withVaultOf('server', input.server, input.vault, context, vault => itemsIn(vault, input, context))
}

const itemsIn = async (
  vault: VaultRef,
  input: ListWorkloadItemsInput,
  context: ToolContext,
): Promise<ListWorkloadItemsOutput> => {
  const { workload_type: workload } = input
  const query = filterOf({
    backupManagementType: 'AzureWorkload',
    workloadType: workload && datasources[workload].azureWord,
  })
  const warnings: string[] = []
  const containers = await containersFor(serverOf(input), workload, vault, context)
  const byKey = new Map(containers.map(container => [container.name.toLowerCase(), container]))
  const sources = [...byKey].map(
    ([key, container]): Source => ({
      key,
      pages: options => pagesOf(container, vault, query, options, context, warnings),
    }),
  )
  const listed = await listRows('list_workload_items', input, sources, (raw, key) => {
    const container = byKey.get(key)
    const row = container && toWorkloadItem(raw, container, vault)
    // Azure filters by it too. A recording cannot: it answers with the nearest list that it has.
    return workload !== undefined && row?.workload_type !== workload ? undefined : row
  })
  return { ...answerOf('workload_items', listed), ...(warnings.length > 0 ? { warnings } : {}) }
}

export const workloadItems = { list_workload_items: listWorkloadItems } satisfies Partial<Handlers>
