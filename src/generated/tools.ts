// Made from schemas/ by scripts/generate.mjs. Not edited by hand.
export interface ListVaultsInput {
  /**
   * Id or display name
   */
  subscription?: string
  resource_group?: string
  name_contains?: string
  limit?: number
  /**
   * next_cursor of the page before, same arguments
   */
  cursor?: string
}

export interface ListVaultsOutput {
  vaults: {
    id: string
    vault_name: string
    subscription_id: string
    resource_group: string
    location: string
    redundancy: string | null
    cross_region_restore: boolean | null
    soft_delete: string | null
    soft_delete_days: number | null
    immutability: string | null
    configured_as: string | null
    is_default: boolean
  }[]
  count: number
  next_cursor?: string
  warnings?: string[]
}

export interface GetVaultInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * Item counts by type, storage used
   */
  include_usage?: boolean
  include_raw?: boolean
}

export interface GetVaultOutput {
  id: string
  vault_name: string
  subscription_id: string
  resource_group: string
  location: string
  provisioning_state: string | null
  security: {
    soft_delete: string | null
    soft_delete_days: number | null
    immutability: string | null
    immutability_type: string | null
    immutability_days: number | null
    multi_user_authorization: string | null
    encryption: string | null
    encryption_key: string | null
    public_network_access: string | null
    private_endpoints_for_backup: string | null
    secure_score: string | null
  }
  redundancy: string | null
  cross_region_restore: boolean | null
  cross_subscription_restore: string | null
  identity: string | null
  tags: {
    [k: string]: string | undefined
  }
  usage?: {
    items: {
      type: string
      count: number
    }[]
    counters: {
      name: string
      value: number
      limit: number | null
      unit: string | null
    }[]
  }
  warnings?: string[]
  raw?: {
    [k: string]: unknown | undefined
  }
}

export interface TestConnectionInput {
  /**
   * Default: the configured vault
   */
  vault?: string
}

export interface TestConnectionOutput {
  checks: {
    name: 'configuration' | 'sign_in' | 'azure' | 'vault' | 'permissions'
    status: 'ok' | 'failed' | 'skipped'
    message: string
  }[]
  permissions?: {
    read: boolean
    protect: boolean
    back_up: boolean
    restore: boolean
    delete: boolean
  }
  vault_id?: string
}

export interface RegisterVmInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * vm, group/vm, or ARM id
   */
  vm: string
  workload_type: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AnyDatabase'
  wait_seconds?: number
  dry_run?: boolean
  confirm?: string
}

export interface RegisterVmOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
  container_id?: string | null
}

export interface ReregisterVmInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  vm: string
  workload_type: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AnyDatabase'
  wait_seconds?: number
  dry_run?: boolean
  confirm?: string
}

export interface ReregisterVmOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
  container_id?: string | null
}

export interface UnregisterVmInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  vm: string
  workload_type: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AnyDatabase'
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface UnregisterVmOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
  container_id?: string | null
}

export interface CheckRegistrationStatusInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * vm, group/vm, or ARM id
   */
  vm: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AnyDatabase'
}

export type CheckRegistrationStatusOutputError = {
  code: string | null
  title?: string | null
  message: string
  recommendations?: string[]
  remediation?: string | null
} | null

export interface CheckRegistrationStatusOutput {
  vm_name: string | null
  resource_group: string | null
  vault_name: string
  source_id: string | null
  id: string | null
  friendly_name: string | null
  server_name: string | null
  last_updated_time: string | null
  workloads: {
    workload_type: string
    is_registered: boolean
    registration_status: string | null
    health: string | null
    item_count: number | null
    error: CheckRegistrationStatusOutputError
  }[]
  vm_protection: {
    is_protected: boolean
    protection_status: string | null
    vault_id: string | null
    vault_name: string | null
    policy_name: string | null
    item_id: string | null
    error: CheckRegistrationStatusOutputError
  } | null
  warnings?: string[]
}

export interface RefreshContainersInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  backup_management_type?: 'AzureIaasVM' | 'AzureWorkload' | 'AzureStorage'
  wait_seconds?: number
  dry_run?: boolean
  confirm?: string
}

export interface RefreshContainersOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
}

export interface ListProtectableContainersInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  backup_management_type?: 'AzureWorkload' | 'AzureStorage'
  limit?: number
  /**
   * next_cursor of the page before, same arguments
   */
  cursor?: string
}

export interface ListProtectableContainersOutput {
  containers: {
    id: string
    friendly_name: string
    vault_name: string
    container_name: string
    container_type: string | null
    backup_management_type: string
    health: string | null
    source_id: string | null
    resource_group: string | null
    vm_name: string | null
    storage_account: string | null
  }[]
  count: number
  next_cursor?: string
  warnings?: string[]
}

export interface ListProtectableItemsInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  backup_management_type?: 'AzureIaasVM' | 'AzureWorkload' | 'AzureStorage'
  /**
   * VM, server or storage account that holds the item
   */
  server?: string
  name_contains?: string
  limit?: number
  /**
   * next_cursor of the page before, same arguments
   */
  cursor?: string
}

export type ListProtectableItemsOutputError = {
  code: string | null
  title?: string | null
  message: string
  recommendations?: string[]
  remediation?: string | null
} | null

export interface ListProtectableItemsOutput {
  protectable_items: {
    id: string
    friendly_name: string
    vault_name: string
    workload_type: string | null
    item_type: string | null
    backup_management_type: string | null
    protection_state: string | null
    resource_group: string | null
    vm_name: string | null
    server_name: string | null
    instance_name: string | null
    database_name: string | null
    storage_account: string | null
    source_id: string | null
    is_protectable: boolean | null
    is_auto_protectable: boolean | null
    is_auto_protected: boolean | null
    item_count: number | null
    nodes:
      | {
          node_name: string | null
          status: string | null
          source_id: string | null
          error: ListProtectableItemsOutputError
        }[]
      | null
    error: ListProtectableItemsOutputError
  }[]
  count: number
  next_cursor?: string
  warnings?: string[]
}

export interface ListWorkloadItemsInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  workload_type?: 'SQL' | 'SAPHana' | 'SAPAse'
  /**
   * VM or server name, group/vm, or ARM id
   */
  server?: string
  limit?: number
  /**
   * next_cursor of the page before, same arguments
   */
  cursor?: string
}

export interface ListWorkloadItemsOutput {
  workload_items: {
    id: string
    friendly_name: string
    vault_name: string
    workload_type: string | null
    item_type: string
    vm_name: string | null
    server_name: string | null
    resource_group: string | null
    instance_name: string | null
    database_name: string | null
    protection_state: string | null
    is_auto_protectable: boolean | null
    item_count: number | null
    data_directories: {
      type: string | null
      path: string
    }[]
    nodes?: string[]
  }[]
  count: number
  next_cursor?: string
  warnings?: string[]
}

export type CreatePolicyInputDay = 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday'
export type CreatePolicyInputCount = number
/**
 * 1-28, last
 */
export type CreatePolicyInputDates = (number | string)[]
export type CreatePolicyInputWeek = 'First' | 'Second' | 'Third' | 'Fourth' | 'Last'

export interface CreatePolicyInput {
  preset?:
    | 'vm-daily'
    | 'vm-daily-weekly-monthly-yearly'
    | 'vm-every-4-hours'
    | 'sql-full-log'
    | 'hana-full-differential-log'
    | 'ase-full-log'
    | 'share-daily'
  policy_type?: 'standard' | 'enhanced'
  schedule?: CreatePolicyInputSchedule
  retention?: CreatePolicyInputRetention
  instant_restore_days?: number
  archive_after_days?: CreatePolicyInputCount
  full?: CreatePolicyInputPart
  differential?: CreatePolicyInputPart
  incremental?: CreatePolicyInputPart
  log?: CreatePolicyInputPart
  compression?: boolean
  /**
   * Raw
   */
  policy?: {}
  /**
   * Default: the configured vault
   */
  vault?: string
  policy_name: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}
export interface CreatePolicyInputSchedule {
  frequency?: 'hourly' | 'daily' | 'weekly'
  /**
   * One: 02:00 or 02:30
   */
  times?: string[]
  days?: CreatePolicyInputDay[]
  interval_hours?: 4 | 6 | 8 | 12
  window_start?: string
  window_hours?: number
  /**
   * IANA or Windows
   */
  time_zone?: string
}
export interface CreatePolicyInputRetention {
  daily?: {
    days?: CreatePolicyInputCount
  }
  weekly?: {
    weeks?: CreatePolicyInputCount
    days?: CreatePolicyInputDay[]
  }
  monthly?: {
    months?: CreatePolicyInputCount
    days?: CreatePolicyInputDates
    week?: CreatePolicyInputWeek
    weekday?: CreatePolicyInputDay
  }
  yearly?: {
    years?: CreatePolicyInputCount
    months?: (
      | 'January'
      | 'February'
      | 'March'
      | 'April'
      | 'May'
      | 'June'
      | 'July'
      | 'August'
      | 'September'
      | 'October'
      | 'November'
      | 'December'
    )[]
    days?: CreatePolicyInputDates
    week?: CreatePolicyInputWeek
    weekday?: CreatePolicyInputDay
  }
}
export interface CreatePolicyInputPart {
  schedule?: CreatePolicyInputSchedule
  retention?: CreatePolicyInputRetention
  retention_days?: CreatePolicyInputCount
  frequency_minutes?: 15 | 30 | 60 | 120 | 240 | 480 | 720 | 1440
}

export interface CreatePolicyOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
  id: string
  policy_name: string
  summary: string
}

export interface ListPoliciesInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  backup_management_type?:
    'AzureIaasVM' | 'AzureWorkload' | 'AzureStorage' | 'MAB' | 'DPM' | 'AzureBackupServer' | 'AzureSql'
  limit?: number
  /**
   * next_cursor of the page before, same arguments
   */
  cursor?: string
}

export interface ListPoliciesOutput {
  policies: {
    id: string
    policy_name: string
    vault_name: string
    workload_type: string | null
    backup_management_type: string | null
    policy_type: string | null
    schedule: string
    retention: string
    protected_items_count: number | null
  }[]
  count: number
  next_cursor?: string
  warnings?: string[]
}

export interface GetPolicyDetailsInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * Name or ARM id
   */
  policy_name: string
  include_raw?: boolean
}

export interface GetPolicyDetailsOutput {
  id: string
  policy_name: string
  vault_name: string
  workload_type: string | null
  backup_management_type: string | null
  policy_type: string | null
  summary: string
  schedule: string
  retention: string
  tiering: string | null
  time_zone: string | null
  instant_restore_days: number | null
  snapshot_resource_group_prefix: string | null
  snapshot_resource_group_suffix: string | null
  snapshot_consistency: string | null
  compression: boolean | null
  parts: {
    backup_type: string | null
    schedule: string
    retention: string
    tiering: string | null
  }[]
  protected_items_count: number | null
  protected_items:
    | {
        id: string
        friendly_name: string
        vm_name: string | null
        storage_account: string | null
        protection_state: string | null
        last_backup_status: string | null
        last_backup_time: string | null
      }[]
    | null
  warnings?: string[]
  raw?: {
    [k: string]: unknown | undefined
  }
}

export type UpdatePolicyInputDay = 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday'
export type UpdatePolicyInputCount = number
/**
 * 1-28, last
 */
export type UpdatePolicyInputDates = (number | string)[]
export type UpdatePolicyInputWeek = 'First' | 'Second' | 'Third' | 'Fourth' | 'Last'

export interface UpdatePolicyInput {
  preset?:
    | 'vm-daily'
    | 'vm-daily-weekly-monthly-yearly'
    | 'vm-every-4-hours'
    | 'sql-full-log'
    | 'hana-full-differential-log'
    | 'ase-full-log'
    | 'share-daily'
  policy_type?: 'standard' | 'enhanced'
  schedule?: UpdatePolicyInputSchedule
  retention?: UpdatePolicyInputRetention
  instant_restore_days?: number
  archive_after_days?: UpdatePolicyInputCount
  full?: UpdatePolicyInputPart
  differential?: UpdatePolicyInputPart
  incremental?: UpdatePolicyInputPart
  log?: UpdatePolicyInputPart
  compression?: boolean
  /**
   * Raw
   */
  policy?: {}
  /**
   * Default: the configured vault
   */
  vault?: string
  policy_name: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}
export interface UpdatePolicyInputSchedule {
  frequency?: 'hourly' | 'daily' | 'weekly'
  /**
   * One: 02:00 or 02:30
   */
  times?: string[]
  days?: UpdatePolicyInputDay[]
  interval_hours?: 4 | 6 | 8 | 12
  window_start?: string
  window_hours?: number
  /**
   * IANA or Windows
   */
  time_zone?: string
}
export interface UpdatePolicyInputRetention {
  daily?: {
    days?: UpdatePolicyInputCount
  }
  weekly?: {
    weeks?: UpdatePolicyInputCount
    days?: UpdatePolicyInputDay[]
  }
  monthly?: {
    months?: UpdatePolicyInputCount
    days?: UpdatePolicyInputDates
    week?: UpdatePolicyInputWeek
    weekday?: UpdatePolicyInputDay
  }
  yearly?: {
    years?: UpdatePolicyInputCount
    months?: (
      | 'January'
      | 'February'
      | 'March'
      | 'April'
      | 'May'
      | 'June'
      | 'July'
      | 'August'
      | 'September'
      | 'October'
      | 'November'
      | 'December'
    )[]
    days?: UpdatePolicyInputDates
    week?: UpdatePolicyInputWeek
    weekday?: UpdatePolicyInputDay
  }
}
export interface UpdatePolicyInputPart {
  schedule?: UpdatePolicyInputSchedule
  retention?: UpdatePolicyInputRetention
  retention_days?: UpdatePolicyInputCount
  frequency_minutes?: 15 | 30 | 60 | 120 | 240 | 480 | 720 | 1440
}

export interface UpdatePolicyOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
  id: string
  policy_name: string
  summary: string
  previous_summary: string
  protected_items_count: number
  job_ids?: string[]
}

export interface DeletePolicyInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  policy_name: string
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface DeletePolicyOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
}

/**
 * Data disks to leave out
 */
export type EnableProtectionInputDiskLuns = number[]
/**
 * []: OS disk only
 */
export type EnableProtectionInputDiskLuns1 = number[]

export interface EnableProtectionInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * ARM id, or names outer to inner: rg-app/web-01, sql-01/orders, contosofiles/finance
   */
  item: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  policy_name: string
  exclude_disk_luns?: EnableProtectionInputDiskLuns
  include_disk_luns?: EnableProtectionInputDiskLuns1
  /**
   * SQL instances
   */
  auto_protect?: boolean
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface EnableProtectionOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
}

export interface DisableProtectionInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * ARM id, or names outer to inner: rg-app/web-01, sql-01/orders, contosofiles/finance
   */
  item: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  delete_backup_data?: boolean
  /**
   * as_per_policy: immutable vaults
   */
  retain?: 'forever' | 'as_per_policy'
  auto_protect?: boolean
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface DisableProtectionOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
}

export interface ResumeProtectionInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * ARM id, or names outer to inner: rg-app/web-01, sql-01/orders, contosofiles/finance
   */
  item: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  /**
   * Needed unless suspended
   */
  policy_name?: string
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface ResumeProtectionOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
}

export interface UndeleteProtectedItemInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * ARM id, or names outer to inner: rg-app/web-01, sql-01/orders, contosofiles/finance
   */
  item: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface UndeleteProtectedItemOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
}

export interface ListProtectedItemsInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  backup_management_type?:
    'AzureIaasVM' | 'AzureWorkload' | 'AzureStorage' | 'MAB' | 'DPM' | 'AzureBackupServer' | 'AzureSql'
  /**
   * VM, server or storage account that holds the item
   */
  server?: string
  policy_name?: string
  protection_state?:
    | 'Invalid'
    | 'IRPending'
    | 'Protected'
    | 'ProtectionError'
    | 'ProtectionStopped'
    | 'ProtectionPaused'
    | 'BackupsSuspended'
    | 'SoftDeleted'
  unhealthy_only?: boolean
  /**
   * Newest recovery point older than this, or none
   */
  older_than_hours?: number
  name_contains?: string
  limit?: number
  /**
   * next_cursor of the page before, same arguments
   */
  cursor?: string
}

export interface ListProtectedItemsOutput {
  protected_items: {
    id: string
    friendly_name: string
    vault_name: string
    workload_type: string | null
    backup_management_type: string | null
    resource_group: string | null
    vm_name: string | null
    instance_name: string | null
    database_name: string | null
    storage_account: string | null
    source_id: string | null
    protection_state: string | null
    health: string | null
    is_healthy: boolean
    health_reason: string | null
    last_backup_status: string | null
    last_backup_time: string | null
    latest_recovery_point_time: string | null
    policy_name: string | null
    is_soft_deleted: boolean
    soft_delete_time: string | null
    soft_delete_remaining_seconds: number | null
    error: {
      code: string | null
      title?: string | null
      message: string
      recommendations?: string[]
      remediation?: string | null
    } | null
  }[]
  count: number
  next_cursor?: string
  warnings?: string[]
}

export interface TriggerBackupInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * ARM id, or names outer to inner: rg-app/web-01, sql-01/orders, contosofiles/finance
   */
  item: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  /**
   * Databases only; default Full
   */
  backup_type?: 'Full' | 'Differential' | 'Incremental' | 'Log' | 'CopyOnlyFull' | 'Snapshot'
  /**
   * Default 30
   */
  retention_days?: number
  expiry_time?: string
  enable_compression?: boolean
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface TriggerBackupOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
}

export interface ListBackupJobsInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * ARM id, or names outer to inner: rg-app/web-01, sql-01/orders, contosofiles/finance
   */
  item?: string
  status?: 'InProgress' | 'Completed' | 'Failed' | 'CompletedWithWarnings' | 'Cancelled' | 'Cancelling'
  operation?:
    | 'Register'
    | 'UnRegister'
    | 'ConfigureBackup'
    | 'Backup'
    | 'Restore'
    | 'DisableBackup'
    | 'DeleteBackupData'
    | 'CrossRegionRestore'
    | 'Undelete'
    | 'UpdateCustomerManagedKey'
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  since?: string
  until?: string
  /**
   * Jobs in the paired region
   */
  secondary_region?: boolean
  limit?: number
  /**
   * next_cursor of the page before, same arguments
   */
  cursor?: string
}

export interface ListBackupJobsOutput {
  jobs: {
    id: string
    job_id: string
    vault_name: string
    operation: string | null
    status: string | null
    friendly_name: string | null
    item_id: string | null
    server_name: string | null
    storage_account: string | null
    backup_management_type: string | null
    workload_type: string | null
    start_time: string | null
    end_time: string | null
    duration_seconds: number | null
    is_user_triggered: boolean | null
    error: {
      code: string | null
      title?: string | null
      message: string
      recommendations?: string[]
      remediation?: string | null
    } | null
  }[]
  count: number
  next_cursor?: string
  warnings?: string[]
}

export interface GetJobDetailsInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * Id or ARM id of the job
   */
  job_id: string
  secondary_region?: boolean
  /**
   * Wait for its end
   */
  wait_seconds?: number
  include_raw?: boolean
}

export type GetJobDetailsOutputError = {
  code: string | null
  title?: string | null
  message: string
  recommendations?: string[]
  remediation?: string | null
} | null

export interface GetJobDetailsOutput {
  id: string
  job_id: string
  vault_name: string
  operation: string | null
  status: string | null
  friendly_name: string | null
  item_id: string | null
  server_name: string | null
  storage_account: string | null
  backup_management_type: string | null
  workload_type: string | null
  start_time: string | null
  end_time: string | null
  duration_seconds: number | null
  is_user_triggered: boolean | null
  error: GetJobDetailsOutputError
  percent_complete: number | null
  is_cancellable: boolean
  estimated_remaining_seconds: number | null
  tasks: {
    task: string
    instance_id: string | null
    status: string | null
    start_time: string | null
    end_time: string | null
    duration_seconds: number | null
    percent_complete: number | null
    detail: string | null
  }[]
  errors: GetJobDetailsOutputError[]
  backup_size_bytes: number | null
  transferred_bytes: number | null
  properties: {
    [k: string]: string | undefined
  }
  raw?: {
    [k: string]: unknown | undefined
  }
}

export interface CancelJobInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  job_id: string
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface CancelJobOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
}

export interface ListRecoveryPointsInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * ARM id, or names outer to inner: rg-app/web-01, sql-01/orders, contosofiles/finance
   */
  item: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  since?: string
  until?: string
  consistency?: 'AppConsistent' | 'FileSystemConsistent' | 'CrashConsistent'
  /**
   * Snapshot, vault, archive
   */
  tier?: 'InstantRP' | 'HardenedRP' | 'ArchivedRP'
  /**
   * Points in the paired region
   */
  secondary_region?: boolean
  limit?: number
  /**
   * next_cursor of the page before, same arguments
   */
  cursor?: string
}

export interface ListRecoveryPointsOutput {
  recovery_points: {
    id: string
    recovery_point_id: string
    vault_name: string
    item_id: string
    time: string | null
    consistency: string | null
    backup_type: string | null
    tiers:
      | {
          tier: string | null
          status: string | null
        }[]
      | null
    zone: string | null
    expiry_time: string | null
    rule_name: string | null
    is_immutable: boolean | null
    is_soft_deleted: boolean | null
    time_ranges:
      | {
          start_time: string | null
          end_time: string | null
        }[]
      | null
    disks: {
      backed_up: number | null
      attached: number | null
      included:
        | {
            lun: number | null
            name: string | null
          }[]
        | null
      excluded:
        | {
            lun: number | null
            name: string | null
          }[]
        | null
    } | null
    size_bytes: number | null
    os_type: string | null
    is_encrypted: boolean | null
    is_managed_vm: boolean | null
    vm_size: string | null
    is_mounted: boolean | null
    secondary_region_state: string | null
    archive: {
      is_ready: boolean | null
      reason: string | null
    } | null
    threat_status: string | null
  }[]
  count: number
  next_cursor?: string
  warnings?: string[]
}

/**
 * This, point or before
 */
export type RestoreVmInputTarget = string
/**
 * In the vault's region
 */
export type RestoreVmInputTarget1 = string
/**
 * disks: without it VHD files, slow
 */
export type RestoreVmInputTarget2 = string
/**
 * Default: from name and point
 */
export type RestoreVmInputTarget3 = string
export type RestoreVmInputTarget4 = string
/**
 * system (the vault's) or ARM id
 */
export type RestoreVmInputTarget5 = string
/**
 * ARM id
 */
export type RestoreVmInputTarget6 = string

export interface RestoreVmInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * ARM id, or names outer to inner: rg-app/web-01, sql-01/orders, contosofiles/finance
   */
  item: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  recovery_point_id?: RestoreVmInputTarget
  point?: 'latest'
  /**
   * Newest point up to then
   */
  before?: string
  /**
   * alternate: a new VM
   */
  restore_mode: 'original' | 'alternate' | 'disks'
  staging_storage_account?: RestoreVmInputTarget1
  target_resource_group?: RestoreVmInputTarget2
  target_vm_name?: RestoreVmInputTarget3
  target_virtual_network?: RestoreVmInputTarget4
  target_subnet?: RestoreVmInputTarget4
  target_zone?: '1' | '2' | '3' | 'none'
  target_subscription?: RestoreVmInputTarget4
  restore_only_os_disk?: boolean
  /**
   * Data disks, beside the OS disk
   *
   * @minItems 1
   */
  disk_luns?: [number, ...number[]]
  managed_identity?: RestoreVmInputTarget5
  disk_encryption_set?: RestoreVmInputTarget6
  /**
   * Point only in archive: up to 15 h, 1 h
   */
  rehydration_priority?: 'standard' | 'high'
  rehydration_days?: number
  secondary_region?: boolean
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface RestoreVmOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
  recovery_point_id?: string
  recovery_point_time?: string | null
  target_id?: string | null
}

export interface RestoreFilesInput {
  /**
   * Default: the configured vault
   */
  vault?: string
  /**
   * ARM id, or names outer to inner: rg-app/web-01, sql-01/orders, contosofiles/finance
   */
  item: string
  workload_type?: 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
  recovery_point_id?: string
  point?: 'latest'
  /**
   * Newest point not later
   */
  before?: string
  /**
   * unmount needs no point
   */
  action?: 'mount' | 'unmount'
  /**
   * Linux: absolute path of a new file
   */
  save_to?: string
  wait_seconds?: number
  dry_run?: boolean
  /**
   * details.confirmation, once the user agreed
   */
  confirm?: string
}

export interface RestoreFilesOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
  recovery_point_id?: string | null
  os_type?: string | null
  expiry_time?: string
  script?: string
  script_base64?: string
  saved_to?: string
  download_url?: string | null
  file_name?: string | null
  password?: string | null
}

export interface TrackAsyncOperationInput {
  /**
   * As the tool that started it returned it
   */
  operation_id?: string
  /**
   * Azure's polling URL, instead of operation_id
   */
  operation_url?: string
  wait_seconds?: number
}

export interface TrackAsyncOperationOutput {
  operation_id: string
  status: 'in_progress' | 'succeeded' | 'succeeded_with_warnings' | 'failed' | 'cancelled'
  vault_name: string | null
  start_time: string | null
  end_time: string | null
  job_id: string | null
  job: {
    [k: string]: unknown | undefined
  } | null
  error: {
    code: string | null
    title?: string | null
    message: string
    recommendations?: string[]
    remediation?: string | null
  } | null
  retry_after_seconds: number | null
}

export interface ClearAuthCacheInput {
  all_accounts?: boolean
  dry_run?: boolean
  /**
   * details.confirmation
   */
  confirm?: string
}

export interface ClearAuthCacheOutput {
  status: 'planned' | 'in_progress' | 'succeeded' | 'succeeded_with_warnings'
  message?: string
  vault_name: string | null
  item_id: string | null
  friendly_name?: string | null
  job_id: string | null
  operation_id: string | null
  client_request_id?: string
  job?: {
    [k: string]: unknown | undefined
  }
  plan?: {
    [k: string]: unknown | undefined
  }
  confirmation?: string
  warnings?: string[]
  accounts?: {
    account: string | null
    tenant_id: string | null
    method:
      | 'access_token'
      | 'client_secret'
      | 'client_certificate'
      | 'workload_identity'
      | 'user'
      | 'managed_identity'
      | 'azure_cli'
  }[]
}

export interface ToolInputs {
  list_vaults: ListVaultsInput
  get_vault: GetVaultInput
  test_connection: TestConnectionInput
  register_vm: RegisterVmInput
  reregister_vm: ReregisterVmInput
  unregister_vm: UnregisterVmInput
  check_registration_status: CheckRegistrationStatusInput
  refresh_containers: RefreshContainersInput
  list_protectable_containers: ListProtectableContainersInput
  list_protectable_items: ListProtectableItemsInput
  list_workload_items: ListWorkloadItemsInput
  create_policy: CreatePolicyInput
  list_policies: ListPoliciesInput
  get_policy_details: GetPolicyDetailsInput
  update_policy: UpdatePolicyInput
  delete_policy: DeletePolicyInput
  enable_protection: EnableProtectionInput
  disable_protection: DisableProtectionInput
  resume_protection: ResumeProtectionInput
  undelete_protected_item: UndeleteProtectedItemInput
  list_protected_items: ListProtectedItemsInput
  trigger_backup: TriggerBackupInput
  list_backup_jobs: ListBackupJobsInput
  get_job_details: GetJobDetailsInput
  cancel_job: CancelJobInput
  list_recovery_points: ListRecoveryPointsInput
  restore_vm: RestoreVmInput
  restore_files: RestoreFilesInput
  track_async_operation: TrackAsyncOperationInput
  clear_auth_cache: ClearAuthCacheInput
}

export interface ToolOutputs {
  list_vaults: ListVaultsOutput
  get_vault: GetVaultOutput
  test_connection: TestConnectionOutput
  register_vm: RegisterVmOutput
  reregister_vm: ReregisterVmOutput
  unregister_vm: UnregisterVmOutput
  check_registration_status: CheckRegistrationStatusOutput
  refresh_containers: RefreshContainersOutput
  list_protectable_containers: ListProtectableContainersOutput
  list_protectable_items: ListProtectableItemsOutput
  list_workload_items: ListWorkloadItemsOutput
  create_policy: CreatePolicyOutput
  list_policies: ListPoliciesOutput
  get_policy_details: GetPolicyDetailsOutput
  update_policy: UpdatePolicyOutput
  delete_policy: DeletePolicyOutput
  enable_protection: EnableProtectionOutput
  disable_protection: DisableProtectionOutput
  resume_protection: ResumeProtectionOutput
  undelete_protected_item: UndeleteProtectedItemOutput
  list_protected_items: ListProtectedItemsOutput
  trigger_backup: TriggerBackupOutput
  list_backup_jobs: ListBackupJobsOutput
  get_job_details: GetJobDetailsOutput
  cancel_job: CancelJobOutput
  list_recovery_points: ListRecoveryPointsOutput
  restore_vm: RestoreVmOutput
  restore_files: RestoreFilesOutput
  track_async_operation: TrackAsyncOperationOutput
  clear_auth_cache: ClearAuthCacheOutput
}

export type ToolName = keyof ToolInputs
