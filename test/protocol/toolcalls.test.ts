import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import { ToolCalls } from '../../src/protocol/toolcalls.js'

type Whole = Extract<ChatEvent, { type: 'tool-call' }>
const wholeOf = (events: readonly ChatEvent[]) => events.filter((event): event is Whole => event.type === 'tool-call')

const cut = fc.tuple(fc.jsonValue({ maxDepth: 3 }).map(value => JSON.stringify({ value })), fc.array(fc.nat(), { maxLength: 6 })).map(([text, points]) => {
  const at = [...new Set([0, ...points.map(point => point % (text.length + 1)), text.length])].sort((a, b) => a - b)
  return { text, pieces: at.slice(1).map((end, i) => text.slice(at[i], end)) }
})

describe('tool calls put together from fragments', () => {
  it('are the same however they were cut and interleaved', () => {
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat()), (calls, dice) => {
        const tools = new ToolCalls()
        const out: ChatEvent[] = []
        calls.forEach((_, key) => tools.start(key, `id${key}`, `name${key}`, out))
        const left = calls.map(({ pieces }, key) => ({ key, pieces: [...pieces] }))
        for (let open = left; open.length > 0; open = open.filter(({ pieces }) => pieces.length > 0)) {
          const one = open[(dice.next().value ?? 0) % open.length]
          tools.delta(one?.key ?? 0, one?.pieces.shift() ?? '', out)
        }
        tools.completeAll(out)
        const whole = wholeOf(out)
        expect(whole.map(call => call.arguments)).toEqual(calls.map(({ text }) => text))
        expect(whole.map(call => call.input)).toEqual(calls.map(({ text }) => JSON.parse(text) as unknown))
        expect(whole.map(call => call.index)).toEqual(calls.map((_, at) => at))
        // The deltas of each call are its arguments: a reader of deltas sees no less than a reader of calls.
        calls.forEach(({ text }, index) => expect(out.map(event => (event.type === 'tool-call-delta' && event.index === index ? event.arguments : '')).join('')).toBe(text))
        expect([tools.pending, tools.count]).toEqual([false, calls.length])
      }),
    )
  })

  it('numbers them from 0 whatever the provider calls them, and makes an id where there is none', () => {
    const tools = new ToolCalls(index => `made_${index}`)
    const out: ChatEvent[] = []
    tools.start('fc_9', undefined, 'a', out)
    tools.start(7, 'given', 'b', out)
    tools.completeAll(out)
    expect(wholeOf(out).map(({ index, id, name }) => [index, id, name])).toEqual([[0, 'made_0', 'a'], [1, 'given', 'b']])
  })

  it.each(['', '  ', 'null', ' null '])('arguments that are %j are none', text => {
    const tools = new ToolCalls()
    const out: ChatEvent[] = []
    tools.start(0, 'c', 'a', out)
    tools.delta(0, text, out)
    tools.complete(0, out)
    expect(wholeOf(out)).toMatchObject([{ input: {}, arguments: '{}' }])
  })

  it('half a call is a fault and never a call', () => {
    fc.assert(
      fc.property(cut, fc.nat(), ({ text }, at) => {
        const tools = new ToolCalls()
        const out: ChatEvent[] = []
        tools.start(0, 'c', 'a', out)
        tools.delta(0, text.slice(0, 1 + (at % (text.length - 1))), out)
        expect(() => tools.complete(0, out)).toThrow(GatewayError)
        expect(wholeOf(out)).toEqual([])
      }),
    )
  })

  it('an answer cut by its length keeps the calls that are whole and drops the half one', () => {
    const tools = new ToolCalls()
    const out: ChatEvent[] = []
    tools.start(0, 'c0', 'a', out)
    tools.delta(0, '{"a":1}', out)
    tools.start(1, 'c1', 'b', out)
    tools.delta(1, '{"b":', out)
    tools.start(2, 'c2', 'c', out)
    tools.delta(2, '"text', out)
    tools.completeWhole(out)
    expect(wholeOf(out).map(({ id }) => id)).toEqual(['c0'])
    expect(tools.pending).toBe(false)
  })

  it('a call completes once, and fragments of a call nobody started are nothing', () => {
    const tools = new ToolCalls()
    const out: ChatEvent[] = []
    tools.delta(5, '{}', out)
    tools.complete(5, out)
    expect(out).toEqual([])
    tools.start(0, 'c', 'a', out)
    tools.complete(0, out)
    tools.complete(0, out)
    expect(wholeOf(out)).toHaveLength(1)
  })

  it('what a broken call says is not in the error', () => {
    const tools = new ToolCalls()
    tools.start(0, 'c', 'a', [])
    tools.delta(0, 'private words', [])
    expect(() => tools.complete(0, [])).toThrow(expect.objectContaining({ code: 'malformed_response', message: expect.not.stringContaining('private') as string }) as Error)
  })
})
