/** What Azure refuses in a policy, by what the policy is for (section 5.6 of the wire facts). */
import { type Fields, fields, number } from '../backup/fields.ts'
import { durationOf, rulesOf, type Schedule, scheduleOf } from '../backup/policy-shape.ts'
import { checkDatabases } from './policy-databases.ts'
import {
  check,
  invalidInput,
  invalidRetention,
  isIn,
  isLongTerm,
  isTiered,
  type Plan,
  planOf,
  planRows,
  type Row,
  snapshotLimits,
  vaultLimits,
} from './policy-plans.ts'
import { Refusal } from './refusal.ts'
import { rowNamed } from './words.ts'

const notUnderstood = (): Refusal =>
  new Refusal(400, 'UserErrorInvalidRequestParameter', 'Parameter NO_PARAM in request is invalid.')

const mostSnapshots = 200

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

const checks: Readonly<Record<string, (given: Fields) => void>> = {
  AzureIaasVM: checkVm,
  AzureStorage: checkShare,
  AzureWorkload: checkDatabases,
}

/** Throws the Refusal that Azure has for a policy's `properties`; times are plain, and what it leaves out is filled in. */
export const checkPolicy = (properties: Fields): void => {
  const checkIt = rowNamed(checks, String(properties.backupManagementType))
  if (!checkIt) throw notUnderstood()
  checkIt(properties)
}
