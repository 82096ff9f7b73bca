/**
 * The two ways to end backups of a VM and keep its points: stop, after which none expires, and suspend, after which they
 * expire by the policy (section 6.3 of the wire facts). Immutable vaults refuse the first, all others the second.
 */
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { type ItemState, isStopped, isSuspended } from './item-state.ts'
import type { Plan, PlannedRequest } from './plans.ts'
import { policyLines } from './policy-lines.ts'
import { isImmutable, type Posture, withGuard } from './security.ts'
import { named, pointsInWords, putVm, readVmPolicy } from './vm-changes.ts'

/** An item that is to be protected no more. */
export interface Case {
  item: ItemState
  posture: Posture
  nowMs: number
}

/** What is different from way to way; a plan's `basis` is what it rests on beside item and vault. `already`: the words where nothing is to be done, else undefined. `done`: what to tell. */
export interface Ending {
  already(of: Case): string | undefined
  mustBeAllowed(of: Case): void
  plan(of: Case, context: ToolContext): Promise<Pick<Plan, 'summary' | 'requests' | 'keeps' | 'loses' | 'basis'>>
  done(of: Case): string
}

const resume = 'recovery_services_resume_protection protects it again.'

const refused = ({ item }: Case, message: string, remediation: string): Problem =>
  new Problem('precondition_failed', message, remediation, { details: { item_id: item.id } })

/** Throws `precondition_failed` in an immutable vault. */
export const mustBeMutable = (of: Case, what: string): void => {
  if (!isImmutable(of.posture)) return
  throw refused(
    of,
    `${of.item.vault.vaultName} is immutable: Azure refuses to ${what} in it.`,
    isSuspended(of.item)
      ? 'Its backups are suspended already, and its recovery points expire as per policy.'
      : 'Use retain: "as_per_policy": backups stop, and recovery points expire when the policy says.',
  )
}

export const noMoreBackups = ({ item }: Case): string[] =>
  isStopped(item) || isSuspended(item)
    ? []
    : [`no new recovery points from now on: ${item.policyName ?? 'its policy'} no longer backs ${named(item)} up`]

/** A PUT that ends backups. Stopping takes the policy away, suspending keeps it. */
const ending = ({ item, posture }: Case, state: string, policyId: string): PlannedRequest =>
  putVm(
    item,
    withGuard({ protectionState: state, policyId }, posture, 'updateProtectedItemRequests'),
    'DisableBackup',
    now => now.protectionState === state && !now.isSoftDeleted,
  )

export const stop: Ending = {
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

export const suspend: Ending = {
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
      basis: terms,
    }
  },
  done: ({ item }) => `Backups of ${named(item)} are suspended. ${resume}`,
}
