import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChatEvent, FinishEvent } from '../../src/protocol/events.js'
import { answerOf, batchesOf, charsOf, type Batch } from '../../src/state/cache-answer.js'

const ORIGIN = { provider: 'p', model: 'm', deployment: 'd', usage: { inputTokens: 3, outputTokens: 4 }, costNanos: 7 }
const finish = (finishReason: FinishEvent['finishReason'] = 'stop'): ChatEvent => ({ type: 'finish', finishReason, usage: ORIGIN.usage })
const kept = (events: readonly ChatEvent[], maxBytes = 1e6) => answerOf([{ atMs: 0, events }], ORIGIN, 1000, maxBytes)

const text = fc.string({ unit: 'binary', maxLength: 40 })
const event: fc.Arbitrary<ChatEvent> = fc.oneof(
  text.map(value => ({ type: 'text-delta' as const, text: value })),
  text.map(value => ({ type: 'reasoning-delta' as const, text: value })),
  text.map(value => ({ type: 'refusal-delta' as const, text: value })),
  text.map(id => ({ type: 'start' as const, id, model: 'x' })),
  fc.record({ type: fc.constant('tool-call' as const), index: fc.nat(3), id: text, name: text, arguments: text, input: fc.dictionary(text, fc.nat()) }),
  fc.record({ type: fc.constant('file' as const), mediaType: text, data: fc.oneof(text, fc.uint8Array({ maxLength: 50 })) }),
  fc.record({ type: fc.constant('provider-data' as const), dialect: text, data: fc.constant({ signature: 'ab' }), on: fc.constant('text' as const) }),
)

describe('an answer comes back as it went', () => {
  test('through JSON, every event in its batch', () => {
    fc.assert(
      fc.property(fc.array(fc.array(event, { maxLength: 4 }), { maxLength: 6 }), groups => {
        const batches: Batch[] = [...groups, [finish()]].map((events, at) => ({ atMs: at * 10, events }))
        const answer = answerOf(batches, ORIGIN, 1000, Infinity)
        const back = batchesOf(JSON.parse(JSON.stringify(answer)))
        expect(back).toEqual(batches)
      }),
    )
  })

  test('as objects nobody else holds: who changes what it was given changes nothing for the next', () => {
    const call: ChatEvent = { type: 'tool-call', index: 0, id: 'c', name: 'f', arguments: '{"a":1}', input: { a: 1 } }
    const answer = kept([call, finish('tool-calls')])
    const first = batchesOf(answer)?.[0]?.events[0] as { input: { a: number } }
    first.input.a = 99
    ;(call.input as { a: number }).a = 98
    expect(batchesOf(answer)?.[0]?.events[0]).toMatchObject({ input: { a: 1 } })
  })

  test('with who gave it and what it cost', () => {
    expect(kept([finish()])).toMatchObject({ version: 1, storedAtMs: 1000, ...ORIGIN })
  })
})

describe('only what may be given again is kept', () => {
  const hello: ChatEvent = { type: 'text-delta', text: 'hello' }

  test.each(['stop', 'length', 'tool-calls'] as const)('finished by %s', reason => expect(kept([hello, finish(reason)])).toBeDefined())
  test.each(['content-filter', 'other'] as const)('not finished by %s', reason => expect(kept([hello, finish(reason)])).toBeUndefined())
  test('not without a finish', () => expect(kept([hello])).toBeUndefined())
  test('not restarted on the way', () => expect(kept([hello, { type: 'restart', attempt: 2, reason: 'network' }, hello, finish()])).toBeUndefined())
  test('not with a frame that could not be read', () => {
    expect(kept([hello, { type: 'warning', warning: { code: 'frame_skipped', message: 'x' } }, finish()])).toBeUndefined()
    expect(kept([hello, { type: 'warning', warning: { code: 'dropped', message: 'x' } }, finish()])).toBeDefined()
  })
  test('not larger than the bound', () => {
    const long: ChatEvent = { type: 'text-delta', text: 'x'.repeat(1000) }
    expect(kept([long, finish()], 2000)).toBeUndefined()
    expect(kept([long, finish()], 4000)?.size).toBeGreaterThan(2000)
  })
})

test('what is no answer of ours is no hit', () => {
  const answer = kept([finish()])
  for (const value of [null, 'text', [], {}, { ...answer, version: 2 }, { ...answer, batches: 1 }, { ...answer, batches: [] }, { ...answer, batches: [[0, 'thalf']] }, { ...answer, batches: [[0, '{bad']] }, { ...answer, batches: [null] }, { ...answer, storedAtMs: 'x' }]) {
    expect(batchesOf(value)).toBeUndefined()
  }
})

test('the weight of an event grows with what it holds', () => {
  const heavy: ChatEvent[] = [
    { type: 'text-delta', text: 'x'.repeat(500) },
    { type: 'tool-call-delta', index: 0, arguments: 'x'.repeat(500) },
    { type: 'tool-call', index: 0, id: 'a', name: 'b', input: {}, arguments: 'x'.repeat(500) },
    { type: 'file', mediaType: 'a/b', data: new Uint8Array(500) },
    { type: 'provider-data', dialect: 'd', data: 'x'.repeat(500), on: 'text' },
  ]
  for (const one of heavy) expect(charsOf(one)).toBeGreaterThanOrEqual(500)
})
