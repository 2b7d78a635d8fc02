import type { Usage, Warning } from './events.js'
import type { JsonObject } from './json.js'
import type { Headers, HttpCall, Target } from './ports.js'
import type { ChatResult } from './result.js'

/** What a text is embedded for, where the model makes a difference: a question, or what is searched. */
export type InputType = 'query' | 'document' | 'classification' | 'clustering' | 'similarity'

/** How the vectors are asked for. */
export interface EmbedWish {
  /** Numbers in a vector, where the model can shorten them. Default: the model's own. */
  readonly dimensions?: number
  /** How vectors travel; the result holds numbers either way. `base64` is shorter. Default: what the provider does by itself. */
  readonly encoding?: 'float' | 'base64'
  readonly inputType?: InputType
}

/** What the caller writes. */
export interface EmbedRequest<Model extends string = string> extends EmbedWish {
  readonly model: Model
  /** One text, or up to 10,000. What is more than the provider takes at once goes in several requests. */
  readonly input: string | readonly string[]
  /** The deployments of the route may name different models. Their vectors do not compare: say this only where you know that they do. */
  readonly anyModel?: boolean
  /** Extra body fields by dialect or provider, sent as they are. */
  readonly providerOptions?: { readonly [dialectOrProvider: string]: JsonObject }
}

/** What {@link EmbedRequest} gives. `embeddings` are in the order of the input, in 32-bit floats, which is as exact as models are. */
export interface EmbedResult extends Pick<ChatResult, 'id' | 'usage' | 'cost' | 'provider' | 'model' | 'deployment' | 'cached' | 'variant' | 'downgraded' | 'attempts' | 'warnings' | 'timings' | 'response'> {
  readonly embeddings: readonly Float32Array[]
}

/** What a codec is given: the texts of one request. */
export interface EmbedInputs extends EmbedWish {
  readonly inputs: readonly string[]
  readonly providerOptions?: EmbedRequest['providerOptions']
}
/** How much one request may hold. */
export interface EmbedLimits {
  readonly maxInputs: number
  /** UTF-8 bytes of all texts together; a single text may be longer. */
  readonly maxBytes?: number
}
/** One answer, its vectors in the order of the inputs. */
export interface EmbedAnswer {
  readonly vectors: readonly Float32Array[]
  readonly usage: Usage
  readonly id?: string
  readonly model?: string
}
/** The embeddings of one dialect: pure, like the adapter it belongs to, which signs its calls and reads its errors. */
export interface EmbedCodec {
  limits(target: Target): EmbedLimits
  encode(request: EmbedInputs, target: Target): { readonly call: HttpCall; readonly warnings: Warning[] }
  /** Reads a good answer; throws `malformed_response`. */
  decode(body: unknown, context: { readonly request: EmbedInputs; readonly target: Target; readonly headers: Headers }): EmbedAnswer
}
