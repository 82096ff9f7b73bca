/**
 * What can be read off an ARM path: `/subscriptions/{id}[/resourceGroups/{name}]/providers/{namespace}/{type}/{name}/…`.
 * Paths are as ARM spells them (names hold `;`), not percent-encoded, unless a name says so.
 */
const vaultPattern =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.RecoveryServices\/vaults\/[^/]+/i

/** ARM id of the vault that a path lies in, in the path's own spelling. */
export const vaultIdOf = (path: string): string | undefined => vaultPattern.exec(path)?.[0]

export const subscriptionOf = (path: string): string | undefined => /^\/subscriptions\/([^/?]+)/i.exec(path)?.[1]

/**
 * Namespace and types without the names between them: `Microsoft.RecoveryServices/vaults/backupJobs`. Azure counts
 * requests and grants rights by it. A path without a provider is one of Microsoft.Resources.
 */
export function operationType(path: string): string {
  const start = path.toLowerCase().lastIndexOf('/providers/')
  const own = start < 0 ? `Microsoft.Resources${path}` : path.slice(start + '/providers/'.length)
  const [namespace = '', ...segments] = own.split('/').filter(Boolean)
  return [namespace, ...segments.filter((_, index) => index % 2 === 0)].join('/')
}

const verbs: Readonly<Record<string, string>> = { GET: 'read', DELETE: 'delete', POST: 'action' }

/** The Azure action that a request needs, as roles spell it: `Microsoft.RecoveryServices/vaults/backupJobs/read`. */
export const azureAction = (method: string, path: string): string =>
  `${operationType(path)}/${verbs[method] ?? 'write'}`

/**
 * Percent-encodes the names of a path and keeps its slashes, a trailing one too: it tells a secondary region's list.
 * Throws for `.` and `..`, which an URL parser would take for steps up.
 */
export function encodePath(path: string): string {
  const segments = path.split('/')
  if (segments[0] !== '' || segments.some(segment => segment === '.' || segment === '..'))
    throw new Error('an ARM path begins with / and has no segment . or ..')
  return segments.map(encodeURIComponent).join('/')
}

/** Percent-encodes query values the way Azure's own clients do: `'` as %27, names as they are (`$filter`). */
export const encodeQuery = (query: Readonly<Record<string, string>>): string =>
  Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("'", '%27')}`)
    .join('&')
