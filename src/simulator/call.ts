/** One request as routes see it, and their answer. */
import type { Fields } from '../backup/fields.ts'
import type { World } from './world.ts'

export interface Call {
  world: World
  method: string
  /** Origin that the caller used: polling URLs begin with it. */
  base: string
  /** Decoded, without doubled slashes, as the caller spelled it. */
  path: string
  /** Values of the template's names, decoded. */
  params: Readonly<Record<string, string>>
  /** By name in lower case. */
  query: ReadonlyMap<string, string>
  /** The parsed body; an empty object where there is none. */
  body: Fields
  headers: Readonly<Record<string, string>>
  apiVersion: string
  /** Simulated time. */
  nowMs: number
}

export interface Answer {
  status: number
  /** Absent: no body at all. */
  body?: unknown
  headers?: Readonly<Record<string, string>>
}

/** A row of the routes table. `{name}` in the path is one segment; segments match without letter case. */
export interface Route {
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  handle: (call: Call) => Answer
}

export const ok = (body: unknown): Answer => ({ status: 200, body })
