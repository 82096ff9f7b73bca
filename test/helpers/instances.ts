/**
 * Rows made from Azure's own definitions: every property of a type filled in, so that what no recording happens to hold is
 * read too. Two forms are read: Swagger (2022-02-01) and the type files of 2026-07-01.
 */
import { readFileSync } from 'node:fs'
import { at, type Raw } from './kinds.ts'

/** What a property may hold. Objects are read when they are asked for: definitions refer to each other in circles. */
export type Shape =
  | { is: 'text' | 'number' | 'flag' | 'nothing' }
  | { is: 'words'; words: readonly string[] }
  | { is: 'list' | 'map'; of: () => Shape }
  | { is: 'object'; properties: () => Map<string, Shape> }
  /** One of several objects, told apart by a property. */
  | { is: 'one of'; discriminator: string; shapes: () => Map<string, Map<string, Shape>> }

interface Schema {
  $ref?: string
  type?: string
  enum?: string[]
  items?: Schema
  properties?: Record<string, Schema>
  additionalProperties?: Schema
  allOf?: Schema[]
  discriminator?: string
  'x-ms-discriminator-value'?: string
}

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
const lastOf = (pointer: string): string => pointer.slice(pointer.lastIndexOf('/') + 1)

/** Shapes by their names in a Swagger file. What other files define is left out. */
export const swaggerShapes = (file: string): ((name: string) => Shape) => {
  const definitions = at(read(file), 'definitions') as Record<string, Schema>
  const parentsOf = (schema: Schema) => (schema.allOf ?? []).map(({ $ref = '' }) => lastOf($ref))
  const heirsOf = (name: string): string[] =>
    Object.keys(definitions)
      .filter(each => parentsOf(definitions[each] ?? {}).includes(name))
      .flatMap(each => [each, ...heirsOf(each)])
  const propertiesOf = (schema: Schema): Map<string, Shape> =>
    new Map([
      ...parentsOf(schema).flatMap(parent => [...propertiesOf(definitions[parent] ?? {})]),
      ...Object.entries(schema.properties ?? {}).map(([name, each]): [string, Shape] => [name, shapeOf(each)]),
    ])
  const shapeOf = (schema: Schema): Shape => {
    const { $ref, enum: words, items, discriminator, additionalProperties } = schema
    if ($ref !== undefined) return $ref.startsWith('#') ? named(lastOf($ref)) : { is: 'nothing' }
    if (words) return { is: 'words', words }
    if (items) return { is: 'list', of: () => shapeOf(items) }
    if (schema.properties || schema.allOf) {
      const name = Object.keys(definitions).find(each => definitions[each] === schema) ?? ''
      if (discriminator === undefined) return { is: 'object', properties: () => propertiesOf(schema) }
      const shapes = () =>
        new Map(
          heirsOf(name).map(heir => {
            const found = definitions[heir] ?? {}
            return [found['x-ms-discriminator-value'] ?? heir, propertiesOf(found)]
          }),
        )
      return { is: 'one of', discriminator, shapes }
    }
    if (additionalProperties) return { is: 'map', of: () => shapeOf(additionalProperties) }
    return { is: schema.type === 'boolean' ? 'flag' : /integer|number/.test(schema.type ?? '') ? 'number' : 'text' }
  }
  const named = (name: string): Shape => shapeOf(definitions[name] ?? {})
  return named
}

interface Ref {
  $ref: string
}
interface TypeEntry {
  $type: string
  name?: string
  value?: string
  itemType?: Ref
  elements?: Ref[] | Record<string, Ref>
  properties?: Record<string, { type: Ref }>
  baseProperties?: Record<string, { type: Ref }>
  additionalProperties?: Ref
  discriminator?: string
}

/** Shapes by their names in a type file. */
export const typeShapes = (file: string): ((name: string) => Shape) => {
  const entries = read(file) as TypeEntry[]
  const entry = ({ $ref }: Ref): TypeEntry => entries[Number(lastOf($ref))] ?? { $type: '' }
  const propertiesOf = (properties: TypeEntry['properties']): [string, Shape][] =>
    Object.entries(properties ?? {}).map(([name, { type }]) => [name, shapeOf(entry(type))])
  const shapeOf = (found: TypeEntry): Shape => {
    const { elements = [], itemType, additionalProperties: open, properties } = found
    if (found.$type === 'DiscriminatedObjectType') {
      const shapes = () =>
        new Map(
          Object.entries(elements).map(([value, ref]) => [
            value,
            new Map([...propertiesOf(found.baseProperties), ...propertiesOf(entry(ref as Ref).properties)]),
          ]),
        )
      return { is: 'one of', discriminator: found.discriminator ?? '', shapes }
    }
    if (found.$type === 'StringLiteralType') return { is: 'words', words: [found.value ?? ''] }
    if (found.$type === 'UnionType') {
      const words = Object.values(elements).flatMap(ref => entry(ref as Ref).value ?? [])
      return words.length > 0 ? { is: 'words', words } : { is: 'text' }
    }
    if (itemType) return { is: 'list', of: () => shapeOf(entry(itemType)) }
    if (found.$type === 'ObjectType' && open && Object.keys(properties ?? {}).length === 0)
      return { is: 'map', of: () => shapeOf(entry(open)) }
    if (properties) return { is: 'object', properties: () => new Map(propertiesOf(properties)) }
    return { is: found.$type === 'BooleanType' ? 'flag' : found.$type === 'IntegerType' ? 'number' : 'text' }
  }
  return name => shapeOf(entries.find(each => each.name === name) ?? { $type: '' })
}

export const vmId =
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/Web-01'
export const accountId =
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-files/providers/Microsoft.Storage/storageAccounts/contosofiles'

/** Texts by the name of their property, the first that fits; several take turns. */
const texts: [name: RegExp, ...values: string[]][] = [
  [/^(virtualMachineId)$/i, vmId],
  [/^(policyId)$/, '{vault}/backupPolicies/DefaultPolicy'],
  [/^vaultId$/, 'https://management.azure.com{vault}'],
  [/^timeZone$/i, 'India Standard Time'],
  [/TimeRemaining$/, '13.23:59:44.5932377'],
  [/duration/i, 'PT1H1M11.0789682S', 'P1DT2H'],
  [/(time|timeInUTC|times|date|lastRecoveryPoint|(old|new)estRecoveryPoint\w*)$/i, '2026-11-21T22:10:05.7532285Z'],
  [/^operation$/, 'Backup', 'Backup (Full)', 'ConfigureBackup'],
  [/^status$/, 'InProgress', 'Completed', 'CompletedWithWarnings', 'Failed', 'Cancelled'],
  [/^lastBackupStatus$/, 'Completed', 'Failed', 'IRPending', 'Healthy', 'Unhealthy', ''],
  [/^protectionStatus$/, 'Healthy', 'Unhealthy'],
  [/^recoveryPointType$/, 'AppConsistent', 'FileSystemConsistent', 'CrashConsistent'],
  [/^containerName$/, 'iaasvmcontainerv2;rg-app;web-01'],
  [/^parentName$/, 'MSSQLSERVER'],
  [/^serverName$/, 'sql-01.contoso.com'],
  [/^policyName$/, 'DefaultPolicy'],
  [/^jobId$|^activityId$/, '00000000-0000-0000-0001-000000000001'],
  [/^workLoadType$/, 'SQLDataBase', 'SAPHanaDatabase', 'SAPAseDatabase'],
  [/^zones?$/, '1'],
]

const bag: Raw = { 'VM Name': 'web-01', 'Backup Size': '11782 MB', 'Data Transferred (in MB)': '20.0845' }

/** The keys of open objects, where they mean something. */
const keys: Record<string, string> = { tieringPolicy: 'ArchivedRP', recoveryPointMoveReadinessInfo: 'ArchivedRP' }

export interface Made {
  /** Which of several words, texts and objects, counted round. */
  turn: number
  /** What properties hold whatever their shape is. */
  fixed?: Raw
}

const pick = <T>(choices: readonly T[], turn: number): T | undefined => choices[turn % choices.length]

/** A whole instance of a shape; undefined where it has none, or where it is too deep to be read by anybody. */
export const instance = (shape: Shape, made: Made, name = '', depth = 0): unknown => {
  const { turn, fixed = {} } = made
  if (name in fixed) return fixed[name]
  if (name === 'propertyBag') return bag
  switch (shape.is) {
    case 'nothing':
      return undefined
    case 'number':
      return 3 + (turn % 2)
    case 'flag':
      return turn % 2 === 0
    case 'words':
      return pick(shape.words, turn)
    case 'text': {
      const [, ...values] = texts.find(([pattern]) => pattern.test(name)) ?? []
      return pick(values.length > 0 ? (values as string[]) : [`the ${name}`], turn)
    }
    case 'list': {
      const item = depth > 7 ? undefined : instance(shape.of(), made, name, depth + 1)
      return item === undefined ? [] : [item]
    }
    case 'map':
      return { [keys[name] ?? 'BackupOperationStatusKPI']: instance(shape.of(), made, '', depth + 1) }
    case 'object':
      return depth > 7 ? undefined : filled(shape.properties(), made, depth)
    case 'one of': {
      const [value, properties] = pick([...shape.shapes()], turn) ?? ['', new Map<string, Shape>()]
      return { ...filled(properties, made, depth), [shape.discriminator]: value }
    }
  }
}

const filled = (properties: ReadonlyMap<string, Shape>, made: Made, depth: number): Raw =>
  Object.fromEntries(
    [...properties]
      .map(([name, shape]): [string, unknown] => [name, instance(shape, made, name, depth + 1)])
      .filter(([, value]) => value !== undefined),
  )

/** How many turns show every word of the shape's own properties. */
export const turnsOf = (properties: ReadonlyMap<string, Shape>): number =>
  Math.max(6, ...[...properties.values()].map(shape => (shape.is === 'words' ? shape.words.length : 1)))
