import { describe, expect, it, test } from 'vitest'
import { mistral } from '../../../src/index.js'
import type { Target } from '../../../src/protocol/ports.js'
import type { Message, UpstreamRequest } from '../../../src/protocol/request.js'
import { mistralAdapter } from '../../../src/providers/mistral/adapter.js'
import { adapterConformance, type AdapterFixture } from '../../../src/testing/conformance/index.js'
import { ASK, Bench, caught, checkLine, framesOf, recorded, TOOL } from '../support.js'

const target = (model: string): Target => ({ provider: 'mistral', model, baseUrl: 'https://api.mistral.ai/v1', capabilities: {} })
const bench = (model = 'mistral-small-latest', safePrompt?: boolean) => new Bench(mistralAdapter(model, safePrompt), target(model))
const user: Message = { role: 'user', content: 'Hello' }
const chunk = (delta: unknown, finish_reason: string | null = null, more: object = {}) => ({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason }], ...more })
const completion = (message: object, finish_reason = 'stop', more: object = {}) => ({ id: 'c', model: 'm', choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }], ...more })
const thinking = (text: string) => ({ type: 'thinking', thinking: [{ type: 'text', text }] })
const DONE = { data: '[DONE]' }

const usage = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14, num_cached_tokens: 8 }
const call = { id: 'AbCdEfGh1', function: { name: 'look', arguments: '{"x":1}' } }
const fixtures: AdapterFixture[] = [
  {
    name: 'thinking chunks and text',
    request: ASK,
    target: target('magistral-medium-latest'),
    json: completion({ content: [thinking('Hm.'), { type: 'text', text: 'Four.' }] }, 'stop', { usage }),
    frames: framesOf(chunk({ role: 'assistant', content: '' }), chunk({ content: [thinking('H')] }), chunk({ content: [thinking('m.')] }), chunk({ content: [{ type: 'text', text: 'Four.' }] }), chunk({ content: '' }, 'stop', { usage })),
    expect: { text: 'Four.', reasoning: 'Hm.', finishReason: 'stop', usage: { inputTokens: 10, outputTokens: 4, cachedInputTokens: 8 } },
  },
  {
    name: 'calls without an index, whole in the last chunk',
    request: ASK,
    target: target('mistral-small-latest'),
    json: completion({ content: '', tool_calls: [call, { ...call, id: 'AbCdEfGh2' }] }, 'tool_calls', { usage }),
    frames: framesOf(chunk({ role: 'assistant', content: '' }), chunk({ content: null, tool_calls: [call, { ...call, id: 'AbCdEfGh2' }] }, 'tool_calls', { usage })),
    expect: { toolCalls: [{ id: 'AbCdEfGh1', input: { x: 1 } }, { id: 'AbCdEfGh2', input: { x: 1 } }], finishReason: 'tool-calls' },
  },
]

describe('the adapter', () => {
  for (const check of adapterConformance(mistralAdapter('mistral-small-latest'), fixtures)) test(check.name, () => check.run())
})

describe('recorded answers come out as a correct client reads them', () => {
  it.for(recorded('mistral.jsonl'))('%s', ([, line]) => {
    expect(checkLine(bench(), line).warnings).toEqual([])
  })
})

describe('a request', () => {
  it('has none of the fields Mistral answers with a 422', () => {
    const { call: sent, body, codes } = bench().encode({ messages: [{ ...user, name: 'ann' }], seed: 7, topK: 3, logprobs: true }, {}, 'stream')
    expect(sent.url).toBe('https://api.mistral.ai/v1/chat/completions')
    expect(body).toEqual({ model: 'mistral-small-latest', messages: [user], stream: true, random_seed: 7 })
    expect(codes).toEqual(['unsupported messages[0].name', 'unsupported topK', 'unsupported logprobs'])
  })
  it.each<[string, string, UpstreamRequest['reasoning'], object, readonly string[]]>([
    ['a model with a switch', 'mistral-small-latest', { effort: 'high' }, { reasoning_effort: 'high' }, []],
    ['the same, off', 'mistral-medium-3-5', { effort: 'none' }, { reasoning_effort: 'none' }, []],
    ['an effort it has no word for', 'mistral-small-2603', { effort: 'medium' }, { reasoning_effort: 'high' }, ['changed reasoning.effort']],
    ['a model that always reasons', 'magistral-medium-2509', { effort: 'high' }, { prompt_mode: 'reasoning' }, ['changed reasoning.effort']],
    ['the same with a budget', 'magistral-small-latest', { budgetTokens: 900 }, { prompt_mode: 'reasoning' }, ['dropped reasoning.budgetTokens']],
    ['the same, off', 'magistral-small-latest', { effort: 'none' }, {}, ['changed reasoning.effort']],
    ['a model that never reasons', 'mistral-large-2411', { effort: 'high' }, {}, ['unsupported reasoning']],
    ['a family that never reasons', 'codestral-latest', { effort: 'none' }, {}, []],
  ])('asks %s for reasoning', (_, model, reasoning, wish, codes) => {
    const { body, codes: said } = bench(model).encode({ reasoning: reasoning ?? {} })
    expect({ ...body, ...{ model: undefined, messages: undefined } }).toEqual({ ...wish, model: undefined, messages: undefined })
    expect(said).toEqual(codes)
  })
  it('says any for a call that must be made, and asks for the safety prompt where it was told to', () => {
    expect(bench('mistral-small-latest', true).encode({ tools: [TOOL], toolChoice: 'required', parallelToolCalls: false }).body).toMatchObject({ tool_choice: 'any', parallel_tool_calls: false, safe_prompt: true })
    expect(bench().encode({ tools: [TOOL], toolChoice: { name: 'look' } }).body).toMatchObject({ tool_choice: { type: 'function', function: { name: 'look' } } })
    expect(bench('m', false).encode({ providerOptions: { mistral: { prompt_cache_key: 'k' } } }).body).toMatchObject({ safe_prompt: false, prompt_cache_key: 'k' })
  })
  it('has documents as document_url and sounds as bare text', () => {
    const content = [{ type: 'file', data: 'https://a.example/b.pdf', mediaType: 'application/pdf', filename: 'b.pdf' }, { type: 'audio', data: 'AQI=', format: 'mp3' }] as const
    expect(bench().encode({ messages: [{ role: 'user', content }] }).body['messages']).toEqual([{ role: 'user', content: [{ type: 'document_url', document_url: 'https://a.example/b.pdf', document_name: 'b.pdf' }, { type: 'input_audio', input_audio: 'AQI=' }] }])
  })
})

describe('a conversation that comes from another provider', () => {
  const loop = (id: string): Message[] => [user, { role: 'assistant', content: [{ type: 'tool-call', id, name: 'look', input: {} }] }, { role: 'tool', toolCallId: id, content: 'ok' }]
  const idsOf = (messages: readonly Message[]) => {
    const sent = bench().encode({ messages }).body['messages'] as { tool_calls?: { id: string }[]; tool_call_id?: string }[]
    return [sent[1]?.tool_calls?.[0]?.id, sent[2]?.tool_call_id]
  }
  it('has ids of nine characters, the same on call and result, for else it is code 3280', () => {
    const [made, answered] = idsOf(loop('toolu_01U8pzAHj2vNdPCA2Kf8JjeN'))
    expect(made).toMatch(/^[a-zA-Z0-9]{9}$/)
    expect(answered).toBe(made)
    expect(idsOf(loop('AbCdEfGh1'))).toEqual(['AbCdEfGh1', 'AbCdEfGh1'])
  })
  it('has a word between tool results and the user, where the model is an old one', () => {
    const messages: Message[] = [...loop('AbCdEfGh1'), { role: 'user', content: 'And now?' }]
    const old = bench('open-mistral-nemo').encode({ messages })
    expect((old.body['messages'] as { role: string }[]).map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user'])
    expect(old.codes).toEqual(['changed messages'])
    expect((bench().encode({ messages }).body['messages'] as unknown[]).length).toBe(4)
  })
})

describe('reasoning of earlier turns', () => {
  const origin = { provider: 'mistral', model: 'magistral-medium-latest', deployment: 'd' }
  const content = [{ type: 'reasoning', text: 'Hm.' }, { type: 'text', text: 'Four.' }] as const
  const turn = (model: string) => (bench(model).encode({ messages: [user, { role: 'assistant', content, origin }, user] }).body['messages'] as unknown[])[1]
  it('goes back as a part of the content to the model that wrote it', () => {
    expect(turn('magistral-medium-latest')).toEqual({ role: 'assistant', content: [thinking('Hm.'), { type: 'text', text: 'Four.' }] })
  })
  it('goes to no other', () => {
    expect(turn('mistral-small-latest')).toEqual({ role: 'assistant', content: 'Four.' })
  })
})

describe('an answer that goes on from half of one', () => {
  const half: Partial<UpstreamRequest> = { messages: [user, { role: 'assistant', content: 'One, two' }], prefill: true }
  it('is asked for with a prefix', () => {
    expect((bench().encode(half).body['messages'] as unknown[])[1]).toEqual({ role: 'assistant', content: 'One, two', prefix: true })
  })
  it.each<[string, readonly string[], string]>([
    ['that is repeated in one piece', ['One, two', ', three'], ', three'],
    ['that is repeated in bits', ['One', ', ', 'two, th', 'ree'], ', three'],
    ['that is not repeated', [', three'], ', three'],
    ['that only begins alike', ['One, ', 'more'], 'One, more'],
    ['and ends within it', ['One'], 'One'],
  ])('shows what is new of an answer %s', (_, pieces, text) => {
    const frames = [...framesOf(...pieces.map(content => chunk({ content })), chunk({ content: '' }, 'stop')), DONE]
    expect(bench().stream(frames, half).text).toBe(text)
    expect(bench().json(completion({ content: pieces.join('') }), half).text).toBe(text)
  })
  it('keeps the text before a call', () => {
    expect(bench().stream([...framesOf(chunk({ content: 'One' }), chunk({ tool_calls: [call] }, 'tool_calls')), DONE], half).content).toMatchObject([{ type: 'text', text: 'One' }, { type: 'tool-call' }])
  })
  it('is left alone where nothing was begun', () => {
    expect(bench().stream([...framesOf(chunk({ content: 'One' }, 'stop')), DONE]).text).toBe('One')
  })
})

describe('the spellings of Mistral', () => {
  it.each([['num_cached_tokens', { num_cached_tokens: 8 }], ['details', { prompt_tokens_details: { cached_tokens: 8 } }], ['detail', { prompt_token_details: { cached_tokens: 8 } }]])('of cached tokens: %s', (_, more) => {
    expect(bench().json(completion({ content: 'a' }, 'stop', { usage: { prompt_tokens: 10, completion_tokens: 2, ...more } })).finish?.usage).toEqual({ inputTokens: 10, outputTokens: 2, cachedInputTokens: 8 })
  })
  it('of a sound: the total is more than its parts, and neither is changed', () => {
    expect(bench().json(completion({ content: 'a' }, 'stop', { usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 99, prompt_audio_seconds: 3 } })).finish?.usage).toEqual({ inputTokens: 10, outputTokens: 2 })
  })
  it('of the service tier, inside the usage', () => {
    const tier = (service_tier: string) => bench().json(completion({ content: 'a' }, 'stop', { usage: { prompt_tokens: 1, completion_tokens: 2, service_tier } })).finish?.usage.serviceTier
    expect([tier('standard'), tier('flex')]).toEqual([undefined, 'flex'])
  })
  it.each([['model_length', 'length'], ['length', 'length'], ['stop', 'stop']])('of the end: %s', (raw, finishReason) => {
    expect(bench().json(completion({ content: 'a' }, raw)).finish).toMatchObject({ finishReason, rawFinishReason: raw })
  })
  it('of a failure: the finish word error', () => {
    expect(caught(() => bench().json(completion({ content: 'a' }, 'error'))).code).toBe('upstream_error')
  })
  it.each<[string, number, unknown, string, object]>([
    ['a detail', 401, { detail: 'Invalid API Key' }, 'credential_rejected', { message: 'Invalid API Key' }],
    ['a list of details', 422, { detail: [{ loc: ['body', 'foo'], msg: 'Extra inputs are not permitted', type: 'extra_forbidden' }] }, 'invalid_request', { param: 'body.foo', type: 'extra_forbidden' }],
    ['a code', 400, { object: 'error', message: 'Tool call id was x but must be a-z, A-Z, 0-9, with a length of 9.', type: 'invalid_function_call', code: '3280' }, 'invalid_request', { code: '3280' }],
    ['an overflow', 400, { object: 'error', message: 'Prompt contains 40000 tokens, too large for model with 32768 maximum context length', type: 'invalid_request_prompt' }, 'context_length', {}],
  ])('of an error: %s', (_, status, body, code, upstream) => {
    expect(bench().fault(status, body, { 'mistral-correlation-id': 'c-1' })).toMatchObject({ code, upstream: { ...upstream, requestId: 'c-1' } })
  })
  it('of the limits', () => {
    const headers = { 'x-ratelimit-limit-req-minute': '60', 'x-ratelimit-remaining-req-minute': '59', 'x-ratelimit-limit-tokens-minute': '500000', 'x-ratelimit-remaining-tokens-minute': '499000', 'x-ratelimit-limit-tokens-month': '1' }
    expect(bench().adapter.limits?.(headers, 0)).toEqual({ limitRequests: 60, remainingRequests: 59, limitTokens: 500_000, remainingTokens: 499_000 })
  })
})

describe('a deployment', () => {
  it('knows its server and its key', () => {
    expect(mistral('mistral-small-latest', { safePrompt: true })).toMatchObject({ id: 'mistral/mistral-small-latest', provider: 'mistral', reach: { baseUrl: 'https://api.mistral.ai/v1', env: ['MISTRAL_API_KEY'], keyless: false } })
  })
  it.each<[string, () => unknown]>([
    ['no model', () => mistral('')],
    ['options that are none', () => mistral('m', null as never)],
    ['a safety prompt that is no yes or no', () => mistral('m', { safePrompt: 'yes' as never })],
    ['an option nobody knows', () => mistral('m', { safeprompt: true } as never)],
  ])('refuses %s', (_, run) => {
    expect(caught(run).code).toBe('invalid_config')
  })
})
