/**
 * ARM bodies arrive as `unknown`; these read single fields of them. What Azure leaves out, or sends as one of its
 * sentinels for "no value", is null.
 */
import { isObject } from '../rpc/messages.ts'

export type Fields = Readonly<Record<string, unknown>>

const none: Fields = {}

/** The object, or an empty one where it is none. */
export const fields = (value: unknown): Fields => (isObject(value) ? value : none)
/** The objects of a list, or none. */
export const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])
/** Non-empty text. */
export const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
/** Digits can be more than a number holds. */
const finite = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
/** A number; some are sent as text. */
export const number = (value: unknown): number | null => {
  const amount = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
  return finite(amount)
}
/** A whole number: of days, of items. */
export const whole = (value: unknown): number | null => {
  const amount = number(value)
  return Number.isInteger(amount) ? amount : null
}
/** A code that is a text here and a number there. */
export const word = (value: unknown): string | null => (typeof value === 'number' ? String(value) : text(value))
/** A word of an enumeration; some versions of the service send its place, counted from 0. */
export const enumWord = (value: unknown, words: readonly string[]): string | null =>
  typeof value === 'number' ? (words[value] ?? null) : text(value)
/** The texts of an open object, numbers and booleans as text; what has parts of its own is left out. */
export const textsByName = (value: unknown): [name: string, value: string][] =>
  Object.entries(fields(value)).flatMap(([name, item]) =>
    /^(string|number|boolean)$/.test(typeof item) ? [[name, String(item)]] : [],
  )
/** A field whose name Azure spells in several letter cases: `IsProtectable`, `prebackupvalidation`. */
export const inAnyCase = (of: Fields, name: string): unknown => {
  const wanted = name.toLowerCase()
  const spelling = Object.keys(of).find(key => key.toLowerCase() === wanted)
  return spelling === undefined ? undefined : of[spelling]
}
export const flag = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null)
export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(item => typeof item === 'string' && item !== '') : []

/** Dates that stand for "never" (operations: year 1; VM items before their first backup: 2001). */
const sentinels = /^(0001|2001)-01-01T00:00:00/

/** A time as `2026-11-22T02:00:00Z`. Azure sends up to seven fraction digits and sometimes no `Z`; all of it is UTC. */
export const time = (value: unknown): string | null => {
  if (typeof value !== 'string' || sentinels.test(value)) return null
  const atMs = Date.parse(/(Z|[+-]\d\d:\d\d)$/i.test(value) ? value : `${value}Z`)
  return Number.isNaN(atMs) ? null : isoTime(atMs)
}

/** Without the fraction where there is none. */
export const isoTime = (atMs: number): string => new Date(atMs).toISOString().replace('.000Z', 'Z')

const iso = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/
const dotNet = /^(?:(\d+)\.)?(\d+):(\d\d):(\d\d(?:\.\d+)?)$/

/** Seconds of a duration: ISO in jobs (`PT1H1M11.07S`), .NET's in deferred deletes (`13.23:59:44.59`). */
export const seconds = (value: unknown): number | null => {
  if (typeof value !== 'string') return null
  const found = iso.exec(value) ?? dotNet.exec(value)
  if (!found) return null
  const [days, hours, minutes, rest] = found.slice(1).map(part => Number(part ?? 0))
  const total = ((days ?? 0) * 24 + (hours ?? 0)) * 3600 + (minutes ?? 0) * 60 + (rest ?? 0)
  return finite(Math.round(total * 1000) / 1000)
}

const units: Readonly<Record<string, number>> = { B: 0, BYTES: 0, KB: 1, MB: 2, GB: 3, TB: 4 }

/** Bytes of a size in words: `11782 MB`. Azure counts in powers of 1024. */
export const bytes = (value: unknown, unit?: string): number | null => {
  if (typeof value !== 'string') return null
  const found = /^\s*([\d.]+)\s*([A-Za-z]*)\s*$/.exec(value)
  const power = units[(found?.[2] || unit || 'B').toUpperCase()]
  const amount = Number(found?.[1])
  return power === undefined ? null : finite(Math.round(amount * 1024 ** power))
}
