import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Instants } from '../../src/protocol/instant.js'

const LATEST_MS = 8_640_000_000_000_000

test('an instant reads as Date writes it, after whichever other: a record must not bear the second of another call', () => {
  const near = fc.double({ min: -5_000, max: 5_000, noNaN: true })
  fc.assert(
    fc.property(fc.double({ min: -LATEST_MS + 10_000, max: LATEST_MS - 10_000, noNaN: true }), fc.array(near, { minLength: 1, maxLength: 20 }), (base, steps) => {
      const instants = new Instants()
      for (const step of [0, ...steps]) expect(instants.of(base + step)).toBe(new Date(base + step).toISOString())
    }),
  )
})

test('what no Date can hold is refused, and does not spoil the next', () => {
  const instants = new Instants()
  expect(() => instants.of(LATEST_MS + 1_000)).toThrow(RangeError)
  expect(instants.of(1)).toBe('1970-01-01T00:00:00.001Z')
})
