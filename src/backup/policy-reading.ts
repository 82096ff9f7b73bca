/** The words that a policy of Azure's would be said in, as far as there are words for it: what is changed is said over them. */
import type { Workload } from './datasources.ts'
import { type Fields, fields, list, number, text, texts } from './fields.ts'
import type { PartWords, RetentionWords, ScheduleWords } from './policy-body.ts'
import { clockOf } from './policy-parts.ts'
import { durationOf, isEnhanced, type Schedule, scheduleOf } from './policy-shape.ts'
import type { PolicyParts } from './policy-words.ts'

/** Words that Azure has and that the schema does not are faults of the rules, told where they are changed. */
const worded = <Word extends string>(word: string | null | undefined): Word | undefined =>
  (word ?? undefined) as Word | undefined

/** Without what is undefined: it would be over what others say. */
const said = <Words extends object>(words: Words): Words =>
  Object.fromEntries(Object.entries(words).filter(([, word]) => word !== undefined)) as Words

const scheduleWords = ({ frequency, times, days, hourly }: Schedule, zone: string | undefined): ScheduleWords =>
  said({
    frequency: worded<NonNullable<ScheduleWords['frequency']>>(frequency?.toLowerCase()),
    times: hourly ? undefined : times.map(clockOf),
    days: days.length > 0 ? days.map(day => worded<NonNullable<ScheduleWords['days']>[number]>(day)) : undefined,
    interval_hours: hourly?.interval,
    window_start: hourly && clockOf(hourly.start),
    window_hours: hourly?.hours,
    time_zone: zone,
  } as ScheduleWords)

type Monthly = NonNullable<RetentionWords['monthly']>

/** Days that are those of the weekly schedule are left to it: they go along with it. */
const dayWords = (rule: Fields, scheduled: readonly string[]): Monthly => {
  const { daysOfTheWeek, weeksOfTheMonth } = fields(rule.retentionScheduleWeekly)
  if (text(rule.retentionScheduleFormatType) === 'Daily') {
    const dates = list(fields(rule.retentionScheduleDaily).daysOfTheMonth)
    return { days: dates.map(({ date, isLast }) => (isLast === true ? 'last' : (number(date) ?? 0))) } as Monthly
  }
  const [weekday] = texts(daysOfTheWeek)
  return said({
    week: texts(weeksOfTheMonth)[0],
    weekday: texts(daysOfTheWeek).join() === scheduled.join() ? undefined : weekday,
  }) as Monthly
}

const countOf = (rule: Fields): number => durationOf(rule)?.count ?? 0

const retentionWords = (raw: unknown, { days }: Schedule): RetentionWords => {
  const retention = fields(raw)
  const rule = <Words>(name: string, words: (given: Fields) => Words): Words | undefined =>
    retention[name] ? words(fields(retention[name])) : undefined
  const weekdays = (given: Fields) => (days.length > 0 ? {} : { days: texts(given.daysOfTheWeek) })
  return said({
    daily: rule('dailySchedule', given => ({ days: countOf(given) })),
    weekly: rule('weeklySchedule', given => ({ weeks: countOf(given), ...weekdays(given) })),
    monthly: rule('monthlySchedule', given => ({ months: countOf(given), ...dayWords(given, days) })),
    yearly: rule('yearlySchedule', given => ({
      years: countOf(given),
      months: texts(given.monthsOfYear),
      ...dayWords(given, days),
    })),
  } as RetentionWords)
}

const tierDays: Readonly<Record<string, number>> = { Days: 1, Months: 30 }

const archiveDays = (tiering: unknown): number | undefined => {
  const { tieringMode, duration, durationType } = fields(fields(tiering).ArchivedRP)
  const days = (number(duration) ?? 0) * (tierDays[text(durationType) ?? ''] ?? 0)
  return tieringMode === 'TierAfter' && days > 0 ? days : undefined
}

const partWords = (part: Fields, zone: string | undefined): PartWords => {
  const schedule = scheduleOf(part.schedulePolicy)
  const days = durationOf(part.retentionPolicy)?.count
  const minutes = number(fields(part.schedulePolicy).scheduleFrequencyInMins) ?? undefined
  return said({
    schedule: minutes === undefined ? scheduleWords(schedule, zone) : undefined,
    retention: days === undefined ? retentionWords(part.retentionPolicy, schedule) : undefined,
    retention_days: days,
    frequency_minutes: minutes,
  } as PartWords)
}

const ofDatabases = (properties: Fields): PolicyParts => {
  const { timeZone, isCompression, issqlcompression } = fields(properties.settings)
  const parts = list(properties.subProtectionPolicy)
  const named = (type: string) => parts.find(({ policyType }) => policyType === type)
  const full = named('Full')
  // A policy has one zone, which its full backups say.
  const words = (part: Fields | undefined) =>
    part && partWords(part, part === full ? (text(timeZone) ?? undefined) : undefined)
  return said({
    full: words(full),
    differential: words(named('Differential')),
    incremental: words(named('Incremental')),
    log: words(named('Log')),
    compression: isCompression === true || issqlcompression === true,
    archive_after_days: archiveDays(full?.tieringPolicy),
  } as PolicyParts)
}

const ofOthers = (properties: Fields, isVm: boolean): PolicyParts => {
  const schedule = scheduleOf(properties.schedulePolicy)
  const retention = fields(properties.vaultRetentionPolicy).vaultRetention ?? properties.retentionPolicy
  return said({
    policy_type: isVm ? (isEnhanced(properties) ? 'enhanced' : 'standard') : undefined,
    schedule: scheduleWords(schedule, text(properties.timeZone) ?? undefined),
    retention: retentionWords(retention, schedule),
    instant_restore_days: isVm ? (number(properties.instantRpRetentionRangeInDays) ?? undefined) : undefined,
    archive_after_days: archiveDays(properties.tieringPolicy),
  } as PolicyParts)
}

/** Words of a policy for a workload; what there are no words for is not in them. */
export const wordsOf = (properties: Fields, workload: Workload): PolicyParts =>
  properties.backupManagementType === 'AzureWorkload'
    ? ofDatabases(properties)
    : ofOthers(properties, workload === 'VM')
