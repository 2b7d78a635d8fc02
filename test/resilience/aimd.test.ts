import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Aimd } from '../../src/resilience/aimd.js'
import { UNUSED } from '../../src/resilience/gates.js'
import { virtualClock } from '../../src/testing/clock.js'
import { ABORTED, asked, entered, failed, HandClock, OK, refused, UNSENT } from './support.js'

const LIMITED = failed('rate_limited')

describe('a concurrency limit nobody told us', () => {
  test('is not invented before the provider complains', () => {
    const gate = new Aimd({ clock: new HandClock() })
    const permits = Array.from({ length: 500 }, () => entered(gate))
    for (const [at, permit] of permits.entries()) permit.release([OK, ABORTED, UNSENT, failed('overloaded')][at % 4] ?? OK)
    expect(gate.state()).toEqual({ inFlight: 0 })
  })

  test('starts at 10 and falls by a tenth, at most once a second', () => {
    const clock = new HandClock()
    const gate = new Aimd({ clock })
    const permits = Array.from({ length: 40 }, () => entered(gate))
    for (const permit of permits.splice(0, 5)) permit.release(LIMITED)
    expect(gate.state().limit).toBe(10)
    clock.nowMs += 999
    permits.pop()?.release(LIMITED)
    expect(gate.state().limit).toBe(10)
    clock.nowMs += 1
    permits.pop()?.release(LIMITED)
    expect(gate.state().limit).toBe(9)
    for (let i = 0; i < 20; i++) {
      clock.nowMs += 1_000
      permits.pop()?.release(LIMITED)
    }
    expect(gate.state().limit).toBe(1)
    for (const permit of permits) permit.release(OK)
    expect(gate.state().inFlight).toBe(0)
  })

  test('refuses as a line that moves when an answer ends', () => {
    const clock = new HandClock()
    const gate = new Aimd({ clock })
    entered(gate).release(LIMITED)
    clock.nowMs += 2_000
    const permits = Array.from({ length: 10 }, () => entered(gate))
    expect(refused(gate)).toEqual({ refused: 'queue_full', reason: '10 answers are open, all that the provider bears at once (rate_limited)' })
    permits[0]?.release(ABORTED)
    entered(gate)
  })

  test('does not stand in the way of the retry of a lone call', () => {
    const gate = new Aimd({ clock: new HandClock() })
    entered(gate).release(LIMITED)
    entered(gate).release(LIMITED)
    entered(gate).release(OK)
  })

  test('leaves a place that was refused empty for two seconds, and wakes who waits for it', async () => {
    const clock = virtualClock()
    const gate = new Aimd({ clock })
    const permits = Array.from({ length: 5 }, () => entered(gate))
    permits.pop()?.release(LIMITED)
    const atMs = clock.now() + 2_000
    expect(refused(gate)).toMatchObject({ refused: 'rate_limited', retryAtMs: atMs })
    expect(clock.pending).toBe(0)
    let wokenMs = 0
    const off = gate.onFree(() => {
      wokenMs = clock.now()
      off()
      entered(gate).release(OK)
    })
    expect(clock.pending).toBe(1)
    await clock.advance(5_000)
    expect([wokenMs, clock.pending]).toEqual([atMs, 0])
    for (const permit of permits) permit.release(OK)
  })

  test('is found again from below quickly, and not passed for a while', () => {
    const clock = new HandClock()
    const gate = new Aimd({ clock })
    const held = Array.from({ length: 40 }, () => entered(gate))
    held.pop()?.release(LIMITED)
    clock.nowMs += 2_000
    // 39 were borne: one success takes the limit one up until there.
    for (let i = 0; i < 100; i++) {
      held.shift()?.release(OK)
      for (let next = asked(gate); !('refused' in next); next = asked(gate)) held.push(next)
    }
    expect(gate.state().limit).toBe(39)
  })

  test('does not grow past a place that was just refused', () => {
    const clock = new HandClock()
    const gate = new Aimd({ clock })
    const held = Array.from({ length: 40 }, () => entered(gate))
    held.pop()?.release(LIMITED)
    const turn = (times: number): void => {
      for (let i = 0; i < times; i++) {
        held.shift()?.release(OK)
        for (let next = asked(gate); !('refused' in next); next = asked(gate)) held.push(next)
      }
    }
    clock.nowMs += 2_000
    turn(100)
    for (const permit of held.splice(0, 35)) permit.release(ABORTED)
    const low = entered(gate)
    for (let next = asked(gate); !('refused' in next); next = asked(gate)) held.push(next)
    low.release(LIMITED)
    expect(gate.state().limit).toBe(35)
    // The others came from beyond that place, but before it was refused.
    turn(400)
    expect(gate.state().limit).toBe(35)
    clock.nowMs += 2_000
    turn(40)
    expect(gate.state().limit).toBeGreaterThan(36)
  })

  describe('that is less than one answer at a time', () => {
    /** Down to one at a time, and a lone call refused once more. */
    const spaced = (): { clock: HandClock; gate: Aimd } => {
      const clock = new HandClock()
      const gate = new Aimd({ clock })
      const permits = Array.from({ length: 11 }, () => entered(gate))
      for (const permit of permits) {
        clock.nowMs += 1_000
        permit.release(LIMITED)
      }
      return { clock, gate }
    }

    test('spaces calls: a second, then half as far again with each refusal, up to eight', () => {
      const { clock, gate } = spaced()
      for (const gapMs of [1_500, 2_250, 3_375, 5_063, 7_594, 8_000, 8_000]) {
        clock.nowMs += 8_000
        entered(gate).release(LIMITED)
        expect(gate.state()).toEqual({ inFlight: 0, limit: 1, gapMs })
        const { refused: code, retryAtMs = 0 } = refused(gate)
        expect([code, Math.round(retryAtMs - clock.nowMs)]).toEqual(['rate_limited', gapMs])
      }
    })

    test('comes closer with each success, until a limit of one is enough', () => {
      const { clock, gate } = spaced()
      for (let i = 0; i < 300 && gate.state().gapMs !== undefined; i++) {
        clock.nowMs += 8_000
        entered(gate).release(OK)
      }
      expect(gate.state()).toEqual({ inFlight: 0, limit: 1 })
    })

    test('is not the answer to many refusals at once: they are one', () => {
      const clock = new HandClock()
      const gate = new Aimd({ clock })
      const permits = Array.from({ length: 60 }, () => entered(gate))
      for (const permit of permits.splice(0, 11)) {
        clock.nowMs += 1_000
        permit.release(LIMITED)
      }
      clock.nowMs += 1_000
      for (const permit of permits) permit.release(LIMITED)
      expect(gate.state().gapMs).toBe(1_500)
    })

    test('wakes who waits for the next turn, and forgets a turn that another gate refused', async () => {
      const clock = virtualClock()
      const gate = new Aimd({ clock })
      const permits = Array.from({ length: 12 }, () => entered(gate))
      for (const permit of permits) {
        await clock.advance(1_000)
        permit.release(LIMITED)
      }
      const { gapMs } = gate.state()
      expect(gapMs).toBeGreaterThanOrEqual(1_000)
      let woken = 0
      const off = gate.onFree(() => woken++)
      const answer = refused(gate)
      await clock.advance((answer.retryAtMs ?? 0) - clock.now())
      expect(woken).toBe(1)
      off()
      entered(gate).release(UNUSED)
      entered(gate).release(ABORTED)
      expect([gate.state().inFlight, clock.pending]).toEqual([0, 0])
    })
  })

  test('lets go at 200', () => {
    const clock = new HandClock()
    const gate = new Aimd({ clock })
    entered(gate).release(LIMITED)
    clock.nowMs += 2_000
    const held: ReturnType<typeof entered>[] = []
    for (let i = 0; i < 5_000 && gate.state().limit !== undefined; i++) {
      for (let next = asked(gate); !('refused' in next) && held.length < 400; next = asked(gate)) held.push(next)
      held.shift()?.release(OK)
    }
    expect(gate.state().limit).toBeUndefined()
  })
})

test('whatever happens, the limit stays between 1 and 200 and what is open below it', () => {
  const step = fc.record({ what: fc.constantFrom('enter', 'enter', 'enter', 'ok', 'limited', 'abort'), at: fc.nat(400), ms: fc.constantFrom(0, 50, 1_000, 3_000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), steps => {
      const clock = new HandClock()
      const gate = new Aimd({ clock })
      const held: ReturnType<typeof entered>[] = []
      for (const { what, at, ms } of steps) {
        clock.nowMs += ms
        if (what === 'enter') {
          const before = gate.state()
          const permit = asked(gate)
          if ('refused' in permit) continue
          expect(before.inFlight).toBeLessThan(before.limit ?? Infinity)
          held.push(permit)
        } else {
          const [permit] = held.splice(at % Math.max(1, held.length), 1)
          const end = what === 'ok' ? OK : what === 'limited' ? LIMITED : ABORTED
          permit?.release(end)
          permit?.release(end)
        }
        const { limit = 100, inFlight } = gate.state()
        expect(limit).toBeGreaterThanOrEqual(1)
        expect(limit).toBeLessThan(200)
        expect(inFlight).toBe(held.length)
      }
      for (const permit of held) permit.release(OK)
      expect([gate.state().inFlight, clock.armed]).toEqual([0, 0])
    }),
    { numRuns: 200 },
  )
})
