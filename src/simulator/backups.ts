/** Backups, asked for or by a schedule: a job, and at its end a recovery point. */
import { type Fields, number, text } from '../backup/fields.ts'
import { endCancelled, startJob } from './jobs.ts'
import { newPoint } from './points.ts'
import { type Item, type Job, keyOf, type Trouble, type Vault } from './state.ts'
import { troubles } from './troubles.ts'
import type { Effects, World } from './world.ts'

const minuteMs = 60_000

const isRunning = (job: Job | undefined): boolean => job?.status === 'InProgress' || job?.status === 'Cancelling'

/** Whether the last backup of an item still runs. */
export const isBackupRunning = (vault: Vault, { backupJob }: Item): boolean =>
  backupJob !== undefined && isRunning(vault.jobs.get(keyOf(backupJob)))

/** Ends the backup of an item that still runs: the item is being deleted. */
export const giveUpBackup = ({ state }: World, vault: Vault, { backupJob }: Item): void => {
  const job = vault.jobs.get(keyOf(backupJob ?? ''))
  if (job && isRunning(job)) endCancelled(job, state.nowMs)
}

/** What keeps an item from being backed up now. */
const troubleOf = ({ state }: World, { workload, sourceId }: Item): Trouble | undefined => {
  const vm = state.vms.get(keyOf(sourceId))
  if (workload === 'AzureFileShare') return undefined
  if (!vm?.exists) return troubles.vmNotFound
  return vm.isAgentReady ? undefined : troubles.agentUnavailable
}

/** The text of a moment as job bags have it: `6/25/2021 12:00:00 AM`. */
export const bagTime = (atMs: number): string => {
  const date = new Date(atMs)
  const two = (part: number) => String(part).padStart(2, '0')
  const hours = date.getUTCHours()
  return `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()} ${hours % 12 || 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${hours < 12 ? 'AM' : 'PM'}`
}

export interface Course {
  /** About how long it takes. */
  minutes: number
  /** Each with the part of that time at which it ends. */
  tasks: readonly (readonly [name: string, until: number])[]
}

const database: Course = { minutes: 3, tasks: [['Transfer data to vault', 1]] }
export const courses: Readonly<Record<Item['workload'], Course>> = {
  VM: {
    minutes: 12,
    tasks: [
      ['Take Snapshot', 0.2],
      ['Transfer data to vault', 1],
    ],
  },
  AzureFileShare: { minutes: 0.1, tasks: [['Take Snapshot', 1]] },
  SQL: database,
  SAPHana: database,
  SAPAse: database,
}
/** A backup that cannot begin is given up after that part of its time. */
export const givenUpAt = 0.15

export interface BackupAsked {
  /** Full and its like. */
  kind: string
  isUserTriggered: boolean
  /** Where the one who asks says how long the point is kept. */
  expiresMs?: number | undefined
}

/** Starts the job of a backup, whose end makes the point. */
export const startBackup = (
  world: World,
  vault: Vault,
  item: Item,
  { kind, isUserTriggered, expiresMs }: BackupAsked,
): Job => {
  const { minutes, tasks } = courses[item.workload]
  const startMs = world.state.nowMs
  const isVm = item.workload === 'VM'
  const isDatabase = !isVm && item.workload !== 'AzureFileShare'
  const trouble = troubleOf(world, item)
  const wholeMs = Math.round(minutes * minuteMs * (0.9 + 0.2 * world.chance('lasts', item.dataId, startMs)))
  const ends = tasks.map(([, until]) => startMs + Math.round(wholeMs * until))
  const job = startJob(world, vault, {
    operation: 'Backup',
    workload: item.workload,
    entityName: isDatabase && item.serverName ? `${item.friendlyName} [${item.serverName}]` : item.friendlyName,
    lastsMs: trouble ? Math.round(wholeMs * givenUpAt) : wholeMs,
    outcome: trouble ? 'Failed' : 'Completed',
    trouble,
    item: keyOf(item.container, item.name),
    containerName: item.container,
    tasks: tasks.map(([name], at) => ({ name, startMs: ends[at - 1] ?? startMs, endMs: ends[at] ?? startMs })),
    isCancellable: item.workload !== 'AzureFileShare',
    isUserTriggered,
    backupType: isDatabase ? kind : undefined,
    bag: isVm && expiresMs !== undefined ? { 'Recovery Point Expiry Time in UTC': bagTime(expiresMs) } : {},
  })
  item.backupJob = job.id
  world.schedule({
    atMs: job.endMs,
    kind: 'backup-end',
    vault: keyOf(vault.id),
    of: keyOf(item.container, item.name),
    more: { job: job.id, kind, expiresMs },
  })
  return job
}

/** States that the outcome of a backup changes; what was stopped meanwhile stays so. */
const isProtecting = ({ state }: Item): boolean =>
  state === 'IRPending' || state === 'Protected' || state === 'ProtectionError'

/** What a job says of the disks that were taken, where some were not. */
const diskBag = (item: Item): Record<string, string> => {
  const { included, excluded } = item.points.at(-1)?.disks ?? { included: [], excluded: [] }
  const names = (disks: readonly { name: string }[]) => disks.map(({ name }) => name).join('; ')
  return excluded.length === 0 ? {} : { 'Backed-up disk(s)': names(included), 'Excluded disk(s)': names(excluded) }
}

const end = (world: World, vault: Vault, item: Item, job: Job, more: Fields): void => {
  const { trouble, endMs } = job
  if (job.status === 'Failed') {
    item.lastBackup = { atMs: job.startMs, status: 'Failed', trouble }
    if (isProtecting(item)) item.state = 'ProtectionError'
    return
  }
  if (job.status !== 'Completed' && job.status !== 'CompletedWithWarnings') return
  const expiresMs = number(more.expiresMs) ?? undefined
  const point = newPoint(world, vault, item, {
    // The snapshot comes a few seconds after the job's beginning.
    atMs: Math.min(job.startMs + 3000, endMs),
    inVaultMs: endMs,
    kind: text(more.kind) ?? 'Full',
    kept: expiresMs === undefined ? undefined : { expiresMs, rule: 'AdHoc' },
  })
  item.points.push(point)
  job.sizeMb = point.sizeGb * 1024
  Object.assign(job.bag, diskBag(item))
  item.lastBackup = { atMs: job.startMs, status: job.status, trouble }
  if (isProtecting(item)) item.state = 'Protected'
}

export const backupEffects: Effects = {
  'backup-end': (world, { vault: vaultKey, of, more }) => {
    const vault = world.state.vaults.get(vaultKey)
    const item = vault?.items.get(of)
    const job = vault?.jobs.get(keyOf(text(more?.job) ?? ''))
    if (vault && item && job) end(world, vault, item, job, more ?? {})
  },
}
