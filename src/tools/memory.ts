import type { Clock } from '../clock.ts'

/** What was looked up and holds for a while (a vault's group, a subscription's id), for the life of the process. */
export interface Memory {
  /**
   * The remembered value if it `suffices`, else what `load` gives, remembered for `lifetimeMs`. A failed load is not
   * remembered.
   */
  recall<T>(key: string, lifetimeMs: number, load: () => Promise<T>, suffices?: (known: T) => boolean): Promise<T>
  /** Drops everything whose key starts with `prefix`: Azure said that it is not so. */
  forget(prefix: string): void
}

export const createMemory = (clock: Clock): Memory => {
  const kept = new Map<string, { value: unknown; untilMs: number }>()
  return {
    async recall<T>(key: string, lifetimeMs: number, load: () => Promise<T>, suffices = (_: T) => true): Promise<T> {
      const known = kept.get(key) as { value: T; untilMs: number } | undefined // a key is recalled by one function only
      if (known && known.untilMs > clock.monotonic() && suffices(known.value)) return known.value
      const value = await load()
      kept.set(key, { value, untilMs: clock.monotonic() + lifetimeMs })
      return value
    },
    forget(prefix) {
      for (const key of kept.keys()) if (key.startsWith(prefix)) kept.delete(key)
    },
  }
}
