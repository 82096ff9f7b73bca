/** Backup policies of a vault. */
import type { ListPoliciesOutput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import { sameText, type VaultRef } from './arm-ids.ts'
import { datasources, managementTypeOf, workloadWord } from './datasources.ts'
import { type Fields, fields, text, whole } from './fields.ts'
import { filterOf } from './filters.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { named } from './policy-enums.ts'
import { policyLines } from './policy-lines.ts'
import { withVault } from './vault-names.ts'

type PolicyRow = ListPoliciesOutput['policies'][number]

/** Of VMs only. Where the policy does not say, its schedule does: the nested form is that of enhanced policies. */
const policyTypeOf = (properties: Fields): string | null => {
  if (!sameText(text(properties.backupManagementType), 'AzureIaasVM')) return null
  const schedule = text(fields(properties.schedulePolicy).schedulePolicyType)
  const version =
    named(properties.policyType, 'policyType') ?? (sameText(schedule, 'SimpleSchedulePolicyV2') ? 'V2' : 'V1')
  return version === 'V2' ? 'enhanced' : 'standard'
}

const toPolicyRow = (raw: unknown, vault: VaultRef): PolicyRow => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const managementType = text(properties.backupManagementType) ?? ''
  const { schedule, retention } = policyLines(properties)
  // Policies spell it with a capital L.
  const word = text(properties.workLoadType) ?? text(properties.workloadType)
  return {
    id: text(body.id) ?? '',
    policy_name: text(body.name) ?? '',
    vault_name: vault.vaultName,
    workload_type: workloadWord(word, managementType),
    backup_management_type: managementType,
    policy_type: policyTypeOf(properties),
    schedule,
    retention,
    protected_items_count: whole(properties.protectedItemsCount),
  }
}

const listPolicies: Handlers['list_policies'] = async (input, context) => {
  checkAll(
    () => checkCursor('list_policies', input),
    () => managementTypeOf(input),
  )
  const { workload_type: workload } = input
  const managementType = managementTypeOf(input)
  const query = filterOf({
    backupManagementType: managementType,
    workloadType: workload && managementType === 'AzureWorkload' ? datasources[workload].azureWord : undefined,
  })
  return withVault(input.vault, context, async vault => {
    const source: Source = {
      key: vault.id,
      pages: options => context.arm.pages(`${vault.id}/backupPolicies`, query, options),
    }
    const listed = await listRows('list_policies', input, [source], raw => {
      const row = toPolicyRow(raw, vault)
      // Azure filters by these too. A recording cannot: it answers with the nearest list that it has.
      if (workload !== undefined && row.workload_type !== workload) return undefined
      return managementType === undefined || sameText(row.backup_management_type, managementType) ? row : undefined
    })
    return answerOf('policies', listed)
  })
}

export const policies = { list_policies: listPolicies } satisfies Partial<Handlers>
