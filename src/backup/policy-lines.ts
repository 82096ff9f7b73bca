/**
 * A policy's schedule and retention, each in one line that a person reads: "weekly on Sunday at 03:00 (UTC)",
 * "daily 30 days, monthly 12 months". Shapes: section 5 of the service's policies, by their discriminators.
 */
import { type Fields, fields, list, number, text, texts } from './fields.ts'

const plural = (count: number, unit: string): string => {
  const one = unit.toLowerCase().replace(/s$/, '')
  return `${count} ${one}${count === 1 ? '' : 's'}`
}

/** `HH:MM` of the times that Azure sends as whole dates. */
const clockTimes = (value: unknown): string =>
  texts(value)
    .map(each => /T(\d\d:\d\d)/.exec(each)?.[1] ?? each)
    .join(', ')

const at = (times: unknown): string => (clockTimes(times) ? ` at ${clockTimes(times)}` : '')
const on = (days: unknown): string => (texts(days).length > 0 ? ` on ${texts(days).join(', ')}` : '')

const hourly = (schedule: Fields): string => {
  const hours = number(schedule.interval)
  const window = number(schedule.scheduleWindowDuration)
  const start = clockTimes([schedule.scheduleWindowStartTime])
  const every = hours === null ? 'hourly' : `every ${plural(hours, 'hours')}`
  return `${every}${start ? ` from ${start}` : ''}${window === null ? '' : ` for ${plural(window, 'hours')}`}`
}

/** V2 schedules nest the parts that V1 schedules have at their top. */
const scheduleWords: Readonly<Record<string, (schedule: Fields) => string>> = {
  Hourly: schedule => hourly(fields(schedule.hourlySchedule)),
  Daily: schedule => `daily${at(schedule.scheduleRunTimes ?? fields(schedule.dailySchedule).scheduleRunTimes)}`,
  Weekly: schedule => {
    const weekly = fields(schedule.weeklySchedule)
    const weeks = number(schedule.scheduleWeeklyFrequency) ?? 0
    return `${weeks > 1 ? `every ${weeks} weeks` : 'weekly'}${on(schedule.scheduleRunDays ?? weekly.scheduleRunDays)}${at(schedule.scheduleRunTimes ?? weekly.scheduleRunTimes)}`
  },
}

const scheduleLine = (value: unknown): string => {
  const schedule = fields(value)
  const minutes = number(schedule.scheduleFrequencyInMins)
  if (minutes !== null) return `every ${plural(minutes, 'minutes')}`
  const frequency = text(schedule.scheduleRunFrequency)
  return frequency === null ? 'no schedule' : (scheduleWords[frequency]?.(schedule) ?? frequency.toLowerCase())
}

const duration = (value: unknown): string | null => {
  const { count, durationType } = fields(value)
  const amount = number(count)
  return amount === null ? null : plural(amount, text(durationType) ?? 'Days')
}

/** Which day of the month or year a monthly or yearly point is: "First Sunday" style, or days of the month. */
const dayWords = (schedule: Fields): string => {
  const weekly = fields(schedule.retentionScheduleWeekly)
  const months = texts(schedule.monthsOfYear)
  const days = list(fields(schedule.retentionScheduleDaily).daysOfTheMonth).map(({ isLast, date }) =>
    isLast === true ? 'last day' : `day ${number(date) ?? '?'}`,
  )
  const weekdays = [texts(weekly.weeksOfTheMonth), texts(weekly.daysOfTheWeek)].map(names => names.join(', '))
  const format = text(schedule.retentionScheduleFormatType)
  const which = format === 'Daily' ? days.join(', ') : weekdays.filter(part => part !== '').join(' ')
  return [which, months.join(', ')].filter(part => part !== '').join(' of ')
}

const longTerm = (retention: Fields): string[] =>
  (['daily', 'weekly', 'monthly', 'yearly'] as const).flatMap(name => {
    const schedule = retention[`${name}Schedule`]
    if (schedule === null || schedule === undefined) return []
    const body = fields(schedule)
    const days = name === 'weekly' ? texts(body.daysOfTheWeek).join(', ') : dayWords(body)
    return [`${[name, duration(body.retentionDuration)].filter(Boolean).join(' ')}${days ? ` (${days})` : ''}`]
  })

const retentionLine = (value: unknown): string => {
  const retention = fields(value)
  const terms = longTerm(retention)
  return terms.length > 0 ? terms.join(', ') : (duration(retention.retentionDuration) ?? 'none')
}

const withSnapshots = (retention: string, days: number | null): string =>
  days === null ? retention : `${retention}; snapshots ${plural(days, 'days')}`

/** `CopyOnlyFull` as people write it: "copy only full". */
const partName = (part: Fields): string =>
  (text(part.policyType) ?? 'backup').replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()

const partRetention = (part: Fields): string => {
  const retention = retentionLine(part.retentionPolicy)
  const days = number(fields(part.snapshotBackupAdditionalDetails).instantRpRetentionRangeInDays)
  if (days === null) return retention
  return `${retention === 'none' ? '' : `${retention}, `}snapshots ${plural(days, 'days')}`
}

/** Schedule and retention of a policy's `properties`. */
export const policyLines = (properties: Fields): { schedule: string; retention: string } => {
  const settings = fields(properties.settings)
  const zone = text(properties.timeZone) ?? text(settings.timeZone)
  const inZone = (line: string) => (zone === null ? line : `${line} (${zone})`)
  const parts = list(properties.subProtectionPolicy)
  if (parts.length > 0) {
    const lines = (line: (part: Fields) => string) => parts.map(part => `${partName(part)} ${line(part)}`).join('; ')
    return {
      schedule: inZone(lines(part => scheduleLine(part.schedulePolicy))),
      retention: lines(partRetention),
    }
  }
  const vaulted = fields(properties.vaultRetentionPolicy)
  const snapshots = number(properties.instantRpRetentionRangeInDays) ?? number(vaulted.snapshotRetentionInDays)
  return {
    schedule: inZone(scheduleLine(properties.schedulePolicy)),
    retention: withSnapshots(retentionLine(vaulted.vaultRetention ?? properties.retentionPolicy), snapshots),
  }
}
