/** Registering VMs for their databases, doing it anew, unregistering them, and looking for new ones. */
import t from 'tap'
import { keyOf } from '../../src/simulator/state.ts'
import { type Cut, createEstate, type Interfere, inGroup, vaultId } from '../helpers/estate.ts'

type Estate = ReturnType<typeof createEstate>

const prod = vaultId('vault-prod')
const containerOf = (vm: string, vault = prod) =>
  `${vault}/backupFabrics/Azure/protectionContainers/VMAppContainer;Compute;rg-data;${vm}`
const vmId = (name: string, group = 'rg-app') => `${inGroup(group)}/providers/Microsoft.Compute/virtualMachines/${name}`
const refresh = `POST ${prod}/backupFabrics/Azure/refreshContainers`

const stateOf = ({ world }: Estate, vault = prod) => {
  const found = world.state.vaults.get(keyOf(vault))
  if (!found) throw new Error(`no vault ${vault}`)
  return found
}
const registeredFor = (estate: Estate, vm: string, vault = prod) =>
  stateOf(estate, vault).containers.get(keyOf(`VMAppContainer;Compute;rg-data;${vm}`))?.inquired

/** The bodies of the PUTs, by what tells them apart. */
const workloadsSent = ({ bodies }: Estate) =>
  bodies.flatMap(body => {
    const { properties } = (body ?? {}) as { properties?: { workloadType?: string; operationType?: string } }
    return properties ? [[properties.workloadType, properties.operationType].filter(Boolean).join(' ')] : []
  })
const writes = ({ received }: Estate) => received.filter(text => !text.startsWith('GET '))

/** Every operation of the vault takes an hour more, as soon as somebody asks for one. */
const slow =
  (estate: Estate): Interfere =>
  (_, path) => {
    if (/operationResults/.test(path))
      for (const operation of stateOf(estate).operations.values()) operation.endMs = Date.UTC(2027, 0)
    return undefined
  }

// ---------------------------------------------------------------- registering
t.test('a VM is registered for its databases as the plan said', async t => {
  const estate = createEstate()
  const planned = await estate.call('register_vm', { vm: 'rg-data/sql-02', workload_type: 'mssql', dry_run: true })
  t.match(planned, {
    status: 'planned',
    plan: { summary: /sql-02 \(rg-data\) with vault-prod.*SQL/, loses: [], vault: { guarded: false } },
  })
  t.notOk('message' in planned || 'confirmation' in planned)
  t.same(estate.taken('writes'), [])
  const done = await estate.call('register_vm', { vm: 'rg-data/sql-02', workload_type: 'SQL' })
  t.same(writes(estate), [`PUT ${containerOf('sql-02')}`])
  t.same(estate.bodies.filter(Boolean), [
    {
      properties: {
        backupManagementType: 'AzureWorkload',
        containerType: 'VMAppContainer',
        sourceResourceId: vmId('sql-02', 'rg-data'),
        workloadType: 'SQLDataBase',
      },
    },
  ])
  t.same(estate.bodies.filter(Boolean), [(planned.plan as { requests: { body: object }[] }).requests[0]?.body])
  t.match(done, { status: 'succeeded', container_id: containerOf('sql-02'), item_id: null, message: /for SQL\. / })
  t.same(registeredFor(estate, 'sql-02'), ['SQL'])
  t.match(estate.reports[0], { progress: 0, total: 45 })
})

for (const vm of ['sql-02', 'RG-DATA/SQL-02', vmId('sql-02', 'rg-data'), containerOf('sql-02')])
  t.test(`${vm} is one VM`, async t => {
    const estate = createEstate()
    t.match(await estate.call('register_vm', { vm, workload_type: 'SQL' }), { status: 'succeeded' })
    t.same(
      writes(estate).map(text => text.toLowerCase()),
      [`PUT ${containerOf('sql-02')}`.toLowerCase()],
    )
  })

t.test('what is registered is said, and nothing is sent', async t => {
  const estate = createEstate()
  const done = await estate.call('register_vm', { vm: 'rg-data/sql-01', workload_type: 'SQL' })
  t.match(done, {
    status: 'succeeded',
    operation_id: null,
    message: /sql-01.*for SQL already; there is nothing to send/,
  })
  t.same(estate.taken('writes'), [])
  const planned = await estate.call('register_vm', { vm: 'sql-01', workload_type: 'SQL', dry_run: true })
  t.same((planned.plan as { requests: object[] }).requests, [])
})

t.test('a container that is there for another workload gets one more', async t => {
  const estate = createEstate()
  await estate.call('register_vm', { vm: 'rg-data/sql-01', workload_type: 'hana' })
  t.same(workloadsSent(estate), ['SAPHanaDatabase'])
  t.same(registeredFor(estate, 'sql-01'), ['SQL', 'SAPHana'])
})

t.test('any database is SQL, HANA and ASE one after another, each after the end of the one before', async t => {
  const estate = createEstate()
  const done = await estate.call('register_vm', {
    vm: 'rg-data/sql-02',
    workload_type: 'any database',
    wait_seconds: 0,
  })
  t.same(workloadsSent(estate), ['SQLDataBase', 'SAPHanaDatabase', 'SAPAseDatabase'])
  t.match(done, { status: 'succeeded', message: /SQL, SAP HANA and SAP ASE/ })
  const ends = estate.received.map(text =>
    text.startsWith('PUT') ? 'put' : /operationResults/.test(text) ? 'poll' : '',
  )
  t.match(ends.join(' ').replace(/ +/g, ' '), /put (poll )+put (poll )+put/)
  estate.taken()
  await estate.call('register_vm', { vm: 'rg-data/sql-01', workload_type: 'AnyDatabase' })
  t.same(workloadsSent(estate), ['SAPHanaDatabase', 'SAPAseDatabase'], 'what is registered is left out')
})

t.test('what the time does not suffice for is not sent, and named', async t => {
  const estate = createEstate()
  estate.rule.interfere = slow(estate)
  const going = await estate.call('register_vm', { vm: 'rg-data/sql-02', workload_type: 'AnyDatabase' })
  t.same(workloadsSent(estate), ['SQLDataBase'])
  t.match(going, {
    status: 'in_progress',
    operation_id: String,
    warnings: [/step 1 of 3.*Not sent yet: register for SAP HANA; register for SAP ASE\./],
  })
})

t.test('a step that fails says what is done and what was not sent', async t => {
  const estate = createEstate()
  const vm = estate.world.state.vms.get(keyOf(vmId('sql-02', 'rg-data')))
  estate.rule.interfere = (method, path) => {
    if (vm && method === 'PUT' && registeredFor(estate, 'sql-02') && path.endsWith('sql-02')) vm.isAgentReady = false
    return undefined
  }
  const failed = await estate.call('register_vm', { vm: 'rg-data/sql-02', workload_type: 'AnyDatabase' })
  t.match(failed, {
    isError: true,
    code: 'azure_error',
    azure_code: 'UserErrorGuestAgentStatusUnavailable',
    message: /^Step 2 of 3 failed: .* 1 before it is done\. Not sent yet: register for SAP ASE\.$/s,
  })
  t.same(workloadsSent(estate), ['SQLDataBase', 'SAPHanaDatabase'])
})

t.test('a failure of the only step says nothing of steps', async t => {
  const { call } = createEstate()
  const failed = await call('register_vm', { vm: 'rg-app/app-01', workload_type: 'SQL' })
  t.match(failed, { code: 'azure_error', message: /^Azure accepted.*agent/s })
  t.notMatch(failed.message, /step/i)
})

t.test('a guarded vault registers as any other, and its plan says that it is guarded', async t => {
  const estate = createEstate()
  const args = { vault: 'vault-guarded', vm: 'rg-data/sql-02', workload_type: 'SQL' }
  t.match(await estate.call('register_vm', { ...args, dry_run: true }), { plan: { vault: { guarded: true } } })
  t.match(await estate.call('register_vm', args), { status: 'succeeded', vault_name: 'vault-guarded' })
  t.match(await estate.confirmed('unregister_vm', args), { status: 'succeeded' })
  t.equal(registeredFor(estate, 'sql-02', vaultId('vault-guarded')), undefined)
})

t.test('a container of a VM of another subscription is not touched', async t => {
  const estate = createEstate()
  const vm = vmId('sql-01', 'rg-data').replace(/[0-9a-f-]{36}/, '22222222-2222-4222-8222-222222222222')
  for (const tool of ['register_vm', 'reregister_vm', 'unregister_vm'] as const)
    t.match(await estate.call(tool, { vm, workload_type: 'SQL' }), { code: 'conflict', message: /another VM/ })
  t.same(estate.taken('writes'), [])
})

// ---------------------------------------------------------------- registering anew
t.test('a registered VM is registered anew, for all that it is registered for', async t => {
  const estate = createEstate()
  t.match(await estate.call('reregister_vm', { vm: 'sql-01', workload_type: 'AnyDatabase', dry_run: true }), {
    plan: { summary: /anew for SQL\./, keeps: [/recovery points/, /registration for SQL/], loses: [] },
  })
  t.same(estate.taken('writes'), [])
  const before = registeredFor(estate, 'sql-01')
  const done = await estate.call('reregister_vm', { vm: 'rg-data/sql-01', workload_type: 'AnyDatabase' })
  t.match(done, { status: 'succeeded', message: /for SQL\. / })
  t.same(workloadsSent(estate), ['SQLDataBase Reregister'])
  t.same(registeredFor(estate, 'sql-01'), before)
})

// ---------------------------------------------------------------- unregistering
t.test('unregistering does what its plan said, after a word', async t => {
  const estate = createEstate()
  const args = { vm: 'ase-01', workload_type: 'sapase' }
  const planned = await estate.call('unregister_vm', { ...args, dry_run: true })
  t.match(planned, {
    status: 'planned',
    confirmation: String,
    plan: {
      summary: 'Unregister ase-01 (rg-data) from vault-prod.',
      keeps: [/the VM/, /vault-prod has none/],
      loses: [/the registration of ase-01 \(rg-data\) for SAP ASE/],
    },
  })
  t.same(estate.taken('writes'), [])
  const others = stateOf(estate).containers.size - 1
  const done = await estate.call('unregister_vm', { ...args, confirm: planned.confirmation })
  t.match(done, { status: 'succeeded', message: /ase-01.*no longer registered/, container_id: containerOf('ase-01') })
  t.same(writes(estate), [`DELETE ${containerOf('ase-01')}`])
  t.equal(registeredFor(estate, 'ase-01'), undefined)
  t.equal(stateOf(estate).containers.size, others, 'and nothing else is gone')
  t.match(estate.reports[0], { total: 45 })
  t.match(await estate.call('unregister_vm', { ...args, vm: 'rg-data/ase-01' }), { code: 'not_found' })
})

t.test('items that are still in it are listed, with the day on which each is gone', async t => {
  const estate = createEstate()
  const orders = [...stateOf(estate).items.values()].find(({ friendlyName }) => friendlyName === 'orders')
  if (orders) orders.softDeleted = { atMs: Date.UTC(2026, 10, 20, 8), days: 14 }
  const refused = await estate.call('unregister_vm', { vm: 'sql-01', workload_type: 'SQL' })
  t.match(refused, {
    code: 'precondition_failed',
    message:
      /3 items.*orders \(soft-deleted, gone for good on 2026-12-04\), sql-01\/MSSQLSERVER\/billing \(Protected\)/,
    remediation: /delete_backup_data.*14 days/,
  })
  const { items } = refused.details as { items: Record<string, unknown>[] }
  t.same(
    items.map(({ id, ...rest }) => [String(id).split('/').at(-1), rest]),
    [
      [
        'SQLDataBase;mssqlserver;orders',
        {
          item: 'sql-01/MSSQLSERVER/orders',
          protection_state: items[0]?.protection_state,
          is_soft_deleted: true,
          gone_on: '2026-12-04',
        },
      ],
      ['SQLDataBase;mssqlserver;billing', { item: 'sql-01/MSSQLSERVER/billing', protection_state: 'Protected' }],
      ['SQLDataBase;mssqlserver;hr', { item: 'sql-01/MSSQLSERVER/hr', protection_state: 'Protected' }],
    ],
  )
  t.same(estate.taken('writes'), [])
  for (const item of stateOf(estate).items.values())
    if (/sql-01$/.test(item.container)) item.softDeleted = { atMs: Date.UTC(2026, 10, 20, 8), days: 14 }
  t.match(await estate.call('unregister_vm', { vm: 'sql-01', workload_type: 'SQL' }), {
    code: 'precondition_failed',
    remediation: /^Wait until they are gone/,
  })
})

t.test('a word given for a container that has changed confirms nothing', async t => {
  const estate = createEstate()
  const args = { vm: 'rg-data/ase-01', workload_type: 'AnyDatabase' }
  const { confirmation } = await estate.call('unregister_vm', { ...args, dry_run: true })
  await estate.call('register_vm', { ...args, workload_type: 'SQL' })
  estate.taken()
  const refused = await estate.call('unregister_vm', { ...args, confirm: confirmation })
  t.match(refused, { code: 'confirmation_required', details: { plan: { loses: [/SQL and SAP ASE/] } } })
  t.same(estate.taken('writes'), [])
  t.match(await estate.call('unregister_vm', { ...args, workload_type: 'SAPAse' }), {
    code: 'precondition_failed',
    message: /SQL and SAP ASE, and Azure unregisters it for all of them at once/,
    remediation: /AnyDatabase/,
  })
})

t.test('a VM that is not there is named, with where to look for those that are', async t => {
  for (const word of ['SQL', 'AnyDatabase']) {
    const { call, taken } = createEstate()
    t.match(await call('register_vm', { vm: 'rg-data/sql-77', workload_type: word }), {
      isError: true,
      code: 'invalid_arguments',
      azure_code: 'BMSUserErrorInvalidInput',
      message: /registers no \/subscriptions\/.*virtualMachines\/sql-77/,
      remediation: /group and name.*eastus.*list_protectable_containers/,
    })
    t.equal(taken('writes').length, 1)
  }
})

// ---------------------------------------------------------------- refusals
const group = `${prod}/backupFabrics/Azure/protectionContainers/SQLAGWorkLoadContainer;ag-1`
const refusals: [tool: 'register_vm' | 'reregister_vm' | 'unregister_vm', args: object, expected: object][] = [
  [
    'register_vm',
    { vm: 'a/b/c', workload_type: 'SQL', vault: 'x?' },
    { code: 'invalid_arguments', message: /vm: .*vault: / },
  ],
  ['register_vm', { vm: 'sql-01' }, { code: 'invalid_arguments', message: /workload_type/ }],
  ['register_vm', { vm: 'sql-01', workload_type: 'AzureFileShare' }, { code: 'invalid_arguments' }],
  ['register_vm', { vm: group, workload_type: 'SQL' }, { code: 'invalid_arguments', message: /availability group/ }],
  ['reregister_vm', { vm: group, workload_type: 'SQL' }, { code: 'invalid_arguments', message: /availability group/ }],
  ['register_vm', { vm: 'sql-10', workload_type: 'SQL' }, { code: 'not_found', details: { candidates: [{}] } }],
  [
    'reregister_vm',
    { vm: 'sql-02', workload_type: 'SQL' },
    { code: 'precondition_failed', remediation: /register_vm/ },
  ],
  [
    'reregister_vm',
    { vm: 'sql-01', workload_type: 'SAPHana' },
    { code: 'precondition_failed', message: /for SQL, not for SAP HANA/ },
  ],
  ['reregister_vm', { vm: 'web-01', workload_type: 'VM' }, { code: 'precondition_failed', message: /no registration/ }],
  [
    'unregister_vm',
    { vm: 'web-01', workload_type: 'VM' },
    { code: 'precondition_failed', remediation: /disable_protection/ },
  ],
  [
    'unregister_vm',
    { vm: 'ase-01', workload_type: 'SQL' },
    { code: 'precondition_failed', message: /for SAP ASE, not for SQL/ },
  ],
  [
    'unregister_vm',
    { vm: 'rg-data/sql-02', workload_type: 'SQL' },
    { code: 'not_found', details: { candidates: [{ vm: 'rg-data/sql-01' }] } },
  ],
  [
    'unregister_vm',
    { vm: 'rg-data/sql-01', workload_type: 'SQL', vault: 'vault-none' },
    { code: 'not_found', message: /vault-none/ },
  ],
]
for (const [tool, args, expected] of refusals)
  t.test(`${tool} refuses ${JSON.stringify(args).slice(0, 70)}, and sends nothing`, async t => {
    const { call, taken } = createEstate()
    t.match(await call(tool, { ...args }), { isError: true, ...expected })
    t.same(taken('writes'), [])
  })

// ---------------------------------------------------------------- VMs themselves
const next: [vm: string, message: RegExp][] = [
  [
    'app-03',
    /has discovered app-03 \(rg-app\)\. Next: recovery_services_enable_protection with item \S+\/app-03 and a policy_name/,
  ],
  [vmId('win-04'), /has discovered win-04/],
  ['rg-app/web-01', /protects web-01 \(rg-app\) already \(Protected, policy/],
  ['app-02', /stopped.*recovery_services_resume_protection with item \S+\/app-02/],
  ['old-01', /soft-deleted.*recovery_services_undelete_protected_item with item \S+\/old-01/],
]
for (const [vm, message] of next)
  t.test(`${vm} needs no registration; what is next is said, and nothing is sent`, async t => {
    const { call, taken } = createEstate()
    const done = await call('register_vm', { vm, workload_type: 'azurevm' })
    t.match(done, { status: 'succeeded', operation_id: null, item_id: String, container_id: null, message })
    t.match(done.message, /Azure needs no registration/)
    t.same(taken('writes'), [])
  })

t.test('a VM that the vault does not list yet is looked for, once', async t => {
  const estate = createEstate()
  stateOf(estate).discovered.delete(keyOf(vmId('app-03')))
  t.match(await estate.call('register_vm', { vm: 'app-03', workload_type: 'VM', dry_run: true }), {
    status: 'planned',
    item_id: null,
    plan: { summary: /does not list app-03 yet/, requests: [{ method: 'POST' }] },
  })
  t.same(estate.taken('writes'), [])
  const done = await estate.call('register_vm', { vm: 'app-03', workload_type: 'VM' })
  t.match(done, { status: 'succeeded', item_id: /;app-03$/, message: /enable_protection/ })
  t.same(estate.taken('writes'), [refresh])
  stateOf(estate).discovered.delete(keyOf(vmId('app-03')))
  estate.rule.interfere = slow(estate)
  t.match(await estate.call('register_vm', { vm: 'app-03', workload_type: 'VM' }), {
    status: 'in_progress',
    operation_id: String,
    message: /Call again when it is done/,
  })
})

t.test('a VM that is nowhere is looked for, and then not found', async t => {
  const { call, taken } = createEstate()
  t.match(await call('register_vm', { vm: 'app-99', workload_type: 'VM' }), {
    code: 'not_found',
    message: /has looked for VMs.*app-99/,
    remediation: /eastus/,
  })
  t.same(taken('writes'), [refresh])
})

t.test('a VM of another vault is refused without looking, and two of one name are told apart', async t => {
  const { call, received } = createEstate()
  t.match(await call('register_vm', { vm: 'rg-app/vault-01', workload_type: 'VM' }), {
    code: 'conflict',
    message: /vault-guarded/,
    details: { vault_id: vaultId('vault-guarded') },
  })
  t.match(await call('register_vm', { vm: 'app-01', workload_type: 'VM' }), {
    code: 'ambiguous',
    details: { candidates: [{ vm: 'rg-app/app-01' }, { vm: 'rg-legacy/app-01' }] },
  })
  t.notOk(received.includes(refresh))
})

// ---------------------------------------------------------------- discovery
const filters: [type: string | undefined, filter: string, message: RegExp][] = [
  [undefined, '', /VMs.*list_protectable_items/],
  ['vm', "?$filter=backupManagementType eq 'AzureIaasVM'", /VMs.*list_protectable_items/],
  ['AzureWorkload', "?$filter=backupManagementType eq 'AzureWorkload'", /databases.*list_protectable_containers/],
  ['afs', "?$filter=backupManagementType eq 'AzureStorage'", /storage accounts.*list_protectable_containers/],
]
for (const [type, filter, message] of filters)
  t.test(`discovery of ${type ?? 'what is not named'}`, async t => {
    const estate = createEstate()
    stateOf(estate).discovered.clear()
    const args = type === undefined ? {} : { backup_management_type: type }
    t.match(await estate.call('refresh_containers', { ...args, dry_run: true }), { status: 'planned' })
    t.same(estate.taken('writes'), [])
    t.match(await estate.call('refresh_containers', args), { status: 'succeeded', job_id: null, message })
    t.same(estate.taken('writes'), [refresh + filter])
    t.ok(stateOf(estate).discovered.size > 0)
    t.match(estate.reports[0], { total: 45 })
  })

t.test('discovery that goes on is said to', async t => {
  const estate = createEstate()
  estate.rule.interfere = slow(estate)
  const going = await estate.call('refresh_containers', { wait_seconds: 5 })
  t.match(going, { status: 'in_progress', operation_id: String, message: /track_async_operation/ })
})

// ---------------------------------------------------------------- lost on the way
const done = { isError: false, status: 'succeeded' }
const unknown = { isError: true, details: { outcome: 'unknown' } }
/** How often Azure received the write where its first answer was lost, and where every one was. */
const lost: [cut: Cut, put: number, put_each: number, post: number, posted: object][] = [
  ['before', 1, 0, 1, done],
  ['inside', 1, 0, 0, unknown],
  ['before_answer', 1, 1, 1, unknown],
  ['inside_answer', 1, 1, 1, unknown],
]
for (const [cut, put, putEach, post, posted] of lost) {
  const once = (method: string): Interfere => {
    let isOver = false
    return sent => {
      if (sent !== method || isOver) return undefined
      isOver = true
      return cut
    }
  }
  t.test(`cut ${cut}: a registration is repeated where nothing shows it, and done once`, async t => {
    const estate = createEstate()
    estate.rule.interfere = once('PUT')
    t.match(await estate.call('register_vm', { vm: 'rg-data/sql-02', workload_type: 'SQL' }), done)
    t.equal(writes(estate).length, put)
    t.same(registeredFor(estate, 'sql-02'), ['SQL'])
    estate.taken()
    estate.rule.interfere = once('PUT')
    t.match(await estate.call('reregister_vm', { vm: 'rg-data/sql-02', workload_type: 'SQL' }), done)
    t.equal(writes(estate).length, put)
  })
  t.test(`cut ${cut}: an unregistration is repeated where nothing shows it, and done once`, async t => {
    const estate = createEstate()
    const { confirmation: confirm } = await estate.call('unregister_vm', {
      vm: 'ase-01',
      workload_type: 'SAPAse',
      dry_run: true,
    })
    estate.rule.interfere = once('DELETE')
    t.match(await estate.call('unregister_vm', { vm: 'ase-01', workload_type: 'SAPAse', confirm }), done)
    t.equal(writes(estate).length, put)
    t.equal(registeredFor(estate, 'ase-01'), undefined)
  })
  t.test(`cut ${cut} each time: what is there tells, or that nothing is known is said`, async t => {
    const estate = createEstate()
    estate.rule.interfere = method => (method === 'PUT' ? cut : undefined)
    const result = await estate.call('register_vm', { vm: 'rg-data/sql-02', workload_type: 'SQL' })
    t.equal(writes(estate).length, putEach)
    if (putEach > 0) t.match(result, { ...done, warnings: [/lost; what is there now shows/] })
    else t.equal(result.isError, true)
    t.same(registeredFor(estate, 'sql-02'), putEach > 0 ? ['SQL'] : undefined)
  })
  t.test(`cut ${cut}: discovery is not asked for twice; to call again is harmless`, async t => {
    const estate = createEstate()
    estate.rule.interfere = once('POST')
    const result = await estate.call('refresh_containers')
    t.match(result, posted)
    if (posted === unknown) t.match(result.remediation, /not sent again\. Nothing is changed by looking twice/)
    t.equal(writes(estate).length, post)
  })
}
