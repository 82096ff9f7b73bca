/** The machine's identity as a source of tokens: what is made of its endpoint's answers and failures. */
import { printable } from '../printable.ts'
import { AuthError } from './auth-error.ts'
import { isHttpAddress, managedIdentityPlace, probeFault } from './managed-identity.ts'
import type { Found, SourceDeps, Wish } from './sources.ts'

/** Somebody who relies on the machine's identity would rather wait than be told too soon that there is none. */
const probeMs = { auto: 900, explicit: 5000 }

/** A token of the machine's identity, or why there is none. Throws AuthError where an endpoint is there and gives none. */
export const managedIdentityToken = async (
  deps: SourceDeps,
  { scope, signal, claims, isThere }: Wish,
): Promise<Found> => {
  const { kind, endpoint, variable, probe } = await managedIdentityPlace(deps)
  const isAuto = deps.method === 'auto'
  if (!isHttpAddress(endpoint))
    throw new AuthError(
      'not_configured',
      `${variable} (${printable(endpoint, 80)}) is no address of a managed identity endpoint (${kind})`,
      `Unset ${variable}, or set it to the http address that the machine's documentation gives.`,
    )
  if (probe !== undefined) {
    const fault = await probeFault(probe, deps.sendHere, signal, isAuto ? probeMs.auto : probeMs.explicit)
    if (fault !== undefined && isAuto) return { absent: fault }
    if (fault !== undefined)
      throw new AuthError('unreachable', `Nobody is signed in: ${fault}`, `${assignOne}, or ${otherMethod}.`)
  }
  isThere?.()
  const { byManagedIdentity } = await import('./msal.ts')
  const clientId = deps.clientId ?? (deps.env.AZURE_CLIENT_ID || undefined)
  const authorityHost = new URL(endpoint).origin
  try {
    return await byManagedIdentity(
      { method: 'managed_identity', authorityHost, clientId, scope, claims },
      { ...deps, authorityHost, send: deps.sendHere, signal },
    )
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    if (isAuto && /identity not found/i.test(error.message))
      return {
        absent: `the machine (${kind}) has no such identity${clientId === undefined ? '' : ` ${clientId}`}`,
      }
    throw new AuthError(
      isPassing(error) ? 'unreachable' : error.code === 'not_signed_in' ? 'not_configured' : error.code,
      `The managed identity (${kind}) gave no token: ${error.message}`,
      managedIdentityRemedy(error, clientId),
      { httpStatus: error.httpStatus, azureCode: error.azureCode, cause: error },
    )
  }
}

const assignOne = 'Run this on a machine of Azure that has an identity'
const otherMethod = 'set auth.method to another credential'

/** While it is updated IMDS answers 404 or 410. */
const isPassing = ({ code, httpStatus }: AuthError): boolean =>
  code === 'unreachable' || code === 'timeout' || httpStatus === 404 || httpStatus === 410

const managedIdentityRemedy = (error: AuthError, clientId: string | undefined): string => {
  if (error.code === 'throttled') return error.remediation
  if (isPassing(error))
    return `The endpoint belongs to this machine and may be being updated: try again in a minute. If it goes on, look after the agent or host that runs it, or ${otherMethod}.`
  const check =
    clientId === undefined ? '' : `, check that ${clientId} (auth.client_id or AZURE_CLIENT_ID) is assigned to it`
  return `Assign an identity to this machine${check}, or ${otherMethod}.`
}
