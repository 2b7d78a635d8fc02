import { GatewayError } from '../../protocol/errors.js'
import type { Adapter } from '../../protocol/ports.js'
import type { Quirks } from './quirks.js'

/** The two APIs of the OpenAI dialects: chat completions, and responses. */
export type OpenAIApi = 'chat' | 'responses'

/**
 * Loads the adapter with the first call, so that importing the library does not pay for dialects nobody uses.
 * @param quirks the switches, or the name of a row of them or of a server that has one.
 * @param more switches of this deployment alone.
 */
export function loadOpenaiAdapter(quirks: string | Quirks, api: OpenAIApi = 'chat', more?: Quirks): () => Promise<Adapter> {
  if (api !== 'chat' && api !== 'responses') throw new GatewayError('invalid_config', 'api must be one that the provider has, such as "chat" or "responses".')
  const load = async () => (api === 'chat' ? (await import('./adapter.js')).openaiAdapter : (await import('../responses/adapter.js')).responsesAdapter)
  return async () => {
    const [make, { quirksNamed }] = await Promise.all([load(), import('./quirk-rows.js')])
    const row: Quirks = typeof quirks === 'string' ? quirksNamed(quirks) : quirks
    return make(more === undefined ? row : { ...row, ...more })
  }
}
