/**
 * Resuming protection after a stop or a suspension: the PUT that protects (section 6.3 of the wire facts). What was stopped
 * keeps its points for good; a policy makes them expire again, and the plan has to say so.
 */
import type { ResumeProtectionInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { InputError } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { datasources } from './datasources.ts'
import { diskProperties, disksInWords } from './disks.ts'
import { fields, isoTime, whole } from './fields.ts'
import { filterOf } from './filters.ts'
import { type ItemState, mustExist, mustNotBeSoftDeleted, readItemWithPoints } from './item-state.ts'
import { policyNames } from './policies.ts'
import { policyLines } from './policy-lines.ts'
import { swapOf } from './policy-swaps.ts'
import { type Posture, postureOf } from './security.ts'
import { withVaultOf } from './vault-names.ts'
import {
  basisOf,
  checkVmInput,
  hasEnded,
  isUnder,
  locateProtectedVm,
  named,
  nothingToDo,
  pointsInWords,
  putVm,
  readVmPolicy,
  type VmPlan,
  type VmPolicy,
  vmResult,
} from './vm-changes.ts'

const dayMs = 24 * 3_600_000

const resumePlan = async (vault: VaultRef, input: ResumeProtectionInput, context: ToolContext): Promise<VmPlan> => {
  const ref = await locateProtectedVm(input, vault, context)
  const given = input.policy_name
  const [item, posture, asked] = await Promise.all([
    readItemWithPoints(ref, context),
    postureOf(vault, context),
    given === undefined ? undefined : readVmPolicy(given, vault, context),
  ])
  mustExist(item)
  mustNotBeSoftDeleted(item)
  if (!hasEnded(item)) return running(item, posture, asked)
  const present = item.policyName === null ? undefined : await presentOf(item, asked, context)
  const policy = asked ?? present
  if (!policy) throw await whichPolicy(item, context)
  const swap = present && swapOf(item, present, policy, posture)
  const loses = swap?.loses ?? expiring(item, policy, context.clock.now())
  const disks = diskProperties(item.properties)
  const wanted = { policyId: policy.id, ...disks }
  const name = named(item)
  return {
    plan: {
      summary: `Resume the protection of ${name} under ${policy.name} (${policyLines(policy.properties).summary}).`,
      requests: [
        putVm(item, swap?.guarded(wanted) ?? wanted, 'ConfigureBackup', now => isUnder(now, policy) && !hasEnded(now)),
      ],
      keeps: [
        ...(loses.length === 0 ? [`${pointsInWords(item.points)}, each as long as before or longer`] : []),
        `the choice of disks: ${disksInWords(disks)}`,
      ],
      loses,
      posture,
      itemId: item.id,
      basis: [basisOf(item, posture), policyLines(policy.properties).retention, swap?.lost ?? []],
    },
    item,
    done: `${name} is protected again, under ${policy.name}; the schedule makes its next recovery point, or recovery_services_trigger_backup now.`,
  }
}

const presentOf = async (item: ItemState, asked: VmPolicy | undefined, context: ToolContext): Promise<VmPolicy> =>
  asked && isUnder(item, asked) ? asked : readVmPolicy(item.policyName ?? '', item.vault, context)

/** Nothing was stopped. */
const running = (item: ItemState, posture: Posture, asked: VmPolicy | undefined): VmPlan => {
  const words = `${named(item)} is protected already, under ${item.policyName}.`
  if (!asked || isUnder(item, asked)) return { plan: nothingToDo(words, item, posture), item, done: words }
  throw new Problem(
    'precondition_failed',
    `${words} There is nothing to resume.`,
    `To put it under ${asked.name} use recovery_services_enable_protection.`,
    { details: { item_id: item.id } },
  )
}

/** What was stopped has no policy to go back to. */
const whichPolicy = async (item: ItemState, context: ToolContext): Promise<InputError> => {
  const query = filterOf({ backupManagementType: datasources.VM.managementType })
  const names = await policyNames(item.vault, context, query)
  return new InputError([
    {
      path: '/policy_name',
      message: `is needed: ${named(item)} lost its policy when it was stopped; ${item.vault.vaultName} has for VMs: ${names.join(', ') || 'none'}`,
    },
  ])
}

/** What a policy does to points that were kept for good: Azure gives each the end that the policy has for it. */
const expiring = ({ points }: ItemState, { name, properties }: VmPolicy, nowMs: number): string[] => {
  if (points.count === 0) return []
  const { dailySchedule } = fields(properties.retentionPolicy)
  const days = whole(fields(fields(dailySchedule).retentionDuration).count)
  const fromMs = days === null ? null : nowMs - days * dayMs
  const isOneOlder = fromMs === null || points.oldest === null || Date.parse(points.oldest) < fromMs
  const since = fromMs === null ? '' : ` (daily points: those from before ${isoTime(fromMs).slice(0, 10)})`
  return [
    `${pointsInWords(points)}, kept for good while protection is stopped, expire again by ${name}: ${policyLines(properties).retention}. ${
      isOneOlder ? `What is older than that${since} is deleted soon` : 'None is older than that yet'
    }`,
  ]
}

const resumeProtection: Handlers['resume_protection'] = async (input, context) => {
  checkVmInput(input, context)
  return withVaultOf('item', input.item, input.vault, context, async vault => {
    const made = await resumePlan(vault, input, context)
    const { changed } = await carryOut('resume_protection', input, context, made.plan, 45)
    return vmResult(changed, made)
  })
}

export const resuming = { resume_protection: resumeProtection } satisfies Partial<Handlers>
