/**
 * Whether a VM is registered for the backup of its databases, and whether it is protected itself: one container tells the
 * first, one question to the region of the vault the second.
 */
import type { CheckRegistrationStatusInput, CheckRegistrationStatusOutput } from '../generated/tools.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { checkAll } from '../tools/input-error.ts'
import { parseArmId, sameText, type VaultRef } from './arm-ids.ts'
import { type Container, type Found, findMachine, isRegistered, readContainer, toContainer } from './containers.ts'
import { type Workload, workloadOf } from './datasources.ts'
import type { Fault } from './faults.ts'
import { type Fields, fields, list, text, time, whole } from './fields.ts'
import { type Machine, machineOf, vmId } from './machines.ts'
import { checkVault, withVaultOf } from './vault-names.ts'
import { regionOf, toldFault, vmProtection } from './vm-protection.ts'

type Status = CheckRegistrationStatusOutput
type WorkloadRow = Status['workloads'][number]

/** What a machine can be registered for, in the order in which it is. */
export const databases = ['SQL', 'SAPHana', 'SAPAse'] as const satisfies Workload[]
export type DatabaseWorkload = (typeof databases)[number]

/** The databases that a word asks for, and whether the VM itself is meant. */
const askedOf = ({ workload_type: word }: CheckRegistrationStatusInput) => ({
  workloads: databases.filter(workload => word === undefined || word === 'AnyDatabase' || word === workload),
  isVmAsked: word === undefined || word === 'VM',
})

const faultIn = (told: Fields): Fault | null => {
  const detail = fields(told.errorDetail)
  return toldFault({ ...detail, message: text(detail.message) ?? told.additionalDetail })
}

/** Databases by what they are: newer versions of the service count them in a table of their own. */
const countOf = (detail: Fields): number | null => {
  const counts = Object.values(fields(fields(detail.inquiryValidation).protectableItemCount)).flatMap(
    count => whole(count) ?? [],
  )
  return whole(detail.itemCount) ?? (counts.length > 0 ? counts.reduce((sum, count) => sum + count, 0) : null)
}

const toWorkloadRow = (workload: Workload, container: Container | undefined): WorkloadRow => {
  const none = { registration_status: null, health: null, item_count: null, error: null }
  if (!container) return { workload_type: workload, is_registered: false, ...none }
  const { properties } = container
  const extended = fields(properties.extendedInfo)
  const inquiry = fields(extended.inquiryInfo)
  const details = list(inquiry.inquiryDetails)
  const isOf = (word: unknown) => workloadOf(text(word), 'AzureWorkload') === workload
  const detail = details.find(({ type }) => isOf(type))
  const isHeld = detail !== undefined || isOf(properties.workloadType)
  // A container that tells of no workload at all, its inquiry having failed, tells it of every one.
  const isTold = isHeld || (details.length === 0 && workloadOf(text(properties.workloadType)) === undefined)
  if (!isTold) return { workload_type: workload, is_registered: false, ...none }
  const faults = [fields(detail?.inquiryValidation), inquiry, ...list(extended.nodesList)]
  return {
    workload_type: workload,
    is_registered: isHeld && isRegistered(container),
    registration_status: container.registrationStatus,
    health: text(properties.healthStatus),
    item_count: detail ? countOf(detail) : null,
    error: faults.map(faultIn).find(fault => fault !== null) ?? null,
  }
}

/** The databases that a container is registered for, as it tells them itself. */
export const registeredFor = (container: Container): DatabaseWorkload[] =>
  databases.filter(workload => toWorkloadRow(workload, container).is_registered)

/** True for the container of a VM of the same group and name in another subscription than that of the given id. */
export const isOfAnother = ({ sourceId }: Container, machine: Machine): boolean => {
  const owner = parseArmId(sourceId ?? '')?.subscriptionId
  return (
    machine.kind === 'container' &&
    machine.isVmId &&
    owner !== undefined &&
    !sameText(owner, machine.vm?.subscriptionId)
  )
}

const checkRegistrationStatus: Handlers['check_registration_status'] = (input, context) => {
  checkAll(
    () => machineOf('vm', input.vm),
    () => checkVault(input.vault, context),
  )
  const machine = machineOf('vm', input.vm)
  return withVaultOf('vm', input.vm, input.vault, context, vault => statusIn(vault, machine, input, context))
}

const statusIn = async (
  vault: VaultRef,
  machine: Machine,
  input: CheckRegistrationStatusInput,
  context: ToolContext,
): Promise<Status> => {
  const { workloads, isVmAsked } = askedOf(input)
  const warnings: string[] = []
  const [found, region] = await Promise.all([
    machine.kind === 'name'
      ? findMachine(machine.name, { isVm: isVmAsked, isDatabase: workloads.length > 0 }, vault, context)
      : undefined,
    isVmAsked ? regionOf(vault, context, warnings) : null,
  ])
  const reading = containerOf(machine, found, workloads.length > 0, vault, context)
  const named = machine.kind === 'container' && machine.vm ? vmId(machine.vm, vault) : (found?.row.sourceId ?? null)
  const ofVm = async (region: string) => {
    // The name of a group's container tells no VM.
    const id = named ?? (await reading)?.sourceId
    return id ? vmProtection(id, region, context, warnings) : null
  }
  const [container, protection] = await Promise.all([reading, region === null ? null : ofVm(region)])
  const told = container ?? found?.row
  const source = parseArmId(told?.sourceId ?? named ?? '')
  return {
    vm_name: told?.vmName ?? source?.names.get('virtualmachines') ?? null,
    resource_group: told?.resourceGroup ?? source?.resourceGroup ?? null,
    vault_name: vault.vaultName,
    source_id: told?.sourceId ?? named,
    id: container?.id ?? null,
    friendly_name: told?.friendlyName ?? null,
    server_name: container?.serverName ?? null,
    last_updated_time: time(container?.properties.lastUpdatedTime),
    workloads: workloads.map(workload => toWorkloadRow(workload, container)),
    vm_protection: protection,
    ...(warnings.length > 0 ? { warnings } : {}),
  }
}

/** A list's row is the container already. Undefined where none is registered, or where nobody asked for one. */
const containerOf = async (
  machine: Machine,
  found: Found | undefined,
  isAsked: boolean,
  vault: VaultRef,
  context: ToolContext,
): Promise<Container | undefined> => {
  if (found?.isContainer) return found.row
  if (machine.kind === 'name' || !isAsked) return undefined
  const standing = await readContainer(machine.containerName, vault, context)
  const container = standing.kind === 'present' ? toContainer(standing.body) : undefined
  return container && !isOfAnother(container, machine) ? container : undefined
}

export const registration = { check_registration_status: checkRegistrationStatus } satisfies Partial<Handlers>
