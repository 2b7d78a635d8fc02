import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import fc from 'fast-check'
import { systemClock } from '../../src/platform/clock.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

test('deadlines of one length share one timer of the system, and each still passes in its own time', () => {
  const clock = systemClock()
  const passed: string[] = []
  clock.after(5_000, () => passed.push('a'))
  vi.advanceTimersByTime(1_000)
  clock.after(5_000, () => passed.push('b'))
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(4_000)
  expect(passed).toEqual(['a'])
  vi.advanceTimersByTime(1_010)
  expect(passed).toEqual(['a', 'b'])
  expect(vi.getTimerCount()).toBe(0)
})

test('a deadline that is armed after an earlier one was cancelled does not pass at the time of the earlier one', () => {
  const clock = systemClock()
  let passed = 0
  clock.after(5_000, () => passed++).cancel()
  vi.advanceTimersByTime(3_000)
  clock.after(5_000, () => passed++)
  vi.advanceTimersByTime(4_990)
  expect(passed).toBe(0)
  vi.advanceTimersByTime(20)
  expect(passed).toBe(1)
})

test('a callback that throws does not keep the others from passing', () => {
  const clock = systemClock()
  let passed = 0
  clock.after(2_000, () => {
    throw new Error('broken callback')
  })
  clock.after(2_000, () => passed++)
  expect(() => vi.advanceTimersByTime(2_001)).toThrow('broken callback')
  vi.advanceTimersByTime(10)
  expect(passed).toBe(1)
})

test('cancelling twice, from a callback or in any order, takes nobody else out of the line', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 3_000 }), cancel: fc.boolean(), twice: fc.boolean() }), { maxLength: 20 }), steps => {
      const clock = systemClock()
      const passed: number[] = []
      for (const [at, step] of steps.entries()) {
        const timer = clock.after(60_000, () => passed.push(at))
        if (step.cancel) timer.cancel()
        if (step.cancel && step.twice) timer.cancel()
        vi.advanceTimersByTime(step.waitMs)
      }
      vi.advanceTimersByTime(180_000)
      expect(passed).toEqual(steps.flatMap((step, at) => (step.cancel ? [] : [at])))
      expect(vi.getTimerCount()).toBe(0)
    }),
    { numRuns: 60 },
  )
})
