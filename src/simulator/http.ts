/** The HTTP face of the simulated Azure, on the loopback address. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answered, type Asked, answer } from './azure.ts'
import type { World } from './world.ts'

const maxBodyBytes = 4 * 1024 * 1024 // what ARM takes

const bodyOf = async (request: IncomingMessage): Promise<string | undefined> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > maxBodyBytes) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )

/** The origin that the caller used, which a proxy before us may have told. */
const baseOf = ({ host, 'x-forwarded-proto': proto = 'http', 'x-forwarded-host': forwarded }: Record<string, string>) =>
  `${proto}://${forwarded ?? host ?? '127.0.0.1'}`

const send = (response: ServerResponse, { status, headers, body, fault }: Answered): void => {
  const bytes = Buffer.from(body)
  if (fault?.cut === 'before') return void response.socket?.destroy()
  const sent = fault?.isTruncated ? bytes.subarray(0, bytes.length >> 1) : bytes
  const length = status === 204 ? {} : { 'content-length': fault?.cut === 'inside' ? bytes.length + 1 : sent.length }
  response.writeHead(status, { ...headers, ...length })
  if (fault?.cut !== 'inside') return void response.end(sent)
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy())
}

export interface Listening {
  endpoint: string
  close(): Promise<void>
}

/** Listens on 127.0.0.1. `port` 0 picks one. `onFault` is told of an error that is none of the caller's. */
export const listen = async (world: World, port: number, onFault: (error: unknown) => void): Promise<Listening> => {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    const headers = headersOf(request)
    if (body === undefined) return void response.writeHead(413).end()
    const asked: Asked = {
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      base: baseOf(headers),
      headers,
      body,
    }
    const answered = answer(world, asked)
    const delayMs = answered.fault?.delayMs ?? 0
    if (delayMs === 0) send(response, answered)
    else setTimeout(() => send(response, answered), delayMs)
  }
  const server: Server = createServer((request, response) => {
    handle(request, response).catch(error => {
      onFault(error)
      if (!response.headersSent) response.writeHead(500).end()
      else response.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}
