import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import { Cancel } from '../../src/resilience/cancel.js'
import { Line, type Admitted } from '../../src/resilience/line.js'
import { Tenants, type Place } from '../../src/resilience/line-tenants.js'
import { virtualClock } from '../../src/testing/clock.js'
import { behind, DONE, FakeGate, tokens, warmed } from './line-gates.js'

type Step =
  | { readonly do: 'stand'; readonly tenant: string; readonly priority: number; readonly outage: boolean; readonly two: boolean }
  | { readonly do: 'release'; readonly which: number }
  | { readonly do: 'leave'; readonly which: number }
  | { readonly do: 'rest'; readonly ms: number; readonly tells: boolean }
  | { readonly do: 'pass'; readonly ms: number }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('stand' as const), tenant: fc.constantFrom('x', 'y', 'z'), priority: fc.integer({ min: -1, max: 1 }), outage: fc.boolean(), two: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat(20) }) },
  fc.record({ do: fc.constant('leave' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('rest' as const), ms: fc.constantFrom(0, 50, 400, 5_000), tells: fc.boolean() }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 0, 30, 300) }) },
)

async function play(steps: readonly Step[]): Promise<void> {
  const clock = virtualClock()
  const [a, shared, b] = [2, 3, 1].map(places => new FakeGate(places, () => clock.now())) as [FakeGate, FakeGate, FakeGate]
  const gates = [a, shared, b]
  const line = await warmed(new Line({ clock, maxSize: 6, maxWaitMs: 1_000 }))
  const orders = vi.spyOn(Tenants.prototype, 'enqueue')
  const cancels: Cancel[] = []
  const inside: Admitted[] = []
  let stood = 0
  let ended = 0
  for (const now of steps) {
    if (now.do === 'stand') {
      const cancel = new Cancel()
      cancels.push(cancel)
      stood++
      line.enter(now.two ? [behind('a', a, shared), behind('b', b)] : [behind('b', b, shared)], tokens(1), cancel, now).then(
        admitted => (ended++, inside.push(admitted)),
        (error: unknown) => (ended++, expect(GatewayError.is(error)).toBe(true)),
      )
    } else if (now.do === 'release') inside.splice(now.which % Math.max(1, inside.length), 1).forEach(({ permits }) => permits.forEach(permit => permit.release(DONE)))
    else if (now.do === 'leave') cancels[now.which % Math.max(1, cancels.length)]?.cancel(new GatewayError('aborted', 'left'))
    else if (now.do === 'pass') await clock.advance(now.ms)
    else if (now.do === 'rest') {
      a.tells = now.tells
      a.restsUntilMs = b.restsUntilMs = clock.now() + now.ms
    }
    expect(line.waiting).toBeLessThanOrEqual(6)
    for (const gate of gates) expect(gate.open).toBeLessThanOrEqual(gate.places)
  }
  // Everybody is let in, has left or has waited too long by then.
  await clock.advance(1_000)
  expect([stood - ended, line.state(), clock.pending]).toEqual([0, { waiting: 0, bytes: 0 }, 0])
  expect(gates.map(({ listeners }) => listeners.size)).toEqual([0, 0, 0])
  expect(cancels.filter(({ listening }) => listening > 0)).toEqual([])
  expect(orders.mock.contexts.filter(order => (order as Tenants).size > 0)).toEqual([])
  orders.mockRestore()
  const held = inside.flatMap(({ permits }) => permits).length
  expect(gates.reduce((sum, { open }) => sum + open, 0)).toBe(held)
  for (const { permits } of inside) for (const permit of permits) permit.release(DONE)
  expect(gates.map(({ open }) => open)).toEqual([0, 0, 0])
}

test('whatever comes in whatever order, everybody ends once and nothing is left behind', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), play), { numRuns: 150 })
})

const place = (tenant: string, priority: number): Place => ({ tenant, priority, leave: undefined })

test('no tenant starves: nobody has two turns while another waits for one', () => {
  const arrivals = fc.array(fc.record({ tenant: fc.constantFrom('a', 'b', 'c', 'd'), priority: fc.integer({ min: -5, max: 5 }), then: fc.nat(3) }), { maxLength: 60 })
  fc.assert(
    fc.property(arrivals, list => {
      const order = new Tenants()
      const waiting = new Map<string, number>()
      /** Turns of others since a tenant had its own, while it waited. */
      const passed = new Map<string, Map<string, number>>()
      const serve = (): void => {
        const before = order.size
        const run = order.dequeue()
        if (run === undefined) return expect(before).toBe(0)
        void run()
        expect(order.size).toBe(before - 1)
      }
      const served = (tenant: string): void => {
        waiting.set(tenant, (waiting.get(tenant) ?? 0) - 1)
        passed.delete(tenant)
        for (const [other, count] of waiting) {
          if (other === tenant || count === 0) continue
          const turns = passed.get(other) ?? new Map<string, number>()
          passed.set(other, turns.set(tenant, (turns.get(tenant) ?? 0) + 1))
          expect(turns.get(tenant)).toBeLessThanOrEqual(1)
        }
      }
      for (const { tenant, priority, then } of list) {
        waiting.set(tenant, (waiting.get(tenant) ?? 0) + 1)
        order.enqueue(() => Promise.resolve(served(tenant)), { place: place(tenant, priority) })
        for (let turn = 1; turn < then; turn++) serve()
      }
      while (order.size > 0) serve()
      expect([...waiting.values()].filter(count => count !== 0)).toEqual([])
    }),
  )
})

test('inside a tenant the order is by priority, then by arrival, and who leaves changes nothing for the rest', () => {
  const arrivals = fc.array(fc.record({ priority: fc.integer({ min: -2, max: 2 }), leaves: fc.boolean() }), { maxLength: 40 })
  fc.assert(
    fc.property(arrivals, list => {
      const order = new Tenants()
      const out: number[] = []
      const places = list.map(({ priority }, at) => {
        const own = place('t', priority)
        order.enqueue(() => Promise.resolve(out.push(at)), { place: own })
        return own
      })
      list.forEach(({ leaves }, at) => void (leaves && places[at]?.leave?.()))
      for (let run = order.dequeue(); run !== undefined; run = order.dequeue()) void run()
      const expected = list.map(({ priority, leaves }, at) => ({ priority, leaves, at })).filter(({ leaves }) => !leaves).sort((x, y) => y.priority - x.priority || x.at - y.at)
      expect(out).toEqual(expected.map(({ at }) => at))
      expect([order.size, places.filter(({ leave }) => leave !== undefined)]).toEqual([0, []])
    }),
  )
})
