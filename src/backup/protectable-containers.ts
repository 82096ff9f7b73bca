/** What could be registered in a vault: VMs that may hold databases, and storage accounts. */
import type { ListProtectableContainersOutput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import { lastName, parseArmId, sameText, type VaultRef } from './arm-ids.ts'
import { fields, text } from './fields.ts'
import { filterOf } from './filters.ts'
import { inGroup } from './items.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { checkVault, withVault } from './vault-names.ts'

type ContainerRow = ListProtectableContainersOutput['containers'][number]

/** What is registered by hand. Containers of VMs come with their protection, those of agents with the agent. */
const registrable = ['AzureWorkload', 'AzureStorage'] as const

const toContainerRow = (raw: unknown, vault: VaultRef): ContainerRow => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const id = text(body.id) ?? ''
  // The `name` beside the id is cut short at times.
  const name = parseArmId(id)?.names.get('protectablecontainers') ?? text(body.name) ?? lastName(id)
  const type = text(properties.protectableContainerType)
  const told =
    text(properties.backupManagementType) ?? (/^storage/i.test(type ?? name) ? 'AzureStorage' : 'AzureWorkload')
  const managementType = registrable.find(each => sameText(each, told)) ?? told // `AzureWorkLoad` occurs
  const sourceId = text(properties.containerId)
  const source = parseArmId(sourceId ?? '')?.names
  const [, group, place] = inGroup.exec(name) ?? []
  const friendlyName = text(properties.friendlyName) ?? place ?? name
  const isAccount = managementType === 'AzureStorage'
  return {
    id,
    friendly_name: friendlyName,
    vault_name: vault.vaultName,
    container_name: name,
    container_type: type,
    backup_management_type: managementType,
    health: text(properties.healthStatus),
    source_id: sourceId,
    resource_group: source?.get('resourcegroups') ?? group ?? null,
    vm_name: isAccount ? null : (source?.get('virtualmachines') ?? place ?? friendlyName),
    storage_account: isAccount ? (source?.get('storageaccounts') ?? place ?? friendlyName) : null,
  }
}

const listProtectableContainers: Handlers['list_protectable_containers'] = async (input, context) => {
  checkAll(
    () => checkCursor('list_protectable_containers', input),
    () => checkVault(input.vault, context),
  )
  const { backup_management_type: asked } = input
  return withVault(input.vault, context, async vault => {
    const sources = (asked ? [asked] : registrable).map(
      (managementType): Source => ({
        key: managementType,
        pages: options =>
          context.arm.pages(
            `${vault.id}/backupFabrics/Azure/protectableContainers`,
            filterOf({ backupManagementType: managementType }),
            options,
          ),
      }),
    )
    const listed = await listRows('list_protectable_containers', input, sources, (raw, managementType) => {
      const row = toContainerRow(raw, vault)
      // Azure filters by it too. A recording cannot: it answers with the nearest list that it has.
      return row.backup_management_type === managementType ? row : undefined
    })
    return answerOf('containers', listed)
  })
}

export const protectableContainers = {
  list_protectable_containers: listProtectableContainers,
} satisfies Partial<Handlers>
