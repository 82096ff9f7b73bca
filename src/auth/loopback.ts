/**
 * Where the browser comes back to after a sign-in: a listener on this machine that takes one answer, with the state that
 * was sent (RFC 8252, 7.3), and shows a page that says what came of it. Whoever calls without that state is refused and
 * ends nothing: other pages can reach a loopback port too.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { scrubText } from '../arm/scrub.ts'
import { printable } from '../printable.ts'
import { AuthError } from './auth-error.ts'

export interface Loopback {
  /** `http://localhost:<port>`: Entra ID takes any port of the registered http://localhost. */
  redirectUri: string
  /** Resolves with the code of the answer that bears `state`; the browser waits for `say`. Throws AuthError. */
  answer(state: string): Promise<{ code: string }>
  /** What the browser shows. */
  say(text: string): Promise<void>
  close(): Promise<void>
}

const maxBodyBytes = 64 * 1024

export const loopback = async (signal: AbortSignal): Promise<Loopback> => {
  let waiting: ((parameters: URLSearchParams, response: ServerResponse) => void) | undefined
  let expected: string | undefined
  let shownTo: ServerResponse | undefined

  const server = createServer((request, response) => {
    void take(request, response).catch(() => response.destroy())
  })
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url = '/' } = request
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    if (pathname !== '/' || (method !== 'GET' && method !== 'POST'))
      return page(response, 404, 'There is nothing here.')
    const parameters = method === 'POST' ? new URLSearchParams(await bodyOf(request)) : searchParams
    const states = parameters.getAll('state')
    if (expected === undefined || states.length !== 1 || states[0] !== expected)
      return page(response, 400, 'This is not the answer to the sign-in that was started; it was ignored.')
    if (!waiting) return page(response, 409, 'This sign-in has been answered already.')
    const go = waiting
    waiting = undefined
    go(parameters, response)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  }).catch(error => {
    throw new AuthError(
      'not_signed_in',
      `No port of this machine could be listened on: ${error instanceof Error ? error.message : error}`,
      'Sign in without --browser.',
    )
  })
  const { port } = server.address() as AddressInfo

  return {
    redirectUri: `http://localhost:${port}`,
    answer: state =>
      new Promise((resolve, reject) => {
        const leave = () => reject(signal.reason)
        if (signal.aborted) return leave()
        signal.addEventListener('abort', leave, { once: true })
        expected = state
        waiting = (parameters, response) => {
          signal.removeEventListener('abort', leave)
          shownTo = response
          const code = parameters.get('code')
          if (code) return resolve({ code })
          reject(refused(parameters.get('error') ?? '', parameters.get('error_description') ?? ''))
        }
      }),
    say: async text => {
      if (shownTo) page(shownTo, 200, `${text} You can close this window.`)
      shownTo = undefined
    },
    close: async () => {
      await new Promise<void>(resolve => {
        server.close(() => resolve())
        // What was said has to arrive first; nobody may hold the end up.
        setTimeout(() => server.closeAllConnections(), 200).unref()
        server.closeIdleConnections()
      })
    },
  }
}

const refused = (error: string, description: string): AuthError =>
  new AuthError(
    'not_signed_in',
    `The sign-in was refused: ${printable(scrubText(description.split(/\r?\n| Trace ID:/)[0] || error || 'no code came back'), 300)}`,
    'Start it again with `recovery-services-server login --browser`.',
    { azureCode: /AADSTS\d+/.exec(description)?.[0] ?? (error || undefined) },
  )

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBodyBytes) throw new Error('too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

const page = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    connection: 'close',
  })
  response.end(
    `<!doctype html><meta charset="utf-8"><title>Azure Recovery Services sign-in</title><p>${escapeHtml(text)}</p>`,
  )
}
