/**
 * Talks to the built server as a client does: starts it on the fixtures, pipes canned JSON-RPC requests through it in both
 * generations of the protocol, checks every answer, and prints what was said. Closes with "N passed, N failed".
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
const job = number => `00000000-0000-0000-0001-${String(number).padStart(12, '0')}`
const operationUrl = number =>
  `https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault-prod/backupOperations/00000000-0000-0000-0002-${String(number).padStart(12, '0')}?api-version=2025-08-01`

const tool = (name, args, holds) => ({
  method: 'tools/call',
  params: { name: `recovery_services_${name}`, arguments: args },
  holds,
})
const body = reply => JSON.parse(reply.result.content[0].text)
const names = (rows, key = 'friendly_name') => rows.map(row => row[key]).join(' ')

/** What is asked, and what must hold of the answer. */
const questions = [
  { method: 'tools/list', params: {}, holds: reply => reply.result.tools.length >= 8 },
  tool(
    'test_connection',
    {},
    reply => body(reply).permissions.read === true && body(reply).permissions.delete === false,
  ),
  tool('list_vaults', {}, reply => names(body(reply).vaults, 'vault_name') === 'vault-prod vault-dr'),
  tool(
    'get_vault',
    { include_usage: true },
    reply => body(reply).redundancy === 'GeoRedundant' && body(reply).usage.items.length === 3,
  ),
  tool(
    'list_policies',
    { workload_type: 'mssql' },
    reply => names(body(reply).policies, 'policy_name') === 'HourlyLogBackup sql-full-diff-log',
  ),
  tool(
    'get_policy_details',
    { policy_name: 'DefaultPolicy' },
    reply => body(reply).summary === 'daily 02:00 UTC; keep 30 days; instant restore 2 days',
  ),
  tool('list_protected_items', { unhealthy_only: true }, reply =>
    names(body(reply).protected_items).includes('app-01'),
  ),
  tool(
    'list_protected_items',
    { limit: 2 },
    reply => body(reply).count === 2 && typeof body(reply).next_cursor === 'string',
  ),
  tool(
    'list_backup_jobs',
    { status: 'failed' },
    reply => body(reply).jobs.length > 0 && body(reply).jobs.every(row => row.status === 'Failed'),
  ),
  tool('get_job_details', { job_id: job(2) }, reply => body(reply).errors[0].code === '400196'),
  tool('track_async_operation', { operation_url: operationUrl(2) }, reply => body(reply).status === 'failed'),
  tool(
    'get_vault',
    { vault: 'rg-backup/vault-gone' },
    reply => reply.result.isError && body(reply).error.code === 'not_found',
  ),
  tool(
    'get_job_details',
    { jobid: job(2) },
    reply => reply.result.isError && body(reply).error.details.faults.length === 2,
  ),
]

const sessions = [
  {
    name: 'MCP 2026-07-28',
    opening: [
      { method: 'server/discover', params: {}, holds: reply => reply.result.supportedVersions.includes('2026-07-28') },
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
        holds: reply => reply.result.protocolVersion === '2025-11-25',
      },
      { method: 'ping', params: {}, holds: reply => Object.keys(reply.result).length === 0 },
    ],
    dress: params => params,
    result: reply => reply.result !== undefined && !('resultType' in reply.result),
  },
]

const cut = text => (text.length > 150 ? `${text.slice(0, 150)}… (${text.length})` : text)
let passed = 0
let failed = 0

const converse = async ({ name, opening, dress, result }) => {
  const home = mkdtempSync(path.join(tmpdir(), 'transcript-'))
  const child = spawn(process.execPath, [server, '--replay', path.join(root, 'fixtures')], {
    cwd: home,
    env: {
      HOME: home,
      PATH: process.env.PATH,
      AZURE_SUBSCRIPTION_ID: '00000000-0000-0000-0000-000000000001',
      AZURE_RESOURCE_GROUP: 'rg-backup',
      AZURE_VAULT_NAME: 'vault-prod',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const asked = [...opening, ...questions].map((question, at) => ({ ...question, id: at + 1 }))
  for (const { id, method, params } of asked)
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params: dress(params) })}\n`)
  child.stdin.end()
  let text = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk
  rmSync(home, { recursive: true })
  const replies = new Map(
    text
      .split('\n')
      .filter(Boolean)
      .map(line => [JSON.parse(line).id, JSON.parse(line)]),
  )
  console.log(`\n${name}`)
  for (const { id, method, params, holds } of asked) {
    const reply = replies.get(id)
    let isRight = false
    try {
      isRight = result(reply) && Boolean(holds(reply))
    } catch {}
    isRight ? passed++ : failed++
    console.log(`${isRight ? '✓' : '✗'} → ${method} ${cut(JSON.stringify(params))}`)
    console.log(
      `    ← ${cut(reply === undefined ? 'no answer' : (reply.result?.content?.[0].text ?? JSON.stringify(reply.result ?? reply.error)))}`,
    )
  }
  const code = child.exitCode ?? (await new Promise(go => child.on('exit', go)))
  code === 0 ? passed++ : failed++
  console.log(`${code === 0 ? '✓' : '✗'} ended with ${code}`)
}

for (const session of sessions) await converse(session)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
