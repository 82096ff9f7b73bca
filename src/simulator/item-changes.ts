/**
 * Changes of protected items on their way: each is accepted as an operation that starts a job, and done to the item when the
 * operation ends (section 14 of the wire facts).
 */
import { type Fields, fields, number, text } from '../backup/fields.ts'
import { startOperation } from './answers.ts'
import { giveUpBackup } from './backups.ts'
import type { Call } from './call.ts'
import { lateFailure } from './faults.ts'
import { itemIdOf } from './finding.ts'
import { startJob } from './jobs.ts'
import { addItem, vmItemOf } from './making.ts'
import { isSame } from './odata.ts'
import { keepByPolicy, pointsOf, policyPropertiesOf } from './points.ts'
import { planNextRun, unplan } from './schedules-runner.ts'
import { type Item, keyOf, type Operation, type Policy, type Vault } from './state.ts'
import type { Effects, World } from './world.ts'

/** How long Azure takes for a change, in simulated time. */
const changeMs = 5000
const dayMs = 86_400_000

/** Kinds of changes, with the job that each is. */
const operations = {
  protect: 'ConfigureBackup',
  change: 'ConfigureBackup',
  stop: 'DisableBackup',
  suspend: 'DisableBackup',
  delete: 'DeleteBackupData',
  undelete: 'Undelete',
} as const
type Kind = keyof typeof operations

export interface Change {
  kind: Kind
  item: Item
  /** Under which the item is from then on. */
  policy: Policy | undefined
  diskExclusion: Item['diskExclusion']
}

const changeKind = 'item-change'
const purgeKind = 'item-purge'

/** True while a change of the item of this key is on its way. */
export const isLocked = ({ state }: World, vault: Vault, key: string): boolean =>
  state.due.some(due => due.kind === changeKind && due.vault === keyOf(vault.id) && due.of === key)

/** True while a change is going to put an item under the policy of this key. */
export const isAwaited = ({ state }: World, vault: Vault, policy: string): boolean =>
  state.due.some(due => due.kind === changeKind && due.vault === keyOf(vault.id) && due.more?.policy === policy)

/** The vault and item of a VM, wherever it is protected or soft-deleted. */
export const protectionOfVm = ({ state }: World, vmId: string): { vault: Vault; item: Item } | undefined => {
  for (const vault of state.vaults.values())
    for (const item of vault.items.values())
      if (item.workload === 'VM' && isSame(item.sourceId, vmId)) return { vault, item }
  return undefined
}

/** True while an operation is going to protect the VM, in whatever vault. */
export const isBeingProtected = ({ state }: World, vmId: string): boolean =>
  state.due.some(({ kind, more }) => kind === changeKind && isSame(text(more?.vmId) ?? undefined, vmId))

const bagOf = ({ kind, item, policy }: Change): Record<string, string> => ({
  'VM Name': item.friendlyName,
  ...(operations[kind] === 'ConfigureBackup' || kind === 'stop' || kind === 'suspend'
    ? { 'Policy Name': policy?.name ?? '' }
    : {}),
  ...(kind === 'delete' ? { 'Number of Recovery Points': String(item.points.length) } : {}),
  ...(kind === 'undelete' ? { 'Undelete flag': 'True' } : {}),
})

/** Accepts a change: its operation and its job begin, and the change is due at their end. */
export const beginChange = (call: Call, vault: Vault, change: Change): Operation => {
  const { world } = call
  const { kind, item, policy, diskExclusion } = change
  const error = lateFailure(world, call.method, call.path)
  if (error) return startOperation(world, vault, changeMs, { error })
  const key = keyOf(item.container, item.name)
  const job = startJob(world, vault, {
    operation: operations[kind],
    workload: item.workload,
    entityName: item.friendlyName,
    item: key,
    containerName: item.container,
    lastsMs: changeMs,
    bag: bagOf(change),
  })
  const operation = startOperation(world, vault, changeMs, {
    jobId: job.id,
    ...(kind === 'delete' ? {} : { resultPath: itemIdOf(vault, item) }),
  })
  world.schedule({
    atMs: operation.endMs,
    kind: changeKind,
    vault: keyOf(vault.id),
    of: key,
    more: {
      kind,
      askedMs: operation.startMs,
      ...(kind === 'protect' ? { vmId: item.sourceId, dataId: item.dataId } : {}),
      ...(policy ? { policy: keyOf(policy.name) } : {}),
      ...(diskExclusion ? { diskExclusion } : {}),
    },
  })
  return operation
}

/** What is left of an item when its policy is taken away. */
const stopped = (world: World, vault: Vault, item: Item): void => {
  unplan(world, vault, item)
  item.policy = undefined
  item.state = 'ProtectionStopped'
}

const exclusionIn = (more: Fields): Item['diskExclusion'] => {
  const { luns, isInclusionList } = fields(more.diskExclusion)
  return Array.isArray(luns) ? { luns, isInclusionList: isInclusionList === true } : undefined
}

const started: readonly string[] = ['IRPending', 'Protected', 'ProtectionError']

/** How each kind of change is done to an item. */
const apply: Readonly<Record<Kind, (world: World, vault: Vault, item: Item, more: Fields) => void>> = {
  protect: (world, vault, item, more) => {
    item.diskExclusion = exclusionIn(more)
    addItem(vault, item)
    planNextRun(world, vault, item)
  },
  change: (world, vault, item, more) => {
    pointsOf(vault, item, world.state.nowMs)
    const before = policyPropertiesOf(vault, item)
    item.policy = text(more.policy) ?? undefined
    keepByPolicy(vault, item, before, world.state.nowMs)
    item.diskExclusion = exclusionIn(more)
    if (!started.includes(item.state)) item.state = item.points.length > 0 ? 'Protected' : 'IRPending'
    planNextRun(world, vault, item)
  },
  stop: stopped,
  suspend: (world, vault, item) => {
    unplan(world, vault, item)
    item.state = 'BackupsSuspended'
  },
  delete: (world, vault, item, more) => {
    stopped(world, vault, item)
    giveUpBackup(world, vault, item)
    const key = keyOf(item.container, item.name)
    vault.unlocked.delete(key)
    const { state, days } = vault.softDelete
    if (state === 'Disabled') {
      vault.items.delete(key)
      return
    }
    const atMs = number(more.askedMs) ?? world.state.nowMs
    item.softDeleted = { atMs, days }
    world.schedule({ atMs: atMs + days * dayMs, kind: purgeKind, vault: keyOf(vault.id), of: key, more: undefined })
  },
  undelete: (world, vault, item) => {
    world.unschedule(purgeKind, keyOf(vault.id), keyOf(item.container, item.name))
    item.softDeleted = undefined
    item.state = 'ProtectionStopped'
  },
}

const isKind = (kind: unknown): kind is Kind => typeof kind === 'string' && Object.hasOwn(operations, kind)

export const protectionEffects: Effects = {
  [changeKind]: (world, { vault: vaultKey, of, more }) => {
    const vault = world.state.vaults.get(vaultKey)
    const given = fields(more)
    if (!vault || !isKind(given.kind)) return
    const vm = world.state.vms.get(keyOf(text(given.vmId) ?? ''))
    const policy = text(given.policy) ?? ''
    const item = vm ? vmItemOf(vm, policy, text(given.dataId) ?? '') : vault.items.get(of)
    if (item) apply[given.kind](world, vault, item, given)
  },
  [purgeKind]: ({ state }, { vault, of }) => {
    const items = state.vaults.get(vault)?.items
    if (items?.get(of)?.softDeleted) items.delete(of)
  },
}
