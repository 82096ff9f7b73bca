/**
 * Doing a plan: dry run, a person's word, the requests in their order, and following what Azure accepted. Every tool that
 * writes hands its plan to `carryOut` and adds its own words to what comes back.
 *
 * Nothing is written before the word is given. What was lost on the way is looked for, and the result says what was found.
 */
import { encodeOperationId } from '../arm/operation-ids.ts'
import type { ToolName } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Claim } from '../tools/confirmations.ts'
import type { ToolContext } from '../tools/context.ts'
import { agreed, subjectOf, takesString } from './agreements.ts'
import { type Changed, type Done, followed } from './changed.ts'
import { type Plan, type PlannedRequest, shownPlan } from './plans.ts'
import { asGuardRefusal } from './security.ts'
import { type Taken, whatBecame, write } from './sending.ts'

export type { Changed, Done }

export interface ChangeInput {
  dry_run?: boolean
  confirm?: string
  wait_seconds?: number
}

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
  const claim = await agreed(tool, input.confirm, context, plan)
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
  // The answer itself may take long; who waits hears something before it.
  if (waitSeconds > 0) context.progress({ progress: 0, total: waitSeconds, message: 'asking Azure' })
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
