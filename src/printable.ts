/**
 * Text from elsewhere (a file, Azure, a caller), made safe to show: control, bidirectional and other invisible characters
 * become \u escapes.
 */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu

/** On one line, for a terminal or a log; what is longer than `maxLength` is cut with a mark. */
export const printable = (text: string, maxLength = Number.POSITIVE_INFINITY): string =>
  (text.length > maxLength ? `${text.slice(0, maxLength)}…` : text).replaceAll(invisible, escapeUnits)

/** The same for text inside of JSON, where tabs and line ends are escaped anyway. */
export const withoutHidden = (text: string): string =>
  text.replaceAll(invisible, character => (/[\t\n\r]/.test(character) ? character : escapeUnits(character)))

const escapeUnits = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => {
    const code = character.charCodeAt(index)
    return `\\u${code.toString(16).padStart(4, '0')}`
  }).join('')
