/** The server with somebody signed in: tokens that end, are refused, revoked or asked to be better, and other servers beside it. */
import t from 'tap'
import { aadError, ada, bob, contoso, fabrikam } from '../helpers/authority.ts'
import { offered, says, scene } from '../helpers/serving.ts'

t.jobs = 3
t.setTimeout(120_000)

const isGood = { isError: false }

t.test('a second server on the same cache works at once and asks the sign-in service nothing', async t => {
  const { authority, start } = await scene(t)
  const first = start()
  const { signIn } = await offered(first)
  authority.decide(signIn.code, { user: ada })
  await says(first, /signed in/)
  const asked = authority.requests.length
  const second = start({ era: 'legacy' })
  await second.initialize()
  t.match(await second.call('list_policies'), isGood)
  t.equal(await first.end(), 0)
  t.match(await start().call('list_policies'), isGood, 'nor does one that is started again')
  t.equal(authority.requests.length, asked)
})

t.test('a sign-in that another process ends is found by the next call', async t => {
  const { authority, start, cache } = await scene(t)
  const server = start()
  await offered(server)
  cache([ada], { isExpired: false })
  t.match(await server.call('list_policies'), isGood)
  t.equal(authority.deviceCodes.length, 1)
})

t.test('a token is renewed five minutes before its end, once for all callers', async t => {
  const { authority, start, cache } = await scene(t)
  authority.lifetimeSeconds = 299
  cache([ada], { isExpired: false })
  authority.lifetimeSeconds = 3600
  const server = start()
  const called = await Promise.all(Array.from({ length: 12 }, () => server.call('list_policies')))
  t.strictSame(
    called.map(({ isError }) => isError),
    Array(12).fill(false),
  )
  t.equal(authority.grants('refresh_token').length, 1)
  const other = start()
  t.match(await other.call('list_policies'), isGood)
  t.equal(authority.grants('refresh_token').length, 1, 'nor does another server ask again')
})

t.test('a token that has ended is renewed, and the call that met the end succeeds; a write is made once', async t => {
  const made = await scene(t)
  const { authority, start, cache, advance, arrived } = made
  cache([ada], { isExpired: false })
  const server = start()
  t.match(await server.call('list_policies'), isGood)
  advance(2 * 3600)
  t.match(await server.call('list_policies'), isGood, 'a read')
  t.equal(authority.grants('refresh_token').length, 1)

  // Between the three requests by which the tool reads first and the one by which it writes.
  let reads = 0
  const refused: string[] = []
  made.onAnswered = (method, _, status) => {
    if (method === 'GET' && ++reads === 3) advance(2 * 3600)
    if (status === 401) refused.push(method)
  }
  const { isError, body } = await server.call('trigger_backup', { item: 'web-01' })
  t.notOk(isError, JSON.stringify(body))
  t.ok(body.job_id)
  t.strictSame(refused, ['POST'], 'the write met the end')
  t.equal(arrived('POST', '/backup'), 1)
  t.equal(authority.grants('refresh_token').length, 2)
  t.notMatch(server.stderr, /error/)
})

t.test('a sign-in that was revoked leads to a new one, not to a loop', async t => {
  const { authority, start, cache, advance } = await scene(t)
  cache([ada], { isExpired: false })
  const server = start()
  t.match(await server.call('list_policies'), isGood)
  const before = authority.deviceCodes.length
  authority.revoke(ada)
  advance(2 * 3600)
  const codes = new Set<string>()
  for (let calls = 0; calls < 4; calls++) {
    const told = await offered(server)
    t.match(told.error, { code: 'not_signed_in', azure_code: 'AADSTS50173', message: /revoked/ })
    codes.add(told.signIn.code)
  }
  t.equal(codes.size, 1)
  t.equal(authority.grants('refresh_token').length, 1)
  t.equal(authority.deviceCodes.length, before + 1)
  for (const code of codes) authority.decide(code, { user: ada })
  await says(server, /signed in/)
  t.match(await server.call('list_policies'), isGood)
  t.equal(authority.grants('refresh_token').length, 1)
})

const claims = { access_token: { acrs: { essential: true, value: 'c1' } } }

t.test('a claims challenge is met by a token that is asked for with its claims', async t => {
  const { authority, start, cache, faults, arrived } = await scene(t)
  cache([ada], { isExpired: false })
  const server = start()
  faults({ kind: 'claims_challenge', claims, times: 1, method: 'POST' })
  t.match(await server.call('trigger_backup', { item: 'web-01' }), isGood)
  t.equal(arrived('POST', '/backup'), 2, 'the one that was challenged, and the one that was taken')
  const [asked, ...more] = authority.grants('refresh_token')
  t.match(JSON.parse(asked?.fields.claims ?? '{}'), claims)
  t.same(more, [])
  t.match(await server.call('list_policies'), isGood)
  t.equal(authority.grants('refresh_token').length, 1)
})

t.test('a session that was revoked in between is renewed where the sign-in still holds', async t => {
  const { authority, start, cache, faults } = await scene(t)
  cache([ada], { isExpired: false })
  const server = start()
  faults({ kind: 'claims_challenge', times: 1 })
  t.match(await server.call('list_policies'), isGood)
  t.match(JSON.parse(authority.grants('refresh_token')[0]?.fields.claims ?? '{}'), {
    access_token: { nbf: { essential: true, value: /^\d+$/ } },
  })
})

t.test('a claims challenge that only a person can meet starts a sign-in with its claims', async t => {
  const { authority, start, cache, faults } = await scene(t)
  cache([ada], { isExpired: false })
  const server = start()
  faults({ kind: 'claims_challenge', claims })
  const mfa = 'Due to a configuration change made by your administrator, you must use multi-factor authentication.'
  authority.answer(/token$/, aadError('interaction_required', 50076, mfa, { claims: JSON.stringify(claims) }))
  const codes = new Set<string>()
  for (let calls = 0; calls < 3; calls++) {
    const told = await offered(server)
    t.match(told.error, { code: 'not_signed_in', azure_code: 'AADSTS50076', message: /multi-factor/ })
    codes.add(told.signIn.code)
  }
  t.equal(codes.size, 1)
  t.equal(authority.grants('refresh_token').length, 1, 'what was refused is not asked again and again')
  faults()
  for (const code of codes) authority.decide(code, { user: ada })
  await says(server, /signed in/)
  t.match(await server.call('list_policies'), isGood)
  const withClaims = authority.requests.filter(({ fields }) => fields.claims?.includes('"acrs"'))
  t.ok(
    withClaims.some(({ path, fields }) => path.endsWith('/devicecode') || fields.grant_type?.endsWith('device_code')),
    'the sign-in is asked for with the claims',
  )
})

t.test(
  'a sign-in that conditional access asked for outlives the renewal of the token that is good for the rest',
  async t => {
    const { authority, start, cache, faults, advance } = await scene(t)
    cache([ada], { isExpired: false })
    const server = start()
    faults({ kind: 'claims_challenge', claims, method: 'POST', times: 1 })
    authority.deviceCodeSeconds = 24 * 3600
    const more = { claims: JSON.stringify(claims) }
    authority.answer(
      /token$/,
      aadError('interaction_required', 50076, 'You must use multi-factor authentication.', more),
    )
    const told = await offered(server, server.call('trigger_backup', { item: 'web-01' }))
    advance(2 * 3600)
    t.match(await server.call('list_policies'), isGood)
    t.equal(authority.grants('refresh_token').length, 2)
    authority.decide(told.signIn.code, { user: ada })
    await says(server, /signed in/)
    t.match(await server.call('trigger_backup', { item: 'web-01' }), isGood)
    t.equal(authority.deviceCodes.length, 1)
  },
)

t.test('a claims challenge that no token meets is told, and not tried for ever', async t => {
  const { authority, start, cache, faults } = await scene(t)
  cache([ada], { isExpired: false })
  const server = start()
  faults({ kind: 'claims_challenge', claims })
  t.match((await server.call('list_policies')).error, {
    code: 'not_signed_in',
    http_status: 401,
    message: /^Conditional access asks for more than the token of ada@contoso\.example \(user\) has/,
    remediation: /login/,
  })
  t.equal(authority.grants('refresh_token').length, 1)
})

t.test('a subscription of another tenant is told by both tenants and the setting', async t => {
  const { authority, start, cache, configure } = await scene(t)
  cache([bob], { isExpired: false })
  t.match((await start().call('list_policies')).error, {
    code: 'not_signed_in',
    azure_code: 'InvalidAuthenticationTokenTenant',
    http_status: 401,
    message: new RegExp(`bob@fabrikam\\.example .*tenant ${fabrikam}, .* tenant ${contoso}`),
    remediation: new RegExp(`tenant_id to ${contoso} .*login --tenant ${contoso}`),
    details: { token_tenant_id: fabrikam, subscription_tenant_id: contoso },
  })
  t.same(authority.requests, [], 'another token of that account would be of the same tenant')
  configure('tenant_id', contoso)
  const server = start()
  const { signIn } = await offered(server)
  authority.decide(signIn.code, { user: bob })
  await says(server, /signed in.*bob@fabrikam/)
  t.match(await server.call('list_policies'), isGood, 'who is a guest there signs in there')
})
