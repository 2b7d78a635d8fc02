import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDetector, measure } from '../../../src/plugins/pii/detect.js'
import type { DetectOptions } from '../../../src/plugins/pii/types.js'

const EVERYTHING: DetectOptions = {
  types: ['default', 'URL', 'PRIVATE_IP', 'MAC', 'CRYPTO_ADDRESS', 'DATE_OF_BIRTH', 'ADDRESS', 'VIN', 'PLATE', 'IMEI', 'GPS', 'CARD_DETAIL'],
  known: { PERSON: ['Ada Lovelace', 'aaaaaaaaaaaaaaaaaaaa'] },
}
const PIECES = [
  '1', '1-', '12-', '123-45-', '1 ', '12 34 ', '1.', '1.1.1.1.', '@', 'a@', 'a@a.', 'a.', '.', '-', '-----BEGIN PRIVATE KEY-----', '-----BEGIN ', 'eyJ', 'eyJa.', ':', '::', 'a:', '1:', 'f:', '=', 'password=', 'password: "', 'key=a1',
  'a1', 'A1', 'DE89 ', 'http://', 'http://a:', '(', '(1', '+1', '+1 ', '%', '%41', '&#49;', '\\u0031', '\u200b', '１', '１-', '漢', 'é', '\ud835', 'A', 'sk-', 'ghp_', 'Bearer ', '"', '[', '<a>', '4111 ', '4111-', '212-555-0123 ', 'Ab1+/', '_1', '/1', 'QWxh', 'ada ', '\n',
]

describe('time is linear in the length, whatever the text', () => {
  it.each(PIECES.map(piece => [JSON.stringify(piece), piece]))('%s over and over', (_, piece) => {
    const steps = (length: number) => measure(piece.repeat(Math.ceil(length / piece.length)), EVERYTHING).steps
    const small = steps(4096)
    const large = steps(32_768)
    expect(large).toBeLessThanOrEqual(small * 8 * 1.15 + 4000)
    // So much per character at most, of which a look at the surroundings counts 120.
    expect(large / 32_768).toBeLessThan(240)
  })
})

describe('findings', () => {
  const texts = fc.array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...PIECES, 'ada@lovelace.dev', ' call ', ' 4111 1111 1111 1111 ', '123-45-6789', 'Ada  Lovelace', ' 8.8.8.8 ') }, { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) }), { maxLength: 40 }).map(parts => parts.join(''))

  it('are in order, inside the text, apart from each other and the same each time', () => {
    const detector = createDetector(EVERYTHING)
    fc.assert(
      fc.property(texts, text => {
        const findings = detector.detect(text)
        let last = 0
        for (const { start, end, score } of findings) {
          expect(start).toBeGreaterThanOrEqual(last)
          expect(end).toBeGreaterThan(start)
          expect(score).toBeGreaterThanOrEqual(0.5)
          last = end
        }
        expect(last).toBeLessThanOrEqual(text.length)
        expect(detector.detect(text)).toEqual(findings)
      }),
      { numRuns: 500 },
    )
  })

  it('are there wherever the value stands between spaces', () => {
    const detector = createDetector()
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'qxz jkvw.,;!?\n'), maxLength: 60 }), fc.constantFrom('ada@lovelace.dev', '212-555-0123', '4111 1111 1111 1111', '8.8.4.4', 'DE89370400440532013000'), (around, value) => {
        const text = `${around} ${value} ${around}`
        expect(detector.detect(text).map(({ start, end }) => text.slice(start, end))).toEqual([value])
      }),
      { numRuns: 300 },
    )
  })
})
