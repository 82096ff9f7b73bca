import { missingSetting } from '../config/errors.ts'
import { nearest } from '../nearest.ts'
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { isGuid, sameText } from './arm-ids.ts'
import { fields, list, text } from './fields.ts'

const lifetimeMs = 30 * 60_000

export interface Subscription {
  subscriptionId: string
  name: string
}

/** The subscriptions that the account sees, by id. Remembered for half an hour, or until they do not suffice. */
export const allSubscriptions = (
  { arm, memory }: ToolContext,
  suffices?: (known: Subscription[]) => boolean,
): Promise<Subscription[]> => {
  const load = async () => {
    const found: Subscription[] = []
    for await (const { rows } of arm.pages('/subscriptions'))
      for (const row of list(rows))
        found.push({ subscriptionId: text(row.subscriptionId) ?? '', name: text(row.displayName) ?? '' })
    return found
      .filter(({ subscriptionId }) => isGuid(subscriptionId))
      .sort((a, b) => a.subscriptionId.localeCompare(b.subscriptionId))
  }
  return memory.recall('subscriptions', lifetimeMs, load, suffices)
}

/** A subscription's id, from an id (no call) or a display name (one list call, remembered). */
export const subscriptionId = async (given: string, context: ToolContext): Promise<string> => {
  if (isGuid(given)) return given
  const isMeant = ({ name }: Subscription) => sameText(name, given)
  const all = await allSubscriptions(context, known => known.some(isMeant))
  const found = all.filter(isMeant)
  if (found.length === 1 && found[0]) return found[0].subscriptionId
  const candidates = found.length > 0 ? found : all
  const meant = nearest(
    given,
    all.map(({ name }) => name),
  )
  const details = {
    candidates: candidates.slice(0, 20).map(({ subscriptionId, name }) => ({ subscription_id: subscriptionId, name })),
  }
  if (found.length > 1)
    throw new Problem('ambiguous', `${found.length} subscriptions are named "${given}".`, 'Name it by its id.', {
      details,
    })
  throw new Problem(
    'not_found',
    `No subscription named "${given}" is visible to this account.`,
    `${meant ? `Did you mean "${meant}"? ` : ''}Use one of the candidates, by name or id, or sign in with an account that can see it.`,
    { details },
  )
}

/** The configured subscription's id. Throws `not_configured` where there is none. */
export const configuredSubscription = (context: ToolContext): Promise<string> => {
  const given = context.loaded.config.subscription
  if (given === undefined) throw missingSetting('subscription')
  return subscriptionId(given, context)
}

/** Fields of one subscription, as `test_connection` shows them. */
export const readSubscription = async (
  id: string,
  { arm }: ToolContext,
): Promise<Subscription & { tenantId: string | null }> => {
  const body = fields(await arm.getResource(`/subscriptions/${id}`))
  return { subscriptionId: id, name: text(body.displayName) ?? id, tenantId: text(body.tenantId) }
}
