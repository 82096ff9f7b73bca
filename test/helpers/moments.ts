/**
 * A recording as an Azure that stands still at one of its writes: before it is sent, what was recorded until then is true;
 * after it, what was recorded from then on. Other clients read other addresses, so a resource that was not read by itself
 * is the newest row of a list that shows it.
 */
import type { Exchange } from '../../src/arm/recordings.ts'
import { answerOf, liveSide, recordedSide, replaying, score } from '../../src/arm/replay.ts'
import type { ArmRequest, ArmResponse } from '../../src/arm/send.ts'
import { answer, failure } from '../arm/fake-azure.ts'

export type Row = Record<string, unknown>

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

const sameId = (one: unknown, other: string): boolean =>
  typeof one === 'string' && one.toLowerCase() === other.toLowerCase()

/** The newest that the exchanges show of an id; undefined where none does, or a newer list of its like shows it no more. */
export const shownOf = (id: string, exchanges: readonly Exchange[]): Row | undefined => {
  let found: { row: Row; list: string } | undefined
  for (const { request, response } of exchanges) {
    const { body } = response
    if (!isRow(body) || response.status >= 300) continue
    if (sameId(body.id, id)) found = { row: body, list: '' }
    if (!Array.isArray(body.value)) continue
    const row = body.value.find(each => isRow(each) && sameId(each.id, id))
    if (row) found = { row, list: request.url }
    else if (found?.list === request.url) found = undefined
  }
  return found?.row
}

const pathOf = (url: string): string => decodeURIComponent(new URL(url).pathname)

/** What these vaults have and other clients did not read. */
const silent = (path: string): unknown => {
  const end = path.replace(/^.*\/vaults\/[^/]+/i, '').toLowerCase()
  if (end === '') return { id: path, name: path.split('/').at(-1), location: 'southeastasia', properties: {} }
  if (end === '/backupconfig/vaultconfig') return { properties: { softDeleteFeatureState: 'Enabled' } }
  return /\/(backup\w+|recoverypoints)$/.test(end) ? { value: [] } : undefined
}

const newest = (request: ArmRequest, exchanges: readonly Exchange[]): ArmResponse | undefined => {
  const live = liveSide(request)
  const ranked = exchanges
    .map((exchange, at) => ({ exchange, at, side: recordedSide(exchange.request) }))
    .filter(({ side, exchange }) => side.key === live.key && exchange.response.status < 300)
    .map(each => ({ ...each, points: score(live, each.side) }))
    .sort((a, b) => b.points - a.points || b.at - a.at)
  return ranked[0] && answerOf(ranked[0].exchange)
}

/** Answers reads, and takes the write that was recorded `at`; `written` is what came that was no read. */
export const momentOf = (exchanges: readonly Exchange[], at: number) => {
  const [before, write, after] = [exchanges.slice(0, at), exchanges[at], exchanges.slice(at + 1)]
  if (!write) throw new Error(`nothing was recorded at ${at}`)
  const later = replaying(after)
  const written: { method: string; path: string; query: string; body: unknown }[] = []
  let isSent = false
  const send = async (request: ArmRequest, signal: AbortSignal): Promise<ArmResponse> => {
    const { method, url, body } = request
    const path = pathOf(url)
    if (method !== 'GET') {
      // Restores are validated first, which the recorded client did not do. Nothing is changed by it.
      if (/\/backupValidateOperation$/i.test(path)) return answer(200, { validateOperationResponse: null })
      const { searchParams } = new URL(url)
      written.push({
        method,
        path,
        query: searchParams.get('$filter') ?? '',
        body: body === undefined ? null : JSON.parse(body),
      })
      if (isSent || liveSide(request).key !== recordedSide(write.request).key)
        throw new Error(`not what was recorded: ${method} ${path}`)
      isSent = true
      return answerOf(write)
    }
    if (isSent) {
      // The recorded client did not ask how its cancelling went.
      if (/\/backupJobs\/[^/]+\/operationResults\//i.test(path)) return answer(204)
      const found = await later(request, signal).catch(() => undefined)
      if (found) return found
    }
    // A list as it was read last; a resource as anything showed it last, an answer to a write too.
    const row = shownOf(path, before)
    if (row) return answer(200, row)
    const found = newest(request, before)
    if (found) return found
    const said = silent(path)
    return said === undefined ? failure(404, 'NotFound', `nothing at ${path}`) : answer(200, said)
  }
  return { send, written }
}
