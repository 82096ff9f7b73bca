/** Jobs as Azure shows them (section 7.3 of the wire facts). */
import { datasources } from '../backup/datasources.ts'
import { azureTime } from './answers.ts'
import type { Call } from './call.ts'
import type { Job, Trouble, Vault } from './state.ts'

/** `PT1H1M11.0789682S`. */
const isoDuration = (ms: number): string => {
  const whole = Math.max(ms, 0)
  const hours = Math.floor(whole / 3_600_000)
  const minutes = Math.floor((whole % 3_600_000) / 60_000)
  const seconds = (whole % 60_000) / 1000
  const parts = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${seconds > 0 ? `${seconds}S` : ''}`
  return `PT${parts === '' ? '0S' : parts}`
}

export const isJobOver = ({ status }: Job): boolean => status !== 'InProgress' && status !== 'Cancelling'

/** Versions before 2021-07-01 send numbers for the words of enumerations. */
export const hasNumbers = ({ apiVersion }: Pick<Call, 'apiVersion'>): boolean => apiVersion < '2021-07-01'

/** `Backup (Full)`; a restore of a database says so only when it is over. */
const operationOf = (job: Job): string => {
  const { operation, backupType } = job
  if (backupType === undefined) return operation
  const isTold = operation === 'Backup' || (operation === 'Restore' && job.status === 'Completed')
  return isTold ? `${operation} (${backupType})` : operation
}

const taskStatus = (job: Job, { startMs, endMs }: Job['tasks'][number], nowMs: number): string => {
  if (job.status === 'Completed' || job.status === 'CompletedWithWarnings') return 'Completed'
  const untilMs = isJobOver(job) ? job.endMs : nowMs
  if (startMs > untilMs) return 'NotStarted'
  if (endMs <= untilMs) return 'Completed'
  return isJobOver(job) ? job.status : 'InProgress'
}

const progressOf = (job: Job, nowMs: number): number =>
  Math.min(99, Math.max(1, Math.floor((100 * (nowMs - job.startMs)) / Math.max(job.endMs - job.startMs, 1))))

const vmTask = (job: Job, task: Job['tasks'][number], nowMs: number) => {
  const isDone = taskStatus(job, task, nowMs) === 'Completed'
  const gigabytes = Math.max(1, Math.round(job.sizeMb / 1024))
  const moved = isDone ? gigabytes : Math.floor((gigabytes * progressOf(job, nowMs)) / 100)
  return {
    taskId: task.name,
    duration: 'PT0S',
    status: taskStatus(job, task, nowMs),
    ...(job.operation === 'Restore' && job.sizeMb > 0
      ? { taskExecutionDetails: `${moved} GBs / ${gigabytes} GBs Transferred` }
      : {}),
  }
}

interface Shape {
  jobType: string
  /** What the job says beside the rest. */
  more: (job: Job) => object
  task: (job: Job, task: Job['tasks'][number], nowMs: number) => object
  /** What its bag always has. */
  bag: (job: Job) => Record<string, string>
  hasErrorTitle: boolean
}

const isGood = ({ status }: Job): boolean => status === 'Completed' || status === 'CompletedWithWarnings'
/** The size of a backup that came to a good end, as its bag tells it. */
const sizeBag = (job: Job, name: string, unit: string): Record<string, string> =>
  job.operation === 'Backup' && isGood(job) && job.sizeMb > 0 ? { [name]: `${job.sizeMb}${unit}` } : {}

const withoutPrefix = (container: string): string => container.replace(/^IaasVMContainer;/i, '')

const bareTask: Shape['task'] = (job, task, nowMs) => ({ taskId: task.name, status: taskStatus(job, task, nowMs) })

const shapes: Readonly<Record<'AzureIaasVM' | 'AzureStorage' | 'AzureWorkload', Shape>> = {
  AzureIaasVM: {
    jobType: 'AzureIaaSVMJob',
    more: ({ containerName }) => ({
      ...(containerName === undefined ? {} : { containerName: withoutPrefix(containerName) }),
      virtualMachineVersion: 'Compute',
    }),
    task: vmTask,
    bag: job => ({
      ...(job.operation === 'Restore' ? {} : { 'VM Name': job.entityName }),
      ...sizeBag(job, 'Backup Size', ' MB'),
    }),
    hasErrorTitle: true,
  },
  AzureStorage: {
    jobType: 'AzureStorageJob',
    more: ({ containerName = '', isUserTriggered }) => ({
      storageAccountName: containerName.split(';').at(-1) ?? '',
      storageAccountVersion: 'Storage',
      isUserTriggered,
    }),
    task: bareTask,
    bag: job => ({
      ...(job.operation === 'Restore' ? {} : { 'File Share Name': job.entityName }),
      ...sizeBag(job, 'Data Transferred (in MB)', ''),
    }),
    hasErrorTitle: false,
  },
  AzureWorkload: {
    jobType: 'AzureWorkloadJob',
    more: ({ workload, isUserTriggered }) => ({ workloadType: datasources[workload].azureWord, isUserTriggered }),
    task: bareTask,
    bag: job => sizeBag(job, 'Data Transferred (in MB)', ''),
    hasErrorTitle: true,
  },
}

const shapeOf = ({ workload }: Job): Shape => {
  const { managementType } = datasources[workload]
  return shapes[managementType as keyof typeof shapes]
}

const errorOf = ({ number, code, message, recommendations }: Trouble, hasTitle: boolean) => ({
  errorCode: number ?? 0,
  ...(hasTitle ? { errorTitle: code } : {}),
  errorString: message,
  recommendations,
})

const internalBag = ({ operation, bag }: Job): object => {
  if (operation === 'Backup') return { internalPropertyBag: { IsInstantRpJob: 'True' } }
  if (operation !== 'Restore') return {}
  return { internalPropertyBag: { restoreLocationType: restoreLocations[bag['Job Type'] ?? ''] ?? 'RestoreDisks' } }
}

/** What jobs call a restore, and what they say of its place. */
const restoreLocations: Readonly<Record<string, string>> = {
  'Recover disks': 'RestoreDisks',
  'Recover virtual machine': 'AlternateLocation',
  'Replace existing disks': 'OriginalLocation',
}

const extendedInfo = (job: Job, nowMs: number) => {
  const { task, bag } = shapeOf(job)
  const isVm = job.workload === 'VM'
  const isMoving = isVm && job.operation === 'Restore' && !isJobOver(job)
  return {
    tasksList: job.tasks.map(each => task(job, each, nowMs)),
    propertyBag: { ...bag(job), ...job.bag },
    ...(isVm ? internalBag(job) : {}),
    ...(isMoving
      ? {
          progressPercentage: progressOf(job, nowMs),
          estimatedRemainingDuration: isoDuration(job.endMs - nowMs),
        }
      : {}),
    ...(isVm && job.operation === 'Restore' && isGood(job) ? { progressPercentage: 100 } : {}),
  }
}

/** A job as lists show it, or whole. */
export const jobRow = (call: Call, vault: Vault, job: Job, isWhole: boolean) => {
  const { jobType, more, hasErrorTitle } = shapeOf(job)
  const { nowMs } = call
  const isOver = isJobOver(job)
  return {
    id: `${vault.id}/backupJobs/${job.id}`,
    name: job.id,
    type: 'Microsoft.RecoveryServices/vaults/backupJobs',
    properties: {
      jobType,
      ...more(job),
      duration: isoDuration((isOver ? job.endMs : nowMs) - job.startMs),
      ...(job.isCancellable ? { actionsInfo: [hasNumbers(call) ? 1 : 'Cancellable'] } : {}),
      ...(job.trouble && isOver ? { errorDetails: [errorOf(job.trouble, hasErrorTitle)] } : {}),
      ...(isWhole ? { extendedInfo: extendedInfo(job, nowMs) } : {}),
      entityFriendlyName: job.entityName,
      backupManagementType: datasources[job.workload].managementType,
      operation: operationOf(job),
      status: job.status,
      startTime: azureTime(job.startMs),
      ...(isOver ? { endTime: azureTime(job.endMs) } : {}),
      activityId: job.id,
    },
  }
}
