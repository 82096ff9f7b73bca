/**
 * Answers from recorded exchanges instead of Azure: the door for demonstrations, bug reports and tests.
 *
 * A request rarely repeats a recorded one to the letter (dates in filters, another api-version), so the nearest exchange
 * of the same method and path answers. Polling repeats one request and wants other answers: exchanges that fit equally
 * well are served in recorded order, then the last of them again and again.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Exchange, ReadFiles, RecordedRequest, RecordedResponse, Recording } from './recordings.ts'
import { readRecordings, recordedOrigins } from './recordings.ts'
import { scrubBody, scrubbed, scrubUrl } from './scrub.ts'
import type { ArmRequest, ArmResponse, Send } from './send.ts'
import { SendError } from './send.ts'

/** What of a request counts when two are compared. */
export interface Comparable {
  /** Method and path, lower case, percent-decoded. */
  key: string
  query: ReadonlyMap<string, string>
  body: unknown
}

/** Say nothing of what was asked for. */
const ignored = new Set(['api-version', 'client-request-id', 'clientrequestid', 'x-ms-client-request-id'])

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const queryOf = (search: string): Map<string, string> => {
  // Azure itself sends polling URLs with two question marks.
  const pairs = [...new URLSearchParams(search.slice(1).replaceAll('?', '&'))]
  return new Map(
    pairs
      .map(([name, value]): [string, string] => [name.toLowerCase(), value])
      .filter(([name]) => !ignored.has(name))
      .map(([name, value]) => [name, name === '$filter' ? value.toLowerCase().replaceAll(/\s/g, '') : value]),
  )
}

const comparable = (method: string, url: string, body: unknown): Comparable => {
  const { pathname, search } = new URL(url)
  return { key: `${method} ${decoded(pathname)}`.toLowerCase(), query: queryOf(search), body: body ?? null }
}

/** Reads a recorded request for comparing. */
export const recordedSide = ({ method, url, body }: RecordedRequest): Comparable => comparable(method, url, body)

/** Reads a live request for comparing with recorded ones: with the secrets scrubbed, as those are. */
export const liveSide = ({ method, url, body }: ArmRequest): Comparable => {
  let value: unknown = body
  try {
    value = body ? JSON.parse(body) : null
  } catch {
    // Sent as text, recorded as text.
  }
  return comparable(method, url, scrubBody(value))
}

/**
 * How well `live` fits `recorded` of the same key: its equal query parameters less the unequal ones and those that only
 * one of the two has, plus one for an equal body. A parameter that was scrubbed tells nothing.
 */
export const score = (live: Comparable, recorded: Comparable): number => {
  const names = new Set([...live.query.keys(), ...recorded.query.keys()])
  let points = isDeepStrictEqual(live.body, recorded.body) ? 1 : 0
  for (const name of names) {
    const value = recorded.query.get(name)
    if (value !== scrubbed) points += value === live.query.get(name) ? 1 : -1
  }
  return points
}

/** The answer as it came over the wire: JSON values as JSON text, other texts as they are. */
export const answerOf = ({ response }: Exchange): ArmResponse => {
  const headers = Object.fromEntries(
    Object.entries(response.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const { body } = response
  const isText = typeof body === 'string' && !/json/i.test(headers['content-type'] ?? '')
  return { status: response.status, headers, body: body == null ? '' : isText ? body : JSON.stringify(body) }
}

/** A `Send` that is answered by `exchanges`. Rejects with SendError `no_recording`, which names method and path. */
export const replaying = (exchanges: readonly Exchange[]): Send => {
  const recorded = exchanges.map(exchange => ({ exchange, request: recordedSide(exchange.request) }))
  const byKey = new Map<string, typeof recorded>()
  for (const one of recorded) {
    const same = byKey.get(one.request.key)
    if (same) same.push(one)
    else byKey.set(one.request.key, [one])
  }
  /** How many answers each group has given, by the indexes of its members. */
  const served = new Map<string, number>()

  return async (request, signal) => {
    signal.throwIfAborted()
    const live = liveSide(request)
    const scored = (byKey.get(live.key) ?? []).map((candidate, index) => ({
      ...candidate,
      index,
      points: score(live, candidate.request),
    }))
    const best = Math.max(...scored.map(({ points }) => points))
    const group = scored.filter(({ points }) => points === best)
    const name = `${live.key} ${group.map(({ index }) => index).join()}`
    const turn = served.get(name) ?? 0
    const next = group[Math.min(turn, group.length - 1)]
    if (!next) {
      const path = scrubUrl(decoded(new URL(request.url).pathname))
      throw new SendError('no_recording', `No exchange was recorded for ${request.method} ${path}`)
    }
    served.set(name, turn + 1)
    return answerOf(next.exchange)
  }
}

/**
 * The recordings at a path (a file, or a folder of them) as a `Send`, with the endpoint that they are played on: where most
 * of them was made. Throws Problem `not_configured`.
 */
export const loadReplay = async (path: string, fs: ReadFiles): Promise<{ send: Send; endpoint: string }> => {
  const recordings = await readRecordings(path, fs)
  const [endpoint = 'https://management.azure.com'] = recordedOrigins(recordings)
  return { send: replaying(onEndpoint(recordings, endpoint)), endpoint }
}

/**
 * The exchanges of recordings as if all of them had been made with one endpoint. The host of a request does not count, but
 * links in the answers (nextLink, Location) carry it, and links are followed on the endpoint only.
 */
const onEndpoint = (recordings: readonly Recording[], endpoint: string): Exchange[] => {
  const origins = recordedOrigins(recordings).filter(origin => origin !== endpoint)
  const exchanges = recordings.flatMap(recording => recording.exchanges)
  if (origins.length === 0) return exchanges
  const moved = (response: RecordedResponse): RecordedResponse =>
    JSON.parse(
      origins.reduce((text, origin) => text.replaceAll(`"${origin}/`, `"${endpoint}/`), JSON.stringify(response)),
    )
  return exchanges.map(({ request, response }) => ({ request, response: moved(response) }))
}
