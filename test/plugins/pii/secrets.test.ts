import { describe, expect, it } from 'vitest'
import { createDetector, measure } from '../../../src/plugins/pii/detect.js'
import { looksDrawn } from '../../../src/plugins/pii/secret-value.js'
import { D, DIGITS, HEX, KEYED, LOWER, NEGATIVES, TELLING, UPPER, W } from './secrets-cases.js'

const detector = createDetector({ types: ['SECRET'] })
/** One drawn value in a thousand may look made up; that many of sixty is a fault. */
const DRAWN = 60
const ALLOWED = 3

/** Values of which less than four fifths are covered. */
function leaking(make: () => string, place: (value: string) => string): readonly string[] {
  return Array.from({ length: DRAWN }, make).filter(value => {
    const text = place(value)
    const secret = value.replace(/^https:\/\//, '')
    const start = text.indexOf(secret)
    const covered = detector.detect(text).reduce((sum, finding) => sum + Math.max(0, Math.min(finding.end, start + secret.length) - Math.max(finding.start, start)), 0)
    return covered < secret.length * 0.8
  })
}

describe('a secret that is drawn does not get out', () => {
  it.each(TELLING)('%s, in a sentence', (_, make) => {
    expect(leaking(make, value => `They sent ${value} last week.`).length).toBeLessThanOrEqual(ALLOWED)
  })

  it.each(KEYED)('%s', (key, make) => {
    expect(leaking(make, value => `${key}=${value}\n`).length).toBeLessThanOrEqual(ALLOWED)
    expect(leaking(make, value => `{"${key}": "${value}", "retries": 3}`).length).toBeLessThanOrEqual(ALLOWED)
  })
})

describe('what only looks like a secret is left alone', () => {
  it.each(NEGATIVES)('%s', (_, make) => {
    const flagged = Array.from({ length: DRAWN }, make).filter(text => detector.detect(text).length > 0)
    expect(flagged.length, flagged[0]).toBeLessThanOrEqual(ALLOWED)
  })
})

/** The same in every run: a share that is near its bound shall not fail now and then. */
function drawing(seed: number): (alphabet: string, length: number) => string {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
  return (alphabet, length) => Array.from({ length }, () => alphabet.charAt(Math.floor(next() * alphabet.length))).join('')
}

describe('how characters fall', () => {
  // The shortest that an issuer draws from each.
  const KINDS = [
    ['hexadecimal', HEX, [16, 24, 32, 40, 64]],
    ['base32', `${UPPER}234567`, [16, 26, 58]],
    ['lower case and digits', DIGITS + LOWER, [28, 40, 43]],
    ['letters', UPPER + LOWER, [30, 34, 40]],
    ['letters and digits', W, [16, 20, 24, 36, 54]],
    ['base64url', D, [20, 22, 35, 80]],
  ] as const
  const MANY = 8000

  it.each(KINDS.flatMap(([name, alphabet, lengths]) => lengths.map(length => [name, length, alphabet] as const)))('a drawn token (%s, %i) is taken for one in 999 of 1,000 cases', (_, length, alphabet) => {
    const draw = drawing(length)
    let missed = 0
    for (let i = 0; i < MANY; i++) if (!looksDrawn(draw(alphabet, length), 0, length)) missed++
    expect(missed / MANY).toBeLessThanOrEqual(0.001)
  })

  it.each(['xoxb-', 'sk-ghp_xoxb-', 'glpat-a1', 'tskey-auth-0'])('a text of nothing but %s is read once', unit => {
    const length = 65_536
    expect(measure(unit.repeat(length / unit.length), { types: ['SECRET'] }).steps / length).toBeLessThan(8)
  })
})

describe('a login on a command line', () => {
  const found = (text: string) => detector.detect(text).map(({ start, end }) => text.slice(start, end))

  it.each([
    ['curl -s -u deploy:k7Vq2xLm https://api.halden.net/v1/me', ['k7Vq2xLm']],
    ["curl --user 'ines:h0rse~staple' https://halden.net", ['h0rse~staple']],
    ['curl -X POST --proxy-user=ines:"gr33n-b0ttle" https://halden.net', ['gr33n-b0ttle']],
    ['$ https -u ines:tr0ub4dor GET halden.net', ['tr0ub4dor']],
  ])('%s', (text, passwords) => {
    expect(found(text)).toEqual(passwords)
  })

  it.each(['docker run -u node:staff halden/web', 'curl -s https://halden.net && docker run -u 1000:1000 x', 'curl -u "$LOGIN:$PASSWORD" https://halden.net', 'curl -u ines:<password> https://halden.net', 'curl -u user:password https://halden.net', 'curl --user "demo:demo" https://halden.net', 'set-up: pop-up:window'])('not %s', text => {
    expect(found(text)).toEqual([])
  })

  it('an authorization that is a UUID', () => {
    expect(found('curl --header "Authorization: 3b1f7c52-9ad4-4e08-b6c1-70d2e95a8f34"')).toEqual(['3b1f7c52-9ad4-4e08-b6c1-70d2e95a8f34'])
  })
})
