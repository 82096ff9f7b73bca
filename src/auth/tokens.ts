/**
 * The tokens in memory, and how they come there: by the first source that is there, once for all callers, five minutes
 * before the old one ends. Where nobody is signed in, a sign-in is started behind the call.
 */
import type { Clock } from '../clock.ts'
import type { AuthMethod } from '../config/types.ts'
import type { Log } from '../log.ts'
import { AuthError } from './auth-error.ts'
import type { BackgroundSignIn, Offer } from './background-sign-in.ts'
import { accountsIn, fitting, withoutAccounts } from './cached-accounts.ts'
import { loginCommand } from './refusals.ts'
import { shareFetches } from './shared-fetch.ts'
import { createSources, type SourceDeps, type TokenMethod, type Wish } from './sources.ts'
import type { TokenFacts } from './token-facts.ts'

export type { TokenMethod } from './sources.ts'

export interface Token extends TokenFacts {
  token: string
  method: TokenMethod
}

export interface Skipped {
  method: AuthMethod
  why: string
}

export interface SignIn {
  used?: HeldAccount
  /** What was not taken before it, each with its reason. */
  skipped: Skipped[]
  /** There where nothing is used: what is wrong, and what to do. */
  error?: AuthError
}

export type HeldAccount = Omit<Token, 'token'>

export interface TokenWish {
  signal: AbortSignal
  /** The token that Azure did not take. */
  rejected?: string | undefined
  /** JSON text of a claims challenge. */
  claims?: string | undefined
}

export interface Credentials {
  /**
   * A token for a scope like `https://management.azure.com/.default`, from memory while it lasts. Throws AuthError;
   * rejects with the signal's reason. With nobody signed in it has an answer within two seconds.
   */
  getToken(scope: string, wish: TokenWish): Promise<Token>
  /** Who is signed in for `deps.scope`, how, and why not otherwise. Throws only when cancelled. */
  describe(signal: AbortSignal): Promise<SignIn>
  /** Whose tokens are in memory and in the cache file: those of this configuration, or all. Asks nobody. */
  accounts(which: 'own' | 'all', signal: AbortSignal): Promise<HeldAccount[]>
  /** Drops these, from the file too. The next call asks the sources again. */
  forget(which: 'own' | 'all', signal: AbortSignal): Promise<void>
}

export interface CredentialsDeps extends SourceDeps {
  /** What `describe` asks for. */
  scope: string
  clock: Clock
  log: Log
  /** Undefined where nobody waits for a sign-in to end: in a command. */
  background?: BackgroundSignIn | undefined
}

const refreshAheadMs = 5 * 60 * 1000
/** A token that is nearly over serves on while no new one is to be had; how soon that is tried again. */
const renewAgainMs = 30_000
/**
 * How long to look for somebody who is signed in, and when to answer that nobody is: within two seconds, of which the first
 * call of a process needs some for what it loads.
 */
const patienceMs = 900
const answerMs = 1600

type Search =
  | { kind: 'found'; token: Token; skipped: Skipped[] }
  | { kind: 'failed'; error: AuthError; skipped: Skipped[] }
type Found = Extract<Search, { kind: 'found' }>
type Failed = Extract<Search, { kind: 'failed' }>

export function createCredentials(deps: CredentialsDeps): Credentials {
  const { clock, log, background } = deps
  const sources = createSources()
  const memory = new Map<string, Found>()
  const underWay = new Map<string, { skipped: Skipped[]; mayBeThere: boolean }>()
  let generation = 0
  let renewNotBefore = 0

  const tried = sources.filter(({ method }) => deps.method === 'auto' || deps.method === method)

  const search = async (wish: Wish, skipped: Skipped[]): Promise<Search> => {
    for (const { method, fetch } of tried) {
      try {
        const found = await fetch(deps, wish)
        if (!('absent' in found)) return { kind: 'found', token: { ...found, method }, skipped }
        skipped.push({ method, why: found.absent })
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        return { kind: 'failed', error, skipped: [...skipped, { method, why: error.message }] }
      }
    }
    return { kind: 'failed', error: nobody(deps, skipped), skipped }
  }

  const fetch = shareFetches(async (key, signal) => {
    const [scope, rejected, claims] = JSON.parse(key) as [string, string | null, string | null]
    const begun = generation
    const standing = { skipped: [], mayBeThere: false }
    underWay.set(key, standing)
    try {
      const result = await search(
        {
          scope,
          signal,
          rejected: rejected ?? undefined,
          claims: claims ?? undefined,
          isThere: () => {
            standing.mayBeThere = true
          },
        },
        standing.skipped,
      )
      if (result.kind === 'found') {
        if (begun === generation) memory.set(scope, result)
        background?.cancel({ claims: claims ?? undefined })
      }
      return result
    } finally {
      if (underWay.get(key) === standing) underWay.delete(key)
    }
  })

  const find = async (scope: string, { signal, rejected, claims }: TokenWish): Promise<Search> => {
    signal.throwIfAborted()
    const held = memory.get(scope)
    const isTaken = held && claims === undefined && held.token.token !== rejected
    const leftMs = (held?.token.expiresAtMs ?? 0) - clock.now()
    if (isTaken && (leftMs > refreshAheadMs || (leftMs > 0 && clock.now() < renewNotBefore))) return held
    const result = await searched(JSON.stringify([scope, rejected ?? null, claims ?? null]), signal, claims)
    if (result.kind === 'found' || !isTaken || leftMs <= 0 || result.error.person) return result
    renewNotBefore = clock.now() + renewAgainMs
    log('warning', 'no new token; the old one serves while it lasts', { why: result.error.message })
    return held
  }

  /** What is told while the search has not ended yet. */
  const stillLooking = (key: string): Failed => {
    const skipped = underWay.get(key)?.skipped ?? []
    const others = tried.slice(skipped.length).map(({ method }) => ({ method, why: 'it has not answered yet' }))
    return {
      kind: 'failed',
      error: new AuthError(
        'not_signed_in',
        'Nobody is known to be signed in (details.not_taken says why)',
        `Run ${loginCommand({ tenant: deps.tenantId })}.`,
      ),
      skipped: [...skipped, ...others],
    }
  }

  /** With a sign-in to offer, nobody waits long for those who are not there. */
  const searched = async (key: string, signal: AbortSignal, claims: string | undefined): Promise<Search> => {
    const looking = fetch(key, signal)
    if (!background || !['auto', 'user'].includes(deps.method)) return looking
    const started = clock.monotonic()
    const late = new AbortController()
    try {
      const inTime = await Promise.race([looking, clock.sleep(patienceMs, late.signal).then(() => undefined)])
      const result = inTime ?? (underWay.get(key)?.mayBeThere ? await looking : undefined)
      if (result && (result.kind === 'found' || !result.error.person)) return result
      // The search goes on for the next call, also when this one is answered.
      const goesOn = fetch(key, new AbortController().signal)
      goesOn.catch(() => {})
      const limitMs = Math.max(0, answerMs - (clock.monotonic() - started))
      const offered = background
        .offer({ claims, ...result?.error.person }, limitMs)
        .then((offer): Search => withOffer(result ?? stillLooking(key), offer, deps))
      return result
        ? await offered
        : await Promise.race([goesOn.then(found => (found.kind === 'found' ? found : offered)), offered])
    } finally {
      late.abort()
    }
  }

  const ownScopes = (which: 'own' | 'all') =>
    [...memory.keys()].filter(scope => which === 'all' || scope === deps.scope)
  const chosen = (text: string, which: 'own' | 'all') =>
    which === 'all' ? accountsIn(text) : fitting(accountsIn(text), deps)

  return {
    getToken: async (scope, wish) => {
      const result = await find(scope, wish)
      if (result.kind === 'failed') throw result.error
      return result.token
    },
    describe: async signal => {
      const result = await find(deps.scope, { signal })
      if (result.kind === 'failed') return { skipped: result.skipped, error: result.error }
      return { used: withoutSecret(result.token), skipped: result.skipped }
    },
    accounts: async (which, signal) => {
      const held = ownScopes(which).flatMap(scope => memory.get(scope)?.token ?? [])
      const cached = chosen(await deps.cache.read(signal), which)
      return [
        // A user's token in memory is one of the file's accounts.
        ...held.filter(({ method }) => method !== 'user').map(withoutSecret),
        ...cached.map(({ username, tenants }) => ({
          method: 'user' as const,
          account: username || undefined,
          tenantId: tenants[0],
          expiresAtMs: undefined,
        })),
      ]
    },
    forget: async (which, signal) => {
      generation++
      for (const scope of ownScopes(which)) memory.delete(scope)
      background?.cancel()
      await deps.cache.update(signal, async text => {
        const gone = chosen(text, which)
        return { text: gone.length > 0 ? withoutAccounts(text, gone) : undefined, value: undefined }
      })
    },
  }
}

const withoutSecret = ({ token: _, ...facts }: Token): HeldAccount => facts

const detailsOf = (skipped: readonly Skipped[]) => ({ not_taken: skipped.map(({ method, why }) => ({ method, why })) })

const nobody = (deps: CredentialsDeps, skipped: readonly Skipped[]): AuthError => {
  const isOne = deps.method !== 'auto'
  const command = loginCommand({ tenant: deps.tenantId })
  const mayLogIn = deps.method === 'auto' || deps.method === 'user'
  return new AuthError(
    'not_signed_in',
    isOne
      ? `Nobody is signed in (auth.method = "${deps.method}"): ${skipped.map(({ why }) => why).join('; ')}`
      : 'Nobody is signed in: none of the credentials that are tried is there (details.not_taken says why)',
    mayLogIn
      ? `Run ${command}, or set AZURE_ACCESS_TOKEN or the variables of a service principal.`
      : 'Set what is missing and restart this server, or set auth.method to "auto".',
    { details: detailsOf(skipped), ...(mayLogIn && { person: {} }) },
  )
}

/** The same failure with what the user can do about it now. */
const withOffer = ({ error, skipped }: Failed, { code, error: fault }: Offer, deps: CredentialsDeps): Failed => {
  const before = fault ? ` The sign-in before did not succeed: ${fault.inOneLine}` : ''
  const details = { ...error.details, ...detailsOf(skipped) }
  if (code) {
    const expires = isoSeconds(code.expiresAtMs)
    const told = new AuthError(
      'not_signed_in',
      `${error.message.replace(/[^.!?]$/, '$&.')} A sign-in has been started.${before}`,
      `Show this to the user: open ${code.url} and enter the code ${code.code} (until ${expires}). Once that is done, call again.`,
      { ...factsOf(error), details: { sign_in: { url: code.url, code: code.code, expires_at: expires }, ...details } },
    )
    return { kind: 'failed', error: told, skipped }
  }
  if (fault)
    return {
      kind: 'failed',
      error: new AuthError(
        fault.code,
        `${error.message.replace(/[^.!?]$/, '$&.')} A sign-in could not be started: ${fault.message}`,
        fault.remediation,
        { ...factsOf(fault), details },
      ),
      skipped,
    }
  const { host } = new URL(deps.authorityHost)
  return {
    kind: 'failed',
    error: new AuthError(
      'not_signed_in',
      error.message,
      `A sign-in is being started, but ${host} has not answered yet: call again in a few seconds.`,
      { details },
    ),
    skipped,
  }
}

const isoSeconds = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`

const factsOf = ({ azureCode, httpStatus, cause }: AuthError) => ({ azureCode, httpStatus, cause })
