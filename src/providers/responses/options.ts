import { GatewayError } from '../../protocol/errors.js'
import { isObject, type Json, type JsonObject } from '../../protocol/json.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import type { Block } from '../common/own.js'
import { DIALECT } from './writer.js'

/** State that lies at the server, which a gateway that may go elsewhere with the next call cannot count on. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['background', 'The answer of a background response comes later, and this library asks only once. Leave it out, and use gateway.batch() or a longer deadline.'],
  ['previous_response_id', 'Send the conversation itself in messages: result.message holds the reasoning and the calls that belong to it.'],
  ['conversation', 'Send the conversation itself in messages: result.message holds the reasoning and the calls that belong to it.'],
])

/** What `providerOptions` hold for this dialect and this provider. Throws `invalid_request` for what needs state at the server. */
export function optionsOf({ providerOptions }: UpstreamRequest, provider: string): JsonObject {
  const options = { ...providerOptions?.[DIALECT], ...providerOptions?.[provider] }
  for (const [name, why] of REFUSED) {
    const value = options[name]
    if (value !== undefined && value !== null && value !== false) throw new GatewayError('invalid_request', `providerOptions hold ${name}, which cannot be sent. ${why}`)
  }
  return options
}

function joined(before: Json | undefined, given: Json | undefined): Json | undefined {
  if (Array.isArray(before) && Array.isArray(given)) return [...new Set([...(before as Json[]), ...(given as Json[])])]
  return isObject(before) && isObject(given) ? ({ ...before, ...given } as Json) : given
}

/** Lays the options over the body: `include` gets longer, `reasoning` and `text` are merged, all else is replaced. */
export function withOptions(body: Block, { stream: _, ...options }: JsonObject): Block {
  const out = { ...body, ...options }
  for (const key of ['include', 'reasoning', 'text']) if (body[key] !== undefined && options[key] !== undefined) out[key] = joined(body[key], options[key])
  return out
}
