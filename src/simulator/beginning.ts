/** How a simulated Azure begins: the estate of a seed file or the built-in one, and the vault that is meant by default. */

import { type DefaultVault, defaultVaultOf, stateOf } from './estate-state.ts'
import { addSubscription, addVault, blankState } from './making.ts'
import { parseEstate } from './seed-file.ts'
import type { State } from './state.ts'

export type { DefaultVault }

export interface Beginning {
  state: State
  defaultVault: DefaultVault
}

export const builtInBeginning = async (startMs: number): Promise<Beginning> => {
  const state = blankState(1, startMs, '99999999-9999-4999-8999-999999999999', ['simulated-azure-token'])
  const subscriptionId = '11111111-1111-4111-8111-111111111111'
  addSubscription(state, subscriptionId, 'Contoso Production')
  addVault(state, { subscriptionId, resourceGroup: 'rg-backup', name: 'vault-prod', location: 'eastus' })
  return {
    state,
    defaultVault: { subscription_id: subscriptionId, resource_group: 'rg-backup', vault_name: 'vault-prod' },
  }
}

/** Throws an Error with all faults for what is no estate. */
export const beginningOf = (seed: unknown, startMs: number): Beginning => {
  const estate = parseEstate(seed)
  return { state: stateOf(estate, startMs), defaultVault: defaultVaultOf(estate) }
}
