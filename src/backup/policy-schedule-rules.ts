/** Rules of the schedules of policies (section 5.6 of the wire facts). */
import {
  isClocked,
  isHalfHour,
  isIn,
  isLongTerm,
  isVm,
  type Range,
  type Rule,
  runsHourly,
  runsWeekly,
} from './policy-rule.ts'

const windowHours: Range = [4, 24]
const isInterval = (hours: number | undefined): boolean => [4, 6, 8, 12].includes(hours ?? 0)

export const scheduleRules: readonly Rule[] = [
  {
    applies: isLongTerm,
    check: ({ schedule }) => [!/^(Hourly|Daily|Weekly)$/.test(schedule.frequency ?? '') && 'schedule/frequency'],
    message: 'is needed: daily, weekly, or hourly where the workload has it',
    source: 'S',
  },
  {
    applies: part => runsHourly(part) && part.backupType === 'Full',
    check: () => ['schedule/frequency'],
    message: 'must be daily or weekly: full backups of databases do not run hourly',
    source: 'D',
  },
  {
    applies: part => isVm(part) && runsHourly(part) && !part.isEnhanced,
    check: () => ['policy_type'],
    message: 'is standard, which runs once a day at most; an hourly schedule needs enhanced',
    source: 'S',
  },
  {
    applies: part => isVm(part) && (part.isEnhanced || !runsHourly(part)),
    check: ({ schedule: { type }, isEnhanced }) => [
      type !== (isEnhanced ? 'SimpleSchedulePolicyV2' : 'SimpleSchedulePolicy') && 'schedule',
    ],
    message: ({ isEnhanced }) =>
      isEnhanced
        ? 'must be a SimpleSchedulePolicyV2: the policy is enhanced (V2)'
        : 'must be a SimpleSchedulePolicy: the policy is standard',
    source: 'S',
  },
  {
    applies: isClocked,
    check: ({ schedule }) => [schedule.times.length !== 1 && 'schedule/times'],
    message: 'must be one time of day, like 02:00',
    source: 'D',
  },
  {
    applies: part => isClocked(part) && part.schedule.times.length === 1,
    check: ({ schedule }) => [!isHalfHour(schedule.times[0]) && 'schedule/times'],
    message: 'must be HH:MM on the hour or half past: 02:00, 22:30',
    source: 'D',
  },
  {
    applies: runsHourly,
    check: ({ schedule: { hourly } }) => [!isInterval(hourly?.interval) && 'schedule/interval_hours'],
    message: 'must be 4, 6, 8 or 12',
    source: 'D',
  },
  {
    applies: runsHourly,
    check: ({ schedule: { hourly } }) => [!isIn(windowHours, hourly?.hours) && 'schedule/window_hours'],
    message: 'must be 4 to 24',
    source: 'D',
  },
  {
    applies: part =>
      runsHourly(part) && isIn(windowHours, part.schedule.hourly?.hours) && isInterval(part.schedule.hourly?.interval),
    check: ({ schedule: { hourly } }) => [
      (hourly?.hours ?? 0) % (hourly?.interval ?? 1) !== 0 && 'schedule/window_hours',
    ],
    message: ({ schedule: { hourly } }) => `must be a multiple of interval_hours, ${hourly?.interval}`,
    source: 'D',
  },
  {
    applies: runsHourly,
    check: ({ schedule: { hourly } }) => [!isHalfHour(hourly?.start) && 'schedule/window_start'],
    message: 'must be HH:MM on the hour or half past: 08:00',
    source: 'D',
  },
  {
    applies: runsWeekly,
    check: ({ schedule }) => [schedule.days.length === 0 && 'schedule/days'],
    message: 'is needed: the days on which it runs',
    source: 'D',
  },
]
