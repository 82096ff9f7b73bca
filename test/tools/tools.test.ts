/** What every tool shares: arguments, words, safe results, memory, and which tools are served. */
import t from 'tap'
import { datasources } from '../../src/backup/datasources.ts'
import { ConfigError } from '../../src/config/errors.ts'
import type { Config, LoadedConfig } from '../../src/config/types.ts'
import { toolsets } from '../../src/config/types.ts'
import { entries } from '../../src/generated/catalog.ts'
import type { ToolName } from '../../src/generated/tools.ts'
import { Problem } from '../../src/problem.ts'
import { checkedArguments, type Validator } from '../../src/tools/arguments.ts'
import { safeResult, safeText } from '../../src/tools/azure-text.ts'
import { faultyConfiguration, findTool, hiddenBecause, listText, toolNames } from '../../src/tools/catalog.ts'
import { createMemory } from '../../src/tools/memory.ts'
import { createToolService } from '../../src/tools/service.ts'
import { canonicalWords } from '../../src/tools/words.ts'
import { createFakeClock } from '../arm/fake-azure.ts'
import { createTools } from '../helpers/tools.ts'

const faults: [tool: ToolName, args: object, faults: { path: string; message: RegExp }[]][] = [
  ['get_job_details', {}, [{ path: '', message: /"job_id" is required/ }]],
  ['get_job_details', { job_id: null }, [{ path: '', message: /"job_id" is required/ }]],
  ['get_job_details', { job_id: '' }, [{ path: '/job_id', message: /must not be empty/ }]],
  ['get_job_details', { job_id: 5 }, [{ path: '/job_id', message: /must be string/ }]],
  ['get_job_details', { job_id: 'x'.repeat(1001) }, [{ path: '/job_id', message: /1000 characters or fewer/ }]],
  ['list_policies', { limit: 0 }, [{ path: '/limit', message: /must be 1 or more/ }]],
  ['list_policies', { limit: 1001 }, [{ path: '/limit', message: /must be 1000 or less/ }]],
  ['list_policies', { limit: 1.5 }, [{ path: '/limit', message: /must be integer/ }]],
  [
    'list_policies',
    { workload_type: 'SQLL' },
    [
      {
        path: '/workload_type',
        message: /one of VM, SQL, SAPHana, SAPAse, AzureFileShare, not "SQLL"; did you mean "SQL"\?/,
      },
    ],
  ],
  [
    'list_policies',
    { workload_type: 7 },
    [{ path: '/workload_type', message: /one of VM, SQL, SAPHana, SAPAse, AzureFileShare$/ }],
  ],
  ['list_policies', { vautl: 'x' }, [{ path: '/vautl', message: /did you mean "vault"\?/ }]],
  [
    'list_policies',
    { zzzzzz: 'x' },
    [{ path: '/zzzzzz', message: /is not an argument; known are vault, workload_type/ }],
  ],
  [
    'create_policy',
    { policy_name: 'p-1', schedule: { freqency: 'daily', days: ['Sundy', 'MONDAY'] }, log: { retention_day: 15 } },
    [
      { path: '/schedule/freqency', message: /did you mean "frequency"\?/ },
      { path: '/schedule/days/0', message: /one of Sunday, .*, not "Sundy"; did you mean "Sunday"\?/ },
      { path: '/log/retention_day', message: /did you mean "retention_days"\?/ },
    ],
  ],
  [
    'create_policy',
    { policy_name: 'p-1', retention: { monthly: { zzzzzz: 1 } } },
    [{ path: '/retention/monthly/zzzzzz', message: /known are months, days, week, weekday$/ }],
  ],
  ['list_backup_jobs', { since: '2026-11-22' }, [{ path: '/since', message: /a time with an offset/ }]],
  ['list_backup_jobs', { since: '2026-11-22T10:00:00' }, [{ path: '/since', message: /a time with an offset/ }]],
  [
    'list_policies',
    { limit: 0, cursor: 5, workload_type: 'x', nothing: 1 },
    [
      { path: '/nothing', message: /is not an argument/ },
      { path: '/workload_type', message: /must be one of/ },
      { path: '/limit', message: /1 or more/ },
      { path: '/cursor', message: /must be string/ },
    ],
  ],
]
for (const [tool, args, expected] of faults)
  t.test(`${tool} ${JSON.stringify(args).slice(0, 80)} tells every fault`, async t => {
    const { code, details, asked } = await createTools(() => undefined).call(tool, { ...args })
    t.equal(code, 'invalid_arguments')
    const found = (details as { faults: { path: string; message: string }[] }).faults
    t.equal(found.length, expected.length)
    for (const { path, message } of expected) t.match(found.find(fault => fault.path === path)?.message, message)
    t.same(asked, [])
  })

/** Keywords that no schema of today has. */
const keywords: [keyword: string, path: string, params: object, message: string | undefined, expected: string][] = [
  ['minLength', '/a', { limit: 3 }, undefined, 'must have 3 characters or more'],
  ['type', '/a', { type: ['string', 'null'] }, undefined, 'must be string or null'],
  ['format', '/a', { format: 'uuid' }, undefined, 'must be a uuid'],
  ['pattern', '/a', { pattern: 'x' }, 'must match pattern "x"', 'must match pattern "x"'],
  ['other', '/a', {}, undefined, 'is not valid'],
  ['enum', '/nested/word', { allowedValues: ['a'] }, undefined, 'must be one of a'],
  ['enum', '/list/0', { allowedValues: ['a'] }, undefined, 'must be one of a'],
]
for (const [keyword, path, params, message, expected] of keywords)
  t.test(`the sentence of ${keyword} at ${path}`, async t => {
    const validate: Validator = Object.assign(() => false, {
      errors: [{ keyword, instancePath: path, schemaPath: '', params, message }] as never,
    })
    try {
      checkedArguments('list_policies', { nested: { word: 'x' }, list: ['x'] }, validate)
      t.fail('was taken')
    } catch (error) {
      t.match(error, { details: { faults: [{ path, message: expected }] } })
    }
  })

const words: [name: string, value: unknown, expected: unknown][] = [
  ['workload_type', 'vm', 'VM'],
  ['workload_type', 'Virtual Machine', 'VM'],
  ['workload_type', 'Microsoft.Compute/virtualMachines', 'VM'],
  ['workload_type', 'SQLDataBase', 'SQL'],
  ['workload_type', 'MSSQL', 'SQL'],
  ['workload_type', 'SAP HANA', 'SAPHana'],
  ['workload_type', 'SAPHanaDatabase', 'SAPHana'],
  ['workload_type', 'sap_ase', 'SAPAse'],
  ['workload_type', 'AFS', 'AzureFileShare'],
  ['workload_type', 'FileShare', 'AzureFileShare'],
  ['workload_type', 'ANY-database', 'AnyDatabase'],
  ['workload_type', 'anydatabase', 'AnyDatabase'],
  // A database of the platform is none on a virtual machine.
  ['workload_type', 'AzureSqlDb', 'AzureSqlDb'],
  ['workload_type', '__proto__', '__proto__'],
  ['workload_type', 'constructor', 'constructor'],
  ['workload_type', 5, 5],
  ['backup_management_type', 'azureiaasvm', 'AzureIaasVM'],
  ['backup_management_type', 'AzureVmWorkload', 'AzureWorkload'],
  ['backup_management_type', 'mab', 'MAB'],
  ['tier', 'Vault-Standard', 'HardenedRP'],
  ['tier', 'instantrp', 'InstantRP'],
  ['tier', 'snapshot', 'InstantRP'],
  ['consistency', 'file system', 'FileSystemConsistent'],
  ['vault', 'sql', 'sql'],
  ['constructor', 'sql', 'sql'],
]
const properties = {
  workload_type: { enum: ['VM', 'SQL', 'SAPHana', 'SAPAse', 'AzureFileShare', 'AnyDatabase'] },
  backup_management_type: { enum: ['AzureIaasVM', 'AzureWorkload', 'AzureStorage', 'MAB'] },
  tier: { enum: ['InstantRP', 'HardenedRP', 'ArchivedRP'] },
  consistency: { enum: ['AppConsistent', 'FileSystemConsistent', 'CrashConsistent'] },
  vault: {},
}
for (const [name, value, expected] of words)
  t.same(canonicalWords({ [name]: value }, properties), { [name]: expected }, `${name} ${value} is ${expected}`)

t.test('words inside other arguments are put right too, and what the schema does not know is left alone', async t =>
  t.same(
    canonicalWords(
      { part: { days: ['SUNDAY', 'x', 5], other: 'sunday' }, raw: { day: 'sunday' } },
      { part: { $ref: '#/$defs/part' }, raw: {} },
      { part: { properties: { days: { items: { $ref: '#/$defs/day' } } } }, day: { enum: ['Sunday', 'Monday'] } },
    ),
    { part: { days: ['Sunday', 'x', 5], other: 'sunday' }, raw: { day: 'sunday' } },
  ),
)

for (const [workload, { answers }] of Object.entries(datasources))
  for (const word of answers)
    t.same(canonicalWords({ workload_type: word }, properties), { workload_type: workload }, `Azure's ${word}`)

const texts: [given: string, expected: string][] = [
  ['plain; names\twith\nlines', 'plain; names\twith\nlines'],
  ['a\u202eb\u0000c\u200bd\u2066e\ufeff', 'a\\u202eb\\u0000c\\u200bd\\u2066e\\ufeff'],
  ['hidden\u{E0041}', 'hidden\\udb40\\udc41'],
  ['half\ud83d', 'half\\ud83d'],
  ['whole \u{1F600} ümlaut 日本', 'whole \u{1F600} ümlaut 日本'],
]
for (const [given, expected] of texts) t.equal(safeText(given), expected)

t.test('long text is cut with a mark, and never in the middle of a character', async t => {
  const cut = safeText('\u{1F600}'.repeat(3000).slice(1))
  t.match(cut, /… \[cut, 5999 characters\]$/)
  t.equal(Buffer.from(cut).toString(), cut)
})

t.test('keys and values at any depth are safe, numbers and null stay', async t => {
  t.same(safeResult({ 'a\u202e': [{ b: 'x\u0007' }, null, 1, true] }), {
    'a\\u202e': [{ b: 'x\\u0007' }, null, 1, true],
  })
})

t.test('our own opaque strings come back as they are; a tag of the same name does not', async t => {
  const long = 'x'.repeat(5000)
  t.same(safeResult({ next_cursor: long, tags: { operation_id: 'a\u202e' } }), {
    next_cursor: long,
    tags: { operation_id: 'a\\u202e' },
  })
})

t.test('a password in a text of Azure is not told', async t =>
  t.notMatch(safeText('x AccountKey=c2VjcmV0c2VjcmV0c2VjcmV0;y'), /c2VjcmV0/),
)

t.test('memory keeps what suffices until its time is over, and nothing that failed', async t => {
  const clock = createFakeClock()
  const memory = createMemory(clock)
  let loads = 0
  const recall = (suffices?: (known: number) => boolean) => memory.recall('k:1', 1000, async () => ++loads, suffices)
  t.equal(await recall(), 1)
  t.equal(await recall(), 1)
  t.equal(await recall(known => known > 1), 2)
  clock.advance(1000)
  t.equal(await recall(), 3)
  memory.forget('other')
  t.equal(await recall(), 3)
  memory.forget('k:')
  t.equal(await recall(), 4)
  await t.rejects(memory.recall('f', 1000, () => Promise.reject(new Error('no'))))
  t.equal(await memory.recall('f', 1000, async () => 'yes'), 'yes')
})

t.test('what many ask for at once is loaded once, and a caller that leaves takes nothing from the others', async t => {
  const memory = createMemory(createFakeClock())
  const loads: { give: (value: string) => void; fail: (error: Error) => void }[] = []
  const load = () => new Promise<string>((give, fail) => loads.push({ give, fail }))
  const recall = (suffices?: (known: string) => boolean) => memory.recall('k', 1000, load, suffices)

  const first = [recall(), recall(), recall(known => known === 'other')]
  loads[0]?.give('a')
  t.same(await Promise.all(first), ['a', 'a', 'a'], 'what came just now is not asked for again')
  t.equal(loads.length, 1)

  const second = [recall(known => known === 'b'), recall(known => known === 'b')]
  loads[1]?.give('b')
  t.same(await Promise.all(second), ['b', 'b'])
  t.equal(loads.length, 2)

  memory.forget('k')
  const refused = [recall(), recall()]
  loads[2]?.fail(new Problem('forbidden', 'no', 'Ask.'))
  t.match(await Promise.allSettled(refused), [{ reason: { code: 'forbidden' } }, { reason: { code: 'forbidden' } }])
  t.equal(loads.length, 3, 'one answer for all who asked')

  const left = [recall(), recall(), recall()]
  loads[3]?.fail(new Error('the first was cancelled'))
  await t.rejects(left[0] as Promise<string>, /cancelled/)
  loads[4]?.give('c')
  t.same(await Promise.all(left.slice(1)), ['c', 'c'], 'the others ask themselves, once')
  t.equal(loads.length, 5)

  memory.forget('k')
  const old = recall()
  memory.forget('k')
  const fresh = recall()
  loads[6]?.give('new')
  loads[5]?.give('old')
  t.same(await Promise.all([old, fresh]), ['old', 'new'])
  t.equal(await recall(), 'new', 'what was forgotten while it came is not remembered')
  t.equal(loads.length, 7)
})

const loaded = (over: Partial<Config> = {}, faultTexts: string[] = []): LoadedConfig => ({
  config: { enabled: true, toolsets, readOnly: false, ...over } as Config,
  origins: { toolsets: 'file.toml' },
  warnings: [],
  faults: faultTexts,
})
const named = (text: string) =>
  (JSON.parse(text) as { name: string }[]).map(({ name }) => name.replace('recovery_services_', ''))

t.test('the list holds every tool in order, and what a revision can show', async t => {
  const full = { annotations: true, output: true }
  t.same(named(listText(loaded(), full)), toolNames)
  t.same(named(listText(loaded({ enabled: false }), full)), [])
  const inSets = entries.filter(({ toolset }) => ['policies', 'operations'].includes(toolset)).map(({ name }) => name)
  t.ok(inSets.includes('list_policies') && inSets.includes('track_async_operation'))
  t.same(named(listText(loaded({ toolsets: ['policies', 'operations'] }), full)), inSets)
  const reading = entries.filter(({ readOnly }) => readOnly).map(({ name }) => name)
  t.ok(reading.includes('list_vaults') && !reading.includes('cancel_job'))
  t.same(named(listText(loaded({ readOnly: true }), full)), reading)
  const [bare] = JSON.parse(listText(loaded(), { annotations: false, output: false }))
  t.same(Object.keys(bare).sort(), ['description', 'inputSchema', 'name'])
  const [whole] = JSON.parse(listText(loaded(), full))
  t.same(Object.keys(whole).sort(), ['annotations', 'description', 'inputSchema', 'name', 'outputSchema', 'title'])
})

const entry = findTool('recovery_services_list_policies')
const changing = entry && { ...entry, readOnly: false }
const hidden: [config: Partial<Config>, code: string | undefined, message: RegExp][] = [
  [{}, undefined, /./],
  [{ enabled: false }, 'not_configured', /enabled = false/],
  [{ toolsets: ['vaults'] }, 'not_configured', /toolset "policies", which toolsets \(file.toml\) leaves out/],
  [{ readOnly: true }, 'read_only', /server is read-only/],
]
for (const [config, code, message] of hidden)
  t.test(`a changing tool with ${JSON.stringify(config)}`, async t => {
    const problem = changing && hiddenBecause(changing, loaded(config))
    t.equal(problem?.code, code)
    if (problem) t.match(problem.message, message)
  })

t.test('a call is refused by name, by configuration, and by what cannot be loaded', async t => {
  const call = (name: string) => ({
    name,
    arguments: {},
    signal: new AbortController().signal,
    progress: () => {},
    log: () => {},
  })
  const service = (config: LoadedConfig) =>
    createToolService(
      async () => config,
      async () => {
        throw new ConfigError('no proxy', 'mend it')
      },
    )
  await t.rejects(service(loaded()).call(call('list_policies')), { code: -32602 })
  const told = async (config: LoadedConfig) =>
    JSON.parse((await service(config).call(call('recovery_services_list_policies'))).json)
  t.match(await told(loaded()), { error: { code: 'not_configured', message: 'no proxy' } })
  t.match(await told(loaded({ enabled: false })), { error: { message: /switched off/ } })
  t.match(await told(loaded({}, ['a', 'b'])), { error: { message: /2 faults: a; b/, details: { faults: ['a', 'b'] } } })
  t.match(faultyConfiguration(['a']).message, /has a fault: a/)
})

t.test('a bug in a handler is no error result, and a cancelled call is one', async t => {
  const broken = createTools(() => {
    throw new TypeError('bug')
  })
  await t.rejects(broken.call('list_policies'))
  const { call, control } = createTools(() => ({ value: [] }))
  control.abort(new Error('stop'))
  t.match(await call('list_policies'), { code: 'cancelled' })
})
