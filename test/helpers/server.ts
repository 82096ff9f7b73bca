/**
 * The built server as a client starts it: a process, spoken to over its pipes. Its home is a temporary folder and its
 * environment holds nothing that the test did not give, so that no machine's own sign-in or configuration gets in.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Test } from 'tap'

export const root = path.resolve(import.meta.dirname, '../../..')
export const executable = path.join(root, 'bin/recovery-services-server')
export const toolPrefix = 'recovery_services_'

export interface Reply {
  id?: string | number
  result?: Record<string, unknown>
  error?: { code: number; message: string; data?: unknown }
  method?: string
  params?: Record<string, unknown>
}

/** What a tool call came back with: its structured content, or the error of its text block. */
export interface Called {
  isError: boolean
  /** `structuredContent`, or the object beside `error` in an error result. */
  body: Record<string, unknown>
  error: {
    code: string
    message: string
    remediation: string
    azure_code?: string
    http_status?: number
    request_id?: string
    details?: Record<string, unknown>
  }
  text: string
}

export interface Options {
  args?: readonly string[]
  env?: Readonly<Record<string, string>>
  /** Which generation `request` and `call` speak. */
  era?: 'modern' | 'legacy'
}

const prefix = 'io.modelcontextprotocol/'
/** The envelope of a modern request. */
export const envelope = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  [`${prefix}protocolVersion`]: '2026-07-28',
  [`${prefix}clientInfo`]: { name: 'test', version: '1' },
  [`${prefix}clientCapabilities`]: {},
  ...over,
})

export class Server {
  readonly process: ChildProcessWithoutNullStreams
  /** Every message written, in order. */
  readonly messages: Reply[] = []
  stderr = ''
  readonly exit: Promise<number | null>
  readonly #era: 'modern' | 'legacy'
  #rest = ''
  #nextId = 1
  #watchers: (() => void)[] = []

  constructor(t: Test, { args = [], env = {}, era = 'modern' }: Options = {}) {
    // Not `t.testdir`: that empties the folder in which the test may have laid its configuration.
    const home = mkdtempSync(path.join(tmpdir(), 'recovery-services-'))
    this.#era = era
    this.process = spawn(process.execPath, [executable, ...args], {
      cwd: home,
      // No metadata service of a machine in Azure answers either.
      env: { HOME: home, PATH: process.env.PATH, AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1', ...env },
      stdio: 'pipe',
    })
    this.exit = new Promise(go => this.process.on('close', code => go(code)))
    this.process.stdin.on('error', () => {})
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#wake()
    })
    void this.exit.then(() => this.#wake())
    t.teardown(async () => {
      this.process.kill('SIGKILL')
      await this.exit
      rmSync(home, { recursive: true, force: true })
    })
  }

  #read(text: string): void {
    this.#rest += text
    for (let end = this.#rest.indexOf('\n'); end !== -1; end = this.#rest.indexOf('\n')) {
      this.messages.push(JSON.parse(this.#rest.slice(0, end)))
      this.#rest = this.#rest.slice(end + 1)
    }
    this.#wake()
  }

  /** What was written after the last line end: nothing, once the server is quiet. */
  get unfinished(): string {
    return this.#rest
  }

  #wake(): void {
    const watchers = this.#watchers
    this.#watchers = []
    for (const look of watchers) look()
  }

  /** The first value that `look` gives, asked again after everything that the server writes. */
  async until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`the server ended with ${this.process.exitCode ?? this.process.signalCode}: ${this.stderr}`)
      await new Promise<void>(go => this.#watchers.push(go))
    }
  }

  raw(text: string | Buffer): void {
    this.process.stdin.write(text)
  }

  send(message: object): void {
    this.raw(`${JSON.stringify(message)}\n`)
  }

  answer(id: string | number): Promise<Reply> {
    return this.until(() => this.messages.find(message => message.id === id && !message.method))
  }

  /** Sends a request of this server's era and waits for its answer. */
  request(method: string, params: Record<string, unknown> = {}, meta: Record<string, unknown> = {}): Promise<Reply> {
    const id = this.#nextId++
    const dressed =
      this.#era === 'modern'
        ? { ...params, _meta: envelope(meta) }
        : Object.keys(meta).length > 0
          ? { ...params, _meta: meta }
          : params
    this.send({ jsonrpc: '2.0', id, method, params: dressed })
    return this.answer(id)
  }

  async initialize(protocolVersion = '2025-11-25'): Promise<Reply> {
    const id = this.#nextId++
    this.send({
      jsonrpc: '2.0',
      id,
      method: 'initialize',
      params: { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    })
    const reply = await this.answer(id)
    this.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    return reply
  }

  /** Calls a tool, named without its prefix. */
  async call(tool: string, args: Record<string, unknown> = {}, meta: Record<string, unknown> = {}): Promise<Called> {
    const { result, error } = await this.request('tools/call', { name: toolPrefix + tool, arguments: args }, meta)
    if (!result) throw new Error(`${tool}: ${JSON.stringify(error)}`)
    const [block] = result.content as [{ text: string }]
    const body = JSON.parse(block.text) as Called['body'] & { error: Called['error'] }
    return { isError: result.isError === true, body, error: body.error, text: block.text }
  }

  /** Closes stdin and gives the exit status. */
  end(): Promise<number | null> {
    this.process.stdin.end()
    return this.exit
  }
}
