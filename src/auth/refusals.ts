/**
 * What the sign-in service refuses, and what to do about it: a row for each AADSTS number
 * (https://learn.microsoft.com/entra/identity-platform/reference-error-codes), then OAuth's own words (RFC 6749 5.2, RFC
 * 8628 3.5). Descriptions are the service's: one line of them is shown, scrubbed, without trace ids.
 */
import { connectionRemedy } from '../arm/connection-remedies.ts'
import { scrubText } from '../arm/scrub.ts'
import type { SendError } from '../arm/send.ts'
import type { AuthMethod } from '../config/types.ts'
import { printable } from '../printable.ts'
import type { ProblemCode } from '../problem.ts'
import { AuthError } from './auth-error.ts'
import type { CachedAccount } from './cached-accounts.ts'
import type { Refusal } from './network.ts'

/** Who asked, for the sentences. */
export interface Asking {
  method: AuthMethod
  authorityHost: string
  tenant?: string | undefined
  clientId?: string | undefined
  scope?: string | undefined
  /** The cached account that was to be renewed. */
  cached?: CachedAccount | undefined
}

interface Remedy {
  code?: ProblemCode
  /**
   * `{tenant}`, `{client}`, where these come from (`{tenant_from}`, `{client_from}`), `{scope}`, `{authority}` and `{login}`
   * are filled in.
   */
  remediation: string
  /** The same for an application, which signs in without a person. */
  service?: string
}

const again = 'Sign in again: {login}.'
const checkApplication =
  'Check {client_from} and {tenant_from}: the application has to be registered in, or consented to by, the tenant {tenant}.'
const newSecret =
  'Make a new client secret in the app registration, put its value (not its id) into AZURE_CLIENT_SECRET, and restart this server.'
const devicePolicy =
  'The tenant lets only certain devices or places sign in: sign in from one of those with `login --browser`, or ask its administrator.'
const checkAssertion =
  'The federated credential of the application does not fit: compare issuer, subject and audience in the app registration with those of the token in AZURE_FEDERATED_TOKEN_FILE.'
const checkCertificate =
  'Upload the certificate of AZURE_CLIENT_CERTIFICATE_PATH to the app registration {client}, or name the one that is there.'
const noPerson =
  'The application {client} signs in here, which no person can do for it: check its credential, and show this to an administrator of the tenant {tenant}.'
const blocked =
  'Conditional access of the tenant {tenant} keeps the application {client} out, e.g. from this network: ask its administrator.'
const noTenant = 'There is no tenant {tenant} at {authority}: check {tenant_from}, and cloud if it is in another cloud.'
const clock = 'Check the clock of this machine: the service finds what it was sent too old or not valid yet.'

const byNumber: Readonly<Record<number, Remedy>> = {
  50011: {
    code: 'not_configured',
    remediation:
      'Register http://localhost as a redirect URI (mobile and desktop applications) of the application {client}, or sign in without --browser.',
  },
  50020: {
    remediation:
      'The account is no member or guest of the tenant {tenant}: set tenant_id to its own tenant, sign in with another account ({login}), or have it invited there.',
  },
  50034: {
    remediation: 'The account does not exist in the tenant {tenant}: check tenant_id, and sign in again: {login}.',
  },
  50053: { remediation: 'The account is locked for a while: wait some minutes, then sign in again: {login}.' },
  50057: { remediation: 'The account is disabled: have it enabled, or sign in with another one: {login}.' },
  50076: {
    remediation: 'Multi-factor authentication is asked for, which only a person can give: sign in again: {login}.',
  },
  50078: { remediation: 'Multi-factor authentication has lapsed: sign in again: {login}.' },
  50079: { remediation: 'The account has to enrol for multi-factor authentication: sign in again: {login}.' },
  50105: {
    remediation: 'The account is not assigned to the application {client}: have it assigned, or use another client_id.',
  },
  50126: { remediation: again },
  50158: { remediation: 'The tenant asks for another check, which only a person can pass: sign in again: {login}.' },
  50173: { remediation: `The sign-in was revoked, e.g. by a new password. ${again}` },
  50196: {
    code: 'throttled',
    remediation: 'The service was asked for the same again and again, and refuses it for a while: wait some minutes.',
  },
  53000: { remediation: devicePolicy },
  53001: { remediation: devicePolicy },
  53003: { code: 'forbidden', remediation: devicePolicy, service: blocked },
  54005: { remediation: 'The answer of the browser was used already. Start the sign-in again: {login}.' },
  65001: {
    code: 'forbidden',
    remediation:
      'Nobody has agreed yet that the application {client} may act for this account: sign in again and agree ({login}), or have an administrator of the tenant {tenant} consent to it.',
  },
  65004: { remediation: 'The consent was declined: sign in again and agree ({login}), or use another client_id.' },
  70011: { code: 'not_configured', remediation: 'Check cloud and arm_endpoint: the service knows no scope {scope}.' },
  70021: { code: 'not_configured', remediation: checkAssertion },
  70043: { remediation: `The sign-in is older than the tenant allows. ${again}` },
  70044: { remediation: `The session is older than the tenant allows. ${again}` },
  90002: { code: 'not_configured', remediation: noTenant },
  90014: { code: 'not_configured', remediation: 'Check auth.client_id and tenant_id.' },
  90094: {
    code: 'forbidden',
    remediation:
      'Only an administrator may agree that the application {client} acts for people: have an administrator of the tenant {tenant} consent to it, or use another client_id.',
  },
  500011: {
    code: 'not_configured',
    remediation: 'The tenant {tenant} does not know {scope}: check cloud, arm_endpoint and tenant_id.',
  },
  500133: { remediation: clock },
  530003: { code: 'forbidden', remediation: devicePolicy },
  700016: { code: 'not_configured', remediation: checkApplication },
  700024: { remediation: clock },
  700027: { code: 'not_configured', remediation: checkCertificate },
  700082: { remediation: `The sign-in was not used for too long. ${again}` },
  700084: { remediation: `The sign-in has ended. ${again}` },
  700211: { code: 'not_configured', remediation: checkAssertion },
  700212: { code: 'not_configured', remediation: checkAssertion },
  700213: { code: 'not_configured', remediation: checkAssertion },
  900023: { code: 'not_configured', remediation: noTenant },
  7000112: {
    code: 'not_configured',
    remediation: 'The application {client} is disabled in the tenant {tenant}: have it enabled.',
  },
  7000215: {
    code: 'not_configured',
    remediation:
      'AZURE_CLIENT_SECRET is not a secret of the application {client}: use the value of the secret, not its id, of that application, and restart this server.',
  },
  7000218: {
    code: 'not_configured',
    remediation:
      'The application {client} allows no public client flows: allow them in its app registration (Authentication), or use another client_id.',
  },
  7000222: { code: 'not_configured', remediation: `The client secret has expired. ${newSecret}` },
}

const byWord: Readonly<Record<string, Remedy>> = {
  authorization_declined: { remediation: 'The sign-in was declined. Start it again: {login}.' },
  access_denied: { remediation: 'The sign-in was declined. Start it again: {login}.' },
  expired_token: { remediation: 'The code was not used in time. Start the sign-in again: {login}.' },
  code_expired: { remediation: 'The code was not used in time. Start the sign-in again: {login}.' },
  bad_verification_code: { remediation: again },
  invalid_grant: { remediation: again },
  interaction_required: { remediation: again },
  login_required: { remediation: again },
  consent_required: {
    code: 'forbidden',
    remediation:
      'Somebody has to agree that the application {client} may act for this account: sign in again: {login}.',
  },
  invalid_client: { code: 'not_configured', remediation: checkApplication },
  unauthorized_client: { code: 'not_configured', remediation: checkApplication },
  invalid_scope: {
    code: 'not_configured',
    remediation: 'Check cloud and arm_endpoint: the service knows no scope {scope}.',
  },
  temporarily_unavailable: {
    code: 'unreachable',
    remediation: 'The sign-in service is not available: try again in a minute.',
  },
}

/** Words of refusals that a new sign-in of the same account can mend. */
const mendable = /^(invalid_grant|interaction_required|login_required|consent_required)$/
const endings = new Set(['authorization_declined', 'access_denied', 'expired_token', 'code_expired'])

/** True where only a person can go on: the cached sign-in is of no use. */
const needsPerson = ({ error }: Refusal): boolean => mendable.test(error) || endings.has(error)

/** True where the account decides. */
const isAnyTenant = (tenant: string | undefined): tenant is 'organizations' | undefined =>
  tenant === undefined || tenant === 'organizations'

export const loginCommand = ({ tenant }: Pick<Asking, 'tenant'>): string =>
  `\`recovery-services-server login${isAnyTenant(tenant) ? '' : ` --tenant ${tenant}`}\``

export const refusalError = (refusal: Refusal, asking: Asking): AuthError => {
  const { status, codes, suberror, retryAfterSeconds } = refusal
  const error = printable(refusal.error, 80)
  const host = new URL(asking.authorityHost).host
  const said = firstLine(refusal.description) || error
  if (status === 429) {
    const wait = retryAfterSeconds === undefined ? 'a minute' : `${Math.ceil(retryAfterSeconds)} s`
    return new AuthError(
      'throttled',
      `The sign-in service ${host} limits how often it may be asked${said ? `: ${said}` : ''}`,
      `Wait ${wait}, then try again.`,
      {
        httpStatus: status,
        ...(retryAfterSeconds !== undefined && { details: { retry_after_seconds: Math.ceil(retryAfterSeconds) } }),
      },
    )
  }
  const row = codes.map(code => byNumber[code]).find(found => found !== undefined) ?? byWord[error]
  // An endpoint of this machine may refuse without a word.
  const isWordless = asking.method === 'managed_identity' && status >= 400
  if (refusal.isForeign && status < 500 && !isWordless)
    return strangeAnswerError(asking, `it answered ${status} with something that is no JSON object`)
  if (!row && status >= 500)
    return new AuthError(
      'unreachable',
      `The sign-in service ${host} answered ${status}${said ? `: ${said}` : ''}`,
      'Try again in a minute; if it goes on, check authority_host and http.proxy (or HTTPS_PROXY).',
      { httpStatus: status },
    )
  const { code = 'not_signed_in', ...remedy } = row ?? {
    remediation: 'Check what it says, or sign in again: {login}.',
  }
  const isPerson = asking.method === 'user'
  const forService = remedy.service ?? (remedy.remediation.includes('{login}') ? noPerson : remedy.remediation)
  const number = codes[0] === undefined ? undefined : `AADSTS${codes[0]}`
  return new AuthError(
    code,
    refusedBy(host, status, said, asking),
    filled(isPerson ? remedy.remediation : forService, asking, host),
    {
      azureCode: number ?? (error || undefined),
      httpStatus: status || undefined,
      ...(isPerson && needsPerson(refusal) && { person: { claims: refusal.claims, insteadOf: asking.cached } }),
      ...(suberror === undefined ? {} : { details: { suberror: printable(suberror, 80) } }),
    },
  )
}

/** An endpoint of this machine is no sign-in service; what MSAL itself refuses has no status. */
const refusedBy = (host: string, status: number, said: string, { method }: Asking): string => {
  if (method !== 'managed_identity')
    return `The sign-in${method === 'user' ? '' : ` by ${method}`} was refused by ${host}: ${said || `status ${status}`}`
  return [...(status === 0 ? [] : [`${host} answered ${status}`]), ...(said ? [said] : [])].join(': ')
}

const filled = (text: string, asking: Asking, host: string): string => {
  const isPerson = asking.method === 'user'
  const values: Record<string, string> = {
    tenant: isAnyTenant(asking.tenant) ? 'of the account' : asking.tenant,
    client: scrubText(asking.clientId ?? 'of this server'), // the secret may have been put in its place
    client_from: isPerson ? 'auth.client_id (or --client-id)' : 'auth.client_id (or AZURE_CLIENT_ID)',
    tenant_from: isPerson ? 'tenant_id (or --tenant)' : 'tenant_id (or AZURE_TENANT_ID)',
    scope: asking.scope ?? 'of Azure Resource Manager',
    authority: host,
    login: loginCommand(asking),
  }
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}

/** At most 300 characters, without trace and correlation ids, which stand behind, and without secrets. */
const firstLine = (description: string): string => {
  const line = description.split(/\r?\n|\s+Trace ID:/)[0] ?? ''
  return printable(scrubText(line), 300)
}

/** `what`: why whoever answered is no sign-in service. */
export const strangeAnswerError = ({ authorityHost }: Pick<Asking, 'authorityHost'>, what: string): AuthError =>
  new AuthError(
    'unreachable',
    `${new URL(authorityHost).host} does not answer as a sign-in service does: ${what}`,
    'Check cloud and authority_host, and whether a proxy or firewall answers in its place (http.proxy, HTTPS_PROXY, NO_PROXY).',
  )

export const sendFailureError = (error: SendError, { authorityHost }: Pick<Asking, 'authorityHost'>): AuthError => {
  const { host } = new URL(authorityHost)
  const isTimeout = error.kind === 'timeout'
  return new AuthError(
    isTimeout ? 'timeout' : 'unreachable',
    `The sign-in service ${host} ${isTimeout ? 'did not answer in time' : 'could not be reached'}: ${scrubText(error.message)}`,
    connectionRemedy(error, 'authority_host'),
    { cause: error },
  )
}
