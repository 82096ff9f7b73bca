/**
 * Where a restore goes: storage accounts, resource groups and networks, by name or by ARM id. A name is looked for in one
 * list of the target's subscription; of an id only its kind is checked, the rest is Azure's to validate.
 */
import { nearest } from '../nearest.ts'
import { Problem, type ProblemCode } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { badArgument, pointerTo } from '../tools/input-error.ts'
import { isName, lastName, parseArmId, sameText } from './arm-ids.ts'
import { type Fields, fields, list, text } from './fields.ts'

export interface TargetKind {
  noun: string
  /** Of the list of a subscription. */
  path: string
  /** `undefined`: a resource group, which has none. */
  provider: string | undefined
}

export const targetKinds = {
  storageAccount: {
    noun: 'storage account',
    path: 'providers/Microsoft.Storage/storageAccounts',
    provider: 'Microsoft.Storage',
  },
  resourceGroup: { noun: 'resource group', path: 'resourceGroups', provider: undefined },
  virtualNetwork: {
    noun: 'virtual network',
    path: 'providers/Microsoft.Network/virtualNetworks',
    provider: 'Microsoft.Network',
  },
} satisfies Record<string, TargetKind>

export interface Target {
  id: string
  /** `eastus`; undefined where the id was given, and for a group: its region does not matter. */
  location: string | undefined
  /** As the list has it; empty where the id was given. */
  raw: Fields
}

const isOfKind = (id: string, { path, provider }: TargetKind): boolean => {
  const parsed = parseArmId(id)
  if (!parsed?.resourceGroup) return false
  if (provider === undefined) return parsed.provider === undefined && parsed.type === '' && parsed.names.size === 2
  return sameText(parsed.provider, provider) && sameText(parsed.type, lastName(path))
}

/** Throws InputError for what can name no such thing; nothing is sent for that. */
export const checkTarget = (argument: string, given: string | undefined, kind: TargetKind): void => {
  if (given === undefined) return
  const { noun } = kind
  if (given.startsWith('/')) {
    if (/^Microsoft\.Classic/i.test(parseArmId(given)?.provider ?? ''))
      throw badArgument(
        argument,
        `is a classic ${noun}, which no VM can be restored with; name one of Resource Manager`,
      )
    if (!isOfKind(given, kind)) throw badArgument(argument, `is no ARM id of a ${noun}`)
    return
  }
  const parts = given.split('/')
  if (!parts.every(isName) || parts.length > (kind.provider === undefined ? 1 : 2))
    throw badArgument(
      argument,
      `must be the name${kind.provider === undefined ? '' : ', group/name'} or the ARM id of a ${noun}`,
    )
}

/** What is wrong with one target. */
class TargetProblem extends Problem {
  readonly fault: { path: string; message: string; candidates: readonly string[] }

  constructor(
    code: ProblemCode,
    argument: string,
    message: string,
    remediation: string,
    candidates: readonly string[],
  ) {
    super(code, `${argument}: ${message}`, remediation, { details: { candidates } })
    this.fault = { path: pointerTo(argument), message, candidates }
  }
}

/** The target that is meant: no call for an id, one list of the subscription for a name. Throws Problem. */
export const findTarget = async (
  argument: string,
  given: string,
  kind: TargetKind,
  subscription: string,
  { arm }: ToolContext,
): Promise<Target> => {
  checkTarget(argument, given, kind)
  const parsed = parseArmId(given)
  if (parsed) return { id: parsed.id, location: undefined, raw: {} }
  const [name = '', group] = given.split('/').reverse()
  const rows: Fields[] = []
  for await (const page of arm.pages(`/subscriptions/${subscription}/${kind.path}`)) rows.push(...list(page.rows))
  const found = rows.filter(
    row =>
      sameText(text(row.name), name) &&
      (group === undefined || sameText(parseArmId(text(row.id) ?? '')?.resourceGroup, group)),
  )
  const [first, second] = found
  if (first && !second) return toTarget(first, kind)
  if (first)
    throw new TargetProblem(
      'ambiguous',
      argument,
      `${found.length} ${kind.noun}s of subscription ${subscription} are named "${name}".`,
      'Name it as group/name or by its ARM id.',
      idsOf(found),
    )
  throw new TargetProblem(
    'not_found',
    argument,
    `There is no ${kind.noun} "${given}" in subscription ${subscription}.`,
    'Use one of the candidates, or the ARM id of one elsewhere.',
    idsOf(nearestFirst(name, rows)),
  )
}

const toTarget = (row: Fields, { provider }: TargetKind): Target => ({
  id: text(row.id) ?? '',
  location: provider === undefined ? undefined : (text(row.location) ?? '').toLowerCase().replaceAll(' ', ''),
  raw: row,
})

const idsOf = (rows: readonly Fields[]): string[] => rows.flatMap(({ id }) => text(id) ?? []).slice(0, 10)

const nearestFirst = (name: string, rows: readonly Fields[]): readonly Fields[] => {
  const names = rows.flatMap(row => text(row.name) ?? [])
  const meant = nearest(name, names)
  return [...rows].sort((a, b) => Number(b.name === meant) - Number(a.name === meant))
}

/** The id of a network's subnet, which is a name or an id itself. Throws Problem where the network is known not to have it. */
export const subnetOf = (argument: string, given: string, network: Target): string => {
  const id = given.startsWith('/') ? (parseArmId(given)?.id ?? '') : `${network.id}/subnets/${given}`
  if (!sameText(id, `${network.id}/subnets/${lastName(id)}`))
    throw badArgument(argument, `lies in another virtual network than ${network.id}`)
  const known = fields(network.raw.properties).subnets
  if (!Array.isArray(known) || list(known).some(({ name }) => sameText(text(name), lastName(id)))) return id
  throw new TargetProblem(
    'not_found',
    argument,
    `The virtual network ${lastName(network.id)} has no subnet "${lastName(id)}".`,
    'Use one of the candidates.',
    list(known).flatMap(({ name }) => text(name) ?? []),
  )
}

/** Throws InputError for what is known to lie in another region than the vault: Azure restores into the vault's. */
export const checkRegion = (argument: string, target: Target | undefined, location: string): void => {
  if (!target?.location || location === '' || target.location === location) return
  throw badArgument(
    argument,
    `${lastName(target.id)} is in ${target.location}, but Azure restores to the region of the vault, ${location}`,
  )
}

/** The outcomes of lookups that ran together. Throws the one Problem there was, or one that tells several. */
export const together = async <T>(lookups: readonly Promise<T>[]): Promise<T[]> => {
  const settled = await Promise.allSettled(lookups)
  const errors = settled.flatMap(each => (each.status === 'rejected' ? [each.reason] : []))
  const [first] = errors
  if (errors.length === 0) return settled.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
  const faults = errors.flatMap(error => (error instanceof TargetProblem ? [error.fault] : []))
  if (errors.length === 1 || faults.length < errors.length || !(first instanceof Problem))
    throw errors.find(error => !(error instanceof TargetProblem)) ?? first
  const message = errors.map(({ message }: Problem) => message).join(' ')
  throw new Problem(first.code, message, 'Use one of the candidates of each, or ARM ids.', { details: { faults } })
}
