import type { Problem } from '../problem.ts'
import type { ArmResponse } from './send.ts'

/** Query values as they are; the client encodes them. `api-version` is added by the type of the path. */
export type Query = Readonly<Record<string, string>>

/** One whole answer with its body parsed; `body` is undefined where there was none. */
export interface ArmReply {
  status: number
  headers: ArmResponse['headers']
  body: unknown
  /** The id this client gave the request, for logs and error results. */
  clientRequestId: string
}

export interface Page {
  rows: readonly unknown[]
  /** Path and query (no host) that fetch this page again. */
  at: string
  /** Path and query (no host) of the next page, where there is one. */
  next: string | undefined
}

export interface PageOptions {
  /** Path and query of a page that an earlier `Page` named; must be of the same path. */
  from?: string | undefined
  /** A list that Azure offers as POST (secondary-region jobs) has this body. */
  body?: unknown
}

/** What stands at a path. `unreadable`: Azure would not say, so nothing can be compared with it. */
export type Standing = { kind: 'present'; body: unknown } | { kind: 'absent' } | { kind: 'unreadable' }

/**
 * How a change is sent. `PUT` and `DELETE` may be repeated after a doubtful outcome, once `path` was read and stands as
 * it stood before; a `POST` is never sent again unless Azure certainly did not take it.
 */
export interface WriteRequest {
  method: 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  query?: Query
  body?: unknown
  /** For the log line of every write. */
  tool: string
  itemId: string
  /**
   * Evidence, after a doubtful POST, that Azure took it: looks at what happened since the moment of sending as Azure's
   * own clock tells it (a job of that item, say), and gives back what it found, or undefined.
   */
  evidence?: ((since: Date) => Promise<unknown | undefined>) | undefined
  /** What the plan of a PUT or DELETE found at `path`; without it the client reads it before it sends. */
  before?: Standing | undefined
  /**
   * Whether what stands there after a doubtful outcome is what this change makes of it. Without it every difference counts;
   * with it a difference that somebody else made is no success.
   */
  isDone?: ((after: Standing) => boolean) | undefined
  /** Told `true` when the change leaves, `false` when it is certain that Azure took nothing. */
  mayBeTaken?: ((isSo: boolean) => void) | undefined
}

export type WriteOutcome =
  /** Azure answered: 200, 201, 202 or 204. `alreadyGone`: a repeated DELETE found nothing left. */
  | { kind: 'answered'; reply: ArmReply; alreadyGone?: boolean }
  /** The answer was lost, but what is there now shows that the write was taken. */
  | { kind: 'found_done'; found: unknown; clientRequestId: string; since: Date }
  /** The answer was lost and nothing tells whether it was taken. `cause` is what came in its place. */
  | { kind: 'unknown'; clientRequestId: string; since: Date; cause: Problem }

/** `status`: the body names the status. `result`: 202 means running, any other 2xx done. */
export type OperationKind = 'status' | 'result'

export interface Operation {
  kind: OperationKind
  /** ARM id of the vault it belongs to, if it belongs to one. */
  vaultId: string | undefined
  /** Path and query on the configured origin, without a signature: works in a later process. */
  path: string
  /** The URL Azure gave, signature and all: fetched as it is while it lasts, never logged. */
  signedUrl?: string | undefined
}

export type Poll =
  | { kind: 'running'; retryAfterSeconds: number | undefined; body: unknown; operation: Operation }
  | { kind: 'succeeded'; body: unknown; jobIds: readonly string[] }
  | { kind: 'failed' | 'cancelled'; error: OperationError; body: unknown; jobIds: readonly string[] }

export interface OperationError {
  code: string
  message: string
}

/**
 * Azure Resource Manager for one tool call: cancelled with it, logged with it. Every method throws ArmError for an
 * answer that is an error and for none at all, and rejects with the signal's reason when the call is cancelled.
 */
export interface Arm {
  /** Origin that every request goes to, e.g. `https://management.azure.com`. */
  readonly endpoint: string
  /** The whole URL of a request, as it is sent: for plans. */
  urlOf(path: string, query?: Query): string
  /** The parsed body of a GET; undefined where it was empty. */
  get(path: string, query?: Query): Promise<unknown>
  /** A GET of one resource. Throws ArmError where the answer is none: it has an id, whatever else Azure leaves out. */
  getResource(path: string, query?: Query): Promise<unknown>
  /** The parsed body of a POST that only reads: repeated like a GET. */
  readingPost(path: string, query: Query, body: unknown): Promise<unknown>
  /** The pages of a list, loaded one by one as they are asked for. */
  pages(path: string, query?: Query, options?: PageOptions): AsyncGenerator<Page, void, void>
  write(request: WriteRequest): Promise<WriteOutcome>
  /** The operation that an accepted write started; undefined where the answer was final. */
  operationOf(request: { method: string; path: string }, reply: ArmReply): Operation | undefined
  /** Asks once where an operation stands. */
  poll(operation: Operation): Promise<Poll>
}
