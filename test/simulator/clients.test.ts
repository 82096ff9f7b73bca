/**
 * What clients that nobody here wrote ask of the simulated Azure, as the raw exchanges that they were seen to make: Azure's
 * SDKs for JavaScript (arm-recoveryservicesbackup 12 at 2023-06-01, arm-recoveryservices 6 at 2024-04-01) and the Azure CLI
 * 2.45.0 (2022-09-01-preview, vaults at 2022-10-01).
 */
import t from 'tap'
import { type Fields, fields } from '../../src/backup/fields.ts'
import { answer } from '../../src/simulator/azure.ts'
import { createVirtualClock } from '../../src/simulator/clock.ts'
import { effects } from '../../src/simulator/effects.ts'
import { addSubscription, addVault, blankState } from '../../src/simulator/making.ts'
import { createWorld } from '../../src/simulator/world.ts'
import { faultsOf } from '../helpers/definitions.ts'

const subscriptionId = '11111111-1111-4111-8111-111111111111'
const base = 'https://localhost:8443'
const group = `/subscriptions/${subscriptionId}/resourceGroups/rg-backup`
const vaultPath = `${group}/providers/Microsoft.RecoveryServices/vaults/vault-prod`
const cliVaults = '2022-10-01'

interface Told {
  status: number
  headers: Record<string, string>
  body: Fields
}

/** A vault, and a way to ask; every exchange is held against Azure's definitions. */
const estate = () => {
  const clock = createVirtualClock(Date.parse('2026-11-22T08:00:00Z'), 0, () => 0)
  const state = blankState(1, clock.now(), '99999999-9999-4999-8999-999999999999', ['token'])
  const world = createWorld(state, clock, effects)
  addSubscription(state, subscriptionId, 'Contoso')
  const where = { subscriptionId, location: 'eastus' }
  const vault = addVault(state, { ...where, resourceGroup: 'rg-backup', name: 'vault-prod' })
  const ask = (method: string, path: string, version: string, body?: unknown): Told => {
    const url = `${path}${path.includes('?') ? '&' : '?'}api-version=${version}`
    const answered = answer(world, {
      method,
      url,
      base,
      headers: { authorization: 'Bearer token' },
      body: body === undefined ? '' : JSON.stringify(body),
    })
    const told = answered.body === '' ? undefined : JSON.parse(answered.body)
    const faults = faultsOf({
      request: { method, url: base + url, body },
      response: { status: answered.status, body: told },
    })
    t.strictSame(faults, [], `${method} ${url} is as Azure defines it`)
    return { status: answered.status, headers: answered.headers, body: fields(told) }
  }
  return { ask, clock, vault, state, where }
}

t.test('a vault has at 2022-10-01 the settings that the Azure CLI reads before it writes them back', async t => {
  const { ask } = estate()
  const { body } = ask('GET', vaultPath, cliVaults)
  t.match(body.properties, {
    publicNetworkAccess: 'Enabled',
    monitoringSettings: { classicAlertSettings: { alertsForCriticalOperations: 'Enabled' } },
    securitySettings: { immutabilitySettings: { state: 'Disabled' } },
  })
  const alerts = {
    azureMonitorAlertSettings: { alertsForAllJobFailures: 'Enabled' },
    classicAlertSettings: { alertsForCriticalOperations: 'Disabled' },
  }
  const changed = ask('PATCH', vaultPath, cliVaults, { properties: { monitoringSettings: alerts } })
  t.equal(changed.status, 200)
  t.match(changed.body.properties, { monitoringSettings: alerts })
  const made = ask('PUT', vaultPath.replace('vault-prod', 'vault-new'), cliVaults, {
    location: 'eastus',
    sku: { name: 'Standard' },
    properties: {
      publicNetworkAccess: 'Disabled',
      monitoringSettings: alerts,
      securitySettings: { immutabilitySettings: { state: 'Unlocked' } },
    },
  })
  t.equal(made.status, 201)
  t.match(made.body.properties, {
    provisioningState: 'Succeeded',
    publicNetworkAccess: 'Disabled',
    securitySettings: { immutabilitySettings: { state: 'Unlocked' } },
  })
})

t.test('the Azure CLI takes only 200 for the deletion of a vault', async t => {
  const { ask } = estate()
  t.equal(ask('DELETE', vaultPath, cliVaults).status, 200)
  t.equal(ask('GET', vaultPath, cliVaults).status, 404)
})
