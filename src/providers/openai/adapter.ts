import type { Adapter } from '../../protocol/ports.js'
import { withBearer, withHeader } from '../common/credential.js'
import { ChatDecoder } from './decode.js'
import { openaiEmbed } from './embed.js'
import { encode, probe } from './encode.js'
import { fault, limits } from './fault.js'
import { QUIRKS } from './quirk-rows.js'
import type { Quirks } from './quirks.js'

/** The adapter of the OpenAI chat-completions dialect; `quirks` say how a server differs from most. */
export function openaiAdapter(quirks: Quirks = QUIRKS.plain): Adapter {
  const authHeader = quirks.authHeader?.toLowerCase()
  return {
    dialect: 'openai',
    encode: (request, target, wire) => encode(request, target, wire, quirks),
    authorize: (call, secret) => (authHeader === undefined ? withBearer(call, secret) : withHeader(call, authHeader, secret.reveal())),
    decode: context => new ChatDecoder(context, quirks),
    fault: (status, headers, body, nowMs) => fault(status, headers, body, nowMs, quirks),
    limits: headers => limits(headers),
    probe,
    embed: openaiEmbed(quirks),
  }
}
