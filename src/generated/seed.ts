// Made from schemas/seed.json by scripts/generate.mjs. Not edited by hand.
export type SeedInstant = string
export type SeedGuid = string
/**
 * Name, group/name where the name is not the only one, or ARM id
 */
export type SeedRef = string
export type SeedName = string
/**
 * Id or name of one that is listed
 */
export type SeedSubscription = string
/**
 * As in ids: eastus
 */
export type SeedLocation = string
/**
 * A time, or hours from the start of simulated time: -26.5 is the day before
 */
export type SeedMoment = string | number
export type SeedWorkload = 'VM' | 'SQL' | 'SAPHana' | 'SAPAse' | 'AzureFileShare'
/**
 * UTC, at a full or half hour as Azure wants it
 */
export type SeedClock = string
/**
 * @minItems 1
 */
export type SeedDays = ('Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday')[]
/**
 * A code that the simulated Azure knows the words of, or all of it
 */
export type SeedTrouble =
  | string
  | {
      number?: number
      code: string
      message: string
      recommendations?: string[]
    }

/**
 * An estate for the simulated Azure: what is in it when simulated time starts. Only subscriptions are required; what is left out is what Azure gives, or nothing.
 */
export interface Seed {
  $schema?: string
  about?: string
  /**
   * Ids and everything random follow from it; 1 unless given
   */
  seed?: number
  start?: SeedInstant
  tenant_id?: SeedGuid
  /**
   * Bearer tokens that are let in; simulated-azure-token unless given
   *
   * @minItems 1
   */
  tokens?: string[]
  /**
   * Public keys of a sign-in service (JWKs). Its tokens are let in beside tokens, where they are RS256 JWTs for Azure Resource Manager or the address that is asked, of tenant_id, and not expired by simulated time
   *
   * @minItems 1
   */
  token_keys?: {
    kty: 'RSA'
    n: string
    e: string
    /**
     * Only tokens that name it; any unless given
     */
    kid?: string
  }[]
  default_vault?: SeedRef
  /**
   * Everything below is in the first unless it names another
   *
   * @minItems 1
   */
  subscriptions: {
    id: SeedGuid
    name: SeedName
  }[]
  /**
   * Groups of what is listed below need not be listed here
   */
  resource_groups?: {
    subscription?: SeedSubscription
    name: SeedName
    location: SeedLocation
  }[]
  virtual_machines?: SeedVirtualMachine[]
  storage_accounts?: {
    name: SeedName
    subscription?: SeedSubscription
    resource_group: SeedName
    location: SeedLocation
    shares?: {
      name: SeedName
      /**
       * Paths in the share: 2026/q3/report.xlsx
       */
      files?: string[]
    }[]
  }[]
  virtual_networks?: {
    name: SeedName
    subscription?: SeedSubscription
    resource_group: SeedName
    location: SeedLocation
    subnets?: SeedName[]
  }[]
  vaults?: SeedVault[]
  /**
   * What callers meet, as PUT /_simulate/faults takes it
   */
  faults?: SeedFault[]
  /**
   * True: the caller may not use the operations of a Resource Guard
   */
  guard_rights_withheld?: boolean
  generate?: SeedGenerate
}
export interface SeedVirtualMachine {
  name: SeedName
  subscription?: SeedSubscription
  resource_group: SeedName
  location: SeedLocation
  os?: 'Linux' | 'Windows'
  size?: SeedName
  zones?: string[]
  /**
   * @minItems 1
   */
  disks?: SeedDisk[]
  /**
   * Database servers in it, which discovery and inquiry find
   */
  instances?: {
    workload: 'SQL' | 'SAPHana' | 'SAPAse'
    name: SeedName
    databases?: SeedName[]
    data_path?: string
    log_path?: string
  }[]
  /**
   * False: deleted in Azure; an item of it may be left
   */
  exists?: boolean
  /**
   * False: the VM agent does not answer, backups fail
   */
  agent_ready?: boolean
}
export interface SeedDisk {
  /**
   * -1: the OS disk
   */
  lun: number
  name: SeedName
  size_gb: number
}
export interface SeedVault {
  name: SeedName
  subscription?: SeedSubscription
  resource_group: SeedName
  location: SeedLocation
  created?: SeedMoment
  tags?: SeedTextsByName
  identity?: SeedFields
  sku?: string
  redundancy?: 'GeoRedundant' | 'LocallyRedundant' | 'ZoneRedundant'
  cross_region_restore?: boolean
  soft_delete?: {
    state: 'Enabled' | 'Disabled' | 'AlwaysON'
    days?: number
  }
  immutability?: 'Disabled' | 'Unlocked' | 'Locked'
  public_network_access?: 'Enabled' | 'Disabled'
  cross_subscription_restore?: 'Enabled' | 'Disabled' | 'PermanentlyDisabled'
  /**
   * ARM id of the Resource Guard that protects the vault
   */
  guard?: string
  /**
   * Beside those that every vault has; one of the same name replaces it
   */
  policies?: SeedPolicy[]
  /**
   * VMs that discovery has found; all of the vault's subscription and region unless given
   */
  discovered?: SeedRef[]
  /**
   * Registered VMs with databases, and storage accounts
   *
   * Items: Of one vm or one storage_account
   */
  containers?: {
    vm?: SeedRef
    storage_account?: SeedRef
    registered?: SeedMoment
    /**
     * What was found in it; all that is there unless given
     */
    inquired?: SeedWorkload[]
  }[]
  items?: SeedItem[]
  /**
   * Beside the backups of the last day that items with a history have
   */
  jobs?: SeedJob[]
  intents?: {
    name: SeedName
    properties: SeedFields
  }[]
}
export interface SeedTextsByName {
  [k: string]: string | undefined
}
/**
 * ARM properties as they are
 */
export interface SeedFields {
  [k: string]: unknown | undefined
}
/**
 * With the properties that ARM has for it, or in short words: workload, keep and the rest
 */
export interface SeedPolicy {
  name: SeedName
  properties?: SeedFields
  workload?: SeedWorkload
  /**
   * Of VMs: policy type V2
   */
  enhanced?: boolean
  time?: SeedClock
  weekdays?: SeedDays
  /**
   * Several times a day; of VMs (enhanced) and shares
   */
  hourly?: {
    every_hours: 4 | 6 | 8 | 12
    from: SeedClock
    window_hours: number
  }
  /**
   * Weekly, monthly and yearly points are those of the first day of weekdays, else of Sunday
   */
  keep?: {
    days?: number
    weeks?: number
    months?: number
    years?: number
  }
  instant_restore_days?: number
  differential?: SeedPartialBackup
  incremental?: SeedPartialBackup
  log?: {
    every_minutes: 15 | 30 | 60 | 120 | 240 | 480 | 720 | 1440
    keep_days: number
  }
}
export interface SeedPartialBackup {
  weekdays: SeedDays
  time: SeedClock
  keep_days: number
}
export interface SeedItem {
  source: SeedSource
  /**
   * Name; of a stopped item the one it had
   */
  policy?: string
  /**
   * Follows from the last backup unless given
   */
  state?: 'IRPending' | 'Protected' | 'ProtectionError' | 'ProtectionStopped' | 'ProtectionPaused' | 'BackupsSuspended'
  server_name?: SeedName
  soft_deleted?: {
    at: SeedMoment
    /**
     * Kept for; what the vault says unless given
     */
    days?: number
  }
  disk_exclusion?: {
    luns: number[]
    is_inclusion_list: boolean
  }
  /**
   * Backups as the policy made them, with the points that are still kept and the jobs of the last day
   */
  history?: {
    /**
     * How far back
     */
    days: number
    until?: SeedMoment
    failing_since?: SeedMoment
    trouble?: SeedTrouble
    /**
     * How the last one ended
     */
    last?: 'Completed' | 'CompletedWithWarnings' | 'Failed'
  }
  last_backup?: {
    at: SeedMoment
    status: 'Completed' | 'CompletedWithWarnings' | 'Failed'
    trouble?: SeedTrouble
  }
  points?: {
    id?: string
    at: SeedMoment
    kind?:
      | 'AppConsistent'
      | 'FileSystemConsistent'
      | 'CrashConsistent'
      | 'Full'
      | 'Differential'
      | 'Incremental'
      | 'CopyOnlyFull'
    expires?: SeedMoment
    rule?: 'Daily' | 'Weekly' | 'Monthly' | 'Yearly' | 'AdHoc'
    in_vault?: SeedMoment
    snapshot_until?: SeedMoment
    archived?: boolean
    size_gb?: number
  }[]
  /**
   * What logs can restore to
   */
  logs?: {
    from: SeedMoment
    to: SeedMoment
  }[]
}
/**
 * vm alone; vm, instance and database of a registered VM; storage_account and share of a registered account
 */
export interface SeedSource {
  vm?: SeedRef
  instance?: SeedName
  database?: SeedName
  storage_account?: SeedRef
  share?: SeedName
}
export interface SeedJob {
  operation:
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
  source?: SeedSource
  workload?: SeedWorkload
  entity?: SeedName
  started: SeedMoment
  /**
   * How long it takes in all
   */
  minutes: number
  /**
   * Completed unless given. One in progress has to end after the start; how, says outcome
   */
  status?: 'InProgress' | 'Completed' | 'Failed' | 'CompletedWithWarnings' | 'Cancelled'
  outcome?: 'Completed' | 'Failed' | 'CompletedWithWarnings' | 'Cancelled'
  trouble?: SeedTrouble
  backup_type?: 'Full' | 'Differential' | 'Incremental' | 'Log' | 'CopyOnlyFull'
  /**
   * True unless given
   */
  user_triggered?: boolean
  size_mb?: number
  bag?: SeedTextsByName
}
export interface SeedFault {
  kind: 'status' | 'slow' | 'cut' | 'truncate' | 'expired_token' | 'claims_challenge' | 'late_failure'
  /**
   * Regular expression
   */
  method?: string
  /**
   * Regular expression
   */
  path?: string
  status?: number
  code?: string
  message?: string
  retry_after_seconds?: number
  claims?: SeedFields
  delay_ms?: number
  cut_at?: 'before' | 'inside'
  times?: number
  after?: number
}
/**
 * An estate of this size beside what is listed: vault-001 with VMs vm-001-0001 and so on, in the first subscription
 */
export interface SeedGenerate {
  vaults: number
  items_per_vault: number
  /**
   * One a day; 30 unless given
   */
  points_per_item?: number
  /**
   * VMs that are not protected
   */
  unprotected_per_vault?: number
  /**
   * Items whose last backup failed; 2 unless given
   */
  failing_percent?: number
  location?: SeedLocation
}
