/** A sign-in behind the calls that does not succeed, or is not waited for: declined, lapsed, refused, the end of the server. */
import t from 'tap'
import { ada, bob, contoso } from '../helpers/authority.ts'
import type { Server } from '../helpers/server.ts'
import { offered, says, scene } from '../helpers/serving.ts'

t.jobs = 3
t.setTimeout(120_000)

const endings: [name: string, decision: 'declined' | 'expired' | { user: typeof bob }, words: RegExp][] = [
  ['that its user declined', 'declined', /The sign-in was declined/],
  ['whose code was not used in time', 'expired', /The code was not used in time/],
  [
    'by an account that the tenant does not know',
    { user: bob },
    /AADSTS50020.*The account is no member or guest of the tenant/,
  ],
]
for (const [name, decision, words] of endings)
  t.test(`a sign-in ${name} is told by the next call, with a new one`, async t => {
    const { authority, start, configure } = await scene(t)
    configure('tenant_id', contoso)
    const server = start()
    const { signIn: first } = await offered(server)
    const user = { ...bob, guestOf: [] }
    authority.decide(first.code, typeof decision === 'string' ? decision : { user })
    await says(server, /warning the sign-in did not succeed why=/)
    t.match(server.stderr, words)
    const told = await offered(server)
    t.match(told.error, { code: 'not_signed_in', message: words })
    const second = told.signIn
    t.not(second.code, first.code)
    t.notMatch((await server.call('list_policies')).error.message, words, 'that is told once')
    authority.decide(second.code, { user: ada })
    await says(server, /signed in.*ada/)
    t.equal((await server.call('list_policies')).isError, false)
    t.equal(authority.deviceCodes.length, 2)
  })

t.test('how a sign-in ended is nothing any more once somebody is signed in otherwise', async t => {
  const { authority, start, cache, advance } = await scene(t)
  const server = start()
  authority.decide((await offered(server)).signIn.code, 'declined')
  await says(server, /did not succeed/)
  cache([ada], { isExpired: false })
  t.equal((await server.call('list_policies')).isError, false)
  authority.revoke(ada)
  advance(2 * 3600)
  t.notMatch((await offered(server)).error.message, /declined/)
})

/** What a client waits at most before it kills: the contract gives requests a second, and a full pipe half of one. */
const graceMs = 8000

const ends: [name: string, end: (server: Server) => void][] = [
  ['the end of stdin', server => server.process.stdin.end()],
  ['SIGTERM', server => server.process.kill('SIGTERM')],
  ['SIGINT', server => server.process.kill('SIGINT')],
]
for (const [name, end] of ends) {
  t.test(`${name} ends the server while a sign-in waits for its user`, async t => {
    const { start } = await scene(t)
    const server = start()
    await offered(server)
    const startMs = performance.now()
    end(server)
    t.equal(await server.exit, 0)
    const tookMs = Math.round(performance.now() - startMs)
    t.ok(tookMs < graceMs, `ended in ${tookMs} ms`)
    t.notMatch(server.stderr, /error|did not succeed/)
  })

  t.test(`${name} ends the server while a call waits for the sign-in service`, async t => {
    const { authority, start, cache } = await scene(t)
    cache([ada])
    authority.hold(/token$/)
    const server = start()
    const call = server.call('list_policies').catch((error: unknown) => error)
    while (authority.grants('refresh_token').length === 0) await new Promise(go => setTimeout(go, 5))
    const startMs = performance.now()
    end(server)
    t.equal(await server.exit, 0)
    const tookMs = Math.round(performance.now() - startMs)
    t.ok(tookMs < graceMs, `ended in ${tookMs} ms`)
    t.match(await call, { error: { code: 'cancelled' } })
  })
}
