/**
 * A machine that the built program signs in on: a home of its own, a configuration, an Azure that lists nothing and keeps
 * what tokens it was given, endpoints of the machine itself, and an Azure CLI that is a script.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { Test } from 'tap'
import type { Authority } from './authority.ts'
import { type Ended, homeEnv, putAzureCli, startCommand } from './home.ts'
import { type Called, Server } from './server.ts'
import { temporaryFolder } from './sign-in.ts'

const subscription = '00000000-0000-0000-0000-000000000001'
const vaultPath = `/subscriptions/${subscription}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault-prod`

export interface Asked {
  method: string
  path: string
  query: Record<string, string>
  headers: IncomingHttpHeaders
  body: string
}

export interface Answer {
  status: number
  body: unknown
  headers?: Record<string, string>
}

/** http on loopback. `answer` undefined: the request is never answered. */
export const endpoint = async (
  t: Test,
  answer: (asked: Asked) => Answer | undefined,
): Promise<{ origin: string; asked: Asked[] }> => {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', text => {
      body += text
    })
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://endpoint')
      const one: Asked = {
        method: request.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body,
      }
      asked.push(one)
      const found = answer(one)
      if (!found) return
      response.writeHead(found.status, { 'content-type': 'application/json', ...found.headers })
      response.end(typeof found.body === 'string' ? found.body : JSON.stringify(found.body))
    })
  })
  await new Promise<void>(go => server.listen(0, '127.0.0.1', go))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** What `status --json` says of the sign-in. */
export interface SignInReport {
  method: string | null
  account: string | null
  tenant_id: string | null
  expires_at: string | null
  error: { code: string; message: string; remediation: string } | null
  not_taken: { method: string; why: string }[]
}

export class Machine {
  readonly home: string
  readonly env: Record<string, string>
  readonly #t: Test
  readonly #toml: string
  /** Tokens that Azure was given, in order. */
  readonly tokens: string[] = []
  /** Those that Azure does not take. */
  readonly refused = new Set<string>()
  refusesAll = false
  /** Whose `WWW-Authenticate` comes with a refusal. */
  challenge = 'Bearer error="invalid_token"'
  arm = ''

  private constructor(t: Test, home: string, toml: string, env: Record<string, string>) {
    this.#t = t
    this.home = home
    this.#toml = toml
    this.env = { ...homeEnv(home), ...env }
  }

  static async start(
    t: Test,
    { authority, toml = '', env = {} }: { authority?: Authority; toml?: string; env?: Record<string, string> } = {},
  ): Promise<Machine> {
    const home = temporaryFolder(t)
    const machine = new Machine(t, home, toml, { ...(authority && { NODE_EXTRA_CA_CERTS: authority.caFile }), ...env })
    const { origin } = await endpoint(t, asked => machine.#azure(asked))
    machine.arm = origin
    mkdirSync(path.join(home, '.codex'))
    writeFileSync(
      path.join(home, '.codex', 'recovery_services.toml'),
      `[recovery_services]
subscription_id = "${subscription}"
resource_group = "rg-backup"
vault_name = "vault-prod"
arm_endpoint = "${origin}"
${authority ? `authority_host = "${authority.origin}"` : ''}
${machine.#toml}
`,
    )
    return machine
  }

  get cacheFile(): string {
    return path.join(this.home, '.codex', 'recovery_services_auth.json')
  }

  write(name: string, text: string | Buffer): string {
    const file = path.join(this.home, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }

  read(name: string): string {
    return readFileSync(path.join(this.home, name), 'utf8')
  }

  azureCli(script: string, isSignedIn = true): void {
    putAzureCli(this.home, script, isSignedIn)
  }

  #azure({ path: asked, headers }: Asked): Answer {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? ''
    this.tokens.push(token)
    if (this.refusesAll || this.refused.has(token))
      return {
        status: 401,
        headers: { 'www-authenticate': this.challenge },
        body: { error: { code: 'InvalidAuthenticationToken', message: 'The access token is invalid.' } },
      }
    if (asked.endsWith('/permissions'))
      return { status: 200, body: { value: [{ actions: ['*/read'], notActions: [] }] } }
    if (asked === vaultPath)
      return { status: 200, body: { id: vaultPath, name: 'vault-prod', location: 'westeurope', properties: {} } }
    if (asked === `/subscriptions/${subscription}`)
      return { status: 200, body: { id: asked, subscriptionId: subscription, displayName: 'Production' } }
    return { status: 200, body: { value: [] } }
  }

  /** Runs a command to its end. */
  run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    return startCommand(this.#t, args, { cwd: this.home, env: { ...this.env, ...env } }).ended
  }

  async status(env: Record<string, string> = {}): Promise<SignInReport> {
    const { stdout, stderr } = await this.run(['status', '--json'], env)
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout).sign_in
  }

  server(env: Record<string, string> = {}, args: readonly string[] = []): Server {
    return new Server(this.#t, { args, env: { ...this.env, ...env } })
  }
}

export interface Check {
  name: string
  status: string
  message: string
}

/** The checks of a test_connection result, by name. */
export const checksOf = ({ body }: Called): Record<string, Check> =>
  Object.fromEntries((body.checks as Check[]).map(check => [check.name, check]))
