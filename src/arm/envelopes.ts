/**
 * Bodies as they come: JSON, nothing, or something that is no JSON (a proxy's page, an answer cut short). And the forms
 * in which Azure wraps an error: `{error: {…}}` with or without details and innerError, the same fields bare, an
 * operation status with `error`, OAuth's `{error, error_description}`.
 */
import { printable } from '../printable.ts'
import { hintsAtSecret } from './texts.ts'

export type Body =
  | { kind: 'none' }
  | { kind: 'json'; value: unknown }
  /** `what`: in words, e.g. `a web page ("Sign in")`. Never the page itself. */
  | { kind: 'unreadable'; what: string }

export function readBody(text: string): Body {
  const trimmed = text.replace(/^\uFEFF/, '').trim()
  if (trimmed === '') return { kind: 'none' }
  try {
    return { kind: 'json', value: JSON.parse(trimmed) }
  } catch {
    return { kind: 'unreadable', what: describe(trimmed) }
  }
}

function describe(text: string): string {
  if (text.startsWith('<')) {
    const title = /<title[^>]*>([^<]{1,200})/i.exec(text.slice(0, 10_000))?.[1]
    return title && !hintsAtSecret(title) ? `a web page ("${excerpt(title)}")` : 'a web page'
  }
  if (/^[[{]/.test(text)) return `JSON that is broken or cut short after ${text.length} characters`
  return hintsAtSecret(text) ? 'a text' : `a text ("${excerpt(text)}")`
}

export interface AzureError {
  code: string | undefined
  message: string | undefined
  /** Errors wrapped in this one, outermost first. */
  inner: readonly AzureError[]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined

/** The error in a parsed body, or undefined where there is none in it. */
export function parseAzureError(body: unknown): AzureError | undefined {
  if (!isObject(body)) return undefined
  if (typeof body.error === 'string') return { code: body.error, message: textOf(body.error_description), inner: [] }
  return parseFields(isObject(body.error) ? body.error : body, 0)
}

function parseFields(fields: Record<string, unknown>, depth: number): AzureError | undefined {
  const code = textOf(fields.code) ?? textOf(fields.Code)
  const message = textOf(fields.message) ?? textOf(fields.Message)
  if (code === undefined && message === undefined) return undefined
  const nested = [fields.details, fields.innerError, fields.innererror].flat().filter(isObject)
  // Azure nests two deep at most; a deeper one is not worth following.
  const inner = depth < 4 ? nested.slice(0, 20).map(one => parseFields(one, depth + 1)) : []
  return { code, message, inner: inner.flatMap(one => (one ? [one, ...one.inner] : [])) }
}

/** A short piece of a foreign text on one line. */
const excerpt = (text: string): string => printable(text.slice(0, 400).trim().replaceAll(/\s+/g, ' '), 80)
