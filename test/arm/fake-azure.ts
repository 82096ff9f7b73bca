/** A clock that runs only when everybody waits, and an Azure that answers from a script. */

import { type ArmDeps, createArm } from '../../src/arm/client.ts'
import { ArmError } from '../../src/arm/errors.ts'
import { createLimiter } from '../../src/arm/limiter.ts'
import type { ArmRequest, ArmResponse, Send } from '../../src/arm/send.ts'
import type { Clock } from '../../src/clock.ts'
import type { LogLevel } from '../../src/log.ts'

export const endpoint = 'https://management.azure.com'
export const subscription = '00000000-0000-0000-0000-000000000001'
export const vault = `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/vault-1`
export const fabric = `${vault}/backupFabrics/Azure`
export const container = `${fabric}/protectionContainers/VMAppContainer;Compute;rg;vm`
export const item = `${fabric}/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;rg;vm/protectedItems/vm;iaasvmcontainerv2;rg;vm`

/** Starts at 2026-11-22T10:00:00Z. `sleeps` are the waits asked for, in ms. */
export function createFakeClock() {
  let elapsedMs = 0
  const startMs = Date.UTC(2026, 10, 22, 10)
  const timers: { atMs: number; resolve: () => void }[] = []
  const sleeps: number[] = []
  let isRunning = false
  const run = () => {
    isRunning = false
    timers.sort((left, right) => left.atMs - right.atMs)
    const next = timers.shift()
    if (!next) return
    elapsedMs = Math.max(elapsedMs, next.atMs)
    next.resolve()
    start()
  }
  const start = () => {
    if (!isRunning) setImmediate(run)
    isRunning = true
  }
  const clock: Clock & { sleeps: number[]; advance(ms: number): void; pending(): number } = {
    sleeps,
    now: () => startMs + elapsedMs,
    monotonic: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        sleeps.push(ms)
        const stop = () => {
          timers.splice(timers.indexOf(timer) >>> 0, 1)
          reject(signal?.reason)
        }
        const timer = {
          atMs: elapsedMs + ms,
          resolve: () => {
            signal?.removeEventListener('abort', stop)
            resolve()
          },
        }
        timers.push(timer)
        signal?.addEventListener('abort', stop, { once: true })
        start()
      }),
    advance: ms => {
      elapsedMs += ms
    },
    pending: () => timers.length,
  }
  return clock
}

export type Scripted =
  | ArmResponse
  | Error
  | ((request: ArmRequest, signal: AbortSignal) => ArmResponse | Promise<ArmResponse>)

export const answer = (status: number, body?: unknown, headers: Record<string, string> = {}): ArmResponse => ({
  status,
  headers,
  body: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
})

export const failure = (status: number, code: string, message: string, headers: Record<string, string> = {}) =>
  answer(status, { error: { code, message } }, headers)

export interface LogLine {
  level: LogLevel
  message: string
  fields: Record<string, unknown>
}

/** An `Arm` over a script of answers, one for each request; a request beyond the script is an error. */
export function createFakeAzure(script: Scripted[], options: Partial<ArmDeps> = {}) {
  const clock = createFakeClock()
  const requests: ArmRequest[] = []
  const lines: LogLine[] = []
  const control = new AbortController()
  let ids = 0
  const rest = [...script]
  const send: Send = async (request, signal) => {
    requests.push(request)
    const next = rest.shift()
    if (next === undefined) throw new Error(`not in the script: ${request.method} ${request.url}`)
    if (next instanceof Error) throw next
    return typeof next === 'function' ? next(request, signal) : next
  }
  const deps: ArmDeps = {
    send,
    endpoint,
    apiVersion: '2025-08-01',
    maxRetries: 4,
    clock,
    random: () => 0.5,
    newId: () => `id-${++ids}`,
    limiter: createLimiter(options.clock ?? clock),
    signal: control.signal,
    log: (level, message, fields = {}) => lines.push({ level, message, fields }),
    ...options,
  }
  const asked = () => requests.map(({ method, url }) => `${method} ${url.replace(endpoint, '')}`)
  return { arm: createArm(deps), deps, clock, requests, asked, lines, control }
}

/** The ArmError that a call ends with; any other end is thrown on. */
export async function armErrorOf(call: Promise<unknown>): Promise<ArmError> {
  try {
    await call
  } catch (error) {
    if (error instanceof ArmError) return error
    throw error
  }
  throw new Error('the call succeeded')
}
