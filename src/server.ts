/**
 * The entry: arguments, wiring, signals. The only file that touches `process`. What is imported here is loaded before the
 * first request is answered, so everything else waits behind a dynamic import.
 */
import { parseServing } from './cli/options.ts'
import type { ServingOptions } from './cli/runtime-types.ts'
import { realClock } from './clock.ts'
import type { LoadedConfig } from './config/types.ts'
import { type Log, type LogLevel, reaches } from './log.ts'
import { Processor } from './mcp/processor.ts'
import { LineSplitter, LineWriter } from './rpc/lines.ts'
import { createToolService, type ToolRunner } from './tools/service.ts'

/** Lines on stderr: time, level, message, fields. Writes are told at `notice`, so they show without --verbose. */
const stderrLog = (threshold: LogLevel): Log => {
  return (level, message, fields = {}) => {
    if (!reaches(level, threshold)) return
    const told = Object.entries(fields).map(([name, value]) => ` ${name}=${typeof value === 'string' ? JSON.stringify(value) : value}`)
    process.stderr.write(`${new Date().toISOString()} ${level} ${message}${told.join('')}\n`)
  }
}

/** The value of the first call, for all calls. */
const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

const complain = (text: string): void => {
  process.stderr.write(`recovery-services-server: ${text}\n`)
}

const loadedConfig = async ({ configFile, readOnly, toolsets }: ServingOptions): Promise<LoadedConfig> => {
  const [{ loadConfig }, { homedir }] = await Promise.all([import('./config/config.ts'), import('node:os')])
  const overrides = { readOnly, toolsets }
  return loadConfig({ configFile, env: process.env, homeDir: homedir(), cwd: process.cwd(), readFile: readIfThere, overrides })
}

/** Undefined where there is no such file. */
const readIfThere = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })

const runtimeFor = (options: ServingOptions, log: Log) => async (loaded: LoadedConfig): Promise<ToolRunner> => {
  const [{ createRuntime }, { randomUUID }] = await Promise.all([import('./runtime.ts'), import('node:crypto')])
  return createRuntime({
    loaded,
    options,
    clock: realClock,
    log,
    env: process.env,
    cwd: process.cwd(),
    platform: process.platform,
    pid: process.pid,
    random: Math.random,
    newId: randomUUID,
  })
}

/** How long requests in flight may go on after stdin closed, and how long a full pipe may then hold the process. */
const graceMs = 1000
const flushMs = 500

const serve = async (options: ServingOptions): Promise<void> => {
  console.log = console.error // stdout carries protocol lines only, whatever a library prints
  const log = stderrLog(options.verbose ? 'debug' : 'notice')
  const config = once(async () => {
    const loaded = await loadedConfig(options)
    for (const warning of loaded.warnings) complain(warning)
    if (loaded.faults.length > 0) complain(`no tool runs until the configuration is right: ${loaded.faults.join('; ')}`)
    return loaded
  })
  const runner = runtimeFor(options, log)
  let made: Promise<ToolRunner> | undefined
  const tools = createToolService(config, loaded => {
    made ??= runner(loaded)
    return made
  })
  const writer = new LineWriter(process.stdout)
  const processor = new Processor({ writer, tools, clock: realClock, log })

  let isEnding = false
  const end = async (code: number, waitMs: number): Promise<void> => {
    if (isEnding) return
    isEnding = true
    await processor.close(waitMs)
    await Promise.race([writer.flush(), realClock.sleep(flushMs)])
    process.exit(code)
  }
  // A reader that is gone wants no answers and no complaints.
  process.stdout.on('error', () => process.exit(0))
  process.stderr.on('error', () => {})
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end(0, 0))
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, error => log('error', `a fault nobody caught: ${error instanceof Error ? error.stack : String(error)}`))

  // A named file that is not there is told at once, also to somebody who never calls a tool.
  if (options.configFile !== undefined)
    config().catch(error => {
      complain(error instanceof Error ? error.message : String(error))
      void end(2, 0)
    })

  const splitter = new LineSplitter()
  try {
    for await (const chunk of process.stdin)
      for (const line of splitter.push(chunk)) {
        const wait = processor.receive(line)
        if (wait) await wait
      }
  } catch (error) {
    log('error', `stdin failed: ${String(error)}`)
  }
  await end(0, graceMs)
}

const main = async (argv: readonly string[]): Promise<void> => {
  const serving = parseServing(argv)
  if (serving) return serve(serving)
  const { runCommandLine } = await import('./node-cli.ts')
  process.exitCode = await runCommandLine(argv)
}

void main(process.argv.slice(2))
