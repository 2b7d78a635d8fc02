import type { EmbedAnswer, EmbedCodec, EmbedInputs } from '../../protocol/embed.js'
import { isObject } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import { urlOf } from '../common/url.js'
import { countAt, embedCall, GOOGLE_WORDS, inputUsage, inputWord, noteEncoding, unreadable, vectorOf, type InputWords } from '../common/vectors.js'

const MAX_INPUTS = 100
const MODELS = /^models\//
/** Models that are told in the text itself what it is embedded for. */
const BY_TEXT = /^gemini-embedding-2/
const NO_WORDS: InputWords = {}

/** One text as an `embedContent` request. */
export function contentBody(text: string, model: string, request: EmbedInputs, notes: Notes): Block {
  const { dimensions } = request
  const word = inputWord(BY_TEXT.test(model) ? NO_WORDS : GOOGLE_WORDS, request, notes)
  return {
    content: { parts: [{ text }] },
    ...(word !== undefined && { taskType: word }),
    ...(dimensions !== undefined && { outputDimensionality: dimensions }),
  }
}

/** The answer to `embedContent`, or to a batch of them. */
export function contentAnswer(body: unknown, provider: string): EmbedAnswer {
  if (!isObject(body)) throw unreadable(provider, 'is no JSON object')
  const list: unknown = body['embeddings'] ?? (body['embedding'] === undefined ? undefined : [body['embedding']])
  if (!Array.isArray(list)) throw unreadable(provider, 'holds no list of embeddings')
  return {
    vectors: list.map(item => vectorOf(isObject(item) ? item['values'] : undefined, provider)),
    usage: inputUsage(countAt(body['usageMetadata'], 'promptTokenCount')),
  }
}

function encode(request: EmbedInputs, target: Target): ReturnType<EmbedCodec['encode']> {
  const notes = new Notes()
  noteEncoding(request, notes)
  const { inputs, providerOptions } = request
  const model = target.model.replace(MODELS, '')
  const urlFor = (verb: string): string => urlOf(target, `/models/${encodeURIComponent(model)}:${verb}`)
  const [first = '', ...more] = inputs
  if (more.length === 0) return { call: embedCall(target, urlFor('embedContent'), contentBody(first, model, request, notes), providerOptions, 'gemini'), warnings: notes.list }
  // Each request of a batch takes the fields, not the batch.
  const own = { ...providerOptions?.['gemini'], ...providerOptions?.[target.provider] }
  const requests = inputs.map(text => ({ model: `models/${model}`, ...contentBody(text, model, request, notes), ...own }))
  return { call: embedCall(target, urlFor('batchEmbedContents'), { requests }, undefined, 'gemini'), warnings: notes.list }
}

/** Embeddings of the Gemini API: `embedContent` for one text, `batchEmbedContents` for several. */
export const geminiEmbed: EmbedCodec = {
  limits: () => ({ maxInputs: MAX_INPUTS }),
  encode,
  decode: (body, { target }) => contentAnswer(body, target.provider),
}
