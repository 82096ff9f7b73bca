/**
 * Operations as people hold them: the opaque `operation_id` that works in a later process, and a polling URL copied from
 * somewhere. Both come from outside and become a GET with the caller's rights, so both are read strictly: an operation of
 * Recovery Services on the configured origin, without a signature and without a way out of its path.
 */
import type { Operation, OperationKind } from './arm.ts'
import { locate, unsigned } from './origin.ts'
import { encodePath, vaultIdOf } from './paths.ts'

const version = 1
const kinds: readonly string[] = ['status', 'result'] satisfies OperationKind[]

/** base64url text of kind, vault and unsigned path. */
export const encodeOperationId = ({ kind, vaultId, path }: Operation): string =>
  Buffer.from(JSON.stringify([version, kind, vaultId ?? null, path])).toString('base64url')

/** The operation that `encodeOperationId` wrote down; undefined for any other text. */
export function decodeOperationId(text: string): Operation | undefined {
  if (!/^[\w-]{8,4000}$/.test(text)) return undefined
  const fields = parse(Buffer.from(text, 'base64url').toString())
  if (!Array.isArray(fields) || fields.length !== 4 || fields[0] !== version) return undefined
  const [, kind, vaultId, path] = fields as unknown[]
  if (typeof path !== 'string' || !kinds.includes(kind as string)) return undefined
  if (!isOperationPath(path) || unsigned(path) !== path) return undefined
  if (vaultId !== null && (typeof vaultId !== 'string' || !fits(vaultId, path))) return undefined
  return { kind: kind as OperationKind, vaultId: vaultId ?? undefined, path }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const plainPath = (path: string): string | undefined => {
  try {
    return decodeURIComponent(path.split('?')[0] ?? '')
  } catch {
    return undefined
  }
}

/** No way out of the path, and nothing that a URL parser would read otherwise. */
const isPlain = (path: string): boolean =>
  !/[\\\p{C}?#]/u.test(path) &&
  !path.split('/').some((segment, at) => /^\.{1,2}$/.test(segment) || (segment === '' && at > 0))

/** True for `/subscriptions/…/providers/Microsoft.RecoveryServices/…/{some operation}/{id}`, percent-encoded. */
function isOperationPath(pathAndQuery: string): boolean {
  const plain = plainPath(pathAndQuery)
  return (
    plain !== undefined &&
    isPlain(plain) &&
    /^[!-~]*$/.test(pathAndQuery) &&
    !/[\\#]/.test(pathAndQuery) &&
    /^\/subscriptions\/[^/]+\/(resourceGroups\/[^/]+\/)?providers\/Microsoft\.RecoveryServices\/(.+\/)?\w*operation\w*\/[^/]+$/i.test(
      pathAndQuery.split('?')[0] ?? '',
    )
  )
}

/** A vault's id and nothing behind it; and a path in a vault is in this one. */
function fits(vaultId: string, path: string): boolean {
  const own = vaultIdOf(plainPath(path) ?? '')
  const isVault = isPlain(vaultId) && vaultIdOf(vaultId) === vaultId
  return isVault && (own === undefined || own.toLowerCase() === vaultId.toLowerCase())
}

/**
 * The operation at a polling URL that a user gave; undefined where it does not lead to an operation on the configured
 * ARM origin. Of an item's URLs the operation id is taken to the vault, where it needs no signature.
 */
export function operationFromUrl(url: string, endpoint: string): Operation | undefined {
  if (!URL.canParse(url)) return undefined
  const located = locate(url, endpoint)
  const path = located.kind === 'ours' ? unsigned(located.pathAndQuery) : ''
  if (located.kind !== 'ours' || !isOperationPath(path)) return undefined
  const vaultId = vaultIdOf(plainPath(path) ?? '')
  const isSigned = path !== located.pathAndQuery
  const kind = /results?\/[^/]+$/i.test(path.split('?')[0] ?? '') ? 'result' : 'status'
  const signed = isSigned && !/\?.*\?/.test(url) ? { signedUrl: located.href } : {}
  if (!vaultId || !/\/protectedItems\//i.test(path)) return { kind, vaultId, path, ...signed }
  const id = path.split('?')[0]?.split('/').at(-1)
  return {
    kind: 'status',
    vaultId,
    path: `${encodePath(vaultId)}/backupOperations/${id}`,
    ...(kind === 'status' && signed),
  }
}
