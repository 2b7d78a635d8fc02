import type { EmbedAnswer, EmbedCodec, EmbedInputs } from '../../protocol/embed.js'
import { isObject, stringAt } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import { urlOf } from '../common/url.js'
import { COHERE_WORDS, countAt, embedCall, inputUsage, inputWord, unreadable, vectorOf } from '../common/vectors.js'

/** Texts in one request, by its documentation. */
export const COHERE_INPUTS = 96

/** The body of Cohere without the model, which other hosts name elsewhere. */
export function cohereBody(request: EmbedInputs, notes: Notes): Block {
  const { inputs, dimensions, encoding, inputType } = request
  const word = inputWord(COHERE_WORDS, request, notes)
  if (inputType === undefined) notes.add('changed', 'These models must be told what a text is embedded for; "document" was taken. Set inputType, "query" for what is searched with.', 'inputType')
  return {
    texts: inputs,
    input_type: word ?? 'search_document',
    embedding_types: [encoding ?? 'float'],
    ...(dimensions !== undefined && { output_dimension: dimensions }),
  }
}

/** The vectors of an answer: by type, or the bare list of older ones. */
export function cohereVectors(body: Record<string, unknown>, provider: string): readonly Float32Array[] {
  const found: unknown = body['embeddings']
  const list: unknown = isObject(found) ? (found['float'] ?? found['base64']) : found
  if (!Array.isArray(list)) throw unreadable(provider, 'holds no list of embeddings')
  return list.map(vector => vectorOf(vector, provider))
}

function encode(request: EmbedInputs, target: Target): ReturnType<EmbedCodec['encode']> {
  const notes = new Notes()
  const body: Block = { model: target.model, ...cohereBody(request, notes) }
  return { call: embedCall(target, urlOf(target, '/embed'), body, request.providerOptions, 'cohere'), warnings: notes.list }
}

function decode(body: unknown, { provider }: Target): EmbedAnswer {
  if (!isObject(body)) throw unreadable(provider, 'is no JSON object')
  const id = stringAt(body, 'id')
  const units = isObject(body['meta']) ? body['meta']['billed_units'] : undefined
  return { vectors: cohereVectors(body, provider), usage: inputUsage(countAt(units, 'input_tokens')), ...(id !== undefined && { id }) }
}

/** Embeddings of Cohere, v2. */
export const cohereEmbed: EmbedCodec = {
  limits: () => ({ maxInputs: COHERE_INPUTS }),
  encode,
  decode: (body, { target }) => decode(body, target),
}
