import type { EmbedAnswer, EmbedCodec, EmbedInputs } from '../protocol/embed.js'
import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { Adapter, DecodeContext, Decoder } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'

/** What is said and read on the wire. */
type Codec = Pick<Adapter, 'encode' | 'decode' | 'frames'>

/** The most numbers in one vector. */
const MOST_NUMBERS = 65_536

/** The embeddings of an adapter as what a transport speaks. */
export function embeddings({ embed, dialect }: Adapter): Codec {
  if (embed === undefined) throw new GatewayError('invalid_request', `The dialect "${dialect}" has no embeddings. Ask a deployment of another provider.`, { origin: 'caller' })
  return {
    encode: (request, target) => embed.encode(inputsOf(request), target),
    decode: context => new VectorDecoder(embed, context),
  }
}

/** The texts of a request: its messages, one each. Throws where a plugin made something else of them. */
function inputsOf({ messages, embed, providerOptions }: UpstreamRequest): EmbedInputs {
  const inputs = messages.map(({ content }) => {
    if (typeof content === 'string') return content
    throw new GatewayError('invalid_request', 'What is to be embedded has to be a text. A plugin changed it to parts.', { origin: 'gateway' })
  })
  return { ...embed, inputs, ...(providerOptions !== undefined && { providerOptions }) }
}

/** Reads one body, and holds it to the inputs: as many vectors, all of one length, of finite numbers. */
class VectorDecoder implements Decoder {
  readonly finishing = false
  readonly done = false
  readonly #embed: EmbedCodec
  readonly #context: DecodeContext

  constructor(embed: EmbedCodec, context: DecodeContext) {
    this.#embed = embed
    this.#context = context
  }

  json(body: unknown): ChatEvent[] {
    const { request, target, headers } = this.#context
    const inputs = inputsOf(request)
    const answer = this.#embed.decode(body, { request: inputs, target, headers })
    this.#check(answer, inputs)
    const { vectors, usage, id, model } = answer
    return [
      { type: 'start', ...(id !== undefined && { id }), ...(model !== undefined && { model }) },
      ...vectors.map((vector, index) => ({ type: 'embedding', index, vector }) as const),
      { type: 'finish', finishReason: 'stop', usage },
    ]
  }

  frame(): never {
    throw this.#malformed('is an event stream')
  }
  end(): never {
    throw this.#malformed('ended too early')
  }

  #check({ vectors }: EmbedAnswer, { inputs, dimensions }: EmbedInputs): void {
    if (vectors.length !== inputs.length) throw this.#malformed(`holds ${vectors.length} embeddings for ${inputs.length} inputs`)
    const length = vectors[0]?.length ?? 0
    if (length === 0 || length > MOST_NUMBERS || vectors.some(vector => vector.length !== length)) throw this.#malformed('holds embeddings that are empty, endless or of several lengths')
    // A server that does not know the parameter may not say so.
    if (dimensions !== undefined && length !== dimensions) throw this.#malformed(`holds embeddings of ${length} numbers, and ${dimensions} were asked for. Leave out "dimensions" where the model cannot shorten them`)
    if (vectors.some(vector => !vector.every(Number.isFinite))) throw this.#malformed('holds numbers that are none')
  }

  #malformed(what: string): GatewayError {
    const { target, status } = this.#context
    return new GatewayError('malformed_response', `The answer of ${target.provider} ${what}.`, { origin: 'upstream', status })
  }
}
