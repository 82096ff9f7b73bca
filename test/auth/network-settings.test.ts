/** Proxy, certificate authorities and time limits are the same for sign-in as for everything else. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import { Authority, contoso } from '../helpers/authority.ts'
import { certificate } from '../helpers/certificate.ts'
import { executable } from '../helpers/server.ts'

t.jobs = 4
t.setTimeout(60_000)

const clientId = '5ec2e700-0000-4000-8000-000000000002'
const secret = 'client~secret~0123456789'
const password = 'p@ss~word-of-the-proxy'

const listen = async (t: Test, server: net.Server): Promise<string> => {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>(go => server.listen(0, '127.0.0.1', go))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A proxy that notes everything it is asked, and opens tunnels to those who know its password. */
const proxyOf = async (t: Test, isOpen = true) => {
  const asked: { target: string; credentials: string | undefined }[] = []
  const note = ({ url = '', headers }: http.IncomingMessage) =>
    asked.push({ target: url, credentials: headers['proxy-authorization'] })
  const server = http.createServer((request, response) => {
    note(request)
    response.writeHead(502).end()
  })
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    note(request)
    if (!isOpen) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const [host, port] = (request.url ?? '').split(':')
    const onward = net.connect(Number(port), host)
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
    socket.on('close', () => onward.destroy())
    onward.once('connect', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
  })
  return { at: await listen(t, server), asked }
}

interface SignIn {
  method: string | null
  error: { code: string; message: string; remediation: string } | null
}

/** What `status` says of the sign-in: it fetches a token. */
const status = async (t: Test, origin: string, settings: string, env: Record<string, string>) => {
  const home = mkdtempSync(path.join(tmpdir(), 'network-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(path.join(home, '.codex'))
  writeFileSync(
    path.join(home, '.codex/recovery_services.toml'),
    `[recovery_services]\ntenant_id = "${contoso}"\nauthority_host = "${origin}"\n${settings}`,
  )
  const given = { HOME: home, PATH: home, AZURE_CONFIG_DIR: home, ...env }
  return new Promise<{ signIn: SignIn; said: string }>((resolve, reject) => {
    execFile(
      process.execPath,
      [executable, 'status', '--json', '--verbose'],
      { env: given, cwd: home },
      (_, stdout, stderr) => {
        try {
          resolve({ signIn: JSON.parse(stdout).sign_in, said: stdout + stderr })
        } catch {
          reject(new Error(stdout + stderr))
        }
      },
    )
  })
}

const service = { AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: secret }
const authorityOf = async (t: Test): Promise<Authority> => {
  const authority = await Authority.start(t)
  authority.apps.push({ clientId, tenant: contoso, secret })
  return authority
}

interface Row {
  name: string
  settings?: (proxy: string) => string
  env?: (proxy: string, caFile: string) => Record<string, string>
  isProxied: boolean
}
const credentials = `ada:${encodeURIComponent(password)}`
const rows: Row[] = [
  { name: 'HTTPS_PROXY is used', env: proxy => ({ HTTPS_PROXY: `http://${proxy}` }), isProxied: true },
  {
    name: 'http.proxy is used, with its password',
    settings: proxy => `[recovery_services.http]\nproxy = "http://${credentials}@${proxy}"\n`,
    env: () => ({ HTTPS_PROXY: 'http://127.0.0.1:9' }),
    isProxied: true,
  },
  {
    name: 'NO_PROXY keeps away from the proxy',
    env: proxy => ({ HTTPS_PROXY: `http://${credentials}@${proxy}`, NO_PROXY: 'example.com,127.0.0.1' }),
    isProxied: false,
  },
  {
    name: 'SSL_CERT_FILE is trusted, through a proxy too',
    env: (proxy, caFile) => ({ HTTPS_PROXY: `http://${proxy}`, SSL_CERT_FILE: caFile, NODE_EXTRA_CA_CERTS: '' }),
    isProxied: true,
  },
]
for (const { name, settings = () => '', env = () => ({}), isProxied } of rows)
  t.test(`signing in: ${name}`, async t => {
    const authority = await authorityOf(t)
    const { at, asked } = await proxyOf(t)
    const { signIn, said } = await status(t, authority.origin, settings(at), {
      ...service,
      NODE_EXTRA_CA_CERTS: authority.caFile,
      ...env(at, authority.caFile),
    })
    t.match(signIn, { method: 'client_secret', error: null })
    const { host } = new URL(authority.origin)
    const wanted = settings(at) === '' ? undefined : `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`
    if (isProxied) t.ok(asked.length > 0)
    else t.same(asked, [])
    for (const each of asked) t.same(each, { target: host, credentials: wanted })
    for (const hidden of [password, encodeURIComponent(password), secret]) t.notOk(said.includes(hidden))
  })

t.test('signing in: a proxy that refuses is named without its password', async t => {
  const authority = await authorityOf(t)
  const { at } = await proxyOf(t, false)
  const { signIn, said } = await status(t, authority.origin, '[recovery_services.http]\nmax_retries = 0\n', {
    ...service,
    NODE_EXTRA_CA_CERTS: authority.caFile,
    HTTPS_PROXY: `http://${credentials}@${at}`,
  })
  t.match(signIn, { method: null, error: { code: 'unreachable' } })
  t.match(signIn.error?.message, `through proxy ${at} (HTTPS_PROXY): the proxy answered 407`)
  for (const hidden of [password, encodeURIComponent(password), secret]) t.notOk(said.includes(hidden))
  t.equal(authority.requests.length, 0)
})

t.test('signing in: an authority that is not trusted says which variables name it', async t => {
  const authority = await authorityOf(t)
  const { signIn } = await status(t, authority.origin, '', service)
  t.match(signIn.error, { code: 'unreachable', remediation: /NODE_EXTRA_CA_CERTS or SSL_CERT_FILE/ })
  t.match(signIn.error?.message, /authority that is not trusted here/)
})

t.test('signing in: http.timeout_seconds ends the wait for a service that says nothing', async t => {
  const pair = certificate()
  const silent = https.createServer({ key: pair.key, cert: pair.cert }, () => {})
  const origin = `https://${await listen(t, silent)}`
  const caFile = path.join(t.testdir({ 'ca.pem': pair.cert }), 'ca.pem')
  const settings = '[recovery_services.http]\ntimeout_seconds = 1\n'
  const { signIn } = await status(t, origin, settings, { ...service, NODE_EXTRA_CA_CERTS: caFile })
  t.match(signIn.error, { code: 'timeout', message: /did not answer within 1 s/ })
})

t.test('managed identity endpoints are never asked through a proxy, whatever is set', async t => {
  const authority = await Authority.start(t)
  const { at, asked } = await proxyOf(t)
  const token = authority.accessToken({ aud: 'arm', tid: contoso })
  const machine = http.createServer((_, response) => {
    const body = { access_token: token, expires_on: String(Math.floor(Date.now() / 1000) + 3600), token_type: 'Bearer' }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  const endpoint = `http://${await listen(t, machine)}/msi/token`
  const proxy = `http://${at}`
  const { signIn } = await status(
    t,
    authority.origin,
    `[recovery_services.auth]\nmethod = "managed_identity"\n[recovery_services.http]\nproxy = "${proxy}"\n`,
    {
      IDENTITY_ENDPOINT: endpoint,
      IDENTITY_HEADER: 'header~0123456789',
      HTTPS_PROXY: proxy,
      HTTP_PROXY: proxy,
      http_proxy: proxy,
      ALL_PROXY: proxy,
      NODE_USE_ENV_PROXY: '1',
    },
  )
  t.match(signIn, { method: 'managed_identity', error: null })
  t.same(asked, [])
})
