import 'p-queue'
import { describe, expect, it } from 'vitest'
import { scripted } from '../../src/testing/index.js'
import { ASK, failure, restarts, staged, TEXT } from './support.js'

const slow = (id: string, concurrency: number, latencyMs = 100) => scripted({ id, limits: { concurrency }, answers: { text: TEXT, latencyMs } })

describe('slots', () => {
  it('that are full spill to the next deployment instead of waiting', async () => {
    const [a, b] = [slow('a', 2), slow('b', 5)]
    const scene = staged([a, b])
    const calls = Array.from({ length: 6 }, () => scene.gateway.chat({ model: 'json', messages: ASK }))
    await scene.clock.runUntilIdle()
    const by = (await Promise.all(calls)).map(({ deployment, timings }) => [deployment, timings.totalMs])
    expect(by).toEqual([['a', 100], ['a', 100], ['b', 100], ['b', 100], ['b', 100], ['b', 100]])
    await scene.nothingLeft()
  })

  it('that are all full let calls in one by one, in the order they came', async () => {
    const [a, b] = [slow('a', 1, 100), slow('b', 1, 130)]
    const scene = staged([a, b])
    const done: number[] = []
    const calls = Array.from({ length: 9 }, (_, at) => scene.gateway.chat({ model: 'json', messages: ASK }).then(() => void done.push(at)))
    await scene.clock.runUntilIdle()
    await Promise.all(calls)
    const began = [...a.calls, ...b.calls].map(call => call.startedMs)
    expect(began).toHaveLength(9)
    expect(done.indexOf(8)).toBeGreaterThanOrEqual(7)
    expect(done.slice(0, 2).sort()).toEqual([0, 1])
    for (const [place, call] of done.entries()) expect(Math.abs(place - call)).toBeLessThanOrEqual(1)
    await scene.nothingLeft()
  })

  it('are held until the end of a stream, not until its beginning', async () => {
    const a = scripted({ id: 'a', limits: { concurrency: 1 }, answers: { text: TEXT, chunkMs: 10 } })
    const scene = staged([a])
    const stream = await scene.gateway.stream({ model: 'stream', messages: ASK })
    const second = scene.gateway.chat({ model: 'stream', messages: ASK })
    await scene.clock.advance(5_000)
    expect(a.calls).toHaveLength(1)
    stream.cancel()
    await scene.clock.runUntilIdle()
    expect((await second).text).toBe(TEXT)
    await scene.nothingLeft()
  })

  it('are given back by tries that fail', async () => {
    const a = scripted({ id: 'a', limits: { concurrency: 1 }, answers: [{ fail: { status: 503 } }, { fail: 'cut', text: TEXT }, TEXT] })
    const scene = staged([a])
    expect((await scene.go('chat on a stream')).text).toBe(TEXT)
    expect(scene.gateway.health().deployments[0]?.openAnswers).toBe(0)
    await scene.nothingLeft()
  })

  it('are not waited for by a call that left: the next in line gets its turn', async () => {
    const a = slow('a', 1)
    const scene = staged([a])
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const order: string[] = []
    const first = scene.gateway.chat({ model: 'json', messages: ASK }).then(() => void order.push('first'))
    const second = failure(scene.gateway.chat({ model: 'json', messages: ASK }, { signal: caller.signal }))
    const third = scene.gateway.chat({ model: 'json', messages: ASK }).then(() => void order.push('third'))
    await scene.clock.advance(50)
    caller.abort()
    expect((await second).code).toBe('aborted')
    await scene.clock.runUntilIdle()
    await Promise.all([first, third])
    expect([order, a.calls.length]).toEqual([['first', 'third'], 2])
    await scene.nothingLeft()
  })

  it('let a call in mid-line leave at once, and the line behind it keeps its order', async () => {
    const a = slow('a', 1)
    const scene = staged([a])
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const order: string[] = []
    const chat = (name: string, signal?: AbortSignal) => scene.gateway.chat({ model: 'json', messages: ASK }, signal === undefined ? {} : { signal }).then(() => void order.push(name))
    const others = [chat('holder'), chat('head')]
    const leaving = failure(chat('leaving', caller.signal)).then(error => void order.push(error.code))
    others.push(chat('last'))
    await scene.clock.advance(50)
    caller.abort()
    await scene.clock.advance(0)
    expect(order).toEqual(['aborted'])
    await scene.clock.runUntilIdle()
    await Promise.all([...others, leaving])
    expect([order, a.calls.length]).toEqual([['aborted', 'holder', 'head', 'last'], 3])
    await scene.nothingLeft()
  })

  it('that never free end a waiter by its total deadline, and cost nothing', async () => {
    const a = scripted({ id: 'a', limits: { concurrency: 1 }, answers: { fail: 'silent' } })
    const scene = staged([a], { deadlines: { answerMs: 60_000 } })
    const holder = failure(scene.gateway.chat({ model: 'json', messages: ASK }))
    await scene.clock.advance(1)
    const waiter = failure(scene.gateway.chat({ model: 'json', messages: ASK }, { deadlines: { totalMs: 5_000 } }))
    await scene.clock.advance(5_000)
    expect(await waiter).toMatchObject({ code: 'timeout', deadline: 'total' })
    expect(a.calls).toHaveLength(1)
    await scene.clock.runUntilIdle()
    expect((await holder).code).toBe('timeout')
    await scene.nothingLeft()
  })

  it('of a deployment that is full keep a failed call waiting for it rather than failing it', async () => {
    const a = slow('a', 1)
    const b = scripted({ id: 'b', answers: { fail: { status: 503 } } })
    const scene = staged([a, b])
    const holder = scene.gateway.chat({ model: 'json', messages: ASK })
    const second = scene.gateway.chat({ model: 'json', messages: ASK })
    await scene.clock.runUntilIdle()
    expect([(await holder).deployment, (await second).deployment]).toEqual(['a', 'a'])
    await scene.nothingLeft()
  })

  it('that are taken between two tries of a call cost it a wait, not its answer', async () => {
    const a = scripted({ id: 'a', limits: { concurrency: 1 }, answers: [{ fail: { status: 503 } }, { text: TEXT, latencyMs: 20_000 }, TEXT] })
    const scene = staged([a])
    const first = scene.gateway.chat({ model: 'json', messages: ASK })
    await scene.clock.advance(0)
    const second = scene.gateway.chat({ model: 'json', messages: ASK })
    await scene.clock.runUntilIdle()
    expect([(await first).text, (await second).text, a.calls.length]).toEqual([TEXT, TEXT, 3])
    await scene.nothingLeft()
  })

  it.each(['content_filter', 'invalid_request', 'context_length'] as const)('do not bring a prompt to the deployment that was full after %s', async code => {
    const a = slow('a', 1, 5_000)
    const b = scripted({ id: 'b', answers: { fail: { status: 400, code } } })
    const scene = staged([a, b])
    const holder = scene.gateway.chat({ model: 'json', messages: ASK })
    await scene.clock.advance(1)
    const error = failure(scene.gateway.chat({ model: 'json', messages: ASK }))
    await scene.clock.runUntilIdle()
    expect([(await error).code, (await error).attempts?.map(({ deployment, outcome }) => [deployment, outcome])]).toEqual([code, [['a', 'skipped'], ['b', 'failure'], ['a', 'skipped']]])
    expect(a.calls).toHaveLength(1)
    await holder
    await scene.nothingLeft()
  })

  it('that stay taken over two retries put a deployment in the line once, not twice', async () => {
    const a = scripted({ id: 'a', limits: { concurrency: 1 }, answers: [{ fail: { status: 503 } }, { text: TEXT, latencyMs: 60_000 }] })
    const b = scripted({ id: 'b', answers: { fail: { status: 400, code: 'content_filter' } } })
    const scene = staged([a, b])
    const error = failure(scene.gateway.chat({ model: 'json', messages: ASK }))
    await scene.clock.advance(0)
    const thief = failure(scene.gateway.chat({ model: 'json', messages: ASK }, { deadlines: { answerMs: 10_000 } }))
    await scene.clock.runUntilIdle()
    expect((await error).attempts?.map(({ deployment, outcome }) => [deployment, outcome])).toEqual([['a', 'failure'], ['b', 'failure'], ['a', 'skipped']])
    expect((await thief).code).toBe('content_filter')
    await scene.nothingLeft()
  })

  it('keep a try for the deployment that was full', async () => {
    const a = slow('a', 1, 5_000)
    const b = scripted({ id: 'b', answers: { fail: { status: 503 } } })
    const scene = staged([a, b], { retry: { attempts: 3, maxAttempts: 3 } })
    const holder = scene.gateway.chat({ model: 'json', messages: ASK })
    const second = scene.gateway.chat({ model: 'json', messages: ASK })
    await scene.clock.runUntilIdle()
    expect([(await holder).deployment, (await second).deployment, b.calls.length]).toEqual(['a', 'a', 2])
    await scene.nothingLeft()
  })

  it('that were full at first are no reason to give up a broken stream', async () => {
    const a = slow('a', 1, 5_000)
    const b = scripted({ id: 'b', answers: { text: TEXT, fail: 'stall', failAfter: 5 } })
    const scene = staged([a, b])
    const holder = scene.gateway.chat({ model: 'json', messages: ASK })
    await scene.clock.advance(1)
    const seen = await scene.go('restart')
    expect([seen.text, seen.result?.deployment, restarts(seen)]).toEqual([TEXT, 'a', 1])
    await holder
    await scene.nothingLeft()
  })
})
