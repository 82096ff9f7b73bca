/** Protecting VMs and ending it: what is sent, what plans say will be lost or kept, and what then is. */
import t from 'tap'
import { type Answered, createEstate, inGroup, production, vaultId } from '../helpers/estate.ts'

type Args = Record<string, unknown>
type Estate = ReturnType<typeof createEstate>

const dayMs = 24 * 3_600_000
const testVault =
  '/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-test/providers/Microsoft.RecoveryServices/vaults/vault-test'
const prod = vaultId('vault-prod')
const policy = (name: string, vault = prod): string => `${vault}/backupPolicies/${name}`
const item = (name: string, vault = prod, group = 'rg-app'): string =>
  `${vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;${group};${name}/protectedItems/VM;iaasvmcontainerv2;${group};${name}`
const vmId = (name: string, group = 'rg-app'): string =>
  `${inGroup(group)}/providers/Microsoft.Compute/virtualMachines/${name}`
const expanded = (path: string): string => `${path}?$filter=expand eq 'extendedInfo'`

interface Shown {
  summary: string
  requests: { method: string; url: string; body?: { properties: Args } }[]
  keeps: string[]
  loses: string[]
}
const planIn = (answer: Answered): Shown => (answer.plan ?? (answer.details as { plan: unknown }).plan) as Shown

/** The newest first, as ISO times. */
const pointsOf = async ({ call }: Estate, id: string): Promise<string[]> => {
  const { recovery_points: rows } = await call('list_recovery_points', { item: id, limit: 1000 })
  return (rows as { time: string }[]).map(({ time }) => time)
}

const rowOf = async ({ call }: Estate, vault: string, name: string): Promise<Args | undefined> => {
  const { protected_items: rows } = await call('list_protected_items', { vault, workload_type: 'VM', limit: 1000 })
  return (rows as Args[]).find(({ friendly_name }) => friendly_name === name)
}

const followed = (answer: Answered): string[] => [
  `GET ${prod}/backupOperations/${/([0-9a-f-]{36})"\]$/.exec(Buffer.from(String(answer.operation_id), 'base64url').toString())?.[1]}`,
  `GET ${prod}/backupJobs/${answer.job_id}`,
]

const asked: [name: string, args: Args][] = [
  ['group/vm with its workload', { item: 'rg-app/app-03', workload_type: 'VM' }],
  ['group/vm, whose workload the policy tells', { item: 'rg-app/app-03' }],
  ['the ARM id of the VM', { item: vmId('app-03') }],
  ['the id of the item that it is going to be', { item: item('app-03') }],
  [
    'the id of the protectable item',
    { item: item('app-03').replace('protectedItems/VM', 'protectableItems/vm'), workload_type: 'VM' },
  ],
]
for (const [name, args] of asked)
  t.test(`protecting a VM takes three reads, one write and its polls: ${name}`, async t => {
    const { call, taken, bodies } = createEstate()
    const answer = await call('enable_protection', { ...args, policy_name: 'vm-daily-30d' })
    t.match(answer, { status: 'succeeded', vault_name: 'vault-prod', friendly_name: 'app-03', message: /first/ })
    t.same(bodies.filter(Boolean), [
      {
        properties: {
          protectedItemType: 'Microsoft.Compute/virtualMachines',
          sourceResourceId: vmId('app-03'),
          policyId: policy('vm-daily-30d'),
        },
      },
    ])
    const [operation = '', job = ''] = followed(answer)
    const own = String(answer.item_id)
    t.same(taken(), [
      `GET ${policy('vm-daily-30d')}`,
      `GET ${prod}`,
      `GET ${expanded(own)}`,
      `PUT ${own}`,
      operation,
      operation,
      job,
    ])
  })

t.test('changing a policy takes four reads, one write and its polls', async t => {
  const { call, taken } = createEstate()
  const args = { item: 'rg-app/web-01', workload_type: 'VM', policy_name: 'DefaultPolicy' }
  const { confirmation } = await call('enable_protection', { ...args, dry_run: true })
  taken()
  const answer = await call('enable_protection', { ...args, confirm: confirmation })
  const [operation = '', job = ''] = followed(answer)
  t.same(taken(), [
    `GET ${policy('DefaultPolicy')}`,
    `GET ${prod}`,
    `GET ${expanded(item('web-01'))}`,
    `GET ${policy('vm-daily-30d')}`,
    `PUT ${item('web-01')}`,
    operation,
    operation,
    job,
  ])
})

t.test('a bare name is looked for in one list of what can be protected and one of what is', async t => {
  const { call, taken } = createEstate()
  const answer = await call('enable_protection', { item: 'APP-03', policy_name: 'vm-daily-30d', dry_run: true })
  t.match(planIn(answer).requests[0]?.body?.properties, { sourceResourceId: vmId('app-03') })
  t.same(taken().slice(2, 4), [
    `GET ${prod}/backupProtectableItems?$filter=backupManagementType eq 'AzureIaasVM'`,
    `GET ${prod}/backupProtectedItems?$filter=backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'`,
  ])
})

/** Nothing is sent: `code` of the refusal, or `succeeded`. */
const idle: [tool: 'enable' | 'disable' | 'resume' | 'undelete', args: Args, code: string, words: RegExp][] = [
  ['enable', { item: 'rg-app/web-01', policy_name: 'vm-daily-30d' }, 'succeeded', /already.*Nothing was sent/],
  ['enable', { item: 'rg-app/app-02', policy_name: 'vm-daily-30d' }, 'precondition_failed', /resume_protection/],
  ['enable', { item: 'rg-app/old-01', policy_name: 'vm-daily-30d' }, 'precondition_failed', /undelete_protected_item/],
  ['enable', { item: 'app-01', policy_name: 'DefaultPolicy' }, 'ambiguous', /rg-legacy/],
  ['enable', { item: 'new-01', policy_name: 'DefaultPolicy' }, 'not_found', /refresh_containers.*group\/vm/],
  ['enable', { item: 'rg-app/app-03', policy_name: 'sql-full-log' }, 'invalid_arguments', /policy_name.*for SQL/],
  ['enable', { item: 'rg-app/app-03', policy_name: 'vm-daily' }, 'not_found', /vm-daily-30d/],
  [
    'enable',
    { item: 'rg-app/app-03', policy_name: policy('DefaultPolicy', testVault) },
    'invalid_arguments',
    /policy_name.*lies in the vault/,
  ],
  [
    'enable',
    { item: 'sql-01/orders', workload_type: 'SQL', policy_name: 'sql-full-log' },
    'invalid_arguments',
    /workload_type.*VMs only/,
  ],
  [
    'enable',
    { item: 'rg-eu/eu-01', vault: 'vault-secure', policy_name: 'DefaultPolicy' },
    'precondition_failed',
    /immutable.*keeps less/,
  ],
  ['disable', { item: 'rg-app/app-02' }, 'succeeded', /stopped already.*\d+ recovery points .* are kept/],
  ['disable', { item: 'rg-app/app-02', retain: 'as_per_policy' }, 'precondition_failed', /no policy/],
  ['disable', { item: 'rg-app/old-01' }, 'precondition_failed', /undelete_protected_item/],
  ['disable', { item: 'rg-app/old-01', delete_backup_data: true }, 'succeeded', /kept until 2026-12-03/],
  ['disable', { item: 'rg-app/web-01', retain: 'as_per_policy' }, 'precondition_failed', /immutable vaults only/],
  ['disable', { item: 'rg-eu/eu-01', vault: 'vault-secure' }, 'precondition_failed', /retain: \\"as_per_policy/],
  [
    'disable',
    { item: 'rg-eu/eu-01', vault: 'vault-secure', delete_backup_data: true },
    'precondition_failed',
    /retain: \\"as_per_policy/,
  ],
  [
    'disable',
    { item: 'rg-app/app-02', delete_backup_data: true },
    'confirmation_required',
    /"Delete the recovery points of app-02 \(rg-app\)\."/,
  ],
  ['disable', { item: 'rg-app/app-03', workload_type: 'VM' }, 'not_found', /enable_protection/],
  ['disable', { item: 'app-03' }, 'not_found', /enable_protection/],
  ['disable', { item: 'sql-01/orders' }, 'invalid_arguments', /SQL database.*VMs only/],
  ['resume', { item: 'rg-app/web-01' }, 'succeeded', /protected already/],
  ['resume', { item: 'rg-app/web-01', policy_name: 'DefaultPolicy' }, 'precondition_failed', /enable_protection/],
  ['resume', { item: 'rg-app/old-01', policy_name: 'DefaultPolicy' }, 'precondition_failed', /undelete_protected_item/],
  [
    'resume',
    { item: 'rg-app/app-02' },
    'invalid_arguments',
    /policy_name.*for VMs: DefaultPolicy, EnhancedPolicy, vm-daily-30d, vm-hourly-enhanced"/,
  ],
  ['undelete', { item: 'rg-app/web-01' }, 'succeeded', /not soft-deleted/],
  ['undelete', { item: 'rg-app/app-03', workload_type: 'VM' }, 'not_found', /not protected/],
]
const toolNames = {
  enable: 'enable_protection',
  disable: 'disable_protection',
  resume: 'resume_protection',
  undelete: 'undelete_protected_item',
} as const
for (const [tool, args, code, words] of idle)
  t.test(`${tool} ${JSON.stringify(args)} sends nothing: ${code}`, async t => {
    const { call, taken } = createEstate()
    const answer = await call(toolNames[tool], args)
    t.equal(answer.isError ? answer.code : answer.status, code)
    t.match(JSON.stringify(answer), words)
    t.same(taken('writes'), [])
  })

t.test('everything that is wrong with the arguments is told at once, and nothing is asked', async t => {
  const { call, taken } = createEstate()
  const args = { item: 'rg//x', vault: 'a/b/', policy_name: 'no?', auto_protect: true }
  const faultsOf = async (tool: 'enable_protection' | 'disable_protection', more: Args) => {
    const { details } = await call(tool, { ...args, ...more })
    return (details as { faults: { path: string }[] }).faults.map(({ path }) => path)
  }
  t.same(await faultsOf('enable_protection', { exclude_disk_luns: [0], include_disk_luns: [1] }), [
    '/vault',
    '/item',
    '/policy_name',
    '/auto_protect',
    '/include_disk_luns',
  ])
  const { policy_name: _, ...rest } = args
  const { details } = await call('disable_protection', { ...rest, delete_backup_data: true, retain: 'forever' })
  t.match(details, { faults: [{ path: '/vault' }, { path: '/item' }, { path: '/auto_protect' }, { path: '/retain' }] })
  t.same(taken(), [])
})

const exclusion = (isInclusionList: boolean, ...diskLunList: number[]) => ({
  extendedProperties: { diskExclusionProperties: { diskLunList, isInclusionList } },
})
/** From the first choice of disks to what a second call makes of it: the exclusion that it sends, and its words. */
const disks: [name: string, first: Args, second: Args, sent: Args | undefined, words: RegExp][] = [
  [
    'a change of policy keeps what was left out',
    { exclude_disk_luns: [0] },
    { policy_name: 'EnhancedPolicy' },
    exclusion(false, 0),
    /policy from vm-daily-30d to EnhancedPolicy\./,
  ],
  [
    'what is left out can be changed',
    { exclude_disk_luns: [0] },
    { include_disk_luns: [1] },
    exclusion(true, 1),
    /take the OS disk and LUN 1 instead of all disks but LUN 0/,
  ],
  ['the OS disk alone', {}, { include_disk_luns: [] }, exclusion(true), /take the OS disk only instead of all disks/],
  [
    'all disks again',
    { include_disk_luns: [] },
    { exclude_disk_luns: [] },
    {},
    /take all disks instead of the OS disk/,
  ],
  [
    'the same disks in another order are no change',
    { exclude_disk_luns: [1, 0] },
    { exclude_disk_luns: [0, 1] },
    undefined,
    /already; backups take all disks but LUN 0, 1/,
  ],
]
for (const [name, first, second, sent, words] of disks)
  t.test(`disks: ${name}`, async t => {
    const { call } = createEstate()
    const args = { item: 'rg-app/win-04', workload_type: 'VM', policy_name: 'vm-daily-30d' }
    t.equal((await call('enable_protection', { ...args, ...first })).status, 'succeeded')
    const plan = planIn(await call('enable_protection', { ...args, ...second, dry_run: true }))
    t.match(plan.summary, words)
    const {
      protectedItemType: _,
      sourceResourceId: __,
      policyId: ___,
      ...rest
    } = plan.requests[0]?.body?.properties ?? {}
    t.same(plan.requests.length > 0 ? rest : undefined, sent)
  })

/** Which of a VM's disks a choice takes out of the backups to come, after a first one. */
const leaving: [first: Args, second: Args, loses: RegExp | undefined][] = [
  [{}, { exclude_disk_luns: [1] }, /^no new backups of LUN 1 of win-04 \(rg-app\): .*points to come are without/],
  [{ exclude_disk_luns: [0] }, { exclude_disk_luns: [1, 0] }, /^no new backups of LUN 1 of/],
  [{ exclude_disk_luns: [0, 1] }, { exclude_disk_luns: [1] }, undefined],
  [{}, { include_disk_luns: [1] }, /^no new backups of all data disks but LUN 1 of/],
  [{}, { include_disk_luns: [] }, /^no new backups of all data disks of/],
  [{ include_disk_luns: [0, 1] }, { include_disk_luns: [1] }, /^no new backups of LUN 0 of/],
  [{ include_disk_luns: [0] }, { include_disk_luns: [0, 1] }, undefined],
  [{ include_disk_luns: [0] }, { exclude_disk_luns: [1] }, undefined],
  [{ include_disk_luns: [0, 1] }, { exclude_disk_luns: [1] }, /^no new backups of LUN 1 of/],
  [{ exclude_disk_luns: [1] }, { include_disk_luns: [0] }, /^no new backups of all data disks but LUN 0, 1 of/],
]
for (const [first, second, loses] of leaving)
  t.test(
    `from ${JSON.stringify(first)} to ${JSON.stringify(second)} ${loses ? 'needs a' : 'needs no'} word`,
    async t => {
      const { call, taken } = createEstate()
      const args = { item: 'rg-app/win-04', workload_type: 'VM', policy_name: 'vm-daily-30d' }
      t.equal((await call('enable_protection', { ...args, ...first })).status, 'succeeded', 'the first needs none')
      taken()
      const answer = await call('enable_protection', { ...args, ...second })
      t.equal(answer.isError ? answer.code : answer.status, loses ? 'confirmation_required' : 'succeeded')
      t.equal(taken('writes').length, loses ? 0 : 1)
      if (loses) t.match(planIn(answer), { loses: [loses] })
    },
  )

t.test('a VM of another vault is refused with the name of that vault, by one question more', async t => {
  const { call, taken } = createEstate()
  const answer = await call('enable_protection', { item: 'rg-app/vault-01', policy_name: 'vm-daily-30d' })
  t.match(answer, { code: 'conflict', message: /vault-guarded/, details: { vault_id: vaultId('vault-guarded') } })
  t.same(taken('writes'), [
    `PUT ${item('vault-01')}`,
    `POST /subscriptions/${production}/providers/Microsoft.RecoveryServices/locations/eastus/backupStatus`,
  ])
})

t.test('a VM that Azure does not find is told with the region and subscription that it needs', async t => {
  const { call } = createEstate()
  const answer = await call('enable_protection', { item: 'rg-eu/eu-01', policy_name: 'vm-daily-30d' })
  t.match(answer, { isError: true, message: /rg-eu.*eu-01 for no VM that vault-prod/, remediation: /eastus/ })
})

// Plans that tell the truth: what they said was lost or kept is what the simulated Azure lost or kept.

t.test('stopping keeps every point for years, and makes no more', async t => {
  const estate = createEstate()
  const { call, confirmed, virtual } = estate
  const before = await pointsOf(estate, item('web-01'))
  const plan = planIn(await call('disable_protection', { item: item('web-01') }))
  t.match(plan, {
    keeps: [
      `${before.length} recovery points (${before.at(-1)?.slice(0, 10)} to ${before[0]?.slice(0, 10)}): none expires until protection is resumed or they are deleted`,
    ],
    loses: [/^no new recovery points from now on: vm-daily-30d/],
  })
  const done = await confirmed('disable_protection', { item: item('web-01'), wait_seconds: 45 })
  t.match(done, { status: 'succeeded', message: /stopped; .* kept.*resume_protection/ })
  virtual.advance(800 * dayMs)
  t.same(await pointsOf(estate, item('web-01')), before)
})

t.test('suspending lets points expire by the policy, and makes no more', async t => {
  const estate = createEstate()
  const { call, confirmed, virtual } = estate
  const id = item('eu-01', vaultId('vault-secure'), 'rg-eu')
  const before = await pointsOf(estate, id)
  const args = { item: id, retain: 'as_per_policy' }
  t.match(planIn(await call('disable_protection', args)), {
    keeps: [new RegExp(`^${before.length} recovery points .*each until vm-daily-30d lets it expire`)],
    loses: [/^no new recovery points/, /expiring.*vm-daily-30d keeps 30 days/],
  })
  t.equal((await confirmed('disable_protection', { ...args, wait_seconds: 45 })).status, 'succeeded')
  virtual.advance(31 * dayMs)
  const left = await pointsOf(estate, id)
  t.ok(left.length < before.length && left.length > 0)
  t.equal(left[0], before[0])
  t.match(await call('disable_protection', args), { status: 'succeeded', message: /suspended already/ })
  const back = await call('resume_protection', { item: id, dry_run: true })
  t.match(planIn(back), { summary: /under vm-daily-30d/, loses: [] }, 'its own policy takes nothing')
  t.equal((await call('resume_protection', { item: id })).status, 'succeeded')
  virtual.advance(2 * dayMs)
  t.ok(((await pointsOf(estate, id))[0] ?? '') > (before[0] ?? ''), 'backups go on')
})

t.test('deleting with soft delete can be undone until the day that the plan names', async t => {
  const estate = createEstate()
  const { call, confirmed, virtual } = estate
  const before = await pointsOf(estate, item('web-01'))
  const args = { item: item('web-01'), delete_backup_data: true, wait_seconds: 45 }
  const { loses } = planIn(await call('disable_protection', args))
  t.equal(loses.length, 2)
  t.match(loses[1], new RegExp(`^${before.length} recovery points .* soft-deleted for 14 days.* until 2026-12-06`))
  const done = await confirmed('disable_protection', args)
  t.match(done, { status: 'succeeded', message: /undelete_protected_item brings it back until 2026-12-06/ })
  virtual.advance(Date.UTC(2026, 11, 6) - virtual.now())
  const back = await call('undelete_protected_item', { item: item('web-01') })
  t.match(back, { status: 'succeeded', message: /stopped: no backups.*resume_protection, item \/subs.*policy_name/ })
  t.same(await pointsOf(estate, item('web-01')), before)
  t.match(await rowOf(estate, 'vault-prod', 'web-01'), { protection_state: 'ProtectionStopped' })
  t.match(await call('undelete_protected_item', { item: item('web-01') }), { status: 'succeeded', message: /not soft/ })
  await confirmed('disable_protection', args)
  virtual.advance(15 * dayMs)
  t.equal(await rowOf(estate, 'vault-prod', 'web-01'), undefined)
})

t.test('deleting without soft delete is for good, and the plan says so', async t => {
  const estate = createEstate()
  const args = { item: 'test-01', vault: testVault, delete_backup_data: true, wait_seconds: 45 }
  const { loses } = planIn(await estate.call('disable_protection', args))
  t.match(loses[1], /^30 recovery points .* soft delete is off, so they are gone at once and for good/)
  t.match(await estate.confirmed('disable_protection', args), { status: 'succeeded', message: /deleted for good/ })
  t.equal(await rowOf(estate, testVault, 'test-01'), undefined)
})

/** What a deletion says of an item: its summary, and what is lost. */
const deletions: [name: string, item: string, summary: RegExp, loses: RegExp[]][] = [
  [
    'that a backup runs of may lose that one too',
    'rg-app/web-02',
    /^Stop the protection of web-02/,
    [/^no new recovery points.*; a backup that runs now makes none$/, /^51 recovery points/],
  ],
  [
    'that is stopped is not stopped again',
    'rg-app/app-02',
    /^Delete the recovery points of app-02 \(rg-app\)\.$/,
    [/^46 rec/],
  ],
  [
    'that has no recovery points promises to bring back none',
    'rg-app/app-03',
    /^Stop the protection of app-03 \(rg-app\) and delete its item, which has no recovery points\.$/,
    [/^no new/, /^its item, which has no recovery points: soft-deleted.*brings it back until 2026-12-06.*it is gone/],
  ],
]
for (const [name, of, summary, loses] of deletions)
  t.test(`the deletion of an item ${name}`, async t => {
    const { call } = createEstate()
    const args = { item: of, workload_type: 'VM' }
    if (of.endsWith('app-03')) await call('enable_protection', { ...args, policy_name: 'DefaultPolicy' })
    const plan = planIn(await call('disable_protection', { ...args, delete_backup_data: true, dry_run: true }))
    t.match(plan.summary, summary)
    t.equal(plan.loses.length, loses.length)
    t.match(plan.loses, loses)
  })

t.test('in a guarded vault the requests of the guard are sent along', async t => {
  const guard = `${inGroup('rg-security')}/providers/Microsoft.DataProtection/resourceGuards/guard-prod`
  const vault = vaultId('vault-guarded')
  const id = item('vault-01', vault)
  for (const [args, sent] of [
    [{ item: id }, [`PUT ${id}`]],
    [
      { item: id, delete_backup_data: true },
      [`POST ${vault}/backupResourceGuardProxies/VaultProxy/unlockDelete`, `DELETE ${id}`],
    ],
  ] as const) {
    const { call, confirmed, taken, world } = createEstate()
    world.state.isGuardWithheld = true
    const { details } = await call('disable_protection', args)
    const { confirmation } = details as { confirmation: string }
    const refused = await call('disable_protection', { ...args, confirm: confirmation })
    t.match(refused, {
      code: 'forbidden',
      message: /guard-prod/,
      remediation: /Backup MUA Operator/,
      details: { resource_guard: guard },
    })
    t.same(taken('writes'), sent.slice(0, 1), 'nothing after the refusal')
    world.state.isGuardWithheld = false
    const done = await call('disable_protection', { ...args, confirm: confirmation, wait_seconds: 45 })
    t.equal(done.status, 'succeeded', 'what was refused used no confirmation up')
    t.same(taken('writes'), sent)
    await t.rejects(confirmed('disable_protection', args), 'it is done')
  }
})

t.test('a policy that keeps less lets points expire, as many as the plan says at most', async t => {
  const estate = createEstate()
  const { call, confirmed } = estate
  const before = await pointsOf(estate, item('web-01'))
  const args = { item: item('web-01'), policy_name: 'DefaultPolicy' }
  const { summary, loses } = planIn(await call('enable_protection', args))
  t.match(summary, /protected already: change the policy from vm-daily-30d to DefaultPolicy/)
  t.match(loses, [
    new RegExp(`^some of ${before.length} recovery points .*under DefaultPolicy: weekly points are no longer kept`),
  ])
  t.equal((await confirmed('enable_protection', args)).status, 'succeeded')
  const oldest = new Date(Date.UTC(2026, 10, 22) - 30 * dayMs).toISOString()
  t.same(
    await pointsOf(estate, item('web-01')),
    before.filter(time => time >= oldest),
  )
  t.match(await rowOf(estate, 'vault-prod', 'web-01'), { policy_name: 'DefaultPolicy' })
})

t.test('a policy that keeps more needs no word, and loses no point', async t => {
  const estate = createEstate()
  const id = item('app-01')
  const before = await pointsOf(estate, id)
  const args = { item: id, policy_name: 'EnhancedPolicy' }
  const { loses, keeps } = planIn(await estate.call('enable_protection', { ...args, dry_run: true }))
  t.same(loses, [])
  t.match(keeps, [new RegExp(`^${before.length} recovery points .* each as long as before or longer`), /all disks/])
  t.equal((await estate.call('enable_protection', args)).status, 'succeeded')
  t.same(await pointsOf(estate, id), before)
})

t.test('a policy that keeps less is guarded too, one that keeps more is not', async t => {
  const vault = vaultId('vault-guarded')
  const { call, taken, bodies, world } = createEstate()
  const policies = world.state.vaults.get(vault.toLowerCase())?.policies
  const daily = world.state.vaults.get(prod.toLowerCase())?.policies.get('vm-daily-30d')
  if (!daily) throw new Error('no such policy')
  policies?.set('vm-daily-30d', daily)
  const change = async (policy_name: string): Promise<unknown> => {
    const args = { item: item('vault-01', vault), policy_name }
    const { confirmation } = await call('enable_protection', { ...args, dry_run: true })
    taken()
    t.equal((await call('enable_protection', { ...args, confirm: confirmation })).status, 'succeeded')
    const { properties } = bodies.find(Boolean) as { properties: Args }
    return properties.resourceGuardOperationRequests
  }
  t.equal(await change('vm-daily-30d'), undefined)
  t.match(await change('DefaultPolicy'), [/guard-prod\/updateProtectedItemRequests\/default$/])
})

t.test('resuming lets points that were kept for good expire again, and the plan says so', async t => {
  const estate = createEstate()
  const { call, confirmed, virtual } = estate
  virtual.advance(40 * dayMs)
  const before = await pointsOf(estate, item('app-02'))
  const args = { item: item('app-02'), policy_name: 'vm-daily-30d' }
  const { loses } = planIn(await call('resume_protection', args))
  t.match(loses, [
    new RegExp(
      `^${before.length} recovery points .* vm-daily-30d: 30 days, 12 weeks.* before 2026-12-02\\) is deleted`,
    ),
  ])
  const done = await confirmed('resume_protection', args)
  t.match(done, { status: 'succeeded', message: /protected again, under vm-daily-30d/ })
  const left = await pointsOf(estate, item('app-02'))
  t.ok(left.length < before.length, `${left.length} of ${before.length} are left`)
  t.match(await rowOf(estate, 'vault-prod', 'app-02'), { protection_state: 'Protected', policy_name: 'vm-daily-30d' })
})

t.test('a string for a suspension holds while the policy that its plan tells of stays as it is', async t => {
  const { call, confirmed } = createEstate()
  const secure = { vault: 'vault-secure' }
  const eu = { item: 'rg-eu/eu-01', workload_type: 'VM', ...secure }
  const grow = () =>
    call('update_policy', { ...secure, policy_name: 'vm-daily-30d', retention: { daily: { days: 60 } } })
  const suspend = { ...eu, retain: 'as_per_policy', wait_seconds: 45 }
  const { details } = await call('disable_protection', suspend)
  t.equal((await grow()).status, 'succeeded')
  const { confirmation: confirm } = details as { confirmation: string }
  t.equal((await call('disable_protection', { ...suspend, confirm })).code, 'confirmation_required')
  t.equal((await confirmed('disable_protection', suspend)).status, 'succeeded')
})

t.test('resuming keeps the choice of disks', async t => {
  const { call, confirmed } = createEstate()
  const args = { item: 'rg-app/web-02', workload_type: 'VM' }
  await confirmed('enable_protection', { ...args, policy_name: 'vm-hourly-enhanced', exclude_disk_luns: [1] })
  await confirmed('disable_protection', { ...args, wait_seconds: 45 })
  const plan = planIn(await call('resume_protection', { ...args, policy_name: 'vm-hourly-enhanced', dry_run: true }))
  t.match(plan.requests[0]?.body?.properties, exclusion(false, 1))
  t.match(plan.keeps, ['the choice of disks: all disks but LUN 1'])
})

// Without the right string nothing is changed.

/** Somebody else puts it under another policy, and no point expires. */
const moveWeb01 = ({ world }: Estate): void => {
  for (const [key, each] of world.state.vaults.get(prod.toLowerCase())?.items ?? [])
    if (key.endsWith(';rg-app;web-01')) each.policy = 'enhancedpolicy'
}

/** What makes a string of web-01's deletion worthless. */
const spoiled: [name: string, code: string, between: (estate: Estate) => Promise<unknown>, args?: Args][] = [
  ['that is used for another item', 'confirmation_required', async () => {}, { item: item('web-02') }],
  ['that is used for something else', 'confirmation_required', async () => {}, { delete_backup_data: false }],
  ['that has lapsed', 'confirmation_required', async ({ clock }) => clock.advance(10 * 60_000)],
  [
    'issued before the item was stopped',
    'confirmation_required',
    ({ confirmed }) => confirmed('disable_protection', { item: item('web-01'), wait_seconds: 45 }),
  ],
  ['issued before its policy was changed', 'confirmation_required', async estate => moveWeb01(estate)],
  [
    'issued before it had one point more',
    'confirmation_required',
    ({ call }) => call('trigger_backup', { item: item('web-01'), wait_seconds: 300 }),
  ],
  [
    'issued while soft delete was on',
    'confirmation_required',
    async ({ world }) => {
      const vault = world.state.vaults.get(prod.toLowerCase())
      if (vault) vault.softDelete = { state: 'Disabled', days: 14 }
    },
  ],
  ['that is a bare true', 'invalid_arguments', async () => {}, { confirm: true }],
]
for (const [name, code, between, args] of spoiled)
  t.test(`a string ${name} deletes nothing`, async t => {
    const estate = createEstate()
    const wanted = { item: item('web-01'), delete_backup_data: true }
    const { confirmation } = await estate.call('disable_protection', { ...wanted, dry_run: true })
    await between(estate)
    estate.taken()
    t.equal((await estate.call('disable_protection', { ...wanted, confirm: confirmation, ...args })).code, code)
    t.same(estate.taken('writes'), [])
  })

// After a lost answer what stands there tells.

const doubtful: [name: string, tool: 'enable' | 'disable', args: Args, method: string][] = [
  ['protecting', 'enable', { item: item('app-03'), policy_name: 'vm-daily-30d' }, 'PUT'],
  ['stopping', 'disable', { item: item('web-01') }, 'PUT'],
  ['deleting', 'disable', { item: item('web-01'), delete_backup_data: true }, 'DELETE'],
]
for (const [name, tool, args, method] of doubtful)
  t.test(`${name}, with the answer lost, is found done`, async t => {
    const { call, rule, taken } = createEstate()
    const { confirmation } = await call(toolNames[tool], { ...args, dry_run: true })
    taken()
    let isCut = false
    rule.interfere = given => {
      const isFirst = given === method && !isCut
      if (isFirst) isCut = true
      return isFirst ? 'inside_answer' : undefined
    }
    const answer = await call(toolNames[tool], { ...args, confirm: confirmation, wait_seconds: 45 })
    t.match(answer, { status: 'succeeded', job_id: String, warnings: [/lost/] })
    t.equal(taken('writes').length, 1)
  })

for (const [name, tool, args, method] of doubtful.filter(([name]) => name !== 'protecting'))
  t.test(`${name}, lost on its way while somebody else changes the item, is not taken for done`, async t => {
    const estate = createEstate()
    const { call, rule, taken } = estate
    const { confirmation } = await call(toolNames[tool], { ...args, dry_run: true })
    rule.interfere = given => {
      if (given !== method) return undefined
      moveWeb01(estate)
      return 'inside'
    }
    taken()
    const answer = await call(toolNames[tool], { ...args, confirm: confirmation })
    t.match(answer, { isError: true, details: { outcome: 'unknown' } })
    t.same(taken('writes'), [])
  })
