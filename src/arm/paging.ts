/**
 * Lists that come in pages. Azure names the next page by a URL that holds its token; we go there on the configured
 * origin only, and never to a page that was read before. Other lists hand out the bare token.
 */
import type { ArmReply, Page, Query } from './arm.ts'
import { type ArmError, type Asked, unexpectedAnswer } from './errors.ts'
import { locate } from './origin.ts'

/** A continuation that does not belong to the list it was given to: whoever brought it has to begin anew. */
export class InvalidContinuation extends Error {
  override name = 'InvalidContinuation'
}

export interface PageSource {
  /** Origin of ARM. */
  endpoint: string
  /** The list's path, percent-encoded. */
  path: string
  /** Path and query of the list, as it is asked for, with further parameters. */
  address(further: Query): string
  /** Reads one page by path and query. */
  read(pathAndQuery: string): Promise<{ asked: Asked; reply: ArmReply }>
}

/** Of one list in one call: 200 rows each make more items than the largest fleet has. */
const maxPages = 10_000

/** Pages from the first, or from `from`. Throws InvalidContinuation for a `from` of another list or of a host. */
export async function* pagesOf(source: PageSource, from: string | undefined): AsyncGenerator<Page, void, void> {
  if (from !== undefined) checkContinuation(source, from)
  const seen = new Set<string>()
  for (let at = from; ; ) {
    const here = at ?? source.address({})
    seen.add(here)
    const { asked, reply } = await source.read(here)
    const rows = rowsOf(asked, reply.body)
    const next = nextOf(source, asked, reply.body, here)
    if (next !== undefined && seen.has(next))
      throw unexpectedAnswer(asked, 'the next page is one that was already read')
    if (next !== undefined && seen.size === maxPages)
      throw unexpectedAnswer(asked, `the list has no end: ${maxPages} pages were read`)
    yield { rows, at: here, next }
    if (next === undefined) return
    at = next
  }
}

const samePath = (left: string, right: string) => plain(left) === plain(right)

/** A last slash tells a secondary region's list in what we ask for, and nothing in what Azure writes. */
const plain = (path: string) => {
  const bare = path.replace(/\/$/, '')
  try {
    return decodeURIComponent(bare).toLowerCase()
  } catch {
    return bare.toLowerCase()
  }
}

function checkContinuation({ endpoint, path }: PageSource, from: string) {
  const located = /^\/(?![/\\])[^\s\\]*$/.test(from) ? locate(from, endpoint) : undefined
  const isOurs = located?.kind === 'ours' && located.pathAndQuery === from
  if (!isOurs || !samePath(from.split('?')[0] ?? '', path))
    throw new InvalidContinuation('the continuation does not belong to this list')
}

const fieldOf = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined

function rowsOf(asked: Asked, body: unknown): readonly unknown[] {
  const rows = fieldOf(body, 'value')
  if (!Array.isArray(rows)) throw unexpectedAnswer(asked, 'the answer is no list')
  return rows
}

function nextOf(
  { endpoint, path, address }: PageSource,
  asked: Asked,
  body: unknown,
  here: string,
): string | undefined {
  const link = fieldOf(body, 'nextLink')
  if (typeof link === 'string' && link !== '') {
    const next = linked(asked, link, endpoint, here)
    // A cursor to it would be refused as well, and nobody asked for anything else.
    if (samePath(next.split('?')[0] ?? '', path)) return next
    throw unexpectedAnswer(asked, 'the next page is said to be of another list; it was not asked')
  }
  const token = fieldOf(body, '$skipToken') ?? fieldOf(body, 'skipToken')
  if (typeof token !== 'string' || token === '') return undefined
  return address({ $skipToken: token })
}

function linked(asked: Asked, link: string, endpoint: string, here: string): string {
  const located = locate(link, endpoint, here)
  if (located.kind === 'foreign') throw foreignLink(asked, located.host)
  return located.pathAndQuery
}

const foreignLink = (asked: Asked, host: string): ArmError =>
  unexpectedAnswer(
    asked,
    `the next page is said to be on another host (${host || 'an address that is none'}); it was not asked`,
  )
