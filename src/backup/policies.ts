/** Backup policies of a vault. */
import type { Query } from '../arm/arm.ts'
import type { GetPolicyDetailsOutput, ListPoliciesOutput } from '../generated/tools.ts'
import { nearest } from '../nearest.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument, checkAll } from '../tools/input-error.ts'
import { isName, lastName, parseArmId, sameText, type VaultRef, vaultOf } from './arm-ids.ts'
import { datasources, managementTypeOf, workloadWord } from './datasources.ts'
import { type Fields, fields, flag, list, text, whole } from './fields.ts'
import { filterOf } from './filters.ts'
import { itemFilter } from './items.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { policyLines } from './policy-lines.ts'
import { isEnhanced } from './policy-shape.ts'
import { toItemRow } from './protected-items.ts'
import { checkVault, withVault, withVaultOf } from './vault-names.ts'

type PolicyRow = ListPoliciesOutput['policies'][number]

/** Of VMs only. */
export const policyTypeOf = (properties: Fields): string | null => {
  if (!sameText(text(properties.backupManagementType), 'AzureIaasVM')) return null
  return isEnhanced(properties) ? 'enhanced' : 'standard'
}

const toPolicyRow = (raw: unknown, vault: VaultRef): PolicyRow => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const managementType = text(properties.backupManagementType)
  const { schedule, retention } = policyLines(properties)
  // Policies spell it with a capital L.
  const word = text(properties.workLoadType) ?? text(properties.workloadType)
  return {
    id: text(body.id) ?? '',
    policy_name: text(body.name) ?? lastName(text(body.id) ?? ''),
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
    () => checkVault(input.vault, context),
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

/** Names of a vault's policies: one list call. */
export const policyNames = async (vault: VaultRef, { arm }: ToolContext, query: Query = {}): Promise<string[]> => {
  const names: string[] = []
  for await (const { rows } of arm.pages(`${vault.id}/backupPolicies`, query))
    names.push(...list(rows).map(row => text(row.name) ?? lastName(text(row.id) ?? '')))
  return names
}

/** One policy as Azure gives it. Where there is none, the error names those that there are: one list call, only then. */
export const readPolicy = async (name: string, vault: VaultRef, context: ToolContext): Promise<Fields> => {
  try {
    return fields(await context.arm.getResource(`${vault.id}/backupPolicies/${name}`))
  } catch (error) {
    if (!(error instanceof Problem) || error.httpStatus !== 404) throw error
    const known = await policyNames(vault, context).catch(() => undefined)
    // The vault itself may be missing, or the list does not tell.
    if (!known || known.some(each => sameText(each, name))) throw error
    const meant = nearest(name, known)
    const { azureCode, httpStatus, requestId, details } = error
    const candidates = [...new Set([...(meant === undefined ? [] : [meant]), ...known])].slice(0, 20)
    throw new Problem(
      'not_found',
      `${vault.vaultName} has no policy "${name}": ${error.message}`,
      `${meant === undefined ? '' : `Did you mean ${meant}? `}Use one of the candidates, or another vault; recovery_services_list_policies shows schedules and retention.`,
      { azureCode, httpStatus, requestId, details: { ...details, candidates }, cause: error },
    )
  }
}

type Item = NonNullable<GetPolicyDetailsOutput['protected_items']>[number]
const maxItems = 200

/** The items under a policy. A policy is told without them where they cannot be listed. */
const itemsUnder = async (
  policyName: string,
  vault: VaultRef,
  context: ToolContext,
): Promise<{ items: Item[] | null; warnings: string[] }> => {
  const query = itemFilter({ policy_name: policyName })
  const source: Source = {
    key: vault.id,
    pages: options => context.arm.pages(`${vault.id}/backupProtectedItems`, query, options),
  }
  try {
    const { rows, nextCursor } = await listRows('get_policy_details', { limit: maxItems }, [source], raw => {
      const row = toItemRow(raw, vault)
      const { id, friendly_name, vm_name, storage_account, protection_state, last_backup_status, last_backup_time } =
        row
      return sameText(row.policy_name, policyName)
        ? { id, friendly_name, vm_name, storage_account, protection_state, last_backup_status, last_backup_time }
        : undefined
    })
    const more = `These are the first ${maxItems} items; recovery_services_list_protected_items with policy_name lists them all.`
    return { items: rows, warnings: nextCursor === undefined ? [] : [more] }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { items: null, warnings: [`The items under the policy could not be listed: ${error.inOneLine}`] }
  }
}

/** SQL's own flag is the older one; newer answers have both. */
const compressionOf = ({ isCompression, issqlcompression }: Fields): boolean | null =>
  [isCompression, issqlcompression].includes(true) || (flag(isCompression) ?? flag(issqlcompression))

/** What a policy says beside its row, in words. */
export const policyFacts = (properties: Fields) => {
  const resourceGroup = fields(properties.instantRPDetails)
  const { summary, tiering, timeZone, snapshotDays, parts } = policyLines(properties)
  return {
    summary,
    tiering,
    time_zone: timeZone,
    instant_restore_days: snapshotDays,
    snapshot_resource_group_prefix: text(resourceGroup.azureBackupRGNamePrefix),
    snapshot_resource_group_suffix: text(resourceGroup.azureBackupRGNameSuffix),
    snapshot_consistency: text(properties.snapshotConsistencyType),
    compression: compressionOf(fields(properties.settings)),
    parts,
  }
}

/** The name of a policy by its name or ARM id. Throws InputError. */
export const nameIn = (given: string): string => {
  const parsed = parseArmId(given)
  const name = given.startsWith('/') ? parsed && vaultOf(parsed) && parsed.names.get('backuppolicies') : given
  if (name !== undefined && isName(name)) return name
  throw badArgument(
    'policy_name',
    'must be the name of a policy, or its ARM id as recovery_services_list_policies gives it',
  )
}

const getPolicyDetails: Handlers['get_policy_details'] = async (input, context) => {
  const given = input.policy_name
  checkAll(
    () => nameIn(given),
    () => checkVault(input.vault, context),
  )
  const name = nameIn(given)
  return withVaultOf('policy_name', given, input.vault, context, async vault => {
    const body = await readPolicy(name, vault, context)
    const { protected_items_count: count, ...row } = toPolicyRow(body, vault)
    const facts = policyFacts(fields(body.properties))
    const { items, warnings } =
      count === 0 ? { items: [], warnings: [] } : await itemsUnder(row.policy_name || name, vault, context)
    return {
      ...row,
      ...facts,
      protected_items_count: count,
      protected_items: items,
      ...(warnings.length > 0 ? { warnings } : {}),
      ...(input.include_raw ? { raw: body } : {}),
    }
  })
}

export const policies = {
  list_policies: listPolicies,
  get_policy_details: getPolicyDetails,
} satisfies Partial<Handlers>
