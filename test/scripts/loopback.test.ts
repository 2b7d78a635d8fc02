import { Agent } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { startProvider, type Fault } from '../../scripts/loopback/index.js'
import { bodyOf, DIALECTS, eventsOf, jsonText, KEY, send, start, stopAll, TEXT, textOf, until, type Dialect } from './client.js'

afterEach(stopAll)

describe('the wires', () => {
  it('OpenAI streams role, words, finish, usage, [DONE], each in its shape', async () => {
    const provider = await start({ dialect: 'openai' })
    const { status, headers, body } = await send(provider, 'openai', bodyOf('openai', true))
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect(headers['x-request-id']).toBeTruthy()
    const events = eventsOf(body)
    expect(events.at(-1)).toBe('[DONE]')
    const chunks = events.slice(0, -1) as { id: string; model: string; usage: object | null; choices: { delta: object; finish_reason: string | null }[] }[]
    expect(new Set(chunks.map(chunk => chunk.id)).size).toBe(1)
    expect(chunks.map(chunk => chunk.choices[0]?.finish_reason)).toEqual([...Array.from({ length: 7 }, () => null), 'stop', undefined])
    expect(chunks[0]).toMatchObject({ object: 'chat.completion.chunk', model: 'm-1', usage: null, choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] })
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 2, completion_tokens: 6, total_tokens: 8 } })
    expect(textOf('openai', body)).toBe(TEXT)
  })

  it('OpenAI sends no usage chunk unasked', async () => {
    const provider = await start({ dialect: 'openai' })
    const { body } = await send(provider, 'openai', bodyOf('openai', true, { stream_options: undefined }))
    expect(body).not.toContain('"usage"')
  })

  it('Anthropic streams its events in order, each under its name', async () => {
    const provider = await start({ dialect: 'anthropic' })
    const { body } = await send(provider, 'anthropic', bodyOf('anthropic', true))
    const names = body.split('\n').flatMap(line => (line.startsWith('event: ') ? [line.slice(7)] : []))
    const events = eventsOf(body) as { type: string }[]
    expect(names).toEqual(events.map(event => event.type))
    expect(names).toEqual(['message_start', 'content_block_start', 'ping', ...Array.from({ length: 6 }, () => 'content_block_delta'), 'content_block_stop', 'message_delta', 'message_stop'])
    expect(events[0]).toMatchObject({ message: { model: 'm-1', role: 'assistant', content: [], stop_reason: null, usage: { input_tokens: 2 } } })
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 6 } })
    expect(textOf('anthropic', body)).toBe(TEXT)
  })

  it.each(DIALECTS)('%s answers JSON with the same text and usage', async dialect => {
    const provider = await start({ dialect, model: 'fixed' })
    const { status, headers, body } = await send(provider, dialect, bodyOf(dialect, false))
    expect([status, headers['content-type'], jsonText(dialect, body)]).toEqual([200, 'application/json', TEXT])
    expect(JSON.parse(body)).toMatchObject({ model: 'fixed', usage: dialect === 'openai' ? { prompt_tokens: 2, completion_tokens: 6 } : { input_tokens: 2, output_tokens: 6 } })
  })

  it.each(DIALECTS)('%s stops at the token limit and says so', async dialect => {
    const provider = await start({ dialect })
    const { body } = await send(provider, dialect, bodyOf(dialect, true, { max_tokens: 2 }))
    expect(textOf(dialect, body)).toBe('one two')
    expect(body).toContain(dialect === 'openai' ? '"finish_reason":"length"' : '"stop_reason":"max_tokens"')
  })

  it.each(DIALECTS)('%s goes on from a prefilled beginning, and refuses it when told to', async dialect => {
    const provider = await start({ dialect, plan: attempt => (attempt > 1 ? 'refusesPrefill' : undefined) })
    const prefilled = bodyOf(dialect, true, { messages: [{ role: 'user', content: 'Say it.' }, { role: 'assistant', content: 'one two' }] })
    expect(textOf(dialect, (await send(provider, dialect, prefilled)).body)).toBe(' three four five six')
    expect((await send(provider, dialect, prefilled)).status).toBe(400)
    expect(textOf(dialect, (await send(provider, dialect, bodyOf(dialect, true))).body)).toBe(TEXT)
  })

  it.each(DIALECTS)('%s refuses what is no request of its own', async dialect => {
    const provider = await start({ dialect })
    expect((await send(provider, dialect, '{"model":')).status).toBe(400)
    expect((await send(provider, dialect, { model: 'm-1' })).status).toBe(400)
    expect((await send(provider, dialect, bodyOf(dialect, false), { path: '/elsewhere' })).status).toBe(404)
  })

  it.each(DIALECTS)('%s keeps its pace, on both wires', async dialect => {
    const provider = await start({ dialect, paceMs: 20 })
    const streamed = await send(provider, dialect, bodyOf(dialect, true))
    expect(streamed.atMs.length).toBeGreaterThanOrEqual(3)
    expect(streamed.atMs.at(-1)! - streamed.atMs[0]!).toBeGreaterThanOrEqual(60)
    expect((await send(provider, dialect, bodyOf(dialect, false))).atMs[0]).toBeGreaterThanOrEqual(100)
  })

  it('its own answer has sixty words', async () => {
    const provider = await startProvider({ dialect: 'openai', paceMs: 0 })
    expect(jsonText('openai', (await send(provider, 'openai', bodyOf('openai', false))).body).split(' ').length).toBe(60)
    await provider.stop()
  })
})

describe('what the server keeps and leaves behind', () => {
  it.each(DIALECTS)('%s records requests without ever printing a key', async dialect => {
    const seen: unknown[] = []
    const provider = await start({
      dialect,
      plan: (attempt, { headers, path }) => {
        seen.push([attempt, path, JSON.stringify(headers).includes(KEY)])
        return undefined
      },
    })
    await send(provider, dialect, bodyOf(dialect, false))
    const [request] = provider.requests
    expect(request).toMatchObject({ attempt: 1, body: { model: 'm-1' } })
    expect(inspect(provider.requests, { depth: 9 }) + JSON.stringify(provider.requests)).not.toContain(KEY)
    expect(request?.credential?.reveal()).toBe(KEY)
    expect(seen).toEqual([[1, dialect === 'openai' ? '/v1/chat/completions' : '/v1/messages', true]])
  })

  it('counts sockets, keeps them alive between requests, and destroys all at the end', async () => {
    const provider = await start({ dialect: 'openai', plan: attempt => (attempt > 2 ? 'silent' : undefined) })
    const agent = new Agent({ keepAlive: true })
    try {
      await send(provider, 'openai', bodyOf('openai', false), { agent })
      await send(provider, 'openai', bodyOf('openai', true), { agent })
      expect(provider.openSockets).toBe(1)
      const hung = [send(provider, 'openai', bodyOf('openai', true)), send(provider, 'openai', bodyOf('openai', true))]
      await until(() => provider.openRequests === 2)
      expect(provider.openSockets).toBeGreaterThanOrEqual(2)
      await Promise.all([provider.stop(), provider.stop()])
      expect((await Promise.all(hung)).map(reply => reply.error)).toEqual(['ECONNRESET', 'ECONNRESET'])
      expect([provider.openSockets, provider.openRequests, provider.closedByClient]).toEqual([0, 0, 0])
    } finally {
      agent.destroy()
    }
  })

  it('shows an error of the plan where the test stops the server', async () => {
    const provider = await startProvider({
      dialect: 'openai',
      plan: () => {
        throw new Error('a wrong plan')
      },
    })
    expect((await send(provider, 'openai', bodyOf('openai', false))).error).toBe('ECONNRESET')
    await expect(provider.stop()).rejects.toThrow('a wrong plan')
    const unknown = await startProvider({ dialect: 'openai', plan: () => 'explode' as Fault })
    await send(unknown, 'openai', bodyOf('openai', false))
    await expect(unknown.stop()).rejects.toThrow('explode')
    await expect(startProvider({ dialect: 'morse' as Dialect })).rejects.toThrow('speaks')
  })
})
