/**
 * Text of a line to a JSON-RPC 2.0 message. Nothing here knows MCP. An id is a string or an integer; an answer that
 * cannot name one leaves it out, because no MCP revision allows null.
 */
import { RpcError, rpcCodes } from './errors.ts'

export type Id = string | number
export type Params = Record<string, unknown>

export interface RpcRequest {
  kind: 'request'
  id: Id
  method: string
  params: Params
}

export type Message =
  | RpcRequest
  | { kind: 'notification'; method: string; params: Params }
  | { kind: 'response'; id: Id | undefined; result: unknown; error: unknown }
  | { kind: 'invalid'; id: Id | undefined; error: RpcError }

export type Parsed = Message | { kind: 'batch'; messages: Message[] }

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isId = (value: unknown): value is Id => typeof value === 'string' || Number.isSafeInteger(value)

const invalid = (message: string, id?: unknown): Message => ({
  kind: 'invalid',
  id: isId(id) ? id : undefined,
  error: new RpcError(rpcCodes.invalidRequest, message),
})

/** What an invalid line is answered with where nothing of it could be read. */
export const unreadable = (message: string): Message => ({
  kind: 'invalid',
  id: undefined,
  error: new RpcError(rpcCodes.parseError, message),
})

/** Far more than clients send; a line can hold a million, and reading those would take seconds. */
const maxBatch = 256

/** Never throws. An array of messages is a batch, whatever the revision makes of it. */
export const parseMessage = (text: string): Parsed => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return unreadable('The line is not JSON. Each line holds one JSON-RPC message.')
  }
  if (!Array.isArray(value)) return toMessage(value)
  if (value.length === 0) return invalid('An empty batch is not a request.')
  if (value.length > maxBatch) return invalid(`A batch holds at most ${maxBatch} messages.`)
  return { kind: 'batch', messages: value.map(toMessage) }
}

const toMessage = (value: unknown): Message => {
  if (!isObject(value)) return invalid('A message is a JSON object with "jsonrpc": "2.0".')
  const { jsonrpc, id, method, params } = value
  if (jsonrpc !== '2.0') return invalid('"jsonrpc" must be "2.0".', id)
  if (method === undefined) return toResponse(value)
  if (typeof method !== 'string') return invalid('"method" must be a string.', id)
  const badParams = params !== undefined && !isObject(params)
  if (!('id' in value)) return { kind: 'notification', method, params: isObject(params) ? params : {} }
  if (!isId(id)) return invalid('"id" must be a string or an integer.')
  if (badParams)
    return { kind: 'invalid', id, error: new RpcError(rpcCodes.invalidParams, '"params" must be an object.') }
  return { kind: 'request', id, method, params: isObject(params) ? params : {} }
}

const toResponse = (value: Record<string, unknown>): Message => {
  if (!('result' in value) && !('error' in value))
    return invalid('A message has a "method", a "result" or an "error".', value.id)
  return { kind: 'response', id: isId(value.id) ? value.id : undefined, result: value.result, error: value.error }
}

/** The text of an answer. `resultJson` is JSON text already, so that what was prepared at build time is not parsed again. */
export const resultText = (id: Id, resultJson: string): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultJson}}`

export const errorText = (id: Id | undefined, error: RpcError): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    ...(id === undefined ? {} : { id }),
    error: { code: error.code, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) },
  })

export const notificationText = (method: string, params: Params): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params })
