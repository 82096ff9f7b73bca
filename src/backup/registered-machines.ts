/** The machine that a change of registration is about, and its container as it stands. */
import type { Standing } from '../arm/arm.ts'
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { badArgument } from '../tools/input-error.ts'
import type { VaultRef } from './arm-ids.ts'
import { type Container, containerPath, findMachine, readContainer, toContainer } from './containers.ts'
import { datasources } from './datasources.ts'
import { type Machine, machineOf, vmId } from './machines.ts'
import { and } from './phrases.ts'
import { type DatabaseWorkload, isOfAnother, registeredFor } from './registration.ts'

export interface Registered {
  /** As people name it: `sql-01 (rg-data)`. */
  label: string
  /** `sql-01`, for the tools that take a server. */
  server: string
  containerId: string
  containerName: string
  /** Id of the VM; undefined for an availability group. */
  sourceId: string | undefined
  standing: Standing
  /** Undefined where none is registered. */
  container: Container | undefined
  /** What it is registered for; empty too where Azure does not tell. */
  workloads: readonly DatabaseWorkload[]
}

/** One read of the container; for a bare name one or two lists before it. Throws Problem `not_found`, `ambiguous`, `conflict`. */
export const readRegistered = async (machine: Machine, vault: VaultRef, context: ToolContext): Promise<Registered> => {
  const found =
    machine.kind === 'name'
      ? (await findMachine(machine.name, { isVm: false, isDatabase: true }, vault, context)).row
      : undefined
  const containerName = machine.kind === 'container' ? machine.containerName : (found?.name ?? '')
  const standing = await readContainer(containerName, vault, context)
  const container = standing.kind === 'present' ? toContainer(standing.body) : undefined
  if (container && isOfAnother(container, machine)) throw ofAnother(container, vault)
  const told = container ?? found
  const named = machine.kind === 'container' ? machine.vm : undefined
  const server = told?.vmName ?? named?.vmName ?? told?.friendlyName ?? containerName
  const group = told?.resourceGroup ?? named?.resourceGroup
  return {
    label: group === undefined || group === null ? server : `${server} (${group})`,
    server,
    containerId: container?.id || containerPath(vault, containerName),
    containerName: container?.name ?? containerName,
    sourceId: told?.sourceId ?? (named && vmId(named, vault)),
    standing,
    container,
    workloads: container ? registeredFor(container) : [],
  }
}

const ofAnother = ({ sourceId, id }: Container, vault: VaultRef): Problem =>
  new Problem(
    'conflict',
    `What is registered with ${vault.vaultName} under this group and name is another VM: ${sourceId}.`,
    'Name the VM that is meant by its whole ARM id, or the vault of its own subscription.',
    { details: { container_id: id, source_id: sourceId } },
  )

/** Throws InputError for an availability group, which has no VM of its own to register. */
export const mustBeOneVm = (given: string): void => {
  const machine = machineOf('vm', given)
  if (machine.kind === 'container' && !machine.vm)
    throw badArgument('vm', 'is the container of an availability group; register each VM of the group')
}

/** `SQL, SAP HANA and SAP ASE`. */
export const inWords = (workloads: readonly DatabaseWorkload[]): string =>
  and(workloads.map(workload => datasources[workload].noun.replace(/ database$/, '')))
