import type { ConfigTable, PlaceOf, VaultTable } from './check.ts'
import { keyPath } from './key-path.ts'
import type { Config, VaultEntry } from './types.ts'

export interface SettledVaults {
  entries: VaultEntry[]
  origins: Record<string, string>
  faults: string[]
}

/**
 * The vault that is meant where a call names none; undefined where nothing says which. An entry is marked `isDefault`
 * when the configuration is loaded: the one that says so, else the top-level `vault_name`; the only entry needs no mark.
 */
export const defaultVault = (config: Pick<Config, 'vaults'>): VaultEntry | undefined =>
  config.vaults.find(vault => vault.isDefault) ?? (config.vaults.length === 1 ? config.vaults[0] : undefined)

/** The named entries, each with what it inherits, and behind them the top-level `vault_name` if no entry is that vault. */
export const settleVaults = (table: ConfigTable, placeOf: PlaceOf): SettledVaults => {
  const origins: Record<string, string> = {}
  const named = Object.entries(table.vaults ?? {})
  const entries = named.map(([key, vault]) => settleEntry(key, vault, table, placeOf, origins))
  const marked = entries.filter(entry => entry.isDefault)
  const faults = marked.length > 1 ? [twoDefaults(marked, placeOf)] : []
  if (faults.length > 0) for (const entry of marked) entry.isDefault = false

  if (table.vault_name !== undefined) {
    origins.vault_name = placeOf(['vault_name'])
    const top = topLevelEntry(table.vault_name, table)
    const same = entries.find(entry => isSameVault(entry, top))
    if (!same) entries.push(top)
    if (marked.length === 0) (same ?? top).isDefault = true
  }
  return { entries, origins, faults }
}

const settleEntry = (
  key: string,
  vault: VaultTable,
  top: ConfigTable,
  placeOf: PlaceOf,
  origins: Record<string, string>,
): VaultEntry => {
  const own = (name: keyof VaultTable): boolean => {
    if (vault[name] === undefined) return false
    origins[keyPath(['vaults', key, name])] = placeOf(['vaults', key, name])
    return true
  }
  const inherited = (name: 'subscription_id' | 'resource_group'): string | undefined => {
    if (own(name)) return vault[name]
    if (top[name] !== undefined) origins[keyPath(['vaults', key, name])] = placeOf([name])
    return top[name]
  }
  own('name')
  own('description')
  own('is_default')
  const subscription = inherited('subscription_id')
  const resourceGroup = inherited('resource_group')
  return {
    key,
    name: vault.name,
    ...(subscription !== undefined && { subscription }),
    ...(resourceGroup !== undefined && { resourceGroup }),
    ...(vault.description !== undefined && { description: vault.description }),
    isDefault: vault.is_default === true,
  }
}

const topLevelEntry = (name: string, table: ConfigTable): VaultEntry => ({
  key: name,
  name,
  ...(table.subscription_id !== undefined && { subscription: table.subscription_id }),
  ...(table.resource_group !== undefined && { resourceGroup: table.resource_group }),
  isDefault: false,
})

/** Vault names are unique in a resource group only, so an entry of the same name may be another vault. */
const isSameVault = (entry: VaultEntry, top: VaultEntry): boolean =>
  same(entry.name, top.name) &&
  (top.resourceGroup === undefined || same(entry.resourceGroup, top.resourceGroup)) &&
  (top.subscription === undefined || same(entry.subscription, top.subscription))

const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase()

const twoDefaults = (marked: readonly VaultEntry[], placeOf: PlaceOf): string =>
  `${marked.map(({ key }) => placeOf(['vaults', key, 'is_default'])).join(' and ')} are both true; ` +
  'at most one vault can be the default.'
