/** clear_auth_cache and the sign-in of test_connection, by the front door. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { accountsIn } from '../../src/auth/cached-accounts.ts'
import { Authority, ada, bob, contoso, fabrikam, type User } from '../helpers/authority.ts'
import { checksOf, Machine } from '../helpers/machine.ts'
import type { Called, Server } from '../helpers/server.ts'
import { offered } from '../helpers/serving.ts'

const clientId = '11111111-1111-4111-8111-111111111111'

/** A machine with these users in its token cache. */
const signedIn = async (t: Test, users: readonly User[], { toml = '', isExpired = false, env = {} } = {}) => {
  const authority = await Authority.start(t)
  const machine = await Machine.start(t, { authority, toml, env })
  const scope = `${machine.arm}/.default`
  if (users.length > 0)
    writeFileSync(machine.cacheFile, authority.cacheText(users, { scope, isExpired }), { mode: 0o600 })
  const cached = () => {
    const text = existsSync(machine.cacheFile) ? readFileSync(machine.cacheFile, 'utf8') : ''
    return accountsIn(text).map(({ username }) => username)
  }
  return { authority, machine, cached }
}

/** Of the sign-in that a call offers. */
const codeFor = async (server: Server): Promise<string> =>
  (await offered(server, server.call('list_vaults'))).signIn.code

/** Asks for the confirmation and gives it, as a client does whose user agreed. */
const confirmed = async (server: Server, args: Record<string, unknown> = {}): Promise<Called> => {
  const { error } = await server.call('clear_auth_cache', args)
  return server.call('clear_auth_cache', { ...args, confirm: error.details?.confirmation })
}

const row = ({ name, tenant }: User) => ({ account: name, tenant_id: tenant, method: 'user' })

t.test(
  "clear_auth_cache removes this configuration's account, once a person agreed, and every server notices",
  async t => {
    const { authority, machine, cached } = await signedIn(t, [ada, bob], { toml: `tenant_id = "${contoso}"` })
    const [server, other] = [machine.server(), machine.server()]
    t.match(
      await Promise.all([server.call('list_vaults'), other.call('list_vaults')]),
      Array(2).fill({ isError: false }),
    )

    const dry = await server.call('clear_auth_cache', { dry_run: true })
    const lost = `the tokens of ${ada.name} in tenant ${contoso} (user)`
    t.match(dry.body, {
      status: 'planned',
      plan: {
        summary: /^Remove the tokens of ada@contoso.*other servers of this user share/,
        loses: [lost],
        keeps: [],
      },
      accounts: [row(ada)],
    })
    const all = await server.call('clear_auth_cache', { all_accounts: true, dry_run: true })
    t.same(all.body.accounts, [row(ada), row(bob)])
    const refused = await server.call('clear_auth_cache')
    t.match(refused.error, { code: 'confirmation_required', details: { plan: { loses: [lost] } } })
    const wider = await server.call('clear_auth_cache', { all_accounts: true, confirm: dry.body.confirmation })
    t.match(wider.error, { code: 'confirmation_required' }, 'what was agreed to for one account is not for all')
    t.same(cached(), [ada.name, bob.name])

    const done = await server.call('clear_auth_cache', { confirm: dry.body.confirmation })
    t.match(done.body, { status: 'succeeded', accounts: [row(ada)], message: 'The tokens are gone.' })
    t.same(cached(), [bob.name])
    for (const each of [server, other]) {
      const { error } = await each.call('list_vaults')
      t.match(error, { code: 'not_signed_in', remediation: /enter the code/ })
      t.match(JSON.stringify(error.details), /none of the accounts in the token cache is of .*contoso|tenant 9999/)
    }

    const gone = await confirmed(server, { all_accounts: true })
    t.match(gone.body, { accounts: [row(bob)], message: /^The tokens are gone\. The sign-in that waited .* ended\.$/ })
    t.same(cached(), [])
    const empty = await server.call('clear_auth_cache', { all_accounts: true })
    t.match(empty.body, { status: 'succeeded', accounts: [], message: /there is nothing to clear\.$/ })
    t.equal(authority.grants('refresh_token').length, 0)
    t.notMatch(server.stderr + other.stderr, /refresh\.|eyJ/)
  },
)

t.test('a sign-in that waits for its user is ended with it, whether or not an account is there', async t => {
  t.test('nobody', async t => {
    const { authority, machine, cached } = await signedIn(t, [])
    const server = machine.server()
    const first = await codeFor(server)
    const cleared = await server.call('clear_auth_cache')
    t.match(cleared.body, {
      status: 'succeeded',
      accounts: [],
      message: /nothing to clear\. The sign-in that waited for its user has been ended\.$/,
    })
    authority.decide(first, { user: ada })
    const second = await codeFor(server)
    t.not(second, first, 'the next call starts another')
    t.same(cached(), [])
    authority.decide(second, { user: ada })
    await server.until(() => /signed in/.exec(server.stderr)?.[0])
    t.match(checksOf(await server.call('test_connection')).sign_in, { status: 'ok', message: /^by user; as ada@/ })
    t.same(cached(), [ada.name])
  })

  t.test('an account whose sign-in was revoked', async t => {
    const { authority, machine, cached } = await signedIn(t, [ada], { isExpired: true })
    authority.revoke(ada)
    const server = machine.server()
    const code = await codeFor(server)
    const { sign_in } = checksOf(await server.call('test_connection'))
    t.match(sign_in, { status: 'failed', message: /^not_signed_in: The sign-in was refused.*AADSTS50173/ })
    t.match(sign_in?.message, new RegExp(`enter the code ${code} .*access_token not taken`), 'the same code')
    t.equal(sign_in?.message.split('AADSTS50173').length, 2, 'told once')
    const done = await confirmed(server)
    t.match(done.body, { accounts: [row(ada)], message: /gone\. The sign-in that waited/ })
    authority.decide(code, { user: ada })
    t.not(await codeFor(server), code)
    t.same(cached(), [])
  })
})

t.test('of a service principal the tokens in memory go, and it is said what stays', async t => {
  const { authority, machine, cached } = await signedIn(t, [ada], {
    env: { AZURE_TENANT_ID: contoso, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: 'value~of.it' },
  })
  authority.apps.push({ clientId, tenant: contoso, secret: 'value~of.it' })
  const server = machine.server()
  await server.call('list_vaults')
  const done = await confirmed(server)
  t.match(done.body, {
    accounts: [{ account: clientId, tenant_id: contoso, method: 'client_secret' }, row(ada)],
    message:
      /gone\. What stays: the service principal of AZURE_CLIENT_SECRET in the environment.*unset it to end that\.$/,
  })
  t.same(cached(), [])
  await server.call('list_vaults')
  t.equal(authority.grants('client_credentials').length, 2, 'the next call signs in anew')
})

t.test('test_connection with nobody signed in gives page, code and every reason; afterwards who it is', async t => {
  const { authority, machine } = await signedIn(t, [])
  const server = machine.server()
  const failed = checksOf(await server.call('test_connection'))
  t.match(failed.configuration, { status: 'ok' })
  const code = authority.deviceCodes[0]?.userCode ?? ''
  const told = failed.sign_in?.message ?? ''
  t.match(told, new RegExp(`open ${authority.origin}/devicelogin and enter the code ${code} \\(until 20`))
  for (const method of [
    'access_token',
    'client_secret',
    'client_certificate',
    'workload_identity',
    'user',
    'managed_identity',
    'azure_cli',
  ])
    t.match(told, new RegExp(`${method} not taken: [^;]+`))
  t.match([failed.azure, failed.vault, failed.permissions], Array(3).fill({ status: 'skipped' }))
  t.same(machine.tokens, [])

  authority.decide(code, { user: ada })
  await server.until(() => /signed in/.exec(server.stderr)?.[0])
  const { sign_in, azure } = checksOf(await server.call('test_connection'))
  t.match(sign_in, {
    status: 'ok',
    message: new RegExp(`^by user; as ${ada.name}; tenant ${contoso}; until 20[0-9T:-]+Z; access_token not taken`),
  })
  t.notMatch(sign_in?.message, /managed_identity|azure_cli/, 'what comes behind was not looked at')
  t.match(azure, { status: 'ok' })
})

t.test('two accounts that fit are named, with the setting that chooses', async t => {
  const { machine } = await signedIn(t, [ada, bob])
  const { sign_in } = checksOf(await machine.server().call('test_connection'))
  t.match(sign_in, { status: 'failed', message: /^ambiguous: 2 accounts/ })
  t.match(sign_in?.message, new RegExp(`${ada.name} \\(tenant ${contoso}\\), ${bob.name} \\(tenant ${fabrikam}\\)`))
  t.match(sign_in?.message, /Set tenant_id to the tenant of the one that is meant, or auth\.account to its name/)
  t.equal(sign_in?.message.split('2 accounts').length, 2, 'told once')
})
