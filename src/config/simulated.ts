import { keyPath } from './key-path.ts'
import type { LoadedConfig } from './types.ts'

const simulatedSource = 'the simulated Azure'

/** The configuration with the vault that a simulated Azure names as its default. */
export const onSimulatedAzure = (
  loaded: LoadedConfig,
  vault: { subscription_id: string; resource_group: string; vault_name: string },
): LoadedConfig => {
  const { subscription_id: subscription, resource_group: resourceGroup, vault_name: name } = vault
  const key = (part: string) => keyPath(['vaults', name, part])
  return {
    ...loaded,
    config: {
      ...loaded.config,
      subscription,
      resourceGroup,
      vaults: [{ key: name, name, subscription, resourceGroup, isDefault: true }],
    },
    origins: {
      ...loaded.origins,
      ...Object.fromEntries(
        ['subscription_id', 'resource_group', 'vault_name', key('name')].map(each => [each, simulatedSource]),
      ),
    },
  }
}
