/**
 * Azure Resource Manager for one tool call: builds URLs, and joins exchange, paging, operations and writes into `Arm`.
 */
import { Problem } from '../problem.ts'
import { apiVersionFor } from './api-versions.ts'
import type { Arm, PageOptions, Query, Standing, WriteOutcome, WriteRequest } from './arm.ts'
import { operationOf } from './async-operations.ts'
import { ArmError, unexpectedAnswer } from './errors.ts'
import { type ArmDeps, createExchange, type Exchange, replyOf } from './exchange.ts'
import { pagesOf } from './paging.ts'
import { encodePath, encodeQuery, subscriptionOf } from './paths.ts'
import { poll } from './polling.ts'
import { settle } from './retry.ts'
import type { Method } from './send.ts'
import { write } from './writes.ts'

export type { ArmDeps }

export function createArm(deps: ArmDeps): Arm {
  const { endpoint, apiVersion } = deps
  const exchange = createExchange(deps)

  /** Percent-encoded path and query, with the version that its path asks for unless the query names one. */
  const address = (path: string, query: Query = {}) => {
    const version = query['api-version'] ?? apiVersionFor(path, apiVersion)
    return `${encodePath(path)}?${encodeQuery({ 'api-version': version, ...query })}`
  }
  /** A request to a path and query that were written before, by Azure or by us: they stay as they are. */
  const readAddress = (method: Method, pathAndQuery: string, body?: unknown) => {
    const isVersioned = /[?&]api-version=/i.test(pathAndQuery)
    const [path = ''] = pathAndQuery.split('?')
    const separator = pathAndQuery.includes('?') ? '&' : '?'
    const version = isVersioned ? '' : `${separator}api-version=${apiVersionFor(path, apiVersion)}`
    return exchange.prepare(method, endpoint + pathAndQuery + version, body)
  }
  const prepare = (method: Method, path: string, query?: Query, body?: unknown) =>
    exchange.prepare(method, endpoint + address(path, query), body)

  return {
    endpoint,
    urlOf: (path, query) => endpoint + address(path, query),
    get: async (path, query) => (await exchange.read(prepare('GET', path, query))).body,
    getResource: async (path, query) => {
      const prepared = prepare('GET', path, query)
      const { body } = await exchange.read(prepared)
      if (!hasId(body)) throw unexpectedAnswer(prepared.asked, 'the answer is no resource: it has no id')
      return body
    },
    readingPost: async (path, query, body) => (await exchange.read(prepare('POST', path, query, body))).body,
    pages: (path, query = {}, options: PageOptions = {}) =>
      pagesOf(
        {
          endpoint,
          path,
          address: further => address(path, { ...query, ...further }),
          read: async pathAndQuery => {
            const prepared = readAddress(options.body === undefined ? 'GET' : 'POST', pathAndQuery, options.body)
            return { asked: prepared.asked, reply: await exchange.read(prepared) }
          },
        },
        options.from,
      ),
    write: request => writeLogged(request, deps, exchange, prepare),
    operationOf: (request, reply) => operationOf(request, reply, endpoint),
    poll: operation =>
      poll(operation, {
        endpoint,
        nowMs: deps.clock.now(),
        read: url =>
          exchange.read('signed' in url ? exchange.prepare('GET', url.signed) : readAddress('GET', url.path)),
      }),
  }
}

const hasId = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string' && body.id !== ''

type Prepare = (method: Method, path: string, query?: Query, body?: unknown) => ReturnType<Exchange['prepare']>

/** One line in the log for every change, however it ends. */
async function writeLogged(request: WriteRequest, deps: ArmDeps, exchange: Exchange, prepare: Prepare) {
  const { clock, signal, log } = deps
  const { method, path, query, body, tool, itemId } = request
  const prepared = prepare(method, path, query, body)
  const { asked } = prepared
  let isSent = false
  let outcome = 'failed'
  try {
    const result = await write(request, {
      asked,
      clock,
      signal,
      pace: exchange.pace(),
      send: (leftMs, onSend) =>
        exchange.once(prepared, leftMs, () => {
          isSent = true
          onSend()
        }),
      reply: response => replyOf(asked, response),
      read: () => standingAt(exchange, prepare('GET', path, query)),
      azureNow: () => exchange.azureTime(clock.monotonic()),
      azureTime: monotonicMs => azureTime(monotonicMs, deps, exchange, prepare, path),
    })
    outcome = wordFor(result)
    return result
  } catch (error) {
    const word = signal.aborted ? 'cancelled' : error instanceof ArmError ? (error.azureCode ?? error.code) : 'failed'
    outcome = isSent ? word : `${word}, not sent`
    throw error
  } finally {
    log('notice', 'write', { tool, item_id: itemId, method, client_request_id: asked.clientRequestId, outcome })
  }
}

const wordFor = (result: WriteOutcome): string =>
  result.kind !== 'answered' ? result.kind : result.alreadyGone ? 'already_gone' : `answered ${result.reply.status}`

/** Statuses that would meet the change itself too. */
const aboutAsking = new Set([401, 408, 429])

/** What stands at a path. A refusal to say is no error here: the change itself may be allowed. */
async function standingAt(exchange: Exchange, prepared: ReturnType<Exchange['prepare']>): Promise<Standing> {
  try {
    return { kind: 'present', body: (await exchange.read(prepared)).body }
  } catch (error) {
    const status = error instanceof ArmError ? (error.httpStatus ?? 0) : 0
    if (status === 404) return { kind: 'absent' }
    if (status >= 400 && status < 500 && !aboutAsking.has(status)) return { kind: 'unreadable' }
    throw error
  }
}

/**
 * A moment as Azure's clock showed it. Where Azure has not answered this call yet it is asked for its time, by the
 * cheapest question there is, once; the local clock decides only if that is not answered either.
 */
async function azureTime(monotonicMs: number, deps: ArmDeps, exchange: Exchange, prepare: Prepare, path: string) {
  const subscription = subscriptionOf(path)
  if (!exchange.azureTime(monotonicMs) && subscription) {
    await settle(exchange.once(prepare('GET', `/subscriptions/${subscription}`), 0)).catch(error => {
      deps.signal.throwIfAborted()
      if (!(error instanceof Problem)) throw error
    })
  }
  const { clock } = deps
  return exchange.azureTime(monotonicMs) ?? new Date(clock.now() - (clock.monotonic() - monotonicMs))
}
