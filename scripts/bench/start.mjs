/**
 * How fast the built server starts, beside an empty Node program that answers the same lines. The two run in turn, so
 * that a machine whose speed drifts slows both; medians and the median of the pairs' ratios are printed.
 */
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { configFile, folder, initialize, median, root, server, start } from './process.mjs'

const requests = [initialize, { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }]

/** One process: milliseconds from spawn to each answer, and what it used by the last one. */
const run = async args => {
  const running = start(args)
  const answers = []
  for (const request of requests) answers.push(await running.ask(request))
  const used = running.usage()
  await running.end()
  const [initializeMs, listMs] = answers.map(({ atMs }) => atMs - running.startMs)
  return { initializeMs, listMs, ...used, lines: answers.map(({ line }) => line) }
}

const rows = {
  initializeMs: 'spawn to initialize, ms',
  listMs: 'spawn to tools/list, ms',
  cpuMs: 'CPU by tools/list, ms',
  peakMiB: 'peak memory by tools/list, MiB',
}

export const benchStart = async pairs => {
  const ours = [server, '--config', configFile('start.toml')]
  const canned = path.join(folder, 'answers')
  writeFileSync(canned, (await run(ours)).lines.join('\n'))
  const empty = [path.join(import.meta.dirname, 'empty-server.cjs'), canned]
  await run(empty)

  const measured = []
  for (let pair = 0; pair < pairs; pair++) measured.push({ ours: await run(ours), empty: await run(empty) })

  console.log(`Start: ${pairs} pairs, in turn; medians`)
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
  const chunks = path.join(root, 'bin/chunks')
  const later = readdirSync(chunks).map(file => statSync(path.join(chunks, file)).size)
  console.log(
    `loaded at start: ${(statSync(server).size / 1024).toFixed(1)} KiB; when first needed: ${later.length} files, ${(later.reduce((a, b) => a + b) / 1024).toFixed(0)} KiB`,
  )
}
