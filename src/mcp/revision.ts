/**
 * A protocol revision is a table: which methods it has, how its results are dressed, what its tools look like. A method
 * that a revision lacks is absent from its table. Nothing outside this folder knows a revision.
 */
import type { Log } from '../log.ts'
import type { Id, Params, RpcRequest } from '../rpc/messages.ts'
import type { ToolProgress, ToolService } from './tool-service.ts'

export interface Revision {
  version: string
  methods: ReadonlyMap<string, Method>
  /** Which parts of a tool this revision has. */
  toolParts: { annotations: boolean; output: boolean }
  /** `message` of a progress notification came with 2025-03-26. */
  progressMessages: boolean
  /** Dresses the inside of a result object (JSON text without its braces) as this revision wants it. */
  dress(inside: string, method: string): string
}

/** Answers with the inside of the result object as JSON text; undefined: there is no answer (a subscription that goes on). */
export type Method = (request: RpcRequest, exchange: Exchange) => Promise<string | undefined> | string | undefined

/** What a method may use while it works on one request. */
export interface Exchange {
  revision: Revision
  tools: ToolService
  /** Aborted when the client cancels, and at shutdown. */
  signal: AbortSignal
  log: Log
  progress: ToolProgress
  notify(method: string, params: Params): void
  /** Keeps the request open after its method returned undefined; `close` makes the inside of its last result. */
  keepOpen(close: () => string): void
  /** Sets the threshold for log notifications of the legacy part of the pipe. */
  setLogLevel(level: string): void
}

export const idKey = (id: Id): string => `${typeof id}:${id}`
