/**
 * How often a policy backs up, and what a change of it makes rarer. Points that there are stay as they are, but a Resource
 * Guard guards it. https://learn.microsoft.com/azure/backup/multi-user-authorization-concept#critical-operations
 */
import { type Fields, fields, list, number, text } from './fields.ts'
import { scheduleOf } from './policy-shape.ts'

const perDay = (interval: number, hours: number): number =>
  interval > 0 ? Math.floor(Math.min(hours, 23) / interval) + 1 : 1

const perWeek = (raw: unknown): number => {
  const minutes = number(fields(raw).scheduleFrequencyInMins)
  if (minutes) return (7 * 24 * 60) / minutes
  const { frequency, days, hourly } = scheduleOf(raw)
  if (frequency === 'Weekly') return days.length
  return frequency === null ? 0 : 7 * (hourly ? perDay(hourly.interval, hourly.hours) : 1)
}

/** Backups a week by their type; policies of one part have no types. */
const frequencies = (properties: Fields): ReadonlyMap<string, number> =>
  new Map(
    Array.isArray(properties.subProtectionPolicy)
      ? list(properties.subProtectionPolicy).map(part => [text(part.policyType) ?? '', perWeek(part.schedulePolicy)])
      : [['', perWeek(properties.schedulePolicy)]],
  )

const words = (type: string, was: number, is: number): string =>
  `${type === '' ? 'backups' : `${type.toLowerCase()} backups`} run ${is} times a week instead of ${was}`

/** A sentence for each type of backup that runs less often: "backups run 1 times a week instead of 7". */
export const fewerBackups = (before: Fields, after: Fields): string[] => {
  const now = frequencies(after)
  return [...frequencies(before)].flatMap(([type, was]) => {
    const is = now.get(type) ?? 0
    return is < was ? [words(type, was, is)] : []
  })
}
