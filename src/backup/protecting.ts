/**
 * Protecting a VM, and changing what protects it. Azure has one PUT for both (sections 6.1 and 6.2 of the wire facts), and no
 * word for the difference: the plan reads the item and says which it is. The VM itself is not read, Azure checks its region.
 */
import type { EnableProtectionInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { checkDisks, diskProperties, disksInWords, disksLeftOut } from './disks.ts'
import { type ItemState, mustNotBeSoftDeleted, readItemWithPoints } from './item-state.ts'
import { locateVm } from './items.ts'
import { policyLines } from './policy-lines.ts'
import { swapOf } from './policy-swaps.ts'
import { type Posture, postureOf } from './security.ts'
import { withVaultOf } from './vault-names.ts'
import {
  basisOf,
  checkVmInput,
  hasEnded,
  isUnder,
  named,
  nothingToDo,
  pointsInWords,
  putVm,
  readVmPolicy,
  type VmPlan,
  type VmPolicy,
  vmResult,
} from './vm-changes.ts'
import { explained } from './vm-refusals.ts'

/** At most four reads beside the two lists for a bare name: vault, policy, item, and the policy that the item has. */
const planOf = async (vault: VaultRef, input: EnableProtectionInput, context: ToolContext): Promise<VmPlan> => {
  const find = async () => readItemWithPoints(await locateVm(input.item, vault, context), context)
  const isSurelyVm = input.item.startsWith('/') || input.workload_type === 'VM'
  const reading = readVmPolicy(input.policy_name, vault, context)
  const [policy, posture, item] = await Promise.all([
    reading,
    postureOf(vault, context),
    // Nothing is looked for under a policy of another workload.
    isSurelyVm ? find() : reading.then(find),
  ])
  if (!item.exists) return protectPlan(item, policy, posture, input)
  mustNotBeSoftDeleted(item)
  mustNotBeStopped(item, policy)
  const present = isUnder(item, policy) ? policy : await readVmPolicy(item.policyName ?? '', vault, context)
  return changePlan(item, present, policy, posture, input)
}

const protectPlan = (item: ItemState, policy: VmPolicy, posture: Posture, input: EnableProtectionInput): VmPlan => {
  const disks = diskProperties({}, input)
  const name = named(item)
  return {
    plan: {
      summary: `Protect ${name} in ${item.vault.vaultName} under ${policy.name} (${policyLines(policy.properties).summary}); backups take ${disksInWords(disks)}.`,
      requests: [
        putVm(
          item,
          { policyId: policy.id, ...disks },
          'ConfigureBackup',
          now => isUnder(now, policy) && disksInWords(now.properties) === disksInWords(disks),
        ),
      ],
      keeps: [],
      loses: [],
      posture,
      itemId: item.id,
    },
    item,
    done: `${name} is protected under ${policy.name}. It has no recovery point yet: the schedule makes the first, or recovery_services_trigger_backup now.`,
  }
}

const mustNotBeStopped = (item: ItemState, policy: VmPolicy): void => {
  if (!hasEnded(item)) return
  throw new Problem(
    'precondition_failed',
    `Protection of ${named(item)} was stopped (${item.protectionState}); its recovery points are kept, and a policy would let them expire again.`,
    `Resume it with recovery_services_resume_protection, item ${item.id} and policy_name ${policy.name}.`,
    { details: { item_id: item.id } },
  )
}

const changePlan = (
  item: ItemState,
  present: VmPolicy,
  policy: VmPolicy,
  posture: Posture,
  input: EnableProtectionInput,
): VmPlan => {
  const name = named(item)
  const disks = diskProperties(item.properties, input)
  const [diskWords, presentWords] = [disksInWords(disks), disksInWords(item.properties)]
  const isSwap = !isUnder(item, policy)
  const isOther = diskWords !== presentWords
  if (!isSwap && !isOther) {
    const summary = `${name} is protected under ${policy.name} already; backups take ${diskWords}.`
    return { plan: nothingToDo(summary, item, posture), item, done: summary }
  }
  const { lost, loses, guarded } = swapOf(item, present, policy, posture)
  const changes = [
    isSwap ? `change the policy from ${present.name} to ${policy.name}` : '',
    isOther ? `let backups take ${diskWords} instead of ${presentWords}` : '',
  ].filter(Boolean)
  const leftOut = disksLeftOut(item.properties, disks)
  return {
    plan: {
      summary: `${name} is protected already: ${changes.join(', and ')}.`,
      requests: [
        putVm(
          item,
          guarded({ policyId: policy.id, ...disks }),
          'ConfigureBackup',
          now => isUnder(now, policy) && disksInWords(now.properties) === diskWords,
        ),
      ],
      keeps: [
        ...(isSwap && loses.length === 0 ? [`${pointsInWords(item.points)}, each as long as before or longer`] : []),
        ...(isOther ? ['the disks in the recovery points that there are'] : [`the choice of disks: ${diskWords}`]),
      ],
      loses: [
        ...loses,
        ...(leftOut === undefined
          ? []
          : [
              `no new backups of ${leftOut} of ${name}: recovery points to come are without, and what is in the others expires with them`,
            ]),
      ],
      posture,
      itemId: item.id,
      basis: [basisOf(item, posture), lost, presentWords],
    },
    item,
    done: `${name} is protected under ${policy.name}; backups take ${diskWords}.`,
  }
}

const enableProtection: Handlers['enable_protection'] = async (input, context) => {
  checkVmInput(input, context, () => checkDisks(input))
  return withVaultOf('item', input.item, input.vault, context, async vault => {
    const made = await planOf(vault, input, context)
    try {
      const { changed } = await carryOut('enable_protection', input, context, made.plan, 45)
      return vmResult(changed, made)
    } catch (error) {
      throw error instanceof Problem ? await explained(error, made, context) : error
    }
  })
}

export const protecting = { enable_protection: enableProtection } satisfies Partial<Handlers>
