/**
 * One of several processes that share a token cache: the real credentials over the real cache file, told by its parent what
 * time it is and whom to fetch tokens for. It says when it asks the sign-in service, so that it can be killed at it.
 */
import fs from 'node:fs/promises'
import { createUndiciSend } from '../../src/arm/undici-send.ts'
import { mergedCaches } from '../../src/auth/cached-accounts.ts'
import { type Credentials, createCredentials } from '../../src/auth/tokens.ts'
import { realClock } from '../../src/clock.ts'
import { armScope, cacheFileAt } from './sign-in.ts'

export interface WorkerSettings {
  name: string
  file: string
  authorityHost: string
  caFile: string
}
/** `added`: the text of a cache with a new account, to be put in as `login` does. */
export type Order = { kind: 'fetch'; now: number; accounts: string[] } | { kind: 'add'; added: string }
export type Told = { kind: 'ready' } | { kind: 'asks' } | { kind: 'done'; errors: string[]; warnings: string[] }

const { name, file, authorityHost, caFile } = JSON.parse(process.argv[2] ?? '') as WorkerSettings
const tell = (told: Told): void => void process.send?.(told)
const { signal } = new AbortController()
let now = 0

const { send } = await createUndiciSend({
  timeoutSeconds: 20,
  env: { SSL_CERT_FILE: caFile },
  readFile: path => fs.readFile(path, 'utf8'),
  warn: () => {},
})
// The shortest time that proper-lockfile allows.
const { cache, logged } = cacheFileAt(file, { staleMs: 2000 })
const absent = async () => false

const credentialsOf = (account: string): Credentials =>
  createCredentials({
    method: 'user',
    account,
    authorityHost,
    scope: armScope,
    env: {},
    platform: process.platform,
    clock: { ...realClock, now: () => now },
    send: async (request, stop) => {
      if (request.method === 'POST') tell({ kind: 'asks' })
      // The authority notes who asked.
      return send(request.body === undefined ? request : { ...request, body: `${request.body}&worker=${name}` }, stop)
    },
    sendHere: send,
    readBytes: path => fs.readFile(path),
    isThere: absent,
    isAzureCliSignedIn: absent,
    cache,
    runAzureCli: async () => ({ code: 1, stdout: '', stderr: '' }),
    log: (level, message, fields = {}) => void logged.push({ level, message, fields }),
  })
const held = new Map<string, Credentials>()

const errorsFor = async (account: string): Promise<string[]> => {
  const credentials = held.get(account) ?? credentialsOf(account)
  held.set(account, credentials)
  try {
    const token = await credentials.getToken(armScope, { signal })
    return token.account === account ? [] : [`${account} was given a token of ${token.account}`]
  } catch (error) {
    return [`${account}: ${error instanceof Error ? error.stack : String(error)}`]
  }
}

process.on('message', async (order: Order) => {
  const errors: string[] = []
  if (order.kind === 'add') {
    await cache
      .update(signal, async text => ({ text: mergedCaches(text, order.added), value: undefined }))
      .catch(error => errors.push(String(error)))
  } else {
    now = order.now
    for (const account of order.accounts) errors.push(...(await errorsFor(account)))
  }
  tell({ kind: 'done', errors, warnings: logged.splice(0).map(({ message }) => message) })
})
process.on('disconnect', () => process.exit())
await import('../../src/auth/msal.ts')
tell({ kind: 'ready' })
