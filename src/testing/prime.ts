/**
 * Loads what a gateway loads with its first call, and what calls load that wait, are cached, or travel. A virtual clock waits for it
 * before time moves: else time would pass a call that is still being loaded.
 */
export async function prime(): Promise<void> {
  await Promise.all([
    import('../engine.js'),
    import('../batch.js'),
    import('../tools/run.js'),
    import('../pipeline/caching.js'),
    import('../state/cache-lookup.js'),
    import('../state/cache.js'),
    import('../state/cache-sha256.js'),
    import('../resilience/line-queue.js'),
    import('../pipeline/json-schema.js'),
    import('../transport/codec.js'),
    import('../transport/fetch.js'),
    import('../providers/openai/load.js'),
    import('../providers/openai/adapter.js'),
    import('../providers/openai/quirk-rows.js'),
    import('../providers/responses/adapter.js'),
    import('../providers/anthropic/adapter.js'),
    import('../providers/gemini/adapter.js'),
    import('../providers/vertex/google.js'),
    import('../providers/vertex/claude.js'),
    import('../providers/bedrock/adapter.js'),
    import('../providers/ai-sdk/upstream.js'),
    import('../providers/prices/index.js'),
  ])
}
