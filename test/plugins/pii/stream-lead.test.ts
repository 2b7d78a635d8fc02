import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDetector } from '../../../src/plugins/pii/detect.js'
import type { StreamDetector } from '../../../src/plugins/pii/lead.js'
import { Redactor, REACH } from '../../../src/plugins/pii/redact.js'
import type { DetectOptions } from '../../../src/plugins/pii/types.js'

function redacted(detector: StreamDetector, text: string, sizes: readonly number[], wary = false): string[] {
  const redactor = new Redactor({ detector, session: undefined, reach: REACH, wary, keys: true, replace: ({ type }) => `[${type}]` })
  const given: string[] = []
  for (let at = 0, n = 0; at < text.length; n++) {
    const size = sizes[n % sizes.length] ?? 1
    given.push(redactor.push(text.slice(at, at + size)))
    at += size
  }
  return [...given, redactor.end()]
}

/** One that looks at all of the context each time. */
const whole = ({ detect, maxLength }: StreamDetector, self: StreamDetector): StreamDetector => ({ maxLength, detect: text => detect.call(self, text) })

const word = fc.constantFrom('the', 'harbour', 'Because', 'NASA', 'we', 'phone', 'card', 'password:', 'api_key =', 'Bearer', 'ext', '12', '-', '/', '(', '+', '"', 'x=1', 'é', '东京', '%40', '\u200b', '-----BEGIN', '-- so', '[link](https://a.test/x)', '{"a": 1}', 'DE', 'de89', 'internationalisation')
const value = fc.constantFrom(
  'ada@lovelace.dev', '"Ada Lovelace"@lovelace.dev', '+44 20 7946 0018', '(212) 555-0123 ext. 12', '4111 1111 1111 1111', 'DE89 3704 0044 0532 0130 00', 'GB82-WEST-1234-5698-7654-32', 'MT84 M A L T 0 1 1 0 0 0 0 1 2 3 4 5 M T L C A S T 0 0 1 S', '123-45-6789', '8.8.4.4',
  '2606:4700:4700::1111', `ghp_${'k9Xw2Qv7Lm4R'.repeat(3)}`, 'https://ada:Xq7vK2mW@lovelace.dev/', '-----BEGIN RSA PRIVATE KEY-----\nMIIB0 ab+/9Qk2\nAAAA bbbb Zx81\n-----END RSA PRIVATE KEY-----',
)
const texts = fc.array(fc.tuple(fc.oneof({ weight: 5, arbitrary: word }, { weight: 1, arbitrary: value }), fc.constantFrom(' ', ' ', ' ', ' ', '', '\n', ', ')), { maxLength: 150 }).map(pairs => pairs.flat().join(''))
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 })

describe('what was decided is not searched again', () => {
  it.each<[string, DetectOptions]>([['the default types', {}], ['all countries', { countries: 'all' }]])('and every piece is as if it were: %s', (_, options) => {
    const detector: StreamDetector = createDetector(options)
    fc.assert(
      fc.property(texts, sizes, fc.boolean(), (text, cuts, wary) => {
        expect(redacted(detector, text, cuts, wary)).toEqual(redacted(whole(detector, detector), text, cuts, wary))
      }),
      { numRuns: 400 },
    )
  })

  it('so that each character of prose is read a few times only, however small the pieces', () => {
    const text = 'The harbour opened in 1987 because Mirela had carried another letter, and no teacher explained the season at 10:30 while Henrik followed the river. '.repeat(60)
    const detector: StreamDetector = createDetector()
    let read = 0
    const counting: StreamDetector = {
      maxLength: detector.maxLength,
      detect: near => ((read += near.length), detector.detect(near)),
      detectFrom: (near, start) => ((read += near.length - start), detector.detectFrom?.(near, start) ?? []),
    }
    for (const size of [1, 4, 30]) {
      read = 0
      expect(redacted(counting, text, [size]).join('')).toBe(text)
      expect(read / text.length).toBeLessThan(4)
    }
  })
})
