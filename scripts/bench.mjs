/**
 * How fast the built server starts, beside an empty Node program that answers the same lines. The two run in turn, so
 * that a machine whose speed drifts slows both; medians and the median of the pairs' ratios are printed. Not a test: it
 * judges nothing. `npm run bench [-- PAIRS]`
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const server = path.join(root, 'bin/recovery-services-server')
const pairs = Number(process.argv[2] ?? 25)
const folder = mkdtempSync(path.join(tmpdir(), 'bench-'))
const config = path.join(folder, 'config.toml')
writeFileSync(
  config,
  `[recovery_services]
subscription_id = "00000000-0000-0000-0000-000000000001"
resource_group = "rg-backup"
vault_name = "vault-prod"
`,
)
const clientInfo = { name: 'bench', version: '1' }
const requests = [
  {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
  },
  { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} },
]

/** Processor seconds and peak memory of a running process, where the system tells (Linux). */
const usage = pid => {
  try {
    const times = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    const peak = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return { cpuMs: (Number(times[11]) + Number(times[12])) * 10, peakMiB: Number(peak?.[1]) / 1024 }
  } catch {
    return { cpuMs: Number.NaN, peakMiB: Number.NaN }
  }
}

/** One process: milliseconds from spawn to each answer, and what it used by the last one. */
const run = async args => {
  const start = performance.now()
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { HOME: folder, PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise(go => child.on('close', go))
  const answers = []
  let rest = ''
  let wake = () => {}
  child.stdout.setEncoding('utf8').on('data', text => {
    rest += text
    if (rest.endsWith('\n')) wake()
  })
  const times = []
  for (const request of requests) {
    const answered = new Promise(go => {
      wake = go
    })
    child.stdin.write(`${JSON.stringify(request)}\n`)
    await answered
    times.push(performance.now() - start)
    answers.push(rest.trimEnd())
    rest = ''
  }
  const used = usage(child.pid)
  child.stdin.end()
  await ended
  return { initializeMs: times[0], listMs: times[1], ...used, answers }
}

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const ours = [server, '--config', config]
const canned = path.join(folder, 'answers')
writeFileSync(canned, (await run(ours)).answers.join('\n'))
const empty = [path.join(root, 'scripts/empty-server.cjs'), canned]
await run(empty)

const measured = []
for (let pair = 0; pair < pairs; pair++) measured.push({ ours: await run(ours), empty: await run(empty) })

const rows = {
  initializeMs: 'spawn to initialize, ms',
  listMs: 'spawn to tools/list, ms',
  cpuMs: 'CPU by tools/list, ms',
  peakMiB: 'peak memory by tools/list, MiB',
}
console.log(`${pairs} pairs, in turn; medians`)
console.log(`${''.padEnd(32)}${['server', 'empty', 'difference', 'ratio'].map(name => name.padStart(12)).join('')}`)
for (const [key, name] of Object.entries(rows)) {
  const a = median(measured.map(pair => pair.ours[key]))
  const b = median(measured.map(pair => pair.empty[key]))
  const ratio = median(measured.map(pair => pair.ours[key] / pair.empty[key]))
  console.log(
    name.padEnd(32) +
      [a, b, a - b].map(value => value.toFixed(1).padStart(12)).join('') +
      ratio.toFixed(3).padStart(12),
  )
}
const atStart = statSync(server).size / 1024
const later = readdirSync(path.join(root, 'bin/chunks')).map(file => statSync(path.join(root, 'bin/chunks', file)).size)
console.log(
  `loaded at start: ${atStart.toFixed(1)} KiB; when first needed: ${later.length} files, ${(later.reduce((a, b) => a + b) / 1024).toFixed(0)} KiB`,
)
rmSync(folder, { recursive: true })
