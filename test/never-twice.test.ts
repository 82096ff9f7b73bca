/**
 * Never twice: every tool that writes, each of its requests, over connections that are cut at every moment, and with other
 * answers in place of Azure's. A POST reaches Azure once; anything else is repeated only over what stands as it stood;
 * nothing is called done that was not, and nothing that may have been done is called refused.
 */
import path from 'node:path'
import t, { type Test } from 'tap'
import { entries } from '../src/generated/catalog.ts'
import type { ToolName } from '../src/generated/tools.ts'
import { createVirtualClock } from '../src/simulator/clock.ts'
import { effects } from '../src/simulator/effects.ts'
import { stateOf } from '../src/simulator/estate-state.ts'
import { builtInEstate } from '../src/simulator/seed.ts'
import { createWorld } from '../src/simulator/world.ts'
import { type Arrival, type Cut, createWire, type Rule, startCuttingAzure } from './helpers/cutting.ts'
import { type Answered, createEstate, production, vaultId } from './helpers/estate.ts'
import { envelope, Server, toolPrefix } from './helpers/server.ts'

t.setTimeout(120_000) // 10 s on an idle machine, 30 on a busy one

type Estate = ReturnType<typeof createEstate>
type Args = Record<string, unknown>

interface Row {
  args: Args
  /** What has to be there before. */
  arrange?: (estate: Estate) => Promise<unknown>
}

const vm = (name: string, more: Args = {}): Args => ({ item: `rg-app/${name}`, workload_type: 'VM', ...more })

/** Every tool that writes is here; one that asks nothing of Azure has a reason instead of rows. */
const rows: Partial<Record<ToolName, readonly Row[] | string>> = {
  register_vm: [
    { args: { vm: 'rg-data/sql-02', workload_type: 'AnyDatabase', wait_seconds: 600 } },
    {
      args: { vm: 'rg-app/app-03', workload_type: 'VM' },
      arrange: async ({ world }) => world.state.vaults.get(vaultId('vault-prod').toLowerCase())?.discovered.clear(),
    },
  ],
  reregister_vm: [{ args: { vm: 'rg-data/sql-01', workload_type: 'SQL' } }],
  unregister_vm: [{ args: { vm: 'rg-data/ase-01', workload_type: 'SAPAse' } }],
  refresh_containers: [{ args: {} }],
  create_policy: [{ args: { policy_name: 'new-daily', preset: 'vm-daily' } }],
  update_policy: [
    { args: { policy_name: 'vm-daily-30d', retention: { daily: { days: 14 } } } },
    {
      args: { policy_name: 'of-nobody', retention: { daily: { days: 14 } } },
      arrange: ({ call }) => call('create_policy', { policy_name: 'of-nobody', preset: 'vm-daily' }),
    },
  ],
  delete_policy: [
    {
      args: { policy_name: 'of-nobody' },
      arrange: ({ call }) => call('create_policy', { policy_name: 'of-nobody', preset: 'vm-daily' }),
    },
  ],
  enable_protection: [
    { args: vm('app-03', { policy_name: 'DefaultPolicy' }) },
    { args: vm('web-01', { policy_name: 'DefaultPolicy' }) },
  ],
  disable_protection: [
    { args: vm('web-01') },
    { args: vm('web-01', { delete_backup_data: true }) },
    { args: vm('vault-01', { vault: 'vault-guarded', delete_backup_data: true }) },
  ],
  resume_protection: [{ args: vm('app-02', { policy_name: 'DefaultPolicy' }) }],
  undelete_protected_item: [{ args: vm('old-01') }],
  trigger_backup: [{ args: vm('web-01') }],
  cancel_job: [{ args: { job_id: '8564b595-2d0b-4694-88ae-d03f936d2588' } }],
  restore_vm: [
    { args: vm('web-01', { point: 'latest', restore_mode: 'original', staging_storage_account: 'contosostaging' }) },
  ],
  restore_files: [
    { args: vm('web-01', { point: 'latest' }) },
    {
      args: vm('web-01', { point: 'latest', action: 'unmount' }),
      arrange: ({ call }) => call('restore_files', vm('web-01', { point: 'latest' })),
    },
  ],
  clear_auth_cache: 'it asks nothing of Azure',
}

const text = (status: number, body: string, headers: Record<string, string> = {}, isTaken = false): Cut => ({
  instead: { status, headers, body },
  isTaken,
})
const failed = '{"error":{"code":"InternalServerError","message":"The server encountered an internal error."}}'
const page = '<html><title>Sign in</title></html>'

interface Moment {
  cut: Cut
  /** Azure certainly took nothing, and that shows: it is sent again, and all is well. */
  isHarmless?: boolean
  /** At each try, not only at the first. */
  isForEver?: boolean
}

const moments: Readonly<Record<string, Moment>> = {
  'refused at connecting': { cut: { at: 'connect' }, isHarmless: true },
  'cut inside the request': { cut: { at: 'inside' } },
  'cut before the answer': { cut: { at: 'before_answer' } },
  'cut inside the answer': { cut: { at: 'inside_answer' } },
  'cut before each answer': { cut: { at: 'before_answer' }, isForEver: true },
  '429': { cut: text(429, failed, { 'retry-after': '1' }), isHarmless: true },
  '503 with a time to come back': { cut: text(503, failed, { 'retry-after': '1' }), isHarmless: true },
  '503 without one': { cut: text(503, failed) },
  '500, taken': { cut: text(500, failed, {}, true) },
  '500, not taken': { cut: text(500, failed) },
  '502 of a gateway': { cut: text(502, page, {}, true) },
  '504, taken': { cut: text(504, failed, {}, true) },
  '408, not taken': { cut: text(408, '') },
  'a page in place of the answer, taken': { cut: text(200, page, {}, true) },
  'a page in place of the answer, not taken': { cut: text(200, page) },
}

const wiredEstate = (rule: { cut: Rule }) => {
  const wire = createWire(rule)
  return { wire, estate: createEstate({ confirmation: 'off' }, {}, wire.door) }
}

interface Write {
  method: string
  path: string
  /** As it is sent; empty where there is none. */
  body: string
}

/** The requests of the plan, as a dry run tells them. */
const writesOf = async (tool: ToolName, { args, arrange }: Row): Promise<Write[]> => {
  const estate = createEstate({ confirmation: 'off' })
  await arrange?.(estate)
  const { plan, ...rest } = await estate.call(tool, { ...args, dry_run: true })
  if (plan === undefined) throw new Error(`${tool} has no plan: ${JSON.stringify(rest)}`)
  const { requests } = plan as { requests: { method: string; url: string; body?: unknown }[] }
  return requests.map(({ method, url, body }) => ({
    method,
    path: decodeURIComponent(new URL(url).pathname),
    body: withoutTimes(body === undefined ? '' : JSON.stringify(body)),
  }))
}

/** Times are reckoned anew in each call. */
const withoutTimes = (body: string): string => body.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')
const isOf = ({ method, path, body }: Write, sent: Pick<Arrival, 'method' | 'path' | 'body'>) =>
  sent.method === method && sent.path.toLowerCase() === path.toLowerCase() && withoutTimes(sent.body) === body

/** What is wrong with how it went; empty where nothing is. */
const faultsOf = (write: Write, { isHarmless, isForEver }: Moment, arrived: Arrival[], result: Answered): string[] => {
  const tries = arrived.filter(arrival => isOf(write, arrival))
  const taken = tries.filter(({ isTaken }) => isTaken)
  const faults: (string | false)[] = []
  const warnings = JSON.stringify(result.warnings ?? [])
  const { outcome } = (result.details ?? {}) as { outcome?: string }
  if (write.method === 'POST') {
    faults.push(taken.length > 1 && `Azure took it ${taken.length} times`)
    faults.push(!isHarmless && tries.length > 1 && `it arrived ${tries.length} times`)
  } else
    for (const [at, { before }] of tries.entries())
      faults.push(
        at > 0 && !isHarmless && before !== tries[at - 1]?.before && 'it was repeated over a state that had changed',
      )
  if (isHarmless) faults.push(result.isError && 'it failed', /lost/.test(warnings) && 'a loss is told that was none')
  else if (result.isError) faults.push(outcome !== 'unknown' && 'a doubtful end is called a refusal')
  else {
    faults.push(taken.length === 0 && 'it is called done, and was not')
    const isAnswered = tries.some(({ isTaken, status = 500 }) => isTaken && status < 300)
    faults.push(!isAnswered && !/lost/.test(warnings) && 'the loss is not told')
  }
  faults.push(isForEver === true && tries.length > 5 && `it was sent ${tries.length} times`)
  return faults.filter(fault => fault !== false)
}

const writers = entries.filter(({ readOnly }) => !readOnly).map(({ name }) => name)

t.test('every tool that writes has a row', async t => {
  t.same(Object.keys(rows).toSorted(), writers.toSorted())
})

const arranged = async (row: Row, rule: { cut: Rule }) => {
  const { wire, estate } = wiredEstate(rule)
  await row.arrange?.(estate)
  wire.arrived.length = 0
  return { wire, estate }
}

for (const [name, given] of Object.entries(rows)) {
  const tool = name as ToolName
  if (typeof given === 'string') continue
  for (const [at, row] of given.entries())
    t.test(`${tool}, ${at + 1}`, async t => {
      const writes = await writesOf(tool, row)
      t.ok(writes.length > 0, 'it writes')
      for (const write of writes)
        for (const [moment, what] of Object.entries(moments)) {
          let isDone = false
          const rule: { cut: Rule } = { cut: () => undefined }
          const { wire, estate } = await arranged(row, rule)
          rule.cut = (method, path, body) => {
            if ((isDone && !what.isForEver) || !isOf(write, { method, path, body })) return undefined
            isDone = true
            return what.cut
          }
          const result = await estate.call(tool, row.args)
          await wire.close()
          t.ok(isDone, 'the moment came')
          t.same(faultsOf(write, what, wire.arrived, result), [], `${write.method} ${write.path}, ${moment}`, {
            result,
          })
        }

      // Azure answers all of it and is silent from then on.
      const rule: { cut: Rule } = { cut: () => undefined }
      const { wire, estate } = await arranged(row, rule)
      rule.cut = () =>
        writes.every(write => wire.arrived.some(arrival => isOf(write, arrival))) ? { at: 'connect' } : undefined
      const result = await estate.call(tool, row.args)
      await wire.close()
      const { operation_id } = (result.details ?? {}) as { operation_id?: unknown }
      t.ok(!result.isError || operation_id !== undefined, 'what Azure took is named though nothing more can be asked', {
        result,
      })
    })
}

const startMs = Date.UTC(2026, 10, 22, 8)

/** The built server as a process, and behind it the estate on a real clock: five minutes in a second. */
const servers = async (t: Test, cut: Rule = () => undefined) => {
  const state = stateOf(builtInEstate(), startMs)
  const world = createWorld(
    state,
    createVirtualClock(startMs, 300, () => performance.now()),
    effects,
  )
  const azure = await startCuttingAzure(world, undefined, cut)
  const folder = t.testdir({
    'config.toml': `[recovery_services]
subscription_id = "${production}"
resource_group = "rg-backup"
vault_name = "vault-prod"
arm_endpoint = "${azure.endpoint}"`,
  })
  const env = { AZURE_ACCESS_TOKEN: state.tokens[0] ?? '', RECOVERY_SERVICES_AUTH_FILE: path.join(folder, 'auth.json') }
  const start = (era: 'modern' | 'legacy' = 'modern') =>
    new Server(t, { args: ['--config', path.join(folder, 'config.toml')], env, era })
  t.teardown(azure.close)
  return { azure, start, posts: () => azure.arrived.filter(({ method }) => method === 'POST') }
}
const job = '8564b595-2d0b-4694-88ae-d03f936d2588'
const backup = vm('web-01')

t.test('over the wire of the built server', async t => {
  t.jobs = 4
  for (const at of ['before_answer', 'inside_answer'] as const)
    t.test(`a backup cut ${at} is found by its job`, async t => {
      let isCut = false
      const { start, posts } = await servers(t, method => {
        if (method !== 'POST' || isCut) return undefined
        isCut = true
        return { at }
      })
      const { body, isError } = await start().call('trigger_backup', backup)
      t.notOk(isError)
      t.match(body, { status: 'in_progress', job_id: String, warnings: [/lost; job .* shows.*sent once/] })
      t.equal(posts().length, 1)
    })

  t.test('a backup for which nobody listens is sent once somebody does', async t => {
    const { azure, start, posts } = await servers(t)
    const server = start()
    await server.call('get_vault')
    await azure.goDown()
    const calling = server.call('trigger_backup', backup)
    setTimeout(() => void azure.comeBack(), 100)
    t.match((await calling).body, { status: 'in_progress', job_id: String })
    t.equal(posts().length, 1)
  })

  t.test('a string of one server confirms in another, once', async t => {
    const { start, posts } = await servers(t)
    const [one, two] = [start(), start()]
    const { error } = await one.call('cancel_job', { job_id: job })
    t.equal(error.code, 'confirmation_required')
    const confirm = error.details?.confirmation
    const ends = await Promise.all([one, two, two].map(server => server.call('cancel_job', { job_id: job, confirm })))
    t.same(ends.map(({ isError, error: found }) => isError && found.code).toSorted(), ['conflict', 'conflict', false])
    t.equal(posts().length, 1)
    const operation_id = ends.find(({ isError }) => !isError)?.body.operation_id
    for (const server of [one, two, start()])
      t.match((await server.call('cancel_job', { job_id: job, confirm })).error, {
        code: 'conflict',
        details: { operation_id },
      })
  })

  const waiting = async (t: Test, era: 'modern' | 'legacy', cut?: Rule) => {
    const { azure, start } = await servers(t, cut)
    const server = start(era)
    if (era === 'legacy') await server.initialize()
    const params = { name: `${toolPrefix}trigger_backup`, arguments: { ...backup, wait_seconds: 600 } }
    const dressed = era === 'legacy' ? params : { ...params, _meta: envelope() }
    server.send({ jsonrpc: '2.0', id: 'waiting', method: 'tools/call', params: dressed })
    return { azure, server }
  }
  /** The job is asked for: Azure accepted the backup, and the server waits for its end. */
  const isFollowed = ({ method, path: at }: Arrival) => method === 'GET' && /backupJobs\/[^/]+$/.test(at)
  const errorOf = async (server: Server) => {
    const { result = {} } = await server.answer('waiting')
    const [{ text: json }] = result.content as [{ text: string }]
    return JSON.parse(json).error
  }
  const goesOn =
    /notice cancelled tool="trigger_backup" goes_on="Azure had accepted.*job_id="[\w-]{36}" operation_id="\S+"/

  t.test('a client that cancels while it waits hears no more; stderr names what goes on', async t => {
    const { azure, server } = await waiting(t, 'legacy')
    await azure.until(isFollowed)
    server.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'waiting' } })
    await server.until(() => (goesOn.test(server.stderr) ? true : undefined))
    await server.request('ping')
    t.notOk(server.messages.some(({ id }) => id === 'waiting'))
    t.equal(await server.end(), 0)
  })

  const ends: [name: string, end: (server: Server) => void][] = [
    ['stdin closes', server => server.process.stdin.end()],
    ['SIGTERM comes', server => server.process.kill('SIGTERM')],
  ]
  for (const [name, end] of ends) {
    t.test(`where ${name} while it waits, answer and stderr name what goes on`, async t => {
      const { azure, server } = await waiting(t, 'modern')
      await azure.until(isFollowed)
      end(server)
      t.match(await errorOf(server), {
        code: 'cancelled',
        message: /Azure had accepted/,
        details: { job_id: String, operation_id: String },
      })
      t.equal(await server.exit, 0)
      t.match(server.stderr, goesOn)
      t.match(server.stderr, /notice write tool="trigger_backup" .* outcome="answered 202"/)
    })

    t.test(`where ${name} while the request is on its way, nobody knows, and that is said`, async t => {
      const { azure, server } = await waiting(t, 'modern', method => (method === 'POST' ? { at: 'hang' } : undefined))
      await azure.until(({ method }) => method === 'POST')
      end(server)
      const error = await errorOf(server)
      t.match(error, { code: 'cancelled', message: /whether Azure took POST .*\/backup is not known/ })
      t.equal(await server.exit, 0)
      t.match(server.stderr, /notice cancelled tool="trigger_backup" goes_on="whether Azure took/)
      t.match(server.stderr, /notice write tool="trigger_backup" .* outcome="cancelled"/)
    })

    t.test(`where ${name} before anything was sent, that is said`, async t => {
      const { azure, server } = await waiting(t, 'modern', () => ({ at: 'hang' }))
      await azure.until(() => true)
      end(server)
      t.match(await errorOf(server), { code: 'cancelled', message: /Nothing that it changes was sent/ })
      t.equal(await server.exit, 0)
      t.equal(server.stderr, '')
    })
  }
})
