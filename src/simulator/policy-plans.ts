/**
 * What Azure refuses in a schedule with its retention, whatever it is for: rows of a rule, where it is known from, and what
 * breaks it (section 5.6 of the wire facts). Azure never says which, only that the input or a duration is wrong.
 */
import { type Fields, fields, list, text, texts } from '../backup/fields.ts'
import { durationOf, type RetentionRule, rulesOf, type Schedule, scheduleOf } from '../backup/policy-shape.ts'
import { Refusal } from './refusal.ts'

export const invalidInput = (): Refusal =>
  new Refusal(
    400,
    'BMSUserErrorInvalidPolicyInput',
    'Input for create or update policy is not in proper format\r\nPlease check format of parameters like schedule time, schedule days, retention time and retention days',
  )
export const invalidRetention = (): Refusal =>
  new Refusal(
    400,
    'BMSUserErrorPolicyRetentionInvalid',
    'The retention duration provided in the backup policy is not supported. Verify the supported retention durations and try again. For more information, see https://aka.ms/policysupport',
  )
type Limits = Readonly<Record<RetentionRule, readonly [least: number, most: number]>>

export const vaultLimits: Limits = {
  dailySchedule: [7, 9999],
  weeklySchedule: [1, 5163],
  monthlySchedule: [1, 1188],
  yearlySchedule: [1, 99],
}
export const snapshotLimits: Limits = {
  dailySchedule: [1, 200],
  weeklySchedule: [1, 200],
  monthlySchedule: [1, 120],
  yearlySchedule: [1, 10],
}

/** A schedule with the retention of what it makes. */
export interface Plan {
  schedule: Schedule
  retention: Fields
  limits: Limits
}

/** [D]: general product knowledge; [I]: reported by users; [S]: published. */
export type Row<Of> = readonly [
  rule: string,
  source: 'D' | 'I' | 'S',
  isBroken: (of: Of) => boolean,
  refusal: () => Refusal,
]

const clock = (time: string): string => /T(\d\d:\d\d(:\d\d)?)/.exec(time)?.[1]?.slice(0, 5) ?? ''
const isHalfHour = (time: string): boolean => /^([01]\d|2[0-3]):(00|30)$/.test(clock(time))
/** It runs once on its days, on the hour or half past. */
export const runsOnce = ({ times }: Schedule): boolean => times.length === 1 && isHalfHour(times[0] ?? '')
const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && new Set([...a, ...b]).size === new Set(a).size
export const isIn = ([least, most]: readonly [number, number], amount: number): boolean =>
  Number.isInteger(amount) && amount >= least && amount <= most
const has = (retention: Fields, rule: RetentionRule): boolean => rulesOf(retention).some(each => each.rule === rule)

const formats = ({ retention }: Plan) =>
  rulesOf(retention)
    .filter(({ rule }) => rule === 'monthlySchedule' || rule === 'yearlySchedule')
    .map(({ rule, given }) => {
      const weekly = fields(given.retentionScheduleWeekly)
      return {
        format: text(given.retentionScheduleFormatType),
        days: texts(weekly.daysOfTheWeek),
        weeks: texts(weekly.weeksOfTheMonth),
        dates: list(fields(given.retentionScheduleDaily).daysOfTheMonth),
        hasMonths: rule === 'monthlySchedule' || texts(given.monthsOfYear).length > 0,
      }
    })

export const planRows: readonly Row<Plan>[] = [
  [
    'a schedule is daily, weekly or hourly',
    'S',
    ({ schedule }) => !['Daily', 'Weekly', 'Hourly'].includes(schedule.frequency ?? ''),
    invalidInput,
  ],
  [
    'there is one run time, on the hour or half past',
    'D',
    ({ schedule }) => schedule.frequency !== 'Hourly' && !runsOnce(schedule),
    invalidInput,
  ],
  [
    'the retention times are the run times',
    'D',
    ({ schedule: { frequency, times }, retention }) =>
      frequency !== 'Hourly' &&
      rulesOf(retention).some(({ given }) => !isSameSet(texts(given.retentionTimes).map(clock), times.map(clock))),
    invalidInput,
  ],
  [
    'a window is 4 to 24 hours, and a multiple of its interval of 4, 6, 8 or 12',
    'D',
    ({ schedule: { hourly } }) =>
      hourly !== undefined &&
      (![4, 6, 8, 12].includes(hourly.interval) ||
        !isIn([4, 24], hourly.hours) ||
        hourly.hours % hourly.interval !== 0 ||
        !isHalfHour(hourly.start)),
    invalidInput,
  ],
  [
    'what runs daily is kept by days',
    'D',
    ({ schedule, retention }) => schedule.frequency !== 'Weekly' && !has(retention, 'dailySchedule'),
    invalidInput,
  ],
  [
    'what runs weekly is kept by weeks, not by days',
    'D',
    ({ schedule, retention }) =>
      schedule.frequency === 'Weekly' &&
      (schedule.days.length === 0 || has(retention, 'dailySchedule') || !has(retention, 'weeklySchedule')),
    invalidInput,
  ],
  [
    'the days that weeks keep are the days of a weekly schedule',
    'D',
    ({ schedule, retention }) =>
      rulesOf(retention).some(({ rule, given }) => {
        const days = texts(given.daysOfTheWeek)
        if (rule !== 'weeklySchedule') return false
        return schedule.frequency === 'Weekly' ? !isSameSet(days, schedule.days) : days.length === 0
      }),
    invalidInput,
  ],
  [
    'months and years name their days, which are days of the schedule; dates take a daily schedule',
    'D',
    plan =>
      formats(plan).some(({ format, days, weeks, dates, hasMonths }) => {
        if (!hasMonths) return true
        if (format === 'Daily') return plan.schedule.frequency === 'Weekly' || dates.length === 0
        if (format !== 'Weekly' || days.length === 0 || weeks.length === 0) return true
        return plan.schedule.frequency === 'Weekly' && days.some(day => !plan.schedule.days.includes(day))
      }),
    invalidInput,
  ],
  [
    'each rule counts in its own unit',
    'D',
    ({ retention }) => rulesOf(retention).some(({ unit, given }) => durationOf(given)?.unit !== unit),
    invalidInput,
  ],
  [
    'each rule keeps within its limits',
    'D',
    ({ retention, limits }) =>
      rulesOf(retention).some(({ rule, given }) => !isIn(limits[rule], durationOf(given)?.count ?? 0)),
    invalidRetention,
  ],
]

export const check = <Of>(rows: readonly Row<Of>[], of: Of): void => {
  const broken = rows.find(([, , isBroken]) => isBroken(of))
  if (broken) throw broken[3]()
}

const tiering = (raw: unknown): string | null => text(fields(fields(raw).ArchivedRP).tieringMode)
export const isTiered = (raw: unknown): boolean => !['', 'DoNotTier'].includes(tiering(raw) ?? '')
export const isLongTerm = (retention: Fields): boolean =>
  has(retention, 'monthlySchedule') || has(retention, 'yearlySchedule')

export const planOf = (given: Fields, limits: Limits): Plan => ({
  schedule: scheduleOf(given.schedulePolicy),
  retention: fields(given.retentionPolicy),
  limits,
})
