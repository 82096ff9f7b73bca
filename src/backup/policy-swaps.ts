/** An item that goes from the policy it has to another, or back to its own: what that costs, and whom it has to pass. */
import { Problem } from '../problem.ts'
import type { Fields } from './fields.ts'
import type { ItemState } from './item-state.ts'
import { isRetentionLowered, retentionLost } from './policy-effects.ts'
import { isImmutable, type Posture, withGuard } from './security.ts'
import { pointsInWords, type VmPolicy } from './vm-changes.ts'

export interface Swap {
  /** What is kept for a shorter time, a sentence each. */
  lost: string[]
  /** For `loses` of a plan: one line where the policy keeps less, else none. */
  loses: string[]
  /** What is sent: with the request of the vault's guard, where the guard is about it. */
  guarded(wanted: Fields): Fields
}

/** Throws `precondition_failed` in an immutable vault for a policy that keeps less. */
export const swapOf = (item: ItemState, present: VmPolicy, policy: VmPolicy, posture: Posture): Swap => {
  const lost = retentionLost(present.properties, policy.properties)
  const isLowered = isRetentionLowered(present.properties, policy.properties)
  if (isLowered && isImmutable(posture))
    throw new Problem(
      'precondition_failed',
      `${item.vault.vaultName} is immutable, and ${policy.name} keeps less than ${present.name}: ${lost.join('; ')}. Azure refuses that.`,
      `Choose a policy that keeps every kind of recovery point at least as long as ${present.name}; recovery_services_list_policies shows what each keeps.`,
      { details: { item_id: item.id } },
    )
  const which = item.points.count === 0 ? 'recovery points to come' : `some of ${pointsInWords(item.points)}`
  return {
    lost,
    loses: lost.length > 0 ? [`${which} expire sooner under ${policy.name}: ${lost.join('; ')}`] : [],
    guarded: wanted => (isLowered ? withGuard(wanted, posture, 'updateProtectedItemRequests') : wanted),
  }
}
