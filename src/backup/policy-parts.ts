/**
 * A policy's `properties` taken apart into what its rules are about: a policy of VMs or shares is one part, one of databases
 * has a part for each type of backup. What cannot be read is as if it were not there.
 */
import { sameText } from './arm-ids.ts'
import { type Workload, workloadOf } from './datasources.ts'
import { type Fields, fields, list, number, text, texts } from './fields.ts'
import { type Duration, durationOf, rulesOf, type Schedule, scheduleOf } from './policy-shape.ts'

type TermName = 'daily' | 'weekly' | 'monthly' | 'yearly'

/** A rule of a long-term retention. */
export interface Term {
  name: TermName
  /** What its count is called: days, weeks, months, years. */
  unit: string
  given: Duration | undefined
  /** `HH:MM` */
  times: string[]
  /** Of a weekly rule. */
  days: string[]
  format: string | null
  weekdays: string[]
  weeks: string[]
  /** Days of the month, the last one too. */
  dates: number
  months: string[]
}

export interface PolicyPart {
  workload: Workload | undefined
  /** Azure's word for the type of backup; null where a policy has one part. */
  backupType: string | null
  /** Where it stands in the words of a policy: '' or `full/`. */
  at: string
  isEnhanced: boolean
  schedule: Schedule
  terms: Term[]
  /** The retention of a part that is kept for one time. */
  simple: Duration | undefined
  logMinutes: number | null
  /** Kept as snapshots only, as shares are. */
  isSnapshot: boolean
  /** Snapshots of a VM for instant restore, or of a share that goes to the vault too. */
  snapshotDays: number | null
  isTiered: boolean
}

/** `HH:MM` of a time that Azure writes as a date; the text itself where it is none. */
export const clockOf = (time: string): string => /T(\d\d:\d\d)/.exec(time)?.[1] ?? time

const termNames = {
  dailySchedule: 'daily',
  weeklySchedule: 'weekly',
  monthlySchedule: 'monthly',
  yearlySchedule: 'yearly',
} as const

const termsOf = (retention: unknown): Term[] =>
  rulesOf(fields(retention)).map(({ rule, unit, given }) => {
    const weekly = fields(given.retentionScheduleWeekly)
    return {
      name: termNames[rule],
      unit: unit.toLowerCase(),
      given: durationOf(given),
      times: texts(given.retentionTimes).map(clockOf),
      days: texts(given.daysOfTheWeek),
      format: text(given.retentionScheduleFormatType),
      weekdays: texts(weekly.daysOfTheWeek),
      weeks: texts(weekly.weeksOfTheMonth),
      dates: list(fields(given.retentionScheduleDaily).daysOfTheMonth).length,
      months: texts(given.monthsOfYear),
    }
  })

const isTiered = (raw: unknown): boolean =>
  !['', 'DoNotTier'].includes(text(fields(fields(raw).ArchivedRP).tieringMode) ?? '')

const partOf = (raw: Fields, workload: Workload | undefined): PolicyPart => {
  const backupType = text(raw.policyType)
  const isOfDatabases = workload !== 'VM' && workload !== 'AzureFileShare'
  const vaulted = raw.vaultRetentionPolicy === undefined ? undefined : fields(raw.vaultRetentionPolicy)
  const retention = vaulted ? vaulted.vaultRetention : raw.retentionPolicy
  return {
    workload,
    backupType: isOfDatabases ? (backupType ?? '') : null,
    at: isOfDatabases && backupType ? `${backupType.toLowerCase()}/` : '',
    isEnhanced: backupType === 'V2',
    schedule: scheduleOf(raw.schedulePolicy),
    terms: termsOf(retention),
    simple: durationOf(retention),
    logMinutes: number(fields(raw.schedulePolicy).scheduleFrequencyInMins),
    isSnapshot: workload === 'AzureFileShare' && vaulted === undefined,
    snapshotDays: number(vaulted ? vaulted.snapshotRetentionInDays : raw.instantRpRetentionRangeInDays),
    isTiered: isTiered(raw.tieringPolicy),
  }
}

/** The workload that a policy is for, by its own words; undefined for those that the rules do not know. */
export const workloadOfPolicy = ({ backupManagementType, workLoadType }: Fields): Workload | undefined => {
  const managementType = text(backupManagementType)
  const word = sameText(managementType, 'AzureWorkload') ? text(workLoadType) : managementType
  return workloadOf(word, managementType)
}

/** The parts of a policy; of databases in Azure's order. */
export const partsOf = (properties: Fields): PolicyPart[] => {
  const workload = workloadOfPolicy(properties)
  return sameText(text(properties.backupManagementType), 'AzureWorkload')
    ? list(properties.subProtectionPolicy).map(part => partOf(part, workload))
    : [partOf(properties, workload)]
}
