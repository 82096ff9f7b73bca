/**
 * One fetch per key at a time: whoever asks while it runs gets its result. A caller that is cancelled leaves alone; the
 * fetch is cancelled when the last one has left.
 */
interface Flight<T> {
  result: Promise<T>
  waiting: number
  stop: AbortController
}

export function shareFetches<T>(
  fetch: (key: string, signal: AbortSignal) => Promise<T>,
): (key: string, signal: AbortSignal) => Promise<T> {
  const flights = new Map<string, Flight<T>>()

  const start = (key: string): Flight<T> => {
    const stop = new AbortController()
    const flight = { result: fetch(key, stop.signal), waiting: 0, stop }
    flights.set(key, flight)
    return flight
  }
  // A flight that everybody left is forgotten before it ends: the next caller gets one of its own.
  const forget = (key: string, flight: Flight<T>) => {
    if (flights.get(key) === flight) flights.delete(key)
  }

  return async (key, signal) => {
    signal.throwIfAborted()
    const flight = flights.get(key) ?? start(key)
    flight.waiting++
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        reject(signal.reason)
        if (--flight.waiting > 0) return
        forget(key, flight)
        flight.stop.abort(signal.reason)
      }
      const end = () => {
        signal.removeEventListener('abort', leave)
        forget(key, flight)
      }
      signal.addEventListener('abort', leave, { once: true })
      flight.result.finally(end).then(resolve, reject)
    })
  }
}
