/** The recovery point that a restore starts from: named by its id, or the newest one, of all or up to a moment. */
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import { isName, lastName, parseArmId, sameText } from './arm-ids.ts'
import { list } from './fields.ts'
import { filterOf } from './filters.ts'
import { calledBy } from './item-state.ts'
import type { ProtectedItemRef } from './items.ts'
import { type PointRow, toPointRow } from './recovery-points.ts'
import { filterTimes, isRealTime } from './windows.ts'

export interface PointInput {
  recovery_point_id?: string
  point?: 'latest'
  /** The newest point not later than this. */
  before?: string
}

export interface ChosenPoint {
  /** ARM id, in Azure's spelling. */
  id: string
  /** As Azure sent it; a point that was chosen from a list tells less than one that was read by its id. */
  raw: unknown
  row: PointRow
}

const ways = 'recovery_point_id, point or before'

/** Throws InputError unless exactly one way to choose a point was given, and one that can be. */
export const pointGiven = (input: PointInput): void => {
  const { recovery_point_id: id, point, before } = input
  const given = Object.entries({ recovery_point_id: id, point, before }).filter(([, value]) => value !== undefined)
  const [first, second] = given.map(([name]) => name)
  if (first === undefined) throw badArgument('recovery_point_id', `is needed: give exactly one of ${ways}`)
  if (second !== undefined) throw badArgument(second, `says the same as ${first}; give exactly one of ${ways}`)
  if (id !== undefined && !isName(id) && !parseArmId(id)?.type.endsWith('/recoverypoints'))
    throw badArgument(
      'recovery_point_id',
      'must be the id of a recovery point as recovery_services_list_recovery_points tells it',
    )
  if (before !== undefined && !isRealTime(before))
    throw badArgument('before', 'must be a time with an offset, e.g. 2026-11-22T02:00:00Z, on a day that there is')
}

/** A tier that can be restored from; `Deleted` and `Disabled` ones cannot. */
const isLive = (status: string | null): boolean => /^(valid|rehydrated)$/i.test(status ?? '')

/** False where Azure says that nothing of the point is left. */
const isUsable = ({ tiers, is_soft_deleted }: PointRow): boolean =>
  is_soft_deleted !== true && (tiers === null || tiers.length === 0 || tiers.some(({ status }) => isLive(status)))

/** The tiers that can be restored from, in Azure's words: `InstantRP`, `HardenedRP`, `ArchivedRP`. */
export const liveTiers = ({ tiers }: PointRow): string[] =>
  (tiers ?? []).flatMap(({ tier, status }) => (tier !== null && isLive(status) ? [tier] : []))

/** True for a point whose data lie in the archive and nowhere else: they have to be rehydrated first, for hours. */
export const isOnlyArchived = ({ tiers }: PointRow): boolean => {
  const live = (tiers ?? []).filter(({ status }) => isLive(status))
  return live.length > 0 && live.every(({ tier, status }) => sameText(tier, 'ArchivedRP') && sameText(status, 'Valid'))
}

const pointsPath = (item: ProtectedItemRef): string => `${item.id}/recoveryPoints`

const toChosen = (raw: unknown, item: ProtectedItemRef): ChosenPoint => {
  const row = toPointRow(raw, item)
  return { id: row.id === '' ? `${pointsPath(item)}/${row.recovery_point_id}` : row.id, raw, row }
}

const timeOf = ({ row }: ChosenPoint): number => Date.parse(row.time ?? '')

/** The point that was asked for. Throws Problem `not_found`, with the points nearest to it. */
export const choosePoint = async (
  item: ProtectedItemRef,
  input: PointInput,
  context: ToolContext,
): Promise<ChosenPoint> => {
  pointGiven(input)
  const { recovery_point_id: id, before } = input
  return id === undefined ? newest(item, before, context) : pointById(item, id, context)
}

const newest = async (
  item: ProtectedItemRef,
  before: string | undefined,
  context: ToolContext,
): Promise<ChosenPoint> => {
  const untilMs = before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before)
  const query = before === undefined ? {} : filterOf({ endDate: filterTimes({ sinceMs: untilMs, untilMs }).end })
  // Azure lists the newest first: where a page has one that fits, the following pages have older ones.
  for await (const { rows } of context.arm.pages(pointsPath(item), query)) {
    const fitting = list(rows)
      .map(raw => toChosen(raw, item))
      .filter(chosen => isUsable(chosen.row) && timeOf(chosen) <= untilMs)
    const [found] = fitting.sort((a, b) => timeOf(b) - timeOf(a))
    if (found) return found
  }
  const which =
    before === undefined ? 'no recovery point that can be restored' : `no recovery point from ${before} or before`
  throw await noPoint(`${calledBy(item.names)} has ${which}.`, item, before, context)
}

const pointById = async (item: ProtectedItemRef, given: string, context: ToolContext): Promise<ChosenPoint> => {
  const own = parseArmId(given)?.id
  if (own && !sameText(own, `${parseArmId(item.id)?.id}/recoveryPoints/${lastName(own)}`))
    throw badArgument('recovery_point_id', `is a recovery point of another item than ${item.id}`)
  const id = own === undefined ? given : lastName(own)
  try {
    return toChosen(await context.arm.getResource(`${pointsPath(item)}/${id}`), item)
  } catch (error) {
    const isMissing =
      error instanceof Problem && (error.httpStatus === 404 || /PointNotFound/i.test(error.azureCode ?? ''))
    if (!isMissing) throw error
    throw await noPoint(
      `${calledBy(item.names)} has no recovery point ${id}: ${error.message}`,
      item,
      undefined,
      context,
      error,
    )
  }
}

/** What there is instead: the nearest in time, or the newest. Throws `cause` where Azure does not list them either. */
const noPoint = async (
  message: string,
  item: ProtectedItemRef,
  before: string | undefined,
  context: ToolContext,
  cause?: Problem,
): Promise<Problem> => {
  const first = await context.arm
    .pages(pointsPath(item))
    .next()
    .catch(error => {
      throw cause ?? error
    })
  const rows = first.done ? [] : list(first.value.rows)
  const wantedMs = before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before)
  const near = rows
    .map(raw => toChosen(raw, item))
    .filter(({ row }) => isUsable(row))
    .sort((a, b) =>
      wantedMs === Number.POSITIVE_INFINITY
        ? timeOf(b) - timeOf(a)
        : Math.abs(timeOf(a) - wantedMs) - Math.abs(timeOf(b) - wantedMs),
    )
    .slice(0, 10)
  const { azureCode, httpStatus, requestId } = cause ?? {}
  return new Problem(
    'not_found',
    message,
    near.length > 0
      ? 'Use the recovery_point_id of one of the candidates; recovery_services_list_recovery_points shows them all.'
      : 'It has none at all: recovery_services_trigger_backup makes one.',
    {
      azureCode,
      httpStatus,
      requestId,
      details: { candidates: near.map(({ row }) => ({ recovery_point_id: row.recovery_point_id, time: row.time })) },
      cause,
    },
  )
}
