/** Jobs as Azure sends them, of every type, as rows for people. */
import type { GetJobDetailsOutput, ListBackupJobsOutput } from '../generated/tools.ts'
import { lastName, sameText, type VaultRef } from './arm-ids.ts'
import { workloadWord } from './datasources.ts'
import { bytes, type Fields, fields, flag, list, number, seconds, text, textsByName, time, word } from './fields.ts'
import { vmItemId } from './items.ts'
import { jobFaults } from './job-faults.ts'

type JobRow = ListBackupJobsOutput['jobs'][number]

/** How a job ended, by its status in lower case; undefined while it runs. */
const endings: Readonly<Record<string, JobEnd>> = {
  completed: 'succeeded',
  completedwithwarnings: 'succeeded_with_warnings',
  failed: 'failed',
  cancelled: 'cancelled',
  canceled: 'cancelled',
}

export type JobEnd = 'succeeded' | 'succeeded_with_warnings' | 'failed' | 'cancelled'

/** How a job of Azure's status (in any letter case) ended; undefined where it still runs. */
export const jobEnd = (status: string | null): JobEnd | undefined => {
  const word = status?.toLowerCase() ?? ''
  return Object.hasOwn(endings, word) ? endings[word] : undefined
}

/** A VM's item id follows from the container that the job names; other jobs name their item by its plain name only. */
const itemIdOf = (properties: Fields, vault: VaultRef): string | null => {
  const container = /^(?:IaasVMContainer;)?(iaasvmcontainer(?:v2)?;[^;]+;[^;]+)$/i.exec(
    text(properties.containerName) ?? '',
  )
  return container?.[1] ? vmItemId(vault, container[1]) : null
}

/** A job as lists show it. */
export const toJobRow = (raw: unknown, vault: VaultRef): JobRow => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const managementType = text(properties.backupManagementType)
  return {
    id: text(body.id) ?? '',
    job_id: text(body.name) ?? lastName(text(body.id) ?? ''),
    vault_name: vault.vaultName,
    operation: text(properties.operation),
    status: text(properties.status),
    friendly_name: text(properties.entityFriendlyName),
    item_id: itemIdOf(properties, vault),
    server_name: text(properties.mabServerName) ?? text(properties.dpmServerName),
    storage_account: text(properties.storageAccountName),
    backup_management_type: managementType,
    workload_type: workloadWord(text(properties.workloadType), managementType),
    start_time: time(properties.startTime),
    end_time: time(properties.endTime),
    duration_seconds: seconds(properties.duration),
    is_user_triggered: flag(properties.isUserTriggered),
    error: jobFaults(properties)[0] ?? null,
  }
}

/** 100 for what is done, else what Azure says; null where it does not. */
export const percentOf = (properties: Fields): number | null =>
  jobEnd(text(properties.status))?.startsWith('succeeded')
    ? 100
    : number(fields(properties.extendedInfo).progressPercentage)

/** The word, or the number that older versions of the service send for it. It stays on finished jobs. */
const isCancellable = (properties: Fields): boolean =>
  sameText(text(properties.status), 'InProgress') &&
  Array.isArray(properties.actionsInfo) &&
  properties.actionsInfo.some(action => /^(1|Cancellable)$/i.test(word(action) ?? ''))

/** The first value of a bag under one of several names, in any letter case. */
const inBag = (bag: Readonly<Record<string, string>>, pattern: RegExp): string | undefined =>
  Object.entries(bag).find(([name]) => pattern.test(name))?.[1]

/** What was moved: shares and databases tell it in their bag, restores of VMs in a task: `12 GBs / 127 GBs Transferred`. */
const transferredOf = (bag: Readonly<Record<string, string>>, tasks: readonly Fields[]): number | null =>
  bytes(inBag(bag, /^Data Transferred( \(in MB\))?$/i), 'MB') ??
  tasks
    .map(task => bytes(/^([\d.]+ ?[KMGT]?B)s? \/.*Transferred/i.exec(text(task.taskExecutionDetails) ?? '')?.[1]))
    .find(moved => moved !== null) ??
  null

/** A job whole. */
export const toJobDetails = (raw: unknown, vault: VaultRef, includeRaw = false): GetJobDetailsOutput => {
  const body = fields(raw)
  const properties = fields(body.properties)
  const extended = fields(properties.extendedInfo)
  // Some of Azure's keys end in a space ("Recovery point time ").
  const tasks = list(extended.tasksList)
  const bag = Object.fromEntries(textsByName(extended.propertyBag).map(([name, value]) => [name.trim(), value]))
  return {
    ...toJobRow(raw, vault),
    percent_complete: percentOf(properties),
    is_cancellable: isCancellable(properties),
    estimated_remaining_seconds: seconds(extended.estimatedRemainingDuration),
    tasks: tasks.map(task => ({
      task: text(task.taskId) ?? '',
      instance_id: text(task.instanceId),
      status: text(task.status),
      start_time: time(task.startTime),
      end_time: time(task.endTime),
      duration_seconds: seconds(task.duration),
      percent_complete: number(task.progressPercentage),
      detail: text(task.taskExecutionDetails),
    })),
    errors: jobFaults(properties),
    backup_size_bytes: bytes(inBag(bag, /^Backup Size$/i)),
    transferred_bytes: transferredOf(bag, tasks),
    properties: bag,
    ...(includeRaw ? { raw: body } : {}),
  }
}
