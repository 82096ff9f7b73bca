/** Words that filters of Azure Backup take. Others are refused. */
import { isSame } from './odata.ts'
import { invalidInput } from './refusal.ts'

const split = (text: string): readonly string[] => text.split(/\s+/)

export const managementWords = split(
  'AzureIaasVM MAB DPM AzureBackupServer AzureSql AzureStorage AzureWorkload DefaultBackup',
)
export const itemTypeWords = split(
  `VM FileFolder AzureSqlDb SQLDB Exchange Sharepoint VMwareVM SystemState Client GenericDataSource SQLDataBase
  AzureFileShare SAPHanaDatabase SAPAseDatabase SAPHanaDBInstance`,
)
export const workloadItemWords = split(
  'SQLInstance SQLDataBase SAPHanaSystem SAPHanaDatabase SAPAseSystem SAPAseDatabase SAPHanaDBInstance',
)

/** The row of a table that a caller's word names; nothing that every object has, as `constructor`. */
export const rowNamed = <Row>(table: Readonly<Record<string, Row>>, word: string): Row | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined

/** Throws Refusal where a filter's value is none of the words. */
export const checkWord = (value: string | undefined, words: readonly string[]): void => {
  if (value !== undefined && !words.some(word => isSame(word, value))) throw invalidInput()
}
