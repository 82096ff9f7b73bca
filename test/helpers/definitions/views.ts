/**
 * One way to look at a schema, whatever it is written in. Swagger (what Azure published up to 2022-02-01), the type files
 * of later versions and the project's own table of differences are read as views, and views of the same thing are merged
 * into one shape (shapes.ts).
 */
export type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object'
export type Word = string | number

/** The definitions that know each other's names: of backup (bms*.json), of vaults, and what lies outside of both. */
export type Family = 'backup' | 'vaults' | 'outside'

export interface ViewProperty {
  view: View
  required: boolean
  /** Undefined: not said. */
  readOnly: boolean | undefined
}

/** Everything that leads to other views is a function, since definitions lead back to themselves. */
export interface View {
  /** Of this view alone: merged shapes are remembered by it. */
  id: string
  family: Family
  /** Of a definition; others of this name in the family say more of the same thing. */
  name?: string
  /** None: anything. */
  types: readonly JsonType[]
  words?: readonly Word[]
  /** Words of one name are the same wherever they stand. */
  wordsName?: string
  isTime?: boolean
  items?: () => View
  properties?: () => ReadonlyMap<string, ViewProperty>
  /** Of the properties that have no name in the definition. */
  rest?: () => View
  /** Has no properties but those named, even if that is none. Else one without any may have what it likes. */
  isClosed?: boolean
  kinds?: () => { key: string; byValue: ReadonlyMap<string, View> }
}

/** Remembers what `make` gave for a key. */
export const remembered = <K, V>(make: (key: K) => V): ((key: K) => V) => {
  const made = new Map<K, V>()
  return key => {
    const found = made.get(key)
    if (found !== undefined) return found
    const value = make(key)
    made.set(key, value)
    return value
  }
}

export const once = <V>(make: () => V): (() => V) => {
  const get = remembered((_: 0) => make())
  return () => get(0)
}

export const grouped = <K, V>(values: Iterable<V>, keyOf: (value: V) => K): Map<K, V[]> => {
  const groups = new Map<K, V[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group) group.push(value)
    else groups.set(key, [value])
  }
  return groups
}
