/**
 * What clients that nobody here wrote ask of the simulated Azure, as the raw exchanges that they were seen to make: Azure's
 * SDKs for JavaScript (arm-recoveryservicesbackup 12 at 2023-06-01, arm-recoveryservices 6 at 2024-04-01) and the Azure CLI
 * 2.45.0 (2022-09-01-preview, vaults at 2022-10-01).
 */
import t from 'tap'
import { type Fields, fields, list, text } from '../../src/backup/fields.ts'
import { answer } from '../../src/simulator/azure.ts'
import { createVirtualClock } from '../../src/simulator/clock.ts'
import { effects } from '../../src/simulator/effects.ts'
import { addSubscription, addVault, addVm, blankState } from '../../src/simulator/making.ts'
import { createWorld } from '../../src/simulator/world.ts'
import { faultsOf } from '../helpers/definitions.ts'

const subscriptionId = '11111111-1111-4111-8111-111111111111'
const base = 'https://localhost:8443'
const group = `/subscriptions/${subscriptionId}/resourceGroups/rg-backup`
const vaultPath = `${group}/providers/Microsoft.RecoveryServices/vaults/vault-prod`
const cliVaults = '2022-10-01'
const cli = '2022-09-01-preview'
const sdk = '2023-06-01'
const minute = 60_000

interface Told {
  status: number
  headers: Record<string, string>
  body: Fields
}

type Headers = Readonly<Record<string, string>>
const signedIn: Headers = { authorization: 'Bearer token' }

/** A vault, and a way to ask; every exchange is held against Azure's definitions. */
const estate = () => {
  const clock = createVirtualClock(Date.parse('2026-11-22T08:00:00Z'), 0, () => 0)
  const state = blankState(1, clock.now(), '99999999-9999-4999-8999-999999999999', ['token'])
  const world = createWorld(state, clock, effects)
  addSubscription(state, subscriptionId, 'Contoso')
  const where = { subscriptionId, location: 'eastus' }
  const vault = addVault(state, { ...where, resourceGroup: 'rg-backup', name: 'vault-prod' })
  const ask = (method: string, path: string, version: string, body?: unknown, headers: Headers = signedIn): Told => {
    const url = version === '' ? path : `${path}${path.includes('?') ? '&' : '?'}api-version=${version}`
    const answered = answer(world, {
      method,
      url,
      base,
      headers,
      body: body === undefined ? '' : JSON.stringify(body),
    })
    const told = answered.body === '' ? undefined : JSON.parse(answered.body)
    const exchange = {
      request: { method, url: base + url, body },
      response: { status: answered.status, body: told },
    }
    // What is asked without a version is none of Azure Resource Manager.
    const faults = version === '' ? [] : faultsOf(exchange)
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

/** Protects a VM as the CLI does, backs it up and gives its first point; `osType` is that of the VM. */
const backedUp = (osType: 'Linux' | 'Windows') => {
  const { ask, clock, state, where, vault } = estate()
  const vm = addVm(state, { ...where, resourceGroup: 'rg-app', name: 'web-01', osType })
  const named = 'iaasvmcontainerv2;rg-app;web-01'
  const item = `${vaultPath}/backupFabrics/Azure/protectionContainers/IaasVMContainer;${named}/protectedItems/VM;${named}`
  const protectedItemType = 'Microsoft.Compute/virtualMachines'
  const policyId = `${vault.id}/backupPolicies/DefaultPolicy`
  /** Asks, and waits until it is done: its status then. */
  const done = (method: string, path: string, body?: unknown): Fields => {
    const { status, headers } = ask(method, path, cli, body)
    t.equal(status, 202, `${method} ${path} is accepted`)
    clock.advance(60 * minute)
    const { pathname } = new URL(headers['azure-asyncoperation'] ?? '')
    return ask('GET', `${vaultPath}/backupOperations/${pathname.slice(pathname.lastIndexOf('/') + 1)}`, cli).body
  }
  done('PUT', item, { properties: { protectedItemType, policyId, sourceResourceId: vm.id } })
  done('POST', `${item}/backup`, { properties: { objectType: 'IaasVMBackupRequest' } })
  const [point] = list(ask('GET', `${item}/recoveryPoints`, cli).body.value)
  return { ask, done, vm, item, point: `${item}/recoveryPoints/${text(fields(point).name)}` }
}

const mounted = (osType: 'Linux' | 'Windows') => {
  const { ask, done, vm, point } = backedUp(osType)
  const told = done('POST', `${point}/provisionInstantItemRecovery`, {
    properties: {
      objectType: 'IaasVMILRRegistrationRequest',
      recoveryPointId: point.slice(point.lastIndexOf('/') + 1),
      virtualMachineId: vm.id,
    },
  })
  t.equal(told.status, 'Succeeded')
  return { ask, scripts: list(fields(fields(told.properties).recoveryTarget).clientScripts).map(fields) }
}

t.test('the script of a Linux VM has its password where the Azure CLI takes it from its name', t => {
  const { scripts } = mounted('Linux')
  const [script = {}] = scripts
  t.match(script, { osType: 'Linux', scriptExtension: '.py', scriptNameSuffix: /^web-01_/ })
  const name = text(script.scriptNameSuffix) ?? ''
  const from = name.lastIndexOf('_') + 33
  const password = name.slice(from, from + 15)
  t.match(password, /^[0-9a-f]{15}$/)
  t.match(Buffer.from(text(script.scriptContent) ?? '', 'base64').toString(), `TargetPassword="${password}"`)
  t.end()
})

t.test('the second script of a Windows VM can be fetched without a token', t => {
  const { ask, scripts } = mounted('Windows')
  t.equal(scripts.length, 2)
  const [first = {}, second = {}] = scripts
  t.match(first, { osType: 'Windows', scriptContent: String })
  t.match(second, { osType: 'Windows', scriptExtension: '.exe' })
  const { origin, pathname } = new URL(text(second.url) ?? '')
  t.equal(origin, base)
  t.equal(ask('GET', pathname, '', undefined, {}).status, 200)
  t.end()
})

t.test('intents are found by the whole name of their container, as the Azure CLI asks', t => {
  const { ask, vault } = estate()
  const name = 'vmappcontainer;compute;rg-data;sql-02'
  const container = `${vaultPath}/backupFabrics/Azure/protectionContainers/${name}`
  const intent = `${vaultPath}/backupFabrics/Azure/backupProtectionIntent/249d9b07-d2ef-4202-aa64-65f35418564e`
  const backupManagementType = 'AzureWorkload'
  const properties = {
    protectionIntentItemType: 'RecoveryServiceVaultItem',
    backupManagementType,
    itemId: `${container}/protectableItems/sqlinstance;mssqlserver`,
    policyId: `${vault.id}/backupPolicies/HourlyLogBackup`,
  }
  t.equal(ask('PUT', intent, cli, { properties }).status, 200)
  const terms = { backupManagementType, itemName: 'MSSQLSERVER', itemType: 'SQLInstance', parentName: name }
  const filter = Object.entries(terms).map(([key, value]) => `${key} eq '${value}'`)
  const asked = `${vaultPath}/backupProtectionIntents?%24filter=${encodeURIComponent(filter.join(' and '))}`
  t.equal(list(ask('GET', asked, sdk).body.value).length, 1)
  t.end()
})

t.test(
  'a vault is taken from under its guard as Azure CLI and SDK do it: unlocked without a name of what is deleted',
  t => {
    const { ask } = estate()
    const guardId = `${group}/providers/Microsoft.DataProtection/resourceGuards/guard`
    const proxy = `${vaultPath}/backupResourceGuardProxies/VaultProxy`
    const made = ask('PUT', proxy, cli, { properties: { resourceGuardResourceId: guardId } })
    t.equal(made.status, 200)
    const details = list(fields(made.body.properties).resourceGuardOperationDetails).map(fields)
    const critical = 'Microsoft.RecoveryServices/vaults/backupResourceGuardProxies/delete'
    const found = details.find(({ vaultCriticalOperation }) => vaultCriticalOperation === critical)
    t.equal(ask('DELETE', proxy, cli).status, 403)
    const unlock = ask('POST', `${proxy}/unlockDelete`, sdk, {
      resourceGuardOperationRequests: [found?.defaultResourceRequest],
    })
    t.equal(unlock.status, 200)
    t.equal(ask('DELETE', proxy, cli).status, 200)
    t.end()
  },
)

t.test('a vault has no backup engines', t => {
  const { ask } = estate()
  t.strictSame(ask('GET', `${vaultPath}/backupEngines`, sdk).body, { value: [] })
  t.equal(ask('GET', `${vaultPath.replace('vault-prod', 'nowhere')}/backupEngines`, sdk).status, 404)
  t.end()
})
