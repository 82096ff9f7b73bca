/**
 * API versions, by what a path asks for. The first row that fits counts. `configured` is `api_version` of the
 * configuration (built in: 2025-08-01). The cross-region family exists in one version only, and a trailing slash turns
 * two lists into their secondary-region twins, which belong to it.
 */
const rows: readonly (readonly [pattern: RegExp, version: string])[] = [
  [/\/backupCrr\w*(\/|$)|\/(backupCrossRegionRestore|backupAadProperties|accessToken)$/i, '2021-11-15'],
  [/\/(backupProtectedItems|recoveryPoints)\/$/i, '2021-11-15'],
  [/\/providers\/Microsoft\.Authorization\/permissions$/i, '2022-04-01'],
  [/\/providers\/Microsoft\.RecoveryServices(\/|$)/i, 'configured'],
  [/\/providers\/Microsoft\.Storage\/storageAccounts$/i, '2023-05-01'],
  [/\/providers\/Microsoft\.Network\/virtualNetworks$/i, '2023-11-01'],
  [/^\/subscriptions(\/[^/]+(\/resourceGroups(\/[^/]+)?)?)?\/?$/i, '2022-12-01'],
]

/** The version for a path, encoded or not; throws for one that no row knows, which is a fault of this program. */
export function apiVersionFor(path: string, configured: string): string {
  const version = rows.find(([pattern]) => pattern.test(path))?.[1]
  if (!version) throw new Error(`no API version is known for ${path}`)
  return version === 'configured' ? configured : version
}
