/** Azure's words in policies, and how they are put together for people. */
import { sameText } from './arm-ids.ts'
import { text } from './fields.ts'

/** Azure's words, in the order of its definitions: where one comes as a number, that is its place. */
const enums = {
  day: ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
  week: ['First', 'Second', 'Third', 'Fourth', 'Last', 'Invalid'],
  month: 'Invalid January February March April May June July August September October November December'.split(' '),
  frequency: ['Invalid', 'Daily', 'Weekly', 'Hourly'],
  format: ['Invalid', 'Daily', 'Weekly'],
  duration: ['Invalid', 'Days', 'Weeks', 'Months', 'Years'],
  tiering: ['Invalid', 'TierRecommended', 'TierAfter', 'DoNotTier'],
  policyType: ['Invalid', 'V1', 'V2'],
  backupType: 'Invalid Full Differential Log CopyOnlyFull Incremental SnapshotFull SnapshotCopyOnlyFull'.split(' '),
} as const satisfies Record<string, readonly string[]>

/** The word as Azure defines it, whatever its letter case; one that is not defined as it came; none for `Invalid`. */
export const named = (value: unknown, kind: keyof typeof enums): string | null => {
  const known: readonly string[] = enums[kind]
  const word = typeof value === 'number' ? known[value] : text(value)
  const found = known.find(each => sameText(each, word)) ?? word
  return found === undefined || found === 'Invalid' ? null : found
}
export const allNamed = (values: unknown, kind: keyof typeof enums): string[] =>
  Array.isArray(values) ? values.map(value => named(value, kind)).filter(word => word !== null) : []

export const and = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), ...words.slice(-1)].filter(part => part !== '').join(' and ')
export const joined = (words: readonly (string | null)[], by: string): string => words.filter(word => word).join(by)
export const plural = (count: number, units: string): string =>
  `${count} ${count === 1 ? units.replace(/s$/, '') : units}`
export const every = (count: number, units: string): string =>
  count === 1 ? `every ${units.replace(/s$/, '')}` : `every ${plural(count, units)}`
