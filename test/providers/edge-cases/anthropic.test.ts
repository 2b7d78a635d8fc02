import { describe, expect, it } from 'vitest'
import { type Message } from 'sallyport'
import { JSON_HEAD, Play, type Asking } from './play.js'

const play = new Play()
const ME = { quirks: 'anthropic' } as const
const START = { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm1', content: [], stop_reason: null, usage: { input_tokens: 3, output_tokens: 1 } } }
const block = (index: number, content: object, ...deltas: readonly object[]): object[] => [{ type: 'content_block_start', index, content_block: content }, ...deltas.map(delta => ({ type: 'content_block_delta', index, delta })), { type: 'content_block_stop', index }]
const stop = (reason: string): object[] => [{ type: 'message_delta', delta: { stop_reason: reason }, usage: { output_tokens: 7 } }, { type: 'message_stop' }]
const events = (...list: readonly object[]): string => [START, ...list].map(event => `event: ${String((event as { type: string }).type)}\ndata: ${JSON.stringify(event)}\n\n`).join('')
const SAY = block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hi' })
const FINE = { headers: JSON_HEAD, pieces: ['{"id":"msg_1","type":"message","role":"assistant","model":"m1","content":[{"type":"text","text":"fine"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}'] }

/** The request that leaves. */
async function asked(asking: Asking): Promise<{ body: Record<string, unknown>; warnings: readonly string[] }> {
  const { asked: [body = {}], result } = await play.ask(FINE, { ...ME, whole: true, maxOutputTokens: 4096, ...asking })
  return { body, warnings: result.warnings.map(({ parameter }) => parameter ?? '') }
}
const sent = async (messages: readonly Message[], more: Asking = {}) => (await asked({ messages, ...more })).body['messages']
const tools = [{ name: 'f', inputSchema: { type: 'object' } }] as const
const CALLS: Message = { role: 'assistant', content: [{ type: 'text', text: ' ' }, { type: 'tool-call', id: 'a', name: 'f', input: {} }, { type: 'tool-call', id: 'b', name: 'f', input: {} }] }
const RESULTS: Message[] = [{ role: 'tool', toolCallId: 'a', content: '1' }, { role: 'tool', toolCallId: 'b', content: '2' }]

describe('turns', () => {
  it('are merged, results first and together (trap 46)', async () => {
    expect(await sent([{ role: 'user', content: 'x' }, { role: 'user', content: 'y' }, CALLS, ...RESULTS, { role: 'user', content: 'z' }], { tools })).toMatchObject([
      { role: 'user', content: [{ text: 'x' }, { text: 'y' }] },
      { role: 'assistant' },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a' }, { type: 'tool_result', tool_use_id: 'b' }, { type: 'text', text: 'z' }] },
    ])
  })
  it('hold no blank text, and a turn of nothing else is left out (trap 47)', async () => {
    const messages = await sent([{ role: 'user', content: 'x' }, { role: 'assistant', content: ' ' }, { role: 'user', content: [{ type: 'text', text: '' }, { type: 'text', text: 'y' }] }, CALLS, ...RESULTS], { tools })
    expect(JSON.stringify(messages)).not.toMatch(/"text":"\s*"/)
    expect(messages).toMatchObject([{ role: 'user' }, { role: 'assistant', content: [{ type: 'tool_use' }, { type: 'tool_use' }] }, { role: 'user' }])
  })
  it('that begin an answer do not end in white space (trap 51)', async () => {
    expect(await sent([{ role: 'user', content: 'x' }, { role: 'assistant', content: 'Once \n' }], { model: 'claude-sonnet-4-5' })).toMatchObject([{}, { role: 'assistant', content: [{ text: 'Once' }] }])
  })
})

describe('thinking', () => {
  it('goes back unchanged before its call, also empty and redacted, and to nobody else (trap 48)', async () => {
    const body = events(...block(0, { type: 'thinking', thinking: '', signature: '' }, { type: 'signature_delta', signature: 'sig' }), ...block(1, { type: 'redacted_thinking', data: 'red' }), ...block(2, { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }), ...stop('tool_use'))
    const { result } = await play.ask(body, { ...ME, tools, model: 'claude-sonnet-4-5', reasoning: { budgetTokens: 1024 }, maxOutputTokens: 4096 })
    const messages: Message[] = [{ role: 'user', content: 'x' }, result.message, { role: 'tool', toolCallId: 'toolu_1', content: 'y' }]
    const more: Asking = { tools, model: 'claude-sonnet-4-5', reasoning: { budgetTokens: 1024 } }
    expect(await sent(messages, more)).toMatchObject([{}, { content: [{ type: 'thinking', thinking: '', signature: 'sig' }, { type: 'redacted_thinking', data: 'red' }, { type: 'tool_use', id: 'toolu_1' }] }, {}])
    expect(JSON.stringify(await sent(messages, { tools, model: 'claude-opus-4-5' }))).not.toMatch(/sig|redacted/)
  })
  it('has a budget that fits, and sampling gives way to it (trap 49)', async () => {
    const { body, warnings } = await asked({ model: 'claude-sonnet-4-5', reasoning: { budgetTokens: 9 }, maxOutputTokens: 2000, temperature: 0.5, topK: 5 })
    expect(body).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 1024 } })
    expect([body['temperature'], body['top_k']]).toEqual([undefined, undefined])
    expect(warnings).toEqual(expect.arrayContaining(['temperature', 'topK']))
    const adaptive = await asked({ model: 'claude-opus-4-7', reasoning: { budgetTokens: 2000 } })
    expect(JSON.stringify(adaptive.body)).not.toContain('budget_tokens')
  })
})

describe('what newer models refuse', () => {
  it('is left out with a warning: sampling (trap 50)', async () => {
    const { body, warnings } = await asked({ model: 'claude-opus-4-7', temperature: 0.5, topP: 0.5 })
    expect([body['temperature'], body['top_p']]).toEqual([undefined, undefined])
    expect(warnings).toEqual(expect.arrayContaining(['temperature', 'topP']))
  })
  it('is changed and changed back: names and ids (trap 52)', async () => {
    const odd = [{ name: 'my.tool/é', inputSchema: { type: 'object' } }] as const
    const { body } = await asked({ tools: odd, messages: [{ role: 'user', content: 'x' }, { role: 'assistant', content: [{ type: 'tool-call', id: 'call|fc:1', name: 'my.tool/é', input: {} }] }, { role: 'tool', toolCallId: 'call|fc:1', content: 'y' }] })
    const text = JSON.stringify(body)
    const [name = ''] = (body['tools'] as { name: string }[]).map(tool => tool.name)
    expect(name).toMatch(/^[\w-]{1,64}$/)
    expect(text).not.toMatch(/call\||my\.tool/)
    const { result } = await play.ask(events(...block(0, { type: 'tool_use', id: 'toolu_1', name, input: {} }), ...stop('tool_use')), { ...ME, tools: odd })
    expect(result.toolCalls).toMatchObject([{ name: 'my.tool/é' }])
  })
})

describe('events', () => {
  it('of a message spliced into another go on with the first (trap 53)', async () => {
    const { result } = await play.ask(events(...SAY, START, ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: ' there' }), ...stop('end_turn')), ME)
    expect([result.text, result.usage]).toEqual(['Hi there', { inputTokens: 3, outputTokens: 7 }])
  })
  it('that pause a turn are no stop, and the turn can be sent back (trap 54)', async () => {
    const server = { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { q: 'x' } }
    const { result } = await play.ask(events(...SAY, ...block(1, server), ...stop('pause_turn')), ME)
    expect([result.finishReason, result.rawFinishReason, result.toolCalls]).toEqual(['other', 'pause_turn', []])
    expect(await sent([{ role: 'user', content: 'x' }, result.message])).toMatchObject([{}, { content: [{ type: 'text', text: 'Hi' }, server] }])
  })
  it('that end by length inside a call make no call (trap 72)', async () => {
    const { result } = await play.ask(events(...block(0, { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }, { type: 'input_json_delta', partial_json: '{"x":' }), ...stop('max_tokens')), { ...ME, tools })
    expect([result.finishReason, result.toolCalls]).toEqual(['length', []])
  })
})
