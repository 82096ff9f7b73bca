/** Which rules of a retention take the point of a day (sections 5.1 to 5.5 of the wire facts). */
import { sameText } from './arm-ids.ts'
import { type Fields, fields, flag, list, number, text, texts } from './fields.ts'
import { placeOf } from './policy-enums.ts'
import { type RetentionRule, rulesOf } from './policy-shape.ts'

/** The days of the week as numbers from 0, Sunday. */
export const weekdaysOf = (names: unknown): number[] =>
  texts(names)
    .map(name => placeOf(name, 'day'))
    .filter(day => day >= 0)

const daysInMonth = (shown: Date): number =>
  new Date(Date.UTC(shown.getUTCFullYear(), shown.getUTCMonth() + 1, 0)).getUTCDate()

const isInWeeks = (names: readonly string[], shown: Date): boolean => {
  const date = shown.getUTCDate()
  return names.some(name =>
    sameText(name, 'Last') ? date + 7 > daysInMonth(shown) : placeOf(name, 'week') === Math.floor((date - 1) / 7),
  )
}

const isDayOfWeek = (names: unknown, shown: Date): boolean => weekdaysOf(names).includes(shown.getUTCDay())

/** The day of the month that a monthly or yearly rule picks, in either format. */
const isDayOfMonth = (rule: Fields, shown: Date): boolean => {
  const { daysOfTheWeek, weeksOfTheMonth } = fields(rule.retentionScheduleWeekly)
  if (sameText(text(rule.retentionScheduleFormatType), 'Weekly'))
    return isDayOfWeek(daysOfTheWeek, shown) && isInWeeks(texts(weeksOfTheMonth), shown)
  return list(fields(rule.retentionScheduleDaily).daysOfTheMonth).some(({ date, isLast }) =>
    flag(isLast) ? shown.getUTCDate() === daysInMonth(shown) : number(date) === shown.getUTCDate(),
  )
}

const isMonth = (names: unknown, shown: Date): boolean =>
  texts(names).some(name => placeOf(name, 'month') === shown.getUTCMonth() + 1)

const isMet: Readonly<Record<RetentionRule, (rule: Fields, shown: Date) => boolean>> = {
  dailySchedule: () => true,
  weeklySchedule: ({ daysOfTheWeek }, shown) => isDayOfWeek(daysOfTheWeek, shown),
  monthlySchedule: isDayOfMonth,
  yearlySchedule: (rule, shown) => isMonth(rule.monthsOfYear, shown) && isDayOfMonth(rule, shown),
}

/** The rules that take the point of a day, which `shown` has in its UTC fields, as the policy's zone shows it. */
export const rulesMet = (retention: Fields, shown: Date): RetentionRule[] =>
  rulesOf(retention).flatMap(({ rule, given }) => (isMet[rule](given, shown) ? [rule] : []))
