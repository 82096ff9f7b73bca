/**
 * The type files of later API versions (one array, in which `#/n` means the nth) as views. They name resources and what is
 * in them, but no paths, no queries, and of the classes only the leaves.
 */
import { type Family, once, remembered, type View, type ViewProperty } from './views.ts'

interface Reference {
  $ref: string
}
interface TypeProperty {
  type: Reference
  /** 1 required, 2 read-only, 4 write-only, 8 known before deployment. */
  flags: number
}
export interface TypeEntry {
  $type: string
  name?: string
  value?: string
  properties?: Record<string, TypeProperty>
  additionalProperties?: Reference
  itemType?: Reference
  discriminator?: string
  baseProperties?: Record<string, TypeProperty>
  /** Of a union a list, of kinds an object. */
  elements?: readonly Reference[] | Record<string, Reference>
}

export interface Types {
  /** The views of all types of a name, letter case aside. */
  named(name: string): readonly View[]
}

const simple = { StringType: 'string', IntegerType: 'integer', BooleanType: 'boolean' } as const

export const readTypes = (file: string, family: Family, entries: readonly TypeEntry[]): Types => {
  const at = ({ $ref }: Reference): number => Number($ref.slice('#/'.length))
  const properties = (given: Record<string, TypeProperty>): Map<string, ViewProperty> =>
    new Map(
      Object.entries(given)
        .filter(([name]) => name !== 'apiVersion')
        .map(([name, { type, flags }]) => [
          name,
          { view: view(at(type)), required: (flags & 9) === 1, readOnly: (flags & 2) !== 0 || undefined },
        ]),
    )
  const object = (entry: TypeEntry, base: Record<string, TypeProperty>, id: string): View => {
    const { additionalProperties: rest } = entry
    return {
      id,
      family,
      types: ['object'],
      properties: once(() => properties({ ...base, ...entry.properties })),
      ...(rest ? { rest: once(() => view(at(rest))) } : {}),
    }
  }
  const kinds = ({ discriminator = '', baseProperties = {}, elements = {} }: TypeEntry, id: string) => ({
    key: discriminator,
    byValue: new Map(
      Object.entries(elements as Record<string, Reference>).map(([value, reference]) => [
        value,
        object(entries[at(reference)] as TypeEntry, baseProperties, `${id} as ${value}`),
      ]),
    ),
  })
  const make = (index: number): View => {
    const id = `${file}#/${index}`
    const entry = entries[index]
    if (!entry) throw new Error(`no ${id}`)
    const { $type, itemType, elements } = entry
    if ($type in simple) return { id, family, types: [simple[$type as keyof typeof simple]] }
    if ($type === 'StringLiteralType') return { id, family, types: ['string'], words: [entry.value ?? ''] }
    if ($type === 'ArrayType' && itemType)
      return { id, family, types: ['array'], items: once(() => view(at(itemType))) }
    if ($type === 'ObjectType') return object(entry, {}, id)
    if ($type === 'DiscriminatedObjectType')
      return { ...object(entry, entry.baseProperties ?? {}, id), kinds: once(() => kinds(entry, id)) }
    if ($type === 'UnionType') {
      // A string beside the words says that more may come; which they are is what is asked here.
      const words = (elements as readonly Reference[]).flatMap(one => view(at(one)).words ?? [])
      return { id, family, types: ['string'], words }
    }
    return { id, family, types: [] }
  }
  const view = remembered(make)
  const names = new Map<string, number[]>()
  for (const [index, { $type, name = '' }] of entries.entries())
    if ($type === 'ObjectType' || $type === 'DiscriminatedObjectType')
      names.set(name.toLowerCase(), [...(names.get(name.toLowerCase()) ?? []), index])
  return { named: name => (names.get(name.toLowerCase()) ?? []).map(view) }
}
