/** A running server for the benches: its lines, what it used, its end. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '../..')
export const server = path.join(root, 'bin/recovery-services-server')
export const subscription = '00000000-0000-0000-0000-000000000001'

/** A folder that is gone when the process ends. */
export const folder = mkdtempSync(path.join(tmpdir(), 'bench-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

/** A configuration file with vault-prod as the default vault, and `more` lines. */
export const configFile = (name, more = '') => {
  const file = path.join(folder, name)
  writeFileSync(
    file,
    `[recovery_services]
subscription_id = "${subscription}"
resource_group = "rg-backup"
vault_name = "vault-prod"
${more}`,
  )
  return file
}

export const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
}

/** Processor seconds and memory of a running process, where the system tells (Linux). */
const usage = pid => {
  try {
    const times = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const mib = name => Number(new RegExp(`${name}:\\s*(\\d+)`).exec(status)?.[1]) / 1024
    return { cpuMs: (Number(times[11]) + Number(times[12])) * 10, peakMiB: mib('VmHWM'), residentMiB: mib('VmRSS') }
  } catch {
    return { cpuMs: Number.NaN, peakMiB: Number.NaN, residentMiB: Number.NaN }
  }
}

/** Starts a Node program. `line` is called with each line it writes and the time it came. */
export const start = (args, env = {}) => {
  const startMs = performance.now()
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { HOME: folder, PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise(go => child.on('close', go))
  const waiting = new Map()
  const early = new Map()
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    const atMs = performance.now()
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      const { id } = JSON.parse(line)
      const wake = waiting.get(id)
      if (wake) wake({ line, atMs })
      else early.set(id, { line, atMs })
      waiting.delete(id)
    }
  })
  return {
    startMs,
    usage: () => usage(child.pid),
    write: text => child.stdin.write(text),
    /** The answer to the request of an id, with the moment it came. */
    answer: id => (early.has(id) ? Promise.resolve(early.get(id)) : new Promise(go => waiting.set(id, go))),
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      return this.answer(request.id)
    },
    async end() {
      child.stdin.end()
      await ended
    },
  }
}

/** A tool call as a client writes it. */
export const toolCall = (id, name, args) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: `recovery_services_${name}`, arguments: args },
})

/** The structured content of an answer. Throws where the call failed: a bench of errors measures nothing. */
export const resultOf = ({ line }) => {
  const { result } = JSON.parse(line)
  if (!result?.structuredContent) throw new Error(line.slice(0, 500))
  return result.structuredContent
}

/** The value that `share` of the values do not exceed. */
export const quantile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]
export const median = values => quantile(values, 0.5)
