/**
 * Which generation does this message speak? Read from the message itself, every time: an envelope in `params._meta` makes
 * it modern, anything else is legacy. Nothing a modern request does pins the pipe, and `initialize` fixes the revision of
 * legacy messages only, so both may be mixed on one pipe (clients probe with server/discover and then initialize).
 */
import type { LogLevel } from '../log.ts'
import { RpcError, rpcCodes } from '../rpc/errors.ts'
import type { RpcRequest } from '../rpc/messages.ts'
import { oldest } from './legacy.ts'
import { claimsModern, missingEnvelope, modern, modernOnly, readEnvelope } from './modern.ts'
import type { Method, Revision } from './revision.ts'

export interface LegacyState {
  revision: Revision
  logLevel: LogLevel | undefined
}

export interface Selected {
  revision: Revision
  method: Method
  logLevel: LogLevel | undefined
}

/** The revision and method that serve a request. Throws RpcError where none does. `initialize` itself is not served here. */
export const select = ({ method, params }: RpcRequest, legacy: LegacyState | undefined): Selected => {
  if (claimsModern(params)) {
    const { logLevel } = readEnvelope(params)
    return { revision: modern, method: methodOf(modern, method), logLevel }
  }
  if (legacy) return { ...legacy, method: methodOf(legacy.revision, method) }
  // Legacy clients may ping before their handshake; everything else without an envelope is a modern request that lacks it.
  if (method === 'ping') return { revision: oldest, method: methodOf(oldest, method), logLevel: undefined }
  if (modernOnly.has(method) || modern.methods.has(method) || oldest.methods.has(method)) throw missingEnvelope()
  throw unknownMethod(method)
}

const methodOf = (revision: Revision, name: string): Method => {
  const method = revision.methods.get(name)
  if (!method) throw unknownMethod(name)
  return method
}

const unknownMethod = (name: string): RpcError =>
  new RpcError(rpcCodes.methodNotFound, `There is no method ${JSON.stringify(name.slice(0, 80))}.`)
