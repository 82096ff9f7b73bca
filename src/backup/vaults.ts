/**
 * Vaults: resolving the way people name one, listing them, and reading one whole.
 */
import { missingSetting } from '../config/errors.ts'
import type { VaultEntry } from '../config/types.ts'
import { defaultVault } from '../config/vaults.ts'
import type { GetVaultOutput, ListVaultsOutput } from '../generated/tools.ts'
import { nearest } from '../nearest.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import { isName, parseArmId, sameText, type VaultRef, vaultOf, vaultRef } from './arm-ids.ts'
import { type Fields, fields, flag, list, number, text } from './fields.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { allSubscriptions, configuredSubscription, subscriptionId } from './subscriptions.ts'

const vaultsPath = 'providers/Microsoft.RecoveryServices/vaults'
const lifetimeMs = 10 * 60_000

/**
 * The vault that an argument names: a bare name, `group/name`, `subscription/group/name`, the key of a configured vault,
 * an ARM id of it or of anything in it; the configured default where nothing is given. At most two list calls, both
 * remembered: of the subscriptions (for a display name) and of the subscription's vaults (for a bare name).
 */
export const resolveVault = async (given: string | undefined, context: ToolContext): Promise<VaultRef> => {
  const { config } = context.loaded
  if (given === undefined) {
    const entry = defaultVault(config)
    if (!entry) throw missingSetting('vault')
    return configuredVault(entry, context)
  }
  if (given.startsWith('/')) return vaultById(given)
  const parts = given.split('/')
  if (parts.length > 3 || !parts.every(isName))
    throw badArgument('vault', 'must be a name, group/name, subscription/group/name, a configured key, or an ARM id')
  const [name, group, subscription] = parts.reverse() as [string, string | undefined, string | undefined]
  if (group === undefined) return vaultByName(name, context)
  const id =
    subscription === undefined ? await configuredSubscription(context) : await subscriptionId(subscription, context)
  return vaultRef(id, group, name)
}

const vaultById = (id: string): VaultRef => {
  const parsed = parseArmId(id)
  const vault = parsed && vaultOf(parsed)
  if (!vault)
    throw badArgument(
      'vault',
      'is no ARM id of a Recovery Services vault: /subscriptions/…/resourceGroups/…/providers/Microsoft.RecoveryServices/vaults/…',
    )
  return vault
}

const configuredVault = async (entry: VaultEntry, context: ToolContext): Promise<VaultRef> => {
  const id =
    entry.subscription === undefined
      ? await configuredSubscription(context)
      : await subscriptionId(entry.subscription, context)
  return entry.resourceGroup === undefined
    ? findVault(entry.name, id, context)
    : vaultRef(id, entry.resourceGroup, entry.name)
}

const vaultByName = async (name: string, context: ToolContext): Promise<VaultRef> => {
  const { config } = context.loaded
  const byKey = config.vaults.find(({ key }) => sameText(key, name))
  if (byKey) return configuredVault(byKey, context)
  const byName = config.vaults.filter(entry => sameText(entry.name, name))
  if (byName.length > 1)
    throw new Problem(
      'ambiguous',
      `${byName.length} configured vaults are named "${name}".`,
      'Name it by its key or ARM id.',
      {
        details: { candidates: byName.map(({ key }) => key) },
      },
    )
  if (byName[0]) return configuredVault(byName[0], context)
  return findVault(name, await configuredSubscription(context), context)
}

/** One list call for all bare names of a subscription. */
const findVault = async (name: string, inSubscription: string, context: ToolContext): Promise<VaultRef> => {
  const known = await context.memory.recall(`vaults:${inSubscription}`, lifetimeMs, async () => {
    const found: VaultRef[] = []
    for await (const { rows } of context.arm.pages(`/subscriptions/${inSubscription}/${vaultsPath}`))
      for (const row of list(rows)) {
        const parsed = parseArmId(text(row.id) ?? '')
        const vault = parsed && vaultOf(parsed)
        if (vault) found.push(vault)
      }
    return found
  })
  const found = known.filter(vault => sameText(vault.vaultName, name))
  if (found.length === 1 && found[0]) return found[0]
  if (found.length > 1)
    throw new Problem(
      'ambiguous',
      `${found.length} vaults are named "${name}".`,
      'Name it as group/name or by its ARM id.',
      {
        details: { candidates: found.map(vault => vault.id) },
      },
    )
  context.memory.forget(`vaults:${inSubscription}`)
  const meant = nearest(
    name,
    known.map(vault => vault.vaultName),
  )
  throw new Problem(
    'not_found',
    `No vault named "${name}" is visible in subscription ${inSubscription}.`,
    `${meant ? `Did you mean "${meant}"? ` : ''}Use one of the candidates, or subscription/group/name for a vault of another subscription; recovery_services_list_vaults shows them.`,
    { details: { candidates: known.slice(0, 20).map(vault => vault.id) } },
  )
}

/** The posture of a vault, from either side of it: newer versions tell it in the vault itself. */
const securityOf = (
  properties: Fields,
): { soft_delete: string | null; soft_delete_days: number | null; immutability: string | null } => {
  const security = fields(properties.securitySettings)
  const softDelete = fields(security.softDeleteSettings)
  return {
    soft_delete: text(softDelete.softDeleteState),
    // 0 is how some vaults say "the default".
    soft_delete_days:
      number(softDelete.softDeleteRetentionPeriodInDays) || (text(softDelete.softDeleteState) ? 14 : null),
    immutability:
      text(fields(security.immutabilitySettings).state) ?? (security.softDeleteSettings ? 'Disabled' : null),
  }
}

const redundancyOf = (properties: Fields): { redundancy: string | null; cross_region_restore: boolean | null } => {
  const { standardTierStorageRedundancy, crossRegionRestore } = fields(properties.redundancySettings)
  return {
    redundancy: text(standardTierStorageRedundancy),
    cross_region_restore: typeof crossRegionRestore === 'string' ? sameText(crossRegionRestore, 'Enabled') : null,
  }
}

type VaultRow = ListVaultsOutput['vaults'][number]

const toVaultRow = (raw: unknown, { loaded: { config } }: ToolContext): VaultRow | undefined => {
  const body = fields(raw)
  const parsed = parseArmId(text(body.id) ?? '')
  const vault = parsed && vaultOf(parsed)
  if (!vault) return undefined
  const entry = config.vaults.find(
    each =>
      sameText(each.name, vault.vaultName) &&
      (each.resourceGroup === undefined || sameText(each.resourceGroup, vault.resourceGroup)),
  )
  const properties = fields(body.properties)
  return {
    id: text(body.id) ?? vault.id,
    vault_name: vault.vaultName,
    subscription_id: vault.subscriptionId,
    resource_group: vault.resourceGroup,
    location: text(body.location) ?? '',
    ...redundancyOf(properties),
    ...securityOf(properties),
    configured_as: entry?.key ?? null,
    is_default: entry !== undefined && entry === defaultVault(config),
  }
}

const listVaults: Handlers['list_vaults'] = async (input, context) => {
  checkCursor('list_vaults', input)
  const { resource_group: group, name_contains: part } = input
  if (group !== undefined && !isName(group)) throw badArgument('resource_group', 'is no name of a resource group')
  const given = input.subscription ?? context.loaded.config.subscription
  const ids =
    given === undefined
      ? (await allSubscriptions(context)).map(each => each.subscriptionId)
      : [await subscriptionId(given, context)]
  const scope = given !== undefined && group !== undefined ? `/resourceGroups/${group}` : ''
  const sources = ids.map(
    (id): Source => ({
      key: id,
      pages: options => context.arm.pages(`/subscriptions/${id}${scope}/${vaultsPath}`, {}, options),
    }),
  )
  const listed = await listRows('list_vaults', input, sources, raw => {
    const row = toVaultRow(raw, context)
    if (!row || (group !== undefined && !sameText(row.resource_group, group))) return undefined
    return part === undefined || row.vault_name.toLowerCase().includes(part.toLowerCase()) ? row : undefined
  })
  return answerOf('vaults', listed)
}

const getVault: Handlers['get_vault'] = async (input, context) => {
  const vault = await resolveVault(input.vault, context)
  const [raw, usage] = await Promise.all([
    context.arm.getResource(vault.id),
    input.include_usage ? readUsage(vault, context) : undefined,
  ])
  const body = fields(raw)
  const properties = fields(body.properties)
  const posture = await completePosture(vault, properties, context)
  const key = fields(fields(properties.encryption).keyVaultProperties)
  return {
    id: text(body.id) ?? vault.id,
    vault_name: text(body.name) ?? vault.vaultName,
    subscription_id: vault.subscriptionId,
    resource_group: vault.resourceGroup,
    location: text(body.location) ?? '',
    provisioning_state: text(properties.provisioningState),
    security: {
      soft_delete: posture.soft_delete,
      soft_delete_days: posture.soft_delete_days,
      immutability: posture.immutability,
      multi_user_authorization: text(fields(properties.securitySettings).multiUserAuthorization),
      encryption: text(key.keyUri) ? 'customer_managed_key' : 'microsoft_managed_key',
      encryption_key: text(key.keyUri),
      public_network_access: text(properties.publicNetworkAccess),
      private_endpoints_for_backup: text(properties.privateEndpointStateForBackup),
      secure_score: text(properties.secureScore),
    },
    redundancy: posture.redundancy,
    cross_region_restore: posture.cross_region_restore,
    cross_subscription_restore: text(
      fields(fields(properties.restoreSettings).crossSubscriptionRestoreSettings).crossSubscriptionRestoreState,
    ),
    identity: text(fields(body.identity).type),
    tags: Object.fromEntries(Object.entries(fields(body.tags)).map(([name, value]) => [name, String(value)])),
    ...(usage ? { usage } : {}),
    ...(posture.warnings.length > 0 ? { warnings: posture.warnings } : {}),
    ...(input.include_raw ? { raw: body } : {}),
  }
}

/**
 * Vaults made by older versions of the service do not tell soft delete and redundancy themselves; their two
 * configuration resources do. Those are read only where the vault is silent.
 */
const completePosture = async (vault: VaultRef, properties: Fields, { arm }: ToolContext) => {
  const security = securityOf(properties)
  const redundancy = redundancyOf(properties)
  const warnings: string[] = []
  const read = async (isMissing: boolean, path: string, what: string): Promise<Fields> => {
    if (!isMissing) return {}
    try {
      return fields(fields(await arm.get(`${vault.id}/${path}`)).properties)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      warnings.push(`${what} could not be read: ${error.message}`)
      return {}
    }
  }
  const [config, storage] = await Promise.all([
    read(security.soft_delete === null, 'backupconfig/vaultconfig', 'Soft delete'),
    read(redundancy.redundancy === null, 'backupstorageconfig/vaultstorageconfig', 'Redundancy'),
  ])
  const softDelete = security.soft_delete ?? text(config.softDeleteFeatureState)
  return {
    soft_delete: softDelete,
    soft_delete_days:
      security.soft_delete_days ?? (number(config.softDeleteRetentionPeriodInDays) || (softDelete ? 14 : null)),
    immutability: security.immutability,
    redundancy: redundancy.redundancy ?? text(storage.storageModelType),
    cross_region_restore: redundancy.cross_region_restore ?? flag(storage.crossRegionRestoreFlag),
    warnings,
  }
}

/** Protected items by management type, and the vault's counters (storage among them) that are not zero. */
const readUsage = async (vault: VaultRef, { arm }: ToolContext): Promise<NonNullable<GetVaultOutput['usage']>> => {
  const [summary, counters] = await Promise.all([
    arm.get(`${vault.id}/backupUsageSummaries`, { $filter: "type eq 'BackupProtectedItemCountSummary'" }),
    arm.get(`${vault.id}/usages`),
  ])
  const rows = (body: unknown) =>
    list(fields(body).value).map(row => ({
      name: text(fields(row.name).value) ?? '',
      value: number(row.currentValue) ?? 0,
      limit: number(row.limit),
      unit: text(row.unit),
    }))
  return {
    items: rows(summary).map(({ name, value }) => ({ type: name, count: value })),
    // -1 is how Azure says "no limit".
    counters: rows(counters)
      .filter(row => row.value !== 0)
      .map(row => ({ ...row, limit: row.limit === -1 ? null : row.limit })),
  }
}

export const vaults = { list_vaults: listVaults, get_vault: getVault } satisfies Partial<Handlers>
