import { describe, expect, it } from 'vitest'
import type { BudgetOptions } from '../../src/index.js'
import { virtualClock } from '../../src/testing/index.js'
import { ask, BOUND, deployment, money, NANOS, usd } from './money-scene.js'
import { thrown } from './support.js'

const HOUR = 3_600_000
/** Room for one call in each window. */
const budget = (more: Partial<BudgetOptions>): BudgetOptions => ({ name: 'b', usd: usd(BOUND + NANOS - 1), ...more })
function scene(startMs: number, more: Partial<BudgetOptions>) {
  const clock = virtualClock(startMs)
  const d = deployment('d')
  const at = money(d, [d], { clock, budgets: [budget(more)] })
  return { ...at, until: (ms: number) => clock.advance(ms - clock.now()), now: () => at.gateway.chat(ask() as never) }
}
const at = (text: string): number => Date.parse(text)

describe('a budget of a calendar window', () => {
  const rows: readonly (readonly [window: 'hour' | 'day' | 'week' | 'month', zone: string, startMs: number, endMs: number])[] = [
    ['hour', 'UTC', at('2026-01-01T10:20:00Z'), at('2026-01-01T11:00:00Z')],
    ['hour', 'Asia/Kolkata', at('2026-01-01T10:20:00Z'), at('2026-01-01T10:30:00Z')],
    ['day', 'UTC', at('2026-01-01T10:20:00Z'), at('2026-01-02T00:00:00Z')],
    ['day', 'America/New_York', at('2026-01-01T10:20:00Z'), at('2026-01-02T05:00:00Z')],
    // The clock is put on: 23 hours; and back: 25.
    ['day', 'Europe/Berlin', at('2026-03-28T23:00:00Z'), at('2026-03-29T22:00:00Z')],
    ['day', 'Europe/Berlin', at('2026-10-24T22:00:00Z'), at('2026-10-25T23:00:00Z')],
    ['week', 'Europe/Berlin', at('2026-03-22T23:00:00Z'), at('2026-03-29T22:00:00Z')],
    ['month', 'Europe/Berlin', at('2026-02-28T23:00:00Z'), at('2026-03-31T22:00:00Z')],
    ['month', 'UTC', at('2028-02-10T00:00:00Z'), at('2028-03-01T00:00:00Z')],
  ]

  it.each(rows)('of a %s in %s has room again with the first millisecond of the next, and not before', async (window, zone, startMs, endMs) => {
    const s = scene(startMs, { window, zone })
    await s.soon(s.now())
    const error = await thrown(() => s.now())
    expect([error.code, error.retryAfterMs]).toEqual(['budget_exceeded', endMs - s.clock.now()])
    await s.until(endMs - 1)
    expect((await thrown(() => s.now())).retryAfterMs).toBe(1)
    await s.until(endMs)
    await s.soon(s.now())
    expect((await thrown(() => s.now())).code).toBe('budget_exceeded')
    await s.nothingLeft()
  })

  it('charges a call to the window in which it was held, also where it ends in the next', async () => {
    const clock = virtualClock(at('2026-01-01T10:59:59Z'))
    const d = deployment('d', { text: 'slow', usage: { inputTokens: 10, outputTokens: 5 }, latencyMs: 2_000 })
    const s = money(d, [d], { clock, budgets: [budget({ window: 'hour' })] })
    await s.chat()
    await s.chat()
    expect((await thrown(() => s.chat())).code).toBe('budget_exceeded')
    await s.nothingLeft()
  })

  it('without a window is one of a month in UTC', async () => {
    const s = scene(at('2026-01-31T23:59:00Z'), {})
    await s.soon(s.now())
    expect((await thrown(() => s.now())).retryAfterMs).toBe(59_999)
    await s.nothingLeft()
  })
})

describe('a budget of another window', () => {
  it('that rolls has room when the charge has left it', async () => {
    const s = scene(0, { window: { rollingMs: 10_000 } })
    await s.soon(s.now())
    await s.clock.advance(999)
    expect((await thrown(() => s.now())).retryAfterMs).toBe(9_000)
    await s.clock.advance(8_999)
    await thrown(() => s.now())
    await s.clock.advance(1)
    await s.soon(s.now())
    await s.nothingLeft()
  })

  it('of all time never has, and promises nothing', async () => {
    const s = scene(0, { window: 'total' })
    await s.soon(s.now())
    await s.clock.advance(1_000 * 24 * HOUR)
    expect((await thrown(() => s.now())).retryAfterMs).toBeUndefined()
    await s.nothingLeft()
  })

  it('several for the same count each call once in each, and the one that is used up longest tells the wait', async () => {
    const clock = virtualClock(at('2026-01-01T10:30:00Z'))
    const d = deployment('d')
    const budgets = [budget({ name: 'hour', window: 'hour' }), budget({ name: 'day', window: 'day', usd: usd(BOUND + 2 * NANOS - 1) }), { ...budget({ name: 'ten', window: { rollingMs: 10_000 } }) }]
    const s = money(d, [d], { clock, budgets })
    await s.soon(s.gateway.chat(ask() as never))
    const error = await thrown(() => s.gateway.chat(ask() as never))
    expect([error.policy, error.retryAfterMs]).toEqual(['hour', 30 * 60_000 - 1])
    await clock.advance(30 * 60_000)
    await s.soon(s.gateway.chat(ask() as never))
    expect((await thrown(() => s.gateway.chat(ask() as never))).policy).toBe('day')
    const standings = await s.store.standings()
    expect([standings['budget:day:nanos:day'], standings['budget:hour:nanos:hour']]).toEqual([{ charged: 2 * NANOS, held: 0 }, { charged: NANOS, held: 0 }])
    await s.nothingLeft()
  })
})
