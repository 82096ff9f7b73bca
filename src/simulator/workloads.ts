/** What runs in machines and lies in storage accounts, as Azure names it (sections 3 and 4 of the wire facts). */
import { datasources, type Workload } from '../backup/datasources.ts'
import { isSame } from './odata.ts'
import { type Container, type DatabaseInstance, keyOf, type Vault } from './state.ts'
import type { World } from './world.ts'

export type DatabaseWorkload = DatabaseInstance['workload']

/** What holds databases, in names and types: `SQLInstance;MSSQLSERVER`. */
export const holderTypes: Readonly<Record<DatabaseWorkload, string>> = {
  SQL: 'SQLInstance',
  SAPHana: 'SAPHanaSystem',
  SAPAse: 'SAPAseSystem',
}

/** The workload that a filter or a body means by `SQLDataBase`. */
export const workloadOfWord = (word: string): Workload | undefined =>
  (Object.keys(datasources) as Workload[]).find(workload => isSame(datasources[workload].azureWord, word))

/** The database servers of a container that the last inquiry has found. */
export const inquiredInstances = ({ state }: World, { sourceId, inquired }: Container): DatabaseInstance[] =>
  (state.vms.get(keyOf(sourceId))?.instances ?? []).filter(({ workload }) => inquired.includes(workload))

/** The key under which a database of a container is an item. */
export const databaseKey = (container: Container, { workload, name }: DatabaseInstance, database: string): string =>
  keyOf(container.name, `${datasources[workload].azureWord};${name};${database}`)

/** The vault in which a machine or an account is registered. */
export const registeredIn = ({ state }: World, sourceId: string): Vault | undefined =>
  [...state.vaults.values()].find(({ containers }) =>
    [...containers.values()].some(container => isSame(container.sourceId, sourceId)),
  )

/** True for what lies where a vault can protect it. */
export const isInReach = (
  vault: Vault,
  { subscriptionId, location }: { subscriptionId: string; location: string },
): boolean => isSame(location, vault.location) && isSame(subscriptionId, vault.subscriptionId)
