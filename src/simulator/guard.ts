/**
 * Multi-user authorization: a vault with a Resource Guard does its critical operations only for who names the guard's
 * request for them, and may use it (section 11.4 of the wire facts).
 */
import { fields, text, texts } from '../backup/fields.ts'
import { azureTime, page } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { inVault, itemKey, vaultOf } from './finding.ts'
import { isSame } from './odata.ts'
import { invalidInput, Refusal, resourceNotFound } from './refusal.ts'
import { keyOf, type Vault } from './state.ts'

const guardType = 'Microsoft.DataProtection/resourceGuards'

/** What a guard guards, by the type of the requests for it. Clients look for the operation, as the service spells it. */
const guarded = {
  deleteResourceGuardProxyRequests: 'backupResourceGuardProxies/delete',
  disableSoftDeleteRequests: 'backupconfig/write',
  deleteProtectedItemRequests: 'backupFabrics/protectionContainers/protectedItems/delete',
  updateProtectedItemRequests: 'backupFabrics/protectionContainers/protectedItems/write',
  updateProtectionPolicyRequests: 'backupPolicies/write',
  getBackupSecurityPINRequests: 'backupSecurityPIN/action',
} as const
export type GuardedOperation = keyof typeof guarded

/** How long a delete stays unlocked. */
const unlockedMs = 3_600_000
/** The only name that a proxy has. */
const proxyName = 'VaultProxy'

/** 403: the request for a guarded operation is missing. Its code is not known, only its text. */
const requestMissing = (): Refusal =>
  new Refusal(403, 'Forbidden', 'ResourceGuard Operation requestid is either null or empty')

const rightMissing = ({ path }: Call, request: string, operation: GuardedOperation): Refusal =>
  new Refusal(
    403,
    'LinkedAuthorizationFailed',
    `The client has permission to perform the operation on scope '${path}', however it does not have permission to perform action(s) '${guardType}/${operation}/read' on the linked scope(s) '${request}' (respectively) or the linked scope(s) are invalid.`,
  )

const requestsOf = ({ body }: Call): string[] =>
  texts(fields(body.properties).resourceGuardOperationRequests ?? body.resourceGuardOperationRequests)

/** Throws where the requests that the body names do not allow the operation. */
const checkRequests = (call: Call, guardId: string, operation: GuardedOperation): void => {
  const wanted = `${guardId}/${operation}/`.toLowerCase()
  const request = requestsOf(call).find(each => each.toLowerCase().startsWith(wanted))
  if (request === undefined) throw requestMissing()
  if (call.world.state.isGuardWithheld) throw rightMissing(call, request, operation)
}

const proxyKey = (name: string): string => keyOf('backupResourceGuardProxies', name)

/**
 * To be called before a critical operation is done on a vault, which need not have a guard. A DELETE takes no requests: it
 * passes while it is unlocked. Throws Refusal 403.
 */
export const checkGuard = (call: Call, vault: Vault, operation: GuardedOperation): void => {
  if (vault.guardId === undefined) return
  if (call.method !== 'DELETE') {
    checkRequests(call, vault.guardId, operation)
    return
  }
  const { item, proxy = '' } = call.params
  const untilMs = vault.unlocked.get(item === undefined ? proxyKey(proxy) : itemKey(call))
  if (untilMs === undefined || untilMs <= call.nowMs) throw requestMissing()
}

const proxyOf = (vault: Vault, guardId: string) => ({
  id: `${vault.id}/backupResourceGuardProxies/${proxyName}`,
  name: proxyName,
  type: 'Microsoft.RecoveryServices/vaults/backupResourceGuardProxies',
  properties: {
    resourceGuardResourceId: guardId,
    resourceGuardOperationDetails: Object.entries(guarded).map(([requests, operation]) => ({
      vaultCriticalOperation: `Microsoft.RecoveryServices/vaults/${operation}`,
      defaultResourceRequest: `${guardId}/${requests}/default`,
    })),
  },
})

const isProxy = ({ params }: Call): boolean => isSame(params.proxy, proxyName)

const listProxies = (call: Call): Answer => {
  const vault = vaultOf(call)
  return page(call, vault.guardId === undefined ? [] : [vault.guardId], guardId => proxyOf(vault, guardId))
}

/** The vault and its guard, where the path names the proxy. */
const guardedVault = (call: Call): { vault: Vault; guardId: string } => {
  const vault = vaultOf(call)
  if (vault.guardId !== undefined && isProxy(call)) return { vault, guardId: vault.guardId }
  const type = 'Microsoft.RecoveryServices/vaults/backupResourceGuardProxies'
  throw resourceNotFound(type, `${vault.name}/${call.params.proxy}`, vault.resourceGroup)
}

const getProxy = (call: Call): Answer => {
  const { vault, guardId } = guardedVault(call)
  return ok(proxyOf(vault, guardId))
}

const isGuardId =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.DataProtection\/resourceGuards\/[^/]+$/i

const putProxy = (call: Call): Answer => {
  const vault = vaultOf(call)
  const guardId = text(fields(call.body.properties).resourceGuardResourceId)
  if (guardId === null || !isGuardId.test(guardId) || !isProxy(call)) throw invalidInput()
  if (vault.guardId !== undefined && !isSame(vault.guardId, guardId))
    checkGuard(call, vault, 'deleteResourceGuardProxyRequests')
  vault.guardId = guardId
  return ok(proxyOf(vault, guardId))
}

const deleteProxy = (call: Call): Answer => {
  const vault = vaultOf(call)
  if (vault.guardId === undefined || !isProxy(call)) return { status: 204 }
  checkGuard(call, vault, 'deleteResourceGuardProxyRequests')
  vault.guardId = undefined
  vault.unlocked.clear()
  return { status: 200 }
}

/** What can be unlocked: the key under which, and the operation that it takes; the proxy itself where nothing is named. Throws Refusal 400. */
const toBeDeleted = (id: string | null, vault: Vault): { key: string; operation: GuardedOperation } => {
  if (id === null) return { key: proxyKey(proxyName), operation: 'deleteResourceGuardProxyRequests' }
  const inside = id.toLowerCase().startsWith(`${keyOf(vault.id)}/`) ? id.slice(vault.id.length + 1) : ''
  const [, container, item] =
    /^backupFabrics\/[^/]+\/protectionContainers\/([^/]+)\/protectedItems\/([^/]+)$/i.exec(inside) ?? []
  if (container !== undefined && item !== undefined)
    return { key: keyOf(container, item), operation: 'deleteProtectedItemRequests' }
  const [, proxy] = /^backupResourceGuardProxies\/([^/]+)$/i.exec(inside) ?? []
  if (proxy !== undefined) return { key: proxyKey(proxy), operation: 'deleteResourceGuardProxyRequests' }
  throw invalidInput()
}

const unlockDelete = (call: Call): Answer => {
  const { vault, guardId } = guardedVault(call)
  const given = text(call.body.resourceToBeDeleted)?.replaceAll(/%3B/gi, ';') ?? null
  const { key, operation } = toBeDeleted(given, vault)
  checkRequests(call, guardId, operation)
  const untilMs = call.nowMs + unlockedMs
  vault.unlocked.set(key, untilMs)
  return ok({ unlockDeleteExpiryTime: azureTime(untilMs) })
}

/** .NET's count of 100 nanoseconds since the year 1. */
const ticks = (atMs: number): number => (atMs + 62_135_596_800_000) * 10_000

const pinLastsMs = 300_000

const securityPin = (call: Call): Answer => {
  checkGuard(call, vaultOf(call), 'getBackupSecurityPINRequests')
  const pin = call.world.newPointId().slice(-6)
  return ok({ token: pin, expiryTimeInUtcTicks: ticks(call.nowMs + pinLastsMs), securityPIN: pin })
}

const inProxy = `${inVault}/backupResourceGuardProxies/{proxy}`

export const guardRoutes: readonly Route[] = [
  { method: 'GET', path: `${inVault}/backupResourceGuardProxies`, handle: listProxies },
  { method: 'GET', path: inProxy, handle: getProxy },
  { method: 'PUT', path: inProxy, handle: putProxy },
  { method: 'DELETE', path: inProxy, handle: deleteProxy },
  { method: 'POST', path: `${inProxy}/unlockDelete`, handle: unlockDelete },
  { method: 'POST', path: `${inVault}/backupSecurityPIN`, handle: securityPin },
]
