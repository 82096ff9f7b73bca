/** The simulated Azure as the seam's `Send`: no socket, no port, the same answers. */
import { type ArmRequest, type ArmResponse, type Send, SendError } from '../arm/send.ts'
import { answer } from './azure.ts'
import type { World } from './world.ts'

/** Where requests seem to go; nothing is sent there. */
export const simulatedEndpoint = 'https://management.azure.com'

/** Waits `ms` of real time; rejects with the signal's reason. */
type Sleep = (ms: number, signal: AbortSignal) => Promise<void>

/**
 * Requests carry the seed's token. Faults that cut a connection reject as a lost answer does. `onAnswered` is told of
 * every request that the simulated Azure has answered.
 */
export const simulatedSend =
  (world: World, sleep: Sleep, onAnswered: (method: string) => void = () => {}): Send =>
  async ({ method, url, headers, body = '' }: ArmRequest, signal): Promise<ArmResponse> => {
    signal.throwIfAborted()
    const { origin, pathname, search } = new URL(url)
    const [token = ''] = world.state.tokens
    const answered = answer(world, {
      method,
      url: pathname + search,
      base: origin,
      headers: { ...headers, authorization: `Bearer ${token}` },
      body,
    })
    onAnswered(method)
    const { fault, ...response } = answered
    if (fault && fault.delayMs > 0) await sleep(fault.delayMs, signal)
    if (fault?.cut) throw new SendError('lost', 'the connection was cut')
    return fault?.isTruncated ? { ...response, body: response.body.slice(0, response.body.length >> 1) } : response
  }
