/** The items and jobs of an estate's vault as the state has them. */
import type { SeedItem, SeedJob, SeedSource, SeedVault } from '../generated/seed.ts'
import { courses } from './backups.ts'
import { aboutItem, type createPasts, dayMs, liveThrough, momentMs, tasksOf } from './estate-history.ts'
import { meant, type Places } from './estate-names.ts'
import { troubleOf } from './estate-troubles.ts'
import { addItem, vmItemOf } from './making.ts'
import { disksOf, policyPropertiesOf } from './points.ts'
import { planNextRun } from './schedules-runner.ts'
import { databaseItemOf, shareItemOf } from './sources.ts'
import { type Item, type Job, keyOf, type Point, type State, type Vault } from './state.ts'
import type { World } from './world.ts'

export interface Names {
  vms: Places
  accounts: Places
}

const minuteMs = 60_000

const idOf = (places: Places, ref: unknown, { subscriptionId }: Vault): string =>
  keyOf(meant(places, ref, subscriptionId)[0]?.id ?? '')

export const vmOf = ({ vms }: State, names: Names, vault: Vault, ref: unknown) => vms.get(idOf(names.vms, ref, vault))
export const accountOf = ({ storageAccounts }: State, names: Names, vault: Vault, ref: unknown) =>
  storageAccounts.get(idOf(names.accounts, ref, vault))

/** Digits, as a VM's `protectedItemDataId` has them. */
const newDataId = (world: World): string => world.newPointId().slice(0, 14)

/** The item of a source, as it is when it has just been protected. Throws where the names mean nothing. */
const itemOf = (state: State, names: Names, vault: Vault, source: SeedSource, policy: string, dataId: string): Item => {
  const { vm: vmRef, instance: instanceRef = '', database, storage_account: accountRef, share } = source
  const vm = vmRef === undefined ? undefined : vmOf(state, names, vault, vmRef)
  if (vm && database === undefined) return vmItemOf(vm, policy, dataId)
  const instance = vm?.instances.find(({ name }) => keyOf(name) === keyOf(instanceRef))
  const found = instance?.databases.find(name => keyOf(name) === keyOf(database ?? ''))
  if (vm && instance && found !== undefined) return databaseItemOf(vm, instance, found, policy, dataId)
  const account = accountRef === undefined ? undefined : accountOf(state, names, vault, accountRef)
  if (account && share !== undefined) return shareItemOf(account, share, policy, dataId)
  throw new Error(`no source is called ${JSON.stringify(source)}`)
}

const pointKind = ({ workload }: Item): string =>
  workload === 'VM' ? 'AppConsistent' : workload === 'AzureFileShare' ? 'FileSystemConsistent' : 'Full'

const pointsOf = (world: World, item: Item, given: NonNullable<SeedItem['points']>): Point[] => {
  const { nowMs } = world.state
  const moment = (of: string | number | undefined) => (of === undefined ? undefined : momentMs(of, nowMs))
  return given.map(({ id, at, kind, expires, rule, in_vault, snapshot_until, archived, size_gb }) => ({
    id: id ?? world.newPointId(),
    atMs: momentMs(at, nowMs),
    kind: kind ?? pointKind(item),
    expiresMs: moment(expires),
    rule: rule ?? 'AdHoc',
    inVaultMs: moment(in_vault),
    snapshotUntilMs: moment(snapshot_until),
    isArchived: archived ?? false,
    sizeGb: size_gb ?? 1,
    disks: item.workload === 'VM' ? disksOf(world, item) : undefined,
  }))
}

const lastStatus = ({ lastBackup, points }: Item): Item['state'] => {
  if (lastBackup?.status === 'Failed') return 'ProtectionError'
  return lastBackup || points.length > 0 ? 'Protected' : 'IRPending'
}

type PastOf = ReturnType<typeof createPasts>

/** Gives an item what its seed says, and plans what is going to happen to it. Returns the jobs that it has had. */
const settle = (world: World, vault: Vault, item: Item, given: SeedItem, pastOf: PastOf): Job[] => {
  const { nowMs } = world.state
  const properties = policyPropertiesOf(vault, item) ?? {}
  const { soft_deleted: deleted, disk_exclusion: exclusion, last_backup: last, history } = given
  const deletedMs = deleted && momentMs(deleted.at, nowMs)
  if (given.server_name !== undefined) item.serverName = given.server_name
  if (exclusion) item.diskExclusion = { luns: exclusion.luns, isInclusionList: exclusion.is_inclusion_list }
  const untilMs = history?.until === undefined ? (deletedMs ?? nowMs) : momentMs(history.until, nowMs)
  const past = history ? pastOf(properties, item.workload, history.days) : []
  const jobs = history ? liveThrough(world, item, history, past, untilMs) : []
  item.points.push(...pointsOf(world, item, given.points ?? []))
  item.points.sort((a, b) => a.atMs - b.atMs)
  item.logs = (given.logs ?? []).map(({ from, to }) => ({ startMs: momentMs(from, nowMs), endMs: momentMs(to, nowMs) }))
  if (last) item.lastBackup = { atMs: momentMs(last.at, nowMs), status: last.status, trouble: troubleOf(last.trouble) }
  item.state = given.state ?? (deleted ? 'ProtectionStopped' : lastStatus(item))
  if (item.state === 'ProtectionStopped') item.policy = undefined
  if (deletedMs !== undefined) {
    item.softDeleted = { atMs: deletedMs, days: deleted?.days ?? vault.softDelete.days }
    const atMs = deletedMs + item.softDeleted.days * dayMs
    const of = keyOf(item.container, item.name)
    world.schedule({ atMs, kind: 'item-purge', vault: keyOf(vault.id), of, more: undefined })
  }
  planNextRun(world, vault, item)
  return jobs
}

const restoring = [['Transfer data from vault', 1]] as const

const jobOf = (world: World, given: SeedJob, item: Item | undefined): Job => {
  const { operation, entity, workload, minutes, backup_type, bag = {} } = given
  const startMs = momentMs(given.started, world.state.nowMs)
  const lastsMs = Math.round(minutes * minuteMs)
  const status = given.status ?? 'Completed'
  const about = item && aboutItem(item)
  const kind = workload ?? about?.workload ?? 'VM'
  const tasks = operation === 'Backup' ? courses[kind].tasks : /Restore$/.test(operation) ? restoring : []
  return {
    item: undefined,
    containerName: undefined,
    ...about,
    id: world.newGuid(),
    operation,
    workload: kind,
    entityName: entity ?? about?.entityName ?? '',
    startMs,
    endMs: startMs + lastsMs,
    status,
    outcome: given.outcome ?? (status === 'InProgress' ? 'Completed' : status),
    tasks: tasksOf(tasks, startMs, lastsMs),
    trouble: troubleOf(given.trouble),
    bag: Object.fromEntries(Object.entries(bag).map(([name, value]) => [name, value ?? ''])),
    isCancellable: tasks.length > 0 && kind !== 'AzureFileShare',
    isUserTriggered: given.user_triggered ?? true,
    backupType: backup_type,
    sizeMb: given.size_mb ?? 0,
  }
}

/** Lets a job that runs end by itself, a backup with its point. */
const planEnd = (world: World, vault: Vault, job: Job, item: Item | undefined): void => {
  const { id, endMs: atMs, operation, backupType } = job
  const due = { atMs, vault: keyOf(vault.id) }
  world.schedule({ ...due, kind: 'job-end', of: keyOf(id), more: undefined })
  if (operation !== 'Backup' || !item) return
  item.backupJob = id
  const more = { job: id, kind: backupType ?? 'Full' }
  world.schedule({ ...due, kind: 'backup-end', of: keyOf(item.container, item.name), more })
}

const sourceKey = (source: SeedSource, names: Names, vault: Vault): string =>
  keyOf(
    idOf(names.vms, source.vm, vault),
    idOf(names.accounts, source.storage_account, vault),
    source.instance ?? '',
    source.database ?? source.share ?? '',
  )

/** Adds a vault's items and jobs, the jobs in the order in which they began. */
export const addItems = (world: World, names: Names, pastOf: PastOf, vault: Vault, given: SeedVault): void => {
  const bySource = new Map<string, Item>()
  const jobs: Job[] = []
  for (const row of given.items ?? []) {
    const item = itemOf(world.state, names, vault, row.source, row.policy ?? '', newDataId(world))
    addItem(vault, item)
    jobs.push(...settle(world, vault, item, row, pastOf))
    bySource.set(sourceKey(row.source, names, vault), item)
  }
  for (const row of given.jobs ?? []) {
    const item = row.source && bySource.get(sourceKey(row.source, names, vault))
    const job = jobOf(world, row, item)
    jobs.push(job)
    if (job.status === 'InProgress') planEnd(world, vault, job, item)
  }
  for (const job of jobs.sort((a, b) => a.startMs - b.startMs)) vault.jobs.set(keyOf(job.id), job)
}
