import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../../../src/protocol/collect.js'
import { GatewayError } from '../../../src/protocol/errors.js'
import type { AssistantMessage } from '../../../src/protocol/request.js'
import { anthropicAdapter } from '../../../src/providers/anthropic/adapter.js'
import { ask, collectFrames, collectJson, decoder, eventsOfFrames, framesFor, framesOf, target } from './support.js'

const USAGE = { input_tokens: 10, output_tokens: 7, cache_read_input_tokens: 100, cache_creation_input_tokens: 20 }
const message = (content: readonly Record<string, unknown>[], more: Record<string, unknown> = {}) => ({ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content, stop_reason: 'end_turn', stop_sequence: null, usage: USAGE, ...more })
const START = { type: 'message_start', message: message([], { stop_reason: null }) }
const delta = (index: number, fields: object) => ({ type: 'content_block_delta', index, delta: fields })
const begin = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block })
const stop = (index: number) => ({ type: 'content_block_stop', index })
const ending = (stop_reason: string | null, usage: object = { output_tokens: 7 }) => ({ type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage })
const END = { type: 'message_stop' }
const fault = (run: () => unknown): GatewayError => {
  try {
    run()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const SERVER = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'cats' } }
const RESULT = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [{ type: 'web_search_result', url: 'https://example.com/', title: 'Cats', encrypted_content: 'xyz' }] }
const CITE = { type: 'web_search_result_location', url: 'https://example.com/', title: 'Cats', cited_text: 'Cats purr.', encrypted_index: 'abc' }

describe('both wires give the same answer', () => {
  it.each<[string, ReturnType<typeof message>]>([
    ['text', message([{ type: 'text', text: 'Hello there, friend.' }])],
    ['nothing', message([])],
    ['signed reasoning, text and two calls', message([{ type: 'thinking', thinking: 'Let me see.', signature: 'sig==' }, { type: 'text', text: 'I will look.' }, { type: 'tool_use', id: 'toolu_1', name: 'a', input: { x: 1, y: [true, null] } }, { type: 'tool_use', id: 'toolu_2', name: 'b', input: {} }], { stop_reason: 'tool_use' })],
    ['reasoning that is hidden, and reasoning that is redacted', message([{ type: 'thinking', thinking: '', signature: 's1' }, { type: 'redacted_thinking', data: 'zzz' }, { type: 'thinking', thinking: 'More.', signature: 's2' }, { type: 'text', text: 'Done' }])],
    ['server tools between texts with citations', message([{ type: 'text', text: 'Searching.' }, SERVER, RESULT, { type: 'text', text: 'I found that ' }, { type: 'text', text: 'cats purr', citations: [CITE] }, { type: 'text', text: '.' }], { usage: { ...USAGE, server_tool_use: { web_search_requests: 1 } } })],
    ['a refusal', message([], { stop_reason: 'refusal', stop_details: { category: 'cyber', explanation: 'No.' } })],
    ['a turn that pauses', message([{ type: 'text', text: 'Wait' }, SERVER], { stop_reason: 'pause_turn', container: { id: 'c1', expires_at: '2026-12-01T00:00:00Z' } })],
    ['a stop sequence', message([{ type: 'text', text: 'a' }], { stop_reason: 'stop_sequence', stop_sequence: '###' })],
    ['a call made by code', message([{ type: 'tool_use', id: 'toolu_1', name: 'a', input: { x: 1 }, caller: { type: 'code_execution_20250825', tool_id: 'srvtoolu_1' } }], { stop_reason: 'tool_use' })],
  ])('%s', (_, body) => {
    for (const size of [1, 4, 1000]) expect(collectFrames(framesFor(body, size))).toEqual(collectJson(body))
  })

  it('for any mixture of blocks', () => {
    const word = fc.string({ minLength: 1, maxLength: 20 })
    const block = fc.oneof(
      word.map(text => ({ type: 'text', text })),
      fc.tuple(word, word).map(([thinking, signature]) => ({ type: 'thinking', thinking, signature })),
      fc.tuple(fc.uuid(), fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof(word, fc.integer(), fc.boolean()))).map(([id, input]) => ({ type: 'tool_use', id, name: 'tool', input })),
      word.map(data => ({ type: 'redacted_thinking', data })),
      fc.constantFrom<Record<string, unknown>>(SERVER, RESULT, { type: 'text', text: 'cited', citations: [CITE] }, { type: 'block_of_next_year', anything: 1 }),
    )
    fc.assert(
      fc.property(fc.array(block, { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom('end_turn', 'tool_use', 'max_tokens', 'brand_new_reason'), (content, size, stop_reason) => {
        const body = message(content, { stop_reason })
        expect(collectFrames(framesFor(body, size))).toEqual(collectJson(body))
      }),
    )
  })

  it('what was collected goes back as it came: order, signatures, server blocks, citations', () => {
    const content = [{ type: 'thinking', thinking: 'Hm.', signature: 'sig' }, { type: 'text', text: 'Searching.' }, SERVER, RESULT, { type: 'text', text: 'Yes, ' }, { type: 'text', text: 'cats purr', citations: [CITE] }, { type: 'redacted_thinking', data: 'r' }, { type: 'tool_use', id: 'toolu_1', name: 'a', input: { x: 1 }, caller: { type: 'code_execution_20250825', tool_id: 'srvtoolu_1' } }]
    const assistant: AssistantMessage = messageOf(collectFrames(framesFor(message(content, { stop_reason: 'tool_use' }))), { provider: 'anthropic', model: 'claude-sonnet-4-5', deployment: 'd' })
    const { call } = anthropicAdapter.encode(ask({ messages: [{ role: 'user', content: 'Go' }, assistant, { role: 'tool', toolCallId: 'toolu_1', content: 'ok' }] }), target(), 'json')
    expect(JSON.parse(String(call.body)).messages[1]).toEqual({ role: 'assistant', content })
  })
})

describe('usage', () => {
  it('adds cached and written tokens to the input, for the provider counts them apart', () => {
    const body = message([], { usage: { ...USAGE, cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 15 }, output_tokens_details: { thinking_tokens: 3 } } })
    expect(collectJson(body).finish?.usage).toEqual({ inputTokens: 130, outputTokens: 7, cachedInputTokens: 100, cacheWriteTokens: 20, cacheWrite1hTokens: 15, reasoningTokens: 3 })
  })

  it('keeps what message_start said where message_delta says null, and never invents a zero', () => {
    const frames = framesOf(START, ending('end_turn', { input_tokens: null, cache_read_input_tokens: null, output_tokens: 9 }), END)
    expect(collectFrames(frames).finish?.usage).toEqual({ inputTokens: 130, outputTokens: 9, cachedInputTokens: 100, cacheWriteTokens: 20 })
    expect(collectJson(message([], { usage: undefined })).finish?.usage).toEqual({})
  })

  it.each([
    ['priority', { service_tier: 'priority' }],
    ['batch', { service_tier: 'batch' }],
    ['fast', { service_tier: 'standard', speed: 'fast' }],
    [undefined, { service_tier: 'standard', speed: 'standard' }],
    [undefined, { service_tier: null }],
  ])('the answer was served as %s: a price may depend on it', (tier, fields) => {
    expect(collectJson(message([], { usage: { ...USAGE, ...fields } })).finish?.usage.serviceTier).toBe(tier)
  })
})

describe('how an answer ends', () => {
  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'content-filter'],
    ['pause_turn', 'other'],
    ['FAKE_NEW_FINISH_REASON', 'other'],
    ['__proto__', 'other'],
  ])('%s is %s', (raw, reason) => {
    expect(collectJson(message([{ type: 'text', text: 'x' }], { stop_reason: raw })).finish).toMatchObject({ finishReason: reason, rawFinishReason: raw })
  })

  it('says tool-calls where calls are there and the reason only says stop', () => {
    expect(collectJson(message([{ type: 'tool_use', id: 't', name: 'a', input: {} }])).finish?.finishReason).toBe('tool-calls')
  })

  it('does not send a reader looking for calls that are not there', () => {
    expect(collectJson(message([{ type: 'text', text: 'x' }], { stop_reason: 'tool_use' })).finish?.finishReason).toBe('other')
  })

  it('holds the finish until message_stop, then reads nothing more', () => {
    const decode = decoder('stream')
    const [start, end, last, more] = framesOf(START, ending('end_turn'), END, delta(0, { type: 'text_delta', text: 'late' }))
    if (!start || !end || !last || !more) throw new Error('fixture')
    decode.frame(start)
    expect(decode.finishing).toBe(false)
    expect(decode.frame(end)).toEqual([])
    expect([decode.finishing, decode.done]).toEqual([true, false])
    expect(decode.frame(last).map(event => event.type)).toEqual(['finish'])
    expect([decode.finishing, decode.done]).toEqual([false, true])
    expect([...decode.frame(more), ...decode.end()]).toEqual([])
  })

  it('a stream cut before any reason is broken, one cut after it is an answer with a warning', () => {
    expect(fault(() => collectFrames(framesOf(START, begin(0, { type: 'text', text: '' }), delta(0, { type: 'text_delta', text: 'Hal' })))).code).toBe('malformed_response')
    const got = collectFrames(framesOf(START, begin(0, { type: 'text', text: 'Hi' }), stop(0), ending('end_turn')))
    expect(got).toMatchObject({ text: 'Hi', finish: { finishReason: 'stop' }, warnings: [{ code: 'missing_terminal' }] })
    expect(fault(() => decoder('stream').end()).code).toBe('malformed_response')
  })

  it('the first reason counts where a proxy sends a second', () => {
    expect(collectFrames(framesOf(START, ending('max_tokens'), ending('end_turn'), END)).finish?.rawFinishReason).toBe('max_tokens')
  })

  it('gives the details of a refusal as metadata, not as text', () => {
    const details = { category: 'bio', explanation: 'Not this.' }
    expect(collectJson(message([], { stop_reason: 'refusal', stop_details: details }))).toMatchObject({ text: '', providerMetadata: { anthropic: { stop_details: details } } })
  })
})

describe('tool calls', () => {
  const call = (json: readonly string[]) => [begin(0, { type: 'tool_use', id: 'toolu_1', name: 'a', input: {} }), ...json.map(partial_json => delta(0, { type: 'input_json_delta', partial_json })), stop(0)]

  it('half a call is no call, though its block was closed: a length limit cut it', () => {
    for (const json of [['{"path":"/tmp/'], [], ['{"a":1}', ',']]) {
      const got = collectFrames(framesOf(START, ...call(json), ending('max_tokens'), END))
      expect(got).toMatchObject({ toolCalls: [], finish: { finishReason: 'length' } })
    }
    expect(collectJson(message([{ type: 'tool_use', id: 't', name: 'a', input: {} }], { stop_reason: 'max_tokens' })).toolCalls).toEqual([])
  })

  it('a whole call before the cut one is kept', () => {
    const got = collectFrames(framesOf(START, ...call(['{"x":', '1}']), begin(1, { type: 'tool_use', id: 'toolu_2', name: 'b', input: {} }), delta(1, { type: 'input_json_delta', partial_json: '{"y' }), stop(1), ending('max_tokens'), END))
    expect(got.toolCalls).toEqual([{ id: 'toolu_1', name: 'a', input: { x: 1 }, arguments: '{"x":1}' }])
  })

  it('arguments that are not JSON are a fault where no limit explains them', () => {
    expect(fault(() => collectFrames(framesOf(START, ...call(['{"x":']), ending('tool_use'), END))).code).toBe('malformed_response')
    expect(fault(() => collectFrames(framesOf(START, ...call(['{"x":']), begin(1, { type: 'text', text: '' })))).code).toBe('malformed_response')
  })

  it('a call without arguments has an empty object, and keeps its place before later text', () => {
    const got = collectFrames(framesOf(START, ...call([]), begin(1, { type: 'text', text: 'after' }), stop(1), ending('tool_use'), END))
    expect(got.toolCalls).toEqual([{ id: 'toolu_1', name: 'a', input: {}, arguments: '{}' }])
    expect(got.content.map(part => part.type)).toEqual(['tool-call', 'text'])
  })

  it('takes the input that came whole with the start of the block', () => {
    expect(collectFrames(framesOf(START, begin(0, { type: 'tool_use', id: 't', name: 'a', input: { p: 1 } }), stop(0), ending('tool_use'), END)).toolCalls).toMatchObject([{ input: { p: 1 } }])
  })

  it('keeps interleaved fragments apart', () => {
    const frames = framesOf(
      START,
      begin(1, { type: 'tool_use', id: 'x', name: 'a', input: {} }),
      begin(4, { type: 'tool_use', id: 'y', name: 'b', input: {} }),
      delta(4, { type: 'input_json_delta', partial_json: '{"b":' }),
      delta(1, { type: 'input_json_delta', partial_json: '{"a":' }),
      delta(4, { type: 'input_json_delta', partial_json: '2}' }),
      delta(1, { type: 'input_json_delta', partial_json: '1}' }),
      ending('tool_use'),
      END,
    )
    expect(collectFrames(frames).toolCalls.map(c => [c.name, c.input])).toEqual([['a', { a: 1 }], ['b', { b: 2 }]])
  })

  it('gives the names back that the caller knows', () => {
    const request = ask({ tools: [{ name: 'files.read/all', inputSchema: { type: 'object' } }] })
    const { call: sent } = anthropicAdapter.encode(request, target(), 'json')
    const name: string = JSON.parse(String(sent.body)).tools[0].name
    expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
    const body = message([{ type: 'tool_use', id: 't', name, input: { x: 1 } }], { stop_reason: 'tool_use' })
    expect(collectJson(body, { request }).toolCalls[0]?.name).toBe('files.read/all')
    expect(collectFrames(framesFor(body), { request }).toolCalls[0]?.name).toBe('files.read/all')
  })

  it('reads the answer out of the tool that stands in for a schema, and says stop', () => {
    const context = { request: ask({ output: { name: 'answer', jsonSchema: { type: 'object' } } }), target: target('claude-3-7-sonnet-20250219') }
    const body = message([{ type: 'tool_use', id: 't', name: 'json', input: { city: 'Rome' } }], { stop_reason: 'tool_use' })
    for (const got of [collectJson(body, context), collectFrames(framesFor(body), context)]) {
      expect(got).toMatchObject({ text: '{"city":"Rome"}', toolCalls: [], finish: { finishReason: 'stop', rawFinishReason: 'tool_use' } })
    }
    expect(collectJson(body).toolCalls).toHaveLength(1)
  })
})

describe('streams that are not as they should be', () => {
  it('goes on with the same message where another is spliced in, and keeps its numbers', () => {
    const second = { type: 'message_start', message: message([], { id: 'msg_2', stop_reason: null, usage: { input_tokens: 1, output_tokens: 1 } }) }
    const got = collectFrames(framesOf(START, begin(0, { type: 'text', text: '' }), delta(0, { type: 'text_delta', text: 'One ' }), second, begin(0, { type: 'text', text: '' }), delta(0, { type: 'text_delta', text: 'two' }), stop(0), ending('end_turn'), END))
    expect(got).toMatchObject({ text: 'One two', id: 'msg_1', finish: { usage: { inputTokens: 130, outputTokens: 7 } } })
    expect(eventsOfFrames(framesOf(START, second, ending('end_turn'), END)).filter(event => event.type === 'start')).toHaveLength(1)
  })

  it('skips pings, empty frames, unknown events and unknown deltas without a word', () => {
    const frames = [...framesOf(START, { type: 'ping' }, { type: 'event_of_next_year', x: 1 }, begin(0, { type: 'text', text: '' }), delta(0, { type: 'new_delta', text: 'no' }), delta(0, { type: 'text_delta', text: 'yes' }), { type: 'content_block_delta' }, { type: 'content_block_start' }), { data: '' }, ...framesOf(ending('end_turn'), END)]
    expect(collectFrames(frames)).toMatchObject({ text: 'yes', warnings: [] })
  })

  it('skips a frame it cannot read with a warning, but not inside a tool call', () => {
    const bad = { data: '{"type":"content_bl' }
    const got = collectFrames([...framesOf(START, begin(0, { type: 'text', text: 'a' })), bad, { data: '[1]' }, ...framesOf(stop(0), ending('end_turn'), END)])
    expect(got.text).toBe('a')
    expect(got.warnings.map(warning => warning.code)).toEqual(['frame_skipped', 'frame_skipped'])
    expect(fault(() => collectFrames([...framesOf(START, begin(0, { type: 'tool_use', id: 't', name: 'a', input: {} })), bad])).code).toBe('malformed_response')
    expect(fault(() => collectFrames([...framesOf(START, begin(0, SERVER)), bad])).code).toBe('malformed_response')
  })

  it('refuses nesting without end', () => {
    expect(fault(() => decoder('stream').frame({ data: '['.repeat(5000) })).code).toBe('malformed_response')
  })

  it.each([
    ['overloaded_error', 'overloaded', 529],
    ['rate_limit_error', 'rate_limited', 429],
    ['api_error', 'upstream_error', 500],
    ['invalid_request_error', 'invalid_request', 400],
    ['error_of_next_year', 'upstream_error', 500],
  ])('%s inside a stream is %s, and the headers of the good answer do not say how long to wait', (type, code, status) => {
    const decode = decoder('stream', { headers: { 'retry-after': '30', 'request-id': 'req_9' } })
    const [frame] = framesOf({ type: 'error', error: { type, message: 'secret words' } })
    const error = fault(() => frame && decode.frame(frame))
    expect(error).toMatchObject({ code, status, origin: 'upstream', upstream: { type, requestId: 'req_9' } })
    expect(error.retryAfterMs).toBeUndefined()
    expect(error.message).not.toContain('secret words')
  })

  it('an error frame that is no JSON, or has no type, is an error all the same', () => {
    expect(fault(() => decoder('stream').frame({ event: 'error', data: 'upstream went away' })).code).toBe('upstream_error')
    expect(fault(() => decoder('stream').frame({ data: '{"error":{"type":"overloaded_error"}}' })).code).toBe('overloaded')
  })

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['a text', '<html>'],
    ['an object that is no message', { id: 'x', choices: [] }],
    ['a message without content', { type: 'message', role: 'assistant' }],
  ])('a JSON body that is %s is malformed', (_, body) => {
    expect(fault(() => collectJson(body)).code).toBe('malformed_response')
  })

  it('an error body under status 200 is that error', () => {
    expect(fault(() => collectJson({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })).code).toBe('overloaded')
    expect(fault(() => collectJson({ error: { code: 429, message: 'slow' } })).code).toBe('rate_limited')
  })

  it('survives any JSON: events, or a GatewayError', () => {
    const types = ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop', 'error', 'ping']
    const junk = fc.jsonValue({ maxDepth: 3 })
    const frame = fc.record({ type: fc.constantFrom(...types), index: fc.oneof(fc.nat(2), junk), message: junk, content_block: fc.oneof(junk, fc.record({ type: fc.constantFrom('text', 'tool_use', 'thinking', 'redacted_thinking', 'odd'), id: junk, name: junk, input: junk, citations: junk })), delta: fc.oneof(junk, fc.record({ type: fc.constantFrom('text_delta', 'input_json_delta', 'signature_delta', 'citations_delta', 'odd'), text: junk, partial_json: junk, citation: junk })), usage: junk })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), frames => {
        try {
          const events = eventsOfFrames(framesOf(...frames))
          expect(events.filter(event => event.type === 'finish')).toHaveLength(1)
          expect(events.at(-1)?.type).toBe('finish')
        } catch (error) {
          if (!GatewayError.is(error)) throw error
        }
      }),
    )
  })
})
