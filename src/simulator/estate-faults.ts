/** What is wrong with an estate beyond what its schema says: names that mean nothing or too much, words that exclude each other. */
import type { Workload } from '../backup/datasources.ts'
import { type Fields, fields, list, text } from '../backup/fields.ts'
import type { SeedPolicy } from '../generated/seed.ts'
import { toFault } from './control.ts'
import { byName, eachOf, kinds, meant, type Place, type Places, placesOf, subscriptionIdOf } from './estate-names.ts'
import { policyWorkload, propertiesOf } from './estate-policies.ts'
import { knownTrouble } from './estate-troubles.ts'
import { defaultPolicies } from './making.ts'
import { Refusal } from './refusal.ts'
import { keyOf } from './state.ts'

type Tell = (at: string, wrong: string) => void

interface Names {
  vms: Places
  accounts: Places
}

/** The one that a reference means; undefined and told where it is none, or not the only one. */
const one = (places: Places, ref: unknown, at: string, noun: string, tell: Tell, near?: string): Place | undefined => {
  const found = meant(places, ref, near)
  if (found.length === 0) tell(at, `no ${noun} is called ${JSON.stringify(ref)}`)
  if (found.length > 1) tell(at, `${found.length} of them are called ${JSON.stringify(ref)}; say it with its group`)
  return found.length === 1 ? found[0] : undefined
}

/** Each key once. */
const unique = (tell: Tell, what: string) => {
  const seen = new Set<string>()
  return (key: string, at: string): void => {
    if (seen.has(key.toLowerCase())) tell(at, `this ${what} is listed twice`)
    seen.add(key.toLowerCase())
  }
}

const checkTrouble = (given: unknown, at: string, tell: Tell): void => {
  if (typeof given === 'string' && !knownTrouble(given))
    tell(at, `the words of ${given} are not known here; give its code, message and number`)
}

interface Source {
  key: string
  workload: Workload
  /** Of the registered container that it needs. */
  container: string | undefined
}

const databaseOf = (place: Place, given: Fields, at: string, tell: Tell): Source | undefined => {
  const same = (a: unknown, b: unknown) => String(a).toLowerCase() === String(b).toLowerCase()
  const instance = list(place.given.instances).find(each => same(each.name, given.instance))
  if (!instance) return void tell(`${at}/instance`, `${place.name} has no instance ${JSON.stringify(given.instance)}`)
  if (!(Array.isArray(instance.databases) && instance.databases.some(each => same(each, given.database))))
    return void tell(`${at}/database`, `the instance has no database ${JSON.stringify(given.database)}`)
  const key = keyOf(place.id, String(given.instance), String(given.database))
  return { key, workload: instance.workload as Workload, container: place.id }
}

const sourceOf = (raw: unknown, at: string, names: Names, near: string, tell: Tell): Source | undefined => {
  if (raw === undefined) return undefined
  const given = fields(raw)
  const { vm, instance, database, storage_account: account, share } = given
  const words = Object.keys(given).sort().join()
  if (vm !== undefined && ['vm', 'database,instance,vm'].includes(words)) {
    const place = one(names.vms, vm, `${at}/vm`, 'virtual machine', tell, near)
    if (!place) return undefined
    if (instance !== undefined && database !== undefined) return databaseOf(place, given, at, tell)
    return { key: place.id, workload: 'VM', container: undefined }
  }
  if (words !== 'share,storage_account')
    return void tell(at, 'must be a vm, or vm, instance and database, or storage_account and share')
  const place = one(names.accounts, account, `${at}/storage_account`, 'storage account', tell, near)
  if (!place) return undefined
  if (!list(place.given.shares).some(({ name }) => name === share))
    return void tell(`${at}/share`, `${place.name} has no share ${JSON.stringify(share)}`)
  return { key: keyOf(place.id, String(share)), workload: 'AzureFileShare', container: place.id }
}

/** Only words that the workload has a use for. */
const uses: Readonly<Record<string, readonly Workload[]>> = {
  enhanced: ['VM'],
  instant_restore_days: ['VM'],
  hourly: ['VM', 'AzureFileShare'],
  differential: ['SQL', 'SAPHana'],
  incremental: ['SAPHana'],
  log: ['SQL', 'SAPHana', 'SAPAse'],
}

const checkPolicy = (given: Fields, at: string, tell: Tell): void => {
  const words = ['workload', 'keep', 'weekdays', 'time', ...Object.keys(uses)].filter(word => given[word] !== undefined)
  if (given.properties !== undefined) {
    if (words.length > 0) tell(at, `has properties, so ${words.join(', ')} must be left out`)
    return
  }
  if (given.workload === undefined || given.keep === undefined) tell(at, 'must have properties, or workload and keep')
  for (const word of words)
    if (uses[word] && !uses[word].includes(given.workload as Workload))
      tell(`${at}/${word}`, `is nothing for ${given.workload}`)
}

type Policies = ReadonlyMap<string, Workload | undefined>

const policiesOf = (given: Fields, at: string, tell: Tell): Policies => {
  const all = new Map(defaultPolicies().map(({ name, properties }) => [keyOf(name), policyWorkload(properties)]))
  const isNew = unique(tell, 'policy')
  for (const policy of eachOf(given.policies, `${at}/policies`)) {
    const name = text(policy.given.name) ?? ''
    checkPolicy(policy.given, policy.at, tell)
    isNew(name, policy.at)
    const { workload, properties } = policy.given
    all.set(
      keyOf(name),
      properties ? policyWorkload(propertiesOf(policy.given as unknown as SeedPolicy)) : (workload as Workload),
    )
  }
  return all
}

const checkContainers = (given: Fields, at: string, names: Names, near: string, tell: Tell): ReadonlySet<string> => {
  const registered = new Set<string>()
  const isNew = unique(tell, 'container')
  for (const { at: where, given: row } of eachOf(given.containers, `${at}/containers`)) {
    const { vm, storage_account: account } = row
    if ((vm === undefined) === (account === undefined)) {
      tell(where, 'must be of one vm or one storage_account')
      continue
    }
    const place =
      vm === undefined
        ? one(names.accounts, account, `${where}/storage_account`, 'storage account', tell, near)
        : one(names.vms, vm, `${where}/vm`, 'virtual machine', tell, near)
    if (!place) continue
    isNew(place.id, where)
    registered.add(keyOf(place.id))
  }
  return registered
}

const checkItem = (given: Fields, at: string, source: Source | undefined, policies: Policies, tell: Tell): void => {
  const { policy, history } = given
  checkTrouble(fields(history).trouble, `${at}/history/trouble`, tell)
  checkTrouble(fields(given.last_backup).trouble, `${at}/last_backup/trouble`, tell)
  if (policy === undefined) {
    if (history !== undefined) tell(at, 'has a history, so it must have the policy that made it')
    if (given.state !== 'ProtectionStopped' && given.soft_deleted === undefined)
      tell(at, 'must have a policy, or be stopped or soft-deleted')
    return
  }
  const name = keyOf(String(policy))
  if (!policies.has(name)) tell(`${at}/policy`, `the vault has no policy ${JSON.stringify(policy)}`)
  const meantFor = policies.get(name)
  if (source && meantFor && meantFor !== source.workload)
    tell(`${at}/policy`, `${policy} is for ${meantFor}, and this is ${source.workload}`)
}

const checkVault = ({ given, at, subscriptionId }: Place, names: Names, tell: Tell): void => {
  const policies = policiesOf(given, at, tell)
  const registered = checkContainers(given, at, names, subscriptionId, tell)
  for (const [index, ref] of (Array.isArray(given.discovered) ? given.discovered : []).entries())
    one(names.vms, ref, `${at}/discovered/${index}`, 'virtual machine', tell, subscriptionId)
  const items = new Set<string>()
  const isNew = unique(tell, 'item')
  for (const { at: where, given: row } of eachOf(given.items, `${at}/items`)) {
    const source = sourceOf(row.source, `${where}/source`, names, subscriptionId, tell)
    checkItem(row, where, source, policies, tell)
    if (!source) continue
    isNew(source.key, where)
    items.add(keyOf(source.key))
    if (source.container !== undefined && !registered.has(keyOf(source.container)))
      tell(`${where}/source`, 'is in a container that the vault has not registered')
  }
  for (const { at: where, given: row } of eachOf(given.jobs, `${at}/jobs`)) {
    checkTrouble(row.trouble, `${where}/trouble`, tell)
    if (row.source === undefined) {
      if (row.workload === undefined || row.entity === undefined)
        tell(where, 'must have a source, or workload and entity')
      continue
    }
    const source = sourceOf(row.source, `${where}/source`, names, subscriptionId, tell)
    if (source && !items.has(keyOf(source.key))) tell(`${where}/source`, 'is no item of this vault')
  }
}

const checkSubscriptions = (estate: Fields, tell: Tell): void => {
  const isNew = unique(tell, 'subscription')
  for (const { at, given } of eachOf(estate.subscriptions, '/subscriptions')) isNew(String(given.id), at)
  for (const kind of [...kinds, 'resource_groups'])
    for (const { at, given } of eachOf(estate[kind], `/${kind}`))
      if (given.subscription !== undefined && subscriptionIdOf(estate, given.subscription) === undefined)
        tell(`${at}/subscription`, `no subscription is called ${JSON.stringify(given.subscription)}`)
}

const checkFaults = (estate: Fields, tell: Tell): void => {
  for (const { at, given } of eachOf(estate.faults, '/faults'))
    try {
      toFault(given)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      tell(at, error.message)
    }
}

/**
 * Everything that is wrong, each with its JSON pointer. The estate need not fit its schema; where it is not `isWhole`, what
 * it asks to generate is not in it.
 */
export const estateFaults = (estate: Fields, isWhole: boolean): string[] => {
  const faults: string[] = []
  const tell: Tell = (at, wrong) => void faults.push(`${at || '/'}: ${wrong}`)
  checkSubscriptions(estate, tell)
  checkFaults(estate, tell)
  for (const kind of kinds) {
    const isNew = unique(tell, kind.replaceAll('_', ' ').replace(/s$/, ''))
    for (const { id, at } of placesOf(estate, kind)) isNew(id, at)
  }
  const names = {
    vms: byName(placesOf(estate, 'virtual_machines')),
    accounts: byName(placesOf(estate, 'storage_accounts')),
  }
  const vaults = placesOf(estate, 'vaults')
  for (const vault of vaults) checkVault(vault, names, tell)
  if (!isWhole) return faults
  if (vaults.length === 0) tell('', 'there must be a vault, in vaults or by generate')
  if (vaults.length > 0 && estate.default_vault !== undefined)
    one(byName(vaults), estate.default_vault, '/default_vault', 'vault', tell, vaults[0]?.subscriptionId)
  return faults
}
