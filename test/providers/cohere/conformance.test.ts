import { describe, expect, it, test } from 'vitest'
import { cohereAdapter } from '../../../src/providers/cohere/adapter.js'
import { adapterConformance, type AdapterFixture } from '../../../src/testing/conformance/index.js'
import { checkLine, framesOf, recorded } from '../support.js'
import { bench, delta, TARGET } from './support.js'

const usage = { billed_units: { input_tokens: 1, output_tokens: 1 }, tokens: { input_tokens: 20, output_tokens: 7 }, cached_tokens: 16 }
const CITATION = { start: 0, end: 5, text: 'Fifth', sources: [{ type: 'document', id: 'd', document: { url: 'https://a.example', title: 'A' } }], type: 'TEXT_CONTENT' }
const CALLS = [
  { id: 'a1', type: 'function', function: { name: 'look', arguments: '{"x":1}' } },
  { id: 'a2', type: 'function', function: { name: 'look', arguments: 'null' } },
]

const fixtures: AdapterFixture[] = [
  {
    name: 'thinking, text and a citation',
    request: { messages: [{ role: 'user', content: 'Hello' }] },
    target: TARGET,
    json: { id: 'm1', message: { role: 'assistant', content: [{ type: 'thinking', thinking: 'Well.' }, { type: 'text', text: 'Fifth street' }], citations: [CITATION] }, finish_reason: 'COMPLETE', usage },
    frames: framesOf(
      { type: 'message-start', id: 'm1', delta: { message: { role: 'assistant', content: [] } } },
      delta('content-start', { content: { type: 'thinking', thinking: '' } }),
      delta('content-delta', { content: { thinking: 'We' } }),
      delta('content-delta', { content: { thinking: 'll.' } }),
      { type: 'content-end', index: 0 },
      delta('content-start', { content: { type: 'text', text: '' } }, 1),
      delta('content-delta', { content: { text: 'Fifth' } }, 1),
      delta('citation-start', { citations: CITATION }),
      { type: 'citation-end', index: 0 },
      delta('content-delta', { content: { text: ' street' } }, 1),
      { type: 'content-end', index: 1 },
      { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } },
    ),
    expect: { text: 'Fifth street', reasoning: 'Well.', finishReason: 'stop', rawFinishReason: 'COMPLETE', usage: { inputTokens: 20, outputTokens: 7, cachedInputTokens: 16 } },
  },
  {
    name: 'a plan and two calls',
    request: { messages: [{ role: 'user', content: 'Look twice' }], tools: [{ name: 'look', inputSchema: { type: 'object' } }] },
    target: TARGET,
    json: { id: 'm2', message: { role: 'assistant', tool_plan: 'I will look.', tool_calls: CALLS }, finish_reason: 'TOOL_CALL', usage },
    frames: framesOf(
      { type: 'message-start', id: 'm2', delta: { message: { tool_plan: '' } } },
      delta('tool-plan-delta', { tool_plan: 'I will' }),
      delta('tool-plan-delta', { tool_plan: ' look.' }),
      delta('tool-call-start', { tool_calls: { id: 'a1', type: 'function', function: { name: 'look', arguments: '' } } }),
      delta('tool-call-delta', { tool_calls: { function: { arguments: '{"x"' } } }),
      delta('tool-call-delta', { tool_calls: { function: { arguments: ':1}' } } }),
      { type: 'tool-call-end', index: 0 },
      delta('tool-call-start', { tool_calls: { id: 'a2', type: 'function', function: { name: 'look', arguments: 'null' } } }, 1),
      { type: 'tool-call-end', index: 1 },
      { type: 'message-end', delta: { finish_reason: 'TOOL_CALL', usage } },
    ),
    expect: { text: '', reasoning: '', toolCalls: [{ id: 'a1', name: 'look', input: { x: 1 } }, { id: 'a2', name: 'look', input: {} }], finishReason: 'tool-calls' },
  },
  {
    name: 'a failure in place of a finish',
    request: { messages: [{ role: 'user', content: 'Hello' }] },
    target: TARGET,
    json: { id: 'm3', message: { role: 'assistant', content: [] }, finish_reason: 'ERROR', usage },
    frames: framesOf({ type: 'message-start', id: 'm3' }, { type: 'message-end', delta: { error: 'out of memory', finish_reason: 'ERROR', usage } }),
    expect: { fault: 'upstream_error' },
  },
]

describe('the adapter', () => {
  for (const check of adapterConformance(cohereAdapter, fixtures)) test(check.name, () => check.run())
})

describe('recorded answers come out as a correct client reads them', () => {
  it.for(recorded('cohere.jsonl'))('%s', ([, line]) => {
    const got = checkLine(bench, line)
    expect(got.warnings).toEqual([])
  })
})
