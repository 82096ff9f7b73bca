/** What a policy's retention amounts to, and its times as Azure writes them. */
import { type Fields, fields, list, number } from '../backup/fields.ts'
import { durationOf, inDays, rulesOf } from '../backup/policy-shape.ts'

const retentionOf = (raw: unknown): [rule: string, days: number][] => {
  const retention = fields(raw)
  const plain = durationOf(retention)
  return [
    ...(plain ? [['', inDays(plain)] as [string, number]] : []),
    ...rulesOf(retention).map(({ rule, given }): [string, number] => [
      rule,
      inDays(durationOf(given) ?? { count: 0, unit: '' }),
    ]),
  ]
}

/** How many days each rule of a policy keeps, by a name that is the same in another version of the policy. */
const retentions = (properties: Fields): ReadonlyMap<string, number> => {
  const { snapshotRetentionInDays, vaultRetention } = fields(properties.vaultRetentionPolicy)
  const snapshots = number(snapshotRetentionInDays)
  return new Map([
    ...retentionOf(properties.retentionPolicy),
    ...retentionOf(vaultRetention),
    ...(snapshots === null ? [] : ([['snapshots', snapshots]] as const)),
    ...list(properties.subProtectionPolicy).flatMap(sub =>
      retentionOf(sub.retentionPolicy).map(([rule, days]): [string, number] => [`${sub.policyType}/${rule}`, days]),
    ),
  ])
}

/** Whether anything is kept for a shorter time, or no more, than before. */
export const isRetentionLowered = (before: Fields, after: Fields): boolean => {
  const now = retentions(after)
  return [...retentions(before)].some(([rule, days]) => (now.get(rule) ?? 0) < days)
}

const timeNames = new Set(['scheduleRunTimes', 'retentionTimes', 'scheduleWindowStartTime'])

/** `12:00:00.000Z` and `12:00:00+00:00` become `12:00:00Z`; what is no time stays. */
const plainTime = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  const atMs = Date.parse(/(Z|[+-]\d\d:\d\d)$/i.test(value) ? value : `${value}Z`)
  return Number.isNaN(atMs) ? value : new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Times as Azure writes them, wherever they are; what is null is left out. */
export const withPlainTimes = (value: unknown, name = ''): unknown => {
  if (Array.isArray(value)) return value.map(each => withPlainTimes(each, name))
  if (timeNames.has(name)) return plainTime(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === null ? [] : [[key, withPlainTimes(each, key)]])),
  )
}
