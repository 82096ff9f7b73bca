/** Deleting a VM's recovery points: for good, or for as long as soft delete keeps them (section 6.4 of the wire facts). */
import { type Case, type Ending, mustBeMutable, noMoreBackups } from './endings.ts'
import { isoTime, seconds } from './fields.ts'
import { type ItemState, itemStateOf } from './item-state.ts'
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
    const ended = noMoreBackups(of)
    return {
      summary: summaryOf(of.item, ended.length === 0),
      requests: [...unlocking(of), deleting(of.item)],
      keeps: ['the VM itself'],
      loses: [...ended.map(words => `${words}; a backup that runs now makes none`), lost(of)],
    }
  },
  done: ({ item, posture, nowMs }) =>
    isSoftDeleteOn(posture)
      ? `${named(item)} is soft-deleted: recovery_services_undelete_protected_item brings it back until ${lastDay(posture, nowMs)}, after that it is gone for good.`
      : `${named(item)} and its recovery points are deleted for good.`,
}

const summaryOf = (item: ItemState, isEnded: boolean): string => {
  const name = named(item)
  const isEmpty = item.points.count === 0
  if (isEnded)
    return isEmpty
      ? `Delete the item of ${name}, which has no recovery points.`
      : `Delete the recovery points of ${name}.`
  return `Stop the protection of ${name} and delete its ${isEmpty ? 'item, which has no recovery points' : 'recovery points'}.`
}

const lost = ({ item, posture, nowMs }: Case): string => {
  const isEmpty = item.points.count === 0
  const [what, them, they] = isEmpty
    ? ['its item, which has no recovery points', 'it', 'it is']
    : [pointsInWords(item.points), 'them', 'they are']
  return isSoftDeleteOn(posture)
    ? `${what}: soft-deleted for ${softDays(posture)} days; recovery_services_undelete_protected_item brings ${them} back until ${lastDay(posture, nowMs)}, after that ${they} gone for good`
    : `${what}: soft delete is off, so ${they} gone at once and for good; nothing brings ${them} back`
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
