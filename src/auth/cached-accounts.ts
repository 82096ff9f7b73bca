/**
 * The accounts in a token cache: MSAL's own JSON, whose sections are tables of entities by key
 * (https://github.com/AzureAD/microsoft-authentication-library-for-js, lib/msal-node/src/cache/serializer). Read here
 * without MSAL, so that `status` and `logout` need not load it.
 */
import { isDeepStrictEqual } from 'node:util'
import { hostsOf } from '../config/clouds.ts'
import { AuthError } from './auth-error.ts'
import { parseObject } from './token-facts.ts'

const sections = ['Account', 'IdToken', 'AccessToken', 'RefreshToken', 'AppMetadata'] as const
type Entity = Readonly<Record<string, unknown>>
type Section = Readonly<Record<string, Entity>>

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Why a text is no token cache; undefined where it is one. */
export const cacheFault = (text: string): string | undefined => {
  let cache: unknown
  try {
    cache = JSON.parse(text)
  } catch {
    return 'it is not JSON'
  }
  if (!isTable(cache)) return 'it is no JSON object'
  const wrong = sections.find(name => {
    const section = cache[name]
    return section !== undefined && !(isTable(section) && Object.values(section).every(isTable))
  })
  return wrong === undefined ? undefined : `its ${wrong} is no table`
}

export interface CachedAccount {
  homeAccountId: string
  /** The sign-in host it is filed under. */
  environment: string
  /** User principal name; empty where the service gave none. */
  username: string
  /** GUIDs: where it is at home, then where it was signed in to. */
  tenants: readonly string[]
  /** The applications that it has a refresh token of. */
  clientIds: readonly string[]
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** Under whichever of its names a cloud's sign-in host is filed. */
const sameHost = (a: string, b: string): boolean => same(firstName(a), firstName(b))
const firstName = (host: string): string =>
  (URL.canParse(`https://${host}`) ? hostsOf(`https://${host}`)[0] : undefined) ?? host

const entitiesOf = (cache: Record<string, unknown>, name: (typeof sections)[number]): Entity[] => {
  const section = cache[name]
  return isTable(section) ? Object.values(section as Section).filter(isTable) : []
}

const profileTenants = (account: Entity): string[] =>
  (Array.isArray(account.tenantProfiles) ? account.tenantProfiles : []).map(profile =>
    text(parseObject(text(profile)).tenantId),
  )

/** Every account of the cache, the name first in the alphabet first. */
export const accountsIn = (cacheText: string): CachedAccount[] => {
  const cache = parseObject(cacheText)
  const found = new Map<string, CachedAccount>()
  for (const account of entitiesOf(cache, 'Account')) {
    const homeAccountId = text(account.home_account_id)
    const environment = text(account.environment)
    if (homeAccountId === '') continue
    const belongs = (entity: Entity) =>
      same(text(entity.home_account_id), homeAccountId) && sameHost(text(entity.environment), environment)
    const homeTenant = homeAccountId.split('.')[1] ?? ''
    const key = `${homeAccountId} ${firstName(environment)}`.toLowerCase()
    const earlier = found.get(key)
    const tenants = [
      homeTenant,
      ...(earlier?.tenants ?? []),
      text(account.realm),
      ...profileTenants(account),
      ...(['IdToken', 'AccessToken'] as const).flatMap(name =>
        entitiesOf(cache, name)
          .filter(belongs)
          .map(({ realm }) => text(realm)),
      ),
    ]
    found.set(key, {
      homeAccountId,
      environment,
      username: text(account.username) || (earlier?.username ?? ''),
      tenants: [...new Set(tenants.filter(tenant => tenant !== '').map(tenant => tenant.toLowerCase()))],
      clientIds: [
        ...new Set(
          entitiesOf(cache, 'RefreshToken')
            .filter(belongs)
            .map(({ client_id }) => text(client_id)),
        ),
      ],
    })
  }
  return [...found.values()].sort((a, b) => a.username.localeCompare(b.username))
}

/**
 * The token for a scope that the cache holds for an account, whatever is left of it. Without `tenantId` it is one of the
 * account's home: one of another tenant, which a guest has, only where there are no others, as somebody else who uses the
 * cache may be the one who asked for it.
 */
export const accessTokenIn = (
  cacheText: string,
  account: CachedAccount,
  { scope, clientId, tenantId }: { scope: string; clientId: string; tenantId: string | undefined },
): { token: string; expiresAtMs: number; tenantId: string; cachedAtMs: number } | undefined => {
  const resource = scope.replace(/\/\.default$/, '').toLowerCase()
  const held = entitiesOf(parseObject(cacheText), 'AccessToken')
    .filter(
      entity =>
        same(text(entity.home_account_id), account.homeAccountId) &&
        sameHost(text(entity.environment), account.environment) &&
        same(text(entity.client_id), clientId) &&
        text(entity.target)
          .toLowerCase()
          .split(' ')
          .some(target => target.replace(/\/\/?[^/]*$/, '') === resource),
    )
    .map(entity => ({
      token: text(entity.secret),
      expiresAtMs: Number(entity.expires_on) * 1000,
      tenantId: text(entity.realm),
      cachedAtMs: Number(entity.cached_at) * 1000,
    }))
    .filter(({ token, expiresAtMs }) => token !== '' && Number.isFinite(expiresAtMs))
  const only = new Set(held.map(token => token.tenantId.toLowerCase())).size === 1 ? held[0]?.tenantId : undefined
  const wanted = tenantId ?? only ?? account.tenants[0] ?? ''
  return held.filter(token => same(token.tenantId, wanted)).sort((a, b) => b.expiresAtMs - a.expiresAtMs)[0]
}

export interface Wanted {
  authorityHost: string
  /** GUID or domain name. */
  tenantId?: string | undefined
  clientId?: string | undefined
  /** User name. */
  account?: string | undefined
}

export const isGuid = (word: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(word)

export const isOfDomain = (username: string, domain: string): boolean =>
  username.toLowerCase().endsWith(`@${domain.toLowerCase()}`)

/**
 * Those of the configured cloud, tenant, application and name. The cache knows tenants by GUID: a tenant that is configured
 * by domain name fits the accounts named after it, and where none is, every one, as guests may have come.
 */
export const fitting = (accounts: readonly CachedAccount[], wanted: Wanted): CachedAccount[] => {
  const { host } = new URL(wanted.authorityHost)
  const { tenantId, clientId, account } = wanted
  const found = accounts.filter(
    ({ environment, username, clientIds }) =>
      sameHost(host, environment) &&
      (clientId === undefined || clientIds.some(id => same(id, clientId))) &&
      (account === undefined || same(username, account)),
  )
  if (tenantId === undefined) return found
  if (isGuid(tenantId)) return found.filter(({ tenants }) => tenants.some(tenant => same(tenant, tenantId)))
  const named = found.filter(({ username }) => isOfDomain(username, tenantId))
  return named.length > 0 ? named : found
}

/** The one account that is meant, or why there is none. Throws AuthError `ambiguous` where several fit. */
export const chooseAccount = (
  accounts: readonly CachedAccount[],
  wanted: Wanted,
): CachedAccount | { absent: string } => {
  const found = fitting(accounts, wanted)
  const [first, ...others] = found
  if (first && others.length === 0) return first
  if (first) throw severalFit(found, wanted)
  if (accounts.length === 0) return { absent: 'no account is in the token cache' }
  const limits = [
    wanted.tenantId === undefined ? '' : `tenant ${wanted.tenantId}`,
    wanted.clientId === undefined ? '' : `client_id ${wanted.clientId}`,
    wanted.account === undefined ? '' : `account ${wanted.account}`,
  ].filter(limit => limit !== '')
  const at = `${new URL(wanted.authorityHost).host}${limits.length > 0 ? `, ${limits.join(', ')}` : ''}`
  return { absent: `none of the accounts in the token cache is of ${at}: ${accounts.map(calledBy).join(', ')}` }
}

const calledBy = ({ username, tenants }: CachedAccount): string =>
  `${username || 'an account without a name'} (tenant ${tenants.join(', ')})`

const severalFit = (found: readonly CachedAccount[], wanted: Wanted): AuthError => {
  const tenants = found.flatMap(account => account.tenants)
  // Where one is a guest of another's tenant, that tenant chooses neither.
  const isTenantOpen = wanted.tenantId === undefined && new Set(tenants).size === tenants.length
  const setting = isTenantOpen
    ? 'Set tenant_id to the tenant of the one that is meant, or auth.account to its name'
    : 'Set auth.account to the name of the one that is meant'
  return new AuthError(
    'ambiguous',
    `${found.length} accounts in the token cache fit this configuration: ${found.map(calledBy).join(', ')}`,
    `${setting}; or sign all of them out (\`recovery-services-server logout\`) and only that one in again.`,
    { details: { candidates: found.map(({ username, tenants }) => ({ account: username, tenant_id: tenants[0] })) } },
  )
}

/** The cache without these accounts and their tokens. What it holds beside them stays. */
export const withoutAccounts = (cacheText: string, gone: readonly CachedAccount[]): string => {
  const cache = parseObject(cacheText)
  const isGone = (entity: unknown) =>
    isTable(entity) &&
    gone.some(
      ({ homeAccountId, environment }) =>
        same(text(entity.home_account_id), homeAccountId) && sameHost(text(entity.environment), environment),
    )
  const kept = Object.entries(cache).map(([name, section]) => [
    name,
    isTable(section) ? Object.fromEntries(Object.entries(section).filter(([, entity]) => !isGone(entity))) : section,
  ])
  return JSON.stringify(Object.fromEntries(kept))
}

/** Two caches as one; where both hold an entity, the added one's counts. */
export const mergedCaches = (cacheText: string, added: string): string => {
  const into = parseObject(cacheText)
  const from = parseObject(added)
  for (const name of sections) into[name] = { ...(into[name] as object), ...(from[name] as object) }
  return JSON.stringify(into)
}

/**
 * The changes that made `mine` of `base`, done to a cache that others may have changed since: what they changed too stays
 * as they left it.
 */
export const rebased = (cacheText: string, base: string, mine: string): string => {
  if (cacheText === base) return mine
  const into = parseObject(cacheText)
  for (const name of sections) {
    const before = tableIn(base, name)
    const after = tableIn(mine, name)
    const table = { ...tableIn(cacheText, name) }
    for (const key of Object.keys({ ...before, ...after })) {
      if (!isDeepStrictEqual(table[key], before[key])) continue
      if (key in after) table[key] = after[key]
      else delete table[key]
    }
    into[name] = table
  }
  return JSON.stringify(into)
}

const tableIn = (cacheText: string, name: string): Readonly<Record<string, unknown>> => {
  const section = parseObject(cacheText)[name]
  return isTable(section) ? section : {}
}
