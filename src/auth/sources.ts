/**
 * Where bearer tokens come from: one row a credential, in the order in which `auth.method = "auto"` tries them. The first
 * that is there is used, also when it does not work: another account must not quietly take over.
 */
import type { Send } from '../arm/send.ts'
import type { Clock } from '../clock.ts'
import type { AuthMethod } from '../config/types.ts'
import { printable } from '../printable.ts'
import { AuthError } from './auth-error.ts'
import type { RunAzureCli } from './azure-cli.ts'
import { azureCliToken } from './azure-cli-token.ts'
import type { CacheFile } from './cache-file.ts'
import { accessTokenIn, accountsIn, type CachedAccount, chooseAccount, isGuid, isOfDomain } from './cached-accounts.ts'
import { managedIdentityToken } from './managed-identity-token.ts'
import type { Grant } from './msal.ts'
import { factsOf, type TokenFacts } from './token-facts.ts'

export type TokenMethod = Exclude<AuthMethod, 'auto'>

/** The application that people sign in to where none is configured: that of the Azure CLI, which every tenant knows. */
export const usualClientId = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
/** Where the account decides about its tenant. */
export const anyTenant = 'organizations'

/** What a source works with. */
export interface SourceDeps {
  method: AuthMethod
  tenantId?: string | undefined
  clientId?: string | undefined
  /** Name of the cached account that is meant. */
  account?: string | undefined
  authorityHost: string
  env: Readonly<Record<string, string | undefined>>
  platform: NodeJS.Platform
  clock: Pick<Clock, 'now' | 'sleep'>
  /** To the sign-in service. */
  send: Send
  /** To endpoints of this machine, which no proxy leads to. */
  sendHere: Send
  readBytes(path: string): Promise<Buffer>
  isThere(path: string): Promise<boolean>
  /** True where the Azure CLI has an account, as far as its files tell. */
  isAzureCliSignedIn(): Promise<boolean>
  cache: CacheFile
  runAzureCli: RunAzureCli
}

export interface Wish {
  scope: string
  signal: AbortSignal
  /** A token that Azure did not take: it will not do again. */
  rejected?: string | undefined
  /** JSON text of a claims challenge, which the token has to meet. */
  claims?: string | undefined
  /** Called as soon as it is sure that somebody is there to sign in, before it is tried. */
  isThere?: (() => void) | undefined
}

export type Found = (TokenFacts & { token: string }) | { absent: string }

interface Source {
  method: TokenMethod
  /** A token, or why this source is not there. Throws AuthError if it is there and has none. */
  fetch(deps: SourceDeps, wish: Wish): Promise<Found>
}

const clockSkewMs = 5 * 60 * 1000 // what Entra ID's validators allow by default

const fromEnvironment: Source['fetch'] = async ({ env, clock }, { claims }) => {
  const token = env.AZURE_ACCESS_TOKEN?.trim()
  if (!token) return { absent: 'AZURE_ACCESS_TOKEN is not set' }
  if (claims !== undefined) {
    const remediation =
      'Set it to a token of a new sign-in that meets the challenge, or unset it and sign in with `recovery-services-server login`; then restart this server.'
    throw new AuthError(
      'not_signed_in',
      'Conditional access does not accept the token in AZURE_ACCESS_TOKEN any more',
      remediation,
    )
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    const remediation = 'Set AZURE_ACCESS_TOKEN to the token alone, without "Bearer" and without quotes.'
    throw new AuthError('not_signed_in', 'AZURE_ACCESS_TOKEN holds spaces or characters that no token has', remediation)
  }
  const facts = factsOf(token)
  if (facts.expiresAtMs !== undefined && facts.expiresAtMs + clockSkewMs < clock.now()) {
    const at = new Date(facts.expiresAtMs).toISOString()
    const remediation =
      'Set AZURE_ACCESS_TOKEN to a new token, or unset it and sign in with `recovery-services-server login`; then restart this server.'
    throw new AuthError('not_signed_in', `The token in AZURE_ACCESS_TOKEN expired at ${at}`, remediation)
  }
  return { token, ...facts }
}

/** The application and its tenant, from the configuration or the environment; or which of them, and `needed`, is missing. */
const applicationOf = (
  { env, tenantId, clientId, method }: SourceDeps,
  needed: string,
): { tenant: string; clientId: string; given: string } | { absent: string } => {
  const tenant = tenantId ?? (env.AZURE_TENANT_ID || undefined)
  const application = clientId ?? (env.AZURE_CLIENT_ID || undefined)
  const given = env[needed]
  // Under `auto` nobody means the other two variables for this, where the one that makes it is not there.
  if (!given && method === 'auto') return { absent: `${needed} is not set` }
  const missing = [
    ...(given ? [] : [needed]),
    ...(tenant === undefined ? ['AZURE_TENANT_ID (or tenant_id)'] : []),
    ...(application === undefined ? ['AZURE_CLIENT_ID (or auth.client_id)'] : []),
  ]
  if (tenant === undefined || application === undefined || !given)
    return { absent: `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not set` }
  return { tenant, clientId: application, given }
}

const byApplication =
  (
    method: TokenMethod,
    needed: string,
    credentialOf: (given: string, deps: SourceDeps) => Promise<import('./msal.ts').ClientCredential>,
  ): Source['fetch'] =>
  async (deps, { scope, signal, claims, isThere }) => {
    const application = applicationOf(deps, needed)
    if ('absent' in application) return application
    isThere?.()
    const { tenant, clientId, given } = application
    const credential = await credentialOf(given, deps)
    const { byClientCredential } = await import('./msal.ts')
    const { authorityHost } = deps
    return byClientCredential({ method, authorityHost, tenant, clientId, scope, claims }, credential, {
      ...deps,
      signal,
    })
  }

/** The file that a variable names. */
const fileOf = async (variable: string, file: string, { readBytes }: SourceDeps): Promise<Buffer> => {
  try {
    return await readBytes(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an unknown error'
    throw new AuthError(
      'not_configured',
      `${variable} (${printable(file)}) cannot be read: ${code}`,
      `Check that the file is there and that this user may read it, or unset ${variable}.`,
    )
  }
}

const certificateOf = async (file: string, deps: SourceDeps) => {
  const bytes = await fileOf('AZURE_CLIENT_CERTIFICATE_PATH', file, deps)
  const { parseClientCertificate } = await import('./client-certificate.ts')
  return {
    clientCertificate: parseClientCertificate(bytes, file, deps.env.AZURE_CLIENT_CERTIFICATE_PASSWORD || undefined),
  }
}

/** Read anew each time: whoever runs the workload replaces it before it lapses. */
const assertionOf = async (file: string, deps: SourceDeps) => {
  const clientAssertion = (await fileOf('AZURE_FEDERATED_TOKEN_FILE', file, deps)).toString('utf8').trim()
  if (clientAssertion !== '') return { clientAssertion }
  throw new AuthError(
    'not_configured',
    `AZURE_FEDERATED_TOKEN_FILE (${printable(file)}) is empty`,
    'Check that the workload identity of this pod or job is set up: its token is written there.',
  )
}

export const refreshAheadMs = 5 * 60 * 1000
/** How soon a token that is nearly over is asked for again, where there was no other. */
export const renewAgainMs = 30_000
/** How long a refusal stands that only a person can mend, while nothing changes in the cache. */
const refusalLastsMs = 5 * 60 * 1000

/** An account of the cache file. Of several processes one asks for the new token, the others find it in the file. */
const fromCache = (): Source['fetch'] => {
  let refused: { key: string; untilMs: number; error: AuthError } | undefined
  /** GUID of a tenant that is configured by its name, known as soon as there was a token of it. */
  let realm: string | undefined
  return async (deps, { scope, signal, rejected, claims, isThere }) => {
    const { cache, tenantId, clock } = deps
    const held = (text: string, account: CachedAccount) => {
      const clientId = clientIdFor(account, deps)
      return {
        clientId,
        token: accessTokenIn(text, account, { scope, clientId, tenantId: realm ?? realmOf(account, tenantId) }),
      }
    }
    const usable = (text: string, account: CachedAccount) => {
      const { token } = held(text, account)
      const leftMs = token ? token.expiresAtMs - clock.now() : 0
      // One that never lives longer is not asked for again at once, by this server or another one.
      const isNew = token && leftMs > 0 && clock.now() - token.cachedAtMs < renewAgainMs
      const isFresh = token && (leftMs > refreshAheadMs || isNew)
      if (!isFresh || token.token === rejected || claims !== undefined) return undefined
      const { cachedAtMs: _, ...taken } = token
      return { ...taken, account: account.username }
    }
    const text = await cache.read(signal)
    const account = chooseAccount(accountsIn(text), deps)
    if ('absent' in account) return account
    isThere?.()
    const there = usable(text, account)
    if (there) return there
    const key = JSON.stringify([text, scope, claims])
    if (refused?.key === key && refused.untilMs > clock.now()) throw refused.error
    try {
      return await cache.update<Found>(signal, async now => {
        const still = chooseAccount(accountsIn(now), deps)
        if ('absent' in still) return { value: still }
        const renewedMeanwhile = usable(now, still)
        if (renewedMeanwhile) return { value: renewedMeanwhile }
        const { clientId, token } = held(now, still)
        const grant: Grant = {
          method: 'user',
          authorityHost: deps.authorityHost,
          tenant: tenantId ?? token?.tenantId ?? still.tenants[0] ?? anyTenant,
          clientId,
          scope,
          claims,
          cached: still,
        }
        const { renewed } = await import('./msal.ts')
        // Whoever asked may leave. What was begun goes on: a refresh token may be taken once only, and the next one asks
        // for the same.
        const toTheEnd = new AbortController().signal
        const { cacheText, ...value } = await renewed(grant, still, now, { ...deps, signal: toTheEnd })
        if (tenantId !== undefined && !isGuid(tenantId)) realm = value.tenantId
        return { text: cacheText, value }
      })
    } catch (error) {
      if (error instanceof AuthError && error.person) refused = { key, untilMs: clock.now() + refusalLastsMs, error }
      throw error
    }
  }
}

/** As the cache spells it: MSAL tells letter cases apart. */
const clientIdFor = ({ clientIds }: CachedAccount, { clientId }: SourceDeps): string =>
  clientIds.find(id => id.toLowerCase() === (clientId ?? usualClientId).toLowerCase()) ??
  clientId ??
  clientIds[0] ??
  usualClientId

/**
 * The tenant that a token must be of; undefined where the account decides. The cache does not know domain names: that of
 * the user name is one of the account's home. Of any other none is taken, the service has to say which tenant it is.
 */
const realmOf = ({ tenants, username }: CachedAccount, tenantId: string | undefined): string | undefined => {
  if (tenantId === undefined || isGuid(tenantId)) return tenantId
  return isOfDomain(username, tenantId) ? tenants[0] : 'another'
}

/** Under `auto` it comes last: where it has nobody, nobody is signed in. */
const fromAzureCli: Source['fetch'] = async (deps, { scope, signal, claims, isThere }) => {
  const { runAzureCli, tenantId, method } = deps
  try {
    if (await deps.isAzureCliSignedIn()) isThere?.()
    return await azureCliToken(runAzureCli, { scope, tenantId, claims }, signal)
  } catch (error) {
    if (method !== 'auto' || !(error instanceof AuthError) || error.code !== 'not_signed_in') throw error
    return { absent: error.message }
  }
}

/** What gave a token is not gone because it is slow to answer: from then on nobody else takes its place. */
const onceThere = (method: TokenMethod, fetch: Source['fetch']): Source['fetch'] => {
  let wasThere = false
  return async (deps, wish) => {
    const found = await fetch(wasThere ? { ...deps, method } : deps, wish)
    if (!('absent' in found)) wasThere = true
    return found
  }
}

/** One table a process: what its sources remember is its own. */
export const createSources = (): readonly Source[] => [
  { method: 'access_token', fetch: fromEnvironment },
  {
    method: 'client_secret',
    fetch: byApplication('client_secret', 'AZURE_CLIENT_SECRET', async clientSecret => ({ clientSecret })),
  },
  {
    method: 'client_certificate',
    fetch: byApplication('client_certificate', 'AZURE_CLIENT_CERTIFICATE_PATH', certificateOf),
  },
  {
    method: 'workload_identity',
    fetch: byApplication('workload_identity', 'AZURE_FEDERATED_TOKEN_FILE', assertionOf),
  },
  { method: 'user', fetch: fromCache() },
  { method: 'managed_identity', fetch: onceThere('managed_identity', managedIdentityToken) },
  { method: 'azure_cli', fetch: fromAzureCli },
]
