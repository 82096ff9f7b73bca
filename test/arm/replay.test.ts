import { existsSync } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { type Exchange, readRecordings, recordedOrigins } from '../../src/arm/recordings.ts'
import { loadReplay, replaying } from '../../src/arm/replay.ts'
import type { ArmRequest, Method, Send } from '../../src/arm/send.ts'
import { skip } from '../helpers/definitions/generations.ts'
import { strictly, strictReplay } from '../helpers/strict-replay.ts'

const { signal } = new AbortController()
const arm = 'https://management.azure.com'

/** An exchange whose answer is its own name. */
const exchange = (name: string, url: string, more: Partial<Exchange['request']> = {}): Exchange => ({
  request: { method: 'GET', url: arm + url, ...more },
  response: { status: 200, body: name },
})
const ask = async (send: Send, url: string, more: Partial<ArmRequest> = {}): Promise<string> =>
  (await send({ method: 'GET', url: url.startsWith('http') ? url : arm + url, headers: {}, ...more }, signal)).body

const filtered = "/v/items?api-version=1&$filter=type%20eq%20'VM'"
const rows: [name: string, exchanges: Exchange[], asked: string, answers: string[]][] = [
  ['letter case of the path', [exchange('one', '/Subscriptions/A')], '/subscriptions/a', ['one']],
  ['percent encoding of the path', [exchange('one', '/x/VM;rg;a')], '/x/VM%3Brg%3Ba', ['one']],
  ['the host', [exchange('one', '/x')], 'https://eastus.management.example/x', ['one']],
  ['the API version', [exchange('one', '/x?api-version=1')], '/x?api-version=2', ['one']],
  [
    'an API version behind a second question mark',
    [exchange('one', '/x?a=b?api-version=1'), exchange('two', '/x?a=c')],
    '/x?a=b?api-version=2',
    ['one', 'one'],
  ],
  [
    'client request ids',
    [exchange('one', '/x?client-request-id=1'), exchange('two', '/x')],
    '/x?client-request-id=2',
    ['one', 'two'],
  ],
  [
    'letter case and spaces of a filter',
    [exchange('all', '/v/items'), exchange('vm', filtered)],
    "/v/items?$filter=TYPE eq'vm'",
    ['vm', 'vm'],
  ],
  [
    'scrubbed parameters',
    [exchange('one', '/x?s=scrubbed&c=scrubbed'), exchange('two', '/x')],
    '/x?s=1&c=2',
    ['one', 'one'],
  ],
  [
    'letter case of parameter names',
    [exchange('one', '/x?$skiptoken=1'), exchange('two', '/x')],
    '/x?$skipToken=1',
    ['one', 'one'],
  ],
]
for (const [name, exchanges, asked, answers] of rows)
  t.test(`replay does not mind ${name}`, async t => {
    const send = replaying(exchanges)
    for (const answer of answers) t.equal(await ask(send, asked), answer)
  })

t.test('replay minds a slash at the end of the path', async t => {
  const send = replaying([exchange('primary', '/v/items'), exchange('secondary', '/v/items/')])
  t.equal(await ask(send, '/v/items/'), 'secondary')
  t.equal(await ask(send, '/v/items'), 'primary')
})

t.test('replay minds the method', async t => {
  const send = replaying([exchange('get', '/x'), exchange('post', '/x', { method: 'POST' })])
  t.equal(await ask(send, '/x', { method: 'POST' }), 'post')
  await t.rejects(ask(send, '/x', { method: 'DELETE' }), { name: 'SendError', kind: 'no_recording' })
})

t.test('the most equal parameters win, unequal ones and those of one side only count against', async t => {
  const send = replaying([
    exchange('none', '/x'),
    exchange('a', '/x?a=1'),
    exchange('a and b', '/x?a=1&b=2'),
    exchange('c', '/x?a=1&c=3&d=4'),
  ])
  t.equal(await ask(send, '/x'), 'none')
  t.equal(await ask(send, '/x?a=1'), 'a')
  t.equal(await ask(send, '/x?a=1&b=2'), 'a and b')
  t.equal(await ask(send, '/x?a=1&c=3&d=5'), 'c')
})

t.test('an equal body is worth one parameter, whatever its order of keys and whatever was scrubbed in it', async t => {
  const post = (name: string, body: unknown, url = '/x') => exchange(name, url, { method: 'POST', body })
  const send = replaying([post('two', { id: 2 }), post('one', { id: 1, password: 'scrubbed' }), post('none', null)])
  const body = (value: unknown) => ({ method: 'POST' as Method, body: JSON.stringify(value) })
  t.equal(await ask(send, '/x', body({ password: 'hunter2', id: 1 })), 'one')
  t.equal(await ask(send, '/x', body({ id: 2 })), 'two')
  t.equal(await ask(send, '/x', { method: 'POST' }), 'none')
  const rival = replaying([post('body', { id: 1 }), post('parameters', { id: 2 }, '/x?a=1&b=1')])
  t.equal(await ask(rival, '/x?a=1&b=1', body({ id: 1 })), 'parameters')
})

t.test('what fits equally well is served in recorded order, then the last again and again', async t => {
  const polls = ['running', 'still running', 'over'].map(name => exchange(name, '/op/1'))
  const send = replaying([...polls, exchange('other', '/op/1?x=1')])
  const answers: string[] = []
  for (let n = 0; n < 5; n++) answers.push(await ask(send, '/op/1'))
  t.same(answers, ['running', 'still running', 'over', 'over', 'over'])
  t.equal(await ask(send, '/op/1?x=1'), 'other')
})

t.test('a request that was never recorded is refused with its method and path, not its query', async t => {
  const send = replaying([exchange('one', '/x')])
  const url = '/subscriptions/1/VM%3Ba?api-version=1&sig=S3cr3t'
  await t.rejects(ask(send, url, { method: 'PUT' }), {
    name: 'SendError',
    kind: 'no_recording',
    message: 'No exchange was recorded for PUT /subscriptions/1/VM;a',
  })
})

t.test('a cancelled request is not answered', async t => {
  const send = replaying([exchange('one', '/x')])
  const reason = new Error('cancelled')
  await t.rejects(send({ method: 'GET', url: `${arm}/x`, headers: {} }, AbortSignal.abort(reason)), reason)
  t.equal(await ask(send, '/x'), 'one')
})

const bodies: [name: string, response: Partial<Exchange['response']>, text: string][] = [
  ['an object is JSON text', { body: { a: [1] } }, '{"a":[1]}'],
  ['a text of type text/html is itself', { body: '<p>', headers: { 'Content-Type': 'text/html' } }, '<p>'],
  ['a text of JSON type is a JSON string', { body: 'a', headers: { 'content-type': 'application/json' } }, '"a"'],
  ['null is empty', { body: null }, ''],
  ['an absent body is empty', {}, ''],
  ['false is JSON text', { body: false }, 'false'],
]
for (const [name, response, text] of bodies)
  t.test(`recorded body: ${name}`, async t => {
    const send = replaying([{ request: { method: 'GET', url: `${arm}/x` }, response: { status: 202, ...response } }])
    const answer = await send({ method: 'GET', url: `${arm}/x`, headers: {} }, signal)
    t.equal(answer.body, text)
    t.equal(answer.status, 202)
    t.ok(Object.keys(answer.headers).every(header => header === header.toLowerCase()))
  })

const recordingOf = (...exchanges: Exchange[]) => JSON.stringify({ source: 'a test', exchanges })

t.test('a folder is read with its sub-folders, in the order of names, *.json only', async t => {
  const folder = t.testdir({
    b: { 'one.json': recordingOf(exchange('third', '/x')) },
    a: { 'two.json': recordingOf(exchange('second', '/x')), 'one.json': recordingOf(exchange('first', '/x')) },
    'notes.txt': 'not a recording',
  })
  const { send } = await loadReplay(folder, fs)
  t.same([await ask(send, '/x'), await ask(send, '/x'), await ask(send, '/x')], ['first', 'second', 'third'])
  t.equal(await ask((await loadReplay(path.join(folder, 'b/one.json'), fs)).send, '/x'), 'third')
})

const broken: [name: string, text: string | undefined, wrong: RegExp][] = [
  ['that is missing', undefined, /one\.json cannot be read: ENOENT/],
  ['that is not JSON', '{"S3cr3t', /one\.json is not JSON(?!.*S3cr3t)/],
  ['without exchanges', '{"source":"x"}', /one\.json does not fit .*: \/ must have required property 'exchanges'/],
  ['with an unknown key', '{"source":"x","exchanges":[],"extra":1}', /must NOT have additional properties extra/],
  [
    'with a wrong method',
    recordingOf(exchange('x', '/x', { method: 'LIST' })),
    /\/exchanges\/0\/request\/method must be/,
  ],
  [
    'with a URL that is none',
    recordingOf({ request: { method: 'GET', url: 'https://' }, response: { status: 200 } }),
    /one\.json has no URL at \/exchanges\/0\/request\/url/,
  ],
]
for (const [name, text, wrong] of broken)
  t.test(`a recording ${name} is refused, and the error says which and why`, async t => {
    const folder = t.testdir(text === undefined ? {} : { 'one.json': text })
    await t.rejects(loadReplay(path.join(folder, 'one.json'), fs), { code: 'not_configured', message: wrong })
  })

t.test('a folder without recordings is refused', async t => {
  await t.rejects(loadReplay(t.testdir(), fs), { code: 'not_configured', message: /without any \*\.json/ })
})

t.test('the origins of recordings are known, the commonest first', async t => {
  const other: Exchange = { request: { method: 'GET', url: 'http://127.0.0.1:8080/x' }, response: { status: 200 } }
  t.same(recordedOrigins([{ source: '', exchanges: [other, exchange('a', '/x'), exchange('b', '/x')] }]), [
    arm,
    'http://127.0.0.1:8080',
  ])
})

t.test('strict replay serves what is asked for in order, minding filters, bodies and missing parameters', async t => {
  const post = exchange('two', '/y?a=1', { method: 'POST', body: { id: 1 } })
  const { send, done } = strictly([exchange('one', filtered), post])
  t.equal(await ask(send, "/v/items?$filter=type eq 'VM'&api-version=2"), 'one')
  t.throws(done, /POST .*\/y\?a=1 \{"id":1\}/)
  t.equal(await ask(send, '/y?a=1', { method: 'POST', body: '{"id":1}' }), 'two')
  t.doesNotThrow(done)
})

const unexpected: [name: string, asked: string, more?: Partial<ArmRequest>][] = [
  ['another path', '/v/items2'],
  ['another filter', "/v/items?$filter=type eq 'SQL'"],
  ['no filter', '/v/items'],
  ['one parameter more', `${filtered}&x=1`],
  ['a body', filtered, { body: '{"id":1}' }],
  ['the second exchange first', '/v/jobs'],
]
for (const [name, asked, more] of unexpected)
  t.test(
    `strict replay refuses ${name}, shows the nearest exchange, and fails the test even if that was caught`,
    async t => {
      const { send, done } = strictly([exchange('one', filtered), exchange('two', '/v/jobs')])
      await t.rejects(ask(send, asked, more), /unexpected request: .*\nexpected next: .*\nnearest: +GET https:.*\/v\//)
      t.throws(done, /unexpected request/)
    },
  )

const failedOperation =
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault-prod/backupOperations/00000000-0000-0000-0002-000000000002'

t.test('a strict replay of a fixture is checked when the test ends', async t => {
  const checks: (() => void)[] = []
  const send = await strictReplay({ teardown: check => checks.push(check) }, 'operations/failed')
  t.throws(() => checks[0]?.(), /exchanges nobody asked for/)
  t.match(await ask(send, `${failedOperation}?api-version=2025-08-01`), 'CloudInternalError')
  t.doesNotThrow(() => checks[0]?.())
})

t.test('a strict replay of a fixture takes nothing that Azure does not define', { skip }, async t => {
  const checks: (() => void)[] = []
  const send = await strictReplay({ teardown: check => checks.push(check) }, 'operations/failed')
  await ask(send, failedOperation)
  t.throws(() => checks[0]?.(), /Azure does not define GET .*\n +query api-version: /)
})

const shared = path.resolve(import.meta.dirname, '../../../../shared/recordings')
t.test(
  'recordings of real traffic load, and each answers its own requests',
  {
    skip: existsSync(shared) ? false : 'needs ../shared/recordings, which is not there',
  },
  async t => {
    const files = await fs.readdir(shared)
    t.equal(files.length, 18)
    for (const file of files) {
      const { send } = await loadReplay(path.join(shared, file), fs)
      const [recording] = await readRecordings(path.join(shared, file), fs)
      for (const { request, response } of recording?.exchanges ?? []) {
        const body = request.body ? { body: JSON.stringify(request.body) } : {}
        const answer = await send({ method: request.method as Method, url: request.url, headers: {}, ...body }, signal)
        t.equal(typeof answer.status, 'number')
        if (response.body === null) continue
        t.doesNotThrow(() => answer.body && JSON.parse(answer.body))
      }
    }
  },
)

t.test('links of recordings made on several hosts lead to one endpoint; links to any other host stay', async t => {
  const page = (host: string, link: string) => ({
    request: { method: 'GET', url: `${host}/a` },
    response: { status: 200, body: { value: [], nextLink: `${link}/a?$skipToken=2` } },
  })
  const one = 'http://127.0.0.1:1001'
  const two = 'http://127.0.0.1:1002'
  const recordingOf = (...exchanges: object[]) => JSON.stringify({ source: 'test', exchanges })
  const folder = t.testdir({
    'one.json': recordingOf(page(one, one), page(one, one)),
    'two.json': recordingOf(page(two, two), page(two, 'https://elsewhere.example')),
  })
  const { send, endpoint } = await loadReplay(folder, fs)
  t.equal(endpoint, one)
  const links = []
  for (let count = 0; count < 4; count++) {
    const { body } = await send({ method: 'GET', url: `${endpoint}/a`, headers: {} }, new AbortController().signal)
    links.push(new URL(JSON.parse(body).nextLink).origin)
  }
  t.same(links, [one, one, one, 'https://elsewhere.example'])
})

t.test('a recording that holds more of the sign-in than of Azure is played on the endpoint of Azure', async t => {
  const at = (url: string) => ({ request: { method: 'GET', url }, response: { status: 200, body: {} } })
  const signIn = 'https://login.microsoftonline.com/contoso.example'
  const exchanges = [
    at(`${signIn}/v2.0/.well-known/openid-configuration`),
    at(`${signIn}/oauth2/v2.0/token`),
    at('http://169.254.169.254/metadata/identity/oauth2/token'),
    at('https://management.azure.com/subscriptions'),
  ]
  t.same(recordedOrigins([{ source: 'test', exchanges }]), ['https://management.azure.com'])
})
