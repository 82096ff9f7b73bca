/**
 * The tokens in memory, and how they come there: by the first source that is there, once for all callers, five minutes
 * before the old one ends. Where nobody is signed in, a sign-in is started behind the call.
 */
import type { Clock } from '../clock.ts'
import type { AuthMethod } from '../config/types.ts'
import type { Log } from '../log.ts'
import { AuthError, type NewSignIn } from './auth-error.ts'
import type { BackgroundSignIn } from './background-sign-in.ts'
import { notWritten } from './cache-file.ts'
import { accountsIn, fitting, withoutAccounts } from './cached-accounts.ts'
import { nobody, nobodyYet, withOffer } from './not-signed-in.ts'
import { shareFetches } from './shared-fetch.ts'
import { createSources, refreshAheadMs, renewAgainMs, type SourceDeps, type TokenMethod, type Wish } from './sources.ts'
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

export interface HeldAccount extends Omit<Token, 'token'> {
  /** Tenants beside its own that a cached account was signed in to. */
  guestOf?: readonly string[]
}

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
  /**
   * Drops these, from the file too, and ends a sign-in that waits for its user, of which it tells. The next call asks the
   * sources again. Throws AuthError where they are still in the file.
   */
  forget(which: 'own' | 'all', signal: AbortSignal): Promise<{ wasSigningIn: boolean }>
}

export interface CredentialsDeps extends SourceDeps {
  /** What `describe` asks for. */
  scope: string
  clock: Clock
  log: Log
  /** Undefined where nobody waits for a sign-in to end: in a command. */
  background?: BackgroundSignIn | undefined
}

/**
 * How long to look for somebody who is signed in, and when to answer that nobody is: within two seconds, of which the first
 * call of a process needs some for what it loads.
 */
const patienceMs = 900
const answerMs = 1600

type Search =
  | { kind: 'found'; token: Token; skipped: Skipped[]; claims: string | undefined }
  | { kind: 'failed'; error: AuthError; skipped: Skipped[] }
type Found = Extract<Search, { kind: 'found' }>
/** `stamp`: of the cache file that it stands in; undefined where it stands in none. */
type Held = Found & { stamp: string | undefined }
type Failed = Extract<Search, { kind: 'failed' }>

/** A search that goes on. */
interface Looking {
  skipped: Skipped[]
  /** True as soon as somebody is found who may be signed in. */
  isPromising: boolean
}

const waitsForPerson = (result: Search): result is Failed =>
  result.kind === 'failed' && result.error.person !== undefined

export function createCredentials(deps: CredentialsDeps): Credentials {
  const { clock, log, background } = deps
  const sources = createSources()
  const memory = new Map<string, Held>()
  const underWay = new Map<string, Looking>()
  let generation = 0
  let renewNotBefore = 0

  const tried = sources.filter(({ method }) => deps.method === 'auto' || deps.method === method)

  const search = async (wish: Wish, skipped: Skipped[], among = tried): Promise<Search> => {
    for (const { method, fetch } of among) {
      try {
        const found = await fetch(deps, wish)
        if (!('absent' in found)) return { kind: 'found', token: { ...found, method }, skipped, claims: wish.claims }
        skipped.push({ method, why: found.absent })
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        return { kind: 'failed', error, skipped: [...skipped, { method, why: error.message }] }
      }
    }
    return { kind: 'failed', error: nobody(deps, skipped), skipped }
  }

  const leftMs = ({ token }: Found): number => (token.expiresAtMs ?? 0) - clock.now()
  const notAtOnce = (): void => {
    renewNotBefore = clock.now() + renewAgainMs
  }

  const remember = (scope: string, found: Found, stamp: string | undefined): void => {
    const { method, account } = found.token
    const before = memory.get(scope)?.token
    if (before && (before.method !== method || before.account !== account))
      log('notice', 'another account is used from now on', {
        account: account ?? null,
        method,
        before: `${before.account ?? 'an account without a name'} (${before.method})`,
      })
    memory.set(scope, { ...found, stamp })
    // What is new and nearly over is all that is to be had.
    if (leftMs(found) <= refreshAheadMs) notAtOnce()
  }

  /** Taken before the file is looked into: what changes it meanwhile is met by the next call. */
  const stampOf = async ({ token, method }: Token, signal: AbortSignal): Promise<string | undefined> => {
    if (method !== 'user') return undefined
    const stamp = await deps.cache.stamp()
    const text = await deps.cache.read(signal)
    return text.includes(JSON.stringify(token)) ? stamp : undefined
  }

  // What was dropped meanwhile is asked for anew: nobody joins a search that began before.
  const keyOf = (scope: string, { rejected, claims }: TokenWish): string =>
    JSON.stringify([scope, generation, rejected ?? null, claims ?? null])

  const fetch = shareFetches(async (key, signal) => {
    const [scope, begun, rejected, asked] = JSON.parse(key) as [string, number, string | null, string | null]
    const claims = asked ?? undefined
    const looking: Looking = { skipped: [], isPromising: false }
    underWay.set(key, looking)
    const isThere = () => {
      looking.isPromising = true
    }
    try {
      const result = await search({ scope, signal, rejected: rejected ?? undefined, claims, isThere }, looking.skipped)
      const stamp = result.kind === 'found' ? await stampOf(result.token, signal) : undefined
      if (result.kind === 'found' && begun === generation) {
        remember(scope, result, stamp)
        background?.cancel({ claims })
      }
      return result
    } finally {
      if (underWay.get(key) === looking) underWay.delete(key)
    }
  })
  /** For the next call, also when this one is answered. */
  const goOn = (key: string): void => void fetch(key, new AbortController().signal).catch(() => {})

  const inHand = async (scope: string, { rejected, claims }: TokenWish): Promise<Found | undefined> => {
    const held = memory.get(scope)
    // Of several calls that meet the same challenge, those that come later find the token that meets it.
    const isTaken = held && held.token.token !== rejected && (claims === undefined || claims === held.claims)
    if (!isTaken || leftMs(held) <= 0) return undefined
    // Whoever signs out, or in, with another process means this one too.
    const isCurrent = held.token.method !== 'user' || held.stamp === (await deps.cache.stamp())
    return isCurrent ? held : undefined
  }

  const find = async (scope: string, wish: TokenWish): Promise<Search> => {
    wish.signal.throwIfAborted()
    const held = await inHand(scope, wish)
    if (held && (leftMs(held) > refreshAheadMs || clock.now() < renewNotBefore)) return held
    return held ? renewed(scope, wish, held) : searched(scope, wish)
  }

  /** With a token that lasts for some minutes yet nobody waits long for the next one, or is asked to sign in. */
  const renewed = async (scope: string, wish: TokenWish, held: Found): Promise<Found> => {
    const key = keyOf(scope, wish)
    const late = new AbortController()
    try {
      const looking = fetch(key, wish.signal)
      if (background) goOn(key)
      const limit = background ? [clock.sleep(answerMs, late.signal).then(() => undefined)] : []
      const result = await Promise.race([looking, ...limit])
      if (result?.kind === 'found') return result
      notAtOnce()
      const why = result?.error.message ?? `there was no answer within ${answerMs} ms`
      log('warning', 'no new token; the old one serves while it lasts', { why })
      return held
    } finally {
      late.abort()
    }
  }

  /** What is told while the search has not ended yet. */
  const stillLooking = (skipped: readonly Skipped[]): Failed => {
    const others = tried.slice(skipped.length).map(({ method }) => ({ method, why: 'it has not answered yet' }))
    return { kind: 'failed', error: nobodyYet(deps), skipped: [...skipped, ...others] }
  }

  /** Whoever has signed in while the search was at others already: nobody is asked to do that again. */
  const signedInSince = async (stamp: string, wish: Wish): Promise<Search | undefined> => {
    if ((await deps.cache.stamp()) === stamp) return undefined
    const ofUser = tried.filter(({ method }) => method === 'user')
    const result = await search(wish, [], ofUser)
    return result.kind === 'found' ? result : undefined
  }

  /** With a sign-in to offer, nobody waits long for those who are not there. */
  const searched = async (scope: string, wish: TokenWish): Promise<Search> => {
    const key = keyOf(scope, wish)
    if (!background || !['auto', 'user'].includes(deps.method)) return fetch(key, wish.signal)
    const before = await deps.cache.stamp()
    const looking = fetch(key, wish.signal)
    const progress = underWay.get(key)
    const started = clock.monotonic()
    const offered = async (failed: () => Failed, person: NewSignIn | undefined): Promise<Search> => {
      const signedIn = await signedInSince(before, { ...wish, scope })
      if (signedIn) return signedIn
      // Whoever was worth waiting for leaves little of the time, and the code takes some.
      const limitMs = answerMs - Math.min(patienceMs, clock.monotonic() - started)
      const offer = await background.offer({ ...person, claims: person?.claims ?? wish.claims }, limitMs)
      const { error, skipped } = failed()
      return (await inHand(scope, wish)) ?? { kind: 'failed', error: withOffer(error, skipped, offer, deps), skipped }
    }
    const late = new AbortController()
    try {
      const inTime = await Promise.race([looking, clock.sleep(patienceMs, late.signal).then(() => undefined)])
      const result = inTime ?? (progress?.isPromising ? await looking : undefined)
      if (result) return waitsForPerson(result) ? await offered(() => result, result.error.person) : result
      goOn(key)
      const soon = offered(() => stillLooking(progress?.skipped ?? []), undefined)
      return await Promise.race([looking.then(found => (waitsForPerson(found) ? soon : found)), soon])
    } finally {
      late.abort()
    }
  }

  const ownScopes = (which: 'own' | 'all') =>
    [...memory.keys()].filter(scope => which === 'all' || scope === deps.scope)
  const drop = (which: 'own' | 'all') => {
    generation++
    for (const scope of ownScopes(which)) memory.delete(scope)
  }
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
          guestOf: tenants.slice(1),
          expiresAtMs: undefined,
        })),
      ]
    },
    forget: async (which, signal) => {
      drop(which)
      const wasSigningIn = background?.cancel() ?? false
      // Where there is nobody, neither folder nor lock is made.
      if (chosen(await deps.cache.read(signal), which).length === 0) return { wasSigningIn }
      try {
        await deps.cache.update(signal, async text => {
          const gone = chosen(text, which)
          return { text: gone.length > 0 ? withoutAccounts(text, gone) : undefined, value: undefined }
        })
      } finally {
        drop(which) // what a call took from the file before it was changed
      }
      const left = chosen(await deps.cache.kept(), which)
      if (left.length > 0)
        throw notWritten(
          deps.cache.file,
          `what it holds of ${left.map(({ username }) => username).join(', ')} is still there`,
        )
      return { wasSigningIn }
    },
  }
}

const withoutSecret = ({ token: _, ...facts }: Token): HeldAccount => facts
