import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Price } from '../../../src/protocol/ports.js'
import { PriceOverrides } from '../../../src/providers/prices/overrides.js'

const at = (input: number): Price => ({ input, output: input })

describe('PriceOverrides', () => {
  it('an exact name wins over a glob, a longer glob over a shorter one, in any order of the rows', () => {
    const rows = { '*/*': at(1), 'openai/*': at(2), 'openai/gpt-5*': at(3), '*/gpt-5-mini*': at(4), 'openai/gpt-5-mini': at(5) }
    for (const entries of [Object.entries(rows), Object.entries(rows).reverse()]) {
      const found = new PriceOverrides(Object.fromEntries(entries))
      const input = (provider: string, model: string) => found.priceOf(provider, model)?.input
      expect(input('openai', 'gpt-5-mini')).toBe(5)
      expect(input('openai', 'gpt-5-mini-2')).toBe(3)
      expect(input('azure', 'gpt-5-mini-2')).toBe(4)
      expect(input('openai', 'gpt-5')).toBe(3)
      expect(input('openai', 'o3')).toBe(2)
      expect(input('groq', 'org/llama')).toBe(1)
    }
  })

  it('has no price where no row fits', () => {
    const found = new PriceOverrides({ 'openai/gpt-5*': at(1) })
    expect(found.priceOf('openai', 'gpt-4')).toBeUndefined()
    expect(found.priceOf('myopenai', 'gpt-5')).toBeUndefined()
    expect(new PriceOverrides({}).priceOf('a', 'b')).toBeUndefined()
    expect(found.priceOf('__proto__', 'x')).toBeUndefined()
  })

  it('the pieces of a glob do not overlap', () => {
    const fits = (glob: string, model: string) => new PriceOverrides({ [`p/${glob}`]: at(1) }).priceOf('p', model) !== undefined
    expect(fits('ab*ba', 'aba')).toBe(false)
    expect(fits('ab*ba', 'abba')).toBe(true)
    expect(fits('a*b*c', 'abc')).toBe(true)
    expect(fits('a*bb*bc', 'abbc')).toBe(false)
    expect(fits('a.c*', 'abc')).toBe(false)
  })

  it('a glob fits what the same pattern fits as a regular expression', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 8 })
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(word, name, (glob, model) => {
        const expected = new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(model)
        expect(new PriceOverrides({ [`p/${glob}`]: at(1) }).priceOf('p', model) !== undefined).toBe(expected)
      }),
    )
  })

  it('a price cannot be changed after it was checked', () => {
    const row = { input: 1, output: 1 }
    const found = new PriceOverrides({ 'a/b': row })
    row.input = -1
    expect(found.priceOf('a', 'b')).toEqual({ input: 1, output: 1 })
  })

  it.each([
    [{ 'gpt-5': at(1) }, /prices\["gpt-5"\].*"provider\/model"/],
    [{ '/x': at(1) }, /"provider\/model"/],
    [{ 'openai/gpt-5': { input: 1 } }, /prices\["openai\/gpt-5"\]\.output must be a number of US dollars per million tokens/],
    [{ 'openai/gpt-5': { input: 1, output: -1 } }, /prices\["openai\/gpt-5"\]\.output must be a number of US dollars per million tokens/],
    [{ 'openai/gpt-5': { input: NaN, output: 1 } }, /\.input must be a number/],
    [{ 'openai/gpt-5': { input: 1, output: Infinity } }, /\.output must be a number/],
    [{ 'openai/gpt-5': { input: '$3', output: 1 } }, /\.input must be a number of US dollars per million tokens/],
    [{ 'openai/gpt-5': { inputPer1k: 3, output: 1 } }, /has no option "inputPer1k".*US dollars per million tokens/],
    [{ 'openai/gpt-5': { input: 3, output: 1, cacheInput: 1 } }, /Did you mean "cachedInput"\?/],
    [{ 'openai/gpt-5': { input: 3, output: 1, request: -1 } }, /request must be a number of US dollars per call/],
    [{ 'openai/gpt-5': { input: 3, output: 1, tiers: { above: 1 } } }, /tiers must be a list/],
    [{ 'openai/gpt-5': { input: 3, output: 1, tiers: [{ input: 1 }] } }, /tiers\.0\.above must be a number of prompt tokens/],
    [{ 'openai/gpt-5': { input: 3, output: 1, tiers: [{ above: 5, input: '6' }] } }, /tiers\.0\.input must be a number/],
    [{ 'openai/gpt-5': { input: 3, output: 1, tiers: [{ above: -5, input: 6 }] } }, /above must be a number of prompt tokens/],
    [{ 'openai/gpt-5': { input: 3, output: 1, serviceTiers: 1 } }, /serviceTiers must be an object/],
    [{ 'openai/gpt-5': { input: 3, output: 1, serviceTiers: [at(1)] } }, /serviceTiers must be an object/],
    [{ 'openai/gpt-5': { input: 3, output: 1, tiers: null } }, /tiers must be a list/],
    [{ 'openai/gpt-5': { input: 3, output: 1, serviceTiers: { flex: 1 } } }, /serviceTiers\.flex must be an object/],
    [{ 'openai/gpt-5': { input: 3, output: 1, serviceTiers: { flex: { request: 1 } } } }, /serviceTiers\.flex .*has no option "request"/],
    [{ 'openai/gpt-5': 3 }, /prices\["openai\/gpt-5"\] must be an object.*US dollars per million tokens/],
    ['openai', /prices must be an object/],
  ])('refuses %j with the row and the unit in the message', (rows, message) => {
    expect(() => new PriceOverrides(rows as unknown as Record<string, Price>)).toThrow(expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(message) as string }))
  })
})
