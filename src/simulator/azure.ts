/**
 * The simulated Azure as a function from request to answer. What every request meets stands here in its order: control,
 * sign-in, api-version, faults, the route, the headers that all answers have.
 */
import type { Fields } from '../backup/fields.ts'
import { isObject } from '../rpc/messages.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { controlRoutes, mountProgram } from './control.ts'
import { faultFor, type Meets } from './faults.ts'
import { isSame } from './odata.ts'
import { Refusal, unauthorized } from './refusal.ts'
import { routes } from './routes.ts'
import type { Bearer } from './token-check.ts'
import type { World } from './world.ts'

export interface Asked {
  method: string
  /** Path and query as they came. */
  url: string
  /** Origin that the caller used, e.g. `http://127.0.0.1:8080`. */
  base: string
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>
  body: string
}

export interface Answered {
  status: number
  headers: Record<string, string>
  /** Empty where there is no body. */
  body: string
  /** What becomes of it on its way, where a fault was met. */
  fault: Meets | undefined
}

interface Compiled {
  route: Route
  segments: readonly (string | { name: string })[]
}

const compile = (route: Route): Compiled => ({
  route,
  segments: route.path
    .slice(1)
    .split('/')
    .map(segment => (segment.startsWith('{') ? { name: segment.slice(1, -1) } : segment.toLowerCase())),
})

/** Routes by their number of segments: a few of them are left to compare. */
const tableOf = (rows: readonly Route[]): ReadonlyMap<number, readonly Compiled[]> => {
  const table = new Map<number, Compiled[]>()
  for (const compiled of rows.map(compile)) {
    const { length } = compiled.segments
    table.set(length, [...(table.get(length) ?? []), compiled])
  }
  return table
}

const match = (
  { segments }: Compiled,
  lower: readonly string[],
  given: readonly string[],
): Record<string, string> | undefined => {
  const params: Record<string, string> = {}
  for (const [at, segment] of segments.entries()) {
    if (typeof segment !== 'string') params[segment.name] = given[at] ?? ''
    else if (segment !== lower[at]) return undefined
  }
  return params
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const azureTable = tableOf(routes)
const controlTable = tableOf(controlRoutes)

/** Every template that a method and path may be answered by, the literal ones first. */
const find = (
  table: ReadonlyMap<number, readonly Compiled[]>,
  method: string,
  segments: readonly string[],
): { route: Route; params: Record<string, string> } => {
  const lower = segments.map(segment => segment.toLowerCase())
  let isPathKnown = false
  for (const compiled of table.get(segments.length) ?? []) {
    const params = match(compiled, lower, segments)
    if (!params) continue
    if (compiled.route.method === method) return { route: compiled.route, params }
    isPathKnown = true
  }
  if (isPathKnown)
    throw new Refusal(405, 'HttpMethodNotAllowed', `The HTTP method '${method}' is not supported at this resource.`)
  throw new Refusal(404, 'InvalidResourceType', 'The resource type could not be found in the simulated Azure.')
}

/** Throws Refusal 401 for a token that is not let in. */
const checkToken = ({ state, clock, checkToken: check }: World, { headers, base }: Asked): Bearer => {
  const { tenantId, tokens } = state
  const [, token] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? []
  if (token !== undefined && tokens.includes(token)) return { tenantId }
  if (token !== undefined && check) return check(token, { tenantId, base, nowMs: clock.now() })
  throw unauthorized(
    tenantId,
    'InvalidAuthenticationToken',
    token === undefined ? "The 'Authorization' header is missing or no bearer token." : 'The access token is invalid.',
  )
}

/** What a token of another tenant meets: it sees no subscription, and may read none. Throws Refusal 401. */
const fromOtherTenant = ({ state }: World, bearer: Bearer, path: string): Answer => {
  if (/^\/subscriptions$/i.test(path)) return ok({ value: [] })
  const had = `https://sts.windows.net/${bearer.tenantId}/`
  const wanted = `https://sts.windows.net/${state.tenantId}/`
  throw unauthorized(
    state.tenantId,
    'InvalidAuthenticationTokenTenant',
    `The access token is from the wrong issuer '${had}'. It must match the tenant '${wanted}' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/${state.tenantId}' to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see this error message, please try back later.`,
    'The access token is from the wrong issuer. It must match the tenant associated with this subscription. Please use correct authority to get the token.',
  )
}

const oldestVersion = '2015-01-01'

/** The parser takes a 31st of February for an early March. */
const isDay = (date: string): boolean => {
  const atMs = Date.parse(date)
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(date)
}

const checkVersion = (version: string | undefined): string => {
  if (version === undefined || version === '')
    throw new Refusal(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    )
  const [, date = ''] = /^(\d{4}-\d\d-\d\d)(-\w+)?$/.exec(version) ?? []
  if (date >= oldestVersion && isDay(date)) return version
  throw new Refusal(400, 'InvalidApiVersionParameter', `The api-version '${version}' is invalid.`)
}

const bodyOf = (text: string): Fields => {
  if (text.trim() === '') return {}
  try {
    const parsed: unknown = JSON.parse(text)
    if (isObject(parsed)) return parsed
  } catch {
    // Answered as anything else that is no object.
  }
  throw new Refusal(400, 'InvalidRequestContent', 'The request content was invalid and could not be deserialized.')
}

/** What Azure counts down per hour. It never runs out here, unless a fault says so. */
const remaining = { 'x-ms-ratelimit-remaining-subscription-resource-requests': '249' }

/** Answers one request, letting first happen what is due. Never throws for what a caller sent. */
export const answer = (world: World, asked: Asked): Answered => {
  const requestId = world.newGuid()
  let fault: Meets | undefined
  const finish = ({ status, body, headers = {} }: Answer): Answered => ({
    status,
    headers: {
      ...remaining,
      'x-ms-request-id': requestId,
      'x-ms-correlation-request-id': asked.headers['x-ms-correlation-request-id'] ?? requestId,
      ...(asked.headers['x-ms-client-request-id'] === undefined
        ? {}
        : { 'x-ms-client-request-id': asked.headers['x-ms-client-request-id'] }),
      date: new Date(world.clock.now()).toUTCString(),
      'cache-control': 'no-cache',
      ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
      ...headers,
    },
    body: body === undefined ? '' : JSON.stringify(body),
    fault,
  })
  try {
    return finish(
      respond(world, asked, met => {
        fault = met
      }),
    )
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { status, code, message, headers } = error
    return finish({ status, body: { error: { code, message } }, headers })
  }
}

/** `meet` is told of the fault that this request meets, also where it is refused afterwards. */
const respond = (world: World, asked: Asked, meet: (fault: Meets | undefined) => void): Answer => {
  // Unregistering sends its callers to an address with two question marks; through a proxy comes the whole address.
  const [rawPath = '', ...rest] = asked.url.replace(/^https?:\/\/[^/?]*/i, '').split('?')
  const segments = rawPath.split('/').filter(Boolean).map(decoded)
  const isTwin = rawPath.endsWith('/') && segments.length > 2
  const path = `/${segments.join('/')}`
  const query = new Map([...new URLSearchParams(rest.join('&'))].map(([name, value]) => [name.toLowerCase(), value]))
  const isControl = segments[0]?.toLowerCase() === '_simulate'
  const bearer = path === mountProgram ? undefined : checkToken(world, asked)
  const apiVersion = isControl ? '' : checkVersion(query.get('api-version'))
  const { state } = world
  if (!isControl) {
    const counted = `${asked.method} ${path}`
    state.requests.set(counted, (state.requests.get(counted) ?? 0) + 1)
  }
  const fault = isControl ? undefined : faultFor(world, asked.method, path)
  meet(fault)
  if (fault?.instead) return fault.instead
  if (bearer && !isControl && !isSame(bearer.tenantId, world.state.tenantId))
    return fromOtherTenant(world, bearer, path)
  world.settle()
  const { route, params } = find(isControl ? controlTable : azureTable, asked.method, segments)
  const call: Call = {
    world,
    method: asked.method,
    base: asked.base,
    path: isTwin ? `${path}/` : path,
    params,
    query,
    body: bodyOf(asked.body),
    headers: asked.headers,
    apiVersion,
    nowMs: state.nowMs,
  }
  return route.handle(call)
}
