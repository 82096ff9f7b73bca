/** Codes of JSON-RPC 2.0, and those that MCP 2026-07-28 adds. */
export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  missingClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
} as const

/** An answer of kind `error`: a protocol fault, never something that a tool's caller can mend. */
export class RpcError extends Error {
  override name = 'RpcError'
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.code = code
    this.data = data
  }
}
