/** Azure's words on their way into our errors: kept to the letter, but without secrets, and bounded. */
import { scrubText } from './scrub.ts'

const maxCharacters = 2000

/** Azure's text without tokens, signatures and keys, and cut with a mark after 2,000 characters. */
export function safeText(text: string): string {
  const bounded = text.slice(0, 4 * maxCharacters)
  const clean = scrubText(bounded)
  const isWhole = text.length === bounded.length && clean.length <= maxCharacters
  return isWhole ? clean : `${clean.slice(0, maxCharacters)}… (cut)`
}

/** True when `safeText` would take something out. */
export const hintsAtSecret = (text: string): boolean => {
  const bounded = text.slice(0, 4 * maxCharacters)
  return scrubText(bounded) !== bounded
}
