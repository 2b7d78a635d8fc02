import { describe, expect, it } from 'vitest'
import type { UpstreamRequest } from '../../../src/protocol/request.js'
import { answer, ask, ASK, failure, model, sent, VERSIONS } from './support.js'

const BYTES = new Uint8Array([1, 2, 3])
const user = (...content: readonly unknown[]): UpstreamRequest => ({ messages: [{ role: 'user', content: content as never }] })
const loop = (origin?: object, ...result: readonly object[]): UpstreamRequest => ({
  messages: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: [{ type: 'reasoning', text: 'hm', providerData: { 'ai-sdk': { providerOptions: { mine: { signature: 's' } } } } }, { type: 'tool-call', id: 'functions.look:0', name: 'look', input: { a: 1 }, arguments: '{"a":1}', providerData: { 'ai-sdk': { providerOptions: { mine: { itemId: 'i' } } } } }], ...(origin !== undefined && { origin: origin as never }) },
    { role: 'tool', toolCallId: 'functions.look:0', content: 'seen' },
    ...(result as never[]),
  ],
})

describe('what the model is asked', () => {
  it.each(VERSIONS)('media are written in the shape of each version (%s)', async version => {
    const made = model({ version, supportedUrls: Promise.resolve({ 'image/*': [/^https:/] }) })
    const { prompt } = await sent(made, user({ type: 'image', image: 'https://x.test/a.png' }, { type: 'image', image: BYTES, mediaType: 'image/png' }, { type: 'file', data: 'aGk=', mediaType: 'application/pdf', filename: 'a.pdf' }, { type: 'audio', data: BYTES, format: 'mp3' }))
    const url = new URL('https://x.test/a.png')
    const data = (value: unknown) => (version === 'v4' ? { type: 'data', data: value } : value)
    expect(prompt).toEqual([
      {
        role: 'user',
        content: [
          { type: 'file', mediaType: 'image/*', data: version === 'v4' ? { type: 'url', url } : url },
          { type: 'file', mediaType: 'image/png', data: data(BYTES) },
          { type: 'file', mediaType: 'application/pdf', data: data('aGk='), filename: 'a.pdf' },
          { type: 'file', mediaType: 'audio/mpeg', data: data(BYTES) },
        ],
      },
    ])
  })

  it('an address the model does not read is refused, for nothing is downloaded here', async () => {
    const image = user({ type: 'image', image: 'https://x.test/a.png' })
    const none = await failure(() => ask(model({ supportedUrls: {} }), 'json', image))
    expect(none).toMatchObject({ code: 'invalid_request', message: expect.stringMatching(/bytes or a data: URL/) as string })
    const other = model({ supportedUrls: { 'image/*': [/^https:\/\/y\.test/g] } })
    expect((await failure(() => ask(other, 'json', image))).code).toBe('invalid_request')
    expect((await failure(() => ask(model({ supportedUrls: Promise.reject(new Error('x')) }), 'json', image))).code).toBe('upstream_error')
    // A model that does not say is asked.
    expect((await answer(model(), 'json', image)).text).toBe('Hello')
  })

  it.each(VERSIONS)('results of tools are written in the shape of each version (%s)', async version => {
    const media = [{ type: 'text', text: 'here' }, { type: 'image', image: BYTES, mediaType: 'image/png' }, { type: 'file', data: 'aGk=', mediaType: 'application/pdf' }]
    const result = (content: unknown, more: object = {}) => ({ role: 'tool', toolCallId: 'functions.look:0', content, ...more })
    const one = async (message: object) => {
      const request: UpstreamRequest = { messages: [...loop().messages.slice(0, 2), message as never] }
      const prompt = (await sent(model({ version }), request))['prompt'] as { content: { output: unknown }[] }[]
      return prompt[2]?.content[0]?.output
    }
    expect(await one(result('seen'))).toEqual({ type: 'text', value: 'seen' })
    expect(await one(result('no', { isError: true }))).toEqual({ type: 'error-text', value: 'no' })
    const [image, file] = {
      v2: [{ type: 'media', mediaType: 'image/png', data: 'AQID' }, { type: 'media', mediaType: 'application/pdf', data: 'aGk=' }],
      v3: [{ type: 'image-data', mediaType: 'image/png', data: 'AQID' }, { type: 'file-data', mediaType: 'application/pdf', data: 'aGk=' }],
      v4: [{ type: 'file', mediaType: 'image/png', data: { type: 'data', data: BYTES } }, { type: 'file', mediaType: 'application/pdf', data: { type: 'data', data: 'aGk=' } }],
    }[version]
    expect(await one(result(media))).toEqual({ type: 'content', value: [{ type: 'text', text: 'here' }, image, file] })
  })

  it('its own signatures and ids go back, those of another model do not', async () => {
    const mine = { provider: 'mine', model: 'parrot', deployment: 'd' }
    const own = (await sent(model(), loop(mine)))['prompt']
    expect(own).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ type: 'reasoning', text: 'hm', providerOptions: { mine: { signature: 's' } } }, { type: 'tool-call', toolCallId: 'functions.look:0', toolName: 'look', input: { a: 1 }, providerOptions: { mine: { itemId: 'i' } } }] },
      { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'functions.look:0', toolName: 'look', output: { type: 'text', value: 'seen' } }] },
    ])
    const made = model()
    const events = await ask(made, 'json', loop({ ...mine, model: 'other' }))
    expect(events).toContainEqual({ type: 'warning', warning: { code: 'dropped', message: expect.stringMatching(/Reasoning of another model/) as string, parameter: 'messages' } })
    const [, assistant, tool] = made.asked[0]?.['prompt'] as { content: Record<string, unknown>[] }[]
    expect(assistant?.content).toHaveLength(1)
    expect(assistant?.content[0]).not.toHaveProperty('providerOptions')
    expect(assistant?.content[0]?.['toolCallId']).toMatch(/^[a-z0-9]{24}$/)
    expect(tool?.content[0]?.['toolCallId']).toBe(assistant?.content[0]?.['toolCallId'])
  })

  it('a block that another provider behind the SDK left is not sent to this one', async () => {
    const request = (from: string): UpstreamRequest => ({
      messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'text', text: '', providerData: { 'ai-sdk': { block: { type: 'custom', kind: 'a.b' } } } }, { type: 'text', text: 'so' }], origin: { provider: from, model: 'parrot', deployment: 'd' } }, { role: 'user', content: 'And?' }],
    })
    expect((await sent(model(), request('mine')))['prompt']).toMatchObject([{}, { content: [{ type: 'custom', kind: 'a.b' }, { type: 'text' }] }, {}])
    expect((await sent(model(), request('theirs')))['prompt']).toMatchObject([{}, { content: [{ type: 'text', text: 'so' }] }, {}])
  })

  it('instructions keep their cache marks, which sit on messages there', async () => {
    const request: UpstreamRequest = { messages: [{ role: 'system', content: [{ type: 'text', text: 'a', cacheControl: { ttl: '1h' } }, { type: 'text', text: 'b' }, { type: 'text', text: 'c' }] }, { role: 'developer', content: 'd' }, { role: 'user', content: 'Hi' }] }
    const prompt = (await sent(model({ provider: 'vertex.anthropic.messages' }), request))['prompt']
    expect(prompt).toEqual([
      { role: 'system', content: 'a', providerOptions: { anthropic: { cacheControl: { type: 'ephemeral', ttl: '1h' } } } },
      { role: 'system', content: 'b\nc' },
      { role: 'system', content: 'd' },
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    ])
  })

  it('options reach the SDK under the key its package reads, and the caller has the last word', async () => {
    const request: UpstreamRequest = { ...ASK, parallelToolCalls: false, logprobs: 3, stop: 'x', temperature: 0.5, seed: 7, maxOutputTokens: 9, providerOptions: { 'ai-sdk': { openai: { user: 'u' } }, 'openai.chat': { logprobs: 5 }, openai: { ignored: true } } }
    expect(await sent(model({ provider: 'openai.chat' }), request)).toMatchObject({ stopSequences: ['x'], temperature: 0.5, seed: 7, maxOutputTokens: 9, providerOptions: { openai: { parallelToolCalls: false, logprobs: 5, user: 'u' } } })
    const unknown = await answer(model(), 'json', { ...ASK, parallelToolCalls: false, logprobs: true })
    expect(unknown.warnings.map(({ parameter }) => parameter)).toEqual(['parallelToolCalls', 'logprobs'])
    await expect(sent(model(), request)).resolves.not.toHaveProperty('providerOptions.openai.ignored')
  })

  it.each([
    ['openai.responses', 'v2', { effort: 'low' }, { providerOptions: { openai: { reasoningEffort: 'low' } } }],
    ['openai.responses', 'v4', { effort: 'low' }, { reasoning: 'low' }],
    ['google.generative-ai', 'v3', { budgetTokens: 900 }, { providerOptions: { google: { thinkingConfig: { thinkingBudget: 900, includeThoughts: true } } } }],
    ['google.generative-ai', 'v3', { effort: 'none' }, { providerOptions: { google: { thinkingConfig: { thinkingBudget: 0 } } } }],
    ['anthropic.messages', 'v3', { budgetTokens: 2000 }, { maxOutputTokens: 3000, providerOptions: { anthropic: { thinking: { type: 'enabled', budgetTokens: 2000 } } } }],
  ] as const)('reasoning is asked for in the words of %s (%s)', async (provider, version, reasoning, expected) => {
    expect(await sent(model({ provider, version, modelId: 'claude-sonnet-4-5' }), { ...ASK, reasoning, maxOutputTokens: 5000 })).toMatchObject(expected)
  })

  it('reasoning that cannot be asked for is told, not lost', async () => {
    expect((await answer(model(), 'json', { ...ASK, reasoning: { effort: 'high', budgetTokens: 5 } })).warnings.map(({ parameter }) => parameter)).toEqual(['reasoning.budgetTokens', 'reasoning.effort'])
  })

  it.each(VERSIONS)('tools, choice and the shape of the answer (%s)', async version => {
    const web = { type: version === 'v2' ? 'provider-defined' : 'provider', id: 'mine.web', name: 'web', args: {} }
    const made = await sent(model({ version }), {
      ...ASK,
      tools: [{ name: 'look', description: 'd', inputSchema: { type: 'object' }, strict: true }, { providerData: { 'ai-sdk': { block: { ...web, type: 'provider' } } } }, { providerData: { anthropic: { block: {} } } }],
      toolChoice: { name: 'look' },
      output: { name: 'city', jsonSchema: { type: 'object' } },
    })
    expect(made).toMatchObject({
      tools: [{ type: 'function', name: 'look', description: 'd', inputSchema: { type: 'object' }, ...(version !== 'v2' && { strict: true }) }, web],
      toolChoice: { type: 'tool', toolName: 'look' },
      responseFormat: { type: 'json', name: 'city', schema: { type: 'object' } },
    })
    expect((made['tools'] as unknown[]).length).toBe(2)
  })

  it('a conversation of blanks is refused', async () => {
    expect((await failure(() => ask(model(), 'json', { messages: [{ role: 'user', content: ' ' }] }))).code).toBe('invalid_request')
  })
})
