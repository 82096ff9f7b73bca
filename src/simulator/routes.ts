/** Everything that the simulated Azure answers, joined from the nouns. Of two rows that fit the first counts. */
import { backupRoutes } from './backup-routes.ts'
import type { Route } from './call.ts'
import { containerRoutes } from './containers.ts'
import { estateRoutes } from './estate.ts'
import { guardRoutes } from './guard.ts'
import { intentRoutes } from './intents.ts'
import { itemRecoveryRoutes } from './item-recovery.ts'
import { itemRoutes } from './items.ts'
import { jobRoutes } from './job-routes.ts'
import { locationRoutes } from './locations.ts'
import { operationRoutes } from './operations.ts'
import { pointRoutes } from './point-routes.ts'
import { policyRoutes } from './policies.ts'
import { protectableRoutes } from './protectables.ts'
import { resourceGraphRoutes } from './resource-graph.ts'
import { resourceRoutes } from './resources.ts'
import { validationRoutes } from './restore-validation.ts'
import { restoreRoutes } from './restores.ts'
import { vaultConfigRoutes } from './vault-config.ts'
import { vaultUsageRoutes } from './vault-usages.ts'
import { vaultRoutes } from './vaults.ts'
import { workloadItemRoutes } from './workload-items.ts'

export const routes: readonly Route[] = [
  ...estateRoutes,
  ...resourceRoutes,
  ...resourceGraphRoutes,
  ...vaultRoutes,
  ...vaultConfigRoutes,
  ...vaultUsageRoutes,
  ...policyRoutes,
  ...operationRoutes,
  ...guardRoutes,
  ...itemRoutes,
  ...backupRoutes,
  ...jobRoutes,
  ...pointRoutes,
  ...restoreRoutes,
  ...validationRoutes,
  ...itemRecoveryRoutes,
  ...containerRoutes,
  ...protectableRoutes,
  ...workloadItemRoutes,
  ...intentRoutes,
  ...locationRoutes,
]
