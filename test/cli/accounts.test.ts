import t from 'tap'
import { Authority, ada, bob, contoso, fabrikam, type User } from '../helpers/authority.ts'
import { decided, Home } from '../helpers/command.ts'
import type { Ended } from '../helpers/home.ts'

/** Signs `user` in to the home, in this process. */
const signIn = (home: Home, authority: Authority, user: User, ...args: string[]): Promise<Ended> =>
  decided(home.startHere(['login', ...args]), authority, { user })

t.test('login says where the new sign-in is not what is used', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const asAda = home.config('ada.toml', 'auth.account = "ada@contoso.example"')
  const asContoso = home.config('contoso.toml', `tenant_id = "${contoso}"`)
  const asService = home.config('service.toml', 'auth.method = "client_secret"')
  t.match((await signIn(home, authority, ada, '--config', asAda)).stderr, /UTC\)\.\n$/, 'it is: nothing to say')
  const rows: [name: string, config: string, args: string[], said: string][] = [
    [
      'another account is chosen',
      asAda,
      [],
      `This sign-in is not used, but that of ada@contoso.example (tenant ${contoso}).\nTo use this sign-in always, set auth.account = "bob@fabrikam.example" in the configuration.\n`,
    ],
    [
      'another tenant is configured',
      asContoso,
      ['--tenant', fabrikam],
      `This sign-in is not used, but that of ada@contoso.example (tenant ${contoso}).\nTo use this sign-in always, set tenant_id = "${fabrikam}" in the configuration.\n`,
    ],
    ['another method is configured', asService, [], 'This sign-in is not used: auth.method is "client_secret".\n'],
  ]
  for (const [name, file, args, said] of rows) {
    const { status, stdout, stderr } = await signIn(home, authority, bob, '--config', file, ...args)
    t.equal(status, 0, name)
    t.match(stdout, /^Signed in as bob@fabrikam\.example/)
    t.equal(stderr.replace(/^Open .*\n/, ''), said, name)
  }
  const withToken = home.startHere(['login'], { AZURE_ACCESS_TOKEN: 'x' })
  t.match(
    (await decided(withToken, authority, { user: bob })).stderr,
    /\nThis sign-in is not used: access_token goes before it\.\n$/,
  )
  await home.runHere('logout', '--all')
  t.match(
    (await signIn(home, authority, bob, '--config', asContoso, '--tenant', fabrikam)).stderr,
    /\nThis sign-in is not used: none of the accounts in the token cache is of .*, tenant 9{8}-.*: bob@fabrikam\.example/,
    'nobody of the configured tenant is there',
  )
})

t.test('of several accounts the one of the configured tenant is used; two that fit are told', async t => {
  const authority = await Authority.start(t)
  const guest: User = { ...bob, guestOf: [contoso] }
  const home = new Home(t, authority)
  home.write('.codex/recovery_services_auth.json', authority.cacheText([ada, guest], { isExpired: false }))
  const rows: [name: string, lines: string, account: string | null][] = [
    ['tenant by GUID', `tenant_id = "${fabrikam}"`, 'bob@fabrikam.example'],
    ['tenant by GUID in capitals', `tenant_id = "${contoso.toUpperCase()}"`, 'ada@contoso.example'],
    ['tenant by its name', 'tenant_id = "contoso.example"', 'ada@contoso.example'],
    ['account', 'auth.account = "BOB@fabrikam.example"', 'bob@fabrikam.example'],
    ['method and account', 'auth = { method = "user", account = "ada@contoso.example" }', 'ada@contoso.example'],
    ['an account that is not there', 'auth.account = "carol@contoso.example"', null],
  ]
  for (const [name, lines, account] of rows) {
    const { sign_in, settings } = await home.status('--config', home.config('c.toml', lines))
    t.equal(sign_in.account, account, name)
    t.equal((sign_in.cached_accounts as unknown[]).length, 2)
    if (lines.startsWith('auth.account'))
      t.match(
        (settings as { key: string }[]).find(({ key }) => key === 'auth.account'),
        { value: /@/, source: /c\.toml: recovery_services\.auth\.account$/ },
      )
  }
  const both = `ada@contoso.example (tenant ${contoso}), bob@fabrikam.example (tenant ${fabrikam})`
  t.match((await home.status()).sign_in, {
    method: null,
    error: {
      code: 'ambiguous',
      message: `2 accounts in the token cache fit this configuration: ${both}`,
      remediation:
        'Set tenant_id to the tenant of the one that is meant, or auth.account to its name; or sign all of them out (`recovery-services-server logout`) and only that one in again.',
    },
  })
  const shown = (await home.runHere('status')).stdout
  t.equal(shown.match(/2 accounts in the token cache fit/g)?.length, 1, 'a reader is told once')
  t.match(shown, /\n {4}user +it failed: see error\n/)
  t.match(
    (await signIn(home, authority, ada)).stderr,
    /\n2 accounts in the token cache fit this configuration: .*\nTo use this sign-in always, set auth\.account = "ada@contoso\.example" in the conf/,
  )
  t.match(
    await signIn(home, authority, guest, '--config', home.config('c.toml', `tenant_id = "${contoso}"`)),
    {
      status: 0,
      stderr:
        /\n2 accounts in the token cache fit this configuration: .*\)\.\nTo use this sign-in always, set auth\.account = "bob@/,
    },
    'a guest of the configured tenant',
  )
  t.match(
    (await home.status()).sign_in,
    { error: { remediation: /^Set auth\.account to the name/ } },
    'a tenant that both are in chooses neither',
  )

  const own = home.config('c.toml', 'auth.account = "ada@contoso.example"')
  t.match(await home.runHere('logout', '--config', own), {
    status: 0,
    stdout: `Signed out ada@contoso.example (tenant ${contoso}).\n`,
    stderr: `Others stay: bob@fabrikam.example (tenant ${fabrikam}, guest of ${contoso}) (--all removes them too).\n`,
  })
  t.match(await home.runHere('logout', '--config', own), {
    status: 0,
    stdout: `No account of this configuration is in ${home.authFile}.\n`,
  })
  t.match(await home.runHere('logout', '--all', '--config', own), {
    status: 0,
    stdout: /^Signed out bob@.*\n$/,
    stderr: '',
  })
  t.match(await home.runHere('logout', '--all'), {
    status: 0,
    stdout: `No account is in ${home.authFile}.\n`,
    stderr: '',
  })
})
