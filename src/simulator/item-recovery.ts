/** Files of a VM out of a recovery point: a script mounts it for twelve hours (section 9.5 of the wire facts). */
import { fields, text } from '../backup/fields.ts'
import { badRequest, notSoftDeleted, vmOnly } from './backup-routes.ts'
import type { Answer, Call, Route } from './call.ts'
import { mountProgram } from './control.ts'
import { inPoint, itemOf, vaultOf } from './finding.ts'
import { acceptOnItem } from './item-work.ts'
import { isSame } from './odata.ts'
import { pointOf } from './point-routes.ts'
import { isMounted, tiersOf } from './point-rows.ts'
import { Refusal } from './refusal.ts'
import { type Item, keyOf, type Point, type Vault, type Vm } from './state.ts'
import type { Effects, World } from './world.ts'

const sessionMs = 12 * 3_600_000
const mountMs = 30_000

const linuxScript = ({ friendlyName }: Item, password: string): string => `#!/usr/bin/env python3
# Simulated: the script of Azure would mount the recovery point of ${friendlyName} by iSCSI.
TargetPassword="${password}"
print("The recovery point is mounted (simulated).")
`

const windowsScript = ({ friendlyName }: Item, password: string): string =>
  `# Simulated: the program of Azure would mount the recovery point of ${friendlyName} by iSCSI.
$TargetPassword="${password}"
Write-Output "The recovery point is mounted (simulated)."
`

/** From here on Azure hands the scripts out by a call of its own. */
const noScriptsSince = '2026-08-01'

/** Hexadecimal digits that follow from the point and the moment. */
const digits = ({ chance, state }: World, { id }: Point, count: number): string =>
  Array.from({ length: count }, (_, at) => Math.floor(16 * chance('script', id, state.nowMs, at)).toString(16)).join('')

/**
 * For Linux one script, for Windows a second one that is to be fetched. The password stands in the name, 15 digits long,
 * behind its last underscore and 32 more (so the Azure CLI takes it out), and in the script.
 */
const recoveryTarget = ({ world, base }: Call, vault: Vault, item: Item, point: Point, osType: Vm['osType']) => {
  const password = digits(world, point, 15)
  const number = Math.floor(1e12 * (1 + world.chance('script', point.id, world.state.nowMs)))
  const session = digits(world, point, 47).slice(15)
  const scriptNameSuffix = `${item.friendlyName}_${vault.location}_${number}_${session}${password}`
  const script = (scriptExtension: string, content: string) => ({
    osType,
    scriptExtension,
    scriptContent: Buffer.from(content).toString('base64'),
    scriptNameSuffix,
  })
  return {
    clientScripts:
      osType === 'Linux'
        ? [script('.py', linuxScript(item, password))]
        : [
            script('.ps1', windowsScript(item, password)),
            { osType, scriptExtension: '.exe', scriptNameSuffix, url: `${base}${mountProgram}` },
          ],
  }
}

const provision = (call: Call): Answer => {
  const { world, body, nowMs, apiVersion } = call
  const vault = vaultOf(call)
  const item = itemOf(call)
  vmOnly(item, 'mount recovery points of')
  const point = pointOf(call, vault, item)
  notSoftDeleted(item)
  const request = fields(body.properties)
  if (!isSame(text(request.objectType) ?? '', 'IaasVMILRRegistrationRequest')) throw badRequest('ObjectType')
  if (!isSame(text(request.virtualMachineId) ?? '', item.sourceId)) throw badRequest('VirtualMachineId')
  if (tiersOf(point, nowMs).every(({ type, status }) => type === 'ArchivedRP' || status === 'Deleted'))
    throw new Refusal(
      400,
      'UserErrorRecoveryPointInArchiveTier',
      'Files cannot be recovered from a recovery point in the archive tier.\r\nRestore the virtual machine or its disks.',
    )
  if (isMounted(item, point, nowMs) && request.renewExistingRegistration !== true)
    throw new Refusal(
      400,
      'UserErrorInstantItemRecoverySessionActive',
      'The recovery point is already mounted.\r\nRenew the existing registration, or revoke it first.',
    )
  const osType = world.state.vms.get(keyOf(item.sourceId))?.osType ?? 'Windows'
  const begin = () => {
    const more = { point: point.id }
    const of = keyOf(item.container, item.name)
    world.schedule({ atMs: nowMs + mountMs, kind: 'point-mounted', vault: keyOf(vault.id), of, more })
    const target =
      apiVersion < noScriptsSince ? { recoveryTarget: recoveryTarget(call, vault, item, point, osType) } : {}
    return { properties: { objectType: 'OperationStatusProvisionILRExtendedInfo', ...target } }
  }
  return acceptOnItem(call, vault, item, begin, mountMs)
}

const revokeMs = 10_000

const revoke = (call: Call): Answer => {
  const { world, nowMs } = call
  const vault = vaultOf(call)
  const item = itemOf(call)
  vmOnly(item, 'mount recovery points of')
  const point = pointOf(call, vault, item)
  const begin = () => {
    const of = keyOf(item.container, item.name)
    const more = { point: point.id }
    world.schedule({ atMs: nowMs + revokeMs, kind: 'point-unmounted', vault: keyOf(vault.id), of, more })
    return {}
  }
  return acceptOnItem(call, vault, item, begin, revokeMs)
}

export const itemRecoveryRoutes: readonly Route[] = [
  { method: 'POST', path: `${inPoint}/provisionInstantItemRecovery`, handle: provision },
  { method: 'POST', path: `${inPoint}/revokeInstantItemRecovery`, handle: revoke },
]

export const itemRecoveryEffects: Effects = {
  'point-mounted': ({ state }, { vault, of, more, atMs }) => {
    const item = state.vaults.get(vault)?.items.get(of)
    const pointId = text(more?.point)
    if (item && pointId !== null) item.mounted = { pointId, untilMs: atMs + sessionMs }
  },
  'point-unmounted': ({ state }, { vault, of, more }) => {
    const item = state.vaults.get(vault)?.items.get(of)
    if (item?.mounted?.pointId === more?.point && item) item.mounted = undefined
  },
}
