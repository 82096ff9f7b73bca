/** Policies in words: what they make, what is refused, and that Azure and the rules agree. */
import t from 'tap'
import type { Workload } from '../../src/backup/datasources.ts'
import { bodyOf, versionOf } from '../../src/backup/policy-body.ts'
import { brokenRules } from '../../src/backup/policy-rules.ts'
import { wordFaults } from '../../src/backup/policy-word-faults.ts'
import { type PolicyWords, policyBody, policyWorkload } from '../../src/backup/policy-words.ts'
import { windowsZone } from '../../src/backup/time-zones.ts'
import { withPlainTimes } from '../../src/simulator/policy-parts.ts'
import { checkPolicy } from '../../src/simulator/policy-rules.ts'
import { InputError } from '../../src/tools/input-error.ts'
import { faultsOf } from '../helpers/definitions.ts'
import { createEstate, vaultId } from '../helpers/estate.ts'

const policyPath = (name: string): string => `${vaultId('vault-prod')}/backupPolicies/${name}`

const presets: [preset: string, workload: Workload, type: string | null, summary: string][] = [
  ['vm-daily', 'VM', 'standard', 'daily 02:00 UTC; keep 30 days; instant restore 2 days'],
  [
    'vm-daily-weekly-monthly-yearly',
    'VM',
    'standard',
    'daily 02:00 UTC; keep 30 days, 12 weeks on Sunday, 12 months on first Sunday, 3 years on first Sunday of January; instant restore 2 days',
  ],
  [
    'vm-every-4-hours',
    'VM',
    'enhanced',
    'every 4 hours from 08:00 for 12 hours UTC; keep 30 days; instant restore 7 days',
  ],
  ['sql-full-log', 'SQL', null, 'full daily 02:00 UTC; log every 15 minutes; keep full 30 days; log 15 days'],
  [
    'hana-full-differential-log',
    'SAPHana',
    null,
    'full weekly Sunday 02:00 UTC; differential Monday, Tuesday, Wednesday, Thursday, Friday and Saturday 02:00; log every 15 minutes; keep full 12 weeks on Sunday; differential 30 days; log 15 days',
  ],
  ['ase-full-log', 'SAPAse', null, 'full daily 02:00 UTC; log every 15 minutes; keep full 30 days; log 15 days'],
  ['share-daily', 'AzureFileShare', null, 'daily 02:00 UTC; keep 30 days'],
]
for (const [preset, workload, type, summary] of presets)
  t.test(`${preset} is made, and reads back as it was said`, async t => {
    const { call, taken } = createEstate()
    const id = policyPath('made-now')
    const planned = await call('create_policy', { policy_name: 'made-now', preset, dry_run: true })
    t.match(planned, { status: 'planned', plan: { loses: [], requests: [{ method: 'PUT' }] }, summary })
    t.ok(String((planned.plan as { summary: string }).summary).includes(summary))
    t.notOk('confirmation' in planned)
    taken()
    const made = await call('create_policy', { policy_name: 'made-now', preset })
    t.match(made, { status: 'succeeded', vault_name: 'vault-prod', policy_name: 'made-now', id, item_id: id, summary })
    t.notOk('warnings' in made)
    t.same(taken(), [`GET ${id}`, `GET ${vaultId('vault-prod')}`, `PUT ${id}`])
    const details = await call('get_policy_details', { policy_name: 'made-now' })
    t.match(details, { summary, workload_type: workload, policy_type: type, protected_items_count: 0 })
    taken()
    const again = await call('create_policy', { policy_name: 'made-now', preset })
    t.match(again, { status: 'succeeded', message: /already.*nothing was sent/, summary })
    t.same(taken('writes'), [])
  })

t.test('a policy that says something else is left alone', async t => {
  const { call, taken } = createEstate()
  const refused = await call('create_policy', { policy_name: 'defaultpolicy', preset: 'vm-every-4-hours' })
  t.match(refused, {
    code: 'conflict',
    message: /DefaultPolicy already, and it says something else: daily/,
    remediation: /recovery_services_update_policy/,
    details: { summary: /daily/, policy_id: policyPath('DefaultPolicy') },
  })
  t.same(taken('writes'), [])
})

const raw = {
  backupManagementType: 'AzureIaasVM',
  schedulePolicy: {
    schedulePolicyType: 'SimpleSchedulePolicy',
    scheduleRunFrequency: 'Daily',
    scheduleRunTimes: ['2021-05-26T12:00:00Z'],
  },
  retentionPolicy: {
    retentionPolicyType: 'LongTermRetentionPolicy',
    dailySchedule: { retentionTimes: ['2021-05-26T12:00:00Z'], retentionDuration: { count: 45, durationType: 'Days' } },
  },
}

const cuts = [
  ['before the request was there', 'inside', { preset: 'sql-full-log' }, undefined],
  ['after it', 'inside_answer', { preset: 'hana-full-differential-log' }, [/lost.*shows that it took/]],
  ['after a raw one', 'inside_answer', { policy: raw }, [/lost.*shows that it took/]],
] as const
for (const [name, cut, words, warnings] of cuts)
  t.test(`a connection that was cut ${name} makes one policy`, async t => {
    const { call, rule, taken } = createEstate()
    let isCut = false
    rule.interfere = method => {
      if (method !== 'PUT' || isCut) return undefined
      isCut = true
      return cut
    }
    const made = await call('create_policy', { policy_name: 'made-now', ...words })
    t.match(made, { status: 'succeeded', summary: /keep/, ...(warnings ? { warnings } : {}) })
    t.same(taken('writes'), [`PUT ${policyPath('made-now')}`])
  })

const daily = { frequency: 'daily', times: ['22:30'] } as const
const sunday = { frequency: 'weekly', days: ['Sunday'], times: ['22:30'] } as const
const keepDays = { daily: { days: 30 } }
const keepWeeks = { weekly: { weeks: 12 } }

/** Words, and what the policy that they make says. */
const said: [name: string, words: object, summary: string | RegExp, warnings?: RegExp][] = [
  [
    'terms of a preset stay beside those that are given',
    { preset: 'vm-daily-weekly-monthly-yearly', retention: { daily: { days: 60 }, monthly: { days: [1, 'last'] } } },
    /keep 60 days, 12 weeks on Sunday, 12 months on day 1 and last day, 3 years on first Sunday of January;/,
  ],
  [
    'a week and a weekday stand for each other alone',
    { preset: 'vm-daily-weekly-monthly-yearly', retention: { yearly: { years: 7, week: 'Last' } } },
    /7 years on last Sunday of January;/,
  ],
  [
    'a schedule of another frequency keeps what means the same, and days kept go',
    { preset: 'vm-daily', schedule: { frequency: 'weekly', days: ['Friday'] }, retention: { weekly: { weeks: 5 } } },
    'weekly Friday 02:00 UTC; keep 5 weeks on Friday; instant restore 5 days',
  ],
  [
    'days of weeks and weekdays default to those of the schedule',
    {
      workload_type: 'SQL',
      full: { schedule: sunday, retention: { ...keepWeeks, monthly: { months: 6, week: 'Last' } } },
    },
    'full weekly Sunday 22:30 UTC; keep full 12 weeks on Sunday, 6 months on last Sunday',
  ],
  [
    'an IANA zone becomes the one of Windows',
    { preset: 'vm-daily', schedule: { time_zone: 'europe/berlin' } },
    /^daily 02:00 W. Europe Standard Time;/,
  ],
  [
    'a zone of Windows stays',
    { preset: 'sql-full-log', full: { schedule: { time_zone: 'pacific standard time' } } },
    /^full daily 02:00 Pacific Standard Time;/,
  ],
  [
    'an hourly schedule makes an enhanced policy',
    {
      preset: 'vm-daily',
      schedule: { frequency: 'hourly', interval_hours: 12, window_start: '06:30', window_hours: 12 },
    },
    'every 12 hours from 06:30 for 12 hours UTC; keep 30 days; instant restore 7 days',
    /enhanced policy, because it runs hourly/,
  ],
  [
    'snapshots of more than 5 days make an enhanced policy',
    { preset: 'vm-daily', instant_restore_days: 6 },
    /instant restore 6 days$/,
    /enhanced policy, because snapshots are kept 6 days/,
  ],
  ['an archive of VMs counts in months', { preset: 'vm-daily', archive_after_days: 90 }, /archive after 3 months$/],
  [
    'an archive of databases counts in days',
    { preset: 'sql-full-log', archive_after_days: 45 },
    /archive after 45 days/,
  ],
  ['compression goes with databases', { preset: 'sql-full-log', compression: true }, /^full daily/],
  [
    'a share runs hourly too',
    {
      preset: 'share-daily',
      schedule: { frequency: 'hourly', interval_hours: 4, window_start: '08:00', window_hours: 12 },
    },
    'every 4 hours from 08:00 for 12 hours UTC; keep 30 days',
  ],
  [
    'SAP HANA has incremental backups',
    {
      workload_type: 'SAPHana',
      full: { schedule: sunday, retention: keepWeeks },
      incremental: { schedule: { ...sunday, days: ['Monday'] }, retention_days: 30 },
      log: { frequency_minutes: 120, retention_days: 7 },
    },
    'full weekly Sunday 22:30 UTC; incremental Monday 22:30; log every 120 minutes; keep full 12 weeks on Sunday; incremental 30 days; log 7 days',
  ],
]
for (const [name, words, summary, warning] of said)
  t.test(name, async t => {
    const { call } = createEstate()
    const made = await call('create_policy', { policy_name: 'made-now', ...words })
    t.match(made, { status: 'succeeded', summary, ...(warning ? { warnings: [warning] } : {}) })
    if (!warning) t.notOk('warnings' in made)
    const details = await call('get_policy_details', { policy_name: 'made-now' })
    t.match(details, { summary: made.summary, ...(name.startsWith('compression') ? { compression: true } : {}) })
  })

/** Words, and every fault that they have: the place, and what is told there. */
const refused: [name: string, words: object, faults: Record<string, RegExp>][] = [
  ['nothing said', {}, { '/workload_type': /is needed/ }],
  ['no parts', { workload_type: 'VM' }, { '/schedule': /is needed/, '/retention': /is needed/ }],
  ['no full backup', { workload_type: 'SQL' }, { '/full': /is needed/ }],
  [
    'a preset for another workload',
    { preset: 'vm-daily', workload_type: 'SQL' },
    { '/workload_type': /is SQL, but preset vm-daily is for VM/ },
  ],
  [
    'parts that a database lacks',
    { preset: 'ase-full-log', schedule: daily, retention: keepDays, policy_type: 'standard', archive_after_days: 90 },
    {
      '/schedule': /put it in full/,
      '/retention': /put it in full/,
      '/policy_type': /SAP ASE databases/,
      '/archive_after_days': /SAP ASE databases/,
    },
  ],
  [
    'parts that a share lacks',
    {
      preset: 'share-daily',
      instant_restore_days: 2,
      full: { schedule: daily, retention: keepDays },
      differential: {},
      incremental: {},
      log: {},
      compression: true,
    },
    {
      '/instant_restore_days': /file shares/,
      '/full': /use schedule and retention/,
      '/differential': /file shares/,
      '/incremental': /file shares/,
      '/log': /file shares/,
      '/compression': /file shares/,
    },
  ],
  [
    'members that parts lack or need',
    {
      preset: 'sql-full-log',
      full: { retention_days: 9 },
      differential: { frequency_minutes: 15 },
      log: { schedule: daily },
    },
    {
      '/full/retention_days': /is not in full, which has schedule and retention/,
      '/differential/schedule': /is needed/,
      '/differential/retention_days': /is needed/,
      '/differential/frequency_minutes': /is not in differential/,
      '/differential': /full backups that run weekly/,
      '/log/schedule': /is not in log/,
    },
  ],
  [
    'words of another frequency, and run times',
    {
      workload_type: 'VM',
      schedule: {
        frequency: 'daily',
        times: ['02:00', '14:00'],
        days: ['Sunday'],
        interval_hours: 4,
        time_zone: 'Europe/Berln',
      },
      retention: { daily: { days: 6 } },
    },
    {
      '/schedule/days': /weekly, not daily/,
      '/schedule/interval_hours': /hourly, not daily/,
      '/schedule/time_zone': /did you mean Europe\/Berlin\?/,
      '/schedule/times': /one time of day/,
      '/retention/daily/days': /must be 7 to 9999/,
    },
  ],
  ...['2:00', '02:10', '25:00', '24:00', '02:00:00', 'noon', ''].map(
    (time): [string, object, Record<string, RegExp>] => [
      `a run time of "${time}"`,
      { preset: 'vm-daily', schedule: { times: [time] } },
      { '/schedule/times': /HH:MM/ },
    ],
  ),
  [
    'an empty run time beside another',
    { preset: 'vm-daily', schedule: { times: ['', '02:00'] } },
    { '/schedule/times': /one time of day/ },
  ],
  [
    'an hourly standard policy',
    {
      workload_type: 'VM',
      policy_type: 'standard',
      schedule: { frequency: 'hourly', interval_hours: 8, window_start: '08:15', window_hours: 12, times: ['02:00'] },
      retention: { weekly: { weeks: 6000 } },
      instant_restore_days: 9,
    },
    {
      '/policy_type': /needs enhanced/,
      '/schedule/times': /daily or weekly/,
      '/schedule/window_start': /HH:MM/,
      '/schedule/window_hours': /multiple of interval_hours, 8/,
      '/retention/daily': /is needed/,
      '/retention/weekly/days': /is needed/,
      '/retention/weekly/weeks': /1 to 5163/,
      '/instant_restore_days': /1 to 5 in a standard policy/,
    },
  ],
  [
    'an hourly schedule without its words',
    { workload_type: 'VM', schedule: { frequency: 'hourly' }, retention: keepDays },
    {
      '/schedule/interval_hours': /4, 6, 8 or 12/,
      '/schedule/window_start': /HH:MM/,
      '/schedule/window_hours': /4 to 24/,
    },
  ],
  [
    'a weekly policy kept by days, on other days',
    {
      workload_type: 'VM',
      schedule: sunday,
      retention: {
        daily: { days: 30 },
        weekly: { weeks: 12, days: ['Monday'] },
        monthly: { months: 1189, days: [1] },
        yearly: { years: 100, week: 'First', weekday: 'Monday' },
      },
      instant_restore_days: 4,
    },
    {
      '/retention/daily': /must be left out/,
      '/retention/weekly/days': /days of the schedule: Sunday/,
      '/retention/monthly/days': /for what runs daily/,
      '/retention/monthly/months': /1 to 1188/,
      '/retention/yearly/months': /is needed/,
      '/retention/yearly/weekday': /a day of the schedule: Sunday/,
      '/retention/yearly/years': /1 to 99/,
      '/instant_restore_days': /must be 5 in a standard policy that runs weekly/,
    },
  ],
  [
    'a weekly policy without days, or weeks',
    { workload_type: 'VM', schedule: { frequency: 'weekly', times: ['02:00'] }, retention: {} },
    { '/schedule/days': /is needed/, '/retention/weekly': /is needed/ },
  ],
  [
    'a schedule without frequency',
    { workload_type: 'VM', schedule: {}, retention: keepDays },
    { '/schedule/frequency': /is needed/ },
  ],
  [
    'days of months that cannot be',
    {
      workload_type: 'VM',
      schedule: daily,
      retention: {
        ...keepDays,
        monthly: { months: 12, days: [0, 29, 'first'] },
        yearly: { years: 1, months: ['May'], days: [1], week: 'First' },
      },
    },
    { '/retention/monthly/days': /1 to 28 or last/, '/retention/yearly/days': /say one of them/ },
  ],
  [
    'months and years without their day',
    {
      workload_type: 'VM',
      schedule: daily,
      retention: {
        daily: {},
        weekly: { weeks: 0, days: ['Sunday'] },
        monthly: { months: 12, week: 'First' },
        yearly: { years: 1, months: ['May'] },
      },
    },
    {
      '/retention/daily/days': /7 to 9999/,
      '/retention/weekly/weeks': /1 to 5163/,
      '/retention/monthly/weekday': /is needed with week/,
      '/retention/yearly': /must say the day/,
    },
  ],
  [
    'a weekday without its week, and no dates',
    {
      workload_type: 'VM',
      schedule: daily,
      retention: {
        ...keepDays,
        monthly: { months: 12, weekday: 'Sunday' },
        yearly: { years: 1, months: ['May'], days: [] },
      },
    },
    { '/retention/monthly/week': /is needed with weekday/, '/retention/yearly/days': /must name a day/ },
  ],
  [
    'snapshots of an enhanced policy, archived by weeks',
    {
      workload_type: 'VM',
      policy_type: 'enhanced',
      schedule: sunday,
      retention: { ...keepWeeks, monthly: { months: 12, week: 'First' } },
      instant_restore_days: 31,
      archive_after_days: 90,
    },
    {
      '/instant_restore_days': /must be 1 to 30/,
      '/archive_after_days': /refused in an enhanced policy that runs weekly/,
    },
  ],
  [
    'more snapshots than a share has',
    {
      workload_type: 'AzureFileShare',
      schedule: daily,
      retention: {
        daily: { days: 201 },
        weekly: { weeks: 201, days: ['Sunday'] },
        monthly: { months: 121, days: [1] },
        yearly: { years: 11, months: ['May'], days: [1] },
      },
    },
    {
      '/retention/daily/days': /1 to 200/,
      '/retention/weekly/weeks': /1 to 200/,
      '/retention/monthly/months': /1 to 120/,
      '/retention/yearly/years': /1 to 10/,
      '/retention': /keeps 534 snapshots of a share/,
    },
  ],
  [
    'more snapshots of a share in a day than it may have',
    {
      preset: 'share-daily',
      schedule: { frequency: 'hourly', interval_hours: 4, window_start: '00:00', window_hours: 24 },
    },
    { '/retention': /keeps 210 snapshots/ },
  ],
  [
    'parts between full backups that run daily',
    {
      workload_type: 'SAPHana',
      full: { schedule: daily, retention: keepDays },
      differential: { schedule: { frequency: 'daily', times: ['03:00'] }, retention_days: 6 },
      incremental: { schedule: { frequency: 'weekly', times: ['03:10'] }, retention_days: 181 },
      log: { frequency_minutes: 45, retention_days: 36 },
    },
    {
      '/differential': /full backups that run weekly/,
      '/differential/schedule/frequency': /must be weekly/,
      '/differential/retention_days': /7 to 180/,
      '/incremental': /not both/,
      '/incremental/schedule/days': /is needed/,
      '/incremental/schedule/times': /HH:MM/,
      '/incremental/retention_days': /7 to 180/,
      '/log/frequency_minutes': /one of 15, 30, 60/,
      '/log/retention_days': /7 to 35/,
    },
  ],
  [
    'an incremental of SQL on a day of the full backup, that outlives it',
    {
      workload_type: 'SQL',
      full: { schedule: sunday, retention: { weekly: { weeks: 1 } } },
      incremental: { schedule: { ...sunday, days: ['Sunday', 'Monday'], time_zone: 'UTC' }, retention_days: 30 },
      log: { frequency_minutes: 15, retention_days: 15 },
      archive_after_days: 45,
    },
    {
      '/incremental': /SAP HANA/,
      '/incremental/schedule/days': /must not be days of the full backup: Sunday/,
      '/incremental/retention_days': /no more than the 7 days/,
      '/log/retention_days': /no more than the 7 days/,
      '/archive_after_days': /refused for SQL/,
    },
  ],
  [
    'a full backup by the hour, and two zones',
    {
      workload_type: 'SQL',
      full: {
        schedule: { frequency: 'hourly', interval_hours: 4, window_start: '08:00', window_hours: 12, time_zone: 'UTC' },
        retention: keepDays,
      },
      differential: { schedule: { ...sunday, time_zone: 'Asia/Kolkata' }, retention_days: 30 },
    },
    {
      '/full/schedule/frequency': /do not run hourly/,
      '/differential/schedule/time_zone': /must be that of full/,
      '/differential': /full backups that run weekly/,
    },
  ],
  [
    'words beside a raw policy',
    { policy: { backupManagementType: 'AzureIaasVM' }, preset: 'vm-daily', schedule: daily, log: {} },
    { '/preset': /leave it out/, '/schedule': /leave it out/, '/log': /leave it out/ },
  ],
  [
    'a raw policy for another workload',
    {
      policy: { properties: { backupManagementType: 'AzureWorkload', workLoadType: 'SQLDataBase' } },
      workload_type: 'VM',
    },
    { '/workload_type': /is VM, but policy is for SQL/ },
  ],
]
for (const [name, words, expected] of refused)
  t.test(`${name}: every fault at once`, async t => {
    try {
      policyBody(words as PolicyWords, policyWorkload(words as PolicyWords))
      t.fail('was taken')
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      const found = Object.fromEntries(error.faults.map(({ path, message }) => [path, message]))
      t.same(Object.keys(found).sort(), Object.keys(expected).sort())
      t.match(found, expected)
    }
  })

t.test('faults of the words and of the other arguments are told together, and nothing is sent', async t => {
  const { call, taken } = createEstate()
  for (const name of ['1st', 'a b', 'ab', 'a_b', `a${'b'.repeat(149)}c`.slice(0, 151), 'größe']) {
    const { code, details } = await call('create_policy', {
      policy_name: name,
      vault: '/x',
      preset: 'vm-daily',
      log: {},
    })
    t.equal(code, 'invalid_arguments')
    const paths = (details as { faults: { path: string }[] }).faults.map(({ path }) => path)
    t.ok(paths.includes('/policy_name'), name)
    if (name.length <= 150) t.same(paths, ['/policy_name', '/vault', '/log'])
  }
  t.same(taken(), [])
})

for (const policy of [raw, { properties: raw }])
  t.test(`a raw policy is sent as given: ${Object.keys(policy)[0]}`, async t => {
    const { call, bodies, taken } = createEstate()
    const made = await call('create_policy', { policy_name: 'made-now', policy })
    t.match(made, { status: 'succeeded', summary: 'daily 12:00 UTC; keep 45 days; instant restore 2 days' })
    t.notOk('warnings' in made)
    t.same(bodies.filter(Boolean), [{ properties: raw }])
    taken()
    const again = await call('create_policy', { policy_name: 'MADE-NOW', policy })
    t.match(again, { status: 'succeeded', policy_name: 'made-now', id: policyPath('made-now'), message: /already/ })
    t.same(taken('writes'), [], 'what Azure fills in is no difference')
  })

t.test('rules that a raw policy breaks are warnings, and Azure is asked all the same', async t => {
  const { call, taken } = createEstate()
  const { dailySchedule } = raw.retentionPolicy
  const retentionPolicy = {
    ...raw.retentionPolicy,
    dailySchedule: { ...dailySchedule, retentionTimes: [], retentionDuration: { count: 3, durationType: 'Days' } },
  }
  const policy = { ...raw, retentionPolicy }
  const planned = await call('create_policy', { policy_name: 'made-now', policy, dry_run: true })
  t.match(planned.warnings, [/retention daily must have the run times/, /retention daily days must be 7 to 9999/])
  t.same(taken('writes'), [])
  const refusal = await call('create_policy', { policy_name: 'made-now', policy })
  t.match(refusal, { code: /./, azure_code: 'BMSUserErrorInvalidPolicyInput' })
  t.same(taken('writes'), [`PUT ${policyPath('made-now')}`])
})

t.test('a policy of another kind than the words is not made of them', async t => {
  t.throws(() => policyBody({ preset: 'sql-full-log' }, 'VM'), { message: /^preset: is for SQL, not for VM$/ })
  t.same(policyBody({ schedule: { ...daily }, retention: keepDays } as unknown as PolicyWords, 'VM').warnings, [])
})

// ---------------------------------------------------------------- what Azure takes and what the rules take

/** The same numbers every time: a linear congruential generator (Numerical Recipes). */
const numbers = (seed: number) => {
  let state = seed
  return <T>(choices: readonly T[]): T => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return choices[Math.floor((state / 2 ** 32) * choices.length)] as T
  }
}
type Pick = ReturnType<typeof numbers>
type Raw = Record<string, unknown>

const without = (value: Raw): Raw => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined))
const some = [undefined, undefined, 'some'] as const

const scheduleBy = (pick: Pick): Raw => {
  const frequency = pick(['hourly', 'daily', 'daily', 'weekly', 'weekly'])
  if (frequency === 'hourly')
    return {
      frequency,
      interval_hours: pick([4, 6, 8, 12]),
      window_start: pick(['08:00', '08:00', '08:30', '08:10']),
      window_hours: pick([4, 8, 12, 24, 10, 3]),
    }
  const days = pick([['Sunday'], ['Sunday', 'Wednesday'], ['Monday'], ['Monday'], []])
  return {
    frequency,
    times: pick([['02:00'], ['02:00'], ['22:30'], ['22:30'], ['02:10'], ['02:00', '14:00'], []]),
    ...(frequency === 'weekly' ? { days } : {}),
  }
}

const dayBy = (pick: Pick): Raw =>
  pick([
    { days: [1, 'last'] },
    { week: 'First', weekday: 'Sunday' },
    { week: 'Last', weekday: 'Monday' },
    { week: 'First' },
    {},
  ])

const retentionBy = (pick: Pick, isWeekly: boolean): Raw =>
  without({
    daily: pick(isWeekly ? [undefined, undefined, undefined, {}] : [{}, {}, {}, undefined]) && {
      days: pick([7, 30, 30, 90, 200, 5, 9999]),
    },
    weekly: pick(isWeekly ? [{}, {}, {}, undefined] : some) && {
      weeks: pick([1, 12, 12, 30, 5163, 0]),
      ...pick<Raw>([{}, { days: ['Sunday'] }, { days: ['Sunday'] }]),
    },
    monthly: pick(some) && { months: pick([1, 12, 60, 1188, 1189]), ...dayBy(pick) },
    yearly: pick(some) && {
      years: pick([1, 5, 10, 99, 100]),
      ...pick<Raw>([{ months: ['January'] }, { months: ['May'] }, {}]),
      ...dayBy(pick),
    },
  })

const partBy = (pick: Pick): Raw => {
  const schedule = scheduleBy(pick)
  return { schedule, retention: retentionBy(pick, schedule.frequency === 'weekly') }
}

const wordsBy: Record<Workload, (pick: Pick) => Raw> = {
  VM: pick =>
    without({
      ...partBy(pick),
      policy_type: pick([undefined, undefined, 'standard', 'enhanced']),
      instant_restore_days: pick([undefined, undefined, 1, 5, 7, 30]),
      archive_after_days: pick([undefined, undefined, 90]),
    }),
  AzureFileShare: partBy,
  ...Object.fromEntries(
    (['SQL', 'SAPHana', 'SAPAse'] as const).map(workload => [
      workload,
      (pick: Pick) => {
        const between = (days: string[]) => ({
          schedule: pick<Raw>([
            { frequency: 'weekly', days, times: ['03:00'] },
            { frequency: 'weekly', days, times: ['03:00'] },
            scheduleBy(pick),
          ]),
          retention_days: pick([7, 7, 30, 180, 6]),
        })
        return without({
          full: partBy(pick),
          differential: pick(some) && between(pick([['Tuesday'], ['Tuesday', 'Sunday']])),
          incremental: pick([undefined, ...some]) && between(['Tuesday', 'Friday']),
          log: pick(some) && { frequency_minutes: pick([15, 60, 1440, 45]), retention_days: pick([7, 15, 35, 36]) },
          compression: pick([undefined, true]),
          archive_after_days: workload === 'SAPAse' ? undefined : pick([undefined, undefined, undefined, 45]),
        })
      },
    ]),
  ),
} as Record<Workload, (pick: Pick) => Raw>

/** Whether the simulated Azure takes it; it makes times plain first, as its door does. */
const isTaken = (properties: Raw): boolean => {
  try {
    checkPolicy(withPlainTimes(properties) as Raw)
    return true
  } catch {
    return false
  }
}

const requestOf = (properties: unknown) => ({
  request: {
    method: 'PUT',
    url: `https://management.azure.com${policyPath('made-now')}?api-version=2025-08-01`,
    body: { properties },
  },
})

const rounds = 800
for (const workload of Object.keys(wordsBy) as Workload[])
  t.test(`words for ${workload}: what the rules take, Azure takes, and what they refuse it refuses`, async t => {
    const pick = numbers(workload.length)
    const apart: unknown[] = []
    const undefinedByAzure: unknown[] = []
    const counts = { taken: 0, refused: 0 }
    for (let round = 0; round < rounds; round++) {
      const words = wordsBy[workload](pick) as PolicyWords
      if (wordFaults(words, workload).length > 0) throw new Error(`words that make no body: ${JSON.stringify(words)}`)
      const properties = bodyOf(words, workload, versionOf(words, workload).isEnhanced)
      const broken = brokenRules(properties)
      counts[broken.length === 0 ? 'taken' : 'refused']++
      if ((broken.length === 0) !== isTaken(properties)) apart.push([words, broken])
      if (broken.length > 0) continue
      if (counts.taken % 5 === 0) undefinedByAzure.push(...faultsOf(requestOf(properties)))
      if (counts.taken === 1) t.same(policyBody(words, workload).properties, properties)
    }
    t.same(apart.slice(0, 3), [])
    t.same(undefinedByAzure.slice(0, 3), [])
    t.ok(counts.taken > rounds / 50 && counts.refused > rounds / 50, JSON.stringify(counts))
  })

/** Every body that differs from this one in one value: left out, emptied, or another of its kind. */
const variations = (value: unknown): unknown[] => {
  if (Array.isArray(value))
    return [
      [],
      [...value, ...value],
      ...value.flatMap((each, at) => variations(each).map(other => value.with(at, other))),
    ]
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, each]) => {
      const { [name]: _, ...rest } = value as Raw
      return [rest, ...variations(each).map(other => ({ ...value, [name]: other }))]
    })
  if (typeof value === 'number') return [0, 1, 3, 6, 8, 45, 200, 10000, value + 0.5]
  if (typeof value === 'boolean') return [!value]
  return [
    '',
    'Sunday',
    'Friday',
    'Weekly',
    'Daily',
    'Hourly',
    'Days',
    'Weeks',
    'V2',
    'Log',
    'Incremental',
    'SAPHanaDatabase',
    '2026-01-01T02:15:00Z',
    '2026-01-01T14:00:00Z',
    '2026-01-01T25:00:00Z',
  ]
}

const vaulted = {
  backupManagementType: 'AzureStorage',
  workLoadType: 'AzureFileShare',
  schedulePolicy: raw.schedulePolicy,
  vaultRetentionPolicy: { snapshotRetentionInDays: 5, vaultRetention: raw.retentionPolicy },
  timeZone: 'UTC',
}
const originals: [name: string, properties: Raw][] = [
  ...presets.map(([preset]): [string, Raw] => {
    const words = { preset } as PolicyWords
    return [preset, policyBody(words, policyWorkload(words)).properties]
  }),
  ['a vaulted share', vaulted],
]
for (const [name, properties] of originals)
  t.test(`${name} with one value changed: rules and Azure agree`, async t => {
    t.ok(isTaken(properties) && brokenRules(properties).length === 0)
    const others = variations(properties) as Raw[]
    const apart = others.filter(each => (brokenRules(each).length === 0) !== isTaken(each))
    t.same(apart.slice(0, 3), [], `${apart.length} of ${others.length}`)
  })

t.test('every time zone has its name on Windows', async t => {
  const unknown = Intl.supportedValuesOf('timeZone').filter(zone => windowsZone(zone) === undefined)
  t.same(unknown, ['Antarctica/Troll'], 'which Windows lacks')
  const pairs = [
    ['Asia/Kolkata', 'India Standard Time'],
    ['asia/calcutta', 'India Standard Time'],
    ['Europe/Kyiv', 'FLE Standard Time'],
    ['US/Eastern', 'Eastern Standard Time'],
    ['UTC', 'UTC'],
    ['Etc/UTC', 'UTC'],
    ['w. europe standard time', 'W. Europe Standard Time'],
    ['constructor', undefined],
  ] as const
  for (const [zone, windows] of pairs) t.equal(windowsZone(zone), windows, zone)
})
