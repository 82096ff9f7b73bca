/** Backup policies: read, written under Azure's rules, deleted while nothing uses them (section 5 of the wire facts). */
import { datasources } from '../backup/datasources.ts'
import { type Fields, fields, number, text } from '../backup/fields.ts'
import { isRetentionLowered } from '../backup/policy-effects.ts'
import { fewerBackups } from '../backup/policy-frequency.ts'
import { rulesOf, scheduleOf, usualInstantDays } from '../backup/policy-shape.ts'
import { accepted, operationOf, operationResult, operationStatus, page, startOperation } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { lateFailure } from './faults.ts'
import { inVault, policyOf, vaultOf } from './finding.ts'
import { checkGuard } from './guard.ts'
import { isAwaited } from './item-changes.ts'
import { startJob } from './jobs.ts'
import { filterTerms, isSame } from './odata.ts'
import { keepByPolicy, pointsOf } from './points.ts'
import { withPlainTimes } from './policy-parts.ts'
import { checkPolicy } from './policy-rules.ts'
import { immutable, otherProvider, Refusal } from './refusal.ts'
import { planNextRun } from './schedules-runner.ts'
import { spelled } from './spelling.ts'
import { type Item, keyOf, type Policy, type Vault } from './state.ts'
import { rowNamed } from './words.ts'
import type { Effects, World } from './world.ts'

/** How long it takes until every item follows a changed policy. */
const alignmentMs = 8000

const usersOf = ({ items }: Vault, { name }: Policy): Item[] =>
  [...items.values()].filter(({ policy }) => policy === keyOf(name))

/** Policies' users, counted once for a whole list. */
const userCounts = ({ items }: Vault): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { policy } of items.values()) if (policy !== undefined) counts.set(policy, (counts.get(policy) ?? 0) + 1)
  return counts
}

const policyIdOf = (vault: Vault, { name }: Policy): string => `${vault.id}/backupPolicies/${name}`

const toPolicy = (call: Call, vault: Vault, policy: Policy, protectedItemsCount: number) => ({
  id: spelled(call, policyIdOf(vault, policy)),
  name: policy.name,
  type: 'Microsoft.RecoveryServices/vaults/backupPolicies',
  properties: { ...policy.properties, protectedItemsCount },
})

const shown = (call: Call, vault: Vault, policy: Policy): Answer =>
  ok(toPolicy(call, vault, policy, usersOf(vault, policy).length))

/** The workload word that a policy is found by; VMs and shares leave it out. */
const workloadOf = ({ properties }: Policy): string | undefined =>
  text(properties.workLoadType) ??
  Object.values(datasources).find(({ managementType }) => managementType === properties.backupManagementType)?.azureWord

const listPolicies = (call: Call): Answer => {
  const vault = vaultOf(call)
  const terms = filterTerms(call.query, ['backupManagementType', 'workloadType', 'fabricName'])
  const [management, workload] = [terms.get('backupmanagementtype'), terms.get('workloadtype')]
  const found = [...vault.policies.values()].filter(
    policy =>
      (management === undefined || isSame(text(policy.properties.backupManagementType) ?? '', management)) &&
      (workload === undefined || isSame(workloadOf(policy), workload)),
  )
  const counts = userCounts(vault)
  return page(call, found, policy => toPolicy(call, vault, policy, counts.get(keyOf(policy.name)) ?? 0))
}

const getPolicy = (call: Call): Answer => shown(call, vaultOf(call), policyOf(call))

/** When the window of an hourly schedule ends: what retention times are filled with (section 5.3). */
const windowEnd = (schedule: unknown): string | undefined => {
  const { hourly } = scheduleOf(schedule)
  const startMs = Date.parse(hourly?.start ?? '')
  if (!hourly || Number.isNaN(startMs)) return undefined
  return new Date(startMs + hourly.hours * 3_600_000).toISOString().replace('.000Z', 'Z')
}

const filled = (retention: Fields, time: string): Fields => ({
  ...retention,
  ...Object.fromEntries(
    rulesOf(retention).map(({ rule, given }) => [rule, { ...given, retentionTimes: given.retentionTimes ?? [time] }]),
  ),
})

const normalShare = ({ workLoadType: _, ...given }: Fields): Fields => {
  const end = windowEnd(given.schedulePolicy)
  return end === undefined || given.retentionPolicy === undefined
    ? given
    : { ...given, retentionPolicy: filled(fields(given.retentionPolicy), end) }
}

const normalVm = (given: Fields): Fields => ({
  instantRPDetails: {},
  timeZone: 'UTC',
  ...given,
  instantRpRetentionRangeInDays: number(given.instantRpRetentionRangeInDays) ?? usualInstantDays(given),
})

const normal: Readonly<Record<string, (given: Fields) => Fields>> = { AzureIaasVM: normalVm, AzureStorage: normalShare }

/** `properties` as they are kept: without what only a request has, and with what Azure fills in. */
const keptOf = (given: Fields): Fields => {
  const { protectedItemsCount: _, resourceGuardOperationRequests: __, makePolicyConsistent: ___, ...rest } = given
  const plain = fields(withPlainTimes(rest))
  return rowNamed(normal, String(plain.backupManagementType))?.(plain) ?? plain
}

const inUse = (): Refusal =>
  new Refusal(
    400,
    'BMSUserErrorPolicyObjectInUse',
    'The policy is associated with backup items\r\nPlease ensure that no backup item is associated with the policy, and retry the operation.',
  )

/** Throws the Refusal for a change that policies in use, immutable vaults, or a guard do not allow. */
const checkChange = (call: Call, vault: Vault, before: Policy, after: Fields): void => {
  const isUsed = usersOf(vault, before).length > 0
  const isOther = (name: string, usual: string) => (before.properties[name] ?? usual) !== (after[name] ?? usual)
  if (isUsed && isOther('backupManagementType', '')) throw otherProvider()
  const isOtherWorkload = after.backupManagementType === 'AzureWorkload' && isOther('workLoadType', '')
  if (isUsed && (isOther('policyType', 'V1') || isOtherWorkload)) throw inUse()
  const isLowered = isRetentionLowered(before.properties, after)
  if (isLowered && vault.immutability !== 'Disabled') throw immutable()
  if (isLowered || fewerBackups(before.properties, after).length > 0)
    checkGuard(call, vault, 'updateProtectionPolicyRequests')
}

const alignment = (world: World, vault: Vault, policy: Policy, item: Item): string =>
  startJob(world, vault, {
    operation: 'ConfigureBackup',
    workload: item.workload,
    entityName: item.friendlyName,
    item: keyOf(item.container, item.name),
    containerName: item.container,
    lastsMs: alignmentMs,
    bag: { ...(item.workload === 'VM' ? { 'VM Name': item.friendlyName } : {}), 'Policy Name': policy.name },
  }).id

const places = (policyId: string) => ({ status: `${policyId}/operations`, result: `${policyId}/operationResults` })

const putPolicy = (call: Call): Answer => {
  const { world, params, body } = call
  const vault = vaultOf(call)
  const before = vault.policies.get(keyOf(params.policy ?? ''))
  const properties = keptOf(fields(body.properties))
  checkPolicy(properties)
  if (before) checkChange(call, vault, before, properties)
  const policy: Policy = { name: before?.name ?? params.policy ?? '', properties }
  const users = before ? usersOf(vault, before) : []
  if (users.length === 0) {
    vault.policies.set(keyOf(policy.name), policy)
    return shown(call, vault, policy)
  }
  const error = lateFailure(world, call.method, call.path)
  const jobIds = error ? [] : users.map(item => alignment(world, vault, policy, item))
  const operation = startOperation(world, vault, alignmentMs, {
    error,
    resultPath: policyIdOf(vault, policy),
    properties: { objectType: 'OperationStatusJobsExtendedInfo', jobIds, failedJobsError: {} },
  })
  if (!error)
    world.schedule({
      atMs: operation.endMs,
      kind: 'policy-put',
      vault: keyOf(vault.id),
      of: keyOf(policy.name),
      more: { name: policy.name, properties },
    })
  return accepted(call, operation, places(policyIdOf(vault, policy)))
}

const deletePolicy = (call: Call): Answer => {
  const vault = vaultOf(call)
  const key = keyOf(call.params.policy ?? '')
  const policy = vault.policies.get(key)
  if (!policy) return { status: 204 }
  if (usersOf(vault, policy).length > 0 || isAwaited(call.world, vault, key)) throw inUse()
  vault.policies.delete(key)
  return { status: 200 }
}

const operation = (call: Call) => operationOf(vaultOf(call), call.params.operation ?? '')

const getResult = (call: Call): Answer => {
  const vault = vaultOf(call)
  return operationResult(call, operation(call), () => shown(call, vault, policyOf(call)).body)
}

const inPolicy = `${inVault}/backupPolicies/{policy}`

export const policyRoutes: readonly Route[] = [
  { method: 'GET', path: `${inVault}/backupPolicies`, handle: listPolicies },
  { method: 'GET', path: inPolicy, handle: getPolicy },
  { method: 'PUT', path: inPolicy, handle: putPolicy },
  { method: 'DELETE', path: inPolicy, handle: deletePolicy },
  { method: 'GET', path: `${inPolicy}/operations/{operation}`, handle: call => operationStatus(call, operation(call)) },
  { method: 'GET', path: `${inPolicy}/operationResults/{operation}`, handle: getResult },
]

export const policyEffects: Effects = {
  'policy-put': (world, { vault: key, of, more }) => {
    const vault = world.state.vaults.get(key)
    const name = text(more?.name)
    if (!vault || name === null) return
    const policy = { name, properties: fields(more?.properties) }
    const users = usersOf(vault, policy)
    const before = vault.policies.get(of)?.properties
    for (const item of users) pointsOf(vault, item, world.state.nowMs)
    vault.policies.set(of, policy)
    for (const item of users) {
      keepByPolicy(vault, item, before, world.state.nowMs)
      planNextRun(world, vault, item)
    }
  },
}
