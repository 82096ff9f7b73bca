/**
 * Doing a plan: dry run, a person's word, the requests in their order, and following what Azure accepted. Every tool that
 * writes hands its plan to `carryOut` and adds its own words to what comes back.
 *
 * Nothing is written before the word is given. What was lost on the way is looked for, and the result says what was found.
 */
import type { Operation, WriteOutcome } from '../arm/arm.ts'
import { remediationOf } from '../arm/error-codes.ts'
import { encodeOperationId } from '../arm/operation-ids.ts'
import type { ToolName } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Claim } from '../tools/confirmations.ts'
import type { ToolContext } from '../tools/context.ts'
import { type Fields, fields } from './fields.ts'
import { type Ended, type Followed, followOperation, jobIdOf } from './following.ts'
import { jobEnd, toJobDetails } from './job-rows.ts'
import { findJobSince, jobStep, readJob } from './jobs.ts'
import { needsConfirmation, type Plan, type PlannedRequest, planSubject, planWords, shownPlan } from './plans.ts'
import { asGuardRefusal } from './security.ts'
import { follow } from './waiting.ts'

export interface ChangeInput {
  dry_run?: boolean
  confirm?: string
  wait_seconds?: number
}

type Status = 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'

/** The part of a result that all writing tools share: `schemas/common/change.json`. */
export interface Changed {
  status: Status
  job_id: string | null
  operation_id: string | null
  job?: Fields
  plan?: Fields
  confirmation?: string
  client_request_id?: string
  warnings?: string[]
}

export interface Done {
  changed: Changed
  /** What the last operation said at its end; undefined while it runs. */
  ended: Ended | undefined
  /** The body that the last request was answered with, or what was found in place of a lost answer. */
  body: unknown
}

/** How long an accepted operation is followed for the id of its job, where nobody waits. */
const graceSeconds = 10

const vaultOf = (plan: Plan) => plan.posture?.vault

/**
 * Does a plan, or only shows it (`dry_run`). Throws Problem: `confirmation_required`, `cancelled`, `conflict`, what Azure
 * refused, and `azure_error` for work that failed while it was waited for.
 */
export const carryOut = async (
  tool: ToolName,
  input: ChangeInput,
  context: ToolContext,
  plan: Plan,
  usualWaitSeconds = 0,
): Promise<Done> => {
  if (input.dry_run === true) return { changed: await planned(tool, context, plan), ended: undefined, body: undefined }
  const claim = await agreed(tool, input, context, plan)
  context.signal.throwIfAborted()
  try {
    const done = await send(tool, context, plan, input.wait_seconds ?? usualWaitSeconds, claim)
    return { ...done, changed: withWarnings(done.changed, plan.warnings ?? []) }
  } catch (error) {
    throw error instanceof Problem && plan.posture ? asGuardRefusal(error, plan.posture) : error
  }
}

const withWarnings = (changed: Changed, warnings: readonly string[]): Changed => {
  const all = [...warnings, ...(changed.warnings ?? [])]
  return all.length > 0 ? { ...changed, warnings: all } : changed
}

const subjectOf = async (tool: ToolName, context: ToolContext, plan: Plan) => ({
  tool,
  account: await accountOf(context),
  plan: planSubject(plan, context),
})

/** Who is signed in: a string that one account was given confirms nothing for another. */
const accountOf = async ({ signIn, signal }: ToolContext): Promise<string> => {
  if (signIn === undefined || signIn === 'simulated') return signIn ?? 'replay'
  const { used } = await signIn.describe(signal)
  return [used?.method, used?.tenantId, used?.account].join(' ')
}

const planned = async (tool: ToolName, context: ToolContext, plan: Plan): Promise<Changed> => ({
  status: 'planned',
  job_id: null,
  operation_id: null,
  plan: shownPlan(plan, context),
  ...(takesString(context, plan)
    ? { confirmation: await context.confirmations.issue(await subjectOf(tool, context, plan)) }
    : {}),
  ...(plan.warnings?.length ? { warnings: [...plan.warnings] } : {}),
})

const takesString = ({ loaded }: ToolContext, plan: Plan): boolean =>
  needsConfirmation(plan) && !['off', 'elicit_only'].includes(loaded.config.confirmation)

/** Asks for a person's word where the plan needs one. Throws where there is none. */
const agreed = async (
  tool: ToolName,
  input: ChangeInput,
  context: ToolContext,
  plan: Plan,
): Promise<Claim | undefined> => {
  const mode = context.loaded.config.confirmation
  if (!needsConfirmation(plan) || mode === 'off') return undefined
  if (mode !== 'argument') {
    const answer = await context.elicit({ message: planWords(plan) })
    if (answer === 'accepted') return undefined
    if (answer !== 'unsupported') throw declined(answer)
    if (mode === 'elicit_only') throw cannotAsk(plan, context)
  }
  const subject = await subjectOf(tool, context, plan)
  if (input.confirm === undefined) throw await refusal('nobody has agreed to it yet', subject, plan, context)
  const claim = await context.confirmations.claim(input.confirm, subject)
  if ('refused' in claim) throw await refusal(claim.refused, subject, plan, context)
  return claim
}

const declined = (answer: 'declined' | 'cancelled'): Problem =>
  new Problem(
    'cancelled',
    `The user ${answer === 'declined' ? 'said no to the plan' : 'gave no answer to the plan'}; nothing was sent to Azure.`,
    'Do not call again unless the user asks for it.',
  )

const cannotAsk = (plan: Plan, context: ToolContext): Problem =>
  new Problem(
    'confirmation_required',
    `${plan.summary} This needs the user's word, and this client cannot ask for it; nothing was sent to Azure.`,
    'Use a client that supports elicitation, or set confirmation = "elicit" to allow a string instead.',
    { details: { plan: shownPlan(plan, context) } },
  )

const refusal = async (
  why: string,
  subject: Awaited<ReturnType<typeof subjectOf>>,
  plan: Plan,
  context: ToolContext,
): Promise<Problem> =>
  new Problem(
    'confirmation_required',
    `${plan.summary} This needs the user's word: ${why}. Nothing was sent to Azure.`,
    'Show the user what details.plan loses and keeps. After they agree, call again with the same arguments and confirm set to details.confirmation; it holds for ten minutes.',
    {
      details: {
        plan: shownPlan(plan, context),
        confirmation: await context.confirmations.issue(subject),
      },
    },
  )

/** Sends the requests one after another; each but the last is followed to its end before the next one leaves. */
const send = async (
  tool: ToolName,
  context: ToolContext,
  plan: Plan,
  waitSeconds: number,
  claim: Claim | undefined,
): Promise<Done> => {
  const untilMs = context.clock.monotonic() + waitSeconds * 1000
  const leftSeconds = () => Math.max(0, (untilMs - context.clock.monotonic()) / 1000)
  const warnings: string[] = []
  for (const [at, request] of plan.requests.entries()) {
    const isLast = at === plan.requests.length - 1
    const step = async (): Promise<Done> => {
      const outcome = await write(tool, context, plan, request, isLast ? claim : undefined)
      const taken = await whatBecame(outcome, request, context, plan)
      warnings.push(...taken.warnings)
      if (isLast) await claim?.settle(taken.operation ? encodeOperationId(taken.operation) : null)
      noteGoingOn(context, taken)
      return followed(taken, context, plan, isLast ? leftSeconds() : Math.max(leftSeconds(), shortStepSeconds))
    }
    const sent = await step().catch(error => {
      throw atStep(error, plan, at)
    })
    const changed = withWarnings(sent.changed, warnings)
    if (isLast) return { ...sent, changed }
    if (changed.status === 'in_progress') return { ...sent, changed: withWarnings(changed, [notYet(plan, at)]) }
  }
  return { changed: { status: 'succeeded', job_id: null, operation_id: null }, ended: undefined, body: undefined }
}

/** A step that others wait for is followed so long at least. */
const shortStepSeconds = 45

const notYet = ({ requests }: Plan, at: number): string =>
  `Azure is still at work on step ${at + 1} of ${requests.length}. Call again when it is done (recovery_services_track_async_operation): what is left is sent then. ${stepsLeft(requests, at)}`

const stepsLeft = (requests: readonly PlannedRequest[], at: number): string => {
  const left = requests.slice(at + 1).map(({ note, method, path }) => note ?? `${method} ${path}`)
  return left.length > 0 ? `Not sent yet: ${left.join('; ')}.` : 'Nothing is left to be sent.'
}

/** What failed of several steps, with what it leaves: the steps before it are done, those behind it were not sent. */
const atStep = (error: unknown, { requests }: Plan, at: number): unknown => {
  if (!(error instanceof Problem) || requests.length < 2) return error
  const { code, message, remediation, azureCode, httpStatus, requestId, details } = error
  const before = at > 0 ? `${at} before it ${at > 1 ? 'are' : 'is'} done. ` : ''
  return new Problem(
    code,
    `Step ${at + 1} of ${requests.length} failed: ${message.replace(/[^.!?]$/, '$&.')} ${before}${stepsLeft(requests, at)}`,
    remediation,
    { azureCode, httpStatus, requestId, details, cause: error },
  )
}

const write = async (
  tool: ToolName,
  context: ToolContext,
  plan: Plan,
  request: PlannedRequest,
  claim: Claim | undefined,
): Promise<WriteOutcome> => {
  const { method, path, query, body, before, isDone, job } = request
  const vault = vaultOf(plan)
  const evidence =
    job && vault ? (since: Date) => findJobSince(job.operation, job.names, vault, since, context) : request.evidence
  context.goingOn.words = `Whether Azure took ${method} ${path} is not known`
  try {
    return await context.arm.write({
      method,
      path,
      ...(query === undefined ? {} : { query }),
      body,
      tool,
      itemId: request.itemId ?? plan.itemId,
      evidence,
      before,
      isDone,
    })
  } catch (error) {
    // Azure refused it, or it never left: the same string may be used again.
    if (!context.signal.aborted) {
      context.goingOn.words = undefined
      await claim?.release()
    }
    throw error
  }
}

interface Taken {
  operation: Operation | undefined
  /** Known without an operation: found in the vault's list. */
  jobId: string | undefined
  body: unknown
  clientRequestId: string
  warnings: string[]
}

/** What a request started, by its answer or by what was found in place of one. Throws where nothing tells. */
const whatBecame = async (
  outcome: WriteOutcome,
  request: PlannedRequest,
  context: ToolContext,
  plan: Plan,
): Promise<Taken> => {
  const { job, method } = request
  if (outcome.kind === 'answered') {
    const { reply, alreadyGone } = outcome
    const warnings = alreadyGone ? ['The first answer was lost; the repeated DELETE found nothing left.'] : []
    const operation = alreadyGone ? undefined : context.arm.operationOf(request, reply)
    return { operation, jobId: undefined, body: reply.body, clientRequestId: reply.clientRequestId, warnings }
  }
  const { clientRequestId } = outcome
  if (outcome.kind === 'found_done' && (method === 'POST' || !job)) {
    const jobId = job ? nameOf(outcome.found) : undefined
    const shown = jobId === undefined ? 'what is there now' : `job ${jobId}`
    const warnings = [`Azure's answer was lost; ${shown} shows that it took the request. It was sent once.`]
    return { operation: undefined, jobId, body: outcome.found, clientRequestId, warnings }
  }
  const vault = vaultOf(plan)
  const found =
    job && vault && method !== 'POST'
      ? await findJobSince(job.operation, job.names, vault, outcome.since, context)
      : undefined
  const jobId = nameOf(found)
  if (outcome.kind === 'unknown' && jobId === undefined) throw lost(outcome, request)
  const body = outcome.kind === 'found_done' ? outcome.found : undefined
  const warnings = [
    `Azure's answer was lost; ${jobId === undefined ? 'what is there now' : `job ${jobId}`} shows that it took the request.`,
  ]
  return { operation: undefined, jobId, body, clientRequestId, warnings }
}

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

/** What a call that is cancelled from here on leaves behind. */
const noteGoingOn = (context: ToolContext, { operation, jobId }: Taken): void => {
  const { goingOn } = context
  goingOn.words = operation || jobId ? 'Azure had accepted the work and goes on with it' : undefined
  goingOn.operationId = operation && encodeOperationId(operation)
  goingOn.jobId = jobId
}

const followed = async (taken: Taken, context: ToolContext, plan: Plan, waitSeconds: number): Promise<Done> => {
  const { operation, clientRequestId, warnings: _, body } = taken
  const vault = vaultOf(plan)
  if (!operation) {
    const job = taken.jobId && vault ? await followJob(taken.jobId, vault, waitSeconds, context) : undefined
    const status = job === undefined ? 'succeeded' : (endOf(job) ?? 'in_progress')
    const changed: Changed = {
      status,
      job_id: taken.jobId ?? null,
      operation_id: null,
      client_request_id: clientRequestId,
      ...(job ? { job: { ...job } } : {}),
    }
    return { changed, ended: undefined, body }
  }
  const result = await followOperation(operation, vault, waitSeconds, context, graceSeconds)
  const { poll, job: raw } = result.look
  const operationId = encodeOperationId(result.operation)
  const ended = poll.kind === 'running' ? undefined : poll
  const jobId = ended ? jobIdOf(ended) : undefined
  const job = raw !== undefined && vault ? toJobDetails(raw, vault) : undefined
  if (poll.kind === 'failed' || poll.kind === 'cancelled') throw failedOperation(result, poll.error, operationId, job)
  if (job) endOf(job, operationId)
  const changed: Changed = {
    status: statusOf(ended, jobId, job),
    job_id: jobId ?? null,
    operation_id: operationId,
    client_request_id: clientRequestId,
    ...(job ? { job: { ...job } } : {}),
  }
  return { changed, ended, body: ended?.body ?? body }
}

type Job = ReturnType<typeof toJobDetails>

const statusOf = (ended: Ended | undefined, jobId: string | undefined, job: Job | undefined): Status => {
  if (!ended || (jobId !== undefined && !job)) return 'in_progress'
  return job ? (endOf(job) ?? 'in_progress') : 'succeeded'
}

/** How a job ended; undefined while it runs. Throws where it failed. */
const endOf = (job: Job, operationId: string | null = null): 'succeeded' | 'succeeded_with_warnings' | undefined => {
  const end = jobEnd(job.status)
  if (end !== 'failed' && end !== 'cancelled') return end
  const { error } = job
  throw new Problem(
    'azure_error',
    `The job ended as ${job.status}${error ? `: ${error.message}` : '.'}`,
    [error?.remediation, ...(error?.recommendations ?? [])].find(Boolean) ??
      'recovery_services_get_job_details shows its tasks and errors.',
    {
      azureCode: error?.code ?? undefined,
      details: { job_id: job.job_id, operation_id: operationId, job: { ...job } },
    },
  )
}

const followJob = async (
  jobId: string,
  vault: NonNullable<ReturnType<typeof vaultOf>>,
  waitSeconds: number,
  context: ToolContext,
): Promise<Job> => {
  const { value } = await follow(waitSeconds, context, async () =>
    jobStep(await readJob(jobId, vault, context, undefined), vault),
  )
  return toJobDetails(value, vault)
}

const failedOperation = (
  { look }: Followed,
  { code, message }: { code: string; message: string },
  operationId: string,
  job: Job | undefined,
): Problem => {
  const recommendations = job?.error?.recommendations ?? []
  return new Problem(
    'azure_error',
    `Azure accepted the request, and the operation ${look.poll.kind === 'cancelled' ? 'was cancelled' : 'failed'}: ${message}`,
    remediationOf(code, null) ?? recommendations[0] ?? 'Mend what it names and call again.',
    {
      azureCode: code,
      details: { operation_id: operationId, ...(job ? { job_id: job.job_id, job: { ...job } } : {}) },
    },
  )
}
