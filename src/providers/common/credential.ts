import { copyOf } from '../../protocol/copy.js'
import type { HttpCall } from '../../protocol/ports.js'
import type { Secret } from '../../protocol/secret.js'

/** The call with a key or an access token as bearer. */
export function withBearer(call: HttpCall, secret: Secret): HttpCall {
  return withHeader(call, 'authorization', `Bearer ${secret.reveal()}`)
}

/** The call with one more header. */
export function withHeader({ method, url, headers, body }: HttpCall, name: string, value: string): HttpCall {
  const all: Record<string, string> = copyOf(headers)
  all[name] = value
  return body === undefined ? { method, url, headers: all } : { method, url, headers: all, body }
}
