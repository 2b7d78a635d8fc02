import type { Adapter } from '../../protocol/ports.js'
import { withBearer } from '../common/credential.js'
import { ConverseDecoder } from './decode.js'
import { bedrockEmbed } from './embed.js'
import { encode } from './encode.js'
import { faultFrom } from './fault.js'
import { eventStreamFraming } from './frames.js'
import { pairOf, signed } from './sign.js'

/** The Converse dialect. A secret is a bearer token, or the JSON of a key pair: then requests are signed for `region`. */
export function bedrockAdapter(region: string): Adapter {
  return {
    dialect: 'bedrock',
    encode,
    authorize: (call, secret) => {
      const text = secret.reveal()
      const pair = pairOf(text)
      return pair === undefined ? withBearer(call, secret) : signed(call, pair, region)
    },
    decode: ctx => new ConverseDecoder(ctx),
    fault: (status, headers, body, nowMs) => faultFrom(body, { provider: 'amazon-bedrock', status, headers, nowMs }),
    frames: eventStreamFraming,
    embed: bedrockEmbed,
  }
}
