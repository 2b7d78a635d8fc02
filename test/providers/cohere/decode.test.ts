import { describe, expect, it } from 'vitest'
import { caught, framesOf } from '../support.js'
import { bench, delta } from './support.js'

const start = { type: 'message-start', id: 'm' }
const end = (finish_reason: unknown, usage?: unknown) => ({ type: 'message-end', delta: { finish_reason, ...(usage !== undefined && { usage }) } })
const text = (said: string) => delta('content-delta', { content: { text: said } })
const call = (name: unknown, written: unknown, index = 0, id: unknown = `id${index}`) => delta('tool-call-start', { tool_calls: { id, type: 'function', function: { name, arguments: written } } }, index)
const piece = (written: unknown, index = 0) => delta('tool-call-delta', { tool_calls: { function: { arguments: written } } }, index)
const endCall = (index = 0) => ({ type: 'tool-call-end', index })
const message = (fields: object, finish: unknown = 'COMPLETE', more: object = {}) => ({ id: 'm', message: { role: 'assistant', ...fields }, finish_reason: finish, ...more })

describe('the plan before a call', () => {
  it('is neither text nor reasoning, and stays with the call to be sent back', () => {
    const got = bench.stream(framesOf(start, delta('tool-plan-delta', { tool_plan: 'I look.' }), call('look', '{}'), endCall(), end('TOOL_CALL')))
    expect(got).toMatchObject({ text: '', reasoning: '' })
    expect(got.content).toEqual([{ type: 'tool-call', id: 'id0', name: 'look', input: {}, arguments: '{}', providerData: { cohere: { tool_plan: 'I look.' } } }])
  })
  it('is not lost where no call follows', () => {
    const got = bench.stream(framesOf(start, delta('tool-plan-delta', { tool_plan: 'I wo' }), end('MAX_TOKENS')))
    expect(got.providerMetadata).toEqual({ cohere: { tool_plan: 'I wo' } })
    expect(bench.json(message({ tool_plan: 'I wo' }, 'MAX_TOKENS')).providerMetadata).toEqual(got.providerMetadata)
  })
})

describe('arguments of a call', () => {
  it.each<[string, unknown]>([['null', null], ['the word null', 'null'], ['an empty text', ''], ['left out', undefined]])('that are %s are {}', (_, written) => {
    const calls = [{ id: 'a', type: 'function', function: { name: 'look', arguments: written } }]
    expect(bench.json(message({ tool_calls: calls }, 'TOOL_CALL')).toolCalls).toEqual([{ id: 'a', name: 'look', input: {}, arguments: '{}' }])
    expect(bench.stream(framesOf(start, call('look', written), endCall(), end('TOOL_CALL'))).toolCalls).toMatchObject([{ input: {}, arguments: '{}' }])
  })
  it('that are an object are its text', () => {
    expect(bench.json(message({ tool_calls: [{ id: 'a', function: { name: 'look', arguments: { x: 1 } } }] }, 'TOOL_CALL')).toolCalls).toMatchObject([{ input: { x: 1 }, arguments: '{"x":1}' }])
  })
  it('that a length limit cut are no call, though the call was ended', () => {
    const got = bench.stream(framesOf(start, call('look', '{"x":1}'), endCall(), call('look', '{"y":', 1), endCall(1), end('MAX_TOKENS')))
    expect(got.toolCalls).toMatchObject([{ input: { x: 1 } }])
    expect(got.finish?.finishReason).toBe('length')
    expect(got.warnings).toMatchObject([{ code: 'dropped', parameter: 'maxOutputTokens' }])
  })
  it('that are no JSON are a malformed answer', () => {
    expect(caught(() => bench.stream(framesOf(start, call('look', '{"x":'), endCall(), end('TOOL_CALL')))).code).toBe('malformed_response')
  })
  it('are told apart by index, and a whole call is out before the answer ends', () => {
    const frames = framesOf(start, call('look', '', 0), call('look', '', 1), piece('{"b"', 1), piece('{"a"'), piece(':2}', 1), piece(':1}'), endCall(1), endCall())
    const decoder = bench.decoder('stream')
    const events = frames.flatMap(frame => decoder.frame(frame))
    expect(events.filter(event => event.type === 'tool-call')).toMatchObject([{ index: 1, input: { b: 2 } }, { index: 0, input: { a: 1 } }])
  })
})

describe('a call', () => {
  it('without an id gets one that is new in the conversation and the same on both wires', () => {
    const got = bench.stream(framesOf(start, call('look', '{}', 0, ''), end('TOOL_CALL')))
    expect(got.toolCalls).toMatchObject([{ id: 'call_1_0' }])
    expect(bench.json(message({ tool_calls: [{ function: { name: 'look', arguments: '{}' } }] }, 'TOOL_CALL')).toolCalls).toMatchObject([{ id: 'call_1_0' }])
  })
  it('without a name, or a piece without a call, is a malformed answer', () => {
    expect(caught(() => bench.stream(framesOf(start, call('', '{}')))).code).toBe('malformed_response')
    expect(caught(() => bench.stream(framesOf(start, piece('{}')))).code).toBe('malformed_response')
  })
  it('comes back under the name the caller gave the tool', () => {
    const tools = [{ name: 'files.read-all', inputSchema: { type: 'object' } }]
    const [tool] = bench.encode({ tools }).body['tools'] as { function: { name: string } }[]
    expect(tool?.function.name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]*$/)
    expect(bench.stream(framesOf(start, call(tool?.function.name, '{}'), end('TOOL_CALL')), { tools }).toolCalls).toMatchObject([{ name: 'files.read-all' }])
  })
})

describe('the end of an answer', () => {
  it.each([['COMPLETE', 'stop'], ['STOP_SEQUENCE', 'stop'], ['MAX_TOKENS', 'length'], ['TOOL_CALL', 'other'], ['ERROR_TOXIC', 'content-filter'], ['FAKE_NEW_FINISH_REASON', 'other']])('%s is %s', (raw, finishReason) => {
    expect(bench.stream(framesOf(start, text('a'), end(raw))).finish).toMatchObject({ finishReason, rawFinishReason: raw })
  })
  it('is a call where a plain stop comes with calls', () => {
    expect(bench.stream(framesOf(start, call('look', '{}'), end('COMPLETE'))).finish?.finishReason).toBe('tool-calls')
  })
  it.each([['ERROR', 'upstream_error', 500], ['TIMEOUT', 'upstream_error', 504]])('%s is a fault, with the words of Cohere kept apart', (raw, code, status) => {
    const fault = caught(() => bench.stream(framesOf(start, text('a'), { type: 'message-end', delta: { error: 'gpu lost', finish_reason: raw } })))
    expect(fault).toMatchObject({ code, status, upstream: { code: raw, message: 'gpu lost' } })
    expect(fault.message).not.toContain('gpu')
  })
  it('is message-end: nothing after it is read, [DONE] or not', () => {
    const decoder = bench.decoder('stream')
    for (const frame of framesOf(start, text('a'), end('COMPLETE'))) decoder.frame(frame)
    expect(decoder.done).toBe(true)
    expect([...decoder.frame({ data: '[DONE]' }), ...framesOf(text('b')).flatMap(frame => decoder.frame(frame)), ...decoder.end()]).toEqual([])
  })
  it('without message-end is a cut stream', () => {
    expect(caught(() => bench.stream(framesOf(start, text('a')))).code).toBe('malformed_response')
  })
  it('without a reason is a stop that says so', () => {
    const got = bench.stream([...framesOf(start, text('a')), { data: '[DONE]' }])
    expect(got).toMatchObject({ text: 'a', finish: { finishReason: 'stop', rawFinishReason: null }, warnings: [{ code: 'other' }] })
  })
})

describe('usage', () => {
  it('is what was processed, never what was billed', () => {
    const usage = { billed_units: { input_tokens: 3, output_tokens: 2 }, tokens: { input_tokens: 30, output_tokens: 20, reasoning_tokens: 5, image_tokens: 9 }, cached_tokens: 8 }
    expect(bench.stream(framesOf(start, end('COMPLETE', usage))).finish?.usage).toEqual({ inputTokens: 30, outputTokens: 20, cachedInputTokens: 8, reasoningTokens: 5 })
    expect(bench.stream(framesOf(start, end('COMPLETE', { billed_units: { input_tokens: 3 } }))).finish?.usage).toEqual({})
    expect(bench.stream(framesOf(start, end('COMPLETE', { tokens: { input_tokens: -1, output_tokens: 'many' } }))).finish?.usage).toEqual({})
  })
})

describe('what comes beside the text', () => {
  const cited = { start: 0, end: 1, text: 'a', sources: [{ type: 'tool', id: 't:0', tool_output: {} }, { type: 'document', document: { url: 'https://a.example', title: 'A' } }] }
  it('keeps a citation with its text, its source and its raw form', () => {
    const [part] = bench.stream(framesOf(start, text('a'), delta('citation-start', { citations: cited }), end('COMPLETE'))).content
    expect(part).toEqual({ type: 'text', text: 'a', citations: [{ url: 'https://a.example', title: 'A', text: 'a', data: cited }] })
  })
  it('makes no text of a citation of the plan', () => {
    const got = bench.json(message({ tool_calls: [{ id: 'a', function: { name: 'look', arguments: '{}' } }], citations: [{ ...cited, type: 'PLAN' }] }, 'TOOL_CALL'))
    expect(got.content).toMatchObject([{ type: 'tool-call' }])
  })
  it('reads log probabilities on both wires', () => {
    const logprobs = { text: 'ab', token_ids: [1, 2], logprobs: [-0.5, -0.25] }
    const tokens = [{ token: 'ab', logprob: -0.75 }]
    expect(bench.stream(framesOf(start, { ...text('ab'), logprobs }, end('COMPLETE'))).logprobs).toEqual(tokens)
    expect(bench.json(message({ content: [{ type: 'text', text: 'ab' }] }, 'COMPLETE', { logprobs: [logprobs] })).logprobs).toEqual(tokens)
  })
})

describe('an error', () => {
  it.each<[string, number, unknown, string, object]>([
    ['a bad key', 401, { id: 'e1', message: 'invalid api token' }, 'credential_rejected', { message: 'invalid api token', requestId: 'e1' }],
    ['a prompt that is too long', 400, { id: 'e1', message: 'too long', error_type: 'TOO_MANY_TOKENS' }, 'context_length', { type: 'TOO_MANY_TOKENS' }],
    ['the same told in words only', 400, { message: 'too many tokens: size limit exceeded by 9 tokens' }, 'context_length', {}],
    ['no such model', 404, { message: "model 'x' not found" }, 'model_not_found', {}],
    ['too many calls', 429, { message: 'You are using a Trial key' }, 'rate_limited', {}],
    ['a page of a proxy', 502, '<html>bad</html>', 'upstream_error', {}],
  ])('says %s', (_, status, body, code, upstream) => {
    const fault = bench.fault(status, body)
    expect(fault).toMatchObject({ code, status, upstream })
    expect(fault.message).toContain('cohere')
  })
  it('in a good answer is one all the same', () => {
    expect(caught(() => bench.json({ id: 'e', message: 'something broke' }))).toMatchObject({ code: 'upstream_error', upstream: { message: 'something broke' } })
    expect(caught(() => bench.stream(framesOf(start, { message: 'something broke' }))).code).toBe('upstream_error')
    expect(caught(() => bench.stream([...framesOf(start), { event: 'error', data: 'too many tokens: size limit exceeded' }])).code).toBe('context_length')
  })
  it('takes the trace of the answer for its request id', () => {
    expect(bench.fault(500, { id: 'e1', message: 'm' }, { 'x-debug-trace-id': 'trace' }).upstream?.requestId).toBe('trace')
  })
})
