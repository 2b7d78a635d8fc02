import { describe, expect, it } from 'vitest'
import { detect } from '../../../src/plugins/pii/detect.js'

const found = (text: string) => detect(text).map(({ type, start, end }) => [type, text.slice(start, end)])
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('a value that is written in another way is found where it stands', () => {
  it.each([
    ['see ada%40lovelace.dev now', 'EMAIL', 'ada%40lovelace.dev'],
    ['see ada%2540lovelace.dev now', 'EMAIL', 'ada%2540lovelace.dev'],
    ['see ada\\u0040lovelace.dev now', 'EMAIL', 'ada\\u0040lovelace.dev'],
    ['see ada&#64;lovelace.dev now', 'EMAIL', 'ada&#64;lovelace.dev'],
    ['see ada&#x40;lovelace&period;dev now', 'EMAIL', 'ada&#x40;lovelace&period;dev'],
    ['see a\u200bda@love\u00adlace.dev now', 'EMAIL', 'a\u200bda@love\u00adlace.dev'],
    ['ssn １２３-４５-６７８９.', 'US_SSN', '１２３-４５-６７８９'],
    ['212\u2011555\u20110123', 'PHONE', '212\u2011555\u20110123'],
    ['4111\u00a01111\u00a01111\u00a01111', 'CREDIT_CARD', '4111\u00a01111\u00a01111\u00a01111'],
    ['ssn ١٢٣-٤٥-٦٧٨٩', 'US_SSN', '١٢٣-٤٥-٦٧٨٩'],
  ])('%s', (text, type, value) => {
    expect(found(text)).toEqual([[type, value]])
  })

  it('inside base64 of a text, to the four characters', () => {
    const encoded = base64('The person is ada@lovelace.dev, who lives there.')
    const text = `data ${encoded} end`
    const [finding] = detect(text)
    expect(finding?.type).toBe('EMAIL')
    const part = text.slice(finding?.start, finding?.end)
    expect(encoded).toContain(part)
    expect(Buffer.from(part, 'base64').toString()).toContain('ada@lovelace.dev')
    expect(part.length).toBeLessThan(encoded.length / 1.5)
  })

  it('offsets behind what was folded are those of the text', () => {
    const text = `${'\u200b'.repeat(7)}%41 &amp; 漢字 𝟭 ${'x'.repeat(40)} ada@lovelace.dev`
    expect(found(text)).toContainEqual(['EMAIL', 'ada@lovelace.dev'])
  })
})
