/**
 * Who this server is signed in as. Its tokens are those that it holds in memory; where they come from is not its own, and
 * stays: the next call signs in from there again.
 */
import type { HeldAccount, TokenMethod } from '../auth/tokens.ts'
import type { Handlers, ToolContext } from '../tools/context.ts'
import { carryOut } from './changes.ts'
import type { Plan } from './plans.ts'

/** What stays, and how to end that too. */
const sources: Readonly<Record<TokenMethod, string>> = {
  access_token:
    'AZURE_ACCESS_TOKEN in the environment of this server, which the next call takes again; unset it to end that',
  azure_cli: 'the sign-in of the Azure CLI, which the next call asks again; `az logout` ends that',
}

const nobody = ({ signIn }: ToolContext): string => {
  if (signIn === 'simulated')
    return 'Azure is simulated in this process, and nobody signs in: there is nothing to clear.'
  if (!signIn) return 'Answers come from a recording, and nobody signs in: there is nothing to clear.'
  return 'This server holds no tokens: there is nothing to clear.'
}

const calledBy = ({ account, tenantId, method }: HeldAccount): string =>
  `${account ?? 'an account without a name'}${tenantId === undefined ? '' : ` in tenant ${tenantId}`} (${method})`

const planOf = (accounts: readonly HeldAccount[], context: ToolContext): Plan => {
  const names = accounts.map(calledBy)
  return {
    summary:
      names.length === 0 ? nobody(context) : `Drop the tokens that this server holds in memory: ${names.join(', ')}.`,
    requests: [],
    keeps: [...new Set(accounts.map(({ method }) => sources[method]))],
    loses: names.map(name => `the tokens of ${name}`),
    itemId: '',
    basis: names,
  }
}

const clearAuthCache: Handlers['clear_auth_cache'] = async (input, context) => {
  const { signIn, log } = context
  const scopes = input.all_accounts === true ? 'all' : 'own'
  const credentials = signIn === 'simulated' ? undefined : signIn
  const held = credentials?.held(scopes) ?? []
  const accounts = held.map(({ account, tenantId, method }) => ({
    account: account ?? null,
    tenant_id: tenantId ?? null,
    method,
  }))
  const plan = planOf(held, context)
  const { changed } = await carryOut('clear_auth_cache', input, context, plan)
  const result = { ...changed, vault_name: null, item_id: null, accounts }
  if (changed.status === 'planned') return result
  if (held.length === 0) return { ...result, message: plan.summary }
  credentials?.forget(scopes)
  log('notice', 'tokens dropped', { tool: 'clear_auth_cache', accounts: held.length })
  return { ...result, message: `The tokens are gone from this server's memory. What stays: ${plan.keeps.join('; ')}.` }
}

export const signIns = { clear_auth_cache: clearAuthCache } satisfies Partial<Handlers>
