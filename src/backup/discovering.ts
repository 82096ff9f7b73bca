/**
 * Discovery: Azure looks for new VMs only when it is asked to (section 2.1 of the wire facts). There is no job for it, and
 * to look twice does no harm.
 */
import type { RefreshContainersInput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { filterOf } from './filters.ts'
import type { Plan, PlannedRequest } from './plans.ts'
import { postureOf } from './security.ts'
import { checkVault, withVault } from './vault-names.ts'

const usualWaitSeconds = 45

/** What a look for new machines leaves alone. */
export const kept = 'all registrations, protected items and recovery points'

/** The one request of a discovery. */
export const refreshRequest = (
  vault: VaultRef,
  managementType: RefreshContainersInput['backup_management_type'],
): PlannedRequest => ({
  method: 'POST',
  path: `${vault.id}/backupFabrics/Azure/refreshContainers`,
  // Without a filter Azure looks for VMs.
  query: filterOf({ backupManagementType: managementType }),
  ifLost: 'Nothing is changed by looking twice: call again.',
})

export const follows = 'recovery_services_track_async_operation with operation_id follows it'

/** What is looked for, and what shows it then. */
const finds = {
  AzureIaasVM: ['VMs', 'recovery_services_list_protectable_items with workload_type VM'],
  AzureWorkload: ['VMs that may hold databases', 'recovery_services_list_protectable_containers'],
  AzureStorage: ['storage accounts', 'recovery_services_list_protectable_containers'],
} as const

const refreshContainers: Handlers['refresh_containers'] = (input, context) => {
  checkVault(input.vault, context)
  const { backup_management_type: managementType } = input
  const [things, shown] = finds[managementType ?? 'AzureIaasVM']
  return withVault(input.vault, context, async vault => {
    const plan: Plan = {
      summary: `Let ${vault.vaultName} look for ${things} that it could protect.`,
      requests: [refreshRequest(vault, managementType)],
      keeps: [kept],
      loses: [],
      posture: await postureOf(vault, context),
      itemId: vault.id,
    }
    const { changed } = await carryOut('refresh_containers', input, context, plan, usualWaitSeconds)
    const messages = {
      planned: undefined,
      in_progress: `Azure is looking for ${things}; ${follows}.`,
      succeeded: `Azure has looked for ${things}; ${shown} shows them.`,
      succeeded_with_warnings: undefined,
    }
    const message = messages[changed.status]
    return { ...changed, ...(message ? { message } : {}), vault_name: vault.vaultName, item_id: null }
  })
}

export const discovering = { refresh_containers: refreshContainers } satisfies Partial<Handlers>
