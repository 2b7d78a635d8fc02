import { describe, expect, it } from 'vitest'
import { fallback, fastest, weighted, type ToolRunOptions } from '../../src/index.js'
import { virtualClock } from '../../src/testing/index.js'
import { asks, toolScene, usage, weather, weatherBy } from './run-tools-scene.js'
import { thrown } from './support.js'

const ASK = { model: 'smart', messages: 'Where is it warmer?', tools: [weather] } as const
const never = (): Promise<never> => new Promise(() => undefined)

/** A tool that hangs, and the signals it was given. */
function hanging() {
  const signals: AbortSignal[] = []
  return { signals, tool: weatherBy((_, { signal }) => (signals.push(signal), never())) }
}

describe('the end of a run', () => {
  it('by its signal while tools run reaches every tool, and waits for none', async () => {
    const at = toolScene([asks('Rome', 'Oslo', 'Bern'), 'Warm.'])
    const { signals, tool } = hanging()
    const caller = new AbortController()
    const running = thrown(() => at.gateway.runTools({ ...ASK, tools: [tool] }, { signal: caller.signal, concurrency: 2 }))
    await at.clock.advance(0)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
    caller.abort()
    expect(await running).toMatchObject({ code: 'aborted', origin: 'caller' })
    expect(signals.map(({ aborted, reason }) => [aborted, (reason as { code: string }).code])).toEqual([[true, 'aborted'], [true, 'aborted']])
    expect(at.deployments[0]?.calls).toHaveLength(1)
    await at.nothingLeft([caller.signal, ...signals])
  })

  it('by its signal while the model answers is the end of that call', async () => {
    const at = toolScene([asks('Rome'), { text: 'Warm.', latencyMs: 5_000 }])
    const caller = new AbortController()
    const running = thrown(() => at.gateway.runTools(ASK, { signal: caller.signal }))
    await at.clock.advance(100)
    caller.abort()
    expect(await running).toMatchObject({ code: 'aborted', attempts: [{ outcome: 'aborted' }] })
    expect(at.records.map(({ outcome }) => outcome)).toEqual(['success', 'aborted'])
    await at.nothingLeft([caller.signal])
  })

  it('by a signal that was aborted before asks nobody', async () => {
    const at = toolScene('Hello.')
    expect((await thrown(() => at.gateway.runTools(ASK, { signal: AbortSignal.abort() }))).code).toBe('aborted')
    expect(at.deployments[0]?.calls).toEqual([])
    await at.nothingLeft()
  })

  it('by close() reaches the tools too', async () => {
    const at = toolScene([asks('Rome'), 'Warm.'])
    const { signals, tool } = hanging()
    const running = thrown(() => at.gateway.runTools({ ...ASK, tools: [tool] }))
    await at.clock.advance(0)
    const closing = at.gateway.close()
    expect((await running).code).toBe('closed')
    await closing
    expect(signals[0]?.aborted).toBe(true)
    await at.nothingLeft(signals)
  })

  it('by deadlines.totalMs, which is for all steps together: each has what is left', async () => {
    const at = toolScene(attempt => ({ ...(asks(`${attempt}`) as object), latencyMs: 400 }))
    const error = await thrown(() => at.over(at.gateway.runTools(ASK, { deadlines: { totalMs: 1_000 } })))
    expect(error).toMatchObject({ code: 'timeout', deadline: 'total' })
    expect(error.message).toContain('(1000 ms)')
    expect(at.records.map(({ outcome, code, totalMs }) => [outcome, code, totalMs])).toEqual([['success', undefined, 400], ['success', undefined, 400], ['failure', 'timeout', 200]])
    await at.nothingLeft()
  })

  it('by the deadline of its route while a tool runs', async () => {
    const at = toolScene([asks('Rome'), 'Warm.'], { options: { deadlines: { totalMs: 700 } } })
    const { signals, tool } = hanging()
    const startedMs = at.clock.now()
    expect(await thrown(() => at.over(at.gateway.runTools({ ...ASK, tools: [tool] })))).toMatchObject({ code: 'timeout', deadline: 'total', origin: 'gateway' })
    expect(at.clock.now() - startedMs).toBe(700)
    expect((signals[0]?.reason as { code: string }).code).toBe('timeout')
    await at.nothingLeft(signals)
  })

  it('by a deadline that passed while a tool kept the thread to itself, before its timer could fire', async () => {
    const still = virtualClock()
    let blockedMs = 0
    const clock = { now: () => still.now() + blockedMs, after: (ms: number, fn: () => void) => still.after(ms, fn) }
    const at = toolScene([asks('Rome'), 'Warm.'], { options: { clock } })
    const error = await thrown(() => at.gateway.runTools({ ...ASK, tools: [weatherBy(() => (blockedMs = 2_000))] }, { deadlines: { totalMs: 1_000 } }))
    expect(error).toMatchObject({ code: 'timeout', deadline: 'total' })
    expect([at.deployments[0]?.calls.length, still.pending]).toEqual([1, 0])
    await at.nothingLeft()
  })

  it('by the deadline while stopWhen thinks', async () => {
    const at = toolScene([asks('Rome'), 'Warm.'])
    expect((await thrown(() => at.over(at.gateway.runTools(ASK, { stopWhen: never, deadlines: { totalMs: 300 } })))).code).toBe('timeout')
    await at.nothingLeft()
  })

  it('by its answer lets go of the signal, and of the timers of tools that were quick', async () => {
    const at = toolScene([asks('Rome', 'Oslo'), 'Warm.'])
    const caller = new AbortController()
    expect((await at.gateway.runTools(ASK, { signal: caller.signal, toolTimeoutMs: 5_000 })).text).toBe('Warm.')
    await at.nothingLeft([caller.signal])
  })

  it('is not that of one tool that takes too long: the model is told', async () => {
    const at = toolScene([asks('Rome', 'Oslo'), 'Warm in Oslo.'])
    const given: AbortSignal[] = []
    const tool = weatherBy((input, { signal }) => (given.push(signal), (input as { city: string }).city === 'Rome' ? never() : 'cold'))
    const run = await at.over(at.gateway.runTools({ ...ASK, tools: [tool] }, { toolTimeoutMs: 250 }))
    expect(run.steps[0]?.toolResults).toMatchObject([{ content: 'The tool took longer than 250 ms and was given up.', isError: true }, { content: 'cold' }])
    expect(given.map(({ aborted }) => aborted)).toEqual([true, false])
    await at.nothingLeft(given)
  })
})

describe('a run stays where it is', () => {
  const OPTIONS: ToolRunOptions = { maxSteps: 7 }
  const loops = (attempt: number) => ({ ...(asks(`${attempt}`) as object), ...usage(5, 5) })
  const homes = (run: { readonly steps: readonly { readonly deployment: string }[] }): Set<string> => new Set(run.steps.map(({ deployment }) => deployment))

  it.each<[string, Parameters<typeof toolScene>[1]]>([
    ['weighted', { target: (...all) => weighted(...all.map(deployment => [deployment, 1] as const)) }],
    ['weighted in turns', { target: (...all) => weighted(...all.map(deployment => [deployment, 1] as const), { smooth: true }) }],
    ['fastest', { target: (...all) => fastest(...all) }],
  ])('where %s would go elsewhere for each call', async (_what, more) => {
    const at = toolScene(attempt => ({ ...loops(attempt), latencyMs: attempt > 10 ? 400 : 10 }), { ...more, backup: attempt => ({ ...loops(attempt), latencyMs: 100 }) })
    const visited = new Set<string>()
    for (let round = 0; round < 12; round++) {
      const run = await at.over(at.gateway.runTools(ASK, OPTIONS))
      expect([run.steps.length, homes(run).size]).toEqual([7, 1])
      visited.add(run.deployment)
    }
    expect(visited.size).toBe(2)
    await at.nothingLeft()
  })

  it('until it fails, and then where it went', async () => {
    const at = toolScene(attempt => (attempt === 3 ? { fail: { status: 500 } } : loops(attempt)), { backup: loops })
    const run = await at.over(at.gateway.runTools(ASK, { maxSteps: 5 }))
    expect(run.steps.map(({ deployment }) => deployment)).toEqual(['first', 'first', 'second', 'second', 'second'])
    await at.nothingLeft()
  })

  it('until its circuit opens', async () => {
    const at = toolScene(loops, { backup: loops, target: (...all) => fallback(...all) })
    const tool = weatherBy(async (_, { step }) => {
      if (step === 2) await at.gateway.isolate('first')
    })
    const run = await at.over(at.gateway.runTools({ ...ASK, tools: [tool] }, { maxSteps: 4 }))
    expect(run.steps.map(({ deployment }) => deployment)).toEqual(['first', 'first', 'second', 'second'])
    await at.nothingLeft()
  })
})
