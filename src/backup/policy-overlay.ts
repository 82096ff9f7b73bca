/** Words over words: what a caller says over what a preset says. */
import type { PolicyParts } from './policy-words.ts'

type Schedule = NonNullable<PolicyParts['schedule']>
type Retention = NonNullable<PolicyParts['retention']>
type Part = NonNullable<PolicyParts['full']>

/** Of another frequency, only zone and time of day mean the same. */
const schedules = (under: Schedule = {}, over: Schedule = {}): Schedule => {
  if (over.frequency === undefined || over.frequency === under.frequency) return { ...under, ...over }
  const { time_zone, times } = under
  return {
    ...(time_zone === undefined ? {} : { time_zone }),
    ...(times === undefined || over.frequency === 'hourly' ? {} : { times }),
    ...over,
  }
}

const daysOf = ['days', 'week', 'weekday'] as const

/** A term says its day in one way: dates, or a week and a weekday. */
const terms = <Term extends object>(under: Term | undefined, over: Term | undefined): Term | undefined => {
  if (under === undefined || over === undefined) return over ?? under
  const isOther = 'days' in over || ('week' in over && 'days' in under) || ('weekday' in over && 'days' in under)
  const kept = Object.entries(under).filter(([name]) => !isOther || !daysOf.some(each => each === name))
  return { ...(Object.fromEntries(kept) as Term), ...over }
}

const retentions = (under: Retention = {}, over: Retention = {}, isWeekly: boolean): Retention => {
  const merged = {
    daily: isWeekly ? over.daily : terms(under.daily, over.daily),
    weekly: terms(under.weekly, over.weekly),
    monthly: terms(under.monthly, over.monthly),
    yearly: terms(under.yearly, over.yearly),
  }
  return Object.fromEntries(Object.entries(merged).filter(([, term]) => term !== undefined))
}

const parts = (under: Part, over: Part): Part => {
  const { schedule, retention, ...rest } = { ...under, ...over }
  if (schedule === undefined) return { ...rest, ...(retention === undefined ? {} : { retention }) }
  const merged = schedules(under.schedule, over.schedule)
  return {
    ...rest,
    schedule: merged,
    ...(retention === undefined
      ? {}
      : { retention: retentions(under.retention, over.retention, merged.frequency === 'weekly') }),
  }
}

const nested = ['full', 'differential', 'incremental', 'log'] as const

/**
 * Words with other words over them. Terms of a retention stay beside those that are given; what cannot go with the schedule
 * that is given (days kept of what runs weekly) goes.
 */
export const overlaid = (under: PolicyParts, over: PolicyParts): PolicyParts => {
  const merged: PolicyParts = { ...under, ...over, ...parts(under, over) }
  for (const name of nested) {
    const [below, above] = [under[name], over[name]]
    if (below && above) merged[name] = parts(below, above)
  }
  return merged
}
