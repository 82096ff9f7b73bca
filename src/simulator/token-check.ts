/**
 * Tokens of a sign-in service, looked at as Azure Resource Manager does: signature, audience and time, by the simulated
 * clock. Loaded only where a seed names the keys.
 * https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens
 */
import { createPublicKey, verify } from 'node:crypto'
import { type Fields, fields, number, text } from '../backup/fields.ts'
import { type Refusal, unauthorized } from './refusal.ts'
import type { TokenKey } from './state.ts'

/** Who asks, as far as it is told apart. */
export interface Bearer {
  tenantId: string
}

export interface AskedWith {
  /** Tenant of the subscriptions. */
  tenantId: string
  /** Origin that the caller used: clients with an endpoint of their own ask for tokens for it. */
  base: string
  nowMs: number
}

/** Throws Refusal 401 for a token that is not let in. */
export type TokenCheck = (token: string, asked: AskedWith) => Bearer

const skewMs = 5 * 60_000 // what Microsoft's validators allow between two clocks
const audiences = ['https://management.core.windows.net', 'https://management.azure.com']

export const createTokenCheck = (given: readonly TokenKey[]): TokenCheck => {
  const keys = given.map(({ kty, n, e, kid }) => ({ kid, key: createPublicKey({ key: { kty, n, e }, format: 'jwk' }) }))

  /** The claims of a token that one of the keys has signed. */
  const claimsOf = (token: string): Fields | undefined => {
    const [head = '', body = '', signature = '', ...rest] = token.split('.')
    const { alg, kid } = json(head)
    if (rest.length > 0 || alg !== 'RS256') return undefined
    const signed = Buffer.from(`${head}.${body}`)
    const isSigned = keys
      .filter(each => each.kid === undefined || each.kid === kid)
      .some(({ key }) => verify('sha256', signed, key, Buffer.from(signature, 'base64url')))
    return isSigned ? json(body) : undefined
  }

  return (token, { tenantId, base, nowMs }) => {
    const refused = (code: string, message: string, told?: string): Refusal =>
      unauthorized(tenantId, code, message, told)
    const claims = claimsOf(token)
    const { tid, aud, exp, nbf } = claims ?? {}
    const expiresMs = (number(exp) ?? Number.NaN) * 1000
    if (text(tid) === null || text(aud) === null || Number.isNaN(expiresMs))
      throw refused('InvalidAuthenticationToken', 'The access token is invalid.')
    const allowed = [...audiences, base].flatMap(audience => [`${audience}/`, audience])
    if (!allowed.includes(String(aud)))
      throw refused(
        'InvalidAuthenticationTokenAudience',
        `The access token has been obtained for wrong audience or resource '${aud}'. It should exactly match with one of the allowed audiences ${allowed.map(audience => `'${audience}'`).join(',')}.`,
        'The access token has been obtained for wrong audience or resource.',
      )
    if (expiresMs + skewMs < nowMs)
      throw refused(
        'ExpiredAuthenticationToken',
        `The access token expiry UTC time '${day(expiresMs)}' is earlier than current UTC time '${day(nowMs)}'.`,
      )
    if ((number(nbf) ?? 0) * 1000 - skewMs > nowMs)
      throw refused('InvalidAuthenticationToken', 'The access token is not valid yet.')
    return { tenantId: String(tid) }
  }
}

const json = (part: string): Fields => {
  try {
    return fields(JSON.parse(Buffer.from(part, 'base64url').toString()))
  } catch {
    return {}
  }
}

/** 8/21/2018 3:22:00 PM, as .NET writes times in the invariant United States. */
const day = (atMs: number): string =>
  new Date(atMs).toLocaleString('en-US', { timeZone: 'UTC' }).replace(',', '').replaceAll('\u202f', ' ')
