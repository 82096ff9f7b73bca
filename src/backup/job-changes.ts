/** Cancelling jobs (section 7.4 of the wire facts). */
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { fields } from './fields.ts'
import { jobEnd, toJobDetails } from './job-rows.ts'
import { jobIdIn, jobStep, readJob, regionIn } from './jobs.ts'
import type { Plan } from './plans.ts'
import { postureOf } from './security.ts'
import { checkVault, withVaultOf } from './vault-names.ts'
import { follow } from './waiting.ts'

const isStopping = (status: string | null): boolean => /^cancel/i.test(status ?? '')

const planOf = async (jobId: string, vault: VaultRef, context: ToolContext): Promise<Plan> => {
  const [raw, posture] = await Promise.all([readJob(jobId, vault, context, undefined), postureOf(vault, context)])
  const job = toJobDetails(raw, vault)
  const name = [job.operation, 'of', job.friendly_name].filter(Boolean).join(' ')
  const refuse = (message: string, remediation: string) =>
    new Problem('precondition_failed', message, remediation, { details: { job_id: jobId, status: job.status } })
  if (jobEnd(job.status) !== undefined)
    throw refuse(`The job (${name}) is over: ${job.status} at ${job.end_time}.`, 'There is nothing to cancel.')
  if (isStopping(job.status))
    throw refuse(`The job (${name}) is being cancelled already.`, 'See its end with recovery_services_get_job_details.')
  if (!job.is_cancellable)
    throw refuse(
      `Azure does not offer to cancel this job (${name}).`,
      'Wait for its end; recovery_services_get_job_details with wait_seconds follows it.',
    )
  const path = `${vault.id}/backupJobs/${jobId}`
  const done = job.percent_complete === null ? '' : `, ${job.percent_complete}% so far`
  return {
    summary: `Cancel the running job: ${name}, started ${job.start_time}${done}.`,
    requests: [
      {
        method: 'POST',
        path: `${path}/cancel`,
        evidence: async () => {
          const now = await readJob(jobId, vault, context, undefined)
          return isStopping(toJobDetails(now, vault).status) ? now : undefined
        },
      },
    ],
    keeps: ['recovery points that exist already'],
    loses: [`what the job has done so far; ${whatIsLost(job.operation)}`],
    posture,
    itemId: path,
    basis: [jobId, job.operation, job.start_time],
  }
}

const whatIsLost = (operation: string | null): string => {
  if (/^backup/i.test(operation ?? '')) return 'this backup makes no recovery point'
  if (/restore/i.test(operation ?? '')) return 'what was restored until then may be left half done'
  return 'its change may be left half done'
}

const cancelJob: Handlers['cancel_job'] = async (input, context) => {
  checkAll(
    () => jobIdIn(input.job_id),
    () => checkVault(input.vault, context),
  )
  const jobId = jobIdIn(input.job_id)
  return withVaultOf('job_id', input.job_id, input.vault, context, async vault => {
    if (regionIn(input.job_id, vault))
      throw new Problem(
        'precondition_failed',
        'The job runs in the secondary region, where Azure cannot cancel jobs.',
        'Wait for its end; recovery_services_get_job_details with wait_seconds follows it.',
      )
    const startMs = context.clock.monotonic()
    const plan = await planOf(jobId, vault, context)
    const { changed } = await carryOut('cancel_job', input, context, plan)
    const result = { ...changed, vault_name: vault.vaultName, item_id: null, job_id: jobId }
    if (changed.status === 'planned') return result
    const leftSeconds = (input.wait_seconds ?? 0) - (context.clock.monotonic() - startMs) / 1000
    const { value } = await follow(Math.max(0, leftSeconds), context, async () =>
      jobStep(await readJob(jobId, vault, context, undefined), vault),
    )
    const job = toJobDetails(value, vault)
    const end = jobEnd(job.status)
    if (end !== undefined && end !== 'cancelled')
      throw new Problem(
        'precondition_failed',
        `The job ended as ${job.status} before it could be cancelled.`,
        'recovery_services_get_job_details tells what it did.',
        { details: { job_id: jobId, operation_id: changed.operation_id, job: { ...job } } },
      )
    return {
      ...result,
      status: end === undefined ? 'in_progress' : 'succeeded',
      message:
        end === undefined
          ? `The job is ${job.status}; recovery_services_get_job_details with wait_seconds follows it to its end.`
          : 'The job is cancelled.',
      friendly_name: job.friendly_name,
      item_id: job.item_id,
      job: { ...fields(job) },
    }
  })
}

export const jobChanges = { cancel_job: cancelJob } satisfies Partial<Handlers>
