/** What Azure may send by its own definitions, of both generations: no row is lost, no promised field is null. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import type { ToolName } from '../src/generated/tools.ts'
import { accountId, instance, type Shape, swaggerShapes, turnsOf, typeShapes, vmId } from './helpers/instances.ts'
import { faultsOf, type Kind, kinds, type Raw, type Row } from './helpers/kinds.ts'
import { root } from './helpers/server.ts'
import { createTools, vaultId } from './helpers/tools.ts'

t.setTimeout(120_000)

const definitions = path.join(root, '../shared/reference/azure')
const skipped = existsSync(definitions) ? {} : { skip: 'the definitions are not here (../shared/reference/azure)' }

/** The vault as the older generation spells it. */
const vault = vaultId.replace(/^\/subscriptions/, '/Subscriptions')
const fabric = `${vault}/backupFabrics/Azure`

/** Where a thing lies, by the names of its container and of itself, and what it says whatever the turn. */
interface Place {
  container: string
  item: string
  fixed: Raw
}
const place = (
  container: string,
  item: string,
  managementType?: string,
  workloadType?: string,
  id?: string,
): Place => ({
  container,
  item,
  fixed: {
    ...(managementType === undefined ? {} : { backupManagementType: managementType }),
    ...(workloadType === undefined ? {} : { workloadType }),
    ...(id === undefined ? {} : { sourceResourceId: id }),
  },
})
const onVm = 'VMAppContainer;Compute;rg-app;web-01'
const account = 'StorageContainer;storage;rg-files;contosofiles'
const share = `AzureFileShare;${'0123456789abcdef'.repeat(4)}`
const ofVm = (type: string): Place =>
  place(`IaasVMContainer;${type};rg-app;web-01`, `VM;${type};rg-app;web-01`, 'AzureIaasVM', 'VM', vmId)
const database = (name: string): Place => place(onVm, name, 'AzureWorkload', name.split(';')[0], vmId)

/** Where things of a subtype lie, by words in its name; the first that fits. */
const places: [subtype: RegExp, place: Place][] = [
  [/DPM/i, place('DPMContainer;dpm-01', 'DPM;dpm-01;files', 'DPM')],
  [/Mab/i, place('Windows;files-01', 'MabFileFolder;files', 'MAB', 'FileFolder')],
  [/Sql\/servers|AzureSql/i, place('AzureSqlContainer;sql', 'AzureSqlDb;orders', 'AzureSql', 'AzureSqlDb')],
  [/Generic|Vault/, place('GenericContainer;x', 'Generic;x', 'DefaultBackup')],
  [/ClassicCompute/, ofVm('iaasvmcontainer')],
  [/Ase/i, database('SAPAseDatabase;ase;ledger')],
  [/Hana/i, database('SAPHanaDatabase;prd;systemdb')],
  [/SQL|Workload|VMApp/i, database('SQLDataBase;mssqlserver;orders')],
  [/Storage|FileShare/i, place(account, share, 'AzureStorage', 'AzureFileShare', accountId)],
  [/./, ofVm('iaasvmcontainerv2')],
]
const placeOf = (subtype: string): Place =>
  places.find(([pattern]) => pattern.test(subtype))?.[1] ?? ofVm('iaasvmcontainerv2')

type Definition = 'bms' | 'vaults' | 'recoveryservicesbackup' | 'recoveryservices'
const shapes: Record<Definition, () => (name: string) => Shape> = {
  bms: () => swaggerShapes(path.join(definitions, 'bms.json')),
  vaults: () => swaggerShapes(path.join(definitions, 'vaults.json')),
  recoveryservicesbackup: () => typeShapes(path.join(definitions, 'recoveryservicesbackup.types-2026-07-01.json')),
  recoveryservices: () => typeShapes(path.join(definitions, 'recoveryservices.types-2026-07-01.json')),
}

interface Family {
  kind: Kind
  /** The definition, and where it is. */
  name: string
  from: Definition[]
  id: (at: Place, number: number) => string
  fixed?: (at: Place) => Raw
  args?: (at: Place) => Row
  /** What other lists hold. */
  others?: Raw[]
}
const both: Definition[] = ['bms', 'recoveryservicesbackup']
const itemId = ({ container, item }: Place, type = 'protectedItems') =>
  `${fabric}/protectionContainers/${container}/${type}/${item}`
const jobId = (number: number) => `00000000-0000-0000-0001-00000000000${number}`
const job = {
  name: 'Job',
  from: both,
  id: (_: Place, number: number) => `${vault}/backupJobs/${jobId(number)}`,
  fixed: ({ fixed }: Place) => ({ ...fixed, startTime: '2026-11-22T02:00:00.1234567Z', actionsInfo: ['Cancellable'] }),
}
const policy = {
  name: 'ProtectionPolicy',
  from: both,
  id: (_: Place, number: number) => `${vault}/backupPolicies/policy-${number}`,
  fixed: ({ fixed }: Place) => ({ backupManagementType: fixed.backupManagementType }),
}
const families: Family[] = [
  {
    kind: kinds.vaults,
    name: 'VaultProperties',
    from: ['vaults', 'recoveryservices'],
    id: (_, number) => `${vaultId}${number}`,
  },
  {
    kind: kinds.protectedItems,
    name: 'ProtectedItem',
    from: both,
    id: (at, number) => `${itemId(at)}${number || ''}`,
  },
  { kind: kinds.jobs, ...job, args: () => ({ since: '2015-01-01T00:00:00Z' }) },
  { kind: kinds.job, ...job, args: () => ({ job_id: jobId(0) }) },
  { kind: kinds.policies, ...policy },
  { kind: kinds.policy, ...policy, args: () => ({ policy_name: 'policy-0' }) },
  {
    kind: kinds.recoveryPoints,
    name: 'RecoveryPoint',
    from: both,
    id: (at, number) => `${itemId(at)}/recoveryPoints/226127498792619442${number}`,
    args: at => ({ item: itemId(at) }),
  },
  {
    kind: kinds.protectableItems,
    name: 'WorkloadProtectableItem',
    from: ['bms'],
    id: (at, number) => `${itemId(at, 'protectableItems')}${number || ''}`,
    fixed: ({ fixed }) => ({
      ...fixed,
      parentContainerFabricId: accountId,
      parentContainerFriendlyName: 'contosofiles',
    }),
  },
  {
    kind: kinds.protectableContainers,
    name: 'ProtectableContainer',
    from: ['bms'],
    id: ({ container }, number) => `${fabric}/protectableContainers/${container}${number || ''}`,
    fixed: ({ fixed }) => ({ ...fixed, containerId: fixed.sourceResourceId }),
  },
  {
    kind: kinds.workloadItems,
    name: 'WorkloadItem',
    from: ['bms'],
    id: (at, number) => `${itemId(at, 'protectableItems')}${number || ''}`,
    others: [
      {
        id: `${fabric}/protectionContainers/${onVm}`,
        name: onVm,
        properties: {
          containerType: 'VMAppContainer',
          backupManagementType: 'AzureWorkload',
          registrationStatus: 'Registered',
          sourceResourceId: vmId,
        },
      },
    ],
  },
]

const rowOf = (id: string, properties: Raw): Raw => ({
  id,
  name: id.slice(id.lastIndexOf('/') + 1),
  location: 'eastus',
  properties,
})

/** A tool's rows for what Azure answers, or the error. */
const answers = ({ kind, others = [] }: Family, args: Row) => {
  let value: Raw[] = []
  const tools = createTools((_, { url }) => {
    if (!kind.path.test(decodeURIComponent(new URL(url).pathname))) return { value: others }
    return kind.rows === undefined ? value[0] : { value }
  })
  return async (raws: Raw[]): Promise<Row[] | string> => {
    value = raws
    const { asked, ...body } = await tools.call(kind.tool as ToolName, args)
    if ('remediation' in body && 'code' in body) return JSON.stringify(body).slice(0, 300)
    return kind.rows === undefined ? [body] : ((body[kind.rows] ?? []) as Row[])
  }
}

/** What Azure leaves out is null, not an empty text. */
const emptyIn = (row: Row): string[] => Object.keys(row).flatMap(name => (row[name] === '' ? [`${name} is empty`] : []))

const faultsIn = (rows: Row[] | string, raws: readonly Raw[], kind: Kind): string[] => {
  if (typeof rows === 'string') return [rows]
  const ids = rows.map(({ id }) => String(id))
  const lost = raws.filter(({ id }) => !ids.includes(String(id))).map(({ id }) => `lost: ${id}`)
  const more = ids.length > raws.length ? [`${ids.length} rows of ${raws.length}`] : []
  const wrong = raws.flatMap(raw => {
    const row = rows.find(({ id }) => id === raw.id)
    return row ? [...faultsOf(row, raw, kind.fields), ...emptyIn(row)] : []
  })
  return [...lost, ...more, ...wrong]
}

type Change = (value: unknown, name: string) => unknown
/** A copy with every value changed. */
const changed = (value: unknown, change: Change, name = ''): unknown => {
  if (Array.isArray(value)) return value.map(each => changed(each, change, name))
  if (typeof value !== 'object' || value === null) return change(value, name)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, changed(each, change, key)]))
}
const isTime = (value: unknown): boolean => /^20\d\d-\d\d-\d\dT/.test(String(value))
const isWord = (value: unknown): value is string => typeof value === 'string' && /^[a-z][a-z./]*$/i.test(value)
const isId = (value: unknown): value is string => typeof value === 'string' && /^\/subscriptions\//i.test(value)
const numbers: Record<string, readonly string[]> = {
  actionsInfo: ['Invalid', 'Cancellable', 'Retriable'],
  type: ['Invalid', 'InstantRP', 'HardenedRP', 'ArchivedRP'],
  status: ['Invalid', 'Valid', 'Disabled', 'Deleted', 'Rehydrated'],
}
/** Enums that the older generation sends as numbers. */
const numbered = (properties: Raw): Raw => ({
  ...properties,
  ...(Object.fromEntries(
    ['actionsInfo', 'recoveryPointTierDetails']
      .filter(name => name in properties)
      .map(name => [
        name,
        changed(
          properties[name],
          (value, part) => {
            const at = numbers[part]?.indexOf(String(value)) ?? -1
            return at === -1 ? value : at
          },
          name,
        ),
      ]),
  ) as Raw),
})

/** Spellings of the same thing: the rows must say the same, in whatever letter case. */
const spellings: Record<string, (raw: Raw) => Raw> = {
  'words in lower case': raw => changed(raw, value => (isWord(value) ? value.toLowerCase() : value)) as Raw,
  'words in upper case': raw => changed(raw, value => (isWord(value) ? value.toUpperCase() : value)) as Raw,
  'ids in lower case': raw => changed(raw, value => (isId(value) ? value.toLowerCase() : value)) as Raw,
  'ids of the newer generation': raw =>
    changed(raw, value => (isId(value) ? value.replace(/^\/S/, '/s') : value)) as Raw,
  'enums as numbers': raw => ({ ...raw, properties: numbered(raw.properties as Raw) }),
}
/** What says less: the rows must be there and fit the schema. */
const silences: Record<string, Change> = {
  'nothing but nulls': (value, name) => (/^(id|name|location)$|Type$/.test(name) ? value : null),
  'no times': value => (isTime(value) ? '0001-01-01T00:00:00' : value),
  'times before the first backup': value => (isTime(value) ? '2001-01-01T00:00:00Z' : value),
  'empty texts': (value, name) => (typeof value === 'string' && !/^(id|name|location)$|Type$/.test(name) ? '' : value),
}

/** The fields that two answers tell differently, letter case apart. */
const unlike = (told: Row[] | string, retold: Row[] | string): string[] => {
  if (typeof told === 'string' || typeof retold === 'string') return [`${told} and ${retold}`]
  const [one = {}, other = {}] = [told[0], retold[0]]
  return Object.keys({ ...one, ...other }).flatMap(name => {
    const [a, b] = [one[name], other[name]].map(value => JSON.stringify(value ?? null).toLowerCase())
    return a === b ? [] : [`${name} is ${b} instead of ${a}`]
  })
}

const faultsOfSubtype = async (family: Family, subtype: string, properties: Map<string, Shape>, key?: string) => {
  const { kind, id, fixed = ({ fixed: same }: Place) => same, args = () => ({}) } = family
  const at = placeOf(subtype)
  const ask = answers(family, args(at))
  const discriminator = key === undefined ? {} : { [key]: subtype }
  const shape: Shape = { is: 'object', properties: () => properties }
  const make = (turn: number): Raw =>
    rowOf(id(at, 0), instance(shape, { turn, fixed: { ...fixed(at), ...discriminator } }) as Raw)
  const least = (number: number) => rowOf(id(at, number), discriminator)
  const found = new Map<string, string>()
  const note = (when: string, faults: readonly string[]) => {
    for (const fault of faults) if (!found.has(fault)) found.set(fault, `${when}: ${fault}`)
  }
  for (let turn = 0; turn < turnsOf(properties); turn++) {
    const raws = kind.rows === undefined ? [make(turn)] : [make(turn), least(1)]
    note(`turn ${turn}`, faultsIn(await ask(raws), raws, kind))
  }
  note('hardly anything', faultsIn(await ask([least(0)]), [least(0)], kind))
  for (let turn = 0; turn < 4; turn++) {
    const told = await ask([make(turn)])
    for (const [spelling, respell] of Object.entries(spellings))
      note(spelling, unlike(told, await ask([respell(make(turn))])))
  }
  for (const [silence, change] of Object.entries(silences)) {
    const raw = changed(make(0), change) as Raw
    const rows = await ask([raw])
    note(silence, faultsIn(rows, [raw], kind))
    note(silence, /"(0001|2001)-01-01T[^"]*"/.exec(JSON.stringify(rows))?.slice(0, 1) ?? [])
  }
  return [...found.values()]
}

for (const family of families)
  for (const from of family.from)
    t.test(`${family.kind.tool}: every ${family.name} of ${from} comes out whole`, skipped, async t => {
      const shape = shapes[from]()(family.name)
      const subtypes: [string, Map<string, Shape>][] =
        shape.is === 'one of' ? [...shape.shapes()] : shape.is === 'object' ? [[family.name, shape.properties()]] : []
      t.ok(subtypes.length > 0, 'it is defined')
      const key = shape.is === 'one of' ? shape.discriminator : undefined
      for (const [subtype, properties] of subtypes)
        t.same(await faultsOfSubtype(family, subtype, properties, key), [], subtype)
    })
