/** Work on an item that is accepted and done later: backup, restore, item-level recovery, move (section 10.1). */
import { accepted, startOperation } from './answers.ts'
import type { Answer, Call } from './call.ts'
import { lateFailure } from './faults.ts'
import { itemIdOf } from './finding.ts'
import type { Item, Operation, Vault } from './state.ts'

/** The operation only begins the work: whoever follows it is soon given the job. */
const operationMs = 3_000

/** 202 with both addresses on the item. `begin` starts the work, unless the operation is going to fail. */
export const acceptOnItem = (
  call: Call,
  vault: Vault,
  item: Item,
  begin: () => Partial<Operation>,
  lastsMs = operationMs,
): Answer => {
  const { world, method, path } = call
  const error = lateFailure(world, method, path)
  const operation = startOperation(world, vault, lastsMs, error ? { error } : begin())
  const place = itemIdOf(vault, item)
  return accepted(call, operation, { status: `${place}/operationsStatus`, result: `${place}/operationResults` })
}
