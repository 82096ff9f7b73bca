/**
 * Long-running operations. A change is answered 202 with Location, Azure-AsyncOperation or both; which of them tells
 * the end differs by operation and is the table below. Newer services sign these URLs: they are fetched as they are
 * while they last. The unsigned path, made from the operation id on the configured origin, is what remains when a
 * signature lapses, when the URL leads to another host, and in a later process.
 */
import type { ArmReply, Operation, OperationKind } from './arm.ts'
import { type Located, locate, unsigned } from './origin.ts'
import { encodePath, vaultIdOf } from './paths.ts'

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
export function signedUrl(url: string | undefined, path: string, endpoint: string): { signedUrl?: string } {
  const located: Located | undefined = url === undefined ? undefined : locate(url, endpoint)
  if (located?.kind !== 'ours' || unsigned(located.pathAndQuery) === located.pathAndQuery) return {}
  return operationIdIn(located.pathAndQuery) === operationIdIn(path) ? { signedUrl: located.href } : {}
}
