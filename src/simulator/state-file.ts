/** State as JSON text and back: maps and sets keep being such. */
import type { State } from './state.ts'

const format = 1

export const saveState = (state: State): string =>
  JSON.stringify({ format, state }, (_, value: unknown) => {
    if (value instanceof Map) return { $map: [...value] }
    if (value instanceof Set) return { $set: [...value] }
    return value
  })

const isWrapped = (value: unknown, name: '$map' | '$set'): value is Record<string, unknown[]> =>
  typeof value === 'object' && value !== null && Array.isArray((value as Record<string, unknown>)[name])

/** Throws an Error for text that is not saved state. */
export const loadState = (text: string): State => {
  const parsed: unknown = JSON.parse(text, (_, value: unknown) => {
    if (isWrapped(value, '$map')) return new Map(value.$map as [string, unknown][])
    if (isWrapped(value, '$set')) return new Set(value.$set)
    return value
  })
  const { format: given, state } = parsed as { format?: unknown; state?: State }
  if (given !== format || !state?.vaults) throw new Error('it is not the saved state of a simulated Azure')
  return state
}
