/** How long a policy keeps a point, by the longest of its rules that the point meets (sections 5.1 to 5.5 of the wire). */
import { type Fields, fields, list, number, text } from '../backup/fields.ts'
import { rulesMet } from '../backup/policy-days.ts'
import { type RetentionRule, retentionRules } from '../backup/policy-shape.ts'
import { isLastOfWindow, zoneOf } from './schedules.ts'
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

/** As points show it. */
const ruleNames: Readonly<Record<RetentionRule, string>> = {
  dailySchedule: 'Daily',
  weeklySchedule: 'Weekly',
  monthlySchedule: 'Monthly',
  yearlySchedule: 'Yearly',
}

/** The rules by which a policy takes a point: of a day's points the longer ones take the last. */
const rulesTaking = (properties: Fields, kind: string, atMs: number): RetentionRule[] => {
  const met = rulesMet(retentionOf(properties, kind), wallClock(zoneOf(properties), atMs))
  return isLastOfWindow(properties, atMs) ? met : met.filter(rule => rule === 'dailySchedule')
}

/** How long a policy keeps a point that these rules took: by the longest of them that it has. */
const keptBy = (properties: Fields, kind: string, atMs: number, took: readonly RetentionRule[]): Kept | undefined => {
  const retention = retentionOf(properties, kind)
  const simple = endOf(retention.retentionDuration, atMs)
  if (simple !== undefined) return { expiresMs: simple, rule: 'Daily' }
  let kept: Kept | undefined
  for (const rule of took) {
    const expiresMs = endOf(fields(retention[rule]).retentionDuration, atMs)
    if (expiresMs !== undefined && (!kept || expiresMs > kept.expiresMs)) kept = { expiresMs, rule: ruleNames[rule] }
  }
  return kept
}

/** How long a policy keeps a point of that kind and moment, and by which of its rules. */
export const keptUntil = (properties: Fields, kind: string, atMs: number): Kept => {
  if (isSnapshotOnly(properties, atMs)) return { expiresMs: snapshotUntil(properties, atMs), rule: 'Daily' }
  return (
    keptBy(properties, kind, atMs, rulesTaking(properties, kind, atMs)) ?? {
      expiresMs: atMs + unruledDays * dayMs,
      rule: 'Daily',
    }
  )
}

/**
 * How long a point is kept by another policy, or by its own that was changed; `before` is what it was under until now. The
 * rules that took it stay those, and a daily rule keeps every point. Undefined: no rule keeps it any more.
 */
export const keptFromNow = (
  properties: Fields,
  before: Fields | undefined,
  { kind, atMs, rule: marked }: { kind: string; atMs: number; rule: string },
): Kept | undefined => {
  const took = before ? rulesTaking(before, kind, atMs) : []
  const rules = retentionRules.map(([rule]) => rule)
  return keptBy(
    properties,
    kind,
    atMs,
    rules.filter(rule => rule === 'dailySchedule' || took.includes(rule) || ruleNames[rule] === marked),
  )
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
