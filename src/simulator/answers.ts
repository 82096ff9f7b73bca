/** Answers that many routes give: lists in pages, accepted work, where that work stands. */
import type { Answer, Call } from './call.ts'
import { invalidInput, Refusal } from './refusal.ts'
import type { Operation, Vault } from './state.ts'
import type { World } from './world.ts'

const pageSize = 200

/** A list in pages of 200; `toRow` is made only for the rows of this page. */
export const page = <Row>({ base, path, query }: Call, rows: readonly Row[], toRow: (row: Row) => unknown): Answer => {
  const token = query.get('$skiptoken') ?? ''
  const from = token === '' ? 0 : Number(token)
  if (!Number.isInteger(from) || from < 0) throw invalidInput()
  const value = rows.slice(from, from + pageSize).map(toRow)
  const next = from + pageSize
  if (next >= rows.length) return { status: 200, body: { value } }
  const search = new URLSearchParams([...query].filter(([name]) => name !== '$skiptoken'))
  search.set('$skipToken', String(next))
  const nextLink = `${base}${encodePath(path)}?${search}`
  return { status: 200, body: { value, nextLink } }
}

const encodePath = (path: string): string =>
  path
    .split('/')
    .map(segment => encodeURIComponent(segment).replaceAll('%3B', ';'))
    .join('/')

/** An operation that takes `lastsMs`, and is asked for under the vault. */
export const startOperation = (
  world: World,
  vault: Vault,
  lastsMs: number,
  more: Partial<Operation> = {},
): Operation => {
  const startMs = world.state.nowMs
  const operation: Operation = {
    id: world.newGuid(),
    startMs,
    endMs: startMs + lastsMs,
    jobId: undefined,
    error: undefined,
    resultPath: undefined,
    properties: undefined,
    ...more,
  }
  vault.operations.set(operation.id, operation)
  return operation
}

/**
 * 202 with the places to ask at. `status` and `result` are paths that end before the operation's id; without `status` there
 * is a `Location` only.
 */
export const accepted = (
  { world, base, apiVersion }: Call,
  operation: Operation,
  { status, result }: { status?: string; result: string },
): Answer => {
  const at = (place: string) => `${base}${encodePath(`${place}/${operation.id}`)}?api-version=${apiVersion}`
  return {
    status: 202,
    headers: {
      location: at(result),
      ...(status === undefined ? {} : { 'azure-asyncoperation': at(status) }),
      'retry-after': String(world.clock.realSeconds(operation.endMs - world.state.nowMs)),
    },
  }
}

const iso = (atMs: number): string => new Date(atMs).toISOString().replace('Z', '0000Z')

/** Where an operation stands, as `operationsStatus` and `backupOperations` tell it. */
export const operationStatus = ({ world }: Call, operation: Operation): Answer => {
  const { id, startMs, endMs, jobId, error, properties } = operation
  const common = { id, name: id }
  if (world.state.nowMs < endMs)
    return {
      status: 200,
      body: { ...common, status: 'InProgress', startTime: iso(startMs), endTime: '0001-01-01T00:00:00' },
      headers: { 'retry-after': String(world.clock.realSeconds(endMs - world.state.nowMs)) },
    }
  const ended = { ...common, startTime: iso(startMs), endTime: iso(startMs) }
  if (error) return { status: 200, body: { ...ended, status: 'Failed', error } }
  const told = properties ?? (jobId && { objectType: 'OperationStatusJobExtendedInfo', jobId })
  return { status: 200, body: { ...ended, status: 'Succeeded', ...(told ? { properties: told } : {}) } }
}

/** What came of an operation: 202 while it runs, then the resource, or 204. */
export const operationResult = (
  call: Call,
  operation: Operation,
  resource: (path: string) => unknown = () => undefined,
): Answer => {
  const { endMs, error, resultPath } = operation
  const { world, base, path, apiVersion } = call
  if (world.state.nowMs < endMs)
    return {
      status: 202,
      headers: {
        location: `${base}${encodePath(path)}?api-version=${apiVersion}`,
        'retry-after': String(world.clock.realSeconds(endMs - world.state.nowMs)),
      },
    }
  if (error) throw new Refusal(400, error.code, error.message)
  const body = resultPath === undefined ? undefined : resource(resultPath)
  return body === undefined ? { status: 204 } : { status: 200, body }
}

/** The operation of an id. Throws Refusal 404. */
export const operationOf = (vault: Vault, id: string): Operation => {
  const operation = vault.operations.get(id.toLowerCase())
  if (operation) return operation
  throw new Refusal(404, 'BMSUserErrorOperationNotFound', `The operation ${id} was not found.`)
}

/** A time as Azure writes it: seven digits of a second. */
export const azureTime = iso
