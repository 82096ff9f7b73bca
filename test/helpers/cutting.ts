/**
 * The simulated Azure behind real connections that can be cut: at connecting, inside a request, before its answer, inside
 * it; or answered by something else on the way. Only the HTTP that undici speaks is understood: one request at a time,
 * with `content-length`.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Send } from '../../src/arm/send.ts'
import { createUndiciSend } from '../../src/arm/undici-send.ts'
import { answer } from '../../src/simulator/azure.ts'
import type { World } from '../../src/simulator/world.ts'

/** `isTaken`: Azure did what was asked, though its own answer never came. */
export type Cut =
  /** `hang`: it is never answered, and does not reach Azure. */
  | { at: 'connect' | 'inside' | 'before_answer' | 'inside_answer' | 'hang' }
  | { instead: { status: number; headers?: Record<string, string>; body: string }; isTaken: boolean }

/** A request that arrived, or half of it. */
export interface Arrival {
  method: string
  /** Decoded, without its query. */
  path: string
  body: string
  /** Whether the simulated Azure had it whole. */
  isTaken: boolean
  /** Its status, where the answer went out whole. */
  status: number | undefined
  /** What stood at the path right before; undefined for what only reads. */
  before: string | undefined
}

/** What becomes of a request; asked once for each. */
export type Rule = (method: string, path: string, body: string) => Cut | undefined

export interface CuttingAzure {
  readonly endpoint: string
  arrived: Arrival[]
  /** Resolves as soon as such a request has arrived. */
  until(look: (arrival: Arrival) => boolean): Promise<void>
  /** Nobody listens from now on, and all connections end. */
  goDown(): Promise<void>
  comeBack(): Promise<void>
  close(): Promise<void>
}

const decodedPath = (url: string): string => decodeURIComponent(url.split('?')[0] ?? '')
/** Counts down between two looks. */
const steady = (text: string): string => text.replace(/"deferredDeleteTimeRemaining":"[^"]*",?/g, '')

/** `base` is the origin that Azure's own URLs name, where it is not the address of this one. */
export const startCuttingAzure = async (
  world: World,
  base: string | undefined,
  cutFor: (...request: [...Parameters<Rule>, id: string]) => Cut | undefined,
  arrived: Arrival[] = [],
): Promise<CuttingAzure> => {
  const sockets = new Set<Socket>()
  let endpoint = ''
  let watchers: (() => void)[] = []
  const onArrival = () => {
    const all = watchers
    watchers = []
    for (const look of all) look()
  }
  const ask = (method: string, url: string, headers: Record<string, string>, body: string) =>
    answer(world, { method, url, base: base ?? endpoint, headers, body })

  const serve = (socket: Socket, head: string, body: string) => {
    const [first = '', ...lines] = head.split('\r\n')
    const [method = '', url = ''] = first.split(' ')
    const headers = Object.fromEntries(
      lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const cut = cutFor(method, decodedPath(url), body, headers['x-ms-client-request-id'] ?? '')
    const isRead = method === 'GET'
    const before = isRead ? undefined : steady(ask('GET', url, headers, '').body)
    const isTaken = !cut || ('instead' in cut ? cut.isTaken : !['inside', 'hang'].includes(cut.at))
    const arrival: Arrival = { method, path: decodedPath(url), body, isTaken, status: undefined, before }
    arrived.push(arrival)
    onArrival()
    if (cut && 'at' in cut && cut.at === 'hang') return
    if (cut && 'at' in cut && cut.at === 'inside') return void socket.resetAndDestroy()
    const own = isTaken ? ask(method, url, headers, body) : undefined
    if (cut && 'at' in cut && cut.at === 'before_answer') return void socket.resetAndDestroy()
    const given = cut && 'instead' in cut ? { headers: {}, ...cut.instead } : own
    if (!given) throw new Error('nothing to answer')
    const whole = httpText(given)
    if (cut && 'at' in cut) return void socket.write(whole.subarray(0, whole.length >> 1), () => socket.destroy())
    arrival.status = given.status
    socket.write(whole)
  }

  const speak = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    let held = Buffer.alloc(0)
    socket.on('data', chunk => {
      held = Buffer.concat([held, chunk])
      const end = held.indexOf('\r\n\r\n')
      if (end === -1) return
      const head = held.subarray(0, end).toString('latin1')
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
      if (held.length < end + 4 + length) return
      const body = held.subarray(end + 4, end + 4 + length).toString('utf8')
      held = held.subarray(end + 4 + length)
      serve(socket, head, body)
    })
  }

  let listening: Server
  const listen = async (port: number) => {
    listening = createServer(speak).listen(port, '127.0.0.1')
    await once(listening, 'listening')
    endpoint = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
  }
  const goDown = async () => {
    for (const socket of sockets) socket.resetAndDestroy()
    await new Promise(done => listening.close(done))
  }
  await listen(0)
  const until = async (look: (arrival: Arrival) => boolean): Promise<void> => {
    while (!arrived.some(look)) await new Promise<void>(go => watchers.push(go))
  }
  return { endpoint, arrived, until, goDown, comeBack: () => listen(Number(new URL(endpoint).port)), close: goDown }
}

const httpText = ({ status, headers, body }: { status: number; headers: Record<string, string>; body: string }) => {
  const length = status === 204 ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries({ ...headers, ...length }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`HTTP/1.1 ${status} .\r\n${lines.join('')}\r\n${body}`)
}

/** Nobody listens there. */
const nowhere = 'http://127.0.0.1:1'

/** The door of an estate: `Send` by undici to a simulated Azure on loopback, whose connections `rule` cuts. */
export const createWire = (rule: { cut: Rule }) => {
  const arrived: Arrival[] = []
  const closing: (() => Promise<void>)[] = []
  const cuts = new Map<string, Cut | undefined>()
  const open = async (world: World, base: string): Promise<Send> => {
    const azure = await startCuttingAzure(world, base, (_, __, ___, id) => cuts.get(id), arrived)
    const settings = { timeoutSeconds: 20, env: {}, readFile: async () => '', warn: () => {} }
    const { send, close } = await createUndiciSend(settings)
    closing.push(close, azure.close)
    const [token = ''] = world.state.tokens
    return (request, signal) => {
      const { pathname } = new URL(request.url)
      const cut = rule.cut(request.method, decodeURIComponent(pathname), request.body ?? '')
      cuts.set(request.headers['x-ms-client-request-id'] ?? '', cut)
      const origin = cut && 'at' in cut && cut.at === 'connect' ? nowhere : azure.endpoint
      const headers = { ...request.headers, authorization: `Bearer ${token}` }
      return send({ ...request, headers, url: origin + request.url.slice(base.length) }, signal)
    }
  }
  return {
    arrived,
    door: (world: World, base: string): Send => {
      const opening = open(world, base)
      return async (request, signal) => (await opening)(request, signal)
    },
    close: async () => {
      for (const end of closing) await end()
    },
  }
}
