import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Gateway } from '../../src/index.js'
import type { ChatEvent, Deployment, Opened } from '../../src/index.js'
import { virtualClock } from '../../src/testing/index.js'
import { expectNothingLeft } from './left-behind.js'
import { failure, ASK, pair, TEXT, words, type Pair } from './support.js'

const REQUEST = { model: 'stream', messages: ASK } as const
const paced = { text: TEXT, chunkMs: 10 } as const
const cut = { text: TEXT, fail: 'cut', failAfter: 40 } as const

/** Reads a text stream to its end or its error. */
async function readAll(texts: AsyncIterable<string>): Promise<{ text: string; error?: unknown }> {
  let text = ''
  try {
    for await (const piece of texts) text += piece
    return { text }
  } catch (error) {
    return { text, error }
  }
}

async function lets<T>({ clock }: Pair, work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  await clock.runUntilIdle()
  return work
}

describe('textStream', () => {
  it('ends with the typed error where a restart would be due: text cannot be taken back', async () => {
    const scene = pair(cut)
    const stream = await scene.gateway.stream(REQUEST, { recover: 'restart' })
    const { text, error } = await lets(scene, readAll(stream.textStream))
    expect(text).toBe(words(40))
    expect(error).toMatchObject({ code: 'malformed_response', partial: { text: words(40) } })
    expect(scene.backup.calls).toHaveLength(0)
    expect(await failure(stream.result())).toBe(error)
    await scene.nothingLeft()
  })

  it("goes on under 'continue'", async () => {
    const scene = pair(cut, { other: { capabilities: { prefill: true } } })
    const stream = await scene.gateway.stream(REQUEST, { recover: 'continue' })
    expect(await lets(scene, readAll(stream.textStream))).toEqual({ text: TEXT })
    expect((await stream.result()).text).toBe(TEXT)
    await scene.nothingLeft()
  })

  it("never glues two answers together under 'continue' where nobody can go on", async () => {
    const scene = pair(cut)
    const stream = await scene.gateway.stream(REQUEST, { recover: 'continue' })
    const { text, error } = await lets(scene, readAll(stream.textStream))
    expect(text).toBe(words(40))
    expect(error).toMatchObject({ code: 'malformed_response' })
    await scene.nothingLeft()
  })

  it('does not glue two answers together in a text response either', async () => {
    const scene = pair(cut)
    const stream = await scene.gateway.stream(REQUEST, { recover: 'continue' })
    const body = lets(scene, stream.toResponse({ format: 'text' }).text())
    await expect(body).rejects.toBeDefined()
    await scene.nothingLeft()
  })
})

describe('readers that leave', () => {
  it('a break in the middle closes the upstream, and result() says so', async () => {
    const scene = pair(cut)
    const stream = await scene.gateway.stream(REQUEST)
    for await (const event of stream) if (event.type === 'text-delta') break
    expect(scene.primary.open).toBe(0)
    expect((await failure(stream.result())).code).toBe('aborted')
    expect(scene.records).toMatchObject([{ outcome: 'aborted', code: 'aborted', attempts: [{ outcome: 'aborted' }] }])
    await scene.nothingLeft()
  })

  it('result() reads to the end where nobody else does', async () => {
    const scene = pair(paced)
    const stream = await scene.gateway.stream(REQUEST)
    expect((await lets(scene, stream.result())).text).toBe(TEXT)
    await scene.nothingLeft()
  })

  it('result() beside a reader waits for that reader', async () => {
    const scene = pair(paced)
    const stream = await scene.gateway.stream(REQUEST)
    const events: ChatEvent[] = []
    const reading = (async () => {
      for await (const event of stream) events.push(event)
    })()
    const result = await lets(scene, stream.result())
    await reading
    expect([result.text, events.at(-1)?.type]).toEqual([TEXT, 'finish'])
    await scene.nothingLeft()
  })

  it('cancel() frees everything, twice is once, and what had come is billed', async () => {
    const scene = pair(paced)
    const stream = await scene.gateway.stream(REQUEST)
    stream.cancel()
    stream.cancel()
    expect((await failure(stream.result())).code).toBe('aborted')
    expect(scene.records).toHaveLength(1)
    expect(scene.records[0]?.attempts[0]).toMatchObject({ outcome: 'aborted', usage: { outputTokens: 1 } })
    expect(scene.records[0]?.costNanos).toBeGreaterThan(0)
    await scene.nothingLeft()
  })

  it('cancel() while a read waits ends that read', async () => {
    const scene = pair({ text: TEXT, fail: 'stall', failAfter: 1 })
    const stream = await scene.gateway.stream(REQUEST)
    const reading = failure(readAll(stream.textStream).then(({ error }) => Promise.reject(error as Error)))
    await turn()
    stream.cancel()
    expect((await reading).code).toBe('aborted')
    await scene.nothingLeft()
  })

  it('cancel() while a fallback is being asked opens nothing behind our back', async () => {
    const scene = pair(cut, { backup: { text: TEXT, latencyMs: 500 } })
    const stream = await scene.gateway.stream(REQUEST, { recover: 'restart' })
    const result = failure(stream.result())
    await scene.clock.advance(100)
    expect(scene.backup.open).toBe(1)
    stream.cancel()
    await scene.clock.advance(0)
    expect((await result).code).toBe('aborted')
    expect(scene.backup.open).toBe(0)
    await scene.nothingLeft()
  })

  it('cancel() while a restart backs off asks nobody any more', async () => {
    const scene = pair(cut, { backup: { fail: { status: 503, retryAfterMs: 5_000 } } })
    const stream = await scene.gateway.stream(REQUEST, { recover: 'restart' })
    const result = failure(stream.result())
    await scene.clock.advance(100)
    stream.cancel()
    expect((await result).code).toBe('aborted')
    await scene.clock.advance(10_000)
    expect(scene.backup.calls).toHaveLength(1)
    await scene.nothingLeft()
  })

  it('two readers are refused: each would get half', async () => {
    const scene = pair(paced)
    const stream = await scene.gateway.stream(REQUEST)
    const first = stream[Symbol.asyncIterator]()
    expect(() => stream[Symbol.asyncIterator]()).toThrow(/is being read by events/)
    expect(() => stream.textStream[Symbol.asyncIterator]()).toThrow(/textStream cannot read it too/)
    expect(() => stream.toResponse()).toThrow(/toResponse/)
    await first.return?.()
    await scene.nothingLeft()
  })

  it('a reader that goes away for abandonMs gives its slot and its socket back', async () => {
    const scene = pair(paced, { primary: { limits: { concurrency: 1 } } })
    const stream = await scene.gateway.stream(REQUEST, { deadlines: { abandonMs: 20_000, idleMs: 5_000 } })
    const reader = stream[Symbol.asyncIterator]()
    await reader.next()
    await scene.clock.advance(19_000)
    expect(scene.primary.open).toBe(1)
    await scene.clock.advance(7_000)
    expect(scene.primary.open).toBe(0)
    expect(scene.records).toMatchObject([{ attempts: [{ outcome: 'aborted', deadline: 'abandon', usage: { outputTokens: 1 } }] }])
    expect(scene.gateway.health().calls).toBe(0)
    const late = await failure(reader.next().then(() => reader.next()))
    expect([late.code, late.deadline]).toEqual(['timeout', 'abandon'])
    await scene.nothingLeft()
  })

  it('a slow reader is not taken for a silent upstream', async () => {
    const scene = pair(paced)
    const stream = await scene.gateway.stream(REQUEST, { deadlines: { idleMs: 1_000 } })
    const reader = stream[Symbol.asyncIterator]()
    for (let read = 0; read < 10; read++) {
      await lets2(scene, reader.next())
      await scene.clock.advance(5_000)
    }
    const rest = (async () => {
      while ((await reader.next()).done !== true);
    })()
    await lets(scene, rest)
    expect((await stream.result()).text).toBe(TEXT)
    await scene.nothingLeft()
  })

  it('an aborted stream that nobody reads any more is settled all the same', async () => {
    const scene = pair(paced)
    const caller = new AbortController()
    scene.signals.push(caller.signal)
    await scene.gateway.stream(REQUEST, { signal: caller.signal })
    caller.abort()
    expect(scene.records).toMatchObject([{ outcome: 'aborted' }])
    await scene.nothingLeft()
  })

  it('a stream that nobody reads is settled by the total deadline', async () => {
    const scene = pair(paced)
    await scene.gateway.stream(REQUEST, { deadlines: { totalMs: 1_000 } })
    await scene.clock.advance(1_000)
    expect(scene.records).toMatchObject([{ outcome: 'failure', code: 'timeout' }])
    await scene.nothingLeft()
  })

  it('close() settles the streams that are open', async () => {
    const scene = pair(paced)
    const stream = await scene.gateway.stream(REQUEST)
    await scene.gateway.close()
    expect(scene.records).toHaveLength(1)
    expect((await failure(stream.result())).code).toBe('closed')
    await scene.nothingLeft()
  })
})

describe('upstreams that do not heed their signal', () => {
  const deaf = () => {
    let closed = 0
    const say: ChatEvent = { type: 'text-delta', text: 'one' }
    const batches = [[say]]
    const opened: Opened = { status: 200, headers: {}, warnings: [], read: () => (batches.length > 0 ? Promise.resolve(batches.shift()) : new Promise(() => undefined)), close: () => void closed++ }
    const deployment: Deployment = { kind: 'deployment', id: 'deaf', provider: 'deaf', model: 'm', capabilities: {}, tags: [], reach: { upstream: { open: () => Promise.resolve(opened) } } }
    return { deployment, closed: () => closed }
  }

  it('are closed when the reader leaves', async () => {
    const { deployment, closed } = deaf()
    const gateway = new Gateway({ routes: { stream: deployment } })
    for await (const _ of await gateway.stream({ model: 'stream', messages: ASK })) break
    expect(closed()).toBeGreaterThan(0)
    await expectNothingLeft({ gateway })
  })

  it('do not keep the caller waiting past a deadline', async () => {
    const { deployment, closed } = deaf()
    const clock = virtualClock()
    const gateway = new Gateway({ clock, routes: { stream: deployment } })
    const result = failure((await gateway.stream({ model: 'stream', messages: ASK })).result())
    await clock.runUntilIdle()
    expect([(await result).deadline, closed() > 0]).toEqual(['idle', true])
    await expectNothingLeft({ gateway, clock })
  })
})

/** One read with a little time for it. */
async function lets2<T>({ clock }: Pair, work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  await clock.advance(10)
  return work
}
