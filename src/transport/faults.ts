import { GatewayError } from '../protocol/errors.js'

const CODE = /^[A-Z][A-Z0-9_]{1,60}$/
const SAID = new Map([
  ['ENOTFOUND', 'its name was not found'],
  ['EAI_AGAIN', 'its name could not be looked up'],
  ['ECONNREFUSED', 'it refused the connection'],
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was closed'],
  ['ETIMEDOUT', 'the connection timed out'],
  ['EHOSTUNREACH', 'there is no way to it'],
  ['ENETUNREACH', 'there is no way to its network'],
])
const TLS = /CERT|TLS|SSL|SIGNATURE|ISSUER|EPROTO/

/** The short identifier of a system error; never its text, which may hold an address or a header. */
export function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' && CODE.test(code) ? code : undefined
}

function causeOf(code: string | undefined): { cause?: { code: string } } {
  return code === undefined ? {} : { cause: { code } }
}

/** No answer came: the fault names the host and the system's code. */
export function networkFault(host: string, error: unknown): GatewayError {
  const code = codeOf(error)
  if (code?.startsWith('HPE_')) return malformed(`The answer of ${host} is not HTTP that can be read (${code}).`, code)
  const said = (code !== undefined && (SAID.get(code) ?? (TLS.test(code) ? `the TLS handshake failed (${code})` : code))) || 'the connection failed'
  return new GatewayError('network', `Could not reach ${host}: ${said}. Check the network, the proxy settings and baseUrl.`, { origin: 'network', ...causeOf(code) })
}

/** The answer cannot be used. */
export function malformed(message: string, code?: string): GatewayError {
  return new GatewayError('malformed_response', message, { origin: 'network', ...causeOf(code) })
}

/** The body ended before its end. */
export function cutFault(host: string, error?: unknown): GatewayError {
  return malformed(`The answer of ${host} was cut in the middle.`, codeOf(error))
}

/** What is pending at an abort rejects with: the signal's reason where it is one of ours. */
export function abortFault(reason?: unknown): GatewayError {
  return GatewayError.is(reason) ? reason : new GatewayError('aborted', 'The call was aborted.', { origin: 'caller' })
}

/** The transport was closed. */
export function closedFault(): GatewayError {
  return new GatewayError('closed', 'The gateway is closed. Make a new one to go on.', { origin: 'caller' })
}

/** A wrong setting that shows only when a request is made. */
export function configFault(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}
