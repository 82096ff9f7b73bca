/** Whether a VM is protected itself, by which vault and policy: the region of the vault tells. */
import { isKnownCode, remedyFor } from '../arm/error-codes.ts'
import type { CheckRegistrationStatusOutput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { ToolContext } from '../tools/context.ts'
import { parseArmId, sameText, type VaultRef, vaultOf } from './arm-ids.ts'
import { enumWord, type Fields, fields, text, texts, word } from './fields.ts'
import { vmItemId } from './items.ts'
import { regionPath, vaultLocation } from './vault-location.ts'

type Protection = NonNullable<CheckRegistrationStatusOutput['vm_protection']>

/** An error that Azure tells inside of an answer, with what to do about it; null where the code says that there is none. */
export const faultOf = (
  code: string | null,
  { message, recommendations }: Fields,
  endpoint: string,
): Protection['error'] => {
  if (code === null || /^(success|0)$/i.test(code)) return null
  return {
    code,
    title: null,
    message: text(message) ?? '',
    recommendations: texts(recommendations),
    remediation: isKnownCode(code) ? remedyFor(code, 0, true).remediation.replaceAll('{endpoint}', endpoint) : null,
  }
}

const protectionWords = ['Invalid', 'NotProtected', 'Protecting', 'Protected', 'ProtectionFailed']

export const toProtection = (raw: unknown, endpoint: string): Protection => {
  const body = fields(raw)
  const status = enumWord(body.protectionStatus, protectionWords)
  // Some versions of the service give a URL in place of the id.
  const vaultId = text(body.vaultId)?.replace(/^https?:\/\/[^/]+/i, '') ?? null
  const parsed = parseArmId(vaultId ?? '')
  const vault = parsed && vaultOf(parsed)
  const [, item] = itemPattern.exec(text(body.protectedItemName) ?? text(body.containerName) ?? '') ?? []
  return {
    is_protected: /^protect(ed|ing)$/i.test(status ?? ''),
    protection_status: status,
    vault_id: vaultId,
    vault_name: vault?.vaultName ?? null,
    policy_name: text(body.policyName),
    item_id: vault && item ? vmItemId({ ...vault, id: parsed.id as VaultRef['id'] }, item) : null,
    error: faultOf(word(body.errorCode), { message: body.errorMessage }, endpoint),
  }
}

/** `iaasvmcontainerv2;{group};{vm}` at the end of a container's or an item's name. */
const itemPattern = /(iaasvmcontainer(?:v2)?;[^;]+;[^;]+)$/i

/** Which vault protects a VM, as its region tells; null with a warning where it does not. */
export const vmProtection = (
  id: string,
  region: string,
  context: ToolContext,
  warnings: string[],
): Promise<Protection | null> =>
  orWarning(
    async () => {
      const parsed = parseArmId(id)
      const path = `${regionPath(parsed?.subscriptionId ?? '', region)}/backupStatus`
      const answer = await context.arm.readingPost(path, {}, { resourceType: 'VM', resourceId: id })
      const protection = toProtection(answer, context.arm.endpoint)
      // A recording gives the nearest answer that it has.
      const named = protection.item_id?.split(';').at(-1)
      if (named === undefined || sameText(named, parsed?.names.get('virtualmachines'))) return protection
      throw new Problem('azure_error', `the answer is about ${named}.`, 'Try again.')
    },
    context,
    warnings,
  )

/** What `ask` gives, or null with a warning: the rest of the result is worth having without it. */
const orWarning = async <T>(
  ask: () => Promise<T>,
  { signal }: ToolContext,
  warnings: string[],
  isFatal: (problem: Problem) => boolean = () => false,
): Promise<T | null> => {
  try {
    return await ask()
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Problem) || isFatal(error)) throw error
    warnings.push(`Whether the VM itself is protected could not be asked: ${error.inOneLine}`)
    return null
  }
}

/** The region of the vault, for asking; null with a warning. A vault that is not there is an error. */
export const regionOf = (vault: VaultRef, context: ToolContext, warnings: string[]): Promise<string | null> =>
  orWarning(
    async () => {
      const region = await vaultLocation(vault, context)
      if (/^[a-z0-9]+$/.test(region)) return region
      throw new Problem('azure_error', 'Azure does not tell the region of the vault.', 'Try again.')
    },
    context,
    warnings,
    ({ httpStatus }) => httpStatus === 404,
  )
