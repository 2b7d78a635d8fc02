import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/index.js'
import type { AttemptEnd, Permit } from '../../src/protocol/ports.js'
import { Latencies } from '../../src/routing/stats.js'
import { virtualClock } from '../../src/testing/index.js'

function bench() {
  const clock = virtualClock()
  return { clock, latencies: new Latencies(clock) }
}
const success = (durationMs: number, more: Partial<AttemptEnd> = {}): AttemptEnd => ({ outcome: 'success', durationMs, ...more })
const usage = (outputTokens: number) => ({ usage: { inputTokens: 1, outputTokens } })
const near = (value: number, digits = 6): unknown => expect.closeTo(value, digits)

function answered(latencies: Latencies, ms: number): void {
  const permit = latencies.tryEnter()
  permit.committed?.(ms)
  permit.release(success(ms))
}

describe('time to the first event', () => {
  it('is unknown before the first answer', () => {
    const { latencies } = bench()
    expect(latencies.stats()).toMatchObject({ inFlight: 0, failures: 0, stuckMs: 0 })
  })

  it('is the exponential of a mean of logarithms: a straggler exiles nobody', () => {
    const { latencies } = bench()
    for (const ms of [100, 100, 100, 100_000]) answered(latencies, ms)
    expect(latencies.stats().firstEventMs).toEqual(near(100 * 1_000 ** 0.25))
  })

  it('forgets old samples: after ten seconds they weigh 1/e', async () => {
    const { clock, latencies } = bench()
    answered(latencies, 1_000)
    await clock.advance(10_000)
    expect(latencies.stats().firstEventMs).toEqual(near(1_000))
    answered(latencies, 100)
    const old = Math.exp(-1)
    expect(latencies.stats().firstEventMs).toEqual(near(Math.exp((old * Math.log(1_000) + Math.log(100)) / (1 + old))))
  })

  it('stays known and finite after days of silence', async () => {
    const { clock, latencies } = bench()
    answered(latencies, 300)
    await clock.advance(30 * 86_400_000)
    expect(latencies.stats()).toMatchObject({ inFlight: 0, failures: 0, stuckMs: 0, firstEventMs: near(300) })
    answered(latencies, 400)
    expect(latencies.stats().firstEventMs).toEqual(near(400))
  })

  it('is the whole answer where it came at once, and counts once', () => {
    const { latencies } = bench()
    latencies.tryEnter().release(success(700))
    expect(latencies.stats().firstEventMs).toEqual(near(700))
    const permit = latencies.tryEnter()
    permit.committed?.(700)
    permit.committed?.(9_000)
    permit.release(success(9_000, { firstEventMs: 9_000 }))
    permit.committed?.(9_000)
    expect(latencies.stats().firstEventMs).toEqual(near(700))
  })

  it.each<[string, AttemptEnd, boolean]>([
    ['an abort sooner than usual', { outcome: 'neutral', durationMs: 150 }, false],
    ['an abort later than usual', { outcome: 'neutral', durationMs: 800 }, true],
    ['a timeout', { outcome: 'failure', durationMs: 800, fault: new GatewayError('timeout', 'late') }, true],
    ['a quick failure', { outcome: 'failure', durationMs: 5, fault: new GatewayError('overloaded', 'no') }, false],
    ['a cut after the first event', { outcome: 'failure', durationMs: 900, firstEventMs: 800, fault: new GatewayError('network', 'cut') }, true],
  ])('%s is a sample only where it says something', (_title, end, counts) => {
    const { latencies } = bench()
    answered(latencies, 200)
    latencies.tryEnter().release(end)
    expect(latencies.stats().firstEventMs).toEqual(near(counts ? 400 : 200))
  })

  it('of an aborted attempt counts at a deployment nobody knows, once it took longer than it was given', () => {
    const { latencies } = bench()
    latencies.tryEnter().release({ outcome: 'neutral', durationMs: 0 })
    expect(latencies.stats().firstEventMs).toBeUndefined()
    latencies.tryEnter().release({ outcome: 'neutral', durationMs: 3_000 })
    expect(latencies.stats().firstEventMs).toEqual(near(3_000))
  })
})

describe('after the first event', () => {
  it('pace is time by tokens, and length their typical number', () => {
    const { latencies } = bench()
    for (const [tokens, ms] of [[100, 1_000], [300, 6_000]] as const) {
      const permit = latencies.tryEnter()
      permit.committed?.(200)
      permit.release(success(200 + ms, usage(tokens)))
    }
    expect(latencies.stats()).toMatchObject({ perTokenMs: near(7_000 / 400), outputTokens: near(200) })
  })

  it('an answer in one burst says nothing about pace', () => {
    const { latencies } = bench()
    const permit = latencies.tryEnter()
    permit.committed?.(4_000)
    permit.release(success(4_001, usage(500)))
    latencies.tryEnter().release(success(4_000, usage(500)))
    expect(latencies.stats()).toMatchObject({ inFlight: 0, failures: 0, stuckMs: 0, firstEventMs: near(4_000), outputTokens: near(500) })
  })
})

describe('failures', () => {
  const fail = (latencies: Latencies, code: 'overloaded' | 'invalid_request' | 'content_filter') => latencies.tryEnter().release({ outcome: 'failure', durationMs: 1, fault: new GatewayError(code, 'x') })

  it('are halved by seven seconds of silence', async () => {
    const { clock, latencies } = bench()
    fail(latencies, 'overloaded')
    expect(latencies.stats().failures).toEqual(near(1))
    await clock.advance(7_000)
    expect(latencies.stats().failures).toEqual(near(0.5))
    await clock.advance(7_000)
    expect(latencies.stats().failures).toEqual(near(0.25))
  })

  it('are a share of the attempts, between 0 and 1', () => {
    const { latencies } = bench()
    for (let at = 0; at < 3; at++) answered(latencies, 10)
    fail(latencies, 'overloaded')
    expect(latencies.stats().failures).toEqual(near(0.25))
  })

  it('do not count what every deployment would refuse', () => {
    const { latencies } = bench()
    fail(latencies, 'invalid_request')
    fail(latencies, 'content_filter')
    latencies.tryEnter().release({ outcome: 'neutral', durationMs: 1, fault: new GatewayError('aborted', 'x') })
    expect(latencies.stats().failures).toBe(0)
  })
})

describe('attempts that hang', () => {
  it('show by how much the oldest is older than twice what was expected', async () => {
    const { clock, latencies } = bench()
    answered(latencies, 100)
    const first = latencies.tryEnter()
    await clock.advance(150)
    const second = latencies.tryEnter()
    expect(latencies.stats().stuckMs).toBe(0)
    await clock.advance(850)
    expect(latencies.stats().stuckMs).toEqual(near(800))
    first.committed?.(1_000)
    // What is expected is what was when it began, so a slow answer does not excuse the next one.
    expect(latencies.stats().stuckMs).toEqual(near(650))
    second.release({ outcome: 'neutral', durationMs: 850 })
    expect(latencies.stats()).toMatchObject({ stuckMs: 0, inFlight: 1 })
    first.release(success(1_000))
    expect(latencies.stats().inFlight).toBe(0)
  })

  it('leave nothing behind, in whatever order they end, however often they are released', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.nat(20), act: fc.constantFrom('enter' as const, 'commit' as const, 'success' as const, 'failure' as const, 'neutral' as const) }), { maxLength: 60 }), steps => {
        const now = { ms: 0 }
        const latencies = new Latencies({ now: () => now.ms, after: () => ({ cancel: () => undefined }) })
        const made: { permit: Permit; startedMs: number; expectedMs: number; waits: boolean; open: boolean }[] = []
        let isKnown = false
        for (const { at, act } of steps) {
          now.ms += 1_000
          const one = made[at]
          if (act === 'enter') made.push({ permit: latencies.tryEnter(), startedMs: now.ms, expectedMs: isKnown ? 10 : 50, waits: true, open: true })
          else if (one === undefined) continue
          else {
            // What ends without a first event, sooner than expected, is no sample.
            isKnown ||= one.waits && (act === 'commit' || act === 'success')
            if (act === 'commit') one.permit.committed?.(10)
            else one.permit.release({ outcome: act, durationMs: 10 })
            one.waits = false
            one.open &&= act === 'commit'
          }
          const oldest = made.find(({ waits }) => waits)
          expect(latencies.stats()).toMatchObject({
            inFlight: made.filter(({ open }) => open).length,
            stuckMs: near(oldest === undefined ? 0 : Math.max(0, now.ms - oldest.startedMs - 2 * oldest.expectedMs)),
          })
        }
        for (const { permit } of made) for (let twice = 0; twice < 2; twice++) permit.release({ outcome: 'neutral', durationMs: 0 })
        expect(latencies.stats()).toMatchObject({ inFlight: 0, stuckMs: 0 })
      }),
    )
  })

  it('are found in constant time among many', () => {
    const { latencies } = bench()
    const permits = Array.from({ length: 20_000 }, () => latencies.tryEnter())
    for (const permit of permits) {
      permit.release({ outcome: 'neutral', durationMs: 0 })
      latencies.stats()
    }
    expect(latencies.stats().inFlight).toBe(0)
  })
})

it('refuses nobody and has nobody to tell', () => {
  const { latencies } = bench()
  expect('release' in latencies.tryEnter()).toBe(true)
  expect(latencies.onFree(() => undefined)()).toBeUndefined()
})

it('prints rounded', () => {
  const { latencies } = bench()
  answered(latencies, 100 / 3)
  expect(JSON.parse(JSON.stringify(latencies))).toMatchObject({ inFlight: 0, failures: 0, stuckMs: 0, firstEventMs: 33.333 })
})

describe('what hedges and prices rest on', () => {
  it('the p95 is the typical time where nothing varies, and lies above most samples where it does', () => {
    const clock = virtualClock()
    const steady = new Latencies(clock)
    for (let i = 0; i < 20; i++) steady.tryEnter().release({ outcome: 'success', durationMs: 200, firstEventMs: 200 })
    expect(steady.stats().p95FirstEventMs).toBeCloseTo(200)
    const varied = new Latencies(clock)
    const times = Array.from({ length: 100 }, (_, i) => 100 + 9 * i)
    for (const ms of times) varied.tryEnter().release({ outcome: 'success', durationMs: ms, firstEventMs: ms })
    const p95 = varied.stats().p95FirstEventMs ?? 0
    expect(times.filter(ms => ms <= p95).length).toBeGreaterThanOrEqual(90)
  })

  it('the cached share weighs prompts by their length, and is unknown without any', () => {
    const latencies = new Latencies(virtualClock())
    expect(latencies.stats().cachedShare).toBeUndefined()
    latencies.tryEnter().release({ outcome: 'success', durationMs: 1, usage: { inputTokens: 900, cachedInputTokens: 900, outputTokens: 1 } })
    latencies.tryEnter().release({ outcome: 'success', durationMs: 1, usage: { inputTokens: 100, outputTokens: 1 } })
    expect(latencies.stats().cachedShare).toBeCloseTo(0.9)
  })
})
