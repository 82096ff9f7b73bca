/**
 * A sign-in service like Entra ID, on https of a loopback port with a certificate of its own (or on http): OpenID
 * configuration, device code, authorization code with PKCE, refresh tokens that are used once, client credentials by
 * secret and by assertion, claims challenges, and whatever it is told to refuse. Answers and error texts follow
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code and its neighbours.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  randomBytes,
  randomUUID,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Test } from 'tap'
import { certificate } from './certificate.ts'

export const contoso = '99999999-9999-4999-8999-999999999999'
export const fabrikam = '88888888-8888-4888-8888-888888888888'
/** Tenants by their names. */
const domains: Readonly<Record<string, string>> = { 'contoso.example': contoso, 'fabrikam.example': fabrikam }

export interface User {
  name: string
  /** Where it is at home. */
  tenant: string
  /** Where it is a guest. */
  guestOf?: readonly string[]
}
export const ada: User = { name: 'ada@contoso.example', tenant: contoso }
export const bob: User = { name: 'bob@fabrikam.example', tenant: fabrikam, guestOf: [contoso] }

/** What the Azure CLI and this server sign people in to. */
export const usualClientId = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'

export interface App {
  clientId: string
  tenant: string
  secret?: string
  /** PEM. */
  certificate?: string
  /** Assertions that a federated credential of it takes. */
  assertions?: string[]
}

export interface Asked {
  method: string
  path: string
  /** Form fields of a POST, else the query. */
  fields: Record<string, string>
  /** Milliseconds since 1970. */
  atMs: number
}

/** An answer in place of the usual one. */
export interface Instead {
  status: number
  body: unknown
  headers?: Record<string, string>
  /** `cut`: the connection ends inside the body; `silent`: nothing is answered. */
  broken?: 'cut' | 'silent'
}

interface DeviceCode {
  deviceCode: string
  userCode: string
  tenant: string
  scope: string
  clientId: string
  expiresAtMs: number
  decision: { user: User } | 'declined' | 'expired' | undefined
  /** Polls that wait for the decision. */
  waiting: (() => void)[]
}

interface RefreshToken {
  user: User
  tenant: string
  clientId: string
  isUsed: boolean
  isRevoked: boolean
}

/** An error of Entra ID: `AADSTS<number>: <text>` with ids behind it, as it sends them. */
export const aadError = (error: string, number: number, text: string, more: Record<string, unknown> = {}): Instead => ({
  status: error === 'invalid_client' ? 401 : 400,
  body: {
    error,
    error_description: `AADSTS${number}: ${text} Trace ID: 0c1d2e3f-0000-4000-8000-000000000000 Correlation ID: 1c1d2e3f-0000-4000-8000-000000000000 Timestamp: 2026-11-22 12:00:00Z`,
    error_codes: [number],
    timestamp: '2026-11-22 12:00:00Z',
    trace_id: '0c1d2e3f-0000-4000-8000-000000000000',
    correlation_id: '1c1d2e3f-0000-4000-8000-000000000000',
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
    ...more,
  },
})

/** One for all authorities of a process: such a key takes a while to make. */
let made: KeyPairKeyObjectResult | undefined
const signingKey = (): KeyPairKeyObjectResult => {
  made ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
  return made
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export class Authority {
  /** `https://127.0.0.1:<port>` */
  origin = ''
  /** A PEM file for NODE_EXTRA_CA_CERTS or SSL_CERT_FILE. */
  readonly caFile: string
  readonly requests: Asked[] = []
  readonly apps: App[] = []
  readonly deviceCodes: DeviceCode[] = []
  readonly refreshTokens = new Map<string, RefreshToken>()
  /** Every secret that was handed out: tokens, codes. None of them may show up anywhere. */
  readonly secrets: string[] = []
  /** Of access tokens. */
  lifetimeSeconds = 3600
  /** Of device codes; clients ask again at once, and are answered when there is a decision, or after `pollMs`. */
  deviceCodeSeconds = 900
  pollMs = 100
  /** The time of day that tokens are made by. */
  now = () => Date.now()
  /** Claims that each access token has to be asked for with, from now on: the challenge's JSON text. */
  challenge: string | undefined
  /** True where a refresh token may be taken once more than once; asked when it comes again. */
  mayUseAgain = (_refreshToken: string): boolean => false
  readonly #held: { path: RegExp; until: Promise<void> }[] = []
  readonly #queue: { path: RegExp; instead: Instead; times: number }[] = []
  readonly #key = signingKey()
  readonly #server: Server
  readonly #codes = new Map<
    string,
    {
      user: User
      tenant: string
      clientId: string
      challenge: string
      nonce: string
      redirectUri: string
      isUsed: boolean
    }
  >()

  /** Without a pair it speaks http. */
  constructor(caFile: string, pair: { key: string; cert: string } | undefined) {
    this.caFile = caFile
    const take = (request: IncomingMessage, response: ServerResponse) => {
      this.#take(request, response).catch(error => {
        response.writeHead(500).end(JSON.stringify({ error: 'server_error', error_description: String(error) }))
      })
    }
    this.#server = pair ? createServer(pair, take) : createHttpServer(take)
  }

  static async start(t: Test, { isSecure = true } = {}): Promise<Authority> {
    const folder = mkdtempSync(path.join(tmpdir(), 'authority-'))
    const pair = certificate()
    const caFile = path.join(folder, 'ca.pem')
    writeFileSync(caFile, pair.cert)
    const authority = new Authority(caFile, isSecure ? pair : undefined)
    await new Promise<void>(resolve => authority.#server.listen(0, '127.0.0.1', resolve))
    const { port } = authority.#server.address() as AddressInfo
    authority.origin = `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`
    t.teardown(async () => {
      await authority.stop()
      rmSync(folder, { recursive: true, force: true })
    })
    return authority
  }

  /** From here on nobody answers. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    if (this.#server.listening) await new Promise(resolve => this.#server.close(resolve))
  }

  /** Key that access tokens are signed with, for those who check them. */
  get publicKey(): KeyObject {
    return this.#key.publicKey
  }

  /** The next `times` requests whose path fits are answered so. */
  answer(path: RegExp, instead: Instead, times = 1): void {
    this.#queue.push({ path, instead, times })
  }

  /** Requests whose path fits are answered when the function that comes back is called. */
  hold(path: RegExp): () => void {
    let release = () => {}
    const until = new Promise<void>(go => {
      release = go
    })
    this.#held.push({ path, until })
    return release
  }

  /** Requests for tokens by a grant. */
  grants(grant: string): Asked[] {
    return this.requests.filter(({ fields }) => fields.grant_type?.endsWith(grant))
  }

  /** What the person does at the page: with the code that was shown. */
  decide(userCode: string, decision: NonNullable<DeviceCode['decision']>): void {
    const found = this.deviceCodes.find(each => each.userCode === userCode)
    if (!found) throw new Error(`there is no code ${userCode}`)
    found.decision = decision
    for (const go of found.waiting.splice(0)) go()
  }

  /** Ends every sign-in of a user, as a new password does. */
  revoke(user: User): void {
    for (const token of this.refreshTokens.values()) if (token.user.name === user.name) token.isRevoked = true
  }

  /** A token cache's text as MSAL writes it, with these users signed in. `expired`: their access tokens are over. */
  cacheText(
    users: readonly User[],
    {
      scope = 'https://management.azure.com/.default',
      clientId = usualClientId,
      isExpired = true,
      tenant,
    }: {
      scope?: string
      clientId?: string
      isExpired?: boolean
      tenant?: string
    } = {},
  ): string {
    const environment = new URL(this.origin).host
    const cache: Record<string, Record<string, Record<string, unknown>>> = {
      Account: {},
      IdToken: {},
      AccessToken: {},
      RefreshToken: {},
      AppMetadata: {},
    }
    const put = (section: string, key: string, entity: Record<string, unknown>) => {
      const into = cache[section]
      if (into) into[key] = entity
    }
    for (const user of users) {
      const realm = tenant ?? user.tenant
      const made = this.#userTokens(user, realm, clientId, scope)
      const homeAccountId = `${idOf(user)}.${user.tenant}`
      const target = grantedScope(scope)
      const nowSeconds = Math.floor(this.now() / 1000)
      const expires = String(isExpired ? nowSeconds - 10 : nowSeconds + this.lifetimeSeconds)
      put('Account', `${homeAccountId}-${environment}-${user.tenant}`, {
        home_account_id: homeAccountId,
        environment,
        realm: user.tenant,
        local_account_id: idOf(user),
        username: user.name,
        authority_type: 'MSSTS',
        name: user.name,
      })
      put('AccessToken', `${homeAccountId}-${environment}-accesstoken-${clientId}-${realm}-${target}-`, {
        home_account_id: homeAccountId,
        environment,
        credential_type: 'AccessToken',
        client_id: clientId,
        secret: made.access_token,
        realm,
        target,
        cached_at: String(nowSeconds - 3600),
        expires_on: expires,
        extended_expires_on: expires,
        token_type: 'Bearer',
      })
      put('RefreshToken', `${homeAccountId}-${environment}-refreshtoken-${clientId}---`, {
        home_account_id: homeAccountId,
        environment,
        credential_type: 'RefreshToken',
        client_id: clientId,
        secret: made.refresh_token,
      })
    }
    return JSON.stringify(cache)
  }

  /** A signed access token. */
  accessToken(claims: Record<string, unknown>): string {
    const nowSeconds = Math.floor(this.now() / 1000)
    const payload = {
      iat: nowSeconds,
      nbf: nowSeconds,
      exp: nowSeconds + this.lifetimeSeconds,
      jti: randomUUID(),
      ...claims,
    }
    const text = `${base64({ typ: 'JWT', alg: 'RS256', kid: 'authority' })}.${base64(payload)}`
    return this.#secret(`${text}.${sign('sha256', Buffer.from(text), this.#key.privateKey).toString('base64url')}`)
  }

  #secret(text: string): string {
    this.secrets.push(text)
    return text
  }

  #userTokens(user: User, tenant: string, clientId: string, scope: string, nonce?: string) {
    const issuer = `${this.origin}/${tenant}/v2.0`
    const aud =
      scope
        .split(' ')
        .find(each => each.includes('://'))
        ?.replace(/\/\.default$/, '') ?? ''
    const refresh = this.#secret(`refresh.${randomBytes(24).toString('base64url')}`)
    this.refreshTokens.set(refresh, { user, tenant, clientId, isUsed: false, isRevoked: false })
    return {
      token_type: 'Bearer',
      scope: grantedScope(scope.replace(/ ?(openid|profile|offline_access)/g, '')),
      expires_in: this.lifetimeSeconds,
      ext_expires_in: this.lifetimeSeconds,
      access_token: this.accessToken({
        aud,
        iss: issuer,
        tid: tenant,
        oid: idOf(user),
        upn: user.name,
        appid: clientId,
      }),
      refresh_token: refresh,
      id_token: this.accessToken({
        aud: clientId,
        iss: issuer,
        tid: tenant,
        oid: idOf(user),
        sub: idOf(user),
        preferred_username: user.name,
        name: user.name,
        ver: '2.0',
        ...(nonce && { nonce }),
      }),
      client_info: base64({ uid: idOf(user), utid: user.tenant }),
      // The Azure CLI is one of Microsoft's own applications, which share refresh tokens.
      ...(clientId === usualClientId && { foci: '1' }),
    }
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin)
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const given = request.method === 'POST' ? new URLSearchParams(Buffer.concat(chunks).toString()) : url.searchParams
    const fields = Object.fromEntries(given)
    this.requests.push({ method: request.method ?? '', path: url.pathname, fields, atMs: Date.now() })
    await Promise.all(this.#held.filter(({ path }) => path.test(url.pathname)).map(({ until }) => until))
    const rule = this.#queue.find(({ path, times }) => times > 0 && path.test(url.pathname))
    if (rule) rule.times--
    const answer = rule?.instead ?? (await this.#answer(url, fields))
    if (answer.broken === 'silent') return
    const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
    const headers = { 'content-type': 'application/json; charset=utf-8', ...answer.headers }
    if (answer.broken !== 'cut') return void response.writeHead(answer.status, headers).end(body)
    response.writeHead(answer.status, { ...headers, 'content-length': String(Buffer.byteLength(body)) })
    response.write(body.slice(0, body.length / 2), () => response.destroy())
  }

  async #answer(url: URL, fields: Record<string, string>): Promise<Instead> {
    const [, named = '', ...rest] = url.pathname.split('/')
    const what = rest.join('/')
    const tenant = domains[named] ?? named
    const isKnown = ['organizations', 'common', contoso, fabrikam].includes(tenant)
    const isConfiguration = what === 'v2.0/.well-known/openid-configuration'
    if (!isKnown)
      return aadError(
        isConfiguration ? 'invalid_tenant' : 'invalid_request',
        90002,
        `Tenant '${named}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
      )
    if (isConfiguration) return this.#configuration(tenant)
    if (what === 'discovery/v2.0/keys')
      return {
        status: 200,
        body: { keys: [{ ...this.publicKey.export({ format: 'jwk' }), kid: 'authority', use: 'sig' }] },
      }
    if (what === 'oauth2/v2.0/devicecode') return this.#startDevice(tenant, fields)
    if (what === 'oauth2/v2.0/token') return this.#token(tenant, fields)
    return { status: 404, body: { error: 'not_found' } }
  }

  #configuration(tenant: string): Instead {
    const base = `${this.origin}/${tenant}`
    return {
      status: 200,
      body: {
        // Where the account decides about its tenant, the issuer is a template.
        issuer: `${this.origin}/${isTenant(tenant) ? tenant : '{tenantid}'}/v2.0`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
        end_session_endpoint: `${base}/oauth2/v2.0/logout`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
        response_modes_supported: ['query', 'fragment', 'form_post'],
        response_types_supported: ['code'],
      },
    }
  }

  #startDevice(tenant: string, { client_id: clientId = '', scope = '' }: Record<string, string>): Instead {
    const unknown = this.#unknownClient(tenant, clientId)
    if (unknown) return unknown
    const made: DeviceCode = {
      deviceCode: this.#secret(`device.${randomBytes(24).toString('base64url')}`),
      userCode: randomBytes(6).toString('hex').toUpperCase().slice(0, 9),
      tenant,
      scope,
      clientId,
      expiresAtMs: this.now() + this.deviceCodeSeconds * 1000,
      decision: undefined,
      waiting: [],
    }
    this.deviceCodes.push(made)
    return {
      status: 200,
      body: {
        user_code: made.userCode,
        device_code: made.deviceCode,
        verification_uri: `${this.origin}/devicelogin`,
        expires_in: this.deviceCodeSeconds,
        interval: 0,
        message: `To sign in, open ${this.origin}/devicelogin and enter the code ${made.userCode}.`,
      },
    }
  }

  #unknownClient(tenant: string, clientId: string): Instead | undefined {
    const app = this.apps.find(each => each.clientId === clientId)
    if (clientId === usualClientId || (app && (app.tenant === tenant || tenant === 'organizations'))) return undefined
    return aadError(
      'unauthorized_client',
      700016,
      `Application with identifier '${clientId}' was not found in the directory '${tenant}'.`,
    )
  }

  async #token(tenant: string, fields: Record<string, string>): Promise<Instead> {
    const grant = (fields.grant_type ?? '').split(':').at(-1)
    const unknown = this.#unknownClient(tenant, fields.client_id ?? '')
    if (unknown) return unknown
    if (grant === 'device_code') return this.#deviceToken(fields)
    if (grant === 'authorization_code') return this.#codeToken(fields)
    if (grant === 'refresh_token') return this.#refreshed(tenant, fields)
    if (grant === 'client_credentials') return this.#applicationToken(tenant, fields)
    return aadError('unsupported_grant_type', 70003, `The app requested an unsupported grant type '${grant}'.`)
  }

  #home(tenant: string, user: User): string | Instead {
    const wanted = isTenant(tenant) ? tenant : user.tenant
    if (wanted === user.tenant || user.guestOf?.includes(wanted)) return wanted
    return aadError(
      'invalid_grant',
      50020,
      `User account '${user.name}' from identity provider 'https://sts.windows.net/${user.tenant}/' does not exist in tenant '${wanted}'.`,
    )
  }

  async #deviceToken({ device_code, client_id = '' }: Record<string, string>): Promise<Instead> {
    const found = this.deviceCodes.find(each => each.deviceCode === device_code)
    if (!found) return aadError('bad_verification_code', 70018, 'The code is not known.')
    if (found.decision === undefined)
      await new Promise<void>(go => {
        const timer = setTimeout(go, this.pollMs)
        found.waiting.push(() => {
          clearTimeout(timer)
          go()
        })
      })
    const { decision } = found
    if (decision === 'declined') return aadError('authorization_declined', 70000, 'The user declined the sign-in.')
    if (decision === 'expired' || this.now() > found.expiresAtMs)
      return aadError(
        'expired_token',
        70020,
        'The provided value for the input parameter device_code is not valid. This device code has expired.',
      )
    if (decision === undefined)
      return aadError(
        'authorization_pending',
        70016,
        'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
      )
    const home = this.#home(found.tenant, decision.user)
    return typeof home === 'string'
      ? { status: 200, body: this.#userTokens(decision.user, home, client_id, found.scope) }
      : home
  }

  /** What a browser does: signs `user` in at the page and comes back with what the redirect says. */
  authorize(page: string, user: User): { redirectUri: string; parameters: URLSearchParams } {
    const url = new URL(page)
    const query = url.searchParams
    const code = this.#secret(`code.${randomBytes(24).toString('base64url')}`)
    const tenant = url.pathname.split('/')[1] ?? ''
    if (query.get('code_challenge_method') !== 'S256') throw new Error('no PKCE')
    this.#codes.set(code, {
      user,
      tenant: domains[tenant] ?? tenant,
      clientId: query.get('client_id') ?? '',
      challenge: query.get('code_challenge') ?? '',
      nonce: query.get('nonce') ?? '',
      redirectUri: query.get('redirect_uri') ?? '',
      isUsed: false,
    })
    return {
      redirectUri: query.get('redirect_uri') ?? '',
      parameters: new URLSearchParams({ code, state: query.get('state') ?? '', session_state: randomUUID() }),
    }
  }

  #codeToken({ code = '', code_verifier = '', redirect_uri, client_id, scope = '' }: Record<string, string>): Instead {
    const found = this.#codes.get(code)
    if (found?.isUsed)
      return aadError('invalid_grant', 54005, 'OAuth2 Authorization code was already redeemed, please retry.')
    if (found) found.isUsed = true
    const challenge = createHash('sha256').update(code_verifier).digest('base64url')
    if (!found || found.redirectUri !== redirect_uri || found.clientId !== client_id)
      return aadError('invalid_grant', 70008, 'The provided authorization code or refresh token has expired.')
    if (found.challenge !== challenge)
      return aadError(
        'invalid_grant',
        501481,
        'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
      )
    const home = this.#home(found.tenant, found.user)
    return typeof home === 'string'
      ? { status: 200, body: this.#userTokens(found.user, home, found.clientId, scope, found.nonce) }
      : home
  }

  #refreshed(
    tenant: string,
    { refresh_token = '', client_id = '', scope = '', claims }: Record<string, string>,
  ): Instead {
    const found = this.refreshTokens.get(refresh_token)
    if (!found || found.clientId !== client_id)
      return aadError('invalid_grant', 9002313, 'Invalid request. Request is malformed or invalid.')
    if (found.isRevoked)
      return aadError(
        'invalid_grant',
        50173,
        `The provided grant has expired due to it being revoked, a fresh auth token is needed.`,
      )
    if (found.isUsed && !this.mayUseAgain(refresh_token))
      return aadError('invalid_grant', 700082, 'The refresh token was used already.')
    if (this.challenge !== undefined && !includesClaims(claims, this.challenge))
      return aadError(
        'interaction_required',
        50076,
        'Due to a configuration change made by your administrator, you must use multi-factor authentication to access the resource.',
        { claims: this.challenge, suberror: 'basic_action' },
      )
    const home = this.#home(tenant, found.user)
    if (typeof home !== 'string') return home
    found.isUsed = true
    return { status: 200, body: this.#userTokens(found.user, home, client_id, scope) }
  }

  #applicationToken(tenant: string, fields: Record<string, string>): Instead {
    const { client_id = '', client_secret, client_assertion, scope = '' } = fields
    const app = this.apps.find(each => each.clientId === client_id)
    if (!app)
      return aadError('unauthorized_client', 700016, `Application with identifier '${client_id}' was not found.`)
    if (client_secret !== undefined && client_secret !== app.secret)
      return aadError(
        'invalid_client',
        7000215,
        `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${client_id}'.`,
      )
    if (client_assertion !== undefined && !this.#isAccepted(client_assertion, app))
      return app.assertions
        ? aadError('invalid_client', 700213, 'No matching federated identity record found for presented assertion.')
        : aadError(
            'invalid_client',
            700027,
            'The certificate with identifier used to sign the client assertion is not registered on application.',
          )
    if (client_secret === undefined && client_assertion === undefined)
      return aadError(
        'invalid_client',
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
      )
    const aud = scope.replace(/\/\.default$/, '')
    const access_token = this.accessToken({
      aud,
      iss: `${this.origin}/${tenant}/v2.0`,
      tid: tenant,
      oid: client_id,
      appid: client_id,
    })
    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        expires_in: this.lifetimeSeconds,
        ext_expires_in: this.lifetimeSeconds,
        access_token,
      },
    }
  }

  /** An assertion of the app's certificate (PS256, for this token endpoint), or one of a federated credential. */
  #isAccepted(assertion: string, app: App): boolean {
    if (app.assertions?.includes(assertion)) return true
    if (app.certificate === undefined) return false
    const [head = '', body = '', signature = ''] = assertion.split('.')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
    const x509 = new X509Certificate(app.certificate)
    const thumbprint = createHash('sha256').update(x509.raw).digest('base64url')
    const key = createPublicKey(x509.publicKey.export({ type: 'spki', format: 'pem' }))
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${body}`),
      { key, padding: 6, saltLength: 32 }, // RSA_PKCS1_PSS_PADDING
      Buffer.from(signature, 'base64url'),
    )
    const isForUs =
      String(claims.aud).startsWith(this.origin) && claims.iss === app.clientId && claims.sub === app.clientId
    return isSigned && header.alg === 'PS256' && header['x5t#S256'] === thumbprint && isForUs
  }
}

const isTenant = (tenant: string): boolean => tenant !== 'organizations' && tenant !== 'common'

/** What is granted where a resource's `.default` is asked for: all that the application may do, here one thing. */
const grantedScope = (scope: string): string => `${scope.replace(/\.default$/, 'user_impersonation')} ${scope}`

const idOf = ({ name }: User): string => {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** True where the claims that were asked for hold everything that the challenge names. */
const includesClaims = (asked: string | undefined, challenge: string): boolean => {
  const holds = (whole: unknown, part: unknown): boolean =>
    typeof part === 'object' && part !== null
      ? typeof whole === 'object' &&
        whole !== null &&
        Object.entries(part).every(([name, value]) => holds((whole as Record<string, unknown>)[name], value))
      : whole === part
  return asked !== undefined && holds(JSON.parse(asked), JSON.parse(challenge))
}
