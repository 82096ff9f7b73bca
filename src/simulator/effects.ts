/** Everything that happens at its time, joined from the nouns. */
import { containerEffects } from './containers.ts'
import { protectionEffects } from './item-changes.ts'
import { jobEffects } from './jobs.ts'
import type { Effects } from './world.ts'

export const effects: Effects = { ...jobEffects, ...protectionEffects, ...containerEffects }
