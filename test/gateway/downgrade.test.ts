import { describe, expect, it } from 'vitest'
import { fallback, type BudgetOptions, type DowngradeOptions, type Message } from '../../src/index.js'
import type { ScriptedOptions } from '../../src/testing/index.js'
import { ask, BOUND, deployment, money, NANOS, says, usd, type MoneyOptions, type Request } from './money-scene.js'
import { thrown } from './support.js'

const CHEAP = { input: 0.1, output: 0.2 }
const CHEAP_NANOS = NANOS / 10
/** One call at its bound fits, and after it no other. */
const budget = (downgrade: DowngradeOptions | undefined, more: Partial<BudgetOptions> = {}): BudgetOptions => ({ name: 'b', usd: usd(BOUND + NANOS - 1), window: 'total', ...(downgrade !== undefined && { downgrade }), ...more })
function scene(budgets: readonly BudgetOptions[], cheap: Partial<ScriptedOptions> = {}, options: MoneyOptions = {}) {
  const [a, b] = [deployment('dear', says('{}')), deployment('low', says('cheap'), { price: CHEAP, ...cheap })]
  return { a, b, ...money({ smart: a, cheap: b }, [a, b], { budgets, ...options }) }
}

/** A budget of its own in which what was asked last does not fit by a nano-dollar, and a tenth of it would. */
const tight = ({ store }: { readonly store: { readonly highest: Map<string, number> } }, downgrade: DowngradeOptions): BudgetOptions => budget(downgrade, { name: 'tight', usd: usd((store.highest.get('budget:b:nanos:') ?? 0) - 1) })

describe('where the worst case does not fit', () => {
  it('a call goes to the named route, and says so on the result, in the record, and once as an alert', async () => {
    const at = scene([budget({ to: 'cheap' })])
    expect((await at.chat()).downgraded).toBeUndefined()
    const downgraded = { from: 'smart', to: 'cheap', policy: 'b', reason: 'hold' }
    for (let i = 0; i < 2; i++) {
      const result = await at.chat()
      expect([result.deployment, result.downgraded, result.cost.nanos]).toEqual(['low', downgraded, CHEAP_NANOS])
    }
    await at.gateway.flush()
    expect(at.records.map(record => [record.route, record.downgraded, record.policy])).toEqual([
      ['smart', undefined, { decision: 'allowed' }],
      ['smart', downgraded, { decision: 'downgraded', by: 'b' }],
      ['smart', downgraded, { decision: 'downgraded', by: 'b' }],
    ])
    expect(at.alerts).toMatchObject([{ kind: 'downgraded', policy: 'b', limitUsd: usd(BOUND + NANOS - 1), call: at.records[1]?.id }])
    expect(await at.charged()).toBe(NANOS + 2 * CHEAP_NANOS)
    await at.nothingLeft()
  })

  it('a stream goes there too', async () => {
    const at = scene([budget({ to: 'cheap' })])
    await at.chat()
    const stream = await at.soon(at.gateway.stream(ask() as never))
    expect((await at.idle(stream.result())).downgraded).toMatchObject({ to: 'cheap' })
    await at.nothingLeft()
  })

  it('without a name it goes to the cheapest candidate of the same route', async () => {
    const ds = [deployment('dear'), deployment('middle', says(), { price: { input: 0.5, output: 1 } }), deployment('low', says(), { price: CHEAP }), deployment('priceless', says(), { price: { input: 9, output: 9 } })] as const
    const at = money(fallback(...ds), ds, { budgets: [budget({})] })
    await at.chat()
    const result = await at.chat()
    expect([result.deployment, result.downgraded]).toEqual(['low', { from: 'smart', to: 'low', policy: 'b', reason: 'hold' }])
    await at.nothingLeft()
  })

  it('it is refused where the cheaper does not fit either', async () => {
    const at = scene([budget({ to: 'cheap' }, { usd: usd(1) })])
    expect((await thrown(() => at.chat())).code).toBe('budget_exceeded')
    expect([at.a.calls.length, at.b.calls.length, at.alerts.map(({ kind }) => kind)]).toEqual([0, 0, ['exceeded']])
    await at.nothingLeft()
  })

  it('a route of its own way down is used where the budget has none, and that of the budget wins', async () => {
    const [a, b, c] = [deployment('dear'), deployment('low', says(), { price: CHEAP }), deployment('third', says(), { price: CHEAP })]
    const routes = { smart: { use: a, downgrade: 'cheap' }, cheap: b, other: c }
    for (const [own, to] of [[undefined, 'low'], [{ to: 'other' }, 'third']] as const) {
      const at = money(routes, [a, b, c], { budgets: [budget(own)] })
      await at.chat()
      expect((await at.chat()).deployment).toBe(to)
      await at.nothingLeft()
    }
  })

  it('one way down for all routes ends at the route it leads to', async () => {
    const at = scene([budget(undefined)], {}, { downgrade: 'cheap' })
    await at.chat()
    expect((await at.chat()).deployment).toBe('low')
    const own = await at.chat(ask({ model: 'cheap' }))
    expect([own.deployment, own.downgraded]).toEqual(['low', undefined])
    await at.nothingLeft()
  })
})

describe('from a share of the budget on', () => {
  const half = (more: Partial<BudgetOptions> = {}) => budget({ to: 'cheap', at: 0.15 }, { usd: usd(4 * BOUND), ...more })

  it('calls go to the cheaper route, and the rest is left for what only the dearer can do', async () => {
    const at = scene([half()], { capabilities: { tools: false } })
    expect((await at.chat()).downgraded).toMatchObject({ to: 'cheap', reason: 'share' })
    const tools = [{ name: 't', inputSchema: { type: 'object', properties: {} } }] as const
    const able = await at.chat(ask({ tools }))
    expect([able.deployment, able.downgraded]).toEqual(['dear', undefined])
    await at.nothingLeft()
  })

  it('a soft budget sends them there too, and refuses nobody', async () => {
    const at = scene([half({ hard: false, usd: usd(BOUND) })], { capabilities: { images: false } })
    expect((await at.chat()).deployment).toBe('low')
    const image = { role: 'user', content: [{ type: 'image', image: 'https://example.com/x.png' }] } as const
    expect((await at.chat(ask({ messages: [image] }))).deployment).toBe('dear')
    await at.nothingLeft()
  })
})

describe('the cheaper is asked only for what it can do', () => {
  const tools = [{ name: 't', inputSchema: { type: 'object', properties: {} } }] as const
  const image: Message = { role: 'user', content: [{ type: 'image', image: 'https://example.com/x.png' }] }
  const output = { type: 'object', properties: {} }
  const rows: readonly (readonly [string, NonNullable<ScriptedOptions['capabilities']>, Partial<Request>])[] = [
    ['tools', { tools: false }, { tools }],
    ['images', { images: false }, { messages: [image] }],
    ['jsonSchema', { jsonSchema: false }, { output: output as never }],
    ['contextWindow', { contextWindow: 10 }, { messages: 'word '.repeat(200) }],
  ]

  it.each(rows)('%s: else the call is refused', async (_what, capabilities, more) => {
    const at = scene([budget(undefined, { usd: 1 })], { capabilities })
    await at.chat(ask(more))
    at.gateway.setBudgets([tight(at, { to: 'cheap' })])
    expect((await thrown(() => at.chat(ask(more)))).code).toBe('budget_exceeded')
    expect(at.b.calls).toHaveLength(0)
    await at.nothingLeft()
  })

  it.each(rows)('%s: without a name the candidates of the route are held to it as well', async (_what, capabilities, more) => {
    const [a, b] = [deployment('dear', says('{}')), deployment('low', says(), { price: CHEAP, capabilities })]
    const at = money(fallback(a, b), [a, b], { budgets: [budget(undefined, { usd: 1 })] })
    await at.chat(ask(more))
    at.gateway.setBudgets([tight(at, {})])
    expect((await thrown(() => at.chat(ask(more)))).code).toBe('budget_exceeded')
    expect(b.calls).toHaveLength(0)
    await at.nothingLeft()
  })

  it('a loop of tools stays with the model that asked for them', async () => {
    const loop: readonly Message[] = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [{ type: 'tool-call', id: 'c', name: 't', input: {}, arguments: '{}' }] },
      { role: 'tool', toolCallId: 'c', content: 'done' },
    ]
    const at = scene([budget({ to: 'cheap', at: 0.1 }, { usd: usd(4 * BOUND) })])
    expect((await at.chat(ask({ messages: loop }))).deployment).toBe('dear')
    at.gateway.setBudgets([tight(at, { to: 'cheap' })])
    expect((await thrown(() => at.chat(ask({ messages: loop })))).code).toBe('budget_exceeded')
    expect(at.b.calls).toHaveLength(0)
    await at.nothingLeft()
  })
})
