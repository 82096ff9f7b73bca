import type { Log } from '../log.ts'

/** `progress` rises with every report; `total` is in the same unit, if known. */
export type ToolProgress = (report: { progress: number; total?: number; message?: string }) => void

/** How a person answers a question; `unsupported` where nobody can be asked. */
export type Elicited = 'accepted' | 'declined' | 'cancelled' | 'unsupported'
/** Asks a yes-or-no question, in words that end with what is agreed to. */
export type Elicit = (form: { message: string }) => Promise<Elicited>

export interface ToolCall {
  name: string
  arguments: Record<string, unknown>
  signal: AbortSignal
  progress: ToolProgress
  log: Log
  /** Asks the person at the client; absent where the client cannot. */
  elicit?: Elicit
}

/** `json` is the result's own JSON text: the structured content, or `{"error": …}` when `isError`. */
export interface ToolAnswer {
  isError: boolean
  json: string
}

/** The tools, as the protocol sees them. */
export interface ToolService {
  /** JSON text of the array of tools. */
  list(parts: { annotations: boolean; output: boolean }): Promise<string>
  /** Throws RpcError for a name that no tool has. */
  call(call: ToolCall): Promise<ToolAnswer>
}
