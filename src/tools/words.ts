/**
 * Words that arguments are given in. Schemas list the canonical ones; letter case does not matter, and Azure's own other
 * spellings (from its URLs, filters and answers) mean the same. An unknown word is left alone for the schema to refuse.
 */
import { isObject } from '../rpc/messages.ts'

/** Other spelling, in lower case, to the canonical word; by argument name. */
const aliases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  workload_type: {
    iaasvm: 'VM',
    azurevm: 'VM',
    azureiaasvm: 'VM',
    virtualmachine: 'VM',
    'microsoft.compute/virtualmachines': 'VM',
    'microsoft.classiccompute/virtualmachines': 'VM',
    mssql: 'SQL',
    sqldatabase: 'SQL',
    sqlinstance: 'SQL',
    sqlserver: 'SQL',
    sqlavailabilitygroupcontainer: 'SQL',
    azurevmworkloadsqldatabase: 'SQL',
    hana: 'SAPHana',
    saphanadatabase: 'SAPHana',
    saphanadbinstance: 'SAPHana',
    saphanasystem: 'SAPHana',
    saphanahsr: 'SAPHana',
    hanahsrcontainer: 'SAPHana',
    hanascaleoutcontainer: 'SAPHana',
    azurevmworkloadsaphanadatabase: 'SAPHana',
    azurevmworkloadsaphanadbinstance: 'SAPHana',
    ase: 'SAPAse',
    sybase: 'SAPAse',
    sapasedatabase: 'SAPAse',
    sapasesystem: 'SAPAse',
    azurevmworkloadsapasedatabase: 'SAPAse',
    afs: 'AzureFileShare',
    fileshare: 'AzureFileShare',
    azurefiles: 'AzureFileShare',
    azurestorage: 'AzureFileShare',
    azurefileshareprotecteditem: 'AzureFileShare',
  },
  backup_management_type: {
    iaasvm: 'AzureIaasVM',
    azurevm: 'AzureIaasVM',
    vm: 'AzureIaasVM',
    virtualmachine: 'AzureIaasVM',
    'microsoft.compute/virtualmachines': 'AzureIaasVM',
    workload: 'AzureWorkload',
    azurevmworkload: 'AzureWorkload',
    azurefiles: 'AzureStorage',
    azurefileshare: 'AzureStorage',
    fileshare: 'AzureStorage',
    afs: 'AzureStorage',
    storage: 'AzureStorage',
    mars: 'MAB',
    mabs: 'AzureBackupServer',
  },
  status: {
    running: 'InProgress',
    succeeded: 'Completed',
    canceled: 'Cancelled',
    canceling: 'Cancelling',
    warning: 'CompletedWithWarnings',
    warnings: 'CompletedWithWarnings',
  },
  protection_state: { stopped: 'ProtectionStopped', suspended: 'BackupsSuspended', error: 'ProtectionError' },
  consistency: {
    app: 'AppConsistent',
    application: 'AppConsistent',
    applicationconsistent: 'AppConsistent',
    file: 'FileSystemConsistent',
    filesystem: 'FileSystemConsistent',
    crash: 'CrashConsistent',
  },
  tier: {
    instant: 'InstantRP',
    snapshot: 'InstantRP',
    vault: 'HardenedRP',
    standard: 'HardenedRP',
    vaultstandard: 'HardenedRP',
    archive: 'ArchivedRP',
    vaultarchive: 'ArchivedRP',
  },
  restore_mode: {
    originallocation: 'original',
    replacedisks: 'original',
    alternatelocation: 'alternate',
    restoredisks: 'disks',
  },
  target_zone: { nozone: 'none' },
}

/** What a schema says of an argument, as far as words and names go. */
export interface WordSchema {
  enum?: readonly unknown[]
  $ref?: string
  items?: WordSchema
  properties?: Readonly<Record<string, WordSchema>>
}
type Definitions = Readonly<Record<string, WordSchema>>

/** What a schema refers to, in the `$defs` of its document, or the schema itself. */
export const referred = (schema: WordSchema, defs: Definitions): WordSchema =>
  (schema.$ref === undefined ? undefined : defs[schema.$ref.replace('#/$defs/', '')]) ?? schema

const squeeze = (word: string): string => word.toLowerCase().replace(/[\s_-]/g, '')

const canonicalWord = (name: string, word: string, words: readonly unknown[] = []): string => {
  if (words.includes(word)) return word
  const wanted = squeeze(word)
  const same = words.find((each): each is string => typeof each === 'string' && squeeze(each) === wanted)
  const others = words.length > 0 && Object.hasOwn(aliases, name) ? aliases[name] : undefined
  const alias = others && Object.hasOwn(others, wanted) ? others[wanted] : undefined
  return same ?? alias ?? word
}

const canonical = (name: string, value: unknown, schema: WordSchema, defs: Definitions): unknown => {
  const { enum: words, items, properties } = referred(schema, defs)
  if (typeof value === 'string') return canonicalWord(name, value, words)
  if (Array.isArray(value)) return items ? value.map(each => canonical(name, each, items, defs)) : value
  return isObject(value) && properties ? canonicalWords(value, properties, defs) : value
}

/**
 * The arguments with every word in its canonical spelling, at any depth that the schema knows. `properties` and `defs` are
 * those of the tool's input schema.
 */
export const canonicalWords = (
  given: Readonly<Record<string, unknown>>,
  properties: Readonly<Record<string, WordSchema>>,
  defs: Definitions = {},
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
      return [name, schema ? canonical(name, value, schema, defs) : value]
    }),
  )
