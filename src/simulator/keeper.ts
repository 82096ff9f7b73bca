/**
 * Keeps a simulated Azure in its state file. It is written soon after a change; many changes in a row are written
 * together, so that saving a large estate takes a fifth of the time at most.
 */
export interface Keeper {
  /** Something has changed. */
  note(): void
  /** Writes what has changed, or all of it at the end. Rejects where the last write failed. */
  close(): Promise<void>
}

export interface KeeperDeps {
  /** Writes everything as it is now. */
  write(): Promise<void>
  /** Real milliseconds that never go back. */
  monotonic(): number
  sleep(ms: number): Promise<void>
  onFault(error: unknown): void
}

const restsPerWrite = 4

export const createKeeper = ({ write, monotonic, sleep, onFault }: KeeperDeps): Keeper => {
  let hasChanged = false
  let closed: Promise<void> | undefined
  let running: Promise<void> | undefined
  let wake = () => {}

  const keep = async (): Promise<void> => {
    while (hasChanged && !closed) {
      hasChanged = false
      const startMs = monotonic()
      await write().catch(onFault)
      const closing = new Promise<void>(resolve => {
        wake = resolve
      })
      if (!closed) await Promise.race([sleep((monotonic() - startMs) * restsPerWrite), closing])
    }
    running = undefined
  }

  const end = async (): Promise<void> => {
    wake()
    await running
    await write()
  }

  return {
    note: () => {
      hasChanged = true
      if (!closed) running ??= keep()
    },
    close: () => {
      closed ??= end()
      return closed
    },
  }
}
