/** What a backup administrator asks of a vault that others look after. */
import { tool } from './steps.mjs'

const names = (rows, key = 'friendly_name') => rows.map(row => row[key]).join(' ')
const includesAll = (text, ...words) => words.every(word => text.split(' ').includes(word))

export const questions = [
  { method: 'tools/list', params: {}, holds: (_, reply) => reply.result.tools.length >= 14 },
  tool('test_connection', {}, body => body.permissions.read === true && /simulated/.test(body.checks[0].message)),
  tool('list_vaults', {}, body =>
    includesAll(names(body.vaults, 'vault_name'), 'vault-prod', 'vault-secure', 'vault-guarded'),
  ),
  tool(
    'get_vault',
    { include_usage: true },
    body => body.redundancy === 'GeoRedundant' && body.cross_region_restore === true && body.usage.items.length > 0,
  ),
  tool('list_policies', { workload_type: 'mssql' }, body =>
    includesAll(names(body.policies, 'policy_name'), 'HourlyLogBackup', 'sql-full-log'),
  ),
  tool('get_policy_details', { policy_name: 'vm-daily-30d' }, body =>
    body.summary.startsWith('daily 23:00 UTC; keep 30 days'),
  ),
  tool('list_protected_items', { limit: 2 }, body => body.count === 2 && typeof body.next_cursor === 'string'),
  tool('list_protected_items', { unhealthy_only: true }, body =>
    includesAll(names(body.protected_items), 'app-01', 'gone-01'),
  ),
  tool(
    'list_backup_jobs',
    { status: 'failed' },
    body => body.jobs.length > 0 && body.jobs.every(row => row.status === 'Failed'),
  ),
  tool(
    'get_job_details',
    ({ list_backup_jobs: { jobs } }) => ({ job_id: jobs.find(row => row.friendly_name === 'gone-01').job_id }),
    body => body.errors[0].title === 'UserErrorVmNotFoundV2' || body.errors[0].code === 'UserErrorVmNotFoundV2',
  ),
  tool('list_recovery_points', { item: 'web-01' }, body => body.recovery_points.length >= 28),
  tool('list_recovery_points', { item: 'orders', limit: 1 }, body => body.recovery_points[0].time_ranges.length === 1),
  tool('list_protectable_items', { workload_type: 'VM' }, body =>
    includesAll(names(body.protectable_items), 'app-03', 'win-04'),
  ),
  tool('check_registration_status', { vm: 'sql-01' }, body => JSON.stringify(body).includes('"SQL"')),
  tool('list_workload_items', {}, body => includesAll(names(body.workload_items), 'orders', 'scratch')),
  tool('get_vault', { vault: 'rg-backup/vault-gone' }, (body, reply) => {
    return reply.result.isError && body.error.code === 'not_found'
  }),
  tool('get_job_details', { jobid: '1' }, (body, reply) => {
    return reply.result.isError && body.error.details.faults.length === 2
  }),
]
