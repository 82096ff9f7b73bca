/** What to do about a host that could not be reached: for Azure Resource Manager and for the sign-in service alike. */

/** The setting that names the host. */
type HostSetting = 'arm_endpoint' | 'authority_host'

/** By the code of the connection's failure; the first pattern that fits counts. */
const remedies: readonly (readonly [code: RegExp, remedy: (setting: HostSetting) => string])[] = [
  [
    /ENOTFOUND|EAI_AGAIN|ENODATA/,
    setting =>
      `The name could not be looked up: check the network, ${setting} (or cloud), and http.proxy (or HTTPS_PROXY) if names are resolved by a proxy.`,
  ],
  [
    /CERT|TLS|SSL|EPROTO|SIGNATURE|ISSUER/,
    () =>
      'The certificate was not accepted: if a proxy inspects TLS, name its authority in NODE_EXTRA_CA_CERTS or SSL_CERT_FILE (a PEM file) and restart; check the clock of this machine too.',
  ],
  [
    /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|CONNECT_TIMEOUT/,
    setting =>
      `Nothing accepted the connection: check the network and its firewall, http.proxy (or HTTPS_PROXY, NO_PROXY), and ${setting} (or cloud).`,
  ],
]

export const networkRemedy = (setting: HostSetting): string =>
  `Check the network, http.proxy (or HTTPS_PROXY, NO_PROXY) and ${setting} (or cloud), then try again.`

export const connectionRemedy = (error: unknown, setting: HostSetting): string => {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; depth++) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
    const found = remedies.find(([pattern]) => pattern.test(code))
    if (found) return found[1](setting)
    cause = cause instanceof AggregateError ? cause.errors[0] : cause.cause
  }
  return networkRemedy(setting)
}
