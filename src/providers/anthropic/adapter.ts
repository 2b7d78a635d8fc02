import type { Adapter } from '../../protocol/ports.js'
import { withHeader } from '../common/credential.js'
import { MessagesDecoder } from './decode.js'
import { encode, probe } from './encode.js'
import { faultFrom, limitsOf } from './fault.js'

/** The messages dialect. Errors are `GatewayError`s; `encode` throws `invalid_request` for content the dialect has no form for. */
export const anthropicAdapter: Adapter = {
  dialect: 'anthropic',
  encode,
  authorize: (call, secret) => withHeader(call, 'x-api-key', secret.reveal()),
  decode: ctx => new MessagesDecoder(ctx),
  fault: (status, headers, body, nowMs) => faultFrom(body, { provider: 'anthropic', status, headers, nowMs }),
  limits: limitsOf,
  probe,
}
