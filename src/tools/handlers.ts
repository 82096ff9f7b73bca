/** Joins the nouns into the one map that every schema demands. */
import { backups } from '../backup/backups.ts'
import { connection } from '../backup/connection.ts'
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
import { recoveryPoints } from '../backup/recovery-points.ts'
import { registration } from '../backup/registration.ts'
import { vaults } from '../backup/vaults.ts'
import { workloadItems } from '../backup/workload-items.ts'
import type { Handlers } from './context.ts'

export const handlers: Handlers = {
  ...vaults,
  ...connection,
  ...registration,
  ...protectableContainers,
  ...protectableItems,
  ...workloadItems,
  ...policies,
  ...policyDeletion,
  ...policyCreation,
  ...policyChanges,
  ...protectedItems,
  ...backups,
  ...jobs,
  ...jobChanges,
  ...recoveryPoints,
  ...operations,
}
