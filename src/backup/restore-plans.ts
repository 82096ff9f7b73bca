/** The restore of a VM: the request that Azure takes, and the words of its plan (section 9.1 of the wire facts). */
import type { RestoreVmInput } from '../generated/tools.ts'
import { badArgument, InputError } from '../tools/input-error.ts'
import { lastName, parseArmId, sameText } from './arm-ids.ts'
import { type Fields, fields, text } from './fields.ts'
import { calledBy, type ItemState } from './item-state.ts'
import type { Plan } from './plans.ts'
import { type ChosenPoint, isOnlyArchived, liveTiers } from './points.ts'
import type { PointRow } from './recovery-points.ts'
import { type RestoreMode, systemIdentity, vmNameLength } from './restore-options.ts'
import type { RestoreTargets } from './restore-targets.ts'
import type { Posture } from './security.ts'

export interface Restore {
  input: RestoreVmInput
  item: ItemState
  posture: Posture
  point: ChosenPoint
  targets: RestoreTargets
}

const recoveryTypes: Readonly<Record<RestoreMode, string>> = {
  original: 'OriginalLocation',
  alternate: 'AlternateLocation',
  disks: 'RestoreDisks',
}

/**
 * The name of a new VM where none was given: the source's, as far as it fits, and the day of the point; for Linux, which
 * takes longer names, the minute too. The end of a name tells more of its like apart than the beginning.
 */
export const usualVmName = (source: string, { time, os_type }: PointRow): string => {
  const length = vmNameLength(os_type)
  const digits = (time ?? '').replace(/\D/g, '')
  const stamp = length > 15 ? digits.slice(0, 'yyyymmddhhmm'.length) : digits.slice('yyyy'.length, 'yyyymmdd'.length)
  const name = source.replace(/[^A-Za-z0-9-]/g, '-').slice(-(length - 1 - stamp.length))
  return `${name.replace(/^-+/, '')}-${stamp || 'restored'}`.slice(0, length)
}

const vmNameFor = ({ input, item, point }: Restore): string => {
  const { target_vm_name: given } = input
  if (given === undefined) return usualVmName(item.names.friendlyName, point.row)
  const length = vmNameLength(point.row.os_type)
  if (given.length > length)
    throw badArgument('target_vm_name', `must have at most ${length} letters, because the VM runs ${point.row.os_type}`)
  return given
}

/** Id of the VM that an alternate restore makes; undefined for other modes. */
export const newVmId = (restore: Restore): string | undefined =>
  restore.input.restore_mode === 'alternate'
    ? `${restore.targets.groupId}/providers/Microsoft.Compute/virtualMachines/${vmNameFor(restore)}`
    : undefined

const identityOf = ({ input, targets }: Restore): Fields => {
  const { managed_identity: given } = input
  if (given === undefined) return { storageAccountId: targets.stagingId }
  const isSystem = sameText(given, systemIdentity)
  return {
    identityInfo: {
      isSystemAssignedIdentity: isSystem,
      ...(isSystem ? {} : { managedIdentityResourceId: parseArmId(given)?.id }),
    },
    identityBasedRestoreDetails: {
      targetStorageAccountId: targets.stagingId,
    },
  }
}

/** Keys of a VM that was encrypted by Azure Disk Encryption, as the point names them; never the keys themselves. */
const encryptionOf = ({ point: { raw, row } }: Restore): Fields => {
  if (row.is_encrypted !== true) return { encryptionEnabled: false }
  const { kekDetails, bekDetails } = fields(fields(fields(raw).properties).keyAndSecret)
  const { keyUrl, keyVaultId } = fields(kekDetails)
  const { secretUrl, secretVaultId } = fields(bekDetails)
  const known = { kekUrl: keyUrl, kekVaultId: keyVaultId, secretKeyUrl: secretUrl, secretKeyVaultId: secretVaultId }
  return { encryptionEnabled: true, ...Object.fromEntries(Object.entries(known).filter(([, value]) => text(value))) }
}

/** Throws InputError where a point that is only in the archive is asked for without its rehydration. */
export const checkArchive = ({ row }: ChosenPoint, { rehydration_priority: priority }: RestoreVmInput): void => {
  if (!isOnlyArchived(row) || priority !== undefined) return
  const why = `is needed: the recovery point of ${row.time} is only in the archive, from where Azure copies it first`
  throw new InputError([
    { path: '/rehydration_priority', message: `${why}; standard takes up to 15 hours, high up to 1 hour` },
    { path: '/rehydration_days', message: `${why}; days to keep the copy` },
  ])
}

const rehydrationOf = ({ point, input }: Restore): Fields =>
  isOnlyArchived(point.row)
    ? {
        recoveryPointRehydrationInfo: {
          rehydrationRetentionDuration: `P${input.rehydration_days}D`,
          rehydrationPriority: input.rehydration_priority === 'high' ? 'High' : 'Standard',
        },
      }
    : {}

const lunsOf = ({ restore_only_os_disk: isOsOnly, disk_luns: luns }: RestoreVmInput): Fields =>
  isOsOnly
    ? { restoreDiskLunList: [] }
    : luns === undefined
      ? {}
      : { restoreDiskLunList: [...luns].sort((a, b) => a - b) }

/** The `properties` of the request, and the `restoreRequest` of its validation. */
export const restoreBody = (restore: Restore): Fields => {
  const { input, item, posture, point, targets } = restore
  const { restore_mode: mode, target_zone: zone, disk_encryption_set: encryptionSet } = input
  const { groupId, networkId, subnetId } = targets
  const vmId = newVmId(restore)
  return {
    objectType: isOnlyArchived(point.row) ? 'IaasVMRestoreWithRehydrationRequest' : 'IaasVMRestoreRequest',
    recoveryPointId: point.row.recovery_point_id,
    recoveryType: recoveryTypes[mode],
    sourceResourceId: item.sourceId,
    region: posture.location,
    createNewCloudService: mode === 'disks',
    originalStorageAccountOption: false,
    ...identityOf(restore),
    ...(mode === 'disks' ? lunsOf(input) : {}),
    ...(mode === 'disks' && point.row.is_encrypted !== true ? {} : { encryptionDetails: encryptionOf(restore) }),
    ...(groupId === undefined ? {} : { targetResourceGroupId: groupId }),
    // The disks of old VMs are files; in a group they become managed ones.
    ...(mode === 'disks' && groupId !== undefined && point.row.is_managed_vm === false
      ? { restoreWithManagedDisks: true }
      : {}),
    ...(vmId === undefined ? {} : { targetVirtualMachineId: vmId, virtualNetworkId: networkId, subnetId }),
    ...(zone === undefined ? {} : { zones: [zone === 'none' ? 'NoZone' : zone] }),
    ...(encryptionSet === undefined ? {} : { diskEncryptionSetId: parseArmId(encryptionSet)?.id }),
    ...rehydrationOf(restore),
    ...(posture.guard?.restoreRequest === undefined
      ? {}
      : { resourceGuardOperationRequests: [posture.guard.restoreRequest] }),
  }
}

const tierWords: Readonly<Record<string, string>> = {
  InstantRP: 'snapshot',
  HardenedRP: 'vault',
  ArchivedRP: 'archive',
}

/** `the recovery point of 2026-11-22T02:05:11Z (AppConsistent; snapshot, vault)`. */
const pointWords = ({ row }: ChosenPoint): string => {
  const tiers = liveTiers(row).map(tier => tierWords[tier] ?? tier)
  const about = [row.consistency, tiers.join(', ')].filter(Boolean).join('; ')
  return `the recovery point of ${row.time}${about && ` (${about})`}`
}

const namesOf = (disks: readonly { lun: number | null; name: string | null }[] | null): string =>
  disks ? ` (${disks.map(({ lun, name }) => name ?? `LUN ${lun}`).join(', ')})` : ''

/** Which disks come out of the point. */
const diskWords = ({ input, point }: Restore): string => {
  const { restore_only_os_disk: isOsOnly, disk_luns: luns } = input
  const { disks } = point.row
  if (isOsOnly) return 'the OS disk'
  if (luns) return `the OS disk and the data disks of LUN ${[...luns].sort((a, b) => a - b).join(', ')}`
  if (disks?.backed_up == null) return 'all disks'
  return `the ${disks.backed_up} of ${disks.attached} disks that are in the backup${namesOf(disks.included)}`
}

/** Disks that the VM has and the point has not: they stay. */
const leftOut = ({ point }: Restore): string[] => {
  const { disks } = point.row
  const count = (disks?.attached ?? 0) - (disks?.backed_up ?? 0)
  const which = count === 1 ? '1 disk that is' : `${count} disks that are`
  return count > 0 ? [`${which} not in the backup${namesOf(disks?.excluded ?? null)}`] : []
}

const archiveWords = ({ input, point }: Restore): string =>
  isOnlyArchived(point.row)
    ? ` Before that the point is copied out of the archive, which takes up to ${input.rehydration_priority === 'high' ? '1 hour' : '15 hours'}; the copy is kept for ${input.rehydration_days} days.`
    : ''

const placeWords = ({ input, targets, posture }: Restore): string => {
  const subscription = parseArmId(targets.groupId ?? '')?.subscriptionId
  const isOther = subscription !== undefined && !sameText(subscription, posture.vault.subscriptionId)
  const zone = input.target_zone === undefined || input.target_zone === 'none' ? '' : `, zone ${input.target_zone}`
  return `${lastName(targets.groupId ?? '')}${isOther ? ` of subscription ${subscription}` : ''}${zone}`
}

interface Words {
  summary: string
  keeps: string[]
  loses: string[]
}

/** What each mode does, keeps and loses. */
const wordsOf: Readonly<Record<RestoreMode, (restore: Restore) => Words>> = {
  original: restore => {
    const { item, point } = restore
    const name = calledBy(item.names)
    return {
      summary: `Replace the disks of ${name} by ${diskWords(restore)} from ${pointWords(point)}.`,
      keeps: [
        `the VM ${item.names.friendlyName} itself: its name, size, network and identity`,
        `the replaced disks, which Azure leaves detached in the VM's resource group until somebody deletes them`,
        ...leftOut(restore),
      ],
      loses: [`everything written to the disks of ${name} since ${point.row.time}: the VM goes back to that moment`],
    }
  },
  alternate: restore => ({
    summary: `Make the VM ${lastName(newVmId(restore) ?? '')} in resource group ${placeWords(restore)}, network ${lastName(restore.targets.networkId ?? '')}/${lastName(restore.targets.subnetId ?? '')}, from ${pointWords(restore.point)} of ${calledBy(restore.item.names)}: ${diskWords(restore)}.`,
    keeps: [`${calledBy(restore.item.names)} itself, its disks and its protection`],
    loses: [],
  }),
  disks: restore => {
    const { targets, point, item } = restore
    const where =
      targets.groupId === undefined
        ? `as VHD files (unmanaged disks) in the storage account ${lastName(targets.stagingId)}; this is slow, about half an hour and more: target_resource_group makes managed disks much faster`
        : `as managed disks in resource group ${placeWords(restore)}`
    return {
      summary: `Restore ${diskWords(restore)} of ${calledBy(item.names)} from ${pointWords(point)} ${where}.`,
      keeps: [`${calledBy(item.names)} itself, its disks and its protection`],
      loses: [],
    }
  },
}

/** Plan of a restore that Azure has validated. */
export const restorePlan = (restore: Restore, body: Fields): Plan => {
  const { input, item, posture, point } = restore
  const { summary, keeps, loses } = wordsOf[input.restore_mode](restore)
  const isIdle = input.rehydration_priority !== undefined && !isOnlyArchived(point.row)
  return {
    summary: `${summary}${archiveWords(restore)}`,
    requests: [
      {
        method: 'POST',
        path: `${item.id}/recoveryPoints/${point.row.recovery_point_id}/restore`,
        body: { properties: body },
        job: { operation: 'Restore', names: item.names },
      },
    ],
    keeps: [...keeps, 'all recovery points there are'],
    loses,
    posture,
    itemId: item.id,
    basis: [point.row.time, point.row.consistency, item.sourceId],
    ...(isIdle ? { warnings: ['The recovery point is not only in the archive: nothing has to be rehydrated.'] } : {}),
  }
}
