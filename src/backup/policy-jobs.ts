/** A changed policy is put to its items by a job for each (`jobIds`, section 5 of the wire facts): all are followed. */
import type { ToolContext } from '../tools/context.ts'
import { isName, type VaultRef } from './arm-ids.ts'
import type { Changed, Done } from './changes.ts'
import { jobEnd, toJobDetails } from './job-rows.ts'
import { jobStep, readJob } from './jobs.ts'
import { follow } from './waiting.ts'

/** How many jobs are asked one by one: reads of jobs are limited by the hour. */
const mostFollowed = 20

type Job = ReturnType<typeof toJobDetails>

const warningOf = ({ friendly_name, job_id, status, error }: Job): string => {
  const remedy = [error?.remediation, ...(error?.recommendations ?? [])].find(Boolean)
  const why = error ? `: ${[error.message, remedy].filter(Boolean).join(' ')}` : '.'
  return `Job ${job_id} of ${friendly_name} ended as ${status}${why}`
}

export interface Aligned extends Changed {
  /** Where there are several. */
  job_ids?: string[]
}

/**
 * Where the jobs of a changed policy stand, once the operation is over: it succeeded when all of them did, and is in
 * progress while one of them runs.
 */
export const alignmentOf = async (
  { changed, ended }: Done,
  vault: VaultRef,
  waitSeconds: number,
  context: ToolContext,
): Promise<Aligned> => {
  const ids = ended?.kind === 'succeeded' ? ended.jobIds.filter(isName) : []
  if (ids.length < 2) return changed
  const aligned: Aligned = { ...changed, job_ids: ids }
  if (changed.status === 'in_progress') return aligned
  const untilMs = context.clock.monotonic() + waitSeconds * 1000
  const warnings = [...(changed.warnings ?? [])]
  let isRunning = false
  const others = ids.filter(id => id !== changed.job_id)
  for (const id of others.slice(0, mostFollowed)) {
    const leftSeconds = Math.max(0, (untilMs - context.clock.monotonic()) / 1000)
    const { value } = await follow(leftSeconds, context, async () =>
      jobStep(await readJob(id, vault, context, undefined), vault),
    )
    const job = toJobDetails(value, vault)
    const end = jobEnd(job.status)
    if (end === undefined) isRunning = true
    else if (end !== 'succeeded') warnings.push(warningOf(job))
  }
  if (others.length > mostFollowed)
    warnings.push(
      `Of ${ids.length} jobs ${mostFollowed + 1} were looked at; recovery_services_list_backup_jobs with operation ConfigureBackup shows the others.`,
    )
  const status = isRunning ? 'in_progress' : warnings.length > 0 ? 'succeeded_with_warnings' : changed.status
  return { ...aligned, status, ...(warnings.length > 0 ? { warnings } : {}) }
}
