import { describe, expect, test } from 'vitest'
import { Breaker } from '../../src/resilience/breaker.js'
import { virtualClock } from '../../src/testing/clock.js'
import { ABORTED, asked, entered, failed, fault, HandClock, OK, refused, UNSENT } from './support.js'

const fail = (breaker: Breaker, times = 1): void => {
  for (let i = 0; i < times; i++) entered(breaker).release(failed('overloaded'))
}
function opened() {
  const clock = new HandClock()
  const breaker = new Breaker({}, { clock })
  fail(breaker, 3)
  return { clock, breaker, state: () => breaker.state(clock.now()).state }
}
function probing() {
  const scene = opened()
  scene.clock.nowMs += 15_000
  return { ...scene, probe: entered(scene.breaker) }
}

describe('opening', () => {
  test('three failures in a row stop the calls, in words and with the time of the next probe', () => {
    const { clock, breaker } = opened()
    clock.nowMs += 3_000
    expect(refused(breaker)).toEqual({ refused: 'overloaded', retryAtMs: clock.nowMs + 12_000, reason: 'the circuit is open after 3 failures in a row (overloaded); next probe in 12 s' })
    expect(breaker.state(clock.nowMs)).toEqual({ state: 'open', why: 'the circuit is open after 3 failures in a row (overloaded)', sinceMs: clock.nowMs - 3_000, nextProbeMs: clock.nowMs + 12_000 })
  })

  test('a deployment that fails every other time is stopped too, but not on too few samples', () => {
    const clock = new HandClock()
    const breaker = new Breaker({}, { clock })
    for (const end of [OK, failed('timeout'), OK, failed('timeout')]) entered(breaker).release(end)
    expect(breaker.state(clock.now()).state).toBe('closed')
    entered(breaker).release(OK)
    entered(breaker).release(failed('timeout'))
    expect(breaker.state(clock.now())).toMatchObject({ state: 'open', why: 'the circuit is open after 3 of 6 answers failed within 60 s (timeout)' })
  })

  test('failures that have left the window do not add up', () => {
    const clock = new HandClock()
    const breaker = new Breaker({ failures: 100, minSamples: 3 }, { clock })
    for (let i = 0; i < 20; i++) {
      fail(breaker)
      clock.nowMs += 40_000
    }
    expect(breaker.state(clock.now()).state).toBe('closed')
  })

  test('what the deployment is not to blame for counts for nobody', () => {
    const clock = new HandClock()
    const breaker = new Breaker({ failures: 1, minSamples: 1 }, { clock })
    const ends = [ABORTED, UNSENT, { ...ABORTED, fault: fault('timeout') }, { outcome: 'failure' as const, durationMs: 1 }]
    for (const end of [...ends, ...(['rate_limited', 'quota_exhausted', 'credential_rejected', 'invalid_request', 'content_filter'] as const).map(code => failed(code))]) entered(breaker).release(end)
    expect(breaker.state(clock.now())).toEqual({ state: 'closed', sinceMs: clock.now() })
  })

  test('an answer that began before the circuit opened says nothing any more', () => {
    const clock = new HandClock()
    const breaker = new Breaker({}, { clock })
    const [early, other] = [entered(breaker), entered(breaker)]
    fail(breaker, 3)
    clock.nowMs += 15_000
    const probe = entered(breaker)
    early.release(OK)
    expect(breaker.state(clock.now()).state).toBe('half_open')
    probe.release(OK)
    other.release(failed('overloaded'))
    expect(breaker.state(clock.now()).state).toBe('ramp')
    expect(breaker.inside).toBe(0)
  })
})

describe('probes', () => {
  test('exactly one call finds out how it is', () => {
    const { breaker, state, probe } = probing()
    expect(state()).toBe('half_open')
    for (let i = 0; i < 5; i++) expect(refused(breaker)).toEqual({ refused: 'overloaded', reason: 'the circuit is open after 3 failures in a row (overloaded); a probe is under way' })
    probe.release(failed('network'))
    expect(refused(breaker)).toMatchObject({ refused: 'network', reason: 'the circuit is open after a probe failed (network); next probe in 15 s' })
  })

  test.each([ABORTED, UNSENT, failed('rate_limited')])('a probe that ended without a verdict makes room for the next at once: %o', end => {
    const { breaker, state, probe } = probing()
    probe.release(end)
    expect(state()).toBe('half_open')
    entered(breaker)
    refused(breaker)
  })

  test('a first content frees the place of the probe, and a later fault of the same answer opens again', () => {
    const { breaker, state, probe } = probing()
    probe.committed?.(5)
    probe.committed?.(5)
    expect([state(), breaker.inside]).toEqual(['ramp', 0])
    const second = entered(breaker)
    expect(refused(breaker)).toMatchObject({ refused: 'queue_full', reason: 'the circuit is closing again: 1 at once for now' })
    probe.release(failed('malformed_response'))
    expect(state()).toBe('open')
    second.release(OK)
    expect([state(), breaker.inside]).toEqual(['open', 0])
  })

  test('traffic comes back 2, 4, 8 at once and then whole', () => {
    const { breaker, state, probe } = probing()
    probe.release(OK)
    for (const places of [2, 4, 8]) {
      const permits = Array.from({ length: places }, () => entered(breaker))
      refused(breaker)
      permits.shift()?.release(OK)
      for (const permit of permits) permit.release(ABORTED)
    }
    expect([state(), breaker.inside]).toEqual(['closed', 0])
    for (let i = 0; i < 50; i++) entered(breaker)
  })

  test('a circuit that closed has forgotten what opened it', () => {
    const { breaker, state, probe } = probing()
    probe.release(OK)
    for (let i = 0; i < 3; i++) entered(breaker).release(OK)
    fail(breaker, 2)
    expect(state()).toBe('closed')
    entered(breaker).release(OK)
    fail(breaker)
    // Three of four, where three before the opening would make it six of seven.
    expect(state()).toBe('closed')
  })

  test('a failure on the way back opens again for a whole interval', () => {
    const { clock, breaker, probe } = probing()
    probe.release(OK)
    const slow = entered(breaker)
    clock.nowMs += 7_000
    entered(breaker).release(failed('overloaded'))
    expect(refused(breaker).retryAtMs).toBe(clock.nowMs + 15_000)
    slow.release(OK)
    clock.nowMs += 15_000
    entered(breaker)
    refused(breaker)
  })

  test('an answer that outlives the ramp is counted once', () => {
    const { breaker, state, probe } = probing()
    probe.release(OK)
    const slow = entered(breaker)
    for (let i = 0; i < 3; i++) entered(breaker).release(OK)
    expect([state(), breaker.inside]).toEqual(['closed', 1])
    slow.release(OK)
    slow.release(OK)
    expect(breaker.inside).toBe(0)
  })

  test('an active probe lets traffic back without a call, unless a call is finding out', () => {
    const { clock, breaker, state } = opened()
    let woken = 0
    breaker.onFree(() => void woken++)
    breaker.probed(false, fault('timeout'))
    expect([state(), woken, refused(breaker).retryAtMs]).toEqual(['open', 0, clock.nowMs + 15_000])
    breaker.probed(true)
    expect([state(), woken, clock.armed]).toEqual(['ramp', 1, 0])
    const { breaker: other, state: otherState, probe } = probing()
    other.probed(true)
    expect(otherState()).toBe('half_open')
    probe.release(failed('overloaded'))
    expect(otherState()).toBe('open')
  })
})

describe('by hand', () => {
  test('an isolated deployment is asked by nobody until it is restored', () => {
    const clock = new HandClock()
    const breaker = new Breaker({}, { clock })
    const early = entered(breaker)
    breaker.isolate('maintenance')
    clock.nowMs += 3_600_000
    breaker.probed(true)
    early.release(OK)
    expect(refused(breaker)).toEqual({ refused: 'overloaded', reason: 'isolated by hand: maintenance' })
    let woken = 0
    breaker.onFree(() => void woken++)
    breaker.restore()
    expect([woken, breaker.state(clock.now())]).toEqual([1, { state: 'closed', sinceMs: clock.now() }])
    expect(clock.armed).toBe(0)
  })
})

describe('waiting', () => {
  test('the timer of the next probe exists only while somebody listens', async () => {
    const clock = virtualClock()
    const breaker = new Breaker({}, { clock })
    fail(breaker, 3)
    expect(clock.pending).toBe(0)
    const offs = [breaker.onFree(() => undefined), breaker.onFree(() => undefined)]
    expect(clock.pending).toBe(1)
    for (const off of offs) off()
    expect(clock.pending).toBe(0)
    let enteredAtMs = 0
    const startMs = clock.now()
    const off = breaker.onFree(() => {
      if ('refused' in asked(breaker)) return
      enteredAtMs = clock.now()
    })
    await clock.advance(20_000)
    expect([enteredAtMs - startMs, clock.pending]).toEqual([15_000, 0])
    off()
  })

  test('the opening is told, once each time', () => {
    const { clock, breaker } = opened()
    let told = 0
    const off = breaker.onOpen(() => void told++)
    clock.nowMs += 15_000
    fail(breaker)
    expect(told).toBe(1)
    off()
    clock.nowMs += 15_000
    fail(breaker)
    expect(told).toBe(1)
  })
})

describe('state', () => {
  test('survives a restart of the process, probe under way and all', () => {
    const { clock, breaker } = opened()
    const again = new Breaker({}, { clock, state: JSON.parse(JSON.stringify(breaker)) as unknown })
    expect(refused(again)).toEqual(refused(breaker))
    const { clock: later, breaker: half } = probing()
    const probed = new Breaker({}, { clock: later, state: JSON.parse(JSON.stringify(half)) as unknown })
    entered(probed).release(OK)
    refused(probing().breaker)
    const ramp = new Breaker({}, { clock: later, state: JSON.parse(JSON.stringify(probed)) as unknown })
    expect(JSON.stringify(ramp)).toBe(JSON.stringify(probed))
    entered(ramp)
    entered(ramp)
    refused(ramp)
    breaker.isolate()
    refused(new Breaker({}, { clock, state: breaker.toJSON() }))
  })

  test('from a clock that ran ahead makes nobody wait longer than one interval', () => {
    const clock = new HandClock()
    const breaker = new Breaker({}, { clock, state: { state: 'open', sinceMs: 9e12, nextProbeMs: 9e12 } })
    expect(refused(breaker).retryAtMs).toBe(clock.now() + 15_000)
  })

  test.each([null, 'open', {}, { state: 'ajar', sinceMs: 0 }, { state: 'open', sinceMs: '0' }, { state: 'open', sinceMs: 0, code: 'x' }, { state: 'ramp', sinceMs: 0, limit: 3 }, { state: 'open', sinceMs: 0, nextProbeMs: NaN }])('that is none is refused: %o', state => {
    expect(() => new Breaker({}, { clock: new HandClock(), state })).toThrow('toJSON()')
  })

  test.each([[{ failure: 3 }, 'Did you mean "failures"?'], [{ failureRate: 50 }, 'at most 1'], [{ failures: 1.5 }, 'whole number'], [{ windowMs: 0 }, 'above 0'], [{ probeIntervalMs: NaN }, 'above 0']])('settings that cannot be meant are refused: %o', (options, words) => {
    expect(() => new Breaker(options as object, { clock: new HandClock() })).toThrow(words)
  })
})

test('a dead route sees 8 tries or fewer in 15 calls, and is back within 30 s of recovering', () => {
  const clock = new HandClock()
  const breaker = new Breaker({}, { clock })
  const startMs = clock.nowMs
  let [tries, backMs] = [0, Infinity]
  for (let call = 0; call < 20; call++) {
    clock.nowMs = startMs + call * 4_000
    const dead = clock.nowMs - startMs < 60_000
    for (let attempt = 0; attempt < 3; attempt++) {
      const permit = asked(breaker)
      if ('refused' in permit) break
      if (dead) tries++
      else backMs = Math.min(backMs, clock.nowMs - startMs)
      permit.release(dead ? failed('overloaded') : OK)
      if (!dead) break
    }
  }
  expect(tries).toBeLessThanOrEqual(8)
  expect(backMs).toBeLessThanOrEqual(90_000)
})
