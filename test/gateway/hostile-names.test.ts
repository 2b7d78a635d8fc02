import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startProvider, type LoopbackProvider } from '../../scripts/loopback/index.js'
import { anthropic, Gateway, openai, type Json, type JsonObject } from '../../src/index.js'
import { scripted } from '../../src/testing/index.js'
import { fakeFetch, thrown, witness } from './support.js'

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'] as const
/** An object whose own key has this name, as a parser of JSON makes it. */
const own = <T>(name: string, value: T): Record<string, T> => Object.defineProperty({}, name, { value, enumerable: true, configurable: true, writable: true }) as Record<string, T>
const shape = () => [Object.prototype, Array.prototype, Function.prototype].map(proto => JSON.stringify(Reflect.ownKeys(proto).map(String)))

let before: readonly string[]
const servers: LoopbackProvider[] = []
beforeEach(() => {
  before = shape()
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
  expect(shape()).toEqual(before)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

describe.each(NAMES)('the name %s is a name like any other', name => {
  it('for a route', async () => {
    const gateway = new Gateway({ routes: own(name, scripted('mine')) })
    expect(gateway.models()).toEqual([name])
    expect((await gateway.chat({ model: name, messages: 'Hi' })).text).toBe('mine')
    const other = new Gateway({ routes: { smart: scripted('x') }, providers: { lab: () => scripted('y') } }) as unknown as Gateway
    for (const model of [name, `${name}/x`]) expect((await thrown(() => other.chat({ model: model as never, messages: 'Hi' }))).code).toBe('model_not_found')
  })

  it('for a provider, and for a model', async () => {
    const gateway = new Gateway({ routes: { '*': model => scripted({ id: `d-${model}`, answers: 'wild' }) }, providers: own(name, (model: string) => scripted({ id: model, answers: 'x' })) }) as unknown as Gateway
    expect((await gateway.chat({ model: name as never, messages: 'Hi' })).deployment).toBe(`d-${name}`)
    expect((await new Gateway({ providers: own(name, () => scripted('x')) }).chat({ model: `${name}/m`, messages: 'Hi' })).text).toBe('x')
  })

  it('for metadata', async () => {
    const seen = witness()
    const gateway = new Gateway({ routes: { smart: scripted('x') }, plugins: [seen] })
    await gateway.chat({ model: 'smart', messages: 'Hi' }, { metadata: own<Json>(name, { polluted: true }) })
    expect(Object.entries(seen.records[0]?.metadata ?? {})).toEqual([[name, { polluted: true }]])
    expect(JSON.stringify(seen.records[0])).toContain(`"${name}":{"polluted":true}`)
  })

  it.each([
    ['openai', openai],
    ['anthropic', anthropic],
  ] as const)('for a tool, a header, a schema and options of a dialect, on the wire of %s', async (dialect, make) => {
    const server = await startProvider({ dialect, paceMs: 0, words: 'Hello' })
    servers.push(server)
    const gateway = new Gateway({ routes: { smart: make('gpt-4.1', { apiKey: 'k', baseUrl: server.baseUrl, headers: own(`${name}-own`, '1') }) } })
    const answer = await gateway.chat(
      {
        model: 'smart',
        messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'tool-call', id: name, name, input: own(name, { polluted: true }) }] }, { role: 'tool', toolCallId: name, content: 'ok' }],
        tools: [{ name, inputSchema: { type: 'object', properties: own<JsonObject>(name, { type: 'string' }) } }],
        providerOptions: own<JsonObject>(name, { polluted: true }),
      },
      { headers: own(name, 'yes') },
    )
    expect(answer.text).toBe('Hello')
    const [sent] = server.requests
    // A server on node:http itself loses a header of the first name; it was sent.
    const arrived = name === '__proto__' ? [] : [[name.toLowerCase(), 'yes']]
    expect(Object.entries(sent?.headers ?? {})).toEqual(expect.arrayContaining([...arrived, [`${name}-own`.toLowerCase(), '1']]))
    expect(JSON.stringify(sent?.body)).toContain(`"properties":{"${name}":{"type":"string"}}`)
    await gateway.close()
  })

  it('in what a model answers', async () => {
    const text = `{"${name}":{"polluted":true}}`
    const { fetch } = fakeFetch({ role: 'assistant', content: text, tool_calls: [{ id: name, type: 'function', function: { name, arguments: text } }] })
    const { toolCalls, message } = await new Gateway({ routes: { smart: openai('m', { apiKey: 'k' }) }, fetch }).chat({ model: 'smart', messages: 'Hi' })
    expect(toolCalls[0]).toMatchObject({ id: name, name, arguments: text })
    expect(Object.keys(toolCalls[0]?.input as object)).toEqual([name])
    expect(JSON.stringify(message)).toContain(name)
    const parsed = await new Gateway({ routes: { smart: scripted(text) } }).chat({ model: 'smart', messages: 'Hi', output: { type: 'object' } })
    expect(Object.keys(parsed.output as object)).toEqual([name])
  })
})
