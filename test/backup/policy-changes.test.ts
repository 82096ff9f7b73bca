/** Policies changed and deleted: what items lose by it is told beforehand, exactly, and only a person's word does it. */
import t from 'tap'
import type { Workload } from '../../src/backup/datasources.ts'
import { type Fields, fields, list } from '../../src/backup/fields.ts'
import { retentionLost } from '../../src/backup/policy-effects.ts'
import { type PolicyWords, policyBody } from '../../src/backup/policy-words.ts'
import { keepByPolicy, termsOf } from '../../src/simulator/points.ts'
import { logsKeptMs } from '../../src/simulator/retention.ts'
import { runsBetween } from '../../src/simulator/schedules.ts'
import type { Item, Point, Vault } from '../../src/simulator/state.ts'
import { createEstate, inGroup, vaultId } from '../helpers/estate.ts'

type Estate = ReturnType<typeof createEstate>
type Args = Record<string, unknown>

const prod = vaultId('vault-prod')
const guarded = vaultId('vault-guarded')
const dayMs = 86_400_000
const policyPath = (name: string, vault = prod): string => `${vault}/backupPolicies/${name}`
const daily = 'vm-daily-30d'
const weekFewer = { policy_name: daily, retention: { daily: { days: 14 } } }
const rest = '12 weeks on Sunday, 12 months on first Sunday, 3 years on first Sunday of January; instant restore 2 days'

const every = (interval_hours: number) => ({
  frequency: 'hourly',
  interval_hours,
  window_start: '22:00',
  window_hours: 8,
})

interface Shown {
  summary: string
  loses: string[]
  keeps: string[]
  requests: { method: string; body: { properties: Fields } }[]
}

const planned = async ({ call }: Estate, args: Args): Promise<Shown> => {
  const { plan, ...rest } = await call('update_policy', { ...args, dry_run: true })
  if (plan === undefined) throw new Error(`no plan: ${JSON.stringify(rest)}`)
  return plan as Shown
}

const propertiesOf = ({ world }: Estate, name: string, vault = prod): Fields =>
  structuredClone(world.state.vaults.get(vault.toLowerCase())?.policies.get(name.toLowerCase())?.properties ?? {})

const pointsOf = async ({ call }: Estate, item: string): Promise<string[]> => {
  const { recovery_points } = await call('list_recovery_points', { item, workload_type: 'VM', limit: 1000 })
  return list(recovery_points).map(({ time }) => String(time))
}

t.test('a change tells old and new, who follows, and what expires sooner, and asks for a word', async t => {
  const estate = createEstate()
  const { call, confirmed, taken } = estate
  const refused = await call('update_policy', weekFewer)
  t.match(refused, {
    code: 'confirmation_required',
    details: {
      plan: {
        summary: `Change the policy ${daily} of vault-prod from "daily 23:00 UTC; keep 30 days, ${rest}" to "daily 23:00 UTC; keep 14 days, ${rest}"; 1 item (web-01 (rg-app)) follows it.`,
        loses: [/^of 1 item \(web-01 \(rg-app\)\): daily points are kept 14 days instead of 30; .* deleted$/],
        vault: { soft_delete: 'Enabled', guarded: false },
      },
    },
  })
  t.same(taken(), [
    `GET ${policyPath(daily)}`,
    `GET ${prod}`,
    `GET ${prod}/backupProtectedItems?$filter=policyName eq '${daily}'`,
  ])
  const done = await confirmed('update_policy', weekFewer)
  t.match(done, {
    status: 'succeeded',
    message: 'The policy is changed, and 1 item under it.',
    job: { operation: 'ConfigureBackup', friendly_name: 'web-01', status: 'Completed' },
    id: policyPath(daily),
    item_id: policyPath(daily),
    summary: `daily 23:00 UTC; keep 14 days, ${rest}`,
    previous_summary: `daily 23:00 UTC; keep 30 days, ${rest}`,
    protected_items_count: 1,
  })
  t.same(taken('writes'), [`PUT ${policyPath(daily)}`])
  t.match(await call('get_policy_details', { policy_name: daily }), { summary: done.summary })
})

/** What is said of it, and which points of web-01 are gone a day later that would be there otherwise. */
const shorter: [name: string, args: Args, loses: RegExp[], isGone: (age: number, point: Date) => boolean][] = [
  [
    'fewer days',
    { retention: { daily: { days: 14 } } },
    [/: daily points are kept 14 days instead of 30;/],
    (age, point) => age > 14 && point.getUTCDay() !== 0,
  ],
  [
    'fewer weeks than the days last',
    { retention: { weekly: { weeks: 3 } } },
    [/: weekly points are kept 30 days instead of 12 weeks;/],
    (age, point) => age > 30 && point.getUTCDay() === 0 && point.getUTCDate() > 7,
  ],
  [
    'a preset, which has no rule but days',
    { preset: 'vm-daily', retention: { daily: { days: 60 } } },
    [
      /: weekly points are no longer kept \(12 weeks before\), only as daily points for 60 days;/,
      /: monthly points are no longer kept \(12 months before\), only as daily points for 60 days;/,
      /: yearly points are no longer kept \(3 years before\), only as daily points for 60 days;/,
    ],
    age => age > 60,
  ],
  [
    'more days and fewer months',
    { retention: { daily: { days: 35 }, monthly: { months: 3 } } },
    [/: monthly points are kept 3 months instead of 12;/],
    (age, point) => age > 93 && !(point.getUTCMonth() === 0 && point.getUTCDate() <= 7),
  ],
]
for (const [name, args, loses, isGone] of shorter)
  t.test(`${name}: the points that are gone are those that the plan tells, and no other`, async t => {
    const [changed, left] = [createEstate(), createEstate()]
    const given = { policy_name: daily, ...args }
    t.match((await planned(changed, given)).loses, loses)
    t.equal((await planned(changed, given)).loses.length, loses.length)
    const done = await changed.confirmed('update_policy', given)
    t.equal(done.status, 'succeeded')
    const oneDay = dayMs - ((changed.virtual.now() - left.virtual.now()) % dayMs)
    changed.virtual.advance(oneDay)
    left.virtual.advance(dayMs)
    const [now, otherwise] = [await pointsOf(changed, 'rg-app/web-01'), await pointsOf(left, 'rg-app/web-01')]
    const gone = otherwise.filter(time => {
      const point = new Date(time)
      return isGone((left.virtual.now() - point.getTime()) / dayMs, point)
    })
    t.ok(gone.length > 0 && gone.length < otherwise.length)
    // The backup of the next night may have another time of day.
    const old = (times: string[]) => times.filter(time => Date.parse(time) < left.virtual.now() - 2 * dayMs)
    t.same(
      old(otherwise).filter(time => !now.includes(time)),
      gone,
    )
  })

t.test('only what is given changes', async t => {
  const estate = createEstate()
  const before = propertiesOf(estate, daily)
  const changes: [args: Args, expected: (properties: Fields) => void][] = [
    [
      { retention: { daily: { days: 45 } } },
      properties => {
        Object.assign((properties.retentionPolicy as Fields).dailySchedule as Fields, {
          retentionDuration: { count: 45, durationType: 'Days' },
        })
      },
    ],
    [{ instant_restore_days: 5 }, properties => Object.assign(properties, { instantRpRetentionRangeInDays: 5 })],
    [
      { schedule: { time_zone: 'Europe/Berlin' } },
      properties => Object.assign(properties, { timeZone: 'W. Europe Standard Time' }),
    ],
  ]
  for (const [args, apply] of changes) {
    const expected = structuredClone(before)
    apply(expected)
    const { requests } = await planned(estate, { policy_name: daily, ...args })
    t.same(
      requests.map(({ body }) => body.properties),
      [expected],
      JSON.stringify(args),
    )
  }
})

t.test('what there are no words for stays when parts change, and goes with a raw policy', async t => {
  const estate = createEstate()
  const own = propertiesOf(estate, daily)
  const raw = {
    ...own,
    instantRPDetails: { azureBackupRGNamePrefix: 'snapshots-' },
    snapshotConsistencyType: 'OnlyCrashConsistent',
  }
  const done = await estate.call('update_policy', { policy_name: daily, policy: { properties: raw } })
  t.match(done, { status: 'succeeded' })
  t.same(propertiesOf(estate, daily), raw)
  t.equal((await estate.confirmed('update_policy', weekFewer)).status, 'succeeded')
  t.match(propertiesOf(estate, daily), {
    instantRPDetails: { azureBackupRGNamePrefix: 'snapshots-' },
    snapshotConsistencyType: 'OnlyCrashConsistent',
    retentionPolicy: { dailySchedule: { retentionDuration: { count: 14 } } },
  })
})

t.test('a raw policy that breaks a rule is passed on with a warning, and what Azure says is told', async t => {
  const { call, taken } = createEstate({ confirmation: 'off' })
  const policy = {
    backupManagementType: 'AzureIaasVM',
    schedulePolicy: {
      schedulePolicyType: 'SimpleSchedulePolicy',
      scheduleRunFrequency: 'Daily',
      scheduleRunTimes: ['2026-01-01T02:10:00Z'],
    },
    retentionPolicy: {
      retentionPolicyType: 'LongTermRetentionPolicy',
      dailySchedule: {
        retentionTimes: ['2026-01-01T02:10:00Z'],
        retentionDuration: { count: 30, durationType: 'Days' },
      },
    },
  }
  const shown = await call('update_policy', { policy_name: daily, policy, dry_run: true })
  t.match(shown, { status: 'planned', warnings: [/may be refused: .*times/] })
  t.match(await call('update_policy', { policy_name: daily, policy }), {
    isError: true,
    azure_code: 'BMSUserErrorInvalidPolicyInput',
  })
  t.same(taken('writes'), [`PUT ${policyPath(daily)}`])
})

t.test('where nothing changes nothing is sent', async t => {
  const { call, taken } = createEstate()
  for (const args of [
    { retention: { daily: { days: 30 } } },
    { schedule: { frequency: 'daily', times: ['23:00'], time_zone: 'Etc/UTC' } },
    { policy_type: 'standard', instant_restore_days: 2 },
  ]) {
    const done = await call('update_policy', { policy_name: daily, ...args })
    t.match(done, { status: 'succeeded', message: /says that already; nothing was sent/, operation_id: null })
    t.equal(done.summary, done.previous_summary)
  }
  t.same(taken('writes'), [])
})

t.test('another schedule needs no word: no point expires sooner, and rarer backups are told', async t => {
  const estate = createEstate()
  const before = await pointsOf(estate, 'rg-app/web-01')
  const later = { policy_name: daily, schedule: { times: ['22:00'] } }
  t.match(await planned(estate, later), { loses: [], keeps: [/none expires sooner/] })
  t.equal((await estate.call('update_policy', later)).status, 'succeeded')
  t.same(await pointsOf(estate, 'rg-app/web-01'), before)
  const seldom = {
    policy_name: 'vm-hourly-enhanced',
    schedule: every(8),
  }
  const { loses, keeps } = await planned(estate, seldom)
  t.same(loses, [])
  t.match(keeps, [/none expires sooner/, 'from now on backups run 14 times a week instead of 21'])
})

t.test('a policy that nobody follows is changed without a word', async t => {
  const estate = createEstate()
  const { call } = estate
  await call('create_policy', { policy_name: 'of-nobody', preset: 'vm-daily-weekly-monthly-yearly' })
  const args = { policy_name: 'of-nobody', preset: 'vm-every-4-hours' }
  const plan = await planned(estate, args)
  t.match(plan, { summary: /; no item follows it\.$/, loses: [] })
  t.match(await call('update_policy', args), { status: 'succeeded', message: 'The policy is changed.', job_id: null })
  t.match(await call('get_policy_details', { policy_name: 'of-nobody' }), { policy_type: 'enhanced' })
})

t.test('many items are named up to ten, with how many there are', async t => {
  const estate = createEstate()
  const items = estate.world.state.vaults.get(prod.toLowerCase())?.items
  const web = [...(items?.values() ?? [])].find(({ friendlyName }) => friendlyName === 'web-01') as Item
  for (let at = 10; at < 22; at += 1) {
    const [container, name] = [web.container, web.name].map(text => text.replace('web-01', `many-${at}`)) as [
      string,
      string,
    ]
    const sourceId = web.sourceId.replace('web-01', `many-${at}`)
    items?.set(`${container}/${name}`.toLowerCase(), {
      ...structuredClone(web),
      container,
      name,
      sourceId,
      friendlyName: `many-${at}`,
    })
  }
  const { summary } = await planned(estate, weekFewer)
  t.match(summary, /; 13 items \(web-01 \(rg-app\), many-10 \(rg-app\), .*many-18 \(rg-app\) and 3 more\) follow it\.$/)
  const done = await estate.confirmed('update_policy', { ...weekFewer, wait_seconds: 600 })
  t.match(done, { status: 'succeeded', message: 'The policy is changed, and 13 items under it.' })
  t.equal((done.job_ids as string[]).length, 13)
})

const forbidden: [name: string, args: Args, error: object][] = [
  [
    'the type of a policy in use',
    { policy_name: daily, policy_type: 'enhanced' },
    {
      code: 'precondition_failed',
      message: /standard policy, and 1 item \(web-01 \(rg-app\)\) follows it/,
      remediation: /create_policy.*enable_protection/,
      details: { count: 1, items: [{ name: 'web-01 (rg-app)' }] },
    },
  ],
  [
    'the type by a preset',
    { policy_name: daily, preset: 'vm-every-4-hours' },
    { code: 'precondition_failed', details: { count: 1 } },
  ],
  [
    'the type of an enhanced policy',
    { policy_name: 'vm-hourly-enhanced', preset: 'vm-daily' },
    { code: 'precondition_failed', message: /is an enhanced policy, and 1 item \(web-02/ },
  ],
  [
    'the workload',
    { policy_name: daily, preset: 'sql-full-log' },
    { code: 'invalid_arguments', message: /SQL, not for VM/ },
  ],
  [
    'the workload by its word',
    { policy_name: daily, workload_type: 'SQL', retention: { daily: { days: 45 } } },
    { code: 'invalid_arguments', message: /is SQL, but the policy is for VM/ },
  ],
  ['nothing', { policy_name: daily }, { code: 'invalid_arguments', message: /say what to change/ }],
  [
    'to what Azure does not keep',
    { policy_name: daily, retention: { daily: { days: 3 } }, schedule: { times: ['02:10'] } },
    {
      code: 'invalid_arguments',
      details: { faults: [{ path: /schedule\/times/ }, { path: '/retention/daily/days', message: /7 to 9999/ }] },
    },
  ],
  [
    'a raw policy with parts beside',
    { policy_name: daily, policy: { properties: {} }, retention: { daily: { days: 45 } } },
    { code: 'invalid_arguments', message: /retention: stands beside a raw policy/ },
  ],
  [
    'what is not there',
    { policy_name: 'vm-dayly-30d', instant_restore_days: 3 },
    { code: 'not_found', message: /no policy "vm-dayly-30d"/ },
  ],
]
for (const [name, args, error] of forbidden)
  t.test(`${name} cannot be changed`, async t => {
    const { call, taken } = createEstate()
    t.match(await call('update_policy', args), error)
    t.same(taken('writes'), [])
  })

t.test('an immutable vault lowers no retention; all else may change', async t => {
  const estate = createEstate()
  const vault = vaultId('vault-secure')
  const policies = estate.world.state.vaults.get(vault.toLowerCase())?.policies
  policies?.set(daily, { name: daily, properties: propertiesOf(estate, daily) })
  const change = (args: Args) => estate.call('update_policy', { vault, policy_name: daily, ...args })
  const isLowered: [args: Args, message: RegExp][] = [
    [{ retention: { daily: { days: 14 } } }, /daily points are kept 14 days instead of 30/],
    [{ preset: 'vm-daily' }, /weekly points are no longer kept/],
    // The days keep these points all the same.
    [{ retention: { daily: { days: 90 }, weekly: { weeks: 4 } } }, /a rule of it would go, or count less/],
  ]
  for (const [args, message] of isLowered)
    t.match(await change(args), { code: 'precondition_failed', message, remediation: /may grow/ })
  t.same(estate.taken('writes'), [])
  t.match(await change({ retention: { daily: { days: 60 } }, schedule: { times: ['22:00'] } }), { status: 'succeeded' })
  t.same(estate.taken('writes'), [`PUT ${policyPath(daily, vault)}`])
})

const guard = `${inGroup('rg-security')}/providers/Microsoft.DataProtection/resourceGuards/guard-prod`
const weaker: [name: string, args: Args, isGuarded: boolean][] = [
  ['less retention', { retention: { daily: { days: 14 } } }, true],
  ['rarer backups', { schedule: every(8) }, true],
  ['more retention', { retention: { daily: { days: 45 } } }, false],
  ['another time', { schedule: { window_start: '21:00' } }, false],
]
for (const [name, args, isGuarded] of weaker)
  t.test(`in a guarded vault ${name} takes ${isGuarded ? 'the right' : 'no right'} of the guard`, async t => {
    const estate = createEstate({ confirmation: 'off' })
    const { call, world, bodies, taken } = estate
    const policies = world.state.vaults.get(guarded.toLowerCase())?.policies
    policies?.set('hourly', { name: 'hourly', properties: propertiesOf(estate, 'vm-hourly-enhanced') })
    const given = { vault: guarded, policy_name: 'hourly', ...args }
    t.match(await call('update_policy', { ...given, dry_run: true }), { plan: { vault: { guarded: true } } })
    world.state.isGuardWithheld = true
    const refused = await call('update_policy', given)
    if (isGuarded) {
      t.match(refused, {
        code: 'forbidden',
        message: /guard-prod/,
        remediation: /Backup MUA Operator/,
        details: { resource_guard: guard },
      })
      t.same(taken('writes'), [`PUT ${policyPath('hourly', guarded)}`])
      world.state.isGuardWithheld = false
      t.equal((await call('update_policy', given)).status, 'succeeded')
    } else t.equal(refused.status, 'succeeded')
    const { properties } = bodies.find(Boolean) as { properties: Fields }
    t.same(
      properties.resourceGuardOperationRequests,
      isGuarded ? [`${guard}/updateProtectionPolicyRequests/default`] : undefined,
    )
    t.notOk('resourceGuardOperationRequests' in propertiesOf(estate, 'hourly', guarded))
  })

const stringFor = async ({ call }: Estate, args: Args): Promise<unknown> =>
  (await call('update_policy', { ...args, dry_run: true })).confirmation

const wrongStrings: [name: string, string: (estate: Estate) => Promise<unknown>, code: string, why?: RegExp][] = [
  ['a bare true', async () => true, 'invalid_arguments'],
  ['a bare yes', async () => 'yes', 'confirmation_required', /not a string that this server gave/],
  [
    "another policy's string",
    estate => stringFor(estate, { ...weekFewer, policy_name: 'DefaultPolicy' }),
    'confirmation_required',
    /another plan/,
  ],
  [
    'the string of another change of it',
    estate => stringFor(estate, { ...weekFewer, retention: { daily: { days: 10 } } }),
    'confirmation_required',
    /another plan/,
  ],
  [
    "another tool's string",
    async ({ call }) =>
      (await call('cancel_job', { job_id: '8564b595-2d0b-4694-88ae-d03f936d2588', dry_run: true })).confirmation,
    'confirmation_required',
    /another plan/,
  ],
  [
    'a string that has lapsed',
    async estate => {
      const given = await stringFor(estate, weekFewer)
      estate.clock.advance(10 * 60_000)
      return given
    },
    'confirmation_required',
    /lapsed/,
  ],
  [
    'a string from before the policy changed',
    async estate => {
      const given = await stringFor(estate, weekFewer)
      await estate.call('update_policy', { policy_name: daily, retention: { monthly: { months: 24 } } })
      estate.taken()
      return given
    },
    'confirmation_required',
    /another plan/,
  ],
  [
    'a string from before another item followed the policy',
    async estate => {
      const given = await stringFor(estate, weekFewer)
      await estate.call('enable_protection', { item: 'rg-app/app-03', workload_type: 'VM', policy_name: daily })
      estate.taken()
      return given
    },
    'confirmation_required',
    /another plan/,
  ],
]
for (const [name, string, code, why] of wrongStrings)
  t.test(`${name} changes no policy`, async t => {
    const estate = createEstate()
    const confirm = await string(estate)
    t.ok(confirm)
    const before = propertiesOf(estate, daily)
    t.match(await estate.call('update_policy', { ...weekFewer, confirm }), { code, ...(why ? { message: why } : {}) })
    t.same(estate.taken('writes'), [])
    t.same(propertiesOf(estate, daily), before)
  })

t.test('a string for a whole new policy holds only over the one that was to be replaced', async t => {
  const estate = createEstate()
  const whole = { policy_name: daily, preset: 'vm-daily' }
  const confirm = await stringFor(estate, whole)
  await estate.call('update_policy', { policy_name: daily, retention: { monthly: { months: 24 } } })
  estate.taken()
  const refused = await estate.call('update_policy', { ...whole, confirm })
  t.match(refused, { code: 'confirmation_required', message: /another plan/ })
  t.same(estate.taken('writes'), [])
})

t.test('a policy in use is not deleted, and its items are named', async t => {
  const { call, taken } = createEstate()
  for (const args of [{}, { dry_run: true }, { confirm: 'yes' }])
    t.match(await call('delete_policy', { policy_name: 'VM-Daily-30d', ...args }), {
      code: 'precondition_failed',
      message: /^1 item follows vm-daily-30d: web-01 \(rg-app\)\./,
      remediation: /recovery_services_enable_protection.*recovery_services_disable_protection/,
      details: {
        count: 1,
        items: [{ id: /protectedItems\/VM;iaasvmcontainerv2;rg-app;web-01$/, name: 'web-01 (rg-app)' }],
      },
    })
  t.same(taken('writes'), [])
})

t.test('a policy that nobody follows is deleted on a word, once, and is not found from then on', async t => {
  const estate = createEstate()
  const { call, confirmed, taken } = estate
  await call('create_policy', { policy_name: 'of-nobody', preset: 'vm-daily' })
  await call('create_policy', { policy_name: 'of-nobody-either', preset: 'vm-daily' })
  const other = await call('delete_policy', { policy_name: 'of-nobody-either', dry_run: true })
  t.match(other, { status: 'planned', plan: { loses: [/of-nobody-either, for good: daily 02:00 UTC; keep 30 days/] } })
  taken()
  for (const confirm of [undefined, 'yes', other.confirmation])
    t.match(await call('delete_policy', { policy_name: 'of-nobody', ...(confirm ? { confirm } : {}) }), {
      code: 'confirmation_required',
      message: /^Delete the policy of-nobody of vault-prod, which no item follows\./,
    })
  t.same(taken('writes'), [])
  const { confirmation } = await call('delete_policy', { policy_name: 'of-nobody', dry_run: true })
  t.match(await call('delete_policy', { policy_name: 'of-nobody', confirm: confirmation }), {
    status: 'succeeded',
    message: 'The policy is deleted.',
    vault_name: 'vault-prod',
    item_id: policyPath('of-nobody'),
  })
  t.same(taken('writes'), [`DELETE ${policyPath('of-nobody')}`])
  t.match(await call('delete_policy', { policy_name: 'of-nobody', confirm: confirmation }), { code: 'conflict' })
  t.match(await call('delete_policy', { policy_name: 'of-nobody' }), { code: 'not_found' })
  t.same(taken('writes'), [])
  t.equal((await confirmed('delete_policy', { policy_name: 'of-nobody-either' })).status, 'succeeded')
})

t.test('a string from before somebody changed the policy deletes nothing', async t => {
  const { call, taken } = createEstate()
  await call('create_policy', { policy_name: 'of-nobody', preset: 'vm-daily' })
  const { confirmation } = await call('delete_policy', { policy_name: 'of-nobody', dry_run: true })
  await call('update_policy', { policy_name: 'of-nobody', retention: { daily: { days: 60 } } })
  taken()
  const refused = await call('delete_policy', { policy_name: 'of-nobody', confirm: confirmation })
  t.match(refused, { code: 'confirmation_required', message: /another plan/ })
  t.same(taken('writes'), [])
})

const keeping = (days: number, rule: string, unit: string, count: number): Fields => ({
  backupManagementType: 'AzureIaasVM',
  schedulePolicy: { schedulePolicyType: 'SimpleSchedulePolicy', scheduleRunFrequency: 'Daily' },
  retentionPolicy: {
    dailySchedule: { retentionDuration: { count: days, durationType: 'Days' } },
    [rule]: {
      monthsOfYear: ['March'],
      daysOfTheWeek: ['Sunday'],
      retentionScheduleFormatType: 'Daily',
      retentionScheduleDaily: { daysOfTheMonth: [{ date: 1, isLast: false }] },
      retentionDuration: { count, durationType: unit },
    },
  },
})

t.test('months and years are those of the calendar, and days are days', async t => {
  const [months, years, weeks] = [
    keeping(7, 'monthlySchedule', 'Months', 12),
    keeping(7, 'yearlySchedule', 'Years', 1),
    keeping(7, 'weeklySchedule', 'Weeks', 52),
  ]
  const days = (count: number) => keeping(count, 'weeklySchedule', 'Weeks', 1)
  t.match(retentionLost(months, days(365)), [/^monthly points are no longer kept \(12 months before\)/])
  t.match(retentionLost(years, days(365)), [/^yearly points are no longer kept \(1 year before\)/])
  t.same(
    [months, years].map(before => retentionLost(before, days(366))),
    [[], []],
  )
  t.same(retentionLost(weeks, days(364)), [])
  t.match(retentionLost(days(366), { ...months, retentionPolicy: {} }), [/^daily points are no longer kept/])
  t.same(retentionLost(months, months), [])
})

/** Numbers that look random, the same in each run. */
const chances = (seed: number) => {
  let state = seed
  return <One>(...of: readonly One[]): One => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return of[Math.floor((state / 2 ** 32) * of.length)] as One
  }
}

type Pick = ReturnType<typeof chances>
type Words = Omit<PolicyWords, 'workload_type'>

const maybe = <One>(pick: Pick, make: () => One): One | undefined => (pick(true, false) ? make() : undefined)

const longTerms = (pick: Pick, isWeekly: boolean): NonNullable<Words['retention']> => {
  const onDay = () =>
    isWeekly || pick(true, false)
      ? { week: pick('First', 'Second', 'Last'), weekday: isWeekly ? 'Sunday' : pick('Sunday', 'Friday') }
      : { days: pick([1], [1, 15], ['last']) }
  const weekly = () => ({
    weeks: pick(2, 4, 5, 12, 26, 52),
    ...(isWeekly ? {} : { days: pick(['Sunday'], ['Friday']) }),
  })
  const given = {
    daily: isWeekly ? undefined : { days: pick(7, 14, 30, 31, 60, 365, 400) },
    weekly: isWeekly ? weekly() : maybe(pick, weekly),
    monthly: maybe(pick, () => ({ months: pick(1, 2, 3, 12, 24), ...onDay() })),
    yearly: maybe(pick, () => ({ years: pick(1, 2, 3), months: pick(['January'], ['March', 'June']), ...onDay() })),
  }
  return Object.fromEntries(Object.entries(given).filter(([, term]) => term)) as NonNullable<Words['retention']>
}

const nightly = { frequency: 'daily', times: ['02:00'] } as const
const onSundays = { frequency: 'weekly', days: ['Sunday', 'Wednesday'], times: ['02:00'] } as const
const windows = { frequency: 'hourly', interval_hours: 6, window_start: '08:00', window_hours: 12 } as const

const generated: Record<string, { workload: Workload; words: (pick: Pick, isWeekly: boolean) => unknown }> = {
  'standard policies of VMs': {
    workload: 'VM',
    words: (pick, isWeekly) => ({
      policy_type: 'standard',
      schedule: isWeekly ? onSundays : nightly,
      retention: longTerms(pick, isWeekly),
      instant_restore_days: isWeekly ? 5 : pick(1, 2, 5),
    }),
  },
  'enhanced policies of VMs': {
    workload: 'VM',
    words: (pick, isWeekly) => ({
      policy_type: 'enhanced',
      schedule: isWeekly ? onSundays : pick<unknown>(nightly, windows),
      retention: longTerms(pick, isWeekly),
      instant_restore_days: pick(1, 7, 30),
    }),
  },
  'policies of databases': {
    workload: 'SQL',
    words: pick => ({
      full: { schedule: onSundays, retention: { ...longTerms(pick, true), weekly: { weeks: pick(27, 30, 52) } } },
      differential: { schedule: { ...onSundays, days: ['Monday'] }, retention_days: pick(7, 30, 180) },
      log: { frequency_minutes: 60, retention_days: pick(7, 15, 35) },
    }),
  },
}

const from = Date.UTC(2028, 0, 1)
const until = Date.UTC(2029, 0, 1)

/** A year of points under the one policy, put under the other: whether one expires sooner, or its snapshot goes. */
const isSooner = (workload: Workload, before: Fields, after: Fields): boolean => {
  const points = runsBetween(before, from, until).map(({ atMs, kind }): Point => {
    const { isSnapshotOnly, ...terms } = termsOf(before, workload, { atMs, kind })
    return {
      ...terms,
      id: '1',
      atMs,
      kind,
      inVaultMs: isSnapshotOnly ? undefined : atMs,
      isArchived: false,
      sizeGb: 1,
      disks: undefined,
    }
  })
  const was = points.map(point => ({ ...point }))
  const item = { workload, policy: 'after', points } as unknown as Item
  const vault = { policies: new Map([['after', { name: 'after', properties: after }]]) } as unknown as Vault
  keepByPolicy(vault, item, before, from)
  const isLess = (now: number | undefined, then: number | undefined) => (now ?? 0) < (then ?? 0)
  return (
    logsKeptMs(after) < logsKeptMs(before) ||
    points.some(
      (point, at) =>
        isLess(point.expiresMs, was[at]?.expiresMs) || isLess(point.snapshotUntilMs, was[at]?.snapshotUntilMs),
    )
  )
}

/** Of two unrelated policies one is nearly always shorter somewhere: here they differ in one rule or one part. */
const withOneOf = (pick: Pick, before: Fields, other: Fields): Fields => {
  const [parts, others] = [list(before.subProtectionPolicy), list(other.subProtectionPolicy)]
  if (parts.length > 0) {
    const one = pick(...parts.keys())
    return { ...before, subProtectionPolicy: parts.map((part, at) => (at === one ? others[at] : part)) }
  }
  const rule = pick('dailySchedule', 'weeklySchedule', 'monthlySchedule', 'yearlySchedule')
  const [own, next] = [before.retentionPolicy, other.retentionPolicy].map(fields) as [Fields, Fields]
  return { ...before, retentionPolicy: { ...own, [rule]: next[rule] ?? own[rule] } }
}

for (const [name, { workload, words }] of Object.entries(generated))
  t.test(`between ${name} a loss is told exactly where points expire sooner`, async t => {
    const told = { yes: 0, no: 0 }
    for (let seed = 1; seed <= 8; seed += 1) {
      const pick = chances(seed * 7919)
      const isWeekly = workload !== 'SQL' && pick(true, false, false)
      const make = () => policyBody(words(pick, isWeekly) as PolicyWords, workload).properties
      const [before, other] = [make(), make()]
      const after = pick(true, false) ? other : withOneOf(pick, before, other)
      const lost = retentionLost(before, after)
      const isLost = isSooner(workload, before, after)
      told[isLost ? 'yes' : 'no'] += 1
      t.equal(lost.length > 0, isLost, `seed ${seed}: ${lost.join('; ') || 'nothing'}`, { before, after })
    }
    t.ok(told.yes > 1 && told.no > 1, JSON.stringify(told))
  })
