/** What runs in a registered machine, protected or not (section 4.2 of the wire facts). */
import { datasources } from '../backup/datasources.ts'
import type { Fields } from '../backup/fields.ts'
import { page } from './answers.ts'
import type { Answer, Call, Route } from './call.ts'
import { containerIdOf } from './container-rows.ts'
import { containerOf, inContainer, vaultOf } from './finding.ts'
import { filterTerms, isSame } from './odata.ts'
import { spelled } from './spelling.ts'
import type { Container, DatabaseInstance, Vault } from './state.ts'
import { checkWord, itemTypeWords, managementWords, workloadItemWords } from './words.ts'
import { databaseKey, holderTypes, inquiredInstances } from './workloads.ts'

/** An instance and its databases, protected or not, in the letter case of the guest. */
const workloadItems = (vault: Vault, container: Container, instance: DatabaseInstance): Fields[] => {
  const { workload, name, databases, dataPath, logPath } = instance
  const common = { parentName: name, serverName: container.friendlyName }
  const typed = (type: string, friendlyName: string, state: string) => ({
    backupManagementType: 'AzureWorkload',
    workloadType: workload,
    workloadItemType: type,
    friendlyName,
    protectionState: state,
  })
  const word = datasources[workload].azureWord
  const paths = [
    { type: 'Data', path: dataPath },
    { type: 'Log', path: logPath },
  ]
  return [
    {
      name: `${holderTypes[workload]};${name}`,
      properties: {
        ...(workload === 'SQL' ? { dataDirectoryPaths: paths } : {}),
        ...common,
        isAutoProtectable: workload === 'SQL',
        subinquireditemcount: 0,
        subWorkloadItemCount: databases.length,
        ...typed(holderTypes[workload], name, 'NotProtected'),
      },
    },
    ...databases.map(database => ({
      name: `${word};${name};${database}`,
      properties: {
        ...common,
        isAutoProtectable: false,
        subinquireditemcount: 0,
        subWorkloadItemCount: 0,
        ...typed(
          word,
          database,
          vault.items.has(databaseKey(container, instance, database)) ? 'Protected' : 'NotProtected',
        ),
      },
    })),
  ]
}

const listWorkloadItems = (call: Call): Answer => {
  const vault = vaultOf(call)
  const container = containerOf(call)
  const terms = filterTerms(call.query, [
    'backupManagementType',
    'workloadItemType',
    'workloadType',
    'protectionStatus',
  ])
  checkWord(terms.get('backupmanagementtype'), managementWords)
  checkWord(terms.get('workloaditemtype'), workloadItemWords)
  checkWord(terms.get('workloadtype'), itemTypeWords)
  const isAsked = (name: string, value: unknown): boolean => {
    const asked = terms.get(name.toLowerCase())
    return asked === undefined || isSame(asked, String(value))
  }
  const rows = inquiredInstances(call.world, container)
    .filter(({ workload }) => isAsked('workloadType', datasources[workload].azureWord))
    .flatMap(instance => workloadItems(vault, container, instance))
    .filter(row => {
      const { workloadItemType, protectionState } = row.properties as Fields
      return (
        isAsked('backupManagementType', 'AzureWorkload') &&
        isAsked('workloadItemType', workloadItemType) &&
        isAsked('protectionStatus', protectionState)
      )
    })
  return page(call, rows, ({ name, properties }) => ({
    id: spelled(call, `${containerIdOf(vault, container.name)}/protectableItems/${name}`),
    name,
    type: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/items',
    properties,
  }))
}

export const workloadItemRoutes: readonly Route[] = [
  { method: 'GET', path: `${inContainer}/items`, handle: listWorkloadItems },
]
