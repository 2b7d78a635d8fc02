import type { GatewayError } from '../../protocol/errors.js'
import { isObject, stringAt } from '../../protocol/json.js'
import { fault, faultInside } from '../openai/fault.js'
import type { Quirks } from '../openai/quirks.js'

const STATUS: ReadonlyMap<string, number> = new Map([['server_error', 500], ['vector_store_timeout', 504], ['invalid_prompt', 400], ['data_residency_mismatch', 400], ['bio_policy', 400], ['cyber_policy', 400]])

// Codes about images are many, and all say that the same image would fail again.
function statusOf(code: string | undefined): number {
  if (code === undefined) return 200
  return STATUS.get(code) ?? (/image/i.test(code.slice(0, 80)) ? 400 : 200)
}

/** The fault an `error` event or a failed response tells of. Its headers belong to the part that went well. */
export function faultWithin(error: unknown, quirks: Quirks): GatewayError {
  const words = isObject(error) && error['type'] === 'error' ? { ...error, type: undefined } : error
  return fault(statusOf(stringAt(words, 'code')), {}, { error: words }, 0, quirks)
}

/** Of an `error` event, which has its fields flat or under `error`. */
export function errorIn(event: Record<string, unknown>): Record<string, unknown> {
  return isObject(event['error']) ? event['error'] : event
}

/** Of a body that is an error from top to bottom. */
export function faultOfBody(body: Record<string, unknown>, quirks: Quirks): GatewayError {
  return isObject(body['error']) ? faultWithin(body['error'], quirks) : faultInside(body, quirks)
}
