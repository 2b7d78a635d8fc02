import { describe, expect, it } from 'vitest'
import type { Message, UpstreamRequest } from '../../../src/protocol/request.js'
import { faultOf, target, write } from './support.js'

const CLAUDE = target()
const NOVA = target('us.amazon.nova-2-lite-v1:0')
const MISTRAL = target('mistral.mistral-large-2407-v1:0')
const LLAMA = target('us.meta.llama4-scout-17b-instruct-v1:0')
const TOOL = { name: 'a', inputSchema: { type: 'object', properties: {} } } as const
const user = (content: Message['content']): Message => ({ role: 'user', content }) as Message
const call = (...ids: readonly string[]): Message => ({ role: 'assistant', content: ids.map(id => ({ type: 'tool-call', id, name: 'a', input: {} })) })
const result = (toolCallId: string, content = 'ok'): Message => ({ role: 'tool', toolCallId, content })
const sent = (messages: readonly Message[], more: Partial<UpstreamRequest> = {}, to = CLAUDE) => write({ messages, ...more }, to)

describe('the conversation', () => {
  it('alternates: neighbours are joined, results come first and together, right behind their calls', () => {
    const { body } = sent([user('one'), user('two'), call('t1', 't2'), result('t1'), { role: 'system', content: 'Be brief.' }, result('t2'), user('three')])
    expect(body.messages.map(({ role, content }) => [role, content.map(block => Object.keys(block)[0])])).toEqual([
      ['user', ['text', 'text']],
      ['assistant', ['toolUse', 'toolUse']],
      ['user', ['toolResult', 'toolResult', 'text', 'text']],
    ])
    expect(body.messages[2]?.content[2]).toEqual({ text: '<system>\nBe brief.\n</system>' })
  })

  it('has no blank text, which is refused, and no message of nothing else', () => {
    expect(sent([user('Hi'), { role: 'assistant', content: ' \n' }, user([{ type: 'text', text: '' }, { type: 'text', text: 'on' }])]).body.messages).toEqual([{ role: 'user', content: [{ text: 'Hi' }, { text: 'on' }] }])
    expect(faultOf(() => sent([user('  ')])).code).toBe('invalid_request')
    expect(sent([user('Hi'), call('t1'), result('t1', ' ')]).body.messages[2]?.content).toEqual([{ toolResult: { toolUseId: 't1', content: [{ json: {} }], status: 'success' } }])
  })

  it('that begins with an assistant is refused in words', () => {
    expect(faultOf(() => sent([{ role: 'assistant', content: 'Hi' }, user('Ho')])).message).toContain('begin with a user message')
  })

  it('ends an assistant text without white space', () => {
    expect(sent([user('Hi'), { role: 'assistant', content: 'It is ' }], { prefill: true }).body.messages[1]?.content).toEqual([{ text: 'It is' }])
  })

  it('marks prefixes with elements of their own, four at the most, and none for a model without a cache', () => {
    const marked = (text: string) => ({ type: 'text', text, cacheControl: { ttl: '1h' } }) as const
    const messages: readonly Message[] = [{ role: 'system', content: [marked('s')] }, user([marked('a'), marked('b'), { type: 'text', text: ' ', cacheControl: {} }, marked('c')])]
    const { body, codes } = sent(messages, { tools: [{ ...TOOL, cacheControl: {} }] })
    const point = { cachePoint: { type: 'default', ttl: '1h' } }
    expect(body.toolConfig?.tools).toHaveLength(1)
    expect(body['system']).toEqual([{ text: 's' }, point])
    expect(body.messages[0]?.content).toEqual([{ text: 'a' }, point, { text: 'b' }, point, { text: 'c' }, point])
    expect(codes).toEqual(['dropped cacheControl'])
    const plain = sent(messages, {}, LLAMA)
    expect(JSON.stringify(plain.body)).not.toContain('cachePoint')
    expect(plain.codes).toEqual(['unsupported cacheControl'])
  })

  it('sends signed and hidden reasoning back to the model that wrote it, and to no other', () => {
    const turn = (model: string): Message => ({ role: 'assistant', origin: { provider: 'amazon-bedrock', model, deployment: 'd' }, content: [{ type: 'reasoning', text: 'hm', providerData: { bedrock: { signature: 'sig' } } }, { type: 'reasoning', text: '', providerData: { bedrock: { redacted: 'cmVk' } } }, { type: 'text', text: 'So.', citations: [{ data: { title: 't' } }] }] })
    expect(sent([user('Hi'), turn(CLAUDE.model), user('on')]).body.messages[1]?.content).toEqual([{ reasoningContent: { reasoningText: { text: 'hm', signature: 'sig' } } }, { reasoningContent: { redactedContent: 'cmVk' } }, { citationsContent: { content: [{ text: 'So.' }], citations: [{ title: 't' }] } }])
    const other = sent([user('Hi'), turn('another'), user('on')])
    expect(other.body.messages[1]?.content).toEqual([{ text: 'So.' }])
    expect(other.codes).toEqual(['dropped messages'])
  })

  it('has ids of nine letters and digits for Mistral, the same for a call and its result (trap 55)', () => {
    const { body } = sent([user('Hi'), call('tooluse_abc-1'), result('tooluse_abc-1')], { tools: [TOOL] }, MISTRAL)
    const id = (body.messages[1]?.content[0]?.['toolUse'] as { toolUseId: string }).toolUseId
    expect(id).toMatch(/^[a-z0-9]{9}$/)
    expect(body.messages[2]?.content[0]).toMatchObject({ toolResult: { toolUseId: id } })
  })

  it('sends a block of the dialect as it stands', () => {
    const block = { guardContent: { text: { text: 'x' } } }
    expect(sent([user([{ type: 'text', text: '', providerData: { bedrock: { block } } }])]).body.messages[0]?.content).toEqual([block])
  })
})

describe('media', () => {
  const PNG = Uint8Array.of(1, 2, 3)

  it('travel as bytes', () => {
    expect(sent([user([{ type: 'image', image: PNG, mediaType: 'image/png' }, { type: 'image', image: 'data:image/jpg;base64,AQID' }])]).body.messages[0]?.content).toEqual([{ image: { format: 'png', source: { bytes: 'AQID' } } }, { image: { format: 'jpeg', source: { bytes: 'AQID' } } }])
  })

  it.each<[string, Message['content']]>([
    ['an address', [{ type: 'image', image: 'https://a.example/x.png' }]],
    ['a file at an address', [{ type: 'file', data: 'https://a.example/x.pdf', mediaType: 'application/pdf' }]],
    ['a kind of image it does not take', [{ type: 'image', image: PNG, mediaType: 'image/tiff' }]],
    ['a kind of file it does not take', [{ type: 'file', data: PNG, mediaType: 'application/zip' }]],
    ['sound', [{ type: 'audio', data: PNG, format: 'wav' }]],
  ])('are refused in words before they are sent: %s', (_, content) => {
    expect(faultOf(() => sent([user(content)])).code).toBe('invalid_request')
  })

  it('documents have names that are allowed and differ, and a text beside them (trap 55)', () => {
    const file = (filename?: string) => ({ type: 'file', data: PNG, mediaType: 'application/pdf', ...(filename !== undefined && { filename }) }) as const
    const { body, codes } = sent([user([file('Q3: report_(final).pdf'), file('Q3 report (final).pdf'), file(), file('***.pdf')]), { role: 'assistant', content: 'Seen.' }, user([file('Document.pdf'), { type: 'text', text: 'And this?' }])])
    expect(body.messages.flatMap(({ content }) => content.map(block => (block['document'] as { name: string } | undefined)?.name ?? block['text']))).toEqual(['Q3 report (final)', 'Q3 report (final) (2)', 'Document', 'Document (2)', 'The document is attached.', 'Seen.', 'Document (3)', 'And this?'])
    expect(codes).toEqual(['changed messages'])
  })
})

describe('tools', () => {
  it('that were used are named when the request names none, for Bedrock refuses the conversation otherwise (trap 37)', () => {
    const history = [user('Hi'), call('t1'), result('t1')]
    for (const more of [{}, { tools: [TOOL], toolChoice: 'none' }] as const) {
      const { body, codes } = sent(history, more)
      expect(body.toolConfig?.tools).toMatchObject([{ toolSpec: { name: 'a', inputSchema: { json: { type: 'object' } } } }])
      expect(body.toolConfig).not.toHaveProperty('toolChoice')
      expect(codes).toEqual(['changed tools'])
    }
    expect(sent([user('Hi')], { tools: [TOOL], toolChoice: 'none' }).body).not.toHaveProperty('toolConfig')
  })

  it.each<[UpstreamRequest['toolChoice'], string, unknown, string[]]>([
    ['auto', CLAUDE.model, { auto: {} }, []],
    ['required', CLAUDE.model, { any: {} }, []],
    [{ name: 'a' }, CLAUDE.model, { tool: { name: 'a' } }, []],
    [{ name: 'a' }, MISTRAL.model, { any: {} }, []],
    ['required', LLAMA.model, undefined, ['changed toolChoice']],
    ['required', 'us.anthropic.claude-fable-5', undefined, ['changed toolChoice']],
  ])('the choice %j for %s', (toolChoice, model, expected, codes) => {
    const got = write({ tools: [TOOL, { ...TOOL, name: 'b' }], toolChoice: toolChoice ?? 'auto' }, target(model))
    expect(got.body.toolConfig?.toolChoice).toEqual(expected)
    expect(got.body.toolConfig?.tools).toHaveLength(model === MISTRAL.model ? 1 : 2)
    expect(got.codes).toEqual(codes)
  })

  it('one at a time is said in the words of Claude, and not said to others', () => {
    const single = write({ tools: [TOOL], toolChoice: { name: 'a' }, parallelToolCalls: false })
    expect(single.body.toolConfig).not.toHaveProperty('toolChoice')
    expect(single.body.additionalModelRequestFields).toEqual({ tool_choice: { type: 'tool', name: 'a', disable_parallel_tool_use: true } })
    expect(write({ tools: [TOOL], parallelToolCalls: false }, NOVA).codes).toEqual(['unsupported parallelToolCalls'])
  })

  it('are held to their schema where the model can be', () => {
    expect(write({ tools: [{ ...TOOL, strict: true }] }).body.toolConfig?.tools[0]?.['toolSpec']?.['strict']).toBe(true)
    expect(write({ tools: [{ ...TOOL, strict: true }] }, target('anthropic.claude-opus-5-v1:0')).codes).toEqual(['unsupported tools'])
  })
})

describe('the shape of the answer', () => {
  const output = { name: 'answer', jsonSchema: { type: 'object', properties: { n: { type: 'number' } } } } as const

  it('goes into its own field, closed, where the model has one', () => {
    const { body } = write({ output })
    const { textFormat } = body['outputConfig'] as { textFormat: { type: string; structure: { jsonSchema: { name: string; schema: string } } } }
    expect(textFormat.type).toBe('json_schema')
    expect(JSON.parse(textFormat.structure.jsonSchema.schema)).toEqual({ ...output.jsonSchema, additionalProperties: false })
    expect(body).not.toHaveProperty('toolConfig')
  })

  it('is a tool that must be called where it has none, with a name that is free', () => {
    const alone = write({ output }, NOVA)
    expect(alone.body.toolConfig).toMatchObject({ tools: [{ toolSpec: { name: 'json' } }], toolChoice: { tool: { name: 'json' } } })
    expect(alone.codes).toEqual(['changed output'])
    expect(write({ output, tools: [{ ...TOOL, name: 'json' }] }, NOVA).body.toolConfig).toMatchObject({ tools: [{ toolSpec: { name: 'json' } }, { toolSpec: { name: 'json_2' } }], toolChoice: { any: {} } })
  })
})

describe('parameters', () => {
  it.each<[string, Partial<UpstreamRequest>, string, unknown, string[]]>([
    ['a budget of Claude', { reasoning: { budgetTokens: 2000 } }, CLAUDE.model, { thinking: { type: 'enabled', budget_tokens: 2000 } }, []],
    ['effort of a new Claude', { reasoning: { effort: 'low' } }, 'us.anthropic.claude-sonnet-5', { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }, []],
    ['reasoning and a tool that must be called', { reasoning: { budgetTokens: 2000 }, tools: [TOOL], toolChoice: 'required' }, CLAUDE.model, undefined, ['dropped reasoning']],
    ['effort of Nova 2', { reasoning: { effort: 'high' } }, NOVA.model, { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } }, []],
    ['the highest effort of Nova 2 beside a bound', { reasoning: { effort: 'high' }, maxOutputTokens: 99 }, NOVA.model, { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } }, ['changed reasoning.effort']],
    ['effort of gpt-oss', { reasoning: { effort: 'max' } }, 'openai.gpt-oss-120b-1:0', { reasoning_effort: 'high' }, ['changed reasoning.effort']],
    ['effort of Qwen', { reasoning: { effort: 'low' } }, 'qwen.qwen3-32b-v1:0', { reasoning_config: 'low' }, []],
    ['effort of a model nobody knows', { reasoning: { effort: 'low' } }, 'arn:aws:bedrock:us-east-1:012345678901:application-inference-profile/x1', undefined, ['unsupported reasoning']],
    ['topK of Claude', { topK: 5 }, 'anthropic.claude-3-haiku-20240307-v1:0', { top_k: 5 }, []],
    ['topK of Nova', { topK: 5 }, NOVA.model, { inferenceConfig: { topK: 5 } }, []],
    ['topK of others', { topK: 5 }, LLAMA.model, undefined, ['unsupported topK']],
    ['what the wire has no word for', { seed: 1, frequencyPenalty: 1, presencePenalty: 1, logprobs: true }, LLAMA.model, undefined, ['unsupported seed', 'unsupported frequencyPenalty', 'unsupported presencePenalty', 'unsupported logprobs']],
  ])('%s', (_, more, model, fields, codes) => {
    const got = write(more, target(model))
    expect(got.body.additionalModelRequestFields).toEqual(fields)
    expect(got.codes).toEqual(codes)
  })

  it('of inference keep their names, and a temperature its range', () => {
    expect(write({ maxOutputTokens: 9, temperature: 1.5, topP: 0.5, stop: ['END', ' '] }, LLAMA)).toMatchObject({ body: { inferenceConfig: { maxTokens: 9, temperature: 1, topP: 0.5, stopSequences: ['END'] } }, codes: ['changed temperature', 'dropped stop'] })
    expect(write().body).not.toHaveProperty('inferenceConfig')
  })

  it('of the dialect come last, and add to an object instead of taking its place', () => {
    const { body } = write({ reasoning: { budgetTokens: 2000 }, providerOptions: { bedrock: { additionalModelRequestFields: { anthropic_beta: ['x'] }, guardrailConfig: { guardrailIdentifier: 'g' } }, 'amazon-bedrock': { serviceTier: { type: 'flex' } } } })
    expect(body).toMatchObject({ additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2000 }, anthropic_beta: ['x'] }, guardrailConfig: { guardrailIdentifier: 'g' }, serviceTier: { type: 'flex' } })
  })
})

describe('the address', () => {
  it('tells the wire', () => {
    expect(write({}, target('m'), 'json').call).toMatchObject({ url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse', headers: { accept: 'application/json' } })
    expect(write({}, target('m'), 'stream').call).toMatchObject({ url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream', headers: { accept: 'application/vnd.amazon.eventstream' } })
    expect(write({}, target('m'), 'stream').body).toEqual(write({}, target('m'), 'json').body)
  })
})
