/**
 * Vaults: resolving the way people name one, listing them, and reading one whole.
 */
import type { Page, PageOptions } from '../arm/arm.ts'
import { missingSetting } from '../config/errors.ts'
import type { VaultEntry } from '../config/types.ts'
import { defaultVault } from '../config/vaults.ts'
import type { GetVaultInput, GetVaultOutput, ListVaultsOutput } from '../generated/tools.ts'
import { nearest } from '../nearest.ts'
import { Problem, type ProblemCode, type ProblemFacts } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import { isName, parseArmId, sameText, type VaultRef, vaultOf, vaultRef } from './arm-ids.ts'
import { type Fields, fields, flag, list, number, text, textsByName, whole } from './fields.ts'
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
  const configured = config.vaults.filter(entry => sameText(entry.name, name) && sameText(entry.resourceGroup, group))
  if (subscription === undefined && configured.length === 1 && configured[0])
    return configuredVault(configured[0], context)
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

/** The vaults of a subscription, by one list call for all bare names in it. */
const vaultsIn = (
  subscription: string,
  { arm, memory }: ToolContext,
  suffices?: (known: VaultRef[]) => boolean,
): Promise<VaultRef[]> => {
  const load = async () => {
    const found: VaultRef[] = []
    for await (const { rows } of arm.pages(`/subscriptions/${subscription}/${vaultsPath}`))
      for (const row of list(rows)) {
        const parsed = parseArmId(text(row.id) ?? '')
        const vault = parsed && vaultOf(parsed)
        if (vault) found.push(vault)
      }
    return found
  }
  return memory.recall(`vaults:${subscription}`, lifetimeMs, load, suffices)
}

const findVault = async (name: string, inSubscription: string, context: ToolContext): Promise<VaultRef> => {
  const isMeant = (vault: VaultRef) => sameText(vault.vaultName, name)
  const known = await vaultsIn(inSubscription, context, all => all.some(isMeant))
  const found = known.filter(isMeant)
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
  throw noSuchVault(name, `No vault named "${name}" is visible in subscription ${inSubscription}.`, known)
}

/** The vaults there are, nearest names first, for somebody who named one that there is not. */
const noSuchVault = (name: string, message: string, known: readonly VaultRef[], facts: ProblemFacts = {}): Problem => {
  const names = known.map(vault => vault.vaultName)
  const meant = names.find(each => sameText(each, name)) ?? nearest(name, names)
  const near = known.filter(vault => vault.vaultName === meant)
  const groups = near.map(vault => `${vault.resourceGroup}/${vault.vaultName}`)
  return new Problem(
    'not_found',
    message,
    `${groups.length > 0 ? `Did you mean ${groups.slice(0, 3).join(' or ')}? ` : ''}Use one of the candidates, or subscription/group/name for a vault of another subscription; recovery_services_list_vaults shows them.`,
    {
      ...facts,
      details: { ...facts.details, candidates: [...new Set([...near, ...known])].slice(0, 20).map(vault => vault.id) },
    },
  )
}

/** Azure's codes for a vault, a group or a subscription that is not there. */
const scopeCodes: ReadonlySet<string | undefined> = new Set([
  'ResourceNotFound',
  'ResourceGroupNotFound',
  'SubscriptionNotFound',
])

/**
 * Does work in a vault. Where Azure says that there is no such vault, the error names those that there are: one list
 * call, and only then. What was remembered of it is dropped.
 */
export const inVault = async <T>(vault: VaultRef, context: ToolContext, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem) || error.httpStatus !== 404 || !scopeCodes.has(error.azureCode)) throw error
    const { memory, signal } = context
    for (const key of ['subscriptions', `vaults:${vault.subscriptionId}`, `location:${vault.id}`]) memory.forget(key)
    const known = await vaultsIn(vault.subscriptionId, context).catch(() => undefined)
    signal.throwIfAborted()
    // Something else in the vault is missing, or the list does not tell.
    if (!known || known.some(({ id }) => sameText(id, vault.id))) throw error
    const { azureCode, httpStatus, requestId, details } = error
    const message = `There is no vault ${vault.vaultName} in resource group ${vault.resourceGroup} of subscription ${vault.subscriptionId}: ${error.message}`
    throw noSuchVault(vault.vaultName, message, known, { azureCode, httpStatus, requestId, details, cause: error })
  }
}

/** The vault that `vault` names, and work done in it. */
export const withVault = async <T>(
  given: string | undefined,
  context: ToolContext,
  work: (vault: VaultRef) => Promise<T>,
): Promise<T> => {
  const vault = await resolveVault(given, context)
  return inVault(vault, context, () => work(vault))
}

/**
 * The same for an argument that may be the id of something in a vault: that is the vault then. Throws InputError where
 * `vault` was given too and is another one.
 */
export const withVaultOf = async <T>(
  argument: string,
  id: string | undefined,
  given: string | undefined,
  context: ToolContext,
  work: (vault: VaultRef) => Promise<T>,
): Promise<T> => {
  const parsed = parseArmId(id ?? '')
  const own = parsed && vaultOf(parsed)
  if (!own) return withVault(given, context, work)
  if (given !== undefined && !(await isNamed(own, given, context)))
    throw badArgument('vault', `is ${given}, but ${argument} lies in ${own.id}; leave vault out`)
  return inVault(own, context, () => work(own))
}

/** A bare name that is not configured says less than an id, and cannot contradict it where the names are the same. */
const isNamed = async (own: VaultRef, given: string, context: ToolContext): Promise<boolean> => {
  const isConfigured = context.loaded.config.vaults.some(
    ({ key, name }) => sameText(key, given) || sameText(name, given),
  )
  if (!given.includes('/') && !isConfigured) return sameText(given, own.vaultName)
  return sameText((await resolveVault(given, context)).id, own.id)
}

/** 0, or nothing, is how some vaults say "the default". */
const softDeleteDays = (days: unknown, state: string | null): number | null =>
  whole(days) || (state === null || sameText(state, 'Disabled') ? null : 14)

/** The posture of a vault, from either side of it: newer versions tell it in the vault itself. */
const securityOf = (
  properties: Fields,
): { soft_delete: string | null; soft_delete_days: number | null; immutability: string | null } => {
  const security = fields(properties.securitySettings)
  const softDelete = fields(security.softDeleteSettings)
  return {
    soft_delete: text(softDelete.softDeleteState),
    soft_delete_days: softDeleteDays(softDelete.softDeleteRetentionPeriodInDays, text(softDelete.softDeleteState)),
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
    return part === undefined || row.vault_name.toLowerCase().includes(part.toLowerCase()) ? row : undefined
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
  const softDelete = security.soft_delete ?? text(config.softDeleteFeatureState)
  return {
    soft_delete: softDelete,
    soft_delete_days: security.soft_delete_days ?? softDeleteDays(config.softDeleteRetentionPeriodInDays, softDelete),
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
    items: rows(summary).map(({ name, value }) => ({ type: name, count: whole(value) ?? 0 })),
    // -1 is how Azure says "no limit".
    counters: rows(counters)
      .filter(row => row.value !== 0)
      .map(row => ({ ...row, limit: row.limit === -1 ? null : row.limit })),
  }
}

export const vaults = { list_vaults: listVaults, get_vault: getVault } satisfies Partial<Handlers>
