import type { Elicit } from '../mcp/tool-service.ts'
import { nearest } from '../nearest.ts'
import { printable } from '../printable.ts'
import { toolNames, toolPrefix } from '../tools/catalog.ts'
import { faultLine, warningLines } from './loaded.ts'
import { didYouMean, quoted, toServing, UsageError, type Values } from './options.ts'
import { oneLine, render } from './render.ts'
import type { CallOutcome, CliIo, Progress } from './runtime-types.ts'

/** `call TOOL [JSON]`: 0, or 1 for an error result. */
export const callCommand = async (values: Values, io: CliIo): Promise<number> => {
  const name = toolName(String(values.TOOL))
  const args = toArguments(values.JSON)
  const runtime = await io.runtime(toServing(values))
  try {
    io.stderr(warningLines(runtime.loaded))
    if (runtime.loaded.faults.length > 0) {
      io.stderr(faultLine(runtime.loaded))
      return 2
    }
    const line = progressLine(io)
    const outcome = await runtime
      .callTool(toolPrefix + name, args, {
        signal: io.signal,
        progress: line.show,
        elicit: asking(values.yes === true, io, line.clear),
      })
      .finally(line.clear)
    await print(outcome, values.json === true, io)
    return outcome.isError ? 1 : 0
  } finally {
    await runtime.close()
  }
}

/** Shows a plan that needs a person's word and asks for it; `--yes` has given it. Tells of it where nobody can be asked. */
const asking =
  (isAgreed: boolean, { stderr, ask, signal }: CliIo, clearLine: () => void): Elicit =>
  async ({ message }) => {
    clearLine()
    if (!isAgreed && !ask) {
      stderr('No terminal to ask on. With --yes you agree to the plan beforehand.\n')
      return 'unsupported'
    }
    stderr(
      `${message
        .split('\n')
        .map(line => printable(line))
        .join('\n')}\n`,
    )
    if (isAgreed) return 'accepted'
    const answer = await ask?.('Do it? [y/N] ', signal)
    return /^\s*y(es)?\s*$/i.test(answer ?? '') ? 'accepted' : 'declined'
  }

/** A tool that flags or configuration hide is known here: its error result says what hides it. */
const toolName = (word: string): string => {
  const name = word.startsWith(toolPrefix) ? word.slice(toolPrefix.length) : word
  if (toolNames.includes(name)) return name
  throw new UsageError(`there is no tool ${quoted(word)}${near(name, toolNames)}`)
}

/** Tools are often asked for by the noun alone, so names that hold every given word count where no spelling is near. */
const near = (name: string, names: readonly string[]): string => {
  if (nearest(name, names) !== undefined) return didYouMean(name, names)
  const words = name
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(Boolean)
  const holding = words.length === 0 ? [] : names.filter(known => words.every(word => known.includes(word)))
  return holding.length === 0 ? '; the command tools lists them' : `, did you mean ${holding.join(' or ')}?`
}

const toArguments = (text: unknown): Record<string, unknown> => {
  if (text === undefined) return {}
  const wanted = 'the arguments of a tool are one JSON object, such as \'{"vault": "vault-prod"}\''
  let value: unknown
  try {
    value = JSON.parse(String(text))
  } catch (error) {
    throw new UsageError(`${wanted}; this is no JSON: ${error instanceof Error ? error.message : error}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(
      `${wanted}; this is ${Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`}`,
    )
  return value as Record<string, unknown>
}

/** JSON as it is, whatever it says; else the answer on stdout, an error on stderr. */
const print = async ({ isError, text, structured }: CallOutcome, asJson: boolean, io: CliIo): Promise<void> => {
  if (asJson) return io.stdout(`${text}\n`)
  const value = structured ?? parsed(text)
  if (isError) io.stderr(errorText(value))
  else await io.stdout(render(value))
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Code and message, what to do, then the facts. */
const errorText = (value: unknown): string => {
  const { error } = (value ?? {}) as { error?: Record<string, unknown> }
  if (!error) return render(value)
  const { code, message, remediation, ...facts } = error
  const head = `${oneLine(String(code))}: ${oneLine(String(message))}\n`
  const advice = remediation ? `${oneLine(String(remediation))}\n` : ''
  return head + advice + (Object.keys(facts).length > 0 ? render(facts) : '')
}

const barWidth = 24

/** One line on a terminal, drawn over itself; nothing elsewhere. */
const progressLine = ({ isTerminal, stderr }: CliIo) => {
  let isDrawn = false
  return {
    show: ({ progress, total, message }: Progress): void => {
      if (!isTerminal) return
      isDrawn = true
      const share = total ? Math.min(1, Math.max(0, progress / total)) : undefined
      const filled = Math.round((share ?? 0) * barWidth)
      const bar =
        share === undefined
          ? `${progress}`
          : `[${'#'.repeat(filled).padEnd(barWidth, '.')}] ${Math.round(share * 100)}%`
      stderr(`\r\u001b[K${bar} ${printable(message ?? '', 60)}`)
    },
    clear: (): void => {
      if (isDrawn) stderr('\r\u001b[K')
    },
  }
}
