/** Recovery points of an item: listed, looked at, moved to the archive (section 8 of the wire facts). */
import { datasources } from '../backup/datasources.ts'
import { text, texts } from '../backup/fields.ts'
import { page } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { inItem, inPoint, itemOf, vaultOf } from './finding.ts'
import { acceptOnItem } from './item-work.ts'
import { startJob } from './jobs.ts'
import { filterMoment, filterTerms, isSame } from './odata.ts'
import { isReadyForMove, logPointId, logRow, pointRow, tiersOf } from './point-rows.ts'
import { pointsOf } from './points.ts'
import { invalidInput, Refusal } from './refusal.ts'
import { type Item, keyOf, type Point, type Vault } from './state.ts'
import type { Effects } from './world.ts'

const isDatabase = ({ workload }: Item): boolean => datasources[workload].managementType === 'AzureWorkload'

/** The kinds of backups that a query type asks for; undefined: all. */
const queryTypes: Readonly<Record<string, readonly string[] | undefined>> = {
  all: undefined,
  full: ['Full', 'CopyOnlyFull'],
  differential: ['Differential'],
  incremental: ['Incremental'],
  fullanddifferential: ['Full', 'CopyOnlyFull', 'Differential'],
  snapshotfull: ['SnapshotFull'],
  snapshotcopyonlyfull: ['SnapshotCopyOnlyFull'],
  log: [],
}

const momentIn = (terms: ReadonlyMap<string, string>, name: string, otherwise: number): number => {
  const asked = terms.get(name)
  return asked === undefined ? otherwise : filterMoment(asked)
}

const flagIn = (terms: ReadonlyMap<string, string>, name: string): boolean => {
  const asked = terms.get(name)?.toLowerCase()
  if (asked !== undefined && asked !== 'true' && asked !== 'false') throw invalidInput()
  return asked === 'true'
}

/** The paired region is asked for by a slash at the end. */
const isPaired = ({ path }: Call): boolean => path.endsWith('/')

const listPoints = (call: Call): Answer => {
  const vault = vaultOf(call)
  const item = itemOf(call)
  if (isPaired(call))
    throw new Refusal(
      400,
      'BMSUserErrorOperationNotSupported',
      'The simulated Azure does not have the paired region of a vault yet.',
    )
  const names = ['startDate', 'endDate', 'restorePointQueryType', 'extendedInfo', 'moveReadyRPOnly']
  const terms = filterTerms(call.query, names)
  const type = terms.get('restorepointquerytype')?.toLowerCase()
  if (type !== undefined && !Object.hasOwn(queryTypes, type)) throw invalidInput()
  const window = {
    fromMs: momentIn(terms, 'startdate', 0),
    toMs: momentIn(terms, 'enddate', Number.POSITIVE_INFINITY),
  }
  const isWhole = flagIn(terms, 'extendedinfo')
  const isReadyOnly = flagIn(terms, 'movereadyrponly')
  const kinds = type === undefined ? undefined : queryTypes[type]
  const found = pointsOf(vault, item, call.nowMs).filter(
    point =>
      point.atMs >= window.fromMs &&
      point.atMs <= window.toMs &&
      (kinds === undefined || (isDatabase(item) ? kinds.includes(point.kind) : type !== 'log')) &&
      (!isReadyOnly || isReadyForMove(point, call.nowMs)),
  )
  const rows: (Point | undefined)[] = [...found].reverse()
  // The ranges of logs are told to who asks for them only.
  if (isDatabase(item) && (type === 'log' || type === 'all')) rows.unshift(undefined)
  return page(call, rows, point =>
    point ? pointRow(call, vault, item, point, isWhole) : logRow(call, vault, item, window),
  )
}

/** The point that a path names. Throws Refusal 404. */
export const pointOf = (call: Call, vault: Vault, item: Item): Point => {
  const id = call.params.point ?? ''
  const found = pointsOf(vault, item, call.nowMs).find(point => isSame(point.id, id))
  if (found) return found
  throw new Refusal(
    404,
    'BMSUserErrorRecoveryPointNotFound',
    `The recovery point ${id} was not found.\r\nIt may have expired: please list the recovery points of the item.`,
  )
}

const always = { fromMs: 0, toMs: Number.POSITIVE_INFINITY }

const getPoint = (call: Call): Answer => {
  const vault = vaultOf(call)
  const item = itemOf(call)
  if (isDatabase(item) && isSame(call.params.point, logPointId)) return ok(logRow(call, vault, item, always))
  return ok(pointRow(call, vault, item, pointOf(call, vault, item), true))
}

const recommended = (call: Call): Answer => {
  const vault = vaultOf(call)
  const item = itemOf(call)
  const excluded = texts(call.body.excludedRPList)
  const rows = pointsOf(vault, item, call.nowMs)
    .filter(point => isReadyForMove(point, call.nowMs) && !excluded.includes(point.id))
    .reverse()
  return page(call, rows, point => pointRow(call, vault, item, point, false))
}

const moveMs = 20 * 60_000

const move = (call: Call): Answer => {
  const vault = vaultOf(call)
  const item = itemOf(call)
  const point = pointOf(call, vault, item)
  const { body, world, nowMs } = call
  if (!isSame(text(body.sourceTierType) ?? '', 'HardenedRP') || !isSame(text(body.targetTierType) ?? '', 'ArchivedRP'))
    throw invalidInput()
  if (!isReadyForMove(point, nowMs))
    throw new Refusal(
      400,
      'UserErrorRecoveryPointNotEligibleForMove',
      `The recovery point ${point.id} is not eligible for a move from ${tiersOf(point, nowMs).at(-1)?.type} to ArchivedRP.`,
    )
  return acceptOnItem(call, vault, item, () => {
    const job = startJob(world, vault, {
      operation: 'MoveRecoveryPoint',
      workload: item.workload,
      entityName: item.friendlyName,
      lastsMs: moveMs,
      item: keyOf(item.container, item.name),
      containerName: item.container,
    })
    const of = keyOf(item.container, item.name)
    world.schedule({ atMs: job.endMs, kind: 'move-end', vault: keyOf(vault.id), of, more: { point: point.id } })
    return { jobId: job.id }
  })
}

export const pointRoutes: readonly Route[] = [
  { method: 'GET', path: `${inItem}/recoveryPoints`, handle: listPoints },
  { method: 'GET', path: inPoint, handle: getPoint },
  { method: 'POST', path: `${inItem}/recoveryPointsRecommendedForMove`, handle: recommended },
  { method: 'POST', path: `${inPoint}/move`, handle: move },
]

export const pointEffects: Effects = {
  'move-end': ({ state }, { vault, of, more }) => {
    const points = state.vaults.get(vault)?.items.get(of)?.points ?? []
    const point = points.find(({ id }) => id === more?.point)
    if (point) point.isArchived = true
  },
}
