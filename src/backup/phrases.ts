/** How words are put together for people. */

/** `a, b and c`. */
export const and = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), ...words.slice(-1)].filter(part => part !== '').join(' and ')

/** Those that say something. */
export const joined = (words: readonly (string | null)[], by: string): string => words.filter(word => word).join(by)

/** `1 day`, `2 days`. */
export const plural = (count: number, units: string): string =>
  `${count} ${count === 1 ? units.replace(/s$/, '') : units}`

/** `every day`, `every 2 days`. */
export const every = (count: number, units: string): string =>
  count === 1 ? `every ${units.replace(/s$/, '')}` : `every ${plural(count, units)}`
