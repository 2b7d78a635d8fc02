import { describe, expect, test } from 'vitest'
import type { RateLimits } from '../../src/protocol/ports.js'
import { Pace } from '../../src/resilience/pace.js'
import { virtualClock } from '../../src/testing/clock.js'
import { ABORTED, asked, entered, failed, fault, HandClock, OK, refused, UNSENT } from './support.js'

const requests = (remainingRequests: number, resetRequestsMs = 60_000, limitRequests = 100): RateLimits => ({ limitRequests, remainingRequests, resetRequestsMs })
function paced(limits?: RateLimits, cooldown = false) {
  const clock = new HandClock()
  const gate = new Pace({ clock, cooldown })
  if (limits !== undefined) entered(gate).release({ ...OK, limits })
  return { clock, gate }
}

describe('what the provider says is left', () => {
  test('holds nobody back while there is plenty', () => {
    const { gate } = paced(requests(50))
    for (let i = 0; i < 29; i++) entered(gate)
  })

  test('is spread over the time to the reset when it runs low', () => {
    const { clock, gate } = paced(requests(10))
    entered(gate)
    expect(refused(gate)).toEqual({ refused: 'rate_limited', retryAtMs: clock.nowMs + 6_000, reason: 'the limit of the provider is nearly used up; free in 6 s' })
    let sent = 1
    for (let second = 0; second < 59; second++) {
      clock.nowMs += 1_000
      if (!('refused' in asked(gate))) sent++
    }
    expect(sent).toBe(10)
  })

  test('stops everything at zero until the reset', () => {
    const { clock, gate } = paced(requests(0, 30_000))
    expect(refused(gate).retryAtMs).toBe(clock.nowMs + 30_000)
    clock.nowMs += 30_000
    entered(gate)
  })

  test('lets a line that waited for the reset in up to the limit, not all of it', () => {
    const { clock, gate } = paced(requests(0, 30_000, 5))
    clock.nowMs += 30_000
    const permits = Array.from({ length: 5 }, () => entered(gate))
    expect(refused(gate)).toMatchObject({ refused: 'queue_full' })
    permits[0]?.release({ ...OK, limits: requests(4, 60_000, 5) })
    refused(gate)
    for (const permit of permits.slice(1)) permit.release(OK)
  })

  test('does not lock out a provider that says nothing any more', () => {
    const { clock, gate } = paced(requests(0, 1_000, 2))
    clock.nowMs += 1_000
    const permits = [entered(gate), entered(gate)]
    refused(gate)
    for (const permit of permits) permit.release(OK)
    for (let i = 0; i < 10; i++) entered(gate)
  })

  test('is forgotten at its reset', () => {
    const { clock, gate } = paced(requests(30))
    clock.nowMs += 60_000
    for (let i = 0; i < 500; i++) entered(gate)
    expect(gate.state().requestsLeft).toBeUndefined()
  })

  test('counts what was sent since the headers were written', () => {
    const { gate } = paced()
    const permits = Array.from({ length: 5 }, () => entered(gate))
    permits[0]?.release({ ...OK, limits: requests(30) })
    expect(gate.state().requestsLeft).toBe(26)
    // Somebody else used the key too; then older news comes late.
    permits[3]?.release({ ...OK, limits: requests(23) })
    permits[1]?.release({ ...OK, limits: requests(29) })
    expect(gate.state().requestsLeft).toBe(22)
  })

  test('is measured from the first content and not from the end of a long answer', () => {
    const { clock, gate } = paced()
    const permit = entered(gate)
    permit.committed?.(10)
    clock.nowMs += 50_000
    permit.release({ ...OK, limits: requests(0) })
    expect(refused(gate).retryAtMs).toBe(clock.nowMs + 10_000)
    const { clock: later, gate: other } = paced()
    const long = entered(other)
    long.committed?.(10)
    later.nowMs += 61_000
    long.release({ ...OK, limits: requests(0) })
    entered(other)
  })

  test('of tokens is kept too, by the prompt', () => {
    const { clock, gate } = paced({ limitTokens: 1_000, remainingTokens: 150, resetTokensMs: 30_000 })
    entered(gate, { inputTokens: () => 100 })
    expect(refused(gate, { inputTokens: () => 100 }).retryAtMs).toBe(clock.nowMs + 30_000)
    expect(refused(gate, { inputTokens: () => 50 }).retryAtMs).toBe(clock.nowMs + 20_000)
    clock.nowMs += 30_000
    entered(gate, { inputTokens: () => 5_000 })
  })

  test('a try that was never sent gives its place back', () => {
    const { gate } = paced(requests(10))
    for (let i = 0; i < 3; i++) entered(gate).release(UNSENT)
    entered(gate).release(ABORTED)
    refused(gate)
    expect(gate.state()).toMatchObject({ inFlight: 0, requestsLeft: 9 })
  })

  test('wakes who waits, and leaves no timer', async () => {
    const clock = virtualClock()
    const gate = new Pace({ clock, cooldown: false })
    entered(gate).release({ ...OK, limits: requests(0, 5_000) })
    refused(gate)
    let atMs = 0
    const startMs = clock.now()
    const off = gate.onFree(() => void (atMs = clock.now()))
    await clock.advance(10_000)
    expect([atMs - startMs, clock.pending]).toEqual([5_000, 0])
    off()
  })
})

describe('a pause the provider asked for', () => {
  test.each([
    [failed('rate_limited', { fault: fault('rate_limited', 7_000) }), 7_000],
    [failed('quota_exhausted', { fault: fault('quota_exhausted', 90_000) }), 90_000],
    [failed('quota_exhausted'), 60_000],
  ])('rests the deployment: %o', (end, restMs) => {
    const { clock, gate } = paced(undefined, true)
    entered(gate).release(end)
    expect(refused(gate)).toMatchObject({ refused: end.fault?.code, retryAtMs: clock.nowMs + restMs })
    clock.nowMs += restMs
    entered(gate)
  })

  test.each([failed('rate_limited'), failed('overloaded', { fault: fault('overloaded', 9_000) }), failed('credential_rejected'), ABORTED])('is not made up: %o', end => {
    const { gate } = paced(undefined, true)
    entered(gate).release(end)
    entered(gate)
  })

  test('is left to the key where there is one', () => {
    const { gate } = paced(undefined, false)
    entered(gate).release(failed('rate_limited', { fault: fault('rate_limited', 7_000) }))
    entered(gate)
  })
})
