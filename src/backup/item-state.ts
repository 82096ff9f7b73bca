/** The present state of an item that a change is planned for, and what the state forbids. */
import type { Query, Standing } from '../arm/arm.ts'
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import { lastName, sameText } from './arm-ids.ts'
import { datasources } from './datasources.ts'
import { type Fields, fields, flag, text, time, whole } from './fields.ts'
import { filterOf } from './filters.ts'
import { type ItemNames, namesOf, type ProtectedItemRef, sourceIdOf } from './items.ts'
import { noVault } from './vault-names.ts'

export interface ItemState extends ProtectedItemRef {
  standing: Standing
  /** Azure's, empty where there is no such item. */
  properties: Fields
  exists: boolean
  isSoftDeleted: boolean
  /** Azure's word: `Protected`, `IRPending`, `ProtectionStopped`, `BackupsSuspended` … */
  protectionState: string | null
  policyId: string | null
  policyName: string | null
  /** Id of the VM or storage account. */
  sourceId: string | null
  points: Points
}

/** The recovery points of an item as it tells them itself; null for what it does not tell. */
export interface Points {
  count: number | null
  oldest: string | null
  newest: string | null
}

const pointsOf = ({ extendedInfo, lastRecoveryPoint }: Fields): Points => {
  const { recoveryPointCount, oldestRecoveryPoint } = fields(extendedInfo)
  return {
    count: whole(recoveryPointCount),
    oldest: time(oldestRecoveryPoint),
    newest: time(lastRecoveryPoint),
  }
}

/** The item as it is read without its extended information, for comparing it after a doubtful write. */
const withoutExtendedInfo = (standing: Standing): Standing => {
  if (standing.kind !== 'present') return standing
  const body = fields(standing.body)
  const { extendedInfo: _, ...properties } = fields(body.properties)
  return { kind: 'present', body: { ...body, properties } }
}

/** The state of an item by what stands at its id. */
export const itemStateOf = (ref: ProtectedItemRef, standing: Standing): ItemState => {
  const body = fields(standing.kind === 'present' ? standing.body : undefined)
  const properties = fields(body.properties)
  const policyId = text(properties.policyId)
  // Azure's own spelling of the id, where it has one.
  const id = text(body.id) ?? ref.id
  return {
    ...ref,
    id,
    names: standing.kind === 'present' ? namesOf(id, properties) : ref.names,
    standing,
    properties,
    exists: standing.kind === 'present',
    isSoftDeleted: flag(properties.isScheduledForDeferredDelete) === true,
    protectionState: text(properties.protectionState),
    policyId,
    policyName: policyId === null ? text(properties.policyName) : lastName(policyId),
    sourceId: sourceIdOf(properties),
    points: pointsOf(properties),
  }
}

/** One read of the item. That there is none is a state too; that there is no vault is an error. */
export const readItemState = async (
  ref: ProtectedItemRef,
  context: ToolContext,
  query: Query = {},
): Promise<ItemState> => {
  try {
    const state = itemStateOf(ref, { kind: 'present', body: await context.arm.getResource(ref.id, query) })
    mustBeThatVm(state)
    return state
  } catch (error) {
    if (!(error instanceof Problem) || error.httpStatus !== 404) throw error
    const missing = await noVault(ref.vault, error, context)
    if (missing) throw missing
    return itemStateOf(ref, { kind: 'absent' })
  }
}

/** Throws `not_found` where a VM was given by its id, and the vault's item of that name is another VM's. */
const mustBeThatVm = ({ vmId, sourceId, vault, names }: ItemState): void => {
  if (vmId === undefined || sourceId === null || sameText(vmId, sourceId)) return
  throw new Problem(
    'not_found',
    `${vault.vaultName} protects another VM called ${calledBy(names)}: ${sourceId}.`,
    'Name the vault that protects the VM you mean, or use the id of the candidate; recovery_services_check_registration_status tells which vault protects a VM.',
    { details: { candidates: [sourceId] } },
  )
}

/** The same with the number of its recovery points, which a VM tells only where it is asked for (section 4.3). */
export const readItemWithPoints = async (ref: ProtectedItemRef, context: ToolContext): Promise<ItemState> => {
  const state = await readItemState(ref, context, filterOf({ expand: 'extendedInfo' }))
  return { ...state, standing: withoutExtendedInfo(state.standing) }
}

/** The item as people name it: `web-01 (rg-app)`. */
export const calledBy = ({ friendlyName, resourceGroup, vmName, storageAccount, workload }: ItemNames): string => {
  const outer = workload === 'VM' ? resourceGroup : (vmName ?? storageAccount)
  return outer === null ? friendlyName : `${friendlyName} (${outer})`
}

/** Throws `not_found` where the vault does not protect it. */
export const mustExist = (state: ItemState): void => {
  if (state.exists) return
  throw new Problem(
    'not_found',
    `${calledBy(state.names)} is not protected in ${state.vault.vaultName}.`,
    'recovery_services_list_protected_items shows what is; recovery_services_enable_protection protects it.',
    { details: { item_id: state.id } },
  )
}

/** Throws `precondition_failed` for an item whose deletion is scheduled. */
export const mustNotBeSoftDeleted = ({ isSoftDeleted, names, properties, id }: ItemState): void => {
  if (!isSoftDeleted) return
  const deleted = time(properties.deferredDeleteTimeInUTC)
  throw new Problem(
    'precondition_failed',
    `${calledBy(names)} is soft-deleted${deleted === null ? '' : ` since ${deleted}`}.`,
    'Bring it back with recovery_services_undelete_protected_item first.',
    { details: { item_id: id } },
  )
}

/** Throws InputError for what is no VM: the other workloads are not changed by this version. */
export const mustBeVm = ({ workload }: ItemNames): void => {
  if (workload === 'VM') return
  const noun = workload === undefined ? 'no VM' : `a ${datasources[workload].noun}`
  throw badArgument('item', `is ${noun}; this version changes the protection of VMs only`)
}

export const isStopped = ({ protectionState }: ItemState): boolean => sameText(protectionState, 'ProtectionStopped')
export const isSuspended = ({ protectionState }: ItemState): boolean => sameText(protectionState, 'BackupsSuspended')
