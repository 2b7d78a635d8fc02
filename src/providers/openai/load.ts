import type { Adapter } from '../../protocol/ports.js'
import type { QuirkId, Quirks } from './quirks.js'

/**
 * Loads the adapter with the first call, so that importing the library does not pay for dialects nobody uses.
 * @param more switches of this deployment alone.
 */
export function loadOpenaiAdapter(quirks: QuirkId | Quirks, more?: Quirks): () => Promise<Adapter> {
  return async () => {
    const [{ openaiAdapter }, { QUIRKS }] = await Promise.all([import('./adapter.js'), import('./quirk-rows.js')])
    const row: Quirks = typeof quirks === 'string' ? QUIRKS[quirks] : quirks
    return openaiAdapter(more === undefined ? row : { ...row, ...more })
  }
}
