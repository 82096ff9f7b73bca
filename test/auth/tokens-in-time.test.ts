/** How long a call waits for a token, and what goes on behind it. Time is the test's; the service is played by it. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { AuthError, type NewSignIn } from '../../src/auth/auth-error.ts'
import type { CliResult } from '../../src/auth/azure-cli.ts'
import { createBackgroundSignIn } from '../../src/auth/background-sign-in.ts'
import type { DeviceCode } from '../../src/auth/msal.ts'
import type { CredentialsDeps } from '../../src/auth/tokens.ts'
import { Authority, ada, contoso } from '../helpers/authority.ts'
import { armScope, type Logged, sendTo, signInFor, start, temporaryFolder, testClock } from '../helpers/sign-in.ts'

const minute = 60_000
const { signal } = new AbortController()
/** Until everything that can go on without time and without files has gone on. */
const settled = () => new Promise<void>(resolve => setTimeout(resolve, 30))

/** What is asked for, one after another, each answered when the test says so. */
const askedFor = <T>() => {
  const calls: { answer: (value: T) => void; signal: AbortSignal }[] = []
  const waiting: { count: number; go: () => void }[] = []
  const ask = (signal: AbortSignal) =>
    new Promise<T>((answer, reject) => {
      calls.push({ answer, signal })
      signal.addEventListener('abort', () => reject(signal.reason))
      for (const each of waiting) if (calls.length >= each.count) each.go()
    })
  /** The call of that number, from 1, as soon as it is there. */
  const nth = async (count: number) => {
    if (calls.length < count) await new Promise<void>(go => waiting.push({ count, go }))
    const call = calls[count - 1]
    if (!call) throw new Error(`there is no call ${count}`)
    return call
  }
  return { ask, nth, calls }
}

const azToken = (token: string, expiresAtMs: number): CliResult => ({
  code: 0,
  stdout: JSON.stringify({ accessToken: token, expires_on: expiresAtMs / 1000, tenant: contoso }),
  stderr: '',
})
const nobody: CliResult = { code: 1, stdout: '', stderr: "ERROR: Please run 'az login'" }

/** Serving, with an Azure CLI and a device code whose answers the test gives. */
const setUp = (t: Test, more: Partial<CredentialsDeps> = {}) => {
  const clock = testClock()
  const az = askedFor<CliResult>()
  const started: {
    wanted: NewSignIn
    signal: AbortSignal
    give: (code?: Partial<DeviceCode>) => void
    fail: (error: unknown) => void
  }[] = []
  const logs: Logged[] = []
  const background = createBackgroundSignIn({
    signIn: (wanted, onCode, signal) =>
      new Promise((_, reject) => {
        const give = (more: Partial<DeviceCode> = {}) =>
          onCode({ url: 'https://example.com/device', code: 'ABCD', expiresAtMs: clock.time + 15 * minute, ...more })
        started.push({ wanted, signal, give, fail: reject })
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
    clock,
    log: (level, message, fields = {}) => void logs.push({ level, message, fields }),
  })
  const made = signInFor(t, { clock, runAzureCli: (_, signal) => az.ask(signal), background, ...more })
  const get = (wish: { rejected?: string; claims?: string; signal?: AbortSignal } = {}) =>
    made.credentials.getToken(armScope, { signal, ...wish })
  const fault = async (wish: { rejected?: string; claims?: string } = {}): Promise<AuthError> => {
    const error: unknown = await get(wish).catch((error: unknown) => error)
    if (!(error instanceof AuthError)) throw new Error(`no AuthError: ${JSON.stringify(error)}`)
    return error
  }
  /** The first sign-in, as soon as it was started. */
  const signIn = async (number = 1) => {
    while (started.length < number) await new Promise(resolve => setImmediate(resolve))
    const found = started[number - 1]
    if (!found) throw new Error('none was started')
    return found
  }
  return { ...made, clock, az, started, signIn, get, fault, logs }
}

const offer = {
  code: 'not_signed_in',
  message: /A sign-in has been started\.$/,
  remediation:
    'Show this to the user: open https://example.com/device and enter the code ABCD (until 2026-11-22T12:15:00Z). Once that is done, call again.',
}

t.test('with nobody signed in a call is answered with page and code as soon as that is known', async t => {
  const { az, fault, signIn, clock, started } = setUp(t)
  const answered = fault()
  ;(await az.nth(1)).answer(nobody)
  ;(await signIn()).give()
  const error = await answered
  t.match(error, {
    ...offer,
    message: 'Nobody is signed in: no credential was found. A sign-in has been started.',
    details: {
      sign_in: { url: 'https://example.com/device', code: 'ABCD', expires_at: '2026-11-22T12:15:00Z' },
      not_taken: [
        { method: 'access_token', why: 'AZURE_ACCESS_TOKEN is not set' },
        { method: 'client_secret' },
        { method: 'client_certificate' },
        { method: 'workload_identity' },
        { method: 'user', why: 'no account is in the token cache' },
        { method: 'managed_identity' },
        { method: 'azure_cli', why: 'Nobody is signed in to the Azure CLI' },
      ],
    },
  })
  t.equal(clock.time, start)
  await settled()
  t.equal(az.calls.length, 1, 'the credentials are asked once a call')

  const [second, third] = [fault(), fault()]
  ;(await az.nth(2)).answer(nobody)
  t.match([await second, await third], [offer, offer])
  t.equal(started.length, 1, 'however many calls come')
  t.equal(az.calls.length, 2)
})

t.test(
  'a search without anybody in sight is waited for about a second; the answer is there by 1.7 s, which leaves time to load what it takes',
  async t => {
    t.test('with the code', async t => {
      const { az, fault, signIn, clock, started } = setUp(t)
      const answered = fault()
      await az.nth(1)
      clock.advance(800)
      await settled()
      t.equal(started.length, 0)
      clock.advance(200)
      ;(await signIn()).give({ expiresAtMs: start + 15 * minute })
      t.match(await answered, {
        ...offer,
        details: {
          sign_in: { code: 'ABCD' },
          not_taken: [{ method: 'access_token' }, {}, {}, {}, { method: 'user' }, {}],
        },
      })
    })

    t.test('without it, where the service is slow too', async t => {
      const { az, fault, signIn, clock } = setUp(t)
      let isAnswered = false
      const answered = fault().finally(() => {
        isAnswered = true
      })
      await az.nth(1)
      clock.advance(1000)
      await signIn()
      clock.advance(500)
      await settled()
      t.equal(isAnswered, false)
      clock.advance(200)
      t.match(await answered, {
        code: 'not_signed_in',
        remediation: /^A sign-in is being started, but login\.microsoftonline\.com has not answered yet: call again/,
        details: { sign_in: undefined, not_taken: [{ method: 'access_token', why: 'AZURE_ACCESS_TOKEN is not set' }] },
      })
    })

    t.test('also where it is the metadata service that never answers', async t => {
      const { fault, signIn, clock, started } = setUp(t, { sendHere: () => new Promise(() => {}) })
      const answered = fault()
      while (clock.slept.length === 0) await new Promise(resolve => setImmediate(resolve))
      t.equal(started.length, 0)
      clock.advance(1000)
      ;(await signIn()).give()
      t.match(await answered, {
        details: {
          sign_in: { code: 'ABCD' },
          not_taken: [
            {},
            {},
            {},
            {},
            { method: 'user', why: /token cache|not answered yet/ },
            { method: 'managed_identity', why: 'it has not answered yet' },
            { method: 'azure_cli', why: 'it has not answered yet' },
          ],
        },
      })
    })

    t.test('with the reason why none can be started', async t => {
      const { az, fault, signIn, clock } = setUp(t)
      const answered = fault()
      await az.nth(1)
      clock.advance(1000)
      ;(await signIn()).fail(new AuthError('unreachable', 'no network', 'Check the network.'))
      t.match(await answered, {
        code: 'unreachable',
        message: /^Nobody is known to be signed in.* A sign-in could not be started: no network$/,
        remediation: 'Check the network.',
      })
    })

    t.test('or with somebody who was found meanwhile', async t => {
      const { az, get, signIn, clock } = setUp(t)
      const answered = get()
      const call = await az.nth(1)
      clock.advance(1000)
      const { signal } = await signIn()
      call.answer(azToken('found', start + 60 * minute))
      t.match(await answered, { token: 'found', method: 'azure_cli' })
      t.equal(signal.aborted, true, 'nobody has to sign in any more')
    })

    t.test('or with a fault that no sign-in mends', async t => {
      const az = askedFor<CliResult>()
      const { fault, clock, signIn } = setUp(t, {
        runAzureCli: async (_, signal) => {
          await az.ask(signal)
          throw new AuthError('not_configured', 'it is set up wrongly', 'Mend it.')
        },
      })
      const answered = fault()
      const call = await az.nth(1)
      clock.advance(1000)
      await signIn()
      call.answer(nobody)
      t.match(await answered, { code: 'not_configured', message: 'it is set up wrongly' })
    })
  },
)

t.test('a search that ends late is used by the next call, and ends the sign-in', async t => {
  const { az, get, fault, signIn, clock } = setUp(t)
  const answered = fault()
  const call = await az.nth(1)
  clock.advance(1000)
  const { give, signal } = await signIn()
  give({ expiresAtMs: start + 15 * minute })
  t.match(await answered, offer)
  t.equal(call.signal.aborted, false, 'it goes on')
  t.equal(signal.aborted, false)
  call.answer(azToken('late', start + 60 * minute))
  await settled()
  t.equal(signal.aborted, true)
  t.match(await get(), { token: 'late' })
  t.equal(az.calls.length, 1)
})

t.test('callers that leave do not end the search that others were promised', async t => {
  const { az, get, fault, signIn, clock } = setUp(t)
  const leaving = new AbortController()
  const gone = t.rejects(get({ signal: leaving.signal }), { message: 'the caller went away' })
  const call = await az.nth(1)
  const other = fault()
  await settled()
  leaving.abort(new Error('the caller went away'))
  await gone
  clock.advance(1000)
  ;(await signIn()).give({ expiresAtMs: start + 15 * minute })
  t.match(await other, offer)
  t.equal(call.signal.aborted, false)
})

t.test('somebody who seems to be signed in is waited for', async t => {
  t.test('as long as it takes', async t => {
    const { az, get, clock, started } = setUp(t, { isAzureCliSignedIn: async () => true })
    const answered = get()
    const call = await az.nth(1)
    clock.advance(20_000)
    await settled()
    t.equal(started.length, 0)
    call.answer(azToken('slow', start + 60 * minute))
    t.match(await answered, { token: 'slow' })
  })

  t.test('and leaves time for the code if nothing comes of it', async t => {
    const { az, fault, clock, signIn } = setUp(t, { isAzureCliSignedIn: async () => true })
    const answered = fault()
    const call = await az.nth(1)
    clock.advance(20_000)
    call.answer(nobody)
    const { give } = await signIn()
    clock.advance(600)
    give({ expiresAtMs: start + 15 * minute })
    t.match(await answered, offer)
  })

  t.test('also when another call for the same was cancelled just before', async t => {
    const { az, get, clock, started } = setUp(t, { isAzureCliSignedIn: async () => true })
    const leaving = new AbortController()
    const first = get({ signal: leaving.signal })
    await az.nth(1)
    leaving.abort(new Error('the caller went away'))
    const second = get()
    await t.rejects(first, { message: 'the caller went away' })
    const call = await az.nth(2)
    clock.advance(5000)
    await settled()
    t.equal(started.length, 0)
    call.answer(azToken('second', start + 60 * minute))
    t.match(await second, { token: 'second' })
  })
})

t.test('where no sign-in is offered a call waits for whoever is asked', async t => {
  for (const more of [{ background: undefined }, { method: 'azure_cli' as const }]) {
    const { az, get, clock, started } = setUp(t, more)
    const answered = get()
    const call = await az.nth(1)
    clock.advance(20_000)
    await settled()
    call.answer(azToken('slow', start + 60 * minute))
    t.match(await answered, { token: 'slow' })
    t.equal(started.length, 0)
  }
})

t.test('why a sign-in did not succeed is told once, with the next code', async t => {
  const { fault, signIn } = setUp(t, { runAzureCli: async () => nobody })
  const first = fault()
  const before = await signIn()
  before.give()
  t.match(await first, offer)
  before.fail(new AuthError('not_signed_in', 'The sign-in was declined', 'Start it again.'))
  await settled()
  const second = fault()
  ;(await signIn(2)).give()
  t.match(await second, {
    message: /A sign-in has been started\. The sign-in before did not succeed: The sign-in was declined/,
  })
  t.match(await fault(), offer)
})

t.test('a token is renewed five minutes before it ends', async t => {
  /** With a token that ends at one o'clock. */
  const signedIn = async (t: Test, more: Partial<CredentialsDeps> = {}) => {
    const made = setUp(t, { isAzureCliSignedIn: async () => true, ...more })
    const first = made.get()
    ;(await made.az.nth(1)).answer(azToken('first', start + 60 * minute))
    await first
    return made
  }

  t.test('once for all callers', async t => {
    const { az, get, clock } = await signedIn(t)
    clock.time = start + 55 * minute - 1
    t.match(await get(), { token: 'first' })
    t.equal(az.calls.length, 1)
    clock.time = start + 55 * minute
    const all = Promise.all(Array.from({ length: 20 }, () => get()))
    ;(await az.nth(2)).answer(azToken('second', clock.time + 60 * minute))
    for (const { token } of await all) t.equal(token, 'second')
    t.match(await get(), { token: 'second' })
    t.equal(az.calls.length, 2)
  })

  t.test('and while that fails the old one serves on, tried again every half minute, until it ends', async t => {
    const { az, get, fault, clock, logged, started, signIn } = await signedIn(t)
    clock.time = start + 56 * minute
    const second = get()
    ;(await az.nth(2)).answer(nobody)
    t.match(await second, { token: 'first' })
    t.match(logged.at(-1), { level: 'warning', message: /the old one serves while it lasts/ })
    clock.time += 29_999
    t.match(await get(), { token: 'first' })
    t.equal(az.calls.length, 2)
    clock.time += 1
    const third = get()
    ;(await az.nth(3)).answer(nobody)
    t.match(await third, { token: 'first' })
    t.equal(started.length, 0, 'nobody is asked to sign in as long as that is not needed')

    clock.time = start + 60 * minute
    const fourth = fault()
    ;(await az.nth(4)).answer(nobody)
    ;(await signIn()).give()
    t.match(await fourth, { code: 'not_signed_in', details: { sign_in: { code: 'ABCD' } } })
  })

  t.test('and while that takes long the old one serves on; what comes late is used', async t => {
    const { az, get, clock } = await signedIn(t)
    clock.time = start + 56 * minute
    const second = get()
    const call = await az.nth(2)
    clock.advance(1900)
    t.match(await second, { token: 'first' })
    t.match(await get(), { token: 'first' }, 'at once')
    t.equal(call.signal.aborted, false)
    call.answer(azToken('second', clock.time + 60 * minute))
    await settled()
    t.match(await get(), { token: 'second' })
    t.equal(az.calls.length, 2)
  })

  t.test('but one that Azure did not take serves nobody', async t => {
    const { az, fault, get, clock, signIn } = await signedIn(t)
    clock.time = start + 56 * minute
    const answered = fault({ rejected: 'first' })
    ;(await az.nth(2)).answer(nobody)
    ;(await signIn()).give()
    t.match(await answered, { code: 'not_signed_in' })
    const next = get({ rejected: 'first' })
    ;(await az.nth(3)).answer(azToken('second', clock.time + 60 * minute))
    t.match(await next, { token: 'second' })
    t.match(await get({ rejected: 'first' }), { token: 'second' })
    t.equal(az.calls.length, 3)
  })
})

t.test('what is forgotten does not come back', async t => {
  t.test('by a search that was under way', async t => {
    const { az, get, credentials } = setUp(t, { background: undefined })
    const before = get()
    const early = await az.nth(1)
    await credentials.forget('own', signal)
    const after = get()
    const late = await az.nth(2)
    late.answer(azToken('new', start + 60 * minute))
    t.match(await after, { token: 'new' }, 'the next call asks anew')
    early.answer(azToken('old', start + 60 * minute))
    t.match(await before, { token: 'old' }, 'whoever asked before is answered')
    t.match(await get(), { token: 'new' })
  })

  t.test('by a call that read the cache before it was changed', async t => {
    const authority = await Authority.start(t)
    const made = signInFor(t, { authorityHost: authority.origin, clock: testClock({ time: Date.now() }) })
    await made.cache.update(signal, async () => ({
      text: authority.cacheText([ada], { isExpired: false }),
      value: undefined,
    }))
    const { deps, credentials } = setUp(t, {
      authorityHost: authority.origin,
      clock: testClock({ time: Date.now() }),
      background: undefined,
      runAzureCli: async () => nobody,
      cache: {
        ...made.cache,
        update: async (signal, change) => {
          t.match(await credentials.getToken(armScope, { signal }), { account: ada.name }, 'it is still there')
          return made.cache.update(signal, change)
        },
      },
    })
    await credentials.forget('own', signal)
    t.same(await credentials.accounts('all', signal), [])
    await t.rejects(credentials.getToken(deps.scope, { signal }), { code: 'not_signed_in' })
  })

  t.test('by a sign-in that goes on', async t => {
    const { fault, signIn, credentials } = setUp(t, { runAzureCli: async () => nobody })
    const answered = fault()
    const { give, signal: going } = await signIn()
    give()
    await answered
    await credentials.forget('own', signal)
    t.equal(going.aborted, true)
  })
})

t.test('somebody who has signed in while a call looked elsewhere is found before a sign-in is started', async t => {
  const authority = await Authority.start(t)
  for (const isOver of [true, false])
    t.test(isOver ? 'when nobody was found' : 'when it takes too long', async t => {
      const clock = testClock({ time: Date.now() })
      const { az, get, cache, started } = setUp(t, { authorityHost: authority.origin, clock })
      const answered = get()
      const call = await az.nth(1)
      const text = authority.cacheText([ada], { isExpired: false })
      await cache.update(signal, async () => ({ text, value: undefined }))
      if (isOver) call.answer(nobody)
      else clock.advance(1000)
      t.match(await answered, { method: 'user', account: ada.name })
      t.equal(started.length, 0)
    })
})

t.test('against an authority', async t => {
  const authority = await Authority.start(t)
  const serving = async (t: Test) => {
    const made = setUp(t, {
      authorityHost: authority.origin,
      send: await sendTo(t, authority),
      clock: testClock({ time: Date.now() }),
    })
    await made.cache.update(signal, async () => ({
      text: authority.cacheText([ada], { isExpired: false }),
      value: undefined,
    }))
    return made
  }

  t.test('a challenge that a refresh cannot meet is what the sign-in is asked for', async t => {
    for (const told of [undefined, '{"access_token":{"acrs":{"essential":true,"value":"c2"}}}']) {
      const { get, fault, signIn } = await serving(t)
      const { token } = await get()
      const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
      authority.answer(/token$/, {
        status: 400,
        body: {
          error: 'interaction_required',
          error_description: 'AADSTS50076: You must use multi-factor authentication.',
          error_codes: [50076],
          ...(told && { claims: told }),
        },
      })
      const answered = fault({ rejected: token, claims })
      const { wanted, give } = await signIn()
      t.match(wanted, { claims: told ?? claims, insteadOf: { username: ada.name } })
      give()
      t.match(await answered, { azureCode: 'AADSTS50076', details: { sign_in: { code: 'ABCD' } } })
    }
  })

  t.test('the sign-in for a challenge outlives a token that does not meet it', async t => {
    const { get, fault, signIn, credentials } = await serving(t)
    const { token } = await get()
    authority.answer(/token$/, { status: 400, body: { error: 'interaction_required' } })
    const answered = fault({ rejected: token, claims: '{"access_token":{"nbf":{"essential":true}}}' })
    const { give, signal: going } = await signIn()
    give()
    await answered
    t.match(await credentials.getToken('https://other.example/.default', { signal }), { account: ada.name })
    t.equal(going.aborted, false)
  })

  t.test('whoever is revoked is told so, with the code', async t => {
    const { get, fault, signIn, started } = await serving(t)
    const { token } = await get()
    authority.revoke(ada)
    const before = authority.grants('refresh_token').length
    const answered = fault({ rejected: token })
    ;(await signIn()).give()
    t.match(await answered, {
      code: 'not_signed_in',
      azureCode: 'AADSTS50173',
      message: /AADSTS50173.* A sign-in has been started\.$/,
    })
    for (let n = 0; n < 3; n++) t.match(await fault({ rejected: token }), { details: { sign_in: { code: 'ABCD' } } })
    t.equal(started.length, 1)
    t.equal(authority.grants('refresh_token').length, before + 1, 'and the service is not asked again and again')
  })
})

t.test('a token that never lives for five minutes is asked for once, not by every call of every server', async t => {
  const authority = await Authority.start(t)
  authority.lifetimeSeconds = 240
  const clock = testClock({ time: Date.now() })
  const file = path.join(temporaryFolder(t), 'auth.json')
  writeFileSync(file, authority.cacheText([ada]), { mode: 0o600 })
  const send = await sendTo(t, authority)
  const servers = Array.from({ length: 2 }, () =>
    signInFor(t, { file, method: 'user', authorityHost: authority.origin, send, clock }),
  )
  for (const { credentials } of [...servers, ...servers, ...servers]) {
    const { expiresAtMs = 0 } = await credentials.getToken(armScope, { signal })
    t.ok(expiresAtMs > clock.time)
  }
  t.equal(authority.grants('refresh_token').length, 1)
})
