/**
 * Connections through an HTTP proxy: CONNECT, then TLS inside the tunnel.
 *
 * undici has a ProxyAgent, but to a proxy that closes the connection instead of answering CONNECT it connects again
 * without pause and without end (7.30: hundreds of attempts a second), one that says nothing it waits for 300 seconds, and
 * it needs undici's whole index. A connector of our own fails once and says why.
 */
import type { ClientRequest } from 'node:http'
import type { SecureContext } from 'node:tls'
import type { buildConnector } from 'undici'
import type { ProxySetting } from './network-settings.ts'

/** The proxy answered CONNECT with something else than 200. */
export class ProxyRefusal extends Error {
  override name = 'ProxyRefusal'
  readonly status: number | undefined

  constructor(status: number | undefined) {
    super(`the proxy answered ${status}${status === 407 ? ' (it wants a user name and password)' : ''}`)
    this.status = status
  }
}

/**
 * True when a request to `url` goes through the proxy. Plain http never does: that is a loopback endpoint, and the proxy
 * would see the token. NO_PROXY is a list of host names, each standing for its subdomains too, optionally with a port;
 * `*` stands for everything.
 */
export function isProxied({ protocol, hostname, port }: Origin, noProxy: string): boolean {
  if (protocol !== 'https:') return false
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  return !noProxy
    .toLowerCase()
    .split(/[,\s]+/)
    .some(entry => {
      if (entry === '*') return true
      const [, name, onlyPort] = /^(?:\*?\.)?(.+?)(?::(\d+))?$/.exec(entry) ?? []
      return name && (!onlyPort || onlyPort === (port || '443')) && (host === name || host.endsWith(`.${name}`))
    })
}

type Origin = Pick<URL, 'protocol' | 'hostname' | 'port'>

/** `direct`, by way of the proxy where there is a way through it. A tunnel that is not up after `connectMs` is given up. */
export function tunnelConnector(
  proxy: ProxySetting,
  direct: buildConnector.connector,
  options: { connectMs: number; trust: SecureContext | undefined },
): buildConnector.connector {
  return (target, callback) => {
    if (!isProxied(target, proxy.noProxy)) return direct(target, callback)
    const path = `${target.hostname.includes(':') ? `[${target.hostname}]` : target.hostname}:${target.port || 443}`
    const fail = (error: Error) => callback(error, null)
    const open = (request: ClientRequest) => {
      request.once('error', fail)
      request.once('timeout', () => request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })))
      request.once('connect', (response, socket, head) => {
        if (response.statusCode !== 200) {
          socket.destroy()
          return fail(new ProxyRefusal(response.statusCode))
        }
        socket.setTimeout(0)
        if (head.length > 0) socket.unshift(head)
        direct({ ...target, httpSocket: socket }, callback)
      })
      request.end()
    }
    connectRequest(proxy.url, path, options).then(open).catch(fail)
  }
}

async function connectRequest(
  proxy: URL,
  path: string,
  { connectMs, trust }: { connectMs: number; trust: SecureContext | undefined },
): Promise<ClientRequest> {
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  const options = {
    method: 'CONNECT',
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    path,
    headers: {
      host: path,
      ...(proxy.username && { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }),
    },
    agent: false as const,
    timeout: connectMs,
  }
  if (proxy.protocol === 'http:') return (await import('node:http')).request({ ...options, port: proxy.port || 80 })
  const { request } = await import('node:https')
  return request({ ...options, port: proxy.port || 443, ...(trust && { secureContext: trust }) })
}
