/**
 * Everything that the simulated Azure knows, as values that can be saved and loaded. Times are milliseconds since 1970 in
 * simulated time. Names are in Azure's spelling; maps are keyed by them in lower case (`keyOf`).
 */
import type { Workload } from '../backup/datasources.ts'
import type { Fields } from '../backup/fields.ts'

export const keyOf = (...names: string[]): string => names.join('/').toLowerCase()

export interface State {
  /** Everything random comes from it. */
  seed: number
  /** How many ids were made from the seed so far. */
  idsMade: number
  /** The same for ids of points: how many there are depends on the day, and no other id may. */
  pointsMade: number
  /** How much was scheduled so far. */
  duesMade: number
  /** The moment up to which everything that was due has happened. */
  nowMs: number
  tenantId: string
  tokens: string[]
  /** Public keys of a sign-in service, where its tokens are let in too. */
  tokenKeys?: TokenKey[]
  /** The vault that callers mean who name none. */
  defaultVault: DefaultVault | undefined
  subscriptions: Map<string, Subscription>
  /** By `subscription/group`. */
  groups: Map<string, ResourceGroup>
  /** By ARM id. */
  vms: Map<string, Vm>
  storageAccounts: Map<string, StorageAccount>
  networks: Map<string, VirtualNetwork>
  /** By ARM id. */
  vaults: Map<string, Vault>
  /** Oldest first. */
  deletedVaults: DeletedVault[]
  due: Due[]
  faults: Fault[]
  /** Requests that arrived, by `METHOD /path`. */
  requests: Map<string, number>
  /** True: the caller may not use the operations of a Resource Guard. */
  isGuardWithheld: boolean
}

/** The public part of an RSA key (RFC 7517). */
export interface TokenKey {
  kty: 'RSA'
  n: string
  e: string
  kid?: string | undefined
}

/** As it is told to people and programs. */
export interface DefaultVault {
  subscription_id: string
  resource_group: string
  vault_name: string
}

export interface Subscription {
  id: string
  name: string
}

export interface ResourceGroup {
  subscriptionId: string
  name: string
  location: string
}

export interface Disk {
  /** -1: the OS disk. */
  lun: number
  name: string
  sizeGb: number
  /** The disk encryption set that it was restored with. */
  encryptionSetId?: string | undefined
}

export interface Vm {
  id: string
  subscriptionId: string
  resourceGroup: string
  name: string
  location: string
  osType: 'Linux' | 'Windows'
  size: string
  zones: string[]
  disks: Disk[]
  /** What database servers run in it; discovery and inquiry find them. */
  instances: DatabaseInstance[]
  /** False: deleted in Azure; a protected item of it may be left. */
  exists: boolean
  /** False: the VM agent does not answer, so backups fail. */
  isAgentReady: boolean
}

export interface DatabaseInstance {
  workload: 'SQL' | 'SAPHana' | 'SAPAse'
  /** Instance name, or the SID of a system. */
  name: string
  databases: string[]
  dataPath: string
  logPath: string
}

export interface StorageAccount {
  id: string
  subscriptionId: string
  resourceGroup: string
  name: string
  location: string
  shares: { name: string; files: string[] }[]
}

export interface VirtualNetwork {
  id: string
  subscriptionId: string
  resourceGroup: string
  name: string
  location: string
  subnets: string[]
}

export interface Vault {
  id: string
  subscriptionId: string
  resourceGroup: string
  name: string
  location: string
  createdMs: number
  /** When its creation has ended. */
  readyMs: number
  /** Changes with every write. */
  etag: string
  tags: Record<string, string> | undefined
  identity: Fields | undefined
  sku: string
  redundancy: 'GeoRedundant' | 'LocallyRedundant' | 'ZoneRedundant'
  crossRegionRestore: boolean
  softDelete: { state: 'Enabled' | 'Disabled' | 'AlwaysON'; days: number }
  enhancedSecurity: 'Enabled' | 'Disabled'
  immutability: 'Disabled' | 'Unlocked' | 'Locked'
  publicNetworkAccess: 'Enabled' | 'Disabled'
  crossSubscriptionRestore: 'Enabled' | 'Disabled' | 'PermanentlyDisabled'
  /** Properties that nothing else depends on, as they were written: monitoring, cost, keys. */
  settings: Fields
  /** ARM id of the Resource Guard that protects the vault, if one does. */
  guardId: string | undefined
  /** Moment up to which a delete of an item (by its key) is unlocked by the guard. */
  unlocked: Map<string, number>
  policies: Map<string, Policy>
  /** VMs that discovery has found, by ARM id. */
  discovered: Set<string>
  containers: Map<string, Container>
  /** By `container/item`. */
  items: Map<string, Item>
  jobs: Map<string, Job>
  operations: Map<string, Operation>
  intents: Map<string, Intent>
}

/** What is left of a vault. */
export interface DeletedVault {
  name: string
  vaultId: string
  subscriptionId: string
  location: string
  deletedMs: number
  /** Its deletion is asked after when it is gone. */
  operations: Map<string, Operation>
}

export interface Policy {
  name: string
  /** As ARM shows them, without `protectedItemsCount`. */
  properties: Fields
}

/** Registered by hand (`VMAppContainer`, `StorageContainer`). Those of protected VMs follow from the items. */
export interface Container {
  name: string
  kind: 'VMAppContainer' | 'StorageContainer'
  friendlyName: string
  sourceId: string
  registeredMs: number
  /** What was found by the last inquiry: databases by instance, or shares. */
  inquired: Workload[]
}

export type ItemState =
  | 'IRPending'
  | 'Protected'
  | 'ProtectionError'
  | 'ProtectionStopped'
  | 'ProtectionPaused'
  | 'BackupsSuspended'

export interface Trouble {
  /** Number in jobs and health (400136), where there is one. */
  number: number | undefined
  /** Azure's word (UserErrorVmNotFoundV2). */
  code: string
  message: string
  recommendations: string[]
}

export interface Item {
  container: string
  name: string
  workload: Workload
  friendlyName: string
  /** ARM id of the VM or storage account. */
  sourceId: string
  /** Of databases: the machine as it calls itself, and the instance or SID. */
  serverName: string | undefined
  parentName: string | undefined
  /** Digits. */
  dataId: string
  /** Key of the policy; undefined where protection is stopped. */
  policy: string | undefined
  state: ItemState
  /** When its deletion was asked for, where it is soft-deleted, and for how many days it is kept. */
  softDeleted: { atMs: number; days: number } | undefined
  diskExclusion: { luns: number[]; isInclusionList: boolean } | undefined
  lastBackup:
    | { atMs: number; status: 'Completed' | 'CompletedWithWarnings' | 'Failed'; trouble: Trouble | undefined }
    | undefined
  /** Oldest first. */
  points: Point[]
  /** What logs can restore to, oldest first; the last one grows while log backups run. */
  logs: { startMs: number; endMs: number }[]
  /** A point that is mounted for item-level recovery. */
  mounted: { pointId: string; untilMs: number } | undefined
  /** When its next scheduled backup is going to begin; what is due at another time is no longer planned. */
  plannedMs?: number | undefined
  /** Id of its last backup job: it may still run. */
  backupJob?: string | undefined
}

export interface Point {
  /** Digits, more than 2^53. */
  id: string
  atMs: number
  /** AppConsistent and its like for VMs and shares; Full and its like for databases. */
  kind: string
  expiresMs: number | undefined
  /** The rule of the policy that keeps it longest: Daily, Weekly, Monthly, Yearly, or AdHoc. */
  rule: string
  /** From when on it is in the vault, and until when its snapshot is kept beside. */
  inVaultMs: number | undefined
  snapshotUntilMs: number | undefined
  isArchived: boolean
  sizeGb: number
  /** Until when a copy of an archived point is kept in the vault. */
  rehydratedUntilMs?: number | undefined
  /** Disks of the VM at that moment. */
  disks: { included: Disk[]; excluded: Disk[] } | undefined
}

export type JobStatus = 'InProgress' | 'Completed' | 'Failed' | 'CompletedWithWarnings' | 'Cancelled' | 'Cancelling'

export interface Job {
  id: string
  /** Backup, Restore, ConfigureBackup, … */
  operation: string
  workload: Workload
  entityName: string
  /** Key of the item, where it is about one. */
  item: string | undefined
  containerName: string | undefined
  startMs: number
  /** When it ended, or is going to. */
  endMs: number
  status: JobStatus
  /** How it is going to end. */
  outcome: Exclude<JobStatus, 'InProgress' | 'Cancelling'>
  tasks: { name: string; startMs: number; endMs: number }[]
  trouble: Trouble | undefined
  bag: Record<string, string>
  isCancellable: boolean
  isUserTriggered: boolean
  /** Full, Log, … of databases. */
  backupType: string | undefined
  sizeMb: number
}

export interface Operation {
  id: string
  startMs: number
  endMs: number
  /** The job that it starts; told when it has ended. */
  jobId: string | undefined
  error: { code: string; message: string } | undefined
  /** What its result is when it has ended: 204, or 200 with the resource at this path. */
  resultPath: string | undefined
  /** `properties` of its status when it has succeeded, where that is more than a job. */
  properties: Fields | undefined
}

export interface Intent {
  name: string
  properties: Fields
}

/** Something that happens at its time. `kind` names the function that does it (effects.ts). */
export interface Due {
  atMs: number
  /** Of two at one moment the lower comes first. */
  order: number
  kind: string
  vault: string
  /** Key of the item or container, id of the job: as the kind has it. */
  of: string
  more: Fields | undefined
}

export interface Fault {
  /** Regular expressions, without letter case; absent: any. */
  method: string | undefined
  path: string | undefined
  kind: 'status' | 'slow' | 'cut' | 'truncate' | 'expired_token' | 'claims_challenge' | 'late_failure'
  status: number | undefined
  code: string | undefined
  message: string | undefined
  retryAfterSeconds: number | undefined
  /** What a claims challenge asks for; absent: a token made from now on. */
  claims?: Fields | undefined
  delayMs: number | undefined
  /** Of a cut: before the first byte of the answer, else in its middle. */
  isBefore: boolean
  /** How many requests meet it; absent: all. */
  times: number | undefined
  /** How many pass before it. */
  after: number | undefined
}
