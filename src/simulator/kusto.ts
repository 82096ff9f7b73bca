/**
 * The part of Azure Resource Graph's language that is understood: a table, then `where` of comparisons joined by `and`,
 * `project`, and `limit` or `take`. Everything else is refused.
 */
import type { Fields } from '../backup/fields.ts'
import { isObject } from '../rpc/messages.ts'
import { Refusal } from './refusal.ts'
import { rowNamed } from './words.ts'

export type Row = Fields

export interface Comparison {
  path: string
  operator: string
  value: string | number | boolean
}

export interface Query {
  /** In lower case. */
  table: string
  conditions: Comparison[]
  /** Column by name; undefined: all. */
  columns: readonly (readonly [name: string, path: string])[] | undefined
  limit: number | undefined
}

const refused = (why: string): Refusal => new Refusal(400, 'InvalidQuery', `Query is invalid. ${why}`)

const quoted = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g

/** Parts between the separator where it stands outside of quotes. */
const split = (text: string, separator: RegExp): string[] => {
  const texts: string[] = []
  const bare = text.replace(quoted, found => {
    texts.push(found)
    return `\u0000${texts.length - 1}\u0000`
  })
  const restored = (part: string) => part.replace(/\u0000(\d+)\u0000/g, (_, at: string) => texts[Number(at)] ?? '')
  return bare.split(separator).map(part => restored(part).trim())
}

const path = String.raw`[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*`
const comparison = new RegExp(
  String.raw`^(${path})\s*(=~|!~|==|!=)\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(true|false)|(-?\d+(?:\.\d+)?))$`,
  'i',
)

const toComparison = (text: string): Comparison => {
  const [, of, operator, string, truth, digits] = comparison.exec(text) ?? []
  if (of === undefined || operator === undefined) throw refused(`"${text}" is no comparison that is supported here.`)
  if (string !== undefined) return { path: of, operator, value: string.slice(1, -1).replace(/\\(.)/g, '$1') }
  return { path: of, operator, value: truth === undefined ? Number(digits) : truth.toLowerCase() === 'true' }
}

/** A nested column without a name of its own is called by its path. */
const toColumn = (text: string): readonly [string, string] => {
  const [, name, of] = new RegExp(`^(?:([A-Za-z_]\\w*)\\s*=\\s*)?(${path})$`).exec(text) ?? []
  if (of === undefined) throw refused(`"${text}" is no column that is supported here.`)
  return [name ?? of.replaceAll('.', '_'), of]
}

const steps: Readonly<Record<string, (query: Query, rest: string) => void>> = {
  where: ({ conditions }, rest) => void conditions.push(...split(rest, /\sand\s/i).map(toComparison)),
  project: (query, rest) => {
    if (query.columns) throw refused('Only one project is supported here.')
    query.columns = split(rest, /,/).map(toColumn)
  },
  limit: (query, rest) => {
    if (!/^\d+$/.test(rest)) throw refused(`"${rest}" is no number of rows.`)
    query.limit = Math.min(Number(rest), query.limit ?? Number.POSITIVE_INFINITY)
  },
}

/** Throws Refusal `InvalidQuery`. */
export const parseQuery = (text: string): Query => {
  const [table = '', ...parts] = split(text, /\|/)
  if (!/^[A-Za-z]+$/.test(table)) throw refused('It must begin with a table.')
  const query: Query = { table: table.toLowerCase(), conditions: [], columns: undefined, limit: undefined }
  for (const part of parts) {
    const [, word = '', rest = ''] = /^(\w+)\s*([\s\S]*)$/.exec(part) ?? []
    const name = word.toLowerCase()
    const step = rowNamed(steps, name === 'take' ? 'limit' : name)
    if (!step) throw refused(`"${word}" is not supported here.`)
    if (query.columns && name === 'where') throw refused('where must come before project here.')
    step(query, rest)
  }
  return query
}

/** Columns are found in any letter case, what lies in them in their own. */
const valueAt = (row: Row, of: string): unknown => {
  const [column = '', ...inner] = of.split('.')
  const name = Object.keys(row).find(each => each.toLowerCase() === column.toLowerCase())
  return inner.reduce((value: unknown, key) => (isObject(value) ? value[key] : undefined), name && row[name])
}

const same = (a: unknown, b: Comparison['value']): boolean =>
  a === b || (typeof b !== 'string' && String(a) === String(b))
const sameText = (a: unknown, b: Comparison['value']): boolean =>
  String(a ?? '').toLowerCase() === String(b).toLowerCase()

const operators: Readonly<Record<string, (a: unknown, b: Comparison['value']) => boolean>> = {
  '==': same,
  '!=': (a, b) => !same(a, b),
  '=~': sameText,
  '!~': (a, b) => !sameText(a, b),
}

export const isMet = (row: Row, { path: of, operator, value }: Comparison): boolean =>
  operators[operator]?.(valueAt(row, of), value) ?? false

export const projected = (row: Row, { columns }: Query): Row =>
  columns ? Object.fromEntries(columns.map(([name, of]) => [name, valueAt(row, of) ?? null])) : row
