/**
 * Where a URL that somebody else wrote may lead: a nextLink, a polling header, an address given by a user. Only the
 * configured ARM origin gets a request, because the bearer token goes with it. https subdomains of its host count as
 * that origin: Azure answers with regional endpoints (`centraluseuap.management.azure.com`).
 */
export type Located =
  /** `href`: the whole URL, to be fetched as it is. `pathAndQuery`: the same on the configured origin. */
  { kind: 'ours'; href: string; pathAndQuery: string } | { kind: 'foreign'; host: string }

/** True for the configured origin itself and for https subdomains of its host, on the same port. */
export function isArmOrigin(url: URL, endpoint: string): boolean {
  const own = new URL(endpoint)
  if (url.username || url.password) return false
  // The origin of a blob: URL is that of the URL in it.
  if (url.origin === own.origin) return url.protocol === own.protocol
  const isHttps = url.protocol === 'https:' && own.protocol === 'https:'
  return isHttps && url.port === own.port && url.hostname.endsWith(`.${own.hostname}`)
}

/**
 * Places `text`: an absolute URL, a path on the endpoint, or a query of `basePath`. `foreign` with an empty host: it is
 * none of these.
 */
export function locate(text: string, endpoint: string, basePath = '/'): Located {
  const base = new URL(basePath, endpoint).href
  if (!/^([a-z][a-z\d+.-]*:|[/\\?])/i.test(text) || !URL.canParse(text, base)) return { kind: 'foreign', host: '' }
  const url = new URL(text, base)
  url.hash = ''
  if (!isArmOrigin(url, endpoint)) return { kind: 'foreign', host: url.host }
  return { kind: 'ours', href: url.href, pathAndQuery: url.pathname + url.search }
}

/** Query parameters that say what is asked. Every other one may be a signature (`t`, `c`, `s`, `h`) or a token. */
const harmless = new Set(['api-version', '$filter', '$skiptoken', '$top', '$expand', '$orderby'])

/**
 * The same path without its signature: fit for logs, errors and later processes. A second question mark, which Azure
 * writes when a container is unregistered, is taken for the `&` it should be.
 */
export function unsigned(pathAndQuery: string): string {
  const [path = '', ...parameters] = pathAndQuery.split(/[?&]/)
  const kept = parameters.filter(parameter => harmless.has((parameter.split('=')[0] ?? '').toLowerCase()))
  return kept.length > 0 ? `${path}?${kept.join('&')}` : path
}
