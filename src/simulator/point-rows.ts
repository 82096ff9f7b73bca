/** Recovery points as Azure shows them, of every generation of its API (section 8 of the wire facts). */

import { lastName } from '../backup/arm-ids.ts'
import { datasources } from '../backup/datasources.ts'
import { azureTime } from './answers.ts'
import type { Call } from './call.ts'
import { itemIdOf } from './finding.ts'
import { hasNumbers } from './job-rows.ts'
import { logsOf } from './points.ts'
import { isArchivable } from './retention.ts'
import { type Disk, type Item, keyOf, type Point, type Vault } from './state.ts'

/** What versions since 2023 say beside the rest. */
const isNewer = ({ apiVersion }: Call): boolean => apiVersion >= '2023'

type TierName = 'InstantRP' | 'HardenedRP' | 'ArchivedRP'
type TierStatus = 'Valid' | 'Deleted' | 'Rehydrated'
const tierNumbers: Readonly<Record<TierName, number>> = { InstantRP: 1, HardenedRP: 2, ArchivedRP: 3 }
const statusNumbers: Readonly<Record<TierStatus, number>> = { Valid: 1, Deleted: 3, Rehydrated: 4 }

export interface Tier {
  type: TierName
  status: TierStatus
  /** Of a rehydrated one: when its copy goes. */
  untilMs?: number
}

const isRehydrated = ({ rehydratedUntilMs = 0 }: Point, nowMs: number): boolean => rehydratedUntilMs > nowMs

/** Where a point is at a moment: its snapshot, its data in the vault, its data in the archive. */
export const tiersOf = (point: Point, nowMs: number): Tier[] => {
  const { snapshotUntilMs, inVaultMs, isArchived, rehydratedUntilMs } = point
  const tiers: Tier[] = []
  if (snapshotUntilMs !== undefined)
    tiers.push({ type: 'InstantRP', status: snapshotUntilMs > nowMs ? 'Valid' : 'Deleted' })
  if (inVaultMs !== undefined && inVaultMs <= nowMs)
    tiers.push({ type: 'HardenedRP', status: isArchived ? 'Deleted' : 'Valid' })
  if (isArchived && isRehydrated(point, nowMs) && rehydratedUntilMs !== undefined)
    tiers.push({ type: 'ArchivedRP', status: 'Rehydrated', untilMs: rehydratedUntilMs })
  else if (isArchived) tiers.push({ type: 'ArchivedRP', status: 'Valid' })
  return tiers
}

const tierRow = (call: Call, { type, status, untilMs }: Tier) => ({
  ...(hasNumbers(call) ? { type: tierNumbers[type], status: statusNumbers[status] } : { type, status }),
  ...(untilMs === undefined ? {} : { extendedInfo: { RehydratedRPExpiryTime: azureTime(untilMs) } }),
})

/** Whether a point in the vault may go to the archive now. */
export const isReadyForMove = ({ inVaultMs, isArchived, atMs, expiresMs }: Point, nowMs: number): boolean =>
  inVaultMs !== undefined && inVaultMs <= nowMs && !isArchived && isArchivable(atMs, expiresMs, nowMs)

const notReady = 'Recovery-Point having active dependencies for restore is not eligible for Archive Move. '

const moveReadiness = (call: Call, point: Point) => {
  const isReady = isReadyForMove(point, call.nowMs)
  return { ArchivedRP: { isReadyForMove: isReady, ...(isReady ? {} : { additionalInfo: notReady }) } }
}

const lifetime = ({ expiresMs, rule }: Point, vault: Vault, { softDeleted }: Item) => ({
  isSoftDeleted: softDeleted !== undefined,
  ...(expiresMs === undefined ? {} : { expiryTime: azureTime(expiresMs) }),
  ruleName: rule,
  ...(vault.immutability === 'Disabled' ? {} : { immutabilityProperties: { isImmutable: true } }),
})

const diskRow = ({ lun, name }: Disk) => ({ lun, name })

const diskConfiguration = ({ disks }: Point, isWhole: boolean) => {
  if (!disks || disks.excluded.length === 0) return {}
  const { included, excluded } = disks
  return {
    recoveryPointDiskConfiguration: {
      numberOfDisksIncludedInBackup: included.length,
      numberOfDisksAttachedToVm: included.length + excluded.length,
      ...(isWhole ? { includedDiskList: included.map(diskRow), excludedDiskList: excluded.map(diskRow) } : {}),
    },
  }
}

/** Whether this point is mounted for item-level recovery. */
export const isMounted = ({ mounted }: Item, { id }: Point, nowMs: number): boolean =>
  mounted?.pointId === id && mounted.untilMs > nowMs

type PointProperties = (call: Call, vault: Vault, item: Item, point: Point, isWhole: boolean) => object

const ofVm: PointProperties = (call, vault, item, point, isWhole) => {
  const vm = call.world.state.vms.get(keyOf(item.sourceId))
  const zones = vm?.zones ?? []
  return {
    objectType: 'IaasVMRecoveryPoint',
    recoveryPointType: point.kind,
    recoveryPointTime: azureTime(point.atMs),
    recoveryPointAdditionalInfo: '',
    sourceVMStorageType: 'PremiumVMOnPartialPremiumStorage',
    isSourceVMEncrypted: false,
    isInstantIlrSessionActive: isMounted(item, point, call.nowMs),
    recoveryPointTierDetails: tiersOf(point, call.nowMs).map(tier => tierRow(call, tier)),
    isManagedVirtualMachine: true,
    virtualMachineSize: vm?.size ?? 'Standard_D2s_v5',
    originalStorageAccountOption: false,
    osType: vm?.osType ?? 'Windows',
    ...diskConfiguration(point, isWhole),
    ...(zones.length === 0 ? {} : { zones }),
    ...(hasNumbers(call) ? {} : { recoveryPointMoveReadinessInfo: moveReadiness(call, point) }),
    ...(isNewer(call)
      ? {
          recoveryPointProperties: lifetime(point, vault, item),
          securityType: 'None',
          isPrivateAccessEnabledOnAnyDisk: false,
        }
      : {}),
  }
}

const ofShare: PointProperties = (call, vault, item, point) => ({
  objectType: 'AzureFileShareRecoveryPoint',
  recoveryPointType: point.kind,
  recoveryPointTime: azureTime(point.atMs),
  fileShareSnapshotUri: `https://${lastName(item.sourceId)}.file.core.windows.net/${item.friendlyName}?sharesnapshot=${azureTime(point.atMs)}`,
  recoveryPointSizeInGB: Math.floor(point.sizeGb),
  ...(isNewer(call)
    ? {
        recoveryPointTierDetails: tiersOf(point, call.nowMs).map(tier => tierRow(call, tier)),
        recoveryPointProperties: lifetime(point, vault, item),
      }
    : {}),
})

/** Where a SQL database has its files: restores to another place ask for it. */
const sqlFiles = ({ world }: Call, { friendlyName, parentName, sourceId }: Item, atMs: number) => {
  const instances = world.state.vms.get(keyOf(sourceId))?.instances ?? []
  const instance = instances.find(({ name }) => keyOf(name) === keyOf(parentName ?? ''))
  const { dataPath = 'F:\\data\\', logPath = 'G:\\log\\' } = instance ?? {}
  return {
    extendedInfo: {
      dataDirectoryTimeInUTC: azureTime(atMs),
      dataDirectoryPaths: [
        { type: 'Data', path: `${dataPath}${friendlyName}.mdf`, logicalName: friendlyName },
        { type: 'Log', path: `${logPath}${friendlyName}_log.ldf`, logicalName: `${friendlyName}_log` },
      ],
    },
  }
}

const databaseType = (item: Item): string => `AzureWorkload${item.workload === 'SAPAse' ? 'SAPAse' : item.workload}`

const ofDatabase: PointProperties = (call, vault, item, point, isWhole) => ({
  objectType: `${databaseType(item)}RecoveryPoint`,
  recoveryPointTimeInUTC: azureTime(point.atMs),
  type: point.kind,
  ...(isWhole && item.workload === 'SQL' ? sqlFiles(call, item, point.atMs) : {}),
  ...(hasNumbers(call)
    ? {}
    : {
        recoveryPointTierDetails: tiersOf(point, call.nowMs).map(tier => tierRow(call, tier)),
        recoveryPointMoveReadinessInfo: moveReadiness(call, point),
      }),
  ...(isNewer(call) ? { recoveryPointProperties: lifetime(point, vault, item) } : {}),
})

const byManagementType: Readonly<Record<string, PointProperties>> = {
  AzureIaasVM: ofVm,
  AzureStorage: ofShare,
  AzureWorkload: ofDatabase,
}

const resource = (vault: Vault, item: Item, name: string, properties: object) => ({
  id: `${itemIdOf(vault, item)}/recoveryPoints/${name}`,
  name,
  type: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints',
  properties,
})

/** A point as lists show it, or whole. */
export const pointRow = (call: Call, vault: Vault, item: Item, point: Point, isWhole: boolean) => {
  const properties = byManagementType[datasources[item.workload].managementType] ?? ofDatabase
  return resource(vault, item, point.id, properties(call, vault, item, point, isWhole))
}

export const logPointId = 'DefaultRangeRecoveryPoint'

/** What a database's logs can restore to, newest first, within a window. */
export const logRow = (call: Call, vault: Vault, item: Item, { fromMs, toMs }: { fromMs: number; toMs: number }) =>
  resource(vault, item, logPointId, {
    objectType: `${databaseType(item)}PointInTimeRecoveryPoint`,
    type: 'Log',
    timeRanges: logsOf(item, vault, call.nowMs)
      .filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs)
      .map(({ startMs, endMs }) => ({ startTime: azureTime(startMs), endTime: azureTime(endMs) }))
      .reverse(),
  })
