/** Files of a VM out of a recovery point: the script that mounts it, where it goes, and who never sees it. */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { mountScriptIn } from '../../src/backup/mount-scripts.ts'
import type { ToolContext } from '../../src/tools/context.ts'
import { createEstate, inGroup, vaultId } from '../helpers/estate.ts'
import { Server } from '../helpers/server.ts'

const itemId = (group: string, vm: string): string =>
  `${vaultId('vault-prod')}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;${group};${vm}/protectedItems/VM;iaasvmcontainerv2;${group};${vm}`
const web = itemId('rg-app', 'web-01')
const newest = '2923428560861247522'
const second = '2313703331817892563'
const mountOf = (point: string): string => `POST ${web}/recoveryPoints/${point}/provisionInstantItemRecovery`
const unmountOf = (point: string): string => `POST ${web}/recoveryPoints/${point}/revokeInstantItemRecovery`
const linux = { item: web, point: 'latest' }

type Files = ToolContext['files']

/** A new folder, whose own path has no link in it, and the estate that may write there. */
const withFiles = (t: Test, over: Partial<Files> = {}) => {
  const folder = t.testdir({ there: 'mine', folder: {} })
  symlinkSync(path.join(folder, 'folder'), path.join(folder, 'link'))
  symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'dangling'))
  return { ...createEstate({}, { files: { ...fs, ...over } }), at: (name: string) => path.join(folder, name) }
}

type Estate = ReturnType<typeof createEstate>
type Properties = { recoveryTarget?: { clientScripts: Record<string, unknown>[] } }

/** Changes every operation just before its end is asked for. */
const meddle = ({ world, rule }: Estate, change: (properties: Properties, end: { endMs: number }) => void): void => {
  rule.interfere = (method, asked) => {
    if (method === 'GET' && /operation/i.test(asked))
      for (const { operations } of world.state.vaults.values())
        for (const operation of operations.values()) change((operation.properties ?? {}) as Properties, operation)
    return undefined
  }
}

t.test('a mounted point of a Linux VM gives its script and password', async t => {
  const { call, taken, bodies, received } = createEstate()
  const result = await call('restore_files', linux)
  t.match(result, {
    status: 'succeeded',
    item_id: web,
    recovery_point_id: newest,
    job_id: null,
    os_type: 'Linux',
    file_name: /^web-01_eastus_\d+_[0-9a-f]{32}\.py$/,
    password: /^[0-9a-f]{15}$/,
    expiry_time: '2026-11-22T20:00:00Z',
    message: /^Mounted until 2026-11-22T20:00:00Z\. .*action unmount ends it/,
  })
  const script = String(result.script)
  t.match(script, /^#!\/usr\/bin\/env python3\n.*\nTargetPassword="UserInput012345"\nprint\(.*\)\n$/)
  t.notOk(script.includes(String(result.password)), 'it asks for the password')
  t.same(bodies[received.indexOf(mountOf(newest))], {
    properties: {
      objectType: 'IaasVMILRRegistrationRequest',
      recoveryPointId: newest,
      virtualMachineId: `${inGroup('rg-app')}/providers/Microsoft.Compute/virtualMachines/web-01`,
      initiatorName: 'recovery-services-server',
      renewExistingRegistration: false,
    },
  })
  t.same(taken('writes'), [mountOf(newest)])
})

t.test('the script is saved where the caller says, for its owner alone', async t => {
  const { call, at } = withFiles(t)
  const save_to = at('mount.py')
  const result = await call('restore_files', { ...linux, save_to })
  t.match(result, { status: 'succeeded', saved_to: save_to, password: String, file_name: String })
  t.ok(String(result.message).includes(`The script is in ${save_to}: run it`), String(result.message))
  t.notOk('script' in result, 'and not told')
  t.match(readFileSync(save_to, 'utf8'), /^#!.*\nTargetPassword="UserInput012345"\n/s)
  t.notMatch(readFileSync(save_to, 'utf8'), String(result.password))
  t.equal(statSync(save_to).mode & 0o777, 0o600)
})

t.test('a place where no new file can be made is refused before anything is asked', async t => {
  const { call, taken, at } = withFiles(t)
  const rows: [save_to: string, words: RegExp][] = [
    ['mount.py', /must be an absolute path/],
    ['~/mount.py', /must be an absolute path/],
    [at('there'), /exists already/],
    [at('folder'), /exists already/],
    [at('dangling'), /exists already/],
    [at('folder/'), /must be the path of a file/],
    [at('a\0b'), /must be the path of a file/],
    [at('gone/mount.py'), /the folder \S+gone does not exist/],
    [at('there/mount.py'), /there is no folder/],
    [at('link/mount.py'), /leads through the link \S+link;/],
    [at('folder/../link/mount.py'), /leads through the link/],
  ]
  for (const [save_to, words] of rows) {
    const { code, message } = await call('restore_files', { ...linux, save_to })
    t.match({ code, message }, { code: 'invalid_arguments', message: words }, save_to)
  }
  t.same(taken(), [])
  t.equal(readFileSync(at('there'), 'utf8'), 'mine')
  t.same(readdirSync(at('folder')), [])
})

t.test('a dry run makes neither a mount nor a file', async t => {
  const { call, taken, at } = withFiles(t)
  const result = await call('restore_files', { ...linux, save_to: at('mount.py'), dry_run: true })
  t.match(result, { status: 'planned', plan: { summary: /2026-11-21T23:00:03Z for 12 hours/, loses: [] } })
  t.notOk('confirmation' in result)
  t.same(taken('writes'), [])
  t.notOk(existsSync(at('mount.py')))
})

t.test('a script that cannot be saved after all is in the result', async t => {
  const made = withFiles(t, {
    writeFile: async file => {
      await fs.writeFile(file, 'half')
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    },
  })
  const result = await made.call('restore_files', { ...linux, save_to: made.at('mount.py') })
  t.match(result, { status: 'succeeded_with_warnings', script: /^#!/, warnings: [/could not be saved.*ENOSPC/] })
  t.notOk(existsSync(made.at('mount.py')), 'no half script stays')

  const raced = withFiles(t)
  meddle(raced, () => {
    if (!existsSync(raced.at('mount.py'))) symlinkSync('/dev/null', raced.at('mount.py'))
  })
  const late = await raced.call('restore_files', { ...linux, save_to: raced.at('mount.py'), wait_seconds: 0 })
  t.match(late, { status: 'succeeded_with_warnings', script: /^#!/, warnings: [/exists already/] })
})

t.test('a link that is laid while the file is made leads nowhere', async t => {
  const { call, at } = withFiles(t, {
    writeFile: (file, bytes, options) => {
      symlinkSync('there', file)
      return fs.writeFile(file, bytes, options)
    },
  })
  const result = await call('restore_files', { ...linux, save_to: at('mount.py') })
  t.match(result, { script: /^#!/, warnings: [/could not be saved.*EEXIST/] })
  t.equal(readFileSync(at('there'), 'utf8'), 'mine')
})

t.test('the script comes through whole and to the letter', async t => {
  const head = `#\u0007\u202e ${'x'.repeat(50_000)} AccountKey=abc Bearer abcdef eyJhbGciOi.eyJhIjox.c\r\n\tTargetPassword = "`
  const tail = '"\nif TargetPassword == "UserInput012345": ask()\n'
  const secret = 'Aa0123456789012'
  const script = (content: Buffer) => (properties: Properties) => {
    for (const each of properties.recoveryTarget?.clientScripts ?? []) each.scriptContent = content.toString('base64')
  }
  const estate = createEstate()
  meddle(estate, script(Buffer.from(head + secret + tail)))
  const told = await estate.call('restore_files', linux)
  t.equal(told.script, `${head}UserInput012345${tail}`)

  const bytes = Buffer.from([0x23, 0xff, 0xfe, 0x0a])
  const saving = withFiles(t)
  meddle(saving, script(bytes))
  await saving.call('restore_files', { ...linux, save_to: saving.at('mount.py') })
  t.same(readFileSync(saving.at('mount.py')), bytes)
  const { script: none, script_base64 } = await saving.call('restore_files', linux)
  t.same([none, script_base64], [undefined, bytes.toString('base64')], 'what is no text is not made one')
})

t.test('a mounted point of a Windows VM gives the address of a program', async t => {
  const { call, taken } = createEstate()
  const windows = { item: itemId('rg-app', 'app-01'), point: 'latest' }
  t.match(await call('restore_files', { ...windows, save_to: path.join(t.testdirName, 'x') }), {
    code: 'invalid_arguments',
  })
  t.same(taken('writes'), [])
  const result = await call('restore_files', windows)
  t.match(result, {
    status: 'succeeded',
    os_type: 'Windows',
    download_url: /^https:\/\//,
    file_name: /^app-01_.*\.exe$/,
    password: /^[0-9a-f]{15}$/,
    message: /Download the program from download_url/,
  })
  t.notOk('script' in result)
})

t.test('a point that is mounted is renewed, and unmounted without naming it', async t => {
  const { call, taken, bodies, received } = createEstate()
  const first = await call('restore_files', { item: web, recovery_point_id: second })
  taken()
  const renewed = await call('restore_files', { item: web, recovery_point_id: second })
  t.not(renewed.password, first.password)
  t.match(bodies[received.indexOf(mountOf(second))], { properties: { renewExistingRegistration: true } })
  taken()
  const other = await call('restore_files', { item: web, recovery_point_id: newest, action: 'unmount' })
  t.match(other, { status: 'succeeded', message: /from 2026-11-21T23:00:03Z of web-01 \(rg-app\) is not mounted/ })
  t.same(taken('writes'), [])
  const planned = await call('restore_files', { item: web, action: 'unmount', dry_run: true })
  t.match(planned.plan, { summary: /Unmount .* from 2026-11-20T23:00:03Z; copies that still run break off/, loses: [] })
  t.match(await call('restore_files', { item: web, action: 'unmount' }), {
    status: 'succeeded',
    recovery_point_id: second,
    message: /is unmounted/,
  })
  t.same(taken('writes'), [unmountOf(second)])
  t.match(await call('restore_files', { item: web, action: 'unmount' }), {
    status: 'succeeded',
    recovery_point_id: null,
    message: /^No recovery point of web-01 \(rg-app\) is mounted/,
  })
  t.same(taken('writes'), [])
})

t.test('what cannot be mounted is told, and nothing is sent', async t => {
  const { call, taken } = createEstate()
  const faults = { code: 'invalid_arguments' }
  const rows: [args: Record<string, unknown>, error: object][] = [
    [{ item: web }, { ...faults, message: /recovery_point_id.*is needed/ }],
    [{ ...linux, before: '2026-11-20T00:00:00Z' }, faults],
    [
      { item: web, action: 'unmount', save_to: '/x' },
      { ...faults, message: /save_to: is for the script of a mount/ },
    ],
    [
      { ...linux, workload_type: 'SQL', save_to: 'x' },
      { ...faults, details: { faults: [{}, {}, {}] } },
    ],
    [
      { item: 'contosofiles/finance', point: 'latest' },
      { ...faults, message: /restores files of VMs only/ },
    ],
    [
      { item: 'sql-01/orders', point: 'latest' },
      { ...faults, message: /item: is .*database.*VMs only/ },
    ],
    [
      { item: 'rg-app/app-03', point: 'latest', workload_type: 'VM' },
      { code: 'not_found', message: /not protected/ },
    ],
    [
      { item: itemId('rg-app', 'old-01'), point: 'latest' },
      { code: 'precondition_failed', message: /soft-deleted/ },
    ],
    [
      { item: web, recovery_point_id: '123' },
      { code: 'not_found', details: { candidates: [{}] } },
    ],
  ]
  for (const [args, error] of rows) t.match(await call('restore_files', args), error, JSON.stringify(args))
  t.same(taken('writes'), [])
})

t.test('a mount that takes longer than the wait says how to come by the script', async t => {
  const estate = withFiles(t)
  meddle(estate, (_properties, operation) => {
    operation.endMs = Number.POSITIVE_INFINITY
  })
  const save_to = estate.at('mount.py')
  const result = await estate.call('restore_files', { ...linux, save_to, wait_seconds: 1 })
  t.match(result, { status: 'in_progress', operation_id: String, message: /nothing is saved yet.*renews the mount/ })
  t.notOk(existsSync(save_to))
})

t.test('a mount without a script names the API version that has none', async t => {
  const estate = createEstate({ apiVersion: '2026-08-01' })
  meddle(estate, properties => {
    delete properties.recoveryTarget
  })
  t.match(await estate.call('restore_files', linux), {
    code: 'azure_error',
    message: /handed out no script.*api_version is 2026-08-01/,
    remediation: /Set api_version to 2025-08-01/,
  })
})

t.test('a mount whose answer is lost is sent once', async t => {
  const { call, rule, taken } = createEstate()
  rule.interfere = method => (method === 'POST' ? 'inside_answer' : undefined)
  t.match(await call('restore_files', linux), {
    status: 'succeeded_with_warnings',
    message: /the answer that had the script was lost/,
    warnings: [/sent once/],
  })
  t.same(taken('writes'), [mountOf(newest)])
  t.match(await call('restore_files', { item: web, action: 'unmount' }), { status: 'succeeded', warnings: [/lost/] })
  t.same(taken('writes'), [unmountOf(newest)])
  rule.interfere = method => (method === 'POST' ? 'inside' : undefined)
  t.match(await call('restore_files', linux), { isError: true, details: { outcome: 'unknown' } })
  t.same(taken('writes'), [])
})

const suffix = `vm_a_westus_1_${'0'.repeat(32)}`
const inBase64 = (text: string): string => Buffer.from(text).toString('base64')
const bodies: [name: string, script: object, found: object | undefined][] = [
  [
    'the password is taken out of the name',
    { osType: 'Linux', scriptExtension: 'py', scriptContent: 'eA==', scriptNameSuffix: `${suffix}123456789012345` },
    { fileName: `${suffix}.py`, password: '123456789012345', content: Buffer.from('x') },
  ],
  [
    'a name that is made otherwise is not told, and the script has the password',
    { osType: 'Linux', scriptContent: inBase64('TargetPassword="abc"'), scriptNameSuffix: 'vm_abc' },
    { fileName: null, password: 'abc', content: Buffer.from('TargetPassword="UserInput012345"') },
  ],
  [
    'a script that asks for its password tells none',
    { osType: 'Linux', scriptContent: inBase64('TargetPassword="UserInput012345"'), scriptNameSuffix: 'vm' },
    { fileName: null, password: null },
  ],
  [
    'a Linux script may have to be downloaded too',
    { osType: 'Linux', url: 'https://a.example/x?sig=a%2Fb', scriptNameSuffix: 'vm' },
    { content: undefined, url: 'https://a.example/x?sig=a%2Fb' },
  ],
  ['an address that is none is not told', { osType: 'Windows', url: 'x' }, undefined],
]
for (const [name, script, found] of bodies)
  t.test(name, async t => {
    const body = { properties: { recoveryTarget: { clientScripts: [script] } } }
    t.match({ found: mountScriptIn(body) }, { found })
  })

t.test('neither password nor script is in a recording or on stderr', async t => {
  const folder = t.testdir({ recorded: {}, files: {} })
  const args = ['--simulate', '--time-scale', '3600', '--verbose', '--record', path.join(folder, 'recorded')]
  const server = new Server(t, { args })
  const linuxVm = await server.call('restore_files', linux)
  const { script, password, file_name } = linuxVm.body
  t.match(linuxVm.body, { status: 'succeeded', script: /TargetPassword="UserInput012345"/, password: /^\w{15}$/ })
  const windows = await server.call('restore_files', { item: itemId('rg-app', 'app-01'), point: 'latest' })
  const saved = path.join(folder, 'files', 'mount.py')
  chmodSync(path.dirname(saved), 0o500)
  const again = await server.call('restore_files', { ...linux, save_to: saved })
  t.equal(await server.end(), 0)
  const [name = ''] = readdirSync(path.join(folder, 'recorded'))
  const recorded = readFileSync(path.join(folder, 'recorded', name), 'utf8')
  const seen = recorded + server.stderr
  t.match(recorded, /"recoveryTarget"[^}]*"scriptContent": "scrubbed"/)
  t.match(server.stderr, /notice write tool="restore_files"/)
  for (const secret of [
    password,
    windows.body.password,
    windows.body.download_url,
    again.body.password,
    script,
    file_name,
    inBase64(String(script)).slice(0, 40),
  ])
    t.notOk(seen.includes(String(secret)), 'no secret')
})
