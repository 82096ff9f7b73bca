/**
 * Talks to the built server as a client does: starts it on its simulated Azure, asks it what a backup administrator asks, in
 * both generations of the protocol, checks every answer, and prints what was said. Closes with "N passed, N failed".
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const server = path.join(root, 'bin/recovery-services-server')
const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'transcript', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** `args` may be a function of the body that was answered last. */
const tool = (name, args, holds) => ({ method: 'tools/call', name: `recovery_services_${name}`, args, holds })
const names = (rows, key = 'friendly_name') => rows.map(row => row[key]).join(' ')
const includesAll = (text, ...words) => words.every(word => text.split(' ').includes(word))

/** What is asked, and what must hold of the answer: its body, and whether it is an error. */
const questions = [
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
    ({ jobs }) => ({ job_id: jobs.find(row => row.friendly_name === 'gone-01').job_id }),
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

const sessions = [
  {
    name: 'MCP 2026-07-28',
    opening: [
      {
        method: 'server/discover',
        params: {},
        holds: (_, reply) => reply.result.supportedVersions.includes('2026-07-28'),
      },
    ],
    dress: params => ({ ...params, _meta: meta }),
    result: reply => reply.result?.resultType === 'complete',
  },
  {
    name: 'MCP 2025-11-25',
    opening: [
      {
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'transcript', version: '1' } },
        holds: (_, reply) => reply.result.protocolVersion === '2025-11-25',
      },
      { method: 'ping', params: {}, holds: (_, reply) => Object.keys(reply.result).length === 0 },
    ],
    dress: params => params,
    result: reply => reply.result !== undefined && !('resultType' in reply.result),
  },
]

const cut = text => (text.length > 150 ? `${text.slice(0, 150)}… (${text.length})` : text)
let passed = 0
let failed = 0

/** The lines that a process writes, one at a time. */
const linesOf = stream => {
  const lines = stream.setEncoding('utf8')[Symbol.asyncIterator]()
  let text = ''
  return async () => {
    while (!text.includes('\n')) {
      const { value, done } = await lines.next()
      if (done) return undefined
      text += value
    }
    const end = text.indexOf('\n')
    const line = text.slice(0, end)
    text = text.slice(end + 1)
    return line
  }
}

const converse = async ({ name, opening, dress, result }) => {
  const home = mkdtempSync(path.join(tmpdir(), 'transcript-'))
  const child = spawn(process.execPath, [server, '--simulate'], {
    cwd: home,
    env: { HOME: home, PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const nextLine = linesOf(child.stdout)
  console.log(`\n${name}`)
  let last = {}
  for (const [at, { method, params, name: called, args, holds }] of [...opening, ...questions].entries()) {
    let isRight = false
    let reply
    let said = params
    try {
      said ??= { name: called, arguments: typeof args === 'function' ? args(last) : args }
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: at + 1, method, params: dress(said) })}\n`)
      reply = JSON.parse(await nextLine())
      const text = reply.result.content?.[0].text
      if (text !== undefined) last = JSON.parse(text)
      isRight = reply.id === at + 1 && result(reply) && Boolean(holds(last, reply))
    } catch {}
    isRight ? passed++ : failed++
    console.log(`${isRight ? '✓' : '✗'} → ${method} ${cut(JSON.stringify(said ?? args.toString()))}`)
    console.log(
      `    ← ${cut(reply === undefined ? 'no answer' : (reply.result?.content?.[0].text ?? JSON.stringify(reply.result ?? reply.error)))}`,
    )
  }
  child.stdin.end()
  const code = child.exitCode ?? (await new Promise(go => child.on('exit', go)))
  rmSync(home, { recursive: true })
  code === 0 ? passed++ : failed++
  console.log(`${code === 0 ? '✓' : '✗'} ended with ${code}`)
}

for (const session of sessions) await converse(session)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
