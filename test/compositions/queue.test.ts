import 'p-queue'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { GatewayError } from '../../src/index.js'
import { scripted, virtualClock, type ScriptedDeployment, type VirtualClock } from '../../src/testing/index.js'
import { ASK, failure, ORDERS, pair, staged, TEXT, THREE, until, wired, type Pair, type StageOptions } from './support.js'

const DOWN = { fail: { status: 503 } } as const
const CHAT = { model: 'json', messages: ASK }

/** Two deployments that are down for so long from the start of the clock, and answer in 100 ms after it. */
function downFor(outageMs: number, options: StageOptions = {}): Pair & { readonly clock: VirtualClock; readonly backMs: number } {
  const clock = virtualClock()
  const backMs = clock.now() + outageMs
  const answers = () => (clock.now() < backMs ? DOWN : { text: TEXT, latencyMs: 100 })
  return { ...pair(answers, { backup: answers, options: { queue: true, ...options, clock } }), backMs }
}

/** Tries of a deployment that began in this time. */
const began = ({ calls }: ScriptedDeployment, fromMs: number, toMs: number): number => calls.filter(({ startedMs }) => startedMs >= fromMs && startedMs < toMs).length
const states = ({ gateway }: Pick<Pair, 'gateway'>): readonly string[] => gateway.health().deployments.map(({ state }) => state)

describe('an outage of every target with a queue', () => {
  it.each(THREE)('of three seconds is waited out by a lone call (%s)', async way => {
    const scene = downFor(3_000)
    const seen = await scene.go(way)
    expect([seen.text, seen.error]).toEqual([TEXT, undefined])
    expect(seen.tookMs).toBeGreaterThanOrEqual(3_000)
    expect(seen.tookMs).toBeLessThanOrEqual(16_000)
    const tried = (seen.result?.attempts ?? []).filter(({ outcome }) => outcome !== 'skipped')
    expect(tried.length).toBeLessThanOrEqual(6)
    expect(tried.at(-1)?.outcome).toBe('success')
    await scene.nothingLeft()
  })

  it('is waited out by sixty calls, who are let back at a ramp and not in a storm', async () => {
    const scene = downFor(3_000)
    const calls = Array.from({ length: 60 }, () => scene.gateway.chat(CHAT))
    await scene.clock.runUntilIdle()
    for (const result of await Promise.all(calls)) expect(result.text).toBe(TEXT)
    for (const one of scene.deployments) {
      const first = one.calls.find(({ startedMs }) => startedMs >= scene.backMs)?.startedMs ?? Infinity
      // One probe, then two, then four, each round as long as an answer.
      expect(began(one, first, first + 100)).toBe(1)
      expect(began(one, first + 100, first + 200)).toBeLessThanOrEqual(3)
      expect(began(one, first + 200, first + 300)).toBeLessThanOrEqual(8)
    }
    expect(states(scene)).toEqual(['ready', 'ready'])
    await scene.nothingLeft()
  })

  it('keeps the order of the waiters, and serves a higher priority first', async () => {
    const scene = downFor(3_000, { breaker: { probeIntervalMs: 4_000 } })
    await scene.go('chat on JSON', { deadlines: { totalMs: 1_000 } })
    const done: string[] = []
    const call = (name: string, priority?: number) => scene.gateway.chat(CHAT, priority === undefined ? {} : { priority }).then(() => void done.push(name))
    const calls = [call('head'), call('second'), call('third'), call('urgent', 1)]
    await scene.clock.runUntilIdle()
    await Promise.all(calls)
    expect(done.indexOf('urgent')).toBeLessThan(done.indexOf('third'))
    expect(done.indexOf('second')).toBeLessThan(done.indexOf('third'))
    await scene.nothingLeft()
  })

  it('ends with queue_timeout at once where the first probe comes too late for the queue, and says when to come back', async () => {
    const scene = downFor(60_000, { queue: { maxSize: 10, maxWaitMs: 5_000 } })
    await scene.go('chat on JSON')
    const tries = scene.primary.calls.length + scene.backup.calls.length
    const { error, tookMs } = await scene.go('chat on JSON')
    expect([error?.code, tookMs]).toEqual(['queue_timeout', 0])
    expect(error?.retryAfterMs).toBeGreaterThan(5_000)
    expect(error?.retryAfterMs).toBeLessThanOrEqual(15_000)
    expect(scene.primary.calls.length + scene.backup.calls.length).toBe(tries)
    await scene.nothingLeft()
  })

  it('ends with queue_timeout at once where the first probe comes too late for the call', async () => {
    const scene = downFor(60_000, { breaker: { failures: 1 } })
    await scene.go('chat on JSON', { deadlines: { totalMs: 2_000 } })
    const { error, tookMs } = await scene.go('chat on JSON', { deadlines: { totalMs: 3_000 } })
    expect([error?.code, tookMs]).toEqual(['queue_timeout', 0])
    await scene.nothingLeft()
  })

  it('that ends at an unknown time ends the wait at maxWaitMs, and nobody is asked for a waiter that left', async () => {
    const scene = downFor(0, { queue: { maxSize: 10, maxWaitMs: 30_000 } })
    for (const id of ['primary', 'backup']) await scene.gateway.isolate(id, 'maintenance')
    const before = states(scene)
    const { error, tookMs } = await scene.go('chat on JSON')
    expect([error?.code, tookMs]).toEqual(['queue_timeout', 30_000])
    expect([states(scene), scene.primary.calls.length, scene.backup.calls.length]).toEqual([before, 0, 0])
    expect(error?.attempts?.map(({ outcome }) => outcome)).toEqual(['skipped', 'skipped'])
    for (const id of ['primary', 'backup']) await scene.gateway.restore(id)
    await scene.clock.runUntilIdle()
    expect([scene.primary.calls.length, scene.backup.calls.length]).toEqual([0, 0])
    await scene.nothingLeft()
  })

  it('that ends by hand lets the waiters in at once', async () => {
    const scene = downFor(0)
    for (const id of ['primary', 'backup']) await scene.gateway.isolate(id)
    const calls = Array.from({ length: 5 }, () => scene.gateway.chat(CHAT))
    await scene.clock.advance(1_000)
    const since = scene.clock.now()
    await scene.gateway.restore('backup')
    await scene.clock.runUntilIdle()
    expect((await Promise.all(calls)).map(({ deployment }) => deployment)).toEqual(Array.from({ length: 5 }, () => 'backup'))
    expect(scene.clock.now() - since).toBeLessThanOrEqual(200)
    await scene.nothingLeft()
  })

  it('refuses those who do not fit with queue_full, at once, and blames nobody', async () => {
    const scene = downFor(0, { queue: { maxSize: 3, maxWaitMs: 30_000 } })
    for (const id of ['primary', 'backup']) await scene.gateway.isolate(id)
    const calls = Array.from({ length: 5 }, () => scene.gateway.chat(CHAT).then(({ text }) => text, (error: unknown) => (error as GatewayError).code))
    await scene.clock.advance(0)
    expect(scene.records.map(({ outcome, code }) => [outcome, code])).toEqual([['failure', 'queue_full'], ['failure', 'queue_full']])
    for (const id of ['primary', 'backup']) await scene.gateway.restore(id)
    expect(states(scene)).toEqual(['ready', 'ready'])
    await scene.clock.runUntilIdle()
    expect((await Promise.all(calls)).sort()).toEqual(['queue_full', 'queue_full', TEXT, TEXT, TEXT].sort())
    for (const { stats } of scene.gateway.health().deployments) expect(stats?.failures).toBe(0)
    await scene.nothingLeft()
  })

  it('waits out a pause that the provider asked for, where everybody rests', async () => {
    const clock = virtualClock()
    const backMs = clock.now() + 12_000
    const rests = () => (clock.now() < backMs ? { fail: { status: 429, retryAfterMs: backMs - clock.now() } } : TEXT)
    const scene = pair(rests, { backup: rests, options: { clock, queue: true } })
    const seen = await scene.go('chat on JSON')
    expect([seen.text, seen.tookMs]).toEqual([TEXT, 12_000])
    expect(scene.primary.calls.length).toBeLessThanOrEqual(2)
    expect(scene.gateway.health().deployments.map(({ circuit }) => circuit?.state)).toEqual(['closed', 'closed'])
    await scene.nothingLeft()
  })

  it('waits for a window that is used up, and takes no place before it slides', async () => {
    const lone = scripted({ id: 'lone', limits: { requestsPerMinute: 2 }, answers: TEXT })
    const scene = staged([lone], { queue: { maxSize: 10, maxWaitMs: 150_000 } })
    const calls = Array.from({ length: 5 }, () => scene.gateway.chat(CHAT))
    await scene.clock.runUntilIdle()
    await Promise.all(calls)
    const sinceMs = lone.calls[0]?.startedMs ?? 0
    const minutes = lone.calls.map(({ startedMs }) => Math.floor((startedMs - sinceMs) / 60_000))
    expect(minutes).toEqual([0, 0, 1, 1, 2])
    await scene.nothingLeft()
  })

  it('is off by default: the call fails with what the targets said', async () => {
    const scene = downFor(60_000, { queue: false })
    expect((await scene.go('chat on JSON')).error?.code).toBe('overloaded')
    expect((await scene.go('chat on JSON')).tookMs).toBe(0)
    await scene.nothingLeft()
  })
})

describe('an abort in the outage queue', () => {
  it('leaves at once, keeps the line in order, asks nobody later, and is counted for nobody', async () => {
    const scene = downFor(0)
    for (const id of ['primary', 'backup']) await scene.gateway.isolate(id)
    const before = scene.gateway.health().deployments
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const others = [scene.gateway.chat(CHAT), scene.gateway.chat(CHAT)]
    const leaving = failure(scene.gateway.chat(CHAT, { signal: caller.signal }))
    await scene.clock.advance(100)
    caller.abort()
    await scene.clock.advance(0)
    expect(await leaving).toMatchObject({ code: 'aborted', origin: 'caller' })
    expect(scene.gateway.health().deployments).toEqual(before)
    await scene.gateway.restore('primary')
    await scene.clock.runUntilIdle()
    await Promise.all(others)
    expect([scene.primary.calls.length, scene.backup.calls.length]).toEqual([2, 0])
    expect(scene.records.find(({ outcome }) => outcome === 'aborted')).toMatchObject({ costNanos: 0, attempts: [{ outcome: 'skipped' }, { outcome: 'skipped' }] })
    await scene.nothingLeft()
  })

  it('close() ends the waiters', async () => {
    const scene = downFor(0)
    for (const id of ['primary', 'backup']) await scene.gateway.isolate(id)
    const calls = Array.from({ length: 3 }, () => failure(scene.gateway.chat(CHAT)))
    await scene.clock.advance(100)
    await scene.gateway.close()
    for (const error of await Promise.all(calls)) expect(error.code).toBe('closed')
    await scene.nothingLeft()
  })
})

describe.each(ORDERS)('an abort in the outage queue on sockets, %s first', (...order) => {
  it('leaves within 100 ms, with no socket opened for it', async () => {
    const scene = await wired(order, { status: 503 }, { backup: { status: 503 }, options: { queue: true, retry: { attempts: 1 }, breaker: { failures: 1 } } })
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const chat = failure(scene.gateway.chat(CHAT, { signal: caller.signal }))
    await until(() => scene.backup.requests.length === 1 && scene.backup.openRequests === 0)
    await sleep(30)
    const health = scene.gateway.health().deployments.map(({ circuit, stats }) => [circuit?.state, circuit?.nextProbeMs, stats?.inFlight])
    const abortedMs = performance.now()
    caller.abort()
    expect((await chat).code).toBe('aborted')
    expect(performance.now() - abortedMs).toBeLessThanOrEqual(100)
    expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([1, 1])
    expect(scene.gateway.health().deployments.map(({ circuit, stats }) => [circuit?.state, circuit?.nextProbeMs, stats?.inFlight])).toEqual(health)
    await scene.nothingLeft()
  })
})
