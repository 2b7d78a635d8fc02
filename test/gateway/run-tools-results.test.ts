import { describe, expect, it, vi } from 'vitest'
import fc from 'fast-check'
import * as z from 'zod'
import { fallback, Gateway, tool, type JsonObject, type Message, type Tool, type ToolCall } from '../../src/index.js'
import { conversationProblem } from '../../src/protocol/conversation.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { distinctCalls } from '../../src/tools/ids.js'
import { schema, toolScene, weatherBy } from './run-tools-scene.js'

const CALL = { toolCalls: [{ name: 'weather', input: { city: 'Rome' }, id: 'a' }] }

/** What the model is given for one call. */
async function resultOf(execute: NonNullable<Tool['execute']>, more: { readonly tools?: readonly Tool[]; readonly call?: object; readonly maxResultChars?: number } = {}) {
  const { maxResultChars } = more
  const at = toolScene([more.call ?? CALL, 'Done.'])
  const run = await at.over(at.gateway.runTools({ model: 'smart', messages: 'Hi', tools: more.tools ?? [weatherBy(execute)] }, { ...(maxResultChars !== undefined && { maxResultChars }) }))
  expect(run.text).toBe('Done.')
  await at.nothingLeft()
  const [result] = run.steps[0]?.toolResults ?? []
  return { content: result?.content, ...(result?.isError !== undefined && { isError: result.isError }) }
}

const circular: Record<string, unknown> = { name: 'a', twice: [1] }
circular['self'] = { inner: circular }
circular['again'] = circular['twice']
let far: unknown = 0
for (let level = 0; level < 20_000; level++) far = { far }
class Odd extends Error {
  override get message(): string {
    throw new TypeError('not even this')
  }
}

describe('what a tool gives goes to the model', () => {
  it.each<[string, unknown, unknown]>([
    ['a text as it is', 'sun', 'sun'],
    ['an empty text', '', ''],
    ['an object as JSON', { degrees: 21, at: new Date(0) }, '{"degrees":21,"at":"1970-01-01T00:00:00.000Z"}'],
    ['null', null, 'null'],
    ['nothing', undefined, '(no result)'],
    ['a function, which is nothing', () => 1, '(no result)'],
    ['a bigint in its digits', { n: 10n }, '{"n":"10"}'],
    ['a circle cut where it closes, and a twin twice', circular, '{"name":"a","twice":[1],"self":{"inner":"[circular]"},"again":[1]}'],
    ['maps and sets with what they hold', { map: new Map([['a', 1]]), set: new Set([2]) }, '{"map":[["a",1]],"set":[2]}'],
    ['bytes counted', new Uint8Array(5), '"[5 bytes]"'],
    ['an empty list', [], '[]'],
    ['a list that only looks like parts', [{ type: 'text' }, { type: 'image' }], '[{"type":"text"},{"type":"image"}]'],
  ])('%s', async (_what, value, content) => {
    expect(await resultOf(() => value)).toEqual({ content })
  })

  it('as parts where they are parts', async () => {
    const parts = [{ type: 'text', text: 'a map' }, { type: 'image', image: new Uint8Array(2), mediaType: 'image/png' }, { type: 'file', data: 'aGk=', mediaType: 'application/pdf' }]
    expect(await resultOf(async () => parts)).toEqual({ content: parts })
  })

  it('cut where it is longer than maxResultChars, which is said', async () => {
    const said = 'x'.repeat(9) + '\n[cut: these are the first 9 of 50 characters]'
    expect(await resultOf(() => `${'x'.repeat(9)}😀${'x'.repeat(39)}`, { maxResultChars: 10 })).toEqual({ content: said })
    expect(await resultOf(() => [{ type: 'text', text: 'x'.repeat(50) }], { maxResultChars: 9 })).toEqual({ content: [{ type: 'text', text: said }] })
    const big = await resultOf(() => 'x'.repeat(300_000))
    expect(big.content).toMatch(/^x{200000}\n\[cut: these are the first 200000 of 300000 characters\]$/)
  })
})

describe('what goes wrong in a tool goes to the model as an error', () => {
  it.each<[string, () => unknown, unknown]>([
    ['a throw', () => { throw new Error('the station is offline') }, 'the station is offline'],
    ['a rejection', () => Promise.reject(new RangeError('too far')), 'too far'],
    ['an error without words', () => { throw new TypeError() }, 'TypeError'],
    ['something thrown that is no error', () => { throw { code: 7 } as unknown as Error }, '{"code":7}'],
    ['nothing thrown', () => Promise.reject(undefined as unknown as Error), 'undefined'],
    ['an error that throws when it is read', () => { throw new Odd() }, 'The tool failed.'],
    ['an object without a text', () => Promise.reject(Object.create(null) as Error), '{}'],
    ['a result too deep for JSON', () => far, 'Maximum call stack size exceeded'],
    ['a result whose getter throws', () => ({ get a() { throw new Error('no') } }), 'no'],
  ])('%s', async (_what, execute, content) => {
    expect(await resultOf(execute)).toEqual({ content, isError: true })
  })

  it('bounded, and without its stack', async () => {
    const { content } = await resultOf(() => { throw new Error('x'.repeat(5_000)) })
    expect(content).toBe(`${'x'.repeat(2_000)}\n[cut: these are the first 2000 of 5000 characters]`)
  })

  it('a name that no tool has, with the names there are', async () => {
    expect(await resultOf(() => 1, { call: { toolCalls: [{ name: 'wether\n', input: {} }] } })).toEqual({ content: 'There is no tool "wether\\n". The tools are: weather.', isError: true })
  })

  it.each<[string, unknown, Tool['inputSchema'], string]>([
    ['that its schema refuses', { city: 7 }, z.object({ city: z.string() }), 'city: Invalid input: expected string, received number'],
    ['that is no object, for a JSON Schema alone', ['Rome'], schema, 'it must be a JSON object'],
  ])('an input %s, and the tool is not run', async (_what, input, inputSchema, problem) => {
    const execute = vi.fn()
    expect(await resultOf(() => 1, { call: { toolCalls: [{ name: 'weather', input }] }, tools: [{ name: 'weather', inputSchema, execute }] })).toEqual({ content: `The input of "weather" is not valid: ${problem}.`, isError: true })
    expect(execute).not.toHaveBeenCalled()
  })

  it('a schema that throws', async () => {
    const inputSchema = z.object({ city: z.string().transform(text => JSON.parse(text) as unknown) })
    expect(await resultOf(() => 1, { tools: [tool({ name: 'weather', inputSchema, execute: () => 1 })] })).toMatchObject({ isError: true })
  })
})

describe('an input is held against a JSON Schema alone', () => {
  const travel = {
    type: 'object',
    properties: { city: { type: 'string', minLength: 2 }, days: { type: 'integer', maximum: 14 }, by: { enum: ['train', 'boat'] } },
    required: ['city'],
    additionalProperties: false,
  } as const
  const within: JsonObject = { type: 'object', properties: { in: { $ref: '#' } }, additionalProperties: false }
  const nested = (levels: number): object => {
    let value: object = {}
    for (let level = 0; level < levels; level++) value = { in: value }
    return value
  }
  const asked = async (input: unknown, inputSchema: JsonObject) => {
    const execute = vi.fn((_input: unknown) => 'done')
    const result = await resultOf(execute, { call: { toolCalls: [{ name: 'travel', input }] }, tools: [{ name: 'travel', inputSchema, execute }] })
    return { ...result, given: execute.mock.calls.map(([first]) => first) }
  }

  it.each<[string, object, JsonObject, string]>([
    ['of another type', { city: 7 }, travel, 'city: must be string, not number'],
    ['without what is required', { days: 3 }, travel, 'city: is missing'],
    ['with a property that the schema does not have', { city: 'Rome', password: 'hunter2' }, travel, 'has a property that is not allowed'],
    ['past a bound', { city: 'Rome', days: 15 }, travel, 'days: must be at most 14'],
    ['of none of the values', { city: 'Rome', by: 'secret plane' }, travel, 'by: must be one of ["train","boat"]'],
    ['with several faults, all of them said', { days: 1.5 }, travel, 'days: must be integer, not number; city: is missing'],
    ['nested deeper than can be checked', nested(700), within, 'the schema goes round or branches too often to be checked'],
  ])('%s goes back to the model, and the tool is not run', async (_what, input, inputSchema, problem) => {
    expect(await asked(input, inputSchema)).toEqual({ content: `The input of "travel" is not valid: ${problem}.`, isError: true, given: [] })
  })

  it.each<[string, object, JsonObject]>([
    ['that fits', { city: 'Rome', days: 14, by: 'boat' }, travel],
    ['that is nested, as far as can be checked', nested(400), within],
    ['of a schema with words that are not known, which say nothing', { city: 'Rome', at: 'no date' }, { type: 'object', properties: { at: { type: 'string', format: 'date', inventedWord: 5 } }, unevaluatedProperties: false }],
    ['of a schema with types of a dialect', { city: 'Rome' }, { type: 'OBJECT', properties: { city: { type: 'STRING' } } }],
    ['of an empty schema', { anything: [1] }, {}],
  ])('%s is given to the tool as it is', async (_what, input, inputSchema) => {
    expect(await asked(input, inputSchema)).toEqual({ content: 'done', given: [input] })
  })

  it('so that a tool never sees what zod would refuse for the same schema', async () => {
    const same = z.object({ a: z.string().max(2), b: z.array(z.int().min(0)).optional() }).strict()
    const leaf = fc.constantFrom<unknown>('', 'xy', 'xyz', -1, 1, 1.5, true, null, [], [1, 2], [1, 'x'])
    // A copy, for zod hangs its own check on what it makes.
    const inputSchema = JSON.parse(JSON.stringify(z.toJSONSchema(same))) as JsonObject
    const input = fc.record({ a: fc.oneof(fc.constant('xy'), leaf), b: fc.oneof(fc.constant([1, 2]), leaf), c: leaf }, { requiredKeys: [] })
    const inputs = fc.array(input, { minLength: 30, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(inputs, async given => {
        const seen: unknown[] = []
        const at = toolScene([{ toolCalls: given.map(input => ({ name: 'f', input })) }, 'Done.'])
        await at.over(at.gateway.runTools({ model: 'smart', messages: 'Hi', tools: [{ name: 'f', inputSchema, execute: input => void seen.push(input) }] }))
        expect(seen).toEqual(given.filter(input => same.safeParse(input).success))
      }),
      { numRuns: 20 },
    )
  })

  it.each(['run', 'stream'] as const)('so that the model can do better in the next step of a %s', async form => {
    const call = (input: object) => ({ toolCalls: [{ name: 'travel', input }] })
    const at = toolScene([call({ town: 'Rome' }), call({ city: 'Rome' }), 'Done.'])
    const execute = vi.fn((_input: unknown) => 'booked')
    const ask = { model: 'smart' as const, messages: 'Hi', tools: [{ name: 'travel', inputSchema: travel, execute }] }
    const run = await at.over(form === 'run' ? at.gateway.runTools(ask) : at.gateway.streamTools(ask).then(stream => stream.result()))
    expect(run.steps.map(({ toolResults }) => toolResults.map(({ isError = false }) => isError))).toEqual([[true], [false], []])
    expect(execute.mock.calls.map(([input]) => input)).toEqual([{ city: 'Rome' }])
    expect(run.text).toBe('Done.')
    await at.nothingLeft()
  })
})

describe('the calls of one answer', () => {
  it('have one result each in the order of the calls, whatever ends first, fails or hangs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ ms: fc.nat({ max: 500 }), how: fc.constantFrom('gives', 'throws', 'hangs') }), { maxLength: 25 }), fc.integer({ min: 1, max: 30 }), async (calls, concurrency) => {
        const clock = virtualClock()
        const model = scripted({ answers: [{ text: 'asking', toolCalls: calls.map((_, at) => ({ name: 'f', input: { at }, id: `id${at}` })) }, 'Done.'] })
        const gateway = new Gateway({ routes: { smart: model }, clock })
        let running = 0
        let most = 0
        const execute: NonNullable<Tool['execute']> = async (input, { signal }) => {
          most = Math.max(most, ++running)
          const call = calls[(input as { at: number }).at]
          try {
            await new Promise<void>((resolve, reject) => {
              if (call?.how === 'hangs') signal.addEventListener('abort', () => reject(new Error('given up')))
              else clock.after(call?.ms ?? 0, call?.how === 'throws' ? () => reject(new Error('no')) : resolve)
            })
          } finally {
            running--
          }
          return input
        }
        const work = gateway.runTools({ model: 'smart', messages: 'Hi', tools: [{ name: 'f', inputSchema: schema, execute }] }, { concurrency, toolTimeoutMs: 600 })
        await clock.runUntilIdle()
        const run = await work
        const results = run.messages.slice(2, calls.length === 0 ? 2 : -1)
        expect(results.map(message => message.role === 'tool' && message.toolCallId)).toEqual(calls.map((_, at) => `id${at}`))
        expect(results.map(message => message.role === 'tool' && (message.isError ?? false))).toEqual(calls.map(({ how }) => how !== 'gives'))
        expect(conversationProblem(run.messages as readonly Message[])).toBeUndefined()
        expect(most).toBeLessThanOrEqual(concurrency)
        expect([running, clock.pending, gateway.health().calls]).toEqual([0, 0, 0])
        await gateway.close()
      }),
      { numRuns: 60 },
    )
  }, 30_000)

  it('that share an id get one each', () => {
    const call = (id: string): ToolCall => ({ id, name: 'f', input: {}, arguments: '{}' })
    const content = ['a', 'a_2', 'a'].map(id => ({ type: 'tool-call' as const, ...call(id) }))
    const answer = distinctCalls({ toolCalls: content.map(({ id }) => call(id)), message: { role: 'assistant', content: [{ type: 'text', text: 'Hm' }, ...content] } })
    expect(answer.toolCalls.map(({ id }) => id)).toEqual(['a', 'a_2', 'a_3'])
    expect(answer.message.content).toMatchObject([{ type: 'text' }, { id: 'a' }, { id: 'a_2' }, { id: 'a_3' }])
  })

  it('that share an id do not make a conversation that every provider refuses', async () => {
    const model = scripted({ answers: [{ toolCalls: [{ name: 'f', input: { n: 1 }, id: 'same' }, { name: 'f', input: { n: 2 }, id: 'same' }] }, 'Done.'] })
    const gateway = new Gateway({ routes: { smart: fallback(model) } })
    const run = await gateway.runTools({ model: 'smart', messages: 'Hi', tools: [{ name: 'f', inputSchema: schema, execute: input => input }] })
    expect(run.steps[0]?.toolResults).toMatchObject([{ toolCallId: 'same', content: '{"n":1}' }, { toolCallId: 'same_2', content: '{"n":2}' }])
    await gateway.close()
  })
})
