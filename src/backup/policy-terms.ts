/** The terms of a policy in words: when it backs up, how long it keeps, when it archives. */
import { isObject } from '../rpc/messages.ts'
import { sameText } from './arm-ids.ts'
import { type Fields, fields, list, number, text } from './fields.ts'
import { and, every, joined, plural } from './phrases.ts'
import { allNamed, named } from './policy-enums.ts'

/** `HH:MM` of times that Azure sends as whole dates. They are of the policy's time zone, whatever their `Z` says. */
const clockTimes = (values: unknown): string[] =>
  (Array.isArray(values) ? values : [values])
    .map(value => /T(\d\d:\d\d)/.exec(text(value) ?? '')?.[1] ?? text(value))
    .filter(clock => clock !== null)

export interface Rhythm {
  rhythm: string
  days: string
  times: string
}

const hourly = (schedule: Fields): Rhythm => {
  const [hours, window] = [number(schedule.interval), number(schedule.scheduleWindowDuration)]
  const [start] = clockTimes(schedule.scheduleWindowStartTime)
  const times = [start ? `from ${start}` : null, window === null ? null : `for ${plural(window, 'hours')}`]
  return { rhythm: hours === null ? 'hourly' : every(hours, 'hours'), days: '', times: joined(times, ' ') }
}

/** V2 schedules nest what V1 schedules have at their top. */
export const rhythmOf = (value: unknown): Rhythm => {
  const schedule = fields(value)
  const minutes = number(schedule.scheduleFrequencyInMins)
  if (minutes !== null) return { rhythm: every(minutes, 'minutes'), days: '', times: '' }
  const nestedIn = (frequency: string) => schedule[`${frequency.toLowerCase()}Schedule`]
  const frequency =
    named(schedule.scheduleRunFrequency, 'frequency') ??
    ['Hourly', 'Daily', 'Weekly'].find(each => isObject(nestedIn(each)))
  if (frequency === undefined) return { rhythm: 'no schedule', days: '', times: '' }
  const nested = fields(nestedIn(frequency))
  if (frequency === 'Hourly') return hourly(nested)
  const weeks = number(schedule.scheduleWeeklyFrequency) ?? 0
  const isWeekly = frequency === 'Weekly'
  return {
    rhythm: isWeekly && weeks > 1 ? every(weeks, 'weeks') : frequency.toLowerCase(),
    days: isWeekly ? and(allNamed(nested.scheduleRunDays ?? schedule.scheduleRunDays, 'day')) : '',
    times: and(clockTimes(nested.scheduleRunTimes ?? schedule.scheduleRunTimes)),
  }
}

/** The zone belongs to a time of day; where there is none it says nothing. */
export const scheduleLine = ({ rhythm, days, times }: Rhythm, zone: string | null): string =>
  joined([rhythm, days, times, days || times ? zone : null], ' ')

const duration = (count: unknown, type: unknown, usual: string): string | null => {
  const amount = number(count)
  return amount === null ? null : plural(amount, (named(type, 'duration') ?? usual).toLowerCase())
}

/** Which day of the month or year: "on first Sunday", "on day 1 and last day of January". */
const onDays = (schedule: Fields): string => {
  const weekly = fields(schedule.retentionScheduleWeekly)
  const weeks = allNamed(weekly.weeksOfTheMonth, 'week').map(week => week.toLowerCase())
  const weekdays = joined([and(weeks), and(allNamed(weekly.daysOfTheWeek, 'day'))], ' ')
  const dates = list(fields(schedule.retentionScheduleDaily).daysOfTheMonth).flatMap(({ isLast, date }) =>
    isLast === true ? ['last day'] : number(date) === null ? [] : [`day ${number(date)}`],
  )
  const isByDate = named(schedule.retentionScheduleFormatType, 'format') === 'Daily'
  const days = isByDate ? and(dates) || weekdays : weekdays || and(dates)
  const months = and(allNamed(schedule.monthsOfYear, 'month'))
  return joined([days && `on ${days}`, months && `${days ? 'of' : 'in'} ${months}`], ' ')
}
const onWeekdays = ({ daysOfTheWeek }: Fields): string => {
  const days = and(allNamed(daysOfTheWeek, 'day'))
  return days && `on ${days}`
}

const terms: readonly [name: string, units: string, on: (schedule: Fields) => string][] = [
  ['daily', 'days', () => ''],
  ['weekly', 'weeks', onWeekdays],
  ['monthly', 'months', onDays],
  ['yearly', 'years', onDays],
]

/** "30 days, 12 weeks on Sunday"; null where nothing is told. */
export const keptFor = (value: unknown): string | null => {
  const retention = fields(value)
  const { count, durationType } = fields(retention.retentionDuration)
  const longTerm = terms.flatMap(([name, units, on]) => {
    if (!isObject(retention[`${name}Schedule`])) return []
    const schedule = fields(retention[`${name}Schedule`])
    const term = fields(schedule.retentionDuration)
    return [joined([duration(term.count, term.durationType, units) ?? name, on(schedule)], ' ')]
  })
  return longTerm.length > 0 ? longTerm.join(', ') : duration(count, durationType, 'days')
}

interface Tier {
  words: string
  moves: boolean
}

/** Where recovery points go, by the tier they go to. `DoNotTier` is told only where tiering is asked for. */
export const tiersOf = (value: unknown): Tier[] =>
  Object.entries(fields(value)).flatMap(([tier, policy]): Tier[] => {
    const { tieringMode, duration: count, durationType } = fields(policy)
    const mode = named(tieringMode, 'tiering')
    const move = sameText(tier, 'ArchivedRP') ? 'archive' : `move to ${tier}`
    const after = duration(count, durationType, 'days')
    if (mode === null) return []
    if (mode === 'DoNotTier') return [{ words: `no ${move}`, moves: false }]
    const when =
      mode === 'TierRecommended' ? 'when recommended' : mode === 'TierAfter' ? after && `after ${after}` : mode
    return [{ words: joined([move, when], ' '), moves: true }]
  })
