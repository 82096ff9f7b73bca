/** Ending the protection of a VM: `disable_protection` in its three ways (endings.ts, deleting.ts). */
import type { DisableProtectionInput } from '../generated/tools.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { remove } from './deleting.ts'
import { type Case, type Ending, stop, suspend } from './endings.ts'
import { mustExist, mustNotBeSoftDeleted, readItemWithPoints } from './item-state.ts'
import { postureOf } from './security.ts'
import { withVaultOf } from './vault-names.ts'
import { basisOf, checkVmInput, locateProtectedVm, nothingToDo, type VmPlan, vmResult } from './vm-changes.ts'

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
  return {
    plan: { ...made, posture, itemId: item.id, basis: [basisOf(item, posture), made.basis] },
    item,
    done: done(of),
  }
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
