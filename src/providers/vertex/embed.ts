import type { EmbedAnswer, EmbedCodec, EmbedInputs } from '../../protocol/embed.js'
import { isObject } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import { urlOf } from '../common/url.js'
import { countAt, embedCall, GOOGLE_WORDS, inputUsage, inputWord, noteEncoding, vectorOf } from '../common/vectors.js'
import { contentAnswer, contentBody } from '../gemini/embed.js'

/** Models of `embedContent`; all others are of `predict`. */
const CONTENT = /^gemini-embedding-2/
/** Models that take one text at a time. */
const ALONE = /^gemini-embedding/
const MAX_INPUTS = 250
/** 20,000 tokens in one request, two bytes taken for one. */
const MAX_BYTES = 40_000

function nameOf({ model }: Target): string {
  return model.slice(model.lastIndexOf('/') + 1)
}

/** The base URL may go as far as the location, the publisher, or its models. */
function urlFor(target: Target, verb: string): string {
  const { pathname } = new URL(target.baseUrl)
  const rest = pathname.endsWith('/publishers/google/models') ? '' : pathname.endsWith('/publishers/google') ? '/models' : '/publishers/google/models'
  return urlOf(target, `${rest}/${encodeURIComponent(nameOf(target))}:${verb}`)
}

function encode(request: EmbedInputs, target: Target): ReturnType<EmbedCodec['encode']> {
  const notes = new Notes()
  noteEncoding(request, notes)
  const { inputs, dimensions, providerOptions } = request
  const name = nameOf(target)
  if (CONTENT.test(name)) return { call: embedCall(target, urlFor(target, 'embedContent'), contentBody(inputs[0] ?? '', name, request, notes), providerOptions, 'vertex'), warnings: notes.list }
  const word = inputWord(GOOGLE_WORDS, request, notes)
  const body: Block = {
    instances: inputs.map(content => ({ content, ...(word !== undefined && { task_type: word }) })),
    ...(dimensions !== undefined && { parameters: { outputDimensionality: dimensions } }),
  }
  return { call: embedCall(target, urlFor(target, 'predict'), body, providerOptions, 'vertex'), warnings: notes.list }
}

function decode(body: unknown, { provider }: Target): EmbedAnswer {
  const predictions: unknown = isObject(body) ? body['predictions'] : undefined
  if (!Array.isArray(predictions)) return contentAnswer(body, provider)
  const found = predictions.map(item => (isObject(item) ? item['embeddings'] : undefined))
  const counts = found.map(item => countAt(isObject(item) ? item['statistics'] : undefined, 'token_count'))
  // A sum of some would be less than was used.
  const tokens = counts.every(count => count !== undefined) ? counts.reduce((sum, count) => sum + count, 0) : undefined
  return { vectors: found.map(item => vectorOf(isObject(item) ? item['values'] : undefined, provider)), usage: inputUsage(tokens) }
}

/** Embeddings of Vertex AI: `predict`, and `embedContent` for the models that have that alone. */
export const vertexEmbed: EmbedCodec = {
  limits: target => ({ maxInputs: ALONE.test(nameOf(target)) ? 1 : MAX_INPUTS, maxBytes: MAX_BYTES }),
  encode,
  decode: (body, { target }) => decode(body, target),
}
