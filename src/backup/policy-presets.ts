/** Policies with a name: the same words that a caller would give, for one workload each. */
import type { Workload } from './datasources.ts'
import type { PolicyParts, PolicyWords } from './policy-words.ts'

const night: PolicyParts['schedule'] = { frequency: 'daily', times: ['02:00'] }
const logs: PolicyParts['log'] = { frequency_minutes: 15, retention_days: 15 }
const month: PolicyParts = { retention: { daily: { days: 30 } } }

export const presets: Readonly<Record<NonNullable<PolicyWords['preset']>, { workload: Workload; words: PolicyParts }>> =
  {
    'vm-daily': { workload: 'VM', words: { schedule: night, ...month } },
    'vm-daily-weekly-monthly-yearly': {
      workload: 'VM',
      words: {
        schedule: night,
        retention: {
          daily: { days: 30 },
          weekly: { weeks: 12, days: ['Sunday'] },
          monthly: { months: 12, week: 'First', weekday: 'Sunday' },
          yearly: { years: 3, months: ['January'], week: 'First', weekday: 'Sunday' },
        },
      },
    },
    'vm-every-4-hours': {
      workload: 'VM',
      words: {
        policy_type: 'enhanced',
        schedule: { frequency: 'hourly', interval_hours: 4, window_start: '08:00', window_hours: 12 },
        instant_restore_days: 7,
        ...month,
      },
    },
    'sql-full-log': { workload: 'SQL', words: { full: { schedule: night, ...month }, log: logs } },
    'hana-full-differential-log': {
      workload: 'SAPHana',
      words: {
        full: {
          schedule: { frequency: 'weekly', days: ['Sunday'], times: ['02:00'] },
          retention: { weekly: { weeks: 12 } },
        },
        differential: {
          schedule: {
            frequency: 'weekly',
            days: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
            times: ['02:00'],
          },
          retention_days: 30,
        },
        log: logs,
      },
    },
    'ase-full-log': { workload: 'SAPAse', words: { full: { schedule: night, ...month }, log: logs } },
    'share-daily': { workload: 'AzureFileShare', words: { schedule: night, ...month } },
  }
