/**
 * Machines as callers name them: `vm`, `group/vm`, the ARM id of a VM or of a container. The name of a container,
 * `VMAppContainer;Compute;{group};{vm}`, follows from group and VM (section 3 of the wire facts).
 */
import { badArgument } from '../tools/input-error.ts'
import { isName, parseArmId, type VaultRef } from './arm-ids.ts'

/** A VM as an id names it; its subscription is the vault's where nobody says another. */
export interface Vm {
  provider: 'Compute' | 'ClassicCompute'
  subscriptionId: string | undefined
  resourceGroup: string
  vmName: string
}

/** What a caller wrote of a machine: a bare name to look for, or what its container is called. */
export type Machine =
  | { kind: 'name'; name: string }
  | { kind: 'container'; containerName: string; vm: Vm | undefined; isVmId: boolean }

const providers: Readonly<Record<string, Vm['provider']>> = {
  compute: 'Compute',
  classiccompute: 'ClassicCompute',
  iaasvmcontainerv2: 'Compute',
  iaasvmcontainer: 'ClassicCompute',
}
const ofVm =
  /^(?:(?:VMAppContainer|IaasVMContainer);)?(compute|classiccompute|iaasvmcontainer(?:v2)?);([^;]+);([^;]+)$/i

/** The VM of a container by the container's name, with its prefix or without. */
export const vmOfContainer = (name: string): Vm | undefined => {
  const [, word = '', resourceGroup = '', vmName = ''] = ofVm.exec(name) ?? []
  const provider = providers[word.toLowerCase()]
  return provider && { provider, subscriptionId: undefined, resourceGroup, vmName }
}

export const vmId = ({ provider, subscriptionId, resourceGroup, vmName }: Vm, vault: VaultRef): string =>
  `/subscriptions/${subscriptionId ?? vault.subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.${provider}/virtualMachines/${vmName}`

const ofMachine = (vm: Vm, isVmId = false): Machine => ({
  kind: 'container',
  containerName: `VMAppContainer;${vm.provider};${vm.resourceGroup};${vm.vmName}`,
  vm,
  isVmId,
})

/** The machine that an ARM id names: a VM, or a container and what lies in one. */
const machineById = (id: string): Machine | undefined => {
  const parsed = parseArmId(id)
  const names = parsed?.names
  const container = names?.get('protectioncontainers') ?? names?.get('protectablecontainers')
  if (container !== undefined) {
    if (/^(VMAppContainer|SQLAGWorkLoadContainer);[^;]/i.test(container))
      return { kind: 'container', containerName: container, vm: vmOfContainer(container), isVmId: false }
    const vm = vmOfContainer(container)
    return vm && ofMachine(vm)
  }
  const [, word = ''] = /^Microsoft\.(Compute|ClassicCompute)$/i.exec(parsed?.provider ?? '') ?? []
  const provider = providers[word.toLowerCase()]
  const vmName = names?.get('virtualmachines')
  if (!parsed?.resourceGroup || !provider || !vmName || parsed.type !== 'virtualmachines') return undefined
  const { subscriptionId, resourceGroup } = parsed
  return ofMachine({ provider, subscriptionId, resourceGroup, vmName }, true)
}

/** Throws InputError for what can be no machine; nothing was sent then. */
export const machineOf = (argument: string, given: string): Machine => {
  if (given.startsWith('/')) {
    const machine = machineById(given)
    if (machine) return machine
    throw badArgument(argument, 'is no ARM id of a VM, or of a container of one')
  }
  const [vmName = '', resourceGroup, ...more] = given.split('/').reverse()
  const isFit = [vmName, resourceGroup ?? 'none'].every(part => isName(part) && !part.includes(';'))
  if (!isFit || more.length > 0) throw badArgument(argument, 'must be a name, group/name, or an ARM id')
  if (resourceGroup === undefined) return { kind: 'name', name: vmName }
  return ofMachine({ provider: 'Compute', subscriptionId: undefined, resourceGroup, vmName })
}
