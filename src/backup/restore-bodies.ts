/** The request that Azure takes for the restore of a VM (section 9.1 of the wire facts). */
import type { RestoreVmInput } from '../generated/tools.ts'
import { badArgument, InputError } from '../tools/input-error.ts'
import { parseArmId, sameText } from './arm-ids.ts'
import { type Fields, fields, text } from './fields.ts'
import type { ItemState } from './item-state.ts'
import { type ChosenPoint, isOnlyArchived } from './points.ts'
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
