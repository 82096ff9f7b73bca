/** The Azure CLI's account as a source of tokens: what it is asked, and what its answers and failures mean. */
import { scrubText } from '../arm/scrub.ts'
import { AuthError } from './auth-error.ts'
import type { CliResult, RunAzureCli } from './azure-cli.ts'
import { factsOf, parseObject, type TokenFacts } from './token-facts.ts'

/** Throws AuthError with what az said, without anything that could be a token. */
export async function azureCliToken(
  run: RunAzureCli,
  { scope, tenantId, claims }: { scope: string; tenantId: string | undefined; claims?: string | undefined },
  signal: AbortSignal,
): Promise<TokenFacts & { token: string }> {
  if (claims !== undefined) throw challenged(claims, tenantId)
  if (tenantId !== undefined && !/^\w[\w.-]*$/.test(tenantId)) {
    const remediation = 'Set tenant_id to the GUID or a domain name of the tenant.'
    throw new AuthError('not_configured', 'tenant_id is neither a GUID nor a domain name', remediation)
  }
  const tenant = tenantId === undefined ? [] : ['--tenant', tenantId]
  const resource = scope.replace(/\/\.default$/, '')
  const result = await run(
    ['account', 'get-access-token', '--resource', resource, '--output', 'json', ...tenant],
    signal,
  )
  if (result.code !== 0) throw failure(result, tenant)
  return parseAnswer(result.stdout)
}

/** az hands out the token that it has, which does not meet the challenge: it has to be signed in with it. */
function challenged(claims: string, tenantId: string | undefined): AuthError {
  const tenant = tenantId === undefined ? '' : ` --tenant ${tenantId}`
  const challenge = Buffer.from(claims).toString('base64')
  return new AuthError(
    'not_signed_in',
    'Conditional access asks for a new sign-in, which the Azure CLI cannot do by itself',
    `Run \`az logout\`, then \`az login${tenant} --scope https://management.core.windows.net//.default --claims-challenge ${challenge}\`, and call again.`,
  )
}

/** https://learn.microsoft.com/cli/azure/account#az-account-get-access-token */
function parseAnswer(stdout: string): TokenFacts & { token: string } {
  const answer = parseObject(stdout)
  const token = answer.accessToken
  if (typeof token !== 'string' || token === '') {
    const remediation = 'See what `az account get-access-token` prints in a terminal, or set AZURE_ACCESS_TOKEN.'
    throw new AuthError('not_signed_in', 'The Azure CLI printed something else than a token', remediation)
  }
  const facts = factsOf(token)
  return {
    token,
    account: facts.account,
    tenantId: typeof answer.tenant === 'string' ? answer.tenant : facts.tenantId,
    expiresAtMs: expiryOf(answer) ?? facts.expiresAtMs,
  }
}

/** `expires_on` is in seconds since 1970; before az 2.54 there was only `expiresOn`, in local time without saying so. */
function expiryOf({ expires_on, expiresOn }: Record<string, unknown>): number | undefined {
  const seconds = Number(expires_on ?? Number.NaN)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(String(expiresOn).replace(' ', 'T'))
  return Number.isNaN(ms) ? undefined : ms
}

function failure({ code, stderr }: CliResult, tenant: string[]): AuthError {
  const said = errorLine(stderr)
  const login = ['az login', ...tenant].join(' ')
  // Entra ID's refusals also end in "run az login", so they are looked for first.
  if (/AADSTS\d+/.test(said)) {
    const checkTenant = tenant.length > 0 ? ', and check tenant_id' : ''
    const remediation = `Run \`${login}\` again and do there what the message asks for${checkTenant}.`
    return new AuthError('not_signed_in', `The Azure CLI's sign-in is not accepted: ${said}`, remediation)
  }
  if (/az login/.test(said)) {
    const remediation = `Run \`${login}\`, or set AZURE_ACCESS_TOKEN.`
    return new AuthError('not_signed_in', 'Nobody is signed in to the Azure CLI', remediation)
  }
  const remediation = `See whether \`az account get-access-token\` works in a terminal, run \`${login}\`, or set AZURE_ACCESS_TOKEN.`
  return new AuthError('not_signed_in', `The Azure CLI failed with exit status ${code}: ${said}`, remediation)
}

/** What az calls the error, in one line of at most 300 characters: without traces, and without what looks like a token. */
function errorLine(stderr: string): string {
  const lines = stderr.split(/\r?\n/).filter(line => line.trim() !== '')
  const line = lines.find(line => /^ERROR:|AADSTS\d+/.test(line)) ?? lines.at(-1) ?? 'it said nothing'
  return scrubText(line)
    .replace(/^ERROR:\s*/, '')
    .replace(/\s*Trace ID:.*/, '')
    .replaceAll(/[\w-]{40,}(\.[\w-]+)*/g, '…')
    .replaceAll(/[\x00-\x1f\x7f]/g, ' ')
    .slice(0, 300)
}
