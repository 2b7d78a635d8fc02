import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collect, Collector, messageOf } from '../../src/protocol/collect.js'
import type { ChatEvent } from '../../src/protocol/events.js'

const text = (value: string): ChatEvent => ({ type: 'text-delta', text: value })
const thought = (value: string): ChatEvent => ({ type: 'reasoning-delta', text: value })
const data = (on: 'text' | 'reasoning' | 'tool-call' | 'message', value: Record<string, string>, dialect = 'mine'): ChatEvent => ({ type: 'provider-data', dialect, on, data: value })
const started = (index: number): ChatEvent => ({ type: 'tool-call-start', index, id: `c${index}`, name: 'look' })
const called = (index: number): ChatEvent => ({ type: 'tool-call', index, id: `c${index}`, name: 'look', input: { index }, arguments: `{"index":${index}}` })
const finish: ChatEvent = { type: 'finish', finishReason: 'stop', usage: { inputTokens: 1, outputTokens: 2 } }
const origin = { provider: 'p', model: 'm', deployment: 'd' }

const anyEvent: fc.Arbitrary<ChatEvent> = fc.oneof(
  fc.string().map(text),
  fc.string().map(thought),
  fc.string().map((value): ChatEvent => ({ type: 'refusal-delta', text: value })),
  fc.nat(3).map(started),
  fc.nat(3).map(called),
  fc.constantFrom('text', 'reasoning', 'tool-call', 'message').map(on => data(on as 'text', { k: 'v' })),
  fc.string().map((title): ChatEvent => ({ type: 'citation', title })),
  fc.constant<ChatEvent>({ type: 'file', mediaType: 'image/png', data: 'aGk=' }),
  fc.constant<ChatEvent>({ type: 'logprobs', tokens: [{ token: 'a', logprob: -1 }] }),
)

describe('a fold over events', () => {
  it('keeps the order of the parts and joins what belongs together', () => {
    const { content, text: all, reasoning } = collect([thought('a'), thought('b'), text('c'), text('d'), thought('e'), finish])
    expect(content).toEqual([{ type: 'reasoning', text: 'ab' }, { type: 'text', text: 'cd' }, { type: 'reasoning', text: 'e' }])
    expect([all, reasoning]).toEqual(['cd', 'abe'])
  })

  it('does not depend on where the text was cut', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(text, thought), fc.array(fc.string({ minLength: 1 }), { minLength: 1 })), { maxLength: 8 }), blocks => {
        const cut = blocks.flatMap(([make, pieces]) => pieces.map(make))
        const whole = blocks.map(([make, pieces]) => make(pieces.join('')))
        expect(collect(cut)).toEqual(collect(whole))
      }),
    )
  })

  it('after a restart is the fold of what came after it: no word, call or signature of the void answer is left', () => {
    fc.assert(
      fc.property(fc.array(anyEvent), fc.array(anyEvent), (before, after) => {
        const restarted = collect([{ type: 'start', id: 'old', model: 'old' }, ...before, { type: 'restart', attempt: 2, reason: 'network' }, { type: 'start', id: 'new', model: 'new' }, ...after, finish])
        expect(restarted).toEqual(collect([{ type: 'start', id: 'new', model: 'new' }, ...after, finish]))
      }),
    )
  })

  it('keeps the warnings over a restart', () => {
    const warning: ChatEvent = { type: 'warning', warning: { code: 'dropped', message: 'topK was dropped.' } }
    expect(collect([warning, text('a'), { type: 'restart', attempt: 2, reason: 'network' }, text('b'), finish]).warnings).toHaveLength(1)
  })

  it('its partial is what its result would say, at every step', () => {
    fc.assert(
      fc.property(fc.array(anyEvent), events => {
        const collector = new Collector()
        for (const [at, event] of events.entries()) {
          collector.add(event)
          const { text: all, reasoning, toolCalls } = collect(events.slice(0, at + 1))
          expect(collector.partial()).toEqual({ text: all, reasoning, toolCalls })
        }
      }),
    )
  })

  it('two signed reasoning blocks stay two, each with its own signature', () => {
    const { content } = collect([thought('a'), data('reasoning', { signature: '1' }), thought('b'), data('reasoning', { signature: '2' }), text('c'), finish])
    expect(content).toEqual([
      { type: 'reasoning', text: 'a', providerData: { mine: { signature: '1' } } },
      { type: 'reasoning', text: 'b', providerData: { mine: { signature: '2' } } },
      { type: 'text', text: 'c' },
    ])
  })

  it('a signature without a text keeps a part of its own', () => {
    expect(collect([data('reasoning', { encrypted: 'x' }), text('a'), finish]).content[0]).toEqual({ type: 'reasoning', text: '', providerData: { mine: { encrypted: 'x' } } })
  })

  it('data of a tool call lands on that call, before it is whole and after', () => {
    const { content } = collect([started(0), data('tool-call', { early: '1' }), called(0), started(1), called(1), data('tool-call', { late: '2' }), finish])
    expect(content).toMatchObject([{ id: 'c0', providerData: { mine: { early: '1' } } }, { id: 'c1', providerData: { mine: { late: '2' } } }])
  })

  it('data of a message is merged by dialect, and hostile names of dialects stay names', () => {
    const { providerMetadata } = collect([data('message', { a: '1' }), data('message', { b: '2' }), data('message', { polluted: 'yes' }, '__proto__'), finish])
    expect(providerMetadata['mine']).toEqual({ a: '1', b: '2' })
    expect(Object.keys(providerMetadata)).toContain('__proto__')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('citations belong to the text they stand in', () => {
    const { content } = collect([text('a'), { type: 'citation', url: 'https://a.example' }, { type: 'citation', title: 'B' }, finish])
    expect(content).toEqual([{ type: 'text', text: 'a', citations: [{ url: 'https://a.example' }, { title: 'B' }] }])
  })

  it('log probabilities, files and a refusal are kept', () => {
    const file: ChatEvent = { type: 'file', mediaType: 'image/png', data: new Uint8Array([1]) }
    const logprobs: ChatEvent = { type: 'logprobs', tokens: [{ token: 'a', logprob: -1 }] }
    const folded = collect([{ type: 'refusal-delta', text: 'I ' }, { type: 'refusal-delta', text: 'will not.' }, file, logprobs, logprobs, finish])
    expect(folded).toMatchObject({ refusal: 'I will not.', files: [{ mediaType: 'image/png' }], logprobs: [{ token: 'a' }, { token: 'a' }], finish })
    expect(folded.content.map(part => part.type)).toEqual(['refusal', 'file'])
  })
})

describe('the message of an answer', () => {
  it('is a plain text where nothing else is in it', () => {
    expect(messageOf(collect([text('a'), text('b'), finish]), origin)).toEqual({ role: 'assistant', content: 'ab', origin })
  })

  it('keeps its parts where one of them means more than its text', () => {
    const signed = messageOf(collect([text('a'), data('text', { signature: '1' }), finish]), origin)
    expect(signed.content).toEqual([{ type: 'text', text: 'a', providerData: { mine: { signature: '1' } } }])
    expect(messageOf(collect([text('a'), started(0), called(0), finish]), origin).content).toMatchObject([{ type: 'text' }, { type: 'tool-call', id: 'c0', arguments: '{"index":0}' }])
  })
})
