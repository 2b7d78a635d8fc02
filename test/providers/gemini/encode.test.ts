import { describe, expect, it } from 'vitest'
import type { Message, Reasoning } from '../../../src/protocol/request.js'
import { caller, faultOf, piece, result, target, TOOL, user, whole, write } from './support.js'

const contentsOf = (...messages: readonly Message[]) => write({ messages }).body.contents
const PNG = new Uint8Array([1, 2, 3])

describe('the conversation', () => {
  it('is merged by role, and results stand first, together, in the order of the calls (trap 57)', () => {
    const contents = contentsOf(user('a'), user('b'), caller('c1', 'c2'), result('c2', 'two'), { role: 'system', content: 'Be brief.' }, result('c1', 'one'), user('go on'))
    expect(contents.map(({ role }) => role)).toEqual(['user', 'model', 'user'])
    expect(contents[0]?.parts).toEqual([{ text: 'a' }, { text: 'b' }])
    expect(contents[2]?.parts.map(part => part.functionResponse?.id ?? part.text)).toEqual(['c1', 'c2', '<system>\nBe brief.\n</system>', 'go on'])
  })

  it.each([
    ['a text', 'fine', { result: 'fine' }],
    ['nothing', '', { result: '' }],
    ['an object', '{"a":1}', { a: 1 }],
    ['an empty object', '{}', { result: {} }],
    ['a list', '[1]', { result: '[1]' }],
  ])('a result that is %s is sent as an object (trap 64)', (_, content, response) => {
    expect(contentsOf(user('a'), caller('c1'), result('c1', content))[2]?.parts[0]?.functionResponse).toEqual({ id: 'c1', name: 'look', response })
  })

  it('a failed result says so', () => {
    expect(contentsOf(user('a'), caller('c1'), { role: 'tool', toolCallId: 'c1', content: 'no', isError: true })[2]?.parts[0]?.functionResponse?.response).toEqual({ error: 'no' })
  })

  it('begins with the user', () => {
    const { body, codes } = write({ messages: [{ role: 'assistant', content: 'Hi' }, user('a')] })
    expect(body.contents.map(({ role }) => role)).toEqual(['user', 'model', 'user'])
    expect(codes).toEqual(['changed messages'])
  })

  it('of nothing but blank text is refused before it is sent', () => {
    expect(faultOf(() => write({ messages: [user('')] })).code).toBe('invalid_request')
  })

  it('has instructions of its own, and on Gemma in the first user message', () => {
    const messages: Message[] = [{ role: 'system', content: 'Be kind.' }, user('a')]
    expect(write({ messages }).body).toMatchObject({ systemInstruction: { parts: [{ text: 'Be kind.' }] }, contents: [{ parts: [{ text: 'a' }] }] })
    const gemma = write({ messages }, target('gemma-3-27b-it'))
    expect(gemma.body.systemInstruction).toBeUndefined()
    expect(gemma.body.contents).toEqual([{ role: 'user', parts: [{ text: 'Be kind.' }, { text: 'a' }] }])
    expect(gemma.codes).toEqual(['changed messages'])
  })

  it('takes media as bytes, data and addresses', () => {
    const [content] = contentsOf({
      role: 'user',
      content: [
        { type: 'image', image: PNG, mediaType: 'image/png' },
        { type: 'image', image: 'https://x.example/a.jpg?b' },
        { type: 'file', data: 'gs://bucket/a.pdf', mediaType: 'application/pdf' },
        { type: 'file', data: 'QUJD', mediaType: 'application/pdf' },
        { type: 'audio', data: 'QUJD', format: 'mp3' },
      ],
    })
    expect(content?.parts).toEqual([
      { inlineData: { mimeType: 'image/png', data: 'AQID' } },
      { fileData: { mimeType: 'image/jpeg', fileUri: 'https://x.example/a.jpg?b' } },
      { fileData: { mimeType: 'application/pdf', fileUri: 'gs://bucket/a.pdf' } },
      { inlineData: { mimeType: 'application/pdf', data: 'QUJD' } },
      { inlineData: { mimeType: 'audio/mp3', data: 'QUJD' } },
    ])
    expect(faultOf(() => contentsOf({ role: 'user', content: [{ type: 'image', image: PNG }] })).code).toBe('invalid_request')
  })

  it('puts pictures of a result where the model takes them', () => {
    const messages: Message[] = [user('a'), caller('c1'), { role: 'tool', toolCallId: 'c1', content: [{ type: 'text', text: 'see' }, { type: 'image', image: PNG, mediaType: 'image/png' }] }]
    const block = { inlineData: { mimeType: 'image/png', data: 'AQID' } }
    expect(write({ messages }).body.contents[2]?.parts[0]?.functionResponse?.parts).toEqual([block])
    const older = write({ messages }, target('gemini-2.5-flash'))
    expect(older.body.contents[2]?.parts.slice(1)).toEqual([{ text: 'Attached to the result of the tool call c1:' }, block])
    expect(older.codes).toEqual(['changed messages'])
  })
})

describe('a call that this model did not sign', () => {
  const skip = 'skip_thought_signature_validator'
  const signatures = (model: string, ...messages: readonly Message[]) => write({ messages }, target(model)).body.contents.flatMap(({ parts }) => parts.filter(part => part.functionCall !== undefined).map(part => part['thoughtSignature']))

  it('gets the documented value on Gemini 3, the first of each turn only', () => {
    expect(signatures('gemini-3-pro', user('a'), caller('c1', 'c2'), result('c1'), result('c2'), caller('c3'), result('c3'))).toEqual([skip, undefined, skip])
    expect(signatures('gemini-2.5-pro', user('a'), caller('c1'), result('c1'))).toEqual([undefined])
  })

  it('does not take the place of a signature that is there, nor touch what the caller gave', () => {
    const block = { functionCall: { name: 'look', args: {} } }
    const given: Message = { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'look', input: {}, providerData: { gemini: { block } } }] }
    expect(signatures('gemini-3-pro', user('a'), given, result('c1'))).toEqual([skip])
    expect(block).toEqual({ functionCall: { name: 'look', args: {} } })
  })
})

describe('tools', () => {
  it('go by names the server takes, and come back by their own', () => {
    const tools = ['9 lives/ü', 'x'.repeat(70), 'fine.name:1'].map(name => ({ ...TOOL, name }))
    const names = write({ tools }).body.tools?.[0]?.functionDeclarations?.map(each => String(each['name'])) ?? []
    expect(names[2]).toBe('fine.name:1')
    for (const name of names) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/)
    expect(new Set(names).size).toBe(3)
    const got = whole(piece(names.map(name => ({ functionCall: { name, args: {} } })), 'STOP'), { request: { messages: [user('a')], tools } })
    expect(got.toolCalls.map(call => call.name)).toEqual(tools.map(tool => tool.name))
  })

  it.each([
    ['auto', { mode: 'AUTO' }],
    ['required', { mode: 'ANY' }],
    ['none', { mode: 'NONE' }],
    [{ name: 'look' }, { mode: 'ANY', allowedFunctionNames: ['look'] }],
  ] as const)('toolChoice %j', (toolChoice, mode) => {
    expect(write({ tools: [TOOL], toolChoice }).body.toolConfig).toEqual({ functionCallingConfig: mode })
  })

  it('are held to their schema where asked, and those of the server stand beside them', () => {
    const { body, codes } = write({ tools: [{ ...TOOL, strict: true }, { providerData: { gemini: { block: { googleSearch: {} } } } }, { providerData: { anthropic: { block: {} } } }], parallelToolCalls: false })
    expect(body.toolConfig).toEqual({ functionCallingConfig: { mode: 'VALIDATED' } })
    expect(body.tools?.[1]).toEqual({ googleSearch: {} })
    expect(codes).toEqual(['unsupported tools', 'unsupported parallelToolCalls'])
  })

  it('carry JSON Schema whole where it is taken, else the subset', () => {
    const tools = [{ name: 'a', inputSchema: { $schema: 'x', type: 'object', properties: { n: { type: ['integer', 'null'], exclusiveMinimum: 0 } }, additionalProperties: false } }] as const
    const declared = (model: string, baseUrl?: string) => write({ tools }, target(model, baseUrl === undefined ? {} : { baseUrl })).body.tools?.[0]?.functionDeclarations?.[0]
    expect(declared('gemini-3-pro')?.['parametersJsonSchema']).toEqual({ type: 'object', properties: { n: { type: ['integer', 'null'], exclusiveMinimum: 0 } }, additionalProperties: false })
    const subset = { type: 'OBJECT', properties: { n: { type: 'INTEGER', minimum: 0, nullable: true } } }
    expect(declared('gemini-2.0-flash')?.['parameters']).toEqual(subset)
    expect(declared('gemini-3-pro', 'https://generativelanguage.googleapis.com/v1')?.['parameters']).toEqual(subset)
    expect(write({ tools: [{ name: 'a', inputSchema: {} }] }, target('gemini-2.0-flash')).body.tools?.[0]?.functionDeclarations).toEqual([{ name: 'a' }])
  })
})

describe('reasoning', () => {
  it.each<[string, Reasoning, unknown, string[]]>([
    ['gemini-2.5-flash', { effort: 'low' }, { thinkingBudget: 1024, includeThoughts: true }, []],
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0 }, []],
    ['gemini-2.5-pro', { effort: 'none' }, { thinkingBudget: 128 }, ['changed reasoning.effort']],
    ['gemini-2.5-pro', { budgetTokens: 99_999 }, { thinkingBudget: 32_768, includeThoughts: true }, ['changed reasoning.budgetTokens']],
    ['gemini-2.5-flash-lite', { budgetTokens: 1 }, { thinkingBudget: 512, includeThoughts: true }, ['changed reasoning.budgetTokens']],
    ['gemini-3-flash', { effort: 'medium', budgetTokens: 5 }, { thinkingLevel: 'MEDIUM', includeThoughts: true }, ['dropped reasoning.budgetTokens']],
    ['gemini-3-flash', { effort: 'none' }, { thinkingLevel: 'MINIMAL' }, ['changed reasoning.effort']],
    ['gemini-3-pro-preview', { effort: 'medium' }, { thinkingLevel: 'HIGH', includeThoughts: true }, ['changed reasoning.effort']],
    ['gemini-3.1-pro-preview', { effort: 'medium' }, { thinkingLevel: 'MEDIUM', includeThoughts: true }, []],
    ['gemini-3.5-flash', { budgetTokens: 512 }, { thinkingBudget: 512, includeThoughts: true }, []],
    ['gemini-flash-latest', { effort: 'high' }, { thinkingBudget: 24_576, includeThoughts: true }, []],
    ['gemini-2.0-flash', { effort: 'high' }, undefined, ['unsupported reasoning']],
    ['gemma-3-27b-it', { effort: 'none' }, undefined, []],
  ])('%s, %j', (model, reasoning, thinkingConfig, codes) => {
    const written = write({ reasoning }, target(model))
    expect(written.body.generationConfig?.['thinkingConfig']).toEqual(thinkingConfig)
    expect(written.codes).toEqual(codes)
  })

  it('is left alone where nobody asks, and left out where the deployment has none', () => {
    expect(write().body.generationConfig).toBeUndefined()
    expect(write({ reasoning: { effort: 'low' } }, target('gemini-3-pro', { capabilities: { reasoning: false } })).codes).toEqual(['unsupported reasoning'])
  })
})

describe('the rest of a request', () => {
  it('has its place in generationConfig, and what the caller adds joins it', () => {
    const { body, codes } = write({ maxOutputTokens: 9, temperature: 0.5, topP: 0.9, topK: 4, seed: 7, presencePenalty: 1, frequencyPenalty: -1, stop: ['a', 'b', 'c', 'd', 'e', 'f'], logprobs: 3, output: { name: 'o', jsonSchema: { type: 'array' } }, providerOptions: { gemini: { safetySettings: [], generationConfig: { responseModalities: ['TEXT'], topK: 5 } }, google: { cachedContent: 'c' } } })
    expect(body.generationConfig).toEqual({ maxOutputTokens: 9, temperature: 0.5, topP: 0.9, topK: 5, seed: 7, presencePenalty: 1, frequencyPenalty: -1, stopSequences: ['a', 'b', 'c', 'd', 'e'], responseLogprobs: true, logprobs: 3, responseMimeType: 'application/json', responseJsonSchema: { type: 'array' }, responseModalities: ['TEXT'] })
    expect(body).toMatchObject({ safetySettings: [], cachedContent: 'c' })
    expect(codes).toEqual(['dropped stop'])
  })

  it('has the wire in the address', () => {
    expect(write().call.url).toBe('https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash:generateContent')
    expect(write({}, target('tunedModels/x', { baseUrl: 'https://p.example/g?k=v' }), 'stream').call.url).toBe('https://p.example/g/tunedModels/x:streamGenerateContent?k=v&alt=sse')
  })

  it('says what it cannot do', () => {
    expect(write({ messages: [user('a'), { role: 'assistant', content: 'b' }], prefill: true }).codes).toEqual(['unsupported prefill'])
    expect(faultOf(() => write({ tools: [TOOL], output: { name: 'o', jsonSchema: { type: 'array' } } }, target('gemini-2.5-flash'))).code).toBe('invalid_request')
  })
})
