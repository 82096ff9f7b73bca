/**
 * The seam. `Send` is the only door to Azure: undici, the replayer and (later) the simulator implement it, the recorder
 * wraps any of them. Retry, paging, polling and error mapping are written once, above it.
 */
export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'

export interface ArmRequest {
  method: Method
  /** Absolute URL, exactly as it goes on the wire. */
  url: string
  /** Lower-case names. The bearer token is added below this seam's users, never by them. */
  headers: Record<string, string>
  /** JSON text, or nothing. */
  body?: string
}

export interface ArmResponse {
  status: number
  /** Lower-case names; repeated headers are joined by `, `. */
  headers: Record<string, string>
  /** The text as it came; may be empty, HTML, or cut. */
  body: string
}

export type Send = (request: ArmRequest, signal: AbortSignal) => Promise<ArmResponse>

/**
 * No answer came. `not_sent`: the connection failed before the request was written, so Azure cannot have seen it (name
 * lookup, refused, TLS). `lost`: it may have been taken. `timeout`: the same, after waiting the configured time.
 * `no_recording`: a replay has no exchange for it.
 */
export class SendError extends Error {
  override name = 'SendError'
  readonly kind: 'not_sent' | 'lost' | 'timeout' | 'no_recording'

  constructor(kind: SendError['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
  }
}
