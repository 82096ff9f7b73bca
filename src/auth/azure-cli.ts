/**
 * Runs the Azure CLI: the only place that starts a process.
 *
 * It runs outside the working directory, which may belong to a workspace that somebody else wrote: neither Windows, which
 * looks there first, nor a relative entry of PATH shall find an `az` in it.
 */
import type { ChildProcess } from 'node:child_process'
import { AuthError } from './auth-error.ts'

export interface CliResult {
  /** Exit status; 1 where a signal ended it. */
  code: number
  stdout: string
  stderr: string
}

/** Rejects with AuthError if there is no az, or it takes too long; with the signal's reason if cancelled. */
export type RunAzureCli = (args: string[], signal: AbortSignal) => Promise<CliResult>

const maxOutputBytes = 1024 * 1024 // an answer with a token is 3 KiB
const install = 'Install the Azure CLI (https://aka.ms/azure-cli) and run `az login`, or set AZURE_ACCESS_TOKEN.'
const isMissing = () => new AuthError('not_signed_in', 'The Azure CLI (az) is not installed, or not on PATH', install)

/** `timeoutMs`: az takes about a second, and some more when it has to ask for a new token. */
export function createAzureCli(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  timeoutMs = 30_000,
): RunAzureCli {
  return async (args, signal) => {
    signal.throwIfAborted()
    const child = platform === 'win32' ? await startOnWindows(args, env) : await start(args, env)
    const tooLong = AbortSignal.timeout(timeoutMs)
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        end(child, platform)
        reject(error)
      }
      const output = { stdout: '', stderr: '' }
      for (const name of ['stdout', 'stderr'] as const) {
        child[name]?.setEncoding('utf8').on('data', (text: string) => {
          output[name] += text
          if (output[name].length > maxOutputBytes) {
            fail(new AuthError('not_signed_in', 'The Azure CLI printed far more than a token', 'Run `az login` again.'))
          }
        })
      }
      const stopped = AbortSignal.any([signal, tooLong])
      const stop = () => fail(signal.aborted ? signal.reason : isTooSlow(timeoutMs))
      stopped.addEventListener('abort', stop, { once: true })
      child.once('error', error => fail(notStarted(error)))
      child.once('close', code => {
        stopped.removeEventListener('abort', stop)
        const isUnknown = code === 9009 || /is not recognized/.test(output.stderr)
        if (platform === 'win32' && isUnknown) return fail(isMissing())
        resolve({ code: code ?? 1, ...output })
      })
    })
  }
}

const isTooSlow = (timeoutMs: number) =>
  new AuthError(
    'not_signed_in',
    `The Azure CLI did not answer within ${timeoutMs / 1000} s`,
    'See whether `az account get-access-token` works in a terminal, or set AZURE_ACCESS_TOKEN.',
  )

function notStarted(error: Error): AuthError {
  const code = 'code' in error ? String(error.code) : error.message
  if (code === 'ENOENT') return isMissing()
  return new AuthError('not_signed_in', `The Azure CLI (az) could not be started: ${code}`, install)
}

type Env = Parameters<typeof createAzureCli>[0]

/** az is a script that starts Python: it leads a process group of its own, so that both can be ended. */
async function start(args: string[], env: Env): Promise<ChildProcess> {
  const { spawn } = await import('node:child_process')
  return spawn('az', args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], detached: true })
}

/** az.cmd can only be run by a shell, which would read more into some characters than an argument. */
async function startOnWindows(args: string[], env: Env): Promise<ChildProcess> {
  const unsafe = args.find(arg => !/^[\w./:=-]+$/.test(arg))
  if (unsafe !== undefined) {
    throw new AuthError('not_configured', 'An argument for the Azure CLI holds special characters', 'Check tenant_id.')
  }
  const { spawn } = await import('node:child_process')
  return spawn(['az.cmd', ...args].join(' '), {
    env: { ...env, NoDefaultCurrentDirectoryInExePath: '1' },
    cwd: env.SystemRoot ?? 'C:\\',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: true,
    windowsHide: true,
  })
}

function end(child: ChildProcess, platform: NodeJS.Platform) {
  child.stdout?.destroy()
  child.stderr?.destroy()
  if (child.pid === undefined || child.exitCode !== null) return
  try {
    if (platform === 'win32') child.kill()
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It ended by itself meanwhile.
  }
}
