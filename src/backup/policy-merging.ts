/**
 * Parts of a policy over what is there. Two bodies are made, of the policy's own words and of those with the parts over
 * them; only where these differ is Azure's body changed, so that what there are no words for stays.
 */
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../rpc/messages.ts'
import { badArgument, type Fault, InputError } from '../tools/input-error.ts'
import type { Workload } from './datasources.ts'
import { type Fields, fields, text } from './fields.ts'
import { bodyOf } from './policy-body.ts'
import { overlaid } from './policy-overlay.ts'
import { wordsOf } from './policy-reading.ts'
import { brokenRules } from './policy-rules.ts'
import { rulesOf } from './policy-shape.ts'
import { wordFaults } from './policy-word-faults.ts'
import type { PolicyParts } from './policy-words.ts'

const typeOf = (part: Fields): string => text(part.policyType) ?? ''

const isOfParts = (value: unknown): value is Fields[] =>
  Array.isArray(value) && value.every(part => isObject(part) && typeOf(part) !== '')

/** `there`, changed where `next` differs from `was`. */
const changed = (there: unknown, was: unknown, next: unknown): unknown => {
  if (isDeepStrictEqual(was, next)) return there
  if (isOfParts(there) && isOfParts(was) && isOfParts(next)) {
    const types = [...new Set([...there, ...next].map(typeOf))]
    const typed = (parts: readonly Fields[], type: string) => parts.find(part => typeOf(part) === type)
    return types.flatMap(type => changed(typed(there, type), typed(was, type), typed(next, type)) ?? [])
  }
  if (!isObject(there) || !isObject(was) || !isObject(next)) return next
  const names = [...new Set([...Object.keys(there), ...Object.keys(next)])]
  const entries = names.map(name => [name, changed(there[name], was[name], next[name])] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** Shares that go to the vault have their retention elsewhere than words put it. */
const placedLike = (there: Fields, made: Fields): Fields => {
  if (fields(there.vaultRetentionPolicy).vaultRetention === undefined) return made
  const { retentionPolicy, ...rest } = made
  return { ...rest, vaultRetentionPolicy: { vaultRetention: retentionPolicy } }
}

/** Azure fills in the times of shares that are backed up hourly; those of another window would be wrong. */
const timesLeftToAzure = (retention: Fields): Fields => ({
  ...retention,
  ...Object.fromEntries(rulesOf(retention).map(({ rule, given }) => [rule, { ...given, retentionTimes: null }])),
})

const withRightTimes = (there: Fields, made: Fields): Fields => {
  const isHourlyShare =
    there.backupManagementType === 'AzureStorage' && fields(made.schedulePolicy).scheduleRunFrequency === 'Hourly'
  if (!isHourlyShare || isDeepStrictEqual(there.schedulePolicy, made.schedulePolicy)) return made
  return made.retentionPolicy === undefined
    ? made
    : { ...made, retentionPolicy: timesLeftToAzure(fields(made.retentionPolicy)) }
}

const isIn = (faults: readonly Fault[], fault: Fault): boolean =>
  faults.some(({ path, message }) => path === fault.path && message === fault.message)

const ruleFaults = (properties: Fields): Fault[] =>
  brokenRules(properties).map(({ place, message }) => ({ path: `/${place}`, message }))

/**
 * `properties` of a policy with those parts. Throws InputError with every fault that the parts bring; what was unusual
 * before is none.
 */
export const mergedPolicy = (there: Fields, parts: PolicyParts, workload: Workload | undefined): Fields => {
  if (workload === undefined)
    throw badArgument('policy', 'is needed: parts are known for VMs, databases and file shares, and this is none')
  const own = wordsOf(there, workload)
  const words = overlaid(own, parts)
  const make = (of: PolicyParts) => placedLike(there, bodyOf(of, workload, of.policy_type === 'enhanced'))
  const made = withRightTimes(there, fields(changed(there, make(own), make(words))))
  const before = [...wordFaults(own, workload), ...ruleFaults(there)]
  const first = wordFaults(words, workload).filter(fault => !isIn(before, fault))
  const consequent = ruleFaults(made).filter(
    fault => !isIn(before, fault) && !first.some(({ path }) => `${fault.path}/`.startsWith(`${path}/`)),
  )
  const faults = [...first, ...consequent]
  if (faults.length > 0) throw new InputError(faults)
  return made
}
