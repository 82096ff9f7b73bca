/**
 * What is done to a protected item: protect, change its policy or disks, stop, suspend, resume, delete, undelete. Each is
 * accepted as an operation that starts a job; the item changes when the operation ends (section 6 of the wire facts).
 */
import { type Fields, fields, flag, number, text } from '../backup/fields.ts'
import { isRetentionLowered } from '../backup/policy-effects.ts'
import { accepted } from './answers.ts'
import type { Answer, Call, Route } from './call.ts'
import { inItem, itemIdOf, itemKey, vaultOf } from './finding.ts'
import { checkGuard } from './guard.ts'
import { beginChange, type Change, isBeingProtected, isLocked, protectionOfVm } from './item-changes.ts'
import { policyOfItem } from './item-rows.ts'
import { vmItemOf } from './making.ts'
import { isSame } from './odata.ts'
import { immutable, otherProvider, Refusal } from './refusal.ts'
import { type Item, keyOf, type Policy, type Vault, type Vm } from './state.ts'

const invalidRequest = (): Refusal =>
  new Refusal(
    400,
    'BMSUserErrorInvalidConfigureProtectionRequest',
    'Input for configure protection is not in proper format\r\nPlease ensure that container exists and other parameters are in valid format',
  )

const objectNotFound = (): Refusal =>
  new Refusal(
    404,
    'BMSUserErrorDataSourceObjectNotFound',
    'Item not found.\r\nSelected item might have been deleted. Please check if item is registered to the vault.',
  )

const objectLocked = (): Refusal =>
  new Refusal(
    409,
    'BMSUserErrorObjectLocked',
    'Another operation is in progress on the selected item.\r\nWait for the operation to complete and then try again.',
  )

const softDeleted = (): Refusal =>
  new Refusal(
    400,
    'UserErrorItemInSoftDeletedState',
    'The backup item is in soft deleted state.\r\nUndelete the item and then try the operation again.',
  )

const alreadyProtected = (): Refusal =>
  new Refusal(
    400,
    'VirtualMachineAlreadyProtected',
    'Virtual machine is already registered with another recovery services vault. Please select a different virtual machine for registration.',
  )

const notSimulated = (): Refusal =>
  new Refusal(
    400,
    'BMSUserErrorOperationNotSupported',
    'The simulated Azure does not protect databases and file shares: those of its seed can be read, not changed.',
  )

/** The policy that a body names. Throws Refusal. */
const wantedPolicy = (vault: Vault, policyId: string): Policy => {
  const prefix = `${keyOf(vault.id)}/backuppolicies/`
  if (!policyId.toLowerCase().startsWith(prefix)) throw invalidRequest()
  const name = policyId.slice(prefix.length)
  const policy = vault.policies.get(keyOf(name))
  if (!policy) throw new Refusal(404, 'BMSUserErrorPolicyNotFound', `Backup policy ${name} was not found in the vault.`)
  if (!isSame(text(policy.properties.backupManagementType) ?? undefined, 'AzureIaasVM')) throw otherProvider()
  return policy
}

/** The VM that a body names, which the vault can protect under the name of the path. Throws Refusal. */
const wantedVm = (call: Call, vault: Vault, sourceId: string): Vm => {
  const vm = call.world.state.vms.get(keyOf(sourceId))
  if (!vm?.exists) throw objectNotFound()
  const { container, name } = vmItemOf(vm, '', '')
  const isOfVault = isSame(vm.location, vault.location) && isSame(vm.subscriptionId, vault.subscriptionId)
  if (keyOf(container, name) !== itemKey(call) || !isOfVault) throw invalidRequest()
  return vm
}

const exclusionOf = (properties: Fields): Item['diskExclusion'] => {
  const given = fields(properties.extendedProperties).diskExclusionProperties
  if (given === undefined || given === null) return undefined
  const { diskLunList, isInclusionList } = fields(given)
  const luns = Array.isArray(diskLunList) ? diskLunList.map(lun => number(lun)) : [null]
  if (luns.includes(null)) throw invalidRequest()
  return { luns: luns.filter(lun => lun !== null), isInclusionList: isInclusionList === true }
}

const isImmutable = ({ immutability }: Vault): boolean => immutability !== 'Disabled'

/** What a PUT wants of an item that is not there yet. */
const protecting = (call: Call, vault: Vault, properties: Fields): Change => {
  const sourceId = text(properties.sourceResourceId)
  const policyId = text(properties.policyId)
  if (properties.isRehydrate === true || (policyId === null && text(properties.protectionState) !== null))
    throw objectNotFound()
  if (sourceId === null || policyId === null) throw invalidRequest()
  const vm = wantedVm(call, vault, sourceId)
  const policy = wantedPolicy(vault, policyId)
  const elsewhere = protectionOfVm(call.world, vm.id)
  if (elsewhere || isBeingProtected(call.world, vm.id)) throw elsewhere ? alreadyProtected() : objectLocked()
  const item = vmItemOf(vm, policy.name, call.world.newPointId())
  return { kind: 'protect', item, policy, diskExclusion: exclusionOf(properties) }
}

/** What a PUT wants of an item. */
const changing = (call: Call, vault: Vault, item: Item, properties: Fields): Change => {
  const sourceId = text(properties.sourceResourceId)
  if (sourceId !== null && !isSame(sourceId, item.sourceId)) throw invalidRequest()
  const state = text(properties.protectionState)?.toLowerCase()
  const policyId = text(properties.policyId)
  const same = { item, policy: policyOfItem(vault, item), diskExclusion: item.diskExclusion }
  if (flag(properties.isRehydrate) === true) {
    if (!item.softDeleted) throw invalidRequest()
    return { ...same, kind: 'undelete', policy: undefined }
  }
  if (item.softDeleted) throw softDeleted()
  if (state === 'protectionstopped') {
    checkGuard(call, vault, 'updateProtectedItemRequests')
    if (isImmutable(vault)) throw immutable()
    return { ...same, kind: 'stop', policy: undefined }
  }
  if (state === 'backupssuspended') {
    checkGuard(call, vault, 'updateProtectedItemRequests')
    if (!same.policy) throw invalidRequest()
    if (!isImmutable(vault)) throw immutable()
    return { ...same, kind: 'suspend' }
  }
  if (policyId === null) throw invalidRequest()
  const policy = wantedPolicy(vault, policyId)
  if (same.policy && same.policy !== policy && isRetentionLowered(same.policy.properties, policy.properties)) {
    checkGuard(call, vault, 'updateProtectedItemRequests')
    if (isImmutable(vault)) throw immutable()
  }
  return { kind: 'change', item, policy, diskExclusion: exclusionOf(properties) }
}

/** The item that a path names, which may be written now. Throws Refusal. */
const writable = (call: Call, vault: Vault): Item | undefined => {
  if (!/^vm;/i.test(call.params.item ?? '')) throw notSimulated()
  if (isLocked(call.world, vault, itemKey(call))) throw objectLocked()
  return vault.items.get(itemKey(call))
}

const vmTypes = ['Microsoft.Compute/virtualMachines', 'AzureIaaSVMProtectedItem']

const putItem = (call: Call): Answer => {
  const vault = vaultOf(call)
  const item = writable(call, vault)
  const properties = fields(call.body.properties)
  if (!vmTypes.some(type => isSame(type, text(properties.protectedItemType) ?? undefined))) throw invalidRequest()
  const change = item ? changing(call, vault, item, properties) : protecting(call, vault, properties)
  const operation = beginChange(call, vault, change)
  const id = itemIdOf(vault, change.item)
  return accepted(call, operation, { status: `${id}/operationsStatus`, result: `${id}/operationResults` })
}

const deleteItem = (call: Call): Answer => {
  const vault = vaultOf(call)
  const item = writable(call, vault)
  if (!item) return { status: 204 }
  if (item.softDeleted) throw softDeleted()
  checkGuard(call, vault, 'deleteProtectedItemRequests')
  if (isImmutable(vault)) throw immutable()
  const change: Change = { kind: 'delete', item, policy: undefined, diskExclusion: undefined }
  const operation = beginChange(call, vault, change)
  return accepted(call, operation, {
    status: `${vault.id}/backupOperations`,
    result: `${vault.id}/backupOperationResults`,
  })
}

export const protectionRoutes: readonly Route[] = [
  { method: 'PUT', path: inItem, handle: putItem },
  { method: 'DELETE', path: inItem, handle: deleteItem },
]
