/**
 * Tools run in this process over the simulated Azure's built-in estate. The clock runs only when everybody waits, sixty
 * simulated seconds for each that is waited. Every request is held against Azure's definitions; connections can be cut.
 */
import { randomBytes } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import plan from '../../schemas/common/plan.json' with { type: 'json' }
import { createArm } from '../../src/arm/client.ts'
import { type Send, SendError } from '../../src/arm/send.ts'
import type { Config } from '../../src/config/types.ts'
import type { ToolName } from '../../src/generated/tools.ts'
import { createVirtualClock } from '../../src/simulator/clock.ts'
import { effects } from '../../src/simulator/effects.ts'
import { stateOf } from '../../src/simulator/estate-state.ts'
import { builtInEstate } from '../../src/simulator/seed.ts'
import { simulatedEndpoint, simulatedSend } from '../../src/simulator/send.ts'
import { createWorld, type World } from '../../src/simulator/world.ts'
import { callTool } from '../../src/tools/call.ts'
import { createConfirmations } from '../../src/tools/confirmations.ts'
import type { ToolContext } from '../../src/tools/context.ts'
import { createMemory } from '../../src/tools/memory.ts'
import { createFakeAzure } from '../arm/fake-azure.ts'
import { sentFaults } from './definitions.ts'

export const production = '11111111-1111-4111-8111-111111111111'
export const inGroup = (group: string): string => `/subscriptions/${production}/resourceGroups/${group}`
export const vaultId = (name: string): string =>
  `${inGroup('rg-backup')}/providers/Microsoft.RecoveryServices/vaults/${name}`

/** Where a connection is cut: before the request is written, while it is, before the answer comes, in the middle of it. */
export type Cut = 'before' | 'inside' | 'before_answer' | 'inside_answer'

/** What becomes of a request; undefined: nothing special. `method` and decoded path. */
export type Interfere = (method: string, path: string) => Cut | undefined

export interface Answered {
  isError: boolean
  /** The result, or the error of an error result. */
  [name: string]: unknown
}

const startMs = Date.UTC(2026, 10, 22, 8)
const isPlan = new Ajv2020({ allErrors: true }).compile(plan)

const refuse = () => Promise.reject(new Error('no files here'))
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

/** Building it takes ten times as long as copying it. */
let built: ReturnType<typeof stateOf> | undefined

/** `door` leads to that simulated Azure some other way; `base` is the origin of its addresses. */
export const createEstate = (
  config: Partial<Config> = {},
  context: Partial<ToolContext> = {},
  door?: (world: World, base: string) => Send,
) => {
  let monotonic = () => 0
  built ??= stateOf(builtInEstate(), startMs)
  const state = structuredClone(built)
  const virtual = createVirtualClock(startMs, 60, () => monotonic())
  const world = createWorld(state, virtual, effects)
  const send = door?.(world, simulatedEndpoint) ?? simulatedSend(world, async () => {})
  const faults: string[] = []
  /** What Azure received, as `METHOD /path?query`, decoded, without api-version; in order. */
  const received: string[] = []
  const bodies: unknown[] = []
  const rule: { interfere: Interfere } = { interfere: () => undefined }
  const fake = createFakeAzure([], {
    maxRetries: 4,
    endpoint: simulatedEndpoint,
    send: async (request, signal) => {
      const { method, url, body } = request
      const { pathname, searchParams } = new URL(url)
      searchParams.delete('api-version')
      const query = [...searchParams].map(([name, value]) => `${name}=${value}`).join('&')
      const path = decodeURIComponent(pathname)
      const cut = rule.interfere(method, path)
      if (cut === 'before') throw new SendError('not_sent', 'the connection was refused')
      if (cut === 'inside') throw new SendError('lost', 'the connection was cut while the request was written')
      received.push(`${method} ${path}${query && `?${query}`}`)
      bodies.push(body === undefined ? undefined : JSON.parse(body))
      faults.push(...sentFaults(method, url, body))
      const answered = await send(request, signal)
      if (cut) throw new SendError('lost', 'the connection was cut before the whole answer was there')
      return answered
    },
  })
  monotonic = fake.clock.monotonic
  const memory = createMemory(fake.clock)
  const real = { now: () => startMs + fake.clock.monotonic() }
  const confirmations = createConfirmations({ folder: '/nowhere', files: unwritable, clock: real, randomBytes })
  const settled: Config = {
    enabled: true,
    subscription: production,
    resourceGroup: 'rg-backup',
    vaults: [
      { key: 'vault-prod', name: 'vault-prod', subscription: production, resourceGroup: 'rg-backup', isDefault: true },
    ],
    readOnly: false,
    toolsets: [],
    confirmation: 'elicit',
    armEndpoint: simulatedEndpoint,
    authorityHost: '',
    apiVersion: '2025-08-01',
    auth: { method: 'auto' },
    http: { timeoutSeconds: 60, maxRetries: 4 },
    ...config,
  }
  const reports: Parameters<ToolContext['progress']>[0][] = []
  const call = async (
    tool: ToolName,
    args: Record<string, unknown> = {},
    more: Partial<ToolContext> = {},
  ): Promise<Answered> => {
    const { isError, json } = await callTool(tool, args, {
      loaded: { config: settled, origins: {}, warnings: [], faults: [] },
      arm: more.signal ? createArm({ ...fake.deps, signal: more.signal }) : fake.arm,
      clock: { ...fake.clock, now: virtual.now },
      signal: fake.control.signal,
      log: fake.deps.log,
      progress: report => reports.push(report),
      memory,
      confirmations,
      files: noFiles,
      elicit: async () => 'unsupported',
      goingOn: {},
      consent: {},
      signIn: 'simulated',
      ...context,
      ...more,
    })
    if (faults.length > 0) throw new Error(faults.splice(0).join('\n'))
    const body = JSON.parse(json)
    const told = isError ? body.error : body
    const shown = isError ? told.details?.plan : told.plan
    if (shown !== undefined && !isPlan(shown)) throw new Error(`no plan: ${JSON.stringify(isPlan.errors)}`)
    return { isError, ...told }
  }
  /** Refused without a word; done when repeated with the string. */
  const confirmed = async (tool: ToolName, args: Record<string, unknown> = {}): Promise<Answered> => {
    const { details } = await call(tool, args)
    const { confirmation } = (details ?? {}) as { confirmation?: string }
    if (confirmation === undefined) throw new Error(`${tool} asked for no confirmation: ${JSON.stringify(details)}`)
    return call(tool, { ...args, confirm: confirmation })
  }
  /** What was received since the last look, without reads where `only` says so. */
  const taken = (only: 'all' | 'writes' = 'all'): string[] => {
    bodies.length = 0
    return received.splice(0).filter(text => only === 'all' || !text.startsWith('GET '))
  }
  return {
    call,
    confirmed,
    world,
    clock: fake.clock,
    virtual,
    control: fake.control,
    lines: fake.lines,
    reports,
    received,
    bodies,
    taken,
    rule,
    config: settled,
  }
}
