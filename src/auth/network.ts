/**
 * MSAL's way to the sign-in service: its network interface over `Send`, so that proxy, certificates, time limits and
 * recording are those of every other request. What the service refused is kept in its own words, which MSAL hands up only
 * in part (of a device code's polling not at all).
 */
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node'
import type { ArmResponse, Send } from '../arm/send.ts'
import { SendError } from '../arm/send.ts'
import type { Clock } from '../clock.ts'
import { parseObject } from './token-facts.ts'

/** The error answer of OAuth 2.0 (RFC 6749, 5.2) with what Entra ID adds. */
export interface Refusal {
  /** 0 where it came otherwise than as an answer. */
  status: number
  /** E.g. `invalid_grant`; empty where the answer was no such thing. */
  error: string
  /** True where it is no JSON object: something else may have answered, such as a proxy. */
  isForeign: boolean
  description: string
  /** AADSTS numbers. */
  codes: readonly number[]
  suberror: string | undefined
  /** What conditional access wants of the next sign-in, a JSON text. */
  claims: string | undefined
  retryAfterSeconds: number | undefined
}

/** One acquisition's network, and how its last request ended. */
export interface Exchange {
  client: INetworkModule
  /** What the last request was refused with; undefined where it was not. */
  refusal(): Refusal | undefined
  /** What the last request threw: SendError, or the signal's reason. */
  thrown(): unknown
}

export interface ExchangeDeps {
  send: Send
  clock: Pick<Clock, 'now' | 'sleep'>
  signal: AbortSignal
  /** The configured origin. MSAL takes https only, so http of a loopback authority is put back here. */
  authorityHost: string
  /** How often a request may be sent again after a throttled, failed or lost answer. */
  retries?: number
  /** Statuses that pass by themselves too, as those of an IMDS that is updated. */
  alsoPassing?: readonly number[]
}

const longestWaitSeconds = 10
/** RFC 8628, 3.5: every `slow_down` adds five seconds to the interval, for good. */
const slowDownSeconds = 5
const usualIntervalSeconds = 5
const pending = new Set(['authorization_pending', 'slow_down'])
/** A code lasts a quarter of an hour, and a machine may lose its network meanwhile. */
const longestPollWaitSeconds = 60
const isPoll = ({ body }: NetworkRequestOptions): boolean =>
  new URLSearchParams(body).get('grant_type')?.endsWith(':device_code') === true

export const createExchange = (deps: ExchangeDeps): Exchange => {
  const { send, clock, signal, authorityHost, retries = 2, alsoPassing = [] } = deps
  const asked = new URL(authorityHost)
  const secure = `https://${asked.host}`
  let refusal: Refusal | undefined
  let thrown: unknown
  let extraSeconds = 0

  const attempt = async (method: 'GET' | 'POST', url: string, options: NetworkRequestOptions) => {
    const address = url.startsWith(`${secure}/`) ? asked.origin + url.slice(secure.length) : url
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    )
    return send({ method, url: address, headers, ...(options.body && { body: options.body }) }, signal)
  }

  const ask = async <T>(method: 'GET' | 'POST', url: string, options: NetworkRequestOptions = {}) => {
    if (extraSeconds > 0) await clock.sleep(extraSeconds * 1000, signal)
    for (let tries = 0; ; tries++) {
      refusal = undefined
      thrown = undefined
      try {
        const response = await attempt(method, url, options)
        const wait = tries < retries ? waitAfter(response, tries, clock.now(), alsoPassing) : undefined
        if (wait === undefined && isPoll(options) && isPassing(response))
          return stillPending<T>(retryAfter(response.headers, clock.now()))
        if (wait === undefined) return answerOf<T>(response)
        await clock.sleep(wait * 1000, signal)
      } catch (error) {
        const mayPass = error instanceof SendError && (error.kind === 'not_sent' || error.kind === 'lost')
        if (!mayPass || tries >= retries) {
          if (error instanceof SendError && isPoll(options)) return stillPending<T>()
          thrown = error
          throw error
        }
        await clock.sleep(1000 * 2 ** tries, signal)
      }
    }
  }

  /** MSAL asks on until the code expires. */
  const stillPending = async <T>(waitSeconds = usualIntervalSeconds): Promise<NetworkResponse<T>> => {
    await clock.sleep(Math.min(waitSeconds, longestPollWaitSeconds) * 1000, signal)
    return { status: 400, headers: {}, body: { error: 'authorization_pending' } as T }
  }

  const answerOf = <T>(response: ArmResponse): NetworkResponse<T> => {
    const { status, headers } = response
    const body = parseObject(response.body)
    const isForeign = Object.keys(body).length === 0
    if (status >= 400 || isForeign || typeof body.error === 'string')
      refusal = {
        ...refusalOf(body),
        status,
        isForeign,
        retryAfterSeconds: retryAfter(headers, clock.now()),
      }
    if (refusal?.error === 'slow_down') {
      extraSeconds += slowDownSeconds
      body.error = 'authorization_pending'
    }
    if (refusal && pending.has(refusal.error)) refusal = undefined
    // MSAL takes an answer without `error` for a good one.
    if ((status >= 400 || isForeign) && body.error === undefined) body.error = 'server_error'
    // RFC 8628, 3.2: five seconds where none is said. MSAL would not pause at all.
    if (body.device_code !== undefined && !(Number(body.interval ?? Number.NaN) >= 0))
      body.interval = usualIntervalSeconds
    // The issuer of an authority on http is compared with the https address that MSAL was given.
    if (typeof body.issuer === 'string' && body.issuer.startsWith(`${asked.origin}/`))
      body.issuer = secure + body.issuer.slice(asked.origin.length)
    return { status, headers, body: body as T }
  }

  return {
    client: {
      sendGetRequestAsync: (url, options) => ask('GET', url, options),
      sendPostRequestAsync: (url, options) => ask('POST', url, options),
    },
    refusal: () => refusal,
    thrown: () => thrown,
  }
}

const isPassing = ({ status }: Pick<ArmResponse, 'status'>): boolean => status === 429 || status >= 500

/** Seconds until the request may be sent again; undefined where it must not be, or waiting would take too long. */
const waitAfter = (
  { status, headers }: ArmResponse,
  tries: number,
  nowMs: number,
  alsoPassing: readonly number[],
): number | undefined => {
  if (!isPassing({ status }) && !alsoPassing.includes(status)) return undefined
  const seconds = retryAfter(headers, nowMs) ?? 2 ** tries
  return seconds <= longestWaitSeconds ? seconds : undefined
}

/** Retry-After in seconds, which RFC 9110 also allows to be a date. */
const retryAfter = (headers: ArmResponse['headers'], nowMs: number): number | undefined => {
  const text = headers['retry-after']
  if (text === undefined) return undefined
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - nowMs) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined
}

/** The error answer in a JSON object, or in the parameters that a browser brings back. */
export const refusalOf = (body: Record<string, unknown>): Refusal => {
  // Managed identity endpoints nest it: {"error": {"code", "message"}}.
  const inner = typeof body.error === 'object' && body.error !== null ? (body.error as Record<string, unknown>) : {}
  const text = (...values: unknown[]) => values.find((value): value is string => typeof value === 'string')
  const description = text(body.error_description, body.message, inner.message) ?? ''
  const codes = Array.isArray(body.error_codes)
    ? body.error_codes.filter((code): code is number => typeof code === 'number')
    : [...description.matchAll(/AADSTS(\d+)/g)].map(([, code]) => Number(code))
  return {
    status: 0,
    error: text(body.error, inner.code) ?? '',
    isForeign: false,
    description,
    codes,
    suberror: text(body.suberror),
    claims: text(body.claims),
    retryAfterSeconds: undefined,
  }
}
