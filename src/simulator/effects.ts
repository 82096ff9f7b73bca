/** Everything that happens at its time, joined from the nouns. */
import type { Effects } from './world.ts'

export const effects: Effects = {}
