/** Protected items of a vault, read: the list with its filters, and one (section 4.3 of the wire facts). */
import { datasources } from '../backup/datasources.ts'
import { page } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { inItem, inVault, itemOf, vaultOf } from './finding.ts'
import { containerNameOf, healthState, itemRow, policyOfItem } from './item-rows.ts'
import { filterTerms, isSame } from './odata.ts'
import { protectionRoutes } from './protection.ts'
import { invalidInput } from './refusal.ts'
import type { Item, Vault } from './state.ts'
import { checkWord, itemTypeWords, managementWords } from './words.ts'

type Test = (item: Item, value: string, call: Call, vault: Vault) => boolean

/** None of Azure's own items has a server of another product, or a set of it. */
const none: Test = () => false

const tests: Readonly<Record<string, Test>> = {
  backupManagementType: ({ workload }, value) => isSame(datasources[workload].managementType, value),
  itemType: ({ workload }, value) => isSame(datasources[workload].azureWord, value),
  policyName: (item, value, _, vault) => isSame(policyOfItem(vault, item)?.name, value),
  containerName: (item, value) => isSame(item.container, value) || isSame(containerNameOf(item), value),
  friendlyName: ({ friendlyName }, value) => isSame(friendlyName, value),
  fabricName: (_, value) => isSame('Azure', value),
  healthState: (item, value, call) => isSame(healthState(item, call), value),
  backupEngineName: none,
  backupSetName: none,
}
const keys = Object.keys(tests)

const listItems = (call: Call): Answer => {
  const vault = vaultOf(call)
  const terms = filterTerms(call.query, keys)
  checkWord(terms.get('backupmanagementtype'), managementWords)
  checkWord(terms.get('itemtype'), itemTypeWords)
  const asked = keys.flatMap(key => {
    const value = terms.get(key.toLowerCase())
    const test = tests[key]
    return value === undefined || !test ? [] : [(item: Item) => test(item, value, call, vault)]
  })
  const items = [...vault.items.values()].filter(item => asked.every(test => test(item)))
  return page(call, items, item => itemRow(call, vault, item, false))
}

/** `extendedInfo` comes by itself with databases and shares, with a VM where it is asked for. */
const getItem = (call: Call): Answer => {
  const vault = vaultOf(call)
  const item = itemOf(call)
  const expand = filterTerms(call.query, ['expand']).get('expand')
  if (expand !== undefined && !isSame(expand, 'extendedInfo')) throw invalidInput()
  return ok(itemRow(call, vault, item, expand !== undefined || item.workload !== 'VM'))
}

export const itemRoutes: readonly Route[] = [
  { method: 'GET', path: `${inVault}/backupProtectedItems`, handle: listItems },
  { method: 'GET', path: inItem, handle: getItem },
  ...protectionRoutes,
]
