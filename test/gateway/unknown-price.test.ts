import { describe, expect, it } from 'vitest'
import { fallback, type BudgetOptions, type OnUnknownPrice } from '../../src/index.js'
import { scripted } from '../../src/testing/index.js'
import { BOUND, deployment, money, NANOS, OUTPUT_BOUND, says, usd } from './money-scene.js'
import { thrown } from './support.js'

const BUDGET: BudgetOptions = { name: 'b', usd: usd(2 * BOUND), window: 'total' }
const priceless = () => scripted({ id: 'priceless', provider: 'nobody', model: 'knows', answers: says() })
const scene = (budgets: readonly BudgetOptions[], onUnknownPrice?: OnUnknownPrice) => {
  const d = priceless()
  return { d, ...money(d, [d], { budgets, ...(onUnknownPrice !== undefined && { onUnknownPrice }) }) }
}

describe('a deployment without a known price', () => {
  it('is refused under a hard budget, and told why', async () => {
    const at = scene([BUDGET])
    const error = await thrown(() => at.chat())
    expect([error.code, at.d.calls.length]).toEqual(['no_candidates', 0])
    expect(error.message).toContain('onUnknownPrice')
    expect(error.excluded).toEqual([{ deployment: 'priceless', reason: 'no price is known, and a hard budget applies (onUnknownPrice)' }])
    await at.nothingLeft()
  })

  it.each([[[], undefined], [[{ ...BUDGET, hard: false }], undefined], [[BUDGET], 'allow']] as const)('is asked with budgets %j and %j, and its cost is unknown and not 0', async (budgets, onUnknownPrice) => {
    const at = scene(budgets, onUnknownPrice)
    const { cost } = await at.chat()
    expect([cost.usd, cost.nanos, cost.source]).toEqual([null, null, 'unknown'])
    await at.gateway.flush()
    expect(at.records[0]?.costNanos).toBeNull()
    expect(await at.gateway.spend()).toMatchObject([{ nanos: 0, attempts: 1, unpriced: 1 }])
    await at.nothingLeft()
  })

  it('is held and charged at the price that is assumed', async () => {
    const at = scene([BUDGET], { assume: { input: 1, output: 2 } })
    expect((await at.chat()).cost.nanos).toBe(NANOS)
    expect([await at.charged(), at.store.highest.get('budget:b:nanos:')]).toEqual([NANOS, BOUND])
    expect(await at.gateway.spend()).toMatchObject([{ nanos: NANOS, unpriced: 0 }])
    await at.nothingLeft()
  })

  it('is charged at the price that was checked, whatever its owner does to it later: else more would be charged than was held', async () => {
    const assume = { input: 1, output: 2 }
    const at = scene([BUDGET], { assume })
    await at.chat()
    assume.output = 2_000
    expect((await at.chat()).cost.nanos).toBe(NANOS)
    expect([await at.charged(), at.store.highest.get('budget:b:nanos:')]).toEqual([2 * NANOS, NANOS + BOUND])
    await at.nothingLeft()
  })

  it('is passed over for one that has a price', async () => {
    const [a, b] = [priceless(), deployment('b')]
    const at = money(fallback(a, b), [a, b], { budgets: [BUDGET] })
    expect((await at.chat()).deployment).toBe('b')
    expect(a.calls).toHaveLength(0)
    await at.nothingLeft()
  })

  it('costs nothing only where the price says so', async () => {
    const free = scripted({ id: 'free', price: { input: 0, output: 0 }, answers: says() })
    const at = money(free, [free], { budgets: [{ ...BUDGET, usd: 0 }] })
    expect((await at.chat()).cost).toMatchObject({ usd: 0, nanos: 0 })
    await at.nothingLeft()
  })
})

describe('an answer without a known end under a hard budget', () => {
  const plain = { model: 'smart', messages: 'Hi' } as const

  it('is refused with what to set', async () => {
    const at = scene([BUDGET], { assume: { input: 1, output: 2 } })
    const error = await thrown(() => at.chat(plain))
    expect([error.code, error.message]).toEqual(['invalid_request', expect.stringContaining('Set maxOutputTokens')])
    await at.nothingLeft()
  })

  it('takes the one of the route, which is also sent', async () => {
    const d = deployment('d')
    const at = money({ smart: { use: d, maxOutputTokens: OUTPUT_BOUND } }, [d], { budgets: [BUDGET] })
    await at.chat(plain)
    expect([d.calls[0]?.request.maxOutputTokens, at.store.highest.get('budget:b:nanos:')]).toEqual([OUTPUT_BOUND, BOUND])
    await at.nothingLeft()
  })

  it('takes the most that the model can write', async () => {
    const d = deployment('d', says(), { capabilities: { maxOutputTokens: OUTPUT_BOUND } })
    const at = money(d, [d], { budgets: [BUDGET] })
    await at.chat(plain)
    expect(at.store.highest.get('budget:b:nanos:')).toBe(BOUND)
    await at.nothingLeft()
  })

  it('that does not fit is refused with the words for it', async () => {
    const at = scene([{ ...BUDGET, usd: usd(BOUND - 1) }], { assume: { input: 1, output: 2 } })
    const error = await thrown(() => at.chat())
    expect([error.code, error.policy, error.retryAfterMs]).toEqual(['budget_exceeded', 'b', undefined])
    expect(error.message).toContain('Lower maxOutputTokens')
    await at.nothingLeft()
  })
})
