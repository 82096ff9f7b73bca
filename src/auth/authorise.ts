/**
 * Attaches the bearer token, below the retry layer and nowhere else, and only for requests to the configured origin.
 * https subdomains of its host count as that origin: Azure polls at regional endpoints.
 */
import { isArmOrigin } from '../arm/origin.ts'
import type { ArmResponse, Send } from '../arm/send.ts'
import type { Credentials } from './tokens.ts'

const audiences = ['management.azure.com', 'management.usgovcloudapi.net', 'management.chinacloudapi.cn']

/** The scope of tokens for an ARM endpoint, e.g. `https://management.azure.com/.default`; a region has its cloud's. */
export function scopeOf(endpoint: string): string {
  const { hostname, origin } = new URL(endpoint)
  const cloud = audiences.find(audience => hostname.endsWith(`.${audience}`))
  return `${cloud ? `https://${cloud}` : origin}/.default`
}

/**
 * `send` with a token. A 401 that calls the token expired or invalid gets one more try with a new token, writes too: a
 * request that was not authorised was not taken. A request to any other origin is refused with an Error before anything
 * is sent: those who make requests check addresses first, so it is a bug.
 */
export function authorise(
  send: Send,
  {
    endpoint,
    credentials,
    scope = scopeOf(endpoint),
  }: { endpoint: string; credentials: Pick<Credentials, 'getToken'>; scope?: string },
): Send {
  return async (request, signal) => {
    if (!URL.canParse(request.url) || !isArmOrigin(new URL(request.url), endpoint)) {
      const host = URL.canParse(request.url) ? new URL(request.url).host : 'an address that is no URL'
      throw new Error(`no token for ${host}: it is not ${new URL(endpoint).host}`)
    }
    const sendWith = (token: string) =>
      send({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } }, signal)
    const { token } = await credentials.getToken(scope, { signal })
    const response = await sendWith(token)
    if (!blamesToken(response)) return response
    const renewed = await credentials.getToken(scope, { signal, refresh: true })
    return renewed.token === token ? response : sendWith(renewed.token)
  }
}

/** ARM names it in the body, and in WWW-Authenticate as RFC 6750 has it; not so a token of another tenant. */
function blamesToken({ status, headers, body }: ArmResponse): boolean {
  if (status !== 401 || body.includes('InvalidAuthenticationTokenTenant')) return false
  const isNamed = /"(ExpiredAuthenticationToken|InvalidAuthenticationToken)"/.test(body)
  return isNamed || /\berror="?invalid_token\b/.test(headers['www-authenticate'] ?? '')
}
