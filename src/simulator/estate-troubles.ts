/** Troubles of an estate: by their code, or with all their words. */
import type { SeedTrouble } from '../generated/seed.ts'
import type { Trouble } from './state.ts'
import { troubles } from './troubles.ts'

/** One that the simulated Azure has by itself. */
export const knownTrouble = (code: string): Trouble | undefined =>
  Object.values(troubles).find(trouble => trouble.code.toLowerCase() === code.toLowerCase())

/** Undefined for a code without words here. */
export const troubleOf = (given: SeedTrouble | undefined): Trouble | undefined => {
  if (given === undefined) return undefined
  if (typeof given === 'string') return knownTrouble(given)
  const { number, code, message, recommendations = [] } = given
  return { number, code, message, recommendations }
}
