/**
 * The token cache on disk, shared by every server and command of this user. It is replaced whole by rename, so a reader
 * never meets half of it, and changed under a lock, so no account is lost and one process asks for a new token while the
 * others wait for it. What a killed process leaves behind, a lock or a draft, lapses or is swept by the next writer. Whether
 * a lock has lapsed goes by the time of day: machines that share the folder have to agree on it within ten seconds.
 *
 * Who loses the lock while holding it (a machine that slept, a process that was stopped) writes nothing: whoever took it
 * over has removed the draft, or holds the lock already when the draft is made. What it has learned is kept, and put into
 * what the others made of the file as soon as the lock is to be had; the same happens where the file cannot be written.
 *
 * Not done on Windows: rights in the sense of POSIX are neither set nor tightened. There the file is protected by the
 * folder it lies in, the user's profile. A program that holds the file open keeps it from being replaced, which is tried
 * again for a second; then the sign-in lives in memory as in a folder that cannot be written.
 */
import path from 'node:path'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { printable } from '../printable.ts'
import { AuthError } from './auth-error.ts'
import { cacheFault, rebased } from './cached-accounts.ts'

/** What is asked of the file system: node:fs/promises. */
export interface CacheFiles {
  /** Undefined where there is no such file; rejects for what is no regular file. */
  readFile(path: string): Promise<string | undefined>
  realpath(path: string): Promise<string>
  readlink(path: string): Promise<string>
  stat(path: string): Promise<{ mode: number; ino?: number; mtimeMs?: number }>
  chmod(path: string, mode: number): Promise<unknown>
  mkdir(path: string, options: { recursive: true; mode: number }): Promise<unknown>
  writeFile(path: string, text: string, options: { mode: number; flag: 'wx'; flush: boolean }): Promise<unknown>
  rename(from: string, to: string): Promise<unknown>
  rm(path: string, options: { force: true }): Promise<unknown>
  readdir(path: string): Promise<string[]>
}

export interface HeldLock {
  /** False once another process took it over. */
  isHeld(): Promise<boolean>
  /** Never rejects. */
  release(): Promise<void>
}

/** `id`: another for each lock. Rejects with code ELOCKED where somebody else holds it. */
export type AcquireLock = (file: string, options: { id: string; staleMs: number }) => Promise<HeldLock>

export interface CacheFileDeps {
  /** Absolute. */
  file: string
  files: CacheFiles
  /** Loaded when first needed. */
  lock: () => Promise<AcquireLock>
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
  /**
   * The text as it is now, empty where there is no file. A file that does not parse is moved aside first. Throws AuthError
   * for what cannot be read.
   */
  read(signal: AbortSignal): Promise<string>
  /** What the file itself holds, without what could not be written: for those who promise that it is there, or gone. */
  kept(): Promise<string>
  /** Throws AuthError where what is signed in could not be kept. For those who ask before somebody signs in. */
  mustKeep(signal: AbortSignal): Promise<void>
  /**
   * Runs `change` on the text while nobody else can, and writes what it makes of it; `text` undefined: nothing is
   * written. `change` runs again where another process took the lock over meanwhile, on a text that holds what it made
   * before. The signal ends the waiting, not the change. Throws AuthError where the lock is not to be had, and what
   * `change` throws.
   */
  update<T>(signal: AbortSignal, change: Change<T>): Promise<T>
}

type Change<T> = (text: string) => Promise<{ text?: string | undefined; value: T }>
type Attempt<T> = { value: T } | 'lost'

/** A refresh may have to wait for a slow authority, and the lock is held meanwhile. */
const longestWaitMs = 90_000
const pauseMs = 25
const mostRounds = 3

export const createCacheFile = (deps: CacheFileDeps): CacheFile => {
  const { file, files, clock, platform, newId } = deps
  const staleMs = deps.staleMs ?? 10_000
  /** What this process made of the file's text and could not write. */
  let unwritten: { base: string; mine: string } | undefined
  let turn: Promise<void> = Promise.resolve()

  const told = new Set<string>()
  /** A warning that would come with every call is given once. */
  const warnOnce = (about: 'rights' | 'broken' | 'unwritten', message: string): void => {
    if (!told.has(about)) deps.log('warning', message)
    told.add(about)
  }

  const withUnwritten = (text: string): string => (unwritten ? rebased(text, unwritten.base, unwritten.mine) : text)

  /** `next` was made of `now`, which was the file's `text` and what was unwritten then. */
  const remember = (text: string, now: string, next: string): void => {
    unwritten = { base: text, mine: rebased(withUnwritten(text), now, next) }
  }

  const notKept = (error: unknown): void =>
    warnOnce('unwritten', `the sign-in is not kept: ${printable(file)} cannot be written (${codeOf(error)})`)

  /** Through links, also where they lead to what is not there yet: that is what is replaced. */
  const place = async (of = file): Promise<string> => {
    try {
      return await files.realpath(of)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') return of
    }
    try {
      const next = await files.readlink(of)
      return await place(path.resolve(await files.realpath(path.dirname(of)), next))
    } catch {
      return of
    }
  }

  const tighten = async (target: string): Promise<void> => {
    if (platform === 'win32') return
    const isWide = async () => ((await files.stat(target)).mode & 0o077) !== 0
    try {
      if (!(await isWide())) return
      await files.chmod(target, 0o600)
      // Not every file system has rights.
      if (await isWide()) throw new Error('they cannot be set there')
      deps.log('warning', `${printable(file)} could be read by others; its rights are now 0600`)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return
      warnOnce('rights', `${printable(file)} can be read by others, and its rights stay: ${whyOf(error)}`)
    }
  }

  /** Undefined where there is no file. */
  const readText = async (target: string): Promise<string | undefined> => {
    try {
      const text = await files.readFile(target)
      if (text !== undefined) await tighten(target)
      return text
    } catch (error) {
      throw unusable(file, error)
    }
  }

  /** Only under the lock: another process may have mended it, or moved it, already. */
  const moveAside = async (target: string, fault: string): Promise<void> => {
    const time = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(':', '-')
    for (let count = 1; ; count++) {
      const aside = `${target}.broken-${time}Z${count === 1 ? '' : `-${count}`}`
      if ((await files.readFile(aside).catch(codeOf)) !== undefined) continue // it, too, is kept
      await files.rename(target, aside)
      deps.log('warning', `the token cache ${printable(file)} cannot be used (${fault}); it is now ${printable(aside)}`)
      return
    }
  }

  /** Whoever holds the lock is the only writer: drafts beside the file are of writers that were killed, or lost it. */
  const sweep = async (target: string): Promise<void> => {
    const draft = new RegExp(`^${escaped(path.basename(target))}\\.[0-9a-f-]{36}\\.new$`)
    const folder = path.dirname(target)
    for (const name of await files.readdir(folder).catch(() => []))
      if (draft.test(name)) await files.rm(path.join(folder, name), { force: true }).catch(() => {})
  }

  /** Again and again for a second where Windows says that somebody has it open. */
  const patiently = async <T>(run: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await run()
      } catch (error) {
        if (platform !== 'win32' || !inUse.has(codeOf(error)) || tries > 20) throw error
        await clock.sleep(2 * pauseMs)
      }
    }
  }

  const acquire = async (target: string, signal: AbortSignal): Promise<HeldLock> => {
    await files.mkdir(path.dirname(target), { recursive: true, mode: 0o700 })
    const lock = await deps.lock()
    const until = clock.monotonic() + longestWaitMs
    for (;;) {
      signal.throwIfAborted()
      try {
        return await patiently(() => lock(target, { id: newId(), staleMs }))
      } catch (error) {
        if (codeOf(error) !== 'ELOCKED') throw error
        if (clock.monotonic() > until) throw isLocked(file)
        await clock.sleep(pauseMs + Math.random() * pauseMs, signal)
      }
    }
  }

  /** Makes the file hold `next`; false where the lock is another's. */
  const write = async (lock: HeldLock, target: string, next: string): Promise<boolean> => {
    const draft = `${target}.${newId()}.new`
    try {
      await files.writeFile(draft, next, { mode: 0o600, flag: 'wx', flush: true })
      // Looked at behind the draft: who takes the lock over removes the drafts that are there.
      const isHeld = await lock.isHeld()
      if (isHeld) await patiently(() => files.rename(draft, target))
      else await files.rm(draft, { force: true })
      return isHeld
    } catch (error) {
      await files.rm(draft, { force: true }).catch(() => {})
      if (!(await lock.isHeld())) return false
      throw error
    }
  }

  const underLock = async <T>(
    lock: HeldLock,
    target: string,
    signal: AbortSignal,
    change: Change<T>,
  ): Promise<Attempt<T>> => {
    await sweep(target)
    let text = await readText(target)
    const fault = text === undefined ? undefined : faultOf(text)
    if (fault !== undefined) {
      if (!(await lock.isHeld())) return 'lost'
      try {
        await moveAside(target, fault)
      } catch (error) {
        return unlocked(change, error)
      }
      text = undefined
    }
    const there = text ?? ''
    const now = withUnwritten(there)
    let made: Awaited<ReturnType<typeof change>>
    try {
      made = await change(now)
    } catch (error) {
      // It may have failed by what another process did that held the lock meanwhile.
      if (signal.aborted || (await lock.isHeld())) throw error
      return 'lost'
    }
    const next = made.text ?? now
    if (next === there) return { value: made.value }
    try {
      if (await write(lock, target, next)) {
        unwritten = undefined
        told.delete('unwritten')
        return { value: made.value }
      }
      remember(there, now, next)
      return 'lost'
    } catch (error) {
      remember(there, now, next)
      notKept(error)
      return { value: made.value }
    }
  }

  /** Where nothing can be written there is no lock either: what is known lives in this process alone. */
  const unlocked = async <T>(change: Change<T>, why: unknown): Promise<Attempt<T>> => {
    const text = (await readText(await place())) ?? ''
    const fault = text === '' ? undefined : faultOf(text)
    if (fault !== undefined)
      warnOnce('broken', `the token cache ${printable(file)} cannot be used (${fault}), nor moved (${codeOf(why)})`)
    const usable = fault === undefined ? text : ''
    const now = withUnwritten(usable)
    const { text: next, value } = await change(now)
    if (next !== undefined && next !== now) {
      remember(usable, now, next)
      notKept(why)
    }
    return { value }
  }

  /** `otherwise` is given why there can be no lock: the file system says so. */
  const withLock = async <T>(
    signal: AbortSignal,
    run: (lock: HeldLock, target: string) => Promise<T>,
    otherwise: (why: unknown) => Promise<T>,
  ): Promise<T> => {
    const target = await place()
    let lock: HeldLock
    try {
      lock = await acquire(target, signal)
    } catch (error) {
      if (signal.aborted || error instanceof AuthError || typeof codeIn(error) !== 'string') throw error
      return otherwise(error)
    }
    try {
      return await run(lock, target)
    } finally {
      await lock.release()
    }
  }

  const attempt = <T>(signal: AbortSignal, change: Change<T>): Promise<Attempt<T>> =>
    withLock(
      signal,
      (lock, target) => underLock(lock, target, signal, change),
      why => unlocked(change, why),
    )

  /** One at a time in this process too: the lock's library knows one lock of a file. */
  const inTurn = async <T>(run: () => Promise<T>): Promise<T> => {
    const done = turn.then(run)
    turn = done.then(
      () => {},
      () => {},
    )
    return done
  }

  const update: CacheFile['update'] = (signal, change) =>
    inTurn(async () => {
      for (let round = 1; round <= mostRounds; round++) {
        const done = await attempt(signal, change)
        if (done !== 'lost') return done.value
      }
      throw isLocked(file)
    })

  return {
    file,
    update,
    stamp: () =>
      files.stat(file).then(
        ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
        () => '',
      ),
    mustKeep: signal =>
      inTurn(() =>
        withLock(
          signal,
          async (_, target) => void (await readText(target)),
          async why => {
            throw notWritable(file, why)
          },
        ),
      ),
    kept: async () => (await readText(await place())) ?? '',
    read: async signal => {
      const text = await readText(await place())
      if (text !== undefined && faultOf(text) !== undefined) return update(signal, async now => ({ value: now }))
      return withUnwritten(text ?? '')
    },
  }
}

const faultOf = (text: string): string | undefined => (text === '' ? 'it is empty' : cacheFault(text))
/** What Windows says of a file that another program has open, or is just removing. */
const inUse = new Set(['EACCES', 'EBUSY', 'EPERM'])
const codeIn = (error: unknown): unknown => (error as NodeJS.ErrnoException).code
const codeOf = (error: unknown): string => String(codeIn(error) ?? 'an unknown error')
const whyOf = (error: unknown): string => String(codeIn(error) ?? (error as Error).message)
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

/** `what`: what that means for whoever wanted it written. */
export const notWritten = (file: string, what: string): AuthError =>
  new AuthError(
    'not_configured',
    `The token cache ${printable(file)} could not be written, so ${what}`,
    'Let this user write there, or name another place in RECOVERY_SERVICES_AUTH_FILE.',
  )

const isLocked = (file: string): AuthError =>
  new AuthError(
    'timeout',
    `Another process holds the token cache ${printable(file)}; it may be waiting for the sign-in service`,
    `Try again; if no other server or command of this user runs, remove the folder ${printable(file)}.lock.`,
  )
