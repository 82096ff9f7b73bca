/** `login` and `logout`. Codes, addresses and hints go to stderr; stdout gets what came of it. */
import { isGuid } from '../auth/cached-accounts.ts'
import type { Credentials, HeldAccount, SignIn } from '../auth/tokens.ts'
import { loadConfig } from '../config/config.ts'
import type { Config, LoadedConfig } from '../config/types.ts'
import { printable } from '../printable.ts'
import type { LoginWish, SignedIn } from '../sign-in.ts'
import { faultLine, warningLines } from './loaded.ts'
import { quoted, toServing, UsageError, type Values } from './options.ts'
import type { CliIo } from './runtime-types.ts'

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

const named = ({ account, tenantId, guestOf = [] }: Named): string => {
  const guest = guestOf.length > 0 ? `, guest of ${guestOf.join(', ')}` : ''
  return printable(
    `${account ?? 'an account without a name'}${tenantId === undefined ? '' : ` (tenant ${tenantId}${guest})`}`,
  )
}
type Named = Pick<HeldAccount, 'account' | 'tenantId' | 'guestOf'>

/** `login`: 0 when somebody is signed in. */
export const loginCommand = async (values: Values, io: CliIo): Promise<number> => {
  const tenant = optionOf(values, 'tenant', text => isGuid(text) || domain.test(text), 'a GUID or a domain name')
  const clientId = optionOf(values, 'client-id', isGuid, 'a GUID')
  const loaded = await configured(values, io)
  if (!loaded) return 2
  const signIn = await io.signIn(loaded, values.verbose === true)
  const wish = { tenant, clientId, signal: io.signal }
  await signIn.mustKeep(io.signal)
  const signedIn =
    values.browser === true
      ? await signIn.loginByBrowser(wish, url => {
          io.stderr(`Sign in with the browser; if none opens, open this address:\n${url}\n`)
          io.openBrowser(url)
        })
      : await signIn.loginByDeviceCode(wish, ({ url, code, expiresAtMs }) => {
          const until = new Date(expiresAtMs).toISOString().slice(11, 16)
          io.stderr(`Open ${printable(url)} and enter the code ${printable(code)} (until ${until} UTC).\n`)
        })
  await io.stdout(`Signed in as ${named(signedIn)}. The tokens are in ${printable(signedIn.file)}.\n`)
  const lines = await hints(loaded.config, wish, signedIn, signIn.credentials, io)
  io.stderr(lines.map(line => `${printable(line)}\n`).join(''))
  return 0
}

const patienceMs = 10_000

/** Why this sign-in is not what is used, and what has to be set so that it is. */
const hints = async (
  config: Config,
  wish: Pick<LoginWish, 'tenant' | 'clientId'>,
  signedIn: SignedIn,
  credentials: Credentials,
  { signal, timeLimit }: CliIo,
): Promise<string[]> => {
  const { method } = config.auth
  if (method !== 'auto' && method !== 'user') return [`This sign-in is not used: auth.method is "${method}".`]
  const limit = AbortSignal.any([signal, timeLimit(patienceMs)])
  const found = await credentials.describe(limit).catch(() => undefined) // the sign-in itself is done
  const missing = missingSettings(config, wish, signedIn, found?.error?.code === 'ambiguous')
  return [
    ...(found ? whyNotUsed(found, signedIn, missing.length > 0) : []),
    ...(missing.length > 0 ? [`To use this sign-in always, set ${missing.join(' and ')} in the configuration.`] : []),
  ]
}

/** `isMended`: what chooses among several accounts is told already. */
const whyNotUsed = ({ used, skipped, error }: SignIn, { account, tenantId }: SignedIn, isMended: boolean): string[] => {
  if (used?.method === 'user' && used.account === account && used.tenantId === tenantId) return []
  if (used?.method === 'user') return [`This sign-in is not used, but that of ${named(used)}.`]
  const why = skipped.find(({ method }) => method === 'user')?.why
  if (why === undefined && used) return [`This sign-in is not used: ${used.method} goes before it.`]
  if (error?.code === 'ambiguous') return [isMended ? `${error.message}.` : error.inOneLine]
  if (why === undefined) return error ? [error.inOneLine] : []
  return [`This sign-in is not used${used ? `, but ${used.method}` : ''}: ${why}.`]
}

/** `isOneOfSeveral`: the configuration fits other accounts too. */
const missingSettings = (
  { tenantId, auth }: Config,
  wish: Pick<LoginWish, 'tenant' | 'clientId'>,
  signedIn: SignedIn,
  isOneOfSeveral: boolean,
): string[] => {
  const isNone = (configured: string | undefined, ...given: (string | undefined)[]) =>
    !given.some(each => each?.toLowerCase() === configured?.toLowerCase())
  const { account } = signedIn
  const isNamed = account !== undefined && (auth.account !== undefined || isOneOfSeveral)
  return [
    ...(wish.tenant !== undefined && isNone(tenantId, wish.tenant, signedIn.tenantId)
      ? [`tenant_id = "${signedIn.tenantId ?? wish.tenant}"`]
      : []),
    ...(wish.clientId !== undefined && isNone(auth.clientId, wish.clientId)
      ? [`auth.client_id = "${wish.clientId}"`]
      : []),
    ...(isNamed && isNone(auth.account, account) ? [`auth.account = "${account}"`] : []),
  ]
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
  const told = gone.map(account => `Signed out ${named(account)}.\n`)
  await io.stdout(
    told.length > 0
      ? told.join('')
      : `No account ${which === 'all' ? 'is in' : 'of this configuration is in'} ${printable(file)}.\n`,
  )
  if (left.length > 0) io.stderr(`Others stay: ${left.map(named).join(', ')} (--all removes them too).\n`)
  return 0
}
