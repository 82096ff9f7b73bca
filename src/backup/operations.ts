/** Where work that Azure accepted stands. The operation ends in seconds; the job it started, much later. */
import type { Operation, OperationError, Poll } from '../arm/arm.ts'
import { decodeOperationId, encodeOperationId, operationFromUrl } from '../arm/operation-ids.ts'
import type { TrackAsyncOperationOutput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import { badArgument, InputError } from '../tools/input-error.ts'
import { parseArmId, type VaultRef, vaultOf } from './arm-ids.ts'
import { faultOf } from './faults.ts'
import { fields, time } from './fields.ts'
import { type Followed, followOperation, jobIdOf } from './following.ts'
import { jobEnd, toJobDetails } from './job-rows.ts'

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

const track: Handlers['track_async_operation'] = async (input, context) => {
  const started = operationOf(input, context.arm.endpoint)
  const parsed = parseArmId(started.vaultId ?? '')
  const vault = parsed && vaultOf(parsed)
  const followed = await followOperation(started, vault, input.wait_seconds ?? 0, context)
  return toTracked(followed, vault)
}

const toTracked = (
  { operation, look: { poll, job }, retryAfterSeconds }: Followed,
  vault: VaultRef | undefined,
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
