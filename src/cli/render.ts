/**
 * JSON for people: `key: value` lines with the values aligned, nested parts indented, lists of objects as tables where a
 * table can be scanned. Strings may come from Azure and go to a terminal, so they are made printable.
 */
import { printable } from '../printable.ts'

type Row = Record<string, unknown>

/** The whole text, ending in a newline. */
export const render = (value: unknown): string => `${lines(value).join('\n')}\n`

const lines = (value: unknown): string[] => {
  const columns = isRows(value) ? columnsOf(value) : []
  if (canBeScanned(columns)) return table(columns)
  if (Array.isArray(value))
    return value.flatMap(item => lines(item).map((line, index) => (index === 0 ? '- ' : '  ') + line))
  if (isText(value))
    return value
      .trimEnd()
      .split(lineBreak)
      .map(line => printable(line))
  return isRow(value) ? fields(value) : [cell(value)]
}

const fields = (value: Row): string[] => {
  const entries = Object.entries(value)
  const width = Math.max(0, ...entries.filter(([, item]) => isFlat(item)).map(([key]) => printable(key).length))
  return entries.flatMap(([key, item]) =>
    isFlat(item)
      ? [`${`${printable(key)}:`.padEnd(width + 1)} ${cell(item)}`]
      : [`${printable(key)}:`, ...lines(item).map(line => `  ${line}`)],
  )
}

interface Column {
  name: string
  cells: string[]
  width: number
  /** 0 for short texts, 1 for long ones, 2 for paths (ids). */
  rank: number
}

/**
 * Columns in the order the rows have them, without those that are empty in every row. Long texts stand behind the short
 * ones and paths last: the readable part stays on the left.
 */
const columnsOf = (rows: readonly Row[]): Column[] => {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const all = names.map(name => {
    const cells = rows.map(row => cell(row[name]))
    const width = Math.max(name.length, ...cells.map(text => text.length))
    const rank = width <= longWidth ? 0 : cells.some(text => text.startsWith('/')) ? 2 : 1
    return { name: printable(name), cells, width, rank }
  })
  return all.filter(({ cells }) => cells.some(text => text !== empty)).sort((a, b) => a.rank - b.rank)
}

/** False where most of it is off the screen: requests with their addresses and bodies. */
const canBeScanned = (columns: readonly Column[]): boolean => {
  const wide = columns.filter(({ width }) => width > screenWidth).length
  return columns.length > 0 && (wide < 2 || wide < columns.length - wide)
}

const screenWidth = 120

const table = (columns: readonly Column[]): string[] => {
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => text.padEnd(columns[index]?.width ?? 0))
      .join('  ')
      .trimEnd()
  const rows = columns[0]?.cells.keys() ?? []
  return [
    line(columns.map(({ name }) => name)),
    ...Array.from(rows, row => line(columns.map(({ cells }) => cells[row] ?? ''))),
  ]
}

const longWidth = 40 // the longest name that people give; ARM ids begin at about 100

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

const isRows = (value: unknown): value is Row[] => Array.isArray(value) && value.length > 0 && value.every(isRow)

/** True for what fits behind its key on one line; sentences get a line each. */
const isFlat = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isWord) : !isRow(value) && !isText(value)

const isWord = (value: unknown): boolean => !isRow(value) && !Array.isArray(value) && String(value).length <= longWidth

const lineBreak = /\r?\n|\r/

/** True for what has lines of its own: a script, whose lines mean something. */
const isText = (value: unknown): value is string => typeof value === 'string' && lineBreak.test(value.trim())

const empty = '-'

/** A sentence that Azure broke, made printable. */
export const oneLine = (text: string): string => printable(text.replaceAll(/\s*[\r\n]\s*/g, ' '))

/** One line; of a part with fields of its own those that say something. */
const cell = (value: unknown): string => {
  if (value === null || value === undefined || value === '') return empty
  if (Array.isArray(value)) return joined(value.map(cell)) || empty
  if (!isRow(value)) return oneLine(String(value))
  const told = Object.entries(value).map(([key, item]) => ({ key, text: cell(item) }))
  const shown = told.filter(({ text }) => text !== empty).map(({ key, text }) => `${printable(key)}: ${text}`)
  return shown.join('; ') || empty
}

/** Sentences follow each other as they are. */
const joined = (texts: readonly string[]): string => texts.join(texts.every(text => text.endsWith('.')) ? ' ' : ', ')
