import { describe, expect, it } from 'vitest'
import { fallback, Gateway, mirror, type GatewayOptions, type RouteConfig } from '../../src/index.js'
import { scripted, seededRandom, virtualClock, type ScriptedDeployment, type ScriptedOptions } from '../../src/testing/index.js'
import { expectNothingLeft } from '../compositions/left-behind.js'
import { all, thrown, witness } from './support.js'

const ASK = { model: 'smart', messages: 'Hi' } as const
const price = { input: 1, output: 1 }
const deployment = (id: string, answers: ScriptedOptions['answers'], more: Partial<ScriptedOptions> = {}): ScriptedDeployment => scripted({ id, price, ...more, answers })

function scene(target: RouteConfig, deployments: readonly ScriptedDeployment[], options: Partial<GatewayOptions> = {}) {
  const clock = virtualClock()
  const seen = witness()
  const gateway = new Gateway({ clock, random: seededRandom(2), plugins: [seen], ...options, routes: { smart: target } } as GatewayOptions)
  const idle = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => undefined)
    await clock.runUntilIdle()
    return work
  }
  const copies = () => seen.records.filter(({ system }) => system !== undefined)
  return { clock, gateway, records: seen.records, copies, idle, nothingLeft: () => expectNothingLeft({ gateway, clock, deployments }) }
}

describe('shadow traffic', () => {
  it('is no part of the answer, of its time or of its cost, and is recorded as a copy', async () => {
    const [main, shadow] = [deployment('main', { text: 'main', latencyMs: 100 }), deployment('shadow', { text: 'a longer answer of the shadow', latencyMs: 9_000 })]
    const at = scene(mirror(main, shadow), [main, shadow])
    const chat = at.gateway.chat(ASK, { principal: { team: 'search' }, metadata: { page: 1 } })
    await at.clock.advance(100)
    const result = await chat
    expect([result.text, result.deployment, result.timings.totalMs, result.attempts.length]).toEqual(['main', 'main', 100, 1])
    expect(result.cost.nanos).toBe(result.attempts[0]?.costNanos)
    expect([at.gateway.health().calls, at.gateway.health().shadows]).toEqual([0, 1])
    await at.clock.runUntilIdle()
    expect(at.records).toHaveLength(2)
    const [copy] = at.copies()
    expect(copy).toMatchObject({ system: { shadowOf: result.id }, deployment: 'shadow', outcome: 'success', metadata: { page: 1 }, totalMs: 9_000 })
    expect(copy?.costNanos).toBeGreaterThan(result.cost.nanos ?? Infinity)
    expect(copy?.principal).toBeUndefined()
    expect(at.records[0]?.system).toBeUndefined()
    await at.nothingLeft()
  })

  it('with bill is charged to the principal of the caller', async () => {
    const [main, shadow] = [deployment('main', 'main'), deployment('shadow', 'shadow')]
    const at = scene(mirror(main, shadow, { bill: true }), [main, shadow])
    const principal = { team: 'search', user: 'ann' }
    const result = await at.idle(at.gateway.chat(ASK, { principal }))
    expect(at.copies()).toMatchObject([{ principal, system: { shadowOf: result.id } }])
    expect(result.cost.nanos).toBe(at.records.find(({ system }) => system === undefined)?.costNanos)
    await at.nothingLeft()
  })

  it.each<[string, ScriptedOptions['answers']]>([
    ['fails at once', { fail: { status: 500 } }],
    ['is cut', { text: 'one two three four', fail: 'cut' }],
    ['never answers', { fail: 'silent' }],
    ['refuses the request', { fail: { status: 400 } }],
  ])('that %s fails no call, is asked once, and is recorded as failed', async (_how, answers) => {
    const [main, shadow] = [deployment('main', 'main'), deployment('shadow', answers)]
    const at = scene(mirror(main, shadow), [main, shadow])
    const chat = at.gateway.chat(ASK)
    expect((await chat).text).toBe('main')
    const events = await all(await at.gateway.stream(ASK))
    expect(events.at(-1)?.type).toBe('finish')
    await at.clock.runUntilIdle()
    expect(shadow.calls).toHaveLength(2)
    expect(at.copies().map(({ outcome }) => outcome)).toEqual(['failure', 'failure'])
    expect(at.records.filter(({ system }) => system === undefined).map(({ outcome }) => outcome)).toEqual(['success', 'success'])
    await at.nothingLeft()
  })

  it('sees what the upstream saw, masks on, and passes no hook of the caller', async () => {
    const [main, shadow] = [deployment('main', 'for [NAME_1]'), deployment('shadow', 'for [NAME_1]')]
    let events = 0
    const mask = { name: 'mask', open: () => ({ request: (request: { messages: unknown }) => ({ ...request, messages: [{ role: 'user', content: '[NAME_1]' }] }), event: (event: { type: string }) => (events++, event) }) }
    const at = scene(mirror(main, shadow), [main, shadow], { plugins: [mask] as never })
    await at.idle(at.gateway.chat({ model: 'smart', messages: 'Ann' }))
    expect(shadow.calls[0]?.request.messages).toEqual([{ role: 'user', content: '[NAME_1]' }])
    expect(shadow.calls[0]?.request.messages).toEqual(main.calls[0]?.request.messages)
    expect(events).toBe(await at.idle(at.gateway.with({ routes: { smart: main } }).chat(ASK)).then(() => events / 2))
    await at.nothingLeft()
  })

  it('outlives an abort of the call it copies, and ends with close()', async () => {
    const [main, shadow] = [deployment('main', { fail: 'silent' }), deployment('shadow', { fail: 'silent' })]
    const at = scene(mirror(main, shadow), [main, shadow])
    const caller = new AbortController()
    const chat = thrown(() => at.gateway.chat(ASK, { signal: caller.signal }))
    await at.clock.advance(10)
    caller.abort()
    expect((await chat).code).toBe('aborted')
    expect([main.open, shadow.open, at.gateway.health().shadows]).toEqual([0, 1, 1])
    await at.gateway.close()
    expect([shadow.open, at.gateway.health().shadows]).toEqual([0, 0])
    expect(at.copies()).toMatchObject([{ outcome: 'failure', code: 'closed' }])
    await at.nothingLeft()
  })

  it('is bounded: of a thousand slow copies a hundred are under way, and every call is answered', async () => {
    const [main, shadow] = [deployment('main', 'main'), deployment('shadow', { text: 'late', latencyMs: 50_000 })]
    const at = scene(mirror(main, shadow), [main, shadow])
    const calls = Array.from({ length: 1_000 }, () => at.gateway.chat(ASK))
    await at.clock.advance(1)
    expect((await Promise.all(calls)).every(({ text }) => text === 'main')).toBe(true)
    expect([shadow.calls.length, at.gateway.health().shadows]).toEqual([100, 100])
    await at.clock.runUntilIdle()
    await at.idle(at.gateway.chat(ASK))
    expect(shadow.calls).toHaveLength(101)
    await at.nothingLeft()
  })

  it('does not make a copy of a branch that only a fallback would reach', async () => {
    const [main, backup, shadow] = [deployment('main', ['main', { fail: { status: 404 } }]), deployment('backup', 'backup'), deployment('shadow', 'shadow')]
    const at = scene(fallback(main, mirror(backup, shadow)), [main, backup, shadow])
    expect((await at.idle(at.gateway.chat(ASK))).deployment).toBe('main')
    expect((await at.idle(at.gateway.chat(ASK))).deployment).toBe('backup')
    expect(shadow.calls).toHaveLength(0)
    await at.nothingLeft()
  })

  it('follows who is asked first: what the caller prefers, and who can do what is asked', async () => {
    const [main, backup, shadow] = [deployment('main', 'main', { capabilities: { tools: false } }), deployment('backup', 'backup'), deployment('shadow', 'shadow')]
    const at = scene(fallback(mirror(main, shadow), backup), [main, backup, shadow])
    await at.idle(at.gateway.chat(ASK))
    expect(shadow.calls).toHaveLength(1)
    await at.idle(at.gateway.chat(ASK, { prefer: { order: ['backup'] } }))
    await at.idle(at.gateway.chat({ ...ASK, tools: [{ name: 'look', inputSchema: { type: 'object' } }] }))
    expect([shadow.calls.length, main.calls.length, backup.calls.length]).toEqual([1, 1, 2])
    await at.nothingLeft()
  })

  it('neither waits in the queue nor is hedged, and retries nothing', async () => {
    const [main, shadow, other] = [deployment('main', 'main'), deployment('shadow', { fail: { status: 503 } }), deployment('other', 'other')]
    const at = scene({ use: mirror(main, fallback(shadow, other)), queue: true, hedge: { afterMs: 0, budget: 1 } }, [main, shadow, other])
    await at.idle(at.gateway.chat(ASK))
    expect([shadow.calls.length, other.calls.length]).toEqual([1, 0])
    expect(at.copies()).toMatchObject([{ outcome: 'failure', code: 'overloaded' }])
    await at.nothingLeft()
  })

  it('teaches no strategy that learns', async () => {
    const learned: string[] = []
    const [main, shadow] = [deployment('main', 'main'), deployment('shadow', 'shadow')]
    const group = { ...mirror(main, shadow), learn: (about: { id: string }) => void learned.push(about.id) }
    const at = scene(group, [main, shadow])
    const { id } = await at.idle(at.gateway.chat(ASK))
    expect(learned).toEqual([id])
    await at.nothingLeft()
  })
})
