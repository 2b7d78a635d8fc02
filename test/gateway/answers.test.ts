import { afterEach, describe, expect, it } from 'vitest'
import { startProvider } from '../../scripts/loopback/index.js'
import { anthropic, fallback, Gateway, openai, type ChatResult, type Message } from '../../src/index.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { fakeFetch, thrown } from './support.js'

const TOOLS = [{ name: 'weather', inputSchema: { type: 'object', properties: { city: { type: 'string' } } } }]
const started: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})

/** Asks until no tool is wanted any more, putting each message straight back. */
async function loop(ask: (messages: readonly Message[]) => Promise<ChatResult>): Promise<{ readonly last: ChatResult; readonly messages: readonly Message[] }> {
  const messages: Message[] = [{ role: 'user', content: 'Weather in Rome?' }]
  for (let turn = 0; turn < 5; turn++) {
    const last = await ask(messages)
    messages.push(last.message)
    if (last.toolCalls.length === 0) return { last, messages }
    for (const { id, input } of last.toolCalls) messages.push({ role: 'tool', toolCallId: id, content: `21 degrees in ${(input as { city: string }).city}` })
  }
  throw new Error('the model never stops calling')
}

describe('the message of an answer goes straight back', () => {
  const deployment = () => scripted({ id: 'd', provider: 'p', model: 'm', answers: [{ reasoning: 'I must look.', text: 'Let me look.', toolCalls: [{ name: 'weather', input: { city: 'Rome' } }, { name: 'weather', input: { city: 'Milan' } }] }, 'It is 21.'] })

  it.each(['chat', 'stream'] as const)('in a tool loop by %s', async kind => {
    const target = deployment()
    const gateway = new Gateway({ routes: { smart: target } })
    const { last, messages } = await loop(async messages => (kind === 'chat' ? gateway.chat({ model: 'smart', messages, tools: TOOLS }) : (await gateway.stream({ model: 'smart', messages, tools: TOOLS })).result()))
    expect(last.text).toBe('It is 21.')
    expect(messages.map(message => message.role)).toEqual(['user', 'assistant', 'tool', 'tool', 'assistant'])
    expect(messages[1]).toMatchObject({ content: [{ type: 'reasoning' }, { type: 'text' }, { type: 'tool-call', name: 'weather', input: { city: 'Rome' } }, { type: 'tool-call' }], origin: { provider: 'p', model: 'm', deployment: 'd' } })
    expect(target.calls[1]?.request.messages).toEqual(messages.slice(0, 4))
  })

  it('also after it was written down and read again', async () => {
    const gateway = new Gateway({ routes: { smart: deployment() } })
    const { last } = await loop(messages => gateway.chat({ model: 'smart', messages: JSON.parse(JSON.stringify(messages)) as Message[], tools: TOOLS }))
    expect(last.text).toBe('It is 21.')
  })

  it.each([
    ['openai', openai, '/chat/completions'],
    ['anthropic', anthropic, '/messages'],
  ] as const)('to a real %s server, with the tool call in the words of its dialect', async (dialect, make, path) => {
    const server = await startProvider({ dialect, paceMs: 0, words: 'It is 21.' })
    started.push(server)
    const gateway = new Gateway({ routes: { smart: fallback(make('gpt-5.6', { apiKey: 'k', baseUrl: server.baseUrl })), tools: deployment() } })
    const first = await gateway.chat({ model: 'tools', messages: 'Weather in Rome?', tools: TOOLS })
    const results = first.toolCalls.map(({ id }): Message => ({ role: 'tool', toolCallId: id, content: '21' }))
    const second = await gateway.chat({ model: 'smart', messages: [{ role: 'user', content: 'Weather in Rome?' }, first.message, ...results], tools: TOOLS })
    const third = await gateway.chat({ model: 'smart', messages: [{ role: 'user', content: 'Hm?' }, second.message, { role: 'user', content: 'Thanks.' }] })
    expect([second.text, third.text]).toEqual(['It is 21.', 'It is 21.'])
    const [sent] = server.requests
    expect(sent?.path).toContain(path)
    const body = JSON.stringify(sent?.body)
    for (const { id } of first.toolCalls) expect(body.split(id)).toHaveLength(3)
    await gateway.close()
  })

  it('the arguments are given as they were written and as they were meant', async () => {
    const text = '{ "city":"Rome",  "n": 1e2 }'
    const { fetch } = fakeFetch({ role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: text } }] })
    const { toolCalls, finishReason } = await new Gateway({ routes: { smart: openai('m', { apiKey: 'k' }) }, fetch }).chat({ model: 'smart', messages: 'Hi', tools: TOOLS })
    expect(toolCalls).toEqual([{ id: 'c1', name: 'weather', input: { city: 'Rome', n: 100 }, arguments: text }])
    expect(finishReason).toBe('tool-calls')
  })
})

describe('an answer says how it came about', () => {
  it('with its tries, its times, its cost and who gave it', async () => {
    const clock = virtualClock()
    const price = { input: 1, output: 10 }
    const primary = scripted({ id: 'primary', price, answers: { fail: { status: 503 }, latencyMs: 100 } })
    const backup = scripted({ id: 'backup', provider: 'p', model: 'm', price, answers: { text: 'Hello', latencyMs: 50, usage: { inputTokens: 1_000, outputTokens: 100 } } })
    const gateway = new Gateway({ routes: { smart: fallback(primary, backup) }, clock, retry: { attempts: 1 } })
    const pending = gateway.chat({ model: 'smart', messages: 'Hi' })
    await clock.advance(1_000)
    const answer = await pending
    expect(answer).toMatchObject({ text: 'Hello', deployment: 'backup', provider: 'p', model: 'm', finishReason: 'stop', usage: { inputTokens: 1_000, outputTokens: 100 } })
    expect(answer.cost).toEqual({ usd: 0.002, nanos: 2_000_000, parts: { input: 1_000_000, output: 1_000_000 }, estimated: false, saved: 0, source: 'priced' })
    expect(answer.timings).toEqual({ startedAt: Date.UTC(2026, 0, 1), totalMs: 150, firstEventMs: 150 })
    expect(answer.attempts).toMatchObject([
      { deployment: 'primary', outcome: 'failure', code: 'overloaded', status: 503, startedMs: 0, durationMs: 100 },
      { deployment: 'backup', outcome: 'success', startedMs: 100, durationMs: 50, firstEventMs: 50, costNanos: 2_000_000, usage: { inputTokens: 1_000 }, responseId: 'backup-1' },
    ])
    expect(answer.attempts[0]?.costNanos).toBeUndefined()
    expect(answer.id).toMatch(/^call_[a-z0-9]{16,}$/)
    expect(answer.response).toMatchObject({ id: 'backup-1', headers: { 'x-scripted': '1' } })
  })

  it('an unknown price is an unknown cost, and a free model costs nothing', async () => {
    const gateway = new Gateway({ routes: { unknown: scripted('x'), free: scripted({ answers: 'x', price: { input: 0, output: 0 } }), told: scripted({ answers: { text: 'x', usage: { reportedCostUsd: 0.25 } } }) } })
    const cost = async (model: 'unknown' | 'free' | 'told') => (await gateway.chat({ model, messages: 'Hi' })).cost
    expect(await cost('unknown')).toMatchObject({ usd: null, source: 'unknown' })
    expect(await cost('free')).toMatchObject({ usd: 0, source: 'priced' })
    expect(await cost('told')).toMatchObject({ usd: 0.25, source: 'reported' })
  })

  it('what was left out of the request is told, once', async () => {
    const { fetch, sent } = fakeFetch()
    const gateway = new Gateway({ routes: { smart: openai('gpt-5.6', { apiKey: 'k' }) }, fetch })
    const { warnings } = await gateway.chat({ model: 'smart', messages: 'Hi', topK: 5 })
    expect(warnings).toMatchObject([{ code: expect.stringMatching(/dropped|unsupported/) as string, parameter: 'topK' }])
    expect(JSON.stringify(sent[0]?.body)).not.toContain('top')
  })

  it('an error tells the same: every try, and the wait', async () => {
    const down = (id: string) => scripted({ id, answers: { fail: { status: 429, retryAfterMs: 60_000 } } })
    const gateway = new Gateway({ routes: { smart: fallback(down('a'), down('b')) } })
    const error = await thrown(() => gateway.chat({ model: 'smart', messages: 'Hi' }))
    expect(error).toMatchObject({ code: 'rate_limited', status: 429, retryAfterMs: 60_000, attempts: [{ deployment: 'a', code: 'rate_limited' }, { deployment: 'b', code: 'rate_limited' }] })
  })

  it('the system prompt comes first, whichever way the rest was given', async () => {
    const target = scripted('x')
    const gateway = new Gateway({ routes: { smart: { use: target, maxOutputTokens: 50 } } })
    await gateway.chat({ model: 'smart', system: 'Be brief.', messages: 'Hi' })
    await gateway.chat({ model: 'smart', system: 'Be brief.', messages: [{ role: 'user', content: 'Hi' }], maxOutputTokens: 9 })
    expect(target.calls.map(({ request }) => [request.messages.map(({ role }) => role), request.maxOutputTokens])).toEqual([[['system', 'user'], 50], [['system', 'user'], 9]])
  })
})
