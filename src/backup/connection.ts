/**
 * Does it work, and where not: configuration, sign-in, Azure, the vault, and what the caller may do there. Each check is
 * told even where an earlier one failed; what cannot be asked then is skipped.
 */
import type { TestConnectionOutput } from '../generated/tools.ts'
import { Problem } from '../problem.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import type { VaultRef } from './arm-ids.ts'
import { fields, isoTime, list, text, texts } from './fields.ts'
import { readSubscription } from './subscriptions.ts'
import { inVault, resolveVault } from './vault-names.ts'

type Check = TestConnectionOutput['checks'][number]
type Permissions = NonNullable<TestConnectionOutput['permissions']>

/** The Azure action that stands for what a person wants to do. */
const actions: Readonly<Record<keyof Permissions, string>> = {
  read: 'Microsoft.RecoveryServices/vaults/backupProtectedItems/read',
  protect: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write',
  back_up: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action',
  restore:
    'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action',
  delete: 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete',
}

const matches = (pattern: string, action: string): boolean => {
  const parts = pattern.toLowerCase().split('*')
  const wanted = action.toLowerCase()
  if (parts.length === 1) return parts[0] === wanted
  let at = 0
  for (const [index, part] of parts.entries()) {
    const found =
      index === parts.length - 1 ? (wanted.endsWith(part) ? wanted.length - part.length : -1) : wanted.indexOf(part, at)
    if (found < at || (index === 0 && found !== 0)) return false
    at = found + part.length
  }
  return true
}

/** Each entry of ARM's permissions is one role: allowed is what any role allows and does not itself take back. */
const mayDo = (permissions: unknown, action: string): boolean =>
  list(fields(permissions).value).some(
    role =>
      texts(role.actions).some(pattern => matches(pattern, action)) &&
      !texts(role.notActions).some(pattern => matches(pattern, action)),
  )

const configurationCheck = ({ loaded: { config, file, warnings }, signIn }: ToolContext): Check => {
  const { subscription, vaults } = config
  const told = [
    ...(signIn === 'simulated' ? ['Azure is simulated'] : []),
    file === undefined ? 'no configuration file' : `file ${file}`,
    subscription === undefined ? 'no subscription' : `subscription ${subscription}`,
    vaults.length === 0 ? 'no vault' : `vaults ${vaults.map(({ key }) => key).join(', ')}`,
    ...(config.readOnly ? ['read-only'] : []),
    ...warnings,
  ]
  return { name: 'configuration', status: 'ok', message: told.join('; ') }
}

const signInCheck = async ({ signIn, signal }: ToolContext): Promise<Check> => {
  if (signIn === 'simulated')
    return { name: 'sign_in', status: 'skipped', message: 'Azure is simulated in this process; nobody signs in' }
  if (!signIn) return { name: 'sign_in', status: 'skipped', message: 'answers come from a recording; nobody signs in' }
  const { used, skipped, error } = await signIn.describe(signal)
  const others = skipped
    .filter(({ why }) => !error?.message.startsWith(why)) // that one is the error
    .map(({ method, why }) => `${method} not taken: ${why}`)
  if (!used) {
    const told = error ? [`${error.code}: ${error.inOneLine}`] : []
    const message = [...told, others.join('; ')].filter(text => text !== '').join(' ')
    return { name: 'sign_in', status: 'failed', message: message || 'nobody is signed in' }
  }
  const { method, account, tenantId, expiresAtMs } = used
  const told = [
    `by ${method}`,
    ...(account === undefined ? [] : [`as ${account}`]),
    ...(tenantId === undefined ? [] : [`tenant ${tenantId}`]),
    ...(expiresAtMs === undefined ? [] : [`until ${isoTime(expiresAtMs)}`]),
    ...others,
  ]
  return { name: 'sign_in', status: 'ok', message: told.join('; ') }
}

/** The check's own answer, or how it failed; anything that is no Problem is a bug and goes up. */
const attempt = async (name: Check['name'], check: () => Promise<Check>): Promise<Check> => {
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { name, status: 'failed', message: `${error.code}: ${error.inOneLine}` }
  }
}

const skipped = (name: Check['name'], message: string): Check => ({ name, status: 'skipped', message })

const testConnection: Handlers['test_connection'] = async (input, context) => {
  const checks = [configurationCheck(context), await attempt('sign_in', () => signInCheck(context))]
  if (checks[1]?.status === 'failed')
    return {
      checks: [
        ...checks,
        ...(['azure', 'vault', 'permissions'] as const).map(name => skipped(name, 'needs a sign-in')),
      ],
    }
  let vault: VaultRef | undefined
  const vaultFound = await attempt('vault', async () => {
    vault = await resolveVault(input.vault, context)
    return { name: 'vault', status: 'ok', message: vault.id }
  })
  if (!vault) {
    const azure = await attempt('azure', () => azureCheck(undefined, context))
    return { checks: [...checks, azure, vaultFound, skipped('permissions', 'needs a vault')] }
  }
  const found = vault
  let permissions: Permissions | undefined
  const rest = await Promise.all([
    attempt('azure', () => azureCheck(found, context)),
    attempt('vault', async () => {
      const { location } = fields(await inVault(found, context, () => context.arm.getResource(found.id)))
      return {
        name: 'vault',
        status: 'ok',
        message: `${found.vaultName} in ${text(location) ?? 'an unknown region'} is readable`,
      }
    }),
    attempt('permissions', async () => {
      const body = await context.arm.get(`${found.id}/providers/Microsoft.Authorization/permissions`)
      const may = Object.entries(actions).map(([name, action]) => [name, mayDo(body, action)] as const)
      permissions = Object.fromEntries(may) as Permissions // the table has exactly these names
      const words = (allowed: boolean) =>
        may.filter(([, can]) => can === allowed).map(([name]) => name.replace('_', ' '))
      const told = [
        words(true).length > 0 ? `may ${words(true).join(', ')}` : 'may nothing',
        ...(words(false).length > 0 ? [`may not ${words(false).join(', ')}`] : []),
      ]
      return { name: 'permissions', status: 'ok', message: told.join('; ') }
    }),
  ])
  return { checks: [...checks, ...rest], ...(permissions ? { permissions } : {}), vault_id: found.id }
}

const azureCheck = async (vault: VaultRef | undefined, context: ToolContext): Promise<Check> => {
  const { arm, clock, signIn } = context
  const startMs = clock.monotonic()
  const asked = signIn === 'simulated' ? 'the simulated Azure' : arm.endpoint
  const where = () => `${asked} answered in ${Math.round(clock.monotonic() - startMs)} ms`
  if (!vault) {
    await arm.get('/subscriptions')
    return { name: 'azure', status: 'ok', message: where() }
  }
  const { name } = await readSubscription(vault.subscriptionId, context)
  return { name: 'azure', status: 'ok', message: `${where()}; subscription ${name}` }
}

export const connection = { test_connection: testConnection } satisfies Partial<Handlers>
