import t from 'tap'
import { parseMessage } from '../../src/rpc/messages.ts'

const invalid = (code: number, id?: string | number) => ({ kind: 'invalid', id, error: { code } })
const rows: [name: string, line: string, found: object][] = [
  [
    'a request',
    '{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}',
    { kind: 'request', id: 1, method: 'm', params: { a: 1 } },
  ],
  [
    'a request without params',
    '{"jsonrpc":"2.0","id":"","method":"m"}',
    { kind: 'request', id: '', method: 'm', params: {} },
  ],
  ['id 0 is an id', '{"jsonrpc":"2.0","id":0,"method":"m"}', { kind: 'request', id: 0 }],
  ['a notification', '{"jsonrpc":"2.0","method":"m"}', { kind: 'notification', method: 'm', params: {} }],
  [
    'a notification with bad params is still one',
    '{"jsonrpc":"2.0","method":"m","params":[1]}',
    { kind: 'notification', params: {} },
  ],
  ['a result', '{"jsonrpc":"2.0","id":"srv-1","result":{}}', { kind: 'response', id: 'srv-1' }],
  ['an error without id', '{"jsonrpc":"2.0","error":{}}', { kind: 'response', id: undefined }],
  ['not JSON', '{"jsonrpc"', invalid(-32700)],
  ['a number', '42', invalid(-32600)],
  ['null', 'null', invalid(-32600)],
  ['an empty object', '{}', invalid(-32600)],
  ['an empty batch', '[]', invalid(-32600)],
  ['jsonrpc 1.0', '{"jsonrpc":"1.0","id":7,"method":"m"}', invalid(-32600, 7)],
  ['a method that is no string', '{"jsonrpc":"2.0","id":7,"method":5}', invalid(-32600, 7)],
  ['id null', '{"jsonrpc":"2.0","id":null,"method":"m"}', invalid(-32600)],
  ['a fraction as id', '{"jsonrpc":"2.0","id":1.5,"method":"m"}', invalid(-32600)],
  ['an id beyond 2^53', '{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}', invalid(-32600)],
  ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"m"}', invalid(-32600)],
  ['params that are an array', '{"jsonrpc":"2.0","id":7,"method":"m","params":[1]}', invalid(-32602, 7)],
  [
    'a batch',
    '[{"jsonrpc":"2.0","method":"m"},7]',
    { kind: 'batch', messages: [{ kind: 'notification' }, invalid(-32600)] },
  ],
  ['a batch of 256', `[${Array(256).fill('7').join()}]`, { kind: 'batch' }],
  ['a batch of more', `[${Array(257).fill('7').join()}]`, invalid(-32600)],
]
for (const [name, line, found] of rows)
  t.test(`${name} is read as what it is`, async t => t.match(parseMessage(line), found))

t.test('a key named __proto__ is data', async t => {
  const parsed = parseMessage('{"jsonrpc":"2.0","id":1,"method":"m","params":{"__proto__":{"polluted":1}}}')
  t.equal(parsed.kind, 'request')
  t.notOk(Object.hasOwn(Object.prototype, 'polluted'))
})

t.test('an array nested 200,000 deep is survived', async t => {
  t.match(parseMessage(`${'['.repeat(200_000)}${']'.repeat(200_000)}`), { kind: 'batch' })
})
