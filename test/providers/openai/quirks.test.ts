import { describe, expect, it } from 'vitest'
import type { Message } from '../../../src/protocol/request.js'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import type { Quirks } from '../../../src/providers/openai/quirks.js'
import { encoded } from './support.js'

const ask: Message = { role: 'user', content: 'Hello' }
const sent = (messages: readonly Message[], quirks: Quirks = {}) => encoded({ messages }, quirks).body['messages']

describe('turns', () => {
  it('are taken strictly where a server wants that: neighbours are joined, tool calls are not lost', () => {
    const image = { type: 'image', image: 'https://a.example/a.png' } as const
    const list: Message[] = [{ role: 'system', content: 's' }, { role: 'system', content: 't' }, ask, { role: 'user', content: 'b' }, { role: 'assistant', content: 'c' }, { role: 'assistant', content: 'd' }, ask, { role: 'user', content: [image] }]
    expect(sent(list, QUIRKS.perplexity)).toEqual([
      { role: 'system', content: 's' }, { role: 'system', content: 't' }, { role: 'user', content: 'Hello\n\nb' }, { role: 'assistant', content: 'c\n\nd' },
      { role: 'user', content: [{ type: 'text', text: 'Hello' }, { type: 'image_url', image_url: { url: 'https://a.example/a.png' } }] },
    ])
    const calls: Message[] = [ask, { role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'f', input: {} }] }, { role: 'assistant', content: 'c' }]
    expect(sent(calls, QUIRKS.perplexity)).toMatchObject([{}, { tool_calls: [{ id: 'a' }] }, { content: 'c' }])
    expect(sent(list)).toHaveLength(list.length)
  })
})

describe('the wish for reasoning', () => {
  it('goes out alone to a model that refuses to be told how it is shown', () => {
    const { body } = encoded({ reasoning: { effort: 'low' } }, QUIRKS.groq, { model: 'openai/gpt-oss-120b' })
    expect(body).toEqual({ model: 'openai/gpt-oss-120b', messages: [ask], reasoning_effort: 'low' })
  })
  it('asks for a stream where a server reasons in streams only, and only then', () => {
    const stream = { stream: true, stream_options: { include_usage: true } }
    const { call, body } = encoded({ reasoning: { effort: 'high' } }, QUIRKS.alibaba)
    expect([body, call.headers['accept']]).toEqual([expect.objectContaining({ enable_thinking: true, ...stream }), 'text/event-stream'])
    for (const reasoning of [undefined, { effort: 'none' }, { budgetTokens: 0 }] as const) expect(encoded(reasoning === undefined ? {} : { reasoning }, QUIRKS.alibaba).body).not.toHaveProperty('stream')
    expect(encoded({ reasoning: { effort: 'high' } }, QUIRKS.siliconflow).body).not.toHaveProperty('stream')
  })
})
