/** Backups on demand (section 7.1 of the wire facts). */
import type { TriggerBackupInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument, checkAll } from '../tools/input-error.ts'
import { parseArmId, type VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { isoTime } from './fields.ts'
import {
  calledBy,
  type ItemState,
  isStopped,
  isSuspended,
  mustBeVm,
  mustExist,
  mustNotBeSoftDeleted,
  readItemState,
} from './item-state.ts'
import { checkSelector, locateItem, workloadIn } from './items.ts'
import type { Plan } from './plans.ts'
import { postureOf } from './security.ts'
import { checkVault, withVaultOf } from './vault-names.ts'
import { isRealTime } from './windows.ts'

const dayMs = 24 * 3_600_000
const usualDays = 30 // as Azure's own clients have it

/** Until when the recovery point is kept. Throws InputError for a moment that is over, and for two answers. */
const expiryOf = ({ retention_days: days, expiry_time: until }: TriggerBackupInput, nowMs: number): string => {
  const atMs = Math.ceil(nowMs / 1000) * 1000
  if (until === undefined) return isoTime(atMs + (days ?? usualDays) * dayMs)
  if (days !== undefined) throw badArgument('expiry_time', 'says the same as retention_days; leave one of them out')
  if (!isRealTime(until)) throw badArgument('expiry_time', 'must be a time with an offset, on a day that there is')
  if (Date.parse(until) <= nowMs) throw badArgument('expiry_time', `must be later than now, ${isoTime(nowMs)}`)
  return isoTime(Date.parse(until))
}

/** Types and compression are of databases: a VM has neither. */
const checkVmOptions = ({ backup_type: type, enable_compression: compression }: TriggerBackupInput): void =>
  checkAll(
    () => {
      if (type !== undefined)
        throw badArgument('backup_type', `is ${type}, but backups of VMs have no types; leave it out`)
    },
    () => {
      if (compression !== undefined)
        throw badArgument('enable_compression', 'is for SQL databases; backups of VMs have no such choice')
    },
  )

interface BackupPlan {
  plan: Plan
  item: ItemState
  expiry: string
}

const planOf = async (vault: VaultRef, input: TriggerBackupInput, context: ToolContext): Promise<BackupPlan> => {
  const ref = await locateItem(input.item, input.workload_type, vault, context)
  mustBeVm(ref.names)
  checkVmOptions(input)
  const [item, posture] = await Promise.all([readItemState(ref, context), postureOf(vault, context)])
  mustExist(item)
  mustNotBeSoftDeleted(item)
  if (isStopped(item) || isSuspended(item))
    throw new Problem(
      'precondition_failed',
      `Protection of ${calledBy(item.names)} is stopped (${item.protectionState}), so Azure makes no backup of it.`,
      'Resume it with recovery_services_resume_protection first.',
      { details: { item_id: item.id } },
    )
  const expiry = expiryOf(input, context.clock.now())
  const plan: Plan = {
    summary: `Back up ${calledBy(item.names)} now and keep the recovery point until ${expiry}.`,
    requests: [
      {
        method: 'POST',
        path: `${item.id}/backup`,
        body: { properties: { objectType: 'IaasVMBackupRequest', recoveryPointExpiryTimeInUTC: expiry } },
        job: { operation: 'Backup', names: item.names },
      },
    ],
    keeps: ['all recovery points there are'],
    loses: [],
    posture,
    itemId: item.id,
  }
  return { plan, item, expiry }
}

const messageOf = (status: string, { item, expiry }: BackupPlan): string =>
  status === 'in_progress'
    ? `Azure backs up ${calledBy(item.names)}, which takes it some time. Follow the job with recovery_services_get_job_details and wait_seconds.`
    : `${calledBy(item.names)} is backed up; the recovery point is kept until ${expiry}.`

const triggerBackup: Handlers['trigger_backup'] = async (input, context) => {
  checkAll(
    () => checkVault(input.vault, context),
    () => checkSelector(input.item, input.workload_type),
    () => expiryOf(input, context.clock.now()),
    () => {
      const parsed = parseArmId(input.item)
      if ((parsed ? workloadIn(parsed) : input.workload_type) === 'VM') checkVmOptions(input)
    },
  )
  return withVaultOf('item', input.item, input.vault, context, async vault => {
    const made = await planOf(vault, input, context)
    const { plan, item } = made
    const { changed } = await carryOut('trigger_backup', input, context, plan)
    return {
      ...changed,
      ...(changed.status === 'planned' ? {} : { message: messageOf(changed.status, made) }),
      vault_name: vault.vaultName,
      item_id: plan.itemId,
      friendly_name: item.names.friendlyName,
    }
  })
}

export const backups = { trigger_backup: triggerBackup } satisfies Partial<Handlers>
