import type { GatewayError } from '../../protocol/errors.js'
import { numberAt } from '../../protocol/json.js'
import { wordsOf } from '../common/words.js'
import { faultOf, type ErrorFacts } from '../faults.js'

/** An error answer: `{ error: '...' }`, or whatever a proxy put there. */
export function faultFrom(body: unknown, facts: Pick<ErrorFacts, 'provider' | 'status' | 'headers' | 'nowMs'>): GatewayError {
  const { status: _, ...words } = wordsOf(body)
  return faultOf({ ...facts, ...words })
}

/** An error inside an answer that began well: no header speaks of it, and its status is its own or a failing server's. */
export function faultWithin(body: unknown, provider: string): GatewayError {
  const status = wordsOf(body).status ?? numberAt(body, 'status_code')
  return faultFrom(body, { provider, status: status !== undefined && status >= 400 && status < 600 ? status : 500, headers: {}, nowMs: 0 })
}
