import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/protocol/secret.js'
import type { Message, UpstreamRequest } from '../../../src/protocol/request.js'
import { cohere } from '../../../src/index.js'
import { caught, TOOL } from '../support.js'
import { bench } from './support.js'

const ME = { provider: 'cohere', model: 'command-a-03-2025', deployment: 'd' }
const user: Message = { role: 'user', content: 'Hello' }
const sent = (...messages: Message[]) => bench.encode({ messages }).body['messages'] as unknown[]
const looked = { type: 'tool-call', id: 'a', name: 'look', input: { x: 1 } } as const

describe('a request', () => {
  it('goes to v2/chat, with the wire alone deciding about the stream', () => {
    const { call, body } = bench.encode({ providerOptions: { cohere: { stream: false, safety_mode: 'OFF' } } }, {}, 'stream')
    expect(call).toMatchObject({ method: 'POST', url: 'https://api.cohere.com/v2/chat', headers: { accept: 'text/event-stream' } })
    expect(body).toEqual({ model: 'command-a-03-2025', messages: [user], safety_mode: 'OFF', stream: true })
  })
  it('has the key in one header and nowhere else', async () => {
    const { call } = bench.encode()
    expect(await bench.adapter.authorize(call, new Secret('k-1'))).toEqual({ ...call, headers: { ...call.headers, authorization: 'Bearer k-1' } })
  })
  it('asks for a sign of life where the models are listed', () => {
    expect(bench.adapter.probe?.(bench.target).url).toBe('https://api.cohere.com/v1/models?page_size=1')
  })
})

describe('parameters', () => {
  it('have the names of the wire', () => {
    const { body, warnings } = bench.encode({ maxOutputTokens: 9, temperature: 0.5, topP: 0.9, topK: 40, seed: 7, stop: 'x', frequencyPenalty: 0.1, presencePenalty: 0.2, logprobs: true })
    expect(body).toMatchObject({ max_tokens: 9, temperature: 0.5, p: 0.9, k: 40, seed: 7, stop_sequences: ['x'], frequency_penalty: 0.1, presence_penalty: 0.2, logprobs: true })
    expect(warnings).toEqual([])
  })
  it('that go too far for the wire are fitted, and said', () => {
    const { body, codes } = bench.encode({ topP: 1, topK: 900, frequencyPenalty: -1, presencePenalty: 1.5, stop: ['1', '2', '3', '4', '5', '6'], logprobs: 3 })
    expect(body).toMatchObject({ p: 0.99, k: 500, frequency_penalty: 0, presence_penalty: 1, stop_sequences: ['1', '2', '3', '4', '5'], logprobs: true })
    expect(codes).toEqual(['changed topP', 'changed topK', 'changed frequencyPenalty', 'changed presencePenalty', 'dropped stop', 'unsupported logprobs'])
  })
  it.each<[string, UpstreamRequest['reasoning'], unknown, readonly string[]]>([
    ['no wish', undefined, undefined, []],
    ['off', { effort: 'none' }, { type: 'disabled' }, []],
    ['off by budget', { budgetTokens: 0 }, { type: 'disabled' }, []],
    ['a budget', { budgetTokens: 500 }, { type: 'enabled', token_budget: 500 }, []],
    ['an effort', { effort: 'high' }, { type: 'enabled' }, ['changed reasoning.effort']],
  ])('say %s about reasoning', (_, reasoning, thinking, codes) => {
    const made = bench.encode(reasoning === undefined ? {} : { reasoning })
    expect([made.body['thinking'], made.codes]).toEqual([thinking, codes])
  })
  it('do not ask a model to reason that does not', () => {
    const made = bench.encode({ reasoning: { effort: 'high' } }, { capabilities: { reasoning: false } })
    expect([made.body['thinking'], made.codes]).toEqual([undefined, ['unsupported reasoning']])
  })
})

describe('tools', () => {
  const other = { name: 'other', inputSchema: { type: 'object' } }
  it.each<[UpstreamRequest['toolChoice'], unknown, number]>([[undefined, undefined, 2], ['auto', undefined, 2], ['none', 'NONE', 2], ['required', 'REQUIRED', 2], [{ name: 'look' }, 'REQUIRED', 1]])('with the choice %o', (toolChoice, choice, shown) => {
    const { body, warnings } = bench.encode({ tools: [TOOL, other], ...(toolChoice !== undefined && { toolChoice }) })
    expect([body['tool_choice'], (body['tools'] as unknown[]).length, warnings]).toEqual([choice, shown, []])
  })
  it('are strict together or not at all', () => {
    expect(bench.encode({ tools: [{ ...TOOL, strict: true }] }).body['strict_tools']).toBe(true)
    const mixed = bench.encode({ tools: [{ ...TOOL, strict: true }, other], parallelToolCalls: false })
    expect([mixed.body['strict_tools'], mixed.codes]).toEqual([undefined, ['unsupported parallelToolCalls', 'unsupported tools']])
    expect(bench.encode({ toolChoice: 'required' }).codes).toEqual(['unsupported toolChoice'])
  })
  it('of the provider go as they stand, those of another not at all', () => {
    const { body, codes } = bench.encode({ tools: [{ providerData: { cohere: { block: { type: 'x' } } } }, { providerData: { anthropic: { block: {} } } }] })
    expect([body['tools'], codes]).toEqual([[{ type: 'x' }], ['dropped tools']])
  })
  it('take the place of a schema for the answer, which goes into the prompt', () => {
    const output = { name: 'o', jsonSchema: { type: 'object' } }
    expect(bench.encode({ output }).body['response_format']).toEqual({ type: 'json_object', json_schema: { type: 'object' } })
    const { body, codes } = bench.encode({ output, tools: [TOOL] })
    expect(body['response_format']).toBeUndefined()
    expect(body['messages']).toMatchObject([{ role: 'system', content: expect.stringContaining('{"type":"object"}') }, user])
    expect(codes).toEqual(['changed output'])
  })
})

describe('an assistant turn with calls', () => {
  const turn = (content: Extract<Message, { role: 'assistant' }>['content'], origin = ME): Message[] => [user, { role: 'assistant', content, origin }, { role: 'tool', toolCallId: 'a', content: 'ok' }]
  const planned = { ...looked, providerData: { cohere: { tool_plan: 'I look.' } } }
  it('has the plan it was made with and no content', () => {
    expect(sent(...turn([planned]))[1]).toEqual({ role: 'assistant', tool_plan: 'I look.', tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{"x":1}' } }] })
  })
  it('has the text before the calls as its plan, where another model made it', () => {
    expect(sent(...turn([{ type: 'text', text: 'Let me look.' }, planned], { ...ME, model: 'other' }))[1]).toMatchObject({ tool_plan: 'Let me look.' })
  })
  it('says that reasoning stays behind', () => {
    const { body, codes } = bench.encode({ messages: turn([{ type: 'reasoning', text: 'hm' }, planned]) })
    expect((body['messages'] as unknown[])[1]).not.toHaveProperty('content')
    expect(codes).toEqual(['dropped messages'])
  })
  it('sends {} for a call without arguments', () => {
    expect(sent(...turn([{ ...looked, input: undefined, arguments: '' }]))[1]).toMatchObject({ tool_calls: [{ function: { arguments: '{}' } }] })
  })
})

describe('messages', () => {
  it('keep the reasoning of this model only', () => {
    const content = [{ type: 'reasoning', text: 'hm' }, { type: 'text', text: 'Yes.' }] as const
    expect(sent(user, { role: 'assistant', content, origin: ME }, user)[1]).toEqual({ role: 'assistant', content: [{ type: 'thinking', thinking: 'hm' }, { type: 'text', text: 'Yes.' }] })
    const foreign = bench.encode({ messages: [user, { role: 'assistant', content, origin: { ...ME, model: 'other' } }, user] })
    expect([(foreign.body['messages'] as unknown[])[1], foreign.codes]).toEqual([{ role: 'assistant', content: 'Yes.' }, ['dropped messages']])
  })
  it('have pictures as addresses or data URLs, and text files as text', () => {
    const content = [
      { type: 'image', image: 'https://a.example/b.png', detail: 'low' },
      { type: 'image', image: new Uint8Array([1, 2]), mediaType: 'image/png' },
      { type: 'file', data: new TextEncoder().encode('hi'), mediaType: 'text/plain', filename: 'a.txt' },
    ] as const
    expect(sent({ role: 'user', content })).toEqual([{ role: 'user', content: [
      { type: 'image_url', image_url: { url: 'https://a.example/b.png', detail: 'low' } },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AQI=' } },
      { type: 'text', text: 'a.txt:\nhi' },
    ] }])
  })
  it.each<[string, Extract<Message, { role: 'user' }>['content']]>([
    ['a PDF', [{ type: 'file', data: 'AQI=', mediaType: 'application/pdf' }]],
    ['a sound', [{ type: 'audio', data: 'AQI=', format: 'mp3' }]],
    ['a picture without a type', [{ type: 'image', image: new Uint8Array([1]) }]],
  ])('with %s are refused before they are sent', (_, content) => {
    expect(caught(() => sent({ role: 'user', content })).code).toBe('invalid_request')
  })
  it('move the picture of a tool result behind the last result of the turn', () => {
    const call: Message = { role: 'assistant', content: [looked, { ...looked, id: 'b' }] }
    const results: Message[] = [{ role: 'tool', toolCallId: 'a', content: [{ type: 'image', image: 'https://a.example/b.png' }] }, { role: 'tool', toolCallId: 'b', content: 'ok' }]
    const { body, codes } = bench.encode({ messages: [user, call, ...results] })
    expect((body['messages'] as unknown[]).slice(2)).toMatchObject([
      { role: 'tool', tool_call_id: 'a', content: 'The result is attached in the next user message.' },
      { role: 'tool', tool_call_id: 'b', content: 'ok' },
      { role: 'user', content: [{ type: 'text' }, { type: 'image_url' }] },
    ])
    expect(codes).toEqual(['changed messages[2].content'])
  })
  it('say what the dialect has no place for', () => {
    const { body, codes } = bench.encode({ messages: [{ role: 'developer', content: 'Be brief.' }, { ...user, name: 'ann' }, { role: 'assistant', content: 'I' }], prefill: true })
    expect(body['messages']).toEqual([{ role: 'system', content: 'Be brief.' }, user, { role: 'assistant', content: 'I' }])
    expect(codes).toEqual(['unsupported prefill', 'unsupported messages'])
  })
})

describe('a deployment', () => {
  it('knows its server, its keys, and that it takes no sound', () => {
    expect(cohere('command-a-03-2025')).toMatchObject({ id: 'cohere/command-a-03-2025', capabilities: { audio: false }, reach: { baseUrl: 'https://api.cohere.com/v2', env: ['COHERE_API_KEY', 'CO_API_KEY'], keyless: false } })
    expect(cohere('m', { baseUrl: 'https://proxy.example/v2' }).reach).not.toHaveProperty('env')
  })
  it.each<[string, () => unknown]>([['no model', () => cohere('')], ['options that are none', () => cohere('m', null as never)], ['an option nobody knows', () => cohere('m', { safetyMode: 'OFF' } as never)]])('refuses %s', (_, run) => {
    expect(caught(run).code).toBe('invalid_config')
  })
})
