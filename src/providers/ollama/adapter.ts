import type { Adapter } from '../../protocol/ports.js'
import { withBearer } from '../common/credential.js'
import { ChatDecoder } from './decode.js'
import { encode, probe } from './encode.js'
import { faultFrom } from './fault.js'
import { DIALECT } from './messages.js'
import { ndjson } from './ndjson.js'

/**
 * The native dialect of Ollama. Errors are `GatewayError`s; `encode` throws `invalid_request` for content the dialect has no form for.
 * @param numCtx the context the model is loaded for.
 */
export function ollamaAdapter(numCtx?: number): Adapter {
  return {
    dialect: DIALECT,
    encode: (request, target, wire) => encode(request, target, wire, numCtx),
    authorize: withBearer,
    decode: ctx => new ChatDecoder(ctx),
    fault: (status, headers, body, nowMs) => faultFrom(body, { provider: DIALECT, status, headers, nowMs }),
    frames: ndjson,
    probe,
  }
}
