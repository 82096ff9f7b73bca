/** Everything that the simulated Azure answers, joined from the nouns. Of two rows that fit the first counts. */
import type { Route } from './call.ts'
import { estateRoutes } from './estate.ts'
import { guardRoutes } from './guard.ts'
import { resourceRoutes } from './resources.ts'
import { vaultConfigRoutes } from './vault-config.ts'
import { vaultUsageRoutes } from './vault-usages.ts'
import { vaultRoutes } from './vaults.ts'

export const routes: readonly Route[] = [
  ...estateRoutes,
  ...resourceRoutes,
  ...vaultRoutes,
  ...vaultConfigRoutes,
  ...vaultUsageRoutes,
  ...guardRoutes,
]
