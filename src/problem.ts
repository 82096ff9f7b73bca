/** What a caller can mend. The list is the contract of every tool's error result. */
export type ProblemCode =
  | 'invalid_arguments'
  | 'not_configured'
  | 'not_signed_in'
  | 'forbidden'
  | 'not_found'
  | 'ambiguous'
  | 'conflict'
  | 'precondition_failed'
  | 'throttled'
  | 'azure_error'
  | 'unreachable'
  | 'timeout'
  | 'cancelled'
  | 'confirmation_required'
  | 'read_only'

export interface ProblemFacts {
  /** Azure's own code, e.g. `ResourceNotFound`. */
  azureCode?: string | undefined
  httpStatus?: number | undefined
  /** Azure's request id, for a support case. */
  requestId?: string | undefined
  /** Further facts as JSON: candidates, faults, plan, client request id. */
  details?: Record<string, unknown> | undefined
  cause?: unknown
}

/**
 * An error that tells its reader what to do next. It is made once, where the fact is known, and becomes an error result
 * in one place (tools/call.ts). Subclasses name the room that made it: InputError, ArmError, AuthError, ConfigError.
 */
export class Problem extends Error {
  override name = 'Problem'
  readonly code: ProblemCode
  readonly remediation: string
  readonly azureCode: string | undefined
  readonly httpStatus: number | undefined
  readonly requestId: string | undefined
  readonly details: Record<string, unknown> | undefined

  constructor(code: ProblemCode, message: string, remediation: string, facts: ProblemFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.remediation = remediation
    this.azureCode = facts.azureCode
    this.httpStatus = facts.httpStatus
    this.requestId = facts.requestId
    this.details = facts.details
  }

  /** What is wrong and what to do about it, in one line. */
  get inOneLine(): string {
    return `${this.message.replace(/[^.!?]$/, '$&.')} ${this.remediation}`
  }
}
