/** The configuration resources of a vault: soft delete, redundancy, encryption (sections 1.4 and 1.5 of the wire facts). */
import { fields } from '../backup/fields.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { inVault, vaultOf } from './finding.ts'
import { Refusal } from './refusal.ts'
import type { Vault } from './state.ts'
import {
  applyRedundancy,
  applySoftDelete,
  checkRedundancy,
  checkSoftDelete,
  softDeleteChange,
  storageChange,
} from './vault-settings.ts'

const configOf = (vault: Vault, apiVersion: string) => ({
  id: `${vault.id}/backupconfig/vaultconfig`,
  name: 'vaultconfig',
  type: 'Microsoft.RecoveryServices/vaults/backupconfig',
  properties: {
    enhancedSecurityState: vault.enhancedSecurity,
    softDeleteFeatureState: vault.softDelete.state,
    ...(apiVersion >= '2023' ? { softDeleteRetentionPeriodInDays: vault.softDelete.days } : {}),
    isSoftDeleteFeatureStateEditable: vault.softDelete.state !== 'AlwaysON',
  },
})

const getConfig = (call: Call): Answer => ok(configOf(vaultOf(call), call.apiVersion))

const setConfig = (call: Call): Answer => {
  const vault = vaultOf(call)
  const change = softDeleteChange(fields(call.body.properties))
  checkSoftDelete(call, vault, change)
  applySoftDelete(vault, change)
  return ok(configOf(vault, call.apiVersion))
}

const storageOf = ({ id, redundancy, crossRegionRestore, items }: Vault) => ({
  id: `${id}/backupstorageconfig/vaultstorageconfig`,
  name: 'vaultstorageconfig',
  type: 'Microsoft.RecoveryServices/vaults/backupstorageconfig',
  properties: {
    storageModelType: redundancy,
    storageType: redundancy,
    dedupState: 'Disabled',
    xcoolState: 'Disabled',
    storageTypeState: items.size > 0 ? 'Locked' : 'Unlocked',
    crossRegionRestoreFlag: crossRegionRestore,
  },
})

const getStorage = (call: Call): Answer => ok(storageOf(vaultOf(call)))

const setStorage = (call: Call): Vault => {
  const vault = vaultOf(call)
  const change = storageChange(fields(call.body.properties))
  checkRedundancy(vault, change)
  applyRedundancy(vault, change)
  return vault
}

/** No body to parse. */
const patchStorage = (call: Call): Answer => {
  setStorage(call)
  return { status: 204 }
}

const encryptionOf = ({ id, settings }: Vault) => {
  const { keyVaultProperties, kekIdentity, infrastructureEncryption = 'Disabled' } = fields(settings.encryption)
  const { keyUri } = fields(keyVaultProperties)
  const { useSystemAssignedIdentity, userAssignedIdentity } = fields(kekIdentity)
  return {
    id: `${id}/backupEncryptionConfigs/backupResourceEncryptionConfig`,
    name: 'backupResourceEncryptionConfig',
    type: 'Microsoft.RecoveryServices/vaults/backupEncryptionConfigs',
    properties: {
      encryptionAtRestType: keyUri === undefined ? 'MicrosoftManaged' : 'CustomerManaged',
      ...(keyUri === undefined ? {} : { keyUri, useSystemAssignedIdentity, userAssignedIdentity }),
      lastUpdateStatus: keyUri === undefined ? 'NotEnabled' : 'Succeeded',
      infrastructureEncryptionState: infrastructureEncryption,
    },
  }
}

/** Own keys are there to stay, and come before the first item. */
const putEncryption = (call: Call): Answer => {
  const vault = vaultOf(call)
  const { keyUri, useSystemAssignedIdentity, userAssignedIdentity } = fields(call.body.properties)
  if (typeof keyUri !== 'string')
    throw new Refusal(400, 'UserErrorInvalidRequestParameter', 'Parameter keyUri in request is invalid.')
  const kekIdentity = { useSystemAssignedIdentity, userAssignedIdentity }
  vault.settings = { ...vault.settings, encryption: { keyVaultProperties: { keyUri }, kekIdentity } }
  return { status: 200 }
}

const config = `${inVault}/backupconfig/vaultconfig`
const storage = `${inVault}/backupstorageconfig/vaultstorageconfig`
const encryption = `${inVault}/backupEncryptionConfigs/backupResourceEncryptionConfig`

export const vaultConfigRoutes: readonly Route[] = [
  { method: 'GET', path: config, handle: getConfig },
  { method: 'PUT', path: config, handle: setConfig },
  { method: 'PATCH', path: config, handle: setConfig },
  { method: 'GET', path: storage, handle: getStorage },
  { method: 'PUT', path: storage, handle: call => ok(storageOf(setStorage(call))) },
  { method: 'PATCH', path: storage, handle: patchStorage },
  { method: 'GET', path: encryption, handle: call => ok(encryptionOf(vaultOf(call))) },
  { method: 'PUT', path: encryption, handle: putEncryption },
]
