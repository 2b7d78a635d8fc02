import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hash53 } from '../../src/protocol/hash.js'

describe('the hash of a text', () => {
  it('is a whole number below 2^53, the same each time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const hash = hash53(text)
        expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true)
        expect(hash53(text)).toBe(hash)
      }),
    )
  })

  it('keeps its values from version to version: shares of users hang on them', () => {
    expect([hash53(''), hash53('a'), hash53('user-1')]).toMatchInlineSnapshot(`
      [
        1667615669554264,
        3860202278577639,
        2106641413085343,
      ]
    `)
  })

  it('spreads near texts evenly, without collisions', () => {
    const bins = new Array<number>(64).fill(0)
    const seen = new Set<number>()
    for (let at = 0; at < 64_000; at++) {
      const hash = hash53(`d1\nuser-${at}`)
      seen.add(hash)
      const bin = Math.floor((hash / 2 ** 53) * 64)
      bins[bin] = (bins[bin] ?? 0) + 1
    }
    expect(seen.size).toBe(64_000)
    // 63 degrees of freedom: beyond 104 once in a thousand.
    expect(bins.reduce((sum, hits) => sum + (hits - 1_000) ** 2 / 1_000, 0)).toBeLessThan(104)
  })

  it('turns about half of its bits with one of the text', () => {
    let turned = 0
    const bits = (hash: number) => hash.toString(2).padStart(53, '0')
    for (let at = 0; at < 2_000; at++) {
      const [one, other] = [bits(hash53(`key-${at}`)), bits(hash53(`key-${at}`.replace('k', 'j')))]
      for (let bit = 0; bit < 53; bit++) if (one[bit] !== other[bit]) turned++
    }
    expect(turned / 2_000 / 53).toBeCloseTo(0.5, 1)
  })
})
