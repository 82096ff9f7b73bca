/** A simulated Azure spoken to in this process; every exchange is held against Azure's definitions. */
import type { Test } from 'tap'
import { answer } from '../../src/simulator/azure.ts'
import type { World } from '../../src/simulator/world.ts'
import { faultsOf } from './definitions.ts'

const base = 'http://127.0.0.1:8080'

export interface Told<Body> {
  status: number
  headers: Record<string, string>
  body: Body
}

/** Asks with the token `token`, and with `version` where the address has none of its own. */
export const asking =
  <Body>(t: Pick<Test, 'same'>, world: World, version: string) =>
  (method: string, url: string, body?: unknown): Told<Body> => {
    const whole = url.startsWith('http') ? url : `${base}${url}`
    const address = whole.includes('api-version')
      ? whole
      : `${whole}${whole.includes('?') ? '&' : '?'}api-version=${version}`
    const told = answer(world, {
      method,
      url: address.slice(base.length),
      base,
      headers: { authorization: 'Bearer token' },
      body: body === undefined ? '' : JSON.stringify(body),
    })
    const answered = told.body === '' ? undefined : JSON.parse(told.body)
    const response = answered === undefined ? { status: told.status } : { status: told.status, body: answered }
    const request = body === undefined ? { method, url: address } : { method, url: address, body }
    const isOutside = !url.includes('Microsoft.RecoveryServices/')
    const faults = faultsOf({ request, response })
      // What is refused may have been wrong; other providers are defined in part.
      .filter(fault => told.status < 400 || fault.startsWith('response'))
      .filter(fault => !isOutside || !/^(path|method): /.test(fault))
    t.same(faults, [], `${method} ${address} ${told.status}`)
    return { status: told.status, headers: told.headers, body: answered }
  }
