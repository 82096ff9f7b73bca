/** The simulated Azure as its users start it: alone, and inside the server. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { Recording } from '../src/arm/recordings.ts'
import { checked } from './helpers/checked.ts'
import { faultsOf } from './helpers/definitions.ts'
import { type Called, Server } from './helpers/server.ts'

t.jobs = 4
t.setTimeout(120_000)

const production = '11111111-1111-4111-8111-111111111111'
const place = { subscription_id: production, resource_group: 'rg-backup', vault_name: 'vault-prod' }
const vaults = `/subscriptions/${production}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults`
const vaultId = `${vaults}/vault-prod`

const seed = (name: string): string =>
  JSON.stringify({
    subscriptions: [{ id: production, name: 'Mine' }],
    vaults: [{ name, resource_group: 'rg-mine', location: 'westus' }],
  })

const names = ({ body }: Called): string[] => (body.vaults as { vault_name: string }[]).map(row => row.vault_name)

interface Place {
  endpoint: string
  token: string
}

/** The command `simulate`, spoken to over HTTP. */
const simulate = async (t: Test, ...args: string[]) => {
  const server = new Server(t, { args: ['simulate', ...args] })
  const said = (await server.until(() => server.messages[0])) as unknown as Place
  const ask = async (where: string, method = 'GET', body?: object) => {
    const url = `${said.endpoint}${where}${where.startsWith('/_') ? '' : '?api-version=2016-06-01'}`
    const headers = { authorization: `Bearer ${said.token}`, 'content-type': 'application/json' }
    const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  return { server, said, ask }
}

t.test('simulate prints one line that names everything a client needs', async t => {
  const { server, said, ask } = await simulate(t)
  t.match(said, { ...place, endpoint: /^http:\/\/127\.0\.0\.1:\d+$/, token: 'simulated-azure-token' })
  t.match(await ask(vaultId), { status: 200, body: { name: 'vault-prod', location: 'eastus' } })
  t.equal((await fetch(`${said.endpoint}${vaultId}?api-version=2016-06-01`)).status, 401)
  server.process.stdin.end()
  t.equal((await ask(vaultId)).status, 200, 'the end of stdin is not its end')
  server.process.kill('SIGTERM')
  t.equal(await server.exit, 0)
  t.equal(server.messages.length, 1)
  t.equal(server.stderr, '')
})

for (const signal of ['SIGINT', 'SIGHUP'] as const)
  t.test(`simulate ends on ${signal}`, async t => {
    const { server } = await simulate(t)
    server.process.kill(signal)
    t.equal(await server.exit, 0)
  })

t.test('simulate --until-stdin-closes ends with the one who started it', async t => {
  const { server, ask } = await simulate(t, '--until-stdin-closes', '--verbose')
  server.raw('what is written to it is nobody’s business\n')
  t.equal((await ask(vaultId)).status, 200)
  t.equal(await server.end(), 0)
  t.match(server.stderr, / debug answered method="GET" url="\S+" status=200\n/)
  t.notMatch(server.stderr, /simulated-azure-token/)
})

t.test('a port may be chosen, and one that is taken is an error', async t => {
  const taken = createServer()
  await new Promise<void>(go => taken.listen(0, '127.0.0.1', go))
  const port = String((taken.address() as AddressInfo).port)
  const refused = new Server(t, { args: ['simulate', '--port', port] })
  t.equal(await refused.exit, 1)
  t.match(refused.stderr, /^recovery-services-server: [^\n]*EADDRINUSE[^\n]*\n$/)
  await new Promise(go => taken.close(go))
  const { said } = await simulate(t, '--port', port)
  t.equal(said.endpoint, `http://127.0.0.1:${port}`)
})

t.test('simulate keeps its state in a file, and goes on from it', async t => {
  t.testdir({ 'seed.json': seed('vault-mine') })
  const file = path.join(t.testdirName, 'state.json')
  const args = ['--state', file, '--seed', path.join(t.testdirName, 'seed.json'), '--time-scale', '0']
  const group = vaults.replace('rg-backup', 'rg-mine')
  const first = await simulate(t, ...args)
  t.match(first.said, { resource_group: 'rg-mine', vault_name: 'vault-mine' })
  t.equal((await first.ask(`${group}/vault-mine`, 'PATCH', { tags: { kept: 'yes' } })).status, 200)
  await first.ask('/_simulate/advance', 'POST', { seconds: 3600 })
  first.server.process.kill('SIGTERM')
  t.equal(await first.server.exit, 0)
  t.equal(statSync(file).mode & 0o777, 0o600)

  const second = await simulate(t, ...args)
  t.match(second.said, { resource_group: 'rg-mine', vault_name: 'vault-mine' })
  const { headers, body } = await second.ask(`${group}/vault-mine`)
  t.match(body, { tags: { kept: 'yes' } })
  t.match(headers.get('date'), / 09:00:00 GMT$/)

  // What a crash leaves is what was changed last.
  await second.ask(`${group}/vault-mine`, 'PATCH', { tags: { kept: 'still' } })
  while (!readFileSync(file, 'utf8').includes('still')) await new Promise(go => setImmediate(go))
  second.server.process.kill('SIGKILL')
  await second.server.exit
  const server = new Server(t, { args: ['--simulate', '--state', file] })
  t.match((await server.call('get_vault')).body, { vault_name: 'vault-mine', tags: { kept: 'still' } })
  t.equal(await server.end(), 0)
  t.same(readdirSync(t.testdirName).sort(), ['seed.json', 'state.json'])
})

t.test('the server answers from a simulated Azure without a configuration, in both eras', async t => {
  for (const era of ['modern', 'legacy'] as const) {
    const server = new Server(t, { args: ['--simulate'], era })
    if (era === 'legacy') await server.initialize()
    const { body } = await server.call('test_connection')
    t.match(body, {
      vault_id: vaultId,
      permissions: { read: true },
      checks: [
        { name: 'configuration', status: 'ok', message: /^Azure is simulated; .*vaults vault-prod$/ },
        { name: 'sign_in', status: 'skipped', message: /simulated.*nobody signs in/ },
        { name: 'azure', status: 'ok', message: /^the simulated Azure answered in \d+ ms/ },
        { name: 'vault', status: 'ok' },
        { name: 'permissions', status: 'ok' },
      ],
    })
    t.ok(names(await server.call('list_vaults')).includes('vault-prod'))
    t.match(await server.call('get_vault', { vault: 'rg-backup/gone' }), {
      isError: true,
      error: { code: 'not_found' },
    })
    t.equal(await server.end(), 0)
    t.equal(server.stderr, '')
  }
})

t.test('of the configuration only what concerns the tools counts', async t => {
  const folder = t.testdir({
    'config.toml': `[recovery_services]
enabled = false
subscription_id = 5
resource_group = "rg-else"
vault_name = "vault-else"
arm_endpoint = "https://else.example"
api_version = "2016-06-01"
read_onyl = true
read_only = true
toolsets = ["vaults"]
[recovery_services.http]
proxy = "no url"
[recovery_services.vaults.else]
name = "vault-else"
is_default = true
`,
    'bad.toml': '[recovery_services]\nread_only = "yes"\nvault_name = 5\n',
  })
  const env = {
    AZURE_SUBSCRIPTION_ID: 'else',
    AZURE_VAULT_NAME: 'else',
    AZURE_ACCESS_TOKEN: 'x',
    HTTPS_PROXY: 'http://x',
  }
  const server = new Server(t, { args: ['--simulate', '--config', path.join(folder, 'config.toml')], env })
  const { result } = await server.request('tools/list')
  const tools = result?.tools as { name: string }[]
  t.ok(tools.length > 0 && tools.every(({ name }) => /vault|connection/.test(name)), 'toolsets')
  t.match((await server.call('test_connection')).body, {
    vault_id: vaultId,
    checks: [{ message: /vaults vault-prod; read-only; .*read_onyl is not a known key/ }],
  })
  t.equal(await server.end(), 0)
  t.match(server.stderr, /^recovery-services-server: [^\n]*read_onyl[^\n]*\n$/)

  const faulty = new Server(t, { args: ['--simulate', '--config', path.join(folder, 'bad.toml')] })
  const { error } = await faulty.call('list_vaults')
  t.match(error, {
    code: 'not_configured',
    message: /has a fault: \S+ recovery_services\.read_only must be true or false/,
  })
})

t.test('files that cannot be used end the server and every command with 2 and one line', async t => {
  const folder = t.testdir({ 'bad.json': '{', 'other.json': '{"subscriptions":[]}' })
  const at = (name: string) => path.join(folder, name)
  const notJson = /--seed \S+bad\.json is not JSON at position 1\. Name a file/
  const rows: [flags: string[], line: RegExp][] = [
    [['--seed', at('gone.json')], /--seed \S+gone\.json: there is no such file/],
    [['--seed', at('bad.json')], notJson],
    [['--seed', at('other.json')], /--seed \S+other\.json is no estate: .*subscriptions/],
    [['--state', at('bad.json')], /--state \S+bad\.json cannot be used, and is left as it is/],
    [['--state', at('nowhere/state.json')], /--state \S+state\.json cannot be written: ENOENT/],
  ]
  const commands = [
    ['call', 'list_vaults', '--simulate'],
    ['tools', '--simulate'],
    ['status', '--simulate'],
    ['simulate'],
  ]
  const asked: [args: string[], line: RegExp][] = [
    ...rows.map(([flags, line]): [string[], RegExp] => [['--simulate', ...flags], line]),
    ...commands.map((command): [string[], RegExp] => [[...command, '--seed', at('bad.json')], notJson]),
  ]
  for (const [args, line] of asked) {
    const server = new Server(t, { args })
    t.equal(await server.exit, 2, args.join(' '))
    t.match(server.stderr, line)
    t.match(server.stderr, /^recovery-services-server: [^\n]*\n$/, 'one line')
    t.same(server.messages, [], 'nothing on stdout')
  }
  t.equal(readFileSync(at('bad.json'), 'utf8'), '{')
})

t.test('what is simulated can be recorded, and the recording replayed', async t => {
  t.testdir({})
  const first = new Server(t, { args: ['--simulate', '--record', t.testdirName] })
  const told = await first.call('list_vaults', { subscription: production })
  t.equal(await first.end(), 0)
  const text = readdirSync(t.testdirName).map(name => readFileSync(path.join(t.testdirName, name), 'utf8'))
  t.equal(text.length, 1)
  t.notMatch(text[0], /simulated-azure-token/)
  const second = new Server(t, { args: ['--replay', t.testdirName] })
  const again = await second.call('list_vaults', { subscription: production })
  t.same(names(again), names(told))
})

t.test('signals save the state too, and a state that cannot be saved is told of', async t => {
  t.testdir({})
  const file = path.join(t.testdirName, 'state.json')
  const server = new Server(t, { args: ['--simulate', '--state', file, '--time-scale', '86400'] })
  await server.call('list_vaults')
  const before = readFileSync(file, 'utf8')
  server.process.kill('SIGTERM')
  t.equal(await server.exit, 0)
  t.not(readFileSync(file, 'utf8'), before)
  t.equal(server.stderr, '')

  const unable = new Server(t, { args: ['--simulate', '--state', file] })
  await unable.call('list_vaults')
  writeFileSync(path.join(t.testdirName, 'x'), '')
  t.testdir({ 'state.json': { 'is a folder now': '' } })
  t.equal(await unable.end(), 0)
  t.match(unable.stderr, /^recovery-services-server: the state of the simulated Azure was not saved: [^\n]*\n$/)
})

/** The simulated day and that of the server that asks over HTTP are not at the same hour. */
const ever = { since: '2020-01-01T00:00:00Z' }
/** Every tool, with arguments that make it ask for everything that it may ask for. */
const everything: [tool: string, args: Record<string, unknown>][] = [
  ['list_vaults', {}],
  ['list_vaults', { resource_group: 'rg-backup' }],
  ['get_vault', { vault: 'vault-secure', include_usage: true }],
  ['test_connection', {}],
  ['check_registration_status', { vm: 'sql-02' }],
  ['check_registration_status', { vm: 'rg-data/hana-01' }],
  ['list_protectable_containers', {}],
  ['list_protectable_items', {}],
  ['list_workload_items', {}],
  ['list_policies', { workload_type: 'SQL' }],
  ['get_policy_details', { policy_name: 'vm-daily-30d' }],
  ['list_protected_items', { policy_name: 'sql-full-log' }],
  ['list_backup_jobs', { item: 'rg-app/app-01', status: 'Failed', ...ever }],
  ['list_backup_jobs', { workload_type: 'VM', operation: 'Restore', ...ever }],
  ...['rg-app/web-01', 'sql-01/orders', 'hana-01/HXE/SYSTEMDB', 'ase-02/ledger', 'contosofiles/finance'].map(
    (item): [string, Record<string, unknown>] => ['list_recovery_points', { item, ...ever }],
  ),
]

const web = { item: 'rg-app/web-01', workload_type: 'VM' }
const sql = { vm: 'rg-data/sql-02', workload_type: 'SQL' }
/** Every tool that writes, in an order that one estate can take. */
const changes: [tool: string, args: Record<string, unknown>][] = [
  ['cancel_job', { job_id: '8564b595-2d0b-4694-88ae-d03f936d2588' }],
  ['refresh_containers', {}],
  ['create_policy', { policy_name: 'nightly', preset: 'vm-daily-weekly-monthly-yearly' }],
  ['update_policy', { policy_name: 'nightly', retention: { daily: { days: 14 } } }],
  ['enable_protection', { item: 'rg-app/app-03', workload_type: 'VM', policy_name: 'nightly' }],
  ['restore_files', { ...web, point: 'latest' }],
  ['restore_files', { ...web, action: 'unmount' }],
  [
    'restore_vm',
    {
      ...web,
      point: 'latest',
      restore_mode: 'disks',
      staging_storage_account: 'contosostaging',
      target_resource_group: 'rg-app',
    },
  ],
  ['disable_protection', { ...web, wait_seconds: 30 }],
  ['resume_protection', { ...web, policy_name: 'vm-daily-30d' }],
  ['trigger_backup', { item: 'rg-app/app-01', workload_type: 'VM' }],
  ['undelete_protected_item', { item: 'rg-app/old-01', workload_type: 'VM' }],
  ['disable_protection', { item: 'rg-app/old-01', workload_type: 'VM', delete_backup_data: true, wait_seconds: 30 }],
  ['disable_protection', { item: 'rg-app/app-03', workload_type: 'VM', delete_backup_data: true, wait_seconds: 30 }],
  ['delete_policy', { policy_name: 'nightly' }],
  ['register_vm', sql],
  ['reregister_vm', sql],
  ['unregister_vm', { ...sql, wait_seconds: 30 }],
  ['clear_auth_cache', {}],
]

t.test('every tool asks the simulated Azure over HTTP, and all that is said is as Azure defines it', async t => {
  const { server, said, ask } = await simulate(t)
  const folder = t.testdir({
    'config.toml': `[recovery_services]
subscription_id = "${production}"
resource_group = "rg-backup"
vault_name = "vault-prod"
arm_endpoint = "${said.endpoint}"
confirmation = "off"
`,
    recorded: {},
  })
  const recorded = path.join(folder, 'recorded')
  const args = ['--config', path.join(folder, 'config.toml'), '--record', recorded]
  const calls = await checked(t, { args, env: { AZURE_ACCESS_TOKEN: said.token } })
  for (const [tool, given] of everything) {
    const lists = Object.values(await calls.good(tool, given)).filter(Array.isArray)
    t.ok(lists.length === 0 || lists.some(rows => rows.length > 0), `${tool} ${JSON.stringify(given)} finds something`)
  }
  const { jobs } = (await calls.good('list_backup_jobs', ever)) as { jobs: { job_id: string }[] }
  for (const { job_id } of jobs) await calls.good('get_job_details', { job_id })
  const backup = `${vaultId}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;web-01/protectedItems/VM;iaasvmcontainerv2;rg-app;web-01/backup`
  const accepted = await ask(backup, 'POST', { properties: { objectType: 'IaasVMBackupRequest' } })
  t.equal(accepted.status, 202)
  const operation_url = accepted.headers.get('azure-asyncoperation')
  t.match(await calls.good('track_async_operation', { operation_url }), { operation_id: String })
  for (const [tool, given] of changes) await calls.good(tool, given)
  const named = [...everything, ...changes].map(([tool]) => tool)
  const used = new Set(['get_job_details', 'track_async_operation', ...named])
  t.same(
    calls.tools.map(({ name }) => name.replace('recovery_services_', '')).sort(),
    [...used].sort(),
    'no tool is left out',
  )
  t.equal(await calls.server.end(), 0)
  server.process.kill('SIGTERM')

  const [name = ''] = readdirSync(recorded)
  const { exchanges } = JSON.parse(readFileSync(path.join(recorded, name), 'utf8')) as Recording
  t.ok(exchanges.length > everything.length)
  const wrong = exchanges.map(one => [`${one.request.method} ${one.request.url}`, faultsOf(one)])
  t.same(
    wrong.filter(([, faults]) => faults?.length !== 0),
    [],
  )
})
