import type { Arm } from '../arm/arm.ts'
import type { Credentials } from '../auth/tokens.ts'
import type { Clock } from '../clock.ts'
import type { LoadedConfig } from '../config/types.ts'
import type { ToolInputs, ToolName, ToolOutputs } from '../generated/tools.ts'
import type { Log } from '../log.ts'
import type { Elicit, ToolProgress } from '../mcp/tool-service.ts'
import type { Confirmations } from './confirmations.ts'
import type { Memory } from './memory.ts'
import type { NewFiles } from './new-files.ts'

/** What goes on in Azure if the call is cancelled now; changed as the call proceeds. */
export interface GoingOn {
  words?: string | undefined
  operationId?: string | undefined
  jobId?: string | undefined
}

/** The plan that the user said yes to in this call, as `planSubject` tells it. */
export interface Consent {
  subject?: string
}

/** Runs the call once more from its start: while the user thought, what the plan was made of may have changed. */
export class PlanAgain extends Error {
  override name = 'PlanAgain'
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
  confirmations: Confirmations
  /** Where a caller may have a file made. */
  files: NewFiles
  /** Asks the user, by a form of one required boolean `confirm`. */
  elicit: Elicit
  goingOn: GoingOn
  consent: Consent
  /** Undefined in a replay, where nobody signs in; a simulated Azure has nobody to sign in to either. */
  signIn: Pick<Credentials, 'describe' | 'accounts' | 'forget'> | 'simulated' | undefined
}

/** Every tool has one function. A schema without one, or one whose result does not fit, does not compile. */
export type Handlers = {
  [Name in ToolName]: (input: ToolInputs[Name], context: ToolContext) => Promise<ToolOutputs[Name]>
}
