/** A thousand tool calls written at once, against a replay of the project's fixtures. */
import path from 'node:path'
import { configFile, initialize, quantile, resultOf, root, server, start, toolCall } from './process.mjs'

/** What an assistant asks most, in turn. */
const kinds = [
  ['list_protected_items', {}],
  ['list_backup_jobs', {}],
  ['get_job_details', { job_id: '00000000-0000-0000-0001-000000000002' }],
  ['list_policies', {}],
  ['get_vault', {}],
]

export const benchCalls = async count => {
  const running = start([server, '--config', configFile('calls.toml'), '--replay', path.join(root, 'fixtures')])
  await running.ask(initialize)
  // The first call of each kind loads what it needs; that is the start's business.
  for (const [at, [name, args]] of kinds.entries()) resultOf(await running.ask(toolCall(`first-${at}`, name, args)))
  const before = running.usage()
  const calls = Array.from({ length: count }, (_, at) => toolCall(at + 1, ...kinds[at % kinds.length]))
  const lines = calls.map(call => `${JSON.stringify(call)}\n`).join('')
  const startMs = performance.now()
  running.write(lines)
  const answers = await Promise.all(calls.map(({ id }) => running.answer(id)))
  const used = running.usage()
  await running.end()
  for (const answer of answers) resultOf(answer)
  const times = answers.map(({ atMs }) => atMs - startMs)
  const seconds = Math.max(...times) / 1000
  console.log(`Calls: ${count} written at once, against a replay`)
  console.log(
    `${(count / seconds).toFixed(0)} a second; answered after p50 ${quantile(times, 0.5).toFixed(0)} ms, p99 ${quantile(times, 0.99).toFixed(0)} ms, the last ${(seconds * 1000).toFixed(0)} ms`,
  )
  console.log(
    `memory before ${before.residentMiB.toFixed(1)} MiB, at the end ${used.residentMiB.toFixed(1)} MiB, peak ${used.peakMiB.toFixed(1)} MiB`,
  )
}
