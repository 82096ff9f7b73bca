/**
 * The command line through yargs, built from the tables of options.ts. yargs splits the words and writes the help; what
 * is unknown is found here, so that the message can name what was meant.
 */
import type { Argv } from 'yargs'
import {
  type Command,
  type CommandName,
  commands,
  didYouMean,
  groups,
  type Option,
  options,
  optionsOf,
  programName,
  quoted,
  UsageError,
  type Values,
} from './options.ts'

export type Parsed =
  /** Help or the version: to be printed, and that is all. */
  { kind: 'text'; text: string } | { kind: 'command'; name: CommandName; values: Values }

/** Throws UsageError. */
export const parseCommandLine = async (argv: readonly string[], version: string): Promise<Parsed> => {
  const { default: yargs } = await import('yargs')
  const parser = build(yargs([...argv]), version)
  let text = ''
  let failure: string | undefined
  const parsed = await parser.parseAsync([...argv], {}, (error, _, output) => {
    text = output
    failure = error?.message
  })
  if (failure !== undefined) throw new UsageError(inPlainWords(failure))
  if (text !== '') return { kind: 'text', text: `${text}\n` }
  const { _: words, $0: _program, ...values } = parsed
  const name = commandOf(words.map(String))
  refuseUnknown(name, values)
  return { kind: 'command', name, values }
}

const build = (parser: Argv, version: string): Argv => {
  parser.scriptName(programName).locale('en').wrap(100).exitProcess(false).version(version).help().parserConfiguration({
    'boolean-negation': false,
    'camel-case-expansion': false,
    'dot-notation': false,
    'duplicate-arguments-array': false,
    'parse-numbers': false,
    'parse-positional-numbers': false,
  })
  for (const [name, option] of Object.entries<Option>(options)) if (!option.of) addOption(parser, name, option)
  for (const [name, command] of Object.entries<Command>(commands))
    if (!name.includes(' ')) addCommand(parser, name as CommandName, command, command.usage)
  for (const [group, help] of Object.entries(groups))
    parser.command(group, help, inner => {
      for (const [name, command] of Object.entries<Command>(commands))
        if (name.startsWith(`${group} `))
          addCommand(inner, name as CommandName, command, command.usage.slice(group.length + 1))
    })
  return parser
}

const addCommand = (parser: Argv, name: CommandName, command: Command, usage: string): void => {
  parser.command(name === 'serve' ? [usage, '$0'] : usage, command.help, inner => {
    for (const [positional, describe] of Object.entries(command.positionals ?? {}))
      inner.positional(positional, { type: 'string', describe })
    for (const [option, of] of optionsOf(name)) if (of.of) addOption(inner, option, of)
  })
}

const addOption = (parser: Argv, name: string, { type, value, help }: Option): void => {
  const describe = value ? `${value}: ${help}` : help
  parser.option(name, { type, describe, ...(type === 'string' && { requiresArg: true }) })
}

const inPlainWords = (message: string): string => {
  const option = /^Not enough arguments following: (.*)$/.exec(message)?.[1]
  if (option !== undefined) return `--${option} needs a value`
  return message.startsWith('Not enough non-option arguments') ? `TOOL is missing: ${commands.call.usage}` : message
}

const commandNames = Object.keys(commands)

/** The command that the words name, of which none may be left over. */
const commandOf = (words: readonly string[]): CommandName => {
  if (words.length === 0) return 'serve'
  const name = Object.hasOwn(groups, words[0] ?? '') ? words.slice(0, 2).join(' ') : (words[0] ?? '')
  if (Object.hasOwn(groups, name)) throw new UsageError(`${name} needs a further word: ${wordsBehind(name)}`)
  if (!isCommand(name)) throw new UsageError(`there is no command ${quoted(name)}${didYouMean(name, commandNames)}`)
  const left = words[name.split(' ').length]
  if (left !== undefined) throw new UsageError(`${name} takes no ${quoted(left)}: ${commands[name].usage}`)
  return name
}

const wordsBehind = (group: string): string =>
  commandNames
    .filter(name => name.startsWith(`${group} `))
    .map(name => name.slice(group.length + 1))
    .join(', ')

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name)

const refuseUnknown = (command: CommandName, values: Values): void => {
  const { positionals }: Command = commands[command]
  const known = optionsOf(command).map(([name]) => name)
  for (const name of Object.keys(values)) {
    if (known.includes(name) || Object.hasOwn(positionals ?? {}, name)) continue
    const shown = name.length > 1 ? `--${name}` : `-${name}`
    const names = [...known, 'help', 'version']
    throw new UsageError(`${command} has no option ${quoted(shown)}${didYouMean(name, names, '--')}`)
  }
}
