/**
 * Why a protected item needs attention, or is not simply healthy, in one sentence for people. The words of all workloads
 * and both generations of the service go through one table (section 4.3 of the wire facts).
 */
import { sameText } from './arm-ids.ts'
import type { Fault } from './faults.ts'
import { type Fields, fields, seconds, text, time, whole } from './fields.ts'

/** What the reasons look at. */
export interface Signs {
  properties: Fields
  state: string | null
  health: string | null
  lastStatus: string | null
  indicator: string | null
  /** Of the backups. Azure has another indicator for restores, whose troubles are not the item's. */
  backupFault: Fault | undefined
  preCheckFault: Fault | undefined
  isFailing: boolean
  isDeleted: boolean
}

export const oneOf = (...words: string[]) => {
  const known = new Set(words.map(each => each.toLowerCase()))
  return (given: string | null): boolean => given !== null && known.has(given.toLowerCase())
}
/** Words of any of the health fields that mean that backups fail. */
export const isFailed = oneOf('Unhealthy', 'ProtectionError', 'Failed', 'TransientUnhealthy', 'PersistentUnhealthy')
const isKnownState = oneOf('Protected', 'IRPending', 'ProtectionError')
const isKnownHealth = oneOf('Healthy', 'Passed', 'Protected', 'IRPending')
const isGoodEnd = oneOf('Completed', 'Healthy', 'IRPending', 'InProgress')

/** `: UserErrorVmNotFoundV2: Virtual machine doesn't exist`, on one line and without the last full stop. */
const because = (fault: Fault | undefined): string => {
  if (!fault) return ''
  const said = [fault.title ?? fault.code, fault.message].filter(part => part)
  return `: ${[...new Set(said)]
    .join(': ')
    .replaceAll(/\s+/g, ' ')
    .replace(/\.? ?$/, '')}`
}
const unexplained = ', and Azure does not say why'

const daySeconds = 24 * 3600
/** Of Azure; a vault may have up to 180. 0 means this too. */
const defaultSoftDeleteDays = 14

/** Azure tells when the deletion was asked for, and how long is left; newer versions how many days it is in all. */
const softDeleted = ({ properties }: Signs): string => {
  const requested = time(properties.deferredDeleteTimeInUTC)
  const leftDays = (seconds(properties.deferredDeleteTimeRemaining) ?? 0) / daySeconds
  const told = whole(properties.softDeleteRetentionPeriodInDays) || whole(properties.softDeleteRetentionPeriod)
  const days = Math.max(told || defaultSoftDeleteDays, Math.ceil(leftDays))
  const until = requested && new Date(Date.parse(requested) + days * daySeconds * 1000).toISOString().slice(0, 10)
  const when = requested ? ` on ${requested.slice(0, 10)}` : ''
  const upcoming = properties.isDeferredDeleteScheduleUpcoming === true ? ', and is about to be purged' : ''
  const left = leftDays > 0 ? ` (${leftDays < 1.5 ? 'about a day' : `about ${Math.round(leftDays)} days`} left)` : ''
  return `deleted${when}, kept by soft delete${until ? ` until ${until}` : ''}${left}${upcoming}`
}

type Reason = readonly [holds: (signs: Signs) => boolean, says: string | ((signs: Signs) => string)]

const isInState =
  (state: string) =>
  (signs: Signs): boolean =>
    sameText(signs.state, state)

/** Of each group the first that holds; what several groups say makes one sentence. */
const groups: readonly (readonly Reason[])[] = [
  [
    [signs => signs.isDeleted, softDeleted],
    [isInState('BackupsSuspended'), 'backups are suspended, recovery points expire as the policy says'],
    [isInState('ProtectionStopped'), 'protection is stopped, the backup data is kept'],
    [isInState('ProtectionPaused'), 'protection is paused'],
    [
      ({ state, health, lastStatus }) => [state, health, lastStatus].some(oneOf('IRPending')),
      'the first backup is still to come',
    ],
    [
      ({ properties }) => properties.lastBackupStatus === '' && time(properties.lastRecoveryPoint) === null,
      'no backup has been made yet',
    ],
    [({ state }) => state !== null && !isKnownState(state), ({ state }) => `Azure gives its state as ${state}`],
  ],
  [
    [
      ({ lastStatus }) => isFailed(lastStatus),
      ({ backupFault, preCheckFault }) =>
        `the last backup failed${because(backupFault ?? preCheckFault) || unexplained}`,
    ],
    [
      ({ isFailing }) => isFailing,
      ({ backupFault, preCheckFault }) => `backups fail${because(backupFault ?? preCheckFault) || unexplained}`,
    ],
    [
      ({ lastStatus }) => sameText(lastStatus, 'CompletedWithWarnings'),
      ({ backupFault }) => `the last backup completed with warnings${because(backupFault) || unexplained}`,
    ],
    [
      ({ backupFault }) => backupFault !== undefined,
      ({ backupFault }) => `the last backup had trouble${because(backupFault)}`,
    ],
    [({ indicator }) => /Degraded$/i.test(indicator ?? ''), ({ indicator }) => `backups are degraded (${indicator})`],
    [
      ({ lastStatus }) => lastStatus !== null && !isGoodEnd(lastStatus),
      ({ lastStatus }) => `the last backup ended as ${lastStatus}`,
    ],
  ],
  [
    [({ health }) => sameText(health, 'NotReachable'), 'its server does not answer Azure Backup'],
    // What failing backups have said already.
    [
      ({ preCheckFault, backupFault, isFailing }) =>
        isFailing && preCheckFault !== undefined && (!backupFault || backupFault.code === preCheckFault.code),
      '',
    ],
    [
      ({ health }) => sameText(health, 'ActionRequired'),
      ({ preCheckFault }) => `the pre-check requires action${because(preCheckFault)}`,
    ],
    [
      ({ health, preCheckFault }) => sameText(health, 'ActionSuggested') || preCheckFault !== undefined,
      ({ preCheckFault }) => `the pre-check suggests action${because(preCheckFault)}`,
    ],
    [
      ({ health }) => health !== null && !isKnownHealth(health) && !isFailed(health),
      ({ health }) => `Azure gives its health as ${health}`,
    ],
  ],
  [
    [
      ({ properties }) => {
        const extended = fields(properties.extendedInfo)
        const state = text(properties.policyState) ?? text(extended.policyState)
        return extended.policyInconsistent === true || /^inconsistent$/i.test(state ?? '')
      },
      'what is applied to it differs from its policy',
    ],
  ],
  [
    [
      ({ properties }) => !/^(Active)?$/i.test(text(fields(properties.extendedInfo).resourceState) ?? ''),
      ({ properties }) => `the share itself is ${text(fields(properties.extendedInfo).resourceState)}`,
    ],
  ],
  [
    [scanSays('sourceSideScanSummary', 'Suspicious'), 'the threat scan found something suspicious'],
    [scanSays('sourceSideScanStatus', 'ConfigurationFailed'), 'the threat scan could not be configured'],
  ],
]

function scanSays(field: string, expected: string) {
  return ({ properties }: Signs): boolean => sameText(text(fields(properties.sourceSideScanInfo)[field]), expected)
}

/** The sentence about an item; null where all is well. Of what was deleted nothing else matters. */
export const reasonOf = (signs: Signs): string | null => {
  const said = (signs.isDeleted ? groups.slice(0, 1) : groups).flatMap(group => {
    const says = group.find(([holds]) => holds(signs))?.[1] ?? ''
    return (typeof says === 'string' ? says : says(signs)) || []
  })
  const [first = '', ...more] = said
  return (first && `${[first[0]?.toUpperCase() + first.slice(1), ...more].join('; ')}.`) || null
}
