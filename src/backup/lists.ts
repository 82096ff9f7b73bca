/**
 * Lists with a limit and a cursor. Rows stream in page by page, are filtered as they come, and no more pages are loaded
 * than the limit needs. A cursor holds the continuation and the place in the page, never a host, and is bound to the
 * arguments it was made with.
 */
import { createHash } from 'node:crypto'
import type { Page, PageOptions } from '../arm/arm.ts'
import { InvalidContinuation } from '../arm/paging.ts'
import { isObject } from '../rpc/messages.ts'
import { badArgument } from '../tools/input-error.ts'

const defaultLimit = 50

interface Position {
  /** Which of several lists (one per subscription, say), by its key. */
  source: string
  /** Path and query of the page, with the filter it was made with; undefined for a list not begun. */
  from: string | undefined
  /** Place of the next row in that page. */
  offset: number
}

export interface Source {
  key: string
  pages(options: PageOptions): AsyncIterable<Page>
}

export interface ListInput {
  limit?: number
  cursor?: string
}

const refused = () => badArgument('cursor', 'is not one that this tool gave for these arguments; start without it')

/** Arguments that may change from page to page are not part of what a cursor is bound to. */
const digestOf = (tool: string, input: object): string => {
  const bound = Object.entries(input).filter(([name]) => name !== 'cursor' && name !== 'limit')
  return createHash('sha256')
    .update(JSON.stringify([tool, bound.sort()]))
    .digest('base64url')
    .slice(0, 12)
}

const encode = (digest: string, { source, from, offset }: Position): string =>
  Buffer.from(JSON.stringify([digest, source, from ?? null, offset])).toString('base64url')

/** Where a call starts. Throws InputError for a cursor of another tool, of other arguments, or of nobody. */
const decode = (digest: string, cursor: string): Position => {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw refused()
  }
  if (!Array.isArray(parts)) throw refused()
  const [bound, source, from, offset] = parts
  if (bound !== digest || typeof source !== 'string' || !Number.isInteger(offset) || offset < 0) throw refused()
  if (from !== null && (typeof from !== 'string' || !from.startsWith('/') || from.startsWith('//'))) throw refused()
  return { source, from: from ?? undefined, offset }
}

export interface Listed<Row> {
  rows: Row[]
  nextCursor: string | undefined
}

/** Throws at once where the cursor cannot be one of this tool and these arguments; nothing was sent then. */
export const checkCursor = (tool: string, input: ListInput): void => {
  if (input.cursor !== undefined) decode(digestOf(tool, input), input.cursor)
}

/**
 * At most `limit` rows of the sources, in their order. `toRow` gives undefined for what does not belong in the list, or
 * not to the source of this key.
 */
export const listRows = async <Row>(
  tool: string,
  input: ListInput,
  sources: readonly Source[],
  toRow: (raw: unknown, key: string) => Row | undefined,
): Promise<Listed<Row>> => {
  const digest = digestOf(tool, input)
  const limit = input.limit ?? defaultLimit
  const start = input.cursor === undefined ? undefined : decode(digest, input.cursor)
  const first = start ? sources.findIndex(source => source.key === start.source) : 0
  if (first === -1) throw refused()
  const rows: Row[] = []
  try {
    for (const [index, source] of sources.entries()) {
      if (index < first) continue
      const resumed = index === first ? start : undefined
      let offset = resumed?.offset ?? 0
      for await (const page of source.pages({ from: resumed?.from })) {
        for (; offset < page.rows.length; offset++) {
          const raw = page.rows[offset]
          const row = isObject(raw) ? toRow(raw, source.key) : undefined // null is no row
          if (row === undefined) continue
          if (rows.length === limit)
            return { rows, nextCursor: encode(digest, { source: source.key, from: page.at, offset }) }
          rows.push(row)
        }
        offset = 0
        if (rows.length === limit && page.next !== undefined)
          return { rows, nextCursor: encode(digest, { source: source.key, from: page.next, offset: 0 }) }
      }
      const following = sources[index + 1]
      if (rows.length === limit && following)
        return { rows, nextCursor: encode(digest, { source: following.key, from: undefined, offset: 0 }) }
    }
  } catch (error) {
    if (error instanceof InvalidContinuation) throw refused()
    throw error
  }
  return { rows, nextCursor: undefined }
}

/** The answer of a list tool: the rows under their plural noun. */
export const answerOf = <Noun extends string, Row>(
  noun: Noun,
  { rows, nextCursor }: Listed<Row>,
): Record<Noun, Row[]> & { count: number; next_cursor?: string } => {
  const named = { [noun]: rows } as Record<Noun, Row[]>
  return { ...named, count: rows.length, ...(nextCursor === undefined ? {} : { next_cursor: nextCursor }) }
}
