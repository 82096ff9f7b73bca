/** What may be asked: paths, methods, query parameters and filters. */
import { type Shape, valueFaults } from './shapes.ts'
import type { Operation as Defined, Document, Parameter, Swagger } from './swagger.ts'
import { grouped, type View } from './views.ts'

export interface Answer {
  views: readonly View[]
  mayBeEmpty: boolean
}

export interface Operation {
  /** E.g. `GET /subscriptions/{subscriptionId}/…`. */
  name: string
  /** Lower case; undefined: a parameter. */
  segments: readonly (string | undefined)[]
  parameters: readonly string[]
  /** API versions; undefined: as the family has it. */
  version: string | undefined
  /** Lower-case names of query parameters, and whether they must be there. */
  query: ReadonlyMap<string, boolean>
  filter: readonly View[]
  body: readonly View[]
  isBodyRequired: boolean
  /** By status; errors are not among them. */
  answers: ReadonlyMap<number, Answer>
  /** The definition that says it, e.g. for its examples. */
  defined: Defined
  swagger: Swagger
}

const parameterName = (segment: string): string | undefined => /^\{(\w+)\}$/.exec(segment)?.[1]

/** Azure signs the URLs that it wants to be polled, and sends one with two question marks (unregistering a container). */
const pollingQuery = ['t', 'c', 's', 'h', 'fabricname']
const polled = /\/operation\w*\/\{operationId\}$|\/backup\w*Operation\w*\/\{operationId\}$/i

const isList = ({ views }: Answer): boolean => views.some(view => view.properties?.().has('nextLink'))

const operationOf = (swagger: Swagger, path: string, method: string, defined: Defined): Operation => {
  const name = `${method.toUpperCase()} ${path}`
  const parameters = (defined.parameters ?? []).map(one => swagger.parameter(one))
  const answers = new Map<number, Answer>()
  for (const [status, { schema }] of Object.entries(defined.responses))
    if (status !== 'default' && Number(status) < 400) {
      const views = schema ? [swagger.view(schema, `${swagger.file} ${name} ${status}`)] : []
      answers.set(Number(status), { views, mayBeEmpty: !schema })
    }
  const query = new Map([['api-version', true]])
  for (const { name: parameter = '', in: place, required = false } of parameters)
    if (place === 'query') query.set(parameter.toLowerCase(), required)
  // Where pages are, the next one is asked for, even if the definition forgets to say so.
  if ([...answers.values()].some(isList)) query.set('$skiptoken', false)
  if (polled.test(path)) for (const each of pollingQuery) query.set(each, false)
  const body = parameters.find(({ in: place }): boolean => place === 'body') as Parameter | undefined
  const odata = defined['x-ms-odata']
  return {
    name,
    segments: path.split('/').map(each => (parameterName(each) ? undefined : each.toLowerCase())),
    parameters: path.split('/').map(each => parameterName(each) ?? ''),
    version: swagger.document.info?.version,
    query,
    filter: odata ? [swagger.view({ $ref: odata }, odata)] : [],
    body: body?.schema ? [swagger.view(body.schema, `${swagger.file} ${name} body`)] : [],
    isBodyRequired: body?.required ?? false,
    answers,
    defined,
    swagger,
  }
}

export const operationsOf = (swagger: Swagger): Operation[] =>
  Object.entries((swagger.document as Document).paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, defined]) => operationOf(swagger, path, method, defined)),
  )

const merged = (one: Operation, more: Operation): Operation => ({
  ...one,
  query: new Map([...one.query, ...more.query]),
  filter: [...one.filter, ...more.filter],
  // One body is no part of another.
  body: more.body.length > 0 ? more.body : one.body,
  answers: [...more.answers].reduce((all, [status, { views, mayBeEmpty }]) => {
    const before = all.get(status)
    return all.set(status, {
      views: [...(before?.views ?? []), ...views],
      mayBeEmpty: mayBeEmpty || before?.mayBeEmpty === true,
    })
  }, new Map(one.answers)),
})

const keyOf = ({ name, segments }: Operation): string =>
  `${name.slice(0, name.indexOf(' '))} ${segments.map(each => each ?? '{}').join('/')}`

/** Adds what `differences` say to the operations that they are about; what nobody else defines stands for itself. */
export const withDifferences = (defined: readonly Operation[], differences: readonly Operation[]): Operation[] => {
  const byKey = grouped(differences, keyOf)
  const known = new Set(defined.map(keyOf))
  return [
    ...defined.map(one => (byKey.get(keyOf(one)) ?? []).reduce(merged, one)),
    ...differences.filter(one => !known.has(keyOf(one))),
  ]
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Those operations that a path may mean: of every method, and the most literal of them first. */
export const createFinder = (operations: readonly Operation[]): ((pathname: string) => Operation[]) => {
  const byLength = grouped(operations, ({ segments }) => segments.length)
  const literals = ({ segments }: Operation): number => segments.filter(each => each !== undefined).length
  return pathname => {
    // Azure Resource Manager takes doubled slashes for one.
    const asked = pathname
      .replace(/(?<=.)\/{2,}/g, '/')
      .split('/')
      .map(segment => decoded(segment).toLowerCase())
    const found = (byLength.get(asked.length) ?? []).filter(({ segments, parameters }) =>
      segments.every((segment, index) => {
        const given = asked[index] ?? ''
        if (segment !== undefined) return segment === given
        return parameters[index] === 'fabricName' ? given === 'azure' : given !== ''
      }),
    )
    const most = Math.max(...found.map(literals))
    return found.filter(one => literals(one) === most)
  }
}

const clause = /(\w+) eq '((?:[^']|'')*)'( and (?=.)|$)/y
const filterTime = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (AM|PM)$/

const filterValue = (shape: Shape, text: string): unknown => {
  if (shape.types.has('boolean')) return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : text
  // A filter writes times in its own way.
  if (shape.isTime) return filterTime.test(text) ? '2026-11-22T12:00:00Z' : `${text}, not yyyy-MM-dd hh:mm:ss tt`
  // Words are matched without letter case there (section 2.3): the Azure CLI asks for AzureWorkLoad.
  return [...(shape.words ?? [])].find(word => String(word).toLowerCase() === text.toLowerCase()) ?? text
}

/** `name eq 'value'` joined by ` and `: the names are those of the query object, and so are its words. */
export const filterFaults = (shape: Shape, filter: string | undefined): string[] => {
  const at = 'query $filter'
  const values = new Map<string, unknown>()
  const faults: string[] = []
  clause.lastIndex = 0
  for (let end = 0; filter !== undefined && end < filter.length; end = clause.lastIndex) {
    const [, name = '', text = ''] = clause.exec(filter) ?? []
    if (name === '') return [`${at}: cannot be read from ${JSON.stringify(filter.slice(end))}`]
    if (values.has(name)) faults.push(`${at}: has ${name} twice`)
    if (!shape.names.has(name)) faults.push(`${at}: ${name} is none of ${[...shape.names].join(', ')}`)
    else {
      const { shape: inner } = shape.property(name)
      faults.push(...valueFaults(inner, filterValue(inner, text), false, `${at} ${name}`))
    }
    values.set(name, text)
  }
  const missing = shape.required.filter(name => !values.has(name))
  return [...faults, ...missing.map(name => `${at}: ${name} must be there`)]
}

/** Parameters known, none twice, and none that must be there missing; `$filter` by itself. */
export const queryFaults = ({ query, name }: Operation, parameters: URLSearchParams): string[] => {
  const given = [...parameters.keys()].map(each => each.toLowerCase())
  const unknown = given.filter(each => !query.has(each))
  const twice = new Set(given.filter((each, index) => given.indexOf(each) !== index))
  const missing = [...query].filter(([each, isRequired]) => isRequired && !given.includes(each))
  return [
    ...unknown.map(each => `query ${each}: is not defined for ${name}`),
    ...[...twice].map(each => `query ${each}: is there twice`),
    ...missing.map(([each]) => `query ${each}: must be there`),
  ]
}
