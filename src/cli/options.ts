/**
 * The command line as data: yargs is built from these tables (parse.ts), and plain serving flags are read from them
 * without it, because loading yargs costs more than everything else that happens before `initialize` is answered.
 */
import { type Toolset, toolsets } from '../config/types.ts'
import { nearest } from '../nearest.ts'
import { printable } from '../printable.ts'
import type { ServingOptions, SimulateOptions, SimulationFlags } from './runtime-types.ts'

export const programName = 'recovery-services-server'

/** A command line that cannot be followed: one line on stderr, exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export interface Command {
  /** Words behind the program's name; positionals as `<NAME>` (needed) and `[NAME]`. */
  usage: string
  help: string
  positionals?: Readonly<Record<string, string>>
}

export const commands = {
  serve: { usage: 'serve', help: 'Serves MCP on stdin and stdout until stdin closes' },
  login: { usage: 'login', help: 'Signs in: shows a code and the page to enter it at, or opens the browser' },
  logout: { usage: 'logout', help: 'Signs out: removes the accounts of this configuration from the token cache' },
  call: {
    usage: 'call <TOOL> [JSON]',
    help: 'Runs one tool and prints its result',
    positionals: {
      TOOL: 'Name of the tool; recovery_services_ may be left out',
      JSON: 'Its arguments, a JSON object',
    },
  },
  tools: { usage: 'tools', help: 'Lists the tools with their parameters' },
  status: { usage: 'status', help: 'Says who is signed in and how, and which configuration is in force' },
  simulate: {
    usage: 'simulate',
    help: 'Runs a simulated Azure on 127.0.0.1 and prints where, with its token, as one line of JSON',
  },
  'config init': {
    usage: 'config init [PATH]',
    help: 'Writes a commented configuration file',
    positionals: { PATH: 'The file to write [~/.codex/recovery_services.toml]' },
  },
} as const satisfies Record<string, Command>

export type CommandName = keyof typeof commands

/** First words that are no command by themselves. */
export const groups = { config: 'Configuration files' } as const

export interface Option {
  type: 'boolean' | 'string'
  /** What the value is, for help. */
  value?: string
  help: string
  /** The commands that take it; every one where this is absent. */
  of?: readonly CommandName[]
}

const serving = ['serve', 'call', 'tools'] as const
const simulating = [...serving, 'status', 'simulate'] as const

export const options = {
  config: { type: 'string', value: 'FILE', help: 'Configuration file to use instead of those that are searched' },
  verbose: { type: 'boolean', help: 'Debug lines on stderr' },
  'read-only': { type: 'boolean', help: 'Only tools that change nothing', of: serving },
  toolsets: { type: 'string', value: 'A,B', help: `Only these groups of tools: ${toolsets.join(', ')}`, of: serving },
  replay: {
    type: 'string',
    value: 'PATH',
    help: 'Answer from recorded exchanges (a file or a folder of them): no network, no sign-in',
    of: serving,
  },
  record: { type: 'string', value: 'DIR', help: 'Save every exchange with Azure here, without secrets', of: serving },
  simulate: {
    type: 'boolean',
    help: 'Answer from a simulated Azure in this process: no account, no network, nothing to set up',
    of: [...serving, 'status'],
  },
  'time-scale': {
    type: 'string',
    value: 'X',
    help: 'Simulated seconds in a real one [60]; at 0 time stands still',
    of: simulating,
  },
  seed: { type: 'string', value: 'FILE', help: 'Estate that the simulated Azure begins with', of: simulating },
  state: {
    type: 'string',
    value: 'FILE',
    help: 'Keep the simulated Azure here, and go on from it the next time',
    of: simulating,
  },
  port: { type: 'string', value: 'N', help: 'Port to listen on; 0 picks one [0]', of: ['simulate'] },
  'until-stdin-closes': { type: 'boolean', help: 'End when stdin closes', of: ['simulate'] },
  tenant: { type: 'string', value: 'ID', help: 'Tenant to sign in to: a GUID or a domain name', of: ['login'] },
  'client-id': {
    type: 'string',
    value: 'ID',
    help: 'Application to sign in to instead of the usual one',
    of: ['login'],
  },
  browser: { type: 'boolean', help: 'Sign in with the browser of this machine', of: ['login'] },
  all: { type: 'boolean', help: 'Every account in the token cache', of: ['logout'] },
  json: { type: 'boolean', help: 'Print JSON', of: ['call', 'tools', 'status'] },
  yes: { type: 'boolean', help: 'Agree to a plan that can lose something', of: ['call'] },
  force: { type: 'boolean', help: 'Replace a file that exists', of: ['config init'] },
} as const satisfies Record<string, Option>

export const optionsOf = (command: CommandName): [name: string, option: Option][] =>
  Object.entries<Option>(options).filter(([, { of }]) => of === undefined || of.includes(command))

/** Option values by name, as they were read. */
export type Values = Readonly<Record<string, unknown>>

const textOf = (values: Values, name: string): string | undefined => {
  const value = values[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw new UsageError(`--${name} needs a value`)
  return value
}

const numberOf = (values: Values, name: string, form: RegExp, most: number, wanted: string): number | undefined => {
  const value = textOf(values, name)
  if (value === undefined || (form.test(value) && Number(value) <= most))
    return value === undefined ? value : Number(value)
  throw new UsageError(`--${name} must be ${wanted} from 0 to ${most}; it is ${quoted(value)}`)
}

const usualTimeScale = 60
const mostTimeScale = 86_400 // a day in a second: more, and what is due comes in floods

const toSimulation = (values: Values): SimulationFlags => {
  const seed = textOf(values, 'seed')
  const state = textOf(values, 'state')
  return {
    timeScale: numberOf(values, 'time-scale', /^(\d+\.?\d*|\.\d+)$/, mostTimeScale, 'a number') ?? usualTimeScale,
    ...(seed !== undefined && { seed }),
    ...(state !== undefined && { state }),
  }
}

/** For the command `simulate`. Throws UsageError. */
export const toSimulate = (values: Values): SimulateOptions => ({
  ...toSimulation(values),
  verbose: values.verbose === true,
  port: numberOf(values, 'port', /^\d+$/, 65_535, 'a whole number') ?? 0,
})

/** Throws UsageError for a value that is no value, a toolset that does not exist, and flags that exclude each other. */
export const toServing = (values: Values): ServingOptions => {
  const configFile = textOf(values, 'config')
  const words = textOf(values, 'toolsets')
  const replay = textOf(values, 'replay')
  const record = textOf(values, 'record')
  const isSimulated = values.simulate === true
  if (isSimulated && replay !== undefined)
    throw new UsageError('--simulate and --replay exclude each other: answers come from one of them')
  const stray = (['time-scale', 'seed', 'state'] as const).find(name => values[name] !== undefined)
  if (!isSimulated && stray) throw new UsageError(`--${stray} is for the simulated Azure: it needs --simulate`)
  return {
    ...(configFile !== undefined && { configFile }),
    verbose: values.verbose === true,
    readOnly: values['read-only'] === true,
    ...(words !== undefined && { toolsets: words.split(',').map(toToolset) }),
    ...(replay !== undefined && { replay }),
    ...(record !== undefined && { record }),
    ...(isSimulated && { simulate: toSimulation(values) }),
  }
}

const toToolset = (text: string): Toolset => {
  const word = text.trim()
  const found = toolsets.find(toolset => toolset === word)
  if (found) return found
  throw new UsageError(
    `--toolsets: there is no ${quoted(word)}${didYouMean(word, toolsets)}; known are ${toolsets.join(', ')}`,
  )
}

export const quoted = (word: string): string => `"${printable(word, 80)}"`

export const didYouMean = (word: string, candidates: readonly string[], prefix = ''): string => {
  const near = nearest(word, candidates)
  return near === undefined ? '' : `, did you mean ${prefix}${near}?`
}

/**
 * The options of `serve` from plain flags (`serve` in front may be left out), in the two spellings `--name value` and
 * `--name=value`. Undefined where anything else is there, be it another command or a mistake: that is for yargs.
 */
export const parseServing = (argv: readonly string[]): ServingOptions | undefined => {
  const known = new Map(optionsOf('serve'))
  const values: Record<string, string | boolean> = {}
  const words = argv[0] === 'serve' ? argv.slice(1) : [...argv]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, name = '', inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? []
    const option = known.get(name)
    if (!option || (option.type === 'boolean' && inline !== undefined)) return undefined
    const value = option.type === 'boolean' ? true : (inline ?? words.shift())
    if (value === undefined || (inline === undefined && String(value).startsWith('-'))) return undefined
    values[name] = value
  }
  try {
    return toServing(values)
  } catch {
    return undefined
  }
}
