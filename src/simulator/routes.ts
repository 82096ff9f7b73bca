/** Everything that the simulated Azure answers, joined from the nouns. Of two rows that fit the first counts. */
import { backupRoutes } from './backup-routes.ts'
import type { Route } from './call.ts'
import { containerRoutes } from './containers.ts'
import { guardRoutes } from './guard.ts'
import { intentRoutes } from './intents.ts'
import { itemRoutes } from './items.ts'
import { jobRoutes } from './job-routes.ts'
import { locationRoutes } from './locations.ts'
import { operationRoutes } from './operations.ts'
import { pointRoutes } from './point-routes.ts'
import { protectableRoutes } from './protectables.ts'

export const routes: readonly Route[] = [
  ...operationRoutes,
  ...guardRoutes,
  ...itemRoutes,
  ...containerRoutes,
  ...protectableRoutes,
  ...intentRoutes,
  ...locationRoutes,
  ...backupRoutes,
  ...jobRoutes,
  ...pointRoutes,
]
