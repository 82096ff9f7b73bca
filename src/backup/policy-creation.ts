/** Policies made (section 5 of the wire facts). A change of one that is there is another tool's. */
import { isDeepStrictEqual } from 'node:util'
import type { Standing } from '../arm/arm.ts'
import type { CreatePolicyInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { badArgument, checkAll } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { type Fields, fields, text } from './fields.ts'
import type { Plan } from './plans.ts'
import { policyFacts, policyTypeOf } from './policies.ts'
import { usualInstantDays } from './policy-effects.ts'
import { policyLines } from './policy-lines.ts'
import { workloadOfPolicy } from './policy-parts.ts'
import { type PolicyBody, policyBody, policyWorkload } from './policy-words.ts'
import { postureOf } from './security.ts'
import { checkVault, withVault } from './vault-names.ts'

/** Throws InputError for what Azure takes for no name of a policy. */
const checkPolicyName = (name: string): void => {
  if (!/^[A-Za-z][A-Za-z0-9-]{2,149}$/.test(name))
    throw badArgument('policy_name', 'must be 3 to 150 letters, digits and hyphens, and begin with a letter')
}

/** What Azure fills in where a policy of VMs does not say it. */
const filled = (properties: Fields): Fields => {
  if (workloadOfPolicy(properties) !== 'VM') return properties
  return {
    ...properties,
    timeZone: properties.timeZone ?? 'UTC',
    instantRpRetentionRangeInDays: properties.instantRpRetentionRangeInDays ?? usualInstantDays(properties),
  }
}

/** What a policy says, however Azure spells it: what it was made of and what Azure gives back are the same in this. */
export const policyMeaning = (properties: Fields): unknown => [
  workloadOfPolicy(properties) ?? properties.backupManagementType,
  policyTypeOf(properties),
  policyFacts(filled(properties)),
]

const propertiesOf = (body: unknown): Fields => fields(fields(body).properties)

const isSaid = (standing: Standing, properties: Fields): boolean =>
  standing.kind === 'present' &&
  isDeepStrictEqual(policyMeaning(propertiesOf(standing.body)), policyMeaning(properties))

const readStanding = async (path: string, { arm }: ToolContext): Promise<Standing> => {
  try {
    return { kind: 'present', body: await arm.getResource(path) }
  } catch (error) {
    if (error instanceof Problem && error.httpStatus === 404) return { kind: 'absent' }
    throw error
  }
}

const taken = ({ name, id, properties }: Fields, vault: VaultRef): Problem => {
  const { summary } = policyLines(fields(properties))
  return new Problem(
    'conflict',
    `${vault.vaultName} has a policy ${name} already, and it says something else: ${summary}.`,
    'Use another name, or change that policy with recovery_services_update_policy.',
    { details: { policy_id: id, summary } },
  )
}

interface Creation {
  plan: Plan
  /** It is there already, and says the same. */
  isThere: boolean
  /** In Azure's spelling, where it is there. */
  name: string
}

const planOf = async (
  { policy_name: given }: CreatePolicyInput,
  { properties, warnings }: PolicyBody,
  vault: VaultRef,
  context: ToolContext,
): Promise<Creation> => {
  const path = `${vault.id}/backupPolicies/${given}`
  const [before, posture] = await Promise.all([readStanding(path, context), postureOf(vault, context)])
  const found = before.kind === 'present' ? fields(before.body) : {}
  const isThere = isSaid(before, properties)
  if (before.kind === 'present' && !isThere) throw taken(found, vault)
  const name = text(found.name) ?? given
  const type = policyTypeOf(properties)
  const words = `${type === null ? '' : `${type}, `}${policyLines(properties).summary}`
  const plan: Plan = {
    summary: isThere
      ? `${vault.vaultName} has the policy ${name} already, as asked: ${words}.`
      : `Create the policy ${name} in ${vault.vaultName}: ${words}.`,
    requests: isThere
      ? []
      : [{ method: 'PUT', path, body: { properties }, before, isDone: after => isSaid(after, properties) }],
    keeps: [],
    loses: [],
    posture,
    itemId: text(found.id) ?? path,
    warnings,
  }
  return { plan, isThere, name }
}

const messageOf = (status: string, isThere: boolean, name: string): string | undefined => {
  if (status === 'planned') return undefined
  if (isThere) return `The policy ${name} was there already and says the same; nothing was sent to Azure.`
  if (status === 'in_progress') return `Azure is still making the policy ${name}.`
  return `The policy ${name} is made. recovery_services_enable_protection protects items with it.`
}

const createPolicy: Handlers['create_policy'] = async (input, context) => {
  const bodyOf = () => policyBody(input, policyWorkload(input))
  checkAll(
    () => checkPolicyName(input.policy_name),
    () => checkVault(input.vault, context),
    bodyOf,
  )
  const body = bodyOf()
  return withVault(input.vault, context, async vault => {
    const { plan, isThere, name } = await planOf(input, body, vault, context)
    const { changed, body: answer } = await carryOut('create_policy', input, context, plan, 45)
    const kept = propertiesOf(answer)
    const message = messageOf(changed.status, isThere, name)
    return {
      ...changed,
      ...(message === undefined ? {} : { message }),
      vault_name: vault.vaultName,
      item_id: plan.itemId,
      id: plan.itemId,
      policy_name: name,
      summary: policyLines(kept.schedulePolicy || kept.subProtectionPolicy ? kept : body.properties).summary,
    }
  })
}

export const policyCreation = { create_policy: createPolicy } satisfies Partial<Handlers>
