/**
 * A refusal for want of rights, turned into what an administrator can ask for: the Azure action that is missing, its
 * scope, and the least built-in role that has it.
 * https://learn.microsoft.com/azure/backup/backup-rbac-rs-vault
 */
import { azureAction, vaultIdOf } from './paths.ts'

/** First fit counts. Actions are matched as Azure spells them, in any letter case. */
const leastRoles: readonly (readonly [action: RegExp, role: string])[] = [
  [/^Microsoft\.DataProtection\/resourceGuards\//i, 'Backup MUA Operator'],
  // Backup Reader cannot read what is not protected yet.
  [/\/(backupProtectableItems|protectableContainers)\/read$/i, 'Reader'],
  [/^Microsoft\.RecoveryServices\/.*\/read$/i, 'Backup Reader'],
  [/^Microsoft\.RecoveryServices\/locations\/backup(Status|ValidateFeatures|CrrJobs?)\/action$/i, 'Backup Reader'],
  [
    /^Microsoft\.RecoveryServices\/.*\/(protectedItems|protectionContainers|backupProtectionIntent)\/write$/i,
    'Backup Operator',
  ],
  [
    /^Microsoft\.RecoveryServices\/.*\/(backup|restore|provisionInstantItemRecovery|revokeInstantItemRecovery|refreshContainers|inquire|cancel|accessToken|backupCrossRegionRestore|backupPreValidateProtection|backupValidateOperation|backupTriggerValidateOperation|backupJobsExport)\/action$/i,
    'Backup Operator',
  ],
  [/^Microsoft\.RecoveryServices\//i, 'Backup Contributor'],
  [/\/read$/i, 'Reader'],
  [/^Microsoft\.Compute\//i, 'Virtual Machine Contributor'],
  [/^Microsoft\.Network\//i, 'Network Contributor'],
  [/^Microsoft\.Storage\//i, 'Storage Account Contributor'],
]

/** The least built-in role that allows an action; Contributor for what no narrower one is known for. */
export const leastRole = (action: string): string =>
  leastRoles.find(([pattern]) => pattern.test(action))?.[1] ?? 'Contributor'

export interface MissingRight {
  action: string
  scope: string
  role: string
}

/**
 * What Azure says is missing ("does not have authorization to perform action 'A' over scope 'S'", "… action(s) 'A' on
 * the linked scope(s) 'S'"); where it says nothing, what the request needs.
 */
export function missingRight(request: { method: string; path: string }, message = ''): MissingRight {
  const said =
    /does not have (?:authorization|permission) to perform (?:the )?action(?:\(s\))? '([^']+)' (?:over|on) (?:the )?(?:linked )?scope(?:\(s\))? '([^']+)'/i.exec(
      message,
    )
  const action = said?.[1]?.split(',')[0] ?? azureAction(request.method, request.path)
  const scope = said?.[2]?.split(',')[0] ?? vaultIdOf(request.path) ?? request.path
  return { action, scope, role: leastRole(action) }
}
