/**
 * What Azure Backup protects, and how Azure names it. Everywhere that workloads differ, they differ by this table.
 * Section 3 and 4 of the wire: a filter says `SQLDataBase` where an answer says `SQL`, policies spell `workLoadType`.
 */
import type { ListProtectedItemsInput } from '../generated/tools.ts'
import { badArgument } from '../tools/input-error.ts'

export type Workload = NonNullable<ListProtectedItemsInput['workload_type']>
export type ManagementType = NonNullable<ListProtectedItemsInput['backup_management_type']>

export interface Datasource {
  managementType: ManagementType
  /** The word of `itemType` and `workloadType` in filters. */
  azureWord: string
  /** Other words that mean it in answers, in lower case: item types, protected item types, workload types. */
  answers: readonly string[]
  /** The type of an item's name, before its first `;`. */
  itemPrefix: string
  /** What people call the thing. */
  noun: string
}

export const datasources: Readonly<Record<Workload, Datasource>> = {
  VM: {
    managementType: 'AzureIaasVM',
    azureWord: 'VM',
    answers: [
      'vm',
      'iaasvm',
      'azureiaasvm',
      'microsoft.compute/virtualmachines',
      'microsoft.classiccompute/virtualmachines',
    ],
    itemPrefix: 'vm',
    noun: 'VM',
  },
  SQL: {
    managementType: 'AzureWorkload',
    azureWord: 'SQLDataBase',
    answers: ['sql', 'sqldatabase', 'sqlinstance', 'sqlavailabilitygroupcontainer', 'azurevmworkloadsqldatabase'],
    itemPrefix: 'sqldatabase',
    noun: 'SQL database',
  },
  SAPHana: {
    managementType: 'AzureWorkload',
    azureWord: 'SAPHanaDatabase',
    answers: [
      'saphana',
      'saphanadatabase',
      'saphanadbinstance',
      'saphanasystem',
      'saphanahsr',
      'hanahsrcontainer',
      'hanascaleoutcontainer',
      'azurevmworkloadsaphanadatabase',
      'azurevmworkloadsaphanadbinstance',
    ],
    itemPrefix: 'saphanadatabase',
    noun: 'SAP HANA database',
  },
  SAPAse: {
    managementType: 'AzureWorkload',
    azureWord: 'SAPAseDatabase',
    answers: ['sapase', 'sapasedatabase', 'sapasesystem', 'azurevmworkloadsapasedatabase'],
    itemPrefix: 'sapasedatabase',
    noun: 'SAP ASE database',
  },
  AzureFileShare: {
    managementType: 'AzureStorage',
    azureWord: 'AzureFileShare',
    answers: ['azurefileshare', 'azurestorage', 'azurefileshareprotecteditem'],
    itemPrefix: 'azurefileshare',
    noun: 'file share',
  },
}

const workloads = Object.keys(datasources) as Workload[]
const byAnswer = new Map(
  workloads.flatMap(workload => datasources[workload].answers.map(word => [word, workload] as const)),
)

/**
 * The workload that one of Azure's words means; undefined for workloads that this table lacks. A DPM server protects
 * what it calls a `VM` too: the management type, where it is known, tells them apart.
 */
export const workloadOf = (word: string | null, managementType: string | null = null): Workload | undefined => {
  const workload = word === null ? undefined : byAnswer.get(word.toLowerCase())
  const isOther =
    workload && managementType && datasources[workload].managementType.toLowerCase() !== managementType.toLowerCase()
  return isOther ? undefined : workload
}

/**
 * The workload of a job's or policy's `properties`, else Azure's own word for it. Virtual machines and shares leave the
 * word out, their management type says it.
 */
export const workloadWord = (word: string | null, managementType: string | null): string | null =>
  workloadOf(word ?? managementType, managementType) ?? word

/** The management type that two arguments together ask for. Throws InputError where they contradict each other. */
export const managementTypeOf = (input: {
  workload_type?: Workload | undefined
  backup_management_type?: ManagementType
}): ManagementType | undefined => {
  const { workload_type: workload, backup_management_type: asked } = input
  if (!workload) return asked
  const { managementType } = datasources[workload]
  if (asked && asked !== managementType)
    throw badArgument(
      'backup_management_type',
      `is ${asked}, but workload_type ${workload} belongs to ${managementType}; leave one of them out`,
    )
  return managementType
}
