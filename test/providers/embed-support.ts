import type { EmbedCodec, EmbedInputs } from '../../src/protocol/embed.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { Target } from '../../src/protocol/ports.js'

export const targetOf = (provider: string, model: string, baseUrl = 'https://api.example.com/v1'): Target => ({ provider, model, baseUrl, capabilities: {} })

/** What a codec sends for a request: where, the body, and the parameters it warns of. */
export function sent(codec: EmbedCodec, target: Target, request: EmbedInputs): { readonly url: string; readonly body: unknown; readonly warned: readonly (string | undefined)[] } {
  const { call, warnings } = codec.encode(request, target)
  return { url: call.url, body: JSON.parse(String(call.body)), warned: warnings.map(({ parameter }) => parameter) }
}

export function read(codec: EmbedCodec, target: Target, body: unknown, inputs: readonly string[] = ['a'], headers: Record<string, string> = {}): { readonly vectors: number[][]; readonly usage: object } {
  const { vectors, usage } = codec.decode(body, { request: { inputs }, target, headers })
  return { vectors: vectors.map(vector => [...vector]), usage }
}

/** Bodies that are no answer of any wire. */
const GARBAGE: readonly unknown[] = [undefined, null, 5, 'text', [], {}, { data: {} }, { data: [5] }, { embeddings: 5 }, { embeddings: [5] }, { embeddings: { float: 5 } }, { embedding: 5 }, { embedding: { values: {} } }, { predictions: [5] }, { predictions: [{ embeddings: { values: 'x' } }] }]

/** The typed error of work that must fail. */
export function faultIn(work: () => unknown): GatewayError {
  try {
    work()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('nothing failed')
}

/** The code each of them fails with. */
export function codesOf(codec: EmbedCodec, target: Target): readonly string[] {
  return GARBAGE.map(body => faultIn(() => codec.decode(body, { request: { inputs: ['a'] }, target, headers: {} })).code)
}
