/** Views of one thing merged into what is allowed of it, and values held against that. */
import type { JsonType, View, Word } from './views.ts'

interface Property {
  shape: Shape
  isRequired: boolean
  isReadOnly: boolean
}

/** Everything that any of its views allows. Parts are merged when a value first has them. */
export interface Shape {
  types: ReadonlySet<JsonType>
  words: ReadonlySet<Word> | undefined
  isTime: boolean
  items: Shape | undefined
  rest: Shape | undefined
  isClosed: boolean
  /** Names to values of the discriminator. */
  kinds: { key: string; of(value: string): Shape | undefined; known: readonly string[] } | undefined
  names: ReadonlySet<string>
  required: readonly string[]
  property(name: string): Property
}

/** Merges views. `more` gives the other views of a definition: of later types, and of what is known to differ. */
export const createShapes = (more: (view: View) => readonly View[]): ((views: readonly View[]) => Shape) => {
  const made = new Map<string, Shape>()

  const gathered = (views: readonly View[]): View[] => {
    const all = new Map<string, View>()
    const add = (view: View): void => {
      if (all.has(view.id)) return
      all.set(view.id, view)
      for (const each of more(view)) add(each)
    }
    for (const view of views) add(view)
    return [...all.values()]
  }

  const kindsOf = (views: readonly View[]): Shape['kinds'] => {
    const all = views.flatMap(view => view.kinds?.() ?? [])
    const [first] = all
    if (!first) return undefined
    return {
      key: first.key,
      known: [...new Set(all.flatMap(({ byValue }) => [...byValue.keys()]))],
      of: value => {
        const found = all.flatMap(({ byValue }) => byValue.get(value) ?? [])
        return found.length > 0 ? merge(found) : undefined
      },
    }
  }

  const fresh = (views: readonly View[]): Shape => {
    const parts = new Map<string, Property>()
    const maps = views.flatMap(view => view.properties?.() ?? [])
    const words = views.flatMap(view => view.words ?? [])
    const items = views.flatMap(view => view.items?.() ?? [])
    const rest = views.flatMap(view => view.rest?.() ?? [])
    const names = new Set(maps.flatMap(map => [...map.keys()]))
    const property = (name: string): Property => {
      const given = maps.flatMap(map => map.get(name) ?? [])
      return {
        shape: merge(given.map(({ view }) => view)),
        isRequired: given.some(({ required }) => required),
        // What is known to differ may say that it is not.
        isReadOnly: given.some(({ readOnly }) => readOnly) && given.every(({ readOnly }) => readOnly !== false),
      }
    }
    return {
      types: new Set(views.flatMap(({ types }) => types)),
      words: words.length > 0 ? new Set(words) : undefined,
      isTime: views.some(({ isTime }) => isTime),
      items: items.length > 0 ? merge(items) : undefined,
      rest: rest.length > 0 ? merge(rest) : undefined,
      isClosed: views.some(({ isClosed }) => isClosed),
      kinds: kindsOf(views),
      names,
      required: [...names].filter(name => maps.some(map => map.get(name)?.required)),
      property: name => {
        const part = parts.get(name) ?? property(name)
        parts.set(name, part)
        return part
      },
    }
  }

  const merge = (views: readonly View[]): Shape => {
    const key = views.map(({ id }) => id).join(' + ')
    const known = made.get(key)
    if (known) return known
    const shape = fresh(gathered(views))
    made.set(key, shape)
    return shape
  }
  return merge
}

const typeOf = (value: unknown): JsonType => {
  if (Array.isArray(value)) return 'array'
  if (Number.isInteger(value)) return 'integer'
  return typeof value as JsonType
}

/** As a person reads it: at most a line. */
const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
const listed = (words: Iterable<unknown>): string => [...words].join(', ')

/** 2001-01-01T00:00:00Z; the zone may be missing, where Azure says that there was no such time. */
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/

const step = (at: string, name: string | number): string =>
  `${at}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`

/** What a value is held against, and where it goes: only what is sent may hold nothing read-only. */
export const valueFaults = (shape: Shape, value: unknown, isSent: boolean, at: string): string[] => {
  // Azure writes null for what is not there.
  if (value === null || value === undefined) return []
  const type = typeOf(value)
  if (shape.types.size > 0 && !shape.types.has(type) && !(type === 'integer' && shape.types.has('number')))
    return [`${at}: must be ${listed(shape.types)}, is ${shown(value)}`]
  if (shape.words && type !== 'object' && type !== 'array' && !shape.words.has(value as Word))
    return [`${at}: ${shown(value)} is none of ${listed(shape.words)}`]
  if (shape.isTime && type === 'string' && value !== '' && !time.test(value as string))
    return [`${at}: ${shown(value)} is no time`]
  if (type === 'array') {
    const { items } = shape
    return items ? (value as unknown[]).flatMap((one, index) => valueFaults(items, one, isSent, step(at, index))) : []
  }
  return type === 'object' ? objectFaults(shape, value as Record<string, unknown>, isSent, at) : []
}

const objectFaults = (shape: Shape, value: Record<string, unknown>, isSent: boolean, at: string): string[] => {
  const { kinds, rest } = shape
  if (kinds) {
    const kind = value[kinds.key]
    if (typeof kind !== 'string') return [`${step(at, kinds.key)}: must say which of ${listed(kinds.known)} this is`]
    const found = kinds.of(kind)
    return found
      ? objectFaults({ ...found, kinds: undefined }, value, isSent, at)
      : [`${step(at, kinds.key)}: ${shown(kind)} is none of ${listed(kinds.known)}`]
  }
  if (shape.names.size === 0 && !rest && !shape.isClosed) return []
  const faults = Object.entries(value).flatMap(([name, one]) => {
    const where = step(at, name)
    if (!shape.names.has(name)) return rest ? valueFaults(rest, one, isSent, where) : [`${where}: is not defined`]
    const { shape: inner, isReadOnly } = shape.property(name)
    return isSent && isReadOnly ? [`${where}: is read-only`] : valueFaults(inner, one, isSent, where)
  })
  const missing = shape.required.filter(
    name => (value[name] ?? undefined) === undefined && !(isSent && shape.property(name).isReadOnly),
  )
  return [...faults, ...missing.map(name => `${step(at, name)}: must be there`)]
}
