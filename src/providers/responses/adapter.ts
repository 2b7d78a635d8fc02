import type { Adapter } from '../../protocol/ports.js'
import { openaiAdapter } from '../openai/adapter.js'
import type { Quirks } from '../openai/quirks.js'
import { ResponsesDecoder } from './decode.js'
import { encode } from './encode.js'
import { DIALECT } from './writer.js'

/** The adapter of the Responses dialect; credentials, errors and limits are those of chat completions. */
export function responsesAdapter(quirks: Quirks = {}): Adapter {
  return {
    ...openaiAdapter(quirks),
    dialect: DIALECT,
    encode: (request, target, wire) => encode(request, target, wire, quirks),
    decode: context => new ResponsesDecoder(context, quirks),
  }
}
