/** How a simulated Azure begins: the estate of a seed file or the built-in one, and the vault that is meant by default. */
import { type DefaultVault, defaultVaultOf, type Estate, stateOf } from './estate-state.ts'
import { builtInEstate } from './seed.ts'
import type { State } from './state.ts'

export type { DefaultVault }

export interface Beginning {
  state: State
  defaultVault: DefaultVault
}

const begin = (estate: Estate, startMs: number): Beginning => ({
  state: stateOf(estate, startMs),
  defaultVault: defaultVaultOf(estate),
})

export const builtInBeginning = (startMs: number): Beginning => begin(builtInEstate(), startMs)

/** Throws an Error with all faults for what is no estate. */
export const beginningOf = async (seed: unknown, startMs: number): Promise<Beginning> => {
  const { parseEstate } = await import('./seed-file.ts')
  return begin(parseEstate(seed), startMs)
}
