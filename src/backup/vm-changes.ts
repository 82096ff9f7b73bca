/** What the tools that change how a VM is protected have in common (section 6 of the wire facts). */
import type { ToolContext } from '../tools/context.ts'
import { badArgument, checkAll } from '../tools/input-error.ts'
import { parseArmId, sameText, type VaultRef, vaultOf } from './arm-ids.ts'
import type { Changed } from './changes.ts'
import { datasources, type Workload, workloadWord } from './datasources.ts'
import { type Fields, fields, text } from './fields.ts'
import { calledBy, type ItemState, isStopped, isSuspended, itemStateOf, mustBeVm, type Points } from './item-state.ts'
import { checkSelector, locateItem, type ProtectedItemRef, workloadIn } from './items.ts'
import { vmId, vmOfContainer } from './machines.ts'
import { plural } from './phrases.ts'
import type { Plan, PlannedRequest } from './plans.ts'
import { nameIn, readPolicy } from './policies.ts'
import type { Posture } from './security.ts'
import { checkVault } from './vault-names.ts'

interface VmInput {
  vault?: string
  item: string
  workload_type?: Workload
  policy_name?: string
  auto_protect?: boolean
}

/** Throws InputError for what names no VM, no vault or no policy; nothing was sent then. */
export const checkVmInput = (input: VmInput, context: ToolContext, ...more: (() => unknown)[]): void =>
  checkAll(
    () => checkVault(input.vault, context),
    () => checkSelector(input.item, input.workload_type),
    () => {
      const parsed = parseArmId(input.item)
      const own = parsed && workloadIn(parsed)
      const isOther = [own, input.workload_type].find(each => each !== undefined && each !== 'VM')
      if (isOther && own !== isOther)
        throw badArgument('workload_type', `is ${isOther}; this version changes the protection of VMs only`)
      if (isOther)
        throw badArgument('item', `is a ${datasources[isOther].noun}; this version changes the protection of VMs only`)
    },
    () => input.policy_name !== undefined && nameIn(input.policy_name),
    () => {
      if (input.auto_protect) throw badArgument('auto_protect', 'is for SQL instances; a VM has no such choice')
    },
    ...more,
  )

/** The item of a VM that the vault protects. Throws InputError where the selector means anything else. */
export const locateProtectedVm = async (
  { item, workload_type: workload }: VmInput,
  vault: VaultRef,
  context: ToolContext,
): Promise<ProtectedItemRef> => {
  const ref = await locateItem(item, workload, vault, context)
  mustBeVm(ref.names)
  return ref
}

export interface VmPolicy {
  name: string
  id: string
  properties: Fields
}

/** A policy by name or ARM id. Throws InputError for one of another vault or of another workload. */
export const readVmPolicy = async (given: string, vault: VaultRef, context: ToolContext): Promise<VmPolicy> => {
  const parsed = parseArmId(given)
  const own = parsed && vaultOf(parsed)
  if (own && !sameText(own.id, vault.id))
    throw badArgument('policy_name', `lies in the vault ${own.id}, but the item in ${vault.id}`)
  const body = await readPolicy(nameIn(given), vault, context)
  const properties = fields(body.properties)
  const name = text(body.name) ?? nameIn(given)
  const managementType = text(properties.backupManagementType)
  if (sameText(managementType, datasources.VM.managementType))
    return { name, id: `${vault.id}/backupPolicies/${name}`, properties }
  const workload = workloadWord(text(properties.workLoadType) ?? text(properties.workloadType), managementType)
  throw badArgument(
    'policy_name',
    `${name} is a policy for ${workload}, which protects no VM; recovery_services_list_policies with workload_type VM shows those that do`,
  )
}

/** `410 recovery points (2025-10-18 to 2026-11-21)`. */
export const pointsInWords = ({ count, oldest, newest }: Points): string => {
  const days = [...new Set([oldest, newest].flatMap(time => time?.slice(0, 10) ?? []))]
  const number =
    count === null ? 'all recovery points' : count === 0 ? 'no recovery points' : plural(count, 'recovery points')
  return days.length > 0 && count !== 0 ? `${number} (${days.join(' to ')})` : number
}

/** No backups are made of it. */
export const hasEnded = (item: ItemState): boolean => isStopped(item) || isSuspended(item) || item.policyName === null

/** Id of an item's VM: as the item tells it, as it was given, else by the names, in the vault's subscription. */
export const sourceOf = ({ sourceId, vmId: given, id, names, vault }: ItemState): string => {
  const known = sourceId ?? given
  if (known !== undefined) return known
  const container = parseArmId(id)?.names.get('protectioncontainers') ?? ''
  const provider = vmOfContainer(container)?.provider ?? 'Compute'
  const { resourceGroup, vmName } = names
  return vmId({ provider, subscriptionId: undefined, resourceGroup: resourceGroup ?? '', vmName: vmName ?? '' }, vault)
}

/** A PUT of a VM's item, which starts a job. `isDone`: whether the item has become what was wanted. */
export const putVm = (
  item: ItemState,
  wanted: Fields,
  operation: string,
  isDone: (now: ItemState) => boolean,
): PlannedRequest => ({
  method: 'PUT',
  path: item.id,
  body: {
    properties: {
      protectedItemType: text(item.properties.protectedItemType) ?? typeOf(sourceOf(item)),
      sourceResourceId: sourceOf(item),
      ...wanted,
    },
  },
  before: item.standing,
  isDone: after => {
    const now = itemStateOf(item, after)
    return now.exists && isDone(now)
  },
  job: { operation, names: item.names },
})

/** The type of a VM by its id, classic or not: `Microsoft.Compute/virtualMachines`. */
const typeOf = (sourceId: string): string => `${parseArmId(sourceId)?.provider ?? 'Microsoft.Compute'}/virtualMachines`

export const isUnder = ({ policyName, isSoftDeleted }: ItemState, { name }: Pick<VmPolicy, 'name'>): boolean =>
  !isSoftDeleted && sameText(policyName, name)

/** What the words of a plan for an item rest on. */
export const basisOf = (item: ItemState, { security }: Posture): unknown => [
  item.protectionState,
  item.isSoftDeleted,
  item.policyName,
  item.points,
  security,
]

/** A plan that sends nothing: the item is already what was asked for. */
export const nothingToDo = (summary: string, item: ItemState, posture: Posture): Plan => ({
  summary,
  requests: [],
  keeps: [],
  loses: [],
  posture,
  itemId: item.id,
})

export interface VmPlan {
  plan: Plan
  item: ItemState
  /** What is to be told when it is done: what happened, and what is next. */
  done: string
}

const working =
  'Azure has accepted it and is at work on it; recovery_services_track_async_operation with operation_id tells how it ends.'

/** The result of a change of a VM's protection. */
export const vmResult = (changed: Changed, { plan, item, done }: VmPlan) => ({
  ...changed,
  vault_name: item.vault.vaultName,
  item_id: plan.itemId,
  friendly_name: item.names.friendlyName,
  ...(changed.status === 'planned' ? {} : { message: messageOf(changed, plan, done) }),
})

const messageOf = ({ status }: Changed, { requests, summary }: Plan, done: string): string => {
  if (requests.length === 0) return `${summary} Nothing was sent to Azure.`
  return status === 'in_progress' ? working : done
}

export const named = (item: ItemState): string => calledBy(item.names)
