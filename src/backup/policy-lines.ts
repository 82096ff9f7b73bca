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
  const hours = number(schedule.interval) ?? 0
  const window = number(schedule.scheduleWindowDuration)
  const start = clockTimes([schedule.scheduleWindowStartTime])
  return `every ${plural(hours, 'hours')}${start ? ` from ${start}` : ''}${window === null ? '' : ` for ${plural(window, 'hours')}`}`
}

/** V2 schedules nest the parts that V1 schedules have at their top. */
const scheduleWords: Readonly<Record<string, (schedule: Fields) => string>> = {
  Hourly: schedule => hourly(fields(schedule.hourlySchedule)),
  Daily: schedule => `daily${at(schedule.scheduleRunTimes ?? fields(schedule.dailySchedule).scheduleRunTimes)}`,
  Weekly: schedule => {
    const weekly = fields(schedule.weeklySchedule)
    return `weekly${on(schedule.scheduleRunDays ?? weekly.scheduleRunDays)}${at(schedule.scheduleRunTimes ?? weekly.scheduleRunTimes)}`
  },
}

const scheduleLine = (value: unknown): string => {
  const schedule = fields(value)
  const minutes = number(schedule.scheduleFrequencyInMins)
  if (minutes !== null) return `every ${plural(minutes, 'minutes')}`
  const frequency = text(schedule.scheduleRunFrequency)
  return frequency === null ? 'no schedule' : (scheduleWords[frequency]?.(schedule) ?? frequency.toLowerCase())
}

const duration = (value: unknown): string => {
  const { count, durationType } = fields(value)
  return plural(number(count) ?? 0, text(durationType) ?? 'Days')
}

/** Which day of the month or year a monthly or yearly point is: "1st Sunday" style, or days of the month. */
const dayWords = (schedule: Fields): string => {
  const weekly = fields(schedule.retentionScheduleWeekly)
  const months = texts(schedule.monthsOfYear)
  const days = list(fields(schedule.retentionScheduleDaily).daysOfTheMonth).map(day =>
    day.isLast === true ? 'last' : String(day.date),
  )
  const format = text(schedule.retentionScheduleFormatType)
  const which =
    format === 'Daily'
      ? days.map(day => `day ${day}`).join(', ')
      : [...texts(weekly.weeksOfTheMonth), ...texts(weekly.daysOfTheWeek)].join(' ')
  return [which, months.join(', ')].filter(part => part !== '').join(' of ')
}

const longTerm = (retention: Fields): string[] =>
  (['daily', 'weekly', 'monthly', 'yearly'] as const).flatMap(name => {
    const schedule = retention[`${name}Schedule`]
    if (schedule === null || schedule === undefined) return []
    const body = fields(schedule)
    const days = name === 'weekly' ? texts(body.daysOfTheWeek).join(', ') : dayWords(body)
    return [`${name} ${duration(body.retentionDuration)}${days ? ` (${days})` : ''}`]
  })

const retentionLine = (value: unknown): string => {
  const retention = fields(value)
  const terms = longTerm(retention)
  if (terms.length > 0) return terms.join(', ')
  return retention.retentionDuration === undefined ? 'none' : duration(retention.retentionDuration)
}

/** Schedule and retention of a policy's `properties`. */
export const policyLines = (properties: Fields): { schedule: string; retention: string } => {
  const settings = fields(properties.settings)
  const zone = text(properties.timeZone) ?? text(settings.timeZone)
  const inZone = (line: string) => (zone === null ? line : `${line} (${zone})`)
  const parts = list(properties.subProtectionPolicy)
  if (parts.length > 0) {
    const lines = (line: (part: Fields) => string) =>
      parts.map(part => `${(text(part.policyType) ?? 'backup').toLowerCase()} ${line(part)}`).join('; ')
    return {
      schedule: inZone(lines(part => scheduleLine(part.schedulePolicy))),
      retention: lines(part => retentionLine(part.retentionPolicy)),
    }
  }
  const vaulted = fields(properties.vaultRetentionPolicy)
  const snapshots = number(properties.instantRpRetentionRangeInDays) ?? number(vaulted.snapshotRetentionInDays)
  const retention = retentionLine(vaulted.vaultRetention ?? properties.retentionPolicy)
  return {
    schedule: inZone(scheduleLine(properties.schedulePolicy)),
    retention: snapshots === null ? retention : `${retention}; snapshots ${plural(snapshots, 'days')}`,
  }
}
