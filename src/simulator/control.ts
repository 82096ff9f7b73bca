/** What moves the simulated Azure from outside, with the same token as everything else. */
import { fields, list, number, text } from '../backup/fields.ts'
import type { Call, Route } from './call.ts'
import { ok } from './call.ts'
import { Refusal } from './refusal.ts'
import type { Fault } from './state.ts'

const faultKinds: readonly Fault['kind'][] = ['status', 'slow', 'cut', 'truncate', 'expired_token', 'late_failure']

const pattern = (value: unknown, name: string): string | undefined => {
  const found = text(value) ?? undefined
  try {
    if (found !== undefined) new RegExp(found)
  } catch {
    throw new Refusal(400, 'InvalidFault', `${name} is no regular expression: ${found}`)
  }
  return found
}

/** A row of the faults table from JSON. Throws Refusal. */
export const toFault = (raw: unknown): Fault => {
  const given = fields(raw)
  const kind = faultKinds.find(each => each === given.kind)
  if (!kind) throw new Refusal(400, 'InvalidFault', `kind must be one of ${faultKinds.join(', ')}`)
  return {
    kind,
    method: pattern(given.method, 'method'),
    path: pattern(given.path, 'path'),
    status: number(given.status) ?? undefined,
    code: text(given.code) ?? undefined,
    message: text(given.message) ?? undefined,
    retryAfterSeconds: number(given.retry_after_seconds) ?? undefined,
    delayMs: number(given.delay_ms) ?? undefined,
    isBefore: given.cut_at === 'before',
    times: number(given.times) ?? undefined,
    after: number(given.after) ?? undefined,
  }
}

const setFaults = ({ world, body }: Call) => {
  world.state.faults = list(body.faults).map(toFault)
  return ok({ faults: world.state.faults.length })
}

const requests = ({ world }: Call) => {
  const rows = [...world.state.requests].map(([key, count]) => {
    const at = key.indexOf(' ')
    return { method: key.slice(0, at), path: key.slice(at + 1), count }
  })
  return ok({ requests: rows, total: rows.reduce((sum, { count }) => sum + count, 0) })
}

const advance = ({ world, body }: Call) => {
  const seconds = number(body.seconds)
  if (seconds === null || seconds < 0) throw new Refusal(400, 'InvalidAdvance', 'seconds must be a number, 0 or more')
  world.clock.advance(seconds * 1000)
  world.settle()
  return ok({ now: new Date(world.state.nowMs).toISOString() })
}

export const controlRoutes: readonly Route[] = [
  { method: 'PUT', path: '/_simulate/faults', handle: setFaults },
  { method: 'GET', path: '/_simulate/requests', handle: requests },
  { method: 'POST', path: '/_simulate/advance', handle: advance },
]
