import { expect, test } from 'vitest'
import type { Gate } from '../../src/protocol/ports.js'
import { enter, isPermits } from '../../src/resilience/gates.js'
import type { Live } from '../../src/resilience/live.js'
import { Slots } from '../../src/resilience/slots.js'
import { Windows } from '../../src/resilience/windows.js'
import { CALL, deployment, entered, HandClock, OK, refused } from './support.js'

const live = (...gates: Gate[]): Live => ({ deployment, upstream: { open: () => Promise.reject(new Error('not here')) }, keys: undefined, gates, price: undefined, stats: () => ({ inFlight: 0, failures: 0, stuckMs: 0 }) })

test('a call that one gate refuses costs nothing at the others and wakes nobody', () => {
  const windows = new Windows({ requestsPerMinute: 5 }, { clock: new HandClock() })
  const slots = new Slots(1)
  const both = live(windows, slots)
  const permits = enter(both, CALL)
  let woken = 0
  // As a line does: it tries again whenever it is woken.
  for (const gate of both.gates) gate.onFree(() => (woken++, isPermits(enter(both, CALL))))
  for (let i = 0; i < 10; i++) expect(enter(both, CALL)).toMatchObject({ refused: 'queue_full', reason: 'all 1 slots are taken (limits.concurrency)' })
  expect([woken, windows.state().requests]).toEqual([0, 1])
  if (isPermits(permits)) for (const permit of permits) permit.release(OK)
  expect([woken, windows.state().requests, slots.open]).toEqual([2, 2, 1])
})

test('a slot that is released twice is free once', () => {
  const slots = new Slots(2)
  const [first] = [entered(slots), entered(slots)]
  first?.release(OK)
  first?.release(OK)
  expect(slots.open).toBe(1)
  entered(slots)
  refused(slots)
})
