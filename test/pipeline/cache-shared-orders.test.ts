import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChatEvent } from '../../src/protocol/events.js'
import { Caller, cut, FINISH, gone, RESTART, say, turn, under } from './cache-shared-support.js'

describe('whatever the order of joining, reading, leaving and faults', () => {
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.constant({ do: 'join' as const }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('read' as const), who: fc.nat(9), again: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('tell' as const), size: fc.integer({ min: 1, max: 3 }), big: fc.boolean(), restart: fc.constant(false) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.constantFrom({ do: 'fault' as const }, { do: 'finish' as const }, { do: 'restart' as const }) },
  )

  test('every reader sees a prefix of one sequence, one end is told, one call pays, nothing is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const { upstream, all, flights, ends } = await under(1)
        const first = all[0]
        const shared = [{ caller: first, seen: [] as ChatEvent[], waits: false, fault: false, end: false }]
        const said: ChatEvent[] = []
        const read = (reader: (typeof shared)[number], again: boolean): void => {
          if (reader.waits) return
          reader.waits = true
          reader.caller.seat.read((batch, fault) => {
            reader.waits = false
            if (fault !== undefined) reader.fault = true
            else if (batch === undefined) reader.end = true
            else {
              reader.seen.push(...batch)
              if (again) read(reader, false)
            }
          })
        }
        const tell = (batch: ChatEvent[]) => {
          if (!upstream.asked) return
          said.push(...batch)
          upstream.tell(batch)
        }
        for (const one of steps) {
          if (one.do === 'join') {
            if (flights.size === 0) continue
            shared.push({ caller: new Caller(flights, ends).open(), seen: [], waits: false, fault: false, end: false })
          } else if (one.do === 'read') read(shared[one.who % shared.length] as (typeof shared)[number], one.again)
          else if (one.do === 'leave') (shared[one.who % shared.length] as (typeof shared)[number]).caller.seat.end(gone)
          else if (one.do === 'fault') upstream.tell(undefined, cut)
          else if (one.do === 'finish') tell([say(`${said.length}`), FINISH])
          else if (one.do === 'restart') tell([RESTART])
          else tell(Array.from({ length: one.size }, (_, i) => say(`${said.length + i} ${one.big ? 'x'.repeat(1_500_000) : ''}`)))
          for (const { seen } of shared) expect(seen.every((event, i) => event === said[i])).toBe(true)
          expect(shared.filter(({ caller }) => caller.seat.pays)).toHaveLength(1)
        }
        for (const { caller } of shared) caller.seat.end(gone)
        await turn()
        expect(ends).toHaveLength(1)
        expect(upstream.ended.length).toBe(ends[0]?.fault === gone ? 1 : 0)
        expect(flights.size).toBe(0)
        for (const { caller, waits } of shared) expect([caller.cancel.listening, waits]).toEqual([0, false])
      }),
      { numRuns: 400 },
    )
  })
})
