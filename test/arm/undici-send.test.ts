import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { type ArmRequest, SendError } from '../../src/arm/send.ts'
import { sendFailure } from '../../src/arm/send-failures.ts'
import { createUndiciSend, type Limits, type UndiciOptions } from '../../src/arm/undici-send.ts'
import { Problem } from '../../src/problem.ts'
import { safeText } from '../../src/tools/azure-text.ts'
import { certificate } from '../helpers/certificate.ts'

const token = 'token-that-nobody-may-see'
const signature = 'signature-that-nobody-may-see'
const password = 'password-that-nobody-may-see'
/** Far longer than anything here takes on a busy machine; the tests of waiting use `soon`. */
const limits: Limits = { connectMs: 5000, headerBytes: 64 * 1024, bodyBytes: 100_000 }
const soon = { timeoutSeconds: 0.06, connectMs: 60 }
const forever = new AbortController().signal

const own = certificate()
const files: Record<string, string> = { 'own.pem': own.cert, 'notes.txt': 'no certificate' }
const trusting = { SSL_CERT_FILE: 'own.pem' }

/** A `Send` with limits small enough to be met, closed with the test. */
async function sender(t: Test, options: Partial<UndiciOptions & Limits> = {}) {
  const warnings: string[] = []
  const { send, close } = await createUndiciSend(
    {
      timeoutSeconds: 5,
      env: {},
      readFile: async path => files[path] ?? Promise.reject(new Error('ENOENT: no such file')),
      warn: text => warnings.push(text),
      ...options,
    },
    { ...limits, ...options },
  )
  t.teardown(close)
  return { send, close, warnings }
}

/** The origin of a server that listens on loopback until the test ends. */
async function listen(t: Test, server: net.Server) {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A server that does as it likes with the bytes of a connection once a whole request came in. */
const rawServer = (answer: (socket: net.Socket, request: string) => void) =>
  net.createServer(socket => {
    let text = ''
    socket.on('data', data => {
      text += data
      if (!text.includes('\r\n\r\n')) return
      const request = text
      text = ''
      answer(socket, request)
    })
  })

/** A proxy for CONNECT that notes what it is asked; `answer` replaces its opening of a tunnel. */
function proxyServer(answer?: (socket: net.Socket, open: () => void) => void) {
  const asked: { target: string; credentials: string | undefined }[] = []
  const server = http.createServer((request, response) => {
    asked.push({ target: `plain ${request.url}`, credentials: undefined })
    response.end()
  })
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    socket.on('error', () => {})
    asked.push({ target: request.url ?? '', credentials: request.headers['proxy-authorization'] })
    const [host, port] = (request.url ?? '').split(':')
    const open = () => {
      const onward = net.connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        onward.pipe(socket).pipe(onward)
      })
      onward.on('error', () => socket.destroy())
    }
    answer ? answer(socket, open) : open()
  })
  return { server, asked }
}

const request = (origin: string, more: Partial<ArmRequest> = {}): ArmRequest => ({
  method: 'GET',
  url: `${origin}/subscriptions/s?sig=${signature}`,
  headers: { authorization: `Bearer ${token}` },
  ...more,
})

/** What a send that must fail fails with; whatever is shown of it holds no secret. */
async function failureOf(t: Test, sending: Promise<unknown>): Promise<SendError> {
  const error = await sending.then(
    () => t.fail('was answered'),
    (error: unknown) => error,
  )
  if (!(error instanceof SendError)) throw error
  for (const secret of [token, signature, password]) t.notMatch(inspect(error), secret)
  return error
}

t.test('a request goes out as it is written, and its answer comes back whole', async t => {
  const seen: unknown[] = []
  const origin = await listen(
    t,
    http.createServer(async (request, response) => {
      const body = (await request.toArray()).join('')
      const { method, url, headers } = request
      seen.push({ method, url, body, type: headers['content-type'], encoding: headers['accept-encoding'] })
      response.writeHead(202, { 'X-One': 'é is latin1 here', Link: ['<a>', '<b>'], 'Retry-After': '5' })
      response.end('{"name":"Tresor für Köln"}')
    }),
  )
  const { send } = await sender(t)
  const url = `http://${origin}/a%2fb/../c?sig=a'b%2B|c`
  const answer = await send(
    { method: 'PATCH', url, headers: { 'content-type': 'application/json' }, body: '{"ü":1}' },
    forever,
  )
  t.equal(answer.status, 202)
  t.equal(answer.body, '{"name":"Tresor für Köln"}')
  t.match(answer.headers, { link: '<a>, <b>', 'retry-after': '5' })
  t.strictSame(seen, [
    {
      method: 'PATCH',
      url: "/a%2fb/../c?sig=a'b%2B|c",
      body: '{"ü":1}',
      type: 'application/json',
      encoding: 'identity',
    },
  ])
})

t.test('requests one after another share a connection', async t => {
  let connections = 0
  const server = http.createServer((_, response) => response.end('{}'))
  server.on('connection', () => connections++)
  const origin = await listen(t, server)
  const { send } = await sender(t)
  for (const _ of [1, 2, 3]) {
    await send(request(`http://${origin}`), forever)
    await setImmediate() // undici lets a round of the event loop pass before it uses a connection again
  }
  t.equal(connections, 1)
})

t.test('a redirect is handed up, not followed', async t => {
  let requests = 0
  const server = http.createServer((_, response) => {
    requests++
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  const { send } = await sender(t)
  const answer = await send(request(`http://${await listen(t, server)}`), forever)
  t.match(answer, { status: 302, headers: { location: '/elsewhere' } })
  t.equal(requests, 1)
})

t.test('what is large but allowed comes through', async t => {
  const server = rawServer(socket =>
    socket.end(
      `HTTP/1.1 200 OK\r\nlocation: ${'x'.repeat(60_000)}\r\ncontent-length: 99999\r\n\r\n${'y'.repeat(99_999)}`,
    ),
  )
  const { send } = await sender(t)
  const answer = await send(request(`http://${await listen(t, server)}`), forever)
  t.equal(answer.headers.location?.length, 60_000)
  t.equal(answer.body.length, 99_999)
})

t.test('an answer that comes slowly but steadily is waited for', async t => {
  const server = rawServer(async socket => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n')
    for (const piece of 'slowly') {
      await new Promise(resolve => setTimeout(resolve, 40))
      socket.write(piece)
    }
  })
  const { send } = await sender(t, { timeoutSeconds: 0.15 })
  t.equal((await send(request(`http://${await listen(t, server)}`), forever)).body, 'slowly')
})

const head = 'HTTP/1.1 200 OK\r\n'
const afterWriting: [name: string, answer: (socket: net.Socket) => void, kind: SendError['kind'], words: RegExp][] = [
  ['is reset', socket => socket.resetAndDestroy(), 'lost', /reset/],
  ['is closed', socket => socket.end(), 'lost', /closed/],
  ['is cut within the headers', socket => socket.end(`${head}content-le`), 'lost', /closed/],
  ['is cut within the body', socket => socket.end(`${head}content-length: 9\r\n\r\n{"a`), 'lost', /closed/],
  [
    'is cut within a chunk',
    socket => socket.end(`${head}transfer-encoding: chunked\r\n\r\n9\r\n{"a`),
    'lost',
    /closed/,
  ],
  [
    'is cut though it was to be closed after the answer',
    socket => socket.end(`${head}connection: close\r\ncontent-length: 9\r\n\r\n{"a`),
    'lost',
    /cut short/,
  ],
  ['answers something else than HTTP', socket => socket.end(`220 smtp ${signature}\r\n`), 'lost', /not HTTP/],
  ['answers with too many headers', socket => socket.end(`${head}a: ${'x'.repeat(70_000)}\r\n\r\n`), 'lost', /headers/],
  [
    'answers with too large a body',
    socket => socket.end(`${head}content-length: 100001\r\n\r\n${'x'.repeat(100_001)}`),
    'lost',
    /too large/,
  ],
  ['says nothing', () => {}, 'timeout', /within 0.06 s/],
  ['stops after the headers', socket => socket.write(`${head}content-length: 9\r\n\r\n`), 'timeout', /within 0.06 s/],
]
for (const [name, answer, kind, words] of afterWriting) {
  for (const method of ['GET', 'POST'] as const) {
    t.test(`${method} on a connection that ${name} is sent once and ends as ${kind}`, async t => {
      let requests = 0
      const host = await listen(
        t,
        rawServer(socket => {
          requests++
          answer(socket)
        }),
      )
      const { send } = await sender(t, kind === 'timeout' ? soon : {})
      const error = await failureOf(t, send(request(`http://${host}`, { method }), forever))
      t.equal(error.kind, kind)
      t.match(error.message, words)
      t.match(error.message, host)
      t.equal(requests, 1)
    })
  }
}

t.test('a reset on a connection that was used before is lost, and nothing is sent again', async t => {
  const seen: string[] = []
  const server = rawServer((socket, text) => {
    seen.push(text.slice(0, 4).trim())
    if (seen.length === 1) socket.write(`${head}content-length: 2\r\n\r\n{}`)
    else socket.resetAndDestroy()
  })
  const { send } = await sender(t)
  const origin = `http://${await listen(t, server)}`
  await send(request(origin), forever)
  t.equal((await failureOf(t, send(request(origin, { method: 'POST', body: '{}' }), forever))).kind, 'lost')
  t.strictSame(seen, ['GET', 'POST'])
})

t.test('before anything was written', async t => {
  const closed = net.createServer()
  const free = await listen(t, closed)
  await new Promise(resolve => closed.close(resolve))
  const silent = await listen(
    t,
    net.createServer(() => {}),
  )
  const hangingUp = await listen(
    t,
    net.createServer(socket => socket.once('data', () => socket.destroy())),
  )
  const plain = await listen(
    t,
    http.createServer((_, response) => response.end('{}')),
  )
  const tls = (options: https.ServerOptions) =>
    listen(
      t,
      https.createServer(options, (_, response) => response.end('{}')),
    )
  const expired = certificate({ at: new Date('2020-01-01') })
  const elsewhere = certificate({ ip: '127.0.0.2' })
  files['both.pem'] = expired.cert + elsewhere.cert
  const rows: [name: string, origin: string, words: RegExp][] = [
    ['nobody listens', `http://${free}`, /refused/],
    ['the other side says nothing', `https://${silent}`, /within 0.06 s/],
    ['the other side hangs up', `https://${hangingUp}`, /reset/],
    ['the other side speaks no TLS', `https://${plain}`, /TLS/],
    ['its certificate is unknown', `https://${await tls(own)}`, /not trusted here$/],
    ['its certificate has expired', `https://${await tls(expired)}`, /expired/],
    ['its certificate is for another name', `https://${await tls(elsewhere)}`, /another name/],
  ]
  for (const [name, origin, words] of rows) {
    t.test(`${name}: not_sent`, async t => {
      const waits = words.source.startsWith('within') ? soon : {}
      const { send } = await sender(t, { env: { SSL_CERT_FILE: 'both.pem' }, ...waits })
      const error = await failureOf(t, send(request(origin, { method: 'POST', body: '{}' }), forever))
      t.equal(error.kind, 'not_sent')
      t.match(error.message, words)
      t.match(error.message, origin.replace(/^https?:\/\//, ''))
    })
  }
})

t.test('names that cannot be looked up are told apart in words', async t => {
  const failed = (code: string) => sendFailure(Object.assign(new Error('x'), { code }), 'host', false).message
  t.match(failed('ENOTFOUND'), /host: its name is not known/)
  t.match(failed('EAI_AGAIN'), /host: its name could not be looked up just now/)
  t.match(failed('ESOMETHING'), /host: ESOMETHING/)
})

t.test('a cancelled request rejects with the reason of its signal', async t => {
  const reason = new Error('the caller went away')

  t.test('before it starts: nothing is connected', async t => {
    let connections = 0
    const origin = await listen(
      t,
      net.createServer(() => connections++),
    )
    const { send } = await sender(t)
    await t.rejects(send(request(`http://${origin}`), AbortSignal.abort(reason)), reason)
    t.equal(connections, 0)
  })

  t.test('while it waits: the server sees its connection end', async t => {
    const cancelling = new AbortController()
    const ended = new Promise(resolve => {
      const server = rawServer(socket => {
        socket.on('close', resolve)
        cancelling.abort(reason)
      })
      listen(t, server).then(async origin => {
        const { send } = await sender(t)
        await t.rejects(send(request(`http://${origin}`), cancelling.signal), reason)
      })
    })
    await ended
  })

  t.test('while it connects: at once, and it is not written when the connection comes up later', async t => {
    const cancelling = new AbortController()
    let requests = 0
    const server = https.createServer(own, () => requests++)
    const ended = once(server, 'connection').then(([socket]) => once(socket, 'close'))
    const proxy = proxyServer(async (_, open) => {
      cancelling.abort(reason)
      await rejected
      open()
    })
    const options = { proxy: `http://${await listen(t, proxy.server)}`, env: trusting }
    const { send } = await sender(t, options)
    const sending = send(request(`https://${await listen(t, server)}`), cancelling.signal)
    const rejected = t.rejects(sending, reason)
    await ended
    t.equal(requests, 0)
  })
})

t.test('closing ends what is under way', async t => {
  const { send, close } = await sender(t)
  const origin = await listen(
    t,
    rawServer(() => close()),
  )
  t.equal((await failureOf(t, send(request(`http://${origin}`), forever))).kind, 'lost')
  t.equal((await failureOf(t, send(request(`http://${origin}`), forever))).kind, 'not_sent')
})

t.test('a header that cannot be sent is a bug, not a network failure, and is not shown', async t => {
  const { send } = await sender(t)
  const broken = request('http://127.0.0.1:9', { headers: { authorization: `Bearer ${token}\n` } })
  const error = await send(broken, forever).catch((error: unknown) => error)
  t.notOk(error instanceof SendError)
  t.match(error, { message: /invalid authorization header/ })
  t.notMatch(inspect(error), token)
})

t.test('through a proxy', async t => {
  const basic = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`
  const rows: [name: string, options: (proxy: string) => Partial<UndiciOptions>, scheme: string, isProxied: boolean][] =
    [
      ['http.proxy is used for https', proxy => ({ proxy }), 'https', true],
      ['HTTPS_PROXY is used for https', proxy => ({ env: { HTTPS_PROXY: proxy } }), 'https', true],
      ['https_proxy is the same', proxy => ({ env: { https_proxy: proxy } }), 'https', true],
      [
        'http.proxy goes before HTTPS_PROXY',
        proxy => ({ proxy, env: { HTTPS_PROXY: 'http://127.0.0.1:9' } }),
        'https',
        true,
      ],
      ['NO_PROXY does not belong to http.proxy', proxy => ({ proxy, env: { NO_PROXY: '*' } }), 'https', true],
      ['an empty HTTPS_PROXY is none', () => ({ env: { HTTPS_PROXY: '' } }), 'https', false],
      ['HTTP_PROXY is not used', proxy => ({ env: { HTTP_PROXY: proxy, http_proxy: proxy } }), 'http', false],
      ['http is never proxied by http.proxy', proxy => ({ proxy }), 'http', false],
      ['http is never proxied by HTTPS_PROXY', proxy => ({ env: { HTTPS_PROXY: proxy } }), 'http', false],
      ['NO_PROXY=*', proxy => ({ env: { HTTPS_PROXY: proxy, NO_PROXY: '*' } }), 'https', false],
      [
        'NO_PROXY names the host',
        proxy => ({ env: { HTTPS_PROXY: proxy, NO_PROXY: 'a.b, 127.0.0.1' } }),
        'https',
        false,
      ],
      ['no_proxy names its domain', proxy => ({ env: { HTTPS_PROXY: proxy, no_proxy: '.0.0.1' } }), 'https', false],
      ['NO_PROXY names another', proxy => ({ env: { HTTPS_PROXY: proxy, NO_PROXY: '7.0.0.1,b' } }), 'https', true],
      [
        'NO_PROXY names another port',
        proxy => ({ env: { HTTPS_PROXY: proxy, NO_PROXY: '127.0.0.1:1' } }),
        'https',
        true,
      ],
    ]
  const tls = await listen(
    t,
    https.createServer(own, (_, response) => response.end('{}')),
  )
  const plain = await listen(
    t,
    http.createServer((_, response) => response.end('{}')),
  )
  for (const [name, options, scheme, isProxied] of rows) {
    t.test(name, async t => {
      const { server, asked } = proxyServer()
      const given = options(`http://user:${password}@${await listen(t, server)}`)
      const { send } = await sender(t, { ...given, env: { ...trusting, ...given.env } })
      const answer = await send(request(`${scheme}://${scheme === 'https' ? tls : plain}`), forever)
      t.equal(answer.status, 200)
      t.strictSame(asked, isProxied ? [{ target: tls, credentials: basic }] : [])
    })
  }

  t.test('a proxy may itself speak TLS', async t => {
    const { server, asked } = proxyServer()
    const outer = https.createServer(own)
    outer.on('connect', (...given) => server.emit('connect', ...given))
    const { send } = await sender(t, { proxy: `https://${await listen(t, outer)}`, env: trusting })
    t.equal((await send(request(`https://${tls}`), forever)).status, 200)
    t.strictSame(asked, [{ target: tls, credentials: undefined }])
  })

  const refusals: [name: string, answer: (socket: net.Socket) => void, words: RegExp][] = [
    ['wants a password', socket => socket.end('HTTP/1.1 407 No\r\n\r\n'), /407 \(it wants a user name and password\)/],
    ['forbids the host', socket => socket.end('HTTP/1.1 403 No\r\ncontent-length: 3\r\n\r\nno!'), /answered 403/],
    ['hangs up', socket => socket.end(), /reset/],
    ['says nothing', () => {}, /within 0.06 s/],
    ['breaks off inside the tunnel', socket => socket.end('HTTP/1.1 200 OK\r\n\r\n'), /reset|closed/],
  ]
  for (const [name, answer, words] of refusals) {
    t.test(`one that ${name} is asked once, named without its password, and nothing was sent`, async t => {
      const { server, asked } = proxyServer(answer)
      const address = await listen(t, server)
      const waits = words.source.startsWith('within') ? soon : {}
      const { send } = await sender(t, { env: { HTTPS_PROXY: `http://user:${password}@${address}` }, ...waits })
      const error = await failureOf(t, send(request(`https://${tls}`, { method: 'POST' }), forever))
      t.equal(error.kind, 'not_sent')
      t.match(error.message, words)
      t.match(error.message, `${tls} through proxy ${address} (HTTPS_PROXY)`)
      await new Promise(resolve => setTimeout(resolve, 20))
      t.equal(asked.length, 1)
    })
  }
})

t.test('a proxy setting that is no URL is not_configured, and not shown', async t => {
  const rows: [source: string, options: Partial<UndiciOptions>][] = [
    ['http.proxy', { proxy: `user:${password}@proxy.example:8080` }],
    ['http.proxy', { proxy: `socks5://user:${password}@proxy.example` }],
    ['http.proxy', { proxy: `http://user:${password}%zz@proxy.example` }],
    ['HTTPS_PROXY', { env: { HTTPS_PROXY: `http://user:${password}@proxy example` } }],
  ]
  for (const [source, options] of rows) {
    const error = await sender(t, options).catch((error: unknown) => error)
    if (!(error instanceof Problem)) throw error
    t.equal(error.code, 'not_configured')
    t.equal(safeText(error.remediation), error.remediation, 'the advice is no secret')
    t.match(error.message, source)
    t.notMatch(inspect(error), password)
  }
})

t.test('certificate authorities', async t => {
  const tls = await listen(
    t,
    https.createServer(own, (_, response) => response.end('{}')),
  )
  const rows: [name: string, env: UndiciOptions['env'], isTrusted: boolean, warning: RegExp | undefined][] = [
    ['SSL_CERT_FILE adds one', trusting, true, undefined],
    [
      'NODE_EXTRA_CA_CERTS counts beside it',
      { SSL_CERT_FILE: 'gone.pem', NODE_EXTRA_CA_CERTS: 'own.pem' },
      true,
      /gone.pem/,
    ],
    [
      'a file that cannot be read is a warning',
      { SSL_CERT_FILE: 'gone.pem' },
      false,
      /SSL_CERT_FILE .* cannot be read/,
    ],
    ['a file without a certificate is one too', { SSL_CERT_FILE: 'notes.txt' }, false, /notes.txt holds no PEM/],
  ]
  for (const [name, env, isTrusted, warning] of rows) {
    t.test(name, async t => {
      const { send, warnings } = await sender(t, { env })
      const sending = send(request(`https://${tls}`), forever)
      if (isTrusted) t.equal((await sending).status, 200)
      else t.match((await failureOf(t, sending)).message, /not trusted/)
      t.equal(warnings.length, warning ? 1 : 0)
      if (warning) t.match(warnings[0], warning)
    })
  }
})
