import 'p-queue'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { LoopbackProvider } from '../../scripts/loopback/index.js'
import { failure, ASK, ORDERS, pair, TEXT, until, wired } from './support.js'

const closedAfterMs = ({ requests }: Pick<LoopbackProvider, 'requests'>, sinceMs: number): number => (requests[0]?.closedByClientMs ?? Infinity) - sinceMs
const CHAT = { model: 'stream', messages: ASK }

describe.each(ORDERS)('an abort on sockets, %s first', (...order) => {
  it.each(['json', 'stream'])('closes a socket that waits for headers within 100 ms and asks nobody else (%s)', async model => {
    const scene = await wired(order, 'silent')
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const chat = failure(scene.gateway.chat({ model, messages: ASK }, { signal: caller.signal }))
    await until(() => scene.primary.openRequests === 1)
    const abortedMs = Date.now()
    caller.abort()
    expect(await chat).toMatchObject({ code: 'aborted', origin: 'caller' })
    await until(() => scene.primary.closedByClient === 1)
    expect(closedAfterMs(scene.primary, abortedMs)).toBeLessThanOrEqual(100)
    expect(scene.backup.requests).toHaveLength(0)
    expect(scene.records).toMatchObject([{ outcome: 'aborted', attempts: [{ outcome: 'aborted' }], costNanos: 0 }])
    await scene.nothingLeft()
  })

  it.each(['stream that is read', 'stream that is not read', 'chat on a stream'])('closes a socket in mid-answer within 100 ms and books what had come (%s)', async how => {
    const scene = await wired(order, undefined, { server: { paceMs: 15 } })
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const stream = how === 'chat on a stream' ? undefined : await scene.gateway.stream(CHAT, { signal: caller.signal })
    const reading = how === 'stream that is read' ? stream?.result() : undefined
    const ended = how === 'chat on a stream' ? scene.gateway.chat(CHAT, { signal: caller.signal }) : reading
    ended?.catch(() => undefined)
    await sleep(120)
    const abortedMs = Date.now()
    caller.abort()
    if (ended !== undefined) expect((await failure(ended)).code).toBe('aborted')
    await until(() => scene.primary.closedByClient === 1 && scene.records.length === 1)
    expect(closedAfterMs(scene.primary, abortedMs)).toBeLessThanOrEqual(100)
    expect(scene.records).toMatchObject([{ outcome: 'aborted', attempts: [{ outcome: 'aborted' }] }])
    const tokens = scene.records[0]?.attempts[0]?.usage?.outputTokens
    expect(tokens).toBeGreaterThan(0)
    expect(tokens).toBeLessThan(TEXT.length / 4)
    expect(scene.records[0]?.costNanos).toBeGreaterThan(0)
    expect(scene.backup.requests).toHaveLength(0)
    await scene.nothingLeft()
  })

  it('closes a JSON body that trickles', async () => {
    const scene = await wired(order, { stallAfter: 10 })
    const caller = new AbortController()
    const chat = failure(scene.gateway.chat({ model: 'json', messages: ASK }, { signal: caller.signal }))
    await sleep(60)
    const abortedMs = Date.now()
    caller.abort()
    expect((await chat).code).toBe('aborted')
    await until(() => scene.primary.closedByClient === 1)
    expect(closedAfterMs(scene.primary, abortedMs)).toBeLessThanOrEqual(100)
    await scene.nothingLeft()
  })

  it('during a wait between tries ends the wait and opens no further socket', async () => {
    const scene = await wired(order, { status: 503, headers: { 'retry-after': '5' } })
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const chat = failure(scene.gateway.chat(CHAT, { signal: caller.signal }))
    await until(() => scene.primary.requests.length === 1 && scene.primary.openRequests === 0)
    await sleep(20)
    const abortedMs = performance.now()
    caller.abort()
    expect((await chat).code).toBe('aborted')
    expect(performance.now() - abortedMs).toBeLessThanOrEqual(100)
    expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([1, 0])
    await scene.nothingLeft()
  })

  it('while waiting for a slot leaves the line at once and takes no slot later', async () => {
    const one = { limits: { concurrency: 1 } }
    const scene = await wired(order, undefined, { server: { paceMs: 10 }, backup: 'silent', primaryOptions: one, backupOptions: one })
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    const holder = scene.gateway.chat(CHAT)
    const hanging = new AbortController()
    const hung = failure(scene.gateway.chat(CHAT, { signal: hanging.signal }))
    await until(() => scene.backup.openRequests === 1)
    const waiting = failure(scene.gateway.chat(CHAT, { signal: caller.signal }))
    await sleep(50)
    const abortedMs = performance.now()
    caller.abort()
    expect((await waiting).code).toBe('aborted')
    expect(performance.now() - abortedMs).toBeLessThanOrEqual(100)
    hanging.abort()
    await hung
    expect((await holder).text).toBe(TEXT)
    expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([1, 1])
    await scene.nothingLeft()
  })
})

describe('ends that come early', () => {
  it('a signal that was aborted before the call sends nothing', async () => {
    const scene = pair(TEXT)
    const error = await failure(scene.gateway.chat(CHAT, { signal: AbortSignal.abort() }))
    expect([error.code, scene.primary.calls.length]).toEqual(['aborted', 0])
    await scene.nothingLeft()
  })

  it('the total deadline ends a backoff instead of outliving it', async () => {
    const scene = pair({ fail: { status: 503 } }, { backup: { fail: { status: 503 } } })
    const { error, tookMs } = await scene.go('chat on JSON', { deadlines: { totalMs: 60 } })
    expect(tookMs).toBeLessThanOrEqual(60)
    expect(['overloaded', 'timeout']).toContain(error?.code)
    await scene.nothingLeft()
  })

  it('a wait that does not fit the total deadline means the next candidate, now', async () => {
    const scene = pair({ fail: { status: 429, retryAfterMs: 5_000 } })
    const seen = await scene.go('chat on JSON', { deadlines: { totalMs: 3_000 } })
    expect([seen.result?.deployment, seen.tookMs]).toEqual(['backup', 0])
    await scene.nothingLeft()
  })

  it('the total deadline ends a stream in the middle, with what had come', async () => {
    const scene = pair({ text: TEXT, chunkMs: 100 })
    const { error, tookMs } = await scene.go('restart', { deadlines: { totalMs: 2_050 } })
    expect([error?.code, error?.deadline, error?.origin, tookMs]).toEqual(['timeout', 'total', 'gateway', 2_050])
    expect(error?.partial?.text.split(' ')).toHaveLength(21)
    expect(scene.backup.calls).toHaveLength(0)
    await scene.nothingLeft()
  })

  it('the total deadline holds over all tries together', async () => {
    const scene = pair({ fail: 'silent' }, { backup: { fail: 'silent' } })
    const { error, tookMs } = await scene.go('chat on JSON', { deadlines: { totalMs: 45_000 } })
    expect([error?.code, error?.deadline, tookMs]).toEqual(['timeout', 'total', 45_000])
    await scene.nothingLeft()
  })

  it('close() ends what is open with its own code and refuses what comes later', async () => {
    const scene = pair({ fail: 'silent' })
    const chat = failure(scene.gateway.chat(CHAT))
    await scene.clock.advance(10)
    await scene.gateway.close()
    expect((await chat).code).toBe('closed')
    expect((await failure(scene.gateway.chat(CHAT))).code).toBe('closed')
    expect(scene.backup.calls).toHaveLength(0)
    await scene.nothingLeft()
  })
})
