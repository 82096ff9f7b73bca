import t from 'tap'
import type { Fields } from '../../src/backup/fields.ts'
import { archivedFrom, keptUntil } from '../../src/simulator/retention.ts'
import { logFrequencyMs, nextRun, runsBetween } from '../../src/simulator/schedules.ts'

const at = (text: string) => Date.parse(text)
const iso = (atMs: number | undefined) =>
  atMs === undefined ? undefined : new Date(atMs).toISOString().replace(':00.000Z', 'Z')
const time = (clock: string) => `2026-01-01T${clock}:00Z`

const simple = (more: Fields): Fields => ({ schedulePolicyType: 'SimpleSchedulePolicy', ...more })
const daily = (clock: string, timeZone = 'UTC'): Fields => ({
  backupManagementType: 'AzureIaasVM',
  schedulePolicy: simple({ scheduleRunFrequency: 'Daily', scheduleRunTimes: [time(clock)] }),
  timeZone,
})
const hourly = (clock: string, interval: number, scheduleWindowDuration: number): Fields => ({
  backupManagementType: 'AzureIaasVM',
  policyType: 'V2',
  schedulePolicy: {
    schedulePolicyType: 'SimpleSchedulePolicyV2',
    scheduleRunFrequency: 'Hourly',
    hourlySchedule: { interval, scheduleWindowStartTime: time(clock), scheduleWindowDuration },
  },
  timeZone: 'UTC',
})
const part = (policyType: string, schedule: Fields, count = 30): Fields => ({
  policyType,
  schedulePolicy: simple(schedule),
  retentionPolicy: { retentionPolicyType: 'SimpleRetentionPolicy', retentionDuration: { count, durationType: 'Days' } },
})
const database: Fields = {
  backupManagementType: 'AzureWorkload',
  settings: { timeZone: 'Pacific Standard Time' },
  subProtectionPolicy: [
    part('Full', { scheduleRunFrequency: 'Weekly', scheduleRunDays: ['Sunday'], scheduleRunTimes: [time('22:00')] }),
    part('Differential', {
      scheduleRunFrequency: 'Weekly',
      scheduleRunDays: ['Wednesday'],
      scheduleRunTimes: [time('22:00')],
    }),
    part('Log', { scheduleFrequencyInMins: 15 }),
  ],
}

const schedules: {
  of: string
  properties: Fields
  from: string
  to: string
  runs: string[]
}[] = [
  {
    of: 'a daily schedule, after its moment and up to it',
    properties: daily('22:30'),
    from: '2026-03-01T22:30Z',
    to: '2026-03-03T22:30Z',
    runs: ['2026-03-02T22:30Z', '2026-03-03T22:30Z'],
  },
  {
    of: 'a zone that is ahead, by its Windows name',
    properties: daily('01:00', 'India Standard Time'),
    from: '2026-03-01T00:00Z',
    to: '2026-03-02T00:00Z',
    runs: ['2026-03-01T19:30Z'],
  },
  {
    of: 'a zone by its IANA name',
    properties: daily('01:00', 'Asia/Tokyo'),
    from: '2026-03-01T00:00Z',
    to: '2026-03-02T00:00Z',
    runs: ['2026-03-01T16:00Z'],
  },
  {
    of: 'a night on which the clock leaps over the time',
    properties: daily('02:30', 'Eastern Standard Time'),
    from: '2026-03-07T00:00Z',
    to: '2026-03-10T00:00Z',
    runs: ['2026-03-07T07:30Z', '2026-03-08T07:30Z', '2026-03-09T06:30Z'],
  },
  {
    of: 'a night on which the clock passes the time twice',
    properties: daily('01:30', 'Eastern Standard Time'),
    from: '2026-10-31T00:00Z',
    to: '2026-11-03T00:00Z',
    runs: ['2026-10-31T05:30Z', '2026-11-01T05:30Z', '2026-11-02T06:30Z'],
  },
  {
    of: 'an hourly window beyond midnight, its end too',
    properties: hourly('22:00', 4, 8),
    from: '2026-03-01T08:00Z',
    to: '2026-03-02T22:00Z',
    runs: ['2026-03-01T22:00Z', '2026-03-02T02:00Z', '2026-03-02T06:00Z', '2026-03-02T22:00Z'],
  },
  {
    of: 'a window of a whole day, whose end is the next one',
    properties: hourly('08:00', 12, 24),
    from: '2026-03-01T07:00Z',
    to: '2026-03-02T08:00Z',
    runs: ['2026-03-01T08:00Z', '2026-03-01T20:00Z', '2026-03-02T08:00Z'],
  },
  {
    of: 'the weekly schedule of an enhanced policy',
    properties: {
      schedulePolicy: {
        schedulePolicyType: 'SimpleSchedulePolicyV2',
        scheduleRunFrequency: 'Weekly',
        weeklySchedule: { scheduleRunDays: ['Monday', 'Friday'], scheduleRunTimes: [time('10:00')] },
      },
    },
    from: '2026-03-01T00:00Z',
    to: '2026-03-10T00:00Z',
    runs: ['2026-03-02T10:00Z', '2026-03-06T10:00Z', '2026-03-09T10:00Z'],
  },
]

for (const { of, properties, from, to, runs } of schedules)
  t.test(`Backups are due by ${of}.`, async t => {
    const found = runsBetween(properties, at(from), at(to))
    t.same(
      found.map(({ atMs }) => iso(atMs)),
      runs,
    )
    t.same(nextRun(properties, at(from)), found[0])
  })

t.test('Databases have each kind of backup on its own days of the zone in their settings, logs apart.', async t => {
  const runs = runsBetween(database, at('2026-03-01T00:00Z'), at('2026-03-12T00:00Z'))
  t.same(
    runs.map(({ atMs, kind }) => `${kind} ${iso(atMs)}`),
    // The clock leapt on the eighth.
    ['Full 2026-03-02T06:00Z', 'Differential 2026-03-05T06:00Z', 'Full 2026-03-09T05:00Z'],
  )
  t.equal(logFrequencyMs(database), 15 * 60_000)
  t.equal(logFrequencyMs(daily('22:30')), undefined)
})

t.test('A policy without a schedule has nothing due.', async t => {
  t.equal(nextRun({}, 0), undefined)
  t.same(runsBetween({}, 0, 1e12), [])
})

const days = (count: number, durationType = 'Days') => ({ count, durationType })
const longTerm: Fields = {
  ...daily('22:30'),
  instantRpRetentionRangeInDays: 2,
  retentionPolicy: {
    retentionPolicyType: 'LongTermRetentionPolicy',
    dailySchedule: { retentionDuration: days(30) },
    weeklySchedule: { daysOfTheWeek: ['Sunday'], retentionDuration: days(12, 'Weeks') },
    monthlySchedule: {
      retentionScheduleFormatType: 'Weekly',
      retentionScheduleWeekly: { daysOfTheWeek: ['Sunday'], weeksOfTheMonth: ['Last'] },
      retentionDuration: days(12, 'Months'),
    },
    yearlySchedule: {
      retentionScheduleFormatType: 'Daily',
      monthsOfYear: ['January'],
      retentionScheduleDaily: { daysOfTheMonth: [{ date: 0, isLast: true }] },
      retentionDuration: days(10, 'Years'),
    },
  },
}
const firstOfMonth: Fields = {
  ...daily('23:30', 'Eastern Standard Time'),
  retentionPolicy: {
    dailySchedule: { retentionDuration: days(7) },
    monthlySchedule: {
      retentionScheduleFormatType: 'Daily',
      retentionScheduleDaily: { daysOfTheMonth: [{ date: 31, isLast: false }] },
      retentionDuration: days(1, 'Months'),
    },
  },
}
const several: Fields = {
  ...hourly('22:00', 4, 8),
  instantRpRetentionRangeInDays: 7,
  retentionPolicy: {
    dailySchedule: { retentionDuration: days(30) },
    weeklySchedule: { daysOfTheWeek: ['Sunday'], retentionDuration: days(10, 'Weeks') },
  },
}

const kept: { of: string; properties: Fields; kind?: string; at: string; until: string; rule: string }[] = [
  { of: 'any day', properties: longTerm, at: '2026-03-02T22:30Z', until: '2026-04-01T22:30Z', rule: 'Daily' },
  { of: 'its weekday', properties: longTerm, at: '2026-03-08T22:30Z', until: '2026-05-31T22:30Z', rule: 'Weekly' },
  {
    of: 'the last such weekday of a month',
    properties: longTerm,
    at: '2026-03-29T22:30Z',
    until: '2027-03-29T22:30Z',
    rule: 'Monthly',
  },
  {
    of: 'the last day of a month of the year',
    properties: longTerm,
    at: '2026-01-31T22:30Z',
    until: '2036-01-31T22:30Z',
    rule: 'Yearly',
  },
  {
    of: 'a date of the zone that is another one in UTC, to the last day of a shorter month',
    properties: firstOfMonth,
    at: '2026-02-01T04:30Z',
    until: '2026-03-01T04:30Z',
    rule: 'Monthly',
  },
  {
    of: 'a snapshot of an hourly window, as long as snapshots',
    properties: several,
    at: '2026-03-07T22:00Z',
    until: '2026-03-14T22:00Z',
    rule: 'Daily',
  },
  {
    of: 'the last of an hourly window, by the longer rules too',
    properties: several,
    at: '2026-03-08T06:00Z',
    until: '2026-05-17T06:00Z',
    rule: 'Weekly',
  },
  {
    of: 'a differential backup',
    properties: database,
    kind: 'Differential',
    at: '2026-03-05T06:00Z',
    until: '2026-04-04T06:00Z',
    rule: 'Daily',
  },
]

for (const { of, properties, kind = 'Full', at: moment, until, rule } of kept)
  t.test(`A point is kept by the longest rule that it meets: ${of}.`, async t => {
    const { expiresMs, rule: found } = keptUntil(properties, kind, at(moment))
    t.same([iso(expiresMs), found], [until, rule])
  })

t.test('A point goes to the archive when its policy says so, or when Azure recommends it.', async t => {
  const point = { atMs: at('2026-01-31T22:30Z'), expiresMs: at('2036-01-31T22:30Z'), rule: 'Yearly' }
  const tiering = (ArchivedRP: Fields): Fields => ({ ...longTerm, tieringPolicy: { ArchivedRP } })
  const after = tiering({ tieringMode: 'TierAfter', duration: 5, durationType: 'Months' })
  const recommended = tiering({ tieringMode: 'TierRecommended' })
  t.equal(iso(archivedFrom(after, 'Full', point)), '2026-06-30T22:30Z')
  t.equal(iso(archivedFrom(recommended, 'Full', point)), '2026-04-30T22:30Z')
  t.equal(archivedFrom(recommended, 'Full', { ...point, rule: 'Daily' }), undefined)
  t.equal(archivedFrom(tiering({ tieringMode: 'DoNotTier' }), 'Full', point), undefined)
  t.equal(archivedFrom(longTerm, 'Full', point), undefined)
})
