/** Vaults: listing them, and reading one whole. */
import type { Page, PageOptions } from '../arm/arm.ts'
import type { VaultEntry } from '../config/types.ts'
import { defaultVault } from '../config/vaults.ts'
import type { GetVaultInput, GetVaultOutput, ListVaultsOutput } from '../generated/tools.ts'
import { Problem, type ProblemCode } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument, checkAll } from '../tools/input-error.ts'
import { containsText, isName, parseArmId, sameText, type VaultRef, vaultOf } from './arm-ids.ts'
import { type Fields, fields, flag, list, number, text, textsByName, whole } from './fields.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { securityOf, setting, softDeleteOf } from './security.ts'
import { allSubscriptions, subscriptionId } from './subscriptions.ts'
import { vaultsPath, withVault } from './vault-names.ts'

const redundancyOf = (properties: Fields): { redundancy: string | null; cross_region_restore: boolean | null } => {
  const { standardTierStorageRedundancy, crossRegionRestore } = fields(properties.redundancySettings)
  return {
    redundancy: setting(standardTierStorageRedundancy),
    cross_region_restore: typeof crossRegionRestore === 'string' ? sameText(crossRegionRestore, 'Enabled') : null,
  }
}

type VaultRow = ListVaultsOutput['vaults'][number]

/** Configured vaults with their subscription as an id, where it is known without asking much. */
const configuredVaults = (context: ToolContext): Promise<Configured[]> =>
  Promise.all(context.loaded.config.vaults.map(async entry => ({ entry, inSubscription: await idOf(entry, context) })))

interface Configured {
  entry: VaultEntry
  inSubscription: string | undefined
}

/** Undefined where none is configured, or where it has a name that no visible subscription has. */
const idOf = async ({ subscription }: VaultEntry, context: ToolContext): Promise<string | undefined> => {
  try {
    return subscription === undefined ? undefined : await subscriptionId(subscription, context)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return undefined
  }
}

/** An unset group or subscription fits any. */
const isEntryOf = ({ entry, inSubscription }: Configured, vault: VaultRef): boolean =>
  sameText(entry.name, vault.vaultName) &&
  sameText(entry.resourceGroup ?? vault.resourceGroup, vault.resourceGroup) &&
  sameText(inSubscription ?? vault.subscriptionId, vault.subscriptionId)

const toVaultRow = (
  raw: unknown,
  configured: readonly Configured[],
  byDefault: VaultEntry | undefined,
): VaultRow | undefined => {
  const body = fields(raw)
  const parsed = parseArmId(text(body.id) ?? '')
  const vault = parsed && vaultOf(parsed)
  if (!vault) return undefined
  const entry = configured.find(each => isEntryOf(each, vault))?.entry
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
    is_default: entry !== undefined && entry === byDefault,
  }
}

const checkGroup = (group: string | undefined): void => {
  if (group !== undefined && !isName(group)) throw badArgument('resource_group', 'is no name of a resource group')
}

const listVaults: Handlers['list_vaults'] = async (input, context) => {
  const { resource_group: group, name_contains: part } = input
  checkAll(
    () => checkCursor('list_vaults', input),
    () => checkGroup(group),
  )
  const given = input.subscription ?? context.loaded.config.subscription
  const ids =
    given === undefined
      ? (await allSubscriptions(context)).map(each => each.subscriptionId)
      : [await subscriptionId(given, context)]
  const scope = given !== undefined && group !== undefined ? `/resourceGroups/${group}` : ''
  const warnings: string[] = []
  const sources = ids.map((id): Source => {
    const path = `/subscriptions/${id}${scope}/${vaultsPath}`
    const pages = (options: PageOptions) => context.arm.pages(path, {}, options)
    return { key: id, pages: given === undefined ? options => orWarning(pages(options), id, warnings) : pages }
  })
  const configured = await configuredVaults(context)
  const byDefault = defaultVault(context.loaded.config)
  const listed = await listRows('list_vaults', input, sources, raw => {
    const row = toVaultRow(raw, configured, byDefault)
    if (!row || (group !== undefined && !sameText(row.resource_group, group))) return undefined
    return part === undefined || containsText(row.vault_name, part) ? row : undefined
  })
  return { ...answerOf('vaults', listed), ...(warnings.length > 0 ? { warnings } : {}) }
}

/** Troubles of one subscription: no right in it, gone, or never used for backup. */
const ofOneSubscription: ReadonlySet<ProblemCode> = new Set(['forbidden', 'not_found', 'precondition_failed'])

/** The pages of one of many subscriptions: where it cannot be listed the others still are, and that is said. */
async function* orWarning(pages: AsyncIterable<Page>, subscription: string, warnings: string[]): AsyncGenerator<Page> {
  try {
    yield* pages
  } catch (error) {
    if (!(error instanceof Problem) || !ofOneSubscription.has(error.code)) throw error
    warnings.push(`Vaults of subscription ${subscription} are left out: ${error.message}`)
  }
}

const getVault: Handlers['get_vault'] = (input, context) =>
  withVault(input.vault, context, vault => readVault(vault, input, context))

const readVault = async (vault: VaultRef, input: GetVaultInput, context: ToolContext): Promise<GetVaultOutput> => {
  const [raw, usage] = await Promise.all([
    context.arm.getResource(vault.id),
    input.include_usage ? readUsage(vault, context) : undefined,
  ])
  const body = fields(raw)
  const properties = fields(body.properties)
  const posture = await completePosture(vault, properties, context)
  const security = fields(properties.securitySettings)
  const immutability = fields(fields(security.immutabilitySettings).configuration)
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
      immutability_type: text(immutability.type),
      immutability_days: whole(immutability.durationInDays),
      multi_user_authorization: setting(security.multiUserAuthorization),
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
    tags: Object.fromEntries(textsByName(body.tags)),
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
  const configured = softDeleteOf(config)
  return {
    soft_delete: security.soft_delete ?? configured.soft_delete,
    soft_delete_days: security.soft_delete_days ?? configured.soft_delete_days,
    immutability: security.immutability,
    redundancy: redundancy.redundancy ?? setting(storage.storageModelType),
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
    items: rows(summary).map(({ name, value }) => ({ type: name, count: whole(value) ?? 0 })),
    // -1 is how Azure says "no limit".
    counters: rows(counters)
      .filter(row => row.value !== 0)
      .map(row => ({ ...row, limit: row.limit === -1 ? null : row.limit })),
  }
}

export const vaults = { list_vaults: listVaults, get_vault: getVault } satisfies Partial<Handlers>
