import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Breaker } from '../../src/resilience/breaker.js'
import { Ring } from '../../src/resilience/ring.js'
import { ABORTED, asked, type entered, failed, HandClock, OK } from './support.js'

test('the window agrees with a list of everything, over idle times and wrap-around', () => {
  const windowMs = 60_000
  const width = windowMs / 20
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(fc.nat(2_000), fc.nat(200_000), fc.constant(3_000)), fc.boolean()), { maxLength: 200 }), fc.nat(1e9), (steps, startMs) => {
      const ring = new Ring(windowMs)
      const all: { bucket: number; good: boolean }[] = []
      let nowMs = startMs
      for (const [pauseMs, good] of steps) {
        nowMs += pauseMs
        const bucket = Math.floor(nowMs / width)
        all.push({ bucket, good })
        ring.add(nowMs, good)
        const seen = all.filter(entry => entry.bucket > bucket - 20)
        expect([ring.good, ring.bad]).toEqual([seen.filter(entry => entry.good).length, seen.filter(entry => !entry.good).length])
      }
    }),
  )
})

type Model = { phase: 'closed' | 'open' | 'half' | 'ramp'; row: number; inside: number; limit: number; nextMs: number; epoch: number; mark: number }

test('whatever happens in whatever order, one probe at a time and nobody left inside', () => {
  const step = fc.record({ what: fc.constantFrom('enter', 'ok', 'fail', 'abort', 'commit', 'wait'), at: fc.nat(20), ms: fc.constantFrom(1, 5_000, 15_000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), steps => {
      const clock = new HandClock()
      const breaker = new Breaker({ failureRate: 1, minSamples: 1_000 }, { clock })
      const model: Model = { phase: 'closed', row: 0, inside: 0, limit: 0, nextMs: 0, epoch: 0, mark: 0 }
      const held: { permit: ReturnType<typeof entered>; epoch: number; place: boolean; mark: number }[] = []
      const open = (): void => void Object.assign(model, { phase: 'open', row: 0, inside: 0, limit: 0, nextMs: clock.nowMs + 15_000, epoch: model.epoch + 1 })
      const enter = (): void => {
        if (model.phase === 'open' && clock.nowMs >= model.nextMs) Object.assign(model, { phase: 'half', limit: 1 })
        const may = model.phase === 'closed' || model.inside < model.limit
        const permit = asked(breaker)
        expect('refused' in permit).toBe(!may)
        if ('refused' in permit) return
        if (model.phase !== 'closed') model.inside++
        held.push({ permit, epoch: model.epoch, place: model.phase !== 'closed', mark: model.mark })
      }
      const ended = (what: string, one: (typeof held)[number]): void => {
        one.permit.release(what === 'ok' ? OK : what === 'fail' ? failed('overloaded') : ABORTED)
        if (one.epoch !== model.epoch) return
        if (one.place) model.inside--
        if (what === 'fail') {
          if (model.phase !== 'closed') return open()
          // What began before the last failure that counted says nothing new.
          if (one.mark === model.mark) {
            model.mark++
            model.row++
          }
          return model.row >= 3 ? open() : undefined
        }
        if (what !== 'ok') return
        if (model.phase === 'closed') model.row = 0
        else if (model.limit === 8) Object.assign(model, { phase: 'closed', row: 0 })
        else Object.assign(model, { phase: 'ramp', limit: model.limit * 2 })
      }
      const commit = (one: (typeof held)[number]): void => {
        one.permit.committed?.(1)
        const counts = one.place && one.epoch === model.epoch
        one.place = false
        if (!counts) return
        model.inside--
        if (model.phase === 'half') Object.assign(model, { phase: 'ramp', limit: 1 })
      }
      for (const { what, at, ms } of steps) {
        const one = held[at % Math.max(1, held.length)]
        if (what === 'enter') enter()
        else if (what === 'wait') clock.nowMs += ms
        else if (one !== undefined && what === 'commit') commit(one)
        else if (one !== undefined) {
          held.splice(held.indexOf(one), 1)
          ended(what, one)
        }
        expect(breaker.inside).toBe(model.inside)
      }
      for (const { permit } of held) permit.release(ABORTED)
      expect([breaker.inside, clock.armed]).toEqual([0, 0])
    }),
    { numRuns: 300 },
  )
})
