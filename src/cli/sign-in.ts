/** `login` and `logout`. Codes, addresses and hints go to stderr; stdout gets what came of it. */
import { loadConfig } from '../config/config.ts'
import type { LoadedConfig } from '../config/types.ts'
import { printable } from '../printable.ts'
import { faultLine, warningLines } from './loaded.ts'
import { quoted, toServing, UsageError, type Values } from './options.ts'
import type { CliIo } from './runtime-types.ts'

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const domain = /^(?=.{4,253}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/i

const optionOf = (
  values: Values,
  name: string,
  isGood: (text: string) => boolean,
  wanted: string,
): string | undefined => {
  const value = values[name]
  if (value === undefined) return undefined
  if (typeof value === 'string' && isGood(value)) return value
  throw new UsageError(`--${name} must be ${wanted}; it is ${quoted(String(value))}`)
}

/** Undefined where the configuration is wrong, which has been told then. */
const configured = async (values: Values, io: CliIo): Promise<LoadedConfig | undefined> => {
  const { env, homeDir, cwd, files } = io
  const { configFile } = toServing(values)
  const loaded = await loadConfig({ configFile, env, homeDir, cwd, readFile: files.readFile, overrides: {} })
  io.stderr(warningLines(loaded))
  if (loaded.faults.length === 0) return loaded
  io.stderr(faultLine(loaded))
  return undefined
}

const named = (account: string | undefined, tenantId: string | undefined): string =>
  printable(`${account ?? 'an account without a name'}${tenantId === undefined ? '' : ` (tenant ${tenantId})`}`)

/** `login`: 0 when somebody is signed in. */
export const loginCommand = async (values: Values, io: CliIo): Promise<number> => {
  const tenant = optionOf(values, 'tenant', text => guid.test(text) || domain.test(text), 'a GUID or a domain name')
  const clientId = optionOf(values, 'client-id', text => guid.test(text), 'a GUID')
  const loaded = await configured(values, io)
  if (!loaded) return 2
  const signIn = await io.signIn(loaded, values.verbose === true)
  const wish = { tenant, clientId, signal: io.signal }
  const { account, tenantId, file } =
    values.browser === true
      ? await signIn.loginByBrowser(wish, url => {
          io.stderr(`Sign in with the browser; if none opens, open this address:\n${url}\n`)
          io.openBrowser(url)
        })
      : await signIn.loginByDeviceCode(wish, ({ url, code, expiresAtMs }) => {
          const until = new Date(expiresAtMs).toISOString().slice(11, 16)
          io.stderr(`Open ${printable(url)} and enter the code ${printable(code)} (until ${until} UTC).\n`)
        })
  await io.stdout(`Signed in as ${named(account, tenantId)}. The tokens are in ${printable(file)}.\n`)
  io.stderr(await hints(loaded, signIn, tenant, tenantId, io))
  return 0
}

/** What keeps this sign-in from being the one that is used, a line each. */
const hints = async (
  { config }: LoadedConfig,
  { credentials }: Awaited<ReturnType<CliIo['signIn']>>,
  tenant: string | undefined,
  tenantId: string | undefined,
  { signal }: CliIo,
): Promise<string> => {
  const { used, error } = await credentials.describe(signal)
  const told = [
    ...(used && used.method !== 'user'
      ? [`${used.method} goes before it and is what is used (auth.method = "${config.auth.method}").`]
      : []),
    ...(error ? [error.inOneLine] : []),
    ...(tenant !== undefined && config.tenantId === undefined && tenantId !== undefined
      ? [`To use this tenant always, set tenant_id = "${tenantId}" in the configuration.`]
      : []),
  ]
  return told.map(line => `${printable(line)}\n`).join('')
}

/** `logout`: 0, also when nobody was signed in. */
export const logoutCommand = async (values: Values, io: CliIo): Promise<number> => {
  const loaded = await configured(values, io)
  if (!loaded) return 2
  const { credentials, file } = await io.signIn(loaded, values.verbose === true)
  const which = values.all === true ? 'all' : 'own'
  const cached = async (of: 'own' | 'all') =>
    (await credentials.accounts(of, io.signal)).filter(({ method }) => method === 'user')
  const gone = await cached(which)
  await credentials.forget(which, io.signal)
  const left = await cached('all')
  const told = gone.map(({ account, tenantId }) => `Signed out ${named(account, tenantId)}.\n`)
  await io.stdout(
    told.length > 0
      ? told.join('')
      : `No account ${which === 'all' ? 'is in' : 'of this configuration is in'} ${printable(file)}.\n`,
  )
  if (left.length > 0)
    io.stderr(
      `Others stay: ${left.map(({ account, tenantId }) => named(account, tenantId)).join(', ')} (--all removes them too).\n`,
    )
  return 0
}
