/** Backup policies of a vault. */
import type { ListPoliciesOutput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { datasources, managementTypeOf, workloadWord } from './datasources.ts'
import { fields, text, whole } from './fields.ts'
import { filterOf } from './filters.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { policyLines } from './policy-lines.ts'
import { withVault } from './vault-names.ts'

type PolicyRow = ListPoliciesOutput['policies'][number]

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
    policy_type:
      managementType === 'AzureIaasVM' ? (text(properties.policyType) === 'V2' ? 'enhanced' : 'standard') : null,
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
    return answerOf('policies', await listRows('list_policies', input, [source], raw => toPolicyRow(raw, vault)))
  })
}

export const policies = { list_policies: listPolicies } satisfies Partial<Handlers>
