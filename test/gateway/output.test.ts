import * as z from 'zod'
import { describe, expect, it } from 'vitest'
import { fallback, Gateway, openai, type JsonObject, type Schema, type StandardSchema } from '../../src/index.js'
import { scripted, virtualClock, type Script } from '../../src/testing/index.js'
import { fakeFetch, thrown, witness } from './support.js'

const jsonSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const satisfies JsonObject
const City = z.object({ city: z.string() })
/** A Standard Schema written by hand: it trims what it is given. */
const trimmed: StandardSchema<{ city: string }> = {
  '~standard': {
    version: 1,
    vendor: 'by-hand',
    validate: value => {
      const city = (value as { city?: unknown } | null)?.city
      return typeof city === 'string' ? { value: { city: city.trim() } } : { issues: [{ message: 'must be a text', path: [{ key: 'city' }] }] }
    },
  },
}
const withJson: StandardSchema<{ city: string }> = { '~standard': { ...trimmed['~standard'], jsonSchema: { input: () => ({ ...jsonSchema }) } } }

function scene(answers: readonly Script[], spare: Script = '{"city":"Spare"}') {
  const first = scripted({ id: 'first', answers: [...answers], price: { input: 1, output: 1 } })
  const second = scripted({ id: 'second', answers: spare })
  const plugin = witness()
  return { first, second, plugin, gateway: new Gateway({ routes: { smart: fallback(first, second), alone: first }, plugins: [plugin], clock: virtualClock() }) }
}
const ask = (output: Schema, answer: Script) => scene([answer]).gateway.chat({ model: 'smart', messages: 'Where?', output })

describe('a structured answer', () => {
  it.each<[string, Schema, unknown]>([
    ['zod', City, { city: 'Rome ' }],
    ['zod that transforms', City.extend({ city: z.string() }).required(), { city: 'Rome ' }],
    ['a Standard Schema written by hand, beside its JSON Schema', { schema: trimmed, jsonSchema }, { city: 'Rome' }],
    ['a Standard Schema that gives its own', withJson, { city: 'Rome' }],
    ['a JSON Schema alone', jsonSchema, { city: 'Rome ' }],
  ])('by %s is parsed, and the schema is sent', async (_what, output, expected) => {
    const { gateway, first } = scene(['{"city":"Rome "}'])
    expect((await gateway.chat({ model: 'smart', messages: 'Where?', output })).output).toEqual(expected)
    expect(first.calls[0]?.request.output).toMatchObject({ name: 'output', jsonSchema: { type: 'object', required: ['city'] } })
    expect((await (await scene(['{"city":"Rome "}']).gateway.stream({ model: 'smart', messages: 'Where?', output })).result()).output).toEqual(expected)
  })

  it.each(['```json\n{"city":"Rome"}\n```', '```\n{"city":"Rome"}```', '\n  {"city":"Rome"}\n', '```json\r\n{"city":"Rome"}\r\n```\n'])('in a fence or in blanks is found: %j', async text => {
    expect((await ask(City, text)).output).toEqual({ city: 'Rome' })
  })

  it('is not there where none was asked for, the model refused, or it called a tool', async () => {
    const { gateway, first } = scene(['{"city":1}', { toolCalls: [{ name: 't', input: {} }] }, { text: 'no', finishReason: 'content-filter' }])
    expect((await gateway.chat({ model: 'smart', messages: 'Where?' })).output).toBeUndefined()
    const called = await gateway.chat({ model: 'smart', messages: 'Where?', output: City, tools: [{ name: 't', inputSchema: z.object({ a: z.string() }) }] })
    expect([called.output, called.toolCalls.length]).toEqual([undefined, 1])
    expect(first.calls[1]?.request.tools).toMatchObject([{ name: 't', inputSchema: { properties: { a: { type: 'string' } } } }])
    const filtered = await gateway.chat({ model: 'smart', messages: 'Where?', output: City })
    expect([filtered.output, filtered.finishReason]).toEqual([undefined, 'content-filter'])
    expect(first.calls).toHaveLength(3)
  })
})

it('a refusal is told as one, and is not held against the schema', async () => {
  const { fetch, sent } = fakeFetch({ role: 'assistant', content: null, refusal: 'I cannot say.' })
  const answer = await new Gateway({ routes: { smart: openai('gpt-4.1', { apiKey: 'k' }) }, fetch }).chat({ model: 'smart', messages: 'Where?', output: City })
  expect(answer).toMatchObject({ refusal: 'I cannot say.', text: '', output: undefined, message: { content: [{ type: 'refusal', text: 'I cannot say.' }] } })
  expect(sent).toHaveLength(1)
  expect(JSON.stringify(sent[0]?.body)).toContain('"required":["city"]')
})

describe('an answer that does not match', () => {
  it.each<[string, Schema, string]>([
    ['that is the wrong shape', City, '{"city":5}'],
    ['that is the wrong shape, by a JSON Schema alone', jsonSchema, '{"city":5}'],
    ['that is no JSON', City, 'Rome, I think.'],
    ['that is no JSON, where only that was asked', jsonSchema, 'Rome, I think.'],
    ['that is nested without end', jsonSchema, `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
  ])('%s is asked once to repair itself, with what was wrong', async (_what, output, wrong) => {
    const { gateway, first, second } = scene([wrong, '{"city":"Rome"}'])
    const { output: parsed, attempts, deployment, cost } = await gateway.chat({ model: 'smart', messages: 'Where?', output })
    expect([parsed, deployment]).toEqual([{ city: 'Rome' }, 'first'])
    expect(attempts.map(({ outcome, code }) => code ?? outcome)).toEqual(['output_invalid', 'success'])
    const repair = first.calls[1]?.request.messages ?? []
    expect(repair.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    expect(repair[1]?.content).toBe(wrong)
    expect(repair[2]?.content).toMatch(/does not match the schema.*(city: |not JSON)/)
    // Both answers are paid for.
    expect(attempts.every(({ costNanos }) => (costNanos ?? 0) > 0)).toBe(true)
    expect(cost.nanos).toBe(attempts.reduce((sum, { costNanos = 0 }) => sum + costNanos, 0))
    expect(second.calls).toEqual([])
  })

  it('goes to the next candidate after one repair, with the request as it was', async () => {
    const { gateway, first, second } = scene(['nope'])
    const answer = await gateway.chat({ model: 'smart', messages: 'Where?', output: City })
    expect([answer.output, answer.deployment, first.calls.length]).toEqual([{ city: 'Spare' }, 'second', 2])
    expect(second.calls[0]?.request.messages).toHaveLength(1)
  })

  it('and is never repaired is an error with what was wrong and what was said', async () => {
    const { gateway, first, plugin } = scene(['{"city":5,"note":"private"}'])
    const error = await thrown(() => gateway.chat({ model: 'alone', messages: 'Where?', output: City }))
    expect(error).toMatchObject({ code: 'output_invalid', origin: 'upstream' })
    expect(error.message).toContain('city: ')
    expect(error.message).not.toContain('private')
    expect(error.partial?.text).toContain('private')
    expect(first.calls).toHaveLength(2)
    expect(plugin.records).toMatchObject([{ outcome: 'failure', code: 'output_invalid' }])
  })

  it('is repaired at most once in a call, whoever answered wrong', async () => {
    const { gateway, first, second } = scene(['nope'], 'nope either')
    await thrown(() => gateway.chat({ model: 'smart', messages: 'Where?', output: City }))
    expect([first.calls.length, second.calls.length]).toEqual([2, 1])
  })

  it('in a stream is told by result(), after the text was read', async () => {
    const { gateway, first } = scene(['{"city":5}'])
    const stream = await gateway.stream({ model: 'smart', messages: 'Where?', output: City })
    let text = ''
    for await (const piece of stream.textStream) text += piece
    const error = await thrown(() => stream.result())
    expect([text, error.code, error.partial?.text, first.calls.length]).toEqual(['{"city":5}', 'output_invalid', '{"city":5}', 1])
  })

  it('because the schema itself fails is the fault of the schema: nobody is paid to try again', async () => {
    const broken: StandardSchema = { '~standard': { ...withJson['~standard'], validate: () => { throw new RangeError('private') } } }
    const { gateway, first, second } = scene(['{"city":5}'])
    const error = await thrown(() => gateway.chat({ model: 'smart', messages: 'Where?', output: broken }))
    expect(error).toMatchObject({ code: 'invalid_request', origin: 'caller', message: expect.stringMatching(/"output": the schema failed with a RangeError/) as string })
    expect([first.calls.length, second.calls.length]).toEqual([1, 0])
  })

  it('is judged by a check that waits, too', async () => {
    const slow: StandardSchema<number> = { '~standard': { version: 1, vendor: 'slow', jsonSchema: { input: () => ({}) }, validate: () => Promise.resolve({ value: 5 }) } }
    expect((await ask(slow, '{}')).output).toBe(5)
  })
})

it('the JSON Schema of a schema is made once', async () => {
  let made = 0
  const counted: StandardSchema<{ city: string }> = { '~standard': { ...trimmed['~standard'], jsonSchema: { input: () => (made++, { ...jsonSchema }) } } }
  const { gateway } = scene(['{"city":"Rome"}'])
  for (let call = 0; call < 3; call++) await gateway.chat({ model: 'smart', messages: 'Where?', output: counted })
  expect(made).toBe(1)
})
