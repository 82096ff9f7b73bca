/** Operations on vaults themselves: begun here, asked after even when the vault is gone (section 10.1 of the wire facts). */
import type { Fields } from '../backup/fields.ts'
import { operationResult } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { groupOf, inVault, vaultIdOf, vaultOf } from './finding.ts'
import { isSame } from './odata.ts'
import { resourceNotFound } from './refusal.ts'
import { keyOf, type Operation, type State, type Vault } from './state.ts'
import { toVault } from './vault-rows.ts'
import type { World } from './world.ts'

/** How long making, changing and deleting take. */
export const operationMs = 5000

/** Where such an operation is asked after. */
export const places = (vaultId: string) => ({
  status: `${vaultId}/operationStatus`,
  result: `${vaultId}/operationResults`,
})

/** Lets something happen to the vault when its operation ends. */
export const later = (world: World, kind: string, vault: Vault, more?: Fields): void =>
  world.schedule({ atMs: world.state.nowMs + operationMs, kind, vault: keyOf(vault.id), of: keyOf(vault.id), more })

/** Of a vault, or of what is left of it. Throws Refusal 404. */
const vaultOperationOf = (call: Call): Operation => {
  const { subscriptionId, name: group } = groupOf(call)
  const id = vaultIdOf(subscriptionId, group, call.params.vault ?? '')
  const { vaults, deletedVaults }: State = call.world.state
  const left = deletedVaults.filter(({ vaultId }) => isSame(vaultId, id))
  const found = [vaults.get(keyOf(id)), ...left].map(each => each?.operations.get(keyOf(call.params.operation ?? '')))
  const operation = found.find(Boolean)
  if (operation) return operation
  throw resourceNotFound('Microsoft.RecoveryServices/vaults', call.params.vault ?? '', group)
}

/** Three fields and no times (section 1.1). */
const getOperationStatus = (call: Call): Answer => {
  const { id, endMs, error } = vaultOperationOf(call)
  const { world } = call
  const common = { id, name: id }
  if (world.state.nowMs < endMs)
    return {
      ...ok({ ...common, status: 'InProgress' }),
      headers: { 'retry-after': String(world.clock.realSeconds(endMs - world.state.nowMs)) },
    }
  return ok(error ? { ...common, status: 'Failed', error } : { ...common, status: 'Succeeded' })
}

const getOperationResult = (call: Call): Answer =>
  operationResult(call, vaultOperationOf(call), () => toVault(call.world, call.apiVersion, vaultOf(call)))

export const vaultOperationRoutes: readonly Route[] = [
  { method: 'GET', path: `${inVault}/operationStatus/{operation}`, handle: getOperationStatus },
  { method: 'GET', path: `${inVault}/operationResults/{operation}`, handle: getOperationResult },
]
