import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { fallback, Gateway, type CallOptions, type ChatResult, type Code, type GatewayError } from '../../src/index.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { leftovers } from '../compositions/left-behind.js'
import { ask, NANOS, scene, USAGE, type Scene } from './cache-scene.js'
import { thrown, witness } from './support.js'

const WORDS = ['Hello ', 'to ', 'you ', 'all.']
const TEXT = WORDS.join('')
/** Commits after 100 ms as a stream, after 400 ms as a chat. */
const SLOW = { chunks: WORDS, usage: USAGE, latencyMs: 100, chunkMs: 100 }
const KINDS = ['chat', 'read'] as const
type Kind = (typeof KINDS)[number]

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))
/** What became of a call: its text or its code. */
const outcome = (work: Promise<ChatResult>): Promise<string> => work.then(({ text }) => text, (error: GatewayError) => error.code)

/** Calls of one kind, each with a hand on its abort. */
function callers(count: number, kind: Kind, at: Scene, options: (caller: number) => CallOptions = () => ({})) {
  const aborts = many(count, () => new AbortController())
  const ends = aborts.map(({ signal }, caller) => outcome(at[kind](ask(), { signal, ...options(caller) })))
  return { abort: (caller: number) => aborts[caller]?.abort(), ends: Promise.all(ends), listeners: () => aborts.map(({ signal }) => getEventListeners(signal, 'abort').length).reduce((a, b) => a + b) }
}

describe.each(KINDS)('identical calls at once by %s', kind => {
  it('are one call upstream: each has the answer and a record, one pays', async () => {
    const at = scene({ answers: SLOW })
    const calls = many(50, () => at[kind]())
    await at.clock.runUntilIdle()
    const results = await Promise.all(calls)
    expect(at.asked()).toBe(1)
    expect(new Set(results.map(({ text }) => text))).toEqual(new Set([TEXT]))
    expect(results.map(({ cached }) => cached)).toEqual([false, ...many(49, () => 'joined')])
    expect(results.map(({ cost }) => [cost.nanos, cost.saved])).toEqual([[NANOS, 0], ...many(49, () => [0, NANOS / 1e9])])
    expect(at.records).toHaveLength(50)
    expect(new Set(at.records.map(({ id }) => id)).size).toBe(50)
    expect(at.records.filter(({ cached }) => cached === 'joined')).toHaveLength(49)
    expect(at.records.reduce((sum, { costNanos }) => sum + (costNanos ?? NaN), 0)).toBe(NANOS)
    expect(at.records.reduce((sum, { savedNanos = 0 }) => sum + savedNanos, 0)).toBe(49 * NANOS)
    expect(at.records.map(({ attempts }) => attempts.length).sort()).toEqual([...many(49, () => 0), 1])
    at.nothingLeft()
    expect((await at[kind]()).cached).toBe('hit')
  })

  it('a caller who leaves ends nothing for the others', async () => {
    const at = scene({ answers: SLOW })
    const { abort, ends, listeners } = callers(5, kind, at)
    await at.clock.advance(150)
    abort(2)
    abort(4)
    expect([at.deployment.calls[0]?.closed, at.deployment.open]).toEqual([false, 1])
    await at.clock.runUntilIdle()
    expect(await ends).toEqual([TEXT, TEXT, 'aborted', TEXT, 'aborted'])
    expect([at.asked(), listeners()]).toEqual([1, 0])
    expect(at.records.map(({ costNanos }) => costNanos).sort()).toEqual([0, 0, 0, 0, NANOS])
    at.nothingLeft()
  })

  it('the opener who leaves passes the bill on', async () => {
    const at = scene({ answers: SLOW })
    const { abort, ends } = callers(3, kind, at)
    await at.clock.advance(150)
    abort(0)
    await at.clock.runUntilIdle()
    expect(await ends).toEqual(['aborted', TEXT, TEXT])
    const [left, payer, joined] = at.records
    expect(left).toMatchObject({ outcome: 'aborted', costNanos: 0, attempts: [] })
    expect(payer).toMatchObject({ outcome: 'success', costNanos: NANOS, attempts: [{ outcome: 'success', costNanos: NANOS }] })
    expect(payer).not.toHaveProperty('cached')
    expect(joined).toMatchObject({ outcome: 'success', costNanos: 0, cached: 'joined', savedNanos: NANOS })
    at.nothingLeft()
  })

  it.each([50, 150, 250])('the last one who leaves, after %i ms, closes the upstream', async afterMs => {
    const at = scene({ answers: SLOW })
    const { abort, ends, listeners } = callers(3, kind, at)
    await at.clock.advance(afterMs)
    abort(0)
    abort(1)
    expect(at.deployment.open).toBe(1)
    abort(2)
    expect(await ends).toEqual(['aborted', 'aborted', 'aborted'])
    expect([at.deployment.open, at.deployment.calls[0]?.aborted, listeners()]).toEqual([0, true, 0])
    at.nothingLeft()
    // Whoever asks then asks anew.
    const again = at[kind]()
    await at.clock.runUntilIdle()
    expect([(await again).text, (await again).cached, at.asked()]).toEqual([TEXT, false, 2])
    at.nothingLeft()
  })

  it('what arrived before the last one left is paid once', async () => {
    const at = scene({ answers: SLOW })
    const { abort, ends } = callers(3, kind, at)
    await at.clock.advance(250)
    for (const caller of [0, 1, 2]) abort(caller)
    await ends
    const paid = at.records.map(({ costNanos }) => costNanos ?? NaN)
    // Two words came to a stream; to a chat over JSON none.
    expect(paid.filter(nanos => nanos > 0)).toHaveLength(kind === 'read' ? 1 : 0)
    expect(at.records.flatMap(({ attempts }) => attempts)).toHaveLength(1)
  })

  it('each has its own deadline', async () => {
    const at = scene({ answers: SLOW })
    const { ends } = callers(3, kind, at, caller => ({ deadlines: { totalMs: [1_000, 200, 350][caller] ?? 0 } }))
    await at.clock.runUntilIdle()
    expect(await ends).toEqual([TEXT, 'timeout', 'timeout'])
    expect([at.asked(), at.records.reduce((sum, { costNanos }) => sum + (costNanos ?? NaN), 0)]).toEqual([1, NANOS])
    at.nothingLeft()
  })

  it('the deadline of the opener is not that of the others', async () => {
    const at = scene({ answers: SLOW })
    const { ends } = callers(2, kind, at, caller => (caller === 0 ? { deadlines: { totalMs: 200 } } : {}))
    await at.clock.runUntilIdle()
    expect([await ends, at.asked()]).toEqual([['timeout', TEXT], 1])
    at.nothingLeft()
  })

  it('close() ends them all, and the upstream', async () => {
    const at = scene({ answers: SLOW })
    const { ends } = callers(3, kind, at)
    await at.clock.advance(150)
    await at.gateway.close()
    expect(await ends).toEqual(['closed', 'closed', 'closed'])
    at.nothingLeft()
  })

  it('a fault is told to each, with its tries once', async () => {
    const at = scene({ answers: [{ fail: { status: 400 }, latencyMs: 100 }, SLOW] })
    const { ends } = callers(3, kind, at)
    await at.clock.runUntilIdle()
    expect([await ends, at.asked()]).toEqual([['invalid_request', 'invalid_request', 'invalid_request'], 1])
    expect(at.records.map(({ attempts }) => attempts.length)).toEqual([1, 0, 0])
    at.nothingLeft()
    const again = at[kind]()
    await at.clock.runUntilIdle()
    expect((await again).text).toBe(TEXT)
  })

  it('a fault has what it cost for the one who pays alone', async () => {
    const at = scene({ answers: { ...SLOW, fail: 'cut', failAfter: 2 }, options: { chatWire: 'stream' } })
    const errors = many(3, () => thrown(() => at[kind]()))
    await at.clock.runUntilIdle()
    const costs = (await Promise.all(errors)).map(({ attempts = [] }) => attempts.reduce((sum, { costNanos = 0 }) => sum + costNanos, 0))
    expect(costs.map(nanos => nanos > 0)).toEqual([true, false, false])
    at.nothingLeft()
  })

  it('where none can be planned, each is told so and asks nobody', async () => {
    const target = scripted({ id: 'd', capabilities: { tools: false }, answers: 'x' })
    const [clock, seen] = [virtualClock(), witness()]
    const gateway = new Gateway({ routes: { smart: target }, clock, cache: true, plugins: [seen] })
    const tools = [{ name: 't', inputSchema: { type: 'object' } }]
    const calls = many(4, () => thrown(async () => (kind === 'chat' ? gateway.chat(ask('Hi', { tools })) : (await gateway.stream(ask('Hi', { tools }))).result())))
    await clock.runUntilIdle()
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(many(4, () => 'no_candidates' satisfies Code))
    expect([target.calls.length, seen.records.map(({ code }) => code), leftovers({ gateway, clock, deployments: [target] })]).toEqual([0, many(4, () => 'no_candidates'), {}])
  })
})

describe('what is not the same call is not joined', () => {
  it('a chat and a stream; other tries or deadlines of a try; who wants no cache, or a new answer', async () => {
    const at = scene({ answers: SLOW })
    const alone: CallOptions[] = [{ retry: { attempts: 2 } }, { deadlines: { idleMs: 5_000 } }, { recover: 'restart' }, { cache: false }, { cache: 'refresh' }]
    const calls = [at.chat(), at.read(), ...alone.map(options => at.chat(ask(), options))]
    await at.clock.runUntilIdle()
    expect((await Promise.all(calls)).map(({ cached }) => cached)).toEqual(calls.map(() => false))
    expect(at.asked()).toBe(calls.length)
    at.nothingLeft()
  })
})

describe('who comes later to a stream', () => {
  it('is given what was said, then what comes, and did not wait before it asked', async () => {
    const at = scene({ answers: SLOW })
    const first = at.read()
    await at.clock.advance(250)
    const later = at.read()
    await at.clock.runUntilIdle()
    const [one, two] = await Promise.all([first, later])
    expect([one.text, two.text, at.asked(), two.cached]).toEqual([TEXT, TEXT, 1, 'joined'])
    expect([one.timings.firstEventMs, two.timings.firstEventMs, two.timings.totalMs]).toEqual([100, 0, 150])
    expect(at.records.map(({ firstEventMs }) => firstEventMs)).toEqual([100, 0])
    at.nothingLeft()
  })

  it('who reads slowly does not hold up the others, and gets it all', async () => {
    const at = scene({ answers: SLOW })
    const slow = at.gateway.stream(ask())
    const fast = at.read()
    await at.clock.advance(400)
    expect((await fast).timings.totalMs).toBe(400)
    const late = await slow
    await at.clock.advance(10_000)
    expect((await late.result()).text).toBe(TEXT)
    at.nothingLeft()
  })

  it('who never reads is let go of at its total deadline, and pays if it opened', async () => {
    const at = scene({ answers: SLOW })
    const never = at.gateway.stream(ask(), { deadlines: { totalMs: 5_000 } })
    const reader = at.read()
    await at.clock.advance(1_000)
    await Promise.all([never, reader])
    expect(at.gateway.health().calls).toBe(1)
    await at.clock.runUntilIdle()
    at.nothingLeft()
    expect(at.records.reduce((sum, { costNanos }) => sum + (costNanos ?? NaN), 0)).toBe(NANOS)
  })
})

describe('a joined stream whose upstream is cut', () => {
  const cut = { ...SLOW, fail: 'cut', failAfter: 2 } as const
  function pair(recover: 'restart' | 'error') {
    const [first, second] = [scripted({ id: 'first', answers: cut, price: { input: 1, output: 2 } }), scripted({ id: 'second', answers: SLOW, price: { input: 1, output: 2 } })]
    const [clock, seen] = [virtualClock(), witness()]
    const gateway = new Gateway({ routes: { smart: fallback(first, second) }, clock, cache: true, recover, retry: { attempts: 1 }, plugins: [seen] })
    const read = async (): Promise<{ readonly types: readonly string[]; readonly text: string; readonly code?: string }> => {
      const types: string[] = []
      let text = ''
      try {
        for await (const event of await gateway.stream(ask())) {
          types.push(event.type)
          if (event.type === 'restart') text = ''
          else if (event.type === 'text-delta') text += event.text
        }
        return { types, text }
      } catch (error) {
        return { types, text, code: (error as GatewayError).code }
      }
    }
    return { first, second, clock, gateway, read, records: seen.records, nothingLeft: () => expect(leftovers({ gateway, clock, deployments: [first, second] })).toEqual({}) }
  }

  it('restarts for all who read it, and is not given again', async () => {
    const { clock, read, first, second, records, nothingLeft, gateway } = pair('restart')
    const reading = many(3, () => read())
    await clock.runUntilIdle()
    for (const { text, types, code } of await Promise.all(reading)) expect([text, types.filter(type => type === 'restart').length, code]).toEqual([TEXT, 1, undefined])
    expect([first.calls.length, second.calls.length, gateway.health().cache?.kept]).toEqual([1, 1, 0])
    expect(records.map(({ costNanos }) => costNanos ?? NaN).filter(nanos => nanos > 0)).toHaveLength(1)
    nothingLeft()
  })

  it('is not joined after its restart: what was said is void', async () => {
    const { clock, read, first, nothingLeft } = pair('restart')
    const early = read()
    await clock.advance(450)
    expect(first.calls[0]?.closed).toBe(true)
    const late = read()
    await clock.runUntilIdle()
    expect([(await early).text, (await late).text, first.calls.length]).toEqual([TEXT, TEXT, 2])
    nothingLeft()
  })

  it('ends for all with the fault, each with what it was given', async () => {
    const { clock, read, first, second, records, nothingLeft } = pair('error')
    const reading = many(3, () => read())
    await clock.runUntilIdle()
    for (const { text, code } of await Promise.all(reading)) expect([text, code]).toEqual(['Hello to ', 'malformed_response'])
    expect([first.calls.length, second.calls.length, records.map(({ outcome: how }) => how)]).toEqual([1, 0, many(3, () => 'failure')])
    expect(records.map(({ costNanos, attempts }) => [(costNanos ?? NaN) > 0, attempts.length])).toEqual([[true, 1], [false, 0], [false, 0]])
    nothingLeft()
  })

  it('of which one reader takes text alone is not restarted under it', async () => {
    const { clock, gateway, read, nothingLeft } = pair('restart')
    const text = thrown(async () => {
      for await (const _ of (await gateway.stream(ask())).textStream);
    })
    const other = read()
    await clock.runUntilIdle()
    expect(await text).toMatchObject({ code: 'malformed_response', partial: { text: 'Hello to ' } })
    expect((await other).code).toBe('malformed_response')
    nothingLeft()
  })
})
