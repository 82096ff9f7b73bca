/**
 * One request of a plan on its way, and what became of it: by Azure's answer, or by what is found in place of an answer
 * that was lost.
 */
import type { Operation, WriteOutcome } from '../arm/arm.ts'
import type { ToolName } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { fields } from './fields.ts'
import { findJobSince } from './jobs.ts'
import type { Plan, PlannedRequest } from './plans.ts'

export const write = async (
  tool: ToolName,
  context: ToolContext,
  plan: Plan,
  request: PlannedRequest,
): Promise<WriteOutcome> => {
  const { method, path, query, body, before, isDone, job } = request
  const { goingOn } = context
  const vault = plan.posture?.vault
  const evidence =
    job && vault ? (since: Date) => findJobSince(job.operation, job.names, vault, since, context) : request.evidence
  const wordsBefore = goingOn.words
  return context.arm.write({
    method,
    path,
    ...(query === undefined ? {} : { query }),
    body,
    tool,
    itemId: request.itemId ?? plan.itemId,
    evidence,
    before,
    isDone,
    mayBeTaken: isSo => {
      goingOn.words = isSo ? `whether Azure took ${method} ${path} is not known` : wordsBefore
    },
  })
}

export interface Taken {
  operation: Operation | undefined
  /** Known without an operation: found in the vault's list. */
  jobId: string | undefined
  /** Without operation and job: whether Azure is done, or has only accepted. */
  isOver: boolean
  body: unknown
  clientRequestId: string
  warnings: string[]
}

/** What a request started, by its answer or by what was found in place of one. Throws where nothing tells. */
export const whatBecame = async (
  outcome: WriteOutcome,
  request: PlannedRequest,
  context: ToolContext,
  plan: Plan,
): Promise<Taken> => {
  const { job, method } = request
  if (outcome.kind === 'answered') {
    const { reply, alreadyGone } = outcome
    const { body, clientRequestId } = reply
    if (alreadyGone) {
      const warnings = ['The first answer was lost; the repeated DELETE found nothing left.']
      return { operation: undefined, jobId: undefined, isOver: true, body, clientRequestId, warnings }
    }
    const operation = context.arm.operationOf(request, reply)
    const isOver = reply.status !== 202
    const warnings = operation || isOver ? [] : ['Azure accepted the request and did not say how to follow it.']
    return { operation, jobId: undefined, isOver, body, clientRequestId, warnings }
  }
  const { clientRequestId } = outcome
  const isFound = outcome.kind === 'found_done'
  const body = isFound ? outcome.found : undefined
  // The evidence of a POST is its job; of what else starts one, the job is looked for beside what is there.
  const seen = method !== 'POST' ? await jobOf(request, outcome.since, context, plan) : job ? body : undefined
  const jobId = nameOf(seen)
  if (!isFound && jobId === undefined) throw lost(outcome, request)
  const shown = jobId === undefined ? 'what is there now' : `job ${jobId}`
  const once = method === 'POST' ? ' It was sent once.' : ''
  const warnings = [`Azure's answer was lost; ${shown} shows that it took the request.${once}`]
  return { operation: undefined, jobId, isOver: job === undefined, body, clientRequestId, warnings }
}

/** A job may take some seconds to appear. */
const jobWaitsMs = [0, 3_000, 5_000]

/** The job of a change whose answer was lost; undefined where there is none, or where Azure cannot be asked for it. */
const jobOf = async (
  { job }: PlannedRequest,
  since: Date,
  context: ToolContext,
  plan: Plan,
): Promise<unknown | undefined> => {
  const vault = plan.posture?.vault
  if (!job || !vault) return undefined
  for (const waitMs of jobWaitsMs) {
    if (waitMs > 0) await context.clock.sleep(waitMs, context.signal)
    const found = await unlessProblem(findJobSince(job.operation, job.names, vault, since, context))
    if (found !== undefined) return found instanceof Problem ? undefined : found
  }
  return undefined
}

/** What Azure cannot tell just now, as a value: a change that it took is not undone by that. */
export const unlessProblem = <T>(asking: Promise<T>): Promise<T | Problem> =>
  asking.catch(error => {
    if (error instanceof Problem) return error
    throw error
  })

const nameOf = (raw: unknown): string | undefined => {
  const { name } = fields(raw)
  return typeof name === 'string' && name !== '' ? name : undefined
}

const lost = (
  { clientRequestId, since, cause }: Extract<WriteOutcome, { kind: 'unknown' }>,
  { method, path, ifLost }: PlannedRequest,
): Problem =>
  new Problem(
    cause.code,
    `Azure's answer to ${method} ${path} was lost, and nothing shows whether Azure took it: ${cause.message}`,
    `It was not sent again. ${ifLost ?? 'Look at the jobs and the state of the item (recovery_services_list_backup_jobs, recovery_services_list_protected_items) before calling again.'}`,
    {
      azureCode: cause.azureCode,
      httpStatus: cause.httpStatus,
      requestId: cause.requestId,
      details: { ...cause.details, outcome: 'unknown', client_request_id: clientRequestId, since: since.toISOString() },
      cause,
    },
  )
