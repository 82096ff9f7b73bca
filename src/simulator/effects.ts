/** Everything that happens at its time, joined from the nouns. */
import { backupEffects } from './backups.ts'
import { itemRecoveryEffects } from './item-recovery.ts'
import { cancelEffects } from './job-routes.ts'
import { jobEffects } from './jobs.ts'
import { pointEffects } from './point-routes.ts'
import { restoreEffects } from './restores.ts'
import { scheduleEffects } from './schedules-runner.ts'
import type { Effects } from './world.ts'

export const effects: Effects = {
  ...jobEffects,
  ...cancelEffects,
  ...backupEffects,
  ...scheduleEffects,
  ...pointEffects,
  ...restoreEffects,
  ...itemRecoveryEffects,
}
