/** Everything that the simulated Azure answers, joined from the nouns. Of two rows that fit the first counts. */
import { backupRoutes } from './backup-routes.ts'
import type { Route } from './call.ts'
import { itemRecoveryRoutes } from './item-recovery.ts'
import { jobRoutes } from './job-routes.ts'
import { pointRoutes } from './point-routes.ts'
import { validationRoutes } from './restore-validation.ts'
import { restoreRoutes } from './restores.ts'

export const routes: readonly Route[] = [
  ...backupRoutes,
  ...jobRoutes,
  ...pointRoutes,
  ...restoreRoutes,
  ...validationRoutes,
  ...itemRecoveryRoutes,
]
