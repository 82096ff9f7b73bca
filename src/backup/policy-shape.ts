/** The schedule and the retention of a policy as Azure has them, read alike whatever the kind of policy (section 5 of the wire facts). */
import { sameText } from './arm-ids.ts'
import { type Fields, fields, number, text, texts } from './fields.ts'
import { named } from './policy-enums.ts'

/** The rules of a retention, the most frequent first, with the unit that each counts in. */
export const retentionRules = [
  ['dailySchedule', 'Days'],
  ['weeklySchedule', 'Weeks'],
  ['monthlySchedule', 'Months'],
  ['yearlySchedule', 'Years'],
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
export const rulesOf = (retention: Fields): { rule: RetentionRule; unit: string; given: Fields }[] =>
  retentionRules.flatMap(([rule, unit]) =>
    retention[rule] === undefined || retention[rule] === null ? [] : [{ rule, unit, given: fields(retention[rule]) }],
  )

const daysIn: Readonly<Record<string, number>> = { Days: 1, Weeks: 7, Months: 365 / 12, Years: 365 }
export const inDays = ({ count, unit }: Duration): number => count * (daysIn[unit] ?? 0)

/** Where a policy of VMs does not say its version, its schedule does: the nested form is that of enhanced policies. */
export const isEnhanced = ({ policyType, schedulePolicy }: Fields): boolean => {
  const type = named(policyType, 'policyType')
  return type === null
    ? sameText(text(fields(schedulePolicy).schedulePolicyType), 'SimpleSchedulePolicyV2')
    : type === 'V2'
}

/** Days that Azure keeps the snapshots of a VM where its policy does not say. */
export const usualInstantDays = (properties: Fields): number => {
  if (isEnhanced(properties)) return 7
  return scheduleOf(properties.schedulePolicy).frequency === 'Weekly' ? 5 : 2
}

const dayMs = 86_400_000
const monthsIn: Readonly<Record<string, number>> = { Months: 1, Years: 12 }

/** Days that so many months of the calendar last: at least, and at most. */
const daysOfMonths = (months: number): readonly [least: number, most: number] => {
  // Months repeat every four years.
  const lengths = Array.from(
    { length: 48 },
    (_, from) => (Date.UTC(2000, from + months, 1) - Date.UTC(2000, from, 1)) / dayMs,
  )
  return [Math.min(...lengths), Math.max(...lengths)]
}

/** Whether the one can end before the other: 365 days do before 12 months, which are 366 in some years. */
export const isShorter = (one: Duration, other: Duration): boolean => {
  const [months, otherMonths] = [one, other].map(({ count, unit }) => count * (monthsIn[unit] ?? 0)) as [number, number]
  if (months > 0 && otherMonths > 0) return months < otherMonths
  const least = months > 0 ? daysOfMonths(months)[0] : inDays(one)
  return least < (otherMonths > 0 ? daysOfMonths(otherMonths)[1] : inDays(other))
}
