/**
 * How much is asked of Azure at the same time: one limiter for the process, so that calls side by side do not push each
 * other into throttling. Azure counts per subscription and kind of operation; so does this.
 *
 * Two gates one after another. A bucket (subscription, method, operation type) stands still for as long as a 429 said,
 * and goes slowly once Azure says that nothing remains. Then one of the subscription's places must be free; they are
 * given in the order of asking. A request waiting at a bucket holds no place, so other kinds of requests pass it.
 */
import type { Clock } from '../clock.ts'
import { type Asked, throttled } from './errors.ts'
import { operationType, subscriptionOf } from './paths.ts'
import { retryAfterMs } from './retry.ts'
import type { ArmResponse } from './send.ts'

const spacingMs = 1000 // Azure's token buckets refill by several a second: slow enough to never be the one to empty them

export interface Limiter {
  /**
   * Runs `task` when it may be sent. Throws ArmError `throttled` at once where that is not within `leftMs`, and the
   * signal's reason as soon as it is aborted.
   */
  run(asked: Asked, leftMs: number, signal: AbortSignal, task: () => Promise<ArmResponse>): Promise<ArmResponse>
}

/** Times are on the monotonic clock. */
interface Bucket {
  /** Azure refused: nothing is sent before. */
  heldUntilMs: number
  /** Azure says that nothing remains: one request is sent each `spacingMs`, the next at `nextAtMs`. */
  isEmpty: boolean
  nextAtMs: number
}

export function createLimiter(clock: Clock, places = 8): Limiter {
  const buckets = new Map<string, Bucket>()
  const lines = new Map<string, ReturnType<typeof createLine>>()

  const passBucket = async (key: string, asked: Asked, untilMs: number, signal: AbortSignal) => {
    for (let bucket = buckets.get(key); bucket; bucket = buckets.get(key)) {
      const nowMs = clock.monotonic()
      const opensAtMs = Math.max(bucket.heldUntilMs, bucket.nextAtMs)
      if (opensAtMs <= nowMs) {
        if (bucket.isEmpty) bucket.nextAtMs = nowMs + spacingMs
        else buckets.delete(key)
        return
      }
      if (opensAtMs >= untilMs) throw throttled(asked, opensAtMs - nowMs)
      await clock.sleep(opensAtMs - nowMs, signal)
    }
  }

  const learn = (key: string, response: ArmResponse) => {
    const nowMs = clock.monotonic()
    const holdMs = response.status === 429 ? (retryAfterMs(response, clock.now()) ?? spacingMs) : 0
    const isEmpty = remaining(response.headers) <= 0
    const known = buckets.get(key)
    const heldUntilMs = Math.max(known?.heldUntilMs ?? 0, nowMs + holdMs)
    if (!isEmpty && heldUntilMs <= nowMs) buckets.delete(key)
    else {
      const nextAtMs = known?.isEmpty ? known.nextAtMs : nowMs + spacingMs
      buckets.set(key, { heldUntilMs, isEmpty, nextAtMs: isEmpty ? nextAtMs : 0 })
    }
  }

  const isHeld = (key: string) => (buckets.get(key)?.heldUntilMs ?? 0) > clock.monotonic()

  const enter = async (subscription: string, signal: AbortSignal) => {
    const line = lines.get(subscription) ?? createLine(places)
    lines.set(subscription, line)
    await line.enter(signal)
    return () => {
      line.leave()
      if (line.isIdle()) lines.delete(subscription)
    }
  }

  return {
    run: async (asked, leftMs, signal, task) => {
      signal.throwIfAborted()
      const subscription = (subscriptionOf(asked.path) ?? '').toLowerCase()
      const key = `${subscription} ${asked.method} ${operationType(asked.path.split('?')[0] ?? '').toLowerCase()}`
      const untilMs = clock.monotonic() + leftMs
      for (;;) {
        await passBucket(key, asked, untilMs, signal)
        const leave = await enter(subscription, signal)
        try {
          // While this one waited for its place, an answer may have closed the bucket.
          if (isHeld(key)) continue
          const response = await task()
          learn(key, response)
          return response
        } finally {
          leave()
        }
      }
    },
  }
}

/** The least of Azure's counters for what remains; Infinity where none was sent. */
const remaining = (headers: ArmResponse['headers']): number =>
  Object.entries(headers)
    .filter(([name, value]) => name.startsWith('x-ms-ratelimit-remaining-') && /^-?\d+$/.test(value))
    .reduce((least, [, value]) => Math.min(least, Number(value)), Number.POSITIVE_INFINITY)

/** Places for a number of requests at the same time, given in the order of asking. */
function createLine(places: number) {
  let taken = 0
  const waiting = new Set<() => void>()
  return {
    enter: (signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        if (taken < places) {
          taken++
          return resolve()
        }
        const stop = () => {
          waiting.delete(start)
          reject(signal.reason)
        }
        const start = () => {
          signal.removeEventListener('abort', stop)
          resolve()
        }
        waiting.add(start)
        signal.addEventListener('abort', stop, { once: true })
      }),
    /** Gives the place to the one that waits longest. */
    leave: () => {
      const [next] = waiting
      if (!next) taken--
      else {
        waiting.delete(next)
        next()
      }
    },
    isIdle: () => taken === 0 && waiting.size === 0,
  }
}
