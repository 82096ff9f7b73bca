/** The HTTP face of the simulated Azure, on the loopback address. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answered, answer } from './azure.ts'
import type { World } from './world.ts'

const maxBodyBytes = 4 * 1024 * 1024 // what ARM takes
const maxHeaderBytes = 64 * 1024 // tokens of people in many groups are long, and so are skip tokens
const idleMs = 120_000 // a pooled connection that ends under a client's next request looks like a broken Azure

/** Undefined for one that is too large; what is left of it is read and dropped, so that the caller gets its answer. */
const bodyOf = (request: IncomingMessage): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBodyBytes) chunks.push(chunk)
      else resolve(undefined)
    })
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.on('error', reject)
  })

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )

/** Of a list that proxies made the first counts. */
const firstOf = (header: string | undefined): string | undefined => header?.split(',')[0]?.trim() || undefined

/** The origin that the caller used, which a proxy before us may have told. */
const baseOf = (headers: Record<string, string>, endpoint: string): string => {
  const host = firstOf(headers['x-forwarded-host']) ?? headers.host
  return host ? `${firstOf(headers['x-forwarded-proto']) ?? 'http'}://${host}` : endpoint
}

const send = (response: ServerResponse, { status, headers, body, fault }: Answered): void => {
  if (fault?.cut === 'before') return void response.socket?.destroy()
  const sent = fault?.isTruncated || fault?.cut ? body.slice(0, body.length >> 1) : body
  const bytes = Buffer.byteLength(fault?.cut ? body : sent)
  const length = status === 204 ? {} : { 'content-length': fault?.cut ? bytes + 1 : bytes }
  response.writeHead(status, { ...headers, ...length })
  // Text leaves with its headers in one piece, bytes would not.
  if (!fault?.cut) return void response.end(sent)
  response.flushHeaders()
  response.write(sent, () => response.socket?.destroy())
}

const refuse = (response: ServerResponse, status: number, code: string, message: string): void => {
  const body = JSON.stringify({ error: { code, message } })
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) })
    .end(body)
}

export interface Listening {
  endpoint: string
  close(): Promise<void>
}

/**
 * Listens on 127.0.0.1. `port` 0 picks one. `onFault` is told of an error that is none of the caller's, `onAnswered` of
 * every request that the simulated Azure has answered. Rejects where the port is taken.
 */
export const listen = async (
  world: World,
  port: number,
  onFault: (error: unknown) => void,
  onAnswered: (method: string, url: string, status: number) => void = () => {},
): Promise<Listening> => {
  let endpoint = ''
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    if (body === undefined)
      return refuse(
        response,
        413,
        'RequestContentTooLarge',
        `The request content is larger than ${maxBodyBytes} bytes.`,
      )
    const headers = headersOf(request)
    const { method = 'GET', url = '/' } = request
    const answered = answer(world, { method, url, base: baseOf(headers, endpoint), headers, body })
    onAnswered(method, url, answered.status)
    const delayMs = answered.fault?.delayMs ?? 0
    if (delayMs === 0) send(response, answered)
    else setTimeout(() => send(response, answered), delayMs)
  }
  const server = createServer({ maxHeaderSize: maxHeaderBytes, keepAliveTimeout: idleMs }, (request, response) => {
    handle(request, response).catch(error => {
      if (request.destroyed && !request.complete) return // the caller went away while it was speaking
      onFault(error)
      if (response.headersSent) response.destroy()
      else refuse(response, 500, 'InternalServerError', 'The simulated Azure has a fault of its own.')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    endpoint,
    close: async () => {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
