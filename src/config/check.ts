/**
 * Checks what a file or the environment says against schemas/config.json. Everything wrong is told at once; what is
 * wrong is then taken out, so that the rest can be used. A message says what kind of value was given, never the value:
 * a secret may have been put in the wrong place.
 */
import { nearest } from '../nearest.ts'
import { configSchema, expected, knownKeys, nodeAt, type SchemaNode } from './schema.ts'

/** The table once it is checked: any value may be missing, none is wrong. */
export interface ConfigTable {
  enabled?: boolean
  subscription_id?: string
  resource_group?: string
  vault_name?: string
  tenant_id?: string
  read_only?: boolean
  toolsets?: string[]
  confirmation?: string
  cloud?: string | Endpoints
  arm_endpoint?: string
  authority_host?: string
  api_version?: string
  auth?: { method?: string; client_id?: string; account?: string }
  http?: { proxy?: string; timeout_seconds?: number; max_retries?: number }
  vaults?: Record<string, VaultTable>
}

export interface Endpoints {
  arm_endpoint?: string
  authority_host?: string
}

export interface VaultTable {
  name: string
  subscription_id?: string
  resource_group?: string
  description?: string
  is_default?: boolean
}

export interface Checked {
  table: ConfigTable
  warnings: string[]
  faults: string[]
}

/** Where the value at a key path was given: `FILE: recovery_services.KEY`, or the environment variable. */
export type PlaceOf = (path: readonly string[]) => string

interface SchemaError {
  instancePath: string
  keyword: string
  params: Record<string, unknown>
}

type Validator = ((data: unknown) => boolean) & { errors?: SchemaError[] | null }

export const checkTable = async (raw: unknown, placeOf: PlaceOf): Promise<Checked> => {
  const root = plain(raw)
  if (!isTable(root))
    return { table: {}, warnings: [], faults: [`${placeOf([])} must be a table; it is ${kindOf(root)}.`] }
  if (Object.keys(root).length === 0) return { table: {}, warnings: [], faults: [] } // nothing to load the validator for
  const { config } = (await import('../generated/config-validator.ts')) as unknown as { config: Validator }
  const checked: Checked = { table: root as ConfigTable, warnings: [], faults: [] }
  if (!config(root)) report(root, config.errors ?? [], await configSchema(), placeOf, checked)
  badUrls(root, placeOf, checked)
  return checked
}

/** One warning for each unknown key, one fault for each value that is wrong. */
const report = (root: Table, errors: SchemaError[], schema: SchemaNode, placeOf: PlaceOf, checked: Checked): void => {
  const told = new Set<string>()
  const wrong: string[][] = []
  for (const { instancePath, keyword, params } of errors) {
    const path = instancePath.split('/').slice(1).map(unescapePointer)
    const node = nodeAt(schema, path)
    if (keyword === 'additionalProperties') {
      const key = String(params.additionalProperty)
      checked.warnings.push(`${placeOf([...path, key])} is not a known key${suggestion(key, knownKeys(schema, node))}.`)
      continue
    }
    if (keyword === 'required') path.push(String(params.missingProperty))
    if (keyword === 'if' || told.has(path.join('/'))) continue
    told.add(path.join('/'))
    wrong.push(keyword === 'required' ? path.slice(0, -1) : path)
    const value = valueAt(root, path)
    const wanted = expected(nodeAt(schema, path))
    const near = typeof value === 'string' ? suggestion(value, nodeAt(schema, path).enum) : ''
    checked.faults.push(`${placeOf(path)} must be ${wanted}; it is ${kindOf(value)}${near}.`)
  }
  for (const path of wrong) remove(root, path)
}

/** What the pattern lets through but no URL can be: an address or port out of range. */
const badUrls = (root: Table, placeOf: PlaceOf, checked: Checked): void => {
  for (const path of [
    ['arm_endpoint'],
    ['authority_host'],
    ['cloud', 'arm_endpoint'],
    ['cloud', 'authority_host'],
    ['http', 'proxy'],
  ]) {
    const value = valueAt(root, path)
    if (typeof value !== 'string' || URL.canParse(value)) continue
    checked.faults.push(`${placeOf(path)} must be a URL; it is ${kindOf(value)} that is none.`)
    remove(root, path)
  }
}

const suggestion = (word: string, known: readonly string[] | undefined): string => {
  const near = known && nearest(word, known)
  return near ? `; the nearest is ${near}` : ''
}

type Table = Record<string, unknown>

export const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/**
 * A copy that only holds what JSON Schema has a type for. A TOML date is an object to JavaScript and would pass as an
 * empty table, so it becomes a symbol, which has no type. Numbers that are too large are bigints, which have none either.
 * What lies deeper than any key of ours is cut off: somebody else's file must not be able to exhaust the stack.
 */
const plain = (value: unknown, depth = 0): unknown => {
  if (value instanceof Date) return dateMark
  if (typeof value !== 'object' || value === null) return value
  if (depth > maxDepth) return deepMark
  if (Array.isArray(value)) return value.map(item => plain(item, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]))
}

const maxDepth = 4 // vaults, KEY, name, and one to spare
const dateMark = Symbol('a date')
const deepMark = Symbol('a value nested too deeply')

const kindOf = (value: unknown): string => {
  if (value === undefined) return 'missing'
  if (typeof value === 'symbol') return value.description ?? 'a symbol'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'bigint') return 'a number out of range'
  if (typeof value === 'string') return value === '' ? 'an empty text' : `a text of ${value.length} characters`
  return typeof value === 'number' ? 'a number' : typeof value === 'boolean' ? String(value) : 'a table'
}

const unescapePointer = (key: string): string => key.replaceAll('~1', '/').replaceAll('~0', '~')

const child = (value: unknown, key: string): unknown =>
  (isTable(value) || Array.isArray(value)) && Object.hasOwn(value, key) ? (value as Table)[key] : undefined

const valueAt = (root: Table, path: readonly string[]): unknown => path.reduce<unknown>(child, root)

/** Takes a wrong value out of its table; a list with a wrong entry goes whole. */
const remove = (root: Table, path: readonly string[]): void => {
  const parentPath = path.slice(0, -1)
  const parent = valueAt(root, parentPath)
  if (Array.isArray(parent)) remove(root, parentPath)
  else if (isTable(parent)) delete parent[path.at(-1) ?? '']
}
