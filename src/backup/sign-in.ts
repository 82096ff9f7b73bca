/**
 * Who this server is signed in as: the accounts in its token cache, and what it holds in memory. Where tokens in memory
 * come from is not its own, and stays: the next call signs in from there again.
 */
import type { HeldAccount, TokenMethod } from '../auth/tokens.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { carryOut } from './changes.ts'
import type { Plan } from './plans.ts'

const ofVariables = (what: string): string => `${what} in the environment of this server; unset it to end that`

/** What stays, and how to end that too. Of a user's account nothing does. */
const sources: Readonly<Partial<Record<TokenMethod, string>>> = {
  client_secret: ofVariables('the service principal of AZURE_CLIENT_SECRET'),
  client_certificate: ofVariables('the service principal of AZURE_CLIENT_CERTIFICATE_PATH'),
  workload_identity: ofVariables('the workload identity of AZURE_FEDERATED_TOKEN_FILE'),
  managed_identity: 'the managed identity of this machine, which the next call asks again',
  access_token:
    'AZURE_ACCESS_TOKEN in the environment of this server, which the next call takes again; unset it to end that',
  azure_cli: 'the sign-in of the Azure CLI, which the next call asks again; `az logout` ends that',
}

const nobody = ({ signIn }: ToolContext): string => {
  if (signIn === 'simulated')
    return 'Azure is simulated in this process, and nobody signs in: there is nothing to clear.'
  if (!signIn) return 'Answers come from a recording, and nobody signs in: there is nothing to clear.'
  return 'This server holds no tokens of that kind: there is nothing to clear.'
}

const calledBy = ({ account, tenantId, method }: HeldAccount): string =>
  `${account ?? 'an account without a name'}${tenantId === undefined ? '' : ` in tenant ${tenantId}`} (${method})`

const planOf = (accounts: readonly HeldAccount[], context: ToolContext): Plan => {
  const names = accounts.map(calledBy)
  return {
    summary:
      names.length === 0
        ? nobody(context)
        : `Remove the tokens of ${names.join(', ')} from this server and, for those signed in by user, from its token cache, which other servers of this user share.`,
    requests: [],
    keeps: [...new Set(accounts.flatMap(({ method }) => sources[method] ?? []))],
    loses: names.map(name => `the tokens of ${name}`),
    itemId: '',
    basis: names,
  }
}

const clearAuthCache: Handlers['clear_auth_cache'] = async (input, context) => {
  const { signIn, log, signal } = context
  const scopes = input.all_accounts === true ? 'all' : 'own'
  const credentials = signIn === 'simulated' ? undefined : signIn
  const held = (await credentials?.accounts(scopes, signal)) ?? []
  const accounts = held.map(({ account, tenantId, method }) => ({
    account: account ?? null,
    tenant_id: tenantId ?? null,
    method,
  }))
  const plan = planOf(held, context)
  const { changed } = await carryOut('clear_auth_cache', input, context, plan)
  const result = { ...changed, vault_name: null, item_id: null, accounts }
  if (changed.status === 'planned') return result
  const ended = (await credentials?.forget(scopes, signal))?.wasSigningIn
    ? ' The sign-in that waited for its user has been ended.'
    : ''
  if (held.length === 0) return { ...result, message: `${plan.summary}${ended}` }
  log('notice', 'tokens dropped', { tool: 'clear_auth_cache', accounts: held.length })
  const stays = plan.keeps.length > 0 ? ` What stays: ${plan.keeps.join('; ')}.` : ''
  return { ...result, message: `The tokens are gone.${ended}${stays}` }
}

export const signIns = { clear_auth_cache: clearAuthCache } satisfies Partial<Handlers>
