/** Bad arguments, names and configurations, each through the front door: what is refused, how, and that Azure hears nothing. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { entries } from '../src/generated/catalog.ts'
import { toolNames } from '../src/tools/catalog.ts'
import { type Answer, azureError, fakeArm, json, subscription, vaultPath } from './helpers/fake-arm.ts'
import { type Refusal, refusal, withServer } from './helpers/refusals.ts'
import { envelope, executable, Server, toolPrefix } from './helpers/server.ts'

const token = 'test-token-0123456789'
const secrets = [token]
const otherSubscription = '00000000-0000-0000-0000-000000000002'
const otherVault = vaultPath.replace('vault-prod', 'vault-test')
const item = `${vaultPath}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;web-01/protectedItems/VM;iaasvmcontainerv2;rg-app;web-01`

const faultsOf = ({ details }: Refusal) =>
  Object.fromEntries((details?.faults ?? []).map(each => [each.path, each.message]))
const cursorOf = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')
const operationIdOf = (...parts: unknown[]) => cursorOf(1, ...parts)

const listed = async (server: Server) =>
  ((await server.request('tools/list')).result?.tools ?? []) as {
    name: string
    annotations: { readOnlyHint: boolean }
  }[]

type Faults = Record<string, RegExp>
const rows: [name: string, tool: string, args: Record<string, unknown>, faults: Faults][] = [
  [
    'an unknown argument, a wrong type and an unknown word in one call',
    'list_backup_jobs',
    { vualt: 'vault-prod', limit: '5', status: 'Faild', workload_type: 'Oracle' },
    {
      '/vualt': /^is not an argument; did you mean "vault"\?$/,
      '/limit': /^must be integer/,
      '/status': /^must be one of InProgress, .*, not "Faild"; did you mean "Failed"\?$/,
      '/workload_type': /^must be one of VM, SQL, SAPHana, SAPAse, AzureFileShare, not "Oracle"$/,
    },
  ],
  [
    'an argument like no other names the known ones',
    'get_vault',
    { colour: 'red' },
    { '/colour': /known are vault, include_usage, include_raw$/ },
  ],
  [
    'names of JavaScript itself',
    'list_vaults',
    JSON.parse('{"__proto__":{"limit":1},"constructor":1,"toString":2}'),
    { '/__proto__': /is not an argument/, '/constructor': /is not an argument/, '/toString': /is not an argument/ },
  ],
  ['a name with slash and tilde is a JSON pointer', 'get_vault', { 'a/b~c': 1 }, { '/a~1b~0c': /is not an argument/ }],
  ['what is required', 'get_job_details', {}, { '': /"job_id" is required/ }],
  ['null where something is required', 'get_job_details', { job_id: null }, { '': /"job_id" is required/ }],
  ['an empty text', 'get_job_details', { job_id: '' }, { '/job_id': /must not be empty/ }],
  ['a list for a text', 'get_vault', { vault: ['a'] }, { '/vault': /must be string/ }],
  ['an object for a text', 'get_vault', { vault: { name: 'a' } }, { '/vault': /must be string/ }],
  ['a text for a boolean', 'get_vault', { include_usage: 'true' }, { '/include_usage': /must be boolean/ }],
  ['a number for a word', 'list_backup_jobs', { status: 5 }, { '/status': /must be one of InProgress/ }],
  ['limit 0', 'list_vaults', { limit: 0 }, { '/limit': /must be 1 or more/ }],
  ['limit 1001', 'list_vaults', { limit: 1001 }, { '/limit': /must be 1000 or less/ }],
  ['limit 1.5', 'list_vaults', { limit: 1.5 }, { '/limit': /must be integer/ }],
  [
    'a wait beyond an hour',
    'get_job_details',
    { job_id: 'x', wait_seconds: 3601 },
    { '/wait_seconds': /must be 3600 or less/ },
  ],
  [
    'a name too long',
    'list_vaults',
    { resource_group: 'g'.repeat(91) },
    { '/resource_group': /90 characters or fewer/ },
  ],
  [
    'a workload and a management type that contradict each other',
    'list_protected_items',
    { workload_type: 'SQL', backup_management_type: 'AzureIaasVM' },
    {
      '/backup_management_type':
        /is AzureIaasVM, but workload_type SQL belongs to AzureWorkload; leave one of them out/,
    },
  ],
  [
    'a group that is none',
    'list_vaults',
    { resource_group: '../x' },
    { '/resource_group': /no name of a resource group/ },
  ],

  ...[
    'yesterday',
    '2026-11-22',
    '2026-11-22T02:00:00',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00+01:00',
    '1763776800',
    '',
    '25:00',
  ].map((since): (typeof rows)[number] => [
    `the time ${JSON.stringify(since)}`,
    'list_backup_jobs',
    { since },
    { '/since': /must be a time with an offset, e\.g\. 2026-11-22T02:00:00Z/ },
  ]),
  ['a number for a time', 'list_backup_jobs', { since: 1763776800 }, { '/since': /must be string/ }],
  [
    'since after until',
    'list_backup_jobs',
    { since: '2026-11-22T02:00:00Z', until: '2026-11-22T03:00:00+02:00' },
    { '/since': /must be before until/ },
  ],
  [
    'since in the future, without until',
    'list_backup_jobs',
    { since: '2199-01-01T00:00:00Z' },
    { '/since': /must be before/ },
  ],

  ...[
    'a/b/c?/d',
    `${subscription}/rg/vault-prod/`,
    'rg//vault-prod',
    '../vault-prod',
    'rg/..',
    'rg%2fvault-prod',
    'rg/vault"prod',
    'rg/vault?x=1',
    'rg/vault#x',
    'rg\\vault',
    'va\u0000ult',
    './vault-prod',
  ].map((vault): (typeof rows)[number] => [
    `the vault ${JSON.stringify(vault)}`,
    'list_policies',
    { vault },
    { '/vault': /must be a name, group\/name, subscription\/group\/name, a configured key, or an ARM id/ },
  ]),
  ...[
    '/',
    '//evil.example/x',
    '/subscriptions/not-a-guid/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v',
    `/subscriptions/${subscription}/resourceGroups/rg`,
    `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.DataProtection/backupVaults/v`,
    vaultPath.replace('rg-backup', '..'),
    vaultPath.replace('rg-backup', '%2e%2e'),
    vaultPath.replace('rg-backup', 'a%2fb'),
    vaultPath.replace('rg-backup', '%'),
    `${vaultPath}?x=1`,
  ].map((vault): (typeof rows)[number] => [
    `the vault id ${vault.slice(0, 20)}…${vault.slice(-30)}`,
    'list_policies',
    { vault },
    { '/vault': /is no ARM id of a Recovery Services vault/ },
  ]),

  [
    "an item's id with another vault",
    'list_backup_jobs',
    { item, vault: 'vault-test' },
    { '/vault': /is vault-test, but .* lies in .*vault-prod; leave vault out/ },
  ],
  [
    "an item's id with the same vault of another group",
    'list_backup_jobs',
    { item, vault: 'rg-other/vault-prod' },
    { '/vault': /lies in/ },
  ],
  [
    "an item's id with the same vault of another subscription",
    'list_backup_jobs',
    { item, vault: `${otherSubscription}/rg-backup/vault-prod` },
    { '/vault': /lies in/ },
  ],
  ["an item's id with another vault's id", 'list_backup_jobs', { item, vault: otherVault }, { '/vault': /lies in/ }],
  [
    "a job's id with another vault",
    'get_job_details',
    { job_id: `${vaultPath}/backupJobs/j1`, vault: 'vault-test' },
    { '/vault': /lies in/ },
  ],
  [
    'an id that is no item',
    'list_backup_jobs',
    { item: vaultPath },
    { '/item': /no ARM id of a protected or protectable item/ },
  ],
  ['an item with an empty part', 'list_backup_jobs', { item: 'rg//vm' }, { '/item': /names joined by "\/"/ }],
  ['an item with steps up', 'list_backup_jobs', { item: '../vm' }, { '/item': /names joined by "\/"/ }],
  [
    'a bad item in a vault that would have to be looked for',
    'list_backup_jobs',
    { item: 'rg//vm', vault: 'vault-elsewhere' },
    { '/item': /names joined by "\/"/ },
  ],
  ...(
    [
      ['list_vaults', 'resource_group'],
      ['list_policies', 'vault'],
      ['list_protected_items', 'policy_name'],
      ['get_job_details', 'job_id'],
    ] as const
  ).map(([tool, name]): (typeof rows)[number] => [
    `${name} with half a character`,
    tool,
    { [name]: 'rg\ud83d' },
    { [`/${name}`]: /holds half of a character/ },
  ]),
  [
    'an unknown argument beside half a character',
    'get_vault',
    { vault: '\udc00', wault: 'x' },
    { '/wault': /did you mean "vault"/ },
  ],
  ['a job that is a path', 'get_job_details', { job_id: '../backupPolicies' }, { '/job_id': /id of a job/ }],
  ['a job id of something else', 'get_job_details', { job_id: vaultPath }, { '/job_id': /id of a job/ }],

  ...[
    'garbage',
    '',
    cursorOf('x'),
    cursorOf('AAAAAAAAAAAA', 'vault-prod', null, 0),
    cursorOf('AAAAAAAAAAAA', 'vault-prod', 'https://evil.example/', 0),
    Buffer.from('{"a":1}').toString('base64url'),
  ].map((cursor): (typeof rows)[number] => [
    `the cursor ${JSON.stringify(cursor)}`,
    'list_policies',
    { cursor },
    { '/cursor': /is not one that this tool gave for these arguments; start without it/ },
  ]),

  // What no schema can tell is told with the rest.
  ...(
    [
      ['list_vaults', { resource_group: 'a/b', cursor: 'x' }],
      ['list_policies', { vault: 'a//b', cursor: 'x' }],
      ['list_protected_items', { vault: '/subscriptions/x', cursor: 'x' }],
      ['list_protectable_items', { vault: 'a//b', cursor: 'x' }],
      ['list_protectable_containers', { vault: 'a//b', cursor: 'x' }],
      ['list_workload_items', { vault: 'a//b', cursor: 'x', server: 'a/b/c' }],
      ['list_backup_jobs', { vault: 'a//b', cursor: 'x', item: 'a//b', since: '2026-02-30T00:00:00Z' }],
      ['list_recovery_points', { vault: 'a//b', cursor: 'x', item: 'a//b', until: '2026-02-30T00:00:00Z' }],
      ['check_registration_status', { vault: 'a//b', vm: 'a/b/c' }],
      ['get_policy_details', { vault: 'a//b', policy_name: 'a/b' }],
      ['get_job_details', { vault: 'a//b', job_id: 'a/b' }],
    ] as [tool: string, args: Record<string, string>][]
  ).map(([tool, args]): (typeof rows)[number] => [
    `${tool} with nothing right`,
    tool,
    args,
    Object.fromEntries(Object.keys(args).map(name => [`/${name}`, /./])),
  ]),
  ...['list_backup_jobs', 'list_recovery_points'].map((tool): (typeof rows)[number] => [
    `${tool} of a VM among databases`,
    tool,
    {
      item: vaultPath.replace(/providers.*/, 'providers/Microsoft.Compute/virtualMachines/web-01'),
      workload_type: 'SQL',
      cursor: 'x',
    },
    { '/workload_type': /^is SQL, but item is a VM; leave it out$/, '/cursor': /./ },
  ]),

  [
    'neither operation_id nor operation_url',
    'track_async_operation',
    {},
    { '': /give either operation_id or operation_url/ },
  ],
  [
    'both operation_id and operation_url',
    'track_async_operation',
    { operation_id: 'a', operation_url: 'https://management.azure.com/' },
    { '': /give either operation_id or operation_url/ },
  ],
  ...[
    'garbage',
    'x'.repeat(8000),
    operationIdOf('status', vaultPath, `${vaultPath}/backupJobs/j1`),
    operationIdOf('status', vaultPath, `https://evil.example${vaultPath}/backupOperations/o1`),
    operationIdOf('status', vaultPath, `//evil.example${vaultPath}/backupOperations/o1`),
    operationIdOf('status', vaultPath, `${vaultPath}/backupOperations/../../x`),
    operationIdOf('status', vaultPath, `${vaultPath}/backupOperations/%2e%2e`),
    operationIdOf('status', otherVault, `${vaultPath}/backupOperations/o1`),
    operationIdOf('delete', vaultPath, `${vaultPath}/backupOperations/o1`),
    cursorOf(2, 'status', vaultPath, `${vaultPath}/backupOperations/o1`),
  ].map((operation_id): (typeof rows)[number] => [
    `the operation_id ${operation_id.slice(0, 12)}…${operation_id.slice(-12)}`,
    'track_async_operation',
    { operation_id },
    { '/operation_id': /is not one that a tool of this server returned/ },
  ]),
  ...[
    `https://evil.example${vaultPath}/backupOperations/o1?api-version=2025-08-01`,
    `https://management.azure.com${vaultPath}/backupOperations/o1`,
    'http://127.0.0.1:1/subscriptions',
    'file:///etc/passwd',
    'not a url',
  ].map((operation_url): (typeof rows)[number] => [
    `the operation_url ${operation_url.slice(0, 30)}`,
    'track_async_operation',
    { operation_url },
    { '/operation_url': /must be a polling URL of http:\/\/127\.0\.0\.1:\d+, as Azure gave it/ },
  ]),
]

t.test(
  'bad arguments are told all at once, each with its path and what would be right, and Azure hears nothing',
  async t => {
    const arm = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
    await withServer(t, { ...arm, args: [...arm.args, '--verbose'], secrets }, async server => {
      for (const [name, tool, args, faults] of rows)
        await t.test(name, async t => {
          const error = await refusal(server, tool, args, secrets)
          t.equal(error.code, 'invalid_arguments')
          t.match(error.remediation, /Correct the named arguments and call again/)
          const found = faultsOf(error)
          t.same(Object.keys(found).sort(), Object.keys(faults).sort())
          for (const [at, expected] of Object.entries(faults)) {
            t.match(found[at], expected)
            t.ok(error.message.includes(found[at] ?? '?'), 'the message tells it too')
            t.ok(error.message.includes(at.slice(1).replaceAll('~1', '/').replaceAll('~0', '~')), 'with its name')
          }
          t.notOk('http_status' in error || 'azure_code' in error || 'request_id' in error)
        })
      t.same(arm.seen, [], 'nothing was sent to Azure')
      t.equal((await server.call('list_policies')).isError, false, 'the next call works')
      t.equal(arm.seen.length, 1)
    })
  },
)

t.test('a time that no clock shows is a bad argument, never a fault of the server', async t => {
  const arm = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  await withServer(t, { ...arm, secrets }, async server => {
    for (const since of [
      '2016-12-31T23:59:60Z',
      '2026-11-22\n02:00:00Z',
      '2026-11-22T02:00:00+02',
      '0000-01-01T00:00:00Z',
    ]) {
      const { result, error } = await server.request('tools/call', {
        name: `${toolPrefix}list_backup_jobs`,
        arguments: { since, until: '2026-11-22T12:00:00Z' },
      })
      t.equal(error, undefined, since)
      if (result?.isError) t.match(JSON.stringify(result), /must be a time with an offset/)
    }
    for (const until of ['2016-12-31T23:59:60Z', '9999-12-31T23:59:59-23:59']) {
      const { error } = await server.request('tools/call', {
        name: `${toolPrefix}list_backup_jobs`,
        arguments: { until },
      })
      t.equal(error, undefined, until)
    }
  })
  for (const { url } of arm.seen) {
    const filter = new URL(url, 'http://x').searchParams.get('$filter') ?? ''
    t.match(
      filter,
      /^startTime eq '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [AP]M' and endTime eq '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [AP]M'$/,
    )
  }
})

t.test('very many or very long faults make no long answer', async t => {
  const arm = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  await withServer(t, { ...arm, secrets }, async server => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`x${index}`, index]))
    const long = { [`v${'x'.repeat(200_000)}`]: 1, workload_type: 'y'.repeat(200_000) }
    for (const args of [many, long]) {
      const error = await refusal(server, 'list_policies', args)
      t.equal(error.code, 'invalid_arguments')
      t.ok(JSON.stringify(error).length < 20_000, `${JSON.stringify(error).length} characters`)
    }
  })
  t.same(arm.seen, [])
})

t.test('very many arguments are refused before they are looked at one by one', async t => {
  const arm = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  await withServer(t, { ...arm, secrets: [] }, async server => {
    const many = (count: number, value: unknown) =>
      Object.fromEntries(Array.from({ length: count }, (_, k) => [`k${k}`, value]))
    for (const value of [1, null]) {
      const { details, message } = await refusal(server, 'get_vault', many(300_000, value))
      t.match(details?.faults, [{ path: '', message: /300000 arguments, more than any tool has/ }])
      t.ok(message.length < 200)
    }
    t.equal((await server.call('list_policies', many(50, null))).isError, false, 'null counts as left out')
  })
})

t.test("letter case and Azure's other spellings of words are taken for the canonical ones", async t => {
  const arm = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  const spellings: [args: Record<string, string>, filter: RegExp][] = [
    ...['mssql', 'SQLDataBase', 'sql', 'MSSQL', 'Sql'].map((workload_type): [{ workload_type: string }, RegExp] => [
      { workload_type },
      /itemType eq 'SQLDataBase'/,
    ]),
    ...['hana', 'saphana', 'SAPHanaDatabase', 'SAP HANA'].map((workload_type): [{ workload_type: string }, RegExp] => [
      { workload_type },
      /itemType eq 'SAPHanaDatabase'/,
    ]),
    ...['ase', 'SapAse', 'SAPAseDatabase'].map((workload_type): [{ workload_type: string }, RegExp] => [
      { workload_type },
      /itemType eq 'SAPAseDatabase'/,
    ]),
    ...['afs', 'FileShare', 'azurefileshare', 'AzureFiles'].map(
      (workload_type): [{ workload_type: string }, RegExp] => [{ workload_type }, /itemType eq 'AzureFileShare'/],
    ),
    ...['vm', 'IaasVM', 'AzureVM', 'VirtualMachine', 'AzureIaasVM'].map(
      (workload_type): [{ workload_type: string }, RegExp] => [{ workload_type }, /itemType eq 'VM'/],
    ),
    ...['azureiaasvm', 'IaasVM', 'AzureVM', 'VirtualMachine', 'vm'].map(
      (backup_management_type): [{ backup_management_type: string }, RegExp] => [
        { backup_management_type },
        /^backupManagementType eq 'AzureIaasVM'$/,
      ],
    ),
    ...['azurestorage', 'FileShare', 'afs'].map(
      (backup_management_type): [{ backup_management_type: string }, RegExp] => [
        { backup_management_type },
        /^backupManagementType eq 'AzureStorage'$/,
      ],
    ),
    [{ backup_management_type: 'mab' }, /^backupManagementType eq 'MAB'$/],
  ]
  const statuses = {
    failed: 'Failed',
    'in progress': 'InProgress',
    canceled: 'Cancelled',
    COMPLETED_WITH_WARNINGS: 'CompletedWithWarnings',
  }
  await withServer(t, { ...arm, secrets }, async server => {
    const filterOfLast = () => new URL(arm.seen.at(-1)?.url ?? '', 'http://x').searchParams.get('$filter') ?? ''
    for (const [args, filter] of spellings) {
      t.equal((await server.call('list_protected_items', args)).isError, false, JSON.stringify(args))
      t.match(filterOfLast(), filter, JSON.stringify(args))
    }
    for (const [status, word] of Object.entries(statuses)) {
      t.equal((await server.call('list_backup_jobs', { status })).isError, false, status)
      t.match(filterOfLast(), `status eq '${word}'`)
    }
    t.equal((await server.call('list_backup_jobs', { operation: 'configure backup' })).isError, false)
    t.match(filterOfLast(), "operation eq 'ConfigureBackup'")
  })
})

t.test('null arguments count as left out, and quotes stay inside a filter', async t => {
  const arm = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  await withServer(t, { ...arm, secrets }, async server => {
    const nulls = { vault: null, workload_type: null, limit: null, cursor: null, server: null, unhealthy_only: null }
    t.equal((await server.call('list_protected_items', nulls)).isError, false)
    t.equal((await server.call('list_protected_items', { policy_name: "x' or policyName eq 'y" })).isError, false)
    const filters = arm.seen.map(({ url }) => new URL(url, 'http://x').searchParams.get('$filter'))
    t.same(filters, [null, "policyName eq 'x'' or policyName eq ''y'"])
    t.ok(arm.seen.every(({ url }) => url.startsWith(`${vaultPath}/backupProtectedItems?`)))
  })
})

t.test('a cursor goes with its tool and its arguments, and never elsewhere', async t => {
  const policies = Array.from({ length: 3 }, (_, index) => ({
    id: `${vaultPath}/backupPolicies/p${index}`,
    name: `p${index}`,
  }))
  const arm = await fakeArm(t, (_, response) => json(response, 200, { value: policies }))
  await withServer(t, { ...arm, secrets }, async server => {
    const { body } = await server.call('list_policies', { limit: 1 })
    const cursor = String(body.next_cursor)
    const [digest, source, , offset] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    t.notMatch(Buffer.from(cursor, 'base64url').toString(), /127\.0\.0\.1/, 'it holds no host')
    t.match((await server.call('list_policies', { limit: 2, cursor })).body, { policies: [{ policy_name: 'p1' }, {}] })
    const sent = arm.seen.length
    const bad: [name: string, tool: string, args: Record<string, unknown>][] = [
      ['of another tool', 'list_protected_items', { cursor }],
      ['of other arguments', 'list_policies', { cursor, workload_type: 'SQL' }],
      ['of another vault', 'list_policies', { cursor, vault: 'rg-backup/vault-test' }],
      ['cut', 'list_policies', { cursor: cursor.slice(0, -6) }],
      ['with a negative place', 'list_policies', { cursor: cursorOf(digest, source, null, -1) }],
      [
        'with a host',
        'list_policies',
        { cursor: cursorOf(digest, source, `${arm.endpoint}${vaultPath}/backupPolicies`, offset) },
      ],
      ['with another host', 'list_policies', { cursor: cursorOf(digest, source, 'https://evil.example/x', offset) }],
      [
        'with a host behind two slashes',
        'list_policies',
        { cursor: cursorOf(digest, source, '//evil.example/x', offset) },
      ],
      [
        'with a host behind a backslash',
        'list_policies',
        { cursor: cursorOf(digest, source, '/\\evil.example/x', offset) },
      ],
      [
        'with another path',
        'list_policies',
        { cursor: cursorOf(digest, source, `${vaultPath}/backupSecurityPIN`, offset) },
      ],
      [
        'with a path of another vault',
        'list_policies',
        { cursor: cursorOf(digest, source, `${otherVault}/backupPolicies`, offset) },
      ],
      [
        'with steps up',
        'list_policies',
        { cursor: cursorOf(digest, source, `${vaultPath}/x/../backupPolicies`, offset) },
      ],
      ['with another list', 'list_policies', { cursor: cursorOf(digest, 'vault-test', null, 0) }],
    ]
    for (const [name, tool, args] of bad) {
      const error = await refusal(server, tool, args)
      t.equal(error.code, 'invalid_arguments', name)
      t.match(faultsOf(error)['/cursor'], /start without it/, name)
    }
    t.equal(arm.seen.length, sent, 'nothing more was sent to Azure')
  })
})

const vaults = (...ids: string[]) => ({
  value: ids.map(id => ({ id, name: id.split('/').at(-1), location: 'westeurope' })),
})
const inGroup = (group: string, name: string) => vaultPath.replace('rg-backup', group).replace('vault-prod', name)
const vmItem = (group: string, vm: string) => ({
  id: item.replaceAll('rg-app', group).replaceAll('web-01', vm),
  properties: { protectedItemType: 'Microsoft.Compute/virtualMachines', friendlyName: vm, workloadType: 'VM' },
})

/** A subscription with two vaults of one name, two subscriptions of one name, and two VMs of one name. */
const crowded: Answer = ({ url }, response) => {
  const { pathname } = new URL(url, 'http://x')
  if (pathname === '/subscriptions')
    return json(response, 200, {
      value: [
        { subscriptionId: subscription, displayName: 'Production' },
        { subscriptionId: otherSubscription, displayName: 'Production' },
        { subscriptionId: '00000000-0000-0000-0000-000000000003', displayName: 'Development' },
      ],
    })
  if (pathname.endsWith('/vaults'))
    return json(response, 200, vaults(vaultPath, inGroup('rg-a', 'vault-twin'), inGroup('rg-b', 'vault-twin')))
  if (pathname.endsWith('/backupProtectedItems'))
    return json(response, 200, { value: [vmItem('rg-a', 'web-01'), vmItem('rg-b', 'web-01'), vmItem('rg-a', 'db-01')] })
  return azureError(response, 404, 'ResourceNotFound', 'The Resource was not found.')
}

t.test('a name that fits several things, or none, is answered with the candidates', async t => {
  const arm = await fakeArm(t, crowded)
  const named: [
    name: string,
    tool: string,
    args: Record<string, unknown>,
    code: string,
    candidates: RegExp,
    remedy: RegExp,
  ][] = [
    [
      'two vaults',
      'get_vault',
      { vault: 'VAULT-TWIN' },
      'ambiguous',
      /rg-a\/.*vault-twin.*rg-b\/.*vault-twin/,
      /group\/name or by its ARM id/,
    ],
    [
      'no vault, a near one',
      'get_vault',
      { vault: 'vault-prd' },
      'not_found',
      /vault-prod/,
      /Did you mean rg-backup\/vault-prod\?/,
    ],
    [
      'no vault, none near',
      'get_vault',
      { vault: 'hr' },
      'not_found',
      /vault-prod.*vault-twin/,
      /recovery_services_list_vaults/,
    ],
    ['two subscriptions', 'list_vaults', { subscription: 'production' }, 'ambiguous', /000001.*000002/, /by its id/],
    [
      'no subscription',
      'list_vaults',
      { subscription: 'Developmnt' },
      'not_found',
      /Development/,
      /Did you mean "Development"\?/,
    ],
    [
      'two subscriptions in a vault',
      'get_vault',
      { vault: 'Production/rg-backup/vault-prod' },
      'ambiguous',
      /000001.*000002/,
      /by its id/,
    ],
    [
      'two VMs',
      'list_backup_jobs',
      { item: 'web-01' },
      'ambiguous',
      /rg-a\/web-01.*rg-b\/web-01/,
      /outer names before it/,
    ],
    [
      'no item',
      'list_backup_jobs',
      { item: 'rg-c/web-01' },
      'not_found',
      /rg-a\/web-01/,
      /recovery_services_list_protected_items/,
    ],
  ]
  await withServer(t, { ...arm, secrets }, async server => {
    for (const [name, tool, args, code, candidates, remedy] of named) {
      const error = await refusal(server, tool, args)
      t.equal(error.code, code, name)
      t.match(JSON.stringify(error.details?.candidates), candidates, name)
      t.match(error.remediation, remedy, name)
      t.match(error.message, /"/, `${name}: the message quotes what was asked for`)
    }
    const gone = await refusal(server, 'get_vault', { vault: 'rg-backup/vault-gone' })
    t.match(gone, {
      code: 'not_found',
      azure_code: 'ResourceNotFound',
      http_status: 404,
      request_id: '00000000-0000-0000-0009-000000000001',
      details: { client_request_id: /^[0-9a-f-]{36}$/ },
      remediation: /recovery_services_list_vaults/,
    })
    t.equal((await server.call('list_vaults')).isError, false, 'the next call works')
  })
})

t.test("an item's id goes with every name of its own vault", async t => {
  const arm = await fakeArm(
    t,
    (_, response) => json(response, 200, { value: [] }),
    '[recovery_services.vaults.production]\nname = "vault-prod"\n[recovery_services.vaults.test]\nname = "vault-test"\n',
  )
  await withServer(t, { ...arm, secrets }, async server => {
    for (const vault of [
      'vault-prod',
      'Vault-Prod',
      'production',
      'rg-backup/vault-prod',
      `${subscription}/RG-Backup/vault-prod`,
      vaultPath,
    ])
      t.equal((await server.call('list_backup_jobs', { item, vault })).isError, false, vault)
    t.match((await refusal(server, 'list_backup_jobs', { item, vault: 'test' })).code, 'invalid_arguments')
    t.ok(arm.seen.every(({ url }) => url.startsWith(`${vaultPath}/backupJobs`)))
  })
})

t.test('without a configuration a tool that needs a value names the three ways to give it', async t => {
  await withServer(t, { env: { AZURE_ACCESS_TOKEN: token }, secrets }, async server => {
    for (const [tool, args] of [
      ['list_policies', {}],
      ['get_job_details', { job_id: 'j1' }],
      ['list_backup_jobs', { item: 'web-01' }],
    ] as const) {
      const error = await refusal(server, tool, args)
      t.equal(error.code, 'not_configured')
      t.match(
        error.remediation,
        /three ways.*argument `vault`.*vault_name under \[recovery_services\].*AZURE_VAULT_NAME/,
      )
    }
    for (const vault of ['vault-prod', 'rg-backup/vault-prod']) {
      const error = await refusal(server, 'get_vault', { vault })
      t.equal(error.code, 'not_configured')
      t.match(error.message, /subscription/)
      t.match(
        error.remediation,
        /three ways.*argument `vault` as subscription\/group\/name.*subscription_id under .*AZURE_SUBSCRIPTION_ID/,
        'an argument that the tool has',
      )
    }
    t.equal((await listed(server)).length, toolNames.length, 'the tools are listed')
  })
})

t.test('an unknown tool is -32602; a hidden one says which setting hides it', async t => {
  const arm = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  const named = (server: Server, name: unknown, args: unknown = {}) =>
    server.request('tools/call', { name, arguments: args })
  await withServer(
    t,
    { ...arm, args: [...arm.args, '--toolsets', 'vaults,policies', '--read-only'], secrets },
    async server => {
      for (const name of ['recovery_services_nope', 'list_vaults', 'toString', '', 'x'.repeat(100_000), 5, null])
        t.match(await named(server, name), { error: { code: -32602 }, result: undefined }, String(name).slice(0, 40))
      for (const args of [[], 'x', 5])
        t.match(await named(server, 'recovery_services_list_vaults', args), { error: { code: -32602 } })
      const hidden = await refusal(server, 'list_backup_jobs')
      t.match(hidden, {
        code: 'not_configured',
        message: /toolset "backup".*flag --toolsets/,
        remediation: /Add "backup" to toolsets/,
      })
      t.same(
        (await listed(server)).map(({ name, annotations }) => [
          name.slice(toolPrefix.length),
          annotations.readOnlyHint,
        ]),
        [
          ['list_vaults', true],
          ['get_vault', true],
          ['test_connection', true],
          ['list_policies', true],
          ['get_policy_details', true],
        ],
      )
      t.same(arm.seen, [])
      t.equal((await server.call('list_policies')).isError, false, 'the next call works')
    },
  )
  const off = await fakeArm(t, (_, response) => json(response, 200, { value: [] }), 'enabled = false\n')
  const stderr = await withServer(t, { ...off, secrets }, async server => {
    t.same(await listed(server), [])
    const error = await refusal(server, 'list_vaults')
    t.match(error, {
      code: 'not_configured',
      message: /enabled = false \(.*config\.toml/,
      remediation: /Set enabled = true/,
    })
    t.match(await named(server, 'recovery_services_nope'), { error: { code: -32602 } })
    t.same(off.seen, [])
  })
  t.match(stderr, /^[^\n]*config\.toml: recovery_services\.enabled is false: no tools are served\.\n$/, 'it says why')
})

t.test('a wrong configuration answers every call with all its faults, and stderr has one line of them', async t => {
  const secret = 'hunter2-do-not-show'
  const arm = await fakeArm(t, (_, response) => json(response, 200, { value: [] }))
  const folder = t.testdir({
    'c.toml': `[recovery_services]
subscription_id = 5
arm_endpoint = "http://azure.example"
confirmation = "elict"
[recovery_services.auth]
client_id = "${secret}"
[recovery_services.http]
timeout_seconds = 0
`,
  })
  const args = ['--config', path.join(folder, 'c.toml')]
  const stderr = await withServer(t, { args, env: arm.env, secrets: [...secrets, secret] }, async server => {
    for (const [tool, given] of [
      ['list_vaults', {}],
      ['get_vault', { vault: vaultPath }],
      ['list_policies', { limit: 'x' }],
    ] as const) {
      const error = await refusal(server, tool, given)
      t.equal(error.code, 'not_configured')
      for (const key of ['subscription_id', 'arm_endpoint', 'confirmation', 'auth.client_id', 'http.timeout_seconds'])
        t.match(error.message, `c.toml: recovery_services.${key}`)
      t.match(error.message, /the nearest is elicit/)
      t.equal((error.details?.faults as unknown[] | undefined)?.length, 5)
      t.match(error.remediation, /recovery-services-server status/)
    }
    const reading = entries.filter(({ readOnly }) => readOnly)
    t.equal((await listed(server)).length, reading.length, 'what reads is listed')
  })
  t.equal(stderr.trim().split('\n').length, 1, stderr)
  t.match(stderr, /subscription_id.*client_id.*timeout_seconds/)
  const unasked = new Server(t, {
    env: { CODEX_HOME: t.testdir({ 'config.toml': '[recovery_services]\nenabled = 1\n' }) },
  })
  t.equal(await unasked.end(), 0, 'it serves, and says so even to a client that asks for nothing')
  t.match(unasked.stderr, /^[^\n]*no tool runs until[^\n]*enabled must be true or false[^\n]*\n$/)
})

t.test('what is no file, or far too large for one of ours, is passed over and holds nothing up', async t => {
  const folder = t.testdir({ home: {}, large: {} })
  fs.writeFileSync(path.join(folder, 'large/config.toml'), '')
  fs.truncateSync(path.join(folder, 'large/config.toml'), 600 * 1024 * 1024)
  const odd: [home: string, told: RegExp][] = [['large', /large.config\.toml cannot be read \(larger than 64 MiB\)/]]
  const hasPipes = spawnSync('mkfifo', [path.join(folder, 'home/config.toml')]).status === 0
  if (hasPipes) odd.push(['home', /home.config\.toml cannot be read \(not a file\)/])
  for (const [home, told] of odd) {
    const server = new Server(t, { env: { CODEX_HOME: path.join(folder, home) } })
    t.match((await server.request('tools/list')).result, { tools: Array }, home)
    t.equal(await server.end(), 0)
    t.match(server.stderr, told)
    const named = new Server(t, { args: ['--config', path.join(folder, home, 'config.toml')] })
    t.equal(await named.exit, 2)
    t.match(named.stderr, told)
  }
})

t.test('a --config file that is missing, or has no table, ends serving with 2 and one clear line', async t => {
  const folder = t.testdir({ 'other.toml': 'model = "x"\n', 'cut.toml': 'a = "\n' })
  for (const [name, told] of [
    ['missing.toml', /missing\.toml does not exist/],
    ['other.toml', /other\.toml has no \[recovery_services\] table/],
    ['cut.toml', /cut\.toml is not valid TOML: line 1/],
    ['.', /cannot be read/],
  ] as const) {
    const server = new Server(t, { args: ['--config', path.join(folder, name)], env: { AZURE_ACCESS_TOKEN: token } })
    // As clients do: they ask at once.
    server.send({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: envelope() } })
    server.send({
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: `${toolPrefix}list_vaults`, arguments: {}, _meta: envelope() },
    })
    t.equal(await server.exit, 2, name)
    t.equal(server.stderr.trim().split('\n').length, 1, server.stderr)
    t.match(server.stderr, told)
    t.same(server.messages, [])
    const unasked = new Server(t, { args: ['--config', path.join(folder, name)] })
    t.equal(await unasked.end(), 2, `${name}, and stdin closed at once`)
    t.match(unasked.stderr, told)
  }
  const nowhere = path.join(folder, 'nope')
  for (const args of [
    ['--confg', 'x'],
    ['--toolsets', 'backups'],
    ['--replay', nowhere],
    ['call', 'list_vaults', '--replay', nowhere],
    ['tools', '--replay', nowhere],
    ['srve'],
  ]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [executable, ...args], {
      encoding: 'utf8',
      input: '',
      cwd: folder,
    })
    t.equal(status, 2, args.join(' '))
    t.equal(stdout, '')
    t.equal(stderr.trim().split('\n').length, 1, stderr)
  }
  t.ok(fs.existsSync(folder))
})
