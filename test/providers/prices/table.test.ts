import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { FIGURES, SAME_BILL, SOURCES, TABLE } from '../../../src/providers/prices/data.js'
import { priceFrom, PriceTable } from '../../../src/providers/prices/lookup.js'
import { checkPrice } from '../../../src/protocol/price-check.js'
import { ROWS } from '../../../src/providers/presets-data.js'

const table = new PriceTable()

describe('the price table', () => {
  it('stays a module of at most 25 kB gzip', async () => {
    const { outputFiles } = await build({ entryPoints: ['src/providers/prices/index.ts'], bundle: true, minify: true, format: 'esm', target: 'es2023', write: false, logLevel: 'silent' })
    expect(gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length).toBeLessThanOrEqual(25_000)
  })

  it('covers 95 % of what both sources price', () => {
    expect(FIGURES.both).toBeGreaterThan(500)
    expect(FIGURES.covered / FIGURES.both).toBeGreaterThanOrEqual(0.95)
  })

  it('each of its rows is a price that a deployment would accept, with a source and a day', () => {
    for (const provider of Object.keys(TABLE))
      for (const model of table.models(provider)) {
        const { price, source, date, said } = table.priceOf(provider, model) ?? {}
        expect(() => checkPrice(price, `${provider}/${model}`), `${provider}/${model}`).not.toThrow()
        expect(SOURCES).toContainEqual([source, date, said])
        expect(Object.isFrozen(price)).toBe(true)
      }
    for (const [, date] of SOURCES) expect(date).toMatch(/^\d{4}-\d\d-\d\d$/)
  })

  it('no tier is cheaper than what lies below it, so a longer prompt never looks cheaper', () => {
    for (const provider of ['openai', 'anthropic', 'google', 'xai', 'amazon-bedrock', 'azure'])
      for (const model of table.models(provider)) {
        const { price } = table.priceOf(provider, model) ?? {}
        for (const tier of price?.tiers ?? []) {
          expect(tier.input ?? Infinity, `${provider}/${model}`).toBeGreaterThanOrEqual(price?.input ?? NaN)
          expect(tier.output ?? Infinity, `${provider}/${model}`).toBeGreaterThanOrEqual(price?.output ?? NaN)
        }
      }
  })

  it('names providers as deployments name them', () => {
    const presets = ROWS.map(row => row.split(' ')[0])
    const own = ['amazon-bedrock', 'anthropic', 'azure', 'cohere', 'freemodel', 'google', 'google-vertex', 'google-vertex-anthropic', 'minimax', 'minimax-cn', 'mistral']
    expect(Object.keys(TABLE).filter(id => !presets.includes(id) && !own.includes(id))).toEqual([])
    for (const as of Object.values(SAME_BILL)) expect(TABLE).toHaveProperty(as)
  })
})

describe('priceOf', () => {
  it.each([
    ['openai', 'gpt-4o', 2.5, 10],
    ['openai', 'gpt-4o-mini', 0.15, 0.6],
    ['openai', 'gpt-4.1', 2, 8],
    ['openai', 'gpt-5', 1.25, 10],
    ['openai', 'gpt-5-mini', 0.25, 2],
    ['openai', 'o3', 2, 8],
    ['openai', 'text-embedding-3-small', 0.02, 0],
    ['openai', 'text-embedding-3-large', 0.13, 0],
    ['anthropic', 'claude-opus-4-5', 5, 25],
    ['anthropic', 'claude-sonnet-4-5', 3, 15],
    ['anthropic', 'claude-haiku-4-5', 1, 5],
    ['anthropic-openai-compat', 'claude-haiku-4-5', 1, 5],
    ['google', 'gemini-2.5-pro', 1.25, 10],
    ['google', 'gemini-2.5-flash', 0.3, 2.5],
    ['groq', 'llama-3.3-70b-versatile', 0.59, 0.79],
    ['xai', 'grok-4', 3, 15],
    ['cohere', 'command-r-plus', 2.5, 10],
    ['azure', 'gpt-4o', 2.5, 10],
    ['openrouter', 'openai/gpt-5', 1.25, 10],
    ['amazon-bedrock', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', 3.3, 16.5],
    ['perplexity', 'sonar-pro', 3, 15],
  ])('%s/%s costs what its provider lists', (provider, model, input, output) => {
    expect(table.priceOf(provider, model)?.price).toMatchObject({ input, output })
  })

  it('knows what a cache, an hour of it, a long prompt and a fast lane cost', () => {
    expect(table.priceOf('anthropic', 'claude-sonnet-4-5')?.price).toMatchObject({ cachedInput: 0.3, cacheWrite: 3.75, cacheWrite1h: 6, tiers: [{ above: 200_000, input: 6, output: 22.5, cacheWrite1h: 12 }] })
    expect(table.priceOf('anthropic', 'claude-3-sonnet-20240229')?.price).toMatchObject({ cacheWrite: 3.75 })
    expect(table.priceOf('anthropic', 'claude-opus-4-6')?.price.serviceTiers?.['fast']).toMatchObject({ input: 30, output: 150, cacheWrite1h: 60 })
    expect(table.priceOf('openai', 'gpt-5.5')?.price.serviceTiers?.['priority']).toMatchObject({ input: 12.5, output: 75 })
    expect(table.priceOf('google', 'gemini-2.5-flash')?.price).toMatchObject({ inputAudio: 1 })
  })

  it.each(['gpt-5-2025-08-07', 'gpt-5-2031-12-31', 'gpt-5-20250807', 'gpt-5@20250807'])('a dated name has the price of the name without its date: %s', model => {
    expect(table.priceOf('openai', model)?.price).toEqual(table.priceOf('openai', 'gpt-5')?.price)
  })

  it('a dated name with a price of its own keeps it', () => {
    expect(table.priceOf('openai', 'gpt-4o-2024-05-13')?.price.input).toBe(5)
  })

  it.each([
    ['openai', 'gpt-5-2025-13-07'],
    ['openai', 'gpt-5-2025-0807'],
    ['openai', 'gpt-5-1106'],
    ['openai', 'gpt-5-turbo'],
    ['openai', 'GPT-5'],
    ['openai', 'gpt'],
    ['openai', ''],
    ['nobody', 'gpt-5'],
    ['constructor', 'name'],
    ['__proto__', 'toString'],
    ['openai', 'constructor'],
  ])('guesses nothing: %s/%s has no price', (provider, model) => {
    expect(table.priceOf(provider, model)).toBeUndefined()
  })
})

describe('priceFrom', () => {
  it('reads each kind from its place or its letter', () => {
    expect(priceFrom('1 2 - .5 .75 r3 a4 b5 c6 i7 j8 q.01>100 2 4>200 - 8 .2@flex .5 1')).toEqual({
      input: 1,
      output: 2,
      cacheWrite: 0.5,
      cacheWrite1h: 0.75,
      reasoning: 3,
      inputAudio: 4,
      outputAudio: 5,
      cachedInputAudio: 6,
      inputImage: 7,
      outputImage: 8,
      request: 0.01,
      tiers: [
        { above: 100, input: 2, output: 4 },
        { above: 200, output: 8, cachedInput: 0.2 },
      ],
      serviceTiers: { flex: { input: 0.5, output: 1 } },
    })
  })
})
