/**
 * Wires what a tool call needs: the door to Azure (the network, or a recording), sign-in, the limiter, the memory. Made
 * when the first call comes, once for the process.
 */
import fs from 'node:fs/promises'
import path from 'node:path'
import { createArm } from './arm/client.ts'
import { createLimiter } from './arm/limiter.ts'
import { recording } from './arm/recorder.ts'
import { replaceFile } from './arm/recordings.ts'
import { loadReplay } from './arm/replay.ts'
import type { Send } from './arm/send.ts'
import type { Credentials } from './auth/tokens.ts'
import type { ServingOptions } from './cli/runtime-types.ts'
import type { Clock } from './clock.ts'
import type { LoadedConfig } from './config/types.ts'
import type { Log } from './log.ts'
import { callTool } from './tools/call.ts'
import { createMemory } from './tools/memory.ts'
import type { ToolRunner } from './tools/service.ts'

export interface RuntimeDeps {
  loaded: LoadedConfig
  options: ServingOptions
  clock: Clock
  log: Log
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  platform: NodeJS.Platform
  pid: number
  random: () => number
  newId: () => string
  /** Resolves when what was answered has been read; undefined when it has. */
  drained: () => Promise<void> | undefined
}

/** How requests reach an answer. `signIn` is undefined where nobody has to. */
interface Door {
  send: Send
  endpoint: string
  signIn: Credentials | undefined
}

/** Throws ConfigError for a recording that cannot be read, and for a proxy setting that is no URL. */
export const createRuntime = async (deps: RuntimeDeps): Promise<ToolRunner> => {
  const { loaded, clock, random, newId } = deps
  const { apiVersion, http } = loaded.config
  const { send, endpoint, signIn } = await openDoor(deps)
  const askWhenRead = paced(send, deps.drained)
  const limiter = createLimiter(clock)
  const memory = createMemory(clock)
  return {
    run: (name, { arguments: given, signal, log, progress }) => {
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
      return callTool(name, given, { loaded, arm, clock, signal, log, progress, memory, signIn })
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
  const { options, cwd } = deps
  const door =
    options.replay === undefined
      ? await network(deps)
      : { ...(await loadReplay(path.resolve(cwd, options.replay), fs)), signIn: undefined }
  return options.record === undefined
    ? door
    : { ...door, send: recorded(door.send, path.resolve(cwd, options.record), deps) }
}

const network = async ({ loaded: { config }, env, clock, log, platform }: RuntimeDeps): Promise<Door> => {
  const [{ createUndiciSend }, { authorise, scopeOf }, { createCredentials }, { createAzureCli }] = await Promise.all([
    import('./arm/undici-send.ts'),
    import('./auth/authorise.ts'),
    import('./auth/tokens.ts'),
    import('./auth/azure-cli.ts'),
  ])
  const { armEndpoint: endpoint, http, auth, tenantId } = config
  const { send } = await createUndiciSend({
    timeoutSeconds: http.timeoutSeconds,
    proxy: http.proxy,
    env,
    readFile: file => fs.readFile(file, 'utf8'),
    warn: text => log('warning', text),
  })
  const runAzureCli = createAzureCli(env, platform)
  const credentials = createCredentials({
    method: auth.method,
    tenantId,
    scope: scopeOf(endpoint),
    env,
    clock,
    runAzureCli,
  })
  return { send: authorise(send, { endpoint, credentials }), endpoint, signIn: credentials }
}

const recorded = (send: Send, directory: string, { clock, pid, log, loaded }: RuntimeDeps): Send =>
  recording(send, {
    directory,
    now: () => new Date(clock.now()),
    pid,
    apiVersion: loaded.config.apiVersion,
    mkdir: folder => fs.mkdir(folder, { recursive: true }),
    writeFile: (file, text) => replaceFile(file, text, fs),
    log,
  })
