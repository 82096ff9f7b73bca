/**
 * Secrets stay where they belong. Every way to sign in runs through the front door with secrets that can be told apart, on
 * good days and on bad ones; then everything that came out (stdout, stderr with --verbose, recordings, answers, what a crash
 * leaves) and every file below HOME is searched for them. Only the token cache may hold any.
 */
import { spawn } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import { Authority, ada, contoso, type Instead } from '../helpers/authority.ts'
import { certificate } from '../helpers/certificate.ts'
import { executable, Server } from '../helpers/server.ts'

t.jobs = 4
t.setTimeout(120_000)

const subscription = '11111111-1111-4111-8111-111111111111'
const clientId = '5ec2e700-0000-4000-8000-000000000001'
const tokenCache = '.codex/recovery_services_auth.json'

const listening = async (t: Test, answer: (request: IncomingMessage, origin: string) => Instead): Promise<string> => {
  const server = createServer((request, response) => {
    request.resume()
    const { status, body, headers } = answer(request, origin)
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>(go => server.listen(0, '127.0.0.1', go))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return origin
}

interface World {
  authority: Authority
  home: string
  folder: string
  recordings: string
  /** What a process of this world is started with. */
  env: Record<string, string>
  args: string[]
  /** Adds one to those that are searched for. */
  secret(text: string): string
  /** Everything that came out of any process. */
  out: string[]
  /** Azure refuses the next calls, and repeats the token in doing so. */
  refusing: { isOn: boolean }
}

const setUp = async (t: Test, method: string): Promise<World> => {
  const authority = await Authority.start(t)
  const folder = mkdtempSync(path.join(tmpdir(), 'secrets-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const home = path.join(folder, 'home')
  const programs = path.join(folder, 'bin')
  for (const each of [home, programs]) mkdirSync(each)
  writeFileSync(path.join(programs, 'xdg-open'), '#!/bin/sh\n', { mode: 0o755 })
  const refusing = { isOn: false }
  const arm = await listening(t, ({ headers: { authorization = '' }, url = '' }, origin) => {
    const token = authorization.replace('Bearer ', '')
    if (refusing.isOn)
      return {
        status: 403,
        headers: { 'x-ms-request-id': 'r-1', 'www-authenticate': `Bearer error="no", error_description="${token}"` },
        body: { error: { code: 'AuthorizationFailed', message: `The token '${token}' (${authorization}) may not.` } },
      }
    if (!authority.secrets.includes(token))
      return { status: 401, body: { error: { code: 'InvalidAuthenticationToken', message: `What is '${token}'?` } } }
    const next = url.includes('more=1') ? {} : { nextLink: `${origin}${url}&more=1` }
    return { status: 200, body: { value: [], ...next } }
  })
  const file = path.join(folder, 'settings.toml')
  writeFileSync(
    file,
    `[recovery_services]
subscription_id = "${subscription}"
tenant_id = "${contoso}"
arm_endpoint = "${arm}"
authority_host = "${authority.origin}"
[recovery_services.auth]
method = "${method}"
`,
  )
  const recordings = path.join(folder, 'recordings')
  return {
    authority,
    home,
    folder,
    recordings,
    args: ['--config', file, '--verbose'],
    env: {
      HOME: home,
      PATH: programs,
      NODE_EXTRA_CA_CERTS: authority.caFile,
      AZURE_CONFIG_DIR: path.join(folder, 'azure'),
    },
    secret: text => {
      authority.secrets.push(text)
      return text
    },
    out: [],
    refusing,
  }
}

/** A command, run to its end; `onStderr` may act on what it says meanwhile. */
const command = (
  { env, args, home, out }: World,
  words: string[],
  onStderr: (text: string, end: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [executable, ...words, ...args], { cwd: home, env, stdio: 'pipe' })
    const said = { stdout: '', stderr: '' }
    child.stdin.end()
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text
      onStderr(said.stderr, signal => child.kill(signal))
    })
    child.once('error', reject)
    child.once('close', code => {
      out.push(said.stdout, said.stderr)
      resolve({ code, ...said })
    })
  })

const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => path.join(entry.parentPath, entry.name))
    : []

const htmlOf = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** A JWT's first part is no secret, each of its others is; of other secrets every way to write them is looked for. */
const piecesOf = (secret: string): string[] => {
  const parts = secret.startsWith('eyJ') ? secret.split('.').slice(1) : [secret]
  return parts.flatMap(part => {
    const quoted = JSON.stringify(part).slice(1, -1)
    const written = [part, quoted, JSON.stringify(quoted).slice(1, -1), htmlOf(part), encodeURIComponent(part)]
    return [...written, Buffer.from(part).toString('base64')]
  })
}

/** Fails for each secret in `text`, by its place in the list: the test's own output is to be clean too. */
const holdsNone = (t: Test, world: World, text: string, where: string): void => {
  const pieces = new Set(world.authority.secrets.flatMap(piecesOf))
  t.ok(pieces.size > 0)
  const found = [...pieces].filter(piece => text.includes(piece))
  t.same(
    found.map(piece => text.slice(Math.max(0, text.indexOf(piece) - 60), text.indexOf(piece) + 4)),
    [],
    where,
  )
}

/** Searches everything. `kept`: files below HOME that hold secrets by design. */
const search = (t: Test, world: World, kept: string[]): void => {
  holdsNone(t, world, world.out.join('\n'), 'what was said')
  const recordings = filesBelow(world.recordings)
  for (const file of recordings) holdsNone(t, world, readFileSync(file, 'utf8'), 'a recording')
  t.same(
    filesBelow(world.home)
      .filter(file => world.authority.secrets.some(secret => readFileSync(file, 'utf8').includes(secret)))
      .map(file => path.relative(world.home, file)),
    kept,
    'files that hold secrets',
  )
}

/** Whoever answers for tokens, as a way to sign in asks them. */
interface Machine {
  instead: Instead | undefined
}

interface Flow {
  name: string
  method: string
  /** Secrets, files and variables. `machine`: what a managed identity endpoint answers instead. */
  prepare(t: Test, world: World, machine: Machine): Promise<void> | void
  /** How the next call is made to fail, if tokens come from elsewhere than the sign-in service. */
  fail?(world: World, machine: Machine, instead: Instead | undefined): void
  /** False where there is nobody who could refuse. */
  fails?: boolean
  /** Before the first call: signs somebody in. */
  signIn?(t: Test, world: World): Promise<void>
  kept?: string[]
  /** An address of the sign-in, which its recording has to show, and which must not keep the recording from being replayed. */
  recorded?: string
}

const application = (world: World): void => {
  Object.assign(world.env, { AZURE_TENANT_ID: contoso, AZURE_CLIENT_ID: clientId })
}

const machineAt = (
  t: Test,
  { authority }: World,
  machine: Machine,
  isLetIn: (request: IncomingMessage) => Instead | undefined,
) =>
  listening(t, request => {
    const refused = isLetIn(request)
    if (refused) return refused
    if (machine.instead) return machine.instead
    return {
      status: 200,
      body: {
        access_token: authority.accessToken({ aud: 'arm', tid: contoso, appid: clientId }),
        expires_in: '3600',
        expires_on: String(Math.floor(Date.now() / 1000) + 3600),
        token_type: 'Bearer',
      },
    }
  })

const failMachine: Flow['fail'] = (_, machine, instead) => {
  machine.instead = instead
}

const flows: Flow[] = [
  {
    name: 'an access token',
    method: 'access_token',
    prepare: (_, world) => {
      world.env.AZURE_ACCESS_TOKEN = world.secret('opaque-access~token.0123456789')
    },
    fail: () => {},
    fails: false,
  },
  {
    name: 'a client secret',
    method: 'client_secret',
    recorded: '/oauth2/v2.0/token',
    prepare: (_, world) => {
      application(world)
      const secret = world.secret('s3cr3t of "client" & <co> ~0123')
      world.authority.apps.push({ clientId, tenant: contoso, secret })
      world.env.AZURE_CLIENT_SECRET = secret
    },
  },
  {
    name: 'a certificate with a password',
    method: 'client_certificate',
    prepare: (_, world) => {
      application(world)
      const { key, cert } = certificate({ type: 'rsa' })
      world.authority.apps.push({ clientId, tenant: contoso, certificate: cert })
      const passphrase = world.secret('pass~phrase-of-the-key-0123')
      const locked = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
      const lines = (pem: string | Buffer) => String(pem).split('\n').slice(1, -2)
      for (const line of [...lines(key), ...lines(locked)].filter(each => each.length > 40)) world.secret(line)
      const file = path.join(world.folder, 'application.pem')
      writeFileSync(file, `${cert}${locked}`)
      Object.assign(world.env, {
        AZURE_CLIENT_CERTIFICATE_PATH: file,
        AZURE_CLIENT_CERTIFICATE_PASSWORD: passphrase,
      })
    },
  },
  {
    name: 'a workload assertion',
    method: 'workload_identity',
    prepare: (_, world) => {
      application(world)
      const assertion = world.authority.accessToken({
        iss: 'https://cluster.example',
        sub: 'system:serviceaccount:a:b',
      })
      world.authority.apps.push({ clientId, tenant: contoso, assertions: [assertion] })
      const file = path.join(world.folder, 'assertion')
      writeFileSync(file, assertion)
      world.env.AZURE_FEDERATED_TOKEN_FILE = file
    },
  },
  {
    name: 'a device code',
    method: 'user',
    kept: [tokenCache],
    prepare: () => {},
    signIn: async (t, world) => {
      let isDone = false
      const { code, stdout } = await command(world, ['login'], text => {
        const shown = /enter the code (\w+)/.exec(text)?.[1]
        if (!shown || isDone) return
        isDone = true
        world.authority.decide(shown, { user: ada })
      })
      t.equal(code, 0, stdout)
    },
  },
  {
    name: 'a code of the browser',
    method: 'user',
    kept: [tokenCache],
    prepare: () => {},
    signIn: async (t, world) => {
      let page: Promise<string> | undefined
      const { code } = await command(world, ['login', '--browser'], text => {
        const shown = /^https:.*\n/m.exec(text)?.[0]?.trim()
        if (!shown || page) return
        for (const name of ['state', 'nonce']) world.secret(new URL(shown).searchParams.get(name) ?? '')
        const { redirectUri, parameters } = world.authority.authorize(shown, ada)
        page = fetch(redirectUri.replace('localhost', '127.0.0.1'), { method: 'POST', body: parameters }).then(answer =>
          answer.text(),
        )
      })
      t.equal(code, 0)
      world.out.push((await page) ?? '')
      // The address holds them for the browser's sake, and they are of no use once it has come back.
      world.authority.secrets.splice(
        0,
        world.authority.secrets.length,
        ...world.authority.secrets.filter(each => !/^[0-9a-f-]{36}$/.test(each)),
      )
    },
  },
  {
    name: 'a refresh token',
    method: 'user',
    kept: [tokenCache],
    recorded: '/oauth2/v2.0/token',
    prepare: () => {},
  },
  {
    name: 'the managed identity of App Service',
    method: 'managed_identity',
    recorded: '/msi/token',
    fail: failMachine,
    prepare: async (t, world, machine) => {
      const header = world.secret('identity~header-0123456789')
      const origin = await machineAt(t, world, machine, ({ headers }) =>
        headers['x-identity-header'] === header ? undefined : { status: 401, body: {} },
      )
      Object.assign(world.env, { IDENTITY_ENDPOINT: `${origin}/msi/token`, IDENTITY_HEADER: header })
    },
  },
  {
    name: 'the managed identity of Azure Arc',
    method: 'managed_identity',
    fail: failMachine,
    prepare: async (t, world, machine) => {
      const key = world.secret('key~of-the-arc-agent-0123456789')
      const file = '/var/opt/azcmagent/tokens/test.key'
      const origin = await machineAt(t, world, machine, ({ headers }) =>
        headers.authorization === `Basic ${key}`
          ? undefined
          : { status: 401, headers: { 'www-authenticate': `Basic realm=${file}` }, body: {} },
      )
      // The agent's folder is the system's own: the process is made to see the key in it.
      const preload = path.join(world.folder, 'arc.cjs')
      writeFileSync(
        preload,
        `const fs = require('fs')
for (const [name, fake] of [['statSync', () => ({ size: ${key.length} })], ['readFileSync', () => ${JSON.stringify(key)}]]) {
  const real = fs[name]
  fs[name] = (file, ...rest) => (file === '${file}' ? fake() : real(file, ...rest))
}
`,
      )
      Object.assign(world.env, {
        IDENTITY_ENDPOINT: `${origin}/metadata/identity/oauth2/token`,
        IMDS_ENDPOINT: origin,
        NODE_OPTIONS: `--require ${preload}`,
      })
    },
  },
  {
    name: 'the managed identity of a virtual machine',
    method: 'managed_identity',
    fail: failMachine,
    prepare: async (t, world, machine) => {
      const origin = await machineAt(t, world, machine, ({ headers }) =>
        headers.metadata === 'true' ? undefined : { status: 400, body: { error: 'invalid_request' } },
      )
      world.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = origin
    },
  },
  {
    name: 'the Azure CLI',
    method: 'azure_cli',
    fail: (world, _, instead) => {
      const file = path.join(world.folder, 'az-failed')
      if (!instead) return rmSync(file)
      const said = typeof instead.body === 'string' ? instead.body : JSON.stringify(instead.body)
      writeFileSync(file, `ERROR: AADSTS700082: ${said.replaceAll('\n', ' ')}\n`)
    },
    prepare: (_, world) => {
      const token = world.authority.accessToken({ aud: 'arm', tid: contoso, upn: ada.name })
      const answer = { accessToken: token, expires_on: Math.floor(Date.now() / 1000) + 3600, tenant: contoso }
      const [answered, failed] = ['az-answered', 'az-failed'].map(name => path.join(world.folder, name))
      writeFileSync(answered ?? '', JSON.stringify(answer))
      const script = `#!/bin/sh
[ -e "${failed}" ] || exec /bin/cat "${answered}"
/bin/cat "${failed}" >&2
exit 1
`
      writeFileSync(path.join(world.folder, 'bin/az'), script, { mode: 0o755 })
    },
  },
]

/** What a sign-in service may say that repeats what it was sent. */
const echoOf = (secrets: readonly string[], error = 'invalid_client'): Instead => {
  const text = secrets.join(' and ')
  return {
    status: 401,
    body: {
      error,
      error_description: `AADSTS7000215: Invalid client secret provided: ${text}. Trace ID: 0c1d2e3f-0000-4000-8000-000000000000`,
      error_codes: [7000215],
    },
  }
}
const pageOf = (secrets: readonly string[]): Instead => ({
  status: 403,
  headers: { 'content-type': 'text/html', 'x-said': 'no' },
  body: `<!doctype html><title>Blocked</title><p>${secrets.map(htmlOf).join('</p><p>')}</p>`,
})
/** The answer promises more than comes. */
const cutAnswer = (token: string): Instead => ({
  status: 200,
  headers: { connection: 'close', 'content-length': '100000' },
  body: `{"token_type": "Bearer", "access_token": "${token}`,
})

/** The account of the cache has to be renewed by the next who needs a token. */
const leaveStale = ({ authority, home }: World): void => {
  mkdirSync(path.join(home, '.codex'), { recursive: true })
  writeFileSync(path.join(home, tokenCache), authority.cacheText([ada]), { mode: 0o600 })
}

/** The secrets that the next request brings along, as far as they are known before; and tokens of any time. */
const sentNext = ({ authority, env, home }: World): string[] => {
  const file = path.join(home, tokenCache)
  const cache = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const isSent = (secret: string) =>
    secret.startsWith('eyJ') ||
    (secret.startsWith('refresh.') && cache.includes(secret)) ||
    secret === env.AZURE_CLIENT_SECRET ||
    secret === env.IDENTITY_HEADER ||
    secret.startsWith('key~')
  return authority.secrets.filter(isSent)
}

for (const { name, method, prepare, signIn, fail, fails = true, kept = [], recorded } of flows)
  t.test(`${name} shows nowhere while it works, nor when it is refused`, async t => {
    const world = await setUp(t, method)
    const machine: Machine = { instead: undefined }
    await prepare(t, world, machine)
    await signIn?.(t, world)

    const refuse =
      fail ?? ((_, __, instead) => world.authority.answer(/\/oauth2\/v2\.0\/token$/, instead ?? echoOf([])))
    const isPerson = method === 'user'
    if (isPerson) leaveStale(world)
    refuse(world, machine, echoOf(sentNext(world)))
    const status = await command(world, ['status', '--json'])
    t.same(JSON.parse(status.stdout).sign_in.error !== null, fails, status.stdout)

    if (isPerson) leaveStale(world)
    const server = new Server(t, { args: [...world.args, '--record', world.recordings], env: world.env })
    for (const instead of [pageOf(sentNext(world)), echoOf(sentNext(world), isPerson ? 'invalid_grant' : undefined)]) {
      refuse(world, machine, instead)
      const failed = await server.call('list_vaults')
      t.equal(failed.isError, fails, failed.text)
      const [shown] = /(?<="code":")[0-9A-F]{9}(?=")/.exec(failed.text) ?? []
      if (shown) {
        world.authority.decide(shown, { user: ada })
        await server.until(() => (server.stderr.includes(' notice signed in') ? true : undefined))
      }
    }
    fail?.(world, machine, undefined)
    const live = await server.call('list_vaults')
    t.match(live.body, { vaults: [] }, live.text)
    world.refusing.isOn = true
    t.match((await server.call('list_vaults')).error, { code: 'forbidden' })
    await server.call('test_connection')
    await server.end()
    world.out.push(server.stderr, JSON.stringify(server.messages))

    const text = filesBelow(world.recordings)
      .map(file => readFileSync(file, 'utf8'))
      .join()
    if (recorded) {
      t.ok(text.includes(recorded), 'the sign-in is in the recording')
      const replay = await command(world, ['call', 'list_vaults', '--json', '--replay', world.recordings])
      t.equal(replay.stdout, `${live.text}\n`, 'a recording with a sign-in replays')
    }
    search(t, world, kept)
  })

t.test('a sign-in that fails on its way shows neither its codes nor what the service repeats of them', async t => {
  const world = await setUp(t, 'user')
  const { authority } = world
  const token = /\/oauth2\/v2\.0\/token$/
  let isAnswered = false
  const byCode = await command(world, ['login'], () => {
    const [started] = authority.deviceCodes
    if (!started || isAnswered) return
    isAnswered = true
    authority.answer(token, echoOf([started.deviceCode]))
  })
  t.equal(byCode.code, 1)
  t.match(byCode.stderr, /AADSTS7000215: Invalid client secret provided: scrubbed/)

  const comeBack = async (parametersOf: (page: string) => URLSearchParams) => {
    let page: Promise<string> | undefined
    const { code } = await command(world, ['login', '--browser'], text => {
      const shown = /^https:.*\n/m.exec(text)?.[0]?.trim()
      if (!shown || page) return
      const body = parametersOf(shown)
      const { port } = new URL(new URL(shown).searchParams.get('redirect_uri') ?? '')
      page = fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body }).then(answer => answer.text())
    })
    t.equal(code, 1)
    world.out.push((await page) ?? '')
  }
  await comeBack(page => {
    const { parameters } = authority.authorize(page, ada)
    authority.answer(token, echoOf([parameters.get('code') ?? '']))
    return parameters
  })
  await comeBack(page => {
    const assertion = authority.accessToken({ aud: 'x' })
    const state = new URL(page).searchParams.get('state') ?? ''
    return new URLSearchParams({ state, error: 'server_error', error_description: `no: Bearer ${assertion}` })
  })
  search(t, world, [])
})

t.test('an answer with a token that was cut shows nothing of it', async t => {
  const world = await setUp(t, 'client_secret')
  application(world)
  const secret = world.secret('s3cr3t~of~client~0123456789')
  world.authority.apps.push({ clientId, tenant: contoso, secret })
  world.env.AZURE_CLIENT_SECRET = secret
  const token = world.authority.accessToken({ aud: 'arm' })
  world.authority.answer(/\/oauth2\/v2\.0\/token$/, cutAnswer(token), 9)
  const failing = await command(world, ['call', 'list_vaults', '--json', '--record', world.recordings])
  t.match(JSON.parse(failing.stdout), { error: { code: 'unreachable' } })
  search(t, world, [])
})

/** Throws, when it gets the signal, what a careless piece of code might: secrets in the message, and as properties. */
const crash = (secrets: readonly string[]): string => `const secrets = ${JSON.stringify(secrets)}
process.on('SIGUSR2', () => {
  const [secret, jwt] = secrets
  const error = new Error(\`client_secret=\${secret}&scope=x was refused for Bearer \${jwt}\`)
  throw Object.assign(error, { secrets, request: { headers: { authorization: jwt } }, cause: new Error(secret) })
})
`

t.test('what a crash leaves shows no secrets, and serving goes on', async t => {
  const world = await setUp(t, 'access_token')
  const secret = world.secret('opaque~secret~0123456789')
  world.env.AZURE_ACCESS_TOKEN = world.secret('opaque-access~token.0123456789')
  const preload = path.join(world.folder, 'crash.cjs')
  writeFileSync(preload, crash([secret, world.authority.accessToken({ aud: 'x' }), world.env.AZURE_ACCESS_TOKEN]))
  world.env.NODE_OPTIONS = `--require ${preload}`

  const server = new Server(t, { args: world.args, env: world.env })
  t.match((await server.call('list_vaults')).body, { vaults: [] })
  server.process.kill('SIGUSR2')
  await server.until(() => (server.stderr.includes('a fault nobody caught') ? true : undefined))
  t.match((await server.call('list_vaults')).body, { vaults: [] })
  await server.end()
  world.out.push(server.stderr, JSON.stringify(server.messages))

  let isHit = false
  const { code, stderr } = await command(world, ['login'], (text, end) => {
    if (isHit || !text.includes('enter the code')) return
    isHit = true
    end('SIGUSR2')
  })
  t.equal(code, 1)
  t.match(stderr, /a fault nobody caught: Error: client_secret=scrubbed&scope=x was refused for Bearer scrubbed\n +at /)
  search(t, world, [])
})
