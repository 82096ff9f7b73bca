/**
 * What Azure refuses in a policy: rows of a rule, where it is known from, and what breaks it (section 5.6 of the wire facts).
 * It never says which rule was broken, only that the input or a duration is wrong.
 */
import { type Fields, fields, list, number, text, texts } from '../backup/fields.ts'
import {
  type Duration,
  durationOf,
  inDays,
  type RetentionRule,
  rulesOf,
  type Schedule,
  scheduleOf,
} from './policy-parts.ts'
import { Refusal } from './refusal.ts'

const invalidInput = (): Refusal =>
  new Refusal(
    400,
    'BMSUserErrorInvalidPolicyInput',
    'Input for create or update policy is not in proper format\r\nPlease check format of parameters like schedule time, schedule days, retention time and retention days',
  )
const invalidRetention = (): Refusal =>
  new Refusal(
    400,
    'BMSUserErrorPolicyRetentionInvalid',
    'The retention duration provided in the backup policy is not supported. Verify the supported retention durations and try again. For more information, see https://aka.ms/policysupport',
  )
const notUnderstood = (): Refusal =>
  new Refusal(400, 'UserErrorInvalidRequestParameter', 'Parameter NO_PARAM in request is invalid.')

type Limits = Readonly<Record<RetentionRule, readonly [least: number, most: number]>>

const vaultLimits: Limits = {
  dailySchedule: [7, 9999],
  weeklySchedule: [1, 5163],
  monthlySchedule: [1, 1188],
  yearlySchedule: [1, 99],
}
const snapshotLimits: Limits = {
  dailySchedule: [1, 200],
  weeklySchedule: [1, 200],
  monthlySchedule: [1, 120],
  yearlySchedule: [1, 10],
}
const mostSnapshots = 200

/** A schedule with the retention of what it makes. */
interface Plan {
  schedule: Schedule
  retention: Fields
  limits: Limits
}

/** [D]: general product knowledge; [I]: reported by users; [S]: published. */
type Row<Of> = readonly [rule: string, source: 'D' | 'I' | 'S', isBroken: (of: Of) => boolean, refusal: () => Refusal]

const clock = (time: string): string => /T(\d\d:\d\d(:\d\d)?)/.exec(time)?.[1]?.slice(0, 5) ?? ''
const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && new Set([...a, ...b]).size === new Set(a).size
const isIn = ([least, most]: readonly [number, number], amount: number): boolean =>
  Number.isInteger(amount) && amount >= least && amount <= most
const has = (retention: Fields, rule: RetentionRule): boolean => rulesOf(retention).some(each => each.rule === rule)

const formats = ({ retention }: Plan) =>
  rulesOf(retention)
    .filter(({ rule }) => rule === 'monthlySchedule' || rule === 'yearlySchedule')
    .map(({ rule, given }) => {
      const weekly = fields(given.retentionScheduleWeekly)
      return {
        format: text(given.retentionScheduleFormatType),
        days: texts(weekly.daysOfTheWeek),
        weeks: texts(weekly.weeksOfTheMonth),
        dates: list(fields(given.retentionScheduleDaily).daysOfTheMonth),
        hasMonths: rule === 'monthlySchedule' || texts(given.monthsOfYear).length > 0,
      }
    })

const planRows: readonly Row<Plan>[] = [
  [
    'a schedule is daily, weekly or hourly',
    'S',
    ({ schedule }) => !['Daily', 'Weekly', 'Hourly'].includes(schedule.frequency ?? ''),
    invalidInput,
  ],
  [
    'there is one run time, on the hour or half past',
    'D',
    ({ schedule: { frequency, times } }) =>
      frequency !== 'Hourly' && (times.length !== 1 || !/^\d\d:(00|30)$/.test(clock(times[0] ?? ''))),
    invalidInput,
  ],
  [
    'the retention times are the run times',
    'D',
    ({ schedule: { frequency, times }, retention }) =>
      frequency !== 'Hourly' &&
      rulesOf(retention).some(({ given }) => !isSameSet(texts(given.retentionTimes).map(clock), times.map(clock))),
    invalidInput,
  ],
  [
    'a window is 4 to 24 hours, and a multiple of its interval of 4, 6, 8 or 12',
    'D',
    ({ schedule: { hourly } }) =>
      hourly !== undefined &&
      (![4, 6, 8, 12].includes(hourly.interval) ||
        !isIn([4, 24], hourly.hours) ||
        hourly.hours % hourly.interval !== 0 ||
        !/^\d\d:(00|30)$/.test(clock(hourly.start))),
    invalidInput,
  ],
  [
    'what runs daily is kept by days',
    'D',
    ({ schedule, retention }) => schedule.frequency !== 'Weekly' && !has(retention, 'dailySchedule'),
    invalidInput,
  ],
  [
    'what runs weekly is kept by weeks, not by days',
    'D',
    ({ schedule, retention }) =>
      schedule.frequency === 'Weekly' &&
      (schedule.days.length === 0 || has(retention, 'dailySchedule') || !has(retention, 'weeklySchedule')),
    invalidInput,
  ],
  [
    'the days that weeks keep are the days of a weekly schedule',
    'D',
    ({ schedule, retention }) =>
      rulesOf(retention).some(({ rule, given }) => {
        const days = texts(given.daysOfTheWeek)
        if (rule !== 'weeklySchedule') return false
        return schedule.frequency === 'Weekly' ? !isSameSet(days, schedule.days) : days.length === 0
      }),
    invalidInput,
  ],
  [
    'months and years name their days, which are days of the schedule; dates take a daily schedule',
    'D',
    plan =>
      formats(plan).some(({ format, days, weeks, dates, hasMonths }) => {
        if (!hasMonths) return true
        if (format === 'Daily') return plan.schedule.frequency === 'Weekly' || dates.length === 0
        if (format !== 'Weekly' || days.length === 0 || weeks.length === 0) return true
        return plan.schedule.frequency === 'Weekly' && days.some(day => !plan.schedule.days.includes(day))
      }),
    invalidInput,
  ],
  [
    'each rule counts in its own unit',
    'D',
    ({ retention }) => rulesOf(retention).some(({ unit, given }) => durationOf(given)?.unit !== unit),
    invalidInput,
  ],
  [
    'each rule keeps within its limits',
    'D',
    ({ retention, limits }) =>
      rulesOf(retention).some(({ rule, given }) => !isIn(limits[rule], durationOf(given)?.count ?? 0)),
    invalidRetention,
  ],
]

const check = <Of>(rows: readonly Row<Of>[], of: Of): void => {
  const broken = rows.find(([, , isBroken]) => isBroken(of))
  if (broken) throw broken[3]()
}

const tiering = (raw: unknown): string | null => text(fields(fields(raw).ArchivedRP).tieringMode)
const isTiered = (raw: unknown): boolean => !['', 'DoNotTier'].includes(tiering(raw) ?? '')
const isLongTerm = (retention: Fields): boolean => has(retention, 'monthlySchedule') || has(retention, 'yearlySchedule')

const planOf = (given: Fields, limits: Limits): Plan => ({
  schedule: scheduleOf(given.schedulePolicy),
  retention: fields(given.retentionPolicy),
  limits,
})

const isV2 = ({ policyType }: Fields): boolean => policyType === 'V2'

const instantDays = (given: Fields): readonly [least: number, most: number] => {
  if (isV2(given)) return [1, 30]
  return scheduleOf(given.schedulePolicy).frequency === 'Weekly' ? [5, 5] : [1, 5]
}

const vmRows: readonly Row<Fields>[] = [
  [
    'V2 has a schedule of its own kind',
    'S',
    given =>
      scheduleOf(given.schedulePolicy).type !== (isV2(given) ? 'SimpleSchedulePolicyV2' : 'SimpleSchedulePolicy'),
    invalidInput,
  ],
  [
    'V1 runs once a day at most',
    'S',
    given => !isV2(given) && scheduleOf(given.schedulePolicy).frequency === 'Hourly',
    invalidInput,
  ],
  [
    'snapshots are kept 1 to 5 days, 5 where it runs weekly, and up to 30 by V2',
    'D',
    given => !isIn(instantDays(given), number(given.instantRpRetentionRangeInDays) ?? instantDays(given)[0]),
    invalidRetention,
  ],
  [
    'V2 by weeks with long-term retention is not tiered',
    'I',
    given =>
      isV2(given) &&
      scheduleOf(given.schedulePolicy).frequency === 'Weekly' &&
      isLongTerm(fields(given.retentionPolicy)) &&
      isTiered(given.tieringPolicy),
    invalidInput,
  ],
]

const perDay = ({ hourly }: Schedule): number => (hourly ? Math.floor(hourly.hours / hourly.interval) + 1 : 1)

const shareRows: readonly Row<Plan>[] = [
  [
    'a share has no more than 200 snapshots',
    'D',
    ({ schedule, retention }) =>
      rulesOf(retention).reduce(
        (sum, { rule, given }) =>
          sum + (durationOf(given)?.count ?? 0) * (rule === 'dailySchedule' ? perDay(schedule) : 1),
        0,
      ) > mostSnapshots,
    invalidRetention,
  ],
]

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
    'there is one full backup, and no part twice',
    'S',
    ({ workload, full, types }) =>
      types.length === 0 || new Set(types).size !== types.length || (!full && workload !== 'SAPHanaDBInstance'),
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

const checkVm = (given: Fields): void => {
  check(vmRows, given)
  check(planRows, planOf(given, vaultLimits))
}

const checkShare = (given: Fields): void => {
  const { snapshotRetentionInDays, vaultRetention } = fields(given.vaultRetentionPolicy)
  if (given.vaultRetentionPolicy !== undefined) {
    check(planRows, planOf({ ...given, retentionPolicy: vaultRetention }, vaultLimits))
    if (!isIn(snapshotLimits.dailySchedule, number(snapshotRetentionInDays) ?? 0)) throw invalidRetention()
    return
  }
  const plan = planOf(given, snapshotLimits)
  check(planRows, plan)
  check(shareRows, plan)
}

const checkWorkload = (given: Fields): void => {
  const workload = workloadOf(given)
  check(workloadRows, workload)
  if (workload.full) check(planRows, planOf(workload.full, vaultLimits))
}

const checks: Readonly<Record<string, (given: Fields) => void>> = {
  AzureIaasVM: checkVm,
  AzureStorage: checkShare,
  AzureWorkload: checkWorkload,
}

/** Throws the Refusal that Azure has for a policy's `properties`; times are plain, and what it leaves out is filled in. */
export const checkPolicy = (properties: Fields): void => {
  const checkIt = checks[String(properties.backupManagementType)]
  if (!checkIt) throw notUnderstood()
  checkIt(properties)
}
