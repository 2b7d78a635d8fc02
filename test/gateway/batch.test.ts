import { describe, expect, it } from 'vitest'
import { batch } from '../../src/batch.js'
import { Gateway, GatewayError, type BatchProgress } from '../../src/index.js'
import { scripted } from '../../src/testing/index.js'
import { ask, asks, counted, read, scene, type Ask } from './batch-scene.js'
import { all, thrown } from './support.js'

describe('a batch', () => {
  it('of 10,000 keeps to its concurrency, ends every item once, and makes Node warn of nothing', async () => {
    let most = 0
    const deployment = scripted({ id: 'd', answers: () => ((most = Math.max(most, deployment.open)), 'Hello') })
    const gateway = new Gateway({ routes: { smart: deployment } })
    const { seen, requests } = counted(10_000)
    const indices = new Set<number>()
    const warnings: Error[] = []
    const warn = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warn)
    let ahead = 0
    for await (const item of gateway.batch(requests, { concurrency: 50 })) {
      expect(item.ok).toBe(true)
      indices.add(item.index)
      ahead = Math.max(ahead, seen.taken - indices.size)
    }
    expect([indices.size, seen.taken, seen.closed]).toEqual([10_000, 10_000, true])
    process.off('warning', warn)
    expect(warnings).toEqual([])
    expect(most).toBe(50)
    expect(ahead).toBeLessThanOrEqual(100)
    expect([deployment.open, gateway.health().calls]).toEqual([0, 0])
    await gateway.close()
  }, 10_000)

  it('yields results as they end, with the place each had', async () => {
    const { clock, gateway, nothingLeft } = scene(attempt => ({ text: `answer ${attempt}`, latencyMs: 100 - attempt * 20 }))
    const given = asks(4)
    const items = await read(clock, gateway.batch(given, { concurrency: 4 }))
    expect(items.map(({ index }) => index)).toEqual([3, 2, 1, 0])
    for (const item of items) expect([item.request === given[item.index], item.ok && item.result.text]).toEqual([true, `answer ${item.index + 1}`])
    nothingLeft()
  })

  it('takes nothing before it is read, and a reader who stops stops the intake', async () => {
    const { clock, gateway } = scene('Hello')
    const { seen, requests } = counted(1_000)
    const items = gateway.batch(requests, { concurrency: 5 })
    await clock.advance(100)
    expect(seen.taken).toBe(0)
    await items.next()
    await clock.advance(1_000)
    // One was read; five may run and five be unread beyond it.
    expect(seen.taken).toBe(11)
    for (let at = 0; at < 3; at++) await items.next()
    await clock.advance(1_000)
    expect(seen.taken).toBe(14)
    await items.return()
    expect([seen.taken, seen.closed]).toEqual([14, true])
  })

  it('reports an error for its item alone', async () => {
    const { clock, gateway, nothingLeft } = scene(attempt => (attempt % 3 === 0 ? { fail: { status: 503 } } : 'Hello'))
    const items = await read(clock, gateway.batch([...asks(9), { model: 'smart', messages: 7 } as unknown as Ask], { concurrency: 1 }))
    expect(items.map(item => (item.ok ? 'ok' : item.error.code))).toEqual(['ok', 'ok', 'overloaded', 'ok', 'ok', 'overloaded', 'ok', 'ok', 'overloaded', 'invalid_request'])
    nothingLeft()
  })

  it('takes an async input, one item at a time', async () => {
    const { clock, gateway, nothingLeft } = scene()
    let asked = 0
    async function* requests(): AsyncGenerator<Ask> {
      for (let at = 0; at < 20; at++) {
        expect(++asked).toBe(1)
        await new Promise<void>(resolve => clock.after(5, resolve))
        asked--
        yield ask(`question ${at}`)
      }
    }
    expect(await read(clock, gateway.batch(requests(), { concurrency: 4 }))).toHaveLength(20)
    nothingLeft()
  })

  it('of nothing ends', async () => {
    expect(await all(scene().gateway.batch([]))).toEqual([])
  })

  it('gives each item its own options, and one whose options fail an error', async () => {
    const { clock, gateway, nothingLeft } = scene()
    const seen: unknown[] = []
    const plugged = gateway.with({ plugins: [{ name: 'seen', open: call => (seen.push(call.metadata), {}) }] })
    const each = (_: unknown, index: number) => {
      if (index === 1) throw new Error('private')
      return index === 2 ? undefined : { metadata: { row: index } }
    }
    const items = await read(clock, plugged.batch(asks(3), { metadata: { job: 'nightly' }, each }))
    expect(seen).toEqual([{ row: 0 }, { job: 'nightly' }])
    expect(items.find(({ index }) => index === 1)).toMatchObject({ ok: false, error: { code: 'invalid_request' } })
    nothingLeft()
  })

  it('that was forgotten holds nothing up when the gateway is closed, and ends', async () => {
    const { clock, gateway, deployment } = scene()
    const { seen, requests } = counted(1_000)
    const items = gateway.batch(requests, { concurrency: 5 })
    const reading = all(items)
    await clock.advance(5)
    await gateway.close()
    const codes = (await reading).map(item => (item.ok ? 'ok' : item.error.code))
    expect(codes).toEqual(Array.from({ length: codes.length }, () => 'closed'))
    expect(seen.taken).toBeLessThanOrEqual(10)
    expect([seen.closed, deployment.open]).toEqual([true, 0])
  })
})

describe('progress of a batch', () => {
  it('counts what ended, failed, runs, and cost', async () => {
    const price = { input: 1, output: 2 }
    const { clock, gateway } = scene(attempt => (attempt === 2 ? { fail: { status: 503 } } : { text: 'Hello', usage: { inputTokens: 1_000, outputTokens: 500 } }), price)
    const seen: BatchProgress[] = []
    await read(clock, gateway.batch(asks(4), { concurrency: 1, onProgress: progress => void seen.push(progress) }))
    expect(seen).toEqual([
      { done: 1, failed: 0, running: 1, costUsd: 0.002, cached: 0 },
      { done: 2, failed: 1, running: 1, costUsd: 0.002, cached: 0 },
      { done: 3, failed: 1, running: 1, costUsd: 0.004, cached: 0 },
      { done: 4, failed: 1, running: 0, costUsd: 0.006, cached: 0 },
    ])
  })

  it('says null and not a sum that is too small, once a price is unknown', async () => {
    const { clock, gateway } = scene('Hello')
    const costs: (number | null)[] = []
    await read(clock, gateway.batch(asks(2), { onProgress: ({ costUsd }) => void costs.push(costUsd) }))
    expect(costs).toEqual([null, null])
  })

  it('counts what the tries of a failed item cost', async () => {
    const { gateway } = scene('Hello')
    const hello = await gateway.chat(ask('hi'))
    const attempts = [...hello.attempts, ...hello.attempts].map(attempt => ({ ...attempt, costNanos: 3_000 }))
    const costs: (number | null)[] = []
    await all(batch(() => Promise.reject(new GatewayError('overloaded', 'no', { attempts })), asks(2), { concurrency: 1, onProgress: ({ costUsd }) => void costs.push(costUsd) }))
    expect(costs).toEqual([0.000006, 0.000012])
  })

  it.each<[string, () => void]>([
    ['throws', () => { throw new Error('private') }],
    ['rejects', (() => Promise.reject(new Error('private')))],
  ])('that %s breaks nothing', async (_, onProgress) => {
    const { clock, gateway, nothingLeft } = scene()
    expect(await read(clock, gateway.batch(asks(5), { concurrency: 2, onProgress }))).toHaveLength(5)
    nothingLeft()
  })
})

describe('a batch that cannot be made', () => {
  it.each<[string, unknown, object, RegExp]>([
    ['a request alone', ask('hi'), {}, /takes a list/],
    ['a text', 'hi', {}, /takes a list/],
    ['a near option', [], { concurency: 5 }, /Did you mean "concurrency"/],
    ['no concurrency', [], { concurrency: 0 }, /whole number/],
    ['an unknown code', [], { stopOn: ['rate_limitd'] }, /Did you mean "rate_limited"/],
    ['a code alone', [], { stopOn: 'rate_limited' }, /must be a list/],
    ['a bar that is no function', [], { onProgress: 1 }, /must be a function/],
    ['a wrong call option', [], { recover: 'maybe' }, /recover/],
  ])('says what is wrong: %s', async (_, requests, options, words) => {
    const error = await thrown(() => all(scene().gateway.batch(requests as Ask[], options)))
    expect([error.code, error.message]).toEqual(['invalid_request', expect.stringMatching(words)])
  })
})
