import type { Adapter } from '../../protocol/ports.js'
import { withBearer } from '../common/credential.js'
import { DIALECT } from './content.js'
import { ChatDecoder } from './decode.js'
import { cohereEmbed } from './embed.js'
import { encode, probe } from './encode.js'
import { faultFrom } from './fault.js'

/** The v2 chat dialect of Cohere. Errors are `GatewayError`s; `encode` throws `invalid_request` for content the dialect has no form for. */
export const cohereAdapter: Adapter = {
  dialect: DIALECT,
  encode,
  authorize: withBearer,
  decode: ctx => new ChatDecoder(ctx),
  fault: (status, headers, body, nowMs) => faultFrom(body, { provider: DIALECT, status, headers, nowMs }),
  probe,
  embed: cohereEmbed,
}
