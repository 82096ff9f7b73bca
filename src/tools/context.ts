import type { Arm } from '../arm/arm.ts'
import type { Clock } from '../clock.ts'
import type { LoadedConfig } from '../config/types.ts'
import type { ToolInputs, ToolName, ToolOutputs } from '../generated/tools.ts'
import type { Log } from '../log.ts'
import type { ToolProgress } from '../mcp/tool-service.ts'
import type { Memory } from './memory.ts'

/** How requests reach Azure, for `test_connection` to tell. */
export interface SignIn {
  /** What signs in and as whom; rejects with AuthError where nothing does. */
  describe(signal: AbortSignal): Promise<SignInFacts>
}

export interface SignInFacts {
  method: string
  account: string | undefined
  tenantId: string | undefined
  expiresAtMs: number | undefined
  /** Sources that come earlier in the order, and why they were not taken. */
  skipped: readonly { method: string; why: string }[]
}

/** What a handler works with. Everything that reaches outside comes in here. */
export interface ToolContext {
  loaded: LoadedConfig
  arm: Arm
  clock: Clock
  signal: AbortSignal
  log: Log
  progress: ToolProgress
  memory: Memory
  /** Undefined in a replay: nobody signs in. */
  signIn: SignIn | undefined
}

/** Every tool has one function. A schema without one, or one whose result does not fit, does not compile. */
export type Handlers = {
  [Name in ToolName]: (input: ToolInputs[Name], context: ToolContext) => Promise<ToolOutputs[Name]>
}
