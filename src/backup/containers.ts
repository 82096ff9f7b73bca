/**
 * Containers: what machines are registered as, so that the databases in them can be protected. Found by a list where
 * nothing but a machine's bare name is known.
 */
import type { Standing } from '../arm/arm.ts'
import { nearest } from '../nearest.ts'
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { lastName, parseArmId, sameText, type VaultRef } from './arm-ids.ts'
import type { ManagementType } from './datasources.ts'
import { type Fields, fields, list, text } from './fields.ts'
import { filterOf } from './filters.ts'
import { vmOfContainer } from './machines.ts'
import { noVault } from './vault-names.ts'

export interface Container {
  id: string
  name: string
  friendlyName: string | null
  serverName: string | null
  /** Id of the VM. */
  sourceId: string | null
  resourceGroup: string | null
  vmName: string | null
  /** Machines of a distributed container (an availability group). */
  nodes: string[]
  registrationStatus: string | null
  managementType: string | null
  properties: Fields
}

/** A row of any list that names machines: containers registered or not, protectable VMs. */
export const toContainer = (raw: unknown): Container => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const id = text(body.id) ?? ''
  const names = parseArmId(id)?.names
  const name =
    names?.get('protectioncontainers') ?? names?.get('protectablecontainers') ?? text(body.name) ?? lastName(id)
  const extended = fields(properties.extendedInfo)
  const sourceId =
    text(properties.sourceResourceId) ?? text(properties.virtualMachineId) ?? text(properties.containerId)
  const source = parseArmId(sourceId ?? '')
  const vm = vmOfContainer(name)
  return {
    id,
    name,
    friendlyName: text(properties.friendlyName),
    serverName: text(extended.hostServerName),
    sourceId,
    resourceGroup: source?.resourceGroup ?? vm?.resourceGroup ?? null,
    vmName: source?.names.get('virtualmachines') ?? vm?.vmName ?? null,
    nodes: list(extended.nodesList).flatMap(node => text(node.nodeName) ?? []),
    registrationStatus: text(properties.registrationStatus),
    managementType: text(properties.backupManagementType),
    properties,
  }
}

/** Azure leaves the word out at times where it shows a container that is registered. */
export const isRegistered = ({ registrationStatus: status }: Container): boolean =>
  status === null || sameText(status, 'Registered')

/** A list of machines, and which of its rows count: Azure filters by the same, a recording cannot. */
interface Place {
  path: string
  query: { $filter?: string }
  isIn(row: Container): boolean
}

const isOf = (row: Container, type: ManagementType) => row.managementType === null || sameText(row.managementType, type)

const registered = (type: ManagementType, friendlyName?: string): Place => ({
  path: 'backupProtectionContainers',
  query: filterOf({ backupManagementType: type, friendlyName, status: 'Registered' }),
  isIn: row => isOf(row, type) && isRegistered(row),
})
const registrable: Place = {
  path: 'backupFabrics/Azure/protectableContainers',
  query: filterOf({ backupManagementType: 'AzureWorkload' }),
  isIn: row => isOf(row, 'AzureWorkload'),
}

/** The rows of a list page by page, each once. */
async function* rowsOf(vault: VaultRef, { path, query, isIn }: Place, { arm }: ToolContext): AsyncGenerator<Container> {
  const told = new Set<string>()
  for await (const { rows } of arm.pages(`${vault.id}/${path}`, query))
    for (const row of list(rows).map(toContainer)) {
      const key = row.id.toLowerCase()
      if (told.has(key) || !isIn(row)) continue
      told.add(key)
      yield row
    }
}

/** Every container registered for databases. One list. */
export const registeredContainers = async (vault: VaultRef, context: ToolContext): Promise<Container[]> => {
  const found: Container[] = []
  for await (const row of rowsOf(vault, registered('AzureWorkload'), context)) found.push(row)
  return found
}

export interface Found {
  row: Container
  /** True where the row is that of a container registered for databases. */
  isContainer: boolean
}

/**
 * The machine of a bare name: among the registered containers by one list that Azure filters, among protected VMs, which
 * have containers of their own, by another, else among what could be registered. Protected VMs come first where nothing
 * else is asked for, and not at all where only databases are. Throws Problem `ambiguous` and `not_found`.
 */
export const findMachine = async (
  name: string,
  asked: { isVm: boolean; isDatabase: boolean },
  vault: VaultRef,
  context: ToolContext,
): Promise<Found> => {
  const forDatabases = registered('AzureWorkload', name)
  const forVms = registered('AzureIaasVM', name)
  const places = [
    ...(asked.isDatabase ? [forDatabases, ...(asked.isVm ? [forVms] : [])] : [forVms, forDatabases]),
    registrable,
  ]
  let near: Container[] = []
  for (const place of places) {
    const found: Container[] = []
    for await (const row of rowsOf(vault, place, context)) {
      if (sameText(row.friendlyName, name) || sameText(row.vmName, name)) found.push(row)
      else near = nearestRows(name, [...near, row])
    }
    if (found.length > 1) throw ambiguous(name, found, vault)
    if (found[0]) return { row: found[0], isContainer: place === forDatabases }
  }
  throw new Problem(
    'not_found',
    `No machine named "${name}" is registered with ${vault.vaultName} or could be.`,
    'Use the id of one of the candidates. group/vm or the ARM id of the VM works without any list; a VM made lately is listed once the vault has discovered it.',
    { details: { candidates: near.map(candidate) } },
  )
}

const ambiguous = (name: string, found: readonly Container[], vault: VaultRef): Problem =>
  new Problem(
    'ambiguous',
    `${found.length} machines of ${vault.vaultName} are named "${name}".`,
    'Use the id of one of the candidates, or group/vm.',
    { details: { candidates: found.map(candidate) } },
  )

const labelOf = ({ vmName, friendlyName, name }: Container): string => vmName ?? friendlyName ?? name

/** A machine as error results offer it. */
export const candidate = (row: Container) => ({
  id: row.sourceId ?? row.id,
  vm: [row.resourceGroup, labelOf(row)].filter(part => part !== null).join('/'),
})

/** The likeliest first, ten at most. */
const nearestRows = (name: string, rows: readonly Container[]): Container[] => {
  const wanted = name.toLowerCase()
  const meant = nearest(name, rows.map(labelOf))
  const distance = (row: Container) => {
    const own = labelOf(row)
    return own === meant ? 0 : own.toLowerCase().includes(wanted) ? 1 : own[0]?.toLowerCase() === wanted[0] ? 2 : 3
  }
  return [...rows].sort((a, b) => distance(a) - distance(b)).slice(0, 10)
}

export const containerPath = (vault: VaultRef, name: string): string =>
  `${vault.id}/backupFabrics/Azure/protectionContainers/${name}`

/**
 * True where a request for a container failed because Azure has none of that name. That the whole vault is missing may be
 * told by the same code: throws the error that says so.
 */
export const isNoContainer = async (error: unknown, vault: VaultRef, context: ToolContext): Promise<boolean> => {
  if (!(error instanceof Problem)) return false
  if (sameText(error.azureCode, 'BMSUserErrorContainerObjectNotFound')) return true
  if (error.httpStatus !== 404) return false
  const missing = await noVault(vault, error, context)
  if (missing) throw missing
  return true
}

/** What stands where a container of that name belongs. That there is none is a state; that there is no vault an error. */
export const readContainer = async (name: string, vault: VaultRef, context: ToolContext): Promise<Standing> => {
  try {
    return { kind: 'present', body: await context.arm.getResource(containerPath(vault, name)) }
  } catch (error) {
    if (await isNoContainer(error, vault, context)) return { kind: 'absent' }
    throw error
  }
}
