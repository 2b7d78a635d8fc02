import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Flight } from '../../src/pipeline/flight.js'
import { Flights, Shared, type SharedEnd } from '../../src/pipeline/shared.js'
import type { Opening } from '../../src/pipeline/source.js'
import { GatewayError } from '../../src/protocol/errors.js'
import { Cancel } from '../../src/resilience/cancel.js'
import { virtualClock } from '../../src/testing/clock.js'
import { Caller, cut, FINISH, gone, RESTART, say, turn, under, Upstream } from './cache-shared-support.js'

describe('identical calls are one flight', () => {
  test('read once for everybody who waits, each at its own pace, and over for all with the finish', async () => {
    const { upstream, all: [a, b], flights, ends } = await under(2)
    a.read()
    b.read()
    expect(upstream.reads).toBe(1)
    upstream.tell([say('1')])
    a.read()
    upstream.tell([say('2')])
    a.read()
    upstream.tell([say('3'), FINISH])
    expect(a.told).toEqual(['1', '2', '3finish'])
    b.read().read()
    expect(b.told).toEqual(['1', '23finish', 'end'])
    expect([upstream.reads, upstream.ended, flights.size, a.cancel.listening, b.cancel.listening]).toEqual([3, [], 0, 0, 0])
    expect(ends).toEqual([{ answer: [{ atMs: 0, events: [say('1')] }, { atMs: 0, events: [say('2')] }, { atMs: 0, events: [say('3'), FINISH] }] }])
  })

  test('who comes later gets all that was said, and after the end there is nothing to join', async () => {
    const { upstream, all: [a], join } = await under()
    a.read()
    upstream.tell([say('1')])
    const late = join()
    await turn()
    expect([late.opened, late.seat.joined, a.seat.joined]).toEqual(['yes', true, false])
    late.read().read()
    upstream.tell([FINISH])
    expect(late.told).toEqual(['1', 'finish'])
    expect(join().seat.leads).toBe(true)
  })

  test('a fault is told to all, after what had been said', async () => {
    const { upstream, all: [a, b], ends, flights } = await under(2)
    a.read()
    upstream.tell([say('1')])
    a.read()
    upstream.tell(undefined, cut)
    b.read().read()
    expect([a.told, b.told]).toEqual([['1', 'network'], ['1', 'network']])
    expect([ends, upstream.ended, flights.size, a.cancel.listening, b.cancel.listening]).toEqual([[{ fault: cut }], [], 0, 0, 0])
  })

  test('a flight that fails to open fails for all who wait', async () => {
    const flights = new Flights(virtualClock())
    const ends: SharedEnd[] = []
    const [a, b] = [new Caller(flights, ends).open(), new Caller(flights, ends).open()]
    const upstream = new Upstream()
    a.seat.start(upstream, upstream.cancel)
    upstream.fail(cut)
    await turn()
    const late = a.open()
    await turn()
    expect([late.opened, b.opened, flights.size, ends]).toEqual(['network', 'network', 0, [{ fault: cut }]])
  })
})

describe('who leaves', () => {
  test('ends nothing while others wait; the last one ends the flight, once', async () => {
    const { upstream, all: [a, b], ends, flights } = await under(2)
    a.read()
    b.read()
    a.cancel.cancel(gone)
    expect([a.told, upstream.ended, upstream.cancel.reason]).toEqual([['aborted'], [], undefined])
    upstream.tell([say('1')])
    expect(b.told).toEqual(['1'])
    b.read()
    b.seat.end(gone)
    b.seat.end(cut)
    expect(b.told).toEqual(['1', 'aborted'])
    expect([upstream.ended, upstream.cancel.reason, ends, flights.size]).toEqual([[gone], gone, [{ fault: gone }], 0])
    b.read()
    expect(b.told.at(-1)).toBe('aborted')
  })

  test('before commit: the last one ends what is being opened', async () => {
    const flights = new Flights(virtualClock())
    const ends: SharedEnd[] = []
    const a = new Caller(flights, ends).open()
    const upstream = new Upstream()
    a.seat.start(upstream, upstream.cancel)
    const b = new Caller(flights, ends).open()
    a.cancel.cancel(gone)
    b.cancel.cancel(gone)
    await turn()
    expect([a.opened, b.opened, upstream.cancel.reason, ends.length, flights.size]).toEqual(['yes', 'aborted', gone, 1, 0])
  })

  test('before anything was opened: the next in line opens it, so that one refusal is not the refusal of all', async () => {
    const flights = new Flights(virtualClock())
    const ends: SharedEnd[] = []
    const [a, b, c] = [new Caller(flights, ends), new Caller(flights, ends).open(), new Caller(flights, ends).open()]
    expect([a.seat.leads, b.seat.leads]).toEqual([true, false])
    a.seat.end(new GatewayError('refused', 'no money'))
    await turn()
    expect([b.opened, b.seat.leads, b.seat.pays, c.opened]).toEqual(['yes', true, true, 'no'])
    expect(() => a.seat.start(new Upstream(), new Cancel())).toThrow('no money')
    const upstream = new Upstream()
    b.seat.start(upstream, upstream.cancel)
    upstream.commit()
    await turn()
    expect([c.opened, ends]).toEqual(['yes', []])
    b.seat.end(gone)
    c.seat.end(gone)
    expect(ends).toHaveLength(1)
  })

  test('without having opened anything leaves nothing', () => {
    const flights = new Flights(virtualClock())
    const ends: SharedEnd[] = []
    new Caller(flights, ends).seat.end(gone)
    expect([flights.size, ends]).toEqual([0, []])
  })

  test('passes the bill on, so that exactly one call pays', async () => {
    const { upstream, all: [a, b, c] } = await under(3)
    const payers = () => [a, b, c].map(caller => caller.seat.pays)
    expect(payers()).toEqual([true, false, false])
    b.seat.end(gone)
    a.seat.end(gone)
    expect(payers()).toEqual([false, false, true])
    c.seat.end(gone)
    expect(payers()).toEqual([false, false, true])
    expect(upstream.ended).toHaveLength(1)
  })
})

describe('what cannot be given again closes the flight to new callers', () => {
  test('a restart, which the readers it has still see', async () => {
    const { upstream, all: [a, b], join, ends } = await under(2)
    for (const batch of [[say('1')], [RESTART], [say('2')], [FINISH]]) {
      a.read()
      upstream.tell(batch)
    }
    b.read().read()
    expect(b.told).toEqual(['1', 'restart2finish'])
    expect(ends).toEqual([{}])
    const other = join()
    expect(other.seat.joined).toBe(false)
  })

  test('more than it holds for others, which is dropped once everybody has it', async () => {
    const { upstream, all: [a, b], join } = await under(2)
    const long = say('x'.repeat(3_000_000))
    for (let i = 0; i < 3; i++) {
      a.read()
      upstream.tell([long])
      b.read()
    }
    expect(join().seat.joined).toBe(false)
    a.read()
    upstream.tell([say('end'), FINISH])
    b.read()
    expect(a.told).toHaveLength(4)
    expect(b.told.join('')).toBe(a.told.join(''))
  })

  test('and a long answer that one caller reads is not held at all', async () => {
    const shared = new Shared(virtualClock(), () => undefined)
    const seat = shared.join(new Cancel())
    const upstream = new Upstream()
    seat?.start(upstream, upstream.cancel)
    for (let i = 0; i < 6; i++) {
      seat?.read(() => undefined)
      upstream.tell([say('x'.repeat(3_000_000))])
    }
    expect(shared.holding).toBe(1)
  })

  test('a reader that cannot take back what it was given holds the flight to it, also before it is opened', async () => {
    const flights = new Flights(virtualClock())
    const a = new Caller(flights, [])
    const upstream = new Upstream()
    a.seat.holdToWhatWasSaid()
    a.seat.start(upstream, upstream.cancel)
    expect(upstream.held).toBe(true)
  })

  test('a call without a key shares with nobody', () => {
    const flights = new Flights(virtualClock())
    const [a, b] = [new Caller(flights, [], ''), new Caller(flights, [], '')]
    expect([a.seat.leads, b.seat.leads, flights.size]).toEqual([true, true, 0])
  })

  test('a call that was aborted gets no seat', () => {
    const flights = new Flights(virtualClock())
    const cancel = new Cancel()
    cancel.cancel(gone)
    expect(() => flights.seat('k', cancel, () => undefined)).toThrow(gone)
    expect(flights.size).toBe(0)
  })
})

test('a flight can be shared as it is', () => expectTypeOf<Flight>().toExtend<Opening>())
