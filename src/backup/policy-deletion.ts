/** Deleting policies (section 5 of the wire facts). */
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { fields, text } from './fields.ts'
import { plural } from './phrases.ts'
import type { Plan } from './plans.ts'
import { nameIn, readPolicy } from './policies.ts'
import { policyLines } from './policy-lines.ts'
import { someOf, userCount, usersOf } from './policy-users.ts'
import { postureOf } from './security.ts'
import { checkVault, withVaultOf } from './vault-names.ts'

/** How many of its items a refusal names. */
const mostNamed = 50

const inUse = async (policyName: string, count: number, vault: VaultRef, context: ToolContext): Promise<Problem> => {
  const users = await usersOf(policyName, mostNamed, vault, context)
  return new Problem(
    'precondition_failed',
    `${plural(count, 'items')} ${count === 1 ? 'follows' : 'follow'} ${policyName}: ${someOf(users, count)}. Azure deletes no policy in use.`,
    'Put each under another policy with recovery_services_enable_protection, or stop it with recovery_services_disable_protection, first.',
    { details: { count, items: users } },
  )
}

const planOf = async (name: string, vault: VaultRef, context: ToolContext): Promise<Plan> => {
  const [body, posture] = await Promise.all([readPolicy(name, vault, context), postureOf(vault, context)])
  const properties = fields(body.properties)
  const policyName = text(body.name) ?? name
  const count = userCount(properties) ?? (await usersOf(policyName, mostNamed, vault, context)).length
  if (count > 0) throw await inUse(policyName, count, vault, context)
  const { summary } = policyLines(properties)
  const path = text(body.id) ?? `${vault.id}/backupPolicies/${policyName}`
  return {
    summary: `Delete the policy ${policyName} of ${vault.vaultName}, which no item follows.`,
    requests: [{ method: 'DELETE', path, before: { kind: 'present', body }, isDone: ({ kind }) => kind === 'absent' }],
    keeps: ['all recovery points: no item is under it'],
    loses: [`the policy ${policyName}, for good: ${summary}`],
    posture,
    itemId: path,
    basis: [path, properties],
  }
}

const deletePolicy: Handlers['delete_policy'] = async (input, context) => {
  const given = input.policy_name
  checkAll(
    () => nameIn(given),
    () => checkVault(input.vault, context),
  )
  return withVaultOf('policy_name', given, input.vault, context, async vault => {
    const plan = await planOf(nameIn(given), vault, context)
    const { changed } = await carryOut('delete_policy', input, context, plan, 45)
    const result = { ...changed, vault_name: vault.vaultName, item_id: plan.itemId }
    return changed.status === 'succeeded' ? { ...result, message: 'The policy is deleted.' } : result
  })
}

export const policyDeletion = { delete_policy: deletePolicy } satisfies Partial<Handlers>
