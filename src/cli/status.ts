import { networkRemedy } from '../arm/connection-remedies.ts'
import { AuthError } from '../auth/auth-error.ts'
import type { Credentials, SignIn } from '../auth/tokens.ts'
import { isoTime } from '../backup/fields.ts'
import { loadConfig } from '../config/config.ts'
import { keyPath } from '../config/key-path.ts'
import type { Config, LoadedConfig, Origins, VaultEntry } from '../config/types.ts'
import { defaultVault } from '../config/vaults.ts'
import type { OpenSignIn } from '../sign-in.ts'
import { faultLine } from './loaded.ts'
import { toServing, type Values } from './options.ts'
import { render } from './render.ts'
import type { CliIo, ServingOptions } from './runtime-types.ts'

/** `status`: who is signed in, the configuration in force and where each value came from; 2 where that is bad. */
export const statusCommand = async (values: Values, io: CliIo): Promise<number> => {
  const options = toServing(values)
  const loaded = await loadedFor(options, io)
  const signIn = options.simulate
    ? { method: null, why: 'Azure is simulated; nobody signs in' }
    : loaded.faults.length > 0
      ? { method: null, why: 'the configuration is wrong' }
      : await signInReport(await io.signIn(loaded, options.verbose), io)
  const report = { sign_in: signIn, ...configurationReport(loaded) }
  await io.stdout(
    values.json === true ? `${JSON.stringify(report)}\n` : render({ ...report, sign_in: shortened(signIn) }),
  )
  io.stderr(faultLine(loaded))
  return loaded.faults.length > 0 ? 2 : 0
}

/** Who is signed in, and what there would be beside it. A token is fetched, so that what is told is so. */
const signInReport = async ({ credentials, file }: OpenSignIn, io: CliIo) => {
  const { used, skipped, error } = await describedInTime(credentials, io)
  return {
    method: used?.method ?? null,
    account: used?.account ?? null,
    tenant_id: used?.tenantId ?? null,
    expires_at: used?.expiresAtMs === undefined ? null : isoTime(used.expiresAtMs),
    error: error ? { code: error.code, message: error.message, remediation: error.remediation } : null,
    not_taken: skipped.map(({ method, why }) => ({ method, why })),
    cached_accounts: await cachedAccounts(credentials, io),
    token_cache: file,
  }
}

/** For a reader, who need not be told twice: what failed is told as the error. */
const shortened = (signIn: SignInReport | Unasked): object =>
  'why' in signIn
    ? signIn
    : {
        ...signIn,
        not_taken: signIn.not_taken.map(each =>
          each.why === signIn.error?.message ? { ...each, why: 'it failed: see error' } : each,
        ),
      }
type SignInReport = Awaited<ReturnType<typeof signInReport>>
/** Where nobody could be signed in. */
interface Unasked {
  method: null
  why: string
}

const patienceMs = 20_000 // the Azure CLI may take some seconds, a proxy too

const describedInTime = async (credentials: Credentials, { signal, timeLimit }: CliIo): Promise<SignIn> => {
  const tooLong = timeLimit(patienceMs)
  try {
    return await credentials.describe(AbortSignal.any([signal, tooLong]))
  } catch (error) {
    signal.throwIfAborted()
    if (!tooLong.aborted) throw error
    const message = `It was not to be learned within ${patienceMs / 1000} s who is signed in`
    return { skipped: [], error: new AuthError('timeout', message, networkRemedy('authority_host')) }
  }
}

/** Also where the token cache cannot be read there is something to tell. */
const cachedAccounts = async (credentials: Credentials, { signal }: CliIo) => {
  try {
    const cached = (await credentials.accounts('all', signal)).filter(({ method }) => method === 'user')
    return cached.map(({ account, tenantId, guestOf }) => ({
      account: account ?? null,
      tenant_id: tenantId ?? null,
      guest_of: guestOf ?? [],
    }))
  } catch (error) {
    if (error instanceof AuthError) return { error: error.inOneLine }
    throw error
  }
}

/** With `--simulate` what the server itself would make of it: the simulated Azure names the vault. */
const loadedFor = async (options: ServingOptions, io: CliIo): Promise<LoadedConfig> => {
  const { env, homeDir, cwd, files } = io
  const { configFile, simulate } = options
  if (!simulate) return loadConfig({ configFile, env, homeDir, cwd, readFile: files.readFile, overrides: {} })
  const runtime = await io.runtime(options)
  await runtime.close()
  return runtime.loaded
}

/** The settings by the names the file gives them. */
const settings: Readonly<Record<string, (config: Config) => unknown>> = {
  enabled: config => config.enabled,
  subscription_id: config => config.subscription,
  resource_group: config => config.resourceGroup,
  tenant_id: config => config.tenantId,
  read_only: config => config.readOnly,
  toolsets: config => config.toolsets,
  confirmation: config => config.confirmation,
  arm_endpoint: config => config.armEndpoint,
  authority_host: config => config.authorityHost,
  api_version: config => config.apiVersion,
  'auth.method': config => config.auth.method,
  'auth.client_id': config => config.auth.clientId,
  'auth.account': config => config.auth.account,
  'http.proxy': config => withoutCredentials(config.http.proxy),
  'http.timeout_seconds': config => config.http.timeoutSeconds,
  'http.max_retries': config => config.http.maxRetries,
}

/** What a file says of one vault, and what the vault inherits, with the place of each. */
const vaultSettings = (entry: VaultEntry, origins: Origins) =>
  Object.entries({
    name: entry.name,
    subscription_id: entry.subscription,
    resource_group: entry.resourceGroup,
    description: entry.description,
    is_default: entry.isDefault,
  }).flatMap(([name, value]) => {
    const key = keyPath(['vaults', entry.key, name])
    const source = origins[key]
    return source === undefined ? [] : [{ key, value: value ?? null, source }]
  })

const configurationReport = ({ config, file, origins, warnings, faults }: LoadedConfig) => ({
  configuration_file: file ?? null,
  default_vault: defaultVault(config)?.key ?? null,
  settings: [
    ...Object.entries(settings).map(([key, read]) => ({
      key,
      value: read(config) ?? null,
      source: origins[key] ?? 'not set',
    })),
    ...config.vaults.flatMap(entry => vaultSettings(entry, origins)),
  ],
  vaults: config.vaults.map(({ key, name, subscription, resourceGroup, description }) => ({
    key,
    name,
    subscription_id: subscription ?? null,
    resource_group: resourceGroup ?? null,
    description: description ?? null,
    source: origins[keyPath(['vaults', key, 'name'])] ?? origins.vault_name ?? null,
  })),
  warnings,
  faults,
})

/** A proxy's URL may hold a password. */
const withoutCredentials = (proxy: string | undefined): string | undefined => {
  if (proxy === undefined) return undefined
  const url = new URL(proxy)
  return url.username || url.password ? `${url.protocol}//***@${url.host}` : proxy
}
