/**
 * Errors of the ARM room. One is made here, once, from an answer that is an error or from the lack of one; it says what
 * happened in Azure's words, freed of secrets, and what to do in ours.
 */
import { Problem, type ProblemCode, type ProblemFacts } from '../problem.ts'
import { connectionRemedy, networkRemedy } from './connection-remedies.ts'
import { type AzureError, parseAzureError, readBody } from './envelopes.ts'
import { isKnownCode, remedyFor } from './error-codes.ts'
import type { Remedy } from './error-table.ts'
import { missingRight } from './permissions.ts'
import type { ArmResponse, SendError } from './send.ts'
import { safeText } from './texts.ts'

export class ArmError extends Problem {
  override name = 'ArmError'
}

/** What was asked, as errors and logs may name it. */
export interface Asked {
  method: string
  /** Without a signature in its query. */
  path: string
  clientRequestId: string
  /** Origin of ARM. */
  endpoint: string
}

/** The wait that Azure asks for; `tooLong` where there is no time left to wait so long. */
export interface Wait {
  waitMs: number
  tooLong: boolean
}

const noun = ({ method, path }: Asked) => `${method} ${path}`

const factsOf = (asked: Asked, response?: ArmResponse): ProblemFacts => ({
  httpStatus: response?.status,
  requestId: response?.headers['x-ms-request-id'] ?? response?.headers['x-ms-correlation-request-id'],
  details: { client_request_id: asked.clientRequestId },
})

const proxyHint =
  'A proxy or a sign-in page probably answered in place of Azure: check http.proxy (or HTTPS_PROXY) and arm_endpoint.'

/** An answer whose body is no JSON although it should be. Names what came instead; the page itself is left out. */
export const unreadableAnswer = (asked: Asked, response: ArmResponse, what: string): ArmError =>
  new ArmError(
    'azure_error',
    `${noun(asked)} was answered ${response.status} with ${what} instead of the JSON of Azure.`,
    what.startsWith('JSON') ? 'The answer was damaged on its way: try again.' : proxyHint,
    factsOf(asked, response),
  )

/** An answer that is JSON, but not of the shape it should have. */
export const unexpectedAnswer = (asked: Asked, what: string, facts: ProblemFacts = {}): ArmError =>
  new ArmError(
    'azure_error',
    `${noun(asked)}: ${what}.`,
    'This is not how Azure answers: check arm_endpoint, and api_version in the configuration.',
    { ...factsOf(asked), ...facts },
  )

/** No request may be sent before `waitMs` has passed, because Azure said so. */
export const throttled = (
  asked: Asked,
  waitMs: number,
  message?: string,
  response?: ArmResponse,
  azureCode?: string,
) => {
  const seconds = Math.ceil(waitMs / 1000)
  const facts = factsOf(asked, response)
  return new ArmError(
    'throttled',
    message ?? `Azure asked to wait before ${noun(asked)} is sent again.`,
    `Wait ${seconds} seconds, then try again. Other kinds of requests are not affected.`,
    { ...facts, azureCode, details: { ...facts.details, retry_after_seconds: seconds } },
  )
}

/** The error that an answer with a status of 300 or more stands for. */
export function errorOfAnswer(asked: Asked, response: ArmResponse, wait?: Wait): ArmError {
  const body = readBody(response.body)
  const parsed = body.kind === 'json' ? parseAzureError(body.value) : undefined
  const azureCode = parsed && tellingCode(parsed)
  const message =
    (parsed && wholeMessage(parsed)) ?? unspoken(asked, response, body.kind === 'unreadable' ? body.what : '')
  if (wait && (wait.tooLong || response.status === 429))
    return throttled(asked, wait.waitMs, message, response, azureCode)
  const { code, remediation } = remedy(asked, azureCode, response.status, parsed ? message : undefined)
  // Azure sends nobody elsewhere: a redirect is a proxy's or a sign-in page's.
  const isNotAzure = body.kind === 'unreadable' || response.status < 400
  const isForeign = isNotAzure && response.status < 500 && response.status !== 407
  return new ArmError(code, message, isForeign ? proxyHint : remediation.replaceAll('{endpoint}', asked.endpoint), {
    ...factsOf(asked, response),
    azureCode,
  })
}

/** A wrapped code that the table knows says more than the wrapper's own that it does not. */
function tellingCode(error: AzureError): string | undefined {
  const codes = [error, ...error.inner].map(one => one.code)
  const code = codes.find(isKnownCode) ?? codes.find(one => one !== undefined)
  return code === undefined ? undefined : safeText(code)
}

function wholeMessage(error: AzureError): string | undefined {
  const messages = [error, ...error.inner].flatMap(one => one.message ?? [])
  const distinct = messages.filter((text, index) => !messages.slice(0, index).some(earlier => earlier.includes(text)))
  const text = distinct.join(' ') || error.code
  return text && safeText(text)
}

const unspoken = (asked: Asked, { status, headers }: ArmResponse, what: string) => {
  const location = headers.location ?? ''
  const host = status < 400 && URL.canParse(location) ? new URL(location).host : ''
  const came = host ? `with a redirect to ${host}` : what ? `with ${what}` : 'without a word'
  return `${noun(asked)} was answered ${status} ${came}.`
}

/** `said` is undefined where Azure gave no reason. */
function remedy(asked: Asked, azureCode: string | undefined, status: number, said: string | undefined): Remedy {
  const found = remedyFor(azureCode, status, said !== undefined)
  const message = said ?? ''
  if (/ResourceGuard Operation requestid/i.test(message))
    return {
      code: 'forbidden',
      remediation:
        'The vault is under multi-user authorization: ask the owner of its Resource Guard for the role Backup MUA Operator on the guard, then try again.',
    }
  if (found.code === 'not_signed_in') return { ...found, remediation: found.remediation + tenantHint(message) }
  const isMissingRight = /^(Linked)?(AuthorizationFailed|AccessCheckFailed)$/i.test(azureCode ?? '')
  if (!isMissingRight && (status !== 403 || isKnownCode(azureCode))) return found
  const { action, scope, role } = missingRight(asked, message)
  const lack = isMissingRight
    ? `The account lacks the action ${action} on ${scope}.`
    : `Azure forbids it${said === undefined ? ' without a reason' : '; its message says why'}. If it is a matter of rights: it takes the action ${action} on ${scope}.`
  return {
    code: 'forbidden',
    remediation: `${lack} Ask an owner of that scope for the role ${role}; a role given just now works after some minutes and a new sign-in.`,
  }
}

/** Azure names the tenant it wanted: "must match the tenant 'https://sts.windows.net/{id}/'". */
const tenantHint = (message: string) => {
  const tenant = /must match (?:the|one of the) tenants? '[^']*?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/i.exec(
    message,
  )?.[1]
  return tenant ? ` The subscription belongs to the tenant ${tenant}.` : ''
}

/** The error that stands for no answer at all. */
export function errorOfSend(asked: Asked, error: SendError): ArmError {
  const kinds: Record<SendError['kind'], [code: ProblemCode, message: string, remediation: string]> = {
    not_sent: ['unreachable', `Azure could not be reached: ${error.message}`, connectionRemedy(error, 'arm_endpoint')],
    lost: ['unreachable', `${noun(asked)} got no answer: ${error.message}`, networkRemedy('arm_endpoint')],
    timeout: [
      'timeout',
      `${noun(asked)} got no answer in time: ${error.message}`,
      'Try again, or raise http.timeout_seconds. After a change look first at what is there now: it may have been taken.',
    ],
    no_recording: [
      'unreachable',
      `No recorded exchange answers ${noun(asked)}.`,
      'Record this exchange with --record, or run without --replay.',
    ],
  }
  const [code, message, remediation] = kinds[error.kind]
  return new ArmError(code, safeText(message), remediation, { ...factsOf(asked), cause: error })
}
