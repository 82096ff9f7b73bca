/**
 * The entry: arguments, wiring, signals. The only file that touches `process`. What is imported here is loaded before the
 * first request is answered, so everything else waits behind a dynamic import.
 */
import fs from 'node:fs'
import { parseServing, programName, UsageError } from './cli/options.ts'
import type { CliRuntime, ServingOptions, Simulated, SimulateOptions } from './cli/runtime-types.ts'
import { realClock } from './clock.ts'
import type { LoadedConfig } from './config/types.ts'
import { version } from './generated/catalog.ts'
import { type Log, type LogLevel, reaches } from './log.ts'
import { Processor } from './mcp/processor.ts'
import { printable } from './printable.ts'
import { Problem } from './problem.ts'
import { LineSplitter, LineWriter } from './rpc/lines.ts'
import type { Runtime } from './runtime.ts'
import type { OpenSignIn } from './sign-in.ts'
import { listText } from './tools/catalog.ts'
import { createToolService } from './tools/service.ts'

/** Opened by the first write (it costs 2 ms). A reader of it that is gone harms nobody. */
const stderr = once(() => process.stderr.on('error', () => {}))

/**
 * Lines on stderr: time, level, message, fields. Writes are told at `notice`, so they show without --verbose. What is told
 * of a fault may quote anything: it is scrubbed, by what is loaded for it then.
 */
const stderrLog = (threshold: LogLevel): Log => {
  return (level, message, fields = {}) => {
    if (!reaches(level, threshold)) return
    const told = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
    const line = `${new Date().toISOString()} ${level} ${message}${told.join('')}\n`
    if (!reaches(level, 'error')) stderr().write(line)
    else void import('./arm/scrub.ts').then(({ scrubText }) => stderr().write(scrubText(line)))
  }
}

const complain = (text: string): void => {
  stderr().write(`${programName}: ${text}\n`)
}

/** Gives every caller what the first one's call makes. */
function once<Args extends unknown[], T>(make: (...args: Args) => T): (...args: Args) => T {
  let made: { value: T } | undefined
  return (...args) => {
    made ??= { value: make(...args) }
    return made.value
  }
}

const loadConfiguration = async ({
  configFile,
  readOnly,
  toolsets,
  simulate,
}: ServingOptions): Promise<LoadedConfig> => {
  const [{ loadConfig }, { home }] = await Promise.all([import('./config/config.ts'), import('./home.ts')])
  const overrides = { readOnly, toolsets }
  return loadConfig({
    configFile,
    env: process.env,
    homeDir: home(),
    cwd: process.cwd(),
    readFile: readIfThere,
    overrides,
    isSimulated: simulate !== undefined,
  })
}

const maxFileMiB = 64 // of a configuration, which may stand among much else

/**
 * Undefined where there is no such file. A named pipe or a device, which may have come with a workspace, is none: reading
 * it could last for ever, and would hold up the end of the process too.
 */
const readIfThere = async (file: string): Promise<string | undefined> => {
  const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants // Windows has no O_NONBLOCK
  let opened: fs.promises.FileHandle | undefined
  try {
    opened = await fs.promises.open(file, O_RDONLY | O_NONBLOCK)
    const stat = await opened.stat()
    if (!stat.isFile() && !stat.isDirectory()) throw Object.assign(new Error(file), { code: 'not a file' })
    if (stat.size > maxFileMiB * 1024 * 1024)
      throw Object.assign(new Error(file), { code: `larger than ${maxFileMiB} MiB` })
    return await opened.readFile('utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  } finally {
    await opened?.close()
  }
}

/** `drained`: what answers wait for before they leave, where somebody has to read them. */
const startRuntime = async (
  loaded: LoadedConfig,
  options: ServingOptions,
  log: Log,
  drained?: () => Promise<void> | undefined,
): Promise<Runtime> => {
  const [{ createRuntime }, { randomUUID }, { home }] = await Promise.all([
    import('./runtime.ts'),
    import('node:crypto'),
    import('./home.ts'),
  ])
  return createRuntime({
    loaded,
    options,
    clock: realClock,
    log,
    env: process.env,
    cwd: process.cwd(),
    homeDir: home(),
    platform: process.platform,
    pid: process.pid,
    random: Math.random,
    newId: randomUUID,
    isServing: drained !== undefined,
    drained: drained ?? (() => undefined),
  })
}

/** What is wrong with the files that flags name, as far as that shows before anything is asked. */
const missingFile = ({ replay, simulate }: ServingOptions): string | undefined => {
  const seed = simulate?.seed
  if (replay !== undefined && !fs.existsSync(replay)) return `--replay ${replay}: there is no such file or folder`
  return seed === undefined || fs.existsSync(seed) ? undefined : `--seed ${seed}: there is no such file`
}

const oneLine = (error: unknown): string =>
  printable(error instanceof Problem ? error.inOneLine : error instanceof Error ? error.message : String(error))

const uncaught = (error: unknown): string =>
  `a fault nobody caught: ${error instanceof Error ? error.stack : String(error)}`

/** Node's own way of telling shows every property of an error. A command ends then, serving goes on: the last one counts. */
const onUncaught = (tell: (error: unknown) => void): void => {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.removeAllListeners(event).on(event, tell)
}

/** How long requests in flight may go on after stdin closed, and how long a full pipe may then hold the process. */
const graceMs = 1000
const flushMs = 500
/** How long a client may say nothing before the configuration is looked at all the same. */
const silenceMs = 100

/** Serves MCP until stdin closes. Resolves with the exit status. */
const serve = async (options: ServingOptions): Promise<number> => {
  console.log = console.error // stdout carries protocol lines only, whatever a library prints
  const unusable = missingFile(options)
  if (unusable !== undefined) {
    complain(printable(unusable))
    return 2
  }
  if (process.stdin.isTTY) complain('speaks MCP with the client that starts it; --help shows the commands for people')
  const log = stderrLog(options.verbose ? 'debug' : 'notice')
  const config = once(async () => {
    const loaded = await loadConfiguration(options)
    for (const warning of loaded.warnings) complain(warning)
    if (loaded.faults.length > 0) complain(`no tool runs until the configuration is right: ${loaded.faults.join(' ')}`)
    return loaded
  })
  // A named file that cannot be used ends the process (below): what was asked meanwhile is not answered, nor complained of.
  const usable = () =>
    options.configFile === undefined ? config() : config().catch(() => new Promise<never>(() => {}))
  const writer = new LineWriter(process.stdout)
  const notSaved = (error: unknown) => complain(`the state of the simulated Azure was not saved: ${oneLine(error)}`)
  let closeRuntime = async () => {}
  const runtime = once((loaded: LoadedConfig) => {
    const started = startRuntime(loaded, options, log, () => writer.drained())
    closeRuntime = () =>
      started.then(
        ({ close }) => close().catch(notSaved),
        () => {},
      )
    return started
  })
  const tools = createToolService(usable, runtime)
  const processor = new Processor({ writer, tools, clock: realClock, log })

  // A reader that is gone wants no answers and no complaints.
  process.stdout.on('error', () => closeRuntime().finally(() => process.exit(0)))
  onUncaught(error => log('error', uncaught(error)))

  const end = async (waitMs: number): Promise<void> => {
    await processor.close(waitMs)
    await Promise.race([writer.flush(), realClock.sleep(flushMs)])
  }
  const signalled = new Promise<number>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () =>
        end(0)
          .then(closeRuntime)
          .then(() => resolve(0)),
      )
  })
  // What is wrong with the configuration is told also to a client that asks for no tools: behind the first answer, which
  // must not wait for it, or when none is asked for.
  const { configFile, simulate } = options
  const isKept = simulate?.seed !== undefined || simulate?.state !== undefined
  const namesFiles = configFile !== undefined || isKept
  const files = once(async () => {
    const loaded = await config()
    if (isKept) await runtime(loaded)
  })
  let judge = () => {}
  const refused = new Promise<number>(resolve => {
    judge = once(() => {
      files().catch(error => {
        if (!namesFiles) throw error
        complain(oneLine(error))
        resolve(2)
      })
    })
  })
  const timer = setTimeout(judge, silenceMs)
  const finished = readLines(processor, log, () => setImmediate(judge)).then(async () => {
    clearTimeout(timer)
    await end(graceMs)
    judge()
    await (namesFiles ? files().catch(() => new Promise<never>(() => {})) : config())
    await closeRuntime()
    return 0
  })
  return Promise.race([finished, signalled, refused])
}

/** By events, not by `for await`, which costs 2 ms at start. Where the processor asks for a pause, nothing more is read. */
const readLines = (processor: Processor, log: Log, onChunk: () => void): Promise<void> =>
  new Promise(resolve => {
    const { stdin } = process
    const splitter = new LineSplitter()
    const take = async (chunk: Buffer): Promise<void> => {
      for (const line of splitter.push(chunk)) {
        const wait = processor.receive(line)
        if (!wait) continue
        stdin.pause()
        await wait
      }
      stdin.resume()
      onChunk()
    }
    stdin.on('data', take)
    stdin.on('end', resolve)
    stdin.on('error', error => {
      log('error', `stdin failed: ${String(error)}`)
      resolve()
    })
  })

/** `confirmation` says how a client's user is asked. Whoever runs a command is there to be asked, or has said --yes. */
const askedHere = (loaded: LoadedConfig): LoadedConfig =>
  loaded.config.confirmation === 'argument'
    ? { ...loaded, config: { ...loaded.config, confirmation: 'elicit' } }
    : loaded

/** The tools for one command in a terminal: the same service that the protocol has. */
const commandRuntime = async (options: ServingOptions): Promise<CliRuntime> => {
  const unusable = missingFile(options)
  if (unusable !== undefined) throw new UsageError(unusable)
  const log = stderrLog(options.verbose ? 'debug' : 'notice')
  const configured = askedHere(await loadConfiguration(options))
  const runtime = once(() => startRuntime(configured, options, log))
  // Its files are looked at before anything is done, and it names the vault.
  const simulated = options.simulate && (await runtime())
  const loaded = simulated?.loaded ?? configured
  const tools = createToolService(async () => loaded, runtime)
  return {
    loaded,
    listTools: () => `{"tools":${listText(loaded, { annotations: true, output: true })}}`,
    callTool: async (name, given, hooks) => {
      const { isError, json } = await tools.call({ name, arguments: given, log, ...hooks })
      return { isError, text: json }
    },
    close: async () => simulated?.close(),
  }
}

/** The simulated Azure alone, for clients of any kind. */
const simulate = async ({ port, verbose, ...flags }: SimulateOptions): Promise<Simulated> => {
  const [{ openSimulation }, { listen }] = await Promise.all([import('./simulation.ts'), import('./simulator/http.ts')])
  const log = stderrLog(verbose ? 'debug' : 'notice')
  const { world, defaultVault, onAnswered, close } = await openSimulation(flags, {
    cwd: process.cwd(),
    clock: realClock,
    log,
  })
  const listening = await listen(
    world,
    port,
    error => log('error', uncaught(error)),
    (method, url, status) => {
      onAnswered(method)
      log('debug', 'answered', { method, url, status })
    },
  )
  const [token = ''] = world.state.tokens
  return {
    endpoint: listening.endpoint,
    ...defaultVault,
    token,
    close: async () => {
      await listening.close()
      await close()
    },
  }
}

const stdinClosed = (): Promise<void> =>
  new Promise(resolve => {
    for (const event of ['end', 'close', 'error'] as const) process.stdin.on(event, () => resolve())
    process.stdin.resume()
  })

const askOnTerminal = async (question: string, signal: AbortSignal): Promise<string> => {
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // The end of input (Ctrl-D) is no answer.
  const closed = new Promise<string>(resolve => terminal.once('close', () => resolve('')))
  try {
    return await Promise.race([terminal.question(question, { signal }), closed])
  } finally {
    terminal.close()
  }
}

/** Who is signed in, and how somebody does: for one command. */
const openSignIn = async (loaded: LoadedConfig, verbose: boolean): Promise<OpenSignIn> => {
  const [{ openSignIn }, { scopeOf }, { randomUUID }, { home }] = await Promise.all([
    import('./sign-in.ts'),
    import('./auth/authorise.ts'),
    import('node:crypto'),
    import('./home.ts'),
  ])
  return openSignIn({
    config: loaded.config,
    scope: scopeOf(loaded.config.armEndpoint),
    env: process.env,
    homeDir: home(),
    platform: process.platform,
    clock: realClock,
    newId: randomUUID,
    log: stderrLog(verbose ? 'debug' : 'notice'),
    recorded: send => send,
    inBackground: false,
  })
}

const runCommandLine = async (argv: readonly string[]): Promise<number> => {
  const [{ runCommand }, { home }] = await Promise.all([import('./cli/main.ts'), import('./home.ts')])
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupted.abort(new Error('interrupted')))
  process.stdout.on('error', () => process.exit(0))
  onUncaught(error => {
    stderrLog('notice')('error', uncaught(error))
    setImmediate(() => process.exit(1)) // behind the line
  })
  return runCommand(argv, {
    stdout: text => new Promise(resolve => process.stdout.write(text, () => resolve())),
    stderr: text => void stderr().write(text),
    isTerminal: process.stderr.isTTY === true,
    ask: process.stdin.isTTY && process.stderr.isTTY ? askOnTerminal : undefined,
    env: process.env,
    cwd: process.cwd(),
    homeDir: home(),
    version,
    signal: interrupted.signal,
    timeLimit: ms => AbortSignal.timeout(ms),
    files: { ...fs.promises, readFile: readIfThere },
    serve,
    stdinClosed,
    signIn: openSignIn,
    openBrowser: url =>
      void import('./auth/open-browser.ts').then(open => open.openBrowser(url, process.platform, process.env)),
    runtime: commandRuntime,
    simulate,
  })
}

const main = async (): Promise<void> => {
  const argv = process.argv.slice(2)
  const serving = parseServing(argv)
  // Pooled connections and open pipes would keep the process alive: the end is said, not waited for.
  process.exit(await (serving ? serve(serving) : runCommandLine(argv)))
}

void main()
