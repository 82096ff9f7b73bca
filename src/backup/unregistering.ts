/** Unregistering a VM's databases (section 2.5 of the wire facts): the whole container goes, and only an empty one. */
import type { UnregisterVmInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import { parseArmId, sameText, type VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { candidate, registeredContainers } from './containers.ts'
import { isoTime, list } from './fields.ts'
import { filterOf } from './filters.ts'
import { machineOf } from './machines.ts'
import type { Plan } from './plans.ts'
import { toItemRow } from './protected-items.ts'
import { inWords, type Registered, readRegistered } from './registered-machines.ts'
import { type DatabaseWorkload, databases } from './registration.ts'
import { isImmutable, isSoftDeleteOn, type Posture, postureOf } from './security.ts'
import { checkVault, withVaultOf } from './vault-names.ts'

type ItemRow = ReturnType<typeof toItemRow>

/** What a vault protects, or keeps soft-deleted, of databases. One list. */
const databaseItems = async (vault: VaultRef, { arm }: ToolContext): Promise<ItemRow[]> => {
  const found: ItemRow[] = []
  const filter = filterOf({ backupManagementType: 'AzureWorkload' })
  for await (const { rows } of arm.pages(`${vault.id}/backupProtectedItems`, filter))
    found.push(...list(rows).map(row => toItemRow(row, vault)))
  return found
}

const dayMs = 24 * 3_600_000

/** The day on which a soft-deleted item is gone for good, as `2026-12-06`. */
const goneOn = (row: ItemRow, { security }: Posture, nowMs: number): string | null => {
  const { soft_delete_remaining_seconds: left, soft_delete_time: since } = row
  const days = security.soft_delete_days
  if (left !== null) return isoTime(nowMs + left * 1000).slice(0, 10)
  return since === null || days === null ? null : isoTime(Date.parse(since) + days * dayMs).slice(0, 10)
}

const shown = (row: ItemRow, posture: Posture, nowMs: number) => ({
  id: row.id,
  item: [row.vm_name, row.instance_name, row.friendly_name].filter(name => name !== null).join('/'),
  protection_state: row.protection_state,
  ...(row.is_soft_deleted ? { is_soft_deleted: true, gone_on: goneOn(row, posture, nowMs) } : {}),
})

type Shown = ReturnType<typeof shown>

const inOneLine = ({ item, protection_state: state, ...deleted }: Shown): string => {
  if (!deleted.is_soft_deleted) return `${item} (${state})`
  return `${item} (soft-deleted${deleted.gone_on ? `, gone for good on ${deleted.gone_on}` : ''})`
}

const maxNamed = 10
const maxListed = 100

const stillHeld = ({ label, containerId }: Registered, items: readonly Shown[], posture: Posture): Problem => {
  const named = items.slice(0, maxNamed).map(inOneLine)
  const more = items.length > maxNamed ? ` and ${items.length - maxNamed} more` : ''
  const { soft_delete_days: days } = posture.security
  const later = isSoftDeleteOn(posture) ? `, after which the vault keeps them soft-deleted for ${days} days` : ''
  return new Problem(
    'precondition_failed',
    `${label} cannot be unregistered from ${posture.vault.vaultName}: ${items.length === 1 ? 'an item is' : `${items.length} items are`} still in it: ${named.join(', ')}${more}.`,
    [
      items.every(each => each.is_soft_deleted)
        ? 'Wait until they are gone for good, then unregister it.'
        : isImmutable(posture)
          ? 'The vault is immutable: it lets items be deleted only when none of their recovery points must be kept any longer.'
          : `Delete the backups of what is protected (recovery_services_disable_protection with delete_backup_data)${later}; unregister it when all of them are gone for good.`,
    ].join(' '),
    { details: { container_id: containerId, count: items.length, items: items.slice(0, maxListed) } },
  )
}

/** Throws where nothing is registered, or not what was asked for alone. */
const mustBeAllOf = (machine: Registered, word: DatabaseWorkload | 'AnyDatabase', vault: VaultRef): void => {
  const { label, workloads, containerId } = machine
  if (word === 'AnyDatabase' || workloads.length === 0) return
  if (workloads.length === 1 && workloads[0] === word) return
  const isHeld = workloads.includes(word)
  throw new Problem(
    'precondition_failed',
    `${label} is registered with ${vault.vaultName} for ${inWords(workloads)}${isHeld ? ', and Azure unregisters it for all of them at once' : `, not for ${inWords([word])}`}.`,
    isHeld
      ? 'Give workload_type AnyDatabase to unregister it for all of them.'
      : `Name what it is registered for (${workloads.join(', ')}), or AnyDatabase.`,
    { details: { container_id: containerId, registered_for: [...workloads] } },
  )
}

const notRegistered = async ({ label }: Registered, vault: VaultRef, context: ToolContext): Promise<Problem> => {
  const registered = await registeredContainers(vault, context)
  return new Problem(
    'not_found',
    `${label} is not registered with ${vault.vaultName}, so there is nothing to unregister.`,
    'Use one of the candidates, which are registered, or another vault.',
    { details: { candidates: registered.slice(0, 20).map(candidate) } },
  )
}

const planOf = async (
  vault: VaultRef,
  { vm, workload_type: word }: UnregisterVmInput & { workload_type: DatabaseWorkload | 'AnyDatabase' },
  context: ToolContext,
): Promise<{ machine: Registered; plan: Plan }> => {
  const [machine, posture, all] = await Promise.all([
    readRegistered(machineOf('vm', vm), vault, context),
    postureOf(vault, context),
    databaseItems(vault, context),
  ])
  const { label, containerName, containerId, standing, container, workloads } = machine
  if (!container) throw await notRegistered(machine, vault, context)
  mustBeAllOf(machine, word, vault)
  const held = all.filter(({ id }) => sameText(parseArmId(id)?.names.get('protectioncontainers'), containerName))
  const nowMs = context.clock.now()
  if (held.length > 0)
    throw stillHeld(
      machine,
      held.map(row => shown(row, posture, nowMs)),
      posture,
    )
  const what = inWords(workloads.length > 0 ? workloads : databases)
  const plan: Plan = {
    summary: `Unregister ${label} from ${vault.vaultName}.`,
    requests: [
      {
        method: 'DELETE',
        path: containerId,
        before: standing,
        isDone: after => after.kind === 'absent',
        ifLost: 'See with recovery_services_check_registration_status whether it is still registered.',
      },
    ],
    keeps: [
      'the VM, its databases and the backups of the VM itself',
      `all recovery points: ${vault.vaultName} has none of databases in it, protected or soft-deleted`,
    ],
    loses: [
      `the registration of ${label} for ${what}: its databases cannot be protected by ${vault.vaultName} until it is registered again`,
    ],
    posture,
    itemId: containerId,
    basis: [containerId, workloads],
  }
  return { machine, plan }
}

const unregisterVm: Handlers['unregister_vm'] = async (input, context) => {
  checkAll(
    () => machineOf('vm', input.vm),
    () => checkVault(input.vault, context),
  )
  const { workload_type: word } = input
  if (word === 'VM') throw goesWithItem()
  return withVaultOf('vm', input.vm, input.vault, context, async vault => {
    const { machine, plan } = await planOf(vault, { ...input, workload_type: word }, context)
    const { changed } = await carryOut('unregister_vm', input, context, plan, 45)
    const messages = {
      in_progress: `Azure is unregistering ${machine.label}. recovery_services_track_async_operation with operation_id follows it.`,
      succeeded: `${machine.label} is no longer registered with ${vault.vaultName}.`,
    }
    return {
      ...changed,
      ...(changed.status === 'planned'
        ? {}
        : { message: messages[changed.status === 'in_progress' ? 'in_progress' : 'succeeded'] }),
      vault_name: vault.vaultName,
      item_id: null,
      container_id: machine.containerId,
      friendly_name: machine.server,
    }
  })
}

const goesWithItem = (): Problem =>
  new Problem(
    'precondition_failed',
    'The container of a VM itself is not registered by hand: it comes with its protected item and goes with it.',
    'Stop its protection with recovery_services_disable_protection instead; for the databases in it give SQL, SAPHana, SAPAse or AnyDatabase.',
  )

export const unregistering = { unregister_vm: unregisterVm } satisfies Partial<Handlers>
