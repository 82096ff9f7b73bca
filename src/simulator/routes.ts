/** Everything that the simulated Azure answers, joined from the nouns. Of two rows that fit the first counts. */
import type { Route } from './call.ts'
import { guardRoutes } from './guard.ts'
import { itemRoutes } from './items.ts'
import { operationRoutes } from './operations.ts'

export const routes: readonly Route[] = [...operationRoutes, ...guardRoutes, ...itemRoutes]
