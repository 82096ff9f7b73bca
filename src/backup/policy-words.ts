/**
 * Policies in words: presets, parts that override them, and the body that Azure takes. The same words always make the same
 * body. A policy in words that breaks a rule of Azure's is refused here, with all that is wrong with it; a raw policy is
 * passed on, with the rules that it breaks as warnings.
 */
import type { CreatePolicyInput } from '../generated/tools.ts'
import { isObject } from '../rpc/messages.ts'
import { badArgument, type Fault, InputError } from '../tools/input-error.ts'
import type { Workload } from './datasources.ts'
import { type Fields, fields } from './fields.ts'
import { bodyOf, versionOf } from './policy-body.ts'
import { overlaid } from './policy-overlay.ts'
import { workloadOfPolicy } from './policy-parts.ts'
import { presets } from './policy-presets.ts'
import { brokenRules } from './policy-rules.ts'
import { wordFaults } from './policy-word-faults.ts'

/** A policy as a caller says it: a preset, parts, or Azure's own properties (`policy`). */
export type PolicyWords = Pick<
  CreatePolicyInput,
  | 'workload_type'
  | 'preset'
  | 'policy_type'
  | 'schedule'
  | 'retention'
  | 'instant_restore_days'
  | 'archive_after_days'
  | 'full'
  | 'differential'
  | 'incremental'
  | 'log'
  | 'compression'
  | 'policy'
>

/** The words but those that stand for others. */
export type PolicyParts = Omit<PolicyWords, 'preset' | 'policy' | 'workload_type'>

export interface PolicyBody {
  /** Of the ARM resource. */
  properties: Fields
  /** Sentences: what was decided, and rules that a raw policy breaks. */
  warnings: string[]
}

const rawOf = (policy: PolicyWords['policy']): Fields => {
  const given = fields(policy)
  return isObject(given.properties) ? fields(given.properties) : given
}

/**
 * The workload that the words are for; undefined for a raw policy of something that this server has no rules for. Throws
 * InputError where they do not say one, or two.
 */
export const policyWorkload = (words: PolicyWords): Workload | undefined => {
  const { workload_type: told, preset, policy } = words
  if (policy) return policyFor(workloadOfPolicy(rawOf(policy)), told, 'policy')
  if (preset) return policyFor(presets[preset].workload, told, `preset ${preset}`)
  if (told) return told
  throw badArgument('workload_type', 'is needed where neither a preset nor a raw policy is given')
}

const policyFor = (workload: Workload | undefined, told: Workload | undefined, by: string): Workload | undefined => {
  if (told && workload && told !== workload)
    throw badArgument('workload_type', `is ${told}, but ${by} is for ${workload}; leave one of them out`)
  return workload ?? told
}

const wordNames = [
  'preset',
  'policy_type',
  'schedule',
  'retention',
  'instant_restore_days',
  'archive_after_days',
  'full',
  'differential',
  'incremental',
  'log',
  'compression',
] as const satisfies readonly (keyof PolicyWords)[]

const rawBody = (words: PolicyWords): PolicyBody => {
  const beside = wordNames.filter(name => words[name] !== undefined)
  if (beside.length > 0)
    throw new InputError(
      beside.map(name => ({ path: `/${name}`, message: 'stands beside a raw policy, which is whole; leave it out' })),
    )
  const properties = rawOf(words.policy)
  const warnings = brokenRules(properties).map(
    ({ place, message }) => `The raw policy may be refused: ${place.replaceAll('/', ' ')} ${message}.`,
  )
  return { properties, warnings }
}

/** Throws InputError where the words say another workload than the policy is for. */
const checkWorkload = (words: PolicyWords, workload: Workload | undefined): void => {
  const { workload_type, preset, policy } = words
  const told = workload_type || preset || policy ? policyWorkload(words) : workload
  if (told === workload) return
  const name = policy ? 'policy' : preset ? 'preset' : 'workload_type'
  throw badArgument(name, `is for ${told ?? 'no known workload'}, not for ${workload ?? 'the workload of the policy'}`)
}

/** Faults of the body, but those that come of a fault that was told already. */
const consequent = (told: readonly Fault[], properties: Fields): Fault[] =>
  brokenRules(properties)
    .map(({ place, message }) => ({ path: `/${place}`, message }))
    .filter(({ path }) => !told.some(fault => `${path}/`.startsWith(`${fault.path}/`)))

/**
 * The properties that the words make, for a workload (see `policyWorkload`). Throws InputError with every fault: parts that the
 * workload lacks, parts that are missing, and the rules of section 5.6 of the wire facts.
 */
export const policyBody = (words: PolicyWords, workload: Workload | undefined): PolicyBody => {
  checkWorkload(words, workload)
  if (words.policy || workload === undefined) return rawBody(words)
  const parts = words.preset ? overlaid(presets[words.preset].words, words) : words
  const { isEnhanced, why } = versionOf(parts, workload)
  const properties = bodyOf(parts, workload, isEnhanced)
  const first = wordFaults(parts, workload)
  const faults = [...first, ...consequent(first, properties)]
  if (faults.length > 0) throw new InputError(faults)
  return { properties, warnings: why === undefined ? [] : [`It is an enhanced policy, because ${why}.`] }
}
