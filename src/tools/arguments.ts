/** Arguments as a model wrote them to arguments that fit the tool's schema, or every fault they have. */
import type { ErrorObject } from 'ajv'
import type { ToolName } from '../generated/tools.ts'
import { nearest } from '../nearest.ts'
import { findTool, toolPrefix } from './catalog.ts'
import { badArgument, type Fault, InputError, pointerTo } from './input-error.ts'
import { canonicalWords, referred, type WordSchema } from './words.ts'

export interface Validator {
  (value: unknown): boolean
  errors?: ErrorObject[] | null
}

interface InputSchema {
  properties: Record<string, WordSchema>
  $defs?: Record<string, WordSchema>
}

const schemas = new Map<ToolName, InputSchema>()

const inputSchemaOf = (name: ToolName): InputSchema => {
  const known = schemas.get(name)
  if (known) return known
  const text = findTool(toolPrefix + name)?.base
  const { inputSchema } = JSON.parse(`{${text}}`) as { inputSchema: InputSchema } // our own text, made from schemas/
  schemas.set(name, inputSchema)
  return inputSchema
}

/** Throws InputError with all faults. An argument that is null counts as left out: some clients send every one. */
export const checkedArguments = (
  name: ToolName,
  given: Readonly<Record<string, unknown>>,
  validate: Validator,
): Record<string, unknown> => {
  const schema = inputSchemaOf(name)
  const count = Object.keys(given).length
  if (count > mostArguments) throw badArgument('', `there are ${count} arguments, more than any tool has`)
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
  const checked = canonicalWords(present, schema.properties, schema.$defs)
  if (validate(checked)) return wellFormed(checked)
  const errors = validate.errors ?? []
  const faults = errors.slice(0, mostFaults).map(error => toFault(error, schema, checked))
  const more = errors.length - faults.length
  throw new InputError(more > 0 ? [...faults, { path: '', message: `and ${more} more faults` }] : faults)
}

/** JSON can hold half of a surrogate pair, a URL cannot. */
const wellFormed = (checked: Record<string, unknown>): Record<string, unknown> => {
  const torn = Object.keys(checked).filter(name => /\p{Cs}/u.test(String(checked[name])))
  if (torn.length === 0) return checked
  throw new InputError(torn.map(name => ({ path: pointerTo(name), message: 'holds half of a character' })))
}

const mostArguments = 1000 // a line can hold a million, and a fault for each would take seconds
const mostFaults = 40 // more than any tool has arguments
const longestName = 80

type Params = Record<string, unknown>

/** What is right, by the keyword that was broken. */
const sentences: Readonly<Record<string, (params: Params) => string>> = {
  required: ({ missingProperty }) => `"${missingProperty}" is required`,
  type: ({ type }) => `must be ${Array.isArray(type) ? type.join(' or ') : type}`,
  enum: ({ allowedValues }) => `must be one of ${(allowedValues as unknown[]).map(String).join(', ')}`,
  minimum: ({ limit }) => `must be ${limit} or more`,
  maximum: ({ limit }) => `must be ${limit} or less`,
  minLength: ({ limit }) => (limit === 1 ? 'must not be empty' : `must have ${limit} characters or more`),
  maxLength: ({ limit }) => `must have ${limit} characters or fewer`,
  format: ({ format }) =>
    format === 'date-time' ? 'must be a time with an offset, e.g. 2026-11-22T02:00:00Z' : `must be a ${format}`,
}

/** The names of a JSON pointer. */
const stepsOf = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))

/** The names that the arguments have there, or a part of them. */
const namesAt = ({ properties, $defs = {} }: InputSchema, path: string): string[] => {
  const found = stepsOf(path).reduce<WordSchema>(
    (schema, step) => referred(schema.properties?.[step] ?? schema.items ?? {}, $defs),
    { properties },
  )
  return Object.keys(found.properties ?? {})
}

const toFault = (error: ErrorObject, schema: InputSchema, value: unknown): Fault => {
  const { keyword, instancePath, params, message } = error
  if (keyword === 'additionalProperties') {
    const names = namesAt(schema, instancePath)
    const unknown = cutName(String(params.additionalProperty))
    const meant = nearest(unknown, names)
    return {
      path: `${instancePath}${pointerTo(unknown)}`,
      message: meant
        ? `is not an argument; did you mean "${meant}"?`
        : `is not an argument; known are ${names.join(', ')}`,
    }
  }
  const told = sentences[keyword]?.(params) ?? message ?? 'is not valid'
  const wrong = keyword === 'enum' ? givenWord(value, instancePath, params.allowedValues as unknown[]) : ''
  return { path: instancePath, message: told + wrong }
}

const cutName = (name: string): string => (name.length > longestName ? `${name.slice(0, longestName)}…` : name)

const givenWord = (value: unknown, path: string, allowed: readonly unknown[]): string => {
  const word = stepsOf(path).reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], value)
  if (typeof word !== 'string') return ''
  const meant = nearest(word, allowed.map(String))
  return `, not ${JSON.stringify(word.slice(0, 80))}${meant ? `; did you mean "${meant}"?` : ''}`
}
