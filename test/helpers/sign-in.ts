/** Credentials in this process, over a token cache of the test's own, a clock that tests move, and a network they name. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import type { Test } from 'tap'
import type { Send } from '../../src/arm/send.ts'
import { createUndiciSend } from '../../src/arm/undici-send.ts'
import { AuthError } from '../../src/auth/auth-error.ts'
import type { RunAzureCli } from '../../src/auth/azure-cli.ts'
import { type CacheFile, type CacheFileDeps, createCacheFile } from '../../src/auth/cache-file.ts'
import { acquireLock } from '../../src/auth/cache-lock.ts'
import { type CredentialsDeps, createCredentials } from '../../src/auth/tokens.ts'
import { withoutEcho } from '../../src/auth/without-echo.ts'
import type { Clock } from '../../src/clock.ts'
import type { LogLevel } from '../../src/log.ts'
import type { Authority } from './authority.ts'

// MSAL looks for a managed identity in the environment of the process, whatever a test gives: the machine that the tests
// run on may have one.
for (const name of [
  'IDENTITY_ENDPOINT',
  'IDENTITY_HEADER',
  'IDENTITY_SERVER_THUMBPRINT',
  'MSI_ENDPOINT',
  'MSI_SECRET',
  'IMDS_ENDPOINT',
  'AZURE_POD_IDENTITY_AUTHORITY_HOST',
])
  delete process.env[name]

export const start = Date.parse('2026-11-22T12:00:00Z')
export const armScope = 'https://management.azure.com/.default'

export interface TestClock extends Clock {
  time: number
  /** Every sleep that was asked for, in milliseconds. */
  slept: number[]
  /** Moves the time; whoever slept until then goes on. */
  advance(ms: number): void
}

/** Stands still until it is moved. `isHasty`: nobody waits, every sleep is over at once and moves the time. */
export const testClock = ({ time = start, isHasty = false } = {}): TestClock => {
  const sleepers = new Set<{ until: number; go: () => void }>()
  const clock: TestClock = {
    time,
    slept: [],
    now: () => clock.time,
    monotonic: () => clock.time,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        clock.slept.push(ms)
        if (isHasty) {
          clock.time += ms
          return resolve()
        }
        const sleeper = { until: clock.time + ms, go: resolve }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          reject(signal.reason)
        })
      }),
    advance: ms => {
      clock.time += ms
      for (const sleeper of sleepers)
        if (sleeper.until <= clock.time) {
          sleepers.delete(sleeper)
          sleeper.go()
        }
    },
  }
  return clock
}

/** A folder that goes when the test ends. */
export const temporaryFolder = (t: Test): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sign-in-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Logged {
  level: LogLevel
  message: string
  fields: Record<string, unknown>
}

export const readIfThere = (file: string): Promise<string | undefined> =>
  fs.readFile(file, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })

/** A token cache on disk, with real time for its lock. */
export const cacheFileAt = (
  file: string,
  more: Partial<CacheFileDeps> = {},
): { cache: CacheFile; logged: Logged[] } => {
  const logged: Logged[] = []
  const cache = createCacheFile({
    file,
    files: { ...fs, readFile: readIfThere },
    lock: async () => acquireLock,
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
    },
    platform: process.platform,
    newId: randomUUID,
    log: (level, message, fields = {}) => void logged.push({ level, message, fields }),
    ...more,
  })
  return { cache, logged }
}

/** The network as an authority's client has it: its certificate is trusted. */
export const sendTo = async (t: Test, authority: Authority, env: Record<string, string> = {}): Promise<Send> => {
  const { send, close } = await createUndiciSend({
    timeoutSeconds: 10,
    env: { SSL_CERT_FILE: authority.caFile, ...env },
    readFile: file => fs.readFile(file, 'utf8'),
    warn: text => t.comment(text),
  })
  t.teardown(close)
  return withoutEcho(send)
}

/** The AuthError that a promise rejects with; nothing of it, its stack and causes included, holds one of the secrets. */
export const authErrorOf = async (
  promise: Promise<unknown>,
  /** Looked at when the error is there: an authority has made more by then. */
  known: { readonly secrets: readonly string[] },
): Promise<AuthError> => {
  const error = await promise.then(
    () => new Error('there was no error'),
    (error: unknown) => error,
  )
  if (!(error instanceof AuthError)) throw error
  const shown = inspect(error, { depth: 12, showHidden: true })
  for (const secret of known.secrets) if (shown.includes(secret)) throw new Error(`the error shows ${secret}`)
  return error
}

const nowhere: Send = async ({ url }) => {
  throw new Error(`nothing is to be sent to ${url}`)
}
const noAzureCli: RunAzureCli = async () => ({ code: 1, stdout: '', stderr: "ERROR: Please run 'az login'" })

/** `deps` are the sources' own; what is not named is there without anybody in it, and there is no network. */
export const signInFor = (t: Test, more: Partial<CredentialsDeps> & { file?: string } = {}) => {
  const { file = path.join(temporaryFolder(t), 'recovery_services_auth.json'), ...given } = more
  const { cache, logged } = cacheFileAt(file)
  const deps: CredentialsDeps = {
    method: 'auto',
    authorityHost: 'https://login.microsoftonline.com',
    scope: armScope,
    env: {},
    platform: 'linux',
    clock: testClock(),
    send: nowhere,
    sendHere: async () => ({ status: 404, headers: {}, body: '' }),
    readBytes: path => fs.readFile(path),
    isThere: async () => false,
    isAzureCliSignedIn: async () => false,
    cache,
    runAzureCli: noAzureCli,
    log: (level, message, fields = {}) => void logged.push({ level, message, fields }),
    ...given,
  }
  return { credentials: createCredentials(deps), deps, file, logged, cache }
}
