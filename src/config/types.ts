/** Configuration as the rest of the program sees it: complete, checked, frozen. */
export const toolsets = [
  'vaults',
  'registration',
  'discovery',
  'policies',
  'protection',
  'backup',
  'recovery',
  'operations',
] as const
export type Toolset = (typeof toolsets)[number]

export type AuthMethod =
  | 'auto'
  | 'user'
  | 'client_secret'
  | 'client_certificate'
  | 'workload_identity'
  | 'managed_identity'
  | 'azure_cli'
  | 'access_token'

export interface VaultEntry {
  /** The KEY of `[recovery_services.vaults.KEY]`; for the top-level `vault_name` the name itself. */
  key: string
  name: string
  /** GUID or display name; inherited from the top level where the entry has none. */
  subscription?: string
  resourceGroup?: string
  description?: string
  isDefault: boolean
}

export interface Config {
  enabled: boolean
  /** GUID or display name. */
  subscription?: string
  resourceGroup?: string
  vaults: readonly VaultEntry[]
  tenantId?: string
  readOnly: boolean
  toolsets: readonly Toolset[]
  confirmation: 'elicit' | 'elicit_only' | 'argument' | 'off'
  /** Origin without a trailing slash, e.g. `https://management.azure.com`. */
  armEndpoint: string
  authorityHost: string
  apiVersion: string
  auth: { method: AuthMethod; clientId?: string; account?: string }
  http: { proxy?: string; timeoutSeconds: number; maxRetries: number }
}

/** Where a value came from, for `status` and `test_connection`: key path (`http.timeout_seconds`) to source. */
export type Origins = Readonly<Record<string, string>>

export interface LoadedConfig {
  config: Config
  /** The file that won, if one did. */
  file?: string
  origins: Origins
  /** One sentence each, for stderr. */
  warnings: readonly string[]
  /** Everything that is wrong, each with file and key. Not empty: no tool may run. */
  faults: readonly string[]
}
