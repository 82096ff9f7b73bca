/** How long a policy keeps a point, by the longest of its rules that the point meets (sections 5.1 to 5.5 of the wire). */
import { type Fields, fields, flag, list, number, text, texts } from '../backup/fields.ts'
import { isLastOfWindow, weekdaysOf, zoneOf } from './schedules.ts'
import { dayMs, wallClock } from './zones.ts'

export interface Kept {
  expiresMs: number
  /** Daily, Weekly, Monthly or Yearly. */
  rule: string
}

const addMonths = (atMs: number, months: number): number => {
  const date = new Date(atMs)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, days))
  return date.getTime()
}

const units: Readonly<Record<string, (atMs: number, count: number) => number>> = {
  days: (atMs, count) => atMs + count * dayMs,
  weeks: (atMs, count) => atMs + count * 7 * dayMs,
  months: addMonths,
  years: (atMs, count) => addMonths(atMs, 12 * count),
}

/** The end of `{count, durationType}` from a moment; undefined where that is none. */
const endOf = (duration: unknown, atMs: number): number | undefined => {
  const { count, durationType } = fields(duration)
  const amount = number(count)
  return amount === null ? undefined : units[text(durationType)?.toLowerCase() ?? 'days']?.(atMs, amount)
}

const daysInMonth = (shown: Date): number =>
  new Date(Date.UTC(shown.getUTCFullYear(), shown.getUTCMonth() + 1, 0)).getUTCDate()

const weeks = ['first', 'second', 'third', 'fourth']

const isInWeeks = (names: readonly string[], shown: Date): boolean => {
  const date = shown.getUTCDate()
  return names.some(name =>
    name.toLowerCase() === 'last'
      ? date + 7 > daysInMonth(shown)
      : weeks.indexOf(name.toLowerCase()) === Math.floor((date - 1) / 7),
  )
}

const isDayOfWeek = (names: unknown, shown: Date): boolean => weekdaysOf(names).includes(shown.getUTCDay())

/** The day of the month that a monthly or yearly rule picks, in either format. */
const isDayOfMonth = (rule: Fields, shown: Date): boolean => {
  const { daysOfTheWeek, weeksOfTheMonth } = fields(rule.retentionScheduleWeekly)
  if (text(rule.retentionScheduleFormatType)?.toLowerCase() === 'weekly')
    return isDayOfWeek(daysOfTheWeek, shown) && isInWeeks(texts(weeksOfTheMonth), shown)
  return list(fields(rule.retentionScheduleDaily).daysOfTheMonth).some(({ date, isLast }) =>
    flag(isLast) ? shown.getUTCDate() === daysInMonth(shown) : number(date) === shown.getUTCDate(),
  )
}

const months = 'january february march april may june july august september october november december'.split(' ')

const isMonth = (names: unknown, shown: Date): boolean =>
  texts(names).some(name => months.indexOf(name.toLowerCase()) === shown.getUTCMonth())

interface Rule {
  name: string
  field: string
  isMet: (rule: Fields, shown: Date) => boolean
}

const rules: readonly Rule[] = [
  { name: 'Daily', field: 'dailySchedule', isMet: () => true },
  { name: 'Weekly', field: 'weeklySchedule', isMet: ({ daysOfTheWeek }, shown) => isDayOfWeek(daysOfTheWeek, shown) },
  { name: 'Monthly', field: 'monthlySchedule', isMet: isDayOfMonth },
  {
    name: 'Yearly',
    field: 'yearlySchedule',
    isMet: (rule, shown) => isMonth(rule.monthsOfYear, shown) && isDayOfMonth(rule, shown),
  },
]

const partOf = ({ subProtectionPolicy }: Fields, kind: string): Fields => {
  const parts = list(subProtectionPolicy)
  const named = (name: string) => parts.find(part => text(part.policyType)?.toLowerCase() === name.toLowerCase())
  return named(kind) ?? named('Full') ?? {}
}

const retentionOf = (properties: Fields, kind: string): Fields => {
  if (Array.isArray(properties.subProtectionPolicy)) return fields(partOf(properties, kind).retentionPolicy)
  const { vaultRetention } = fields(properties.vaultRetentionPolicy)
  return fields(vaultRetention ?? properties.retentionPolicy)
}

/** What Azure keeps a backup for that was asked for without an end, and that no rule knows. */
export const unruledDays = 30

/** How long instant snapshots of a VM stay beside the vault. */
export const snapshotUntil = (properties: Fields, atMs: number): number =>
  atMs + (number(properties.instantRpRetentionRangeInDays) ?? 2) * dayMs

/** Of an hourly window only the last point reaches the vault; the others of VMs live as long as their snapshots. */
export const isSnapshotOnly = (properties: Fields, atMs: number): boolean =>
  text(properties.backupManagementType)?.toLowerCase() === 'azureiaasvm' && !isLastOfWindow(properties, atMs)

/** How long a policy keeps a point of that kind and moment, and by which of its rules. */
export const keptUntil = (properties: Fields, kind: string, atMs: number): Kept => {
  if (isSnapshotOnly(properties, atMs)) return { expiresMs: snapshotUntil(properties, atMs), rule: 'Daily' }
  const retention = retentionOf(properties, kind)
  const simple = endOf(retention.retentionDuration, atMs)
  if (simple !== undefined) return { expiresMs: simple, rule: 'Daily' }
  const shown = wallClock(zoneOf(properties), atMs)
  const isLast = isLastOfWindow(properties, atMs)
  let kept: Kept | undefined
  for (const { name, field, isMet } of rules) {
    const rule = fields(retention[field])
    const expiresMs = endOf(rule.retentionDuration, atMs)
    // A day's longer rules take the last of its points.
    if (expiresMs === undefined || !isMet(rule, shown) || (name !== 'Daily' && !isLast)) continue
    if (!kept || expiresMs > kept.expiresMs) kept = { expiresMs, rule: name }
  }
  return kept ?? { expiresMs: atMs + unruledDays * dayMs, rule: 'Daily' }
}

/** How long logs are kept. */
export const logsKeptMs = (properties: Fields): number => {
  const log = list(properties.subProtectionPolicy).find(({ policyType }) => text(policyType)?.toLowerCase() === 'log')
  return endOf(fields(log?.retentionPolicy).retentionDuration, 0) ?? 15 * dayMs
}

/** Azure's own terms: a point is at least three months old before, and six months kept after it is archived. */
const restMonths = 3
const stayMonths = 6

/** Whether a point is worth archiving: old enough, and kept long enough. */
export const isArchivable = (atMs: number, expiresMs: number | undefined, nowMs: number): boolean =>
  addMonths(atMs, restMonths) <= nowMs && (expiresMs === undefined || addMonths(nowMs, stayMonths) <= expiresMs)

/** From when on the policy has a point in the archive; undefined: never. */
export const archivedFrom = (
  properties: Fields,
  kind: string,
  { atMs, expiresMs, rule }: { atMs: number; expiresMs: number | undefined; rule: string },
): number | undefined => {
  const { tieringPolicy = partOf(properties, kind).tieringPolicy } = properties
  const tiering = fields(fields(tieringPolicy).ArchivedRP)
  const mode = text(tiering.tieringMode)?.toLowerCase()
  if (mode === 'tierafter') {
    const fromMs = endOf({ count: tiering.duration, durationType: tiering.durationType }, atMs)
    return fromMs !== undefined && (expiresMs === undefined || fromMs < expiresMs) ? fromMs : undefined
  }
  const fromMs = addMonths(atMs, restMonths)
  const isLong = rule === 'Monthly' || rule === 'Yearly'
  return mode === 'tierrecommended' && isLong && isArchivable(atMs, expiresMs, fromMs) ? fromMs : undefined
}
