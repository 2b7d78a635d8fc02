import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../../../src/protocol/collect.js'
import type { Frame } from '../../../src/protocol/ports.js'
import { call, collectFrames, collectJson, decoder, fault, frame, framesFor, itemFrames, ORIGIN, play, response, text, thought, write } from './support.js'

const SEARCH = { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'cats' } }
const CITE = { type: 'url_citation', url: 'https://example.com/', title: 'Cats', start_index: 0, end_index: 4 }
const CUSTOM = { type: 'custom_tool_call', id: 'ctc_1', call_id: 'call_c', name: 'exec', input: 'a "quoted"\n\\ 😀 line', status: 'completed' }
const IMAGE = { type: 'image_generation_call', id: 'ig_1', status: 'completed', output_format: 'webp', result: 'AAAA' }

describe('both wires give the same answer', () => {
  const word = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
  const item = fc.oneof(
    word.map(said => text(said)),
    fc.tuple(word, fc.constantFrom('commentary', 'final_answer')).map(([said, phase]) => text(said, { phase })),
    word.map(said => ({ ...text(''), content: [{ type: 'output_text', text: said, annotations: [CITE] }, { type: 'refusal', refusal: 'No.' }] })),
    fc.array(word, { maxLength: 3 }).map(summary => thought(summary)),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof(word, fc.integer())).map(input => call('tool', input)),
    word.map(input => ({ ...CUSTOM, input })),
    fc.constantFrom<Record<string, unknown>>(SEARCH, IMAGE, CUSTOM, { type: 'item_of_next_year', id: 'x', anything: [1] }),
  )
  const noise: Frame[] = [frame('response.shell_call_command.delta', { output_index: 0, delta: 'ls' }), frame('response.content_part.added', { output_index: 0, part: { type: 'reasoning_text', text: 'x' } }), frame('response.of_next_year', { output_index: 1, delta: 'x' }), frame('keepalive')]

  it('for any mixture of items, cut anywhere, with ids that rotate and events nobody knows between (trap 69)', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), fc.array(fc.nat(), { maxLength: 8 }), fc.constantFrom('completed', 'incomplete', 'queued', 'brand_new'), (output, size, places, status) => {
        const body = response(output, { status, incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null })
        const frames = framesFor(body, size)
        for (const [at, place] of places.entries()) frames.splice(1 + (place % frames.length), 0, ...noise.slice(at % noise.length, (at % noise.length) + 1))
        expect(collectFrames([...frames.filter(each => !/completed|incomplete/.test(each.event ?? '')), frames.find(each => /^response\.(?:in)?complete/.test(each.event ?? '')) as Frame])).toEqual(collectJson(body))
      }),
      { numRuns: 200 },
    )
  })

  it('where the end says nothing of the output, it is what was announced (trap 70)', () => {
    const body = response([thought(['Hm.']), text('Hi'), call('a', { x: 1 })])
    const { output: _, ...bare } = body
    const frames = framesFor(body)
    for (const end of [bare, { ...bare, output: null }, { ...bare, output: [] }]) expect(collectFrames([...frames.slice(0, -1), frame('response.completed', { response: end })])).toEqual(collectJson(body))
  })

  it('where nothing was announced, it is what the end says', () => {
    const body = response([thought(['Hm.']), text('Hi'), SEARCH, call('a', { x: 1 })])
    expect(collectFrames([frame('response.created', { response: response([]) }), frame('response.completed', { response: body })])).toEqual(collectJson(body))
  })

  it('where items never end, it is what their deltas said', () => {
    const frames = framesFor(response([text('Hello you'), call('a', { x: 1 })])).filter(each => !/\.done$/.test(each.event ?? ''))
    const { output: _, ...end } = response([])
    const got = collectFrames([...frames.slice(0, -1), frame('response.completed', { response: end })])
    expect(got).toMatchObject({ text: 'Hello you', toolCalls: [{ id: 'call_a', name: 'a', input: { x: 1 } }], finish: { finishReason: 'tool-calls' } })
  })

  it('an answer whose places begin at 1 is told once', () => {
    const frames = [...itemFrames(text('Once'), 1, 2), frame('response.completed', { response: response([text('Once')]) })]
    expect(collectFrames(frames).text).toBe('Once')
  })

  it('keeps calls apart whose pieces come in turns', () => {
    const [a, b] = [itemFrames(call('a', { long: 'aaaa' }), 0, 3), itemFrames(call('b', { long: 'bbbb' }), 1, 3)]
    const mixed = a.flatMap((each, at) => [each, b[at] as Frame])
    expect(collectFrames([...mixed, frame('response.completed', { response: { status: 'completed' } })]).toolCalls.map(({ name, input }) => [name, input])).toEqual([['a', { long: 'aaaa' }], ['b', { long: 'bbbb' }]])
  })
})

describe('what an answer holds', () => {
  it('free text of a custom tool is never parsed, and goes back as it came (trap 68)', () => {
    for (const input of ['{}', '', '{"a":1}', CUSTOM.input]) {
      const got = collectFrames(framesFor(response([{ ...CUSTOM, input }]), 1))
      expect(got.toolCalls).toEqual([{ id: 'call_c', name: 'exec', input, arguments: JSON.stringify(input) }])
      const { body } = write({ messages: [{ role: 'user', content: 'Go' }, messageOf(got, ORIGIN), { role: 'tool', toolCallId: 'call_c', content: 'done' }] })
      expect(body.input.slice(1)).toEqual([{ type: 'custom_tool_call', call_id: 'call_c', name: 'exec', input }, { type: 'custom_tool_call_output', call_id: 'call_c', output: 'done' }])
    }
  })

  it('cites what the annotations name, once, and keeps the raw ones', () => {
    const body = response([{ ...text(''), content: [{ type: 'output_text', text: 'Cats', annotations: [CITE, { type: 'file_citation', file_id: 'f', filename: 'a.pdf', index: 1 }] }] }])
    for (const got of [collectJson(body), collectFrames(framesFor(body))]) expect(got.content).toEqual([{ type: 'text', text: 'Cats', citations: [{ url: 'https://example.com/', title: 'Cats', data: CITE }, { title: 'a.pdf', data: expect.objectContaining({ file_id: 'f' }) }] }])
  })

  it('tells log probabilities once, though deltas, done and item all have them', () => {
    const logprobs = ['He', 'y'].map(token => ({ token, logprob: -1, top_logprobs: [{ token: 'x', logprob: -2 }] }))
    const item = { ...text(''), content: [{ type: 'output_text', text: 'Hey', annotations: [], logprobs }] }
    const frames = [
      ...logprobs.map(each => frame('response.output_text.delta', { output_index: 0, content_index: 0, delta: each.token, logprobs: [each] })),
      frame('response.output_text.done', { output_index: 0, content_index: 0, text: 'Hey', logprobs }),
      frame('response.output_item.done', { output_index: 0, item }),
      frame('response.completed', { response: response([item]) }),
    ]
    expect(collectFrames(frames).logprobs).toEqual(collectJson(response([item])).logprobs)
    expect(collectJson(response([item])).logprobs).toHaveLength(2)
  })

  it('an image comes out as a file, and goes back inside its item', () => {
    const got = collectJson(response([IMAGE, text('There.')]))
    expect(got.files).toEqual([{ mediaType: 'image/webp', data: 'AAAA' }])
    expect(write({ messages: [{ role: 'user', content: 'Draw' }, messageOf(got, ORIGIN), { role: 'user', content: 'Again' }] }).body.input[1]).toEqual(IMAGE)
  })

  it('usage, what was paid and how it was served', () => {
    const usage = { input_tokens: 9, output_tokens: 8, total_tokens: 17, input_tokens_details: { cached_tokens: 5, cache_write_tokens: 1 }, output_tokens_details: { reasoning_tokens: 6 }, cost_in_usd_ticks: 11_706_000 }
    expect(collectJson(response([], { usage, service_tier: 'flex' })).finish?.usage).toEqual({ inputTokens: 9, outputTokens: 8, cachedInputTokens: 5, cacheWriteTokens: 1, reasoningTokens: 6, serviceTier: 'flex', reportedCostUsd: 0.0011706 })
    expect(collectJson(response([], { usage: null, service_tier: 'default' })).finish?.usage).toEqual({})
  })

  it('a tool name that had to be fitted is given back as the caller wrote it', () => {
    const request = { messages: [{ role: 'user' as const, content: 'x' }], tools: [{ name: 'files.read', inputSchema: {} }] }
    const wire = String(write(request).body.tools[0]?.['name'])
    expect(wire).toMatch(/^[\w-]{1,64}$/)
    expect(collectJson(response([call(wire, {})]), request).toolCalls[0]?.name).toBe('files.read')
  })
})

describe('how an answer ends', () => {
  it.each([
    ['completed', undefined, 'stop'],
    ['complete', undefined, 'stop'],
    ['incomplete', undefined, 'length'],
    ['incomplete', 'max_output_tokens', 'length'],
    ['incomplete', 'content_filter', 'content-filter'],
    ['incomplete', 'new_reason', 'other'],
    ['queued', undefined, 'other'],
    ['cancelled', undefined, 'other'],
    ['__proto__', undefined, 'other'],
  ])('%s (%s) is %s', (status, reason, expected) => {
    expect(collectJson(response([text('x')], { status, incomplete_details: reason === undefined ? null : { reason } })).finish).toMatchObject({ finishReason: expected, rawFinishReason: status })
  })

  it('a shell call waits for the caller, so the answer is no plain stop; where its output stands beside it, it is', () => {
    const shell = { type: 'shell_call', id: 'sh_1', call_id: 'call_s', action: { commands: ['ls'] } }
    expect(collectJson(response([shell]))).toMatchObject({ toolCalls: [], finish: { finishReason: 'other' } })
    expect(collectJson(response([shell, { type: 'shell_call_output', call_id: 'call_s', output: [] }])).finish?.finishReason).toBe('stop')
  })

  it('half a call is no call, though its item was closed: a length limit cut it (trap 72)', () => {
    const half = { ...call('a', '{"path":"/tm'), status: 'incomplete' }
    const body = response([call('b', { x: 1 }), half], { status: 'incomplete' })
    for (const got of [collectJson(body), collectFrames(framesFor(body))]) expect(got).toMatchObject({ toolCalls: [{ name: 'b' }], finish: { finishReason: 'length' }, warnings: [{ code: 'dropped' }] })
    expect(fault(() => collectJson(response([half]))).code).toBe('malformed_response')
  })

  it('pieces that are not what the end says are a fault, not a wrong call', () => {
    const frames = framesFor(response([call('a', { x: 'abcdef' })]), 3)
    const lost = frames.findIndex(each => each.event?.endsWith('arguments.delta'))
    expect(fault(() => play(frames.toSpliced(lost + 1, 1))).code).toBe('malformed_response')
  })

  it('a stream that stops before its end is broken', () => {
    const frames = framesFor(response([text('Hi')]))
    for (let length = 0; length < frames.length; length++) expect(fault(() => play(frames.slice(0, length))).code).toBe('malformed_response')
  })

  it('nothing is read behind the end', () => {
    const body = response([text('One')])
    expect(collectFrames([...framesFor(body), ...framesFor(response([text('Two')]))])).toEqual(collectJson(body))
  })
})

describe('errors inside a stream', () => {
  const failed = (error: object) => frame('response.failed', { response: response([], { status: 'failed', error }) })

  it('an error event may come alone, flat or wrapped: the end of the body tells', () => {
    for (const body of [{ code: 'insufficient_quota', message: 'm', param: null }, { error: { code: 'insufficient_quota', message: 'm' } }]) {
      const reader = decoder('stream')
      expect(reader.frame(frame('error', body))).toEqual([])
      expect(reader.finishing).toBe(true)
      expect(fault(() => reader.end())).toMatchObject({ code: 'quota_exhausted', upstream: { code: 'insufficient_quota', message: 'm' } })
    }
  })

  it('a failed response behind it says more', () => {
    expect(fault(() => play([frame('error', { error: { code: 'unknown-error', message: 'x' } }), failed({ code: 'rate_limit_exceeded', message: 'slow down' })]))).toMatchObject({ code: 'rate_limited', upstream: { code: 'rate_limit_exceeded', message: 'slow down' } })
    expect(fault(() => play([frame('error', { code: 'insufficient_quota' }), frame('response.in_progress')])).code).toBe('quota_exhausted')
  })

  it.each([['server_error', 'upstream_error'], ['rate_limit_exceeded', 'rate_limited'], ['invalid_prompt', 'invalid_request'], ['bio_policy', 'content_filter'], ['vector_store_timeout', 'upstream_error'], ['image_content_policy_violation', 'content_filter'], ['empty_image_file', 'invalid_request'], ['new_code', 'upstream_error']])('%s is %s', (code, expected) => {
    expect(fault(() => play([failed({ code, message: 'm' })])).code).toBe(expected)
    expect(fault(() => collectJson(response([], { status: 'failed', error: { code, message: 'm' } }))).code).toBe(expected)
  })

  it('an error in place of an answer is a fault, whatever its shape', () => {
    expect(fault(() => collectJson({ error: 'Incorrect API key provided: x', code: 'invalid-argument' })).code).toBe('credential_rejected')
    expect(fault(() => collectJson({ error: { code: 'content_filter', status: 400, message: 'm' } })).code).toBe('content_filter')
    expect(fault(() => collectJson({ detail: 'no' })).code).toBe('upstream_error')
    expect(fault(() => play([{ data: '{"error":{"code":429,"message":"m"}}' }])).code).toBe('rate_limited')
  })
})
