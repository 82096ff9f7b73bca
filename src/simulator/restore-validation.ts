/** Whether a restore can be done, before it is asked for (section 9.1 of the wire facts). */
import { lastName, parseArmId, sameText } from '../backup/arm-ids.ts'
import { type Fields, fields, text } from '../backup/fields.ts'
import { accepted, operationOf, operationResult, operationStatus, startOperation } from './answers.ts'
import { badRequest, vmOnly } from './backup-routes.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { lateFailure } from './faults.ts'
import { inVault, vaultOf } from './finding.ts'
import { pointsOf } from './points.ts'
import { invalidInput } from './refusal.ts'
import { type RestoreFault, restoreFaults } from './restore-checks.ts'
import { type Item, keyOf, type Operation, type Point, type Vault } from './state.ts'

/** The item and point that a validation is about: by the id of the point, or by the machine that was backed up. */
const subjectOf = ({ body, nowMs }: Call, vault: Vault, request: Fields): { item: Item; point: Point } | undefined => {
  const id = text(body.id) ?? text(request.recoveryPointId) ?? ''
  const names = parseArmId(id)?.names
  const item = names?.has('protecteditems')
    ? vault.items.get(keyOf(names.get('protectioncontainers') ?? '', names.get('protecteditems') ?? ''))
    : [...vault.items.values()].find(({ sourceId }) => sameText(sourceId, text(request.sourceResourceId)))
  const point = item && pointsOf(vault, item, nowMs).find(each => sameText(each.id, lastName(id)))
  return item && point && { item, point }
}

const pointMissing: RestoreFault = {
  code: 'BMSUserErrorRecoveryPointNotFound',
  message: 'The recovery point was not found.',
  recommendations: ['It may have expired: list the recovery points of the item.'],
}

/** What validation finds. Throws Refusal for a body that asks for no restore of a VM. */
const validated = (call: Call): { validationResults: RestoreFault[] } => {
  const { world, body, nowMs } = call
  const vault = vaultOf(call)
  // Newer versions have the id of the point beside, and the rest in `properties`.
  const { objectType, restoreRequest } = body.properties === undefined ? body : fields(body.properties)
  if (!sameText(text(objectType), 'ValidateIaasVMRestoreOperationRequest')) throw badRequest('ObjectType')
  const request = fields(restoreRequest)
  if (text(request.objectType) === null) throw invalidInput()
  const subject = subjectOf(call, vault, request)
  if (!subject) return { validationResults: [pointMissing] }
  vmOnly(subject.item, 'restore')
  return { validationResults: restoreFaults({ state: world.state, vault, ...subject, request, nowMs }) }
}

const validate = (call: Call): Answer => ok({ validateOperationResponse: validated(call) })

const validationMs = 4_000

const triggerValidation = (call: Call): Answer => {
  const { world, method, path } = call
  const vault = vaultOf(call)
  const more: Partial<Operation> = {
    properties: {
      objectType: 'OperationStatusValidateOperationExtendedInfo',
      validateOperationResponse: validated(call),
    },
    error: lateFailure(world, method, path),
  }
  return accepted(call, startOperation(world, vault, validationMs, more), {
    status: `${vault.id}/backupValidateOperationsStatuses`,
    result: `${vault.id}/backupValidateOperationResults`,
  })
}

const operation = (call: Call) => operationOf(vaultOf(call), call.params.operation ?? '')

const validationResult = (call: Call): Answer => {
  const found = operation(call)
  const answer = operationResult(call, found)
  if (answer.status === 202) return answer
  return ok({ validateOperationResponse: fields(found.properties).validateOperationResponse })
}

export const validationRoutes: readonly Route[] = [
  { method: 'POST', path: `${inVault}/backupValidateOperation`, handle: validate },
  { method: 'POST', path: `${inVault}/backupTriggerValidateOperation`, handle: triggerValidation },
  { method: 'GET', path: `${inVault}/backupValidateOperationResults/{operation}`, handle: validationResult },
  {
    method: 'GET',
    path: `${inVault}/backupValidateOperationsStatuses/{operation}`,
    handle: call => operationStatus(call, operation(call)),
  },
]
