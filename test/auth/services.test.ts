/** Credentials that need no person, by the front door: service principals, workload identities, the Azure CLI's account. */
import t, { type Test } from 'tap'
import type { AuthMethod } from '../../src/config/types.ts'
import { type App, Authority, contoso, fabrikam } from '../helpers/authority.ts'
import { checksOf, Machine } from '../helpers/machine.ts'
import { offered } from '../helpers/serving.ts'
import { signInFor } from '../helpers/sign-in.ts'

const clientId = '11111111-1111-4111-8111-111111111111'
const otherClientId = '22222222-2222-4222-8222-222222222222'
const secret = 'value~of.the-secret'
const principal = { AZURE_TENANT_ID: contoso, AZURE_CLIENT_ID: clientId }

const authorityWith = async (t: Test, app: Partial<App>) => {
  const authority = await Authority.start(t)
  const known: App = { clientId, tenant: contoso, ...app }
  authority.apps.push(known)
  return { authority, app: known }
}

const explicit = (method: string) => `[recovery_services.auth]\nmethod = "${method}"`

t.test('a client secret signs the application in, once for calls that come together', async t => {
  const { authority } = await authorityWith(t, { secret })
  const machine = await Machine.start(t, { authority, env: { ...principal, AZURE_CLIENT_SECRET: secret } })
  const server = machine.server()
  const [first, second, connection] = await Promise.all([
    server.call('list_vaults'),
    server.call('list_vaults'),
    server.call('test_connection'),
  ])
  t.same([first.body, second.body], Array(2).fill({ vaults: [], count: 0 }))
  t.equal(authority.grants('client_credentials').length, 1)
  t.match(authority.grants('client_credentials')[0]?.fields, {
    client_id: clientId,
    client_secret: secret,
    scope: `${machine.arm}/.default`,
  })
  t.ok(machine.tokens.length > 3 && machine.tokens.every(token => authority.secrets.includes(token)))
  t.match(checksOf(connection), {
    sign_in: {
      status: 'ok',
      message: new RegExp(
        `^by client_secret; as ${clientId}; tenant ${contoso}; until 20[0-9T:-]+Z; access_token not taken: AZURE_ACCESS_TOKEN is not set$`,
      ),
    },
    azure: { status: 'ok', message: /subscription Production$/ },
    vault: { status: 'ok', message: 'vault-prod in westeurope is readable' },
    permissions: { status: 'ok', message: 'may read; may not protect, back up, restore, delete' },
  })
})

t.test('the configuration goes before the environment, and an explicit method tries nothing else', async t => {
  const { authority } = await authorityWith(t, { secret })
  const machine = await Machine.start(t, {
    authority,
    toml: `tenant_id = "contoso.example"\n${explicit('client_secret')}\nclient_id = "${clientId}"`,
    env: {
      AZURE_TENANT_ID: fabrikam,
      AZURE_CLIENT_ID: otherClientId,
      AZURE_CLIENT_SECRET: secret,
      AZURE_ACCESS_TOKEN: 'another',
    },
  })
  t.match(await machine.status(), { method: 'client_secret', account: clientId, tenant_id: contoso, not_taken: [] })
})

t.test('an application that is refused is told what to set, and no other credential takes over', async t => {
  const { authority, app } = await authorityWith(t, { secret })
  const machine = await Machine.start(t, { authority })
  machine.azureCli('echo {}')
  const elsewhere = { AZURE_TENANT_ID: '77777777-7777-4777-8777-777777777777' }
  const rows: [name: string, env: Record<string, string>, words: RegExp, remedy: RegExp][] = [
    [
      'wrong secret',
      { AZURE_CLIENT_SECRET: 'wr0ng~value' },
      /AADSTS7000215/,
      new RegExp(`not a secret of .* ${clientId}`),
    ],
    ['tenant', { AZURE_CLIENT_SECRET: secret, ...elsewhere }, /AADSTS90002/, /no tenant 77777777.*AZURE_TENANT_ID/],
    ['application', { AZURE_CLIENT_SECRET: secret, AZURE_CLIENT_ID: otherClientId }, /AADSTS700016/, /AZURE_CLIENT_ID/],
  ]
  const reports = await Promise.all(rows.map(([, env]) => machine.status({ ...principal, ...env })))
  for (const [index, [name, , words, remedy]] of rows.entries()) {
    const report = reports[index]
    t.match(report, { method: null, error: { code: 'not_configured', message: words, remediation: remedy } }, name)
    t.match(report?.not_taken, [{ method: 'access_token' }, { method: 'client_secret', why: words }], name)
    t.equal(report?.not_taken.length, 2, name)
    t.notMatch(JSON.stringify(report), /wr0ng~value|value~of/, name)
  }

  // The same over MCP: told once, and nothing more is asked of Azure.
  const server = machine.server({ ...principal, AZURE_CLIENT_SECRET: 'wr0ng~value' })
  const { sign_in, azure, vault, permissions } = checksOf(await server.call('test_connection'))
  t.match(sign_in, {
    status: 'failed',
    message: /^not_configured: .*AADSTS7000215.*restart this server\. access_token not taken/,
  })
  t.equal(sign_in?.message.split('AADSTS7000215').length, 2)
  t.match([azure, vault, permissions], Array(3).fill({ status: 'skipped', message: 'needs a sign-in' }))
  t.match((await server.call('list_vaults')).error, { code: 'not_configured', azure_code: 'AADSTS7000215' })
  t.same(machine.tokens, [])
  t.equal(authority.deviceCodes.length, 0, 'a person cannot mend it by signing in')

  app.secret = 'wr0ng~value'
  t.same((await server.call('list_vaults')).body, { vaults: [], count: 0 }, 'a refusal is not remembered')
})

t.test('what is missing for an explicit method is named; under auto only the variable that makes it', async t => {
  const { authority } = await authorityWith(t, {})
  const rows: [method: AuthMethod, env: Record<string, string>, why: string][] = [
    [
      'client_secret',
      {},
      'AZURE_CLIENT_SECRET, AZURE_TENANT_ID (or tenant_id), AZURE_CLIENT_ID (or auth.client_id) are not set',
    ],
    ['client_secret', principal, 'AZURE_CLIENT_SECRET is not set'],
    [
      'client_certificate',
      { ...principal, AZURE_TENANT_ID: '' },
      'AZURE_CLIENT_CERTIFICATE_PATH, AZURE_TENANT_ID (or tenant_id) are not set',
    ],
    ['workload_identity', principal, 'AZURE_FEDERATED_TOKEN_FILE is not set'],
    ['access_token', {}, 'AZURE_ACCESS_TOKEN is not set'],
  ]
  for (const [method, env, why] of rows) {
    const { credentials } = signInFor(t, { method, env, authorityHost: authority.origin })
    const { error, skipped } = await credentials.describe(new AbortController().signal)
    t.same(skipped, [{ method, why }], method)
    t.match(error, {
      code: 'not_signed_in',
      message: `Nobody is signed in (auth.method = "${method}"): ${why}`,
      remediation: /^Set what is missing and restart this server, or set auth.method to "auto"/,
    })
  }
  const machine = await Machine.start(t, { authority })
  const { not_taken } = await machine.status({ AZURE_CLIENT_SECRET: secret })
  t.match(not_taken.slice(0, 4), [
    { method: 'access_token', why: 'AZURE_ACCESS_TOKEN is not set' },
    { method: 'client_secret', why: 'AZURE_TENANT_ID (or tenant_id), AZURE_CLIENT_ID (or auth.client_id) are not set' },
    { method: 'client_certificate', why: 'AZURE_CLIENT_CERTIFICATE_PATH is not set' },
    { method: 'workload_identity', why: 'AZURE_FEDERATED_TOKEN_FILE is not set' },
  ])
  t.equal(authority.requests.length, 0, 'nobody was asked')
})

t.test('a claims challenge of Azure is put to the sign-in service, once', async t => {
  const { authority } = await authorityWith(t, { secret })
  const machine = await Machine.start(t, { authority, env: { ...principal, AZURE_CLIENT_SECRET: secret } })
  const server = machine.server()
  await server.call('list_vaults')
  const claims = { access_token: { nbf: { essential: true, value: '1700000000' } } }
  const coded = Buffer.from(JSON.stringify(claims)).toString('base64')
  machine.challenge = `Bearer realm="", error="insufficient_claims", claims="${coded}"`
  machine.refused.add(machine.tokens[0] ?? '')
  t.same((await server.call('list_vaults')).body, { vaults: [], count: 0 })
  const [, asked, ...more] = authority.grants('client_credentials')
  t.match(JSON.parse(asked?.fields.claims ?? '{}'), { ...claims, access_token: { xms_cc: { values: ['CP1'] } } })
  t.equal(more.length, 0)

  // Azure takes none of them any more: one more try, then its own answer.
  const before = machine.tokens.length
  machine.refusesAll = true
  t.match((await server.call('list_vaults')).error, { http_status: 401 })
  t.equal(machine.tokens.length - before, 2)
})

t.test('a workload identity reads its file anew whenever it needs a token', async t => {
  const { authority } = await authorityWith(t, { assertions: ['assertion.one.x', 'assertion.two.x'] })
  const machine = await Machine.start(t, { authority, env: principal })
  const file = machine.write('token', 'assertion.one.x\n')
  const server = machine.server({ AZURE_FEDERATED_TOKEN_FILE: file })
  const assertions = () => authority.grants('client_credentials').map(({ fields }) => fields.client_assertion)
  t.same((await server.call('list_vaults')).body, { vaults: [], count: 0 })
  machine.write('token', 'assertion.two.x')
  await server.call('list_vaults')
  t.same(assertions(), ['assertion.one.x'], 'not while the token lasts')
  machine.refused.add(machine.tokens[0] ?? '')
  t.same((await server.call('list_vaults')).body, { vaults: [], count: 0 })
  t.same(assertions(), ['assertion.one.x', 'assertion.two.x'])
  t.match(checksOf(await server.call('test_connection')).sign_in, { message: /^by workload_identity; as 1111/ })

  machine.write('token', ' \n')
  machine.refused.add(machine.tokens.at(-1) ?? '')
  t.match((await server.call('list_vaults')).error, {
    code: 'not_configured',
    message: `AZURE_FEDERATED_TOKEN_FILE (${file}) is empty`,
    remediation: /workload identity of this pod or job/,
  })
  machine.write('token', 'assertion.of.others')
  t.match((await server.call('list_vaults')).error, { code: 'not_configured', azure_code: /^AADSTS/ })
  const report = await machine.status({ AZURE_FEDERATED_TOKEN_FILE: `${file}.gone` })
  t.match(report.error, { code: 'not_configured', message: /AZURE_FEDERATED_TOKEN_FILE .*ENOENT/ })
})

const printed = (token: string) =>
  `echo '${JSON.stringify({ accessToken: token, expires_on: Math.floor(Date.now() / 1000) + 3600, tenant: contoso })}'`

t.test("the Azure CLI's account comes last, and is asked for the configured tenant", async t => {
  const { authority } = await authorityWith(t, {})
  const token = authority.accessToken({ upn: 'ada@contoso.example', tid: contoso })
  const machine = await Machine.start(t, { authority, toml: `tenant_id = "${contoso}"` })
  machine.azureCli(`echo "$@" >> "$HOME/asked"; ${printed(token)}`)
  const server = machine.server()
  t.same((await server.call('list_vaults')).body, { vaults: [], count: 0 })
  t.same(machine.tokens, [token])
  t.match(checksOf(await server.call('test_connection')).sign_in, {
    status: 'ok',
    message:
      /^by azure_cli; as ada@contoso\.example; .*user not taken: no account.*managed_identity not taken: this machine has no/,
  })
  const asked = `account get-access-token --resource ${machine.arm} --output json --tenant ${contoso}`
  t.equal(machine.read('asked').trim(), asked, 'asked once, as long as the token lasts')
  t.equal(authority.deviceCodes.length, 0)

  // It cannot meet a challenge by itself.
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
  const coded = Buffer.from(claims).toString('base64')
  machine.challenge = `Bearer error="insufficient_claims", claims="${coded}"`
  machine.refused.add(token)
  const { error, signIn } = await offered(server, server.call('list_vaults'))
  t.match(error, { code: 'not_signed_in', message: /Nobody is (known to be )?signed in/ })
  const told = JSON.stringify(error.details)
  t.match(told, /Conditional access asks for a new sign-in, which the Azure CLI cannot do by itself/)
  t.match(signIn.url, /devicelogin/, 'but a person here can')
})

t.test('what az says goes to the reader: alone as the error, under auto as the reason', async t => {
  const { authority } = await authorityWith(t, {})
  const rows: [name: string, script: string | undefined, words: RegExp, remedy: RegExp, isAlone: boolean][] = [
    ['no az', undefined, /not installed, or not on PATH/, /Install the Azure CLI/, true],
    [
      'a refusal',
      `echo "ERROR: AADSTS50076: Due to a change, you must use multi-factor authentication. Trace ID: 1
Interactive authentication is needed. Please run: az login" >&2; exit 1`,
      /not accepted: AADSTS50076: Due to a change, you must use multi-factor authentication\.$/,
      /Run `az login` again and do there what the message asks/,
      true,
    ],
    [
      'a refusal',
      'echo "ERROR: AADSTS50173: It was revoked." >&2; exit 1',
      /not accepted: AADSTS50173/,
      /login/,
      false,
    ],
  ]
  await Promise.all(
    rows.map(async ([name, script, words, remedy, isAlone]) => {
      const machine = await Machine.start(t, { authority, toml: isAlone ? explicit('azure_cli') : '' })
      if (script !== undefined) machine.azureCli(script)
      const { error, not_taken } = await machine.status()
      t.match(
        error,
        { code: 'not_signed_in', message: isAlone ? words : /^Nobody is signed/, remediation: remedy },
        name,
      )
      t.match(not_taken.at(-1), { method: 'azure_cli', why: words }, name)
      t.equal(not_taken.length, isAlone ? 1 : 7, name)
    }),
  )
})
