/** Joins the nouns into the one map that every schema demands. */
import { backups } from '../backup/backups.ts'
import { connection } from '../backup/connection.ts'
import { discovering } from '../backup/discovering.ts'
import { fileRecovery } from '../backup/file-recovery.ts'
import { jobChanges } from '../backup/job-changes.ts'
import { jobs } from '../backup/jobs.ts'
import { operations } from '../backup/operations.ts'
import { policies } from '../backup/policies.ts'
import { policyChanges } from '../backup/policy-changes.ts'
import { policyCreation } from '../backup/policy-creation.ts'
import { policyDeletion } from '../backup/policy-deletion.ts'
import { protectableContainers } from '../backup/protectable-containers.ts'
import { protectableItems } from '../backup/protectable-items.ts'
import { protectedItems } from '../backup/protected-items.ts'
import { protecting } from '../backup/protecting.ts'
import { recoveryPoints } from '../backup/recovery-points.ts'
import { registering } from '../backup/registering.ts'
import { registration } from '../backup/registration.ts'
import { vmRestores } from '../backup/restore-vm.ts'
import { resuming } from '../backup/resuming.ts'
import { signIns } from '../backup/sign-in.ts'
import { stopping } from '../backup/stopping.ts'
import { undeleting } from '../backup/undeleting.ts'
import { unregistering } from '../backup/unregistering.ts'
import { vaults } from '../backup/vaults.ts'
import { workloadItems } from '../backup/workload-items.ts'
import type { Handlers } from './context.ts'

export const handlers: Handlers = {
  ...vaults,
  ...connection,
  ...registering,
  ...unregistering,
  ...registration,
  ...discovering,
  ...protectableContainers,
  ...protectableItems,
  ...workloadItems,
  ...policies,
  ...policyCreation,
  ...policyDeletion,
  ...protecting,
  ...stopping,
  ...resuming,
  ...undeleting,
  ...policyChanges,
  ...protectedItems,
  ...backups,
  ...jobs,
  ...jobChanges,
  ...recoveryPoints,
  ...vmRestores,
  ...fileRecovery,
  ...operations,
  ...signIns,
}
