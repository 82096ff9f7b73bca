/** Revision 2026-07-28: every request carries its own envelope, nothing is inferred from earlier ones. */
import { type LogLevel, logLevels } from '../log.ts'
import { RpcError, rpcCodes } from '../rpc/errors.ts'
import { isObject, type Params } from '../rpc/messages.ts'
import { callTool, listTools } from './methods.ts'
import type { Method, Revision } from './revision.ts'
import { instructions, serverInfo } from './server-info.ts'

const prefix = 'io.modelcontextprotocol/'
const version = '2026-07-28'
/** Only what a client may put into `_meta`: naming a legacy date here would draw requests that must be refused. */
const supportedVersions = [version]

const meta = `"_meta":${JSON.stringify({ [`${prefix}serverInfo`]: serverInfo })}`
/** Minutes, not days: a client that keeps the list across an upgrade would call tools that are no more. */
const caching: Readonly<Record<string, string>> = {
  'server/discover': '"ttlMs":300000,"cacheScope":"public"',
  'tools/list': '"ttlMs":300000,"cacheScope":"private"',
}

const discoverInside = JSON.stringify({
  supportedVersions,
  capabilities: { tools: {}, logging: {} },
  instructions,
}).slice(1, -1)

/** Nothing in this server ever changes its lists, so the agreed subset is empty; the stream stays open all the same. */
const listen: Method = ({ id, params }, exchange) => {
  if (!isObject(params.notifications))
    throw new RpcError(rpcCodes.invalidParams, '"notifications" must be an object that names the wanted notifications.')
  const tag = { [`${prefix}subscriptionId`]: id }
  exchange.keepOpen(
    () => `"resultType":"complete","_meta":${JSON.stringify({ ...tag, [`${prefix}serverInfo`]: serverInfo })}`,
  )
  exchange.notify('notifications/subscriptions/acknowledged', { _meta: tag, notifications: {} })
  return undefined
}

export const modern: Revision = {
  version,
  methods: new Map<string, Method>([
    ['server/discover', () => discoverInside],
    ['tools/list', listTools],
    ['tools/call', callTool],
    ['subscriptions/listen', listen],
  ]),
  toolParts: { annotations: true, output: true },
  progressMessages: true,
  dress: (inside, method) => {
    if (method === 'subscriptions/listen') return `{${inside}}`
    const hints = caching[method]
    return `{${inside},"resultType":"complete",${hints ? `${hints},` : ''}${meta}}`
  },
}

/** Methods that exist in this revision only: without an envelope they are malformed, not legacy. */
export const modernOnly: ReadonlySet<string> = new Set(['server/discover', 'subscriptions/listen'])

/** A message claims this generation by its envelope, even a broken one; a progress token or trace keys alone claim nothing. */
export const claimsModern = (params: Params): boolean =>
  isObject(params._meta) &&
  (`${prefix}protocolVersion` in params._meta || `${prefix}clientCapabilities` in params._meta)

export const missingEnvelope = (): RpcError =>
  new RpcError(
    rpcCodes.invalidParams,
    `"params._meta" must hold "${prefix}protocolVersion" and "${prefix}clientCapabilities"; or open with "initialize".`,
  )

/** The log level that the envelope asks for. Throws -32602 for a broken envelope, -32022 for a version that is not served. */
export const readEnvelope = (params: Params): { logLevel: LogLevel | undefined } => {
  const envelope = isObject(params._meta) ? params._meta : {}
  const asked = envelope[`${prefix}protocolVersion`]
  const info = envelope[`${prefix}clientInfo`]
  const level = envelope[`${prefix}logLevel`]
  if (typeof asked !== 'string' || !isObject(envelope[`${prefix}clientCapabilities`])) throw missingEnvelope()
  if (info !== undefined && !(isObject(info) && typeof info.name === 'string' && typeof info.version === 'string'))
    throw new RpcError(rpcCodes.invalidParams, `"${prefix}clientInfo" must have a "name" and a "version".`)
  if (!supportedVersions.includes(asked))
    throw new RpcError(
      rpcCodes.unsupportedProtocolVersion,
      `Protocol version ${JSON.stringify(asked.slice(0, 40))} is not served.`,
      {
        supported: supportedVersions,
        requested: asked,
      },
    )
  const logLevel = logLevels.find(each => each === level)
  if (level !== undefined && !logLevel)
    throw new RpcError(rpcCodes.invalidParams, `"${prefix}logLevel" must be one of ${logLevels.join(', ')}.`)
  return { logLevel }
}
