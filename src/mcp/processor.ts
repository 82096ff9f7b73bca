/**
 * Message to answer. Requests run side by side, so that a slow call holds up neither ping nor cancel; what is in flight
 * is kept by id (with its type: 1 and "1" are two requests) to cancel it and to finish it when stdin closes.
 */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../clock.ts'
import { type Log, type LogLevel, logLevels, reaches } from '../log.ts'
import { RpcError, rpcCodes } from '../rpc/errors.ts'
import type { Line, LineWriter } from '../rpc/lines.ts'
import {
  errorText,
  type Id,
  isObject,
  type Message,
  notificationText,
  parseMessage,
  type RpcRequest,
  resultText,
  unreadable,
} from '../rpc/messages.ts'
import { type LegacyState, select } from './era.ts'
import { hasBatches, initialize } from './legacy.ts'
import { claimsModern } from './modern.ts'
import { createProgress } from './progress.ts'
import { type Exchange, idKey } from './revision.ts'
import { serverName } from './server-info.ts'
import type { ToolService } from './tool-service.ts'

export interface ProcessorDeps {
  writer: LineWriter
  tools: ToolService
  clock: Clock
  /** To stderr. */
  log: Log
}

interface InFlight {
  id: Id
  abort: AbortController
  cancelledByClient: boolean
  /** An open subscription: not waited for, closed with a result. */
  close?: () => string
}

/**
 * Lines in flight, and what they hold, before reading stops: far more than a client has reason to send, because a reader
 * that stops hears no cancellation and no end of its input either.
 */
const maxInFlight = 4096
const maxHeldCharacters = 32 * 1024 * 1024
const maxSubscriptions = 64

/** The reason that in-flight work is aborted with when the process ends. */
class ShutdownError extends Error {
  override name = 'ShutdownError'
}

export class Processor {
  #legacy: LegacyState | undefined
  readonly #inFlight = new Map<string, InFlight>()
  #running = 0
  #held = 0
  #whenLess: (() => void)[] = []
  readonly #deps: ProcessorDeps

  constructor(deps: ProcessorDeps) {
    this.#deps = deps
  }

  /** Takes one line. The promise, where there is one, is what the reader waits for before it takes the next. */
  receive(line: Line): Promise<unknown> | undefined {
    const parsed = line.kind === 'text' ? parseMessage(line.text) : unreadable(complaints[line.kind])
    const answer = parsed.kind === 'batch' ? this.#batch(parsed.messages) : this.#answer(parsed)
    if (typeof answer === 'string') this.#deps.writer.write(answer)
    else if (answer) void this.#writeLater(answer, line.kind === 'text' ? line.text.length : 0)
    return this.#bound()
  }

  /** Stops what runs: gives it `graceMs`, aborts what then remains (it answers `cancelled`), closes subscriptions. */
  async close(graceMs: number): Promise<void> {
    const grace = this.#deps.clock.sleep(graceMs).then(() => 'over' as const)
    while (this.#running > 0) if ((await Promise.race([this.#less(), grace])) === 'over') break
    for (const { abort, close } of this.#inFlight.values())
      if (!close) abort.abort(new ShutdownError('the server is ending'))
    while (this.#running > 0) await this.#less()
    for (const { id, close } of this.#inFlight.values())
      if (close) this.#deps.writer.write(resultText(id, `{${close()}}`))
  }

  /** Counts as running until its answer is written, so that the end of the process waits for that too. */
  async #writeLater(answer: Promise<string | undefined>, heldCharacters: number): Promise<void> {
    this.#running++
    this.#held += heldCharacters
    const text = await answer
    if (text !== undefined) this.#deps.writer.write(text)
    this.#running--
    this.#held -= heldCharacters
    const waiting = this.#whenLess
    this.#whenLess = []
    for (const go of waiting) go()
  }

  #bound(): Promise<unknown> | undefined {
    const drained = this.#deps.writer.drained()
    if (drained) return drained
    return this.#running >= maxInFlight || this.#held > maxHeldCharacters ? this.#less() : undefined
  }

  #less(): Promise<void> {
    return new Promise(go => this.#whenLess.push(go))
  }

  /** The text that answers a message; undefined where nothing does. */
  #answer(message: Message): string | Promise<string | undefined> | undefined {
    switch (message.kind) {
      case 'request':
        return this.#request(message)
      case 'notification':
        return this.#notification(message.method, message.params)
      case 'invalid':
        // An answer with the id of a request in flight would be taken for its own.
        return errorText(this.#isInFlight(message.id) ? undefined : message.id, message.error)
      case 'response':
        return undefined // the server asks nothing, so nothing can be answered
    }
  }

  async #batch(messages: Message[]): Promise<string | undefined> {
    if (!hasBatches(this.#legacy?.revision))
      return errorText(
        undefined,
        new RpcError(rpcCodes.invalidRequest, 'This revision of the protocol has no batches.'),
      )
    const answers = await Promise.all(
      messages.map(message =>
        message.kind === 'request' && message.method === 'initialize'
          ? errorText(message.id, new RpcError(rpcCodes.invalidRequest, '"initialize" cannot be part of a batch.'))
          : this.#answer(message),
      ),
    )
    const texts = answers.filter(text => text !== undefined)
    return texts.length > 0 ? `[${texts.join(',')}]` : undefined
  }

  #notification(method: string, params: Record<string, unknown>): undefined {
    if (method !== 'notifications/cancelled') return
    const { requestId } = params
    if (typeof requestId !== 'string' && typeof requestId !== 'number') return
    const key = idKey(requestId)
    const entry = this.#inFlight.get(key)
    if (!entry) return
    entry.cancelledByClient = true
    if (entry.close) this.#inFlight.delete(key)
    entry.abort.abort(new Error('cancelled by the client'))
  }

  #isInFlight(id: Id | undefined): boolean {
    return id !== undefined && this.#inFlight.has(idKey(id))
  }

  #request(request: RpcRequest): string | Promise<string | undefined> | undefined {
    if (this.#isInFlight(request.id))
      return errorText(
        undefined,
        new RpcError(rpcCodes.invalidRequest, `A request with id ${JSON.stringify(request.id)} is in flight.`),
      )
    try {
      if (request.method === 'initialize' && !claimsModern(request.params)) {
        const { revision, inside } = initialize(request)
        this.#legacy = { revision, logLevel: undefined }
        return resultText(request.id, revision.dress(inside, request.method))
      }
      return this.#run(request, select(request, this.#legacy))
    } catch (error) {
      return this.#fault(request, error)
    }
  }

  #run(
    request: RpcRequest,
    { revision, method, logLevel }: ReturnType<typeof select>,
  ): string | Promise<string | undefined> | undefined {
    const key = idKey(request.id)
    const entry: InFlight = { id: request.id, abort: new AbortController(), cancelledByClient: false }
    setMaxListeners(0, entry.abort.signal) // one call may wait for many requests side by side
    let isOver = false
    const notify: Exchange['notify'] = (name, params) => {
      if (!isOver && !entry.cancelledByClient) this.#deps.writer.write(notificationText(name, params))
    }
    const { _meta } = request.params
    const token = isObject(_meta) ? _meta.progressToken : undefined
    const progress = createProgress(
      token,
      params => notify('notifications/progress', params),
      this.#deps.clock,
      revision.progressMessages,
    )
    const result = method(request, {
      revision,
      tools: this.#deps.tools,
      signal: entry.abort.signal,
      log: this.#logger(notify, () => logLevel),
      progress: progress.report,
      notify,
      keepOpen: close => this.#keepOpen(key, entry, close),
      setLogLevel: level => this.#setLogLevel(level),
    })
    if (typeof result === 'string') return resultText(request.id, revision.dress(result, request.method))
    if (result === undefined) return undefined
    this.#inFlight.set(key, entry)
    return result
      .then(
        inside => {
          progress.finish()
          return inside === undefined ? undefined : resultText(request.id, revision.dress(inside, request.method))
        },
        error => this.#fault(request, error),
      )
      .then(text => {
        isOver = true
        this.#inFlight.delete(key)
        return entry.cancelledByClient ? undefined : text
      })
  }

  #keepOpen(key: string, entry: InFlight, close: () => string): void {
    const open = [...this.#inFlight.values()].filter(each => each.close).length
    if (open >= maxSubscriptions)
      throw new RpcError(rpcCodes.invalidRequest, `No more than ${maxSubscriptions} subscriptions may be open.`)
    entry.close = close
    this.#inFlight.set(key, entry)
  }

  #setLogLevel(level: string): void {
    const logLevel = logLevels.find(each => each === level)
    if (this.#legacy && logLevel) this.#legacy = { ...this.#legacy, logLevel }
  }

  /** Everything goes to stderr's own threshold; to the client only what it asked for, and only while its request is open. */
  #logger(notify: Exchange['notify'], threshold: () => LogLevel | undefined): Log {
    return (level, message, fields) => {
      this.#deps.log(level, message, fields)
      const asked = threshold()
      if (asked && reaches(level, asked))
        notify('notifications/message', { level, logger: serverName, data: { message, ...fields } })
    }
  }

  #fault(request: RpcRequest, error: unknown): string {
    if (error instanceof RpcError) return errorText(request.id, error)
    this.#deps.log('error', `${request.method} failed: ${error instanceof Error ? error.stack : String(error)}`)
    return errorText(
      request.id,
      new RpcError(rpcCodes.internalError, 'The server failed. Its log on stderr says where.'),
    )
  }
}

const complaints = {
  not_utf8: 'The line is not UTF-8.',
  too_long: 'The line is too long; nothing of it was read.',
} as const
