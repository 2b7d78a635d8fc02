import { describe, expect, it, test } from 'vitest'
import { ollamaAdapter } from '../../../src/providers/ollama/adapter.js'
import { ndjson } from '../../../src/providers/ollama/ndjson.js'
import { adapterConformance, type AdapterFixture } from '../../../src/testing/conformance/index.js'
import { ASK, caught, framesOf } from '../support.js'
import { bench, COUNTS, last, line, TARGET } from './support.js'

const CALL = { function: { name: 'look', arguments: { x: 1 } } }
const fixtures: AdapterFixture[] = [
  {
    name: 'thinking and text',
    request: ASK,
    target: TARGET,
    json: last('stop', COUNTS, { thinking: 'Hm.', content: 'Four.' }),
    frames: framesOf(line({ thinking: 'H' }), line({ thinking: 'm.' }), line({ content: 'Fo' }), line({ content: 'ur.' }), last()),
    expect: { text: 'Four.', reasoning: 'Hm.', finishReason: 'stop', rawFinishReason: 'stop', usage: { inputTokens: 26, outputTokens: 12 } },
  },
  {
    name: 'two calls, whole, under the word stop',
    request: ASK,
    target: TARGET,
    json: last('stop', COUNTS, { tool_calls: [CALL, { id: 'call_x', function: { index: 1, name: 'look', arguments: {} } }] }),
    frames: framesOf(line({ tool_calls: [CALL] }), line({ tool_calls: [{ id: 'call_x', function: { index: 1, name: 'look', arguments: {} } }] }), last()),
    expect: { toolCalls: [{ id: 'call_1_0', name: 'look', input: { x: 1 } }, { id: 'call_x', name: 'look', input: {} }], finishReason: 'tool-calls', rawFinishReason: 'stop' },
  },
  { name: 'an error', request: ASK, target: TARGET, json: { error: 'unexpected EOF' }, frames: framesOf(line({ content: 'Fo' }), { error: 'unexpected EOF' }), expect: { fault: 'upstream_error' } },
]

describe('the adapter', () => {
  for (const check of adapterConformance(ollamaAdapter(), fixtures)) test(check.name, () => check.run())
})

describe('a call', () => {
  it.each<[string, unknown, unknown]>([['an object', { x: 1 }, { x: 1 }], ['text of an old build', '{"x":1}', { x: 1 }], ['nothing', undefined, {}], ['null', null, {}]])('has %s for arguments', (_, written, input) => {
    const calls = [{ function: { name: 'look', arguments: written } }]
    expect(bench().stream(framesOf(line({ tool_calls: calls }), last())).toolCalls).toMatchObject([{ input }])
  })
  it('that a length limit cut is no call', () => {
    const got = bench().stream(framesOf(line({ tool_calls: [CALL, { function: { name: 'look', arguments: '{"y":' } }] }), last('length')))
    expect(got).toMatchObject({ toolCalls: [{ input: { x: 1 } }], finish: { finishReason: 'length' }, warnings: [{ code: 'dropped' }] })
  })
  it('without a name, or with arguments that are no JSON, is a malformed answer', () => {
    expect(caught(() => bench().stream(framesOf(line({ tool_calls: [{ function: {} }] })))).code).toBe('malformed_response')
    expect(caught(() => bench().stream(framesOf(line({ tool_calls: [{ function: { name: 'look', arguments: '{"y":' } }] }), last()))).code).toBe('malformed_response')
  })
})

describe('the end of an answer', () => {
  it.each([['stop', 'stop'], ['length', 'length'], ['load', 'other'], ['unload', 'other'], ['FAKE_NEW_FINISH_REASON', 'other'], [undefined, 'stop']])('%s is %s', (raw, finishReason) => {
    expect(bench().stream(framesOf(line({ content: 'a' }), last(raw ?? null))).finish).toMatchObject({ finishReason, rawFinishReason: raw ?? null })
  })
  it('is the line that says done: a body that ends before it was cut', () => {
    expect(caught(() => bench().stream(framesOf(line({ content: 'a' })))).code).toBe('malformed_response')
  })
  it('has no usage where the prompt was kept from before and was not counted', () => {
    expect(bench().stream(framesOf(line({ content: 'a' }), last('stop', { eval_count: 3 }))).finish?.usage).toEqual({ outputTokens: 3 })
  })
  it('tells the times of the server', () => {
    expect(bench().stream(framesOf(last())).providerMetadata).toEqual({ ollama: { total_duration: 9, load_duration: 1, prompt_eval_duration: 2, eval_duration: 3 } })
  })
  it('reads log probabilities', () => {
    const logprobs = [{ token: 'a', logprob: -0.1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2 }] }]
    expect(bench().stream(framesOf(line({ content: 'a' }, { logprobs }), last())).logprobs).toEqual([{ token: 'a', logprob: -0.1, top: [{ token: 'b', logprob: -2 }] }])
  })
})

describe('an error', () => {
  it.each<[string, number, unknown, string]>([
    ['no such model', 404, { error: "model 'x' not found" }, 'model_not_found'],
    ['a model without tools', 400, { error: '"x" does not support tools' }, 'invalid_request'],
    ['a server that is full', 503, { error: 'server busy, please try again. maximum pending requests exceeded' }, 'upstream_error'],
    ['an overflow', 400, { error: 'prompt too long; exceeded max context length by 9 tokens' }, 'context_length'],
    ['no key', 401, { error: 'unauthorized' }, 'credential_rejected'],
    ['a page of a proxy', 502, '<html>', 'upstream_error'],
  ])('says %s', (_, status, body, code) => {
    expect(bench().fault(status, body)).toMatchObject({ code, status })
  })
  it.each<[string, unknown, string]>([
    ['a text', { error: 'an error was encountered while running the model' }, 'upstream_error'],
    ['a text with a status', { error: 'slow down', status_code: 429 }, 'rate_limited'],
    ['an object', { error: { message: 'prompt too long; exceeded max context length by 9 tokens' } }, 'context_length'],
  ])('in the stream is one, as %s', (_, error, code) => {
    const fault = caught(() => bench().stream(framesOf(line({ content: 'a' }), error)))
    expect(fault.code).toBe(code)
    expect(fault.message).not.toContain('running')
  })
})

describe('lines', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const cut = (chunk: Uint8Array, size: number) => Array.from({ length: Math.ceil(chunk.length / size) }, (_, at) => chunk.slice(at * size, (at + 1) * size))
  const linesOf = (chunks: readonly Uint8Array[]) => {
    const lines: string[] = []
    const framing = ndjson(frame => lines.push(frame.data))
    for (const chunk of chunks) framing.push(chunk)
    framing.end()
    return lines
  }
  it.each([1, 2, 3, 7, 1000])('are the same in pieces of %i bytes, with a mark before, CRLF, blank lines and no last end', size => {
    expect(linesOf(cut(bytes('\uFEFF{"a":"ü😀"}\r\n\n  \n{"b":2}\n{"c":3}'), size))).toEqual(['{"a":"ü😀"}', '{"b":2}', '{"c":3}'])
  })
  it('that never end are not kept for ever', () => {
    const framing = ndjson(() => undefined)
    const chunk = new Uint8Array(1024 * 1024).fill(97)
    for (let i = 0; i < 4; i++) framing.push(chunk)
    expect(caught(() => framing.push(chunk)).code).toBe('malformed_response')
    expect(caught(() => ndjson(() => undefined).push(bytes(`${'a'.repeat(4 * 1024 * 1024 + 1)}\n`))).code).toBe('malformed_response')
  })
  it('may be many: what was read of one is not counted for the next', () => {
    const framing = ndjson(() => undefined)
    const chunk = bytes(`${'a'.repeat(1024 * 1024)}\n`)
    for (let i = 0; i < 8; i++) framing.push(chunk)
    framing.end()
  })
})
