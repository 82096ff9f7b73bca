/** Recovery points: what Azure sends of them, in whatever generation, and one list made of two. */
import t from 'tap'
import type { Exchange } from '../../src/arm/recordings.ts'
import { replaying } from '../../src/arm/replay.ts'
import { vaultRef } from '../../src/backup/arm-ids.ts'
import { namesOf } from '../../src/backup/items.ts'
import { toPointRow } from '../../src/backup/recovery-points.ts'
import { createFakeAzure } from '../arm/fake-azure.ts'
import { answer, type Called, createTools, endpoint, failure, subscription, vaultId } from '../helpers/tools.ts'

const fabric = `${vaultId}/backupFabrics/Azure/protectionContainers`
const vm = `${fabric}/IaasVMContainer;iaasvmcontainerv2;rg-app;web-01/protectedItems/VM;iaasvmcontainerv2;rg-app;web-01`
const database = `${fabric}/VMAppContainer;compute;rg-data;sql-01/protectedItems/SQLDataBase;mssqlserver;orders`
const item = { id: vm, vault: vaultRef(subscription, 'rg-backup', 'vault-prod'), names: namesOf(vm, {}) }

const empty = {
  time: null,
  consistency: null,
  backup_type: null,
  tiers: null,
  zone: null,
  expiry_time: null,
  rule_name: null,
  is_immutable: null,
  is_soft_deleted: null,
  time_ranges: null,
  disks: null,
  size_bytes: null,
  os_type: null,
  is_encrypted: null,
  is_managed_vm: null,
  vm_size: null,
  is_mounted: null,
  secondary_region_state: null,
  archive: null,
  threat_status: null,
}

/** Azure's properties, and what a row says beside nulls. */
const shapes: [name: string, properties: unknown, row: Partial<typeof empty> | Record<string, unknown>][] = [
  ['nothing', undefined, {}],
  [
    'a VM, in numbers',
    {
      objectType: 'IaasVMRecoveryPoint',
      recoveryPointType: 'AppConsistent',
      recoveryPointTime: '2021-05-26T02:17:53.6610348Z',
      recoveryPointAdditionalInfo: '',
      isSourceVMEncrypted: false,
      isInstantIlrSessionActive: true,
      recoveryPointTierDetails: [
        { type: 1, status: 3 },
        { type: 2, status: 1 },
        { type: 3, status: 4 },
        { type: 0, status: 0 },
        { type: 2, status: 2 },
        { type: 9, status: 9 },
      ],
      isManagedVirtualMachine: true,
      virtualMachineSize: 'Standard_DS1_v2',
      osType: 'Windows',
    },
    {
      time: '2021-05-26T02:17:53.661Z',
      consistency: 'AppConsistent',
      tiers: [
        { tier: 'InstantRP', status: 'Deleted' },
        { tier: 'HardenedRP', status: 'Valid' },
        { tier: 'ArchivedRP', status: 'Rehydrated' },
        { tier: 'Invalid', status: 'Invalid' },
        { tier: 'HardenedRP', status: 'Disabled' },
        { tier: '9', status: '9' },
      ],
      os_type: 'Windows',
      is_encrypted: false,
      is_managed_vm: true,
      vm_size: 'Standard_DS1_v2',
      is_mounted: true,
    },
  ],
  [
    'a VM, in words',
    {
      objectType: 'iaasvmrecoverypoint',
      recoveryPointType: 'CrashConsistent',
      recoveryPointTime: '2026-11-22T02:03:52',
      recoveryPointTierDetails: [{ type: 'InstantRP', status: 'Valid', extendedInfo: {} }],
      recoveryPointDiskConfiguration: {
        numberOfDisksIncludedInBackup: 2,
        numberOfDisksAttachedToVm: 3,
        includedDiskList: [
          { lun: -1, name: 'os' },
          { lun: 0, name: 'data' },
        ],
        excludedDiskList: [{ lun: 1 }],
      },
      zones: ['1', '3'],
      recoveryPointMoveReadinessInfo: { ArchivedRP: { isReadyForMove: true, additionalInfo: '' } },
      recoveryPointProperties: {
        expiryTime: '2026-12-22T02:03:52.5Z',
        ruleName: 'Daily',
        isSoftDeleted: true,
        immutabilityProperties: { isImmutable: true, expiryTime: '2026-12-22T02:03:52.5Z' },
      },
      crossRegionRestoreState: 'Supported',
      threatStatus: 'UnHealthy',
    },
    {
      time: '2026-11-22T02:03:52Z',
      consistency: 'CrashConsistent',
      tiers: [{ tier: 'InstantRP', status: 'Valid' }],
      zone: '1, 3',
      expiry_time: '2026-12-22T02:03:52.500Z',
      rule_name: 'Daily',
      is_immutable: true,
      is_soft_deleted: true,
      disks: {
        backed_up: 2,
        attached: 3,
        included: [
          { lun: -1, name: 'os' },
          { lun: 0, name: 'data' },
        ],
        excluded: [{ lun: 1, name: null }],
      },
      archive: { is_ready: true, reason: null },
      secondary_region_state: 'Supported',
      threat_status: 'UnHealthy',
    },
  ],
  [
    'what stands for nothing',
    {
      recoveryPointTime: '2001-01-01T00:00:00Z',
      recoveryPointTierDetails: [],
      zones: [],
      recoveryPointDiskConfiguration: {},
      recoveryPointMoveReadinessInfo: { HardenedRP: { isReadyForMove: true } },
      recoveryPointProperties: { expiryTime: '0001-01-01T00:00:00', ruleName: '' },
      crossRegionRestoreState: '',
    },
    { tiers: [], disks: { backed_up: null, attached: null, included: null, excluded: null } },
  ],
  [
    'a share',
    {
      objectType: 'AzureFileShareRecoveryPoint',
      recoveryPointType: 'FileSystemConsistent',
      recoveryPointTime: '2021-05-20T02:03:45Z',
      fileShareSnapshotUri: 'https://sa.file.core.windows.net/share?sharesnapshot=2021-05-20T02:03:45.0000000Z',
      recoveryPointSizeInGB: 3,
    },
    { time: '2021-05-20T02:03:45Z', consistency: 'FileSystemConsistent', size_bytes: 3 * 1024 ** 3 },
  ],
  [
    'a generic one',
    { objectType: 'GenericRecoveryPoint', friendlyName: 'x', recoveryPointType: 'x', recoveryPointTime: 'soon' },
    { time: null, consistency: 'x' },
  ],
  ...[
    ['AzureWorkloadSQLRecoveryPoint', 'Full', 'Full'],
    ['AzureWorkloadSAPHanaRecoveryPoint', 'Incremental', 'Incremental'],
    ['AzureWorkloadSAPAseRecoveryPoint', 'SnapshotFull', 'SnapshotFull'],
    ['AzureWorkloadRecoveryPoint', 3, 'Differential'],
  ].map(([objectType, type, backup]): (typeof shapes)[number] => [
    `a database's ${type}`,
    { objectType, type, recoveryPointTimeInUTC: '2021-05-11T03:52:44Z' },
    { time: '2021-05-11T03:52:44Z', backup_type: backup },
  ]),
  [
    'log ranges',
    {
      type: 'Log',
      recoveryPointTimeInUTC: '0001-01-01T00:00:00',
      timeRanges: [{ startTime: '2021-05-11T03:52:42Z', endTime: '2021-05-11T06:52:12Z' }, {}],
    },
    {
      backup_type: 'Log',
      time_ranges: [
        { start_time: '2021-05-11T03:52:42Z', end_time: '2021-05-11T06:52:12Z' },
        { start_time: null, end_time: null },
      ],
    },
  ],
  ['log ranges of none', { type: 'Log', timeRanges: [] }, { backup_type: 'Log', time_ranges: [] }],
]
for (const [name, properties, row] of shapes)
  t.test(`a point: ${name}`, async t => {
    const id = `/Subscriptions/x/protectedItems/VM;a/recoveryPoints/7`
    const {
      id: told,
      recovery_point_id,
      vault_name,
      item_id,
      ...rest
    } = toPointRow({ id, name: '7', properties }, item)
    t.same(
      [told, recovery_point_id, vault_name, item_id],
      [id, '7', 'vault-prod', '/Subscriptions/x/protectedItems/VM;a'],
    )
    t.strictSame(rest, { ...empty, ...row })
  })

for (const [name, raw, id] of [
  ['its name', { id: `${vm}/recoveryPoints/1`, name: '2261274987926194423' }, '2261274987926194423'],
  ['the end of its id', { id: `${vm}/recoveryPoints/2261274987926194423` }, '2261274987926194423'],
  [
    'the end of its id where its name is a number that lost its digits',
    { id: `${vm}/recoveryPoints/2261274987926194423`, name: 2 ** 61 },
    '2261274987926194423',
  ],
] as const)
  t.test(`a point is called by ${name}`, async t => t.equal(toPointRow(raw, item).recovery_point_id, id))

const logs = (ranges: [start: string, end: string][] = [], over: object = {}, name = 'DefaultRangeRecoveryPoint') => ({
  id: `${database}/recoveryPoints/${name}`,
  name,
  properties: {
    objectType: 'AzureWorkloadSQLPointInTimeRecoveryPoint',
    type: 'Log',
    timeRanges: ranges.map(([startTime, endTime]) => ({ startTime, endTime })),
    ...over,
  },
})
const full = (name: string, time: string) => ({
  id: `${database}/recoveryPoints/${name}`,
  name,
  properties: { objectType: 'AzureWorkloadSQLRecoveryPoint', recoveryPointTimeInUTC: time, type: 'Full' },
})
const range: [string, string] = ['2026-11-10T00:00:00Z', '2026-11-20T12:00:00Z']
const newer = full('5', '2026-11-21T00:00:00Z')
const older = full('4', '2026-11-20T00:00:00Z')
const oldest = full('3', '2026-11-19T00:00:00Z')
const first = full('2', '2026-11-01T00:00:00Z')

const pointIds = ({ recovery_points: points }: Called) =>
  (points as { recovery_point_id: string }[]).map(({ recovery_point_id: id }) => id)
const log = 'DefaultRangeRecoveryPoint'

type Lists = Readonly<Record<'plain' | 'log', object[][]>>

/** An Azure with pages of both lists; `asked` is told as `plain 1`, `log 1`. */
const createLists = ({ plain, log: ofLog }: Lists) => {
  const tools = createTools((asked, { url }) => {
    const query = new URL(url).searchParams
    const page = Number(query.get('$skipToken') ?? 1)
    const pages = asked.includes("restorePointQueryType eq 'Log'") ? ofLog : plain
    const next = new URL(url)
    next.searchParams.set('$skipToken', String(page + 1))
    return { value: pages[page - 1] ?? [], ...(page < pages.length ? { nextLink: next.href } : {}) }
  })
  return async (args: object): Promise<Called & { short: string[] }> => {
    const called = await tools.call('list_recovery_points', { item: database, ...args })
    const short = called.asked.map(
      asked => `${asked.includes("'Log'") ? 'log' : 'plain'} ${/skipToken=(\d)/.exec(asked)?.[1] ?? 1}`,
    )
    return { ...called, short }
  }
}

const two: object[][] = [
  [older, newer],
  [first, oldest],
]
const merged: [name: string, lists: Lists, ids: string[]][] = [
  ['both lists', { plain: two, log: [[logs([range])]] }, ['5', log, '4', '3', '2']],
  [
    'ranges that reach further than any point',
    { plain: two, log: [[logs([['', '2026-11-22T00:00:00Z']])]] },
    [log, '5', '4', '3', '2'],
  ],
  ['no ranges', { plain: two, log: [[logs()]] }, ['5', '4', log, '3', '2']],
  ['no logs', { plain: two, log: [[]] }, ['5', '4', '3', '2']],
  ['logs alone', { plain: [[]], log: [[logs([range])]] }, [log]],
  ['neither', { plain: [[]], log: [[]] }, []],
  [
    'a plain list that has the log row on its first page',
    { plain: [[logs([range]), older], [first]], log: [[logs([range])]] },
    [log, '4', '2'],
  ],
  [
    'a plain list that has the log row on its last page, in another letter case',
    {
      plain: [[older], [logs([range], { objectType: 'AZUREWORKLOADSQLPOINTINTIMERECOVERYPOINT' }), first]],
      log: [[logs([range])]],
    },
    [log, '4', '2'],
  ],
  ['a log row that only the plain list has', { plain: [[older, logs([range])]], log: [[]] }, [log, '4']],
  [
    'a row of ranges that only its kind tells',
    {
      plain: [[older], [first]],
      log: [[logs([], { type: null, timeRanges: null, objectType: 'azureworkloadpointintimerecoverypoint' })]],
    },
    ['4', log, '2'],
  ],
  [
    'the plain list in place of the log list',
    { plain: [[older], [logs([range]), first]], log: [[older], [logs([range]), first]] },
    [log, '4', '2'],
  ],
  ['the log list in place of the plain list', { plain: [[logs([range])]], log: [[logs([range])]] }, [log]],
  [
    'two log rows',
    { plain: [[older], [first]], log: [[logs([range]), logs([['', '2026-11-05T00:00:00Z']], {}, 'other')]] },
    [log, '4', 'other', '2'],
  ],
  [
    'rows that are none',
    { plain: [[null as never, older, 'x' as never]], log: [[null as never, logs([range])]] },
    [log, '4'],
  ],
]
for (const [name, lists, ids] of merged)
  t.test(`the points of a database, none lost and none twice, at every limit: ${name}`, async t => {
    const call = createLists(lists)
    t.same(pointIds(await call({})), ids)
    for (let limit = 1; limit <= ids.length; limit++) {
      const found: string[] = []
      let cursor: unknown
      do {
        const called = await call({ limit, ...(cursor === undefined ? {} : { cursor }) })
        found.push(...pointIds(called))
        cursor = called.next_cursor
      } while (cursor !== undefined && found.length < 20)
      t.same(found, ids, `limit ${limit}`)
    }
  })

t.test('both lists are asked for the first page and again within it, and one for the pages behind it', async t => {
  const call = createLists({ plain: two, log: [[logs([range])]] })
  const start = await call({ limit: 2 })
  t.same(start.short, ['plain 1', 'log 1'])
  const within = await call({ limit: 1, cursor: start.next_cursor })
  t.same([within.short, pointIds(within)], [['plain 1', 'log 1'], ['4']])
  const behind = await call({ limit: 1, cursor: within.next_cursor })
  t.same([behind.short, pointIds(behind)], [['plain 2'], ['3']])
  const over = await call({ limit: 5, cursor: start.next_cursor })
  t.same(
    [over.short, pointIds(over)],
    [
      ['plain 1', 'log 1', 'plain 2'],
      ['4', '3', '2'],
    ],
  )
})

t.test('a cursor keeps the window of its first page for both lists', async t => {
  const { call, clock } = createTools(() => ({ value: [newer, older] }))
  const args = { item: database, since: '2026-11-19T00:00:00.5Z', limit: 1 }
  const { next_cursor: cursor, asked } = await call('list_recovery_points', args)
  const dates = "startDate eq '2026-11-19 12:00:00 AM' and endDate eq '2026-11-22 10:00:00 AM'"
  t.same(asked, [
    `GET ${database}/recoveryPoints?$filter=${dates}`,
    `GET ${database}/recoveryPoints?$filter=restorePointQueryType eq 'Log' and ${dates}`,
  ])
  clock.advance(3_600_000)
  t.same((await call('list_recovery_points', { ...args, cursor })).asked, asked)
})

t.test('a cursor with a filter of somebody else is refused', async t => {
  const { call } = createTools(() => ({ value: [newer, older] }))
  const { next_cursor: cursor } = await call('list_recovery_points', { item: database, limit: 1 })
  const [digest, source, from] = JSON.parse(Buffer.from(String(cursor), 'base64url').toString())
  t.match(from, /#restorePointQueryType eq 'Log'$/)
  for (const filter of ['', "x eq '\ud800'", 'a&$top=1'])
    t.match(
      await call('list_recovery_points', {
        item: database,
        cursor: Buffer.from(JSON.stringify([digest, source, from.replace(/#.*/, `#${filter}`), 0])).toString(
          'base64url',
        ),
      }),
      { code: 'invalid_arguments', message: /cursor/, asked: [] },
    )
})

const windows: [args: object, ids: string[]][] = [
  [{}, ['5', log, '4', '3', '2']],
  [{ since: '2026-11-20T12:00:00Z' }, ['5', log]],
  [{ since: '2026-11-20T12:00:00.001Z' }, ['5']],
  [{ until: '2026-11-10T00:00:00Z' }, [log, '2']],
  [{ until: '2026-11-09T23:59:59Z' }, ['2']],
  [{ until: '2009-01-01T00:00:00Z' }, []],
  [{ since: '2026-11-12T00:00:00Z', until: '2026-11-13T00:00:00Z' }, [log]],
  [{ since: '2026-11-20T02:00:00+02:00', until: '2026-11-20T00:00:01Z' }, [log, '4']],
  [{ consistency: 'AppConsistent' }, []],
  [{ tier: 'vault' }, []],
]
for (const [args, ids] of windows)
  t.test(`an Azure that applies no filter: ${JSON.stringify(args)} is ${ids}`, async t =>
    t.same(pointIds(await createLists({ plain: two, log: [[logs([range])]] })(args)), ids),
  )

t.test('an end that is left out ends nothing: clocks differ, and Azure knows what there is', async t => {
  const call = createLists({
    plain: [[full('2', '2026-11-23T00:00:00Z'), full('1', '2008-01-01T00:00:00Z')]],
    log: [[]],
  })
  t.same(pointIds(await call({ since: '2026-11-22T00:00:00Z' })), ['2'])
  const early = await call({ until: '2009-01-01T00:00:00Z' })
  t.same(pointIds(early), ['1'])
  t.match(early.asked[0], "startDate eq '2009-01-01 12:00:00 AM' and endDate eq '2009-01-01 12:00:00 AM'")
})

t.test('ranges without an end reach any time, and a point without a time is in any window', async t => {
  const call = createLists({ plain: [[full('1', '0001-01-01T00:00:00')]], log: [[logs([['', '']])]] })
  t.same(pointIds(await call({ since: '2026-11-12T00:00:00Z', until: '2026-11-13T00:00:00Z' })), [log, '1'])
})

const tiers: [details: unknown, tier: string, isThere: boolean][] = [
  [[{ type: 1, status: 1 }], 'instant', true],
  [[{ type: 'InstantRP', status: 'Deleted' }], 'snapshot', false],
  [[{ type: 'hardenedrp', status: 'valid' }], 'Vault Standard', true],
  [[{ type: 3, status: 4 }], 'archive', true],
  [[{ type: 'ArchivedRP', status: 'Disabled' }], 'vault-archive', false],
  [[], 'vault', false],
  [undefined, 'vault', false],
]
for (const [recoveryPointTierDetails, tier, isThere] of tiers)
  t.test(`${JSON.stringify(recoveryPointTierDetails)} is ${isThere ? '' : 'not '}in ${tier}`, async t => {
    const properties = { recoveryPointType: 'appConsistent', recoveryPointTierDetails }
    const { call } = createTools(() => ({ value: [{ id: `${vm}/recoveryPoints/1`, name: '1', properties }] }))
    const args = { item: vm, tier, consistency: 'application consistent' }
    t.equal((await call('list_recovery_points', args)).count, isThere ? 1 : 0)
  })

/** Ids of items, and what is asked for their points. */
const items: [name: string, item: string, more: object, lists: number][] = [
  ['a VM', vm, {}, 1],
  ['a share', `${fabric}/StorageContainer;storage;rg;sa/protectedItems/AzureFileShare;${'a'.repeat(64)}`, {}, 1],
  ['a database', database.toLowerCase(), {}, 2],
  ['an ASE database', `${fabric}/VMAppContainer;compute;rg;vm/protectedItems/SAPAseDatabase;asp;l`, {}, 2],
  ['a HANA instance', `${fabric}/VMAppContainer;compute;rg;vm/protectedItems/saphanadbinstance;hxe;x`, {}, 2],
  ['something else', `${fabric}/Windows;pc/protectedItems/FileFolder;c`, {}, 1],
  ['what the caller says is a database', `${fabric}/VMAppContainer;x/protectedItems/y`, { workload_type: 'SQL' }, 2],
]
for (const [name, id, more, count] of items)
  t.test(`${name} is asked for by ${count} list${count > 1 ? 's' : ''} of points, and nothing else is`, async t => {
    const { call } = createTools(() => ({ value: [] }))
    const called = await call('list_recovery_points', { item: id, ...more })
    t.equal(called.count, 0)
    t.equal(called.asked.length, count)
    for (const one of called.asked) t.ok(one.toLowerCase().startsWith(`get ${id}/recoverypoints`.toLowerCase()))
  })

t.test('a log list that is refused is an error, not half a list', async t => {
  const { call } = createTools(request =>
    request.includes("'Log'") ? failure(403, 'AuthorizationFailed', 'no') : { value: [newer] },
  )
  t.match(await call('list_recovery_points', { item: database }), { code: 'forbidden' })
})

const exchange = (query: string, value: object[], nextLink?: string): Exchange => ({
  request: { method: 'GET', url: `${endpoint}${database}/recoveryPoints?api-version=2020-10-01${query}` },
  response: { status: 200, headers: {}, body: { value, ...(nextLink ? { nextLink } : {}) } },
})
const second = `${endpoint}${database}/recoveryPoints?api-version=2020-10-01&$skipToken=2`
const recorded: [name: string, exchanges: Exchange[], ids: string[]][] = [
  ['the plain list alone', [exchange('', [older, newer])], ['5', '4']],
  ['the plain list alone, with the log row', [exchange('', [older, logs([range])])], [log, '4']],
  [
    'pages of the plain list alone, the log row on the second',
    [exchange('', [older], second), exchange('&$skipToken=2', [logs([range]), first])],
    [log, '4', '2'],
  ],
  ['the log list alone', [exchange("&$filter=restorePointQueryType eq 'Log'", [logs([range])])], [log]],
  ['both', [exchange("&$filter=restorePointQueryType eq 'Log'", [logs([range])]), exchange('', [older])], [log, '4']],
]
for (const [name, exchanges, ids] of recorded)
  t.test(`a recording of ${name} gives every point once`, async t => {
    const { arm } = createFakeAzure([], { send: replaying(exchanges) })
    const { call } = createTools(() => undefined, {}, { arm })
    t.same(pointIds(await call('list_recovery_points', { item: database })), ids)
    const some = await call('list_recovery_points', { item: database, limit: 1 })
    const rest = some.next_cursor && (await call('list_recovery_points', { item: database, cursor: some.next_cursor }))
    t.same([...pointIds(some), ...(rest ? pointIds(rest as Called) : [])], ids)
  })

t.test('an item that is not there is an error', async t => {
  const { call } = createTools(() => failure(404, 'BMSUserErrorDataSourceObjectNotFound', 'Item not found.'))
  t.match(await call('list_recovery_points', { item: vm }), { code: 'not_found' })
  const { call: broken } = createTools(() => answer(200, {}))
  t.match(await broken('list_recovery_points', { item: database }), { code: 'azure_error', message: /no list/ })
})
