/** What Azure's refusals of a VM mean, with what an administrator has to know of it. */
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { sameText } from './arm-ids.ts'
import { named, sourceOf, type VmPlan } from './vm-changes.ts'
import { vmProtection } from './vm-protection.ts'

/** A refusal to protect a VM, explained where it is about the VM; else as it is. */
export const explained = async (problem: Problem, made: VmPlan, context: ToolContext): Promise<Problem> => {
  const { azureCode = '', httpStatus, requestId, details } = problem
  if (/AlreadyProtected/i.test(azureCode)) return whichVault(problem, made, context)
  if (made.item.exists || !/DataSourceObjectNotFound|InvalidConfigureProtectionRequest/i.test(azureCode)) return problem
  const { vault } = made.item
  return new Problem(
    problem.code,
    `Azure takes ${sourceOf(made.item)} for no VM that ${vault.vaultName} can protect: ${problem.message}`,
    `Check group and name. The VM has to be in the vault's region (${made.plan.posture?.location}) and subscription (${vault.subscriptionId}); recovery_services_list_protectable_items with workload_type VM shows those that are.`,
    { azureCode, httpStatus, requestId, details, cause: problem },
  )
}

/** What a vault answers for a VM that another one protects, with the name of that one: one question, only then. */
const whichVault = async (problem: Problem, { item, plan }: VmPlan, context: ToolContext): Promise<Problem> => {
  const location = plan.posture?.location ?? ''
  if (!/^[a-z0-9]+$/.test(location)) return problem
  const found = await vmProtection(sourceOf(item), location, context, [])
  if (!found?.vault_id || sameText(found.vault_id, item.vault.id)) return problem
  const { azureCode, httpStatus, requestId, details } = problem
  return new Problem(
    'conflict',
    `${named(item)} is protected by the vault ${found.vault_name}, and a VM can be protected by one only: ${problem.message}`,
    `Leave it there. To move it, delete it there with recovery_services_disable_protection (delete_backup_data, its recovery points are lost) and wait until it is gone: a soft-deleted item still counts.`,
    {
      azureCode,
      httpStatus,
      requestId,
      details: { ...details, vault_id: found.vault_id, item_id: found.item_id },
      cause: problem,
    },
  )
}
