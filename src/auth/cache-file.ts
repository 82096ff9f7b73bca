/**
 * The token cache on disk, shared by every server and command of this user. It is replaced whole by rename, so a reader
 * never meets half of it, and changed under a lock, so no account is lost and one process asks for a new token while the
 * others wait for it. The lock is proper-lockfile's: a folder beside the file, made anew every few seconds while it is
 * held, so that what a killed process leaves behind lapses.
 *
 * On Windows the file is protected by the folder it lies in, the user's profile: there are no rights in the sense of POSIX
 * to set or to tighten.
 */
import path from 'node:path'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { printable } from '../printable.ts'
import { AuthError } from './auth-error.ts'
import { cacheFault } from './cached-accounts.ts'

/** What is asked of the file system: node:fs/promises. */
export interface CacheFiles {
  /** Undefined where there is no such file; rejects for what is no regular file. */
  readFile(path: string): Promise<string | undefined>
  realpath(path: string): Promise<string>
  stat(path: string): Promise<{ mode: number; ino?: number; mtimeMs?: number }>
  chmod(path: string, mode: number): Promise<unknown>
  mkdir(path: string, options: { recursive: true; mode: number }): Promise<unknown>
  writeFile(path: string, text: string, options: { mode: number; flag: 'wx' }): Promise<unknown>
  rename(from: string, to: string): Promise<unknown>
  link(existing: string, path: string): Promise<unknown>
  rm(path: string, options: { force: true }): Promise<unknown>
  readdir(path: string): Promise<string[]>
}

/** proper-lockfile's `lock`, as far as it is used. */
export type Lock = (
  file: string,
  options: { realpath: false; stale: number; update: number; onCompromised: (error: Error) => void },
) => Promise<() => Promise<void>>

export interface CacheFileDeps {
  /** Absolute. */
  file: string
  files: CacheFiles
  /** Loaded when first needed. */
  lock: () => Promise<Lock>
  clock: Pick<Clock, 'now' | 'sleep' | 'monotonic'>
  platform: NodeJS.Platform
  newId: () => string
  log: Log
  /** After how long a lock that nobody renews counts as left behind; at least 2000. */
  staleMs?: number
}

export interface CacheFile {
  file: string
  /** Another text once the file has been replaced, by whomever. */
  stamp(): Promise<string>
  /** The text as it is now, empty where there is no file. A file that does not parse is moved aside first. */
  read(signal: AbortSignal): Promise<string>
  /** Throws AuthError where what is signed in could not be kept. For those who ask before somebody signs in. */
  mustKeep(signal: AbortSignal): Promise<void>
  /**
   * Runs `change` on the text while nobody else can, and writes what it makes of it; `text` undefined: nothing is
   * written. `change` may run again where another process took the lock over meanwhile. Throws AuthError where the lock
   * is not to be had, and what `change` throws.
   */
  update<T>(signal: AbortSignal, change: (text: string) => Promise<{ text?: string | undefined; value: T }>): Promise<T>
}

/** A refresh may have to wait for a slow authority, and the lock is held meanwhile. */
const longestWaitMs = 90_000
const pauseMs = 25
const mostRounds = 3

export const createCacheFile = (deps: CacheFileDeps): CacheFile => {
  const { file, files, clock, platform, log } = deps
  const folder = path.dirname(file)
  const staleMs = deps.staleMs ?? 10_000
  /** What could not be written, because there is no writing there: it lives as long as this process. */
  let unwritten: string | undefined

  /** Through links: the file they lead to is what is replaced. */
  const place = (): Promise<string> => files.realpath(file).catch(() => file)

  const tightened = async (target: string): Promise<void> => {
    if (platform === 'win32') return
    const { mode } = await files.stat(target)
    if ((mode & 0o077) === 0) return
    await files.chmod(target, 0o600)
    log('warning', `${printable(file)} could be read by others; its rights are now 0600`)
  }

  const readText = async (target: string): Promise<string> => {
    try {
      const text = await files.readFile(target)
      if (text === undefined) return unwritten ?? ''
      await tightened(target).catch(error => {
        if (codeOf(error) !== 'ENOENT') log('warning', `the rights of ${printable(file)} stay: ${codeOf(error)}`)
      })
      return unwritten ?? text
    } catch (error) {
      throw unusable(file, error)
    }
  }

  const isBroken = (text: string): boolean => text !== '' && cacheFault(text) !== undefined

  /** Empties what does not parse, by giving it another name. Only under the lock: another process may have mended it. */
  const moveAside = async (target: string, fault: string): Promise<void> => {
    const time = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(':', '-')
    for (let count = 1; ; count++) {
      const aside = `${file}.broken-${time}Z${count === 1 ? '' : `-${count}`}`
      try {
        await files.link(target, aside)
        await files.rm(target, { force: true })
      } catch (error) {
        if (codeOf(error) === 'EEXIST') continue
        if (codeOf(error) === 'ENOENT') return
        await files.rename(target, aside) // a file system without links
      }
      log('warning', `the token cache ${printable(file)} cannot be used (${fault}); it is now ${printable(aside)}`)
      return
    }
  }

  const write = async (target: string, text: string): Promise<void> => {
    const draft = `${target}.${deps.newId()}.new`
    try {
      await files.writeFile(draft, text, { mode: 0o600, flag: 'wx' })
      await files.rename(draft, target)
      unwritten = undefined
    } catch (error) {
      await files.rm(draft, { force: true }).catch(() => {})
      keepInMemory(text, error)
    }
  }

  const keepInMemory = (text: string, error: unknown): void => {
    if (unwritten === undefined)
      log('warning', `the sign-in is not kept: ${printable(file)} cannot be written (${codeOf(error)})`)
    unwritten = text
  }

  /** Whoever holds the lock is the only writer: drafts beside the file are of writers that were killed. */
  const sweep = async (target: string): Promise<void> => {
    const draft = new RegExp(`^${escaped(path.basename(target))}\\..+\\.new$`)
    for (const name of await files.readdir(path.dirname(target)))
      if (draft.test(name)) await files.rm(path.join(path.dirname(target), name), { force: true })
  }

  const locked = async <T>(signal: AbortSignal, run: (isHeld: () => boolean, target: string) => Promise<T>) => {
    await files.mkdir(folder, { recursive: true, mode: 0o700 })
    const target = await place()
    const lock = await deps.lock()
    let isHeld = true
    const options = {
      realpath: false as const,
      stale: staleMs,
      update: staleMs / 2,
      onCompromised: () => {
        isHeld = false
      },
    }
    const until = clock.monotonic() + longestWaitMs
    let release: () => Promise<void>
    for (;;) {
      signal.throwIfAborted()
      try {
        release = await lock(target, options)
        break
      } catch (error) {
        if (codeOf(error) !== 'ELOCKED') throw error
        if (clock.monotonic() > until) throw isLocked(file)
        await clock.sleep(pauseMs + Math.random() * pauseMs, signal)
      }
    }
    try {
      return await run(() => isHeld, target)
    } finally {
      if (isHeld) await release().catch(() => {}) // it lapses
    }
  }

  const read = async (signal: AbortSignal): Promise<string> => {
    const target = await place()
    const text = await readText(target)
    if (!(await isThereAndBroken(target, text))) return text
    return update(signal, async now => ({ value: now }))
  }

  const isThereAndBroken = async (target: string, text: string): Promise<boolean> =>
    isBroken(text) || (text === '' && (await files.readFile(target).catch(() => undefined)) === '')

  const mustKeep = async (signal: AbortSignal): Promise<void> => {
    try {
      await locked(signal, (_, target) => readText(target))
    } catch (error) {
      throw unwritable.has(codeOf(error)) ? notWritable(file, error) : error
    }
  }

  const update: CacheFile['update'] = async (signal, change) => {
    for (let round = 1; ; round++) {
      const done = await attempt(signal, change)
      if ('value' in done) return done.value
      if (round === mostRounds) throw isLocked(file)
    }
  }

  const attempt = async <T>(
    signal: AbortSignal,
    change: (text: string) => Promise<{ text?: string | undefined; value: T }>,
  ): Promise<{ value: T } | { lost: true }> => {
    const under = async (isHeld: () => boolean, target: string) => {
      await sweep(target)
      let text = await readText(target)
      if (await isThereAndBroken(target, text)) {
        await moveAside(target, cacheFault(text) ?? 'it is empty')
        text = ''
      }
      const { text: next, value } = await change(text)
      if (!isHeld()) return { lost: true as const }
      if (next !== undefined && next !== text) await write(target, next)
      return { value }
    }
    try {
      return await locked(signal, under)
    } catch (error) {
      if (!unwritable.has(codeOf(error))) throw error
      // No folder, no lock, no file: what is known lives in this process alone.
      const text = unwritten ?? (await readText(await place()))
      const { text: next, value } = await change(isBroken(text) ? '' : text)
      if (next !== undefined) keepInMemory(next, error)
      return { value }
    }
  }

  const stamp = (): Promise<string> =>
    files.stat(file).then(
      ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
      () => '',
    )

  return { file, stamp, read, mustKeep, update }
}

const unwritable = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST', 'ENOTSUP'])
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'an unknown error'
const escaped = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

const unusable = (file: string, error: unknown): AuthError =>
  new AuthError(
    'not_configured',
    `The token cache ${printable(file)} cannot be read (${codeOf(error)})`,
    'Give it back to the user who runs this server, or name another place in RECOVERY_SERVICES_AUTH_FILE.',
    { cause: error },
  )

const notWritable = (file: string, error: unknown): AuthError =>
  new AuthError(
    'not_configured',
    `The token cache ${printable(file)} cannot be written (${codeOf(error)}), so the sign-in would be lost`,
    'Let this user write there, or name another place in RECOVERY_SERVICES_AUTH_FILE.',
    { cause: error },
  )

const isLocked = (file: string): AuthError =>
  new AuthError(
    'timeout',
    `Another process holds the token cache ${printable(file)}`,
    `Try again; if no other server or command of this user runs, remove ${printable(file)}.lock.`,
  )
