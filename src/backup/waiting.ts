/** Following work to its end, at the pace that Azure names, for as long as the caller wants to wait. */
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { number } from './fields.ts'

export interface Step<T> {
  value: T
  isOver: boolean
  /** Azure's `Retry-After`, which is obeyed. */
  retryAfterSeconds: number | undefined
  /** 0 to 100, where Azure tells. */
  percent: number | null
  message: string
}

/** Without a `Retry-After`: often at first, for short work; rarely later, since reads per hour are limited. */
const firstPauseSeconds = 5
const longestPauseSeconds = 60
const growth = 1.5
/** Azure answers some polls with `Retry-After: 0`; that is no leave to ask in a tight loop, so this grows too. */
const shortestPauseMs = 50
const longestShortPauseMs = 5000

/**
 * Asks until the work is over or `waitSeconds` have passed; gives back the last answer. Never asks before Azure's
 * `Retry-After`: where that lies beyond the wait, the last answer is given at once. `leastSeconds`, looked at after each
 * answer, may make the wait longer.
 */
export const follow = async <T>(
  waitSeconds: number,
  context: ToolContext,
  ask: () => Promise<Step<T>>,
  leastSeconds: () => number = () => 0,
): Promise<Step<T>> => {
  const { clock, signal, progress } = context
  const startMs = clock.monotonic()
  const leftSeconds = () => Math.max(waitSeconds, leastSeconds()) - (clock.monotonic() - startMs) / 1000
  let pauseSeconds = firstPauseSeconds
  let leastMs = shortestPauseMs
  if (waitSeconds > 0) progress({ progress: 0, total: waitSeconds, message: 'asking Azure' })
  for (;;) {
    const step = await unlessThrottled(ask, leftSeconds, context)
    const elapsed = (clock.monotonic() - startMs) / 1000
    // Seconds of the wait always rise; Azure's percentages are missing at first, stand still and even fall.
    if (waitSeconds > 0) progress({ progress: Math.min(elapsed, waitSeconds), total: waitSeconds, message: told(step) })
    const leftMs = leftSeconds() * 1000
    if (step.isOver || leftMs <= 0) return step
    const { retryAfterSeconds } = step
    if (retryAfterSeconds !== undefined && retryAfterSeconds * 1000 > leftMs) return step
    const pauseMs = Math.max((retryAfterSeconds ?? pauseSeconds) * 1000, leastMs)
    await clock.sleep(Math.min(pauseMs, leftMs), signal)
    pauseSeconds = Math.min(pauseSeconds * growth, longestPauseSeconds)
    leastMs = Math.min(leastMs * growth, longestShortPauseMs)
  }
}

/**
 * What `ask` gives. Reads of operations and jobs are limited per hour; where Azure says when it answers again, and that is
 * within the wait, the work is asked for once more then.
 */
const unlessThrottled = async <T>(
  ask: () => Promise<T>,
  leftSeconds: () => number,
  { clock, signal }: ToolContext,
): Promise<T> => {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      const seconds =
        error instanceof Problem && error.code === 'throttled' ? number(error.details?.retry_after_seconds) : null
      if (seconds === null || seconds > leftSeconds()) throw error
      await clock.sleep(Math.max(seconds * 1000, shortestPauseMs), signal)
    }
  }
}

const told = ({ message, percent }: Step<unknown>): string => (percent === null ? message : `${message}, ${percent}%`)
