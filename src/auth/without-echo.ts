/**
 * Refusals sometimes repeat what they refuse, secret and all ("Invalid client secret provided: …"), in words that no rule
 * about names and shapes knows. Here is the place that knows the secrets themselves: they are in the request.
 */
import { isSecretName, scrubbed } from '../arm/scrub.ts'
import type { ArmRequest, ArmResponse, Send } from '../arm/send.ts'

/** Of managed identity endpoints and of everything that takes a token. */
const secretHeaders = ['authorization', 'x-identity-header', 'secret']
/** Shorter ones would be found in words that have nothing to do with them. */
const shortest = 6

const secretsOf = ({ headers, body }: ArmRequest): string[] => {
  const inHeaders = secretHeaders.map(name => (headers[name] ?? '').replace(/^(?:Bearer|Basic) /i, ''))
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded')
  const inForm = isForm
    ? [...new URLSearchParams(body)].filter(([name]) => name === 'code' || isSecretName(name)).map(([, value]) => value)
    : []
  return [...inHeaders, ...inForm].filter(secret => secret.length >= shortest)
}

const htmlOf = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** The ways in which a page, a JSON text or an address writes it; the longest first, as one may hold another. */
const spellings = (secret: string): string[] =>
  [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), htmlOf(secret)].sort(
    (a, b) => b.length - a.length,
  )

/** What hands something out is left whole: a refresh token that stays the same comes back in it. */
const isHandingOut = ({ status, body }: ArmResponse): boolean => status < 400 && /^\s*[{[]/.test(body)

/** `send`, whose error answers hold none of the secrets that were sent. */
export const withoutEcho =
  (send: Send): Send =>
  async (request, signal) => {
    const response = await send(request, signal)
    if (isHandingOut(response)) return response
    const said = [response.body, ...Object.values(response.headers)]
    const echoed = secretsOf(request)
      .flatMap(spellings)
      .filter(secret => said.some(text => text.includes(secret)))
    if (echoed.length === 0) return response
    const clean = (text: string) => echoed.reduce((rest, secret) => rest.replaceAll(secret, scrubbed), text)
    const headers = Object.fromEntries(Object.entries(response.headers).map(([name, text]) => [name, clean(text)]))
    return { ...response, headers, body: clean(response.body) }
  }
