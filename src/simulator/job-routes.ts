/** Jobs of a vault: listed, looked at, cancelled, exported (section 7 of the wire facts). */
import { datasources } from '../backup/datasources.ts'
import { accepted, operationOf, operationResult, operationStatus, page, startOperation } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { lateFailure } from './faults.ts'
import { inVault, jobOf, vaultOf } from './finding.ts'
import { isJobOver, jobRow } from './job-rows.ts'
import { endCancelled, pruneJobs } from './jobs.ts'
import { filterMoment, filterTerms, isSame } from './odata.ts'
import { invalidInput, Refusal } from './refusal.ts'
import { type Job, type JobStatus, keyOf, type Vault } from './state.ts'
import { troubles } from './troubles.ts'
import type { Effects } from './world.ts'

const filterNames = ['startTime', 'endTime', 'operation', 'status', 'backupManagementType', 'jobId']
const statuses: readonly JobStatus[] = [
  'InProgress',
  'Completed',
  'Failed',
  'CompletedWithWarnings',
  'Cancelled',
  'Cancelling',
]
const operations =
  'Register UnRegister ConfigureBackup Backup Restore DisableBackup DeleteBackupData CrossRegionRestore Undelete UpdateCustomerManagedKey'.split(
    ' ',
  )
const managementTypes = 'AzureIaasVM MAB DPM AzureBackupServer AzureSql AzureStorage AzureWorkload DefaultBackup'.split(
  ' ',
)

/** The word of an enumeration that a filter asks for. Throws Refusal for one that is none. */
const wordOf = (asked: string | undefined, words: readonly string[]): string | undefined => {
  if (asked === undefined) return undefined
  const word = words.find(each => isSame(each, asked))
  if (word === undefined) throw invalidInput()
  return word
}

const windowOf = (from: string | undefined, to: string | undefined): { fromMs: number; toMs: number } => {
  if ((from === undefined) !== (to === undefined)) throw invalidInput()
  if (from === undefined || to === undefined) return { fromMs: 0, toMs: Number.POSITIVE_INFINITY }
  const window = { fromMs: filterMoment(from), toMs: filterMoment(to) }
  if (window.fromMs > window.toMs) throw invalidInput()
  return window
}

/** The jobs that a filter asks for, newest first. Throws Refusal. */
const jobsOf = (call: Call, vault: Vault): Job[] => {
  const terms = filterTerms(call.query, filterNames)
  const { fromMs, toMs } = windowOf(terms.get('starttime'), terms.get('endtime'))
  const operation = wordOf(terms.get('operation'), operations)
  const status = wordOf(terms.get('status'), statuses)
  const managementType = wordOf(terms.get('backupmanagementtype'), managementTypes)
  const jobId = terms.get('jobid')
  pruneJobs(vault, call.nowMs)
  return [...vault.jobs.values()]
    .filter(
      job =>
        job.startMs >= fromMs &&
        job.startMs <= toMs &&
        (operation === undefined || job.operation === operation) &&
        (status === undefined || job.status === status) &&
        (managementType === undefined || datasources[job.workload].managementType === managementType) &&
        (jobId === undefined || isSame(job.id, jobId)),
    )
    .sort((a, b) => b.startMs - a.startMs)
}

const listJobs = (call: Call): Answer => {
  const vault = vaultOf(call)
  return page(call, jobsOf(call, vault), job => jobRow(call, vault, job, false))
}

const getJob = (call: Call): Answer => ok(jobRow(call, vaultOf(call), jobOf(call), true))

const jobPath = (vault: Vault, job: Job): string => `${vault.id}/backupJobs/${job.id}`

const cancelMs = 20_000
const operationMs = 5_000

const cancelJob = (call: Call): Answer => {
  const { world } = call
  const vault = vaultOf(call)
  const job = jobOf(call)
  if (job.status !== 'InProgress' || !job.isCancellable)
    throw new Refusal(
      400,
      'BMSUserErrorJobNotCancellable',
      `The job ${job.id} cannot be cancelled.\r\nOnly jobs that are in progress and whose actions include cancel can be.`,
    )
  const error = lateFailure(world, call.method, call.path)
  if (!error) {
    job.status = 'Cancelling'
    const atMs = call.nowMs + cancelMs
    world.schedule({ atMs, kind: 'job-cancelled', vault: keyOf(vault.id), of: keyOf(job.id), more: undefined })
  }
  const operation = startOperation(world, vault, operationMs, { error })
  return accepted(call, operation, {
    status: `${vault.id}/backupOperations`,
    result: `${jobPath(vault, job)}/operationResults`,
  })
}

/** The operation of a path that names one. */
const operation = (call: Call) => operationOf(vaultOf(call), call.params.operation ?? '')

const exportPath = (vault: Vault): string => `${vault.id}/backupJobs/operationResults`
const exportType = { objectType: 'ExportJobsOperationResultInfo' }

const exportJobs = (call: Call): Answer => {
  const { world } = call
  const vault = vaultOf(call)
  jobsOf(call, vault)
  const error = lateFailure(world, call.method, call.path)
  return accepted(call, startOperation(world, vault, operationMs, { error }), { result: exportPath(vault) })
}

/** The file itself is nowhere: only its address is made up. */
const exportResult = (call: Call): Answer => {
  const vault = vaultOf(call)
  const found = operation(call)
  const answer = operationResult(call, found)
  if (answer.status === 202) return { ...answer, body: { operation: exportType, headers: {} } }
  return ok({
    operation: {
      ...exportType,
      blobUrl: `https://${vault.name.toLowerCase()}reports.blob.core.windows.net/reportcontainer/exportjobsreport${found.id}`,
      blobSasKey: `?sv=2014-02-14&sr=b&sig=simulated&se=${encodeURIComponent(new Date(found.endMs + 600_000).toISOString())}&sp=r`,
    },
    headers: {},
  })
}

export const jobRoutes: readonly Route[] = [
  { method: 'GET', path: `${inVault}/backupJobs`, handle: listJobs },
  { method: 'GET', path: `${inVault}/backupJobs/{job}`, handle: getJob },
  { method: 'GET', path: `${inVault}/backupJobs/operationResults/{operation}`, handle: exportResult },
  { method: 'POST', path: `${inVault}/backupJobs/{job}/cancel`, handle: cancelJob },
  {
    method: 'GET',
    path: `${inVault}/backupJobs/{job}/operationResults/{operation}`,
    handle: call => operationResult(call, operation(call)),
  },
  {
    method: 'GET',
    path: `${inVault}/backupJobs/{job}/operationsStatus/{operation}`,
    handle: call => operationStatus(call, operation(call)),
  },
  { method: 'POST', path: `${inVault}/backupJobsExport`, handle: exportJobs },
]

export const cancelEffects: Effects = {
  'job-cancelled': ({ state }, { vault: vaultKey, of, atMs }) => {
    const vault = state.vaults.get(vaultKey)
    const job = vault?.jobs.get(of)
    if (!vault || !job || isJobOver(job)) return
    endCancelled(job, atMs)
    const item = job.item === undefined ? undefined : vault.items.get(job.item)
    if (item && job.operation === 'Backup')
      item.lastBackup = { atMs: job.startMs, status: 'Failed', trouble: troubles.cancelled }
  },
}
