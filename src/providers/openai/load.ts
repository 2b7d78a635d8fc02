import type { Adapter } from '../../protocol/ports.js'
import type { QuirkId, Quirks } from './quirks.js'

/** Loads the adapter with the first call, so that importing the library does not pay for dialects nobody uses. */
export function loadOpenaiAdapter(quirks: QuirkId | Quirks): () => Promise<Adapter> {
  return async () => {
    const [{ openaiAdapter }, { QUIRKS }] = await Promise.all([import('./adapter.js'), import('./quirk-rows.js')])
    return openaiAdapter(typeof quirks === 'string' ? QUIRKS[quirks] : quirks)
  }
}
