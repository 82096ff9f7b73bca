/** Jobs of a vault: backups, restores and changes of configuration, in its own region and in the paired one. */
import type { ListBackupJobsInput, ListBackupJobsOutput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument, checkAll } from '../tools/input-error.ts'
import { isName, parseArmId, sameText, type VaultRef } from './arm-ids.ts'
import { datasources, workloadOf, workloadWord } from './datasources.ts'
import { fields, text } from './fields.ts'
import { filterOf } from './filters.ts'
import { checkSelector, type ItemNames, resolveItem, sameHost } from './items.ts'
import { jobEnd, percentOf, toJobDetails, toJobRow } from './job-rows.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { pairedRegion } from './regions.ts'
import { regionPath, vaultLocation } from './vault-location.ts'
import { checkVault, withVaultOf } from './vault-names.ts'
import { follow, type Step } from './waiting.ts'
import { filterTimes, type Window, windowOf } from './windows.ts'

const dayMs = 24 * 3_600_000

/** The path under which the vault's paired region keeps its jobs. */
const secondaryPath = async (vault: VaultRef, context: ToolContext): Promise<string> => {
  const location = await vaultLocation(vault, context)
  const region = pairedRegion(location)
  if (region === undefined)
    throw new Problem(
      'precondition_failed',
      `${location || 'The region of the vault'} has no paired region.`,
      'Leave secondary_region out: all of this vault is in its own region.',
    )
  return regionPath(vault.subscriptionId, region)
}

/** Jobs name their item by plain names, and not all of them; what a job does not name cannot tell it apart. */
const isJobOf = (names: ItemNames, raw: unknown): boolean => {
  const properties = fields(fields(raw).properties)
  const managementType = text(properties.backupManagementType)
  const entity = text(properties.entityFriendlyName)
  if (workloadOf(workloadWord(text(properties.workloadType), managementType), managementType) !== names.workload)
    return false
  if (names.workload === 'VM') {
    const container = text(properties.containerName)?.split(';')
    return container
      ? sameText(container.at(-1), names.vmName) && sameText(container.at(-2), names.resourceGroup)
      : sameText(entity, names.vmName)
  }
  if (names.workload === 'AzureFileShare') {
    const account = text(properties.storageAccountName)
    return sameText(entity, names.friendlyName) && (account === null || sameText(account, names.storageAccount))
  }
  // Of an availability group the instance is the group.
  const isOn = (server: string | null | undefined) =>
    !server ||
    names.servers.length === 0 ||
    names.servers.some(name => sameHost(name, server)) ||
    sameText(server, names.instanceName)
  const agent = text(properties.mabServerName) ?? text(properties.dpmServerName)
  if (sameText(entity, names.friendlyName)) return isOn(agent)
  // `orders` for configuration, `orders [sql-01]` for backups and restores.
  const [, database, server] = /^(.*) \[([^[\]]*)\]$/.exec(entity ?? '') ?? []
  return sameText(database, names.friendlyName) && isOn(server)
}

const windowOfJobs = (input: ListBackupJobsInput, nowMs: number): Window =>
  windowOf(input, nowMs, untilMs => untilMs - dayMs)

const isStatus = (status: string | null, asked: string): boolean =>
  sameText(status, asked) || (jobEnd(asked) !== undefined && jobEnd(status) === jobEnd(asked))

/** Databases say how: `Backup (Full)` is a `Backup`. */
const isOperation = (operation: string | null, asked: string): boolean =>
  sameText(operation?.replace(/ \(.*\)$/, ''), asked)

const listBackupJobs: Handlers['list_backup_jobs'] = async (input, context) => {
  const { item } = input
  const nowMs = context.clock.now()
  checkAll(
    () => checkCursor('list_backup_jobs', input),
    () => checkVault(input.vault, context),
    () => item !== undefined && checkSelector(item, input.workload_type),
    () => windowOfJobs(input, nowMs),
  )
  const window = windowOfJobs(input, nowMs)
  return withVaultOf('item', item, input.vault, context, vault => jobsIn(vault, input, window, context))
}

const jobsIn = async (
  vault: VaultRef,
  input: ListBackupJobsInput,
  window: Window,
  context: ToolContext,
): Promise<ListBackupJobsOutput> => {
  const { workload_type: workload, item } = input
  const [target, secondary] = await Promise.all([
    item === undefined ? undefined : resolveItem(item, workload, vault, context),
    input.secondary_region ? secondaryPath(vault, context) : undefined,
  ])
  const kind = workload ?? target?.names.workload
  const { start: startTime, end: endTime } = filterTimes(window)
  const query = filterOf({
    startTime,
    endTime,
    operation: input.operation,
    status: input.status,
    backupManagementType: kind && datasources[kind].managementType,
  })
  const source: Source = {
    key: vault.id,
    pages: options =>
      secondary === undefined
        ? context.arm.pages(`${vault.id}/backupJobs`, query, options)
        : context.arm.pages(`${secondary}/backupCrrJobs`, query, { ...options, body: { resourceId: vault.id } }),
  }
  const listed = await listRows('list_backup_jobs', input, [source], raw => {
    const row = toJobRow(raw, vault)
    if (workload !== undefined && workloadOf(row.workload_type, row.backup_management_type) !== workload)
      return undefined
    // Azure filters by these too. A recording cannot: the times in a recorded filter are never those of today.
    if (input.status !== undefined && !isStatus(row.status, input.status)) return undefined
    if (input.operation !== undefined && !isOperation(row.operation, input.operation)) return undefined
    return target === undefined || isJobOf(target.names, raw) ? row : undefined
  })
  return answerOf('jobs', listed)
}

/**
 * The newest job of an operation on an item since a moment of Azure's clock; undefined where the list has none. One list,
 * which may take some seconds to show what Azure has just taken.
 */
export const findJobSince = async (
  operation: string,
  names: ItemNames,
  vault: VaultRef,
  since: Date,
  { arm }: ToolContext,
): Promise<unknown> => {
  const { start: startTime, end: endTime } = filterTimes({
    sinceMs: since.getTime(),
    untilMs: since.getTime() + dayMs,
  })
  const query = filterOf({
    startTime,
    endTime,
    operation,
    backupManagementType: names.workload && datasources[names.workload].managementType,
  })
  const sinceMs = Math.floor(since.getTime() / 1000) * 1000
  for await (const { rows } of arm.pages(`${vault.id}/backupJobs`, query))
    for (const raw of rows) {
      const row = toJobRow(raw, vault)
      const isLater = Date.parse(row.start_time ?? '') >= sinceMs
      if (isLater && isOperation(row.operation, operation) && isJobOf(names, raw)) return raw
    }
  return undefined
}

/** Reads one job once; of the paired region where its path is given. */
export const readJob = (
  jobId: string,
  vault: VaultRef,
  { arm }: ToolContext,
  secondary: string | undefined,
): Promise<unknown> =>
  secondary === undefined
    ? arm.getResource(`${vault.id}/backupJobs/${jobId}`)
    : arm.readingPost(`${secondary}/backupCrrJob`, {}, { resourceId: vault.id, jobName: jobId })

/** The path of the region that an id lies in: jobs and operations of the paired region lie in no vault. */
export const regionIn = (id: string, vault: VaultRef): string | undefined => {
  const region = parseArmId(id)?.names.get('locations')
  return region !== undefined && isName(region) ? regionPath(vault.subscriptionId, region) : undefined
}

/** One look at a job, for following it. */
export const jobStep = (raw: unknown, vault: VaultRef): Step<unknown> => {
  const { operation, status, friendly_name: name } = toJobRow(raw, vault)
  return {
    value: raw,
    isOver: jobEnd(status) !== undefined,
    retryAfterSeconds: undefined,
    percent: percentOf(fields(fields(raw).properties)),
    message: [operation, name, status].filter(part => part).join(' '),
  }
}

export const jobIdIn = (given: string): string => {
  const jobId = given.startsWith('/') ? parseArmId(given)?.names.get('backupjobs') : given
  if (jobId !== undefined && isName(jobId)) return jobId
  throw badArgument('job_id', 'must be the id of a job as recovery_services_list_backup_jobs gives it')
}

const getJobDetails: Handlers['get_job_details'] = async (input, context) => {
  checkAll(
    () => jobIdIn(input.job_id),
    () => checkVault(input.vault, context),
  )
  const jobId = jobIdIn(input.job_id)
  // The id of a job in the secondary region lies in no vault: …/locations/{region}/backupJobs/{id}
  return withVaultOf('job_id', input.job_id, input.vault, context, async vault => {
    const secondary =
      regionIn(input.job_id, vault) ?? (input.secondary_region ? await secondaryPath(vault, context) : undefined)
    const { value } = await follow(input.wait_seconds ?? 0, context, async () =>
      jobStep(await readJob(jobId, vault, context, secondary), vault),
    )
    return toJobDetails(value, vault, input.include_raw)
  })
}

export const jobs = { list_backup_jobs: listBackupJobs, get_job_details: getJobDetails } satisfies Partial<Handlers>
