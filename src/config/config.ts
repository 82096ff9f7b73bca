/**
 * The configuration, from the flags, the winning file, the environment and the defaults, in one pass that tells every
 * fault at once. With faults there is still a configuration, read-only and with defaults for what is wrong: the server
 * has to serve so that it can say what to mend.
 */
import { printable } from '../printable.ts'
import { type ConfigTable, checkTable, isTable, type PlaceOf } from './check.ts'
import { clouds, isCloudsAuthority } from './clouds.ts'
import { keyPath } from './key-path.ts'
import { type Found, findTable, type SearchDeps } from './search.ts'
import { type AuthMethod, type Config, type LoadedConfig, type Toolset, toolsets } from './types.ts'
import { settleVaults } from './vaults.ts'

export interface ConfigDeps extends SearchDeps {
  /** From flags; these win over everything. */
  overrides: { readOnly?: boolean | undefined; toolsets?: readonly Toolset[] | undefined }
  /** True: Azure is simulated, so only what concerns the tools themselves counts. */
  isSimulated?: boolean
}

/**
 * Throws ConfigError only for a file named with `--config` that is missing, cannot be read or has no table. Everything
 * else that is wrong is in `faults`.
 */
export const loadConfig = async (deps: ConfigDeps): Promise<LoadedConfig> => {
  const everything = await findTable(deps)
  const found = deps.isSimulated === true ? { ...everything, table: withoutAzure(everything.table) } : everything
  const screened = screen(found)
  const { raw, placeOf } = fillFromEnvironment(screened.table, found.file, deps.isSimulated === true ? {} : deps.env)
  const checked = await checkTable(raw, placeOf)
  const vaults = settleVaults(checked.table, placeOf)
  const off = checked.table.enabled === false ? [`${placeOf(['enabled'])} is false: no tools are served.`] : []
  const warnings = [...found.warnings, ...screened.warnings, ...checked.warnings, ...off]
  const faults = [...found.faults, ...screened.faults, ...checked.faults, ...vaults.faults]
  const { config, origins } = settle(checked.table, placeOf)
  if (!found.mayNameAuthority && !isCloudsAuthority(config.authorityHost)) {
    const place = origins.authority_host ?? 'authority_host'
    faults.push(
      `${place} names a sign-in host that is none of the Azure clouds, which is only taken from a file named with --config ` +
        'or one in ~/.codex: passwords and tokens would go there.',
    )
    config.authorityHost = clouds.AzureCloud.authorityHost
    origins.authority_host = 'default'
  }

  const { overrides } = deps
  if (overrides.toolsets) origins.toolsets = 'flag --toolsets'
  if (faults.length > 0) origins.read_only = 'the faults in the configuration'
  if (overrides.readOnly) origins.read_only = 'flag --read-only'
  return deepFreeze({
    config: {
      ...config,
      vaults: vaults.entries,
      readOnly: config.readOnly || overrides.readOnly === true || faults.length > 0,
      toolsets: [...(overrides.toolsets ?? config.toolsets)],
    },
    ...(found.file !== undefined && { file: found.file }),
    origins: { ...origins, ...vaults.origins },
    warnings,
    faults,
  })
}

/** The keys that a workspace may set, and those that could send a token elsewhere or change without asking. */
const workspaceKeys: Readonly<Record<string, 'taken' | 'refused' | 'left out'>> = {
  vaults: 'taken',
  vault_name: 'taken',
  subscription_id: 'taken',
  resource_group: 'taken',
  tenant_id: 'taken',
  read_only: 'taken',
  toolsets: 'taken',
  enabled: 'left out',
  cloud: 'refused',
  arm_endpoint: 'refused',
  authority_host: 'refused',
  auth: 'refused',
  http: 'refused',
  confirmation: 'refused',
  api_version: 'refused',
}

/** Keys that count where Azure is simulated; what is not known here stays for the check to name. */
const simulatedKeys = new Set(['read_only', 'toolsets', 'confirmation'])

const withoutAzure = (table: unknown): unknown =>
  isTable(table)
    ? Object.fromEntries(
        Object.entries(table).filter(([key]) => simulatedKeys.has(key) || !Object.hasOwn(workspaceKeys, key)),
      )
    : table

/** A file found relative to the working directory may have been written by somebody else: takes out what it may not set. */
const screen = ({ table, file, isTrusted }: Found): { table: unknown; warnings: string[]; faults: string[] } => {
  const warnings: string[] = []
  const faults: string[] = []
  if (isTrusted || !isTable(table)) return { table, warnings, faults }
  const kept = Object.entries(table).filter(([key]) => {
    const rule = Object.hasOwn(workspaceKeys, key) ? workspaceKeys[key] : 'taken' // the check names unknown keys
    if (rule === 'taken') return true
    const sentence =
      `${inFile(file)([key])} is not taken from a file in the working directory, which somebody else may have ` +
      'written; if you trust it, name it with --config.'
    if (rule === 'refused') faults.push(sentence)
    else warnings.push(sentence)
    return false
  })
  return { table: Object.fromEntries(kept), warnings, faults }
}

const environmentKeys = {
  subscription_id: 'AZURE_SUBSCRIPTION_ID',
  resource_group: 'AZURE_RESOURCE_GROUP',
  vault_name: 'AZURE_VAULT_NAME',
} as const

/** The environment fills in what the file leaves out; an empty variable counts as unset. */
const fillFromEnvironment = (
  table: unknown,
  file: string | undefined,
  env: ConfigDeps['env'],
): { raw: unknown; placeOf: PlaceOf } => {
  if (!isTable(table)) return { raw: table, placeOf: inFile(file) }
  const filled = Object.entries(environmentKeys).flatMap(([key, variable]) =>
    Object.hasOwn(table, key) || !env[variable] ? [] : [{ key, variable, value: env[variable] }],
  )
  const variables = new Map(filled.map(({ key, variable }) => [key, variable]))
  return {
    raw: { ...table, ...Object.fromEntries(filled.map(({ key, value }) => [key, value])) },
    placeOf: path => {
      const variable = variables.get(path[0] ?? '')
      return variable ? `environment ${variable}` : inFile(file)(path)
    },
  }
}

const inFile =
  (file: string | undefined): PlaceOf =>
  path =>
    `${printable(file ?? '')}: ${keyPath(['recovery_services', ...path])}`

/** Everything but the vaults, with defaults, and where each value came from. */
const settle = (table: ConfigTable, placeOf: PlaceOf) => {
  const origins: Record<string, string> = {}
  const take = <T>(value: T | undefined, ...path: string[]): T | undefined => {
    origins[keyPath(path)] = value === undefined ? 'default' : placeOf(path)
    return value
  }
  const optional = (value: string | undefined, ...path: string[]): string | undefined =>
    value === undefined ? undefined : take(value, ...path)

  const subscription = optional(table.subscription_id, 'subscription_id')
  const resourceGroup = optional(table.resource_group, 'resource_group')
  const tenantId = optional(table.tenant_id, 'tenant_id')
  const clientId = optional(table.auth?.client_id, 'auth', 'client_id')
  const account = optional(table.auth?.account, 'auth', 'account')
  const proxy = optional(table.http?.proxy, 'http', 'proxy')
  const endpoints = settleEndpoints(table, placeOf, origins)
  const config: Omit<Config, 'vaults'> = {
    enabled: take(table.enabled, 'enabled') ?? true,
    ...(subscription !== undefined && { subscription }),
    ...(resourceGroup !== undefined && { resourceGroup }),
    ...(tenantId !== undefined && { tenantId }),
    readOnly: take(table.read_only, 'read_only') ?? false,
    toolsets: [...new Set(take(table.toolsets, 'toolsets') ?? toolsets)] as Toolset[],
    confirmation: (take(table.confirmation, 'confirmation') ?? 'elicit') as Config['confirmation'],
    ...endpoints,
    apiVersion: take(table.api_version, 'api_version') ?? '2025-08-01',
    auth: {
      method: (take(table.auth?.method, 'auth', 'method') ?? 'auto') as AuthMethod,
      ...(clientId !== undefined && { clientId }),
      ...(account !== undefined && { account }),
    },
    http: {
      ...(proxy !== undefined && { proxy }),
      timeoutSeconds: take(table.http?.timeout_seconds, 'http', 'timeout_seconds') ?? 60,
      maxRetries: take(table.http?.max_retries, 'http', 'max_retries') ?? 4,
    },
  }
  return { config, origins }
}

/** The key of its own wins over the cloud's table of endpoints, that over the cloud by name. */
const settleEndpoints = (table: ConfigTable, placeOf: PlaceOf, origins: Record<string, string>) => {
  const { cloud } = table
  const byName = typeof cloud === 'string' ? clouds[cloud as keyof typeof clouds] : clouds.AzureCloud
  const byTable = typeof cloud === 'object' ? cloud : {}
  const endpoint = (key: 'arm_endpoint' | 'authority_host', fallback: string): string => {
    const own = table[key]
    const value = own ?? byTable[key]
    if (own !== undefined) origins[key] = placeOf([key])
    else if (value !== undefined) origins[key] = placeOf(['cloud', key])
    else origins[key] = typeof cloud === 'string' ? placeOf(['cloud']) : 'default'
    return new URL(value ?? fallback).origin
  }
  return {
    armEndpoint: endpoint('arm_endpoint', byName.armEndpoint),
    authorityHost: endpoint('authority_host', byName.authorityHost),
  }
}

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) deepFreeze(item)
    Object.freeze(value)
  }
  return value
}
