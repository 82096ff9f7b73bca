/** The plan of a restore of a VM, in words. */
import { lastName, parseArmId, sameText } from './arm-ids.ts'
import type { Fields } from './fields.ts'
import { calledBy } from './item-state.ts'
import type { Plan } from './plans.ts'
import { type ChosenPoint, isOnlyArchived, liveTiers } from './points.ts'
import { newVmId, type Restore } from './restore-bodies.ts'
import type { RestoreMode } from './restore-options.ts'

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
