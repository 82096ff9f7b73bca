/**
 * JSON for people: `key: value` lines with the values aligned, nested parts indented, lists of objects as tables. Strings
 * may come from Azure and go to a terminal, so they are made printable.
 */
import { printable } from '../printable.ts'

type Row = Record<string, unknown>

/** The whole text, ending in a newline. */
export const render = (value: unknown): string => `${lines(value).join('\n')}\n`

const lines = (value: unknown): string[] => {
  if (isRows(value)) return table(value)
  if (Array.isArray(value))
    return value.flatMap(item => lines(item).map((line, index) => (index === 0 ? '- ' : '  ') + line))
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

/**
 * Columns in the order the rows have them, without those that are empty in every row. Long texts stand behind the short
 * ones and paths (ids) last: the readable part stays on the left.
 */
const table = (rows: readonly Row[]): string[] => {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const all = names.map(name => {
    const cells = rows.map(row => cell(row[name]))
    const width = Math.max(name.length, ...cells.map(text => text.length))
    const rank = width <= longWidth ? 0 : cells.some(text => text.startsWith('/')) ? 2 : 1
    return { name: printable(name), cells, width, rank }
  })
  const columns = all.filter(({ cells }) => cells.some(text => text !== empty)).sort((a, b) => a.rank - b.rank)
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => text.padEnd(columns[index]?.width ?? 0))
      .join('  ')
      .trimEnd()
  return [
    line(columns.map(({ name }) => name)),
    ...rows.map((_, row) => line(columns.map(({ cells }) => cells[row] ?? ''))),
  ]
}

const longWidth = 40 // the longest name that people give; ARM ids begin at about 100

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

const isRows = (value: unknown): value is Row[] => Array.isArray(value) && value.length > 0 && value.every(isRow)

/** True for what fits behind its key on one line; sentences get a line each. */
const isFlat = (value: unknown): boolean => (Array.isArray(value) ? value.every(isWord) : !isRow(value))

const isWord = (value: unknown): boolean => !isRow(value) && !Array.isArray(value) && String(value).length <= longWidth

const empty = '-'

/** One line; of a part with fields of its own those that say something. */
const cell = (value: unknown): string => {
  if (value === null || value === undefined || value === '') return empty
  if (Array.isArray(value)) return joined(value.map(cell)) || empty
  if (!isRow(value)) return printable(String(value).replaceAll(/\s*[\r\n]\s*/g, ' '))
  const told = Object.entries(value).map(([key, item]) => ({ key, text: cell(item) }))
  const shown = told.filter(({ text }) => text !== empty).map(({ key, text }) => `${printable(key)}: ${text}`)
  return shown.join('; ') || empty
}

/** Sentences follow each other as they are. */
const joined = (texts: readonly string[]): string => texts.join(texts.every(text => text.endsWith('.')) ? ' ' : ', ')
