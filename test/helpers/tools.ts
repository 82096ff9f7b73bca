/**
 * Tools run in this process, against an Azure that a function plays. Arguments and results pass their schemas as in the
 * server.
 */
import { randomBytes } from 'node:crypto'
import type { ArmRequest, ArmResponse } from '../../src/arm/send.ts'
import { realClock } from '../../src/clock.ts'
import type { Config } from '../../src/config/types.ts'
import type { ToolName } from '../../src/generated/tools.ts'
import { callTool } from '../../src/tools/call.ts'
import { createConfirmations } from '../../src/tools/confirmations.ts'
import type { ToolContext } from '../../src/tools/context.ts'
import { createMemory } from '../../src/tools/memory.ts'
import { answer, createFakeAzure, endpoint, failure } from '../arm/fake-azure.ts'
import { sentFaults } from './definitions.ts'

export const subscription = '00000000-0000-0000-0000-000000000001'
export const otherSubscription = '00000000-0000-0000-0000-000000000002'
export const vaultAt = (group: string, name: string, inSubscription = subscription): string =>
  `/subscriptions/${inSubscription}/resourceGroups/${group}/providers/Microsoft.RecoveryServices/vaults/${name}`
export const vaultId = vaultAt('rg-backup', 'vault-prod')

/** A request as `GET /path?query`, decoded, without its api-version. */
const asText = ({ method, url }: ArmRequest): string => {
  const { pathname, searchParams } = new URL(url)
  searchParams.delete('api-version')
  const query = [...searchParams].map(([name, value]) => `${name}=${value}`).join('&')
  return `${method} ${decodeURIComponent(pathname)}${query && `?${query}`}`
}

/** Azure's answer to `GET /path?query`; undefined is 404. */
export type Azure = (asked: string, request: ArmRequest) => unknown

export const vaultNotFound = (name: string, group: string): ArmResponse =>
  failure(
    404,
    'ResourceNotFound',
    `The Resource 'Microsoft.RecoveryServices/vaults/${name}' under resource group '${group}' was not found.`,
  )

export { answer, endpoint, failure }

const isAnswer = (value: unknown): value is ArmResponse =>
  typeof value === 'object' && value !== null && 'status' in value && 'headers' in value

const config: Config = {
  enabled: true,
  subscription,
  resourceGroup: 'rg-backup',
  vaults: [{ key: 'vault-prod', name: 'vault-prod', subscription, resourceGroup: 'rg-backup', isDefault: true }],
  readOnly: false,
  toolsets: ['vaults'],
  confirmation: 'elicit',
  armEndpoint: endpoint,
  authorityHost: '',
  apiVersion: '2025-08-01',
  auth: { method: 'auto' },
  http: { timeoutSeconds: 60, maxRetries: 0 },
}

export interface Called {
  /** The result, or the error of an error result. */
  [name: string]: unknown
  /** What was asked of Azure for it, in order. */
  asked: string[]
}

const refuse = () => Promise.reject(new Error('no files here'))
/** A file system that keeps nothing: confirmations live in memory. */
const unwritable = {
  readFile: refuse,
  writeFile: refuse,
  mkdir: refuse,
  link: refuse,
  rename: refuse,
  chmod: refuse,
  readdir: refuse,
  rm: refuse,
}
const noFiles = { lstat: refuse, writeFile: refuse, rm: refuse }

/**
 * `azure` gives bodies (200) or whole answers. One memory for all calls; the clock runs only when everybody waits.
 * `undefinedBecause` says why a call asks for something that Azure does not define; without it such a call throws.
 */
export const createTools = (
  azure: Azure,
  over: Partial<Config> = {},
  context: Partial<ToolContext> = {},
  undefinedBecause?: string,
) => {
  const asked: string[] = []
  const faults: string[] = []
  const settled: Config = { ...config, ...over }
  const { arm, clock, control } = createFakeAzure([], {
    maxRetries: 0,
    send: async request => {
      const text = asText(request)
      asked.push(text)
      if (undefinedBecause === undefined) faults.push(...sentFaults(request.method, request.url, request.body))
      const found = azure(text, request)
      if (isAnswer(found)) return found
      return found === undefined ? failure(404, 'NotFound', `nothing at ${text}`) : answer(200, found)
    },
  })
  const memory = createMemory(clock)
  const confirmations = createConfirmations({
    folder: '/nowhere',
    files: unwritable,
    clock: realClock,
    randomBytes,
  })
  const reports: Parameters<ToolContext['progress']>[0][] = []
  const call = async (tool: ToolName, args: Record<string, unknown> = {}): Promise<Called> => {
    asked.length = 0
    const { isError, json } = await callTool(tool, args, {
      loaded: { config: settled, origins: {}, warnings: [], faults: [] },
      arm,
      clock,
      signal: control.signal,
      log: () => {},
      progress: report => reports.push(report),
      memory,
      confirmations,
      files: noFiles,
      elicit: async () => 'unsupported',
      goingOn: {},
      consent: {},
      signIn: undefined,
      ...context,
    })
    if (faults.length > 0) throw new Error(faults.splice(0).join('\n'))
    const body = JSON.parse(json)
    return { ...(isError ? body.error : body), asked: [...asked] }
  }
  return { call, clock, control, reports, asked }
}
