/** Why no answer came, in plain words: what undici and Node report as codes. */
import { ProxyRefusal } from './proxy-tunnel.ts'
import { SendError } from './send.ts'

const unknownAuthority = 'its certificate comes from an authority that is not trusted here'
const closed = 'the connection was closed'
const cut = 'the answer was cut short'

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up just now',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ECONNABORTED: closed,
  EPIPE: closed,
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_SOCKET: closed,
  UND_ERR_DESTROYED: 'this program is closing its connections',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: cut,
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'the answer is too large',
  UND_ERR_HEADERS_OVERFLOW: "the answer's headers are too large",
  HTTPParserError: 'what came back is not HTTP',
  EPROTO: 'TLS could not be agreed on',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (is the clock right?)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
}

/**
 * The SendError for a failed connection to `host`. `isWritten` decides its kind: before the first byte was handed to a
 * connection the request was certainly not sent, whatever the code; after it, it may have been taken.
 */
export function sendFailure(error: Error & { code?: unknown }, host: string, isWritten: boolean): SendError {
  const code = typeof error.code === 'string' ? error.code : error.name
  const why = error instanceof ProxyRefusal ? error.message : (words[code] ?? code)
  const message = isWritten ? `the request to ${host} failed: ${why}` : `could not connect to ${host}: ${why}`
  // A parser error carries a piece of the answer, which may hold secrets.
  return new SendError(isWritten ? 'lost' : 'not_sent', message, code === 'HTTPParserError' ? undefined : error)
}
