import { afterEach, expect, it } from 'vitest'
import { Gateway, type Message } from '../../../src/index.js'
import { fromAiSdk } from '../../../src/providers/ai-sdk/index.js'
import { Canned, describePackages, providerOf, real, sse } from './packages.js'
import { VERSIONS } from './support.js'

const usage = { input_tokens: 20, output_tokens: 8, cache_creation_input_tokens: 3, cache_read_input_tokens: 4 }
const start: readonly [string, object] = ['message_start', { message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [], stop_reason: null, stop_sequence: null, usage } }]
const CALLING = sse(
  start,
  ['content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }],
  ['content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'The user wants ' } }],
  ['content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'the weather.' } }],
  ['content_block_delta', { index: 0, delta: { type: 'signature_delta', signature: 'c2lnbmVk' } }],
  ['content_block_stop', { index: 0 }],
  ['content_block_start', { index: 1, content_block: { type: 'redacted_thinking', data: 'aGlkZGVu' } }],
  ['content_block_stop', { index: 1 }],
  ['content_block_start', { index: 2, content_block: { type: 'text', text: '' } }],
  ['content_block_delta', { index: 2, delta: { type: 'text_delta', text: 'I will look.' } }],
  ['content_block_stop', { index: 2 }],
  ['content_block_start', { index: 3, content_block: { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} } }],
  ['content_block_delta', { index: 3, delta: { type: 'input_json_delta', partial_json: '{"city":' } }],
  ['content_block_delta', { index: 3, delta: { type: 'input_json_delta', partial_json: '"Rome"}' } }],
  ['content_block_stop', { index: 3 }],
  ['message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 30 } }],
  ['message_stop', {}],
)
const DONE = JSON.stringify({ id: 'msg_2', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [{ type: 'text', text: '21 degrees.' }], stop_reason: 'end_turn', stop_sequence: null, usage })
const CUT = sse(
  start,
  ['content_block_start', { index: 0, content_block: { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} } }],
  ['content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: '{"city": "Ro' } }],
  ['content_block_stop', { index: 0 }],
  ['message_delta', { delta: { stop_reason: 'max_tokens', stop_sequence: null }, usage: { output_tokens: 30 } }],
  ['message_stop', {}],
)
const tools = [{ name: 'weather', description: 'The weather.', inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } }]

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})
function gatewayOf<D extends ReturnType<typeof fromAiSdk>>(deployment: D): Gateway<{ smart: D }> {
  const gateway = new Gateway({ routes: { smart: deployment } })
  ends.push(() => gateway.close())
  return gateway
}

describePackages('a tool loop through a real package', () => {
  it.each(VERSIONS)('sends signed and redacted thinking back as it came (%s)', async version => {
    const server = new Canned(CALLING, DONE)
    const gateway = gatewayOf(fromAiSdk(real('anthropic', version, await server.start())))
    const messages: Message[] = [{ role: 'user', content: 'Is it warm in Rome?' }]
    const request = { model: 'smart', messages, tools, maxOutputTokens: 5000, reasoning: { budgetTokens: 2000 } } as const
    const stream = await gateway.stream(request)
    const first = await stream.result()
    expect(first).toMatchObject({ finishReason: 'tool-calls', reasoning: 'The user wants the weather.', text: 'I will look.', toolCalls: [{ id: 'toolu_1', name: 'weather', input: { city: 'Rome' }, arguments: '{"city":"Rome"}' }] })
    expect(first.usage).toMatchObject({ inputTokens: 27, outputTokens: 30, cachedInputTokens: 4, cacheWriteTokens: 3 })
    messages.push(first.message, { role: 'tool', toolCallId: 'toolu_1', content: '21' })
    // What goes into a store comes back as JSON.
    const second = await gateway.chat({ ...request, messages: JSON.parse(JSON.stringify(messages)) as Message[] })
    expect(second.text).toBe('21 degrees.')
    expect(server.asked[0]).toMatchObject({ max_tokens: 5000, thinking: { type: 'enabled', budget_tokens: 2000 } })
    expect(server.asked[1]?.['messages']).toMatchObject([
      { role: 'user' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'The user wants the weather.', signature: 'c2lnbmVk' },
          { type: 'redacted_thinking', data: 'aGlkZGVu' },
          { type: 'text', text: 'I will look.' },
          { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Rome' } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: '21' }] },
    ])
  })

  it.each(VERSIONS)('gives no call that a length limit cut (%s)', async version => {
    const server = new Canned(CUT)
    const gateway = gatewayOf(fromAiSdk(real('anthropic', version, await server.start())))
    const result = await (await gateway.stream({ model: 'smart', messages: 'Go.', tools, maxOutputTokens: 30 })).result()
    expect(result).toMatchObject({ finishReason: 'length', toolCalls: [] })
  })

  it.each(VERSIONS)('sends encrypted reasoning of the responses wire back (%s)', async version => {
    const reasoning = { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Think.' }], encrypted_content: 'ZW5jcnlwdGVk' }
    const call = { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}', status: 'completed' }
    const text = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: '21.', annotations: [] }] }
    const body = (id: string, output: readonly object[]) => JSON.stringify({ id, object: 'response', created_at: 1, model: 'gpt-5', status: 'completed', error: null, incomplete_details: null, output, usage: { input_tokens: 12, output_tokens: 9, input_tokens_details: { cached_tokens: 2 }, output_tokens_details: { reasoning_tokens: 5 } } })
    const server = new Canned(body('resp_1', [reasoning, call]), body('resp_2', [text]))
    const gateway = gatewayOf(fromAiSdk(providerOf('openai', version, await server.start()).responses('gpt-5')))
    const messages: Message[] = [{ role: 'user', content: 'Is it warm in Rome?' }]
    const request = { model: 'smart', messages, tools, providerOptions: { 'ai-sdk': { openai: { store: false, include: ['reasoning.encrypted_content'] } } } } as const
    const first = await gateway.chat(request)
    expect(first).toMatchObject({ finishReason: 'tool-calls', reasoning: 'Think.', usage: { inputTokens: 12, outputTokens: 9, cachedInputTokens: 2, reasoningTokens: 5 } })
    messages.push(first.message, { role: 'tool', toolCallId: 'call_1', content: '21' })
    expect((await gateway.chat(request)).text).toBe('21.')
    expect(server.asked[1]?.['input']).toMatchObject([
      { role: 'user' },
      { type: 'reasoning', encrypted_content: 'ZW5jcnlwdGVk', summary: [{ type: 'summary_text', text: 'Think.' }] },
      { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
      { type: 'function_call_output', call_id: 'call_1', output: '21' },
    ])
  })
})
