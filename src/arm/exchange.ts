/**
 * One request to ARM and its answer: the headers that every request has, its line in the log, what it tells about
 * Azure's clock, and the way through limiter and retry. Everything the client does is made of these.
 */
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { ArmReply } from './arm.ts'
import { readBody } from './envelopes.ts'
import { type Asked, unreadableAnswer } from './errors.ts'
import type { Limiter } from './limiter.ts'
import { unsigned } from './origin.ts'
import { createPace, type Pace, sendUntilAnswered } from './retry.ts'
import type { ArmRequest, ArmResponse, Method, Send } from './send.ts'

export interface ArmDeps {
  send: Send
  /** Origin of ARM, without a trailing slash. */
  endpoint: string
  /** For Microsoft.RecoveryServices, where nothing else is prescribed. */
  apiVersion: string
  maxRetries: number
  clock: Clock
  /** In [0, 1). */
  random: () => number
  /** A new GUID. */
  newId: () => string
  /** Shared by the whole process. */
  limiter: Limiter
  /** Ends when the tool call is cancelled. */
  signal: AbortSignal
  log: Log
}

/** A request ready to be sent, perhaps more than once: all its tries have one client request id. */
export interface Prepared {
  asked: Asked
  request: ArmRequest
}

export interface Exchange {
  prepare(method: Method, url: string, body?: unknown): Prepared
  pace(): Pace
  /** One try. `onSend` is called when the request has passed the limiter and leaves. */
  once(prepared: Prepared, leftMs: number, onSend?: () => void): Promise<ArmResponse>
  /** Sends what only reads, again where that may help. Throws ArmError for any other answer than 2xx with JSON. */
  read(prepared: Prepared): Promise<ArmReply>
  /** What Azure's clock showed at a moment of ours; undefined before its first answer. Early by a second at most. */
  azureTime(monotonicMs: number): Date | undefined
}

/** The whole answer with its body parsed. Throws ArmError where it is no JSON. */
export function replyOf(asked: Asked, response: ArmResponse): ArmReply {
  const body = readBody(response.body)
  if (body.kind === 'unreadable') throw unreadableAnswer(asked, response, body.what)
  return {
    status: response.status,
    headers: response.headers,
    body: body.kind === 'json' ? body.value : undefined,
    clientRequestId: asked.clientRequestId,
  }
}

export function createExchange(deps: ArmDeps): Exchange {
  const { send, endpoint, clock, newId, limiter, signal, log } = deps
  let seen: { dateMs: number; atMs: number } | undefined

  const note = ({ asked }: Prepared, response: ArmResponse, startMs: number) => {
    const dateMs = Date.parse(response.headers.date ?? '')
    if (!Number.isNaN(dateMs)) seen = { dateMs, atMs: clock.monotonic() }
    log('debug', 'asked Azure', {
      method: asked.method,
      path: asked.path,
      status: response.status,
      ms: Math.round(clock.monotonic() - startMs),
      client_request_id: asked.clientRequestId,
      request_id: response.headers['x-ms-request-id'] ?? null,
    })
  }

  const exchange: Exchange = {
    prepare: (method, url, body) => {
      const clientRequestId = newId()
      const { pathname, search } = new URL(url)
      return {
        asked: { method, path: unsigned(decoded(pathname) + search), clientRequestId, endpoint },
        request: {
          method,
          url,
          headers: {
            accept: 'application/json',
            ...(body !== undefined && { 'content-type': 'application/json' }),
            'x-ms-client-request-id': clientRequestId,
            'x-ms-return-client-request-id': 'true',
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        },
      }
    },
    pace: () => createPace(deps),
    once: (prepared, leftMs, onSend) =>
      limiter.run(prepared.asked, leftMs, signal, async () => {
        const startMs = clock.monotonic()
        onSend?.()
        try {
          const response = await send(prepared.request, signal)
          note(prepared, response, startMs)
          return response
        } catch (error) {
          signal.throwIfAborted()
          throw error
        }
      }),
    read: async prepared => {
      const pace = exchange.pace()
      const response = await sendUntilAnswered(prepared.asked, leftMs => exchange.once(prepared, leftMs), pace)
      return replyOf(prepared.asked, response)
    },
    azureTime: monotonicMs => seen && new Date(seen.dateMs + monotonicMs - seen.atMs),
  }
  return exchange
}

/** Names as ARM spells them, for people; a path that is not well encoded stays as it is. */
const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
