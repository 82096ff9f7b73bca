/** What is published: a tarball that installs where nothing can be fetched, and runs there. */
import { execFile } from 'node:child_process'
import { access, chmod, mkdir, readFile, symlink } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { entries } from '../src/generated/catalog.ts'
import { toolNames } from '../src/tools/catalog.ts'
import { executable, root } from './helpers/server.ts'

const run = promisify(execFile)

interface Packed {
  filename: string
  size: number
  files: { path: string; mode: number }[]
}

const isOnPath = async (program: string): Promise<boolean> => {
  const tries = (process.env.PATH ?? '').split(path.delimiter).map(folder => access(path.join(folder, program)))
  return (await Promise.allSettled(tries)).some(({ status }) => status === 'fulfilled')
}

/** Talks to a server at once and gives its answers. */
const ask = async (command: string, cwd: string, requests: [method: string, params: object][]) => {
  const { promise, child } = started(command, cwd)
  for (const [index, [method, params]] of requests.entries())
    child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: index, method, params })}\n`)
  child.stdin?.end()
  const { stdout, stderr } = await promise
  return {
    replies: stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
    stderr,
  }
}

const started = (command: string, cwd: string) => {
  const promise = run(command, [], { cwd, env: { HOME: cwd, PATH: process.env.PATH }, maxBuffer: 4 * 1024 * 1024 })
  return { promise, child: promise.child }
}

const opening: [method: string, params: object][] = [
  ['initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }],
  ['tools/list', {}],
]

t.test('the tarball installs in an empty folder without a network, and serves', async t => {
  const folder = t.testdir({ home: {}, app: { 'package.json': '{"private":true}' } })
  const env = { HOME: path.join(folder, 'home'), PATH: process.env.PATH }
  const npm = (args: string[], cwd: string) =>
    run('npm', [...args, '--ignore-scripts', '--loglevel=error'], { cwd, env })
  const { stdout } = await npm(['pack', '--json', '--pack-destination', folder], root)
  const report = JSON.parse(stdout) as Packed[] | Record<string, Packed>
  const [packed] = Object.values(report) as Packed[]
  if (!packed) throw new Error(stdout)

  const files = packed.files.map(file => file.path)
  for (const file of ['LICENSE', 'README.md', 'package.json', 'bin/THIRD-PARTY-LICENSES.txt', 'bin/package.json'])
    t.ok(files.includes(file), file)
  t.match(
    packed.files.find(file => file.path === 'bin/recovery-services-server'),
    { mode: 0o755 },
    'the program may be run',
  )
  t.ok(files.some(file => /^bin\/chunks\/.+\.js$/.test(file)))
  t.same(
    files.filter(file => !/^(bin\/|LICENSE$|README\.md$|package\.json$)/.test(file)),
    [],
    'nothing else is in it',
  )
  t.same(
    files.filter(file => /\.node$|binding\.gyp$/.test(file)),
    [],
    'no native module',
  )
  t.ok(packed.size < 650_000, `${packed.size} bytes`)

  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))
  t.same(manifest.dependencies ?? {}, {}, 'nothing is fetched beside it')
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) t.notOk(manifest.scripts[script], script)

  const app = path.join(folder, 'app')
  await npm(['install', '--offline', '--no-audit', '--no-fund', path.join(folder, packed.filename)], app)
  const { replies, stderr } = await ask(path.join(app, 'node_modules/.bin/recovery-services-server'), app, opening)
  t.equal(stderr, '')
  t.match(replies[0], { id: 0, result: { serverInfo: { version: manifest.version } } })
  t.equal(replies[1].result.tools.length, entries.length)
  t.equal(replies[1].result.tools.length, toolNames.length)
})

t.test('the licence of every package in the bundle comes with it', async t => {
  const notices = await readFile(path.join(root, 'bin/THIRD-PARTY-LICENSES.txt'), 'utf8')
  for (const each of notices.split(/\n-{80}\n/)) {
    t.match(each, /^[\w@./-]+ \d+\.\d+\.\d+\S* \([\w .-]+\)\n\n/, 'name, version and licence')
    t.ok(each.length > 500, `${each.split('\n')[0]} with its text`)
  }
  for (const name of ['undici', '@azure/msal-node', 'proper-lockfile', 'jsonwebtoken'])
    t.match(notices, new RegExp(`^${name} `, 'm'))
})

t.test('a link to the program works from anywhere, also in a folder that cannot be written', async t => {
  const folder = t.testdir({})
  const link = path.join(folder, 'rss')
  await symlink(executable, link)
  const work = path.join(folder, 'work')
  await mkdir(work)
  await chmod(work, 0o555)
  const { replies, stderr } = await ask(link, work, opening)
  await chmod(work, 0o755)
  t.equal(stderr, '')
  t.equal(replies[1].result.tools.length, entries.length)
  t.equal(replies[1].result.tools.length, toolNames.length)
  const { stdout } = await run(
    link,
    [
      'call',
      'list_vaults',
      '{"subscription":"00000000-0000-0000-0000-000000000001"}',
      '--replay',
      path.join(root, 'fixtures'),
    ],
    { cwd: work, env: { HOME: folder, PATH: process.env.PATH } },
  )
  t.match(stdout, /vault-prod/)
})

t.test('a reader that wants no more ends the program quietly', async t => {
  const script = `"${executable}" tools --json | head -c 10; "${executable}" --help | head -n 1`
  const { stdout, stderr } = await run('sh', ['-c', script], { env: { HOME: t.testdir({}), PATH: process.env.PATH } })
  t.equal(stdout, '{"tools":[recovery-services-server\n')
  t.equal(stderr, '')
})

t.test(
  'whoever starts the server in a terminal is told what it is for',
  { skip: (await isOnPath('script')) ? false : 'needs the program script, which is not there' },
  async t => {
    const home = t.testdir({})
    const promise = run('script', ['-qec', executable, '/dev/null'], {
      env: { HOME: home, PATH: process.env.PATH },
    })
    let seen = ''
    promise.child.stdout?.on('data', text => {
      seen += text
      if (seen.includes('\n')) promise.child.kill()
    })
    await promise.catch(() => {})
    t.match(seen, /speaks MCP with the client that starts it; --help shows/)
  },
)
