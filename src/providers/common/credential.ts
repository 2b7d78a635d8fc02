import type { Headers, HttpCall } from '../../protocol/ports.js'
import type { Secret } from '../../protocol/secret.js'

/** The call with a key or an access token as bearer. */
export function withBearer(call: HttpCall, secret: Secret): HttpCall {
  return withHeaders(call, { ...call.headers, authorization: `Bearer ${secret.reveal()}` })
}

/** The call with other headers. Field by field: a literal that spreads an object and then names a field of it again is made the slow way. */
export function withHeaders({ method, url, body }: HttpCall, headers: Headers): HttpCall {
  return body === undefined ? { method, url, headers } : { method, url, headers, body }
}
