import type { GatewayError } from '../../protocol/errors.js'
import { stringAt } from '../../protocol/json.js'
import { wordsOf } from '../common/words.js'
import { faultOf, type ErrorFacts } from '../faults.js'

/** An error answer: `{ id, message, error_type }`, or whatever a proxy put there. */
export function faultFrom(body: unknown, facts: Pick<ErrorFacts, 'provider' | 'status' | 'headers' | 'nowMs'>): GatewayError {
  const { status: _, ...words } = wordsOf(body)
  const type = stringAt(body, 'error_type') ?? words.type
  const requestId = facts.headers['x-debug-trace-id'] ?? stringAt(body, 'id')
  return faultOf({ ...facts, ...words, ...(type !== undefined && { type }), ...(requestId !== undefined && { requestId }) })
}

/** An error inside an answer that began well: the headers of the good part ask for no wait. */
export function faultWithin(body: unknown, provider: string, status = 500): GatewayError {
  return faultFrom(body, { provider, status: wordsOf(body).status ?? status, headers: {}, nowMs: 0 })
}
