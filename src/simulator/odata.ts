/** `$filter` as Azure Backup takes it: `name eq 'value'` joined by ` and `; nothing else. */
import { invalidInput } from './refusal.ts'

/** The terms by name in lower case. Throws Refusal for anything else, and for a name that is not among `known`. */
export const filterTerms = (
  query: ReadonlyMap<string, string>,
  known: readonly string[],
): ReadonlyMap<string, string> => {
  const text = query.get('$filter')?.trim() ?? ''
  const terms = new Map<string, string>()
  if (text === '') return terms
  const term = /\s*([A-Za-z]\w*)\s+eq\s+(?:'((?:[^']|'')*)'|(true|false|\d+))\s*/iy
  for (let at = 0; at < text.length; ) {
    term.lastIndex = at
    const found = term.exec(text)
    const name = found?.[1]?.toLowerCase()
    if (!found || name === undefined || !known.some(each => each.toLowerCase() === name)) throw invalidInput()
    terms.set(name, (found[2] ?? found[3] ?? '').replaceAll("''", "'"))
    at = term.lastIndex
    if (at >= text.length) break
    const and = /and\s+/iy
    and.lastIndex = at
    if (!and.test(text)) throw invalidInput()
    at = and.lastIndex
  }
  return terms
}

/** `2026-01-01 04:00:15 AM`, UTC; `00:00:00 AM` too. Throws Refusal. */
export const filterMoment = (text: string): number => {
  const [, date, hour = '', rest = '', half = ''] = /^(\d{4}-\d\d-\d\d) (\d\d)(:\d\d:\d\d) ([AP]M)$/i.exec(text) ?? []
  const hours = (Number(hour) % 12) + (half.toUpperCase() === 'PM' ? 12 : 0)
  const atMs = Date.parse(`${date}T${String(hours).padStart(2, '0')}${rest}Z`)
  if (Number.isNaN(atMs)) throw invalidInput()
  return atMs
}

export const isSame = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase()
