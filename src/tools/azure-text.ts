/**
 * Text that Azure holds (names, tags, messages) may have been written by anybody. It goes out as data: control and
 * bidirectional characters are shown as escapes, and what is longer than any honest value is cut with a mark.
 */
import { scrubText } from '../arm/scrub.ts'
import { withoutHidden } from '../printable.ts'

const maxLength = 4000

/**
 * What at the top of a result must come through to the letter: our own opaque strings, and what mounting a recovery point
 * is for. The script is long, and with the password and the signed address it is a secret that the caller asked for.
 */
const asItIs: ReadonlySet<string> = new Set([
  'next_cursor',
  'operation_id',
  'script',
  'script_base64',
  'password',
  'download_url',
])

/** Ids, times and single words, which are most of a result: nothing in them can be hidden, and no secret but a JWT. */
const isPlain = (text: string): boolean =>
  text.length <= maxLength && /^[\w./;:-]*$/.test(text) && !text.includes('eyJ')

export const safeText = (text: string): string => {
  if (isPlain(text)) return text
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}… [cut, ${text.length} characters]` : text
  return withoutHidden(scrubText(cut))
}

/** Deeper than any resource of Azure, and far from the end of the stack. */
const maxDepth = 100

const safeValue = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return safeText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === maxDepth) return '… [cut, nested too deeply]'
  if (Array.isArray(value)) return value.map(item => safeValue(item, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [safeText(name), safeValue(item, depth + 1)]))
}

/** A copy of a result in which every string and every key is safe. */
export const safeResult = (result: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(result).map(([name, item]) => [safeText(name), asItIs.has(name) ? item : safeValue(item)]),
  )
