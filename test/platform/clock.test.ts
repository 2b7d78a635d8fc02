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

test('deadlines of which a fraction of a millisecond has gone by share the timer of the whole ones: else each call would pay for its own', () => {
  const clock = systemClock()
  for (let at = 0; at < 1_000; at++) clock.after(600_000 - at / 1_001, () => undefined)
  expect(vi.getTimerCount()).toBe(1)
})

test('lengths that were used once do not push the usual ones out for as long as those would have lasted', () => {
  const clock = systemClock()
  for (let ms = 0; ms < 500; ms++) clock.after(300_000 + ms, () => undefined).cancel()
  for (let at = 0; at < 100; at++) clock.after(600_000, () => undefined)
  expect(vi.getTimerCount()).toBeLessThanOrEqual(64)
})

test('deadlines of more lengths than are shared pass all the same, each in its own time', () => {
  const clock = systemClock()
  const passed: number[] = []
  for (let at = 0; at < 200; at++) clock.after(2_000 + at, () => passed.push(at))
  vi.advanceTimersByTime(2_100)
  expect(passed.length).toBeGreaterThanOrEqual(100)
  expect(passed.length).toBeLessThanOrEqual(101)
  vi.advanceTimersByTime(200)
  expect(passed).toHaveLength(200)
  expect(vi.getTimerCount()).toBe(0)
})
