/**
 * What each tool costs in requests, used plainly: one table for the test that holds the numbers and the bench that prints
 * them. Over the simulated Azure's estate, with nothing known beforehand but the configured vault.
 */
import type { ToolName } from '../../src/generated/tools.ts'
import type { LogLine } from '../arm/fake-azure.ts'
import { createEstate } from './estate.ts'

/** Reads, POSTs that only read, writes, and what is asked after the first write or of an operation: polls. */
export type Requests = readonly [reads: number, readingPosts: number, writes: number, polls: number]

type Args = Readonly<Record<string, unknown>>

interface PlainUse {
  args: Args
  requests: Requests
  /** Calls that have to come first, uncounted; `args` may be made of what the last one answered. */
  after?: readonly (readonly [tool: ToolName, args: Args])[]
  argsAfter?: (answer: Record<string, unknown>) => Args
}

const web = { item: 'rg-app/web-01', workload_type: 'VM' }
const point = { ...web, point: 'latest' }
const disks = { restore_mode: 'disks', staging_storage_account: 'contosostaging', target_resource_group: 'rg-app' }
const nightly = { policy_name: 'nightly' }
const sql = { vm: 'rg-data/sql-02', workload_type: 'SQL' }
const failedJob = '371557a2-5ffe-4d06-83b4-d973dc9ccfc3'
const runningJob = '8564b595-2d0b-4694-88ae-d03f936d2588'

export const plainUses = {
  list_vaults: { args: {}, requests: [1, 0, 0, 0] },
  get_vault: { args: {}, requests: [1, 0, 0, 0] },
  test_connection: { args: {}, requests: [3, 0, 0, 0] },
  register_vm: { args: sql, requests: [2, 0, 1, 2] },
  reregister_vm: { args: { vm: 'rg-data/sql-01', workload_type: 'SQL' }, requests: [2, 0, 1, 2] },
  unregister_vm: { after: [['register_vm', sql]], args: sql, requests: [3, 0, 1, 2] },
  check_registration_status: { args: { vm: 'rg-data/sql-01' }, requests: [2, 1, 0, 0] },
  refresh_containers: { args: { backup_management_type: 'AzureWorkload' }, requests: [1, 0, 1, 2] },
  list_protectable_containers: { args: {}, requests: [2, 0, 0, 0] },
  list_protectable_items: { args: { workload_type: 'VM' }, requests: [1, 0, 0, 0] },
  list_workload_items: { args: {}, requests: [5, 0, 0, 0] },
  create_policy: { args: { ...nightly, workload_type: 'VM', preset: 'vm-daily' }, requests: [2, 0, 1, 0] },
  list_policies: { args: {}, requests: [1, 0, 0, 0] },
  get_policy_details: { args: { policy_name: 'vm-daily-30d' }, requests: [2, 0, 0, 0] },
  update_policy: { args: { policy_name: 'vm-daily-30d', retention: { daily: { days: 14 } } }, requests: [3, 0, 1, 3] },
  delete_policy: {
    after: [['create_policy', { ...nightly, workload_type: 'VM', preset: 'vm-daily' }]],
    args: nightly,
    requests: [2, 0, 1, 0],
  },
  enable_protection: {
    args: { item: 'rg-app/app-03', workload_type: 'VM', policy_name: 'vm-daily-30d' },
    requests: [3, 0, 1, 3],
  },
  disable_protection: { args: web, requests: [2, 0, 1, 2] },
  resume_protection: {
    args: { item: 'rg-app/app-02', workload_type: 'VM', policy_name: 'vm-daily-30d' },
    requests: [3, 0, 1, 3],
  },
  undelete_protected_item: { args: { item: 'rg-app/old-01', workload_type: 'VM' }, requests: [2, 0, 1, 3] },
  list_protected_items: { args: {}, requests: [1, 0, 0, 0] },
  trigger_backup: { args: web, requests: [2, 0, 1, 2] },
  list_backup_jobs: { args: {}, requests: [1, 0, 0, 0] },
  get_job_details: { args: { job_id: failedJob }, requests: [1, 0, 0, 0] },
  cancel_job: { args: { job_id: runningJob }, requests: [2, 0, 1, 3] },
  list_recovery_points: { args: web, requests: [1, 0, 0, 0] },
  restore_vm: { args: { ...point, ...disks }, requests: [5, 1, 1, 2] },
  restore_files: { args: point, requests: [3, 0, 1, 2] },
  track_async_operation: {
    after: [['trigger_backup', web]],
    argsAfter: ({ operation_id }) => ({ operation_id }),
    args: {},
    requests: [1, 0, 0, 1],
  },
  clear_auth_cache: { args: {}, requests: [0, 0, 0, 0] },
} as const satisfies Record<ToolName, PlainUse>

/** Where Azure tells how accepted work stands. */
const isOperation = (text: string): boolean => /^GET .*\/\w*operation\w*\/[^/]+$/i.test(text)

/** Reading POSTs all come before the first write; every write is one line in the log. */
const counted = (sent: readonly string[], lines: readonly LogLine[]): Requests => {
  const posted = lines.filter(({ message, fields }) => message === 'write' && fields.method === 'POST').length
  const posts = sent.filter(text => text.startsWith('POST '))
  const writes = sent.filter(text => /^(PUT|PATCH|DELETE) /.test(text)).concat(posts.slice(posts.length - posted))
  const first = sent.findIndex(text => writes.includes(text))
  const polls = sent.filter((text, at) => isOperation(text) || (first !== -1 && at > first && text.startsWith('GET ')))
  const readingPosts = posts.length - posted
  return [sent.length - readingPosts - writes.length - polls.length, readingPosts, writes.length, polls.length]
}

/** Runs a tool's plain use, agreed to beforehand, and counts what Azure received. Throws where it fails. */
export const requestsOf = async (tool: ToolName): Promise<{ args: Args; sent: string[]; requests: Requests }> => {
  const { args: fixed, after = [], argsAfter }: PlainUse = plainUses[tool]
  const { call, lines, taken } = createEstate({ confirmation: 'off' })
  const good = async (name: ToolName, given: Args) => {
    const answer = await call(name, given)
    if (answer.isError) throw new Error(`${name} ${JSON.stringify(given)}: ${answer.message}`)
    return answer
  }
  let last: Record<string, unknown> = {}
  for (const [name, given] of after) last = await good(name, given)
  const args = { ...fixed, ...argsAfter?.(last) }
  taken()
  lines.splice(0)
  await good(tool, args)
  const sent = taken()
  return { args, sent, requests: counted(sent, lines) }
}
