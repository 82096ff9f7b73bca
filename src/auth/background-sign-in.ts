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
   * Ends the one that goes on: nobody is to be signed in or, where `found` is given, somebody is by other means. One that
   * is for other claims than these goes on then. True where one was ended.
   */
  cancel(found?: { claims: string | undefined }): boolean
}

export interface Offer {
  /** Undefined while the service has not answered, and where the sign-in was cancelled meanwhile. */
  code?: DeviceCode
  /** With a code: why the sign-in before it did not succeed. Without: why none can be started now. */
  error?: AuthError
}

export interface BackgroundDeps {
  /** Signs in and saves it; resolves with the account's name. */
  signIn(wanted: NewSignIn, onCode: (code: DeviceCode) => void, signal: AbortSignal): Promise<string>
  clock: Pick<Clock, 'now' | 'sleep'>
  log: Log
}

interface Going {
  wanted: NewSignIn
  code: Promise<DeviceCode>
  /** When the code lapses, once there is one. */
  expiresAtMs: number
  stop: AbortController
}

export const createBackgroundSignIn = ({ signIn, clock, log }: BackgroundDeps): BackgroundSignIn => {
  let going: Going | undefined
  /** How the one before ended; `hadCode`: by what its user did or did not. */
  let ended: { error: AuthError; hadCode: boolean } | undefined

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
            ended = { error, hadCode: Number.isFinite(mine.expiresAtMs) }
            log('warning', 'the sign-in did not succeed', { why: error.inOneLine })
          } else log('error', `the sign-in failed: ${error instanceof Error ? error.stack : String(error)}`)
        },
      )
    })
    const mine: Going = { wanted, code, expiresAtMs: Number.POSITIVE_INFINITY, stop }
    code.then(
      ({ expiresAtMs }) => {
        mine.expiresAtMs = expiresAtMs
      },
      () => {}, // it may fail when nobody waits for it any more
    )
    going = mine
    return mine
  }

  const end = (why: string) => {
    going?.stop.abort(new Error(why))
    going = undefined
  }

  return {
    offer: async (wanted, limitMs) => {
      // It ends by itself, but a machine that slept meanwhile may be late to notice.
      if (going && going.expiresAtMs <= clock.now()) end('its code has lapsed')
      const { code, stop } = going ?? start(wanted)
      const late = new AbortController()
      try {
        const found = await Promise.race([code, clock.sleep(limitMs, late.signal).then(() => undefined)])
        // A service that was not there a moment ago is told of at once; it may be there again when this one is answered.
        if (!found) return ended && !ended.hadCode ? { error: ended.error } : {}
        const before = ended?.error
        ended = undefined
        return { code: found, ...(before && { error: before }) }
      } catch (error) {
        if (stop.signal.aborted) return {}
        if (!(error instanceof AuthError)) throw error
        ended = undefined
        return { error }
      } finally {
        late.abort()
      }
    },
    cancel: found => {
      const claims = going?.wanted.claims
      if (found && claims !== undefined && claims !== found.claims) return false
      const wasGoing = going !== undefined
      end('the sign-in is not needed any more')
      ended = undefined
      return wasGoing
    },
  }
}
