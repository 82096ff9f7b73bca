/**
 * Where a vault's operations stand, and what came of them. Clients ask at whichever address they like: an operation's id is
 * enough, so one answer serves the vault, its fabric, its containers and its items (section 10.1 of the wire facts).
 */
import { operationOf, operationResult, operationStatus } from './answers.ts'
import type { Answer, Call, Route } from './call.ts'
import { containerResource, rowOf } from './container-rows.ts'
import { inContainer, inFabric, inItem, inVault, vaultOf } from './finding.ts'
import { itemRow } from './item-rows.ts'
import { keyOf } from './state.ts'

const operation = (call: Call) => operationOf(vaultOf(call), call.params.operation ?? '')

const status = (call: Call): Answer => operationStatus(call, operation(call))

/** The item or container that an operation was about, if it is still there. A container comes without its type. */
const resourceAt = (call: Call, path: string): unknown => {
  const vault = vaultOf(call)
  const [, container = '', item] = /\/protectionContainers\/([^/]+)(?:\/protectedItems\/([^/]+))?$/.exec(path) ?? []
  if (item !== undefined) {
    const found = vault.items.get(keyOf(container, item))
    return found && itemRow(call, vault, found, false)
  }
  const found = vault.containers.get(keyOf(container))
  if (!found) return undefined
  const { type: _, ...resource } = containerResource(call, vault, rowOf(call, vault, found))
  return resource
}

const result = (call: Call): Answer => operationResult(call, operation(call), path => resourceAt(call, path))

export const operationRoutes: readonly Route[] = [
  ...[
    `${inVault}/backupOperations`,
    `${inFabric}/operationsStatus`,
    `${inContainer}/operationsStatus`,
    `${inItem}/operationsStatus`,
  ].map((place): Route => ({ method: 'GET', path: `${place}/{operation}`, handle: status })),
  ...[
    `${inVault}/backupOperationResults`,
    `${inFabric}/operationResults`,
    `${inContainer}/operationResults`,
    `${inItem}/operationResults`,
  ].map((place): Route => ({ method: 'GET', path: `${place}/{operation}`, handle: result })),
]
