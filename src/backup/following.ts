/** Following an operation that Azure accepted, and the job that it starts. The operation ends in seconds, the job much later. */
import type { Operation, Poll } from '../arm/arm.ts'
import type { ToolContext } from '../tools/context.ts'
import { isName, type VaultRef } from './arm-ids.ts'
import { fields } from './fields.ts'
import { jobStep, readJob, regionIn } from './jobs.ts'
import { follow, type Step } from './waiting.ts'

export type Ended = Exclude<Poll, { kind: 'running' }>

/** The job that an operation started; of several one that failed. Its id becomes part of a path, so it has to be a name. */
export const jobIdOf = ({ body, jobIds }: Ended): string | undefined => {
  const failed = Object.keys(fields(fields(fields(body).properties).failedJobsError))
  return [...failed, ...jobIds].find(isName)
}

export interface Look {
  poll: Poll
  /** The job, where the operation has one that was read. */
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

export interface Followed {
  /** With the latest signature. */
  operation: Operation
  look: Look
  retryAfterSeconds: number | undefined
}

/**
 * Follows operation and job for `waitSeconds`. Where `graceSeconds` are more, the operation alone is followed for them: it
 * names the job, which is not read where nobody waits for it.
 */
export const followOperation = async (
  started: Operation,
  vault: VaultRef | undefined,
  waitSeconds: number,
  context: ToolContext,
  graceSeconds = 0,
): Promise<Followed> => {
  let operation = started
  let ended: Ended | undefined
  const isForName = waitSeconds === 0 && graceSeconds > 0
  const { value, retryAfterSeconds } = await follow(
    waitSeconds,
    context,
    async () => {
      // What has ended stays ended: from then on only the job is asked.
      const poll = ended ?? (await context.arm.poll(operation))
      if (poll.kind === 'running') {
        operation = poll.operation
        return step({ poll, job: undefined }, vault)
      }
      ended = poll
      const jobId = jobIdOf(poll)
      context.goingOn.jobId = jobId
      if (jobId === undefined || !vault || isForName) return step({ poll, job: undefined }, vault)
      const secondary = regionIn(operation.path.split('?')[0] ?? '', vault)
      return step({ poll, job: await readJob(jobId, vault, context, secondary) }, vault)
    },
    () => (ended ? 0 : graceSeconds),
  )
  return { operation, look: value, retryAfterSeconds }
}
