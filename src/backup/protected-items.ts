/** What a vault protects. */
import type { ListProtectedItemsInput, ListProtectedItemsOutput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import { containsText, lastName, sameText, type VaultRef } from './arm-ids.ts'
import { workloadOf } from './datasources.ts'
import { fields, seconds, text, time } from './fields.ts'
import { healthOf } from './health.ts'
import { isHeldBy, itemFilter, namesOf, sourceIdOf } from './items.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { checkVault, withVault } from './vault-names.ts'

type ItemRow = ListProtectedItemsOutput['protected_items'][number]

export const toItemRow = (raw: unknown, vault: VaultRef): ItemRow => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const id = text(body.id) ?? ''
  const names = namesOf(id, properties)
  const policyId = text(properties.policyId)
  const isSoftDeleted = properties.isScheduledForDeferredDelete === true
  return {
    id,
    friendly_name: names.friendlyName,
    vault_name: vault.vaultName,
    workload_type: names.workload ?? text(properties.workloadType),
    backup_management_type: text(properties.backupManagementType),
    resource_group: names.resourceGroup,
    vm_name: names.vmName,
    instance_name: names.instanceName,
    database_name: names.databaseName,
    storage_account: names.storageAccount,
    source_id: sourceIdOf(properties),
    ...healthOf(properties),
    last_backup_time: time(properties.lastBackupTime),
    latest_recovery_point_time: time(properties.lastRecoveryPoint),
    policy_name: text(properties.policyName) ?? (policyId === null ? null : lastName(policyId)),
    is_soft_deleted: isSoftDeleted,
    soft_delete_time: isSoftDeleted ? time(properties.deferredDeleteTimeInUTC) : null,
    soft_delete_remaining_seconds: isSoftDeleted ? seconds(properties.deferredDeleteTimeRemaining) : null,
  }
}

/** The time of a backup is that of a recovery point only where it succeeded: Azure tells the time of failed ones too. */
const latestPointMs = ({ latest_recovery_point_time: point, last_backup_time: backup, ...row }: ItemRow): number => {
  if (point !== null) return Date.parse(point)
  const isSuccess = /^(Completed|CompletedWithWarnings|Healthy)$/i.test(row.last_backup_status ?? '')
  return backup !== null && isSuccess ? Date.parse(backup) : Number.NEGATIVE_INFINITY
}

type Test = (row: ItemRow, raw: unknown) => boolean

/** What Azure cannot filter by, as tests of a row. */
const testsOf = (input: ListProtectedItemsInput, nowMs: number): Test[] => {
  const { server, protection_state: state, older_than_hours: hours, name_contains: part } = input
  const tests: Test[] = []
  if (server !== undefined) tests.push(({ id }, raw) => isHeldBy(server, namesOf(id, fields(fields(raw).properties))))
  if (state === 'SoftDeleted') tests.push(row => row.is_soft_deleted)
  else if (state !== undefined) tests.push(row => sameText(row.protection_state, state) && !row.is_soft_deleted)
  if (input.unhealthy_only) tests.push(row => !row.is_healthy)
  if (hours !== undefined) {
    const beforeMs = nowMs - hours * 3_600_000
    tests.push(row => latestPointMs(row) < beforeMs)
  }
  if (part !== undefined) tests.push(row => containsText(row.friendly_name, part))
  // Azure filters by these too. A recording cannot: it answers with the nearest list that it has.
  const { workload_type: workload, backup_management_type: managementType, policy_name: policy } = input
  if (workload !== undefined) tests.push(row => workloadOf(row.workload_type, row.backup_management_type) === workload)
  if (managementType !== undefined) tests.push(row => sameText(row.backup_management_type, managementType))
  if (policy !== undefined) tests.push(row => sameText(row.policy_name, policy))
  return tests
}

const listProtectedItems: Handlers['list_protected_items'] = async (input, context) => {
  checkAll(
    () => checkCursor('list_protected_items', input),
    () => checkVault(input.vault, context),
    () => itemFilter(input),
  )
  const query = itemFilter(input)
  const tests = testsOf(input, context.clock.now())
  return withVault(input.vault, context, async vault => {
    const source: Source = {
      key: vault.id,
      pages: options => context.arm.pages(`${vault.id}/backupProtectedItems`, query, options),
    }
    const listed = await listRows('list_protected_items', input, [source], raw => {
      const row = toItemRow(raw, vault)
      return tests.every(test => test(row, raw)) ? row : undefined
    })
    return answerOf('protected_items', listed)
  })
}

export const protectedItems = { list_protected_items: listProtectedItems } satisfies Partial<Handlers>
