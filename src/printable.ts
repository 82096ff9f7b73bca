/**
 * Text from elsewhere (a file, Azure, a caller), made safe for a terminal and for a log: control, bidirectional and
 * other invisible characters become \u escapes, and what is longer than `maxLength` is cut with a mark.
 */
export const printable = (text: string, maxLength = Number.POSITIVE_INFINITY): string => {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return cut.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, escapeUnits)
}

const escapeUnits = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => {
    const code = character.charCodeAt(index)
    return `\\u${code.toString(16).padStart(4, '0')}`
  }).join('')
