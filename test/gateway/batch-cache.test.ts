import { describe, expect, it } from 'vitest'
import { Gateway, keyvCache, type BatchProgress, type CacheOptions, type CallRecord } from '../../src/index.js'
import { scripted, virtualClock, type ScriptedOptions } from '../../src/testing/index.js'
import { Keyv } from 'keyv'
import { leftovers } from '../compositions/left-behind.js'
import { ask, asks, read, type Ask } from './batch-scene.js'
import { thrown, witness } from './support.js'

const SIZE = 200
const price = { input: 1, output: 1 }

function scene(cache: true | CacheOptions, answers: ScriptedOptions['answers'] = (_, request) => ({ text: `to ${String(request.messages[0]?.content)}`, latencyMs: 10 })) {
  const target = scripted({ id: 'd', price, answers })
  const [clock, seen] = [virtualClock(), witness()]
  const gateway = new Gateway({ routes: { smart: target }, clock, cache, chatWire: 'stream', retry: { attempts: 1 }, plugins: [seen] })
  return { target, clock, gateway, records: seen.records, nothingLeft: () => expect(leftovers({ gateway, clock, deployments: [target] })).toEqual({}) }
}
const paid = (records: readonly CallRecord[]): number => records.reduce((all, { costNanos }) => all + (costNanos ?? NaN), 0)

describe('a batch that was stopped', () => {
  it.each(['in the memory of one gateway', 'in a store, by another gateway'] as const)('and runs again asks only for what is missing: %s', async where => {
    const store = keyvCache(new Keyv())
    const first = scene(where === 'in the memory of one gateway' ? true : { store })
    const stop = new AbortController()
    let done = 0
    const error = thrown(async () => {
      for await (const item of first.gateway.batch(asks(SIZE), { concurrency: 8, signal: stop.signal })) if (item.ok && ++done === SIZE / 2) stop.abort()
    })
    await first.clock.advance(1_000)
    expect((await error).code).toBe('aborted')
    first.nothingLeft()
    const kept = first.gateway.health().cache?.kept ?? 0
    expect([kept >= SIZE / 2, kept < SIZE]).toEqual([true, true])
    const cost = paid(first.records)

    let second = first
    if (where !== 'in the memory of one gateway') {
      await first.gateway.close()
      second = scene({ store })
    }
    const before = second.target.calls.length
    const told: BatchProgress[] = []
    const items = await read(second.clock, second.gateway.batch(asks(SIZE), { concurrency: 8, onProgress: progress => void told.push(progress) }))
    expect(items.map(({ index, ok }) => [index, ok]).sort(([a], [b]) => Number(a) - Number(b))).toEqual(asks(SIZE).map((_, index) => [index, true]))
    for (const item of items) expect(item.ok && item.result.text).toBe(`to question ${item.index}`)
    expect(second.target.calls.length - before).toBe(SIZE - kept)
    expect(told.at(-1)).toMatchObject({ done: SIZE, failed: 0, cached: kept })
    expect((told.at(-1)?.costUsd ?? NaN) * 1e9).toBeCloseTo(paid(second.records) - (second === first ? cost : 0), 0)
    second.nothingLeft()
  })

  it('by a reader who left, too', async () => {
    const { gateway, target, clock, nothingLeft } = scene(true)
    const items = gateway.batch(asks(SIZE), { concurrency: 8 })
    const reading = (async () => {
      let seen = 0
      for await (const _ of items) if (++seen === 50) break
    })()
    await clock.advance(1_000)
    await reading
    nothingLeft()
    const kept = gateway.health().cache?.kept ?? 0
    const before = target.calls.length
    await read(clock, gateway.batch(asks(SIZE), { concurrency: 8 }))
    expect(target.calls.length - before).toBe(SIZE - kept)
  })

  it('because some failed: only those are asked again', async () => {
    let well = false
    const { gateway, target, clock } = scene(true, (_, request) => (!well && /[05]$/.test(String(request.messages[0]?.content)) ? { fail: { status: 400 } } : 'Hello'))
    const first = await read(clock, gateway.batch(asks(SIZE), { concurrency: 8 }))
    expect([first.filter(({ ok }) => !ok).length, target.calls.length]).toEqual([SIZE / 5, SIZE])
    well = true
    const second = await read(clock, gateway.batch(asks(SIZE), { concurrency: 8 }))
    expect([second.every(({ ok }) => ok), target.calls.length]).toEqual([true, SIZE + SIZE / 5])
  })
})

describe('a batch with repeats', () => {
  const same = (count: number): Ask[] => Array.from({ length: count }, () => ask('the same'))

  it('asks once for what is the same, and its cost is that of one', async () => {
    const { gateway, target, clock, records, nothingLeft } = scene(true)
    const told: BatchProgress[] = []
    const items = await read(clock, gateway.batch(same(30), { concurrency: 10, onProgress: progress => void told.push(progress) }))
    expect([items.every(({ ok }) => ok), target.calls.length]).toEqual([true, 1])
    expect(told.at(-1)).toMatchObject({ done: 30, cached: 29, costUsd: paid(records) / 1e9 })
    nothingLeft()
  })

  it('that fail together counts what the try cost once', async () => {
    const { gateway, target, clock, records, nothingLeft } = scene(true, { chunks: ['a', 'b', 'c', 'd'], latencyMs: 10, fail: 'cut' })
    const told: BatchProgress[] = []
    await read(clock, gateway.batch(same(10), { concurrency: 10, onProgress: progress => void told.push(progress) }))
    expect([target.calls.length, paid(records) > 0]).toEqual([1, true])
    expect(told.at(-1)).toMatchObject({ done: 10, failed: 10, costUsd: paid(records) / 1e9 })
    nothingLeft()
  })

  it('can be told to ask for each', async () => {
    const { gateway, target, clock } = scene(true)
    await read(clock, gateway.batch(same(10), { concurrency: 10, cache: false }))
    expect(target.calls).toHaveLength(10)
  })
})
