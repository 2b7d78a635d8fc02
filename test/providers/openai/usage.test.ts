import { describe, expect, it } from 'vitest'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import { chunk, completion, DONE, read, readJson, stop } from './support.js'

describe('usage', () => {
  const usage = (fields: Record<string, unknown>, quirks = {}) => readJson(completion({ content: 'x' }, 'stop', { usage: fields }), quirks).finish?.usage
  it('counts reasoning that stands outside the completion, and only that', () => {
    const fields = { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 3 } }
    expect(usage({ ...fields, total_tokens: 18 })).toEqual({ inputTokens: 10, outputTokens: 8, reasoningTokens: 3 })
    expect(usage({ ...fields, total_tokens: 15 })).toEqual({ inputTokens: 10, outputTokens: 5, reasoningTokens: 3 })
  })
  it('finds hidden reasoning in the total of one server, and leaves the total of others alone', () => {
    const fields = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 40 }
    expect(usage(fields, QUIRKS.google)).toEqual({ inputTokens: 10, outputTokens: 30, reasoningTokens: 25 })
    expect(usage(fields)).toEqual({ inputTokens: 10, outputTokens: 5 })
  })
  it.each([
    [{ prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 } }, { cachedInputTokens: 4, cacheWriteTokens: 2 }],
    [{ prompt_token_details: { cached_tokens: 4 } }, { cachedInputTokens: 4 }],
    [{ num_cached_tokens: 4 }, { cachedInputTokens: 4 }],
    [{ cached_tokens: 4 }, { cachedInputTokens: 4 }],
    [{ prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 6 }, { cachedInputTokens: 4 }],
    [{ prompt_tokens: -1, completion_tokens: 'many', cached_tokens: Number.NaN }, {}],
  ])('reads %j', (fields, expected) => {
    expect(usage(fields)).toEqual(expected)
  })
  it.each([
    [{ prompt_tokens_details: { audio_tokens: 4, image_tokens: 2, cached_tokens_details: { audio_tokens: 1 } }, completion_tokens_details: { audio_tokens: 3, image_tokens: 5 } }, { inputAudioTokens: 4, cachedInputAudioTokens: 1, inputImageTokens: 2, outputAudioTokens: 3, outputImageTokens: 5 }],
    [{ prompt_tokens_details: { audio_tokens: 0, image_tokens: 0 }, completion_tokens_details: { audio_tokens: 0 } }, {}],
  ])('reads the media of %j, and none where there were none', (fields, expected) => {
    expect(usage(fields)).toEqual(expected)
  })
  it('names the service tier where it was not the ordinary one', () => {
    const served = (service_tier: unknown) => readJson(completion({ content: 'x' }, 'stop', { usage: { prompt_tokens: 1, completion_tokens: 1 }, service_tier })).finish?.usage.serviceTier
    expect(['flex', 'priority'].map(served)).toEqual(['flex', 'priority'])
    for (const ordinary of ['default', 'auto', 'standard', 'on_demand', '', null, 7]) expect(served(ordinary)).toBeUndefined()
    expect(read([chunk({ content: 'x' }, { service_tier: 'flex' }), chunk({}, { service_tier: 'flex', usage: { prompt_tokens: 1, completion_tokens: 1 } }, { finish_reason: 'stop' }), DONE]).finish?.usage).toEqual({ inputTokens: 1, outputTokens: 1, serviceTier: 'flex' })
  })
  it('believes a reported cost only where it is known to be dollars', () => {
    expect(usage({ cost: 0.5 }, QUIRKS.openrouter)).toEqual({ reportedCostUsd: 0.5 })
    expect(usage({ cost: { total_cost: 0.25 } }, QUIRKS.perplexity)).toEqual({ reportedCostUsd: 0.25 })
    expect(usage({ cost: 0.5, is_byok: true, cost_details: { upstream_inference_cost: 2 } }, QUIRKS.openrouter)).toEqual({ reportedCostUsd: 2.5 })
    expect(usage({ cost: 0.5, is_byok: true }, QUIRKS.openrouter)).toEqual({})
    expect(usage({ cost: 0.5 })).toEqual({})
  })
  it('looks under x_groq and on the choice', () => {
    expect(read([chunk({ content: 'x' }), chunk({}, { x_groq: { usage: { prompt_tokens: 1, completion_tokens: 2 } } }, { finish_reason: 'stop' }), DONE]).finish?.usage).toEqual({ inputTokens: 1, outputTokens: 2 })
    expect(read([chunk({ content: 'x' }), chunk({}, {}, { finish_reason: 'stop', usage: { prompt_tokens: 1, completion_tokens: 2, cached_tokens: 1 } }), DONE]).finish?.usage).toEqual({ inputTokens: 1, outputTokens: 2, cachedInputTokens: 1 })
  })
  it('takes the last of cumulative usages, and null for nothing new', () => {
    const tokens = (n: number) => ({ usage: { prompt_tokens: 9, completion_tokens: n } })
    expect(read([chunk({ content: 'x' }, tokens(1)), chunk({ content: 'y' }, tokens(2)), chunk({}, { usage: null }, { finish_reason: 'stop' }), DONE]).finish?.usage).toEqual({ inputTokens: 9, outputTokens: 2 })
  })
  it('has no tokens where none were reported', () => {
    expect(read([chunk({ content: 'x' }), stop(), DONE]).finish?.usage).toEqual({})
  })
})
