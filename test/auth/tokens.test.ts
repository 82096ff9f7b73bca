import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { AuthError } from '../../src/auth/auth-error.ts'
import type { CliResult, RunAzureCli } from '../../src/auth/azure-cli.ts'
import type { CredentialsDeps } from '../../src/auth/tokens.ts'
import { createEstate } from '../helpers/estate.ts'
import { signInFor, start, testClock } from '../helpers/sign-in.ts'

const minute = 60_000
const scope = 'https://management.azure.com/.default'
const options = { signal: new AbortController().signal }
const tenant = '00000000-0000-0000-0000-00000000000a'

/** A token as Entra ID makes them, with `claims`. */
const jwt = (claims: object) =>
  ['{"alg":"RS256"}', JSON.stringify(claims), 'signature']
    .map(part => Buffer.from(part).toString('base64url'))
    .join('.')

/** What az prints: a token `n` that lasts an hour from `now`. */
const printed = (n: number, now = start) =>
  JSON.stringify({
    accessToken: jwt({ upn: 'ada@example.com', n }),
    expires_on: (now + 60 * minute) / 1000,
    tenant,
    tokenType: 'Bearer',
  })

/** Credentials over an az that answers with `answer`, and a clock that tests move. */
function setUp(
  t: Test,
  answer: (n: number) => Partial<CliResult> | Promise<CliResult> = n => ({ stdout: printed(n) }),
  more: Partial<CredentialsDeps> = {},
) {
  const clock = testClock()
  const runs: string[][] = []
  const signals: AbortSignal[] = []
  const runAzureCli: RunAzureCli = async (args, signal) => {
    runs.push(args)
    signals.push(signal)
    return { code: 0, stdout: '', stderr: '', ...(await answer(runs.length)) }
  }
  const { credentials } = signInFor(t, { clock, runAzureCli, ...more })
  return { credentials, clock, runs, signals }
}

/** The AuthError a promise rejects with; nothing of what `secrets` hold is in it. */
async function authErrorOf(promise: Promise<unknown>, secrets: string[] = []): Promise<AuthError> {
  const error = await promise.then(
    () => new Error('there was no error'),
    (error: unknown) => error,
  )
  if (!(error instanceof AuthError)) throw error
  for (const secret of secrets) if (inspect(error).includes(secret)) throw new Error(`shows ${secret}`)
  return error
}

t.test('AZURE_ACCESS_TOKEN goes before the Azure CLI and is used as it is', async t => {
  const exp = (start + 2 * minute) / 1000
  const rows: [name: string, token: string, facts: object][] = [
    ['of a user', jwt({ upn: 'ada@example.com', tid: tenant, exp }), { account: 'ada@example.com', tenantId: tenant }],
    ['of an application', jwt({ appid: 'app', tid: tenant, exp }), { account: 'app', expiresAtMs: exp * 1000 }],
    ['that is opaque', 'opaque', { account: undefined, tenantId: undefined, expiresAtMs: undefined }],
    ['that only looks like a JWT', 'a.b.c', { account: undefined, expiresAtMs: undefined }],
    ['whose claims are of other types', jwt({ upn: 1, exp: 'soon' }), { account: undefined, expiresAtMs: undefined }],
  ]
  for (const [name, token, facts] of rows) {
    t.test(name, async t => {
      const { credentials, runs } = setUp(t, undefined, { env: { AZURE_ACCESS_TOKEN: ` ${token}\n` } })
      t.match(await credentials.getToken(scope, options), { token, method: 'access_token', ...facts })
      t.equal((await credentials.getToken(scope, { ...options, rejected: token })).token, token)
      t.match(await credentials.describe(options.signal), { used: { method: 'access_token', ...facts }, skipped: [] })
      t.strictSame(runs, [])
    })
  }
})

t.test('an AZURE_ACCESS_TOKEN that cannot work is an error: another account does not take over', async t => {
  const expired = jwt({ exp: (start - 6 * minute) / 1000 })
  const rows: [name: string, value: string, words: RegExp][] = [
    ['expired', expired, /AZURE_ACCESS_TOKEN expired at 2026-11-22T11:54:00.000Z/],
    ['with Bearer before it', 'Bearer secret', /spaces/],
    ['with a line break in it', 'secret\nsecret', /spaces/],
  ]
  for (const [name, value, words] of rows) {
    t.test(name, async t => {
      const { credentials, runs } = setUp(t, undefined, { env: { AZURE_ACCESS_TOKEN: value } })
      const error = await authErrorOf(credentials.getToken(scope, options), ['secret', expired])
      t.match(error, { code: 'not_signed_in', message: words, remediation: /AZURE_ACCESS_TOKEN/ })
      const { used, skipped } = await credentials.describe(options.signal)
      t.equal(used, undefined)
      t.match(skipped, [{ method: 'access_token', why: words }])
      t.strictSame(runs, [])
    })
  }
  t.test('one that expired within the clock skew is left for Azure to judge', async t => {
    const token = jwt({ exp: (start - 4 * minute) / 1000 })
    const { credentials } = setUp(t, undefined, { env: { AZURE_ACCESS_TOKEN: token } })
    t.equal((await credentials.getToken(scope, options)).token, token)
  })
})

t.test("the Azure CLI's account", async t => {
  t.test('is asked for the resource of the scope, and described without its token', async t => {
    const { credentials, runs } = setUp(t)
    const token = await credentials.getToken(scope, options)
    const facts = { account: 'ada@example.com', tenantId: tenant, expiresAtMs: start + 60 * minute }
    t.match(token, { ...facts, method: 'azure_cli', token: jwt({ upn: 'ada@example.com', n: 1 }) })
    t.match(await credentials.describe(options.signal), {
      used: { ...facts, method: 'azure_cli' },
      skipped: [
        { method: 'access_token', why: 'AZURE_ACCESS_TOKEN is not set' },
        { method: 'client_secret', why: 'AZURE_CLIENT_SECRET is not set' },
        { method: 'client_certificate', why: 'AZURE_CLIENT_CERTIFICATE_PATH is not set' },
        { method: 'workload_identity', why: 'AZURE_FEDERATED_TOKEN_FILE is not set' },
        { method: 'user', why: 'no account is in the token cache' },
        { method: 'managed_identity', why: /169\.254\.169\.254 answered 404/ },
      ],
    })
    t.strictSame(runs, [
      ['account', 'get-access-token', '--resource', 'https://management.azure.com', '--output', 'json'],
    ])
  })

  t.test('is asked for the configured tenant', async t => {
    const { credentials, runs } = setUp(t, undefined, { tenantId: 'example.com', method: 'azure_cli' })
    await credentials.getToken(scope, options)
    t.strictSame(runs[0]?.slice(-2), ['--tenant', 'example.com'])
  })

  t.test('is asked for no tenant that could be something else', async t => {
    for (const tenantId of ['--debug', 'a b', 'a&calc', '']) {
      const { credentials, runs } = setUp(t, undefined, { tenantId })
      t.match(await authErrorOf(credentials.getToken(scope, options)), { code: 'not_configured', message: /tenant_id/ })
      t.strictSame(runs, [])
    }
  })

  t.test('gives a token that is kept until five minutes before its end', async t => {
    const { credentials, clock, runs } = setUp(t, n => ({ stdout: printed(n, clock.time) }))
    const first = await credentials.getToken(scope, options)
    clock.time += 55 * minute - 1
    t.equal((await credentials.getToken(scope, options)).token, first.token)
    clock.time += 1
    t.not((await credentials.getToken(scope, options)).token, first.token)
    t.equal(runs.length, 2)
  })

  t.test('is asked again at once when a token is to be refreshed, and for each other scope', async t => {
    const { credentials, runs } = setUp(t)
    const first = await credentials.getToken(scope, options)
    const second = await credentials.getToken(scope, { ...options, rejected: first.token })
    t.not(second.token, first.token)
    t.equal((await credentials.getToken(scope, options)).token, second.token)
    await credentials.getToken('https://example.com/.default', options)
    t.equal(runs.length, 3)
    t.equal(runs[2]?.[3], 'https://example.com')
  })

  const soon = new Date(start + 30 * minute)
  const local = [soon.getFullYear(), soon.getMonth() + 1, soon.getDate()].map(n => String(n).padStart(2, '0')).join('-')
  const expiries: [name: string, answer: object, expiresAtMs: number | undefined][] = [
    ['expires_on as text', { expires_on: String(soon.getTime() / 1000) }, soon.getTime()],
    ['expiresOn in local time', { expiresOn: `${local} ${soon.toTimeString().slice(0, 8)}.000000` }, soon.getTime()],
    ['expires_on before expiresOn', { expires_on: 1, expiresOn: '2026-11-22 12:00:00' }, 1000],
    ['the claim of the token', { accessToken: jwt({ exp: 5 }) }, 5000],
    ['none', { expiresOn: 'soon' }, undefined],
  ]
  for (const [name, answer, expiresAtMs] of expiries) {
    t.test(`its expiry: ${name}`, async t => {
      const { credentials } = setUp(t, () => ({ stdout: JSON.stringify({ accessToken: 'opaque', ...answer }) }))
      t.equal((await credentials.getToken(scope, options)).expiresAtMs, expiresAtMs)
    })
  }

  const secret = `eyJ0${'secret'.repeat(10)}.eyJ0.x`
  const mfa =
    "ERROR: AADSTS50076: You must use multi-factor authentication. Trace ID: 1 Timestamp: 2\nRun:\naz login --tenant 'x'"
  const failures: [name: string, answer: Partial<CliResult>, message: RegExp, remediation: RegExp][] = [
    [
      'nobody is logged in',
      { code: 1, stderr: "WARNING: x\nERROR: Please run 'az login' to setup account.\n" },
      /^Nobody is signed in to the Azure CLI$/,
      /^Run `az login`, or/,
    ],
    [
      'a policy asks for more',
      { code: 1, stderr: mfa },
      /not accepted: AADSTS50076: You must use multi-factor authentication.$/,
      /^Run `az login` again/,
    ],
    [
      'it fails otherwise',
      { code: 3, stderr: 'ERROR: disk \u0007full' },
      /exit status 3: disk {2}full$/,
      /in a terminal/,
    ],
    ['it fails silently', { code: 1 }, /exit status 1: it said nothing$/, /in a terminal/],
    [
      'its error holds a token',
      { code: 1, stderr: `ERROR: bad ${secret} here` },
      /bad (…|scrubbed) here$/,
      /in a terminal/,
    ],
    ['its error is long', { code: 1, stderr: 'x '.repeat(10_000) }, /^.{1,400}$/, /in a terminal/],
    ['it prints no JSON', { stdout: `Bearer ${secret}` }, /something else than a token$/, /in a terminal/],
    ['it prints no object', { stdout: 'null' }, /something else than a token$/, /in a terminal/],
    ['it prints no token', { stdout: '{"accessToken":""}' }, /something else than a token$/, /in a terminal/],
  ]
  for (const [name, answer, message, remediation] of failures) {
    t.test(`when ${name}`, async t => {
      const { credentials } = setUp(t, () => answer, { method: 'azure_cli' })
      const error = await authErrorOf(credentials.getToken(scope, options), [secret])
      t.match(error, { name: 'AuthError', code: 'not_signed_in', message, remediation })
      t.match(await credentials.describe(options.signal), { skipped: [{ method: 'azure_cli', why: message }] })

      const auto = setUp(t, () => answer)
      const nobody = await authErrorOf(auto.credentials.getToken(scope, options), [secret])
      t.match(nobody, {
        code: 'not_signed_in',
        message: 'Nobody is signed in: no credential was found',
        remediation: /^Run `recovery-services-server login`, or set AZURE_ACCESS_TOKEN/,
      })
      const { not_taken } = nobody.details as { not_taken: object[] }
      t.match(not_taken.at(-1), { method: 'azure_cli', why: message }, 'under auto it says why nobody is there')
      t.match(await auto.credentials.describe(options.signal), { used: undefined, skipped: not_taken })
    })
  }

  t.test('is asked again after a failure', async t => {
    const { credentials } = setUp(t, n => (n === 1 ? { code: 1 } : { stdout: printed(n) }))
    await authErrorOf(credentials.getToken(scope, options))
    t.equal((await credentials.getToken(scope, options)).method, 'azure_cli')
  })
})

t.test('a configured method is the only one tried', async t => {
  const env = { AZURE_ACCESS_TOKEN: 'opaque' }
  const cli = setUp(t, undefined, { env, method: 'azure_cli' })
  t.equal((await cli.credentials.getToken(scope, options)).method, 'azure_cli')

  const token = setUp(t, undefined, { method: 'access_token' })
  const error = await authErrorOf(token.credentials.getToken(scope, options))
  t.match(error, {
    code: 'not_signed_in',
    message: 'Nobody is signed in (auth.method = "access_token"): AZURE_ACCESS_TOKEN is not set',
  })
  t.strictSame(token.runs, [])

  const other = setUp(t, undefined, { env, method: 'client_secret' })
  t.match(await authErrorOf(other.credentials.getToken(scope, options)), {
    code: 'not_signed_in',
    message: /AZURE_CLIENT_SECRET/,
    remediation: 'Set what is missing and restart this server, or set auth.method to "auto".',
  })
  t.match(await other.credentials.describe(options.signal), {
    skipped: [{ method: 'client_secret', why: /AZURE_CLIENT_SECRET/ }],
  })
  t.strictSame(other.runs, [])
})

t.test('callers at the same time share one run of az', async t => {
  t.test('and its result', async t => {
    const { credentials, runs } = setUp(t)
    const both = await Promise.all([credentials.getToken(scope, options), credentials.getToken(scope, options)])
    t.equal(both[0], both[1])
    t.equal(runs.length, 1)
  })

  /** An az that answers when told to. `asked` resolves when it is run. */
  const held = () => {
    let release = (_: CliResult) => {}
    let ask = () => {}
    const asked = new Promise<void>(resolve => {
      ask = resolve
    })
    const result = new Promise<CliResult>(resolve => {
      release = resolve
    })
    const answer = () => {
      ask()
      return result
    }
    return { answer, asked, release: () => release({ code: 0, stdout: printed(1), stderr: '' }) }
  }
  const reason = new Error('the caller went away')

  t.test('one that is cancelled leaves the others waiting', async t => {
    const { answer, asked, release } = held()
    const { credentials, runs, signals } = setUp(t, answer)
    const leaving = new AbortController()
    const first = credentials.getToken(scope, { signal: leaving.signal })
    const second = credentials.getToken(scope, options)
    await asked
    leaving.abort(reason)
    await t.rejects(first, reason)
    t.equal(signals[0]?.aborted, false)
    release()
    t.equal((await second).method, 'azure_cli')
    t.equal(runs.length, 1)
  })

  t.test('when all are cancelled az is stopped, and the next caller starts afresh', async t => {
    const { answer, asked } = held()
    const { credentials, signals } = setUp(t, n => (n === 1 ? answer() : { stdout: printed(n) }))
    const leaving = new AbortController()
    const waiting = [1, 2].map(() => credentials.getToken(scope, { signal: leaving.signal }))
    await asked
    leaving.abort(reason)
    for (const each of waiting) await t.rejects(each, reason)
    t.equal(signals[0]?.aborted, true)
    t.equal((await credentials.getToken(scope, options)).method, 'azure_cli')
  })

  t.test('one that was cancelled before starts nothing', async t => {
    const { credentials, runs } = setUp(t)
    await t.rejects(credentials.getToken(scope, { signal: AbortSignal.abort(reason) }), reason)
    await t.rejects(credentials.describe(AbortSignal.abort(reason)), reason)
    t.strictSame(runs, [])
  })
})

t.test('clear_auth_cache drops the tokens in memory, once a person agreed', async t => {
  const { credentials, runs } = setUp(t)
  const other = 'https://other.example/.default'
  const held = (which: 'own' | 'all') => credentials.accounts(which, options.signal)
  const { call, confirmed, taken, lines } = createEstate({}, { signIn: credentials })
  const ada = { account: 'ada@example.com', tenant_id: tenant, method: 'azure_cli' }
  t.match(await call('clear_auth_cache'), { status: 'succeeded', accounts: [], message: /holds no tokens/ })
  t.strictSame(runs, [], 'nobody signs in for that')

  await credentials.getToken(scope, options)
  await credentials.getToken(other, options)
  t.match(await call('clear_auth_cache'), {
    code: 'confirmation_required',
    details: { plan: { requests: [], loses: [`the tokens of ada@example.com in tenant ${tenant} (azure_cli)`] } },
  })
  t.match(await call('clear_auth_cache', { all_accounts: true, dry_run: true }), {
    status: 'planned',
    plan: { loses: [String, String], keeps: [/Azure CLI.*az logout/] },
    confirmation: String,
    accounts: [ada, ada],
  })
  t.equal((await credentials.accounts('all', options.signal)).length, 2, 'until then they stay')

  const done = await confirmed('clear_auth_cache')
  t.match(done, { status: 'succeeded', accounts: [ada], message: /gone.*az logout/, vault_name: null })
  t.same([(await held('own')).length, (await held('all')).length], [0, 1])
  await credentials.getToken(scope, options)
  const all = await confirmed('clear_auth_cache', { all_accounts: true })
  t.match(all, { status: 'succeeded', accounts: [ada, ada] })
  t.same(await held('all'), [])
  t.same(taken(), [], 'Azure hears nothing of it')
  t.equal(lines.filter(({ message }) => message === 'tokens dropped').length, 2)

  const before = runs.length
  await credentials.getToken(scope, options)
  t.equal(runs.length, before + 1, 'the next call asks the source again')
})

t.test('a confirmation of clear_auth_cache holds for the accounts that it named', async t => {
  const names = ['ada@example.com', 'bob@example.com']
  const printedFor = (n: number) =>
    JSON.stringify({ accessToken: jwt({ upn: names[n - 1] }), expires_on: (start + 60 * minute) / 1000, tenant })
  const { credentials } = setUp(t, n => ({ stdout: printedFor(n) }))
  const { call } = createEstate({}, { signIn: credentials })
  await credentials.getToken(scope, options)
  const { confirmation } = await call('clear_auth_cache', { dry_run: true })
  const { token } = await credentials.getToken(scope, options)
  await credentials.getToken(scope, { ...options, rejected: token })
  t.match(await call('clear_auth_cache', { confirm: confirmation }), {
    code: 'confirmation_required',
    message: /bob@example\.com.*another plan/,
  })
  t.equal((await credentials.accounts('own', options.signal)).length, 1)
})

t.test('where nobody signs in clear_auth_cache says so', async t => {
  const rows: [signIn: 'simulated' | undefined, words: RegExp][] = [
    ['simulated', /Azure is simulated/],
    [undefined, /come from a recording/],
  ]
  for (const [signIn, words] of rows) {
    const { call } = createEstate({}, { signIn })
    t.match(await call('clear_auth_cache'), { status: 'succeeded', accounts: [], message: words })
    t.match(await call('clear_auth_cache', { dry_run: true }), { status: 'planned', plan: { summary: words } })
  }
})
