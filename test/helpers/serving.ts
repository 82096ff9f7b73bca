/**
 * The built server between a sign-in service and a simulated Azure that takes that service's tokens: everything that it
 * meets in the field but the network. Simulated time begins now and runs with the real one; the service goes by it too.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Test } from 'tap'
import { toFault } from '../../src/simulator/control.ts'
import { listen } from '../../src/simulator/http.ts'
import { startSimulation } from '../../src/simulator/start.ts'
import { Authority, contoso, type User } from './authority.ts'
import { homeEnv, putAzureCli } from './home.ts'
import { type Called, Server } from './server.ts'

const subscription = '11111111-1111-4111-8111-111111111111'

/** What a call with nobody signed in tells its user. */
export interface SignInTold {
  url: string
  code: string
}

export interface Scene {
  authority: Authority
  /** The simulated Azure's address. */
  endpoint: string
  /** Where the server's files are, and the Azure CLI's. */
  folder: string
  /** Of the token cache. */
  file: string
  /** Is told of every request that Azure has answered, right after. */
  onAnswered: (method: string, url: string, status: number) => void
  /** A server of this user. `env` goes over what it has, `more` are lines of its configuration file. */
  start(options?: { era?: 'legacy' | 'modern'; env?: Record<string, string>; args?: string[] }): Server
  /** Sets a key of the configuration file, for servers that are started from now on. */
  configure(key: string, value: string): void
  /** Signs people in as another process would: their tokens are in the cache file. */
  cache(users: readonly User[], options?: Parameters<Authority['cacheText']>[1]): void
  /** Lets an Azure CLI be found that runs this shell script. */
  azureCli(script: string, isSignedIn?: boolean): void
  /** Moves simulated time, that of the sign-in service too. The server's own clock stays. */
  advance(seconds: number): void
  faults(...faults: object[]): void
  /** How often Azure has let a request in, by method and a piece of the path. */
  arrived(method: string, piece: string): number
}

export const scene = async (t: Test): Promise<Scene> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'serving-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const authority = await Authority.start(t)
  const estate = {
    start: new Date().toISOString(),
    tenant_id: contoso,
    token_keys: [authority.publicKey.export({ format: 'jwk' })],
    subscriptions: [{ id: subscription, name: 'Contoso Production' }],
    virtual_machines: [{ name: 'web-01', resource_group: 'rg-app', location: 'eastus' }],
    vaults: [
      {
        name: 'vault-prod',
        resource_group: 'rg-backup',
        location: 'eastus',
        items: [{ source: { vm: 'web-01' }, policy: 'DefaultPolicy', history: { days: 3 } }],
      },
    ],
  }
  const { world } = await startSimulation(
    { timeScale: 1, seed: 'estate' },
    {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      sleep: async () => {},
      readFile: async () => JSON.stringify(estate),
      replaceFile: async () => {},
      onFault: error => t.fail(String(error)),
    },
  )
  authority.now = () => world.clock.now()
  const azure = await listen(
    world,
    0,
    error => t.fail(String(error)),
    (...answered) => made.onAnswered(...answered),
  )
  t.teardown(azure.close)
  const configuration = path.join(folder, 'recovery_services.toml')
  writeFileSync(
    configuration,
    `[recovery_services]
subscription_id = "${subscription}"
resource_group = "rg-backup"
vault_name = "vault-prod"
confirmation = "off"
arm_endpoint = "${azure.endpoint}"
authority_host = "${authority.origin}"
`,
  )
  const file = path.join(folder, 'recovery_services_auth.json')
  const made: Scene = {
    authority,
    endpoint: azure.endpoint,
    folder,
    file,
    onAnswered: () => {},
    start: ({ era = 'modern', env = {}, args = [] } = {}) =>
      new Server(t, {
        era,
        args,
        env: {
          ...homeEnv(folder),
          CODEX_HOME: folder,
          NODE_EXTRA_CA_CERTS: authority.caFile,
          ...env,
        },
      }),
    configure: (key, value) => {
      const lines = readFileSync(configuration, 'utf8').split('\n')
      const others = lines.filter(line => !line.startsWith(`${key} =`) && line !== '')
      writeFileSync(configuration, [...others, `${key} = "${value}"`, ''].join('\n'))
    },
    cache: (users, options = {}) =>
      writeFileSync(file, authority.cacheText(users, { scope: `${azure.endpoint}/.default`, ...options }), {
        mode: 0o600,
      }),
    azureCli: (script, isSignedIn = false) => putAzureCli(folder, script, isSignedIn),
    advance: seconds => {
      world.clock.advance(seconds * 1000)
      world.settle()
    },
    faults: (...faults) => {
      world.state.faults = faults.map(toFault)
    },
    arrived: (method, piece) =>
      [...world.state.requests]
        .filter(([key]) => key.startsWith(`${method} `) && key.includes(piece))
        .reduce((sum, [, count]) => sum + count, 0),
  }
  return made
}

/** The sign-in that an error result offers; undefined where the service has not answered in time. */
export const signInOf = ({ error }: Called): SignInTold | undefined =>
  ((error?.details ?? {}) as { sign_in?: SignInTold }).sign_in

/** A call's answer that offers a sign-in; on a busy machine that of the second call, as the first one says. */
export const offered = async (
  server: Server,
  first = server.call('list_policies'),
): Promise<Called & { signIn: SignInTold }> => {
  const told = await first
  const signIn = signInOf(told)
  if (signIn) return { ...told, signIn }
  if (!told.error?.remediation.includes('has not answered yet')) throw new Error(`no sign-in is offered: ${told.text}`)
  await says(server, /open the page and enter the code/)
  return offered(server)
}

/** Resolves when the server has written a line that fits. */
export const says = (server: Server, line: RegExp): Promise<true> =>
  server.until(() => (line.test(server.stderr) ? true : undefined))
