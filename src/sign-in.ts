/**
 * Wires sign-in: the network, the token cache, the sources of tokens, and the ways in which a person signs in. Made when
 * the first token is needed, or by a command that signs somebody in or out.
 */
import fs from 'node:fs/promises'
import path from 'node:path'
import type { Send } from './arm/send.ts'
import { createUndiciSend } from './arm/undici-send.ts'
import { createAzureCli } from './auth/azure-cli.ts'
import { type BackgroundSignIn, createBackgroundSignIn } from './auth/background-sign-in.ts'
import { type AcquireLock, createCacheFile, notWritten } from './auth/cache-file.ts'
import { accountsIn, type CachedAccount, mergedCaches, withoutAccounts } from './auth/cached-accounts.ts'
import type { DeviceCode, Grant, UserAcquired } from './auth/msal.ts'
import { anyTenant, type SourceDeps, usualClientId } from './auth/sources.ts'
import { parseObject } from './auth/token-facts.ts'
import { type Credentials, createCredentials } from './auth/tokens.ts'
import { withoutEcho } from './auth/without-echo.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config/types.ts'
import type { Log } from './log.ts'
import { authFile } from './tools/secret-key.ts'

export interface SignInDeps {
  config: Config
  /** Of tokens for Azure Resource Manager. */
  scope: string
  env: Readonly<Record<string, string | undefined>>
  homeDir: string
  platform: NodeJS.Platform
  clock: Clock
  newId: () => string
  log: Log
  /** Wraps what goes to the sign-in service. */
  recorded: (send: Send) => Send
  /** True where a sign-in may go on behind the calls. */
  inBackground: boolean
}

/** How a person signs in. */
export interface LoginWish {
  tenant?: string | undefined
  clientId?: string | undefined
  claims?: string | undefined
  /** An account that the new one takes the place of. */
  insteadOf?: CachedAccount | undefined
  signal: AbortSignal
}

export interface SignedIn {
  account: string | undefined
  tenantId: string | undefined
  /** The token cache. */
  file: string
}

export interface OpenSignIn {
  /** Without a token: for those who attach one. */
  send: Send
  credentials: Credentials
  /** The token cache. */
  file: string
  /** Throws AuthError where the token cache could not keep a sign-in. */
  mustKeep(signal: AbortSignal): Promise<void>
  loginByDeviceCode(wish: LoginWish, onCode: (code: DeviceCode) => void): Promise<SignedIn>
  /** `onPage` is given the address that the user's browser has to open. */
  loginByBrowser(wish: LoginWish, onPage: (url: string) => void): Promise<SignedIn>
}

/** Throws Problem `not_configured` for a proxy setting that is no URL. */
export const openSignIn = async (deps: SignInDeps): Promise<OpenSignIn> => {
  const { config, scope, env, homeDir, platform, clock, log, recorded } = deps
  const { authorityHost, http, auth, tenantId } = config
  const network = {
    timeoutSeconds: http.timeoutSeconds,
    readFile: (file: string) => fs.readFile(file, 'utf8'),
    warn: (text: string) => log('warning', text),
  }
  const { send } = await createUndiciSend({ ...network, proxy: http.proxy, env })
  const toAuthority = recorded(withoutEcho(send))
  let direct: ReturnType<typeof createUndiciSend> | undefined
  const sendHere: Send = async (request, signal) => {
    direct ??= createUndiciSend({ ...network, env: {} })
    return recorded(withoutEcho((await direct).send))(request, signal)
  }
  const cache = createCacheFile({
    file: authFile(env, homeDir),
    files: { ...fs, readFile: readIfThere },
    lock,
    clock,
    platform,
    newId: deps.newId,
    log,
  })

  const acquire = async (
    wish: LoginWish,
    run: (
      grant: Grant,
      network: { send: Send; clock: Clock; authorityHost: string; signal: AbortSignal },
    ) => Promise<UserAcquired>,
  ): Promise<SignedIn> => {
    const { signal } = wish
    const grant: Grant = {
      method: 'user',
      authorityHost,
      tenant: wish.tenant ?? tenantId ?? anyTenant,
      clientId: wish.clientId ?? auth.clientId ?? usualClientId,
      scope,
      claims: wish.claims,
    }
    const {
      account,
      tenantId: tenant,
      token,
      cacheText,
    } = await run(grant, { send: toAuthority, clock, authorityHost, signal })
    const added = accountsIn(cacheText)
    await cache.update(signal, async text => {
      const { insteadOf } = wish
      const isOther = insteadOf && !added.some(({ homeAccountId }) => homeAccountId === insteadOf.homeAccountId)
      return { text: mergedCaches(isOther ? withoutAccounts(text, [insteadOf]) : text, cacheText), value: undefined }
    })
    // A server has it in memory; a command ends with it.
    if (!deps.inBackground && !(await cache.kept()).includes(JSON.stringify(token)))
      throw notWritten(cache.file, 'the sign-in is lost')
    return { account, tenantId: tenant, file: cache.file }
  }

  const loginByDeviceCode: OpenSignIn['loginByDeviceCode'] = (wish, onCode) =>
    acquire(wish, async (grant, network) => (await import('./auth/msal.ts')).byDeviceCode(grant, onCode, network))

  const background: BackgroundSignIn | undefined = deps.inBackground
    ? createBackgroundSignIn({
        signIn: async (wanted, onCode, signal) => {
          const { account } = await loginByDeviceCode({ ...wanted, signal }, onCode)
          return account ?? 'an account without a name'
        },
        clock,
        log,
      })
    : undefined

  const sourceDeps: SourceDeps = {
    method: auth.method,
    tenantId,
    clientId: auth.clientId,
    account: auth.account,
    authorityHost,
    env,
    platform,
    clock,
    send: toAuthority,
    sendHere,
    readBytes: file => fs.readFile(file),
    isThere: file =>
      fs.access(file, fs.constants.R_OK).then(
        () => true,
        () => false,
      ),
    isAzureCliSignedIn: () => isAzureCliSignedIn(env, homeDir),
    cache,
    runAzureCli: createAzureCli(env, platform),
  }
  return {
    send,
    file: cache.file,
    mustKeep: cache.mustKeep,
    credentials: createCredentials({ ...sourceDeps, scope, clock, log, background }),
    loginByDeviceCode,
    loginByBrowser: async (wish, onPage) => {
      const { loopback } = await import('./auth/loopback.ts')
      const listener = await loopback(wish.signal)
      const trip = {
        redirectUri: listener.redirectUri,
        open: (url: string, state: string) => {
          onPage(url)
          return listener.answer(state)
        },
      }
      try {
        const signedIn = await acquire(wish, async (grant, network) =>
          (await import('./auth/msal.ts')).byBrowser(grant, trip, network),
        )
        await listener.say(`Signed in${signedIn.account === undefined ? '' : ` as ${signedIn.account}`}.`)
        return signedIn
      } catch (error) {
        const why = error instanceof Error ? `: ${error.message.replace(/[^.!?]$/, '$&.')}` : '.'
        await listener.say(`Not signed in${why} The terminal says what to do.`)
        throw error
      } finally {
        await listener.close()
      }
    },
  }
}

/** Of the file's own process: the library takes a while to load and is needed by few calls. */
const lock = async (): Promise<AcquireLock> => (await import('./auth/cache-lock.ts')).acquireLock

/** What cannot hold a cache, such as a named pipe, must not be waited for. */
const readIfThere = async (file: string): Promise<string | undefined> => {
  try {
    const stat = await fs.stat(file)
    if (!stat.isFile()) throw Object.assign(new Error(file), { code: 'not a file' })
    return await fs.readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A user without a home may have a file in its place, such as /dev/null.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** The Azure CLI keeps the subscriptions of its accounts in one file (https://learn.microsoft.com/cli/azure/azure-cli-configuration). */
const isAzureCliSignedIn = async (env: SignInDeps['env'], homeDir: string): Promise<boolean> => {
  const folder = env.AZURE_CONFIG_DIR || path.join(homeDir, '.azure')
  const text = await fs.readFile(path.join(folder, 'azureProfile.json'), 'utf8').catch(() => '')
  const { subscriptions } = parseObject(text.replace(/^\uFEFF/, ''))
  return Array.isArray(subscriptions) && subscriptions.length > 0
}
