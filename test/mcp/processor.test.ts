import t from 'tap'
import type { Clock } from '../../src/clock.ts'
import { Processor } from '../../src/mcp/processor.ts'
import type { ToolCall, ToolService } from '../../src/mcp/tool-service.ts'
import { LineWriter } from '../../src/rpc/lines.ts'
import { envelope } from '../helpers/server.ts'

interface Written {
  id?: unknown
  result?: Record<string, unknown>
  error?: { code: number; message: string }
  method?: string
  params?: Record<string, unknown>
}

const settled = () => new Promise<void>(go => setImmediate(go))

const setup = (
  call: (call: ToolCall) => Promise<{ isError: boolean; json: string }> = async () => ({ isError: false, json: '{}' }),
) => {
  let nowMs = 0
  const written: Written[] = []
  const logged: string[] = []
  const taken: (() => void)[] = []
  let isStuck = false
  const writer = new LineWriter(
    {
      write: (text, done) => {
        if (text !== '') written.push(JSON.parse(text))
        if (isStuck) taken.push(() => done())
        else done()
        return true
      },
    },
    1000,
  )
  const sleepers: (() => void)[] = []
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: () => new Promise(go => sleepers.push(go)) }
  const tools: ToolService = { list: async () => '[]', call }
  const processor = new Processor({ writer, tools, clock, log: (_, message) => logged.push(message) })
  const send = (message: unknown) => processor.receive({ kind: 'text', text: JSON.stringify(message) })
  const modern = (id: unknown, method: string, params: object = {}, meta: Record<string, unknown> = {}) =>
    send({ jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope(meta) } })
  const initialize = (protocolVersion: string) =>
    send({
      jsonrpc: '2.0',
      id: 'init',
      method: 'initialize',
      params: { protocolVersion, capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    })
  return {
    processor,
    written,
    logged,
    send,
    modern,
    initialize,
    /** Ends every sleep. */
    wake: () => {
      for (const go of sleepers.splice(0)) go()
    },
    pass: (ms: number) => {
      nowMs += ms
    },
    stick: () => {
      isStuck = true
    },
    unstick: () => {
      isStuck = false
      for (const go of taken.splice(0)) go()
    },
  }
}

const deferred = <T>() => {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(go => {
    resolve = go
  })
  return { promise, resolve }
}

t.test(
  'a second request with the id of one in flight is refused without that id, and the first is answered once',
  async t => {
    const gate = deferred<{ isError: boolean; json: string }>()
    const { modern, written } = setup(() => gate.promise)
    modern(7, 'tools/call', { name: 'x' })
    modern(7, 'tools/call', { name: 'x' })
    await settled()
    t.match(written, [{ error: { code: -32600 } }])
    t.notOk('id' in (written[0] ?? {}))
    gate.resolve({ isError: false, json: '{"ok":1}' })
    await settled()
    t.match(written.slice(1), [{ id: 7, result: { structuredContent: { ok: 1 } } }])
  },
)

t.test('ids 7 and "7" are two requests', async t => {
  const { modern, written } = setup()
  modern(7, 'tools/call', { name: 'x' })
  modern('7', 'tools/call', { name: 'x' })
  await settled()
  t.same(written.map(each => each.id).sort(), [7, '7'])
})

t.test('a cancelled call is aborted and draws no answer; others go on', async t => {
  const gates = new Map<string, AbortSignal>()
  const { modern, send, written } = setup(async ({ name, signal }) => {
    gates.set(name, signal)
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    return { isError: false, json: '{}' }
  })
  modern('slow', 'tools/call', { name: 'slow' })
  modern('other', 'tools/call', { name: 'other' })
  send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'slow' } })
  await settled()
  t.equal(gates.get('slow')?.aborted, true)
  t.equal(gates.get('other')?.aborted, false)
  t.same(written, [])
})

t.test('a fault nobody expected is -32603 without its stack, which goes to the log', async t => {
  const { modern, written, logged } = setup(async () => {
    throw new Error('secret detail')
  })
  modern(1, 'tools/call', { name: 'x' })
  await settled()
  t.match(written, [{ id: 1, error: { code: -32603 } }])
  t.notMatch(JSON.stringify(written), /secret detail/)
  t.match(logged.join(), /secret detail/)
})

t.test('reading waits while the reader does not read, and goes on once it does', async t => {
  const { modern, stick, unstick } = setup(async () => ({ isError: false, json: `{"a":"${'x'.repeat(2000)}"}` }))
  stick()
  modern(1, 'tools/call', { name: 'x' })
  await settled()
  const wait = modern(2, 'server/discover')
  t.ok(wait, 'the next line waits')
  unstick()
  await wait
  t.equal(modern(3, 'server/discover'), undefined)
})

t.test('reading waits once 4,096 calls are in flight, until one ends', async t => {
  const gates: ReturnType<typeof deferred<{ isError: boolean; json: string }>>[] = []
  const { modern } = setup(() => {
    const gate = deferred<{ isError: boolean; json: string }>()
    gates.push(gate)
    return gate.promise
  })
  const waits = Array.from({ length: 4095 }, (_, id) => modern(id, 'tools/call', { name: 'x' }))
  t.notOk(waits.some(Boolean))
  const wait = modern(4095, 'tools/call', { name: 'x' })
  t.ok(wait)
  gates[0]?.resolve({ isError: false, json: '{}' })
  await wait
})

t.test('reading waits while what is in flight holds more than 32 MiB', async t => {
  const gate = deferred<{ isError: boolean; json: string }>()
  const { modern } = setup(() => gate.promise)
  const wide = { name: 'x', arguments: { pad: 'x'.repeat(12 * 1024 * 1024) } }
  t.equal(modern(1, 'tools/call', wide), undefined)
  t.equal(modern(2, 'tools/call', wide), undefined)
  const wait = modern(3, 'tools/call', wide)
  t.ok(wait)
  gate.resolve({ isError: false, json: '{}' })
  await wait
})

t.test('progress', async t => {
  const call =
    (reports: [progress: number, afterMs: number][], pass: (ms: number) => void) => async (each: ToolCall) => {
      for (const [progress, afterMs] of reports) {
        pass(afterMs)
        each.progress({ progress, total: 100, message: 'm' })
      }
      return { isError: false, json: '{}' }
    }
  const run = async (reports: [number, number][], meta: Record<string, unknown>) => {
    let pass = (_: number) => {}
    const all = setup(each => call(reports, ms => pass(ms))(each))
    pass = all.pass
    all.modern(1, 'tools/call', { name: 'x' }, meta)
    await settled()
    return all.written
  }
  const told = (written: Written[]) =>
    written.filter(each => each.method === 'notifications/progress').map(each => each.params?.progress)

  t.test('without a token nothing is sent', async t => t.same(told(await run([[1, 0]], {})), []))
  t.test(
    'the first report goes out at once, others at most every half second, the last just before the result',
    async t => {
      const written = await run(
        [
          [1, 0],
          [2, 100],
          [3, 100],
          [4, 400],
          [5, 10],
        ],
        { progressToken: 'p' },
      )
      t.same(told(written), [1, 4, 5])
      t.match(written.at(-1), { id: 1, result: {} })
    },
  )
  t.test('what stands still or falls is made to rise', async t => {
    const progress = told(
      await run(
        [
          [50, 0],
          [50, 600],
          [40, 600],
        ],
        { progressToken: 0 },
      ),
    ) as number[]
    t.ok(
      progress.every((value, at) => at === 0 || value > (progress[at - 1] ?? 0)),
      String(progress),
    )
  })
})

t.test('log notifications', async t => {
  const noisy = async ({ log }: ToolCall) => {
    log('debug', 'small')
    log('warning', 'large', { status: 429 })
    return { isError: false, json: '{}' }
  }
  t.test('modern: only for a request that asked, at its level', async t => {
    const { modern, written } = setup(noisy)
    modern(1, 'tools/call', { name: 'x' })
    modern(2, 'tools/call', { name: 'x' }, { 'io.modelcontextprotocol/logLevel': 'warning' })
    await settled()
    t.match(
      written.filter(each => each.method === 'notifications/message').map(each => each.params),
      [{ level: 'warning', logger: 'recovery-services', data: { message: 'large', status: 429 } }],
    )
  })
  t.test('legacy: none before logging/setLevel, then at that level', async t => {
    const { initialize, send, written } = setup(noisy)
    const call = (id: number) => send({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'x' } })
    initialize('2025-06-18')
    call(1)
    await settled()
    t.equal(written.filter(each => each.method).length, 0)
    send({ jsonrpc: '2.0', id: 2, method: 'logging/setLevel', params: { level: 'debug' } })
    call(3)
    await settled()
    t.equal(written.filter(each => each.method === 'notifications/message').length, 2)
  })
})

t.test('structured content is left out where the revision has none', async t => {
  const { initialize, send, written } = setup(async () => ({ isError: false, json: '{"a":1}' }))
  initialize('2025-03-26')
  send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x' } })
  await settled()
  t.same(written.at(-1)?.result, { content: [{ type: 'text', text: '{"a":1}' }] })
})

t.test('a batch of 2025-03-26 is answered as one array; initialize in it is refused', async t => {
  const { initialize, send, written } = setup()
  initialize('2025-03-26')
  send([
    { jsonrpc: '2.0', id: 1, method: 'ping' },
    { jsonrpc: '2.0', method: 'notifications/x' },
    { jsonrpc: '2.0', id: 2, method: 'initialize', params: { protocolVersion: '2025-03-26' } },
  ])
  await settled()
  t.match(written.at(-1), [
    { id: 1, result: {} },
    { id: 2, error: { code: -32600 } },
  ])
})

t.test('at the end, subscriptions are closed with a result and what runs is aborted', async t => {
  const { modern, processor, written, wake } = setup(
    ({ signal }) =>
      new Promise(go =>
        signal.addEventListener('abort', () => go({ isError: true, json: '{"error":{"code":"cancelled"}}' })),
      ),
  )
  modern('sub', 'subscriptions/listen', { notifications: {} })
  modern('call', 'tools/call', { name: 'x' })
  t.match(written, [{ method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } }])
  const closing = processor.close(1000)
  await settled()
  t.equal(written.length, 1, 'within the grace time the call goes on')
  wake()
  await closing
  t.match(written.slice(1), [
    { id: 'call', result: { isError: true } },
    { id: 'sub', result: { resultType: 'complete', _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub' } } },
  ])
})
