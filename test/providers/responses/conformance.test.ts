import { describe, it } from 'vitest'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import { responsesAdapter } from '../../../src/providers/responses/adapter.js'
import { adapterConformance } from '../../../src/testing/conformance/index.js'
import { ASK, call, frame, framesFor, response, text, thought } from './support.js'

const USAGE = { inputTokens: 10, outputTokens: 7, cachedInputTokens: 0 }
const answer = (name: string, body: Record<string, unknown>, expect: object) => ({ name, request: ASK, json: body, frames: framesFor(body), expect })

describe('the responses adapter keeps to the contract of adapters', () => {
  const fixtures = [
    answer('text', response([text('Hello there, friend.')]), { text: 'Hello there, friend.', finishReason: 'stop', rawFinishReason: 'completed', usage: USAGE }),
    answer('reasoning and two calls', response([thought(['Let me see.', 'Two of them.']), call('a', { x: [1, null] }), call('b', {})]), { reasoning: 'Let me see.\n\nTwo of them.', toolCalls: [{ id: 'call_a', name: 'a', input: { x: [1, null] } }, { id: 'call_b', name: 'b', input: {} }], finishReason: 'tool-calls' }),
    answer('a custom call', response([{ type: 'custom_tool_call', id: 'ctc_1', call_id: 'call_1', name: 'exec', input: 'print("hi")\n', status: 'completed' }]), { toolCalls: [{ id: 'call_1', name: 'exec', input: 'print("hi")\n' }], finishReason: 'tool-calls' }),
    answer('a refusal', response([{ ...text(''), content: [{ type: 'refusal', refusal: 'I will not.' }] }]), { text: '', refusal: 'I will not.', finishReason: 'stop' }),
    { name: 'a failure', request: ASK, json: response([], { status: 'failed', error: { code: 'server_error', message: 'x' } }), frames: [frame('response.failed', { response: response([], { status: 'failed', error: { code: 'server_error', message: 'x' } }) })], expect: { fault: 'upstream_error' as const } },
  ]
  for (const check of adapterConformance(responsesAdapter(QUIRKS.openai), fixtures)) it(check.name, () => check.run())
})
