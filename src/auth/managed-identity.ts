/**
 * Which managed identity endpoint this machine has, known as MSAL knows it (lib/msal-node/src/client/
 * ManagedIdentitySources): by environment variables, by Azure Arc's agent being installed, else that of a virtual machine
 * (IMDS), whose address says nothing, so that it is asked whether it is there.
 */
import type { Send } from '../arm/send.ts'
import { parseObject } from './token-facts.ts'

export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>
  platform: NodeJS.Platform
  /** True where a file is there and can be read. */
  isThere(path: string): Promise<boolean>
}

export interface Place {
  kind: string
  /** Where tokens are asked for. */
  endpoint: string
  /** The variable that names it; undefined where it is the usual one. */
  variable?: string | undefined
  /** There where nothing but its answer tells whether there is one. */
  probe?: string
}

const arcAgent = ({ env, platform }: Surroundings): string | undefined =>
  platform === 'linux'
    ? '/opt/azcmagent/bin/himds'
    : platform === 'win32'
      ? `${env.ProgramFiles}\\AzureConnectedMachineAgent\\himds.exe`
      : undefined

/** An empty variable counts as unset. */
export const managedIdentityPlace = async (surroundings: Surroundings): Promise<Place> => {
  const { env, isThere } = surroundings
  const has = (...names: string[]) => names.every(name => env[name])
  const named = (kind: string, variable: string): Place => ({ kind, endpoint: env[variable] ?? '', variable })
  if (has('IDENTITY_ENDPOINT', 'IDENTITY_HEADER', 'IDENTITY_SERVER_THUMBPRINT'))
    return named('Service Fabric', 'IDENTITY_ENDPOINT')
  if (has('IDENTITY_ENDPOINT', 'IDENTITY_HEADER')) return named('App Service', 'IDENTITY_ENDPOINT')
  if (has('MSI_ENDPOINT', 'MSI_SECRET')) return named('Machine Learning', 'MSI_ENDPOINT')
  if (has('MSI_ENDPOINT')) return named('Cloud Shell', 'MSI_ENDPOINT')
  if (has('IDENTITY_ENDPOINT', 'IMDS_ENDPOINT')) return named('Azure Arc', 'IDENTITY_ENDPOINT')
  const agent = arcAgent(surroundings)
  if (agent !== undefined && (await isThere(agent))) return { kind: 'Azure Arc', endpoint: 'http://127.0.0.1:40342' }
  const place = has(podVariable) ? named('IMDS', podVariable) : { kind: 'IMDS', endpoint: 'http://169.254.169.254' }
  return { ...place, probe: `${place.endpoint}/metadata/identity/oauth2/token?api-version=2018-02-01` }
}

const podVariable = 'AZURE_POD_IDENTITY_AUTHORITY_HOST'

export const isHttpAddress = (text: string): boolean =>
  URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)

/**
 * Why there is no IMDS; undefined where there is one. Asked without the header that a token takes, so it answers 400, and
 * never more than `limitMs` are waited.
 */
export const probeFault = async (
  probe: string,
  send: Send,
  signal: AbortSignal,
  limitMs: number,
): Promise<string | undefined> => {
  const tooLong = AbortSignal.timeout(limitMs)
  const { host } = new URL(probe)
  try {
    const { status, body } = await send({ method: 'GET', url: probe, headers: {} }, AbortSignal.any([signal, tooLong]))
    // Some network's own page is none, nor is what other clouds have at this address.
    const isPage = body.trimStart().startsWith('<')
    const { error, access_token } = parseObject(body)
    if ((status === 400 && !isPage) || error !== undefined || access_token !== undefined) return undefined
    return `this machine has no managed identity endpoint: ${host} answered ${status}, which such an endpoint would not`
  } catch {
    signal.throwIfAborted()
    const what = tooLong.aborted ? `did not answer within ${Math.ceil(limitMs / 1000)} s` : 'could not be reached'
    return `this machine has no managed identity endpoint: ${host} ${what}`
  }
}
