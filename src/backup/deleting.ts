/** Deleting a VM's recovery points: for good, or for as long as soft delete keeps them (section 6.4 of the wire facts). */
import { type Case, type Ending, mustBeMutable, noMoreBackups } from './endings.ts'
import { isoTime, seconds } from './fields.ts'
import { type ItemState, isStopped, itemStateOf } from './item-state.ts'
import type { PlannedRequest } from './plans.ts'
import { isSoftDeleteOn, type Posture } from './security.ts'
import { named, pointsInWords } from './vm-changes.ts'

const dayMs = 24 * 3_600_000
const dayOf = (atMs: number): string => isoTime(atMs).slice(0, 10)

export const remove: Ending = {
  already: ({ item, posture, nowMs }) => {
    if (!item.isSoftDeleted) return undefined
    const left = seconds(item.properties.deferredDeleteTimeRemaining)
    const until = left === null ? '' : ` until ${dayOf(nowMs + left * 1000)}`
    const now = isSoftDeleteOn(posture)
      ? ''
      : ' Soft delete is off now: undeleted and deleted once more, it is gone at once.'
    return `${named(item)} is soft-deleted already, and kept${until}.${now}`
  },
  mustBeAllowed: of => mustBeMutable(of, 'delete recovery points'),
  plan: async of => {
    const { item, posture, nowMs } = of
    const points = pointsInWords(item.points)
    return {
      summary: isStopped(item)
        ? `Delete the recovery points of ${named(item)}, whose protection is stopped already.`
        : `Stop the protection of ${named(item)} and delete its recovery points.`,
      requests: [...unlocking(of), deleting(item)],
      keeps: ['the VM itself'],
      loses: [
        ...noMoreBackups(of),
        isSoftDeleteOn(posture)
          ? `${points}: soft-deleted for ${softDays(posture)} days; recovery_services_undelete_protected_item brings them back until ${lastDay(posture, nowMs)}, after that they are gone for good`
          : `${points}: soft delete is off, so they are gone at once and for good; nothing brings them back`,
      ],
    }
  },
  done: ({ item, posture, nowMs }) =>
    isSoftDeleteOn(posture)
      ? `${named(item)} is soft-deleted: recovery_services_undelete_protected_item brings it back until ${lastDay(posture, nowMs)}, after that it is gone for good.`
      : `${named(item)} and its recovery points are deleted for good.`,
}

const softDays = ({ security }: Posture): number => security.soft_delete_days ?? 14
const lastDay = (posture: Posture, nowMs: number): string => dayOf(nowMs + softDays(posture) * dayMs)

const deleting = (item: ItemState): PlannedRequest => ({
  method: 'DELETE',
  path: item.id,
  before: item.standing,
  isDone: after => {
    const now = itemStateOf(item, after)
    return !now.exists || now.isSoftDeleted
  },
  job: { operation: 'DeleteBackupData', names: item.names },
})

/** A DELETE takes no request of a guard: it passes while it is unlocked (section 11.4). */
const unlocking = ({ item, posture: { guard } }: Case): PlannedRequest[] =>
  guard
    ? [
        {
          method: 'POST',
          path: `${guard.proxyId}/unlockDelete`,
          body: {
            resourceGuardOperationRequests: [guard.requestFor('deleteProtectedItemRequests')],
            resourceToBeDeleted: item.id,
          },
          note: 'lets the Resource Guard allow the deletion',
        },
      ]
    : []
