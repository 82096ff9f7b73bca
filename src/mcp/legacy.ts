/** The four revisions that open with `initialize`. They differ in what a tool and a progress notification may hold. */
import { logLevels } from '../log.ts'
import { RpcError, rpcCodes } from '../rpc/errors.ts'
import type { RpcRequest } from '../rpc/messages.ts'
import { callTool, listTools } from './methods.ts'
import type { Method, Revision } from './revision.ts'
import { instructions, serverInfo } from './server-info.ts'

const setLogLevel: Method = ({ params }, exchange) => {
  if (!logLevels.some(level => level === params.level))
    throw new RpcError(rpcCodes.invalidParams, `"level" must be one of ${logLevels.join(', ')}.`)
  exchange.setLogLevel(String(params.level))
  return ''
}

const methods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['ping', () => ''],
  ['tools/list', listTools],
  ['tools/call', callTool],
  ['logging/setLevel', setLogLevel],
])

const revision = (
  version: string,
  parts: Partial<Revision['toolParts'] & { progressMessages: boolean }>,
): Revision => ({
  version,
  methods,
  toolParts: { annotations: parts.annotations ?? false, output: parts.output ?? false },
  progressMessages: parts.progressMessages ?? false,
  dress: inside => `{${inside}}`,
})

export const oldest = revision('2024-11-05', {})
const newest = revision('2025-11-25', { annotations: true, output: true, progressMessages: true })

const revisions: ReadonlyMap<string, Revision> = new Map(
  [
    oldest,
    revision('2025-03-26', { annotations: true, progressMessages: true }),
    revision('2025-06-18', { annotations: true, output: true, progressMessages: true }),
    newest,
  ].map(each => [each.version, each]),
)

/** The only revision in which several messages may come as one array. */
export const hasBatches = (revision: Revision | undefined): boolean => revision?.version === '2025-03-26'

/** The asked revision where it is served, else the newest of this generation: a result either way, never an error. */
export const initialize = ({ params }: RpcRequest): { revision: Revision; inside: string } => {
  const { protocolVersion } = params
  if (typeof protocolVersion !== 'string')
    throw new RpcError(
      rpcCodes.invalidParams,
      '"protocolVersion" must be a revision of the protocol, e.g. "2025-11-25".',
    )
  const revision = revisions.get(protocolVersion) ?? newest
  const { title, ...info } = serverInfo
  const result = {
    protocolVersion: revision.version,
    capabilities: { tools: {}, logging: {} },
    serverInfo: revision.toolParts.output ? { ...info, title } : info,
    instructions,
  }
  return { revision, inside: JSON.stringify(result).slice(1, -1) }
}
