/** Files out of a recovery point of a VM: the point is mounted, and a script reaches it (section 9.5 of the wire facts). */
import { isUtf8 } from 'node:buffer'
import type { RestoreFilesInput, RestoreFilesOutput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument, checkAll } from '../tools/input-error.ts'
import { makeNewFile, newFileFault } from '../tools/new-files.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut, type Done } from './changes.ts'
import { datasources, type Workload } from './datasources.ts'
import { fields, flag, isoTime, list, time } from './fields.ts'
import { calledBy, type ItemState, mustExist, mustNotBeSoftDeleted, readItemState } from './item-state.ts'
import { checkSelector, locateItem, type ProtectedItemRef } from './items.ts'
import { mountScriptIn } from './mount-scripts.ts'
import type { Plan, PlannedRequest } from './plans.ts'
import { type ChosenPoint, choosePoint, isOnlyArchived, pointGiven } from './points.ts'
import { toPointRow } from './recovery-points.ts'
import { type Posture, postureOf } from './security.ts'
import { checkVault, withVaultOf } from './vault-names.ts'

const sessionHours = 12
const usualWaitSeconds = 45
/** Azure wants a name for who mounts; any will do, and a plan makes up none. */
const initiator = 'recovery-services-server'

const checkVm = (argument: string, workload: Workload | undefined): void => {
  if (workload === undefined || workload === 'VM') return
  throw badArgument(argument, `is ${datasources[workload].noun}; this version restores files of VMs only`)
}

const hasPoint = ({ recovery_point_id: id, point, before }: RestoreFilesInput): boolean =>
  [id, point, before].some(given => given !== undefined)

interface Target {
  item: ItemState
  posture: Posture
  /** The point to mount, or those to unmount. */
  points: readonly ChosenPoint[]
}

/** The points that are mounted, where an unmount names none. */
const mountedPoints = async (item: ProtectedItemRef, { arm }: ToolContext): Promise<ChosenPoint[]> => {
  const found: ChosenPoint[] = []
  for await (const { rows } of arm.pages(`${item.id}/recoveryPoints`))
    for (const raw of list(rows)) {
      const row = toPointRow(raw, item)
      if (row.is_mounted) found.push({ id: `${item.id}/recoveryPoints/${row.recovery_point_id}`, raw, row })
    }
  return found
}

const findTarget = async (vault: VaultRef, input: RestoreFilesInput, context: ToolContext): Promise<Target> => {
  const ref = await locateItem(input.item, input.workload_type, vault, context)
  checkVm('item', ref.names.workload)
  const choosing = hasPoint(input)
    ? choosePoint(ref, input, context).then(point => [point])
    : mountedPoints(ref, context)
  choosing.catch(() => {}) // what is wrong with the item is said first
  const [item, posture] = await Promise.all([readItemState(ref, context), postureOf(vault, context)])
  mustExist(item)
  if (input.action !== 'unmount') mustNotBeSoftDeleted(item)
  return { item, posture, points: await choosing }
}

/** Whether the point is mounted, read anew: shows after a lost answer what became of the request. */
const mountedNow = async ({ id }: ChosenPoint, wanted: boolean, { arm }: ToolContext): Promise<unknown> => {
  const raw = await arm.getResource(id)
  return flag(fields(fields(raw).properties).isInstantIlrSessionActive) === wanted ? raw : undefined
}

const mountPlan = ({ item, posture, points }: Target, input: RestoreFilesInput, context: ToolContext): Plan => {
  const [point] = points
  if (!point) throw new Error('a mount has a point')
  const { row } = point
  const name = calledBy(item.names)
  if (isOnlyArchived(row))
    throw new Problem(
      'precondition_failed',
      `The recovery point of ${name} from ${row.time} is in the archive tier, where files cannot be taken out of it.`,
      'Choose a point of another tier (recovery_services_list_recovery_points with tier), or restore the VM from this one.',
      { details: { recovery_point_id: row.recovery_point_id } },
    )
  if (input.save_to !== undefined && /^windows$/i.test(row.os_type ?? ''))
    throw badArgument('save_to', 'is for Linux; for this Windows VM Azure has a program to download, so leave it out')
  const isRenewed = row.is_mounted === true
  return {
    summary: isRenewed
      ? `Renew the mount of the recovery point of ${name} from ${row.time}: a new script, ${sessionHours} hours from now.`
      : `Mount the recovery point of ${name} from ${row.time} for ${sessionHours} hours, to copy files out of it by a script.`,
    requests: [
      {
        method: 'POST',
        path: `${point.id}/provisionInstantItemRecovery`,
        body: {
          properties: {
            objectType: 'IaasVMILRRegistrationRequest',
            recoveryPointId: row.recovery_point_id,
            virtualMachineId: item.sourceId,
            initiatorName: initiator,
            renewExistingRegistration: isRenewed,
          },
        },
        // A point that was mounted before shows nothing.
        ...(isRenewed ? {} : { evidence: () => mountedNow(point, true, context) }),
      },
    ],
    keeps: ['the VM, its disks and its recovery points as they are'],
    loses: [],
    posture,
    itemId: item.id,
  }
}

const unmountPlan = ({ item, posture, points }: Target, context: ToolContext): Plan => {
  const mounted = points.filter(({ row }) => row.is_mounted)
  const name = calledBy(item.names)
  const times = (mounted.length > 0 ? mounted : points).map(({ row }) => row.time).join(', ')
  const which = times === '' ? 'No recovery point' : `The recovery point from ${times}`
  return {
    summary:
      mounted.length > 0
        ? `Unmount the recovery point of ${name} from ${times}; copies that still run break off.`
        : `${which} of ${name} is ${times === '' ? '' : 'not '}mounted: there is nothing to send.`,
    requests: mounted.map(
      (point): PlannedRequest => ({
        method: 'POST',
        path: `${point.id}/revokeInstantItemRecovery`,
        evidence: () => mountedNow(point, false, context),
      }),
    ),
    keeps: ['the recovery points, and files that were copied out'],
    loses: [],
    posture,
    itemId: item.id,
  }
}

const again =
  'recovery_services_restore_files with the same arguments gives a new script then: it renews the mount. recovery_services_track_async_operation shows when that is, never the script.'

type Handed = Partial<RestoreFilesOutput>

/** The script as the result has it: saved, in the result, or to be downloaded. Throws where Azure gave none. */
const handOver = async ({ changed, ended, body }: Done, input: RestoreFilesInput, context: ToolContext) => {
  const script = mountScriptIn(body)
  if (!script) {
    if (changed.operation_id === null)
      return {
        status: 'succeeded_with_warnings',
        message: `The recovery point is mounted, but the answer that had the script was lost. ${again}`,
      } satisfies Handed
    throw noScript(changed.operation_id, context)
  }
  const startedAt = time(fields(ended?.body).startTime)
  const expiry = isoTime((startedAt ? Date.parse(startedAt) : context.clock.now()) + sessionHours * 3_600_000)
  const { content, osType, url, fileName, password } = script
  const told: Handed = { os_type: osType, expiry_time: expiry, file_name: fileName, password }
  const end = 'recovery_services_restore_files with action unmount ends it.'
  if (!content || (url !== null && /^windows$/i.test(osType ?? '')))
    return {
      ...told,
      download_url: url,
      message: `Mounted until ${expiry}. Download the program from download_url, run it as file_name, and give it the password. ${end}`,
    } satisfies Handed
  const run = 'run it as root on a Linux machine that can read the file systems of the VM, and give it the password'
  const fault = input.save_to === undefined ? undefined : await makeNewFile(input.save_to, content, context.files)
  if (input.save_to !== undefined && fault === undefined)
    return {
      ...told,
      saved_to: input.save_to,
      message: `Mounted until ${expiry}. The script is in ${input.save_to}: ${run}. ${end}`,
    } satisfies Handed
  return {
    ...told,
    ...asText(content),
    ...(fault === undefined
      ? {}
      : {
          status: 'succeeded_with_warnings',
          warnings: [...(changed.warnings ?? []), `The script could not be saved, so it is here: save_to ${fault}.`],
        }),
    message: `Mounted until ${expiry}. Save the script as file_name: ${run}. ${end}`,
  } satisfies Handed
}

/** A script that is no text cannot stand in JSON as it is. */
const asText = (content: Buffer): Handed =>
  isUtf8(content) ? { script: content.toString() } : { script_base64: content.toString('base64') }

const noScript = (operationId: string, { loaded: { config } }: ToolContext): Problem =>
  new Problem(
    'azure_error',
    `Azure mounted the recovery point and handed out no script with it. Since API version 2026-08-01 it does so by another call, which this version does not know; api_version is ${config.apiVersion}.`,
    'Set api_version to 2025-08-01 in the configuration, restart the server and call again: that renews the mount and gives the script.',
    { details: { operation_id: operationId, api_version: config.apiVersion } },
  )

const restoreFiles: Handlers['restore_files'] = async (input, context) => {
  const isMount = input.action !== 'unmount'
  const { save_to: file } = input
  const fault = file === undefined ? undefined : await newFileFault(file, context.files)
  checkAll(
    () => checkVault(input.vault, context),
    () => checkSelector(input.item, input.workload_type),
    () => checkVm('workload_type', input.workload_type),
    () => (isMount || hasPoint(input)) && pointGiven(input),
    () => {
      if (file !== undefined && !isMount) throw badArgument('save_to', 'is for the script of a mount; leave it out')
      if (fault !== undefined) throw badArgument('save_to', fault)
    },
  )
  return withVaultOf('item', input.item, input.vault, context, async vault => {
    const target = await findTarget(vault, input, context)
    const plan = isMount ? mountPlan(target, input, context) : unmountPlan(target, context)
    const done = await carryOut('restore_files', input, context, plan, usualWaitSeconds)
    const { changed } = done
    const [point] = target.points
    const result = {
      ...changed,
      vault_name: vault.vaultName,
      item_id: plan.itemId,
      recovery_point_id: point?.row.recovery_point_id ?? null,
    }
    if (changed.status === 'planned') return result
    if (plan.requests.length === 0) return { ...result, message: plan.summary }
    if (changed.status === 'in_progress')
      return {
        ...result,
        message: isMount
          ? `Azure is still mounting the recovery point; ${file === undefined ? '' : 'nothing is saved yet. '}${again}`
          : 'Azure is still unmounting the recovery point; recovery_services_track_async_operation shows its end.',
      }
    if (!isMount) return { ...result, message: 'The recovery point is unmounted; the password is of no more use.' }
    return { ...result, ...(await handOver(done, input, context)) }
  })
}

export const fileRecovery = { restore_files: restoreFiles } satisfies Partial<Handlers>
