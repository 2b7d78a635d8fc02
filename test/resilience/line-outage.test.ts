import { describe, expect, it } from 'vitest'
import { Cancel } from '../../src/resilience/cancel.js'
import type { LineOptions } from '../../src/resilience/line.js'
import { aborted, behind, DONE, FakeGate, OUTAGE, scene, tokens } from './line-gates.js'

describe('an outage', () => {
  const rests = async (ms: number, options: LineOptions = {}, places = 10) => {
    const all = await scene(options, places)
    all.gate.restsUntilMs = all.clock.now() + ms
    return all
  }

  it('is waited out: the head knocks when the earliest reset has come, not before', async () => {
    const { clock, gate, line, candidates, log, stand, nothingLeft } = await rests(2_000)
    const later = new FakeGate(1, () => clock.now())
    later.restsUntilMs = clock.now() + 9_000
    candidates.push(behind('b', later))
    for (const name of ['a', 'b', 'c']) stand(name, OUTAGE)
    await clock.advance(1_999)
    expect([log, gate.tries, clock.pending, line.state().retryAtMs]).toEqual([[], 1, 1, clock.now() + 1])
    await clock.advance(1)
    expect([log, gate.tries]).toEqual([['a', 'b', 'c'], 4])
    nothingLeft()
  })

  it('ends at a ramp where the gates open by a ramp', async () => {
    const { clock, gate, log, admitted, stand } = await rests(1_000, {}, 1)
    for (let at = 0; at < 7; at++) stand(String(at), OUTAGE)
    await clock.advance(1_000)
    const seen = [log.length]
    for (const places of [2, 4]) {
      gate.places = places
      for (const { permits } of admitted.splice(0)) permits.forEach(permit => permit.release(DONE))
      await clock.advance(0)
      expect(gate.open).toBe(places)
      seen.push(log.length)
    }
    expect(seen).toEqual([1, 3, 7])
  })

  it('that the head has no time for is refused at once, with the time to come back', async () => {
    const { clock, gate, stand, nothingLeft } = await rests(30_001, { maxWaitMs: 30_000 })
    const standing = stand('a', OUTAGE)
    await clock.advance(0)
    expect(await standing.ended).toMatchObject({ code: 'queue_timeout', retryAfterMs: 30_001 })
    gate.restsUntilMs = clock.now() + 29_999
    const fits = stand('b', OUTAGE)
    await clock.advance(29_999)
    expect(await fits.ended).toBeUndefined()
    nothingLeft()
  })

  it('that is known when a call comes refuses it behind others too', async () => {
    const { clock, line, stand } = await rests(5_000, { maxWaitMs: 30_000 })
    stand('head', OUTAGE)
    await clock.advance(0)
    const retryAtMs = clock.now() + 40_000
    expect(await stand('b', { ...OUTAGE, retryAtMs }).ended).toMatchObject({ code: 'queue_timeout', retryAfterMs: 40_000 })
    expect(await stand('c', { ...OUTAGE, retryAtMs: clock.now() + 5_000, untilMs: clock.now() + 4_000 }).ended).toMatchObject({ code: 'queue_timeout', retryAfterMs: 5_000 })
    expect(line.waiting).toBe(1)
  })

  it('that lasts longer than it said ends a wait that would be too long, with the time to come back', async () => {
    const { clock, gate, line, stand, nothingLeft } = await rests(500, { maxWaitMs: 1_000 })
    const [head, second] = [stand('a', OUTAGE), stand('b', OUTAGE)]
    await clock.advance(499)
    gate.restsUntilMs += 5_000
    await clock.advance(1)
    expect(await head.ended).toMatchObject({ code: 'queue_timeout', retryAfterMs: 5_000 })
    expect(await second.ended).toMatchObject({ code: 'queue_timeout', retryAfterMs: 5_000 })
    expect(line.waiting).toBe(0)
    nothingLeft()
  })

  it('whose end is known for one candidate is told to a call that waited in vain for a place of another', async () => {
    const { clock, candidates, stand, nothingLeft } = await rests(5_000, { maxWaitMs: 1_000 })
    candidates.push(behind('b', new FakeGate(0, () => clock.now())))
    const [head, second] = [stand('a', OUTAGE), stand('b', OUTAGE)]
    await clock.advance(1_000)
    expect(await head.ended).toMatchObject({ code: 'queue_timeout', retryAfterMs: 4_000 })
    expect((await second.ended)?.code).toBe('queue_timeout')
    nothingLeft()
  })

  it('without a known end waits for the gate to call', async () => {
    const { clock, gate, log, stand, nothingLeft } = await rests(60_000)
    gate.tells = false
    stand('a', OUTAGE)
    await clock.advance(10_000)
    expect([log, clock.pending]).toEqual([[], 0])
    gate.restsUntilMs = 0
    gate.free()
    await clock.advance(0)
    expect(log).toEqual(['a'])
    nothingLeft()
  })

  it('is not waited out by a call that only waits for places', async () => {
    const { clock, candidates, log, stand, nothingLeft } = await rests(2_000)
    const error = await stand('a').ended
    expect(error).toMatchObject({ code: 'overloaded', retryAfterMs: 2_000 })
    expect(error?.message).toMatch(/the breaker is open\. Set "queue"/)
    // With one candidate that is merely full there is a place to wait for.
    candidates.push(behind('b', new FakeGate(0, () => clock.now())))
    stand('b')
    await clock.advance(1_999)
    expect(log).toEqual(['a overloaded'])
    await clock.advance(1)
    expect(log).toEqual(['a overloaded', 'b'])
    nothingLeft()
  })

  it('with a gate that names an instant gone by does not knock in a circle', async () => {
    const { clock, line, nothingLeft } = await scene()
    let knocks = 0
    const stale = behind('a', { tryEnter: () => (knocks++, { refused: 'rate_limited', retryAtMs: 0 }), onFree: () => () => undefined })
    const cancel = new Cancel()
    const entering = line.enter([stale], tokens(1), cancel, OUTAGE)
    const ended = expect(entering).rejects.toBe(aborted)
    await clock.advance(100)
    expect(knocks).toBeLessThanOrEqual(101)
    cancel.cancel(aborted)
    await ended
    nothingLeft()
  })
})
