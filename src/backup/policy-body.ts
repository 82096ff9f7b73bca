/**
 * The body that Azure takes for a policy in words (section 5 of the wire facts). Words that are missing make a body with a
 * hole, which the rules name; nothing is made up for them but what this says.
 */
import { datasources, type Workload } from './datasources.ts'
import type { Fields } from './fields.ts'
import { usualInstantDays } from './policy-shape.ts'
import type { PolicyParts } from './policy-words.ts'
import { windowsZone } from './time-zones.ts'

export type ScheduleWords = NonNullable<PolicyParts['schedule']>
export type RetentionWords = NonNullable<PolicyParts['retention']>
export type PartWords = NonNullable<PolicyParts['full']>
type DayOfMonth = Pick<NonNullable<RetentionWords['monthly']>, 'days' | 'week' | 'weekday'>

/**
 * Times are dates to Azure, of which only the clock counts: always the same, so that the same words make the same body. What
 * is no time of day stays as it is, for the rules to refuse.
 */
const dated = (clock: string): string => (/^\d\d:\d\d$/.test(clock) ? `2026-01-01T${clock}:00Z` : clock || 'none')

const mostStandardDays = 5

/** Standard, unless it was asked otherwise or something takes an enhanced policy; then why. */
export const versionOf = (words: PolicyParts, workload: Workload): { isEnhanced: boolean; why?: string } => {
  const { policy_type: asked, schedule, instant_restore_days: days = 0 } = words
  if (workload !== 'VM' || asked !== undefined) return { isEnhanced: asked === 'enhanced' }
  if (schedule?.frequency === 'hourly') return { isEnhanced: true, why: 'it runs hourly' }
  if (days > mostStandardDays) return { isEnhanced: true, why: `snapshots are kept ${days} days` }
  return { isEnhanced: false }
}

/** Windows' name of the zone that schedules tell; the text itself where there is no such zone. */
const zoneOf = (...schedules: readonly (ScheduleWords | undefined)[]): string => {
  const told = schedules.map(schedule => schedule?.time_zone).find(zone => zone !== undefined) ?? 'UTC'
  return windowsZone(told) ?? told
}

const frequencies = { hourly: 'Hourly', daily: 'Daily', weekly: 'Weekly' } as const

const windowed = ({ interval_hours, window_start, window_hours }: ScheduleWords): Fields => ({
  ...(interval_hours === undefined ? {} : { interval: interval_hours }),
  ...(window_start === undefined ? {} : { scheduleWindowStartTime: dated(window_start) }),
  ...(window_hours === undefined ? {} : { scheduleWindowDuration: window_hours }),
})

const clocked = ({ frequency, days = [], times = [] }: ScheduleWords): Fields => ({
  ...(frequency === 'weekly' ? { scheduleRunDays: days } : {}),
  scheduleRunTimes: times.map(dated),
})

const simpleSchedule = (words: ScheduleWords): Fields => ({
  schedulePolicyType: 'SimpleSchedulePolicy',
  ...(words.frequency && { scheduleRunFrequency: frequencies[words.frequency] }),
  ...(words.frequency === 'hourly' ? { hourlySchedule: windowed(words) } : clocked(words)),
  ...(words.frequency === 'hourly' ? {} : { scheduleWeeklyFrequency: 0 }),
})

const enhancedSchedule = (words: ScheduleWords): Fields => {
  const { frequency } = words
  return {
    schedulePolicyType: 'SimpleSchedulePolicyV2',
    ...(frequency && {
      scheduleRunFrequency: frequencies[frequency],
      [`${frequency}Schedule`]: frequency === 'hourly' ? windowed(words) : clocked(words),
    }),
  }
}

const lasting = (count: number | undefined, durationType: string): Fields =>
  count === undefined ? {} : { retentionDuration: { count, durationType } }

/** Which day of a month. A week alone means the days of a weekly schedule. */
const onDay = ({ days, week, weekday }: DayOfMonth, { frequency, days: scheduled = [] }: ScheduleWords): Fields => {
  const daysOfTheWeek = weekday ? [weekday] : frequency === 'weekly' ? scheduled : []
  if (days)
    return {
      retentionScheduleFormatType: 'Daily',
      retentionScheduleDaily: {
        daysOfTheMonth: days.map(day => (day === 'last' ? { date: 0, isLast: true } : { date: day, isLast: false })),
      },
    }
  if (week === undefined && weekday === undefined) return {}
  return {
    retentionScheduleFormatType: 'Weekly',
    retentionScheduleWeekly: { daysOfTheWeek, weeksOfTheMonth: week ? [week] : [] },
  }
}

const longTerm = (
  { daily, weekly, monthly, yearly }: RetentionWords,
  schedule: ScheduleWords,
  retentionTimes: string[] | null,
): Fields => ({
  retentionPolicyType: 'LongTermRetentionPolicy',
  ...(daily && { dailySchedule: { retentionTimes, ...lasting(daily.days, 'Days') } }),
  ...(weekly && {
    weeklySchedule: {
      daysOfTheWeek: weekly.days ?? (schedule.frequency === 'weekly' ? (schedule.days ?? []) : []),
      retentionTimes,
      ...lasting(weekly.weeks, 'Weeks'),
    },
  }),
  ...(monthly && {
    monthlySchedule: { ...onDay(monthly, schedule), retentionTimes, ...lasting(monthly.months, 'Months') },
  }),
  ...(yearly && {
    yearlySchedule: {
      ...onDay(yearly, schedule),
      monthsOfYear: yearly.months ?? [],
      retentionTimes,
      ...lasting(yearly.years, 'Years'),
    },
  }),
})

/** VMs that are backed up hourly have the start of the window here; shares have nothing, and Azure fills it in. */
const retentionTimesOf = (
  { frequency, times = [], window_start }: ScheduleWords,
  workload: Workload,
): string[] | null => {
  if (frequency !== 'hourly') return times.map(dated)
  if (workload === 'AzureFileShare') return null
  return window_start === undefined ? [] : [dated(window_start)]
}

const daysOfMonth = 30

/** Azure counts in months when it archives VMs, and in days when it archives databases. */
const tiering = (days: number | undefined, workload: Workload): Fields => {
  if (days === undefined) return {}
  const isMonths = workload === 'VM' && days % daysOfMonth === 0
  const [duration, durationType] = isMonths ? [days / daysOfMonth, 'Months'] : [days, 'Days']
  return { tieringPolicy: { ArchivedRP: { tieringMode: 'TierAfter', duration, durationType } } }
}

const ofVms = (words: PolicyParts, workload: Workload, isEnhanced: boolean): Fields => {
  const { schedule = {}, retention = {}, instant_restore_days, archive_after_days } = words
  const properties: Fields = {
    backupManagementType: 'AzureIaasVM',
    ...(isEnhanced && { policyType: 'V2' }),
    instantRPDetails: {},
    schedulePolicy: isEnhanced ? enhancedSchedule(schedule) : simpleSchedule(schedule),
    retentionPolicy: longTerm(retention, schedule, retentionTimesOf(schedule, workload)),
    ...tiering(archive_after_days, workload),
    timeZone: zoneOf(schedule),
  }
  return { ...properties, instantRpRetentionRangeInDays: instant_restore_days ?? usualInstantDays(properties) }
}

const ofShares = ({ schedule = {}, retention = {} }: PolicyParts, workload: Workload): Fields => ({
  backupManagementType: 'AzureStorage',
  workLoadType: 'AzureFileShare',
  schedulePolicy: simpleSchedule(schedule),
  retentionPolicy: longTerm(retention, schedule, retentionTimesOf(schedule, workload)),
  timeZone: zoneOf(schedule),
})

const simpleTerm = (days: number | undefined): Fields => ({
  retentionPolicyType: 'SimpleRetentionPolicy',
  ...lasting(days, 'Days'),
})

const between = (policyType: string, part: PartWords | undefined): Fields[] =>
  part
    ? [
        {
          policyType,
          schedulePolicy: simpleSchedule(part.schedule ?? {}),
          retentionPolicy: simpleTerm(part.retention_days),
        },
      ]
    : []

const logs = ({ frequency_minutes, retention_days }: PartWords): Fields => ({
  policyType: 'Log',
  schedulePolicy: {
    schedulePolicyType: 'LogSchedulePolicy',
    ...(frequency_minutes === undefined ? {} : { scheduleFrequencyInMins: frequency_minutes }),
  },
  retentionPolicy: simpleTerm(retention_days),
})

const fullBackups = ({ schedule = {}, retention = {} }: PartWords, tiers: Fields, workload: Workload): Fields => ({
  policyType: 'Full',
  schedulePolicy: simpleSchedule(schedule),
  retentionPolicy: longTerm(retention, schedule, retentionTimesOf(schedule, workload)),
  ...tiers,
})

const ofDatabases = (words: PolicyParts, workload: Workload): Fields => {
  const { full, differential, incremental, log, compression = false, archive_after_days } = words
  return {
    backupManagementType: 'AzureWorkload',
    workLoadType: datasources[workload].azureWord,
    settings: {
      timeZone: zoneOf(full?.schedule, differential?.schedule, incremental?.schedule),
      issqlcompression: compression && workload === 'SQL',
      isCompression: compression,
    },
    subProtectionPolicy: [
      ...(full ? [fullBackups(full, tiering(archive_after_days, workload), workload)] : []),
      ...between('Differential', differential),
      ...between('Incremental', incremental),
      ...(log ? [logs(log)] : []),
    ],
  }
}

const makers: Readonly<Record<Workload, (words: PolicyParts, workload: Workload, isEnhanced: boolean) => Fields>> = {
  VM: ofVms,
  SQL: ofDatabases,
  SAPHana: ofDatabases,
  SAPAse: ofDatabases,
  AzureFileShare: ofShares,
}

/** The `properties` of the policy that words make for a workload. */
export const bodyOf = (words: PolicyParts, workload: Workload, isEnhanced: boolean): Fields =>
  makers[workload](words, workload, isEnhanced)
