/** What is said where nobody is signed in: why, and what the user can do about it now. */
import type { AuthMethod } from '../config/types.ts'
import { AuthError } from './auth-error.ts'
import type { Offer } from './background-sign-in.ts'
import { loginCommand } from './refusals.ts'
import type { Skipped } from './tokens.ts'

interface Asked {
  method: AuthMethod
  tenantId?: string | undefined
  authorityHost: string
}

const detailsOf = (skipped: readonly Skipped[]) => ({ not_taken: skipped.map(({ method, why }) => ({ method, why })) })

/** Every credential that is tried was looked for. */
export const nobody = (asked: Asked, skipped: readonly Skipped[]): AuthError => {
  const isOne = asked.method !== 'auto'
  const command = loginCommand({ tenant: asked.tenantId })
  const mayLogIn = asked.method === 'auto' || asked.method === 'user'
  return new AuthError(
    'not_signed_in',
    isOne
      ? `Nobody is signed in (auth.method = "${asked.method}"): ${skipped.map(({ why }) => why).join('; ')}`
      : 'Nobody is signed in: no credential was found',
    !mayLogIn
      ? 'Set what is missing and restart this server, or set auth.method to "auto".'
      : isOne
        ? `Run ${command}, or set auth.method to another credential.`
        : `Run ${command}, or set AZURE_ACCESS_TOKEN or the variables of a service principal.`,
    { details: detailsOf(skipped), ...(mayLogIn && { person: {} }) },
  )
}

/** Some of them have not answered yet. */
export const nobodyYet = ({ tenantId }: Asked): AuthError =>
  new AuthError('not_signed_in', 'Nobody is known to be signed in', `Run ${loginCommand({ tenant: tenantId })}.`)

/** The same error with what the user can do about it now. */
export const withOffer = (
  error: AuthError,
  skipped: readonly Skipped[],
  { code, error: fault }: Offer,
  { authorityHost }: Asked,
): AuthError => {
  const { person } = error
  const details = { ...error.details, ...detailsOf(skipped) }
  const said = error.message.replace(/[^.!?]$/, '$&.')
  if (code) {
    const expires = isoSeconds(code.expiresAtMs)
    const before = fault ? ` The sign-in before did not succeed: ${fault.inOneLine}` : ''
    return new AuthError(
      'not_signed_in',
      `${said} A sign-in has been started.${before}`,
      `Show this to the user: open ${code.url} and enter the code ${code.code} (until ${expires}). Once that is done, call again.`,
      {
        ...factsOf(error),
        person,
        details: { sign_in: { url: code.url, code: code.code, expires_at: expires }, ...details },
      },
    )
  }
  if (fault)
    return new AuthError(fault.code, `${said} A sign-in could not be started: ${fault.message}`, fault.remediation, {
      ...factsOf(fault),
      person,
      details,
    })
  const { host } = new URL(authorityHost)
  return new AuthError(
    'not_signed_in',
    error.message,
    `A sign-in is being started, but ${host} has not answered yet: call again in a few seconds.`,
    { person, details },
  )
}

const isoSeconds = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`

const factsOf = ({ azureCode, httpStatus, cause }: AuthError) => ({ azureCode, httpStatus, cause })
