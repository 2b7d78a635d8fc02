import { describe, expect, it } from 'vitest'
import { countedClock, leftovers } from './left-behind.js'
import { mirror } from '../../src/index.js'
import { scripted } from '../../src/testing/index.js'
import { ASK, failure, pair, staged, TEXT } from './support.js'

describe('the look at what is left behind', () => {
  it('sees calls, timers, tries, slots, gates and listeners that are still held', async () => {
    const scene = pair({ text: TEXT, chunkMs: 10 }, { primary: { limits: { concurrency: 2 } } })
    const caller = new AbortController()
    const stream = await scene.gateway.stream({ model: 'stream', messages: ASK }, { signal: caller.signal })
    const left = leftovers({ gateway: scene.gateway, clock: scene.clock, deployments: scene.deployments, signals: [caller.signal] })
    expect(left).toMatchObject({ calls: 1, 'tries of primary': 1, 'slots of primary': 1, 'latencies of primary': 1, 'told limit of primary': 1, 'listeners of signal 0': 1 })
    expect(left['timers']).toBeGreaterThan(0)
    stream.cancel()
    expect(leftovers({ gateway: scene.gateway, clock: scene.clock, deployments: scene.deployments, signals: [caller.signal] })).toEqual({})
    expect((await failure(stream.result())).code).toBe('aborted')
    await scene.nothingLeft()
  })

  it('sees places under a limit that was learned, and copies under way', async () => {
    const [main, shadow] = [scripted({ id: 'main', answers: [{ fail: { status: 429 } }, { text: TEXT, latencyMs: 1_000 }] }), scripted({ id: 'shadow', answers: { text: TEXT, latencyMs: 10 } })]
    const scene = staged([main, shadow], {}, mirror(main, shadow))
    const chat = scene.gateway.chat({ model: 'json', messages: ASK })
    await scene.clock.advance(0)
    expect(leftovers(scene)).toMatchObject({ shadows: 1, 'latencies of shadow': 1 })
    await scene.clock.advance(600)
    expect(leftovers(scene)).toMatchObject({ 'learned limit of main': 1, 'told limit of main': 1 })
    await scene.clock.runUntilIdle()
    expect((await chat).text).toBe(TEXT)
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
