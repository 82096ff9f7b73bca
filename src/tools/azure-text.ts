/**
 * Text that Azure holds (names, tags, messages) may have been written by anybody. It goes out as data: control and
 * bidirectional characters are shown as escapes, and what is longer than any honest value is cut with a mark.
 */
import { scrubText } from '../arm/scrub.ts'

const maxLength = 4000
/**
 * Control characters but tab and line ends, everything that turns or hides text (invisible tag characters too), and
 * halves of characters that are cut in two.
 */
const unsafe =
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\uD800-\uDFFF\u{E0000}-\u{E007F}]/gu

/** As JSON writes it: `\u202e`. */
const shown = (character: string): string =>
  [...Array(character.length).keys()].map(at => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

/** Our own opaque strings at the top of a result, which must come back as they went out. */
const opaque: ReadonlySet<string> = new Set(['next_cursor', 'operation_id'])

/** Names, ids and times have none of these; the scrubber's many patterns need not see them. */
const mayHoldSecret = /[=?:"']|earer|eyJ|sword/

export const safeText = (text: string): string => {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}… [cut, ${text.length} characters]` : text
  return (mayHoldSecret.test(cut) ? scrubText(cut) : cut).replace(unsafe, shown)
}

const safeValue = (value: unknown): unknown => {
  if (typeof value === 'string') return safeText(value)
  if (Array.isArray(value)) return value.map(safeValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [safeText(name), safeValue(item)]))
}

/** A copy of a result in which every string and every key is safe. */
export const safeResult = (result: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(result).map(([name, item]) => [safeText(name), opaque.has(name) ? item : safeValue(item)]),
  )
