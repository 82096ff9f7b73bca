/** What a vault protects. */
import type { ListProtectedItemsInput, ListProtectedItemsOutput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import { lastName, sameText, type VaultRef } from './arm-ids.ts'
import { datasources, managementTypeOf } from './datasources.ts'
import { type Fields, fields, list, seconds, text, texts, time } from './fields.ts'
import { filterOf } from './filters.ts'
import { namesOf } from './items.ts'
import { answerOf, checkCursor, listRows } from './lists.ts'
import { resolveVault } from './vaults.ts'

type ItemRow = ListProtectedItemsOutput['protected_items'][number]

/** Words of any of the health fields that mean trouble. */
const unhealthyWords: ReadonlySet<string> = new Set([
  'unhealthy',
  'protectionerror',
  'actionrequired',
  'actionsuggested',
  'notreachable',
  'failed',
])
const isTrouble = (word: string | null): boolean => word !== null && unhealthyWords.has(word.toLowerCase())

/** The newest fault that Azure tells of an item: databases have one field for it, VMs and shares a list each. */
const errorOf = (properties: Fields): ItemRow['error'] => {
  const last = fields(properties.lastBackupErrorDetail)
  const lastCode = text(last.code)
  if (lastCode !== null && lastCode !== 'Success')
    return {
      code: lastCode,
      title: null,
      message: text(last.message) ?? '',
      recommendations: texts(last.recommendations),
    }
  const kpis = Object.values(fields(properties.kpisHealths)).flatMap(kpi => list(fields(kpi).resourceHealthDetails))
  // Code 0 and the two "…Default" codes of VMs (400239 and its kin) say that all is well.
  const found = [...kpis, ...list(properties.healthDetails)].find(
    detail => detail.code !== 0 && !/^Success$|HealthGreen/.test(text(detail.title) ?? ''),
  )
  if (!found) return null
  return {
    code: String(found.code),
    title: text(found.title),
    message: text(found.message) ?? '',
    recommendations: texts(found.recommendations),
  }
}

export const toItemRow = (raw: unknown, vault: VaultRef): ItemRow => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const id = text(body.id) ?? ''
  const names = namesOf(id, properties)
  const policyId = text(properties.policyId)
  const extended = fields(properties.extendedInfo)
  const health =
    text(properties.protectedItemHealthStatus) ?? text(properties.healthStatus) ?? text(properties.protectionStatus)
  const state = text(properties.protectionState)
  const lastStatus = text(properties.lastBackupStatus) ?? text(extended.lastBackupStatus)
  const isSoftDeleted = properties.isScheduledForDeferredDelete === true
  return {
    id,
    friendly_name: names.friendlyName,
    vault_name: vault.vaultName,
    workload_type: names.workload ?? text(properties.workloadType) ?? '',
    backup_management_type: text(properties.backupManagementType) ?? '',
    resource_group: names.resourceGroup,
    vm_name: names.vmName ?? text(properties.computerName),
    instance_name: names.instanceName,
    database_name: names.databaseName,
    storage_account: names.storageAccount,
    source_id: text(properties.virtualMachineId) ?? text(properties.sourceResourceId),
    protection_state: state,
    health,
    is_healthy: ![health, state, lastStatus, text(properties.protectionStatus)].some(isTrouble),
    last_backup_status: lastStatus,
    last_backup_time: time(properties.lastBackupTime),
    latest_recovery_point_time: time(properties.lastRecoveryPoint),
    policy_name: text(properties.policyName) ?? (policyId === null ? null : lastName(policyId)),
    is_soft_deleted: isSoftDeleted,
    soft_delete_time: isSoftDeleted ? time(properties.deferredDeleteTimeInUTC) : null,
    soft_delete_remaining_seconds: isSoftDeleted ? seconds(properties.deferredDeleteTimeRemaining) : null,
    error: errorOf(properties),
  }
}

type Test = (row: ItemRow, raw: unknown) => boolean

const contains = (whole: string | null, part: string): boolean =>
  whole?.toLowerCase().includes(part.toLowerCase()) ?? false

/** What Azure cannot filter by, as tests of a row. */
const testsOf = (input: ListProtectedItemsInput, nowMs: number): Test[] => {
  const { server, protection_state: state, older_than_hours: hours, name_contains: part } = input
  const tests: Test[] = []
  if (server !== undefined)
    tests.push(({ vm_name, storage_account }, raw) =>
      [vm_name, storage_account, text(fields(fields(raw).properties).serverName)].some(name => sameText(name, server)),
    )
  if (state === 'SoftDeleted') tests.push(row => row.is_soft_deleted)
  else if (state !== undefined) tests.push(row => row.protection_state === state && !row.is_soft_deleted)
  if (input.unhealthy_only) tests.push(row => !row.is_healthy)
  if (hours !== undefined) {
    const beforeMs = nowMs - hours * 3_600_000
    tests.push(row => Date.parse(row.latest_recovery_point_time ?? row.last_backup_time ?? '1970-01-01') < beforeMs)
  }
  if (part !== undefined) tests.push(row => contains(row.friendly_name, part))
  // Azure filters by these too. A recording cannot: it answers with the nearest list that it has.
  const { workload_type: workload, backup_management_type: managementType, policy_name: policy } = input
  if (workload !== undefined) tests.push(row => row.workload_type === workload)
  if (managementType !== undefined) tests.push(row => row.backup_management_type === managementType)
  if (policy !== undefined) tests.push(row => sameText(row.policy_name, policy))
  return tests
}

const listProtectedItems: Handlers['list_protected_items'] = async (input, context) => {
  checkCursor('list_protected_items', input)
  const managementType = managementTypeOf(input)
  const vault = await resolveVault(input.vault, context)
  const query = filterOf({
    backupManagementType: managementType,
    itemType: input.workload_type && datasources[input.workload_type].azureWord,
    policyName: input.policy_name,
  })
  const tests = testsOf(input, context.clock.now())
  const source = {
    key: vault.vaultName,
    pages: (options: object) => context.arm.pages(`${vault.id}/backupProtectedItems`, query, options),
  }
  const listed = await listRows('list_protected_items', input, [source], raw => {
    const row = toItemRow(raw, vault)
    return tests.every(test => test(row, raw)) ? row : undefined
  })
  return answerOf('protected_items', listed)
}

export const protectedItems = { list_protected_items: listProtectedItems } satisfies Partial<Handlers>
