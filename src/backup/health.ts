/**
 * How a protected item fares. VMs have indicators and pre-checks, shares indicators, databases an error of their own,
 * agents a status (section 4.3 of the wire facts).
 */
import { isNoFault } from '../arm/error-codes.ts'
import { type Fault, faultOf } from './faults.ts'
import { enumWord, type Fields, fields, list, text, word } from './fields.ts'
import { isFailed, oneOf, reasonOf, type Signs } from './health-reasons.ts'

export interface Health {
  protection_state: string | null
  /** Azure's own word. */
  health: string | null
  is_healthy: boolean
  /** One sentence wherever something needs attention or is not simply healthy; null where all is well. */
  health_reason: string | null
  last_backup_status: string | null
  error: Fault | null
}

/** Azure's enumerations in the order of their definitions: some of its answers have their numbers. */
const words = {
  state: 'Invalid IRPending Protected ProtectionError ProtectionStopped ProtectionPaused BackupsSuspended'.split(' '),
  vm: ['Passed', 'ActionRequired', 'ActionSuggested', 'Invalid'],
  database: ['Invalid', 'Healthy', 'Unhealthy', 'NotReachable', 'IRPending'],
  backup: ['Invalid', 'Healthy', 'Unhealthy', 'IRPending'],
  indicator: 'Healthy TransientDegraded PersistentDegraded TransientUnhealthy PersistentUnhealthy Invalid'.split(' '),
}

const needsAttention = oneOf('ActionRequired', 'ActionSuggested', 'NotReachable')

const faultsIn = (details: unknown): Fault[] =>
  list(details).flatMap(({ code, title, message, recommendations }) => {
    const fault = faultOf(word(code), text(title), text(message), recommendations)
    const isOne = (fault.code !== null || fault.title !== null) && !isNoFault(fault.code, fault.title)
    return isOne ? [fault] : []
  })

const signsOf = (properties: Fields): Signs & { isHealthy: boolean } => {
  const kpi = fields(fields(properties.kpisHealths).BackupOperationStatusKPI)
  const indicator = enumWord(kpi.resourceHealthStatus, words.indicator)
  const state = enumWord(properties.protectionState, words.state)
  const protectionStatus = text(properties.protectionStatus)
  const health =
    enumWord(properties.protectedItemHealthStatus, words.database) ??
    enumWord(properties.healthStatus, words.vm) ??
    protectionStatus
  const lastStatus =
    enumWord(properties.lastBackupStatus, words.backup) ?? text(fields(properties.extendedInfo).lastBackupStatus)
  const isFailing = [health, state, lastStatus, protectionStatus, indicator].some(isFailed)
  return {
    properties,
    state,
    health,
    lastStatus,
    indicator,
    backupFault: [...faultsIn([properties.lastBackupErrorDetail]), ...faultsIn(kpi.resourceHealthDetails)][0],
    preCheckFault: faultsIn(properties.healthDetails)[0],
    isFailing,
    isDeleted: properties.isScheduledForDeferredDelete === true,
    isHealthy: !isFailing && !needsAttention(health),
  }
}

/** The health of an item by its `properties`. Restores that failed are none of it. */
export const healthOf = (properties: Fields): Health => {
  const signs = signsOf(properties)
  return {
    protection_state: signs.state,
    health: signs.health,
    is_healthy: signs.isHealthy,
    health_reason: reasonOf(signs),
    last_backup_status: signs.lastStatus,
    error: signs.backupFault ?? signs.preCheckFault ?? null,
  }
}
