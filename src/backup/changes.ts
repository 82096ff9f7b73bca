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
  try {
    context.signal.throwIfAborted()
    const done = await send(tool, context, plan, input.wait_seconds ?? usualWaitSeconds, claim)
    return { ...done, changed: withWarnings(done.changed, plan.warnings ?? []) }
  } catch (error) {
    // Azure refused all of it, or nothing left: the same string may be used again.
    if (context.goingOn.words === undefined) await claim?.release()
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
    try {
      const outcome = await write(tool, context, plan, request)
      const taken = await whatBecame(outcome, request, context, plan)
      warnings.push(...taken.warnings)
      noteGoingOn(context, taken, plan, at)
      await claim?.settle(context.goingOn.operationId ?? null)
      const seconds = isLast ? leftSeconds() : Math.max(leftSeconds(), shortStepSeconds)
      const sent = await followed(taken, context, plan, seconds)
      const isOver = sent.changed.status !== 'in_progress'
      if (isOver) context.goingOn.words = doneWords(plan, at)
      if (isLast) return { ...sent, changed: withWarnings(sent.changed, warnings) }
      if (!isOver) return { ...sent, changed: withWarnings(sent.changed, [...warnings, notYet(plan, at)]) }
      warnings.push(...(sent.changed.warnings ?? []))
    } catch (error) {
      throw atStep(error, plan, at)
    }
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
    { azureCode, httpStatus, requestId, details: { ...details, steps_done: at }, cause: error },
  )
}

const write = async (
  tool: ToolName,
  context: ToolContext,
  plan: Plan,
  request: PlannedRequest,
): Promise<WriteOutcome> => {
  const { method, path, query, body, before, isDone, job } = request
  const { goingOn } = context
  const vault = vaultOf(plan)
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

interface Taken {
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
const whatBecame = async (
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
  const vault = vaultOf(plan)
  if (!job || !vault) return undefined
  for (const waitMs of jobWaitsMs) {
    if (waitMs > 0) await context.clock.sleep(waitMs, context.signal)
    const found = await unlessProblem(findJobSince(job.operation, job.names, vault, since, context))
    if (found !== undefined) return found instanceof Problem ? undefined : found
  }
  return undefined
}

/** What Azure cannot tell just now, as a value: a change that it took is not undone by that. */
const unlessProblem = <T>(asking: Promise<T>): Promise<T | Problem> =>
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

/** What a call that is cancelled from here on leaves behind. */
const noteGoingOn = (context: ToolContext, { operation, jobId, isOver }: Taken, plan: Plan, at: number): void => {
  const { goingOn } = context
  const isAtWork = operation !== undefined || jobId !== undefined || !isOver
  goingOn.words = isAtWork ? 'Azure had accepted the work and goes on with it' : doneWords(plan, at)
  goingOn.operationId = operation && encodeOperationId(operation)
  goingOn.jobId = jobId
}

const doneWords = ({ requests: { length } }: Plan, at: number): string =>
  at === length - 1
    ? 'Azure had done what was asked by then'
    : `Azure had done step ${at + 1} of ${length} by then, and the rest was not sent`

const followed = async (taken: Taken, context: ToolContext, plan: Plan, waitSeconds: number): Promise<Done> => {
  const { operation, jobId, isOver, clientRequestId, body } = taken
  const vault = vaultOf(plan)
  const looked = operation
    ? await unlessProblem(followOperation(operation, vault, waitSeconds, context, graceSeconds))
    : jobId !== undefined && vault
      ? await unlessProblem(followJob(jobId, vault, waitSeconds, context))
      : undefined
  if (looked instanceof Problem) return { changed: acceptedOnly(taken, looked, context), ended: undefined, body }
  if (!looked || !('look' in looked)) {
    const changed: Changed = {
      status: looked ? (endOf(looked) ?? 'in_progress') : isOver ? 'succeeded' : 'in_progress',
      job_id: jobId ?? null,
      operation_id: null,
      client_request_id: clientRequestId,
      ...(looked ? { job: { ...looked } } : {}),
    }
    return { changed, ended: undefined, body }
  }
  const { poll, job: raw } = looked.look
  const operationId = encodeOperationId(looked.operation)
  const ended = poll.kind === 'running' ? undefined : poll
  const startedId = ended ? jobIdOf(ended) : undefined
  const job = raw !== undefined && vault ? toJobDetails(raw, vault) : undefined
  if (poll.kind === 'failed' || poll.kind === 'cancelled') throw failedOperation(looked, poll.error, operationId, job)
  if (job) endOf(job, operationId)
  const changed: Changed = {
    status: statusOf(ended, startedId, job),
    job_id: startedId ?? null,
    operation_id: operationId,
    client_request_id: clientRequestId,
    ...(job ? { job: { ...job } } : {}),
  }
  return { changed, ended, body: ended?.body ?? body }
}

/** That Azure cannot be asked how far it is does not undo that it accepted the change: no caller is to think that it failed. */
const acceptedOnly = (
  { operation, jobId, clientRequestId }: Taken,
  { message }: Problem,
  { goingOn }: ToolContext,
): Changed => ({
  status: 'in_progress',
  job_id: jobId ?? goingOn.jobId ?? null,
  operation_id: operation ? encodeOperationId(operation) : null,
  client_request_id: clientRequestId,
  warnings: [`Azure took the request, but how far it is could not be read: ${message}`],
})

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
