/**
 * Every command but plain serving. Exit status: 0 done, 1 the asked thing failed, 2 bad usage or bad configuration, with
 * one line on stderr.
 */
import { scrubText } from '../arm/scrub.ts'
import { ConfigError } from '../config/errors.ts'
import { printable } from '../printable.ts'
import { Problem } from '../problem.ts'
import { callCommand } from './call.ts'
import { configInitCommand } from './config-init.ts'
import { type CommandName, programName, toServing, UsageError, type Values } from './options.ts'
import { parseCommandLine } from './parse.ts'
import type { CliIo } from './runtime-types.ts'
import { loginCommand, logoutCommand } from './sign-in.ts'
import { simulateCommand } from './simulate.ts'
import { statusCommand } from './status.ts'
import { toolsCommand } from './tools.ts'

const handlers: Readonly<Record<CommandName, (values: Values, io: CliIo) => Promise<number>>> = {
  serve: async (values, io) => io.serve(toServing(values)),
  login: loginCommand,
  logout: logoutCommand,
  call: callCommand,
  tools: toolsCommand,
  status: statusCommand,
  simulate: simulateCommand,
  'config init': configInitCommand,
}

/** Runs what the command line asks for; the exit status. Never throws. */
export const runCommand = async (argv: readonly string[], io: CliIo): Promise<number> => {
  try {
    const parsed = await parseCommandLine(argv, io.version)
    if (parsed.kind === 'command') return await handlers[parsed.name](parsed.values, io)
    await io.stdout(parsed.text)
    return 0
  } catch (error) {
    io.stderr(`${programName}: ${printable(scrubText(sentence(error)))}\n`)
    return error instanceof UsageError || error instanceof ConfigError ? 2 : 1
  }
}

const sentence = (error: unknown): string => {
  if (error instanceof UsageError) return `${error.message} (--help shows what there is)`
  if (error instanceof Problem) return error.inOneLine
  return error instanceof Error ? error.message : String(error)
}
