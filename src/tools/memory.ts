import type { Clock } from '../clock.ts'
import { Problem } from '../problem.ts'

/** What was looked up and holds for a while (a vault's group, a subscription's id), for the life of the process. */
export interface Memory {
  /**
   * The remembered value if it `suffices`, else what `load` gives, remembered for `lifetimeMs`. While one caller loads,
   * others wait for what it gets: a value, or the Problem that it ends with, which is not remembered.
   */
  recall<T>(key: string, lifetimeMs: number, load: () => Promise<T>, suffices?: (known: T) => boolean): Promise<T>
  /** Drops everything whose key starts with `prefix`: Azure said that it is not so. */
  forget(prefix: string): void
}

export const createMemory = (clock: Clock): Memory => {
  const kept = new Map<string, { value: unknown; untilMs: number }>()
  const loading = new Map<string, Promise<unknown>>()

  const loadNow = async <T>(key: string, lifetimeMs: number, load: () => Promise<T>): Promise<T> => {
    const mine = load()
    loading.set(key, mine)
    const isStillAsked = () => loading.get(key) === mine
    try {
      const value = await mine
      if (isStillAsked()) kept.set(key, { value, untilMs: clock.monotonic() + lifetimeMs })
      return value
    } finally {
      if (isStillAsked()) loading.delete(key)
    }
  }

  return {
    async recall<T>(key: string, lifetimeMs: number, load: () => Promise<T>, suffices = (_: T) => true): Promise<T> {
      const known = kept.get(key) as { value: T; untilMs: number } | undefined // a key is recalled by one function only
      if (known && known.untilMs > clock.monotonic() && suffices(known.value)) return known.value
      for (let running = loading.get(key); running; running = loading.get(key)) {
        try {
          return (await running) as T
        } catch (error) {
          if (error instanceof Problem) throw error
          // Its caller was cancelled: the next one asks for itself and those that still wait.
        }
      }
      return loadNow(key, lifetimeMs, load)
    },
    forget(prefix) {
      for (const map of [kept, loading]) for (const key of map.keys()) if (key.startsWith(prefix)) map.delete(key)
    },
  }
}
