import { Keyv } from 'keyv'
import { describe, expect, it } from 'vitest'
import { Gateway, keyvCache, type CachedAnswer, type CacheStore } from '../../src/index.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { ask, HELLO, NANOS, scene } from './cache-scene.js'
import { thrown } from './support.js'

/** Four methods over a map, and what they were asked. */
function mapStore() {
  const values = new Map<string, CachedAnswer>()
  const asked: string[] = []
  const store: CacheStore = {
    get: key => (asked.push('get'), values.get(key)),
    set: (key, answer) => (asked.push('set'), values.set(key, answer)),
    delete: key => (asked.push('delete'), values.delete(key)),
    clear: () => values.clear(),
  }
  return { values, asked, store }
}
const never = new Promise<never>(() => undefined)
const broken = (): never => {
  throw new Error('down')
}

describe('a store of four methods', () => {
  it('is all a cache needs: it outlives the gateway, and its keys tell nothing', async () => {
    const { store, values, asked } = mapStore()
    const first = scene({ cache: { store } })
    await first.chat(ask('My secret plan'))
    await first.gateway.close()
    const second = scene({ cache: { store } })
    const again = await second.chat(ask('My secret plan'))
    expect([again.text, again.cached, again.cost.saved, second.asked()]).toEqual(['Hello to you', 'hit', NANOS / 1e9, 0])
    expect(asked).toEqual(['get', 'set', 'get'])
    const [key = ''] = values.keys()
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify([...values])).not.toContain('secret plan')
  })

  it('is not shared with an application that means something else by the name', async () => {
    const { store } = mapStore()
    for (const model of ['m-1', 'm-2', 'm-1']) await new Gateway({ routes: { smart: scripted({ model, answers: `from ${model}` }) }, cache: { store } }).chat(ask())
    const gateway = new Gateway({ routes: { smart: scripted({ model: 'm-2', answers: 'no' }) }, cache: { store } })
    expect((await gateway.chat(ask())).text).toBe('from m-2')
  })

  it('that holds what others wrote is asked past', async () => {
    for (const value of ['text', 7, null, {}, { version: 1, storedAtMs: 0, batches: [[0, 'tHi']] }, { version: 9 }]) {
      const { chat, asked, health } = scene({ cache: { store: { ...mapStore().store, get: () => value as never } } })
      expect([(await chat()).cached, asked(), health()?.hits]).toEqual([false, 1, 0])
    }
  })
})

describe('a store fails no call', () => {
  it.each<[string, CacheStore]>([
    ['throws', { get: broken, set: broken, delete: broken, clear: broken }],
    ['rejects', { get: async () => broken(), set: async () => broken(), delete: async () => broken(), clear: async () => broken() }],
  ])('when it %s', async (_, store) => {
    const { chat, read, asked, health, nothingLeft, gateway } = scene({ cache: { store } })
    for (const go of [chat, read]) expect((await go()).text).toBe('Hello to you')
    await gateway.flush()
    expect([asked(), health()]).toEqual([2, { hits: 0, misses: 2, kept: 2, failures: 4 }])
    nothingLeft()
  })

  it('when it hangs: the call waits a second for it, the answer is not held up by the write', async () => {
    const { chat, clock, health, nothingLeft } = scene({ cache: { store: { get: () => never, set: () => never, delete: () => never, clear: () => never } } })
    const startMs = clock.now()
    const asking = chat().then(result => [result.text, clock.now() - startMs])
    await clock.runUntilIdle()
    expect(await asking).toEqual(['Hello to you', 1_000])
    expect(health()).toMatchObject({ misses: 1, kept: 1, failures: 1 })
    nothingLeft()
  })

  it('when it hangs, nor its abort and its deadline', async () => {
    const { gateway, clock, asked, nothingLeft, records } = scene({ cache: { store: { ...mapStore().store, get: () => never } } })
    const caller = new AbortController()
    const aborted = thrown(() => gateway.chat(ask(), { signal: caller.signal }))
    const late = thrown(() => gateway.chat(ask(), { deadlines: { totalMs: 500 } }))
    await clock.advance(100)
    caller.abort()
    await clock.advance(400)
    expect([(await aborted).code, (await late).code, asked()]).toEqual(['aborted', 'timeout', 0])
    expect(records.map(({ code }) => code)).toEqual(['aborted', 'timeout'])
    await clock.advance(1_000)
    nothingLeft()
  })

  it('when it is slow: the answer comes as late as the store, and identical calls still are one', async () => {
    const clock = virtualClock()
    const { store, values } = mapStore()
    const slow: CacheStore = { ...store, get: key => new Promise(resolve => void clock.after(300, () => resolve(values.get(key)))) }
    const target = scripted({ id: 'd', answers: { text: 'Hello', latencyMs: 200 } })
    const gateway = new Gateway({ routes: { smart: target }, clock, cache: { store: slow } })
    const calls = Array.from({ length: 10 }, () => gateway.chat(ask()))
    await clock.advance(600)
    expect((await Promise.all(calls)).map(({ timings }) => timings.totalMs)).toEqual(calls.map(() => 500))
    const again = gateway.chat(ask())
    await clock.advance(300)
    expect([(await again).cached, (await again).timings.totalMs, target.calls.length, clock.pending]).toEqual(['hit', 300, 1, 0])
  })
})

it('flush() and close() wait for answers on their way to the store', async () => {
  for (const how of ['flush', 'close'] as const) {
    const done: (() => void)[] = []
    const { chat, gateway, clock } = scene({ cache: { store: { ...mapStore().store, set: () => new Promise<void>(resolve => done.push(resolve)) } } })
    await chat()
    let over = false
    const waiting = gateway[how]().then(() => (over = true))
    await clock.advance(500)
    expect([how, over]).toEqual([how, false])
    for (const one of done) one()
    await waiting
    expect(clock.pending).toBe(0)
  }
})

describe('a Keyv', () => {
  it('keeps answers of both kinds from one gateway to the next', async () => {
    const keyv = new Keyv({ namespace: 'answers' })
    const answers = { reasoning: 'Hm.', text: 'Grüße 🎉', toolCalls: [{ name: 't', input: { a: 1 } }], usage: HELLO.usage }
    const first = scene({ cache: { store: keyvCache(keyv) }, answers })
    const whole = await first.read()
    await first.gateway.close()
    const second = scene({ cache: { store: keyvCache(keyv) }, answers })
    for (const go of [second.chat, second.read]) {
      const { cached, text, reasoning, toolCalls, usage } = await go()
      expect({ cached, text, reasoning, toolCalls, usage }).toEqual({ cached: 'hit', text: whole.text, reasoning: whole.reasoning, toolCalls: whole.toolCalls, usage: whole.usage })
    }
    expect(second.asked()).toBe(0)
    await keyv.clear()
    expect((await second.chat()).cached).toBe(false)
  })

  it('forgets on its own time, and an answer too old for us is none', async () => {
    const keyv = new Keyv()
    const { chat, clock, gateway, asked } = scene({ cache: { store: keyvCache(keyv), ttlMs: 60_000 } })
    await chat()
    await gateway.flush()
    await clock.advance(60_000)
    expect([(await chat()).cached, asked()]).toEqual([false, 2])
    const [key = ''] = [...(keyv.store as Map<string, unknown>).keys()]
    const raw = await keyv.getRaw(key.replace(/^keyv:/, ''))
    expect((raw?.expires ?? 0) - Date.now()).toBeGreaterThan(30_000)
  })

  it('whose own store is down fails no call', async () => {
    const keyv = new Keyv({ store: { get: broken, set: broken, delete: broken, clear: broken } as never })
    const errors: unknown[] = []
    keyv.on('error', error => errors.push(error))
    const { chat, gateway, asked } = scene({ cache: { store: keyvCache(keyv) } })
    expect([(await chat()).text, (await chat()).text, asked()]).toEqual(['Hello to you', 'Hello to you', 2])
    await gateway.close()
  })
})
