/** The schedule and the retention of a policy, read alike whatever the kind of policy. */
import { type Fields, fields, list, number, text, texts } from '../backup/fields.ts'

/** The rules of a retention, the most frequent first, with the unit that each counts in. */
export const retentionRules = [
  ['dailySchedule', 'Days', 1],
  ['weeklySchedule', 'Weeks', 7],
  ['monthlySchedule', 'Months', 30],
  ['yearlySchedule', 'Years', 365],
] as const
export type RetentionRule = (typeof retentionRules)[number][0]

export interface Schedule {
  type: string | null
  frequency: string | null
  /** ISO times of which the clock part counts. */
  times: string[]
  /** Empty but in a weekly schedule. */
  days: string[]
  hourly: { interval: number; hours: number; start: string } | undefined
}

export const scheduleOf = (raw: unknown): Schedule => {
  const given = fields(raw)
  const isV2 = given.schedulePolicyType === 'SimpleSchedulePolicyV2'
  const frequency = text(given.scheduleRunFrequency)
  const nested = fields(frequency === 'Weekly' ? given.weeklySchedule : given.dailySchedule)
  const times = isV2 ? nested : given
  const hourly = fields(given.hourlySchedule)
  return {
    type: text(given.schedulePolicyType),
    frequency,
    times: frequency === 'Hourly' ? [] : texts(times.scheduleRunTimes),
    days: frequency === 'Weekly' ? texts(times.scheduleRunDays) : [],
    hourly:
      frequency === 'Hourly'
        ? {
            interval: number(hourly.interval) ?? 0,
            hours: number(hourly.scheduleWindowDuration) ?? 0,
            start: text(hourly.scheduleWindowStartTime) ?? '',
          }
        : undefined,
  }
}

export interface Duration {
  count: number
  unit: string
}

export const durationOf = (raw: unknown): Duration | undefined => {
  const { count, durationType } = fields(fields(raw).retentionDuration)
  const unit = text(durationType)
  const amount = number(count)
  return unit === null || amount === null ? undefined : { count: amount, unit }
}

/** The rules that a long-term retention has. */
export const rulesOf = (retention: Fields): { rule: RetentionRule; unit: string; days: number; given: Fields }[] =>
  retentionRules.flatMap(([rule, unit, days]) =>
    retention[rule] === undefined || retention[rule] === null
      ? []
      : [{ rule, unit, days, given: fields(retention[rule]) }],
  )

const daysIn: Readonly<Record<string, number>> = { Days: 1, Weeks: 7, Months: 30, Years: 365 }
export const inDays = ({ count, unit }: Duration): number => count * (daysIn[unit] ?? 0)

const retentionOf = (raw: unknown): [rule: string, days: number][] => {
  const retention = fields(raw)
  const plain = durationOf(retention)
  return [
    ...(plain ? [['', inDays(plain)] as [string, number]] : []),
    ...rulesOf(retention).map(({ rule, given }): [string, number] => [
      rule,
      inDays(durationOf(given) ?? { count: 0, unit: '' }),
    ]),
  ]
}

/** How many days each rule of a policy keeps, by a name that is the same in another version of the policy. */
const retentions = (properties: Fields): ReadonlyMap<string, number> => {
  const { snapshotRetentionInDays, vaultRetention } = fields(properties.vaultRetentionPolicy)
  const snapshots = number(snapshotRetentionInDays)
  return new Map([
    ...retentionOf(properties.retentionPolicy),
    ...retentionOf(vaultRetention),
    ...(snapshots === null ? [] : ([['snapshots', snapshots]] as const)),
    ...list(properties.subProtectionPolicy).flatMap(sub =>
      retentionOf(sub.retentionPolicy).map(([rule, days]): [string, number] => [`${sub.policyType}/${rule}`, days]),
    ),
  ])
}

/** Whether anything is kept for a shorter time, or no more, than before. */
export const isRetentionLowered = (before: Fields, after: Fields): boolean => {
  const now = retentions(after)
  return [...retentions(before)].some(([rule, days]) => (now.get(rule) ?? 0) < days)
}

const timeNames = new Set(['scheduleRunTimes', 'retentionTimes', 'scheduleWindowStartTime'])

/** `12:00:00.000Z` and `12:00:00+00:00` become `12:00:00Z`; what is no time stays. */
const plainTime = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  const atMs = Date.parse(/(Z|[+-]\d\d:\d\d)$/i.test(value) ? value : `${value}Z`)
  return Number.isNaN(atMs) ? value : new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Times as Azure writes them, wherever they are; what is null is left out. */
export const withPlainTimes = (value: unknown, name = ''): unknown => {
  if (Array.isArray(value)) return value.map(each => withPlainTimes(each, name))
  if (timeNames.has(name)) return plainTime(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === null ? [] : [[key, withPlainTimes(each, key)]])),
  )
}
