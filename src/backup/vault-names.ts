/**
 * The vault that a caller means, and work done in it: a vault has a name, a key in the configuration, an id, or is the
 * default; and where Azure says that there is none, the error names those that there are.
 */
import { missingSetting } from '../config/errors.ts'
import type { VaultEntry } from '../config/types.ts'
import { defaultVault } from '../config/vaults.ts'
import { nearest } from '../nearest.ts'
import { Problem, type ProblemFacts } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import { isName, parseArmId, sameText, type VaultRef, vaultOf, vaultRef } from './arm-ids.ts'
import { list, text } from './fields.ts'
import { configuredSubscription, subscriptionId } from './subscriptions.ts'

export const vaultsPath = 'providers/Microsoft.RecoveryServices/vaults'
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
    if (!entry) throw config.vaults.length > 0 ? noDefault(config.vaults) : missingSetting('vault')
    return configuredVault(entry, context)
  }
  if (given.startsWith('/')) return vaultById(given)
  const byKey = keyed(given, context)
  if (byKey) return configuredVault(byKey, context)
  const { name, group, subscription } = partsOf(given)
  if (group === undefined) return vaultByName(name, context)
  const configured = config.vaults.filter(entry => sameText(entry.name, name) && sameText(entry.resourceGroup, group))
  if (subscription === undefined && configured.length === 1 && configured[0])
    return configuredVault(configured[0], context)
  const id =
    subscription === undefined ? await configuredSubscription(context) : await subscriptionId(subscription, context)
  return vaultRef(id, group, name)
}

/** Throws InputError for what can name no vault; nothing is sent for that. */
export const checkVault = (given: string | undefined, context: ToolContext): void => {
  if (given?.startsWith('/')) vaultById(given)
  else if (given !== undefined && !keyed(given, context)) partsOf(given)
}

const keyed = (given: string, { loaded: { config } }: ToolContext): VaultEntry | undefined =>
  config.vaults.find(({ key }) => sameText(key, given))

const partsOf = (given: string) => {
  const [name = '', group, ...outer] = given.split('/').reverse()
  if (!isName(name) || (group !== undefined && !isName(group)))
    throw badArgument('vault', 'must be a name, group/name, subscription/group/name, a configured key, or an ARM id')
  // A subscription may be called nearly anything: "Pay-As-You-Go Dev/Test".
  return { name, group, subscription: outer.length > 0 ? outer.reverse().join('/') : undefined }
}

const noDefault = (configured: readonly VaultEntry[]): Problem => {
  const keys = configured.map(({ key }) => key)
  return new Problem(
    'not_configured',
    `No vault was given, and none of the configured ones (${keys.join(', ')}) is the default.`,
    'Name one of them in the tool argument `vault`, or set is_default = true for one in the configuration file.',
    { details: { candidates: keys } },
  )
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

/** Told once: what fails for it is not looked into again. */
class NoSuchVault extends Problem {}

/** The vaults there are, nearest names first, for somebody who named one that there is not. */
const noSuchVault = (
  name: string,
  message: string,
  known: readonly VaultRef[],
  facts: ProblemFacts = {},
): NoSuchVault => {
  const names = known.map(vault => vault.vaultName)
  const meant = names.find(each => sameText(each, name)) ?? nearest(name, names)
  const near = known.filter(vault => vault.vaultName === meant)
  const groups = near.map(vault => `${vault.resourceGroup}/${vault.vaultName}`)
  return new NoSuchVault(
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
 * The error that names the vaults there are, where a 404 means that there is no such vault: one list call, and only where
 * Azure's code may mean it. Undefined where something else in the vault is missing. Throws `error` where neither
 * the list nor Azure's sentence tells. What was remembered of the vault is dropped.
 */
export const noVault = async (
  vault: VaultRef,
  error: Problem,
  context: ToolContext,
): Promise<NoSuchVault | undefined> => {
  if (error.httpStatus !== 404 || !scopeCodes.has(error.azureCode)) return undefined
  if (error instanceof NoSuchVault) return error
  if (error.details?.candidates !== undefined) return undefined // found missing among what the vault does have
  const { memory, signal } = context
  for (const key of ['subscriptions', `vaults:${vault.subscriptionId}`, `location:${vault.id}`]) memory.forget(key)
  const known = await vaultsIn(vault.subscriptionId, context).catch(() => undefined)
  signal.throwIfAborted()
  if (
    !known &&
    (error.azureCode !== 'ResourceNotFound' || /'Microsoft\.RecoveryServices\/vaults\/[^/']+'/i.test(error.message))
  )
    throw error
  if (!known || known.some(({ id }) => sameText(id, vault.id))) return undefined
  const { azureCode, httpStatus, requestId, details } = error
  const message = `There is no vault ${vault.vaultName} in resource group ${vault.resourceGroup} of subscription ${vault.subscriptionId}: ${error.message}`
  return noSuchVault(vault.vaultName, message, known, { azureCode, httpStatus, requestId, details, cause: error })
}

/** Does work in a vault. Where Azure says that there is no such vault, the error names those that there are. */
export const inVault = async <T>(vault: VaultRef, context: ToolContext, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw (error instanceof Problem && (await noVault(vault, error, context))) || error
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
  // A name out of another service's vault would mean something else in the one that is not named.
  if (!own && parsed && /^[^/]*vaults\//.test(parsed.type))
    throw badArgument(argument, 'is the id of something in no Recovery Services vault')
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
