/** What a process finds in a home of the test's own: nobody but those whom the test puts there. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { executable } from './server.ts'

/** No Azure CLI and no browser is on its PATH, and no metadata service answers. */
export const homeEnv = (home: string): Record<string, string> => ({
  HOME: home,
  PATH: path.join(home, 'bin'),
  AZURE_CONFIG_DIR: path.join(home, 'azure'),
  AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1',
})

/** An `az` that is this shell script, and, where `isSignedIn`, the file that says so. */
export const putAzureCli = (home: string, script: string, isSignedIn: boolean): void => {
  const env = homeEnv(home)
  for (const folder of [env.PATH, env.AZURE_CONFIG_DIR]) mkdirSync(folder as string, { recursive: true })
  const file = path.join(env.PATH as string, 'az')
  writeFileSync(file, `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`)
  chmodSync(file, 0o755)
  const profile = { subscriptions: isSignedIn ? [{ id: 'one' }] : [] }
  // As the Azure CLI writes it.
  writeFileSync(path.join(env.AZURE_CONFIG_DIR as string, 'azureProfile.json'), `\uFEFF${JSON.stringify(profile)}`)
}

export interface Ended {
  status: number | null
  stdout: string
  stderr: string
}

/** A command that runs. */
export class Running {
  stdout = ''
  stderr = ''
  readonly ended: Promise<Ended>
  #isOver = false
  #watchers: (() => void)[] = []

  /** `run` is given where its output goes, and resolves with the exit status. */
  constructor(run: (write: (stream: 'stdout' | 'stderr', text: string) => void) => Promise<number | null>) {
    const wake = () => {
      for (const look of this.#watchers.splice(0)) look()
    }
    const status = run((stream, text) => {
      this[stream] += text
      wake()
    })
    this.ended = status.then(status => {
      this.#isOver = true
      wake()
      return { status, stdout: this.stdout, stderr: this.stderr }
    })
  }

  /** What the pattern's first group finds on stderr, as soon as it is there. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.stderr)?.[1]
      if (found !== undefined) return found
      if (this.#isOver) throw new Error(`it ended: ${this.stderr}`)
      await new Promise<void>(go => this.#watchers.push(go))
    }
  }
}

/** As a process of its own; `interrupt` is Ctrl-C. */
export const startCommand = (
  t: Test,
  args: readonly string[],
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
): Running & { interrupt(): void } => {
  const child: ChildProcess = spawn(process.execPath, [executable, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const running = new Running(write => {
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream]?.setEncoding('utf8').on('data', (text: string) => write(stream, text))
    return new Promise(go => child.on('close', go))
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await running.ended
  })
  return Object.assign(running, { interrupt: () => void child.kill('SIGINT') })
}
