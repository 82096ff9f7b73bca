/** Vaults: made, changed, deleted, and what is left of them (section 1 of the wire facts). */
import { type Fields, fields, text, textsByName } from '../backup/fields.ts'
import { accepted, azureTime, operationResult, page, startOperation } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { lateFailure } from './faults.ts'
import { groupOf, inGroup, inLocation, inSubscription, inVault, subscriptionOf, vaultIdOf, vaultOf } from './finding.ts'
import { etagAt, newVault } from './making.ts'
import { isSame } from './odata.ts'
import { Refusal, resourceNotFound } from './refusal.ts'
import { type DeletedVault, keyOf, type Operation, type State, type Vault } from './state.ts'
import { isLongRunning, toVault } from './vault-rows.ts'
import { applyProperties, checkProperties, spelled } from './vault-settings.ts'
import type { Effects, World } from './world.ts'

/** How long making, changing and deleting take. */
const operationMs = 5000

const listVaults = (call: Call): Answer => {
  const { group } = call.params
  const { id } = group === undefined ? subscriptionOf(call) : { id: groupOf(call).subscriptionId }
  const vaults = [...call.world.state.vaults.values()].filter(
    vault => isSame(vault.subscriptionId, id) && (group === undefined || isSame(vault.resourceGroup, group)),
  )
  return page(call, vaults, vault => toVault(call.world, call.apiVersion, vault))
}

const shown = (call: Call, vault: Vault, status = 200): Answer => ({
  status,
  body: toVault(call.world, call.apiVersion, vault),
})

const places = (vaultId: string) => ({ status: `${vaultId}/operationStatus`, result: `${vaultId}/operationResults` })

/** The identity that a body asks for, with the ids that Azure adds. */
const identityOf = ({ world }: Call, given: Fields, before: Fields | undefined): Fields | undefined => {
  const type = spelled(given.type, 'identity', [
    'None',
    'SystemAssigned',
    'UserAssigned',
    'SystemAssigned, UserAssigned',
  ])
  if (type === undefined || type === 'None') return undefined
  const users = Object.keys(fields(given.userAssignedIdentities))
  const system = {
    principalId: text(fields(before).principalId) ?? world.newGuid(),
    tenantId: world.state.tenantId,
  }
  return {
    type,
    ...(type.startsWith('SystemAssigned') ? system : {}),
    ...(users.length > 0
      ? {
          userAssignedIdentities: Object.fromEntries(
            users.map(id => [id, { principalId: world.newGuid(), clientId: world.newGuid() }]),
          ),
        }
      : {}),
  }
}

/** What a body sets beside `properties`; what it leaves out stays. */
const applyRest = (vault: Vault, { tags, identity }: Fields): void => {
  if (tags !== undefined) {
    const pairs = textsByName(tags)
    vault.tags = pairs.length === 0 ? undefined : Object.fromEntries(pairs)
  }
  if (identity !== undefined) vault.identity = identity === null ? undefined : fields(identity)
}

const wasWritten = ({ state }: World, vault: Vault): void => {
  vault.etag = etagAt(state.nowMs)
}

/** What is written, as it is going to be kept: ids of identities are drawn now. */
const writtenOf = (call: Call, vault: Vault | undefined): Fields => {
  const { tags, identity, properties } = call.body
  return {
    ...(tags === undefined ? {} : { tags }),
    ...(identity === undefined ? {} : { identity: identityOf(call, fields(identity), vault?.identity) ?? null }),
    properties: fields(properties),
  }
}

const write = (world: World, vault: Vault, written: Fields): void => {
  applyProperties(vault, fields(written.properties))
  applyRest(vault, written)
  wasWritten(world, vault)
}

const checkPlace = ({ body }: Call, vault: Vault): void => {
  const location = text(body.location)
  if (location === null || isSame(location.replaceAll(' ', ''), vault.location)) return
  throw new Refusal(
    409,
    'InvalidResourceLocation',
    `The resource '${vault.name}' already exists in location '${vault.location}' in resource group '${vault.resourceGroup}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
  )
}

const putVault = (call: Call): Answer => {
  const { world, body, apiVersion, nowMs } = call
  const group = groupOf(call)
  const name = call.params.vault ?? ''
  const id = vaultIdOf(group.subscriptionId, group.name, name)
  const existing = world.state.vaults.get(keyOf(id))
  if (existing) {
    checkPlace(call, existing)
    checkProperties(call, existing, fields(body.properties))
    write(world, existing, writtenOf(call, existing))
    return shown(call, existing)
  }
  const location = text(body.location)?.replaceAll(' ', '').toLowerCase()
  if (location === undefined)
    throw new Refusal(400, 'LocationRequired', 'The location property is required for this definition.')
  const sku = spelled(fields(body.sku).name, 'sku', ['Standard', 'RS0']) ?? 'Standard'
  const { subscriptionId, name: resourceGroup } = group
  const vault = newVault(world.state, { subscriptionId, resourceGroup, name, location, sku })
  checkProperties(call, vault, fields(body.properties))
  world.state.vaults.set(keyOf(id), vault)
  write(world, vault, writtenOf(call, undefined))
  if (!isLongRunning(apiVersion)) return shown(call, vault, 201)
  vault.readyMs = nowMs + operationMs
  const error = lateFailure(world, call.method, call.path)
  const operation = startOperation(world, vault, operationMs, { error, resultPath: vault.id })
  if (error) later(world, 'vault-gone', vault)
  const { location: _, ...headers } = accepted(call, operation, places(vault.id)).headers ?? {}
  return { ...shown(call, vault, 201), headers }
}

const later = (world: World, kind: string, vault: Vault, more?: Fields): void =>
  world.schedule({ atMs: world.state.nowMs + operationMs, kind, vault: keyOf(vault.id), of: keyOf(vault.id), more })

/** Properties change when the operation ends; tags and identity alone do so at once. */
const patchVault = (call: Call): Answer => {
  const { world, body, apiVersion } = call
  const vault = vaultOf(call)
  checkProperties(call, vault, fields(body.properties))
  const written = writtenOf(call, vault)
  if (body.properties === undefined || !isLongRunning(apiVersion)) {
    write(world, vault, written)
    return shown(call, vault)
  }
  const error = lateFailure(world, call.method, call.path)
  const operation = startOperation(world, vault, operationMs, { error, resultPath: vault.id })
  if (!error) later(world, 'vault-patch', vault, written)
  return accepted(call, operation, places(vault.id))
}

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
  if (!isLongRunning(apiVersion)) {
    removeVault(world, vault)
    return { status: 200 }
  }
  const error = lateFailure(world, call.method, call.path)
  const operation = startOperation(world, vault, operationMs, { error })
  if (!error) later(world, 'vault-gone', vault)
  return accepted(call, operation, places(vault.id))
}

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

const checkName = (call: Call): Answer => {
  const { subscriptionId, name: group } = groupOf(call)
  const name = text(call.body.name) ?? ''
  const isTaken = call.world.state.vaults.has(keyOf(vaultIdOf(subscriptionId, group, name)))
  return ok(
    isTaken
      ? { nameAvailable: false, reason: 'AlreadyExists', message: 'Resource already exists with the same name.' }
      : { nameAvailable: true },
  )
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

const provider = 'providers/Microsoft.RecoveryServices'

export const vaultRoutes: readonly Route[] = [
  { method: 'GET', path: `${inSubscription}/${provider}/vaults`, handle: listVaults },
  { method: 'GET', path: `${inGroup}/${provider}/vaults`, handle: listVaults },
  { method: 'GET', path: inVault, handle: call => shown(call, vaultOf(call)) },
  { method: 'PUT', path: inVault, handle: putVault },
  { method: 'PATCH', path: inVault, handle: patchVault },
  { method: 'DELETE', path: inVault, handle: deleteVault },
  { method: 'GET', path: `${inVault}/operationStatus/{operation}`, handle: getOperationStatus },
  { method: 'GET', path: `${inVault}/operationResults/{operation}`, handle: getOperationResult },
  { method: 'POST', path: `${inGroup}/${provider}/locations/{location}/checkNameAvailability`, handle: checkName },
  {
    method: 'GET',
    path: `${inLocation}/deletedVaults`,
    handle: call => page(call, deletedVaults(call), toDeletedVault),
  },
  { method: 'GET', path: `${inLocation}/deletedVaults/{deleted}`, handle: getDeletedVault },
]

export const vaultEffects: Effects = {
  'vault-patch': (world, { vault: key, more }) => {
    const vault = world.state.vaults.get(key)
    if (vault && more) write(world, vault, more)
  },
  'vault-gone': (world, { vault: key }) => {
    const vault = world.state.vaults.get(key)
    if (vault) removeVault(world, vault)
  },
}
