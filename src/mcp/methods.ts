/** Methods that both generations of the protocol have. */
import { RpcError, rpcCodes } from '../rpc/errors.ts'
import { isObject } from '../rpc/messages.ts'
import type { Method } from './revision.ts'

const invalidParams = (message: string): RpcError => new RpcError(rpcCodes.invalidParams, message)

/** The whole list is one page, so no cursor was ever issued and any that comes is bad. */
export const listTools: Method = async ({ params }, { tools, revision }) => {
  if (params.cursor !== undefined)
    throw invalidParams('"cursor" is not one that tools/list gave: the list is one page.')
  return `"tools":${await tools.list(revision.toolParts)}`
}

export const callTool: Method = async ({ params }, { tools, revision, signal, progress, log }) => {
  const { name } = params
  const given = params.arguments ?? {}
  if (typeof name !== 'string') throw invalidParams('"name" must be the name of a tool.')
  if (!isObject(given)) throw invalidParams('"arguments" must be an object.')
  const { isError, json } = await tools.call({ name, arguments: given, signal, progress, log })
  const content = `"content":[{"type":"text","text":${JSON.stringify(json)}}]`
  if (isError) return `${content},"isError":true`
  return revision.toolParts.output ? `${content},"structuredContent":${json}` : content
}
