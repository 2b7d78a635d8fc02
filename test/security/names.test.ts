import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Gateway, type GatewayOptions, type Json, type JsonObject } from 'sallyport'
import { tool } from '../../src/index.js'
import * as answers from '../conversations/answers.js'
import { VENDORS } from '../conversations/vendors.js'
import { collect } from '../../src/protocol/collect.js'
import { GatewayError } from '../../src/protocol/errors.js'
import { KEY, OWN } from './deployments.js'
import { json, Played, TYPE } from './server.js'

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'] as const
const own = <T>(name: string, value: T): Record<string, T> => JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`) as Record<string, T>
const shape = (): string => JSON.stringify([Object, Array, Function, Map, Promise, String, Error].map(of => Reflect.ownKeys(of.prototype).map(String)))

let home: Played
let before: string
beforeAll(async () => void (home = await Played.start()))
afterAll(() => home.stop())
beforeEach(() => void (before = shape()))
afterEach(() => {
  expect(shape()).toBe(before)
  expect(['polluted', 'text', 'content', 'id', 'index', 'type', 'usage'].filter(name => name in {})).toEqual([])
})

describe.each(NAMES)('the name %s', name => {
  const polluted = own(name, { polluted: true, text: 'polluted', type: 'text' })

  it.each(VENDORS.map(vendor => [vendor.name, vendor] as const))('as a tool, its id and its input, in an answer of %s, is one like any other', (_name, { adapter, target, answer, signature }) => {
    const decoder = adapter.decode({ request: { messages: [{ role: 'user', content: 'Hi' }], tools: [{ name, inputSchema: { type: 'object' } }] }, target, wire: 'json', status: 200, headers: {} })
    const { toolCalls, finish } = collect(decoder.json(answer({ text: 'x', calls: [{ id: name, name, input: polluted }] }, signature)))
    expect([toolCalls[0]?.name, Object.keys(toolCalls[0]?.input as object), finish?.finishReason]).toEqual([name, [name], 'tool-calls'])
  })

  it.each(OWN.map(row => [row.name, row] as const))('anywhere in bodies, errors, streams, metadata and headers of %s changes nothing', async (_name, row) => {
    const gateway = new Gateway({ routes: { smart: row.make(home.url, KEY, { headers: own(`${name}-fixed`, '1') }) }, retry: { attempts: 1 } } as GatewayOptions)
    const ask = (): Promise<unknown> =>
      gateway.chat(
        { model: 'smart', messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'tool-call', id: name, name, input: polluted }] }, { role: 'tool', toolCallId: name, content: 'ok' }], tools: [{ name, inputSchema: { type: 'object', properties: own<JsonObject>(name, { type: 'string' }) } }], providerOptions: own<JsonObject>(name, { polluted: true }) } as never,
        { metadata: own<Json>(name, { polluted: true }), headers: own(name, 'v') },
      )
    // A body as it is, one whose every key is the name, and one that says it is an error.
    const whole = row.answer('Hello') as Record<string, unknown>
    const bodies: unknown[] = [{ ...whole, ...polluted }, Object.fromEntries(Object.keys(whole).map(key => [key, polluted])), { error: polluted, message: polluted }]
    for (const body of bodies) {
      home.reply = (_, response) => json(response, 200, body)
      await ask().catch((error: unknown) => expect(GatewayError.is(error)).toBe(true))
      home.reply = (_, response) => json(response, 400, body)
      await ask().catch((error: unknown) => expect(GatewayError.is(error)).toBe(true))
    }
    home.reply = (_, response) => {
      response.writeHead(200, { 'content-type': TYPE[row.stream] }).write(row.opening(name))
      response.end(row.stream === 'frames' ? row.more(name) : row.stream === 'lines' ? `${JSON.stringify(polluted)}\n` : `event: ${name}\ndata: ${JSON.stringify({ ...polluted, type: name, index: name, id: name })}\n\n`)
    }
    const stream = await gateway.stream({ model: 'smart', messages: 'Hi' } as never).catch((error: unknown) => expect(GatewayError.is(error)).toBe(true))
    if (stream !== undefined) await (stream as { result(): Promise<unknown> }).result().catch((error: unknown) => expect(GatewayError.is(error)).toBe(true))
    await gateway.close()
  })

  it('as a tool that is run is found by nothing but its own name', async () => {
    let ran = 0
    home.reply = (_, response) => json(response, 200, answers.openaiChat(home.arrived.length % 2 === 1 ? { calls: [{ id: name, name, input: {} }] } : { text: 'done' }, ''))
    home.arrived.length = 0
    const [openai] = OWN
    const gateway = new Gateway({ routes: { smart: openai?.make(home.url, KEY) } } as GatewayOptions)
    const other = tool({ name: 'other', inputSchema: { type: 'object' }, execute: () => ran++ })
    await gateway.runTools({ model: 'smart', messages: 'Hi', tools: [other] } as never).catch((error: unknown) => expect(GatewayError.is(error)).toBe(true))
    expect(ran).toBe(0)
    await gateway.close()
  })
})

it.each(['constructor', '__proto__', 'prototype'])('an option with the name %s is an unknown one', name => {
  for (const options of [own(name, {}), { retry: own(name, 1) }, { cache: own(name, 1) }, { deadlines: own(name, 1) }]) {
    // What only inherits from Object has no such option; an own one is refused by name.
    expect(() => new Gateway({ routes: { smart: OWN[0]?.make(home.url, KEY) }, ...options, ...(name in options ? own(name, {}) : {}) } as never)).toThrow(GatewayError)
  }
})
