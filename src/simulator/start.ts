/** Starts a simulated Azure: from its state file, from a seed file, or as it is built in. */
import { ConfigError } from '../config/errors.ts'
import { createVirtualClock } from './clock.ts'
import { effects } from './effects.ts'
import { createKeeper } from './keeper.ts'
import type { DefaultVault, State } from './state.ts'
import { loadState, saveState } from './state-file.ts'
import { createWorld, type World } from './world.ts'

export interface SimulationOptions {
  /** Simulated seconds in a real one; 0: time stands still but for `advance`. */
  timeScale: number
  /** Files, by absolute path. */
  seed?: string
  state?: string
}

export interface SimulationDeps {
  /** Real milliseconds since 1970: today is the day on which it begins. */
  now(): number
  /** Real milliseconds that never go back. */
  monotonic(): number
  sleep(ms: number): Promise<void>
  readFile(file: string): Promise<string>
  /** Whole, by rename, for nobody else to read. */
  replaceFile(file: string, text: string): Promise<void>
  /** Told of a state file that cannot be written while it runs. */
  onFault(error: unknown): void
}

export interface Simulation {
  world: World
  defaultVault: DefaultVault
  /** Is to be called behind each request, so that what it changed is kept. */
  onAnswered(method: string): void
  /** Saves the state, where it is kept. Rejects where that fails. */
  close(): Promise<void>
}

const morning = 8 * 3_600_000
const dayMs = 86_400_000

/**
 * Saved state goes on from the moment at which it was saved; the seed is not looked at then. Throws ConfigError for a file
 * that cannot be used; such a file is never written to.
 */
export const startSimulation = async (options: SimulationOptions, deps: SimulationDeps): Promise<Simulation> => {
  const { timeScale, seed, state: file } = options
  const saved = file === undefined ? undefined : await savedIn(file, deps)
  const state = saved ?? (await begin(seed, deps))
  const { defaultVault } = state
  if (!defaultVault) throw new Error('the estate has no default vault')
  const clock = createVirtualClock(state.nowMs, timeScale, deps.monotonic)
  // Only then: node:crypto takes a while to load.
  const checkToken = state.tokenKeys && (await import('./token-check.ts')).createTokenCheck(state.tokenKeys)
  const world = createWorld(state, clock, effects, checkToken)
  if (file === undefined) return { world, defaultVault, onAnswered: () => {}, close: async () => {} }

  const write = () => deps.replaceFile(file, saveState(state))
  if (!saved) await write().catch(cause => refuse('--state', file, `cannot be written: ${reasonOf(cause)}`, cause))
  const keeper = createKeeper({ ...deps, write })
  return {
    world,
    defaultVault,
    onAnswered: method => {
      if (!reading.has(method)) keeper.note()
    },
    close: async () => {
      world.settle()
      await keeper.close()
    },
  }
}

const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

const savedIn = async (file: string, { readFile }: SimulationDeps): Promise<State | undefined> => {
  const text = await readFile(file).catch(cause => {
    if (cause?.code === 'ENOENT') return undefined
    return refuse('--state', file, `cannot be read: ${reasonOf(cause)}`, cause)
  })
  if (text === undefined) return undefined
  try {
    const state = loadState(text)
    if (!state.defaultVault) throw new Error('it names no default vault')
    return state
  } catch (cause) {
    return refuse('--state', file, `cannot be used, and is left as it is: ${reasonOf(cause)}`, cause)
  }
}

const begin = async (seed: string | undefined, { readFile, now }: SimulationDeps): Promise<State> => {
  const startMs = Math.floor(now() / dayMs) * dayMs + morning
  const { stateOf } = await import('./estate-state.ts')
  if (seed === undefined) return stateOf((await import('./seed.ts')).builtInEstate(), startMs)
  const text = await readFile(seed).catch(cause => refuse('--seed', seed, `cannot be read: ${reasonOf(cause)}`, cause))
  try {
    const { parseEstate } = await import('./seed-file.ts')
    return stateOf(parseEstate(JSON.parse(text.replace(/^\uFEFF/, ''))), startMs)
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `is not JSON${placeOf(cause)}` : `is no estate: ${reasonOf(cause)}`
    return refuse('--seed', seed, why, cause)
  }
}

/** The parser's own message quotes the text, which may be anything: only the place is taken from it. */
const placeOf = ({ message }: SyntaxError): string => / at position \d+/.exec(message)?.[0] ?? ''

const reasonOf = (error: unknown): string => {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return typeof code === 'string' ? code : String(message ?? error).replaceAll('\n', '; ')
}

const remedies = {
  '--seed': 'Name a file with an estate, as schemas/seed.json defines it.',
  '--state': 'Name a file that an earlier run has written, or one that is not there yet.',
} as const

const refuse = (flag: keyof typeof remedies, file: string, why: string, cause: unknown): never => {
  throw new ConfigError(`${flag} ${file} ${why}.`, remedies[flag], { cause })
}
