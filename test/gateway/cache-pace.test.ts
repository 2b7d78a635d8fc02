import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { ChatStream } from '../../src/index.js'
import type { VirtualClock } from '../../src/testing/index.js'
import { ask, scene, USAGE } from './cache-scene.js'
import { all } from './support.js'

const SLOW = { chunks: ['a', 'b', 'c', 'd'], usage: USAGE, latencyMs: 500, firstEventMs: 200, chunkMs: 100 }
const at = (text: string) => text.slice(0, 1)

/** Each piece with the milliseconds since it was asked for. */
async function timed(clock: VirtualClock, opening: Promise<ChatStream>): Promise<readonly (readonly [number, string])[]> {
  const startMs = clock.now()
  const told: (readonly [number, string])[] = []
  const reading = (async () => {
    for await (const event of await opening) if (event.type === 'text-delta' || event.type === 'finish') told.push([clock.now() - startMs, event.type === 'finish' ? 'end' : event.text])
  })()
  await clock.runUntilIdle()
  await reading
  return told
}

describe('a stream from the cache', () => {
  it('comes at once, all of it', async () => {
    const { gateway, clock, nothingLeft } = scene({ answers: SLOW })
    expect(await timed(clock, gateway.stream(ask()))).toEqual([[700, 'a'], [800, 'b'], [900, 'c'], [1_000, 'd'], [1_000, 'end']])
    expect(await timed(clock, gateway.stream(ask()))).toEqual([[0, 'a'], [0, 'b'], [0, 'c'], [0, 'd'], [0, 'end']])
    nothingLeft()
  })

  it('or with the pauses it had, but not the wait before it', async () => {
    const { gateway, clock, nothingLeft, records } = scene({ answers: SLOW, cache: { replay: 'recorded' } })
    await timed(clock, gateway.stream(ask()))
    expect(await timed(clock, gateway.stream(ask()))).toEqual([[0, 'a'], [100, 'b'], [200, 'c'], [300, 'd'], [300, 'end']])
    expect(records.map(({ firstEventMs, totalMs }) => [firstEventMs, totalMs])).toEqual([[700, 1_000], [0, 300]])
    nothingLeft()
  })

  it('is at once for a chat, and of one piece after a chat', async () => {
    const { gateway, clock, chat } = scene({ answers: SLOW, cache: { replay: 'recorded' } })
    await timed(clock, gateway.stream(ask()))
    expect((await chat()).timings).toMatchObject({ firstEventMs: 0, totalMs: 0 })
    const other = chat(ask('other'))
    await clock.runUntilIdle()
    await other
    expect((await timed(clock, gateway.stream(ask('other')))).map(([ms]) => ms)).toEqual([0, 0, 0, 0, 0])
  })

  it.each(['break', 'cancel', 'abort', 'deadline', 'close'] as const)('ends by %s in mid-pause and leaves no timer', async how => {
    const { gateway, clock, nothingLeft, records } = scene({ answers: SLOW, cache: { replay: 'recorded' } })
    await timed(clock, gateway.stream(ask()))
    const caller = new AbortController()
    const stream = await gateway.stream(ask(), { signal: caller.signal, deadlines: { totalMs: how === 'deadline' ? 150 : 10_000 } })
    const reading = all(stream).then(() => 'whole', (error: { code: string }) => error.code)
    await clock.advance(140)
    if (how === 'break') await stream[Symbol.asyncDispose]()
    if (how === 'cancel') stream.cancel()
    if (how === 'abort') caller.abort()
    if (how === 'close') await gateway.close()
    await clock.advance(20)
    expect(await reading).toBe({ break: 'aborted', cancel: 'aborted', abort: 'aborted', deadline: 'timeout', close: 'closed' }[how])
    nothingLeft()
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
    expect(records.at(-1)).toMatchObject({ cached: 'hit', costNanos: 0, outcome: how === 'deadline' || how === 'close' ? 'failure' : 'aborted' })
  })

  it('that nobody reads is let go of at its total deadline', async () => {
    const { gateway, clock, nothingLeft, records } = scene({ answers: SLOW, cache: { replay: 'recorded' } })
    await timed(clock, gateway.stream(ask()))
    await gateway.stream(ask())
    await clock.runUntilIdle()
    nothingLeft()
    expect([records.length, at(records.at(-1)?.outcome ?? '')]).toEqual([2, 'f'])
  })
})
