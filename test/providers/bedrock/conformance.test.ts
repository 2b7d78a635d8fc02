import { describe, expect, it, test } from 'vitest'
import { adapterConformance, type AdapterFixture } from '../../../src/testing/conformance/index.js'
import { adapter, ask, collectFrames, collectJson, decoder, faultOf, frame, target } from './support.js'

const USAGE = { inputTokens: 10, outputTokens: 20, totalTokens: 37, cacheReadInputTokens: 4, cacheWriteInputTokens: 3, cacheDetails: [{ ttl: '1h', inputTokens: 2 }, { ttl: '5m', inputTokens: 1 }] }
const body = (content: readonly unknown[], stopReason: string, more: object = {}) => ({ output: { message: { role: 'assistant', content } }, stopReason, usage: USAGE, metrics: { latencyMs: 9 }, ...more })
const start = (index: number, toolUse: object) => frame('contentBlockStart', { contentBlockIndex: index, start: { toolUse } })
const delta = (index: number, fields: object) => frame('contentBlockDelta', { contentBlockIndex: index, delta: fields, p: 'abcd' })
const stop = (index: number) => frame('contentBlockStop', { contentBlockIndex: index })
const end = (stopReason: string, more: object = {}) => [frame('messageStop', { stopReason }), frame('metadata', { usage: USAGE, metrics: { latencyMs: 9 }, ...more })]
const begin = frame('messageStart', { role: 'assistant' })
const CITATION = { title: 'policy', sourceContent: [{ text: 'Twenty ' }, { text: 'days.' }], location: { web: { url: 'https://a.example/policy' } } }

const fixtures: readonly AdapterFixture[] = [
  {
    name: 'text after signed and hidden reasoning',
    request: ask(),
    target: target(),
    json: body([{ reasoningContent: { reasoningText: { text: 'Let me see.', signature: 'c2ln' } } }, { reasoningContent: { redactedContent: 'aGlk' } }, { text: 'It is 4.' }], 'end_turn'),
    frames: [begin, delta(0, { reasoningContent: { text: 'Let me ' } }), delta(0, { reasoningContent: { text: 'see.' } }), delta(0, { reasoningContent: { text: '' } }), delta(0, { reasoningContent: { signature: 'c2' } }), delta(0, { reasoningContent: { signature: 'ln' } }), stop(0), delta(1, { reasoningContent: { redactedContent: 'aGlk' } }), stop(1), delta(2, { text: 'It is' }), delta(2, { text: ' 4.' }), stop(2), ...end('end_turn')],
    expect: { text: 'It is 4.', reasoning: 'Let me see.', finishReason: 'stop', rawFinishReason: 'end_turn', usage: { inputTokens: 17, outputTokens: 20, cachedInputTokens: 4, cacheWriteTokens: 3, cacheWrite1hTokens: 2 } },
  },
  {
    name: 'two calls behind a text',
    request: ask({ tools: [{ name: 'two words', inputSchema: {} }, { name: 'b', inputSchema: {} }] }),
    target: target(),
    json: body([{ text: 'Looking.' }, { toolUse: { toolUseId: 't1', name: 'b', input: { x: [1, 'é'] }, type: 'tool_use' } }, { toolUse: { toolUseId: 't2', name: 'b', input: {} } }], 'tool_use'),
    frames: [begin, delta(0, { text: 'Looking.' }), stop(0), start(1, { toolUseId: 't1', name: 'b' }), delta(1, { toolUse: { input: '' } }), delta(1, { toolUse: { input: '{"x":[1,' } }), delta(1, { toolUse: { input: '"é"]}' } }), stop(1), start(2, { toolUseId: 't2', name: 'b' }), stop(2), ...end('tool_use')],
    expect: { text: 'Looking.', toolCalls: [{ id: 't1', name: 'b', input: { x: [1, 'é'] } }, { id: 't2', name: 'b', input: {} }], finishReason: 'tool-calls' },
  },
  {
    name: 'cited text between plain text',
    request: ask(),
    target: target(),
    json: body([{ text: 'It says ' }, { citationsContent: { citations: [CITATION], content: [{ text: 'twenty days.' }] } }, { text: ' So there.' }], 'guardrail_intervened', { trace: { guardrail: { action: 'x' } }, serviceTier: { type: 'flex' } }),
    frames: [begin, delta(0, { text: 'It says ' }), stop(0), delta(1, { citation: CITATION }), delta(1, { text: 'twenty days.' }), stop(1), delta(2, { text: ' So there.' }), stop(2), ...end('guardrail_intervened', { trace: { guardrail: { action: 'x' } }, serviceTier: { type: 'flex' } })],
    expect: { text: 'It says twenty days. So there.', finishReason: 'content-filter' },
  },
  {
    name: 'the answer in the shape of a call',
    request: ask({ output: { name: 'answer', jsonSchema: { type: 'object', properties: { n: { type: 'number' } } } } }),
    target: target('amazon.nova-lite-v1:0'),
    json: body([{ toolUse: { toolUseId: 't1', name: 'json', input: { n: 4 } } }], 'tool_use'),
    frames: [begin, start(0, { toolUseId: 't1', name: 'json' }), delta(0, { toolUse: { input: '{"n"' } }), delta(0, { toolUse: { input: ':4}' } }), stop(0), ...end('tool_use')],
    expect: { text: '{"n":4}', toolCalls: [], finishReason: 'stop', rawFinishReason: 'tool_use' },
  },
  { name: 'an error with a good status', request: ask(), target: target(), json: { __type: 'com.amazon.coral#ThrottlingException', message: 'Too many requests' }, expect: { fault: 'rate_limited' } },
]

describe('the adapter passes the conformance checks', () => {
  for (const check of adapterConformance(adapter, fixtures)) test(check.name, () => check.run())
})

describe('an answer', () => {
  it('keeps what has to be sent back on the part it belongs to', () => {
    const { content } = collectFrames(fixtures[0]?.frames ?? [])
    expect(content).toEqual([
      { type: 'reasoning', text: 'Let me see.', providerData: { bedrock: { signature: 'c2ln' } } },
      { type: 'reasoning', text: '', providerData: { bedrock: { redacted: 'aGlk' } } },
      { type: 'text', text: 'It is 4.' },
    ])
  })

  it('gives each cited text its own part and its own citations', () => {
    const { content, providerMetadata, finish } = collectFrames(fixtures[2]?.frames ?? [])
    expect(content.map(part => (part.type === 'text' ? [part.text, part.citations?.map(({ title, url, text }) => [title, url, text])] : []))).toEqual([['It says ', undefined], ['twenty days.', [['policy', 'https://a.example/policy', 'Twenty days.']]], [' So there.', undefined]])
    expect(providerMetadata).toEqual({ bedrock: { trace: { guardrail: { action: 'x' } } } })
    expect(finish?.usage.serviceTier).toBe('flex')
  })

  it.each([
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['content_filtered', 'content-filter'],
    ['malformed_model_output', 'other'],
    ['FAKE_NEW_FINISH_REASON', 'other'],
  ])('that ends with %s finishes with %s', (raw, finishReason) => {
    expect(collectFrames([begin, delta(0, { text: 'a' }), ...end(raw)]).finish).toMatchObject({ finishReason, rawFinishReason: raw })
  })

  it.each(['max_tokens', 'malformed_tool_use'])('of which %s cut a call holds no half call', raw => {
    const got = collectFrames([begin, start(0, { toolUseId: 't1', name: 'a' }), delta(0, { toolUse: { input: '{"x":' } }), stop(0), ...end(raw)])
    expect(got.toolCalls).toEqual([])
  })

  it('with a broken call and a plain stop reason is malformed', () => {
    expect(faultOf(() => collectFrames([begin, start(0, { toolUseId: 't1', name: 'a' }), delta(0, { toolUse: { input: '{"x":' } }), stop(0), ...end('tool_use')])).code).toBe('malformed_response')
    expect(faultOf(() => collectFrames([begin, delta(3, { toolUse: { input: '{}' } }), ...end('tool_use')])).code).toBe('malformed_response')
  })

  it('that says stop and calls a tool stops for the call', () => {
    expect(collectFrames([begin, start(0, { toolUseId: 't1', name: 'a' }), ...end('end_turn')]).finish?.finishReason).toBe('tool-calls')
  })

  it('is read to its usage, which comes behind the stop reason, and no further', () => {
    const decode = decoder('stream')
    decode.frame(begin)
    decode.frame(delta(0, { text: 'a' }))
    expect(decode.frame(frame('messageStop', { stopReason: 'end_turn' }))).toEqual([])
    expect([decode.finishing, decode.done]).toEqual([true, false])
    expect(decode.frame(frame('metadata', { usage: USAGE }))).toMatchObject([{ type: 'finish' }])
    expect([decode.finishing, decode.done]).toEqual([false, true])
    expect(decode.frame(delta(0, { text: 'b' }))).toEqual([])
  })

  it('leaves out a call the server made itself, and says so once, on both wires', () => {
    const server = { toolUseId: 's1', name: 'search', type: 'server_tool_use' }
    const streamed = collectFrames([begin, start(0, server), delta(0, { toolUse: { input: '{"q":' } }), stop(0), frame('contentBlockStart', { contentBlockIndex: 1, start: { toolResult: { toolUseId: 's1' } } }), stop(1), delta(2, { text: 'Found.' }), ...end('end_turn')])
    const whole = collectJson(body([{ toolUse: { ...server, input: { q: 1 } } }, { toolResult: { toolUseId: 's1' } }, { text: 'Found.' }], 'end_turn'))
    for (const got of [streamed, whole]) expect(got).toMatchObject({ text: 'Found.', toolCalls: [], finish: { finishReason: 'stop' }, warnings: [{ code: 'dropped' }] })
  })

  it('gives tool names back as the caller wrote them', () => {
    const request = ask({ tools: [{ name: 'get weather', inputSchema: {} }] })
    const wire = String((JSON.parse(String(adapter.encode(request, target(), 'json').call.body)) as { toolConfig: { tools: { toolSpec: { name: string } }[] } }).toolConfig.tools[0]?.toolSpec.name)
    expect(wire).toMatch(/^get_weather_[a-z0-9]{8}$/)
    expect(collectFrames([begin, start(0, { toolUseId: 't1', name: wire }), ...end('tool_use')], { request }).toolCalls[0]?.name).toBe('get weather')
  })

  it('bears the id of its request, for it has none of its own', () => {
    const headers = { 'x-amzn-requestid': 'r-1' }
    expect(collectFrames([begin, ...end('end_turn')], { headers }).id).toBe('r-1')
    expect(collectJson(body([], 'end_turn'), { headers }).id).toBe('r-1')
  })

  it.each<[string, unknown]>([
    ['no object', [1]],
    ['no message', { output: {} }],
    ['an empty object', {}],
  ])('that is %s is malformed', (_, given) => {
    expect(faultOf(() => collectJson(given)).code).toBe('malformed_response')
  })
})
