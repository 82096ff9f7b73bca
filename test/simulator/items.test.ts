/** Items of VMs through their whole life, and containers of databases and shares through theirs, as Azure tells of them. */
import t from 'tap'
import type { Fields } from '../../src/backup/fields.ts'
import { createVirtualClock } from '../../src/simulator/clock.ts'
import { toFault } from '../../src/simulator/control.ts'
import { effects } from '../../src/simulator/effects.ts'
import { addItem, addStorageAccount, addSubscription, addVault, addVm, blankState } from '../../src/simulator/making.ts'
import { keyOf } from '../../src/simulator/state.ts'
import { createWorld } from '../../src/simulator/world.ts'
import { asking, type Told } from '../helpers/simulated.ts'

const subscriptionId = '11111111-1111-4111-8111-111111111111'
const startMs = Date.parse('2026-11-22T08:00:00Z')
const dayMs = 86_400_000
const versions = ['2020-10-01', '2025-08-01', '2026-07-01']

/** What tests look at; every other body lacks it. */
type Body = Row & { value: Row[]; error: { code: string } }
interface Row {
  id: string
  name: string
  type?: string
  status: string
  protectionStatus?: string
  supportStatus?: string
  properties: Fields
}

/** A vault with a VM, a SQL server, a HANA server and a storage account beside it; every exchange is held against Azure's definitions. */
const estate = (version = '2025-08-01') => {
  const clock = createVirtualClock(startMs, 0, () => 0)
  const state = blankState(1, startMs, 'tenant', ['token'])
  const world = createWorld(state, clock, effects)
  addSubscription(state, subscriptionId, 'Contoso')
  const where = { subscriptionId, location: 'eastus' }
  const vault = addVault(state, { ...where, resourceGroup: 'rg-backup', name: 'vault-prod' })
  const other = addVault(state, { ...where, resourceGroup: 'rg-backup', name: 'vault-two' })
  const vm = addVm(state, { ...where, resourceGroup: 'rg-App', name: 'Web-01' })
  addVm(state, { ...where, resourceGroup: 'rg-app', name: 'far-01', location: 'westus' })
  const sql = addVm(state, {
    ...where,
    resourceGroup: 'rg-data',
    name: 'sql-01',
    instances: [
      {
        workload: 'SQL',
        name: 'MSSQLSERVER',
        databases: ['orders', 'billing'],
        dataPath: 'F:\\data\\',
        logPath: 'G:\\log\\',
      },
      { workload: 'SAPHana', name: 'HXE', databases: ['SYSTEMDB', 'HXE'], dataPath: '/data', logPath: '/log' },
      { workload: 'SAPAse', name: 'AZU', databases: ['azu'], dataPath: '/data', logPath: '/log' },
    ],
  })
  const account = addStorageAccount(state, {
    ...where,
    resourceGroup: 'rg-data',
    name: 'contosofiles',
    shares: [{ name: 'finance', files: [] }],
  })
  const ask = asking<Body>(t, world, version)
  const pass = (seconds: number) => clock.advance(seconds * 1000)
  const container = `IaasVMContainer;iaasvmcontainerv2;${vm.resourceGroup};${vm.name}`
  const itemId = (of = vault) =>
    `${of.id}/backupFabrics/Azure/protectionContainers/${container}/protectedItems/VM;iaasvmcontainerv2;rg-app;Web-01`
  const put = (properties: Fields, of = vault) =>
    ask('PUT', itemId(of), {
      properties: { protectedItemType: 'Microsoft.Compute/virtualMachines', sourceResourceId: vm.id, ...properties },
    })
  const policyId = (name: string, of = vault) => `${of.id}/backupPolicies/${name}`
  const protect = (name = 'DefaultPolicy') => put({ policyId: policyId(name) })
  const item = () => ask('GET', itemId())
  /** Lets what was accepted end; the job that it tells of. */
  const end = (accepted: Told<Body>): Fields => {
    t.equal(accepted.status, 202)
    const asked = accepted.headers['azure-asyncoperation'] ?? ''
    t.equal(ask('GET', asked).body.status, 'InProgress')
    t.equal(ask('GET', accepted.headers.location ?? '').status, 202)
    pass(60)
    const { status, properties } = ask('GET', asked).body
    t.equal(status, 'Succeeded')
    const id = asked.replace(/^.*\/|\?.*$/g, '')
    t.same(ask('GET', `${vault.id}/backupOperations/${id}`).body.properties, properties, 'the vault tells the same')
    const job = vault.jobs.get(String(properties.jobId))
    t.equal(job?.status, 'Completed')
    return { operation: job?.operation, bag: job?.bag }
  }
  return { world, state, vault, other, vm, sql, account, ask, pass, put, protect, item, itemId, policyId, end }
}

const filter = (text: string) => `?$filter=${encodeURIComponent(text)}`

for (const version of versions)
  t.test(`a VM is protected, stopped, resumed, deleted, undeleted and purged, as told at ${version}`, async t => {
    const { vault, vm, ask, pass, put, protect, item, itemId, policyId, end } = estate(version)
    t.equal(item().status, 404)
    const accepted = protect()
    t.match(accepted.headers.location, '/protectedItems/VM;iaasvmcontainerv2;rg-app;Web-01/operationResults/')
    t.equal(item().status, 404, 'is not there before its operation has ended')
    t.same(end(accepted), {
      operation: 'ConfigureBackup',
      bag: { 'VM Name': 'Web-01', 'Policy Name': 'DefaultPolicy' },
    })
    const made = ask('GET', accepted.headers.location ?? '')
    t.equal(made.status, 200)
    const { id, name, properties } = item().body
    t.same(made.body, item().body)
    t.equal(
      id,
      version < '2022'
        ? itemId().replace('/s', '/S').replace('rg-App', 'rg-app')
        : itemId().replace('rg-App', 'rg-app'),
    )
    t.equal(name, 'VM;iaasvmcontainerv2;rg-app;Web-01')
    t.match(properties, {
      friendlyName: 'Web-01',
      virtualMachineId: vm.id,
      protectionState: 'IRPending',
      healthStatus: 'Passed',
      lastBackupStatus: '',
      lastBackupTime: '2001-01-01T00:00:00Z',
      containerName: 'iaasvmcontainerv2;rg-app;Web-01',
      policyName: 'DefaultPolicy',
    })
    t.equal(properties.kpisHealths === undefined, version === '2026-07-01')
    t.equal(properties.vaultId, version === '2026-07-01' ? `https://management.azure.com${vault.id}` : undefined)
    t.equal(properties.extendedInfo, undefined)
    const planned = () => vault.items.get(keyOf('IaasVMContainer;iaasvmcontainerv2;rg-app;web-01', name))?.plannedMs
    t.equal(planned(), Date.parse('2026-11-22T22:30:00Z'))
    const expanded = ask('GET', `${itemId()}${filter("expand eq 'extendedInfo'")}`).body.properties
    t.match(expanded.extendedInfo, { recoveryPointCount: 0, policyInconsistent: false })

    const diskExclusionProperties = { diskLunList: [0, 1], isInclusionList: true }
    end(put({ policyId: policyId('EnhancedPolicy'), extendedProperties: { diskExclusionProperties } }))
    t.match(item().body.properties, { policyName: 'EnhancedPolicy', extendedProperties: { diskExclusionProperties } })

    const stop = { policyId: '', protectionState: 'ProtectionStopped' }
    t.same(end(put(stop)), { operation: 'DisableBackup', bag: { 'VM Name': 'Web-01', 'Policy Name': '' } })
    t.match(item().body.properties, { protectionState: 'ProtectionStopped', policyId: '', policyName: '' })
    t.equal(planned(), undefined, 'nothing is scheduled while protection is stopped')
    end(protect())
    t.match(item().body.properties, { protectionState: 'IRPending', policyName: 'DefaultPolicy' })

    const deleted = ask('DELETE', itemId())
    t.match(deleted.headers.location, `${vault.id}/backupOperationResults/`)
    t.same(end(deleted).operation, 'DeleteBackupData')
    t.equal(ask('GET', deleted.headers.location ?? '').status, 204)
    t.match(item().body.properties, {
      protectionState: 'ProtectionStopped',
      policyId: '',
      isScheduledForDeferredDelete: true,
      deferredDeleteTimeRemaining: '13.23:59:00.0000000',
    })
    t.equal(protect().status, 400, 'must be undeleted first')
    t.equal(ask('DELETE', itemId()).status, 400)
    t.same(end(put({ ...stop, isRehydrate: true })), {
      operation: 'Undelete',
      bag: { 'VM Name': 'Web-01', 'Undelete flag': 'True' },
    })
    t.equal(item().body.properties.isScheduledForDeferredDelete, undefined)
    pass((20 * dayMs) / 1000)
    t.equal(item().status, 200, 'its purge was taken back')
    end(ask('DELETE', itemId()))
    pass((14 * dayMs) / 1000 - 70)
    t.equal(item().status, 200)
    pass(10)
    t.equal(item().status, 404)
  })

t.test('with soft delete off an item is gone with its container when it is deleted', async t => {
  const { vault, ask, protect, item, itemId, end } = estate()
  vault.softDelete.state = 'Disabled'
  end(protect())
  const containers = `${vault.id}/backupProtectionContainers${filter("backupManagementType eq 'AzureIaasVM' and status eq 'Registered'")}`
  t.match(ask('GET', containers).body.value, [{ name: 'IaasVMContainer;iaasvmcontainerv2;rg-app;web-01' }])
  end(ask('DELETE', itemId()))
  t.equal(item().status, 404)
  t.same(ask('GET', containers).body.value, [])
})

for (const state of ['Enabled', 'Disabled'] as const)
  t.test(`a backup that runs ends with its item, soft delete being ${state}`, async t => {
    const { vault, ask, pass, put, protect, item, itemId, end } = estate()
    vault.softDelete.state = state
    end(protect())
    t.equal(ask('POST', `${itemId()}/backup`, { properties: { objectType: 'IaasVMBackupRequest' } }).status, 202)
    pass(10)
    end(ask('DELETE', itemId()))
    const backups = [...vault.jobs.values()].filter(({ operation }) => operation === 'Backup')
    t.match(backups, [{ status: 'Cancelled', trouble: { code: 'UserErrorJobSuccessfullyCancelled' } }])
    end(
      state === 'Enabled' ? put({ isRehydrate: true, protectionState: 'ProtectionStopped', policyId: '' }) : protect(),
    )
    pass(3600)
    t.equal(item().body.properties.protectionState, state === 'Enabled' ? 'ProtectionStopped' : 'IRPending')
    t.same(ask('GET', `${itemId()}/recoveryPoints`).body.value, [], 'it has left no point')
  })

t.test('what Azure refuses is refused with its code', async t => {
  const { vault, other, vm, ask, put, protect, itemId, policyId, end } = estate()
  const code = ({ status, body }: Told<Body>) => `${status} ${body.error.code}`
  const suspend = { policyId: policyId('DefaultPolicy'), protectionState: 'BackupsSuspended' }
  t.match(
    [put({ policyId: policyId('HourlyLogBackup') })],
    [
      {
        status: 400,
        body: {
          error: {
            code: 'BMSUserErrorInvalidPolicyForGivenProvider',
            message: 'Policy is not valid for given provider type. Please choose valid policy for given provider.',
          },
        },
      },
    ],
  )
  t.equal(code(put({ policyId: policyId('none') })), '404 BMSUserErrorPolicyNotFound')
  t.equal(
    code(put({ policyId: policyId('DefaultPolicy', other) })),
    '400 BMSUserErrorInvalidConfigureProtectionRequest',
  )
  t.equal(code(put({})), '400 BMSUserErrorInvalidConfigureProtectionRequest')
  t.equal(code(put({ protectionState: 'ProtectionStopped', policyId: '' })), '404 BMSUserErrorDataSourceObjectNotFound')
  const gone = `${vm.id}-gone`
  t.equal(
    code(put({ policyId: policyId('DefaultPolicy'), sourceResourceId: gone })),
    '404 BMSUserErrorDataSourceObjectNotFound',
  )
  const far = vm.id.replace('rg-App', 'rg-app').replace('Web-01', 'far-01')
  t.equal(
    code(put({ policyId: policyId('DefaultPolicy'), sourceResourceId: far })),
    '400 BMSUserErrorInvalidConfigureProtectionRequest',
  )
  const accepted = protect()
  t.equal(code(protect()), '409 BMSUserErrorObjectLocked')
  t.equal(code(ask('DELETE', policyId('DefaultPolicy'))), '400 BMSUserErrorPolicyObjectInUse')
  t.equal(code(put({ policyId: policyId('DefaultPolicy', other) }, other)), '409 BMSUserErrorObjectLocked')
  end(accepted)
  t.equal(code(put({ policyId: policyId('DefaultPolicy', other) }, other)), '400 VirtualMachineAlreadyProtected')
  t.equal(code(put(suspend)), '400 UserErrorOperationDeniedOnImmutableItem')
  vault.immutability = 'Unlocked'
  t.equal(
    code(put({ policyId: '', protectionState: 'ProtectionStopped' })),
    '400 UserErrorOperationDeniedOnImmutableItem',
  )
  t.equal(code(ask('DELETE', itemId())), '400 UserErrorOperationDeniedOnImmutableItem')
  end(put(suspend))
  t.match(ask('GET', itemId()).body.properties, { protectionState: 'BackupsSuspended', policyName: 'DefaultPolicy' })
  vault.immutability = 'Disabled'
  vault.guardId = `/subscriptions/${subscriptionId}/resourceGroups/g/providers/Microsoft.DataProtection/resourceGuards/g`
  t.equal(ask('DELETE', itemId()).status, 403)
  const stop = { policyId: '', protectionState: 'ProtectionStopped' }
  t.equal(put(stop).status, 403)
  const [daily] = vault.policies.values()
  const shorter = structuredClone(daily?.properties ?? {})
  ;(shorter.retentionPolicy as { dailySchedule: Fields }).dailySchedule = {
    retentionTimes: ['2026-01-01T22:30:00Z'],
    retentionDuration: { count: 7, durationType: 'Days' },
  }
  vault.policies.set('week', { name: 'week', properties: shorter })
  t.equal(put({ policyId: policyId('week') }).status, 403, 'keeps less')
  end(put({ policyId: policyId('EnhancedPolicy') }))
  end(put({ ...stop, resourceGuardOperationRequests: [`${vault.guardId}/updateProtectedItemRequests/default`] }))
  vault.guardId = undefined
  end(protect())
  vault.immutability = 'Locked'
  t.equal(code(put({ policyId: policyId('week') })), '400 UserErrorOperationDeniedOnImmutableItem')
  t.equal(
    code(put({ policyId: policyId('DefaultPolicy'), protectedItemType: 'X' })),
    '400 BMSUserErrorInvalidConfigureProtectionRequest',
  )
  t.equal(
    code(put({ policyId: policyId('DefaultPolicy'), sourceResourceId: gone })),
    '400 BMSUserErrorInvalidConfigureProtectionRequest',
  )
  const database = `${vault.id}/backupFabrics/Azure/protectionContainers/VMAppContainer;Compute;rg-data;sql-01/protectedItems/SQLDataBase;mssqlserver;orders`
  t.match(code(ask('DELETE', database)), /^400 /)
})

t.test('a vault that is being deleted takes nothing, and one that is being filled is not deleted', async t => {
  const { vault, other, ask, pass, put, policyId, end } = estate()
  const intoOther = () => put({ policyId: policyId('DefaultPolicy', other) }, other)
  const protecting = intoOther()
  t.match([ask('DELETE', other.id)], [{ status: 409, body: { error: { code: 'AnotherOperationInProgress' } } }])
  pass(60)
  t.equal(ask('GET', protecting.headers.location ?? '').status, 200)
  other.items.clear()
  t.equal(ask('DELETE', other.id).status, 202)
  t.match([intoOther()], [{ status: 409, body: { error: { code: 'AnotherOperationInProgress' } } }])
  t.equal(ask('PUT', other.id, { location: 'eastus' }).status, 409)
  pass(3)
  t.equal(ask('DELETE', other.id).status, 202, 'a caller that has lost the answer asks again')
  pass(3)
  t.equal(ask('GET', other.id).status, 404)
  t.equal(ask('PUT', other.id, { location: 'eastus' }).status, 201)
  pass(60)
  t.equal(ask('GET', other.id).status, 200, 'only the old one has gone')
  end(put({ policyId: policyId('DefaultPolicy') }))
  t.equal(vault.items.size, 1)
})

t.test('an operation that fails late says so, and changes nothing', async t => {
  const { world, ask, pass, protect, item } = estate()
  world.state.faults = [
    toFault({ kind: 'late_failure', method: 'PUT', path: 'protectedItems', code: 'CloudInternalError' }),
  ]
  const accepted = protect()
  pass(60)
  const told = ask('GET', accepted.headers['azure-asyncoperation'] ?? '').body
  t.match(told, { status: 'Failed', error: { code: 'CloudInternalError' } })
  t.equal(item().status, 404)
})

t.test('items are listed by what a filter asks for, and an unknown key is refused', async t => {
  const { vault, sql, ask, protect, end } = estate()
  end(protect())
  addItem(vault, {
    container: 'VMAppContainer;compute;rg-data;sql-01',
    name: 'SQLDataBase;mssqlserver;orders',
    workload: 'SQL',
    friendlyName: 'orders',
    sourceId: sql.id,
    serverName: 'sql-01',
    parentName: 'MSSQLSERVER',
    dataId: '369437214387012',
    policy: 'hourlylogbackup',
    state: 'Protected',
    softDeleted: undefined,
    diskExclusion: undefined,
    lastBackup: { atMs: startMs, status: 'Completed', trouble: undefined },
    points: [],
    logs: [],
    mounted: undefined,
  })
  const listed = (text: string) => {
    const { status, body } = ask('GET', `${vault.id}/backupProtectedItems${text === '' ? '' : filter(text)}`)
    return status === 200 ? body.value.map(({ properties }) => properties.friendlyName).join() : body.error.code
  }
  const rows: [filter: string, names: string][] = [
    ['', 'Web-01,orders'],
    ["backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'", 'Web-01'],
    ["backupManagementType eq 'AzureWorkload' and itemType eq 'SQLDataBase'", 'orders'],
    ["policyName eq 'HourlyLogBackup'", 'orders'],
    ["containerName eq 'iaasvmcontainerv2;RG-App;web-01'", 'Web-01'],
    ["friendlyName eq 'ORDERS'", 'orders'],
    ["healthState eq 'Passed'", 'Web-01'],
    ["backupEngineName eq 'mabs'", ''],
    ["backupManagementType eq 'Nothing'", 'BMSUserErrorInvalidInput'],
    ["vaultName eq 'vault-prod'", 'BMSUserErrorInvalidInput'],
  ]
  for (const [text, names] of rows) t.equal(listed(text), names, text)
  const database = ask(
    'GET',
    `${vault.id}/backupFabrics/azure/protectionContainers/VMAppContainer%3BCompute%3Brg-data%3Bsql-01/protectedItems/sqldatabase%3Bmssqlserver%3Borders`,
  ).body
  t.match(database.properties, {
    protectedItemType: 'AzureVmWorkloadSQLDatabase',
    lastBackupStatus: 'Healthy',
    extendedInfo: { recoveryModel: 'FULL', policyState: 'Consistent' },
  })
  t.equal(database.properties.policyName, undefined)
})

for (const version of versions)
  t.test(`a database server is found, registered, inquired and unregistered, as told at ${version}`, async t => {
    const { vault, sql, ask, pass } = estate(version)
    const fabric = `${vault.id}/backupFabrics/Azure`
    const container = `${fabric}/protectionContainers/VMAppContainer;Compute;rg-data;sql-01`
    const protectable = (text: string) => ask('GET', `${fabric}/protectableContainers${filter(text)}`).body.value
    const names = (text: string) =>
      ask('GET', `${vault.id}/backupProtectableItems${filter(text)}`).body.value.map(({ name }) => name)
    const ended = (told: Told<Body>): Told<Body> => {
      t.equal(told.status, 202)
      t.equal(told.headers['azure-asyncoperation'], undefined)
      t.equal(ask('GET', told.headers.location ?? '').status, 202)
      pass(60)
      return ask('GET', told.headers.location ?? '')
    }
    t.same(names("backupManagementType eq 'AzureIaasVM'"), [], 'nothing is known before discovery')
    t.equal(ended(ask('POST', `${fabric}/refreshContainers`)).status, 204)
    t.same(names("backupManagementType eq 'AzureIaasVM'"), [
      'iaasvmcontainerv2;rg-app;web-01',
      'iaasvmcontainerv2;rg-data;sql-01',
    ])
    t.equal(protectable("backupManagementType eq 'AzureWorkload'").length, 2)
    const register = (workloadType: string, more: Fields = {}, at = container) =>
      ask('PUT', at, {
        properties: {
          backupManagementType: 'AzureWorkload',
          containerType: 'VMAppContainer',
          sourceResourceId: sql.id,
          workloadType,
          ...more,
        },
      })
    const accepted = register('SQLDataBase')
    t.same(accepted.body, {})
    const elsewhere = (code: string) =>
      t.equal(register('SQLDataBase', {}, container.replace('/vault-prod/', '/vault-two/')).body.error?.code, code)
    elsewhere('BMSUserErrorObjectLocked')
    const registered = ended(accepted)
    elsewhere('BMSUserErrorContainerAlreadyRegistered')
    t.equal(registered.status, 200)
    t.equal(registered.body.type, undefined)
    t.match(registered.body.properties, {
      registrationStatus: 'Registered',
      extendedInfo: { inquiryInfo: { inquiryDetails: [{ type: 'SQL', itemCount: 2 }] } },
    })
    t.equal(ask('GET', container.toLowerCase()).body.name, 'VMAppContainer;Compute;rg-data;sql-01')
    t.same(
      protectable("backupManagementType eq 'AzureWorkload'").map(({ name }) => name),
      ['VMAppContainer;Compute;rg-App;Web-01'],
    )
    const sqlFilter = "backupManagementType eq 'AzureWorkload' and workloadType eq 'SQLDataBase'"
    t.same(names(sqlFilter), [
      'sqlinstance;mssqlserver',
      'sqldatabase;mssqlserver;orders',
      'sqldatabase;mssqlserver;billing',
    ])
    t.same(names("backupManagementType eq 'AzureWorkload' and workloadType eq 'SAPHanaDatabase'"), [])
    const hana = filter("workloadType eq 'SAPHanaDatabase'")
    t.equal(ended(ask('POST', `${container}/inquire${hana}`)).status, 204)
    t.same(names("backupManagementType eq 'AzureWorkload' and workloadType eq 'SAPHanaDatabase'"), [
      'saphanasystem;hxe',
      'saphanadatabase;hxe;systemdb',
      'saphanadatabase;hxe;hxe',
    ])
    ended(register('SAPAseDatabase', { operationType: 'Reregister' }))
    t.equal(names("backupManagementType eq 'AzureWorkload'").length, version < '2023' ? 7 : 8)
    const items = ask('GET', `${container}/items${filter("workloadItemType eq 'SQLInstance'")}`).body.value
    t.match(items, [
      { name: 'SQLInstance;MSSQLSERVER', properties: { dataDirectoryPaths: [{ path: 'F:\\data\\' }, {}] } },
    ])
    t.equal(ask('GET', `${vault.id}/backupProtectionContainers`).body.error.code, 'BMSUserErrorInvalidInput')
    const left = { container: 'VMAppContainer;compute;rg-data;sql-01', name: 'SQLDataBase;mssqlserver;orders' }
    const key = keyOf(left.container, left.name)
    vault.items.set(key, { ...left, workload: 'SQL', friendlyName: 'orders', sourceId: sql.id } as never)
    t.equal(ask('DELETE', container).body.error.code, 'BMSUserErrorContainerHasDatasources')
    vault.items.delete(key)
    t.equal(ended(ask('DELETE', container)).status, 204)
    t.equal(ask('GET', container).body.error.code, 'BMSUserErrorContainerObjectNotFound')
  })

t.test('a storage account is registered and inquired for its shares', async t => {
  const { vault, account, ask, pass } = estate()
  const container = `${vault.id}/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;rg-data;contosofiles`
  ask('PUT', container, {
    properties: {
      backupManagementType: 'AzureStorage',
      containerType: 'StorageContainer',
      sourceResourceId: account.id,
    },
  })
  pass(60)
  const shares = filter("backupManagementType eq 'AzureStorage' and workloadType eq 'AzureFileShare'")
  t.same(ask('GET', `${vault.id}/backupProtectableItems${shares}`).body.value, [])
  ask('POST', `${container}/inquire${filter("workloadType eq 'AzureFileShare'")}`)
  pass(60)
  const [share] = ask('GET', `${vault.id}/backupProtectableItems${shares}`).body.value
  t.match(share?.name, /^azurefileshare;[0-9a-f]{64}$/)
  t.match(share?.properties, { friendlyName: 'finance', parentContainerFriendlyName: 'contosofiles' })
})

t.test('an intent makes an instance auto-protected until it is deleted', async t => {
  const { vault, sql, ask, pass } = estate('2021-07-01')
  const fabric = `${vault.id}/backupFabrics/Azure`
  const container = 'VMAppContainer;Compute;rg-data;sql-01'
  ask('PUT', `${fabric}/protectionContainers/${container}`, {
    properties: {
      backupManagementType: 'AzureWorkload',
      containerType: 'VMAppContainer',
      sourceResourceId: sql.id,
      workloadType: 'SQLDataBase',
    },
  })
  pass(60)
  const instance = () =>
    ask('GET', `${vault.id}/backupProtectableItems${filter("friendlyName eq 'MSSQLSERVER'")}`).body.value[0]?.properties
      .isAutoProtected
  t.equal(instance(), false)
  const intent = `${fabric}/backupProtectionIntent/249d9b07-d2ef-4202-aa64-65f35418564e`
  t.equal(ask('GET', intent).status, 404)
  const made = ask('PUT', intent, {
    properties: {
      protectionIntentItemType: 'RecoveryServiceVaultItem',
      backupManagementType: 'AzureWorkload',
      itemId: `${fabric}/protectionContainers/vmappcontainer;compute;rg-data;sql-01/protectableItems/sqlinstance;mssqlserver`,
      policyId: `${vault.id}/backupPolicies/HourlyLogBackup`,
    },
  })
  t.match(made.body.properties, {
    protectionState: 'NotProtected',
    itemId: '/protectionContainers/compute;rg-data;sql-01/protectableItems/MSSQLSERVER',
  })
  t.equal(instance(), true)
  const found = filter(
    "backupManagementType eq 'AzureWorkload' and itemType eq 'SQLInstance' and parentName eq 'sql-01'",
  )
  t.same(ask('GET', `${vault.id}/backupProtectionIntents${found}`).body.value, [ask('GET', intent).body])
  t.equal(ask('DELETE', intent).status, 204)
  t.equal(ask('DELETE', intent).status, 204)
  t.equal(instance(), false)
})

t.test('a region tells which vault protects a VM, and that it need not be protected again', async t => {
  const { vault, vm, ask, protect, end } = estate()
  const region = `/subscriptions/${subscriptionId}/providers/Microsoft.RecoveryServices/locations/eastus`
  const about = { resourceType: 'VM', resourceId: vm.id }
  const status = (where = region) => ask('POST', `${where}/backupStatus`, about).body
  const validated = () =>
    ask('POST', `${region}/backupPreValidateProtection`, { ...about, vaultId: vault.id, properties: '' }).body
  t.match(status(), { protectionStatus: 'NotProtected', errorCode: 'Success' })
  t.equal(validated().status, 'Succeeded')
  const accepted = protect()
  t.equal(status().protectionStatus, 'Protecting')
  end(accepted)
  t.match(status(), {
    protectionStatus: 'Protected',
    vaultId: vault.id,
    fabricName: 'Azure',
    policyName: 'DefaultPolicy',
    registrationStatus: 'Registered',
  })
  t.equal(status(region.replace('eastus', 'westus')).protectionStatus, 'NotProtected')
  t.match(validated(), { status: 'Failed', errorCode: 'VirtualMachineAlreadyProtected' })
  t.equal(
    ask('POST', `${region}/backupValidateFeatures`, { featureType: 'AzureBackupGoals' }).body.supportStatus,
    'Supported',
  )
})
