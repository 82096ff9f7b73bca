/** What all changing tools share: plans, a person's word, following, and what becomes of a call that is cut off. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { SendError } from '../../src/arm/send.ts'
import { type Changed, type ChangeInput, carryOut } from '../../src/backup/changes.ts'
import type { Plan, PlannedRequest } from '../../src/backup/plans.ts'
import type { Config } from '../../src/config/types.ts'
import type { ToolName } from '../../src/generated/tools.ts'
import type { Elicit, Elicited } from '../../src/mcp/tool-service.ts'
import { Problem } from '../../src/problem.ts'
import { createConfirmations } from '../../src/tools/confirmations.ts'
import type { ToolContext } from '../../src/tools/context.ts'
import { createMemory } from '../../src/tools/memory.ts'
import type { SecretFiles } from '../../src/tools/secret-key.ts'
import { answer, createFakeAzure, endpoint, failure, type Scripted, vault } from '../arm/fake-azure.ts'
import { createEstate, inGroup, production, vaultId } from '../helpers/estate.ts'

type Confirmation = Config['confirmation']

const runningJob = '8564b595-2d0b-4694-88ae-d03f936d2588'

t.test('a dry run shows the plan and writes nothing', async t => {
  const { call, taken } = createEstate()
  const result = await call('trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM', dry_run: true })
  t.equal(result.status, 'planned')
  t.match(result.plan, { requests: [{ method: 'POST' }], loses: [], vault: { soft_delete: 'Enabled', guarded: false } })
  t.notOk('confirmation' in result, 'a plan that loses nothing needs no word')
  t.same(taken('writes'), [])
})

t.test('a plan that loses something is refused with the string that confirms it, once', async t => {
  const { call, taken } = createEstate()
  const refused = await call('cancel_job', { job_id: runningJob })
  t.equal(refused.code, 'confirmation_required')
  t.same(taken('writes'), [])
  const { confirmation } = refused.details as { confirmation: string }
  const done = await call('cancel_job', { job_id: runningJob, confirm: confirmation, wait_seconds: 10 })
  t.equal(done.status, 'succeeded')
  t.equal(taken('writes').length, 1)
  const again = await call('cancel_job', { job_id: runningJob, confirm: confirmation })
  t.match(again, { code: 'conflict', details: { operation_id: done.operation_id } })
  t.same(taken('writes'), [])
})

const wrong: [name: string, confirm: unknown, code: string][] = [
  ['a bare true', true, 'invalid_arguments'],
  ['a bare yes', 'yes', 'confirmation_required'],
  [
    'a string of another server',
    'mwsaguzr.ClOd1BhE.bVP68jLkeCi6-1GI8Jtuu5zh0XYIeD-BUyZCdQG_3BI',
    'confirmation_required',
  ],
]
for (const [name, confirm, code] of wrong)
  t.test(`${name} confirms nothing`, async t => {
    const { call, taken } = createEstate()
    t.equal((await call('cancel_job', { job_id: runningJob, confirm })).code, code)
    t.same(taken('writes'), [])
  })

t.test('a string lapses after ten minutes', async t => {
  const { call, clock, taken } = createEstate()
  const stopping = { item: 'rg-app/web-01', workload_type: 'VM' }
  const { confirmation } = await call('disable_protection', { ...stopping, dry_run: true })
  clock.advance(10 * 60_000)
  const late = await call('disable_protection', { ...stopping, confirm: confirmation })
  t.match(late, { code: 'confirmation_required', message: /has lapsed/ })
  t.same(taken('writes'), [])
})

t.test('a POST whose answer is lost is sent once, and found by its job', async t => {
  const { call, rule, received } = createEstate()
  rule.interfere = (method, path) => (method === 'POST' && path.endsWith('/backup') ? 'inside_answer' : undefined)
  const result = await call('trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM' })
  t.equal(received.filter(text => text.startsWith('POST')).length, 1)
  t.match(result, { status: 'in_progress', job_id: String, warnings: [/lost.*shows that it took/] })
})

t.test('a POST that was lost before Azure had it is not sent again, and that is said', async t => {
  const { call, rule, received } = createEstate()
  rule.interfere = (method, path) => (method === 'POST' && path.endsWith('/backup') ? 'inside' : undefined)
  const result = await call('trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM' })
  t.equal(received.filter(text => text.startsWith('POST')).length, 0)
  t.match(result, { isError: true, details: { outcome: 'unknown' }, message: /nothing shows whether Azure took it/ })
})

for (const waited of [1, 4, 20])
  t.test(`a call that may wait for ${waited} seconds waits no longer, and tells how far the job is then`, async t => {
    const { call, clock, reports } = createEstate()
    const startMs = clock.monotonic()
    const result = await call('trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM', wait_seconds: waited })
    const isOver = waited >= 13
    t.match(result, { status: isOver ? 'succeeded' : 'in_progress', job: { tasks: Array } })
    t.match(
      result.message,
      isOver ? /^web-01 \(rg-app\) is backed up; / : /^Azure backs up web-01 \(rg-app\), .*get_job_details/,
    )
    t.ok(clock.monotonic() - startMs <= waited * 1000 + 100, `${clock.monotonic() - startMs} ms`)
    t.same([...new Set(reports.map(({ total }) => total))], [waited])
    t.match(reports.at(-1)?.message, /^Backup web-01 /)
  })

t.test('who waits is told at once, before anything is sent, also where Azure answers with the end', async t => {
  for (const [tool, args] of [
    ['create_policy', { policy_name: 'vm-daily-new', preset: 'vm-daily' }],
    ['trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM', wait_seconds: 60 }],
  ] as const) {
    const { call, received } = createEstate()
    const sentBefore: number[] = []
    const progress = () => sentBefore.push(received.filter(text => !text.startsWith('GET ')).length)
    t.match(await call(tool, args, { progress }), { isError: false, status: 'succeeded' })
    t.equal(sentBefore[0], 0, tool)
  }
  const { call, reports } = createEstate()
  await call('trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM' })
  t.same(reports, [], 'nobody waits')
})

t.test('a call cancelled while it waits says what Azure goes on doing', async t => {
  const { call, lines } = createEstate()
  const control = new AbortController()
  const waiting = call(
    'trigger_backup',
    { item: 'rg-app/web-01', workload_type: 'VM', wait_seconds: 600 },
    {
      signal: control.signal,
      progress: ({ message }) => message?.includes('Backup') && control.abort(new Error('enough')),
    },
  )
  const result = await waiting
  t.match(result, { code: 'cancelled', message: /goes on/, details: { job_id: String, operation_id: String } })
  t.ok(lines.some(({ message, fields }) => message === 'cancelled' && fields.tool === 'trigger_backup'))
})

t.test('every write is one line in the log', async t => {
  const { call, lines } = createEstate()
  const result = await call('trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM' })
  const writes = lines.filter(({ message }) => message === 'write')
  t.match(writes, [
    {
      level: 'notice',
      fields: {
        tool: 'trigger_backup',
        method: 'POST',
        client_request_id: result.client_request_id,
        outcome: 'answered 202',
      },
    },
  ])
  t.match(String(writes[0]?.fields.item_id), new RegExp(`^/subscriptions/${production}/.*web-01$`))
})

t.test('the id of a VM never means a VM of the same name in another subscription', async t => {
  const { call, taken } = createEstate()
  const twin = `${inGroup('rg-app').replace(production, '22222222-2222-4222-8222-222222222222')}/providers/Microsoft.Compute/virtualMachines/web-01`
  const result = await call('trigger_backup', { item: twin })
  t.match(result, { code: 'not_found', details: { candidates: [/^.subscriptions.1{8}-.*web-01$/] } })
  t.same(taken('writes'), [])
})

const answers: [answer: Elicited, mode: Confirmation, code: string | undefined, asked: number][] = [
  ['accepted', 'elicit', undefined, 1],
  ['declined', 'elicit', 'cancelled', 1],
  ['cancelled', 'elicit', 'cancelled', 1],
  ['unsupported', 'elicit', 'confirmation_required', 1],
  ['accepted', 'elicit_only', undefined, 1],
  ['declined', 'elicit_only', 'cancelled', 1],
  ['cancelled', 'elicit_only', 'cancelled', 1],
  ['unsupported', 'elicit_only', 'confirmation_required', 1],
  ['accepted', 'argument', 'confirmation_required', 0],
  ['declined', 'off', undefined, 0],
]
for (const [answer, mode, code, asked] of answers)
  t.test(`confirmation = "${mode}", and the person's answer is ${answer}: ${code ?? 'done'}`, async t => {
    const questions: string[] = []
    const elicit: Elicit = async ({ message }) => {
      questions.push(message)
      return answer
    }
    const { call, taken } = createEstate({ confirmation: mode }, { elicit })
    const result = await call('cancel_job', { job_id: runningJob })
    t.equal(result.code, code)
    t.equal(questions.length, asked)
    for (const question of questions)
      t.match(
        question,
        /^Cancel the running job: Backup of web-02.*\nLoses: what the job.*\nKeeps: .*\nVault: vault-prod, /,
      )
    const all = taken()
    t.equal(all.filter(text => text.startsWith('POST')).length, code === undefined ? 1 : 0)
    if (code === undefined) return
    t.equal(all.length, 2, 'nothing was asked but what the plan tells: the job and the vault')
    t.equal(
      'confirmation' in ((result.details ?? {}) as object),
      mode !== 'elicit_only' && answer !== 'declined' && answer !== 'cancelled',
    )
  })

const strings: [mode: Confirmation, elicit: Elicited, dryRun: boolean, code: string | undefined][] = [
  ['elicit', 'unsupported', true, undefined],
  ['elicit', 'declined', true, 'cancelled'],
  ['argument', 'declined', true, undefined],
  ['elicit_only', 'unsupported', false, 'confirmation_required'],
  ['off', 'unsupported', false, undefined],
]
for (const [mode, elicited, isGiven, code] of strings)
  t.test(
    `with confirmation = "${mode}" and a client that says ${elicited}, a string ends in ${code ?? 'done'}`,
    async t => {
      const { call } = createEstate({ confirmation: mode }, { elicit: async () => elicited })
      const { confirmation } = await call('cancel_job', { job_id: runningJob, dry_run: true })
      t.equal(confirmation !== undefined, isGiven, 'a dry run gives a string where one is taken')
      const confirm = confirmation ?? 'mwsaguzr.ClOd1BhE.bVP68jLkeCi6-1GI8Jtuu5zh0XYIeD-BUyZCdQG_3BI'
      t.equal((await call('cancel_job', { job_id: runningJob, confirm })).code, code)
    },
  )

/** What lies in another service's vault, whose names mean something else here. */
const elsewhere = (path: string, vaults = 'Microsoft.DataProtection/backupVaults/vault-prod') =>
  `/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-backup/providers/${vaults}/${path}`
const webItem =
  'backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;web-01/protectedItems/VM;iaasvmcontainerv2;rg-app;web-01'
const machine = 'backupFabrics/Azure/protectionContainers/VMAppContainer;Compute;rg-data;ase-01'
const foreign: [tool: ToolName, argument: string, id: string, more?: object][] = [
  ['disable_protection', 'item', elsewhere(webItem, 'Microsoft.Compute/vaults/vault-prod')],
  ['disable_protection', 'item', elsewhere(webItem, 'Microsoft.Else/vaults/vault-prod')],
  ['delete_policy', 'policy_name', elsewhere('backupPolicies/HourlyLogBackup')],
  [
    'enable_protection',
    'policy_name',
    elsewhere('backupPolicies/DefaultPolicy'),
    { item: 'rg-app/app-03', workload_type: 'VM' },
  ],
  ['unregister_vm', 'vm', elsewhere(machine), { workload_type: 'SAPAse' }],
  ['cancel_job', 'job_id', elsewhere(`backupJobs/${runningJob}`)],
]
for (const [tool, argument, id, more] of foreign)
  t.test(`${tool} takes ${argument} ${id.replace(/^.*providers/, '…')} for nothing of the default vault`, async t => {
    const { call, taken } = createEstate()
    const { code, details } = await call(tool, { [argument]: id, ...more })
    t.match({ code, details }, { code: 'invalid_arguments', details: { faults: [{ path: `/${argument}` }] } })
    t.same(taken(), [])
  })

t.test('all that is wrong with a backup of a VM is told at once, where the id tells that it is one', async t => {
  const { call, taken } = createEstate()
  const vm = `${inGroup('rg-app')}/providers/Microsoft.Compute/virtualMachines/web-01`
  const args = { item: vm, backup_type: 'Full', enable_compression: true, expiry_time: '2020-01-01T00:00:00Z' }
  const { details } = await call('trigger_backup', args)
  t.same(
    (details as { faults: { path: string }[] }).faults.map(({ path }) => path),
    ['/expiry_time', '/backup_type', '/enable_compression'],
  )
  t.same(taken(), [])
})

t.test(
  'a backup that was started says how to follow it, and one that is over until when its point is kept',
  async t => {
    const { call } = createEstate()
    const web = { item: 'rg-app/web-01', workload_type: 'VM' }
    t.equal((await call('trigger_backup', { ...web, dry_run: true })).message, undefined)
    t.match(await call('trigger_backup', web), {
      status: 'in_progress',
      friendly_name: 'web-01',
      message: /^Azure backs up web-01 \(rg-app\).*recovery_services_get_job_details and wait_seconds/,
    })
    const legacy = { item: 'rg-legacy/app-01', workload_type: 'VM', wait_seconds: 3600 }
    t.match(await call('trigger_backup', legacy), {
      status: 'succeeded',
      message: /^app-01 \(rg-legacy\) is backed up; the recovery point is kept until 2026-12-22T08:\d\d:\d\dZ\.$/,
    })
  },
)

t.test('a plan that loses nothing asks nobody', async t => {
  const elicit: Elicit = () => Promise.reject(new Error('asked'))
  const { call } = createEstate({ confirmation: 'elicit_only' }, { elicit })
  t.equal((await call('trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM' })).status, 'in_progress')
})

t.test('what Azure took is no failure because nobody can ask how far it is', async t => {
  const { call, rule } = createEstate()
  rule.interfere = (method, path) => (method === 'GET' && /operation/i.test(path) ? 'before' : undefined)
  const result = await call('trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM' })
  t.match(result, { isError: false, status: 'in_progress', operation_id: String, warnings: [/took the request/] })
})

t.test('what fails behind a change says that the change was taken', async t => {
  const { call, rule, received } = createEstate({ confirmation: 'off' })
  const isSent = () => received.some(text => text.startsWith('POST'))
  rule.interfere = (method, path) => (method === 'GET' && isSent() && /backupJobs/.test(path) ? 'before' : undefined)
  const result = await call('cancel_job', { job_id: runningJob })
  t.match(result, { code: 'unreachable', message: /Before that, Azure had/, details: { operation_id: String } })
})

t.test('a lost answer is told with what was done, though the jobs cannot be read', async t => {
  const { call, rule } = createEstate()
  rule.interfere = (method, path) =>
    method === 'POST' ? 'inside_answer' : /backupJobs$/.test(path) ? 'before' : undefined
  const result = await call('trigger_backup', { item: 'rg-app/web-01', workload_type: 'VM' })
  t.match(result, { code: 'unreachable', details: { outcome: 'unknown' } })
})

t.test('a call cancelled before its change leaves says that nothing was sent, and the string stays good', async t => {
  for (const at of ['reading', 'waiting to send'] as const) {
    const { call, rule, taken } = createEstate()
    const { confirmation } = await call('cancel_job', { job_id: runningJob, dry_run: true })
    const control = new AbortController()
    const abort = () => control.abort(new Error('enough'))
    rule.interfere = method => {
      if (at === 'reading') abort()
      else if (method === 'POST') setImmediate(abort)
      return method === 'POST' ? 'before' : undefined
    }
    const args = { job_id: runningJob, confirm: confirmation }
    const result = await call('cancel_job', args, { signal: control.signal })
    t.match(result, { code: 'cancelled', message: /Nothing that it changes was sent/ }, at)
    t.same(taken('writes'), [], at)
    rule.interfere = () => undefined
    t.notOk((await call('cancel_job', args)).isError, at)
  }
})

t.test('a call cancelled while its change is on its way says that nobody knows, and the string is used', async t => {
  const { call, rule } = createEstate()
  const { confirmation } = await call('cancel_job', { job_id: runningJob, dry_run: true })
  const control = new AbortController()
  rule.interfere = method => {
    if (method === 'POST') control.abort(new Error('enough'))
    return undefined
  }
  const args = { job_id: runningJob, confirm: confirmation }
  t.match(await call('cancel_job', args, { signal: control.signal }), {
    code: 'cancelled',
    message: /whether Azure took POST .*cancel is not known/,
  })
  t.equal((await call('cancel_job', args)).code, 'conflict')
})

/** A plan of requests that a script answers. */
const steps = (script: Scripted[], methods: PlannedRequest['method'][] = [], more: Partial<Plan> = {}) => {
  const fake = createFakeAzure(script)
  const clock = { now: fake.clock.now }
  const noFiles = () => Promise.reject(new Error('no files here'))
  const files = new Proxy({} as SecretFiles, { get: () => noFiles })
  const confirmations = createConfirmations({ folder: '/nowhere', files, clock, randomBytes })
  const { config } = createEstate()
  const context: ToolContext = {
    ...fake.deps,
    loaded: { config, origins: {}, warnings: [], faults: [] },
    arm: fake.arm,
    progress: () => {},
    memory: createMemory(fake.clock),
    confirmations,
    files: new Proxy({} as ToolContext['files'], { get: () => noFiles }),
    elicit: async () => 'unsupported',
    goingOn: {},
    consent: {},
    signIn: 'simulated',
  }
  const plan: Plan = {
    summary: 'Do it.',
    requests: methods.map((method, at) => ({ method, path: `${vault}/steps/${at}`, before: { kind: 'absent' } })),
    keeps: [],
    loses: ['all of it'],
    itemId: vault,
    ...more,
  }
  const carry = async (input: ChangeInput): Promise<Changed | Problem> => {
    try {
      return (await carryOut('cancel_job', input, { ...context, goingOn: {} }, plan)).changed
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
  }
  /** Carried out with a string, then once more with the same. */
  const twice = async () => {
    const { confirmation = '' } = (await carry({ dry_run: true })) as Changed
    return [await carry({ confirm: confirmation }), await carry({ confirm: confirmation })] as const
  }
  return { ...fake, context, carry, twice }
}
const operation = { 'azure-asyncoperation': `${endpoint}${vault}/backupOperations/op-1?api-version=2025-08-01` }
const refusedStep = failure(400, 'X', 'no')

t.test('a plan of several requests', async t => {
  t.test('refused at its first gives the string back', async t => {
    const { twice, asked } = steps([refusedStep, refusedStep], ['POST', 'POST'])
    const [first, again] = await twice()
    t.match(first, { azureCode: 'X', message: /no/ })
    t.match(again, { azureCode: 'X' }, 'the string could be used')
    t.equal(asked().length, 2)
  })

  t.test('refused at a later one says what was done, and the string is used', async t => {
    const { twice, asked } = steps([answer(200, {}), refusedStep], ['POST', 'POST'])
    const [first, again] = await twice()
    t.match(first, {
      azureCode: 'X',
      message: /Step 2 of 2 failed: no.* 1 before it is done/,
      details: { steps_done: 1 },
    })
    t.match(again, { code: 'conflict' })
    t.equal(asked().length, 2)
  })

  t.test('whose first goes on for long names its operation, and so does the string', async t => {
    const running = () => answer(200, { status: 'InProgress' }, { 'retry-after': '60' })
    const { twice, asked } = steps([answer(202, '', operation), running], ['POST', 'DELETE'])
    const [first, again] = await twice()
    t.match(first, { status: 'in_progress', operation_id: String, warnings: [/step 1 of 2/] })
    const { operation_id } = first as Changed
    t.match(again, { code: 'conflict', details: { operation_id } })
    t.equal(asked().filter(text => text.startsWith('DELETE')).length, 0)
  })

  t.test('cancelled between two says which is done', async t => {
    const requests = [0, 1].map(at => ({ method: 'POST' as const, path: `${vault}/steps/${at}` }))
    const plan: Plan = { summary: '', requests, keeps: [], loses: [], itemId: vault }
    const { context, control } = steps([
      answer(200, {}),
      () => {
        setImmediate(() => control.abort(new Error('enough')))
        throw new SendError('not_sent', '')
      },
    ])
    await t.rejects(carryOut('cancel_job', {}, context, plan), { message: 'enough' })
    t.match(context.goingOn.words, /step 1 of 2/)
  })
})

t.test('a change that is answered 202 without a word how to follow it is not called done', async t => {
  const { carry } = steps([answer(202)], ['POST'], { loses: [] })
  t.match(await carry({}), { status: 'in_progress', operation_id: null, warnings: [/did not say how/] })
})

t.test('a PUT that was sent twice is not said to be sent once', async t => {
  const lost = new SendError('lost', 'cut')
  const dated = { date: 'Sun, 22 Nov 2026 12:00:00 GMT' }
  const { carry } = steps([lost, failure(404, 'X', '', dated), lost, answer(200, {}, dated)], ['PUT'], { loses: [] })
  const result = await carry({})
  t.match(result, { status: 'succeeded', warnings: [/answer was lost/] })
  t.notMatch(JSON.stringify(result), /once/)
})

t.test('a plan that changed while the user thought is asked again, and the one agreed to is done', async t => {
  const asked: string[] = []
  const { call, world, taken } = createEstate(
    {},
    {
      elicit: async ({ message }) => {
        asked.push(message)
        const vault = world.state.vaults.get(vaultId('vault-prod').toLowerCase())
        if (vault) vault.softDelete.state = 'Disabled'
        return 'accepted'
      },
    },
  )
  const args = { item: 'rg-app/web-01', workload_type: 'VM', delete_backup_data: true }
  t.equal((await call('disable_protection', args)).isError, false)
  t.equal(asked.length, 2)
  t.match(asked[0], /soft-deleted for 14 days/)
  t.match(asked[1], /gone at once and for good/)
  t.equal(taken('writes').length, 1)
})
