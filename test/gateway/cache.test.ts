import { describe, expect, it } from 'vitest'
import { Gateway, openai, type CacheOptions, type ChatResult, type FinishReason } from '../../src/index.js'
import { collect, scripted, virtualClock, type Script } from '../../src/testing/index.js'
import { ask, HELLO, NANOS, scene, USAGE } from './cache-scene.js'
import { all, fakeFetch, thrown } from './support.js'

const WAYS = ['chat', 'read'] as const
const RICH: Script = { reasoning: 'I must look.', chunks: ['Grüße ', '🎉\n', '{"a":1}'], toolCalls: [{ name: 'weather', input: { city: 'Rome' } }, { name: 'clock', input: {} }], usage: { ...USAGE, cachedInputTokens: 3, reasoningTokens: 2 }, chunkMs: 0 }

/** What two answers to one question must have in common. */
const contentOf = ({ text, reasoning, toolCalls, message, finishReason, usage, provider, model, deployment, warnings, response }: ChatResult) => ({ text, reasoning, toolCalls, message, finishReason, usage, provider, model, deployment, warnings, id: response.id })

describe('an identical request', () => {
  it.each(WAYS.flatMap(first => WAYS.map(then => [then, first] as const)))('by %s after %s has the same answer, nobody is asked, nothing is paid', async (then, first) => {
    const { asked, records, health, nothingLeft, ...ways } = scene({ answers: RICH })
    const once = await ways[first]()
    const again = await ways[then]()
    expect(contentOf(again)).toEqual(contentOf(once))
    expect([asked(), once.cached, again.cached]).toEqual([1, false, 'hit'])
    expect([once.cost.nanos, once.cost.saved, again.cost]).toEqual([NANOS, 0, { usd: 0, nanos: 0, parts: {}, estimated: false, saved: NANOS / 1e9, source: 'priced' }])
    expect([once.attempts.length, again.attempts]).toEqual([1, []])
    expect(records.map(({ cached, costNanos, savedNanos, attempts, outcome, deployment }) => ({ cached, costNanos, savedNanos, tries: attempts.length, outcome, deployment }))).toEqual([
      { cached: undefined, costNanos: NANOS, savedNanos: undefined, tries: 1, outcome: 'success', deployment: 'd' },
      { cached: 'hit', costNanos: 0, savedNanos: NANOS, tries: 0, outcome: 'success', deployment: 'd' },
    ])
    expect(new Set(records.map(({ id }) => id)).size).toBe(2)
    expect(health()).toEqual({ hits: 1, misses: 1, kept: 1, failures: 0 })
    nothingLeft()
  })

  it('gets events that fold to the same answer, and its own call id', async () => {
    const { gateway, nothingLeft } = scene({ answers: RICH })
    const first = await all(await gateway.stream(ask()))
    const stream = await gateway.stream(ask())
    const second = await all(stream)
    expect(collect(second)).toEqual(collect(first))
    expect(second.map(({ type }) => type)).toEqual(first.map(({ type }) => type))
    expect((await stream.result()).id).toBe(stream.id)
    nothingLeft()
  })

  it('may change what it was given: the next one gets the answer as it was', async () => {
    const { chat } = scene({ answers: RICH })
    await chat()
    const spoilt = await chat()
    ;(spoilt.toolCalls[0] as unknown as { input: { city: string } }).input.city = 'Nowhere'
    ;(spoilt.usage as { inputTokens: number }).inputTokens = 99
    const { toolCalls, usage } = await chat()
    expect([toolCalls[0]?.input, usage.inputTokens]).toEqual([{ city: 'Rome' }, 10])
  })

  it('is told of the same dropped parameter', async () => {
    const { fetch } = fakeFetch()
    const gateway = new Gateway({ routes: { smart: openai('gpt-4.1', { apiKey: 'k' }) }, fetch, cache: true })
    const first = await gateway.chat({ model: 'smart', messages: 'Hi', topK: 5 })
    const again = await gateway.chat({ model: 'smart', messages: 'Hi', topK: 5 })
    expect(first.warnings).toHaveLength(1)
    expect([again.warnings, again.cached]).toEqual([first.warnings, 'hit'])
  })

  it('is asked anew where the gateway has no cache, or its route none', async () => {
    for (const cache of [false, undefined] as const) {
      const target = scripted('Hello')
      const gateway = new Gateway({ routes: { smart: { use: target, ...(cache === undefined ? {} : { cache }) } }, ...(cache === false && { cache: true }) })
      await gateway.chat(ask())
      expect((await gateway.chat(ask())).cached).toBe(false)
      expect([target.calls.length, gateway.health().cache]).toEqual([2, undefined])
    }
  })

  it('of a route with a cache of its own has its times, also where the gateway has none', async () => {
    const target = scripted('Hello')
    const clock = virtualClock()
    const gateway = new Gateway({ routes: { smart: { use: target, cache: { ttlMs: 1_000 } }, other: target }, clock })
    for (const model of ['smart', 'smart', 'other', 'other'] as const) await gateway.chat({ model, messages: 'Hi' })
    expect(target.calls).toHaveLength(3)
    await clock.advance(1_000)
    await gateway.chat(ask())
    expect(target.calls).toHaveLength(4)
  })
})

describe('only a finished answer is given again', () => {
  const finished = (finishReason: FinishReason): Script => ({ ...HELLO, finishReason })
  it.each<[string, Script, boolean]>([
    ['that stopped', finished('stop'), true],
    ['cut at its length, as was asked', finished('length'), true],
    ['that calls tools', { toolCalls: [{ name: 't', input: {} }] }, true],
    ['stopped by a content filter', finished('content-filter'), false],
    ['that ended for another reason', finished('other'), false],
  ])('%s', async (_, answer, kept) => {
    for (const way of WAYS) {
      const { [way]: go, asked, nothingLeft } = scene({ answers: answer })
      await go()
      expect([(await go()).cached, asked()]).toEqual(kept ? ['hit', 1] : [false, 2])
      nothingLeft()
    }
  })

  it.each<[string, Script]>([
    ['refused with a status', { fail: { status: 503 } }],
    ['cut', { ...HELLO, fail: 'cut', failAfter: 1 }],
    ['truncated', { ...HELLO, fail: 'truncate', failAfter: 1 }],
  ])('not one that was %s', async (_, broken) => {
    for (const way of WAYS) {
      const { [way]: go, asked, health, nothingLeft } = scene({ answers: [broken, HELLO] })
      await thrown(() => go())
      expect([(await go()).text, asked(), health()?.kept]).toEqual(['Hello to you', 2, 1])
      nothingLeft()
    }
  })

  it('not a stream with a frame that could not be read', async () => {
    const { read, asked } = scene({ answers: { ...HELLO, fail: 'garbage', failAfter: 1 } })
    await read()
    expect([(await read()).cached, asked()]).toEqual([false, 2])
  })

  it('not one that was restarted on the way, whichever way it was to be recovered', async () => {
    for (const recover of ['restart', 'continue'] as const) {
      const { gateway, asked, nothingLeft } = scene({ answers: [{ ...HELLO, fail: 'cut', failAfter: 1 }, HELLO], options: { recover, retry: { attempts: 2, baseMs: 0 } } })
      const go = async () => collect(await all(await gateway.stream(ask()))).text
      expect(await go()).toBe('Hello to you')
      expect(await go()).toBe('Hello to you')
      expect(asked()).toBe(3)
      nothingLeft()
    }
  })

  it.each(['break', 'cancel', 'abort'] as const)('not one whose reader left by %s', async how => {
    const { gateway, clock, asked, health, deployment, nothingLeft } = scene({ answers: { ...HELLO, chunkMs: 10 } })
    const caller = new AbortController()
    const stream = await gateway.stream(ask(), { signal: caller.signal })
    if (how === 'break') for await (const event of stream) if (event.type === 'text-delta') break
    if (how === 'cancel') stream.cancel()
    if (how === 'abort') caller.abort()
    expect(deployment.calls[0]?.closed).toBe(true)
    nothingLeft()
    const again = gateway.chat(ask())
    await clock.runUntilIdle()
    expect([(await again).cached, asked(), health()?.kept]).toEqual([false, 2, 1])
    nothingLeft()
  })
})

describe('an answer is kept', () => {
  it('for its time, on the clock of the gateway', async () => {
    const { chat, clock, asked } = scene({ cache: { ttlMs: 60_000 } })
    await chat()
    await clock.advance(59_999)
    expect((await chat()).cached).toBe('hit')
    await clock.advance(1)
    expect([(await chat()).cached, asked()]).toEqual([false, 2])
  })

  it('for five minutes where nothing is said, and for as long again from a new answer on, not from a hit', async () => {
    const { chat, clock } = scene()
    const cached: unknown[] = []
    for (let minute = 0; minute <= 10; minute++) {
      cached.push((await chat()).cached)
      await clock.advance(60_000)
    }
    expect(cached).toEqual([false, 'hit', 'hit', 'hit', 'hit', false, 'hit', 'hit', 'hit', 'hit', false])
  })

  it('while there is room: the least recently used goes first', async () => {
    const { chat, asked } = scene({ cache: { maxBytes: 30_000 }, answers: 'x'.repeat(1_200) })
    const cachedOf = async (name: string) => (await chat(ask(name))).cached
    for (let at = 0; at < 8; at++) await cachedOf(`question ${at}`)
    expect(await cachedOf('question 0')).toBe('hit')
    for (let at = 8; at < 12; at++) await cachedOf(`question ${at}`)
    expect([await cachedOf('question 0'), await cachedOf('question 1')]).toEqual(['hit', false])
    expect(asked()).toBe(13)
  })

  it('never where it is so large that it would drive out the others', async () => {
    const { chat, asked } = scene({ cache: { maxBytes: 8_000 }, answers: 'x'.repeat(1_200) })
    await chat()
    await chat()
    expect(asked()).toBe(2)
  })
})

describe('a call says what the cache may do for it', () => {
  it.each([false, 'no-store'] as const)('%j neither reads nor writes nor joins', async cache => {
    const { chat, asked, health, gateway } = scene()
    await chat(ask(), { cache })
    expect([(await chat()).cached, asked()]).toEqual([false, 2])
    expect((await chat(ask(), { cache })).cached).toBe(false)
    await Promise.all([chat(ask('new')), chat(ask('new'), { cache }), gateway.as({ principal: { team: 't' } }).chat(ask('new'), { cache })])
    expect([asked(), health()?.kept]).toEqual([6, 2])
  })

  it('"refresh" asks anew and keeps the new answer', async () => {
    const { chat, asked } = scene({ answers: attempt => `answer ${attempt}` })
    await chat()
    expect((await chat(ask(), { cache: 'refresh' })).text).toBe('answer 2')
    const again = await chat()
    expect([again.text, again.cached, asked()]).toEqual(['answer 2', 'hit', 2])
  })

  it('{ maxAgeMs } takes an answer that is at most so old', async () => {
    const { chat, clock, asked } = scene({ answers: attempt => `answer ${attempt}` })
    await chat()
    await clock.advance(1_000)
    expect((await chat(ask(), { cache: { maxAgeMs: 1_000 } })).text).toBe('answer 1')
    expect((await chat(ask(), { cache: { maxAgeMs: 999 } })).text).toBe('answer 2')
    expect([(await chat()).text, asked()]).toEqual(['answer 2', 2])
  })

  it.each<[unknown, RegExp]>([
    ['no-stroe', /Did you mean "no-store"/],
    ['refrsh', /Did you mean "refresh"/],
    [true, /must be false, "no-store", "refresh" or \{ maxAgeMs \}/],
    [{ maxAge: 5 }, /"maxAge"\. Did you mean "maxAgeMs"/],
    [{ maxAgeMs: -1 }, /maxAgeMs.*0 or more/],
  ])('%j is refused with what was meant, with a cache or without', async (cache, says) => {
    for (const own of [true, false]) {
      const { chat, asked } = scene({ cache: own })
      const error = await thrown(() => chat(ask(), { cache: cache as never }))
      expect([error.code, error.message, asked()]).toEqual(['invalid_request', expect.stringMatching(says), 0])
    }
  })
})

describe('options of the cache', () => {
  const make = (cache: unknown) => () => new Gateway({ routes: { smart: scripted('x') }, cache: cache as CacheOptions })
  it.each<[unknown, RegExp]>([
    [{ ttl: 5 }, /"ttl"\. Did you mean "ttlMs"/],
    [{ scope: 'tennant' }, /Did you mean "tenant"/],
    [{ replay: 'ful' }, /Did you mean "full"/],
    [{ ttlMs: 0 }, /ttlMs must be a number of milliseconds above 0/],
    [{ maxBytes: 1.5 }, /whole number of bytes/],
    [{ store: {} }, /has no method get\(\).*keyvCache/],
    ['on', /must be true, false or/],
  ])('%j is refused at construction', async (cache, says) => {
    const error = await thrown(make(cache))
    expect([error.code, error.message]).toEqual(['invalid_config', expect.stringMatching(says)])
  })

  it('of a route cannot hold a store: the gateway has one cache', async () => {
    const error = await thrown(() => new Gateway({ routes: { smart: { use: scripted('x'), cache: { maxBytes: 5 } as never } } }))
    expect([error.code, error.message]).toEqual(['invalid_config', expect.stringMatching(/go into the options of the gateway/)])
  })
})

it('an answer without a known price saves nothing that could be named', async () => {
  const gateway = new Gateway({ routes: { smart: scripted('Hello') }, cache: true })
  const [first, again] = [await gateway.chat(ask()), await gateway.chat(ask())]
  expect([first.cost.nanos, again.cost.nanos, again.cost.saved]).toEqual([null, 0, 0])
})
