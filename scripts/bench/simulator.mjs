/**
 * The simulated Azure: how many reads a second a client gets over kept connections, what a large estate costs, and what
 * `--simulate` adds to the start of the server.
 */
import { writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import path from 'node:path'
import { folder, initialize, median, quantile, server, start } from './process.mjs'

const version = 'api-version=2025-08-01'
const vms = "$filter=backupManagementType eq 'AzureIaasVM'".replaceAll(' ', '%20')

/** What clients read most, in turn, below a vault. */
const reads = [
  `?${version}`,
  `/backupProtectedItems?${version}&${vms}`,
  `/backupJobs?${version}&${vms}`,
  `/backupPolicies?${version}&${vms}`,
  `/backupconfig/vaultconfig?${version}`,
]

/** A simulated Azure in a process of its own, with the moment at which it listened. */
const simulate = async (...args) => {
  const running = start([server, 'simulate', '--until-stdin-closes', ...args])
  const { line, atMs } = await running.answer(undefined)
  return { running, place: JSON.parse(line), seconds: (atMs - running.startMs) / 1000 }
}

const vaultOf = ({ subscription_id, resource_group, vault_name }) =>
  `/subscriptions/${subscription_id}/resourceGroups/${resource_group}/providers/Microsoft.RecoveryServices/vaults/${vault_name}`

const read = (agent, { endpoint, token }, where) =>
  new Promise((resolve, reject) => {
    get(`${endpoint}${where}`, { agent, headers: { authorization: `Bearer ${token}` } }, response => {
      const chunks = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks))
        else reject(new Error(`${response.statusCode} for ${where}`))
      })
    }).on('error', reject)
  })

/** `count` reads over `connections` at once: milliseconds of each, and of all. */
const readMany = async (place, count, connections) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const times = []
  let next = 0
  const startMs = performance.now()
  const reader = async () => {
    while (next < count) {
      const where = vaultOf(place) + reads[next++ % reads.length]
      const askedMs = performance.now()
      await read(agent, place, where)
      times.push(performance.now() - askedMs)
    }
  }
  await Promise.all(Array.from({ length: connections }, reader))
  agent.destroy()
  return { times, seconds: (performance.now() - startMs) / 1000 }
}

const benchReads = async (count, connections) => {
  const { running, place } = await simulate()
  await readMany(place, count / 10, connections)
  const { times, seconds } = await readMany(place, count, connections)
  const { residentMiB } = running.usage()
  await running.end()
  console.log(`Simulated Azure: ${count} reads of ${reads.length} kinds over ${connections} connections`)
  console.log(
    `${(count / seconds).toFixed(0)} a second; p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms; ${residentMiB.toFixed(1)} MiB`,
  )
}

const benchEstate = async (vaults, items) => {
  const seed = path.join(folder, 'large.json')
  writeFileSync(
    seed,
    JSON.stringify({
      subscriptions: [{ id: '11111111-1111-4111-8111-111111111111', name: 'Large' }],
      generate: { vaults, items_per_vault: items / vaults },
    }),
  )
  const { running, place, seconds } = await simulate('--seed', seed)
  const { times } = await readMany(place, 200, 1)
  const { residentMiB, peakMiB } = running.usage()
  await running.end()
  console.log(`Simulated Azure: ${items} items in ${vaults} vaults, 30 recovery points each`)
  console.log(
    `listens after ${seconds.toFixed(1)} s; ${residentMiB.toFixed(0)} MiB, peak ${peakMiB.toFixed(0)} MiB; a read takes p50 ${quantile(times, 0.5).toFixed(1)} ms`,
  )
}

const benchStart = async pairs => {
  const measure = async (...args) => {
    const running = start([server, ...args])
    const { atMs } = await running.ask(initialize)
    await running.end()
    return atMs - running.startMs
  }
  await measure()
  const measured = []
  for (let pair = 0; pair < pairs; pair++)
    measured.push({ plain: await measure(), simulated: await measure('--simulate') })
  const of = key => median(measured.map(pair => pair[key])).toFixed(1)
  console.log(
    `Spawn to initialize, medians of ${pairs} pairs: plain ${of('plain')} ms, with --simulate ${of('simulated')} ms`,
  )
}

export const benchSimulator = async pairs => {
  await benchReads(10_000, 8)
  await benchEstate(100, 10_000)
  await benchStart(pairs)
}
