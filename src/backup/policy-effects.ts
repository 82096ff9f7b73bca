/**
 * What a change of policy does to the recovery points that there are. Azure marks a point with the rules that take it when
 * it is made (daily, weekly, monthly, yearly) and keeps it by the longest of them, as long as the policy says now: a change
 * of the days of a rule moves no point that there is, one of its duration does, and a rule taken away takes its points
 * along. A policy that has a daily rule keeps every point by it.
 * https://learn.microsoft.com/azure/backup/backup-architecture#impact-of-policy-change-on-recovery-points
 */
import { sameText } from './arm-ids.ts'
import { type Fields, fields, list, number, text, whole } from './fields.ts'
import { plural } from './phrases.ts'
import { rulesMet, weekdaysOf } from './policy-days.ts'
import {
  type Duration,
  durationOf,
  inDays,
  isShorter,
  type RetentionRule,
  rulesOf,
  scheduleOf,
  usualInstantDays,
} from './policy-shape.ts'

/** Each backup type of a database's policy, or all of another policy. */
interface Part {
  /** Empty but in a database's policy. */
  type: string
  schedule: unknown
  retention: Fields
}

const partsOf = (properties: Fields): Part[] => {
  const { vaultRetention } = fields(properties.vaultRetentionPolicy)
  if (!Array.isArray(properties.subProtectionPolicy))
    return [
      {
        type: '',
        schedule: properties.schedulePolicy,
        retention: fields(vaultRetention ?? properties.retentionPolicy),
      },
    ]
  return list(properties.subProtectionPolicy).map(part => ({
    type: text(part.policyType) ?? '',
    schedule: part.schedulePolicy,
    retention: fields(part.retentionPolicy),
  }))
}

interface Kept {
  /** Undefined: kept by a plain duration. */
  rule: RetentionRule | undefined
  duration: Duration
}

/** What a retention keeps a point for that those rules took, the longest first. */
const keptFor = (retention: Fields, took: ReadonlySet<string>): Kept[] => {
  const plain = durationOf(retention)
  if (plain) return [{ rule: undefined, duration: plain }]
  const kept = rulesOf(retention).flatMap(({ rule, given }): Kept[] => {
    const duration = took.has(rule) ? durationOf(given) : undefined
    return duration ? [{ rule, duration }] : []
  })
  return kept.sort((a, b) => inDays(b.duration) - inDays(a.duration))
}

/** A year of each kind: leap or not, beginning on each day of the week. */
const years = [2000, 2001, 2002, 2003, 2004, 2005, 2008, 2009, 2010, 2011, 2012, 2016, 2020, 2024]
const dayMs = 86_400_000

/** The sets of rules by which a policy takes points, each once. */
const marksOf = ({ schedule, retention }: Part): ReadonlySet<string>[] => {
  const { frequency, days } = scheduleOf(schedule)
  const runDays = frequency === 'Weekly' ? weekdaysOf(days) : undefined
  // Of a day's points only the last is taken by longer rules.
  const found = new Map<string, ReadonlySet<string>>(
    frequency === 'Hourly' ? [['dailySchedule', new Set(['dailySchedule'])]] : [],
  )
  for (const year of years)
    for (let atMs = Date.UTC(year, 0, 1); atMs < Date.UTC(year + 1, 0, 1); atMs += dayMs) {
      const day = new Date(atMs)
      if (runDays && !runDays.includes(day.getUTCDay())) continue
      const rules = rulesMet(retention, day)
      found.set(rules.join(), new Set([...rules, 'dailySchedule']))
    }
  return [...found.values()]
}

/** "7 days instead of 30", "30 days instead of 12 weeks". */
const instead = (now: Duration, before: Duration): string =>
  `${words(now)} instead of ${now.unit === before.unit ? before.count : words(before)}`

const words = ({ count, unit }: Duration): string => plural(count, unit.toLowerCase())
const nameOf = (rule: RetentionRule | undefined): string => rule?.replace('Schedule', '') ?? ''
const spelt = (type: string): string => type.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()

const nounOf = ({ type }: Part, rule: RetentionRule | undefined): string =>
  [nameOf(rule), type === '' ? 'points' : `${spelt(type)} backups`].filter(Boolean).join(' ')

const lossOf = (part: Part, before: Kept, after: Kept | undefined, retention: Fields): string => {
  const noun = nounOf(part, before.rule)
  const isGone = before.rule !== undefined && !rulesOf(retention).some(({ rule }) => rule === before.rule)
  if (!after) return `${noun} are no longer kept (${words(before.duration)} before)`
  if (!isGone || after.rule === undefined) return `${noun} are kept ${instead(after.duration, before.duration)}`
  return `${noun} are no longer kept (${words(before.duration)} before), only as ${nameOf(after.rule)} points for ${words(after.duration)}`
}

const daysOf = (kept: Kept | undefined): number => (kept ? inDays(kept.duration) : 0)

const pointsLost = (part: Part, afterParts: readonly Part[]): string[] => {
  const retention = afterParts.find(({ type }) => sameText(type, part.type))?.retention ?? {}
  const lost = new Map<RetentionRule | undefined, { before: Kept; after: Kept | undefined }>()
  for (const marks of marksOf(part)) {
    const kept = keptFor(retention, marks)
    const before = keptFor(part.retention, marks).find(({ duration }) =>
      kept.every(now => isShorter(now.duration, duration)),
    )
    if (!before) continue
    const [after] = kept
    const known = lost.get(before.rule)
    if (!known || daysOf(after) < daysOf(known.after)) lost.set(before.rule, { before, after })
  }
  const order = rulesOf(part.retention).map(({ rule }) => rule)
  return [...lost.entries()]
    .sort(([a], [b]) => order.indexOf(a ?? 'dailySchedule') - order.indexOf(b ?? 'dailySchedule'))
    .map(([, { before, after }]) => lossOf(part, before, after, retention))
}

const snapshotWords = (name: string, before: number, after: number | null): string[] => {
  if (after === null) return [`${name} are no longer kept (${plural(before, 'days')} before)`]
  return after < before ? [`${name} are kept ${plural(after, 'days')} instead of ${before}`] : []
}

const instantDaysOf = (properties: Fields): number =>
  number(properties.instantRpRetentionRangeInDays) ?? usualInstantDays(properties)

/** An hourly schedule puts the last point of a day into the vault. */
const vmSnapshotsLost = (before: Fields, after: Fields): string[] => {
  const isHourly = scheduleOf(before.schedulePolicy).frequency === 'Hourly'
  const names = ['snapshots for instant restore', ...(isHourly ? ["points before a day's last (snapshots only)"] : [])]
  return names.flatMap(name => snapshotWords(name, instantDaysOf(before), instantDaysOf(after)))
}

/** Shares that the vault has no copies of have snapshots for points, and none beside. */
const shareSnapshotsLost = (before: Fields, after: Fields): string[] => {
  const daysOf = (properties: Fields) => whole(fields(properties.vaultRetentionPolicy).snapshotRetentionInDays)
  const [was, is] = [daysOf(before), daysOf(after)]
  if (is === null) return []
  if (was === null) return [`points made so far are snapshots only, and kept ${plural(is, 'days')}`]
  return snapshotWords('snapshots of the share', was, is)
}

const databaseSnapshotsLost = (before: Fields, after: Fields): string[] => {
  const daysOf = (part: Fields | undefined) =>
    whole(fields(part?.snapshotBackupAdditionalDetails).instantRpRetentionRangeInDays)
  const now = list(after.subProtectionPolicy)
  return list(before.subProtectionPolicy).flatMap(part => {
    const was = daysOf(part)
    const type = text(part.policyType)
    const is = daysOf(now.find(({ policyType }) => sameText(text(policyType), type)))
    return was === null ? [] : snapshotWords(`${spelt(type ?? '')} snapshots`, was, is)
  })
}

const snapshotsLost: Readonly<Record<string, (before: Fields, after: Fields) => string[]>> = {
  azureiaasvm: vmSnapshotsLost,
  azurestorage: shareSnapshotsLost,
  azureworkload: databaseSnapshotsLost,
}

/**
 * Which recovery points expire sooner when items go from a policy of the `properties` before to one of those after, a
 * sentence each: "daily points are kept 7 days instead of 30". Empty where nothing is kept for a shorter time.
 */
export const retentionLost = (before: Fields, after: Fields): string[] => {
  const parts = partsOf(after)
  return [
    ...partsOf(before).flatMap(part => pointsLost(part, parts)),
    ...(snapshotsLost[text(before.backupManagementType)?.toLowerCase() ?? '']?.(before, after) ?? []),
  ]
}

const retentions = (properties: Fields): ReadonlyMap<string, number> => {
  const snapshots = number(fields(properties.vaultRetentionPolicy).snapshotRetentionInDays)
  return new Map([
    ...(snapshots === null ? [] : ([['snapshots', snapshots]] as const)),
    ...partsOf(properties).flatMap(({ type, retention }) => {
      const plain = durationOf(retention)
      return [
        ...(plain ? [[`${type}/`, inDays(plain)] as const] : []),
        ...rulesOf(retention).map(
          ({ rule, given }) => [`${type}/${rule}`, inDays(durationOf(given) ?? { count: 0, unit: '' })] as const,
        ),
      ]
    }),
  ])
}

/**
 * Whether a rule keeps for a shorter time, or is there no more: what immutable vaults refuse and Resource Guards guard, also
 * where a longer rule keeps the points all the same.
 */
export const isRetentionLowered = (before: Fields, after: Fields): boolean => {
  const now = retentions(after)
  return [...retentions(before)].some(([rule, days]) => (now.get(rule) ?? 0) < days)
}
