/**
 * Loads what a gateway loads with its first call. A virtual clock waits for it before time moves: else time would pass a call that is
 * still being loaded.
 */
export async function prime(): Promise<void> {
  await Promise.all([import('../engine.js'), import('../batch.js'), import('../pipeline/caching.js'), import('../state/cache-lookup.js'), import('../state/cache.js'), import('../state/cache-sha256.js')])
}
