import { GatewayError } from '../../protocol/errors.js'
import { isObject, parseJson } from '../../protocol/json.js'

/** The JSON object a frame holds; `undefined` where it holds none. Throws `malformed_response` where it is nested too deep. */
export function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const found = parseJson(text)
    return isObject(found) ? found : undefined
  } catch (error) {
    if (GatewayError.is(error)) throw error
    return undefined
  }
}

export function malformed(message: string): GatewayError {
  return new GatewayError('malformed_response', message, { origin: 'upstream' })
}
