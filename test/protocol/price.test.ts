import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Usage } from '../../src/protocol/events.js'
import type { Price } from '../../src/protocol/ports.js'
import { bill, total } from '../../src/protocol/price.js'

const tokens = fc.integer({ min: 0, max: 2_000_000 })
// Tenths of a cent per million: sums of them are exact enough to be compared.
const dollars = fc.integer({ min: 0, max: 100_000 }).map(n => n / 1000)
const prices = fc.record({ input: dollars, output: dollars, cachedInput: dollars, cacheWrite: dollars, cacheWrite1h: dollars, reasoning: dollars, request: dollars }, { requiredKeys: ['input', 'output'] }) as fc.Arbitrary<Price>
const usages = fc.record({ fresh: tokens, cached: tokens, written: tokens, hourly: fc.double({ min: 0, max: 1, noNaN: true }), spoken: tokens, thought: tokens }).map(({ fresh, cached, written, hourly, spoken, thought }) => ({
  inputTokens: fresh + cached + written,
  cachedInputTokens: cached,
  cacheWriteTokens: written,
  cacheWrite1hTokens: Math.floor(written * hourly),
  outputTokens: spoken + thought,
  reasoningTokens: thought,
}))
const nanosOf = (usage: Usage, price: Price) => bill(usage, price)?.nanos ?? NaN

describe('bill', () => {
  it.each([
    ['a large cache write', { inputTokens: 3 + 12_304, cacheWriteTokens: 12_304, outputTokens: 550 }, { input: 3, cacheWrite: 3.75, output: 15 }, 0.054399],
    ['a large cache read', { inputTokens: 4 + 2_455, cachedInputTokens: 2_455, outputTokens: 23 }, { input: 0.8, cachedInput: 0.08, output: 4 }, 0.0002916],
    ['a price finer than a nano-dollar a token', { inputTokens: 2, outputTokens: 0 }, { input: 0.0375, output: 0 }, 0.000000075],
    ['a fee for the request', { inputTokens: 0, outputTokens: 0 }, { input: 1, output: 1, request: 0.005 }, 0.005],
    ['an hour of cache beside five minutes of it', { inputTokens: 1_000_000, cacheWriteTokens: 1_000_000, cacheWrite1hTokens: 400_000, outputTokens: 0 }, { input: 3, cacheWrite: 3.75, cacheWrite1h: 6, output: 15 }, 2.25 + 2.4],
    ['reasoning with a price of its own', { inputTokens: 0, outputTokens: 1_000_000, reasoningTokens: 250_000 }, { input: 1, output: 4, reasoning: 8 }, 3 + 2],
    ['reasoning at the price of output', { inputTokens: 0, outputTokens: 1_000_000, reasoningTokens: 250_000 }, { input: 1, output: 4 }, 4],
    ['cached tokens without a price of their own', { inputTokens: 1_000_000, cachedInputTokens: 600_000, outputTokens: 0 }, { input: 2, output: 4 }, 2],
  ])('%s costs what the provider charges', (_what, usage: Usage, price: Price, usd) => {
    expect(total([bill(usage, price)], false)).toMatchObject({ usd, source: 'priced', estimated: false })
  })

  it('charges each token once: at one price for everything the bill is all tokens at that price', () => {
    fc.assert(
      fc.property(usages, dollars, (usage, rate) => {
        const price = { input: rate, output: rate, cachedInput: rate, cacheWrite: rate, cacheWrite1h: rate, reasoning: rate }
        expect(nanosOf(usage, price)).toBeCloseTo((usage.inputTokens + usage.outputTokens) * rate * 1000, -1)
      }),
    )
  })

  it('the parts make up the whole, in integer nano-dollars', () => {
    fc.assert(
      fc.property(usages, prices, (usage, price) => {
        const one = bill(usage, price)
        expect(Number.isSafeInteger(one?.nanos)).toBe(true)
        const parts = Object.values(one?.parts ?? {})
        expect(parts.every(part => Number.isSafeInteger(part) && part >= 0)).toBe(true)
        expect(parts.reduce((before, part) => before + part, 0)).toBe(one?.nanos)
      }),
    )
  })

  it('more tokens of any kind never cost less', () => {
    fc.assert(
      fc.property(usages, prices, tokens, fc.constantFrom<(keyof Usage)[]>(['inputTokens'], ['outputTokens'], ['inputTokens', 'cachedInputTokens'], ['inputTokens', 'cacheWriteTokens'], ['outputTokens', 'reasoningTokens']), (usage, price, more, keys) => {
        const grown: Record<string, number> = { ...usage }
        for (const key of keys) grown[key] = (grown[key] ?? 0) + more
        expect(nanosOf(grown, price)).toBeGreaterThanOrEqual(nanosOf(usage, price))
      }),
    )
  })

  it('a cached token never costs more than a fresh one where its price is lower, and never twice', () => {
    fc.assert(
      fc.property(usages, prices, (usage, price) => {
        const { cachedInputTokens: _cached, ...uncached } = usage
        const cheaper = { ...price, cachedInput: 0 }
        expect(nanosOf(usage, cheaper)).toBeLessThanOrEqual(nanosOf(uncached, cheaper))
      }),
    )
  })

  it('a price of nothing is a price', () => {
    expect(total([bill({ inputTokens: 5, outputTokens: 5 }, { input: 0, output: 0 })], false)).toMatchObject({ usd: 0, nanos: 0, source: 'priced' })
  })

  it('what the provider says it cost wins over what we would say', () => {
    expect(total([bill({ inputTokens: 1e6, outputTokens: 1e6, reportedCostUsd: 0.0123 }, { input: 100, output: 100 })], false)).toEqual({ usd: 0.0123, nanos: 12_300_000, parts: { reported: 12_300_000 }, estimated: false, saved: 0, source: 'reported' })
    expect(bill({ reportedCostUsd: 0 }, undefined)).toMatchObject({ nanos: 0, source: 'reported' })
  })

  it.each([
    ['no price', { inputTokens: 1, outputTokens: 1 }, undefined],
    ['no usage', undefined, { input: 1, output: 1 }],
    ['no input tokens', { outputTokens: 1 }, { input: 1, output: 1 }],
    ['no output tokens', { inputTokens: 1 }, { input: 1, output: 1 }],
  ])('%s is an unknown cost, never nothing', (_what, usage: Usage | undefined, price) => {
    expect(total([bill(usage, price)], false)).toMatchObject({ usd: null, nanos: null, source: 'unknown' })
  })

  it('a usage that contradicts itself is charged for what it says, not below', () => {
    expect(nanosOf({ inputTokens: 10, cachedInputTokens: 30, outputTokens: 0 }, { input: 1, output: 1, cachedInput: 0.5 })).toBe(15_000)
    expect(nanosOf({ inputTokens: 0, outputTokens: 10, reasoningTokens: 30 }, { input: 1, output: 1, reasoning: 2 })).toBe(60_000)
    expect(nanosOf({ inputTokens: 10, cacheWriteTokens: 10, cacheWrite1hTokens: 50, outputTokens: 0 }, { input: 1, output: 1, cacheWrite1h: 2 })).toBe(20_000)
  })
})

describe('total', () => {
  const known = bill({ inputTokens: 1_000, outputTokens: 0 }, { input: 1, output: 1 })

  it('is the sum of all tries, in one order as in another', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(usages, prices), { minLength: 1, maxLength: 5 }), list => {
        const bills = list.map(([usage, price]) => bill(usage, price))
        const sum = bills.reduce((before, one) => before + (one?.nanos ?? NaN), 0)
        expect(total(bills, false).nanos).toBe(sum)
        expect(total([...bills].reverse(), false)).toMatchObject({ nanos: sum, source: 'priced' })
      }),
    )
  })

  it('one try of unknown cost makes the sum unknown, wherever it stands, and the known parts stay', () => {
    const reported = bill({ reportedCostUsd: 1 }, undefined)
    for (const bills of [[undefined, known, reported], [known, undefined, reported], [reported, known, undefined]]) {
      expect(total(bills, true)).toMatchObject({ usd: null, nanos: null, source: 'unknown', estimated: true, parts: { input: 1_000_000, reported: 1e9 } })
    }
  })

  it('no try at all costs nothing', () => {
    expect(total([], false)).toEqual({ usd: 0, nanos: 0, parts: {}, estimated: false, saved: 0, source: 'priced' })
  })
})
