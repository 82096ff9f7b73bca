/**
 * What the tools promise of what Azure lists, as data: how a request for it is recognised, which call asks the same, and
 * where Azure gives each promised field (sections 1 to 8 of the wire). Written from the wire alone, so that it can judge
 * the code; used with rows that were recorded and with rows made from Azure's definitions.
 */
export type Raw = Record<string, unknown>
export type Row = Record<string, unknown>

const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value at a path of names joined by `.`, e.g. `properties.extendedInfo.recoveryPointCount`. */
export const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce((found, name) => (isObject(found) ? found[name] : undefined), value)

/** True for what is a value: Azure sends sentinels, empty texts and empty parts for "none". */
const isGiven = (value: unknown): boolean => {
  if (value === undefined || value === null || value === '') return false
  if (typeof value === 'string') return !/^(0001|2001)-01-01T00:00:00/.test(value)
  return typeof value !== 'object' || Object.values(value).some(isGiven)
}

/**
 * How the answer's value must be to Azure's: `same` (as text), `time` (the same moment), `count` (a list as long),
 * `some` (not null: the answer says it in other words).
 */
type How = 'same' | 'time' | 'count' | 'some'
/** `given`: paths in `properties` joined by `|`, the first that is given counts (`/name`: beside it); or a function. */
export type Field = [field: string, given: string | ((raw: Raw) => unknown), how?: How]

const givenOf = (raw: Raw, given: Field[1]): unknown => {
  if (typeof given === 'function') return given(raw)
  const paths = given.split('|').map(path => (path.startsWith('/') ? path.slice(1) : `properties.${path}`))
  return paths.map(path => at(raw, path)).find(isGiven)
}

const ms = (value: unknown): number =>
  Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(String(value)) ? String(value) : `${value}Z`)

const agrees: Record<How, (told: unknown, given: unknown) => boolean> = {
  same: (told, given) => String(told) === String(given),
  time: (told, given) => Math.abs(ms(told) - ms(given)) < 1000,
  count: (told, given) => Array.isArray(told) && Array.isArray(given) && told.length === given.length,
  some: told => isGiven(told),
}

/** The promised fields that a row lacks or has wrong, in words; none where all is well. */
export const faultsOf = (row: Row, raw: Raw, promised: readonly Field[]): string[] =>
  promised.flatMap(([field, from, how = 'same']) => {
    const [told, given] = [at(row, field), givenOf(raw, from)]
    if (!isGiven(given) || (told !== undefined && told !== null && agrees[how](told, given))) return []
    return [`${field} is ${JSON.stringify(told)}, Azure gave ${JSON.stringify(given)}`]
  })

const property = (raw: Raw, path: string): unknown => at(raw, `properties.${path}`)
/** The name after a segment of the first id among `values` that has it. */
const segment = (type: string, ...values: unknown[]): string | undefined =>
  values
    .map(value => new RegExp(`/${type}/([^/]+)`, 'i').exec(String(value ?? ''))?.[1])
    .find(found => found !== undefined)

const isFault = (detail: unknown): boolean => {
  const [code, title] = [at(detail, 'code') ?? at(detail, 'errorCode'), at(detail, 'title')]
  return (
    [code, title].some(isGiven) && !/^(0|Success|400239)$/i.test(String(code)) && !/HealthGreen/.test(String(title))
  )
}
const faultOf = (raw: Raw): unknown =>
  [
    property(raw, 'lastBackupErrorDetail'),
    ...[property(raw, 'kpisHealths.BackupOperationStatusKPI.resourceHealthDetails')].flat(),
    ...[property(raw, 'healthDetails')].flat(),
  ].find(isFault)

const managementIs = (raw: Raw, word: string): boolean =>
  String(property(raw, 'backupManagementType')).toLowerCase() === word.toLowerCase()
/** `from`, for rows of one management type only. */
const of =
  (managementType: string, from: string | ((raw: Raw) => unknown)) =>
  (raw: Raw): unknown =>
    managementIs(raw, managementType) ? givenOf(raw, from) : undefined
const softDeleted = (path: string) => (raw: Raw) =>
  property(raw, 'isScheduledForDeferredDelete') === true ? property(raw, path) : undefined

/** The type of an item that says what it is: a VM, a share, a database on a VM. */
const workloadItem = (raw: Raw): unknown =>
  /Compute\/|FileShare|AzureVmWorkload\w+Database/i.exec(String(property(raw, 'protectedItemType')))?.[0]

const machine = (raw: Raw): unknown =>
  segment('virtualMachines', property(raw, 'virtualMachineId'), property(raw, 'sourceResourceId')) ??
  property(raw, 'serverName')
const groupOf = (raw: Raw): unknown =>
  segment(
    'resourceGroups',
    property(raw, 'virtualMachineId'),
    property(raw, 'sourceResourceId'),
    property(raw, 'parentContainerFabricId'),
    property(raw, 'containerId'),
  )
const bag = (name: string) => (raw: Raw) => {
  const found = property(raw, 'extendedInfo.propertyBag')
  return isObject(found) ? found[name] : undefined
}

/** Rules of tiering that say something. */
const tieringOf = (raw: Raw): unknown =>
  Object.values((property(raw, 'tieringPolicy') ?? {}) as Raw).find(rule =>
    /^(TierRecommended|TierAfter|DoNotTier)$/i.test(String(at(rule, 'tieringMode'))),
  )
/** A vault that is being made says `Invalid` of what it does not know yet. */
const settled = (path: string) => (raw: Raw) => (property(raw, path) === 'Invalid' ? undefined : property(raw, path))

const vaultFields: Field[] = [
  ['id', '/id'],
  ['vault_name', '/name'],
  ['subscription_id', raw => segment('subscriptions', raw.id)],
  ['resource_group', raw => segment('resourceGroups', raw.id)],
  ['location', '/location'],
  ['redundancy', settled('redundancySettings.standardTierStorageRedundancy')],
  ['cross_region_restore', 'redundancySettings.crossRegionRestore', 'some'],
  ['soft_delete', settled('securitySettings.softDeleteSettings.softDeleteState')],
  ['soft_delete_days', 'securitySettings.softDeleteSettings.softDeleteRetentionPeriodInDays', 'some'],
  ['immutability', settled('securitySettings.immutabilitySettings.state')],
]
const policyFields: Field[] = [
  ['id', '/id'],
  ['policy_name', '/name'],
  ['workload_type', raw => property(raw, 'workLoadType') ?? property(raw, 'workloadType'), 'some'],
  ['workload_type', of('AzureIaasVM', 'backupManagementType'), 'some'],
  ['workload_type', of('AzureStorage', 'backupManagementType'), 'some'],
  ['policy_type', of('AzureIaasVM', 'backupManagementType'), 'some'],
  ['schedule', 'schedulePolicy|subProtectionPolicy', 'some'],
  ['retention', 'retentionPolicy|vaultRetentionPolicy|subProtectionPolicy', 'some'],
  ['protected_items_count', 'protectedItemsCount'],
]
const jobFields: Field[] = [
  ['id', '/id'],
  ['job_id', '/name'],
  ['operation', 'operation'],
  ['status', 'status'],
  ['friendly_name', 'entityFriendlyName'],
  ['item_id', of('AzureIaasVM', 'containerName'), 'some'],
  ['backup_management_type', 'backupManagementType'],
  ['workload_type', 'workloadType', 'some'],
  ['start_time', 'startTime', 'time'],
  ['end_time', 'endTime', 'time'],
  ['duration_seconds', 'duration', 'some'],
  ['is_user_triggered', 'isUserTriggered'],
  ['error', 'errorDetails', 'some'],
]

export interface Kind {
  /** The decoded path of a request; the groups are the vault or the item that it lies in. */
  path: RegExp
  tool: string
  /** Where the rows are in the answer; undefined: the answer is the one. */
  rows: string | undefined
  fields: readonly Field[]
}

const vault = '(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\\.RecoveryServices/vaults/[^/]+)'
const inVault = (rest: string): RegExp => new RegExp(`^${vault}/${rest}$`, 'i')

export const kinds = {
  vaults: {
    path: /^\/subscriptions\/[^/]+(?:\/resourceGroups\/[^/]+)?\/providers\/Microsoft\.RecoveryServices\/vaults\/?$/i,
    tool: 'list_vaults',
    rows: 'vaults',
    fields: vaultFields,
  },
  policies: {
    path: inVault('backupPolicies/?'),
    tool: 'list_policies',
    rows: 'policies',
    fields: [...policyFields, ['backup_management_type', 'backupManagementType']],
  },
  protectableContainers: {
    path: inVault('backupFabrics/[^/]+/protectableContainers/?'),
    tool: 'list_protectable_containers',
    rows: 'containers',
    fields: [
      ['id', '/id'],
      ['friendly_name', 'friendlyName'],
      ['container_type', 'protectableContainerType'],
      ['backup_management_type', 'backupManagementType'],
      ['health', 'healthStatus'],
      ['source_id', 'containerId'],
      ['resource_group', groupOf],
      ['vm_name', raw => segment('virtualMachines', property(raw, 'containerId'))],
      ['storage_account', raw => segment('storageAccounts', property(raw, 'containerId'))],
    ],
  },
  protectableItems: {
    path: inVault('backupProtectableItems/?'),
    tool: 'list_protectable_items',
    rows: 'protectable_items',
    fields: [
      ['id', '/id'],
      ['friendly_name', 'friendlyName'],
      ['workload_type', 'workloadType|backupManagementType', 'some'],
      ['item_type', 'protectableItemType', 'some'],
      ['backup_management_type', 'backupManagementType'],
      ['protection_state', 'protectionState'],
      ['resource_group', groupOf],
      ['vm_name', of('AzureIaasVM', machine)],
      ['vm_name', of('AzureWorkload', raw => /VMAppContainer;[^;]+;[^;]+;([^;/]+)/i.exec(String(raw.id))?.[1])],
      ['server_name', 'serverName'],
      ['instance_name', of('AzureWorkload', 'parentName')],
      [
        'database_name',
        of('AzureWorkload', raw =>
          /Database$/i.test(String(property(raw, 'protectableItemType'))) ? property(raw, 'friendlyName') : undefined,
        ),
      ],
      ['storage_account', of('AzureStorage', 'parentContainerFriendlyName')],
      ['source_id', 'virtualMachineId|parentContainerFabricId'],
      ['is_protectable', 'IsProtectable|isProtectable'],
      ['is_auto_protectable', 'isAutoProtectable'],
      ['is_auto_protected', 'isAutoProtected'],
      ['item_count', 'subinquireditemcount|subprotectableitemcount', 'some'],
      [
        'error',
        raw => {
          const found = property(raw, 'prebackupvalidation')
          return isFault(found) && !/^Success$/i.test(String(at(found, 'status'))) ? found : undefined
        },
        'some',
      ],
    ],
  },
  protectedItems: {
    path: inVault('backupProtectedItems/?'),
    tool: 'list_protected_items',
    rows: 'protected_items',
    fields: [
      ['id', '/id'],
      ['friendly_name', 'friendlyName'],
      ['workload_type', 'workloadType', 'some'],
      ['workload_type', workloadItem, 'some'],
      ['backup_management_type', 'backupManagementType'],
      ['resource_group', groupOf],
      ['vm_name', of('AzureIaasVM', machine)],
      ['vm_name', of('AzureWorkload', machine), 'some'],
      ['instance_name', of('AzureWorkload', 'parentName')],
      [
        'database_name',
        // What is protected as a HANA instance has databases, and is none.
        of('AzureWorkload', raw =>
          property(raw, 'protectedItemType') === 'AzureVmWorkloadSAPHanaDBInstance'
            ? undefined
            : property(raw, 'friendlyName'),
        ),
      ],
      ['storage_account', of('AzureStorage', raw => segment('storageAccounts', property(raw, 'sourceResourceId')))],
      ['source_id', 'virtualMachineId|sourceResourceId'],
      ['protection_state', 'protectionState'],
      ['health', 'protectedItemHealthStatus|healthStatus|protectionStatus'],
      ['last_backup_status', 'lastBackupStatus'],
      ['last_backup_time', 'lastBackupTime', 'time'],
      ['latest_recovery_point_time', 'lastRecoveryPoint', 'time'],
      ['policy_name', raw => property(raw, 'policyName') || segment('backupPolicies', property(raw, 'policyId'))],
      ['is_soft_deleted', 'isScheduledForDeferredDelete'],
      ['soft_delete_time', softDeleted('deferredDeleteTimeInUTC'), 'time'],
      ['soft_delete_remaining_seconds', softDeleted('deferredDeleteTimeRemaining'), 'some'],
      ['error', faultOf, 'some'],
    ],
  },
  jobs: { path: inVault('backupJobs/?'), tool: 'list_backup_jobs', rows: 'jobs', fields: jobFields },
  recoveryPoints: {
    path: new RegExp(
      `^(${vault.slice(1, -1)}/backupFabrics/[^/]+/protectionContainers/[^/]+/protectedItems/[^/]+)/recoveryPoints/?$`,
      'i',
    ),
    tool: 'list_recovery_points',
    rows: 'recovery_points',
    fields: [
      ['id', '/id'],
      ['recovery_point_id', '/name'],
      ['item_id', '/id', 'some'],
      ['time', 'recoveryPointTime|recoveryPointTimeInUTC', 'time'],
      ['consistency', raw => property(raw, 'recoveryPointType')],
      ['backup_type', 'type'],
      ['tiers', 'recoveryPointTierDetails', 'count'],
      ['zone', raw => [property(raw, 'zones')].flat()[0]],
      ['expiry_time', 'recoveryPointProperties.expiryTime', 'time'],
      ['time_ranges', 'timeRanges', 'count'],
      ['disks', 'recoveryPointDiskConfiguration', 'some'],
    ],
  },
  workloadItems: {
    path: inVault('backupFabrics/[^/]+/protectionContainers/[^/]+/items/?'),
    tool: 'list_workload_items',
    rows: 'workload_items',
    fields: [
      ['id', '/id'],
      ['friendly_name', 'friendlyName'],
      ['workload_type', 'workloadType', 'some'],
      ['item_type', 'workloadItemType', 'some'],
      ['protection_state', 'protectionState'],
      ['server_name', 'serverName'],
      ['instance_name', 'parentName'],
      [
        'database_name',
        raw =>
          /Database$/i.test(String(property(raw, 'workloadItemType'))) ? property(raw, 'friendlyName') : undefined,
      ],
      ['is_auto_protectable', 'isAutoProtectable'],
      ['item_count', 'subWorkloadItemCount|subinquireditemcount', 'some'],
      ['data_directories', 'dataDirectoryPaths', 'count'],
    ],
  },
  container: {
    path: inVault('backupFabrics/[^/]+/protectionContainers/(VMAppContainer;Compute;[^;/]+;[^;/]+)'),
    tool: 'check_registration_status',
    rows: undefined,
    fields: [
      ['id', '/id'],
      ['friendly_name', 'friendlyName'],
      ['source_id', 'sourceResourceId'],
      ['vm_name', raw => segment('virtualMachines', property(raw, 'sourceResourceId'))],
      ['resource_group', groupOf],
      ['server_name', 'extendedInfo.hostServerName'],
      ['last_updated_time', 'lastUpdatedTime', 'time'],
      ['workloads', 'extendedInfo.inquiryInfo.inquiryDetails', 'some'],
    ],
  },
  policy: {
    path: inVault('backupPolicies/([^/]+)'),
    tool: 'get_policy_details',
    rows: undefined,
    fields: [
      ...policyFields,
      ['summary', '/name', 'some'],
      ['time_zone', 'timeZone|settings.timeZone'],
      ['instant_restore_days', 'instantRpRetentionRangeInDays'],
      ['tiering', tieringOf, 'some'],
      ['parts', 'subProtectionPolicy', 'count'],
    ],
  },
  job: {
    path: inVault('backupJobs/([^/]+)'),
    tool: 'get_job_details',
    rows: undefined,
    fields: [
      ...jobFields,
      ['percent_complete', 'extendedInfo.progressPercentage', 'some'],
      ['tasks', 'extendedInfo.tasksList', 'count'],
      ['errors', 'errorDetails', 'some'],
      ['backup_size_bytes', bag('Backup Size'), 'some'],
      ['transferred_bytes', bag('Data Transferred (in MB)'), 'some'],
      ['properties', 'extendedInfo.propertyBag', 'some'],
    ],
  },
} as const satisfies Record<string, Kind>

/** `yyyy-MM-dd hh:mm:ss tt` of a filter as a time with an offset. */
const filterTime = (text: string): string => {
  const [, day, hour, rest, half] = /^(\S+) (\d\d)(:\d\d:\d\d) ([AP]M)$/i.exec(text) ?? []
  if (day === undefined) return text
  return `${day}T${String((Number(hour) % 12) + (/p/i.test(half ?? '') ? 12 : 0)).padStart(2, '0')}${rest}Z`
}

/** The terms of an OData filter; `name eq 'value'` joined by `and`. */
export const termsOf = (filter: string | null): Map<string, string> =>
  new Map([...(filter ?? '').matchAll(/(\w+) eq '((?:[^']|'')*)'/g)].map(([, name = '', value = '']) => [name, value]))

/** Terms of Azure's filters as the tools' arguments, with Azure's own words as values. */
const argumentsByTerm: Record<string, [name: string, value?: (text: string) => string]> = {
  backupManagementType: ['backup_management_type'],
  itemType: ['workload_type'],
  workloadType: ['workload_type'],
  policyName: ['policy_name'],
  status: ['status'],
  operation: ['operation'],
  startTime: ['since', filterTime],
  endTime: ['until', filterTime],
  startDate: ['since', filterTime],
  endDate: ['until', filterTime],
}

/** The terms as arguments of a tool that takes `taken`; what it does not take is left out. */
export const argumentsOf = (terms: ReadonlyMap<string, string>, taken: ReadonlySet<string>): Row => {
  const given = [...terms].flatMap(([term, text]): [string, string][] => {
    const [name, value = (same: string) => same] = argumentsByTerm[term] ?? []
    return name !== undefined && taken.has(name) ? [[name, value(text)]] : []
  })
  return Object.fromEntries(given)
}
