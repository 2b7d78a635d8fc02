import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Calendar } from '../../src/protocol/periods.js'
import type { PromptClaim, PromptVerbs } from '../../src/protocol/ports.js'
import { memoryStore } from '../../src/state/memory.js'

const ZONE = 'Europe/Berlin'
const left = () => ({})

function scene(nowMs: number) {
  const clock = { nowMs, now: () => clock.nowMs, after: () => ({ cancel: () => undefined }) }
  const store = memoryStore({ clock })
  if (store.prompt === undefined) throw new Error('the memory store never waits')
  return { clock, prompt: store.prompt }
}

const late = (calendar: Calendar, key: string, amount: number, nowMs: number): PromptClaim => ({ key, amount, limit: 10, periods: () => calendar.boundaries(nowMs) })

function held(prompt: PromptVerbs, claims: readonly PromptClaim[]) {
  const verdict = prompt.acquire(claims, { ttlMs: 1_000, left })
  return verdict.ok ? verdict.hold : undefined
}

afterEach(() => void vi.restoreAllMocks())

describe('a period that nobody had to know yet', () => {
  test('costs the first claim no clock of its zone, and the settlement none that nobody reads', () => {
    const made = vi.spyOn(Intl, 'DateTimeFormat')
    const nowMs = Date.parse('2026-11-27T12:00:00Z')
    const { prompt } = scene(nowMs)
    const hold = held(prompt, [late(new Calendar('month', ZONE), 'k', 1, nowMs)])
    expect(hold !== undefined && prompt.settle(hold, [{ key: 'k', amount: 1 }], [], true)).toEqual([])
    expect(made).not.toHaveBeenCalled()
  })

  test('is the one of the first claim when the second comes: no call is counted in a month it was not made in', () => {
    const before = Date.parse('2026-10-31T22:59:00Z')
    for (const [laterMs, fits] of [[30_000, false], [60_000, true]] as const) {
      const { clock, prompt } = scene(before)
      const calendar = new Calendar('month', ZONE)
      expect(held(prompt, [late(calendar, 'k', 8, before)])).toBeDefined()
      clock.nowMs += laterMs
      expect(held(prompt, [late(calendar, 'k', 8, clock.nowMs)]) !== undefined).toBe(fits)
    }
  })

  test('is told with the standing, for alerts are told once in each', () => {
    const nowMs = Date.parse('2026-11-27T12:00:00Z')
    const { prompt } = scene(nowMs)
    const hold = held(prompt, [late(new Calendar('month', ZONE), 'k', 3, nowMs)])
    expect(hold && prompt.settle(hold, [{ key: 'k', amount: 2 }])).toEqual([{ key: 'k', charged: 2, held: 0, period: Date.parse('2026-10-31T23:00:00Z') }])
  })

  test('of one key claimed twice at once is one period: both together are held to the limit', () => {
    const nowMs = Date.parse('2026-11-27T12:00:00Z')
    const calendar = new Calendar('day', ZONE)
    expect(held(scene(nowMs).prompt, [late(calendar, 'k', 6, nowMs), late(calendar, 'k', 6, nowMs)])).toBeUndefined()
    expect(held(scene(nowMs).prompt, [late(calendar, 'k', 5, nowMs), late(calendar, 'k', 5, nowMs)])).toBeDefined()
  })
})

test('periods that are worked out late decide as those that were told: whatever is claimed, settled and waited for', () => {
  const step = fc.record({ waitMs: fc.integer({ min: 0, max: 20 * 3_600_000 }), key: fc.constantFrom('a', 'b'), amount: fc.integer({ min: 0, max: 7 }), charge: fc.option(fc.integer({ min: 0, max: 7 })), lateness: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.integer({ min: Date.parse('2026-03-20T00:00:00Z'), max: Date.parse('2026-04-05T00:00:00Z') }), (steps, startMs) => {
      const [one, other] = [scene(startMs), scene(startMs)]
      const calendar = new Calendar('day', ZONE)
      for (const { waitMs, key, amount, charge, lateness } of steps) {
        one.clock.nowMs = other.clock.nowMs = one.clock.nowMs + waitMs
        const told = calendar.boundaries(one.clock.nowMs)
        const claim = { key, amount, limit: 10 }
        const mine = one.prompt.acquire([{ ...claim, periods: lateness ? () => told : told }], { ttlMs: 1e9, left })
        const theirs = other.prompt.acquire([{ ...claim, periods: told }], { ttlMs: 1e9, left })
        expect(mine.ok ? 'held' : mine).toEqual(theirs.ok ? 'held' : theirs)
        if (mine.ok && theirs.ok && charge !== null) expect(one.prompt.settle(mine.hold, [{ key, amount: charge }])).toEqual(other.prompt.settle(theirs.hold, [{ key, amount: charge }]))
      }
    }),
  )
})
