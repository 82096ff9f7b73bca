/** Real answers of Azure, replayed; and what is recorded here, replayed again. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import type { Recording } from '../src/arm/recordings.ts'
import { checked } from './helpers/checked.ts'
import { azureError, fakeArm, json, subscription, vaultPath } from './helpers/fake-arm.ts'
import { root } from './helpers/server.ts'

t.jobs = 3
t.setTimeout(120_000)

type Row = Record<string, unknown>
interface Raw {
  id: string
  name: string
  properties: Record<string, unknown>
}

const recordings = path.join(root, '../shared/recordings')
const files = existsSync(recordings) ? readdirSync(recordings).filter(name => name.endsWith('.json')) : []

const vaultPattern =
  /\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.RecoveryServices\/vaults\/([^/?]+)/i

/** The vault that most requests of a recording are about. */
const vaultOf = ({ exchanges }: Recording): [subscription: string, group: string, vault: string] => {
  const counts = new Map<string, number>()
  for (const { request } of exchanges) {
    const found = vaultPattern.exec(request.url)?.slice(1).join('/')
    if (found) counts.set(found, (counts.get(found) ?? 0) + 1)
  }
  const [[most = ''] = []] = [...counts].sort(([, a], [, b]) => b - a)
  return most.split('/') as [string, string, string]
}

/** The first answer to a GET of a path and filter that went well. */
const firstOf = ({ exchanges }: Recording, at: string, filter?: string): { value: Raw[] } & Raw => {
  const found = exchanges.find(({ request, response }) => {
    const url = new URL(request.url)
    const asked = url.searchParams.get('$filter')
    const isIt = decodeURIComponent(url.pathname).toLowerCase() === at.toLowerCase()
    return request.method === 'GET' && isIt && asked === (filter ?? null) && response.status === 200
  })
  return found?.response.body as { value: Raw[] } & Raw
}

/** Filters as they were recorded, and the arguments that must lead to them. */
const itemFilters: [filter: string | undefined, args: Row][] = [
  [undefined, {}],
  ["backupManagementType eq 'AzureStorage'", { backup_management_type: 'AzureStorage' }],
  ["backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'", { workload_type: 'VM' }],
  ["policyName eq 'DefaultPolicy'", { policy_name: 'DefaultPolicy' }],
]

/** Filters of lists of what could be protected, and their workload. */
const protectable: [filter: string, workload: string][] = [
  ["backupManagementType eq 'AzureIaasVM'", 'VM'],
  ["backupManagementType eq 'AzureWorkload' and workloadType eq 'SQLDataBase'", 'SQL'],
  ["backupManagementType eq 'AzureWorkload' and workloadType eq 'SAPHanaDatabase'", 'SAPHana'],
  ["backupManagementType eq 'AzureStorage' and workloadType eq 'AzureFileShare'", 'AzureFileShare'],
]

const states = /^(Invalid|IRPending|Protected|ProtectionError|ProtectionStopped|ProtectionPaused|BackupsSuspended)$/
const statuses = /^(InProgress|Completed|CompletedWithWarnings|Failed|Cancelled|Cancelling)$/
const time = /^20(1[5-9]|2\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/

t.test(
  'recordings',
  files.length > 0 ? {} : { skip: 'the recordings are not here (../shared/recordings)' },
  async t => {
    const answered = new Map<string, number>()
    for (const file of files) {
      const text = readFileSync(path.join(recordings, file), 'utf8')
      const recording = JSON.parse(text) as Recording
      const [subscriptionId, group, vault] = vaultOf(recording)
      const at = `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/Microsoft.RecoveryServices/vaults/${vault}`
      const env = { AZURE_SUBSCRIPTION_ID: subscriptionId, AZURE_RESOURCE_GROUP: group, AZURE_VAULT_NAME: vault }
      const calls = await checked(t, { args: ['--replay', path.join(recordings, file)], env })

      const good = async (tool: string, args: Row): Promise<Row> => {
        answered.set(tool, (answered.get(tool) ?? 0) + 1)
        const body = await calls.good(tool, args)
        const told = JSON.stringify(body)
        t.notMatch(told, /"(0001|2001)-01-01T/, `${file} ${tool}: no time that stands for none`)
        for (const [, id = ''] of told.matchAll(/"id":"(\/[^"]+)"/g)) t.ok(text.includes(id), `${file} ${tool}: ${id}`)
        return body
      }

      const vaults = firstOf(recording, `/subscriptions/${subscriptionId}/providers/Microsoft.RecoveryServices/vaults`)
      if (vaults) {
        const { vaults: rows } = (await good('list_vaults', { limit: 1000 })) as { vaults: Row[] }
        t.same(
          rows.map(({ id }) => id),
          vaults.value.map(({ id }) => id),
          `${file}: vaults`,
        )
        for (const row of rows) t.ok(row.location && row.resource_group, String(row.id))
      }
      if (firstOf(recording, at)) {
        t.match(await good('get_vault', { include_raw: true }), {
          vault_name: vault,
          resource_group: group,
          location: /^[a-z0-9]+$/,
          provisioning_state: 'Succeeded',
          raw: { name: vault },
        })
        const { checks } = (await good('test_connection', {})) as { checks: Row[] }
        t.match(checks[3], { name: 'vault', status: 'ok' }, file)
      }
      for (const filter of [undefined, "backupManagementType eq 'AzureStorage'"]) {
        const listed = firstOf(recording, `${at}/backupPolicies`, filter)
        if (!listed) continue
        const args = filter === undefined ? {} : { backup_management_type: 'AzureStorage' }
        const { policies } = (await good('list_policies', { ...args, limit: 1000 })) as { policies: Row[] }
        t.same(
          policies.map(row => row.policy_name),
          listed.value.map(({ name }) => name),
          `${file}: policies`,
        )
        for (const row of policies)
          t.match(row, {
            workload_type: /^(VM|SQL|SAPHana|AzureFileShare)$/,
            schedule: /daily|weekly|hours/,
            retention: /\d/,
          })
      }
      for (const [filter, args] of itemFilters) {
        const listed = firstOf(recording, `${at}/backupProtectedItems`, filter)
        if (!listed) continue
        const { protected_items: items } = (await good('list_protected_items', { ...args, limit: 1000 })) as {
          protected_items: Row[]
        }
        t.same(
          items.map(({ id, friendly_name }) => [id, friendly_name]),
          listed.value.map(({ id, properties }) => [id, properties.friendlyName]),
          `${file}: items ${filter}`,
        )
        for (const item of items) {
          t.match(item.protection_state, states, file)
          t.match(item, { vault_name: vault, workload_type: /^(VM|AzureFileShare)$/, resource_group: String }, file)
          if (item.last_backup_time !== null) t.match(item.last_backup_time, time, file)
          if (item.workload_type === 'VM') t.equal(item.vm_name, item.friendly_name, file)
          else t.match(item.storage_account, /^[a-z0-9]+$/, file)
        }
      }
      for (const [filter, workload_type] of protectable) {
        const listed = firstOf(recording, `${at}/backupProtectableItems`, filter)
        if (!listed) continue
        const { protectable_items: items } = (await good('list_protectable_items', { workload_type, limit: 1000 })) as {
          protectable_items: Row[]
        }
        t.match(
          items,
          listed.value.map(({ id, properties }) => ({
            id,
            friendly_name: properties.friendlyName,
            workload_type,
            item_type: properties.protectableItemType,
            backup_management_type: properties.backupManagementType,
            protection_state: properties.protectionState,
            resource_group: String,
            [workload_type === 'AzureFileShare' ? 'storage_account' : 'vm_name']: String,
            server_name: properties.serverName ?? null,
            instance_name: properties.parentName ?? null,
            source_id: properties.virtualMachineId ?? properties.parentContainerFabricId ?? null,
            is_protectable: properties.IsProtectable ?? null,
            is_auto_protectable: properties.isAutoProtectable ?? null,
            is_auto_protected: properties.isAutoProtected ?? null,
            item_count: properties.subprotectableitemcount ?? null,
            nodes: null,
            error: null,
          })),
          `${file}: protectable ${workload_type}`,
        )
        t.equal(items.length, listed.value.length, file)
        // Every workload is asked for then; the one list that is there answers all, and no row comes twice.
        const { protectable_items: all } = (await good('list_protectable_items', { limit: 1000 })) as {
          protectable_items: Row[]
        }
        t.equal(new Set(all.map(({ id }) => id)).size, all.length, file)
        for (const row of all) t.equal(row.workload_type, workload_type, file)
      }
      for (const type of ['AzureWorkload', 'AzureStorage']) {
        const places = `${at}/backupFabrics/Azure/protectableContainers`
        const listed = firstOf(recording, places, `backupManagementType eq '${type}'`)
        if (!listed) continue
        const { containers } = (await good('list_protectable_containers', {
          backup_management_type: type,
          limit: 1000,
        })) as { containers: Row[] }
        t.match(
          containers,
          listed.value.map(({ id, name, properties }) => ({
            id,
            friendly_name: properties.friendlyName,
            container_name: name,
            container_type: properties.protectableContainerType,
            backup_management_type: type,
            health: 'Healthy',
            source_id: properties.containerId,
            resource_group: String,
            [type === 'AzureStorage' ? 'storage_account' : 'vm_name']: properties.friendlyName,
          })),
          `${file}: protectable containers`,
        )
        t.equal(containers.length, listed.value.length, file)
      }
      const jobs = firstOf(recording, `${at}/backupJobs`)
      if (jobs) {
        const { jobs: rows } = (await good('list_backup_jobs', { since: '2015-01-01T00:00:00Z', limit: 1000 })) as {
          jobs: Row[]
        }
        t.ok(rows.length > 0, `${file}: jobs`)
      }
      const read = new Set<string>()
      for (const { request, response } of recording.exchanges) {
        const id = /\/backupJobs\/([0-9a-f-]{36})\?/i.exec(request.url)?.[1]
        if (request.method !== 'GET' || response.status !== 200 || id === undefined || read.has(id)) continue
        read.add(id)
        const { properties } = response.body as Raw
        const job = await good('get_job_details', { job_id: id })
        t.match(job, {
          job_id: id,
          operation: /^[A-Z]/,
          status: statuses,
          start_time: time,
          friendly_name: properties.entityFriendlyName,
        })
        if (job.status === 'Failed') t.match(job.error, { code: /^\d+$|^[A-Z]/, message: /./ }, file)
        if (job.status !== 'InProgress') t.match(job, { end_time: time, duration_seconds: Number }, file)
      }
      for (const { request, response } of recording.exchanges) {
        const item = /^(.*)\/recoveryPoints$/i.exec(decodeURIComponent(new URL(request.url).pathname))?.[1]
        if (request.method !== 'GET' || item === undefined) continue
        const { recovery_points: points } = await good('list_recovery_points', { item })
        t.same(
          (points as Row[]).map(row => [row.id, row.recovery_point_id]),
          (response.body as { value: Raw[] }).value.map(({ id, name }) => [id, name]),
          `${file}: points`,
        )
        for (const row of points as Row[])
          t.match(row, { time, consistency: /Consistent$/, tiers: [{ tier: 'InstantRP', status: 'Valid' }, {}] }, file)
      }
      const registered = firstOf(
        recording,
        `${at}/backupProtectionContainers`,
        "backupManagementType eq 'AzureWorkload' and status eq 'Registered'",
      )
      for (const { id, properties } of registered?.value ?? []) {
        // By its name from the list, by the VM's id from the container itself; which vault protects the VM was not recorded.
        for (const vm of [properties.friendlyName, properties.sourceResourceId])
          t.match(
            await good('check_registration_status', { vm }),
            {
              id,
              vm_name: properties.friendlyName,
              source_id: properties.sourceResourceId,
              server_name: /^(sqlvm|hxehost)$/,
              last_updated_time: time,
              workloads: [{ workload_type: 'SQL' }, { workload_type: 'SAPHana' }, { is_registered: false }],
              vm_protection: null,
              warnings: [/could not be asked/],
            },
            `${file}: ${vm}`,
          )
        const { workloads } = (await good('check_registration_status', {
          vm: id.toLowerCase(),
          workload_type: 'ANYDATABASE',
        })) as { workloads: Row[] }
        t.equal(workloads.filter(row => row.is_registered && Number(row.item_count) > 0).length, 1, file)
        // What was seen in them was not recorded.
        t.match(await calls.bad('list_workload_items', { server: id }), { code: 'unreachable', message: /\/items/ })
      }
      if (registered) t.match(await good('list_workload_items', { server: 'nowhere' }), { workload_items: [] })
      const followed = new Set<string>()
      for (const { request, response } of recording.exchanges) {
        const { origin, pathname } = new URL(request.url)
        if (request.method !== 'GET' || response.status !== 200 || !/\/backupOperations\/[^/]+$/i.test(pathname))
          continue
        if (followed.has(pathname)) continue
        followed.add(pathname)
        const tracked = await good('track_async_operation', { operation_url: origin + pathname })
        t.match(
          tracked,
          { vault_name: String, status: /^(in_progress|succeeded|succeeded_with_warnings|failed)$/, start_time: time },
          file,
        )
      }
      t.equal(await calls.server.end(), 0)
      // One of them holds a 504, which is asked again.
      t.match(calls.server.stderr, /^(\S+ warning asking Azure again .* reason="504" .*\n)?$/, file)
    }
    t.same([...answered.keys()].sort(), [
      'check_registration_status',
      'get_job_details',
      'get_vault',
      'list_backup_jobs',
      'list_policies',
      'list_protectable_containers',
      'list_protectable_items',
      'list_protected_items',
      'list_recovery_points',
      'list_vaults',
      'list_workload_items',
      'test_connection',
      'track_async_operation',
    ])
  },
)

t.test('what was recorded is replayed alike, and holds no secret', async t => {
  const secrets = [
    'test-token-0123456789',
    'c2VjcmV0LXNpZ25hdHVyZQ',
    'SIGNED-PART',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln',
  ]
  const [token, signature, signed, jwt] = secrets
  const job = '00000000-0000-0000-0001-000000000001'
  const sas = `https://account.blob.core.windows.net/c/script.py?sv=2024-01-01&sig=${signature}%3D`
  const azure = await fakeArm(t, ({ url }, response) => {
    const [place = ''] = url.replace(vaultPath, '').split('?')
    if (place === '') {
      const redundancySettings = { standardTierStorageRedundancy: 'GeoRedundant' }
      const securitySettings = { softDeleteSettings: { softDeleteState: 'Enabled' } }
      return json(response, 200, {
        id: vaultPath,
        name: 'vault-prod',
        location: 'eastus',
        tags: { link: sas, note: `Bearer ${jwt}` },
        properties: { redundancySettings, securitySettings },
      })
    }
    if (place === '/backupPolicies') {
      const page = url.includes('skipToken') ? 2 : 1
      const properties = { backupManagementType: 'AzureIaasVM' }
      const nextLink = `${azure.endpoint}${vaultPath}/backupPolicies?api-version=2025-08-01&$skipToken=2`
      const value = [{ id: `${vaultPath}/backupPolicies/p${page}`, name: `p${page}`, properties }]
      return json(response, 200, page === 1 ? { value, nextLink } : { value }, { 'set-cookie': `session=${signed}` })
    }
    if (place.startsWith('/backupJobs/'))
      return json(response, 200, {
        id: `${vaultPath}/backupJobs/${job}`,
        name: job,
        properties: { operation: 'Backup', status: 'Completed', extendedInfo: { propertyBag: { 'Script link': sas } } },
      })
    if (place.startsWith('/backupOperations/'))
      return json(response, 200, {
        id: 'o',
        name: 'o',
        status: 'Succeeded',
        properties: { objectType: 'x', jobId: job },
      })
    azureError(response, 404, 'ResourceNotFound', `Nothing at ${sas}`)
  })
  const operation_url = `${azure.endpoint}${vaultPath}/backupOperations/00000000-0000-0000-0002-000000000001?api-version=2025-08-01&t=1&c=${signed}&s=${signed}&h=${signed}`
  const folder = t.testdirName.concat('-recorded')
  const run = async (args: readonly string[]): Promise<unknown[]> => {
    const calls = await checked(t, { args: [...azure.args, ...args], env: azure.env })
    const told = [
      await calls.good('get_vault', { include_raw: true }),
      await calls.good('list_policies', { limit: 1000 }),
      await calls.good('get_job_details', { job_id: job, include_raw: true }),
      await calls.good('track_async_operation', { operation_url }),
      // Each request has an id of its own.
      { ...(await calls.bad('get_vault', { vault: 'rg-backup/vault-gone' })), details: undefined },
    ]
    t.equal(await calls.server.end(), 0)
    t.equal(calls.server.stderr, '')
    return told
  }
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const live = await run(['--record', folder])
  const [name = '', ...others] = readdirSync(folder)
  t.same(others, [])
  t.match(name, /^\d{4}-\d\d-\d\dT[\d-]+(\.\d+)?Z-\d+\.json$/)
  const file = path.join(folder, name)
  t.equal(statSync(file).mode & 0o777, 0o600)
  const text = readFileSync(file, 'utf8')
  for (const secret of secrets) t.notOk(text.includes(secret), `${secret} is not in the file`)
  for (const secret of secrets) t.notOk(JSON.stringify(live).includes(secret), `${secret} is in no result`)
  t.ok(azure.seen.some(({ headers }) => headers.authorization === `Bearer ${token}`))

  const schema = JSON.parse(readFileSync(path.join(root, 'schemas/fixture.json'), 'utf8'))
  const ajv = new Ajv2020({ allErrors: true, strict: false })
  addFormats.default(ajv)
  t.ok(ajv.validate(schema, JSON.parse(text)), JSON.stringify(ajv.errors))
  t.match(JSON.parse(text), { source: { kind: 'recorded', apiVersion: '2025-08-01' } })
  t.equal(JSON.parse(text).exchanges.length, azure.seen.length)
  t.ok(text.includes(subscription), 'ids and names stay')

  const asked = azure.seen.length
  const again = await run(['--replay', folder])
  t.equal(azure.seen.length, asked, 'nothing was asked again')
  t.same(again, live)
})
