/** Policies of an estate in short words, made into the properties that ARM has (section 5 of the wire facts). */
import { datasources, type Workload } from '../backup/datasources.ts'
import type { Fields } from '../backup/fields.ts'
import type { SeedPartialBackup, SeedPolicy } from '../generated/seed.ts'

/** A schedule's times are dates of which the clock part counts. */
const dated = (clock: string): string => `2026-01-01T${clock}:00Z`

const lasting = (count: number, durationType: string): Fields => ({ count, durationType })

type Words = SeedPolicy & { workload: Workload }

const nightClock = '22:30'
const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))

/** The last backup of a window: retention is told by it. */
const endOfWindow = ({ from, window_hours }: NonNullable<SeedPolicy['hourly']>): string => {
  const minutes = (minutesOf(from) + window_hours * 60) % (24 * 60)
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}

const longTerm = ({ keep = {}, weekdays, time = nightClock, hourly }: Words): Fields => {
  const retentionTimes = [dated(hourly ? endOfWindow(hourly) : time)]
  const [day = 'Sunday'] = weekdays ?? []
  const first = {
    retentionScheduleFormatType: 'Weekly',
    retentionScheduleWeekly: { daysOfTheWeek: [day], weeksOfTheMonth: ['First'] },
    retentionTimes,
  }
  const { days, weeks, months, years } = keep
  return {
    retentionPolicyType: 'LongTermRetentionPolicy',
    ...(days && { dailySchedule: { retentionTimes, retentionDuration: lasting(days, 'Days') } }),
    ...(weeks && {
      weeklySchedule: {
        daysOfTheWeek: weekdays ?? [day],
        retentionTimes,
        retentionDuration: lasting(weeks, 'Weeks'),
      },
    }),
    ...(months && { monthlySchedule: { ...first, retentionDuration: lasting(months, 'Months') } }),
    ...(years && {
      yearlySchedule: { ...first, monthsOfYear: ['January'], retentionDuration: lasting(years, 'Years') },
    }),
  }
}

const simpleTerm = (days: number): Fields => ({
  retentionPolicyType: 'SimpleRetentionPolicy',
  retentionDuration: lasting(days, 'Days'),
})

const windowed = ({ every_hours, from, window_hours }: NonNullable<SeedPolicy['hourly']>): Fields => ({
  interval: every_hours,
  scheduleWindowStartTime: dated(from),
  scheduleWindowDuration: window_hours,
})

const simpleSchedule = ({ weekdays, time = nightClock, hourly }: Pick<SeedPolicy, 'weekdays' | 'time' | 'hourly'>) => ({
  schedulePolicyType: 'SimpleSchedulePolicy',
  ...(hourly
    ? { scheduleRunFrequency: 'Hourly', hourlySchedule: windowed(hourly) }
    : {
        scheduleRunFrequency: weekdays ? 'Weekly' : 'Daily',
        ...(weekdays && { scheduleRunDays: weekdays }),
        scheduleRunTimes: [dated(time)],
      }),
  scheduleWeeklyFrequency: 0,
})

const enhancedSchedule = ({ weekdays, time = nightClock, hourly }: Words): Fields => {
  const schedulePolicyType = 'SimpleSchedulePolicyV2'
  if (hourly) return { schedulePolicyType, scheduleRunFrequency: 'Hourly', hourlySchedule: windowed(hourly) }
  const scheduleRunTimes = [dated(time)]
  return weekdays
    ? {
        schedulePolicyType,
        scheduleRunFrequency: 'Weekly',
        weeklySchedule: { scheduleRunDays: weekdays, scheduleRunTimes },
      }
    : { schedulePolicyType, scheduleRunFrequency: 'Daily', dailySchedule: { scheduleRunTimes } }
}

const ofVms = (words: Words): Fields => ({
  backupManagementType: 'AzureIaasVM',
  ...(words.enhanced && { policyType: 'V2' }),
  instantRPDetails: {},
  schedulePolicy: words.enhanced ? enhancedSchedule(words) : simpleSchedule(words),
  retentionPolicy: longTerm(words),
  instantRpRetentionRangeInDays: words.instant_restore_days ?? (words.enhanced ? 7 : words.weekdays ? 5 : 2),
  timeZone: 'UTC',
})

const ofShares = (words: Words): Fields => ({
  backupManagementType: 'AzureStorage',
  workLoadType: 'AzureFileShare',
  schedulePolicy: simpleSchedule(words),
  retentionPolicy: longTerm(words),
  timeZone: 'UTC',
})

const partial = (policyType: string, given: SeedPartialBackup | undefined): Fields[] =>
  given ? [{ policyType, schedulePolicy: simpleSchedule(given), retentionPolicy: simpleTerm(given.keep_days) }] : []

const ofDatabases = (words: Words): Fields => ({
  backupManagementType: 'AzureWorkload',
  workLoadType: datasources[words.workload].azureWord,
  settings: { timeZone: 'UTC', issqlcompression: false, isCompression: false },
  subProtectionPolicy: [
    { policyType: 'Full', schedulePolicy: simpleSchedule(words), retentionPolicy: longTerm(words) },
    ...partial('Differential', words.differential),
    ...partial('Incremental', words.incremental),
    ...(words.log
      ? [
          {
            policyType: 'Log',
            schedulePolicy: {
              schedulePolicyType: 'LogSchedulePolicy',
              scheduleFrequencyInMins: words.log.every_minutes,
            },
            retentionPolicy: simpleTerm(words.log.keep_days),
          },
        ]
      : []),
  ],
})

const makers: Readonly<Record<Workload, (words: Words) => Fields>> = {
  VM: ofVms,
  SQL: ofDatabases,
  SAPHana: ofDatabases,
  SAPAse: ofDatabases,
  AzureFileShare: ofShares,
}

/** The ARM properties of an estate's policy, in whichever way it says them. */
export const propertiesOf = ({ properties, workload = 'VM', ...words }: SeedPolicy): Fields =>
  properties ?? makers[workload]({ ...words, workload })

/** The workload that a policy's properties are for; undefined where they say none that is known. */
export const policyWorkload = ({ backupManagementType, workLoadType }: Fields): Workload | undefined => {
  const management = String(backupManagementType).toLowerCase()
  const word = String(workLoadType ?? '').toLowerCase()
  return (Object.keys(datasources) as Workload[]).find(workload => {
    const { managementType, azureWord } = datasources[workload]
    if (managementType.toLowerCase() !== management) return false
    return managementType !== 'AzureWorkload' || azureWord.toLowerCase() === word
  })
}
