/** What all changing tools share: plans, a person's word, following, and what becomes of a call that is cut off. */
import t from 'tap'
import { createEstate, inGroup, production } from '../helpers/estate.ts'

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
  const { confirmation } = await call('cancel_job', { job_id: runningJob, dry_run: true })
  clock.advance(10 * 60_000)
  const late = await call('cancel_job', { job_id: runningJob, confirm: confirmation })
  // By then the job of the estate is over, and that is said first.
  t.match(late.code, /confirmation_required|precondition_failed/)
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
