/** The times of a policy as Azure writes them. */

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
