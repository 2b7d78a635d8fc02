import { describe, expect, it } from 'vitest'
import { createDetector } from '../../../src/plugins/pii/detect.js'
import { KEYED, NEGATIVES, TELLING } from './secrets-cases.js'

const detector = createDetector({ types: ['SECRET'] })
/** One drawn value in a thousand may look made up; that many of a few is a fault. */
const DRAWN = 60
const ALLOWED = 2

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
