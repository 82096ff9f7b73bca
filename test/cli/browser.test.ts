import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { Authority, ada, contoso } from '../helpers/authority.ts'
import { Home, nothingIsSaved } from '../helpers/command.ts'
import type { Running } from '../helpers/home.ts'

t.jobs = 3

const pageShown = /if none opens, open this address:\n(https:\S+)\n/

/** What the browser shows when it comes back: by its query, or by a form. */
const back = async (redirectUri: string, parameters: URLSearchParams, byForm = true): Promise<string> => {
  const { port } = new URL(redirectUri)
  const here = `http://127.0.0.1:${port}/`
  const response = byForm
    ? await fetch(here, { method: 'POST', body: parameters })
    : await fetch(`${here}?${parameters}`)
  return response.text()
}

const redirectOf = async (login: Running) => {
  const page = new URL(await login.says(pageShown))
  return {
    page: page.href,
    redirectUri: page.searchParams.get('redirect_uri') ?? '',
    state: page.searchParams.get('state') ?? '',
  }
}

t.test('no browser is started that a workspace brings along', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const ran = path.join(home.folder, 'ran')
  for (const name of ['xdg-open', 'open']) {
    home.write(name, `#!/bin/sh\necho workspace >> '${ran}'\n`, 0o700)
    home.write(`bin/${name}`, `#!/bin/sh\necho own >> '${ran}'\n`, 0o700)
  }
  const login = home.start(['login', '--browser'], { PATH: `.:${home.env.PATH}:/usr/bin:/bin` })
  const { page, redirectUri } = await redirectOf(login)
  await back(redirectUri, authority.authorize(page, ada).parameters)
  t.match(await login.ended, { status: 0 })
  while (!existsSync(ran)) await new Promise(go => setImmediate(go))
  t.equal(readFileSync(ran, 'utf8'), 'own\n')
})

t.test('login --browser signs in with PKCE, without a browser program too, and the page says who is', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  for (const byForm of [true, false]) {
    const login = home.start(['login', '--browser'])
    const { page } = await redirectOf(login)
    const { searchParams } = new URL(page)
    t.match(Object.fromEntries(searchParams), {
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: /^[\w-]{43}$/,
      redirect_uri: /^http:\/\/localhost:\d+$/,
      state: /^[\da-f-]{36}$/,
      nonce: /^[\da-f-]{36}$/,
    })
    const { redirectUri, parameters } = authority.authorize(page, ada)
    const foreign = await back(redirectUri, new URLSearchParams({ code: 'evil', state: 'x' }), byForm)
    t.match(foreign, /it was ignored/)
    t.match(
      await back(redirectUri, parameters, byForm),
      '<p>Signed in as ada@contoso.example. You can close this window.</p>',
    )
    t.match(await login.ended, {
      status: 0,
      stdout: `Signed in as ada@contoso.example (tenant ${contoso}). The tokens are in ${home.authFile}.\n`,
      stderr: /^Sign in with the browser; if none opens, open this address:\n\S+\n$/,
    })
  }
  t.match(
    authority.grants('authorization_code').map(({ fields }) => fields.code_verifier),
    [/^[\w-]{43,128}$/, /^[\w-]{43,128}$/],
  )
  const saved = readFileSync(home.authFile, 'utf8')
  t.notMatch(saved, /code\./, 'no code is kept')
})

t.test('login --browser hands the address to the browser, as one word', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const browser = `#!${process.execPath}
const [page, ...more] = process.argv.slice(2)
const { searchParams } = new URL(page)
const { port } = new URL(searchParams.get('redirect_uri'))
const answer = { state: searchParams.get('state'), error: 'x', error_description: page.length + ' and ' + more.length }
fetch('http://127.0.0.1:' + port + '/?' + new URLSearchParams(answer))
`
  // The name differs by platform; what has the name of another is not looked for.
  for (const name of ['xdg-open', 'open']) home.write(`bin/${name}`, browser, 0o700)
  const login = home.start(['login', '--browser'])
  const { page } = await redirectOf(login)
  t.match(await login.ended, { status: 1, stdout: '', stderr: new RegExp(`refused by .*: ${page.length} and 0\\. `) })
})

t.test('Ctrl-C ends a login that waits for the browser', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const login = home.start(['login', '--browser'])
  const { redirectUri } = await redirectOf(login)
  login.interrupt()
  t.match(await login.ended, { status: 1, stdout: '', stderr: /\nrecovery-services-server: interrupted\n$/ })
  await t.rejects(back(redirectUri, new URLSearchParams()), 'nobody listens any more')
  nothingIsSaved(t, home)
})

t.test('what goes wrong is told on the page and in the terminal', async t => {
  const authority = await Authority.start(t)
  const home = new Home(t, authority)
  const markup = '<script>alert(1)</script>'
  const rows: [name: string, args: string[], answer: Record<string, string> | undefined, line: RegExp, page: RegExp][] =
    [
      [
        'the account is of another tenant, which redeeming the code shows',
        ['--tenant', 'fabrikam.example'],
        undefined,
        /AADSTS50020: .* The account is no member or guest of the tenant fabrikam\.example: /,
        /<p>Not signed in: The sign-in was refused by .*: AADSTS50020: User account &#39;ada@.* The terminal says what to do\. You can close/,
      ],
      [
        'consent is declined',
        [],
        {
          error: 'access_denied',
          error_description: 'AADSTS65004: User declined to consent. Trace ID: 1\r\nTimestamp: 2',
        },
        /AADSTS65004: User declined to consent\. The consent was declined: sign in again and agree/,
        /<p>Not signed in: .*AADSTS65004: User declined to consent\. The terminal says what to do\./,
      ],
      [
        'an error of somebody with the state who writes markup',
        [],
        { error: markup, error_description: `${markup}\u001b[31m` },
        /was refused by .*: <script>alert\(1\)<\/script>\\u001b\[31m\. /,
        /<p>Not signed in: .*: &#60;script&#62;alert\(1\)&#60;\/script&#62;/,
      ],
      [
        'no code',
        [],
        {},
        /the browser came back without a code\. /,
        /<p>Not signed in: .* without a code\. The terminal/,
      ],
    ]
  for (const [name, args, answer, line, page] of rows) {
    const login = home.startHere(['login', '--browser', ...args])
    const { page: address, redirectUri, state } = await redirectOf(login)
    const parameters = answer ? new URLSearchParams({ ...answer, state }) : authority.authorize(address, ada).parameters
    const shown = await back(redirectUri, parameters, answer === undefined)
    t.match(shown, page, name)
    t.notMatch(shown, /<script|Trace ID/)
    const { status, stdout, stderr } = await login.ended
    t.match({ status, stdout }, { status: 1, stdout: '' })
    t.match(stderr.split('\n')[2], line)
    t.match(stderr, /\nrecovery-services-server: [^\n]*\n$/, 'one line')
  }
  nothingIsSaved(t, home)
})
