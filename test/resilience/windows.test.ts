import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttemptEnd, DeploymentLimits, GateCall } from '../../src/protocol/ports.js'
import { Windows } from '../../src/resilience/windows.js'
import { virtualClock } from '../../src/testing/clock.js'
import { ABORTED, asked, entered, failed, HandClock, OK, refused, UNSENT } from './support.js'

const call = (input: number, maxOutputTokens?: number): GateCall => ({ inputTokens: () => input, maxOutputTokens })
const used = (inputTokens: number, outputTokens: number): AttemptEnd => ({ ...OK, usage: { inputTokens, outputTokens } })
function windows(limits: DeploymentLimits) {
  const clock = new HandClock()
  return { clock, gate: new Windows(limits, { clock }) }
}

describe('a refusal', () => {
  test('names the moment at which there is room, to the millisecond', () => {
    const { clock, gate } = windows({ requestsPerMinute: 2 })
    entered(gate)
    clock.nowMs += 500
    entered(gate)
    clock.nowMs += 20_000
    const { retryAtMs } = refused(gate)
    expect(retryAtMs).toBe(1_060_000)
    expect(refused(gate)).toEqual({ refused: 'rate_limited', retryAtMs, reason: 'limits.requestsPerMinute would be passed; free in 40 s' })
    clock.nowMs = 1_059_999
    refused(gate)
    clock.nowMs = 1_060_000
    entered(gate)
    expect(refused(gate).retryAtMs).toBe(1_060_500)
  })

  test('consumes nothing', () => {
    const { gate } = windows({ requestsPerMinute: 100, inputTokensPerMinute: 10 })
    entered(gate, call(8))
    for (let i = 0; i < 50; i++) refused(gate, call(5))
    expect(gate.state()).toEqual({ requests: 1, inputTokens: 8, outputTokens: 0 })
    entered(gate, call(2))
  })

  test('of a call that never fits says so and names no time', () => {
    const { gate } = windows({ tokensPerMinute: 100 })
    expect(refused(gate, call(60, 41))).toEqual({ refused: 'rate_limited', reason: 'the call asks for 101, more than limits.tokensPerMinute (100) ever allows' })
    entered(gate, call(60, 40))
  })

  test('waits for the slowest of the limits that are full', () => {
    const { clock, gate } = windows({ requestsPerMinute: 3, outputTokensPerMinute: 100 })
    entered(gate, call(1, 10))
    clock.nowMs += 10_000
    entered(gate, call(1, 85))
    clock.nowMs += 10_000
    entered(gate, call(1, 5))
    expect(refused(gate, call(1, 5)).retryAtMs).toBe(1_060_000)
    expect(refused(gate, call(1, 50)).retryAtMs).toBe(1_070_000)
  })

  test('that nobody waited for wakes nobody later', async () => {
    const clock = virtualClock()
    const gate = new Windows({ requestsPerMinute: 1 }, { clock })
    entered(gate)
    refused(gate)
    await clock.advance(70_000)
    entered(gate)
    refused(gate)
    let woken = 0
    const off = gate.onFree(() => void woken++)
    await clock.advance(59_999)
    expect(woken).toBe(0)
    off()
  })

  test('wakes who waits when time has made room, and leaves no timer', async () => {
    const clock = virtualClock()
    const gate = new Windows({ requestsPerMinute: 1 }, { clock })
    const startMs = clock.now()
    entered(gate)
    refused(gate)
    expect(clock.pending).toBe(0)
    let atMs = 0
    const off = gate.onFree(() => {
      if (!('refused' in asked(gate))) atMs = clock.now()
    })
    await clock.advance(59_999)
    expect([atMs, clock.pending]).toEqual([0, 1])
    await clock.advance(1)
    expect([atMs - startMs, clock.pending]).toEqual([60_000, 0])
    refused(gate)
    expect(clock.pending).toBe(1)
    off()
    expect(clock.pending).toBe(0)
  })
})

describe('what is held', () => {
  test('is corrected by the usage, where it was counted', () => {
    const { clock, gate } = windows({ inputTokensPerMinute: 1_000, outputTokensPerMinute: 1_000 })
    const permit = entered(gate, call(300, 900))
    clock.nowMs += 10_000
    permit.release(used(200, 100))
    permit.release(used(0, 0))
    expect(gate.state()).toEqual({ requests: 1, inputTokens: 200, outputTokens: 100 })
    clock.nowMs = 1_060_000
    expect(gate.state()).toEqual({ requests: 0, inputTokens: 0, outputTokens: 0 })
  })

  test('is topped up at the end, for the time from then, where nobody knew how much it would be', () => {
    const { clock, gate } = windows({ outputTokensPerMinute: 100 })
    const permit = entered(gate, call(1))
    clock.nowMs += 30_000
    permit.release(used(1, 150))
    expect(refused(gate, call(1, 1)).retryAtMs).toBe(1_090_000)
  })

  test('does not go below zero when its answer outlived the window', () => {
    const { clock, gate } = windows({ tokensPerMinute: 100 })
    const permit = entered(gate, call(50, 50))
    clock.nowMs += 61_000
    permit.release(used(10, 10))
    expect(gate.state()).toEqual({ requests: 0, inputTokens: 0, outputTokens: 0 })
  })

  test.each([
    ['a try that was never sent gives back all', UNSENT, false, [0, 0, 0]],
    ['a failure before any content keeps the request', failed('overloaded'), false, [1, 0, 0]],
    ['an abort before any content keeps the prompt', ABORTED, false, [1, 30, 0]],
    ['an abort in mid-answer keeps everything', ABORTED, true, [1, 30, 70]],
    ['a cut in mid-answer keeps everything', failed('malformed_response'), true, [1, 30, 70]],
    ['a cut whose first event is on the end keeps everything', failed('malformed_response', { firstEventMs: 3 }), false, [1, 30, 70]],
  ] as const)('%s', (_name, end, content, [requests, inputTokens, outputTokens]) => {
    const { gate } = windows({ tokensPerMinute: 100 })
    const permit = entered(gate, call(30, 70))
    if (content) permit.committed?.(3)
    permit.release(end)
    expect(gate.state()).toEqual({ requests, inputTokens, outputTokens })
  })
})

test('the prompt is measured only where it counts', () => {
  const { gate } = windows({ requestsPerMinute: 1 })
  entered(gate, { inputTokens: () => expect.fail('measured') })
})

test.each([{ requestsPerMinute: 0 }, { tokensPerMinute: 1.5 }, { inputTokensPerMinute: NaN }])('limits that cannot be meant are refused: %o', limits => {
  expect(() => windows(limits)).toThrow('limits.')
})

test('in no window of a minute does more begin than the limits say, and every refusal is needed and exact', () => {
  const step = fc.record({ pauseMs: fc.oneof(fc.constant(0), fc.nat(3_000), fc.constant(59_999), fc.double({ min: 0, max: 5, noNaN: true })), input: fc.nat(40), max: fc.nat(40), share: fc.double({ min: 0, max: 1, noNaN: true }), end: fc.nat(9) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.record({ requestsPerMinute: fc.integer({ min: 1, max: 10 }), inputTokensPerMinute: fc.integer({ min: 40, max: 90 }), outputTokensPerMinute: fc.integer({ min: 40, max: 90 }), tokensPerMinute: fc.integer({ min: 80, max: 120 }) }), (steps, limits) => {
      const { clock, gate } = windows(limits)
      const all: { atMs: number; input: number; output: number; end?: () => void }[] = []
      const fits = (atMs: number, input: number, output: number): boolean => {
        const inside = all.filter(entry => atMs - entry.atMs < 60_000)
        const [inputs, outputs] = [inside.reduce((sum, entry) => sum + entry.input, input), inside.reduce((sum, entry) => sum + entry.output, output)]
        return inside.length + 1 <= limits.requestsPerMinute && inputs <= limits.inputTokensPerMinute && outputs <= limits.outputTokensPerMinute && inputs + outputs <= limits.tokensPerMinute
      }
      for (const { pauseMs, input, max, share, end } of steps) {
        clock.nowMs += pauseMs
        all[end]?.end?.()
        const permit = asked(gate, call(input, max))
        expect('refused' in permit).toBe(!fits(clock.nowMs, input, max))
        if ('refused' in permit) {
          const { retryAtMs = 0 } = permit
          expect(fits(retryAtMs, input, max)).toBe(true)
          expect(fits(retryAtMs - 0.001, input, max)).toBe(false)
          continue
        }
        const entry: (typeof all)[number] = { atMs: Math.ceil(clock.nowMs), input, output: max }
        entry.end = () => {
          const output = Math.floor(max * share)
          permit.release(used(input, output))
          if (clock.nowMs - entry.atMs < 60_000) entry.output = output
          delete entry.end
        }
        all.push(entry)
      }
      expect(clock.armed).toBe(0)
    }),
    { numRuns: 300 },
  )
})
