/**
 * A simulated Azure as JSON text and back: maps and sets keep being such. What callers stored is theirs to name, so an
 * object of theirs with a name that is a mark here is marked itself.
 */
import { blankState } from './making.ts'
import type { State } from './state.ts'

const format = 1
const marks = ['$map', '$set', '$plain'] as const

const isMarked = (value: object): boolean => marks.some(mark => Object.hasOwn(value, mark))

const revive: Readonly<Record<(typeof marks)[number], (entries: [string, unknown][]) => unknown>> = {
  $map: entries => new Map(entries),
  $set: entries => new Set(entries),
  $plain: entries => Object.fromEntries(entries),
}

export const saveState = (state: State): string =>
  JSON.stringify({ format, state }, (_, value: unknown) => {
    if (value instanceof Map) return { $map: [...value] }
    if (value instanceof Set) return { $set: [...value] }
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && isMarked(value))
      return { $plain: Object.entries(value) }
    return value
  })

const kindOf = (value: unknown): string => Object.prototype.toString.call(value)

/** Whether it has every part that a state has; what is in the parts was written by this program. */
const isState = (value: unknown): value is State => {
  if (typeof value !== 'object' || value === null) return false
  const parts = value as Record<string, unknown>
  return Object.entries(blankState(0, 0, '', [])).every(
    ([name, blank]) => blank === undefined || kindOf(parts[name]) === kindOf(blank),
  )
}

/** Throws an Error for text that is not saved state. */
export const loadState = (text: string): State => {
  const unusable = new Error('it is not the saved state of a simulated Azure')
  let parsed: unknown
  try {
    parsed = JSON.parse(text, (_, value: unknown) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
      const mark = marks.find(each => Object.hasOwn(value, each))
      return mark ? revive[mark]((value as Record<string, [string, unknown][]>)[mark] ?? []) : value
    })
  } catch (cause) {
    throw new Error(unusable.message, { cause })
  }
  const { format: given, state } = (parsed ?? {}) as { format?: unknown; state?: unknown }
  if (given !== format || !isState(state)) throw unusable
  return state
}
