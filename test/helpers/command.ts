/**
 * A command as a person starts it in a terminal, in a home of the test's own where nobody is signed in: no Azure CLI or
 * browser is on its PATH, and no metadata service answers. As a process of its own, or, where that would only cost time,
 * in this one.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import type { Test } from 'tap'
import { scopeOf } from '../../src/auth/authorise.ts'
import { runCommand } from '../../src/cli/main.ts'
import { realClock } from '../../src/clock.ts'
import { openSignIn } from '../../src/sign-in.ts'
import type { Authority, User } from './authority.ts'
import { type Ended, homeEnv, Running, startCommand } from './home.ts'
import { readIfThere, temporaryFolder } from './sign-in.ts'

type Variables = Readonly<Record<string, string>>

export class Home {
  readonly folder: string
  readonly authFile: string
  readonly env: Variables
  readonly #t: Test
  readonly #authority: Authority

  /** `lines`: of the configuration beside the authority's. */
  constructor(t: Test, authority: Authority, lines = '') {
    this.#t = t
    this.#authority = authority
    this.folder = temporaryFolder(t)
    this.config('.codex/recovery_services.toml', lines)
    this.authFile = path.join(this.folder, '.codex', 'recovery_services_auth.json')
    this.env = { ...homeEnv(this.folder), NODE_EXTRA_CA_CERTS: authority.caFile }
  }

  /** The path of what is written. */
  write(name: string, text: string, mode = 0o600): string {
    const file = path.join(this.folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text, { mode })
    return file
  }

  config(name: string, lines: string): string {
    return this.write(name, `[recovery_services]\nauthority_host = "${this.#authority.origin}"\n${lines}\n`)
  }

  /** As a process; `interrupt` is Ctrl-C. */
  start(args: readonly string[], env: Variables = {}): Running & { interrupt(): void } {
    return startCommand(this.#t, args, { cwd: this.folder, env: { ...this.env, ...env } })
  }

  run(...args: readonly string[]): Promise<Ended> {
    return this.start(args).ended
  }

  /** In this process. */
  startHere(args: readonly string[], env: Variables = {}): Running {
    const variables = { ...this.env, SSL_CERT_FILE: this.#authority.caFile, ...env }
    const { folder: homeDir } = this
    const never = async () => {
      throw new Error('this command does no such thing')
    }
    return new Running(write =>
      runCommand(args, {
        stdout: async text => write('stdout', text),
        stderr: text => write('stderr', text),
        isTerminal: false,
        ask: undefined,
        env: variables,
        cwd: homeDir,
        homeDir,
        version: '0',
        signal: new AbortController().signal,
        timeLimit: () => new AbortController().signal,
        stdinClosed: never,
        files: { ...fs, readFile: readIfThere },
        serve: never,
        signIn: ({ config }) =>
          openSignIn({
            config,
            scope: scopeOf(config.armEndpoint),
            env: variables,
            homeDir,
            platform: process.platform,
            clock: realClock,
            newId: randomUUID,
            log: (level, message) => write('stderr', `${level} ${message}\n`),
            recorded: send => send,
            inBackground: false,
          }),
        openBrowser: () => {},
        runtime: never,
        simulate: never,
      }),
    )
  }

  runHere(...args: readonly string[]): Promise<Ended> {
    return this.startHere(args).ended
  }

  /** `status --json`, read. */
  async status(...args: readonly string[]): Promise<Record<string, unknown> & { sign_in: Record<string, unknown> }> {
    return JSON.parse((await this.runHere('status', '--json', ...args)).stdout)
  }
}

export const shownCode = /enter the code (\S+) \(until \d\d:\d\d UTC\)\.\n/

/** The `login` when the person at the page has done as told. */
export const decided = async (
  login: Running,
  authority: Authority,
  decision: { user: User } | 'declined' | 'expired',
): Promise<Ended> => {
  authority.decide(await login.says(shownCode), decision)
  return login.ended
}

/** Neither a token cache nor a lock or a draft of one. */
export const nothingIsSaved = (t: Test, home: Home): void => {
  t.same(
    readdirSync(path.dirname(home.authFile)).filter(name => name.includes('auth')),
    [],
    'nothing is saved, no lock is left',
  )
}
