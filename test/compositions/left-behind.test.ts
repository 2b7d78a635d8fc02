import { describe, expect, it } from 'vitest'
import { countedClock, leftovers } from './left-behind.js'
import { ASK, failure, pair, TEXT } from './support.js'

describe('the look at what is left behind', () => {
  it('sees calls, timers, tries, slots and listeners that are still held', async () => {
    const scene = pair({ text: TEXT, chunkMs: 10 }, { primary: { limits: { concurrency: 2 } } })
    const caller = new AbortController()
    const stream = await scene.gateway.stream({ model: 'stream', messages: ASK }, { signal: caller.signal })
    const left = leftovers({ gateway: scene.gateway, clock: scene.clock, deployments: scene.deployments, signals: [caller.signal] })
    expect(left).toMatchObject({ calls: 1, 'tries of primary': 1, 'slots of primary': 1, 'listeners of signal 0': 1 })
    expect(left['timers']).toBeGreaterThan(0)
    stream.cancel()
    expect(leftovers({ gateway: scene.gateway, clock: scene.clock, deployments: scene.deployments, signals: [caller.signal] })).toEqual({})
    expect((await failure(stream.result())).code).toBe('aborted')
    await scene.nothingLeft()
  })

  it('counts the timers of a real clock', () => {
    const clock = countedClock()
    const timer = clock.after(60_000, () => undefined)
    expect(clock.pending).toBe(1)
    timer.cancel()
    expect(clock.pending).toBe(0)
  })
})
