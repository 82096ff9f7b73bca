/**
 * A sign-in that goes on behind the calls: the first call that finds nobody starts it, every other one meanwhile is given
 * the same page and code. What it ends with is kept for the next call.
 */
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { AuthError, type NewSignIn } from './auth-error.ts'
import type { DeviceCode } from './msal.ts'

export interface BackgroundSignIn {
  /** Starts one, or joins the one that goes on. `limitMs`: how long to wait for the code. */
  offer(wanted: NewSignIn, limitMs: number): Promise<Offer>
  /**
   * Ends the one that goes on: nobody is to be signed in, or somebody is otherwise, by a token for `met`. One that was
   * started for other claims goes on then.
   */
  cancel(met?: { claims: string | undefined }): void
}

export interface Offer {
  /** Undefined while the service has not answered. */
  code?: DeviceCode
  /** Why none can be started now, or why the one before ended. */
  error?: AuthError
}

export interface BackgroundDeps {
  /** Signs in and saves it; resolves with the account's name. */
  signIn(wanted: NewSignIn, onCode: (code: DeviceCode) => void, signal: AbortSignal): Promise<string>
  clock: Pick<Clock, 'sleep'>
  log: Log
}

export const createBackgroundSignIn = ({ signIn, clock, log }: BackgroundDeps): BackgroundSignIn => {
  let going: { code: Promise<DeviceCode>; stop: AbortController; claims: string | undefined } | undefined
  let ended: AuthError | undefined

  const start = (wanted: NewSignIn) => {
    const stop = new AbortController()
    const code = new Promise<DeviceCode>((resolve, reject) => {
      const done = signIn(
        wanted,
        given => {
          const until = new Date(given.expiresAtMs).toISOString()
          log('notice', 'to sign in, open the page and enter the code', { page: given.url, code: given.code, until })
          resolve(given)
        },
        stop.signal,
      )
      const over = () => {
        if (going === mine) going = undefined
      }
      done.then(
        account => {
          over()
          log('notice', 'signed in', { account })
        },
        (error: unknown) => {
          over()
          reject(error)
          if (stop.signal.aborted) return
          if (error instanceof AuthError) {
            ended = error
            log('warning', 'the sign-in did not succeed', { why: error.inOneLine })
          } else log('error', `the sign-in failed: ${error instanceof Error ? error.stack : String(error)}`)
        },
      )
    })
    code.catch(() => {}) // it may fail when nobody waits for it any more
    const mine = { code, stop, claims: wanted.claims }
    going = mine
    return mine
  }

  return {
    offer: async (wanted, limitMs) => {
      const before = ended
      ended = undefined
      const { code } = going ?? start(wanted)
      const late = new AbortController()
      try {
        const found = await Promise.race([code, clock.sleep(limitMs, late.signal).then(() => undefined)])
        return { ...(found && { code: found }), ...(before && { error: before }) }
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        ended = undefined
        return { error }
      } finally {
        late.abort()
      }
    },
    cancel: met => {
      if (met && going?.claims !== undefined && going.claims !== met.claims) return
      ended = undefined
      going?.stop.abort(new Error('the sign-in is not needed any more'))
      going = undefined
    },
  }
}
