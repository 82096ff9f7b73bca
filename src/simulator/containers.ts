/** Containers: found, registered, inquired, unregistered (section 2 of the wire facts). */
import type { Workload } from '../backup/datasources.ts'
import { type Fields, fields, text } from '../backup/fields.ts'
import { accepted, page, startOperation } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { containerIdOf, containerResource, containerRows } from './container-rows.ts'
import { lateFailure } from './faults.ts'
import { containerOf, inContainer, inFabric, inVault, vaultOf } from './finding.ts'
import { filterTerms, isSame } from './odata.ts'
import { invalidInput, Refusal } from './refusal.ts'
import { storageContainerName, vmContainerName } from './sources.ts'
import { spelled } from './spelling.ts'
import { type Container, keyOf, type Operation, type StorageAccount, type Vault, type Vm } from './state.ts'
import { checkWord, managementWords } from './words.ts'
import { isInReach, registeredIn, workloadOfWord } from './workloads.ts'
import type { Effects, World } from './world.ts'

/** How long Azure takes, in simulated time. */
const discoveryMs = 4000
const registrationMs = 8000
const inquiryMs = 4000

const effectKinds = {
  discover: 'containers-discover',
  register: 'container-register',
  inquire: 'container-inquire',
  unregister: 'container-unregister',
} as const

/** Begins an operation, at whose end the effect happens, and answers with where to ask: a `Location` only. */
const begin = (
  call: Call,
  vault: Vault,
  lastsMs: number,
  due: { kind: string; of: string; more?: Fields },
  { place, ...operated }: { place: string } & Partial<Operation>,
): Answer => {
  const { world } = call
  const error = operated.error ?? lateFailure(world, call.method, call.path)
  const operation = startOperation(world, vault, lastsMs, { ...operated, error })
  if (!error) world.schedule({ atMs: operation.endMs, vault: keyOf(vault.id), more: undefined, ...due })
  return accepted(call, operation, { result: `${place}/operationResults` })
}

const fabricIdOf = (vault: Vault): string => `${vault.id}/backupFabrics/Azure`

const refresh = (call: Call): Answer => {
  const vault = vaultOf(call)
  checkWord(filterTerms(call.query, ['backupManagementType']).get('backupmanagementtype'), managementWords)
  return begin(call, vault, discoveryMs, { kind: effectKinds.discover, of: '' }, { place: fabricIdOf(vault) })
}

/** Unregistered machines and accounts that the vault could have, by management type. */
const registrable: Readonly<Record<string, (world: World, vault: Vault) => [name: string, of: Vm | StorageAccount][]>> =
  {
    azureworkload: ({ state }) =>
      [...state.vms.values()].filter(({ exists }) => exists).map(vm => [vmContainerName(vm), vm]),
    azurestorage: ({ state }) =>
      [...state.storageAccounts.values()].map(account => [storageContainerName(account), account]),
  }

const kindOf = (name: string): string => name.slice(0, name.indexOf(';'))

const listProtectable = (call: Call): Answer => {
  const vault = vaultOf(call)
  const type = filterTerms(call.query, ['backupManagementType']).get('backupmanagementtype')
  if (type === undefined) throw invalidInput()
  checkWord(type, managementWords)
  const found = registrable[type.toLowerCase()]?.(call.world, vault) ?? []
  const rows = found.filter(([, of]) => isInReach(vault, of) && !registeredIn(call.world, of.id))
  return page(call, rows, ([name, { id, name: friendlyName }]) => ({
    id: spelled(call, `${fabricIdOf(vault)}/protectableContainers/${name}`),
    name,
    type: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectableContainers',
    properties: {
      friendlyName,
      backupManagementType: isSame(type, 'AzureStorage') ? 'AzureStorage' : 'AzureWorkload',
      protectableContainerType: kindOf(name),
      healthStatus: 'Healthy',
      containerId: id,
    },
  }))
}

const filterKeys = ['backupManagementType', 'containerType', 'friendlyName', 'status', 'fabricName', 'backupEngineName']

const listContainers = (call: Call): Answer => {
  const vault = vaultOf(call)
  const terms = filterTerms(call.query, filterKeys)
  const type = terms.get('backupmanagementtype')
  if (type === undefined) throw invalidInput()
  checkWord(type, managementWords)
  const isAsked = (name: string, value: string): boolean => {
    const asked = terms.get(name.toLowerCase())
    return asked === undefined || isSame(asked, value)
  }
  const rows = containerRows(call, vault).filter(
    row =>
      isSame(type, row.managementType) &&
      (isAsked('containerType', row.containerType) || isAsked('containerType', String(row.properties.containerType))) &&
      isAsked('friendlyName', row.friendlyName) &&
      isAsked('status', 'Registered') &&
      isAsked('fabricName', 'Azure') &&
      isAsked('backupEngineName', ''),
  )
  return page(call, rows, row => containerResource(call, vault, row))
}

/** None outlives its unregistration here. */
const listDeleted = (call: Call): Answer => {
  vaultOf(call)
  filterTerms(call.query, filterKeys)
  return page(call, [], () => undefined)
}

const getContainer = (call: Call): Answer => {
  const vault = vaultOf(call)
  const row = containerRows(call, vault).find(({ name }) => isSame(name, call.params.container))
  // Throws for what is not there.
  return ok(row ? containerResource(call, vault, row) : containerOf(call))
}

/** What a registration names, under the name that the path must have then. Throws Refusal. */
const wanted = (call: Call, vault: Vault): { kind: Container['kind']; of: Vm | StorageAccount; name: string } => {
  const properties = fields(call.body.properties)
  const key = keyOf(text(properties.sourceResourceId) ?? '')
  const { vms, storageAccounts } = call.world.state
  const vm = vms.get(key)
  const account = storageAccounts.get(key)
  const found: ReturnType<typeof wanted> | undefined = vm?.exists
    ? { kind: 'VMAppContainer', of: vm, name: vmContainerName(vm) }
    : account && { kind: 'StorageContainer', of: account, name: storageContainerName(account) }
  const isNamed = found && isSame(found.name, call.params.container)
  if (!isNamed || !isSame(found.kind, text(properties.containerType) ?? undefined) || !isInReach(vault, found.of))
    throw invalidInput()
  return found
}

const workloadIn = (kind: Container['kind'], properties: Fields): Workload[] => {
  if (kind === 'StorageContainer') return []
  const workload = workloadOfWord(text(properties.workloadType) ?? '')
  if (!workload || workload === 'VM' || workload === 'AzureFileShare') throw invalidInput()
  return [workload]
}

/** True while another vault registers the same machine or account. */
const isBeingRegistered = ({ state }: World, sourceId: string, vault: Vault): boolean =>
  state.due.some(
    ({ kind, vault: of, more }) =>
      kind === effectKinds.register && of !== keyOf(vault.id) && more?.sourceId === sourceId,
  )

const agentSilent = {
  code: 'UserErrorGuestAgentStatusUnavailable',
  message:
    'The VM agent is unable to communicate with the Azure Backup Service.\r\nEnsure the VM has network connectivity, and that the VM agent is the latest and running.',
}

const register = (call: Call): Answer => {
  const vault = vaultOf(call)
  const { kind, of, name } = wanted(call, vault)
  const inquired = workloadIn(kind, fields(call.body.properties))
  const owner = registeredIn(call.world, of.id)
  if (owner && owner !== vault)
    throw new Refusal(
      400,
      'BMSUserErrorContainerAlreadyRegistered',
      `${of.name} is already registered with another recovery services vault. Unregister it there first.`,
    )
  if (isBeingRegistered(call.world, of.id, vault))
    throw new Refusal(
      409,
      'BMSUserErrorObjectLocked',
      `Another operation is in progress on ${of.name}.\r\nWait for the operation to complete and then try again.`,
    )
  const isSilent = 'isAgentReady' in of && !of.isAgentReady
  const id = containerIdOf(vault, name)
  const answered = begin(
    call,
    vault,
    registrationMs,
    {
      kind: effectKinds.register,
      of: keyOf(name),
      more: { name, kind, sourceId: of.id, friendlyName: of.name, inquired },
    },
    { place: id, resultPath: id, error: isSilent ? agentSilent : undefined },
  )
  return { ...answered, body: {} }
}

const inquire = (call: Call): Answer => {
  const vault = vaultOf(call)
  const { name, kind } = containerOf(call)
  const terms = filterTerms(call.query, ['workloadType', 'backupManagementType'])
  const word = terms.get('workloadtype')
  const workload = word === undefined ? undefined : workloadOfWord(word)
  if ((word !== undefined && !workload) || workload === 'VM') throw invalidInput()
  if (workload && (workload === 'AzureFileShare') !== (kind === 'StorageContainer')) throw invalidInput()
  const more = { workload: workload ?? null }
  return begin(
    call,
    vault,
    inquiryMs,
    { kind: effectKinds.inquire, of: keyOf(name), more },
    { place: containerIdOf(vault, name) },
  )
}

const unregister = (call: Call): Answer => {
  const vault = vaultOf(call)
  const container = vault.containers.get(keyOf(call.params.container ?? ''))
  if (!container) return { status: 204 }
  const prefix = `${keyOf(container.name)}/`
  if ([...vault.items.keys()].some(key => key.startsWith(prefix)))
    throw new Refusal(
      400,
      'BMSUserErrorContainerHasDatasources',
      'There are backup items associated with the container.\r\nStop protection with delete data of all of them, wait until none is soft-deleted, and try the operation again.',
    )
  const place = containerIdOf(vault, container.name)
  return begin(call, vault, registrationMs, { kind: effectKinds.unregister, of: keyOf(container.name) }, { place })
}

/** Servers of other products, of which there are none. */
const listEngines = (call: Call): Answer => {
  vaultOf(call)
  return page(call, [], row => row)
}

export const containerRoutes: readonly Route[] = [
  { method: 'POST', path: `${inFabric}/refreshContainers`, handle: refresh },
  { method: 'GET', path: `${inFabric}/protectableContainers`, handle: listProtectable },
  { method: 'GET', path: `${inVault}/backupProtectionContainers`, handle: listContainers },
  { method: 'GET', path: `${inVault}/backupDeletedProtectionContainers`, handle: listDeleted },
  { method: 'GET', path: `${inVault}/backupEngines`, handle: listEngines },
  { method: 'GET', path: inContainer, handle: getContainer },
  { method: 'PUT', path: inContainer, handle: register },
  { method: 'DELETE', path: inContainer, handle: unregister },
  { method: 'POST', path: `${inContainer}/inquire`, handle: inquire },
]

const vaultAt = ({ state }: World, key: string): Vault | undefined => state.vaults.get(key)

const isContainerKind = (kind: unknown): kind is Container['kind'] =>
  kind === 'VMAppContainer' || kind === 'StorageContainer'

const joined = (before: readonly Workload[], more: readonly Workload[]): Workload[] => [
  ...new Set([...before, ...more]),
]

/** What there is to be found, where an inquiry names none. */
const everyWorkload = ({ state }: World, { kind, sourceId }: Container): Workload[] =>
  kind === 'StorageContainer'
    ? ['AzureFileShare']
    : (state.vms.get(keyOf(sourceId))?.instances ?? []).map(({ workload }) => workload)

export const containerEffects: Effects = {
  [effectKinds.discover]: (world, { vault: key }) => {
    const vault = vaultAt(world, key)
    if (!vault) return
    for (const [id, vm] of world.state.vms) if (vm.exists && isInReach(vault, vm)) vault.discovered.add(id)
  },
  [effectKinds.register]: (world, { vault: key, of, more }) => {
    const vault = vaultAt(world, key)
    const { name, kind, sourceId, friendlyName, inquired } = fields(more)
    if (!vault || !isContainerKind(kind)) return
    vault.containers.set(of, {
      name: String(name),
      kind,
      friendlyName: String(friendlyName),
      sourceId: String(sourceId),
      registeredMs: world.state.nowMs,
      inquired: joined(vault.containers.get(of)?.inquired ?? [], inquired as Workload[]),
    })
  },
  [effectKinds.inquire]: (world, { vault: key, of, more }) => {
    const container = vaultAt(world, key)?.containers.get(of)
    if (!container) return
    const { workload } = fields(more)
    container.inquired = joined(container.inquired, workload ? [workload as Workload] : everyWorkload(world, container))
  },
  [effectKinds.unregister]: (world, { vault, of }) => void vaultAt(world, vault)?.containers.delete(of),
}
