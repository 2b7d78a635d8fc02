import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { fallback, Gateway, type BatchItem, type BatchOptions, type BatchProgress, type ChatRequest } from '../../src/index.js'
import { scripted, virtualClock, type Script, type ScriptedOptions } from '../../src/testing/index.js'
import { all, thrown } from './support.js'

type Ask = ChatRequest<'smart'>
type Item = BatchItem<Ask>
const ask = (text: string): Ask => ({ model: 'smart', messages: text })
const asks = (count: number): Ask[] => Array.from({ length: count }, (_, at) => ask(`question ${at}`))

/** A source that counts what was taken from it, and whether it was closed. */
function counted(count: number) {
  const seen = { taken: 0, closed: false }
  function* requests(): Generator<Ask> {
    try {
      for (let at = 0; at < count; at++) {
        seen.taken++
        yield ask(`question ${at}`)
      }
    } finally {
      seen.closed = true
    }
  }
  return { seen, requests: requests() }
}

function scene(answers: Script | ScriptedOptions['answers'] = { text: 'Hello', latencyMs: 10 }, price?: ScriptedOptions['price']) {
  const deployment = scripted({ id: 'd', answers, ...(price && { price }) })
  const clock = virtualClock()
  const gateway = new Gateway({ routes: { smart: fallback(deployment) }, clock, retry: { attempts: 1 } })
  return { deployment, clock, gateway, nothingLeft: () => expect([deployment.open, clock.pending, gateway.health().calls]).toEqual([0, 0, 0]) }
}

/** Reads to the end while time passes. */
async function read(clock: ReturnType<typeof virtualClock>, items: AsyncIterable<Item>): Promise<Item[]> {
  const reading = all(items)
  let over = false
  void reading.then(
    () => (over = true),
    () => (over = true),
  )
  for (let round = 0; round < 1_000 && !over; round++) await clock.advance(10)
  return reading
}

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

  it.each<[string, () => void]>([
    ['throws', () => { throw new Error('private') }],
    ['rejects', (() => Promise.reject(new Error('private')))],
  ])('that %s breaks nothing', async (_, onProgress) => {
    const { clock, gateway, nothingLeft } = scene()
    expect(await read(clock, gateway.batch(asks(5), { concurrency: 2, onProgress }))).toHaveLength(5)
    nothingLeft()
  })
})

describe('the end of a batch', () => {
  it('by its signal aborts what runs, reports every item that was started, and is an error', async () => {
    const { clock, gateway, nothingLeft } = scene(attempt => ({ text: 'Hello', latencyMs: attempt <= 2 ? 10 : 1_000 }))
    const caller = new AbortController()
    const { seen, requests } = counted(100)
    const items: Item[] = []
    const reading = thrown(async () => {
      for await (const item of gateway.batch(requests, { concurrency: 4, signal: caller.signal })) items.push(item)
    })
    await clock.advance(50)
    expect(items).toHaveLength(2)
    caller.abort()
    expect(await reading).toMatchObject({ code: 'aborted', origin: 'caller' })
    expect(items.map(item => (item.ok ? 'ok' : item.error.code))).toEqual(['ok', 'ok', 'aborted', 'aborted', 'aborted', 'aborted'])
    expect([seen.taken, seen.closed, getEventListeners(caller.signal, 'abort').length]).toEqual([6, true, 0])
    nothingLeft()
  })

  it('before it began, by a signal that was aborted, takes nothing', async () => {
    const { gateway, nothingLeft } = scene()
    const { seen, requests } = counted(10)
    expect((await thrown(() => all(gateway.batch(requests, { signal: AbortSignal.abort() })))).code).toBe('aborted')
    expect(seen.taken).toBe(0)
    nothingLeft()
  })

  it('by leaving the loop aborts what runs and closes the input', async () => {
    const { clock, gateway, nothingLeft } = scene(attempt => ({ text: 'Hello', latencyMs: attempt === 1 ? 10 : 60_000 }))
    const caller = new AbortController()
    const { seen, requests } = counted(100)
    const reading = (async () => {
      for await (const item of gateway.batch(requests, { concurrency: 4, signal: caller.signal })) if (item.ok) break
    })()
    await clock.advance(10)
    await reading
    expect([seen.closed, getEventListeners(caller.signal, 'abort').length]).toEqual([true, 0])
    nothingLeft()
  })

  it('does not wait for an input that never answers', async () => {
    const { clock, gateway, nothingLeft } = scene()
    async function* requests(): AsyncGenerator<Ask> {
      yield ask('the only one')
      await new Promise(() => undefined)
    }
    const reading = (async () => {
      for await (const item of gateway.batch(requests())) if (item.ok) break
    })()
    await clock.advance(10)
    await reading
    nothingLeft()
  })

  it.each<[string, BatchOptions<Ask>['stopOn']]>([
    ['a code', ['quota_exhausted']],
    ['a judgement', error => error.status === 402],
  ])('by stopOn with %s starts nothing new and finishes what runs', async (_, stopOn) => {
    const { clock, gateway, nothingLeft } = scene(attempt => (attempt === 3 ? { fail: { status: 402 }, latencyMs: 5 } : { text: 'Hello', latencyMs: 10 }))
    const { seen, requests } = counted(100)
    const items = await read(clock, gateway.batch(requests, { concurrency: 4, ...(stopOn && { stopOn }) }))
    expect(items.map(item => (item.ok ? 'ok' : item.error.code))).toEqual(['quota_exhausted', 'ok', 'ok', 'ok'])
    expect([seen.taken, seen.closed]).toEqual([4, true])
    nothingLeft()
  })

  it.each(['sync', 'async'])('by an input that fails (%s) comes after what runs, with the cause', async kind => {
    const { clock, gateway, nothingLeft } = scene()
    function* some(): Generator<Ask> {
      yield* asks(3)
      throw new Error('the file is gone')
    }
    const items: Item[] = []
    const requests = kind === 'sync' ? some() : (async function* () { yield* some() })()
    const reading = thrown(async () => {
      for await (const item of gateway.batch(requests, { concurrency: 5 })) items.push(item)
    })
    await clock.advance(10)
    expect(await reading).toMatchObject({ code: 'invalid_request', cause: { message: 'the file is gone' } })
    expect(items.map(({ ok }) => ok)).toEqual([true, true, true])
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
