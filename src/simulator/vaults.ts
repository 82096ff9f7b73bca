/** Vaults: listed, made and changed (section 1 of the wire facts). */
import { type Fields, fields, text, textsByName } from '../backup/fields.ts'
import { accepted, page, startOperation } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { lateFailure } from './faults.ts'
import {
  groupOf,
  inGroup,
  inSubscription,
  inVault,
  isBeingDeleted,
  subscriptionOf,
  vaultBusy,
  vaultGone,
  vaultIdOf,
  vaultOf,
} from './finding.ts'
import { etagAt, newVault } from './making.ts'
import { isSame } from './odata.ts'
import { Refusal } from './refusal.ts'
import { keyOf, type Vault } from './state.ts'
import { vaultDeletionEffects, vaultDeletionRoutes } from './vault-deletion.ts'
import { later, operationMs, places, vaultOperationRoutes } from './vault-operations.ts'
import { isLongRunning, toVault } from './vault-rows.ts'
import { applyProperties, checkProperties, spelled } from './vault-settings.ts'
import type { Effects, World } from './world.ts'

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
    if (isBeingDeleted(world, existing)) throw vaultBusy(existing)
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
  if (error) later(world, vaultGone, vault)
  const { location: _, ...headers } = accepted(call, operation, places(vault.id)).headers ?? {}
  return { ...shown(call, vault, 201), headers }
}

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

const provider = 'providers/Microsoft.RecoveryServices'

export const vaultRoutes: readonly Route[] = [
  { method: 'GET', path: `${inSubscription}/${provider}/vaults`, handle: listVaults },
  { method: 'GET', path: `${inGroup}/${provider}/vaults`, handle: listVaults },
  { method: 'GET', path: inVault, handle: call => shown(call, vaultOf(call)) },
  { method: 'PUT', path: inVault, handle: putVault },
  { method: 'PATCH', path: inVault, handle: patchVault },
  { method: 'POST', path: `${inGroup}/${provider}/locations/{location}/checkNameAvailability`, handle: checkName },
  ...vaultDeletionRoutes,
  ...vaultOperationRoutes,
]

export const vaultEffects: Effects = {
  ...vaultDeletionEffects,
  'vault-patch': (world, { vault: key, more }) => {
    const vault = world.state.vaults.get(key)
    if (vault && more) write(world, vault, more)
  },
}
