/** Protected items as Azure shows them (section 4.3 of the wire facts): they differ by type, and by api-version. */
import { datasources, type Workload } from '../backup/datasources.ts'
import type { Fields } from '../backup/fields.ts'
import { azureTime } from './answers.ts'
import type { Call } from './call.ts'
import { itemIdOf } from './finding.ts'
import { pointsOf } from './points.ts'
import { isNewer, isNewest, spelled } from './spelling.ts'
import { type Item, keyOf, type Policy, type Trouble, type Vault, type Vm } from './state.ts'

const itemTypes: Readonly<Record<Workload, string>> = {
  VM: 'Microsoft.Compute/virtualMachines',
  SQL: 'AzureVmWorkloadSQLDatabase',
  SAPHana: 'AzureVmWorkloadSAPHanaDatabase',
  SAPAse: 'AzureVmWorkloadSAPAseDatabase',
  AzureFileShare: 'AzureFileShareProtectedItem',
}

const parentTypes: Partial<Readonly<Record<Workload, string>>> = {
  SQL: 'AzureVmWorkloadSQLInstance',
  SAPHana: 'AzureVmWorkloadSAPHanaSystem',
  SAPAse: 'AzureVmWorkloadSAPAseSystem',
}

/** What stands for "never" before the first backup of a VM. */
const never = '2001-01-01T00:00:00Z'
const dayMs = 86_400_000

/** .NET's way to write a duration: `13.23:59:44.5930000`. */
const dotNetDuration = (ms: number): string => {
  const rest = new Date(ms % dayMs).toISOString().slice(11, 23)
  const days = Math.floor(ms / dayMs)
  return `${days > 0 ? `${days}.` : ''}${rest}0000`
}

const health = ({ number: code = 0, code: title, message, recommendations }: Trouble) => ({
  code,
  title,
  message,
  recommendations,
})

const fine: Trouble = { number: 0, code: 'Success', message: '', recommendations: [] }

const isFailed = ({ lastBackup }: Item): boolean => lastBackup?.status === 'Failed'

const kpis = (item: Item): Fields => {
  const { lastBackup } = item
  if (!lastBackup) return {}
  const details = [health((isFailed(item) ? lastBackup.trouble : undefined) ?? fine)]
  return {
    BackupOperationStatusKPI: {
      resourceHealthStatus: isFailed(item) ? 'TransientUnhealthy' : 'Healthy',
      resourceHealthDetails: details,
    },
  }
}

const lastPoint = (call: Call, vault: Vault, item: Item): Fields => {
  const last = pointsOf(vault, item, call.world.state.nowMs).at(-1)
  return last ? { lastRecoveryPoint: azureTime(last.atMs) } : {}
}

const softDeletion = ({ world }: Call, { softDeleted }: Item): Fields => {
  if (!softDeleted) return {}
  const { atMs, days } = softDeleted
  return {
    deferredDeleteTimeInUTC: azureTime(atMs),
    isScheduledForDeferredDelete: true,
    deferredDeleteTimeRemaining: dotNetDuration(Math.max(atMs + days * dayMs - world.state.nowMs, 0)),
  }
}

const pointCounts = (call: Call, vault: Vault, item: Item): Fields => {
  const { nowMs } = call.world.state
  const points = pointsOf(vault, item, nowMs)
  const [oldest] = points
  const inVault = points.find(({ inVaultMs }) => inVaultMs !== undefined && inVaultMs <= nowMs)
  return {
    ...(oldest ? { oldestRecoveryPoint: azureTime(oldest.atMs) } : {}),
    ...(inVault && isNewer(call) ? { oldestRecoveryPointInVault: azureTime(inVault.atMs) } : {}),
    recoveryPointCount: points.length,
  }
}

/** The health of a VM that Azure looked at before its next backup, and what it found. */
const vmHealth = ({ lastBackup, sourceId }: Item, call: Call): { status: string; trouble: Trouble } => {
  const vm: Vm | undefined = call.world.state.vms.get(keyOf(sourceId))
  const trouble = lastBackup?.trouble
  if (trouble && lastBackup.status === 'CompletedWithWarnings') return { status: 'ActionSuggested', trouble }
  if (trouble && lastBackup.status === 'Failed' && !(vm?.exists && vm.isAgentReady))
    return { status: 'ActionRequired', trouble }
  return {
    status: 'Passed',
    trouble: {
      number: 400239,
      code: 'IaasVmHealthGreenDefault',
      message: 'Backup pre-check status of this virtual machine is OK.',
      recommendations: [],
    },
  }
}

/** `Passed`, `ActionRequired` or `ActionSuggested`; undefined for what is no VM. */
export const healthState = (item: Item, call: Call): string | undefined =>
  item.workload === 'VM' ? vmHealth(item, call).status : undefined

const common = (call: Call, vault: Vault, item: Item, policy: Policy | undefined) => ({
  protectedItemType: itemTypes[item.workload],
  backupManagementType: datasources[item.workload].managementType,
  workloadType: datasources[item.workload].azureWord,
  containerName: containerNameOf(item),
  sourceResourceId: item.sourceId,
  ...(policy ? { policyId: spelled(call, `${vault.id}/backupPolicies/${policy.name}`) } : {}),
  ...lastPoint(call, vault, item),
  ...softDeletion(call, item),
  isArchiveEnabled: false,
  ...(isNewest(call)
    ? {
        vaultId: `https://management.azure.com${vault.id}`,
        softDeleteRetentionPeriod: item.softDeleted?.days ?? 0,
        sourceLocation: vault.location,
      }
    : {}),
})

const vmProperties = (call: Call, vault: Vault, item: Item, isExpanded: boolean): Fields => {
  const policy = policyOfItem(vault, item)
  const { status, trouble } = vmHealth(item, call)
  const { diskExclusion, lastBackup } = item
  const excluded = diskExclusion && {
    diskExclusionProperties: { diskLunList: diskExclusion.luns, isInclusionList: diskExclusion.isInclusionList },
  }
  return {
    ...(isNewest(call) ? {} : { kpisHealths: kpis(item) }),
    friendlyName: item.friendlyName,
    virtualMachineId: item.sourceId,
    protectionStatus: isFailed(item) ? 'Unhealthy' : 'Healthy',
    protectionState: item.state,
    healthStatus: status,
    ...(lastBackup ? { healthDetails: [health(trouble)] } : {}),
    lastBackupStatus: lastBackup?.status ?? '',
    lastBackupTime: lastBackup ? azureTime(lastBackup.atMs) : never,
    protectedItemDataId: item.dataId,
    ...(isExpanded ? { extendedInfo: { ...pointCounts(call, vault, item), policyInconsistent: false } } : {}),
    ...(excluded || isNewest(call) ? { extendedProperties: excluded ?? {} } : {}),
    ...(policy && isNewest(call) ? { policyType: policy.properties.policyType ?? 'V1' } : {}),
    ...(isNewest(call)
      ? { sourceSideScanInfo: { sourceSideScanStatus: 'NotConfigured', sourceSideScanSummary: 'Unknown' } }
      : {}),
    ...common(call, vault, item, policy),
    // Where protection is stopped a VM keeps both, empty.
    ...(policy ? {} : { policyId: '' }),
    policyName: policy?.name ?? '',
  }
}

const shareProperties = (call: Call, vault: Vault, item: Item, isExpanded: boolean): Fields => ({
  kpisHealths: kpis(item),
  friendlyName: item.friendlyName,
  protectionStatus: isFailed(item) ? 'Unhealthy' : 'Healthy',
  protectionState: item.state,
  lastBackupStatus: item.lastBackup?.status ?? 'IRPending',
  ...(item.lastBackup ? { lastBackupTime: azureTime(item.lastBackup.atMs) } : {}),
  ...(isExpanded
    ? {
        extendedInfo: {
          ...pointCounts(call, vault, item),
          policyState: 'Consistent',
          resourceState: 'Active',
          resourceStateSyncTime: azureTime(call.world.state.nowMs),
        },
      }
    : {}),
  ...(isNewest(call) ? { fileShareProtocol: 'SMB' } : {}),
  ...common(call, vault, item, policyOfItem(vault, item)),
})

const databaseError = ({ lastBackup }: Item): Fields => {
  const trouble = lastBackup?.trouble
  if (trouble) {
    const { code, message, recommendations } = trouble
    return { lastBackupErrorDetail: { code, message, recommendations } }
  }
  return lastBackup ? {} : { lastBackupErrorDetail: { code: 'Success', message: '' } }
}

const databaseProperties = (call: Call, vault: Vault, item: Item, isExpanded: boolean): Fields => {
  const word = !item.lastBackup ? 'IRPending' : isFailed(item) ? 'Unhealthy' : 'Healthy'
  return {
    kpisHealths: kpis(item),
    friendlyName: item.friendlyName,
    serverName: item.serverName,
    parentName: item.parentName,
    parentType: parentTypes[item.workload],
    protectionStatus: word === 'Unhealthy' ? 'Unhealthy' : 'Healthy',
    protectionState: item.state,
    lastBackupStatus: word,
    ...(item.lastBackup ? { lastBackupTime: azureTime(item.lastBackup.atMs) } : {}),
    ...databaseError(item),
    protectedItemDataSourceId: item.dataId,
    protectedItemHealthStatus: word,
    ...(isExpanded
      ? {
          extendedInfo: {
            ...pointCounts(call, vault, item),
            policyState: 'Consistent',
            ...(item.workload === 'SQL' ? { recoveryModel: 'FULL' } : {}),
          },
        }
      : {}),
    ...common(call, vault, item, policyOfItem(vault, item)),
  }
}

const propertiesOf: Readonly<Record<Workload, (call: Call, vault: Vault, item: Item, isExpanded: boolean) => Fields>> =
  {
    VM: vmProperties,
    SQL: databaseProperties,
    SAPHana: databaseProperties,
    SAPAse: databaseProperties,
    AzureFileShare: shareProperties,
  }

export const policyOfItem = ({ policies }: Vault, { policy }: Item): Policy | undefined =>
  policy === undefined ? undefined : policies.get(policy)

/** As `properties.containerName` has it: that of a VM lacks the type. */
export const containerNameOf = ({ workload, container }: Item): string =>
  workload === 'VM' ? container.slice(container.indexOf(';') + 1) : container

/** An item as a resource. `isExpanded`: with `extendedInfo`. */
export const itemRow = (call: Call, vault: Vault, item: Item, isExpanded: boolean) => ({
  id: spelled(call, itemIdOf(vault, item)),
  name: item.name,
  type: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems',
  properties: propertiesOf[item.workload](call, vault, item, isExpanded),
})
