import t from 'tap'
import { AuthError } from '../../src/auth/auth-error.ts'
import {
  accessTokenIn,
  accountsIn,
  type CachedAccount,
  cacheFault,
  chooseAccount,
  fitting,
  mergedCaches,
  type Wanted,
  withoutAccounts,
} from '../../src/auth/cached-accounts.ts'
import { ada, bob, contoso, fabrikam, usualClientId } from '../helpers/authority.ts'
import { armScope } from '../helpers/sign-in.ts'

const azure = 'login.microsoftonline.com'
const cloud = `https://${azure}`
const otherClient = '0a0a0a0a-0000-4000-8000-00000000000c'
const thirdTenant = '77777777-7777-4777-8777-777777777777'

type Entities = Record<string, Record<string, Record<string, unknown>>>

interface Given {
  name?: string
  home?: string
  environment?: string
  /** Of refresh tokens. */
  clientIds?: string[]
  /** Of tenant profiles. */
  profiles?: string[]
  /** Access tokens: their realm, and what differs from the usual. */
  tokens?: Record<string, Record<string, unknown>>
}

const idOf = (name: string, home: string): string => `${name.replaceAll(/\W/g, '-')}.${home}`

/** A cache as MSAL writes it, with one account. */
const cacheOf = ({
  name = ada.name,
  home = contoso,
  environment = azure,
  clientIds = [usualClientId],
  profiles = [],
  tokens = {},
}: Given = {}): Entities => {
  const home_account_id = idOf(name, home)
  const owner = { home_account_id, environment }
  const id = `${home_account_id}-${environment}`
  return {
    Account: {
      [`${id}-${home}`]: {
        ...owner,
        realm: home,
        username: name,
        authority_type: 'MSSTS',
        tenantProfiles: profiles.map(tenantId => JSON.stringify({ tenantId, localAccountId: 'x' })),
      },
    },
    IdToken: { [`${id}-idtoken-${home}`]: { ...owner, realm: home, secret: 'id' } },
    AccessToken: Object.fromEntries(
      Object.entries(tokens).map(([realm, more]) => [
        `${id}-accesstoken-${realm}`,
        {
          ...owner,
          realm,
          client_id: usualClientId,
          secret: `token of ${realm}`,
          expires_on: '1000',
          target: 'https://management.azure.com//user_impersonation https://management.azure.com//.default',
          token_type: 'Bearer',
          ...more,
        },
      ]),
    ),
    RefreshToken: Object.fromEntries(
      clientIds.map(client_id => [`${id}-refreshtoken-${client_id}`, { ...owner, client_id, secret: 'refresh' }]),
    ),
    AppMetadata: {},
  }
}

const cached = (...given: Given[]): string =>
  given.map(each => JSON.stringify(cacheOf(each))).reduce((all, each) => mergedCaches(all, each), '{}')

/** The account of a cache that holds one. */
const oneOf = (given: Given): CachedAccount => {
  const [account, ...others] = accountsIn(cached(given))
  if (!account || others.length > 0) throw new Error('there is not one account')
  return account
}

const faults: [name: string, text: string, fault: string | undefined][] = [
  ['an empty object', '{}', undefined],
  ['what MSAL writes', cached({}), undefined],
  ['a cache with sections of later versions', '{"Account":{},"Later":[1]}', undefined],
  ['nothing', '', 'it is not JSON'],
  ['half a file', cached({}).slice(0, -10), 'it is not JSON'],
  ['another JSON text', '"token"', 'it is no JSON object'],
  ['null', 'null', 'it is no JSON object'],
  ['an array', '[]', 'it is no JSON object'],
  ['a section that is no table', '{"RefreshToken":[]}', 'its RefreshToken is no table'],
  ['a section that is null', '{"Account":null}', 'its Account is no table'],
  ['an entity that is no table', '{"AccessToken":{"a":"b"}}', 'its AccessToken is no table'],
]
for (const [name, text, fault] of faults)
  t.test(`${name} is ${fault === undefined ? 'a' : 'no'} token cache`, async t => t.equal(cacheFault(text), fault))

t.test('an account is listed once, with every tenant that it is known in, the one of its home first', async t => {
  const text = mergedCaches(
    cached({
      name: bob.name,
      home: fabrikam,
      profiles: [fabrikam, contoso],
      tokens: { [thirdTenant.toUpperCase()]: {} },
    }),
    JSON.stringify({
      Account: {
        guest: { home_account_id: idOf(bob.name, fabrikam), environment: azure, realm: contoso, username: bob.name },
      },
    }),
  )
  t.strictSame(accountsIn(text), [
    {
      homeAccountId: idOf(bob.name, fabrikam),
      environment: azure,
      username: bob.name,
      tenants: [fabrikam, contoso, thirdTenant],
      clientIds: [usualClientId],
    },
  ])
})

t.test('tokens of one account are not counted among those of another', async t => {
  const text = cached({ tokens: { [contoso]: {} } }, { name: bob.name, home: fabrikam, clientIds: [otherClient] })
  t.match(accountsIn(text), [
    { username: ada.name, tenants: [contoso], clientIds: [usualClientId] },
    { username: bob.name, tenants: [fabrikam], clientIds: [otherClient] },
  ])
})

t.test('an account filed under several names of one cloud is one account', async t => {
  const text = cached({ environment: 'login.windows.net' }, { environment: azure, clientIds: [otherClient] })
  const accounts = accountsIn(text)
  t.equal(accounts.length, 1)
  t.same(accounts[0]?.clientIds, [usualClientId, otherClient])
  t.match(chooseAccount(accounts, { authorityHost: cloud }), { username: ada.name })
  t.same(accountsIn(withoutAccounts(text, accounts)), [], 'and is signed out whole')
})

t.test('the same user of two clouds is two accounts', async t => {
  const text = cached({}, { environment: 'login.chinacloudapi.cn' })
  t.equal(accountsIn(text).length, 2)
})

t.test('what is odd in a cache is left out', async t => {
  const odd = {
    Account: {
      a: { username: 'nobody' },
      b: { home_account_id: 1, environment: azure },
      c: { home_account_id: 'x.y', environment: 'no host at all', tenantProfiles: ['{', 1, '{}'] },
    },
  }
  t.match(accountsIn(JSON.stringify(odd)), [{ homeAccountId: 'x.y', username: '', tenants: ['y'], clientIds: [] }])
  t.same(accountsIn('no JSON'), [])
  t.match(chooseAccount(accountsIn(JSON.stringify(odd)), { authorityHost: cloud }), {
    absent: /is of login\.microsoftonline\.com: an account without a name \(tenant y\)$/,
  })
})

t.test('the account that is configured is chosen', async t => {
  const dan = 'dan@contoso.example'
  const accounts = accountsIn(
    cached(
      {},
      { name: bob.name, home: fabrikam, profiles: [contoso], clientIds: [otherClient] },
      { name: 'cleo@chinese.example', home: thirdTenant, environment: 'login.partner.microsoftonline.cn' },
    ),
  )
  const rows: [name: string, wanted: Partial<Wanted>, chosen: string | RegExp][] = [
    ['by application', { clientId: otherClient }, bob.name],
    ['by application in other letter case', { clientId: otherClient.toUpperCase() }, bob.name],
    ['by name', { account: ada.name }, ada.name],
    ['by name in other letter case', { account: 'ADA@Contoso.Example' }, ada.name],
    ['by tenant', { tenantId: fabrikam }, bob.name],
    ['by tenant in other letter case', { tenantId: fabrikam.toUpperCase() }, bob.name],
    ["by the tenant's name", { tenantId: 'Contoso.example' }, ada.name],
    ['by tenant and name', { tenantId: contoso, account: bob.name }, bob.name],
    ['by cloud', { authorityHost: 'https://login.chinacloudapi.cn' }, 'cleo@chinese.example'],
    [
      "by another name of the cloud's host",
      { authorityHost: 'https://login.windows.net', account: ada.name },
      ada.name,
    ],
    ['in no tenant that it is not known in', { tenantId: fabrikam, account: ada.name }, /tenant 8.*, account ada@/],
    [
      'in no other cloud',
      { authorityHost: 'https://login.microsoftonline.us' },
      /is of login\.microsoftonline\.us: ada/,
    ],
    ['at no other host', { authorityHost: 'https://127.0.0.1:8443' }, /is of 127\.0\.0\.1:8443: ada/],
    ['at no host that only looks like it', { authorityHost: 'https://login.microsoftonline.com.example' }, /none of/],
    ['for no other application', { clientId: thirdTenant }, /client_id 7777.*: ada@.* \(tenant 9999.*\), bob/],
    ['by no part of a name', { account: 'ada' }, /account ada: ada@/],
    ['by no name that ends alike', { account: 'a@contoso.example' }, /none of/],
  ]
  for (const [name, wanted, chosen] of rows)
    t.test(name, async t => {
      const found = chooseAccount(accounts, { authorityHost: cloud, ...wanted })
      if (typeof chosen === 'string') t.match(found, { username: chosen })
      else t.match(found, { absent: chosen })
    })
  t.strictSame(chooseAccount([], { authorityHost: cloud, tenantId: contoso }), {
    absent: 'no account is in the token cache',
  })
  t.test('a tenant named by a domain that is no account’s leaves them all', async t => {
    const wanted = { authorityHost: cloud, tenantId: 'contoso.onmicrosoft.com' }
    t.same(
      fitting(accounts, wanted).map(({ username }) => username),
      [ada.name, bob.name],
    )
    t.match(chooseAccount(accountsIn(cached({ name: dan })), wanted), { username: dan })
  })
})

t.test('several accounts that fit are an error that names them and the setting that chooses', async t => {
  const guest = { name: bob.name, home: fabrikam, profiles: [contoso] }
  const dan = { name: 'dan@contoso.example' }
  const rows: [name: string, given: Given[], wanted: Partial<Wanted>, setting: RegExp][] = [
    ['of two tenants', [{}, { name: bob.name, home: fabrikam }], {}, /^Set tenant_id .*auth\.account/],
    ['a guest in the tenant of the other', [{}, guest], {}, /^Set auth\.account to the name/],
    ['of one tenant', [{}, dan], {}, /^Set auth\.account to the name/],
    ['a guest in the configured tenant', [{}, guest], { tenantId: contoso }, /^Set auth\.account to the name/],
    ['of the configured domain', [{}, dan], { tenantId: 'contoso.example' }, /^Set auth\.account to the name/],
  ]
  for (const [name, given, wanted, setting] of rows)
    t.test(name, async t => {
      const accounts = accountsIn(cached(...given))
      const choose = () => chooseAccount(accounts, { authorityHost: cloud, ...wanted })
      try {
        choose()
        t.fail('one was chosen')
      } catch (error) {
        t.type(error, AuthError)
        t.match(error, {
          code: 'ambiguous',
          message:
            /^2 accounts in the token cache fit this configuration: ada@contoso\.example \(tenant 9.*\), (bob|dan)@/,
          remediation: setting,
          person: undefined,
        })
        t.match((error as AuthError).details, {
          candidates: accounts.map(({ username, tenants }) => ({ account: username, tenant_id: tenants[0] })),
        })
      }
    })
})

t.test('a token is taken for its scope, application, tenant and account only', async t => {
  const wanted = { scope: armScope, clientId: usualClientId, tenantId: contoso }
  const given: Given = {
    profiles: [fabrikam],
    tokens: { [contoso]: { cached_at: '400' }, [fabrikam]: { expires_on: '2000' } },
  }
  const own = { token: `token of ${contoso}`, expiresAtMs: 1_000_000, tenantId: contoso, cachedAtMs: 400_000 }
  const account = oneOf(given)
  const of = (more: Partial<typeof wanted> & { tenantId?: string | undefined } = {}, text = cached(given)) =>
    accessTokenIn(text, account, { ...wanted, ...more })
  t.strictSame(of(), own)
  t.match(of({ tenantId: fabrikam.toUpperCase() }), { tenantId: fabrikam, expiresAtMs: 2_000_000 })
  t.equal(of({ tenantId: thirdTenant }), undefined)
  t.equal(of({ clientId: otherClient }), undefined)
  t.equal(of({ scope: 'https://management.chinacloudapi.cn/.default' }), undefined)
  t.equal(of({ scope: 'https://management.azure.com.example/.default' }), undefined)
  t.equal(of({}, cached({ ...given, name: bob.name })), undefined, 'not that of another account')
  t.equal(of({}, cached({ ...given, environment: 'login.microsoftonline.us' })), undefined, 'nor of another cloud')
  t.strictSame(of({}, cached({ ...given, environment: 'login.windows.net' })), own, 'that of another name of its host')

  const targets: [target: string, isTaken: boolean][] = [
    ['https://management.azure.com/user_impersonation', true],
    ['https://management.azure.com//user_impersonation', true],
    ['openid HTTPS://MANAGEMENT.AZURE.COM/.default', true],
    ['https://management.azure.com.example/.default', false],
    ['https://graph.microsoft.com/.default', false],
    ['user_impersonation', false],
    ['', false],
  ]
  for (const [target, isTaken] of targets)
    t.equal(of({}, cached({ tokens: { [contoso]: { target } } })) !== undefined, isTaken, `target "${target}"`)
  for (const broken of [{ secret: '' }, { secret: 1 }, { expires_on: 'soon' }, { expires_on: undefined }])
    t.equal(of({}, cached({ tokens: { [contoso]: broken } })), undefined, JSON.stringify(broken))
})

t.test('without a configured tenant a token of the home is taken, whoever asked for others later', async t => {
  const late = { expires_on: '9000' }
  const rows: [name: string, tokens: Given['tokens'], tenantId: string | undefined][] = [
    ['its home alone', { [contoso]: {} }, contoso],
    ['its home, over and done with, and another', { [contoso]: { expires_on: '1' }, [fabrikam]: late }, contoso],
    ['one other, where it was signed in to', { [fabrikam]: late }, fabrikam],
    ['two others: neither', { [fabrikam]: late, [thirdTenant]: {} }, undefined],
    ['none', {}, undefined],
  ]
  for (const [name, tokens, tenantId] of rows)
    t.test(name, async t => {
      const given: Given = { tokens: tokens ?? {} }
      const found = accessTokenIn(cached(given), oneOf(given), {
        scope: armScope,
        clientId: usualClientId,
        tenantId: undefined,
      })
      t.equal(found?.tenantId, tenantId)
    })
  const text = mergedCaches(
    cached({ tokens: { [contoso]: {} } }),
    JSON.stringify({
      AccessToken: {
        later: {
          ...cacheOf({ tokens: { [contoso]: { expires_on: '5000' } } }).AccessToken?.[
            `${idOf(ada.name, contoso)}-${azure}-accesstoken-${contoso}`
          ],
        },
      },
    }),
  )
  const found = accessTokenIn(text, oneOf({}), { scope: armScope, clientId: usualClientId, tenantId: undefined })
  t.equal(found?.expiresAtMs, 5_000_000, 'of several the one that lasts longest')
})

t.test('a cache without an account keeps everything else', async t => {
  const others = cached({ name: bob.name, home: fabrikam, tokens: { [fabrikam]: {} } })
  const more = '{"AppMetadata":{"app":{"client_id":"x"}},"Later":{"kept":{"a":1}},"Version":3}'
  const both = mergedCaches(mergedCaches(more, others), cached({ tokens: { [contoso]: {}, [fabrikam]: {} } }))
  const [first] = accountsIn(both)
  t.equal(first?.username, ada.name)
  const left = withoutAccounts(both, first ? [first] : [])
  t.strictSame(JSON.parse(left), JSON.parse(mergedCaches(more, others)))
  t.notMatch(left, ada.name)
  t.strictSame(JSON.parse(withoutAccounts(left, [])), JSON.parse(left))
})

t.test('of two caches everything is kept, and where both know something the added one counts', async t => {
  const before = cached({ tokens: { [contoso]: { secret: 'old' } } }, { name: bob.name, home: fabrikam })
  const merged = mergedCaches(before, cached({ tokens: { [contoso]: { secret: 'new' } } }))
  t.same(
    accountsIn(merged).map(({ username }) => username),
    [ada.name, bob.name],
  )
  t.match(merged, /"new"/)
  t.notMatch(merged, /"old"/)
  t.strictSame(JSON.parse(mergedCaches('', cached({}))), cacheOf({}))
})
