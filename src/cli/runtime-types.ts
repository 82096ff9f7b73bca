import type { LoadedConfig, Toolset } from '../config/types.ts'

/** What the serving flags say; paths as given, relative ones to the working directory. */
export interface ServingOptions {
  configFile?: string
  verbose: boolean
  readOnly: boolean
  toolsets?: readonly Toolset[]
  replay?: string
  record?: string
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
    hooks: { signal: AbortSignal; progress(progress: Progress): void },
  ): Promise<CallOutcome>
  close(): Promise<void>
}

/** The process as a command sees it. */
export interface CliIo {
  stdout: (text: string) => Promise<void>
  stderr: (text: string) => void
  /** True when stderr is a terminal: only there is progress shown. */
  isTerminal: boolean
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  homeDir: string
  version: string
  /** Aborted when the user interrupts. */
  signal: AbortSignal
  files: {
    /** Undefined where there is no such file. */
    readFile(path: string): Promise<string | undefined>
    writeFile(path: string, text: string, options: { mode: number; flag: 'w' | 'wx' }): Promise<unknown>
    mkdir(path: string, options: { recursive: true; mode: number }): Promise<unknown>
    chmod(path: string, mode: number): Promise<unknown>
  }
  /** Serves MCP until stdin closes; the exit status. */
  serve: (options: ServingOptions) => Promise<number>
  /** Throws ConfigError where the options cannot be met. */
  runtime: (options: ServingOptions) => Promise<CliRuntime>
}
