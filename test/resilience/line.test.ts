import { describe, expect, it, vi } from 'vitest'
import { Cancel } from '../../src/resilience/cancel.js'
import { Tenants } from '../../src/resilience/line-tenants.js'
import { aborted, behind, FakeGate, scene, tokens } from './line-gates.js'

describe('a line', () => {
  it('lets one in for each place that frees, in order, and only the head knocks', async () => {
    const { gate, clock, line, log, stand, release, nothingLeft } = await scene()
    for (const name of ['holder', 'b', 'c', 'd']) stand(name)
    await clock.advance(0)
    expect([log, line.waiting, gate.listeners.size]).toEqual([['holder'], 3, 1])
    const tries = gate.tries
    gate.free()
    expect(gate.tries).toBe(tries + 1)
    for (const so of [['holder', 'b'], ['holder', 'b', 'c'], ['holder', 'b', 'c', 'd']]) {
      await release()
      expect(log).toEqual(so)
    }
    await release()
    nothingLeft()
  })

  it('lets higher priorities go first inside a tenant, and tenants take turns', async () => {
    const { clock, log, stand, release, nothingLeft } = await scene()
    stand('holder')
    await clock.advance(0)
    for (const [name, tenant, priority] of [['head', 'x', 0], ['x1', 'x', 0], ['x2', 'x', 0], ['x+', 'x', 5], ['y1', 'y', 0], ['y+', 'y', 1], ['z1', 'z', -1]] as const) stand(name, { tenant, priority })
    for (let at = 0; at < 8; at++) await release()
    expect(log).toEqual(['holder', 'head', 'x+', 'y+', 'z1', 'x1', 'y1', 'x2'])
    nothingLeft()
  })

  it('tries every candidate of the head, and gives back what a gate in front had given', async () => {
    const { clock, line, nothingLeft } = await scene()
    const [front, back, other] = [new FakeGate(1, () => clock.now()), new FakeGate(0, () => clock.now()), new FakeGate(0, () => clock.now())]
    const entering = line.enter([behind('a', front, back), behind('b', front, other)], tokens(1), new Cancel())
    await clock.advance(0)
    // A permit that is given back wakes the head: it must not knock in a circle.
    expect([front.open, front.tries, back.tries, other.tries]).toEqual([0, 2, 1, 1])
    other.places = 1
    other.free()
    expect((await entering).candidate.live.deployment.id).toBe('b')
    expect([front.open, front.listeners.size, back.listeners.size, other.listeners.size]).toEqual([1, 0, 0, 0])
    nothingLeft()
  })

  it('lets a call in mid-line leave at once, and its place is free', async () => {
    const { clock, line, log, stand, release, nothingLeft } = await scene({ maxSize: 2 })
    stand('holder')
    await clock.advance(0)
    stand('head')
    const leaver = stand('leaver')
    await clock.advance(0)
    expect((await stand('one too many').ended)?.code).toBe('queue_full')
    leaver.cancel.cancel(aborted)
    expect(line.waiting).toBe(1)
    stand('next')
    await release()
    await release()
    expect(log).toEqual(['holder', 'one too many queue_full', 'leaver aborted', 'head', 'next'])
    await release()
    nothingLeft()
  })

  it('keeps nothing of those who leave while the head stands for long', async () => {
    const orders = vi.spyOn(Tenants.prototype, 'enqueue')
    const { clock, line, stand } = await scene({}, 0)
    stand('head')
    await clock.advance(0)
    const settled = stand('left later')
    await clock.advance(0)
    settled.cancel.cancel(aborted)
    stand('left at once').cancel.cancel(aborted)
    await clock.advance(0)
    expect([line.waiting, orders.mock.contexts.map(order => (order as Tenants).size)]).toEqual([1, [0, 0, 0]])
    orders.mockRestore()
  })

  it('passes the head on when the head leaves', async () => {
    const { clock, log, stand, release, nothingLeft } = await scene()
    stand('holder')
    await clock.advance(0)
    const head = stand('head')
    stand('next')
    await clock.advance(0)
    head.cancel.cancel(aborted)
    await release()
    expect(log).toEqual(['holder', 'head aborted', 'next'])
    await release()
    nothingLeft()
  })

  it('takes nobody who has left before', async () => {
    const { line, candidates, gate, nothingLeft } = await scene()
    const cancel = new Cancel()
    cancel.cancel(aborted)
    await expect(line.enter(candidates, tokens(1), cancel)).rejects.toBe(aborted)
    expect(gate.tries).toBe(0)
    nothingLeft()
  })

  it('ends one whose gate breaks, and the line goes on', async () => {
    const { clock, line, log, stand, nothingLeft } = await scene()
    const broken = behind('x', { tryEnter: () => { throw new Error('broken') }, onFree: () => () => undefined })
    const entering = line.enter([broken], tokens(1), new Cancel())
    stand('next')
    await expect(entering).rejects.toThrow('broken')
    await clock.advance(0)
    expect(log).toEqual(['next'])
    nothingLeft()
  })
})

describe('the bounds of a line', () => {
  it('refuse by count, saying what to raise', async () => {
    const { clock, stand } = await scene({ maxSize: 1 }, 0)
    stand('head')
    await clock.advance(0)
    const error = await stand('more').ended
    expect([error?.code, error?.message]).toEqual(['queue_full', expect.stringMatching(/1 calls wait.*queue\.maxSize.*limits\.concurrency/)])
  })

  it('refuse by the bytes of the prompts that wait, and a leaver gives them back', async () => {
    const { clock, line, log, stand } = await scene({ maxBytes: 1_000 }, 0)
    const first = stand('long', {}, 200)
    await clock.advance(0)
    expect(line.state().bytes).toBe(800)
    expect((await stand('longer', {}, 51).ended)?.code).toBe('queue_full')
    stand('short', {}, 50)
    first.cancel.cancel(aborted)
    expect(line.state()).toEqual({ waiting: 1, bytes: 200 })
    stand('longer', {}, 200)
    await clock.advance(0)
    expect([log, line.waiting]).toEqual([['longer queue_full', 'long aborted'], 2])
  })

  it('end a wait that is too long, at the head and in mid-line', async () => {
    const { clock, gate, log, stand, release, nothingLeft } = await scene({ maxWaitMs: 1_000 })
    stand('holder')
    await clock.advance(0)
    stand('head')
    await clock.advance(400)
    const second = stand('second')
    await clock.advance(599)
    expect(log).toEqual(['holder'])
    await clock.advance(1)
    expect(log).toEqual(['holder', 'head queue_timeout'])
    await clock.advance(400)
    const error = await second.ended
    expect([error?.code, error?.retryAfterMs, error?.message]).toEqual(['queue_timeout', undefined, expect.stringMatching(/1000 ms.*maxWaitMs/)])
    const { tries } = gate
    await release()
    expect(gate.tries).toBe(tries)
    nothingLeft()
  })
})
