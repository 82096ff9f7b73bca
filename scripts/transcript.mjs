/**
 * Talks to the built server as a client does: starts it on its simulated Azure, asks it what a backup administrator asks and
 * has it do what one does, in both generations of the protocol, checks every answer, and prints what was said. Closes with
 * "N passed, N failed".
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { questions } from './transcript/questions.mjs'
import { story } from './transcript/story.mjs'

const root = path.resolve(import.meta.dirname, '..')
const server = path.join(root, 'bin/recovery-services-server')
const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'transcript', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

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
    dress: (params, more) => ({ ...params, _meta: { ...meta, ...more } }),
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
    dress: (params, _meta) => ({ ...params, ...(_meta && { _meta }) }),
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

/** What is talked about: flags of the server, and the calls; `home` is a folder for its files. */
const scenes = [
  { name: 'What there is', flags: ['--simulate'], steps: () => questions },
  {
    name: 'One story',
    flags: ['--simulate', '--time-scale', '3600'],
    steps: home => story(path.join(home, 'mount-app-03.py')),
  },
]

const start = (home, flags) => {
  const child = spawn(process.execPath, [server, ...flags], {
    cwd: home,
    env: { HOME: home, PATH: process.env.PATH },
    stdio: 'pipe',
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    for (const line of text.trimEnd().split('\n')) console.log(`    ! ${cut(line)}`)
  })
  return { child, nextLine: linesOf(child.stdout) }
}

/** The answer to a request; progress that comes before it is shown. */
const answerTo = async (id, nextLine) => {
  for (;;) {
    const message = JSON.parse(await nextLine())
    if (message.method !== 'notifications/progress') return message.id === id ? message : undefined
    const { progress, total, message: words } = message.params
    console.log(`    ~ ${progress.toFixed(1)} of ${total.toFixed(1)} s: ${words}`)
  }
}

const judge = (isRight, line) => {
  isRight ? passed++ : failed++
  console.log(`${isRight ? '✓' : '✗'} ${line}`)
}

/** A plan as a person reads it. */
const planLines = ({ summary, loses, keeps }) => [
  summary,
  ...loses.map(line => `loses: ${line}`),
  ...keeps.map(line => `keeps: ${line}`),
]

/** What was answered, as it is shown: in words where it has some, without the password of a script. */
const shown = (reply, body) => {
  if (reply === undefined) return ['no answer']
  if (body === undefined) return [JSON.stringify(reply.result ?? reply.error)]
  const { error, plan, status, message, password: _, ...facts } = body
  if (error?.details?.plan) return [error.code, ...planLines(error.details.plan)]
  if (error) return [`${error.code}: ${error.message}`]
  if (plan) return [status, ...planLines(plan)]
  if (message) return [`${status ?? 'answered'}: ${message}`]
  return [JSON.stringify({ status, ...facts })]
}

const converse = async ({ name: era, opening, dress, result }, { name: scene, flags, steps }) => {
  const home = mkdtempSync(path.join(tmpdir(), 'transcript-'))
  const { child, nextLine } = start(home, flags)
  console.log(`\n${scene}, ${era}`)
  const seen = {}
  for (const [at, { method, params, name, args, holds }] of [...opening, ...steps(home)].entries()) {
    const id = at + 1
    let isRight = false
    let reply
    let body
    let said = params
    try {
      said ??= { name: `recovery_services_${name}`, arguments: typeof args === 'function' ? args(seen) : args }
      const _meta = said.arguments?.wait_seconds ? { progressToken: id } : undefined
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params: dress(said, _meta) })}\n`)
      console.log(`→ ${method} ${cut(JSON.stringify(said))}`)
      reply = await answerTo(id, nextLine)
      const text = reply.result.content?.[0].text
      if (text !== undefined) body = JSON.parse(text)
      seen[name] = body
      isRight = result(reply) && Boolean(holds(body, reply))
    } catch {}
    judge(isRight, `← ${shown(reply, body).map(cut).join('\n      ')}`)
  }
  child.stdin.end()
  const code = child.exitCode ?? (await new Promise(go => child.on('exit', go)))
  rmSync(home, { recursive: true })
  judge(code === 0, `ended with ${code}`)
}

for (const scene of scenes) for (const session of sessions) await converse(session, scene)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
