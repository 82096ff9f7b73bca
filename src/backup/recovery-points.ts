/**
 * Recovery points of one item. Databases have two lists of them: backups, and the ranges that their logs can restore to,
 * which Azure leaves out unless it is asked for them (section 8 of the wire facts). Both make one list here.
 */
import type { Arm, Page, Query } from '../arm/arm.ts'
import { InvalidContinuation } from '../arm/paging.ts'
import type { ListRecoveryPointsInput, ListRecoveryPointsOutput } from '../generated/tools.ts'
import type { Handlers } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import { lastName, sameText } from './arm-ids.ts'
import { datasources } from './datasources.ts'
import { type Fields, fields, flag, list, number, text, time, whole, word } from './fields.ts'
import { filterOf } from './filters.ts'
import { checkSelector, locateItem, type ProtectedItemRef } from './items.ts'
import { answerOf, checkCursor, listRows, type Source } from './lists.ts'
import { checkVault, withVaultOf } from './vault-names.ts'
import { filterTimes, type Window, windowOf } from './windows.ts'

export type PointRow = ListRecoveryPointsOutput['recovery_points'][number]

/** Azure's enumerations in the order of their definitions: 2020-10-01 sends their numbers, later versions the words. */
const tierTypes = ['Invalid', 'InstantRP', 'HardenedRP', 'ArchivedRP']
const tierStatuses = ['Invalid', 'Valid', 'Disabled', 'Deleted', 'Rehydrated']
const backupTypes = ['Invalid', 'Full', 'Log', 'Differential', 'Incremental', 'SnapshotFull', 'SnapshotCopyOnlyFull']

const wordOf = (words: readonly string[], value: unknown): string | null => {
  const told = word(value)
  return told === null ? null : (words[Number(told)] ?? told)
}

/** Rows of a list that may be left out; null where it is. */
const listOf = <Row>(value: unknown, toRow: (each: Fields) => Row): Row[] | null =>
  Array.isArray(value) ? list(value).map(toRow) : null

const toDisk = ({ lun, name }: Fields) => ({ lun: whole(lun), name: text(name) })

const disksOf = (value: unknown): PointRow['disks'] => {
  const { numberOfDisksIncludedInBackup, numberOfDisksAttachedToVm, includedDiskList, excludedDiskList } = fields(value)
  if (!value) return null
  return {
    backed_up: whole(numberOfDisksIncludedInBackup),
    attached: whole(numberOfDisksAttachedToVm),
    included: listOf(includedDiskList, toDisk),
    excluded: listOf(excludedDiskList, toDisk),
  }
}

const archiveOf = (readiness: unknown): PointRow['archive'] => {
  const { ArchivedRP } = fields(readiness)
  if (!ArchivedRP) return null
  const { isReadyForMove, additionalInfo } = fields(ArchivedRP)
  return { is_ready: flag(isReadyForMove), reason: text(additionalInfo) }
}

const zoneOf = (zones: unknown): string | null =>
  text(Array.isArray(zones) ? zones.flatMap(zone => word(zone) ?? []).join(', ') : zones)

/** Ids have more digits than a number holds: they are taken from texts only. */
const pointIdOf = (raw: unknown): string => {
  const { name, id } = fields(raw)
  return text(name) ?? lastName(text(id) ?? '')
}

export const toPointRow = (raw: unknown, item: ProtectedItemRef): PointRow => {
  const id = text(fields(raw).id) ?? ''
  const properties = fields(fields(raw).properties)
  const kept = fields(properties.recoveryPointProperties)
  const size = number(properties.recoveryPointSizeInGB)
  const [, itemId] = /^(.+)\/recoveryPoints\/[^/]+$/i.exec(id) ?? []
  return {
    id,
    recovery_point_id: pointIdOf(raw),
    vault_name: item.vault.vaultName,
    item_id: itemId ?? item.id,
    time: time(properties.recoveryPointTime) ?? time(properties.recoveryPointTimeInUTC),
    consistency: text(properties.recoveryPointType),
    backup_type: wordOf(backupTypes, properties.type),
    tiers: listOf(properties.recoveryPointTierDetails, ({ type, status }) => ({
      tier: wordOf(tierTypes, type),
      status: wordOf(tierStatuses, status),
    })),
    zone: zoneOf(properties.zones),
    expiry_time: time(kept.expiryTime),
    rule_name: text(kept.ruleName),
    is_immutable: flag(fields(kept.immutabilityProperties).isImmutable),
    is_soft_deleted: flag(kept.isSoftDeleted),
    time_ranges: listOf(properties.timeRanges, ({ startTime, endTime }) => ({
      start_time: time(startTime),
      end_time: time(endTime),
    })),
    disks: disksOf(properties.recoveryPointDiskConfiguration),
    size_bytes: size === null ? null : size * 1024 ** 3,
    os_type: text(properties.osType),
    is_encrypted: flag(properties.isSourceVMEncrypted),
    is_managed_vm: flag(properties.isManagedVirtualMachine),
    vm_size: text(properties.virtualMachineSize),
    is_mounted: flag(properties.isInstantIlrSessionActive),
    secondary_region_state: text(properties.crossRegionRestoreState),
    archive: archiveOf(properties.recoveryPointMoveReadinessInfo),
    threat_status: text(properties.threatStatus),
  }
}

/** Ranges of logs, not a backup: `AzureWorkloadSQLPointInTimeRecoveryPoint` and its like. */
const isLogRow = (raw: unknown): boolean => {
  const { objectType, type, timeRanges } = fields(fields(raw).properties)
  return (
    Array.isArray(timeRanges) ||
    /PointInTime/i.test(text(objectType) ?? '') ||
    sameText(wordOf(backupTypes, type), 'Log')
  )
}

/** The moment of a point, and of ranges the newest that they reach. */
const newestMs = (raw: unknown): number => {
  const { recoveryPointTime, recoveryPointTimeInUTC, timeRanges } = fields(fields(raw).properties)
  const times = [recoveryPointTime, recoveryPointTimeInUTC, ...list(timeRanges).map(({ endTime }) => endTime)]
  return Math.max(...times.map(each => Date.parse(time(each) ?? '')).filter(atMs => !Number.isNaN(atMs)))
}

const newestFirst = (rows: readonly unknown[]): unknown[] => {
  const dated = rows.map(raw => ({ raw, atMs: newestMs(raw) }))
  return dated.sort((a, b) => (a.atMs === b.atMs ? 0 : b.atMs - a.atMs)).map(({ raw }) => raw)
}

interface PointLists {
  path: string
  query: Query
  /** The filter of the ranges; undefined for what has no logs. */
  logFilter: string | undefined
}

/**
 * Pages of points, each newest first. The ranges of a database are told on its first page, whichever list holds them: their
 * own list is read whole, and later pages leave them out. A first page that has them is named by its address and, behind
 * a `#`, by their filter, so that a cursor into it asks for both again.
 */
async function* pointPages(
  { pages }: Pick<Arm, 'pages'>,
  { path, query, logFilter }: PointLists,
  from: string | undefined,
): AsyncGenerator<Page, void, void> {
  const [address, ownLogFilter] = from?.split('#') ?? [undefined, logFilter]
  const points = pages(path, query, { from: address })
  if (ownLogFilter !== undefined) {
    if (!/^[\w ':-]+$/.test(ownLogFilter)) throw new InvalidContinuation('the continuation has no filter of ours')
    const [first, logs] = await Promise.all([points.next(), logRows(pages(path, { $filter: ownLogFilter }))])
    if (first.done) return
    const known = new Set(logs.map(pointIdOf))
    const others = first.value.rows.filter(raw => !known.has(pointIdOf(raw)))
    yield { ...first.value, rows: newestFirst([...logs, ...others]), at: `${first.value.at}#${ownLogFilter}` }
  }
  for await (const page of points) {
    const rows = logFilter === undefined ? page.rows : page.rows.filter(raw => !isLogRow(raw))
    yield { ...page, rows: newestFirst(rows) }
  }
}

/** A recording without this list answers with the backups: they come with their own. */
const logRows = async (pages: AsyncIterable<Page>): Promise<unknown[]> => {
  const found: unknown[] = []
  for await (const { rows } of pages) found.push(...rows.filter(isLogRow))
  return found
}

/** What Azure cannot filter by, and what it can: a recording answers with the nearest list that it has. */
const isAskedFor = (row: PointRow, input: ListRecoveryPointsInput, { sinceMs, untilMs }: Window): boolean => {
  const { consistency, tier, since, until } = input
  if (consistency !== undefined && !sameText(row.consistency, consistency)) return false
  const isUsable = (status: string | null) => /^(Valid|Rehydrated)$/i.test(status ?? '')
  if (tier !== undefined && !row.tiers?.some(each => sameText(each.tier, tier) && isUsable(each.status))) return false
  // No time is neither too early nor too late: comparing with NaN is false.
  const isWithin = (start: string | null, end: string | null) =>
    !(since !== undefined && Date.parse(end ?? '') < sinceMs) &&
    !(until !== undefined && Date.parse(start ?? '') > untilMs)
  if (since === undefined && until === undefined) return true
  return row.time_ranges?.some(range => isWithin(range.start_time, range.end_time)) ?? isWithin(row.time, row.time)
}

const beforeAllPoints = Date.UTC(2010, 0, 1)

const listRecoveryPoints: Handlers['list_recovery_points'] = async (input, context) => {
  const { item: selector, since, until } = input
  const nowMs = context.clock.now()
  const windowNow = () => windowOf(input, nowMs, untilMs => Math.min(beforeAllPoints, untilMs))
  checkAll(
    () => checkCursor('list_recovery_points', input),
    () => checkVault(input.vault, context),
    () => checkSelector(selector, input.workload_type),
    windowNow,
  )
  const window = windowNow()
  const { start: startDate, end: endDate } = filterTimes(window)
  const dates = since === undefined && until === undefined ? {} : { startDate, endDate }
  return withVaultOf('item', selector, input.vault, context, async vault => {
    const item = await locateItem(selector, input.workload_type, vault, context)
    const workload = item.names.workload ?? input.workload_type
    const hasLogs = workload !== undefined && datasources[workload].managementType === 'AzureWorkload'
    const lists: PointLists = {
      // The last slash makes it the list of the secondary region.
      path: `${item.id}/recoveryPoints${input.secondary_region ? '/' : ''}`,
      query: filterOf(dates),
      logFilter: hasLogs ? filterOf({ restorePointQueryType: 'Log', ...dates }).$filter : undefined,
    }
    const source: Source = { key: vault.id, pages: ({ from }) => pointPages(context.arm, lists, from) }
    const listed = await listRows('list_recovery_points', input, [source], raw => {
      const row = toPointRow(raw, item)
      return isAskedFor(row, input, window) ? row : undefined
    })
    return answerOf('recovery_points', listed)
  })
}

export const recoveryPoints = { list_recovery_points: listRecoveryPoints } satisfies Partial<Handlers>
