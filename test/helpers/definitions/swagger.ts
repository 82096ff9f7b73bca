/** Swagger 2.0, as far as Azure's definitions use it, as views. */
import { type Family, type JsonType, once, remembered, type View, type ViewProperty, type Word } from './views.ts'

export interface Schema {
  $ref?: string
  description?: string
  type?: JsonType
  format?: string
  enum?: readonly Word[]
  'x-ms-enum'?: { name: string }
  items?: Schema
  properties?: Record<string, Schema>
  required?: readonly string[]
  readOnly?: boolean
  additionalProperties?: Schema | boolean
  allOf?: readonly Schema[]
  discriminator?: string
  'x-ms-discriminator-value'?: string
}

export interface Parameter {
  $ref?: string
  name?: string
  in?: 'path' | 'query' | 'body' | 'header'
  required?: boolean
  schema?: Schema
}

export interface Operation {
  operationId?: string
  parameters?: readonly Parameter[]
  responses: Record<string, { description?: string; schema?: Schema }>
  'x-ms-odata'?: string
  'x-ms-examples'?: Record<string, { $ref: string }>
}

export interface Document {
  info?: { version: string }
  paths?: Record<string, Record<string, Operation>>
  definitions?: Record<string, Schema>
  parameters?: Record<string, Parameter>
}

export interface Swagger {
  file: string
  family: Family
  document: Document
  /** The schema at a place of this document, or of another that it refers to. */
  view(schema: Schema, id: string): View
  /** The view of a definition, if it is here. */
  named(name: string): View | undefined
  parameter(parameter: Parameter): Parameter
  /** Names of the definitions that come of `name`, at any distance. */
  heirs(name: string): readonly string[]
  /** Names of the definitions that `name` comes of, letter case aside. */
  ancestors(name: string): readonly string[]
}

const lastOf = (pointer: string): string => pointer.slice(pointer.lastIndexOf('/') + 1)

/** `foreign` gives the file that a $ref leads into. */
export const readSwagger = (
  file: string,
  family: Family,
  document: Document,
  foreign: (file: string) => Swagger,
): Swagger => {
  const definitions = document.definitions ?? {}
  const byLowerName = new Map(Object.keys(definitions).map(name => [name.toLowerCase(), name]))
  const ancestors = remembered((name: string): string[] => {
    const { allOf = [] } = definitions[byLowerName.get(name.toLowerCase()) ?? ''] ?? {}
    const parents = allOf.map(({ $ref = '' }) => lastOf($ref))
    return [...parents, ...parents.flatMap(ancestors)]
  })
  const heirs = remembered((name: string) => Object.keys(definitions).filter(each => ancestors(each).includes(name)))

  const properties = (schema: Schema, id: string): Map<string, ViewProperty> => {
    const all = new Map<string, ViewProperty>()
    for (const parent of schema.allOf ?? [])
      for (const [name, property] of view(parent, `${id}/allOf`).properties?.() ?? []) all.set(name, property)
    for (const [name, property] of Object.entries(schema.properties ?? {}))
      all.set(name, { view: view(property, `${id}/${name}`), required: false, readOnly: property.readOnly })
    for (const name of schema.required ?? []) {
      const property = all.get(name)
      if (property) all.set(name, { ...property, required: true })
    }
    return all
  }

  const kinds = (name: string, key: string): { key: string; byValue: Map<string, View> } => {
    const byValue = new Map<string, View>()
    for (const each of [name, ...heirs(name)]) {
      const value = definitions[each]?.['x-ms-discriminator-value']
      const flat = { ...definitions[each] }
      // Of a certain kind, it is no longer a choice.
      delete flat.discriminator
      if (value !== undefined) byValue.set(value, make(flat, `${file}#/definitions/${each} as ${value}`, each))
    }
    return { key, byValue }
  }

  const make = (schema: Schema, id: string, name?: string): View => {
    const { type, items, additionalProperties: rest, discriminator } = schema
    const isObject = type === 'object' || schema.properties !== undefined || schema.allOf !== undefined
    return {
      id,
      family,
      ...(name === undefined ? {} : { name }),
      types: type ? [type] : isObject ? ['object'] : [],
      ...(schema.enum ? { words: schema.enum } : {}),
      ...(schema['x-ms-enum'] ? { wordsName: schema['x-ms-enum'].name } : {}),
      isTime: schema.format === 'date-time',
      ...(items ? { items: once(() => view(items, `${id}/items`)) } : {}),
      ...(isObject ? { properties: once(() => properties(schema, id)) } : {}),
      ...(rest === false ? { isClosed: true } : {}),
      ...(rest && typeof rest === 'object' ? { rest: once(() => view(rest, `${id}/*`)) } : {}),
      ...(discriminator && name ? { kinds: once(() => kinds(name, discriminator)) } : {}),
    }
  }
  const definition = remembered((name: string): View => {
    const schema = definitions[name]
    if (!schema) throw new Error(`${file} has no definition ${name}`)
    return make(schema, `${file}#/definitions/${name}`, name)
  })
  const view = (schema: Schema, id: string): View => {
    if (schema.$ref === undefined) return make(schema, id)
    const [elsewhere = '', pointer = ''] = schema.$ref.split('#')
    return elsewhere === '' ? definition(lastOf(pointer)) : foreign(elsewhere).view({ $ref: `#${pointer}` }, id)
  }
  return {
    file,
    family,
    document,
    view,
    named: name => {
      const exact = byLowerName.get(name.toLowerCase())
      return exact === undefined ? undefined : definition(exact)
    },
    parameter: parameter =>
      parameter.$ref === undefined ? parameter : (document.parameters?.[lastOf(parameter.$ref)] ?? {}),
    heirs,
    ancestors,
  }
}
