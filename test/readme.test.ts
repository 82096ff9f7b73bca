/** The README says what is so: its examples run, its configurations load, its tables are those of schemas/. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import toml from '@iarna/toml'
import t from 'tap'
import { createSources } from '../src/auth/sources.ts'
import { loadConfig } from '../src/config/config.ts'
import { configSchema, nodeAt, resolved, type SchemaNode } from '../src/config/schema.ts'
import { toolsets } from '../src/config/types.ts'
import { entries } from '../src/generated/catalog.ts'
import { stateOf } from '../src/simulator/estate-state.ts'
import { builtInEstate } from '../src/simulator/seed.ts'
import { saveState } from '../src/simulator/state-file.ts'
import { executable, root, Server } from './helpers/server.ts'

t.setTimeout(120_000)

const run = promisify(execFile)
const readme = await readFile(path.join(root, 'README.md'), 'utf8')

interface Block {
  info: string
  text: string
}
const blocks: Block[] = [...readme.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info = '', text = '']) => ({
  info,
  text,
}))
const textsOf = (info: string): string[] => blocks.filter(block => block.info === info).map(({ text }) => text)

const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split(' | ')
    .map(cell => cell.trim())

/** The rows of the table with this head, each as its cells. */
const tableOf = (head: string): string[][] => {
  const lines = readme.split('\n').map(line => (line.startsWith('|') ? cellsOf(line) : []))
  const start = lines.findIndex(cells => cells.join(' | ') === head)
  if (start === -1) throw new Error(`no table ${head}`)
  const rows = lines.slice(start + 2)
  return rows.slice(
    0,
    rows.findIndex(cells => cells.length === 0),
  )
}
const code = (text: string): string => `\`${text}\``

t.test('every block is of a kind that is checked here', async t => {
  const kinds = new Set(blocks.map(({ info }) => info))
  t.same([...kinds].sort(), [
    '',
    'json client',
    'sh',
    'sh run',
    'text output',
    'text session',
    'toml client',
    'toml config',
  ])
  t.same(textsOf('sh'), ['./test-server.sh\n', 'npm cit\n'])
})

for (const [index, { info, text }] of blocks.entries())
  if (info === 'sh run')
    t.test(`a shell example does what it shows: ${text.split('\n').at(-2)}`, async t => {
      // No metadata service of a machine in Azure answers.
      const nowhere = { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1' }
      const env = { HOME: t.testdir({}), PATH: process.env.PATH, ...nowhere }
      const { stdout, stderr } = await run('sh', ['-ec', text], { cwd: root, env })
      t.equal(stderr, '')
      const next = blocks[index + 1]
      if (next?.info === 'text output') t.equal(stdout, next.text)
      else t.not(stdout, '')
    })

/** What differs from run to run, by what the README shows of it: ids of jobs, strings of confirmations. */
type Told = Map<string, string>

/** True when `shown` is `value` with fields of objects left out. */
const isPartOf = (shown: unknown, value: unknown, told: Told, name = ''): boolean => {
  if (/^(job_id|confirmation)$/.test(name) && typeof value === 'string') return Boolean(told.set(String(shown), value))
  if (typeof shown !== 'object' || shown === null || typeof value !== 'object' || value === null) return shown === value
  if (Array.isArray(shown) && (!Array.isArray(value) || shown.length !== value.length)) return false
  return Object.entries(shown).every(([key, item]) =>
    isPartOf(item, (value as Record<string, unknown>)[key], told, key),
  )
}

for (const [at, session] of textsOf('text session').entries())
  t.test(`session ${at + 1} is what the simulated Azure answers, shortened`, async t => {
    const server = new Server(t, { args: ['--simulate'] })
    const steps = [...session.matchAll(/^→ (\w+) (.*)\n← (.*)$/gm)]
    t.equal(steps.length, 4)
    const told: Told = new Map()
    for (const [, tool = '', args = '', text = ''] of steps) {
      const asked = [...told].reduce((all, [shown, real]) => all.replaceAll(shown, real), args)
      const answer = await server.call(tool, JSON.parse(asked))
      const shown = JSON.parse(text)
      t.equal(answer.isError, 'error' in shown, tool)
      t.ok(isPartOf(shown, answer.body, told), `${tool}: ${answer.text}`)
    }
  })

t.test('every name that the README gives to the simulated Azure is in it', async t => {
  const estate = saveState(stateOf(builtInEstate(), 0))
  const named = tableOf('thing | names').flatMap(([, text = '']) =>
    [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
  t.ok(named.length > 40)
  for (const name of named) t.ok(estate.includes(`"${name}"`), name)
})

t.test('the examples of configurations are right', async t => {
  const texts = textsOf('toml config')
  t.equal(texts.length, 6)
  for (const text of texts) {
    const { warnings, faults } = await loadConfig({
      configFile: 'readme.toml',
      env: {},
      homeDir: '/h',
      cwd: '/w',
      overrides: {},
      readFile: async () => text,
    })
    t.same([...warnings, ...faults], [], text)
  }
})

interface ClientEntry {
  command: string
  args: string[]
  env?: Record<string, string>
}
/** Each client has its own word around the entry of a server. */
const entriesOf = (document: Record<string, unknown>): ClientEntry[] =>
  Object.values(Object.values(document)[0] as Record<string, ClientEntry>)

t.test('a client that has an example for its configuration gets a server', async t => {
  const documents = [
    ...textsOf('json client').map(text => JSON.parse(text)),
    ...textsOf('toml client').map(text => toml.parse(text)),
  ]
  t.equal(documents.length, 6)
  for (const { command, args, env } of documents.flatMap(entriesOf)) {
    const placed = [command, ...args].filter(word => word !== '/usr/bin/node')
    t.match(placed[0], /^\/.*\/bin\/recovery-services-server$/)
    t.equal(path.basename(placed[0] ?? ''), path.basename(executable))
    const server = new Server(t, { args: placed.slice(1), env: env ?? {}, era: 'legacy' })
    t.match(await server.initialize(), { result: { serverInfo: { name: 'recovery-services' } } })
    t.equal(await server.end(), 0)
    t.equal(server.stderr, '')
  }
})

t.test('the table of tools is that of schemas/', async t => {
  const rows = entries.map(({ name, toolset, readOnly, base }) => {
    const { description } = JSON.parse(`{${base}}`) as { description: string }
    return [code(name), toolset, readOnly ? 'reads' : 'changes', description]
  })
  t.same(tableOf('tool | toolset | effect | purpose'), rows)
})

/** Every key by its path below [recovery_services]; KEY stands for the name of a vault. */
const leaves = (schema: SchemaNode, node: SchemaNode, at: string[] = []): [key: string, node: SchemaNode][] => {
  const children = Object.entries(
    node.properties ?? (node.additionalProperties ? { KEY: node.additionalProperties } : {}),
  )
  if (children.length === 0) return [[at.join('.'), resolved(schema, node)]]
  return children.flatMap(([key, child]) => leaves(schema, child, [...at, key]))
}

t.test('the table of keys has every key of the configuration, its default and its range', async t => {
  const schema = await configSchema()
  const wanted = leaves(schema, schema)
  const rows = new Map(tableOf('key | takes | default | meaning').map(([key = '', ...rest]) => [key, rest]))
  t.same(
    [...rows.keys()],
    wanted.map(([key]) => code(key)),
  )
  const inherited = ['vaults.KEY.subscription_id', 'vaults.KEY.resource_group']
  for (const [key, { default: standard, minimum, maximum, maxLength }] of wanted as [
    string,
    SchemaNode & { maxLength?: number },
  ][]) {
    const [takes = '', shown] = rows.get(code(key)) ?? []
    const value = Array.isArray(standard) ? 'all' : standard === undefined ? '–' : code(String(standard))
    t.equal(shown, inherited.includes(key) ? 'the one above' : value, `${key} by default`)
    if (maximum !== undefined) t.match(takes, new RegExp(`, ${minimum} to ${maximum}$`), `${key} with its range`)
    if (key.endsWith('_seconds')) t.match(takes, /^seconds, /, `${key} with its unit`)
    if (maxLength !== undefined) t.match(takes, `at most ${maxLength} characters`)
  }
  for (const key of ['confirmation', 'cloud'])
    for (const word of nodeAt(schema, [key]).enum ?? []) t.match(rows.get(code(key))?.[0], code(word))
})

t.test('codes and options that the README names are there', async t => {
  const problems = await readFile(path.join(root, 'src/problem.ts'), 'utf8')
  const codes = tableOf('you see | it means | do').flatMap(([seen = '']) => /^`(\w+)`/.exec(seen)?.[1] ?? [])
  t.ok(codes.length >= 8)
  for (const word of codes) t.match(problems, `| '${word}'`)
  const env = { HOME: t.testdir({}), PATH: process.env.PATH }
  const helps = ['', 'login', 'logout', 'call', 'tools', 'status', 'simulate', 'config init'].map(command =>
    run(process.execPath, [executable, ...command.split(' ').filter(Boolean), '--help'], { env }),
  )
  const help = (await Promise.all(helps)).map(({ stdout }) => stdout).join('')
  for (const [, option = ''] of readme.matchAll(/`(?:[a-z]+ )?(--[a-z-]+)(?= |`)/g))
    t.match(help, new RegExp(`${option}(?![a-z-])`))
})

t.test('the table of roles has every toolset, the table of methods every method, in the order of auto', async t => {
  t.same(
    tableOf('toolset | to read | to change').map(([toolset]) => toolset),
    toolsets.map(code),
  )
  const method = nodeAt(await configSchema(), ['auth', 'method'])
  const methods = tableOf('method | what makes it be there').map(([name]) => name)
  t.same(
    [...methods].sort(),
    (method.enum ?? [])
      .filter(word => word !== 'auto')
      .map(word => code(String(word)))
      .sort(),
  )
  t.same(
    methods,
    createSources().map(source => code(source.method)),
  )
})

t.test('each AADSTS number that the README explains has a remedy of its own', async t => {
  const refusals = await readFile(path.join(root, 'src/auth/refusals.ts'), 'utf8')
  const numbers = tableOf('you see | it means | do').flatMap(([seen = '']) =>
    [...seen.matchAll(/AADSTS(\d+)/g)].map(([, number]) => number),
  )
  t.ok(numbers.length > 10)
  for (const number of numbers) t.match(refusals, new RegExp(`^  ${number}: \\{`, 'm'))
})
