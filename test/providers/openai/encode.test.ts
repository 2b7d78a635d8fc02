import { describe, expect, it } from 'vitest'
import { collect, messageOf } from '../../../src/protocol/collect.js'
import type { JsonObject } from '../../../src/protocol/json.js'
import type { AssistantMessage, Message, UpstreamRequest } from '../../../src/protocol/request.js'
import { Secret } from '../../../src/protocol/secret.js'
import { openaiAdapter } from '../../../src/providers/openai/adapter.js'
import { openai } from '../../../src/providers/openai/index.js'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import type { Quirks } from '../../../src/providers/openai/quirks.js'
import { caught, chunk, DONE, encoded, play, stop } from './support.js'

const CLOSED: JsonObject = { type: 'object', properties: { x: { type: 'string' } }, required: ['x'], additionalProperties: false }
const OPEN: JsonObject = { type: 'object', properties: { x: { type: 'string' }, y: { type: 'number' } }, required: ['x'] }
const TOOLS = [{ name: 'f', inputSchema: CLOSED }]
const messages = (list: readonly Message[], quirks: Quirks = {}, model = 'some-model') => encoded({ messages: list }, quirks, { model })
const sent = (list: readonly Message[], quirks: Quirks = {}, model = 'some-model') => messages(list, quirks, model).body['messages']
const ask: Message = { role: 'user', content: 'Hello' }

describe('the request', () => {
  it('has only what was asked for', () => {
    const { call, body, warnings } = encoded({})
    expect(body).toEqual({ model: 'some-model', messages: [{ role: 'user', content: 'Hello' }] })
    expect(warnings).toEqual([])
    expect(call).toMatchObject({ method: 'POST', url: 'https://lab.example/v1/chat/completions', headers: { 'content-type': 'application/json', accept: 'application/json' } })
  })
  it('asks for usage on a stream, where the server knows that', () => {
    expect(encoded({}, {}, {}, 'stream').body).toMatchObject({ stream: true, stream_options: { include_usage: true } })
    expect(encoded({}, QUIRKS.mistral, {}, 'stream').body).not.toHaveProperty('stream_options')
  })
  it('keeps the query of a base URL behind the path', () => {
    expect(encoded({}, {}, { baseUrl: 'https://a.example/openai/deployments/d?api-version=1' }).call.url).toBe('https://a.example/openai/deployments/d/chat/completions?api-version=1')
  })
  it('sends parameters under the names of the wire', () => {
    const all: Partial<UpstreamRequest> = { maxOutputTokens: 9, temperature: 0, topP: 0.5, stop: ['a'], seed: 1, frequencyPenalty: 0.1, presencePenalty: 0.2, logprobs: 3 }
    expect(encoded(all).body).toMatchObject({ max_tokens: 9, temperature: 0, top_p: 0.5, stop: ['a'], seed: 1, frequency_penalty: 0.1, presence_penalty: 0.2, logprobs: true, top_logprobs: 3 })
    expect(encoded(all, QUIRKS.openai, { model: 'gpt-4o' })).toMatchObject({ body: { max_completion_tokens: 9, temperature: 0 }, warnings: [] })
    expect(encoded({ seed: 1 }, QUIRKS.mistral).body).toMatchObject({ random_seed: 1 })
    expect(encoded({ logprobs: false }).body).not.toHaveProperty('logprobs')
  })
  it('merges provider options last, those of the dialect before those of the provider', () => {
    const { body } = encoded({ temperature: 1, providerOptions: { openai: { temperature: 2, user: 'u' }, lab: { user: 'v' }, other: { user: 'w' } } }, { extra: { user: 't', store: false } })
    expect(body).toMatchObject({ temperature: 2, user: 'v', store: false })
  })
  it('leaves out what the server does not take, and says so', () => {
    const { body, warnings } = encoded({ topK: 4, logprobs: true }, QUIRKS.groq)
    expect(Object.keys(body)).toEqual(['model', 'messages'])
    expect(warnings.map(each => [each.code, each.parameter])).toEqual([['unsupported', 'topK'], ['unsupported', 'logprobs']])
    expect(encoded({ topK: 4 }, QUIRKS.openrouter)).toMatchObject({ body: { top_k: 4 }, warnings: [] })
  })
})

describe('families of models (trap 60)', () => {
  const all: Partial<UpstreamRequest> = { temperature: 1, topP: 1, stop: 'x', frequencyPenalty: 1, presencePenalty: 1, logprobs: true }
  it.each([
    ['o3', undefined, true], ['o4-mini', undefined, true], ['gpt-5', undefined, true], ['gpt-5-mini', undefined, true], ['ft:gpt-5.5:org', undefined, true],
    ['gpt-5.1', undefined, false], ['gpt-5.4', 'none', false], ['gpt-5.2', 'low', true], ['gpt-5.6', undefined, true], ['gpt-5.6', 'none', false],
    ['gpt-5-chat-latest', undefined, false], ['gpt-5.1-chat', undefined, true], ['gpt-5.1-codex', undefined, true], ['gpt-4o', undefined, false], ['gpt-6.1', undefined, true],
  ] as const)('%s with effort %s drops sampling: %s', (model, effort, drops) => {
    const { body, warnings } = encoded({ ...all, ...(effort !== undefined && { reasoning: { effort } }) }, QUIRKS.openai, { model })
    expect('temperature' in body || 'top_p' in body || 'stop' in body || 'logprobs' in body || 'presence_penalty' in body).toBe(!drops)
    expect(warnings.filter(each => each.code === 'unsupported')).toHaveLength(drops ? 6 : 0)
  })
  it('gives reasoning models their instructions as developer, and the first ones as user', () => {
    const system: Message = { role: 'system', content: 'Be brief.' }
    const roles = (model: string, quirks: Quirks) => (sent([system, { role: 'developer', content: 'x' }, ask], quirks, model) as { role: string }[]).map(each => each.role)
    expect(roles('gpt-5', QUIRKS.openai)).toEqual(['developer', 'developer', 'user'])
    expect(roles('gpt-4o', QUIRKS.openai)).toEqual(['system', 'developer', 'user'])
    expect(roles('o1-mini', QUIRKS.openai)).toEqual(['user', 'user', 'user'])
    expect(roles('any', {})).toEqual(['system', 'system', 'user'])
    expect(messages([system, ask], QUIRKS.openai, 'o1-mini').warnings).toMatchObject([{ code: 'changed' }])
  })
  it('drops penalties for models of another vendor that reason', () => {
    const drops = (model: string) => encoded(all, QUIRKS.xai, { model }).warnings.map(each => each.parameter)
    expect(drops('grok-4')).toEqual(['stop', 'frequencyPenalty', 'presencePenalty'])
    expect(drops('grok-4-1-fast-non-reasoning')).toEqual([])
  })
})

describe('reasoning', () => {
  const asked = (reasoning: NonNullable<UpstreamRequest['reasoning']>, quirks: Quirks, model = 'm') => {
    const { body, warnings } = encoded({ reasoning }, quirks, { model })
    const { model: _, messages: __, ...rest } = body
    return [rest, warnings.map(each => each.code)]
  }
  it.each<[string, NonNullable<UpstreamRequest['reasoning']>, Quirks, unknown]>([
    ['effort', { effort: 'high' }, {}, [{ reasoning_effort: 'high' }, []]],
    ['a budget as effort', { budgetTokens: 1000 }, {}, [{ reasoning_effort: 'low' }, ['changed']]],
    ['the nearest word', { effort: 'low' }, QUIRKS.deepseek, [{ thinking: { type: 'enabled' }, reasoning_effort: 'high' }, ['changed']]],
    ['thinking off', { effort: 'none' }, QUIRKS.deepseek, [{ thinking: { type: 'disabled' } }, []]],
    ['thinking without effort', { effort: 'high' }, QUIRKS.zai, [{ thinking: { type: 'enabled' } }, ['changed']]],
    ['an object', { effort: 'max' }, QUIRKS.openrouter, [{ reasoning: { effort: 'xhigh' } }, ['changed']]],
    ['an object with a budget', { budgetTokens: 5000 }, QUIRKS.openrouter, [{ reasoning: { max_tokens: 5000 } }, []]],
    ['a switch', { effort: 'none' }, QUIRKS.together, [{ reasoning: { enabled: false } }, []]],
    ['a flag and a budget', { budgetTokens: 512 }, QUIRKS.siliconflow, [{ enable_thinking: true, thinking_budget: 512 }, []]],
    ['a template', { effort: 'low' }, QUIRKS.template, [{ chat_template_kwargs: { enable_thinking: true } }, ['changed']]],
    ['nothing', { effort: 'low' }, QUIRKS.silent, [{}, ['unsupported']]],
    ['a budget within bounds', { budgetTokens: 9 }, QUIRKS.siliconflow, [{ enable_thinking: true, thinking_budget: 128 }, ['changed']]],
    ['a flag with a field beside it', { budgetTokens: 99_999 }, QUIRKS.novita, [{ enable_thinking: true, thinking_budget: 32_768, separate_reasoning: true }, ['changed']]],
    ['arguments of a template', { effort: 'none' }, QUIRKS.baseten, [{ chat_template_args: { enable_thinking: false } }, []]],
    ['yes or no', { effort: 'none' }, QUIRKS.toggle, [{ thinking: false }, []]],
    ['a word with a format', { effort: 'max' }, QUIRKS.groq, [{ reasoning_effort: 'high', reasoning_format: 'parsed' }, ['changed']]],
    ['null for none', { effort: 'none' }, QUIRKS.sarvam, [{ reasoning_effort: null }, []]],
    ['a word of its own for none', { effort: 'none' }, QUIRKS.auriko, [{ reasoning_effort: 'off' }, []]],
    ['a none that may not be heeded', { effort: 'none' }, QUIRKS.requesty, [{ reasoning_effort: 'none' }, ['other']]],
    ['a switch of two fields', { budgetTokens: 0 }, QUIRKS.venice, [{ reasoning: { enabled: false }, venice_parameters: { disable_thinking: true } }, []]],
    ['a word where it is on', { effort: 'low' }, QUIRKS.venice, [{ reasoning_effort: 'low' }, []]],
    ['nothing asked', {}, {}, [{}, []]],
  ])('goes out as %s', (_, reasoning, quirks, expected) => {
    expect(asked(reasoning, quirks)).toEqual(expected)
  })
  it('is left out for a model that does not reason', () => {
    expect(asked({ effort: 'low' }, QUIRKS.openai, 'gpt-4o')).toEqual([{}, ['unsupported']])
    expect(asked({ effort: 'low' }, QUIRKS.openai, 'gpt-5')).toEqual([{ reasoning_effort: 'low' }, []])
  })
})

describe('messages', () => {
  it('carries text, images, files and sound', () => {
    const bytes = new Uint8Array([65, 66, 67])
    const content = [
      { type: 'text', text: 'Look' }, { type: 'image', image: 'https://a.example/a.png', detail: 'low' }, { type: 'image', image: bytes, mediaType: 'image/png' },
      { type: 'file', data: 'QUJD', mediaType: 'application/pdf' }, { type: 'file', data: bytes, mediaType: 'image/webp' }, { type: 'audio', data: bytes, format: 'wav' },
      { type: 'file', data: 'data:audio/mpeg;base64,QUJD', mediaType: 'audio/mpeg' },
    ] as const
    expect(sent([{ role: 'user', content, name: 'ann' }])).toEqual([{
      role: 'user', name: 'ann', content: [
        { type: 'text', text: 'Look' }, { type: 'image_url', image_url: { url: 'https://a.example/a.png', detail: 'low' } }, { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } },
        { type: 'file', file: { filename: 'file.pdf', file_data: 'data:application/pdf;base64,QUJD' } }, { type: 'image_url', image_url: { url: 'data:image/webp;base64,QUJD' } },
        { type: 'input_audio', input_audio: { data: 'QUJD', format: 'wav' } }, { type: 'input_audio', input_audio: { data: 'QUJD', format: 'mp3' } },
      ],
    }])
  })
  it('says what to give where a file or image cannot be sent', () => {
    expect(caught(() => sent([{ role: 'user', content: [{ type: 'image', image: new Uint8Array(1) }] }]))).toMatchObject({ code: 'invalid_request', origin: 'caller' })
    const file: Message = { role: 'user', content: [{ type: 'file', data: 'https://a.example/a.pdf', mediaType: 'application/pdf' }] }
    expect(caught(() => sent([file]))).toMatchObject({ code: 'invalid_request' })
    expect(sent([file], QUIRKS.openrouter)).toMatchObject([{ content: [{ file: { file_data: 'https://a.example/a.pdf' } }] }])
    expect(sent([file], QUIRKS.mistral)).toMatchObject([{ content: [{ type: 'document_url', document_url: 'https://a.example/a.pdf' }] }])
  })
  it('makes text of parts for a server that takes nothing else', () => {
    const { body, warnings } = messages([{ role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }, { type: 'image', image: 'https://a.example/' }] }], QUIRKS.text)
    expect(body['messages']).toEqual([{ role: 'user', content: 'a\nb' }])
    expect(warnings).toMatchObject([{ code: 'dropped' }])
  })
  it('sends blocks of this dialect or this provider verbatim, in the order they stand', () => {
    const block = { type: 'new', deep: { x: 1 } }
    const part = (key: string) => ({ type: 'text', text: 'x', providerData: { [key]: { block } } }) as const
    expect(sent([{ role: 'user', content: [part('openai'), { type: 'text', text: 'a' }, part('lab'), part('other')] }])).toEqual([{ role: 'user', content: [block, { type: 'text', text: 'a' }, block, { type: 'text', text: 'x' }] }])
    expect(sent([ask, { role: 'assistant', content: [part('openai'), { type: 'text', text: 'a' }] }])).toMatchObject([{}, { content: [block, { type: 'text', text: 'a' }] }])
  })
  it('marks cached prefixes only where the server reads the mark', () => {
    const list: Message[] = [{ role: 'system', content: [{ type: 'text', text: 's', cacheControl: { ttl: '1h' } }] }]
    expect(sent(list, QUIRKS.openrouter)).toEqual([{ role: 'system', content: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral', ttl: '1h' } }] }])
    expect(JSON.stringify(sent(list))).not.toContain('cache_control')
  })

  const turn = (more: Partial<AssistantMessage> = {}): AssistantMessage => ({ role: 'assistant', content: [{ type: 'reasoning', text: 'hm' }, { type: 'tool-call', id: 'call_1', name: 'f', input: { x: 1 } }], ...more })
  const result: Message = { role: 'tool', toolCallId: 'call_1', content: 'ok' }

  it('writes calls and their results', () => {
    expect(sent([ask, turn(), result])).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'ok' },
    ])
  })
  it.each([['', '{}'], [' ', '{}'], ['{ "x":1 }', '{ "x":1 }'], [undefined, '{"x":1}']])('sends the arguments %j as %j (trap 32)', (text, wire) => {
    const content = [{ type: 'tool-call', id: 'a', name: 'f', input: { x: 1 }, ...(text !== undefined && { arguments: text }) }] as const
    expect(sent([{ role: 'assistant', content }])).toMatchObject([{ tool_calls: [{ function: { arguments: wire } }] }])
  })
  it('sends {} for a call without any input', () => {
    expect(sent([{ role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'f', input: undefined }] }])).toMatchObject([{ tool_calls: [{ function: { arguments: '{}' } }] }])
  })
  it.each([['openai', QUIRKS.openai, /^[\w-]{1,40}$/], ['mistral', QUIRKS.mistral, /^[a-zA-Z0-9]{9}$/]] as const)('fits foreign ids to what %s takes (trap 65), alike on both sides (trap 65)', (_, quirks, rule) => {
    const id = `functions.weather:0|fc_${'x'.repeat(60)}`
    const [, said, answered] = sent([ask, { role: 'assistant', content: [{ type: 'tool-call', id, name: 'f', input: {} }] }, { role: 'tool', toolCallId: id, content: 'ok' }], quirks) as [unknown, { tool_calls: { id: string }[] }, { tool_call_id: string }]
    expect(said.tool_calls[0]?.id).toMatch(rule)
    expect(answered.tool_call_id).toBe(said.tool_calls[0]?.id)
  })
  it('leaves ids that a chat template reads an index out of', () => {
    expect(sent([{ role: 'assistant', content: [{ type: 'tool-call', id: 'functions.f:0', name: 'f', input: {} }] }], QUIRKS.moonshot)).toMatchObject([{ tool_calls: [{ id: 'functions.f:0' }] }])
  })
  it('puts media of results into one user message after all results of the turn', () => {
    const two: AssistantMessage = { role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'f', input: {} }, { type: 'tool-call', id: 'b', name: 'f', input: {} }] }
    const { body, warnings } = messages([ask, two, { role: 'tool', toolCallId: 'a', content: [{ type: 'text', text: 'see' }, { type: 'image', image: 'https://a.example/' }] }, { role: 'tool', toolCallId: 'b', content: 'ok', isError: true }, { role: 'assistant', content: 'done' }])
    expect((body['messages'] as { role: string }[]).map(each => each.role)).toEqual(['user', 'assistant', 'tool', 'tool', 'user', 'assistant'])
    expect(body['messages']).toMatchObject([{}, {}, { content: 'see' }, { content: 'ok' }, { content: [{ type: 'text' }, { type: 'image_url' }] }, {}])
    expect(warnings).toMatchObject([{ code: 'changed', parameter: 'messages[2].content' }])
  })
  it('sends a refusal back as one, or as text', () => {
    const said: Message = { role: 'assistant', content: [{ type: 'refusal', text: 'No.' }] }
    expect(sent([ask, said], QUIRKS.openai)).toMatchObject([{}, { content: null, refusal: 'No.' }])
    expect(sent([ask, said])).toEqual([{ role: 'user', content: 'Hello' }, { role: 'assistant', content: 'No.' }])
  })
  it('drops files of assistant messages with a warning', () => {
    expect(messages([{ role: 'assistant', content: [{ type: 'text', text: 'a' }, { type: 'file', mediaType: 'image/png', data: 'QUJD' }] }])).toMatchObject({ body: { messages: [{ content: 'a' }] }, warnings: [{ code: 'dropped' }] })
  })
  it('sends reasoning back only where it is asked back, and only to the model that wrote it (trap 62)', () => {
    const origin = { provider: 'lab', model: 'some-model', deployment: 'd' }
    const field = (message: AssistantMessage, quirks: Quirks) => (sent([ask, message, result], quirks) as Record<string, unknown>[])[1]?.['reasoning_content']
    expect(field(turn(), QUIRKS.deepseek)).toBe('hm')
    expect(field(turn({ origin }), QUIRKS.deepseek)).toBe('hm')
    expect(field(turn({ origin: { ...origin, model: 'other' } }), QUIRKS.deepseek)).toBeUndefined()
    expect(field({ role: 'assistant', content: [{ type: 'reasoning', text: 'hm' }, { type: 'text', text: 'a' }] }, QUIRKS.deepseek)).toBeUndefined()
    expect(field(turn(), {})).toBeUndefined()
  })
  it('sends reasoning details and custom calls back just as they came', () => {
    const details = [{ type: 'reasoning.text', text: 'hm', signature: 's', index: 0 }]
    const got = collect(play([chunk({ reasoning_details: details }), chunk({ content: 'so' }), chunk({ tool_calls: [{ index: 0, id: 'a', type: 'custom', custom: { name: 'sql', input: 'SELECT "1"' } }] }), stop('tool_calls'), DONE]))
    const message = messageOf(got, { provider: 'lab', model: 'some-model', deployment: 'd' })
    expect(sent([ask, message], QUIRKS.openrouter)).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'so', reasoning_details: details, tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'sql', input: 'SELECT "1"' } }] },
    ])
    expect(JSON.stringify(sent([ask, { ...message, origin: { provider: 'x', model: 'y', deployment: 'z' } }], QUIRKS.openrouter))).not.toContain('signature')
  })
  it('returns a call signature to its own model only', () => {
    const content = [{ type: 'tool-call', id: 'a', name: 'f', input: {}, providerData: { openai: { extra_content: { google: { thought_signature: 's' } } } } }] as const
    expect(sent([{ role: 'assistant', content }])).toMatchObject([{ tool_calls: [{ extra_content: { google: { thought_signature: 's' } } }] }])
    expect(JSON.stringify(sent([{ role: 'assistant', content, origin: { provider: 'x', model: 'y', deployment: 'z' } }]))).not.toContain('thought_signature')
  })
  it('marks a message to go on from, or warns', () => {
    const go = (quirks: Quirks) => encoded({ messages: [ask, { role: 'assistant', content: 'Once' }], prefill: true }, quirks)
    expect(go(QUIRKS.deepseek).body['messages']).toMatchObject([{}, { prefix: true }])
    expect(go(QUIRKS.moonshot).body['messages']).toMatchObject([{}, { partial: true }])
    expect(go(QUIRKS.openrouter)).toMatchObject({ body: { messages: [{}, { role: 'assistant', content: 'Once' }] }, warnings: [] })
    expect(go({}).warnings).toMatchObject([{ code: 'unsupported', parameter: 'prefill' }])
  })
})

describe('tools and the shape of the answer', () => {
  it.each<[UpstreamRequest['toolChoice'], Quirks, unknown, number]>([
    [undefined, {}, undefined, 0], ['auto', {}, 'auto', 0], ['required', {}, 'required', 0], ['required', QUIRKS.mistral, 'any', 0], ['none', {}, 'none', 0],
    [{ name: 'f' }, {}, { type: 'function', function: { name: 'f' } }, 0], ['required', QUIRKS.moonshot, undefined, 1], [{ name: 'f' }, QUIRKS.ollama, undefined, 1],
  ])('writes the choice %j', (toolChoice, quirks, wire, warned) => {
    const { body, warnings } = encoded({ tools: TOOLS, ...(toolChoice !== undefined && { toolChoice }) }, quirks)
    expect(body['tools']).toEqual([{ type: 'function', function: { name: 'f', parameters: CLOSED } }])
    expect(body['tool_choice']).toEqual(wire)
    expect(warnings).toHaveLength(warned)
  })
  it('sends no choice without tools, and no tools where there are none to be had', () => {
    expect(encoded({ toolChoice: 'required' })).toMatchObject({ warnings: [{ parameter: 'toolChoice' }] })
    expect(encoded({ toolChoice: 'required', parallelToolCalls: false }).body).not.toHaveProperty('tool_choice')
    expect(encoded({ tools: TOOLS }, QUIRKS.perplexity)).toMatchObject({ warnings: [{ parameter: 'tools' }] })
    expect(encoded({ tools: TOOLS, toolChoice: 'none' }, QUIRKS.ollama).body).not.toHaveProperty('tools')
  })
  it('passes strict, the provider’s own tools and parallel calls on', () => {
    const block = { type: 'web_search' }
    const { body, warnings } = encoded({ tools: [{ name: 'f', description: 'd', inputSchema: CLOSED, strict: true }, { providerData: { openai: { block } } }, { providerData: { other: { block } } }], parallelToolCalls: false })
    expect(body['tools']).toEqual([{ type: 'function', function: { name: 'f', description: 'd', parameters: CLOSED, strict: true } }, block])
    expect(body['parallel_tool_calls']).toBe(false)
    expect(warnings).toMatchObject([{ code: 'dropped', parameter: 'tools[2]' }])
  })
  it('drops strict where the schema would be refused for it', () => {
    expect(encoded({ tools: [{ name: 'f', inputSchema: OPEN, strict: true }] })).toMatchObject({ warnings: [{ code: 'changed', parameter: 'tools[0].strict' }] })
  })
  it.each<[string, JsonObject, boolean]>([
    ['closed', CLOSED, true], ['open', OPEN, false],
    ['closed with an optional property', { ...OPEN, additionalProperties: false }, false],
    ['an open object inside', { ...CLOSED, properties: { x: { type: 'array', items: OPEN } } }, false],
    ['a definition that is open', { ...CLOSED, $defs: { a: OPEN } }, false],
    ['a nullable object inside', { ...CLOSED, properties: { x: { anyOf: [CLOSED, { type: 'null' }] } } }, true],
    ['a refused keyword', { ...CLOSED, properties: { x: { oneOf: [{ type: 'string' }] } } }, false],
    ['a property of any type', { ...CLOSED, properties: { x: {} } }, false],
    ['a list at the top', { type: 'array', items: CLOSED }, false],
  ])('asks for a strict answer by a schema that is %s: %s', (_, jsonSchema, strict) => {
    const { body } = encoded({ output: { name: 'my answer', jsonSchema } })
    expect(body['response_format']).toEqual({ type: 'json_schema', json_schema: { name: 'my_answer', schema: jsonSchema, ...(strict && { strict: true }) } })
  })
  it('puts the schema into the prompt where the server takes none', () => {
    const { body, warnings } = encoded({ messages: [{ role: 'system', content: 's' }, ask], output: { name: 'a', jsonSchema: CLOSED } }, QUIRKS.deepseek)
    expect(body['response_format']).toEqual({ type: 'json_object' })
    expect((body['messages'] as { role: string; content: string }[])[1]).toMatchObject({ role: 'system', content: expect.stringContaining('JSON Schema') })
    expect(warnings).toMatchObject([{ code: 'changed', parameter: 'output' }])
  })
})

describe('the key', () => {
  it('goes into the header of the server and nowhere else', async () => {
    const { call } = encoded({})
    const bearer = await openaiAdapter().authorize(call, new Secret('k-1'))
    expect(bearer.headers['authorization']).toBe('Bearer k-1')
    const own = await openaiAdapter({ authHeader: 'Api-Key' }).authorize(call, new Secret('k-1'))
    expect([own.headers['api-key'], own.headers['authorization']]).toEqual(['k-1', undefined])
    expect(JSON.stringify(call)).not.toContain('k-1')
  })
  it('is bound to the home of openai()', () => {
    expect(openai('gpt-5', { organization: 'o', project: 'p' })).toMatchObject({ id: 'openai/gpt-5', headers: { 'openai-organization': 'o', 'openai-project': 'p' }, reach: { baseUrl: 'https://api.openai.com/v1', env: ['OPENAI_API_KEY'], keyless: false } })
    expect(openai('gpt-5', { baseUrl: 'https://proxy.example/v1' }).reach).not.toHaveProperty('env')
    expect(caught(() => openai('gpt-5', { organisation: 'o' } as never))).toMatchObject({ code: 'invalid_config', message: expect.stringContaining('organi') })
    expect(caught(() => openai('gpt-5', null as never))).toMatchObject({ code: 'invalid_config' })
  })
})
