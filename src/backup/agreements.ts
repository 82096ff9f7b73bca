/**
 * A person's word for a plan that can lose something: asked for through the client, or given by the string that stands for
 * the plan.
 */
import type { ToolName } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Claim } from '../tools/confirmations.ts'
import { PlanAgain, type ToolContext } from '../tools/context.ts'
import { needsConfirmation, type Plan, planSubject, planWords, shownPlan } from './plans.ts'

export const subjectOf = async (tool: ToolName, context: ToolContext, plan: Plan) => ({
  tool,
  account: await accountOf(context),
  plan: planSubject(plan, context),
})

/** Who is signed in: a string that one account was given confirms nothing for another. */
const accountOf = async ({ signIn, signal }: ToolContext): Promise<string> => {
  if (signIn === undefined || signIn === 'simulated') return signIn ?? 'replay'
  const { used } = await signIn.describe(signal)
  return [used?.method, used?.tenantId, used?.account].join(' ')
}

export const takesString = ({ loaded }: ToolContext, plan: Plan): boolean =>
  needsConfirmation(plan) && !['off', 'elicit_only'].includes(loaded.config.confirmation)

/**
 * Asks for a person's word where the plan needs one. Throws where there is none, and PlanAgain where there is now: the plan
 * is then made anew, and the question is asked again where it differs.
 */
export const agreed = async (
  tool: ToolName,
  given: string | undefined,
  context: ToolContext,
  plan: Plan,
): Promise<Claim | undefined> => {
  const mode = context.loaded.config.confirmation
  if (!needsConfirmation(plan) || mode === 'off') return undefined
  if (mode !== 'argument') {
    const asked = JSON.stringify(planSubject(plan, context))
    if (context.consent.subject === asked) return undefined
    const answer = await context.elicit({ message: planWords(plan) })
    if (answer === 'accepted') {
      context.consent.subject = asked
      throw new PlanAgain()
    }
    if (answer !== 'unsupported') throw declined(answer)
    if (mode === 'elicit_only') throw cannotAsk(plan, context)
  }
  const subject = await subjectOf(tool, context, plan)
  if (given === undefined) throw await refusal('nobody has agreed to it yet', subject, plan, context)
  const claim = await context.confirmations.claim(given, subject)
  if ('refused' in claim) throw await refusal(claim.refused, subject, plan, context)
  return claim
}

const declined = (answer: 'declined' | 'cancelled'): Problem =>
  new Problem(
    'cancelled',
    `The user ${answer === 'declined' ? 'said no to the plan' : 'gave no answer to the plan'}; nothing was sent to Azure.`,
    'Do not call again unless the user asks for it.',
  )

const cannotAsk = (plan: Plan, context: ToolContext): Problem =>
  new Problem(
    'confirmation_required',
    `${plan.summary} This needs the user's word, and this client cannot ask for it; nothing was sent to Azure.`,
    'Use a client that supports elicitation, or set confirmation = "elicit" to allow a string instead.',
    { details: { plan: shownPlan(plan, context) } },
  )

const refusal = async (
  why: string,
  subject: Awaited<ReturnType<typeof subjectOf>>,
  plan: Plan,
  context: ToolContext,
): Promise<Problem> =>
  new Problem(
    'confirmation_required',
    `${plan.summary} This needs the user's word: ${why}. Nothing was sent to Azure.`,
    'Show the user what details.plan loses and keeps. After they agree, call again with the same arguments and confirm set to details.confirmation; it holds for ten minutes.',
    {
      details: {
        plan: shownPlan(plan, context),
        confirmation: await context.confirmations.issue(subject),
      },
    },
  )
