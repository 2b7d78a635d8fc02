import { afterEach, describe, expect, it } from 'vitest'
import { anthropic, fallback, Gateway, openai, type CallRecord, type Deployment, type Tool } from '../../src/index.js'
import { countedClock, expectNothingLeft } from '../compositions/left-behind.js'
import { rawServer, type RawServer } from '../compositions/raw.js'
import { until } from '../compositions/support.js'
import { schema, weatherBy } from './run-tools-scene.js'
import { thrown } from './support.js'

type Dialect = 'openai' | 'anthropic'
type Body = { readonly stream?: boolean; readonly tools?: unknown; readonly messages: readonly { readonly role: string; readonly content: unknown; readonly tool_calls?: readonly { readonly id: string }[]; readonly tool_call_id?: string }[] }
/** What a server says: calls of `weather` by city, a text, an HTTP status, or nothing, ever. */
type Say = readonly string[] | string | number | 'silence'
const SILENCE = 'silence'

const openaiJson = (say: readonly string[] | string) => {
  const calls = typeof say === 'string' ? undefined : say.map((city, at) => ({ id: `call/${city}|${at}`, type: 'function', function: { name: 'weather', arguments: JSON.stringify({ city }) } }))
  return { id: 'chatcmpl-1', object: 'chat.completion', model: 'm-1', choices: [{ index: 0, message: { role: 'assistant', content: calls === undefined ? say : null, ...(calls && { tool_calls: calls }) }, finish_reason: calls === undefined ? 'stop' : 'tool_calls' }], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } }
}
const anthropicJson = (say: readonly string[] | string) => {
  const content = typeof say === 'string' ? [{ type: 'text', text: say }] : [{ type: 'thinking', thinking: 'Hm.', signature: 'c2lnbmVk' }, ...say.map((city, at) => ({ type: 'tool_use', id: `toolu_${city}${at}`, name: 'weather', input: { city } }))]
  return { id: 'msg_1', type: 'message', role: 'assistant', model: 'm-1', content, stop_reason: typeof say === 'string' ? 'end_turn' : 'tool_use', stop_sequence: null, usage: { input_tokens: 10, output_tokens: 5 } }
}

function openaiFrames(say: readonly string[] | string): string {
  const { choices: [choice], usage, ...head } = openaiJson(say)
  const { tool_calls, ...message } = choice?.message ?? { role: '', content: '' }
  const chunk = (delta: object, finish: string | null = null) => `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const calls = (tool_calls ?? []).map((call, index) => chunk({ tool_calls: [{ index, ...call }] }))
  return [chunk(message), ...calls, chunk({}, choice?.finish_reason), `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })}\n\n`, 'data: [DONE]\n\n'].join('')
}

function anthropicFrames(say: readonly string[] | string): string {
  const { content, stop_reason, usage, ...message } = anthropicJson(say)
  const frame = (type: string, fields: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
  const blocks = content.flatMap((block, index) => {
    const [start, deltas] = 'text' in block ? [{ ...block, text: '' }, [{ type: 'text_delta', text: block.text }]] : 'input' in block ? [{ ...block, input: {} }, [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input) }]] : [{ ...block, thinking: '', signature: '' }, [{ type: 'thinking_delta', thinking: block.thinking }, { type: 'signature_delta', signature: block.signature }]]
    return [frame('content_block_start', { index, content_block: start }), ...deltas.map(delta => frame('content_block_delta', { index, delta })), frame('content_block_stop', { index })]
  })
  return [frame('message_start', { message: { ...message, content: [], stop_reason: null, usage } }), ...blocks, frame('message_delta', { delta: { stop_reason, stop_sequence: null }, usage }), frame('message_stop', {})].join('')
}

const gateways: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close()
})

/** A server of a dialect that says one thing after the other, and what it was asked. */
async function server(dialect: Dialect, says: readonly Say[]): Promise<RawServer & { readonly asked: Body[] }> {
  const asked: Body[] = []
  const raw = await rawServer((res, text) => {
    const body = JSON.parse(text) as Body
    asked.push(body)
    const say = says[Math.min(asked.length, says.length) - 1] ?? ''
    if (say === SILENCE) return
    if (typeof say === 'number') return void res.writeHead(say, { 'content-type': 'application/json' }).end('{"error":{"type":"server_error","message":"no"}}')
    if (body.stream !== true) return void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify((dialect === 'openai' ? openaiJson : anthropicJson)(say)))
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end((dialect === 'openai' ? openaiFrames : anthropicFrames)(say))
  })
  return Object.assign(raw, { asked })
}

async function scene(...given: readonly (readonly [Dialect, readonly Say[]])[]) {
  const servers = await Promise.all(given.map(([dialect, says]) => server(dialect, says)))
  const clock = countedClock()
  const records: CallRecord[] = []
  const deployments: Deployment[] = servers.map(({ baseUrl }, at) => (given[at]?.[0] === 'anthropic' ? anthropic : openai)(`m-${at}`, { id: `d${at}`, apiKey: 'key-of-a-test', baseUrl, price: { input: 1, output: 1 } }))
  const gateway = new Gateway({ clock, retry: { attempts: 1 }, plugins: [{ name: 'witness', observe: record => void records.push(record) }], routes: { smart: fallback(...deployments) } })
  gateways.push(gateway)
  const nothingLeft = async (signals: readonly AbortSignal[] = []) => {
    await expectNothingLeft({ gateway, clock, signals })
    await until(() => servers.every(({ openSockets, openRequests }) => openSockets + openRequests === 0))
  }
  return { gateway, servers, records, nothingLeft }
}

const weather: Tool = weatherBy(input => `21 degrees in ${(input as { city: string }).city}`)
const ASK = { model: 'smart', messages: 'Where is it warmer?', maxOutputTokens: 100, tools: [weather] } as const
const DIALECTS: readonly Dialect[] = ['openai', 'anthropic']

describe('a run over real sockets', () => {
  it.each(DIALECTS.flatMap(dialect => ['run', 'stream'].map(form => [dialect, form] as const)))('of %s as a %s sends the tools without what they run, and a result for each call', async (dialect, form) => {
    const at = await scene([dialect, [['Rome', 'Oslo'], 'In Rome.']])
    const run = form === 'run' ? await at.gateway.runTools(ASK) : await (await at.gateway.streamTools(ASK)).result()
    expect([run.text, run.steps.length, run.stopped, run.cost.nanos]).toEqual(['In Rome.', 2, 'done', 30_000])
    const [first, second] = at.servers[0]?.asked ?? []
    expect(JSON.stringify(first?.tools)).toContain(JSON.stringify(schema))
    expect(JSON.stringify(first)).not.toContain('execute')
    const text = JSON.stringify(second?.messages)
    expect([text.indexOf('21 degrees in Rome') > 0, text.indexOf('21 degrees in Rome') < text.indexOf('21 degrees in Oslo')]).toEqual([true, true])
    if (dialect === 'anthropic') expect(text).toContain('"signature":"c2lnbmVk"')
    await at.nothingLeft()
  })

  it.each(['run', 'stream'])('that moves from OpenAI to Anthropic in the middle (%s) takes a whole conversation along', async form => {
    const at = await scene(['openai', [['Rome', 'Oslo'], 500]], ['anthropic', [['Bern'], 'In Rome.']])
    const run = form === 'run' ? await at.gateway.runTools(ASK) : await (await at.gateway.streamTools(ASK)).result()
    expect(run.steps.map(({ deployment }) => deployment)).toEqual(['d0', 'd1', 'd1'])
    const [, asks, results] = (at.servers[1]?.asked[0]?.messages ?? []) as readonly { content: readonly { type: string; id?: string; tool_use_id?: string }[] }[]
    const made = asks?.content.filter(({ type }) => type === 'tool_use').map(({ id }) => id)
    expect(results?.content.map(({ type }) => type)).toEqual(['tool_result', 'tool_result'])
    expect(results?.content.map(({ tool_use_id }) => tool_use_id)).toEqual(made)
    for (const id of made ?? []) expect(id).toMatch(/^[a-zA-Z0-9_-]+$/)
    await at.nothingLeft()
  })

  it.each(['run', 'stream'])('that moves from Anthropic to OpenAI in the middle (%s) leaves the signatures behind', async form => {
    const at = await scene(['anthropic', [['Rome'], 529]], ['openai', ['In Rome.']])
    const run = form === 'run' ? await at.gateway.runTools(ASK) : await (await at.gateway.streamTools(ASK)).result()
    expect(run.steps.map(({ deployment }) => deployment)).toEqual(['d0', 'd1'])
    const body = at.servers[1]?.asked[0]
    expect(body?.messages.slice(1)).toMatchObject([{ role: 'assistant', tool_calls: [{ id: 'toolu_Rome0' }] }, { role: 'tool', tool_call_id: 'toolu_Rome0', content: '21 degrees in Rome' }])
    expect(JSON.stringify(body)).not.toContain('c2lnbmVk')
    await at.nothingLeft()
  })

  it.each(DIALECTS)('that is aborted while %s is silent in a later step closes the socket', async dialect => {
    const at = await scene([dialect, [['Rome'], SILENCE]])
    const caller = new AbortController()
    const running = thrown(() => at.gateway.runTools(ASK, { signal: caller.signal }))
    await until(() => at.servers[0]?.asked.length === 2)
    caller.abort()
    expect((await running).code).toBe('aborted')
    expect(at.records.map(({ outcome }) => outcome)).toEqual(['success', 'aborted'])
    await at.nothingLeft([caller.signal])
  })

  it.each(DIALECTS)('of %s that is left in the middle of a stream closes the socket', async dialect => {
    const at = await scene([dialect, [['Rome'], 'In Rome it is warm.']])
    for await (const event of await at.gateway.streamTools(ASK)) if (event.type === 'text-delta') break
    await at.nothingLeft()
  })
})
