/** What a restore of a VM needs, checked against the state (section 9.1 of the wire facts). */
import { lastName, parseArmId, sameText } from '../backup/arm-ids.ts'
import { type Fields, fields, flag, text } from '../backup/fields.ts'
import { tiersOf } from './point-rows.ts'
import { type Item, keyOf, type Point, type State, type Vault } from './state.ts'
import { troubles } from './troubles.ts'

/** As validation tells it; the first one becomes the refusal of the restore itself. */
export interface RestoreFault {
  code: string
  message: string
  recommendations: string[]
}

export interface RestoreAsked {
  state: State
  vault: Vault
  item: Item
  point: Point
  request: Fields
  nowMs: number
}

const invalid = (parameter: string, recommendation: string): RestoreFault => ({
  code: 'UserErrorInvalidRequestParameter',
  message: `Parameter ${parameter} in request is invalid.`,
  recommendations: [recommendation],
})
const notFound = (what: string, id: string): RestoreFault => ({
  code: 'UserErrorGenericResourceNotFound',
  message: `The ${what} ${lastName(id)} was not found.`,
  recommendations: [`Ensure that ${id} exists, or choose another ${what}.`],
})

export const restoreModes = ['OriginalLocation', 'AlternateLocation', 'RestoreDisks'] as const
export type RestoreMode = (typeof restoreModes)[number]

export const modeOf = ({ recoveryType }: Fields): RestoreMode | undefined =>
  restoreModes.find(mode => sameText(mode, text(recoveryType)))

/** The effect with which a restore ends. */
export const restoreEnd = 'restore-end'

/** `East US` is `eastus`. */
const isRegion = (a: string, b: string): boolean =>
  a.toLowerCase().replaceAll(' ', '') === b.toLowerCase().replaceAll(' ', '')

/** The storage account that takes the staging files, named in either of two places. */
export const stagingId = ({ storageAccountId, identityBasedRestoreDetails }: Fields): string | null =>
  text(storageAccountId) ?? text(fields(identityBasedRestoreDetails).targetStorageAccountId)

export const rehydrates = ({ objectType }: Fields): boolean =>
  sameText(text(objectType), 'IaasVMRestoreWithRehydrationRequest')

const isRequest = (request: Fields): boolean =>
  rehydrates(request) || sameText(text(request.objectType), 'IaasVMRestoreRequest')

/** One thing that a restore needs: its fault, or undefined. */
type Check = (asked: RestoreAsked) => RestoreFault | undefined

const checkKind: Check = ({ request }) => {
  if (!isRequest(request)) return invalid('ObjectType', 'Restore a virtual machine with IaasVMRestoreRequest.')
  return modeOf(request) ? undefined : invalid('RecoveryType', `Choose one of ${restoreModes.join(', ')}.`)
}

const checkPoint: Check = ({ request, point, item }) => {
  const asked = text(request.recoveryPointId)
  if (asked !== null && !sameText(lastName(asked), point.id))
    return invalid('RecoveryPointId', 'Name the same recovery point in the address and in the request.')
  return sameText(text(request.sourceResourceId), item.sourceId)
    ? undefined
    : invalid('SourceResourceId', `Name the virtual machine that was backed up: ${item.sourceId}.`)
}

const checkTier: Check = ({ request, point, nowMs }) => {
  const usable = tiersOf(point, nowMs).filter(({ status }) => status !== 'Deleted')
  if (usable.some(({ type, status }) => type !== 'ArchivedRP' || status === 'Rehydrated')) return undefined
  if (rehydrates(request)) {
    const { rehydrationRetentionDuration, rehydrationPriority } = fields(request.recoveryPointRehydrationInfo)
    return text(rehydrationRetentionDuration) && /^(Standard|High)$/i.test(text(rehydrationPriority) ?? '')
      ? undefined
      : invalid('RecoveryPointRehydrationInfo', 'Say for how long, and with which priority, it is rehydrated.')
  }
  return {
    code: 'UserErrorRecoveryPointInArchiveTier',
    message: 'The recovery point is in the archive tier and must be rehydrated before it is restored.',
    recommendations: ['Restore it with IaasVMRestoreWithRehydrationRequest.'],
  }
}

const checkRegion: Check = ({ request, vault }) =>
  isRegion(text(request.region) ?? '', vault.location)
    ? undefined
    : invalid('Region', `Restore to the region of the vault: ${vault.location}.`)

const checkStaging: Check = ({ state, request, vault }) => {
  const id = stagingId(request)
  if (id === null) return invalid('StorageAccountId', 'Name a storage account for the staging files.')
  const account = state.storageAccounts.get(keyOf(id))
  if (!account) return notFound('storage account', id)
  return isRegion(account.location, vault.location)
    ? undefined
    : invalid('StorageAccountId', `Choose a storage account in the region of the vault: ${vault.location}.`)
}

const checkGroup: Check = ({ state, request, vault }) => {
  const id = text(request.targetResourceGroupId)
  if (id === null)
    return modeOf(request) === 'AlternateLocation'
      ? invalid('TargetResourceGroupId', 'Name the resource group for the new virtual machine.')
      : undefined
  const parsed = parseArmId(id)
  if (!parsed?.resourceGroup) return invalid('TargetResourceGroupId', 'Give the full id of a resource group.')
  if (!sameText(parsed.subscriptionId, vault.subscriptionId) && vault.crossSubscriptionRestore !== 'Enabled')
    return {
      code: 'UserErrorCrossSubscriptionRestoreNotAllowed',
      message: 'Cross subscription restore is disabled on the vault.',
      recommendations: ['Choose a resource group in the subscription of the vault, or enable it on the vault.'],
    }
  return state.groups.has(keyOf(parsed.subscriptionId, parsed.resourceGroup))
    ? undefined
    : notFound('resource group', id)
}

/** True while another restore makes the machine of this id. */
const isBeingMade = ({ due, vaults }: State, id: string): boolean =>
  due.some(({ kind, vault, more }) => {
    if (kind !== restoreEnd || !sameText(text(fields(more?.request).targetVirtualMachineId), id)) return false
    return vaults.get(vault)?.jobs.get(keyOf(text(more?.job) ?? ''))?.status === 'InProgress'
  })

const checkMachine: Check = ({ state, request }) => {
  const id = text(request.targetVirtualMachineId)
  const parsed = id === null ? undefined : parseArmId(id)
  if (id === null || !parsed?.names.has('virtualmachines') || !parsed.resourceGroup)
    return invalid('TargetVirtualMachineId', 'Give the full id of the virtual machine to create.')
  const group = parseArmId(text(request.targetResourceGroupId) ?? '')
  if (!sameText(group?.resourceGroup, parsed.resourceGroup) || !sameText(group?.subscriptionId, parsed.subscriptionId))
    return invalid('TargetVirtualMachineId', 'The virtual machine to create must be in the target resource group.')
  if (!state.vms.get(keyOf(id))?.exists && !isBeingMade(state, id)) return undefined
  return {
    code: 'UserErrorTargetVirtualMachineAlreadyExists',
    message: `A virtual machine named ${lastName(id)} already exists in the target resource group.`,
    recommendations: ['Choose another name for the new virtual machine.'],
  }
}

const checkNetwork: Check = ({ state, request, vault }) => {
  const id = text(request.virtualNetworkId)
  const subnetId = text(request.subnetId)
  if (id === null) return invalid('VirtualNetworkId', 'Name a virtual network for the new virtual machine.')
  if (subnetId === null) return invalid('SubnetId', 'Name a subnet for the new virtual machine.')
  const network = state.networks.get(keyOf(id))
  if (!network) return notFound('virtual network', id)
  if (!isRegion(network.location, vault.location))
    return invalid('VirtualNetworkId', `Choose a virtual network in the region of the vault: ${vault.location}.`)
  const isOne = network.subnets.some(name => sameText(subnetId, `${id}/subnets/${name}`))
  return isOne ? undefined : notFound('subnet', subnetId)
}

const checkSource: Check = ({ state, item }) => {
  if (state.vms.get(keyOf(item.sourceId))?.exists) return undefined
  const { code, message } = troubles.vmNotFound
  return { code, message, recommendations: ['Restore to a new virtual machine, or restore the disks.'] }
}

/** The identity that does the work has to be one of the vault's. */
const checkIdentity: Check = ({ request, vault }) => {
  const { isSystemAssignedIdentity, managedIdentityResourceId } = fields(request.identityInfo)
  const users = Object.keys(fields(vault.identity?.userAssignedIdentities))
  const isThere = flag(isSystemAssignedIdentity)
    ? /^SystemAssigned/i.test(text(vault.identity?.type) ?? '')
    : users.some(id => sameText(id, text(managedIdentityResourceId)))
  return isThere || request.identityInfo === undefined
    ? undefined
    : invalid('IdentityInfo', 'Assign the identity to the vault, or name one that the vault has.')
}

const checkZones: Check = ({ request: { zones } }) =>
  zones === undefined || (Array.isArray(zones) && zones.every(zone => /^([123]|NoZone)$/.test(String(zone))))
    ? undefined
    : invalid('Zones', 'Choose zone 1, 2 or 3, or NoZone.')

/** Unmanaged disks are long gone from the simulated machines, and so is what only they can have. */
const checkAccountOption: Check = ({ request }) =>
  flag(request.originalStorageAccountOption)
    ? invalid('OriginalStorageAccountOption', 'The recovery point does not offer its original storage account.')
    : undefined

const checkDisks: Check = ({ request, point }) => {
  const { restoreDiskLunList: luns } = request
  if (luns === undefined || luns === null) return undefined
  const known = point.disks?.included.map(({ lun }) => lun) ?? []
  const areKnown = Array.isArray(luns) && luns.every(lun => known.includes(lun))
  return areKnown ? undefined : invalid('RestoreDiskLunList', 'Name the disks of the recovery point by their LUNs.')
}

const ofAll: readonly Check[] = [
  checkPoint,
  checkTier,
  checkRegion,
  checkStaging,
  checkIdentity,
  checkGroup,
  checkZones,
  checkAccountOption,
]
const ofMode: Readonly<Record<RestoreMode, readonly Check[]>> = {
  OriginalLocation: [checkSource],
  AlternateLocation: [checkMachine, checkNetwork],
  RestoreDisks: [checkDisks],
}

/** Everything that a restore request has against it; empty where it can be done. */
export const restoreFaults = (asked: RestoreAsked): RestoreFault[] => {
  const mode = modeOf(asked.request)
  const wrongKind = checkKind(asked)
  if (wrongKind || !mode) return wrongKind ? [wrongKind] : []
  return [...ofAll, ...ofMode[mode]].map(check => check(asked)).filter(fault => fault !== undefined)
}
