/**
 * Azure's error codes, what each means to a caller, and what to do about it: one row a code, with its source beside it.
 * Sentences are for a backup administrator; tools are named as they are called.
 */
import type { ProblemCode } from '../problem.ts'

export interface Remedy {
  code: ProblemCode
  /** `{endpoint}` stands for the configured ARM origin. */
  remediation: string
}

/**
 * How a code is known: from recordings of the service (of 2021, or of 2022 and later), from users' reports, from the
 * published API definitions, or from what the product is generally known to do.
 */
export type Source = 'recorded 2021' | 'recorded later' | 'reported' | 'definition' | 'general knowledge'

export interface KnownCode {
  /** The word: Azure's `code` in answers, `errorTitle` or `title` in jobs and health. */
  azure: string
  /** What jobs and health call it. */
  number?: number
  source: Source
}

export const signIn =
  'Sign in again: run `recovery-services-server login`; if the token comes from AZURE_ACCESS_TOKEN, put a new one there (`az account get-access-token --resource {endpoint}/`, with `--tenant` for the tenant of the subscription) and restart the server; if it comes from the Azure CLI, run `az login` (`--tenant` likewise).'
const apiVersion =
  'Azure does not offer this API version here: remove api_version from the configuration, or set one that the message lists.'
const registerProvider =
  'The subscription has not registered the resource provider: run `az provider register --namespace Microsoft.RecoveryServices` once (it needs Contributor on the subscription), wait some minutes, and try again.'
const subscription =
  'Check subscription_id in the configuration (or AZURE_SUBSCRIPTION_ID, or the subscription argument): there is no such subscription in the tenant that is signed in to, or this account cannot see it.'
const lacksRight =
  'The account lacks the right that the message names: ask an owner of that scope for a role that has it (Backup Reader, Backup Operator or Backup Contributor).'
const lacksLinkedRight =
  'The account lacks a right on another resource that the request names (a network, a storage account, a resource group): ask its owner for the action that the message names.'
export const throttled = 'Azure limits how often this may be asked: wait a minute, then try again.'
const emptyVault =
  'Stop protection and delete the backup data of everything in the vault, wait until soft-deleted items lapse, unregister its containers and delete its private endpoints; recovery_services_list_protected_items shows what is left.'
export const internal =
  'The fault is on the side of Azure. Wait some minutes and try again; if it stays, open a support case with the request id.'
const internalJob =
  'Do what the message and the recommendations say and start it again; where they name nothing on your side, wait some minutes first, and if it fails again open a support case with the id of the job.'
const values =
  'Azure did not accept a value of the request. Check the arguments against what recovery_services_list_policies and recovery_services_list_protected_items show.'
const policyValues =
  'Azure did not accept the schedule or the retention: compare them with a policy of the vault that works (recovery_services_get_policy_details).'
const immutable =
  'The vault is immutable: protection can only be stopped with retain "as_per_policy", and backup data cannot be deleted before it expires. If that was refused, the vault is not immutable: retain "forever". recovery_services_get_vault shows which.'
const vmGone =
  'The virtual machine or its resource group no longer exists or was moved. Restore from its recovery points if needed, or stop protection and retain the data.'
export const lookFirst =
  'Azure took too long. Try again in a minute; after a change look first at recovery_services_list_backup_jobs, because it may have been taken.'

/** Codes that say that all is well. */
export const noFaults: readonly KnownCode[] = [
  { azure: 'Success', number: 0, source: 'recorded 2021' },
  { azure: 'IaasVmHealthGreenDefault', number: 400239, source: 'recorded 2021' },
]

export const faults: readonly (KnownCode & Remedy)[] = [
  {
    azure: 'ResourceNotFound',
    source: 'recorded 2021',
    code: 'not_found',
    remediation:
      'Check name, resource group and subscription; recovery_services_list_vaults shows the vaults there are.',
  },
  {
    azure: 'ResourceGroupNotFound',
    source: 'general knowledge',
    code: 'not_found',
    remediation:
      'Check the resource group (resource_group in the configuration, or the group in the vault argument); recovery_services_list_vaults shows which groups hold vaults.',
  },
  {
    azure: 'SubscriptionNotFound',
    source: 'general knowledge',
    code: 'not_found',
    remediation: subscription,
  },
  {
    azure: 'InvalidSubscriptionId',
    source: 'general knowledge',
    code: 'not_found',
    remediation: subscription,
  },
  {
    azure: 'InvalidResourceNamespace',
    source: 'recorded later',
    code: 'not_found',
    remediation:
      'This Azure cloud no longer has such resources (classic storage and classic VMs are gone): name a current one.',
  },
  { azure: 'AuthorizationFailed', source: 'general knowledge', code: 'forbidden', remediation: lacksRight },
  { azure: 'LinkedAuthorizationFailed', source: 'general knowledge', code: 'forbidden', remediation: lacksLinkedRight },
  {
    azure: 'RequestDisallowedByPolicy',
    source: 'general knowledge',
    code: 'forbidden',
    remediation: 'An Azure Policy of the subscription or group forbids it: ask its owner for an exemption.',
  },
  {
    azure: 'ScopeLocked',
    source: 'general knowledge',
    code: 'precondition_failed',
    remediation: 'A resource lock forbids it: have the lock that the message names removed, then try again.',
  },
  {
    azure: 'InvalidAuthenticationToken',
    source: 'general knowledge',
    code: 'not_signed_in',
    remediation: signIn,
  },
  {
    azure: 'ExpiredAuthenticationToken',
    source: 'general knowledge',
    code: 'not_signed_in',
    remediation: signIn,
  },
  {
    azure: 'InvalidAuthenticationTokenTenant',
    source: 'general knowledge',
    code: 'not_signed_in',
    remediation: signIn,
  },
  {
    azure: 'InvalidAuthenticationTokenAudience',
    source: 'general knowledge',
    code: 'not_signed_in',
    remediation: signIn,
  },
  {
    azure: 'AuthenticationFailed',
    source: 'general knowledge',
    code: 'not_signed_in',
    remediation: signIn,
  },
  {
    azure: 'NoRegisteredProviderFound',
    source: 'general knowledge',
    code: 'not_configured',
    remediation: apiVersion,
  },
  {
    azure: 'InvalidApiVersionParameter',
    source: 'general knowledge',
    code: 'not_configured',
    remediation: apiVersion,
  },
  {
    azure: 'MissingSubscriptionRegistration',
    source: 'general knowledge',
    code: 'precondition_failed',
    remediation: registerProvider,
  },
  {
    azure: 'SubscriptionNotRegistered',
    source: 'general knowledge',
    code: 'precondition_failed',
    remediation: registerProvider,
  },
  {
    azure: 'ResourceRequestsThrottled',
    source: 'recorded 2021',
    code: 'throttled',
    remediation: throttled,
  },
  {
    azure: 'SubscriptionRequestsThrottled',
    source: 'general knowledge',
    code: 'throttled',
    remediation: throttled,
  },
  {
    azure: 'TooManyRequests',
    source: 'general knowledge',
    code: 'throttled',
    remediation: throttled,
  },
  {
    azure: 'GatewayTimeout',
    source: 'recorded 2021',
    code: 'timeout',
    remediation: lookFirst,
  },
  {
    azure: 'ServiceResourceNotEmptyWithBackendMessage',
    source: 'recorded 2021',
    code: 'precondition_failed',
    remediation: emptyVault,
  },
  {
    azure: 'BMSUserErrorVaultDeletionNotAllowed',
    source: 'reported',
    code: 'precondition_failed',
    remediation: emptyVault,
  },
  {
    azure: 'CloudInternalError',
    source: 'recorded 2021',
    code: 'azure_error',
    remediation: internal,
  },
  {
    azure: 'CloudInvalidInputError',
    source: 'reported',
    code: 'invalid_arguments',
    remediation: values,
  },
  {
    azure: 'UserErrorInvalidRequestParameter',
    source: 'reported',
    code: 'invalid_arguments',
    remediation: values,
  },
  {
    azure: 'BMSUserErrorInvalidInput',
    source: 'reported',
    code: 'invalid_arguments',
    remediation: values,
  },
  {
    azure: 'BMSUserErrorInvalidPolicyInput',
    source: 'reported',
    code: 'invalid_arguments',
    remediation: policyValues,
  },
  {
    azure: 'BMSUserErrorPolicyRetentionInvalid',
    source: 'reported',
    code: 'invalid_arguments',
    remediation: policyValues,
  },
  {
    azure: 'BMSUserErrorInvalidPolicyForGivenProvider',
    source: 'reported',
    code: 'invalid_arguments',
    remediation:
      'The policy is for another workload than the item: choose one that recovery_services_list_policies shows for it.',
  },
  {
    azure: 'BMSUserErrorPolicyObjectInUse',
    source: 'reported',
    code: 'precondition_failed',
    remediation:
      'Items still use the policy: recovery_services_list_protected_items with policy_name names them; give them another policy first. A standard policy cannot become an enhanced one.',
  },
  {
    azure: 'BMSUserErrorInvalidConfigureProtectionRequest',
    source: 'reported',
    code: 'invalid_arguments',
    remediation:
      'Container, item or source do not belong together: take the ids as Azure lists them; recovery_services_list_protectable_items shows those that can be protected.',
  },
  {
    azure: 'BMSUserErrorDataSourceObjectNotFound',
    source: 'reported',
    code: 'not_found',
    remediation: 'The vault does not know this item: recovery_services_list_protected_items shows those it protects.',
  },
  {
    azure: 'BMSUserErrorJobNotFound',
    source: 'general knowledge',
    code: 'not_found',
    remediation:
      'The vault has no such job: recovery_services_list_backup_jobs shows those of the last 24 hours, with since older ones.',
  },
  {
    azure: 'BMSUserErrorContainerObjectNotFound',
    source: 'general knowledge',
    code: 'not_found',
    remediation:
      'The server or storage account is not registered with the vault: register it first; recovery_services_check_registration_status shows what is.',
  },
  {
    azure: 'BMSUserErrorContainerHasDatasources',
    source: 'reported',
    code: 'precondition_failed',
    remediation:
      'The container still holds protected or soft-deleted items: stop their protection with deletion of the data, wait some minutes, and unregister again.',
  },
  {
    azure: 'BMSUserErrorNodePartOfActiveAG',
    source: 'reported',
    code: 'precondition_failed',
    remediation:
      'The server is a node of an active availability group: stop protecting the databases of the group first, then unregister.',
  },
  {
    azure: 'BMSUserErrorObjectLocked',
    source: 'general knowledge',
    code: 'conflict',
    remediation:
      'Another operation is running on this item: wait until it is over (recovery_services_list_backup_jobs with status InProgress shows it), then try again.',
  },
  {
    azure: 'BMSUserErrorDisablingSoftDeleteStateNotAllowed',
    source: 'reported',
    code: 'precondition_failed',
    remediation: 'Soft delete of this vault is always on and cannot be turned off.',
  },
  {
    azure: 'UserErrorOperationDeniedOnImmutableItem',
    source: 'reported',
    code: 'precondition_failed',
    remediation: immutable,
  },
  {
    azure: 'UserErrorUnsupportedVaultImmutabilityStateChange',
    source: 'reported',
    code: 'precondition_failed',
    remediation: 'A locked immutability cannot be undone, and a vault cannot be created locked.',
  },
  {
    azure: 'VirtualMachineAlreadyProtected',
    source: 'definition',
    code: 'conflict',
    remediation:
      'The virtual machine is already protected, perhaps by another vault: recovery_services_list_protected_items of each vault shows by which.',
  },
  {
    azure: 'UserErrorCoreCountSubscriptionQuotaReached',
    source: 'definition',
    code: 'precondition_failed',
    remediation:
      'The subscription has no cores left for the restored machine: raise its quota in that region, or restore disks only.',
  },
  {
    azure: 'UserErrorVmNotFoundV2',
    number: 400136,
    source: 'recorded 2021',
    code: 'not_found',
    remediation: vmGone,
  },
  {
    azure: 'UserErrorGenericResourceNotFound',
    number: 400309,
    source: 'recorded 2021',
    code: 'not_found',
    remediation: 'A resource that the operation needs no longer exists: the message names it.',
  },
  {
    azure: 'UserErrorGuestAgentStatusUnavailable',
    number: 400196,
    source: 'recorded 2021',
    code: 'precondition_failed',
    remediation:
      'The VM agent does not answer: the machine must be running, its agent current and able to reach 168.63.129.16 on ports 80 and 32526.',
  },
  {
    azure: 'UserErrorRpCollectionDeleted',
    number: 400288,
    source: 'recorded 2021',
    code: 'precondition_failed',
    remediation:
      'The resource group that holds the snapshots (AzureBackupRG_…) was deleted: the next scheduled backup makes it anew; remove locks from it.',
  },
  {
    azure: 'UserErrorJobSuccessfullyCancelled',
    number: 400158,
    source: 'recorded 2021',
    code: 'cancelled',
    remediation: 'The job was cancelled by a user; start it again if needed.',
  },
  {
    azure: 'UserErrorIncompatibleSrcTargetSystemsForRestore',
    number: 520512,
    source: 'recorded 2021',
    code: 'precondition_failed',
    remediation:
      'Source and target systems do not fit (version, edition or system type): choose a target like the source.',
  },
  {
    azure: 'BackUpOperationFailed',
    number: 400002,
    source: 'recorded 2021',
    code: 'azure_error',
    remediation: internalJob,
  },
  {
    azure: 'DataTransferFromVaultFailed',
    number: 400004,
    source: 'recorded 2021',
    code: 'azure_error',
    remediation: internalJob,
  },
  {
    azure: 'DiskAPIRevokeSASFailed',
    number: 400380,
    source: 'recorded 2021',
    code: 'azure_error',
    remediation: internalJob,
  },
  {
    azure: 'WorkloadRestoreFailed',
    number: 510011,
    source: 'recorded 2021',
    code: 'azure_error',
    remediation: 'The database server refused the restore: its own error log on the target says why.',
  },
]
