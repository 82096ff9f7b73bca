/** The built server as a process: what it makes of everything that a client may write, and what it does when things end. */
import { spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import path from 'node:path'
import t, { type Test } from 'tap'
import { fakeArm, json, subscription, vaultPath } from './helpers/fake-arm.ts'
import { envelope, executable, type Options, type Reply, root, Server, toolPrefix } from './helpers/server.ts'

t.jobs = 4
t.setTimeout(180_000) // the wire check starts fifty servers: 13 s on an idle machine

/** Vault and subscription of the fixtures, by the environment: no file to write. */
const env = { AZURE_SUBSCRIPTION_ID: subscription, AZURE_RESOURCE_GROUP: 'rg-backup', AZURE_VAULT_NAME: 'vault-prod' }
const replay: Options = { args: ['--replay', path.join(root, 'fixtures')], env }
const job = '00000000-0000-0000-0001-000000000001'

const line = (message: unknown): string => `${JSON.stringify(message)}\n`
const legacy = (id: unknown, method: string, params?: unknown): object => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? {} : { params }),
})
const modern = (id: unknown, method: string, params: object = {}, meta: Record<string, unknown> = {}): object =>
  legacy(id, method, { ...params, _meta: envelope(meta) })
const call = (tool: string, args: object = {}): { name: string; arguments: object } => ({
  name: toolPrefix + tool,
  arguments: args,
})
const hello = (protocolVersion: unknown): object => ({
  protocolVersion,
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
})

let markers = 0
/** What is written for `raw`, up to the answer to a request behind it; `count` answers are waited for. */
const written = async (server: Server, raw: string | Buffer, count: number, marker = modern): Promise<Reply[]> => {
  const from = server.messages.length
  const id = `marker ${++markers}`
  server.raw(raw)
  server.send(marker(id, marker === modern ? 'server/discover' : 'ping'))
  await server.answer(id)
  await server.until(() => (server.messages.length > from + count ? true : undefined))
  return server.messages.slice(from).filter(message => message.id !== id)
}

t.test('both eras on one pipe', async t => {
  const server = new Server(t, replay)
  // A probe and a handshake in one write, as clients do that do not wait.
  server.raw(line(modern('probe', 'server/discover')) + line(legacy(0, 'initialize', hello('2025-06-18'))))
  const probe = await server.answer('probe')
  const hand = await server.answer(0)
  t.match(probe.result, { supportedVersions: ['2026-07-28'], resultType: 'complete', ttlMs: Number })
  t.match(hand.result, { protocolVersion: '2025-06-18', capabilities: { tools: {} } })
  t.same(server.messages.length, 2)

  server.send(legacy('l', 'tools/list'))
  server.send(modern('m', 'tools/list'))
  const [old, now] = [(await server.answer('l')).result, (await server.answer('m')).result]
  t.same(Object.keys(old ?? {}), ['tools'], 'nothing modern in a legacy result')
  t.match(now, { resultType: 'complete', ttlMs: Number, cacheScope: 'private' })
  t.same(old?.tools, now?.tools)

  t.match(await server.request('ping'), { error: { code: -32601 } }, 'ping is gone in the modern era')
  server.send(legacy('ping', 'ping'))
  t.same((await server.answer('ping')).result, {}, 'and goes on in the legacy one')

  // Only the envelope's own keys claim the modern era.
  server.send(legacy('meta', 'tools/list', { _meta: { progressToken: 1, traceparent: '00-0-0-00' } }))
  t.same(Object.keys((await server.answer('meta')).result ?? {}), ['tools'])

  server.send(legacy('again', 'initialize', hello('2024-11-05')))
  t.match((await server.answer('again')).result, { protocolVersion: '2024-11-05' }, 'a second handshake counts')
  t.equal(server.unfinished, '')
})

t.test('a refused probe leaves both ways open', async t => {
  const server = new Server(t, replay)
  const future = { 'io.modelcontextprotocol/protocolVersion': '2031-01-01' }
  t.match((await server.request('server/discover', {}, future)).error, {
    code: -32022,
    data: { supported: ['2026-07-28'], requested: '2031-01-01' },
  })
  const past = { 'io.modelcontextprotocol/protocolVersion': '2025-11-25' }
  t.match((await server.request('tools/list', {}, past)).error, { code: -32022 }, 'a legacy date in an envelope')
  t.match((await server.initialize('2025-11-25')).result, { protocolVersion: '2025-11-25' })
  t.match((await server.request('tools/list')).result, { resultType: 'complete' })
})

t.test('before any handshake a bare request is told what it lacks, and ping is answered', async t => {
  const server = new Server(t, replay)
  server.send(legacy(1, 'ping'))
  t.same((await server.answer(1)).result, {})
  for (const method of ['tools/list', 'tools/call', 'server/discover', 'subscriptions/listen']) {
    server.send(legacy(method, method))
    t.match((await server.answer(method)).error, { code: -32602, message: /protocolVersion.*initialize/ }, method)
  }
  server.send(legacy('r', 'resources/list'))
  t.match((await server.answer('r')).error, { code: -32601 })
  for (const [index, given] of [undefined, {}, hello(7), hello(undefined)].entries()) {
    server.send(legacy(`bad${index}`, 'initialize', given))
    t.match((await server.answer(`bad${index}`)).error, { code: -32602 })
  }
  for (const asked of ['2026-07-28', '2099-01-01', '1']) {
    server.send(legacy(asked, 'initialize', hello(asked)))
    t.match(
      (await server.answer(asked)).result,
      { protocolVersion: '2025-11-25' },
      `${asked} gets the newest legacy one`,
    )
  }
})

const base = ['description', 'inputSchema', 'name']
const revisions: [revision: string, toolKeys: string[], resultKeys: string[], infoKeys: string[]][] = [
  ['2024-11-05', base, ['content'], ['name', 'version']],
  ['2025-03-26', ['annotations', ...base], ['content'], ['name', 'version']],
  [
    '2025-06-18',
    ['annotations', ...base, 'outputSchema', 'title'],
    ['content', 'structuredContent'],
    ['name', 'title', 'version'],
  ],
  [
    '2025-11-25',
    ['annotations', ...base, 'outputSchema', 'title'],
    ['content', 'structuredContent'],
    ['name', 'title', 'version'],
  ],
]

t.test('each legacy revision has its own shapes, and batches are of 2025-03-26 only', async t => {
  const server = new Server(t, { ...replay, era: 'legacy' })
  for (const [revision, toolKeys, resultKeys, infoKeys] of revisions) {
    const { result } = await server.initialize(revision)
    t.same(Object.keys(result ?? {}).sort(), ['capabilities', 'instructions', 'protocolVersion', 'serverInfo'])
    t.equal(result?.protocolVersion, revision)
    t.same(Object.keys(result?.serverInfo as object).sort(), infoKeys)
    const { tools } = (await server.request('tools/list')).result as { tools: object[] }
    t.equal(tools.length, 14)
    for (const tool of tools) t.same(Object.keys(tool).sort(), toolKeys, revision)

    const good = (await server.request('tools/call', call('list_vaults'))).result
    t.same(Object.keys(good ?? {}).sort(), resultKeys, revision)
    const bad = (await server.request('tools/call', call('get_vault', { vault: 'vault-gone' }))).result
    t.same(Object.keys(bad ?? {}).sort(), ['content', 'isError'], revision)

    const batch = line([
      legacy('one', 'ping'),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      legacy('two', 'tools/call', call('list_vaults')),
      42,
      legacy('three', 'initialize', hello(revision)),
    ])
    const from = server.messages.length
    server.raw(batch)
    const [answer] = await server.until(() => (server.messages.length > from ? server.messages.slice(from) : undefined))
    if (revision === '2025-03-26') {
      t.match(answer, [
        { id: 'one', result: {} },
        { id: 'two', result: { content: [{ type: 'text' }] } },
        { error: { code: -32600 } },
        { id: 'three', error: { code: -32600 } },
      ])
      t.same(await written(server, line([{ jsonrpc: '2.0', method: 'notifications/initialized' }]), 0, legacy), [])
      const many = line(Array(257).fill(legacy('p', 'ping')))
      t.match(await written(server, many, 1, legacy), [{ error: { code: -32600 } }], 'one of 257 is too long')
    } else {
      t.match(answer, { error: { code: -32600 } }, `${revision} has no batches`)
      t.notOk('id' in (answer ?? {}))
    }
    t.match(await written(server, '[]\n', 1, legacy), [{ error: { code: -32600 } }], 'an empty batch is refused')
  }
})

t.test('a batch in the modern era is refused and nothing of it is run', async t => {
  const azure = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  const server = new Server(t, azure)
  const answers = await written(server, line([modern('b', 'tools/call', call('list_policies'))]), 1)
  t.match(answers, [{ error: { code: -32600 } }])
  t.same(azure.seen, [])
})

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const discover = line(modern('found', 'server/discover')).trimEnd()
const lone = (code: number): object[] => [{ error: { code } }]
const found = [{ id: 'found', result: {} }]

const lines: [name: string, raw: string | Buffer, answers: object[]][] = [
  ['text that is no JSON', 'hello\n', lone(-32700)],
  ['JSON cut short', `${discover.slice(0, -4)}\n`, lone(-32700)],
  ['two messages on one line', `${discover}${discover}\n`, lone(-32700)],
  ['NUL bytes', Buffer.from([0, 0, 10]), lone(-32700)],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22, 10]), lone(-32700)],
  ['a character cut in its middle', Buffer.from([0x22, 0xe2, 0x82, 0x22, 10]), lone(-32700)],
  ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22, 10]), lone(-32700)],
  ['UTF-16', Buffer.concat([Buffer.from('\uFEFF{}', 'utf16le'), Buffer.from('\n')]), lone(-32700)],
  ['empty lines and blanks', '\n\r\n   \n\t\n', []],
  ['CR before LF', `${discover}\r\n`, found],
  ['a byte order mark', `\uFEFF${discover}\n`, found],
  ['blanks around a message', `  ${discover}\t \n`, found],
  ['a lone CR inside a message', `${discover.replace(',', ',\r')}\n`, found],
  ['U+2028 and U+2029 in a string', line(modern('found', 'server/discover', { x: 'a\u2028b\u2029c' })), found],
  ['an escaped NUL in a string', line(modern('found', 'server/discover', { x: 'a\u0000b' })), found],
  ['a lone surrogate, escaped', `${discover.replace('"test"', '"\\ud800"')}\n`, found],
  ['a number', '42\n', lone(-32600)],
  ['null', 'null\n', lone(-32600)],
  ['an object with nothing in it', '{}\n', lone(-32600)],
  ['100,000 arrays in one another', `${deep(100_000)}\n`, lone(-32600)],
  [
    '100,000 arrays as an argument',
    `${line(modern('found', 'server/discover', { x: 0 }))
      .trimEnd()
      .replace('"x":0', `"x":${deep(100_000)}`)}\n`,
    found,
  ],
  [
    'another version of JSON-RPC',
    line({ ...modern(5, 'tools/list'), jsonrpc: '1.0' }),
    [{ id: 5, error: { code: -32600 } }],
  ],
  ['a method that is no text', line(legacy(5, 7 as unknown as string)), [{ id: 5, error: { code: -32600 } }]],
  ['params that are an array', line(legacy(5, 'tools/list', [])), [{ id: 5, error: { code: -32602 } }]],
  ['params that are null', line(legacy(5, 'tools/list', null)), [{ id: 5, error: { code: -32602 } }]],
  ['an answer nobody waits for', line({ jsonrpc: '2.0', id: 1, result: {} }), []],
  ['an error nobody waits for', line({ jsonrpc: '2.0', error: { code: 1, message: 'x' } }), []],
  ['notifications nobody knows', line({ jsonrpc: '2.0', method: 'notifications/x', params: 3 }), []],
  ['a request without an id', line({ jsonrpc: '2.0', method: 'tools/list', params: { _meta: envelope() } }), []],
  [
    'a cancellation of nothing',
    line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } }),
    [],
  ],
  [
    'a cancellation without sense',
    line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: {} } }),
    [],
  ],
  ['an unknown method', line(modern(5, 'x'.repeat(5000))), [{ id: 5, error: { code: -32601 } }]],
  ['a method named like a prototype', line(modern(5, '__proto__')), [{ id: 5, error: { code: -32601 } }]],
  [
    'a tool named like a prototype',
    line(modern(5, 'tools/call', { name: 'constructor' })),
    [{ id: 5, error: { code: -32602 } }],
  ],
]

t.test('every line is survived, and answered as JSON-RPC says', async t => {
  const server = new Server(t, replay)
  for (const [name, raw, answers] of lines) {
    const told = await written(server, raw, answers.length)
    t.equal(told.length, answers.length, `${name}: ${JSON.stringify(told).slice(0, 300)}`)
    t.match(told, answers, name)
    for (const [index, answer] of answers.entries())
      t.equal('id' in (told[index] ?? {}), 'id' in answer, `${name}: an id only where there was one`)
  }
  t.equal(server.stderr, '')
})

t.test('ids come back as they were given, and what is no id is refused without one', async t => {
  const server = new Server(t, replay)
  for (const id of [0, -1, 1.0, Number.MAX_SAFE_INTEGER, '', '0', ' ', 'ä\u2028', 'x'.repeat(10_000)]) {
    const [answer, ...others] = await written(server, line(modern(id, 'server/discover')), 1)
    t.strictSame([answer?.id, others], [id, []])
  }
  for (const id of ['null', '1.5', '{}', '[]', 'true', '1e400', '9007199254740993']) {
    const told = await written(server, discover.replace('"found"', id).concat('\n'), 1)
    t.match(told, [{ error: { code: -32600 } }], id)
    t.notOk('id' in (told[0] ?? {}), id)
  }
})

/** An Azure that keeps its answers until asked for them, and tells when a connection was closed on it. */
const heldArm = async (t: Test) => {
  const responses: ServerResponse[] = []
  const held = new Map<string, ServerResponse>()
  const waiting: (() => void)[] = []
  const wake = () => {
    for (const go of waiting.splice(0)) go()
  }
  const closed = new Set<string>()
  const azure = await fakeArm(t, ({ url }, response) => {
    const place = url.split('?')[0]?.slice(vaultPath.length) ?? ''
    held.set(place, response)
    responses.push(response)
    response.on('close', () => {
      if (!response.writableEnded) closed.add(place)
      wake()
    })
    wake()
  })
  const when = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise<void>(go => waiting.push(go))
  }
  return {
    azure,
    /** The open answer to a request for that place in the vault. */
    at: async (place: string) => {
      await when(() => held.has(place))
      return held.get(place) as ServerResponse
    },
    /** The open answers, once there are `count`. */
    all: async (count: number) => {
      await when(() => responses.length === count)
      return responses
    },
    closed: (place: string) => when(() => closed.has(place)),
  }
}

t.test('an id that is in flight is refused, 7 and "7" are two, and an id may be used again', async t => {
  const { azure, all } = await heldArm(t)
  const server = new Server(t, azure)
  const get = call('get_vault')
  const raw = [7, 7, '7'].map(id => line(modern(id, 'tools/call', get))).join('')
  const refused = await written(server, raw, 1)
  t.match(refused, [{ error: { code: -32600, message: /7/ } }])
  t.notOk('id' in (refused[0] ?? {}), 'it would be taken for the answer to the first')
  const others = [
    modern(7, 'no/such/method'),
    modern(7, 'tools/list', { cursor: 'x' }),
    { jsonrpc: '2.0', id: 7, method: 'tools/list' },
    { jsonrpc: '2.0', id: 7, method: 'ping' },
    { jsonrpc: '2.0', id: 7, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } },
    { jsonrpc: '2.0', id: 7, method: 'initialize', params: {} },
    { jsonrpc: '2.0', id: 7, method: 5 },
    { jsonrpc: '1.0', id: 7, method: 'ping' },
    { jsonrpc: '2.0', id: 7, method: 'ping', params: [] },
    { jsonrpc: '2.0', id: 7 },
  ]
  for (const other of others) {
    const told = await written(server, line(other), 1)
    t.match(told, [{ error: {} }], `${JSON.stringify(other)} is refused`)
    t.notOk('id' in (told[0] ?? {}), 'whatever it is that comes under this id')
  }
  for (const response of await all(2))
    json(response, 400, { error: { code: 'BMSUserErrorInvalidInput', message: 'no' } })
  await Promise.all([server.answer(7), server.answer('7')])
  t.equal(azure.seen.length, 2)
  t.equal(server.messages.filter(({ id }) => id === 7).length, 1)
})

/** The most memory that a process had, in MiB; undefined where the system does not tell. */
const peakMiB = ({ process: { pid } }: Server): number | undefined => {
  const status = `/proc/${pid}/status`
  const found = existsSync(status) ? /VmHWM:\s*(\d+) kB/.exec(readFileSync(status, 'utf8')) : undefined
  return found ? Number(found[1]) / 1024 : undefined
}

t.test('a line of 4 MiB is answered, one of 192 MiB is refused once and not held', async t => {
  const server = new Server(t, replay)
  const wide = modern('wide', 'server/discover', { x: 'ä'.repeat(2 * 1024 * 1024) })
  server.send(wide)
  t.match((await server.answer('wide')).result, { resultType: 'complete' })
  const before = peakMiB(server)
  const piece = Buffer.alloc(1024 * 1024, 'x')
  for (let count = 0; count < 192; count++)
    if (!server.process.stdin.write(piece)) await new Promise(go => server.process.stdin.once('drain', go))
  const told = await written(server, '\n', 1)
  t.match(told, [{ error: { code: -32700 } }])
  t.equal(told.length, 1)
  t.notOk('id' in (told[0] ?? {}))
  const after = peakMiB(server)
  if (before !== undefined && after !== undefined) t.ok(after - before < 64, `${before} MiB grew to ${after} MiB`)
})

t.test('a reader that does not read slows the server down; nothing is held without bound, nothing is lost', async t => {
  const server = new Server(t, replay)
  await server.request('tools/list')
  const before = peakMiB(server)
  server.process.stdout.pause()
  const count = 1500 // answers of 16 KB: 25 MB in all
  const padding = 'x'.repeat(4000)
  const tail = JSON.stringify(modern('', 'tools/list', {}, { padding })).slice('{"jsonrpc":"2.0","id":""'.length)
  for (let id = 0; id < count; id++) server.raw(`{"jsonrpc":"2.0","id":"n${id}"${tail}\n`)
  // Until it has taken nothing more for a while.
  for (let left = -1; left !== server.process.stdin.writableLength; ) {
    left = server.process.stdin.writableLength
    await new Promise(go => setTimeout(go, 150))
  }
  t.ok(server.process.stdin.writableLength > 1_000_000, 'the server stopped reading')
  const during = peakMiB(server)
  if (before !== undefined && during !== undefined) t.ok(during - before < 32, `${before} MiB grew to ${during} MiB`)
  server.process.stdout.resume()
  await server.answer(`n${count - 1}`)
  t.equal(new Set(server.messages.map(({ id }) => id)).size, count + 1)
  t.equal(server.messages.length, count + 1)
})

t.test('while a reader does not read, Azure is not asked for what nobody takes', async t => {
  const job = { id: `${vaultPath}/backupJobs/j`, name: 'j', properties: { entityFriendlyName: 'x'.repeat(2000) } }
  const page = JSON.stringify({ value: Array.from({ length: 100 }, () => job) })
  const azure = await fakeArm(t, (_, response) => void response.writeHead(200).end(page))
  const server = new Server(t, azure)
  await server.request('tools/call', call('list_backup_jobs'))
  const before = azure.seen.length
  server.process.stdout.pause()
  const count = 60 // results of half a megabyte each
  for (let id = 0; id < count; id++)
    server.send(modern(`n${id}`, 'tools/call', call('list_backup_jobs', { limit: 100 })))
  // Until Azure has not been asked for a while.
  for (let asked = -1; asked !== azure.seen.length; ) {
    asked = azure.seen.length
    await new Promise(go => setTimeout(go, 400))
  }
  t.ok(azure.seen.length - before < 20, `${azure.seen.length - before} pages were asked for`)
  server.process.stdout.resume()
  for (let id = 0; id < count; id++) t.match((await server.answer(`n${id}`)).result, { resultType: 'complete' })
  t.equal(azure.seen.length - before, count, 'then everything is')
})

t.test('a reader that is gone ends the process quietly', async t => {
  for (const how of ['while nothing is in flight', 'while answers are written']) {
    const server = new Server(t, replay)
    await server.request('tools/list')
    server.process.stdout.destroy()
    const many = how.startsWith('while answers') ? 200 : 1
    for (let id = 0; id < many; id++) server.send(modern(id, 'tools/list'))
    t.equal(await server.exit, 0, how)
    t.equal(server.stderr, '', how)
  }
})

t.test('nothing is written before the client speaks, and the end of an untouched pipe is the end', async t => {
  const server = new Server(t, replay)
  t.equal(await server.end(), 0)
  t.same([server.messages, server.unfinished, server.stderr], [[], '', ''])
})

t.test('a line that the end cuts is dropped; answers before it are not', async t => {
  const server = new Server(t, replay)
  server.raw(line(modern(1, 'tools/list')) + line(modern(2, 'tools/call', call('list_protected_items'))))
  server.raw(discover)
  t.equal(await server.end(), 0)
  t.same(server.messages.map(({ id }) => id).sort(), [1, 2])
  t.same([server.unfinished, server.stderr], ['', ''])
})

t.test('at the end of stdin what is in flight has a second; what remains is cancelled', async t => {
  const { azure, at, closed } = await heldArm(t)
  const server = new Server(t, azure)
  server.send(modern('sub', 'subscriptions/listen', { notifications: {} }))
  server.send(modern('quick', 'tools/call', call('list_policies')))
  server.send(modern('slow', 'tools/call', call('list_protected_items')))
  const [policies] = await Promise.all([at('/backupPolicies'), at('/backupProtectedItems')])
  const atMs = performance.now()
  server.process.stdin.end()
  json(policies, 200, { value: [] })
  t.match((await server.answer('quick')).result, { structuredContent: { policies: [], count: 0 } })
  t.ok(performance.now() - atMs < 900, 'one that is answered does not wait for the others')
  t.equal(await server.exit, 0)
  t.ok(performance.now() - atMs < 2000)
  const slow = server.messages.find(({ id }) => id === 'slow')?.result as {
    isError: boolean
    content: [{ text: string }]
  }
  t.equal(slow.isError, true)
  t.match(JSON.parse(slow.content[0].text), { error: { code: 'cancelled' } })
  t.match(server.messages.at(-1), {
    id: 'sub',
    result: { resultType: 'complete', _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub' } },
  })
  await closed('/backupProtectedItems')
  t.equal(server.stderr, '')
})

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  t.test(`${signal} ends at once: calls are cancelled, the exit status is 0`, async t => {
    const { azure, at } = await heldArm(t)
    const server = new Server(t, azure)
    server.send(modern('slow', 'tools/call', call('list_policies')))
    await at('/backupPolicies')
    const atMs = performance.now()
    server.process.kill(signal)
    t.equal(await server.exit, 0)
    t.ok(performance.now() - atMs < 800, `${performance.now() - atMs} ms`)
    t.match(server.messages, [{ id: 'slow', result: { isError: true, content: [{ text: /"cancelled"/ }] } }])
    t.equal(server.stderr, '')
  })

t.test('SIGTERM also ends a server whose reader does not read', async t => {
  const server = new Server(t, replay)
  await server.request('tools/list')
  server.process.stdout.pause()
  for (let id = 0; id < 200; id++) server.send(modern(`n${id}`, 'tools/list'))
  await new Promise(go => setTimeout(go, 100))
  server.process.kill('SIGTERM')
  // `close` comes only when the pipe is read to its end, `exit` when the process is gone.
  t.equal(await new Promise(go => server.process.on('exit', go)), 0)
  server.process.stdout.resume()
  t.equal(server.stderr, '')
})

t.test('a cancelled call closes its connection to Azure, draws no answer, and frees its id', async t => {
  for (const era of ['modern', 'legacy'] as const) {
    const { azure, at, closed } = await heldArm(t)
    const server = new Server(t, { ...azure, era })
    if (era === 'legacy') await server.initialize()
    const request = era === 'modern' ? modern : legacy
    const from = server.messages.length
    server.send(request(50, 'tools/call', call('list_policies')))
    server.send(request('50', 'tools/call', call('list_protected_items')))
    await Promise.all([at('/backupPolicies'), at('/backupProtectedItems')])
    server.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 50, reason: 'enough' } })
    await closed('/backupPolicies')
    json(await at('/backupProtectedItems'), 200, { value: [] })
    t.match(await server.answer('50'), { result: { content: [{}] } }, 'the other call goes on')
    server.send(request(50, 'tools/list'))
    t.match((await server.answer(50)).result, { tools: [] })
    t.equal(server.messages.length, from + 2)
    t.equal(server.stderr, '')
  }
})

const bodyOfJob = (status: string, percent: number) => ({
  id: `${vaultPath}/backupJobs/${job}`,
  name: job,
  properties: {
    jobType: 'AzureIaaSVMJob',
    entityFriendlyName: 'web-01',
    backupManagementType: 'AzureIaasVM',
    operation: 'Backup',
    status,
    startTime: '2026-11-22T02:00:00Z',
    extendedInfo: { progressPercentage: percent },
  },
})

interface Told {
  progressToken: unknown
  progress: number
  total?: number
  message?: string
}
const progressOf = (server: Server): Told[] =>
  server.messages
    .filter(({ method }) => method === 'notifications/progress')
    .map(({ params }) => params as unknown as Told)

for (const progressToken of ['p', 0] as const)
  t.test(`work that is waited for tells its progress under the token ${JSON.stringify(progressToken)}`, async t => {
    let polls = 0
    const azure = await fakeArm(t, ({ url }, response) => {
      if (url.includes('/backupJobs/')) return json(response, 200, bodyOfJob('Completed', 100))
      polls++
      const status = polls < 3 ? 'InProgress' : 'Succeeded'
      const properties = polls < 3 ? {} : { properties: { objectType: 'OperationStatusJobExtendedInfo', jobId: job } }
      json(response, 200, { id: 'o', name: 'o', status, ...properties }, polls < 3 ? { 'retry-after': '0' } : {})
    })
    const server = new Server(t, azure)
    const operation_url = `${azure.endpoint}${vaultPath}/backupOperations/00000000-0000-0000-0002-000000000001?api-version=2025-08-01`
    const { body } = await server.call('track_async_operation', { operation_url, wait_seconds: 60 }, { progressToken })
    t.match(body, { status: 'succeeded', job_id: job, job: { percent_complete: 100 } })
    t.equal(polls, 3)
    const told = progressOf(server)
    t.ok(told.length >= 2, 'one at once, one just before the result')
    for (const each of told) t.strictSame(each.progressToken, progressToken)
    for (const [index, each] of told.entries())
      t.ok(index === 0 || each.progress > (told[index - 1]?.progress ?? 0), 'it rises')
    t.match(told.at(-1), { total: 60, message: 'Backup web-01 Completed, 100%' })
    t.equal(server.messages.at(-1)?.method, undefined, 'nothing comes after the result')
  })

t.test('without a token, or for a token that is none, no progress is told', async t => {
  const azure = await fakeArm(t, (_, response) => json(response, 200, bodyOfJob('Completed', 100)))
  const server = new Server(t, azure)
  for (const meta of [{}, { progressToken: null }, { progressToken: 1.5 }, { progressToken: {} }])
    t.match(await server.call('get_job_details', { job_id: job, wait_seconds: 60 }, meta), { isError: false })
  t.same(progressOf(server), [])
})

t.test('a job is followed for as long as was asked, and then told as it stands', async t => {
  const azure = await fakeArm(t, (_, response, count) => json(response, 200, bodyOfJob('InProgress', 10 * count)))
  const server = new Server(t, { ...azure, era: 'legacy' })
  await server.initialize('2024-11-05')
  const { body } = await server.call('get_job_details', { job_id: job, wait_seconds: 1 }, { progressToken: 't' })
  t.match(body, { status: 'InProgress', percent_complete: 20 })
  t.equal(azure.seen.length, 2)
  const told = progressOf(server)
  t.match(told, [
    { progress: Number, total: 1 },
    { progress: 1, total: 1 },
  ])
  for (const each of told)
    t.same(Object.keys(each), ['progressToken', 'progress', 'total'], 'this revision has no messages')
})

t.test('log messages go to the client that asked, at its level, and nowhere else', async t => {
  const azure = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  const server = new Server(t, azure)
  const logs = () => server.messages.filter(({ method }) => method === 'notifications/message')
  await server.call('list_policies')
  await server.call('list_policies', {}, { 'io.modelcontextprotocol/logLevel': 'warning' })
  t.same(logs(), [])
  await server.call('list_policies', {}, { 'io.modelcontextprotocol/logLevel': 'debug' })
  t.match(logs(), [{ params: { level: 'debug', logger: 'recovery-services', data: { message: String } } }])
  await server.call('list_policies')
  t.equal(logs().length, 1, 'the next request did not ask')
  t.match(await server.request('tools/list', {}, { 'io.modelcontextprotocol/logLevel': 'loud' }), {
    error: { code: -32602 },
  })
  t.match(await server.request('logging/setLevel', { level: 'debug' }), { error: { code: -32601 } })

  await server.initialize()
  const ask = async (id: string, method: string, params: object) => {
    server.send(legacy(id, method, params))
    return server.answer(id)
  }
  await ask('a', 'tools/call', call('list_policies'))
  t.equal(logs().length, 1, 'none before logging/setLevel')
  t.match(await ask('b', 'logging/setLevel', { level: 'loud' }), { error: { code: -32602 } })
  t.same((await ask('c', 'logging/setLevel', { level: 'debug' })).result, {})
  await ask('d', 'tools/call', call('list_policies'))
  t.equal(logs().length, 2)
  await ask('e', 'logging/setLevel', { level: 'emergency' })
  await ask('f', 'tools/call', call('list_policies'))
  t.equal(logs().length, 2)
  t.equal(server.stderr, '', 'stderr has nothing to say')
  t.notMatch(JSON.stringify(server.messages), /test-token/)
})

t.test('--verbose tells on stderr what Azure was asked, without the token', async t => {
  const azure = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  const server = new Server(t, { ...azure, args: [...azure.args, '--verbose'] })
  await server.call('list_policies')
  t.equal(await server.end(), 0)
  t.match(server.stderr, /^\S+Z debug asked Azure .*backupPolicies/m)
  t.notMatch(server.stderr, /test-token/)
})

t.test('subscriptions are acknowledged, stay open, and end without a word when cancelled', async t => {
  const server = new Server(t, replay)
  const listen = (id: unknown, params: object = { notifications: { toolsListChanged: true } }) =>
    line(modern(id, 'subscriptions/listen', params))
  for (const id of [1000, 's'])
    t.match(await written(server, listen(id), 1), [
      {
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: {}, _meta: { 'io.modelcontextprotocol/subscriptionId': id } },
      },
    ])
  t.match(await written(server, listen('s'), 1), [{ error: { code: -32600 } }], 'its id is in flight')
  t.match(await written(server, listen('bad', {}), 1), [{ id: 'bad', error: { code: -32602 } }])
  const cancel = line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 's' } })
  t.same(await written(server, cancel, 0), [])
  t.match(await written(server, listen('s'), 1), [{ method: 'notifications/subscriptions/acknowledged' }])
  const many = Array.from({ length: 63 }, (_, index) => listen(`m${index}`)).join('')
  t.match((await written(server, many, 63)).at(-1), { id: 'm62', error: { code: -32600 } }, 'the 65th is refused')
  const from = server.messages.length
  t.equal(await server.end(), 0)
  t.equal(server.messages.slice(from).filter(({ result }) => result?.resultType === 'complete').length, 64)
})

t.test('the instructions are one text in every era, short enough to be sent with every session', async t => {
  const server = new Server(t, replay)
  const { instructions } = (await server.request('server/discover')).result as { instructions: string }
  t.ok(instructions.length > 500 && instructions.length < 1500, `${instructions.length} characters`)
  t.equal((await server.initialize()).result?.instructions, instructions)
})

const shared = path.join(root, '../shared')
const checker = path.join(shared, 'tools/mcp-wire-check.mjs')
const schemas = path.join(shared, 'reference/mcp')
const isThere = existsSync(checker) && existsSync(schemas)

t.test(
  'the wire check finds nothing in any revision',
  isThere ? { timeout: 170_000 } : { skip: 'the wire check is not here (../shared/tools/mcp-wire-check.mjs)' },
  async t => {
    const set = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    const calls = [
      call('list_protected_items', { limit: 2 }),
      { ...call('get_vault', { vault: 'vault-gone' }), expect: 'isError' },
    ].flatMap(each => ['--call', JSON.stringify(each)])
    const slow = JSON.stringify(
      call('get_job_details', { job_id: '00000000-0000-0000-0001-000000000004', wait_seconds: 3 }),
    )
    const given = ['--schemas', schemas, '--strict', '--modules', root, ...set, ...calls, '--slow', slow]
    // To a file: its last lines, the ones that count, are lost in a pipe.
    const file = path.join(t.testdir({ told: '' }), 'told')
    const check = spawn(process.execPath, [checker, ...given, '--', executable, ...(replay.args ?? [])], {
      stdio: ['ignore', openSync(file, 'w'), 'ignore'],
    })
    t.equal(await new Promise(go => check.on('close', go)), 0)
    const told = readFileSync(file, 'utf8').trim().split('\n')
    t.match(told.at(-1), /^\d{3} passed, 0 failed$/)
    t.same(
      told.filter(each => /^(FAIL|warn|skip)/.test(each)),
      [],
    )
  },
)
