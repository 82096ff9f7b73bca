/** Azure Resource Graph over the same state (section 13 of the wire facts). */
import { type Fields, fields, number, text, texts } from '../backup/fields.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { itemRow } from './item-rows.ts'
import { jobRow } from './job-rows.ts'
import { isMet, parseQuery, projected, type Query, type Row } from './kusto.ts'
import { Refusal } from './refusal.ts'
import { toNetwork, toStorageAccount, toVm } from './resources.ts'
import type { Item, Vault } from './state.ts'
import { toVault } from './vault-rows.ts'

/** Everything is as this version shows it. */
const apiVersion = '2026-07-01'
/** What one answer holds at most. */
const pageSize = 1000
const jobsKeptMs = 14 * 86_400_000

/** The columns that all rows have. */
const rowOf = (call: Call, type: string, resource: Fields, location: string): Row => {
  const id = text(resource.id) ?? ''
  const [, , subscriptionId = '', , resourceGroup = ''] = id.split('/')
  return {
    id,
    name: resource.name,
    type,
    tenantId: call.world.state.tenantId,
    kind: '',
    location,
    resourceGroup: resourceGroup.toLowerCase(),
    subscriptionId,
    sku: resource.sku ?? null,
    tags: resource.tags ?? null,
    identity: resource.identity ?? null,
    zones: resource.zones ?? null,
    properties: resource.properties,
  }
}

const protectionStates: Readonly<Record<Item['state'], string>> = {
  IRPending: 'ProtectionConfigured',
  Protected: 'ProtectionConfigured',
  ProtectionError: 'ProtectionError',
  ProtectionStopped: 'ProtectionStopped',
  ProtectionPaused: 'ProtectionStopped',
  BackupsSuspended: 'ProtectionStopped',
}

const itemOfGraph = (call: Call, vault: Vault, item: Item): Fields => {
  const row = itemRow(call, vault, item, false)
  const policy = item.policy === undefined ? undefined : vault.policies.get(item.policy)
  return {
    ...row,
    properties: {
      ...fields(row.properties),
      policyName: policy?.name ?? '',
      currentProtectionState: item.softDeleted ? 'SoftDeleted' : protectionStates[item.state],
      dataSourceInfo: { resourceID: item.sourceId, resourceLocation: vault.location },
    },
  }
}

const jobsOfGraph = (call: Call, vault: Vault): Fields[] =>
  [...vault.jobs.values()]
    .filter(({ startMs }) => startMs > call.nowMs - jobsKeptMs)
    .map(job => {
      const row = jobRow(call, vault, job, false)
      const item = job.item === undefined ? undefined : vault.items.get(job.item)
      return {
        ...row,
        properties: {
          ...row.properties,
          isUserTriggered: job.isUserTriggered,
          dataSourceId: item?.sourceId ?? '',
          dataSourceLocation: vault.location,
        },
      }
    })

const policiesOfGraph = ({ id, policies }: Vault): Fields[] =>
  [...policies.values()].map(({ name, properties }) => ({ id: `${id}/backupPolicies/${name}`, name, properties }))

type Source = readonly [table: string, type: string, rows: (call: Call) => Row[]]

/** Rows of everything that lies in vaults. */
const inVaults = (type: string, of: (call: Call, vault: Vault) => Fields[]): Source => [
  'recoveryservicesresources',
  type,
  call =>
    [...call.world.state.vaults.values()].flatMap(vault =>
      of(call, vault).map(resource => rowOf(call, type, resource, vault.location)),
    ),
]

/** Rows of resources of their own. */
const resources = <Thing extends { location: string }>(
  type: string,
  things: (call: Call) => Iterable<Thing>,
  toResource: (call: Call, thing: Thing) => Fields,
): Source => [
  'resources',
  type,
  call => [...things(call)].map(thing => rowOf(call, type, toResource(call, thing), thing.location)),
]

const vaults = 'microsoft.recoveryservices/vaults'

const sources: readonly Source[] = [
  resources(
    'microsoft.compute/virtualmachines',
    ({ world }) => [...world.state.vms.values()].filter(({ exists }) => exists),
    ({ world }, vm) => toVm(world, vm, false),
  ),
  resources(
    'microsoft.storage/storageaccounts',
    ({ world }) => world.state.storageAccounts.values(),
    (_, account) => toStorageAccount(account),
  ),
  resources(
    'microsoft.network/virtualnetworks',
    ({ world }) => world.state.networks.values(),
    (_, network) => toNetwork(network),
  ),
  resources(
    vaults,
    ({ world }) => world.state.vaults.values(),
    ({ world }, vault) => toVault(world, apiVersion, vault),
  ),
  inVaults(`${vaults}/backupfabrics/protectioncontainers/protecteditems`, (call, vault) =>
    [...vault.items.values()].map(item => itemOfGraph(call, vault, item)),
  ),
  inVaults(`${vaults}/backupjobs`, jobsOfGraph),
  inVaults(`${vaults}/backuppolicies`, (_, vault) => policiesOfGraph(vault)),
]

/** Rows are made only of types that the query lets through. */
const rowsOf = (call: Call, { table, conditions }: Query): Row[] => {
  const ofTable = sources.filter(([name]) => name === table)
  if (ofTable.length === 0)
    throw new Refusal(400, 'InvalidQuery', `Query is invalid. The table ${table} is not supported here.`)
  const onType = conditions.filter(({ path }) => path.toLowerCase() === 'type')
  const wanted = texts(call.body.subscriptions).map(id => id.toLowerCase())
  return ofTable
    .filter(([, type]) => onType.every(condition => isMet({ type }, condition)))
    .flatMap(([, , rows]) => rows(call))
    .filter(row => wanted.length === 0 || wanted.includes(String(row.subscriptionId).toLowerCase()))
    .filter(row => conditions.every(condition => isMet(row, condition)))
}

const optionsOf = ({ body }: Call) => {
  const { resultFormat = 'objectArray', $top, $skip, $skipToken } = fields(body.options)
  if (String(resultFormat).toLowerCase() !== 'objectarray')
    throw new Refusal(400, 'InvalidQuery', 'Query is invalid. Only the result format objectArray is supported here.')
  const from = number($skipToken ?? $skip ?? 0)
  const most = number($top ?? pageSize)
  if (from === null || most === null || from < 0 || most < 1)
    throw new Refusal(400, 'InvalidQuery', 'Query is invalid. $top or $skipToken is none.')
  return { from, most: Math.min(most, pageSize) }
}

const query = (asked: Call): Answer => {
  const call = { ...asked, apiVersion }
  const { from, most } = optionsOf(call)
  const parsed = parseQuery(text(call.body.query) ?? '')
  const rows = rowsOf(call, parsed).slice(0, parsed.limit)
  const data = rows.slice(from, from + most).map(row => projected(row, parsed))
  const next = from + data.length
  return ok({
    totalRecords: rows.length,
    count: data.length,
    data,
    facets: [],
    // Where it is true there is a token for the rest.
    resultTruncated: String(next < rows.length),
    ...(next < rows.length ? { $skipToken: String(next) } : {}),
  })
}

export const resourceGraphRoutes: readonly Route[] = [
  { method: 'POST', path: '/providers/Microsoft.ResourceGraph/resources', handle: query },
]
