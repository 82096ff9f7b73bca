/**
 * Text that Azure holds (names, tags, messages) may have been written by anybody. It goes out as data: control and
 * bidirectional characters are shown as escapes, and what is longer than any honest value is cut with a mark.
 */
import { scrubText } from '../arm/scrub.ts'
import { withoutHidden } from '../printable.ts'

const maxLength = 4000

/** Our own opaque strings, which must come back as they went out. Azure may have keys of that name: a tag, say. */
const opaque: ReadonlySet<string> = new Set(['next_cursor', 'operation_id'])
const isOpaque = (text: string, key: string | undefined): boolean =>
  key !== undefined && opaque.has(key) && /^[\w-]*$/.test(text)

/** Ids, times and single words, which are most of a result: nothing in them can be hidden, and no secret but a JWT. */
const isPlain = (text: string): boolean =>
  text.length <= maxLength && /^[\w./;:-]*$/.test(text) && !text.includes('eyJ')

const safeText = (text: string): string => {
  if (isPlain(text)) return text
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}… [cut, ${text.length} characters]` : text
  return withoutHidden(scrubText(cut))
}

/** A copy of a result in which every string and every key is safe. */
export const safeResult = (value: unknown, key?: string): unknown => {
  if (typeof value === 'string') return isOpaque(value, key) ? value : safeText(value)
  if (Array.isArray(value)) return value.map(item => safeResult(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [safeText(name), safeResult(item, name)]))
}
