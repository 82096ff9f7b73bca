/**
 * What the environment says about the network: a proxy, and certificate authorities beyond the built-in ones.
 */
import type { SecureContext } from 'node:tls'
import { Problem } from '../problem.ts'

export interface NetworkSettings {
  /** `http.proxy` of the configuration; goes before the environment. */
  proxy?: string | undefined
  env: Readonly<Record<string, string | undefined>>
  readFile: (path: string) => Promise<string>
  /** One line for the user. */
  warn: (text: string) => void
}

export interface ProxySetting {
  /** http: or https:; may hold credentials. */
  url: URL
  /** Hosts that are reached without it, as NO_PROXY spells them. */
  noProxy: string
  /** For messages: `proxy host:port (where it was set)`, never its credentials. */
  shown: string
}

/**
 * The proxy for https requests, if there is one. NO_PROXY belongs to HTTPS_PROXY: a proxy of the configuration is for
 * everything. Throws Problem `not_configured` for a text that is no proxy's URL.
 */
export function proxyFrom({ proxy, env }: Pick<NetworkSettings, 'proxy' | 'env'>): ProxySetting | undefined {
  if (proxy) return parseProxy(proxy, 'http.proxy', '')
  const fromEnv = env.https_proxy || env.HTTPS_PROXY
  return fromEnv ? parseProxy(fromEnv, 'HTTPS_PROXY', env.no_proxy || env.NO_PROXY || '') : undefined
}

function parseProxy(text: string, source: string, noProxy: string): ProxySetting {
  // The parser's own errors quote the whole text, password and all, so they are not kept as the cause.
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || !url.hostname || !isDecodable(url.username + url.password)) {
    throw new Problem(
      'not_configured',
      `${source} is not the URL of a proxy`,
      `Set ${source} to a URL like http://proxy.example:8080, or http://<user>:<password>@proxy.example:8080 with special characters percent-encoded.`,
    )
  }
  return { url, noProxy, shown: `proxy ${url.host} (${source})` }
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/**
 * Trust in the built-in authorities and those in SSL_CERT_FILE and NODE_EXTRA_CA_CERTS. Undefined without SSL_CERT_FILE:
 * then Node's own defaults hold, which include NODE_EXTRA_CA_CERTS, and nothing is parsed. A list of our own replaces
 * those defaults, so it has to name everything. Made once: parsing 150 certificates for each connection takes longer
 * than the connection.
 */
export async function trustFrom({
  env,
  readFile,
  warn,
}: Omit<NetworkSettings, 'proxy'>): Promise<SecureContext | undefined> {
  if (!env.SSL_CERT_FILE) return undefined
  const read = async (variable: string) => {
    const path = env[variable]
    if (!path) return []
    try {
      const text = await readFile(path)
      if (text.includes('-----BEGIN CERTIFICATE-----')) return [text]
      warn(`${variable} is ignored: ${path} holds no PEM certificate`)
    } catch (error) {
      warn(`${variable} is ignored: ${path} cannot be read (${error instanceof Error ? error.message : error})`)
    }
    return []
  }
  const extra = (await Promise.all(['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'].map(read))).flat()
  if (extra.length === 0) return undefined
  const { createSecureContext, rootCertificates } = await import('node:tls')
  return createSecureContext({ ca: [...rootCertificates, ...extra] })
}
