import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { batch } from '../../src/batch.js'
import { GatewayError, type BatchOptions, type CallOptions, type ChatResult } from '../../src/index.js'
import { ask, asks, counted, read, scene, type Ask, type Item } from './batch-scene.js'
import { all, thrown } from './support.js'

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

  it('starts nothing that a slow input still gives', async () => {
    const { clock, gateway, deployment, nothingLeft } = scene()
    const caller = new AbortController()
    let give: (step: IteratorResult<Ask>) => void = () => undefined
    const requests = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<Ask>>(resolve => (give = resolve)) }) }
    const reading = thrown(() => all(gateway.batch(requests, { signal: caller.signal })))
    await clock.advance(0)
    caller.abort()
    give({ done: false, value: ask('too late') })
    expect((await reading).code).toBe('aborted')
    await clock.advance(10)
    expect(deployment.calls).toEqual([])
    nothingLeft()
  })

  it('by leaving the loop waits for calls that take a while to end', async () => {
    const { clock } = scene()
    let open = 0
    const slow = (_: Ask, { signal }: CallOptions) => new Promise<ChatResult>((_resolve, reject) => {
      open++
      signal?.addEventListener('abort', () => clock.after(50, () => (open--, reject(new GatewayError('aborted', 'ended')))))
    })
    const first = { ...(await scene('Hello').gateway.chat(ask('hi'))) }
    const items = batch((request: Ask, options) => (request.messages === 'question 0' ? Promise.resolve(first) : slow(request, options)), asks(5), {})
    await items.next()
    const left = items.return().then(() => open)
    await clock.advance(50)
    expect(await left).toBe(0)
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
