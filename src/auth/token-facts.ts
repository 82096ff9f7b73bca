/** What people want to know of a token, and may: never the token itself. */
export interface TokenFacts {
  /** User principal name, or a service principal's application id. */
  account: string | undefined
  tenantId: string | undefined
  expiresAtMs: number | undefined
}

/**
 * What a JWT says of itself; nothing for an opaque token. The signature is not verified: Azure does that, this is for
 * reading. https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
export function factsOf(token: string): TokenFacts {
  const claims = parseObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const text = (...names: string[]) =>
    names.map(name => claims[name]).find((value): value is string => typeof value === 'string' && value !== '')
  return {
    account: text('upn', 'unique_name', 'preferred_username', 'appid', 'azp'),
    tenantId: text('tid'),
    expiresAtMs: typeof claims.exp === 'number' ? claims.exp * 1000 : undefined,
  }
}

/** The JSON object in a text; an empty one where the text is anything else. */
export function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {}
  } catch {
    return {}
  }
}
