/**
 * `register_vm` for a VM itself: Azure needs no registration for its backup, so the vault only has to know it. It is looked
 * for in what the vault lists, then by a discovery; what is next depends on what is found.
 */
import type { RegisterVmInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { parseArmId, sameText, type VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { follows, kept, refreshRequest } from './discovering.ts'
import { fields, list, text } from './fields.ts'
import { filterOf } from './filters.ts'
import { calledBy } from './item-state.ts'
import { type ItemNames, namesOf, sourceIdOf } from './items.ts'
import { type Machine, machineOf, vmId } from './machines.ts'
import type { Plan } from './plans.ts'
import { toItemRow } from './protected-items.ts'
import { type Posture, postureOf } from './security.ts'
import { withVaultOf } from './vault-names.ts'
import { vmProtection } from './vm-protection.ts'

const usualWaitSeconds = 45

/** A VM as a vault lists it: `itemId` is what the tools of protection take. */
interface SeenVm {
  names: ItemNames
  itemId: string
  sourceId: string | null
  /** Undefined where it is not protected. */
  item: ReturnType<typeof toItemRow> | undefined
}

type Lists = 'backupProtectedItems' | 'backupProtectableItems'

/** The VMs of that name, and of the group and subscription that are given, in one of a vault's lists. */
const seenIn = async (place: Lists, machine: Machine, vault: VaultRef, { arm }: ToolContext): Promise<SeenVm[]> => {
  const vm = machine.kind === 'container' ? machine.vm : undefined
  const name = vm?.vmName ?? (machine.kind === 'name' ? machine.name : '')
  const isMeant = (names: ItemNames, sourceId: string | null) =>
    sameText(names.vmName, name) &&
    (vm === undefined || sameText(vm.resourceGroup, names.resourceGroup)) &&
    (vm?.subscriptionId === undefined || sameText(vm.subscriptionId, parseArmId(sourceId ?? '')?.subscriptionId))
  const found: SeenVm[] = []
  const filter = filterOf({ backupManagementType: 'AzureIaasVM', friendlyName: name })
  for await (const { rows } of arm.pages(`${vault.id}/${place}`, filter))
    for (const row of list(rows)) {
      const itemId = text(row.id) ?? ''
      const properties = fields(row.properties)
      const names = namesOf(itemId, properties)
      const sourceId = sourceIdOf(properties)
      const item = place === 'backupProtectedItems' ? toItemRow(row, vault) : undefined
      if (names.workload === 'VM' && isMeant(names, sourceId)) found.push({ names, itemId, sourceId, item })
    }
  return found
}

const oneOf = (given: string, seen: readonly SeenVm[], vault: VaultRef): SeenVm | undefined => {
  if (seen.length < 2) return seen[0]
  throw new Problem(
    'ambiguous',
    `${seen.length} VMs of ${vault.vaultName} are named "${given}".`,
    'Use the id of one of the candidates, or group/vm.',
    {
      details: {
        candidates: seen.map(({ names, sourceId, itemId }) => ({
          id: sourceId ?? itemId,
          vm: [names.resourceGroup, names.vmName].filter(Boolean).join('/'),
        })),
      },
    },
  )
}

const noNeed = 'Azure needs no registration for the backup of VMs.'

/** What to do with a VM that the vault knows. */
const nextFor = ({ names, item, itemId, sourceId }: SeenVm, vault: VaultRef): string => {
  const label = calledBy(names)
  const where = `item ${sourceId ?? itemId}`
  if (!item)
    return `${noNeed} ${vault.vaultName} has discovered ${label}. Next: recovery_services_enable_protection with ${where} and a policy_name (recovery_services_list_policies with workload_type VM shows them).`
  if (item.is_soft_deleted)
    return `${noNeed} ${label} is soft-deleted in ${vault.vaultName}. Next: recovery_services_undelete_protected_item with ${where}, then recovery_services_resume_protection.`
  if (/^(ProtectionStopped|BackupsSuspended)$/i.test(item.protection_state ?? ''))
    return `${noNeed} ${vault.vaultName} has backups of ${label}, but its protection is stopped (${item.protection_state}). Next: recovery_services_resume_protection with ${where}.`
  return `${noNeed} ${vault.vaultName} protects ${label} already (${item.protection_state}, policy ${item.policy_name}).`
}

/** Throws where another vault protects the VM: none can discover it then. */
const mustBeFree = async (id: string, { vault, location }: Posture, context: ToolContext): Promise<string[]> => {
  const warnings: string[] = []
  const told = await vmProtection(id, location, context, warnings)
  if (!told?.is_protected || told.vault_name === null || sameText(told.vault_id, vault.id)) return warnings
  throw new Problem(
    'conflict',
    `${id} is protected by another vault, ${told.vault_name}, and Azure lets one vault only protect a VM.`,
    'Use that vault, or delete its backups there first (recovery_services_disable_protection with delete_backup_data).',
    { details: { vault_id: told.vault_id, item_id: told.item_id } },
  )
}

const stillUnseen = (given: string, { vault, location }: Posture): Problem =>
  new Problem(
    'not_found',
    `${vault.vaultName} has looked for VMs, and none that it could protect is called ${given}.`,
    `Check the name (group/vm or the ARM id). The vault sees VMs of its own subscription ${vault.subscriptionId} and region ${location} that no vault protects.`,
  )

/** Makes sure that a vault knows a VM, looking for new ones only where it does not. Says what is next. */
export const discoverVm = (input: RegisterVmInput, context: ToolContext): ReturnType<Handlers['register_vm']> => {
  const machine = machineOf('vm', input.vm)
  return withVaultOf('vm', input.vm, input.vault, context, async vault => {
    const [posture, ...lists] = await Promise.all([
      postureOf(vault, context),
      seenIn('backupProtectedItems', machine, vault, context),
      seenIn('backupProtectableItems', machine, vault, context),
    ])
    const known = oneOf(input.vm, lists.flat(), vault)
    const id = machine.kind === 'container' && machine.vm ? vmId(machine.vm, vault) : undefined
    const warnings = known || id === undefined ? [] : await mustBeFree(id, posture, context)
    const plan: Plan = {
      summary: known
        ? nextFor(known, vault)
        : `${noNeed} ${vault.vaultName} does not list ${input.vm} yet: let it look for new VMs.`,
      requests: known ? [] : [refreshRequest(vault, undefined)],
      keeps: [kept],
      loses: [],
      posture,
      itemId: known?.itemId ?? id ?? vault.id,
      warnings,
    }
    const { changed } = await carryOut('register_vm', input, context, plan, usualWaitSeconds)
    const result = (seen: SeenVm | undefined, message: string | undefined) => ({
      ...changed,
      ...(message === undefined ? {} : { message }),
      vault_name: vault.vaultName,
      item_id: seen?.itemId ?? null,
      container_id: null,
      friendly_name: seen?.names.vmName ?? null,
    })
    if (changed.status === 'planned') return result(known, undefined)
    if (changed.status === 'in_progress')
      return result(undefined, `Azure is looking for new VMs; ${follows}. Call again when it is done.`)
    const seen = known ?? oneOf(input.vm, await seenIn('backupProtectableItems', machine, vault, context), vault)
    if (!seen) throw stillUnseen(input.vm, posture)
    return result(seen, nextFor(seen, vault))
  })
}
