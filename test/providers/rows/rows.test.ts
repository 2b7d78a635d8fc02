import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compatible, Gateway, GatewayError, presets, type ChatRequest, type ChatResult, type Message, type Preset, type ToolChoice } from 'sallyport'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import { SERVERS } from '../../../src/providers/openai/quirk-presets.js'
import { WAYS, wayOf } from './vendors.js'
import { COUNTED, type Way } from './ways.js'
import { Wire, type Arrived } from './wire.js'

const ROW = new Map(Object.entries(SERVERS).flatMap(([row, ids]) => ids.split(' ').map(id => [id, row] as const)))
const rowOf = (id: string) => ROW.get(id) ?? 'plain'
const VARIABLES = [...new Set(presets.flatMap(preset => preset.env))]
const keyIn = (variable: string) => `key-in-${variable}`
// Not the name of any family of models.
const MODEL = 'their-model'
const SETTING = 'https://own.example'

const TOOL = { name: 'weather', inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }, strict: true } as const
const OUTPUT = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'], additionalProperties: false } as const
const OPENING: Message[] = [{ role: 'developer', content: 'Be brief.' }, { role: 'user', content: 'Hello.' }, { role: 'user', content: 'Is it warm?' }]
const SAMPLING = { maxOutputTokens: 64, seed: 7, topK: 5, topP: 0.9, temperature: 0.5, frequencyPenalty: 0.25, presencePenalty: 0.25, logprobs: true, stop: ['END'] } as const
const SAMPLED = { seed: 7, top_k: 5, top_p: 0.9, temperature: 0.5, frequency_penalty: 0.25, presence_penalty: 0.25, logprobs: true, stop: ['END'] } as const

let wire: Wire
const before = new Map<string, string | undefined>()

beforeAll(async () => {
  wire = await Wire.start()
  for (const name of VARIABLES) {
    before.set(name, process.env[name])
    process.env[name] = keyIn(name)
  }
})
afterAll(async () => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  await wire.stop()
})

/** The settings of an address, each with a value of its own. */
function settingsOf({ baseUrl }: Preset): Record<string, string> | undefined {
  const names = [...baseUrl.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  return names.length === 0 ? undefined : Object.fromEntries(names.map(name => [name, name === 'base_url' ? SETTING : `own-${name}`]))
}
function addressOf(preset: Preset): URL {
  return new URL(preset.baseUrl.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'base_url' ? SETTING : `own-${name}`)))
}
function gatewayTo(preset: Preset, options: Record<string, unknown> = {}, agent: object | undefined = wire.agent): Gateway {
  const settings = settingsOf(preset)
  const deployment = compatible(preset.id, MODEL, { ...(settings !== undefined && options['baseUrl'] === undefined && { settings }), ...options } as never)
  return new Gateway({ routes: { row: deployment }, retry: { attempts: 1, maxAttempts: 1 }, ...(agent !== undefined && { agent }) })
}
async function faultOf(run: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await run.then(() => undefined, (reason: unknown) => reason)
  if (GatewayError.is(error)) return error
  throw new Error('It did not fail with an error of ours.')
}
function only(): Arrived {
  expect(wire.arrived).toHaveLength(1)
  return wire.arrived[0] as Arrived
}

function checkAddress(preset: Preset, { method, host, path, headers }: Arrived): void {
  const home = addressOf(preset)
  expect([method, host, path]).toEqual(['POST', home.host, `${home.pathname.replace(/\/$/, '')}/chat/completions`])
  const [header, prefix] = wayOf(rowOf(preset.id)).key
  const [variable] = preset.env
  expect(headers[header]).toBe(variable === undefined ? undefined : `${prefix}${keyIn(variable)}`)
  // No key but its own, and that one only where it belongs.
  const said = Object.entries(headers).filter(([, value]) => String(value).includes('key-in-'))
  expect(said.map(([name]) => name)).toEqual(variable === undefined ? [] : [header])
}

function without(fields: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}

async function chatIsUnderstood(gateway: Gateway, preset: Preset, way: Way): Promise<ChatResult> {
  wire.play(way.chat)
  const tools = way.tools ? { tools: [TOOL], toolChoice: 'required' as ToolChoice } : {}
  const asked: Omit<ChatRequest, 'model'> = { messages: OPENING, ...SAMPLING, ...tools, reasoning: { effort: 'high' } }
  const result = await gateway.chat({ model: 'row', ...asked })
  const { body, ...rest } = only()
  checkAddress(preset, { body, ...rest })
  const users = way.joined ? [{ role: 'user', content: 'Hello.\n\nIs it warm?' }] : [{ role: 'user', content: 'Hello.' }, { role: 'user', content: 'Is it warm?' }]
  const sentTools = [{ type: 'function', function: { name: 'weather', parameters: TOOL.inputSchema, ...(way.strict && { strict: true }) } }]
  expect(body).toEqual({
    model: MODEL, messages: [{ role: way.developer, content: 'Be brief.' }, ...users], [way.maxTokens]: 64, ...without(SAMPLED, way.never), ...way.reasoning, ...way.extra,
    ...(way.streamsToReason && { stream: true, stream_options: { include_usage: true } }),
    ...(way.tools && { tools: sentTools, ...(way.required !== undefined && { tool_choice: way.required }) }),
  })
  expect([result.usage, result.reasoning]).toEqual([way.chatUsage, way.shows])
  if (way.tools) expect([result.finishReason, result.toolCalls.map(call => [call.name, call.input, call.id !== ''])]).toEqual(['tool-calls', [['weather', { city: 'Rome' }, true]]])
  else expect([result.finishReason, result.text]).toEqual(['stop', 'Yes.'])
  return result
}

async function streamIsUnderstood(gateway: Gateway, way: Way): Promise<void> {
  wire.play(way.stream)
  const stream = await gateway.stream({ model: 'row', messages: 'Hello.', output: OUTPUT, reasoning: { effort: 'none' } })
  const whole = await stream.result()
  const { body } = only()
  expect(body['stream']).toBe(true)
  expect(body['stream_options']).toEqual(way.streamUsage ? { include_usage: true } : undefined)
  expect(body).toMatchObject(way.off)
  expect(body['response_format']).toEqual(way.format === 'json_object' ? { type: 'json_object' } : { type: 'json_schema', json_schema: { name: 'output', schema: OUTPUT, ...(way.strict && { strict: true }) } })
  if (way.format === 'json_object') expect(JSON.stringify(body['messages'])).toMatch(/JSON.*boolean/)
  expect([whole.output, whole.usage, whole.finishReason, whole.rawFinishReason]).toEqual([{ ok: true }, way.streamUsageIs, ...way.streamFinish])
}

async function errorIsUnderstood(gateway: Gateway, { message, toolCalls }: ChatResult, way: Way): Promise<void> {
  wire.play(way.error)
  const turn: Message[] = way.tools ? [message, { role: 'tool', toolCallId: toolCalls[0]?.id ?? '', content: 'warm' }] : [message, { role: 'user', content: 'Sure?' }]
  const fault = await faultOf(gateway.chat({ model: 'row', messages: [...OPENING, ...turn], ...(way.tools && { tools: [TOOL] }) }))
  expect([fault.code, fault.origin]).toEqual([way.code, 'upstream'])
  const answered = only().body['messages'] as Record<string, unknown>[]
  const said = answered.find(({ role }) => role === 'assistant') ?? {}
  const field = way.tools ? way.replay.calls : way.replay.plain
  expect(['reasoning_content', 'reasoning', 'reasoning_details'].filter(name => name in said)).toEqual(field === undefined ? [] : [field])
}

describe('every server known by name, over a socket and with its own address', () => {
  it.each(presets.map(preset => [preset.id, preset] as const))('%s is asked in its own words, and its answer, stream and error are understood', async (id, preset) => {
    const way = wayOf(rowOf(id))
    const gateway = gatewayTo(preset)
    const result = await chatIsUnderstood(gateway, preset, way)
    await streamIsUnderstood(gateway, way)
    await errorIsUnderstood(gateway, result, way)
    await gateway.close()
  })

  it.each(presets.map(preset => [preset.id, preset] as const))('%s at another address is never sent the key of the environment', async (id, preset) => {
    const way = wayOf(rowOf(id))
    const baseUrl = `${wire.origin}${addressOf(preset).pathname.replace(/\/$/, '')}`
    const own = gatewayTo(preset, { baseUrl }, undefined)
    wire.play(way.chat)
    if (preset.keyless) {
      await own.chat({ model: 'row', messages: 'Hello.', reasoning: { effort: 'high' } })
      expect(JSON.stringify(only().headers)).not.toContain('key-in-')
    } else {
      expect(await faultOf(own.chat({ model: 'row', messages: 'Hello.' }))).toMatchObject({ code: 'no_candidates' })
      expect(wire.arrived).toEqual([])
    }
    await own.close()
    const given = gatewayTo(preset, { baseUrl, apiKey: 'given' }, undefined)
    wire.play(way.chat)
    const { usage } = await given.chat({ model: 'row', messages: 'Hello.', reasoning: { effort: 'high' } })
    expect(only()).toMatchObject({ path: `${new URL(baseUrl).pathname.replace(/\/$/, '')}/chat/completions`, headers: { [way.key[0]]: `${way.key[1]}given` } })
    expect(usage).toMatchObject({ inputTokens: COUNTED.inputTokens ?? 0 })
    await given.close()
  })

  it('is held against words of its own wherever its row differs', () => {
    expect(Object.keys(WAYS).filter(row => !Object.hasOwn(QUIRKS, row))).toEqual([])
    const same = Object.keys(SERVERS).filter(row => !Object.hasOwn(WAYS, row))
    // These take all we say here; what they do not take is held in encode.test.ts.
    expect(same).toEqual(['five', 'four', 'agent', 'text', 'requesty'].sort((a, b) => Object.keys(SERVERS).indexOf(a) - Object.keys(SERVERS).indexOf(b)))
  })
})
