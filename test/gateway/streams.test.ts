import { describe, expect, it } from 'vitest'
import { startProvider } from '../../scripts/loopback/index.js'
import { fallback, Gateway, openai, type ChatEvent, type ChatStream, type ResponseFormat } from '../../src/index.js'
import type { DecodeContext } from '../../src/protocol/ports.js'
import { openaiAdapter } from '../../src/providers/openai/adapter.js'
import { collect, scripted, virtualClock, type Script } from '../../src/testing/index.js'
import { until } from '../compositions/support.js'
import { all, thrown, typesOf, witness } from './support.js'

const ASK = { model: 'smart', messages: 'Hi' } as const
const CHUNKS = { chunks: ['Grüße, ', '你', ' 🎉\n', '\n"data: x"'], usage: { inputTokens: 7, outputTokens: 4, cachedInputTokens: 2, reasoningTokens: 1 } }
const TEXT = CHUNKS.chunks.join('')
const TOOL: Script = { reasoning: 'I must look.', text: 'Let me see.', toolCalls: [{ name: 'weather', input: { city: 'Rome' } }, { name: 'clock', input: {} }] }

function scene(answer: Script | readonly Script[] = CHUNKS, recover: 'error' | 'restart' | 'continue' = 'error') {
  const deployment = scripted({ id: 'd', price: { input: 1, output: 1 }, answers: Array.isArray(answer) ? [...(answer as readonly Script[])] : (answer as Script) })
  const plugin = witness()
  const clock = virtualClock()
  const gateway = new Gateway({ routes: { smart: fallback(deployment, scripted({ id: 'spare', answers: 'spare' })) }, plugins: [plugin], clock, recover, retry: { attempts: 1 } })
  return { deployment, plugin, clock, gateway, stream: () => gateway.stream(ASK), nothingLeft: () => expect([deployment.open, clock.pending, gateway.health().calls]).toEqual([0, 0, 0]) }
}

/** The events of a body of server-sent events, as `[event, data]`. */
async function frames(response: Response): Promise<readonly (readonly [string | undefined, string])[]> {
  const text = await response.text()
  return text.split('\n\n').filter(block => block !== '').map(block => {
    const lines = block.split('\n')
    const field = (name: string) => lines.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2)
    return [field('event'), field('data') ?? ''] as const
  })
}

/** What the decoder of that dialect makes of our own chunks. */
async function decoded(response: Response): Promise<readonly ChatEvent[]> {
  const context: DecodeContext = { request: { messages: [] }, target: { provider: 'p', model: 'm', baseUrl: 'https://a.example', capabilities: {} }, wire: 'stream', status: 200, headers: {} }
  const decoder = openaiAdapter().decode(context)
  const events = (await frames(response)).flatMap(([, data]) => (decoder.done ? [] : decoder.frame({ data })))
  return [...events, ...decoder.end()]
}

describe('a stream', () => {
  it('can be read as events, as text, or as a whole: the same answer', async () => {
    const { stream, nothingLeft, plugin } = scene()
    const events = await all(await stream())
    const text = await all((await stream()).textStream)
    const result = await (await stream()).result()
    expect([collect(events).text, text.join(''), result.text]).toEqual([TEXT, TEXT, TEXT])
    expect(typesOf(events).at(-1)).toBe('finish')
    expect(text).toEqual(CHUNKS.chunks)
    expect(plugin.records.map(({ outcome }) => outcome)).toEqual(['success', 'success', 'success'])
    nothingLeft()
  })

  it('is there at its first content, before the rest has come', async () => {
    const { stream, clock, deployment } = scene({ chunks: ['a', 'b'], chunkMs: 1_000 })
    const open = await stream()
    expect([deployment.open, clock.now() - Date.UTC(2026, 0, 1)]).toEqual([1, 0])
    const rest = open.result()
    await clock.runUntilIdle()
    expect((await rest).timings).toMatchObject({ firstEventMs: 0, totalMs: 1_000 })
  })

  it.each<[string, (stream: ChatStream) => unknown]>([
    ['events', stream => stream[Symbol.asyncIterator]()],
    ['text', stream => stream.textStream[Symbol.asyncIterator]()],
    ['a response', stream => stream.toResponse()],
    ['result()', stream => stream.result()],
  ])('that is read as %s has no second reader', async (_what, take) => {
    const { stream } = scene()
    const open = await stream()
    take(open)
    for (const second of [() => open[Symbol.asyncIterator](), () => open.textStream[Symbol.asyncIterator](), () => open.toResponse({ format: 'text' })]) {
      expect(await thrown(second)).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('is being read by') as string })
    }
  })

  it('looking at textStream takes nothing: only reading does', async () => {
    const open = await scene().stream()
    void open.textStream
    expect((await open.result()).text).toBe(TEXT)
  })

  it('result() gives the same again, and the same error again', async () => {
    const { stream } = scene([CHUNKS, { ...CHUNKS, fail: 'cut', failAfter: 2 }])
    const open = await stream()
    expect(await open.result()).toMatchObject({ text: (await open.result()).text })
    const cut = await stream()
    const [one, two] = [await thrown(() => cut.result()), await thrown(() => cut.result())]
    expect([one.code, one.partial?.text, two.code]).toEqual(['malformed_response', CHUNKS.chunks.slice(0, 2).join(''), 'malformed_response'])
  })

  it('leaving a block closes it, and does not spoil one that has ended', async () => {
    const { stream, nothingLeft, plugin } = scene()
    const left = await stream()
    await left[Symbol.asyncDispose]()
    nothingLeft()
    const read = await stream()
    await read.result()
    await read[Symbol.asyncDispose]()
    expect((await read.result()).text).toBe(TEXT)
    expect(plugin.records.map(({ outcome }) => outcome)).toEqual(['aborted', 'success'])
  })

  it('a reader that leaves with the finish in hand has the whole answer: that is no abort', async () => {
    const { stream, plugin, nothingLeft } = scene()
    const open = await stream()
    for await (const event of open) if (event.type === 'finish') break
    expect(plugin.records).toMatchObject([{ outcome: 'success', finishReason: 'stop' }])
    expect((await open.result()).text).toBe(TEXT)
    nothingLeft()
  })

  it('that was read up to its finish is over, though nobody asks again', async () => {
    const { stream, plugin, nothingLeft } = scene()
    const reader = (await stream())[Symbol.asyncIterator]()
    for (let next = await reader.next(); next.done !== true && next.value.type !== 'finish'; next = await reader.next());
    expect(plugin.records).toMatchObject([{ outcome: 'success' }])
    nothingLeft()
  })
})

describe('toResponse', () => {
  it.each<[ResponseFormat, string]>([['events', 'text/event-stream'], ['openai', 'text/event-stream'], ['text', 'text/plain']])('as %s says what it is and is not buffered on its way', async (format, type) => {
    const response = (await scene().stream()).toResponse({ format })
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control'), response.headers.get('x-accel-buffering')]).toEqual([200, `${type}; charset=utf-8`, 'no-cache', 'no'])
    await response.body?.cancel()
  })

  it('as text is the text, byte for byte', async () => {
    expect(await (await scene().stream()).toResponse({ format: 'text' }).text()).toBe(TEXT)
  })

  it('as events is our events, each named', async () => {
    const { stream } = scene(TOOL)
    const plain = await all(await stream())
    const seen = await frames((await stream()).toResponse())
    const start = (event: ChatEvent) => (event.type === 'start' || event.type.startsWith('tool-call') ? { ...event, id: '' } : event)
    expect(seen.map(([, data]) => start(JSON.parse(data) as ChatEvent))).toEqual(plain.map(start))
    expect(seen.map(([event]) => event)).toEqual(typesOf(plain))
  })

  it.each<[string, Script]>([
    ['text', CHUNKS],
    ['tool calls and reasoning', TOOL],
    ['an answer that was cut by its length', { text: 'a b', finishReason: 'length' }],
  ])('as openai is what that dialect reads as the same answer: %s', async (_what, script) => {
    const { stream } = scene(script)
    const ours = collect(await all(await stream()))
    const theirs = collect(await decoded((await stream()).toResponse({ format: 'openai' })))
    expect([theirs.text, theirs.reasoning, theirs.finish?.finishReason, theirs.warnings]).toEqual([ours.text, ours.reasoning, ours.finish?.finishReason, []])
    expect(theirs.toolCalls.map(({ name, arguments: text }) => [name, text])).toEqual(ours.toolCalls.map(({ name, arguments: text }) => [name, text]))
    expect(theirs.finish?.usage).toMatchObject({ inputTokens: ours.finish?.usage.inputTokens, outputTokens: ours.finish?.usage.outputTokens })
  })

  it('as openai has a role first, a finish reason once, usage, and the terminal', async () => {
    const seen = (await frames((await scene().stream()).toResponse({ format: 'openai' }))).map(([, data]) => data)
    expect(seen.pop()).toBe('[DONE]')
    const chunks = seen.map(data => JSON.parse(data) as { id: string; object: string; choices: { delta: { role?: string }; finish_reason: string | null }[]; usage?: object })
    expect(new Set(chunks.map(({ id, object }) => `${id.slice(0, 5)} ${object}`))).toEqual(new Set(['call_ chat.completion.chunk']))
    expect(chunks.map(({ choices }) => choices[0]?.delta.role)).toEqual(['assistant', ...chunks.slice(1).map(() => undefined)])
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['stop'])
    expect(chunks.at(-1)?.usage).toEqual({ prompt_tokens: 7, completion_tokens: 4, total_tokens: 11, prompt_tokens_details: { cached_tokens: 2 }, completion_tokens_details: { reasoning_tokens: 1 } })
  })

  it('as openai gives the arguments of a call that came without pieces', async () => {
    const whole = { name: 'whole', open: () => ({ event: (event: ChatEvent) => (event.type === 'tool-call-delta' ? undefined : event) }) }
    const gateway = new Gateway({ routes: { smart: scripted({ answers: { toolCalls: [{ name: 'weather', input: { city: 'Rome' } }] } }) }, plugins: [whole] })
    const { toolCalls } = collect(await decoded((await gateway.stream(ASK)).toResponse({ format: 'openai' })))
    expect(toolCalls).toMatchObject([{ name: 'weather', input: { city: 'Rome' } }])
  })

  it('tells a remote reader that it failed, and what, but not who was asked', async () => {
    const cut = { ...CHUNKS, fail: 'cut', failAfter: 1 } as const
    const events = await frames((await scene(cut).stream()).toResponse())
    expect(events.at(-1)?.[0]).toBe('error')
    expect(JSON.parse(events.at(-1)?.[1] ?? '')).toEqual({ type: 'error', error: { code: 'malformed_response', message: expect.any(String) as string } })
    const chunks = await frames((await scene(cut).stream()).toResponse({ format: 'openai' }))
    expect(chunks.at(-1)?.[1]).toContain('"error":{"code":"malformed_response"')
    expect(chunks.map(([, data]) => data)).not.toContain('[DONE]')
    await expect((await scene(cut).stream()).toResponse({ format: 'text' }).text()).rejects.toMatchObject({ code: 'malformed_response' })
  })

  it('a reader of events is told of a restart', async () => {
    const { stream } = scene({ ...CHUNKS, fail: 'cut', failAfter: 1 }, 'restart')
    expect((await frames((await stream()).toResponse())).map(([event]) => event)).toEqual(['start', 'text-delta', 'restart', 'start', 'text-delta', 'finish'])
  })

  it('in a format that does not exist takes nothing from the stream', async () => {
    const open = await scene().stream()
    expect(await thrown(() => open.toResponse({ format: 'sse' as never }))).toMatchObject({ code: 'invalid_request', message: expect.stringContaining("'events', 'openai' or 'text'") as string })
    expect((await open.result()).text).toBe(TEXT)
  })

  it('a reader that cancels the body closes the upstream', async () => {
    const { stream, deployment, plugin, nothingLeft } = scene()
    const reader = (await stream()).toResponse().body?.getReader()
    await reader?.read()
    await reader?.cancel()
    nothingLeft()
    expect(deployment.calls[0]).toMatchObject({ aborted: true, closed: true })
    expect(plugin.records).toMatchObject([{ outcome: 'aborted' }])
  })

  it('a reader that cancels the body closes the socket', async () => {
    const server = await startProvider({ dialect: 'openai', paceMs: 20 })
    const gateway = new Gateway({ routes: { smart: openai('gpt-4.1', { apiKey: 'k', baseUrl: server.baseUrl }) } })
    const reader = (await gateway.stream(ASK)).toResponse({ format: 'text' }).body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await until(() => server.openRequests === 0)
    expect([server.closedByClient, gateway.health().calls]).toEqual([1, 0])
    await gateway.close()
    await server.stop()
  })
})

it('a result that is asked for after the loop was left says what had arrived and who was asked', async () => {
  const gateway = new Gateway({ routes: { smart: scripted({ id: 'a', answers: { chunks: ['one ', 'two ', 'three'] } }) } })
  const stream = await gateway.stream({ model: 'smart', messages: 'Hi' })
  for await (const event of stream) if (event.type === 'text-delta') break
  const error: unknown = await stream.result().catch((fault: unknown) => fault)
  expect(error).toMatchObject({ code: 'aborted', partial: { text: 'one ' }, attempts: [{ deployment: 'a', outcome: 'aborted' }] })
})
