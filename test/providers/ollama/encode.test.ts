import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/protocol/secret.js'
import type { Message, UpstreamRequest } from '../../../src/protocol/request.js'
import { ollama } from '../../../src/index.js'
import type { OllamaOptions } from '../../../src/providers/ollama/index.js'
import { caught, TOOL } from '../support.js'
import { bench } from './support.js'

const user: Message = { role: 'user', content: 'Hello' }
const ME = { provider: 'ollama', model: 'qwen3:8b', deployment: 'd' }
const sent = (...messages: Message[]) => bench().encode({ messages }).body['messages'] as unknown[]

describe('a request', () => {
  it('goes to the native address, with the wire alone deciding about the stream', () => {
    const { call, body } = bench().encode({ providerOptions: { ollama: { stream: false, keep_alive: '5m' } } }, {}, 'stream')
    expect(call).toMatchObject({ method: 'POST', url: 'http://127.0.0.1:11434/api/chat', headers: { accept: 'application/x-ndjson' } })
    expect(body).toEqual({ model: 'qwen3:8b', messages: [user], keep_alive: '5m', stream: true })
    // Left out, it would be true.
    expect(bench().encode().body['stream']).toBe(false)
  })
  it('has a key in one header only, where there is one', async () => {
    const { call } = bench().encode()
    expect(await bench().adapter.authorize(call, new Secret('k-1'))).toEqual({ ...call, headers: { ...call.headers, authorization: 'Bearer k-1' } })
  })
  it('asks for a sign of life without loading a model', () => {
    expect(bench().adapter.probe?.(bench().target)).toMatchObject({ method: 'GET', url: 'http://127.0.0.1:11434/api/tags' })
  })
  it('has its parameters among the options', () => {
    const { body, warnings } = bench(8192).encode({ maxOutputTokens: 9, temperature: 0.5, topP: 0.9, topK: 40, seed: 7, stop: 'x', frequencyPenalty: -0.1, presencePenalty: 0.2, logprobs: 2 })
    expect(body).toMatchObject({ options: { num_ctx: 8192, num_predict: 9, temperature: 0.5, top_p: 0.9, top_k: 40, seed: 7, stop: ['x'], frequency_penalty: -0.1, presence_penalty: 0.2 }, logprobs: true, top_logprobs: 2 })
    expect(warnings).toEqual([])
  })
  it('joins options of the caller with its own', () => {
    expect(bench(8192).encode({ temperature: 1, providerOptions: { ollama: { options: { mirostat: 1, num_ctx: 4096 } } } }).body['options']).toEqual({ num_ctx: 4096, temperature: 1, mirostat: 1 })
  })
  it('has the schema of the answer as its format', () => {
    expect(bench().encode({ output: { name: 'o', jsonSchema: { type: 'object' } } }).body['format']).toEqual({ type: 'object' })
  })
})

describe('a prompt that is longer than the context', () => {
  const long: Partial<UpstreamRequest> = { messages: [{ role: 'user', content: 'word '.repeat(4000) }] }
  it('is said to be cut, for the server does not say it', () => {
    const { warnings } = bench(4096).encode(long)
    expect(warnings).toMatchObject([{ code: 'other', parameter: 'messages', message: expect.stringContaining('4096') }])
    expect(bench().encode({ ...long, providerOptions: { ollama: { options: { num_ctx: 2048 } } } }).codes).toEqual(['other messages'])
  })
  it('is no matter where it fits, or nothing is known of the context', () => {
    expect([...bench(8192).encode(long).warnings, ...bench().encode(long).warnings]).toEqual([])
  })
})

describe('reasoning', () => {
  it.each<[string, UpstreamRequest['reasoning'], unknown, readonly string[]]>([
    ['qwen3:8b', { effort: 'high' }, true, ['changed reasoning.effort']],
    ['qwen3:8b', { effort: 'none' }, false, []],
    ['qwen3:8b', { budgetTokens: 500 }, true, ['dropped reasoning.budgetTokens']],
    ['qwen3:8b', { budgetTokens: 0 }, false, []],
    ['gpt-oss:20b', { effort: 'low' }, 'low', []],
    ['gpt-oss:20b', { effort: 'max' }, 'high', ['changed reasoning.effort']],
    ['lab/gpt-oss', { effort: 'none' }, 'low', ['changed reasoning.effort']],
  ])('of %s asked for as %o', (model, reasoning, think, codes) => {
    const made = bench().encode({ reasoning: reasoning ?? {} }, { model })
    expect([made.body['think'], made.codes]).toEqual([think, codes])
  })
  it('is not asked of a model that does not reason, which would answer 400', () => {
    const made = bench().encode({ reasoning: { effort: 'high' } }, { capabilities: { reasoning: false } })
    expect([made.body['think'], made.codes]).toEqual([undefined, ['unsupported reasoning']])
  })
})

describe('tools', () => {
  const other = { name: 'other', inputSchema: { type: 'object' } }
  it.each<[UpstreamRequest['toolChoice'], number | undefined, readonly string[]]>([['auto', 2, []], ['none', undefined, []], ['required', 2, ['unsupported toolChoice']], [{ name: 'look' }, 1, ['unsupported toolChoice']]])('with the choice %o', (toolChoice, shown, codes) => {
    const made = bench().encode({ tools: [TOOL, other], ...(toolChoice !== undefined && { toolChoice }) })
    expect([(made.body['tools'] as unknown[] | undefined)?.length, made.codes]).toEqual([shown, codes])
  })
  it('say what cannot be asked for', () => {
    const made = bench().encode({ tools: [{ ...TOOL, strict: true }, { providerData: { anthropic: { block: {} } } }], parallelToolCalls: false })
    expect(made.body['tools']).toEqual([{ type: 'function', function: { name: 'look', parameters: TOOL.inputSchema } }])
    expect(made.codes).toEqual(['unsupported tools', 'dropped tools', 'unsupported parallelToolCalls'])
  })
  it('have arguments as an object, and results that name their tool', () => {
    const call = { type: 'tool-call', id: 'a', name: 'look' } as const
    expect(sent(user, { role: 'assistant', content: [{ ...call, input: undefined, arguments: '{"x":1}' }] }, { role: 'tool', toolCallId: 'a', content: 'ok' }).slice(1)).toEqual([
      { role: 'assistant', content: '', tool_calls: [{ id: 'a', function: { name: 'look', arguments: { x: 1 } } }] },
      { role: 'tool', content: 'ok', tool_call_id: 'a', tool_name: 'look' },
    ])
    const odd = bench().encode({ messages: [user, { role: 'assistant', content: [{ ...call, input: [1] }, { ...call, id: 'b', input: undefined, arguments: '' }] }] })
    expect((odd.body['messages'] as unknown[])[1]).toMatchObject({ tool_calls: [{ function: { arguments: { value: [1] } } }, { function: { arguments: {} } }] })
    expect(odd.codes).toEqual(['changed messages'])
  })
})

describe('messages', () => {
  it('have pictures beside their text, as bare base64', () => {
    const content = [{ type: 'text', text: 'See' }, { type: 'image', image: 'data:image/png;base64,AQI=' }, { type: 'image', image: new Uint8Array([1, 2]), mediaType: 'image/png' }, { type: 'file', data: 'AQI=', mediaType: 'image/png' }, { type: 'file', data: new TextEncoder().encode('hi'), mediaType: 'text/plain', filename: 'a.txt' }] as const
    expect(sent({ role: 'user', content })).toEqual([{ role: 'user', content: 'See\na.txt:\nhi', images: ['AQI=', 'AQI=', 'AQI='] }])
  })
  it.each<[string, Extract<Message, { role: 'user' }>['content']]>([
    ['a picture at an address', [{ type: 'image', image: 'https://a.example/b.png' }]],
    ['a PDF', [{ type: 'file', data: 'AQI=', mediaType: 'application/pdf' }]],
    ['a sound', [{ type: 'audio', data: 'AQI=', format: 'mp3' }]],
  ])('with %s are refused before they are sent', (_, content) => {
    expect(caught(() => sent({ role: 'user', content })).code).toBe('invalid_request')
  })
  it('keep the thinking of this model only', () => {
    const content = [{ type: 'reasoning', text: 'Hm.' }, { type: 'text', text: 'Four.' }] as const
    expect(sent(user, { role: 'assistant', content, origin: ME }, user)[1]).toEqual({ role: 'assistant', content: 'Four.', thinking: 'Hm.' })
    const foreign = bench().encode({ messages: [user, { role: 'assistant', content, origin: { ...ME, model: 'other' } }, user] })
    expect([(foreign.body['messages'] as unknown[])[1], foreign.codes]).toEqual([{ role: 'assistant', content: 'Four.' }, ['dropped messages']])
  })
  it('say what may not work', () => {
    const half: Partial<UpstreamRequest> = { messages: [{ role: 'developer', content: 'Be brief.' }, { ...user, name: 'ann' }, { role: 'assistant', content: 'I' }], prefill: true }
    const { body, codes } = bench().encode(half)
    expect(body['messages']).toEqual([{ role: 'system', content: 'Be brief.' }, user, { role: 'assistant', content: 'I' }])
    expect(codes).toEqual(['unsupported prefill', 'unsupported messages'])
    expect(bench().encode(half, { capabilities: { prefill: true } }).codes).toEqual(['unsupported messages'])
  })
  it('carry fields the caller wrote for this dialect', () => {
    expect(sent({ role: 'user', content: [{ type: 'text', text: 'Hi', providerData: { ollama: { block: { content: 'Ho' } } } }] })).toEqual([{ role: 'user', content: 'Ho' }])
  })
})

describe('a deployment', () => {
  it('needs no key, and takes its context for its window', () => {
    expect(ollama('qwen3:8b', { numCtx: 8192 })).toMatchObject({ id: 'ollama/qwen3:8b', capabilities: { audio: false, contextWindow: 8192 }, reach: { baseUrl: 'http://127.0.0.1:11434', keyless: true } })
    expect(ollama('qwen3:8b', { numCtx: 8192, capabilities: { contextWindow: 4096 } }).capabilities.contextWindow).toBe(4096)
  })
  it.each<[string, unknown]>([
    ['options that are none', null],
    ['a context that is no number', { numCtx: '8k' }],
    ['a context of nothing', { numCtx: 0 }],
    ['the address of the other wire', { baseUrl: 'http://127.0.0.1:11434/v1' }],
    ['an address with its path', { baseUrl: 'http://127.0.0.1:11434/api/' }],
    ['an address that is none', { baseUrl: 'localhost' }],
    ['an option nobody knows', { num_ctx: 8192 }],
  ])('refuses %s', (_, options) => {
    expect(caught(() => ollama('qwen3:8b', options as OllamaOptions)).code).toBe('invalid_config')
  })
})
