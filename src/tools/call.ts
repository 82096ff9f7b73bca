/**
 * One tool call: check the arguments, run the handler, check its result, and make the answer. Errors become results here
 * and nowhere else.
 */

import * as validators from '../generated/tool-validators.ts'
import type { ToolName } from '../generated/tools.ts'
import type { ToolAnswer } from '../mcp/tool-service.ts'
import { Problem } from '../problem.ts'
import { checkedArguments, type Validator } from './arguments.ts'
import { safeResult } from './azure-text.ts'
import { type GoingOn, type Handlers, PlanAgain, type ToolContext } from './context.ts'
import { handlers } from './handlers.ts'
import { problemText } from './problem-text.ts'

/** The generated module holds `<tool>_input` and `<tool>_output` for every tool. */
const validatorOf = (name: ToolName, side: 'input' | 'output'): Validator =>
  (validators as unknown as Record<string, Validator>)[`${name}_${side}`] as Validator

type Handler = (input: unknown, context: ToolContext) => Promise<object>

/** Throws what is no Problem: a bug, which the protocol answers with -32603. */
export const callTool = async (
  name: ToolName,
  given: Readonly<Record<string, unknown>>,
  context: ToolContext,
): Promise<ToolAnswer> => {
  try {
    const input = checkedArguments(name, given, validatorOf(name, 'input'))
    if (typeof input.confirm === 'string' && input.dry_run !== true && context.loaded.config.confirmation !== 'off')
      await context.confirmations.checkUnused(input.confirm)
    const handler = (handlers satisfies Handlers)[name] as Handler // the input was checked against this tool's own schema
    const result = safeResult(await unlessAborted(planned(handler, input, context), context.signal))
    const check = validatorOf(name, 'output')
    if (!check(result))
      throw new Error(`${name} made a result that its schema refuses: ${JSON.stringify(check.errors)}`)
    return { isError: false, json: JSON.stringify(result) }
  } catch (error) {
    return { isError: true, json: problemText(asProblem(error, name, context)) }
  }
}

/** The plan that is carried out is made after the user's yes, and is the one that they said yes to. */
const planned = async (handler: Handler, input: unknown, context: ToolContext): Promise<object> => {
  for (;;) {
    try {
      return await handler(input, context)
    } catch (error) {
      if (!(error instanceof PlanAgain)) throw error
    }
  }
}

/** Rejects as soon as the call is cancelled, however long the handler takes to notice. */
const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  if (signal.aborted) {
    work.catch(() => {}) // it ends as the call does; nobody is left to hear of it
    return Promise.reject(signal.reason)
  }
  let stop: () => void
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop))
}

const asProblem = (error: unknown, tool: ToolName, { signal, goingOn, log }: ToolContext): Problem => {
  const { words, operationId, jobId } = goingOn
  if (error instanceof Problem) return words === undefined ? error : afterChange(error, words, goingOn)
  if (!signal.aborted) throw error
  if (words === undefined)
    return new Problem(
      'cancelled',
      'The call was cancelled before it was done. Nothing that it changes was sent to Azure.',
      'Call again.',
      { cause: error },
    )
  // A client that cancelled hears no answer: the log is where a person finds what goes on.
  log('notice', 'cancelled', { tool, goes_on: words, job_id: jobId ?? null, operation_id: operationId ?? null })
  return new Problem(
    'cancelled',
    `The call was cancelled; ${words}.`,
    'Azure does not stop for that. See where it stands with recovery_services_track_async_operation or recovery_services_list_backup_jobs; recovery_services_cancel_job stops a job.',
    { details: { job_id: jobId ?? null, operation_id: operationId ?? null }, cause: error },
  )
}

/** What fails behind a change that Azure took must not look like a change that failed: it would be made again. */
const afterChange = (problem: Problem, words: string, { operationId, jobId }: GoingOn): Problem => {
  const { code, message, remediation, azureCode, httpStatus, requestId, details } = problem
  const isSaid = ['outcome', 'operation_id', 'steps_done'].some(name => details?.[name] !== undefined)
  if (isSaid) return problem
  return new Problem(code, `${message.replace(/[^.!?]$/, '$&.')} Before that, ${words}.`, remediation, {
    azureCode,
    httpStatus,
    requestId,
    details: { ...details, job_id: jobId ?? null, operation_id: operationId ?? null },
    cause: problem,
  })
}
