import type { LoadedConfig, Toolset } from '../config/types.ts'
import type { Elicit } from '../mcp/tool-service.ts'
import type { OpenSignIn } from '../sign-in.ts'

/** What the flags of the simulated Azure say; paths as given. */
export interface SimulationFlags {
  timeScale: number
  seed?: string
  state?: string
}

/** What the serving flags say; paths as given, relative ones to the working directory. */
export interface ServingOptions {
  configFile?: string
  verbose: boolean
  readOnly: boolean
  toolsets?: readonly Toolset[]
  replay?: string
  record?: string
  /** Answers come from the simulated Azure in this process. */
  simulate?: SimulationFlags
}

export interface SimulateOptions extends SimulationFlags {
  verbose: boolean
  port: number
}

/** A simulated Azure that listens. */
export interface Simulated {
  endpoint: string
  /** Of the default vault. */
  subscription_id: string
  resource_group: string
  vault_name: string
  token: string
  close(): Promise<void>
}

export interface Progress {
  progress: number
  total?: number | undefined
  message?: string | undefined
}

export interface CallOutcome {
  isError: boolean
  /** The JSON of the result's text block. */
  text: string
  structured?: unknown
}

/** The tools as the server has them, for one command in a terminal. */
export interface CliRuntime {
  loaded: LoadedConfig
  /** JSON text of the tools/list result. */
  listTools(): string
  /** `name` with its prefix. What a caller can mend is an outcome with `isError`, everything else is thrown. */
  callTool(
    name: string,
    args: Record<string, unknown>,
    hooks: { signal: AbortSignal; progress(progress: Progress): void; elicit: Elicit },
  ): Promise<CallOutcome>
  close(): Promise<void>
}

/** The process as a command sees it. */
export interface CliIo {
  stdout: (text: string) => Promise<void>
  stderr: (text: string) => void
  /** True when stderr is a terminal: only there is progress shown. */
  isTerminal: boolean
  /** Asks the person at the terminal; undefined where stdin or stderr is none. The answer is one line. */
  ask: ((question: string, signal: AbortSignal) => Promise<string>) | undefined
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  homeDir: string
  version: string
  /** Aborted when the user interrupts, or the process is to end. */
  signal: AbortSignal
  /** Aborted when so many milliseconds are over. */
  timeLimit: (ms: number) => AbortSignal
  /** Resolves when stdin is at its end; nothing reads it otherwise. */
  stdinClosed: () => Promise<void>
  files: {
    /** Undefined where there is no such file. */
    readFile(path: string): Promise<string | undefined>
    writeFile(path: string, text: string, options: { mode: number; flag: 'w' | 'wx' }): Promise<unknown>
    mkdir(path: string, options: { recursive: true; mode: number }): Promise<unknown>
    chmod(path: string, mode: number): Promise<unknown>
  }
  /** Serves MCP until stdin closes; the exit status. */
  serve: (options: ServingOptions) => Promise<number>
  /** Sign-in as the configuration has it. */
  signIn: (loaded: LoadedConfig, verbose: boolean) => Promise<OpenSignIn>
  /** Shows a page in the browser, where there is one. */
  openBrowser: (url: string) => void
  /** Throws ConfigError where the options cannot be met. */
  runtime: (options: ServingOptions) => Promise<CliRuntime>
  /** Throws ConfigError for a file that cannot be used. */
  simulate: (options: SimulateOptions) => Promise<Simulated>
}
