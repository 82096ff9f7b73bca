/** The items that follow a policy. Soft-deleted ones do not: Azure counts none of them. */
import type { ToolContext } from '../tools/context.ts'
import { lastName, sameText, type VaultRef } from './arm-ids.ts'
import { type Fields, fields, text, whole } from './fields.ts'
import { calledBy } from './item-state.ts'
import { itemFilter, namesOf } from './items.ts'
import { listRows } from './lists.ts'

export interface PolicyUser {
  id: string
  /** As people name it: `web-01 (rg-app)`. */
  name: string
}

/** The first `limit` items under a policy: one list call. */
export const usersOf = async (
  policyName: string,
  limit: number,
  vault: VaultRef,
  { arm }: ToolContext,
): Promise<PolicyUser[]> => {
  const query = itemFilter({ policy_name: policyName })
  const source = {
    key: vault.id,
    pages: (options: Parameters<typeof arm.pages>[2]) => arm.pages(`${vault.id}/backupProtectedItems`, query, options),
  }
  const { rows } = await listRows('policy_users', { limit }, [source], raw => {
    const { id, properties: given } = fields(raw)
    const properties = fields(given)
    const name = text(properties.policyName) ?? lastName(text(properties.policyId) ?? '')
    if (!sameText(name, policyName) || properties.isScheduledForDeferredDelete === true) return undefined
    return { id: text(id) ?? '', name: calledBy(namesOf(text(id) ?? '', properties)) }
  })
  return rows
}

/** How many items follow a policy; null where Azure does not tell. */
export const userCount = (properties: Fields): number | null => whole(properties.protectedItemsCount)

export const someOf = (users: readonly PolicyUser[], count: number): string => {
  const names = users.map(({ name }) => name).join(', ')
  return count > users.length ? `${names} and ${count - users.length} more` : names
}
