/** Intents to protect what will be there, and what locations tell before anything is protected (sections 6.5, 6.6). */
import { type Fields, fields, text } from '../backup/fields.ts'
import { page } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { inFabric, inVault, vaultOf } from './finding.ts'
import { filterTerms, isSame } from './odata.ts'
import { invalidInput, Refusal } from './refusal.ts'
import { spelled } from './spelling.ts'
import { type Intent, keyOf, type Vault } from './state.ts'
import { checkWord, managementWords } from './words.ts'

const inIntent = `${inFabric}/backupProtectionIntent/{intent}`

/** `{C}/protectableItems/sqlinstance;mssqlserver`: the container and the instance. */
const namesIn = (itemId: string): { container: string; instance: string } | undefined => {
  const [, container, instance] =
    /\/protectionContainers\/([^/]+)\/protectableItems\/(?:[^/;]+;)?([^/]+)$/i.exec(itemId) ?? []
  return container === undefined || instance === undefined ? undefined : { container, instance }
}

/** Without their types, as Azure tells it back. */
const shortened = (itemId: string): string =>
  itemId
    .replace(/(\/protectionContainers\/)VMAppContainer;/i, '$1')
    .replace(/(\/protectableItems\/)[^/;]+;([^/]+)$/i, (_, before: string, name: string) => before + name.toUpperCase())

/** The intent that protects what an instance is going to have. */
export const intentOfInstance = ({ intents }: Vault, container: string, instance: string): Intent | undefined =>
  [...intents.values()].find(({ properties }) => {
    const names = namesIn(text(properties.itemId) ?? '')
    return names && isSame(names.container, container) && isSame(names.instance, instance)
  })

const rowOf = (call: Call, vault: Vault, { name, properties }: Intent) => {
  const itemId = text(properties.itemId)
  const container = itemId?.replace(/\/protectableItems\/.*$/i, '')
  return {
    id: spelled(call, `${vault.id}/backupFabrics/Azure/backupProtectionIntent/${name}`),
    name,
    type: 'Microsoft.RecoveryServices/vaults/backupFabrics/backupProtectionIntent',
    properties: {
      ...(container === undefined ? {} : { sourceResourceId: container }),
      ...properties,
      ...(itemId === null ? {} : { itemId: shortened(itemId) }),
      protectionState: 'NotProtected',
    },
  }
}

const managementTypes: Readonly<Record<string, string>> = {
  AzureResourceItem: 'AzureIaasVM',
  RecoveryServiceVaultItem: 'AzureWorkload',
  AzureWorkloadContainerAutoProtectionIntent: 'AzureWorkload',
  AzureWorkloadAutoProtectionIntent: 'AzureWorkload',
  AzureWorkloadSQLAutoProtectionIntent: 'AzureWorkload',
}

/** Whose policy must be one of the vault, of the type that is to be protected. Throws Refusal. */
const checkPolicy = (vault: Vault, policyId: string | null, managementType: string): void => {
  const prefix = `${keyOf(vault.id)}/backuppolicies/`
  const key = policyId?.toLowerCase() ?? ''
  const policy = key.startsWith(prefix) ? vault.policies.get(key.slice(prefix.length)) : undefined
  if (!policy) throw new Refusal(404, 'BMSUserErrorPolicyNotFound', `Backup policy ${policyId} was not found.`)
  if (!isSame(text(policy.properties.backupManagementType) ?? undefined, managementType))
    throw new Refusal(
      400,
      'BMSUserErrorInvalidPolicyForGivenProvider',
      'Input policy is not valid for the given backup management type.',
    )
}

const putIntent = (call: Call): Answer => {
  const vault = vaultOf(call)
  const given: Fields = fields(call.body.properties)
  const type = text(given.protectionIntentItemType) ?? ''
  const managementType = managementTypes[type]
  if (managementType === undefined) throw invalidInput()
  if (type === 'RecoveryServiceVaultItem' && !namesIn(text(given.itemId) ?? '')) throw invalidInput()
  checkPolicy(vault, text(given.policyId), managementType)
  const name = call.params.intent ?? ''
  const { protectionState: _, ...kept } = given
  const intent: Intent = { name, properties: { backupManagementType: managementType, ...kept } }
  vault.intents.set(keyOf(name), intent)
  return ok(rowOf(call, vault, intent))
}

const getIntent = (call: Call): Answer => {
  const vault = vaultOf(call)
  const name = call.params.intent ?? ''
  const intent = vault.intents.get(keyOf(name))
  if (intent) return ok(rowOf(call, vault, intent))
  throw new Refusal(404, 'BMSUserErrorProtectionIntentNotFound', `The protection intent ${name} was not found.`)
}

/** One that was never there is gone too. */
const deleteIntent = (call: Call): Answer => {
  vaultOf(call).intents.delete(keyOf(call.params.intent ?? ''))
  return { status: 204 }
}

const listIntents = (call: Call): Answer => {
  const vault = vaultOf(call)
  const terms = filterTerms(call.query, ['backupManagementType', 'itemType', 'parentName', 'itemName'])
  checkWord(terms.get('backupmanagementtype'), managementWords)
  checkWord(terms.get('itemtype'), ['SQLInstance', 'SQLAvailabilityGroupContainer'])
  const isAsked = (name: string, ...values: (string | null | undefined)[]): boolean => {
    const asked = terms.get(name.toLowerCase())
    return asked === undefined || values.some(value => isSame(asked, value ?? ''))
  }
  const rows = [...vault.intents.values()].filter(({ properties }) => {
    const itemId = text(properties.itemId) ?? ''
    const names = namesIn(itemId)
    const [, itemType] = /\/protectableItems\/([^/;]+);/i.exec(itemId) ?? []
    return (
      isAsked('backupManagementType', text(properties.backupManagementType)) &&
      isAsked('itemType', itemType) &&
      isAsked('itemName', names?.instance) &&
      // The Azure CLI gives the container's whole name.
      isAsked('parentName', names?.container, names?.container.split(';').at(-1))
    )
  })
  return page(call, rows, intent => rowOf(call, vault, intent))
}

export const intentRoutes: readonly Route[] = [
  { method: 'GET', path: `${inVault}/backupProtectionIntents`, handle: listIntents },
  { method: 'PUT', path: inIntent, handle: putIntent },
  { method: 'GET', path: inIntent, handle: getIntent },
  { method: 'DELETE', path: inIntent, handle: deleteIntent },
]
