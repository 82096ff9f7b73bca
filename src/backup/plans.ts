/**
 * Plans: what a change would send, what it keeps and what it loses, in words that a person can agree to. A plan that loses
 * nothing needs no word; one that does is done only after a person's yes, or with the string that stands for it.
 */
import type { Query, Standing } from '../arm/arm.ts'
import type { ToolContext } from '../tools/context.ts'
import type { ItemNames } from './items.ts'
import type { Posture } from './security.ts'

/** One request of a plan, in the order in which they are sent. */
export interface PlannedRequest {
  method: 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  query?: Query
  body?: unknown
  /** Why it is sent, where its address does not say. */
  note?: string
  /** Id of what it changes, for the log; else that of the plan. */
  itemId?: string
  /** What the plan read at `path`; spares a read, and is what the plan was made of. */
  before?: Standing
  /** After a doubtful PUT or DELETE: whether what stands there now is what this request makes of it. */
  isDone?: (after: Standing) => boolean
  /** The job by which Azure shows that it took the request: found in the vault's list where the answer was lost. */
  job?: { operation: string; names: ItemNames }
  /** For a POST without a job: looks for what it does, and gives back what was found, or undefined. */
  evidence?: (since: Date) => Promise<unknown | undefined>
  /** What to do where nothing tells whether Azure took it; else: to look at the jobs and the item first. */
  ifLost?: string
}

export interface Plan {
  /** One sentence: what is done to what. */
  summary: string
  requests: readonly PlannedRequest[]
  /** What stays although one might fear for it. */
  keeps: readonly string[]
  /** What is lost, stopped, overwritten or expires sooner. Not empty: a person has to agree. */
  loses: readonly string[]
  /** Undefined where no vault is concerned. */
  posture?: Posture | undefined
  /** Id of what is changed. */
  itemId: string
  /**
   * Facts that the plan's words rest on and its requests do not show (the item's state, its policy, how many points it has).
   * A confirmation holds as long as they do. Nothing that changes by itself, like a time left.
   */
  basis?: unknown
  warnings?: readonly string[]
}

/** A plan as results show it: `schemas/common/plan.json`. */
export const shownPlan = ({ summary, requests, keeps, loses, posture }: Plan, { arm }: ToolContext) => ({
  summary,
  requests: requests.map(({ method, path, query, body, note }) => ({
    method,
    url: arm.urlOf(path, query),
    ...(body === undefined ? {} : { body }),
    ...(note === undefined ? {} : { note }),
  })),
  keeps,
  loses,
  ...(posture ? { vault: { ...posture.security, guarded: posture.guard !== undefined } } : {}),
})

export const needsConfirmation = ({ loses }: Plan): boolean => loses.length > 0

/** What a confirmation is bound to. */
export const planSubject = (plan: Plan, context: ToolContext): unknown => {
  const { requests, loses } = shownPlan(plan, context)
  return [requests.map(({ method, url, body }) => [method, url, body]), plan.basis ?? loses]
}

/** A plan for a person to read and agree to. */
export const planWords = ({ summary, keeps, loses, posture, warnings = [] }: Plan): string => {
  const section = (head: string, lines: readonly string[]) => lines.map(line => `${head} ${line}`)
  return [
    summary,
    ...section('Loses:', loses),
    ...section('Keeps:', keeps),
    ...(posture ? [`Vault: ${postureWords(posture)}`] : []),
    ...section('Note:', warnings),
  ].join('\n')
}

const postureWords = ({ vault, security, guard }: Posture): string => {
  const { soft_delete, soft_delete_days, immutability } = security
  const days = soft_delete_days === null ? '' : ` (${soft_delete_days} days)`
  return [
    vault.vaultName,
    `soft delete ${soft_delete ?? 'unknown'}${days}`,
    `immutability ${immutability ?? 'unknown'}`,
    guard ? 'under multi-user authorization' : 'no multi-user authorization',
  ].join(', ')
}
