/** The region of a vault: some questions are asked of a region, not of the vault in it. */
import type { ToolContext } from '../tools/context.ts'
import type { VaultRef } from './arm-ids.ts'
import { fields, text } from './fields.ts'

const dayMs = 24 * 3_600_000

/** `eastus`; empty where Azure does not tell it. One read of the vault, remembered with it. */
export const vaultLocation = (vault: VaultRef, { arm, memory }: ToolContext): Promise<string> =>
  memory.recall(`location:${vault.id}`, dayMs, async () => {
    const location = text(fields(await arm.getResource(vault.id)).location) ?? ''
    return location.toLowerCase().replaceAll(' ', '')
  })

/** The path of what a region offers to a subscription. */
export const regionPath = (subscriptionId: string, region: string): string =>
  `/subscriptions/${subscriptionId}/providers/Microsoft.RecoveryServices/locations/${region}`
