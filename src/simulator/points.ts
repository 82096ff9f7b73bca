/** Recovery points and log ranges as time changes them: they expire, go to the archive, grow. */
import { type Fields, list } from '../backup/fields.ts'
import {
  archivedFrom,
  isSnapshotOnly,
  type Kept,
  keptFromNow,
  keptUntil,
  logsKeptMs,
  snapshotUntil,
} from './retention.ts'
import { logFrequencyMs, type Run } from './schedules.ts'
import { type Item, keyOf, type Point, type Vault } from './state.ts'
import type { World } from './world.ts'

/** The policy of an item; undefined where it has none. */
export const policyPropertiesOf = (vault: Vault, { policy }: Item): Fields | undefined =>
  policy === undefined ? undefined : vault.policies.get(policy)?.properties

const isTiered = ({ tieringPolicy, subProtectionPolicy }: Fields): boolean =>
  tieringPolicy !== undefined || list(subProtectionPolicy).some(part => part.tieringPolicy !== undefined)

/** What is stopped keeps its points for good, what is soft-deleted as they are. */
const doPointsExpire = ({ state, softDeleted }: Item): boolean => state !== 'ProtectionStopped' && !softDeleted

/**
 * The points that an item has now, oldest first. Those that have expired are dropped from the item (never the last one),
 * those whose time has come are archived.
 */
export const pointsOf = (vault: Vault, item: Item, nowMs: number): readonly Point[] => {
  const properties = policyPropertiesOf(vault, item)
  if (!properties || !doPointsExpire(item)) return item.points
  const newest = item.points.at(-1)
  if (item.points.some(({ expiresMs }) => expiresMs !== undefined && expiresMs <= nowMs))
    item.points = item.points.filter(
      point => point === newest || point.expiresMs === undefined || point.expiresMs > nowMs,
    )
  if (isTiered(properties))
    for (const point of item.points)
      if (!point.isArchived && (archivedFrom(properties, point.kind, point) ?? Number.POSITIVE_INFINITY) <= nowMs)
        point.isArchived = true
  return item.points
}

/** The moment in the middle of a range after which nothing was backed up any more. */
const lastLogMs = (endMs: number, frequencyMs: number, nowMs: number): number =>
  endMs + Math.max(Math.floor((nowMs - endMs) / frequencyMs), 0) * frequencyMs

/**
 * The ranges that an item's logs can restore to, oldest first. A scheduled log backup is over at once, so the last range
 * grows by the policy's frequency while the item is protected; what is older than the policy keeps is cut off.
 */
export const logsOf = (item: Item, vault: Vault, nowMs: number): Item['logs'] => {
  const properties = policyPropertiesOf(vault, item)
  const frequencyMs = properties && logFrequencyMs(properties)
  if (!properties || frequencyMs === undefined || item.softDeleted || item.state !== 'Protected') return item.logs
  const first = item.points.find(({ kind }) => kind === 'Full')?.atMs
  if (item.logs.length === 0 && first !== undefined) item.logs.push({ startMs: first, endMs: first })
  const last = item.logs.at(-1)
  if (last) last.endMs = lastLogMs(last.endMs, frequencyMs, nowMs)
  const keptMs = nowMs - logsKeptMs(properties)
  item.logs = item.logs
    .filter(({ endMs }) => endMs > keptMs)
    .map(({ startMs, endMs }) => ({ startMs: Math.max(startMs, keptMs), endMs }))
  return item.logs
}

const gigabytes = (disks: Point['disks']): number => disks?.included.reduce((sum, { sizeGb }) => sum + sizeGb, 0) ?? 0

/** The disks that a backup of a VM takes now, and those that it leaves out; undefined for anything else. */
export const disksOf = ({ state }: World, { sourceId, diskExclusion }: Item): Point['disks'] => {
  const vm = state.vms.get(keyOf(sourceId))
  if (!vm) return undefined
  const isTaken = (lun: number): boolean => {
    if (lun < 0 || !diskExclusion) return true
    return diskExclusion.luns.includes(lun) === diskExclusion.isInclusionList
  }
  const copies = vm.disks.map(disk => ({ ...disk }))
  return { included: copies.filter(({ lun }) => isTaken(lun)), excluded: copies.filter(({ lun }) => !isTaken(lun)) }
}

const vmKinds: Readonly<Record<'Linux' | 'Windows', string>> = {
  Linux: 'FileSystemConsistent',
  Windows: 'AppConsistent',
}

export interface NewPoint {
  atMs: number
  /** When its data is in the vault. */
  inVaultMs: number
  /** Full and its like, as the schedule says. */
  kind: string
  /** Where it was asked for with an end of its own. */
  kept: Kept | undefined
}

type Terms = Pick<Point, 'expiresMs' | 'rule' | 'snapshotUntilMs'> & { isSnapshotOnly: boolean }

/** What a policy makes of a backup of that workload, kind and moment; `asked`: where it was asked for with an end of its own. */
export const termsOf = (properties: Fields, workload: Item['workload'], run: Run, asked?: Kept): Terms => {
  const { expiresMs, rule } = asked ?? keptUntil(properties, run.kind, run.atMs)
  if (workload === 'AzureFileShare') return { expiresMs, rule, snapshotUntilMs: expiresMs, isSnapshotOnly: true }
  if (workload !== 'VM') return { expiresMs, rule, snapshotUntilMs: undefined, isSnapshotOnly: false }
  return {
    expiresMs,
    rule,
    snapshotUntilMs: Math.min(snapshotUntil(properties, run.atMs), expiresMs),
    isSnapshotOnly: !asked && isSnapshotOnly(properties, run.atMs),
  }
}

/** What a backup of an item takes. */
interface Taken {
  /** Undefined: as the schedule says. */
  kind: string | undefined
  disks: Point['disks']
  gigabytes: number
}

/** What a backup of an item would take now. */
export const takenFrom = (world: World, item: Item): Taken => {
  if (item.workload !== 'VM')
    return {
      kind: item.workload === 'AzureFileShare' ? 'FileSystemConsistent' : undefined,
      disks: undefined,
      gigabytes: 20,
    }
  const disks = disksOf(world, item)
  const osType = world.state.vms.get(keyOf(item.sourceId))?.osType ?? 'Windows'
  return { kind: vmKinds[osType], disks, gigabytes: gigabytes(disks) }
}

/**
 * Puts the points of an item under its policy as it is from now on, as Azure does when a policy or an item's policy is
 * changed; `before` is what kept them until now. What was asked for with an end of its own keeps it.
 */
export const keepByPolicy = (vault: Vault, item: Item, before: Fields | undefined, nowMs: number): void => {
  const properties = policyPropertiesOf(vault, item)
  if (!properties) return
  for (const point of item.points) {
    if (point.rule === 'AdHoc') continue
    const isSnapshotOnly = item.workload === 'VM' && point.inVaultMs === undefined
    const snapshotUntilMs = snapshotUntil(properties, point.atMs)
    // What no rule keeps any more goes at once.
    const { expiresMs, rule } = isSnapshotOnly
      ? { expiresMs: snapshotUntilMs, rule: point.rule }
      : (keptFromNow(properties, before, point) ?? { expiresMs: nowMs, rule: point.rule })
    Object.assign(point, { expiresMs, rule })
    // Databases have no snapshots, and one that is gone stays gone.
    if (point.snapshotUntilMs !== undefined && point.snapshotUntilMs > nowMs)
      point.snapshotUntilMs = item.workload === 'VM' ? Math.min(snapshotUntilMs, expiresMs) : expiresMs
  }
}

/** A point of an item under these terms; it is not added to the item. */
export const pointOf = (
  world: World,
  item: Item,
  { atMs, kind }: Run,
  inVaultMs: number,
  { expiresMs, rule, snapshotUntilMs, isSnapshotOnly }: Terms,
  taken: Taken,
): Point => {
  const part = 0.1 + 0.1 * world.chance('size', item.dataId, Math.floor(atMs / 1000))
  return {
    id: world.newPointId(),
    atMs,
    kind: taken.kind ?? kind,
    expiresMs,
    rule,
    inVaultMs: isSnapshotOnly ? undefined : inVaultMs,
    snapshotUntilMs,
    isArchived: false,
    sizeGb: Math.max(1, Math.round(taken.gigabytes * part)),
    disks: taken.disks,
  }
}

/** A point of an item as its policy makes it; it is not added to the item. */
export const newPoint = (world: World, vault: Vault, item: Item, { atMs, inVaultMs, kind, kept }: NewPoint): Point => {
  const terms = termsOf(policyPropertiesOf(vault, item) ?? {}, item.workload, { atMs, kind }, kept)
  return pointOf(world, item, { atMs, kind }, inVaultMs, terms, takenFrom(world, item))
}
