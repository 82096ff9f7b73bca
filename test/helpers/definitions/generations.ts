/**
 * The definitions put together, for each of two generations: up to api-version 2022-02-01 the Swagger files say everything;
 * what came later is added from the type files, which name properties and words but no operations.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../server.ts'
import { type Difference, known } from './known.ts'
import { createFinder, type Operation, operationsOf, withDifferences } from './operations.ts'
import { createShapes, type Shape } from './shapes.ts'
import { type Document, readSwagger, type Swagger } from './swagger.ts'
import { readTypes, type TypeEntry, type Types } from './types.ts'
import { type Family, grouped, once, remembered, type View } from './views.ts'

/** The folder of Azure's definitions. */
export const azure = path.join(root, '../shared/reference/azure')
/** For the options of a test that needs them. */
export const skip = existsSync(azure) ? false : 'needs ../shared/reference/azure, which is not there'

const files: [file: string, family: Family][] = [
  ['bms.json', 'backup'],
  ['bms-crr.json', 'backup'],
  ['vaults.json', 'vaults'],
  ['vaultusages.json', 'vaults'],
  ['replicationusages.json', 'vaults'],
  ['registeredidentities.json', 'vaults'],
]
const typeFiles: [file: string, family: Family][] = [
  ['recoveryservicesbackup.types-2025-08-01.json', 'backup'],
  ['recoveryservicesbackup.types-2026-07-01.json', 'backup'],
  ['recoveryservices.types-2025-08-01.json', 'vaults'],
  ['recoveryservices.types-2026-07-01.json', 'vaults'],
]

const readJson = (file: string): unknown => JSON.parse(readFileSync(path.join(azure, file), 'utf8'))

const swagger = remembered((file: string): Swagger => {
  const family = new Map(files).get(file) ?? 'outside'
  return readSwagger(file, family, readJson(file) as Document, swagger)
})

/** The definitions as published. Only to be called where the folder is. */
export const published = once((): Swagger[] => files.map(([file]) => swagger(file)))

const laterTypes = once((): [Family, Types][] =>
  typeFiles.map(([file, family]) => [family, readTypes(file, family, readJson(file) as TypeEntry[])]),
)

type Properties = NonNullable<ReturnType<NonNullable<View['properties']>>>
const propertiesOf = (views: readonly View[]): Properties =>
  new Map(views.flatMap(view => [...(view.properties?.() ?? [])]))

/** What the other files say of a name in one family. */
interface Names {
  swagger: readonly Swagger[]
  differences: readonly Swagger[]
  /** By the type files. */
  later(name: string): readonly View[]
}

/**
 * The type files name leaves only: what a class gained is what all that come of it gained, and what they had not by the
 * published definition.
 */
const gained = (name: string, { swagger: all, later }: Names): View[] => {
  if (later(name).length > 0) return []
  return all.flatMap(({ heirs, named, family, file }) => {
    const ofHeirs = heirs(name)
      .filter(heir => later(heir).length > 0)
      .map(heir => {
        const own = propertiesOf([named(heir) ?? []].flat())
        return new Map([...propertiesOf(later(heir))].filter(([each]) => !own.has(each)))
      })
    const [first = new Map()] = ofHeirs
    const properties: Properties = new Map([...first].filter(([each]) => ofHeirs.every(heir => heir.has(each))))
    return { id: `${file}: gained by all ${name}`, family, types: ['object'], properties: () => properties }
  })
}

/** Views that say more of a definition, or of the class that it comes of: such a class is no choice between kinds here. */
const moreOf = (name: string, names: Names): View[] => {
  const ancestors = [...names.swagger, ...names.differences].flatMap(one => one.ancestors(name))
  const said = (each: string): View[] => [
    ...names.later(each),
    ...names.differences.flatMap(({ named }) => named(each) ?? []),
  ]
  const inherited = [...new Set(ancestors)]
    .flatMap(said)
    .map(({ kinds, id, ...view }) => ({ ...view, id: `${id} above` }))
  return [...said(name), ...inherited, ...gained(name, names)]
}

/** The later views of each set of words: from where the published definition and the type files have the same property. */
const laterWords = ({ swagger: all, later }: Names): Map<string, View[]> => {
  const pairs = all.flatMap(({ document, named }) =>
    Object.keys(document.definitions ?? {}).flatMap(name => {
      const newer = propertiesOf(later(name))
      return [...propertiesOf([named(name) ?? []].flat())].flatMap(([property, { view }]): [string, View][] => {
        const found = newer.get(property)?.view
        return view.wordsName && found?.words ? [[view.wordsName, found]] : []
      })
    }),
  )
  return new Map([...grouped(pairs, ([name]) => name)].map(([name, some]) => [name, some.map(([, view]) => view)]))
}

export type Generation = NonNullable<Difference['when']>

export interface Definitions {
  find(pathname: string): Operation[]
  shape(views: readonly View[]): Shape
}

/** Made once for a generation, and of it only what is asked for. Only to be called where the folder is. */
export const definitionsOf = remembered((generation: Generation): Definitions => {
  const differences = known
    .filter(({ when }) => when === undefined || when === generation)
    .map(({ family, about, document }) => readSwagger(about, family, document, swagger))
  const types = generation === 'since then' ? laterTypes() : []
  const namesOf = remembered(
    (family: Family): Names => ({
      swagger: published().filter(one => one.family === family),
      differences: differences.filter(one => one.family === family),
      later: name => types.flatMap(([each, { named }]) => (each === family ? named(name) : [])),
    }),
  )
  const wordsOf = remembered((family: Family) => laterWords(namesOf(family)))
  const more = ({ name, wordsName, family }: View): View[] => [
    ...(name === undefined ? [] : moreOf(name, namesOf(family))),
    ...(wordsName === undefined ? [] : (wordsOf(family).get(wordsName) ?? [])),
  ]
  const operations = withDifferences(published().flatMap(operationsOf), differences.flatMap(operationsOf))
  return { find: createFinder(operations), shape: createShapes(more) }
})
