/** What an item's policy has done before simulated time starts: the points that are still kept, and the jobs of the last day. */
import type { SeedItem } from '../generated/seed.ts'
import { courses, givenUpAt } from './backups.ts'
import { troubleOf } from './estate-troubles.ts'
import { newPoint, policyPropertiesOf } from './points.ts'
import { keptUntil } from './retention.ts'
import { type Run, runsBetween } from './schedules.ts'
import { type Item, type Job, keyOf, type Point, type Trouble, type Vault } from './state.ts'
import type { World } from './world.ts'

const minuteMs = 60_000
export const dayMs = 24 * 60 * minuteMs

/** A snapshot comes a few seconds after its job's beginning. */
const untilSnapshotMs = 3000

/** Hours from the start, or a time. */
export const momentMs = (moment: string | number, startMs: number): number =>
  typeof moment === 'number' ? startMs + Math.round(moment * 60 * minuteMs) : Date.parse(moment)

type Status = 'Completed' | 'CompletedWithWarnings' | 'Failed'

/** What a job is about, where it is about an item. */
export const aboutItem = (item: Item): Pick<Job, 'workload' | 'item' | 'containerName' | 'entityName'> => ({
  workload: item.workload,
  item: keyOf(item.container, item.name),
  containerName: item.container,
  entityName: item.serverName === undefined ? item.friendlyName : `${item.friendlyName} [${item.serverName}]`,
})

/** A course's tasks in the time that a job took. */
export const tasksOf = (tasks: (typeof courses)['VM']['tasks'], startMs: number, lastsMs: number): Job['tasks'] => {
  const ends = tasks.map(([, until]) => startMs + Math.round(lastsMs * until))
  return tasks.map(([name], at) => ({ name, startMs: ends[at - 1] ?? startMs, endMs: ends[at] ?? startMs }))
}

const lastingOf = ({ chance }: World, { workload, dataId }: Item, atMs: number): number =>
  Math.round(courses[workload].minutes * minuteMs * (0.9 + 0.2 * chance('lasts', dataId, atMs)))

interface Ended {
  run: Run
  status: Status
  trouble: Trouble | undefined
  lastsMs: number
}

const jobOf = (world: World, item: Item, { run, status, trouble, lastsMs }: Ended, point: Point | undefined): Job => ({
  ...aboutItem(item),
  id: world.newGuid(),
  operation: 'Backup',
  startMs: run.atMs,
  endMs: run.atMs + (status === 'Failed' ? Math.round(lastsMs * givenUpAt) : lastsMs),
  status,
  outcome: status,
  tasks: tasksOf(courses[item.workload].tasks, run.atMs, lastsMs),
  trouble,
  bag: {},
  isCancellable: item.workload !== 'AzureFileShare',
  isUserTriggered: false,
  backupType: item.serverName === undefined ? undefined : run.kind,
  sizeMb: point ? point.sizeGb * 1024 : 0,
})

/**
 * Gives an item, which has its policy, the backups of its history up to `untilMs`. Returns the jobs of the day before the
 * start.
 */
export const liveThrough = (
  world: World,
  vault: Vault,
  item: Item,
  history: NonNullable<SeedItem['history']>,
  untilMs: number,
): Job[] => {
  const properties = policyPropertiesOf(vault, item)
  const startMs = world.state.nowMs
  const failingMs =
    history.failing_since === undefined ? Number.POSITIVE_INFINITY : momentMs(history.failing_since, startMs)
  const runs = properties ? runsBetween(properties, startMs - history.days * dayMs, untilMs) : []
  const jobs: Job[] = []
  let disks: Point['disks']
  for (const [index, run] of runs.entries()) {
    const isLast = index === runs.length - 1
    const status: Status = run.atMs >= failingMs ? 'Failed' : ((isLast ? history.last : undefined) ?? 'Completed')
    const trouble = status === 'Completed' ? undefined : troubleOf(history.trouble)
    const lastsMs = lastingOf(world, item, run.atMs)
    const isKept = status !== 'Failed' && properties && keptUntil(properties, run.kind, run.atMs).expiresMs > untilMs
    let point: Point | undefined
    if (isKept) {
      const times = { atMs: run.atMs + untilSnapshotMs, inVaultMs: run.atMs + lastsMs }
      point = newPoint(world, vault, item, { ...times, kind: run.kind, kept: undefined })
      // All of them had the disks that the machine has: one list is enough for them.
      disks ??= point.disks
      point.disks = disks
      item.points.push(point)
    }
    if (run.atMs > startMs - dayMs) jobs.push(jobOf(world, item, { run, status, trouble, lastsMs }, point))
    if (isLast) item.lastBackup = { atMs: run.atMs, status, trouble }
  }
  return jobs
}
