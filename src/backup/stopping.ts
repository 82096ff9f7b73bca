/**
 * Ending the protection of a VM: stop and keep its points, suspend it (its points expire by the policy: immutable vaults),
 * or stop and delete them (sections 6.3 and 6.4 of the wire facts). Immutable vaults refuse the first and the last.
 */
import type { DisableProtectionInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { isoTime, seconds } from './fields.ts'
import {
  type ItemState,
  isStopped,
  isSuspended,
  itemStateOf,
  mustExist,
  mustNotBeSoftDeleted,
  readItemWithPoints,
} from './item-state.ts'
import type { Plan, PlannedRequest } from './plans.ts'
import { policyLines } from './policy-lines.ts'
import { isImmutable, isSoftDeleteOn, type Posture, postureOf, withGuard } from './security.ts'
import { withVaultOf } from './vault-names.ts'
import {
  basisOf,
  checkVmInput,
  locateProtectedVm,
  named,
  nothingToDo,
  pointsInWords,
  putVm,
  readVmPolicy,
  type VmPlan,
  vmResult,
} from './vm-changes.ts'

type Way = 'stop' | 'suspend' | 'delete'

const wayOf = ({ delete_backup_data: deletes, retain }: DisableProtectionInput): Way => {
  if (deletes) return 'delete'
  return retain === 'as_per_policy' ? 'suspend' : 'stop'
}

/** Throws InputError where data is to be deleted and kept. */
const checkWay = ({ delete_backup_data: deletes, retain }: DisableProtectionInput): void => {
  if (deletes && retain !== undefined)
    throw badArgument('retain', 'cannot be given with delete_backup_data: the data is kept or deleted')
}

interface Case {
  item: ItemState
  posture: Posture
  nowMs: number
}

/** What is different from way to way. `already`: the words where nothing is to be done, else undefined. */
interface Ending {
  already(of: Case): string | undefined
  mustBeAllowed(of: Case): void
  plan(of: Case, context: ToolContext): Promise<Pick<Plan, 'summary' | 'requests' | 'keeps' | 'loses'>>
  done(of: Case): string
}

const dayMs = 24 * 3_600_000
const dayOf = (atMs: number): string => isoTime(atMs).slice(0, 10)
const resume = 'recovery_services_resume_protection protects it again.'

const refused = ({ item }: Case, message: string, remediation: string): Problem =>
  new Problem('precondition_failed', message, remediation, { details: { item_id: item.id } })

const mustBeMutable = (of: Case, what: string): void => {
  if (!isImmutable(of.posture)) return
  throw refused(
    of,
    `${of.item.vault.vaultName} is immutable: Azure refuses to ${what} in it.`,
    isSuspended(of.item)
      ? 'Its backups are suspended already, and its recovery points expire as per policy.'
      : 'Use retain: "as_per_policy": backups stop, and recovery points expire when the policy says.',
  )
}

const noMoreBackups = ({ item }: Case): string[] =>
  isStopped(item) || isSuspended(item)
    ? []
    : [`no new recovery points from now on: ${item.policyName ?? 'its policy'} no longer backs ${named(item)} up`]

/** A PUT that ends backups. Stopping takes the policy away, suspending keeps it. */
const ending = ({ item, posture }: Case, state: string, policyId: string): PlannedRequest =>
  putVm(
    item,
    item.sourceId ?? '',
    withGuard({ protectionState: state, policyId }, posture, 'updateProtectedItemRequests'),
    'DisableBackup',
    now => now.protectionState === state && !now.isSoftDeleted,
  )

const stop: Ending = {
  already: ({ item }) =>
    isStopped(item) && !item.isSoftDeleted
      ? `Protection of ${named(item)} is stopped already, and ${pointsInWords(item.points)} are kept.`
      : undefined,
  mustBeAllowed: of => mustBeMutable(of, 'stop protection and keep the data for good'),
  plan: async of => ({
    summary: `Stop the protection of ${named(of.item)} and keep its recovery points for good.`,
    requests: [ending(of, 'ProtectionStopped', '')],
    keeps: [`${pointsInWords(of.item.points)}: none expires until protection is resumed or they are deleted`],
    loses: noMoreBackups(of),
  }),
  done: ({ item }) =>
    `Protection of ${named(item)} is stopped; ${pointsInWords(item.points)} are kept, and go on costing. ${resume}`,
}

const suspend: Ending = {
  already: ({ item }) =>
    isSuspended(item) && !item.isSoftDeleted
      ? `Backups of ${named(item)} are suspended already; ${pointsInWords(item.points)} expire as ${item.policyName} says.`
      : undefined,
  mustBeAllowed: of => {
    if (isStopped(of.item) || of.item.policyName === null)
      throw refused(
        of,
        `Protection of ${named(of.item)} is stopped: it has no policy by which its recovery points could expire.`,
        'Resume it under a policy with recovery_services_resume_protection first, or leave it: its points are kept for good.',
      )
    if (isImmutable(of.posture)) return
    throw refused(
      of,
      `${of.item.vault.vaultName} is not immutable, and Azure offers retain: "as_per_policy" in immutable vaults only.`,
      'Leave retain out: recovery points are kept for good, and can be deleted later with delete_backup_data.',
    )
  },
  plan: async (of, context) => {
    const { item } = of
    const policy = await readVmPolicy(item.policyName ?? '', item.vault, context)
    const terms = policyLines(policy.properties).retention
    return {
      summary: `Suspend backups of ${named(item)}; its recovery points expire as ${policy.name} says.`,
      requests: [ending(of, 'BackupsSuspended', policy.id)],
      keeps: [`${pointsInWords(item.points)}, each until ${policy.name} lets it expire`],
      loses: [
        ...noMoreBackups(of),
        `recovery points go on expiring, and none take their place: ${policy.name} keeps ${terms}`,
      ],
    }
  },
  done: ({ item }) => `Backups of ${named(item)} are suspended. ${resume}`,
}

const remove: Ending = {
  already: ({ item, posture, nowMs }) => {
    if (!item.isSoftDeleted) return undefined
    const left = seconds(item.properties.deferredDeleteTimeRemaining)
    const until = left === null ? '' : ` until ${dayOf(nowMs + left * 1000)}`
    const now = isSoftDeleteOn(posture)
      ? ''
      : ' Soft delete is off now: undeleted and deleted once more, it is gone at once.'
    return `${named(item)} is soft-deleted already, and kept${until}.${now}`
  },
  mustBeAllowed: of => mustBeMutable(of, 'delete recovery points'),
  plan: async of => {
    const { item, posture, nowMs } = of
    const points = pointsInWords(item.points)
    return {
      summary: `Stop the protection of ${named(item)} and delete its recovery points.`,
      requests: [...unlocking(of), deleting(item)],
      keeps: ['the VM itself'],
      loses: [
        ...noMoreBackups(of),
        isSoftDeleteOn(posture)
          ? `${points}: soft-deleted for ${softDays(posture)} days; recovery_services_undelete_protected_item brings them back until ${lastDay(posture, nowMs)}, after that they are gone for good`
          : `${points}: soft delete is off, so they are gone at once and for good; nothing brings them back`,
      ],
    }
  },
  done: ({ item, posture, nowMs }) =>
    isSoftDeleteOn(posture)
      ? `${named(item)} is soft-deleted: recovery_services_undelete_protected_item brings it back until ${lastDay(posture, nowMs)}, after that it is gone for good.`
      : `${named(item)} and its recovery points are deleted for good.`,
}

const softDays = ({ security }: Posture): number => security.soft_delete_days ?? 14
const lastDay = (posture: Posture, nowMs: number): string => dayOf(nowMs + softDays(posture) * dayMs)

const deleting = (item: ItemState): PlannedRequest => ({
  method: 'DELETE',
  path: item.id,
  before: item.standing,
  isDone: after => {
    const now = itemStateOf(item, after)
    return !now.exists || now.isSoftDeleted
  },
  job: { operation: 'DeleteBackupData', names: item.names },
})

/** A DELETE takes no request of a guard: it passes while it is unlocked (section 11.4). */
const unlocking = ({ item, posture: { guard } }: Case): PlannedRequest[] =>
  guard
    ? [
        {
          method: 'POST',
          path: `${guard.proxyId}/unlockDelete`,
          body: {
            resourceGuardOperationRequests: [guard.requestFor('deleteProtectedItemRequests')],
            resourceToBeDeleted: item.id,
          },
          note: 'lets the Resource Guard allow the deletion',
        },
      ]
    : []

const endings: Readonly<Record<Way, Ending>> = { stop, suspend, delete: remove }

const planOf = async (vault: VaultRef, input: DisableProtectionInput, context: ToolContext): Promise<VmPlan> => {
  const ref = await locateProtectedVm(input, vault, context)
  const [item, posture] = await Promise.all([readItemWithPoints(ref, context), postureOf(vault, context)])
  mustExist(item)
  const way = wayOf(input)
  const of: Case = { item, posture, nowMs: context.clock.now() }
  const { already, mustBeAllowed, plan, done } = endings[way]
  const words = already(of)
  if (words !== undefined) return { plan: nothingToDo(words, item, posture), item, done: words }
  if (way !== 'delete') mustNotBeSoftDeleted(item)
  mustBeAllowed(of)
  const made = await plan(of, context)
  return { plan: { ...made, posture, itemId: item.id, basis: basisOf(item, posture) }, item, done: done(of) }
}

const disableProtection: Handlers['disable_protection'] = async (input, context) => {
  checkVmInput(input, context, () => checkWay(input))
  return withVaultOf('item', input.item, input.vault, context, async vault => {
    const made = await planOf(vault, input, context)
    const { changed } = await carryOut('disable_protection', input, context, made.plan)
    return vmResult(changed, made)
  })
}

export const stopping = { disable_protection: disableProtection } satisfies Partial<Handlers>
