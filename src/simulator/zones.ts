/** Wall clocks: policies say their times in a zone, by Windows' name for it or by IANA's. */

const minuteMs = 60_000
export const dayMs = 24 * 60 * minuteMs

/** Windows' names, as the portal offers them. */
const windowsZones: Readonly<Record<string, string>> = {
  'hawaiian standard time': 'Pacific/Honolulu',
  'alaskan standard time': 'America/Anchorage',
  'pacific standard time': 'America/Los_Angeles',
  'us mountain standard time': 'America/Phoenix',
  'mountain standard time': 'America/Denver',
  'central america standard time': 'America/Guatemala',
  'central standard time': 'America/Chicago',
  'canada central standard time': 'America/Regina',
  'central standard time (mexico)': 'America/Mexico_City',
  'sa pacific standard time': 'America/Bogota',
  'eastern standard time': 'America/New_York',
  'us eastern standard time': 'America/Indianapolis',
  'atlantic standard time': 'America/Halifax',
  'pacific sa standard time': 'America/Santiago',
  'newfoundland standard time': 'America/St_Johns',
  'e. south america standard time': 'America/Sao_Paulo',
  'argentina standard time': 'America/Buenos_Aires',
  'azores standard time': 'Atlantic/Azores',
  'greenwich standard time': 'Atlantic/Reykjavik',
  'gmt standard time': 'Europe/London',
  'morocco standard time': 'Africa/Casablanca',
  'w. europe standard time': 'Europe/Berlin',
  'central europe standard time': 'Europe/Budapest',
  'romance standard time': 'Europe/Paris',
  'central european standard time': 'Europe/Warsaw',
  'w. central africa standard time': 'Africa/Lagos',
  'gtb standard time': 'Europe/Bucharest',
  'e. europe standard time': 'Europe/Chisinau',
  'fle standard time': 'Europe/Kiev',
  'egypt standard time': 'Africa/Cairo',
  'south africa standard time': 'Africa/Johannesburg',
  'israel standard time': 'Asia/Jerusalem',
  'turkey standard time': 'Europe/Istanbul',
  'arabic standard time': 'Asia/Baghdad',
  'arab standard time': 'Asia/Riyadh',
  'russian standard time': 'Europe/Moscow',
  'e. africa standard time': 'Africa/Nairobi',
  'iran standard time': 'Asia/Tehran',
  'arabian standard time': 'Asia/Dubai',
  'pakistan standard time': 'Asia/Karachi',
  'india standard time': 'Asia/Calcutta',
  'sri lanka standard time': 'Asia/Colombo',
  'nepal standard time': 'Asia/Katmandu',
  'bangladesh standard time': 'Asia/Dhaka',
  'myanmar standard time': 'Asia/Rangoon',
  'se asia standard time': 'Asia/Bangkok',
  'china standard time': 'Asia/Shanghai',
  'singapore standard time': 'Asia/Singapore',
  'w. australia standard time': 'Australia/Perth',
  'taipei standard time': 'Asia/Taipei',
  'tokyo standard time': 'Asia/Tokyo',
  'korea standard time': 'Asia/Seoul',
  'cen. australia standard time': 'Australia/Adelaide',
  'aus central standard time': 'Australia/Darwin',
  'e. australia standard time': 'Australia/Brisbane',
  'aus eastern standard time': 'Australia/Sydney',
  'tasmania standard time': 'Australia/Hobart',
  'new zealand standard time': 'Pacific/Auckland',
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>()

/** Undefined: UTC, which is also what an unknown name is taken for. */
const formatOf = (zone: string): Intl.DateTimeFormat | undefined => {
  const name = windowsZones[zone.toLowerCase()] ?? zone
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
