/** What an item's policy has done before simulated time starts: the points that are still kept, and the jobs of the last day. */
import type { Fields } from '../backup/fields.ts'
import type { SeedItem } from '../generated/seed.ts'
import { courses, givenUpAt } from './backups.ts'
import { troubleOf } from './estate-troubles.ts'
import { pointOf, takenFrom, termsOf } from './points.ts'
import { type Run, runsBetween } from './schedules.ts'
import { type Item, type Job, keyOf, type Point, type Trouble } from './state.ts'
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

type Past = readonly { run: Run; terms: ReturnType<typeof termsOf> }[]

/**
 * The backups that a policy has done in the days before a moment, worked out once for all items that have it: a large
 * estate has thousands.
 */
export const createPasts = (nowMs: number) => {
  const known = new Map<Fields, Map<string, Past>>()
  return (properties: Fields, workload: Item['workload'], days: number): Past => {
    const ofPolicy = known.get(properties) ?? new Map<string, Past>()
    known.set(properties, ofPolicy)
    const key = `${workload} ${days}`
    const past =
      ofPolicy.get(key) ??
      runsBetween(properties, nowMs - days * dayMs, nowMs).map(run => ({
        run,
        terms: termsOf(properties, workload, { ...run, atMs: run.atMs + untilSnapshotMs }),
      }))
    ofPolicy.set(key, past)
    return past
  }
}

/**
 * Gives an item, which has its policy, the backups of its history up to `untilMs`. Returns the jobs of the day before the
 * start.
 */
export const liveThrough = (
  world: World,
  item: Item,
  history: NonNullable<SeedItem['history']>,
  past: Past,
  untilMs: number,
): Job[] => {
  const startMs = world.state.nowMs
  const failingMs = history.failing_since === undefined ? Infinity : momentMs(history.failing_since, startMs)
  // All points have the disks that the machine has now: one list is enough for them.
  const taking = takenFrom(world, item)
  const last = past.findLast(({ run }) => run.atMs <= untilMs)
  const jobs: Job[] = []
  for (const { run, terms } of past) {
    if (run.atMs > untilMs) break
    const isLast = run === last?.run
    const status: Status = run.atMs >= failingMs ? 'Failed' : ((isLast ? history.last : undefined) ?? 'Completed')
    const isKept = status !== 'Failed' && (terms.expiresMs ?? Infinity) > untilMs
    const isRecent = run.atMs > startMs - dayMs
    if (!isKept && !isRecent && !isLast) continue
    const lastsMs = lastingOf(world, item, run.atMs)
    const taken = { atMs: run.atMs + untilSnapshotMs, kind: run.kind }
    const point = isKept ? pointOf(world, item, taken, run.atMs + lastsMs, terms, taking) : undefined
    if (point) item.points.push(point)
    const trouble = status === 'Completed' ? undefined : troubleOf(history.trouble)
    if (isRecent) jobs.push(jobOf(world, item, { run, status, trouble, lastsMs }, point))
    if (isLast) item.lastBackup = { atMs: run.atMs, status, trouble }
  }
  return jobs
}
