/** Everything that happens at its time, joined from the nouns. */
import { backupEffects } from './backups.ts'
import { protectionEffects } from './item-changes.ts'
import { jobEffects } from './jobs.ts'
import { scheduleEffects } from './schedules-runner.ts'
import { vaultEffects } from './vaults.ts'
import type { Effects } from './world.ts'

export const effects: Effects = {
  ...jobEffects,
  ...backupEffects,
  ...scheduleEffects,
  ...protectionEffects,
  ...vaultEffects,
}
