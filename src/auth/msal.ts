/**
 * The grants of OAuth 2.0, done by MSAL. The only module that imports it, and so the one that is loaded when a token is
 * first needed. Each acquisition has an application object of its own: MSAL's caches live no longer than that, and what
 * lasts is the cache file (user accounts) and the token in memory.
 */

import type { AuthenticationResult, Configuration, INetworkModule } from '@azure/msal-node'
import {
  ConfidentialClientApplication,
  CryptoProvider,
  ManagedIdentityApplication,
  PublicClientApplication,
} from '@azure/msal-node'
import { SendError } from '../arm/send.ts'
import { isCloudsAuthority } from '../config/clouds.ts'
import { AuthError } from './auth-error.ts'
import type { CachedAccount } from './cached-accounts.ts'
import type { BrowserAnswer } from './loopback.ts'
import { createExchange, type Exchange, type ExchangeDeps, refusalOf } from './network.ts'
import { type Asking, refusalError, sendFailureError, strangeAnswerError } from './refusals.ts'
import { factsOf, type TokenFacts } from './token-facts.ts'

export type Acquired = TokenFacts & { token: string }

/** What is asked for, of whom. `tenant`: GUID, domain name, or `organizations` where the account decides. */
export interface Grant extends Asking {
  tenant: string
  clientId: string
  scope: string
  /** JSON text of a claims challenge. */
  claims?: string | undefined
}

/** Says that claims challenges are understood (continuous access evaluation). */
const clientCapabilities = ['CP1']

const configurationOf = ({ authorityHost, tenant, clientId }: Grant, client: INetworkModule): Configuration => {
  const { host } = new URL(authorityHost)
  return {
    auth: {
      clientId,
      authority: `https://${host}/${tenant}`,
      // A host that MSAL does not know would otherwise be asked about at login.microsoftonline.com.
      ...(!isCloudsAuthority(authorityHost) && { knownAuthorities: [host] }),
      clientCapabilities,
    },
    system: { networkClient: client },
  }
}

/** Runs one acquisition; whatever goes wrong in it comes out as AuthError, or as the signal's reason. */
const acquire = async <T extends Acquired>(
  asking: Asking,
  deps: ExchangeDeps,
  run: (client: INetworkModule) => Promise<T | null>,
): Promise<T> => {
  const exchange = createExchange(deps)
  try {
    const result = await untilAborted(run(exchange.client), deps.signal)
    if (result === null) throw new Error('MSAL came back with nothing')
    return result
  } catch (error) {
    throw toAuthError(error, exchange, asking, deps.signal)
  }
}

/** MSAL's waits between two polls take no signal. */
const untilAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })

const toAuthError = (error: unknown, exchange: Exchange, asking: Asking, signal: AbortSignal): unknown => {
  if (signal.aborted) return signal.reason
  const thrown = exchange.thrown()
  if (thrown instanceof SendError) return sendFailureError(thrown, asking)
  if (thrown !== undefined) return thrown
  const refusal = exchange.refusal()
  const code = error instanceof Error && 'errorCode' in error ? String(error.errorCode) : undefined
  // MSAL did not get as far as asking for a token.
  const isLost = code === 'endpoints_resolution_error'
  if (isLost && (refusal === undefined || (refusal.status < 429 && refusal.codes.length === 0)))
    return strangeAnswerError(
      asking,
      `its OpenID configuration ${refusal === undefined ? 'cannot be used' : `is not there (status ${refusal.status})`}`,
    )
  // Of Azure Arc the refusal is the first half of a handshake, and this what is wrong with it.
  const isHandshake = error instanceof Error && error.name === 'ManagedIdentityError'
  if (refusal && !isHandshake) return refusalError(refusal, asking)
  if (error instanceof AuthError || !(error instanceof Error) || code === undefined) return error
  return refusalError(refusalOf({ error: words[code] ?? code, error_description: error.message }), asking)
}

/** MSAL's own codes for what OAuth has a word for. */
const words: Readonly<Record<string, string>> = {
  device_code_expired: 'expired_token',
  user_timeout_reached: 'expired_token',
  no_tokens_found: 'invalid_grant',
  no_account_found: 'invalid_grant',
  refresh_token_expired: 'invalid_grant',
  bad_token: 'invalid_grant',
}

const acquiredFrom = (
  { accessToken, expiresOn, account, tenantId }: AuthenticationResult,
  asking: Pick<Asking, 'authorityHost'>,
): Acquired => {
  if (!accessToken) throw strangeAnswerError(asking, 'its answer holds no access token')
  const facts = factsOf(accessToken)
  return {
    token: accessToken,
    account: account?.username || facts.account,
    tenantId: facts.tenantId ?? (tenantId || undefined),
    expiresAtMs: expiresOn?.getTime() ?? facts.expiresAtMs,
  }
}

/** What a user's sign-in or its renewal made: the token, and the cache's JSON with it. */
export interface UserAcquired extends Acquired {
  cacheText: string
}

/** A token for a cached account: from its refresh token. */
export const renewed = (
  grant: Grant,
  account: CachedAccount,
  cacheText: string,
  deps: ExchangeDeps,
): Promise<UserAcquired> =>
  acquire(grant, deps, async client => {
    const app = new PublicClientApplication(configurationOf(grant, client))
    app.getTokenCache().deserialize(cacheText)
    const { homeAccountId, environment, username } = account
    const result = await app.acquireTokenSilent({
      account: { homeAccountId, environment, username, tenantId: grant.tenant, localAccountId: '' },
      scopes: [grant.scope],
      forceRefresh: true,
      ...(grant.claims !== undefined && { claims: grant.claims }),
    })
    return { ...acquiredFrom(result, grant), cacheText: app.getTokenCache().serialize() }
  })

/** What a person needs to sign in on another device. */
export interface DeviceCode {
  url: string
  code: string
  expiresAtMs: number
}

/** Resolves when the person is done. `onCode` is called once, before. */
export const byDeviceCode = (
  grant: Grant,
  onCode: (code: DeviceCode) => void,
  deps: ExchangeDeps,
): Promise<UserAcquired> =>
  acquire(grant, deps, async client => {
    const app = new PublicClientApplication(configurationOf(grant, client))
    const request = {
      scopes: [grant.scope],
      ...(grant.claims !== undefined && { claims: grant.claims }),
      cancel: false,
      deviceCodeCallback: ({ verificationUri, userCode, expiresIn }: Partial<DeviceAnswer>) => {
        // MSAL goes on with a refusal as if it were a code.
        if (!verificationUri || !userCode || !expiresIn) throw strangeAnswerError(grant, 'its answer holds no code')
        onCode({ url: verificationUri, code: userCode, expiresAtMs: deps.clock.now() + expiresIn * 1000 })
      },
    }
    const cancel = () => {
      request.cancel = true
    }
    deps.signal.addEventListener('abort', cancel, { once: true })
    const result = await app
      .acquireTokenByDeviceCode(request)
      .finally(() => deps.signal.removeEventListener('abort', cancel))
    return result && { ...acquiredFrom(result, grant), cacheText: app.getTokenCache().serialize() }
  })

interface DeviceAnswer {
  verificationUri: string
  userCode: string
  /** Seconds. */
  expiresIn: number
}

/** How a browser's answer comes back: `open` is given the page's address and resolves with what the redirect brought. */
export interface BrowserTrip {
  redirectUri: string
  open(url: string, state: string): Promise<BrowserAnswer>
}

/** Authorization code with PKCE. */
export const byBrowser = (grant: Grant, trip: BrowserTrip, deps: ExchangeDeps): Promise<UserAcquired> =>
  acquire(grant, deps, async client => {
    const app = new PublicClientApplication(configurationOf(grant, client))
    const crypto = new CryptoProvider()
    const { verifier, challenge } = await crypto.generatePkceCodes()
    const state = crypto.createNewGuid()
    const nonce = crypto.createNewGuid()
    const request = {
      scopes: [grant.scope],
      redirectUri: trip.redirectUri,
      ...(grant.claims !== undefined && { claims: grant.claims }),
    }
    const url = await app.getAuthCodeUrl({
      ...request,
      state,
      nonce,
      responseMode: 'form_post',
      codeChallenge: challenge,
      codeChallengeMethod: 'S256',
      prompt: 'select_account',
    })
    const answer = await trip.open(url, state)
    if ('error' in answer)
      throw refusalError(refusalOf({ error: answer.error, error_description: answer.description }), grant)
    const result = await app.acquireTokenByCode({ ...request, code: answer.code, codeVerifier: verifier, nonce })
    return { ...acquiredFrom(result, grant), cacheText: app.getTokenCache().serialize() }
  })

/** What an application proves itself by. */
export type ClientCredential =
  | { clientSecret: string }
  | { clientAssertion: string }
  | { clientCertificate: { thumbprintSha256: string; privateKey: string; x5c: string } }

export const byClientCredential = (grant: Grant, credential: ClientCredential, deps: ExchangeDeps): Promise<Acquired> =>
  acquire(grant, deps, async client => {
    const { auth, system } = configurationOf(grant, client)
    const app = new ConfidentialClientApplication({ auth: { ...auth, ...credential }, ...(system && { system }) })
    const result = await app.acquireTokenByClientCredential({
      scopes: [grant.scope],
      azureRegion: 'DisableMsalForceRegion', // MSAL_FORCE_REGION would send the secret to another host
      ...(grant.claims !== undefined && { claims: grant.claims }),
    })
    return result && acquiredFrom(result, grant)
  })

/** MSAL keeps the first network client it is given for managed identity, so it is one that passes on to each in turn. */
let current: INetworkModule | undefined
const passingOn: INetworkModule = {
  sendGetRequestAsync: (...args) => inForce().sendGetRequestAsync(...args),
  sendPostRequestAsync: (...args) => inForce().sendPostRequestAsync(...args),
}
const inForce = (): INetworkModule => {
  if (!current) throw new Error('no managed identity is asked for')
  return current
}
let before: Promise<unknown> = Promise.resolve()

/** Of the machine that this runs on; `clientId` for one that is assigned to it beside its own. One at a time. */
export const byManagedIdentity = (
  {
    clientId,
    scope,
    claims,
    ...asking
  }: Asking & { scope: string; clientId?: string | undefined; claims?: string | undefined },
  deps: ExchangeDeps,
): Promise<Acquired> => {
  const run = () =>
    acquire({ ...asking, clientId, scope }, { ...deps, alsoPassing: [404, 408, 410] }, async client => {
      current = client
      const app = new ManagedIdentityApplication({
        clientCapabilities,
        ...(clientId !== undefined && { managedIdentityIdParams: { userAssignedClientId: clientId } }),
        system: { networkClient: passingOn, disableInternalRetries: true },
      })
      const result = await app.acquireToken({
        resource: scope,
        ...(claims === undefined ? { forceRefresh: true } : { claims }),
      })
      return acquiredFrom(result, asking)
    })
  const turn = before.then(run, run)
  before = turn.catch(() => {})
  return turn
}
