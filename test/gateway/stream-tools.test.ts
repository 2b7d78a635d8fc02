import { describe, expect, it } from 'vitest'
import type { ToolRunEvent } from '../../src/index.js'
import { asks, kinds, toolScene, usage, weather, weatherBy } from './run-tools-scene.js'
import { all, thrown } from './support.js'

const ASK = { model: 'smart', messages: 'Where is it warmer?', tools: [weather] } as const
const never = (): Promise<never> => new Promise(() => undefined)
const call = ['start', 'tool-call-start', 'tool-call-delta', 'tool-call-delta', 'tool-call'] as const

describe('a stream of a run', () => {
  it('tells the events of each step in order, the results as the tools end, and the same result as a run', async () => {
    const answers = [{ ...(asks('Rome', 'Oslo') as object), ...usage(10, 5) }, { text: 'In Rome.', ...usage(40, 2) }]
    const at = toolScene(answers)
    const slow = weatherBy((input, { toolCallId }) => new Promise(resolve => void at.clock.after(toolCallId === 'call_Rome_0' ? 300 : 100, () => resolve(`21 degrees in ${(input as { city: string }).city}`))))
    const stream = await at.gateway.streamTools({ ...ASK, tools: [slow] })
    const reading = all(stream)
    const waiting = stream.result()
    const events = await at.over(reading)
    expect(kinds(events)).toEqual([
      'step-start 1', ...call, ...call.slice(1), 'finish', 'tool-result call_Oslo_1', 'tool-result call_Rome_0', 'step-finish 1',
      'step-start 2', 'start', 'text-delta', 'text-delta', 'finish', 'step-finish 2',
    ])
    const run = await waiting
    expect(await stream.result()).toEqual(run)
    const whole = toolScene(answers)
    const other = await whole.over(whole.gateway.runTools(ASK))
    for (const key of ['text', 'usage', 'cost', 'stopped', 'messages'] as const) expect(run[key]).toEqual(other[key])
    expect(stream.runId).toBe(run.runId)
    await at.nothingLeft()
    await whole.nothingLeft()
  })

  it('is read by result() where nobody else does, and by one reader', async () => {
    const at = toolScene([asks('Rome'), 'Warm.'])
    const stream = await at.gateway.as({ conversation: 'c1' }).streamTools(ASK)
    expect((await at.over(stream.result())).text).toBe('Warm.')
    expect((await thrown(() => stream[Symbol.asyncIterator]())).code).toBe('invalid_request')
    expect(at.records.map(({ kind, conversation }) => [kind, conversation])).toEqual([['stream', 'c1'], ['stream', 'c1']])
    await at.nothingLeft()
  })

  it('fails before it streams where its first step does, and in the middle where another does', async () => {
    const at = toolScene([{ fail: { status: 400 } }, asks('Rome'), { fail: { status: 400 } }])
    expect((await thrown(() => at.gateway.streamTools(ASK))).code).toBe('invalid_request')
    const stream = await at.gateway.streamTools(ASK)
    const events: ToolRunEvent[] = []
    const reading = thrown(async () => {
      for await (const event of stream) events.push(event)
    })
    const waiting = thrown(() => stream.result())
    expect([(await reading).code, (await waiting).code, kinds(events).at(-1)]).toEqual(['invalid_request', 'invalid_request', 'step-finish 1'])
    await at.nothingLeft()
  })

  it.each(['start', 'step-start', 'tool-call', 'finish', 'tool-result', 'step-finish'])('that is left at %s leaves nothing open', async type => {
    const at = toolScene([asks('Rome', 'Oslo'), 'Warm.'])
    const caller = new AbortController()
    const signals: AbortSignal[] = []
    const tool = weatherBy((_, { signal, toolCallId }) => (signals.push(signal), toolCallId === 'call_Rome_0' ? 'warm' : type === 'tool-result' ? never() : 'cold'))
    const stream = await at.gateway.streamTools({ ...ASK, tools: [tool] }, { signal: caller.signal })
    for await (const event of stream) if (event.type === type) break
    expect((await thrown(() => stream.result())).code).toBe('aborted')
    if (type === 'tool-result') expect(signals.map(({ aborted }) => aborted)).toEqual([false, true])
    await at.nothingLeft([caller.signal, ...signals])
  })

  it('that is cancelled ends for who reads it, in the middle of a tool', async () => {
    const at = toolScene([asks('Rome'), 'Warm.'])
    const signals: AbortSignal[] = []
    const stream = await at.gateway.streamTools({ ...ASK, tools: [weatherBy((_, { signal }) => (signals.push(signal), never()))] })
    const reading = thrown(() => all(stream))
    await at.clock.advance(0)
    expect(signals).toHaveLength(1)
    stream.cancel()
    expect((await reading).code).toBe('aborted')
    expect(signals[0]?.aborted).toBe(true)
    await at.nothingLeft(signals)
  })

  it('that is left by hand while a tool hangs does not wait for it', async () => {
    const at = toolScene([asks('Rome'), 'Warm.'])
    const stream = await at.gateway.streamTools({ ...ASK, tools: [weatherBy(never)] })
    const events = stream[Symbol.asyncIterator]()
    for (let type = ''; type !== 'finish'; ) type = (await events.next()).value?.type ?? 'finish'
    const reading = thrown(() => events.next())
    await at.clock.advance(0)
    await events.return?.()
    expect((await reading).code).toBe('aborted')
    await at.nothingLeft()
  })

  it.each(['before it was read', 'between two steps'])('that is forgotten %s ends by the deadline of the run', async when => {
    const at = toolScene([asks('Rome'), 'Warm.'])
    const caller = new AbortController()
    const stream = await at.gateway.streamTools(ASK, { signal: caller.signal, deadlines: { totalMs: 5_000, abandonMs: 1_000 } })
    const events = stream[Symbol.asyncIterator]()
    if (when === 'between two steps') for (let type = ''; type !== 'step-finish'; ) type = (await events.next()).value?.type ?? 'step-finish'
    await at.clock.advance(5_000)
    await at.nothingLeft([caller.signal])
    expect((await thrown(() => all({ [Symbol.asyncIterator]: () => events }))).code).toBe('timeout')
  })

  it('ends by the deadline of the run in the middle of a step, which its record tells', async () => {
    const at = toolScene([asks('Rome'), { text: 'It is warm.', chunkMs: 300 }])
    const stream = await at.gateway.streamTools(ASK, { deadlines: { totalMs: 500 } })
    const error = await thrown(() => at.over(all(stream)))
    expect(error).toMatchObject({ code: 'timeout', deadline: 'total' })
    expect(error.message).toContain('(500 ms)')
    expect(at.records.map(({ code }) => code)).toEqual([undefined, 'timeout'])
    await at.nothingLeft()
  })
})
