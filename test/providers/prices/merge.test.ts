import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { choose, merge } from '../../../scripts/prices/merge.mjs'
import { textOf } from '../../../scripts/prices/pack.mjs'
import { priceFrom } from '../../../src/providers/prices/lookup.js'

const row = (source: string, date: string, price: object, byRule = false) => ({ source, date, price, byRule })
const old = '2026-01-01'
const late = '2026-09-01'
const at = (input: number, output: number, more = {}) => ({ input, output, ...more })

describe('of several rows for one model', () => {
  it('the newest wins, and is completed by one with the same price', () => {
    expect(choose([row('a', old, at(1, 2, { cachedInput: 9, inputAudio: 7 })), row('b', late, at(1, 2, { cachedInput: 0.5 }))])).toEqual({ source: 'b', date: late, price: at(1, 2, { cachedInput: 0.5, inputAudio: 7 }) })
    expect(choose([row('a', old, at(9, 9, { inputAudio: 7 })), row('b', late, at(1, 2))])).toEqual({ source: 'b', date: late, price: at(1, 2) })
  })

  it('one that has a price wins over one that has only zeros, and a name over a rule', () => {
    expect(choose([row('a', old, at(1, 2)), row('b', late, at(0, 0))])).toMatchObject({ source: 'a' })
    expect(choose([row('a', old, at(1, 2)), row('b', late, at(3, 4), true)])).toMatchObject({ source: 'a' })
  })
})

describe('two sources', () => {
  const dev = (rows: Record<string, object>) => [{ source: 'dev', date: old, rows: new Map(Object.entries(rows)) }]
  const genai = (prices: Record<string, object>) => ({ source: 'gen', date: late, models: new Map([['groq', { names: new Set(Object.keys(prices)), find: (name: string) => prices[name] }]]) })

  it('say whether they agree, and their differences are listed with both figures', () => {
    const { table, both, disagreements } = merge(dev({ 'groq same': at(1, 2), 'groq other': at(1, 2), 'groq mine': at(1, 2) }), genai({ same: at(1, 2), other: at(1, 3), theirs: at(1, 2) }))
    expect([...table].map(([key, { said }]) => `${key} ${said}`)).toEqual(['groq mine alone', 'groq other disputed', 'groq same agreed', 'groq theirs alone'])
    expect(both).toEqual(['groq other', 'groq same'])
    expect(disagreements).toEqual([{ key: 'groq other', differs: ['output'], dev: at(1, 2), other: at(1, 3), chosen: 'gen' }])
  })

  it('a zero that one alone has, and speech without a price for it, are no rows: no price is better than a wrong one', () => {
    const { table } = merge(dev({ 'groq zero': at(0, 0), 'groq both-zero': at(0, 0), 'groq some-tts': at(1, 2), 'groq good-tts': at(1, 2, { outputAudio: 9 }), 'vercel reseller': at(1, 2) }), genai({ 'both-zero': at(0, 0) }))
    expect([...table.keys()]).toEqual(['groq both-zero', 'groq good-tts'])
  })

  it('an hour of cache is written at twice the input, and a cache write below the input is a slip', () => {
    const { table } = merge(dev({ 'groq claude-a': at(4, 8, { cacheWrite: 5 }), 'groq claude-b': at(4, 8, { cacheWrite: 0.4 }) }), genai({ 'claude-b': at(4, 8, { cacheWrite: 5 }) }))
    for (const { price } of table.values()) expect(price).toEqual(at(4, 8, { cacheWrite: 5, cacheWrite1h: 8 }))
  })
})

it('a price that is written is the price that is read', () => {
  const rate = fc.integer({ min: 0, max: 9_999_999 }).map(n => n / 10_000)
  const rates = fc.record(Object.fromEntries(['input', 'output', 'cachedInput', 'cacheWrite', 'cacheWrite1h', 'reasoning', 'inputAudio', 'outputAudio', 'cachedInputAudio', 'inputImage', 'outputImage'].map(kind => [kind, rate])), { requiredKeys: [] })
  fc.assert(
    fc.property(rates, rate, rate, fc.array(fc.tuple(fc.nat(), rates), { minLength: 1, maxLength: 2 }), rates, (base, input, output, tiers, fast) => {
      const price = { ...base, input, output, tiers: tiers.map(([above, more]) => ({ above, ...more })), serviceTiers: { fast } }
      expect(priceFrom(textOf(price))).toEqual(price)
    }),
  )
})
