/** The server where nobody is signed in: what a call is told, and how the sign-in behind it ends. */
import { writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net'
import path from 'node:path'
import t, { type Test } from 'tap'
import { ada } from '../helpers/authority.ts'
import type { Called, Server } from '../helpers/server.ts'
import { offered, says, scene, signInOf } from '../helpers/serving.ts'

t.jobs = 3
t.setTimeout(120_000)

/**
 * The rule of two seconds is held against a clock in patience.test.ts. Here a busy machine is allowed for: whoever waited
 * for what does not answer would wait for ten seconds, or for ever.
 */
const limitMs = 8000

/** A call that is answered in time. */
const timed = async (t: Test, server: Server, tool = 'list_policies'): Promise<Called> => {
  await server.request('ping')
  const startMs = performance.now()
  const called = await server.call(tool)
  const tookMs = Math.round(performance.now() - startMs)
  t.ok(tookMs < limitMs, `answered in ${tookMs} ms`)
  return called
}

/** Listens on a loopback port; its connections end with the test. */
const listening = async (t: Test, server: NetServer): Promise<string> => {
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket))
  await new Promise<void>(go => server.listen(0, '127.0.0.1', go))
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(go => server.close(go))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

for (const era of ['legacy', 'modern'] as const)
  t.test(`a call with nobody signed in tells the page and the code, and the next one works (${era})`, async t => {
    const { authority, start } = await scene(t)
    const server = start({ era })
    if (era === 'legacy') await server.initialize()
    const told = await offered(server, timed(t, server))
    const { url, code } = told.signIn
    t.equal(url, `${authority.origin}/devicelogin`)
    t.match(told.error, {
      code: 'not_signed_in',
      message: /^Nobody is (known to be )?signed in.*\. A sign-in has been started\.$/,
      remediation: new RegExp(
        `^Show this to the user: open ${url} and enter the code ${code} \\(until 20\\S+Z\\)\\. Once that is done, call again\\.$`,
      ),
    })
    t.strictSame(
      (told.error.details as { not_taken: { method: string }[] }).not_taken.map(({ method }) => method),
      [
        'access_token',
        'client_secret',
        'client_certificate',
        'workload_identity',
        'user',
        'managed_identity',
        'azure_cli',
      ],
    )
    t.match(server.stderr, new RegExp(` notice .*${url}.*${code}`), 'who looks at the log is told too')

    authority.decide(code, { user: ada })
    await says(server, /signed in.*ada@contoso\.example/)
    t.match(await server.call('list_policies'), { isError: false, body: { policies: Array } })
    t.equal(authority.deviceCodes.length, 1)
    for (const secret of authority.secrets) t.notOk(server.stderr.includes(secret) || told.text.includes(secret))
    t.equal(await server.end(), 0)
  })

t.test('many calls at once share one sign-in, and each works once it is done', async t => {
  const { authority, start } = await scene(t)
  const server = start()
  const tools = ['list_policies', 'list_protected_items', 'list_backup_jobs', 'get_vault', 'list_vaults']
  const calls = () => Promise.all([...tools, ...tools, ...tools, ...tools].map(tool => server.call(tool)))
  const told = (await calls()).flatMap(called => signInOf(called)?.code ?? [])
  const { code } = (await offered(server)).signIn
  t.strictSame(
    told.filter(each => each !== code),
    [],
  )
  authority.decide(code, { user: ada })
  await says(server, /signed in/)
  t.strictSame(
    (await calls()).map(({ isError }) => isError),
    Array(20).fill(false),
  )
  t.equal(authority.deviceCodes.length, 1)
  t.equal(authority.grants('refresh_token').length, 0, 'the token of the sign-in is the one that is used')
  t.equal(server.stderr.match(/to sign in, open the page/g)?.length, 1)
})

t.test('test_connection tells the sign-in too', async t => {
  const { start } = await scene(t)
  const server = start()
  await offered(server)
  const { body } = await timed(t, server, 'test_connection')
  const [, signIn] = body.checks as { name: string; status: string; message: string }[]
  t.match(signIn, { name: 'sign_in', status: 'failed', message: /open https:\S+ and enter the code \w+/ })
})

t.test('a sign-in service that answers slowly is not waited for', async t => {
  const { authority, start } = await scene(t)
  const release = authority.hold(/devicecode$/)
  const server = start()
  const { error } = await timed(t, server)
  t.match(error, {
    code: 'not_signed_in',
    remediation:
      /^A sign-in is being started, but 127\.0\.0\.1:\d+ has not answered yet: call again in a few seconds\.$/,
  })
  release()
  await says(server, /open the page and enter the code/)
  const { code } = (await offered(server, timed(t, server))).signIn
  authority.decide(code, { user: ada })
  await says(server, /signed in/)
  t.equal((await server.call('list_policies')).isError, false)
  t.equal(authority.deviceCodes.length, 1)
})

t.test('a sign-in service that is dead is named', async t => {
  const { authority, start } = await scene(t)
  const host = new URL(authority.origin).host
  await authority.stop()
  const server = start()
  t.match((await timed(t, server)).error, {
    code: 'not_signed_in',
    remediation: new RegExp(host),
  })
  await says(server, /warning the sign-in did not succeed why=.*could not be reached/)
  t.match((await timed(t, server)).error, {
    code: 'unreachable',
    message: new RegExp(`${host} could not be reached`),
    remediation: /proxy/,
  })
})

t.test('a sign-in service that takes connections and says nothing is not waited for', async t => {
  const { start, configure } = await scene(t)
  configure('authority_host', `https://${await listening(t, createServer())}`)
  t.match((await timed(t, start())).error, {
    code: 'not_signed_in',
    remediation: /has not answered yet/,
  })
})

t.test('a metadata service that never answers is not waited for', async t => {
  const { start } = await scene(t)
  const host = await listening(
    t,
    createHttpServer(() => {}),
  )
  const server = start({ env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: `http://${host}` } })
  t.ok((await offered(server, timed(t, server))).signIn.code)
})

t.test('an Azure CLI that takes its time is not waited for, but used once it answers', async t => {
  const { authority, endpoint, folder, start, azureCli } = await scene(t)
  const answer = JSON.stringify({
    accessToken: authority.accessToken({ aud: endpoint, tid: ada.tenant, upn: 'cli@contoso.example' }),
    expires_on: Math.floor(Date.now() / 1000) + 3600,
    tenant: ada.tenant,
  })
  azureCli(`while [ ! -e "$AZURE_CONFIG_DIR/go" ]; do /bin/sleep 0.05; done; echo '${answer}'`)
  const server = start()
  t.ok((await offered(server, timed(t, server))).signIn.code)
  writeFileSync(path.join(folder, 'azure/go'), '')
  while ((await server.call('list_policies')).isError) t.comment('az has not come to it yet')
  const { body } = await server.call('test_connection')
  t.match((body.checks as { message: string }[])[1], { message: /^by azure_cli; as cli@contoso\.example/ })
})
