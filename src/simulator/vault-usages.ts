/** What is in a vault, counted, and what could be linked to it privately. */
import { datasources } from '../backup/datasources.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { inVault, vaultOf } from './finding.ts'
import { filterTerms, isSame } from './odata.ts'
import { invalidInput, resourceNotFound } from './refusal.ts'
import { type Item, keyOf, type Vault } from './state.ts'
import { rowNamed } from './words.ts'

const dayMs = 86_400_000

const count = (value: string, localizedValue: string, currentValue: number, more: object = {}) => ({
  unit: 'Count',
  ...more,
  currentValue,
  limit: -1,
  name: { value, localizedValue },
})

const managementOf = ({ workload }: Item): string => datasources[workload].managementType

const storedBytes = ({ items }: Vault): number =>
  [...items.values()].flatMap(({ points }) => points).reduce((sum, { sizeGb }) => sum + Math.round(sizeGb * 2 ** 30), 0)

const stores = [
  ['GeoRedundant', 'GRSStorageUsage', 'Cloud - GRS'],
  ['LocallyRedundant', 'LRSStorageUsage', 'Cloud - LRS'],
  ['ZoneRedundant', 'ZRSStorageUsage', 'Cloud - ZRS'],
] as const

const usages = (call: Call): Answer => {
  const vault = vaultOf(call)
  const items = [...vault.items.values()]
  const ofVms = items.filter(({ workload }) => workload === 'VM')
  const failed = (of: Item[]) => of.filter(({ lastBackup }) => lastBackup?.status === 'Failed').length
  const warned = (of: Item[]) => of.filter(({ lastBackup }) => lastBackup?.status === 'CompletedWithWarnings').length
  const jobs = [...vault.jobs.values()].filter(({ startMs }) => startMs > call.nowMs - dayMs)
  const inStatus = (status: string) => jobs.filter(job => job.status === status).length
  const aDay = { quotaPeriod: 'P1D' }
  return ok({
    value: [
      count('MABContainersCount', 'Backup management servers', 0),
      count('ProtectedItemCount', 'Backup items/Azure virtual machine backup', items.length),
      count('ProtectedItemCriticalCount', 'Critical', failed(items)),
      count('ProtectedItemWarningCount', 'Warning', warned(items)),
      count('IaaSVMProtectedItemCount', 'Azure Virtual Machines', ofVms.length),
      count('IaaSVMProtectedItemCriticalCount', 'Critical', failed(ofVms)),
      count('IaaSVMProtectedItemWarningCount', 'Warning', warned(ofVms)),
      count('InProgressJobsCount', 'In progress', inStatus('InProgress'), aDay),
      count('FailedJobsCount', 'Failed', inStatus('Failed'), aDay),
      ...stores.map(([redundancy, value, localizedValue]) => ({
        ...count(value, localizedValue, vault.redundancy === redundancy ? storedBytes(vault) : 0),
        unit: 'Bytes',
      })),
      count('ManagedInstances', 'Protected Instances', items.length),
    ],
  })
}

const managements = [
  ['AzureIaasVM', 'Azure Virtual Machine'],
  ['MAB', 'Azure Backup Agent'],
  ['AzureBackupServer', 'Azure Backup Server'],
  ['AzureStorage', 'Azure Storage (Azure Files)'],
  ['AzureWorkload', 'SQL in Azure VM'],
] as const

/** What a summary counts: the management types of everything. */
const summaries: Readonly<Record<string, (vault: Vault) => string[]>> = {
  backupprotecteditemcountsummary: ({ items }) => [...items.values()].map(managementOf),
  backupprotectioncontainercountsummary: ({ items, containers }) => {
    const machines = new Set(
      [...items.values()].filter(({ workload }) => workload === 'VM').map(each => each.container),
    )
    const registered = [...containers.values()].map(({ kind }) => kind)
    return [
      ...[...machines].map(() => 'AzureIaasVM'),
      ...registered.map(kind => (kind === 'StorageContainer' ? 'AzureStorage' : 'AzureWorkload')),
    ]
  },
}

/** A filter is compulsory. */
const usageSummaries = (call: Call): Answer => {
  const vault = vaultOf(call)
  const counted = rowNamed(summaries, keyOf(filterTerms(call.query, ['type']).get('type') ?? ''))?.(vault)
  if (!counted) throw invalidInput()
  return ok({
    value: managements.map(([value, localizedValue]) =>
      count(value, localizedValue, counted.filter(each => each === value).length),
    ),
  })
}

/** Site Recovery has nothing in these vaults. */
const replicationUsages = (call: Call): Answer => {
  vaultOf(call)
  return ok({ value: [] })
}

const links = [
  [
    'backupResource',
    'AzureBackup',
    ['backup-ecs1', 'backup-fc1', 'backup-id1', 'backup-prot1', 'backup-rec2', 'backup-tel1'],
    'backup',
  ],
  [
    'siteRecoveryResource',
    'AzureSiteRecovery',
    ['siteRecovery-id1', 'siteRecovery-prot2', 'siteRecovery-rcm1', 'siteRecovery-srs1', 'siteRecovery-tel1'],
    'siterecovery',
  ],
] as const

const linkOf = ({ id, location }: Vault, [name, groupId, requiredMembers, zone]: (typeof links)[number]) => ({
  id: `${id}/privateLinkResources/${name}`,
  name,
  type: 'Microsoft.RecoveryServices/vaults/privateLinkResources',
  properties: {
    groupId,
    requiredMembers,
    requiredZoneNames: [
      `privatelink.${location}.${zone}.windowsazure.com`,
      'privatelink.queue.core.windows.net',
      'privatelink.blob.core.windows.net',
    ],
  },
})

const listLinks = (call: Call): Answer => {
  const vault = vaultOf(call)
  return ok({ value: links.map(link => linkOf(vault, link)) })
}

const getLink = (call: Call): Answer => {
  const vault = vaultOf(call)
  const link = links.find(([name]) => isSame(name, call.params.link))
  if (link) return ok(linkOf(vault, link))
  throw resourceNotFound(
    'Microsoft.RecoveryServices/vaults/privateLinkResources',
    call.params.link ?? '',
    vault.resourceGroup,
  )
}

/** No vault here has a private endpoint. */
const listEndpoints = (call: Call): Answer => {
  vaultOf(call)
  return ok({ value: [] })
}

export const vaultUsageRoutes: readonly Route[] = [
  { method: 'GET', path: `${inVault}/usages`, handle: usages },
  { method: 'GET', path: `${inVault}/replicationUsages`, handle: replicationUsages },
  { method: 'GET', path: `${inVault}/backupUsageSummaries`, handle: usageSummaries },
  { method: 'GET', path: `${inVault}/privateLinkResources`, handle: listLinks },
  { method: 'GET', path: `${inVault}/privateLinkResources/{link}`, handle: getLink },
  { method: 'GET', path: `${inVault}/privateEndpointConnections`, handle: listEndpoints },
]
