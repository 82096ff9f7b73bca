/**
 * The real network: `Send` by undici, one pool of kept-alive connections per origin.
 *
 * Whether a request was written decides whether a change may be sent again, so it is observed, not guessed from error
 * codes: undici calls `onRequestStart` right before it writes (writeH1 in lib/dispatcher/client-h1.js), and for a
 * request aborted there it writes nothing. The same ECONNRESET is `not_sent` before that call and `lost` after it.
 *
 * undici does not send again by itself what it has written: a request in flight fails with its connection, and only
 * those queued behind it, still unwritten, move to a new one (onHttpSocketClose, same file). Without pipelining there
 * are none. Redirects are handed up; ARM has none, and following one would carry the token along.
 *
 * The parts are imported deeply: from node_modules on Node 20 they load in 36 ms and 10 MiB, undici's index in 115 ms and
 * 19 MiB.
 */
import type { SecureContext } from 'node:tls'
import type { Dispatcher } from 'undici'
import { type NetworkSettings, type ProxySetting, proxyFrom, trustFrom } from './network-settings.ts'
import { isProxied, tunnelConnector } from './proxy-tunnel.ts'
import { type ArmRequest, type ArmResponse, type Send, SendError } from './send.ts'
import { sendFailure } from './send-failures.ts'

export interface UndiciOptions extends NetworkSettings {
  /** How long to wait for the answer's headers, and for each next piece of its body. */
  timeoutSeconds: number
}

export interface Limits {
  /** Name lookup, connection, proxy and TLS together. */
  connectMs: number
  headerBytes: number
  bodyBytes: number
}

const defaults: Limits = {
  connectMs: 10_000,
  headerBytes: 64 * 1024, // signed polling URLs come in headers; Node's own limit is 16 KiB
  bodyBytes: 64 * 1024 * 1024, // a page of any list is below 10 MiB
}

/**
 * `send` answers or rejects with SendError, or with the signal's reason. `close` ends all connections at once.
 * Throws Problem `not_configured` for a proxy setting that is no URL.
 */
export async function createUndiciSend(
  options: UndiciOptions,
  limits: Limits = defaults,
): Promise<{ send: Send; close(): Promise<void> }> {
  const proxy = proxyFrom(options)
  const trust = await trustFrom(options)
  const dispatcher = await createDispatcher(limits, proxy, trust)
  const answerMs = options.timeoutSeconds * 1000
  return {
    send: async (request, signal) => {
      const url = new URL(request.url)
      const via = proxy && isProxied(url, proxy.noProxy) ? `${url.host} through ${proxy.shown}` : url.host
      const timeouts = { connectMs: limits.connectMs, answerMs }
      return exchange(dispatcher, { request, origin: url.origin, host: url.host, via, timeouts, signal })
    },
    close: () => dispatcher.destroy(),
  }
}

async function createDispatcher(limits: Limits, proxy: ProxySetting | undefined, trust: SecureContext | undefined) {
  const { default: UndiciAgent } = await import('undici/lib/dispatcher/agent.js')
  const { default: buildConnector } = await import('undici/lib/core/connect.js')
  const { connectMs } = limits
  const direct = buildConnector({ timeout: connectMs, ...(trust && { secureContext: trust }) })
  return new UndiciAgent({
    connect: proxy ? tunnelConnector(proxy, direct, { connectMs, trust }) : direct,
    pipelining: 1,
    // keepAliveTimeout stays at undici's 4 seconds, or what the other side announced: kept longer, more writes would meet
    // a connection that is just being closed, and end in doubt.
    maxHeaderSize: limits.headerBytes,
    maxResponseSize: limits.bodyBytes,
    // `exchange` keeps time: undici's timers tick in half seconds, and one for connecting knows nothing of the proxy.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

interface Exchange {
  request: ArmRequest
  origin: string
  host: string
  /** The host, and the proxy on the way to it. */
  via: string
  timeouts: { connectMs: number; answerMs: number }
  signal: AbortSignal
}

function exchange(
  dispatcher: Dispatcher,
  { request, origin, host, via, timeouts, signal }: Exchange,
): Promise<ArmResponse> {
  return new Promise<ArmResponse>((resolve, reject) => {
    let written: Dispatcher.DispatchController | undefined
    let isOver = false
    let status = 0
    let headers: ArmResponse['headers'] = {}
    const chunks: Buffer[] = []

    const end = () => {
      isOver = true
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
    }
    const giveUp = (reason: unknown) => {
      end()
      reject(reason)
      written?.abort(new Error('given up'))
    }
    const cancel = () => giveUp(signal.reason)
    const tooSlow = () => {
      const message = `could not connect to ${via} within ${timeouts.connectMs / 1000} s`
      giveUp(new SendError('not_sent', message))
    }
    const noAnswer = () => {
      giveUp(new SendError('timeout', `${host} did not answer within ${timeouts.answerMs / 1000} s`))
    }
    let timer = setTimeout(tooSlow, timeouts.connectMs)
    if (signal.aborted) return cancel()
    signal.addEventListener('abort', cancel, { once: true })

    const headersToSend = { ...request.headers, 'accept-encoding': 'identity' }
    dispatcher.dispatch(
      { origin, path: pathOf(request.url), method: request.method, headers: headersToSend, body: request.body ?? null },
      {
        onRequestStart(controller) {
          // A request given up while it was connecting is still in undici's queue: this keeps it from being written.
          if (isOver) return controller.abort(new Error('given up'))
          written = controller
          clearTimeout(timer)
          timer = setTimeout(noAnswer, timeouts.answerMs)
        },
        onResponseStart(_, statusCode, received) {
          timer.refresh()
          status = statusCode
          headers = joined(received)
        },
        onResponseData(_, chunk) {
          timer.refresh()
          chunks.push(chunk)
        },
        onResponseEnd() {
          end()
          resolve({ status, headers, body: new TextDecoder().decode(Buffer.concat(chunks)) })
        },
        onResponseError(_, error) {
          end()
          // A header or path that undici does not accept is our mistake; sending it again would not help.
          const isBug = 'code' in error && error.code === 'UND_ERR_INVALID_ARG'
          reject(isBug ? error : sendFailure(error, written ? host : via, written !== undefined))
        },
      },
    )
  })
}

/** Path and query as they are written in the URL: normalising them could break a signature. */
const pathOf = (url: string): string => /^[a-z]+:\/\/[^/?#\\]*(\/[^#]*)/i.exec(url)?.[1] ?? '/'

const joined = (received: Record<string, string | string[] | undefined>): ArmResponse['headers'] =>
  Object.fromEntries(
    Object.entries(received).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
