/** The places that the restore of a VM needs, found by their names. */
import type { RestoreVmInput } from '../generated/tools.ts'
import type { ToolContext } from '../tools/context.ts'
import { badArgument, checkAll } from '../tools/input-error.ts'
import { parseArmId, sameText, type VaultRef } from './arm-ids.ts'
import { subscriptionId } from './subscriptions.ts'
import { checkRegion, findTarget, subnetOf, type Target, type TargetKind, targetKinds, together } from './targets.ts'

export interface RestoreTargets {
  stagingId: string
  groupId: string | undefined
  networkId: string | undefined
  subnetId: string | undefined
}

export interface FoundTargets extends RestoreTargets {
  /** Throws InputError for those that are known to lie in another region. */
  checkRegions(location: string): void
}

/** The subscription that is restored to: the given one, that of the group's id, or the vault's. */
const targetSubscription = async (input: RestoreVmInput, vault: VaultRef, context: ToolContext): Promise<string> => {
  const { target_subscription: given, target_resource_group: group } = input
  const ofGroup = parseArmId(group ?? '')?.subscriptionId
  const subscription = given === undefined ? ofGroup : await subscriptionId(given, context)
  if (ofGroup !== undefined && !sameText(ofGroup, subscription))
    throw badArgument('target_subscription', `is ${given}, but target_resource_group lies in ${ofGroup}; leave it out`)
  return subscription ?? vault.subscriptionId
}

/** One list call for each that was named; none for ids. Throws Problem that names every one that is missing. */
export const findRestoreTargets = async (
  input: RestoreVmInput,
  vault: VaultRef,
  context: ToolContext,
): Promise<FoundTargets> => {
  const subscription = await targetSubscription(input, vault, context)
  const find = async (argument: keyof RestoreVmInput, kind: TargetKind): Promise<Target | undefined> => {
    const given = input[argument]
    return typeof given === 'string' ? findTarget(argument, given, kind, subscription, context) : undefined
  }
  const [staging, group, network] = await together([
    find('staging_storage_account', targetKinds.storageAccount),
    find('target_resource_group', targetKinds.resourceGroup),
    find('target_virtual_network', targetKinds.virtualNetwork),
  ])
  const { target_subnet: subnet } = input
  return {
    stagingId: staging?.id ?? '',
    groupId: group?.id,
    networkId: network?.id,
    subnetId: network && subnet !== undefined ? subnetOf('target_subnet', subnet, network) : undefined,
    checkRegions: location =>
      checkAll(
        () => checkRegion('staging_storage_account', staging, location),
        () => checkRegion('target_virtual_network', network, location),
      ),
  }
}
