/** Scheduled backups: each plans the next one. */
import { text } from '../backup/fields.ts'
import { isBackupRunning, startBackup } from './backups.ts'
import { pruneJobs } from './jobs.ts'
import { logsOf, pointsOf, policyPropertiesOf } from './points.ts'
import { nextRun } from './schedules.ts'
import { type Item, keyOf, type Vault } from './state.ts'
import type { Effects, World } from './world.ts'

const isScheduled = ({ state, softDeleted }: Item): boolean =>
  state !== 'ProtectionStopped' && state !== 'ProtectionPaused' && state !== 'BackupsSuspended' && !softDeleted

/**
 * Plans the next scheduled backup of an item, as its policy has it now, in place of the one that was planned. To be
 * called whenever an item gets another policy, or its policy another schedule.
 */
export const planNextRun = (world: World, vault: Vault, item: Item): void => {
  const properties = policyPropertiesOf(vault, item)
  const next = properties && isScheduled(item) ? nextRun(properties, world.state.nowMs) : undefined
  if (next !== undefined && next.atMs === item.plannedMs) return
  item.plannedMs = next?.atMs
  if (next === undefined) return
  world.schedule({
    atMs: next.atMs,
    kind: 'scheduled-backup',
    vault: keyOf(vault.id),
    of: keyOf(item.container, item.name),
    more: { kind: next.kind },
  })
}

/** No more scheduled backups of an item; its logs end here. To be called before its protection is stopped. */
export const unplan = (world: World, vault: Vault, item: Item): void => {
  logsOf(item, vault, world.state.nowMs)
  item.plannedMs = undefined
}

export const scheduleEffects: Effects = {
  'scheduled-backup': (world, { atMs, vault: vaultKey, of, more }) => {
    const vault = world.state.vaults.get(vaultKey)
    const item = vault?.items.get(of)
    if (!vault || !item || item.plannedMs !== atMs) return
    item.plannedMs = undefined
    if (!isScheduled(item)) return
    pointsOf(vault, item, atMs)
    pruneJobs(vault, atMs)
    // One that still runs is let end: the next one comes by the schedule.
    if (!isBackupRunning(vault, item))
      startBackup(world, vault, item, { kind: text(more?.kind) ?? 'Full', isUserTriggered: false })
    planNextRun(world, vault, item)
  },
}
