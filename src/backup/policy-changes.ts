/** Changes of policies (section 5 of the wire facts): every item under the policy follows, and so do its recovery points. */
import { isDeepStrictEqual } from 'node:util'
import type { UpdatePolicyInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument, checkAll } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { type Fields, fields, text } from './fields.ts'
import { plural } from './phrases.ts'
import type { Plan } from './plans.ts'
import { nameIn, policyTypeOf, readPolicy } from './policies.ts'
import { policyMeaning } from './policy-creation.ts'
import { isRetentionLowered, retentionLost } from './policy-effects.ts'
import { fewerBackups } from './policy-frequency.ts'
import { alignmentOf } from './policy-jobs.ts'
import { policyLines } from './policy-lines.ts'
import { mergedPolicy } from './policy-merging.ts'
import { workloadOfPolicy } from './policy-parts.ts'
import { type PolicyUser, someOf, userCount, usersOf } from './policy-users.ts'
import { type PolicyBody, policyBody, policyWorkload } from './policy-words.ts'
import { isImmutable, type Posture, postureOf, withGuard } from './security.ts'
import { checkVault, withVaultOf } from './vault-names.ts'

const usualWaitSeconds = 45
const mostNamed = 10

const targets = new Set(['vault', 'policy_name', 'workload_type', 'wait_seconds', 'dry_run', 'confirm'])

/** Throws InputError where nothing is to be changed, and for what is wrong with a whole policy. */
const checkWords = (input: UpdatePolicyInput): void => {
  if (Object.keys(input).every(name => targets.has(name)))
    throw badArgument('policy_name', 'is all that is given; say what to change: parts, a preset or a raw policy')
  if (input.preset !== undefined || input.policy !== undefined) policyBody(input, policyWorkload(input))
}

/** What the policy is to be. A preset or a raw policy is whole; parts leave the rest as it is. */
const wantedOf = (input: UpdatePolicyInput, before: Fields): PolicyBody => {
  const workload = workloadOfPolicy(before)
  if (input.preset !== undefined || input.policy !== undefined) return policyBody(input, workload)
  const { vault: _, policy_name: __, workload_type: told, wait_seconds: ___, dry_run, confirm, ...parts } = input
  if (told !== undefined && told !== workload)
    throw badArgument(
      'workload_type',
      `is ${told}, but the policy is for ${workload ?? 'something else'}; leave it out`,
    )
  return { properties: mergedPolicy(before, parts, workload), warnings: [] }
}

/** What Azure only tells, and nobody sets. */
const settable = ({ protectedItemsCount: _, ...properties }: Fields): Fields => properties

interface Change {
  name: string
  id: string
  before: Fields
  after: Fields
  posture: Posture
  count: number
  users: readonly PolicyUser[]
}

const followers = ({ count, users }: Pick<Change, 'count' | 'users'>): string =>
  `${plural(count, 'items')} (${someOf(users, count)})`

/** Throws `precondition_failed` for what Azure refuses in this vault, or of a policy in use. */
const checkAllowed = ({ name, before, after, posture, count, users }: Change): void => {
  const [was, is] = [policyTypeOf(before), policyTypeOf(after)]
  if (count > 0 && was !== is)
    throw new Problem(
      'precondition_failed',
      `${name} is ${was === 'enhanced' ? 'an enhanced' : 'a standard'} policy, and ${followers({ count, users })} ${count === 1 ? 'follows' : 'follow'} it: Azure changes the type of no policy in use.`,
      'Make another policy with recovery_services_create_policy, and put the items under it with recovery_services_enable_protection.',
      { details: { count, items: users } },
    )
  if (!isImmutable(posture) || !isRetentionLowered(before, after)) return
  const lost = retentionLost(before, after)
  throw new Problem(
    'precondition_failed',
    `${posture.vault.vaultName} is immutable (${posture.security.immutability}), where Azure lowers no retention: ${lost.join('; ') || 'a rule of it would go, or count less'}.`,
    'Keep the retention at least as long as it is; schedules may change, and retention may grow.',
    { details: { lost } },
  )
}

const isSafe = 'recovery points there are: none expires sooner'

const planOf = (change: Change, body: Fields, warnings: readonly string[]): Plan => {
  const { name, id, before, after, posture, count, users } = change
  const lost = retentionLost(before, after)
  const fewer = fewerBackups(before, after)
  const isUnchanged = isDeepStrictEqual(before, after)
  const isGuarded = lost.length > 0 || fewer.length > 0 || isRetentionLowered(before, after)
  const sent = isGuarded ? withGuard(after, posture, 'updateProtectionPolicyRequests') : after
  const [was, is] = [policyLines(before).summary, policyLines(after).summary]
  const under = count === 0 ? 'no item follows it' : `${followers(change)} ${count === 1 ? 'follows' : 'follow'} it`
  return {
    summary: isUnchanged
      ? `The policy ${name} of ${posture.vault.vaultName} is as asked already: ${is}.`
      : `Change the policy ${name} of ${posture.vault.vaultName} from "${was}" to "${is}"; ${under}.`,
    requests: isUnchanged
      ? []
      : [
          {
            method: 'PUT',
            path: id,
            body: { properties: sent },
            before: { kind: 'present', body },
            isDone: after =>
              after.kind === 'present' &&
              isDeepStrictEqual(policyMeaning(fields(fields(after.body).properties)), policyMeaning(settable(sent))),
          },
        ],
    keeps: [...(lost.length === 0 || count === 0 ? [isSafe] : []), ...fewer.map(words => `from now on ${words}`)],
    loses: count === 0 ? [] : lost.map(words => `of ${followers(change)}: ${words}; what is older then is deleted`),
    posture,
    itemId: id,
    basis: [before, count, users],
    warnings,
  }
}

const readChange = async (input: UpdatePolicyInput, vault: VaultRef, context: ToolContext) => {
  const name = nameIn(input.policy_name)
  const [body, posture] = await Promise.all([readPolicy(name, vault, context), postureOf(vault, context)])
  const given = fields(body.properties)
  const before = settable(given)
  const { properties, warnings } = wantedOf(input, before)
  const policyName = text(body.name) ?? name
  const count = userCount(given)
  const users = count === 0 ? [] : await usersOf(policyName, mostNamed, vault, context)
  const change: Change = {
    name: policyName,
    id: text(body.id) ?? `${vault.id}/backupPolicies/${policyName}`,
    before,
    after: settable(properties),
    posture,
    count: count ?? users.length,
    users,
  }
  checkAllowed(change)
  return { change, plan: planOf(change, body, warnings) }
}

const messageOf = (status: string, plan: Plan, count: number): string | undefined => {
  if (status === 'planned') return undefined
  if (plan.requests.length === 0) return 'The policy says that already; nothing was sent to Azure.'
  if (count === 0) return 'The policy is changed.'
  const items = plural(count, 'items')
  return status === 'in_progress'
    ? `Azure is putting ${items} under the changed policy.`
    : `The policy is changed, and ${items} under it.`
}

const updatePolicy: Handlers['update_policy'] = async (input, context) => {
  const given = input.policy_name
  checkAll(
    () => nameIn(given),
    () => checkVault(input.vault, context),
    () => checkWords(input),
  )
  return withVaultOf('policy_name', given, input.vault, context, async vault => {
    const startMs = context.clock.monotonic()
    const { change, plan } = await readChange(input, vault, context)
    const done = await carryOut('update_policy', input, context, plan, usualWaitSeconds)
    const passedSeconds = (context.clock.monotonic() - startMs) / 1000
    const leftSeconds = Math.max(0, (input.wait_seconds ?? usualWaitSeconds) - passedSeconds)
    const changed = await alignmentOf(done, vault, leftSeconds, context)
    const message = messageOf(changed.status, plan, change.count)
    return {
      ...changed,
      ...(message === undefined ? {} : { message }),
      vault_name: vault.vaultName,
      item_id: plan.itemId,
      id: plan.itemId,
      policy_name: change.name,
      summary: policyLines(change.after).summary,
      previous_summary: policyLines(change.before).summary,
      protected_items_count: change.count,
    }
  })
}

export const policyChanges = { update_policy: updatePolicy } satisfies Partial<Handlers>
