/** Backing up now (section 7.1 of the wire facts). */
import { fields, text } from '../backup/fields.ts'
import { isBackupRunning, startBackup } from './backups.ts'
import type { Answer, Call, Route } from './call.ts'
import { inItem, itemOf, vaultOf } from './finding.ts'
import { acceptOnItem } from './item-work.ts'
import { isJobOver } from './job-rows.ts'
import { isSame } from './odata.ts'
import { Refusal } from './refusal.ts'
import { unruledDays } from './retention.ts'
import { type Item, keyOf, type Vault } from './state.ts'
import { dayMs } from './zones.ts'

/** A body without the words that tell what it is. */
export const badRequest = (what: string): Refusal =>
  new Refusal(400, 'UserErrorInvalidRequestParameter', `Parameter ${what} in request is invalid.`)

/** Databases and shares are there to be read. */
export const vmOnly = ({ workload }: Item, what: string): void => {
  if (workload === 'VM') return
  throw new Refusal(
    400,
    'BMSUserErrorOperationNotSupported',
    `The simulated Azure does not ${what} databases and file shares yet.`,
  )
}

/** What is soft-deleted is undeleted first. Throws Refusal. */
export const notSoftDeleted = ({ softDeleted }: Item): void => {
  if (softDeleted)
    throw new Refusal(
      400,
      'UserErrorItemInSoftDeletedState',
      'The backup item is in soft deleted state.\r\nUndelete the item and then try the operation again.',
    )
}

/** The end that a request asks for; 30 days where it asks for none. Throws Refusal. */
const expiryOf = (asked: unknown, nowMs: number): number => {
  if (asked === undefined || asked === null) return nowMs + unruledDays * dayMs
  const expiresMs = Date.parse(text(asked) ?? '')
  if (Number.isNaN(expiresMs) || expiresMs <= nowMs) throw badRequest('RecoveryPointExpiryTimeInUTC')
  return expiresMs
}

const isBusy = (vault: Vault, item: Item): boolean =>
  isBackupRunning(vault, item) ||
  [...vault.jobs.values()].some(
    job => !isJobOver(job) && job.operation === 'Backup' && job.item === keyOf(item.container, item.name),
  )

const backUp = (call: Call): Answer => {
  const { world, body, nowMs } = call
  const vault = vaultOf(call)
  const item = itemOf(call)
  vmOnly(item, 'back up')
  const { objectType, recoveryPointExpiryTimeInUTC } = fields(body.properties)
  if (!isSame(text(objectType) ?? '', 'IaasVMBackupRequest')) throw badRequest('ObjectType')
  const expiresMs = expiryOf(recoveryPointExpiryTimeInUTC, nowMs)
  notSoftDeleted(item)
  if (item.policy === undefined || item.state === 'ProtectionStopped' || item.state === 'BackupsSuspended')
    throw new Refusal(
      400,
      'BMSUserErrorProtectionStopped',
      `Backup cannot be triggered because protection of ${item.friendlyName} is stopped.\r\nPlease resume protection and then try the operation again.`,
    )
  if (isBusy(vault, item))
    throw new Refusal(
      409,
      'BMSUserErrorObjectLocked',
      'Another operation is in progress on the selected item.\r\nPlease wait for the operation in progress to complete.',
    )
  return acceptOnItem(call, vault, item, () => ({
    jobId: startBackup(world, vault, item, { kind: 'Full', isUserTriggered: true, expiresMs }).id,
  }))
}

export const backupRoutes: readonly Route[] = [{ method: 'POST', path: `${inItem}/backup`, handle: backUp }]
