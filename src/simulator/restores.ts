/** Restores of VMs: validated, then run as a job that ends with disks or a machine (section 9 of the wire facts). */
import { lastName, parseArmId } from '../backup/arm-ids.ts'
import { type Fields, fields, seconds, text } from '../backup/fields.ts'
import { notSoftDeleted, vmOnly } from './backup-routes.ts'
import { bagTime } from './backups.ts'
import type { Answer, Call, Route } from './call.ts'
import { inPoint, itemOf, vaultOf } from './finding.ts'
import { acceptOnItem } from './item-work.ts'
import { startJob } from './jobs.ts'
import { addVm } from './making.ts'
import { pointOf } from './point-routes.ts'
import { Refusal } from './refusal.ts'
import {
  modeOf,
  type RestoreFault,
  type RestoreMode,
  rehydrates,
  restoreEnd,
  restoreFaults,
  stagingId,
} from './restore-checks.ts'
import { type Disk, type Item, type Job, keyOf, type Point, type Vault } from './state.ts'
import type { Effects, World } from './world.ts'
import { dayMs } from './zones.ts'

const minuteMs = 60_000

/** What jobs call each way, and about how long it takes. */
const ways: Readonly<Record<RestoreMode, { jobType: string; minutes: number }>> = {
  OriginalLocation: { jobType: 'Replace existing disks', minutes: 24 },
  AlternateLocation: { jobType: 'Recover virtual machine', minutes: 25 },
  RestoreDisks: { jobType: 'Recover disks', minutes: 22 },
}
/** Disks that go to the staging account as files, because no resource group was named. */
const unmanagedMinutes = 28

const disksAsked = ({ restoreDiskLunList: luns, diskEncryptionSetId }: Fields, point: Point): Disk[] => {
  const encryptionSetId = text(diskEncryptionSetId)
  return (point.disks?.included ?? [])
    .filter(({ lun }) => lun < 0 || !Array.isArray(luns) || luns.includes(lun))
    .map(disk => (encryptionSetId === null ? disk : { ...disk, encryptionSetId }))
}

const targetName = (request: Fields, mode: RestoreMode, item: Item): string => {
  if (mode === 'AlternateLocation') return lastName(text(request.targetVirtualMachineId) ?? '')
  // What the service says where no machine is made.
  return mode === 'RestoreDisks' ? 'vmName' : item.friendlyName
}

const startRestore = (world: World, vault: Vault, item: Item, point: Point, request: Fields): Job => {
  const mode = modeOf(request) ?? 'RestoreDisks'
  const { jobType, minutes } = ways[mode]
  const isUnmanaged = mode === 'RestoreDisks' && text(request.targetResourceGroupId) === null
  const startMs = world.state.nowMs
  const about = isUnmanaged ? unmanagedMinutes : minutes
  const lastsMs = Math.round(about * minuteMs * (0.95 + 0.1 * world.chance('restore', point.id, startMs)))
  const disks = disksAsked(request, point)
  const job = startJob(world, vault, {
    operation: 'Restore',
    workload: item.workload,
    entityName: item.friendlyName,
    lastsMs,
    item: keyOf(item.container, item.name),
    containerName: item.container,
    tasks: [{ name: 'Transfer data from vault', startMs, endMs: startMs + lastsMs }],
    isCancellable: true,
    sizeMb: disks.reduce((sum, { sizeGb }) => sum + sizeGb, 0) * 1024,
    bag: {
      'Job Type': jobType,
      'Target VM Name': targetName(request, mode, item),
      'Target Storage Account Name': lastName(stagingId(request) ?? ''),
      // With this space at its end.
      'Recovery point time ': bagTime(point.atMs),
    },
  })
  const of = keyOf(item.container, item.name)
  const more = { job: job.id, point: point.id, request }
  world.schedule({ atMs: job.endMs, kind: restoreEnd, vault: keyOf(vault.id), of, more })
  return job
}

const firstAsRefusal = (faults: readonly RestoreFault[]): void => {
  const [first] = faults
  if (first) throw new Refusal(400, first.code, [first.message, ...first.recommendations].join('\r\n'))
}

const restore = (call: Call): Answer => {
  const { world, body, nowMs } = call
  const vault = vaultOf(call)
  const item = itemOf(call)
  vmOnly(item, 'restore')
  const point = pointOf(call, vault, item)
  notSoftDeleted(item)
  const request = fields(body.properties)
  firstAsRefusal(restoreFaults({ state: world.state, vault, item, point, request, nowMs }))
  return acceptOnItem(call, vault, item, () => ({ jobId: startRestore(world, vault, item, point, request).id }))
}

/** What a job tells at its end: where the files are that describe the restored machine. */
const endBag = (job: Job, disks: readonly Disk[], point: Point, request: Fields) => {
  const group = text(request.targetResourceGroupId)
  const container = `${job.entityName.toLowerCase()}-${job.id.replaceAll('-', '')}`
  const blobs = `https://${lastName(stagingId(request) ?? '').toLowerCase()}.blob.core.windows.net/${container}`
  const config = `config-${job.entityName}-${job.id}.json`
  const names = (of: readonly Disk[]) => of.map(({ name }) => name).join('; ')
  return {
    ...(group === null ? {} : { 'Target resource group': lastName(group) }),
    'Config Blob Name': config,
    'Config Blob Container Name': container,
    'Config Blob Uri': `${blobs}/${config}`,
    'Template Blob Uri': `${blobs}/azuredeploy${job.id}.json`,
    'Restored disk(s)': names(disks),
    'Backed-up disk(s)': names(point.disks?.included ?? []),
  }
}

/** The machine that a restore makes. */
const makeVm = ({ state }: World, vault: Vault, item: Item, disks: readonly Disk[], request: Fields): void => {
  const parsed = parseArmId(text(request.targetVirtualMachineId) ?? '')
  const source = state.vms.get(keyOf(item.sourceId))
  const name = parsed?.names.get('virtualmachines')
  if (!parsed?.resourceGroup || !name) return
  const group = state.groups.get(keyOf(parsed.subscriptionId, parsed.resourceGroup))
  const zones = Array.isArray(request.zones) ? request.zones.filter(zone => zone !== 'NoZone').map(String) : []
  addVm(state, {
    subscriptionId: parsed.subscriptionId,
    resourceGroup: group?.name ?? parsed.resourceGroup,
    name,
    location: vault.location,
    osType: source?.osType ?? 'Windows',
    size: source?.size ?? 'Standard_D2s_v5',
    zones,
    disks: disks.map(disk => ({ ...disk, name: disk.lun < 0 ? `${name}_OsDisk` : `${name}_DataDisk_${disk.lun}` })),
  })
}

/** Seven days, where a request does not say how long a rehydrated copy is kept. */
const rehydratedMs = (request: Fields): number => {
  const asked = seconds(fields(request.recoveryPointRehydrationInfo).rehydrationRetentionDuration)
  return asked === null ? 7 * dayMs : asked * 1000
}

const end = (world: World, vault: Vault, item: Item, job: Job, more: Fields): void => {
  const point = item.points.find(({ id }) => id === more.point)
  if (job.status !== 'Completed' || !point) return
  const request = fields(more.request)
  const disks = disksAsked(request, point)
  Object.assign(job.bag, endBag(job, disks, point, request))
  if (point.isArchived && rehydrates(request)) point.rehydratedUntilMs = job.endMs + rehydratedMs(request)
  if (modeOf(request) === 'AlternateLocation') makeVm(world, vault, item, disks, request)
  const source = world.state.vms.get(keyOf(item.sourceId))
  if (modeOf(request) === 'OriginalLocation' && source)
    source.disks = [...source.disks.filter(({ lun }) => !disks.some(disk => disk.lun === lun)), ...disks]
}

export const restoreEffects: Effects = {
  [restoreEnd]: (world, { vault: vaultKey, of, more }) => {
    const vault = world.state.vaults.get(vaultKey)
    const item = vault?.items.get(of)
    const job = vault?.jobs.get(keyOf(text(more?.job) ?? ''))
    if (vault && item && job) end(world, vault, item, job, more ?? {})
  },
}

export const restoreRoutes: readonly Route[] = [{ method: 'POST', path: `${inPoint}/restore`, handle: restore }]
