/**
 * ARM ids: parsed by the names of their segments, never by position, compared without letter case, and formatted from
 * checked parts, so that nothing a caller wrote reaches a URL unexamined. (Ids come back as `/Subscriptions/…` or
 * `/subscriptions/…`, groups in lower case or as created.)
 */
export type ArmId = string & { readonly brand: 'ArmId' }
export type VaultId = ArmId & { readonly kind: 'vault' }

export interface ParsedId {
  id: ArmId
  subscriptionId: string
  resourceGroup: string | undefined
  /** Segment type in lower case to name, e.g. `vaults` to `vault-prod`. */
  names: ReadonlyMap<string, string>
  /** Type path without provider in lower case, e.g. `vaults/backupjobs`. */
  type: string
  provider: string | undefined
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** What can be part of no name: separators of URLs and paths, control characters, half characters, a name of dots only. */
const notInNames = /[/\\?#%&<>"\u0000-\u001F\u007F\p{Cs}]|^\.+$/u
/** Databases may be called nearly anything (`R&D 50%`); what an id names is encoded again before it is sent. */
const notInIds = /[/\\?#\u0000-\u001F\u007F\p{Cs}]|^\.*$/u

export const isGuid = (text: string): boolean => guid.test(text)
export const isName = (text: string): boolean => text.length > 0 && text.length <= 260 && !notInNames.test(text)

/** A name that holds a `%` of its own is no encoded one. */
const decoded = (segment: string): string => {
  if (!segment.includes('%')) return segment // most: a list has thousands
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** The parts of an id, or undefined where the text is none. Percent-encoded names (`%3B`) are decoded first. */
export const parseArmId = (text: string): ParsedId | undefined => {
  if (!/^\/subscriptions\//i.test(text)) return undefined
  const segments = text.replace(/\/$/, '').slice(1).split('/').map(decoded)
  const subscriptionId = segments[1] ?? ''
  if (!isGuid(subscriptionId) || segments.length % 2 !== 0) return undefined
  if (segments.some(name => name.length > 260 || notInIds.test(name))) return undefined
  const names = new Map<string, string>()
  const types: string[] = []
  let provider: string | undefined
  for (let at = 0; at < segments.length; at += 2) {
    const type = (segments[at] ?? '').toLowerCase()
    const name = segments[at + 1] ?? ''
    if (type === 'providers') {
      provider = name
      continue
    }
    names.set(type, name)
    if (provider) types.push(type)
  }
  // The provider pairs with its namespace, so after it types and names are in step again.
  return {
    id: `/${segments.join('/')}` as ArmId,
    subscriptionId,
    resourceGroup: names.get('resourcegroups'),
    names,
    type: types.join('/'),
    provider,
  }
}

export const sameText = (a: string | null | undefined, b: string | null | undefined): boolean =>
  a != null && b != null && a.toLowerCase() === b.toLowerCase()

export const containsText = (whole: string | null, part: string): boolean =>
  whole?.toLowerCase().includes(part.toLowerCase()) ?? false

/** The id of a vault by its parts, which must have been checked. */
const vaultIdOf = (subscriptionId: string, resourceGroup: string, vaultName: string): VaultId =>
  `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.RecoveryServices/vaults/${vaultName}` as VaultId

/** A vault by its parts. `id` is what requests are built from. */
export interface VaultRef {
  id: VaultId
  subscriptionId: string
  resourceGroup: string
  vaultName: string
}

export const vaultRef = (subscriptionId: string, resourceGroup: string, vaultName: string): VaultRef => ({
  id: vaultIdOf(subscriptionId, resourceGroup, vaultName),
  subscriptionId,
  resourceGroup,
  vaultName,
})

/** The vault that an id names or lies in. */
export const vaultOf = (parsed: ParsedId): VaultRef | undefined => {
  const vaultName = parsed.names.get('vaults')
  const { provider, resourceGroup } = parsed
  if (!sameText(provider, 'Microsoft.RecoveryServices') || !vaultName || !resourceGroup) return undefined
  if (!isName(vaultName) || !isName(resourceGroup)) return undefined
  return vaultRef(parsed.subscriptionId, resourceGroup, vaultName)
}

/** The last name of an id. */
export const lastName = (id: string): string => id.slice(id.lastIndexOf('/') + 1)
