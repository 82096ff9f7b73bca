/**
 * Azure's words on their way into our errors: kept to the letter, but without what opens a door. Every rule reads its
 * text once, because the text may be long and hostile.
 */
const shapes: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\beyJ[\w-]{8,}(?:\.[\w-]*){1,4}/g, '[removed]'],
  [/\b(Bearer|SharedAccessSignature) [\w.~+/=%&-]{16,}/gi, '$1 [removed]'],
  // What a query calls secret: the signature of a polling URL, of a storage address.
  [/([?&](?:t|c|s|h|sig|code|key|token|access_token)=)[^&\s"'<>]+/gi, '$1[removed]'],
  [/\b(sig|AccountKey|SharedAccessKey|password|client_secret|access_token)=[^&;\s"'<>]+/gi, '$1=[removed]'],
  [
    /("(?:accessTokenString|access_token|refresh_token|password|blobSasKey|securityPIN|token)"\s*:\s*")[^"]*/gi,
    '$1[removed]',
  ],
  [/[\w+%=-]{120,}/g, '[removed]'], // certificates and keys; Azure's longest names have 64 characters
]

const maxCharacters = 2000

/** Azure's text without tokens, signatures and keys, and cut with a mark after 2,000 characters. */
export function safeText(text: string): string {
  const bounded = text.slice(0, 4 * maxCharacters)
  const clean = shapes.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), bounded)
  const isWhole = text.length === bounded.length && clean.length <= maxCharacters
  return isWhole ? clean : `${clean.slice(0, maxCharacters)}… (cut)`
}

/** True when `safeText` would take something out. */
export const hintsAtSecret = (text: string): boolean => {
  const bounded = text.slice(0, 4 * maxCharacters)
  return shapes.some(([pattern, replacement]) => bounded.replace(pattern, replacement) !== bounded)
}

/** A short piece of a foreign text on one line. */
export const printable = (text: string, most: number): string => {
  const line = text.slice(0, 4 * most).replace(/[\s\p{C}]+/gu, ' ')
  return line.length > most ? `${line.slice(0, most)}…` : line
}
