/**
 * What protects a vault from its own administrators: soft delete, immutability, multi-user authorization. Every plan tells
 * it, and a change that a Resource Guard guards carries the guard's request (sections 1.4 and 11.4 of the wire facts).
 */
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { lastName, sameText, type VaultRef } from './arm-ids.ts'
import { type Fields, fields, list, text, whole } from './fields.ts'

/** A setting of a vault. `Invalid` is how Azure says that it has none yet, while the vault is being made. */
export const setting = (value: unknown): string | null => (sameText(text(value), 'Invalid') ? null : text(value))

/** 0, or nothing, is how some vaults say "the default". */
const softDeleteDays = (days: unknown, state: string | null): number | null =>
  whole(days) || (state === null || sameText(state, 'Disabled') ? null : 14)

export interface Security {
  soft_delete: string | null
  soft_delete_days: number | null
  immutability: string | null
}

/** What the vault itself tells; newer versions of the service tell all of it. */
export const securityOf = (properties: Fields): Security => {
  const security = fields(properties.securitySettings)
  const softDelete = fields(security.softDeleteSettings)
  return {
    soft_delete: setting(softDelete.softDeleteState),
    soft_delete_days: softDeleteDays(softDelete.softDeleteRetentionPeriodInDays, setting(softDelete.softDeleteState)),
    immutability:
      text(fields(security.immutabilitySettings).state) ?? (security.softDeleteSettings ? 'Disabled' : null),
  }
}

/** Soft delete as `backupconfig/vaultconfig` tells it, which vaults made by older versions have instead. */
export const softDeleteOf = (config: Fields): Pick<Security, 'soft_delete' | 'soft_delete_days'> => {
  const state = setting(config.softDeleteFeatureState)
  return { soft_delete: state, soft_delete_days: softDeleteDays(config.softDeleteRetentionPeriodInDays, state) }
}

/** What a guard guards, by the type of the requests for it. */
export type GuardedOperation =
  | 'disableSoftDeleteRequests'
  | 'deleteProtectedItemRequests'
  | 'updateProtectedItemRequests'
  | 'updateProtectionPolicyRequests'
  | 'deleteResourceGuardProxyRequests'

/** A Resource Guard as the vault's proxy shows it. */
export interface Guard {
  id: string
  proxyId: string
  requestFor(operation: GuardedOperation): string
  /** The request for a restore; undefined where this guard lets everybody restore. */
  restoreRequest: string | undefined
}

/** A vault as plans show it, with its region and its guard. */
export interface Posture {
  vault: VaultRef
  /** `eastus`; empty where Azure does not tell it. */
  location: string
  security: Security
  guard: Guard | undefined
  /** The vault's `properties`. */
  properties: Fields
}

/**
 * The posture of a vault: one read of the vault; of its configuration where the vault is silent, of its guard where it has
 * one or does not tell. Never remembered: a plan must not promise a soft delete that was switched off a minute ago.
 */
export const postureOf = async (vault: VaultRef, context: ToolContext): Promise<Posture> => {
  const { arm } = context
  const body = fields(await arm.getResource(vault.id))
  const properties = fields(body.properties)
  const told = securityOf(properties)
  const authorization = setting(fields(properties.securitySettings).multiUserAuthorization)
  const [config, guard] = await Promise.all([
    told.soft_delete === null ? arm.get(`${vault.id}/backupconfig/vaultconfig`) : undefined,
    sameText(authorization, 'Disabled') ? undefined : readGuard(vault, context),
  ])
  const softDelete = config === undefined ? {} : softDeleteOf(fields(fields(config).properties))
  return {
    vault,
    location: (text(body.location) ?? '').toLowerCase().replaceAll(' ', ''),
    security: { ...told, ...softDelete },
    guard,
    properties,
  }
}

const readGuard = async (vault: VaultRef, { arm }: ToolContext): Promise<Guard | undefined> => {
  const body = fields(await arm.get(`${vault.id}/backupResourceGuardProxies`))
  const [proxy] = list(body.value)
  const properties = fields(proxy?.properties)
  const id = text(properties.resourceGuardResourceId)
  if (!proxy || id === null) return undefined
  const requests = list(properties.resourceGuardOperationDetails).flatMap(
    detail => text(detail.defaultResourceRequest) ?? [],
  )
  return {
    id,
    proxyId: text(proxy.id) ?? `${vault.id}/backupResourceGuardProxies/VaultProxy`,
    requestFor: operation =>
      requests.find(each => each.toLowerCase().includes(`/${operation.toLowerCase()}/`)) ??
      `${id}/${operation}/default`,
    restoreRequest: requests.find(each => /\/\w*restore\w*\/[^/]+$/i.test(each)),
  }
}

export const isImmutable = ({ security }: Posture): boolean => /^(unlocked|locked)$/i.test(security.immutability ?? '')

export const isSoftDeleteOn = ({ security }: Posture): boolean =>
  security.soft_delete !== null && !sameText(security.soft_delete, 'Disabled')

/** The properties of a guarded write: with the guard's request, where the vault has a guard. */
export const withGuard = (properties: Fields, { guard }: Posture, operation: GuardedOperation): Fields =>
  guard ? { ...properties, resourceGuardOperationRequests: [guard.requestFor(operation)] } : properties

/** A refusal of a write in a guarded vault, with whom to ask. */
export const asGuardRefusal = (problem: Problem, { guard, vault }: Posture): Problem => {
  if (problem.code !== 'forbidden' || !guard) return problem
  const { azureCode, httpStatus, requestId, details } = problem
  return new Problem(
    'forbidden',
    `${problem.message} ${vault.vaultName} is under multi-user authorization by the Resource Guard ${lastName(guard.id)}.`,
    `Ask the owner of the Resource Guard for the role Backup MUA Operator on ${guard.id} (just in time, if they use Privileged Identity Management), then call again. Otherwise ${problem.remediation}`,
    { azureCode, httpStatus, requestId, details: { ...details, resource_guard: guard.id }, cause: problem },
  )
}
