/**
 * Where bearer tokens come from. The sources are a table in the order in which `auth.method = "auto"` tries them; the
 * first that is there is used, also when it does not work: another account must not quietly take over.
 */
import type { Clock } from '../clock.ts'
import type { AuthMethod } from '../config/types.ts'
import { AuthError } from './auth-error.ts'
import type { RunAzureCli } from './azure-cli.ts'
import { azureCliToken } from './azure-cli-token.ts'
import { shareFetches } from './shared-fetch.ts'
import { factsOf, type TokenFacts } from './token-facts.ts'

export type TokenMethod = 'access_token' | 'azure_cli'

export interface Token extends TokenFacts {
  token: string
  method: TokenMethod
}

export interface Skipped {
  method: AuthMethod
  why: string
}

export interface SignIn {
  used?: Omit<Token, 'token'>
  /** What was tried before it; if nothing is used, the last says what is wrong. */
  skipped: Skipped[]
}

export interface Credentials {
  /**
   * A token for a scope like `https://management.azure.com/.default`, from memory while it lasts. `refresh` asks its
   * source again, which may answer with the same one. Throws AuthError; rejects with the signal's reason.
   */
  getToken(scope: string, options: { signal: AbortSignal; refresh?: boolean }): Promise<Token>
  /** Who is signed in for `deps.scope`, how, and why not otherwise. Throws only when cancelled. */
  describe(signal: AbortSignal): Promise<SignIn>
  /** Whose tokens are in memory: those for `deps.scope`, or all. Asks nobody. */
  held(scopes: 'own' | 'all'): HeldAccount[]
  /** Drops these tokens; the next call asks the source again. */
  forget(scopes: 'own' | 'all'): void
}

export type HeldAccount = Omit<Token, 'token'>

export interface CredentialsDeps {
  method: AuthMethod
  tenantId?: string | undefined
  /** What `describe` asks for. */
  scope: string
  env: Readonly<Record<string, string | undefined>>
  clock: Pick<Clock, 'now'>
  runAzureCli: RunAzureCli
}

const refreshAheadMs = 5 * 60 * 1000
const clockSkewMs = 5 * 60 * 1000 // what Entra ID's validators allow by default

interface Source {
  method: TokenMethod
  /** A token, or why this source is not there. Throws AuthError if it is there and has none. */
  fetch(deps: CredentialsDeps, scope: string, signal: AbortSignal): Promise<Omit<Token, 'method'> | { absent: string }>
}

const sources: readonly Source[] = [
  { method: 'access_token', fetch: async ({ env, clock }) => tokenFromEnvironment(env.AZURE_ACCESS_TOKEN, clock) },
  {
    method: 'azure_cli',
    fetch: ({ runAzureCli, tenantId }, scope, signal) => azureCliToken(runAzureCli, { scope, tenantId }, signal),
  },
]

function tokenFromEnvironment(value: string | undefined, clock: Pick<Clock, 'now'>) {
  const token = value?.trim()
  if (!token) return { absent: 'AZURE_ACCESS_TOKEN is not set' }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    const remediation = 'Set AZURE_ACCESS_TOKEN to the token alone, without "Bearer" and without quotes.'
    throw new AuthError('not_signed_in', 'AZURE_ACCESS_TOKEN holds spaces or characters that no token has', remediation)
  }
  const facts = factsOf(token)
  if (facts.expiresAtMs !== undefined && facts.expiresAtMs + clockSkewMs < clock.now()) {
    const at = new Date(facts.expiresAtMs).toISOString()
    const remediation =
      'Set AZURE_ACCESS_TOKEN to a new token, or unset it and run `az login`; then restart this server.'
    throw new AuthError('not_signed_in', `The token in AZURE_ACCESS_TOKEN expired at ${at}`, remediation)
  }
  return { token, ...facts }
}

type Search =
  | { kind: 'found'; token: Token; skipped: Skipped[] }
  | { kind: 'failed'; error: AuthError; skipped: Skipped[] }

async function search(deps: CredentialsDeps, scope: string, signal: AbortSignal): Promise<Search> {
  const skipped: Skipped[] = []
  const failed = (method: AuthMethod, error: AuthError): Search => {
    return { kind: 'failed', error, skipped: [...skipped, { method, why: error.message }] }
  }
  const tried = sources.filter(({ method }) => deps.method === 'auto' || deps.method === method)
  if (tried.length === 0) return failed(deps.method, notSupported(deps.method))
  for (const { method, fetch } of tried) {
    try {
      const found = await fetch(deps, scope, signal)
      if (!('absent' in found)) return { kind: 'found', token: { ...found, method }, skipped }
      skipped.push({ method, why: found.absent })
    } catch (error) {
      if (error instanceof AuthError) return failed(method, error)
      throw error
    }
  }
  const why = skipped.map(({ why }) => why).join('; ')
  const remediation = 'Set AZURE_ACCESS_TOKEN to a bearer token for Azure Resource Manager, or auth.method to "auto".'
  return { kind: 'failed', error: new AuthError('not_signed_in', `Nobody is signed in: ${why}`, remediation), skipped }
}

const notSupported = (method: AuthMethod) =>
  new AuthError(
    'not_configured',
    `auth.method = "${method}" is not supported by this version`,
    'Set auth.method to "auto", and AZURE_ACCESS_TOKEN to a bearer token or sign in with `az login`.',
  )

export function createCredentials(deps: CredentialsDeps): Credentials {
  const cache = new Map<string, Extract<Search, { kind: 'found' }>>()
  const isFresh = ({ expiresAtMs }: Token) => (expiresAtMs ?? 0) - refreshAheadMs > deps.clock.now()
  const fetch = shareFetches(async (scope, signal) => {
    const result = await search(deps, scope, signal)
    if (result.kind === 'found') cache.set(scope, result)
    return result
  })
  const find = async (scope: string, { signal, refresh = false }: { signal: AbortSignal; refresh?: boolean }) => {
    signal.throwIfAborted()
    const cached = cache.get(scope)
    return cached && !refresh && isFresh(cached.token) ? cached : fetch(scope, signal)
  }
  const heldScopes = (scopes: 'own' | 'all') =>
    [...cache.keys()].filter(scope => scopes === 'all' || scope === deps.scope)
  return {
    held: scopes =>
      heldScopes(scopes).flatMap(scope => {
        const found = cache.get(scope)
        if (!found) return []
        const { token: _, ...facts } = found.token
        return [facts]
      }),
    forget: scopes => {
      for (const scope of heldScopes(scopes)) cache.delete(scope)
    },
    getToken: async (scope, options) => {
      const result = await find(scope, options)
      if (result.kind === 'failed') throw result.error
      return result.token
    },
    describe: async signal => {
      const result = await find(deps.scope, { signal })
      if (result.kind === 'failed') return { skipped: result.skipped }
      const { token: _, ...used } = result.token
      return { used, skipped: result.skipped }
    },
  }
}
