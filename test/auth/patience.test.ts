/** With a sign-in to offer, a call waits two seconds at most for those who may be signed in; by a clock that tests move. */
import t, { type Test } from 'tap'
import type { RunAzureCli } from '../../src/auth/azure-cli.ts'
import { type BackgroundDeps, createBackgroundSignIn } from '../../src/auth/background-sign-in.ts'
import type { CacheFile } from '../../src/auth/cache-file.ts'
import type { CredentialsDeps } from '../../src/auth/tokens.ts'
import { armScope, signInFor, start, testClock } from '../helpers/sign-in.ts'

const { signal } = new AbortController()
/** In memory, so that nothing but the clock takes time. */
const cache: CacheFile = {
  file: '/recovery_services_auth.json',
  read: async () => '',
  stamp: async () => '',
  mustKeep: async () => {},
  kept: async () => '',
  update: async (_, change) => (await change('')).value,
}
const settled = async () => {
  for (let turns = 0; turns < 20; turns++) await new Promise(go => setImmediate(go))
}
const never = () => new Promise<never>(() => {})
/** What is left of the two seconds is for what a first call loads. */
const limitMs = 1700

/** A call and its clock: `pass` moves it to the end of each sleep until the call has ended. */
const call = (t: Test, more: Partial<CredentialsDeps>, signIn: BackgroundDeps['signIn']) => {
  const clock = testClock()
  const background = createBackgroundSignIn({ signIn, clock, log: () => {} })
  const { credentials } = signInFor(t, { clock, cache, background, ...more })
  let isOver = false
  const outcome = credentials
    .getToken(armScope, { signal })
    .then(
      ({ method }) => ({ method, error: undefined }),
      (error: unknown) => ({ method: undefined, error }),
    )
    .finally(() => {
      isOver = true
    })
  const pass = async () => {
    for (let passed = 0; !isOver; ) {
      await settled()
      for (; passed < clock.slept.length; passed++) clock.advance(clock.slept[passed] ?? 0)
    }
    return { ...(await outcome), tookMs: clock.time - start }
  }
  return { clock, outcome, pass }
}

const code = { url: 'https://login.example/device', code: 'ABC123', expiresAtMs: start + 900_000 }

const slow: [name: string, deps: Partial<CredentialsDeps>, metadata: RegExp][] = [
  ['the metadata service', { sendHere: never }, /not answered yet/],
  ['the Azure CLI', { runAzureCli: never }, /answered 404/],
]
for (const [name, deps, metadata] of slow) {
  t.test(
    `${name} that never answers is not waited for: a sign-in is offered, and who was not there is named`,
    async t => {
      const { pass } = call(t, deps, async (_, onCode) => {
        onCode(code)
        return never()
      })
      const { error, tookMs } = await pass()
      t.ok(tookMs < limitMs, `${tookMs} ms`)
      t.match(error, {
        remediation: /open https:\/\/login\.example\/device and enter the code ABC123/,
        details: {
          sign_in: { code: 'ABC123' },
          not_taken: [
            { method: 'access_token', why: 'AZURE_ACCESS_TOKEN is not set' },
            {},
            {},
            {},
            { method: 'user', why: /token cache/ },
            { method: 'managed_identity', why: metadata },
            { method: 'azure_cli', why: /not answered yet/ },
          ],
        },
      })
    },
  )

  t.test(`neither ${name} nor a sign-in service that both never answer are waited for`, async t => {
    const { pass } = call(t, deps, never)
    const { error, tookMs } = await pass()
    t.ok(tookMs < limitMs, `${tookMs} ms`)
    t.match(error, { remediation: /login\.microsoftonline\.com has not answered yet: call again in a few seconds/ })
  })
}

t.test('an Azure CLI that answers while the sign-in service is asked is taken', async t => {
  let answer = (_: Awaited<ReturnType<RunAzureCli>>) => {}
  const az = new Promise<Awaited<ReturnType<RunAzureCli>>>(go => {
    answer = go
  })
  const { pass } = call(t, { runAzureCli: () => az }, async () => {
    answer({ code: 0, stdout: '{"accessToken":"opaque"}', stderr: '' })
    return never()
  })
  t.match(await pass(), { method: 'azure_cli' })
})

t.test('an Azure CLI that has an account is waited for', async t => {
  let answer = (_: Awaited<ReturnType<RunAzureCli>>) => {}
  const az = new Promise<Awaited<ReturnType<RunAzureCli>>>(go => {
    answer = go
  })
  const { clock, outcome } = call(t, { runAzureCli: () => az, isAzureCliSignedIn: async () => true }, async () => {
    t.fail('nobody is to sign in')
    return never()
  })
  await settled()
  clock.advance(20_000)
  await settled()
  answer({ code: 0, stdout: '{"accessToken":"opaque"}', stderr: '' })
  t.match(await outcome, { method: 'azure_cli' })
})
