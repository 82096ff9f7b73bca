/** What moves the simulated Azure from outside, with the same token as everything else. */
import { fields, number, text, whole } from '../backup/fields.ts'
import { isObject } from '../rpc/messages.ts'
import type { Call, Route } from './call.ts'
import { ok } from './call.ts'
import { Refusal } from './refusal.ts'
import type { Fault } from './state.ts'

const faultKinds: readonly Fault['kind'][] = [
  'status',
  'slow',
  'cut',
  'truncate',
  'expired_token',
  'claims_challenge',
  'late_failure',
]

interface Field {
  isGood(value: unknown): boolean
  wanted: string
}

const regularExpression: Field = {
  isGood: value => {
    try {
      return typeof value === 'string' && value !== '' && new RegExp(value, 'i') instanceof RegExp
    } catch {
      return false
    }
  },
  wanted: 'a regular expression',
}
const someText: Field = { isGood: value => text(value) !== null, wanted: 'a text' }
const count: Field = { isGood: value => (whole(value) ?? -1) >= 0, wanted: 'a whole number, 0 or more' }
const amount: Field = { isGood: value => (number(value) ?? -1) >= 0, wanted: 'a number, 0 or more' }
const errorStatus: Field = {
  isGood: value => (whole(value) ?? 0) >= 400 && (whole(value) ?? 0) <= 599,
  wanted: 'an HTTP status from 400 to 599',
}

const faultFields: Readonly<Record<string, Field>> = {
  kind: { isGood: value => faultKinds.some(kind => kind === value), wanted: `one of ${faultKinds.join(', ')}` },
  method: regularExpression,
  path: regularExpression,
  status: errorStatus,
  code: someText,
  message: someText,
  retry_after_seconds: count,
  claims: { isGood: isObject, wanted: 'an object' },
  delay_ms: amount,
  cut_at: { isGood: value => value === 'before' || value === 'inside', wanted: 'before or inside' },
  times: count,
  after: count,
}

/** A row of the faults table from JSON. Throws Refusal that names what is wrong. */
export const toFault = (raw: unknown): Fault => {
  const given = fields(raw)
  const wrong = Object.entries({ kind: undefined, ...given }).flatMap(([name, value]) => {
    if (!Object.hasOwn(faultFields, name)) return [`${name} is not known`]
    return faultFields[name]?.isGood(value) ? [] : [`${name} must be ${faultFields[name]?.wanted}`]
  })
  if (wrong.length > 0) throw new Refusal(400, 'InvalidFault', `A fault is no good: ${wrong.join('; ')}.`)
  return {
    kind: given.kind as Fault['kind'],
    method: text(given.method) ?? undefined,
    path: text(given.path) ?? undefined,
    status: number(given.status) ?? undefined,
    code: text(given.code) ?? undefined,
    message: text(given.message) ?? undefined,
    retryAfterSeconds: number(given.retry_after_seconds) ?? undefined,
    claims: isObject(given.claims) ? given.claims : undefined,
    delayMs: number(given.delay_ms) ?? undefined,
    isBefore: given.cut_at === 'before',
    times: number(given.times) ?? undefined,
    after: number(given.after) ?? undefined,
  }
}

/** They take the place of those before. */
const setFaults = ({ world: { state }, body: { faults } }: Call) => {
  if (!Array.isArray(faults) || !faults.every(isObject))
    throw new Refusal(400, 'InvalidFault', 'The body must be {"faults": [...]}, a list of objects.')
  state.faults = faults.map(toFault)
  return ok({ faults: state.faults.length })
}

const requests = ({ world }: Call) => {
  const rows = [...world.state.requests].map(([key, count]) => {
    const at = key.indexOf(' ')
    return { method: key.slice(0, at), path: key.slice(at + 1), count }
  })
  return ok({ requests: rows, total: rows.reduce((sum, { count }) => sum + count, 0) })
}

/** Ten years: more than any retention test needs, and dates stay such. */
const furthestSeconds = 10 * 366 * 86_400

const advance = ({ world, body }: Call) => {
  const seconds = number(body.seconds)
  if (seconds === null || seconds < 0 || seconds > furthestSeconds)
    throw new Refusal(400, 'InvalidAdvance', `seconds must be a number from 0 to ${furthestSeconds}.`)
  world.clock.advance(seconds * 1000)
  world.settle()
  return ok({ now: new Date(world.state.nowMs).toISOString() })
}

/** Where the program lies that mounts a point on Windows. Like the one of Azure it is fetched without a token. */
export const mountProgram = '/_simulate/files/mount.exe'

const getMountProgram = () => ok({ simulated: 'The program of Azure would mount the recovery point by iSCSI.' })

export const controlRoutes: readonly Route[] = [
  { method: 'GET', path: mountProgram, handle: getMountProgram },
  { method: 'PUT', path: '/_simulate/faults', handle: setFaults },
  { method: 'GET', path: '/_simulate/requests', handle: requests },
  { method: 'POST', path: '/_simulate/advance', handle: advance },
]
