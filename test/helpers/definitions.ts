/**
 * Azure's own definitions as a check: whether an exchange is one that they know. The definitions lie beside the project
 * (../shared/reference/azure) and are no part of it; where they are not, nothing is held against them.
 *
 * What Azure does otherwise than they say is listed with its reason in definitions/known.ts, written as definitions too, and
 * merged as they are.
 */
import { type Definitions, definitionsOf, skip } from './definitions/generations.ts'
import { filterFaults, type Operation, queryFaults } from './definitions/operations.ts'
import { valueFaults } from './definitions/shapes.ts'
import type { View } from './definitions/views.ts'

export interface Exchange {
  request: { method: string; url: string; body?: unknown }
  /** None: only the request is looked at. */
  response?: { status: number; body?: unknown }
}

/** Published for what is done in the paired region, which is still asked for in these versions only. */
const pairedRegion = new Set(['2018-12-20', '2019-05-13', '2021-11-15'])
/** Recorded, published, named by section 12 of the wire facts, or asked for by the Azure CLI 2.45.0 (both of late 2022). */
const versions = new Set(
  `2016-06-01 2016-12-01 2017-07-01 2018-12-20 2019-05-13-preview 2020-10-01 2021-07-01 2021-11-15 2022-02-01
  2022-09-01-preview 2022-10-01 2023-06-01 2024-04-01 2024-10-01 2025-02-01 2025-08-01 2026-01-01 2026-02-01 2026-05-01 2026-07-01`.split(
    /\s+/,
  ),
)

const isOf = ({ version, swagger }: Operation, asked: string): boolean => {
  if (swagger.family === 'outside') return /^\d{4}-\d\d-\d\d(-preview)?$/.test(asked)
  return version === '2021-11-15' ? pairedRegion.has(asked) : versions.has(asked)
}

/** The operation of a request, or why there is none. */
const operationOf = (found: readonly Operation[], method: string, pathname: string, asked: string) => {
  const ofMethod = found.filter(({ name }) => name.startsWith(`${method} `))
  if (found.length === 0) return `path: nothing is defined at ${pathname}`
  if (ofMethod.length === 0) {
    const methods = found.map(({ name }) => name.slice(0, name.indexOf(' ')))
    return `method: ${pathname} is defined for ${[...new Set(methods)].join(', ')}, not for ${method}`
  }
  const exact = ofMethod.find(({ version }) => version === asked)
  return exact ?? ofMethod.find(one => isOf(one, asked)) ?? `query api-version: ${asked} is none of ${pathname}`
}

/** What every error of Azure looks like, whoever gives it (section 11.1 of the wire facts). */
const isError = (body: unknown): boolean => {
  const { error } = (body ?? {}) as { error?: { code?: unknown; message?: unknown } }
  return typeof error?.code === 'string' && typeof error.message === 'string'
}

const isEmpty = (body: unknown): boolean => body === undefined || body === null || body === ''

const bodyFaults = (views: readonly View[], shape: Definitions['shape'], body: unknown, isSent: boolean) => {
  const at = isSent ? 'request' : 'response'
  if (views.length === 0) return isEmpty(body) ? [] : [`${at}: must have no body`]
  return valueFaults(shape(views), body, isSent, at)
}

const answerFaults = (
  { answers, name }: Operation,
  shape: Definitions['shape'],
  { status, body }: { status: number; body?: unknown },
): string[] => {
  if (status >= 400) return isEmpty(body) || isError(body) ? [] : ['response: must be an error with code and message']
  const answer = answers.get(status)
  if (!answer) return [`status: ${status} is none of ${[...answers.keys()].join(', ')} for ${name}`]
  if (isEmpty(body)) return answer.mayBeEmpty ? [] : ['response: must have a body']
  return bodyFaults(answer.views, shape, body, false)
}

/** What an exchange has against Azure's definitions; empty where they are not there. Bodies are values, not text. */
export const faultsOf = ({ request, response }: Exchange): string[] => {
  if (skip) return []
  const { pathname, search } = new URL(request.url)
  const query = new URLSearchParams(search.slice(1).replaceAll('?', '&'))
  const asked = query.get('api-version') ?? ''
  const { find, shape } = definitionsOf(asked <= '2022-02-01' ? 'until 2022-02-01' : 'since then')
  const operation = operationOf(find(pathname), request.method, pathname, asked)
  if (typeof operation === 'string') return [operation]
  const filters = [...query].filter(([name]) => name.toLowerCase() === '$filter').map(([, value]) => value)
  return [
    ...queryFaults(operation, query),
    ...(operation.filter.length > 0 ? filterFaults(shape(operation.filter), filters[0]) : []),
    ...(operation.isBodyRequired && isEmpty(request.body)
      ? ['request: must have a body']
      : bodyFaults(operation.body, shape, request.body, true)),
    ...(response ? answerFaults(operation, shape, response) : []),
  ]
}

const parsed = (body: string | undefined): unknown => {
  try {
    return body ? JSON.parse(body) : undefined
  } catch {
    return body
  }
}

/** What a request that a test saw being sent, its body as text, has against the definitions: one text, or none. */
export const sentFaults = (method: string, url: string, body: string | undefined): string[] => {
  const faults = faultsOf({ request: { method, url, body: parsed(body) } })
  return faults.length === 0 ? [] : [[`Azure does not define ${method} ${url}`, ...faults].join('\n  ')]
}
