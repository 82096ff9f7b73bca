/**
 * Wires what a tool call needs: the door to Azure (undici, or a recording), sign-in, the limiter, the memory. Made when
 * the first call comes, once for the process.
 */
import { createLimiter } from './arm/limiter.ts'
import { createArm } from './arm/client.ts'
import type { Send } from './arm/send.ts'
import type { ServingOptions } from './cli/runtime-types.ts'
import type { Clock } from './clock.ts'
import type { LoadedConfig } from './config/types.ts'
import type { Log } from './log.ts'
import { callTool } from './tools/call.ts'
import type { SignIn } from './tools/context.ts'
import { createMemory } from './tools/memory.ts'
import type { ToolRunner } from './tools/service.ts'

export interface RuntimeDeps {
  loaded: LoadedConfig
  options: ServingOptions
  clock: Clock
  log: Log
  env: Readonly<Record<string, string | undefined>>
  pid: number
  random: () => number
  newId: () => string
}

export const createRuntime = async (deps: RuntimeDeps): Promise<ToolRunner> => {
  const { loaded, clock, log, random, newId } = deps
  const { config } = loaded
  const { send, signIn } = await openDoor(deps)
  const limiter = createLimiter(clock)
  const memory = createMemory(clock)
  return {
    run: (name, call) => {
      const arm = createArm({
        send,
        endpoint: config.armEndpoint,
        apiVersion: config.apiVersion,
        maxRetries: config.http.maxRetries,
        clock,
        random,
        newId,
        limiter,
        signal: call.signal,
        log: call.log,
      })
      const { signal, progress } = call
      return callTool(name, call.arguments, { loaded, arm, clock, signal, log: call.log, progress, memory, signIn })
    },
  }
  void log
}

const openDoor = async (deps: RuntimeDeps): Promise<{ send: Send; signIn: SignIn | undefined }> => {
  const { options } = deps
  throw new Error(String(options))
}
