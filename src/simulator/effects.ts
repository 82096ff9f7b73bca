/** Everything that happens at its time, joined from the nouns. */
import { backupEffects } from './backups.ts'
import { containerEffects } from './containers.ts'
import { protectionEffects } from './item-changes.ts'
import { itemRecoveryEffects } from './item-recovery.ts'
import { cancelEffects } from './job-routes.ts'
import { jobEffects } from './jobs.ts'
import { pointEffects } from './point-routes.ts'
import { policyEffects } from './policies.ts'
import { restoreEffects } from './restores.ts'
import { scheduleEffects } from './schedules-runner.ts'
import { vaultEffects } from './vaults.ts'
import type { Effects } from './world.ts'

export const effects: Effects = {
  ...jobEffects,
  ...cancelEffects,
  ...protectionEffects,
  ...containerEffects,
  ...backupEffects,
  ...scheduleEffects,
  ...vaultEffects,
  ...policyEffects,
  ...pointEffects,
  ...restoreEffects,
  ...itemRecoveryEffects,
}
