import http from 'node:http'
import t, { type Test } from 'tap'
import { type Loopback, loopback } from '../../src/auth/loopback.ts'

/** A listener that waits for the answer with the state `right`. */
const waiting = async (t: Test, signal = new AbortController().signal) => {
  const listener = await loopback(signal)
  t.teardown(() => listener.close())
  const answer = listener.answer('right')
  answer.catch(() => {})
  return { listener, answer }
}

interface Shown {
  status: number | undefined
  text: string
  headers: http.IncomingHttpHeaders
}

const ask = (
  { redirectUri }: Loopback,
  path: string,
  { method = 'GET', body = '' }: { method?: string; body?: string } = {},
): Promise<Shown> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(redirectUri)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    http
      .request({ host: '127.0.0.1', port, path, method, headers }, response => {
        let text = ''
        response.setEncoding('utf8').on('data', part => {
          text += part
        })
        response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers }))
      })
      .on('error', reject)
      .end(body)
  })

t.test('the answer is taken from the query and from a form, and the browser waits for what is said', async t => {
  const rows: [name: string, path: string, more: object, taken: object][] = [
    ['query', '/?code=c1&state=right&session_state=s', {}, { code: 'c1' }],
    ['form_post', '/', { method: 'POST', body: 'code=c%2F2&state=right' }, { code: 'c/2' }],
    [
      'a refusal',
      '/?error=access_denied&error_description=AADSTS65004%3A+declined&state=right',
      {},
      { error: 'access_denied', description: 'AADSTS65004: declined' },
    ],
    ['neither', '/?state=right', {}, { error: '', description: 'the browser came back without a code' }],
  ]
  for (const [name, path, more, taken] of rows) {
    const { listener, answer } = await waiting(t)
    t.match(listener.redirectUri, /^http:\/\/localhost:\d+$/)
    const shown = ask(listener, path, more)
    t.same(await answer, taken, name)
    await listener.say('Done <b>"now"</b> & here.')
    const { status, text, headers } = await shown
    t.equal(status, 200)
    t.match(text, '<p>Done &#60;b&#62;&#34;now&#34;&#60;/b&#62; &#38; here. You can close this window.</p>')
    t.match(headers, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'",
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    t.notMatch(JSON.stringify(headers) + text, /c1|c\/2/, 'the page does not hold the code')
    await listener.close()
    await t.rejects(ask(listener, '/'), { code: 'ECONNREFUSED' }, 'nobody listens any more')
  }
})

t.test('whoever does not bear the state is refused and ends nothing', async t => {
  const { listener, answer } = await waiting(t)
  const rows: [name: string, status: number, path: string, more?: object][] = [
    ['no state', 400, '/?code=evil'],
    ['another state', 400, '/?code=evil&state=wrong'],
    ['an error without state', 400, '/?error=access_denied'],
    ['two states', 400, '/?code=evil&state=right&state=wrong'],
    ['the state in the query of a form', 400, '/?state=right', { method: 'POST', body: 'code=evil' }],
    ['another path', 404, '/favicon.ico'],
    ['another path with the state', 404, '/x?code=evil&state=right'],
    ['another method', 404, '/?code=evil&state=right', { method: 'PUT' }],
    ['HEAD, which a preview may send', 404, '/?code=evil&state=right', { method: 'HEAD' }],
    ['markup', 400, '/?code=%3Cscript%3E&state=%3Cscript%3Ealert(1)%3C/script%3E'],
  ]
  for (const [name, status, path, more] of rows) {
    const shown = await ask(listener, path, more)
    t.equal(shown.status, status, name)
    t.notMatch(shown.text, /<script|evil/)
  }
  const long = { method: 'POST', body: `state=right&code=${'x'.repeat(70_000)}` }
  await t.rejects(ask(listener, '/', long), { code: /ECONNRESET|EPIPE/ }, 'more than an answer can be')
  const shown = ask(listener, '/?code=good&state=right')
  t.same(await answer, { code: 'good' })
  const second = await ask(listener, '/?code=evil&state=right')
  t.match(second, { status: 409, text: /answered already/ })
  await listener.say('Signed in.')
  t.match((await shown).text, 'Signed in.')
})

t.test('before an answer is waited for, none is taken', async t => {
  const listener = await loopback(new AbortController().signal)
  t.teardown(() => listener.close())
  t.equal((await ask(listener, '/?code=evil&state=undefined')).status, 400)
  t.equal((await ask(listener, '/?code=evil')).status, 400)
})

t.test('an interruption ends the waiting, and open connections do not hold the end up', async t => {
  const interrupted = new AbortController()
  const { listener, answer } = await waiting(t, interrupted.signal)
  const { port } = new URL(listener.redirectUri)
  const idle = http.request({ host: '127.0.0.1', port, method: 'POST', headers: { 'content-length': 10 } })
  const cut = new Promise(go => idle.on('error', go))
  await new Promise<void>(go => idle.on('socket', socket => socket.on('connect', go)).flushHeaders())
  interrupted.abort(new Error('interrupted'))
  await t.rejects(answer, { message: 'interrupted' })
  await listener.close()
  t.match(await cut, { code: 'ECONNRESET' })
  await t.rejects(listener.answer('right'), { message: 'interrupted' }, 'also for who waits then')
})
