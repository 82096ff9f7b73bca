import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { Credentials } from '../../src/auth/tokens.ts'
import { runCommand } from '../../src/cli/main.ts'
import { commands, type Option, options, parseServing } from '../../src/cli/options.ts'
import type {
  CallOutcome,
  CliIo,
  CliRuntime,
  Progress,
  ServingOptions,
  SimulateOptions,
} from '../../src/cli/runtime-types.ts'
import { loadConfig } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/errors.ts'
import { configSchema } from '../../src/config/schema.ts'
import type { LoadedConfig } from '../../src/config/types.ts'
import type { Elicited } from '../../src/mcp/tool-service.ts'
import { executable } from '../helpers/server.ts'

const reading = async (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })

const loadedFrom = async (text: string): Promise<LoadedConfig> =>
  loadConfig({ configFile: '/c.toml', env: {}, homeDir: '/h', cwd: '/w', overrides: {}, readFile: async () => text })
const noFaults = await loadedFrom('[recovery_services]')

const list = JSON.stringify({
  tools: [
    {
      name: 'recovery_services_list_vaults',
      description: 'Vaults \u001b[31m of a subscription.',
      annotations: { readOnlyHint: true },
      inputSchema: {
        type: 'object',
        required: ['subscription'],
        properties: {
          subscription: { type: 'string', description: 'Id or name' },
          limit: { type: 'integer', minimum: 1, maximum: 1000, default: 50 },
          kind: { $ref: '#/$defs/kind' },
        },
        $defs: { kind: { enum: ['VM', 'SQL'] } },
      },
    },
    { name: 'recovery_services_cancel_job', annotations: { destructiveHint: true }, inputSchema: { type: 'object' } },
  ],
})

interface World {
  outcome?: CallOutcome
  loaded?: LoadedConfig
  progress?: Progress[]
  /** What the tool asks the person for. */
  plan?: string
  isTerminal?: boolean
  ask?: CliIo['ask']
  failure?: Error
  env?: Record<string, string>
  home?: string
  files?: Partial<CliIo['files']>
  signal?: AbortSignal
  timeLimit?: CliIo['timeLimit']
  describe?: Credentials['describe']
  isStdinClosed?: boolean
}

const never = async () => {
  throw new Error('nobody signs in here')
}

const run = async (argv: string[], world: World = {}) => {
  const seen = {
    status: -1,
    stdout: '',
    stderr: '',
    options: undefined as ServingOptions | undefined,
    served: undefined as ServingOptions | undefined,
    simulated: undefined as SimulateOptions | undefined,
    called: undefined as [name: string, args: unknown] | undefined,
    agreed: undefined as Elicited | undefined,
    closed: 0,
  }
  const runtime: CliRuntime = {
    loaded: world.loaded ?? noFaults,
    listTools: () => list,
    callTool: async (name, args, { progress, elicit }) => {
      seen.called = [name, args]
      for (const step of world.progress ?? []) progress(step)
      if (world.plan !== undefined) seen.agreed = await elicit({ message: world.plan })
      return world.outcome ?? { isError: false, text: '{"vaults":[],"count":0}' }
    },
    close: async () => {
      seen.closed++
    },
  }
  const io: CliIo = {
    stdout: async text => {
      seen.stdout += text
    },
    stderr: text => {
      seen.stderr += text
    },
    isTerminal: world.isTerminal ?? false,
    ask: world.ask,
    env: world.env ?? {},
    cwd: world.home ?? '/nowhere',
    homeDir: world.home ?? '/nowhere',
    version: '9.8.7',
    signal: world.signal ?? new AbortController().signal,
    timeLimit: ms => world.timeLimit?.(ms) ?? new AbortController().signal,
    stdinClosed: async () => {
      if (!world.isStdinClosed) await new Promise(() => {})
    },
    files: { readFile: reading, writeFile, mkdir, chmod, ...world.files },
    serve: async serving => {
      seen.served = serving
      return 0
    },
    signIn: async () => ({
      send: never,
      file: '/h/auth.json',
      mustKeep: async () => {},
      loginByDeviceCode: never,
      loginByBrowser: never,
      credentials: {
        getToken: never,
        describe: world.describe ?? (async () => ({ skipped: [] })),
        accounts: async () => [],
        forget: never,
      },
    }),
    openBrowser: () => {},
    runtime: async given => {
      if (world.failure) throw world.failure
      seen.options = given
      return runtime
    },
    simulate: async given => {
      seen.simulated = given
      return {
        endpoint: 'http://127.0.0.1:1',
        subscription_id: 's',
        resource_group: 'g',
        vault_name: 'v',
        token: 't',
        close: runtime.close,
      }
    },
  }
  seen.status = await runCommand(argv, io)
  return seen
}

t.test('plain serving flags are read without further help', async t => {
  const none = { verbose: false, readOnly: false }
  const rows: [argv: string[], serving: ServingOptions | undefined][] = [
    [[], none],
    [['serve'], none],
    [['--read-only', '--verbose'], { verbose: true, readOnly: true }],
    [['--toolsets', 'vaults, backup'], { ...none, toolsets: ['vaults', 'backup'] }],
    [['serve', '--toolsets=vaults'], { ...none, toolsets: ['vaults'] }],
    [
      ['--config', 'a.toml', '--replay', 'r', '--record=a=b'],
      { ...none, configFile: 'a.toml', replay: 'r', record: 'a=b' },
    ],
    [['--help'], undefined],
    [['--version'], undefined],
    [['status'], undefined],
    [['serve', 'serve'], undefined],
    [['--json'], undefined],
    [['--simulate'], { ...none, simulate: { timeScale: 60 } }],
    [
      ['--simulate', '--time-scale=.5', '--seed', 'a', '--state', 'b'],
      { ...none, simulate: { timeScale: 0.5, seed: 'a', state: 'b' } },
    ],
    [['--simulate', '--replay', 'r'], undefined],
    [['--seed', 'a'], undefined],
    [['--simulate', '--time-scale', 'fast'], undefined],
    [['--port', '1'], undefined],
    [['--read-only=false'], undefined],
    [['--config'], undefined],
    [['--config='], undefined],
    [['--config', '--verbose'], undefined],
    [['--toolsets', 'vautls'], undefined],
    [['--constructor', 'x'], undefined],
    [['-v'], undefined],
  ]
  for (const [argv, serving] of rows) {
    t.same(parseServing(argv), serving, argv.join(' '))
    if (serving) t.same((await run(argv)).served, serving, `the other way of reading agrees: ${argv.join(' ')}`)
  }
})

t.test('bad usage is one clear line on stderr and status 2', async t => {
  const rows: [argv: string[], line: RegExp][] = [
    [['frobnicate'], /there is no command "frobnicate"/],
    [['staus'], /there is no command "staus", did you mean status\?/],
    [['config'], /config needs a further word: init/],
    [['config', 'int'], /there is no command "config int", did you mean config init\?/],
    [['status', 'more'], /status takes no "more"/],
    [['--toolset', 'vaults'], /serve has no option "--toolset", did you mean --toolsets\?/],
    [['--simulat'], /serve has no option "--simulat", did you mean --simulate\?/],
    [['--simulate', '--replay', 'x'], /--simulate and --replay exclude each other/],
    [['--seed', 'x'], /--seed is for the simulated Azure: it needs --simulate/],
    [['call', 'list_vaults', '--state', 'x'], /--state is for the simulated Azure/],
    [['tools', '--time-scale', '1'], /--time-scale is for the simulated Azure/],
    [['--simulate', '--time-scale', 'fast'], /--time-scale must be a number from 0 to 86400; it is "fast"/],
    [['--simulate', '--time-scale', '86401'], /--time-scale must be a number from 0/],
    [['--simulate', '--time-scale=-1'], /--time-scale must be a number from 0 to 86400; it is "-1"/],
    [['--simulate', '--time-scale=Infinity'], /--time-scale must be a number/],
    [['--simulate', '--time-scale=0x10'], /--time-scale must be a number/],
    [['--simulate', '--seed='], /--seed needs a value/],
    [['--simulate', '--port', '1'], /serve has no option "--port"/],
    [['simulate', '--simulate'], /simulate has no option "--simulate"/],
    [['simulate', '--read-only'], /simulate has no option "--read-only"/],
    [['simulate', '--port', '65536'], /--port must be a whole number from 0 to 65535; it is "65536"/],
    [['simulate', '--port', '1.5'], /--port must be a whole number/],
    [['simulate', '--port'], /--port needs a value/],
    [['simulate', 'more'], /simulate takes no "more"/],
    [['status', '--read-only'], /status has no option "--read-only"/],
    [['tools', '--force'], /tools has no option "--force"/],
    [['-x'], /serve has no option "-x"/],
    [['--no-verbose'], /has no option "--no-verbose"/],
    [['--config.x=1'], /has no option "--config.x"/],
    [['--config'], /--config needs a value/],
    [['--config='], /--config needs a value/],
    [['--config', '--verbose'], /--config needs a value/],
    [['--toolsets', 'vautls'], /--toolsets: there is no "vautls", did you mean vaults\?; known are vaults, regis/],
    [['--toolsets', 'vaults,'], /--toolsets: there is no ""/],
    [['tools', '--toolsets', 'zzz'], /there is no "zzz"; known are/],
    [['call'], /TOOL is missing: call <TOOL> \[JSON\]/],
    [['call', 'lst_vaults'], /there is no tool "lst_vaults", did you mean list_vaults\?/],
    [['call', 'recovery_services_get_job'], /there is no tool .*, did you mean get_job_details\?/],
    [['call', 'vaults'], /there is no tool "vaults", did you mean list_vaults\?/],
    [['call', 'zzzzzz'], /there is no tool "zzzzzz"; the command tools lists them/],
    [['call', 'list_vaults', '{'], /the arguments of a tool are one JSON object, .*this is no JSON/],
    [['call', 'list_vaults', '[1]'], /this is an array/],
    [['call', 'list_vaults', 'null'], /this is null/],
    [['call', 'list_vaults', '5'], /this is a number/],
    [['call', 'list_vaults', '{}', '{}'], /call takes no "\{\}"/],
    [['login', '--tenant', 'contoso'], /--tenant must be a GUID or a domain name; it is "contoso"/],
    [['login', '--tenant', 'a b.example'], /--tenant must be a GUID or a domain name/],
    [['login', '--tenant', '../contoso.example'], /--tenant must be a GUID or a domain name/],
    [['login', '--tenant', 'contoso.example/x?y=z'], /--tenant must be a GUID or a domain name/],
    [['login', '--tenant='], /--tenant must be a GUID or a domain name; it is ""/],
    [['login', '--tenant'], /--tenant needs a value/],
    [['login', '--client-id', 'my-app'], /--client-id must be a GUID; it is "my-app"/],
    [['login', '--all'], /login has no option "--all"/],
    [['logout', '--tenant', 'contoso.example'], /logout has no option "--tenant"/],
    [['a\u001b[31mb\n'], /there is no command "a\\u001b\[31mb\\u000a"/],
  ]
  for (const [argv, line] of rows) {
    const { status, stdout, stderr, options: given } = await run(argv)
    t.equal(status, 2, argv.join(' '))
    t.match(stderr, line)
    t.match(stderr, /^recovery-services-server: [^\n]*\n$/, 'one line')
    t.equal(stdout, '')
    t.equal(given, undefined, 'nothing was started')
  }
})

t.test('help and version go to stdout', async t => {
  const help = await run(['--help'])
  t.equal(help.status, 0)
  t.equal(help.stderr, '')
  const flowing = help.stdout.replaceAll(/\s+/g, ' ')
  for (const { help: text } of Object.values(commands).filter(({ usage }) => !usage.startsWith('config')))
    t.ok(flowing.includes(text), text)
  const shown = new Set([...help.stdout.matchAll(/--([a-z-]+)/g)].map(([, name]) => name))
  const ofServe = Object.entries<Option>(options).filter(([, { of }]) => of === undefined || of.includes('serve'))
  t.same([...shown].sort(), [...ofServe.map(([name]) => name), 'help', 'version'].sort(), 'and only what works')
  t.match((await run(['simulate', '--help'])).stdout, /--port[\s\S]*--until-stdin-closes/)
  t.match((await run(['call', '--help'])).stdout, /call <TOOL> \[JSON\][\s\S]*--json/)
  t.match((await run(['login', '--help'])).stdout, /--tenant[\s\S]*--client-id[\s\S]*--browser/)
  t.match((await run(['logout', '--help'])).stdout, /--all/)
  t.match((await run(['status', '--help'])).stdout, /--json/)
  t.match((await run(['config', '--help'])).stdout, /config init \[PATH\]/)
  t.match((await run(['config', 'init', '--help'])).stdout, /--force/)
  t.match(await run(['--version']), { status: 0, stdout: '9.8.7\n', stderr: '' })
})

t.test('call runs a tool by its name with or without the prefix', async t => {
  for (const name of ['list_vaults', 'recovery_services_list_vaults']) {
    const seen = await run(['call', name, '{"limit":3}', '--read-only', '--replay', 'x', '--json'])
    t.match(seen, {
      status: 0,
      stdout: '{"vaults":[],"count":0}\n',
      stderr: '',
      called: ['recovery_services_list_vaults', { limit: 3 }],
      options: { readOnly: true, replay: 'x' },
      closed: 1,
    })
  }
  t.same((await run(['call', 'list_vaults'])).called, ['recovery_services_list_vaults', {}])
})

t.test('simulate prints where it listens, and runs until it is told to end', async t => {
  const place =
    '{"endpoint":"http://127.0.0.1:1","subscription_id":"s","resource_group":"g","vault_name":"v","token":"t"}'
  const rows: [argv: string[], options: SimulateOptions, end: World][] = [
    [[], { timeScale: 60, verbose: false, port: 0 }, { signal: AbortSignal.abort() }],
    [['--until-stdin-closes'], { timeScale: 60, verbose: false, port: 0 }, { isStdinClosed: true }],
    [
      ['--port', '8080', '--time-scale', '0', '--seed', 'a', '--state', 'b', '--verbose'],
      { timeScale: 0, seed: 'a', state: 'b', verbose: true, port: 8080 },
      { signal: AbortSignal.abort() },
    ],
  ]
  for (const [argv, options, end] of rows) {
    const seen = await run(['simulate', ...argv], end)
    t.match(seen, { status: 0, stdout: `${place}\n`, stderr: '', closed: 1 })
    t.same(seen.simulated, options)
  }
  const interrupted = new AbortController()
  let isOver = false
  const running = run(['simulate'], { isStdinClosed: true, signal: interrupted.signal }).then(seen => {
    isOver = true
    return seen
  })
  for (let turn = 0; turn < 50; turn++) await new Promise(go => setImmediate(go))
  t.notOk(isOver, 'the end of stdin says nothing without --until-stdin-closes')
  interrupted.abort()
  t.equal((await running).closed, 1)
})

t.test('a result is shown as aligned lines and tables', async t => {
  const longId = `/subscriptions/${'x'.repeat(60)}`
  const error = { code: '400196', title: null, message: 'No\r\nagent.', recommendations: ['Start it.', 'Update it.'] }
  const text = JSON.stringify({
    jobs: [
      { id: longId, status: 'Completed', pool: null, vm_name: 'web-01', error: null, sizes: { bytes: 1 }, tags: [] },
      { id: longId, status: 'Failed', pool: '', vm_name: 'w\u001b[2J', error, tags: {} },
    ],
    count: 2,
    next_cursor: '',
    tiers: ['Snapshot', 'Vault'],
    redundancy: { type: 'GeoRedundant', cross_region_restore: true },
    empty: {},
    mixed: [{ a: 1 }, 2],
    none: [],
    warnings: ['This is a sentence that is much longer than any name.'],
  })
  const { stdout } = await run(['call', 'list_backup_jobs'], { outcome: { isError: false, text } })
  t.equal(
    stdout,
    `jobs:
  status     vm_name     sizes     error                                                                    id
  Completed  web-01      bytes: 1  -                                                                        ${longId}
  Failed     w\\u001b[2J  -         code: 400196; message: No agent.; recommendations: Start it. Update it.  ${longId}
count:       2
next_cursor: -
tiers:       Snapshot, Vault
redundancy:
  type:                 GeoRedundant
  cross_region_restore: true
empty:
mixed:
  - a: 1
  - 2
none:        -
warnings:
  - This is a sentence that is much longer than any name.
`,
  )
})

t.test('what a table would make wider than any screen is shown part by part', async t => {
  const url = `https://host/${'x'.repeat(120)}`
  const text = JSON.stringify({
    requests: [{ method: 'PUT', url, body: { properties: { id: url, disks: { luns: [1, 2] } } } }],
    deletions: [{ method: 'DELETE', url }],
  })
  const { stdout } = await run(['call', 'cancel_job'], { outcome: { isError: false, text } })
  t.equal(
    stdout,
    `requests:
  - method: PUT
    url:    ${url}
    body:
      properties:
        id: ${url}
        disks:
          luns: 1, 2
deletions:
  method  url
  DELETE  ${url}
`,
  )
})

t.test('a text of several lines keeps them', async t => {
  const text = JSON.stringify({ script: '#!/bin/sh\n  echo \u001b[2J\r\n\nexit\n', file_name: 'a.sh' })
  const { stdout } = await run(['call', 'restore_files'], { outcome: { isError: false, text } })
  t.equal(stdout, 'script:\n  #!/bin/sh\n    echo \\u001b[2J\n  \n  exit\nfile_name: a.sh\n')
})

t.test('an error result says what to do, and the status is 1', async t => {
  const error = {
    code: 'not_found',
    message: 'No\r\nvault a.',
    remediation: 'Take one\r\nof these.',
    details: { near: ['b'] },
  }
  const outcome = { isError: true, text: JSON.stringify({ error }) }
  const shown = await run(['call', 'get_vault'], { outcome })
  t.match(shown, { status: 1, stdout: '', stderr: 'not_found: No vault a.\nTake one of these.\ndetails:\n  near: b\n' })
  const json = await run(['call', 'get_vault', '--json'], { outcome })
  t.match(json, { status: 1, stdout: `${outcome.text}\n`, stderr: '' })
})

t.test('progress is one line, on a terminal only', async t => {
  const progress = [{ progress: 1, total: 4, message: 'Copying\n' }, { progress: 7 }]
  const { stderr, stdout } = await run(['call', 'get_vault', '--json'], { progress, isTerminal: true })
  t.equal(stderr, `\r\u001b[K[######..................] 25% Copying\\u000a\r\u001b[K7 \r\u001b[K`)
  t.equal(stdout, '{"vaults":[],"count":0}\n')
  t.equal((await run(['call', 'get_vault'], { progress })).stderr, '')
})

t.test('a plan that needs a word is shown, and asked about on a terminal', async t => {
  const plan = 'Cancel it.\nLoses: w\u001b[2Jork'
  const shown = 'Cancel it.\nLoses: w\\u001b[2Jork\n'
  const rows: [name: string, argv: string[], line: string | undefined, agreed: Elicited, stderr: string][] = [
    ['y', [], 'y', 'accepted', shown],
    [' YES ', [], ' YES ', 'accepted', shown],
    ['n', [], 'n', 'declined', shown],
    ['yesterday', [], 'yesterday', 'declined', shown],
    ['the end of input', [], '', 'declined', shown],
    ['--yes', ['--yes'], 'n', 'accepted', shown],
    ['--yes without a terminal', ['--yes'], undefined, 'accepted', shown],
    [
      'no terminal',
      [],
      undefined,
      'unsupported',
      'No terminal to ask on. With --yes you agree to the plan beforehand.\n',
    ],
  ]
  for (const [name, argv, line, agreed, stderr] of rows) {
    const questions: string[] = []
    const ask = async (question: string) => {
      questions.push(question)
      return line ?? ''
    }
    const seen = await run(['call', 'cancel_job', ...argv], { plan, ...(line === undefined ? {} : { ask }) })
    t.match(seen, { agreed, stderr, closed: 1 }, name)
    t.same(questions, argv.length > 0 || line === undefined ? [] : ['Do it? [y/N] '], name)
    t.equal(seen.stdout, 'vaults: -\ncount:  0\n', `${name}: stdout has the result alone`)
  }
})

t.test('the progress line is gone before a plan is shown', async t => {
  const { stderr } = await run(['call', 'cancel_job', '--yes'], {
    plan: 'Cancel it.',
    progress: [{ progress: 1, total: 2, message: 'asking' }],
    isTerminal: true,
  })
  t.equal(stderr, '\r\u001b[K[############............] 50% asking\r\u001b[KCancel it.\n\r\u001b[K')
})

/** `script` of util-linux runs a command on a terminal of its own; other systems have one that takes other flags. */
const hasTerminals = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false
const onTerminal = hasTerminals ? {} : { skip: 'needs `script` of util-linux, which is not here' }

/** The built program on a terminal: what it showed in the end, and its status. `reply` is typed at the question. */
const typed = async (t: Test, tool: string, args: object, reply?: string) => {
  const home = t.testdir({ 'c.toml': '[recovery_services]\nconfirmation = "argument"\n' })
  const words = [process.execPath, executable, 'call', tool, JSON.stringify(args)]
  const flags = ['--simulate', '--time-scale', '10', '--config', path.join(home, 'c.toml')]
  const command = [...words, ...flags].map(word => `'${word}'`).join(' ')
  const running = spawn('script', ['-qec', command, '/dev/null'], { env: { HOME: home, PATH: process.env.PATH } })
  t.teardown(() => running.kill('SIGKILL'))
  let shown = ''
  let isAnswered = reply === undefined
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    if (isAnswered || !shown.includes('Do it? [y/N] ')) return
    isAnswered = true
    running.stdin.write(reply ?? '')
  })
  const status = await new Promise<number | null>(go => running.on('close', go))
  return { shown, status }
}
const bar = /\r\u001b\[K\[[#.]{24}\] \d+% /
const running = { job_id: '8564b595-2d0b-4694-88ae-d03f936d2588', wait_seconds: 1 }

t.test('on a terminal a plan is asked about whatever the configuration says, and y does it', onTerminal, async t => {
  const { shown, status } = await typed(t, 'cancel_job', running, 'y\r')
  t.equal(status, 0, shown)
  t.match(shown, /^Cancel the running job: Backup of web-02[\s\S]*\r\nLoses: [\s\S]*Do it\? \[y\/N\] /)
  t.match(shown, / notice write tool="cancel_job" /)
  t.match(shown, bar)
  t.match(shown, /\r\u001b\[Kstatus: +(in_progress|succeeded)\r\n/)
})

for (const [name, reply] of [
  ['n', 'n\r'],
  ['the end of input', '\u0004'],
] as const)
  t.test(`on a terminal ${name} does nothing`, onTerminal, async t => {
    const { shown, status } = await typed(t, 'cancel_job', running, reply)
    t.equal(status, 1, shown)
    t.match(shown, /Do it\?[\s\S]*cancelled: The user said no to the plan; nothing was sent to Azure\./)
    t.notMatch(shown, /notice write/)
  })

t.test('on a terminal work that is waited for has a progress bar', onTerminal, async t => {
  const { shown, status } = await typed(t, 'trigger_backup', { item: 'rg-app/web-01', wait_seconds: 1 })
  t.equal(status, 0, shown)
  t.match(shown, bar)
  t.match(shown, /\r\u001b\[Kstatus: +(in_progress|succeeded)\r\n/)
  t.notMatch(shown, /Do it/)
})

t.test('a bad configuration is status 2', async t => {
  const loaded = await loadedFrom('[recovery_services]\nread_only = 1\nconfirmation = 1\ncolour = 1')
  const call = await run(['call', 'get_vault'], { loaded })
  t.match(call, { status: 2, stdout: '', called: undefined, closed: 1 })
  t.match(call.stderr, /warning: .*colour[^\n]*\n[^\n]*bad configuration: .*read_only .*confirmation [^\n]*\n$/)
  const tools = await run(['tools', '--json'], { loaded })
  t.match(tools, { status: 2, stdout: `${list}\n`, stderr: /bad configuration/ })
  const failure = new ConfigError('/x is not there.', 'Name one\nthat is.')
  const missing = await run(['call', 'get_vault', '--replay', '/x'], { failure })
  t.match(missing, { status: 2, stdout: '' })
  t.equal(missing.stderr, 'recovery-services-server: /x is not there. Name one\\u000athat is.\n')
  const dotless = await run(['tools'], { failure: new ConfigError('No file', 'Name one.') })
  t.equal(dotless.stderr, 'recovery-services-server: No file. Name one.\n')
  t.match(await run(['tools'], { failure: new Error('broken') }), { status: 1, stderr: /: broken\n$/ })
})

t.test('tools lists names, effects and parameters', async t => {
  const { status, stdout, closed } = await run(['tools'])
  t.equal(status, 0)
  t.equal(closed, 1)
  t.equal(
    stdout,
    `recovery_services_list_vaults (reads)
  Vaults \\u001b[31m of a subscription.
    subscription *  string: Id or name
    limit           integer 1..1000, default 50
    kind            VM | SQL

recovery_services_cancel_job (changes, can lose something)
`,
  )
  t.equal((await run(['tools', '--json'])).stdout, `${list}\n`)
})

t.test('status tells every value and its source, and no secret', async t => {
  const home = t.testdir({
    '.codex': {
      'recovery_services.toml': `[recovery_services]
vault_name = "vault-prod"
colour = "red"
[recovery_services.http]
proxy = "http://ann:hunter2@proxy.example.com:8080"
[recovery_services.vaults."a b"]
name = "other"
`,
    },
  })
  const file = path.join(home, '.codex', 'recovery_services.toml')
  const env = { AZURE_RESOURCE_GROUP: 'rg-env', AZURE_CLIENT_SECRET: 'hunter2' }
  const json = await run(['status', '--json'], { home, env })
  t.equal(json.status, 0)
  const report = JSON.parse(json.stdout)
  t.match(report, { configuration_file: file, default_vault: 'vault-prod', faults: [], warnings: [/colour/] })
  const setting = (key: string) => report.settings.find((row: { key: string }) => row.key === key)
  t.same(setting('resource_group'), {
    key: 'resource_group',
    value: 'rg-env',
    source: 'environment AZURE_RESOURCE_GROUP',
  })
  t.same(setting('subscription_id'), { key: 'subscription_id', value: null, source: 'not set' })
  t.same(setting('http.max_retries'), { key: 'http.max_retries', value: 4, source: 'default' })
  t.equal(setting('http.proxy').value, 'http://***@proxy.example.com:8080')
  t.match(report.vaults, [{ source: `${file}: recovery_services.vaults."a b".name` }, { source: /\.vault_name$/ }])

  const text = await run(['status'], { home, env })
  t.match(text.stdout, /configuration_file: .*\ndefault_vault: +vault-prod\nsettings:\n {2}key +value +source\n/)
  t.notMatch(json.stdout + json.stderr + text.stdout + text.stderr, /hunter2/)

  const bad = t.testdir({ bad: '[recovery_services]\nenabled = 1\n' })
  const faulty = await run(['status', '--config', 'bad'], { home: bad })
  t.match(faulty, {
    status: 2,
    stdout: /faults:\n {2}- .*enabled must be true or false/,
    stderr: /bad configuration: .*enabled/,
  })
  t.match(await run(['status', '--config', 'gone'], { home: bad }), {
    status: 2,
    stdout: '',
    stderr: /gone does not exist/,
  })
})

t.test('status does not wait for ever to learn who is signed in, and shows the rest', async t => {
  const limits: number[] = []
  const describe: Credentials['describe'] = signal =>
    new Promise((_, reject) => {
      signal.throwIfAborted()
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  const timeLimit = (ms: number) => {
    limits.push(ms)
    return AbortSignal.abort(new Error('too long'))
  }
  const { status, stdout } = await run(['status', '--json'], { describe, timeLimit })
  t.equal(status, 0)
  t.match(JSON.parse(stdout), {
    sign_in: { method: null, error: { code: 'timeout', message: /within 20 s/ }, cached_accounts: [] },
    settings: [{ key: 'enabled' }],
  })
  t.same(limits, [20_000])
  const interrupted = await run(['status'], { describe, signal: AbortSignal.abort(new Error('interrupted')) })
  t.match(interrupted, { status: 1, stdout: '', stderr: 'recovery-services-server: interrupted\n' })
})

t.test('config init writes a file that changes nothing until it is filled in', async t => {
  const home = t.testdir({})
  const file = path.join(home, '.codex', 'recovery_services.toml')
  const first = await run(['config', 'init'], { home })
  t.match(first, { status: 0, stdout: `${file}\n`, stderr: '' })
  t.equal((await stat(file)).mode & 0o777, 0o600)
  const text = await readFile(file, 'utf8')
  const loaded = await loadedFrom(text)
  t.same([...loaded.warnings, ...loaded.faults], [])
  t.same(loaded.config, noFaults.config)

  const filledIn = await loadedFrom(text.replaceAll(/^# (\[[\w.]+\]$|\w+ = )/gm, '$1'))
  t.same([...filledIn.warnings, ...filledIn.faults], [], 'every line is right once its mark is taken away')
  const { properties = {} } = await configSchema()
  const vault = properties.vaults?.additionalProperties
  const leaves = Object.entries(properties).flatMap(([key, node]) => Object.keys(node.properties ?? { [key]: node }))
  for (const key of [...leaves, ...Object.keys((vault || undefined)?.properties ?? {})])
    if (key !== 'vaults') t.match(text, new RegExp(`^# ${key} = .+$`, 'm'), `the file has ${key}`)
  t.ok(
    text.split('\n').every(line => line.length <= 120 || / = /.test(line)),
    'lines fit a screen',
  )

  await writeFile(file, 'mine')
  await chmod(file, 0o644)
  const again = await run(['config', 'init'], { home })
  t.match(again, { status: 1, stdout: '', stderr: /recovery_services\.toml exists .*--force/ })
  t.equal(await readFile(file, 'utf8'), 'mine', 'a file that is there is left alone')
  t.equal((await run(['config', 'init', '--force'], { home })).status, 0)
  t.equal(await readFile(file, 'utf8'), text)
  t.equal((await stat(file)).mode & 0o777, 0o600)

  const named = await run(['config', 'init', 'deep/er/x.toml'], { home })
  t.equal(named.stdout, `${path.join(home, 'deep', 'er', 'x.toml')}\n`)
  const moved = await run(['config', 'init'], { home, env: { CODEX_HOME: path.join(home, 'elsewhere') } })
  t.equal(moved.stdout, `${path.join(home, 'elsewhere', 'recovery_services.toml')}\n`)
})
