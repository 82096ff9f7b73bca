/**
 * Where an operation stands, asked once. A `status` names it in its body; a `result` answers 202 until it is over. What
 * a failed operation says is an answer; ArmError is thrown only where Azure cannot be asked.
 */
import type { ArmReply, Operation, OperationError, Poll } from './arm.ts'
import { signedUrl } from './async-operations.ts'
import { type AzureError, parseAzureError } from './envelopes.ts'
import { ArmError } from './errors.ts'
import { retryAfterMs } from './retry.ts'
import { safeText } from './texts.ts'

export interface PollPorts {
  endpoint: string
  nowMs: number
  /** Reads one URL, with retries; throws ArmError. */
  read(url: { signed: string } | { path: string }): Promise<ArmReply>
}

/** Statuses after which a signed URL is given up for the unsigned path. */
const lapsed = new Set([401, 403, 404, 410])

/** Asks once where an operation stands. Throws ArmError where Azure cannot be asked. */
export async function poll({ signedUrl: signed, ...operation }: Operation, ports: PollPorts): Promise<Poll> {
  if (signed === undefined) return ask(operation, { path: operation.path }, ports)
  try {
    return standing({ ...operation, signedUrl: signed }, await ports.read({ signed }), ports)
  } catch (error) {
    const isLapsed = error instanceof ArmError && lapsed.has(error.httpStatus ?? 0)
    return isLapsed ? ask(operation, { path: operation.path }, ports) : failed(operation, error)
  }
}

const ask = (operation: Operation, url: { path: string }, ports: PollPorts) =>
  ports.read(url).then(
    reply => standing(operation, reply, ports),
    error => failed(operation, error),
  )

/** Statuses that tell about the asking, not about the operation. */
const aboutAsking = new Set([401, 403, 408, 429])
const aboutScope = new Set(['ResourceNotFound', 'ResourceGroupNotFound', 'SubscriptionNotFound'])

/** A `result` that answers with an error is a failed operation, where the error is not one of asking. */
function failed(operation: Operation, error: unknown): Poll {
  const status = error instanceof ArmError ? (error.httpStatus ?? 0) : 0
  const isAnswer = operation.kind === 'result' && status >= 400 && status < 500 && !aboutAsking.has(status)
  if (!(error instanceof ArmError) || !isAnswer || aboutScope.has(error.azureCode ?? '')) throw error
  return {
    kind: 'failed',
    error: { code: error.azureCode ?? String(status), message: error.message },
    body: undefined,
    jobIds: [],
  }
}

function standing(operation: Operation, reply: ArmReply, ports: PollPorts): Poll {
  const { status, body } = reply
  if (operation.kind === 'result' || !hasStatus(body)) {
    if (status === 202) return running(operation, reply, ports)
    if (operation.kind === 'result' || status === 204) return { kind: 'succeeded', body, jobIds: jobIdsIn(body) }
    throw new ArmError('azure_error', 'Azure answered without the status of the operation.', 'Try again in a minute.', {
      httpStatus: status,
      details: { client_request_id: reply.clientRequestId },
    })
  }
  const kind = endings[body.status.toLowerCase()]
  if (kind === undefined) return running(operation, reply, ports)
  const jobIds = jobIdsIn(body)
  if (kind === 'succeeded') return { kind, body, jobIds }
  return { kind, error: operationError(body), body, jobIds }
}

/** Any other word means that it goes on. */
const endings: Readonly<Record<string, 'succeeded' | 'failed' | 'cancelled'>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  invalid: 'failed',
  canceled: 'cancelled',
  cancelled: 'cancelled',
}

/** Each answer on the way brings a fresh signature. */
function running(operation: Operation, { status, headers, body }: ArmReply, { endpoint, nowMs }: PollPorts): Poll {
  const fresh = headers[operation.kind === 'status' ? 'azure-asyncoperation' : 'location']
  const waitMs = retryAfterMs({ status, headers, body: '' }, nowMs)
  return {
    kind: 'running',
    retryAfterSeconds: waitMs === undefined ? undefined : Math.ceil(waitMs / 1000),
    body,
    operation: { ...operation, ...signedUrl(fresh, operation.path, endpoint) },
  }
}

type Fields = Record<string, unknown>
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
const hasStatus = (body: unknown): body is Fields & { status: string } => typeof fieldsOf(body).status === 'string'

const failedJobs = (body: unknown): Fields => fieldsOf(fieldsOf(fieldsOf(body).properties).failedJobsError)

/** `jobId` of a single job, `jobIds` of several, and the keys of `failedJobsError`; each once. */
function jobIdsIn(body: unknown): readonly string[] {
  const { jobId, jobIds } = fieldsOf(fieldsOf(body).properties)
  const all = [jobId, ...(Array.isArray(jobIds) ? jobIds : []), ...Object.keys(failedJobs(body))]
  return [...new Set(all.filter((id): id is string => typeof id === 'string' && id !== ''))]
}

function operationError(body: Fields & { status: string }): OperationError {
  const error: AzureError | undefined = parseAzureError({ error: body.error })
  const jobs = Object.entries(failedJobs(body)).map(([id, code]) =>
    typeof code === 'string' ? `job ${id}: ${code}` : `job ${id}`,
  )
  return {
    code: safeText(error?.code ?? `Operation${body.status}`),
    message: safeText(error?.message ?? (jobs.join('; ') || `The operation ended as ${body.status}.`)),
  }
}
