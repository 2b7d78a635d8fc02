import { describe, expect, it } from 'vitest'
import { createDetector } from '../../../src/plugins/pii/detect.js'
import type { DetectOptions } from '../../../src/plugins/pii/types.js'

const refused = (options: unknown) => {
  try {
    createDetector(options as DetectOptions)
  } catch (error) {
    return error as { code: string; message: string }
  }
  return undefined
}
const own = (pattern: RegExp, more: object = {}) => ({ recognisers: [{ type: 'OWN', maxLength: 20, pattern, ...more }] })

describe('a detector that could not work as asked is refused when it is made', () => {
  it.each([
    [{ types: ['EMIAL'] }, /Did you mean "EMAIL"/],
    [{ types: ['PERSON'] }, /known values or with a recogniser/],
    [{ type: ['EMAIL'] }, /Did you mean "types"/],
    [{ types: 'EMAIL' }, /must be a list/],
    [{ countries: ['XX'] }, /no national identifiers are known for "XX"/],
    [{ countries: 'US' }, /"all" or a list/],
    [{ known: { person: ['Ada'] } }, /in capitals/],
    [{ known: { PERSON: ['A'] } }, /2 to 256/],
    [{ known: { PERSON: Array.from({ length: 10_001 }, (_, i) => `name ${i}`) } }, /10000 values/],
    [{ allow: [''] }, /allow holds/],
    [{ thresholds: { EMAIL: 2 } }, /from 0 to 1/],
    [{ thresholds: { NOPE: 0.5 } }, /There is no type/],
    [own(/a/, { maxLength: undefined }), /needs maxLength/],
    [own(/a/, { maxLength: 5000 }), /from 1 to 1000/],
    [own(/a/, { score: 7 }), /from 0 to 1/],
    [{ recognisers: [{ type: 'OWN', maxLength: 3, pattern: 'a' }] }, /a RegExp/],
  ])('%j', (options, message) => {
    const error = refused(options)
    expect(error?.code).toBe('invalid_config')
    expect(error?.message).toMatch(message)
  })

  it('the message about a known value does not hold it', () => {
    expect(refused({ known: { PERSON: ['Ada Lovelace', 'Q'] } })?.message).not.toContain('Q')
  })

  it.each([/(a+)+b/, /(?:\d{1,3})+x/, /(\w*\d*)x/, /\d+\d+/, /.*.*=/, /(a|ab)+c/, /(a|a)*b/, /(.)\1/, /(?<x>a)\k<x>/, /(?<=a+)b/, /(?=.*x)a/, /(?:a?)+b/, /(?:-?\d{1,4})+!/, /\s+\w*\s*\w+\s+$/, /[^]*[^]*z/])('%s may take more than linear time', pattern => {
    const error = refused(own(pattern))
    expect(error?.code).toBe('invalid_config')
    expect(error?.message).toMatch(/linear time/)
  })

  it.each([/EMP-\d+/, /\b[A-Z]{2}\d{6}\b/, /(?:\d{2}-){3}\d{2}/, /\w+@corp/i, /(?:cat|dog|emu)s?/, /(?:[a-z]{1,9}-)+\d/, /(?<=id: )\d{4}/, /\p{Lu}\p{Ll}+-\d+/u, /a{2,}b/])('%s is taken', pattern => {
    expect(refused(own(pattern))).toBeUndefined()
  })

  it('maxLength is that of the longest', () => {
    expect(createDetector({ types: ['US_SSN'], recognisers: [{ type: 'OWN', maxLength: 77, pattern: /a/ }] }).maxLength).toBe(77)
  })

  it('UK is what everyone calls GB', () => {
    expect(createDetector({ countries: ['uk'] }).maxLength).toBe(createDetector({ countries: ['GB'] }).maxLength)
  })
})
