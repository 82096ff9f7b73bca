import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { AuthError } from '../../src/auth/auth-error.ts'
import { createAzureCli } from '../../src/auth/azure-cli.ts'

const { signal } = new AbortController()
const skip = process.platform === 'win32' && 'the fake az is a shell script'

/** An environment whose `az` is this shell script; its files are in HOME. */
function fakeAz(t: Test, script: string, mode = 0o755) {
  const home = t.testdir({})
  writeFileSync(path.join(home, 'az'), `#!/bin/sh\n${script}\n`)
  chmodSync(path.join(home, 'az'), mode)
  return { HOME: home, PATH: `${home}:/usr/bin:/bin` }
}

const until = async (isTrue: () => boolean) => {
  for (let tries = 0; !isTrue(); tries++) {
    if (tries > 500) throw new Error('waited for too long')
    await setTimeout(10)
  }
}

/** False for a process that has ended, also where its new parent has not collected it yet. `ps` is not everywhere. */
const isAlive = (pid: string): boolean => {
  try {
    process.kill(Number(pid), 0)
  } catch {
    return false
  }
  if (process.platform !== 'linux') return true
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

t.test('az gets its arguments as they are and this environment, outside the working directory', { skip }, async t => {
  const env = fakeAz(t, 'printf "%s|" "$@"; printf "%s|" "$HOME"; pwd; echo oh >&2; exit 3')
  const result = await createAzureCli(env, 'linux')(['a b', '$HOME', '; ls', ''], signal)
  t.strictSame(result, { code: 3, stdout: `a b|$HOME|; ls||${env.HOME}|/\n`, stderr: 'oh\n' })
})

t.test('an az that is not there, or cannot be started, is said to be', { skip }, async t => {
  const empty = t.testdir({})
  const missing = await createAzureCli({ PATH: empty }, 'linux')([], signal).catch((error: unknown) => error)
  t.match(missing, { name: 'AuthError', code: 'not_signed_in', message: /not installed/, remediation: /az login/ })

  const { HOME } = fakeAz(t, 'true', 0o644)
  const denied = await createAzureCli({ PATH: HOME }, 'linux')([], signal).catch((error: unknown) => error)
  t.match(denied, { name: 'AuthError', message: /could not be started: EACCES/ })
})

t.test('an az that takes too long is given up', { skip }, async t => {
  const error = createAzureCli(fakeAz(t, 'sleep 60'), 'linux', 50)([], signal).catch((error: unknown) => error)
  t.match(await error, { name: 'AuthError', code: 'not_signed_in', message: /within 0.05 s/ })
})

t.test('a cancelled az is ended with what it started, and the reason is the error', { skip }, async t => {
  // It starts another process, as az starts Python, and tells both their ids.
  const env = fakeAz(t, 'sleep 60 & echo "$$ $!" > "$HOME/pids.new"; mv "$HOME/pids.new" "$HOME/pids"; wait')
  const pids = path.join(env.HOME, 'pids')
  const cancelling = new AbortController()
  const reason = new Error('the caller went away')
  const running = createAzureCli(env, 'linux')([], cancelling.signal).catch((error: unknown) => error)
  await until(() => existsSync(pids))
  const started = readFileSync(pids, 'utf8').trim().split(' ')
  t.strictSame(started.map(isAlive), [true, true])
  cancelling.abort(reason)
  t.equal(await running, reason)
  await until(() => !started.some(isAlive))

  const error = await createAzureCli(env, 'linux')([], AbortSignal.abort(reason)).catch((error: unknown) => error)
  t.equal(error, reason)
})

t.test('an az that prints without end is ended', { skip }, async t => {
  const error = await createAzureCli(fakeAz(t, 'yes secret'), 'linux')([], signal).catch((error: unknown) => error)
  t.ok(error instanceof AuthError)
  t.match(error, { message: /far more than a token/ })
})

t.test('on Windows, where a shell has to start az, nothing but plain arguments gets there', async t => {
  for (const argument of ['a&calc', 'a b', '%PATH%', '^', '"', '']) {
    const error = await createAzureCli({}, 'win32')([argument], signal).catch((error: unknown) => error)
    t.match(error, { name: 'AuthError', code: 'not_configured', message: /special characters/ })
  }
})
