/** What every refusal of a tool has to be, looked at through the front door. */
import assert from 'node:assert/strict'
import type { Test } from 'tap'
import { type Options, Server, toolPrefix } from './server.ts'

export interface Refusal {
  code: string
  message: string
  remediation: string
  azure_code?: string
  http_status?: number
  request_id?: string
  details?: Record<string, unknown> & { faults?: { path: string; message: string }[] }
}

const codes = new Set(
  `invalid_arguments not_configured not_signed_in forbidden not_found ambiguous conflict precondition_failed throttled
  azure_error unreachable timeout cancelled confirmation_required read_only`.split(/\s+/),
)
const keys = new Set(['code', 'message', 'remediation', 'azure_code', 'http_status', 'request_id', 'details'])
/** What no answer may hold raw: control characters but those that JSON escapes, and what turns or hides text. */
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u

/** What today's server has: a remedy that names anything else sends an administrator the wrong way. */
const tools = new Set(
  `list_vaults get_vault test_connection register_vm reregister_vm unregister_vm check_registration_status
  refresh_containers list_protectable_containers list_protectable_items list_workload_items create_policy
  list_policies get_policy_details update_policy delete_policy enable_protection disable_protection
  resume_protection undelete_protected_item list_protected_items trigger_backup list_backup_jobs
  get_job_details cancel_job list_recovery_points restore_vm restore_files track_async_operation
  clear_auth_cache`.split(/\s+/),
)
const commands = new Set(['serve', 'login', 'logout', 'call', 'tools', 'status', 'config'])

const checkRemedy = (remediation: string): void => {
  for (const [, name = ''] of remediation.matchAll(/recovery_services_(\w+)/g))
    assert.ok(tools.has(name), `the remedy names a tool that is not there: ${remediation}`)
  for (const [, name = ''] of remediation.matchAll(/recovery-services-server (\w+)/g))
    assert.ok(commands.has(name), `the remedy names a command that is not there: ${remediation}`)
  assert.match(remediation, /^[A-Z`].*[.!?]$/, 'the remedy is a sentence')
  assert.doesNotMatch(remediation, /[{}]|undefined|null|\[object/)
}

/** Calls a tool that must refuse, checks the form that all refusals have, and gives the error. */
export const refusal = async (
  server: Server,
  tool: string,
  args: Record<string, unknown> = {},
  secrets: readonly string[] = [],
): Promise<Refusal> => {
  const { result, error } = await server.request('tools/call', { name: toolPrefix + tool, arguments: args })
  assert.equal(error, undefined, 'what a caller can mend is a result')
  assert.equal(result?.isError, true, `${tool} must refuse: ${JSON.stringify(result).slice(0, 500)}`)
  assert.ok(!('structuredContent' in result), 'an error has no structuredContent')
  const [block, ...more] = result.content as { type: string; text: string }[]
  assert.deepEqual([block?.type, more], ['text', []])
  const text = block?.text ?? ''
  assert.doesNotMatch(text, hidden)
  assert.doesNotMatch(text, /\bat \S+ \(|node:internal|\.js:\d+/, 'no stack trace')
  for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} came out: ${text}`)
  const body = JSON.parse(text)
  assert.deepEqual(Object.keys(body), ['error'])
  const found: Refusal = body.error
  assert.ok(codes.has(found.code), found.code)
  assert.ok(Object.keys(found).every(key => keys.has(key)))
  assert.ok(found.message.length > 0 && found.message.length < 4200)
  checkRemedy(found.remediation)
  return found
}

/** Runs `use` with a server, ends it, and looks for secrets in everything that it wrote. */
export const withServer = async (
  t: Test,
  { secrets, ...options }: Options & { secrets: readonly string[] },
  use: (server: Server) => Promise<void>,
): Promise<string> => {
  const server = new Server(t, options)
  await use(server)
  t.equal(await server.end(), 0, 'the server lived to its end')
  const written = `${JSON.stringify(server.messages)}\n${server.stderr}`
  for (const secret of secrets)
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
      t.notOk(written.includes(form), 'no secret was written to stdout or stderr')
  t.notMatch(server.stderr, /a fault nobody caught|failed: .*\n\s+at /, 'no fault of ours')
  return server.stderr
}
