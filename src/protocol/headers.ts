import { GatewayError } from './errors.js'
import { isObject } from './json.js'
import type { Headers } from './ports.js'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const UNSAFE = /[\r\n\0]/
// A key in the wrong header would leave by the wrong door.
const RESERVED = /^(?:(?:proxy-)?authorization|cookie|host|content-length|transfer-encoding|connection|.*api-key)$/

/** Lower-cases header names; refuses what could split a request or replace a credential. */
export function safeHeaders(headers: unknown, where: string, code: 'invalid_config' | 'invalid_request' = 'invalid_config'): Headers {
  const fail = (message: string) => new GatewayError(code, message)
  if (!isObject(headers)) throw fail(`${where} must be an object of strings.`)
  const out: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(headers)) {
    if (!TOKEN.test(name)) throw fail(`${where} has a name that is not a header name. Use letters, digits and dashes.`)
    if (typeof value !== 'string' || UNSAFE.test(value)) throw fail(`${where}["${name}"] must be one line of text.`)
    if (RESERVED.test(name.toLowerCase())) throw fail(`${where}["${name}"] is set by the library. Give keys as apiKey and hosts as baseUrl.`)
    out[name.toLowerCase()] = value
  }
  return out
}
