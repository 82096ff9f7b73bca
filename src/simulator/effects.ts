/** Everything that happens at its time, joined from the nouns. */
import { jobEffects } from './jobs.ts'
import { vaultEffects } from './vaults.ts'
import type { Effects } from './world.ts'

export const effects: Effects = { ...jobEffects, ...vaultEffects }
