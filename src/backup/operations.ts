/** Where work that Azure accepted stands. The operation ends in seconds; the job it started, much later. */
import type { Operation, OperationError, Poll } from '../arm/arm.ts'
import { decodeOperationId, encodeOperationId, operationFromUrl } from '../arm/operation-ids.ts'
import type { TrackAsyncOperationOutput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import { badArgument, InputError } from '../tools/input-error.ts'
import { isName, parseArmId, type VaultRef, vaultOf } from './arm-ids.ts'
import { faultOf } from './faults.ts'
import { fields, time } from './fields.ts'
import { jobEnd, toJobDetails } from './job-rows.ts'
import { jobStep, readJob, regionIn } from './jobs.ts'
import { follow, type Step } from './waiting.ts'

type Tracked = TrackAsyncOperationOutput
type Status = Tracked['status']

const operationOf = (input: { operation_id?: string; operation_url?: string }, endpoint: string): Operation => {
  const { operation_id: id, operation_url: url } = input
  if ((id === undefined) === (url === undefined))
    throw new InputError([{ path: '', message: 'give either operation_id or operation_url' }])
  if (id !== undefined) {
    const operation = decodeOperationId(id)
    if (!operation) throw badArgument('operation_id', 'is not one that a tool of this server returned')
    return operation
  }
  const operation = operationFromUrl(url ?? '', endpoint)
  if (!operation)
    throw badArgument(
      'operation_url',
      `must be a polling URL of ${endpoint}, as Azure gave it in Azure-AsyncOperation or Location`,
    )
  return operation
}

type Ended = Exclude<Poll, { kind: 'running' }>

/**
 * The job that an operation started; of several one that failed. Its id becomes part of a path, so it has to be a name.
 */
const jobIdOf = ({ body, jobIds }: Ended): string | undefined => {
  const failed = Object.keys(fields(fields(fields(body).properties).failedJobsError))
  return [...failed, ...jobIds].find(isName)
}

interface Look {
  poll: Poll
  /** The job, where the operation has one that could be read. */
  job: unknown
}

const step = (look: Look, vault: VaultRef | undefined): Step<Look> => {
  const { poll, job } = look
  if (poll.kind === 'running')
    return {
      value: look,
      isOver: false,
      retryAfterSeconds: poll.retryAfterSeconds,
      percent: null,
      message: 'Azure is working on the operation',
    }
  if (job === undefined || !vault)
    return { value: look, isOver: true, retryAfterSeconds: undefined, percent: null, message: poll.kind }
  const ofJob = jobStep(job, vault)
  return { ...ofJob, isOver: poll.kind !== 'succeeded' || ofJob.isOver, value: look }
}

const track: Handlers['track_async_operation'] = async (input, context) => {
  let operation = operationOf(input, context.arm.endpoint)
  const parsed = parseArmId(operation.vaultId ?? '')
  const vault = parsed && vaultOf(parsed)
  let ended: Ended | undefined
  const { value, retryAfterSeconds } = await follow(input.wait_seconds ?? 0, context, async () => {
    // What has ended stays ended: from then on only the job is asked.
    const poll = ended ?? (await context.arm.poll(operation))
    if (poll.kind === 'running') {
      operation = poll.operation
      return step({ poll, job: undefined }, vault)
    }
    ended = poll
    const jobId = jobIdOf(poll)
    if (jobId === undefined || !vault) return step({ poll, job: undefined }, vault)
    const secondary = regionIn(operation.path.split('?')[0] ?? '', vault)
    return step({ poll, job: await readJob(jobId, vault, context, secondary) }, vault)
  })
  return toTracked(operation, value, vault, retryAfterSeconds)
}

const toTracked = (
  operation: Operation,
  { poll, job }: Look,
  vault: VaultRef | undefined,
  retryAfterSeconds: number | undefined,
): Tracked => {
  const body = fields(poll.body)
  const details = job !== undefined && vault ? toJobDetails(job, vault) : undefined
  const failed = poll.kind === 'failed' || poll.kind === 'cancelled' ? poll.error : undefined
  return {
    operation_id: encodeOperationId(operation),
    status: statusOf(poll, details?.status),
    vault_name: vault?.vaultName ?? null,
    start_time: time(body.startTime) ?? details?.start_time ?? null,
    // The operation's own end is when the work was accepted; the job's is when it was done.
    end_time: details ? details.end_time : time(body.endTime),
    job_id: details?.job_id ?? (poll.kind === 'running' ? null : (jobIdOf(poll) ?? null)),
    job: details ? { ...details } : null,
    error: failed ? errorOf(failed) : (details?.error ?? null),
    retry_after_seconds: retryAfterSeconds ?? null,
  }
}

const errorOf = ({ code, message }: OperationError) => faultOf(code, null, message, [])

const statusOf = (poll: Poll, jobStatus: string | null | undefined): Status => {
  if (poll.kind === 'running') return 'in_progress'
  if (poll.kind !== 'succeeded') return poll.kind
  return jobStatus === undefined ? 'succeeded' : (jobEnd(jobStatus) ?? 'in_progress')
}

export const operations = { track_async_operation: track } satisfies Partial<Handlers>
