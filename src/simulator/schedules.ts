/** When a policy's backups are due (section 5 of the wire facts). */
import { type Fields, fields, list, number, text, texts } from '../backup/fields.ts'
import { weekdaysOf } from '../backup/policy-days.ts'
import { dayMs, momentOf, wallClock } from './zones.ts'

export interface Run {
  atMs: number
  /** Full, Differential, Incremental and their like. VMs and shares know no other than Full. */
  kind: string
}

const minuteMs = 60_000
const dayMinutes = 24 * 60
interface Rhythm {
  kind: string
  /** Undefined: every day. */
  days: readonly number[] | undefined
  /** Of the day, in their order; of an hourly window also those after its midnight. */
  minutes: readonly number[]
}

/** The times of a schedule are dates of which the clock part counts. */
const minuteOf = (time: string): number => {
  const [, hour, minute] = /T(\d\d):(\d\d)/.exec(time) ?? []
  return Number(hour ?? 0) * 60 + Number(minute ?? 0)
}

const hourly = (schedule: Fields): number[] => {
  const from = minuteOf(text(schedule.scheduleWindowStartTime) ?? '')
  const step = Math.max(number(schedule.interval) ?? 24, 1) * 60
  const window = (number(schedule.scheduleWindowDuration) ?? 24) * 60
  // The end of the window is a time of its own, unless it is the beginning of the next one.
  const last = Math.min(window, dayMinutes - 1)
  const minutes: number[] = []
  for (let at = 0; at <= last; at += step) minutes.push(from + at)
  return minutes
}

const rhythmOf = (kind: string, raw: unknown): Rhythm | undefined => {
  const schedule = fields(raw)
  const frequency = text(schedule.scheduleRunFrequency)?.toLowerCase()
  const hours = fields(schedule.hourlySchedule)
  if (frequency === 'hourly') return { kind, days: undefined, minutes: hourly(hours) }
  // The second version has its times and days one level deeper.
  const own = fields(frequency === 'weekly' ? schedule.weeklySchedule : schedule.dailySchedule)
  const times = texts(own.scheduleRunTimes ?? schedule.scheduleRunTimes)
  if (frequency === undefined || times.length === 0) return undefined
  const days = frequency === 'weekly' ? weekdaysOf(own.scheduleRunDays ?? schedule.scheduleRunDays) : undefined
  return { kind, days, minutes: [...new Set(times.map(minuteOf))].sort((a, b) => a - b) }
}

const isLog = (policyType: unknown): boolean => text(policyType)?.toLowerCase() === 'log'

const rhythmsOf = ({ subProtectionPolicy, schedulePolicy }: Fields): Rhythm[] => {
  const parts = Array.isArray(subProtectionPolicy)
    ? list(subProtectionPolicy)
        .filter(({ policyType }) => !isLog(policyType))
        .map(part => rhythmOf(text(part.policyType) ?? 'Full', part.schedulePolicy))
    : [rhythmOf('Full', schedulePolicy)]
  return parts.filter(part => part !== undefined)
}

/** Of the policy, or of its settings. */
export const zoneOf = ({ timeZone, settings }: Fields): string =>
  text(timeZone) ?? text(fields(settings).timeZone) ?? 'UTC'

const runsOfDay = (zone: string, rhythms: readonly Rhythm[], wallDayMs: number): Run[] => {
  const weekday = new Date(wallDayMs).getUTCDay()
  return rhythms
    .filter(({ days }) => days === undefined || days.includes(weekday))
    .flatMap(({ kind, minutes }) =>
      minutes.map(minute => ({ atMs: momentOf(zone, wallDayMs + minute * minuteMs), kind })),
    )
    .sort((a, b) => a.atMs - b.atMs)
}

/** A week, the day on which an hourly window began, and one for the zone. */
const longestGapDays = 10

/** Runs after a moment, without end; none of a policy that has no schedule. */
function* runsAfter(properties: Fields, afterMs: number): Generator<Run, void, void> {
  const rhythms = rhythmsOf(properties)
  const zone = zoneOf(properties)
  const today = Math.floor(wallClock(zone, afterMs).getTime() / dayMs) * dayMs
  let seenMs = afterMs
  for (let day = today - dayMs, idle = 0; idle < longestGapDays; day += dayMs, idle++)
    for (const run of runsOfDay(zone, rhythms, day)) {
      if (run.atMs <= seenMs) continue
      idle = 0
      seenMs = run.atMs
      yield run
    }
}

/** The first backup that a policy's `properties` have due after a moment; log backups are none of these. */
export const nextRun = (properties: Fields, afterMs: number): Run | undefined =>
  runsAfter(properties, afterMs).next().value ?? undefined

/** Those after `fromMs` up to `toMs`. */
export const runsBetween = (properties: Fields, fromMs: number, toMs: number): Run[] => {
  const runs: Run[] = []
  for (const run of runsAfter(properties, fromMs)) {
    if (run.atMs > toMs) break
    runs.push(run)
  }
  return runs
}

/** How often logs are backed up; undefined where they are not. */
export const logFrequencyMs = ({ subProtectionPolicy }: Fields): number | undefined => {
  const log = list(subProtectionPolicy).find(({ policyType }) => isLog(policyType))
  const minutes = number(fields(log?.schedulePolicy).scheduleFrequencyInMins)
  return minutes === null || minutes <= 0 ? undefined : minutes * minuteMs
}

/** Whether this moment is the last of a day's hourly window; true for every other schedule. */
export const isLastOfWindow = (properties: Fields, atMs: number): boolean => {
  const schedule = fields(properties.schedulePolicy)
  if (text(schedule.scheduleRunFrequency)?.toLowerCase() !== 'hourly') return true
  const last = (hourly(fields(schedule.hourlySchedule)).at(-1) ?? 0) % dayMinutes
  const shown = wallClock(zoneOf(properties), atMs)
  return shown.getUTCHours() * 60 + shown.getUTCMinutes() === last
}
