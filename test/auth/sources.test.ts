import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { ArmResponse, Send } from '../../src/arm/send.ts'
import { AuthError } from '../../src/auth/auth-error.ts'
import type { RunAzureCli } from '../../src/auth/azure-cli.ts'
import { accountsIn, mergedCaches, withoutAccounts } from '../../src/auth/cached-accounts.ts'
import type { CredentialsDeps } from '../../src/auth/tokens.ts'
import { Authority, aadError, ada, bob, contoso, fabrikam, type User, usualClientId } from '../helpers/authority.ts'
import { certificate } from '../helpers/certificate.ts'
import { armScope, sendTo, signInFor, temporaryFolder, testClock } from '../helpers/sign-in.ts'

const minute = 60_000
const clientId = '0a0a0a0a-0000-4000-8000-00000000000b'
const secret = 'the-secret-of-the-application'
const { signal } = new AbortController()

/** Credentials of this process against one authority, with an Azure CLI that is signed in. */
const setUp = async (t: Test, authority: Authority, more: Partial<CredentialsDeps> = {}) => {
  const clock = testClock({ time: Date.now() })
  const runs: string[][] = []
  const runAzureCli: RunAzureCli = async args => {
    runs.push(args)
    return { code: 0, stdout: JSON.stringify({ accessToken: `az${runs.length}` }), stderr: '' }
  }
  const made = signInFor(t, {
    clock,
    authorityHost: authority.origin,
    send: await sendTo(t, authority),
    runAzureCli,
    ...more,
  })
  const { credentials } = made
  const get = (wish: { rejected?: string; claims?: string } = {}) => credentials.getToken(armScope, { signal, ...wish })
  const fault = async (wish: { rejected?: string; claims?: string } = {}): Promise<AuthError> => {
    const error: unknown = await get(wish).catch((error: unknown) => error)
    if (!(error instanceof AuthError)) throw new Error(`no AuthError: ${JSON.stringify(error)}`)
    return error
  }
  const signedIn = (text: string) => writeFileSync(made.file, text, { mode: 0o600 })
  return { ...made, clock, runs, get, fault, signedIn }
}

/** Writes files that go when the test ends; gives back their paths. */
const filesOf = (t: Test) => {
  const folder = temporaryFolder(t)
  return (name: string, text: string): string => {
    const file = path.join(folder, name)
    writeFileSync(file, text)
    return file
  }
}

const skippedBy = async ({ credentials }: { credentials: Awaited<ReturnType<typeof setUp>>['credentials'] }) =>
  (await credentials.describe(signal)).skipped

/** IMDS: 400 without the header that makes a request one for a token. */
const imds =
  (token: ArmResponse): Send =>
  async ({ headers }) =>
    headers.metadata === 'true' ? token : { status: 400, headers: {}, body: '{"error":"invalid_request"}' }
const imdsToken: ArmResponse = {
  status: 200,
  headers: {},
  body: JSON.stringify({ access_token: 'of the machine', expires_in: '3600', token_type: 'Bearer', resource: 'x' }),
}

t.test('against one authority', async t => {
  const authority = await Authority.start(t)
  const pair = certificate({ type: 'rsa' })
  authority.apps.push({
    clientId,
    tenant: contoso,
    secret,
    certificate: pair.cert,
    assertions: ['the-assertion', 'the-next-assertion'],
  })
  const asked = () => authority.grants('refresh_token').length
  const environment = { AZURE_TENANT_ID: contoso, AZURE_CLIENT_ID: clientId }

  t.test('auto takes the first that is there, and says of each before it why it was not taken', async t => {
    const put = filesOf(t)
    const all: Record<string, string> = {
      ...environment,
      AZURE_ACCESS_TOKEN: 'opaque',
      AZURE_CLIENT_SECRET: secret,
      AZURE_CLIENT_CERTIFICATE_PATH: put('both.pem', pair.key + pair.cert),
      AZURE_FEDERATED_TOKEN_FILE: put('assertion', 'the-assertion\n'),
    }
    const cacheText = authority.cacheText([ada], { isExpired: false })
    const rows: [
      method: string,
      without: string[],
      hasCache: boolean,
      hasImds: boolean,
      why: string | RegExp | undefined,
    ][] = [
      ['access_token', [], true, true, undefined],
      ['client_secret', ['AZURE_ACCESS_TOKEN'], true, true, 'AZURE_ACCESS_TOKEN is not set'],
      ['client_certificate', ['AZURE_CLIENT_SECRET'], true, true, 'AZURE_CLIENT_SECRET is not set'],
      ['workload_identity', ['AZURE_CLIENT_CERTIFICATE_PATH'], true, true, 'AZURE_CLIENT_CERTIFICATE_PATH is not set'],
      // AZURE_CLIENT_ID would name an identity that is assigned to the machine.
      ['user', ['AZURE_FEDERATED_TOKEN_FILE', 'AZURE_CLIENT_ID'], true, true, 'AZURE_FEDERATED_TOKEN_FILE is not set'],
      ['managed_identity', [], false, true, 'no account is in the token cache'],
      ['azure_cli', [], false, false, /169\.254\.169\.254 answered 404/],
    ]
    const env = { ...all }
    const skipped: { method: string; why: string | RegExp }[] = []
    let before: string | undefined
    for (const [method, without, hasCache, hasImds, why] of rows) {
      for (const name of without) delete env[name]
      if (before !== undefined && why !== undefined) skipped.push({ method: before, why })
      before = method
      await t.test(method, async t => {
        const made = await setUp(t, authority, {
          env: { ...env },
          ...(hasImds && { sendHere: imds(imdsToken) }),
        })
        if (hasCache) made.signedIn(cacheText)
        t.equal((await made.get()).method, method)
        const said = await skippedBy(made)
        t.match(said, skipped)
        t.equal(said.length, skipped.length)
        t.equal(made.runs.length > 0, method === 'azure_cli')
      })
    }
  })

  t.test('each says what is missing', async t => {
    const rows: [method: CredentialsDeps['method'], env: Record<string, string>, why: string, tenantId?: string][] = [
      ['access_token', { AZURE_ACCESS_TOKEN: ' ' }, 'AZURE_ACCESS_TOKEN is not set'],
      [
        'client_secret',
        {},
        'AZURE_CLIENT_SECRET, AZURE_TENANT_ID (or tenant_id), AZURE_CLIENT_ID (or auth.client_id) are not set',
      ],
      ['client_secret', environment, 'AZURE_CLIENT_SECRET is not set'],
      [
        'client_secret',
        { AZURE_CLIENT_SECRET: secret, AZURE_TENANT_ID: '' },
        'AZURE_CLIENT_ID (or auth.client_id) is not set',
        contoso,
      ],
      [
        'client_certificate',
        { AZURE_CLIENT_ID: clientId },
        'AZURE_CLIENT_CERTIFICATE_PATH, AZURE_TENANT_ID (or tenant_id) are not set',
      ],
      ['workload_identity', environment, 'AZURE_FEDERATED_TOKEN_FILE is not set'],
      ['user', {}, 'no account is in the token cache'],
    ]
    for (const [method, env, why, tenantId] of rows)
      t.test(`${method}: ${why}`, async t => {
        const { fault, credentials, runs } = await setUp(t, authority, { method, env, tenantId })
        const error = await fault()
        t.match(error, {
          code: 'not_signed_in',
          message: `Nobody is signed in (auth.method = "${method}"): ${why}`,
          details: { not_taken: [{ method, why }] },
          // No other credential is tried: none is named that would not help.
          remediation:
            method === 'user'
              ? 'Run `recovery-services-server login`, or set auth.method to another credential.'
              : /^Set what is missing/,
        })
        t.match(await credentials.describe(signal), { used: undefined, skipped: [{ method, why }] })
        t.same(runs, [])
      })

    t.test('also under auto, where half of an application is none', async t => {
      const env = { AZURE_CLIENT_SECRET: secret, AZURE_FEDERATED_TOKEN_FILE: 'nowhere', AZURE_TENANT_ID: contoso }
      const made = await setUp(t, authority, { env })
      t.equal((await made.get()).method, 'azure_cli')
      t.match(await skippedBy(made), [
        { method: 'access_token' },
        { method: 'client_secret', why: 'AZURE_CLIENT_ID (or auth.client_id) is not set' },
        { method: 'client_certificate', why: 'AZURE_CLIENT_CERTIFICATE_PATH is not set' },
        { method: 'workload_identity', why: 'AZURE_CLIENT_ID (or auth.client_id) is not set' },
      ])
    })
  })

  t.test('whoever is there and fails does not hand over to another account', async t => {
    const wrong = { ...environment, AZURE_CLIENT_SECRET: 'wrong-secret' }
    const rows: [
      name: string,
      method: string,
      make: (put: ReturnType<typeof filesOf>) => Partial<CredentialsDeps>,
      expected: object,
      users?: readonly User[],
    ][] = [
      [
        'a wrong secret',
        'client_secret',
        () => ({ env: wrong }),
        { code: 'not_configured', azureCode: 'AADSTS7000215' },
      ],
      [
        'a certificate that is not there',
        'client_certificate',
        () => ({ env: { ...environment, AZURE_CLIENT_CERTIFICATE_PATH: '/no/such.pem' } }),
        { code: 'not_configured', message: /cannot be read: ENOENT/ },
      ],
      [
        'a certificate of another application',
        'client_certificate',
        put => {
          const other = certificate({ type: 'rsa' })
          return { env: { ...environment, AZURE_CLIENT_CERTIFICATE_PATH: put('other.pem', other.key + other.cert) } }
        },
        { code: 'not_configured', azureCode: /^AADSTS700/ },
      ],
      [
        'an empty assertion',
        'workload_identity',
        put => ({ env: { ...environment, AZURE_FEDERATED_TOKEN_FILE: put('empty', ' \n') } }),
        { code: 'not_configured', message: /is empty/ },
      ],
      [
        'two accounts',
        'user',
        () => ({}),
        { code: 'ambiguous', message: /^2 accounts .*ada@.*bob@/, remediation: /tenant_id/ },
        [ada, bob],
      ],
      [
        'a machine without that identity, as the service says it',
        'managed_identity',
        () => ({ sendHere: imds({ status: 403, headers: {}, body: '{"error":{"code":"x","message":"no"}}' }) }),
        { code: 'not_configured', message: /^The managed identity \(IMDS\) gave no token/ },
      ],
    ]
    for (const [name, method, make, expected, users = []] of rows)
      t.test(name, async t => {
        const made = await setUp(t, authority, make(filesOf(t)))
        made.signedIn(authority.cacheText(users))
        const error = await made.fault()
        t.match(error, expected)
        t.equal(error.person, undefined, 'no sign-in of a person mends it')
        const skipped = await skippedBy(made)
        t.match(skipped.at(-1), { method, why: error.message })
        t.same(made.runs, [])
        t.notMatch(JSON.stringify([error.message, error.remediation, skipped]), /wrong-secret/)
      })

    t.test('a sign-in that was revoked', async t => {
      const cleo: User = { name: 'cleo@contoso.example', tenant: contoso }
      const made = await setUp(t, authority)
      made.signedIn(authority.cacheText([cleo]))
      authority.revoke(cleo)
      const error = await made.fault()
      t.match(error, {
        code: 'not_signed_in',
        azureCode: 'AADSTS50173',
        person: { insteadOf: { username: cleo.name } },
        remediation: /Sign in again: `recovery-services-server login --tenant/,
      })
      t.match((await skippedBy(made)).at(-1), { method: 'user', why: error.message })
      t.same(made.runs, [])
    })
  })

  t.test('a revoked sign-in is refused once, not by every call', async t => {
    const dan: User = { name: 'dan@contoso.example', tenant: contoso }
    const { clock, fault, get, signedIn } = await setUp(t, authority)
    const text = authority.cacheText([dan])
    signedIn(text)
    authority.revoke(dan)
    const before = asked()
    const first = await fault()
    for (let n = 0; n < 3; n++) t.equal((await fault()).message, first.message)
    t.equal(asked(), before + 1)

    clock.time += 5 * minute - 1
    await fault()
    t.equal(asked(), before + 1, 'for five minutes')
    clock.time += 1
    await fault()
    t.equal(asked(), before + 2, 'then it is tried again, once')
    await fault()
    t.equal(asked(), before + 2)

    await fault({ claims: '{"access_token":{"a":null}}' })
    t.equal(asked(), before + 3, 'what other claims need is another question')
    signedIn(mergedCaches(text, authority.cacheText([dan])))
    t.match(await get(), { method: 'user', account: dan.name }, 'and so is a new sign-in')
    t.equal(asked(), before + 4)
  })

  t.test('a refusal that passes by itself is not remembered', async t => {
    const { get, fault, signedIn } = await setUp(t, authority, {
      clock: testClock({ time: Date.now(), isHasty: true }),
    })
    signedIn(authority.cacheText([ada]))
    authority.answer(/token$/, { status: 503, body: 'busy' }, 3)
    t.match(await fault(), { code: 'unreachable', person: undefined })
    t.match(await get(), { method: 'user', account: ada.name })
  })

  t.test('an account of the cache', async t => {
    t.test('has its token taken from the file, and renewed five minutes before it ends', async t => {
      const { get, clock, signedIn, file, cache } = await setUp(t, authority)
      signedIn(authority.cacheText([ada], { isExpired: false }))
      const before = asked()
      const first = await get()
      t.match(first, { method: 'user', account: ada.name, tenantId: contoso })
      clock.time = (first.expiresAtMs ?? 0) - 5 * minute - 1
      t.equal((await get()).token, first.token)
      t.equal(asked(), before)
      clock.time += 1
      const [second, third] = await Promise.all([get(), get()])
      t.not(second?.token, first.token)
      t.equal(third?.token, second?.token)
      t.equal(asked(), before + 1)
      t.ok((await cache.read(signal)).includes(second?.token ?? '-'), `${file} has it for the others`)
    })

    t.test('gives another token for one that was not taken, also where another process has it already', async t => {
      const { get, signedIn } = await setUp(t, authority)
      signedIn(authority.cacheText([ada], { isExpired: false }))
      const before = asked()
      const first = await get()
      const second = await get({ rejected: first.token })
      t.not(second.token, first.token)
      t.equal(asked(), before + 1)
      const text = authority.cacheText([ada], { isExpired: false })
      signedIn(text)
      const third = await get({ rejected: second.token })
      t.not(third.token, second.token)
      t.ok(text.includes(third.token))
      t.equal(asked(), before + 1)
      t.equal((await get({ rejected: first.token })).token, third.token, 'a late rejection changes nothing')
    })

    t.test('is asked for what a challenge wants, once for all who met it', async t => {
      const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
      const { get, signedIn } = await setUp(t, authority)
      signedIn(authority.cacheText([ada], { isExpired: false }))
      const first = await get()
      const before = asked()
      const wish = { rejected: first.token, claims }
      const [second, third] = await Promise.all([get(wish), get(wish)])
      t.not(second?.token, first.token)
      t.equal(third?.token, second?.token)
      t.match(JSON.parse(authority.grants('refresh_token').at(-1)?.fields.claims ?? ''), JSON.parse(claims))
      t.equal((await get(wish)).token, second?.token, 'whoever met it with the old token has the new one')
      t.equal((await get()).token, second?.token)
      t.equal(asked(), before + 1)
      t.not((await get({ rejected: second?.token ?? '', claims })).token, second?.token)
      t.equal(asked(), before + 2)
    })

    t.test('is of the configured tenant, whatever other tokens it has', async t => {
      const rows: [name: string, tenantId: string | undefined, has: string, wanted: string, isAsked: boolean][] = [
        ['its home', undefined, fabrikam, fabrikam, false],
        ['where it is a guest', contoso, contoso, contoso, false],
        ['the name of its home', 'fabrikam.example', fabrikam, fabrikam, false],
        ['the name of another tenant', 'contoso.example', fabrikam, contoso, true],
        ['the name of another tenant that it has a token of', 'contoso.example', contoso, contoso, true],
      ]
      for (const [name, tenantId, has, wanted, isAsked] of rows)
        t.test(name, async t => {
          const { get, signedIn } = await setUp(t, authority, { tenantId })
          signedIn(authority.cacheText([bob], { isExpired: false, tenant: has }))
          const before = asked()
          t.match(await get(), { account: bob.name, tenantId: wanted })
          t.equal(asked() - before, isAsked ? 1 : 0)
        })

      t.test('a tenant whose name the service has told once is known from then on', async t => {
        const { get, signedIn } = await setUp(t, authority, { tenantId: 'contoso.example' })
        signedIn(authority.cacheText([bob], { isExpired: false }))
        const { token } = await get()
        const before = asked()
        signedIn(authority.cacheText([bob], { isExpired: false, tenant: contoso }))
        t.not((await get({ rejected: token })).token, token)
        t.equal(asked(), before)
      })

      t.test('without one, that of another server does not take over', async t => {
        const { get, signedIn, clock } = await setUp(t, authority)
        const home = authority.cacheText([bob], { isExpired: false })
        signedIn(home)
        t.match(await get(), { tenantId: fabrikam })
        clock.time += 10 * minute
        authority.now = () => clock.time
        t.teardown(() => {
          authority.now = () => Date.now()
        })
        signedIn(mergedCaches(home, authority.cacheText([bob], { isExpired: false, tenant: contoso })))
        clock.time += 46 * minute
        t.match(await get(), { tenantId: fabrikam })
      })

      t.test('an account that is known in other tenants only is not taken', async t => {
        const { fault, signedIn } = await setUp(t, authority, { tenantId: contoso, method: 'user' })
        signedIn(authority.cacheText([bob], { isExpired: false }))
        t.match(await fault(), { message: /none of the accounts in the token cache is of .*tenant 9999.*: bob@/ })
      })
    })

    t.test('is found by an application id in other letter case', async t => {
      const { get, signedIn } = await setUp(t, authority, { clientId: clientId.toUpperCase() })
      signedIn(authority.cacheText([ada], { clientId }))
      t.match(await get(), { method: 'user', account: ada.name })
      t.equal(authority.grants('refresh_token').at(-1)?.fields.client_id, clientId)
    })

    t.test('signed in by another application keeps to that where none is configured', async t => {
      const { get, signedIn } = await setUp(t, authority)
      signedIn(authority.cacheText([ada], { clientId }))
      await get()
      t.equal(authority.grants('refresh_token').at(-1)?.fields.client_id, clientId)
      signedIn(mergedCaches(authority.cacheText([bob], { clientId }), authority.cacheText([bob])))
      await get({ rejected: (await get()).token })
      t.equal(authority.grants('refresh_token').at(-1)?.fields.client_id, usualClientId)
    })

    t.test('of another cloud is not taken', async t => {
      const { fault, signedIn } = await setUp(t, authority, { method: 'user' })
      const foreign = authority
        .cacheText([ada], { isExpired: false })
        .replaceAll(new URL(authority.origin).host, 'login.microsoftonline.us')
      signedIn(foreign)
      t.match(await fault(), { message: /none of the accounts .* is of 127\.0\.0\.1:\d+: ada@/ })
    })

    t.test('that is gone gives way to the next credential, which the log says', async t => {
      const { get, signedIn, cache, clock, logged } = await setUp(t, authority)
      signedIn(authority.cacheText([ada], { isExpired: false }))
      await get()
      const text = await cache.read(signal)
      signedIn(withoutAccounts(text, accountsIn(text)))
      clock.time += 56 * minute
      t.match(await get(), { method: 'azure_cli' })
      t.match(logged.at(-1), {
        level: 'notice',
        message: 'another account is used from now on',
        fields: { method: 'azure_cli', before: `${ada.name} (user)` },
      })
    })
  })

  t.test('the assertion of a workload is read anew each time', async t => {
    const put = filesOf(t)
    const file = put('assertion', 'the-assertion')
    const { get } = await setUp(t, authority, { env: { ...environment, AZURE_FEDERATED_TOKEN_FILE: file } })
    const { token } = await get()
    put('assertion', 'the-next-assertion\n')
    await get({ rejected: token })
    t.same(
      authority
        .grants('client_credentials')
        .slice(-2)
        .map(({ fields }) => fields.client_assertion),
      ['the-assertion', 'the-next-assertion'],
    )
  })

  t.test('an application is told what the service refuses it for', async t => {
    const { fault } = await setUp(t, authority, { env: { ...environment, AZURE_CLIENT_SECRET: secret } })
    authority.answer(/token$/, aadError('invalid_client', 7000222, 'The provided client secret keys are expired.'))
    t.match(await fault(), { azureCode: 'AADSTS7000222', remediation: /Make a new client secret/ })
  })
})

t.test('a challenge that a token of the environment cannot meet is an error', async t => {
  const { credentials } = signInFor(t, { env: { AZURE_ACCESS_TOKEN: 'opaque' } })
  const { token } = await credentials.getToken(armScope, { signal })
  await t.rejects(credentials.getToken(armScope, { signal, rejected: token, claims: '{"a":1}' }), {
    code: 'not_signed_in',
    message: /^Conditional access does not accept the token in AZURE_ACCESS_TOKEN/,
  })
})

t.test('a managed identity that gave a token does not give way to the Azure CLI when it is slow', async t => {
  const clock = testClock({ time: Date.now() })
  let isThere = true
  const runs: string[][] = []
  const answer = imds(imdsToken)
  const { credentials } = signInFor(t, {
    clock,
    sendHere: async (request, signal) =>
      isThere ? answer(request, signal) : { status: 503, headers: { 'retry-after': '60' }, body: '' },
    runAzureCli: async args => {
      runs.push(args)
      return { code: 0, stdout: '{"accessToken":"az"}', stderr: '' }
    },
  })
  t.match(await credentials.getToken(armScope, { signal }), { method: 'managed_identity', token: 'of the machine' })
  isThere = false
  clock.time += 60 * minute
  await t.rejects(credentials.getToken(armScope, { signal }), {
    code: 'unreachable',
    message: /managed identity/,
  })
  t.same(runs, [])
})
