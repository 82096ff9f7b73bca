/**
 * Words that arguments are given in. Schemas list the canonical ones; letter case does not matter, and Azure's own other
 * spellings (from its URLs, filters and answers) mean the same. An unknown word is left alone for the schema to refuse.
 */

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

interface WordSchema {
  enum?: readonly unknown[]
}

const squeeze = (word: string): string => word.toLowerCase().replace(/[\s_-]/g, '')

/** The arguments with every word in its canonical spelling. `properties` are those of the tool's input schema. */
export const canonicalWords = (
  given: Readonly<Record<string, unknown>>,
  properties: Readonly<Record<string, WordSchema>>,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const words = Object.hasOwn(properties, name) ? properties[name]?.enum : undefined
      if (!words || typeof value !== 'string' || words.includes(value)) return [name, value]
      const wanted = squeeze(value)
      const same = words.find(word => typeof word === 'string' && squeeze(word) === wanted)
      const others = Object.hasOwn(aliases, name) ? aliases[name] : undefined
      const alias = others && Object.hasOwn(others, wanted) ? others[wanted] : undefined
      return [name, same ?? alias ?? value]
    }),
  )
