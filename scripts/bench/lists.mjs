/** A list of ten thousand items over loopback HTTP: its first rows, and all of it by cursor. */
import { createServer } from 'node:http'
import { configFile, initialize, resultOf, server, start, subscription, toolCall } from './process.mjs'

const vault = `/subscriptions/${subscription}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault-prod`
const rowsPerPage = 200

const item = at => {
  const name = `vm-${String(at).padStart(5, '0')}`
  const container = `iaasvmcontainerv2;rg-app;${name}`
  const source = `/subscriptions/${subscription}/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/${name}`
  return {
    id: `${vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;${container}/protectedItems/VM;${container}`,
    name: `VM;${container}`,
    type: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems',
    properties: {
      friendlyName: name,
      virtualMachineId: source,
      sourceResourceId: source,
      protectionStatus: 'Healthy',
      protectionState: 'Protected',
      healthStatus: 'Passed',
      lastBackupStatus: 'Completed',
      lastBackupTime: '2026-11-22T02:05:10.1234567Z',
      lastRecoveryPoint: '2026-11-22T02:05:12.7654321Z',
      protectedItemDataId: String(35_185_630_440_819 + at),
      protectedItemType: 'Microsoft.Compute/virtualMachines',
      backupManagementType: 'AzureIaasVM',
      workloadType: 'VM',
      containerName: container,
      policyId: `${vault}/backupPolicies/DefaultPolicy`,
      policyName: 'DefaultPolicy',
    },
  }
}

/** An Azure with so many items, in pages as Azure hands them out; `asked` counts its requests. */
const azureWith = async count => {
  const azure = { asked: 0, endpoint: '' }
  const http = createServer((request, response) => {
    azure.asked++
    const { searchParams } = new URL(request.url, azure.endpoint)
    const from = Number(searchParams.get('$skipToken') ?? 0)
    const value = Array.from({ length: Math.min(rowsPerPage, count - from) }, (_, at) => item(from + at))
    const next = from + rowsPerPage
    const nextLink = `${azure.endpoint}${vault}/backupProtectedItems?api-version=2025-08-01&$skipToken=${next}`
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(next < count ? { value, nextLink } : { value }))
  })
  await new Promise(go => http.listen(0, '127.0.0.1', go))
  azure.endpoint = `http://127.0.0.1:${http.address().port}`
  azure.close = () => http.close()
  return azure
}

export const benchLists = async count => {
  const azure = await azureWith(count)
  const config = configFile('lists.toml', `arm_endpoint = "${azure.endpoint}"\n`)
  const running = start([server, '--config', config], { AZURE_ACCESS_TOKEN: 'bench-token' })
  await running.ask(initialize)
  let id = 0
  /** One call, and what it took. */
  const list = async args => {
    const [asked, startMs] = [azure.asked, performance.now()]
    const answer = await running.ask(toolCall(++id, 'list_protected_items', args))
    return { ...resultOf(answer), requests: azure.asked - asked, ms: answer.atMs - startMs }
  }
  /** All rows by cursor. */
  const walk = async limit => {
    const before = azure.asked
    const startMs = performance.now()
    const ids = new Set()
    let calls = 0
    for (let cursor; ; ) {
      const { protected_items: rows, next_cursor: next } = await list({ limit, ...(cursor && { cursor }) })
      calls++
      for (const row of rows) ids.add(row.id)
      if (next === undefined) break
      cursor = next
    }
    if (ids.size !== count) throw new Error(`${ids.size} items came out of ${count}`)
    return { calls, requests: azure.asked - before, ms: performance.now() - startMs }
  }
  await list({ limit: 1 })
  const first = await list({ limit: 50 })
  const before = running.usage()
  console.log(`Lists: ${count} items in pages of ${rowsPerPage}, over loopback HTTP`)
  console.log(`limit 50: ${first.count} rows, ${first.requests} request, ${first.ms.toFixed(1)} ms`)
  for (const limit of [1000, 50]) {
    const { calls, requests, ms } = await walk(limit)
    const { residentMiB, peakMiB } = running.usage()
    console.log(
      `all by cursor, limit ${limit}: ${calls} calls, ${requests} requests, ${ms.toFixed(0)} ms; memory before ${before.residentMiB.toFixed(1)} MiB, now ${residentMiB.toFixed(1)}, peak ${peakMiB.toFixed(1)}`,
    )
  }
  await running.end()
  azure.close()
}
