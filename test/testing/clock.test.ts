import { setTimeout as realSleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import { virtualClock } from '../../src/testing/clock.js'
import { seededRandom } from '../../src/testing/random.js'

describe('virtualClock', () => {
  it('never moves by itself, and fires nothing unasked', async () => {
    const clock = virtualClock(5000)
    const fired: number[] = []
    clock.after(0, () => fired.push(0))
    await realSleep(5)
    expect([clock.now(), fired, clock.pending]).toEqual([5000, [], 1])
    await clock.advance(0)
    expect([clock.now(), fired, clock.pending]).toEqual([5000, [0], 0])
  })

  it('fires in order of time, then of arming, each at its own time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 20 }), { maxLength: 30 }), fc.nat({ max: 25 }), async (delays, ms) => {
        const clock = virtualClock(0)
        const fired: [number, number][] = []
        delays.forEach((delay, index) => clock.after(delay, () => fired.push([clock.now(), index])))
        await clock.advance(ms)
        const due = delays.map((delay, index): [number, number] => [delay, index]).filter(([delay]) => delay <= ms)
        expect(fired).toEqual(due.sort((a, b) => a[0] - b[0] || a[1] - b[1]))
        expect([clock.now(), clock.pending]).toEqual([ms, delays.length - due.length])
      }),
      { numRuns: 60 },
    )
  })

  it('lets code that awaits many promises get on before the next timer', async () => {
    const clock = virtualClock(0)
    const seen: string[] = []
    const chain = async () => {
      await new Promise<void>(resolve => void clock.after(10, resolve))
      for (let i = 0; i < 50; i++) await Promise.resolve()
      await new Promise<void>(resolve => void setImmediate(resolve))
      seen.push(`chain at ${clock.now()}`)
      clock.after(5, () => seen.push(`armed on the way at ${clock.now()}`))
    }
    void chain()
    clock.after(20, () => seen.push(`later at ${clock.now()}`))
    await clock.advance(20)
    expect(seen).toEqual(['chain at 10', 'armed on the way at 15', 'later at 20'])
  })

  it('does not fire what was cancelled, also by another timer of the same instant', async () => {
    const clock = virtualClock(0)
    const fired: string[] = []
    const b = { cancel: () => undefined as void }
    clock.after(5, () => {
      fired.push('a')
      b.cancel()
    })
    Object.assign(b, clock.after(5, () => fired.push('b')))
    const c = clock.after(1, () => fired.push('c'))
    c.cancel()
    c.cancel()
    expect(clock.pending).toBe(2)
    await clock.advance(10)
    expect([fired, clock.pending]).toEqual([['a'], 0])
  })

  it('adds up advances that are asked for at once', async () => {
    const clock = virtualClock(0)
    const fired: number[] = []
    clock.after(120, () => fired.push(clock.now()))
    await Promise.all([clock.advance(100), clock.advance(50)])
    expect([clock.now(), fired]).toEqual([150, [120]])
  })

  it('hands on what a timer throws, and works on', async () => {
    const clock = virtualClock(0)
    clock.after(1, () => {
      throw new Error('boom')
    })
    await expect(clock.advance(5)).rejects.toThrow('boom')
    await clock.advance(5)
    expect(clock.now()).toBe(6)
  })

  it('runs until idle and stops at the last timer, but not beyond its bound', async () => {
    const clock = virtualClock(0)
    let ticks = 0
    const tick = () => {
      ticks++
      if (ticks < 5) clock.after(100, tick)
    }
    clock.after(100, tick)
    expect(await clock.runUntilIdle(250)).toBe(false)
    expect([ticks, clock.now(), clock.pending]).toEqual([2, 200, 1])
    expect(await clock.runUntilIdle()).toBe(true)
    expect([ticks, clock.now()]).toEqual([5, 500])
  })

  it('refuses to turn time back', async () => {
    const clock = virtualClock(0)
    await expect(clock.advance(-1)).rejects.toSatisfy(GatewayError.is)
    await expect(clock.advance(Number.NaN)).rejects.toSatisfy(GatewayError.is)
    expect(() => virtualClock(Number.NaN)).toThrow(GatewayError)
  })

  it('ends a timer that arms itself again with 0 ms', async () => {
    const clock = virtualClock(0)
    const again = (): void => void clock.after(0, again)
    again()
    await expect(clock.advance(1)).rejects.toThrow('at one instant')
  })
})

describe('seededRandom', () => {
  const draw = (seed: number, count = 1000) => Array.from({ length: count }, seededRandom(seed))

  it('repeats for a seed and differs for its neighbours', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), seed => {
        expect(draw(seed, 20)).toEqual(draw(seed, 20))
        expect(draw(seed, 20)).not.toEqual(draw(seed === Number.MAX_SAFE_INTEGER ? seed - 1 : seed + 1, 20))
      }),
    )
    expect(draw(1, 5)).not.toEqual(draw(1 + 2 ** 32, 5))
  })

  it('stays in [0, 1) and fills it evenly', () => {
    const numbers = draw(7, 20_000)
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...numbers)).toBeLessThan(1)
    const bins = Array.from({ length: 10 }, () => 0)
    for (const number of numbers) bins[Math.floor(number * 10)]!++
    for (const count of bins) expect(Math.abs(count - 2000)).toBeLessThan(200)
    const lagged = numbers.slice(1).reduce((sum, number, i) => sum + (number - 0.5) * (numbers[i]! - 0.5), 0) / numbers.length
    expect(Math.abs(lagged)).toBeLessThan(0.005)
  })

  it('takes only a whole number', () => {
    expect(() => seededRandom(0.5)).toThrow(GatewayError)
    expect(() => seededRandom(Number.NaN)).toThrow(GatewayError)
  })
})
