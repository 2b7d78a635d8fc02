import * as z from 'zod'
import { describe, expect, it, vi } from 'vitest'
import { tool, type ToolContext, type ToolRunOptions, type ToolStep } from '../../src/index.js'
import { asks, schema, toolScene, usage, weather, weatherBy } from './run-tools-scene.js'
import { thrown } from './support.js'

const QUESTION = 'Where is it warmer?'
const ASK = { model: 'smart', messages: QUESTION, tools: [weather] } as const

describe('a run of tools', () => {
  it('gives the model what its tools gave, and is the last answer with the sums of all steps', async () => {
    const at = toolScene([{ ...(asks('Rome', 'Oslo') as object), ...usage(10, 5) }, { text: 'In Rome.', ...usage(40, 2) }])
    const run = await at.over(at.gateway.runTools({ ...ASK, system: 'Be brief.' }))
    expect(run).toMatchObject({ text: 'In Rome.', stopped: 'done', usage: { inputTokens: 50, outputTokens: 7 }, cost: { nanos: 57_000, usd: 0.000057, source: 'priced' } })
    expect(run.steps.map(({ step, usage: { inputTokens }, cost: { nanos }, toolResults }) => [step, inputTokens, nanos, toolResults.length])).toEqual([[1, 10, 15_000, 2], [2, 40, 42_000, 0]])
    expect(run.messages.map(message => [message.role, message.role === 'tool' ? message.content : message.role === 'user'])).toEqual([
      ['user', true],
      ['assistant', false],
      ['tool', '21 degrees in Rome'],
      ['tool', '21 degrees in Oslo'],
      ['assistant', false],
    ])
    expect(at.deployments[0]?.calls[1]?.request.messages).toEqual([{ role: 'system', content: 'Be brief.' }, ...run.messages.slice(0, -1)])
    await at.nothingLeft()
  })

  it('never sends what a tool runs, and a chat takes such a tool too', async () => {
    const at = toolScene('Hello.', { options: { cache: true } })
    await at.over(at.gateway.runTools(ASK))
    await at.over(at.gateway.chat(ASK))
    expect(at.deployments[0]?.calls[0]?.request.tools).toEqual([{ name: 'weather', inputSchema: schema }])
    expect((await thrown(() => at.gateway.chat({ ...ASK, tools: [{ ...weather, execute: 'rm -rf' as never }] }))).message).toBe('tools[0].execute must be a function.')
    await at.nothingLeft()
  })

  it('writes one record for each step, which an operator finds by the id of the run', async () => {
    const at = toolScene([asks('Rome'), 'Warm.'])
    const run = await at.over(at.gateway.runTools(ASK, { metadata: { ticket: 7 } }))
    expect(run.runId).toMatch(/^run_[0-9a-f]{16}$/)
    expect(at.records.map(({ conversation, metadata }) => [conversation, metadata])).toEqual([1, 2].map(step => [run.runId, { ticket: 7, toolRun: { id: run.runId, step } }]))
    const bound = await at.over(at.gateway.as({ conversation: 'c1', principal: { user: 'ann' } }).runTools(ASK))
    expect(at.records.at(-1)).toMatchObject({ conversation: 'c1', principal: { user: 'ann' }, metadata: { toolRun: { id: bound.runId } } })
    await at.nothingLeft()
  })

  it('tells a tool who asks, and where in the run it is', async () => {
    const at = toolScene([asks('Rome'), 'Warm.'])
    const seen: ToolContext[] = []
    const own = weatherBy((_, context) => void seen.push(context))
    const run = await at.over(at.gateway.runTools({ ...ASK, tools: [own] }, { metadata: { ticket: 7 } }))
    expect(seen).toMatchObject([{ toolCallId: 'call_Rome_0', step: 1, metadata: { ticket: 7 }, messages: run.messages.slice(0, 2) }])
    expect(run.messages[2]).toEqual({ role: 'tool', toolCallId: 'call_Rome_0', content: '(no result)' })
    await at.nothingLeft()
  })

  it('gives the tool what its schema makes of the input, typed', async () => {
    const at = toolScene([{ toolCalls: [{ name: 'add', input: { a: '2', b: 3 } }] }, 'Five.'])
    const add = tool({ name: 'add', inputSchema: z.object({ a: z.coerce.number(), b: z.number() }), execute: ({ a, b }) => a.toFixed(0) + b.toFixed(0) })
    const run = await at.over(at.gateway.runTools({ ...ASK, tools: [add] }))
    expect(run.steps[0]?.toolResults).toMatchObject([{ content: '23' }])
    await at.nothingLeft()
  })

  it('goes on from any step it has told of', async () => {
    const at = toolScene([asks('Rome'), { fail: { status: 400 } }, 'Warm.'])
    const told: ToolStep[] = []
    const onStep = (step: ToolStep): void => {
      told.push(step)
      throw new Error('a display that breaks')
    }
    expect((await thrown(() => at.over(at.gateway.runTools(ASK, { onStep })))).code).toBe('invalid_request')
    const run = await at.over(at.gateway.runTools({ ...ASK, messages: told[0]?.messages ?? [] }))
    expect([run.text, run.steps.length, run.messages.length]).toEqual(['Warm.', 1, 4])
    await at.nothingLeft()
  })

  it('forces a choice of tool once, not for ever', async () => {
    const at = toolScene([asks('Rome'), 'Warm.'])
    await at.over(at.gateway.runTools({ ...ASK, toolChoice: 'required' }))
    expect(at.deployments[0]?.calls.map(({ request }) => request.toolChoice)).toEqual(['required', 'auto'])
    await at.nothingLeft()
  })

  it('asks nobody with options it does not know', async () => {
    const at = toolScene('Hello.')
    const messages: [object, string][] = [
      [{ maxStep: 3 }, 'maxSteps'],
      [{ maxSteps: 0 }, '"maxSteps" must be a whole number'],
      [{ concurrency: 1.5 }, '"concurrency" must be a whole number'],
      [{ toolTimeoutMs: 0 }, '"toolTimeoutMs" must be'],
      [{ maxCostUsd: '1' }, '"maxCostUsd" must be'],
      [{ onStep: 1 }, '"onStep" must be a function'],
      [{ deadlines: { totalMs: 'soon' } }, '"deadlines.totalMs" must be'],
    ]
    for (const [options, said] of messages) expect((await thrown(() => at.gateway.runTools(ASK, options as ToolRunOptions))).message).toContain(said)
    expect((await thrown(() => at.gateway.runTools(undefined as never))).code).toBe('invalid_request')
    expect((await thrown(() => at.gateway.runTools({ ...ASK, model: 'smrt' as never }))).code).toBe('model_not_found')
    expect(at.deployments[0]?.calls).toEqual([])
    await at.nothingLeft()
  })
})

describe('a run ends', () => {
  it('by maxSteps with the results of the last tools, so that a new run goes on from it', async () => {
    const at = toolScene(attempt => asks(`${attempt}`))
    const run = await at.over(at.gateway.runTools(ASK, { maxSteps: 3 }))
    expect([run.stopped, run.steps.length, run.messages.length, run.messages.at(-1)?.role]).toEqual(['max_steps', 3, 7, 'tool'])
    expect((await at.over(at.gateway.runTools(ASK))).steps).toHaveLength(10)
    await at.nothingLeft()
  })

  it('at tools without execute: theirs are the results that are missing', async () => {
    const at = toolScene([{ toolCalls: [{ name: 'confirm', input: {}, id: 'a' }, { name: 'weather', input: { city: 'Rome' }, id: 'b' }] }, 'Done.'])
    const tools = [weather, { name: 'confirm', inputSchema: { type: 'object' } }]
    const run = await at.over(at.gateway.runTools({ ...ASK, tools }))
    expect([run.stopped, run.toolCalls.map(({ id }) => id), run.messages.slice(2)]).toEqual(['tool_calls', ['a', 'b'], [{ role: 'tool', toolCallId: 'b', content: '21 degrees in Rome' }]])
    const rest = await at.over(at.gateway.runTools({ ...ASK, tools, messages: [...run.messages, { role: 'tool', toolCallId: 'a', content: 'yes' }] }))
    expect(rest.text).toBe('Done.')
    await at.nothingLeft()
  })

  it('at a call of a tool of the provider, which only the caller knows how to run', async () => {
    const at = toolScene([{ toolCalls: [{ name: 'bash', input: {} }] }])
    expect((await at.over(at.gateway.runTools({ ...ASK, tools: [weather, { providerData: { scripted: { type: 'bash' } } }] }))).stopped).toBe('tool_calls')
    await at.nothingLeft()
  })

  it.each(['length', 'content-filter'] as const)('at an answer cut by %s, of which no tool is run', async finishReason => {
    const execute = vi.fn()
    const at = toolScene([{ ...(asks('Rome') as object), finishReason }, 'Hello.'])
    const run = await at.over(at.gateway.runTools({ ...ASK, tools: [weatherBy(execute)] }))
    expect([run.stopped, run.steps.length, execute.mock.calls.length]).toEqual([finishReason.replace('-', '_'), 1, 0])
    expect(run.messages.at(-1)).toMatchObject({ role: 'tool', isError: true })
    expect((await at.over(at.gateway.runTools({ ...ASK, messages: run.messages }))).text).toBe('Hello.')
    await at.nothingLeft()
  })

  it('by stopWhen, which sees the run so far; what it throws is an error', async () => {
    const at = toolScene(attempt => asks(`${attempt}`))
    const run = await at.over(at.gateway.runTools(ASK, { stopWhen: async ({ steps, cost }) => steps.length === 2 && (cost.nanos ?? 0) > 0 }))
    expect([run.stopped, run.steps.length]).toEqual(['stop_when', 2])
    const error = await thrown(() => at.over(at.gateway.runTools(ASK, { stopWhen: () => JSON.parse('{') as boolean })))
    expect(error).toMatchObject({ code: 'invalid_request', cause: { name: 'SyntaxError' } })
    await at.nothingLeft()
  })

  it('before a step for which maxCostUsd has no room', async () => {
    const at = toolScene(attempt => ({ ...(asks(`${attempt}`) as object), ...usage(100, 0) }))
    const run = await at.over(at.gateway.runTools(ASK, { maxCostUsd: 0.00035 }))
    expect([run.stopped, run.steps.length, run.cost.usd]).toEqual(['max_cost', 3, 0.0003])
    await at.nothingLeft()
  })

  it('where maxCostUsd cannot be kept, for a price nobody knows', async () => {
    const at = toolScene('', { target: (...[, second]) => ({ ...second, price: undefined }) as never, backup: asks('Rome') })
    expect((await at.over(at.gateway.runTools(ASK, { maxCostUsd: 1 }))).stopped).toBe('unknown_cost')
    await at.nothingLeft()
  })

  it('with the budget of the gateway, too', async () => {
    const at = toolScene(attempt => ({ ...(asks(`${attempt}`) as object), ...usage(300, 0) }), { options: { budgets: [{ name: 'all', usd: 0.004 }] } })
    const told = vi.fn()
    expect(await thrown(() => at.over(at.gateway.runTools({ ...ASK, maxOutputTokens: 10 }, { onStep: told })))).toMatchObject({ code: 'budget_exceeded', policy: 'all' })
    expect(told.mock.calls.length).toBeGreaterThan(0)
    expect(at.gateway.health().ledger?.holds).toBe(0)
    await at.nothingLeft()
  })
})
