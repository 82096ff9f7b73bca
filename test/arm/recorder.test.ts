import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { createRecorder, type RecorderDeps } from '../../src/arm/recorder.ts'
import { parseRecording, replaceFile } from '../../src/arm/recordings.ts'
import { loadReplay } from '../../src/arm/replay.ts'
import type { ArmRequest, ArmResponse, Send } from '../../src/arm/send.ts'
import { SendError } from '../../src/arm/send.ts'

const { signal } = new AbortController()
const arm = 'https://management.azure.com'
const name = '2026-11-22T14-03-05Z-1234.json'
const recording = (send: Send, deps: RecorderDeps): Send => createRecorder(deps)(send)

const answering =
  (response: Partial<ArmResponse>): Send =>
  async () => ({ status: 200, headers: {}, body: '', ...response })
const request = (more: Partial<ArmRequest> = {}): ArmRequest => ({
  method: 'GET',
  url: `${arm}/subscriptions/1?api-version=2025-08-01`,
  headers: {},
  ...more,
})
const deps = (directory: string, more: Partial<RecorderDeps> = {}): RecorderDeps => ({
  directory,
  now: () => new Date('2026-11-22T14:03:05.678Z'),
  pid: 1234,
  apiVersion: '2025-08-01',
  mkdir: folder => fs.mkdir(folder, { recursive: true }),
  writeFile: (file, text) => replaceFile(file, text, fs),
  log: () => t.fail('nothing is logged'),
  ...more,
})
const read = async (directory: string) => {
  const text = await fs.readFile(path.join(directory, name), 'utf8')
  return { text, ...(await parseRecording(text, name)) }
}

t.test('an exchange is in the file, mode 0600, when its caller goes on', async t => {
  const directory = path.join(t.testdir(), 'new/folder')
  const send = recording(
    answering({ body: '{"a":1}', headers: { 'content-type': 'application/json' } }),
    deps(directory),
  )
  t.same(await send(request(), signal), {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
  })
  t.equal((await fs.stat(path.join(directory, name))).mode & 0o777, 0o600)
  const { source, recordedAt, exchanges } = await read(directory)
  t.same(source, { kind: 'recorded', on: '2026-11-22', apiVersion: '2025-08-01' })
  t.equal(recordedAt, '2026-11-22T14:03:05.678Z')
  t.same(exchanges, [
    {
      request: { method: 'GET', url: `${arm}/subscriptions/1?api-version=2025-08-01`, headers: {}, body: null },
      response: { status: 200, headers: { 'content-type': 'application/json' }, body: { a: 1 } },
    },
  ])
  t.same(await fs.readdir(directory), [name], 'no draft stays behind')
})

t.test('headers that nobody acts on are left out, and no request header but the content type is kept', async t => {
  const directory = t.testdir()
  const headers = {
    'content-type': 'application/json',
    location: `${arm}/x`,
    'azure-asyncoperation': `${arm}/y`,
    'retry-after': '5',
    date: 'Sun, 22 Nov 2026 10:00:30 GMT',
    'x-ms-request-id': '1',
    'x-ms-ratelimit-remaining-subscription-reads': '9',
    'www-authenticate': 'Bearer error="invalid_token"',
  }
  const send = recording(answering({ headers: { ...headers, 'set-cookie': 'a=b', server: 'x' } }), deps(directory))
  await send(request({ headers: { authorization: 'Bearer x', 'content-type': 'application/json' } }), signal)
  const [exchange] = (await read(directory)).exchanges
  t.same(exchange?.response.headers, headers)
  t.same(exchange?.request.headers, { 'content-type': 'application/json' })
})

const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.S3cr3tS1gn'
const key = `S3cr3t${'Ab3/'.repeat(20)}` // with == the 88 letters of a storage account key
const json = (value: unknown) => ({ answer: { body: JSON.stringify(value) } })
const rows: [name: string, exchange: { asked?: Partial<ArmRequest>; answer?: Partial<ArmResponse> }][] = [
  ['the bearer token', { asked: { headers: { authorization: 'Bearer S3cr3t' } } }],
  ['the token of another tenant', { asked: { headers: { 'x-ms-authorization-auxiliary': 'Bearer S3cr3t' } } }],
  ['a cookie', { asked: { headers: { cookie: 'S3cr3t' } }, answer: { headers: { 'set-cookie': 'S3cr3t' } } }],
  ['a JWT in a message', json({ error: { message: `The token ${jwt} is not valid` } })],
  ['a refresh token', json({ refresh_token: 'S3cr3t', accessToken: 'S3cr3t' })],
  ['a client secret in a form', { asked: { body: 'client_secret=S3cr3t&assertion=S3cr3t' } }],
  ['the SAS of exported jobs', json({ operation: { blobUrl: 'https://a/b', blobSasKey: '?sv=1&sig=S3cr3t' } })],
  ['a SAS in a property', json({ properties: { 'Config Blob Uri': 'https://a/b?sv=1&sig=S3cr3t' } })],
  ['a storage account key', json({ keys: [{ keyName: 'key1', value: `${key}==` }] })],
  ['a connection string', json({ text: 'AccountName=a;AccountKey=S3cr3t;X=y' })],
  [
    'a signed polling URL',
    { answer: { headers: { location: `${arm}/op?api-version=1&t=S3cr3t&c=S3cr3t&s=S3cr3t&h=S3cr3t` } } },
  ],
  ['a signed URL that was asked for', { asked: { url: `${arm}/op?api-version=1&c=S3cr3t&s=S3cr3t` } }],
  ['a password', { asked: { body: '{"properties":{"osProfile":{"adminPassword":"S3cr3t"}}}' } }],
  ['the security PIN', json({ token: 'S3cr3t', securityPIN: 'S3cr3t' })],
  ['the token of a cross-region restore', json({ properties: { accessTokenString: 'S3cr3t' } })],
  [
    'the script that mounts a VM',
    json({ clientScripts: [{ scriptContent: 'S3cr3t', url: 'https://S3cr3t', scriptNameSuffix: 'S3cr3t' }] }),
  ],
  ['a body that is no JSON', { answer: { body: '<html>password="S3cr3t"', headers: { 'content-type': 'text/html' } } }],
]
for (const [what, { asked, answer }] of rows)
  t.test(`${what} is not in the file, and the exchange is answered from it`, async t => {
    const directory = t.testdir()
    const sent = request(asked)
    await recording(answering(answer ?? {}), deps(directory))(sent, signal)
    const { text, exchanges } = await read(directory)
    t.notMatch(text, /S3cr3t/)
    t.equal(exchanges.length, 1)
    const { send: again } = await loadReplay(directory, fs)
    t.equal((await again(sent, signal)).status, 200)
  })

t.test('exchanges that come together are all in one file that parses, in the order of their answers', async t => {
  const directory = t.testdir()
  let writes = 0
  let open = 0
  const send = recording(
    async ({ url }) => ({ status: 200, headers: {}, body: JSON.stringify(url) }),
    deps(directory, {
      writeFile: async (file, text) => {
        writes++
        t.equal(++open, 1, 'one write at a time')
        await replaceFile(file, text, fs)
        open--
      },
    }),
  )
  await Promise.all(Array.from({ length: 20 }, (_, n) => send(request({ url: `${arm}/${n}` }), signal)))
  const { exchanges } = await read(directory)
  t.same(
    exchanges.map(({ request }) => request.url),
    Array.from({ length: 20 }, (_, n) => `${arm}/${n}`),
  )
  t.ok(writes < 20, 'those that wait are written together')
})

t.test('a disk that fails is reported, the call succeeds, and the next write holds both exchanges', async t => {
  const directory = t.testdir()
  const logged: string[] = []
  let full = true
  const send = recording(
    answering({ body: '1' }),
    deps(directory, {
      writeFile: async (file, text) => {
        if (full) throw new Error('ENOSPC')
        await replaceFile(file, text, fs)
      },
      log: (level, message, fields) => logged.push(`${level} ${message} ${fields?.reason}`),
    }),
  )
  t.equal((await send(request(), signal)).body, '1')
  t.match(logged, [/^error .*2026-11-22T14-03-05Z-1234\.json ENOSPC$/])
  full = false
  await send(request(), signal)
  t.equal((await read(directory)).exchanges.length, 2)
})

t.test('a request without an answer is passed on and not recorded', async t => {
  const directory = t.testdir()
  const send = recording(async () => {
    throw new SendError('lost', 'gone')
  }, deps(directory))
  await t.rejects(send(request(), signal), { name: 'SendError', kind: 'lost' })
  t.same(await fs.readdir(directory), [])
})

t.test(
  'a draft that a dead process left, or that somebody laid there as a link, is replaced, not followed',
  async t => {
    const directory = t.testdir({ 'file.json.new': t.fixture('symlink', 'other'), other: 'untouched' })
    await replaceFile(path.join(directory, 'file.json'), 'new', fs)
    t.equal(await fs.readFile(path.join(directory, 'file.json'), 'utf8'), 'new')
    t.equal(await fs.readFile(path.join(directory, 'other'), 'utf8'), 'untouched')
    t.same((await fs.readdir(directory)).sort(), ['file.json', 'other'])
  },
)
