/** Jobs: started with their end known, over when their time has come. */
import type { Job, Vault } from './state.ts'
import { keyOf } from './state.ts'
import { troubles } from './troubles.ts'
import type { Effects, World } from './world.ts'

export interface NewJob extends Partial<Job> {
  operation: Job['operation']
  workload: Job['workload']
  entityName: string
  /** Simulated time that it takes. */
  lastsMs: number
}

/** A job that begins now and ends by itself, as `outcome` says. */
export const startJob = (world: World, vault: Vault, { lastsMs, ...given }: NewJob): Job => {
  const startMs = world.state.nowMs
  const job: Job = {
    id: world.newGuid(),
    item: undefined,
    containerName: undefined,
    startMs,
    endMs: startMs + lastsMs,
    status: 'InProgress',
    outcome: 'Completed',
    tasks: [],
    trouble: undefined,
    bag: {},
    isCancellable: false,
    isUserTriggered: true,
    backupType: undefined,
    sizeMb: 0,
    ...given,
  }
  vault.jobs.set(keyOf(job.id), job)
  world.schedule({ atMs: job.endMs, kind: 'job-end', vault: keyOf(vault.id), of: keyOf(job.id), more: undefined })
  return job
}

/** Ends a job as its cancellation does. */
export const endCancelled = (job: Job, atMs: number): void => {
  job.status = 'Cancelled'
  job.endMs = atMs
  job.trouble = troubles.cancelled
}

/** Jobs are kept for 14 days. */
const jobsKeptMs = 14 * 24 * 3_600_000

/** Forgets the jobs that are too old, as far as they stand in their order. */
export const pruneJobs = ({ jobs }: Vault, nowMs: number): void => {
  for (const [key, { startMs, status }] of jobs) {
    if (startMs >= nowMs - jobsKeptMs || status === 'InProgress' || status === 'Cancelling') return
    jobs.delete(key)
  }
}

export const jobEffects: Effects = {
  'job-end': ({ state }, { vault, of }) => {
    const job = state.vaults.get(vault)?.jobs.get(of)
    if (job?.status === 'InProgress') job.status = job.outcome
  },
}
