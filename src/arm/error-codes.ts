/**
 * What to do about an error of Azure: one table from Azure's code, one from the HTTP status for codes that it lacks.
 * Sentences are for a backup administrator; tools are named as they are called.
 */
import type { ProblemCode } from '../problem.ts'

export interface Remedy {
  code: ProblemCode
  /** `{endpoint}` stands for the configured ARM origin. */
  remediation: string
}

const signIn =
  'Sign in again: if the token comes from AZURE_ACCESS_TOKEN, put a new one there (`az account get-access-token --resource {endpoint}/`, with `--tenant` for the tenant of the subscription) and restart the server; if it comes from the Azure CLI, run `az login` (`--tenant` likewise).'
const apiVersion =
  'Azure does not offer this API version here: remove api_version from the configuration, or set one that the message lists.'
const registerProvider =
  'The subscription has not registered the resource provider: run `az provider register --namespace Microsoft.RecoveryServices` once (it needs Contributor on the subscription), wait some minutes, and try again.'
const subscription =
  'Check subscription_id in the configuration (or AZURE_SUBSCRIPTION_ID, or the subscription argument): there is no such subscription in the tenant that is signed in to, or this account cannot see it.'
const throttled = 'Azure limits how often this may be asked: wait a minute, then try again.'
const emptyVault =
  'Stop protection and delete the backup data of everything in the vault, wait until soft-deleted items lapse, unregister its containers and delete its private endpoints; recovery_services_list_protected_items shows what is left.'
const internal =
  'The fault is on the side of Azure. Wait some minutes and try again; if it stays, open a support case with the request id.'
const values =
  'Azure did not accept a value of the request. Check the arguments against what recovery_services_list_policies and recovery_services_list_protected_items show.'
const policyValues =
  'Azure did not accept the schedule or the retention: compare them with a policy of the vault that works.'
const immutable =
  'The vault is immutable: protection can only be stopped with retain "as_per_policy", and backup data cannot be deleted before it expires. If that was refused, the vault is not immutable: retain "forever". recovery_services_get_vault shows which.'
const vmGone =
  'The virtual machine or its resource group no longer exists or was moved. Restore from its recovery points if needed, or stop protection and retain the data.'
const lookFirst =
  'Azure took too long. Try again in a minute; after a change look first at recovery_services_list_backup_jobs, because it may have been taken.'

/** By Azure's code in lower case. */
const byCode: Readonly<Record<string, Remedy>> = {
  resourcenotfound: {
    code: 'not_found',
    remediation:
      'Check name, resource group and subscription; recovery_services_list_vaults shows the vaults there are.',
  },
  resourcegroupnotfound: {
    code: 'not_found',
    remediation:
      'Check the resource group (resource_group in the configuration, or the group in the vault argument); recovery_services_list_vaults shows which groups hold vaults.',
  },
  subscriptionnotfound: { code: 'not_found', remediation: subscription },
  invalidsubscriptionid: { code: 'not_found', remediation: subscription },
  invalidresourcenamespace: {
    code: 'not_found',
    remediation:
      'This Azure cloud no longer has such resources (classic storage and classic VMs are gone): name a current one.',
  },
  requestdisallowedbypolicy: {
    code: 'forbidden',
    remediation: 'An Azure Policy of the subscription or group forbids it: ask its owner for an exemption.',
  },
  scopelocked: {
    code: 'precondition_failed',
    remediation: 'A resource lock forbids it: have the lock that the message names removed, then try again.',
  },
  invalidauthenticationtoken: { code: 'not_signed_in', remediation: signIn },
  expiredauthenticationtoken: { code: 'not_signed_in', remediation: signIn },
  invalidauthenticationtokentenant: { code: 'not_signed_in', remediation: signIn },
  invalidauthenticationtokenaudience: { code: 'not_signed_in', remediation: signIn },
  authenticationfailed: { code: 'not_signed_in', remediation: signIn },
  noregisteredproviderfound: { code: 'not_configured', remediation: apiVersion },
  invalidapiversionparameter: { code: 'not_configured', remediation: apiVersion },
  missingsubscriptionregistration: { code: 'precondition_failed', remediation: registerProvider },
  subscriptionnotregistered: { code: 'precondition_failed', remediation: registerProvider },
  resourcerequeststhrottled: { code: 'throttled', remediation: throttled },
  subscriptionrequeststhrottled: { code: 'throttled', remediation: throttled },
  toomanyrequests: { code: 'throttled', remediation: throttled },
  gatewaytimeout: { code: 'timeout', remediation: lookFirst },
  serviceresourcenotemptywithbackendmessage: { code: 'precondition_failed', remediation: emptyVault },
  bmsusererrorvaultdeletionnotallowed: { code: 'precondition_failed', remediation: emptyVault },
  cloudinternalerror: { code: 'azure_error', remediation: internal },
  cloudinvalidinputerror: { code: 'invalid_arguments', remediation: values },
  usererrorinvalidrequestparameter: { code: 'invalid_arguments', remediation: values },
  bmsusererrorinvalidinput: { code: 'invalid_arguments', remediation: values },
  bmsusererrorinvalidpolicyinput: { code: 'invalid_arguments', remediation: policyValues },
  bmsusererrorpolicyretentioninvalid: { code: 'invalid_arguments', remediation: policyValues },
  bmsusererrorinvalidpolicyforgivenprovider: {
    code: 'invalid_arguments',
    remediation:
      'The policy is for another workload than the item: choose one that recovery_services_list_policies shows for it.',
  },
  bmsusererrorpolicyobjectinuse: {
    code: 'precondition_failed',
    remediation:
      'Items still use the policy: recovery_services_list_protected_items with policy_name names them; give them another policy first. A standard policy cannot become an enhanced one.',
  },
  bmsusererrorinvalidconfigureprotectionrequest: {
    code: 'invalid_arguments',
    remediation: 'Container, item or source do not belong together: take the ids as Azure lists them.',
  },
  bmsusererrordatasourceobjectnotfound: {
    code: 'not_found',
    remediation: 'The vault does not know this item: recovery_services_list_protected_items shows those it protects.',
  },
  bmsusererrorcontainerobjectnotfound: {
    code: 'not_found',
    remediation: 'The server or storage account is not registered with the vault: register it first.',
  },
  bmsusererrorcontainerhasdatasources: {
    code: 'precondition_failed',
    remediation:
      'The container still holds protected or soft-deleted items: stop their protection with deletion of the data, wait some minutes, and unregister again.',
  },
  bmsusererrornodepartofactiveag: {
    code: 'precondition_failed',
    remediation:
      'The server is a node of an active availability group: stop protecting the databases of the group first, then unregister.',
  },
  bmsusererrorobjectlocked: {
    code: 'conflict',
    remediation:
      'Another operation is running on this item: wait until it is over (recovery_services_list_backup_jobs with status InProgress shows it), then try again.',
  },
  bmsusererrordisablingsoftdeletestatenotallowed: {
    code: 'precondition_failed',
    remediation: 'Soft delete of this vault is always on and cannot be turned off.',
  },
  usererroroperationdeniedonimmutableitem: { code: 'precondition_failed', remediation: immutable },
  usererrorunsupportedvaultimmutabilitystatechange: {
    code: 'precondition_failed',
    remediation: 'A locked immutability cannot be undone, and a vault cannot be created locked.',
  },
  virtualmachinealreadyprotected: {
    code: 'conflict',
    remediation:
      'The virtual machine is already protected, perhaps by another vault: recovery_services_list_protected_items of each vault shows by which.',
  },
  usererrorcorecountsubscriptionquotareached: {
    code: 'precondition_failed',
    remediation:
      'The subscription has no cores left for the restored machine: raise its quota in that region, or restore disks only.',
  },
  usererrorvmnotfoundv2: { code: 'not_found', remediation: vmGone },
  usererrorgenericresourcenotfound: {
    code: 'not_found',
    remediation: 'A resource that the operation needs no longer exists: the message names it.',
  },
  usererrorguestagentstatusunavailable: {
    code: 'precondition_failed',
    remediation:
      'The VM agent does not answer: the machine must be running, its agent current and able to reach 168.63.129.16 on ports 80 and 32526.',
  },
  usererrorrpcollectiondeleted: {
    code: 'precondition_failed',
    remediation:
      'The resource group that holds the snapshots (AzureBackupRG_…) was deleted: the next scheduled backup makes it anew; remove locks from it.',
  },
  usererrorjobsuccessfullycancelled: {
    code: 'cancelled',
    remediation: 'The job was cancelled by a user; start it again if needed.',
  },
  usererrorincompatiblesrctargetsystemsforrestore: {
    code: 'precondition_failed',
    remediation:
      'Source and target systems do not fit (version, edition or system type): choose a target like the source.',
  },
  backupoperationfailed: { code: 'azure_error', remediation: internal },
  datatransferfromvaultfailed: { code: 'azure_error', remediation: internal },
  diskapirevokesasfailed: { code: 'azure_error', remediation: internal },
  workloadrestorefailed: {
    code: 'azure_error',
    remediation: 'The database server refused the restore: its own error log on the target says why.',
  },
}

const byStatus: Readonly<Record<number, Remedy>> = {
  401: { code: 'not_signed_in', remediation: signIn },
  403: { code: 'forbidden', remediation: 'The account lacks a right.' },
  404: {
    code: 'not_found',
    remediation:
      'Check name, resource group and subscription: recovery_services_list_vaults shows vaults, recovery_services_list_protected_items what they protect.',
  },
  407: {
    code: 'unreachable',
    remediation: 'The proxy asks for credentials: put them into http.proxy (or HTTPS_PROXY).',
  },
  408: { code: 'timeout', remediation: lookFirst },
  409: {
    code: 'conflict',
    remediation: 'Something else is being done to it: wait until that is over, then try again.',
  },
  410: { code: 'not_found', remediation: 'It is gone; list again to see what there is now.' },
  412: { code: 'conflict', remediation: 'It was changed meanwhile: read it again and repeat the change.' },
  423: { code: 'conflict', remediation: 'It is locked by another operation: wait until that is over, then try again.' },
  429: { code: 'throttled', remediation: throttled },
  504: { code: 'timeout', remediation: lookFirst },
}
const refused: Remedy = {
  code: 'azure_error',
  remediation: 'Azure refused the request; its message says why. Correct what it names and try again.',
}

/** True where the table has a row for Azure's code. */
export const isKnownCode = (azureCode: string | undefined): boolean =>
  azureCode !== undefined && Object.hasOwn(byCode, azureCode.toLowerCase())

const refusedSilently: Remedy = {
  code: 'azure_error',
  remediation:
    'The request was refused without a reason: check the arguments, api_version and arm_endpoint; a proxy (http.proxy or HTTPS_PROXY) may have answered in place of Azure.',
}

/** Our code and the remedy for an error of Azure: by its code, else by the HTTP status. */
export function remedyFor(azureCode: string | undefined, httpStatus: number, hasReason: boolean): Remedy {
  const own = azureCode && isKnownCode(azureCode) ? byCode[azureCode.toLowerCase()] : undefined
  const other = httpStatus >= 500 ? { code: 'azure_error' as const, remediation: internal } : undefined
  return own ?? byStatus[httpStatus] ?? other ?? (hasReason ? refused : refusedSilently)
}
