import type { Adapter } from '../../protocol/ports.js'
import type { Quirks } from './quirks.js'

/**
 * Loads the adapter with the first call, so that importing the library does not pay for dialects nobody uses.
 * @param quirks the switches, or the name of a row of them or of a server that has one.
 */
export function loadOpenaiAdapter(quirks: string | Quirks): () => Promise<Adapter> {
  return async () => {
    const [{ openaiAdapter }, { quirksNamed }] = await Promise.all([import('./adapter.js'), import('./quirk-rows.js')])
    return openaiAdapter(typeof quirks === 'string' ? quirksNamed(quirks) : quirks)
  }
}
