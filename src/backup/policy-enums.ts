/** Azure's words in policies. */
import { sameText } from './arm-ids.ts'
import { text } from './fields.ts'

/** In the order of its definitions: where one comes as a number, that is its place. */
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

/** The place of a word among those of its kind, from 0; -1 for none of them. */
export const placeOf = (word: string, kind: keyof typeof enums): number =>
  enums[kind].findIndex(each => sameText(each, word))
