/** Everything that the simulated Azure answers, joined from the nouns. Of two rows that fit the first counts. */
import type { Route } from './call.ts'
import { estateRoutes } from './estate.ts'
import { guardRoutes } from './guard.ts'
import { resourceRoutes } from './resources.ts'

export const routes: readonly Route[] = [...estateRoutes, ...resourceRoutes, ...guardRoutes]
