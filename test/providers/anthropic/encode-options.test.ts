import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message, UpstreamRequest } from '../../../src/protocol/request.js'
import { caller, result, target, TOOL, user, write, type SentBlock } from './support.js'

describe('tools', () => {
  it('are written in the shape of the dialect, with a choice only where there are tools', () => {
    const { body } = write({ tools: [{ name: 'a', description: 'd', inputSchema: { properties: {} }, strict: true }], toolChoice: 'required' })
    expect(body.tools).toEqual([{ name: 'a', description: 'd', input_schema: { type: 'object', properties: {} }, strict: true }])
    expect(body.tool_choice).toEqual({ type: 'any' })
    expect(write({ toolChoice: 'required' })).toMatchObject({ codes: ['unsupported toolChoice'] })
    expect(write({ toolChoice: 'required' }).body).not.toHaveProperty('tool_choice')
    expect(write({ tools: [TOOL], toolChoice: { name: 'a' } }).body.tool_choice).toEqual({ type: 'tool', name: 'a' })
    expect(write({ tools: [TOOL], toolChoice: 'none' }).body.tool_choice).toEqual({ type: 'none' })
    expect(write({ tools: [{ ...TOOL, strict: true }] }, target('claude-3-5-haiku-20241022')).codes).toEqual(['unsupported tools'])
  })

  it('can be called one at a time', () => {
    expect(write({ tools: [TOOL], parallelToolCalls: false }).body.tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true })
    expect(write({ tools: [TOOL], toolChoice: 'none', parallelToolCalls: false }).body.tool_choice).toEqual({ type: 'none' })
    expect(write({ tools: [TOOL], parallelToolCalls: true }).body).not.toHaveProperty('tool_choice')
  })

  it('of the provider are sent as they stand, of another dialect left out with a warning', () => {
    const block = { type: 'web_search_20250305', name: 'web_search' }
    const { body, codes } = write({ tools: [{ providerData: { anthropic: { block } } }, { providerData: { gemini: { block: {} } } }] })
    expect([body.tools, codes]).toEqual([[block], ['unsupported tools']])
  })

  it('are not forced on models that refuse it', () => {
    const { body, codes } = write({ tools: [TOOL], toolChoice: 'required' }, target('claude-mythos-5'))
    expect([body.tool_choice, codes]).toEqual([{ type: 'auto' }, ['changed toolChoice']])
  })

  it('keep apart a name that was made to fit and one that looks just like it', () => {
    const [made] = write({ tools: [{ ...TOOL, name: 'a.b' }] }).body.tools
    const sent = write({ tools: [{ ...TOOL, name: 'a.b' }, { ...TOOL, name: made?.name ?? '' }] }).body.tools.map(tool => tool.name)
    expect(sent[1]).toBe(made?.name)
    expect(sent[0]).not.toBe(sent[1])
  })

  it('with names the dialect refuses get others, the same ones everywhere and never twice', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(fc.string({ minLength: 1, maxLength: 90 }), fc.constantFrom('a.b', 'a/b', 'a_b', 'json')), { minLength: 1, maxLength: 6 }), all => {
        const { body } = write({ tools: all.map(name => ({ ...TOOL, name })), toolChoice: { name: all[0] ?? '' }, messages: [user('q'), { role: 'assistant', content: all.map((name, i) => ({ type: 'tool-call', id: `t${i}`, name, input: {} })) }, ...all.map((_, i) => result(`t${i}`))] })
        const sent: string[] = body.tools.map((tool: SentBlock) => tool.name)
        for (const [i, name] of sent.entries()) {
          expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
          if (/^[a-zA-Z0-9_-]{1,64}$/.test(all[i] ?? '')) expect(name).toBe(all[i])
        }
        expect(new Set(sent).size).toBe(all.length)
        expect(body.messages[1]?.content.map((block: SentBlock) => block.name)).toEqual(sent)
        expect(body.tool_choice.name).toBe(sent[0])
      }),
    )
  })
})

describe('an answer with a shape', () => {
  const output = { name: 'answer', jsonSchema: { type: 'object', properties: { list: { type: 'array', items: { type: 'object', properties: { additionalProperties: { type: 'object' } } } }, any: { type: 'object', additionalProperties: true } }, default: { type: 'object' } } } as const

  it('is asked for natively, with every object closed, where the model can', () => {
    const { body, warnings } = write({ output })
    expect(body.output_config.format).toEqual({
      type: 'json_schema',
      schema: {
        type: 'object',
        properties: { list: { type: 'array', items: { type: 'object', properties: { additionalProperties: { type: 'object', additionalProperties: false } }, additionalProperties: false } }, any: { type: 'object', additionalProperties: true } },
        default: { type: 'object' },
        additionalProperties: false,
      },
    })
    expect(body).not.toHaveProperty('tools')
    expect(warnings).toEqual([])
  })

  it('is asked for through a forced tool of older models, under a name that is free, with a warning', () => {
    const old = write({ output }, target('claude-opus-4-1-20250805'))
    expect(old.body.tools).toMatchObject([{ name: 'json', input_schema: output.jsonSchema }])
    expect(old.body.tool_choice).toEqual({ type: 'tool', name: 'json' })
    expect(old.body).not.toHaveProperty('output_config')
    expect(old.codes).toEqual(['changed output'])
    const busy = write({ output, tools: [{ ...TOOL, name: 'json' }] }, target('claude-3-opus-20240229'))
    expect(busy.body.tools.map((tool: SentBlock) => tool.name)).toEqual(['json', 'json_2'])
    expect(busy.body.tool_choice).toEqual({ type: 'any' })
  })

  it('goes by what the deployment says of itself before its name', () => {
    expect(write({ output }, target('claude-opus-5', { capabilities: { jsonSchema: false } })).body).toHaveProperty('tools')
    expect(write({ output }, target('claude-3-opus-20240229', { capabilities: { jsonSchema: true } })).body).toHaveProperty('output_config')
  })
})

describe('reasoning, by generation', () => {
  const think = (model: string, reasoning: UpstreamRequest['reasoning'], more: Partial<UpstreamRequest> = {}, capabilities = {}) => write({ ...(reasoning && { reasoning }), ...more }, target(model, { capabilities }))

  it.each<[string, string, UpstreamRequest['reasoning'], object | undefined, object | undefined]>([
    ['a budget where there are no levels', 'claude-3-7-sonnet-20250219', { effort: 'medium' }, { type: 'enabled', budget_tokens: 8192 }, undefined],
    ['a budget as asked for', 'claude-sonnet-4-5', { budgetTokens: 2000 }, { type: 'enabled', budget_tokens: 2000 }, undefined],
    ['both on the first model with levels', 'claude-opus-4-5', { effort: 'high' }, { type: 'enabled', budget_tokens: 16_384 }, { effort: 'high' }],
    ['adaptive from 4.6', 'claude-sonnet-4-6', { effort: 'medium' }, { type: 'adaptive' }, { effort: 'medium' }],
    ['a budget on 4.6, which still takes one', 'claude-opus-4-6', { budgetTokens: 4000 }, { type: 'enabled', budget_tokens: 4000 }, undefined],
    ['adaptive only after that', 'claude-opus-4-7', { effort: 'xhigh' }, { type: 'adaptive' }, { effort: 'xhigh' }],
    ['none', 'claude-opus-5', { effort: 'none' }, { type: 'disabled' }, undefined],
    ['nothing asked for', 'claude-opus-5', undefined, undefined, undefined],
  ])('%s', (_, model, reasoning, thinking, config) => {
    const { body, warnings } = think(model, reasoning)
    expect(body.thinking).toEqual(thinking)
    expect(body.output_config).toEqual(config)
    expect(warnings).toEqual([])
  })

  it.each<[string, string, UpstreamRequest['reasoning'], string]>([
    ['no reasoning at all', 'claude-3-5-sonnet-20240620', { effort: 'low' }, 'unsupported reasoning'],
    ['a level the model does not have', 'claude-opus-4-6', { effort: 'xhigh' }, 'changed reasoning.effort'],
    ['the least level', 'claude-opus-5', { effort: 'minimal' }, 'changed reasoning.effort'],
    ['a budget where the model takes none', 'claude-sonnet-5', { budgetTokens: 5000 }, 'changed reasoning.budgetTokens'],
    ['a budget below the least', 'claude-sonnet-4-5', { budgetTokens: 10 }, 'changed reasoning.budgetTokens'],
    ['reasoning that cannot be turned off', 'claude-fable-5', { effort: 'none' }, 'changed reasoning.effort'],
  ])('says so: %s', (_, model, reasoning, code) => {
    expect(think(model, reasoning).codes).toEqual([code])
  })

  it('a budget always fits: at least 1024 and below max_tokens', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70_000 }), fc.option(fc.integer({ min: 1, max: 70_000 }), { nil: undefined }), fc.option(fc.integer({ min: 1, max: 70_000 }), { nil: undefined }), (budgetTokens, maxOutputTokens, ceiling) => {
        const { body, warnings } = think('claude-sonnet-4-5', { budgetTokens }, maxOutputTokens === undefined ? {} : { maxOutputTokens }, ceiling === undefined ? {} : { maxOutputTokens: ceiling })
        if (maxOutputTokens !== undefined) expect(body.max_tokens).toBe(maxOutputTokens)
        else if (ceiling !== undefined) expect(body.max_tokens).toBeLessThanOrEqual(ceiling)
        const budget: number | undefined = body.thinking?.budget_tokens
        if (budget === undefined) expect(warnings.map(warning => warning.code)).toContain('dropped')
        else {
          expect(budget).toBeGreaterThanOrEqual(1024)
          expect(budget).toBeLessThan(body.max_tokens)
          if (budget !== budgetTokens) expect(warnings.map(warning => warning.parameter)).toContain('reasoning.budgetTokens')
        }
      }),
    )
  })

  it('gives way to a tool that must be called, and to the start of an answer', () => {
    const forced = think('claude-sonnet-4-5', { effort: 'low' }, { tools: [TOOL], toolChoice: 'required' })
    expect([forced.body.thinking, forced.codes]).toEqual([undefined, ['dropped reasoning']])
    const prefill = think('claude-sonnet-4-5', { effort: 'low' }, { prefill: true, messages: [user('q'), { role: 'assistant', content: 'A' }] })
    expect([prefill.body.thinking, prefill.codes]).toEqual([undefined, ['dropped reasoning']])
  })

  it('does not ask for a budget in a tool loop another model began, which is refused', () => {
    const messages = [user('q'), caller('t'), result('t')]
    expect(think('claude-sonnet-4-5', { effort: 'low' }, { messages })).toMatchObject({ codes: ['dropped reasoning'] })
    const signed: Message = { role: 'assistant', content: [{ type: 'reasoning', text: 'x', providerData: { anthropic: { signature: 's' } } }, { type: 'tool-call', id: 't', name: 'a', input: {} }] }
    expect(think('claude-sonnet-4-5', { effort: 'low' }, { messages: [user('q'), signed, result('t')] }).codes).toEqual([])
    expect(think('claude-opus-5', { effort: 'low' }, { messages }).body.thinking).toEqual({ type: 'adaptive' })
  })
})

describe('sampling', () => {
  it.each<[string, string, Partial<UpstreamRequest>, object, string[]]>([
    ['all of it on old models', 'claude-3-5-sonnet-20240620', { temperature: 0.5, topP: 0.9, topK: 5 }, { temperature: 0.5, top_p: 0.9, top_k: 5 }, []],
    ['temperature or top_p on 4.x', 'claude-sonnet-4-5', { temperature: 0.5, topP: 0.9 }, { temperature: 0.5 }, ['unsupported topP']],
    ['top_p alone', 'claude-opus-4-6', { topP: 0.9 }, { top_p: 0.9 }, []],
    ['none after Opus 4.6', 'claude-opus-4-7', { temperature: 0.5, topP: 0.9, topK: 5 }, {}, ['unsupported temperature', 'unsupported topP', 'unsupported topK']],
    ['a temperature of 1 passes everywhere', 'claude-opus-5', { temperature: 1 }, { temperature: 1 }, []],
    ['a temperature of 0 is a temperature', 'claude-sonnet-4-5', { temperature: 0 }, { temperature: 0 }, []],
    ['above 1', 'claude-sonnet-4-5', { temperature: 1.5 }, { temperature: 1 }, ['changed temperature']],
    ['while it reasons', 'claude-3-7-sonnet-20250219', { temperature: 0.5, topP: 0.9, topK: 5, reasoning: { effort: 'low' } }, {}, ['unsupported temperature', 'unsupported topP', 'unsupported topK']],
  ])('%s', (_, model, request, expected, codes) => {
    const written = write(request, target(model))
    const { temperature, top_p, top_k } = written.body
    expect(JSON.parse(JSON.stringify({ temperature, top_p, top_k }))).toEqual(expected)
    expect(written.codes).toEqual(codes)
  })
})

describe('cache marks', () => {
  const mark = { ttl: '1h' } as const

  it('land on the block they are put on', () => {
    const { body } = write({
      tools: [{ ...TOOL, cacheControl: {} }],
      messages: [{ role: 'system', content: [{ type: 'text', text: 'S', cacheControl: mark }] }, user('q'), caller('t'), { role: 'tool', toolCallId: 't', content: 'ok', cacheControl: mark }],
    })
    expect(body.tools[0]?.cache_control).toEqual({ type: 'ephemeral' })
    expect(body.system[0]?.cache_control).toEqual({ type: 'ephemeral', ttl: '1h' })
    expect(body.messages[2]?.content[0]?.cache_control).toEqual({ type: 'ephemeral', ttl: '1h' })
  })

  it('are at most four, the last ones; the caller’s own objects stay as they were', () => {
    const block = Object.freeze({ type: 'tool_result', tool_use_id: 'x', cache_control: Object.freeze({ type: 'ephemeral' }), content: Object.freeze([Object.freeze({ type: 'text', text: 'in', cache_control: Object.freeze({ type: 'ephemeral' }) })]) })
    const parts = Array.from({ length: 4 }, (_, i) => ({ type: 'text' as const, text: `p${i}`, cacheControl: mark }))
    const messages: Message[] = [{ role: 'user', content: [{ type: 'text', text: '', providerData: { anthropic: { block } } }, ...parts] }]
    const { body, codes } = write({ tools: [{ ...TOOL, cacheControl: mark }], messages })
    const count = (value: unknown): number => JSON.stringify(value).split('"cache_control"').length - 1
    expect(count(body)).toBe(4)
    expect(body.messages[0]?.content.slice(1).every((part: SentBlock) => part.cache_control !== undefined)).toBe(true)
    expect(codes).toEqual(['dropped cacheControl'])
    expect(block.cache_control).toEqual({ type: 'ephemeral' })
    expect(count(write({ messages, providerOptions: { anthropic: { cache_control: { type: 'ephemeral' } } } }).body)).toBe(4)
  })
})
