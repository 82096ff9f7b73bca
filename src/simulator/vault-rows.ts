/** A vault as its two generations show it: 2016-06-01 a few fields, later versions more and more (section 1.1). */
import type { Fields } from '../backup/fields.ts'
import type { Vault } from './state.ts'
import type { World } from './world.ts'

/** Asked versions from this one on do their writes as operations. */
export const isLongRunning = (apiVersion: string): boolean => apiVersion >= '2023'

/** What a vault is told to have where nobody said otherwise. */
const usualSettings: Fields = {
  monitoringSettings: {
    azureMonitorAlertSettings: {
      alertsForAllJobFailures: 'Enabled',
      alertsForAllReplicationIssues: 'Enabled',
      alertsForAllFailoverIssues: 'Enabled',
    },
    classicAlertSettings: { alertsForCriticalOperations: 'Enabled', emailNotificationsForSiteRecovery: 'Enabled' },
  },
  costManagementSettings: { granularityLevel: 'VaultLevel' },
}

const isProvisioning = ({ state }: World, { readyMs }: Vault): boolean => state.nowMs < readyMs

const enhancedSecurityOf = ({ softDelete, enhancedSecurity }: Vault): string =>
  softDelete.state === 'AlwaysON' ? 'AlwaysON' : enhancedSecurity

/** Three pairs were seen; the fourth is what is left (section 1.1). */
const scores: readonly (readonly [score: string, level: string, isOf: (vault: Vault) => boolean])[] = [
  [
    'Maximum',
    'Excellent',
    ({ immutability, guardId, softDelete }) =>
      immutability === 'Locked' && guardId !== undefined && softDelete.state === 'AlwaysON',
  ],
  ['Adequate', 'Good', ({ softDelete }) => softDelete.state === 'AlwaysON'],
  ['Minimum', 'Fair', ({ immutability }) => immutability !== 'Disabled'],
  ['None', 'Poor', () => true],
]
const scoreOf = (vault: Vault) => scores.find(([, , isOf]) => isOf(vault)) ?? (['None', 'Poor'] as const)

const multiUserAuthorization = (world: World, vault: Vault): string =>
  isProvisioning(world, vault) ? 'Invalid' : vault.guardId === undefined ? 'Disabled' : 'Enabled'

/** Undefined where a vault has none. */
type Property = readonly [name: string, since: string, value: (world: World, vault: Vault) => unknown]

const setting =
  (name: string) =>
  (_: World, { settings }: Vault) =>
    settings[name] ?? usualSettings[name]

const properties: readonly Property[] = [
  ['provisioningState', '', (world, vault) => (isProvisioning(world, vault) ? 'Provisioning' : 'Succeeded')],
  ['privateEndpointStateForBackup', '', () => 'None'],
  ['privateEndpointStateForSiteRecovery', '', () => 'None'],
  ['encryption', '2020', setting('encryption')],
  [
    'backupStorageVersion',
    '2022',
    (world, vault) => (isProvisioning(world, vault) ? undefined : vault.items.size > 0 ? 'V2' : 'Unassigned'),
  ],
  ['monitoringSettings', '2022-03', setting('monitoringSettings')],
  [
    'securitySettings',
    '2022-03',
    (world, vault) => ({
      softDeleteSettings: {
        softDeleteRetentionPeriodInDays: vault.softDelete.days,
        softDeleteState: vault.softDelete.state,
        enhancedSecurityState: enhancedSecurityOf(vault),
      },
      immutabilitySettings: { state: vault.immutability },
      multiUserAuthorization: multiUserAuthorization(world, vault),
      sourceScanConfiguration: { state: 'Disabled' },
    }),
  ],
  [
    'redundancySettings',
    '2022-03',
    (_, { redundancy, crossRegionRestore }) => ({
      standardTierStorageRedundancy: redundancy,
      crossRegionRestore: crossRegionRestore ? 'Enabled' : 'Disabled',
    }),
  ],
  ['costManagementSettings', '2026', setting('costManagementSettings')],
  ['regionOfChoiceSettings', '2026', () => ({ status: 'Disabled' })],
  ['secureScore', '2023', (_, vault) => scoreOf(vault)[0]],
  ['bcdrSecurityLevel', '2023', (_, vault) => scoreOf(vault)[1]],
  ['publicNetworkAccess', '2022-03', (_, { publicNetworkAccess }) => publicNetworkAccess],
  [
    'restoreSettings',
    '2023',
    (_, { crossSubscriptionRestore }) => ({
      crossSubscriptionRestoreSettings: { crossSubscriptionRestoreState: crossSubscriptionRestore },
    }),
  ],
]

const defined = (entries: readonly (readonly [string, unknown])[]): Fields =>
  Object.fromEntries(entries.filter(([, value]) => value !== undefined))

export const toVault = (world: World, apiVersion: string, vault: Vault): Fields => ({
  ...defined([
    ['location', vault.location],
    ['name', vault.name],
    ['etag', vault.etag],
    ['tags', vault.tags],
    ['identity', vault.identity],
  ]),
  properties: defined(
    properties.filter(([, since]) => apiVersion >= since).map(([name, , value]) => [name, value(world, vault)]),
  ),
  id: vault.id,
  type: 'Microsoft.RecoveryServices/vaults',
  sku: vault.sku === 'RS0' ? { name: 'RS0', tier: 'Standard' } : { name: vault.sku },
})
