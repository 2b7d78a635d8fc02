import { describe, expect, it } from 'vitest'
import { collect } from '../../../src/protocol/collect.js'
import { answer, ask, ASK, context, drained, failure, finishOf, model, upstreamOf, VERSIONS, type V } from './support.js'

const start = { type: 'stream-start', warnings: [] }
const end = (version: V = 'v3', reason = 'stop', more: object = {}) => ({ type: 'finish', ...finishOf(version, reason), ...more })
const stream = (...parts: readonly unknown[]) => answer(model({ parts: [start, ...parts] }), 'stream')
const code = async (work: Promise<unknown>) => (await failure(() => work)).code
const meta = (mine: object) => ({ providerMetadata: { mine } })
const kept = (mine: object) => ({ 'ai-sdk': { providerOptions: { mine } } })

describe('blocks of an answer', () => {
  it('what a block says at its start, within and at its end stays with it, whatever overlaps', async () => {
    const { content } = await stream(
      { type: 'reasoning-start', id: 'a', ...meta({ item: 1 }) },
      { type: 'reasoning-delta', id: 'a', delta: 'one' },
      { type: 'reasoning-start', id: 'b' },
      { type: 'reasoning-delta', id: 'b', delta: 'two' },
      { type: 'reasoning-end', id: 'a', ...meta({ signature: 'late' }) },
      { type: 'reasoning-delta', id: 'b', delta: '', ...meta({ signature: 's' }) },
      { type: 'reasoning-end', id: 'b' },
      { type: 'text-delta', id: 'unannounced', delta: 'Hi' },
      end(),
    )
    expect(content).toEqual([
      { type: 'reasoning', text: 'one', providerData: { 'ai-sdk': {} } },
      { type: 'reasoning', text: 'two', providerData: kept({ signature: 's' }) },
      { type: 'reasoning', text: '', providerData: kept({ item: 1, signature: 'late' }) },
      { type: 'text', text: 'Hi' },
    ])
  })

  it.each(VERSIONS)('sources, files and opaque parts come on both wires alike (%s)', async version => {
    const source = { type: 'source', sourceType: 'url', id: '1', url: 'https://x.test', title: 'X' }
    const file = { type: 'file', mediaType: 'image/png', data: version === 'v4' ? { type: 'data', data: 'AQID' } : 'AQID' }
    const run = [
      { type: 'tool-call', toolCallId: 'srv', toolName: 'web', input: '{"q":1}', providerExecuted: true },
      { type: 'tool-result', toolCallId: 'srv', toolName: 'web', result: { early: true }, preliminary: true },
      { type: 'tool-result', toolCallId: 'srv', toolName: 'web', result: { found: 2 } },
    ]
    const content = [...run, { type: 'text', text: 'See X', ...meta({ id: 't' }) }, source, file]
    const parts = [start, ...run, { type: 'text-start', id: '0', ...meta({ id: 't' }) }, { type: 'text-delta', id: '0', delta: 'See X' }, source, { type: 'text-end', id: '0' }, file, end(version)]
    const whole = await answer(model({ version, content }))
    expect(await answer(model({ version, parts }), 'stream')).toEqual(whole)
    expect(whole.content).toEqual([
      { type: 'text', text: '', providerData: { 'ai-sdk': { block: { type: 'tool-call', toolCallId: 'srv', toolName: 'web', input: { q: 1 }, providerExecuted: true } } } },
      { type: 'text', text: '', providerData: { 'ai-sdk': { block: { type: 'tool-result', toolCallId: 'srv', toolName: 'web', output: { type: 'json', value: { found: 2 } } } } } },
      { type: 'text', text: 'See X', citations: [{ url: 'https://x.test', title: 'X', data: source }], providerData: kept({ id: 't' }) },
      { type: 'file', mediaType: 'image/png', data: 'AQID' },
    ])
    expect(whole.toolCalls).toEqual([])
  })

  it('the text for a schema is the one the model names, not the drafts', async () => {
    const result = { content: [{ type: 'text', text: 'draft' }, { type: 'text', text: '{"a":1}' }], structuredOutputText: '{"a":1}', warnings: [], ...finishOf('v4') }
    expect((await answer(model({ version: 'v4', result }), 'json', { ...ASK, output: { name: 'a', jsonSchema: {} } })).text).toBe('{"a":1}')
    expect((await answer(model({ version: 'v4', result }))).text).toBe('draft{"a":1}')
  })

  it('warnings of the SDK and parts of an unknown kind are told', async () => {
    const { warnings } = await stream({ type: 'stream-start', warnings: [{ type: 'unsupported-setting', setting: 'topK', details: 'no' }, { type: 'compatibility', feature: 'x' }, { type: 'other', message: 'm' }, null] }, { type: 'hologram' }, { type: 'ping' }, { type: 'raw', rawValue: 1 }, { type: 'tool-approval-request', approvalId: 'a', toolCallId: 'b' }, end())
    expect(warnings.map(warning => warning.code)).toEqual(['unsupported', 'changed', 'other', 'other', 'frame_skipped', 'unsupported'])
    expect(warnings[0]).toEqual({ code: 'unsupported', message: 'The AI SDK model does not take "topK". no', parameter: 'topK' })
  })
})

describe('tool calls of an answer', () => {
  const begin = (id: string) => ({ type: 'tool-input-start', id, toolName: 'look' })
  const delta = (id: string, text: string) => ({ type: 'tool-input-delta', id, delta: text })
  const call = (id: string, input: string, more: object = {}) => ({ type: 'tool-call', toolCallId: id, toolName: 'look', input, ...more })

  it('two that are written at once keep what belongs to each', async () => {
    const made = model({ parts: [start, begin('a'), delta('a', '{"x"'), begin('b'), delta('b', '{"y":2}'), delta('a', ':1}'), call('a', '{"x":1}', meta({ s: 'a' })), call('b', '{"y":2}', meta({ s: 'b' })), end('v3', 'tool-calls')] })
    const events = await ask(made, 'stream')
    expect(collect(events)).toMatchObject({
      content: [{ id: 'a', input: { x: 1 }, providerData: kept({ s: 'a' }) }, { id: 'b', input: { y: 2 }, providerData: kept({ s: 'b' }) }],
      finish: { finishReason: 'tool-calls' },
    })
    expect(events.map(({ type }) => type)).toEqual(['start', 'tool-call-start', 'tool-call-delta', 'tool-call-delta', 'provider-data', 'tool-call', 'tool-call-start', 'tool-call-delta', 'provider-data', 'tool-call', 'finish'])
  })

  it('the whole input counts where it differs from the pieces', async () => {
    expect((await stream(begin('a'), delta('a', '{"draft":'), call('a', '{"x":1}'), end())).toolCalls).toEqual([{ id: 'a', name: 'look', input: { x: 1 }, arguments: '{"x":1}' }])
    expect((await stream(call('a', ''), end())).toolCalls).toMatchObject([{ input: {}, arguments: '{}' }])
  })

  it('half of one is never given, and only a limit excuses it', async () => {
    for (const half of [[begin('a'), delta('a', '{}')], [begin('a'), delta('a', '{"x'), call('a', '{"x')]]) {
      expect(await stream(...half, end('v3', 'length'))).toMatchObject({ toolCalls: [], finish: { finishReason: 'length' } })
      expect(await code(stream(...half, end()))).toBe('malformed_response')
    }
    expect(await code(stream(call('a', '{"x'), { type: 'text-start', id: '0' }, end('v3', 'length')))).toBe('malformed_response')
    expect(await code(stream(begin('a'), begin('a'), end()))).toBe('malformed_response')
    expect(await code(stream({ type: 'tool-call', toolName: 'x', input: '{}' }, end()))).toBe('malformed_response')
  })

  it('a stop with calls is a stop for calls, and calls that the provider made are none', async () => {
    expect((await stream(call('a', '{}'), end())).finish?.finishReason).toBe('tool-calls')
    expect((await stream({ type: 'tool-input-start', id: 'a', toolName: 'web', providerExecuted: true }, call('a', '{}', { providerExecuted: true }), end('v3', 'tool-calls'))).finish?.finishReason).toBe('other')
  })
})

describe('the end of an answer', () => {
  it('a stream without a finish, or with a reason that is none, was cut', async () => {
    const text = [{ type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: 'Hi' }]
    expect(await code(stream(...text))).toBe('malformed_response')
    expect(await code(stream(...text, { type: 'finish', finishReason: { unified: 'other' }, usage: {} }))).toBe('malformed_response')
    const cut = { type: 'finish', finishReason: 'unknown', usage: {} }
    expect(await code(answer(model({ version: 'v2', parts: [...text, cut] }), 'stream'))).toBe('malformed_response')
    expect(await code(answer(model({ version: 'v4', parts: [...text, { ...end('v4', 'interrupted') }] }), 'stream'))).toBe('malformed_response')
    expect(await code(stream(...text, end('v3', 'error')))).toBe('upstream_error')
  })

  it('a word of the provider that is not known is a finish all the same', async () => {
    expect((await stream(end('v3', 'other'))).finish).toMatchObject({ finishReason: 'other', rawFinishReason: 'raw-other' })
    expect((await answer(model({ version: 'v2', parts: [end('v2', 'unknown')] }), 'stream')).finish).toMatchObject({ finishReason: 'other', rawFinishReason: null })
    expect((await answer(model({ version: 'v3', finish: { finishReason: { unified: 'other' }, usage: {} } }))).finish).toMatchObject({ finishReason: 'other', usage: {} })
  })

  it('usage has what was reported, with the parts of the prompt that v2 leaves out', async () => {
    const nested = { inputTokens: { total: 50, cacheRead: 30, cacheWrite: 5 }, outputTokens: { total: 9, reasoning: 4 }, raw: { service_tier: 'flex', cache_creation: { ephemeral_1h_input_tokens: 5 } } }
    expect((await stream(end('v3', 'stop', { usage: nested }))).finish?.usage).toEqual({ inputTokens: 50, outputTokens: 9, cachedInputTokens: 30, cacheWriteTokens: 5, cacheWrite1hTokens: 5, reasoningTokens: 4, serviceTier: 'flex' })
    const v2 = (usage: object, metadata?: object) => answer(model({ version: 'v2', finish: { finishReason: 'stop', usage, ...(metadata !== undefined && { providerMetadata: metadata }) } }))
    expect((await v2({ inputTokens: 15, outputTokens: 9, cachedInputTokens: 30, reasoningTokens: NaN })).finish?.usage).toEqual({ inputTokens: 45, outputTokens: 9, cachedInputTokens: 30 })
    const raw = { input_tokens: 15, output_tokens: 9, cache_read_input_tokens: 30, cache_creation_input_tokens: 5 }
    expect((await v2({ inputTokens: 15, outputTokens: 9, cachedInputTokens: 30 }, { anthropic: { usage: raw } })).finish?.usage).toEqual({ inputTokens: 50, outputTokens: 9, cachedInputTokens: 30, cacheWriteTokens: 5 })
    expect((await v2({})).finish?.usage).toEqual({})
  })

  it('log probabilities are read where the provider gives them, and the rest of its data is kept', async () => {
    const openai = { logprobs: [{ token: 'Hi', logprob: -0.1, top_logprobs: [] }], serviceTier: 'priority' }
    expect(await stream(end('v3', 'stop', { providerMetadata: { openai } }))).toMatchObject({ logprobs: [{ token: 'Hi', logprob: -0.1 }], providerMetadata: { 'ai-sdk': { openai } }, finish: { usage: { serviceTier: 'priority' } } })
  })
})

describe('a stream of a model', () => {
  it('feeds the idle clock with each part, also with those that say nothing', async () => {
    const at = context('stream')
    await drained(await upstreamOf(model({ parts: [start, { type: 'ping' }, { type: 'ping' }, end()] })).open('chat', ASK, at))
    expect(at.activity()).toBe(4)
  })

  it('is cancelled when it is left, and when it breaks', async () => {
    const made = model({ parts: [start, { type: 'text-delta', id: '0', delta: 'Hi' }], end: 'hang' })
    const opened = await upstreamOf(made).open('chat', ASK, context('stream'))
    await opened.read()
    const waiting = failure(async () => opened.read())
    opened.close()
    opened.close()
    expect((await waiting).code).toBe('aborted')
    expect(made.streams[0]?.cancelled).toBe(1)
    const broken = model({ parts: [{ type: 'error', error: { type: 'overloaded_error', message: 'busy' } }], end: 'hang' })
    expect(await code(ask(broken, 'stream'))).toBe('overloaded')
    expect(broken.streams[0]?.cancelled).toBe(1)
  })

  it.each([null, 'text', 7, [], { type: 'tool-call', toolCallId: {}, input: '{}' }, { type: 'file' }, { type: 'finish' }, { type: 'finish', finishReason: [], usage: 'x' }])('that holds %j ends in a fault of ours', async part => {
    expect(await code(stream(part))).toBe('malformed_response')
  })

  it.each([undefined, null, 'text', {}, { content: 'x' }, { stream: 7 }])('is none where the model gives %j', async result => {
    const made = { ...model(), doGenerate: () => Promise.resolve(result), doStream: () => Promise.resolve(result) }
    expect(await code(ask(made))).toBe('malformed_response')
    expect(await code(ask(made, 'stream'))).toBe('malformed_response')
  })

  it('nested deeper than anything may be loses what cannot be kept, not the answer', async () => {
    const deep = JSON.parse('['.repeat(300) + ']'.repeat(300)) as unknown
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    const result = await stream({ type: 'text-start', id: '0', ...meta({ deep }) }, { type: 'text-delta', id: '0', delta: 'Hi' }, { type: 'text-end', id: '0', ...meta({ loop }) }, end('v3', 'stop', meta({ loop })))
    expect(result).toMatchObject({ text: 'Hi', content: [{ type: 'text', text: 'Hi' }] })
  })
})
