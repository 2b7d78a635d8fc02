import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Usage } from '../../src/protocol/events.js'
import type { Price } from '../../src/protocol/ports.js'
import { bill, expectedNanos } from '../../src/protocol/price.js'

const M = 1_000_000
const partsOf = (usage: Usage, price: Price) => bill(usage, price)?.parts
const nanosOf = (usage: Usage, price: Price) => bill(usage, price)?.nanos ?? NaN

// Uneven figures: parts that round well by chance prove nothing.
const rate = fc.integer({ min: 0, max: 99_999 }).map(n => n / 1234)
const few = fc.integer({ min: 0, max: 300_000 })
const KINDS = ['cachedInput', 'cacheWrite', 'cacheWrite1h', 'reasoning', 'inputAudio', 'cachedInputAudio', 'outputAudio', 'inputImage', 'outputImage'] as const
const ratesOf = <K extends string>(keys: readonly K[]) => fc.record(Object.fromEntries(keys.map(key => [key, rate])) as Record<K, typeof rate>, { requiredKeys: [] })
const price = fc
  .tuple(rate, rate, ratesOf([...KINDS, 'request']), fc.array(fc.tuple(fc.integer({ min: 0, max: 400_000 }), ratesOf(['input', 'output', ...KINDS])), { maxLength: 3 }), ratesOf(['input', 'output', 'cachedInput']))
  .map(([input, output, more, tiers, flex]) => ({ input, output, ...more, tiers: tiers.map(([above, rates]) => ({ above, ...rates })), serviceTiers: { flex } }) as Price)
const usage = fc.record(
  {
    inputTokens: few,
    outputTokens: few,
    cachedInputTokens: few,
    cacheWriteTokens: few,
    cacheWrite1hTokens: few,
    reasoningTokens: few,
    inputAudioTokens: few,
    cachedInputAudioTokens: few,
    outputAudioTokens: few,
    inputImageTokens: few,
    outputImageTokens: few,
    serviceTier: fc.constantFrom('flex', 'other'),
  },
  { requiredKeys: ['inputTokens', 'outputTokens'] },
) as fc.Arbitrary<Usage & { inputTokens: number; outputTokens: number }>

describe('tiers by prompt size', () => {
  const tiered: Price = { input: 1, output: 10, cachedInput: 0.1, tiers: [{ above: 500_000, input: 4 }, { above: 200_000, input: 2, output: 20 }] }

  it.each([
    [200_000, 1, 10],
    [200_001, 2, 20],
    [500_000, 2, 20],
    [500_001, 4, 20],
  ])('a prompt of %i tokens costs %d and %d a million, all of it, each kind by the highest tier that names it', (inputTokens, input, output) => {
    expect(partsOf({ inputTokens, outputTokens: M }, tiered)).toEqual({ input: inputTokens * input * 1000, output: output * 1e9 })
  })

  it('what is cached counts for the size, and keeps its price where no tier names one', () => {
    expect(partsOf({ inputTokens: 300_000, cachedInputTokens: 290_000, outputTokens: 0 }, tiered)).toEqual({ input: 10_000 * 2 * 1000, cachedInput: 290_000 * 0.1 * 1000 })
  })

  it('a kind without a price costs what it is part of in that tier', () => {
    expect(partsOf({ inputTokens: 300_000, cacheWriteTokens: 300_000, outputTokens: 0 }, tiered)).toEqual({ cacheWrite: 300_000 * 2 * 1000 })
  })
})

describe('service tiers', () => {
  const served: Price = { input: 2, output: 8, cachedInput: 0.2, tiers: [{ above: 100, input: 3 }], serviceTiers: { flex: { input: 1, output: 4 }, priority: { input: 4, tiers: [{ above: 100, input: 9 }] } } }

  it('the tier the answer was served with sets the price, kind by kind', () => {
    expect(partsOf({ inputTokens: 50, outputTokens: 10, cachedInputTokens: 40, serviceTier: 'flex' }, served)).toEqual({ input: 10 * 1000, cachedInput: 40 * 200, output: 10 * 4000 })
    expect(partsOf({ inputTokens: 200, outputTokens: 10, serviceTier: 'priority' }, served)).toEqual({ input: 200 * 9000, output: 10 * 8000 })
    expect(partsOf({ inputTokens: 50, outputTokens: 10 }, served)).toEqual({ input: 50 * 2000, output: 10 * 8000 })
  })

  it.each(['scale', 'constructor', '__proto__'])('a tier without a price costs the standard one, and the bill says so: %s', serviceTier => {
    expect(partsOf({ inputTokens: 50, outputTokens: 10, serviceTier }, served)).toEqual({ input: 100_000, output: 80_000, [`unpriced tier: ${serviceTier}`]: 0 })
    expect(partsOf({ inputTokens: 50, outputTokens: 10, serviceTier }, { input: 2, output: 8 })).toEqual({ input: 100_000, output: 80_000, [`unpriced tier: ${serviceTier}`]: 0 })
  })
})

describe('audio and images', () => {
  const price: Price = { input: 1, output: 2, cachedInput: 0.5, inputAudio: 40, cachedInputAudio: 0.25, outputAudio: 80, inputImage: 5, outputImage: 30 }

  it('are taken out of the tokens they are part of', () => {
    const heard = { inputTokens: 100, cachedInputTokens: 30, inputAudioTokens: 50, cachedInputAudioTokens: 20, inputImageTokens: 15, outputTokens: 60, outputAudioTokens: 40, outputImageTokens: 5 }
    expect(partsOf(heard, price)).toEqual({ input: 25_000, cachedInput: 5_000, inputAudio: 30 * 40_000, cachedInputAudio: 20 * 250, inputImage: 75_000, output: 30_000, outputAudio: 40 * 80_000, outputImage: 150_000 })
  })

  it('cost what text costs where they have no price', () => {
    expect(nanosOf({ inputTokens: 100, inputAudioTokens: 50, inputImageTokens: 10, outputTokens: 60, outputAudioTokens: 40, outputImageTokens: 10 }, { input: 1, output: 2 })).toBe(100 * 1000 + 60 * 2000)
  })

  it('a wire that does not say which cached tokens were audio has no token charged twice', () => {
    expect(partsOf({ inputTokens: 100, cachedInputTokens: 80, inputAudioTokens: 90, inputImageTokens: 90, outputTokens: 0 }, price)).toEqual({ cachedInput: 40_000, inputAudio: 20 * 40_000 })
  })
})

describe('any usage at any price', () => {
  it('has parts that are whole nano-dollars, none below 0, and that add up', () => {
    fc.assert(
      fc.property(usage, price, (used, at) => {
        const { nanos = NaN, parts = {} } = bill(used, at) ?? {}
        const amounts = Object.values(parts)
        expect(amounts.every(amount => Number.isSafeInteger(amount) && amount >= 0)).toBe(true)
        expect(amounts.reduce((sum, amount) => sum + amount, 0)).toBe(nanos)
      }),
    )
  })

  it('each token is charged once: at one rate for all, a usage that holds together costs its tokens', () => {
    fc.assert(
      fc.property(usage, rate, (used, one) => {
        const flat = Object.fromEntries(['input', 'output', ...KINDS].map(kind => [kind, one])) as unknown as Price
        const cached = Math.min(used.cachedInputTokens ?? 0, used.inputTokens)
        const sound = { ...used, cachedInputTokens: cached, cacheWriteTokens: Math.min(used.cacheWriteTokens ?? 0, used.inputTokens - cached), reasoningTokens: Math.min(used.reasoningTokens ?? 0, used.outputTokens) }
        expect(Math.abs(nanosOf(sound, flat) - (used.inputTokens + used.outputTokens) * one * 1000)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('is expected at what it is billed', () => {
    fc.assert(
      fc.property(usage, price, (used, at) => {
        expect(expectedNanos(used, at)).toBe(nanosOf(used, at))
      }),
    )
  })

  it('costs no less with more tokens of a medium', () => {
    const more = fc.constantFrom<readonly (keyof Usage)[]>(['inputTokens', 'inputAudioTokens'], ['inputTokens', 'inputImageTokens'], ['outputTokens', 'outputAudioTokens'], ['outputTokens', 'outputImageTokens'])
    fc.assert(
      fc.property(usage, price, more, few, (used, { tiers: _tiers, ...at }, keys, n) => {
        const grown: Record<string, unknown> = { ...used }
        for (const key of keys) grown[key] = Number(used[key] ?? 0) + n
        // A price that is lower for the medium than for text lets what was text become cheaper: that is no matter of counting.
        const media = { ...at, inputAudio: 90, inputImage: 90, outputAudio: 90, outputImage: 90, cachedInput: 1, cacheWrite: 1, serviceTiers: {} }
        expect(nanosOf(grown as Usage, media)).toBeGreaterThanOrEqual(nanosOf(used, media))
      }),
    )
  })

  it('costs no more with more of it cached, where a cached token is not dearer', () => {
    fc.assert(
      fc.property(few, few, few, rate, fc.double({ min: 0, max: 1, noNaN: true }), (inputTokens, a, b, input, share) => {
        const [less, more] = [Math.min(a, b, inputTokens), Math.min(Math.max(a, b), inputTokens)]
        const at = { input, output: 1, cachedInput: input * share }
        expect(nanosOf({ inputTokens, outputTokens: 5, cachedInputTokens: more }, at)).toBeLessThanOrEqual(nanosOf({ inputTokens, outputTokens: 5, cachedInputTokens: less }, at))
      }),
    )
  })

  it('a figure below 0 that a provider reports is no cost, and the table decides', () => {
    expect(bill({ inputTokens: 1, outputTokens: 1, reportedCostUsd: -1 }, { input: 1, output: 1 })).toEqual({ nanos: 2000, parts: { input: 1000, output: 1000 }, source: 'priced' })
  })

  it('routing compares by the request, not by the sum of the unit prices', () => {
    const long = { inputTokens: 100_000, outputTokens: 100, cachedInputTokens: 90_000 }
    expect(expectedNanos(long, { input: 3, output: 15, cachedInput: 0.3 })).toBeLessThan(expectedNanos(long, { input: 2, output: 8 }))
    expect(expectedNanos(long, { input: 0, output: 0 })).toBe(0)
  })
})
