/** The window of time that `since` and `until` name: checked, and as the filters of jobs and recovery points spell it. */
import { badArgument, InputError, pointerTo } from '../tools/input-error.ts'
import { filterTime } from './filters.ts'

export interface Window {
  sinceMs: number
  untilMs: number
}

export interface WindowInput {
  since?: string
  until?: string
}

/** True for a time that there is, in UTC too: `Date.parse` takes 30 February for 2 March, and a filter has four digits for a year. */
export const isRealTime = (given: string): boolean => {
  const atMs = Date.parse(given)
  const day = given.slice(0, 'yyyy-mm-dd'.length)
  const isDay = new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
  return isDay && !Number.isNaN(atMs) && /^\d{4}-/.test(new Date(atMs).toISOString())
}

/**
 * Up to now where `until` is left out, and from `usualSinceMs` of the end where `since` is. Throws InputError for times that
 * there are not, and for an end before the beginning.
 */
export const windowOf = (
  { since, until }: WindowInput,
  nowMs: number,
  usualSinceMs: (untilMs: number) => number,
): Window => {
  const unreal = Object.entries({ since, until }).filter(([, given]) => given !== undefined && !isRealTime(given))
  if (unreal.length > 0)
    throw new InputError(
      unreal.map(([name]) => ({
        path: pointerTo(name),
        message: 'must be a time with an offset, e.g. 2026-11-22T02:00:00Z, on a day that there is',
      })),
    )
  const untilMs = until === undefined ? nowMs : Date.parse(until)
  const sinceMs = since === undefined ? usualSinceMs(untilMs) : Date.parse(since)
  if (since !== undefined && sinceMs >= untilMs)
    throw badArgument('since', 'must be before until, which is now where it is left out')
  return { sinceMs, untilMs }
}

/** Both ends in words of a filter. Seconds are the finest that it has: rounded outwards. */
export const filterTimes = ({ sinceMs, untilMs }: Window): { start: string; end: string } => ({
  start: filterTime(Math.floor(sinceMs / 1000) * 1000),
  end: filterTime(Math.ceil(untilMs / 1000) * 1000),
})
