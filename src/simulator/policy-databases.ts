/** What Azure refuses in a policy of databases (section 5.6 of the wire facts). */
import { type Fields, fields, list, number, text } from '../backup/fields.ts'
import { type Duration, durationOf, inDays, rulesOf, scheduleOf } from '../backup/policy-shape.ts'
import {
  check,
  invalidInput,
  invalidRetention,
  isIn,
  isTiered,
  planOf,
  planRows,
  type Row,
  runsOnce,
  vaultLimits,
} from './policy-plans.ts'

interface Workload {
  workload: string
  full: Fields | undefined
  /** Differential or incremental. */
  between: Fields[]
  logs: Fields[]
  types: string[]
}

const workloadOf = ({ workLoadType, subProtectionPolicy }: Fields): Workload => {
  const parts = list(subProtectionPolicy)
  const typed = (...types: string[]) => parts.filter(({ policyType }) => types.includes(String(policyType)))
  return {
    workload: text(workLoadType) ?? '',
    full: typed('Full')[0],
    between: typed('Differential', 'Incremental'),
    logs: typed('Log'),
    types: parts.map(({ policyType }) => String(policyType)),
  }
}

const backupTypes = 'Full Differential Log CopyOnlyFull Incremental SnapshotFull SnapshotCopyOnlyFull'.split(' ')
const logMinutes = [15, 30, 60, 120, 240, 480, 720, 1440]
const simple = (part: Fields): Duration => durationOf(part.retentionPolicy) ?? { count: 0, unit: 'Days' }
/** The shortest rule: what a chain stands on. */
const baseDays = (full: Fields | undefined): number => {
  const [base] = rulesOf(fields(full?.retentionPolicy))
  return base ? inDays(durationOf(base.given) ?? { count: 0, unit: 'Days' }) : 0
}

const workloadRows: readonly Row<Workload>[] = [
  [
    'it is for a database',
    'S',
    ({ workload }) => !['SQLDataBase', 'SAPHanaDatabase', 'SAPAseDatabase', 'SAPHanaDBInstance'].includes(workload),
    invalidInput,
  ],
  [
    'there is one full backup, and no part twice, or of a type that there is not',
    'S',
    ({ workload, full, types }) =>
      types.length === 0 ||
      types.some(type => !backupTypes.includes(type)) ||
      new Set(types).size !== types.length ||
      (!full && workload !== 'SAPHanaDBInstance'),
    invalidInput,
  ],
  [
    'incremental backups are for SAP HANA',
    'D',
    ({ workload, types }) => workload !== 'SAPHanaDatabase' && types.includes('Incremental'),
    invalidInput,
  ],
  ['differential or incremental, not both', 'D', ({ between }) => between.length > 1, invalidInput],
  [
    'logs run every 15 minutes to every day',
    'D',
    ({ logs }) =>
      logs.some(
        ({ schedulePolicy }) => !logMinutes.includes(number(fields(schedulePolicy).scheduleFrequencyInMins) ?? 0),
      ),
    invalidInput,
  ],
  [
    'a differential takes a weekly full, and another day',
    'D',
    ({ full, between }) => {
      const fulls = scheduleOf(full?.schedulePolicy)
      return between.some(({ schedulePolicy }) => {
        const { days } = scheduleOf(schedulePolicy)
        return fulls.frequency !== 'Weekly' || days.length === 0 || days.some(day => fulls.days.includes(day))
      })
    },
    invalidInput,
  ],
  [
    'a full does not run hourly, and what is between runs at a time of day',
    'D',
    ({ full, between }) =>
      scheduleOf(full?.schedulePolicy).frequency === 'Hourly' ||
      between.some(({ schedulePolicy }) => !runsOnce(scheduleOf(schedulePolicy))),
    invalidInput,
  ],
  [
    'the parts between are kept in days',
    'D',
    ({ between, logs }) => [...between, ...logs].some(part => simple(part).unit !== 'Days'),
    invalidInput,
  ],
  [
    'a full by weeks is not tiered in SQL',
    'I',
    ({ workload, full }) =>
      workload === 'SQLDataBase' &&
      scheduleOf(full?.schedulePolicy).frequency === 'Weekly' &&
      isTiered(full?.tieringPolicy),
    invalidInput,
  ],
  [
    'logs are kept 7 to 35 days',
    'D',
    ({ logs }) => logs.some(part => !isIn([7, 35], simple(part).count)),
    invalidRetention,
  ],
  [
    'differentials are kept 7 to 180 days',
    'D',
    ({ between }) => between.some(part => !isIn([7, 180], simple(part).count)),
    invalidRetention,
  ],
  [
    'a full outlives what needs it',
    'I',
    ({ full, between, logs }) =>
      full !== undefined && [...between, ...logs].some(part => inDays(simple(part)) > baseDays(full)),
    invalidRetention,
  ],
]

/** Throws Refusal. */
export const checkDatabases = (given: Fields): void => {
  const workload = workloadOf(given)
  check(workloadRows, workload)
  if (workload.full) check(planRows, planOf(workload.full, vaultLimits))
}
