/** What a region tells before anything is protected: synchronous, and with bare bodies (section 6.5 of the wire facts). */
import { text } from '../backup/fields.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { inLocation, subscriptionOf } from './finding.ts'
import { isBeingProtected } from './item-changes.ts'
import { policyOfItem } from './item-rows.ts'
import { isSame } from './odata.ts'
import { invalidInput } from './refusal.ts'
import { isNewer, regionOf, spelled } from './spelling.ts'
import { type Item, keyOf, type Vault } from './state.ts'
import { registeredIn, workloadOfWord } from './workloads.ts'

/** The item of a resource in one of the region's vaults. */
const protectionOf = (call: Call): { vault: Vault; item: Item } | undefined => {
  subscriptionOf(call)
  const { resourceType, resourceId, poLogicalName } = call.body
  const workload = workloadOfWord(text(resourceType) ?? '')
  const id = text(resourceId)
  if (!workload || id === null) throw invalidInput()
  const name = text(poLogicalName)
  for (const vault of call.world.state.vaults.values()) {
    if (!isSame(vault.location, regionOf(call.params.location ?? ''))) continue
    for (const item of vault.items.values())
      if (item.workload === workload && isSame(item.sourceId, id) && (name === null || isSame(item.friendlyName, name)))
        return { vault, item }
  }
  return undefined
}

/** What is stopped or soft-deleted is not protected, though a vault has it. */
const statusWord = ({ policy }: Item): string => (policy === undefined ? 'NotProtected' : 'Protected')

const backupStatus = (call: Call): Answer => {
  const found = protectionOf(call)
  const said = { errorCode: 'Success', errorMessage: '' }
  const isRegistered = found !== undefined || registeredIn(call.world, text(call.body.resourceId) ?? '') !== undefined
  const registrationStatus = isRegistered ? 'Registered' : 'NotRegistered'
  if (!found) {
    const isComing = isBeingProtected(call.world, text(call.body.resourceId) ?? '')
    return ok({ protectionStatus: isComing ? 'Protecting' : 'NotProtected', registrationStatus, ...said })
  }
  const { vault, item } = found
  const held = [...vault.items.keys()].filter(key => key.startsWith(`${keyOf(item.container)}/`))
  return ok({
    protectionStatus: statusWord(item),
    vaultId: spelled(call, vault.id),
    fabricName: 'Azure',
    containerName: item.container,
    protectedItemName: item.name,
    policyName: policyOfItem(vault, item)?.name ?? '',
    registrationStatus,
    ...said,
    ...(isNewer(call) ? { protectedItemsCount: held.length } : {}),
  })
}

const preValidate = (call: Call): Answer => {
  const found = protectionOf(call)
  const none = { errorCode: '', errorMessage: '', recommendation: '', containerName: '', protectedItemName: '' }
  if (!found) return ok({ status: 'Succeeded', ...none })
  return ok({
    status: 'Failed',
    errorCode: 'VirtualMachineAlreadyProtected',
    errorMessage:
      "Virtual machine with same name and same resource group is already protected. Please select `Disable' choice above for backup and go to backup item corresponding to this VM in the vault",
    recommendation: 'Please do not enable protection again.',
    containerName: found.item.container,
    protectedItemName: found.item.name,
  })
}

const features = ['AzureVMResourceBackup', 'AzureBackupGoals']

const validateFeatures = (call: Call): Answer => {
  subscriptionOf(call)
  if (!features.some(feature => isSame(feature, text(call.body.featureType) ?? undefined))) throw invalidInput()
  return ok({ supportStatus: 'Supported' })
}

export const locationRoutes: readonly Route[] = [
  { method: 'POST', path: `${inLocation}/backupStatus`, handle: backupStatus },
  { method: 'POST', path: `${inLocation}/backupPreValidateProtection`, handle: preValidate },
  { method: 'POST', path: `${inLocation}/backupValidateFeatures`, handle: validateFeatures },
]
