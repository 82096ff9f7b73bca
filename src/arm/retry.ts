/**
 * When to ask again, above the seam: the same for the network, a replay and the tests.
 *
 * A call has one budget for everything, waiting and being answered: tries begin within 45 s of its start, because the
 * program that called us has a patience too. A wait that Azure names is kept to the letter; one that does not fit into
 * the budget ends the call at once, saying when to come back.
 */
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { type ArmError, type Asked, errorOfAnswer, errorOfSend } from './errors.ts'
import { type ArmResponse, SendError } from './send.ts'

const retryBudgetMs = 45_000
const baseMs = 500
const capMs = 8_000

/** Statuses after which a request that only reads is sent again. */
const passing = new Set([408, 429, 500, 502, 503, 504])

export type Attempt = ArmResponse | SendError

/** What one try came to; other errors (no sign-in, a cancelled call) go on. */
export const settle = async (sending: Promise<ArmResponse>): Promise<Attempt> =>
  sending.catch(error => {
    if (error instanceof SendError) return error
    throw error
  })

const longestWaitMs = 24 * 3_600_000 // Azure asks for minutes; a longer wait, or one without end, is somebody's mistake

/**
 * The wait that an answer asks for, in ms: `Retry-After` in seconds or as a date (taken against Azure's own `Date`
 * where there is one), else the number that a throttled answer holds in its text. A day at most.
 */
export function retryAfterMs(response: ArmResponse, nowMs: number): number | undefined {
  const waitMs = askedWaitMs(response, nowMs)
  return waitMs === undefined ? undefined : Math.min(waitMs, longestWaitMs)
}

function askedWaitMs(response: ArmResponse, nowMs: number): number | undefined {
  const header = response.headers['retry-after']?.trim()
  if (header && /^\d+(\.\d+)?$/.test(header)) return Number(header) * 1000
  const until = header ? Date.parse(header) : Number.NaN
  if (!Number.isNaN(until)) {
    const azureNow = Date.parse(response.headers.date ?? '')
    return Math.max(0, until - (Number.isNaN(azureNow) ? nowMs : azureNow))
  }
  if (response.status !== 429) return undefined
  const said = /try again after '?(\d+)'? seconds?/i.exec(response.body.slice(0, 10_000))?.[1]
  return said === undefined ? undefined : Number(said) * 1000
}

export interface PaceDeps {
  clock: Clock
  /** In [0, 1). */
  random: () => number
  maxRetries: number
  signal: AbortSignal
  log: Log
}

/** The patience of one call. */
export interface Pace {
  /** What is left of the budget. */
  leftMs(): number
  /** Waits before the next try. False at once where there is none: all tries used, or no time left for the wait. */
  again(asked: Asked, attempt: Attempt): Promise<boolean>
  /** The error that an attempt stands for, once there is no next one. */
  errorOf(asked: Asked, attempt: Attempt): ArmError
}

export function createPace({ clock, random, maxRetries, signal, log }: PaceDeps): Pace {
  const startMs = clock.monotonic()
  let retries = 0
  const leftMs = () => retryBudgetMs - (clock.monotonic() - startMs)
  const waitOf = (attempt: Attempt) => (attempt instanceof SendError ? undefined : retryAfterMs(attempt, clock.now()))
  return {
    leftMs,
    again: async (asked, attempt) => {
      // Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
      const waitMs = waitOf(attempt) ?? random() * Math.min(capMs, baseMs * 2 ** retries)
      if (retries >= maxRetries || waitMs >= leftMs()) return false
      retries++
      log('warning', 'asking Azure again', {
        method: asked.method,
        path: asked.path,
        reason: attempt instanceof SendError ? attempt.kind : String(attempt.status),
        wait_ms: Math.round(waitMs),
        retry: retries,
        client_request_id: asked.clientRequestId,
      })
      await clock.sleep(waitMs, signal)
      return true
    },
    errorOf: (asked, attempt) => {
      if (attempt instanceof SendError) return errorOfSend(asked, attempt)
      const waitMs = waitOf(attempt)
      return errorOfAnswer(asked, attempt, waitMs === undefined ? undefined : { waitMs, tooLong: waitMs >= leftMs() })
    },
  }
}

const isPassing = (attempt: Attempt) =>
  attempt instanceof SendError ? attempt.kind !== 'no_recording' : passing.has(attempt.status)

/** Sends a request that only reads until it is answered below 300. Throws ArmError for what no next try may mend. */
export async function sendUntilAnswered(
  asked: Asked,
  send: (leftMs: number) => Promise<ArmResponse>,
  pace: Pace,
): Promise<ArmResponse> {
  for (;;) {
    const attempt = await settle(send(pace.leftMs()))
    if (!(attempt instanceof SendError) && attempt.status < 300) return attempt
    if (!isPassing(attempt) || !(await pace.again(asked, attempt))) throw pace.errorOf(asked, attempt)
  }
}
