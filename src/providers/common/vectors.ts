import type { EmbedInputs, InputType } from '../../protocol/embed.js'
import { GatewayError } from '../../protocol/errors.js'
import type { Usage } from '../../protocol/events.js'
import { numberAt } from '../../protocol/json.js'
import type { HttpCall, Target } from '../../protocol/ports.js'
import type { Notes } from './notes.js'
import type { Block } from './own.js'

/** A good status with a body that cannot be read. */
export function unreadable(provider: string, what: string): GatewayError {
  return new GatewayError('malformed_response', `The answer of ${provider} ${what}.`, { origin: 'upstream' })
}

/** A vector as it came: a list of numbers, or base64 of 32-bit floats, or of signed bytes where the provider says so. */
export function vectorOf(value: unknown, provider: string, bytes = false): Float32Array {
  if (typeof value === 'string') return fromBase64(value, provider, bytes)
  if (!Array.isArray(value)) throw unreadable(provider, 'holds an embedding that is neither a list of numbers nor base64')
  const numbers: readonly unknown[] = value
  const vector = new Float32Array(numbers.length)
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at]
    // NaN is refused with all that is no number, one place for both.
    vector[at] = typeof number === 'number' ? number : NaN
  }
  return vector
}

function fromBase64(text: string, provider: string, signed: boolean): Float32Array {
  let raw: string
  try {
    raw = atob(text)
  } catch {
    throw unreadable(provider, 'holds an embedding that is not base64')
  }
  const bytes = Uint8Array.from({ length: raw.length }, (_, at) => raw.charCodeAt(at))
  if (signed) return Float32Array.from(new Int8Array(bytes.buffer))
  if (bytes.length % 4 !== 0) throw unreadable(provider, 'holds an embedding that is no whole number of 32-bit floats')
  const view = new DataView(bytes.buffer)
  const vector = new Float32Array(bytes.length / 4)
  for (let at = 0; at < vector.length; at++) vector[at] = view.getFloat32(4 * at, true)
  return vector
}

/** A provider's words for what a text is embedded for; where one is missing there is none. */
export type InputWords = { readonly [K in InputType]?: string }
/** The words of Cohere, wherever its models run. */
export const COHERE_WORDS: InputWords = { query: 'search_query', document: 'search_document', classification: 'classification', clustering: 'clustering' }
/** The words of Google, wherever its models run. */
export const GOOGLE_WORDS: InputWords = { query: 'RETRIEVAL_QUERY', document: 'RETRIEVAL_DOCUMENT', classification: 'CLASSIFICATION', clustering: 'CLUSTERING', similarity: 'SEMANTIC_SIMILARITY' }

/** One request; what the caller gave for the dialect or the provider comes last. */
export function embedCall(target: Target, url: string, body: Block, options: EmbedInputs['providerOptions'], dialect: string): HttpCall {
  const whole = { ...body, ...options?.[dialect], ...options?.[target.provider] }
  return { method: 'POST', url, headers: { 'content-type': 'application/json', accept: 'application/json', ...target.headers }, body: JSON.stringify(whole) }
}

/** The provider's word for the input type; without one it is left out, with a warning. */
export function inputWord(words: InputWords, { inputType }: EmbedInputs, notes: Notes): string | undefined {
  if (inputType === undefined) return undefined
  const word = words[inputType]
  if (word === undefined) notes.add('unsupported', `This model does not tell texts by what they are embedded for; inputType "${inputType}" was left out.`, 'inputType')
  return word
}

/** For wires that have one way to send a vector. */
export function noteEncoding({ encoding }: EmbedInputs, notes: Notes): void {
  if (encoding === 'base64') notes.add('unsupported', 'This provider sends vectors as numbers; encoding "base64" was left out. The result is the same.', 'encoding')
}

/** A count of tokens, where it is one. */
export function countAt(value: unknown, key: string): number | undefined {
  const found = numberAt(value, key)
  return found !== undefined && found >= 0 ? found : undefined
}

/** The usage of an answer that says only how many tokens went in. */
export function inputUsage(inputTokens: number | undefined): Usage {
  return inputTokens === undefined ? {} : { inputTokens }
}
