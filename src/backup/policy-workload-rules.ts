/** Rules that policies of one workload have (section 5.6 of the wire facts). */
import { and, plural } from './phrases.ts'
import type { PolicyPart } from './policy-parts.ts'
import {
  byMonth,
  isBetween,
  isIn,
  isLog,
  isLongTerm,
  isVm,
  type Range,
  type Rule,
  range,
  runsWeekly,
} from './policy-rule.ts'
import { inDays } from './policy-shape.ts'

const instantDays = ({ isEnhanced, schedule }: PolicyPart): Range => {
  if (isEnhanced) return [1, 30]
  return schedule.frequency === 'Weekly' ? [5, 5] : [1, 5]
}

const vmRules: readonly Rule[] = [
  {
    applies: part => isVm(part) && part.snapshotDays !== null,
    check: part => [!isIn(instantDays(part), part.snapshotDays) && '/instant_restore_days'],
    message: part =>
      `must be ${range(instantDays(part))}${part.isEnhanced ? '' : ' in a standard policy'}${!part.isEnhanced && runsWeekly(part) ? ' that runs weekly' : ''}`,
    source: 'D',
  },
  {
    applies: part => isVm(part) && part.isEnhanced && runsWeekly(part) && part.isTiered,
    check: part => [byMonth(part).length > 0 && '/archive_after_days'],
    message: 'is refused in an enhanced policy that runs weekly and keeps months or years',
    source: 'I',
  },
]

const mostSnapshots = 200
const snapshotRange: Range = [1, 200]

/** The snapshots that a share has at a time. */
const snapshots = ({ schedule: { hourly }, terms }: PolicyPart): number => {
  const perDay = hourly && hourly.interval > 0 ? Math.floor(hourly.hours / hourly.interval) + 1 : 1
  return terms.reduce((sum, { name, given }) => sum + (given?.count ?? 0) * (name === 'daily' ? perDay : 1), 0)
}

const shareRules: readonly Rule[] = [
  {
    applies: ({ isSnapshot }) => isSnapshot,
    check: part => [snapshots(part) > mostSnapshots && 'retention'],
    message: part => `keeps ${snapshots(part)} snapshots of a share at a time; Azure keeps ${mostSnapshots} at most`,
    source: 'D',
  },
  {
    applies: ({ workload, isSnapshot }) => workload === 'AzureFileShare' && !isSnapshot,
    check: ({ snapshotDays }) => [!isIn(snapshotRange, snapshotDays) && '/snapshotRetentionInDays'],
    message: `must be ${range(snapshotRange)}`,
    source: 'D',
  },
]

const simpleDays: Readonly<Record<string, Range>> = { Log: [7, 35], Differential: [7, 180], Incremental: [7, 180] }
const rangeOf = ({ backupType }: PolicyPart): Range => simpleDays[backupType ?? ''] ?? [7, 180]
const isSimple = (part: PolicyPart): boolean => isBetween(part) || isLog(part)
const logMinutes = [15, 30, 60, 120, 240, 480, 720, 1440]

const fullOf = (parts: readonly PolicyPart[]): PolicyPart | undefined =>
  parts.find(({ backupType }) => backupType === 'Full')
/** How long the chain stands that differentials and logs need: as its most frequent full backup does. */
const fullDays = (parts: readonly PolicyPart[]): number => {
  const base = fullOf(parts)?.terms[0]?.given
  return base ? inDays(base) : 0
}
const isFullWeekly = (parts: readonly PolicyPart[]): boolean => fullOf(parts)?.schedule.frequency === 'Weekly'

const databaseRules: readonly Rule[] = [
  {
    applies: ({ backupType, workload }) => backupType === 'Incremental' && workload !== 'SAPHana',
    check: () => [''],
    message: 'is for SAP HANA; other databases have differential',
    source: 'D',
  },
  {
    applies: isBetween,
    check: ({ backupType }, parts) => [parts.find(isBetween)?.backupType !== backupType && ''],
    message: 'stands beside another part between full backups: differential or incremental, not both',
    source: 'D',
  },
  {
    applies: isBetween,
    check: (_, parts) => [!isFullWeekly(parts) && ''],
    message: 'needs full backups that run weekly',
    source: 'D',
  },
  {
    applies: isBetween,
    check: ({ schedule }) => [schedule.frequency !== 'Weekly' && 'schedule/frequency'],
    message: 'must be weekly, with the days',
    source: 'D',
  },
  {
    applies: part => isBetween(part) && part.schedule.frequency === 'Weekly',
    check: ({ schedule }) => [schedule.days.length === 0 && 'schedule/days'],
    message: 'is needed: the days on which it runs',
    source: 'D',
  },
  {
    applies: isBetween,
    check: ({ schedule }, parts) => [
      schedule.days.some(day => fullOf(parts)?.schedule.days.includes(day)) && 'schedule/days',
    ],
    message: (_, parts) => `must not be days of the full backup: ${and(fullOf(parts)?.schedule.days ?? [])}`,
    source: 'D',
  },
  {
    applies: isLog,
    check: part => [!logMinutes.includes(part.logMinutes ?? 0) && 'frequency_minutes'],
    message: `must be one of ${logMinutes.join(', ')}`,
    source: 'D',
  },
  {
    applies: isSimple,
    check: ({ simple }) => [simple !== undefined && simple.unit !== 'Days' && 'retention_days'],
    message: 'must count in days',
    source: 'D',
  },
  {
    applies: isSimple,
    check: part => [!isIn(rangeOf(part), part.simple?.count) && 'retention_days'],
    message: part => `must be ${range(rangeOf(part))}`,
    source: 'D',
  },
  {
    applies: part => isSimple(part) && isIn(rangeOf(part), part.simple?.count),
    check: ({ simple }, parts) => [
      simple !== undefined && fullOf(parts) !== undefined && inDays(simple) > fullDays(parts) && 'retention_days',
    ],
    message: (_, parts) => `must be no more than the ${plural(fullDays(parts), 'days')} that full backups are kept`,
    source: 'I',
  },
  {
    applies: part => part.workload === 'SQL' && isLongTerm(part) && runsWeekly(part),
    check: ({ isTiered }) => [isTiered && '/archive_after_days'],
    message: 'is refused for SQL databases whose full backup runs weekly',
    source: 'I',
  },
]

export const workloadRules: readonly Rule[] = [...vmRules, ...shareRules, ...databaseRules]
