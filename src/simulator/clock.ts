/** The virtual clock of the simulated Azure: it runs faster than the real one, and can be moved ahead. */
export interface VirtualClock {
  /** Milliseconds since 1970 in the simulated world. */
  now(): number
  /** How many simulated seconds pass in a real one; 0 stands still but for `advance`. */
  readonly scale: number
  advance(ms: number): void
  /** The real wait, in whole seconds, for something `ms` of simulated time away; 0 where that is as good as now. */
  realSeconds(ms: number): number
}

/** Shorter real waits are none: a client that has to wait at all waits for a second. */
const shortestWaitSeconds = 0.05
/** With a clock that stands still nothing comes by waiting. */
const standstillSeconds = 1

/** Starts at `startMs`. `monotonic` gives real milliseconds that never go back. */
export const createVirtualClock = (startMs: number, scale: number, monotonic: () => number): VirtualClock => {
  const beganMs = monotonic()
  let aheadMs = 0
  return {
    scale,
    now: () => Math.floor(startMs + (monotonic() - beganMs) * scale + aheadMs),
    advance: ms => {
      aheadMs += ms
    },
    realSeconds: ms => {
      if (scale === 0) return standstillSeconds
      const seconds = Math.max(ms, 0) / 1000 / scale
      return seconds < shortestWaitSeconds ? 0 : Math.ceil(seconds)
    },
  }
}
