/** What can be said about the restore of a VM, and which of it each way needs (section 9.1 of the wire facts). */
import type { RestoreVmInput } from '../generated/tools.ts'
import { badArgument, checkAll, type Fault, InputError, pointerTo } from '../tools/input-error.ts'
import { isName, parseArmId, sameText } from './arm-ids.ts'
import { checkTarget, targetKinds } from './targets.ts'

export type RestoreMode = RestoreVmInput['restore_mode']

type Option = Exclude<keyof RestoreVmInput, 'vault' | 'item' | 'workload_type' | 'restore_mode'>

/** What a mode does, and its options: needed ones, and those it can have. Options that no row names are of every mode. */
const modes: Readonly<Record<RestoreMode, { does: string; needs: readonly Option[]; may: readonly Option[] }>> = {
  original: { does: "replaces the VM's own disks", needs: ['staging_storage_account'], may: [] },
  alternate: {
    does: 'makes a new VM',
    needs: ['staging_storage_account', 'target_resource_group', 'target_virtual_network', 'target_subnet'],
    may: ['target_vm_name', 'target_zone', 'target_subscription'],
  },
  disks: {
    does: 'restores disks only',
    needs: ['staging_storage_account'],
    may: ['target_resource_group', 'target_zone', 'target_subscription', 'restore_only_os_disk', 'disk_luns'],
  },
}
const ofSomeModes = new Set(Object.values(modes).flatMap(({ needs, may }) => [...needs, ...may]))

/** Without a group the disks become files in the staging account, which have none of these. */
const ofManagedDisks: readonly Option[] = ['target_zone', 'target_subscription', 'disk_encryption_set']

const checkModeOptions = (input: RestoreVmInput): void => {
  const { restore_mode: mode } = input
  const { does, needs, may } = modes[mode]
  const isGiven = (option: Option) => input[option] !== undefined && input[option] !== false
  const faults: Fault[] = [
    ...needs
      .filter(option => !isGiven(option))
      .map(option => ({ path: pointerTo(option), message: `is needed: restore_mode ${mode} ${does}` })),
    ...[...ofSomeModes]
      .filter(option => isGiven(option) && !needs.includes(option) && !may.includes(option))
      .map(option => ({ path: pointerTo(option), message: `must be left out: restore_mode ${mode} ${does}` })),
  ]
  if (mode === 'disks' && !isGiven('target_resource_group'))
    for (const option of ofManagedDisks)
      if (isGiven(option))
        faults.push({ path: pointerTo(option), message: 'is for managed disks: give target_resource_group too' })
  if (faults.length > 0) throw new InputError(faults)
}

/** What no name of a VM may hold, as Azure's rules for names of resources say. */
const notInVmNames = /[\s\p{Cc}~!@#$%^&*()=+_[\]{}\\|;:.'",<>/?]/u

/** Windows takes fewer letters than Linux. */
export const vmNameLength = (osType: string | null): number => (sameText(osType, 'Linux') ? 64 : 15)

const checkVmName = ({ target_vm_name: name }: RestoreVmInput): void => {
  if (name === undefined) return
  if (notInVmNames.test(name) || !/^[^-].*[^-]$|^[^-]$/u.test(name) || name.length > vmNameLength('Linux'))
    throw badArgument(
      'target_vm_name',
      'must be 1 to 64 letters, digits and hyphens (Windows: 15), without a hyphen at either end',
    )
}

/** Throws InputError unless the text is the ARM id of a resource of that type. */
const checkId = (argument: string, given: string | undefined, type: string): void => {
  if (given === undefined) return
  const parsed = parseArmId(given)
  if (!parsed?.resourceGroup || !sameText(`${parsed.provider}/${parsed.type}`, type))
    throw badArgument(argument, `must be the ARM id of a resource of type ${type}`)
}

export const systemIdentity = 'system'

const checkSubnet = ({ target_subnet: given }: RestoreVmInput): void => {
  if (given?.startsWith('/')) checkId('target_subnet', given, 'Microsoft.Network/virtualNetworks/subnets')
  else if (given !== undefined && !isName(given)) throw badArgument('target_subnet', 'must be a name or an ARM id')
}

const checkRehydration = ({ rehydration_priority: priority, rehydration_days: days }: RestoreVmInput): void => {
  if ((priority === undefined) === (days === undefined)) return
  const [missing, given] = priority === undefined ? ['priority', 'days'] : ['days', 'priority']
  throw badArgument(`rehydration_${missing}`, `is needed with rehydration_${given}`)
}

/** Throws InputError with everything that is wrong with the options, whatever the vault has. */
export const checkRestoreOptions = (input: RestoreVmInput): void => {
  const { managed_identity: identity, disk_luns: luns, restore_only_os_disk: isOsOnly } = input
  checkAll(
    () => checkModeOptions(input),
    () => {
      if (input.secondary_region)
        throw badArgument('secondary_region', 'this version cannot restore to the paired region; leave it out')
    },
    () => checkTarget('staging_storage_account', input.staging_storage_account, targetKinds.storageAccount),
    () => checkTarget('target_resource_group', input.target_resource_group, targetKinds.resourceGroup),
    () => checkTarget('target_virtual_network', input.target_virtual_network, targetKinds.virtualNetwork),
    () => checkSubnet(input),
    () => checkVmName(input),
    () => {
      if (identity === undefined || sameText(identity, systemIdentity)) return
      checkId('managed_identity', identity, 'Microsoft.ManagedIdentity/userAssignedIdentities')
    },
    () => checkId('disk_encryption_set', input.disk_encryption_set, 'Microsoft.Compute/diskEncryptionSets'),
    () => checkRehydration(input),
    () => {
      if (isOsOnly && luns !== undefined)
        throw badArgument('disk_luns', 'contradicts restore_only_os_disk; leave one of them out')
    },
  )
}
