/** How far Azure is with what it took, as the part of a result that all writing tools share. */
import { remediationOf } from '../arm/error-codes.ts'
import { encodeOperationId } from '../arm/operation-ids.ts'
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import type { VaultRef } from './arm-ids.ts'
import type { Fields } from './fields.ts'
import { type Ended, type Followed, followOperation, jobIdOf } from './following.ts'
import { jobEnd, toJobDetails } from './job-rows.ts'
import { jobStep, readJob } from './jobs.ts'
import type { Plan } from './plans.ts'
import { type Taken, unlessProblem } from './sending.ts'
import { follow } from './waiting.ts'

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
export const followed = async (taken: Taken, context: ToolContext, plan: Plan, waitSeconds: number): Promise<Done> => {
  const { operation, jobId, isOver, clientRequestId, body } = taken
  const vault = plan.posture?.vault
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

const followJob = async (jobId: string, vault: VaultRef, waitSeconds: number, context: ToolContext): Promise<Job> => {
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
