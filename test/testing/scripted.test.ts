import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collect } from '../../src/protocol/collect.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { Wire } from '../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../src/protocol/request.js'
import type { ScriptedAnswer } from '../../src/testing/script.js'
import { scripted, type ScriptedDeployment, type ScriptedOptions } from '../../src/testing/scripted.js'
import { drain, faultOf, nothingLeft, REQUEST, setup, textOf } from './try.js'

describe('a scripted answer', () => {
  it('gives a text for ever, word by word, with a start first and one finish last', async () => {
    const t = setup('Hello there, world ')
    for (let i = 0; i < 3; i++) {
      const events = await drain(await t.open())
      expect(textOf(events)).toBe('Hello there, world ')
      expect(events.map(event => event.type)).toEqual(['start', 'text-delta', 'text-delta', 'text-delta', 'text-delta', 'finish'])
      expect(events.at(-1)).toEqual({ type: 'finish', finishReason: 'stop', usage: { inputTokens: 5, outputTokens: 5 } })
    }
    expect(t.deployment.calls.length).toBe(3)
    nothingLeft(t)
  })

  it('answers by attempt and repeats the last one; a function sees the attempt and the request', async () => {
    const list = setup({ answers: [{ fail: { status: 503 } }, 'second', 'last'] })
    expect((await faultOf(list.open())).code).toBe('overloaded')
    const texts = []
    for (let i = 0; i < 3; i++) texts.push(textOf(await drain(await list.open())))
    expect(texts).toEqual(['second', 'last', 'last'])
    const fn = setup({ answers: (attempt, request) => `${attempt}:${request.messages.length}` })
    expect(textOf(await drain(await fn.open()))).toBe('1:1')
    expect(textOf(await drain(await fn.open()))).toBe('2:1')
  })

  it('gives the same answer on both wires, on JSON in one batch after the whole time', async () => {
    const piece = fc.string({ minLength: 1, maxLength: 6 })
    const answers: fc.Arbitrary<ScriptedAnswer> = fc.record(
      {
        chunks: fc.array(piece, { maxLength: 5 }),
        reasoning: fc.string({ maxLength: 20 }),
        toolCalls: fc.array(fc.record({ name: fc.constantFrom('look', 'find'), input: fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue()) }), { maxLength: 3 }),
        latencyMs: fc.nat({ max: 50 }),
        firstEventMs: fc.nat({ max: 50 }),
        chunkMs: fc.nat({ max: 50 }),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(answers, async answer => {
        const run = async (wire: Wire) => {
          const t = setup({ answers: answer })
          const batches: number[] = []
          const work = t.open(wire).then(opened => drain(opened, [], batches))
          await t.clock.runUntilIdle()
          const events = await work
          nothingLeft(t)
          return { events, batches, atMs: t.clock.now() }
        }
        const [json, stream] = [await run('json'), await run('stream')]
        expect(collect(json.events)).toEqual(collect(stream.events))
        expect(json.atMs).toBe(stream.atMs)
        expect(json.batches.length).toBe(1)
        expect(stream.events.findIndex(event => event.type === 'finish')).toBe(stream.events.length - 1)
        expect(collect(stream.events).toolCalls.map(call => JSON.parse(call.arguments) as unknown)).toEqual((answer.toolCalls ?? []).map(call => JSON.parse(JSON.stringify(call.input)) as unknown))
      }),
      { numRuns: 100 },
    )
  })

  it('keeps its pace on the clock of the try: headers, first chunk, chunk by chunk', async () => {
    const t = setup({ answers: { chunks: ['a', 'b', 'c'], latencyMs: 100, firstEventMs: 50, chunkMs: 10 } })
    const at: [string, number][] = []
    const work = t.open().then(async opened => {
      at.push(['headers', t.clock.now()])
      for (let batch = await opened.read(); batch !== undefined; batch = await opened.read()) at.push([batch.map(event => event.type).join(), t.clock.now()])
    })
    await t.clock.advance(99)
    expect(at).toEqual([])
    await t.clock.runUntilIdle()
    await work
    expect(at).toEqual([
      ['headers', 100],
      ['start,text-delta', 150],
      ['text-delta', 160],
      ['text-delta', 170],
      ['finish', 170],
    ])
    expect(t.state.activity).toBe(4)
  })

  it('counts tokens by length unless the script says otherwise, and reports what it is given', async () => {
    const t = setup({ answers: [{ text: 'abcdefgh', reasoning: 'abcd' }, { text: 'x', usage: { inputTokens: 9 }, finishReason: 'length' }] })
    const first = collect(await drain(await t.open()))
    expect([first.reasoning, first.finish?.usage]).toEqual(['abcd', { inputTokens: 5, outputTokens: 3, reasoningTokens: 1 }])
    const second = collect(await drain(await t.open()))
    expect([second.finish?.finishReason, second.finish?.usage]).toEqual(['length', { inputTokens: 9 }])
  })
})

describe('what a scripted try leaves behind', () => {
  it.each(['latencyMs', 'firstEventMs', 'chunkMs'] as const)('an abort during %s ends the timer and the listener', async key => {
    const t = setup({ answers: { text: 'one two three', [key]: 1000 } })
    const fault = faultOf(t.open().then(drain))
    await t.clock.advance(500)
    expect([t.clock.pending, t.deployment.open]).toEqual([1, 1])
    const reason = new GatewayError('aborted', 'enough')
    t.abort.abort(reason)
    expect(await fault).toBe(reason)
    nothingLeft(t)
  })

  it('an abort before the try answers at once', async () => {
    const t = setup('Hello')
    t.abort.abort(new GatewayError('aborted', 'early'))
    expect((await faultOf(t.open())).message).toBe('early')
    nothingLeft(t)
  })

  it('close() ends a waiting read, twice is once, and after the finish it changes nothing', async () => {
    const t = setup({ answers: { text: 'one two', chunkMs: 1000 } })
    const opened = await t.open()
    await opened.read()
    const waiting = faultOf(opened.read())
    opened.close()
    opened.close()
    expect((await waiting).code).toBe('aborted')
    nothingLeft(t)
    expect(t.deployment.calls[0]?.aborted).toBe(true)
    const whole = setup('x')
    const second = await whole.open()
    await drain(second)
    second.close()
    expect(await second.read()).toBeUndefined()
    expect(whole.deployment.calls[0]?.aborted).toBe(false)
    nothingLeft(whole)
  })

  it('counts tries that are open, until each is over', async () => {
    const t = setup('one two')
    const opened = await Promise.all([t.open(), t.open(), t.open()])
    expect(t.deployment.open).toBe(3)
    await drain(opened[0])
    opened[1].close()
    expect(t.deployment.open).toBe(1)
    t.abort.abort(new GatewayError('aborted', 'x'))
    nothingLeft(t)
    expect(t.deployment.calls.map(call => call.aborted)).toEqual([false, true, true])
  })
})

describe('a prefilled conversation', () => {
  const prefilled = (content: string): UpstreamRequest => ({ prefill: true, messages: [...REQUEST.messages, { role: 'assistant', content }] })

  it('is refused with a 400 where the deployment cannot', async () => {
    const t = setup('one two three')
    expect(await faultOf(t.open('stream', prefilled('one')))).toMatchObject({ code: 'invalid_request', status: 400, origin: 'upstream' })
    nothingLeft(t)
  })

  it('goes on from any prefix of the text, and gives text that is no continuation whole', async () => {
    const text = 'one two three four'
    for (let cut = 0; cut <= text.length; cut++) {
      const t = setup({ capabilities: { prefill: true }, answers: { chunks: ['one t', 'wo three', ' four'] } })
      expect(text.slice(0, cut) + textOf(await drain(await t.open('stream', prefilled(text.slice(0, cut)))))).toBe(text)
    }
    const other = setup({ capabilities: { prefill: true }, answers: [text, { text, continues: false }] })
    expect(textOf(await drain(await other.open('stream', prefilled('zero'))))).toBe(text)
    expect(textOf(await drain(await other.open('stream', prefilled('one'))))).toBe(text)
  })
})

describe('scripted() options', () => {
  const of = (value: unknown): ScriptedDeployment => scripted(value as ScriptedOptions)

  it('make a frozen deployment of the usual shape', () => {
    const deployment = scripted({ id: 'a', price: { input: 1, output: 2 }, limits: { concurrency: 2 }, tags: ['eu'], answers: 'x' })
    expect(deployment).toMatchObject({ kind: 'deployment', id: 'a', provider: 'scripted', model: 'test', capabilities: {}, tags: ['eu'], price: { input: 1, output: 2 }, limits: { concurrency: 2 } })
    expect(scripted('x').id).toBe('scripted/test')
    expect(Object.isFrozen(deployment)).toBe(true)
  })

  it.each([
    [{ answer: 'x' }, 'answers'],
    [{ answers: { txt: 'x' } }, 'text'],
    [{ answers: [] }, 'empty'],
    [{}, 'answers'],
    [null, 'scripted() takes'],
    [{ answers: ['x', { fail: 'explode' }] }, 'answers[1].fail'],
    [{ answers: { fail: { status: 500, retryAfter: 1 } } }, 'retryAfterMs'],
    [{ answers: { fail: { status: 7 } } }, 'status'],
    [{ answers: { fail: { status: 400, code: 'nonsense' } } }, 'code'],
    [{ answers: { text: 'a', chunks: ['a'] } }, 'one of them'],
    [{ answers: { text: 'a', failAfter: 1 } }, 'failAfter'],
    [{ answers: { text: 'a', chunkMs: -1 } }, 'chunkMs'],
    [{ answers: { toolCalls: [{ input: {} }] } }, 'needs a name'],
    [{ answers: { usage: { promptTokens: 1 } } }, 'usage'],
    [{ answers: 'x', price: { input: 1 } }, 'price'],
    [{ answers: 'x', price: { input: Number.NaN, output: 1 } }, 'price.input'],
    [{ answers: 'x', capabilities: { prefil: true } }, 'prefill'],
  ])('refuse %j', (value, says) => {
    let thrown: unknown
    try {
      of(value)
    } catch (error) {
      thrown = error
    }
    expect(GatewayError.is(thrown) && thrown.code).toBe('invalid_config')
    expect((thrown as GatewayError).message).toContain(says)
  })

  it('check what a function answers too', async () => {
    const t = setup({ answers: (() => ({ txt: 'x' })) as unknown as ScriptedOptions['answers'] })
    expect((await faultOf(t.open())).code).toBe('invalid_config')
    nothingLeft(t)
  })
})
