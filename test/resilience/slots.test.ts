import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GateCall, Permit } from '../../src/protocol/ports.js'
import { Slots } from '../../src/resilience/slots.js'
import { scripted } from '../../src/testing/index.js'

const deployment = scripted('x')
const CALL: GateCall = { inputTokens: () => 1 }

describe('slots', () => {
  it('count what is open exactly, in any order of entering and leaving, also of permits released twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.tuple(fc.boolean(), fc.nat(20)), { maxLength: 60 }), (concurrency, steps) => {
        const slots = new Slots(concurrency)
        const held: Permit[] = []
        const left: Permit[] = []
        let woken = 0
        const off = slots.onFree(() => void woken++)
        for (const [enters, at] of steps) {
          if (enters) {
            const entered = slots.tryEnter(deployment, CALL)
            expect('refused' in entered).toBe(held.length >= concurrency)
            if (!('refused' in entered)) held.push(entered)
          } else if (held.length > 0) {
            const [permit] = held.splice(at % held.length, 1)
            const before = woken
            permit?.release({ outcome: 'success', durationMs: 1 })
            expect(woken).toBe(before + 1)
            if (permit !== undefined) left.push(permit)
          }
          for (const permit of left.slice(0, 2)) permit.release({ outcome: 'failure', durationMs: 1 })
          expect(slots.open).toBe(held.length)
        }
        for (const permit of held) permit.release({ outcome: 'neutral', durationMs: 1 })
        off()
        expect(slots.open).toBe(0)
      }),
    )
  })
})
