import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyOf } from '../../src/protocol/copy.js'

test('a copy has what a spread has: a field called __proto__ is a field, and what is inherited stays behind', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), fc.jsonValue()), fields => {
      const value = Object.defineProperties(Object.create({ inherited: true }) as Record<string, unknown>, Object.getOwnPropertyDescriptors(fields))
      const copy = copyOf(value)
      expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
      expect(Object.entries(copy)).toEqual(Object.entries({ ...value }))
      copy['more'] = 1
      expect(value['more']).toEqual(fields['more'])
    }),
  )
})
