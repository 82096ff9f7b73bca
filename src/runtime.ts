/**
 * Wires what a tool call needs: the door to Azure (the network, a recording, or a simulated Azure), sign-in, the limiter,
 * the memory. Made when the first call comes, once for the process.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import { createArm } from './arm/client.ts'
import { createLimiter } from './arm/limiter.ts'
import { createRecorder } from './arm/recorder.ts'
import { replaceFile } from './arm/recordings.ts'
import type { Send } from './arm/send.ts'
import type { Credentials } from './auth/tokens.ts'
import type { ServingOptions, SimulationFlags } from './cli/runtime-types.ts'
import type { Clock } from './clock.ts'
import type { LoadedConfig } from './config/types.ts'
import type { Log } from './log.ts'
import { callTool } from './tools/call.ts'
import { createConfirmations } from './tools/confirmations.ts'
import { createMemory } from './tools/memory.ts'
import { secretsFolder } from './tools/secret-key.ts'
import type { ToolRunner } from './tools/service.ts'

export interface RuntimeDeps {
  loaded: LoadedConfig
  options: ServingOptions
  clock: Clock
  log: Log
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  homeDir: string
  platform: NodeJS.Platform
  pid: number
  random: () => number
  newId: () => string
  /** True where calls go on to come: a sign-in that one of them starts has somebody to end it for. */
  isServing: boolean
  /** Resolves when what was answered has been read; undefined when it has. */
  drained: () => Promise<void> | undefined
}

/** How requests reach an answer, and what follows from that. */
interface Door {
  send: Send
  endpoint: string
  signIn: Credentials | 'simulated' | undefined
  /** Azure's own time of day, where that is not the real one. */
  clock?: Clock
  /** The configuration, where the door names the vault. */
  loaded?: LoadedConfig
  close?(): Promise<void>
}

export interface Runtime extends ToolRunner {
  /** The configuration in force. */
  loaded: LoadedConfig
}

/** Throws ConfigError for a recording, seed or state file that cannot be used, and for a proxy setting that is no URL. */
export const createRuntime = async (deps: RuntimeDeps): Promise<Runtime> => {
  const { random, newId } = deps
  const door = await openDoor(deps)
  const { send, endpoint, signIn, clock = deps.clock, loaded = deps.loaded, close = async () => {} } = door
  const { apiVersion, http } = loaded.config
  const askWhenRead = paced(send, deps.drained)
  const limiter = createLimiter(clock)
  const memory = createMemory(clock)
  const folder = secretsFolder(deps.env, deps.homeDir)
  const confirmations = createConfirmations({ folder, files: fs, clock: deps.clock, randomBytes })
  return {
    loaded,
    close,
    run: (name, { arguments: given, signal, log, progress, elicit = async () => 'unsupported' }) => {
      const arm = createArm({
        send: askWhenRead,
        endpoint,
        apiVersion,
        maxRetries: http.maxRetries,
        clock,
        random,
        newId,
        limiter,
        signal,
        log,
      })
      return callTool(name, given, {
        loaded,
        arm,
        clock,
        signal,
        log,
        progress,
        memory,
        confirmations,
        files: fs,
        elicit,
        goingOn: {},
        consent: {},
        signIn,
      })
    },
  }
}

/** Asks Azure for nothing more while answers wait for a reader that does not read: what comes would only pile up. */
const paced =
  (send: Send, drained: RuntimeDeps['drained']): Send =>
  async (request, signal) => {
    for (let wait = drained(); wait && !signal.aborted; wait = drained()) await wait
    return send(request, signal)
  }

const openDoor = async (deps: RuntimeDeps): Promise<Door> => {
  const { options } = deps
  const recorded = options.record === undefined ? (send: Send) => send : recorderTo(options.record, deps)
  if (options.simulate) return through(recorded, await simulated(options.simulate, deps))
  if (options.replay !== undefined) return through(recorded, await replay(options.replay, deps))
  return network(deps, recorded)
}

const through = (recorded: (send: Send) => Send, door: Door): Door => ({ ...door, send: recorded(door.send) })

const replay = async (given: string, { cwd }: RuntimeDeps): Promise<Door> => {
  const { loadReplay } = await import('./arm/replay.ts')
  return { ...(await loadReplay(path.resolve(cwd, given), fs)), signIn: undefined }
}

/** Azure's clock is the simulated one; what concerns the client or this process goes by the real one. */
const simulated = async (flags: SimulationFlags, deps: RuntimeDeps): Promise<Door> => {
  const { clock, loaded } = deps
  const [{ simulatedEndpoint, simulatedSend }, { onSimulatedAzure }, { openSimulation }] = await Promise.all([
    import('./simulator/send.ts'),
    import('./config/simulated.ts'),
    import('./simulation.ts'),
  ])
  const { world, defaultVault, onAnswered, close } = await openSimulation(flags, deps)
  return {
    send: simulatedSend(world, clock.sleep, onAnswered),
    endpoint: simulatedEndpoint,
    signIn: 'simulated',
    clock: { ...clock, now: world.clock.now },
    loaded: onSimulatedAzure(loaded, defaultVault),
    close,
  }
}

/** Sign-in is recorded too, below the token: what ARM is asked is recorded without it, and once, whatever it took. */
const network = async (deps: RuntimeDeps, recorded: (send: Send) => Send): Promise<Door> => {
  const [{ authorise, scopeOf }, { openSignIn }] = await Promise.all([
    import('./auth/authorise.ts'),
    import('./sign-in.ts'),
  ])
  const { config } = deps.loaded
  const { armEndpoint: endpoint } = config
  const { send, credentials } = await openSignIn({
    ...deps,
    config,
    scope: scopeOf(endpoint),
    recorded,
    inBackground: deps.isServing,
  })
  return { send: recorded(authorise(send, { endpoint, credentials })), endpoint, signIn: credentials }
}

const recorderTo = (given: string, { clock, cwd, pid, log, loaded }: RuntimeDeps): ((send: Send) => Send) =>
  createRecorder({
    directory: path.resolve(cwd, given),
    now: () => new Date(clock.now()),
    pid,
    apiVersion: loaded.config.apiVersion,
    mkdir: folder => fs.mkdir(folder, { recursive: true }),
    writeFile: (file, text) => replaceFile(file, text, fs),
    log,
  })
