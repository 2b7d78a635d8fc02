import { describe, expect, it } from 'vitest'
import { call, chunk, completion, data, end, JSON_HEAD, Play, stream } from './play.js'

const play = new Play()
const tools = [{ name: 'f', inputSchema: { type: 'object' } }, { name: 'g', inputSchema: { type: 'object' } }] as const
const read = async (...chunks: readonly unknown[]) => (await play.ask(stream(...chunks), { tools })).result
const calls = async (...chunks: readonly unknown[]) => (await read(...chunks)).toolCalls.map(({ name, input }) => [name, input])

describe('pieces of text', () => {
  it('need no role, and may repeat it (trap 25)', async () => {
    for (const role of [{}, { role: 'assistant' }]) expect((await read(chunk({ role: 'assistant', content: null }), chunk({ ...role, content: 'a' }), chunk({ ...role, content: 'b' }))).text).toBe('ab')
  })
  it('that are empty are no events (trap 26)', async () => {
    const { events } = await play.ask(stream(chunk({ role: 'assistant', content: '' }), chunk({ content: '', reasoning: 'hm' }), chunk({ content: null, tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] })), { tools })
    expect(events.filter(event => event.type === 'text-delta')).toEqual([])
    expect(events.some(event => event.type === 'reasoning-delta')).toBe(true)
  })
  it('behind a finish reason are kept, and the first reason counts (trap 38)', async () => {
    const { result } = await play.ask([chunk({ content: 'a' }), end('length'), chunk({ content: 'b' }), end('stop'), '[DONE]'].map(data).join(''))
    expect([result.text, result.rawFinishReason]).toEqual(['ab', 'length'])
  })
  it('of other choices are not ours (trap 40)', async () => {
    expect((await read(chunk({ content: 'no' }, {}, { index: 1 }), chunk({ content: 'yes' }), chunk({ content: 'no' }, {}, { index: 2, finish_reason: 'length' }))).text).toBe('yes')
  })
  it('are not doubled by the message beside them (trap 41)', async () => {
    expect((await read(chunk({ content: 'a' }, {}, { message: { content: 'a' } }), chunk({ content: 'b' }, {}, { message: { content: 'ab' } }))).text).toBe('ab')
  })
  it('keep the first id and model (trap 42)', async () => {
    const { events } = await play.ask(stream(chunk({ content: 'a' }), chunk({ content: 'b' }, { id: 'c2', model: 'm2' })))
    expect(events.filter(event => event.type === 'start')).toEqual([{ type: 'start', id: 'c1', model: 'm1' }])
  })
  it.each(['reasoning_content', 'reasoning', 'reasoning_text'])('may be reasoning in %s, and are taken once (trap 43)', async field => {
    const { reasoning, text } = await read(chunk({ [field]: 'h', reasoning_details: [{ type: 'reasoning.text', text: 'h' }] }), chunk({ [field]: 'm' }), chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: '!' }] }, { type: 'text', text: 'so' }] }))
    expect([reasoning, text]).toEqual(['hm!', 'so'])
  })
  it('with an empty refusal are no refusal (trap 44)', async () => {
    expect(await read(chunk({ content: 'a', refusal: '' }))).not.toHaveProperty('refusal')
  })
  it('may be missing where a filter acted (trap 45)', async () => {
    const { result } = await play.ask({ headers: JSON_HEAD, pieces: ['{"id":"c1","model":"m1","choices":[{"index":0,"finish_reason":"content_filter"}]}'] }, { whole: true })
    expect([result.text, result.finishReason]).toEqual(['', 'content-filter'])
  })
})

describe('pieces of calls', () => {
  it('without an index go by id, else to the last call, and two in one chunk are two (trap 27)', async () => {
    expect(await calls(call({ id: 'a', function: { name: 'f', arguments: '{"x":' } }), call({ function: { arguments: '1}' } }), call({ id: 'b', function: { name: 'f', arguments: '{}' } }), call({ id: 'a', function: { arguments: ' ' } }))).toEqual([['f', { x: 1 }], ['f', {}]])
    expect(await calls(chunk({ tool_calls: [{ function: { name: 'f', arguments: '{}' } }, { function: { name: 'f', arguments: '{"y":2}' } }] }))).toEqual([['f', {}], ['f', { y: 2 }]])
  })
  it('may begin at index 1 (trap 28)', async () => {
    const { events } = await play.ask(stream(call({ index: 1, id: 'a', function: { name: 'f', arguments: '{}' } }), call({ index: 3, id: 'b', function: { name: 'g', arguments: '{}' } })), { tools })
    expect(events.flatMap(event => (event.type === 'tool-call' ? [event.index] : []))).toEqual([0, 1])
  })
  it('that all have index 0 are told apart by id and name (trap 29)', async () => {
    expect(await calls(call({ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' } }), call({ index: 0, id: 'b', function: { name: 'g', arguments: '{"y":2}' } }))).toEqual([['f', { x: 1 }], ['g', { y: 2 }]])
  })
  it('may repeat id and name, or send null for them (trap 30)', async () => {
    const { toolCalls } = await read(call({ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":' } }), call({ index: 0, id: 'a', function: { name: 'f', arguments: '1' } }), call({ index: 0, id: 'null', function: { name: null, arguments: '}' } }), call({ index: 0, id: null, function: {} }))
    expect(toolCalls).toMatchObject([{ id: 'a', name: 'f', input: { x: 1 } }])
  })
  it('wait for a name that comes late (trap 31)', async () => {
    expect(await calls(call({ index: 0, id: 'a', function: { arguments: '{"x":' } }), call({ index: 0, function: { name: 'f', arguments: '1}' } }))).toEqual([['f', { x: 1 }]])
  })
  it.each([['', 'trap 32'], [null, 'trap 33'], ['null', 'trap 33'], [undefined, 'trap 33']])('with arguments %j are calls with none, and go back as {} (%s)', async (written: string | null | undefined, _: string) => {
    expect(await calls(call({ index: 0, id: 'a', function: { name: 'f', arguments: written } }))).toEqual([['f', {}]])
    const { asked } = await play.ask(stream(chunk({ content: 'a' })), { messages: [{ role: 'user', content: 'x' }, { role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'f', input: {}, arguments: '' }] }, { role: 'tool', toolCallId: 'a', content: 'y' }] })
    expect(asked[0]?.['messages']).toMatchObject([{}, { tool_calls: [{ function: { arguments: '{}' } }] }, {}])
  })
  it('with an object for arguments are as good as with a text (trap 34)', async () => {
    expect(await calls(call({ index: 0, id: 'a', function: { name: 'f', arguments: { x: [1] } } }))).toEqual([['f', { x: [1] }]])
  })
  it('that are interleaved are kept apart (trap 35)', async () => {
    const piece = (index: number, text: string, more = {}) => call({ index, function: { arguments: text, ...more } })
    expect(await calls(piece(0, '{"x"', { name: 'f' }), piece(1, '{"y"', { name: 'g' }), piece(0, ':1'), piece(1, ':2'), piece(1, '}'), piece(0, '}'))).toEqual([['f', { x: 1 }], ['g', { y: 2 }]])
  })
  it('without an id get one that the conversation does not have (trap 36)', async () => {
    const { toolCalls, message } = await read(call({ index: 0, id: '', function: { name: 'f', arguments: '{}' } }), call({ index: 1, function: { name: 'g', arguments: '{}' } }))
    const ids = toolCalls.map(({ id }) => id)
    const next = await play.ask(stream(call({ index: 0, function: { name: 'f', arguments: '{}' } })), { tools, messages: [{ role: 'user', content: 'x' }, message, ...ids.map(id => ({ role: 'tool' as const, toolCallId: id, content: 'y' }))] })
    const all = [...ids, ...next.result.toolCalls.map(({ id }) => id)]
    expect([new Set(all).size, all.includes('')]).toEqual([3, false])
  })
  it('make a plain stop a reason to call (trap 39)', async () => {
    expect((await read(call({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }))).finishReason).toBe('tool-calls')
  })
  it('of free text are never read as JSON (trap 68)', async () => {
    const { toolCalls } = await read(call({ index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: '' } }), call({ index: 0, custom: { input: '{"a":' } }))
    expect(toolCalls).toMatchObject([{ name: 'f', input: '{"a":' }])
  })
  it('that a length limit cut are no calls (trap 72)', async () => {
    const { result } = await play.ask([call({ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' } }), call({ index: 1, id: 'b', function: { name: 'g', arguments: '{"y":' } }), end('length'), '[DONE]'].map(data).join(''), { tools })
    expect([result.finishReason, result.toolCalls.map(({ name }) => name), result.warnings.map(({ code }) => code)]).toEqual(['length', ['f'], ['dropped']])
  })
  it('that came out wrong are kept in the error, for a repair (trap 66)', async () => {
    const error = { message: 'Failed to call a function.', code: 'tool_use_failed', failed_generation: '<f>{"x":' }
    for (const sent of [{ status: 400, headers: JSON_HEAD, pieces: [JSON.stringify({ error })] }, `event: error\n${data({ error: { ...error, status_code: 400 } })}`]) {
      expect((await play.fault(sent, { tools })).upstream).toMatchObject({ code: 'tool_use_failed', generated: '<f>{"x":' })
    }
  })
})

describe('what is asked', () => {
  it('of reasoning models has their names, and not what they refuse (trap 60)', async () => {
    const sampling = { maxOutputTokens: 9, temperature: 0.5, topP: 0.5, frequencyPenalty: 1, presencePenalty: 1, logprobs: true } as const
    const system = [{ role: 'system' as const, content: 's' }, { role: 'user' as const, content: 'x' }]
    for (const [model, role] of [['o3', 'developer'], ['gpt-5', 'developer'], ['o1-mini', 'user']] as const) {
      const { asked } = await play.ask({ headers: JSON_HEAD, pieces: [completion({ content: 'a' })] }, { whole: true, quirks: { maxTokens: 'max_completion_tokens', developer: true, families: 'openai' }, model, messages: system, ...sampling })
      expect(asked).toEqual([{ model, max_completion_tokens: 9, messages: [{ role, content: 's' }, { role: 'user', content: 'x' }] }])
    }
  })
  it('in a tool turn brings the reasoning back to a server that wants it, and to no other (trap 62)', async () => {
    const quirks = { replay: 'tool-turns' } as const
    const { result } = await play.ask(stream(chunk({ reasoning_content: 'hm' }), call({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } })), { tools, quirks })
    const messages = [{ role: 'user' as const, content: 'x' }, result.message, { role: 'tool' as const, toolCallId: 'a', content: 'y' }]
    const back = await play.ask(stream(chunk({ content: 'a' })), { tools, quirks, messages })
    expect(back.asked[0]?.['messages']).toMatchObject([{}, { reasoning_content: 'hm' }, {}])
    const none = await play.ask(stream(chunk({ content: 'a' })), { tools, messages })
    expect(JSON.stringify(none.asked)).not.toContain('reasoning_content')
  })
})
