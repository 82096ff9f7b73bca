/**
 * What can be set on a vault, by the vault itself or by its older configuration resources: first everything is checked, then
 * applied, which for a vault is a while later.
 */
import { type Fields, fields, flag, number, text } from '../backup/fields.ts'
import type { Call } from './call.ts'
import { checkGuard } from './guard.ts'
import { isSame } from './odata.ts'
import { Refusal } from './refusal.ts'
import type { Vault } from './state.ts'

const invalid = (name: string): Refusal =>
  new Refusal(400, 'InvalidRestApiParameter', `${name} parameter is invalid. Please provide a valid ${name}`)

/** One of the words in any letter case, as Azure spells it; undefined where nothing was given. Throws Refusal. */
export const spelled = <Word extends string>(
  value: unknown,
  name: string,
  words: readonly Word[],
): Word | undefined => {
  const given = text(value)
  if (given === null) return undefined
  const word = words.find(each => isSame(each, given))
  if (word === undefined) throw invalid(name)
  return word
}

const onOff = ['Enabled', 'Disabled'] as const

export interface SoftDeleteChange {
  state: Vault['softDelete']['state'] | undefined
  days: number | undefined
  enhanced: 'Enabled' | 'Disabled' | 'AlwaysON' | undefined
}

const softDeleteWords = ['Enabled', 'Disabled', 'AlwaysON'] as const

/** 0 means the usual days. */
const daysOf = (value: unknown): number | undefined => {
  const days = number(value) ?? undefined
  return days === 0 ? 14 : days
}

/** Of a configuration's `softDeleteFeatureState` or a vault's `softDeleteState`. Throws Refusal. */
export const softDeleteChange = (given: Fields): SoftDeleteChange => ({
  state: spelled(given.softDeleteFeatureState ?? given.softDeleteState, 'softDeleteState', softDeleteWords),
  days: daysOf(given.softDeleteRetentionPeriodInDays),
  enhanced: spelled(given.enhancedSecurityState, 'enhancedSecurityState', softDeleteWords),
})

/** Throws Refusal where soft delete is always on, its days are out of range, or a guard is in the way. */
export const checkSoftDelete = (call: Call, vault: Vault, { state, days, enhanced }: SoftDeleteChange): void => {
  const now = vault.softDelete
  if (days !== undefined && !(Number.isInteger(days) && days >= 14 && days <= 180))
    throw invalid('softDeleteRetentionPeriodInDays')
  const isLeaving = (word: string | undefined) => word !== undefined && word !== 'AlwaysON'
  if (now.state === 'AlwaysON' && (isLeaving(state) || isLeaving(enhanced)))
    throw new Refusal(
      400,
      'BMSUserErrorDisablingSoftDeleteStateNotAllowed',
      'Disabling soft delete or enhanced security state is not allowed for this vault.',
    )
  const isLess =
    (state === 'Disabled' && now.state !== 'Disabled') ||
    (days !== undefined && days < now.days) ||
    (enhanced === 'Disabled' && vault.enhancedSecurity !== 'Disabled')
  if (isLess) checkGuard(call, vault, 'disableSoftDeleteRequests')
}

export const applySoftDelete = (vault: Vault, { state, days, enhanced }: SoftDeleteChange): void => {
  vault.softDelete = { state: state ?? vault.softDelete.state, days: days ?? vault.softDelete.days }
  if (enhanced === 'Enabled' || enhanced === 'Disabled') vault.enhancedSecurity = enhanced
}

export interface RedundancyChange {
  redundancy: Vault['redundancy'] | undefined
  crossRegionRestore: boolean | undefined
}

const redundancies = ['GeoRedundant', 'LocallyRedundant', 'ZoneRedundant'] as const

/** Of `backupstorageconfig`, where the later of two names counts. Throws Refusal. */
export const storageChange = ({ storageModelType, storageType, crossRegionRestoreFlag }: Fields): RedundancyChange => ({
  redundancy: spelled(storageModelType ?? storageType, 'storageModelType', redundancies),
  crossRegionRestore: flag(crossRegionRestoreFlag) ?? undefined,
})

const redundancyChange = (given: Fields): RedundancyChange => {
  const crossRegion = spelled(given.crossRegionRestore, 'crossRegionRestore', onOff)
  return {
    redundancy: spelled(given.standardTierStorageRedundancy, 'standardTierStorageRedundancy', redundancies),
    crossRegionRestore: crossRegion === undefined ? undefined : crossRegion === 'Enabled',
  }
}

/** Throws Refusal: redundancy is locked by the first item, and restoring across regions needs a copy there, for good. */
export const checkRedundancy = (vault: Vault, { redundancy, crossRegionRestore }: RedundancyChange): void => {
  if (redundancy !== undefined && redundancy !== vault.redundancy && vault.items.size > 0)
    throw new Refusal(
      400,
      'StorageModelModifyError',
      'Storage Redundancy option is locked when the first machine is registered with the vault, and cannot be modified thereafter.',
    )
  const isOn = crossRegionRestore ?? vault.crossRegionRestore
  if (isOn && (redundancy ?? vault.redundancy) !== 'GeoRedundant')
    throw new Refusal(
      400,
      'BMSUserErrorUnableToEnableCrossRegionRestore',
      'Cross Region Restore can be used only in a vault with geo-redundant storage.',
    )
  if (!isOn && vault.crossRegionRestore) throw invalid('crossRegionRestore')
}

export const applyRedundancy = (vault: Vault, { redundancy, crossRegionRestore }: RedundancyChange): void => {
  vault.redundancy = redundancy ?? vault.redundancy
  vault.crossRegionRestore = crossRegionRestore ?? vault.crossRegionRestore
}

/** What immutability can become. Locked is reached by way of Unlocked only, and is left no more. */
const immutabilityAfter: Readonly<Record<Vault['immutability'], readonly Vault['immutability'][]>> = {
  Disabled: ['Disabled', 'Unlocked'],
  Unlocked: ['Disabled', 'Unlocked', 'Locked'],
  Locked: ['Locked'],
}

const crossSubscription = ['Enabled', 'Disabled', 'PermanentlyDisabled'] as const
/** Kept as they are written. */
const plainSettings = ['monitoringSettings', 'costManagementSettings', 'encryption'] as const

const changesOf = (properties: Fields) => {
  const { softDeleteSettings, immutabilitySettings } = fields(properties.securitySettings)
  const { crossSubscriptionRestoreSettings } = fields(properties.restoreSettings)
  return {
    softDelete: softDeleteChange(fields(softDeleteSettings)),
    immutability: spelled(fields(immutabilitySettings).state, 'immutabilitySettings', [
      'Disabled',
      'Unlocked',
      'Locked',
    ] as const),
    redundancy: redundancyChange(fields(properties.redundancySettings)),
    publicNetworkAccess: spelled(properties.publicNetworkAccess, 'publicNetworkAccess', onOff),
    crossSubscriptionRestore: spelled(
      fields(crossSubscriptionRestoreSettings).crossSubscriptionRestoreState,
      'crossSubscriptionRestoreState',
      crossSubscription,
    ),
    settings: Object.fromEntries(plainSettings.flatMap(name => (properties[name] ? [[name, properties[name]]] : []))),
  }
}

/** Whether a vault's `properties` may be set. Throws Refusal. */
export const checkProperties = (call: Call, vault: Vault, properties: Fields): void => {
  const { softDelete, immutability, redundancy, crossSubscriptionRestore } = changesOf(properties)
  checkSoftDelete(call, vault, softDelete)
  checkRedundancy(vault, redundancy)
  if (immutability !== undefined && !immutabilityAfter[vault.immutability].includes(immutability))
    throw new Refusal(
      400,
      'UserErrorUnsupportedVaultImmutabilityStateChange',
      'The immutable vault property for this vault is locked, hence, this setting cannot be disabled. The vault has its immutable vault property enabled and locked, and it can no longer be reverted to a non-immutable vault. Refer to the documentation to learn more: https://aka.ms/AB-ImmutableVaults-States ',
    )
  if (
    vault.crossSubscriptionRestore === 'PermanentlyDisabled' &&
    crossSubscriptionRestore !== undefined &&
    crossSubscriptionRestore !== 'PermanentlyDisabled'
  )
    throw invalid('crossSubscriptionRestoreState')
}

/** Sets what `checkProperties` has let pass. */
export const applyProperties = (vault: Vault, properties: Fields): void => {
  const { softDelete, immutability, redundancy, publicNetworkAccess, crossSubscriptionRestore, settings } =
    changesOf(properties)
  applySoftDelete(vault, softDelete)
  applyRedundancy(vault, redundancy)
  vault.immutability = immutability ?? vault.immutability
  vault.publicNetworkAccess = publicNetworkAccess ?? vault.publicNetworkAccess
  vault.crossSubscriptionRestore = crossSubscriptionRestore ?? vault.crossSubscriptionRestore
  vault.settings = { ...vault.settings, ...settings }
}
