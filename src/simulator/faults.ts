/** The faults table: what a caller meets instead of an answer, or on its way. */
import type { Answer } from './call.ts'
import type { Fault } from './state.ts'
import type { World } from './world.ts'

export interface Meets {
  /** Given in place of what the route would have answered; nothing was done then. */
  instead: Answer | undefined
  /** Real time before the answer is sent. */
  delayMs: number
  /** The connection ends before, or in the middle of, the answer, though the work was done. */
  cut: 'before' | 'inside' | undefined
  /** The body is sent with half of its bytes, as if it were whole. */
  isTruncated: boolean
}

const nothing: Meets = { instead: undefined, delayMs: 0, cut: undefined, isTruncated: false }

const fits = ({ method, path }: Fault, asked: string, at: string): boolean =>
  (method === undefined || new RegExp(`^(?:${method})$`, 'i').test(asked)) &&
  (path === undefined || new RegExp(path, 'i').test(at))

const reasons: Readonly<Record<number, readonly [code: string, message: string]>> = {
  429: ['ResourceRequestsThrottled', 'Number of requests exceeded the limit. Please try again later.'],
  500: ['InternalServerError', 'The server encountered an internal error. Please retry the request.'],
  503: ['ServiceUnavailable', 'The service is temporarily unavailable. Please retry the request.'],
  504: [
    'GatewayTimeout',
    "The gateway did not receive a response from 'Microsoft.RecoveryServices' within the specified time period.",
  ],
}

const refusal = ({ status = 500, code, message, retryAfterSeconds }: Fault): Answer => {
  const [usualCode, usualMessage] = reasons[status] ?? ['InternalServerError', 'The request failed.']
  return {
    status,
    body: { error: { code: code ?? usualCode, message: message ?? usualMessage } },
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } }),
  }
}

const expired: Answer = {
  status: 401,
  body: { error: { code: 'ExpiredAuthenticationToken', message: 'The access token expiry is in the past.' } },
  headers: { 'www-authenticate': 'Bearer error="invalid_token", error_description="The access token is expired"' },
}

/**
 * In the two forms that Azure has: a policy asks for more (https://learn.microsoft.com/entra/identity-platform/claims-challenge),
 * or, without `claims`, the session was revoked, and only a token of after that will do.
 */
const challenge = ({ claims }: Fault, nowMs: number): Answer => {
  const asked = claims ?? { access_token: { nbf: { essential: true, value: String(Math.floor(nowMs / 1000)) } } }
  const error = claims
    ? 'error="insufficient_claims"'
    : 'error="invalid_token", error_description="User session has been revoked"'
  const coded = Buffer.from(JSON.stringify(asked)).toString('base64')
  return {
    status: 401,
    body: { error: { code: 'AuthenticationFailed', message: 'Authentication failed.' } },
    headers: {
      'www-authenticate': `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ${error}, claims="${coded}"`,
    },
  }
}

const kinds: Readonly<Record<Fault['kind'], (fault: Fault, nowMs: number) => Partial<Meets>>> = {
  status: fault => ({ instead: refusal(fault) }),
  slow: ({ delayMs = 1000 }) => ({ delayMs }),
  cut: ({ isBefore }) => ({ cut: isBefore ? 'before' : 'inside' }),
  truncate: () => ({ isTruncated: true }),
  expired_token: () => ({ instead: expired }),
  claims_challenge: (fault, nowMs) => ({ instead: challenge(fault, nowMs) }),
  // Met by what starts operations (lateFailure), not on the way.
  late_failure: () => ({}),
}

/** Counts down a fault's `after` and `times`; true where this request meets it. */
const isMet = (fault: Fault): boolean => {
  if (fault.after !== undefined && fault.after > 0) {
    fault.after--
    return false
  }
  if (fault.times === undefined) return true
  if (fault.times <= 0) return false
  fault.times--
  return true
}

/** What this request meets; undefined: nothing. */
export const faultFor = ({ state, clock }: World, method: string, path: string): Meets | undefined => {
  const met = state.faults.filter(fault => fault.kind !== 'late_failure' && fits(fault, method, path) && isMet(fault))
  if (met.length === 0) return undefined
  return Object.assign({ ...nothing }, ...met.map(fault => kinds[fault.kind](fault, clock.now())))
}

/** The error with which an operation that starts now is going to fail; undefined: it succeeds. */
export const lateFailure = (
  { state }: World,
  method: string,
  path: string,
): { code: string; message: string } | undefined => {
  const fault = state.faults.find(each => each.kind === 'late_failure' && fits(each, method, path))
  if (!fault || !isMet(fault)) return undefined
  return {
    code: fault.code ?? 'CloudInternalError',
    message:
      fault.message ??
      'Microsoft Azure Backup encountered an internal error.\r\nWait for a few minutes and then try the operation again.',
  }
}
