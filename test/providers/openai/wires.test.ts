import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collect } from '../../../src/protocol/collect.js'
import { chunk, completion, decoder, DONE, play, readJson, stop } from './support.js'

describe('the two wires', () => {
  const cut = (text: string, at: number): string[] => {
    const pieces: string[] = []
    for (let i = 0; i < text.length; i += at) pieces.push(text.slice(i, i + at))
    return pieces
  }
  const answer = fc.record({
    reasoning: fc.string(),
    content: fc.string({ unit: 'binary' }),
    refusal: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
    calls: fc.array(fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), input: fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.jsonValue({ maxDepth: 2 })) }), { maxLength: 3 }),
    finish: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter', 'odd'),
    usage: fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() }),
  })
  it('give the same answer, however the stream was cut', () => {
    fc.assert(
      fc.property(answer, fc.integer({ min: 1, max: 9 }), (said, at) => {
        const list = said.calls.map(({ name, input }, index) => ({ index, id: `id${index}`, type: 'function', function: { name, arguments: JSON.stringify(input) } }))
        const body = completion({ reasoning: said.reasoning, content: said.content, refusal: said.refusal, tool_calls: list }, said.finish, { usage: said.usage })
        const frames = [
          chunk({ role: 'assistant', content: '' }),
          ...cut(said.reasoning, at).map(text => chunk({ reasoning: text, content: '' })),
          ...cut(said.content, at).map(text => chunk({ content: text })),
          ...cut(said.refusal ?? '', at).map(text => chunk({ refusal: text })),
          ...list.flatMap(({ index, id, function: { name, arguments: text } }) => [chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }), ...cut(text, at).map(piece => chunk({ tool_calls: [{ index, function: { arguments: piece } }] }))]),
          stop(said.finish),
          { data: JSON.stringify({ id: 'c1', model: 'm1', choices: [], usage: said.usage }) },
          DONE,
        ]
        expect(collect(play(frames))).toEqual(readJson(body))
      }),
      { numRuns: 300 },
    )
  })
  it('never throw anything but a typed error on JSON from outside, and finish at most once', () => {
    const keys = fc.constantFrom('choices', 'delta', 'message', 'content', 'tool_calls', 'function', 'name', 'arguments', 'id', 'index', 'usage', 'error', 'finish_reason', 'reasoning_details', 'annotations', 'audio', 'images', 'logprobs', 'type', 'text', '__proto__')
    const { wild } = fc.letrec<{ wild: unknown }>(tie => ({
      wild: fc.oneof({ maxDepth: 6 }, fc.constantFrom(null, '', 'stop', 'x', 0, 1, -1, true), fc.array(tie('wild'), { maxLength: 3 }), fc.dictionary(keys, tie('wild'), { maxKeys: 4 })),
    }))
    const shaped = fc.record({ id: wild, model: wild, choices: fc.array(fc.record({ index: fc.constantFrom(0, undefined), delta: wild, message: wild, finish_reason: wild, logprobs: wild }), { maxLength: 2 }), usage: wild })
    fc.assert(
      fc.property(fc.array(fc.oneof(wild, shaped), { maxLength: 5 }), bodies => {
        const tries = [() => play([...bodies.map(body => ({ data: JSON.stringify(body) ?? '' })), DONE]), () => decoder().json(bodies[0])]
        for (const run of tries) {
          try {
            const events = run()
            expect(events.filter(event => event.type === 'finish')).toHaveLength(1)
            expect(events.at(-1)?.type).toBe('finish')
          } catch (error) {
            expect((error as Error).name).toBe('GatewayError')
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})
