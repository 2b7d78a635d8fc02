import type { EmbedAnswer, EmbedCodec, EmbedInputs } from '../../protocol/embed.js'
import { GatewayError } from '../../protocol/errors.js'
import { isObject, stringAt } from '../../protocol/json.js'
import type { Headers, Target } from '../../protocol/ports.js'
import { COHERE_INPUTS, cohereBody, cohereVectors } from '../cohere/embed.js'
import { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import { urlOf } from '../common/url.js'
import { countAt, embedCall, inputUsage, inputWord, noteEncoding, unreadable, vectorOf, type InputWords } from '../common/vectors.js'

const NO_WORDS: InputWords = {}
const TITAN = 'amazon.titan-embed-text'
const COHERE = 'cohere.embed'

/** An id, with a region before it or as the end of an ARN. */
function familyOf({ model }: Target): 'titan' | 'cohere' | undefined {
  if (model.includes(TITAN)) return 'titan'
  return model.includes(COHERE) ? 'cohere' : undefined
}

function titanBody(request: EmbedInputs, target: Target, notes: Notes): Block {
  const { inputs, dimensions } = request
  noteEncoding(request, notes)
  inputWord(NO_WORDS, request, notes)
  const shortens = target.model.includes(`${TITAN}-v2`)
  if (dimensions !== undefined && !shortens) throw new GatewayError('invalid_request', 'This model of Titan cannot shorten its vectors. Leave "dimensions" out, or take amazon.titan-embed-text-v2:0.', { origin: 'caller' })
  return { inputText: inputs[0] ?? '', ...(dimensions !== undefined && { dimensions }) }
}

function encode(request: EmbedInputs, target: Target): ReturnType<EmbedCodec['encode']> {
  const notes = new Notes()
  const family = familyOf(target)
  if (family === undefined) throw new GatewayError('invalid_request', 'This model of Bedrock cannot be asked for embeddings here. Take a model of amazon.titan-embed-text or cohere.embed.', { origin: 'caller' })
  const body = family === 'titan' ? titanBody(request, target, notes) : cohereBody(request, notes)
  return { call: embedCall(target, urlOf(target, `/model/${encodeURIComponent(target.model)}/invoke`), body, request.providerOptions, 'bedrock'), warnings: notes.list }
}

/** Cohere's body holds no usage there: the header of every model does. */
function tokensIn(headers: Headers): number | undefined {
  const text = headers['x-amzn-bedrock-input-token-count']
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function decode(body: unknown, target: Target, headers: Headers): EmbedAnswer {
  const { provider } = target
  if (!isObject(body)) throw unreadable(provider, 'is no JSON object')
  const id = stringAt(body, 'id')
  const vectors = familyOf(target) === 'titan' ? [vectorOf(body['embedding'], provider)] : cohereVectors(body, provider)
  return { vectors, usage: inputUsage(countAt(body, 'inputTextTokenCount') ?? tokensIn(headers)), ...(id !== undefined && { id }) }
}

/** Embeddings of Bedrock, by InvokeModel: Titan, which takes one text at a time, and Cohere. */
export const bedrockEmbed: EmbedCodec = {
  limits: target => ({ maxInputs: familyOf(target) === 'titan' ? 1 : COHERE_INPUTS }),
  encode,
  decode: (body, { target, headers }) => decode(body, target, headers),
}
