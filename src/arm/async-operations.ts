/**
 * Long-running operations. A change is answered 202 with Location, Azure-AsyncOperation or both; which of them tells
 * the end differs by operation and is the table below. Newer services sign these URLs: they are fetched as they are
 * while they last. The unsigned path, made from the operation id on the configured origin, is what remains when a
 * signature lapses, when the URL leads to another host, and in a later process.
 */
import type { ArmReply, Operation, OperationError, OperationKind, Poll } from './arm.ts'
import { type AzureError, parseAzureError } from './envelopes.ts'
import { ArmError } from './errors.ts'
import { type Located, locate, unsigned } from './origin.ts'
import { encodePath, vaultIdOf } from './paths.ts'
import { retryAfterMs } from './retry.ts'
import { safeText } from './texts.ts'

type Header = 'location' | 'azure-asyncoperation'

interface Row {
  method: RegExp
  /** Of the request's path. */
  path: RegExp
  kind: OperationKind
  /** Whose URL is followed while its signature lasts; undefined: neither can be. */
  follow: Header | undefined
  /** Makes the unsigned path out of what `path` matched and of the vault's id, without the operation's id. */
  unsigned: (match: RegExpExecArray, vault: string) => string
}

const within = (end: string) => (match: RegExpExecArray) => match[0] + end
const inVault = (end: string) => (_: RegExpExecArray, vault: string) => vault + end

/** First fit counts. */
const rows: readonly Row[] = [
  // Unregister: its Location is malformed (two question marks) and names the vault, where nobody knows the operation.
  {
    method: /DELETE/,
    path: /^.*\/protectionContainers\/[^/]+$/i,
    kind: 'result',
    follow: undefined,
    unsigned: within('/operationResults'),
  },
  {
    method: /PUT/,
    path: /^.*\/protectionContainers\/[^/]+$/i,
    kind: 'result',
    follow: 'location',
    unsigned: within('/operationResults'),
  },
  {
    method: /POST/,
    path: /^.*\/protectionContainers\/[^/]+(?=\/inquire$)/i,
    kind: 'result',
    follow: 'location',
    unsigned: within('/operationResults'),
  },
  {
    method: /POST/,
    path: /^.*\/backupFabrics\/[^/]+(?=\/refreshContainers$)/i,
    kind: 'result',
    follow: 'location',
    unsigned: within('/operationResults'),
  },
  {
    method: /./,
    path: /\/protectedItems\/[^/]+/i,
    kind: 'status',
    follow: 'azure-asyncoperation',
    unsigned: inVault('/backupOperations'),
  },
  {
    method: /POST/,
    path: /^.*\/backupJobs\/[^/]+(?=\/cancel$)/i,
    kind: 'result',
    follow: 'location',
    unsigned: within('/operationResults'),
  },
  {
    method: /PUT|DELETE/,
    path: /^.*\/backupPolicies\/[^/]+$/i,
    kind: 'status',
    follow: 'azure-asyncoperation',
    unsigned: within('/operations'),
  },
  {
    method: /POST/,
    path: /\/backup(Trigger)?ValidateOperation$/i,
    kind: 'status',
    follow: 'azure-asyncoperation',
    unsigned: inVault('/backupValidateOperationsStatuses'),
  },
  {
    method: /POST/,
    path: /^.*\/locations\/[^/]+(?=\/backupCrossRegionRestore$)/i,
    kind: 'status',
    follow: 'azure-asyncoperation',
    unsigned: within('/backupCrrOperationsStatus'),
  },
  {
    method: /PUT|PATCH|DELETE/,
    path: /\/vaults\/[^/]+$/i,
    kind: 'status',
    follow: 'azure-asyncoperation',
    unsigned: inVault('/operationStatus'),
  },
]

/** For any other change: what its header says, on the configured origin. */
const generic = { location: 'result', 'azure-asyncoperation': 'status' } as const satisfies Record<
  Header,
  OperationKind
>

/** The operation that an accepted change started; undefined where the answer was final or names no operation. */
export function operationOf(
  request: { method: string; path: string },
  reply: Pick<ArmReply, 'status' | 'headers'>,
  endpoint: string,
): Operation | undefined {
  const { headers, status } = reply
  if (status !== 202 && headers['azure-asyncoperation'] === undefined) return undefined
  const vaultId = vaultIdOf(request.path)
  for (const row of rows) {
    const match = row.method.test(request.method) ? row.path.exec(request.path) : null
    if (!match) continue
    const other = row.follow === 'location' ? 'azure-asyncoperation' : 'location'
    const id = operationIdIn(headers[row.follow ?? 'location']) ?? operationIdIn(headers[other])
    if (id === undefined) return undefined
    const path = `${encodePath(row.unsigned(match, vaultId ?? ''))}/${encodeURIComponent(id)}`
    return { kind: row.kind, vaultId, path, ...signedUrl(row.follow && headers[row.follow], path, endpoint) }
  }
  return genericOperation(headers, vaultId, endpoint)
}

function genericOperation(
  headers: ArmReply['headers'],
  vaultId: string | undefined,
  endpoint: string,
): Operation | undefined {
  for (const header of ['azure-asyncoperation', 'location'] as const) {
    const value = headers[header]
    const id = operationIdIn(value)
    if (value === undefined || id === undefined) continue
    const located = locate(value, endpoint)
    if (located.kind === 'ours') {
      const path = unsigned(located.pathAndQuery)
      return { kind: generic[header], vaultId, path, ...signedUrl(value, path, endpoint) }
    }
    if (vaultId)
      return { kind: 'status', vaultId, path: `${encodePath(vaultId)}/backupOperations/${encodeURIComponent(id)}` }
  }
  return undefined
}

/** The last segment of a polling URL's path, wherever the URL leads: a GUID, or base64 for vaults and cross-region. */
function operationIdIn(url: string | undefined): string | undefined {
  const last = /\/([^/?#]+)\/?(?:[?#]|$)/.exec(url ?? '')?.[1]
  if (last === undefined) return undefined
  try {
    const id = decodeURIComponent(last)
    return /^[\w=+:-][\w=+:./-]{0,300}$/.test(id) ? id : undefined
  } catch {
    return undefined
  }
}

/** The header's URL where it is signed, leads to ARM and names the operation of `path`. */
function signedUrl(url: string | undefined, path: string, endpoint: string): { signedUrl?: string } {
  const located: Located | undefined = url === undefined ? undefined : locate(url, endpoint)
  if (located?.kind !== 'ours' || unsigned(located.pathAndQuery) === located.pathAndQuery) return {}
  return operationIdIn(located.pathAndQuery) === operationIdIn(path) ? { signedUrl: located.href } : {}
}

export interface PollPorts {
  endpoint: string
  nowMs: number
  /** Reads one URL, with retries; throws ArmError. */
  read(url: { signed: string } | { path: string }): Promise<ArmReply>
}

/** Statuses after which a signed URL is given up for the unsigned path. */
const lapsed = new Set([401, 403, 404, 410])

/** Asks once where an operation stands. Throws ArmError where Azure cannot be asked. */
export async function poll({ signedUrl, ...operation }: Operation, ports: PollPorts): Promise<Poll> {
  if (signedUrl === undefined) return ask(operation, { path: operation.path }, ports)
  try {
    return standing({ ...operation, signedUrl }, await ports.read({ signed: signedUrl }), ports)
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
  const jobs = Object.entries(failedJobs(body)).map(([id, code]) => `job ${id}: ${String(code)}`)
  return {
    code: safeText(error?.code ?? `Operation${body.status}`),
    message: safeText(error?.message ?? (jobs.join('; ') || `The operation ended as ${body.status}.`)),
  }
}
