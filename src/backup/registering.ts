/**
 * Registering VMs for the backup of the databases in them, and doing it anew (section 2.2 of the wire facts). One container
 * stands for a VM: each workload is a PUT of its own, which adds to it. The backup of the VM itself needs no registration.
 */
import type { RegisterVmInput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { carryOut } from './changes.ts'
import { isRegistered, toContainer } from './containers.ts'
import { datasources } from './datasources.ts'
import { machineOf } from './machines.ts'
import type { Plan, PlannedRequest } from './plans.ts'
import { inWords, mustBeOneVm, type Registered, readRegistered } from './registered-machines.ts'
import { type DatabaseWorkload, databases, registeredFor } from './registration.ts'
import { type Posture, postureOf } from './security.ts'
import { checkVault, withVaultOf } from './vault-names.ts'
import { discoverVm } from './vm-discovery.ts'

/** A registration takes Azure minutes; what is wrong with it shows sooner. */
const usualWaitSeconds = 45

type Word = Exclude<RegisterVmInput['workload_type'], 'VM'>

/** The databases that a word asks for. */
const askedOf = (word: Word): readonly DatabaseWorkload[] => (word === 'AnyDatabase' ? databases : [word])

const ifLost =
  'To repeat it does no harm: call again, or see with recovery_services_check_registration_status what is registered.'

/** The PUTs that register a VM for workloads, one after another; each adds to what the one before it made. */
const requestsFor = (
  { containerId, sourceId, standing, workloads: held }: Registered,
  workloads: readonly DatabaseWorkload[],
  how: 'register' | 'reregister',
): PlannedRequest[] =>
  workloads.map(
    (workload, at): PlannedRequest => ({
      method: 'PUT',
      path: containerId,
      body: {
        properties: {
          backupManagementType: 'AzureWorkload',
          containerType: 'VMAppContainer',
          sourceResourceId: sourceId,
          workloadType: datasources[workload].azureWord,
          ...(how === 'reregister' ? { operationType: 'Reregister' } : {}),
        },
      },
      note: `${how} for ${inWords([workload])}`,
      ifLost,
      // The later ones find what the earlier ones made.
      ...(at === 0 ? { before: standing } : {}),
      ...(how === 'register' && !held.includes(workload)
        ? { isDone: after => after.kind === 'present' && registeredFor(toContainer(after.body)).includes(workload) }
        : {}),
    }),
  )

const kept = ({ workloads }: Registered): string[] => [
  'the VM, its databases and all recovery points there are',
  ...(workloads.length > 0 ? [`its registration for ${inWords(workloads)}`] : []),
]

/** A plan, and what the VM is registered for when it is done. */
type RegistrationPlan = Plan & { workloads: readonly DatabaseWorkload[] }

const registerPlan = (machine: Registered, posture: Posture, word: Word): RegistrationPlan => {
  const { label, workloads, containerId } = machine
  const { vaultName } = posture.vault
  const asked = askedOf(word)
  const left = asked.filter(workload => !workloads.includes(workload))
  const order = left.length > 1 ? ', one after another' : ''
  return {
    summary:
      left.length > 0
        ? `Register ${label} with ${vaultName} for the backup of ${inWords(left)} databases${order}.`
        : `${label} is registered with ${vaultName} for ${inWords(asked)} already; there is nothing to send.`,
    requests: requestsFor(machine, left, 'register'),
    keeps: kept(machine),
    loses: [],
    posture,
    itemId: containerId,
    workloads: asked,
  }
}

const reregisterPlan = (machine: Registered, posture: Posture, word: Word): RegistrationPlan => {
  const { label, container, workloads, containerId } = machine
  const { vaultName } = posture.vault
  const refuse = (message: string, remediation: string) =>
    new Problem('precondition_failed', message, remediation, {
      details: { container_id: containerId, registered_for: [...workloads] },
    })
  if (!container || !isRegistered(container)) {
    const status = container?.registrationStatus
    throw refuse(
      `${label} is not registered with ${vaultName}${status ? `: its registration is ${status}` : ''}.`,
      'Register it with recovery_services_register_vm.',
    )
  }
  // A container whose inquiry failed tells of no workload, and is what one registers anew.
  const anew = word === 'AnyDatabase' ? workloads : askedOf(word)
  if (anew.length === 0)
    throw refuse(
      `Azure does not tell what ${label} is registered for.`,
      'Name the workload_type that is to be registered anew: SQL, SAPHana or SAPAse.',
    )
  if (workloads.length > 0 && !anew.every(workload => workloads.includes(workload)))
    throw refuse(
      `${label} is registered with ${vaultName} for ${inWords(workloads)}, not for ${inWords(anew)}.`,
      'Add the workload with recovery_services_register_vm.',
    )
  return {
    summary: `Register ${label} with ${vaultName} anew for ${inWords(anew)}.`,
    requests: requestsFor(machine, anew, 'reregister'),
    keeps: kept(machine),
    loses: [],
    posture,
    itemId: containerId,
    workloads: anew,
  }
}

const needsNone = (): Problem =>
  new Problem(
    'precondition_failed',
    'Azure needs no registration for the backup of a VM itself, so there is nothing to register anew.',
    'See why its backups fail with recovery_services_list_protected_items or recovery_services_get_job_details. For the databases in it give SQL, SAPHana, SAPAse or AnyDatabase.',
  )

type Planner = (machine: Registered, posture: Posture, word: Word) => RegistrationPlan

const change = (
  tool: 'register_vm' | 'reregister_vm',
  input: RegisterVmInput,
  word: Word,
  context: ToolContext,
  planOf: Planner,
) =>
  withVaultOf('vm', input.vm, input.vault, context, async vault => {
    const [machine, posture] = await Promise.all([
      readRegistered(machineOf('vm', input.vm), vault, context),
      postureOf(vault, context),
    ])
    const plan = planOf(machine, posture, word)
    const { changed } = await carryOut(tool, input, context, plan, usualWaitSeconds).catch((error: unknown) => {
      throw error instanceof Problem ? explained(error, machine, posture) : error
    })
    return {
      ...changed,
      ...(changed.status === 'planned' ? {} : { message: toldOf(changed.status, machine, plan, vault) }),
      vault_name: vault.vaultName,
      item_id: null,
      container_id: machine.containerId,
      friendly_name: machine.server,
    }
  })

/** What Azure answers for a VM that it cannot find tells nothing of the VM. */
const explained = (problem: Problem, { container, sourceId }: Registered, { vault, location }: Posture): Problem => {
  const { code, azureCode, httpStatus, requestId, details } = problem
  if (container || !/InvalidInput|ObjectNotFound/i.test(azureCode ?? '')) return problem
  return new Problem(
    code,
    `${vault.vaultName} registers no ${sourceId}: ${problem.message}`,
    `Check group and name. The VM has to be in the vault's region (${location}) and subscription (${vault.subscriptionId}); recovery_services_list_protectable_containers with backup_management_type AzureWorkload shows those that can be registered.`,
    { azureCode, httpStatus, requestId, details, cause: problem },
  )
}

const toldOf = (status: string, machine: Registered, plan: RegistrationPlan, { vaultName }: VaultRef): string => {
  const { label, server } = machine
  if (plan.requests.length === 0) return plan.summary
  if (status === 'in_progress')
    return `Azure is registering ${label}, which takes some minutes. recovery_services_track_async_operation with operation_id follows it.`
  return `${label} is registered with ${vaultName} for ${inWords(plan.workloads)}. recovery_services_list_protectable_items with server ${server} shows its databases.`
}

const check = (input: RegisterVmInput, context: ToolContext): void =>
  checkAll(
    () => mustBeOneVm(input.vm),
    () => checkVault(input.vault, context),
  )

const registerVm: Handlers['register_vm'] = async (input, context) => {
  check(input, context)
  const { workload_type: word } = input
  if (word === 'VM') return discoverVm(input, context)
  return change('register_vm', input, word, context, registerPlan)
}

const reregisterVm: Handlers['reregister_vm'] = async (input, context) => {
  check(input, context)
  const { workload_type: word } = input
  if (word === 'VM') throw needsNone()
  return change('reregister_vm', input, word, context, reregisterPlan)
}

export const registering = {
  register_vm: registerVm,
  reregister_vm: reregisterVm,
} satisfies Partial<Handlers>
