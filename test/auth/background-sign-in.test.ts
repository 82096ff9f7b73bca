import t, { type Test } from 'tap'
import { AuthError, type NewSignIn } from '../../src/auth/auth-error.ts'
import { createBackgroundSignIn } from '../../src/auth/background-sign-in.ts'
import type { DeviceCode } from '../../src/auth/msal.ts'
import { type Logged, start, testClock } from '../helpers/sign-in.ts'

const minute = 60_000

interface Started {
  wanted: NewSignIn
  signal: AbortSignal
  give(code: Partial<DeviceCode>): DeviceCode
  end(account: string): void
  fail(error: unknown): void
}

/** A sign-in behind the calls whose service and user are played by the test. */
const setUp = (_: Test) => {
  const clock = testClock()
  const started: Started[] = []
  const logged: Logged[] = []
  const background = createBackgroundSignIn({
    signIn: (wanted, onCode, signal) =>
      new Promise((resolve, reject) => {
        const give = (more: Partial<DeviceCode>): DeviceCode => {
          const code = { url: 'https://example.com', code: 'ABCD', expiresAtMs: clock.time + 15 * minute, ...more }
          onCode(code)
          return code
        }
        signal.addEventListener('abort', () => reject(signal.reason))
        started.push({ wanted, signal, give, end: resolve, fail: reject })
      }),
    clock,
    log: (level, message, fields = {}) => void logged.push({ level, message, fields }),
  })
  const last = (): Started => {
    const found = started.at(-1)
    if (!found) throw new Error('none was started')
    return found
  }
  /** Until what was settled has been heard of. */
  const settled = () => new Promise<void>(resolve => setImmediate(resolve))
  /** An offer that is given a code at once, if it starts a sign-in. */
  const offer = async (wanted: NewSignIn = {}, code = `CODE${started.length}`) => {
    const before = started.length
    const offered = background.offer(wanted, 900)
    if (started.length > before) last().give({ code })
    return offered
  }
  return { background, clock, started, logged, last, offer, settled }
}

const expired = () => new AuthError('not_signed_in', 'The code was not used in time', 'Start it again.')

t.test('one sign-in goes on at a time, and all are given the same code', async t => {
  const { background, started, last, logged } = setUp(t)
  const offers = [1, 2, 3].map(() => background.offer({}, 900))
  t.equal(started.length, 1)
  const code = last().give({})
  for (const offer of await Promise.all(offers)) t.strictSame(offer, { code })
  t.strictSame(await background.offer({ claims: '{"a":1}' }, 900), { code }, 'also one that wants something else')
  t.equal(started.length, 1)
  t.match(logged, [{ level: 'notice', fields: { code: 'ABCD' } }])
})

t.test('what is wanted of it is handed on', async t => {
  const { background, last } = setUp(t)
  const wanted = { claims: '{"access_token":{}}' }
  background.offer(wanted, 900).catch(() => {})
  t.equal(last().wanted, wanted)
})

t.test('when the code takes too long there is nothing to show yet; the next call joins', async t => {
  const { background, clock, started, last } = setUp(t)
  const early = background.offer({}, 900)
  clock.advance(900)
  t.strictSame(await early, {})
  const later = background.offer({}, 900)
  const code = last().give({})
  t.strictSame(await later, { code })
  t.equal(started.length, 1)
})

t.test('when it is done the next one is a new one, with nothing to tell', async t => {
  const { offer, last, logged, settled, started } = setUp(t)
  await offer()
  last().end('ada@contoso.example')
  await settled()
  t.match(logged.at(-1), { level: 'notice', message: 'signed in', fields: { account: 'ada@contoso.example' } })
  t.match(await offer(), { code: { code: 'CODE1' }, error: undefined })
  t.equal(started.length, 2)
})

t.test('why it ended is told to the next call, with the new code, and once', async t => {
  const { offer, last, settled, started } = setUp(t)
  await offer()
  const error = expired()
  last().fail(error)
  await settled()
  const next = await offer()
  t.match(next, { code: { code: 'CODE1' } })
  t.equal(next.error, error)
  t.match(await offer(), { code: { code: 'CODE1' }, error: undefined })
  t.equal(started.length, 2)
})

t.test('why it ended is kept for the call that is given the next code', async t => {
  const { background, clock, offer, last, settled } = setUp(t)
  await offer()
  const error = expired()
  last().fail(error)
  await settled()
  const early = background.offer({}, 900)
  clock.advance(900)
  t.strictSame(await early, {}, 'it is not why the new one has no code yet')
  last().give({})
  t.equal((await offer()).error, error)
})

t.test('one that cannot be started says why to all who wait, and to nobody later', async t => {
  const { background, started, last, offer } = setUp(t)
  const offers = [1, 2].map(() => background.offer({}, 900))
  const error = new AuthError('unreachable', 'no network', 'Check it.')
  last().fail(error)
  for (const offer of await Promise.all(offers)) t.strictSame(offer, { error })
  t.match(await offer(), { code: { code: 'CODE1' }, error: undefined })
  t.equal(started.length, 2)
})

t.test('one that nobody waited for any more and that could not be started tells the next call', async t => {
  const { background, clock, last, offer, settled } = setUp(t)
  const early = background.offer({}, 900)
  clock.advance(900)
  await early
  const error = new AuthError('unreachable', 'no network', 'Check it.')
  last().fail(error)
  await settled()
  t.equal((await offer()).error, error)
})

t.test('a fault of ours is logged with its stack and is no answer', async t => {
  const { background, last, logged, offer, settled } = setUp(t)
  const waiting = background.offer({}, 900)
  last().fail(new TypeError('a bug'))
  await t.rejects(waiting, { name: 'TypeError' })
  await offer()
  last().fail(new TypeError('another bug'))
  await settled()
  t.match(
    logged.filter(({ level }) => level === 'error').map(({ message }) => message),
    [/^the sign-in failed: TypeError: a bug\n/, /^the sign-in failed: TypeError: another bug\n/],
  )
  t.match(await offer(), { code: { code: 'CODE2' }, error: undefined })
})

t.test('a code that has lapsed is not shown again, even if its end has not been noticed yet', async t => {
  const { clock, offer, started } = setUp(t)
  await offer()
  clock.time = start + 15 * minute - 1
  t.match(await offer(), { code: { code: 'CODE0' } })
  clock.time = start + 15 * minute
  t.match(await offer(), { code: { code: 'CODE1' }, error: undefined })
  t.same(
    started.map(({ signal }) => signal.aborted),
    [true, false],
  )
})

t.test('when it is cancelled it ends, tells nobody, and the next one is a new one', async t => {
  const { background, offer, started, logged, settled } = setUp(t)
  background.cancel()
  await offer()
  background.cancel()
  await settled()
  t.equal(started[0]?.signal.aborted, true)
  t.match(await offer(), { code: { code: 'CODE1' }, error: undefined })
  t.equal(logged.filter(({ level }) => level === 'error').length, 0)
})

t.test('whoever waits for the code of one that is cancelled is given none, and no fault', async t => {
  const { background, offer } = setUp(t)
  const waiting = background.offer({}, 900)
  background.cancel()
  t.strictSame(await waiting, {})
  t.match(await offer(), { code: { code: 'CODE1' } })
})

t.test('the end of one that was cancelled does not end the next', async t => {
  const { background, clock } = setUp(t)
  const ends: (() => void)[] = []
  const stubborn = createBackgroundSignIn({
    signIn: (_, onCode) =>
      new Promise((_, reject) => {
        onCode({ url: 'https://example.com', code: `CODE${ends.length}`, expiresAtMs: clock.time + minute })
        ends.push(() => reject(expired()))
      }),
    clock,
    log: () => {},
  })
  background.cancel()
  await stubborn.offer({}, 900)
  stubborn.cancel()
  await stubborn.offer({}, 900)
  ends[0]?.()
  await new Promise(resolve => setImmediate(resolve))
  t.match(await stubborn.offer({}, 900), { code: { code: 'CODE1' }, error: undefined })
  t.equal(ends.length, 2)
})

t.test('what an earlier one ended with is not told after somebody was signed in by other means', async t => {
  const { background, offer, last, settled } = setUp(t)
  await offer()
  last().fail(expired())
  await settled()
  background.cancel({ claims: undefined })
  t.match(await offer(), { code: { code: 'CODE1' }, error: undefined })
})

t.test('one that is to meet a challenge goes on when somebody is found who does not meet it', async t => {
  const { background, offer, last } = setUp(t)
  const claims = '{"access_token":{"nbf":{"essential":true}}}'
  await offer({ claims })
  background.cancel({ claims: undefined })
  t.equal(last().signal.aborted, false)
  background.cancel({ claims })
  t.equal(last().signal.aborted, true)
  await offer({ claims })
  background.cancel()
  t.equal(last().signal.aborted, true, 'and when nobody is to be signed in it ends')
})
