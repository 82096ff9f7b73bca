/** Wall clocks: policies say their times in a zone, by Windows' name for it or by IANA's. */
import { ianaZone } from '../backup/time-zones.ts'

const minuteMs = 60_000
export const dayMs = 24 * 60 * minuteMs

const formats = new Map<string, Intl.DateTimeFormat | undefined>()

/** Undefined: UTC, which is also what an unknown name is taken for. */
const formatOf = (zone: string): Intl.DateTimeFormat | undefined => {
  const name = ianaZone(zone) ?? zone
  if (/^(utc|etc\/utc|gmt|)$/i.test(name)) return undefined
  try {
    const two = '2-digit'
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    })
  } catch {
    return undefined
  }
}

const isKnown = (zone: string): boolean => formats.has(zone)

/** How far the zone's wall clock is ahead of UTC at that moment. */
const offsetAt = (zone: string, atMs: number): number => {
  if (!isKnown(zone)) formats.set(zone, formatOf(zone))
  const format = formats.get(zone)
  if (!format) return 0
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]))
  const of = (type: string) => parts.get(type as Intl.DateTimeFormatPartTypes) ?? 0
  const wall = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'))
  return wall - Math.floor(atMs / 1000) * 1000
}

/** What the zone's clock and calendar show, told as if they were those of UTC: read it with the UTC methods of Date. */
export const wallClock = (zone: string, atMs: number): Date => new Date(atMs + offsetAt(zone, atMs))

/**
 * The moment at which the zone's clock shows this (told as if it were UTC). A time that the clock passes twice is its
 * first, one that it leaps over comes as much later as it leaps.
 */
export const momentOf = (zone: string, wallMs: number): number => {
  const before = offsetAt(zone, wallMs - dayMs)
  const after = offsetAt(zone, wallMs + dayMs)
  const isShown = (offset: number) => offsetAt(zone, wallMs - offset) === offset
  return wallMs - (isShown(before) || !isShown(after) ? before : after)
}
