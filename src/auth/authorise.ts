/**
 * Attaches the bearer token, below the retry layer and nowhere else, and only for requests to the configured origin.
 * https subdomains of its host count as that origin: Azure polls at regional endpoints.
 */
import { isArmOrigin } from '../arm/origin.ts'
import type { ArmResponse, Send } from '../arm/send.ts'
import { AuthError } from './auth-error.ts'
import { parseObject } from './token-facts.ts'
import type { Credentials, Token, TokenMethod } from './tokens.ts'
import { withoutEcho } from './without-echo.ts'

const audiences = ['management.azure.com', 'management.usgovcloudapi.net', 'management.chinacloudapi.cn']

/** The scope of tokens for an ARM endpoint, e.g. `https://management.azure.com/.default`; a region has its cloud's. */
export function scopeOf(endpoint: string): string {
  const { hostname, origin } = new URL(endpoint)
  const cloud = audiences.find(audience => hostname.endsWith(`.${audience}`))
  return `${cloud ? `https://${cloud}` : origin}/.default`
}

/**
 * `send` with a token. A 401 that calls the token expired or invalid, or asks for one that meets a claims challenge, gets
 * one more try with a new token, writes too: a request that was not authorised was not taken. Throws AuthError for a token
 * of another tenant. A request to any other origin is refused with an Error before anything is sent: those who make
 * requests check addresses first, so it is a bug.
 */
export function authorise(
  send: Send,
  {
    endpoint,
    credentials,
    scope = scopeOf(endpoint),
  }: { endpoint: string; credentials: Pick<Credentials, 'getToken'>; scope?: string },
): Send {
  const sendQuietly = withoutEcho(send)
  return async (request, signal) => {
    if (!URL.canParse(request.url) || !isArmOrigin(new URL(request.url), endpoint)) {
      const host = URL.canParse(request.url) ? new URL(request.url).host : 'an address that is no URL'
      throw new Error(`no token for ${host}: it is not ${new URL(endpoint).host}`)
    }
    const sendWith = async (token: Token) => {
      const headers = { ...request.headers, authorization: `Bearer ${token.token}` }
      const response = await sendQuietly({ ...request, headers }, signal)
      if (response.status === 401) throwIfWrongTenant(response, token, request.headers['x-ms-client-request-id'])
      return response
    }
    const token = await credentials.getToken(scope, { signal })
    const response = await sendWith(token)
    const claims = claimsAsked(response)
    if (claims === undefined && !blamesToken(response)) return response
    const renewed = await credentials.getToken(scope, { signal, rejected: token.token, claims })
    if (renewed.token === token.token) return response
    const again = await sendWith(renewed)
    if (claimsAsked(again) !== undefined) throw notEnough(again, renewed)
    return again
  }
}

/** ARM names it in the body, and in WWW-Authenticate as RFC 6750 has it. */
function blamesToken({ status, headers, body }: ArmResponse): boolean {
  if (status !== 401) return false
  const isNamed = /"(ExpiredAuthenticationToken|InvalidAuthenticationToken)"/.test(body)
  return isNamed || /\berror="?invalid_token\b/.test(headers['www-authenticate'] ?? '')
}

/**
 * The JSON text of a claims challenge: `Bearer …, claims="<base64 of JSON>"`. Its error is `insufficient_claims` where a
 * policy asks for more, and `invalid_token` where the session was revoked.
 * https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
function claimsAsked({ status, headers }: ArmResponse): string | undefined {
  if (status !== 401) return undefined
  const coded = /\bclaims="([^"]+)"/i.exec(headers['www-authenticate'] ?? '')?.[1] ?? ''
  const text = Buffer.from(coded, 'base64').toString('utf8')
  return Object.keys(parseObject(text)).length > 0 ? text : undefined
}

/** A new token is as good as the sign-in that it comes from. */
const notEnough = ({ status, headers }: ArmResponse, token: Token): AuthError =>
  new AuthError(
    'not_signed_in',
    `Conditional access asks for more than ${whose(token)} has, also of a new one`,
    'Sign in again (`recovery-services-server login --browser`) from a device and a place that the tenant allows; its administrator finds what is missing in the sign-in logs of Entra ID.',
    { httpStatus: status, requestId: headers['x-ms-request-id'] },
  )

const whose = ({ account, method }: Token): string =>
  `${account === undefined ? 'the token' : `the token of ${account}`} (${method})`

const guid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

/** How each credential is brought to another tenant, beside tenant_id. */
const otherTenant: Readonly<Record<TokenMethod, (tenant: string) => string>> = {
  access_token: tenant => `put a token of the tenant ${tenant} into AZURE_ACCESS_TOKEN and restart this server`,
  client_secret: tenant => `set tenant_id (or AZURE_TENANT_ID) to ${tenant}, where the application has to be known`,
  client_certificate: tenant =>
    `set tenant_id (or AZURE_TENANT_ID) to ${tenant}, where the application has to be known`,
  workload_identity: tenant => `set tenant_id (or AZURE_TENANT_ID) to ${tenant}, where the application has to be known`,
  user: tenant => `set tenant_id to ${tenant} and sign in with \`recovery-services-server login --tenant ${tenant}\``,
  managed_identity: tenant =>
    `a managed identity is of its own tenant only: set auth.method to a credential of the tenant ${tenant}, and tenant_id to it`,
  azure_cli: tenant =>
    `set tenant_id to ${tenant}, and run \`az login --tenant ${tenant}\` if the Azure CLI is not signed in there`,
}

/**
 * "The access token is from the wrong issuer 'https://sts.windows.net/A/'. It must match the tenant '…/B/' …"; the address
 * to sign in at, which the challenge names too, is B's.
 */
function throwIfWrongTenant(
  { status, headers, body }: ArmResponse,
  token: Token,
  clientRequestId: string | undefined,
): void {
  if (!body.includes('InvalidAuthenticationTokenTenant')) return
  const { error } = parseObject(body)
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : body
  const challenge = headers['www-authenticate'] ?? ''
  const wanted =
    new RegExp(`must match (?:the|one of the) tenants? '[^']*?(${guid})`, 'i').exec(message)?.[1] ??
    new RegExp(`authorization_uri="https://[^/"]+/(${guid})"`, 'i').exec(challenge)?.[1]
  const had = new RegExp(`wrong issuer '[^']*?(${guid})`, 'i').exec(message)?.[1] ?? token.tenantId
  const who = whose(token).replace(/^t/, 'T')
  throw new AuthError(
    'not_signed_in',
    `${who} is of the tenant ${had ?? 'of its account'}, the subscription belongs to the tenant ${wanted ?? 'that Azure does not name'}`,
    wanted === undefined
      ? 'Set tenant_id to the tenant of the subscription, and sign in there.'
      : `${otherTenant[token.method](wanted).replace(/^./, first => first.toUpperCase())}; or check subscription_id if the other tenant is meant.`,
    {
      azureCode: 'InvalidAuthenticationTokenTenant',
      httpStatus: status,
      requestId: headers['x-ms-request-id'],
      details: {
        token_tenant_id: had ?? null,
        subscription_tenant_id: wanted ?? null,
        ...(clientRequestId !== undefined && { client_request_id: clientRequestId }),
      },
    },
  )
}
