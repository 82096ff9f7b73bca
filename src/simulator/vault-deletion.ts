/** The end of a vault, and what is left of it (sections 1.3 and 1.6 of the wire facts). */
import { accepted, azureTime, page, startOperation } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { lateFailure } from './faults.ts'
import {
  groupOf,
  inLocation,
  inVault,
  isBeingDeleted,
  subscriptionOf,
  vaultBusy,
  vaultGone,
  vaultIdOf,
} from './finding.ts'
import { isSame } from './odata.ts'
import { Refusal } from './refusal.ts'
import { type DeletedVault, keyOf, type Vault } from './state.ts'
import { later, operationMs, places } from './vault-operations.ts'
import { isLongRunning } from './vault-rows.ts'
import type { Effects, World } from './world.ts'

const footer =
  '\nPlease ensure all containers have been unregistered from the vault and all private endpoints associated with the vault have been deleted, and retry operation. For more details, see https://aka.ms/AB-AA4ecq5'

/** Throws Refusal 400 where something is left in the vault; the names are in the text only (section 1.3). */
const checkEmpty = ({ items, containers }: Vault): void => {
  const soft = [...items.values()].filter(({ softDeleted }) => softDeleted)
  const names = [...items.values()].map(({ friendlyName }) => friendlyName)
  if (items.size === 0) names.push(...[...containers.values()].map(({ friendlyName }) => friendlyName))
  if (names.length === 0) return
  const reason =
    items.size > 0 && soft.length === items.size
      ? `there are backup items in soft deleted state in the vault. The soft deleted items are permanently deleted after ${soft[0]?.softDeleted?.days ?? 14} days of delete operation. Please try vault deletion after the backup items are permanently deleted and there is no item in soft deleted state left in the vault.For more information, refer https://aka.ms/SoftDeleteCloudWorkloads.`
      : 'there are existing resources within the vault.'
  throw new Refusal(
    400,
    'ServiceResourceNotEmptyWithBackendMessage',
    `Recovery Services vault cannot be deleted as ${reason} The registered items are : ${names.join(', ')}${footer}`,
  )
}

/** Accepted work that puts something into the vault. */
const fillers = ['item-change', 'container-register']

const isBeingFilled = ({ state }: World, { id }: Vault): boolean =>
  state.due.some(({ kind, vault }) => fillers.includes(kind) && vault === keyOf(id))

const removeVault = ({ state, newGuid }: World, vault: Vault): void => {
  state.vaults.delete(keyOf(vault.id))
  state.deletedVaults.push({
    name: `${vault.resourceGroup}_${newGuid()}`,
    vaultId: vault.id,
    subscriptionId: vault.subscriptionId,
    location: vault.location,
    deletedMs: state.nowMs,
    operations: vault.operations,
  })
}

/** ARM's DELETE: nothing there is 204. */
const deleteVault = (call: Call): Answer => {
  const { world, apiVersion } = call
  const group = groupOf(call)
  const vault = world.state.vaults.get(keyOf(vaultIdOf(group.subscriptionId, group.name, call.params.vault ?? '')))
  if (!vault) return { status: 204 }
  checkEmpty(vault)
  if (isBeingFilled(world, vault)) throw vaultBusy(vault)
  if (!isLongRunning(apiVersion)) {
    removeVault(world, vault)
    return { status: 200 }
  }
  const error = lateFailure(world, call.method, call.path)
  const operation = startOperation(world, vault, operationMs, { error })
  if (!error && !isBeingDeleted(world, vault)) later(world, vaultGone, vault)
  return accepted(call, operation, places(vault.id))
}

const toDeletedVault = ({ name, vaultId, subscriptionId, location, deletedMs }: DeletedVault) => ({
  id: `/subscriptions/${subscriptionId}/providers/Microsoft.RecoveryServices/locations/${location}/deletedVaults/${name}`,
  name,
  type: 'Microsoft.RecoveryServices/locations/deletedVaults',
  location,
  // Only what held nothing can be deleted here: it was purged at once.
  properties: { vaultId, vaultDeletionTime: azureTime(deletedMs), purgeAt: azureTime(deletedMs) },
})

const deletedVaults = (call: Call): DeletedVault[] => {
  const { id } = subscriptionOf(call)
  return call.world.state.deletedVaults.filter(
    ({ subscriptionId, location }) => isSame(subscriptionId, id) && isSame(location, call.params.location),
  )
}

const getDeletedVault = (call: Call): Answer => {
  const name = call.params.deleted ?? ''
  const found = deletedVaults(call).find(each => isSame(each.name, name))
  if (found) return ok(toDeletedVault(found))
  throw new Refusal(404, 'ResourceNotFound', `The deleted vault '${name}' was not found.`)
}

export const vaultDeletionRoutes: readonly Route[] = [
  { method: 'DELETE', path: inVault, handle: deleteVault },
  {
    method: 'GET',
    path: `${inLocation}/deletedVaults`,
    handle: call => page(call, deletedVaults(call), toDeletedVault),
  },
  { method: 'GET', path: `${inLocation}/deletedVaults/{deleted}`, handle: getDeletedVault },
]

export const vaultDeletionEffects: Effects = {
  [vaultGone]: (world, { vault: key }) => {
    const vault = world.state.vaults.get(key)
    if (vault) removeVault(world, vault)
  },
}
