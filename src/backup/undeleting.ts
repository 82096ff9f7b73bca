/** Bringing back what was soft-deleted, stopped (section 6.4 of the wire facts). */
import type { Handlers } from '../tools/context.ts'
import { carryOut } from './changes.ts'
import { type ItemState, mustExist, readItemWithPoints } from './item-state.ts'
import { type Posture, postureOf } from './security.ts'
import { withVaultOf } from './vault-names.ts'
import {
  basisOf,
  checkVmInput,
  locateProtectedVm,
  named,
  nothingToDo,
  pointsInWords,
  putVm,
  type VmPlan,
  vmResult,
} from './vm-changes.ts'

const planOf = (item: ItemState, posture: Posture): VmPlan => {
  mustExist(item)
  const name = named(item)
  if (!item.isSoftDeleted) {
    const words = `${name} is not soft-deleted (${item.protectionState}).`
    return { plan: nothingToDo(words, item, posture), item, done: words }
  }
  return {
    plan: {
      summary: `Bring back ${name}, which is soft-deleted, as an item whose protection is stopped.`,
      requests: [
        putVm(
          item,
          { isRehydrate: true, protectionState: 'ProtectionStopped', policyId: '' },
          'Undelete',
          now => !now.isSoftDeleted,
        ),
      ],
      keeps: [`${pointsInWords(item.points)}: none expires while protection is stopped`],
      loses: [],
      posture,
      itemId: item.id,
      basis: basisOf(item, posture),
    },
    item,
    done: `${name} is back with ${pointsInWords(item.points)}, stopped: no backups are made. Resume it with recovery_services_resume_protection, item ${item.id} and a policy_name (recovery_services_list_policies with workload_type VM shows them).`,
  }
}

const undeleteProtectedItem: Handlers['undelete_protected_item'] = async (input, context) => {
  checkVmInput(input, context)
  return withVaultOf('item', input.item, input.vault, context, async vault => {
    const ref = await locateProtectedVm(input, vault, context)
    const [item, posture] = await Promise.all([readItemWithPoints(ref, context), postureOf(vault, context)])
    const made = planOf(item, posture)
    const { changed } = await carryOut('undelete_protected_item', input, context, made.plan, 45)
    return vmResult(changed, made)
  })
}

export const undeleting = { undelete_protected_item: undeleteProtectedItem } satisfies Partial<Handlers>
