/** Restores of VMs: validated by Azure, then asked for (section 9.1 of the wire facts). */
import type { RestoreVmInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import { lastName, type VaultRef } from './arm-ids.ts'
import { type Changed, carryOut } from './changes.ts'
import { type Fields, fields, list, text, texts } from './fields.ts'
import { calledBy, mustBeVm, mustExist, mustNotBeSoftDeleted, readItemState } from './item-state.ts'
import { checkSelector, locateItem } from './items.ts'
import { choosePoint, pointGiven } from './points.ts'
import { checkArchive, newVmId, type Restore, restoreBody } from './restore-bodies.ts'
import { checkRestoreOptions } from './restore-options.ts'
import { restorePlan } from './restore-plans.ts'
import { findRestoreTargets } from './restore-targets.ts'
import { postureOf } from './security.ts'
import { checkVault, withVaultOf } from './vault-names.ts'

/** Everything that the plan is made of; independent reads run together, the state of the item is judged first. */
const readRestore = async (vault: VaultRef, input: RestoreVmInput, context: ToolContext): Promise<Restore> => {
  const ref = await locateItem(input.item, input.workload_type, vault, context)
  mustBeVm(ref.names)
  const [state, found] = await Promise.all([
    Promise.all([readItemState(ref, context), postureOf(vault, context)]),
    Promise.allSettled([choosePoint(ref, input, context), findRestoreTargets(input, vault, context)]),
  ])
  const [item, posture] = state
  mustExist(item)
  mustNotBeSoftDeleted(item)
  const [point, targets] = found
  if (targets.status === 'rejected') throw targets.reason
  if (point.status === 'rejected') throw point.reason
  checkAll(
    () => targets.value.checkRegions(posture.location),
    () => checkArchive(point.value, input),
  )
  return { input, item, posture, point: await withKeys(point.value, ref, context), targets: targets.value }
}

/** The point of an encrypted VM with the addresses of its keys, which lists leave out. */
const withKeys = async (
  point: Restore['point'],
  item: Parameters<typeof choosePoint>[0],
  context: ToolContext,
): Promise<Restore['point']> =>
  point.row.is_encrypted === true && fields(fields(point.raw).properties).keyAndSecret === undefined
    ? choosePoint(item, { recovery_point_id: point.row.recovery_point_id }, context)
    : point

/** Throws `precondition_failed` with all that Azure has against it. Nothing is changed by asking. */
const validate = async ({ point, item, posture }: Restore, body: Fields, { arm }: ToolContext): Promise<void> => {
  const answer = await arm.readingPost(
    `${posture.vault.id}/backupValidateOperation`,
    {},
    { id: point.id, properties: { objectType: 'ValidateIaasVMRestoreOperationRequest', restoreRequest: body } },
  )
  const faults = list(fields(fields(answer).validateOperationResponse).validationResults).map(fault => ({
    code: text(fault.code),
    message: text(fault.message) ?? text(fault.code) ?? 'no reason given',
    recommendations: texts(fault.recommendations),
  }))
  if (faults.length === 0) return
  const recommendations = faults.flatMap(each => each.recommendations)
  throw new Problem(
    'precondition_failed',
    `Azure validated the restore of ${calledBy(item.names)} and refuses it: ${faults.map(({ message }) => message).join(' ')}`,
    recommendations.join(' ') || 'Mend what it names and call again.',
    { azureCode: faults[0]?.code ?? undefined, details: { validation: faults } },
  )
}

/** Where the pieces are that describe the restored machine: blobs by name and container. An address may be signed: its query is cut. */
const pieces = ({ job }: Changed, { targets }: Restore): string => {
  const bag = fields(fields(job).properties)
  const container = text(bag['Config Blob Container Name'])
  if (container === null) return ''
  const template = lastName(text(bag['Template Blob Uri'])?.split('?')[0] ?? '')
  const names = [text(bag['Config Blob Name']), template].filter(Boolean).join(' and ')
  return ` Its description${template && ' and a template that makes a VM of it'}: ${names} in container ${container} of the storage account ${lastName(targets.stagingId)}.`
}

const doneWords = (restore: Restore, changed: Changed): string => {
  const { input, item, point, targets } = restore
  const vm = newVmId(restore)
  if (input.restore_mode === 'original')
    return `The disks of ${calledBy(item.names)} are those of ${point.row.time} now.`
  if (vm !== undefined)
    return `The VM ${lastName(vm)} is in resource group ${lastName(targets.groupId ?? '')}. It is not protected: recovery_services_enable_protection protects it.`
  const disks = text(fields(fields(changed.job).properties)['Restored disk(s)'])
  const place =
    targets.groupId === undefined
      ? `the storage account ${lastName(targets.stagingId)}`
      : `resource group ${lastName(targets.groupId)}`
  return `The disks${disks === null ? '' : ` (${disks})`} are in ${place}.`
}

const messageOf = (restore: Restore, changed: Changed): string => {
  if (changed.status === 'planned') return 'Azure has validated the restore; nothing was changed.'
  if (changed.status === 'in_progress')
    return `Azure restores ${calledBy(restore.item.names)} as of ${restore.point.row.time}. Follow its job with recovery_services_get_job_details and wait_seconds; at the end it tells where everything is.`
  return `${doneWords(restore, changed)}${pieces(changed, restore)}`
}

const restoreVm: Handlers['restore_vm'] = async (input, context) => {
  checkAll(
    () => checkVault(input.vault, context),
    () => checkSelector(input.item, input.workload_type),
    () => pointGiven(input),
    () => checkRestoreOptions(input),
  )
  return withVaultOf('item', input.item, input.vault, context, async vault => {
    const restore = await readRestore(vault, input, context)
    const body = restoreBody(restore)
    await validate(restore, body, context)
    const { changed } = await carryOut('restore_vm', input, context, restorePlan(restore, body))
    const { item, point, targets } = restore
    return {
      ...changed,
      message: messageOf(restore, changed),
      vault_name: vault.vaultName,
      item_id: item.id,
      friendly_name: item.names.friendlyName,
      recovery_point_id: point.row.recovery_point_id,
      recovery_point_time: point.row.time,
      target_id:
        newVmId(restore) ?? targets.groupId ?? (input.restore_mode === 'original' ? item.sourceId : targets.stagingId),
    }
  })
}

export const vmRestores = { restore_vm: restoreVm } satisfies Partial<Handlers>
