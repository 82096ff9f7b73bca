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

export type Place = { kind: string } | { kind: 'IMDS'; probe: string }

const arcAgent = ({ env, platform }: Surroundings): string | undefined =>
  platform === 'linux'
    ? '/opt/azcmagent/bin/himds'
    : platform === 'win32'
      ? `${env.ProgramFiles}\\AzureConnectedMachineAgent\\himds.exe`
      : undefined

export const managedIdentityPlace = async (surroundings: Surroundings): Promise<Place> => {
  const { env, isThere } = surroundings
  const has = (...names: string[]) => names.every(name => env[name] !== undefined)
  if (has('IDENTITY_ENDPOINT', 'IDENTITY_HEADER', 'IDENTITY_SERVER_THUMBPRINT')) return { kind: 'Service Fabric' }
  if (has('IDENTITY_ENDPOINT', 'IDENTITY_HEADER')) return { kind: 'App Service' }
  if (has('MSI_ENDPOINT', 'MSI_SECRET')) return { kind: 'Machine Learning' }
  if (has('MSI_ENDPOINT')) return { kind: 'Cloud Shell' }
  if (has('IDENTITY_ENDPOINT', 'IMDS_ENDPOINT')) return { kind: 'Azure Arc' }
  const agent = arcAgent(surroundings)
  if (agent !== undefined && (await isThere(agent))) return { kind: 'Azure Arc' }
  const base = env.AZURE_POD_IDENTITY_AUTHORITY_HOST || 'http://169.254.169.254'
  return { kind: 'IMDS', probe: `${base}/metadata/identity/oauth2/token?api-version=2018-02-01` }
}

/**
 * Why there is no IMDS; undefined where there is one. Asked without the header that a token takes, so it answers 400, and
 * never more than `limitMs` are waited.
 */
export const probeFault = async (
  probe: string,
  send: Send,
  signal: AbortSignal,
  limitMs = 900,
): Promise<string | undefined> => {
  const tooLong = AbortSignal.timeout(limitMs)
  try {
    const { status, body } = await send({ method: 'GET', url: probe, headers: {} }, AbortSignal.any([signal, tooLong]))
    // Some network's own page is no metadata service.
    if (status === 400 || Object.keys(parseObject(body)).length > 0) return undefined
    return `${new URL(probe).host} answered ${status}, which no metadata service does`
  } catch {
    signal.throwIfAborted()
    return `this machine has no managed identity endpoint: ${new URL(probe).host} did not answer within a second`
  }
}
