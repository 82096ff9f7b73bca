/**
 * Never twice: every tool that writes, each of its requests, over connections that are cut at every moment, and with other
 * answers in place of Azure's. A POST reaches Azure once; anything else is repeated only over what stands as it stood;
 * nothing is called done that was not, and nothing that may have been done is called refused.
 */
import t from 'tap'
import { entries } from '../src/generated/catalog.ts'
import type { ToolName } from '../src/generated/tools.ts'
import { type Arrival, type Cut, createWire, type Rule } from './helpers/cutting.ts'
import { type Answered, createEstate, vaultId } from './helpers/estate.ts'

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
  delete_policy: [{ args: { policy_name: 'EnhancedPolicy' } }],
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
