import type { EmbedAnswer, EmbedCodec, EmbedInputs } from '../../protocol/embed.js'
import { GatewayError } from '../../protocol/errors.js'
import type { Usage } from '../../protocol/events.js'
import { isObject, stringAt } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import { Notes } from '../common/notes.js'
import type { Block } from '../common/own.js'
import { urlOf } from '../common/url.js'
import { countAt, embedCall, inputWord, unreadable, vectorOf, type InputWords } from '../common/vectors.js'
import { faultInside, isError } from './fault.js'
import { QUIRKS } from './quirk-rows.js'
import type { Quirks } from './quirks.js'
import { usageOf } from './usage.js'

/** What makes the embeddings of one server differ from those of the next. */
interface Row {
  /** Texts and UTF-8 bytes in one request. Bytes are no tokens: two of them are taken for one, which no language passes by much. */
  readonly maxInputs?: number
  readonly maxBytes?: number
  readonly dimensions?: 'output_dimension'
  readonly encoding?: 'embedding_type' | null
  readonly inputType?: readonly [field: string, words: InputWords]
  /** Vectors in base64 are signed bytes, which is its default. */
  readonly bytes?: boolean
  /** It has no word for floats: they are what comes where nothing is said. */
  readonly plainFloats?: boolean
}

const PLAIN: Row = {}
/** By the name of the provider. */
const ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['openai', { maxInputs: 512, maxBytes: 600_000 }],
  ['azure', { maxInputs: 512, maxBytes: 600_000 }],
  ['mistral', { maxInputs: 512, maxBytes: 32_000, dimensions: 'output_dimension' }],
  ['voyage', { maxInputs: 512, maxBytes: 240_000, dimensions: 'output_dimension', inputType: ['input_type', { query: 'query', document: 'document' }], plainFloats: true }],
  ['jina', { maxInputs: 512, encoding: 'embedding_type', inputType: ['task', { query: 'retrieval.query', document: 'retrieval.passage', classification: 'classification', clustering: 'separation', similarity: 'text-matching' }] }],
  ['nvidia', { inputType: ['input_type', { query: 'query', document: 'passage' }] }],
  ['perplexity', { maxInputs: 512, maxBytes: 240_000, encoding: null, bytes: true }],
])
const MAX_INPUTS = 96
const NO_WORDS: InputWords = {}

function rowOf({ provider }: Target): Row {
  return ROWS.get(provider) ?? PLAIN
}

function encodingOf({ encoding }: EmbedInputs, { encoding: named, bytes, plainFloats }: Row, notes: Notes): Block {
  if (encoding === undefined || (encoding === 'float' && plainFloats === true)) return {}
  if (named !== null) return { [named ?? 'encoding_format']: encoding }
  if (bytes === true && encoding === 'float') notes.add('unsupported', 'This provider sends vectors of whole numbers from -128 to 127; encoding "float" was left out.', 'encoding')
  return {}
}

function encode(request: EmbedInputs, target: Target): ReturnType<EmbedCodec['encode']> {
  const row = rowOf(target)
  const notes = new Notes()
  const { inputs, dimensions, providerOptions } = request
  const [field, words] = row.inputType ?? ['input_type', NO_WORDS]
  const word = inputWord(words, request, notes)
  const body: Block = {
    model: target.model,
    input: inputs,
    ...(dimensions !== undefined && { [row.dimensions ?? 'dimensions']: dimensions }),
    ...encodingOf(request, row, notes),
    ...(word !== undefined && { [field]: word }),
  }
  return { call: embedCall(target, urlOf(target, '/embeddings'), body, providerOptions, 'openai'), warnings: notes.list }
}

/** An embedding takes no more than its input: a total alone is that. */
function usage(body: Record<string, unknown>, quirks: Quirks): Usage {
  const { outputTokens, ...found } = usageOf(body, undefined, quirks) ?? {}
  const inputTokens = found.inputTokens ?? countAt(body['usage'], 'total_tokens')
  return { ...found, ...(inputTokens !== undefined && { inputTokens }), ...(outputTokens !== undefined && { outputTokens }) }
}

/** Each vector by the index it names; by its place where the indexes are not those of a list. */
function inOrder(data: readonly unknown[]): readonly unknown[] {
  const placed: unknown[] = data.map(() => undefined)
  for (const item of data) {
    const index = countAt(item, 'index')
    if (index === undefined || !(index in placed) || placed[index] !== undefined) return data
    placed[index] = item
  }
  return placed
}

function decode(body: unknown, target: Target, request: EmbedInputs, quirks: Quirks): EmbedAnswer {
  const { provider } = target
  if (!isObject(body)) throw unreadable(provider, 'is no JSON object')
  if (isError(body)) throw faultInside(body, quirks)
  const data: unknown = body['data']
  if (!Array.isArray(data)) throw unreadable(provider, 'holds no list of embeddings')
  const id = stringAt(body, 'id')
  const model = stringAt(body, 'model')
  const signed = rowOf(target).bytes === true
  const packed = request.providerOptions?.['openai']?.['encoding_format'] ?? request.providerOptions?.[provider]?.['encoding_format']
  if (signed && packed === 'base64_binary') throw new GatewayError('invalid_request', 'Vectors of single bits are not read here. Take encoding_format out of providerOptions.', { origin: 'caller' })
  return {
    vectors: inOrder(data).map(item => vectorOf(isObject(item) ? item['embedding'] : undefined, provider, signed)),
    usage: usage(body, quirks),
    ...(id !== undefined && { id }),
    ...(model !== undefined && { model }),
  }
}

/** The embeddings of the OpenAI dialect: OpenAI, Azure, Mistral, Voyage, Jina and servers that speak like them. */
export function openaiEmbed(quirks: Quirks = QUIRKS.plain): EmbedCodec {
  return {
    limits: target => {
      const { maxInputs = MAX_INPUTS, maxBytes } = rowOf(target)
      return { maxInputs, ...(maxBytes !== undefined && { maxBytes }) }
    },
    encode,
    decode: (body, { target, request }) => decode(body, target, request, quirks),
  }
}
