/** The things that a path names. Each throws the Refusal that Azure has for one that is not there. */
import type { Call } from './call.ts'
import { Refusal, resourceNotFound } from './refusal.ts'
import { type Container, type Item, type Job, keyOf, type Policy, type Vault } from './state.ts'
import type { World } from './world.ts'

/** Paths that routes begin with. */
export const inSubscription = '/subscriptions/{subscription}'
export const inGroup = `${inSubscription}/resourceGroups/{group}`
export const inVault = `${inGroup}/providers/Microsoft.RecoveryServices/vaults/{vault}`
export const inFabric = `${inVault}/backupFabrics/{fabric}`
export const inContainer = `${inFabric}/protectionContainers/{container}`
export const inItem = `${inContainer}/protectedItems/{item}`
export const inPoint = `${inItem}/recoveryPoints/{point}`
export const inLocation = `${inSubscription}/providers/Microsoft.RecoveryServices/locations/{location}`

const param = ({ params }: Call, name: string): string => params[name] ?? ''

export const subscriptionOf = (call: Call) => {
  const id = param(call, 'subscription')
  const found = call.world.state.subscriptions.get(keyOf(id))
  if (found) return found
  throw new Refusal(404, 'SubscriptionNotFound', `The subscription '${id}' could not be found.`)
}

export const groupOf = (call: Call) => {
  const { id } = subscriptionOf(call)
  const name = param(call, 'group')
  const found = call.world.state.groups.get(keyOf(id, name))
  if (found) return found
  throw new Refusal(404, 'ResourceGroupNotFound', `Resource group '${name}' could not be found.`)
}

export const vaultIdOf = (subscriptionId: string, group: string, name: string): string =>
  `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/Microsoft.RecoveryServices/vaults/${name}`

/** The effect that takes a vault away. */
export const vaultGone = 'vault-gone'

export const isBeingDeleted = ({ state }: World, { id }: Vault): boolean =>
  state.due.some(({ kind, vault }) => kind === vaultGone && vault === keyOf(id))

export const vaultBusy = ({ name }: Vault): Refusal =>
  new Refusal(
    409,
    'AnotherOperationInProgress',
    `Another operation on the vault '${name}' or on something in it is in progress. Please retry when it is over.`,
  )

/** A vault that is being deleted can be looked at only. */
export const vaultOf = (call: Call): Vault => {
  const group = groupOf(call)
  const name = param(call, 'vault')
  const found = call.world.state.vaults.get(keyOf(vaultIdOf(group.subscriptionId, group.name, name)))
  if (found && call.method !== 'GET' && isBeingDeleted(call.world, found)) throw vaultBusy(found)
  if (found) return found
  throw resourceNotFound('Microsoft.RecoveryServices/vaults', name, group.name)
}

export const policyOf = (call: Call): Policy => {
  const name = param(call, 'policy')
  const found = vaultOf(call).policies.get(keyOf(name))
  if (found) return found
  throw new Refusal(404, 'BMSUserErrorPolicyNotFound', `Backup policy ${name} was not found in the vault.`)
}

export const containerOf = (call: Call): Container => {
  const found = vaultOf(call).containers.get(keyOf(param(call, 'container')))
  if (found) return found
  throw new Refusal(
    404,
    'BMSUserErrorContainerObjectNotFound',
    'Specified container does not exist.\r\nPlease check the container name.',
  )
}

export const itemKey = (call: Call): string => keyOf(param(call, 'container'), param(call, 'item'))

export const itemOf = (call: Call): Item => {
  const found = vaultOf(call).items.get(itemKey(call))
  if (found) return found
  throw new Refusal(
    404,
    'BMSUserErrorDataSourceObjectNotFound',
    'Item not found.\r\nSelected item might have been deleted. Please check if item is registered to the vault.',
  )
}

export const jobOf = (call: Call): Job => {
  const id = param(call, 'job')
  const found = vaultOf(call).jobs.get(keyOf(id))
  if (found) return found
  throw new Refusal(404, 'BMSUserErrorJobNotFound', `The job ${id} was not found.`)
}

/** ARM id of an item, in Azure's spelling. */
export const itemIdOf = (vault: Vault, { container, name }: Pick<Item, 'container' | 'name'>): string =>
  `${vault.id}/backupFabrics/Azure/protectionContainers/${container}/protectedItems/${name}`
